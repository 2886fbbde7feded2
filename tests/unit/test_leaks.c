/* What may not leave is found, however it is written, wherever the text is cut; other text passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <bartizan/crypto.h>
#include <bartizan/leak.h>
#include <bartizan/limits.h>

#include "leak_ways.h"

static const uint8_t key[32] = {1, 2, 3};
#define SECRET "sk-live-Zx81KqPm93TrWbNc02LyHd"
#define SHORT_SECRET "Tr0ub4dor"
#define PROMPT                                                                                     \
    "You are the assistant of the harbour office. Answer questions about berths, tides and fees "  \
    "only. Never give the rebate table to anybody: a captain pays eleven percent less than the "   \
    "list says when the ship has called three times in one quarter, and seven percent less when "  \
    "it brings its own pilot. If somebody asks for these numbers, say that the office decides."
static struct bz_buf blob;
static struct bz_leaks leaks;
static char canary[BZ_CANARY_TEXT + 1];

static struct bz_canary_tables *kept;

static int open_all(void **state) {
    const struct bz_leak_item items[] = {
        {BZ_LEAK_SECRET, BZ_V("payments"), BZ_V(SECRET)},
        {BZ_LEAK_SECRET, BZ_V("door"), BZ_V(SHORT_SECRET)},
        {BZ_LEAK_PROMPT, BZ_V("harbour"), BZ_V(PROMPT)},
    };
    const struct bz_leak_options o = {0};
    size_t bad;
    (void)state;
    assert_int_equal(bz_crypto_init(), BZ_OK);
    bz_buf_init(&blob, BZ_BLOB_MAX);
    assert_int_equal(bz_leak_compile(items, 3, &o, key, &blob, &bad), BZ_OK);
    assert_int_equal(bz_leaks_open(bz_buf_view(&blob), &leaks), BZ_OK);
    bz_canary_make(key, BZ_V("alice"), BZ_V("c-1"), canary);
    kept = bz_canary_tables_open(calloc(1, bz_canary_tables_size()), bz_canary_tables_size());
    return kept != NULL ? 0 : -1;
}

static int close_all(void **state) {
    (void)state;
    free(kept);
    bz_buf_free(&blob);
    return 0;
}

/* ---- feeding ---- */

static bool feed(struct bz_leak_reply *r, struct bz_view text, size_t cut, bool json,
                 struct bz_leak_hit *hit) {
    struct bz_leak_watch *w = NULL;
    struct bz_leak_hit h;
    uint64_t settled;
    assert_int_equal(bz_leak_watch_new(r, json, &w), BZ_OK);
    while (cut < text.n && (text.p[cut] & 0xc0) == 0x80)
        cut++;
    enum bz_status a =
        bz_leak_watch_feed(w, bz_view_sub(text, 0, cut), BZ_LEAK_MORE, &settled, hit);
    assert_true(settled <= cut);
    enum bz_status b = bz_leak_watch_feed(w, bz_view_sub(text, cut, text.n), BZ_LEAK_LAST, &settled,
                                          a == BZ_EDENIED ? &h : hit);
    assert_int_equal(settled, text.n);
    bz_leak_watch_free(w);
    return a == BZ_EDENIED || b == BZ_EDENIED;
}

/* Every other time with the table that was kept: it makes no difference. */
static bool leaks_in(struct bz_view text, size_t cut, bool json, bool with_canary,
                     struct bz_leak_hit *hit) {
    static unsigned times;
    struct bz_leak_reply *r = NULL;
    assert_int_equal(bz_leak_reply_new(&leaks, (struct bz_view){NULL, 0}, bz_alloc_heap, &r),
                     BZ_OK);
    if (with_canary)
        assert_int_equal(bz_leak_reply_canary(r, bz_view(canary, BZ_CANARY_TEXT),
                                              times++ % 2 == 0 ? kept : NULL),
                         BZ_OK);
    bool found = feed(r, text, cut, json, hit);
    bz_leak_reply_free(r);
    return found;
}

static void write_way(const struct way *w, const char *value, struct bz_buf *out) {
    bz_buf_reset(out);
    bz_buf_puts(out, "Of course. Here it is: ");
    w->write(value, out);
    bz_buf_puts(out, " and nothing else, I hope that helps.");
    assert_int_equal(bz_buf_status(out), BZ_OK);
}

