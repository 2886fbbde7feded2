/* Postal addresses as far as rules can see them, and positions on the globe. */
#include "pii_int.h"

enum { LENGTH_MAX = 120, WORDS_MAX = 6, GEO_MAX = 48 };

/* A reader of the text that knows when the text ends within what it reads. */
struct reader {
    const struct scan *s;
    size_t at;
    bool part;
};

static uint8_t peek(struct reader *r, size_t ahead) {
    if (r->at + ahead >= r->s->n) {
        r->part = true;
        return 0;
    }
    return r->s->p[r->at + ahead];
}

static bool is_letter(uint8_t c) {
    return scan_is(c, SC_ALPHA) || c >= 0x80 || c == '\'' || c == '-' || c == '.';
}

/* The word at the place, eaten. */
static struct bz_view word(struct reader *r) {
    size_t from = r->at;
    while (is_letter(peek(r, 0)) && r->at - from < 32)
        r->at++;
    return bz_view(r->s->p + from, r->at - from);
}

static bool take(struct reader *r, uint8_t c) {
    if (peek(r, 0) != c)
        return false;
    r->at++;
    return true;
}

static size_t digits(struct reader *r, size_t max) {
    size_t n = 0;
    while (n <= max && scan_is(peek(r, 0), SC_DIGIT)) {
        r->at++;
        n++;
    }
    return n <= max ? n : 0;
}

static bool capital(struct bz_view w) {
    return w.n != 0 && (scan_is(w.p[0], SC_UPPER) || w.p[0] >= 0xc3);
}

static bool one_of(struct bz_view w, const char *list) {
    for (const char *p = list; w.n != 0 && *p != '\0'; p += *p == '|') {
        size_t n = 0;
        bool same = true;
        for (; *p != '\0' && *p != '|'; p++, n++)
            same = same && n < w.n && w.p[n] == (uint8_t)*p;
        if (same && n == w.n)
            return true;
    }
    return false;
}

static const char street_types[] =
    "Street|St|St.|Avenue|Ave|Ave.|Road|Rd|Rd.|Boulevard|Blvd|Blvd.|Lane|Ln|Drive|Dr|Dr.|Court|Ct|"
    "Way|Place|Pl|Square|Sq|Terrace|Parkway|Pkwy|Highway|Hwy|Close|Crescent|Circle|Cir";
static const char small_words[] = "de|du|des|la|le|les|d'|l'|of|the|della|di|del|dei|das|dos|da|do|"
                                  "van|der|den|von|y|e|et|and";

static void tell(struct scan *s, uint8_t alone, size_t start, size_t end) {
    struct pii_worth w = {PII_STREET_ADDRESS, alone, PII_CONTEXT};
    if (s == NULL)
        return;
    uint8_t behind = scan_at(s, end);
    if (end > start && end - start <= LENGTH_MAX && !scan_is(behind, SC_ALNUM) && behind != '_')
        pii_emit(s, &w, start, end);
}

/* ", Springfield, IL 62704", with all that may stand before the state: what makes an address sure.
 * The end, or 0. */
static size_t us_tail(struct reader *r) {
    for (size_t words = 0; words < 8; words++) {
        take(r, ',');
        if (!take(r, ' '))
            return 0;
        if (scan_is(peek(r, 0), SC_DIGIT) || peek(r, 0) == '#') {
            take(r, '#');
            digits(r, 5); /* of a flat */
            continue;
        }
        struct bz_view w = word(r);
        if (!capital(w))
            return 0;
        bool state = w.n == 2 && scan_is(w.p[1], SC_UPPER);
        size_t here = r->at;
        if (state && take(r, ' ') && digits(r, 5) == 5) {
            size_t end = r->at;
            return take(r, '-') && digits(r, 4) == 4 ? r->at : end;
        }
        r->at = here;
    }
    return 0;
}

/* ", 12345 Ort": the end, or 0. */
static size_t town_tail(struct reader *r) {
    bool comma = take(r, ',');
    if (!comma && peek(r, 0) != ' ')
        return 0;
    if (!take(r, ' '))
        return 0;
    size_t n = digits(r, 5);
    if (n != 4 && n != 5)
        return 0;
    if (!take(r, ' '))
        return 0;
    if (n == 4 && scan_is(peek(r, 0), SC_UPPER) && scan_is(peek(r, 1), SC_UPPER)) {
        r->at += 2; /* 1012 AB Amsterdam */
        if (!take(r, ' '))
            return r->at;
    }
    struct bz_view w = word(r);
    return capital(w) && w.n > 2 ? r->at - (w.p[w.n - 1] == '.') : 0;
}

