/* bartizan backup key, and reading what it wrote. */
#include "cmd_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bartizan/json.h>

#include "commands.h"
#include "secret_input.h"

enum { KEY_FILE_MAX = 16 * 1024 };

/* ---- key files: lines "name: value", '#' begins a comment ---- */

static struct bz_view trimmed(struct bz_view v) {
    while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t'))
        v = bz_view_sub(v, 1, v.n);
    while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t' || v.p[v.n - 1] == '\r'))
        v.n--;
    return v;
}

/* The next line that says something. */
static bool next_line(struct bz_view *rest, struct bz_view *ret_name, struct bz_view *ret_value) {
    while (rest->n > 0) {
        const uint8_t *nl = memchr(rest->p, '\n', rest->n);
        size_t n = nl == NULL ? rest->n : (size_t)(nl - rest->p);
        struct bz_view line = trimmed(bz_view_sub(*rest, 0, n));
        *rest = bz_view_sub(*rest, n + (nl != NULL), rest->n);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        const uint8_t *colon = memchr(line.p, ':', line.n);
        size_t k = colon == NULL ? line.n : (size_t)(colon - line.p);
        *ret_name = trimmed(bz_view_sub(line, 0, k));
        *ret_value = trimmed(bz_view_sub(line, k + 1, line.n));
        return true;
    }
    return false;
}

static bool read_key_file(const char *path, struct bz_buf *out) {
    struct stat s;
    enum bz_status st = bz_file_read(AT_FDCWD, path, out);
    if (st != BZ_OK) {
        bz_say("%s: %s", bz_safe(path), st == BZ_ETOOBIG ? "too long for a key" : strerror(errno));
        return false;
    }
    if (stat(path, &s) == 0 && (s.st_mode & 077) != 0)
        bz_say("warning: %s can be read by others (mode %03o); 'chmod 600' it", bz_safe(path),
               (unsigned)(s.st_mode & 0777));
    return true;
}

static bool parsed(enum bz_status st, const char *what, const char *where) {
    if (st == BZ_OK)
        return true;
    bz_say("%s: the %s is %s", bz_safe(where), what,
           st == BZ_ECORRUPT ? "mistyped: its checksum does not match" : "no such key");
    return false;
}

static bool add_signer(struct bz_backup_trust *t, struct bz_view text, const char *where) {
    if (t->signers_n >= BZ_SIGNERS_MAX) {
        bz_say("%s: more than %d signers", bz_safe(where), BZ_SIGNERS_MAX);
        return false;
    }
    return parsed(bz_backup_key_parse(text, BZ_BACKUP_SIGNER, t->signer[t->signers_n++]), "signer",
                  where);
}

static bool take_lines(const char *path, struct bz_view rest, struct bz_backup_trust *t) {
    struct bz_view name, value;
    while (next_line(&rest, &name, &value)) {
        if (bz_view_eq(name, BZ_V("signer"))) {
            if (!add_signer(t, value, path))
                return false;
        } else if (bz_view_eq(name, BZ_V("secret")) && !t->has_secret) {
            if (!parsed(bz_backup_key_parse(value, BZ_BACKUP_SECRET, t->secret), "secret key",
                        path))
                return false;
            t->has_secret = true;
        } else if (!bz_view_eq(name, BZ_V("recipient"))) {
            bz_say("%s: no key file of 'bartizan backup key'", bz_safe(path));
            return false;
        }
    }
    if (!t->has_secret)
        bz_say("%s: there is no secret key in it", bz_safe(path));
    return t->has_secret;
}

bool bz_backup_trust(const char *key_file, const struct bz_opt_many *signers,
                     struct bz_backup_trust *ret) {
    *ret = (struct bz_backup_trust){0};
    bool ok = true;
    if (key_file != NULL) {
        struct bz_buf b;
        bz_buf_init(&b, KEY_FILE_MAX);
        ok = read_key_file(key_file, &b) && take_lines(key_file, bz_buf_view(&b), ret);
        bz_buf_wipe_free(&b);
    }
    for (size_t i = 0; ok && i < signers->n; i++)
        ok = add_signer(ret, bz_view_str(signers->v[i]), "--signer");
    return ok;
}

bool bz_backup_recipient_read(const char *text, uint8_t ret[BZ_BOX_LEN]) {
    struct bz_view name, value, rest = bz_view_str(text);
    if (strncmp(text, "bzr1", 4) == 0 && strchr(text, '/') == NULL)
        return parsed(bz_backup_key_parse(rest, BZ_BACKUP_RECIPIENT, ret), "recipient", text);
    struct bz_buf b;
    bz_buf_init(&b, KEY_FILE_MAX);
    enum bz_status st = bz_file_read(AT_FDCWD, text, &b);
    bool ok = false;
    if (st != BZ_OK)
        bz_say("--to %s: neither a recipient (bzr1...) nor a readable file", bz_safe(text));
    rest = bz_buf_view(&b);
    bool found = false;
    while (st == BZ_OK && !found && next_line(&rest, &name, &value))
        found = bz_view_eq(name, BZ_V("recipient"));
    if (found)
        ok = parsed(bz_backup_key_parse(value, BZ_BACKUP_RECIPIENT, ret), "recipient", text);
    else if (st == BZ_OK)
        bz_say("--to %s: there is no line 'recipient: bzr1...' in it", bz_safe(text));
    bz_buf_wipe_free(&b);
    return ok;
}