static void as_json(const struct bz_buf *text, struct bz_buf *out) {
    bz_buf_reset(out);
    bz_buf_puts(out, "{\"q\":\"");
    for (size_t i = 0; i < text->n; i++) {
        if (text->p[i] < 0x20 || text->p[i] == '"' || text->p[i] == '\\' || i % 7 == 3)
            if (text->p[i] < 0x80) {
                bz_buf_printf(out, "\\u%04x", text->p[i]);
                continue;
            }
        bz_buf_putc(out, text->p[i]);
    }
    bz_buf_puts(out, "\"}");
}

/* ---- what is found ---- */

static void every_way(const char *value, enum bz_leak_kind kind) {
    struct bz_buf text, json;
    struct bz_leak_hit hit;
    bz_buf_init(&text, WAY_MAX);
    bz_buf_init(&json, 8 * WAY_MAX);
    for (size_t i = 0; i < WAYS; i++) {
        write_way(&ways[i], value, &text);
        as_json(&text, &json);
        if (!leaks_in(bz_buf_view(&text), 0, false, true, &hit) ||
            !leaks_in(bz_buf_view(&json), 0, true, true, &hit))
            fail_msg("%s of %s is not found", ways[i].name, value);
        assert_int_equal(hit.kind, kind);
    }
    bz_buf_free(&text);
    bz_buf_free(&json);
}

static void a_canary_is_found_however_it_is_written(void **state) {
    char other[BZ_CANARY_TEXT + 1], before[BZ_CANARY_TEXT + 1];
    (void)state;
    memcpy(before, canary, sizeof before);
    for (char k = '0'; k <= '9'; k++) {
        bz_canary_make(key, BZ_V("bob"), bz_view(&k, 1), other);
        memcpy(canary, other, sizeof canary);
        every_way(canary, BZ_LEAK_CANARY);
    }
    memcpy(canary, before, sizeof canary);
}

static void a_secret_is_found_however_it_is_written(void **state) {
    (void)state;
    every_way(SECRET, BZ_LEAK_SECRET);
}

static void every_cut_gives_the_same(void **state) {
    const char *const values[] = {canary, SECRET};
    struct bz_buf text, json;
    struct bz_leak_hit hit;
    (void)state;
    bz_buf_init(&text, WAY_MAX);
    bz_buf_init(&json, 8 * WAY_MAX);
    for (size_t i = 0; i < WAYS; i++)
        for (size_t k = 0; k < 2; k++) {
            write_way(&ways[i], values[k], &text);
            for (size_t cut = 0; cut <= text.n; cut++)
                if (!leaks_in(bz_buf_view(&text), cut, false, k == 0, &hit))
                    fail_msg("%s cut at %zu", ways[i].name, cut);
            as_json(&text, &json);
            for (size_t cut = 0; cut <= json.n; cut += 7)
                if (!leaks_in(bz_buf_view(&json), cut, true, k == 0, &hit))
                    fail_msg("%s as JSON cut at %zu", ways[i].name, cut);
        }
    bz_buf_free(&text);
    bz_buf_free(&json);
}

/* A stream lets go what is settled: never more than one character of a canary as it is, nor three
 * letters and digits of a secret, before it ends. */
static void what_has_left_is_not_it(void **state) {
    const struct {
        const char *value;
        size_t most;
    } cases[] = {{canary, 1}, {SECRET, 4 /* "sk-l" */}, {SHORT_SECRET, 3}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bz_leak_reply *r = NULL;
        struct bz_leak_watch *w = NULL;
        struct bz_leak_hit hit;
        uint64_t settled = 0, before = 0;
        enum bz_status st = BZ_OK;
        const char lead[] = "it is: ";
        assert_int_equal(
            bz_leak_reply_new(&leaks, bz_view(canary, BZ_CANARY_TEXT), bz_alloc_heap, &r), BZ_OK);
        assert_int_equal(bz_leak_watch_new(r, false, &w), BZ_OK);
        assert_int_equal(bz_leak_watch_feed(w, bz_view_str(lead), BZ_LEAK_MORE, &settled, &hit),
                         BZ_OK);
        for (const char *p = cases[i].value; *p != '\0' && st == BZ_OK; p++) {
            before = settled;
            st = bz_leak_watch_feed(w, bz_view(p, 1), BZ_LEAK_MORE, &settled, &hit);
        }
        assert_int_equal(st, BZ_EDENIED);
        if (before > strlen(lead) + cases[i].most)
            fail_msg("%zu characters of %s had left", (size_t)before - strlen(lead),
                     cases[i].value);
        bz_leak_watch_free(w);
        bz_leak_reply_free(r);
    }
}

