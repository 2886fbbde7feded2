/* D: model files and what serves them. */
#include <stdio.h>
#include <unistd.h>
#include <bartizan/crypto.h>

#include "posture_int.h"

/* ---- D01: who may write ---- */

struct serving {
    uint32_t uid[64];
    uint32_t gid[64];
    size_t n;
};

static void serving_ids(const struct pt_facts *f, struct serving *s) {
    uint32_t uid;
    s->n = 0;
    for (size_t i = 0; i < f->works.n && s->n < 64; i++) {
        const struct pt_work *w = &f->works.v[i];
        if ((w->kind->role & PT_ROLE_SERVER) == 0 || w->src == PT_CTR || !pt_work_uid(f, w, &uid) ||
            uid == 0)
            continue;
        const struct pt_user *u = pt_user_of(f, uid);
        s->uid[s->n] = uid;
        s->gid[s->n++] = w->src == PT_PROC ? w->proc->egid : u != NULL ? u->gid : UINT32_MAX;
    }
}

/* Why somebody who should not may write; NULL: nobody. */
static const char *writable(struct pt_facts *f, const struct serving *s, const char *path,
                            const struct stat *st) {
    bool any = false;
    if ((st->st_mode & 2) != 0 && (st->st_mode & 01000) == 0)
        return "everybody";
    for (size_t i = 0; i < s->n; i++) {
        if (st->st_uid == s->uid[i] && (st->st_mode & 0200) != 0)
            return "the account that serves it";
        if (st->st_gid == s->gid[i] && (st->st_mode & 020) != 0)
            return "the group of the account that serves it";
        if (pt_acl_write(f->t, path, s->uid[i], &any))
            return "the account that serves it, by an access list";
    }
    return NULL;
}

static void d01_path(struct pt_ctx *c, const struct serving *s, struct bz_view path) {
    struct stat st;
    const char *p = pt_path(c->f->t, "%.*s", PT_V(path));
    if (!pt_stat(c->f->t, p, true, &st))
        return;
    const char *who = writable(c->f, s, p, &st);
    if (who != NULL)
        pt_bad(c, "%.*s may be written by %s (mode %04o, uid %u)", PT_V(path), who,
               st.st_mode & 07777, st.st_uid);
    else
        pt_good(c);
    for (struct bz_view up = pt_dir(path); up.n > 1; up = pt_dir(up)) {
        p = pt_path(c->f->t, "%.*s", PT_V(up));
        if (pt_stat(c->f->t, p, true, &st) && (st.st_mode & 2) != 0 && (st.st_mode & 01000) == 0)
            pt_bad(c, "%.*s above %.*s may be written by everybody (mode %04o)", PT_V(up),
                   PT_V(path), st.st_mode & 07777);
    }
}

static void limits_of_sweep(struct pt_ctx *c) {
    if (c->f->sweep_cut)
        pt_unknown(c, "there are more files than are looked at");
    if (c->f->sweep_denied)
        pt_unknown(c, "some folders cannot be read");
}

static void d01(struct pt_ctx *c) {
    struct serving s;
    serving_ids(c->f, &s);
    for (size_t i = 0; i < c->f->model_roots.n; i++)
        d01_path(c, &s, c->f->model_roots.v[i]);
    for (size_t i = 0; i < c->f->files.n; i++) {
        if (c->f->files.v[i].tag == PT_F_MODEL)
            d01_path(c, &s, c->f->files.v[i].path);
    }
    limits_of_sweep(c);
}

/* ---- D02: is what is loaded what was approved ---- */

static bool sha_line(struct bz_view text, struct bz_view name, struct bz_view *ret_hex) {
    struct bz_view line, hex, file;
    while (pt_line(&text, &line)) {
        if (!pt_word(&line, &hex) || hex.n != 64)
            continue;
        file = pt_trim(line);
        if (file.n > 0 && file.p[0] == '*')
            file = bz_view_sub(file, 1, file.n);
        if (file.n == 0 || bz_view_eq(pt_base(file), name)) {
            *ret_hex = hex;
            return true;
        }
    }
    return false;
}

/* A digest that was written down beside the file. 1: there is a list and this is it; 0: a list without the file;
 * -1: no list. */
static int recorded(struct pt_facts *f, struct bz_view path, struct bz_view *ret_hex) {
    static const char *const lists[] = {"SHA256SUMS", "sha256sums.txt", "SHA256SUMS.txt",
                                        "checksums.txt"};
    struct bz_view text, dir = pt_dir(path), base = pt_base(path);
    int found = -1;
    if ((pt_starts(base, "sha256-") || pt_starts(base, "sha256:")) && base.n == 71) {
        *ret_hex = bz_view_sub(base, 7, 64);
        return 1;
    }
    if (pt_read(f->t, pt_path(f->t, "%.*s.sha256", PT_V(path)), 4096, &text) == BZ_OK)
        return sha_line(text, base, ret_hex);
    for (size_t i = 0; i < 4 && found != 1; i++) {
        if (pt_read(f->t, pt_path(f->t, "%.*s/%s", PT_V(dir), lists[i]), BZ_POSTURE_CONFIG_MAX,
                    &text) == BZ_OK)
            found = sha_line(text, base, ret_hex);
    }
    return found;
}

