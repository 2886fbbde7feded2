/* Packs, names, custom types at their limits, marks of a classification, which of two wins. */
#include "detect_kit.h"

#define LIT(s)                                                                                     \
    { (const uint8_t *)(s), sizeof(s) - 1 }

static struct kit kit;

static const struct bz_view falcon[] = {LIT("falcon"), LIT("falcon nest")};
static const struct bz_custom customs[] = {
    {.name = LIT("PROJECT"),
     .words = falcon,
     .words_n = 2,
     .nocase = true,
     .whole_word = true,
     .level = BZ_LEVEL_CONFIDENTIAL,
     .cls = BZ_CLASS_CUSTOM},
    {.name = LIT("TICKET"),
     .pattern = LIT("T-[0-9]{4,6}"),
     .level = BZ_LEVEL_INTERNAL,
     .cls = BZ_CLASS_LABEL},
    {.name = LIT("NEST"),
     .words = &falcon[1],
     .words_n = 1,
     .level = BZ_LEVEL_INTERNAL,
     .cls = BZ_CLASS_CUSTOM},
};

static int open_kit(void **state) {
    (void)state;
    kit_open(&kit, customs, 3);
    return 0;
}

static int close_kit(void **state) {
    (void)state;
    kit_close(&kit);
    return 0;
}

static size_t type_of(const char *name) {
    size_t t = 0;
    if (!bz_detect_type_find(kit.d, bz_view_str(name), &t))
        fail_msg("no type %s", name);
    return t;
}

/* ---- names ---- */

static void names(void **state) {
    (void)state;
    const struct bz_type *types = NULL;
    size_t n = bz_type_list(&types);
    assert_true(n >= 4 && n <= BZ_TYPES_MAX - BZ_CUSTOM_MAX);
    for (size_t i = 0; i < n; i++) {
        assert_true(types[i].cls < BZ_CLASS_COUNT && types[i].proof < BZ_PROOF_COUNT &&
                    types[i].level < BZ_LEVEL_COUNT);
        assert_true(strlen(types[i].name) >= 2 && types[i].region != NULL && types[i].what[0]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(types[i].name, types[j].name);
        struct bz_type_set s = {0};
        assert_true(bz_type_set_add_name(&s, bz_view_str(types[i].name)));
        assert_true(bz_type_set_has(&s, i));
        assert_ptr_equal(bz_detect_type(kit.d, i), &types[i]);
    }
    assert_int_equal(bz_detect_types_n(kit.d), n + 3);
    assert_string_equal(bz_detect_type(kit.d, n + 1)->name, "TICKET");
    assert_int_equal(bz_detect_type(kit.d, n + 1)->cls, BZ_CLASS_LABEL);
    assert_null(bz_detect_type(kit.d, n + 3));
    assert_string_equal(bz_class_name(BZ_CLASS_PII), "pii");
    assert_string_equal(bz_proof_name(BZ_PROOF_CHECKSUM), "checksum");
    assert_string_equal(bz_class_name((enum bz_class)99), "?");
    assert_string_equal(bz_proof_name((enum bz_proof)99), "?");
    assert_string_equal(bz_level_name((enum bz_level)99), "?");
}

static void sets(void **state) {
    (void)state;
    static const char *const words[] = {"*",      "pii",      "secrets",    "labels",
                                        "custom", "checksum", "placeholder"};
    struct bz_type_set all = {0};
    assert_true(bz_type_set_add_name(&all, BZ_V("*")));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct bz_type_set s = {0};
        assert_true(bz_type_set_add_name(&s, bz_view_str(words[i])));
        for (size_t t = 0; t < BZ_TYPES_MAX / 64; t++)
            assert_int_equal(s.w[t] & ~all.w[t], 0);
    }
    struct bz_type_set s = {0};
    assert_false(bz_type_set_add_name(&s, BZ_V("nonsense")));
    assert_false(bz_type_set_add_name(&s, BZ_V("")));
    assert_true(bz_type_set_add_name(&s, BZ_V("custom")));
    assert_true(bz_type_set_has(&s, type_of("PROJECT")) && !bz_type_set_has(&s, type_of("TLP")));
    assert_false(bz_type_set_has(&s, BZ_TYPES_MAX));
}

