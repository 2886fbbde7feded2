/* Links in text, as browsers and renderers of markdown find them. What a reader of URLs would go to has to
 * be plainly a listed host; everything else that could be an address is a link that is not allowed.
 *
 * Text is read in units: a character, an entity (&colon;), an escape (\:). A link begins with a scheme
 * (the last letters before a colon), with "www.", or with two slashes where an address is expected:
 *
 *   [a](https://x)  ![a](//x)  [r]: <//x>  <https://x>  src="//x"  srcset="a 1x, //x 2x"  url(//x)
 *
 * Looking back is bounded (BZ_LINK_BEFORE), and so is a link's length (BZ_LINK_MAX), so that a stream
 * keeps little; what cannot be seen from there is taken for the worse. Source: WHATWG URL (schemes,
 * slashes and backslashes, removed tabs and line ends), CommonMark 6.6 and 4.7, GFM autolinks. */
#include <bartizan/text.h>

#include "agent_int.h"

enum { RING = 16, ENTITY_MAX = 64 };

struct unit {
    uint32_t ch;
    size_t n; /* bytes; 0: the end, or it cannot be told yet */
    bool encoded;
};
struct seen { /* a unit of the scheme that may be coming */
    uint8_t ch;
    size_t at;
};
struct scan {
    const struct bz_agent *a;
    struct bz_view text;
    bool last;
    struct seen ring[RING];
    size_t ring_n;
    size_t slashes, slash_at; /* how many stand together, where the first of them is */
};
enum place { /* where an address stands */
             PLACE_BARE,
             PLACE_ANGLE,     /* <...> */
             PLACE_MARKDOWN,  /* [..](.. of a link */
             PLACE_IMAGE,     /* the same of an image, or of what may be one */
             PLACE_REFERENCE, /* [..]: .. */
             PLACE_ATTRIBUTE, /* of HTML */
             PLACE_CSS,
             PLACE_LIST, /* behind a comma, a semicolon or a quote: perhaps of an attribute */
};

/* ---- units ---- */

static bool is_digit(uint32_t c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(uint32_t c) {
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80;
}

static bool is_removed(uint32_t c) { /* by readers of URLs, wherever they stand */
    return c == '\t' || c == '\n' || c == '\r';
}

static bool is_blank(uint32_t c) {
    return c <= ' ' || c == 0x7f;
}

static bool is_slash(uint32_t c) {
    return c == '/' || c == '\\';
}

static bool in_scheme(uint32_t c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
}

static bool named_entity(struct bz_view name, uint32_t *ret) {
    static const struct {
        const char *name;
        uint32_t c;
    } known[] = {
        {"colon", ':'},
        {"sol", '/'},
        {"bsol", '\\'},
        {"period", '.'},
        {"Tab", '\t'},
        {"NewLine", '\n'},
        {"commat", '@'},
        {"lpar", '('},
        {"rpar", ')'},
        {"quest", '?'},
        {"num", '#'},
        {"amp", '&'},
        {"AMP", '&'},
        {"lowbar", '_'},
        {"equals", '='},
        {"lsqb", '['},
        {"lbrack", '['},
        {"rsqb", ']'},
        {"rbrack", ']'},
        {"percnt", '%'},
        {"quot", '"'},
        {"apos", '\''},
        {"comma", ','},
        {"semi", ';'},
        {"lt", '<'},
        {"gt", '>'},
        {"hyphen", 0x2010},
        {"shy", 0xad},
        {"ZeroWidthSpace", 0x200b},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!bz_view_eq(name, bz_view_str(known[i].name)))
            continue;
        *ret = known[i].c;
        return true;
    }
    return false;
}

/* "&#58;", "&#x3a", with any number of zeros. Bytes of it; 0: it is none. */
static size_t numeric_entity(struct bz_view v, uint32_t *ret) {
    bool hex = v.n > 2 && (v.p[2] | 0x20) == 'x';
    size_t i = hex ? 3 : 2, digits = 0;
    uint32_t c = 0;
    for (; i < v.n && i < ENTITY_MAX; i++, digits++) {
        uint8_t b = v.p[i], low = b | 0x20;
        bool more = is_digit(b) || (hex && low >= 'a' && low <= 'f');
        if (!more)
            break;
        uint32_t digit = is_digit(b) ? b - 0x30u : low - 0x61u + 10u;
        c = c > 0x10ffff ? c : c * (hex ? 16u : 10u) + digit;
    }
    *ret = c;
    return digits == 0 ? 0 : i < v.n && v.p[i] == ';' ? i + 1 : i;
}

