/* Numbers with letters in them: masks, check characters, words.
 *
 * In a mask 'a' is a capital letter, '9' a digit, 'x' one of both, '_' a blank, hyphen or full stop
 * that may be missing; anything else stands for itself. Masks of one row are divided by '|' and
 * begin alike. */
#include "pii_index.h"

#include <hs/hs.h>

#define NO PII_NO
#define FORM PII_FORM
#define CTX PII_CONTEXT
#define SUM PII_CHECKSUM
#define ROW(type, check) PII_##type, bz_checksum_##check

static bool fr_corsica(const uint8_t *s, size_t n) {
    return n == 15 && (s[6] == 'A' || s[6] == 'B') && bz_checksum_fr_nir(s, n);
}

/* One that has a digit: a word of sixteen capitals may pass the check too. */
static bool it_cf_digit(const uint8_t *s, size_t n) {
    for (size_t i = 6; i < n; i++) {
        if (scan_is(s[i], SC_DIGIT))
            return bz_checksum_it_cf(s, n);
    }
    return false;
}

/* alone, told: without words of the type, and with. The check sees letters and digits only. */
static const struct row {
    uint16_t type;
    bz_checksum_fn *check;
    const char *masks;
    uint8_t alone, told;
} rows[] = {
    {ROW(VIN, vin), "xxxxxxxxxxxxxxxxx", SUM, SUM},
    {PII_SWIFT_CODE, NULL, "aaaaaaxx|aaaaaaxxxxx", NO, CTX}, /* found by bank_behind */
    {PII_MEDICAL_RECORD_NUMBER, NULL, "a_999999|a_9999999|aa_999999|aa_9999999", NO, CTX},
    {PII_MEDICAL_RECORD_NUMBER, NULL, "MRN-999999|MRN-9999999|MRN-99999999", CTX, CTX},
    {ROW(MEDICAL_LICENSE, us_dea), "aa9999999|a99999999", FORM, SUM},
    {PII_US_PASSPORT, NULL, "a99999999", NO, CTX},
    {PII_US_DRIVER_LICENSE, NULL,
     "a9999999|a99999999|a999999999|a999_9999_9999|a9999_99999_99999|aa999999|aa9999999|"
     "a99_99_9999|a999_999_99_999_9",
     NO, CTX},
    {ROW(US_MBI, us_mbi), "9ax9_ax9_aa99", FORM, CTX},
    {ROW(UK_NINO, uk_nino), "aa_99_99_99_a", FORM, CTX},
    {ROW(UK_DRIVING_LICENCE, uk_driver), "xxxxx_999999_xx9aa", FORM, CTX},
    {ROW(UK_POSTCODE, uk_postcode), "a9 9aa|a99 9aa|aa9 9aa|aa99 9aa|a9a 9aa|aa9a 9aa", FORM, CTX},
    {PII_UK_VEHICLE_REGISTRATION, NULL, "aa99_aaa", NO, CTX},
    {PII_UK_PASSPORT, NULL, "aa9999999", NO, CTX},
    {ROW(IE_PPS, ie_pps), "9999999a|9999999aa", FORM, SUM},
    {ROW(ES_NIF, es_nif), "99999999_a", FORM, SUM},
    {ROW(ES_NIF, es_nif), "99.999.999-a", SUM, SUM},
    {ROW(ES_NIE, es_nie), "a_9999999_a", SUM, SUM},
    {PII_ES_PASSPORT, NULL, "aaa999999", NO, CTX},
    {PII_IT_FISCAL_CODE, it_cf_digit, "aaaaaaxxaxxaxxxa|aaa aaa xxaxx axxxa", SUM, SUM},
    {PII_IT_IDENTITY_CARD, NULL, "aa99999aa|aa9999999", NO, CTX},
    {PII_IT_DRIVER_LICENSE, NULL, "aa9999999a", NO, CTX},
    {PII_IT_DRIVER_LICENSE, NULL, "U1xxxxxxxa", NO, CTX},
    {PII_IT_PASSPORT, NULL, "aa9999999", NO, CTX},
    {PII_FR_NIR, fr_corsica, "9_99_99_2a_999_999_99", SUM, SUM},
    {ROW(DE_SOCIAL_SECURITY, de_rvnr), "99_999999_a_999", SUM, SUM},
    {ROW(DE_HEALTH_INSURANCE, de_kvnr), "a999999999", FORM, SUM},
    {ROW(DE_ID_CARD, de_serial), "axxxxxxxx9", NO, SUM},
    {ROW(DE_PASSPORT, de_serial), "axxxxxxxx9", NO, SUM},
    {PII_DE_PASSPORT, NULL, "Cxxxxxxxx", NO, CTX},
    {ROW(DE_VAT_ID, de_vat), "DE_999999999|DE_999_999_999", SUM, SUM},
    {PII_DE_FUEHRERSCHEIN, NULL, "a99xxxxxx9x", NO, CTX},
    {PII_DE_HANDELSREGISTER, NULL,
     "HRB_999|HRB_9999|HRB_99999|HRB_999999|HRA_999|HRA_9999|HRA_99999|HRA_999999", FORM, FORM},
    {PII_DE_KFZ, NULL, "a_a_99|a_a_999|a_a_9999|a_aa_99|a_aa_999|a_aa_9999", NO, CTX},
    {PII_DE_KFZ, NULL, "aa_a_99|aa_a_999|aa_a_9999|aa_aa_99|aa_aa_999|aa_aa_9999", NO, CTX},
    {PII_DE_KFZ, NULL, "aaa_a_99|aaa_a_999|aaa_aa_99|aaa_aa_999", NO, CTX},
    {ROW(CH_UID, ch_uid), "CHE_999_999_999", SUM, SUM},
    {ROW(PL_ID_CARD, pl_id_card), "aaa_999999", NO, SUM},
    {ROW(FI_PERSONAL_IDENTITY_CODE, fi_hetu), "999999-999x|999999+999x|999999a999x", SUM, SUM},
    {ROW(MX_CURP, mx_curp), "aaaa999999aaaaaax9", SUM, SUM},
    {ROW(MX_RFC, mx_rfc), "aaaa999999xxx", SUM, SUM},
    {ROW(MX_RFC, mx_rfc), "aaa999999xxx", NO, SUM},
    {ROW(BR_CNPJ, br_cnpj), "xx.xxx.xxx/xxxx-99", SUM, SUM},
    {ROW(BR_CNPJ, br_cnpj), "xxxxxxxxxxxx99", NO, SUM},
    {ROW(CL_RUT, cl_rut), "99.999.999-K|9.999.999-K", SUM, SUM},
    {ROW(CL_RUT, cl_rut), "99999999-K|9999999-K|99999999K|9999999K", FORM, SUM},
    {ROW(SG_NRIC_FIN, sg_nric), "a9999999a", SUM, SUM},
    {ROW(SG_UEN, sg_uen), "a99xx9999a", SUM, SUM},
    {ROW(SG_UEN, sg_uen), "99999999a|999999999a", FORM, SUM},
    {ROW(IN_PAN, in_pan), "aaaaa9999a", FORM, CTX},
    {ROW(IN_GSTIN, in_gstin), "99aaaaa9999axxx", SUM, SUM},
    {PII_IN_VOTER, NULL, "aaa9999999", NO, CTX},
    {PII_IN_PASSPORT, NULL, "a9999999", NO, CTX},
    {PII_IN_VEHICLE_REGISTRATION, NULL, "aa_99_aa_9999|aa_99_a_9999", NO, CTX},
    {PII_KR_PASSPORT, NULL, "a99999999", NO, CTX},
    {ROW(CN_RESIDENT_ID, cn_ric), "99999999999999999X", SUM, SUM},
    {ROW(HK_ID, hk_id), "a999999(x)|aa999999(x)", SUM, SUM},
    {ROW(HK_ID, hk_id), "a999999x|aa999999x", NO, SUM},
    {PII_TR_LICENSE_PLATE, NULL, "99_a_9999|99_aa_999|99_aa_9999|99_aaa_99|99_aaa_999", NO, CTX},
    {PII_NG_VEHICLE_REGISTRATION, NULL, "aaa_999_aa", NO, CTX},
    {ROW(TW_ID, tw_id), "a999999999", FORM, SUM},
};

