/* Schemas of arguments, both sides of every keyword; numbers and digests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../src/agent/agent_int.h"

static struct bz_json *parse(const char *text, struct bz_arena *ar) {
    struct bz_json *v = NULL;
    if (bz_json_parse(bz_view_str(text), NULL, ar, &v, NULL) != BZ_OK)
        fail_msg("no JSON: %s", text);
    return v;
}

/* ---- schemas that are understood, and not ---- */

#define STRING(more) "{\"type\":\"string\"" more "}"
#define OBJECT(of) "{\"type\":\"object\",\"properties\":{\"a\":" of "}}"
static const struct {
    const char *schema, *err; /* NULL: fine */
} schemas[] = {
    {"{\"type\":\"object\"}", NULL},
    {STRING(""), NULL},
    {"{\"type\":\"object\",\"title\":\"t\",\"description\":\"d\",\"default\":{},\"examples\":[],"
     "\"$comment\":\"c\"}",
     NULL},
    {OBJECT("{\"enum\":[1,\"x\"]}"), NULL},
    {OBJECT("{\"const\":null}"), NULL},
    {OBJECT("{\"type\":[\"string\",\"null\"],\"maxLength\":3}"), NULL},
    {OBJECT(STRING(",\"pattern\":\"^[a-z]{2,8}$\"")), NULL},
    {OBJECT(STRING(",\"format\":\"url\",\"hosts\":[\"example.org\",\"*.example.org:8443\"]")),
     NULL},
    {OBJECT(STRING(",\"format\":\"path\",\"roots\":[\"/srv/data\"]")), NULL},
    {OBJECT("{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}"), NULL},
    {"{\"type\":\"object\",\"required\":[\"b\"],\"additionalProperties\":true}", NULL},
    {"[]", "a schema is an object"},
    {"{", "schema: "},
    {"{}", "type: "},
    {"{\"type\":\"thing\"}", "type: "},
    {"{\"type\":\"integer\"}", "arguments are an object"},
    {"{\"type\":\"object\",\"propertis\":{}}", "schema.propertis: this keyword is not known"},
    {"{\"type\":\"object\",\"anyOf\":[]}", "not known"},
    {"{\"type\":\"object\",\"$ref\":\"#\"}", "not known"},
    {"{\"type\":\"object\",\"not\":{}}", "not known"},
    {"{\"type\":\"object\",\"minLength\":3}", "another type"},
    {OBJECT("{\"type\":\"integer\",\"pattern\":\"^a$\"}"), "schema.properties.a.pattern: "},
    {OBJECT("{}"), "schema.properties.a.type: "},
    {OBJECT("{\"type\":\"array\"}"), "needs a schema for its entries"},
    {OBJECT("{\"enum\":[]}"), "enum: "},
    {OBJECT(STRING(",\"minLength\":-1")), "minLength: a whole number"},
    {OBJECT(STRING(",\"maxLength\":1.5")), "maxLength: a whole number"},
    {OBJECT("{\"type\":\"number\",\"minimum\":\"3\"}"), "minimum: a number"},
    {OBJECT(STRING(",\"format\":\"uri\"")), "format: known are"},
    {OBJECT(STRING(",\"hosts\":[\"a.example\"]")), "hosts go with"},
    {OBJECT(STRING(",\"format\":\"url\",\"hosts\":[]")), "a list of texts"},
    {OBJECT(STRING(",\"format\":\"url\",\"hosts\":[\"https://a.example\"]")), "written plainly"},
    {OBJECT(STRING(",\"format\":\"url\",\"hosts\":[\"*\"]")), "written plainly"},
    {OBJECT(STRING(",\"format\":\"host\",\"roots\":[\"/x\"]")), "roots go with"},
    {OBJECT(STRING(",\"pattern\":\"[a-z]+\"")), "begins with ^"},
    {OBJECT(STRING(",\"pattern\":\"^a\\\\$\"")), "begins with ^"},
    {OBJECT(STRING(",\"pattern\":\"^(a$\"")), "group has no end"},
    {OBJECT(STRING(",\"pattern\":\"^a)$\"")), "group ends that did not begin"},
    {OBJECT(STRING(",\"pattern\":\"^(?=a)$\"")), "only plain groups"},
    {OBJECT(STRING(",\"pattern\":\"^a\\\\1$\"")), "escape is not known"},
    {OBJECT(STRING(",\"pattern\":\"^a**$\"")), "repeat of a repeat"},
    {OBJECT(STRING(",\"pattern\":\"^+$\"")), "nothing repeats"},
    {OBJECT(STRING(",\"pattern\":\"^a{3,2}$\"")), "ends before it begins"},
    {OBJECT(STRING(",\"pattern\":\"^[z-a]$\"")), "ends before it begins"},
    {OBJECT(STRING(",\"pattern\":\"^[a$\"")), "breaks off"},
    {OBJECT(STRING(",\"pattern\":\"^(((a{9}){9}){9}){9}$\"")), "too long"},
    {OBJECT(STRING(",\"pattern\":\"^((((){255}){255}){255}){255}$\"")), "too long"},
    {"{\"type\":\"object\",\"required\":[\"b\"]}", "can never be there"},
    {"{\"type\":\"object\",\"properties\":[]}", "properties: an object"},
    {"{\"type\":\"object\",\"additionalProperties\":1}", "true, false or a schema"},
    {"{\"type\":\"object\",\"type\":\"string\"}", "schema: "},
};