/* 742 Evergreen Terrace; 10 Downing St, London; with a tail. s NULL: only look. */
static void english(struct reader *r, struct scan *s) {
    size_t start = r->at;
    if (digits(r, 5) == 0)
        return;
    if (scan_is(peek(r, 0), SC_ALPHA))
        r->at++;
    for (size_t words = 0; words < WORDS_MAX && take(r, ' '); words++) {
        if (digits(r, 3) != 0) { /* 5th Avenue */
            word(r);
            continue;
        }
        struct bz_view w = word(r);
        if (!capital(w) && !one_of(w, small_words))
            return;
        if (words == 0 || !one_of(w, street_types))
            continue;
        struct reader t = *r;
        size_t tail = us_tail(&t);
        r->part = r->part || t.part;
        tell(s, PII_FORM, start, r->at - (w.p[w.n - 1] == '.'));
        tell(s, PII_CONTEXT, start, tail);
    }
}

/* 12 rue de la Paix, 75002 Paris */
static void french(struct reader *r, struct scan *s) {
    size_t start = r->at;
    if (digits(r, 4) == 0)
        return;
    struct reader bis = *r;
    if (take(&bis, ' ') && one_of(word(&bis), "bis|ter"))
        *r = bis;
    r->part = r->part || bis.part;
    take(r, ',');
    if (!take(r, ' '))
        return;
    struct bz_view type = word(r);
    if (!one_of(type, "rue|avenue|boulevard|place|chemin|impasse|all\xc3\xa9"
                      "e|quai|route|cours"))
        return;
    for (size_t words = 0; words < WORDS_MAX && take(r, ' '); words++) {
        struct bz_view w = word(r);
        bool elided = w.n > 2 && w.p[1] == '\''; /* d'Orsay */
        if (!capital(w) && !elided) {
            if (!one_of(w, small_words))
                return;
            continue;
        }
        struct reader t = *r;
        size_t tail = town_tail(&t);
        r->part = r->part || t.part;
        tell(s, PII_FORM, start, r->at - (w.p[w.n - 1] == '.'));
        tell(s, PII_CONTEXT, start, tail);
    }
}

/* Name, number, and perhaps code and town: Hauptstraße 12a, 10115 Berlin; Via Roma 4, 00184 Roma. */
static void name_first(struct reader *r, struct scan *s, size_t start) {
    take(r, ',');
    if (!take(r, ' ') || digits(r, 4) == 0)
        return;
    if (scan_is(peek(r, 0), SC_LOWER) && !scan_is(peek(r, 1), SC_ALNUM))
        r->at++;
    tell(s, PII_FORM, start, r->at);
    tell(s, PII_CONTEXT, start, town_tail(r));
}

static bool ends_with(struct bz_view w, const char *list) {
    for (const char *p = list; *p != '\0';) {
        const char *end = strchrnul(p, '|');
        size_t n = (size_t)(end - p);
        if (w.n >= n && bz_view_eq(bz_view_sub(w, w.n - n, n), bz_view(p, n)))
            return true;
        p = *end == '\0' ? end : end + 1;
    }
    return false;
}

static void german(struct reader *r, struct scan *s) {
    size_t start = r->at;
    struct bz_view name = word(r);
    if (capital(name) && ends_with(name, "tra\xc3\x9f"
                                         "e|trasse|tr.|weg|latz|allee|gasse|ring|damm|ufer|"
                                         "straat|laan"))
        name_first(r, s, start);
}

static void southern(struct reader *r, struct scan *s) {
    size_t start = r->at;
    if (!one_of(word(r), "Calle|Avenida|Avda.|Via|Viale|Piazza|Corso|Rua|Plaza|Paseo"))
        return;
    for (size_t words = 0; words < WORDS_MAX && take(r, ' '); words++) {
        struct bz_view w = word(r);
        if (!capital(w) && !one_of(w, small_words))
            return;
        struct reader t = *r;
        name_first(&t, s, start);
        r->part = r->part || t.part;
    }
}

typedef void form_fn(struct reader *r, struct scan *s);
static form_fn *const forms[] = {english, french, german, southern};

static bool address_begins(const struct scan *s, size_t i, size_t form) {
    uint8_t c = s->p[i];
    if (form < 2)
        return scan_is(c, SC_DIGIT) && pii_left(s, i);
    return (scan_is(c, SC_UPPER) || c >= 0xc3) && !is_letter(scan_before(s, i)) && pii_left(s, i);
}

static void try_form(struct scan *s, size_t i, size_t form) {
    struct reader r = {.s = s, .at = i};
    if (i >= s->from && address_begins(s, i, form))
        forms[form](&r, s);
}

/* `end` is behind the end of a name, a blank, and the number's first digit. */
static void name_before(struct scan *s, size_t end) {
    size_t i = end - 1;
    for (size_t words = 0; words <= WORDS_MAX; words++) {
        while (i > 0 && end - i < LENGTH_MAX && (s->p[i - 1] == ' ' || s->p[i - 1] == ','))
            i--;
        size_t last = i;
        while (i > 0 && last - i < 40 && is_letter(s->p[i - 1]))
            i--;
        if (i == last)
            return;
        if (words == 0)
            try_form(s, i, 2);
        try_form(s, i, 3);
        struct bz_view w = bz_view(s->p + i, last - i);
        if (!capital(w) && !one_of(w, small_words))
            return;
    }
}

/* ---- positions ------------------------------------------------------------------------------ */

