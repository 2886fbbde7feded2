/* The first stage of a reading: NFKC, look-alike letters, nothing that is not seen. Plain ASCII passes
 * untouched; a word with anything else in it is collected whole, since what its letters stand for
 * depends on their neighbours. */
#include "look.h"
#include "readings.h"

#include <bartizan/text.h>
#include <utf8proc.h>

enum {
    WORD_MAX = 64,  /* cells of a word; a longer one is judged in parts */
    BACK_MAX = 48,  /* ASCII letters taken back when a word turns out not to be plain */
    MARKS_MAX = 3,  /* combining marks on one letter; Vietnamese needs two, Hebrew three */
    EXPAND_MAX = 8, /* characters that one may become; a longer phrase is left as it is */
};

struct cell {
    uint32_t cp, from, to;
};

struct folding {
    struct maker m;
    struct bz_view in;
    size_t at;
    uint32_t signs;
    struct cell word[WORD_MAX];
    size_t word_n, marks;
    bool changed;                /* the word is not as it stands in the text */
    bool foreign;                /* it has letters that could look like others */
    size_t unseen_n, unseen_end; /* characters that are not seen, one after the other */
    size_t line;                 /* where the line at `at` began */
    size_t judged;               /* `line` + 1 when the two below are about this line */
    uint32_t scripts;            /* that have letters in the line which look like no Latin ones */
    bool latin;                  /* the line has ASCII letters */
};

/* ---- kinds of characters ----------------------------------------------------------------------- */

/* Scripts of whole languages whose letters are their own normal form and no marks. */
static bool itself(uint32_t cp) {
    return (cp >= 0xc0 && cp <= 0x131 && cp != 0xd7 && cp != 0xf7) ||
           (cp >= 0x391 && cp <= 0x3ce) || (cp >= 0x400 && cp <= 0x481) ||
           (cp >= 0x48a && cp <= 0x52f) || (cp >= 0x5d0 && cp <= 0x5ea) ||
           (cp >= 0x621 && cp <= 0x64a) || (cp >= 0x3041 && cp <= 0x3096) ||
           (cp >= 0x30a1 && cp <= 0x30fa) || (cp >= 0x4e00 && cp <= 0x9fff) ||
           (cp >= 0xac00 && cp <= 0xd7a3);
}

static bool selector(uint32_t cp) {
    return (cp >= 0x180b && cp <= 0x180f) || (cp >= 0xfe00 && cp <= 0xfe0f) ||
           (cp >= 0xe0100 && cp <= 0xe01ef);
}

static bool invisible(uint32_t cp, utf8proc_category_t is) {
    if (is == UTF8PROC_CATEGORY_CF || is == UTF8PROC_CATEGORY_CC || selector(cp))
        return true;
    if ((cp >= 0x334 && cp <= 0x338) || cp == 0x34f) /* struck out letters; the joiner */
        return true;
    if ((cp >= 0x115f && cp <= 0x1160) || cp == 0x3164 || cp == 0xffa0) /* Hangul fillers */
        return true;
    return cp == 0x17b4 || cp == 0x17b5 || (cp >= 0xe0000 && cp <= 0xe0fff) ||
           (cp >= 0x20d0 && cp <= 0x20ff); /* rings and strokes around letters */
}

static bool is_mark(utf8proc_category_t is) {
    return is == UTF8PROC_CATEGORY_MN || is == UTF8PROC_CATEGORY_ME;
}

/* Letters in rings, boxes and flags that NFKC leaves, or writes with brackets. 0: none. */
static uint32_t boxed(uint32_t cp) {
    if (cp >= 0x249c && cp <= 0x24b5)
        return 'a' + (cp - 0x249c);
    if (cp >= 0x1f110 && cp <= 0x1f129)
        return 'A' + (cp - 0x1f110);
    if (cp >= 0x1f130 && cp <= 0x1f149)
        return 'A' + (cp - 0x1f130);
    if (cp >= 0x1f150 && cp <= 0x1f169)
        return 'A' + (cp - 0x1f150);
    if (cp >= 0x1f170 && cp <= 0x1f189)
        return 'A' + (cp - 0x1f170);
    return cp >= 0x1f1e6 && cp <= 0x1f1ff ? 'A' + (cp - 0x1f1e6) : 0;
}

