/* Sealing to the TPM 2.0 of this machine, by the programs of tpm2-tools: libtss2-esys would put its parsers of
 * the TPM's answers into this process. Secrets go through pipes only. */
#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_TEXT = 64, OUTPUT_MAX = 4096 };

struct tpm {
    char dir[PATH_TEXT]; /* contexts and sealed parts; none of them is a secret */
    struct bz_buf *why;
};

/* ---- programs ---- */

static void child(const char *const *argv, int in, int out) {
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(in >= 0 ? in : null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0)
        _exit(127);
    union {
        const char *const *in;
        char *const *out;
    } u = {.in = argv}; /* execvp does not write to the strings */
    (void)execvp(argv[0], u.out);
    _exit(127);
}

static void read_all(int fd, struct bz_buf *out) {
    uint8_t block[512];
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0)
            bz_buf_put(out, bz_view(block, (size_t)n));
    }
    bz_wipe(block, sizeof block);
}

static enum bz_status outcome(const struct tpm *t, const char *program, int ws) {
    if (WIFEXITED(ws) && WEXITSTATUS(ws) == 0)
        return BZ_OK;
    if (WIFEXITED(ws) && WEXITSTATUS(ws) == 127)
        bz_buf_printf(t->why, "%s cannot be run; install tpm2-tools", program);
    else
        bz_buf_printf(
            t->why,
            "%s failed: is there a TPM 2.0 (/dev/tpmrm0), may this user open it, and is it the one "
            "of this instance?",
            program);
    return BZ_EUNAVAIL;
}

/* stdin gets `in` (at most what a pipe holds), stdout goes to `out`. */
static enum bz_status run(const struct tpm *t, const char *const *argv, struct bz_view in,
                          struct bz_buf *out) {
    int to[2], from[2], ws = 0;
    if (pipe2(to, O_CLOEXEC) != 0)
        return BZ_EIO;
    if (pipe2(from, O_CLOEXEC) != 0) {
        (void)close(to[0]);
        (void)close(to[1]);
        return BZ_EIO;
    }
    pid_t pid = fork();
    if (pid == 0)
        child(argv, in.n > 0 ? to[0] : -1, from[1]);
    (void)close(to[0]);
    (void)close(from[1]);
    bool sent = pid > 0 && (in.n == 0 || write(to[1], in.p, in.n) == (ssize_t)in.n);
    (void)close(to[1]);
    if (pid > 0)
        read_all(from[0], out);
    (void)close(from[0]);
    while (pid > 0 && waitpid(pid, &ws, 0) < 0) {
        if (errno != EINTR)
            return BZ_EIO;
    }
    if (!sent)
        return BZ_EIO;
    BZ_TRY(outcome(t, argv[0], ws));
    return bz_buf_status(out);
}

/* A TPM holds three objects at a time. The kernel's resource manager (/dev/tpmrm0) forgets those of a program
 * that ended; where there is none, they are dropped by hand. */
static void flush(void) {
    static const char *const argv[] = {"tpm2_flushcontext", "-Q", "-t", NULL};
    struct bz_buf out, ignored;
    const struct tpm quiet = {.why = &ignored};
    bz_buf_init(&out, OUTPUT_MAX);
    bz_buf_init(&ignored, OUTPUT_MAX);
    (void)!run(&quiet, argv, bz_view(NULL, 0), &out);
    bz_buf_free(&out);
    bz_buf_free(&ignored);
}

static enum bz_status run_quiet(const struct tpm *t, const char *const *argv, struct bz_view in) {
    struct bz_buf out;
    bz_buf_init(&out, OUTPUT_MAX);
    enum bz_status st = run(t, argv, in, &out);
    bz_buf_free(&out);
    flush();
    return st;
}

/* ---- files between the programs ---- */

static const char *path(const struct tpm *t, const char *name, char out[2 * PATH_TEXT]) {
    (void)snprintf(out, 2 * PATH_TEXT, "%s/%s", t->dir, name);
    return out;
}

