/* Records: binary form, log entry, request ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <bartizan/audit.h>
#include <bartizan/json.h>

static struct bz_record sample(void) {
    struct bz_record r = {
        .kind = BZ_RECORD_CLOSE, .time_ns = 1795342272345000000u, .generation = 7};
    for (size_t i = 0; i < sizeof r.id; i++)
        r.id[i] = (uint8_t)(i * 17);
    r.principal = BZ_V("alice");
    r.key_id = BZ_V("k1");
    r.role = BZ_V("user");
    r.method = BZ_V("POST");
    r.route = BZ_V("/v1/chat/completions");
    r.model = BZ_V("assistant");
    r.backend = BZ_V("local");
    r.peer = BZ_V("127.0.0.1");
    r.decision = BZ_V("allow");
    r.reason = BZ_V("done");
    r.detail = BZ_V("a \"quoted\"\nline");
    r.findings = BZ_V("request:CREDIT_CARD:restore:2 reply:github-pat:mask:1");
    r.label = BZ_V("CONFIDENTIAL");
    r.status = 200;
    r.upstream_status = 200;
    r.stream = true;
    r.usage_known = true;
    r.prompt_tokens = 12;
    r.completion_tokens = 34;
    r.request_bytes = 512;
    r.reply_bytes = 2048;
    r.events = 36;
    r.latency_us = 120345;
    r.first_byte_us = 2345;
    memset(r.request_digest, 0xab, sizeof r.request_digest);
    return r;
}

static void json_of(const struct bz_record *r, char *out, size_t n) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, out, n - 1);
    bz_record_json(r, &b);
    assert_int_equal(bz_buf_status(&b), BZ_OK);
    out[b.n] = '\0';
}

static void roundtrip(void **state) {
    struct bz_record r = sample();
    struct bz_buf b;
    bz_buf_init(&b, BZ_RECORD_MAX);
    bz_record_encode(&r, &b);
    assert_int_equal(bz_buf_status(&b), BZ_OK);
    struct bz_record back;
    assert_int_equal(bz_record_decode(bz_buf_view(&b), &back), BZ_OK);
    static char one[4096];
    static char two[4096];
    json_of(&r, one, sizeof one);
    json_of(&back, two, sizeof two);
    assert_string_equal(one, two);
    assert_string_equal(
        one, "{\"kind\":\"close\",\"id\":\"req_0024h36h2ncsvrh6daqf6dvvqz\",\"time\":\"2026-11-"
             "22T10:11:12.345Z\",\"generation\":7,"
             "\"principal\":\"alice\",\"key\":\"k1\",\"role\":\"user\",\"method\":\"POST\","
             "\"route\":\"/v1/chat/completions\","
             "\"model\":\"assistant\",\"backend\":\"local\",\"peer\":\"127.0.0.1\",\"decision\":"
             "\"allow\",\"reason\":\"done\","
             "\"detail\":\"a "
             "\\\"quoted\\\"\\nline\",\"findings\":[\"request:CREDIT_CARD:restore:2\","
             "\"reply:github-pat:mask:1\"],\"label\":\"CONFIDENTIAL\",\"status\":200,\"upstream_status\":200,\"stream\":true,"
             "\"prompt_tokens\":12,\"completion_tokens\":34,\"request_bytes\":512,\"reply_bytes\":"
             "2048,\"events\":36,"
             "\"latency_us\":120345,\"first_byte_us\":2345,\"request_digest\":"
             "\"abababababababababababababababab\"}");
    bz_buf_free(&b);
}

static void sparse(void **state) {
    struct bz_record r = {.kind = BZ_RECORD_SYSTEM, .reason = BZ_V("x")};
    char text[512];
    json_of(&r, text, sizeof text);
    assert_string_equal(
        text, "{\"kind\":\"system\",\"time\":\"1970-01-01T00:00:00.000Z\",\"reason\":\"x\"}");
    for (int k = 0; k < BZ_RECORD_KIND_COUNT; k++) {
        r.kind = (enum bz_record_kind)k;
        json_of(&r, text, sizeof text);
        assert_null(strstr(text, "unknown"));
    }
}

/* A ring of an older release: the same without its last two texts. */
static void version_1(void **state) {
    struct bz_record r = sample(), back;
    uint8_t mem[BZ_RECORD_MAX];
    struct bz_buf b;
    r.findings = r.label = (struct bz_view){NULL, 0};
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_record_encode(&r, &b);
    mem[0] = 1;
    assert_int_equal(bz_record_decode(bz_view(mem, b.n), &back), BZ_ETRAILING);
    assert_int_equal(bz_record_decode(bz_view(mem, b.n - 4), &back), BZ_OK);
    assert_true(bz_view_eq(back.detail, r.detail));
    assert_int_equal(back.findings.n, 0);
}