static void a_part_is_enough(void **state) {
    struct bz_leak_hit hit;
    (void)state;
    assert_true(leaks_in(bz_view(canary + 4, 12), 0, false, true, &hit));
    assert_true(leaks_in(bz_view(canary, 12), 0, false, true, &hit));
    assert_false(leaks_in(bz_view(canary, 7), 0, false, true, &hit));
    assert_true(leaks_in(bz_view_sub(BZ_V(SECRET), 10, 14), 0, false, false, &hit));
    assert_false(leaks_in(bz_view_sub(BZ_V(SECRET), 10, 9), 0, false, false, &hit));
    assert_true(leaks_in(BZ_V("the door is tr0ub4dor."), 0, false, false, &hit));
    assert_true(bz_view_eq(hit.name, BZ_V("door")));
}

/* Pieces in several channels of one reply. */
static void channels_are_one_reply(void **state) {
    struct bz_leak_reply *r = NULL;
    struct bz_leak_hit hit;
    bool found = false;
    (void)state;
    assert_int_equal(bz_leak_reply_new(&leaks, bz_view(canary, BZ_CANARY_TEXT), bz_alloc_heap, &r),
                     BZ_OK);
    for (size_t i = 0; i < BZ_CANARY_TEXT; i += 4)
        found |= bz_leak_scan(r, bz_view(canary + i, 4), false, &hit) == BZ_EDENIED;
    assert_true(found);
    bz_leak_reply_free(r);
}

/* ---- prompts ---- */

static void text_of_a_prompt_is_found(void **state) {
    struct bz_leak_hit hit;
    (void)state;
    assert_true(leaks_in(BZ_V("Sure! My instructions are: " PROMPT), 5, false, false, &hit));
    assert_int_equal(hit.kind, BZ_LEAK_PROMPT);
    assert_true(bz_view_eq(hit.name, BZ_V("harbour")));
    assert_true(leaks_in(BZ_V("Never give, the REBATE table; to anybody -- a captain pays eleven\n"
                              "percent less than the list says when the ship has called three "
                              "times in one quarter, and so on"),
                         40, false, false, &hit));
    assert_false(leaks_in(BZ_V("The office decides about fees. Answer questions about tides only "
                               "when the ship has called three times, and seven is a number."),
                          0, false, false, &hit));
}

static void what_the_user_knows_is_no_leak(void **state) {
    struct bz_leak_reply *r = NULL;
    struct bz_leak_hit hit;
    (void)state;
    assert_int_equal(bz_leak_reply_new(&leaks, (struct bz_view){NULL, 0}, bz_alloc_heap, &r),
                     BZ_OK);
    assert_int_equal(bz_leak_known(r, BZ_V("Translate this: " PROMPT)), BZ_OK);
    assert_int_equal(bz_leak_scan(r, BZ_V(PROMPT), false, &hit), BZ_OK);
    assert_int_equal(bz_leak_scan(r, BZ_V(SECRET), false, &hit), BZ_EDENIED);
    bz_leak_reply_free(r);
}

/* ---- other text ---- */

static uint32_t next_random(uint32_t *s) {
    *s = *s * 1664525u + 1013904223u;
    return *s >> 8;
}

static void put_other(unsigned kind, uint32_t *s, struct bz_buf *out) {
    static const char *const list[] = {"the ",     "berth ", "is ",      "seven ", "and ",
                                       "Captain ", "which ", "2024 ",    "one ",   "a ",
                                       "tide, ",   "of.\n",  "however ", "I ",     "to ",
                                       "- ",       "NASA ",  "iPhone ",  "3.14 ",  "low "};
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t r = next_random(s);
    switch (kind) {
    case 0:
        bz_buf_puts(out, list[r % (sizeof list / sizeof list[0])]);
        break;
    case 1: /* base64 */
        bz_buf_putc(out, (uint8_t)abc[r % 64]);
        break;
    case 2: /* a hex dump, UUIDs */
        bz_buf_printf(out, "%02x%s", r & 255, r % 16 == 0 ? "-" : r % 5 == 0 ? " " : "");
        break;
    case 3: /* numbers */
        bz_buf_printf(out, "%u,", r % 1000);
        break;
    case 4: /* code */
        bz_buf_printf(out, "if (x%u == a[%u]) {\n    call_%c(\"%u\");\n}\n", r % 7, r % 31,
                      'a' + (char)(r % 26), r % 9);
        break;
    default: /* binary */
        bz_buf_putc(out, (uint8_t)('0' + (r >> 3 & 1)));
        break;
    }
}

