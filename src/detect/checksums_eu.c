#include "checksums.h"

/* ---- United Kingdom and Ireland ----------------------------------------------------------- */

bool bz_checksum_uk_nhs(const uint8_t *s, size_t n) {
    static const uint8_t w[10] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
    return n == 10 && bz_checksum_digits(s, n) && !bz_checksum_same(s, n) &&
           bz_checksum_weigh(s, w, n) % 11 == 0;
}

/* Prefixes that are given out (HMRC, NIM39110). Not a check digit. */
bool bz_checksum_uk_nino(const uint8_t *s, size_t n) {
    static const char never[] = "BG GB KN NK NT TN ZZ ";
    if (n != 9 || !bz_checksum_digits(s + 2, 6) || s[8] < 'A' || s[8] > 'D' || s[0] < 'A' ||
        s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z')
        return false;
    if (strchr("DFIQUV", s[0]) != NULL || strchr("DFIOQUV", s[1]) != NULL)
        return false;
    for (const char *p = never; *p != '\0'; p += 3) {
        if (p[0] == (char)s[0] && p[1] == (char)s[1])
            return false;
    }
    return true;
}

/* DVLA: five of the name (9 fills), decade, month (+5 for women), day, year, initials, three more.
 * The last two are a computer's check digits whose rule is not public. */
bool bz_checksum_uk_driver(const uint8_t *s, size_t n) {
    if (n != 16 || !bz_checksum_digits(s + 5, 6))
        return false;
    bool filled = false;
    for (size_t i = 0; i < 5; i++) {
        bool letter = s[i] >= 'A' && s[i] <= 'Z';
        if ((!letter && s[i] != '9') || (letter && filled))
            return false;
        filled = !letter;
    }
    unsigned month = bz_checksum_two(s + 6);
    month = month > 50 ? month - 50 : month;
    if (s[0] == '9' || !bz_checksum_date(0, month, bz_checksum_two(s + 8)))
        return false;
    for (size_t i = 11; i < 13; i++) {
        if (s[i] != '9' && (s[i] < 'A' || s[i] > 'Z'))
            return false;
    }
    return bz_checksum_digits(s + 13, 1) && s[14] >= 'A' && s[14] <= 'Z' && s[15] >= 'A' &&
           s[15] <= 'Z';
}

bool bz_checksum_ie_pps(const uint8_t *s, size_t n) {
    static const uint8_t w[7] = {8, 7, 6, 5, 4, 3, 2};
    if ((n != 8 && n != 9) || !bz_checksum_digits(s, 7))
        return false;
    unsigned sum = bz_checksum_weigh(s, w, 7);
    if (n == 9) {
        if (s[8] != 'W' && (s[8] < 'A' || s[8] > 'I') && s[8] != 'T' && s[8] != 'X')
            return false;
        sum += s[8] >= 'A' && s[8] <= 'I' ? (unsigned)(s[8] - 'A' + 1) * 9 : 0;
    }
    return s[7] == (uint8_t) "WABCDEFGHIJKLMNOPQRSTUV"[sum % 23];
}

/* ---- Spain, Portugal, Italy, Greece ------------------------------------------------------- */

static bool es_letter(uint64_t number, uint8_t letter) {
    return letter == (uint8_t) "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23];
}

bool bz_checksum_es_nif(const uint8_t *s, size_t n) {
    return n == 9 && bz_checksum_digits(s, 8) && !bz_checksum_same(s, 8) &&
           es_letter(bz_checksum_value(s, 8), s[8]);
}

bool bz_checksum_es_nie(const uint8_t *s, size_t n) {
    if (n != 9 || s[0] < 'X' || s[0] > 'Z' || !bz_checksum_digits(s + 1, 7) ||
        bz_checksum_same(s + 1, 7))
        return false;
    uint64_t first = (uint64_t)(s[0] - 'X');
    return es_letter(first * 10000000 + bz_checksum_value(s + 1, 7), s[8]);
}

bool bz_checksum_pt_nif(const uint8_t *s, size_t n) {
    static const uint8_t w[8] = {9, 8, 7, 6, 5, 4, 3, 2};
    if (n != 9 || !bz_checksum_digits(s, n) || bz_checksum_same(s, n) || s[0] == '0' ||
        s[0] == '4' || s[0] == '7')
        return false;
    unsigned r = bz_checksum_weigh(s, w, 8) % 11;
    return (r < 2 ? 0 : 11 - r) == (unsigned)(s[8] - '0');
}

/* The digit that a letter of a code of two people with the same one stands for, or the digit. */
static unsigned it_digit(uint8_t c) {
    static const char letters[] = "LMNPQRSTUV";
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    const char *at = c == '\0' ? NULL : strchr(letters, c);
    return at == NULL ? 99 : (unsigned)(at - letters);
}

/* DM 23 December 1976: odd places have their own values. */
static bool it_control(const uint8_t *s) {
    static const uint8_t odd[26] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                    20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
    unsigned sum = 0;
    for (size_t i = 0; i < 15; i++) {
        unsigned v = s[i] >= 'A' ? (unsigned)(s[i] - 'A') : (unsigned)(s[i] - '0');
        sum += i & 1 ? v : odd[v];
    }
    return s[15] == 'A' + sum % 26;
}

bool bz_checksum_it_cf(const uint8_t *s, size_t n) {
    static const uint8_t numeric[] = {6, 7, 9, 10, 12, 13, 14};
    if (n != 16)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool digit = s[i] >= '0' && s[i] <= '9';
        if ((!digit && (s[i] < 'A' || s[i] > 'Z')) || (digit && (i < 6 || i == 8 || i == 11)))
            return false;
    }
    for (size_t i = 0; i < sizeof numeric; i++) {
        if (it_digit(s[numeric[i]]) == 99)
            return false;
    }
    static const char months[] = "ABCDEHLMPRST";
    const char *month = strchr(months, s[8]);
    unsigned day = it_digit(s[9]) * 10 + it_digit(s[10]);
    day = day > 40 ? day - 40 : day; /* women */
    return month != NULL && bz_checksum_date(0, (unsigned)(month - months) + 1, day) &&
           it_control(s);
}

