#include "checksums.h"

bool bz_checksum_same(const uint8_t *s, size_t n) {
    for (size_t i = 1; i < n; i++) {
        if (s[i] != s[0])
            return false;
    }
    return true;
}

unsigned bz_checksum_weigh(const uint8_t *s, const uint8_t *w, size_t n) {
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (unsigned)(s[i] - '0') * w[i];
    return sum;
}

uint64_t bz_checksum_value(const uint8_t *s, size_t n) {
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (uint64_t)(s[i] - '0');
    return v;
}

/* 0 to 35, or 99. */
static unsigned alnum_value(uint8_t c) {
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return c >= 'A' && c <= 'Z' ? (unsigned)(c - 'A') + 10 : 99;
}

bool bz_checksum_date(unsigned year, unsigned month, unsigned day) {
    static const uint8_t days[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1 || day > days[month - 1])
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month != 2 || day != 29 || leap;
}

bool bz_checksum_yymmdd(const uint8_t *s) {
    return bz_checksum_digits(s, 6) &&
           bz_checksum_date(0, bz_checksum_two(s + 2), bz_checksum_two(s + 4));
}

bool bz_checksum_ddmmyy(const uint8_t *s) {
    return bz_checksum_digits(s, 6) &&
           bz_checksum_date(0, bz_checksum_two(s + 2), bz_checksum_two(s));
}

/* ---- general schemes ---------------------------------------------------------------------- */

bool bz_checksum_luhn(const uint8_t *s, size_t n) {
    static const uint8_t worth[2][10] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
                                         {0, 2, 4, 6, 8, 1, 3, 5, 7, 9}};
    if (n < 2 || !bz_checksum_digits(s, n))
        return false;
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += worth[i & 1][s[n - 1 - i] - '0'];
    return sum % 10 == 0;
}

bool bz_checksum_verhoeff(const uint8_t *s, size_t n) {
    static const uint8_t perm[8][10] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
        {5, 8, 0, 3, 7, 9, 6, 1, 4, 2}, {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
        {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
        {2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}};
    if (n < 2 || !bz_checksum_digits(s, n))
        return false;
    unsigned c = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned p = perm[i % 8][s[n - 1 - i] - '0'];
        /* D5: rotations 0 to 4, reflections 5 to 9. */
        if (c < 5)
            c = p < 5 ? (c + p) % 5 : 5 + (c + p - 5) % 5;
        else
            c = p < 5 ? 5 + (c - 5 + 5 - p) % 5 : (c + 5 - p) % 5;
    }
    return c == 0;
}

bool bz_checksum_mod11_10(const uint8_t *s, size_t n) {
    if (n < 2 || !bz_checksum_digits(s, n))
        return false;
    unsigned p = 10;
    for (size_t i = 0; i + 1 < n; i++) {
        unsigned t = (p + (unsigned)(s[i] - '0')) % 10;
        p = (t == 0 ? 10 : t) * 2 % 11;
    }
    return (11 - p) % 10 == (unsigned)(s[n - 1] - '0');
}

bool bz_checksum_mod11_2(const uint8_t *s, size_t n) {
    if (n < 2 || !bz_checksum_digits(s, n - 1))
        return false;
    unsigned p = 0;
    for (size_t i = 0; i + 1 < n; i++)
        p = (p + (unsigned)(s[i] - '0')) * 2 % 11;
    return s[n - 1] == (uint8_t) "0123456789X"[(12 - p) % 11];
}

bool bz_checksum_ean(const uint8_t *s, size_t n) {
    if (n < 2 || !bz_checksum_digits(s, n))
        return false;
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (unsigned)(s[n - 1 - i] - '0') * (i & 1 ? 3 : 1);
    return sum % 10 == 0;
}

bool bz_checksum_mod731(const uint8_t *s, size_t n) {
    static const uint8_t w[3] = {7, 3, 1};
    if (n < 2 || !bz_checksum_digits(s + n - 1, 1))
        return false;
    unsigned sum = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        unsigned v = alnum_value(s[i]);
        if (v > 35)
            return false;
        sum += v * w[i % 3];
    }
    return sum % 10 == (unsigned)(s[n - 1] - '0');
}

