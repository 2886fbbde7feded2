/* Personal data: every type in the sentences people write, texts that only look like it, and what a
 * detector must not look at. The figures of docs are computed here. */
#include "detect_kit.h"

#include <bartizan/text.h>

#include "samples_pii.h"

enum { EACH = 40, NEGATIVES = 60 };

static struct kit kit;
static size_t first; /* number of the group's first type */

static const uint8_t best[] = {
#define BEST(name, region, what, proof, ...) proof,
    PII_TYPES(BEST)};
static const char *const names[] = {
#define NAME(name, ...) #name,
    PII_TYPES(NAME)};
enum { TYPES = sizeof best };

static int open_kit(void **state) {
    (void)state;
    kit_open(&kit, NULL, 0);
    return bz_detect_type_find(kit.d, BZ_V("EMAIL_ADDRESS"), &first) ? 0 : -1;
}

static int close_kit(void **state) {
    (void)state;
    kit_close(&kit);
    return 0;
}

static struct bz_type_set all_pii(void) {
    struct bz_type_set s = {0};
    assert_true(bz_type_set_add_name(&s, BZ_V("pii")));
    return s;
}

/* Is the sample found, as its type, whole? */
static bool found(const struct bz_findings *f, size_t type, size_t start, size_t end) {
    bool checksum = best[type] == BZ_PROOF_CHECKSUM;
    for (size_t i = 0; i < f->n; i++) {
        if (f->v[i].type == first + type && f->v[i].start == start && f->v[i].end == end)
            return !checksum || f->v[i].proof == BZ_PROOF_CHECKSUM;
    }
    return false;
}

struct tally {
    size_t texts, hits, wrong; /* wrong: other findings, as sure as a checksum */
};

static void count(size_t type, uint64_t seed, const struct bz_type_set *want, struct tally *t) {
    char text[1024];
    size_t start = 0, end = 0;
    size_t n = pii_sample_at(type, seed, text, sizeof text, &start, &end);
    assert_true(n != 0);
    struct bz_findings f = kit_scan(&kit, bz_view(text, n), BZ_TEXT_PLAIN, want, NULL);
    bool hit = found(&f, type, start, end);
    t->texts++;
    t->hits += hit;
    for (size_t i = 0; i < f.n; i++)
        t->wrong +=
            f.v[i].proof == BZ_PROOF_CHECKSUM && (f.v[i].start != start || f.v[i].end != end);
    if (!hit && t->texts - t->hits <= 3) {
        fprintf(stderr, "# missed %s in: %s\n", names[type], text);
        kit_print(&kit, "found", &f, bz_view(text, n));
    }
    bz_arena_free(&kit.ar);
}

/* At least 2,000 values of at least 40 types with a checksum: recall >= 0.99 each way, and of the
 * others nearly all. */
static void values_are_found(void **state) {
    struct bz_type_set want = all_pii();
    struct tally sure = {0}, rest = {0};
    size_t sure_types = 0, types = 0, regions = 0;
    for (size_t type = 0; type < TYPES; type++) {
        bool checksum = best[type] == BZ_PROOF_CHECKSUM;
        struct tally t = {0};
        if (sample_kind_of(type) == NULL)
            fail_msg("no sample of %s", names[type]);
        for (uint64_t seed = 0; seed < EACH; seed++)
            count(type, seed, &want, &t);
        if (t.hits * 100 < t.texts * (checksum ? 95 : 90)) {
            fprintf(stderr, "# %s: %zu of %zu\n", names[type], t.hits, t.texts);
            regions++;
        }
        struct tally *sum = checksum ? &sure : &rest;
        sum->texts += t.texts;
        sum->hits += t.hits;
        sum->wrong += t.wrong;
        sure_types += checksum;
        types++;
    }
    fprintf(stderr, "# checksum: %zu of %zu values of %zu types; others: %zu of %zu of %zu\n",
            sure.hits, sure.texts, sure_types, rest.hits, rest.texts, types - sure_types);
    fprintf(stderr, "# wrong beside them: %zu\n", sure.wrong + rest.wrong);
    assert_int_equal(regions, 0);
    assert_true(types >= 50 && sure_types >= 40 && sure.texts >= 2000);
    assert_true(sure.hits * 1000 >= sure.texts * 990);
    assert_true(sure.wrong * 1000 <= sure.hits * 5);
}

