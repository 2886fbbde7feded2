/* A transaction's life and the verdict machine. */
#include "leaks.h"
#include "mcp.h"
#include "screen.h"
#include "toolgate.h"

_Static_assert(sizeof(struct bz_tx) <= 1024, "an open stream may keep 2 KiB in all");

void *bz_tx_alloc(struct bz_tx *tx, size_t n) {
    return tx->a.alloc(tx->a.ctx, n);
}

void bz_tx_mem_free(struct bz_tx *tx, void *p) {
    if (p != NULL && tx->a.free != NULL)
        tx->a.free(tx->a.ctx, p);
}

bool bz_tx_blob_room(struct bz_tx *tx, struct bz_tx_blob *b, size_t cap) {
    if (cap <= b->cap)
        return true;
    uint8_t *p = bz_tx_alloc(tx, cap);
    if (p == NULL)
        return false;
    if (b->n > 0)
        memcpy(p, b->p, b->n);
    bz_tx_mem_free(tx, b->p);
    b->p = p;
    b->cap = cap;
    return true;
}

void bz_tx_blob_free(struct bz_tx *tx, struct bz_tx_blob *b) {
    bz_tx_mem_free(tx, b->p);
    *b = (struct bz_tx_blob){NULL, 0, 0};
}

static void put_be64(uint8_t *out, uint64_t v) {
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (56 - 8 * i));
}

enum bz_status bz_tx_new(const struct bz_gateway_env *env, struct bz_alloc a, struct bz_now now,
                         uint64_t id_hi, uint64_t id_lo, struct bz_tx **ret) {
    struct bz_settings set;
    struct bz_tx *tx = a.alloc(a.ctx, sizeof *tx);
    if (tx == NULL)
        return BZ_ENOMEM;
    memset(tx, 0, sizeof *tx);
    tx->a = a;
    tx->image = env->image;
    tx->state = env->state;
    tx->lane = env->lane;
    tx->env = env;
    tx->start = now;
    tx->id_lo = id_lo;
    tx->collect_n = -1;
    bz_image_settings(tx->image, &set);
    tx->body_max = set.body_max;
    tx->hsts = set.hsts;
    tx->backends_n = set.backends_n;
    tx->models_n = set.models_n;
    put_be64(tx->id, id_hi);
    put_be64(tx->id + 8, id_lo);
    bz_request_id_text(tx->id, tx->id_text);
    *ret = tx;
    return BZ_OK;
}

static enum bz_verdict decided(struct bz_tx *tx, enum bz_verdict v) {
    tx->phase = BZ_PHASE_DECIDED;
    tx->verdict = (uint8_t)v;
    return v;
}

/* The only place that says FORWARD, and the last look at what must be true of every forwarded
 * request. */
static enum bz_verdict forward(struct bz_tx *tx) {
    if (!tx->authed || tx->mask == 0 || tx->route == NULL ||
        tx->route->answer != BZ_ANSWER_BACKEND ||
        (tx->route->api != BZ_API_NONE && tx->forward.body.n == 0)) {
        (void)bz_tx_no(tx, BZ_REFUSE_INTERNAL);
        return BZ_VERDICT_REFUSE;
    }
    tx->forwarded = true;
    return decided(tx, BZ_VERDICT_FORWARD);
}

enum bz_verdict bz_tx_begin(struct bz_tx *tx, const struct bz_req_head *h) {
    struct bz_view id = {NULL, 0};
    if (tx->phase != BZ_PHASE_NEW || tx->closed) {
        (void)bz_tx_no(tx, BZ_REFUSE_INTERNAL);
        return BZ_VERDICT_REFUSE;
    }
    if (!bz_tx_head(tx, h, &id) || !bz_tx_limits_head(tx))
        return BZ_VERDICT_REFUSE;
    if (tx->route->answer != BZ_ANSWER_BACKEND)
        return bz_tx_answer(tx, id) ? decided(tx, BZ_VERDICT_ANSWER) : BZ_VERDICT_REFUSE;
    if (tx->route->api == BZ_API_NONE && tx->mcp != NULL)
        return bz_tx_mcp_accept_bodyless(tx) ? forward(tx) : BZ_VERDICT_REFUSE;
    if (tx->route->api == BZ_API_NONE)
        return bz_tx_accept_bodyless(tx, h->path) ? forward(tx) : BZ_VERDICT_REFUSE;
    if (tx->mcp == NULL && !bz_tx_keep_path(tx, h->path))
        return BZ_VERDICT_REFUSE;
    tx->phase = BZ_PHASE_BODY;
    tx->verdict = BZ_VERDICT_BODY;
    return BZ_VERDICT_BODY;
}

enum bz_verdict bz_tx_body(struct bz_tx *tx, struct bz_view body, struct bz_now now) {
    if (tx->phase != BZ_PHASE_BODY || tx->closed) {
        (void)bz_tx_no(tx, BZ_REFUSE_INTERNAL);
        return BZ_VERDICT_REFUSE;
    }
    tx->request_bytes = body.n;
    bool ok = tx->mcp != NULL ? bz_tx_mcp_accept(tx, body, now) : bz_tx_accept(tx, body, now);
    return ok ? forward(tx) : BZ_VERDICT_REFUSE;
}

uint64_t bz_tx_body_max(const struct bz_tx *tx) {
    return tx->body_max;
}

struct bz_view bz_tx_id(const struct bz_tx *tx) {
    return bz_view(tx->id_text, BZ_REQUEST_ID_TEXT);
}

