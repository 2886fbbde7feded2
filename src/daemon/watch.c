/* What the processes behind the backends have mapped, against what was approved.
 *
 *   backend -> listener -> its processes -> mapped and open files -> those that can hold weights -> digest -> approved?
 *
 * One file that is not approved, was replaced under the process or cannot be read is enough; so is a server without any
 * file to be seen. A digest is made once per state of a file (device, inode, size, ctime; with fs-verity the kernel's own
 * digest instead of ctime). That a file was changed or replaced under a running process stays held against that process:
 * what it took over before is in its memory. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <bartizan/text.h>

#include "templates.h"
#include "watch_int.h"

enum verdict { LOOK_NONE, LOOK_AWAY, LOOK_GOOD, LOOK_WAIT, LOOK_BAD, LOOK_BLIND };
static const char *const verdict_names[] = {"not looked at", "not running",  "approved",
                                            "being hashed",  "not approved", "not assessable"};

struct look { /* one backend */
    enum verdict verdict;
    enum verdict told; /* in the log and the audit record */
    char why[WATCH_WHY];
    uint64_t next_ns;
    uint64_t files; /* that hold weights */
    pid_t pid;      /* the listener */
    uint64_t begun;
    bool met_good; /* this process had an approved file: it may have closed it since */
    bool tainted;  /* a file of this process was changed or replaced */
    char taint[WATCH_WHY];
    struct watch_id held[64]; /* states of files that this process had when they were approved */
    size_t held_n;
    char url[512];
    enum bz_registry_mode mode;
};

struct bz_model_watch {
    struct watch_hasher *hasher;
    struct watch_file *files;
    size_t files_n;
    uint64_t turn;
    struct look look[BZ_BACKENDS_MAX];
    bool again;
};

/* ---- files that are known ---- */

static bool same_file(const struct watch_id *a, const struct watch_id *b) {
    return a->dev == b->dev && a->ino == b->ino;
}

static bool same_state(const struct watch_id *a, const struct watch_id *b) {
    return same_file(a, b) && a->size == b->size && a->ctime_ns == b->ctime_ns &&
           a->mtime_ns == b->mtime_ns;
}

static struct watch_file *find(struct bz_model_watch *w, const struct watch_id *id) {
    for (size_t i = 0; i < w->files_n; i++)
        if (same_state(&w->files[i].id, id))
            return &w->files[i];
    return NULL;
}

/* A place for a new state of a file: an older state of the same file, a free one, or the one not seen for longest. */
static struct watch_file *place(struct bz_model_watch *w, const struct watch_id *id) {
    struct watch_file *best = NULL;
    for (size_t i = 0; i < w->files_n && best == NULL; i++)
        if (same_file(&w->files[i].id, id))
            best = &w->files[i];
    if (best == NULL && w->files_n < WATCH_FILES_MAX)
        best = &w->files[w->files_n++];
    for (size_t i = 0; i < w->files_n && best == NULL; i++)
        if (w->files[i].kind != WATCH_HASHING)
            best = &w->files[i];
    for (size_t i = 0; i < w->files_n && best != NULL && w->files_n == WATCH_FILES_MAX; i++)
        if (w->files[i].kind != WATCH_HASHING && w->files[i].seen < best->seen &&
            !same_file(&best->id, id))
            best = &w->files[i];
    if (best != NULL)
        *best = (struct watch_file){.id = *id, .kind = WATCH_NEW, .seen = w->turn};
    return best;
}

/* With fs-verity the bytes cannot have changed, whatever happened to links and times. */
static struct watch_file *find_by_verity(struct bz_model_watch *w, const struct watch_found *f) {
    uint8_t digest[64];
    for (size_t i = 0; i < w->files_n; i++) {
        struct watch_file *k = &w->files[i];
        if (k->kind != WATCH_HASHED || !k->verity || !same_file(&k->id, &f->id) ||
            k->id.size != f->id.size)
            continue;
        if (!watch_verity(f->fd, digest) ||
            !bz_ct_equal(bz_view(digest, 64), bz_view(k->verity_digest, 64)))
            return NULL;
        k->id = f->id;
        return k;
    }
    return NULL;
}

static void take_digests(struct bz_model_watch *w) {
    struct watch_id id;
    uint8_t sha256[BZ_HASH_LEN];
    bool ok = false;
    while (watch_hasher_get(w->hasher, &id, sha256, &ok)) {
        struct watch_file *f = find(w, &id);
        if (f == NULL)
            continue;
        f->kind = ok ? WATCH_HASHED : WATCH_FAILED;
        memcpy(f->sha256, sha256, sizeof f->sha256);
        w->again = true;
    }
}

