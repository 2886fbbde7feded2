/* Refusals: one table of codes, and the making of replies that the gateway gives itself. */
#include "mcp.h"

#define ERROR_BODY_MAX                                                                             \
    3072 /* envelope, a message of <= 512 bytes and a parameter path, all escaped */
#define RETRY_UNKNOWN_NS UINT64_C(1000000000)

struct refusal {
    uint16_t status;
    const char *code, *text;
};
static const struct refusal refusals[BZ_REFUSE_COUNT] = {
#define X(name, status, code, text) [BZ_REFUSE_##name] = {status, code, text},
    BZ_REFUSAL_TABLE(X)
#undef X
};

/* A reply and what its headers point to: one block. */
struct made {
    struct bz_reply r;
    char retry_s[24], retry_ms[24], allow[64];
};

/* Says so when there is no memory to say anything else. */
static const char no_memory_body[] =
    "{\"error\":{\"message\":\"The gateway is short of memory. Try again later.\","
    "\"type\":\"api_error\",\"param\":null,\"code\":\"no_memory\"}}";
#define LIT(s)                                                                                     \
    { (const uint8_t *)(s), sizeof(s) - 1 }
static const struct bz_reply no_memory = {
    .status = 503,
    .content_type = LIT("application/json"),
    .body = LIT(no_memory_body),
    .extra = {{LIT("Retry-After"), LIT("1")}},
    .extra_n = 1,
};

void bz_tx_reply_free(struct bz_tx *tx) {
    if (tx->reply != NULL && tx->reply != &no_memory)
        bz_tx_mem_free(tx, tx->made);
    tx->reply = NULL;
    tx->made = NULL;
}

/* Room for a reply and n bytes of body; NULL: the standing reply is the one about memory. */
static struct made *make(struct bz_tx *tx, size_t n, uint8_t **ret_body) {
    bz_tx_reply_free(tx);
    struct made *m = bz_tx_alloc(tx, sizeof *m + n);
    if (m == NULL) {
        tx->reply = &no_memory;
        tx->reason = refusals[BZ_REFUSE_NO_MEMORY].code;
        tx->detail = NULL;
        return NULL;
    }
    /* Not the whole block: extra_n says how much of its kilobyte was written. */
    m->r.status = 0;
    m->r.content_type = BZ_V("application/json");
    m->r.body = (struct bz_view){NULL, 0};
    m->r.extra_n = 0;
    *ret_body = (uint8_t *)(m + 1);
    tx->made = m;
    tx->reply = &m->r;
    return m;
}

static void add(struct made *m, struct bz_view name, struct bz_view value) {
    if (m->r.extra_n < sizeof m->r.extra / sizeof m->r.extra[0])
        m->r.extra[m->r.extra_n++] = (struct bz_header){name, value};
}

static struct bz_view number(char out[24], uint64_t v) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, out, 24);
    bz_buf_put_u64(&b, v);
    return bz_buf_view(&b);
}

/* RFC 9110 10.2.3 wants whole seconds; the OpenAI SDKs read the finer header first. */
static void add_retry(const struct bz_tx *tx, struct made *m) {
    uint64_t ns = tx->retry_ns > 0 ? tx->retry_ns : RETRY_UNKNOWN_NS;
    uint64_t s = ns / 1000000000 + (ns % 1000000000 != 0);
    uint64_t ms = ns / 1000000 + (ns % 1000000 != 0);
    add(m, BZ_V("Retry-After"), number(m->retry_s, s));
    add(m, BZ_V("retry-after-ms"), number(m->retry_ms, ms));
}

static void error_headers(const struct bz_tx *tx, struct made *m) {
    if (m->r.status == 401)
        add(m, BZ_V("WWW-Authenticate"), BZ_V("Bearer"));
    if (m->r.status == 429 || m->r.status == 503)
        add_retry(tx, m);
}

static bool take_error(struct bz_tx *tx, uint16_t status, struct bz_view body) {
    uint8_t *mem = NULL;
    tx->verdict = BZ_VERDICT_REFUSE;
    struct made *m = make(tx, body.n, &mem);
    if (m == NULL)
        return false;
    memcpy(mem, body.p, body.n);
    m->r.status = status;
    m->r.body = bz_view(mem, body.n);
    error_headers(tx, m);
    return false;
}

bool bz_tx_reply_error(struct bz_tx *tx, uint16_t status, struct bz_view body) {
    return take_error(tx, status, body);
}

