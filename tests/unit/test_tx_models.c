#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gw_fixture.h"

/* Asks and compares the whole body; want NULL: only the status. */
static void expect(enum gw_setup setup, enum gw_key key, const char *path, uint16_t status,
                   const char *want) {
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req r;
    enum bz_verdict v;
    assert_true(gw_open(&g, setup));
    gw_req_init(&r, &g, key, "GET", path, NULL);
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    const struct bz_reply *reply = bz_tx_reply(tx);
    assert_int_equal(v, status == 200 ? BZ_VERDICT_ANSWER : BZ_VERDICT_REFUSE);
    assert_int_equal(reply->status, status);
    assert_null(bz_tx_forward(tx));
    if (want != NULL && !bz_view_eq(reply->body, bz_view_str(want)))
        print_message("%s: %.*s\n", path, (int)reply->body.n, (const char *)reply->body.p);
    assert_true(want == NULL || bz_view_eq(reply->body, bz_view_str(want)));
    bz_tx_free(tx);
    assert_int_equal(heap.live, 0);
    gw_close(&g);
}

#define ENTRY(name)                                                                                \
    "{\"id\":\"" name "\",\"object\":\"model\",\"created\":0,\"owned_by\":\"bartizan\"}"
#define LIST(entries) "{\"object\":\"list\",\"data\":[" entries "]}"

static void lists_show_what_the_caller_may_use(void **state) {
    expect(GW_LLAMA, GW_USER, "/v1/models", 200,
           LIST(ENTRY("assistant") "," ENTRY("big") "," ENTRY("metered") "," ENTRY("tiny")));
    expect(GW_LLAMA, GW_NARROW, "/v1/models", 200, LIST(ENTRY("tiny")));
    expect(GW_LLAMA, GW_NARROW, "/models", 200, LIST(ENTRY("tiny")));
    expect(GW_OLLAMA, GW_NARROW, "/v1/models", 200, LIST(""));
    expect(GW_LLAMA, GW_KEYS, "/v1/models", 401, NULL);
}

static void lists_of_several_servers_are_one(void **state) {
    expect(GW_MIXED, GW_NARROW, "/v1/models", 200,
           LIST(ENTRY("tiny"))); /* two replicas, one entry */
    struct gw g;
    struct gw_heap heap = {0};
    struct gw_req r;
    enum bz_verdict v;
    assert_true(gw_open(&g, GW_MIXED));
    gw_req_init(&r, &g, GW_USER, "GET", "/v1/models", NULL);
    struct bz_tx *tx = gw_send(&g, &r, gw_heap_alloc(&heap), &v);
    static const char *const names[] = {"\"everywhere\"", "\"llama3:latest\"", "\"mistral\"",
                                        "\"tiny\""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_true(gw_contains(bz_tx_reply(tx)->body, names[i]));
    assert_false(
        gw_contains(bz_tx_reply(tx)->body, "tiny.gguf")); /* targets are the backend's matter */
    bz_tx_free(tx);
    gw_close(&g);
}

static void one_model(void **state) {
    expect(GW_LLAMA, GW_USER, "/v1/models/big", 200, ENTRY("big"));
    expect(GW_LLAMA, GW_NARROW, "/v1/models/big", 404, NULL);
    expect(GW_LLAMA, GW_USER, "/v1/models/nothing", 404, NULL);
    expect(GW_OLLAMA, GW_USER, "/v1/models/llama3", 200, ENTRY("llama3:latest"));
    expect(GW_OLLAMA, GW_USER, "/v1/models/qwen:7b", 200, ENTRY("qwen:7b"));
    expect(GW_OLLAMA, GW_USER, "/v1/models/qwen", 404, NULL);
}

#define TAG(name)                                                                                  \
    "{\"name\":\"" name "\",\"model\":\"" name                                                     \
    "\",\"modified_at\":\"1970-01-01T00:00:00Z\",\"size\":0,"                                      \
    "\"digest\":\"\",\"details\":{\"format\":\"\",\"family\":\"\",\"parameter_size\":\"\","        \
    "\"quantization_level\":\"\"}}"

static void ollama_s_own_lists(void **state) {
    expect(GW_OLLAMA, GW_USER, "/api/tags", 200,
           "{\"models\":[" TAG("llama3:latest") "," TAG("qwen:7b") "]}");
    expect(GW_OLLAMA, GW_NARROW, "/api/tags", 200, "{\"models\":[]}");
    expect(GW_MIXED, GW_USER, "/api/tags", 200,
           "{\"models\":[" TAG("everywhere") "," TAG("llama3:latest") "]}");
    expect(GW_OLLAMA, GW_USER, "/api/ps", 200, "{\"models\":[]}");
    expect(GW_OLLAMA, GW_USER, "/api/version", 200, "{\"version\":\"" BZ_VERSION "\"}");
    expect(GW_LLAMA, GW_USER, "/api/tags", 404, NULL);
}

static void liveness(void **state) {
    for (int s = 0; s < GW_SETUP_COUNT; s++)
        expect((enum gw_setup)s, GW_KEYS, "/health", 200, "{\"status\":\"ok\"}");
    expect(GW_LLAMA, GW_KEYS, "/v1/health", 401, NULL);
    expect(GW_LLAMA, GW_USER, "/v1/health", 200, "{\"status\":\"ok\"}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_show_what_the_caller_may_use),
        cmocka_unit_test(lists_of_several_servers_are_one),
        cmocka_unit_test(one_model),
        cmocka_unit_test(ollama_s_own_lists),
        cmocka_unit_test(liveness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
