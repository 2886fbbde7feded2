/* Schemas of both kinds, both sides of every keyword; caps; what cannot be decided. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <bartizan/schema.h>

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
    {"{}", "type: "},
    {"{\"type\":\"thing\"}", "type: "},
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
};

/* OK, or what is wrong. */
static enum bz_status check(const char *text, enum bz_schema_kind kind, char err[BZ_SCHEMA_ERROR]) {
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 4u << 20, NULL, 0);
    enum bz_status st = bz_schema_check(parse(text, &ar), kind, &ar, err);
    bz_arena_free(&ar);
    return st;
}

static void test_schemas(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        char err[BZ_SCHEMA_ERROR];
        enum bz_status st = check(schemas[i].schema, BZ_SCHEMA_OWN, err);
        bool ok = schemas[i].err == NULL ? st == BZ_OK
                                         : st == BZ_ESYNTAX && strstr(err, schemas[i].err) != NULL;
        if (!ok)
            fail_msg("%s: %d %s", schemas[i].schema, st, err);
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

static struct bz_schema_misfit held(const char *schema, enum bz_schema_kind kind,
                                    const char *value) {
    struct bz_arena ar;
    struct bz_schema_misfit m;
    bz_arena_init(&ar, bz_alloc_heap, 4u << 20, NULL, 0);
    assert_int_equal(bz_schema_fits(parse(schema, &ar), kind, parse(value, &ar), &ar, &m), BZ_OK);
    bz_arena_free(&ar);
    return m;
}

static bool fits_kind(const char *schema, enum bz_schema_kind kind, const char *value) {
    char err[BZ_SCHEMA_ERROR];
    if (check(schema, kind, err) != BZ_OK)
        fail_msg("%s: %s", schema, err);
    return held(schema, kind, value).why == NULL;
}

static bool fits(const char *schema, const char *value) {
    return fits_kind(schema, BZ_SCHEMA_OWN, value);
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

/* ---- published: as the standard has it ---- */

#define DEEP(x) "{\"$defs\":{\"n\":" x "},\"$ref\":\"#/$defs/n\"}"
static const struct {
    const char *schema, *good[8], *bad[8];
} published[] = {
    {"{}", {"1", "{\"x\":1}", "null"}, {NULL}},
    {"true", {"1"}, {NULL}},
    {"false", {NULL}, {"1", "{}"}},
    {"{\"type\":\"object\"}", {"{}", "{\"x\":[1]}"}, {"1", "[]"}},
    {"{\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":1}},\"required\":[\"a\"]}",
     {"{\"a\":1,\"b\":2}", "7"},
     {"{}", "{\"a\":0}", "{\"a\":\"1\"}"}},
    {"{\"required\":[]}", {"{}"}, {NULL}},
    {"{\"properties\":{\"a\":true,\"b\":false},\"additionalProperties\":false}",
     {"{\"a\":1}", "{}"},
     {"{\"b\":1}", "{\"c\":1}"}},
    {"{\"additionalProperties\":{\"type\":\"string\"}}", {"{\"x\":\"\"}"}, {"{\"x\":1}"}},
    {"{\"patternProperties\":{\"^n_\":{\"type\":\"number\"}},\"additionalProperties\":false}",
     {"{\"n_a\":1}", "{}"},
     {"{\"n_a\":\"1\"}", "{\"m_a\":1}", "{\"an_\":1}"}},
    {"{\"propertyNames\":{\"pattern\":\"^[a-z]+$\"}}", {"{\"ab\":1}"}, {"{\"aB\":1}"}},
    {"{\"minProperties\":1,\"maxProperties\":2}",
     {"{\"a\":1}", "{\"a\":1,\"b\":1}"},
     {"{}", "{\"a\":1,\"b\":1,\"c\":1}"}},
    {"{\"dependentRequired\":{\"a\":[\"b\"]}}", {"{\"a\":1,\"b\":1}", "{\"c\":1}"}, {"{\"a\":1}"}},
    {"{\"dependentSchemas\":{\"a\":{\"required\":[\"b\"]}}}",
     {"{\"a\":1,\"b\":1}", "{\"b\":1}"},
     {"{\"a\":1}"}},
    {"{\"items\":{\"type\":\"string\"},\"minItems\":1,\"maxItems\":2}",
     {"[\"a\"]", "[\"a\",\"b\"]"},
     {"[]", "[1]", "[\"a\",\"b\",\"c\"]"}},
    {"{\"prefixItems\":[{\"type\":\"number\"}],\"items\":false}",
     {"[1]", "[]"},
     {"[1,2]", "[\"\"]"}},
    {"{\"items\":[{\"type\":\"number\"}],\"additionalItems\":{\"type\":\"string\"}}",
     {"[1]", "[1,\"a\"]"},
     {"[\"a\"]", "[1,2]"}},
    {"{\"items\":{},\"additionalItems\":false}", {"[1,2]"}, {NULL}},
    {"{\"uniqueItems\":true}", {"[1,2]", "[1,\"1\"]"}, {"[1,1.0]", "[{\"a\":1},{\"a\":1}]"}},
    {"{\"uniqueItems\":false}", {"[1,1]"}, {NULL}},
    {"{\"contains\":{\"type\":\"string\"}}", {"[1,\"a\"]"}, {"[]", "[1]"}},
    {"{\"contains\":{\"const\":1},\"minContains\":0,\"maxContains\":1}", {"[]", "[1]"}, {"[1,1]"}},
    {"{\"multipleOf\":0.01}", {"1.23", "0", "-5e3", "1e20"}, {"1.234", "0.001"}},
    {"{\"multipleOf\":7}", {"7e30", "-21", "0.7e2"}, {"8", "7.5", "1e30"}},
    {"{\"minLength\":2,\"maxLength\":3}", {"\"\xc3\xa4\xc3\xa4\xc3\xa4\""}, {"\"abcd\"", "\"a\""}},
    {"{\"pattern\":\"b+\"}", {"\"abbc\"", "\"b\"", "7"}, {"\"ac\"", "\"\""}},
    {"{\"pattern\":\"^a\"}", {"\"ab\"", "\"a\""}, {"\"ba\""}},
    {"{\"pattern\":\"a$\"}", {"\"ba\""}, {"\"ab\"", "\"a\\n\""}},
    {"{\"pattern\":\"a\\\\$\"}", {"\"a$b\""}, {"\"a\""}},
    {"{\"pattern\":\"^(?!\\\\.)(?!.*\\\\.\\\\.)[a-z.]+@[a-z]+$\"}",
     {"\"a.b@c\""},
     {"\".a@b\"", "\"a..b@c\"", "\"a\""}},
    {"{\"pattern\":\"^(?=.*[0-9])[a-z0-9]{3,}$\"}", {"\"ab1\""}, {"\"abc\"", "\"a1\""}},
    {"{\"pattern\":\"^\\\\x41\\\\u00e4[[]$\"}", {"\"A\xc3\xa4[\""}, {"\"Aa[\""}},
    {"{\"pattern\":\"^\\\\s.$\"}", {"\"\xc2\xa0x\""}, {"\"  \\r\"", "\" \\r\"", "\"xx\""}},
    {"{\"format\":\"email\",\"x-any\":[1]}", {"\"no mail\""}, {NULL}},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]}", {"1", "\"\""}, {"true"}},
    {"{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]}", {"1.5"}, {"1", "\"\""}},
    {"{\"allOf\":[{\"minimum\":1},{\"exclusiveMaximum\":3}]}", {"2", "\"x\""}, {"3", "0"}},
    {"{\"not\":{\"type\":\"string\"}}", {"1"}, {"\"\""}},
    {"{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]},\"else\":{\"maxProperties\":0}"
     "}",
     {"{\"a\":1,\"b\":1}", "{}"},
     {"{\"a\":1}", "{\"c\":1}"}},
    {DEEP("{\"properties\":{\"n\":{\"$ref\":\"#/$defs/n\"},\"v\":{\"type\":\"integer\"}}}"),
     {"{\"v\":1}", "{\"n\":{\"n\":{\"v\":2}}}"},
     {"{\"n\":{\"n\":{\"v\":\"2\"}}}"}},
    {"{\"definitions\":{\"a/b~\":{\"const\":1}},\"$ref\":\"#/definitions/a~1b~0\"}", {"1"}, {"2"}},
    {"{\"allOf\":[{\"const\":1},{\"$ref\":\"#/allOf/0\"}]}", {"1"}, {"2"}},
    {"{\"enum\":[1,{\"a\":[true]}]}", {"{\"a\":[true]}", "1.0"}, {"{\"a\":[false]}"}},
    {"{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"$id\":\"x\",\"type\":[\"string\",\"null\"]}",
     {"null"},
     {"true"}},
};