bool pt_sha_file(struct pt_facts *f, const char *path, uint8_t out[BZ_HASH_LEN]) {
    enum { STEP = 1 << 16 };
    struct bz_sha256 h;
    ssize_t n;
    bz_buf_reset(&f->t->scratch);
    int fd = bz_buf_reserve(&f->t->scratch, STEP) ? pt_open_file(f->t, path) : -1;
    if (fd < 0)
        return false;
    uint8_t *mem = f->t->scratch.p;
    bz_sha256_init(&h);
    while ((n = read(fd, mem, STEP)) > 0)
        bz_sha256_add(&h, bz_view(mem, (size_t)n));
    (void)close(fd);
    bz_sha256_end(&h, out);
    return n == 0;
}

bool pt_sha_is(struct bz_view hex, const uint8_t sha[BZ_HASH_LEN]) {
    char text[2 * BZ_HASH_LEN + 1];
    struct bz_buf b;
    bz_buf_init_fixed(&b, text, sizeof text);
    bz_buf_put_hex(&b, bz_view(sha, BZ_HASH_LEN));
    return bz_view_eq_nocase(bz_buf_view(&b), hex);
}

static bool loose_place(struct bz_view p) {
    return pt_starts(p, "/tmp/") || pt_starts(p, "/var/tmp/") || pt_starts(p, "/dev/shm/") ||
           pt_starts(p, "/home/") || pt_ends(p, " (deleted)");
}

static void d02_file(struct pt_ctx *c, const struct pt_proc *p, struct bz_view path,
                     uint64_t *budget) {
    struct stat st;
    struct bz_view hex = {NULL, 0};
    uint8_t sha[BZ_HASH_LEN];
    bool approved = false;
    const char *at = pt_path(c->f->t, "%.*s", PT_V(path));
    int list = recorded(c->f, path, &hex);
    bool there = pt_stat(c->f->t, at, true, &st) && S_ISREG(st.st_mode);
    enum bz_status (*ask)(void *, const uint8_t *, bool *) = c->f->o->hooks.model_approved;
    if (loose_place(path) && list < 1) {
        pt_bad(c, "pid %u (%.*s) has loaded %.*s: no place of approved models", p->pid,
               PT_V(p->comm), PT_V(path));
        return;
    }
    if (list == 0) {
        pt_bad(c, "pid %u has loaded %.*s, which is not in the list beside it", p->pid, PT_V(path));
        return;
    }
    if (!there || ((uint64_t)st.st_size > *budget && !c->f->o->deep)) {
        pt_unknown(c,
                   there ? "%.*s is too large to hash in this run: use --deep"
                         : "%.*s is not in this tree",
                   PT_V(path));
        return;
    }
    *budget -= (uint64_t)st.st_size > *budget ? *budget : (uint64_t)st.st_size;
    if (!pt_sha_file(c->f, at, sha)) {
        pt_unknown(c, "%.*s cannot be read", PT_V(path));
        return;
    }
    if (list == 1 && !pt_sha_is(hex, sha)) {
        pt_bad(c, "%.*s is not what its recorded digest says", PT_V(path));
        return;
    }
    enum bz_status st2 = ask == NULL ? BZ_EUNAVAIL : ask(c->f->o->hooks.ctx, sha, &approved);
    if (st2 == BZ_OK && !approved)
        pt_bad(c, "pid %u has loaded %.*s, which is not in the registry", p->pid, PT_V(path));
    else if (st2 == BZ_OK || list == 1)
        pt_good(c);
    else
        pt_unknown(c, "%.*s: there is no registry and no digest to compare with", PT_V(path));
}

static bool model_path(struct bz_view v) {
    return pt_ends(v, ".gguf") || pt_ends(v, ".safetensors") || pt_ends(v, ".ggml") ||
           pt_find(v, "/blobs/sha256") != SIZE_MAX || pt_ends(v, ".gguf (deleted)") ||
           pt_ends(v, ".onnx");
}

static void d02(struct pt_ctx *c) {
    uint64_t budget = BZ_POSTURE_HASH_MAX;
    for (size_t i = 0; i < c->f->procs.n; i++) {
        const struct pt_proc *p = &c->f->procs.v[i];
        for (size_t j = 0; j < p->files.n; j++) {
            if (model_path(p->files.v[j]))
                d02_file(c, p, p->files.v[j], &budget);
        }
        if (p->kind != NULL && (p->kind->role & PT_ROLE_SERVER) != 0 &&
            (p->maps_denied || p->fd_denied))
            pt_unknown(c, "pid %u: what it has loaded cannot be seen", p->pid);
    }
}

