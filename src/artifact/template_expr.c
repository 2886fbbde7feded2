/* Expressions of a template, on unknown input. */
#include "template_int.h"

/* ---- names of attributes --------------------------------------------------------------------- */

static bool one_of(struct bz_view v, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (bz_view_eq(v, bz_view_str(words[i])))
            return true;
    }
    return false;
}
#define ONE_OF(v, words) one_of(v, words, sizeof(words) / sizeof(words)[0])

/* What leads to code without an underscore (Jinja's own sandbox denies it too), and what nothing in
 * a conversation has for an attribute. */
static const char *const internals[] = {
    "mro",         "gi_frame",  "gi_code",   "cr_frame",     "cr_code",   "ag_frame",
    "ag_code",     "f_globals", "f_locals",  "f_builtins",   "f_back",    "f_code",
    "tb_frame",    "tb_next",   "func_code", "func_globals", "im_class",  "im_func",
    "im_self",     "co_code",   "popen",     "check_output", "getoutput", "import_module",
    "load_module", "environ",   "getenv",
};

void tpl_reach_key(struct tpl *t, uint32_t off, struct bz_view name) {
    if (bz_view_starts(name, BZ_V("__")) || tpl_has_dunder(name))
        tpl_found(t, TPL_R_DUNDER, off, name);
    else if (ONE_OF(name, internals))
        tpl_found(t, TPL_R_PYTHON, off, name);
}

void tpl_reach_name(struct tpl *t, uint32_t off, struct bz_view name) {
    tpl_reach_key(t, off, name);
    if (name.n > 1 && name.p[0] == '_' && name.p[1] != '_')
        tpl_found(t, TPL_R_PRIVATE, off, name);
}

void tpl_reach(struct tpl *t, uint32_t off, const struct tpl_val *name, bool filter) {
    for (const struct tpl_val *v = name; v != NULL; v = v->alt) {
        if (v->kind == TV_STR && (v->flags & TF_PARTIAL) == 0) {
            (filter ? tpl_reach_name : tpl_reach_key)(t, off, v->text);
        } else if (v->kind == TV_STR) {
            bool free = v->text.n == 0 || v->text.p[0] == TPL_HOLE || v->text.p[0] == '_';
            if (filter || free || tpl_has_dunder(v->text))
                tpl_found(t, TPL_R_COMPUTED, off, v->text);
        } else if (v->kind == TV_UNKNOWN && (v->flags & TF_NUMBER) == 0 &&
                   (filter || (v->flags & TF_COMPUTED) != 0)) {
            tpl_found(t, TPL_R_COMPUTED, off, BZ_V("a name that is computed"));
        }
    }
}

/* ---- objects of the conversation ------------------------------------------------------------- */

/* Parts of a message that say what it is, not what somebody said. */
static const char *const labels[] = {"role",      "type",   "name",  "id",      "tool_call_id",
                                     "recipient", "weight", "train", "channel", "content_type"};
static const char *const contents[] = {"content",  "text",        "value",     "reasoning_content",
                                       "thinking", "reasoning",   "arguments", "query",
                                       "prompt",   "instruction", "input",     "message"};

static const struct tpl_val *member(struct tpl *t, const struct tpl_val *of, struct bz_view name) {
    uint16_t keep = of->flags & (TF_GATED | TF_COMPUTED);
    if ((of->flags & TF_MESSAGE) == 0)
        return tpl_unknown(t, of->flags & (TF_TAINT | TF_COMPUTED));
    if (ONE_OF(name, contents))
        return tpl_unknown(t, TF_MESSAGE | TF_CONTENT | keep);
    return tpl_unknown(t, (uint16_t)((ONE_OF(name, labels) ? 0 : TF_MESSAGE) | keep));
}

static bool is_module(struct bz_view name) {
    static const char *const words[] = {
        "os",       "sys",     "subprocess", "shutil",      "socket",  "importlib",
        "builtins", "pickle",  "requests",   "urllib",      "ctypes",  "pty",
        "config",   "request", "self",       "current_app", "url_for", "get_flashed_messages"};
    return ONE_OF(name, words);
}

static bool is_builtin(struct bz_view name) {
    static const char *const words[] = {
        "open",   "eval", "exec",       "compile", "getattr", "setattr",  "globals",
        "locals", "vars", "breakpoint", "popen",   "system",  "execfile", "import_module"};
    return ONE_OF(name, words);
}

