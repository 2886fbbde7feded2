/* The language of patterns: phrases become lists, patterns become elements. */
#include <bartizan/text.h>
#include <utf8proc.h>

#include "rules_int.h"

#define NONE ((struct bz_view){0})

/* ---- phrases ---- */

static size_t blanks(struct bz_view v, size_t i) {
    while (i < v.n && v.p[i] == ' ')
        i++;
    return i;
}

static struct bz_view trimmed(struct bz_view v) {
    size_t i = blanks(v, 0);
    while (v.n > i && v.p[v.n - 1] == ' ')
        v.n--;
    return bz_view_sub(v, i, v.n);
}

/* The letter without its marks as ASCII, which many type instead; '\0': there is none. */
static char plain_letter(uint32_t cp) {
    static const struct {
        uint32_t cp;
        char as;
    } own[] = {{0xf8, 'o'}, {0x111, 'd'}, {0x131, 'i'}, {0x142, 'l'}};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (own[i].cp == cp)
            return own[i].as;
    }
    utf8proc_int32_t parts[8];
    int bounds = 0;
    utf8proc_ssize_t n =
        utf8proc_decompose_char((utf8proc_int32_t)cp, parts, 8, UTF8PROC_DECOMPOSE, &bounds);
    return n > 0 && parts[0] >= 'a' && parts[0] <= 'z' ? (char)parts[0] : '\0';
}

/* The phrase as somebody writes it who has no such keys; false: it is the same, or cannot be. */
static bool without_marks(struct bz_view v, struct bz_buf *out) {
    bool changed = false;
    for (size_t i = 0; i < v.n;) {
        uint32_t cp = 0;
        size_t n = bz_utf8_next(bz_view_sub(v, i, v.n), &cp);
        if (n == 0)
            return false;
        char c = cp < 0x80 ? (char)cp : plain_letter(cp);
        if (c == '\0' && utf8proc_category((utf8proc_int32_t)cp) != UTF8PROC_CATEGORY_MN)
            return false;
        if (c != '\0')
            bz_buf_putc(out, (uint8_t)c);
        changed = changed || cp >= 0x80;
        i += n;
    }
    return changed && bz_buf_status(out) == BZ_OK;
}

static enum bz_status put_word(struct packer *m, struct bz_view v, uint16_t flags) {
    struct pk_word w = {packer_text(m, v), (uint16_t)v.n, flags};
    bz_buf_put(&m->part[PK_WORDS], bz_view(&w, sizeof w));
    return bz_buf_status(&m->part[PK_WORDS]);
}

/* "*word*", without its stars. */
static enum bz_status read_word(struct packer *m, struct bz_view v, const struct phrase *ph) {
    uint16_t flags = 0;
    struct bz_view whole = v;
    if (v.n > 0 && v.p[0] == '*') {
        flags |= WORD_HEAD;
        v = bz_view_sub(v, 1, v.n);
    }
    if (v.n > 0 && v.p[v.n - 1] == '*') {
        flags |= WORD_TAIL;
        v.n--;
    }
    if (v.n == 0 || memchr(v.p, '*', v.n) != NULL)
        return packer_fail(m, ph->at, "'%s': a star stands at the beginning or end of a word alone",
                           whole);
    for (size_t i = 0; i < v.n; i++) {
        if (memchr("{}()|", v.p[i], 5) != NULL)
            return packer_fail(m, ph->at, "'%s': brackets and braces within a word need quotes",
                               whole);
    }
    BZ_TRY(packer_canon(m, v, &v));
    if (v.n == 0 || v.n > WORD_MAX || memchr(v.p, ' ', v.n) != NULL)
        return packer_fail(m, ph->at, "'%s' is no word of 1 to 64 bytes", whole);
    return put_word(m, v, flags);
}

static enum bz_status read_words(struct packer *m, struct bz_view v, const struct phrase *ph) {
    struct pk_alt a = {.word = pk_n(m, PK_WORDS)};
    for (size_t i = blanks(v, 0), end = 0; i < v.n; i = blanks(v, end)) {
        for (end = i; end < v.n && v.p[end] != ' ';)
            end++;
        if (a.n++ == ALT_WORDS)
            return packer_fail(m, ph->at, "'%s' has more than 8 words", v);
        BZ_TRY(read_word(m, bz_view_sub(v, i, end - i), ph));
    }
    if (a.n == 0)
        return packer_fail(m, ph->at, "an empty phrase", NONE);
    bz_buf_put(&m->part[PK_ALTS], bz_view(&a, sizeof a));
    return bz_buf_status(&m->part[PK_ALTS]);
}

