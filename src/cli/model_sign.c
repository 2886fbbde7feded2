/* bartizan model sign: an OpenSSF Model Signing v1 bundle with a key or a certificate, or a minisign signature. */
#include "cmd_model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_MAX = 1 << 20, ARENA_MAX = 1 << 30 };

struct order {
    const char *path, *key, *cert, *signature, *passphrase_file, *hash, *shard, *comment;
    struct bz_opt_many ignore;
    bool links, json;
    char place[BZ_DIR_PATH_MAX];
};

struct done {
    uint8_t root[BZ_HASH_LEN];
    size_t files;
    uint64_t bytes;
    bool minisign;
};

/* ---- OpenSSF Model Signing ---- */

static bool read_options(const struct order *o, struct bz_statement *s) {
    uint64_t shard = 0;
    if (o->hash != NULL && strcmp(o->hash, "sha256") != 0 && strcmp(o->hash, "blake2b") != 0) {
        bz_say("--hash '%s' is neither sha256 nor blake2b", bz_safe(o->hash));
        return false;
    }
    s->hash =
        o->hash != NULL && strcmp(o->hash, "blake2b") == 0 ? BZ_MODEL_BLAKE2B : BZ_MODEL_SHA256;
    if (o->shard != NULL &&
        (bz_view_u64(bz_view_str(o->shard), &shard) != BZ_OK || shard == 0 || shard > 1ull << 53)) {
        bz_say("--shard-size '%s' is no number of bytes", bz_safe(o->shard));
        return false;
    }
    s->shard_size = shard;
    s->allow_symlinks = o->links;
    return true;
}

/* Name of the model: the last component of its path. */
static const char *name_of(const char *path, char out[BZ_DIR_PATH_MAX]) {
    char *real = realpath(path, NULL);
    const char *slash = real == NULL ? NULL : strrchr(real, '/');
    (void)snprintf(out, BZ_DIR_PATH_MAX, "%s", slash == NULL ? "model" : slash + 1);
    free(real);
    return out;
}

static enum bz_status state(const struct order *o, struct bz_statement *s, struct bz_buf *payload,
                            struct done *ret) {
    char name[BZ_DIR_PATH_MAX];
    struct bz_model_ignore *g = bz_model_ignore_new(o->path, o->place, &o->ignore);
    if (g == NULL)
        return BZ_ENOMEM;
    struct bz_tree_options to = {.allow_symlinks = o->links,
                                 .progress = bz_model_progress,
                                 .progress_ctx = (void *)(uintptr_t) "hashing"};
    struct bz_tree t;
    const struct bz_model_item *items = NULL;
    to.ignore_n = g->n;
    to.ignore = g->v;
    s->ignore = g->v;
    s->ignore_n = to.ignore_n;
    s->subject = bz_view_str(name_of(o->path, name));
    enum bz_status st = bz_tree_open(o->path, &to, &t);
    if (st == BZ_OK && t.single)
        s->ignore_n = 0;
    if (st == BZ_OK)
        st = bz_tree_hash(&t, &to, s->hash, s->shard_size, &items, &s->items_n);
    if (st == BZ_OK)
        st = bz_statement_write(s, (struct bz_model_item *)(uintptr_t)items, payload);
    if (st != BZ_OK)
        bz_say("%s: %s", bz_safe(o->path),
               st == BZ_ELIMIT    ? "stopped"
               : t.why[0] != '\0' ? t.why
                                  : bz_status_text(st));
    ret->files = t.files_n;
    ret->bytes = t.bytes;
    memcpy(ret->root, s->root, sizeof ret->root);
    bz_tree_close(&t);
    s->ignore = NULL;
    s->ignore_n = 0;
    free(g);
    return st;
}

static struct bz_sig_key *load_key(const struct order *o) {
    struct bz_buf pem, pass;
    struct bz_sig_key *k = NULL;
    bz_buf_init(&pem, KEY_MAX);
    bz_buf_init(&pass, 1024);
    enum bz_status st = BZ_EINTERNAL;
    if (strncmp(o->key, "pkcs11:", 7) == 0)
        st = bz_sig_key_uri(o->key, &k);
    else if (bz_model_text(o->key, &pem) && bz_model_passphrase(o->passphrase_file, &pass))
        st = bz_sig_key_pem(bz_buf_view(&pem), bz_buf_view(&pass), &k);
    if (st == BZ_EDENIED)
        bz_say("%s: the key is encrypted, and %s", bz_safe(o->key),
               o->passphrase_file == NULL ? "no --passphrase-file was given"
                                          : "the passphrase does not open it");
    else if (st == BZ_ENOTFOUND)
        bz_say("%s: no such key, or no PKCS #11 provider is set up in OpenSSL", bz_safe(o->key));
    else if (st == BZ_EINVAL)
        bz_say("%s: no private key of P-256, P-384 or P-521 in PEM", bz_safe(o->key));
    else if (st != BZ_OK && st != BZ_EINTERNAL)
        bz_say("%s: %s", bz_safe(o->key), bz_status_text(st));
    bz_buf_wipe_free(&pem);
    bz_buf_wipe_free(&pass);
    return k;
}

