/* A request and a reply of a tool server: body, NUL, what the server says. First byte: bit 0 a stream, bit 1
 * initialize, the rest the cut. Nothing but checked messages reaches a client. */
#include "mcp_fixture.h"

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

static struct gw *instance(char session[BZ_MCP_SESSION_TEXT + 1]) {
    static struct gw g;
    static char kept[BZ_MCP_SESSION_TEXT + 1];
    if (g.bytes.n == 0)
        MUST(mcp_open(&g, 65536) && mcp_session(&g, GW_USER, kept));
    memcpy(session, kept, sizeof kept);
    return &g;
}

/* What a client gets is JSON-RPC, and an answer has its id. */
static void check(struct bz_view text) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    struct bz_mcp_message m;
    bz_arena_init(&ar, bz_alloc_heap, 64 << 20, NULL, 0);
    MUST(bz_json_parse(text, NULL, &ar, &root, NULL) == BZ_OK);
    const struct bz_json *id = bz_json_get(root, BZ_V("id"));
    MUST(bz_mcp_message_read(root, &m, NULL) == BZ_OK || bz_json_is(id, BZ_JSON_NULL));
    bz_arena_free(&ar);
}

static void check_stream(struct bz_view out) {
    while (out.n > 0) {
        const uint8_t *end = memmem(out.p, out.n, "\n\n", 2);
        MUST(end != NULL);
        struct bz_view event = bz_view_sub(out, 0, (size_t)(end - out.p));
        out = bz_view_sub(out, event.n + 2, out.n);
        if (bz_view_starts(event, BZ_V("data: ")))
            check(bz_view_sub(event, 6, event.n));
        else
            MUST(bz_view_eq(event, BZ_V(":")));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char session[BZ_MCP_SESSION_TEXT + 1];
    struct bz_reply_head h = {200, BZ_V("application/json"), {NULL, 0}, -1};
    struct gw_req r;
    struct bz_backend b;
    struct bz_buf out;
    enum bz_verdict v;
    if (size < 2)
        return 0;
    struct gw *g = instance(session);
    struct bz_view in = bz_view(data + 1, size - 1), reply = {NULL, 0};
    const uint8_t *nul = memchr(in.p, 0, in.n);
    if (nul != NULL) {
        reply = bz_view_sub(in, (size_t)(nul - in.p) + 1, in.n);
        in.n = (size_t)(nul - in.p);
    }
    if ((data[0] & 1) != 0)
        h.content_type = BZ_V("text/event-stream");
    g->mono_ns += UINT64_C(61000000000) % (UINT64_C(1) << 40);
    if (g->mono_ns > UINT64_C(80000000000000)) /* the session's day is over before */
        g->mono_ns = UINT64_C(1000000000000);
    mcp_request(&r, g, GW_USER, "POST", "", (data[0] & 2) != 0 ? NULL : session);
    r.body = in;
    r.head.content_length = (int64_t)in.n;
    struct bz_tx *tx = gw_send(g, &r, bz_alloc_heap, &v);
    MUST(tx != NULL);
    bz_buf_init(&out, 16 << 20);
    if (v == BZ_VERDICT_FORWARD && bz_tx_backend(tx, gw_now(g), &b)) {
        check(bz_tx_forward(tx)->body);
        (void)!gw_reply(g, tx, &h, reply, data[0] >> 2, true, &out);
        check_stream(bz_buf_view(&out));
    }
    if (bz_tx_reply(tx) != NULL && bz_tx_reply(tx)->body.n > 0)
        check(bz_tx_reply(tx)->body);
    bz_tx_free(tx);
    bz_buf_free(&out);
    return 0;
}