/* ---- one backend ---- */

struct looking {
    struct bz_daemon *d;
    struct bz_model_watch *w;
    struct look *l;
    enum verdict verdict; /* rises */
    char why[WATCH_WHY];
    uint64_t files;
    uint32_t backend;
};

static void judge(struct looking *g, enum verdict v, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void judge(struct looking *g, enum verdict v, const char *fmt, ...) {
    va_list ap;
    if (v <= g->verdict)
        return;
    g->verdict = v;
    va_start(ap, fmt);
    (void)vsnprintf(g->why, sizeof g->why, fmt, ap);
    va_end(ap);
}

static bool known_plain(void *ctx, const struct watch_id *id) {
    const struct looking *g = ctx;
    struct watch_file *f = find(g->w, id);
    if (f == NULL || f->kind != WATCH_PLAIN)
        return false;
    f->seen = g->w->turn;
    return true;
}

static void on_plain(void *ctx, const struct watch_id *id) {
    const struct looking *g = ctx;
    struct watch_file *f = place(g->w, id);
    if (f != NULL)
        f->kind = WATCH_PLAIN;
}

static void taint(struct looking *g, const char *what, const struct watch_found *f) {
    struct look *l = g->l;
    if (!l->tainted)
        (void)snprintf(l->taint, sizeof l->taint,
                       "%.200s %s under process %d; restart the model server from approved files",
                       f->path, what, (int)f->pid);
    l->tainted = true;
}

/* The state in which this process had the file when it was approved; NULL: it had not. */
static const struct watch_id *held_as(const struct look *l, const struct watch_id *id) {
    for (size_t i = 0; i < l->held_n; i++)
        if (same_file(&l->held[i], id))
            return &l->held[i];
    return NULL;
}

static void hold(struct look *l, const struct watch_id *id) {
    for (size_t i = 0; i < l->held_n; i++) {
        if (same_file(&l->held[i], id)) {
            l->held[i] = *id;
            return;
        }
    }
    if (l->held_n < sizeof l->held / sizeof l->held[0])
        l->held[l->held_n++] = *id;
}

static enum bz_status start_hash(struct looking *g, struct watch_file *k,
                                 const struct watch_found *f) {
    int fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 3);
    k->verity = watch_verity(f->fd, k->verity_digest);
    enum bz_status st = fd < 0 ? BZ_EIO : watch_hasher_put(g->w->hasher, fd, &k->id);
    k->kind = st == BZ_OK ? WATCH_HASHING : WATCH_FAILED;
    return st;
}

static void put_short(char out[20], const uint8_t sha256[BZ_HASH_LEN]) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, out, 16);
    bz_buf_put_hex(&b, bz_view(sha256, 8));
    out[16] = '\0';
}

static void judge_digest(struct looking *g, const struct watch_file *k,
                         const struct watch_found *f) {
    char hex[20];
    if (bz_registry_approved(g->d->registry, k->sha256)) {
        g->l->met_good = true;
        if (held_as(g->l, &f->id) == NULL)
            bz_templates_file(g->d, g->backend, f->fd, f->path);
        hold(g->l, &f->id);
        judge(g, LOOK_GOOD, "%s", "");
        return;
    }
    const struct watch_id *before = held_as(g->l, &f->id);
    if (before != NULL && !same_state(before, &f->id))
        taint(g, "was changed", f);
    put_short(hex, k->sha256);
    judge(g, LOOK_BAD, "%.200s (SHA-256 %s...), which process %d serves, is not approved", f->path,
          hex, (int)f->pid);
}

static enum bz_status on_file(void *ctx, const struct watch_found *f) {
    struct looking *g = ctx;
    g->files++;
    if (f->replaced) {
        taint(g, "was replaced or removed", f);
        return BZ_OK;
    }
    struct watch_file *k = find(g->w, &f->id);
    if (k == NULL)
        k = find_by_verity(g->w, f);
    bool fresh = k == NULL;
    if (fresh)
        k = place(g->w, &f->id);
    if (k == NULL)
        return BZ_ETOOBIG;
    k->seen = g->w->turn;
    if (fresh || k->kind == WATCH_NEW || k->kind == WATCH_PLAIN || k->kind == WATCH_FAILED)
        (void)!start_hash(g, k, f);
    if (k->kind == WATCH_HASHED)
        judge_digest(g, k, f);
    else if (k->kind == WATCH_HASHING)
        judge(g, LOOK_WAIT, "%.200s is being hashed", f->path);
    else
        judge(g, LOOK_BAD, "%.200s changes or cannot be read", f->path);
    return BZ_OK;
}