static struct unit entity(struct bz_view v, bool last) {
    struct unit u = {.ch = '&', .n = 1};
    size_t end = 1;
    if (v.n > 1 && v.p[1] == '#') {
        size_t n = numeric_entity(v, &u.ch);
        bool open = n == v.n && v.p[n - 1] != ';' && n < ENTITY_MAX;
        if ((open || (n == 0 && v.n < 4)) && !last)
            return (struct unit){0};
        return n == 0 ? (struct unit){.ch = '&', .n = 1} : (struct unit){u.ch, n, true};
    }
    while (end < v.n && end < 16 && (is_letter(v.p[end]) || is_digit(v.p[end])))
        end++;
    if (end == v.n && end < 16 && !last)
        return (struct unit){0};
    if (end < v.n && v.p[end] == ';' && named_entity(bz_view_sub(v, 1, end - 1), &u.ch))
        return (struct unit){u.ch, end + 1, true};
    return u;
}

static struct unit unit_at(const struct scan *s, size_t at) {
    struct bz_view v = bz_view_sub(s->text, at, s->text.n);
    struct unit u = {0};
    if (v.n == 0)
        return u;
    uint8_t b = v.p[0];
    if (b == '&')
        return entity(v, s->last);
    if (b == '\\') {
        if (v.n == 1 && !s->last)
            return u;
        bool sign =
            v.n > 1 && v.p[1] > ' ' && v.p[1] < 0x7f && !is_letter(v.p[1]) && !is_digit(v.p[1]);
        return sign ? (struct unit){v.p[1], 2, true} : (struct unit){b, 1, false};
    }
    if (b < 0x80)
        return (struct unit){b, 1, false};
    u.n = bz_utf8_next(v, &u.ch);
    return u.n > 0 ? u : (struct unit){0xfffd, 1, false};
}

/* ---- where ---- */

/* The byte before `at`, blanks skipped; 0: there is none to be seen. */
static uint8_t before(struct bz_view t, size_t *at) {
    while (*at > 0 && is_blank(t.p[*at - 1]))
        --*at;
    return *at > 0 ? t.p[--*at] : 0;
}

/* Behind "](": is it certainly no image? */
static bool plain_link(struct bz_view t, size_t at) {
    size_t depth = 0;
    while (at-- > 0) {
        if (t.p[at] == ']')
            depth++;
        if (t.p[at] != '[')
            continue;
        if (depth == 0)
            return at == 0 ? t.n < BZ_LINK_BEFORE : t.p[at - 1] != '!';
        depth--;
    }
    return false;
}

static bool ends_nocase(struct bz_view t, size_t at, const char *word) {
    size_t n = strlen(word);
    return at >= n && bz_view_eq_nocase(bz_view_sub(t, at - n, n), bz_view_str(word));
}

static enum place after_round(struct bz_view t, size_t at) { /* t.p[at] is '(' */
    size_t i = at;
    if (at == 0 && t.n == BZ_LINK_BEFORE) /* what it belongs to cannot be seen */
        return PLACE_IMAGE;
    if (at > 0 && t.p[at - 1] == ']')
        return plain_link(t, at - 1) ? PLACE_MARKDOWN : PLACE_IMAGE;
    if (before(t, &i) != 0 && (ends_nocase(t, i + 1, "url") || ends_nocase(t, i + 1, "image-set") ||
                               ends_nocase(t, i + 1, "src")))
        return PLACE_CSS;
    return PLACE_LIST;
}

/* A quote or '=' at `at`: of an attribute, if a tag is open there. */
static bool in_tag(struct bz_view t, size_t at) {
    while (at-- > 0) {
        if (t.p[at] == '>')
            return false;
        if (t.p[at] == '<')
            return true;
    }
    return false;
}

static struct bz_view window_of(struct bz_view text, size_t start) {
    size_t from = start > BZ_LINK_BEFORE ? start - BZ_LINK_BEFORE : 0;
    return bz_view_sub(text, from, start - from);
}