/* Quotes and dashes by their look. 0: none of them. */
static uint32_t punctuation(uint32_t cp) {
    switch (cp) {
    case 0x00ab:
    case 0x00bb:
    case 0x2033:
    case 0x2036:
        return '"';
    case 0x00b4:
    case 0x2032:
    case 0x2035:
    case 0x2039:
    case 0x203a:
    case 0x02b9:
    case 0x02bb:
    case 0x02bc:
        return '\'';
    case 0x2044:
    case 0x2215:
        return '/';
    case 0x2043:
    case 0x2212:
        return '-';
    case 0x2236:
    case 0xa789:
    case 0x02d0:
        return ':';
    case 0x2217:
        return '*';
    case 0x223c:
        return '~';
    case 0x01c3:
        return '!';
    case 0xa4f8:
        return '.';
    case 0x2223:
        return '|';
    default:
        break;
    }
    if (cp >= 0x2010 && cp <= 0x2015)
        return '-';
    if (cp >= 0x2018 && cp <= 0x201b)
        return '\'';
    return cp >= 0x201c && cp <= 0x201f ? '"' : 0;
}

static bool breaks_line(uint32_t cp) {
    return cp == '\n' || cp == '\r' || cp == '\v' || cp == '\f' || cp == 0x85 || cp == 0x2028 ||
           cp == 0x2029;
}

/* ---- marks ------------------------------------------------------------------------------------- */

static void by_class(utf8proc_int32_t *v, size_t n) {
    for (size_t i = 1; i < n; i++) {
        for (size_t k = i; k > 0; k--) {
            utf8proc_propval_t a = utf8proc_get_property(v[k - 1])->combining_class;
            utf8proc_propval_t b = utf8proc_get_property(v[k])->combining_class;
            if (b == 0 || a <= b)
                break;
            utf8proc_int32_t t = v[k];
            v[k] = v[k - 1];
            v[k - 1] = t;
        }
    }
}

