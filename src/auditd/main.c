/* bartizan-auditd DIR --ready-fd N [--origin NAME]: owns the audit log of an instance and its
 * signing key. */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_FAIL = 2 };

struct auditd {
    const char *path;
    const char *origin_arg; /* NULL: not given */
    int ready_fd;           /* -1: not given */
    int dir, audit_dir, run_dir, lock;
    struct bz_secret key;
    struct bz_buf verifier; /* the line in DIR/audit/verifier; origin points into it */
    struct bz_view origin;
    void *ring;
    size_t ring_n;
    struct bz_journal_scan scan;
    struct bz_sealer sealer;
    struct bz_writer writer;
};

static _Atomic bool stop;

static void on_signal(int sig) {
    (void)sig;
    atomic_store(&stop, true);
}

static int fail(const char *what, const char *why) {
    fprintf(stderr, "bartizan-auditd: %s: %s\n", what, why);
    return EXIT_FAIL;
}

/* ---- arguments ---- */

static int usage(void) {
    fputs("usage: bartizan-auditd DIR [--ready-fd N] [--origin NAME]\n", stderr);
    return EXIT_FAIL;
}

static int parse_args(struct auditd *a, int argc, char **argv) {
    a->ready_fd = -1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--version") == 0) {
            puts("bartizan-auditd " BZ_VERSION);
            exit(0);
        }
        bool has_value = i + 1 < argc;
        uint64_t n;
        if (strcmp(argv[i], "--ready-fd") == 0 && has_value) {
            if (bz_view_u64(bz_view_str(argv[++i]), &n) != BZ_OK || n > INT32_MAX)
                return usage();
            a->ready_fd = (int)n;
        } else if (strcmp(argv[i], "--origin") == 0 && has_value) {
            a->origin_arg = argv[++i];
        } else if (argv[i][0] != '-' && a->path == NULL) {
            a->path = argv[i];
        } else {
            return usage();
        }
    }
    return a->path == NULL ? usage() : 0;
}

/* ---- hardening ---- */

static int harden(void) {
    umask(077);
    /* the key must not reach a core file or a debugger of the same user */
    static const struct rlimit none = {0, 0};
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail("hardening", strerror(errno));
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return fail("hardening", "the kernel did not keep what was set");
    struct sigaction act = {.sa_handler = on_signal}; /* no SA_RESTART: a futex wait ends */
    struct sigaction ign = {.sa_handler = SIG_IGN};
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGPIPE, &ign, NULL); /* a FIFO whose worker died */
    sigaction(SIGXFSZ, &ign, NULL); /* a file size limit is a full disk: EFBIG */
    return 0;
}

/* ---- what is there ---- */

