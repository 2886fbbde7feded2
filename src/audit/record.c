#include <bartizan/audit.h>
#include <bartizan/json.h>
#include <bartizan/rd.h>

enum {
    VERSION = 2, /* 1 had no findings and no label; a ring may still hold such records */
    FLAG_STREAM = 1,
    FLAG_USAGE = 2,
    VIEWS = 13,
    VIEWS_1 = 11,
    NUMBERS = 9, /* 64-bit ones */
    FIXED = 4 + BZ_REQUEST_ID_LEN + NUMBERS * 8 + 2 * 2 + 2 * 16 + VIEWS * 2,
};

/* The views in the order of the binary form; detail and model are the two that may be cut. */
static void views(const struct bz_record *r, struct bz_view v[VIEWS]) {
    const struct bz_view list[VIEWS] = {r->principal, r->key_id,   r->role, r->method,   r->route,
                                        r->model,     r->backend,  r->peer, r->decision, r->reason,
                                        r->detail,    r->findings, r->label};
    memcpy(v, list, sizeof list);
}
enum { VIEW_MODEL = 5, VIEW_DETAIL = 10 };

/* Shortens v by at least `over` bytes if it has them, to the start of a UTF-8 character. */
static size_t cut(struct bz_view *v, size_t over) {
    if (over == 0 || v->n == 0)
        return over;
    size_t n = over >= v->n ? 0 : v->n - over;
    while (n > 0 && (v->p[n] & 0xc0) == 0x80)
        n--;
    size_t gone = v->n - n;
    v->n = n;
    return gone >= over ? 0 : over - gone;
}

void bz_record_encode(const struct bz_record *r, struct bz_buf *out) {
    struct bz_view v[VIEWS];
    views(r, v);
    size_t total = FIXED;
    size_t over = 0;
    for (size_t i = 0; i < VIEWS; i++) {
        if ((i == VIEW_DETAIL || i == VIEW_MODEL) && v[i].n > BZ_RECORD_MAX)
            (void)cut(&v[i], v[i].n - BZ_RECORD_MAX);
        if (v[i].n > BZ_RECORD_MAX) /* and the sum cannot overflow */
            over = SIZE_MAX;
        else
            total += v[i].n;
    }
    if (over == 0 && total > BZ_RECORD_MAX)
        over = cut(&v[VIEW_MODEL], cut(&v[VIEW_DETAIL], total - BZ_RECORD_MAX));
    if (over != 0) {
        out->st = out->st == BZ_OK ? BZ_ETOOBIG : out->st;
        return;
    }
    bz_buf_putc(out, VERSION);
    bz_buf_putc(out, (uint8_t)r->kind);
    bz_buf_putc(out, (uint8_t)((r->stream ? FLAG_STREAM : 0) | (r->usage_known ? FLAG_USAGE : 0)));
    bz_buf_putc(out, 0);
    bz_buf_put(out, bz_view(r->id, sizeof r->id));
    const uint64_t numbers[NUMBERS] = {
        r->time_ns,     r->generation, r->prompt_tokens, r->completion_tokens, r->request_bytes,
        r->reply_bytes, r->events,     r->latency_us,    r->first_byte_us};
    for (size_t i = 0; i < NUMBERS; i++)
        bz_buf_put_le64(out, numbers[i]);
    bz_buf_put_le16(out, r->status);
    bz_buf_put_le16(out, r->upstream_status);
    bz_buf_put(out, bz_view(r->request_digest, sizeof r->request_digest));
    bz_buf_put(out, bz_view(r->reply_digest, sizeof r->reply_digest));
    for (size_t i = 0; i < VIEWS; i++) {
        bz_buf_put_le16(out, (uint16_t)v[i].n);
        bz_buf_put(out, v[i]);
    }
}

static void take_bytes(struct bz_rd *rd, uint8_t *out, size_t n) {
    struct bz_view v = bz_rd_take(rd, n);
    if (v.n == n)
        memcpy(out, v.p, n);
}

enum bz_status bz_record_decode(struct bz_view in, struct bz_record *ret) {
    if (in.n > BZ_RECORD_MAX)
        return BZ_ETOOBIG;
    struct bz_rd rd;
    bz_rd_init(&rd, in);
    struct bz_record r = {0};
    uint8_t version = bz_rd_u8(&rd);
    if (version != VERSION && version != 1)
        bz_rd_fail(&rd, BZ_EVERSION);
    uint8_t kind = bz_rd_u8(&rd);
    uint8_t flags = bz_rd_u8(&rd);
    if (bz_rd_u8(&rd) != 0 || kind >= BZ_RECORD_KIND_COUNT ||
        (flags & ~(FLAG_STREAM | FLAG_USAGE)) != 0)
        bz_rd_fail(&rd, BZ_ECORRUPT);
    r.kind = (enum bz_record_kind)kind;
    r.stream = (flags & FLAG_STREAM) != 0;
    r.usage_known = (flags & FLAG_USAGE) != 0;
    take_bytes(&rd, r.id, sizeof r.id);
    uint64_t *numbers[NUMBERS] = {
        &r.time_ns,     &r.generation, &r.prompt_tokens, &r.completion_tokens, &r.request_bytes,
        &r.reply_bytes, &r.events,     &r.latency_us,    &r.first_byte_us};
    for (size_t i = 0; i < NUMBERS; i++)
        *numbers[i] = bz_rd_le64(&rd);
    r.status = bz_rd_le16(&rd);
    r.upstream_status = bz_rd_le16(&rd);
    take_bytes(&rd, r.request_digest, sizeof r.request_digest);
    take_bytes(&rd, r.reply_digest, sizeof r.reply_digest);
    struct bz_view *v[VIEWS] = {&r.principal, &r.key_id,   &r.role, &r.method,   &r.route,
                                &r.model,     &r.backend,  &r.peer, &r.decision, &r.reason,
                                &r.detail,    &r.findings, &r.label};
    for (size_t i = 0; i < (version == 1 ? VIEWS_1 : VIEWS); i++)
        *v[i] = bz_rd_take(&rd, bz_rd_le16(&rd));
    BZ_TRY(bz_rd_end(&rd));
    *ret = r;
    return BZ_OK;
}

