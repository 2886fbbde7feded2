/* The table of numbers says of itself what the code relies on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define detect_numbers tables_numbers
#include "../../src/detect/numbers.c"

static void first_groups_are_what_layouts_say(void **state) {
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        const struct row *r = &rows[k];
        uint32_t firsts = 0;
        for (size_t j = 0; j < LAYOUTS_MAX && r->layouts[j][0] != '\0'; j++) {
            const char *l = r->layouts[j];
            size_t digits = group_digits(l[0]), bytes = digits;
            firsts |= F(group_digits(l[0]));
            assert_true(strlen(l) % 2 == 1);
            for (size_t i = 1; l[i] != '\0'; i += 2) {
                assert_non_null(strchr(" -./+~", l[i]));
                digits += group_digits(l[i + 1]);
                bytes += 1 + group_digits(l[i + 1]);
            }
            /* a trigger is six digits; live() looks back so far */
            assert_true(digits >= 6 && digits <= DIGITS_MAX && bytes < LENGTH_MAX);
        }
        assert_int_equal(firsts, r->firsts);
        /* words never make a number less sure */
        assert_true(r->told >= r->laid && r->told >= r->bare && r->laid + 1 >= r->bare);
        assert_true(r->check != NULL || r->told <= PII_CONTEXT);
    }
}

static uint8_t best_of(size_t type) {
#define BEST(name, region, what, proof, ...) proof,
    static const uint8_t best[] = {PII_TYPES(BEST)};
    return best[type];
}

/* The list of types promises no less than the table can give. */
static void proofs_are_as_promised(void **state) {
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
        assert_true(rows[k].told <= best_of(rows[k].type) + 1u);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_groups_are_what_layouts_say),
        cmocka_unit_test(proofs_are_as_promised),
    };
    return cmocka_run_group_tests_name("pii_numbers", tests, NULL, NULL);
}
