/* Error shapes of every dialect, as documents and as stream events, and what becomes of the model
 * server's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <bartizan/dialect.h>

static char text[8192];

static const char *text_of(struct bz_buf *b) {
    assert_int_equal(bz_buf_status(b), BZ_OK);
    assert_true(b->n < sizeof text);
    memcpy(text, b->p, b->n);
    text[b->n] = '\0';
    bz_buf_free(b);
    return text;
}

static const char *error(enum bz_dialect d, uint16_t status, const char *code, const char *message,
                         const char *param, bool event) {
    struct bz_buf b;
    struct bz_error e = {status, code, bz_view_str(message), bz_view_str(param), BZ_V("01ID")};
    bz_buf_init(&b, 1 << 16);
    if (event)
        bz_dialect_error_event(d, &e, &b);
    else
        bz_dialect_error(d, &e, &b);
    return text_of(&b);
}

static void documents(void **state) {
    assert_string_equal(error(BZ_DIALECT_OPENAI, 401, "invalid_api_key", "No.", "", false),
                        "{\"error\":{\"message\":\"No.\",\"type\":\"authentication_error\","
                        "\"param\":null,\"code\":\"invalid_api_key\","
                        "\"request_id\":\"01ID\"}}");
    assert_string_equal(error(BZ_DIALECT_RESPONSES, 400, "parameter", "a\"b\n", "n", false),
                        "{\"error\":{\"message\":\"a\\\"b\\n\",\"type\":\"invalid_request_error\","
                        "\"param\":\"n\",\"code\":\"parameter\","
                        "\"request_id\":\"01ID\"}}");
    assert_string_equal(error(BZ_DIALECT_ANTHROPIC, 403, "forbidden", "No.", "", false),
                        "{\"type\":\"error\",\"error\":{\"type\":\"permission_error\",\"message\":"
                        "\"No.\",\"details\":{\"error_code\":"
                        "\"forbidden\"}},\"request_id\":\"01ID\"}");
    assert_string_equal(error(BZ_DIALECT_OLLAMA, 404, "model_not_found", "No.", "", false),
                        "{\"error\":\"No.\",\"code\":\"model_not_found\",\"request_id\":\"01ID\"}");
    assert_string_equal(error(BZ_DIALECT_LLAMACPP, 429, "rate_limited", "No.", "", false),
                        "{\"error\":{\"code\":429,\"message\":\"No.\",\"type\":\"rate_limit_"
                        "error\",\"reason\":\"rate_limited\","
                        "\"request_id\":\"01ID\"}}");
}

static void types_by_status(void **state) {
    static const struct {
        uint16_t status;
        const char *openai, *anthropic;
    } rows[] = {
        {400, "invalid_request_error", "invalid_request_error"},
        {401, "authentication_error", "authentication_error"},
        {403, "permission_error", "permission_error"},
        {404, "not_found_error", "not_found_error"},
        {405, "invalid_request_error", "invalid_request_error"},
        {413, "invalid_request_error", "request_too_large"},
        {429, "rate_limit_error", "rate_limit_error"},
        {500, "api_error", "api_error"},
        {502, "api_error", "api_error"},
        {503, "api_error", "overloaded_error"},
        {504, "api_error", "api_error"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char want[64];
        snprintf(want, sizeof want, "\"type\":\"%s\"", rows[i].openai);
        assert_non_null(
            strstr(error(BZ_DIALECT_OPENAI, rows[i].status, "c", "m", "", false), want));
        assert_non_null(
            strstr(error(BZ_DIALECT_LLAMACPP, rows[i].status, "c", "m", "", false), want));
        snprintf(want, sizeof want, "\"error\":{\"type\":\"%s\"", rows[i].anthropic);
        assert_non_null(
            strstr(error(BZ_DIALECT_ANTHROPIC, rows[i].status, "c", "m", "", false), want));
    }
}

static void events(void **state) {
    assert_string_equal(error(BZ_DIALECT_OPENAI, 502, "upstream_error", "x", "", true),
                        "data: "
                        "{\"error\":{\"message\":\"x\",\"type\":\"api_error\",\"param\":null,"
                        "\"code\":\"upstream_error\","
                        "\"request_id\":\"01ID\"}}\n\n");
    assert_string_equal(error(BZ_DIALECT_RESPONSES, 502, "upstream_error", "x", "", true),
                        "event: error\ndata: "
                        "{\"type\":\"error\",\"code\":\"upstream_error\",\"message\":\"x\","
                        "\"param\":null,\"error\":{"
                        "\"message\":\"x\",\"type\":\"api_error\",\"param\":null,\"code\":"
                        "\"upstream_error\",\"request_id\":\"01ID\"}}\n\n");
    assert_string_equal(error(BZ_DIALECT_ANTHROPIC, 503, "no_backend", "x", "", true),
                        "event: error\ndata: "
                        "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":"
                        "\"x\",\"details\":{"
                        "\"error_code\":\"no_backend\"}},\"request_id\":\"01ID\"}\n\n");
    assert_string_equal(error(BZ_DIALECT_OLLAMA, 502, "upstream_error", "x", "", true),
                        "{\"error\":\"x\",\"code\":\"upstream_error\",\"request_id\":\"01ID\"}\n");
    assert_string_equal(error(BZ_DIALECT_LLAMACPP, 502, "upstream_error", "x", "", true),
                        "data: "
                        "{\"error\":{\"code\":502,\"message\":\"x\",\"type\":\"api_error\","
                        "\"reason\":\"upstream_error\","
                        "\"request_id\":\"01ID\"}}\n\n");
}

/* Whatever stands in the message: one event, valid JSON, no line of its own. */
static void messages_cannot_break_the_frame(void **state) {
    static const char *const bad[] = {"a\n\ndata: {}", "\r\n\r\n",  "\"}}", "\xff\xfe",
                                      "\xe2\x80\xa8",  "</script>", ""};
    for (unsigned d = 0; d < BZ_DIALECT_COUNT; d++) {
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            const char *t = error((enum bz_dialect)d, 400, "c", bad[i], bad[i], true);
            const char *json = strchr(t, '{');
            size_t n = strcspn(json, "\n");
            struct bz_arena ar;
            bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
            assert_int_equal(bz_json_check(bz_view(json, n), NULL, &ar, NULL), BZ_OK);
            bz_arena_free(&ar);
            assert_string_equal(json + n, d == BZ_DIALECT_OLLAMA ? "\n" : "\n\n");
        }
    }
}