static void other_text_passes(void **state) {
    struct bz_buf b;
    struct bz_leak_hit hit;
    uint32_t s = 7;
    (void)state;
    for (unsigned kind = 0; kind < 6; kind++) {
        bz_buf_init(&b, 1 << 20);
        while (b.n < 200000)
            put_other(kind, &s, &b);
        if (leaks_in(bz_buf_view(&b), 100000, false, true, &hit))
            fail_msg("kind %u: %s of %.*s in %s", kind, hit.form, (int)hit.name.n, hit.name.p,
                     hit.row);
        bz_buf_free(&b);
    }
}

/* ---- canaries, blobs, memory ---- */

static void canaries_are_told_apart(void **state) {
    char a[BZ_CANARY_TEXT + 1], b[BZ_CANARY_TEXT + 1];
    (void)state;
    bz_canary_make(key, BZ_V("alice"), BZ_V("c-1"), a);
    assert_string_equal(a, canary);
    assert_int_equal(strlen(a), BZ_CANARY_TEXT);
    assert_int_equal(strspn(a, "bcdfghjklmnpqrstuvwxyz0123456789"), BZ_CANARY_TEXT);
    bz_canary_make(key, BZ_V("alice"), BZ_V("c-2"), b);
    assert_string_not_equal(a, b);
    bz_canary_make(key, BZ_V("alicec"), BZ_V("-1"), b);
    assert_string_not_equal(a, b);
    const uint8_t other[32] = {9};
    bz_canary_make(other, BZ_V("alice"), BZ_V("c-1"), b);
    assert_string_not_equal(a, b);
    for (unsigned i = 0; i < 1000; i++) {
        bz_canary_make(key, bz_view(&i, sizeof i), BZ_V(""), b);
        for (size_t k = 0; k < BZ_CANARY_TEXT; k += 4)
            assert_true(strspn(b + k, "0123456789") < 4);
    }
}

/* More canaries than there is room for, in turn: each is found in its own reply, encoded, and no other
 * one's. */
static void tables_are_kept_for_so_many(void **state) {
    enum { N = 3 * BZ_CANARY_TABLES };
    char text[2 * BZ_CANARY_TEXT + 1], c[BZ_CANARY_TEXT + 1];
    (void)state;
    for (unsigned i = 0; i < 2 * N; i++) {
        struct bz_leak_reply *r = NULL;
        struct bz_leak_hit hit;
        unsigned who = i % N;
        for (unsigned k = 0; k < 2; k++) {
            unsigned said = k == 0 ? who + 1 : who;
            bz_canary_make(key, bz_view(&said, sizeof said), BZ_V("kept"), c);
            for (size_t j = 0; j < BZ_CANARY_TEXT; j++)
                (void)snprintf(text + 2 * j, 3, "%02x", (unsigned)c[j]);
            bz_canary_make(key, bz_view(&who, sizeof who), BZ_V("kept"), c);
            assert_int_equal(
                bz_leak_reply_new(&leaks, (struct bz_view){NULL, 0}, bz_alloc_heap, &r), BZ_OK);
            assert_int_equal(bz_leak_reply_canary(r, bz_view(c, BZ_CANARY_TEXT), kept), BZ_OK);
            assert_int_equal(bz_leak_scan(r, bz_view_str(text), false, &hit),
                             k == 0 ? BZ_OK : BZ_EDENIED);
            bz_leak_reply_free(r);
        }
    }
    assert_null(bz_canary_tables_open(text, bz_canary_tables_size() - 1));
}

static void the_line_of_the_prompt_holds_it(void **state) {
    struct bz_buf b;
    (void)state;
    bz_buf_init(&b, 1024);
    bz_canary_line(canary, &b);
    bz_buf_putc(&b, 0);
    assert_non_null(strstr((const char *)b.p, canary));
    bz_buf_free(&b);
}

static bool holds(struct bz_view hay, const char *needle) {
    return memmem(hay.p, hay.n, needle, strlen(needle)) != NULL;
}

static void the_blob_holds_no_secret(void **state) {
    struct bz_view v = bz_buf_view(&blob);
    (void)state;
    for (size_t i = 0; i + 4 <= strlen(SECRET); i++) {
        char part[5] = {0};
        memcpy(part, SECRET + i, 4);
        assert_false(holds(v, part));
    }
    assert_false(holds(v, "rebate"));
    assert_true(holds(v, "payments"));
}