static enum place place_of(struct bz_view text, size_t start) {
    struct bz_view t = window_of(text, start);
    size_t at = t.n, quote;
    bool angle = false, blank = at > 0 && is_blank(t.p[at - 1]);
    uint8_t c = before(t, &at);
    if (c == 0)
        return t.n == BZ_LINK_BEFORE ? PLACE_IMAGE : PLACE_BARE;
    if (c == '<' && !blank) {
        angle = true;
        c = before(t, &at);
    }
    switch (c) {
    case '(':
        return after_round(t, at);
    case ':':
        return at > 0 && t.p[at - 1] == ']' ? PLACE_REFERENCE : angle ? PLACE_ANGLE : PLACE_BARE;
    case '=':
        return PLACE_ATTRIBUTE;
    case '"':
    case '\'':
    case '`':
        quote = at;
        c = before(t, &quote);
        if (c == '(')
            return after_round(t, quote);
        return c == '=' && (in_tag(t, quote) || !blank) ? PLACE_ATTRIBUTE : PLACE_LIST;
    case ',':
    case ';':
        return in_tag(t, at) ? PLACE_ATTRIBUTE : PLACE_LIST;
    default:
        break;
    }
    return angle ? PLACE_ANGLE : PLACE_BARE;
}

/* In an attribute only the href of <a> and <area> waits for a click. */
static bool needs_click(struct bz_view text, size_t start, enum place p) {
    struct bz_view t = window_of(text, start);
    size_t at = t.n;
    if (p != PLACE_ATTRIBUTE)
        return p == PLACE_BARE || p == PLACE_ANGLE || p == PLACE_MARKDOWN || p == PLACE_LIST;
    while (at > 0 && (is_blank(t.p[at - 1]) || memchr("=\"'`", t.p[at - 1], 4) != NULL))
        at--;
    if (!ends_nocase(t, at, "href"))
        return false;
    while (at > 0 && t.p[at - 1] != '<')
        at--;
    struct bz_view tag = bz_view_sub(t, at, t.n);
    bool area = bz_view_eq_nocase(bz_view_sub(tag, 0, 4), BZ_V("area"));
    return at > 0 && tag.n > 4 && (tag.p[0] | 0x20) == 'a' && (is_blank(tag.p[1]) || area);
}

/* ---- authority ---- */

struct authority {
    bool more;  /* it cannot be told yet */
    bool plain; /* written as every program reads it */
    bool any;   /* there is something */
    size_t from, end;
};

/* Signs that end an address in text, and yet may stand in a host for some readers of URLs. */
static bool is_doubtful(uint32_t c) {
    return c < 0x80 && memchr("\"'`(),;*!$&~={}", (int)c, 15) != NULL;
}

static bool ends_host(uint32_t c) {
    return is_blank(c) || is_slash(c) || (c < 0x80 && memchr("?#<>[]^|", (int)c, 8) != NULL);
}

/* A blank that a reader of URLs removes, with more of the address behind it. */
static bool goes_on(const struct scan *s, size_t at, bool *ret_more) {
    struct unit u = unit_at(s, at);
    while (u.n > 0 && is_removed(u.ch)) {
        at += u.n;
        u = unit_at(s, at);
    }
    *ret_more = u.n == 0 && !s->last;
    return u.n > 0 && !ends_host(u.ch) && !is_doubtful(u.ch);
}

static void ipv6(const struct scan *s, size_t *at, struct authority *r) {
    if (*at >= s->text.n || s->text.p[*at] != '[')
        return;
    size_t n = 1;
    while (*at + n < s->text.n && n < 48 && s->text.p[*at + n] != ']' &&
           !is_blank(s->text.p[*at + n]))
        n++;
    if (*at + n == s->text.n && n < 48 && !s->last) {
        r->more = true;
        return;
    }
    if (*at + n < s->text.n && s->text.p[*at + n] == ']')
        *at += n + 1;
    r->any = true;
    r->end = *at;
}

static void authority(const struct scan *s, size_t start, size_t at, enum place p,
                      struct authority *r) {
    bool doubtful = false;
    *r = (struct authority){.plain = true, .from = at, .end = at};
    ipv6(s, &at, r);
    for (;;) {
        struct unit u = unit_at(s, at);
        if (at - start >= BZ_LINK_MAX) {
            r->plain = r->more = false;
            r->any = true;
            r->end = start + BZ_LINK_MAX;
            return;
        }
        if (u.n == 0) {
            r->more = r->more || !s->last;
            return;
        }
        if (ends_host(u.ch)) {
            if (u.ch == '\\' || (u.encoded && !is_blank(u.ch)))
                r->plain = false;
            if (is_removed(u.ch) && p != PLACE_BARE && p != PLACE_ANGLE && goes_on(s, at, &r->more))
                r->plain = false;
            return;
        }
        at += u.n;
        doubtful |= is_doubtful(u.ch);
        r->plain &= u.ch < 0x80 && u.ch != '@' && u.ch != '%' && !u.encoded;
        if (is_doubtful(u.ch) || u.ch == '.' || u.ch == ':' || u.ch == '-')
            continue;
        r->plain &= !doubtful; /* something of a host behind a doubtful sign */
        r->any = true;
        r->end = at;
    }
}