bool bz_checksum_it_vat(const uint8_t *s, size_t n) {
    return n == 11 && bz_checksum_luhn(s, n) && bz_checksum_value(s, 7) != 0;
}

bool bz_checksum_gr_amka(const uint8_t *s, size_t n) {
    return n == 11 && bz_checksum_luhn(s, n) && bz_checksum_ddmmyy(s);
}

bool bz_checksum_gr_afm(const uint8_t *s, size_t n) {
    if (n != 9 || !bz_checksum_digits(s, n) || bz_checksum_same(s, n))
        return false;
    unsigned sum = 0;
    for (size_t i = 0; i < 8; i++)
        sum += (unsigned)(s[i] - '0') << (8 - i);
    return sum % 11 % 10 == (unsigned)(s[8] - '0');
}

/* ---- Germany, Austria, Switzerland -------------------------------------------------------- */

/* Among the first ten digits exactly one stands two or three times, three never in a row
 * (Section 139b AO, KoSIT rule since 2016). */
bool bz_checksum_de_idnr(const uint8_t *s, size_t n) {
    if (n != 11 || s[0] == '0' || !bz_checksum_mod11_10(s, n))
        return false;
    uint8_t count[10] = {0};
    for (size_t i = 0; i < 10; i++)
        count[s[i] - '0']++;
    unsigned repeated = 0;
    for (size_t i = 0; i < 10; i++) {
        repeated += count[i] > 1;
        if (count[i] > 3)
            return false;
    }
    for (size_t i = 2; i < 10; i++) {
        if (s[i] == s[i - 1] && s[i] == s[i - 2])
            return false;
    }
    return repeated == 1;
}

/* Sum of the digits of the products. */
static unsigned cross(const uint8_t *s, const uint8_t *w, size_t n) {
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned v = (unsigned)(s[i] - '0') * w[i];
        sum += v / 10 + v % 10;
    }
    return sum;
}

/* Insurance number of the pension fund: area, birth date, initial, serial, check digit (VKVV). */
bool bz_checksum_de_rvnr(const uint8_t *s, size_t n) {
    static const uint8_t w[12] = {2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1};
    if (n != 12 || !bz_checksum_digits(s, 8) || s[8] < 'A' || s[8] > 'Z' ||
        !bz_checksum_digits(s + 9, 3) || bz_checksum_two(s) < 2)
        return false;
    unsigned day = bz_checksum_two(s + 2), letter = (unsigned)(s[8] - 'A') + 1;
    /* The day is raised by 32 where two people would share a number. */
    if (!bz_checksum_date(0, bz_checksum_two(s + 4), day > 32 ? day - 32 : day))
        return false;
    uint8_t d[12];
    memcpy(d, s, 8);
    d[8] = (uint8_t)('0' + letter / 10);
    d[9] = (uint8_t)('0' + letter % 10);
    memcpy(d + 10, s + 9, 2);
    return cross(d, w, 12) % 10 == (unsigned)(s[11] - '0');
}

