/* The route tables against a list that was written from the servers' documentation
 * (tests/data/routes-documented.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <bartizan/dialect.h>

enum { LINE = 512, ROWS_MAX = 256 };

static char *read_all(const char *name, size_t *ret_n) {
    char path[2048];
    const char *root = getenv("BZ_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/%s", root != NULL ? root : ".", name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    char *text = malloc(1 << 20);
    assert_non_null(text);
    *ret_n = fread(text, 1, (1 << 20) - 1, f);
    text[*ret_n] = '\0';
    fclose(f);
    return text;
}

static enum bz_access access_of(const char *name) {
    static const char *const names[BZ_ACCESS_COUNT] = {"never", "admin", "user", "public"};
    for (unsigned i = 0; i < BZ_ACCESS_COUNT; i++) {
        if (strcmp(name, names[i]) == 0)
            return (enum bz_access)i;
    }
    fail_msg("unknown access: %s", name);
    return BZ_ACCESS_COUNT;
}

static void documented_routes_are_decided(void **state) {
    static bool seen[BZ_SERVER_COUNT][ROWS_MAX];
    size_t n, lines = 0;
    char *text = read_all("tests/data/routes-documented.txt", &n);
    for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
        char *field[4];
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (line[0] == '#')
            continue;
        for (size_t i = 0; i < 4; i++)
            assert_non_null(field[i] = strsep(&line, "\t"));
        assert_null(line);
        const char *server = field[0], *method = field[1], *path = field[2], *access = field[3];
        enum bz_server s;
        const struct bz_route *r = NULL;
        struct bz_view id;
        assert_true(bz_server_from_name(bz_view_str(server), &s));
        enum bz_route_match m = bz_route_find(s, bz_view_str(method), bz_view_str(path), &r, &id);
        if (m != BZ_ROUTE_FOUND || r->access != access_of(access))
            fail_msg("%s %s %s: match %d, access %d, expected %s", server, method, path, (int)m,
                     r == NULL ? -1 : (int)r->access, access);
        size_t rows;
        seen[s][r - bz_route_table(s, &rows)] = true;
        lines++;
    }
    assert_true(lines > 200);
    for (unsigned s = 0; s < BZ_SERVER_COUNT; s++) {
        size_t rows;
        const struct bz_route *t = bz_route_table((enum bz_server)s, &rows);
        assert_true(rows < ROWS_MAX);
        for (size_t i = 0; i < rows; i++) {
            if (!seen[s][i])
                fail_msg("%s %s %s is in the table only", bz_server_name((enum bz_server)s),
                         t[i].method, t[i].path);
        }
    }
    free(text);
}

static void rows_are_whole_and_unique(void **state) {
    for (unsigned s = 0; s < BZ_SERVER_COUNT; s++) {
        size_t n;
        const struct bz_route *t = bz_route_table((enum bz_server)s, &n);
        for (size_t i = 0; i < n; i++) {
            assert_true(t[i].path[0] == '/' && strchr(t[i].path, '?') == NULL);
            assert_true(strlen(t[i].reason) > 10 && strlen(t[i].scope) > 3);
            assert_true((unsigned)t[i].access < BZ_ACCESS_COUNT &&
                        (unsigned)t[i].api < BZ_API_COUNT);
            bool own = t[i].answer != BZ_ANSWER_BACKEND;
            assert_true(!own || (t[i].api == BZ_API_NONE && strcmp(t[i].method, "GET") == 0));
            assert_true(t[i].access != BZ_ACCESS_PUBLIC || t[i].answer == BZ_ANSWER_HEALTH);
            assert_true(t[i].access != BZ_ACCESS_USER || own || t[i].api != BZ_API_NONE);
            assert_true(t[i].api != BZ_API_OPAQUE || t[i].access == BZ_ACCESS_ADMIN);
            for (size_t k = 0; k < i; k++)
                assert_false(strcmp(t[i].path, t[k].path) == 0 &&
                             strcmp(t[i].method, t[k].method) == 0);
        }
    }
    size_t n = 1;
    assert_null(bz_route_table(BZ_SERVER_COUNT, &n));
    assert_int_equal(n, 0);
}

static enum bz_route_match find(enum bz_server s, const char *method, const char *path,
                                const char **ret_id) {
    static char id_text[128];
    const struct bz_route *r = NULL;
    struct bz_view id = {NULL, 0};
    enum bz_route_match m = bz_route_find(s, bz_view_str(method), bz_view_str(path), &r, &id);
    snprintf(id_text, sizeof id_text, "%.*s", (int)id.n, id.n == 0 ? "" : (const char *)id.p);
    if (ret_id != NULL)
        *ret_id = id_text;
    return m;
}

static void anything_else_is_unknown(void **state) {
    static const char *const bad[] = {
        "",
        "/",
        "//",
        "/v1",
        "/v1/",
        "/v1/chat",
        "/v1/chat/completions/",
        "/V1/chat/completions",
        "/v1/chat/completions//",
        "/v1/chat/completionsx",
        "/v1/chat/completion",
        "v1/chat/completions",
        "/v1/models/",
        "/v1/models/a/b",
        "/v1/models/a%2fb",
        "/v1/models/..%2f",
        "/v1/models/a b",
        "/v1/models/a?x",
        "/v1/models/\xc3\xa9",
        "/v1/models/{model}",
        "/v1/stream/",
        "/v1/stream/a/b",
        "/slots/",
        "/slots/0/x",
        "/static/x",
        "/index.html",
        "/docs",
        "/openapi.json",
        "/redoc",
    };
    for (unsigned s = 0; s < BZ_SERVER_COUNT; s++) {
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            if (find((enum bz_server)s, "GET", bad[i], NULL) == BZ_ROUTE_FOUND ||
                find((enum bz_server)s, "POST", bad[i], NULL) == BZ_ROUTE_FOUND)
                fail_msg("%s: %s is found", bz_server_name((enum bz_server)s), bad[i]);
        }
    }
    /* a path with a NUL inside is longer than what a C string says */
    const struct bz_route *r;
    struct bz_view id;
    struct bz_view nul = BZ_V("/health\0x");
    assert_int_equal(bz_route_find(BZ_SERVER_VLLM, BZ_V("GET"), nul, &r, &id), BZ_ROUTE_UNKNOWN);
}