/* Functions that the engine brings. */
static bool is_global(struct bz_view name) {
    static const char *const words[] = {"range",  "dict",      "lipsum",          "cycler",
                                        "joiner", "namespace", "raise_exception", "strftime_now"};
    return ONE_OF(name, words) || is_module(name) || is_builtin(name);
}

static bool has_block(const struct jinja_node *list, struct bz_view name) {
    for (; list != NULL; list = list->next) {
        if (list->kind == JN_BLOCK && bz_view_eq(list->text, name))
            return true;
    }
    return false;
}

/* Going into a function of the engine: what is there is Python. */
static const struct tpl_val *into_func(struct tpl *t, uint32_t off, const struct tpl_val *of,
                                       struct bz_view name) {
    static const char *const cycler[] = {"next", "current", "reset"};
    if (bz_view_eq(of->text, BZ_V("self")) && has_block(t->body, name))
        return tpl_unknown(t, 0);
    if (!(bz_view_eq(of->text, BZ_V("cycler()")) && ONE_OF(name, cycler)))
        tpl_found(t, is_module(of->text) ? TPL_R_PYTHON : TPL_R_GLOBALS, off,
                  of->text.n > 0 ? of->text : name);
    return tpl_unknown(t, TF_COMPUTED);
}

/* ---- getting at parts ------------------------------------------------------------------------ */

const struct tpl_val *tpl_attr(struct tpl *t, const struct tpl_val *of, struct bz_view name) {
    if (of->alt == NULL && (of->kind == TV_DICT || of->kind == TV_NS)) {
        const struct tpl_val *v = tpl_get(of->obj, name);
        if (v != NULL)
            return v;
    }
    if (of->kind == TV_UNKNOWN && of->alt == NULL)
        return member(t, of, name);
    uint16_t flags = 0;
    for (const struct tpl_val *v = of; v != NULL; v = v->alt)
        flags |= v->flags & (TF_TAINT | TF_COMPUTED | TF_MESSAGE);
    return tpl_unknown(t, flags);
}

static const struct tpl_val *any_item(struct tpl *t, const struct tpl_val *of,
                                      const struct tpl_val *key, uint32_t off) {
    struct tpl_gate g;
    const struct tpl_val *all = NULL;
    tpl_gate_begin(t, &g, tpl_with(t, key, key->flags & TF_CONTENT ? TF_WORD : 0), off);
    for (uint32_t i = 0; i < of->obj->n && tpl_step(t); i++) {
        const struct tpl_val *v = of->obj->items[i].val;
        if (t->gate == &g)
            tpl_text_val(t, &g.text, v);
        all = all == NULL ? v : tpl_join(t, all, v);
    }
    tpl_gate_end(t, &g);
    return all == NULL ? tpl_unknown(t, 0) : all;
}

static const struct tpl_val *list_item(struct tpl *t, const struct tpl_val *of, int64_t i) {
    int64_t n = of->obj->n;
    if (i < 0)
        i += n;
    return i >= 0 && i < n ? of->obj->items[i].val : tpl_unknown(t, 0);
}

const struct tpl_val *tpl_item(struct tpl *t, uint32_t off, const struct tpl_val *of,
                               const struct tpl_val *key) {
    bool plain = of->alt == NULL && key->alt == NULL;
    if (key->kind != TV_INT || key->alt != NULL)
        tpl_reach(t, off, key, false);
    if (of->kind == TV_FUNC)
        return into_func(t, off, of, key->text);
    if (plain && of->kind == TV_LIST && key->kind == TV_INT && !of->obj->open)
        return list_item(t, of, key->num);
    if (plain && tpl_is_exact(of) && key->kind == TV_INT) {
        const struct tpl_val *chars = tpl_chars(t, of);
        return chars == NULL ? tpl_unknown(t, TF_COMPUTED) : list_item(t, chars, key->num);
    }
    if (tpl_is_exact(key) && of->kind != TV_LIST)
        return tpl_attr(t, of, key->text);
    if (plain && (of->kind == TV_DICT || of->kind == TV_LIST) && of->obj->n > 0)
        return any_item(t, of, key, off);
    uint16_t flags = of->flags & (TF_TAINT | TF_COMPUTED | TF_MESSAGE);
    if (of->kind == TV_STR)
        flags |= TF_COMPUTED;
    return tpl_unknown(t, flags);
}