enum {
    REACH_BACK = 40, /* a match begins at most so far before the end of a trigger in it */
    WORD = 1,        /* rule of the triggers that are words */
    WORD_REACH = 80, /* bytes behind them */
    LENGTH_MAX = 48, /* bytes of the longest match: an IBAN of 34 with 8 blanks */
};

static bool gap(uint8_t c) {
    return c == ' ' || c == '-' || c == '.';
}

static bool stands(char mask, uint8_t c) {
    switch (mask) {
    case 'a':
        return scan_is(c, SC_UPPER);
    case '9':
        return scan_is(c, SC_DIGIT);
    case 'x':
        return scan_is(c, SC_UPPER | SC_DIGIT);
    default:
        return (uint8_t)mask == c;
    }
}

static enum pii_fit fit(const struct scan *s, size_t i, const char *mask, size_t *ret_end) {
    for (; *mask != '\0' && *mask != '|'; mask++) {
        if (i >= s->n)
            return PII_PART;
        if (*mask == '_') {
            i += gap(s->p[i]);
            continue;
        }
        if (!stands(*mask, s->p[i]))
            return PII_NONE;
        i++;
    }
    *ret_end = i;
    return PII_WHOLE;
}

static const char *next_mask(const char *mask) {
    while (*mask != '\0' && *mask != '|')
        mask++;
    return *mask == '\0' ? NULL : mask + 1;
}

