/* Jinja's expressions, by the precedence of its own parser: if-else, or, and, not, comparison, + -,
 * ~, * / // %, **, unary, postfix, filters and tests. */
#include "jinja_int.h"

#include <bartizan/text.h>

static struct jinja_node *unary(struct jinja_parser *p, bool with_filter);
static struct jinja_node *either(struct jinja_parser *p);

static void append(struct jinja_node **list, struct jinja_node **last, struct jinja_node *n) {
    if (n == NULL)
        return;
    *(*last == NULL ? list : &(*last)->next) = n;
    *last = n;
}

/* ---- strings --------------------------------------------------------------------------------- */

static int hex(int c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to `max` digits of `base` at *i. */
static bool code(struct bz_view in, size_t *i, unsigned max, int base, uint32_t *ret) {
    unsigned n = 0;
    *ret = 0;
    for (; n < max && *i < in.n; n++, (*i)++) {
        int d = hex(in.p[*i]);
        if (d < 0 || d >= base)
            break;
        *ret = *ret * (uint32_t)base + (uint32_t)d;
    }
    return base == 8 ? n > 0 : n == max;
}

/* Python's escapes; the rest stays as written. *how: what they stood for. */
static size_t escape(struct bz_view in, size_t *i, uint8_t out[4], uint8_t *how) {
    static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
    uint32_t cp = 0;
    size_t k = *i + 2;
    int c = in.p[*i + 1];
    const char *simple = c == 0 ? NULL : strchr(from, c);
    if (simple != NULL) {
        *i += 2;
        out[0] = (uint8_t)to[simple - from];
        return 1;
    }
    if (c == '\n') {
        *i += 2;
        return 0;
    }
    bool ok = c == 'x'   ? code(in, &k, 2, 16, &cp)
              : c == 'u' ? code(in, &k, 4, 16, &cp)
              : c == 'U' ? code(in, &k, 8, 16, &cp)
                         : (k--, code(in, &k, 3, 8, &cp));
    if (!ok || cp > 0x10ffff) {
        out[0] = '\\';
        *i += 1;
        return 1;
    }
    *i = k;
    bool letter =
        cp == '_' || (cp >= '0' && cp <= '9') || ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z');
    *how |= letter ? JINJA_ESCAPED_LETTER : cp >= 0x80 ? JINJA_ESCAPED_OTHER : 0;
    return bz_utf8_encode(cp, out);
}

static struct bz_view unescape(struct jinja_parser *p, struct bz_view in, uint8_t *how) {
    if (in.n == 0 || memchr(in.p, '\\', in.n) == NULL)
        return in;
    uint8_t *out =
        bz_arena_alloc(p->ar, in.n + 4); /* no escape is shorter than what it stands for */
    size_t n = 0;
    if (out == NULL) {
        (void)jinja_fail(p, BZ_ENOMEM, "out of memory");
        return BZ_V("");
    }
    for (size_t i = 0; i < in.n;) {
        if (in.p[i] == '\\' && i + 1 < in.n)
            n += escape(in, &i, out + n, how);
        else
            out[n++] = in.p[i++];
    }
    return bz_view(out, n);
}

/* 'a' "b" is one string. */
static struct jinja_node *strings(struct jinja_parser *p) {
    struct jinja_node *n = jinja_new(p, JE_STR, p->cur.off);
    uint8_t how = 0;
    struct bz_view all = unescape(p, p->cur.text, &how);
    for (jinja_advance(p); p->cur.kind == JT_STRING; jinja_advance(p)) {
        struct bz_view more = unescape(p, p->cur.text, &how);
        uint8_t *both = bz_arena_alloc(p->ar, all.n + more.n + 1);
        if (both == NULL)
            return jinja_fail(p, BZ_ENOMEM, "out of memory");
        if (all.n > 0)
            memcpy(both, all.p, all.n);
        if (more.n > 0)
            memcpy(both + all.n, more.p, more.n);
        all = bz_view(both, all.n + more.n);
        if (all.n > BZ_TEMPLATE_STRING_MAX)
            return jinja_fail(p, BZ_ETOOBIG, "string too long");
    }
    if (p->st != BZ_OK)
        return NULL;
    n->text = all;
    n->op = how;
    return n;
}

static int64_t integer(struct bz_view v) {
    uint64_t n = 0, base = 10;
    size_t i = 0;
    if (v.n > 2 && v.p[0] == '0' && !(v.p[1] >= '0' && v.p[1] <= '9') && v.p[1] != '_') {
        base = (v.p[1] | 0x20) == 'x' ? 16 : (v.p[1] | 0x20) == 'o' ? 8 : 2;
        i = 2;
    }
    for (; i < v.n; i++) {
        int d = hex(v.p[i]);
        if (v.p[i] == '_' || d < 0)
            continue;
        if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, (uint64_t)d, &n) ||
            n > INT64_MAX)
            return INT64_MAX;
    }
    return (int64_t)n;
}

