/* Jinja's lexer. Outside of tags everything is data; inside, an end delimiter counts only where no
 * bracket is open (`{{ {'a': {'b': 1}} }}`). */
#include "jinja_int.h"

#include <bartizan/text.h>

void jinja_lex_init(struct jinja_lex *l, struct bz_view in) {
    *l = (struct jinja_lex){.in = in, .mode = JT_DATA};
}

static int peek(const struct jinja_lex *l, size_t i) {
    return i < l->in.n ? l->in.p[i] : -1;
}

static bool is_blank(int c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

/* Letters beyond ASCII as Python has them: every other code point is taken, engines will tell. */
static bool is_word(int c) {
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c >= 0x80;
}

static void error(struct jinja_token *t, const char *why) {
    t->kind = JT_ERROR;
    t->why = why;
}

/* ---- data ------------------------------------------------------------------------------------ */

/* The next "{%", "{{" or "{#". */
static size_t next_tag(const struct jinja_lex *l, size_t from) {
    while (from + 1 < l->in.n) {
        const uint8_t *p = memchr(l->in.p + from, '{', l->in.n - from - 1);
        if (p == NULL)
            break;
        from = (size_t)(p - l->in.p);
        if (p[1] == '%' || p[1] == '{' || p[1] == '#')
            return from;
        from++;
    }
    return l->in.n;
}

static size_t skip_blanks(const struct jinja_lex *l, size_t i) {
    while (is_blank(peek(l, i)))
        i++;
    return i;
}

static size_t word_at(const struct jinja_lex *l, size_t i, const char *word) {
    struct bz_view w = bz_view_str(word);
    if (!bz_view_eq(bz_view_sub(l->in, i, w.n), w) || is_word(peek(l, i + w.n)))
        return 0;
    return i + w.n;
}

/* "{%- raw -%}" at i: the place behind it, or 0. */
static size_t raw_tag(const struct jinja_lex *l, size_t i, const char *word, bool *ret_strip) {
    i += 2;
    if (peek(l, i) == '-' || peek(l, i) == '+')
        i++;
    i = word_at(l, skip_blanks(l, i), word);
    if (i == 0)
        return 0;
    i = skip_blanks(l, i);
    *ret_strip = peek(l, i) == '-';
    if (peek(l, i) == '-' || peek(l, i) == '+')
        i++;
    return peek(l, i) == '%' && peek(l, i + 1) == '}' ? i + 2 : 0;
}

static size_t end_raw(const struct jinja_lex *l, size_t from, size_t *ret_after, bool *ret_strip) {
    for (size_t i = next_tag(l, from); i < l->in.n; i = next_tag(l, i + 1)) {
        *ret_after = l->in.p[i + 1] == '%' ? raw_tag(l, i, "endraw", ret_strip) : 0;
        if (*ret_after != 0)
            return i;
    }
    return l->in.n;
}

/* Text between two tags as it is written out: '-' takes blanks away on its side, and so do
 * trim_blocks (a newline behind a tag) and lstrip_blocks (blanks before one on its line). */
static struct bz_view stripped(struct jinja_lex *l, size_t from, size_t to, bool has_tag) {
    int mark = has_tag ? peek(l, to + 2) : -1;
    bool block = has_tag && l->in.p[to + 1] != '{';
    if (l->strip)
        while (from < to && is_blank(l->in.p[from]))
            from++;
    else if (l->trim && from < to && l->in.p[from] == '\n')
        from++;
    if (mark == '-') {
        while (to > from && is_blank(l->in.p[to - 1]))
            to--;
    } else if (block && mark != '+') {
        size_t i = to;
        while (i > from && (l->in.p[i - 1] == ' ' || l->in.p[i - 1] == '\t'))
            i--;
        if (i == 0 || l->in.p[i - 1] == '\n')
            to = i;
    }
    return bz_view_sub(l->in, from, to - from);
}

static void data(struct jinja_lex *l, struct jinja_token *t, size_t to, bool has_tag) {
    t->kind = JT_DATA;
    t->text = stripped(l, l->at, to, has_tag);
    l->strip = l->trim = false;
    l->at = to;
}

static bool comment(struct jinja_lex *l, struct jinja_token *t) {
    for (size_t i = l->at + 2; i + 1 < l->in.n; i++) {
        if (l->in.p[i] == '#' && l->in.p[i + 1] == '}') {
            l->strip = i > l->at + 2 && l->in.p[i - 1] == '-';
            l->trim = true;
            l->at = i + 2;
            return true;
        }
    }
    error(t, "comment without an end");
    return false;
}

/* True when *t is a token; false: a comment or nothing, go on. */
static bool outside(struct jinja_lex *l, struct jinja_token *t) {
    bool strip = false;
    size_t after = 0;
    t->off = (uint32_t)l->at;
    if (l->raw) {
        size_t end = end_raw(l, l->at, &after, &strip);
        if (end == l->in.n) {
            error(t, "raw block without an end");
            return true;
        }
        data(l, t, end, true);
        l->at = after;
        l->strip = strip;
        l->trim = true;
        l->raw = false;
        return t->text.n > 0;
    }
    size_t tag = next_tag(l, l->at);
    if (tag > l->at) {
        data(l, t, tag, tag < l->in.n);
        return t->text.n > 0;
    }
    if (tag == l->in.n) {
        t->kind = JT_END;
        return true;
    }
    uint8_t kind = l->in.p[tag + 1];
    l->strip = l->trim = false;
    if (kind == '#')
        return !comment(l, t);
    if (kind == '%' && (after = raw_tag(l, tag, "raw", &strip)) != 0) {
        l->at = after;
        l->strip = strip;
        l->raw = true;
        return false;
    }
    l->mode = t->kind = kind == '%' ? JT_BLOCK_BEGIN : JT_VAR_BEGIN;
    l->at = tag + 2;
    if (peek(l, l->at) == '-' || (kind == '%' && peek(l, l->at) == '+'))
        l->at++;
    return true;
}

/* ---- inside of a tag ------------------------------------------------------------------------- */

static bool tag_end(struct jinja_lex *l, struct jinja_token *t) {
    bool block = l->mode == JT_BLOCK_BEGIN;
    size_t i = l->at;
    bool minus = peek(l, i) == '-';
    if (minus || (block && peek(l, i) == '+'))
        i++;
    if (peek(l, i) != (block ? '%' : '}') || peek(l, i + 1) != '}')
        return false;
    t->kind = block ? JT_BLOCK_END : JT_VAR_END;
    l->strip = minus;
    l->trim = block && peek(l, l->at) != '+';
    l->at = i + 2;
    l->mode = JT_DATA;
    return true;
}

static bool name(struct jinja_lex *l, struct jinja_token *t) {
    size_t i = l->at;
    while (is_word(peek(l, i)))
        i++;
    t->kind = JT_NAME;
    t->text = bz_view_sub(l->in, l->at, i - l->at);
    l->at = i;
    return true;
}

/* Digits with single underscores between them. */
static size_t digits(const struct jinja_lex *l, size_t i, bool hex) {
    while (is_digit(peek(l, i)) ||
           (hex && (peek(l, i) | 0x20) >= 'a' && (peek(l, i) | 0x20) <= 'f') ||
           (peek(l, i) == '_' && (is_digit(peek(l, i + 1)) || hex)))
        i++;
    return i;
}

static bool number(struct jinja_lex *l, struct jinja_token *t) {
    size_t i = l->at;
    int base = peek(l, i + 1) | 0x20;
    t->kind = JT_INT;
    if (peek(l, i) == '0' && (base == 'x' || base == 'o' || base == 'b')) {
        i = digits(l, i + 2, base == 'x');
    } else {
        i = digits(l, i, false);
        if (peek(l, i) == '.' && is_digit(peek(l, i + 1))) {
            t->kind = JT_FLOAT;
            i = digits(l, i + 1, false);
        }
        if ((peek(l, i) | 0x20) == 'e') {
            size_t k = i + 1;
            k += peek(l, k) == '+' || peek(l, k) == '-';
            if (is_digit(peek(l, k))) {
                t->kind = JT_FLOAT;
                i = digits(l, k, false);
            }
        }
    }
    t->text = bz_view_sub(l->in, l->at, i - l->at);
    l->at = i;
    return true;
}

static bool string(struct jinja_lex *l, struct jinja_token *t) {
    uint8_t quote = l->in.p[l->at];
    for (size_t i = l->at + 1; i < l->in.n; i++) {
        if (l->in.p[i] == '\\') {
            i++;
        } else if (l->in.p[i] == quote) {
            t->kind = JT_STRING;
            t->text = bz_view_sub(l->in, l->at + 1, i - l->at - 1);
            l->at = i + 1;
            return true;
        }
    }
    error(t, "string without an end");
    return true;
}

static const struct {
    char text[3];
    uint8_t op;
} operators[] = {
    {"//", JO_FLOORDIV}, {"**", JO_POW},   {"==", JO_EQ},      {"!=", JO_NE},      {">=", JO_GE},
    {"<=", JO_LE},       {"+", JO_ADD},    {"-", JO_SUB},      {"/", JO_DIV},      {"*", JO_MUL},
    {"%", JO_MOD},       {"~", JO_TILDE},  {"[", JO_LBRACKET}, {"]", JO_RBRACKET}, {"(", JO_LPAREN},
    {")", JO_RPAREN},    {"{", JO_LBRACE}, {"}", JO_RBRACE},   {">", JO_GT},       {"<", JO_LT},
    {"=", JO_ASSIGN},    {".", JO_DOT},    {":", JO_COLON},    {"|", JO_PIPE},     {",", JO_COMMA},
    {";", JO_SEMI},
};

static void bracket(struct jinja_lex *l, struct jinja_token *t) {
    bool open = t->op == JO_LPAREN || t->op == JO_LBRACKET || t->op == JO_LBRACE;
    bool close = t->op == JO_RPAREN || t->op == JO_RBRACKET || t->op == JO_RBRACE;
    if (open) {
        if (l->depth == JINJA_BRACKETS_MAX)
            error(t, "too many open brackets");
        else
            l->open[l->depth++] = (uint8_t)(t->op + 1); /* what closes it */
    } else if (close && (l->depth == 0 || l->open[--l->depth] != t->op)) {
        error(t, "unexpected closing bracket");
    }
}

static bool operator_at(struct jinja_lex *l, struct jinja_token *t) {
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        struct bz_view text = bz_view_str(operators[i].text);
        if (bz_view_eq(bz_view_sub(l->in, l->at, text.n), text)) {
            t->kind = JT_OP;
            t->op = operators[i].op;
            t->text = text;
            l->at += text.n;
            bracket(l, t);
            return true;
        }
    }
    error(t, "unexpected character");
    return true;
}

static bool inside(struct jinja_lex *l, struct jinja_token *t) {
    l->at = skip_blanks(l, l->at);
    t->off = (uint32_t)l->at;
    if (l->at >= l->in.n) {
        error(t, "tag without an end");
        return true;
    }
    if (l->depth == 0 && tag_end(l, t))
        return true;
    int c = peek(l, l->at);
    if (is_digit(c))
        return number(l, t);
    if (is_word(c))
        return name(l, t);
    if (c == '"' || c == '\'')
        return string(l, t);
    return operator_at(l, t);
}

void jinja_lex_next(struct jinja_lex *l, struct jinja_token *ret) {
    do
        *ret = (struct jinja_token){.kind = JT_END};
    while (!(l->mode == JT_DATA ? outside(l, ret) : inside(l, ret)));
}