static void methods_and_ids(void **state) {
    const char *id;
    assert_int_equal(find(BZ_SERVER_LLAMACPP, "GET", "/v1/chat/completions", NULL),
                     BZ_ROUTE_METHOD);
    assert_int_equal(find(BZ_SERVER_LLAMACPP, "post", "/v1/chat/completions", NULL),
                     BZ_ROUTE_METHOD);
    assert_int_equal(find(BZ_SERVER_LLAMACPP, "OPTIONS", "/v1/models", NULL), BZ_ROUTE_METHOD);
    assert_int_equal(find(BZ_SERVER_OLLAMA, "HEAD", "/api/tags", NULL), BZ_ROUTE_METHOD);
    assert_int_equal(find(BZ_SERVER_OLLAMA, "POST", "/slots", NULL), BZ_ROUTE_UNKNOWN);
    assert_int_equal(find(BZ_SERVER_OPENAI, "GET", "/v1/models/a.b_c:d@e-F9", &id), BZ_ROUTE_FOUND);
    assert_string_equal(id, "a.b_c:d@e-F9");
    assert_int_equal(find(BZ_SERVER_OPENAI, "POST", "/v1/responses/resp_1/cancel", &id),
                     BZ_ROUTE_FOUND);
    assert_string_equal(id, "resp_1");
    assert_int_equal(find(BZ_SERVER_OPENAI, "POST", "/v1/responses", &id), BZ_ROUTE_FOUND);
    assert_string_equal(id, "");
}

static void names_go_both_ways(void **state) {
    for (unsigned i = 0; i < BZ_SERVER_COUNT; i++) {
        enum bz_server s = BZ_SERVER_COUNT;
        assert_true(bz_server_from_name(bz_view_str(bz_server_name((enum bz_server)i)), &s));
        assert_int_equal(s, i);
    }
    enum bz_server s = BZ_SERVER_VLLM;
    assert_false(bz_server_from_name(BZ_V("vLLM"), &s));
    assert_false(bz_server_from_name(BZ_V(""), &s));
    assert_int_equal(s, BZ_SERVER_VLLM);
    assert_string_equal(bz_server_name(BZ_SERVER_MCP), "mcp");
    assert_false(bz_server_from_name(BZ_V("mcp"), &s)); /* no model server */
    assert_string_equal(bz_server_name((enum bz_server)(BZ_SERVER_MCP + 1)), "unknown");
}