static void test_published(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        for (size_t k = 0; k < 8 && published[i].good[k] != NULL; k++)
            if (!fits_kind(published[i].schema, BZ_SCHEMA_PUBLISHED, published[i].good[k]))
                fail_msg("%s does not take %s", published[i].schema, published[i].good[k]);
        for (size_t k = 0; k < 8 && published[i].bad[k] != NULL; k++)
            if (fits_kind(published[i].schema, BZ_SCHEMA_PUBLISHED, published[i].bad[k]))
                fail_msg("%s takes %s", published[i].schema, published[i].bad[k]);
    }
}

/* What is not decided here is named by the check, and fits nothing: neither as it is, nor below `not` and its
 * kin, where not fitting is what is asked for. */
static void test_undecided(void **state) {
    static const struct {
        const char *schema, *err, *value; /* value NULL: it is met in none */
    } rows[] = {
        {"{\"unevaluatedProperties\":false}", "schema.unevaluatedProperties: ", "{}"},
        {"{\"dependencies\":{\"a\":[\"b\"]}}", "schema.dependencies: ", "{}"},
        {"{\"$dynamicRef\":\"#n\"}", "schema.$dynamicRef: ", "1"},
        {"{\"propertis\":{}}", "schema.propertis: this keyword is not decided here", "1"},
        {"{\"$ref\":\"https://example.org/s\"}", "schema.$ref: only places in", "1"},
        {"{\"$ref\":\"#n\"}", "schema.$ref: ", "1"},
        {"{\"$ref\":\"#/$defs/none\"}", "schema.$ref: ", "1"},
        {"{\"$ref\":\"#/%24defs\"}", "schema.$ref: ", "1"},
        {"{\"anyOf\":[{\"$id\":\"x\"}]}", "schema.anyOf.$id: ", "1"},
        {"{\"type\":\"thing\"}", "schema.type: ", "1"},
        {"{\"minimum\":\"1\"}", "schema.minimum: ", "1"},
        {"{\"exclusiveMinimum\":true}", "schema.exclusiveMinimum: ", "1"}, /* draft-04 */
        {"{\"minLength\":1.5}", "schema.minLength: ", "\"a\""},
        {"{\"maxItems\":\"1\"}", "schema.maxItems: ", "[]"},
        {"{\"contains\":{},\"minContains\":\"1\"}", "schema.minContains: ", "[]"},
        {"{\"multipleOf\":0}", "schema.multipleOf: ", "1"},
        {"{\"multipleOf\":-1}", "schema.multipleOf: ", NULL},
        {"{\"pattern\":\"(a\"}", "schema.pattern: ", "\"a\""},
        {"{\"pattern\":\"a(?=b)\"}", "schema.pattern: only plain groups", "\"a\""},
        {"{\"pattern\":\"(a)\\\\1\"}", "schema.pattern: ", "\"a\""},
        {"{\"pattern\":\"^a|b$\"}", "put them into a group", "\"a\""},
        {"{\"pattern\":\"^(?!a)+b$\"}", "cannot be repeated", "\"a\""},
        {"{\"pattern\":\"\\\\uD800\"}", "half of a character", "\"a\""},
        {"{\"pattern\":7}", "schema.pattern: ", "1"},
        {"{\"patternProperties\":{\"(\":{}}}", "schema.patternProperties: ", "{\"a\":1}"},
        {"{\"properties\":{\"a\":7}}", "schema.properties.a: a schema is an object", "{\"a\":1}"},
        {"{\"properties\":[]}", "schema.properties: ", "{}"},
        {"{\"allOf\":{}}", "schema.allOf: ", "1"},
        {"{\"dependentRequired\":{\"a\":1}}", "schema.dependentRequired: ", NULL},
        {"{\"uniqueItems\":1}", "schema.uniqueItems: ", "[1]"},
        {"{\"enum\":[]}", "schema.enum: ", "1"},
        {"{\"not\":{\"x\":1}}", "schema.not.x: ", "1"},
        {"{\"$defs\":{\"a\":{\"x\":1}}}", "schema.$defs.a.x: ", NULL},
        {"7", "a schema is an object", "1"},
    };
    static const struct {
        const char *before, *behind;
    } around[] = {{"", ""},
                  {"{\"not\":", "}"},
                  {"{\"if\":", "}"},
                  {"{\"oneOf\":[", ",true]}"},
                  {"{\"not\":{\"not\":", "}}"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char err[BZ_SCHEMA_ERROR], whole[512];
        enum bz_status st = check(rows[i].schema, BZ_SCHEMA_PUBLISHED, err);
        if (st != BZ_ESYNTAX || strstr(err, rows[i].err) == NULL)
            fail_msg("%s: %d %s", rows[i].schema, st, err);
        for (size_t k = 0; k < sizeof around / sizeof around[0] && rows[i].value != NULL; k++) {
            if (strstr(rows[i].schema, "$ref") != NULL && k > 0)
                continue; /* "#" is another place then */
            if (strcmp(rows[i].schema, "{\"enum\":[]}") == 0 && k > 0)
                continue; /* no value: decided */
            snprintf(whole, sizeof whole, "%s%s%s", around[k].before, rows[i].schema,
                     around[k].behind);
            if (held(whole, BZ_SCHEMA_PUBLISHED, rows[i].value).why == NULL)
                fail_msg("%s takes %s", whole, rows[i].value);
        }
    }
}

/* Values that cannot be decided are no way round `not` either. */
static void test_undecided_values(void **state) {
    static char text[BZ_SCHEMA_PATTERN_TEXT_MAX + 8];
    (void)state;
    assert_non_null(
        held("{\"not\":{\"type\":\"string\"}}", BZ_SCHEMA_PUBLISHED, "1e99999999999").why);
    memset(text, 'a', sizeof text);
    text[0] = text[BZ_SCHEMA_PATTERN_TEXT_MAX + 1] = '"';
    text[BZ_SCHEMA_PATTERN_TEXT_MAX + 2] = '\0';
    assert_null(held("{\"not\":{\"pattern\":\"b\"}}", BZ_SCHEMA_PUBLISHED, text).why);
    text[BZ_SCHEMA_PATTERN_TEXT_MAX + 1] = 'a';
    text[BZ_SCHEMA_PATTERN_TEXT_MAX + 2] = '"';
    text[BZ_SCHEMA_PATTERN_TEXT_MAX + 3] = '\0';
    assert_non_null(held("{\"not\":{\"pattern\":\"b\"}}", BZ_SCHEMA_PUBLISHED, text).why);
    assert_non_null(held(DEEP("{\"$ref\":\"#/$defs/n\"}"), BZ_SCHEMA_PUBLISHED, "1").why);
    assert_non_null(
        held("{\"not\":{\"$ref\":\"#\"}}", BZ_SCHEMA_PUBLISHED, "1").why); /* its own opposite */
    struct bz_arena ar;
    struct bz_schema_misfit m;
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    assert_int_equal(bz_schema_fits(NULL, BZ_SCHEMA_PUBLISHED, parse("1", &ar), &ar, &m), BZ_OK);
    assert_non_null(m.why);
    assert_int_equal(bz_schema_fits(parse("{}", &ar), BZ_SCHEMA_PUBLISHED, NULL, &ar, &m), BZ_OK);
    assert_non_null(m.why);
    bz_arena_free(&ar);
}

/* ---- caps, both sides ---- */

static void test_depth(void **state) {
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        char err[BZ_SCHEMA_ERROR];
        struct bz_buf schema, value;
        bz_buf_init(&schema, 1 << 16);
        bz_buf_init(&value, 1 << 16);
        for (size_t i = 1; i < BZ_SCHEMA_DEPTH + over; i++) {
            bz_buf_puts(&schema, "{\"type\":\"array\",\"items\":");
            bz_buf_putc(&value, '[');
        }
        bz_buf_puts(&schema, "{\"type\":\"null\"}");
        bz_buf_puts(&value, "null");
        for (size_t i = 1; i < BZ_SCHEMA_DEPTH + over; i++) {
            bz_buf_putc(&schema, '}');
            bz_buf_putc(&value, ']');
        }
        bz_buf_putc(&schema, 0);
        bz_buf_putc(&value, 0);
        for (int kind = 0; kind < BZ_SCHEMA_KIND_COUNT; kind++) {
            assert_int_equal(check((char *)schema.p, (enum bz_schema_kind)kind, err),
                             over ? BZ_ESYNTAX : BZ_OK);
            assert_int_equal(
                held((char *)schema.p, (enum bz_schema_kind)kind, (char *)value.p).why == NULL,
                !over);
        }
        bz_buf_free(&schema);
        bz_buf_free(&value);
    }
}

