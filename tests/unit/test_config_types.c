/* The configuration's types and the detectors' are the same, number by number, and bad words and
 * patterns are told by their place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <bartizan/policy.h>

#define BASE                                                                                       \
    "version: 1\nlisten: 127.0.0.1:8443\nbackends:\n"                                              \
    "  - {name: local, type: llama.cpp, url: \"http://127.0.0.1:8080\"}\n"                         \
    "data:\n" /* line 5 */

static struct bz_config *parse(const char *yaml) {
    struct bz_config_error e[1];
    size_t n = 0;
    struct bz_config *c = NULL;
    if (bz_config_parse(bz_view_str(yaml), &c, e, 1, &n) != BZ_OK)
        print_error("%u:%u %s: %s\n", e[0].line, e[0].column, e[0].path, e[0].text);
    assert_non_null(c);
    return c;
}

static void test_numbers_are_the_detectors(void **state) {
    struct bz_config *c =
        parse(BASE "  custom:\n    - {name: ZZ_WORDS, words: [Falcon, \"Blue Harbour\"]}\n"
                   "    - {name: AA_PATTERN, pattern: \"CASE-[0-9]{6}\", level: INTERNAL}\n"
                   "    - {name: MM_MARK, words: [Secret], label: true, level: RESTRICTED}\n");
    struct bz_config_error e;
    struct bz_buf pack;
    struct bz_detect *d = NULL;
    bz_buf_init(&pack, BZ_DETECT_PACK_MAX);
    assert_int_equal(bz_config_compile(c, &pack, &e), BZ_OK);
    assert_int_equal(bz_detect_open(bz_buf_view(&pack), &d), BZ_OK);
    assert_int_equal(bz_detect_types_n(d), bz_config_types_n(c));
    for (size_t i = 0; i < bz_config_types_n(c); i++) {
        const struct bz_type *theirs = bz_detect_type(d, i);
        struct bz_type ours;
        assert_true(bz_config_type(c, i, &ours));
        assert_string_equal(ours.name, theirs->name);
        assert_int_equal(ours.cls, theirs->cls);
        assert_int_equal(ours.level, theirs->level);
        assert_true(ours.proof >= theirs->proof); /* no finding is surer than the policy thinks */
    }
    bz_detect_close(d);
    bz_buf_free(&pack);
    bz_config_free(c);
}

static void test_words_for_classes(void **state) {
    static const struct {
        const char *word;
        enum bz_class cls;
        bool checksum;
    } words[] = {{"pii", BZ_CLASS_PII, false},
                 {"secrets", BZ_CLASS_SECRET, false},
                 {"custom", BZ_CLASS_CUSTOM, false},
                 {"labels", BZ_CLASS_LABEL, false},
                 {"checksum", BZ_CLASS_PII, true}};
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        char yaml[512];
        size_t some = 0;
        snprintf(yaml, sizeof yaml,
                 BASE "  custom: [{name: OWN_A, words: [ab]}, {name: OWN_B, words: [cd], label: "
                      "true, level: PUBLIC}]\n  rules: [{types: [%s], action: mask}]\n",
                 words[w].word);
        struct bz_config *c = parse(yaml);
        for (size_t i = 0; i < BZ_TYPES_MAX; i++) {
            struct bz_type t;
            bool wanted = bz_config_type(c, i, &t) && t.cls == words[w].cls &&
                          (!words[w].checksum || t.proof == BZ_PROOF_CHECKSUM);
            some += wanted;
            assert_int_equal(bz_type_set_has(&c->data.rules[0].types, i), wanted);
        }
        assert_true(some > 0);
        bz_config_free(c);
    }
}

static void test_bad_words_and_patterns(void **state) {
    static const struct {
        const char *custom;
        uint32_t line, column;
        const char *path;
    } bad[] = {
        {"    - {name: AA, pattern: \"a(\"}\n", 7, 27, "data.custom[0].pattern"},
        {"    - {name: AA, words: [ok]}\n    - {name: BB, pattern: \"a.*b\"}\n", 8, 27,
         "data.custom[1].pattern"},
        {"    - {name: AA, pattern: \"a?\"}\n", 7, 27, "data.custom[0].pattern"},
        {"    - {name: AA, words: [\"\\u200b\"]}\n", 7, 25, "data.custom[0].words"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char yaml[512];
        struct bz_config_error e = {.line = 0};
        struct bz_buf pack;
        snprintf(yaml, sizeof yaml, BASE "  custom:\n%s", bad[i].custom);
        struct bz_config *c = parse(yaml);
        bz_buf_init(&pack, BZ_DETECT_PACK_MAX);
        assert_int_equal(bz_config_compile(c, &pack, &e), BZ_ESYNTAX);
        assert_int_equal(e.line, bad[i].line);
        assert_int_equal(e.column, bad[i].column);
        assert_string_equal(e.path, bad[i].path);
        assert_true(strlen(e.text) > 10);
        bz_buf_free(&pack);
        bz_config_free(c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_the_detectors),
        cmocka_unit_test(test_words_for_classes),
        cmocka_unit_test(test_bad_words_and_patterns),
    };
    return bz_crypto_init() == BZ_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
