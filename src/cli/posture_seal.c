/* bartizan posture --seal: the digests of what an instance consists of, signed with its audit key. The next runs
 * compare (G05). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd_posture.h"

static bool hash_fd(int fd, uint8_t out[BZ_HASH_LEN]) {
    uint8_t mem[2048];
    struct bz_sha256 h;
    ssize_t n;
    bz_sha256_init(&h);
    while ((n = read(fd, mem, sizeof mem)) > 0)
        bz_sha256_add(&h, bz_view(mem, (size_t)n));
    bz_sha256_end(&h, out);
    return n == 0;
}

/* One line, if the file is there. */
static bool add(struct bz_buf *b, int dir, const char *path) {
    uint8_t sha[BZ_HASH_LEN];
    BZ_FD fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat s;
    if (fd < 0)
        return errno == ENOENT;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode) || !hash_fd(fd, sha))
        return false;
    bz_buf_put_hex(b, bz_view(sha, sizeof sha));
    bz_buf_puts(b, "  ");
    bz_buf_puts(b, path);
    bz_buf_putc(b, '\n');
    return true;
}

static bool collect(struct bz_instance *in, struct bz_buf *b) {
    static const char *const inside[] = {BZ_F_CONFIG, BZ_F_SERVER_CERT, BZ_F_CA_CERT};
    static const char *const parts[] = {"bartizan", "bartizand", "bartizan-auditd",
                                        "ngx_http_bartizan_module.so"};
    char path[BZ_DIR_PATH_MAX];
    bool good = true;
    bz_buf_puts(b, "# What this instance consists of; signed by its audit key (manifest.sig).\n");
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
        good = good && add(b, in->fd, inside[i]);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char system[64];
        (void)snprintf(system, sizeof system, "/usr/lib/bartizan/%s", parts[i]);
        bz_find_part(parts[i], system, path);
        good = good && (path[0] == '\0' || add(b, AT_FDCWD, path));
    }
    return good && bz_buf_status(b) == BZ_OK;
}

int bz_posture_seal(struct bz_instance *in) {
    struct bz_buf b, key;
    uint8_t sig[BZ_SIGN_LEN];
    bz_buf_init(&b, 1 << 20);
    bz_buf_init(&key, 4096);
    bool good = collect(in, &b);
    if (!good)
        bz_say("a part of %s cannot be read: %s", bz_safe(in->path), strerror(errno));
    if (good &&
        (bz_file_read(in->fd, BZ_F_AUDIT_KEY, &key) != BZ_OK || key.n != BZ_SIGN_SECRET_LEN)) {
        bz_say("%s/%s cannot be read: run this as the owner of the instance", bz_safe(in->path),
               BZ_F_AUDIT_KEY);
        good = false;
    }
    if (good) {
        bz_sign(key.p, bz_buf_view(&b), sig);
        if (mkdirat(in->fd, "posture", 0700) != 0 && errno != EEXIST)
            good = false;
        good = good &&
               bz_file_write(in->fd, BZ_POSTURE_SIGNATURE, bz_view(sig, sizeof sig), 0600,
                             BZ_FILE_SYNC) == BZ_OK &&
               bz_file_write(in->fd, BZ_POSTURE_MANIFEST, bz_buf_view(&b), 0600, BZ_FILE_SYNC) ==
                   BZ_OK;
        if (good)
            bz_say("%s/%s is written and signed", bz_safe(in->path), BZ_POSTURE_MANIFEST);
        else
            bz_say("%s/posture cannot be written: %s", bz_safe(in->path), strerror(errno));
    }
    bz_buf_free(&b);
    bz_buf_wipe_free(&key);
    return good ? BZ_EXIT_OK : BZ_EXIT_FAILURE;
}