static void look_into(struct looking *g, uint32_t i) {
    struct watch_pids pids;
    const struct watch_visit visit = {g, known_plain, on_plain, on_file};
    enum bz_status st =
        watch_find(&g->d->config->backends[i], g->d->backend[i].address, &pids, g->why);
    if (st != BZ_OK) {
        g->verdict = st == BZ_ENOTFOUND ? LOOK_AWAY : LOOK_BLIND;
        return;
    }
    struct look *l = g->l;
    if (l->pid != pids.v[0] || l->begun != pids.begun) { /* another process: a new account */
        l->pid = pids.v[0];
        l->begun = pids.begun;
        l->met_good = l->tainted = false;
        l->held_n = 0;
        bz_templates_forget(g->d, i);
    }
    for (size_t k = 0; k < pids.n && st == BZ_OK; k++) {
        char why[WATCH_WHY] = "";
        st = watch_files(pids.v[k], &visit, why);
        if (st != BZ_OK)
            judge(g, LOOK_BLIND, "%s", why);
    }
    if (g->files == 0 && g->verdict == LOOK_NONE && l->met_good)
        judge(g, LOOK_GOOD, "%s", "");
    if (g->files == 0 && !l->met_good && g->d->backend[i].type == BZ_SERVER_OLLAMA)
        judge(g, LOOK_GOOD, "%s",
              ""); /* it loads when asked, and only approved models are listed */
    else if (g->files == 0 && !l->met_good)
        judge(g, LOOK_BLIND,
              "process %d has no model file mapped or open: it read it into memory before anybody "
              "could look (llama-server: --load-mode mmap)",
              (int)l->pid);
    if (l->tainted) {
        g->verdict = LOOK_BAD;
        (void)snprintf(g->why, sizeof g->why, "%s", l->taint);
    }
}

/* ---- what follows ---- */

static void alert(struct bz_daemon *d, uint32_t i, const struct look *l) {
    char detail[600];
    struct bz_buf b;
    bool good = l->verdict == LOOK_GOOD;
    const char *name = d->backend[i].name;
    bz_buf_init_fixed(&b, detail, sizeof detail);
    bz_buf_printf(&b, "backend %s: %s%s%s", name, verdict_names[l->verdict],
                  l->why[0] == '\0' ? "" : ": ", l->why);
    bz_log("%s%.*s", good ? "" : "ALERT: ", (int)b.n, (const char *)b.p);
    (void)!bz_journal_admin(d, BZ_V("bartizand"), "model.check", bz_buf_view(&b),
                            good ? "allow" : "refuse");
}

static void take_look(struct bz_daemon *d, uint32_t i, const struct looking *g) {
    struct look *l = g->l;
    bool changed = l->verdict != g->verdict || strcmp(l->why, g->why) != 0;
    bool tell = g->verdict != l->told && g->verdict > LOOK_AWAY && g->verdict != LOOK_WAIT;
    l->files = g->files;
    if (!changed)
        return;
    l->verdict = g->verdict;
    (void)snprintf(l->why, sizeof l->why, "%s", g->why);
    if (tell) {
        l->told = g->verdict;
        alert(d, i, l);
    }
    bz_health_recheck(d, i);
}

static void look_at(struct bz_daemon *d, uint32_t i, uint64_t now) {
    struct bz_model_watch *w = bz_registry_watch(d->registry);
    struct looking *g = calloc(1, sizeof *g);
    struct look *l = &w->look[i];
    l->next_ns = now + (uint64_t)d->config->registry.check_s * 1000000000u;
    if (g == NULL)
        return;
    *g = (struct looking){.d = d, .w = w, .l = l, .verdict = LOOK_NONE, .backend = i};
    look_into(g, i);
    if (g->verdict == LOOK_WAIT)
        l->next_ns = now + 50000000u;
    take_look(d, i, g);
    free(g);
}

static bool watched(const struct bz_daemon *d, uint32_t i) {
    return d->registry != NULL && d->config->registry.mode != BZ_REGISTRY_OFF &&
           !d->backend[i].retired && d->backend[i].type != BZ_SERVER_MCP;
}