const struct bz_forward *bz_tx_forward(const struct bz_tx *tx) {
    return tx->verdict == BZ_VERDICT_FORWARD ? &tx->forward : NULL;
}

void bz_tx_drop_body(struct bz_tx *tx) {
    bz_tx_blob_free(tx, &tx->body);
    tx->forward.body = (struct bz_view){NULL, 0};
}

static void leave_backend(struct bz_tx *tx) {
    if (tx->outstanding)
        bz_state_out_add(tx->state, tx->lane, tx->backend_index, -1);
    tx->outstanding = false;
}

bool bz_tx_backend(struct bz_tx *tx, struct bz_now now, struct bz_backend *ret) {
    if (tx->verdict != BZ_VERDICT_FORWARD || tx->closed)
        return false;
    leave_backend(tx);
    int i = bz_state_pick(tx->state, tx->mask, tx->tried, now.mono_ns, tx->id_lo);
    if (i < 0 || (unsigned)i >= BZ_BACKENDS_MAX || (tx->mask >> i & 1) == 0 ||
        !bz_image_backend(tx->image, (uint32_t)i, ret)) {
        tx->unserved = true;
        return bz_tx_no_backend(tx, tx->mask);
    }
    tx->tried |= UINT64_C(1) << i;
    tx->backend_index = (uint32_t)i;
    tx->has_backend = true;
    tx->outstanding = true;
    bz_state_out_add(tx->state, tx->lane, (uint32_t)i, 1);
    return true;
}

void bz_tx_backend_result(struct bz_tx *tx, bool ok, struct bz_now now) {
    if (!tx->has_backend)
        return;
    if (!ok && tx->mcp != NULL && tx->streaming)
        return; /* a stream of notifications may be silent for as long as there are none */
    if (ok)
        bz_state_backend_ok(tx->state, tx->backend_index);
    else
        bz_state_backend_failed(tx->state, tx->backend_index, now.mono_ns);
}

size_t bz_tx_headers(const struct bz_tx *tx, struct bz_header *out, size_t cap) {
    const struct bz_header all[] = {
        {BZ_V("x-request-id"), bz_tx_id(tx)},
        {BZ_V("X-Content-Type-Options"), BZ_V("nosniff")},
        {BZ_V("Cache-Control"), BZ_V("no-store")},
        {BZ_V("Strict-Transport-Security"), BZ_V("max-age=31536000")},
    };
    size_t n = sizeof all / sizeof all[0];
    if (!tx->tls || !tx->hsts) /* RFC 6797 7.2: never over plain HTTP */
        n--;
    if (n > cap)
        n = cap;
    memcpy(out, all, n * sizeof all[0]);
    if (tx->mcp != NULL && n < cap)
        n += bz_tx_mcp_headers(tx, out + n);
    return n + bz_tx_limits_headers(tx, out + n, cap - n);
}

/* The hash under the pepper of the image that authenticated; afterwards the key itself is gone. */
static const uint8_t *key_hash(struct bz_tx *tx) {
    if (!tx->key_hashed) {
        struct bz_settings set;
        uint8_t hash[BZ_HASH_LEN];
        bz_image_settings(tx->image, &set);
        bz_key_hash(set.key_pepper, bz_view(tx->key, sizeof tx->key), hash);
        bz_wipe(tx->key, sizeof tx->key);
        memcpy(tx->key, hash, sizeof hash);
        tx->key_hashed = true;
    }
    return tx->key;
}

bool bz_tx_still_allowed(struct bz_tx *tx, const struct bz_image *image, uint64_t now_unix) {
    struct bz_principal p;
    struct bz_denial why;
    struct bz_model m;
    if (!tx->authed || tx->closed || tx->route == NULL)
        return false;
    if (!bz_image_still_valid(image, tx->who.key_id, key_hash(tx), now_unix, &p) ||
        !bz_view_eq(p.owner, tx->who.owner) || !bz_view_eq(p.role, tx->who.role))
        return false;
    if (bz_authorise_route(image, &p, tx->route, &why) != BZ_OK)
        return false;
    if (tx->mcp != NULL && !bz_tx_mcp_still_allowed(tx, image, &p))
        return false;
    return !tx->has_model || (bz_image_model(tx->image, tx->model, &m) &&
                              bz_authorise_model(image, &p, m.name, &why) == BZ_OK);
}

void bz_tx_close(struct bz_tx *tx, struct bz_now now) {
    if (tx->closed)
        return;
    tx->closed = true;
    leave_backend(tx);
    bz_tx_limits_settle(tx, now.mono_ns);
    bz_wipe(tx->key, sizeof tx->key);
}

void bz_tx_free(struct bz_tx *tx) {
    if (tx == NULL)
        return;
    bz_tx_close(tx, tx->start);
    if (tx->streaming)
        bz_stream_done(&tx->stream);
    bz_tx_reply_free(tx);
    bz_tx_blob_free(tx, &tx->body);
    bz_tx_blob_free(tx, &tx->collect);
    bz_tx_blob_free(tx, &tx->kept);
    bz_tx_screen_free(tx);
    bz_tx_leaks_free(tx);
    bz_tx_agent_free(tx);
    bz_tx_mcp_free(tx);
    bz_tx_mem_free(tx, tx->judged);
    if (tx->conversation.n > 0)
        bz_tx_mem_free(tx, (void *)(uintptr_t)tx->conversation.p);
    bz_tx_mem_free(tx, tx->path);
    bz_tx_mem_free(tx, tx->rates);
    bz_tx_mem_free(tx, tx);
}
