/* One pattern against the text around its anchor: words, gaps counted in words, stems. Forward only,
 * no deeper than a pattern has parts, and no longer than the job's steps. */
#include <bartizan/text.h>
#include <utf8proc.h>

#include "rules_int.h"

/* ---- what a word is ---- */

/* Scripts that put no blank between words: each character counts as a word. */
static bool alone(uint32_t cp) {
    static const uint32_t range[][2] = {
        {0x0e00, 0x0eff}, {0x1000, 0x109f}, {0x1780, 0x17ff}, {0x3005, 0x3007},   {0x3040, 0x30ff},
        {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xf900, 0xfaff}, {0x20000, 0x323af},
    };
    for (size_t i = 0; i < sizeof range / sizeof range[0]; i++) {
        if (cp >= range[i][0] && cp <= range[i][1])
            return true;
    }
    return false;
}

static enum char_class class_of(uint32_t cp) {
    utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)cp);
    if (c < UTF8PROC_CATEGORY_LU || c > UTF8PROC_CATEGORY_NO)
        return CHAR_SIGN;
    return alone(cp) ? CHAR_ALONE : CHAR_LETTER;
}

#define L CHAR_LETTER
#define L10 L, L, L, L, L, L, L, L, L, L
#define L26 L10, L10, L, L, L, L, L, L
static const uint8_t ascii[128] = {['0'] = L10, ['A'] = L26, ['a'] = L26};
#undef L
#undef L10
#undef L26

enum char_class match_class(struct bz_view text, size_t p, size_t *ret_n) {
    uint32_t cp = 0;
    *ret_n = 1;
    if (text.p[p] < 0x80)
        return (enum char_class)ascii[text.p[p]];
    size_t n = bz_utf8_next(bz_view_sub(text, p, 4), &cp);
    if (n == 0)
        return CHAR_SIGN;
    *ret_n = n;
    return class_of(cp);
}

static inline enum char_class class_at(struct bz_view text, size_t p, size_t *ret_n) {
    if (text.p[p] >= 0x80)
        return match_class(text, p, ret_n);
    *ret_n = 1;
    return (enum char_class)ascii[text.p[p]];
}

/* Class of the character before p > 0, and where it begins. */
static inline enum char_class class_before(struct bz_view text, size_t p, size_t *ret_at) {
    size_t n = 0;
    *ret_at = p - 1;
    if (text.p[p - 1] < 0x80)
        return (enum char_class)ascii[text.p[p - 1]];
    for (size_t k = 1; k <= 4 && k <= p; k++) {
        if ((text.p[p - k] & 0xc0) == 0x80)
            continue;
        enum char_class c = match_class(text, p - k, &n);
        if (n != k)
            break;
        *ret_at = p - k;
        return c;
    }
    *ret_at = p - 1;
    return CHAR_SIGN;
}

static inline bool ascii_letter(uint8_t c) {
    return c < 0x80 && ascii[c] == CHAR_LETTER;
}

bool match_edge(struct bz_view text, size_t p) {
    size_t n = 0;
    if (p > 0 && p < text.n && text.p[p - 1] < 0x80 && text.p[p] < 0x80)
        return ascii[text.p[p - 1]] != CHAR_LETTER || ascii[text.p[p]] != CHAR_LETTER;
    return p == 0 || p >= text.n || class_before(text, p, &n) != CHAR_LETTER ||
           class_at(text, p, &n) != CHAR_LETTER;
}

size_t match_word_start(struct bz_view text, size_t p) {
    size_t n = 0, at = 0;
    if (p >= text.n || class_at(text, p, &n) != CHAR_LETTER)
        return p;
    size_t k = 0;
    for (; k < TOKEN_MAX && p > 0 && ascii_letter(text.p[p - 1]); k++)
        p--;
    for (; k < TOKEN_MAX && p > 0 && class_before(text, p, &at) == CHAR_LETTER; k++)
        p = at;
    return p;
}

size_t match_word_before(struct bz_view text, size_t p) {
    size_t at = 0, i = p;
    enum char_class c = CHAR_SIGN;
    for (size_t k = 0; k <= SEPARATORS && i > 0; k++) {
        c = class_before(text, i, &at);
        i = at;
        if (c == CHAR_LETTER)
            return match_word_start(text, i);
        if (c == CHAR_ALONE)
            return i;
    }
    return p;
}

/* Behind the signs and blanks at p, of which there may be a few. */
static size_t skip_signs(struct bz_view text, size_t p) {
    size_t n = 0;
    for (size_t k = 0; k < SEPARATORS && p < text.n; k++) {
        if (class_at(text, p, &n) != CHAR_SIGN)
            break;
        p += n;
    }
    return p;
}

