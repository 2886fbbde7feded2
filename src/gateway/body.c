/* What needs the body: strict parse, model, backends, parameters, limits, and the canonical body
 * that is forwarded. */
#include "judge.h"
#include "toolgate.h"

/* Texts of ours: a prompt, alone and before what is the client's; untrusted text with marks in it. */
#define OWN_BASE (4 * (size_t)BZ_PROMPT_TEXT_MAX + (256u << 10))
#define OWN_FACTOR 12
#define EDIT_ROOM 256 /* what our own edits may add: token caps, stream_options, a model's key */

/* Tells the allocator's "no" from the arena's own cap. */
struct counted {
    struct bz_alloc inner;
    bool failed;
};

static void *counted_alloc(void *ctx, size_t n) {
    struct counted *c = ctx;
    void *p = c->inner.alloc(c->inner.ctx, n);
    c->failed |= p == NULL;
    return p;
}

static void counted_free(void *ctx, void *p) {
    struct counted *c = ctx;
    if (c->inner.free != NULL)
        c->inner.free(c->inner.ctx, p);
}

struct choice {
    struct bz_model model;
    bool has_model;
    uint64_t mask; /* backends that may get the request */
};

struct parsed { /* one body between parse and canonical form */
    struct bz_json *root;
    struct bz_arena arena;
    struct bz_arena own; /* texts of ours */
    struct counted mem;
    struct bz_req_facts facts;
    struct choice choice;
    size_t grown; /* what masking may add to the canonical text */
};

uint64_t bz_tx_backends_of(const struct bz_tx *tx, uint64_t mask, uint8_t types) {
    struct bz_backend b;
    uint64_t ret = 0;
    for (uint32_t i = 0; i < tx->backends_n && i < BZ_BACKENDS_MAX; i++)
        if ((mask >> i & 1) != 0 && bz_image_backend(tx->image, i, &b) &&
            b.type < BZ_SERVER_COUNT && (types >> b.type & 1) != 0)
            ret |= UINT64_C(1) << i;
    return ret;
}

/* ---- model ---- */

/* Ollama adds ":latest" to a name without a tag. `mem` holds the longer spelling. */
static struct bz_view other_spelling(struct bz_view name, uint8_t mem[BZ_MODEL_NAME_MAX + 8]) {
    struct bz_view tag = BZ_V(":latest");
    size_t colon = name.n;
    while (colon > 0 && name.p[colon - 1] != ':' && name.p[colon - 1] != '/')
        colon--;
    if (colon == 0 || name.p[colon - 1] == '/') {
        if (name.n > BZ_MODEL_NAME_MAX)
            return (struct bz_view){NULL, 0};
        memcpy(mem, name.p, name.n);
        memcpy(mem + name.n, tag.p, tag.n);
        return bz_view(mem, name.n + tag.n);
    }
    struct bz_view end = bz_view_sub(name, colon - 1, name.n);
    return bz_view_eq(end, tag) ? bz_view_sub(name, 0, colon - 1) : (struct bz_view){NULL, 0};
}

/* Any model of the image by name, before authorisation. */
static bool known(const struct bz_tx *tx, struct bz_view name, struct bz_model *ret) {
    uint8_t mem[BZ_MODEL_NAME_MAX + 8];
    uint8_t ollama = (uint8_t)(tx->may & (1u << BZ_SERVER_OLLAMA));
    if (name.n == 0 || name.n > BZ_MODEL_NAME_MAX)
        return false;
    if (bz_image_model_find(tx->image, name, ret))
        return true;
    if (ollama == 0)
        return false;
    struct bz_view other = other_spelling(name, mem);
    if (other.n == 0 || !bz_image_model_find(tx->image, other, ret))
        return false;
    ret->backends = bz_tx_backends_of(tx, ret->backends, ollama);
    return ret->backends != 0;
}

static bool model_allowed(const struct bz_tx *tx, const struct bz_model *m) {
    struct bz_denial why;
    return bz_authorise_model(tx->image, &tx->who, m->name, &why) == BZ_OK;
}

bool bz_tx_model_find(const struct bz_tx *tx, struct bz_view name, struct bz_model *ret) {
    return known(tx, name, ret) && model_allowed(tx, ret);
}

static bool no_model(struct bz_tx *tx, enum bz_refusal r) {
    struct bz_error e;
    bz_tx_error_of(tx, r, &e);
    return bz_tx_no_because(tx, r, e.message, BZ_V("model"), NULL);
}