/* Health insurance: a letter and nine digits. */
bool bz_checksum_de_kvnr(const uint8_t *s, size_t n) {
    static const uint8_t w[10] = {1, 2, 1, 2, 1, 2, 1, 2, 1, 2};
    if (n != 10 || s[0] < 'A' || s[0] > 'Z' || !bz_checksum_digits(s + 1, 9))
        return false;
    unsigned letter = (unsigned)(s[0] - 'A') + 1;
    uint8_t d[10] = {(uint8_t)('0' + letter / 10), (uint8_t)('0' + letter % 10)};
    memcpy(d + 2, s + 1, 8);
    return cross(d, w, 10) % 10 == (unsigned)(s[9] - '0');
}

bool bz_checksum_de_vat(const uint8_t *s, size_t n) {
    return n == 11 && s[0] == 'D' && s[1] == 'E' && s[2] != '0' && bz_checksum_mod11_10(s + 2, 9);
}

/* Physicians: six digits, their check digit, two of the specialty (KBV). */
bool bz_checksum_de_lanr(const uint8_t *s, size_t n) {
    static const uint8_t w[7] = {4, 9, 4, 9, 4, 9, 1};
    return n == 9 && bz_checksum_digits(s, n) && bz_checksum_value(s, 6) != 0 &&
           bz_checksum_weigh(s, w, 7) % 10 == 0;
}

bool bz_checksum_at_svnr(const uint8_t *s, size_t n) {
    static const uint8_t w[10] = {3, 7, 9, 0, 5, 8, 4, 2, 1, 6};
    if (n != 10 || !bz_checksum_digits(s, n) || s[0] == '0')
        return false;
    unsigned month = bz_checksum_two(s + 6);
    if (!bz_checksum_date(0, month > 12 && month < 16 ? 1 : month, bz_checksum_two(s + 4)))
        return false;
    return bz_checksum_weigh(s, w, n) % 11 == (unsigned)(s[3] - '0');
}

bool bz_checksum_ch_ahv(const uint8_t *s, size_t n) {
    return n == 13 && bz_checksum_ean(s, n) && s[0] == '7' && s[1] == '5' && s[2] == '6';
}

bool bz_checksum_ch_uid(const uint8_t *s, size_t n) {
    static const uint8_t w[8] = {5, 4, 3, 2, 7, 6, 5, 4};
    if (n != 12 || s[0] != 'C' || s[1] != 'H' || s[2] != 'E' || !bz_checksum_digits(s + 3, 9))
        return false;
    return (11 - bz_checksum_weigh(s + 3, w, 8) % 11) % 11 == (unsigned)(s[11] - '0');
}

/* ---- Poland, Czechia, Slovakia, Hungary --------------------------------------------------- */

bool bz_checksum_pl_pesel(const uint8_t *s, size_t n) {
    static const uint8_t w[11] = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1};
    if (n != 11 || !bz_checksum_digits(s, n))
        return false;
    unsigned month = bz_checksum_two(s + 2) % 20; /* the century is 20, 40, 60 or 80 more */
    return bz_checksum_date(0, month, bz_checksum_two(s + 4)) &&
           bz_checksum_weigh(s, w, n) % 10 == 0;
}

bool bz_checksum_pl_nip(const uint8_t *s, size_t n) {
    static const uint8_t w[9] = {6, 5, 7, 2, 3, 4, 5, 6, 7};
    return n == 10 && bz_checksum_digits(s, n) && !bz_checksum_same(s, n) && s[0] != '0' &&
           bz_checksum_weigh(s, w, 9) % 11 == (unsigned)(s[9] - '0');
}

bool bz_checksum_pl_regon(const uint8_t *s, size_t n) {
    static const uint8_t w[8] = {8, 9, 2, 3, 4, 5, 6, 7};
    return n == 9 && bz_checksum_digits(s, n) && !bz_checksum_same(s, n) &&
           bz_checksum_weigh(s, w, 8) % 11 % 10 == (unsigned)(s[8] - '0');
}

