/* A stream gives the findings of the whole text, however it is cut; prose is not held back. */
#include "detect_kit.h"

#define LIT(s)                                                                                     \
    { (const uint8_t *)(s), sizeof(s) - 1 }

static const struct bz_view words[] = {
    LIT("projekt falke"),
    LIT("Müller & Söhne"),
    LIT("falke"),
};
static const struct bz_view anywhere[] = {
    LIT("zzq"),
    LIT("-=x=-"),
};
static const struct bz_custom customs[] = {
    {.name = LIT("CODE_NAME"),
     .words = words,
     .words_n = 3,
     .nocase = true,
     .whole_word = true,
     .level = BZ_LEVEL_CONFIDENTIAL,
     .cls = BZ_CLASS_CUSTOM},
    {.name = LIT("ODD_WORD"),
     .words = anywhere,
     .words_n = 2,
     .level = BZ_LEVEL_INTERNAL,
     .cls = BZ_CLASS_CUSTOM},
    {.name = LIT("PART_NUMBER"),
     .pattern = LIT("\\bPN-[0-9]{3,9}(/[a-z]{1,40})?\\b"),
     .level = BZ_LEVEL_CONFIDENTIAL,
     .cls = BZ_CLASS_CUSTOM},
};

static struct kit kit;       /* with the custom types */
static struct kit plain_kit; /* without: the short cut is open */

static int open_kits(void **state) {
    (void)state;
    kit_open(&kit, customs, 3);
    kit_open(&plain_kit, customs, 1);
    return 0;
}

static int close_kits(void **state) {
    (void)state;
    kit_close(&kit);
    kit_close(&plain_kit);
    return 0;
}

static const char *const texts[] = {
    "",
    "we talked about Projekt Falke and falke-like birds, and falkenstein",
    "M\xc3\xbcller & S\xc3\xb6hne and M\xc3\x9cLLER & S\xc3\x96HNE",
    "part PN-12345/abc and PN-12 and xPN-123 and PN-1234567890 or PN-123/abc9",
    "azzqb -=x=- a-=x=-b zz q",
    "<EMAIL_ADDRESS_q7x2m4ka> and <X_aaaaaaaa>, not <lower_aaaaaaaa>, not <A_aaaaaaa>",
    "pro\xe2\x80\x8bjekt\xc2\xa0\xc2\xad"
    "falke \xef\xbc\xa1\xef\xbc\xb0\xef\xbc\xae",
    "PROJEKT FALKE\nfalke",
};

static void every_cut(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct bz_view t = bz_view_str(texts[i]);
        assert_true(kit_agree_everywhere(&kit, t, BZ_TEXT_PLAIN, NULL, NULL));
        assert_true(kit_agree_everywhere(&kit, t, BZ_TEXT_JSON, NULL, NULL));
        assert_true(kit_agree_everywhere(&plain_kit, t, BZ_TEXT_PLAIN, NULL, NULL));
    }
}

static void finds(void **state) {
    (void)state;
    static const size_t counts[] = {0, 2, 2, 2, 3, 2, 1, 2};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct bz_view t = bz_view_str(texts[i]);
        struct bz_findings f = kit_scan(&kit, t, BZ_TEXT_PLAIN, NULL, NULL);
        if (f.n != counts[i])
            kit_print(&kit, texts[i], &f, t);
        assert_int_equal(f.n, counts[i]);
    }
}

/* ---- what is not held back ---- */

static struct bz_type_set usual(void) {
    struct bz_type_set s = {0};
    assert_true(bz_type_set_add_name(&s, BZ_V("secrets")));
    assert_true(bz_type_set_add_name(&s, BZ_V("checksum")));
    return s;
}

static const char *const vocabulary[] = {
    "the ",    "quick ",   "model ",      "answers ",  "every ",   "question, ", "with ", "care. ",
    "people ", "write ",   "about ",      "gardens; ", "rivers! ", "history ",   "and ",  "why? ",
    "it's ",   "(quite) ", "well-known ", "a ",        "is ",      "Then ",      "We ",   "go ",
};

