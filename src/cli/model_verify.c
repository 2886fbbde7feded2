/* bartizan model verify: is this what its publisher signed? */
#include "cmd_model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ARENA_MAX = 1 << 30 };

/* ---- files ---- */

bool bz_model_text(const char *path, struct bz_buf *out) {
    enum bz_status st = bz_file_read(AT_FDCWD, path, out);
    if (st == BZ_OK)
        return true;
    bz_say("%s: %s", bz_safe(path), st == BZ_ETOOBIG ? "too big" : strerror(errno));
    return false;
}

bool bz_model_passphrase(const char *path, struct bz_buf *out) {
    if (path == NULL)
        return true;
    if (!bz_model_text(path, out))
        return false;
    for (size_t i = 0; i < out->n; i++) {
        if (out->p[i] == '\n') {
            out->n = i;
            break;
        }
    }
    return true;
}

bool bz_model_progress(void *ctx, uint64_t done, uint64_t total) {
    bz_backup_progress(ctx, done, total);
    return !bz_backup_stopped();
}

static bool exists(const char *path) {
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

static bool join(char out[BZ_DIR_PATH_MAX], const char *path, const char *end) {
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    int got = snprintf(out, BZ_DIR_PATH_MAX, "%.*s%s", (int)n, path, end);
    return got > 0 && got < BZ_DIR_PATH_MAX;
}

bool bz_model_signature_beside(const char *path, char out[BZ_DIR_PATH_MAX]) {
    static const char *const ends[] = {"/model.sig", ".sig", ".minisig"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (join(out, path, ends[i]) && exists(out))
            return true;
    }
    return false;
}

/* The signature's place in the model, if it lies there. */
static const char *inside(const char *path, const char *signature, char mem[BZ_DIR_PATH_MAX]) {
    char *model = realpath(path, NULL), *sig = NULL, *dir = strdup(signature);
    char *slash = dir == NULL ? NULL : strrchr(dir, '/');
    const char *name = slash == NULL ? signature : slash + 1, *ret = NULL;
    if (slash != NULL) /* the file itself need not be there yet */
        *(slash == dir ? slash + 1 : slash) = '\0';
    sig = dir == NULL ? NULL : realpath(slash == NULL ? "." : dir, NULL);
    size_t n = model == NULL ? 0 : strlen(model);
    if (n > 0 && sig != NULL && strncmp(sig, model, n) == 0 && (sig[n] == '/' || sig[n] == '\0')) {
        const char *rest = sig[n] == '/' ? sig + n + 1 : "";
        int got = snprintf(mem, BZ_DIR_PATH_MAX, "%s%s%s", rest, rest[0] == '\0' ? "" : "/", name);
        ret = got > 0 && got < BZ_DIR_PATH_MAX ? mem : NULL;
    }
    free(model);
    free(sig);
    free(dir);
    return ret;
}

struct bz_model_ignore *bz_model_ignore_new(const char *path, const char *signature,
                                            const struct bz_opt_many *more) {
    static const char *const git[] = {".git", ".gitattributes", ".github", ".gitignore"};
    struct bz_model_ignore *g = calloc(1, sizeof *g);
    if (g == NULL)
        return NULL;
    const char *own = inside(path, signature, g->own);
    for (size_t i = 0; i < 4; i++)
        g->v[g->n++] = bz_view_str(git[i]);
    if (own != NULL)
        g->v[g->n++] = bz_view_str(own);
    for (size_t i = 0; more != NULL && i < more->n; i++)
        g->v[g->n++] = bz_view_str(more->v[i]);
    return g;
}

/* ---- checking ---- */

static void refuse(struct bz_model_checked *c, const char *why) {
    (void)snprintf(c->why, sizeof c->why, "%s", why == NULL ? "it cannot be read" : why);
}

static void on_change(void *ctx, enum bz_model_change change, struct bz_view name) {
    struct bz_model_checked *c = ctx;
    char text[200];
    struct bz_buf b;
    bz_buf_init_fixed(&b, text, sizeof text - 1);
    bz_put_safe(&b, name);
    text[b.n] = '\0';
    bz_found_add(&c->changes, "%s: %s", bz_model_change_name(change), text);
}

static void on_change_signed(void *ctx, enum bz_model_change change, struct bz_view name) {
    if (change != BZ_MODEL_EXTRA) /* --ignore-unsigned */
        on_change(ctx, change, name);
    else
        ((struct bz_model_checked *)ctx)->changes_n--;
}

static bool ends(struct bz_view v, const char *end) {
    struct bz_view e = bz_view_str(end);
    return v.n >= e.n && bz_view_eq(bz_view_sub(v, v.n - e.n, e.n), e);
}

/* What a loader would take from a folder: leaving such a file out of a signature is worth a word. */
static bool loadable(struct bz_view name) {
    static const char *const list[] = {".gguf", ".safetensors", ".bin",   ".pt",   ".pth",   ".pkl",
                                       ".onnx", ".h5",          ".keras", ".npz",  ".py",    ".so",
                                       ".json", ".jinja",       ".model", ".ckpt", ".tflite"};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (ends(name, list[i]))
            return true;
    return false;
}

static void warn_left_out(struct bz_model_checked *c, const char *path, bool links,
                          const struct bz_view *own, size_t own_n) {
    const struct bz_statement *s = &c->sig.statement;
    const struct bz_tree_options o = {.allow_symlinks = links, .ignore = own, .ignore_n = own_n};
    struct bz_tree t;
    if (bz_tree_open(path, &o, &t) == BZ_OK) {
        for (size_t i = 0; i < t.files_n; i++) {
            char name[200];
            struct bz_buf b;
            bool covered = !bz_model_ignored(t.files[i].name, s->ignore, s->ignore_n);
            bool empty = s->shard_size > 0 && t.files[i].size == 0;
            if (covered && !empty)
                continue;
            if (!empty && !loadable(t.files[i].name))
                continue;
            bz_buf_init_fixed(&b, name, sizeof name - 1);
            bz_put_safe(&b, t.files[i].name);
            name[b.n] = '\0';
            bz_found_add(&c->warnings, "%s: not covered by the signature%s", name,
                         empty ? " (empty)" : ": its signer left it out");
        }
    }
    bz_tree_close(&t);
}

static size_t all_ignored(const struct bz_model_checked *c, const struct bz_view *own, size_t own_n,
                          struct bz_view **ret) {
    const struct bz_statement *s = &c->sig.statement;
    struct bz_view *v = calloc(own_n + s->ignore_n + 1, sizeof *v);
    if (v != NULL) {
        memcpy(v, own, own_n * sizeof *v);
        if (s->ignore_n > 0)
            memcpy(v + own_n, s->ignore, s->ignore_n * sizeof *v);
    }
    *ret = v;
    return v == NULL ? 0 : own_n + s->ignore_n;
}

/* The files against the statement. false: they cannot be read. */
static bool check_files(struct bz_model_checked *c, const char *path, const struct bz_view *own,
                        size_t own_n, bool links, bool ignore_unsigned) {
    const struct bz_statement *s = &c->sig.statement;
    struct bz_view *ignore = NULL;
    struct bz_tree_options o = {.allow_symlinks = links || s->allow_symlinks,
                                .progress = bz_model_progress,
                                .progress_ctx = (void *)(uintptr_t) "hashing"};
    struct bz_tree t;
    const struct bz_model_item *items = NULL;
    o.ignore_n = all_ignored(c, own, own_n, &ignore);
    o.ignore = ignore;
    enum bz_status st = bz_tree_open(path, &o, &t);
    if (st == BZ_OK)
        st = bz_tree_hash(&t, &o, s->hash, s->shard_size, &items, &c->files_n);
    if (st == BZ_OK) {
        c->bytes = t.bytes;
        c->changes_n = 0;
        size_t n = bz_statement_compare(s, items, c->files_n,
                                        ignore_unsigned ? on_change_signed : on_change, c);
        c->changes_n += n;
        c->good = c->changes_n == 0;
        if (!c->good)
            refuse(c, "the files are not those that were signed");
        warn_left_out(c, path, o.allow_symlinks, own, own_n);
    } else if (st == BZ_EINVAL) { /* a link, a device: the model is not what was signed */
        refuse(c, t.why);
    } else {
        bz_say("%s: %s", bz_safe(path), st == BZ_ELIMIT ? "stopped" : t.why);
    }
    bz_tree_close(&t);
    free(ignore);
    return st == BZ_OK || st == BZ_EINVAL;
}

static bool check_bundle(struct bz_model_checked *c, const char *path, const char *signature,
                         struct bz_view text, const struct bz_sig_trust *trust,
                         const struct bz_opt_many *more, bool links, bool ignore_unsigned) {
    struct bz_diag diag = {0, NULL};
    enum bz_status st = bz_bundle_verify(text, trust, &c->ar, &c->sig, &diag);
    if (st == BZ_EINVAL || st == BZ_ENOMEM) { /* the trust that was given is none */
        bz_say("%s: %s", bz_safe(signature), diag.why == NULL ? bz_status_text(st) : diag.why);
        return false;
    }
    c->known = st != BZ_EVERSION;
    if (st != BZ_OK) {
        refuse(c, diag.why);
        return true;
    }
    for (size_t i = 0; i < c->sig.warnings_n; i++)
        bz_found_add(&c->warnings, "%s", c->sig.warnings[i]);
    struct bz_model_ignore *g = bz_model_ignore_new(path, signature, more);
    bool ok = g != NULL && check_files(c, path, g->v, g->n, links, ignore_unsigned);
    free(g);
    return ok;
}

/* ---- minisign ---- */

static bool is_minisign(struct bz_view text) {
    return bz_view_starts(text, BZ_V("untrusted comment:"));
}

/* false: could not be read. `out` 64 bytes, or a mapping of the file for signatures over the file itself. */
static bool minisign_message(const char *path, bool hashed, uint8_t hash[64], struct bz_view *ret,
                             uint64_t *ret_n) {
    struct stat s;
    BZ_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        bz_say("%s: %s", bz_safe(path), fd < 0 ? strerror(errno) : "minisign signs single files");
        return false;
    }
    if (hashed) {
        *ret = bz_view(hash, 64);
        return bz_fd_hash(fd, BZ_MODEL_BLAKE2B, 0, UINT64_MAX, hash, ret_n) == BZ_OK;
    }
    void *p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) {
        bz_say("%s: %s", bz_safe(path), strerror(errno));
        return false;
    }
    *ret = bz_view(p, (size_t)s.st_size);
    *ret_n = (uint64_t)s.st_size;
    return true;
}

