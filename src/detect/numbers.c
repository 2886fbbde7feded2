/* Numbers made of digits: groups with single separators, a table of layouts, check digits, words.
 *
 * A layout is written as "3-2-4": groups of so many digits (a is ten, b eleven ... j nineteen) with
 * the separator between them; '~' is any of blank, hyphen and full stop. A number in one group is
 * bare. */
#include "pii_index.h"

#define NO PII_NO
#define FORM PII_FORM
#define CTX PII_CONTEXT
#define SUM PII_CHECKSUM
#define ROW(type, check) PII_##type, bz_checksum_##check
#define F(digits) (UINT32_C(1) << (digits))

enum { LAYOUTS_MAX = 10, LAYOUT_MAX = 14 };

/* bare, laid: without words, in one group or in an official layout; told: with words of the type.
 * A check that one random number in ten passes is no proof for a bare number: it needs words, or a
 * layout that nothing else has, or a date in it. */
/* clang-format off */
static const struct row {
    uint16_t type;
    bz_checksum_fn *check; /* NULL: none */
    char layouts[LAYOUTS_MAX][LAYOUT_MAX];
    uint32_t firsts; /* how many digits their first groups have, a bit each */
    uint8_t bare, laid, told;
} rows[] = {
    {ROW(CREDIT_CARD, card), {"g", "f", "4~4~4~4", "4~6~5"}, F(4) | F(15) | F(16), SUM, SUM, SUM},
    {ROW(CREDIT_CARD, card),
     {"d", "e", "h", "i", "j", "4~6~4", "4~4~4~4~3"},
     F(4) | F(13) | F(14) | F(17) | F(18) | F(19), FORM, SUM, SUM},
    {ROW(IMEI, imei), {"f", "2-6-6-1", "2 6 6 1"}, F(2) | F(15), FORM, SUM, SUM},
    {ROW(US_SSN, us_ssn), {"9", "3-2-4", "3 2 4"}, F(3) | F(9), NO, FORM, CTX},
    {ROW(US_ITIN, us_itin), {"9", "3-2-4", "3 2 4"}, F(3) | F(9), NO, FORM, CTX},
    {PII_US_EIN, NULL, {"2-7", "9"}, F(2) | F(9), NO, NO, CTX},
    {PII_US_PASSPORT, NULL, {"9"}, F(9), NO, NO, CTX},
    {PII_US_DRIVER_LICENSE, NULL, {"7", "8", "9", "a"}, F(7) | F(8) | F(9) | F(10), NO, NO, CTX},
    {PII_US_BANK_NUMBER, NULL,
     {"8", "9", "a", "b", "c", "d", "e", "f", "g", "h"},
     F(8) | F(9) | F(10) | F(11) | F(12) | F(13) | F(14) | F(15) | F(16) | F(17), NO, NO, CTX},
    {ROW(ABA_ROUTING_NUMBER, us_aba), {"9", "4-4-1"}, F(4) | F(9), NO, FORM, SUM},
    {ROW(US_NPI, us_npi), {"a"}, F(10), NO, NO, SUM},
    {ROW(UK_NHS, uk_nhs), {"a", "3~3~4"}, F(3) | F(10), NO, FORM, SUM},
    {PII_UK_PASSPORT, NULL, {"9"}, F(9), NO, NO, CTX},
    {ROW(PT_NIF, pt_nif), {"9", "3 3 3"}, F(3) | F(9), NO, NO, SUM},
    {ROW(IT_VAT_CODE, it_vat), {"b"}, F(11), NO, NO, SUM},
    {ROW(FR_NIR, fr_nir), {"f", "1~2~2~2~3~3~2", "d 2"}, F(1) | F(13) | F(15), SUM, SUM, SUM},
    {ROW(FR_SIREN, fr_siren), {"9", "3 3 3"}, F(3) | F(9), NO, NO, SUM},
    {ROW(FR_SIRET, fr_siret), {"e", "3 3 3 5", "9 5"}, F(3) | F(9) | F(14), FORM, SUM, SUM},
    {ROW(DE_TAX_ID, de_idnr), {"b", "2 3 3 3"}, F(2) | F(11), NO, FORM, SUM},
    {PII_DE_TAX_NUMBER, NULL,
     {"3/3/5", "2/3/5", "3/4/4", "5/5", "a", "b", "d"},
     F(2) | F(3) | F(5) | F(10) | F(11) | F(13), NO, NO, CTX},
    {ROW(DE_LANR, de_lanr), {"9", "7 2", "7-2"}, F(7) | F(9), NO, NO, SUM},
    {PII_DE_BSNR, NULL, {"9"}, F(9), NO, NO, CTX},
    {ROW(AT_SVNR, at_svnr), {"a", "4 6", "4-6"}, F(4) | F(10), NO, SUM, SUM},
    {ROW(CH_AHV, ch_ahv), {"d", "3.4.4.2"}, F(3) | F(13), SUM, SUM, SUM},
    {ROW(NL_BSN, nl_bsn), {"9", "4.2.3", "3 3 3", "4 2 3"}, F(3) | F(4) | F(9), NO, NO, SUM},
    {ROW(BE_NATIONAL_NUMBER, be_nn),
     {"b", "2.2.2-3.2", "2.2.2-3-2", "6-3-2", "6 3 2"}, F(2) | F(6) | F(11), FORM, SUM, SUM},
    {ROW(PL_PESEL, pl_pesel), {"b"}, F(11), NO, NO, SUM},
    {ROW(PL_NIP, pl_nip),
     {"a", "3-3-2-2", "3-2-2-3", "3 3 2 2", "3 2 2 3"}, F(3) | F(10), NO, FORM, SUM},
    {ROW(PL_REGON, pl_regon), {"9"}, F(9), NO, NO, SUM},
    {ROW(CZ_RODNE_CISLO, cz_rc), {"a", "6/4"}, F(6) | F(10), NO, SUM, SUM},
    {ROW(HU_TAJ, hu_taj), {"9", "3 3 3", "3-3-3"}, F(3) | F(9), NO, NO, SUM},
    {ROW(SI_EMSO, si_emso), {"d"}, F(13), FORM, NO, SUM},
    {ROW(HR_OIB, hr_oib), {"b"}, F(11), NO, NO, SUM},
    {ROW(RO_CNP, ro_cnp), {"d"}, F(13), FORM, NO, SUM},
    {ROW(BG_EGN, bg_egn), {"a"}, F(10), NO, NO, SUM},
    {ROW(GR_AMKA, gr_amka), {"b"}, F(11), NO, NO, SUM},
    {ROW(GR_AFM, gr_afm), {"9"}, F(9), NO, NO, SUM},
    {ROW(SE_PERSONNUMMER, se_pnr),
     {"a", "c", "6-4", "8-4", "6+4"}, F(6) | F(8) | F(10) | F(12), NO, SUM, SUM},
    {ROW(SE_ORGANISATIONSNUMMER, se_orgnr), {"a", "6-4"}, F(6) | F(10), NO, FORM, SUM},
    {ROW(NO_FODSELSNUMMER, no_fnr), {"b", "6 5"}, F(6) | F(11), FORM, SUM, SUM},
    {ROW(DK_CPR, dk_cpr), {"a", "6-4"}, F(6) | F(10), NO, SUM, SUM},
    {ROW(DK_CPR, dk_cpr_form), {"a", "6-4"}, F(6) | F(10), NO, NO, CTX},
    {ROW(IS_KENNITALA, is_kt), {"a", "6-4"}, F(6) | F(10), NO, FORM, SUM},
    {ROW(EE_ISIKUKOOD, ee_ik), {"b"}, F(11), FORM, NO, SUM},
    {ROW(LT_ASMENS_KODAS, ee_ik), {"b"}, F(11), FORM, NO, SUM},
    {ROW(LV_PERSONAS_KODS, lv_pk), {"b", "6-5"}, F(6) | F(11), NO, SUM, SUM},
    {ROW(UA_RNOKPP, ua_rnokpp), {"a"}, F(10), NO, NO, SUM},
    {ROW(RU_SNILS, ru_snils), {"b", "3-3-3 2", "3-3-3-2"}, F(3) | F(11), NO, SUM, SUM},
    {ROW(RU_INN, ru_inn), {"c"}, F(12), FORM, NO, SUM},
    {ROW(TR_NATIONAL_ID, tr_id), {"b"}, F(11), FORM, NO, SUM},
    {ROW(IL_ID, il_id), {"9", "8-1"}, F(8) | F(9), NO, NO, SUM},
    {ROW(ZA_ID_NUMBER, za_id), {"d", "6 4 3", "6 4 2 1"}, F(6) | F(13), FORM, SUM, SUM},
    {PII_NG_NIN, NULL, {"b", "4-3-4"}, F(4) | F(11), NO, NO, CTX},
    {ROW(BR_CPF, br_cpf), {"b", "3.3.3-2"}, F(3) | F(11), FORM, SUM, SUM},
    {ROW(BR_CNPJ, br_cnpj), {"e"}, F(14), FORM, NO, SUM}, /* in its layout: ids.c */
    {ROW(AR_CUIT, ar_cuit), {"b", "2-8-1"}, F(2) | F(11), NO, SUM, SUM},
    {ROW(CL_RUT, cl_rut), {"2.3.3-1", "1.3.3-1"}, F(1) | F(2), NO, SUM, SUM},
    {ROW(CL_RUT, cl_rut), {"8", "9", "8-1", "7-1"}, F(7) | F(8) | F(9), NO, FORM, SUM},
    {ROW(CA_SIN, ca_sin), {"9", "3 3 3", "3-3-3"}, F(3) | F(9), NO, FORM, SUM},
    {ROW(AU_ABN, au_abn), {"b", "2 3 3 3"}, F(2) | F(11), NO, FORM, SUM},
    {ROW(AU_ACN, au_acn), {"9", "3 3 3"}, F(3) | F(9), NO, NO, SUM},
    {ROW(AU_TFN, au_tfn), {"8", "9", "3 3 3"}, F(3) | F(8) | F(9), NO, NO, SUM},
    {ROW(AU_MEDICARE, au_medicare),
     {"a", "b", "4 5 1", "4 5 1 1", "4-5-1"}, F(4) | F(10) | F(11), NO, SUM, SUM},
    {ROW(NZ_IRD, nz_ird), {"8", "9", "2-3-3", "3-3-3"}, F(2) | F(3) | F(8) | F(9), NO, NO, SUM},
    {ROW(MY_NRIC, my_nric), {"c", "6-2-4"}, F(6) | F(12), NO, FORM, CTX},
    {ROW(IN_AADHAAR, in_aadhaar), {"c", "4 4 4", "4-4-4"}, F(4) | F(12), NO, FORM, SUM},
    {ROW(KR_RRN, kr_rrn), {"d", "6-7"}, F(6) | F(13), FORM, SUM, SUM},
    {ROW(KR_RRN, kr_rrn_form), {"d", "6-7"}, F(6) | F(13), NO, NO, CTX},
    {ROW(KR_BRN, kr_brn), {"a", "3-2-5"}, F(3) | F(10), NO, FORM, SUM},
    {PII_KR_DRIVER_LICENSE, NULL, {"2-2-6-2"}, F(2), NO, NO, CTX},
    {ROW(CN_RESIDENT_ID, cn_ric), {"i", "6 8 4"}, F(6) | F(18), SUM, SUM, SUM},
    {ROW(JP_MY_NUMBER, jp_my), {"c", "4 4 4", "4-4-4"}, F(4) | F(12), NO, NO, SUM},
    {ROW(TH_TNIN, th_tnin), {"d", "1-4-5-2-1", "1 4 5 2 1"}, F(1) | F(13), FORM, SUM, SUM},
    {PII_PH_TIN, NULL, {"9", "c", "3-3-3", "3-3-3-3"}, F(3) | F(9) | F(12), NO, NO, CTX},
    {PII_MEDICAL_RECORD_NUMBER, NULL,
     {"6", "7", "8", "9", "a"}, F(6) | F(7) | F(8) | F(9) | F(10), NO, NO, CTX},
};
/* clang-format on */