/* n cells, a letter and what stands on it, as their composed form; how many they are then. */
static size_t compose(struct cell *c, size_t n) {
    utf8proc_int32_t v[(MARKS_MAX + 2) * 4];
    utf8proc_ssize_t len = 0;
    for (size_t i = 0; i < n; i++) {
        int boundary = 0;
        utf8proc_ssize_t more = utf8proc_decompose_char(
            (utf8proc_int32_t)c[i].cp, v + len, 4, UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, &boundary);
        if (more <= 0 || more > 4)
            return n;
        len += more;
    }
    by_class(v, (size_t)len);
    len = utf8proc_normalize_utf32(v, len, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    if (len <= 0 || (size_t)len > n)
        return n;
    uint32_t from = c[0].from;
    uint32_t to = c[n - 1].to;
    for (utf8proc_ssize_t i = 0; i < len; i++)
        c[i] = (struct cell){(uint32_t)v[i], from, to};
    return (size_t)len;
}

static bool is_mark_cell(const struct cell *c) {
    return c->cp >= 0x300 && is_mark(utf8proc_category((utf8proc_int32_t)c->cp));
}

/* Composes every letter of the word anew: letters have changed under their marks. */
static void compose_word(struct folding *f) {
    size_t n = 0;
    for (size_t i = 0; i < f->word_n;) {
        size_t take = 1;
        while (i + take < f->word_n && take <= MARKS_MAX && is_mark_cell(&f->word[i + take]))
            take++;
        size_t left = take == 1 ? 1 : compose(f->word + i, take);
        memmove(f->word + n, f->word + i, left * sizeof f->word[0]);
        n += left;
        i += take;
    }
    f->word_n = n;
}

/* ---- words ------------------------------------------------------------------------------------- */

/* Letters that no row of look-alikes has: most of Latin, and what is written without an alphabet. */
static bool plain_letter(uint32_t cp) {
    return cp < 0x131 || (cp >= 0x5d0 && cp <= 0x6ff) || (cp >= 0x3041 && cp <= 0xa4cf) ||
           (cp >= 0xac00 && cp <= 0xd7a3);
}

static void put_cell(struct folding *f, const struct cell *c) {
    uint8_t out[4];
    size_t n = bz_utf8_encode(c->cp, out);
    if (n == c->to - c->from && memcmp(out, f->in.p + c->from, n) == 0)
        maker_same(&f->m, out, n, c->from);
    else
        maker_put(&f->m, out, n, c->from, c->to - c->from, STRETCH_WHOLE);
}

/* The letter that a character is without its style and marks. */
static uint32_t bare(uint32_t cp) {
    utf8proc_int32_t v[24];
    int boundary = 0;
    if (cp < 0x80 || itself(cp))
        return cp;
    if (boxed(cp) != 0)
        return boxed(cp);
    utf8proc_ssize_t n =
        utf8proc_decompose_char((utf8proc_int32_t)cp, v, 24,
                                UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STABLE, &boundary);
    return n > 0 && n <= 24 ? (uint32_t)v[0] : cp;
}

/* What scripts the line has that are surely meant: letters that look like no Latin one, or like one
 * only loosely in a word without Latin letters. */
static void judge_line(struct folding *f) {
    if (f->judged == f->line + 1)
        return;
    f->judged = f->line + 1;
    f->scripts = 0;
    f->latin = false;
    uint32_t loose = 0;
    bool mixed = false;
    for (size_t at = f->line; at < f->in.n;) {
        uint32_t cp = f->in.p[at];
        size_t used = cp < 0x80 ? 1 : bz_utf8_next(bz_view_sub(f->in, at, 4), &cp);
        if (used != 0 && breaks_line(cp))
            break;
        at += used == 0 ? 1 : used;
        cp = used == 0 ? 0xfffd : bare(cp);
        enum script s = look_script(cp);
        uint8_t as = 0;
        bool ours = s > SCRIPT_LATIN && s < SCRIPT_OTHER;
        enum look_kind k = ours ? look_latin(cp, &as) : LOOK_NONE;
        f->latin |= s == SCRIPT_LATIN;
        mixed |= s == SCRIPT_LATIN;
        if (ours && k == LOOK_NONE)
            f->scripts |= 1u << s;
        if (ours && k == LOOK_LOOSE)
            loose |= 1u << s;
        if (s == SCRIPT_NONE && cp < 0x80) { /* a word ends */
            f->scripts |= mixed ? 0 : loose;
            loose = 0;
            mixed = false;
        }
    }
    f->scripts |= mixed ? 0 : loose;
}

struct census {
    size_t latin, other, alike, loose, sure; /* letters */
    size_t back;                             /* Latin letters that have a twin in `script` */
    enum script script;                      /* of the others; SCRIPT_OTHER: several */
};

static struct census count(const struct folding *f) {
    struct census c = {.script = SCRIPT_NONE};
    for (size_t i = 0; i < f->word_n; i++) {
        uint32_t cp = f->word[i].cp;
        enum script s = look_script(cp);
        uint8_t as = 0;
        if (s == SCRIPT_NONE)
            continue;
        if (s == SCRIPT_LATIN) {
            c.latin++;
            continue;
        }
        if (c.script == SCRIPT_NONE)
            c.script = s;
        else if (c.script != s)
            c.script = SCRIPT_OTHER;
        enum look_kind k = look_latin(cp, &as);
        c.other++;
        c.alike += k == LOOK_ALIKE;
        c.loose += k == LOOK_LOOSE;
        c.sure += k == LOOK_NONE;
    }
    for (size_t i = 0; c.script != SCRIPT_NONE && i < f->word_n; i++) {
        uint32_t cp = f->word[i].cp;
        c.back += cp < 0x80 && look_from_latin((uint8_t)cp, c.script) != 0;
    }
    return c;
}

enum turn { TURN_NONE, TURN_LATIN, TURN_SCRIPT };

/* Which way the letters of the word are to be read. A word of two scripts is Latin unless it has more
 * letters that only the other script has, and all its Latin ones have twins there. A word that is all
 * look-alikes is Latin where nothing of its line is surely of its script. */
static enum turn judge_word(struct folding *f, const struct census *c) {
    if (c->other == 0)
        return TURN_NONE;
    if (c->latin != 0) {
        bool twins = (c->script == SCRIPT_CYRILLIC || c->script == SCRIPT_GREEK) &&
                     c->back == c->latin && c->loose + c->sure != 0 && c->other > c->latin;
        if (twins)
            return TURN_SCRIPT;
        return c->alike + c->loose != 0 && c->sure == 0 ? TURN_LATIN : TURN_NONE;
    }
    if (c->alike != c->other)
        return TURN_NONE;
    judge_line(f);
    uint32_t bit = c->script == SCRIPT_OTHER ? ~0u : 1u << c->script;
    bool common =
        c->script == SCRIPT_CYRILLIC || c->script == SCRIPT_GREEK || c->script == SCRIPT_ARMENIAN;
    return (f->scripts & bit) == 0 && (f->latin || !common) ? TURN_LATIN : TURN_NONE;
}

/* The letter that a cell is read as. */
static uint32_t turned(uint32_t cp, enum turn turn, enum script script) {
    uint8_t as = 0;
    if (cp < 0x80) {
        uint32_t twin = turn == TURN_SCRIPT ? look_from_latin((uint8_t)cp, script) : 0;
        return twin != 0 ? twin : cp;
    }
    enum look_kind k = look_latin(cp, &as);
    return k == LOOK_ALWAYS || (k != LOOK_NONE && turn == TURN_LATIN) ? as : cp;
}

/* A word that stands as it is, and is no word of look-alikes. */
static bool as_it_is(const struct folding *f) {
    if (!f->foreign)
        return true;
    for (size_t i = 0; i < f->word_n; i++) {
        if (look_script(f->word[i].cp) <= SCRIPT_LATIN)
            return false; /* a closer look */
    }
    for (size_t i = 0; i < f->word_n; i++) {
        uint8_t as = 0;
        enum look_kind k = look_latin(f->word[i].cp, &as);
        if (k != LOOK_ALIKE)
            return k != LOOK_ALWAYS;
    }
    return false;
}

/* Puts the word but for its last `keep` cells. */
static void flush(struct folding *f, size_t keep) {
    if (f->word_n == 0) {
        f->foreign = f->changed = false;
        return;
    }
    if (keep == 0 && !f->changed && as_it_is(f)) {
        size_t from = f->word[0].from;
        maker_same(&f->m, f->in.p + from, f->word[f->word_n - 1].to - from, from);
        f->word_n = 0;
        f->foreign = false;
        return;
    }
    if (f->foreign) {
        struct census c = count(f);
        enum turn turn = judge_word(f, &c);
        bool changed = false;
        for (size_t i = 0; i < f->word_n; i++) {
            uint32_t as = turned(f->word[i].cp, turn, c.script);
            if (as == f->word[i].cp)
                continue;
            bool other =
                turn != TURN_NONE && (as >= 0x80 || look_script(f->word[i].cp) != SCRIPT_LATIN);
            f->signs |= other ? BZ_SIGN_CONFUSABLE : BZ_SIGN_STYLED;
            f->word[i].cp = as;
            changed = true;
        }
        if (changed)
            compose_word(f);
        if (keep > f->word_n)
            keep = f->word_n;
    }
    for (size_t i = 0; i < f->word_n - keep; i++)
        put_cell(f, &f->word[i]);
    if (keep != 0)
        memmove(f->word, f->word + f->word_n - keep, keep * sizeof f->word[0]);
    f->word_n = keep;
    if (keep == 0)
        f->foreign = f->changed = false;
}

static void add(struct folding *f, uint32_t cp, size_t from, size_t to) {
    if (f->word_n == WORD_MAX)
        flush(f, MARKS_MAX + 1);
    f->foreign |= !plain_letter(cp);
    f->word[f->word_n++] = (struct cell){cp, (uint32_t)from, (uint32_t)to};
}

/* One character that is part of no word, for [from, to). */
static void alone(struct folding *f, uint32_t cp, size_t from, size_t to) {
    flush(f, 0);
    struct cell c = {cp, (uint32_t)from, (uint32_t)to};
    put_cell(f, &c);
    if (cp == '\n')
        f->line = to;
}

static void mark(struct folding *f, uint32_t cp, size_t from, size_t to) {
    f->changed = true;
    if (f->word_n == 0) { /* on a blank or sign, where it says nothing */
        f->marks = 1;
        add(f, cp, from, to);
        return;
    }
    size_t take = 1;
    while (take < f->word_n && take <= MARKS_MAX && is_mark_cell(&f->word[f->word_n - take]))
        take++;
    if (f->marks >= MARKS_MAX || take > MARKS_MAX) { /* letters that drown in marks */
        f->signs |= BZ_SIGN_STYLED;
        f->word[f->word_n - 1].to = (uint32_t)to;
        return;
    }
    f->marks++;
    add(f, cp, from, to);
    size_t n = compose(f->word + f->word_n - take - 1, take + 1);
    f->word_n -= take + 1 - n;
}

/* ---- one character ----------------------------------------------------------------------------- */

/* Rows of characters that nobody sees, which spell something. One selector follows an emoji; three bits
 * join a family. */
static void hidden(struct folding *f, uint32_t cp, size_t to) {
    bool goes_on = f->unseen_end + 4 >= to && f->unseen_n != 0;
    f->unseen_n = goes_on ? f->unseen_n + 1 : 1;
    f->unseen_end = to;
    if (f->unseen_n < 4)
        return;
    if (selector(cp))
        f->signs |= SIGN_SELECTORS;
    else if ((cp >= 0x200b && cp <= 0x200d) || (cp >= 0x2062 && cp <= 0x2064))
        f->signs |= SIGN_BITS;
}

static void unseen(struct folding *f, uint32_t cp, size_t to) {
    f->changed = true;
    if (cp == 0x202d || cp == 0x202e)
        f->signs |= BZ_SIGN_BIDI;
    if (cp == 0x202e)
        f->signs |= SIGN_RIGHT_TO_LEFT;
    if (cp >= 0xe0000 && cp <= 0xe007f)
        f->signs |= BZ_SIGN_TAGS;
    hidden(f, cp, to);
    /* Between two Latin letters nothing unseen has a purpose, but for the soft hyphen. */
    bool inside = f->word_n != 0 && look_script(f->word[f->word_n - 1].cp) == SCRIPT_LATIN &&
                  to < f->in.n && look_script(f->in.p[to]) == SCRIPT_LATIN;
    if (inside && cp != 0xad)
        f->signs |= BZ_SIGN_INVISIBLE;
}

static bool styled(uint32_t cp) {
    return (cp >= 0x2100 && cp <= 0x214f) || (cp >= 0x2460 && cp <= 0x24ff) ||
           (cp >= 0xff21 && cp <= 0xff5a) || (cp >= 0x1d400 && cp <= 0x1d7ff);
}

static bool letter_like(uint32_t cp) {
    if (cp < 0x80)
        return look_script(cp) == SCRIPT_LATIN || cp - '0' < 10;
    utf8proc_category_t is = utf8proc_category((utf8proc_int32_t)cp);
    return is <= UTF8PROC_CATEGORY_ME || (is >= UTF8PROC_CATEGORY_ND && is <= UTF8PROC_CATEGORY_NO);
}

static void one_of(struct folding *f, uint32_t cp, size_t from, size_t to) {
    if (letter_like(cp)) {
        f->marks = 0;
        add(f, cp, from, to);
    } else {
        alone(f, cp, from, to);
    }
}

/* A character by its compatibility form. */
static void compatible(struct folding *f, uint32_t cp, size_t from, size_t to) {
    f->changed = true;
    utf8proc_int32_t v[24];
    int boundary = 0;
    utf8proc_ssize_t n =
        utf8proc_decompose_char((utf8proc_int32_t)cp, v, 24,
                                UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STABLE, &boundary);
    if (n > 0 && n <= 24)
        n = utf8proc_normalize_utf32(v, n, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    if (n <= 0 || n > EXPAND_MAX) {
        one_of(f, cp, from, to);
        return;
    }
    if (styled(cp) && v[0] < 0x80)
        f->signs |= BZ_SIGN_STYLED;
    for (utf8proc_ssize_t i = 0; i < n; i++) {
        uint32_t as = (uint32_t)v[i];
        utf8proc_category_t is = utf8proc_category(v[i]);
        uint32_t sign = as < 0x80 ? 0 : punctuation(as);
        f->changed = true; /* a sign among them ends the word before */
        if (sign != 0)
            alone(f, sign, from, to);
        else if (is_mark(is) && !invisible(as, is))
            mark(f, as, from, to);
        else if (!invisible(as, is))
            one_of(f, as, from, to);
    }
}

static void wide(struct folding *f, uint32_t cp, size_t from, size_t to) {
    if (itself(cp)) {
        f->marks = 0;
        f->changed |= cp == 0x130;
        cp = cp == 0x130 ? 'I' : cp; /* Turkish; its lower case is i and a dot of its own */
        add(f, cp, from, to);
        return;
    }
    if (cp == 0x85 || cp == 0x2028 || cp == 0x2029) {
        alone(f, '\n', from, to);
        return;
    }
    const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)cp);
    utf8proc_category_t is = (utf8proc_category_t)p->category;
    if (invisible(cp, is)) {
        unseen(f, cp, to);
        return;
    }
    uint32_t as = punctuation(cp);
    if (is == UTF8PROC_CATEGORY_ZS || cp == 0x2800)
        as = ' ';
    if (as != 0) {
        alone(f, as, from, to);
        return;
    }
    as = boxed(cp);
    if (as != 0) {
        f->changed = true;
        f->signs |= cp < 0x1f1e6 ? BZ_SIGN_STYLED : 0; /* flags are letters, and usual */
        add(f, as, from, to);
    } else if (is_mark(is)) {
        mark(f, cp, from, to);
    } else if ((cp >= 0x1161 && cp <= 0x11ff) && f->word_n != 0) { /* parts of Hangul syllables */
        add(f, cp, from, to);
        f->changed = true;
        f->word_n -= 2 - compose(f->word + f->word_n - 2, 2);
    } else if (p->decomp_seqindex != UINT16_MAX) {
        compatible(f, cp, from, to);
    } else {
        one_of(f, cp, from, to);
    }
}