/* ---- primary --------------------------------------------------------------------------------- */

static struct jinja_node *name(struct jinja_parser *p) {
    static const char *const words[] = {"true", "True", "false", "False", "none", "None"};
    struct jinja_node *n = jinja_new(p, JE_NAME, p->cur.off);
    if (n == NULL)
        return NULL;
    n->text = p->cur.text;
    for (size_t i = 0; i < 6; i++) {
        if (bz_view_eq(n->text, bz_view_str(words[i]))) {
            n->kind = i < 4 ? JE_BOOL : JE_NONE;
            n->num = i < 2;
        }
    }
    jinja_advance(p);
    return n;
}

static struct jinja_node *listed(struct jinja_parser *p, enum jinja_kind kind, enum jinja_op end) {
    struct jinja_node *n = jinja_new(p, kind, p->cur.off), *last = NULL;
    jinja_advance(p);
    while (p->st == BZ_OK && !jinja_at_op(p, end)) {
        if (last != NULL)
            jinja_want_op(p, JO_COMMA, "',' was expected");
        if (jinja_at_op(p, end))
            break;
        struct jinja_node *one = jinja_expr(p, true);
        if (kind == JE_DICT) {
            struct jinja_node *pair = jinja_new(p, JE_PAIR, p->cur.off);
            jinja_want_op(p, JO_COLON, "':' was expected");
            struct jinja_node *val = jinja_expr(p, true);
            if (p->st != BZ_OK)
                return NULL;
            pair->a = one;
            pair->b = val;
            one = jinja_done(p, pair);
        }
        if (n != NULL)
            append(&n->list, &last, one);
    }
    jinja_want_op(p, end, "a closing bracket was expected");
    return jinja_done(p, n);
}

static struct jinja_node *parenthesis(struct jinja_parser *p) {
    uint32_t off = p->cur.off;
    jinja_advance(p);
    if (jinja_skip_op(p, JO_RPAREN))
        return jinja_new(p, JE_TUPLE, off);
    struct jinja_node *n = jinja_tuple(p, true, NULL);
    jinja_want_op(p, JO_RPAREN, "')' was expected");
    return p->st == BZ_OK ? n : NULL;
}

static struct jinja_node *primary(struct jinja_parser *p) {
    struct jinja_node *n = NULL;
    switch (p->cur.kind) {
    case JT_NAME:
        return name(p);
    case JT_STRING:
        return strings(p);
    case JT_INT:
    case JT_FLOAT:
        n = jinja_new(p, p->cur.kind == JT_INT ? JE_INT : JE_FLOAT, p->cur.off);
        if (n != NULL) {
            n->text = p->cur.text;
            n->num = integer(n->text);
        }
        jinja_advance(p);
        return n;
    default:
        break;
    }
    if (jinja_at_op(p, JO_LPAREN))
        return parenthesis(p);
    if (jinja_at_op(p, JO_LBRACKET))
        return listed(p, JE_LIST, JO_RBRACKET);
    if (jinja_at_op(p, JO_LBRACE))
        return listed(p, JE_DICT, JO_RBRACE);
    return jinja_fail(p, BZ_ESYNTAX, "an expression was expected");
}

/* ---- postfix --------------------------------------------------------------------------------- */

static struct jinja_node *argument(struct jinja_parser *p) {
    struct jinja_node *n = jinja_new(p, JE_ARG, p->cur.off);
    if (n == NULL)
        return NULL;
    if (jinja_skip_op(p, JO_MUL)) {
        n->op = 1;
    } else if (jinja_skip_op(p, JO_POW)) {
        n->op = 2;
    } else if (p->cur.kind == JT_NAME && jinja_look(p)->kind == JT_OP &&
               jinja_look(p)->op == JO_ASSIGN) {
        n->text = p->cur.text;
        jinja_advance(p);
        jinja_advance(p);
    }
    n->a = jinja_expr(p, true);
    return jinja_done(p, n);
}