/* ---- money and things --------------------------------------------------------------------- */

/* ISO 13616 registry. */
size_t bz_checksum_iban_length(const uint8_t cc[2]) {
    static const char table[] =
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29"
        "ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20"
        "LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29"
        "PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20"
        "YE30";
    for (const char *t = table; *t != '\0'; t += 4) {
        if (t[0] == cc[0] && t[1] == cc[1])
            return (size_t)(t[2] - '0') * 10 + (size_t)(t[3] - '0');
    }
    return 0;
}

bool bz_checksum_iban(const uint8_t *s, size_t n) {
    if (n < 15 || n > 34 || n != bz_checksum_iban_length(s) || !bz_checksum_digits(s + 2, 2))
        return false;
    unsigned check = bz_checksum_two(s + 2);
    if (check < 2 || check > 98)
        return false;
    unsigned r = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned v = alnum_value(s[(i + 4) % n]);
        if (v > 35)
            return false;
        r = (r * (v > 9 ? 100 : 10) + v) % 97;
    }
    return r == 1 && !bz_checksum_same(s + 4, n - 4);
}

/* Prefix and length of the issuers' networks (ISO/IEC 7812 ranges as the networks publish them). */
static bool card_network(const uint8_t *s, size_t n) {
    static const struct {
        uint32_t from, to; /* the first six digits */
        uint8_t min, max;
    } nets[] = {
        {400000, 499999, 13, 19},                           /* Visa: 13, 16, 19, see below */
        {510000, 559999, 16, 16}, {222100, 272099, 16, 16}, /* Mastercard */
        {340000, 349999, 15, 15}, {370000, 379999, 15, 15}, /* Amex */
        {601100, 601199, 16, 19}, {622126, 622925, 16, 19}, {644000, 659999, 16, 19}, /* Discover */
        {300000, 305999, 14, 19}, {309500, 309599, 14, 19}, {360000, 369999, 14, 19}, /* Diners */
        {380000, 399999, 14, 19}, {352800, 358999, 16, 19},                           /* JCB */
        {620000, 629999, 16, 19}, {810000, 817199, 16, 19},                           /* UnionPay */
        {500000, 509999, 16, 19}, {560000, 589999, 16, 19}, {630000, 639999, 16, 19}, /* Maestro */
        {670000, 679999, 16, 19}, {220000, 220499, 16, 19},                           /* Mir */
        {606282, 606282, 16, 16}, {652150, 653149, 16, 16}, {353000, 353999, 16, 16},
        {979200, 979289, 16, 16}, /* Troy */
    };
    uint32_t bin = (uint32_t)bz_checksum_value(s, 6);
    if (s[0] == '4' && n != 13 && n != 16 && n != 19)
        return false;
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        if (bin >= nets[i].from && bin <= nets[i].to && n >= nets[i].min && n <= nets[i].max)
            return true;
    }
    return false;
}

bool bz_checksum_card(const uint8_t *s, size_t n) {
    return n >= 13 && n <= 19 && bz_checksum_luhn(s, n) && card_network(s, n) &&
           !bz_checksum_same(s, n);
}

bool bz_checksum_imei(const uint8_t *s, size_t n) {
    return n == 15 && bz_checksum_luhn(s, n) && !bz_checksum_same(s, n);
}

/* 49 CFR 565.15: position 9 is the check digit, position 10 the model year, the last four digits
 * count. Outside of North America the position is often not a check digit. */
bool bz_checksum_vin(const uint8_t *s, size_t n) {
    static const uint8_t value[26] = {1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4,
                                      5, 0, 7, 0, 9, 2, 3, 4, 5, 6, 7, 8, 9};
    static const uint8_t w[17] = {8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2};
    if (n != 17 || !bz_checksum_digits(s + 13, 4) || bz_checksum_digits(s, 13))
        return false;
    if (s[0] == '0' || s[9] == 'U' || s[9] == 'Z' || s[9] == '0')
        return false;
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned v = alnum_value(s[i]);
        if (v > 35 || s[i] == 'I' || s[i] == 'O' || s[i] == 'Q')
            return false;
        sum += (v > 9 ? value[v - 10] : v) * w[i];
    }
    return s[8] == (uint8_t) "0123456789X"[sum % 11];
}

