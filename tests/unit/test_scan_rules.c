/* Rules: ids that can be relied on, and a page that says what the rules say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <bartizan/artifact.h>

static bool id_is_sound(const char *id) {
    size_t dashes = 0;
    for (const char *p = id; *p != '\0'; p++) {
        bool upper = (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');
        dashes += *p == '-';
        if (!upper && *p != '-')
            return false;
    }
    return dashes >= 1 && strlen(id) <= 32;
}

enum { RULES_MAX = 4096 };

static size_t all(const struct bz_rule **list) {
    size_t n = bz_rule_all(list, RULES_MAX);
    assert_in_range(n, 10, RULES_MAX);
    return n;
}

static void rules_are_whole(void **state) {
    (void)state;
    const struct bz_rule *list[RULES_MAX];
    size_t n = all(list);
    for (size_t i = 0; i < n; i++) {
        const struct bz_rule *r = list[i];
        if (!id_is_sound(r->id) || r->title[0] == '\0' || r->would[0] == '\0' ||
            r->todo[0] == '\0' || r->ref == NULL || r->severity >= BZ_SEVERITY_COUNT ||
            r->kind >= BZ_RULE_KIND_COUNT)
            fail_msg("rule %s is not whole", r->id);
    }
}

static void ids_are_one_rule_each(void **state) {
    (void)state;
    const struct bz_rule *list[RULES_MAX];
    size_t n = all(list);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = i + 1; k < n; k++) {
            if (list[i] != list[k] && strcmp(list[i]->id, list[k]->id) == 0)
                fail_msg("two rules are called %s", list[i]->id);
        }
    }
}

static void what_is_malformed_or_malicious_is_never_quiet(void **state) {
    (void)state;
    const struct bz_rule *list[RULES_MAX];
    size_t n = all(list);
    for (size_t i = 0; i < n; i++) {
        const struct bz_rule *r = list[i];
        if (r->kind == BZ_RULE_MALFORMED && r->severity < BZ_SEVERITY_MEDIUM)
            fail_msg("%s is malformed, yet below medium", r->id);
        if (r->kind == BZ_RULE_MALICIOUS && r->severity < BZ_SEVERITY_MEDIUM)
            fail_msg("%s is malicious, yet below medium", r->id);
    }
}

static void the_page_is_current(void **state) {
    (void)state;
    char path[4096];
    struct bz_buf want;
    const char *root = getenv("BZ_SOURCE_ROOT");
    (void)snprintf(path, sizeof path, "%s/docs/SCAN-RULES.md", root == NULL ? "." : root);
    bz_buf_init(&want, 4u << 20);
    bz_rules_write_docs(&want);
    assert_int_equal(bz_buf_status(&want), BZ_OK);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *have = malloc(want.n + 2);
    assert_non_null(have);
    size_t n = fread(have, 1, want.n + 1, f);
    (void)fclose(f);
    bool same = n == want.n && memcmp(have, want.p, n) == 0;
    free(have);
    bz_buf_free(&want);
    if (!same)
        fail_msg("docs/SCAN-RULES.md is old: run tools/gen-scan-rules > docs/SCAN-RULES.md");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_whole),
        cmocka_unit_test(ids_are_one_rule_each),
        cmocka_unit_test(what_is_malformed_or_malicious_is_never_quiet),
        cmocka_unit_test(the_page_is_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
