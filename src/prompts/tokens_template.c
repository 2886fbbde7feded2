/* Control tokens of a model's own chat template. A template is Jinja: texts between blocks, and strings
 * within them ("{{ '<|im_start|>' + role }}"). Both are searched; what counts is the shape. */
#include <bartizan/prompts.h>

enum { TOKEN_MIN = 3, TOKEN_MAX = 64 };

static bool is_letter(uint8_t c) {
    return (uint8_t)((c | 0x20) - 'a') < 26;
}

static bool is_upper(uint8_t c) {
    return (uint8_t)(c - 'A') < 26 || c == '_' || (uint8_t)(c - '0') < 10;
}

/* Bytes of the bar at v: ASCII or full width; 0: none. */
static size_t bar(struct bz_view v) {
    if (v.n >= 1 && v.p[0] == '|')
        return 1;
    return bz_view_starts(v, BZ_V("\xef\xbd\x9c")) ? 3 : 0;
}

/* Length of what runs from v's first byte to `close`, without blanks, quotes or braces; 0: nothing. */
static size_t closed(struct bz_view v, const char *close) {
    size_t n = strlen(close);
    for (size_t i = 1; i + n <= v.n && i + n <= TOKEN_MAX; i++) {
        if (memcmp(v.p + i, close, n) == 0)
            return i + n;
        if (v.p[i] <= ' ' || strchr("\"'{}\\()", v.p[i]) != NULL)
            return 0;
    }
    return 0;
}

/* [INST], [/INST], [gMASK], [|user|]: capitals or bars, not an index. */
static size_t square(struct bz_view v) {
    size_t n = closed(v, "]");
    size_t from = n > 1 && v.p[1] == '/' ? 2 : 1;
    if (n < 5)
        return 0;
    if (bar(bz_view_sub(v, from, v.n)) != 0)
        return n;
    if (is_letter(v.p[from]) && !is_upper(v.p[from]) && n > 5)
        from++; /* gMASK */
    for (size_t i = from; i + 1 < n; i++) {
        if (!is_upper(v.p[i]))
            return 0;
    }
    return n;
}

/* <|...|>, <|...>, <...|>, <<SYS>>, <start_of_turn>; and any name that a list of tokens has. Names of
 * XML, of which templates explain the format of tool calls, are none. */
static size_t angle(struct bz_view v) {
    if (v.n > 2 && v.p[1] == '<')
        return closed(v, ">>");
    size_t n = closed(v, ">");
    if (n < TOKEN_MIN)
        return 0;
    struct bz_token_hit hit;
    if (bz_token_find(bz_view_sub(v, 0, n), 0, NULL, 0, &hit) && hit.start == 0)
        return n;
    size_t from = v.p[1] == '/' ? 2 : 1;
    if (bar(bz_view_sub(v, from, v.n)) != 0 || v.p[n - 2] == '|')
        return n;
    size_t words = 0;
    for (size_t i = from; i + 1 < n; i++) {
        if (!is_letter(v.p[i]) && v.p[i] != '_' && v.p[i] != ':')
            return 0;
        words += v.p[i] == '_';
    }
    return words >= 2 ? n : 0; /* start_of_turn */
}

static size_t add(struct bz_view token, struct bz_view *out, size_t n, size_t cap) {
    for (size_t i = 0; i < n; i++) {
        if (bz_view_eq(out[i], token))
            return n;
    }
    if (n < cap)
        out[n++] = token;
    return n;
}

size_t bz_tokens_of_template(struct bz_view jinja, struct bz_view *out, size_t cap) {
    size_t n = 0;
    for (size_t at = 0; at < jinja.n; at++) {
        struct bz_view rest = bz_view_sub(jinja, at, jinja.n);
        size_t len = 0;
        if (rest.p[0] == '<')
            len = angle(rest);
        else if (rest.p[0] == '[')
            len = square(rest);
        if (len < TOKEN_MIN)
            continue;
        n = add(bz_view_sub(rest, 0, len), out, n, cap);
        at += len - 1;
    }
    return n;
}