void bz_registry_turn(struct bz_daemon *d, uint64_t now) {
    struct bz_model_watch *w = d->registry == NULL ? NULL : bz_registry_watch(d->registry);
    if (w == NULL)
        return;
    take_digests(w);
    w->turn++;
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        struct look *l = &w->look[i];
        bool same =
            strcmp(l->url, d->config->backends[i].url) == 0 && l->mode == d->config->registry.mode;
        if (!same) { /* another backend, or another mode */
            *l = (struct look){.mode = d->config->registry.mode};
            (void)snprintf(l->url, sizeof l->url, "%s", d->config->backends[i].url);
            bz_health_recheck(d, i);
        }
        if (watched(d, i) && (now >= l->next_ns || (w->again && l->verdict == LOOK_WAIT)))
            look_at(d, i, now);
    }
    w->again = false;
}

void bz_registry_guard(struct bz_daemon *d) {
    for (uint32_t i = 0; d->config != NULL && i < d->config->backends_n; i++) {
        if (!d->backend[i].retired && d->backend[i].health != BZ_HEALTH_UNSAFE &&
            (bz_registry_barred(d, i) != NULL || bz_posture_barred(d) != NULL))
            bz_health_recheck(d, i);
    }
}

uint64_t bz_registry_next(const struct bz_daemon *d) {
    uint64_t best = UINT64_MAX;
    if (d->registry == NULL)
        return best;
    const struct bz_model_watch *w = bz_registry_watch(d->registry);
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        if (watched(d, i) && w->look[i].next_ns < best)
            best = w->look[i].next_ns;
    }
    return best;
}

void bz_registry_look(struct bz_daemon *d) {
    struct bz_model_watch *w = d->registry == NULL ? NULL : bz_registry_watch(d->registry);
    for (uint32_t i = 0; w != NULL && i < BZ_BACKENDS_MAX; i++)
        w->look[i].next_ns = d->backend[i].next_ns = 0;
}

const char *bz_registry_barred(const struct bz_daemon *d, uint32_t i) {
    if (d->config != NULL && d->config->backends[i].type == BZ_SERVER_MCP)
        return NULL; /* has no model files */
    if (d->config == NULL || d->config->registry.mode != BZ_REGISTRY_ENFORCE)
        return NULL;
    if (d->registry == NULL)
        return "the registry of models cannot be opened, so nothing is approved";
    const struct look *l = &bz_registry_watch(d->registry)->look[i];
    if (strcmp(l->url, d->config->backends[i].url) != 0)
        return "its model files have not been looked at yet";
    if (l->verdict == LOOK_GOOD)
        return NULL;
    return l->verdict == LOOK_NONE ? "its model files have not been looked at yet" : l->why;
}

bool bz_registry_vet(const struct bz_daemon *d, struct bz_view digest) {
    uint8_t h[BZ_HASH_LEN];
    size_t n = 0;
    if (d->config == NULL || d->config->registry.mode != BZ_REGISTRY_ENFORCE)
        return true;
    return bz_hex_decode(digest, h, sizeof h, &n) == BZ_OK && n == sizeof h &&
           bz_registry_approved(d->registry, h);
}

void bz_registry_put_backend(struct bz_jw *w, const struct bz_daemon *d, uint32_t i) {
    if (!watched(d, i))
        return;
    const struct look *l = &bz_registry_watch(d->registry)->look[i];
    bz_jw_key(w, "registry");
    bz_jw_obj(w);
    bz_jw_kstr(w, "verdict", bz_view_str(verdict_names[l->verdict]));
    bz_jw_kstr(w, "why", bz_view_str(l->why));
    bz_jw_ku64(w, "files", l->files);
    bz_jw_ku64(w, "pid", (uint64_t)l->pid);
    bz_jw_end(w);
}

/* ---- life ---- */

enum bz_status bz_model_watch_new(struct bz_model_watch **ret) {
    struct bz_model_watch *w = calloc(1, sizeof *w);
    if (w == NULL)
        return BZ_ENOMEM;
    w->files = calloc(WATCH_FILES_MAX, sizeof *w->files);
    enum bz_status st = w->files == NULL ? BZ_ENOMEM : watch_hasher_new(&w->hasher);
    if (st != BZ_OK) {
        bz_model_watch_free(w);
        return st;
    }
    *ret = w;
    return BZ_OK;
}

void bz_model_watch_free(struct bz_model_watch *w) {
    if (w == NULL)
        return;
    watch_hasher_free(w->hasher);
    free(w->files);
    free(w);
}
