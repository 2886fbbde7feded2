/* Jinja's statements. Recursive descent with a depth cap; after the first error every function
 * returns NULL and nothing moves, so the rules read like the grammar. */
#include "jinja_int.h"

/* ---- tokens and nodes ------------------------------------------------------------------------ */

struct jinja_node *jinja_fail(struct jinja_parser *p, enum bz_status st, const char *why) {
    if (p->st == BZ_OK) {
        p->st = st;
        bz_diag_set(p->diag, p->cur.off, why);
    }
    p->cur = (struct jinja_token){.kind = JT_END, .off = p->cur.off};
    p->have_ahead = false;
    return NULL;
}

void jinja_advance(struct jinja_parser *p) {
    if (p->st != BZ_OK)
        return;
    if (p->have_ahead)
        p->cur = p->ahead;
    else
        jinja_lex_next(&p->lex, &p->cur);
    p->have_ahead = false;
    if (p->cur.kind == JT_ERROR)
        (void)jinja_fail(p, BZ_ESYNTAX, p->cur.why);
}

const struct jinja_token *jinja_look(struct jinja_parser *p) {
    if (!p->have_ahead && p->st == BZ_OK) {
        jinja_lex_next(&p->lex, &p->ahead);
        p->have_ahead = true;
    }
    return p->st == BZ_OK ? &p->ahead : &p->cur;
}

bool jinja_at_op(const struct jinja_parser *p, enum jinja_op op) {
    return p->cur.kind == JT_OP && p->cur.op == op;
}

bool jinja_at_name(const struct jinja_parser *p, const char *name) {
    return p->cur.kind == JT_NAME && bz_view_eq(p->cur.text, bz_view_str(name));
}

bool jinja_skip_op(struct jinja_parser *p, enum jinja_op op) {
    if (!jinja_at_op(p, op))
        return false;
    jinja_advance(p);
    return true;
}

bool jinja_skip_name(struct jinja_parser *p, const char *name) {
    if (!jinja_at_name(p, name))
        return false;
    jinja_advance(p);
    return true;
}

void jinja_want_op(struct jinja_parser *p, enum jinja_op op, const char *why) {
    if (!jinja_skip_op(p, op))
        (void)jinja_fail(p, BZ_ESYNTAX, why);
}

struct bz_view jinja_want_name(struct jinja_parser *p, const char *why) {
    struct bz_view name = p->cur.text;
    if (p->cur.kind != JT_NAME) {
        (void)jinja_fail(p, BZ_ESYNTAX, why);
        return BZ_V("");
    }
    jinja_advance(p);
    return name;
}

struct jinja_node *jinja_new(struct jinja_parser *p, enum jinja_kind kind, uint32_t off) {
    if (p->st != BZ_OK)
        return NULL;
    if (p->nodes >= BZ_TEMPLATE_NODES_MAX)
        return jinja_fail(p, BZ_ETOOBIG, "too many nodes");
    struct jinja_node *n = bz_arena_zalloc(p->ar, sizeof *n);
    if (n == NULL)
        return jinja_fail(p, BZ_ENOMEM, "out of memory");
    p->nodes++;
    n->kind = (uint8_t)kind;
    n->off = off;
    n->depth = 1;
    return n;
}

static void deeper(struct jinja_node *n, const struct jinja_node *child) {
    for (; child != NULL; child = child->next) {
        if (child->depth >= n->depth)
            n->depth = (uint16_t)(child->depth + 1);
    }
}

struct jinja_node *jinja_done(struct jinja_parser *p, struct jinja_node *n) {
    if (p->st != BZ_OK || n == NULL)
        return NULL;
    const struct jinja_node *one[] = {n->a, n->b, n->c};
    for (size_t i = 0; i < 3; i++) {
        if (one[i] != NULL && one[i]->depth >= n->depth)
            n->depth = (uint16_t)(one[i]->depth + 1);
    }
    deeper(n, n->list);
    deeper(n, n->other);
    if (n->depth > BZ_TEMPLATE_DEPTH_MAX)
        return jinja_fail(p, BZ_EDEPTH, "nested too deeply");
    return n;
}

bool jinja_enter(struct jinja_parser *p) {
    if (p->st == BZ_OK && p->depth >= BZ_TEMPLATE_DEPTH_MAX)
        (void)jinja_fail(p, BZ_EDEPTH, "nested too deeply");
    p->depth++;
    return p->st == BZ_OK;
}