/* ---- North America ------------------------------------------------------------------------ */

/* Not a check digit: areas, groups and serials that are never given out, and two numbers that were
 * printed in public. */
bool bz_checksum_us_ssn(const uint8_t *s, size_t n) {
    if (n != 9 || !bz_checksum_digits(s, n) || bz_checksum_same(s, n))
        return false;
    uint64_t v = bz_checksum_value(s, n), area = v / 1000000;
    return area != 0 && area != 666 && area < 900 && v / 10000 % 100 != 0 && v % 10000 != 0 &&
           v != 78051120 && v != 219099999;
}

bool bz_checksum_us_itin(const uint8_t *s, size_t n) {
    if (n != 9 || !bz_checksum_digits(s, n) || s[0] != '9')
        return false;
    unsigned group = bz_checksum_two(s + 3);
    return (group >= 50 && group <= 65) || (group >= 70 && group <= 88) ||
           (group >= 90 && group <= 92) || (group >= 94 && group <= 99);
}

bool bz_checksum_us_aba(const uint8_t *s, size_t n) {
    static const uint8_t w[9] = {3, 7, 1, 3, 7, 1, 3, 7, 1};
    if (n != 9 || !bz_checksum_digits(s, n) || bz_checksum_same(s, n))
        return false;
    unsigned district = bz_checksum_two(s);
    if (district > 12 && (district < 21 || district > 32) && (district < 61 || district > 72) &&
        district != 80)
        return false;
    return bz_checksum_weigh(s, w, n) % 10 == 0;
}

bool bz_checksum_us_npi(const uint8_t *s, size_t n) {
    uint8_t full[15] = "80840";
    if (n != 10 || !bz_checksum_digits(s, n) || (s[0] != '1' && s[0] != '2'))
        return false;
    memcpy(full + 5, s, 10);
    return bz_checksum_luhn(full, sizeof full);
}

/* CMS: C A AN N A AN N A A N N; letters without S, L, O, I, B, Z. Not a check digit. */
bool bz_checksum_us_mbi(const uint8_t *s, size_t n) {
    static const char shape[] = "9AX9AX9AA99";
    if (n != 11 || s[0] == '0')
        return false;
    for (size_t i = 0; i < n; i++) {
        bool digit = s[i] >= '0' && s[i] <= '9';
        bool letter = s[i] >= 'A' && s[i] <= 'Z' && strchr("SLOIBZ", s[i]) == NULL;
        if (!(digit && shape[i] != 'A') && !(letter && shape[i] != '9'))
            return false;
    }
    return true;
}

bool bz_checksum_us_dea(const uint8_t *s, size_t n) {
    static const uint8_t w[6] = {1, 2, 1, 2, 1, 2};
    if (n != 9 || strchr("ABCDEFGHJKLMPRSTUX", s[0]) == NULL || s[0] == '\0' ||
        !bz_checksum_digits(s + 2, 7) || bz_checksum_same(s + 2, 7))
        return false;
    if (s[1] != '9' && (s[1] < 'A' || s[1] > 'Z'))
        return false;
    return bz_checksum_weigh(s + 2, w, 6) % 10 == (unsigned)(s[8] - '0');
}

bool bz_checksum_ca_sin(const uint8_t *s, size_t n) {
    return n == 9 && s[0] != '0' && s[0] != '8' && bz_checksum_luhn(s, n) &&
           !bz_checksum_same(s, n);
}

/* ---- Latin America ------------------------------------------------------------------------ */

/* Value in the Mexican alphabet, where the letter N with tilde or '&' stands between N and O. */
static unsigned mx_value(uint8_t c) {
    unsigned v = c == '&' ? 24 : alnum_value(c);
    return c != '&' && v > 23 && v < 99 ? v + 1 : v;
}