/* Letters and digits of the text alone. */
static bool check(const struct scan *s, const struct row *r, size_t start, size_t end) {
    uint8_t text[LENGTH_MAX];
    size_t n = 0;
    if (r->check == NULL)
        return true;
    bool sign = r->type == PII_FI_PERSONAL_IDENTITY_CODE; /* stands for the century */
    for (size_t i = start; i < end && n < sizeof text; i++) {
        if (sign || scan_is(s->p[i], SC_UPPER | SC_DIGIT))
            text[n++] = s->p[i];
    }
    return r->check(text, n);
}

/* Behind a bracket nothing more can belong to the match. */
static bool ends(const struct scan *s, size_t end) {
    return s->p[end - 1] == ')' ? !scan_is(scan_at(s, end), SC_ALNUM) : pii_right(s, end);
}

/* ---- IBAN: its country says how long it is; groups of four --------------------------------- */

static enum pii_fit iban(const struct scan *s, size_t start, size_t *ret_end) {
    uint8_t text[36];
    size_t n = 0, i = start, length = 2;
    for (; i < s->n && n < length; i++) {
        uint8_t c = s->p[i];
        bool may_gap = n >= 2 && (n % 4 == 0 || n == 2) && s->p[i - 1] != ' ' && s->p[i - 1] != '-';
        if (may_gap && (c == ' ' || c == '-'))
            continue;
        if (!stands(n < 2 ? 'a' : n < 4 ? '9' : 'x', c))
            return PII_NONE;
        text[n++] = c;
        if (n == 2 && scan_is(scan_at(s, i + 1), SC_ALPHA))
            return PII_NONE;
        if (n == 2)
            length = bz_checksum_iban_length(text);
    }
    if (n < 2 || n < length)
        return PII_PART;
    *ret_end = i;
    return bz_checksum_iban(text, n) ? PII_WHOLE : PII_NONE;
}