/* An escape sequence of terminals at v, "\x1b[1;31m": its length, or 1. */
static size_t terminal(struct bz_view v) {
    if (v.n < 3 || v.p[1] != '[')
        return 1;
    for (size_t i = 2; i < v.n && i < 32; i++) {
        if (v.p[i] >= 0x40 && v.p[i] <= 0x7e)
            return i + 1;
        if (v.p[i] < 0x20 || v.p[i] > 0x3f)
            break;
    }
    return 1;
}

static void control(struct folding *f, uint32_t cp, size_t from) {
    size_t used = 1;
    if (cp == '\v' || cp == '\f') {
        alone(f, '\n', from, from + 1);
    } else {
        if (cp == 0x1b)
            used = terminal(bz_view_sub(f->in, from, f->in.n));
        unseen(f, cp, from + used);
    }
    f->at = from + used;
}

/* ---- text -------------------------------------------------------------------------------------- */

typedef uint8_t lane16 __attribute__((vector_size(16), aligned(1)));
typedef uint64_t pair16 __attribute__((vector_size(16)));

static inline lane16 odd(lane16 x) {
    lane16 bad = (lane16)(x - 0x20 > 0x7e - 0x20);
    return bad & (lane16)(x != '\t') & (lane16)(x != '\n') & (lane16)(x != '\r');
}

