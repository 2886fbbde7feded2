/* Marks of a classification.
 *   TLP             "TLP:AMBER+STRICT" (Traffic Light Protocol 2.0, and WHITE of 1.0)
 *   CLASSIFICATION  "Classification: Confidential", "Einstufung: intern"
 *   MARKING         a line that is nothing but a marking, as banners, headers and footers have it:
 *                   "*** STRICTLY CONFIDENTIAL ***", "For internal use only", "Page 2 | Vertraulich"
 * "It is confidential" in a sentence is none of these. */
#include "labels_types.h"
#include "detector.h"

#include <hs/hs.h>

enum {
    RULE_TLP,
    RULE_LINE,
    RULE_STATED,     /* + number of the key */
    LINE_MAX_ = 160, /* bytes of a line that can be a marking */
    INDENT = 12,     /* blanks before it */
    SIGN_MAX = 16,   /* bytes between a key and its level */
    WEAK = 0xff,     /* goes with a marking, is none */
};

struct word {
    const char *text; /* lower case; a blank stands for blanks */
    uint8_t level;
};
/* What stands at a place: a mark that ends at `end` (0: none); `open`: the text ends so early that
 * more of it could make one or lengthen it. */
struct mark {
    size_t end;
    uint8_t level;
    bool open;
};

/* ---- words ------------------------------------------------------------------------------------- */

static uint8_t lower(uint8_t c) {
    return scan_is(c, SC_UPPER) ? c | 0x20 : c;
}

/* End of w at i, or 0; *open: the text ends within it. */
static size_t fits(const struct scan *s, size_t i, const char *w, bool *open) {
    for (; *w != '\0'; w++) {
        if (i >= s->n) {
            *open = true;
            return 0;
        }
        if (*w == ' ') {
            if (!scan_is(s->p[i], SC_BLANK))
                return 0;
            i = scan_run(s, i, SC_BLANK, SIGN_MAX);
        } else if (lower(s->p[i++]) != (uint8_t)*w) {
            return 0;
        }
    }
    if (i == s->n)
        *open = true;
    return i;
}

/* The longest of the words at i that ends as a word. */
static const struct word *longest(const struct scan *s, size_t i, const struct word *words,
                                  size_t words_n, struct mark *ret) {
    const struct word *best = NULL;
    for (size_t w = 0; w < words_n; w++) {
        size_t end = fits(s, i, words[w].text, &ret->open);
        if (end > ret->end && !scan_is(scan_at(s, end), SC_ALNUM | SC_HIGH)) {
            best = &words[w];
            ret->end = end;
        }
    }
    if (best != NULL)
        ret->level = best->level;
    return best;
}

/* ---- TLP --------------------------------------------------------------------------------------- */

static const struct word colours[] = {
    {"clear", BZ_LEVEL_PUBLIC},   {"white", BZ_LEVEL_PUBLIC},
    {"green", BZ_LEVEL_INTERNAL}, {"amber", BZ_LEVEL_CONFIDENTIAL},
    {"red", BZ_LEVEL_RESTRICTED}, {"amber+strict", BZ_LEVEL_RESTRICTED},
};

/* ---- stated classifications -------------------------------------------------------------------- */

static const struct word levels[] = {
    {"public", BZ_LEVEL_PUBLIC},
    {"unclassified", BZ_LEVEL_PUBLIC},
    {"unrestricted", BZ_LEVEL_PUBLIC},
    {"open", BZ_LEVEL_PUBLIC},
    {"\xc3\xb6"
     "ffentlich",
     BZ_LEVEL_PUBLIC},
    {"offen", BZ_LEVEL_PUBLIC},
    {"internal", BZ_LEVEL_INTERNAL},
    {"internal use only", BZ_LEVEL_INTERNAL},
    {"internal only", BZ_LEVEL_INTERNAL},
    {"company internal", BZ_LEVEL_INTERNAL},
    {"official", BZ_LEVEL_INTERNAL},
    {"intern", BZ_LEVEL_INTERNAL},
    {"interne", BZ_LEVEL_INTERNAL},
    {"interno", BZ_LEVEL_INTERNAL},
    {"nur intern", BZ_LEVEL_INTERNAL},
    {"confidential", BZ_LEVEL_CONFIDENTIAL},
    {"company confidential", BZ_LEVEL_CONFIDENTIAL},
    {"private", BZ_LEVEL_CONFIDENTIAL},
    {"sensitive", BZ_LEVEL_CONFIDENTIAL},
    {"official-sensitive", BZ_LEVEL_CONFIDENTIAL},
    {"official sensitive", BZ_LEVEL_CONFIDENTIAL},
    {"proprietary", BZ_LEVEL_CONFIDENTIAL},
    {"vertraulich", BZ_LEVEL_CONFIDENTIAL},
    {"confidentiel", BZ_LEVEL_CONFIDENTIAL},
    {"confidencial", BZ_LEVEL_CONFIDENTIAL},
    {"riservato", BZ_LEVEL_CONFIDENTIAL},
    {"restricted", BZ_LEVEL_RESTRICTED},
    {"highly confidential", BZ_LEVEL_RESTRICTED},
    {"strictly confidential", BZ_LEVEL_RESTRICTED},
    {"highly restricted", BZ_LEVEL_RESTRICTED},
    {"secret", BZ_LEVEL_RESTRICTED},
    {"top secret", BZ_LEVEL_RESTRICTED},
    {"streng vertraulich", BZ_LEVEL_RESTRICTED},
    {"geheim", BZ_LEVEL_RESTRICTED},
    {"streng geheim", BZ_LEVEL_RESTRICTED},
};

