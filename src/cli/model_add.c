/* bartizan model add: a copy into quarantine, looked at there, signed, then handed to bartizand.
 *
 *   models/quarantine/TOKEN/lock            held while this process lives; the next one clears what a dead one left
 *                          /f/000000 ...    the files, in the order of the manifest
 *                          /manifest.json   what was found
 *                          /model.sig       OpenSSF Model Signing bundle by the instance's key
 *
 * Nothing of it counts before bartizand has linked the files into its store and written one row, in one transaction. */
#include "cmd_model.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "admin_client.h"

enum { TOKEN_BYTES = 16, KEY_MAX = 1 << 20, CALL_MS = 600000, ARENA_MAX = 1 << 30 };

struct add {
    const char *dir, *path, *name, *source, *licence, *signature, *as_key;
    const char *version, *supplier, *released, *base_model;
    struct bz_model_trust trust;
    struct bz_opt_many ignore;
    bool links, json;
    struct bz_instance in;
    struct stat owner; /* of the instance: root may work for its user */
    char token[2 * TOKEN_BYTES + 1], place[128];
    int q, lock; /* quarantine/TOKEN, its lock */
    struct bz_tree tree, copy;
    struct bz_arena ar;
    struct bz_model_looked looked;
    char publisher[600];
};

/* ---- quarantine ---- */

/* What a killed one left: its lock is free. */
static void clear_dead(const struct bz_instance *in) {
    int fd = openat(in->fd, BZ_F_MODEL_QUARANTINE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        bz_fd_done(&fd);
        return;
    }
    const struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        char lock[300];
        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(lock, sizeof lock, "%s/lock", e->d_name);
        BZ_FD l = openat(fd, lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (l >= 0 && flock(l, LOCK_EX | LOCK_NB) == 0)
            bz_tree_remove(fd, e->d_name);
    }
    (void)closedir(d);
}

static bool give(const struct add *a, int fd) {
    return geteuid() != 0 || a->owner.st_uid == 0 ||
           fchown(fd, a->owner.st_uid, a->owner.st_gid) == 0;
}

