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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds),
        cmocka_unit_test(every_cut),
    };
    return cmocka_run_group_tests(tests, open_kits, close_kits);
}