/* "KEY: LEVEL" whose key ends at i. */
static struct mark stated_at(const struct scan *s, size_t i) {
    static const char between[] = "*_\"'[ \t:=";
    struct mark m = {0};
    size_t most = i + SIGN_MAX;
    bool sign = false;
    for (; i < s->n && i < most && strchr(between, s->p[i]) != NULL; i++)
        sign = sign || s->p[i] == ':' || s->p[i] == '=';
    if (i == s->n)
        m.open = i < most;
    else if (sign)
        longest(s, i, levels, sizeof levels / sizeof levels[0], &m);
    return m;
}

static struct mark tlp_at(const struct scan *s, size_t i) {
    struct mark m = {0};
    i = scan_run(s, i, SC_BLANK, 2);
    longest(s, i, colours, sizeof colours / sizeof colours[0], &m);
    return m;
}

/* ---- lines ------------------------------------------------------------------------------------- */

static const struct word phrases[] = {
    {"public", BZ_LEVEL_PUBLIC},
    {"unclassified", BZ_LEVEL_PUBLIC},
    {"for public release", BZ_LEVEL_PUBLIC},
    {"approved for public release", BZ_LEVEL_PUBLIC},
    {"internal", BZ_LEVEL_INTERNAL},
    {"internal only", BZ_LEVEL_INTERNAL},
    {"internal use", BZ_LEVEL_INTERNAL},
    {"internal use only", BZ_LEVEL_INTERNAL},
    {"for internal use", BZ_LEVEL_INTERNAL},
    {"for internal use only", BZ_LEVEL_INTERNAL},
    {"for official use only", BZ_LEVEL_INTERNAL},
    {"company internal", BZ_LEVEL_INTERNAL},
    {"intern", BZ_LEVEL_INTERNAL},
    {"nur intern", BZ_LEVEL_INTERNAL},
    {"nur f\xc3\xbcr den internen gebrauch", BZ_LEVEL_INTERNAL},
    {"nur f\xc3\xbcr internen gebrauch", BZ_LEVEL_INTERNAL},
    {"interne", BZ_LEVEL_INTERNAL},
    {"usage interne", BZ_LEVEL_INTERNAL},
    {"\xc3\xa0 usage interne", BZ_LEVEL_INTERNAL},
    {"uso interno", BZ_LEVEL_INTERNAL},
    {"confidential", BZ_LEVEL_CONFIDENTIAL},
    {"company confidential", BZ_LEVEL_CONFIDENTIAL},
    {"business confidential", BZ_LEVEL_CONFIDENTIAL},
    {"private and confidential", BZ_LEVEL_CONFIDENTIAL},
    {"private & confidential", BZ_LEVEL_CONFIDENTIAL},
    {"privileged and confidential", BZ_LEVEL_CONFIDENTIAL},
    {"privileged & confidential", BZ_LEVEL_CONFIDENTIAL},
    {"proprietary and confidential", BZ_LEVEL_CONFIDENTIAL},
    {"confidential and proprietary", BZ_LEVEL_CONFIDENTIAL},
    {"commercial in confidence", BZ_LEVEL_CONFIDENTIAL},
    {"official-sensitive", BZ_LEVEL_CONFIDENTIAL},
    {"vertraulich", BZ_LEVEL_CONFIDENTIAL},
    {"confidentiel", BZ_LEVEL_CONFIDENTIAL},
    {"confidencial", BZ_LEVEL_CONFIDENTIAL},
    {"riservato", BZ_LEVEL_CONFIDENTIAL},
    {"restricted", BZ_LEVEL_RESTRICTED},
    {"strictly confidential", BZ_LEVEL_RESTRICTED},
    {"highly confidential", BZ_LEVEL_RESTRICTED},
    {"secret", BZ_LEVEL_RESTRICTED},
    {"top secret", BZ_LEVEL_RESTRICTED},
    {"classified", BZ_LEVEL_RESTRICTED},
    {"streng vertraulich", BZ_LEVEL_RESTRICTED},
    {"geheim", BZ_LEVEL_RESTRICTED},
    {"streng geheim", BZ_LEVEL_RESTRICTED},
    {"eyes only", BZ_LEVEL_RESTRICTED},
    {"for your eyes only", BZ_LEVEL_RESTRICTED},
    {"do not distribute", WEAK},
    {"do not share", WEAK},
    {"do not copy", WEAK},
    {"not for distribution", WEAK},
    {"draft", WEAK},
    {"page", WEAK},
    {"seite", WEAK},
    {"of", WEAK},
    {"von", WEAK},
    {"copy", WEAK},
};
static bool between_words(uint8_t c) {
    return scan_is(c, SC_BLANK | SC_DIGIT) ||
           (c != 0 && strchr("*_#=-[]()|/<>~+.:\"'!&", c) != NULL);
}