/* ---- D03: formats that run code ---- */

static const char *torch_zip(struct bz_view h, struct bz_view base) {
    static const char *const torch[] = {".pt", ".pth", ".bin", ".ckpt", NULL};
    if (pt_find(h, "data.pkl") != SIZE_MAX || pt_find(h, "archive/") != SIZE_MAX ||
        pt_find(h, "/version") != SIZE_MAX)
        return "a torch archive with a pickle in it";
    if (pt_ends(base, ".keras"))
        return pt_find(h, "Lambda") != SIZE_MAX ? "Keras with a Lambda layer" : NULL;
    for (size_t i = 0; torch[i] != NULL; i++) {
        if (pt_ends(base, torch[i]))
            return "a torch archive";
    }
    return NULL;
}

static const char *runs_code(const struct pt_file *file) {
    static const char *const names[] = {".pt",     ".pth",    ".ckpt", ".pkl",
                                        ".pickle", ".joblib", ".nemo", NULL};
    struct bz_view h = file->head, base = pt_base(file->path);
    if (h.n == 0)
        return NULL;
    if (h.n >= 2 && h.p[0] == 0x80 && h.p[1] >= 2 && h.p[1] <= 5)
        return "a pickle by its content";
    if (pt_starts(h, "PK\003\004"))
        return torch_zip(h, base);
    if (pt_starts(h, "GGUF") || pt_find(bz_view_sub(h, 8, 16), "{\"") == 0 ||
        pt_starts(h, "\x89HDF"))
        return NULL;
    for (size_t i = 0; names[i] != NULL; i++) {
        if (pt_ends(base, names[i]))
            return "a pickle by its name";
    }
    bool torch = pt_starts(base, "pytorch_model") && pt_ends(base, ".bin");
    return torch ? "a pickle by its name" : NULL;
}

static void d03(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->files.n; i++) {
        const struct pt_file *file = &c->f->files.v[i];
        if (file->tag != PT_F_MODEL)
            continue;
        const char *why = runs_code(file);
        if (why != NULL)
            pt_bad(c, "%.*s: %s", PT_V(file->path), why);
        else if (file->unreadable)
            pt_unknown(c, "%.*s cannot be read", PT_V(file->path));
        else
            pt_good(c);
    }
    limits_of_sweep(c);
}

/* ---- D04 ---- */

static void d04_folder(struct pt_ctx *c, struct bz_view dir) {
    struct pt_views names;
    struct bz_view text;
    bool python = false;
    if (pt_read(c->f->t, pt_path(c->f->t, "%.*s/config.json", PT_V(dir)), BZ_POSTURE_CONFIG_MAX,
                &text) != BZ_OK ||
        !pt_has(text, "\"auto_map\""))
        return;
    (void)pt_list(c->f->t, pt_path(c->f->t, "%.*s", PT_V(dir)), 1024, &names);
    for (size_t i = 0; i < names.n; i++)
        python = python || pt_ends(names.v[i], ".py");
    if (python)
        pt_bad(c, "%.*s: config.json has auto_map and Python files lie beside it", PT_V(dir));
}

static void python_floor(struct pt_ctx *c, const char *name, const char *fixed, const char *why) {
    const struct pt_dist *d = pt_python(c->f, name);
    if (d == NULL)
        return;
    int old = pt_older(c->f, "pep440", d->version, fixed);
    if (old > 0)
        pt_bad(c, "%s %.*s is older than %s (%s): %.*s", name, PT_V(d->version), fixed, why,
               PT_V(d->dir));
    else if (old < 0)
        pt_unknown(c, "%s %.*s: the version cannot be compared", name, PT_V(d->version));
    else
        pt_good(c);
}

/* "vllm/vllm-openai:v0.17.0" -> "0.17.0" */
static struct bz_view image_version(struct bz_view image) {
    struct bz_view name = image, digest, base;
    (void)pt_split(image, '@', &name, &digest);
    base = pt_base(name);
    struct bz_view left, tag = {NULL, 0};
    if (!pt_split(base, ':', &left, &tag))
        return bz_view(NULL, 0);
    if (tag.n > 1 && tag.p[0] == 'v')
        tag = bz_view_sub(tag, 1, tag.n);
    return tag.n > 0 && tag.p[0] >= '0' && tag.p[0] <= '9' ? tag : bz_view(NULL, 0);
}