bool bz_checksum_cz_rc(const uint8_t *s, size_t n) {
    if (n != 10 || !bz_checksum_digits(s, n))
        return false;
    unsigned month = bz_checksum_two(s + 2);
    month -= month > 50 ? 50 : 0; /* women */
    month -= month > 20 ? 20 : 0; /* a day's numbers were used up */
    if (!bz_checksum_date(0, month, bz_checksum_two(s + 4)))
        return false;
    uint64_t v = bz_checksum_value(s, 9) % 11 % 10; /* until 1985 a rest of ten was written as 0 */
    return v == (uint64_t)(s[9] - '0');
}

bool bz_checksum_hu_taj(const uint8_t *s, size_t n) {
    static const uint8_t w[8] = {3, 7, 3, 7, 3, 7, 3, 7};
    return n == 9 && bz_checksum_digits(s, n) && !bz_checksum_same(s, n) &&
           bz_checksum_weigh(s, w, 8) % 10 == (unsigned)(s[8] - '0');
}

/* ---- the North and the Baltic ------------------------------------------------------------- */

bool bz_checksum_fi_hetu(const uint8_t *s, size_t n) {
    if (n != 11 || !bz_checksum_ddmmyy(s) || !bz_checksum_digits(s + 7, 3) || s[6] == '\0' ||
        strchr("+-ABCDEFUVWXY", s[6]) == NULL)
        return false;
    uint64_t v = bz_checksum_value(s, 6) * 1000 + bz_checksum_value(s + 7, 3);
    return bz_checksum_value(s + 7, 3) >= 2 &&
           s[10] == (uint8_t) "0123456789ABCDEFHJKLMNPRSTUVWXY"[v % 31];
}

/* Ten digits, or twelve with the century; co-ordination numbers have 60 added to the day. */
bool bz_checksum_se_pnr(const uint8_t *s, size_t n) {
    if ((n != 10 && n != 12) || !bz_checksum_digits(s, n))
        return false;
    if (n == 12) {
        unsigned century = bz_checksum_two(s);
        if (century < 18 || century > 20)
            return false;
        s += 2;
    }
    unsigned day = bz_checksum_two(s + 4);
    return bz_checksum_date(0, bz_checksum_two(s + 2), day > 60 ? day - 60 : day) &&
           bz_checksum_value(s + 6, 3) != 0 && bz_checksum_luhn(s, 10);
}

bool bz_checksum_se_orgnr(const uint8_t *s, size_t n) {
    return n == 10 && bz_checksum_luhn(s, n) && s[2] >= '2' && s[0] != '0' && s[0] != '4' &&
           !bz_checksum_same(s, n);
}

bool bz_checksum_no_fnr(const uint8_t *s, size_t n) {
    static const uint8_t w1[10] = {3, 7, 6, 1, 8, 9, 4, 5, 2, 1};
    static const uint8_t w2[11] = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
    if (n != 11 || !bz_checksum_digits(s, n))
        return false;
    unsigned day = bz_checksum_two(s), month = bz_checksum_two(s + 2);
    day -= day > 40 ? 40 : 0; /* D-numbers; help and test numbers raise the month */
    month -= month > 80 ? 80 : month > 40 ? 40 : 0;
    return bz_checksum_date(0, month, day) && bz_checksum_weigh(s, w1, 10) % 11 == 0 &&
           bz_checksum_weigh(s, w2, 11) % 11 == 0;
}

/* The date alone: since 2007 numbers are given out that fail the check. */
bool bz_checksum_dk_cpr_form(const uint8_t *s, size_t n) {
    return n == 10 && bz_checksum_digits(s, n) && bz_checksum_ddmmyy(s);
}