static bool write_out(const struct order *o, struct bz_view text) {
    if (bz_file_write(AT_FDCWD, o->place, text, 0644, BZ_FILE_SYNC) == BZ_OK)
        return true;
    bz_say("%s: %s", bz_safe(o->place), strerror(errno));
    return false;
}

static bool sign_bundle(const struct order *o, struct done *ret) {
    struct bz_statement s = {.shard_size = 0};
    struct bz_buf payload, chain, out;
    struct bz_diag diag = {0, NULL};
    bz_buf_init(&payload, BZ_SIGNATURE_MAX / 2);
    bz_buf_init(&chain, KEY_MAX);
    bz_buf_init(&out, BZ_SIGNATURE_MAX);
    struct bz_sig_key *k = read_options(o, &s) ? load_key(o) : NULL;
    bool ok = k != NULL && (o->cert == NULL || bz_model_text(o->cert, &chain)) &&
              state(o, &s, &payload, ret) == BZ_OK;
    if (ok) {
        enum bz_status st =
            bz_bundle_sign(bz_buf_view(&payload), k, bz_buf_view(&chain), &out, &diag);
        ok = st == BZ_OK;
        if (!ok)
            bz_say("%s", diag.why == NULL ? bz_status_text(st) : diag.why);
    }
    ok = ok && write_out(o, bz_buf_view(&out));
    bz_sig_key_free(k);
    bz_buf_free(&payload);
    bz_buf_free(&chain);
    bz_buf_free(&out);
    return ok;
}

/* ---- minisign ---- */

static bool load_minisign(const struct order *o, struct bz_view text,
                          struct bz_minisign_secret *ret) {
    struct bz_buf pass;
    bz_buf_init(&pass, 1024);
    enum bz_status st = BZ_EINTERNAL;
    if (bz_model_passphrase(o->passphrase_file, &pass))
        st = bz_minisign_secret(text, bz_buf_view(&pass), ret);
    bz_buf_wipe_free(&pass);
    if (st == BZ_EDENIED)
        bz_say("%s: %s", bz_safe(o->key),
               o->passphrase_file == NULL ? "the key is encrypted: give --passphrase-file"
                                          : "the passphrase does not open it");
    else if (st != BZ_OK && st != BZ_EINTERNAL)
        bz_say("%s: no minisign secret key", bz_safe(o->key));
    return st == BZ_OK;
}

static bool hash_file(const char *path, uint8_t out[64], uint64_t *ret_n) {
    struct stat s;
    BZ_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) &&
        bz_fd_hash(fd, BZ_MODEL_BLAKE2B, 0, UINT64_MAX, out, ret_n) == BZ_OK)
        return true;
    bz_say("%s: %s", bz_safe(path), fd < 0 ? strerror(errno) : "minisign signs single files");
    return false;
}

static bool sign_minisign(const struct order *o, struct bz_view key, struct done *ret) {
    struct bz_minisign_secret k;
    struct bz_buf out;
    char comment[300], name[BZ_DIR_PATH_MAX];
    uint8_t hash[64];
    bz_buf_init(&out, BZ_MINISIGN_TEXT_MAX);
    if (!load_minisign(o, key, &k))
        return false;
    (void)snprintf(comment, sizeof comment, "timestamp:%llu\tfile:%.200s\thashed",
                   (unsigned long long)(bz_clock_unix() / 1000000000u), name_of(o->path, name));
    const char *text = o->comment != NULL ? o->comment : comment;
    bool ok = hash_file(o->path, hash, &ret->bytes);
    if (ok && bz_minisign_sign(&k, hash, bz_view_str(text), &out) != BZ_OK) {
        bz_say("--comment must be one line of at most 1,024 bytes");
        ok = false;
    }
    bz_wipe(&k, sizeof k);
    ok = ok && write_out(o, bz_buf_view(&out));
    bz_buf_free(&out);
    ret->minisign = true;
    ret->files = 1;
    return ok;
}

/* ---- the command ---- */