static bool listed(const struct bz_agent *a, struct bz_view text) {
    struct bz_view host, port;
    struct bz_rd r;
    if (!bz_host_split(text, &host, &port))
        return false;
    bz_rd_init(&r, a->hosts);
    for (uint32_t i = 0; i < a->hosts_n; i++) {
        struct bz_view entry = bz_rd_take(&r, bz_rd_le32(&r));
        if (bz_host_fits(entry, host, port))
            return true;
    }
    return false;
}

/* ---- candidates ---- */

enum found { FOUND_NOT, FOUND_LINK, FOUND_MORE };

static enum found host_link(const struct scan *s, size_t start, size_t at, enum place p,
                            bool dotted, struct bz_link *ret, size_t *ret_next) {
    struct authority h;
    authority(s, start, at, p, &h);
    struct bz_view text = bz_view_sub(s->text, h.from, h.end - h.from);
    if (h.more)
        return FOUND_MORE;
    *ret_next = h.end > at ? h.end : at;
    if (!h.any || (dotted && memchr(text.p, '.', text.n) == NULL && h.plain))
        return FOUND_NOT;
    if (h.plain && listed(s->a, text))
        return FOUND_NOT;
    *ret = (struct bz_link){start, h.end, !needs_click(s->text, start, p)};
    return FOUND_LINK;
}

