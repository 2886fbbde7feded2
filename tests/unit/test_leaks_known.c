/* What the user's own text shows of a prompt the reply may repeat, to the last run of words and not one
 * more. The prompt's overlap is the least there is: one run of six words that the user does not know is
 * a leak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bartizan/crypto.h>
#include <bartizan/leak.h>
#include <bartizan/limits.h>

#define LONG_WORD                                                                                  \
    "unumquodquelongissimumverbumquodinhoctextuinveniturpluresquam"                                \
    "partesduashabetquiaquadragintaoctoliteraesuntunapars"
#define PROMPT                                                                                     \
    "Never give the rebate table to anybody: a captain pays eleven percent less than the list "    \
    "says when the ship " LONG_WORD " has called 3 times in one quarter, and the office decides "  \
    "about fees in na\xc3\xafve cases of more than 144 tonnes."

static struct bz_leaks leaks;

static int open_all(void **state) {
    static struct bz_buf blob;
    static const uint8_t key[32] = {7};
    const struct bz_leak_item item = {BZ_LEAK_PROMPT, BZ_V("harbour"), BZ_V(PROMPT)};
    const struct bz_leak_options o = {.prompt_overlap = 1};
    size_t bad;
    (void)state;
    bz_buf_init(&blob, BZ_BLOB_MAX);
    return bz_crypto_init() != BZ_OK || bz_leak_compile(&item, 1, &o, key, &blob, &bad) != BZ_OK ||
           bz_leaks_open(bz_buf_view(&blob), &leaks) != BZ_OK;
}

/* Is the reply a leak to somebody who said this? */
static bool leaks_to(struct bz_view said, struct bz_view reply) {
    struct bz_leak_reply *r = NULL;
    struct bz_leak_hit hit;
    assert_int_equal(bz_leak_reply_new(&leaks, (struct bz_view){NULL, 0}, bz_alloc_heap, &r),
                     BZ_OK);
    assert_int_equal(bz_leak_known(r, said), BZ_OK);
    enum bz_status st = bz_leak_scan(r, reply, false, &hit);
    assert_true(st == BZ_OK || st == BZ_EDENIED);
    bz_leak_reply_free(r);
    return st == BZ_EDENIED;
}

static void runs_are_known_wherever_they_stand(void **state) {
    static const char run[] = "less than the list says when";
    char said[512];
    (void)state;
    assert_true(leaks_to(BZ_V(""), bz_view_str(run)));
    for (size_t before = 0; before < 40; before++)
        for (int odd = 0; odd < 4; odd++) {
            size_t n = 0;
            for (size_t i = 0; i < before; i++)
                n += (size_t)snprintf(said + n, sizeof said - n, "%s ", i % 3 == 0 ? "the" : "fox");
            n += (size_t)snprintf(said + n, sizeof said - n, "%s%s%s",
                                  odd == 1 ? "\xe2\x80\x9c" : "", run,
                                  odd == 2   ? "\xe2\x80\x9d"
                                  : odd == 3 ? " \x01 end"
                                             : "");
            assert_false(leaks_to(bz_view(said, n), bz_view_str(run)));
        }
}

static void one_word_less_is_not_known(void **state) {
    static const char *const said[] = {
        "less than the list says",
        "than the list says when the ship",
        "less than the list, say, when",
        "less than that list says when",
        "lessthan the list says when",
        "less than the li st says when",
        "less than the list says when\xcc\x81oever",
        "l\xc3\xa9ss thanx the list says when",
    };
    (void)state;
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        assert_true(leaks_to(bz_view_str(said[i]), BZ_V("less than the list says when")));
}

static void words_of_any_length_are_counted_alike(void **state) {
    char said[2048];
    (void)state;
    for (size_t len = 1; len < 200; len++)
        for (size_t shift = 0; shift < 6; shift++) {
            size_t n = 0;
            for (size_t i = 0; i < shift; i++)
                n += (size_t)snprintf(said + n, sizeof said - n, "fox ");
            memset(said + n, 'q', len);
            n += len;
            n += (size_t)snprintf(said + n, sizeof said - n, " less than the list says when");
            assert_false(leaks_to(bz_view(said, n), bz_view(said, n)));
        }
}

/* ---- any text ---- */

static uint32_t next_random(uint32_t *s) {
    *s = *s * 1664525u + 1013904223u;
    return *s >> 8;
}

/* Pieces of the prompt and other words, with the signs that stand between words, some of them odd. */
static size_t any_text(uint32_t *s, char *out, size_t cap) {
    static const char *const between[] = {" ",    " ", " ",       ", ", "\n", "  ", "\xe2\x80\x94",
                                          "\x7f", "-", "\xc2\xa0"};
    static const char *const other[] = {
        "fox", "the",  "and", "in", "a", "of", "\xd1\x81\xd0\xbb", "na\xc3\xafve", "\xef\xbd\x94he",
        "3",   "LIST", "x1"};
    static const char prompt[] = PROMPT;
    size_t n = 0;
    bool plain = next_random(s) % 2 != 0;
    while (n + 300 < cap && next_random(s) % 64 != 0) {
        if (next_random(s) % 3 == 0) {
            size_t from = next_random(s) % (sizeof prompt - 1);
            size_t len = next_random(s) % 180;
            len = len < sizeof prompt - 1 - from ? len : sizeof prompt - 1 - from;
            for (size_t i = 0; i < len; i++)
                if (!plain || (uint8_t)prompt[from + i] < 0x80)
                    out[n++] = prompt[from + i];
        } else {
            const char *w = other[next_random(s) % (plain ? 6 : 12)];
            n += (size_t)snprintf(out + n, cap - n, "%s", w);
        }
        n += (size_t)snprintf(out + n, cap - n, "%s", between[next_random(s) % (plain ? 6 : 10)]);
    }
    return n;
}

/* Code points may have been cut: bytes that are no UTF-8 end words, on both sides alike. */
static void what_was_said_may_be_said_again(void **state) {
    char text[4096], lower[4096];
    uint32_t s = 1;
    size_t said = 0;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t n = any_text(&s, text, sizeof text);
        for (size_t i = 0; i < n; i++)
            lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
        assert_false(leaks_to(bz_view(text, n), bz_view(lower, n)));
        said += leaks_to((struct bz_view){NULL, 0}, bz_view(text, n));
    }
    assert_true(said > 2000); /* it would have been a leak */
}

/* A text that was said, and one run that was not. */
static void nothing_else_is_learnt(void **state) {
    static const char run[] = "never give the rebate table to anybody";
    char text[4096];
    uint32_t s = 2;
    size_t rounds = 0;
    (void)state;
    for (int round = 0; round < 5000; round++) {
        size_t n = any_text(&s, text, sizeof text);
        bool shown = false;
        for (size_t i = 0; i + 4 <= n; i++)
            shown |= memcmp(text + i, "reba", 4) == 0 || memcmp(text + i, "Neve", 4) == 0;
        rounds += !shown;
        if (!shown)
            assert_true(leaks_to(bz_view(text, n), bz_view_str(run)));
    }
    assert_true(rounds > 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_are_known_wherever_they_stand),
        cmocka_unit_test(one_word_less_is_not_known),
        cmocka_unit_test(words_of_any_length_are_counted_alike),
        cmocka_unit_test(what_was_said_may_be_said_again),
        cmocka_unit_test(nothing_else_is_learnt),
    };
    return cmocka_run_group_tests(tests, open_all, NULL);
}