static void d04(struct pt_ctx *c) {
    PT_EACH_WORK(c, w) {
        struct bz_view v;
        if ((w->kind->role & (PT_ROLE_SERVER | PT_ROLE_TRAIN)) == 0)
            continue;
        if (pt_flag(w, "--trust-remote-code|--trust_remote_code") ||
            (pt_env(w, "HF_HUB_TRUST_REMOTE_CODE|TRUST_REMOTE_CODE", &v) && pt_true(v)))
            pt_bad(c, "%.*s trusts code that comes with a model", PT_V(w->label));
        else if (!w->argv_known)
            pt_unknown(c, "%.*s: its arguments cannot be read", PT_V(w->label));
        else
            pt_good(c);
        if (w->src == PT_CTR && pt_kind_is(w->kind, "vllm")) {
            struct bz_view version = image_version(w->ctr->image);
            if (version.n > 0 && pt_older(c->f, "pep440", version, "0.18.0") > 0)
                pt_bad(c, "%.*s: vLLM %.*s is older than 0.18.0", PT_V(w->label), PT_V(version));
        }
    }
    for (size_t i = 0; i < c->f->model_roots.n; i++)
        d04_folder(c, c->f->model_roots.v[i]);
    python_floor(c, "vllm", "0.18.0",
                 "CVE-2025-66448, CVE-2026-22807, CVE-2026-4944, CVE-2026-27893");
}

/* ---- D05, D10: what the model's own parser says ---- */

void pt_look(struct pt_facts *f, struct pt_file *file) {
    struct bz_buf why, licence;
    if (file->looked)
        return;
    file->looked = true;
    file->look = BZ_EUNAVAIL;
    int fd = f->o->hooks.model_check == NULL ? -1 : pt_open_file(f->t, (const char *)file->path.p);
    if (fd < 0)
        return;
    bz_buf_init(&why, 512);
    bz_buf_init(&licence, 512);
    file->look = f->o->hooks.model_check(f->o->hooks.ctx, fd, file->size, pt_base(file->path), &why,
                                         &licence);
    (void)close(fd);
    file->why = bz_arena_dup(f->ar, bz_buf_view(&why));
    file->licence = bz_arena_dup(f->ar, bz_buf_view(&licence));
    bz_buf_free(&why);
    bz_buf_free(&licence);
}

static void d05(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->files.n; i++) {
        struct pt_file *file = &c->f->files.v[i];
        bool magic = pt_starts(file->head, "GGUF");
        if (file->tag != PT_F_MODEL || (!magic && !pt_ends(file->path, ".gguf")))
            continue;
        if (!magic && !file->unreadable) {
            pt_bad(c, "%.*s is named .gguf and is none", PT_V(file->path));
            continue;
        }
        pt_look(c->f, file);
        if (file->look == BZ_ECORRUPT)
            pt_bad(c, "%.*s: %.*s", PT_V(file->path), PT_V(file->why));
        else if (file->look == BZ_OK)
            pt_good(c);
        else
            pt_unknown(c, "%.*s could not be looked at", PT_V(file->path));
    }
    limits_of_sweep(c);
}

static bool has_licence_file(struct pt_facts *f, struct bz_view dir, struct bz_view *ret) {
    static const char *const names[] = {"LICENSE", "LICENSE.txt", "LICENSE.md",    "LICENCE",
                                        "license", "license.txt", "USE_POLICY.md", "COPYING"};
    struct bz_view text, line, key, v;
    *ret = BZ_V("");
    for (size_t i = 0; i < 8; i++) {
        if (pt_exists(f->t, pt_path(f->t, "%.*s/%s", PT_V(dir), names[i])))
            return true;
    }
    if (pt_read(f->t, pt_path(f->t, "%.*s/README.md", PT_V(dir)), 65536, &text) == BZ_OK) {
        while (pt_line(&text, &line)) {
            if (pt_split(line, ':', &key, &v) && pt_is(pt_trim(key), "license")) {
                *ret = pt_trim(v);
                return ret->n > 0;
            }
        }
    }
    return false;
}

/* Licences that somebody has to decide about are not refused by name: only those that say "no commercial use". */
static bool allowed_licence(struct bz_view v) {
    return !pt_has(v, "-nc") && !pt_has(v, "noncommercial") && !pt_has(v, "non-commercial") &&
           !pt_has(v, "research") && !pt_is(v, "other") && !pt_is(v, "unknown");
}

static void d10_file(struct pt_ctx *c, struct pt_file *file) {
    struct bz_view said = {NULL, 0}, sidecar;
    bool have = has_licence_file(c->f, pt_dir(file->path), &said);
    if (pt_read(c->f->t, pt_path(c->f->t, "%.*s.license", PT_V(file->path)), 4096, &sidecar) ==
        BZ_OK) {
        have = true;
        said = pt_trim(sidecar);
    }
    if (!have)
        pt_look(c->f, file);
    if (!have && file->licence.n > 0) {
        have = true;
        said = file->licence;
    }
    bool looked =
        file->look == BZ_OK || file->look == BZ_ECORRUPT || !pt_starts(file->head, "GGUF");
    if (have && allowed_licence(said))
        pt_good(c);
    else if (have)
        pt_bad(c, "%.*s: its licence is '%.*s'", PT_V(file->path), PT_V(said));
    else if (looked)
        pt_bad(c, "%.*s: no licence is recorded in it or beside it", PT_V(file->path));
    else
        pt_unknown(c, "%.*s could not be looked at", PT_V(file->path));
}