/* Whole words of prose leave at once, with all that is masked when nothing is configured. */
static void prose_flows(void **state) {
    (void)state;
    struct bz_type_set hold = usual();
    uint64_t x = 5;
    struct bz_watch w;
    struct bz_findings f = {.ar = &plain_kit.ar};
    bz_watch_init(&w, BZ_TEXT_PLAIN, NULL);
    uint64_t fed = 0;
    for (int i = 0; i < 3000; i++) {
        struct bz_view piece =
            bz_view_str(vocabulary[kit_random(&x) % (sizeof vocabulary / sizeof vocabulary[0])]);
        uint64_t settled = 0;
        fed += piece.n;
        assert_int_equal(
            bz_watch_feed(plain_kit.d, &w, piece, false, &hold, &plain_kit.ar, &f, &settled),
            BZ_OK);
        if (settled != fed)
            fail_msg("%s waits", (const char *)piece.p);
    }
    assert_int_equal(f.n, 0);
    bz_watch_done(&w);
}

/* Nothing waits for types that nobody holds for; what lies in one piece is found all the same. */
static void nothing_held(void **state) {
    (void)state;
    struct bz_type_set none = {0};
    struct bz_watch w;
    struct bz_findings f = {.ar = &kit.ar};
    uint64_t fed = 0;
    bz_watch_init(&w, BZ_TEXT_PLAIN, NULL);
    for (int i = 0; i < 200; i++) {
        struct bz_view piece = i % 3 == 0 ? BZ_V("see PN-4567 now ") : BZ_V("PN-45");
        uint64_t settled = 0;
        fed += piece.n;
        assert_int_equal(bz_watch_feed(kit.d, &w, piece, false, &none, &kit.ar, &f, &settled),
                         BZ_OK);
        assert_true(settled >= fed - 5); /* a prefix of a word may still wait */
    }
    uint64_t settled = 0;
    assert_int_equal(bz_watch_feed(kit.d, &w, BZ_V(""), true, &none, &kit.ar, &f, &settled), BZ_OK);
    assert_int_equal(settled, fed);
    assert_int_equal(f.n, 67);
    for (size_t i = 1; i < f.n; i++)
        assert_true(f.v[i - 1].end <= f.v[i].start);
    bz_watch_done(&w);
}

/* Undecided text is short: a long run of letters and digits does not wait for its end. */
static void long_runs(void **state) {
    (void)state;
    struct bz_watch w;
    struct bz_findings f = {.ar = &kit.ar};
    uint64_t settled = 0;
    bz_watch_init(&w, BZ_TEXT_PLAIN, NULL);
    for (uint64_t fed = 10; fed <= 20000; fed += 10) {
        assert_int_equal(
            bz_watch_feed(kit.d, &w, BZ_V("x9Q-/+_4f8"), false, NULL, &kit.ar, &f, &settled),
            BZ_OK);
        assert_true(settled + BZ_DETECT_MATCH_MAX >= fed);
        assert_true(w.win.n <= BZ_WATCH_MAX);
    }
    assert_int_equal(bz_watch_feed(kit.d, &w, BZ_V(""), true, NULL, &kit.ar, &f, &settled), BZ_OK);
    assert_int_equal(settled, 20000);
    bz_watch_done(&w);
}

static void empty_pieces(void **state) {
    (void)state;
    struct bz_watch w;
    struct bz_findings f = {.ar = &kit.ar};
    uint64_t settled = 9;
    bz_watch_init(&w, BZ_TEXT_JSON, NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            bz_watch_feed(kit.d, &w, (struct bz_view){0}, false, NULL, &kit.ar, &f, &settled),
            BZ_OK);
        assert_int_equal(settled, 0);
    }
    assert_int_equal(bz_watch_feed(kit.d, &w, BZ_V("\"\\u00"), false, NULL, &kit.ar, &f, &settled),
                     BZ_OK);
    assert_true(settled <= 1); /* half an escape is not decided */
    assert_int_equal(
        bz_watch_feed(kit.d, &w, (struct bz_view){0}, true, NULL, &kit.ar, &f, &settled), BZ_OK);
    assert_int_equal(settled, 5);
    bz_watch_done(&w);
}

/* ---- cuts ---- */

