#include "secret_input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "opts.h"

enum { CREDENTIAL_NEW = 32, CTRL_C = 3 };

/* ---- terminal ---- */

static bool read_line(int fd, struct bz_buf *out) {
    uint8_t c;
    ssize_t n;
    while ((n = read(fd, &c, 1)) == 1 && c != '\n' && c != CTRL_C)
        bz_buf_putc(out, c);
    bool whole = n == 1 && c == '\n';
    bz_wipe(&c, 1);
    return whole && bz_buf_status(out) == BZ_OK;
}

static bool ask(int tty, const char *prompt, struct bz_buf *out) {
    struct termios was, quiet;
    if (tcgetattr(tty, &was) != 0)
        return false;
    quiet = was;
    /* Ctrl-C comes as a byte that ends the line: a signal would leave the terminal without echo. */
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL | ISIG);
    quiet.c_cc[VEOL] = CTRL_C;
    if (tcsetattr(tty, TCSAFLUSH, &quiet) != 0)
        return false;
    (void)!write(tty, prompt, strlen(prompt)); /* after it: what is typed now is not shown, nor lost */
    bool ok = read_line(tty, out);
    (void)tcsetattr(tty, TCSAFLUSH, &was);
    (void)!write(tty, "\n", 1);
    return ok;
}

static bool ask_twice(int tty, struct bz_buf *out) {
    struct bz_buf again;
    bz_buf_init(&again, BZ_MASTER_SECRET_MAX);
    bool ok =
        ask(tty, "New passphrase of the master key: ", out) && ask(tty, "Once more: ", &again);
    bool same = ok && bz_ct_equal(bz_buf_view(out), bz_buf_view(&again));
    if (ok && !same)
        bz_say("the two differ");
    bz_buf_wipe_free(&again);
    return same;
}

static bool from_terminal(bool twice, struct bz_buf *out) {
    BZ_FD tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (tty < 0) {
        bz_say(
            "the master key needs a passphrase and there is no terminal to ask: name a file with "
            "--passphrase-file, or give the systemd credential %s",
            BZ_MASTER_PASSPHRASE);
        return false;
    }
    return twice ? ask_twice(tty, out) : ask(tty, "Passphrase of the master key: ", out);
}

/* ---- files and credentials ---- */

static bool from_file(const char *file, struct bz_buf *out) {
    if (bz_file_read(AT_FDCWD, file, out) == BZ_OK)
        return true;
    bz_say("%s: %s", bz_safe(file), strerror(errno));
    return false;
}

static bool new_credential(const char *file, struct bz_buf *out) {
    uint8_t *room = bz_buf_room(out, CREDENTIAL_NEW);
    if (room == NULL)
        return false;
    bz_random(room, CREDENTIAL_NEW);
    if (bz_file_create(AT_FDCWD, file, bz_buf_view(out), 0600) == BZ_OK)
        return true;
    bz_say("%s: %s", bz_safe(file), strerror(errno));
    return false;
}

static bool credential(const struct bz_secret_input *in, struct bz_buf *out) {
    if (in->file != NULL) {
        bool there = access(in->file, F_OK) == 0;
        return there || !in->fresh ? from_file(in->file, out) : new_credential(in->file, out);
    }
    if (bz_master_credential(BZ_MASTER_CREDENTIAL, out) == BZ_OK)
        return true;
    bz_say("the master key needs the systemd credential %s ($CREDENTIALS_DIRECTORY), or its file "
           "with --credential-file",
           BZ_MASTER_CREDENTIAL);
    return false;
}

static bool passphrase(const struct bz_secret_input *in, struct bz_buf *out) {
    if (in->file != NULL)
        return from_file(in->file, out);
    if (bz_master_credential(BZ_MASTER_PASSPHRASE, out) == BZ_OK)
        return true;
    return from_terminal(in->fresh, out);
}

bool bz_secret_input(enum bz_master_source s, const struct bz_secret_input *in,
                     struct bz_buf *out) {
    switch (s) {
    case BZ_MASTER_BY_PASSPHRASE:
        return passphrase(in, out);
    case BZ_MASTER_BY_CREDENTIAL:
        return credential(in, out);
    case BZ_MASTER_FILE:
    case BZ_MASTER_BY_TPM:
    case BZ_MASTER_COUNT:
        break;
    }
    return true;
}

/* ---- the master key ---- */

void bz_master_say(enum bz_status st, const struct bz_buf *why) {
    if (why->n > 0)
        bz_say("%.*s", (int)why->n, (const char *)why->p);
    else if (st == BZ_EDENIED)
        bz_say("that does not open the master key");
    else if (st == BZ_ECORRUPT)
        bz_say("%s is damaged", BZ_F_MASTER_SEALED);
    else
        bz_say("the master key: %s (%s)", bz_status_text(st), strerror(errno));
}

static enum bz_status read_master(const struct bz_instance *in, const struct bz_secret_input *from,
                                  struct bz_secret *ret, bool *said) {
    enum bz_master_source s;
    struct bz_buf secret, why;
    BZ_TRY(bz_master_source(in->fd, &s));
    BZ_TRY(bz_secret_new(BZ_KEY_LEN, ret));
    bz_buf_init(&secret, BZ_MASTER_SECRET_MAX);
    bz_buf_init(&why, 4096);
    enum bz_status st = BZ_EINVAL;
    *said = !bz_secret_input(s, from, &secret);
    if (!*said)
        st = bz_master_read(in->fd, bz_buf_view(&secret), ret->p, &why);
    if (!*said && st != BZ_OK) {
        bz_master_say(st, &why);
        *said = true;
    }
    bz_buf_wipe_free(&secret);
    bz_buf_free(&why);
    return st;
}

bool bz_master_input(const struct bz_instance *in, const struct bz_secret_input *from,
                     struct bz_secret *ret) {
    const struct bz_buf none = {.n = 0};
    bool said = false;
    enum bz_status st = read_master(in, from, ret, &said);
    if (st != BZ_OK && !said)
        bz_master_say(st, &none);
    return st == BZ_OK;
}