/* Every prefix, every trailing byte and every header bit that means nothing is refused. */
static void hostile(void **state) {
    struct bz_record r = sample();
    uint8_t mem[BZ_RECORD_MAX + 1];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_record_encode(&r, &b);
    size_t n = b.n;
    struct bz_record back;
    for (size_t i = 0; i < n; i++)
        assert_int_not_equal(bz_record_decode(bz_view(mem, i), &back), BZ_OK);
    assert_int_equal(bz_record_decode(bz_view(mem, n), &back), BZ_OK);
    mem[n] = 0;
    assert_int_equal(bz_record_decode(bz_view(mem, n + 1), &back), BZ_ETRAILING);
    assert_int_equal(bz_record_decode(bz_view(mem, BZ_RECORD_MAX + 1), &back), BZ_ETOOBIG);
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {{0, 0}, {0, 3}, {1, BZ_RECORD_KIND_COUNT}, {1, 255}, {2, 4}, {2, 128}, {3, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t was = mem[bad[i].at];
        mem[bad[i].at] = bad[i].value;
        assert_int_not_equal(bz_record_decode(bz_view(mem, n), &back), BZ_OK);
        mem[bad[i].at] = was;
    }
}

/* Too long: detail gives way first, then model, at a character boundary; nothing else ever does. */
static void cutting(void **state) {
    static uint8_t big[6000];
    for (size_t i = 0; i + 1 < sizeof big; i += 2)
        memcpy(big + i, "\xc3\xa9", 2);
    for (size_t n = 0; n < sizeof big; n += 7) {
        struct bz_record r = sample();
        r.detail = bz_view(big, n & ~(size_t)1);
        r.model = bz_view(big, (n / 3) & ~(size_t)1);
        struct bz_buf b;
        bz_buf_init(&b, BZ_RECORD_MAX);
        bz_record_encode(&r, &b);
        assert_int_equal(bz_buf_status(&b), BZ_OK);
        assert_true(b.n <= BZ_RECORD_MAX);
        struct bz_record back;
        assert_int_equal(bz_record_decode(bz_buf_view(&b), &back), BZ_OK);
        assert_true(bz_view_eq(back.principal, r.principal) && bz_view_eq(back.reason, r.reason));
        assert_true(bz_view_starts(r.detail, back.detail) && bz_view_starts(r.model, back.model));
        assert_int_equal(back.detail.n % 2, 0);
        assert_int_equal(back.model.n % 2, 0);
        if (back.model.n < r.model.n && r.model.n <= BZ_RECORD_MAX)
            assert_int_equal(back.detail.n, 0);
        if (back.detail.n < r.detail.n && back.model.n == r.model.n)
            assert_true(b.n >= BZ_RECORD_MAX - 1);
        bz_buf_free(&b);
    }
    struct bz_record r = sample();
    static const size_t sizes[] = {2049, 3000, 4096, 6000};
    for (size_t i = 0; i < 4; i++) {
        r.principal = bz_view(big, sizes[i]);
        struct bz_buf b;
        bz_buf_init(&b, 2 * BZ_RECORD_MAX);
        bz_record_encode(&r, &b);
        assert_int_equal(bz_buf_status(&b), BZ_ETOOBIG);
        bz_buf_free(&b);
    }
    r.principal = r.route = bz_view(big, 1200);
    struct bz_buf b;
    bz_buf_init(&b, 2 * BZ_RECORD_MAX);
    bz_record_encode(&r, &b);
    assert_int_equal(bz_buf_status(&b), BZ_ETOOBIG);
    bz_buf_free(&b);
}

/* Whatever bytes a field holds, the entry is one line of strict JSON and fits an entry bundle. */
static void hostile_fields(void **state) {
    static uint8_t every[1600];
    for (size_t i = 0; i < sizeof every; i++)
        every[i] = (uint8_t)(1 + (i * 7 + i / 256) % 255); /* JSON of ours has no \\u0000 */
    struct bz_record r = sample();
    r.detail = bz_view(every, sizeof every);
    struct bz_buf b;
    bz_buf_init(&b, BZ_ENTRY_MAX);
    bz_record_json(&r, &b);
    assert_int_equal(bz_buf_status(&b), BZ_OK);
    assert_null(memchr(b.p, '\n', b.n));
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
    struct bz_diag d;
    assert_int_equal(bz_json_check(bz_buf_view(&b), NULL, &ar, &d), BZ_OK);
    bz_arena_free(&ar);
    bz_buf_free(&b);
}

static void out_of_room(void **state) {
    struct bz_record r = sample();
    uint8_t mem[64];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_record_encode(&r, &b);
    assert_int_equal(bz_buf_status(&b), BZ_ETOOBIG);
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_record_json(&r, &b);
    assert_int_equal(bz_buf_status(&b), BZ_ETOOBIG);
}

static void ids(void **state) {
    uint8_t id[BZ_REQUEST_ID_LEN];
    uint8_t back[BZ_REQUEST_ID_LEN];
    char text[BZ_REQUEST_ID_TEXT + 1];
    char last[BZ_REQUEST_ID_TEXT + 1] = "";
    for (uint64_t i = 0; i < 5000; i++) { /* sorts by time as text */
        bz_request_id_make(1795342272345u + i * 97, (uint32_t)(i % 64), i * 1000003, i * 31, id);
        bz_request_id_text(id, text);
        assert_int_equal(strlen(text), BZ_REQUEST_ID_TEXT);
        assert_true(strcmp(last, text) < 0);
        memcpy(last, text, sizeof last);
        assert_true(bz_request_id_parse(bz_view_str(text), back));
        assert_memory_equal(id, back, sizeof id);
        assert_true(bz_request_id_parse(bz_view_str(text + 4), back));
    }
    memset(id, 0xff, sizeof id);
    bz_request_id_text(id, text);
    assert_string_equal(text, "req_7zzzzzzzzzzzzzzzzzzzzzzzzz");
    assert_true(bz_request_id_parse(BZ_V("req_7ZZZZZZZZZZZZZZZZZZZZZZZZZ"), back));
    assert_memory_equal(id, back, sizeof id);
    static const char *const bad[] = {"",
                                      "req_",
                                      "req_8zzzzzzzzzzzzzzzzzzzzzzzzz",
                                      "req_7zzzzzzzzzzzzzzzzzzzzzzzz",
                                      "req_7zzzzzzzzzzzzzzzzzzzzzzzzzz",
                                      "req_0123456789abcdefghijklmnop",
                                      "req_00000000000000000000000u00",
                                      "req_0000000000000000000000000-",
                                      "REQ_00000000000000000000000000"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(bz_request_id_parse(bz_view_str(bad[i]), back));
    char nul[30] = "req_00000000000000000000000000";
    nul[12] = '\0';
    assert_false(bz_request_id_parse(bz_view(nul, 30), back));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roundtrip),
        cmocka_unit_test(sparse),
        cmocka_unit_test(version_1),
        cmocka_unit_test(hostile),
        cmocka_unit_test(cutting),
        cmocka_unit_test(hostile_fields),
        cmocka_unit_test(out_of_room),
        cmocka_unit_test(ids),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