static void put_word(struct bz_buf *b, uint64_t *x) {
    static const char *const parts[] = {
        "the ",
        "of a ",
        "projekt ",
        "Projekt Falke",
        "falke ",
        "f",
        "fal",
        "FALKE.",
        "ke ",
        "zzq",
        "z",
        "PN-1234",
        "PN-",
        "12345",
        "/abc ",
        "\n",
        ": ",
        "TLP:",
        "RED ",
        "<",
        "EMAIL_ADDRESS_",
        "q7x2m4ka>",
        "\xc3\xbc",
        "\xef\xbd\x86"
        "alke",
        "M\xc3\xbcller",
        " & ",
        "S\xc3\xb6hne",
        "Classification: ",
        "Confidential",
        "INTERNAL USE ONLY",
        "\\u0066",
        "\\",
        "\"",
        "\\n",
        "\xe2\x80\x8b",
        "\xcc\xb6",
        "A",
        "I ",
        "GB ",
        "- ",
        "x",
    };
    bz_buf_puts(b, parts[kit_random(x) % (sizeof parts / sizeof parts[0])]);
}

/* Texts that are made to come close to every limit, at random cuts, for random sets of types. */
static void random_texts(void **state) {
    (void)state;
    struct bz_buf b;
    bz_buf_init(&b, 1 << 16);
    uint64_t x = 2026;
    size_t bad = 0;
    for (unsigned r = 0; r < 12000 && bad < 3; r++) {
        struct kit *k = r % 2 == 0 ? &kit : &plain_kit;
        enum bz_text_mode mode = r % 5 == 0 ? BZ_TEXT_JSON : BZ_TEXT_PLAIN;
        bz_buf_reset(&b);
        for (unsigned n = (unsigned)(kit_random(&x) % 40); n > 0; n--)
            put_word(&b, &x);
        size_t cuts[400];
        size_t n = 0;
        for (size_t at = 0; n < 400 && at <= b.n; at += kit_random(&x) % (1 + r % 23)) {
            if (kit_is_cut(bz_buf_view(&b), at))
                cuts[n++] = at;
        }
        struct bz_type_set hold;
        for (size_t i = 0; i < BZ_TYPES_MAX / 64; i++)
            hold.w[i] = kit_random(&x);
        bad += !kit_agree(k, bz_buf_view(&b), mode, NULL, NULL, cuts, n);
        bad += !kit_agree(k, bz_buf_view(&b), mode, NULL, &hold, cuts, n);
        bad += !kit_agree(k, bz_buf_view(&b), mode, &hold, NULL, cuts, n);
        bz_arena_free(&k->ar);
    }
    bz_buf_free(&b);
    assert_int_equal(bad, 0);
}

/* ---- text that counts ---- */

/* A number of so many digits; `right`: with the check digit of a card. */
static void put_digits(struct bz_buf *b, uint64_t *x, unsigned n, bool right) {
    unsigned sum = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned d = i == 0 ? 4 : (unsigned)(kit_random(x) % 10);
        bool doubled = (n - i) % 2 == 0;
        if (right && i + 1 == n)
            d = (10 - sum % 10) % 10;
        sum += !doubled ? d : d < 5 ? 2 * d : 2 * d - 9;
        bz_buf_putc(b, (uint8_t)('0' + d));
    }
}

/* What numbers stand in: nothing, words that tell what they are, what belongs to longer matches. */
static void put_counting(struct bz_buf *b, uint64_t *x) {
    static const char *const odd[] = {
        "card ",      "nhs ",   "ahvn13 ",
        "tax id ",    "taxId",  "password=",
        "discord = ", "asana ", "bc1",
        "sk-",        "1//",    "ES",
        "X",          "-K",     "A",
        "12345678",   "order ", ":AA",
        "Q~8",        "|",      "curl -u a:",
        "_key",       "token",  "is ",
        "\xc3\xa9",   "https:", "4012888888881881",
    };
    static const char *const plain[] = {" ",  "\n",    "=",    ", ", ". ", "-",
                                        "t=", " and ", " is ", "",   "."};
    unsigned r = (unsigned)(kit_random(x) % 64);
    if (r < 3)
        bz_buf_puts(b, odd[kit_random(x) % (sizeof odd / sizeof odd[0])]);
    else if (r < 30)
        put_digits(b, x, 1 + (unsigned)(kit_random(x) % 21), r % 4 == 0);
    else
        bz_buf_puts(b, plain[kit_random(x) % (sizeof plain / sizeof plain[0])]);
}