/* A number with at least four places; false: none, or out of range. */
static bool degrees(struct reader *r, unsigned most) {
    if (peek(r, 0) == '-' || peek(r, 0) == '+')
        r->at++;
    unsigned v = 0;
    size_t from = r->at;
    for (; r->at - from < 4 && scan_is(peek(r, 0), SC_DIGIT); r->at++)
        v = v * 10 + (unsigned)(r->s->p[r->at] - '0');
    if (r->at == from || r->at - from > 3 || v > most || !take(r, '.'))
        return false;
    from = r->at;
    while (r->at - from < 16 && scan_is(peek(r, 0), SC_DIGIT))
        r->at++;
    return r->at - from >= 4;
}

static bool sexagesimal(struct reader *r, const char *sides) {
    size_t n = digits(r, 3);
    if (n == 0 || !take(r, 0xc2) || !take(r, 0xb0))
        return false;
    for (size_t i = 0; i < 14; i++) {
        uint8_t c = peek(r, 0);
        if (c != 0 && strchr(sides, c) != NULL) {
            r->at++;
            return true;
        }
        if (!scan_is(c, SC_DIGIT) && c != ' ' && c != '.' && c != '\'' && c != '"' && c < 0x80)
            return false;
        r->at++;
    }
    return false;
}

static bool position(struct reader *r) {
    struct reader whole = *r;
    if (sexagesimal(&whole, "NS")) {
        take(&whole, ',');
        take(&whole, ' ');
        bool ok = sexagesimal(&whole, "EWO");
        *r = whole;
        return ok;
    }
    bool first = degrees(r, 90);
    r->part = r->part || whole.part;
    if (!first)
        return false;
    if (peek(r, 0) == ',' || peek(r, 0) == ';')
        r->at++;
    take(r, ' ');
    return degrees(r, 180);
}

static bool position_begins(const struct scan *s, size_t i) {
    uint8_t c = s->p[i];
    bool sign = (c == '-' || c == '+') && !scan_is(scan_before(s, i), SC_ALNUM);
    return sign || (scan_is(c, SC_DIGIT) && pii_left(s, i));
}

static void geo(struct scan *s, size_t i) {
    static const struct pii_worth w = {PII_GEO_COORDINATES, PII_FORM, PII_CONTEXT};
    struct reader r = {.s = s, .at = i};
    if (i >= s->from && position_begins(s, i) && position(&r) && r.at - i <= GEO_MAX &&
        !scan_is(scan_at(s, r.at), SC_ALNUM))
        pii_emit(s, &w, i, r.at);
}

/* The end of a name, a blank, and a number's first digit at i: a house. */
static bool behind_name(const struct scan *s, size_t i) {
    if (i < 2 || s->p[i - 1] != ' ')
        return false;
    uint8_t c = s->p[i - 2] == ',' ? scan_before(s, i - 2) : s->p[i - 2];
    return scan_is(c, SC_LOWER) || c == '.' || c >= 0x80;
}

static void place_digits(struct scan *s, size_t i, size_t end) {
    uint8_t next = scan_at(s, end);
    bool street = scan_tells(s, PII_STREET_ADDRESS);
    if (street && end - i < 6 && (next == ' ' || next == ',' || scan_is(next, SC_ALPHA)) &&
        pii_left(s, i)) {
        try_form(s, i, 0);
        try_form(s, i, 1);
    }
    if (street && behind_name(s, i))
        name_before(s, i + 1);
    bool degrees = next == 0xc2 || (next == '.' && scan_run(s, end + 1, SC_DIGIT, 4) == end + 5);
    if (end - i > 3 || !degrees || !scan_tells(s, PII_GEO_COORDINATES))
        return;
    geo(s, i);
    if (scan_before(s, i) == '-' || scan_before(s, i) == '+')
        geo(s, i - 1);
}

static bool address_open(const struct scan *s, size_t i) {
    for (size_t form = 0; form < 4; form++) {
        struct reader r = {.s = s, .at = i};
        if (!address_begins(s, i, form))
            continue;
        forms[form](&r, NULL);
        if (r.part)
            return true;
    }
    return false;
}

static bool position_open(const struct scan *s, size_t i) {
    struct reader r = {.s = s, .at = i};
    if (s->n - i > GEO_MAX || !position_begins(s, i))
        return false;
    bool whole = position(&r);
    return r.part || (whole && r.at == s->n);
}

static size_t place_live(const struct scan *s, size_t from) {
    bool street = scan_wants(s, PII_STREET_ADDRESS), globe = scan_wants(s, PII_GEO_COORDINATES);
    if (!street && !globe)
        return s->n;
    size_t far = street ? LENGTH_MAX + 40 : GEO_MAX;
    size_t i = s->n > far ? s->n - far : 0;
    for (i = i < from ? from : i; i < s->n; i++) {
        if ((street && address_open(s, i)) || (globe && position_open(s, i)))
            return i;
    }
    return s->n;
}

const struct pii_part pii_place = {.live = place_live, .digits = place_digits};