static void d10(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->files.n; i++) {
        struct pt_file *file = &c->f->files.v[i];
        bool model = pt_starts(file->head, "GGUF") || pt_ends(file->path, ".gguf") ||
                     pt_ends(file->path, ".safetensors");
        if (file->tag == PT_F_MODEL && model && pt_find(file->path, "/blobs/sha256") == SIZE_MAX)
            d10_file(c, file);
    }
    limits_of_sweep(c);
}

/* ---- D06 to D09, D11, D12 ---- */

static struct bz_view between(struct pt_facts *f, const char *path, const char *mark) {
    struct bz_view text, v = {NULL, 0};
    enum bz_status st = pt_peek(f->t, path, BZ_POSTURE_FILE_MAX, &text);
    size_t at = st == BZ_OK || st == BZ_ETOOBIG ? pt_find(text, mark) : SIZE_MAX;
    if (at == SIZE_MAX)
        return v;
    at += strlen(mark);
    size_t n = at;
    while (n < text.n && n - at < 40 && text.p[n] > ' ' && text.p[n] < 0x7f &&
           strchr("\"'\\", text.p[n]) == NULL)
        n++;
    return bz_arena_dup(f->ar, bz_view_sub(text, at, n - at));
}

/* From the program's own build record, its package, an image's tag, a version file. */
static void ollama_versions(struct pt_ctx *c, struct pt_views *out) {
    static const char *const places[] = {"usr/local/bin/ollama", "usr/bin/ollama",
                                         "opt/ollama/bin/ollama"};
    static const char *const files[] = {"usr/share/ollama/version", "usr/share/ollama/VERSION",
                                        "usr/local/lib/ollama/VERSION", "var/lib/ollama/version",
                                        "opt/ollama/VERSION"};
    struct bz_view v;
    const struct pt_pkg *p = pt_package(c->f, "ollama");
    if (p != NULL)
        (void)pt_views_add(c->f->ar, out, p->version);
    for (size_t i = 0; i < 3; i++) {
        v = between(c->f, places[i], "version.Version=");
        if (v.n == 0)
            v = between(c->f, places[i], "ollama version is ");
        if (v.n > 0)
            (void)pt_views_add(c->f->ar, out, v);
    }
    for (size_t i = 0; i < 5; i++) {
        if (pt_read(c->f->t, files[i], 256, &v) == BZ_OK && pt_trim(v).n > 0)
            (void)pt_views_add(c->f->ar, out, pt_trim(v));
    }
    PT_EACH_WORK(c, w) {
        if (!pt_kind_is(w->kind, "ollama"))
            continue;
        if (w->src == PT_CTR && image_version(w->ctr->image).n > 0)
            (void)pt_views_add(c->f->ar, out, image_version(w->ctr->image));
        if (pt_env(w, "OLLAMA_VERSION", &v))
            (void)pt_views_add(c->f->ar, out, v);
    }
    for (size_t i = 0; i < c->f->gets.n; i++) {
        const struct pt_get *g = &c->f->gets.v[i];
        size_t at = pt_find(g->body, "\"version\":\"");
        if (!pt_kind_is(g->sock->kind, "ollama") || at == SIZE_MAX)
            continue;
        v = bz_view_sub(g->body, at + 11, 40);
        const uint8_t *end = v.n == 0 ? NULL : memchr(v.p, '"', v.n);
        if (end != NULL)
            (void)pt_views_add(c->f->ar, out, bz_view(v.p, (size_t)(end - v.p)));
    }
}

static bool installed(struct pt_ctx *c, const char *kind) {
    PT_EACH_WORK(c, w) {
        if (pt_kind_is(w->kind, kind))
            return true;
    }
    return false;
}

static void d06(struct pt_ctx *c) {
    struct pt_views all = {0};
    ollama_versions(c, &all);
    for (size_t i = 0; i < all.n; i++) {
        struct bz_view v = all.v[i];
        if (v.n > 1 && v.p[0] == 'v')
            v = bz_view_sub(v, 1, v.n);
        /* "0.17.1-1" is a package's revision, "0.17.1-rc1" comes before 0.17.1 */
        struct bz_view number, suffix = {NULL, 0};
        (void)pt_split(v, '-', &number, &suffix);
        bool revision = suffix.n > 0 && suffix.p[0] >= '0' && suffix.p[0] <= '9';
        int old = revision ? -1 : pt_older(c->f, "semver", v, "0.17.1");
        if (old < 0 && pt_find(v, ".") != SIZE_MAX) /* a package's */
            old = pt_older(c->f, "dpkg", v, "0.17.1");
        if (old > 0)
            pt_bad(c, "Ollama %.*s is older than 0.17.1", PT_V(v));
        else if (old < 0)
            pt_unknown(c, "Ollama %.*s: the version cannot be compared", PT_V(v));
        else
            pt_good(c);
    }
    if (all.n == 0 && installed(c, "ollama"))
        pt_unknown(c, "Ollama's version is not recorded");
}