const struct tpl_val *tpl_element(struct tpl *t, const struct tpl_val *of) {
    const struct tpl_val *all = NULL;
    uint16_t flags = 0;
    for (const struct tpl_val *v = of; v != NULL; v = v->alt) {
        flags |= v->flags & (TF_TAINT | TF_COMPUTED | TF_MESSAGE | TF_NUMBER);
        if (v->kind == TV_STR)
            flags |= TF_COMPUTED;
        for (uint32_t i = 0; v->kind == TV_LIST && i < v->obj->n && tpl_step(t); i++)
            all = all == NULL ? v->obj->items[i].val : tpl_join(t, all, v->obj->items[i].val);
    }
    const struct tpl_val *other = tpl_unknown(t, flags);
    return all == NULL ? other : tpl_join(t, all, other);
}

/* ---- operators ------------------------------------------------------------------------------- */

static uint16_t both_flags(const struct tpl_val *a, const struct tpl_val *b) {
    uint16_t flags = 0;
    for (; a != NULL; a = a->alt)
        flags |= a->flags;
    for (; b != NULL; b = b->alt)
        flags |= b->flags;
    return flags & (TF_TAINT | TF_COMPUTED);
}

static bool is_number(const struct tpl_val *v) {
    return v->kind == TV_INT || v->kind == TV_BOOL ||
           (v->kind == TV_UNKNOWN && (v->flags & TF_NUMBER) != 0);
}

static int64_t saturated(int64_t a, int64_t b, enum jinja_op op, bool *dos) {
    int64_t n = 0;
    bool over = false;
    switch ((unsigned)op) {
    case JO_ADD:
        over = __builtin_add_overflow(a, b, &n);
        break;
    case JO_SUB:
        over = __builtin_sub_overflow(a, b, &n);
        break;
    case JO_MUL:
        over = __builtin_mul_overflow(a, b, &n);
        break;
    case JO_POW:
        n = 1;
        *dos = (b > 4096 && (a > 1 || a < -1)) || (b > 64 && a == INT64_MAX);
        for (int64_t i = 0; i < b && i < 64 && !over; i++)
            over = __builtin_mul_overflow(n, a, &n);
        break;
    case JO_MOD:
        n = b == 0 || b == -1 ? 0 : a % b;
        n += n != 0 && (n < 0) != (b < 0) ? b : 0;
        break;
    default:
        n = b == 0 || b == -1 ? -(a + (a == INT64_MIN)) : a / b;
        n -= b != 0 && b != -1 && a % b != 0 && (a < 0) != (b < 0);
        break;
    }
    return over ? INT64_MAX : n;
}

static int64_t most_of(const struct tpl_val *v) {
    return v->kind == TV_INT || (v->flags & TF_NUMBER) != 0 ? v->num : 0;
}

static const struct tpl_val *arithmetic(struct tpl *t, uint32_t off, enum jinja_op op,
                                        const struct tpl_val *a, const struct tpl_val *b) {
    bool dos = false;
    uint16_t flags = both_flags(a, b) & (uint16_t)~TF_COMPUTED;
    if (a->kind == TV_INT && b->kind == TV_INT && op != JO_DIV) {
        int64_t n = saturated(a->num, b->num, op, &dos);
        if (dos)
            tpl_found(t, TPL_R_DOS, off, BZ_V("a power"));
        return tpl_int(t, n, flags);
    }
    int64_t most = most_of(a) > most_of(b) ? most_of(a) : most_of(b);
    return tpl_number(t, flags, most);
}

static const struct tpl_val *list_sum(struct tpl *t, const struct tpl_val *a,
                                      const struct tpl_val *b) {
    struct tpl_val *v = tpl_new(t, TV_LIST);
    const struct tpl_val *both[2] = {a, b};
    for (size_t k = 0; v != NULL && k < 2; k++) {
        v->flags |= both[k]->flags;
        if (both[k]->kind != TV_LIST) {
            v->obj->open = true;
            continue;
        }
        v->obj->open = v->obj->open || both[k]->obj->open;
        for (uint32_t i = 0; i < both[k]->obj->n; i++)
            tpl_put(t, v->obj, BZ_V(""), both[k]->obj->items[i].val);
    }
    return v == NULL ? tpl_unknown(t, 0) : v;
}