bool bz_checksum_mx_curp(const uint8_t *s, size_t n) {
    if (n != 18 || !bz_checksum_digits(s + 4, 6) || !bz_checksum_digits(s + 17, 1) ||
        !bz_checksum_yymmdd(s + 4) || (s[10] != 'H' && s[10] != 'M' && s[10] != 'X'))
        return false;
    unsigned sum = 0;
    for (size_t i = 0; i < 17; i++) {
        unsigned v = mx_value(s[i]);
        if (v == 99 || s[i] == '&' || (i != 16 && (i < 4 || i > 9) && v < 10))
            return false;
        sum += v * (unsigned)(18 - i);
    }
    return (10 - sum % 10) % 10 == (unsigned)(s[17] - '0');
}

bool bz_checksum_mx_rfc(const uint8_t *s, size_t n) {
    if (n != 12 && n != 13)
        return false;
    size_t letters = n - 9;
    if (!bz_checksum_yymmdd(s + letters))
        return false;
    unsigned sum = n == 12 ? 37 * 13 : 0; /* a blank in front of a firm's */
    for (size_t i = 0; i + 1 < n; i++) {
        unsigned v = mx_value(s[i]);
        if (v == 99 || (i < letters && v < 10))
            return false;
        sum += v * (unsigned)(n - i);
    }
    unsigned check = (11 - sum % 11) % 11;
    return s[n - 1] == (uint8_t) "0123456789A"[check];
}

bool bz_checksum_br_cpf(const uint8_t *s, size_t n) {
    static const uint8_t w[10] = {11, 10, 9, 8, 7, 6, 5, 4, 3, 2};
    if (n != 11 || !bz_checksum_digits(s, n) || bz_checksum_same(s, n))
        return false;
    unsigned a = bz_checksum_weigh(s, w + 1, 9) * 10 % 11 % 10;
    unsigned b = bz_checksum_weigh(s, w, 10) * 10 % 11 % 10;
    return a == (unsigned)(s[9] - '0') && b == (unsigned)(s[10] - '0');
}

/* Since July 2026 the first twelve may be capital letters; a character counts as its ASCII code
 * minus 48 (Receita Federal, IN 2.229/2024). */
bool bz_checksum_br_cnpj(const uint8_t *s, size_t n) {
    static const uint8_t w[13] = {6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2};
    if (n != 14 || !bz_checksum_digits(s + 12, 2) || bz_checksum_same(s, n))
        return false;
    for (size_t i = 0; i < 12; i++) {
        if (alnum_value(s[i]) > 35)
            return false;
    }
    unsigned a = bz_checksum_weigh(s, w + 1, 12) % 11, b = bz_checksum_weigh(s, w, 13) % 11;
    a = a < 2 ? 0 : 11 - a;
    b = b < 2 ? 0 : 11 - b;
    return a == (unsigned)(s[12] - '0') && b == (unsigned)(s[13] - '0');
}

bool bz_checksum_ar_cuit(const uint8_t *s, size_t n) {
    static const uint8_t w[10] = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
    static const char kinds[] = "20 23 24 25 26 27 30 33 34 50 51 55";
    if (n != 11 || !bz_checksum_digits(s, n))
        return false;
    bool known = false;
    for (const char *k = kinds; *k != '\0'; k += k[2] == '\0' ? 2 : 3)
        known = known || (k[0] == (char)s[0] && k[1] == (char)s[1]);
    unsigned check = 11 - bz_checksum_weigh(s, w, 10) % 11;
    check = check == 11 ? 0 : check == 10 ? 9 : check;
    return known && check == (unsigned)(s[10] - '0');
}

bool bz_checksum_cl_rut(const uint8_t *s, size_t n) {
    static const uint8_t w[8] = {3, 2, 7, 6, 5, 4, 3, 2};
    if ((n != 8 && n != 9) || !bz_checksum_digits(s, n - 1) || s[0] == '0' ||
        bz_checksum_same(s, n - 1))
        return false;
    unsigned check = 11 - bz_checksum_weigh(s, w + (9 - n), n - 1) % 11;
    return s[n - 1] == (uint8_t) "0123456789K0"[check];
}

