/* Messages, definitions, session ids and pins of MCP. First byte: which. */
#include <stdlib.h>

#include <bartizan/mcp.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

static void message(struct bz_json *root) {
    struct bz_mcp_message m;
    struct bz_diag d = {0, NULL};
    if (bz_mcp_message_read(root, &m, &d) != BZ_OK) {
        MUST(d.why != NULL);
        return;
    }
    MUST((m.kind == BZ_MCP_NOTIFICATION) == (m.id == NULL));
    MUST(m.id == NULL || bz_mcp_id_equal(m.id, m.id));
    MUST((m.kind == BZ_MCP_RESULT) == (m.result != NULL));
}

/* The canonical text is a fixed point, and what makes the digest. */
static void definition(const struct bz_json *root, struct bz_arena *ar) {
    static const struct bz_mcp_other other = {{(const uint8_t *)"mailer", 6},
                                              {(const uint8_t *)"send", 4}};
    uint8_t a[BZ_HASH_LEN], c[BZ_HASH_LEN];
    struct bz_json *again = NULL;
    struct bz_buf b;
    (void)bz_mcp_odd(root, &other, 1);
    if (bz_mcp_tool_digest(root, ar, a) != BZ_OK)
        return;
    bz_buf_init(&b, BZ_MCP_DEFINITION_MAX);
    MUST(bz_mcp_tool_text(root, ar, &b) == BZ_OK);
    MUST(bz_json_parse(bz_buf_view(&b), NULL, ar, &again, NULL) == BZ_OK);
    MUST(bz_mcp_tool_digest(again, ar, c) == BZ_OK && memcmp(a, c, sizeof a) == 0);
    bz_buf_free(&b);
}

static void blob(struct bz_view v) {
    struct bz_mcp m;
    struct bz_mcp_route r;
    struct bz_mcp_pin p;
    if (bz_mcp_open(v, &m) == BZ_OK && bz_mcp_find(&m, BZ_V("one"), &r))
        (void)bz_mcp_pin_find(&m, &r, BZ_V("alpha"), &p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t key[BZ_KEY_LEN];
    uint8_t mem[BZ_MCP_SESSION_MAX];
    struct bz_mcp_session s;
    struct bz_arena ar;
    struct bz_json *root = NULL;
    if (size == 0 || bz_crypto_init() != BZ_OK)
        return 0;
    struct bz_view v = bz_view(data + 1, size - 1);
    bz_arena_init(&ar, bz_alloc_heap, 64 << 20, NULL, 0);
    if (data[0] % 3 == 1)
        blob(v);
    else if (data[0] % 3 == 2)
        (void)!bz_mcp_session_open(key, BZ_V("x"), v, 0, mem, &s);
    else if (bz_json_parse(v, NULL, &ar, &root, NULL) == BZ_OK) {
        message(root);
        definition(root, &ar);
    }
    bz_arena_free(&ar);
    return 0;
}