static void what_cannot_be_kept_is_said(void **state) {
    char longest[BZ_LEAK_SECRET_MAX + 2];
    struct bz_buf b;
    size_t bad = 0;
    const struct bz_leak_options o = {0};
    (void)state;
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = (char)('a' + i * i % 25);
    const struct {
        struct bz_leak_item item;
        enum bz_status st;
    } cases[] = {
        {{BZ_LEAK_SECRET, BZ_V("a"), BZ_V("1234567")}, BZ_EINVAL},
        {{BZ_LEAK_SECRET, BZ_V("a"), BZ_V("12345678")}, BZ_OK},
        {{BZ_LEAK_SECRET, BZ_V("a"), BZ_V("!!!!!!!!!!!!")}, BZ_EINVAL},
        {{BZ_LEAK_SECRET, BZ_V("a"), bz_view(longest, BZ_LEAK_SECRET_MAX)}, BZ_OK},
        {{BZ_LEAK_SECRET, BZ_V("a"), bz_view(longest, BZ_LEAK_SECRET_MAX + 1)}, BZ_EINVAL},
        {{BZ_LEAK_SECRET, bz_view(longest, BZ_LEAK_NAME_MAX), BZ_V("12345678")}, BZ_OK},
        {{BZ_LEAK_SECRET, bz_view(longest, BZ_LEAK_NAME_MAX + 1), BZ_V("12345678")}, BZ_EINVAL},
        {{BZ_LEAK_SECRET, BZ_V(""), BZ_V("12345678")}, BZ_EINVAL},
        {{BZ_LEAK_CANARY, BZ_V("a"), BZ_V("12345678")}, BZ_EINVAL},
        {{BZ_LEAK_PROMPT, BZ_V("a"), BZ_V("\xff")}, BZ_EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bz_buf_init(&b, BZ_BLOB_MAX);
        assert_int_equal(bz_leak_compile(&cases[i].item, 1, &o, key, &b, &bad), cases[i].st);
        assert_int_equal(bad, cases[i].st == BZ_OK ? 1 : 0);
        bz_buf_free(&b);
    }
    static struct bz_leak_item many[BZ_LEAK_ITEMS_MAX + 1];
    for (size_t i = 0; i < BZ_LEAK_ITEMS_MAX + 1; i++)
        many[i] = (struct bz_leak_item){BZ_LEAK_PROMPT, BZ_V("p"), BZ_V("x")};
    bz_buf_init(&b, BZ_BLOB_MAX);
    assert_int_equal(bz_leak_compile(many, BZ_LEAK_ITEMS_MAX + 1, &o, key, &b, &bad), BZ_ETOOBIG);
    assert_int_equal(bz_leak_compile(many, BZ_LEAK_ITEMS_MAX, &o, key, &b, &bad), BZ_OK);
    bz_buf_free(&b);
}

/* The signs of a secret count where it is cut into pieces, and pieces may look like words. */
static void pieces_that_are_words_are_found(void **state) {
    static const struct way cuts[] = {W(pieces_2), W(pieces_3), W(pieces_json)};
    const struct bz_leak_item item = {BZ_LEAK_SECRET, BZ_V("s"),
                                      BZ_V("portal-4471-KITTIWAKE-0092")};
    const struct bz_leak_options o = {0};
    struct bz_leak_hit hit;
    struct bz_leaks before = leaks;
    struct bz_buf b, text;
    size_t bad;
    (void)state;
    bz_buf_init(&b, BZ_BLOB_MAX);
    bz_buf_init(&text, WAY_MAX);
    assert_int_equal(bz_leak_compile(&item, 1, &o, key, &b, &bad), BZ_OK);
    assert_int_equal(bz_leaks_open(bz_buf_view(&b), &leaks), BZ_OK);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        write_way(&cuts[i], "portal-4471-KITTIWAKE-0092", &text);
        for (size_t cut = 0; cut <= text.n; cut++)
            if (!leaks_in(bz_buf_view(&text), cut, false, false, &hit))
                fail_msg("%s cut at %zu", cuts[i].name, cut);
    }
    leaks = before;
    bz_buf_free(&b);
    bz_buf_free(&text);
}