/* ---- Asia, Oceania, Africa ---------------------------------------------------------------- */

bool bz_checksum_sg_nric(const uint8_t *s, size_t n) {
    static const uint8_t w[7] = {2, 7, 6, 5, 4, 3, 2};
    if (n != 9 || !bz_checksum_digits(s + 1, 7))
        return false;
    unsigned sum = bz_checksum_weigh(s + 1, w, 7);
    switch (s[0]) {
    case 'S':
        return s[8] == (uint8_t) "JZIHGFEDCBA"[sum % 11];
    case 'T':
        return s[8] == (uint8_t) "JZIHGFEDCBA"[(sum + 4) % 11];
    case 'F':
        return s[8] == (uint8_t) "XWUTRQPNMLK"[sum % 11];
    case 'G':
        return s[8] == (uint8_t) "XWUTRQPNMLK"[(sum + 4) % 11];
    case 'M':
        return s[8] == (uint8_t) "XWUTRQPNJLK"[(sum + 3) % 11];
    default:
        return false;
    }
}

/* Businesses (8 digits), local companies (year and 5 digits), others (T08GA0001 with its letter). */
bool bz_checksum_sg_uen(const uint8_t *s, size_t n) {
    static const uint8_t business[8] = {10, 4, 9, 3, 8, 2, 7, 1};
    static const uint8_t local[9] = {10, 8, 6, 4, 9, 7, 5, 3, 1};
    static const uint8_t other[9] = {4, 3, 5, 3, 10, 2, 2, 5, 7};
    static const char alphabet[] = "ABCDEFGHJKLMNPQRSTUVWX0123456789";
    if (n == 9 && bz_checksum_digits(s, 8))
        return s[8] == (uint8_t) "XMKECAWLJDB"[bz_checksum_weigh(s, business, 8) % 11];
    if (n != 10)
        return false;
    if (bz_checksum_digits(s, 9)) {
        uint64_t year = bz_checksum_value(s, 4);
        return year >= 1800 && year < 2100 &&
               s[9] == (uint8_t) "ZKCMDNERGWH"[bz_checksum_weigh(s, local, 9) % 11];
    }
    if ((s[0] != 'T' && s[0] != 'S' && s[0] != 'R') || !bz_checksum_digits(s + 1, 2) ||
        !bz_checksum_digits(s + 5, 4))
        return false;
    unsigned sum = 0;
    for (size_t i = 0; i < 9; i++) {
        const char *at = strchr(alphabet, s[i]);
        if (at == NULL || *at == '\0')
            return false;
        sum += (unsigned)(at - alphabet) * other[i];
    }
    return s[9] == (uint8_t)alphabet[(sum + 6) % 11];
}

bool bz_checksum_au_abn(const uint8_t *s, size_t n) {
    static const uint8_t w[11] = {10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19};
    return n == 11 && bz_checksum_digits(s, n) && s[0] != '0' &&
           (bz_checksum_weigh(s, w, n) - 10) % 89 == 0;
}

bool bz_checksum_au_acn(const uint8_t *s, size_t n) {
    static const uint8_t w[9] = {8, 7, 6, 5, 4, 3, 2, 1, 1};
    return n == 9 && bz_checksum_digits(s, n) && !bz_checksum_same(s, n) &&
           bz_checksum_weigh(s, w, n) % 10 == 0;
}

bool bz_checksum_au_tfn(const uint8_t *s, size_t n) {
    static const uint8_t nine[9] = {1, 4, 3, 7, 5, 8, 6, 9, 10};
    static const uint8_t eight[8] = {10, 7, 8, 4, 6, 3, 5, 1};
    if ((n != 8 && n != 9) || !bz_checksum_digits(s, n) || bz_checksum_same(s, n))
        return false;
    return bz_checksum_weigh(s, n == 9 ? nine : eight, n) % 11 == 0;
}

