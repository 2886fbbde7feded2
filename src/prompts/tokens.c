/* Finding control tokens as a tokenizer, or what normalises text before it, would see them; and writing
 * them so that it does not. */
#include "tokens_int.h"

#include <bartizan/text.h>
#include <utf8proc.h>

#if defined(__SSE2__) && !defined(BZ_NO_SIMD)
#include <emmintrin.h>
#endif

enum {
    NAME_MAX_ = 64,   /* bytes of a token in its normal form */
    UNSEEN_MAX = 256, /* bytes without a visible character that may stand within one */
    OWN_MIN = 3,      /* bytes of a token of a template: shorter ones are text */
    PASSES = 4,
};

/* ---- characters -------------------------------------------------------------------------------- */

static bool unseen(uint32_t cp) {
    if (cp >= 0xe0000 && cp <= 0xe0fff)
        return true;
    utf8proc_category_t is = utf8proc_category((utf8proc_int32_t)cp);
    return is == UTF8PROC_CATEGORY_CF || is == UTF8PROC_CATEGORY_MN || is == UTF8PROC_CATEGORY_ME ||
           is == UTF8PROC_CATEGORY_CC || cp == 0x115f || cp == 0x1160 || cp == 0x3164 ||
           cp == 0xffa0;
}

/* What stands for the signs of tokens: by compatibility, or drawn the same. */
static uint32_t sign(uint32_t cp) {
    switch (cp) {
    case 0x2581: /* SentencePiece's blank, in DeepSeek's tokens */
        return '_';
    case 0x01c0:
    case 0x2223:
    case 0x23d0:
    case 0x2502:
    case 0x2758:
        return '|';
    case 0x2039:
    case 0x2329:
    case 0x276e:
    case 0x27e8:
    case 0x3008:
        return '<';
    case 0x203a:
    case 0x232a:
    case 0x276f:
    case 0x27e9:
    case 0x3009:
        return '>';
    default:
        return 0;
    }
}

/* The visible character at `at` or behind what nobody sees there, in normal form; its end. 0: none. */
static size_t next(struct bz_view t, size_t at, uint32_t *ret) {
    size_t limit = t.n - at > UNSEEN_MAX ? at + UNSEEN_MAX : t.n;
    while (at < limit) {
        uint32_t cp = t.p[at];
        if (cp >= 0x20 && cp < 0x7f) {
            *ret = cp;
            return at + 1;
        }
        size_t used = bz_utf8_next(bz_view_sub(t, at, 4), &cp);
        if (used == 0)
            return 0;
        at += used;
        if (cp == '\n' || cp == '\t' || cp == '\r') {
            *ret = ' ';
            return at;
        }
        if (unseen(cp))
            continue;
        *ret = sign(cp);
        if (*ret != 0)
            return at;
        utf8proc_int32_t v[4];
        int boundary = 0;
        utf8proc_ssize_t n = utf8proc_decompose_char(
            (utf8proc_int32_t)cp, v, 4, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STABLE,
            &boundary);
        *ret = n > 0 && n <= 4 && v[0] < 0x80 ? (uint32_t)v[0] : cp;
        return at;
    }
    return 0;
}

/* ---- the list ---------------------------------------------------------------------------------- */

/* A token in its normal form, as far as it was read. */
struct name {
    uint8_t p[NAME_MAX_ + 4];
    size_t n;
};

static void put(struct name *s, uint32_t cp) {
    if (s->n < NAME_MAX_)
        s->n += bz_utf8_encode(cp, s->p + s->n);
}

/* The name with every number as '#'. */
static void numberless(const struct name *s, struct name *ret) {
    ret->n = 0;
    for (size_t i = 0; i < s->n; i++) {
        bool digit = (uint8_t)(s->p[i] - '0') < 10;
        if (!digit)
            ret->p[ret->n++] = s->p[i];
        else if (ret->n == 0 || ret->p[ret->n - 1] != '#')
            ret->p[ret->n++] = '#';
    }
}

