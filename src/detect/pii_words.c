/* Words that say what a number is. */
#include "pii_int.h"

enum {
    REACH = 80,       /* bytes before a match in which words count */
    NUMBER = 6,       /* digits of a number that ends the context of the next one */
    GLUE = 3,         /* letters between two numbers of one list: "and", "und", "et" */
    OTHER_REACH = 24, /* the last word, with "no." or "number" behind it */
};

uint8_t pii_lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Where the digits with single separators that end at i begin; counts the digits. */
static size_t number_back(const uint8_t *p, size_t lo, size_t i, size_t *ret_digits) {
    size_t digits = 0;
    while (i > lo) {
        if (scan_is(p[i - 1], SC_DIGIT))
            digits++;
        else if (i < lo + 2 || !scan_is(p[i - 2], SC_DIGIT) || strchr("-./ ", p[i - 1]) == NULL)
            break;
        i--;
    }
    *ret_digits = digits;
    return i;
}

/* Where the context begins: behind the last number that has words of its own after it. */
static size_t context_from(const uint8_t *p, size_t lo, size_t start) {
    size_t i = start, letters = 0;
    while (i > lo) {
        if (!scan_is(p[i - 1], SC_DIGIT)) {
            letters += pii_letter(p[i - 1]) || p[i - 1] >= 0xe0;
            i--;
            continue;
        }
        size_t digits, at = number_back(p, lo, i, &digits);
        if (digits >= NUMBER && letters > GLUE)
            return i;
        letters = digits >= NUMBER ? 0 : letters;
        i = at;
    }
    return lo;
}

/* A bit for what a word begins with: a letter, or anything else. */
static uint32_t initial(uint8_t c) {
    return c >= 'a' && c <= 'z' ? UINT32_C(1) << (c - 'a') : UINT32_C(1) << 26;
}

void pii_context(const struct scan *s, size_t start, struct pii_context *ret) {
    size_t lo = start > REACH ? start - REACH : 0;
    ret->p = s->p;
    ret->to = start;
    ret->words_n = 0;
    ret->letters = 0;
    ret->other = PII_OTHER_UNKNOWN;
    ret->from = context_from(s->p, lo, start);
    /* A word that is cut by the left end of what may be seen is none. */
    size_t i = ret->from == 0 ? 0 : ret->from + (ret->from == lo);
    for (; i < start; i++) {
        if (!pii_word_begins(s->p, i))
            continue;
        ret->words[ret->words_n++] = i;
        ret->letters |= initial(pii_lower(s->p[i]));
    }
}

/* Does the text from i hold the word w[0..n) up to a word's end? */
bool pii_word_at(const struct pii_context *c, size_t i, const char *w, size_t n) {
    size_t k = 0;
    for (; k < n; k++) {
        uint8_t have = i < c->to ? c->p[i] : 0, want = (uint8_t)w[k];
        if (want == ' ' || want == '-') {
            if (have == ' ' || have == '_' || have == '-')
                i++;
            else if (!scan_is(have, SC_UPPER))
                return false;
            continue;
        }
        if (pii_lower(have) != want)
            return false;
        i++;
    }
    if ((uint8_t)w[n - 1] >= 0x80 && (uint8_t)w[0] >= 0xe0)
        return true;
    if (i < c->to && c->p[i] == 's' && (i + 1 == c->to || !pii_letter(c->p[i + 1])))
        return true; /* many of them */
    if (i >= c->to || !pii_letter(c->p[i]))
        return true;
    return scan_is(c->p[i], SC_UPPER) && scan_is(c->p[i - 1], SC_LOWER);
}

/* Is the word at i one of the list? */
static bool any_word(const struct pii_context *c, const char *list, size_t i) {
    uint8_t first = pii_lower(c->p[i]);
    for (const char *w = list; *w != '\0';) {
        const char *end = strchrnul(w, '|');
        if ((uint8_t)*w == first && pii_word_at(c, i, w, (size_t)(end - w)))
            return true;
        w = *end == '\0' ? end : end + 1;
    }
    return false;
}

bool pii_word(const struct pii_context *c, const char *words, size_t reach) {
    if (c->words_n == 0)
        return false;
    for (const char *w = words; *w != '\0';) {
        const char *end = strchrnul(w, '|');
        for (size_t k = (c->letters & initial((uint8_t)*w)) != 0 ? c->words_n : 0; k-- > 0;) {
            size_t i = c->words[k];
            if (c->to - i > reach)
                break;
            if (pii_lower(c->p[i]) == (uint8_t)*w && pii_word_at(c, i, w, (size_t)(end - w)))
                return true;
        }
        w = *end == '\0' ? end : end + 1;
    }
    return false;
}

