/* Texts that were clean before are not searched again: seen from outside by changing the detectors for
 * others under the table, which bartizand's workers never do. What is known stands for one user, one
 * way to read the text and one choice of types, and for BZ_SEEN_TEXTS texts at most. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <bartizan/limits.h>

#include "gw_fixture.h"

#define S(lit) ((char[]){lit})
#define CHAT "/v1/chat/completions"
#define PASSAGE "the tide tables mention a Basilisk in the yard"

static struct gw first, second, stricter;
static struct bz_detect *other; /* of `second` */

/* A house with one word of its own, which is blocked. */
static bool open_house(struct gw *g, char *word, bool mask_mail) {
    const struct bz_type *list;
    char *words[] = {word};
    struct bz_custom_config custom = {.name = S("W_OWN"), .words = words, .words_n = 1};
    struct bz_data_rule rules[] = {
        {.directions = 1 << BZ_DIRECTION_REQUEST, .action = BZ_ACTION_BLOCK},
        {.directions = 1 << BZ_DIRECTION_REQUEST, .action = BZ_ACTION_ALLOW},
    };
    struct bz_data_config data = {.restore_s = 600,
                                  .hold_ms = 2000,
                                  .custom = &custom,
                                  .custom_n = 1,
                                  .rules = rules,
                                  .rules_n = mask_mail ? 1 : 2};
    bz_type_set_add(&rules[0].types, bz_type_list(&list));
    assert_true(bz_type_set_add_name(&rules[1].types, BZ_V("EMAIL_ADDRESS")));
    return gw_open_data(g, GW_LLAMA, &data);
}

static int open_all(void **state) {
    (void)state;
    bool ok = open_house(&first, S("Wyvern"), false) && open_house(&second, S("Basilisk"), false) &&
              open_house(&stricter, S("Wyvern"), true);
    other = second.env.detect;
    return ok ? 0 : -1;
}

static int close_all(void **state) {
    (void)state;
    gw_close(&first);
    gw_close(&second);
    gw_close(&stricter);
    return 0;
}

static bool passes(struct gw *g, enum gw_key key, const char *body) {
    struct gw_req q;
    struct gw_heap heap = {0};
    enum bz_verdict v;
    gw_req_init(&q, g, key, "POST", CHAT, body);
    struct bz_tx *tx = gw_send(g, &q, gw_heap_alloc(&heap), &v);
    assert_non_null(tx);
    assert_true(v == BZ_VERDICT_FORWARD || gw_contains(bz_tx_reply(tx)->body, "data_blocked"));
    bz_tx_free(tx);
    assert_int_equal(heap.live, 0);
    return v == BZ_VERDICT_FORWARD;
}

#define SAID(text)                                                                                 \
    "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]}"
#define CALLED(text)                                                                               \
    "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"},"                 \
    "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":"    \
    "{\"name\":\"f\",\"arguments\":\"" text "\"}}]}]}"

/* The house with other detectors, and what its own found out. */
static struct gw changed(void) {
    struct gw g = first;
    g.env.detect = other;
    return g;
}

static void what_was_clean_is_not_searched_again(void **state) {
    struct gw g = changed();
    (void)state;
    assert_true(passes(&first, GW_USER, SAID(PASSAGE)));
    assert_true(passes(&g, GW_USER, SAID(PASSAGE)));
    g.env.clean = NULL;
    assert_false(passes(&g, GW_USER, SAID(PASSAGE)));
}

static void another_text_is(void **state) {
    struct gw g = changed();
    (void)state;
    assert_true(passes(&first, GW_USER, SAID(PASSAGE)));
    assert_false(passes(&g, GW_USER, SAID(PASSAGE "!")));
    assert_false(passes(&g, GW_USER, SAID("In " PASSAGE)));
}

static void of_another_user_it_is(void **state) {
    struct gw g = changed();
    (void)state;
    assert_true(passes(&first, GW_USER, SAID(PASSAGE)));
    assert_false(passes(&g, GW_ADMIN, SAID(PASSAGE)));
    assert_false(passes(&g, GW_LIMITED, SAID(PASSAGE)));
}

static void read_as_json_it_is(void **state) {
    struct gw g = changed();
    (void)state;
    assert_true(passes(&first, GW_USER, SAID(PASSAGE)));
    assert_false(passes(&g, GW_USER, CALLED("{\\\"a\\\":\\\"" PASSAGE "\\\"}")));
    assert_true(passes(&first, GW_USER, SAID("[\\\"" PASSAGE "\\\"]")));
    assert_false(passes(&g, GW_USER, CALLED("[\\\"" PASSAGE "\\\"]")));
}

/* The same detectors and the same words; one type more is looked for. */
static void under_another_policy_it_is(void **state) {
    struct gw g = changed();
    (void)state;
    assert_true(passes(&first, GW_USER, SAID(PASSAGE)));
    memcpy(&g.keys, &stricter.keys, sizeof g.keys);
    g.env.image = &stricter.image;
    assert_false(passes(&g, GW_USER, SAID(PASSAGE)));
}

static void what_was_found_is_found_again(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_false(passes(&first, GW_USER, SAID("a Wyvern in the yard")));
    for (int i = 0; i < 3; i++)
        assert_false(passes(&first, GW_USER, SAID("hello\",\"name\":\"Wyvern")));
}

static void say_numbers(struct gw *g, unsigned from, unsigned n) {
    char body[256];
    for (unsigned i = 0; i < n; i++) {
        (void)snprintf(body, sizeof body, SAID("rain on day %u"), from + i);
        assert_true(passes(g, GW_USER, body));
    }
}

static void there_is_room_for_so_many(void **state) {
    struct gw g = changed();
    (void)state;
    assert_true(passes(&first, GW_USER, SAID(PASSAGE)));
    for (unsigned i = 0; i < 16; i++) { /* used again and again it stays */
        say_numbers(&first, i * BZ_SEEN_TEXTS / 8, BZ_SEEN_TEXTS / 8);
        assert_true(passes(&g, GW_USER, SAID(PASSAGE)));
    }
    say_numbers(&first, BZ_SEEN_TEXTS * 4, BZ_SEEN_TEXTS * 4);
    assert_false(passes(&g, GW_USER, SAID(PASSAGE)));
    assert_null(bz_seen_open(&g, bz_seen_size() - 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_clean_is_not_searched_again),
        cmocka_unit_test(another_text_is),
        cmocka_unit_test(of_another_user_it_is),
        cmocka_unit_test(read_as_json_it_is),
        cmocka_unit_test(under_another_policy_it_is),
        cmocka_unit_test(what_was_found_is_found_again),
        cmocka_unit_test(there_is_room_for_so_many),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