/* ---- the index ----------------------------------------------------------------------------- */

/* The first bytes of a text, by kind, leave few masks; of one that begins with digits, how many they
 * are and the kind of what follows. */
enum {
    KIND_DIGIT,
    KIND_CAPITAL,
    KIND_GAP,
    KIND_OTHER,
    KINDS,
    KIND_END = KIND_DIGIT, /* of what follows digits: the end of the text */
    LEAD = 4,
    LEADS = KINDS * KINDS * KINDS * KINDS,
    RUN_MAX = 20, /* digits in front; none has so many */
    LISTS = LEADS + (RUN_MAX + 1) * KINDS
};
enum { MASKS_MAX = 4096 };
struct index {
    uint16_t list[LISTS + 1]; /* where each begins in v */
    struct mask {
        uint8_t row, at; /* the mask begins so far in the row's masks */
    } v[MASKS_MAX];
};

static unsigned kind_of(uint8_t c) {
    if (scan_is(c, SC_DIGIT))
        return KIND_DIGIT;
    if (scan_is(c, SC_UPPER))
        return KIND_CAPITAL;
    return gap(c) ? KIND_GAP : KIND_OTHER;
}

/* Of the text that begins with the digits [i, end). */
static size_t list_of_run(const struct scan *s, size_t i, size_t end) {
    size_t run = end - i < RUN_MAX ? end - i : RUN_MAX;
    return LEADS + run * KINDS + (end == s->n ? (unsigned)KIND_END : kind_of(s->p[end]));
}

/* Of the text at i, where LEAD bytes or a digit are known. */
static size_t list_of(const struct scan *s, size_t i) {
    size_t list = 0;
    if (scan_is(s->p[i], SC_DIGIT))
        return list_of_run(s, i, scan_run(s, i, SC_DIGIT, RUN_MAX));
    for (size_t k = 0; k < LEAD; k++)
        list = list * KINDS + kind_of(s->p[i + k]);
    return list;
}

/* May a text whose bytes are of these kinds fit the mask? */
static bool may_fit(const char *mask, const unsigned kinds[LEAD]) {
    for (size_t k = 0; k < LEAD; mask++) {
        unsigned have = kinds[k];
        if (*mask == '_') {
            k += have == KIND_GAP;
            continue;
        }
        bool fits = *mask == 'x'   ? have == KIND_DIGIT || have == KIND_CAPITAL
                    : *mask == 'a' ? have == KIND_CAPITAL
                    : *mask == '9' ? have == KIND_DIGIT
                                   : have == kind_of((uint8_t)*mask);
        if (!fits)
            return false;
        k++;
    }
    return true;
}

/* May a text of so many digits, and behind them a byte of this kind, fit the mask? */
static bool may_run(const char *mask, size_t run, unsigned behind) {
    for (; run > 0; mask++) {
        if (*mask == '_')
            continue;
        if (*mask != '9' && *mask != 'x' && !scan_is((uint8_t)*mask, SC_DIGIT))
            return false;
        run--;
    }
    while (*mask == '_' && behind != KIND_GAP)
        mask++;
    bool over = *mask == '\0' || *mask == '|';
    if (over || *mask == '_' || behind == KIND_END)
        return true;
    return *mask == 'x' || *mask == 'a' ? behind == KIND_CAPITAL
                                        : *mask != '9' && kind_of((uint8_t)*mask) == behind;
}

static bool may_list(const char *mask, unsigned list) {
    unsigned kinds[LEAD];
    if (list >= LEADS)
        return may_run(mask, (list - LEADS) / KINDS, (list - LEADS) % KINDS);
    for (unsigned i = LEAD, left = list; i-- > 0; left /= KINDS)
        kinds[i] = left % KINDS;
    return kinds[0] != KIND_DIGIT && may_fit(mask, kinds);
}