static bool build_tag(struct bz_view text, struct bz_view *ret) {
    for (size_t i = 0; i + 4 < text.n; i++) {
        bool edge = i == 0 || strchr("-/:_. \"", text.p[i - 1]) != NULL;
        size_t n = i + 1;
        while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
            n++;
        if (text.p[i] == 'b' && edge && n - i >= 4 && n - i <= 7) {
            *ret = bz_view_sub(text, i, n - i);
            return true;
        }
    }
    return false;
}

static void llama_tag(struct pt_ctx *c, struct bz_view where, struct bz_view text) {
    struct bz_view tag;
    if (!build_tag(text, &tag))
        return;
    int old = pt_older(c->f, "llamacpp", tag, "b8146");
    if (old > 0)
        pt_bad(c, "%.*s: llama.cpp %.*s is older than b8146", PT_V(where), PT_V(tag));
    else if (old < 0)
        pt_unknown(c, "%.*s: build %.*s cannot be compared", PT_V(where), PT_V(tag));
    else
        pt_good(c);
}

static void d07_work(struct pt_ctx *c, const struct pt_work *w) {
    struct bz_view program = w->argv->n > 0 ? w->argv->v[0] : BZ_V(""), v;
    const char *path = pt_path(c->f->t, "%.*s", PT_V(program));
    if (w->src == PT_CTR)
        llama_tag(c, w->label, w->ctr->image);
    llama_tag(c, w->label, program);
    if (w->proc != NULL)
        llama_tag(c, w->label, w->proc->exe);
    v = between(c->f, path, "version: ");
    if (pt_num(v, 0) > 0)
        llama_tag(c, w->label, pt_fmt(c->f->ar, "b%.*s", PT_V(v)));
    v = between(c->f, path, "build_info: ");
    if (v.n > 0)
        llama_tag(c, w->label, v);
}

static void d07(struct pt_ctx *c) {
    static const char *const files[] = {
        "opt/llama.cpp/VERSION", "usr/local/share/llama.cpp/VERSION", "opt/llama.cpp/version",
        "usr/share/llama.cpp/VERSION", "opt/llama.cpp/build-info.txt"};
    struct bz_view v;
    const struct pt_pkg *p = pt_package(c->f, "llama.cpp");
    if (p == NULL)
        p = pt_package(c->f, "llama-server");
    if (p != NULL) {
        struct bz_view n = p->version, rest; /* Debian: "5882+dfsg-3" */
        (void)pt_split(p->version, '+', &n, &rest);
        (void)pt_split(n, '-', &n, &rest);
        while (n.n > 1 && pt_starts(n, "0.0."))
            n = bz_view_sub(n, 4, n.n);
        llama_tag(c, BZ_V("package llama.cpp"),
                  n.n > 0 && n.p[0] == 'b' ? n : pt_fmt(c->f->ar, "b%.*s", PT_V(n)));
    }
    for (size_t i = 0; i < 5; i++) {
        if (pt_read(c->f->t, files[i], 4096, &v) == BZ_OK)
            llama_tag(c, bz_view_str(files[i]), v);
    }
    PT_EACH_WORK(c, w) {
        if (pt_kind_is(w->kind, "llama-server") || pt_kind_is(w->kind, "llama-rpc"))
            d07_work(c, w);
    }
    for (size_t i = 0; i < c->f->gets.n; i++) {
        size_t at = pt_find(c->f->gets.v[i].body, "\"build_info\":\"");
        if (at != SIZE_MAX)
            llama_tag(c, BZ_V("GET /props"), bz_view_sub(c->f->gets.v[i].body, at + 14, 24));
    }
    const struct pt_dist *d = pt_python(c->f, "llama-cpp-python");
    if (d != NULL && pt_older(c->f, "pep440", d->version, "0.2.72") > 0)
        pt_bad(c, "llama-cpp-python %.*s is older than 0.2.72 (CVE-2024-34359)", PT_V(d->version));
    if (!c->good && !c->bad && !c->unknown && installed(c, "llama-server"))
        pt_unknown(c, "llama-server's build is not recorded");
}