/* The end of the word at p; p when there is none, or it is too long to be one. */
static size_t word_end(struct bz_view text, size_t p) {
    size_t n = 0, from = p;
    while (p < text.n && p - from <= TOKEN_MAX) {
        enum char_class c = class_at(text, p, &n);
        if (c == CHAR_ALONE && p == from)
            return p + n;
        if (c != CHAR_LETTER)
            return p;
        p += n;
    }
    return p - from > TOKEN_MAX ? from : p;
}

/* ---- phrases ---- */

static size_t forward(struct bz_view text, size_t p, size_t letters) {
    size_t n = 0;
    while (letters-- > 0 && p < text.n && class_at(text, p, &n) == CHAR_LETTER)
        p += n;
    return p;
}

static bool here(struct bz_view text, size_t p, const uint8_t *w, size_t n) {
    return p <= text.n && n <= text.n - p && memcmp(text.p + p, w, n) == 0;
}

/* Behind the word that stands at p; SIZE_MAX: another one does. */
static size_t match_word(const struct match_job *j, const struct pk_word *w, size_t p) {
    struct bz_view text = j->text;
    const uint8_t *lit = j->r->text + w->text;
    if ((w->flags & WORD_RAW) != 0)
        return here(text, p, lit, w->n) ? p + w->n : SIZE_MAX;
    size_t last = (w->flags & WORD_HEAD) != 0 ? forward(text, p, STEM_HEAD) : p;
    size_t n = 1;
    for (; p <= last && p < text.n; p += n) {
        if (here(text, p, lit, w->n)) {
            size_t end = p + w->n;
            if ((w->flags & WORD_TAIL) != 0)
                end = forward(text, end, STEM_TAIL);
            if (match_edge(text, end))
                return end;
        }
        (void)class_at(text, p, &n);
    }
    return SIZE_MAX;
}

static bool take_step(struct match_job *j) {
    if (j->steps == 0)
        return false;
    j->steps--;
    return true;
}

/* edge: a word may begin at p < text.n. */
static size_t match_phrase(struct match_job *j, const struct pk_alt *a, size_t p, bool edge) {
    const struct pk_word *w = j->r->words + a->word;
    if ((w->flags & WORD_RAW) == 0 && !edge)
        return SIZE_MAX;
    if (!take_step(j))
        return SIZE_MAX;
    for (uint32_t i = 0; i < a->n && p != SIZE_MAX; i++)
        p = match_word(j, &w[i], i == 0 ? p : skip_signs(j->text, p));
    return p;
}

static inline bool may_begin(const struct pk_list *l, struct bz_view text, size_t p) {
    if (p >= text.n)
        return false;
    unsigned bit = pk_pair(text.p[p], p + 1 < text.n ? text.p[p + 1] : 0);
    return (l->first[bit / 32] >> bit % 32 & 1) != 0;
}

/* ---- patterns ---- */

static bool match_from(struct match_job *j, const struct pk_elem *e, size_t n, size_t p,
                       size_t *ret_end);

static inline bool differs(const struct pk_alt *a, struct bz_view text, size_t p) {
    if (a->any == ALT_ANY)
        return false;
    if (a->first[0] != text.p[p])
        return true;
    return a->any == ALT_TWO && (p + 1 >= text.n || a->first[1] != text.p[p + 1]);
}

static bool match_list(struct match_job *j, const struct pk_elem *e, size_t n, size_t p,
                       size_t *ret_end) {
    const struct pk_list *l = j->r->lists + e->list;
    if (!may_begin(l, j->text, p))
        return false;
    bool edge = match_edge(j->text, p);
    const struct pk_alt *a = j->r->alts + l->alt;
    for (uint32_t i = 0; i < l->n && j->steps > 0; i++) {
        if (differs(&a[i], j->text, p))
            continue;
        size_t end = match_phrase(j, &a[i], p, edge);
        if (end != SIZE_MAX && match_from(j, e + 1, n - 1, end, ret_end))
            return true;
    }
    return false;
}

size_t match_phrases(struct match_job *j, const struct pk_list *l, size_t p) {
    size_t best = 0;
    if (!may_begin(l, j->text, p))
        return 0;
    bool edge = match_edge(j->text, p);
    for (uint32_t i = 0; i < l->n && j->steps > 0; i++) {
        const struct pk_alt *a = j->r->alts + l->alt + i;
        size_t end = differs(a, j->text, p) ? SIZE_MAX : match_phrase(j, a, p, edge);
        if (end != SIZE_MAX && end > best)
            best = end;
    }
    return best;
}