enum {
    DIGITS_MAX = 19,
    LENGTH_MAX = 32, /* bytes of the longest layout, and more */
};

static size_t group_digits(char code) {
    return code <= '9' ? (size_t)(code - '0') : (size_t)(code - 'a') + 10;
}

static bool separates(char want, uint8_t c) {
    return want == '~' ? c == ' ' || c == '-' || c == '.' : c == (uint8_t)want;
}

/* The text at i against one layout; first: digits that stand there without a break. */
static enum pii_fit fit(const struct scan *s, size_t i, size_t first, const char *layout,
                        size_t *ret_end) {
    if (i + first == s->n && group_digits(*layout) >= first)
        return group_digits(*layout) == first && layout[1] == '\0' ? (*ret_end = s->n, PII_WHOLE)
                                                                   : PII_PART;
    if (group_digits(*layout) != first)
        return PII_NONE;
    i += first;
    for (layout++; *layout != '\0'; layout += 2) {
        if (i == s->n)
            return PII_PART;
        if (!separates(layout[0], s->p[i]))
            return PII_NONE;
        size_t want = group_digits(layout[1]), end = scan_run(s, i + 1, SC_DIGIT, want + 1);
        if (end == s->n && end - (i + 1) < want)
            return PII_PART;
        if (end - (i + 1) != want)
            return PII_NONE;
        i = end;
    }
    *ret_end = i;
    return PII_WHOLE;
}