static void d08(struct pt_ctx *c) {
    static const char *const bad_files[] = {"litellm_init.pth", "litellm_hook.pth", "teampcp.pth",
                                            NULL};
    for (size_t i = 0; i < c->f->dists.n; i++) {
        const struct pt_dist *d = &c->f->dists.v[i];
        if (!pt_has(d->name, "litellm") || d->name.n != 7)
            continue;
        if (pt_is(d->version, "1.82.7") || pt_is(d->version, "1.82.8"))
            pt_bad(c, "%.*s: LiteLLM %.*s carries a stealer", PT_V(d->dir), PT_V(d->version));
        else
            pt_good(c);
    }
    for (size_t i = 0; i < c->f->files.n; i++) {
        const struct pt_file *file = &c->f->files.v[i];
        if (file->tag != PT_F_PTH)
            continue;
        pt_good(c);
        if (pt_is_any(pt_base(file->path), bad_files))
            pt_bad(c, "%.*s is the file of the LiteLLM attack of March 2026", PT_V(file->path));
    }
    PT_EACH_WORK(c, w) {
        struct bz_view v = w->src == PT_CTR ? image_version(w->ctr->image) : bz_view(NULL, 0);
        if (pt_kind_is(w->kind, "litellm") && (pt_starts(v, "1.82.7") || pt_starts(v, "1.82.8")))
            pt_bad(c, "%.*s: LiteLLM %.*s carries a stealer", PT_V(w->label), PT_V(v));
    }
    limits_of_sweep(c);
}

static bool pinned(struct bz_view image) {
    return pt_find(image, "@sha256:") != SIZE_MAX || pt_starts(image, "sha256:");
}

static void d09_modelfile(struct pt_ctx *c, const struct pt_file *file) {
    struct bz_view text = file->text, line, w;
    if (!pt_starts(pt_base(file->path), "Modelfile"))
        return;
    while (pt_line(&text, &line)) {
        struct bz_view l = pt_trim(line), left, tag;
        if (!pt_word(&l, &w) || !bz_view_eq_nocase(w, BZ_V("FROM")) || !pt_word(&l, &w))
            continue;
        bool file_or_digest = w.p[0] == '/' || w.p[0] == '.' || pt_find(w, "sha256") != SIZE_MAX ||
                              pt_ends(w, ".gguf");
        bool loose = !pt_split(pt_base(w), ':', &left, &tag) || pt_is(tag, "latest");
        if (!file_or_digest && loose)
            pt_bad(c, "%.*s: %.*s", PT_V(file->path), PT_V(pt_trim(line)));
        else
            pt_good(c);
    }
}

static void d09(struct pt_ctx *c) {
    if (c->f->ctr_denied)
        pt_unknown(c, "the configuration of containers cannot be read");
    for (size_t i = 0; i < c->f->ctrs.n; i++) {
        const struct pt_ctr *k = &c->f->ctrs.v[i];
        if (k->kind == NULL || k->image.n == 0)
            continue;
        if (pinned(k->image))
            pt_good(c);
        else
            pt_bad(c, "%s %.*s: image %.*s has no digest",
                   k->compose ? "compose service" : "container", PT_V(k->name), PT_V(k->image));
    }
    PT_EACH_WORK(c, w) {
        struct bz_view image, last;
        if (w->src != PT_UNIT)
            continue;
        if (w->unit->quadlet && pt_unit_get(w->unit, "Container", "Image", &image) &&
            !pinned(image))
            pt_bad(c, "%.*s: Image=%.*s has no digest", PT_V(w->unit->path), PT_V(image));
        bool runs = w->argv->n > 1 && (pt_is(pt_base(w->argv->v[0]), "docker") ||
                                       pt_is(pt_base(w->argv->v[0]), "podman"));
        for (size_t i = 1; runs && i < w->argv->n; i++) {
            last = w->argv->v[i];
            if (last.p != NULL && last.n > 0 && last.p[0] != '-' && last.p[0] != '/' &&
                pt_find(last, "/") != SIZE_MAX && pt_find(last, "=") == SIZE_MAX &&
                pt_find(last, ":/") == SIZE_MAX && !pinned(last))
                pt_bad(c, "%.*s: image %.*s has no digest", PT_V(w->unit->path), PT_V(last));
        }
    }
    for (size_t i = 0; i < c->f->files.n; i++) {
        if (c->f->files.v[i].tag == PT_F_CONFIG_KEYS)
            d09_modelfile(c, &c->f->files.v[i]);
    }
}

static void d11(struct pt_ctx *c) {
    struct bz_view v;
    PT_EACH_WORK(c, w) {
        bool hub = pt_kind_in(w->kind, "vllm sglang tgi tei lmdeploy xinference aphrodite textgen");
        bool llama =
            pt_kind_is(w->kind, "llama-server") &&
            pt_opt(w, "-hf|-hfr|--hf-repo|-mu|--model-url|-hff|--hf-file|-dr|--docker-repo", &v);
        if (!hub && !llama) {
            if (pt_kind_is(w->kind, "llama-server") && w->argv_known)
                pt_good(c);
            continue;
        }
        bool off =
            pt_flag(w, "--offline") ||
            (pt_env(w, "HF_HUB_OFFLINE|TRANSFORMERS_OFFLINE|LLAMA_OFFLINE|LLAMA_ARG_OFFLINE", &v) &&
             pt_true(v));
        if (off)
            pt_good(c);
        else if (!w->env_known || !w->argv_known)
            pt_unknown(c, "%.*s: its arguments or environment cannot be read", PT_V(w->label));
        else
            pt_bad(c, "%.*s may fetch models while it runs", PT_V(w->label));
    }
}