static void test_schemas(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        char err[256];
        enum bz_status st = schema_check(bz_view_str(schemas[i].schema), err);
        bool ok = schemas[i].err == NULL ? st == BZ_OK
                                         : st == BZ_ESYNTAX && strstr(err, schemas[i].err) != NULL;
        if (!ok)
            fail_msg("%s: %d %s", schemas[i].schema, st, err);
    }
}

static void test_schema_caps(void **state) {
    (void)state;
    static char text[BZ_AGENT_SCHEMA_MAX + 64];
    char err[256];
    size_t n = (size_t)snprintf(text, sizeof text, "{\"type\":\"object\",\"title\":\"");
    memset(text + n, 'x', sizeof text - n);
    memcpy(text + BZ_AGENT_SCHEMA_MAX - 2, "\"}", 3);
    assert_int_equal(schema_check(bz_view_str(text), err), BZ_OK);
    memcpy(text + BZ_AGENT_SCHEMA_MAX - 2, "x\"}", 4);
    assert_int_equal(schema_check(bz_view_str(text), err), BZ_ESYNTAX);
    for (int over = 0; over < 2; over++) {
        struct bz_buf b;
        size_t depth = BZ_AGENT_SCHEMA_DEPTH + (size_t)over;
        bz_buf_init(&b, 1 << 16);
        bz_buf_puts(&b, "{\"type\":\"object\",\"properties\":{\"a\":");
        for (size_t i = 1; i < depth; i++)
            bz_buf_puts(&b, "{\"type\":\"array\",\"items\":");
        bz_buf_puts(&b, "{\"type\":\"null\"}");
        for (size_t i = 1; i < depth; i++)
            bz_buf_putc(&b, '}');
        bz_buf_puts(&b, "}}");
        assert_int_equal(schema_check(bz_buf_view(&b), err), over ? BZ_ESYNTAX : BZ_OK);
        bz_buf_free(&b);
    }
}

/* ---- values ---- */