/* What looks like it but is none: precision of checksums >= 0.99 against as many texts. */
static void other_things_are_left_alone(void **state) {
    struct bz_type_set want = all_pii();
    size_t texts = 0, wrong = 0, told = 0, form = 0;
    for (uint64_t seed = 0; seed < (uint64_t)NEGATIVE_KINDS * NEGATIVES; seed++) {
        char text[1024];
        size_t n = pii_negative(seed, text, sizeof text);
        assert_true(n != 0);
        struct bz_findings f = kit_scan(&kit, bz_view(text, n), BZ_TEXT_PLAIN, &want, NULL);
        size_t sure = 0, likely = 0;
        for (size_t i = 0; i < f.n; i++) {
            sure += f.v[i].proof == BZ_PROOF_CHECKSUM;
            likely += f.v[i].proof == BZ_PROOF_CONTEXT;
        }
        texts++;
        wrong += sure != 0;
        told += likely != 0;
        form += f.n != 0;
        if ((sure != 0 && wrong < 20) || (likely != 0 && told < 20)) {
            fprintf(stderr, "# in: %s\n", text);
            kit_print(&kit, "wrong", &f, bz_view(text, n));
        }
        bz_arena_free(&kit.ar);
    }
    fprintf(stderr, "# %zu texts of %d families: %zu with a checksum, %zu with words, %zu forms\n",
            texts, NEGATIVE_KINDS, wrong, told, form);
    assert_true(texts >= 2000 && NEGATIVE_KINDS >= 25);
    assert_true(wrong * 1000 <= texts * 5); /* against as many positives: precision >= 0.995 */
    assert_true(told * 100 <= texts);
}

/* With wrong words or none the weak checks prove nothing. */
static void weak_checks_need_their_words(void **state) {
    static const char *const texts[] = {
        "order number 4111111111111111", /* the form alone */
        "9434765870 units",
        "phone 9434765870",
        "36574261809",
        "111222333 and 552008443",
        "130692544",
        "192598184",
        "54362315K",
        "AB1388568 is a part",
        "490154203237518",
        "1234567890123",
    };
    struct bz_type_set want = all_pii();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct bz_findings f = kit_scan(&kit, bz_view_str(texts[i]), BZ_TEXT_PLAIN, &want, NULL);
        for (size_t k = 0; k < f.n; k++) {
            if (f.v[k].proof == BZ_PROOF_CHECKSUM)
                kit_print(&kit, "weak", &f, bz_view_str(texts[i]));
            assert_int_not_equal(f.v[k].proof, BZ_PROOF_CHECKSUM);
        }
    }
}

struct pinned {
    const char *text, *type, *value; /* type NULL: nothing at all */
    uint8_t proof;
};

static const struct pinned pinned[] = {
    {"x4111111111111111", NULL, NULL, 0},
    {"41111111111111110000", NULL, NULL, 0},
    {"4111111111111111a", NULL, NULL, 0},
    {"(4111 1111 1111 1111)", "CREDIT_CARD", "4111 1111 1111 1111", BZ_PROOF_CHECKSUM},
    {"4111-1111-1111-1111.", "CREDIT_CARD", "4111-1111-1111-1111", BZ_PROOF_CHECKSUM},
    {"4111 1111 1111 1112", NULL, NULL, 0},
    {"\"nhsNumber\":\"9434765870\"", "UK_NHS", "9434765870", BZ_PROOF_CHECKSUM},
    {"NHS_NO=9434765870", "UK_NHS", "9434765870", BZ_PROOF_CHECKSUM},
    {"unhsx 9434765870", NULL, NULL, 0},
    {"SSN 536-90-4399, order 912345678", "US_SSN", "536-90-4399", BZ_PROOF_CONTEXT},
    {"SSN 536-90-4399, room booked 912345678", "US_SSN", "536-90-4399", BZ_PROOF_CONTEXT},
    {"SSN 078-05-1120", NULL, NULL, 0},
    {"MRN 00123456", "MEDICAL_RECORD_NUMBER", "00123456", BZ_PROOF_CONTEXT},
    {"Mobil: +49 (0)171 2345678", "PHONE_NUMBER", "+49 (0)171 2345678", BZ_PROOF_CONTEXT},
    {"Sie erreichen mich unter 0171 2345678", "PHONE_NUMBER", "0171 2345678", BZ_PROOF_CONTEXT},
    {"\xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7"
     "13812345678",
     "PHONE_NUMBER", "13812345678", BZ_PROOF_CONTEXT},
    {"nac\xc3\xad el 12 de marzo de 1985", "DATE_OF_BIRTH", "12 de marzo de 1985",
     BZ_PROOF_CONTEXT},
    {"\xef\xbc\x94\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91 1111 1111 1111", "CREDIT_CARD",
     "\xef\xbc\x94\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91 1111 1111 1111", BZ_PROOF_CHECKSUM},
    {"4111\xe2\x80\x91"
     "1111\xe2\x80\x91"
     "1111\xe2\x80\x91"
     "1111",
     "CREDIT_CARD",
     "4111\xe2\x80\x91"
     "1111\xe2\x80\x91"
     "1111\xe2\x80\x91"
     "1111",
     BZ_PROOF_CHECKSUM},
    {"id 4111\xe2\x80\x8b"
     "111111111111",
     "CREDIT_CARD",
     "4111\xe2\x80\x8b"
     "111111111111",
     BZ_PROOF_CHECKSUM},
    {"mail bob@example.com.", "EMAIL_ADDRESS", "bob@example.com", BZ_PROOF_CONTEXT},
    {"<bob@mail.example.co.uk>", "EMAIL_ADDRESS", "bob@mail.example.co.uk", BZ_PROOF_FORM},
    {"icon@2x.png", NULL, NULL, 0},
    {"git@github.com:a/b", NULL, NULL, 0},
    {"user@localhost", NULL, NULL, 0},
    {"v1.2.3.4", NULL, NULL, 0},
    {"version 1.2.3.4", NULL, NULL, 0},
    {"host 10.1.2.300", NULL, NULL, 0},
    {"ip 127.0.0.1", "IP_ADDRESS", "127.0.0.1", BZ_PROOF_FORM},
    {"ip 203.0.113.9", "IP_ADDRESS", "203.0.113.9", BZ_PROOF_FORM},
    {"ip 10.20.30.40", "IP_ADDRESS", "10.20.30.40", BZ_PROOF_CONTEXT},
    {"at 12:30:45 std::abc a::b", NULL, NULL, 0},
    {"she was born on 12 March 1985.", "DATE_OF_BIRTH", "12 March 1985", BZ_PROOF_CONTEXT},
    {"built on 12 March 1985.", NULL, NULL, 0},
    {"geboren am 12. M\xc3\xa4rz 1985", "DATE_OF_BIRTH", "12. M\xc3\xa4rz 1985", BZ_PROOF_CONTEXT},
    {"the Way of Kings", NULL, NULL, 0},
    {"DE89 3704 0044 0532 0130 01", NULL, NULL, 0},
    {"DE89370400440532013000X", NULL, NULL, 0},
    {"\xe4\xbd\xa0\xe5\xa5\xbd"
     "360426199101010071\xef\xbc\x8c",
     "CN_RESIDENT_ID", "360426199101010071", BZ_PROOF_CHECKSUM},
};