/* Eight digits, their check digit, issue number, and perhaps the person's line on the card. */
bool bz_checksum_au_medicare(const uint8_t *s, size_t n) {
    static const uint8_t w[8] = {1, 3, 7, 9, 1, 3, 7, 9};
    if ((n != 10 && n != 11) || !bz_checksum_digits(s, n) || s[0] < '2' || s[0] > '6')
        return false;
    return bz_checksum_weigh(s, w, 8) % 10 == (unsigned)(s[8] - '0') && s[9] != '0';
}

bool bz_checksum_in_aadhaar(const uint8_t *s, size_t n) {
    return n == 12 && s[0] >= '2' && bz_checksum_verhoeff(s, n) && !bz_checksum_same(s, n);
}

/* Five letters (the fourth is the kind of holder), four digits, a letter. Not a check digit. */
bool bz_checksum_in_pan(const uint8_t *s, size_t n) {
    if (n != 10 || !bz_checksum_digits(s + 5, 4) || s[3] == '\0' ||
        strchr("ABCFGHJLPT", s[3]) == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        if ((i < 5 || i > 8) && (s[i] < 'A' || s[i] > 'Z'))
            return false;
    }
    return bz_checksum_value(s + 5, 4) != 0;
}

bool bz_checksum_in_gstin(const uint8_t *s, size_t n) {
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (n != 15 || !bz_checksum_digits(s, 2) || !bz_checksum_in_pan(s + 2, 10) || s[12] == '0')
        return false;
    unsigned state = bz_checksum_two(s);
    if (state == 0 || (state > 38 && state != 97 && state != 99))
        return false;
    unsigned sum = 0;
    for (size_t i = 0; i < 14; i++) {
        unsigned v = alnum_value(s[i]);
        if (v > 35)
            return false;
        v *= i & 1 ? 2 : 1;
        sum += v / 36 + v % 36;
    }
    return s[14] == (uint8_t)digits[(36 - sum % 36) % 36];
}

/* Date and sex alone: since October 2020 the rest is random. */
bool bz_checksum_kr_rrn_form(const uint8_t *s, size_t n) {
    return n == 13 && bz_checksum_digits(s, n) && bz_checksum_yymmdd(s);
}

bool bz_checksum_kr_rrn(const uint8_t *s, size_t n) {
    static const uint8_t w[12] = {2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5};
    if (!bz_checksum_kr_rrn_form(s, n))
        return false;
    return (11 - bz_checksum_weigh(s, w, 12) % 11) % 10 == (unsigned)(s[12] - '0');
}

bool bz_checksum_kr_brn(const uint8_t *s, size_t n) {
    static const uint8_t w[9] = {1, 3, 7, 1, 3, 7, 1, 3, 5};
    if (n != 10 || !bz_checksum_digits(s, n) || bz_checksum_same(s, n) || s[0] == '0')
        return false;
    unsigned sum = bz_checksum_weigh(s, w, 9) + (unsigned)(s[8] - '0') * 5 / 10;
    return (10 - sum % 10) % 10 == (unsigned)(s[9] - '0');
}

bool bz_checksum_cn_ric(const uint8_t *s, size_t n) {
    static const char provinces[] =
        "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 "
        "65 71 81 82 83 ";
    if (n != 18 || !bz_checksum_mod11_2(s, n))
        return false;
    bool known = false;
    for (const char *p = provinces; *p != '\0'; p += 3)
        known = known || (p[0] == (char)s[0] && p[1] == (char)s[1]);
    unsigned year = (unsigned)bz_checksum_value(s + 6, 4);
    return known && year >= 1850 && year < 2100 &&
           bz_checksum_date(year, bz_checksum_two(s + 10), bz_checksum_two(s + 12));
}

bool bz_checksum_hk_id(const uint8_t *s, size_t n) {
    if ((n != 8 && n != 9) || !bz_checksum_digits(s + n - 7, 6))
        return false;
    unsigned sum = n == 8 ? 36 * 9 : 0;
    for (size_t i = 0; i + 1 < n; i++) {
        unsigned v = alnum_value(s[i]);
        if (v > 35 || (v > 9) != (i < n - 7))
            return false;
        sum += v * (unsigned)(n - i);
    }
    unsigned check = s[n - 1] == 'A' ? 10 : alnum_value(s[n - 1]);
    return check <= 10 && (sum + check) % 11 == 0;
}