static enum bz_status begin(struct tpm *t, struct bz_buf *why) {
    char mem[2 * PATH_TEXT];
    (void)snprintf(t->dir, sizeof t->dir, "/tmp/bartizan-tpm-XXXXXX");
    t->why = why;
    if (mkdtemp(t->dir) == NULL) {
        t->dir[0] = '\0';
        bz_buf_printf(why, "/tmp cannot be written: %s", strerror(errno));
        return BZ_EIO;
    }
    /* The same key each time: it follows from the TPM's own seed. */
    const char *const primary[] = {"tpm2_createprimary",    "-Q", "-C", "o", "-G", "ecc", "-c",
                                   path(t, "primary", mem), NULL};
    return run_quiet(t, primary, bz_view(NULL, 0));
}

static void finish(struct tpm *t) {
    if (t->dir[0] != '\0')
        bz_tree_remove(AT_FDCWD, t->dir);
}

/* ---- seal, unseal ---- */

static enum bz_status seal(struct tpm *t, const uint8_t key[BZ_KEY_LEN],
                           struct bz_tpm_sealed *ret) {
    char a[2 * PATH_TEXT], b[2 * PATH_TEXT], c[2 * PATH_TEXT];
    const char *const create[] = {"tpm2_create", "-Q",
                                  "-C",          path(t, "primary", a),
                                  "-i",          "-",
                                  "-u",          path(t, "public", b),
                                  "-r",          path(t, "private", c),
                                  NULL};
    BZ_TRY(run_quiet(t, create, bz_view(key, BZ_KEY_LEN)));
    BZ_TRY(bz_file_read(AT_FDCWD, b, &ret->pub));
    return bz_file_read(AT_FDCWD, c, &ret->priv);
}

enum bz_status bz_tpm_seal(const uint8_t key[BZ_KEY_LEN], struct bz_tpm_sealed *ret,
                           struct bz_buf *why) {
    struct tpm t;
    enum bz_status st = begin(&t, why);
    if (st == BZ_OK)
        st = seal(&t, key, ret);
    finish(&t);
    return st;
}

static enum bz_status unseal(struct tpm *t, struct bz_view pub, struct bz_view priv,
                             struct bz_buf *out) {
    char a[2 * PATH_TEXT], b[2 * PATH_TEXT], c[2 * PATH_TEXT], d[2 * PATH_TEXT];
    BZ_TRY(bz_file_create(AT_FDCWD, path(t, "public", b), pub, 0600));
    BZ_TRY(bz_file_create(AT_FDCWD, path(t, "private", c), priv, 0600));
    const char *const load[] = {"tpm2_load", "-Q", "-C", path(t, "primary", a), "-u", b,
                                "-r",        c,    "-c", path(t, "key", d),     NULL};
    const char *const get[] = {"tpm2_unseal", "-Q", "-c", d, NULL};
    BZ_TRY(run_quiet(t, load, bz_view(NULL, 0)));
    return run(t, get, bz_view(NULL, 0), out);
}

enum bz_status bz_tpm_unseal(struct bz_view pub, struct bz_view priv, uint8_t out[BZ_KEY_LEN],
                             struct bz_buf *why) {
    struct tpm t;
    uint8_t mem[BZ_KEY_LEN + 1];
    struct bz_buf got;
    bz_buf_init_fixed(&got, mem, sizeof mem);
    enum bz_status st = begin(&t, why);
    if (st == BZ_OK)
        st = unseal(&t, pub, priv, &got);
    flush();
    if (st == BZ_OK && got.n != BZ_KEY_LEN)
        st = BZ_ECORRUPT;
    if (st == BZ_OK)
        memcpy(out, mem, BZ_KEY_LEN);
    bz_wipe(mem, sizeof mem);
    finish(&t);
    return st;
}