struct line {
    size_t strong, single; /* phrases with a level; those of one word */
    uint8_t level, least;
    bool small; /* a phrase begins with a small letter */
    bool caps;  /* none has small letters */
};

static void add_phrase(const struct scan *s, size_t i, size_t end, const struct word *w,
                       struct line *l) {
    for (size_t k = i; k < end; k++)
        l->caps = l->caps && !scan_is(s->p[k], SC_LOWER);
    if (w->level == WEAK)
        return;
    l->small = l->small || scan_is(s->p[i], SC_LOWER);
    l->single += strchr(w->text, ' ') == NULL;
    l->strong++;
    l->level = w->level > l->level ? w->level : l->level;
    l->least = w->level < l->least ? w->level : l->least;
}

/* "- Confidential", "2. Internal", "# Public": items of a list and headings. */
static bool item(const struct scan *s, size_t i, size_t end, bool caps) {
    size_t k = scan_run(s, i, SC_DIGIT, 3);
    bool bullet = k > i ? scan_at(s, k) == '.' || scan_at(s, k) == ')'
                        : s->p[i] == '-' || s->p[i] == '*' || s->p[i] == '+';
    bool closed = end > i && !scan_is(s->p[end - 1], SC_ALNUM | SC_HIGH | SC_SPACE);
    if (bullet && scan_is(scan_at(s, k > i ? k + 1 : i + 1), SC_BLANK))
        return !closed;
    return s->p[i] == '#' && !caps;
}

static bool is_marking(const struct scan *s, size_t i, size_t end, const struct line *l) {
    if (l->strong == 0 || l->small || item(s, i, end, l->caps))
        return false;
    return l->level == l->least || (l->strong == 2 && l->single < 2);
}

/* The line whose first visible byte is at i. */
static struct mark line_at(const struct scan *s, size_t i) {
    struct line l = {.least = WEAK, .caps = true};
    struct mark m = {0};
    size_t at = i;
    while (at < s->n && at - i < LINE_MAX_ && !scan_is(s->p[at], SC_EOL)) {
        if (between_words(s->p[at])) {
            at++;
            continue;
        }
        struct mark one = {0};
        const struct word *w = longest(s, at, phrases, sizeof phrases / sizeof phrases[0], &one);
        m.open = m.open || one.open;
        if (w == NULL)
            return m;
        add_phrase(s, at, one.end, w, &l);
        at = one.end;
    }
    if (at - i >= LINE_MAX_)
        return m;
    m.open = m.open || at == s->n;
    if (is_marking(s, i, at, &l)) {
        m.end = at;
        m.level = l.level;
    }
    return m;
}

/* First visible byte of the line that p[end - 1] is in; end if it has none or is too long. */
static size_t line_start(const struct scan *s, size_t end) {
    size_t i = end;
    while (i > 0 && !scan_is(s->p[i - 1], SC_EOL)) {
        if (end - i > LINE_MAX_ + INDENT)
            return end;
        i--;
    }
    size_t first = scan_run(s, i, SC_BLANK, INDENT + 1);
    return first < end && first - i <= INDENT ? first : end;
}