static bool is_plain(uint8_t c) {
    return (c >= 0x20 && c <= 0x7e) || c == '\t' || c == '\n' || c == '\r';
}

static size_t plain_run(struct bz_view v) {
    size_t i = 0;
    for (; v.n - i >= 64; i += 64) {
        lane16 x[4];
        memcpy(x, v.p + i, sizeof x);
        pair16 any = (pair16)(odd(x[0]) | odd(x[1]) | odd(x[2]) | odd(x[3]));
        if ((any[0] | any[1]) != 0)
            break;
    }
    while (i < v.n && is_plain(v.p[i]))
        i++;
    return i;
}

static bool ascii_word(uint8_t c) {
    return (uint8_t)((c | 0x20) - 'a') < 26 || (uint8_t)(c - '0') < 10;
}

/* A run of plain bytes at f->at; the letters before something else begin a word. */
static void ascii(struct folding *f, size_t run) {
    size_t end = f->at + run;
    size_t back = end;
    if (end < f->in.n) {
        while (back > f->at && end - back < BACK_MAX && ascii_word(f->in.p[back - 1]))
            back--;
    }
    if (back != f->at) {
        flush(f, 0);
        maker_same(&f->m, f->in.p + f->at, back - f->at, f->at);
        size_t line = back;
        while (line > f->at && !breaks_line(f->in.p[line - 1]))
            line--;
        f->line = line > f->at ? line : f->line;
    }
    for (f->at = back; f->at < end; f->at++) {
        f->marks = 0;
        add(f, f->in.p[f->at], f->at, f->at + 1);
    }
}