static int open_dirs(struct auditd *a) {
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    a->dir = open(a->path, flags);
    if (a->dir < 0)
        return fail(a->path, strerror(errno));
    if (mkdirat(a->dir, "audit", 0700) != 0 && errno != EEXIST)
        return fail("audit", strerror(errno));
    a->audit_dir = openat(a->dir, "audit", flags | O_NOFOLLOW);
    if (a->audit_dir < 0)
        return fail("audit", strerror(errno));
    if (mkdirat(a->audit_dir, "journal", 0700) != 0 && errno != EEXIST)
        return fail("audit/journal", strerror(errno));
    a->run_dir = openat(a->dir, "run", flags | O_NOFOLLOW);
    if (a->run_dir < 0)
        return fail("run", strerror(errno));
    /* two writers would sign two histories */
    a->lock = openat(a->audit_dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (a->lock < 0 || flock(a->lock, LOCK_EX | LOCK_NB) != 0)
        return fail("audit/lock", errno == EWOULDBLOCK ? "another bartizan-auditd has this log"
                                                       : strerror(errno));
    return 0;
}

static int read_key(struct auditd *a) {
    int fd = openat(a->dir, "secrets/audit.key", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return fail("secrets/audit.key", strerror(errno));
    struct stat s;
    bool ok = fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_size == BZ_SIGN_SECRET_LEN;
    const char *why = ok ? NULL : "is not a key of 64 bytes";
    if (ok && (s.st_mode & 077) != 0)
        why = "others can read or change it (chmod 600)";
    if (why == NULL && bz_secret_new(BZ_SIGN_SECRET_LEN, &a->key) != BZ_OK)
        why = "no locked memory for it";
    if (why == NULL && read(fd, a->key.p, BZ_SIGN_SECRET_LEN) != BZ_SIGN_SECRET_LEN)
        why = "cannot be read";
    close(fd);
    if (why != NULL)
        return fail("secrets/audit.key", why);
    /* the public half that libsodium appends must belong to the secret one: sign and check */
    uint8_t sig[BZ_SIGN_LEN];
    bz_sign(a->key.p, BZ_V("bartizan-auditd"), sig);
    if (!bz_sign_check(a->key.p + BZ_SIGN_SECRET_LEN - BZ_SIGN_PUBLIC_LEN, BZ_V("bartizan-auditd"),
                       sig))
        return fail("secrets/audit.key", "damaged");
    return 0;
}

/* Without a verifier file and --origin: a name that is at least the key's own. */
static void default_origin(const uint8_t *pub, struct bz_buf *out) {
    uint8_t sum[BZ_HASH_LEN];
    bz_sha256(bz_view(pub, BZ_SIGN_PUBLIC_LEN), sum);
    bz_buf_puts(out, "bartizan.local/");
    bz_buf_put_hex(out, bz_view(sum, 8));
}

static int make_verifier(struct auditd *a, const uint8_t *pub) {
    struct bz_buf name;
    bz_buf_init(&name, 256);
    if (a->origin_arg != NULL)
        bz_buf_puts(&name, a->origin_arg);
    else
        default_origin(pub, &name);
    bz_buf_reset(&a->verifier);
    bz_verifier_key(bz_buf_view(&name), pub, &a->verifier);
    bz_buf_putc(&a->verifier, '\n');
    bz_buf_free(&name);
    uint8_t again[BZ_SIGN_PUBLIC_LEN];
    if (bz_buf_status(&a->verifier) != BZ_OK ||
        bz_verifier_key_parse(bz_buf_view(&a->verifier), &a->origin, again) != BZ_OK)
        return fail("--origin", "must be a name without blanks and plus signs");
    if (bz_io_put(&bz_io_real, a->audit_dir, "verifier", bz_buf_view(&a->verifier)) != BZ_OK)
        return fail("audit/verifier", strerror(errno));
    return 0;
}

static int find_origin(struct auditd *a) {
    const uint8_t *pub = a->key.p + BZ_SIGN_SECRET_LEN - BZ_SIGN_PUBLIC_LEN;
    uint8_t there[BZ_SIGN_PUBLIC_LEN];
    bz_buf_init(&a->verifier, 1024);
    enum bz_status st = bz_logdir_read(a->audit_dir, "verifier", &a->verifier);
    if (st == BZ_ENOTFOUND)
        return make_verifier(a, pub);
    if (st != BZ_OK || bz_verifier_key_parse(bz_buf_view(&a->verifier), &a->origin, there) != BZ_OK)
        return fail("audit/verifier", "is not a verifier key");
    if (!bz_ct_equal(bz_view(there, sizeof there), bz_view(pub, sizeof there)))
        return fail("audit/verifier", "belongs to another key than secrets/audit.key");
    if (a->origin_arg != NULL && !bz_view_eq(a->origin, bz_view_str(a->origin_arg)))
        return fail("audit/verifier", "names another origin than --origin");
    return 0;
}

static int map_ring(struct auditd *a) {
    int fd = openat(a->run_dir, "audit.ring", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat s;
    if (fd < 0 || fstat(fd, &s) != 0)
        return fail("run/audit.ring", strerror(errno));
    if (!S_ISREG(s.st_mode) || s.st_size <= 0 ||
        (uint64_t)s.st_size > bz_ring_file_size(BZ_LANES_MAX))
        return fail("run/audit.ring", "is not a ring");
    a->ring_n = (size_t)s.st_size;
    a->ring = mmap(NULL, a->ring_n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (a->ring == MAP_FAILED)
        return fail("run/audit.ring", strerror(errno));
    enum bz_status st = bz_ring_check(a->ring, a->ring_n);
    return st == BZ_OK ? 0 : fail("run/audit.ring", bz_status_text(st));
}

/* ---- recovery ---- */

static int damaged(const struct bz_diag *d, enum bz_status st) {
    fprintf(stderr, "bartizan-auditd: the audit log is damaged at %llu: %s (%s)\n",
            (unsigned long long)d->offset, d->why == NULL ? "unknown" : d->why, bz_status_text(st));
    fputs("bartizan-auditd: not started, so that nothing is signed over the damage; see AUDIT.md, "
          "\"A damaged log\"\n",
          stderr);
    return EXIT_FAIL;
}

static int recover(struct auditd *a, uint64_t *ret_next) {
    struct bz_diag d = {0};
    enum bz_status st =
        bz_tree_open(&a->sealer.tree, &bz_io_real, a->audit_dir, a->origin, a->key.p, &d);
    if (st != BZ_OK)
        return damaged(&d, st);
    st = bz_journal_scan(a->audit_dir, NULL, NULL, &a->scan, &d);
    if (st != BZ_OK)
        return damaged(&d, st);
    uint64_t size = a->sealer.tree.f.size;
    if (a->scan.any && a->scan.first > size) {
        bz_diag_set(&d, size, "records are missing between the checkpoint and the journal");
        return damaged(&d, BZ_ECORRUPT);
    }
    struct stat s;
    if (!a->sealer.tree.signed_once && !a->scan.any && fstatat(a->audit_dir, "tile", &s, 0) == 0) {
        bz_diag_set(&d, 0, "there are tiles, but neither a checkpoint nor a journal");
        return damaged(&d, BZ_ECORRUPT);
    }
    *ret_next = a->scan.any && a->scan.next > size ? a->scan.next : size;
    return 0;
}

static void note_start(struct auditd *a, uint64_t next) {
    char text[200];
    uint64_t recovered = next - a->sealer.tree.f.size;
    snprintf(
        text, sizeof text,
        "version %s; %llu records recovered from the journal; %llu bytes of a torn batch dropped",
        BZ_VERSION, (unsigned long long)recovered, (unsigned long long)a->scan.torn);
    bz_writer_note(&a->writer,
                   recovered != 0 || a->scan.torn != 0 ? BZ_V("writer_recovered")
                                                       : BZ_V("writer_started"),
                   bz_view_str(text));
}

static void note_ring(struct auditd *a) {
    if (a->writer.ring_replaced)
        bz_writer_note(&a->writer, BZ_V("ring_replaced"),
                       BZ_V("the ring file was older than the log (power cut); records that were "
                            "not durable then are gone, none of them was confirmed"));
}

static void say_ready(const struct auditd *a) {
    if (a->ready_fd < 0)
        return;
    if (write(a->ready_fd, "1\n", 2) != 2)
        fprintf(stderr, "bartizan-auditd: --ready-fd: %s\n", strerror(errno));
    close(a->ready_fd);
}

/* ---- life ---- */

static int serve(struct auditd *a, uint64_t next) {
    uint8_t fresh[16];
    bz_random(fresh, sizeof fresh);
    enum bz_status st = bz_writer_init(&a->writer, &bz_io_real, a->audit_dir, a->run_dir, a->ring,
                                       a->ring_n, &a->scan, next, fresh);
    if (st == BZ_OK)
        st = bz_sealer_init(&a->sealer, &bz_io_real, a->audit_dir);
    if (st == BZ_OK)
        st = bz_sealer_start(&a->sealer);
    if (st != BZ_OK)
        return fail("start", bz_status_text(st));
    if (a->scan.any)
        bz_sealer_tell(&a->sealer, next, a->scan.last_segment);
    note_start(a, next);
    note_ring(a);
    say_ready(a);
    st = bz_writer_run(&a->writer, &a->sealer, &stop);
    if (st == BZ_OK) {
        bz_writer_note(&a->writer, BZ_V("writer_stopped"), BZ_V("asked to stop"));
        st = bz_writer_commit(&a->writer);
        bz_sealer_tell(&a->sealer, a->writer.first, a->writer.seg.last);
    }
    enum bz_status sealed = bz_sealer_stop(&a->sealer);
    struct bz_ring_head *h = a->ring;
    atomic_store(&h->writer_state, 0);
    if (st == BZ_ECORRUPT)
        return fail("journal", "a record that was flushed cannot be read back");
    if (st != BZ_OK)
        return fail("stopped while storage failed",
                    "records that are not durable stay in the ring");
    if (sealed != BZ_OK)
        return fail("checkpoint", "could not be written; the journal keeps the records");
    return 0;
}

int main(int argc, char **argv) {
    static struct auditd a; /* 100 KiB of tree and lanes */
    uint64_t next = 0;
    int rc = parse_args(&a, argc, argv);
    if (rc == 0)
        rc = harden();
    if (rc == 0 && bz_crypto_init() != BZ_OK)
        rc = fail("cryptography", "cannot be initialised");
    if (rc == 0)
        rc = open_dirs(&a);
    if (rc == 0)
        rc = read_key(&a);
    if (rc == 0)
        rc = find_origin(&a);
    if (rc == 0)
        rc = map_ring(&a);
    if (rc == 0)
        rc = recover(&a, &next);
    if (rc == 0)
        rc = serve(&a, next);
    bz_secret_free(&a.key);
    return rc;
}