static bool check_minisign(struct bz_model_checked *c, const char *path, const char *key_file,
                           struct bz_view text, struct bz_view key_text) {
    struct bz_minisign_public key;
    struct bz_minisign m;
    struct bz_diag diag = {0, NULL};
    uint8_t hash[64];
    struct bz_view message;
    if (bz_minisign_public(key_text, &key) != BZ_OK) {
        bz_say("%s: no minisign public key, which this signature needs (--key)",
               key_file == NULL ? "--key is missing" : bz_safe(key_file));
        return false;
    }
    c->minisign = true;
    c->known = true;
    if (bz_minisign_parse(text, &m, &diag) != BZ_OK) {
        refuse(c, diag.why);
        return true;
    }
    if (!minisign_message(path, m.hashed, hash, &message, &c->bytes))
        return false;
    enum bz_status st = bz_minisign_check(&m, &key, message, &diag);
    if (!m.hashed)
        (void)munmap((void *)(uintptr_t)message.p, message.n);
    memcpy(c->key_id, key.id, sizeof c->key_id);
    c->trusted_comment = bz_arena_dup(&c->ar, m.comment);
    c->good = st == BZ_OK;
    c->files_n = 1;
    if (!c->good)
        refuse(c, diag.why);
    return true;
}

/* ---- both ---- */