void jinja_leave(struct jinja_parser *p) {
    p->depth--;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static struct jinja_node *body(struct jinja_parser *p, const char *const *ends);

static void block_end(struct jinja_parser *p) {
    if (p->cur.kind != JT_BLOCK_END)
        (void)jinja_fail(p, BZ_ESYNTAX, "end of the tag was expected");
    else
        jinja_advance(p);
}

/* ":" or nothing, then the end of the opening tag, then statements up to one of `ends`, at whose
 * name the parser stands then. */
static struct jinja_node *statements(struct jinja_parser *p, const char *const *ends) {
    (void)jinja_skip_op(p, JO_COLON);
    block_end(p);
    return body(p, ends);
}

static struct jinja_node *to_end(struct jinja_parser *p, const char *end) {
    const char *const ends[] = {end, NULL};
    struct jinja_node *list = statements(p, ends);
    jinja_advance(p);
    return list;
}

static struct jinja_node *for_loop(struct jinja_parser *p, uint32_t off) {
    static const char *const ends[] = {"endfor", "else", NULL};
    struct jinja_node *n = jinja_new(p, JN_FOR, off);
    struct jinja_node *target = jinja_target(p, false, "in");
    if (!jinja_skip_name(p, "in"))
        return jinja_fail(p, BZ_ESYNTAX, "'in' was expected");
    struct jinja_node *iter = jinja_tuple(p, false, "recursive");
    struct jinja_node *test = jinja_skip_name(p, "if") ? jinja_expr(p, true) : NULL;
    bool recursive = jinja_skip_name(p, "recursive");
    struct jinja_node *list = statements(p, ends);
    struct jinja_node *other = NULL;
    if (jinja_skip_name(p, "else"))
        other = to_end(p, "endfor");
    else
        jinja_advance(p);
    if (p->st != BZ_OK)
        return NULL;
    n->a = target;
    n->b = iter;
    n->c = test;
    n->op = recursive;
    n->list = list;
    n->other = other;
    return jinja_done(p, n);
}

static struct jinja_node *branch(struct jinja_parser *p, bool with_test) {
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    struct jinja_node *n = jinja_new(p, JN_BRANCH, p->cur.off);
    struct jinja_node *test = with_test ? jinja_tuple(p, true, NULL) : NULL;
    struct jinja_node *list = statements(p, ends);
    if (p->st != BZ_OK)
        return NULL;
    n->a = test;
    n->list = list;
    return jinja_done(p, n);
}

static struct jinja_node *condition(struct jinja_parser *p, uint32_t off) {
    struct jinja_node *n = jinja_new(p, JN_IF, off), *last = NULL;
    bool with_test = true;
    while (p->st == BZ_OK) {
        struct jinja_node *one = branch(p, with_test);
        if (one == NULL)
            return NULL;
        *(last == NULL ? &n->list : &last->next) = one;
        last = one;
        if (jinja_skip_name(p, "endif"))
            break;
        if (!with_test)
            return jinja_fail(p, BZ_ESYNTAX, "'endif' was expected");
        with_test = jinja_at_name(p, "elif");
        jinja_advance(p);
    }
    return jinja_done(p, n);
}

static struct jinja_node *set(struct jinja_parser *p, uint32_t off) {
    struct jinja_node *n = jinja_new(p, JN_SET, off);
    struct jinja_node *target = jinja_target(p, true, NULL);
    if (p->st != BZ_OK)
        return NULL;
    n->a = target;
    if (jinja_skip_op(p, JO_ASSIGN)) {
        n->b = jinja_tuple(p, true, NULL);
        return jinja_done(p, n);
    }
    n->b = jinja_filters(p, NULL, false);
    n->list = to_end(p, "endset");
    n->op = 1; /* a block */
    return jinja_done(p, n);
}

static struct jinja_node *with(struct jinja_parser *p, uint32_t off) {
    struct jinja_node *n = jinja_new(p, JN_WITH, off), *last = NULL;
    while (p->st == BZ_OK && p->cur.kind != JT_BLOCK_END) {
        if (last != NULL)
            jinja_want_op(p, JO_COMMA, "',' was expected");
        struct jinja_node *one = jinja_new(p, JN_SET, p->cur.off);
        struct jinja_node *target = jinja_target(p, false, NULL);
        jinja_want_op(p, JO_ASSIGN, "'=' was expected");
        struct jinja_node *val = jinja_expr(p, true);
        if (p->st != BZ_OK)
            return NULL;
        one->a = target;
        one->b = val;
        *(last == NULL ? &n->other : &last->next) = jinja_done(p, one);
        last = one;
    }
    struct jinja_node *list = to_end(p, "endwith");
    if (p->st != BZ_OK)
        return NULL;
    n->list = list;
    return jinja_done(p, n);
}

static struct jinja_node *block(struct jinja_parser *p, uint32_t off) {
    struct jinja_node *n = jinja_new(p, JN_BLOCK, off);
    struct bz_view name = jinja_want_name(p, "name of a block was expected");
    (void)jinja_skip_name(p, "scoped");
    (void)jinja_skip_name(p, "required");
    struct jinja_node *list = to_end(p, "endblock");
    if (p->cur.kind == JT_NAME && bz_view_eq(p->cur.text, name))
        jinja_advance(p);
    if (p->st != BZ_OK)
        return NULL;
    n->text = name;
    n->list = list;
    return jinja_done(p, n);
}

static struct jinja_node *macro(struct jinja_parser *p, uint32_t off) {
    struct jinja_node *n = jinja_new(p, JN_MACRO, off);
    struct bz_view name = jinja_want_name(p, "name of a macro was expected");
    struct jinja_node *params = jinja_params(p);
    struct jinja_node *list = to_end(p, "endmacro");
    if (p->st != BZ_OK)
        return NULL;
    n->text = name;
    n->other = params;
    n->list = list;
    return jinja_done(p, n);
}

static struct jinja_node *call_block(struct jinja_parser *p, uint32_t off) {
    struct jinja_node *n = jinja_new(p, JN_CALLBLOCK, off);
    struct jinja_node *params = jinja_at_op(p, JO_LPAREN) ? jinja_params(p) : NULL;
    struct jinja_node *call = jinja_expr(p, true);
    if (p->st == BZ_OK && call->kind != JE_CALL)
        return jinja_fail(p, BZ_ESYNTAX, "a call was expected");
    struct jinja_node *list = to_end(p, "endcall");
    if (p->st != BZ_OK)
        return NULL;
    n->a = call;
    n->other = params;
    n->list = list;
    return jinja_done(p, n);
}

static struct jinja_node *filter_block(struct jinja_parser *p, uint32_t off) {
    struct jinja_node *n = jinja_new(p, JN_FILTER, off);
    struct jinja_node *chain = jinja_filters(p, NULL, true);
    struct jinja_node *list = to_end(p, "endfilter");
    if (p->st != BZ_OK)
        return NULL;
    n->a = chain;
    n->list = list;
    return jinja_done(p, n);
}

/* include, import, from, extends: whatever they name is outside of the template. */
static struct jinja_node *outside(struct jinja_parser *p, uint32_t off, enum jinja_kind kind) {
    struct jinja_node *n = jinja_new(p, kind, off);
    struct jinja_node *what = jinja_expr(p, true);
    while (p->st == BZ_OK && p->cur.kind != JT_BLOCK_END && p->cur.kind != JT_END)
        jinja_advance(p); /* ignore missing, with context, import a as b */
    if (p->st != BZ_OK)
        return NULL;
    n->a = what;
    return jinja_done(p, n);
}

static struct jinja_node *scope(struct jinja_parser *p, uint32_t off, const char *end) {
    struct jinja_node *n = jinja_new(p, JN_SCOPE, off);
    if (p->cur.kind != JT_BLOCK_END)
        (void)jinja_expr(p, true); /* autoescape true */
    struct jinja_node *list = to_end(p, end);
    if (p->st != BZ_OK)
        return NULL;
    n->list = list;
    return jinja_done(p, n);
}

static struct jinja_node *expression(struct jinja_parser *p, uint32_t off, enum jinja_kind kind) {
    struct jinja_node *n = jinja_new(p, kind, off);
    struct jinja_node *what = jinja_tuple(p, true, NULL);
    if (p->st != BZ_OK)
        return NULL;
    n->a = what;
    return jinja_done(p, n);
}

/* ---- a tag ----------------------------------------------------------------------------------- */

enum tag {
    T_FOR,
    T_IF,
    T_SET,
    T_WITH,
    T_BLOCK,
    T_MACRO,
    T_CALL,
    T_FILTER,
    T_INCLUDE,
    T_IMPORT,
    T_FROM,
    T_EXTENDS,
    T_PRINT,
    T_DO,
    T_AUTOESCAPE,
    T_GENERATION,
    T_BREAK,
    T_CONTINUE,
    T_DEBUG,
    T_COUNT
};

static enum tag tag_named(struct bz_view name) {
    static const char *const names[T_COUNT] = {
        "for",        "if",         "set",    "with",     "block",   "macro", "call",
        "filter",     "include",    "import", "from",     "extends", "print", "do",
        "autoescape", "generation", "break",  "continue", "debug"};
    for (unsigned i = 0; i < T_COUNT; i++) {
        if (bz_view_eq(name, bz_view_str(names[i])))
            return (enum tag)i;
    }
    return T_COUNT;
}

static struct jinja_node *simple_tag(struct jinja_parser *p, enum tag tag, uint32_t off) {
    switch ((unsigned)tag) {
    case T_INCLUDE:
        return outside(p, off, JN_INCLUDE);
    case T_IMPORT:
        return outside(p, off, JN_IMPORT);
    case T_FROM:
        return outside(p, off, JN_FROM);
    case T_EXTENDS:
        return outside(p, off, JN_EXTENDS);
    case T_PRINT:
        return expression(p, off, JN_PRINT);
    case T_DO:
        return expression(p, off, JN_DO);
    case T_AUTOESCAPE:
        return scope(p, off, "endautoescape");
    case T_GENERATION:
        return scope(p, off, "endgeneration");
    case T_BREAK:
        return jinja_new(p, JN_BREAK, off);
    case T_CONTINUE:
        return jinja_new(p, JN_CONTINUE, off);
    case T_DEBUG:
        return jinja_new(p, JN_DEBUG, off);
    default:
        return jinja_fail(p, BZ_ESYNTAX, "unknown tag");
    }
}

static struct jinja_node *statement(struct jinja_parser *p) {
    uint32_t off = p->cur.off;
    enum tag tag = p->cur.kind == JT_NAME ? tag_named(p->cur.text) : T_COUNT;
    if (tag == T_COUNT)
        return jinja_fail(p, BZ_ESYNTAX, "unknown tag");
    jinja_advance(p);
    switch ((unsigned)tag) {
    case T_FOR:
        return for_loop(p, off);
    case T_IF:
        return condition(p, off);
    case T_SET:
        return set(p, off);
    case T_WITH:
        return with(p, off);
    case T_BLOCK:
        return block(p, off);
    case T_MACRO:
        return macro(p, off);
    case T_CALL:
        return call_block(p, off);
    case T_FILTER:
        return filter_block(p, off);
    default:
        return simple_tag(p, tag, off);
    }
}

static bool at_one_of(const struct jinja_parser *p, const char *const *ends) {
    for (; ends != NULL && *ends != NULL; ends++) {
        if (jinja_at_name(p, *ends))
            return true;
    }
    return false;
}

static struct jinja_node *item(struct jinja_parser *p) {
    struct jinja_node *n = NULL;
    uint32_t off = p->cur.off;
    switch (p->cur.kind) {
    case JT_DATA:
        n = jinja_new(p, JN_DATA, off);
        if (n != NULL)
            n->text = p->cur.text;
        jinja_advance(p);
        return n;
    case JT_VAR_BEGIN:
        jinja_advance(p);
        n = expression(p, off, JN_PRINT);
        if (p->cur.kind != JT_VAR_END)
            return jinja_fail(p, BZ_ESYNTAX, "'}}' was expected");
        jinja_advance(p);
        return n;
    default:
        n = statement(p);
        block_end(p);
        return n;
    }
}

/* Statements up to a tag that begins with one of `ends` (NULL: to the end of the text). What was
 * read before an error stays in the list. */
static struct jinja_node *body(struct jinja_parser *p, const char *const *ends) {
    struct jinja_node *first = NULL, *last = NULL;
    if (!jinja_enter(p))
        return NULL;
    while (p->st == BZ_OK && p->cur.kind != JT_END) {
        if (p->cur.kind == JT_BLOCK_BEGIN) {
            jinja_advance(p);
            if (at_one_of(p, ends))
                break;
        }
        struct jinja_node *n = item(p);
        if (n == NULL)
            break;
        *(last == NULL ? &first : &last->next) = n;
        last = n;
    }
    if (ends != NULL && p->st == BZ_OK && !at_one_of(p, ends))
        (void)jinja_fail(p, BZ_ESYNTAX, "block without an end");
    jinja_leave(p);
    return first;
}

enum bz_status jinja_parse(struct bz_arena *ar, struct bz_view text, struct jinja_tree *ret,
                           struct bz_diag *diag) {
    *ret = (struct jinja_tree){.body = NULL};
    if (text.n > UINT32_MAX - 1)
        return BZ_ETOOBIG;
    struct jinja_parser *p = bz_arena_zalloc(ar, sizeof *p);
    if (p == NULL)
        return BZ_ENOMEM;
    p->ar = ar;
    p->diag = diag;
    jinja_lex_init(&p->lex, text);
    jinja_advance(p);
    ret->body = body(p, NULL);
    ret->nodes = p->nodes;
    return p->st;
}