static struct pii_worth worth(const struct row *r, const char *layout) {
    return (struct pii_worth){r->type, layout[1] == '\0' ? r->bare : r->laid, r->told};
}

/* first: digits in front; all of them, where it is bare. */
static bool check(const struct scan *s, const struct row *r, size_t start, size_t end,
                  size_t first) {
    uint8_t digits[DIGITS_MAX + 1];
    size_t n = 0;
    if (r->check == NULL)
        return true;
    if (end - start == first)
        return r->check(s->p + start, first);
    for (size_t i = start; i < end && n < sizeof digits; i++) {
        if (scan_is(s->p[i], SC_DIGIT))
            digits[n++] = s->p[i];
    }
    return r->check(digits, n);
}

/* ---- the index ----------------------------------------------------------------------------- */

static const char separators[] = " -./+";
enum { SEPARATORS = sizeof separators, LISTS = (DIGITS_MAX + 1) * SEPARATORS };

/* Made of the table: for the digits of a first group and what follows it, which layouts are left. */
struct index {
    uint16_t list[LISTS + 1]; /* where each begins in v, see list_of */
    uint16_t v[SEPARATORS * (sizeof rows / sizeof rows[0]) *
               LAYOUTS_MAX]; /* row * LAYOUTS_MAX + layout */
    /* Types of all layouts with so many digits in front or more: by themselves, or with words. */
    struct pii_set alone[DIGITS_MAX + 1], told[DIGITS_MAX + 1];
};