/* While no server is there, what it serves may never have been heard: that is no fault of the name. */
static bool unknown_model(struct bz_tx *tx) {
    uint64_t all = bz_tx_backends_of(tx, UINT64_MAX, tx->may);
    if (all != 0 && bz_state_pick(tx->state, all, 0, tx->start.mono_ns, tx->id_lo) < 0)
        return bz_tx_no_backend(tx, all);
    return no_model(tx, BZ_REFUSE_MODEL_UNKNOWN);
}

/* The model's own servers do not take this route: the strictest of their reasons. */
static bool no_route_there(struct bz_tx *tx, uint64_t backends) {
    struct bz_backend b;
    bool is_known = false;
    for (uint32_t i = 0; i < tx->backends_n && i < BZ_BACKENDS_MAX; i++) {
        if ((backends >> i & 1) == 0 || !bz_image_backend(tx->image, i, &b) ||
            b.type >= BZ_SERVER_COUNT || tx->routes[b.type] == NULL)
            continue;
        if (tx->routes[b.type]->access == BZ_ACCESS_NEVER)
            return bz_tx_no(tx, BZ_REFUSE_ROUTE_BLOCKED);
        is_known = true;
    }
    return bz_tx_no(tx, is_known ? BZ_REFUSE_ROUTE_DENIED : BZ_REFUSE_ROUTE_UNKNOWN);
}

/* What this caller would find on some backends, for requests that name no model. */
struct census {
    struct bz_model first; /* of those that may be used; the plain name before an alias of it */
    uint32_t allowed, denied;
    bool same; /* all that may be used is one model under several names */
};

static void census(const struct bz_tx *tx, uint64_t backends, struct census *ret) {
    struct bz_model m;
    *ret = (struct census){.same = true};
    for (uint32_t i = 0; i < tx->models_n; i++) {
        if (!bz_image_model(tx->image, i, &m) || (m.backends & backends) == 0)
            continue;
        if (!model_allowed(tx, &m)) {
            ret->denied++;
            continue;
        }
        ret->same &= ret->allowed == 0 ||
                     (bz_view_eq(m.target, ret->first.target) && m.backends == ret->first.backends);
        if (ret->allowed++ == 0 || (ret->same && bz_view_eq(m.name, m.target)))
            ret->first = m;
    }
}

static bool is_single(uint64_t mask) {
    return mask != 0 && (mask & (mask - 1)) == 0;
}

static bool unnamed(struct bz_tx *tx, struct choice *ret) {
    struct census c;
    uint64_t all = bz_tx_backends_of(tx, UINT64_MAX, tx->may);
    census(tx, all, &c);
    if (c.allowed == 0)
        return unknown_model(tx);
    if (!c.same)
        return no_model(tx, BZ_REFUSE_MODEL_REQUIRED);
    *ret = (struct choice){.mask = c.first.backends & all, .has_model = true, .model = c.first};
    return true;
}

/* Management bodies name models as the backend knows them, or ones that do not exist yet: nothing
 * is rewritten, the key must be allowed every name, and the backend must be clear. */
static bool managed(struct bz_tx *tx, const struct bz_json *root, struct choice *ret) {
    static const char *const names[] = {"model", "name", "source", "destination"};
    ret->mask = bz_tx_backends_of(tx, UINT64_MAX, tx->may);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct bz_json *n = bz_json_get(root, bz_view_str(names[i]));
        struct bz_view name = bz_json_str(n);
        struct bz_model m = {0};
        if (n == NULL)
            continue;
        if (name.n == 0)
            return no_model(tx, BZ_REFUSE_MODEL_INVALID);
        bool exists = known(tx, name, &m);
        if (!exists)
            m.name = name;
        if (!model_allowed(tx, &m))
            return no_model(tx, BZ_REFUSE_MODEL_UNKNOWN);
        if (!exists)
            continue;
        ret->mask &= m.backends;
        if (!ret->has_model)
            ret->model = m;
        ret->has_model = true;
    }
    return is_single(ret->mask) || bz_tx_no(tx, BZ_REFUSE_BACKEND_AMBIGUOUS);
}

static const struct bz_json *model_node(const struct bz_tx *tx, const struct bz_json *root) {
    const struct bz_json *n = bz_json_get(root, BZ_V("model"));
    if (n == NULL && (tx->route->api == BZ_API_OLLAMA_SHOW || tx->route->api == BZ_API_OPAQUE))
        n = bz_json_get(root, BZ_V("name")); /* the older spelling */
    return n;
}