static void levels(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum bz_level level;
    } table[] = {
        {"public", BZ_LEVEL_PUBLIC},
        {"Internal", BZ_LEVEL_INTERNAL},
        {"CONFIDENTIAL", BZ_LEVEL_CONFIDENTIAL},
        {"restricted", BZ_LEVEL_RESTRICTED},
        {"TLP:CLEAR", BZ_LEVEL_PUBLIC},
        {"tlp:green", BZ_LEVEL_INTERNAL},
        {"TLP:AMBER", BZ_LEVEL_CONFIDENTIAL},
        {"TLP:AMBER+STRICT", BZ_LEVEL_RESTRICTED},
        {"TLP:RED", BZ_LEVEL_RESTRICTED},
    };
    enum bz_level l = BZ_LEVEL_PUBLIC;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_true(bz_level_from_name(bz_view_str(table[i].name), &l));
        assert_int_equal(l, table[i].level);
    }
    assert_false(bz_level_from_name(BZ_V("TLP:BLUE"), &l));
    assert_string_equal(bz_level_name(BZ_LEVEL_RESTRICTED), "RESTRICTED");
}

/* ---- packs ---- */

static void damaged_packs(void **state) {
    (void)state;
    struct bz_detect *d = NULL;
    size_t n = kit.pack.n;
    uint8_t *copy = bz_arena_alloc(&kit.ar, n);
    assert_non_null(copy);
    memcpy(copy, kit.pack.p, n);
    for (size_t cut = 0; cut < n; cut += 1 + cut / 3)
        assert_int_equal(bz_detect_open(bz_view(copy, cut), &d), BZ_ECORRUPT);
    for (size_t at = 0; at < n; at += 1 + at / 3) {
        copy[at] ^= 0x10;
        assert_int_equal(bz_detect_open(bz_view(copy, n), &d), BZ_ECORRUPT);
        copy[at] ^= 0x10;
    }
    assert_int_equal(bz_detect_open(bz_view(copy, n), &d), BZ_OK);
    bz_detect_close(d);
    bz_detect_close(NULL);
}

/* A pack that is whole, but of another version or another build. */
static void other_versions(void **state) {
    (void)state;
    size_t n = kit.pack.n;
    uint8_t *copy = bz_arena_alloc(&kit.ar, n);
    assert_non_null(copy);
    static const size_t places[] = {8, 9, 12, 20, 43}; /* version, stamp */
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct bz_detect *d = NULL;
        memcpy(copy, kit.pack.p, n);
        copy[places[i]] ^= 1;
        bz_sha256(bz_view(copy, n - BZ_HASH_LEN), copy + n - BZ_HASH_LEN);
        assert_int_equal(bz_detect_open(bz_view(copy, n), &d), BZ_EVERSION);
    }
}

/* Sealed nonsense inside is refused, never believed. */
static void hostile_packs(void **state) {
    (void)state;
    size_t n = kit.pack.n;
    uint8_t *copy = bz_arena_alloc(&kit.ar, n);
    assert_non_null(copy);
    for (size_t at = 44; at < 200; at++) {
        struct bz_detect *d = NULL;
        memcpy(copy, kit.pack.p, n);
        copy[at] = 0xff;
        bz_sha256(bz_view(copy, n - BZ_HASH_LEN), copy + n - BZ_HASH_LEN);
        enum bz_status st = bz_detect_open(bz_view(copy, n), &d);
        if (st == BZ_OK)
            bz_detect_close(d);
        else
            assert_true(st == BZ_ECORRUPT || st == BZ_EVERSION || st == BZ_ENOMEM);
    }
}

static void two_packs_are_one(void **state) {
    (void)state;
    struct bz_buf again;
    bz_buf_init(&again, 64u << 20);
    assert_int_equal(bz_detect_compile(customs, 3, &again, NULL), BZ_OK);
    assert_true(bz_view_eq(bz_buf_view(&again), bz_buf_view(&kit.pack)));
    bz_buf_free(&again);
    struct bz_buf small;
    bz_buf_init(&small, 1000);
    assert_int_equal(bz_detect_compile(NULL, 0, &small, NULL), BZ_ETOOBIG);
    bz_buf_free(&small);
}

/* ---- custom types ---- */

static void refused(struct bz_custom c, enum bz_status want) {
    struct bz_custom two[2] = {customs[0], c};
    struct bz_custom_error err = {0};
    struct bz_buf out;
    bz_buf_init(&out, 64u << 20);
    enum bz_status st = bz_detect_compile(two, 2, &out, &err);
    if (st != want)
        fail_msg("%s: %s (%s)", (const char *)c.pattern.p, bz_status_text(st), err.text);
    if (want != BZ_OK) {
        assert_int_equal(err.index, 1);
        assert_true(strlen(err.text) > 10);
    }
    bz_buf_free(&out);
}