static size_t list_of(size_t digits, uint8_t behind) {
    size_t sep = 0;
    while (sep < SEPARATORS - 1 && (uint8_t)separators[sep] != behind)
        sep++;
    return digits * SEPARATORS + sep;
}

/* Adds each layout to its lists; x->list[k + 1] is where the next of list k goes. */
static void fill(struct index *x, bool count) {
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        for (size_t j = 0; j < LAYOUTS_MAX && rows[k].layouts[j][0] != '\0'; j++) {
            const char *l = rows[k].layouts[j];
            for (size_t sep = 0; sep < SEPARATORS; sep++) {
                size_t list = group_digits(*l) * SEPARATORS + sep;
                if (l[1] != '\0' && !separates(l[1], (uint8_t)separators[sep]))
                    continue;
                if (!count)
                    x->v[x->list[list + 1]] = (uint16_t)(k * LAYOUTS_MAX + j);
                x->list[list + 1]++;
            }
        }
    }
}

static void fill_types(struct index *x) {
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        for (size_t j = 0; j < LAYOUTS_MAX && rows[k].layouts[j][0] != '\0'; j++) {
            const char *l = rows[k].layouts[j];
            struct pii_set *to = worth(&rows[k], l).alone != PII_NO ? x->alone : x->told;
            for (size_t n = 0; n <= group_digits(*l); n++)
                pii_set_add(&to[n], rows[k].type);
        }
    }
}

static enum bz_status prepare(struct bz_arena *ar, void **own) {
    BZ_TRY(pii_prepare(ar, own));
    struct index *x = bz_arena_zalloc(ar, sizeof *x);
    if (x == NULL)
        return BZ_ENOMEM;
    fill(x, true);
    for (size_t i = 1, n = 0; i <= LISTS; i++) {
        size_t here = x->list[i];
        x->list[i] = (uint16_t)n;
        n += here;
    }
    fill(x, false);
    fill_types(x);
    ((struct pii_own *)*own)->numbers = x;
    return BZ_OK;
}

static const struct index *index_of(const struct scan *s) {
    return ((const struct pii_own *)s->own)->numbers;
}

/* ---- the detector -------------------------------------------------------------------------- */

/* All that a number that begins at start can be. */
static void number(struct scan *s, size_t start) {
    const struct index *x = index_of(s);
    struct pii_picks picks;
    picks.n = 0;
    size_t first = scan_run(s, start, SC_DIGIT, DIGITS_MAX + 1) - start;
    if (first > DIGITS_MAX)
        return;
    size_t list = list_of(first, scan_at(s, start + first));
    for (size_t k = x->list[list]; k < x->list[list + 1]; k++) {
        const struct row *r = &rows[x->v[k] / LAYOUTS_MAX];
        const char *l = r->layouts[x->v[k] % LAYOUTS_MAX];
        size_t end = 0;
        struct pii_worth w = worth(r, l);
        if (!pii_matters(s, &w, start) || fit(s, start, first, l, &end) != PII_WHOLE)
            continue;
        if (pii_right(s, end) && check(s, r, start, end, first))
            pii_pick(s, &w, start, end, &picks);
    }
    pii_tell(s, start, &picks);
}