/* At p, and behind each of the signs there. */
static bool match_near(struct match_job *j, const struct pk_elem *e, size_t n, size_t p,
                       size_t *ret_end) {
    size_t len = 0;
    for (size_t k = 0; k <= SEPARATORS && p < j->text.n; k++) {
        if (match_list(j, e, n, p, ret_end))
            return true;
        if (class_at(j->text, p, &len) != CHAR_SIGN)
            return false;
        p += len;
    }
    return false;
}

static bool match_gap(struct match_job *j, const struct pk_elem *e, size_t n, size_t p,
                      size_t *ret_end) {
    for (size_t k = 0; k <= e->n && take_step(j); k++) {
        if (match_from(j, e + 1, n - 1, p, ret_end))
            return true;
        size_t word = skip_signs(j->text, p);
        size_t end = word_end(j->text, word);
        if (end == word)
            return false;
        p = end;
    }
    return false;
}

static bool match_bytes(struct match_job *j, const struct pk_elem *e, size_t n, size_t p,
                        size_t *ret_end) {
    for (size_t k = 0; k <= e->n && p + k < j->text.n && take_step(j); k++) {
        if ((e + 1)->kind == ELEM_LIST && (e + 1)->flags == 0) {
            if (match_list(j, e + 1, n - 1, p + k, ret_end))
                return true;
        } else if (match_from(j, e + 1, n - 1, p + k, ret_end)) {
            return true;
        }
        if (j->text.p[p + k] == '\n')
            return false;
    }
    return false;
}

/* Nothing but a few signs between p and the beginning of its line. */
static bool line_begins(struct bz_view text, size_t p) {
    size_t at = 0;
    for (size_t k = 0; k <= SEPARATORS; k++) {
        if (p == 0 || text.p[p - 1] == '\n')
            return true;
        if (class_before(text, p, &at) != CHAR_SIGN)
            return false;
        p = at;
    }
    return false;
}

static bool line_ends(struct bz_view text, size_t p) {
    size_t n = 0;
    for (size_t k = 0; k <= SEPARATORS; k++) {
        if (p >= text.n || text.p[p] == '\n')
            return true;
        if (class_at(text, p, &n) != CHAR_SIGN)
            return false;
        p += n;
    }
    return false;
}

/* Does a phrase of the list end before p, with a blank between at most? */
static bool stands_before(struct match_job *j, const struct pk_list *l, size_t p) {
    size_t from = p;
    for (size_t k = 0; k < ALT_WORDS; k++) {
        size_t at = match_word_before(j->text, from);
        if (at == from)
            return false;
        from = at;
        for (uint32_t i = 0; may_begin(l, j->text, from) && i < l->n && j->steps > 0; i++) {
            const struct pk_alt *a = j->r->alts + l->alt + i;
            size_t end = differs(a, j->text, from) ? SIZE_MAX : match_phrase(j, a, from, true);
            if (end != SIZE_MAX && end <= p && p - end <= 1)
                return end == p || j->text.p[end] == ' ';
        }
    }
    return false;
}

static bool match_from(struct match_job *j, const struct pk_elem *e, size_t n, size_t p,
                       size_t *ret_end) {
    if (n == 0) {
        *ret_end = p;
        return true;
    }
    switch ((enum elem_kind)e->kind) {
    case ELEM_LIST:
        if (match_near(j, e, n, p, ret_end))
            return true;
        return (e->flags & ELEM_OPTIONAL) != 0 && match_from(j, e + 1, n - 1, p, ret_end);
    case ELEM_GAP:
        return match_gap(j, e, n, p, ret_end);
    case ELEM_BYTES:
        return match_bytes(j, e, n, p, ret_end);
    case ELEM_END:
        return line_ends(j->text, p) && match_from(j, e + 1, n - 1, p, ret_end);
    case ELEM_BEGIN:
    case ELEM_NOT:
    case ELEM_COUNT:
    default:
        return false;
    }
}

bool match_pattern(struct match_job *j, const struct pk_pattern *p, size_t from, size_t *ret_end) {
    const struct pk_elem *e = j->r->elems + p->elem;
    size_t n = p->elems;
    const struct pk_elem *before = e->kind == ELEM_LIST ? NULL : e;
    if (before != NULL) {
        e++;
        n--;
    }
    if (n == 0 || e->kind != ELEM_LIST || !match_list(j, e, n, from, ret_end))
        return false;
    if (before != NULL && before->kind == ELEM_BEGIN)
        return line_begins(j->text, from);
    return before == NULL || !stands_before(j, j->r->lists + before->list, from);
}