/* "bytes", as they stand. \n is a line end. */
static enum bz_status read_raw(struct packer *m, const struct phrase *ph) {
    uint8_t text[WORD_MAX];
    struct bz_buf b;
    struct pk_alt a = {.word = pk_n(m, PK_WORDS), .n = 1};
    bz_buf_init_fixed(&b, text, sizeof text);
    for (size_t i = 1; i + 1 < ph->text.n; i++) {
        uint8_t c = ph->text.p[i];
        if (c >= 'A' && c <= 'Z')
            return packer_fail(m, ph->at,
                               "%s: texts are lower case when rules see them; write small letters",
                               ph->text);
        if (c == '\\' && ph->text.p[i + 1] == 'n') {
            c = '\n';
            i++;
        }
        bz_buf_putc(&b, c);
    }
    if (bz_buf_status(&b) != BZ_OK || b.n == 0)
        return packer_fail(m, ph->at, "%s: 1 to 64 bytes may stand in quotes", ph->text);
    BZ_TRY(put_word(m, bz_buf_view(&b), WORD_RAW));
    bz_buf_put(&m->part[PK_ALTS], bz_view(&a, sizeof a));
    return bz_buf_status(&m->part[PK_ALTS]);
}

static enum bz_status read_phrase(struct packer *m, const struct phrase *ph) {
    struct bz_view v = ph->text;
    if (v.n > 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
        return read_raw(m, ph);
    if (v.n > 0 && (v.p[0] == '"' || v.p[v.n - 1] == '"'))
        return packer_fail(m, ph->at, "%s: a quote is open; bytes stand between two", v);
    BZ_TRY(packer_canon(m, v, &v));
    BZ_TRY(read_words(m, v, ph));
    uint8_t text[512];
    struct bz_buf b;
    bz_buf_init_fixed(&b, text, sizeof text);
    if (!without_marks(v, &b))
        return BZ_OK;
    return read_words(m, bz_buf_view(&b), ph);
}

/* What its phrases begin with, in each phrase and of all of them. Any byte may follow a word of one. */
static void first_bytes(struct packer *m, struct pk_list *l) {
    struct pk_alt *alts = (void *)m->part[PK_ALTS].p;
    const struct pk_word *words = (const void *)m->part[PK_WORDS].p;
    for (uint32_t i = 0; i < l->n; i++) {
        struct pk_alt *a = &alts[l->alt + i];
        const struct pk_word *w = &words[a->word];
        const uint8_t *p = m->part[PK_TEXT].p + w->text;
        a->any = (w->flags & WORD_HEAD) != 0 ? ALT_ANY : w->n == 1 ? ALT_ONE : ALT_TWO;
        if (a->any == ALT_ANY) {
            memset(l->first, 0xff, sizeof l->first);
            continue;
        }
        a->first[0] = p[0];
        a->first[1] = w->n == 1 ? 0 : p[1];
        for (unsigned c = 0; a->any == ALT_ONE && c < 256; c++) {
            unsigned any = pk_pair(p[0], c);
            l->first[any / 32] |= 1u << any % 32;
        }
        if (a->any == ALT_ONE)
            continue;
        unsigned bit = pk_pair(p[0], p[1]);
        l->first[bit / 32] |= 1u << bit % 32;
    }
}

static size_t tokens_of(const struct packer *m, const struct pk_word *w) {
    struct bz_view v = bz_view(m->part[PK_TEXT].p + w->text, w->n);
    size_t tokens = 0, n = 0;
    for (size_t i = 0, in = 0; i < v.n; i += n) {
        enum char_class c = match_class(v, i, &n);
        tokens += c == CHAR_ALONE || (c == CHAR_LETTER && in == 0);
        in = c == CHAR_LETTER;
    }
    return tokens == 0 ? 1 : tokens;
}

uint32_t pattern_longest(const struct packer *m, const struct pk_alt *a) {
    const struct pk_word *words = (const void *)m->part[PK_WORDS].p;
    uint32_t best = 0;
    for (uint32_t w = 1; w < a->n; w++)
        best = words[a->word + w].n > words[a->word + best].n ? w : best;
    return best;
}

static void words_before(const struct packer *m, struct pk_list *l) {
    const struct pk_alt *alts = (const void *)m->part[PK_ALTS].p;
    const struct pk_word *words = (const void *)m->part[PK_WORDS].p;
    for (uint32_t i = 0; i < l->n; i++) {
        const struct pk_alt *a = &alts[l->alt + i];
        size_t tokens = 0;
        for (uint32_t w = pattern_longest(m, a); w-- > 0;)
            tokens += tokens_of(m, &words[a->word + w]);
        l->back = tokens > l->back ? (uint32_t)tokens : l->back;
    }
}

enum bz_status pattern_list(struct packer *m, const struct phrase *v, size_t n, uint32_t *ret) {
    struct pk_list l = {.alt = pk_n(m, PK_ALTS)};
    for (size_t i = 0; i < n; i++)
        BZ_TRY(read_phrase(m, &v[i]));
    l.n = pk_n(m, PK_ALTS) - l.alt;
    first_bytes(m, &l);
    words_before(m, &l);
    *ret = pk_n(m, PK_LISTS);
    bz_buf_put(&m->part[PK_LISTS], bz_view(&l, sizeof l));
    return bz_buf_status(&m->part[PK_LISTS]);
}

/* ---- elements ---- */

struct reader { /* of one pattern */
    struct packer *m;
    const struct word_list *lists;
    const struct pattern_source *src;
    struct bz_view v;
    size_t i;
    struct pk_elem elem[ELEMS_MAX];
    size_t n;
};

static enum bz_status bad(const struct reader *r, const char *text, struct bz_view arg) {
    return packer_fail(r->m, r->src->at, text, arg);
}

static enum bz_status find_list(const struct reader *r, struct bz_view name, uint32_t *ret) {
    const struct word_list *any = NULL;
    for (const struct word_list *w = r->lists; w != NULL; w = w->next) {
        if (!bz_view_eq(w->name, name))
            continue;
        if (bz_view_eq(w->lang, r->src->lang)) {
            *ret = w->list;
            return BZ_OK;
        }
        if (bz_view_eq(w->lang, BZ_V("any")))
            any = w;
    }
    if (any == NULL) {
        char text[120];
        struct bz_buf b;
        bz_buf_init_fixed(&b, text, sizeof text - 1);
        bz_buf_puts(&b, "no word list {%s} for language ");
        bz_buf_put(&b, r->src->lang);
        text[b.n] = '\0';
        return bad(r, text, name);
    }
    *ret = any->list;
    return BZ_OK;
}

static enum bz_status read_number(struct reader *r, unsigned max, uint16_t *ret) {
    size_t from = r->i;
    uint64_t n = 0;
    while (r->i < r->v.n && r->v.p[r->i] != ' ')
        r->i++;
    struct bz_view text = bz_view_sub(r->v, from, r->i - from);
    if (bz_view_u64(text, &n) != BZ_OK || n == 0 || n > max)
        return bad(r,
                   max == GAP_MAX ? "'~%s': a number from 1 to 24 is expected"
                                  : "'..%s': a number from 1 to 240 is expected",
                   text);
    *ret = (uint16_t)n;
    return BZ_OK;
}

/* "a|b c|*d" up to the bracket. */
static enum bz_status read_group(struct reader *r, struct pk_elem *e) {
    struct phrase v[64];
    size_t n = 0;
    bool quoted = false;
    size_t from = ++r->i;
    for (;; r->i++) {
        if (r->i == r->v.n)
            return bad(r, "'%s': the bracket is not closed", r->v);
        uint8_t c = r->v.p[r->i];
        quoted ^= c == '"';
        if (quoted || (c != '|' && c != ')'))
            continue;
        if (n == sizeof v / sizeof v[0])
            return bad(r, "'%s': more than 64 choices; make a word list of them", r->v);
        v[n++] = (struct phrase){trimmed(bz_view_sub(r->v, from, r->i - from)), r->src->at};
        from = r->i + 1;
        if (c == ')')
            break;
    }
    r->i++;
    e->kind = ELEM_LIST;
    return pattern_list(r->m, v, n, &e->list);
}

static enum bz_status read_named(struct reader *r, struct pk_elem *e) {
    size_t from = ++r->i;
    while (r->i < r->v.n && r->v.p[r->i] != '}')
        r->i++;
    if (r->i == r->v.n)
        return bad(r, "'%s': the brace is not closed", r->v);
    struct bz_view name = bz_view_sub(r->v, from, r->i - from);
    r->i++;
    return find_list(r, name, &e->list);
}

static enum bz_status read_plain(struct reader *r, struct pk_elem *e) {
    struct phrase ph = {.at = r->src->at};
    size_t from = r->i;
    bool quoted = r->v.p[r->i] == '"';
    for (r->i++; r->i < r->v.n && (quoted || r->v.p[r->i] != ' '); r->i++) {
        if (quoted && r->v.p[r->i] == '"') {
            r->i++;
            break;
        }
        if (!quoted && (r->v.p[r->i] == '?' || r->v.p[r->i] == '@'))
            break;
    }
    ph.text = bz_view_sub(r->v, from, r->i - from);
    return pattern_list(r->m, &ph, 1, &e->list);
}

static enum bz_status read_marks(struct reader *r, struct pk_elem *e) {
    for (; r->i < r->v.n && r->v.p[r->i] != ' '; r->i++) {
        if (r->v.p[r->i] == '?')
            e->flags |= ELEM_OPTIONAL;
        else if (r->v.p[r->i] == '@')
            e->flags |= ELEM_ANCHOR;
        else
            return bad(r, "'%s': a blank is expected between the parts of a pattern", r->v);
    }
    if (e->kind != ELEM_LIST && e->flags != 0)
        return bad(r, "'%s': ? and @ stand behind words and lists alone", r->v);
    return BZ_OK;
}

static enum bz_status read_elem(struct reader *r, struct pk_elem *e) {
    struct bz_view rest = bz_view_sub(r->v, r->i, r->v.n);
    e->kind = ELEM_LIST;
    if (bz_view_starts(rest, BZ_V("!{"))) {
        e->kind = ELEM_NOT;
        r->i++;
        return read_named(r, e);
    }
    if (bz_view_starts(rest, BZ_V(".."))) {
        e->kind = ELEM_BYTES;
        r->i += 2;
        return read_number(r, BYTES_MAX, &e->n);
    }
    switch (rest.p[0]) {
    case '~':
        e->kind = ELEM_GAP;
        r->i++;
        return read_number(r, GAP_MAX, &e->n);
    case '^':
        e->kind = ELEM_BEGIN;
        r->i++;
        return BZ_OK;
    case '$':
        e->kind = ELEM_END;
        r->i++;
        return BZ_OK;
    case '{':
        return read_named(r, e);
    case '(':
        return read_group(r, e);
    default:
        return read_plain(r, e);
    }
}

static bool is_gap(const struct pk_elem *e) {
    return e->kind == ELEM_GAP || e->kind == ELEM_BYTES;
}

static enum bz_status check_order(const struct reader *r) {
    if (r->n == 0)
        return bad(r, "an empty pattern", NONE);
    for (size_t i = 0; i < r->n; i++) {
        const struct pk_elem *e = &r->elem[i];
        if ((e->kind == ELEM_BEGIN || e->kind == ELEM_NOT) && i != 0)
            return bad(r, "'%s': ^ and !{list} stand at the beginning alone", r->v);
        if (e->kind == ELEM_END && i + 1 != r->n)
            return bad(r, "'%s': $ stands at the end alone", r->v);
        if ((e->flags & ELEM_OPTIONAL) != 0 && (i == 0 || r->elem[i - 1].kind == ELEM_BYTES))
            return bad(r, "'%s': what may be left out stands neither first nor behind ..N", r->v);
        if (is_gap(e) && (i == 0 || i + 1 == r->n || is_gap(&r->elem[i - 1])))
            return bad(r, "'%s': a gap stands between words", r->v);
    }
    return BZ_OK;
}

/* ---- the anchor ---- */

static const struct pk_list *list_at(const struct packer *m, uint32_t i) {
    return (const struct pk_list *)(const void *)m->part[PK_LISTS].p + i;
}

static const struct pk_alt *alt_at(const struct packer *m, uint32_t i) {
    return (const struct pk_alt *)(const void *)m->part[PK_ALTS].p + i;
}

static const struct pk_word *word_at(const struct packer *m, uint32_t i) {
    return (const struct pk_word *)(const void *)m->part[PK_WORDS].p + i;
}

/* Words that stand in many texts: whoever is found by one of these is looked for too often. */
static bool common(struct bz_view v) {
    static const char *const words[] = {
        "about",  "access", "account",  "address",  "again",       "all",      "also",
        "answer", "any",    "are",      "because",  "been",        "before",   "begin",
        "but",    "call",   "can",      "change",   "code",        "content",  "context",
        "data",   "date",   "did",      "document", "does",        "each",     "email",
        "end",    "every",  "example",  "file",     "files",       "first",    "following",
        "for",    "from",   "get",      "give",     "given",       "has",      "have",
        "here",   "how",    "image",    "include",  "information", "input",    "into",
        "its",    "just",   "key",      "language", "last",        "let",      "like",
        "link",   "list",   "made",     "mail",     "make",        "message",  "messages",
        "mode",   "model",  "more",     "most",     "must",        "name",     "need",
        "needs",  "new",    "next",     "not",      "note",        "now",      "number",
        "one",    "only",   "open",     "other",    "our",         "out",      "output",
        "page",   "part",   "please",   "print",    "query",       "question", "read",
        "real",   "report", "request",  "response", "run",         "said",     "say",
        "see",    "send",   "sentence", "set",      "share",       "should",   "show",
        "start",  "stop",   "story",    "system",   "take",        "task",     "tell",
        "test",   "text",   "that",     "the",      "them",        "then",     "there",
        "these",  "they",   "this",     "time",     "told",        "tool",     "two",
        "url",    "use",    "used",     "user",     "users",       "using",    "want",
        "was",    "way",    "were",     "what",     "when",        "which",    "while",
        "who",    "why",    "will",     "with",     "without",     "word",     "words",
        "work",   "world",  "would",    "write",    "year",        "years",    "you",
        "your",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (bz_view_eq(v, bz_view_str(words[i])))
            return true;
    }
    return false;
}

/* How long the rarest word of a phrase is, for the phrase where that is least. */
static size_t rarity(const struct packer *m, const struct pk_list *l) {
    size_t least = SIZE_MAX;
    for (uint32_t i = 0; i < l->n; i++) {
        const struct pk_alt *a = alt_at(m, l->alt + i);
        size_t longest = 0;
        for (uint32_t w = 0; w < a->n; w++) {
            const struct pk_word *word = word_at(m, a->word + w);
            size_t n = word->n;
            if (n > ANCHOR_MIN && common(bz_view(m->part[PK_TEXT].p + word->text, word->n)))
                n = ANCHOR_MIN;
            n = n * (WORD_MAX + 1) + word->n; /* of common words the longest */
            longest = n > longest ? n : longest;
        }
        least = longest < least ? longest : least;
    }
    return least;
}

static enum bz_status choose_anchor(const struct reader *r, uint16_t *ret) {
    size_t best = 0;
    bool told = false;
    for (size_t i = 0; i < r->n; i++) {
        const struct pk_elem *e = &r->elem[i];
        if (e->kind != ELEM_LIST || (e->flags & ELEM_OPTIONAL) != 0)
            continue;
        size_t n = rarity(r->m, list_at(r->m, e->list));
        bool here = (e->flags & ELEM_ANCHOR) != 0;
        if (n < ANCHOR_MIN * (WORD_MAX + 1) || (told && !here) || (n <= best && (told || !here)))
            continue;
        best = n;
        told = told || here;
        *ret = (uint16_t)i;
    }
    if (best != 0)
        return BZ_OK;
    return bad(r, "'%s': no part that must be there has words of 3 bytes or more to be found by",
               r->v);
}

/* Words and bytes that the phrases of a list may have at most. */
static void widest(const struct packer *m, const struct pk_list *l, size_t *ret_tokens,
                   size_t *ret_bytes) {
    *ret_tokens = *ret_bytes = 0;
    for (uint32_t i = 0; i < l->n; i++) {
        const struct pk_alt *a = alt_at(m, l->alt + i);
        size_t tokens = 0, bytes = 0;
        for (uint32_t w = 0; w < a->n; w++) {
            const struct pk_word *word = word_at(m, a->word + w);
            tokens += tokens_of(m, word);
            bytes += (size_t)word->n + SEPARATORS + STEM_HEAD + STEM_TAIL;
        }
        *ret_tokens = tokens > *ret_tokens ? tokens : *ret_tokens;
        *ret_bytes = bytes > *ret_bytes ? bytes : *ret_bytes;
    }
}

static void measure(const struct reader *r, struct pk_pattern *p) {
    size_t tokens = 0, bytes = 0, t = 0, b = 0;
    for (size_t i = 0; i <= p->anchor && i < r->n; i++) {
        const struct pk_elem *e = &r->elem[i];
        t = b = 0;
        if (e->kind == ELEM_LIST)
            widest(r->m, list_at(r->m, e->list), &t, &b);
        else if (e->kind == ELEM_GAP)
            b = (t = e->n) * 8u;
        else if (e->kind == ELEM_BYTES)
            t = (b = e->n) / 3u;
        tokens += t;
        bytes += b;
    }
    p->back_tokens = (uint16_t)(tokens < BACK_TOKENS ? tokens : BACK_TOKENS);
    p->back_bytes = (uint16_t)(bytes < 512 ? bytes : 512);
}

static uint32_t flags_of(const struct reader *r, uint16_t anchor) {
    const struct pk_elem *e = &r->elem[0];
    uint32_t flags = e->kind == ELEM_BEGIN ? PATTERN_LINE : 0;
    for (size_t i = 1; i < anchor && i < r->n; i++) {
        if (is_gap(&r->elem[i])) /* the line may end within it */
            flags = 0;
    }
    if (e->kind != ELEM_LIST && r->n > 1)
        e++;
    const struct pk_list *l = e->kind == ELEM_LIST ? list_at(r->m, e->list) : NULL;
    for (uint32_t i = 0; l != NULL && i < l->n; i++) {
        if ((word_at(r->m, alt_at(r->m, l->alt + i)->word)->flags & WORD_RAW) != 0)
            flags |= PATTERN_RAW;
    }
    return flags;
}

static enum bz_status add(struct reader *r) {
    struct packer *m = r->m;
    struct pk_pattern p = {
        .rule = r->src->rule, .elem = pk_n(m, PK_ELEMS), .elems = (uint16_t)r->n, .anchor = UNLESS};
    struct pattern_note note = {.rule = r->src->rule, .at = r->src->at, .unless = r->src->unless};
    if (!r->src->unless) {
        BZ_TRY(choose_anchor(r, &p.anchor));
        measure(r, &p);
        p.flags = flags_of(r, p.anchor);
    }
    note.lang = bz_arena_dup(&m->ar, r->src->lang);
    if (note.lang.p == NULL)
        return BZ_ENOMEM;
    bz_buf_put(&m->part[PK_ELEMS], bz_view(r->elem, r->n * sizeof r->elem[0]));
    bz_buf_put(&m->part[PK_PATTERNS], bz_view(&p, sizeof p));
    bz_buf_put(&m->notes, bz_view(&note, sizeof note));
    BZ_TRY(bz_buf_status(&m->part[PK_ELEMS]));
    BZ_TRY(bz_buf_status(&m->notes));
    return bz_buf_status(&m->part[PK_PATTERNS]);
}

enum bz_status pattern_add(struct packer *m, const struct word_list *lists,
                           const struct pattern_source *src) {
    struct reader r = {.m = m, .lists = lists, .src = src, .v = src->text};
    if (pk_n(m, PK_PATTERNS) >= BZ_RULE_PATTERNS_MAX)
        return bad(&r, "too many patterns in all; see docs/LIMITS.md", NONE);
    while ((r.i = blanks(r.v, r.i)) < r.v.n) {
        if (r.n == ELEMS_MAX)
            return bad(&r, "'%s': more than 16 parts", r.v);
        struct pk_elem *e = &r.elem[r.n++];
        BZ_TRY(read_elem(&r, e));
        BZ_TRY(read_marks(&r, e));
    }
    BZ_TRY(check_order(&r));
    return add(&r);
}