static bool choose_model(struct bz_tx *tx, const struct bz_json *root, struct choice *ret) {
    const struct bz_json *n = model_node(tx, root);
    struct bz_view name = bz_json_str(n);
    *ret = (struct choice){0};
    if (tx->route->api == BZ_API_OPAQUE)
        return managed(tx, root, ret);
    if (n != NULL && name.n == 0)
        return no_model(tx, BZ_REFUSE_MODEL_INVALID);
    if (n == NULL)
        return unnamed(tx, ret);
    if (!bz_tx_model_find(tx, name, &ret->model))
        return unknown_model(tx);
    ret->has_model = true;
    ret->mask = bz_tx_backends_of(tx, ret->model.backends, tx->may);
    return ret->mask != 0 || no_route_there(tx, ret->model.backends);
}

/* The parameter tables differ by server, so the kind of server is settled before the check.
 * Replicas of one model on several kinds: the kind of the least busy one; failover then stays
 * within it. */
static bool choose_server(struct bz_tx *tx, const struct choice *c, uint64_t mono_ns) {
    struct bz_backend b;
    int i = is_single(c->mask) ? __builtin_ctzll(c->mask) : -1;
    if (i < 0)
        i = bz_state_pick(tx->state, c->mask, 0, mono_ns, tx->id_lo);
    if (i < 0 && c->mask != 0)
        i = __builtin_ctzll(
            c->mask); /* none is up now; bz_tx_backend says so if it stays that way */
    if (i < 0 || !bz_image_backend(tx->image, (uint32_t)i, &b) || b.type >= BZ_SERVER_COUNT ||
        tx->routes[b.type] == NULL || (tx->may >> b.type & 1) == 0)
        return bz_tx_no(tx, BZ_REFUSE_INTERNAL);
    tx->server = (uint8_t)b.type;
    tx->route = tx->routes[b.type];
    tx->dialect = (uint8_t)tx->route->dialect;
    bz_tx_limits_model(tx, c->has_model ? &c->model.limits : NULL);
    tx->mask =
        is_single(c->mask) ? c->mask : bz_tx_backends_of(tx, c->mask, (uint8_t)(1u << b.type));
    tx->has_model = c->has_model;
    tx->model = c->has_model ? c->model.index : 0;
    return true;
}

/* ---- body ---- */

static enum bz_refusal json_refusal(enum bz_status st) {
    if (st == BZ_EUTF8)
        return BZ_REFUSE_JSON_UTF8;
    if (st == BZ_EDUPKEY)
        return BZ_REFUSE_JSON_DUPLICATE;
    if (st == BZ_EDEPTH)
        return BZ_REFUSE_JSON_DEPTH;
    if (st == BZ_ETRAILING)
        return BZ_REFUSE_JSON_TRAILING;
    if (st == BZ_ENOMEM)
        return BZ_REFUSE_JSON_MEMORY;
    return st == BZ_ETOOBIG ? BZ_REFUSE_JSON_TOO_LARGE : BZ_REFUSE_JSON_MALFORMED;
}

static bool no_json(struct bz_tx *tx, enum bz_status st, const struct bz_diag *d) {
    char mem[256];
    struct bz_buf b;
    struct bz_error e;
    enum bz_refusal r = json_refusal(st);
    bz_tx_error_of(tx, r, &e);
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put(&b, e.message);
    if (d->why != NULL) {
        bz_buf_puts(&b, ", at byte ");
        bz_buf_put_u64(&b, d->offset);
        bz_buf_puts(&b, ": ");
        bz_buf_puts(&b, d->why);
    }
    bz_buf_puts(&b, ".");
    return bz_tx_no_because(tx, r, bz_buf_view(&b), (struct bz_view){NULL, 0}, d->why);
}

static bool parse(struct bz_tx *tx, struct bz_view body, struct parsed *p) {
    struct bz_diag diag = {0, NULL};
    struct bz_json_opts opts = {.fold_keys = (tx->may >> BZ_SERVER_OLLAMA & 1) != 0};
    enum bz_status st = bz_json_parse(body, &opts, &p->arena, &p->root, &diag);
    if (st == BZ_ENOMEM && p->mem.failed)
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    if (st != BZ_OK)
        return no_json(tx, st, &diag);
    if (!bz_json_is(p->root, BZ_JSON_OBJECT)) {
        diag = (struct bz_diag){p->root->off, "the body must be an object"};
        return no_json(tx, BZ_ESYNTAX, &diag);
    }
    return true;
}