/* How many of the last units spell the word. */
static bool ring_is(const struct scan *s, const char *word, size_t *ret_start) {
    size_t n = strlen(word);
    if (s->ring_n < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (s->ring[s->ring_n - n + i].ch != (uint8_t)word[i])
            return false;
    *ret_start = s->ring[s->ring_n - n].at;
    return true;
}

/* After the colon of http, https, ftp, ws or wss: slashes, any number of either kind, even none. */
static enum found web(const struct scan *s, size_t start, size_t at, struct bz_link *ret,
                      size_t *ret_next) {
    enum place p = place_of(s->text, start);
    struct unit u = unit_at(s, at);
    size_t slashes = 0;
    for (; u.n > 0 && (is_slash(u.ch) || (is_removed(u.ch) && (slashes > 0 || p != PLACE_BARE)));
         at += u.n, u = unit_at(s, at)) {
        slashes += is_slash(u.ch);
        if (at - start >= BZ_LINK_MAX)
            break;
    }
    if (u.n == 0 && !s->last)
        return FOUND_MORE;
    if (u.n == 0 || (slashes == 0 && (is_blank(u.ch) || is_doubtful(u.ch))))
        return FOUND_NOT;
    return host_link(s, start, at, p, false, ret, ret_next);
}

static bool is_address(enum place p) {
    return p == PLACE_MARKDOWN || p == PLACE_IMAGE || p == PLACE_REFERENCE || p == PLACE_CSS;
}

/* Other schemes count where an address stands, the dangerous ones also where one may stand. */
static enum found other(const struct scan *s, size_t at, struct bz_link *ret, size_t *ret_next) {
    static const char *const dangerous[] = {"javascript", "vbscript",    "data", "blob",
                                            "filesystem", "view-source", "file"};
    size_t start = 0;
    bool danger = false;
    for (size_t i = 0; i < sizeof dangerous / sizeof dangerous[0] && !danger; i++)
        danger = ring_is(s, dangerous[i], &start);
    if (!danger && s->ring_n < 2)
        return FOUND_NOT;
    if (!danger)
        start = s->ring[0].at;
    enum place p = place_of(s->text, start);
    bool harmless = (ring_is(s, "mailto", &start) || ring_is(s, "tel", &start)) &&
                    (p == PLACE_MARKDOWN || needs_click(s->text, start, p));
    struct unit u = unit_at(s, at);
    if (u.n == 0 && !s->last)
        return FOUND_MORE;
    if (u.n == 0 || is_blank(u.ch) || harmless)
        return FOUND_NOT;
    struct bz_view seen = window_of(s->text, start);
    bool tag = p == PLACE_ATTRIBUTE && in_tag(seen, seen.n);
    if (!is_address(p) && !tag && !(danger && p != PLACE_BARE))
        return FOUND_NOT;
    *ret = (struct bz_link){start, at, !needs_click(s->text, start, p)};
    *ret_next = at;
    return FOUND_LINK;
}

static enum found colon(const struct scan *s, size_t at, struct bz_link *ret, size_t *ret_next) {
    static const char *const schemes[] = {"https", "http", "ftp", "wss", "ws"};
    size_t start = 0;
    *ret_next = at;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (ring_is(s, schemes[i], &start))
            return web(s, start, at, ret, ret_next);
    return other(s, at, ret, ret_next);
}

/* Two slashes where an address is expected. Not every comment in a program is one: elsewhere than in an
 * address itself there has to be a dot in what would be the host. */
static enum found relative(const struct scan *s, size_t at, struct bz_link *ret, size_t *ret_next) {
    enum place p = place_of(s->text, s->slash_at);
    struct unit u = unit_at(s, at);
    *ret_next = at;
    if (p == PLACE_BARE || p == PLACE_ANGLE)
        return FOUND_NOT;
    for (; u.n > 0 && (is_slash(u.ch) || is_removed(u.ch)) && at - s->slash_at < BZ_LINK_MAX;
         at += u.n, u = unit_at(s, at)) {
    }
    if (u.n == 0)
        return s->last ? FOUND_NOT : FOUND_MORE;
    if (is_blank(u.ch))
        return FOUND_NOT;
    return host_link(s, s->slash_at, at, p, !is_address(p), ret, ret_next);
}

/* ---- the scan ---- */

static void forget(struct scan *s) {
    s->ring_n = s->slashes = 0;
}

static void remember(struct scan *s, uint32_t ch, size_t at) {
    if (s->ring_n == RING) {
        memmove(s->ring, s->ring + 1, (RING - 1) * sizeof s->ring[0]);
        s->ring_n--;
    }
    s->ring[s->ring_n++] = (struct seen){(uint8_t)(ch >= 'A' && ch <= 'Z' ? ch | 0x20 : ch), at};
    while (at - s->ring[0].at >= BZ_LINK_MAX) { /* too far back to be kept */
        memmove(s->ring, s->ring + 1, (s->ring_n - 1) * sizeof s->ring[0]);
        s->ring_n--;
    }
    s->slashes = 0;
}

/* One unit; *at goes on. */
static enum found step(struct scan *s, size_t *at, struct unit u, struct bz_link *ret) {
    size_t here = *at, next = here + u.n, start = 0;
    enum found f = FOUND_NOT;
    *at = next;
    if (u.ch == ':') {
        f = colon(s, next, ret, at);
        if (f != FOUND_MORE)
            forget(s);
        return f;
    }
    if (in_scheme(u.ch)) {
        bool www = u.ch == '.' && ring_is(s, "www", &start) &&
                   (start == 0 || !in_scheme(s->text.p[start - 1]));
        remember(s, u.ch, here);
        if (www)
            f = host_link(s, start, start, place_of(s->text, start), true, ret, at);
        if (www && f != FOUND_MORE && *at > next)
            forget(s);
        return f;
    }
    if (is_slash(u.ch)) {
        s->ring_n = 0;
        if (s->slashes++ == 0)
            s->slash_at = here;
        if (s->slashes == 2)
            f = relative(s, next, ret, at);
        if (s->slashes == 2 && f == FOUND_NOT && *at > next)
            forget(s);
        return f;
    }
    if (!is_removed(u.ch))
        forget(s);
    return FOUND_NOT;
}

/* ---- text without links ---- */

enum { LANES = 16 };
typedef uint8_t lanes __attribute__((vector_size(LANES)));

static inline lanes each(char c) {
    lanes v;
    memset(&v, c, sizeof v);
    return v;
}

/* Can a link be noticed at this byte? */
static bool matters(struct bz_view t, size_t at) {
    uint8_t b = t.p[at];
    if ((b | 0x20) == 'w')
        return at + 1 < t.n && (t.p[at + 1] | 0x20) == 'w';
    return b == ':' || b == '/' || b == '\\' || b == '&';
}

static size_t next_that_matters(struct bz_view t, size_t at) {
    const lanes colon = each(':'), slash = each('/'), back = each('\\'), amp = each('&'),
                w = each('w'), low = each(0x20);
    for (; at + LANES <= t.n; at += LANES) {
        lanes v;
        uint64_t any[2];
        memcpy(&v, t.p + at, LANES);
        lanes hit = (lanes)(v == colon) | (lanes)(v == slash) | (lanes)(v == back) |
                    (lanes)(v == amp) | (lanes)((v | low) == w);
        memcpy(any, &hit, sizeof any);
        for (size_t k = 0; (any[0] | any[1]) != 0 && k < LANES; k++)
            if (hit[k] != 0 && matters(t, at + k))
                return at + k;
    }
    while (at < t.n && !matters(t, at))
        at++;
    return at;
}

/* Between `at` and the next byte that matters only the last letters do: they may be a scheme. */
static void skip_dull(struct scan *s, size_t *at) {
    size_t next = next_that_matters(s->text, *at), from = next, letters = 0;
    while (from > *at && letters < RING && next - from < BZ_LINK_MAX) {
        uint8_t b = s->text.p[from - 1];
        if (!in_scheme(b) && !is_removed(b))
            break;
        letters += in_scheme(b);
        from--;
    }
    if (from == *at)
        return;
    forget(s);
    *at = from;
}

/* The first place that more text could make the beginning of a link. */
static size_t undecided(const struct scan *s, size_t at) {
    size_t first = at;
    if (s->ring_n > 0)
        first = s->ring[0].at;
    if (s->slashes > 0 && s->slash_at < first)
        first = s->slash_at;
    size_t most = s->text.n > BZ_LINK_MAX ? s->text.n - BZ_LINK_MAX : 0;
    return first > most ? first : most;
}

bool bz_agent_link(const struct bz_agent *a, struct bz_view text, size_t from, bool last,
                   struct bz_link *ret, size_t *ret_settled) {
    struct scan s = {.a = a, .text = text, .last = last};
    size_t at = from;
    while (at < text.n) {
        bool www = s.ring_n > 0 && s.ring[s.ring_n - 1].ch == 'w'; /* may just be coming */
        if (!www && !matters(text, at))
            skip_dull(&s, &at);
        if (at == text.n)
            break;
        struct unit u = unit_at(&s, at);
        size_t here = at;
        if (u.n == 0)
            break;
        enum found f = step(&s, &at, u, ret);
        if (f == FOUND_LINK) {
            *ret_settled = ret->end;
            return true;
        }
        if (f == FOUND_MORE) {
            at = here;
            break;
        }
    }
    *ret_settled = last ? text.n : undecided(&s, at);
    return false;
}

/* ---- what takes its place ---- */

static void put_host(struct bz_buf *out, struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t b = v.p[i];
        if (b == '.')
            bz_buf_puts(out, "[.]");
        else if (is_letter(b) || is_digit(b) || b == '-')
            bz_buf_putc(out, b);
        else if (b == '@')
            bz_buf_puts(out, "(at)");
        else if (b < 0x80 || b >= 0xc0) /* once for a character */
            bz_buf_putc(out, '_');
    }
}

void bz_agent_defang(struct bz_view link, struct bz_buf *out) {
    const uint8_t *colon = link.n > 0 ? memchr(link.p, ':', link.n) : NULL;
    size_t scheme = colon == NULL ? 0 : (size_t)(colon - link.p), at = 0;
    struct bz_view name = bz_view_sub(link, 0, scheme);
    bool plain = scheme > 0;
    for (size_t i = 0; i < scheme; i++)
        plain &= in_scheme(link.p[i]);
    bz_buf_puts(out, "hxxp");
    if (plain && bz_view_eq_nocase(name, BZ_V("https")))
        bz_buf_putc(out, 's');
    if (plain && !bz_view_eq_nocase(name, BZ_V("https")) &&
        !bz_view_eq_nocase(name, BZ_V("http"))) {
        bz_buf_putc(out, '-');
        put_host(out, bz_view_sub(name, 0, RING));
    }
    bz_buf_puts(out, "[:]//"); /* no scheme and no beginning of an address any more */
    at = plain ? scheme + 1 : 0;
    while (at < link.n && is_slash(link.p[at]))
        at++;
    put_host(out, bz_view_sub(link, at, (BZ_LINK_TEXT - 64) / 3));
}