static uint8_t lower(uint8_t c) {
    return (uint8_t)(c - 'A') < 26 ? c | 0x20 : c;
}

/* Whether s is a token of the list, itself in normal form. */
static bool same(struct bz_view token, const struct name *s) {
    size_t k = 0;
    for (size_t at = 0; at < token.n;) {
        uint32_t cp = 0;
        uint8_t out[4];
        size_t end = next(token, at, &cp);
        size_t n = bz_utf8_encode(cp, out);
        if (end == 0 || s->n - k < n || memcmp(out, s->p + k, n) != 0)
            return false;
        k += n;
        at = end;
    }
    return k == s->n;
}

static int compare(const char *text, const struct name *s) {
    for (size_t i = 0; i < s->n; i++) {
        int c = (int)(uint8_t)text[i] - (int)lower(s->p[i]);
        if (c != 0)
            return c;
    }
    return text[s->n] != 0;
}

/* The token that s is; in another case only where `nocase`. */
static const struct bz_token *search(const struct name *s, bool nocase) {
    const struct token_normal *normal = NULL;
    const struct bz_token *list = NULL;
    size_t n = token_normals(&normal);
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (compare(normal[mid].text, s) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    (void)bz_token_list(&list);
    size_t first = low;
    for (; low < n && compare(normal[low].text, s) == 0; low++) {
        const struct bz_token *t = &list[normal[low].index];
        if (same(bz_view_str(t->text), s))
            return t;
    }
    return nocase && low != first ? &list[normal[first].index] : NULL;
}

static const struct bz_token *look_up(const struct name *s, bool nocase) {
    struct name plain;
    const struct bz_token *t = search(s, nocase);
    if (t != NULL)
        return t;
    numberless(s, &plain);
    return plain.n != s->n || memcmp(plain.p, s->p, s->n) != 0 ? search(&plain, nocase) : NULL;
}

/* ---- shapes ------------------------------------------------------------------------------------ */

struct shape {
    struct bz_view t;
    size_t start;
    struct bz_token_hit *hit;
};

static bool found(const struct shape *s, size_t end, const char *family, bool ordinary) {
    *s->hit = (struct bz_token_hit){s->start, end, bz_view_str(family), ordinary};
    return true;
}

static bool is_name(uint32_t c) {
    return c > 0x7f || (c | 0x20) - 'a' < 26 || c - '0' < 10 || c == '_' || c == ':' || c == '/' ||
           c == '-' || c == '.' || c == '~' || c == '!';
}

/* <|name|>, </|name|>, <|name> and <name|> of any name; the middle of s has been read. */
static bool bars(const struct name *s) {
    size_t from = s->n > 1 && s->p[1] == '/' ? 2 : 1;
    bool first = s->n > from && s->p[from] == '|';
    bool last = s->n > from + 2 && s->p[s->n - 2] == '|';
    size_t letters = 0;
    for (size_t i = from; i + 1 < s->n; i++)
        letters += s->p[i] != '|';
    return (first && last && letters != 0) || ((first || last) && letters > 3);
}

/* What begins with '<' or '[' and goes on with a name to '>' or ']'. */
static bool bracketed(const struct shape *s, uint32_t open, size_t at, bool skip_ordinary) {
    struct name name = {.n = 0};
    uint32_t close = open == '<' ? '>' : ']';
    uint32_t c = open;
    size_t end = at;
    put(&name, open);
    for (size_t i = 0; i < NAME_MAX_; i++) {
        end = next(s->t, end, &c);
        if (end == 0)
            return false;
        put(&name, c);
        if (c == close)
            break;
        if (!is_name(c) && c != '|' && !(c == '<' && name.n == 2))
            return false;
    }
    if (c != close)
        return false;
    if (name.n > 1 && name.p[1] == '<') { /* <<SYS>> */
        end = next(s->t, end, &c);
        if (end == 0 || c != '>')
            return false;
        put(&name, c);
    }
    bool nocase = memchr(name.p, '|', name.n) != NULL;
    const struct bz_token *token = look_up(&name, nocase);
    if (token != NULL)
        return (!token->ordinary || !skip_ordinary) &&
               found(s, end, token->family, token->ordinary);
    return open == '<' && bars(&name) && found(s, end, "other", false);
}

/* Tokens that are not in brackets: >>QUESTION<<, ]~b]. */
static bool odd_shape(const struct shape *s, uint32_t open, size_t at) {
    struct name name = {.n = 0};
    uint32_t c = open;
    size_t end = at;
    put(&name, open);
    for (size_t i = 0; i < 16; i++) {
        end = next(s->t, end, &c);
        if (end == 0 || c == ' ')
            return false;
        put(&name, c);
        bool whole = open == '>' ? name.n > 4 && c == '<' && name.p[name.n - 2] == '<'
                                 : c == '[' || (c == ']' && name.n > 1);
        const struct bz_token *token = whole ? look_up(&name, false) : NULL;
        if (token != NULL)
            return found(s, end, token->family, token->ordinary);
        if (name.n == 2 && open != '<' && c != '>' && c != '~' && c != 'e')
            return false;
    }
    return false;
}

static bool own_token(const struct shape *s, const struct bz_view *own, size_t own_n) {
    for (size_t i = 0; i < own_n; i++) {
        size_t at = s->start;
        size_t k = 0;
        uint32_t a = 0;
        uint32_t b = 0;
        if (own[i].n < OWN_MIN)
            continue;
        struct name name = {.n = 0};
        while (k < own[i].n) {
            size_t end = next(s->t, at, &a);
            size_t mine = next(own[i], k, &b);
            if (end == 0 || mine == 0 || a != b)
                break;
            put(&name, a);
            at = end;
            k = mine;
        }
        if (k < own[i].n)
            continue;
        const struct bz_token *token = look_up(&name, false);
        return found(s, at, "model", token != NULL && token->ordinary);
    }
    return false;
}

/* ---- text -------------------------------------------------------------------------------------- */

/* Bytes that a token may begin with: signs of ASCII, first bytes of what stands for them. */
static bool begins(uint8_t c) {
    return c == '<' || c == '[' || c == '>' || c == ']' || c == 0xe2 || c == 0xe3 || c == 0xef;
}

/* The next such byte at or behind `at`; t.n: none. */
static size_t candidate(struct bz_view t, size_t at) {
#if defined(__SSE2__) && !defined(BZ_NO_SIMD)
    for (; t.n - at >= 16; at += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(t.p + at));
        /* '<' and '>' differ in one bit, '[' and ']' in two, 0xe2 and 0xe3 in one */
        __m128i two = _mm_or_si128(x, _mm_set1_epi8(2));
        __m128i square = _mm_or_si128(x, _mm_set1_epi8(6));
        __m128i one = _mm_or_si128(x, _mm_set1_epi8(1));
        __m128i any = _mm_or_si128(_mm_cmpeq_epi8(two, _mm_set1_epi8('>')),
                                   _mm_cmpeq_epi8(square, _mm_set1_epi8('_')));
        any = _mm_or_si128(any, _mm_cmpeq_epi8(one, _mm_set1_epi8((char)0xe3)));
        any = _mm_or_si128(any, _mm_cmpeq_epi8(x, _mm_set1_epi8((char)0xef)));
        unsigned bits = (unsigned)_mm_movemask_epi8(any);
        for (; bits != 0; bits &= bits - 1) {
            size_t i = at + (size_t)__builtin_ctz(bits);
            if (begins(t.p[i]))
                return i;
        }
    }
#endif
    while (at < t.n && !begins(t.p[at]))
        at++;
    return at;
}

