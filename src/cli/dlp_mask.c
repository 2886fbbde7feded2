/* bartizan dlp mask: a text with placeholders for what is found in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dlp.h"
#include "files.h"

enum { KEY_FILE_MIN = 16, KEY_FILE_MAX = 4096, OUT_MAX = 8 << 20 };

struct mask {
    struct bz_vault_scope scope;
    struct bz_buf out;
    bool form, json;
    uint64_t masked;
};

/* ---- keys ---- */

/* The same file gives the same placeholders; without one nobody can make them again. */
static bool make_scope(const char *key_file, struct bz_vault_scope *ret) {
    uint8_t key[BZ_KEY_LEN];
    struct bz_buf b;
    if (key_file == NULL) {
        bz_random(key, sizeof key);
    } else {
        bz_buf_init(&b, KEY_FILE_MAX);
        enum bz_status st = bz_file_read(AT_FDCWD, key_file, &b);
        if (st != BZ_OK || b.n < KEY_FILE_MIN) {
            bz_say("--key-file %s: %s", bz_safe(key_file),
                   st == BZ_ETOOBIG  ? "above 4096 bytes"
                   : st == BZ_EINVAL ? "is no regular file"
                   : st != BZ_OK     ? strerror(errno)
                                     : "needs 16 bytes or more; try 'openssl rand -hex 32'");
            bz_buf_wipe_free(&b);
            return false;
        }
        bz_sha256(bz_buf_view(&b), key);
        bz_buf_wipe_free(&b);
    }
    bz_vault_scope(key, BZ_V("dlp"), BZ_V("mask"), bz_view(NULL, 0), ret);
    bz_wipe(key, sizeof key);
    return true;
}

/* ---- writing ---- */

static void on_between(void *ctx, struct bz_view v) {
    struct mask *m = ctx;
    bz_buf_put(&m->out, v);
}

static void on_found(void *ctx, const struct bz_dlp_found *f) {
    struct mask *m = ctx;
    if (f->more) /* the placeholder of its beginning stands for all of it */
        return;
    m->masked++;
    bool bare = m->json && !f->quoted;
    if (bare)
        bz_buf_putc(&m->out, '"');
    /* A value of JSON may hold escapes, whose letters are no letters of the value's form. */
    if (!m->form || m->json || !bz_surrogate(&m->scope, f->value, 0, &m->out))
        bz_placeholder(&m->scope, bz_view_str(f->type->name), f->value, &m->out);
    if (bare)
        bz_buf_putc(&m->out, '"');
}