static bool begins(const struct scan *s, size_t i) {
    return scan_is(scan_at(s, i), SC_DIGIT) && pii_left(s, i);
}

/* The digits of a match begin with a digit of the part, or before it. */
static void sweep(struct scan *s, size_t from, size_t to) {
    size_t i = scan_back(s, from, SC_DIGIT, DIGITS_MAX + 1);
    for (i = i < s->from ? s->from : i; i < to; i++) {
        if (!scan_is(s->p[i], SC_DIGIT))
            continue;
        if (pii_left(s, i))
            number(s, i);
        i = scan_run(s, i, SC_DIGIT, s->n);
    }
}

/* May the number at i become one with more digits in its first group, which the text ends in? */
static bool open_group(const struct scan *s, size_t i, size_t first) {
    const struct index *x = index_of(s);
    struct pii_set wants = pii_wants(s), told = {0};
    for (size_t k = 0; k < PII_SET_WORDS; k++) {
        if ((x->alone[first].w[k] & wants.w[k]) != 0)
            return true;
        told.w[k] = x->told[first].w[k] & wants.w[k];
    }
    if (s->wordless)
        return false;
    const struct pii_context *c = pii_at(s, i);
    for (size_t k = 0; k < PII_SET_WORDS; k++) {
        if ((c->told.w[k] & told.w[k]) != 0)
            return true;
    }
    return false;
}

/* May a number that begins at i go on behind the end of the text? */
static bool open_at(const struct scan *s, size_t i) {
    const struct index *x = index_of(s);
    size_t first = scan_run(s, i, SC_DIGIT, DIGITS_MAX + 1) - i;
    if (first > DIGITS_MAX)
        return false;
    if (i + first == s->n)
        return open_group(s, i, first);
    size_t list = list_of(first, s->p[i + first]);
    for (size_t k = x->list[list]; k < x->list[list + 1]; k++) {
        const struct row *r = &rows[x->v[k] / LAYOUTS_MAX];
        const char *l = r->layouts[x->v[k] % LAYOUTS_MAX];
        size_t end = 0;
        enum pii_fit f = fit(s, i, first, l, &end);
        if (f == PII_NONE || (f == PII_WHOLE && end < s->n))
            continue;
        struct pii_worth w = worth(r, l);
        if (pii_may(s, &w, i))
            return true;
    }
    return false;
}

/* What the run of digits [i, end) may be by itself, without words. */
static enum detect_number alone(const struct scan *s, size_t i, size_t end) {
    const struct index *x = index_of(s);
    size_t first = end - i, list = first > DIGITS_MAX ? 0 : list_of(first, s->p[end]);
    if (first > DIGITS_MAX || !pii_left(s, i))
        return NUMBER_NOTHING;
    for (size_t k = x->list[list]; k < x->list[list + 1]; k++) {
        const struct row *r = &rows[x->v[k] / LAYOUTS_MAX];
        const char *l = r->layouts[x->v[k] % LAYOUTS_MAX];
        size_t to = 0;
        if (worth(r, l).alone == PII_NO || !scan_wants(s, r->type))
            continue;
        enum pii_fit f = fit(s, i, first, l, &to);
        if (f == PII_PART || (f == PII_WHOLE && to == s->n))
            return NUMBER_OPEN;
        if (f == PII_WHOLE && pii_right(s, to) && check(s, r, i, to, first))
            return NUMBER_FOUND;
    }
    return NUMBER_NOTHING;
}

static size_t live(const struct scan *s, size_t from) {
    size_t i = s->n;
    while (i > from && s->n - i < LENGTH_MAX &&
           (scan_is(s->p[i - 1], SC_DIGIT) || list_of(0, s->p[i - 1]) != SEPARATORS - 1))
        i--;
    for (; i < s->n; i++) {
        if (begins(s, i) && open_at(s, i))
            return i;
    }
    return s->n;
}

const struct detector detect_numbers = {
    .name = "numbers",
    .group = DETECT_GROUP_PII,
    .words = pii_words_begin,
    .number = alone,
    .sweep = sweep,
    .live = live,
    .prepare = prepare,
};