/* 'text' * n */
static const struct tpl_val *times(struct tpl *t, uint32_t off, const struct tpl_val *text,
                                   const struct tpl_val *n) {
    if (n->kind == TV_INT || n->kind == TV_BOOL || most_of(n) > BZ_TEMPLATE_RANGE_MAX)
        return tpl_repeat(t, off, text, n->num);
    return tpl_unknown(t, both_flags(text, n) | TF_COMPUTED);
}

/* 'format' % value or (values) */
static const struct tpl_val *percent(struct tpl *t, uint32_t off, const struct tpl_val *format,
                                     const struct tpl_val *v) {
    struct tpl_args args = {.n = 1, .flags = v->flags};
    args.pos[0] = v;
    if (v->kind == TV_LIST)
        args.n = 0;
    for (uint32_t i = 0; v->kind == TV_LIST && i < v->obj->n && i < TPL_ARGS_MAX; i++)
        args.pos[args.n++] = v->obj->items[i].val;
    return tpl_percent(t, off, format, &args);
}

static const struct tpl_val *binary_one(struct tpl *t, uint32_t off, enum jinja_op op,
                                        const struct tpl_val *a, const struct tpl_val *b) {
    bool text = a->kind == TV_STR || b->kind == TV_STR;
    if (op == JO_ADD && text)
        return tpl_concat(t, a, b);
    if (op == JO_ADD && (a->kind == TV_LIST || b->kind == TV_LIST))
        return list_sum(t, a, b);
    if (op == JO_MOD && a->kind == TV_STR)
        return percent(t, off, a, b);
    if (op == JO_MUL && text)
        return a->kind == TV_STR ? times(t, off, a, b) : times(t, off, b, a);
    if (op == JO_MUL && a->kind == TV_LIST && most_of(b) > BZ_TEMPLATE_RANGE_MAX)
        tpl_found(t, TPL_R_DOS, off, BZ_V("a list, many times"));
    if (op != JO_ADD || is_number(a) || is_number(b))
        return arithmetic(t, off, op, a, b);
    uint16_t flags = both_flags(a, b);
    return tpl_unknown(t, (uint16_t)(flags | ((a->flags | b->flags) & TF_MESSAGE)));
}

/* Every pair of possibilities. */
static const struct tpl_val *binary(struct tpl *t, uint32_t off, enum jinja_op op,
                                    const struct tpl_val *a, const struct tpl_val *b) {
    const struct tpl_val *all = NULL;
    for (const struct tpl_val *x = a; x != NULL; x = x->alt) {
        for (const struct tpl_val *y = b; y != NULL; y = y->alt) {
            if (!tpl_step(t))
                return tpl_unknown(t, TF_COMPUTED);
            const struct tpl_val *left = tpl_alone(t, x), *right = tpl_alone(t, y);
            const struct tpl_val *one =
                op == JO_TILDE ? tpl_concat(t, left, right) : binary_one(t, off, op, left, right);
            all = all == NULL ? one : tpl_join(t, all, one);
        }
    }
    return all;
}

static const struct tpl_val *built(struct tpl *t, uint32_t off, const struct tpl_val *v) {
    for (const struct tpl_val *x = v; x != NULL; x = x->alt) {
        if (x->kind == TV_STR && x->text.n < 256 && tpl_has_dunder(x->text))
            tpl_found(t, TPL_R_SPELLED, off, x->text);
    }
    return v;
}

/* ---- comparisons ----------------------------------------------------------------------------- */

static uint16_t against(const struct tpl_val *c) {
    uint16_t flags = 0;
    for (; c != NULL; c = c->alt) {
        if (c->kind == TV_STR && c->text.n > 0)
            flags |= tpl_is_words(c->text) ? TF_WORD : TF_MARK;
        for (uint32_t i = 0; (c->kind == TV_LIST || c->kind == TV_DICT) && i < c->obj->n && i < 64;
             i++) {
            const struct tpl_val *v = c->obj->items[i].val;
            if (v->kind == TV_STR && v->text.n > 0)
                flags |= tpl_is_words(v->text) ? TF_WORD : TF_MARK;
        }
    }
    return flags;
}