static void d12(struct pt_ctx *c) {
    static const char *const known[] = {"registry.ollama.ai", "hf.co", "huggingface.co", NULL};
    for (size_t i = 0; i < c->f->registries.n; i++) {
        struct bz_view host = c->f->registries.v[i].dir;
        if (pt_is_any(host, known))
            pt_good(c);
        else
            pt_bad(c, "models were pulled from %.*s", PT_V(host));
    }
    PT_EACH_WORK(c, w) {
        if (!pt_kind_is(w->kind, "ollama") ||
            (w->src == PT_CTR && !w->ctr->host_net && !w->ctr->net_none))
            continue;
        if (pt_egress_closed(c->f, w, false))
            pt_good(c);
        else if (c->f->fw.denied)
            pt_unknown(c, "a ruleset cannot be read");
        else
            pt_bad(c, "%.*s may pull from any registry: nothing limits where it connects",
                   PT_V(w->label));
    }
}

const struct pt_check pt_checks_d[] = {
    PT_ROW("D01", "Model files may be written by the server or by everybody", HIGH,
           "Who can write the file decides what the model says after the next start.",
           "Let root own models and their folders, mode 0755 and 0644, mounted read-only.",
           "SI-7, LLM03, LLM04", d01),
    PT_ROW("D02", "A loaded model is not an approved one", CRITICAL,
           "What answers is not what was checked.",
           "Stop it; approve the file ('bartizan model add') or restore it.", "SI-7, AISVS 3.1.3",
           d02),
    PT_ROW("D03", "Model files in a format that runs code", HIGH,
           "Pickles and what contains them run code when they are loaded.",
           "Keep safetensors and GGUF alone.", "AISVS 4.1.2", d03),
    PT_ROW("D04", "Code that comes with a model is trusted", CRITICAL,
           "trust_remote_code runs Python of the model's author; older vLLM ran it even without "
           "(CVE-2025-66448, "
           "CVE-2026-22807, CVE-2026-4944, CVE-2026-27893).",
           "Remove --trust-remote-code and the Python files; upgrade vLLM to 0.18.0 or newer.",
           "LLM03, CVE-2025-66448, CVE-2026-22807", d04),
    PT_ROW("D05", "A GGUF file is malformed, or its template is an attack", CRITICAL,
           "Offsets beyond the file, absurd counts and template tricks are how a model file takes "
           "over its loader.",
           "Remove the file; 'bartizan scan' tells more.", "SI-10, AISVS 6.1.1", d05),
    PT_ROW("D06", "Ollama is older than 0.17.1", CRITICAL,
           "CVE-2026-7482 reads the server's memory without a login; CVE-2024-37032 writes files.",
           "Upgrade to 0.17.1 or newer.", "SI-2, CVE-2026-7482, CVE-2024-37032", d06),
    PT_ROW("D07", "llama.cpp is older than b8146", CRITICAL,
           "CVE-2026-27940 (GGUF parser) and CVE-2026-21869 (negative n_discard).",
           "Upgrade to b8146 or newer; keep the gateway in front of it.",
           "SI-2, CVE-2026-27940, CVE-2026-21869", d07),
    PT_ROW("D08", "A backdoored LiteLLM was installed", CRITICAL,
           "1.82.7 and 1.82.8 sent all secrets of the machine away when Python started.",
           "Treat it as an incident: take the machine off the network, replace every secret, then "
           "reinstall.",
           "SI-3", d08),
    PT_ROW("D09", "Images or models without a digest", MEDIUM,
           "A tag means something else tomorrow.",
           "Pin images as NAME@sha256:..., models to a file or digest.", "CM-2, AISVS 6.1.3", d09),
    PT_ROW("D10", "A model's licence is not recorded or does not allow its use", MEDIUM,
           "Nobody can say whether it may be used.",
           "Put a LICENSE file beside it, or a NAME.license file with its SPDX id.", "AISVS 6.2.1",
           d10),
    PT_ROW("D11", "Servers fetch models while they run", MEDIUM,
           "What runs may change from outside.", "Set HF_HUB_OFFLINE=1, or --offline.", "SC-7",
           d11),
    PT_ROW("D12", "Models may be pulled from any registry", HIGH,
           "Ollama pulls from whatever host a request names.",
           "Limit its egress; keep /api/pull from users (the gateway does).", "AISVS 6.1.2", d12),
};
const size_t pt_checks_d_n = sizeof pt_checks_d / sizeof pt_checks_d[0];
