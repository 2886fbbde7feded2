/* Messages, definitions, templates, session ids and pins of MCP. First byte: which. */
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
static void definition(enum bz_mcp_what w, const struct bz_json *root, struct bz_arena *ar) {
    static const struct bz_mcp_other other = {
        {(const uint8_t *)"mailer", 6}, {(const uint8_t *)"send", 4}, BZ_MCP_TOOL};
    char why[BZ_SCHEMA_ERROR];
    uint8_t a[BZ_HASH_LEN], c[BZ_HASH_LEN];
    struct bz_json *again = NULL;
    struct bz_buf b;
    (void)bz_mcp_odd(w, root, &other, 1);
    if (bz_mcp_definition_digest(w, root, ar, a) != BZ_OK)
        return;
    bz_buf_init(&b, BZ_MCP_DEFINITION_MAX);
    MUST(bz_mcp_definition_text(root, ar, &b) == BZ_OK);
    MUST(bz_json_parse(bz_buf_view(&b), NULL, ar, &again, NULL) == BZ_OK);
    MUST(bz_mcp_definition_digest(w, again, ar, c) == BZ_OK && memcmp(a, c, sizeof a) == 0);
    bz_buf_reset(&b);
    if (bz_mcp_definition_check(w, root, ar, why) == BZ_OK && w == BZ_MCP_PROMPT) {
        bz_mcp_prompt_schema(root, &b); /* is a schema that can be decided */
        MUST(bz_buf_status(&b) != BZ_OK ||
             (bz_json_parse(bz_buf_view(&b), NULL, ar, &again, NULL) == BZ_OK &&
              bz_schema_check(again, BZ_SCHEMA_PUBLISHED, ar, why) == BZ_OK));
    }
    bz_buf_free(&b);
}

/* A template and a URI, separated by a NUL. What fits has no way up, and a template fits itself never. */
static void uri(struct bz_view v) {
    const uint8_t *nul = v.n > 0 ? memchr(v.p, 0, v.n) : NULL;
    size_t n = nul == NULL ? v.n : (size_t)(nul - v.p);
    struct bz_view t = bz_view_sub(v, 0, n), u = bz_view_sub(v, n + 1, v.n);
    if (!bz_mcp_uri_fits(t, u))
        return;
    MUST(bz_mcp_template_ok(t) && bz_mcp_uri_ok(u));
    for (size_t i = 0; i + 4 <= u.n; i++)
        MUST(!bz_view_eq(bz_view_sub(u, i, 4), BZ_V("/../")));
}

static void refused(const struct bz_json *id, struct bz_arena *ar) {
    enum bz_mcp_method asked;
    struct bz_json *own = NULL, *again = NULL;
    if (!bz_mcp_refused(id, ar, &asked, &own) || !bz_mcp_id_ok(own))
        return;
    if (bz_mcp_refused_id(asked, own, ar, &again) == BZ_OK)
        MUST(bz_mcp_refused(again, ar, &asked, &again) && bz_mcp_id_equal(own, again));
}

static void blob(struct bz_view v) {
    struct bz_mcp m;
    struct bz_mcp_route r;
    struct bz_mcp_pin p;
    if (bz_mcp_open(v, &m) != BZ_OK || !bz_mcp_find(&m, BZ_V("one"), &r))
        return;
    (void)bz_mcp_pin_find(&m, &r, BZ_MCP_TOOL, BZ_V("alpha"), &p);
    (void)bz_mcp_pin_find_uri(&m, &r, BZ_V("file:///docs/a"), &p);
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
    if (data[0] == 'u')
        uri(v);
    else if (data[0] % 3 == 1)
        blob(v);
    else if (data[0] % 3 == 2)
        (void)!bz_mcp_session_open(key, BZ_V("x"), v, 0, mem, &s);
    else if (bz_json_parse(v, NULL, &ar, &root, NULL) == BZ_OK) {
        message(root);
        refused(bz_json_get(root, BZ_V("id")), &ar);
        for (unsigned w = 0; w < BZ_MCP_WHAT_COUNT; w++)
            definition((enum bz_mcp_what)w, root, &ar);
    }
    bz_arena_free(&ar);
    return 0;
}