static struct bz_custom pattern(const char *p) {
    return (struct bz_custom){.name = LIT("X1"), .pattern = bz_view_str(p), .cls = BZ_CLASS_CUSTOM};
}

static void bad_patterns(void **state) {
    (void)state;
    static const struct {
        const char *p;
        enum bz_status st;
    } table[] = {
        {"a{256}", BZ_OK},
        {"a{257}", BZ_ESYNTAX},
        {"a+", BZ_ESYNTAX},
        {"ab*", BZ_ESYNTAX},
        {"a?", BZ_ESYNTAX},
        {"(", BZ_ESYNTAX},
        {"a\\z", BZ_ESYNTAX},
        {"\\Aab", BZ_ESYNTAX},
        {"(?<=a)b", BZ_ESYNTAX},
        {"(a)\\1", BZ_ESYNTAX},
        {"^ab{1,5}$", BZ_OK},
        {"\\\\Zab", BZ_OK},
        {"[\xc3\xa4\xc3\xb6]x", BZ_OK},
        {"\xff", BZ_ESYNTAX},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        refused(pattern(table[i].p), table[i].st);
}

static void bad_customs(void **state) {
    (void)state;
    uint8_t many[200];
    memset(many, 'a', sizeof many);
    struct bz_view word = LIT("x");
    struct bz_custom c = {.name = LIT("X1"), .words = &word, .words_n = 1, .cls = BZ_CLASS_CUSTOM};
    refused(c, BZ_OK);
    static const char *const bad_names[] = {"", "A", "a1", "1A", "A-B", "A B", "_A"};
    for (size_t i = 0; i < sizeof bad_names / sizeof bad_names[0]; i++) {
        c.name = bz_view_str(bad_names[i]);
        refused(c, BZ_ESYNTAX);
    }
    uint8_t name[41];
    memset(name, 'A', sizeof name);
    c.name = bz_view(name, 40);
    refused(c, BZ_OK);
    c.name = bz_view(name, 41);
    refused(c, BZ_ESYNTAX);
    c.name = BZ_V("PROJECT");
    refused(c, BZ_EEXISTS);
    c.name = BZ_V("TLP");
    refused(c, BZ_EEXISTS);
    c.name = BZ_V("X1");
    word = bz_view(many, 128);
    refused(c, BZ_OK);
    word = bz_view(many, 129);
    refused(c, BZ_ESYNTAX);
    word = BZ_V("");
    refused(c, BZ_ESYNTAX);
    word = BZ_V("\xe2\x80\x8b"); /* nothing is left of it */
    refused(c, BZ_ESYNTAX);
    word = BZ_V("x");
    c.pattern = BZ_V("both");
    refused(c, BZ_ESYNTAX);
    c = (struct bz_custom){.name = LIT("X1"), .cls = BZ_CLASS_CUSTOM};
    refused(c, BZ_ESYNTAX);
    c = pattern("ab");
    c.cls = BZ_CLASS_SECRET;
    refused(c, BZ_ESYNTAX);
    c = pattern("ab");
    c.level = BZ_LEVEL_COUNT;
    refused(c, BZ_ESYNTAX);
}

static void many_customs(void **state) {
    (void)state;
    static struct bz_custom c[BZ_CUSTOM_MAX + 1];
    static char names_of[BZ_CUSTOM_MAX + 1][8];
    static const struct bz_view word = LIT("word");
    for (size_t i = 0; i <= BZ_CUSTOM_MAX; i++) {
        snprintf(names_of[i], sizeof names_of[i], "N%zu", i);
        c[i] = (struct bz_custom){
            .name = bz_view_str(names_of[i]), .words = &word, .words_n = 1, .cls = BZ_CLASS_CUSTOM};
    }
    struct bz_custom_error err = {0};
    struct bz_buf out;
    bz_buf_init(&out, 64u << 20);
    assert_int_equal(bz_detect_compile(c, BZ_CUSTOM_MAX, &out, &err), BZ_OK);
    assert_int_equal(bz_detect_compile(c, BZ_CUSTOM_MAX + 1, &out, &err), BZ_ETOOBIG);
    bz_buf_free(&out);
}

/* ---- findings ---- */

struct row {
    const char *text, *type, *match; /* type NULL: nothing is found */
    int level;                       /* -1: any */
};

static void check_row(const struct row *r) {
    struct bz_type_set want = {0};
    assert_true(bz_type_set_add_name(&want, BZ_V("labels")));
    assert_true(bz_type_set_add_name(&want, BZ_V("custom")));
    assert_true(bz_type_set_add_name(&want, BZ_V("placeholder")));
    struct bz_view text = bz_view_str(r->text);
    struct bz_findings f = kit_scan(&kit, text, BZ_TEXT_PLAIN, &want, NULL);
    if (f.n != (r->type != NULL ? 1 : 0)) {
        kit_print(&kit, r->text, &f, text);
        fail_msg("%zu findings in: %s", f.n, r->text);
    }
    if (f.n == 1) {
        struct bz_view got = bz_view_sub(text, f.v[0].start, f.v[0].end - f.v[0].start);
        if (f.v[0].type != type_of(r->type) || !bz_view_eq(got, bz_view_str(r->match)) ||
            (r->level >= 0 && f.v[0].level != r->level)) {
            kit_print(&kit, r->text, &f, text);
            fail_msg("level %u in: %s", f.v[0].level, r->text);
        }
    }
    assert_true(kit_agree_everywhere(&kit, text, BZ_TEXT_PLAIN, &want, NULL));
}

#define PUB BZ_LEVEL_PUBLIC
#define INT BZ_LEVEL_INTERNAL
#define CON BZ_LEVEL_CONFIDENTIAL
#define RES BZ_LEVEL_RESTRICTED

static void labels(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"see TLP:RED notes", "TLP", "TLP:RED", RES},
        {"TLP: AMBER+STRICT", "TLP", "TLP: AMBER+STRICT", RES},
        {"tlp:amber+stricter", "TLP", "tlp:amber", CON},
        {"TLP:GREENISH", NULL, NULL, 0},
        {"XTLP:RED", NULL, NULL, 0},
        {"(TLP:CLEAR)", "TLP", "TLP:CLEAR", PUB},
        {"Classification: Confidential.", "CLASSIFICATION", "Classification: Confidential", CON},
        {"**Classification:** \"Strictly Confidential\"", "CLASSIFICATION",
         "Classification:** \"Strictly Confidential", RES},
        {"Einstufung: intern", "CLASSIFICATION", "Einstufung: intern", INT},
        {"sensitivity = public", "CLASSIFICATION", "sensitivity = public", PUB},
        {"Classification: positive", NULL, NULL, 0},
        {"Classification of confidential data", NULL, NULL, 0},
        {"reclassification: secret", NULL, NULL, 0},
        {"CONFIDENTIAL\nDear all", "MARKING", "CONFIDENTIAL", CON},
        {"Dear all\n  *** STRICTLY CONFIDENTIAL ***  \nhello", "MARKING",
         "*** STRICTLY CONFIDENTIAL ***  ", RES},
        {"text\n[Internal use only]", "MARKING", "[Internal use only]", INT},
        {"text\nFor internal use only\n", "MARKING", "For internal use only", INT},
        {"text\r\nPage 3 of 5 | Vertraulich\r\nmore", "MARKING", "Page 3 of 5 | Vertraulich", CON},
        {"x\nNur f\xc3\xbcr den internen Gebrauch\n", "MARKING",
         "Nur f\xc3\xbcr den internen Gebrauch", INT},
        {"Confidential - Do not distribute", "MARKING", "Confidential - Do not distribute", CON},
        {"it is confidential", NULL, NULL, 0},
        {"confidential", NULL, NULL, 0},
        {"Confidential information follows", NULL, NULL, 0},
        {"a secret\nrestricted area", NULL, NULL, 0},
        {"levels:\n- Public\n- Internal\n- Confidential\n", NULL, NULL, 0},
        {"1. Restricted\n", NULL, NULL, 0},
        {"## Secret\n", NULL, NULL, 0},
        {"Public | Internal | Confidential\n", NULL, NULL, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
}

static void custom_words(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"the FALCON flies", "PROJECT", "FALCON", CON},
        {"falcons", NULL, NULL, 0},
        {"a falcon_x", "PROJECT", "falcon", CON},
        {"Falcon Nest.", "PROJECT", "Falcon Nest", CON},
        {"myfalcon nests", "NEST", "falcon nest", INT}, /* it need not be a whole word */
        {"T-123", NULL, NULL, 0},
        {"T-1234", "TICKET", "T-1234", INT},
        {"xT-1234567", "TICKET", "T-123456", INT},
        {"<PROJECT_abcdefgh>", "PLACEHOLDER", "<PROJECT_abcdefgh>", -1},
        {"<PROJECT_abcdefg>", NULL, NULL, 0},
        {"<PROJECT_abcdefgh >", NULL, NULL, 0},
        {"<project_abcdefgh>", NULL, NULL, 0},
        {"fal\xe2\x80\x8b"
         "con",
         "PROJECT",
         "fal\xe2\x80\x8b"
         "con",
         CON},
        {"\xef\xbd\x86"
         "alcon",
         "PROJECT",
         "\xef\xbd\x86"
         "alcon",
         CON},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
}