/* ---- detector ---------------------------------------------------------------------------------- */

static void tell(struct scan *s, size_t type, enum bz_proof proof, size_t start,
                 const struct mark *m) {
    if (m->end != 0)
        scan_emit_level(s, type, proof, (enum bz_level)m->level, start, m->end);
}

static void hit(struct scan *s, const struct trigger *t, size_t end) {
    if (t->rule == RULE_LINE) {
        size_t i = line_start(s, end);
        if (i == end || scan_seen(s, end))
            return;
        struct mark m = line_at(s, i);
        scan_saw(s, i, end);
        tell(s, LABEL_MARKING, BZ_PROOF_FORM, i, &m);
        return;
    }
    size_t key = strlen(t->expr);
    if (end < key || scan_is(scan_before(s, end - key), SC_ALNUM))
        return;
    struct mark m = t->rule == RULE_TLP ? tlp_at(s, end) : stated_at(s, end);
    if (t->rule == RULE_TLP)
        tell(s, LABEL_TLP, BZ_PROOF_CHECKSUM, end - key, &m);
    else
        tell(s, LABEL_CLASSIFICATION, BZ_PROOF_CONTEXT, end - key, &m);
}

#define KEY(text)                                                                                  \
    { text, HS_FLAG_CASELESS | TRIGGER_LITERAL | TRIGGER_START, RULE_STATED }
#define LINE(text)                                                                                 \
    { text, HS_FLAG_CASELESS | TRIGGER_LITERAL, RULE_LINE }
static const struct trigger triggers[] = {
    {"tlp:", HS_FLAG_CASELESS | TRIGGER_LITERAL | TRIGGER_START, RULE_TLP},
    LINE("confidential"),
    LINE("restricted"),
    LINE("classified"),
    LINE("internal"),
    LINE("secret"),
    LINE("in confidence"),
    LINE("official use only"),
    LINE("official-sensitive"),
    LINE("public release"),
    LINE("eyes only"),
    LINE("vertraulich"),
    LINE("geheim"),
    LINE("internen gebrauch"),
    LINE("usage interne"),
    LINE("uso interno"),
    LINE("confidentiel"),
    LINE("confidencial"),
    LINE("riservato"),
    {"PUBLIC", TRIGGER_LITERAL, RULE_LINE},
    {"Public", TRIGGER_LITERAL, RULE_LINE},
    {"INTERN", TRIGGER_LITERAL, RULE_LINE},
    {"Intern", TRIGGER_LITERAL, RULE_LINE},
    KEY("classification"),
    KEY("sensitivity"),
    KEY("protective marking"),
    KEY("klassifizierung"),
    KEY("klassifikation"),
    KEY("einstufung"),
    KEY("schutzklasse"),
    KEY("vertraulichkeit"),
    KEY("confidentialit\xc3\xa9"),
    KEY("clasificaci\xc3\xb3n"),
    KEY("classificazione"),
};
#undef KEY
#undef LINE

/* Is the end of the text within a mark that begins with a key at i? */
static bool keyed_open(const struct scan *s, size_t i) {
    for (size_t k = 0; k < sizeof triggers / sizeof triggers[0]; k++) {
        bool cut = false;
        size_t end = triggers[k].rule == RULE_LINE ? 0 : fits(s, i, triggers[k].expr, &cut);
        if (cut)
            return true;
        if (end == 0)
            continue;
        struct mark m = triggers[k].rule == RULE_TLP ? tlp_at(s, end) : stated_at(s, end);
        if (m.open || m.end == s->n)
            return true;
    }
    return false;
}

static size_t live(const struct scan *s, size_t from) {
    enum { LONGEST = 24 + SIGN_MAX + 28 };
    size_t line = line_start(s, s->n);
    if (line < s->n && line >= from && line_at(s, line).open)
        return line;
    size_t i = s->n > LONGEST ? s->n - LONGEST : 0;
    for (i = i < from ? from : i; i < s->n; i++) {
        if (!scan_is(scan_before(s, i), SC_ALNUM) && keyed_open(s, i))
            return i; /* no earlier than the line */
    }
    return s->n;
}

const struct detector detect_labels = {
    .name = "labels",
    .group = DETECT_GROUP_LABELS,
    .triggers = triggers,
    .triggers_n = sizeof triggers / sizeof triggers[0],
    .hit = hit,
    .live = live,
};
