/* Which digests may be served: the files of approved models whose manifest and signature are sound. */
#include "registry.h"

#include <errno.h>
#include <stdlib.h>

enum { KEY_MAX = 1 << 20, ARENA_MAX = 1 << 30 };

struct digest {
    uint8_t b[BZ_HASH_LEN];
};
struct digests { /* sorted */
    struct digest *v;
    size_t n, cap;
};
struct bz_registry {
    struct bz_modelstore *rows;
    struct bz_buf public; /* PEM */
    struct digests approved;
    struct bz_model_watch *watch;
};

/* ---- sets ---- */

static int by_bytes(const void *a, const void *b) {
    const struct digest *x = a, *y = b;
    return memcmp(x->b, y->b, sizeof x->b);
}

static bool add(struct digests *s, const uint8_t sha256[BZ_HASH_LEN]) {
    if (s->n == s->cap) {
        size_t cap = s->cap == 0 ? 256 : 2 * s->cap;
        struct digest *more = reallocarray(s->v, cap, sizeof *more);
        if (more == NULL)
            return false;
        s->v = more;
        s->cap = cap;
    }
    memcpy(s->v[s->n++].b, sha256, BZ_HASH_LEN);
    return true;
}

static bool has(const struct digests *s, const uint8_t sha256[BZ_HASH_LEN]) {
    return s->n > 0 && bsearch(sha256, s->v, s->n, sizeof *s->v, by_bytes) != NULL;
}

static void sort(struct digests *s) {
    if (s->n > 0)
        qsort(s->v, s->n, sizeof *s->v, by_bytes);
}

/* ---- key ---- */

static enum bz_status make_key(struct bz_daemon *d) {
    struct bz_sig_key *k = NULL;
    struct bz_buf pem;
    bz_buf_init(&pem, KEY_MAX);
    enum bz_status st = bz_sig_key_make(&k);
    if (st == BZ_OK)
        st = bz_sig_key_private(k, &pem);
    if (st == BZ_OK)
        st = bz_file_create(d->in.fd, BZ_F_MODEL_KEY, bz_buf_view(&pem), 0600);
    bz_buf_wipe_free(&pem);
    bz_sig_key_free(k);
    return st;
}

static enum bz_status load_key(struct bz_daemon *d, struct bz_registry *r) {
    struct bz_sig_key *k = NULL;
    struct bz_buf pem;
    bz_buf_init(&pem, KEY_MAX);
    enum bz_status st = bz_file_read(d->in.fd, BZ_F_MODEL_KEY, &pem);
    if (st == BZ_ENOTFOUND) {
        BZ_TRY(make_key(d));
        st = bz_file_read(d->in.fd, BZ_F_MODEL_KEY, &pem);
    }
    if (st == BZ_OK)
        st = bz_sig_key_pem(bz_buf_view(&pem), bz_view(NULL, 0), &k);
    if (st == BZ_OK)
        st = bz_sig_key_public(k, &r->public);
    if (st == BZ_OK)
        st = bz_file_write(d->in.fd, BZ_F_MODEL_PUBLIC, bz_buf_view(&r->public), 0644,
                           BZ_FILE_NO_SYNC);
    bz_buf_wipe_free(&pem);
    bz_sig_key_free(k);
    return st;
}

/* ---- loading ---- */

struct loading {
    struct bz_daemon *d;
    struct bz_registry *r;
    struct digests approved, needed;
    char (*ids)[BZ_MODEL_ID + 1];
    enum bz_model_state *states;
    size_t n, cap;
};

static enum bz_status note_row(void *ctx, const struct bz_modelstore_model *m) {
    struct loading *l = ctx;
    enum bz_model_state s;
    if (!bz_model_state_of(bz_view_str(m->state), &s) || strlen(m->id) != BZ_MODEL_ID)
        return BZ_ECORRUPT;
    if (s == BZ_MODEL_REJECTED || s == BZ_MODEL_RETIRED)
        return BZ_OK;
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
        void *ids = reallocarray(l->ids, cap, sizeof *l->ids);
        if (ids != NULL)
            l->ids = ids;
        void *states = ids == NULL ? NULL : reallocarray(l->states, cap, sizeof *l->states);
        if (states == NULL)
            return BZ_ENOMEM;
        l->states = states;
        l->cap = cap;
    }
    memcpy(l->ids[l->n], m->id, BZ_MODEL_ID + 1);
    l->states[l->n++] = s;
    return BZ_OK;
}

static bool id_is(const char *id, struct bz_view manifest) {
    uint8_t h[BZ_HASH_LEN];
    char hex[BZ_MODEL_ID];
    struct bz_buf b;
    bz_sha256(manifest, h);
    bz_buf_init_fixed(&b, hex, sizeof hex);
    bz_buf_put_hex(&b, bz_view(h, sizeof h));
    return bz_view_eq(bz_buf_view(&b), bz_view_str(id));
}