static bool make_quarantine(struct add *a) {
    uint8_t rnd[TOKEN_BYTES];
    struct bz_buf b;
    bz_random(rnd, sizeof rnd);
    bz_buf_init_fixed(&b, a->token, sizeof a->token - 1);
    bz_buf_put_hex(&b, bz_view(rnd, sizeof rnd));
    (void)snprintf(a->place, sizeof a->place, BZ_F_MODEL_QUARANTINE "/%s", a->token);
    if (mkdirat(a->in.fd, a->place, 0700) != 0)
        return false;
    a->q = openat(a->in.fd, a->place, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (a->q < 0 || !give(a, a->q))
        return false;
    a->lock = openat(a->q, "lock", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (a->lock < 0 || flock(a->lock, LOCK_EX | LOCK_NB) != 0 || mkdirat(a->q, "f", 0700) != 0)
        return false;
    BZ_FD f = openat(a->q, "f", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return f >= 0 && give(a, f) && give(a, a->lock);
}

/* ---- copying ---- */

static bool pump(int from, int to, uint64_t *done, uint64_t total) {
    for (;;) {
        ssize_t n = copy_file_range(from, NULL, to, NULL, 64u << 20, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 &&
            (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)) {
            static const size_t step = 1u << 20; /* other file systems, special ones */
            uint8_t *buf = malloc(step);
            ssize_t got = buf == NULL ? -1 : read(from, buf, step);
            for (ssize_t at = 0; at < got;) {
                ssize_t w = write(to, buf + at, (size_t)(got - at));
                if (w <= 0) {
                    free(buf);
                    return false;
                }
                at += w;
            }
            free(buf);
            n = got;
        }
        if (n <= 0)
            return n == 0;
        *done += (uint64_t)n;
        bz_backup_progress("copying", *done < total ? *done : total - 1, total);
        if (bz_backup_stopped()) {
            errno = EINTR;
            return false;
        }
    }
}

/* Where the file system knows it, the kernel itself keeps the bytes as they are from here on. */
static void protect(int dir, const char *number) {
    struct fsverity_enable_arg v = {
        .version = 1, .hash_algorithm = FS_VERITY_HASH_ALG_SHA256, .block_size = 4096};
    BZ_FD fd = openat(dir, number, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0)
        (void)ioctl(fd, FS_IOC_ENABLE_VERITY, &v);
}

static bool copy_one(struct add *a, size_t i, int dir, const char *number, uint64_t *done) {
    struct stat s;
    BZ_FD from = bz_tree_file_open(&a->tree, i);
    BZ_FD to = openat(dir, number, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok = from >= 0 && to >= 0 && pump(from, to, done, a->tree.bytes + 1) &&
              fchmod(to, 0444) == 0 && give(a, to) && fsync(to) == 0 && fstat(to, &s) == 0;
    if (ok && (uint64_t)s.st_size != a->tree.files[i].size) {
        bz_say("%s: changed its size while it was copied",
               bz_safe((const char *)a->tree.files[i].name.p));
        return false;
    }
    if (!ok)
        bz_say("%s: cannot be copied: %s", bz_safe((const char *)a->tree.files[i].name.p),
               errno == EINTR ? "stopped" : strerror(errno));
    return ok;
}

static bool room_for(const struct add *a) {
    struct statvfs v;
    if (fstatvfs(a->q, &v) != 0 || (uint64_t)v.f_bavail * v.f_frsize > a->tree.bytes)
        return true;
    bz_say("the model has %llu MiB and the disk of %s only %llu MiB left",
           (unsigned long long)(a->tree.bytes >> 20), bz_safe(a->in.path),
           (unsigned long long)((uint64_t)v.f_bavail * v.f_frsize >> 20));
    return false;
}

static bool copy_all(struct add *a) {
    uint64_t done = 0;
    const char **places = bz_arena_alloc(&a->ar, a->tree.files_n * sizeof *places);
    BZ_FD dir = openat(a->q, "f", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (dir < 0 || places == NULL || !room_for(a))
        return false;
    for (size_t i = 0; i < a->tree.files_n; i++) {
        char number[24];
        (void)snprintf(number, sizeof number, "%06zu", i);
        places[i] = (const char *)bz_arena_dup(&a->ar, bz_view_str(number)).p;
        if (places[i] == NULL || !copy_one(a, i, dir, places[i], &done))
            return false;
        protect(dir, places[i]);
    }
    bz_backup_progress("copying", 1, 1);
    if (fsync(dir) != 0)
        return false;
    a->copy = a->tree; /* the same names; the memory stays the tree's */
    a->copy.single = false;
    a->copy.places = places;
    a->copy.fd = dir;
    dir = -1;
    return true;
}

/* A model that is one file has a name of its own here: it will lie in a folder. */
static bool name_single(struct add *a) {
    if (!a->tree.single)
        return true;
    const char *slash = strrchr(a->path, '/');
    struct bz_view name = bz_view_str(slash == NULL ? a->path : slash + 1);
    if (!bz_model_name_in_ok(name)) {
        bz_say("%s: its name cannot be kept", bz_safe(a->path));
        return false;
    }
    a->copy.files[0].name = bz_arena_dup(&a->ar, name);
    return a->copy.files[0].name.p != NULL;
}

/* ---- the publisher's signature ---- */

static void on_change(void *ctx, enum bz_model_change c, struct bz_view name) {
    (void)ctx;
    (void)fprintf(stderr, "bartizan: %s: ", bz_model_change_name(c));
    bz_print_safe(stderr, name);
    (void)fputc('\n', stderr);
}

static void describe(struct add *a, const struct bz_sig_result *r) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, a->publisher, sizeof a->publisher - 1);
    bz_buf_puts(&b, bz_sig_flow_name(r->flow));
    bz_buf_puts(&b, " ");
    if (r->identity.n > 0)
        bz_put_safe(&b, bz_view_sub(r->identity, 0, 100));
    else
        bz_buf_put_hex(&b, bz_view(r->key_hint, sizeof r->key_hint));
    if (r->issuer.n > 0) {
        bz_buf_puts(&b, " ");
        bz_put_safe(&b, bz_view_sub(r->issuer, 0, 100));
    }
    a->publisher[b.n] = '\0';
}

/* Over the copy, by the names of the original (a single file is "."). */
static bool compare(struct add *a, const struct bz_statement *s, const struct bz_tree_options *o) {
    const struct bz_model_item *items = NULL;
    size_t n = 0;
    enum bz_status st = bz_tree_hash(&a->copy, o, s->hash, s->shard_size, &items, &n);
    if (st != BZ_OK) {
        bz_say("%s", st == BZ_ELIMIT ? "stopped" : a->copy.why);
        return false;
    }
    if (bz_statement_compare(s, items, n, on_change, NULL) == 0)
        return true;
    bz_say("the files are not those that the publisher signed; nothing was added");
    return false;
}

static bool check_publisher(struct add *a, const struct bz_tree_options *o) {
    struct bz_buf text[3], sig;
    struct bz_sig_trust t;
    struct bz_sig_result r;
    struct bz_diag diag = {0, NULL};
    if (a->trust.key == NULL && a->trust.cert == NULL && a->trust.trusted_root == NULL)
        return true;
    bz_buf_init(&sig, BZ_SIGNATURE_MAX);
    bool ok = bz_model_text(a->signature, &sig);
    ok = bz_model_trust_read(&a->trust, text, &t) && ok;
    if (ok) {
        enum bz_status st = bz_bundle_verify(bz_buf_view(&sig), &t, &a->ar, &r, &diag);
        ok = st == BZ_OK;
        if (!ok)
            bz_say("%s: %s; nothing was added", bz_safe(a->signature), diag.why);
    }
    ok = ok && compare(a, &r.statement, o);
    if (ok)
        describe(a, &r);
    for (size_t i = 0; i < 3; i++)
        bz_buf_free(&text[i]);
    bz_buf_free(&sig);
    return ok;
}

/* ---- manifest and our signature ---- */

static struct bz_view said(const char *s) {
    return s == NULL ? (struct bz_view){0} : bz_view_str(s);
}

static bool write_manifest(struct add *a, struct bz_manifest *m) {
    struct bz_buf text;
    bz_buf_init(&text, BZ_SIGNATURE_MAX);
    m->name = bz_view_str(a->name);
    m->source = bz_view_str(a->source);
    m->licence = bz_view_str(a->licence);
    m->publisher = bz_view_str(a->publisher);
    m->model_version = said(a->version);
    m->supplier = said(a->supplier);
    m->released = said(a->released);
    m->base_model = said(a->base_model);
    bz_model_looked_into(&a->looked, a->copy.files_n, m);
    bool ok = bz_manifest_write(m, &text) == BZ_OK &&
              bz_file_create(a->q, "manifest.json", bz_buf_view(&text), 0600) == BZ_OK;
    if (!ok)
        bz_say("the manifest cannot be written: %s", strerror(errno));
    bz_buf_free(&text);
    BZ_FD fd = openat(a->q, "manifest.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return ok && fd >= 0 && give(a, fd);
}

static enum bz_status sign(struct add *a, const struct bz_manifest *m, struct bz_view pem,
                           struct bz_buf *out) {
    struct bz_statement s = {.subject = m->name, .items_n = m->files_n};
    struct bz_model_item *items = calloc(m->files_n, sizeof *items);
    struct bz_sig_key *k = NULL;
    struct bz_buf payload;
    bz_buf_init(&payload, BZ_SIGNATURE_MAX);
    enum bz_status st = items == NULL ? BZ_ENOMEM : bz_sig_key_pem(pem, bz_view(NULL, 0), &k);
    for (size_t i = 0; i < m->files_n && st == BZ_OK; i++) {
        items[i].name = m->files[i].name;
        memcpy(items[i].digest, m->files[i].sha256, BZ_HASH_LEN);
    }
    if (st == BZ_OK)
        st = bz_statement_write(&s, items, &payload);
    if (st == BZ_OK)
        st = bz_bundle_sign(bz_buf_view(&payload), k, bz_view(NULL, 0), out, NULL);
    (void)a;
    bz_sig_key_free(k);
    bz_buf_free(&payload);
    free(items);
    return st;
}

static bool write_signature(struct add *a, const struct bz_manifest *m) {
    struct bz_buf pem, out;
    bz_buf_init(&pem, KEY_MAX);
    bz_buf_init(&out, BZ_SIGNATURE_MAX);
    enum bz_status st = bz_file_read(a->in.fd, BZ_F_MODEL_KEY, &pem);
    if (st == BZ_OK)
        st = sign(a, m, bz_buf_view(&pem), &out);
    if (st == BZ_OK)
        st = bz_file_create(a->q, "model.sig", bz_buf_view(&out), 0600);
    if (st != BZ_OK)
        bz_say("it cannot be signed with %s: %s", BZ_F_MODEL_KEY,
               st == BZ_ENOTFOUND ? "there is none; bartizand makes it when it starts: "
                                    "'bartizan up' first"
                                  : bz_status_text(st));
    bz_buf_wipe_free(&pem);
    bz_buf_free(&out);
    BZ_FD fd = openat(a->q, "model.sig", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return st == BZ_OK && fd >= 0 && give(a, fd);
}

/* ---- handing over ---- */

static void show_added(const struct bz_answer_json *r) {
    (void)printf("id     ");
    bz_print_safe(stdout, bz_json_str(bz_json_get(r->root, BZ_V("id"))));
    (void)printf("\nstate  ");
    bz_print_safe(stdout, bz_json_str(bz_json_get(r->root, BZ_V("state"))));
    (void)printf("\n");
    const struct bz_json *l = bz_json_get(r->root, BZ_V("missing"));
    for (const struct bz_json *f = l == NULL ? NULL : l->first; f != NULL; f = f->next) {
        (void)printf("missing ");
        bz_print_safe(stdout, bz_json_str(f));
        (void)printf(": it cannot be approved without (registry.require)\n");
    }
}

static int hand_over(struct add *a) {
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, 4096);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "quarantine", bz_view_str(a->token));
    bool ok = bz_model_put_person(&w, a->as_key);
    bz_jw_end(&w);
    int rc = ok ? bz_admin_run(a->dir, "POST", "/v1/registry", bz_buf_view(&b), CALL_MS, a->json,
                               show_added)
                : BZ_EXIT_FAILURE;
    bz_buf_wipe_free(&b);
    return rc;
}

static void tell_findings(const struct add *a) {
    const struct bz_model_looked *l = &a->looked;
    for (size_t i = 0; i < l->findings_n && i < 20; i++) {
        (void)fprintf(stderr, "%s %s: ", (const char *)l->findings[i].severity.p,
                      (const char *)l->findings[i].rule.p);
        bz_print_safe(stderr, l->findings[i].file);
        (void)fprintf(stderr, " at %llu\n", (unsigned long long)l->findings[i].offset);
    }
    if (l->findings_n > 20)
        (void)fprintf(stderr, "and %zu more; 'bartizan model show' lists them\n",
                      l->findings_n - 20);
    if (l->verdict == BZ_MANIFEST_UNCHECKED)
        (void)fprintf(stderr, "not everything could be checked\n");
}

static int finish(struct add *a) {
    struct bz_manifest m = {.files_n = 0};
    if (!write_manifest(a, &m) || !write_signature(a, &m) || fsync(a->q) != 0)
        return BZ_EXIT_FAILURE;
    tell_findings(a);
    int rc = hand_over(a);
    return rc != BZ_EXIT_OK                             ? rc
           : a->looked.verdict == BZ_MANIFEST_CLEAN     ? BZ_EXIT_OK
           : a->looked.verdict == BZ_MANIFEST_UNCHECKED ? BZ_EXIT_UNCHECKED
                                                        : BZ_EXIT_FINDINGS;
}

/* A manifest of Ollama stands for the blobs that it names. */
static enum bz_status open_source(struct add *a, const struct bz_tree_options *o) {
    enum bz_status st = bz_tree_open_ollama(a->path, &a->tree);
    return st == BZ_ENOTFOUND ? bz_tree_open(a->path, o, &a->tree) : st;
}

static int work(struct add *a) {
    struct bz_model_ignore *g =
        bz_model_ignore_new(a->path, a->signature != NULL ? a->signature : "", &a->ignore);
    struct bz_tree_options o = {.allow_symlinks = a->links,
                                .progress = bz_model_progress,
                                .progress_ctx = (void *)(uintptr_t) "hashing"};
    if (g == NULL)
        return BZ_EXIT_FAILURE;
    o.ignore = g->v;
    o.ignore_n = g->n;
    int rc = BZ_EXIT_FAILURE;
    if (open_source(a, &o) != BZ_OK)
        bz_say("%s: %s", bz_safe(a->path), a->tree.why);
    else if (a->tree.files_n == 0)
        bz_say("%s: there is no file in it", bz_safe(a->path));
    else if (!make_quarantine(a))
        bz_say("%s/%s: %s", bz_safe(a->in.path), BZ_F_MODEL_QUARANTINE, strerror(errno));
    else if (copy_all(a) && check_publisher(a, &o) && name_single(a) &&
             bz_model_look(&a->copy, &o, &a->ar, &a->looked))
        rc = finish(a);
    free(g);
    return rc;
}

static int run(struct add *a) {
    if (!bz_cli_open(a->dir, &a->in))
        return BZ_EXIT_FAILURE;
    int rc = BZ_EXIT_FAILURE;
    a->q = a->lock = a->tree.fd = a->copy.fd = -1;
    bz_arena_init(&a->ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    bz_backup_catch();
    if (fstat(a->in.fd, &a->owner) == 0) {
        clear_dead(&a->in);
        rc = work(a);
    }
    bz_fd_done(&a->copy.fd);
    bz_tree_close(&a->tree);
    bz_arena_free(&a->ar);
    if (a->q >= 0)
        bz_tree_remove(a->in.fd, a->place); /* the lock is held until it is gone */
    bz_fd_done(&a->q);
    bz_fd_done(&a->lock);
    bz_instance_close(&a->in);
    return rc;
}

static bool texts_ok(const struct add *a) {
    const struct {
        const char *option, *text;
    } all[] = {
        {"--version", a->version}, {"--supplier", a->supplier}, {"--base-model", a->base_model}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].text != NULL && (all[i].text[0] == '\0' || strlen(all[i].text) > 1024)) {
            bz_say("%s: 1 to 1024 bytes", all[i].option);
            return false;
        }
    }
    if (a->released != NULL && !bz_sbom_is_time(bz_view_str(a->released))) {
        bz_say("--released '%s' is no time of the form 2026-01-31T00:00:00Z", bz_safe(a->released));
        return false;
    }
    return true;
}

static bool check_words(struct add *a, char mem[BZ_DIR_PATH_MAX]) {
    bool trust = a->trust.key != NULL || a->trust.cert != NULL || a->trust.trusted_root != NULL;
    if (a->name == NULL || !bz_registry_name_ok(bz_view_str(a->name)))
        bz_say("--name is missing or no name: 1 to 64 of a-z, 0-9 and, after the first, . _ -");
    else if (a->source == NULL || a->source[0] == '\0' || strlen(a->source) > 1024)
        bz_say("--source is missing: where the model came from, for instance its URL");
    else if (!texts_ok(a))
        return false;
    else if (a->licence == NULL || !bz_licence_is_expression(bz_view_str(a->licence)))
        bz_say("--licence is missing or no SPDX expression such as Apache-2.0");
    else if (trust && a->signature == NULL && !bz_model_signature_beside(a->path, mem))
        bz_say("%s: there is no signature in or beside it; name it with --signature FILE",
               bz_safe(a->path));
    else {
        if (a->signature == NULL && bz_model_signature_beside(a->path, mem))
            a->signature = mem;
        return true;
    }
    return false;
}

static int parse(int argc, char **argv, struct add *a) {
    const char *words[2] = {NULL, NULL};
    bool help = false;
    const struct bz_opt list[] = {
        {"name", BZ_OPT_TEXT, &a->name, "NAME", "its name in the registry"},
        {"source", BZ_OPT_TEXT, &a->source, "TEXT", "where it came from"},
        {"licence", BZ_OPT_TEXT, &a->licence, "SPDX", "its licence, e.g. Apache-2.0"},
        {"version", BZ_OPT_TEXT, &a->version, "TEXT", "its version"},
        {"supplier", BZ_OPT_TEXT, &a->supplier, "TEXT", "who supplied it"},
        {"released", BZ_OPT_TEXT, &a->released, "TIME", "when: 2026-01-31T00:00:00Z"},
        {"base-model", BZ_OPT_TEXT, &a->base_model, "TEXT", "what it was made from"},
        {"signature", BZ_OPT_TEXT, &a->signature, "FILE", "the publisher's signature"},
        {"key", BZ_OPT_TEXT, &a->trust.key, "FILE", "public key of the publisher, PEM"},
        {"cert", BZ_OPT_TEXT, &a->trust.cert, "FILE", "roots of the publisher's certificate"},
        {"trusted-root", BZ_OPT_TEXT, &a->trust.trusted_root, "FILE", "of Sigstore"},
        {"identity", BZ_OPT_TEXT, &a->trust.identity, "TEXT", "who must have signed"},
        {"issuer", BZ_OPT_TEXT, &a->trust.issuer, "URL", "who must have vouched for that"},
        {"ignore", BZ_OPT_MANY, &a->ignore, "PATH", "a path in it that is not taken"},
        {"allow-symlinks", BZ_OPT_FLAG, &a->links, NULL, "links count as what they lead to"},
        {"as-key", BZ_OPT_TEXT, &a->as_key, "FILE", "API key of the administrator who adds it"},
        {"json", BZ_OPT_FLAG, &a->json, NULL, "print one JSON object"},
    };
    static const char *const names[] = {"DIR", "PATH"};
    const struct bz_opts o = {
        "bartizan model add DIR PATH --name NAME --source TEXT --licence SPDX",
        "Copies a model into the registry: quarantine, scan, signature; then it waits for "
        "'model approve'.",
        list,
        sizeof list / sizeof list[0],
        names,
        2,
        2};
    size_t n = 0;
    if (bz_opts_parse(&o, argc, argv, words, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    a->dir = words[0];
    a->path = words[1];
    return help ? BZ_EXIT_OK : -1;
}

int bz_model_add(int argc, char **argv) {
    struct {
        struct add a;
        char mem[BZ_DIR_PATH_MAX];
    } *m = calloc(1, sizeof *m);
    if (m == NULL)
        return BZ_EXIT_FAILURE;
    int rc = parse(argc, argv, &m->a);
    if (rc < 0)
        rc = check_words(&m->a, m->mem) ? run(&m->a) : BZ_EXIT_FAILURE;
    free(m);
    return rc;
}