bool bz_checksum_dk_cpr(const uint8_t *s, size_t n) {
    static const uint8_t w[10] = {4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
    return bz_checksum_dk_cpr_form(s, n) && bz_checksum_weigh(s, w, n) % 11 == 0;
}

bool bz_checksum_is_kt(const uint8_t *s, size_t n) {
    static const uint8_t w[9] = {3, 2, 7, 6, 5, 4, 3, 2, 1};
    if (n != 10 || !bz_checksum_digits(s, n) || (s[9] != '0' && s[9] != '9' && s[9] != '8'))
        return false;
    unsigned day = bz_checksum_two(s);
    day -= day > 40 ? 40 : 0; /* firms */
    return bz_checksum_date(0, bz_checksum_two(s + 2), day) && bz_checksum_weigh(s, w, 9) % 11 == 0;
}

/* Estonia and Lithuania: one scheme. */
bool bz_checksum_ee_ik(const uint8_t *s, size_t n) {
    static const uint8_t w1[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1};
    static const uint8_t w2[10] = {3, 4, 5, 6, 7, 8, 9, 1, 2, 3};
    if (n != 11 || !bz_checksum_digits(s, n) || s[0] < '1' || s[0] > '8' ||
        !bz_checksum_yymmdd(s + 1))
        return false;
    unsigned r = bz_checksum_weigh(s, w1, 10) % 11;
    r = r == 10 ? bz_checksum_weigh(s, w2, 10) % 11 % 10 : r;
    return r == (unsigned)(s[10] - '0');
}

/* Codes with a date; those that begin with 32 to 39 have no check digit. */
bool bz_checksum_lv_pk(const uint8_t *s, size_t n) {
    static const uint8_t w[10] = {10, 5, 8, 4, 2, 1, 6, 3, 7, 9};
    return n == 11 && bz_checksum_digits(s, n) && bz_checksum_ddmmyy(s) && s[6] <= '2' &&
           (bz_checksum_weigh(s, w, 10) + 1) % 11 % 10 == (unsigned)(s[10] - '0');
}

/* ---- Belgium, Netherlands, France --------------------------------------------------------- */

bool bz_checksum_nl_bsn(const uint8_t *s, size_t n) {
    static const uint8_t w[9] = {9, 8, 7, 6, 5, 4, 3, 2, 10}; /* 10 is -1 mod 11 */
    return n == 9 && bz_checksum_digits(s, n) && !bz_checksum_same(s, n) &&
           bz_checksum_weigh(s, w, n) % 11 == 0;
}

/* Born since 2000: a 2 stands in front for the check. Bis numbers raise the month by 20 or 40. */
bool bz_checksum_be_nn(const uint8_t *s, size_t n) {
    if (n != 11 || !bz_checksum_digits(s, n))
        return false;
    unsigned month = bz_checksum_two(s + 2), day = bz_checksum_two(s + 4);
    month -= month >= 40 ? 40 : month >= 20 ? 20 : 0;
    if (month > 12 || day > 31)
        return false;
    uint64_t v = bz_checksum_value(s, 9), check = bz_checksum_two(s + 9);
    return v != 0 && (97 - v % 97 == check || 97 - (v + 2000000000) % 97 == check);
}

/* Corsica: 2A counts as 19, 2B as 18. */
bool bz_checksum_fr_nir(const uint8_t *s, size_t n) {
    uint8_t d[15];
    if (n != 15)
        return false;
    memcpy(d, s, 15);
    if (d[5] == '2' && (d[6] == 'A' || d[6] == 'B')) {
        d[5] = '1';
        d[6] = d[6] == 'A' ? '9' : '8';
    }
    if (!bz_checksum_digits(d, n) || (d[0] != '1' && d[0] != '2'))
        return false;
    unsigned month = bz_checksum_two(d + 3), dept = bz_checksum_two(d + 5);
    if (month == 0 || (month > 12 && month < 20) || (month > 42 && month < 50) || dept == 0)
        return false;
    return 97 - bz_checksum_value(d, 13) % 97 == bz_checksum_two(d + 13);
}

bool bz_checksum_fr_siren(const uint8_t *s, size_t n) {
    return n == 9 && bz_checksum_luhn(s, n) && !bz_checksum_same(s, n);
}

bool bz_checksum_fr_siret(const uint8_t *s, size_t n) {
    return n == 14 && bz_checksum_luhn(s, n) && bz_checksum_luhn(s, 9) && !bz_checksum_same(s, n);
}

/* ---- the South East and the East ---------------------------------------------------------- */

bool bz_checksum_ro_cnp(const uint8_t *s, size_t n) {
    static const uint8_t w[12] = {2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9};
    if (n != 13 || !bz_checksum_digits(s, n) || s[0] == '0' || !bz_checksum_yymmdd(s + 1))
        return false;
    unsigned county = bz_checksum_two(s + 7), r = bz_checksum_weigh(s, w, 12) % 11;
    if (county == 0 || (county > 52 && county != 70) || bz_checksum_value(s + 9, 3) == 0)
        return false;
    return (r == 10 ? 1 : r) == (unsigned)(s[12] - '0');
}

bool bz_checksum_bg_egn(const uint8_t *s, size_t n) {
    static const uint8_t w[9] = {2, 4, 8, 5, 10, 9, 7, 3, 6};
    if (n != 10 || !bz_checksum_digits(s, n))
        return false;
    unsigned month = bz_checksum_two(s + 2);
    month -= month > 40 ? 40 : month > 20 ? 20 : 0; /* 20: 1800s, 40: 2000s */
    return bz_checksum_date(0, month, bz_checksum_two(s + 4)) &&
           bz_checksum_weigh(s, w, 9) % 11 % 10 == (unsigned)(s[9] - '0');
}

bool bz_checksum_hr_oib(const uint8_t *s, size_t n) {
    return n == 11 && bz_checksum_mod11_10(s, n) && !bz_checksum_same(s, n);
}

/* JMBG of the former Yugoslavia, EMSO in Slovenia: DDMMYYY, region, serial, check digit. */
bool bz_checksum_si_emso(const uint8_t *s, size_t n) {
    static const uint8_t w[13] = {7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
    if (n != 13 || !bz_checksum_ddmmyy(s) || !bz_checksum_digits(s, n))
        return false;
    unsigned year = (unsigned)bz_checksum_value(s + 4, 3);
    return (year < 100 || year > 849) && bz_checksum_weigh(s, w, n) % 11 == 0;
}

bool bz_checksum_ua_rnokpp(const uint8_t *s, size_t n) {
    static const uint8_t w[9] = {10, 5, 7, 9, 4, 6, 10, 5, 7}; /* 10 is -1 mod 11 */
    return n == 10 && bz_checksum_digits(s, n) && !bz_checksum_same(s, n) &&
           bz_checksum_weigh(s, w, 9) % 11 % 10 == (unsigned)(s[9] - '0');
}

bool bz_checksum_ru_snils(const uint8_t *s, size_t n) {
    static const uint8_t w[9] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
    if (n != 11 || !bz_checksum_digits(s, n) || bz_checksum_value(s, 9) <= 1001998)
        return false;
    return bz_checksum_weigh(s, w, 9) % 101 % 100 == bz_checksum_two(s + 9);
}

/* People: twelve digits, two of them check digits. */
bool bz_checksum_ru_inn(const uint8_t *s, size_t n) {
    static const uint8_t w[11] = {3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8};
    return n == 12 && bz_checksum_digits(s, n) && !bz_checksum_same(s, n) &&
           bz_checksum_weigh(s, w + 1, 10) % 11 % 10 == (unsigned)(s[10] - '0') &&
           bz_checksum_weigh(s, w, 11) % 11 % 10 == (unsigned)(s[11] - '0');
}

/* Three letters, the check digit, five digits; letters are 10 to 35. */
bool bz_checksum_pl_id_card(const uint8_t *s, size_t n) {
    static const uint8_t w[9] = {7, 3, 1, 9, 7, 3, 1, 7, 3};
    if (n != 9 || !bz_checksum_digits(s + 3, 6))
        return false;
    unsigned sum = bz_checksum_weigh(s + 3, w + 3, 6);
    for (size_t i = 0; i < 3; i++) {
        if (s[i] < 'A' || s[i] > 'Z')
            return false;
        sum += (unsigned)(s[i] - 'A' + 10) * w[i];
    }
    return sum % 10 == 0;
}

/* The letters of the second part of a postcode, and those that none begins with. */
bool bz_checksum_uk_postcode(const uint8_t *s, size_t n) {
    if (n < 5 || n > 7 || s[0] < 'A' || s[0] > 'Z' || strchr("QVX", s[0]) != NULL)
        return false;
    for (size_t i = n - 2; i < n; i++) {
        if (s[i] < 'A' || s[i] > 'Z' || strchr("CIKMOV", s[i]) != NULL)
            return false;
    }
    return bz_checksum_digits(s + n - 3, 1);
}

/* Serials of identity cards and passports: digits and the letters that cannot be misread, nine of
 * them and the check digit. */
bool bz_checksum_de_serial(const uint8_t *s, size_t n) {
    if (n != 10 || !bz_checksum_mod731(s, n))
        return false;
    size_t digits = 0;
    for (size_t i = 0; i < n; i++) {
        digits += s[i] <= '9';
        if (s[i] > '9' && strchr("CFGHJKLMNPRTVWXYZ", s[i]) == NULL)
            return false;
    }
    return digits >= 4;
}