bool bz_model_trust_read(const struct bz_model_trust *t, struct bz_buf text[3],
                         struct bz_sig_trust *ret) {
    const char *const files[3] = {t->key, t->cert, t->trusted_root};
    for (size_t i = 0; i < 3; i++)
        bz_buf_init(&text[i], 16u << 20);
    for (size_t i = 0; i < 3; i++) {
        if (files[i] != NULL && !bz_model_text(files[i], &text[i]))
            return false;
    }
    *ret = (struct bz_sig_trust){
        .key = bz_buf_view(&text[0]),
        .roots = bz_buf_view(&text[1]),
        .trusted_root = bz_buf_view(&text[2]),
        .identity = bz_view_str(t->identity),
        .issuer = bz_view_str(t->issuer),
    };
    return true;
}

bool bz_model_check(const char *path, const char *signature, const struct bz_model_trust *trust,
                    const struct bz_opt_many *ignore, bool allow_symlinks, bool ignore_unsigned,
                    struct bz_model_checked *ret) {
    struct bz_buf text[3], sig;
    struct bz_sig_trust t = {.key = bz_view(NULL, 0)};
    *ret = (struct bz_model_checked){.good = false};
    bz_arena_init(&ret->ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    bz_buf_init(&sig, BZ_SIGNATURE_MAX);
    bool ok = bz_model_trust_read(trust, text, &t) && bz_model_text(signature, &sig);
    struct bz_view v = bz_arena_dup(&ret->ar, bz_buf_view(&sig)); /* views into it live on */
    ok = ok && v.p != NULL;
    if (ok && is_minisign(v))
        ok = check_minisign(ret, path, trust->key, v, t.key);
    else if (ok)
        ok = check_bundle(ret, path, signature, v, &t, ignore, allow_symlinks, ignore_unsigned);
    for (size_t i = 0; i < 3; i++)
        bz_buf_free(&text[i]);
    bz_buf_free(&sig);
    return ok;
}

void bz_model_checked_done(struct bz_model_checked *c) {
    bz_arena_free(&c->ar);
}

/* ---- telling ---- */

static void put_signer(struct bz_jw *w, const struct bz_model_checked *c) {
    const struct bz_sig_result *r = &c->sig;
    bz_jw_key(w, "signer");
    bz_jw_obj(w);
    if (c->minisign) {
        bz_jw_hex(w, "key_id", c->key_id, sizeof c->key_id);
        bz_jw_kstr(w, "trusted_comment", c->trusted_comment);
    } else {
        bz_jw_hex(w, "key", r->key_hint, sizeof r->key_hint);
        if (r->identity.n > 0)
            bz_jw_kstr(w, "identity", r->identity);
        if (r->issuer.n > 0)
            bz_jw_kstr(w, "issuer", r->issuer);
    }
    if (r->signed_at > 0)
        bz_jw_ku64(w, "signed_at", r->signed_at);
    bz_jw_end(w);
}

static void put_bundle(struct bz_jw *w, const struct bz_model_checked *c) {
    const struct bz_sig_result *r = &c->sig;
    bz_jw_hex(w, "root", r->statement.root, sizeof r->statement.root);
    bz_jw_kstr(w, "model", r->statement.subject);
    bz_jw_key(w, "checked");
    bz_jw_obj(w);
    bz_jw_kbool(w, "log", r->logged);
    bz_jw_kbool(w, "timestamp", r->timestamped);
    bz_jw_kbool(w, "certificate_transparency", r->sct);
    bz_jw_end(w);
}

void bz_model_checked_json(struct bz_jw *w, const struct bz_model_checked *c) {
    bool signer = c->good || c->changes_n > 0;
    bz_jw_kbool(w, "verified", c->good);
    if (signer) {
        bz_jw_kstr(w, "flow",
                   bz_view_str(c->minisign ? "minisign" : bz_sig_flow_name(c->sig.flow)));
        put_signer(w, c);
        if (!c->minisign)
            put_bundle(w, c);
        bz_jw_ku64(w, "files", c->files_n);
        bz_jw_ku64(w, "bytes", c->bytes);
    }
    if (!c->good)
        bz_jw_kstr(w, "error", bz_view_str(c->why));
    bz_jw_ku64(w, "changes_n", c->changes_n);
    bz_found_json(w, "changes", &c->changes);
    bz_found_json(w, "warnings", &c->warnings);
}

static void print_time(uint64_t t) {
    char text[32];
    struct tm tm;
    time_t tt = (time_t)t;
    if (gmtime_r(&tt, &tm) != NULL && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
        (void)printf("signed at   %s\n", text);
}

static void print_signer(const struct bz_model_checked *c) {
    const struct bz_sig_result *r = &c->sig;
    if (c->minisign) {
        (void)printf("comment     ");
        bz_print_safe(stdout, c->trusted_comment);
        (void)printf("\n");
        return;
    }
    if (r->identity.n > 0) {
        (void)printf("signed by   ");
        bz_print_safe(stdout, r->identity);
        if (r->issuer.n > 0) {
            (void)printf(" (vouched for by ");
            bz_print_safe(stdout, r->issuer);
            (void)printf(")");
        }
        (void)printf("\n");
    }
    if (r->signed_at > 0)
        print_time(r->signed_at);
    (void)printf("files       %zu, %llu bytes\n", c->files_n, (unsigned long long)c->bytes);
}

static int tell(const struct bz_model_checked *c, const char *path, const char *signature,
                bool json) {
    int rc = c->good ? BZ_EXIT_OK : c->known ? BZ_EXIT_FINDINGS : BZ_EXIT_UNCHECKED;
    if (json) {
        struct bz_buf b;
        struct bz_jw w;
        bz_buf_init(&b, 4u << 20);
        bz_jw_init(&w, &b);
        bz_jw_obj(&w);
        bz_jw_kstr(&w, "path", bz_view_str(path));
        bz_jw_kstr(&w, "signature", bz_view_str(signature));
        bz_model_checked_json(&w, c);
        return bz_report_end(&w, &b, rc);
    }
    bz_print_safe(stdout, bz_view_str(path));
    if (c->good)
        (void)printf(": verified (%s)\n", c->minisign ? "minisign" : bz_sig_flow_name(c->sig.flow));
    else
        (void)printf(": NOT VERIFIED: %s\n", c->why);
    if (c->good)
        print_signer(c);
    bz_found_print("  changed", &c->changes);
    bz_found_print("warning", &c->warnings);
    return rc;
}

/* Which signature: the one that was named, or the one beside the model. */
static bool choose(const char *path, const char *named, char mem[BZ_DIR_PATH_MAX],
                   const char **ret) {
    *ret = named != NULL ? named : mem;
    if (named != NULL || bz_model_signature_beside(path, mem))
        return true;
    bz_say("%s: there is no model.sig in it, nor a .sig or .minisig beside it; name it with "
           "--signature FILE",
           bz_safe(path));
    return false;
}

static bool trust_is_one(const struct bz_model_trust *t) {
    if ((t->key != NULL) + (t->cert != NULL) + (t->trusted_root != NULL) == 1)
        return true;
    bz_say("say whom to trust with one of --key FILE, --cert FILE, --trusted-root FILE");
    return false;
}

struct verify { /* 30 KiB */
    struct bz_model_checked c;
    char mem[BZ_DIR_PATH_MAX];
};

int bz_model_verify(int argc, char **argv) {
    struct bz_model_trust t = {.key = NULL};
    struct bz_opt_many ignore = {.n = 0};
    bool json = false, help = false, links = false, unsigned_ok = false;
    const char *path = NULL, *named = NULL, *signature = NULL;
    const struct bz_opt list[] = {
        {"signature", BZ_OPT_TEXT, &named, "FILE",
         "the signature (model.sig in it, or .sig or .minisig beside it)"},
        {"key", BZ_OPT_TEXT, &t.key, "FILE", "public key of the signer: PEM, or minisign's"},
        {"cert", BZ_OPT_TEXT, &t.cert, "FILE", "root certificates that a chain must lead to, PEM"},
        {"trusted-root", BZ_OPT_TEXT, &t.trusted_root, "FILE", "Sigstore's trusted_root.json"},
        {"identity", BZ_OPT_TEXT, &t.identity, "TEXT",
         "who must have signed: e-mail or URI in the certificate"},
        {"issuer", BZ_OPT_TEXT, &t.issuer, "URL", "who must have vouched for the identity"},
        {"ignore", BZ_OPT_MANY, &ignore, "PATH", "a path in the model that does not count"},
        {"ignore-unsigned", BZ_OPT_FLAG, &unsigned_ok, NULL,
         "files that nobody signed are no finding"},
        {"allow-symlinks", BZ_OPT_FLAG, &links, NULL, "links count as what they lead to"},
        {"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"},
    };
    static const char *const names[] = {"PATH"};
    const struct bz_opts o = {
        "bartizan model verify PATH --key FILE | --cert FILE [--identity TEXT] | --trusted-root "
        "FILE --identity TEXT --issuer URL",
        "Checks a model against its signature: OpenSSF Model Signing v1 or minisign, without a "
        "network.",
        list,
        sizeof list / sizeof list[0],
        names,
        1,
        1};
    size_t n = 0;
    if (bz_opts_parse(&o, argc, argv, &path, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    struct verify *v = trust_is_one(&t) ? calloc(1, sizeof *v) : NULL;
    if (v == NULL || !choose(path, named, v->mem, &signature)) {
        free(v);
        return BZ_EXIT_FAILURE;
    }
    bool ok = bz_model_check(path, signature, &t, &ignore, links, unsigned_ok, &v->c);
    int rc = ok ? tell(&v->c, path, signature, json) : BZ_EXIT_FAILURE;
    bz_model_checked_done(&v->c);
    free(v);
    return rc;
}