static void text(struct bz_jw *w, const char *key, struct bz_view v) {
    if (v.n != 0)
        bz_jw_kstr(w, key, v);
}

/* "a b c" as a list. */
static void words(struct bz_jw *w, const char *key, struct bz_view v) {
    if (v.n == 0)
        return;
    bz_jw_key(w, key);
    bz_jw_arr(w);
    for (size_t i = 0; i < v.n;) {
        const uint8_t *blank = memchr(v.p + i, ' ', v.n - i);
        size_t n = blank != NULL ? (size_t)(blank - (v.p + i)) : v.n - i;
        bz_jw_str(w, bz_view_sub(v, i, n));
        i += n + 1;
    }
    bz_jw_end(w);
}

static void number(struct bz_jw *w, const char *key, uint64_t v) {
    if (v != 0)
        bz_jw_ku64(w, key, v);
}

static void digest(struct bz_jw *w, const char *key, const uint8_t d[16]) {
    static const uint8_t none[16];
    if (memcmp(d, none, sizeof none) == 0) /* public marker, not a secret */
        return;
    uint8_t hex[32];
    for (size_t i = 0; i < 16; i++) {
        hex[2 * i] = (uint8_t) "0123456789abcdef"[d[i] >> 4];
        hex[2 * i + 1] = (uint8_t) "0123456789abcdef"[d[i] & 15];
    }
    bz_jw_kstr(w, key, bz_view(hex, sizeof hex));
}

static struct bz_view kind_name(enum bz_record_kind kind) {
    switch (kind) {
    case BZ_RECORD_DECISION:
        return BZ_V("decision");
    case BZ_RECORD_CLOSE:
        return BZ_V("close");
    case BZ_RECORD_REFUSED:
        return BZ_V("refused");
    case BZ_RECORD_ADMIN:
        return BZ_V("admin");
    case BZ_RECORD_SYSTEM:
        return BZ_V("system");
    case BZ_RECORD_EGRESS:
        return BZ_V("egress");
    case BZ_RECORD_KIND_COUNT:
        break;
    }
    return BZ_V("unknown");
}

static void json_who(struct bz_jw *w, const struct bz_record *r) {
    static const uint8_t no_id[BZ_REQUEST_ID_LEN];
    bz_jw_kstr(w, "kind", kind_name(r->kind));
    if (memcmp(r->id, no_id, sizeof no_id) != 0) {
        char id[BZ_REQUEST_ID_TEXT + 1];
        bz_request_id_text(r->id, id);
        bz_jw_kstr(w, "id", bz_view(id, BZ_REQUEST_ID_TEXT));
    }
    bz_jw_key(w, "time");
    bz_jw_time(w, r->time_ns);
    number(w, "generation", r->generation);
    text(w, "principal", r->principal);
    text(w, "key", r->key_id);
    text(w, "role", r->role);
    text(w, "method", r->method);
    text(w, "route", r->route);
    text(w, "model", r->model);
    text(w, "backend", r->backend);
    text(w, "peer", r->peer);
    text(w, "decision", r->decision);
    text(w, "reason", r->reason);
    text(w, "detail", r->detail);
    words(w, "findings", r->findings);
    text(w, "label", r->label);
}

void bz_record_json(const struct bz_record *r, struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    json_who(&w, r);
    number(&w, "status", r->status);
    number(&w, "upstream_status", r->upstream_status);
    if (r->stream)
        bz_jw_kbool(&w, "stream", true);
    if (r->usage_known) {
        bz_jw_ku64(&w, "prompt_tokens", r->prompt_tokens);
        bz_jw_ku64(&w, "completion_tokens", r->completion_tokens);
    }
    number(&w, "request_bytes", r->request_bytes);
    number(&w, "reply_bytes", r->reply_bytes);
    number(&w, "events", r->events);
    number(&w, "latency_us", r->latency_us);
    number(&w, "first_byte_us", r->first_byte_us);
    digest(&w, "request_digest", r->request_digest);
    digest(&w, "reply_digest", r->reply_digest);
    bz_jw_end(&w);
}