/* What is held for wins over what is not; else the earlier, the surer, the longer. */
static void overlaps(void **state) {
    (void)state;
    struct bz_view text = BZ_V("falcon nest");
    struct bz_findings f = kit_scan(&kit, text, BZ_TEXT_PLAIN, NULL, NULL);
    assert_int_equal(f.n, 1);
    assert_int_equal(f.v[0].type, type_of("PROJECT")); /* equal: the lower type */
    struct bz_type_set hold = {0};
    bz_type_set_add(&hold, type_of("NEST"));
    f = kit_scan(&kit, text, BZ_TEXT_PLAIN, NULL, &hold);
    assert_int_equal(f.n, 1);
    assert_int_equal(f.v[0].type, type_of("NEST"));
    text = BZ_V("falcon falcon nest falcon T-1234");
    f = kit_scan(&kit, text, BZ_TEXT_PLAIN, NULL, &hold);
    assert_int_equal(f.n, 4);
    for (size_t i = 1; i < f.n; i++)
        assert_true(f.v[i - 1].end <= f.v[i].start);
    struct bz_type_set none = {0};
    f = kit_scan(&kit, text, BZ_TEXT_PLAIN, &none, NULL);
    assert_int_equal(f.n, 0);
}

static void json_quotes(void **state) {
    (void)state;
    struct bz_view text = BZ_V("{\"a\\\"\": \"fal\\u0063on\", \"b\": falcon, \"falcon\": 1}");
    struct bz_findings f = kit_scan(&kit, text, BZ_TEXT_JSON, NULL, NULL);
    assert_int_equal(f.n, 3);
    assert_int_equal(f.v[0].end - f.v[0].start, 11);
    assert_int_equal(f.v[0].quoted, 1);
    assert_int_equal(f.v[1].quoted, 0);
    assert_int_equal(f.v[2].quoted, 1);
    assert_true(kit_agree_everywhere(&kit, text, BZ_TEXT_JSON, NULL, NULL));
}