/* The record gets the sentence only: a parameter's name may be anything the client made up. */
static bool no_param(struct bz_tx *tx, const struct bz_param_error *e) {
    char mem[512];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    if (e->param[0] != '\0') {
        bz_buf_puts(&b, e->param);
        bz_buf_puts(&b, ": ");
    }
    bz_buf_puts(&b, e->why);
    if (e->fix != NULL) {
        bz_buf_puts(&b, "; ");
        bz_buf_puts(&b, e->fix);
    }
    struct bz_view why = bz_buf_status(&b) == BZ_OK ? bz_buf_view(&b) : bz_view_str(e->why);
    return bz_tx_no_because(tx, e->status == 403 ? BZ_REFUSE_PARAM_POLICY : BZ_REFUSE_PARAM, why,
                            bz_view_str(e->param), e->why);
}

static bool check(struct bz_tx *tx, struct parsed *p) {
    struct bz_param_limits lim;
    struct bz_param_error err = {.why = "The parameter is not valid.", .status = 400};
    struct bz_view peeked = bz_json_str(model_node(tx, p->root));
    bz_image_params(tx->image, &tx->who, &lim);
    enum bz_status st = bz_dialect_check(tx->route, (enum bz_server)tx->server, p->root, &lim,
                                         &p->arena, &p->facts, &err);
    if (st == BZ_EDENIED)
        return no_param(tx, &err);
    if (st == BZ_ENOMEM)
        return bz_tx_no(tx, p->mem.failed ? BZ_REFUSE_NO_MEMORY : BZ_REFUSE_JSON_MEMORY);
    if (st != BZ_OK)
        return bz_tx_no(tx, BZ_REFUSE_INTERNAL);
    /* the model that was authorised is the model that the server will read */
    if (tx->route->api != BZ_API_OPAQUE && !bz_view_eq(peeked, p->facts.model))
        return bz_tx_no(tx, BZ_REFUSE_MODEL_INVALID);
    return true;
}

static bool name_target(struct bz_tx *tx, struct parsed *p) {
    struct bz_view target = p->choice.model.target;
    if (!p->choice.has_model || tx->route->api == BZ_API_OPAQUE)
        return true;
    if (p->facts.model_node != NULL) {
        bz_json_set_str(p->facts.model_node, target);
        return true;
    }
    struct bz_json *n = bz_json_new_str(&p->arena, target);
    if (n == NULL)
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    bz_json_add(p->root, BZ_V("model"), n);
    return true;
}

/* Canonical text is never longer than what was parsed, but for our own edits: shortest escapes, no
 * blanks. */
static bool write_canonical(struct bz_tx *tx, const struct parsed *p, size_t body_n) {
    struct bz_buf b;
    size_t target_n = p->choice.has_model ? p->choice.model.target.n : 0;
    if (!bz_tx_blob_room(tx, &tx->body, body_n + p->grown + EDIT_ROOM + 6 * target_n))
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    bz_buf_init_fixed(&b, tx->body.p, tx->body.cap);
    bz_json_write(&b, p->root);
    if (bz_buf_status(&b) != BZ_OK)
        return bz_tx_no(tx, BZ_REFUSE_INTERNAL);
    tx->body.n = b.n;
    return true;
}

static struct bz_view accepted(const struct bz_tx *tx, bool stream) {
    if (!stream)
        return BZ_V("application/json");
    return tx->dialect == BZ_DIALECT_OLLAMA ? BZ_V("application/x-ndjson")
                                            : BZ_V("text/event-stream");
}

static void fill_forward(struct bz_tx *tx, bool stream) {
    tx->forward = (struct bz_forward){
        .method = bz_view_str(tx->route->method),
        .path = tx->forward.path,
        .body = bz_view(tx->body.p, tx->body.n),
        .content_type = tx->body.n > 0 ? BZ_V("application/json") : (struct bz_view){NULL, 0},
        .accept = accepted(tx, stream),
        .stream = stream,
    };
}

/* Which model is asked for stands in the body, so this limit saves the model server work, not the
 * gateway memory. */