bool bz_backup_own(const struct bz_instance *in, const char *secret_file,
                   struct bz_backup_own *ret) {
    const struct bz_secret_input from = {.file = secret_file};
    struct bz_secret master = {0};
    struct bz_instance_keys keys;
    bool ok = bz_master_input(in, &from, &master);
    if (ok) {
        memcpy(ret->master, master.p, BZ_KEY_LEN);
        bz_backup_keys(master.p, &ret->keys);
        bz_instance_derive(master.p, &keys);
        memcpy(ret->instance_id, keys.instance_id, 8);
        bz_wipe(&keys, sizeof keys);
    }
    bz_secret_free(&master);
    return ok;
}

/* ---- bartizan backup key ---- */

struct made {
    char recipient[BZ_BACKUP_KEY_TEXT + 1], secret[BZ_BACKUP_KEY_TEXT + 1];
    char signer[BZ_BACKUP_KEY_TEXT + 1]; /* empty: no instance was named */
};

static bool write_key(const char *path, const struct made *m) {
    struct bz_buf b;
    bz_buf_init(&b, KEY_FILE_MAX);
    bz_buf_printf(
        &b,
        "# Key for Bartizan backups. Whoever has this file can read every backup made for\n"
        "# the recipient below, the instance's own keys included. Keep it away from the\n"
        "# machine that is backed up, in two places.\n"
        "recipient: %s\nsecret: %s\n",
        m->recipient, m->secret);
    if (m->signer[0] != '\0')
        bz_buf_printf(&b, "# Only archives signed by this instance are accepted.\nsigner: %s\n",
                      m->signer);
    enum bz_status st = bz_buf_status(&b);
    if (st == BZ_OK)
        st = bz_file_create(AT_FDCWD, path, bz_buf_view(&b), 0600);
    if (st != BZ_OK)
        bz_say("%s: %s", bz_safe(path),
               st == BZ_EEXISTS ? "exists already and is left alone" : strerror(errno));
    bz_buf_wipe_free(&b);
    return st == BZ_OK;
}

static bool signer_of(const char *dir, const char *secret_file, char out[BZ_BACKUP_KEY_TEXT + 1]) {
    struct bz_instance in;
    struct bz_backup_own own;
    if (!bz_cli_open(dir, &in))
        return false;
    bool ok = bz_backup_own(&in, secret_file, &own);
    if (ok)
        bz_backup_key_text(BZ_BACKUP_SIGNER, own.keys.sign_pub, out);
    bz_wipe(&own, sizeof own);
    bz_instance_close(&in);
    return ok;
}

static int show(const char *path, const struct made *m, bool json) {
    if (!json) {
        (void)printf("secret key  ");
        bz_print_safe(stdout, bz_view_str(path));
        (void)printf("\nrecipient   %s\n", m->recipient);
        if (m->signer[0] != '\0')
            (void)printf("signer      %s\n", m->signer);
        (void)printf(
            "\nMove the file off this machine, and keep it in two places. Backups are made "
            "with:\n  bartizan backup create DIR --to %s --out FILE\n",
            m->recipient);
        return fflush(stdout) == 0 ? BZ_EXIT_OK : BZ_EXIT_FAILURE;
    }
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, 16384);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "file", bz_view_str(path));
    bz_jw_kstr(&w, "recipient", bz_view_str(m->recipient));
    if (m->signer[0] != '\0')
        bz_jw_kstr(&w, "signer", bz_view_str(m->signer));
    return bz_report_end(&w, &b, BZ_EXIT_OK);
}

int bz_backup_key(int argc, char **argv) {
    const char *out = NULL, *instance = NULL, *secret_file = NULL;
    bool json = false, help = false;
    const struct bz_opt list[] = {
        {"out", BZ_OPT_TEXT, &out, "FILE", "where the secret key goes; mode 0600"},
        {"instance", BZ_OPT_TEXT, &instance, "DIR",
         "accept only this instance's archives with the key"},
        {"passphrase-file", BZ_OPT_TEXT, &secret_file, "FILE",
         "passphrase or credential of that instance's master key, instead of asking"},
        {"json", BZ_OPT_FLAG, &json, NULL, "one JSON object"},
    };
    const struct bz_opts o = {
        "bartizan backup key --out FILE [--instance DIR] [--json]",
        "Makes a pair of keys: the secret one goes into FILE, the public one, "
        "the recipient, is printed.",
        list,
        sizeof list / sizeof list[0],
        NULL,
        0,
        0};
    size_t n;
    if (bz_opts_parse(&o, argc, argv, NULL, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (out == NULL) {
        bz_say("--out FILE is missing (usage: %s)", o.usage);
        return BZ_EXIT_FAILURE;
    }
    struct made m = {0};
    bz_backup_catch();
    uint8_t pub[BZ_BOX_LEN], sec[BZ_BOX_LEN];
    if (instance != NULL && !signer_of(instance, secret_file, m.signer))
        return BZ_EXIT_FAILURE;
    bz_box_keypair(pub, sec);
    bz_backup_key_text(BZ_BACKUP_RECIPIENT, pub, m.recipient);
    bz_backup_key_text(BZ_BACKUP_SECRET, sec, m.secret);
    bool ok = write_key(out, &m);
    bz_wipe(sec, sizeof sec);
    bz_wipe(m.secret, sizeof m.secret);
    return ok ? show(out, &m, json) : BZ_EXIT_FAILURE;
}