#define S(more) STRING(more)
#define ROOTS ",\"format\":\"path\",\"roots\":[\"/srv/data\",\"reports/\"]"
#define URLS ",\"format\":\"url\",\"hosts\":[\"example.org\",\"*.corp.example\",\"h.example:8443\"]"
static const struct {
    const char *schema, *good[8], *bad[14];
} values[] = {
    {"{\"type\":\"string\"}", {"\"\"", "\"x\""}, {"1", "null", "[]", "{}", "true"}},
    {"{\"type\":\"integer\"}",
     {"1", "-3", "1.0", "10e-1", "0", "5e2"},
     {"1.5", "\"1\"", "1e-1", "null"}},
    {"{\"type\":\"number\"}", {"1", "1.5", "-2e9"}, {"\"1\"", "true"}},
    {"{\"type\":\"boolean\"}", {"true", "false"}, {"0", "\"true\"", "null"}},
    {"{\"type\":\"null\"}", {"null"}, {"0", "\"\"", "false"}},
    {"{\"type\":[\"string\",\"null\"]}", {"null", "\"a\""}, {"1"}},
    {"{\"enum\":[\"a\",1,null,{\"x\":[1,2]}]}",
     {"\"a\"", "1.0", "null", "{\"x\":[1,2e0]}"},
     {"\"A\"", "\"1\"", "{\"x\":[2,1]}", "{}", "false"}},
    {"{\"const\":{\"a\":1,\"b\":2}}",
     {"{\"b\":2,\"a\":1}"},
     {"{\"a\":1}", "{\"a\":1,\"b\":2,\"c\":3}"}},
    {"{\"type\":\"integer\",\"minimum\":1,\"maximum\":10}",
     {"1", "10", "5"},
     {"0", "11", "-1", "1e9", "1e-400"}},
    {"{\"type\":\"number\",\"exclusiveMinimum\":0,\"exclusiveMaximum\":1}",
     {"0.5", "1e-60", "0.99999999999999999999999"},
     {"0", "1", "-0", "-0.0", "1.0", "1.00000000000000000000001"}},
    {"{\"type\":\"integer\",\"maximum\":9007199254740993}",
     {"9007199254740993"},
     {"9007199254740994", "9007199254740993.5", "1e99999999999"}},
    {S(",\"minLength\":2,\"maxLength\":3"),
     {"\"ab\"", "\"äöü\""},
     {"\"a\"", "\"abcd\"", "\"äöüß\""}},
    {S(",\"pattern\":\"^[a-c]+x?$\""),
     {"\"abc\"", "\"ax\""},
     {"\"\"", "\"abd\"", "\"xabc\"", "\"abc\\n\"", "\"abc xx\""}},
    {S(",\"pattern\":\"^(ab|c{2,3}|\\\\d\\\\.)*$\""),
     {"\"\"", "\"ab\"", "\"cc\"", "\"ccc\"", "\"abcc1.ab\""},
     {"\"c\"", "\"a\"", "\"1\"", "\"abcd\""}},
    {S(",\"pattern\":\"^[^/\\\\s]{1,4}$\""),
     {"\"a-ä\""},
     {"\"a/b\"", "\"a b\"", "\"abcde\"", "\"\""}},
    {S(",\"pattern\":\"^a.c$\""), {"\"abc\"", "\"aäc\""}, {"\"a\\nc\"", "\"ac\""}},
    {S(",\"pattern\":\"^\\\\W\\\\D\\\\S$\""), {"\"--x\""}, {"\"a-x\"", "\"-1x\"", "\"-- \""}},
    {S(",\"pattern\":\"^(a|b|)$\""), {"\"a\"", "\"b\"", "\"\""}, {"\"c\"", "\"ab\""}},
    {S(",\"pattern\":\"^(a*)*$\""),
     {"\"\"", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
     {"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\""}},
    {S(",\"pattern\":\"^a|b$\""), {"\"a\"", "\"b\""}, {"\"ax\"", "\"xb\""}},
    {S(",\"format\":\"host\",\"hosts\":[\"example.org\",\"*.example.org\"]"),
     {"\"example.org\"", "\"a.example.org\"", "\"EXAMPLE.org\"", "\"example.org:80\""},
     {"\"evil.example\"", "\"xexample.org\"", "\"example.org.evil.example\"", "\"example.org.\"",
      "\"example.org:0\"", "\"a@example.org\"", "\"exämple.org\"", "\"\"", "\"-a.example.org\"",
      "\"example.org/x\"", "\" example.org\"", "\".example.org\""}},
    {S(URLS),
     {"\"https://example.org\"", "\"http://example.org/x?y#z\"", "\"HTTPS://Example.Org:444/\"",
      "\"https://a.b.corp.example/\"", "\"https://h.example:8443/\"", "\"https://example.org?x\""},
     {"\"https://evil.example/\"", "\"https://example.org@evil.example/\"",
      "\"https://evil.example#example.org\"", "\"https://example.org\\\\@evil.example\"",
      "\"https:example.org\"", "\"https:/example.org\"", "\"javascript:alert(1)\"",
      "\"//example.org\"", "\"https://corp.example/\"", "\"https://h.example/\"",
      "\"https://example.org /x\"", "\"https://user:pw@example.org/\"",
      "\"https://example.org%2eevil.example/\"", "\"https://[::1]/\""}},
    {S(",\"format\":\"email\",\"hosts\":[\"example.org\"]"),
     {"\"a@example.org\"", "\"a.b+c@EXAMPLE.org\""},
     {"\"a@evil.example\"", "\"a@example.org,b@evil.example\"", "\"a@b@example.org\"",
      "\"@example.org\"", "\"a@example.org:25\"", "\"a b@example.org\"", "\"<a@example.org>\"",
      "\"a@example.org\\nBcc: x\"", "\"example.org\""}},
    {S(ROOTS),
     {"\"/srv/data\"", "\"/srv/data/a/b.txt\"", "\"reports/x\"", "\"/srv/data/..x/a..b\""},
     {"\"/srv/data/../etc/passwd\"", "\"/srv/database\"", "\"/etc/passwd\"", "\"..\"", "\"~/x\"",
      "\"reports\\\\..\\\\x\"", "\"/srv/data/a\\u0007\"", "\"\"", "\"reports/..\""}},
    {S(",\"format\":\"date\""),
     {"\"2030-01-31\""},
     {"\"2030-13-01\"", "\"2030-1-01\"", "\"2030-01-32\"", "\"x\"", "\"2030-01-00\""}},
    {"{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"maximum\":3},\"minItems\":1,"
     "\"maxItems\":2}",
     {"[1]", "[1,3]"},
     {"[]", "[1,2,3]", "[4]", "[\"1\"]", "{}"}},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"integer\"}"
     "},"
     "\"required\":[\"a\"]}",
     {"{\"a\":\"x\"}", "{\"b\":1,\"a\":\"\"}"},
     {"{}", "{\"b\":1}", "{\"a\":1}", "{\"a\":\"x\",\"c\":1}", "{\"a\":\"x\",\"A\":1}",
      "{\"a\":\"x\",\"b\":\"1\"}", "[]"}},
    {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}",
     {"{}", "{\"x\":1}"},
     {"{\"x\":\"1\"}"}},
    {"{\"type\":\"object\",\"additionalProperties\":true}", {"{\"x\":[{}]}"}, {"1"}},
    {"{\"type\":\"object\"}", {"{}"}, {"{\"x\":1}"}},
};