static uint16_t upstream_status;

static const char *upstream(enum bz_dialect d, uint16_t status, const char *body) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    struct bz_buf b;
    bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
    if (body != NULL)
        assert_int_equal(bz_json_parse(bz_view_str(body), NULL, &ar, &root, NULL), BZ_OK);
    bz_buf_init(&b, 1 << 16);
    bz_dialect_upstream_error(d, status, root, BZ_V("01ID"), &b, &upstream_status);
    bz_arena_free(&ar);
    return text_of(&b);
}

static void upstream_statuses(void **state) {
    static const uint16_t rows[][2] = {
        {400, 400}, {401, 502}, {402, 400}, {403, 502}, {404, 404}, {405, 400},
        {409, 400}, {413, 413}, {415, 415}, {418, 400}, {422, 422}, {429, 429},
        {499, 400}, {500, 502}, {501, 501}, {502, 502}, {503, 503}, {504, 502},
        {599, 502}, {200, 502}, {302, 502}, {100, 502}, {0, 502},   {65535, 502},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (unsigned d = 0; d < BZ_DIALECT_COUNT; d++) {
            upstream((enum bz_dialect)d, rows[i][0], NULL);
            assert_int_equal(upstream_status, rows[i][1]);
        }
    }
}

static void upstream_texts_are_replaced(void **state) {
    static const char *const bodies[] = {
        "{\"error\":{\"code\":400,\"message\":\"SECRET\",\"type\":\"invalid_request_error\","
        "\"param\":\"SECRET\"}}",
        "{\"error\":{\"message\":\"SECRET\",\"type\":\"SECRET\",\"code\":\"SECRET\",\"n_ctx\":"
        "\"SECRET\"}}",
        "{\"object\":\"error\",\"message\":\"SECRET\",\"type\":\"BadRequestError\"}",
        "{\"error\":\"SECRET\"}",
        "{\"detail\":\"SECRET\"}",
        "[\"SECRET\"]",
        "\"SECRET\"",
        "null",
        "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"SECRET\"}}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        for (unsigned d = 0; d < BZ_DIALECT_COUNT; d++) {
            for (uint16_t st = 400; st < 510; st = (uint16_t)(st + 1))
                assert_null(strstr(upstream((enum bz_dialect)d, st, bodies[i]), "SECRET"));
        }
    }
}