struct first { /* further bytes that tokens of the model begin with */
    bool any;
    bool is[256];
};

static void first_bytes(struct first *f, const struct bz_view *own, size_t own_n) {
    f->any = false;
    for (size_t i = 0; i < own_n; i++) {
        uint32_t cp = 0;
        if (own[i].n >= OWN_MIN && next(own[i], 0, &cp) != 0 && (cp > 0x7f || !begins((uint8_t)cp)))
            f->any = true;
    }
    if (!f->any)
        return;
    for (size_t i = 0; i < 256; i++) /* any letter may be written in another width */
        f->is[i] = i >= 0x80 || begins((uint8_t)i);
    for (size_t i = 0; i < own_n; i++) {
        if (own[i].n >= OWN_MIN)
            f->is[own[i].p[0]] = true;
    }
}

bool bz_token_find(struct bz_view text, size_t from, const struct bz_view *own, size_t own_n,
                   struct bz_token_hit *ret) {
    struct first f;
    first_bytes(&f, own, own_n);
    for (size_t at = from; at < text.n; at++) {
        if (!f.any)
            at = candidate(text, at);
        else
            while (at < text.n && !f.is[text.p[at]])
                at++;
        if (at >= text.n)
            return false;
        uint32_t c = 0;
        struct shape s = {text, at, ret};
        if (text.p[at] >= 0x80 && (bz_utf8_next(bz_view_sub(text, at, 4), &c) == 0 || unseen(c)))
            continue;
        size_t end = text.p[at] < 0x80 || (text.p[at] & 0xc0) == 0xc0 ? next(text, at, &c) : 0;
        /* What is not seen belongs to no token's beginning. */
        if (end == 0 || end - at > 4 || (text.p[at] < 0x80 && end != at + 1))
            continue;
        if (own_n != 0 && own_token(&s, own, own_n))
            return true;
        if ((c == '<' || c == '[') && bracketed(&s, c, end, own_n != 0))
            return true;
        if ((c == '>' || c == ']' || c == '[') && odd_shape(&s, c, end))
            return true;
    }
    return false;
}