static bool fits_model(struct bz_tx *tx, const struct choice *c, size_t body_n) {
    static const char why[] = "The body is larger than this model's limit.";
    if (!c->has_model || c->model.limits.body_max == 0 || body_n <= c->model.limits.body_max)
        return true;
    return bz_tx_no_because(tx, BZ_REFUSE_BODY_TOO_LARGE, bz_view_str(why),
                            (struct bz_view){NULL, 0}, why);
}

static bool take_in(struct bz_tx *tx, struct parsed *p, struct bz_view body, struct bz_now now) {
    struct bz_settings set;
    if (!parse(tx, body, p) || !choose_model(tx, p->root, &p->choice) ||
        !bz_tx_patches(tx, p->root, &p->choice.mask) || !fits_model(tx, &p->choice, body.n) ||
        !choose_server(tx, &p->choice, now.mono_ns) || !check(tx, p) ||
        !bz_tx_limits_body(tx, &p->facts, now.mono_ns) ||
        !bz_tx_agent_request(tx, p->root, &p->arena, p->facts.tools) ||
        !bz_tx_screen_request(tx, p->root, &p->arena, now, &p->grown) ||
        !bz_tx_judge_request(tx, p->root, &p->arena, &p->own, &p->grown) || !name_target(tx, p) ||
        !write_canonical(tx, p, body.n))
        return false;
    bz_image_settings(tx->image, &set);
    bz_body_digest(set.digest_key, tx->id_lo, bz_view(tx->body.p, tx->body.n), tx->request_digest);
    tx->strip_usage = p->facts.strip_usage;
    fill_forward(tx, p->facts.stream);
    bz_tx_store_begin(tx);
    return true;
}

bool bz_tx_accept(struct bz_tx *tx, struct bz_view body, struct bz_now now) {
    struct parsed p = {.mem = {.inner = tx->a}};
    BZ_TX_SCRATCH uint8_t first[BZ_TX_SCRATCH_MAX]; /* short bodies need no block then */
    if (body.n == 0)
        return bz_tx_no(tx, BZ_REFUSE_BODY_MISSING);
    if (body.n > tx->body_max)
        return bz_tx_no(tx, BZ_REFUSE_BODY_TOO_LARGE);
    bz_arena_init(&p.arena, (struct bz_alloc){counted_alloc, counted_free, &p.mem},
                  BZ_ARENA_BASE + BZ_ARENA_FACTOR * body.n, first, sizeof first);
    bz_arena_init(&p.own, (struct bz_alloc){counted_alloc, counted_free, &p.mem},
                  OWN_BASE + OWN_FACTOR * body.n, NULL, 0);
    tx->raw_body = body;
    bool ok = take_in(tx, &p, body, now);
    tx->raw_body = (struct bz_view){NULL, 0};
    bz_arena_free(&p.arena);
    bz_arena_free(&p.own);
    if (!ok)
        bz_tx_drop_body(tx);
    return ok;
}

bool bz_tx_keep_path(struct bz_tx *tx, struct bz_view path) {
    struct bz_view pattern = bz_view_str(tx->route->path);
    tx->forward.path = pattern; /* static */
    if (bz_view_eq(path, pattern))
        return true;
    tx->path = bz_tx_alloc(tx, path.n);
    if (tx->path == NULL)
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    memcpy(tx->path, path.p, path.n);
    tx->forward.path = bz_view(tx->path, path.n);
    return true;
}

/* GET and the like: nothing names a model, so the backend must be the only one of its kind, and a
 * user must be allowed whatever stands there. */
bool bz_tx_accept_bodyless(struct bz_tx *tx, struct bz_view path) {
    struct choice c = {.mask = bz_tx_backends_of(tx, UINT64_MAX, tx->may)};
    struct bz_req_facts none = {.choices = 1};
    struct census all;
    if (!is_single(c.mask))
        return bz_tx_no(tx, BZ_REFUSE_BACKEND_AMBIGUOUS);
    census(tx, c.mask, &all);
    if (tx->route->access != BZ_ACCESS_ADMIN && (all.allowed == 0 || all.denied > 0))
        return no_model(tx, BZ_REFUSE_MODEL_UNKNOWN);
    if (!bz_tx_patches(tx, NULL, &c.mask) || !choose_server(tx, &c, tx->start.mono_ns) ||
        !bz_tx_limits_body(tx, &none, tx->start.mono_ns) || !bz_tx_screen_begin(tx, tx->start) ||
        !bz_tx_keep_path(tx, path))
        return false;
    fill_forward(tx, false);
    return true;
}