static void too_many(void **state) {
    (void)state;
    struct bz_buf b;
    bz_buf_init(&b, 4u << 20);
    for (size_t i = 0; i < BZ_FINDINGS_MAX + 10; i++)
        bz_buf_puts(&b, "falcon ");
    struct bz_findings f = kit_scan(&kit, bz_buf_view(&b), BZ_TEXT_PLAIN, NULL, NULL);
    assert_int_equal(f.n, BZ_FINDINGS_MAX);
    assert_int_equal(f.more, 10);
    bz_buf_reset(&b);
    for (size_t i = 0; i < 5 * BZ_FINDINGS_MAX; i++)
        bz_buf_puts(&b, "falcon ");
    f = kit_scan(&kit, bz_buf_view(&b), BZ_TEXT_PLAIN, NULL, NULL);
    assert_int_equal(f.n, BZ_FINDINGS_MAX);
    assert_true(f.more > 0);
    bz_buf_free(&b);
}

static void no_memory(void **state) {
    (void)state;
    struct bz_arena small;
    bz_arena_init(&small, bz_alloc_heap, 16, NULL, 0);
    struct bz_findings f = {.ar = &small};
    assert_int_equal(bz_detect_scan(kit.d, BZ_V("falcon"), BZ_TEXT_PLAIN, NULL, NULL, &small, &f),
                     BZ_ENOMEM);
    bz_arena_free(&small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(sets),
        cmocka_unit_test(levels),
        cmocka_unit_test(damaged_packs),
        cmocka_unit_test(other_versions),
        cmocka_unit_test(hostile_packs),
        cmocka_unit_test(two_packs_are_one),
        cmocka_unit_test(bad_patterns),
        cmocka_unit_test(bad_customs),
        cmocka_unit_test(many_customs),
        cmocka_unit_test(labels),
        cmocka_unit_test(custom_words),
        cmocka_unit_test(overlaps),
        cmocka_unit_test(json_quotes),
        cmocka_unit_test(too_many),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, open_kit, close_kit);
}