static int tell(const struct order *o, const struct done *d) {
    if (!o->json) {
        (void)printf("signed: ");
        bz_print_safe(stdout, bz_view_str(o->place));
        (void)printf(" (%zu files, %llu bytes)\n", d->files, (unsigned long long)d->bytes);
        return BZ_EXIT_OK;
    }
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, 1u << 20);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "path", bz_view_str(o->path));
    bz_jw_kstr(&w, "signature", bz_view_str(o->place));
    bz_jw_kstr(&w, "flow",
               bz_view_str(d->minisign       ? "minisign"
                           : o->cert != NULL ? "certificate"
                                             : "key"));
    if (!d->minisign)
        bz_jw_hex(&w, "root", d->root, sizeof d->root);
    bz_jw_ku64(&w, "files", d->files);
    bz_jw_ku64(&w, "bytes", d->bytes);
    return bz_report_end(&w, &b, BZ_EXIT_OK);
}

/* Where the signature goes: model.sig in a folder, .sig or .minisig beside a file. */
static bool place(struct order *o, bool minisign) {
    struct stat s;
    size_t n = strlen(o->path);
    while (n > 1 && o->path[n - 1] == '/')
        n--;
    if (stat(o->path, &s) != 0) {
        bz_say("%s: %s", bz_safe(o->path), strerror(errno));
        return false;
    }
    int got = o->signature != NULL ? snprintf(o->place, sizeof o->place, "%s", o->signature)
                                   : snprintf(o->place, sizeof o->place, "%.*s%s", (int)n, o->path,
                                              minisign             ? ".minisig"
                                              : S_ISDIR(s.st_mode) ? "/model.sig"
                                                                   : ".sig");
    if (got > 0 && (size_t)got < sizeof o->place)
        return true;
    bz_say("%s: the path is too long", bz_safe(o->path));
    return false;
}

static int run(struct order *o) {
    struct bz_buf key;
    struct done d = {.files = 0};
    bz_buf_init(&key, KEY_MAX);
    bool uri = strncmp(o->key, "pkcs11:", 7) == 0;
    bool ok = uri || bz_model_text(o->key, &key);
    bool minisign = ok && bz_view_starts(bz_buf_view(&key), BZ_V("untrusted comment:"));
    ok = ok && place(o, minisign);
    if (ok && minisign && o->cert != NULL) {
        bz_say("--cert does not go with a minisign key");
        ok = false;
    }
    ok = ok && (minisign ? sign_minisign(o, bz_buf_view(&key), &d) : sign_bundle(o, &d));
    bz_buf_wipe_free(&key);
    return ok ? tell(o, &d) : BZ_EXIT_FAILURE;
}

int bz_model_sign(int argc, char **argv) {
    struct order *o = calloc(1, sizeof *o);
    bool help = false;
    if (o == NULL)
        return BZ_EXIT_FAILURE;
    const struct bz_opt list[] = {
        {"key", BZ_OPT_TEXT, &o->key, "FILE|pkcs11:URI",
         "private key: EC P-256, P-384 or P-521 in PEM, or minisign's"},
        {"cert", BZ_OPT_TEXT, &o->cert, "FILE",
         "certificate of the key and its issuers, PEM, leaf first"},
        {"passphrase-file", BZ_OPT_TEXT, &o->passphrase_file, "FILE", "what opens the key"},
        {"signature", BZ_OPT_TEXT, &o->signature, "FILE",
         "where it goes (model.sig in the model, or .sig or .minisig beside it)"},
        {"hash", BZ_OPT_TEXT, &o->hash, "NAME", "sha256 (default) or blake2b"},
        {"shard-size", BZ_OPT_TEXT, &o->shard, "BYTES", "hash files in parts of this size"},
        {"ignore", BZ_OPT_MANY, &o->ignore, "PATH", "a path in the model that does not count"},
        {"allow-symlinks", BZ_OPT_FLAG, &o->links, NULL, "links count as what they lead to"},
        {"comment", BZ_OPT_TEXT, &o->comment, "TEXT", "trusted comment of a minisign signature"},
        {"json", BZ_OPT_FLAG, &o->json, NULL, "print one JSON object"},
    };
    static const char *const names[] = {"PATH"};
    const struct bz_opts opts = {
        "bartizan model sign PATH --key FILE [--cert FILE] [--signature FILE]",
        "Signs a model: OpenSSF Model Signing v1, or minisign where the key is minisign's.",
        list,
        sizeof list / sizeof list[0],
        names,
        1,
        1};
    size_t n = 0;
    int rc = BZ_EXIT_FAILURE;
    if (bz_opts_parse(&opts, argc, argv, &o->path, &n, &help) == BZ_OK) {
        bz_backup_catch();
        if (help)
            rc = BZ_EXIT_OK;
        else if (o->key == NULL)
            bz_say("--key is missing: what to sign with");
        else
            rc = run(o);
    }
    free(o);
    return rc;
}