static struct jinja_node *arguments(struct jinja_parser *p) {
    struct jinja_node *list = NULL, *last = NULL;
    jinja_want_op(p, JO_LPAREN, "'(' was expected");
    while (p->st == BZ_OK && !jinja_at_op(p, JO_RPAREN)) {
        if (last != NULL)
            jinja_want_op(p, JO_COMMA, "',' was expected");
        if (jinja_at_op(p, JO_RPAREN))
            break;
        append(&list, &last, argument(p));
    }
    jinja_want_op(p, JO_RPAREN, "')' was expected");
    return list;
}

static struct jinja_node *call(struct jinja_parser *p, struct jinja_node *of) {
    struct jinja_node *n = jinja_new(p, JE_CALL, p->cur.off);
    struct jinja_node *list = arguments(p);
    if (p->st != BZ_OK)
        return NULL;
    n->a = of;
    n->list = list;
    return jinja_done(p, n);
}

static bool slice_part_follows(const struct jinja_parser *p) {
    return !jinja_at_op(p, JO_COLON) && !jinja_at_op(p, JO_RBRACKET) && !jinja_at_op(p, JO_COMMA);
}

/* One subscript: an expression, or a slice of `of`. */
static struct jinja_node *subscribed(struct jinja_parser *p, struct jinja_node *of,
                                     struct jinja_node **ret_slice) {
    struct jinja_node *from = slice_part_follows(p) ? jinja_expr(p, true) : NULL;
    if (!jinja_at_op(p, JO_COLON))
        return from;
    struct jinja_node *n = jinja_new(p, JE_SLICE, p->cur.off), *to = NULL, *step = NULL;
    jinja_advance(p);
    if (slice_part_follows(p))
        to = jinja_expr(p, true);
    if (jinja_skip_op(p, JO_COLON) && slice_part_follows(p))
        step = jinja_expr(p, true);
    if (p->st != BZ_OK)
        return NULL;
    n->a = of;
    n->b = from;
    n->c = to;
    n->other = step;
    *ret_slice = jinja_done(p, n);
    return NULL;
}

static struct jinja_node *subscript(struct jinja_parser *p, struct jinja_node *of) {
    struct jinja_node *slice = NULL, *n = jinja_new(p, JE_ITEM, p->cur.off);
    jinja_advance(p);
    /* a[] is a[()] */
    struct jinja_node *key = jinja_at_op(p, JO_RBRACKET) ? jinja_new(p, JE_TUPLE, p->cur.off)
                                                         : subscribed(p, of, &slice);
    if (p->st == BZ_OK && key == NULL && slice == NULL)
        return jinja_fail(p, BZ_ESYNTAX, "a subscript was expected");
    if (jinja_at_op(p, JO_COMMA)) { /* a tuple as key */
        struct jinja_node *tuple = jinja_new(p, JE_TUPLE, p->cur.off), *last = NULL;
        if (tuple != NULL && slice == NULL)
            append(&tuple->list, &last, key);
        while (jinja_skip_op(p, JO_COMMA) && tuple != NULL) {
            struct jinja_node *one = subscribed(p, of, &slice);
            append(&tuple->list, &last, one);
        }
        key = jinja_done(p, tuple);
        slice = NULL;
    }
    jinja_want_op(p, JO_RBRACKET, "']' was expected");
    if (p->st != BZ_OK)
        return NULL;
    if (slice != NULL)
        return slice;
    n->a = of;
    n->b = key;
    return jinja_done(p, n);
}

static struct jinja_node *attribute(struct jinja_parser *p, struct jinja_node *of) {
    jinja_advance(p);
    struct jinja_node *n = jinja_new(p, JE_ATTR, p->cur.off);
    if (n == NULL)
        return NULL;
    n->a = of;
    n->text = p->cur.text;
    if (p->cur.kind == JT_INT) { /* a.0 is a[0] */
        n->kind = JE_ITEM;
        n->b = primary(p);
        return jinja_done(p, n);
    }
    if (p->cur.kind != JT_NAME)
        return jinja_fail(p, BZ_ESYNTAX, "a name was expected");
    jinja_advance(p);
    return jinja_done(p, n);
}

static struct jinja_node *postfix(struct jinja_parser *p, struct jinja_node *n) {
    while (p->st == BZ_OK) {
        if (jinja_at_op(p, JO_DOT))
            n = attribute(p, n);
        else if (jinja_at_op(p, JO_LBRACKET))
            n = subscript(p, n);
        else if (jinja_at_op(p, JO_LPAREN))
            n = call(p, n);
        else
            break;
    }
    return p->st == BZ_OK ? n : NULL;
}

