/* Virtual patches: which requests they keep from which backends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "gw_fixture.h"

#define V BZ_V

static enum bz_verdict send(struct gw *g, enum gw_key key, const char *method, const char *path,
                            const char *body, struct bz_tx **ret) {
    struct gw_req r;
    enum bz_verdict v = BZ_VERDICT_NONE;
    gw_req_init(&r, g, key, method, path, body);
    *ret = gw_send(g, &r, bz_alloc_heap, &v);
    assert_non_null(*ret);
    return v;
}

static void expect(struct gw *g, enum gw_key key, const char *method, const char *path,
                   const char *body, bool passes) {
    struct bz_tx *tx;
    enum bz_verdict v = send(g, key, method, path, body, &tx);
    if ((v == BZ_VERDICT_FORWARD) != passes)
        fail_msg("%s %s %s", method, path, body == NULL ? "" : body);
    if (!passes) {
        assert_int_equal(bz_tx_reply(tx)->status, 403);
        assert_true(gw_contains(bz_tx_reply(tx)->body, "CVE-2099-1"));
    }
    bz_tx_free(tx);
}

static void test_route(void **state) {
    static const struct bz_image_patch rules[] = {
        {.id = V("CVE-2099-1"), .method = V("POST"), .path = V("/api/show"), .backends = 1},
        {.id = V("CVE-2099-1"), .path = V("/api/status"), .backends = 1},
        {.id = V("CVE-2099-1"), .method = V("GET"), .path = V("/api/chat"), .backends = 1},
    };
    struct gw g;
    assert_true(gw_open_patches(&g, GW_OLLAMA, rules, 3));
    expect(&g, GW_ADMIN, "POST", "/api/show", "{\"model\":\"qwen:7b\"}", false);
    expect(&g, GW_ADMIN, "GET", "/api/status", NULL, false);
    expect(&g, GW_ADMIN, "POST", "/api/chat",
           "{\"model\":\"qwen:7b\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", true);
    gw_close(&g);
}

static void test_param(void **state) {
    static const struct bz_image_patch rules[] = {
        {.id = V("CVE-2099-1"),
         .param = V("top_k"),
         .has_min = true,
         .has_max = true,
         .min = 0,
         .max = 40,
         .backends = 1},
        {.id = V("CVE-2099-1"), .param = V("grammar"), .deny = true, .backends = 1},
        {.id = V("CVE-2099-1"), .param = V("messages.name"), .deny = true, .backends = 1},
        {.id = V("CVE-2099-1"), .param = V("seed"), .has_max = true, .max = 9, .backends = 2},
    };
    static const struct {
        const char *more;
        bool passes;
    } rows[] = {
        {"", true},
        {",\"top_k\":40", true},
        {",\"top_k\":0", true},
        {",\"top_k\":41", false},
        {",\"top_k\":-1", false},
        {",\"top_k\":1.5", false},
        {",\"top_k\":\"4\"", false},
        {",\"top_k\":null", true},
        {",\"TOP_K\":99", false},
        {",\"grammar\":\"root ::= \\\"a\\\"\"", false},
        {",\"seed\":10", true}, /* another backend's rule */
    };
    struct gw g;
    char body[256];
    assert_true(gw_open_patches(&g, GW_SINGLE, rules, 4));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(
            body, sizeof body,
            "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]%s}",
            rows[i].more);
        expect(&g, GW_ADMIN, "POST", "/v1/chat/completions", body, rows[i].passes);
    }
    expect(&g, GW_ADMIN, "POST", "/v1/chat/completions",
           "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},"
           "{\"role\":\"user\",\"name\":\"x\",\"content\":\"hi\"}]}",
           false);
    gw_close(&g);
}

/* Replicas that have the fix take the requests of those that have not. */
static void test_fixed_replica(void **state) {
    static const struct bz_image_patch rules[] = {
        {.id = V("CVE-2099-1"), .path = V("/v1/chat/completions"), .backends = 1},
    };
    struct gw g;
    struct bz_tx *tx;
    assert_true(gw_open_patches(&g, GW_MIXED, rules, 1));
    for (int i = 0; i < 8; i++) {
        struct bz_backend b;
        assert_int_equal(
            send(&g, GW_ADMIN, "POST", "/v1/chat/completions",
                 "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", &tx),
            BZ_VERDICT_FORWARD);
        assert_true(bz_tx_backend(tx, gw_now(&g), &b));
        assert_int_equal(b.index, 4);
        bz_tx_free(tx);
    }
    gw_close(&g);
}

static void test_image(void **state) {
    static const struct bz_image_patch good = {
        .id = V("CVE-2099-1"), .path = V("/x"), .backends = 1};
    static const struct bz_image_patch both = {
        .id = V("CVE-2099-1"), .path = V("/x"), .param = V("y"), .backends = 1};
    static const struct bz_image_patch nameless = {.path = V("/x"), .backends = 1};
    static struct bz_image_patch many[BZ_ADVISORY_PATCHES_MAX + 1];
    struct bz_image_patch p;
    struct gw g;
    for (size_t i = 0; i < BZ_ADVISORY_PATCHES_MAX + 1; i++)
        many[i] = good;
    assert_true(gw_open_patches(&g, GW_LLAMA, many, BZ_ADVISORY_PATCHES_MAX));
    assert_true(bz_image_patch(&g.image, BZ_ADVISORY_PATCHES_MAX - 1, &p));
    assert_true(bz_view_eq(p.id, good.id) && bz_view_eq(p.path, good.path) && p.backends == 1);
    assert_false(bz_image_patch(&g.image, BZ_ADVISORY_PATCHES_MAX, &p));
    gw_close(&g);
    assert_false(gw_open_patches(&g, GW_LLAMA, many, BZ_ADVISORY_PATCHES_MAX + 1));
    gw_close(&g);
    assert_false(gw_open_patches(&g, GW_LLAMA, &both, 1));
    gw_close(&g);
    assert_false(gw_open_patches(&g, GW_LLAMA, &nameless, 1));
    gw_close(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_route),
        cmocka_unit_test(test_param),
        cmocka_unit_test(test_fixed_replica),
        cmocka_unit_test(test_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