static void usual_types(struct bz_type_set *ret) {
    *ret = (struct bz_type_set){0};
    assert_true(bz_type_set_add_name(ret, BZ_V("secrets")));
    assert_true(bz_type_set_add_name(ret, BZ_V("checksum")));
}

static void counting_texts(void **state) {
    (void)state;
    struct bz_type_set usual;
    struct bz_buf b;
    uint64_t x = 19;
    size_t bad = 0;
    usual_types(&usual);
    bz_buf_init(&b, 1 << 16);
    for (unsigned r = 0; r < 6000 && bad < 3; r++) {
        bz_buf_reset(&b);
        for (unsigned n = 20 + r % 150; n > 0; n--)
            put_counting(&b, &x);
        size_t cuts[600], n = 0;
        for (size_t at = 0; n < 600 && at < b.n; at += 1 + kit_random(&x) % (1 + r % 29)) {
            if (kit_is_cut(bz_buf_view(&b), at))
                cuts[n++] = at;
        }
        bad += !kit_agree(&plain_kit, bz_buf_view(&b), BZ_TEXT_PLAIN, NULL, &usual, cuts, n);
        bz_arena_free(&plain_kit.ar);
    }
    bz_buf_free(&b);
    assert_int_equal(bad, 0);
}

/* A number that is nothing leaves with the byte behind it, one that may be something does not. */
static void numbers_flow(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t settled;
    } says[] = {
        {"t=17639000001 and ", 18},
        {"t=17639000001 and 4", 18},
        {"sum 17 + 4", 9},
        {"at 4012888888881882 ", 20},
        {"at 4012 ", 3},
        {"at 12345678 ", 3},
        {"at 1234567890123 ", 3},
        {"at 12345678901234 ", 18},
    };
    struct bz_type_set usual;
    usual_types(&usual);
    for (size_t i = 0; i < sizeof says / sizeof says[0]; i++) {
        struct bz_findings f = {.ar = &plain_kit.ar};
        struct bz_watch w;
        uint64_t settled = 0;
        bz_watch_init(&w, BZ_TEXT_PLAIN, NULL);
        assert_int_equal(bz_watch_feed(plain_kit.d, &w, bz_view_str(says[i].text), false, &usual,
                                       &plain_kit.ar, &f, &settled),
                         BZ_OK);
        if (settled != says[i].settled)
            print_message("%s: %u\n", says[i].text, (unsigned)settled);
        assert_int_equal(settled, says[i].settled);
        bz_watch_done(&w);
        bz_arena_free(&plain_kit.ar);
    }
}

/* Pieces larger than the window, and a text of many windows. */
static void large_pieces(void **state) {
    (void)state;
    struct bz_buf b;
    bz_buf_init(&b, 1 << 20);
    uint64_t x = 77;
    while (b.n < 60000)
        put_word(&b, &x);
    struct bz_view text = bz_buf_view(&b);
    size_t cuts[8];
    static const size_t sizes[] = {60000, 9000, 2048, 2047, 4097};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t n = 0;
        for (size_t at = sizes[i]; n < 8 && at < text.n; at += sizes[i]) {
            while (!kit_is_cut(text, at))
                at++;
            cuts[n++] = at;
        }
        assert_true(kit_agree(&kit, text, BZ_TEXT_PLAIN, NULL, NULL, cuts, n));
        assert_true(kit_agree(&kit, text, BZ_TEXT_JSON, NULL, NULL, cuts, n));
    }
    bz_buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds),          cmocka_unit_test(every_cut),
        cmocka_unit_test(prose_flows),    cmocka_unit_test(nothing_held),
        cmocka_unit_test(long_runs),      cmocka_unit_test(empty_pieces),
        cmocka_unit_test(random_texts),   cmocka_unit_test(large_pieces),
        cmocka_unit_test(counting_texts), cmocka_unit_test(numbers_flow),
    };
    return cmocka_run_group_tests(tests, open_kits, close_kits);
}