static void upstream_kinds_are_kept(void **state) {
    const char *t = upstream(BZ_DIALECT_OPENAI, 400,
                             "{\"error\":{\"code\":400,\"message\":\"request (20013 tokens) "
                             "exceeds\",\"type\":\"exceed_context_size_error\","
                             "\"n_prompt_tokens\":20013,\"n_ctx\":4096}}");
    assert_string_equal(t, "{\"error\":{\"message\":\"the prompt does not fit the model's "
                           "context\",\"type\":\"exceed_context_size_error\","
                           "\"param\":null,\"code\":\"context_length_exceeded\",\"n_prompt_"
                           "tokens\":20013,\"n_ctx\":4096,\"request_id\":\"01ID\"}}");
    t = upstream(
        BZ_DIALECT_ANTHROPIC, 400,
        "{\"error\":{\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":5,\"n_ctx\":4}}");
    assert_non_null(strstr(t, "\"error\":{\"type\":\"invalid_request_error\""));
    assert_non_null(strstr(t, "\"n_prompt_tokens\":5"));
    assert_non_null(
        strstr(upstream(BZ_DIALECT_OPENAI, 501, "{\"error\":{\"type\":\"not_supported_error\"}}"),
               "\"type\":\"not_supported_error\""));
    assert_non_null(
        strstr(upstream(BZ_DIALECT_OPENAI, 503, "{\"error\":{\"type\":\"unavailable_error\"}}"),
               "model_loading"));
    assert_non_null(
        strstr(upstream(BZ_DIALECT_OPENAI, 400,
                        "{\"error\":{\"type\":null,\"code\":\"context_length_exceeded\"}}"),
               "context_length_exceeded"));
    /* counts must be plain non-negative integers, both of them */
    assert_null(
        strstr(upstream(BZ_DIALECT_OPENAI, 400, "{\"error\":{\"n_prompt_tokens\":-1,\"n_ctx\":4}}"),
               "n_ctx"));
    assert_null(strstr(
        upstream(BZ_DIALECT_OPENAI, 400, "{\"error\":{\"n_prompt_tokens\":1.5,\"n_ctx\":4}}"),
        "n_ctx"));
    /* a failure stays one, whatever it calls itself */
    t = upstream(BZ_DIALECT_OPENAI, 500, "{\"error\":{\"type\":\"invalid_request_error\"}}");
    assert_int_equal(upstream_status, 502);
    assert_non_null(strstr(t, "\"type\":\"api_error\""));
    assert_non_null(strstr(t, "upstream_error"));
}

static void json_rpc(void **state) {
    struct bz_json word = {.type = BZ_JSON_STRING, .val = BZ_V("a\"b")};
    struct bz_json number = {.type = BZ_JSON_NUMBER, .val = BZ_V("7")};
    struct bz_error e = {.status = 403, .code = "data_blocked", .message = BZ_V("No.")};
    char mem[512];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_dialect_rpc_error(&word, &e, &b);
    assert_true(bz_view_eq(
        bz_buf_view(&b),
        BZ_V(
            "{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"b\",\"error\":{\"code\":-32003,\"message\":\"No.\","
            "\"data\":{\"code\":\"data_blocked\",\"status\":403}}}")));
    bz_buf_reset(&b);
    e.code = "mcp_method_not_allowed";
    bz_dialect_rpc_error(&number, &e, &b);
    bz_buf_putc(&b, 0);
    assert_non_null(strstr(mem, "\"id\":7,\"error\":{\"code\":-32601,"));
    bz_buf_reset(&b);
    e.status = 500;
    e.code = "internal_error";
    bz_dialect_rpc_error(NULL, &e, &b);
    bz_buf_putc(&b, 0);
    assert_non_null(strstr(mem, "\"id\":null,\"error\":{\"code\":-32603,"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_rpc),
        cmocka_unit_test(documents),
        cmocka_unit_test(types_by_status),
        cmocka_unit_test(events),
        cmocka_unit_test(messages_cannot_break_the_frame),
        cmocka_unit_test(upstream_statuses),
        cmocka_unit_test(upstream_texts_are_replaced),
        cmocka_unit_test(upstream_kinds_are_kept),
    };
    return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