/* 400 forms for each of 400 values: above the steps; half of each is below. */
static void test_steps(void **state) {
    static char schema[16384], value[4096];
    (void)state;
    for (int n = 200; n <= 400; n += 200) {
        size_t at = 0, v = 0;
        at += (size_t)snprintf(schema, sizeof schema, "{\"items\":{\"anyOf\":[");
        v += (size_t)snprintf(value, sizeof value, "[");
        for (int i = 0; i < n; i++) {
            at += (size_t)snprintf(schema + at, sizeof schema - at, "%s{\"const\":\"%d\"}",
                                   i ? "," : "", i);
            v += (size_t)snprintf(value + v, sizeof value - v, "%s\"%d\"", i ? "," : "", n - 1);
        }
        (void)snprintf(schema + at, sizeof schema - at, "]}}");
        (void)snprintf(value + v, sizeof value - v, "]");
        assert_int_equal(held(schema, BZ_SCHEMA_PUBLISHED, value).why == NULL, n == 200);
    }
}

static void test_pattern_caps(void **state) {
    static char text[BZ_SCHEMA_PATTERN_MAX + 64];
    char err[BZ_SCHEMA_ERROR];
    (void)state;
    for (size_t over = 0; over < 2;
         over++) { /* bytes: a set of one range, written 250 times over */
        size_t at = (size_t)snprintf(text, sizeof text, "{\"type\":\"string\",\"pattern\":\"");
        size_t end = at + BZ_SCHEMA_PATTERN_MAX + over - 1;
        text[at++] = '^';
        while (end - at >= 5)
            at += (size_t)snprintf(text + at, sizeof text - at, "[a-z]");
        while (at < end)
            text[at++] = 'a';
        snprintf(text + at, sizeof text - at, "$\"}");
        assert_int_equal(check(text, BZ_SCHEMA_OWN, err), over ? BZ_ESYNTAX : BZ_OK);
    }
    for (int more = 0; more < 2; more++) { /* steps: a split, the sets, the end */
        snprintf(text, sizeof text, "{\"type\":\"string\",\"pattern\":\"^a{255}b{%d}c$\"}",
                 BZ_SCHEMA_PATTERN_STEPS - 258 + more);
        assert_int_equal(check(text, BZ_SCHEMA_OWN, err), more ? BZ_ESYNTAX : BZ_OK);
    }
}