/* ---- filters and tests ----------------------------------------------------------------------- */

/* a.b.c as one name */
static struct bz_view dotted(struct jinja_parser *p) {
    struct bz_view first = jinja_want_name(p, "a name was expected");
    const uint8_t *end = first.p + first.n;
    while (jinja_skip_op(p, JO_DOT)) {
        struct bz_view more = jinja_want_name(p, "a name was expected");
        if (more.n > 0)
            end = more.p + more.n;
    }
    return bz_view(first.p, first.n == 0 ? 0 : (size_t)(end - first.p));
}

struct jinja_node *jinja_filters(struct jinja_parser *p, struct jinja_node *in, bool start_inline) {
    while (p->st == BZ_OK && (start_inline || jinja_at_op(p, JO_PIPE))) {
        if (!start_inline)
            jinja_advance(p);
        start_inline = false;
        struct jinja_node *n = jinja_new(p, JE_FILTER, p->cur.off);
        struct bz_view what = dotted(p);
        struct jinja_node *list = jinja_at_op(p, JO_LPAREN) ? arguments(p) : NULL;
        if (p->st != BZ_OK)
            return NULL;
        n->text = what;
        n->a = in;
        n->list = list;
        in = jinja_done(p, n);
    }
    return p->st == BZ_OK ? in : NULL;
}

static bool test_argument_follows(const struct jinja_parser *p) {
    switch (p->cur.kind) {
    case JT_NAME:
        return !jinja_at_name(p, "else") && !jinja_at_name(p, "or") && !jinja_at_name(p, "and") &&
               !jinja_at_name(p, "if") && !jinja_at_name(p, "is") && !jinja_at_name(p, "in") &&
               !jinja_at_name(p, "not") && !jinja_at_name(p, "recursive");
    case JT_STRING:
    case JT_INT:
    case JT_FLOAT:
        return true;
    default:
        return jinja_at_op(p, JO_LBRACKET) || jinja_at_op(p, JO_LBRACE);
    }
}

static struct jinja_node *test(struct jinja_parser *p, struct jinja_node *in) {
    jinja_advance(p);
    struct jinja_node *n = jinja_new(p, JE_TEST, p->cur.off);
    bool negated = jinja_skip_name(p, "not");
    struct bz_view what = dotted(p);
    struct jinja_node *list = NULL;
    if (jinja_at_op(p, JO_LPAREN)) {
        list = arguments(p);
    } else if (test_argument_follows(p)) {
        list = jinja_new(p, JE_ARG, p->cur.off);
        struct jinja_node *arg = primary(p);
        arg = arg == NULL ? NULL : postfix(p, arg);
        if (p->st != BZ_OK)
            return NULL;
        list->a = arg;
        list = jinja_done(p, list);
    }
    if (p->st != BZ_OK)
        return NULL;
    n->op = negated;
    n->text = what;
    n->a = in;
    n->list = list;
    return jinja_done(p, n);
}

static struct jinja_node *filtered(struct jinja_parser *p, struct jinja_node *n) {
    while (p->st == BZ_OK) {
        if (jinja_at_op(p, JO_PIPE))
            n = jinja_filters(p, n, false);
        else if (jinja_at_name(p, "is"))
            n = test(p, n);
        else if (jinja_at_op(p, JO_LPAREN))
            n = call(p, n);
        else
            break;
    }
    return p->st == BZ_OK ? n : NULL;
}

/* ---- operators ------------------------------------------------------------------------------- */

static struct jinja_node *unary(struct jinja_parser *p, bool with_filter) {
    struct jinja_node *n = NULL;
    if (!jinja_enter(p)) {
        jinja_leave(p);
        return NULL;
    }
    if (jinja_at_op(p, JO_SUB) || jinja_at_op(p, JO_ADD)) {
        struct jinja_node *sign =
            jinja_new(p, jinja_at_op(p, JO_SUB) ? JE_NEG : JE_POS, p->cur.off);
        jinja_advance(p);
        struct jinja_node *of = unary(p, false);
        if (p->st == BZ_OK) {
            sign->a = of;
            n = jinja_done(p, sign);
        }
    } else {
        n = primary(p);
    }
    if (n != NULL)
        n = postfix(p, n);
    if (n != NULL && with_filter)
        n = filtered(p, n);
    jinja_leave(p);
    return n;
}