static bool write_out(struct mask *m) {
    const uint8_t *p = m->out.p;
    size_t n = bz_buf_status(&m->out) == BZ_OK ? m->out.n : 0;
    bool ok = bz_buf_status(&m->out) == BZ_OK;
    while (ok && n > 0) {
        ssize_t k = write(STDOUT_FILENO, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        ok = k > 0;
        p += ok ? k : 0;
        n -= ok ? (size_t)k : 0;
    }
    m->out.n = 0;
    if (!ok)
        bz_say("standard output: %s", strerror(errno));
    return ok;
}

/* ---- reading ---- */

static ssize_t read_some(int fd, uint8_t *p, size_t n) {
    ssize_t k;
    do
        k = read(fd, p, n);
    while (k < 0 && errno == EINTR);
    return k;
}

static bool feed(struct mask *m, struct bz_dlp_text *t, struct bz_view v, bool last) {
    enum bz_status st = bz_dlp_text_feed(t, v, last);
    if (st != BZ_OK)
        bz_say("the rest is not masked and not written: %s", bz_status_text(st));
    return st == BZ_OK && write_out(m);
}

/* What is no text is refused before anything is written. Only so much is waited for as is needed to
 * tell: the input may be a pipe that somebody watches. */
static bool pump(struct mask *m, struct bz_dlp_text *t, int fd, uint8_t *piece) {
    size_t head = 0;
    ssize_t k = 1;
    while (head < 2 && (k = read_some(fd, piece + head, BZ_DLP_PIECE - head)) > 0)
        head += (size_t)k;
    struct bz_view v = bz_view(piece, head);
    if (k >= 0 && (!bz_dlp_is_text(v) || bz_dlp_is_wide(v))) {
        bz_say("this is no text in UTF-8 or a single-byte encoding; nothing was written");
        return false;
    }
    if (k == 0)
        return feed(m, t, v, true);
    while (k > 0) {
        if (!feed(m, t, v, false))
            return false;
        k = read_some(fd, piece, BZ_DLP_PIECE);
        v = bz_view(piece, k > 0 ? (size_t)k : 0);
    }
    if (k < 0) {
        bz_say("the rest could not be read: %s", strerror(errno));
        return false;
    }
    return feed(m, t, v, true);
}

static int mask_fd(struct mask *m, const struct bz_dlp_rules *rules, int fd) {
    struct bz_dlp_text t;
    uint8_t *piece = malloc(BZ_DLP_PIECE);
    if (piece == NULL) {
        bz_say("out of memory");
        return BZ_EXIT_FAILURE;
    }
    bz_dlp_text_init(&t, rules);
    bz_buf_init(&m->out, OUT_MAX);
    t.found = on_found;
    t.between = on_between;
    t.ctx = m;
    bool ok = pump(m, &t, fd, piece);
    if (ok && isatty(STDERR_FILENO))
        bz_say("%llu values masked", (unsigned long long)m->masked);
    bz_dlp_text_done(&t);
    bz_buf_wipe_free(&m->out);
    bz_wipe(piece, BZ_DLP_PIECE);
    free(piece);
    return ok ? BZ_EXIT_OK : BZ_EXIT_FAILURE;
}

/* ---- command ---- */

static int open_input(const char *file) {
    if (file == NULL || strcmp(file, "-") == 0)
        return dup(STDIN_FILENO);
    int fd = open(file, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    struct stat sb;
    if (fd >= 0 && (fstat(fd, &sb) != 0 || S_ISDIR(sb.st_mode))) {
        (void)close(fd);
        errno = EISDIR;
        return -1;
    }
    return fd;
}

static int run(const struct bz_dlp_options *o, const char *key_file, const char *file, bool form) {
    struct bz_dlp_rules rules = {.d = NULL};
    struct mask m = {.form = form};
    int rc = BZ_EXIT_FAILURE;
    BZ_FD fd = open_input(file);
    if (fd < 0)
        bz_say("%s: %s", file == NULL ? "-" : bz_safe(file), strerror(errno));
    else if (make_scope(key_file, &m.scope) && bz_dlp_rules_open(o, BZ_PROOF_FORM, &rules)) {
        m.json = rules.mode == BZ_TEXT_JSON;
        rc = mask_fd(&m, &rules, fd);
    }
    bz_dlp_rules_close(&rules);
    bz_wipe(&m.scope, sizeof m.scope);
    return rc;
}

int bz_dlp_mask(int argc, char **argv) {
    struct bz_dlp_options o = {0};
    const char *key_file = NULL, *file = NULL;
    bool form = false, help = false;
    static const char *const names[] = {"FILE"};
    struct bz_opt list[BZ_DLP_OPTIONS + 2] = {0};
    const struct bz_opt own[] = {
        {"key-file", BZ_OPT_TEXT, &key_file, "FILE", "the same values get the same placeholders"},
        {"form", BZ_OPT_FLAG, &form, NULL, "digits for digits, letters for letters"},
    };
    bz_dlp_option_rows(&o, list);
    memcpy(list + BZ_DLP_OPTIONS, own, sizeof own);
    const struct bz_opts opts = {
        "bartizan dlp mask [OPTION]... [FILE]",
        "Copies a file or standard input to standard output, with placeholders for secrets and\n"
        "personal data. All other bytes stay as they are. By default: all types, also where only "
        "the\n"
        "form tells (form).",
        list,
        sizeof list / sizeof list[0],
        names,
        0,
        1};
    size_t n = 0;
    if (bz_opts_parse(&opts, argc, argv, &file, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    return help ? BZ_EXIT_OK : run(&o, key_file, n > 0 ? file : NULL, form);
}