static bool other_last(const struct pii_context *c) {
    static const char fillers[] = "no|nr|num|number|numbers|id|ids|code|is|was|are|of|the|a|key|"
                                  "nummer|numéro|número|numero|value";
    static const char others[] =
        "order|invoice|tracking|ticket|ref|reference|sku|part|serial|build|version|commit|hash|"
        "isbn|issn|ean|upc|gtin|barcode|doi|article|item|product|issue|job|batch|lot|case|"
        "timestamp|uuid|guid|checksum|digest|revision|rev|sha|md5|model|port|parcel|shipment|"
        "transaction|request|trace|span|session|message|event|bestellung|bestellnummer|rechnung|"
        "rechnungsnummer|artikel|auftrag|commande|facture|pedido|factura|ordine|fattura|order_id|"
        "zamówienie|faktura|bestelling|factuur|ts|epoch|offset|seed";
    for (size_t k = c->words_n; k-- > 0;) {
        size_t i = c->words[k];
        if (c->to - i > OTHER_REACH)
            return false;
        if (any_word(c, others, i))
            return true;
        if (!any_word(c, fillers, i))
            return false;
    }
    return false;
}

bool pii_other(struct pii_context *c) {
    if (c->other == PII_OTHER_UNKNOWN)
        c->other = other_last(c) ? PII_OTHER_YES : PII_OTHER_NO;
    return c->other == PII_OTHER_YES;
}

static uint8_t worth_of(const struct pii_worth *w, struct pii_context *c, bool *ret_told) {
    *ret_told = pii_set_has(&c->told, w->type);
    if (!*ret_told)
        return w->alone > PII_FORM && pii_other(c) ? PII_FORM : w->alone;
    if (w->told <= w->alone || (w->told != PII_CHECKSUM && pii_other(c)))
        return w->alone;
    return w->told;
}

void pii_emit(struct scan *s, const struct pii_worth *w, size_t start, size_t end) {
    bool told = false;
    if (start < s->from || !scan_tells(s, w->type))
        return;
    uint8_t worth = worth_of(w, pii_at(s, start), &told);
    if (worth != PII_NO)
        scan_emit(s, w->type, (enum bz_proof)(worth - 1), start, end);
}

void pii_pick(const struct scan *s, const struct pii_worth *w, size_t start, size_t end,
              struct pii_picks *p) {
    bool told = false;
    uint8_t worth = worth_of(w, pii_at(s, start), &told);
    if (worth != PII_NO && p->n < PII_PICKS_MAX)
        p->v[p->n++] = (struct pii_pick){w->type, end, worth, told};
}

/* Words tell within p which it is: another of its bytes, or fewer, is sure and has its words. */
static bool told_otherwise(const struct pii_picks *p, const struct pii_pick *one) {
    for (size_t i = 0; i < p->n; i++) {
        if (p->v[i].told && p->v[i].worth == PII_CHECKSUM && p->v[i].end <= one->end)
            return !one->told;
    }
    return false;
}

void pii_tell(struct scan *s, size_t start, const struct pii_picks *p) {
    for (size_t i = 0; i < p->n; i++) {
        if (!told_otherwise(p, &p->v[i]))
            scan_emit(s, p->v[i].type, (enum bz_proof)(p->v[i].worth - 1), start, p->v[i].end);
    }
}

bool pii_may(const struct scan *s, const struct pii_worth *w, size_t start) {
    if (!scan_wants(s, w->type))
        return false;
    if (w->alone != PII_NO || s->wordless)
        return w->alone != PII_NO;
    return pii_set_has(&pii_at(s, start)->told, w->type);
}

/* What may stand beside a match. */
enum { NOT_LEFT = 1, NOT_RIGHT = 2, BEHIND_DIGIT = 4 /* no left edge if a digit is before */ };
static const uint8_t marks[256] = {
    ['_'] = NOT_LEFT | NOT_RIGHT,
    ['@'] = NOT_LEFT | NOT_RIGHT,
    ['%'] = NOT_LEFT | NOT_RIGHT,
    ['+'] = NOT_LEFT | NOT_RIGHT,
    ['$'] = NOT_LEFT,
    ['='] = NOT_RIGHT,
    ['-'] = NOT_RIGHT,
    ['/'] = NOT_RIGHT | BEHIND_DIGIT,
    ['.'] = BEHIND_DIGIT,
    [','] = BEHIND_DIGIT,
    [':'] = BEHIND_DIGIT,
};

bool pii_left(const struct scan *s, size_t start) {
    uint8_t b = scan_before(s, start), bb = start > 1 ? s->p[start - 2] : 0;
    if (scan_is(b, SC_ALNUM) || (marks[b] & NOT_LEFT) != 0)
        return false;
    if ((marks[b] & BEHIND_DIGIT) != 0)
        return !scan_is(bb, SC_DIGIT);
    return b != '-' || !scan_is(bb, SC_ALNUM);
}

bool pii_right(const struct scan *s, size_t end) {
    uint8_t c = scan_at(s, end);
    return !scan_is(c, SC_ALNUM) && (marks[c] & NOT_RIGHT) == 0;
}
