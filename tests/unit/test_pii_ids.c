/* The table of ids says of itself what the code relies on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define detect_ids tables_ids
#include "../../src/detect/ids.c"

static void masks_of_a_row_begin_alike(void **state) {
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        size_t bytes = 0;
        for (const char *m = rows[k].masks; m != NULL; m = next_mask(m)) {
            assert_int_equal(*m, rows[k].masks[0]);
            assert_true(m - rows[k].masks <= UINT8_MAX);
            bytes = strcspn(m, "|");
            assert_true(bytes >= 6 && bytes <= LENGTH_MAX - 8 && bytes <= REACH_BACK);
        }
        assert_true(rows[k].told >= rows[k].alone);
        assert_true(rows[k].check != NULL || rows[k].told <= PII_CONTEXT);
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
        cmocka_unit_test(masks_of_a_row_begin_alike),
        cmocka_unit_test(proofs_are_as_promised),
    };
    return cmocka_run_group_tests_name("pii_ids", tests, NULL, NULL);
}