static enum bz_status prepare(struct bz_arena *ar, void **own) {
    BZ_TRY(pii_prepare(ar, own));
    struct index *x = bz_arena_zalloc(ar, sizeof *x);
    if (x == NULL)
        return BZ_ENOMEM;
    size_t n = 0;
    for (unsigned list = 0; list < LISTS; list++) {
        x->list[list] = (uint16_t)n;
        for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
            for (const char *m = rows[k].masks; m != NULL; m = next_mask(m)) {
                if (may_list(m, list) && n < MASKS_MAX)
                    x->v[n++] = (struct mask){(uint8_t)k, (uint8_t)(m - rows[k].masks)};
            }
        }
    }
    x->list[LISTS] = (uint16_t)n;
    ((struct pii_own *)*own)->ids = x;
    return BZ_OK;
}

static const struct index *index_of(const struct scan *s) {
    return ((const struct pii_own *)s->own)->ids;
}

/* ---- the detector -------------------------------------------------------------------------- */

/* All that begins at start and holds the trigger that ended at `woken`: what another place of the
 * text woke does not count. */
static void id(struct scan *s, size_t start, size_t woken) {
    static const struct pii_worth bank = {PII_IBAN_CODE, SUM, SUM};
    struct pii_picks picks;
    picks.n = 0;
    size_t end = 0;
    if (scan_is(s->p[start], SC_UPPER) && scan_wants(s, PII_IBAN_CODE) &&
        iban(s, start, &end) == PII_WHOLE && end >= woken && pii_right(s, end))
        pii_pick(s, &bank, start, end, &picks);
    if (s->n - start < LEAD)
        return;
    const struct index *x = index_of(s);
    size_t list = list_of(s, start);
    for (size_t k = x->list[list]; k < x->list[list + 1]; k++) {
        const struct row *r = &rows[x->v[k].row];
        struct pii_worth w = {r->type, r->alone, r->told};
        if (!pii_matters(s, &w, start) || fit(s, start, r->masks + x->v[k].at, &end) != PII_WHOLE ||
            end < woken)
            continue;
        if (ends(s, end) && check(s, r, start, end))
            pii_pick(s, &w, start, end, &picks);
    }
    pii_tell(s, start, &picks);
}

static bool begins(const struct scan *s, size_t i) {
    return scan_is(scan_at(s, i), SC_UPPER | SC_DIGIT) && pii_left(s, i);
}

/* The codes of banks are capitals, as headlines are: the word before them is the trigger. */
static void bank_behind(struct scan *s, size_t end) {
    static const struct pii_worth w = {PII_SWIFT_CODE, NO, CTX};
    for (size_t i = end; i < s->n && i - end < WORD_REACH; i++) {
        if (!scan_is(s->p[i], SC_UPPER) || i < s->from || !begins(s, i))
            continue;
        size_t to = scan_run(s, i, SC_UPPER | SC_DIGIT, 12);
        bool whole = to - i == 8 || to - i == 11;
        if (whole && scan_run(s, i, SC_UPPER, 6) == i + 6 && pii_right(s, to))
            pii_emit(s, &w, i, to);
    }
}

/* Every beginning before the trigger's end. Triggers come in rising order: what began before the
 * last one was looked at with that one. If one does not, everything is looked at again. */
static void hit(struct scan *s, const struct trigger *t, size_t end) {
    if (t->rule == WORD) {
        bank_behind(s, end);
        return;
    }
    size_t from = end > REACH_BACK ? end - REACH_BACK : 0;
    from = from < s->from ? s->from : from;
    bool rising = end >= s->seen_to;
    if (end == s->seen_to)
        return;
    for (size_t i = from; i < end; i++) {
        bool done = rising && i >= s->seen_from && i < s->seen_to;
        if (!done && begins(s, i))
            id(s, i, end);
    }
    if (rising)
        scan_saw(s, from, end);
}