bool bz_checksum_tw_id(const uint8_t *s, size_t n) {
    static const uint8_t code[26] = {10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21,
                                     22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33};
    static const uint8_t w[9] = {8, 7, 6, 5, 4, 3, 2, 1, 1};
    if (n != 10 || s[0] < 'A' || s[0] > 'Z' || !bz_checksum_digits(s + 1, 9) ||
        (s[1] != '1' && s[1] != '2' && s[1] != '8' && s[1] != '9'))
        return false;
    unsigned c = code[s[0] - 'A'];
    return (c / 10 + c % 10 * 9 + bz_checksum_weigh(s + 1, w, 9)) % 10 == 0;
}

bool bz_checksum_jp_my(const uint8_t *s, size_t n) {
    static const uint8_t w[11] = {6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
    if (n != 12 || !bz_checksum_digits(s, n) || bz_checksum_same(s, n))
        return false;
    unsigned r = bz_checksum_weigh(s, w, 11) % 11;
    return (r <= 1 ? 0 : 11 - r) == (unsigned)(s[11] - '0');
}

bool bz_checksum_th_tnin(const uint8_t *s, size_t n) {
    static const uint8_t w[12] = {13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2};
    if (n != 13 || !bz_checksum_digits(s, n) || s[0] == '0' || s[0] == '9' ||
        bz_checksum_same(s, n))
        return false;
    return (11 - bz_checksum_weigh(s, w, 12) % 11) % 10 == (unsigned)(s[12] - '0');
}

bool bz_checksum_il_id(const uint8_t *s, size_t n) {
    return n == 9 && bz_checksum_luhn(s, n) && !bz_checksum_same(s, n);
}

bool bz_checksum_tr_id(const uint8_t *s, size_t n) {
    static const uint8_t w[9] = {7, 9, 7, 9, 7, 9, 7, 9, 7}; /* 9 is -1 mod 10 */
    static const uint8_t one[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    return n == 11 && bz_checksum_digits(s, n) && s[0] != '0' &&
           bz_checksum_weigh(s, w, 9) % 10 == (unsigned)(s[9] - '0') &&
           bz_checksum_weigh(s, one, 10) % 10 == (unsigned)(s[10] - '0');
}

bool bz_checksum_za_id(const uint8_t *s, size_t n) {
    return n == 13 && bz_checksum_luhn(s, n) && bz_checksum_yymmdd(s) && s[10] <= '2';
}

/* Date and a place of birth that exists. Not a check digit. */
bool bz_checksum_my_nric(const uint8_t *s, size_t n) {
    if (n != 12 || !bz_checksum_digits(s, n) || !bz_checksum_yymmdd(s))
        return false;
    unsigned place = bz_checksum_two(s + 6);
    return place != 0 && (place < 17 || place > 20) && place != 69 && place != 70 && place != 73 &&
           place != 80 && place != 81 && (place < 94 || place > 97);
}

/* Two rounds of weights: the second is asked when the first leaves ten. */
bool bz_checksum_nz_ird(const uint8_t *s, size_t n) {
    static const uint8_t w1[8] = {3, 2, 7, 6, 5, 4, 3, 2}, w2[8] = {7, 4, 3, 2, 5, 2, 7, 6};
    if ((n != 8 && n != 9) || !bz_checksum_digits(s, n) || bz_checksum_same(s, n))
        return false;
    unsigned r = bz_checksum_weigh(s, w1 + (9 - n), n - 1) % 11;
    r = r == 0 ? 0 : 11 - r;
    if (r == 10) {
        r = bz_checksum_weigh(s, w2 + (9 - n), n - 1) % 11;
        r = r == 0 ? 0 : 11 - r;
    }
    uint64_t v = bz_checksum_value(s, n);
    return v >= 10000000 && v <= 150000000 && r == (unsigned)(s[n - 1] - '0');
}