static void pinned_texts(void **state) {
    struct bz_type_set want = all_pii();
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof pinned / sizeof pinned[0]; i++) {
        const struct pinned *c = &pinned[i];
        struct bz_view text = bz_view_str(c->text);
        struct bz_findings f = kit_scan(&kit, text, BZ_TEXT_PLAIN, &want, NULL);
        bool ok = f.n == (c->type != NULL);
        if (ok && c->type != NULL) {
            struct bz_view v = bz_view_sub(text, f.v[0].start, f.v[0].end - f.v[0].start);
            ok = strcmp(bz_detect_type(kit.d, f.v[0].type)->name, c->type) == 0 &&
                 bz_view_eq(v, bz_view_str(c->value)) && f.v[0].proof == c->proof;
        }
        if (!ok) {
            kit_print(&kit, c->text, &f, text);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* docs/PERSONAL-DATA.md has a row for every type, with its best proof. */
static void docs_name_every_type(void **state) {
    const char *root = getenv("BZ_SOURCE_ROOT");
    char path[1024];
    static char text[64 * 1024];
    snprintf(path, sizeof path, "%s/docs/PERSONAL-DATA.md", root == NULL ? "." : root);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    for (size_t type = 0; type < TYPES; type++) {
        char row[128];
        snprintf(row, sizeof row, "\n| `%s` |", names[type]);
        const char *at = strstr(text, row);
        if (at == NULL)
            fail_msg("docs/PERSONAL-DATA.md has no row for %s", names[type]);
        char line[256];
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
        snprintf(row, sizeof row, "| %s | ", bz_proof_name((enum bz_proof)best[type]));
        if (strstr(line, row) == NULL)
            fail_msg("docs/PERSONAL-DATA.md: %s is not %s", names[type], row);
    }
}

static struct bz_type_set one(size_t type) {
    struct bz_type_set s = {0};
    bz_type_set_add(&s, first + type);
    return s;
}

/* Each type alone, and all together, cut everywhere. */
static void cuts_change_nothing(void **state) {
    struct bz_type_set want = all_pii(), checksums = {0};
    assert_true(bz_type_set_add_name(&checksums, BZ_V("checksum")));
    for (size_t type = 0; type < TYPES; type++) {
        char text[1024];
        size_t start = 0, end = 0;
        struct bz_type_set only = one(type);
        for (uint64_t seed = 100; seed < 102; seed++) {
            size_t n = pii_sample_at(type, seed, text, sizeof text, &start, &end);
            struct bz_view v = bz_view(text, n);
            if (!kit_agree_everywhere(&kit, v, BZ_TEXT_PLAIN, &want, NULL) ||
                !kit_agree_everywhere(&kit, v, BZ_TEXT_PLAIN, &want, &checksums) ||
                !kit_agree_everywhere(&kit, v, BZ_TEXT_PLAIN, &only, &only))
                fail_msg("%s", names[type]);
            bz_arena_free(&kit.ar);
        }
    }
}

/* Pieces of samples and marks thrown together. */
static void random_texts_at_random_cuts(void **state) {
    static const char *const bits[] = {
        " ",  "-",    ".",  "/",     ", ",     "@",      ":",     "(",       ")",
        "+",  "the ", "A",  "Z9",    "12",     "4111",   "0",     "bc1",     "0x",
        "DE", "SSN ", "\n", "born ", "March ", "Street", " 12, ", "\xc3\xa9"};
    struct bz_type_set want = all_pii(), checksums = {0};
    assert_true(bz_type_set_add_name(&checksums, BZ_V("checksum")));
    uint64_t x = 4711;
    for (unsigned round = 0; round < 1500; round++) {
        char text[4096];
        size_t n = 0, cuts[64], cuts_n = 0;
        while (n < 300) {
            char part[1024];
            size_t start = 0, end = 0, k = 0;
            const char *from = part;
            switch (kit_random(&x) % 4) {
            case 0:
                k = pii_sample_at(kit_random(&x) % TYPES, kit_random(&x), part, sizeof part, &start,
                                  &end);
                if (kit_random(&x) % 2) { /* the value alone, perhaps not whole */
                    from = part + start;
                    k = end - start - kit_random(&x) % 3 % (end - start);
                }
                break;
            default:
                from = bits[kit_random(&x) % (sizeof bits / sizeof bits[0])];
                k = strlen(from);
            }
            memcpy(text + n, from, k);
            n += k;
        }
        for (size_t at = 0; at < n && cuts_n < 60; at += 1 + kit_random(&x) % 24) {
            if (kit_is_cut(bz_view(text, n), at))
                cuts[cuts_n++] = at;
        }
        const struct bz_type_set *hold = round % 3 == 0   ? NULL
                                         : round % 3 == 1 ? &want
                                                          : &checksums;
        if (bz_utf8_valid(bz_view(text, n)) == n &&
            !kit_agree(&kit, bz_view(text, n), BZ_TEXT_PLAIN, &want, hold, cuts, cuts_n))
            fail_msg("round %u", round);
        bz_arena_free(&kit.ar);
    }
}

/* Prose goes out word by word when only checksums are held for. */
static void prose_is_not_held(void **state) {
    static const char prose[] =
        "In the morning the old gardener walked along the river, as he had done every day for many "
        "years. The water was high; it carried leaves and small branches with it. \"You are "
        "late,\" "
        "said the woman at the bridge. He smiled, because it was true, and because she said it "
        "every morning. They talked about the weather and the children, and about a dead tree.";
    struct bz_type_set hold = {0};
    assert_true(bz_type_set_add_name(&hold, BZ_V("checksum")));
    struct bz_watch w;
    struct bz_findings f = {.ar = &kit.ar};
    bz_watch_init(&w, BZ_TEXT_PLAIN, &hold);
    uint64_t settled = 0;
    size_t pieces = 0, held = 0;
    for (size_t from = 0, to; from < sizeof prose - 1; from = to) {
        to = from + 1;
        while (to < sizeof prose - 1 && prose[to] != ' ')
            to++;
        assert_int_equal(bz_watch_feed(kit.d, &w, bz_view(prose + from, to - from), false, &hold,
                                       &kit.ar, &f, &settled),
                         BZ_OK);
        pieces++;
        held += settled != to;
        /* a short word may be the beginning of a literal of some detector */
        if (to - settled > 4)
            fail_msg("held: %.*s", (int)(to - settled), prose + settled);
    }
    assert_true(held * 20 <= pieces);
    assert_int_equal(f.n, 0);
    bz_watch_done(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found),
        cmocka_unit_test(other_things_are_left_alone),
        cmocka_unit_test(weak_checks_need_their_words),
        cmocka_unit_test(pinned_texts),
        cmocka_unit_test(docs_name_every_type),
        cmocka_unit_test(cuts_change_nothing),
        cmocka_unit_test(random_texts_at_random_cuts),
        cmocka_unit_test(prose_is_not_held),
    };
    return cmocka_run_group_tests_name("pii", tests, open_kit, close_kit);
}