/* Flags of regions are a black flag, letters of the tag block, and its end: usual, and unseen by right.
 * Their length at v; 0: it is none. */
static size_t region_flag(struct bz_view v) {
    size_t at = 0;
    for (size_t i = 0; i < 8; i++) {
        uint32_t cp = 0;
        size_t used = bz_utf8_next(bz_view_sub(v, at, 4), &cp);
        at += used;
        if (i >= 3 && cp == 0xe007f)
            return at;
        bool letter = cp >= 0xe0061 && cp <= 0xe007a;
        bool digit = cp >= 0xe0030 && cp <= 0xe0039;
        if (used == 0 || (!letter && !digit))
            break;
    }
    return 0;
}

/* From a character that is not plain to the next ASCII one that is part of no word. */
static void odd_word(struct folding *f) {
    while (f->at < f->in.n) {
        size_t from = f->at;
        uint32_t cp = f->in.p[from];
        if (cp < 0x80) {
            if (!is_plain((uint8_t)cp)) {
                control(f, cp, from);
                continue;
            }
            if (!ascii_word((uint8_t)cp))
                return;
            f->marks = 0;
            add(f, cp, from, from + 1);
            f->at++;
            continue;
        }
        size_t used = bz_utf8_next(bz_view_sub(f->in, from, 4), &cp);
        if (used == 0) { /* not UTF-8 */
            cp = 0xfffd;
            used = 1;
            f->changed = true;
        }
        f->at = from + used;
        wide(f, cp, from, f->at);
        if (cp == 0x1f3f4)
            f->at += region_flag(bz_view_sub(f->in, f->at, 40));
    }
}

bool canon_fold(struct work *w, const struct layer *in, struct layer *ret, uint32_t *ret_signs) {
    *ret = *in;
    size_t run = plain_run(in->text);
    if (run == in->text.n)
        return true;
    struct folding f = {.in = in->text};
    maker_init(&f.m, w, in->text.n);
    while (f.at < f.in.n && !f.m.failed) {
        if (run != 0)
            ascii(&f, run);
        odd_word(&f);
        run = plain_run(bz_view_sub(f.in, f.at, f.in.n));
    }
    flush(&f, 0);
    *ret_signs |= f.signs;
    if (f.m.failed)
        return false;
    bool in_place = maker_is_same(&f.m, in->text.n);
    if (in_place && !f.m.changed)
        return true;
    ret->text = bz_view(f.m.p, f.m.n);
    if (!in_place)
        ret->map = maker_map(&f.m, in->map);
    return in_place || ret->map != NULL;
}