static void test_pattern_is_bounded(void **state) {
    (void)state;
    static char text[BZ_SCHEMA_PATTERN_TEXT_MAX + 8];
    memset(text, 'a', sizeof text);
    text[0] = text[BZ_SCHEMA_PATTERN_TEXT_MAX - 1] = '"';
    text[BZ_SCHEMA_PATTERN_TEXT_MAX] = '\0';
    assert_true(fits(S(",\"pattern\":\"^((a*)*)*$\""), text));
    memset(text + 1, 'a', sizeof text - 1);
    text[BZ_SCHEMA_PATTERN_TEXT_MAX + 1] = '"';
    text[BZ_SCHEMA_PATTERN_TEXT_MAX + 2] = '\0';
    assert_true(fits(S(",\"pattern\":\"^a+$\""), text));
    text[BZ_SCHEMA_PATTERN_TEXT_MAX + 1] = 'a';
    text[BZ_SCHEMA_PATTERN_TEXT_MAX + 2] = '"';
    text[BZ_SCHEMA_PATTERN_TEXT_MAX + 3] = '\0';
    assert_false(fits(S(",\"pattern\":\"^a+$\""), text)); /* too long for one, so it does not fit */
}

/* What a refusal says names the schema's members, never what the model wrote. */
static void test_place(void **state) {
    static const char schema[] = "{\"type\":\"object\",\"properties\":{\"to\":{\"type\":\"array\","
                                 "\"items\":{\"type\":\"string\",\"maxLength\":2}}}}";
    (void)state;
    struct bz_schema_misfit m = held(schema, BZ_SCHEMA_OWN, "{\"to\":[\"ab\",\"abc\"]}");
    assert_string_equal(m.path, ".to[]");
    assert_string_equal(m.why, "the text is too long");
    m = held(schema, BZ_SCHEMA_OWN, "{\"secret name\":1}");
    assert_string_equal(m.path, "");
    assert_null(strstr(m.why, "secret"));
    m = held("{\"anyOf\":[{\"properties\":{\"a\":{\"const\":1}}},false]}", BZ_SCHEMA_PUBLISHED,
             "{\"a\":2}");
    assert_string_equal(m.path, ""); /* of a form that was only tried */
}

/* The n-th allocation fails: said, never taken as fitting. */
static void test_too_little_memory(void **state) {
    struct bz_arena ar, small;
    struct bz_schema_misfit m;
    char err[BZ_SCHEMA_ERROR];
    (void)state;
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    bz_arena_init(&small, bz_alloc_heap, 512, NULL, 0);
    const struct bz_json *s = parse("{\"pattern\":\"a\"}", &ar);
    assert_int_equal(bz_schema_check(s, BZ_SCHEMA_PUBLISHED, &small, err), BZ_ENOMEM);
    assert_int_equal(bz_schema_fits(s, BZ_SCHEMA_PUBLISHED, parse("\"a\"", &ar), &small, &m),
                     BZ_ENOMEM);
    bz_arena_free(&small);
    bz_arena_free(&ar);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schemas),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_undecided),
        cmocka_unit_test(test_undecided_values),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_pattern_caps),
        cmocka_unit_test(test_pattern_is_bounded),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_too_little_memory),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