static bool fits(const char *schema, const char *value) {
    struct bz_arena ar;
    const char *why = NULL;
    char path[96], err[256];
    char whole[2048];
    snprintf(whole, sizeof whole, "{\"type\":\"object\",\"properties\":{\"v\":%s}}", schema);
    if (schema_check(bz_view_str(whole), err) != BZ_OK)
        fail_msg("%s: %s", schema, err);
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    assert_int_equal(schema_fits(parse(schema, &ar), parse(value, &ar), &ar, &why, path), BZ_OK);
    bz_arena_free(&ar);
    return why == NULL;
}

static void test_values(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        for (size_t k = 0; k < 8 && values[i].good[k] != NULL; k++)
            if (!fits(values[i].schema, values[i].good[k]))
                fail_msg("%s does not take %s", values[i].schema, values[i].good[k]);
        for (size_t k = 0; k < 14 && values[i].bad[k] != NULL; k++)
            if (fits(values[i].schema, values[i].bad[k]))
                fail_msg("%s takes %s", values[i].schema, values[i].bad[k]);
    }
}

static void test_pattern_is_bounded(void **state) {
    (void)state;
    static char text[BZ_AGENT_PATTERN_TEXT_MAX + 8];
    memset(text, 'a', sizeof text);
    text[0] = text[BZ_AGENT_PATTERN_TEXT_MAX - 1] = '"';
    text[BZ_AGENT_PATTERN_TEXT_MAX] = '\0';
    assert_true(fits(S(",\"pattern\":\"^((a*)*)*$\""), text));
    memset(text + 1, 'a', sizeof text - 1);
    text[BZ_AGENT_PATTERN_TEXT_MAX + 1] = '"';
    text[BZ_AGENT_PATTERN_TEXT_MAX + 2] = '\0';
    assert_true(fits(S(",\"pattern\":\"^a+$\""), text));
    text[BZ_AGENT_PATTERN_TEXT_MAX + 1] = 'a';
    text[BZ_AGENT_PATTERN_TEXT_MAX + 2] = '"';
    text[BZ_AGENT_PATTERN_TEXT_MAX + 3] = '\0';
    assert_false(fits(S(",\"pattern\":\"^a+$\""), text)); /* too long for one, so it does not fit */
}