static struct jinja_node *binary(struct jinja_parser *p, struct jinja_node *a, uint8_t op,
                                 struct jinja_node *(*right)(struct jinja_parser *)) {
    struct jinja_node *n = jinja_new(p, JE_BIN, p->cur.off);
    jinja_advance(p);
    struct jinja_node *b = right(p);
    if (p->st != BZ_OK)
        return NULL;
    n->op = op;
    n->a = a;
    n->b = b;
    return jinja_done(p, n);
}

static struct jinja_node *operand(struct jinja_parser *p) {
    return unary(p, true);
}

static struct jinja_node *power(struct jinja_parser *p) {
    struct jinja_node *n = operand(p);
    while (jinja_at_op(p, JO_POW))
        n = binary(p, n, JO_POW, operand);
    return n;
}

static struct jinja_node *product(struct jinja_parser *p) {
    struct jinja_node *n = power(p);
    while (jinja_at_op(p, JO_MUL) || jinja_at_op(p, JO_DIV) || jinja_at_op(p, JO_FLOORDIV) ||
           jinja_at_op(p, JO_MOD))
        n = binary(p, n, p->cur.op, power);
    return n;
}

static struct jinja_node *concat(struct jinja_parser *p) {
    struct jinja_node *n = product(p), *all = NULL, *last = NULL;
    if (!jinja_at_op(p, JO_TILDE))
        return n;
    all = jinja_new(p, JE_CONCAT, p->cur.off);
    if (all != NULL)
        append(&all->list, &last, n);
    while (jinja_skip_op(p, JO_TILDE)) {
        struct jinja_node *more = product(p);
        if (all != NULL)
            append(&all->list, &last, more);
    }
    return jinja_done(p, all);
}

static struct jinja_node *sum(struct jinja_parser *p) {
    struct jinja_node *n = concat(p);
    while (jinja_at_op(p, JO_ADD) || jinja_at_op(p, JO_SUB))
        n = binary(p, n, p->cur.op, concat);
    return n;
}

static uint8_t comparison_op(struct jinja_parser *p) {
    if (p->cur.kind == JT_OP && p->cur.op >= JO_EQ && p->cur.op <= JO_GE)
        return p->cur.op;
    if (jinja_at_name(p, "in"))
        return JO_IN;
    if (jinja_at_name(p, "not") && jinja_look(p)->kind == JT_NAME &&
        bz_view_eq(jinja_look(p)->text, BZ_V("in")))
        return JO_NOTIN;
    return JO_NONE;
}

static struct jinja_node *comparison(struct jinja_parser *p) {
    struct jinja_node *n = sum(p), *all = NULL, *last = NULL;
    for (uint8_t op; p->st == BZ_OK && (op = comparison_op(p)) != JO_NONE;) {
        if (all == NULL) {
            all = jinja_new(p, JE_CMP, p->cur.off);
            if (all == NULL)
                return NULL;
            all->a = n;
        }
        struct jinja_node *one = jinja_new(p, JE_CMPOP, p->cur.off);
        jinja_advance(p);
        if (op == JO_NOTIN)
            jinja_advance(p);
        struct jinja_node *with = sum(p);
        if (p->st != BZ_OK)
            return NULL;
        one->op = op;
        one->a = with;
        append(&all->list, &last, jinja_done(p, one));
    }
    return all == NULL ? n : jinja_done(p, all);
}

static struct jinja_node *negation(struct jinja_parser *p) {
    if (!jinja_at_name(p, "not"))
        return comparison(p);
    struct jinja_node *n = jinja_new(p, JE_NOT, p->cur.off), *of = NULL;
    jinja_advance(p);
    if (jinja_enter(p))
        of = negation(p);
    jinja_leave(p);
    if (p->st != BZ_OK)
        return NULL;
    n->a = of;
    return jinja_done(p, n);
}

static struct jinja_node *joined(struct jinja_parser *p, const char *word, enum jinja_kind kind,
                                 struct jinja_node *(*part)(struct jinja_parser *)) {
    struct jinja_node *n = part(p);
    while (p->st == BZ_OK && jinja_at_name(p, word)) {
        struct jinja_node *both = jinja_new(p, kind, p->cur.off);
        jinja_advance(p);
        struct jinja_node *b = part(p);
        if (p->st != BZ_OK)
            return NULL;
        both->a = n;
        both->b = b;
        n = jinja_done(p, both);
    }
    return n;
}

static struct jinja_node *both(struct jinja_parser *p) {
    return joined(p, "and", JE_AND, negation);
}