uint16_t tpl_compared(const struct tpl_val *a, const struct tpl_val *b) {
    uint16_t fa = both_flags(a, NULL), fb = both_flags(b, NULL), flags = (fa | fb) & TF_TAINT;
    if ((fa & TF_CONTENT) != 0)
        flags |= against(b);
    if ((fb & TF_CONTENT) != 0)
        flags |= against(a);
    if (((fa & TF_TIME) != 0 && against(b) != 0) || ((fb & TF_TIME) != 0 && against(a) != 0))
        flags |= TF_WORD;
    return flags;
}

static int compare_const(enum jinja_op op, const struct tpl_val *a, const struct tpl_val *b) {
    int c = 0;
    if (a->alt != NULL || b->alt != NULL)
        return -1;
    if (tpl_is_exact(a) && tpl_is_exact(b)) {
        if (op == JO_EQ || op == JO_NE)
            return bz_view_eq(a->text, b->text) == (op == JO_EQ);
        if (op == JO_IN || op == JO_NOTIN)
            return (a->text.n == 0 || memmem(b->text.p, b->text.n, a->text.p, a->text.n) != NULL) ==
                   (op == JO_IN);
        return -1;
    }
    if (a->kind != TV_INT || b->kind != TV_INT)
        return -1;
    c = (a->num > b->num) - (a->num < b->num);
    switch ((unsigned)op) {
    case JO_EQ:
        return c == 0;
    case JO_NE:
        return c != 0;
    case JO_LT:
        return c < 0;
    case JO_LE:
        return c <= 0;
    case JO_GT:
        return c > 0;
    case JO_GE:
        return c >= 0;
    default:
        return -1;
    }
}

static const struct tpl_val *comparison(struct tpl *t, struct jinja_node *n) {
    const struct tpl_val *left = tpl_eval(t, n->a);
    uint16_t flags = 0;
    int all = 1;
    for (struct jinja_node *c = n->list; c != NULL; c = c->next) {
        const struct tpl_val *right = tpl_eval(t, c->a);
        int one = compare_const((enum jinja_op)c->op, left, right);
        flags |= tpl_compared(left, right);
        all = one < 0 || all < 0 ? -1 : all & one;
        left = right;
    }
    return all < 0 ? tpl_number(t, flags, 1) : tpl_bool(t, all, flags);
}

/* ---- conditions ------------------------------------------------------------------------------ */

/* The value of `n` where `test` decides whether it is taken. */
static const struct tpl_val *gated(struct tpl *t, struct jinja_node *n, const struct tpl_val *test,
                                   bool sure) {
    struct tpl_gate g;
    tpl_gate_begin(t, &g, test, n->off);
    t->cond += !sure;
    const struct tpl_val *v = tpl_eval(t, n);
    t->cond -= !sure;
    if (t->gate == &g)
        tpl_text_val(t, &g.text, v);
    tpl_gate_end(t, &g);
    return v;
}

static const struct tpl_val *unrun(struct tpl *t, struct jinja_node *n) {
    t->dead++;
    const struct tpl_val *v = tpl_eval(t, n);
    t->dead--;
    return v;
}

static const struct tpl_val *conditional(struct tpl *t, struct jinja_node *n) {
    const struct tpl_val *test = tpl_eval(t, n->b);
    int truth = tpl_truth(test);
    if (truth >= 0) {
        struct jinja_node *skipped = truth ? n->c : n->a, *taken = truth ? n->a : n->c;
        if (skipped != NULL)
            (void)unrun(t, skipped);
        return taken == NULL ? tpl_str(t, BZ_V(""), 0) : gated(t, taken, test, true);
    }
    const struct tpl_val *a = gated(t, n->a, test, false);
    const struct tpl_val *b = n->c == NULL ? tpl_str(t, BZ_V(""), 0) : gated(t, n->c, test, false);
    return tpl_join(t, a, b);
}

static const struct tpl_val *logic(struct tpl *t, struct jinja_node *n) {
    const struct tpl_val *a = tpl_eval(t, n->a);
    int truth = tpl_truth(a);
    bool and_ = n->kind == JE_AND;
    if (truth >= 0 && (truth == 1) != and_) {
        (void)unrun(t, n->b);
        return a;
    }
    const struct tpl_val *b = gated(t, n->b, a, truth >= 0);
    uint16_t flags = both_flags(a, b);
    if (truth >= 0)
        return tpl_with(t, b, flags & TF_TAINT);
    if (b->kind == TV_STR || b->kind == TV_LIST || b->kind == TV_DICT || a->kind == TV_STR)
        return tpl_join(t, a, b); /* x or 'default' */
    return tpl_unknown(t, (uint16_t)(flags | ((a->flags | b->flags) & TF_MESSAGE)));
}

