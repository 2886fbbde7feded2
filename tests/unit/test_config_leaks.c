/* The section `leaks` of bartizan.yaml. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <bartizan/policy.h>

#define BASE                                                                                       \
    "version: 1\nlisten: 127.0.0.1:8443\nbackends:\n"                                              \
    "  - {name: local, type: llama.cpp, url: \"http://127.0.0.1:8080\", models: [tiny, big]}\n"

enum { cap = 8 };
static struct bz_config_error errs[cap];
static size_t errs_n;

static struct bz_config *parse(const char *yaml) {
    struct bz_config *c = NULL;
    memset(errs, 0, sizeof errs);
    enum bz_status st = bz_config_parse(bz_view_str(yaml), &c, errs, cap, &errs_n);
    assert_true((st == BZ_OK) == (c != NULL));
    return c;
}

static void defaults(void **state) {
    struct bz_config *c = parse(BASE);
    (void)state;
    assert_non_null(c);
    assert_false(c->leaks.record);
    assert_true(c->leaks.prompts);
    assert_int_equal(c->leaks.prompt_overlap, 40);
    assert_int_equal(c->leaks.secrets_n + c->leaks.texts_n, 0);
    bz_config_free(c);
}

static void everything(void **state) {
    struct bz_config *c = parse(BASE "leaks:\n  action: record\n  prompts: false\n"
                                     "  prompt_overlap: 10\n"
                                     "  secrets: [{name: a, file: s/a.key}, {name: b, file: b}]\n"
                                     "  texts: [{name: a, file: t}]\n");
    (void)state;
    assert_non_null(c);
    assert_true(c->leaks.record);
    assert_false(c->leaks.prompts);
    assert_int_equal(c->leaks.prompt_overlap, 10);
    assert_int_equal(c->leaks.secrets_n, 2);
    assert_string_equal(c->leaks.secrets[0].name, "a");
    assert_string_equal(c->leaks.secrets[0].file, "s/a.key");
    assert_string_equal(c->leaks.secrets[1].file, "b");
    assert_int_equal(c->leaks.texts_n, 1);
    assert_string_equal(c->leaks.texts[0].file, "t");
    bz_config_free(c);
    c = parse(BASE "leaks: {prompt_overlap: 100, action: block}\n");
    assert_non_null(c);
    bz_config_free(c);
}

static void what_is_wrong_is_said(void **state) {
    static const struct {
        const char *yaml, *path, *text;
        uint32_t line;
    } cases[] = {
        {"leaks:\n  action: mask\n", "leaks.action", "block or record", 6},
        {"leaks:\n  prompt_overlap: 9\n", "leaks.prompt_overlap", "", 6},
        {"leaks:\n  prompt_overlap: 101\n", "leaks.prompt_overlap", "", 6},
        {"leaks:\n  secrets:\n    - {name: a}\n", "leaks.secrets[0].file", "file is missing", 7},
        {"leaks:\n  secrets:\n    - {file: a}\n", "leaks.secrets[0].name", "", 7},
        {"leaks:\n  secrets:\n    - {name: a, file: /etc/x}\n", "leaks.secrets[0].file",
         "below its directory", 7},
        {"leaks:\n  secrets:\n    - {name: a, file: ../x}\n", "leaks.secrets[0].file",
         "below its directory", 7},
        {"leaks:\n  texts:\n    - {name: a, file: x}\n    - {name: a, file: y}\n",
         "leaks.texts[1].name", "already", 8},
        {"leaks:\n  secrets: [{name: a, value: x}]\n", "", "value", 6},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char yaml[1024];
        (void)snprintf(yaml, sizeof yaml, "%s%s", BASE, cases[i].yaml);
        assert_null(parse(yaml));
        bool said = false;
        for (size_t k = 0; k < errs_n && k < cap; k++)
            said |= errs[k].line == cases[i].line &&
                    (cases[i].path[0] == '\0' || strcmp(errs[k].path, cases[i].path) == 0) &&
                    (strstr(errs[k].text, cases[i].text) != NULL ||
                     strstr(errs[k].path, cases[i].text) != NULL);
        if (!said)
            fail_msg("%s: %u: %s: %s", cases[i].yaml, errs[0].line, errs[0].path, errs[0].text);
    }
}

static void as_many_as_there_may_be(void **state) {
    (void)state;
    for (unsigned n = BZ_LEAK_ITEMS_MAX; n <= BZ_LEAK_ITEMS_MAX + 1; n++) {
        char *yaml = malloc(40000);
        assert_non_null(yaml);
        int at =
            snprintf(yaml, 40000, "%sleaks:\n  texts: [{name: t, file: t}]\n  secrets:\n", BASE);
        for (unsigned i = 1; i < n; i++)
            at += snprintf(yaml + at, 40000 - (size_t)at, "    - {name: s%u, file: s}\n", i);
        struct bz_config *c = parse(yaml);
        assert_true((c != NULL) == (n == BZ_LEAK_ITEMS_MAX));
        bz_config_free(c);
        free(yaml);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(everything),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(as_many_as_there_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