bool bz_tx_reply_ok(struct bz_tx *tx, uint16_t status, struct bz_view type, struct bz_view body) {
    uint8_t *mem = NULL;
    struct made *m = make(tx, 0, &mem);
    if (m == NULL) {
        tx->verdict = BZ_VERDICT_REFUSE;
        return false;
    }
    m->r.status = status;
    m->r.content_type = type;
    m->r.body = body;
    return true;
}

void bz_tx_reply_allow(struct bz_tx *tx, struct bz_view allow) {
    struct made *m = tx->made;
    if (m == NULL || allow.n == 0 || allow.n > sizeof m->allow)
        return;
    memcpy(m->allow, allow.p, allow.n);
    add(m, BZ_V("Allow"), bz_view(m->allow, allow.n));
}

static void put_error(const struct bz_tx *tx, const struct bz_error *e, struct bz_buf *out) {
    if (tx->mcp != NULL)
        bz_dialect_rpc_error(bz_tx_mcp_id(tx), e, out);
    else
        bz_dialect_error((enum bz_dialect)tx->dialect, e, out);
}

bool bz_tx_no_backend(struct bz_tx *tx, uint64_t mask) {
    return bz_tx_no(tx, bz_state_any_unsafe(tx->state, mask) ? BZ_REFUSE_UNSAFE_BACKEND
                                                             : BZ_REFUSE_NO_BACKEND);
}

bool bz_tx_no_code(struct bz_tx *tx, uint16_t status, const char *code, struct bz_view message,
                   struct bz_view param, const char *detail) {
    uint8_t mem[ERROR_BODY_MAX];
    struct bz_buf b;
    struct bz_error e = {
        .status = status,
        .code = code,
        .message = message,
        .param = param,
        .request_id = bz_tx_id(tx),
    };
    if (!tx->dialect_known) {
        tx->dialect = (uint8_t)bz_dialect_of_path(tx->forward.path);
        tx->dialect_known = true;
    }
    tx->verdict = BZ_VERDICT_REFUSE;
    if (tx->phase < BZ_PHASE_DECIDED)
        tx->phase = BZ_PHASE_DECIDED;
    tx->reason = code;
    tx->detail = detail;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    put_error(tx, &e, &b);
    if (bz_buf_status(&b) != BZ_OK) { /* too much escaping: say it without the client's own text */
        e.message = bz_view_str(code);
        e.param = (struct bz_view){NULL, 0};
        bz_buf_reset(&b);
        put_error(tx, &e, &b);
    }
    return take_error(tx, bz_tx_mcp_status(tx, status), bz_buf_view(&b));
}

bool bz_tx_no_because(struct bz_tx *tx, enum bz_refusal r, struct bz_view message,
                      struct bz_view param, const char *detail) {
    const struct refusal *what = &refusals[r < BZ_REFUSE_COUNT ? r : BZ_REFUSE_INTERNAL];
    return bz_tx_no_code(tx, what->status, what->code,
                         message.n > 0 ? message : bz_view_str(what->text), param, detail);
}

bool bz_tx_no(struct bz_tx *tx, enum bz_refusal r) {
    const struct refusal *what = &refusals[r < BZ_REFUSE_COUNT ? r : BZ_REFUSE_INTERNAL];
    return bz_tx_no_because(tx, r, (struct bz_view){NULL, 0}, (struct bz_view){NULL, 0},
                            what->text);
}

void bz_tx_error_of(const struct bz_tx *tx, enum bz_refusal r, struct bz_error *ret) {
    const struct refusal *what = &refusals[r < BZ_REFUSE_COUNT ? r : BZ_REFUSE_INTERNAL];
    *ret = (struct bz_error){
        .status = what->status,
        .code = what->code,
        .message = bz_view_str(what->text),
        .request_id = bz_tx_id(tx),
    };
}

void bz_tx_refuse(struct bz_tx *tx, uint16_t status, const char *code, const char *message) {
    if (tx->streaming || tx->closed)
        return;
    tx->drop = true;
    tx->unserved |=
        tx->upstream_status == 0 && status != 504; /* after a timeout the work was done */
    (void)bz_tx_no_code(tx, status, code, bz_view_str(message), (struct bz_view){NULL, 0}, message);
}

const struct bz_reply *bz_tx_reply(const struct bz_tx *tx) {
    return tx->reply;
}