static const struct tpl_val *negation(struct tpl *t, struct jinja_node *n) {
    const struct tpl_val *v = tpl_eval(t, n->a);
    int truth = tpl_truth(v);
    uint16_t flags = both_flags(v, NULL) & TF_TAINT;
    return truth < 0 ? tpl_number(t, flags, 1) : tpl_bool(t, !truth, flags);
}

/* ---- leaves and lists ------------------------------------------------------------------------ */

static bool is_conversation(struct bz_view name) {
    static const char *const words[] = {"messages", "message",      "conversation", "conversations",
                                        "history",  "chat",         "dialogue",     "chat_history",
                                        "turns",    "loop_messages"};
    return ONE_OF(name, words);
}

/* What the engine's functions are worth outside of a call is Python's. */
static const struct tpl_val *name_value(struct tpl *t, const struct jinja_node *n) {
    static const char *const prompts[] = {"prompt",     "user_message",   "query", "question",
                                          "user_input", "system_message", "input", "instruction"};
    const struct tpl_val *v = tpl_lookup(t, n->text);
    if (v != NULL)
        return v;
    if (bz_view_starts(n->text, BZ_V("__")))
        tpl_found(t, TPL_R_DUNDER, n->off, n->text);
    if (is_global(n->text))
        return tpl_func(t, n->text);
    if (is_conversation(n->text))
        return tpl_unknown(t, TF_MESSAGE);
    return tpl_unknown(t, ONE_OF(n->text, prompts) ? TF_CONTENT : 0);
}

static const struct tpl_val *string_value(struct tpl *t, const struct jinja_node *n) {
    if ((n->op & JINJA_ESCAPED_LETTER) != 0)
        tpl_found(t, TPL_R_ESCAPED, n->off, n->text);
    if ((n->op & JINJA_ESCAPED_OTHER) != 0)
        tpl_look_string(t, n->off, n->text);
    if (n->text.n < 64 && tpl_has_dunder(n->text))
        tpl_found(t, TPL_R_SPELLED, n->off, n->text);
    return tpl_str(t, n->text, 0);
}

static const struct tpl_val *collection(struct tpl *t, struct jinja_node *n) {
    struct tpl_val *v = tpl_new(t, n->kind == JE_DICT ? TV_DICT : TV_LIST);
    for (struct jinja_node *c = n->list; v != NULL && c != NULL; c = c->next) {
        if (c->kind != JE_PAIR) {
            tpl_put(t, v->obj, BZ_V(""), tpl_eval(t, c));
            continue;
        }
        const struct tpl_val *key = tpl_eval(t, c->a), *val = tpl_eval(t, c->b);
        v->obj->open = v->obj->open || !tpl_is_exact(key);
        if (tpl_is_exact(key))
            tpl_put(t, v->obj, key->text, val);
    }
    return v == NULL ? tpl_unknown(t, 0) : v;
}

static const struct tpl_val *concat(struct tpl *t, struct jinja_node *n) {
    const struct tpl_val *all = NULL;
    for (struct jinja_node *c = n->list; c != NULL; c = c->next) {
        const struct tpl_val *one = tpl_eval(t, c);
        all = all == NULL ? one : binary(t, n->off, JO_TILDE, all, one);
    }
    return all == NULL ? tpl_unknown(t, 0) : built(t, n->off, all);
}

static const struct tpl_val *attribute(struct tpl *t, struct jinja_node *n) {
    const struct tpl_val *of = tpl_eval(t, n->a);
    tpl_reach_name(t, n->off, n->text);
    if (of->kind == TV_FUNC)
        return into_func(t, n->off, of, n->text);
    if (of->kind == TV_LOOP) /* loop.index, loop.first ... and the items beside this one */
        return bz_view_starts(n->text, BZ_V("prev")) || bz_view_starts(n->text, BZ_V("next"))
                   ? tpl_unknown(t, of->flags)
                   : tpl_number(t, 0, 1);
    return tpl_attr(t, of, n->text);
}