/* May the mask fit from i to the end of the text and on? */
static bool open_mask(const struct scan *s, size_t i, const struct row *r, const char *mask) {
    size_t end = 0;
    enum pii_fit f = fit(s, i, mask, &end);
    if (f == PII_NONE || (f == PII_WHOLE && end < s->n))
        return false;
    struct pii_worth w = {r->type, r->alone, r->told};
    return pii_may(s, &w, i);
}

static bool open_at(const struct scan *s, size_t i) {
    size_t end = 0;
    if (scan_is(s->p[i], SC_UPPER) && scan_wants(s, PII_IBAN_CODE)) {
        enum pii_fit f = iban(s, i, &end);
        if (f == PII_PART || (f == PII_WHOLE && end == s->n))
            return true;
    }
    if (s->n - i >= LEAD || scan_is(s->p[i], SC_DIGIT)) {
        const struct index *x = index_of(s);
        size_t list = list_of(s, i);
        for (size_t k = x->list[list]; k < x->list[list + 1]; k++) {
            const struct row *r = &rows[x->v[k].row];
            if (open_mask(s, i, r, r->masks + x->v[k].at))
                return true;
        }
        return false;
    }
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        const struct row *r = &rows[k];
        if (!stands(r->masks[0], s->p[i]))
            continue;
        for (const char *m = r->masks; m != NULL; m = next_mask(m)) {
            if (open_mask(s, i, r, m))
                return true;
        }
    }
    return false;
}

/* What the run of digits [i, end) may begin by itself, without words. */
static enum detect_number alone(const struct scan *s, size_t i, size_t end) {
    const struct index *x = index_of(s);
    size_t list = list_of_run(s, i, end);
    if (!pii_left(s, i))
        return NUMBER_NOTHING;
    for (size_t k = x->list[list]; k < x->list[list + 1]; k++) {
        const struct row *r = &rows[x->v[k].row];
        size_t to = 0;
        if (r->alone == NO || !scan_wants(s, r->type))
            continue;
        enum pii_fit f = fit(s, i, r->masks + x->v[k].at, &to);
        if (f != PII_NONE)
            return f == PII_PART || to == s->n ? NUMBER_OPEN : NUMBER_FOUND;
    }
    return NUMBER_NOTHING;
}

static size_t live(const struct scan *s, size_t from) {
    size_t i = s->n;
    while (i > from && s->n - i < LENGTH_MAX) {
        uint8_t c = s->p[i - 1];
        if (!scan_is(c, SC_UPPER | SC_DIGIT) && (c == 0 || strchr(" -./()+", c) == NULL))
            break;
        i--;
    }
    for (; i < s->n; i++) {
        if (begins(s, i) && open_at(s, i))
            return i;
    }
    return s->n;
}

static const struct trigger triggers[] = {
    {"[A-Z][ .-]?[0-9]{2}", 0, 0},
    {"[0-9]{2}[ .(-]?[A-Z]", 0, 0},
    {"[0-9][A-Z]{2}", 0, 0},
    {"[0-9]{6}[-+][0-9]{4}", 0, 0},
    {"swift", HS_FLAG_CASELESS | TRIGGER_LITERAL, WORD},
    {"bic", HS_FLAG_CASELESS | TRIGGER_LITERAL, WORD},
    /* The layout of a CNPJ may have letters anywhere in front. */
    {"/[0-9A-Z]{4}-[0-9]{2}", 0, 0},
};

/* Eight capitals lead to no digit. */
static const uint16_t wordy[] = {PII_SWIFT_CODE};

const struct detector detect_ids = {
    .name = "ids",
    .group = DETECT_GROUP_PII,
    .triggers = triggers,
    .triggers_n = sizeof triggers / sizeof triggers[0],
    .wordy = wordy,
    .wordy_n = sizeof wordy / sizeof wordy[0],
    .hit = hit,
    .number = alone,
    .live = live,
    .prepare = prepare,
};