/* One pass: a blank behind the first character of each token. */
static enum bz_status literal(struct bz_view text, const struct bz_view *own, size_t own_n,
                              bool drop, struct bz_arena *ar, struct bz_view *ret) {
    struct bz_token_hit hit;
    size_t count = 0;
    for (size_t at = 0; bz_token_find(text, at, own, own_n, &hit); at = hit.start + 1)
        count++;
    *ret = text;
    if (count == 0)
        return BZ_OK;
    uint8_t *out = bz_arena_alloc(ar, text.n + count);
    if (out == NULL)
        return BZ_ENOMEM;
    size_t n = 0;
    size_t at = 0;
    for (size_t from = 0; bz_token_find(text, from, own, own_n, &hit); from = hit.start + 1) {
        uint32_t cp = 0;
        size_t first = bz_utf8_next(bz_view_sub(text, hit.start, 4), &cp);
        size_t keep = hit.start + (drop ? 0 : first) - at;
        memcpy(out + n, text.p + at, keep);
        n += keep;
        at = hit.start + first;
        if (!drop)
            out[n++] = ' ';
    }
    memcpy(out + n, text.p + at, text.n - at);
    *ret = bz_view(out, n + text.n - at);
    return BZ_OK;
}

enum bz_status bz_tokens_literal(struct bz_view text, const struct bz_view *own, size_t own_n,
                                 struct bz_arena *ar, struct bz_view *ret) {
    struct bz_token_hit hit;
    struct bz_view now = text;
    *ret = text;
    /* A token of a template may have a blank in it, and so come about by one: then the first
     * characters go, which makes the text shorter each time. */
    for (size_t pass = 0; bz_token_find(now, 0, own, own_n, &hit); pass++)
        BZ_TRY(literal(now, own, own_n, pass >= PASSES, ar, &now));
    *ret = now;
    return BZ_OK;
}