static const struct tpl_val *test_value(struct tpl *t, struct jinja_node *n) {
    const struct tpl_val *v = tpl_eval(t, n->a);
    struct tpl_args args;
    tpl_args(t, n->list, &args);
    uint16_t flags = both_flags(v, NULL) & TF_TAINT;
    bool defined = bz_view_eq(n->text, BZ_V("defined"));
    if (v->kind == TV_FUNC || defined || bz_view_eq(n->text, BZ_V("undefined")))
        flags = 0;
    if (args.n > 0)
        flags |= tpl_compared(v, args.pos[0]);
    bool exists = defined && v->alt == NULL && v->kind != TV_UNKNOWN && v->kind != TV_FUNC;
    return exists ? tpl_bool(t, n->op == 0, flags) : tpl_number(t, flags, 1);
}

static const struct tpl_val *slice(struct tpl *t, struct jinja_node *n) {
    const struct tpl_val *of = tpl_eval(t, n->a), *part[3] = {NULL, NULL, NULL};
    struct jinja_node *at[3] = {n->b, n->c, n->other};
    for (size_t i = 0; i < 3; i++)
        part[i] = at[i] == NULL ? NULL : tpl_eval(t, at[i]);
    const struct tpl_val *v = tpl_slice(t, of, part[0], part[1], part[2]);
    if (v != NULL)
        return built(t, n->off, v);
    uint16_t flags = both_flags(of, NULL) | (of->flags & TF_MESSAGE);
    return tpl_unknown(t, flags | (of->kind == TV_STR ? TF_COMPUTED : 0));
}

static const struct tpl_val *sign(struct tpl *t, struct jinja_node *n) {
    const struct tpl_val *v = tpl_eval(t, n->a);
    if (v->kind == TV_INT && v->alt == NULL)
        return n->kind == JE_NEG && v->num != INT64_MIN ? tpl_int(t, -v->num, v->flags) : v;
    return tpl_number(t, both_flags(v, NULL) & TF_TAINT, most_of(v));
}

/* ---- all ------------------------------------------------------------------------------------- */

static const struct tpl_val *composed(struct tpl *t, struct jinja_node *n) {
    switch (n->kind) {
    case JE_BIN: {
        const struct tpl_val *a = tpl_eval(t, n->a), *b = tpl_eval(t, n->b);
        return built(t, n->off, binary(t, n->off, (enum jinja_op)n->op, a, b));
    }
    case JE_AND:
    case JE_OR:
        return logic(t, n);
    case JE_CONCAT:
        return concat(t, n);
    case JE_CMP:
        return comparison(t, n);
    case JE_COND:
        return conditional(t, n);
    case JE_ATTR:
        return attribute(t, n);
    case JE_ITEM: {
        const struct tpl_val *of = tpl_eval(t, n->a);
        return tpl_item(t, n->off, of, tpl_eval(t, n->b));
    }
    case JE_SLICE:
        return slice(t, n);
    case JE_CALL:
        return tpl_call(t, n);
    case JE_FILTER:
        return built(t, n->off,
                     tpl_filter(t, n,
                                n->a != NULL      ? tpl_eval(t, n->a)
                                : t->pipe != NULL ? t->pipe
                                                  : tpl_unknown(t, 0)));
    case JE_TEST:
        return test_value(t, n);
    default:
        return tpl_unknown(t, 0);
    }
}

const struct tpl_val *tpl_eval(struct tpl *t, struct jinja_node *n) {
    if (n == NULL || !tpl_step(t))
        return tpl_unknown(t, 0);
    switch (n->kind) {
    case JE_NAME:
        return name_value(t, n);
    case JE_STR:
        return string_value(t, n);
    case JE_INT:
        return tpl_int(t, n->num, 0);
    case JE_FLOAT:
        return tpl_number(t, 0, n->num);
    case JE_BOOL:
        return tpl_bool(t, n->num != 0, 0);
    case JE_NONE:
        return tpl_none();
    case JE_TUPLE:
    case JE_LIST:
    case JE_DICT:
        return collection(t, n);
    case JE_NOT:
        return negation(t, n);
    case JE_NEG:
    case JE_POS:
        return sign(t, n);
    default:
        return composed(t, n);
    }
}