static void short_secrets_are_found_wherever_a_letter_stands(void **state) {
    static const char *const list[] = {"1password", "12ab34cd", "1234567z", "a1234567", "98765432"};
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        const struct bz_leak_item item = {BZ_LEAK_SECRET, BZ_V("s"), bz_view_str(list[i])};
        const struct bz_leak_options o = {0};
        struct bz_leak_reply *r = NULL;
        struct bz_leak_hit hit;
        struct bz_leaks l;
        struct bz_buf b, text;
        size_t bad;
        bz_buf_init(&b, BZ_BLOB_MAX);
        bz_buf_init(&text, 100);
        assert_int_equal(bz_leak_compile(&item, 1, &o, key, &b, &bad), BZ_OK);
        assert_int_equal(bz_leaks_open(bz_buf_view(&b), &l), BZ_OK);
        bz_buf_printf(&text, "it would be %s then", list[i]);
        assert_int_equal(bz_leak_reply_new(&l, (struct bz_view){NULL, 0}, bz_alloc_heap, &r),
                         BZ_OK);
        assert_int_equal(bz_leak_scan(r, bz_buf_view(&text), false, &hit), BZ_EDENIED);
        bz_leak_reply_free(r);
        bz_buf_free(&b);
        bz_buf_free(&text);
    }
}

static void a_damaged_blob_is_refused(void **state) {
    struct bz_leaks l;
    (void)state;
    uint8_t *copy = malloc(blob.n);
    assert_non_null(copy);
    for (size_t n = 0; n < blob.n; n += n < 700 ? 1 : 997) {
        memcpy(copy, blob.p, blob.n);
        assert_int_not_equal(bz_leaks_open(bz_view(copy, n), &l) == BZ_OK && n != 0, true);
    }
    for (size_t i = 0; i < 700; i++) { /* whatever it says, nothing outside is read */
        memcpy(copy, blob.p, blob.n);
        copy[i] ^= 0x41;
        if (bz_leaks_open(bz_view(copy, blob.n), &l) != BZ_OK)
            continue;
        struct bz_leak_reply *r = NULL;
        struct bz_leak_hit hit;
        assert_int_equal(bz_leak_reply_new(&l, (struct bz_view){NULL, 0}, bz_alloc_heap, &r),
                         BZ_OK);
        enum bz_status st = bz_leak_scan(r, BZ_V(SECRET " " PROMPT), false, &hit);
        assert_true(st == BZ_OK || st == BZ_EDENIED);
        bz_leak_reply_free(r);
    }
    free(copy);
    assert_int_equal(bz_leaks_open((struct bz_view){NULL, 0}, &l), BZ_OK);
    assert_false(bz_leaks_record(&l));
}

static uint64_t left;
static void *failing(void *ctx, size_t n) {
    (void)ctx;
    return left-- == 0 ? (left = 0, NULL) : malloc(n);
}
static void give(void *ctx, void *p) {
    (void)ctx;
    free(p);
}

static void without_memory_it_says_so(void **state) {
    const struct bz_alloc a = {failing, give, NULL};
    enum bz_status st = BZ_ENOMEM;
    (void)state;
    for (uint64_t n = 0; st != BZ_OK; n++) {
        struct bz_leak_reply *r = NULL;
        struct bz_leak_hit hit;
        assert_true(n < 100);
        left = n;
        st = bz_leak_reply_new(&leaks, bz_view(canary, BZ_CANARY_TEXT), a, &r);
        if (st == BZ_OK)
            st = bz_leak_known(r, BZ_V(PROMPT));
        if (st == BZ_OK)
            st = bz_leak_scan(r, BZ_V("hello"), false, &hit);
        assert_true(st == BZ_OK || st == BZ_ENOMEM);
        bz_leak_reply_free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_canary_is_found_however_it_is_written),
        cmocka_unit_test(a_secret_is_found_however_it_is_written),
        cmocka_unit_test(every_cut_gives_the_same),
        cmocka_unit_test(what_has_left_is_not_it),
        cmocka_unit_test(a_part_is_enough),
        cmocka_unit_test(channels_are_one_reply),
        cmocka_unit_test(text_of_a_prompt_is_found),
        cmocka_unit_test(what_the_user_knows_is_no_leak),
        cmocka_unit_test(other_text_passes),
        cmocka_unit_test(canaries_are_told_apart),
        cmocka_unit_test(tables_are_kept_for_so_many),
        cmocka_unit_test(the_line_of_the_prompt_holds_it),
        cmocka_unit_test(the_blob_holds_no_secret),
        cmocka_unit_test(what_cannot_be_kept_is_said),
        cmocka_unit_test(pieces_that_are_words_are_found),
        cmocka_unit_test(short_secrets_are_found_wherever_a_letter_stands),
        cmocka_unit_test(a_damaged_blob_is_refused),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