/* What a refusal says names the schema's members, never what the model wrote. */
static void test_place(void **state) {
    (void)state;
    struct bz_arena ar;
    const char *why = NULL;
    char path[96];
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    const struct bz_json *s =
        parse("{\"type\":\"object\",\"properties\":{\"to\":{\"type\":\"array\","
              "\"items\":{\"type\":\"string\",\"maxLength\":2}}}}",
              &ar);
    assert_int_equal(schema_fits(s, parse("{\"to\":[\"ab\",\"abc\"]}", &ar), &ar, &why, path),
                     BZ_OK);
    assert_string_equal(path, ".to[]");
    assert_string_equal(why, "the text is too long");
    assert_int_equal(schema_fits(s, parse("{\"secret name\":1}", &ar), &ar, &why, path), BZ_OK);
    assert_string_equal(path, "");
    assert_null(strstr(why, "secret"));
    bz_arena_free(&ar);
}

/* ---- digests ---- */

static void digest(const char *name, const char *arguments, uint8_t out[BZ_CALL_ID]) {
    static const uint8_t key[32] = {7};
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    const struct bz_view none = {NULL, 0};
    assert_int_equal(bz_agent_digest(key, bz_view_str(name), parse(arguments, &ar), none, &ar, out),
                     BZ_OK);
    bz_arena_free(&ar);
}

static void test_digest(void **state) {
    (void)state;
    static const char *const same[][2] = {
        {"{\"a\":1,\"b\":2}", "{ \"b\" : 2.0 , \"a\" : 10e-1 }"},
        {"{\"a\":{\"y\":1,\"x\":[{\"d\":1,\"c\":2}]}}",
         "{\"a\":{\"x\":[{\"c\":2,\"d\":1}],\"y\":1}}"},
        {"[0,-0,0.0,-0e5]", "[0,0,0,0]"},
        {"[100,1e2,0.1e3]", "[100,100,100]"},
        {"[0.001,123.450]", "[1e-3,1234.5e-1]"},
        {"\"\\u0061\\/\"", "\"a/\""},
    };
    static const char *const other[][2] = {
        {"{\"a\":1}", "{\"a\":2}"},
        {"{\"a\":1}", "{\"a\":\"1\"}"},
        {"[1,2]", "[2,1]"},
        {"{\"a\":1}", "{\"A\":1}"},
        {"{}", "[]"},
        {"null", "\"null\""},
        {"[1,2]", "[12]"},
        {"[10]", "[1]"},
        {"[-1]", "[1]"},
        {"{\"a\":{}}", "{\"a\":null}"},
        {"[9007199254740993]", "[9007199254740992]"},
        {"[\"a\",\"b\"]", "[\"a,b\"]"},
        {"[0.1]", "[0.01]"},
        {"[\"a \"]", "[\"a\"]"},
    };
    uint8_t x[BZ_CALL_ID], y[BZ_CALL_ID];
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        digest("t", same[i][0], x);
        digest("t", same[i][1], y);
        assert_memory_equal(x, y, sizeof x);
    }
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        digest("t", other[i][0], x);
        digest("t", other[i][1], y);
        assert_memory_not_equal(x, y, sizeof x);
    }
    digest("t", "{}", x);
    digest("u", "{}", y);
    assert_memory_not_equal(x, y, sizeof x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schemas), cmocka_unit_test(test_schema_caps),
        cmocka_unit_test(test_values),  cmocka_unit_test(test_pattern_is_bounded),
        cmocka_unit_test(test_place),   cmocka_unit_test(test_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