enum bz_status bz_registry_sound(const struct bz_registry *r, const char *id,
                                 struct bz_view manifest, struct bz_view signature,
                                 struct bz_arena *ar, struct bz_manifest *ret,
                                 const char **ret_why) {
    const struct bz_sig_trust trust = {.key = bz_buf_view(&r->public)};
    struct bz_sig_result sig;
    struct bz_diag diag = {0, NULL};
    if (!id_is(id, manifest)) {
        *ret_why = "its manifest was changed";
        return BZ_ECORRUPT;
    }
    enum bz_status st = bz_manifest_parse(manifest, ar, ret, &diag);
    if (st == BZ_OK)
        st = bz_bundle_verify(signature, &trust, ar, &sig, &diag);
    *ret_why = diag.why == NULL ? bz_status_text(st) : diag.why;
    if (st != BZ_OK)
        return st;
    *ret_why = "its signature is about other files";
    if (sig.statement.items_n != ret->files_n || sig.statement.hash != BZ_MODEL_SHA256)
        return BZ_ECORRUPT;
    for (size_t i = 0; i < ret->files_n; i++) {
        const struct bz_model_item *it = &sig.statement.items[i];
        if (!bz_view_eq(it->name, ret->files[i].name) ||
            !bz_ct_equal(bz_view(it->digest, BZ_HASH_LEN),
                         bz_view(ret->files[i].sha256, BZ_HASH_LEN)))
            return BZ_ECORRUPT;
    }
    return BZ_OK;
}

struct one {
    struct loading *l;
    enum bz_model_state state;
};

static enum bz_status load_one(void *ctx, const struct bz_modelstore_model *m) {
    const struct one *o = ctx;
    struct loading *l = o->l;
    struct bz_manifest man;
    struct bz_arena ar;
    const char *why = NULL;
    bz_arena_init(&ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    enum bz_status st = bz_registry_sound(l->r, m->id, m->manifest, m->signature, &ar, &man, &why);
    bool ok = true;
    if (st != BZ_OK) {
        bz_log("model %.12s of the registry cannot be used: %s", m->id, why);
        (void)!bz_journal_admin(l->d, BZ_V("bartizand"), "model.unsound", bz_view_str(m->id),
                                "refuse");
    }
    for (size_t i = 0; i < man.files_n && st == BZ_OK && ok; i++) {
        ok = add(&l->needed, man.files[i].sha256) &&
             (o->state != BZ_MODEL_APPROVED || add(&l->approved, man.files[i].sha256));
    }
    if (st == BZ_OK && ok && o->state == BZ_MODEL_APPROVED &&
        bz_registry_serve(l->d, m->id, &man, m->signature) != BZ_OK)
        bz_log("the folder of model %s cannot be made: %s", m->name, strerror(errno));
    bz_arena_free(&ar);
    return ok ? BZ_OK : BZ_ENOMEM;
}

static bool is_needed(void *ctx, const uint8_t sha256[BZ_HASH_LEN]) {
    return has(ctx, sha256);
}

static enum bz_status load_rows(struct loading *l) {
    BZ_TRY(bz_modelstore_list(l->r->rows, note_row, l));
    for (size_t i = 0; i < l->n; i++) {
        struct one o = {l, l->states[i]};
        BZ_TRY(bz_modelstore_get(l->r->rows, l->ids[i], load_one, &o));
    }
    return BZ_OK;
}

enum bz_status bz_registry_load(struct bz_daemon *d) {
    struct loading l = {.d = d, .r = d->registry};
    if (d->registry == NULL)
        return BZ_EUNAVAIL;
    enum bz_status st = load_rows(&l);
    if (st == BZ_OK) {
        sort(&l.approved);
        sort(&l.needed);
        free(l.r->approved.v);
        l.r->approved = l.approved;
        l.approved = (struct digests){NULL, 0, 0};
        bz_registry_sweep(d, is_needed, &l.needed);
        bz_registry_look(d);
    }
    free(l.approved.v);
    free(l.needed.v);
    free(l.ids);
    free(l.states);
    return st;
}

bool bz_registry_approved(const struct bz_registry *r, const uint8_t sha256[BZ_HASH_LEN]) {
    return r != NULL && has(&r->approved, sha256);
}

struct bz_modelstore *bz_registry_rows(struct bz_registry *r) {
    return r->rows;
}

struct bz_view bz_registry_public(const struct bz_registry *r) {
    return bz_buf_view(&r->public);
}

struct bz_model_watch *bz_registry_watch(struct bz_registry *r) {
    return r->watch;
}

/* ---- life ---- */

static enum bz_status open_all(struct bz_daemon *d, struct bz_registry *r) {
    char path[BZ_DIR_PATH_MAX];
    if (!bz_instance_path(&d->in, BZ_F_MODEL_ROWS, path))
        return BZ_ETOOBIG;
    BZ_TRY(bz_modelstore_open(path, &r->rows));
    BZ_TRY(load_key(d, r));
    return bz_model_watch_new(&r->watch);
}

static void close_all(struct bz_registry *r) {
    bz_model_watch_free(r->watch);
    bz_modelstore_close(r->rows);
    bz_buf_free(&r->public);
    free(r->approved.v);
    free(r);
}

void bz_registry_start(struct bz_daemon *d) {
    struct bz_registry *r = calloc(1, sizeof *r);
    if (r == NULL)
        return;
    bz_buf_init(&r->public, KEY_MAX);
    enum bz_status st = open_all(d, r);
    if (st == BZ_OK) {
        d->registry = r;
        st = bz_registry_load(d);
    }
    if (st == BZ_OK)
        return;
    bz_log("the registry of models cannot be used: %s", bz_status_text(st));
    d->registry = NULL;
    close_all(r);
}

void bz_registry_stop(struct bz_daemon *d) {
    if (d->registry != NULL)
        close_all(d->registry);
    d->registry = NULL;
}