static struct jinja_node *either(struct jinja_parser *p) {
    return joined(p, "or", JE_OR, both);
}

struct jinja_node *jinja_expr(struct jinja_parser *p, bool with_cond) {
    if (!jinja_enter(p)) {
        jinja_leave(p);
        return NULL;
    }
    struct jinja_node *n = either(p);
    while (with_cond && p->st == BZ_OK && jinja_at_name(p, "if")) {
        struct jinja_node *cond = jinja_new(p, JE_COND, p->cur.off);
        jinja_advance(p);
        struct jinja_node *question = either(p);
        struct jinja_node *other = jinja_skip_name(p, "else") ? jinja_expr(p, true) : NULL;
        if (p->st != BZ_OK)
            break;
        cond->a = n;
        cond->b = question;
        cond->c = other;
        n = jinja_done(p, cond);
    }
    jinja_leave(p);
    return p->st == BZ_OK ? n : NULL;
}

/* ---- tuples, targets, parameters ------------------------------------------------------------- */

static bool tuple_ends(const struct jinja_parser *p, const char *stop) {
    return p->cur.kind == JT_BLOCK_END || p->cur.kind == JT_VAR_END || jinja_at_op(p, JO_RPAREN) ||
           jinja_at_op(p, JO_ASSIGN) || (stop != NULL && jinja_at_name(p, stop));
}

static struct jinja_node *tuple_of(struct jinja_parser *p, const char *stop,
                                   struct jinja_node *(*part)(struct jinja_parser *)) {
    struct jinja_node *n = part(p), *all = NULL, *last = NULL;
    uint32_t off = p->cur.off;
    if (!jinja_at_op(p, JO_COMMA))
        return n;
    all = jinja_new(p, JE_TUPLE, off);
    if (all != NULL)
        append(&all->list, &last, n);
    while (jinja_skip_op(p, JO_COMMA) && !tuple_ends(p, stop)) {
        struct jinja_node *more = part(p);
        if (all != NULL)
            append(&all->list, &last, more);
    }
    return jinja_done(p, all);
}

static struct jinja_node *with_cond_part(struct jinja_parser *p) {
    return jinja_expr(p, true);
}

static struct jinja_node *without_cond_part(struct jinja_parser *p) {
    return jinja_expr(p, false);
}

struct jinja_node *jinja_tuple(struct jinja_parser *p, bool with_cond, const char *stop) {
    return tuple_of(p, stop, with_cond ? with_cond_part : without_cond_part);
}

struct jinja_node *jinja_target(struct jinja_parser *p, bool with_ns, const char *stop) {
    if (with_ns && p->cur.kind == JT_NAME && jinja_look(p)->kind == JT_OP &&
        jinja_look(p)->op == JO_DOT) {
        struct jinja_node *n = jinja_new(p, JE_NSREF, p->cur.off);
        struct bz_view ns = jinja_want_name(p, "");
        jinja_advance(p);
        struct bz_view attr = jinja_want_name(p, "a name was expected");
        if (n != NULL) {
            n->text = ns;
            n->val = attr;
        }
        return p->st == BZ_OK ? n : NULL;
    }
    struct jinja_node *n = tuple_of(p, stop, primary);
    if (p->st == BZ_OK && n->kind != JE_NAME && n->kind != JE_TUPLE && n->kind != JE_LIST)
        return jinja_fail(p, BZ_ESYNTAX, "cannot be assigned to");
    return n;
}

struct jinja_node *jinja_params(struct jinja_parser *p) {
    struct jinja_node *list = NULL, *last = NULL;
    jinja_want_op(p, JO_LPAREN, "'(' was expected");
    while (p->st == BZ_OK && !jinja_at_op(p, JO_RPAREN)) {
        if (last != NULL)
            jinja_want_op(p, JO_COMMA, "',' was expected");
        if (jinja_at_op(p, JO_RPAREN))
            break;
        struct jinja_node *n = jinja_new(p, JN_PARAM, p->cur.off);
        struct bz_view what = jinja_want_name(p, "a name was expected");
        struct jinja_node *def = jinja_skip_op(p, JO_ASSIGN) ? jinja_expr(p, true) : NULL;
        if (p->st != BZ_OK)
            return NULL;
        n->text = what;
        n->a = def;
        append(&list, &last, jinja_done(p, n));
    }
    jinja_want_op(p, JO_RPAREN, "')' was expected");
    return list;
}