static void shape_of_unknown_paths(void **state) {
    static const struct {
        const char *path;
        enum bz_dialect d;
    } rows[] = {
        {"/api/chat", BZ_DIALECT_OLLAMA},
        {"/api", BZ_DIALECT_OLLAMA},
        {"/apix", BZ_DIALECT_OPENAI},
        {"/v1/messages", BZ_DIALECT_ANTHROPIC},
        {"/v1/messages/x/y", BZ_DIALECT_ANTHROPIC},
        {"/v1/messagesx", BZ_DIALECT_OPENAI},
        {"/v1/responses/x", BZ_DIALECT_RESPONSES},
        {"/responses", BZ_DIALECT_RESPONSES},
        {"/completion", BZ_DIALECT_LLAMACPP},
        {"/slots/1", BZ_DIALECT_LLAMACPP},
        {"/v1/chat/completions", BZ_DIALECT_OPENAI},
        {"/", BZ_DIALECT_OPENAI},
        {"", BZ_DIALECT_OPENAI},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(bz_dialect_of_path(bz_view_str(rows[i].path)), rows[i].d);
}

/* Routes of one API have one dialect, wherever they stand, and the guess by path agrees with the
 * table. */
static void dialects_agree(void **state) {
    for (unsigned s = 0; s < BZ_SERVER_COUNT; s++) {
        size_t n;
        const struct bz_route *t = bz_route_table((enum bz_server)s, &n);
        for (size_t i = 0; i < n; i++) {
            if (t[i].api == BZ_API_MESSAGES || t[i].api == BZ_API_COUNT_TOKENS)
                assert_int_equal(t[i].dialect, BZ_DIALECT_ANTHROPIC);
            if (t[i].api == BZ_API_RESPONSES)
                assert_int_equal(t[i].dialect, BZ_DIALECT_RESPONSES);
            if (strncmp(t[i].path, "/api/", 5) == 0)
                assert_int_equal(t[i].dialect, BZ_DIALECT_OLLAMA);
            if (t[i].api == BZ_API_CHAT || t[i].api == BZ_API_COMPLETIONS)
                assert_int_equal(bz_dialect_of_path(bz_view_str(t[i].path)), t[i].dialect);
        }
    }
}

static void the_page_is_what_the_tables_say(void **state) {
    size_t n;
    char *text = read_all("docs/ROUTES.md", &n);
    struct bz_buf b;
    bz_buf_init(&b, 1 << 20);
    bz_dialect_write_docs(&b);
    assert_int_equal(bz_buf_status(&b), BZ_OK);
    if (b.n != n || memcmp(b.p, text, n) != 0)
        fail_msg("docs/ROUTES.md is old: run tools/gen-routes > docs/ROUTES.md");
    bz_buf_free(&b);
    free(text);
}

static void mcp_has_routes_of_its_own(void **state) {
    static const char *const methods[] = {"POST", "GET", "DELETE"};
    const struct bz_route *r = NULL;
    struct bz_view server;
    size_t n;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(
            bz_route_find_mcp(bz_view_str(methods[i]), BZ_V("/mcp/tools-1"), &r, &server),
            BZ_ROUTE_FOUND);
        assert_true(bz_view_eq(server, BZ_V("tools-1")));
        assert_int_equal(r->access, BZ_ACCESS_USER);
        assert_int_equal(r->api, i == 0 ? BZ_API_MCP : BZ_API_NONE);
    }
    assert_int_equal(bz_route_find_mcp(BZ_V("PUT"), BZ_V("/mcp/x"), &r, &server), BZ_ROUTE_METHOD);
    assert_int_equal(bz_route_find_mcp(BZ_V("GET"), BZ_V("/mcp/"), &r, &server), BZ_ROUTE_UNKNOWN);
    assert_int_equal(bz_route_find_mcp(BZ_V("GET"), BZ_V("/mcp/x/y"), &r, &server),
                     BZ_ROUTE_UNKNOWN);
    assert_int_equal(bz_dialect_of_path(BZ_V("/mcp/x")), BZ_DIALECT_MCP);
    assert_int_equal(bz_dialect_of_path(BZ_V("/mcpx")), BZ_DIALECT_OPENAI);
    assert_non_null(bz_route_table_mcp(&n));
    assert_int_equal(n, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented_routes_are_decided),
        cmocka_unit_test(rows_are_whole_and_unique),
        cmocka_unit_test(anything_else_is_unknown),
        cmocka_unit_test(methods_and_ids),
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test(mcp_has_routes_of_its_own),
        cmocka_unit_test(shape_of_unknown_paths),
        cmocka_unit_test(dialects_agree),
        cmocka_unit_test(the_page_is_what_the_tables_say),
    };
    return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
