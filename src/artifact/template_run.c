/* Statements of a template, on unknown input: every branch is looked at, loops over constants are
 * followed item by item, the others twice (so that what a loop adds up shows). */
#include "template_int.h"

/* ---- gates ----------------------------------------------------------------------------------- */

/* `g` takes what comes out only if `test` asks about content or the date. */
void tpl_gate_begin(struct tpl *t, struct tpl_gate *g, const struct tpl_val *test, uint32_t off) {
    uint16_t flags = 0;
    for (const struct tpl_val *v = test; v != NULL; v = v->alt)
        flags |= v->flags;
    flags &= TF_TAINT;
    *g = (struct tpl_gate){.flags = flags, .off = off, .up = t->gate};
    if ((flags & (TF_CONTENT | TF_TIME | TF_GATED | TF_WORD)) == 0)
        return;
    if (t->gate != NULL)
        g->flags |= t->gate->flags;
    t->gate = g;
}

void tpl_gate_end(struct tpl *t, struct tpl_gate *g) {
    struct bz_view where = BZ_V("");
    if (t->gate != g)
        return;
    t->gate = g->up;
    if (g->text.n == 0)
        return;
    struct bz_view text = bz_view(g->text.p, g->text.n);
    enum tpl_says says = tpl_says(t, text, &where);
    bool word = (g->flags & (TF_WORD | TF_GATED)) != 0;
    if (says >= (word ? TS_WORDS : TS_LINK))
        tpl_found(t, TPL_R_GATED, g->off, where);
    if (g->up != NULL)
        tpl_text_put(t, &g->up->text, text);
}

static void emit(struct tpl *t, const struct tpl_val *v) {
    if (t->out != NULL && t->dead == 0)
        tpl_text_val(t, t->out, v);
    if (t->out == &t->root && t->dead == 0) {
        tpl_text_val(t, &t->apart, v);
        tpl_text_put(t, &t->apart, BZ_V("\n"));
    }
    if (t->gate != NULL)
        tpl_text_val(t, &t->gate->text, v);
}

/* ---- assignments ----------------------------------------------------------------------------- */

/* How often the target stands in the value, where values add up. */
static unsigned uses(const struct jinja_node *n, const struct jinja_node *target) {
    if (n == NULL)
        return 0;
    switch (n->kind) {
    case JE_ATTR:
        return n->a->kind == JE_NAME && bz_view_eq(n->a->text, target->text) &&
               bz_view_eq(n->text, target->val);
    case JE_BIN:
        return n->op == JO_ADD || n->op == JO_MUL ? uses(n->a, target) + uses(n->b, target) : 0;
    case JE_CONCAT: {
        unsigned all = 0;
        for (const struct jinja_node *c = n->list; c != NULL; c = c->next)
            all += uses(c, target);
        return all;
    }
    default:
        return 0;
    }
}

static void unpack(struct tpl *t, const struct jinja_node *target, const struct tpl_val *v) {
    int64_t i = 0;
    if (target->kind == JE_NAME) {
        tpl_bind(t, target->text, v);
        return;
    }
    for (const struct jinja_node *c = target->list; c != NULL && tpl_step(t); c = c->next, i++) {
        bool known = v->kind == TV_LIST && v->alt == NULL && i < v->obj->n;
        const struct tpl_val *one = known ? v->obj->items[i].val : tpl_element(t, v);
        if (c->kind == JE_NAME)
            tpl_bind(t, c->text, one);
    }
}

static void assign(struct tpl *t, const struct jinja_node *n, const struct tpl_val *v) {
    const struct jinja_node *target = n->a;
    if (t->gate != NULL) {
        tpl_text_val(t, &t->gate->text, v);
        tpl_text_put(t, &t->gate->text, BZ_V(" "));
        if ((t->gate->flags & (TF_WORD | TF_GATED)) != 0)
            v = tpl_with(t, v, TF_GATED);
    }
    if (target->kind != JE_NSREF) {
        unpack(t, target, v);
        return;
    }
    const struct tpl_val *ns = tpl_lookup(t, target->text);
    tpl_reach_name(t, n->off, target->val);
    if (t->loops > 0 && uses(n->b, target) > 1)
        tpl_found(t, TPL_R_DOS, n->off, BZ_V("doubles in a loop"));
    if (ns != NULL && ns->obj != NULL && ns->alt == NULL)
        tpl_assign(t, ns->obj, target->val, v);
}

static const struct tpl_val *captured(struct tpl *t, struct jinja_node *list) {
    struct tpl_text x = {.n = 0}, *out = t->out;
    t->out = &x;
    tpl_run(t, list);
    t->out = out;
    uint16_t flags = (x.flags & (TF_TAINT | TF_PARTIAL)) | (x.cut ? TF_PARTIAL : 0);
    return tpl_str(t, x.n == 0 ? BZ_V("") : bz_view(x.p, x.n), flags);
}

static const struct tpl_val *piped(struct tpl *t, struct jinja_node *chain,
                                   const struct tpl_val *in) {
    const struct tpl_val *was = t->pipe;
    if (chain == NULL)
        return in;
    t->pipe = in;
    const struct tpl_val *v = tpl_eval(t, chain);
    t->pipe = was;
    return v;
}

static void set(struct tpl *t, struct jinja_node *n) {
    if (n->op == 0) {
        assign(t, n, tpl_eval(t, n->b));
        return;
    }
    struct tpl_gate *gate = t->gate; /* it is told by assign() */
    t->gate = NULL;
    const struct tpl_val *v = captured(t, n->list);
    t->gate = gate;
    assign(t, n, piped(t, n->b, v));
}

/* ---- branches -------------------------------------------------------------------------------- */

/* Bindings that `from` has in front of `to`, joined into t->env. */
static void merge(struct tpl *t, const struct tpl_bind *from, const struct tpl_bind *to) {
    for (; from != to && from != NULL && tpl_step(t); from = from->next) {
        const struct tpl_val *old = tpl_lookup(t, from->name);
        tpl_bind(t, from->name, old == NULL ? from->val : tpl_join(t, old, from->val));
    }
}

static void branch(struct tpl *t, struct jinja_node *b, const struct tpl_val *test, bool sure) {
    struct tpl_gate g;
    tpl_gate_begin(t, &g, test, b->off);
    t->cond += !sure;
    tpl_run(t, b->list);
    t->cond -= !sure;
    tpl_gate_end(t, &g);
}

static void condition(struct tpl *t, struct jinja_node *n) {
    const struct tpl_bind *base = t->env, *ends[64];
    const struct tpl_val *all = tpl_bool(t, true, 0); /* what the tests so far have asked about */
    size_t n_ends = 0;
    bool open = true; /* may still come here */
    for (struct jinja_node *b = n->list; b != NULL && tpl_step(t); b = b->next) {
        t->env = base;
        const struct tpl_val *test = b->a == NULL ? all : tpl_eval(t, b->a);
        int truth = b->a == NULL ? 1 : tpl_truth(test);
        uint16_t flags = 0;
        for (const struct tpl_val *v = test; v != NULL; v = v->alt)
            flags |= v->flags & TF_TAINT;
        all = tpl_with(t, all, flags);
        bool sure = open && truth == 1 && n_ends == 0, dead = !open || truth == 0;
        t->dead += dead;
        branch(t, b, test, sure);
        t->dead -= dead;
        if (!dead && n_ends < 64)
            ends[n_ends++] = t->env;
        open = open && truth != 1;
    }
    t->env = n_ends == 1 && !open ? ends[0] : base;
    for (size_t i = 0; i < n_ends && (n_ends > 1 || open); i++)
        merge(t, ends[i], base);
}

/* ---- loops ----------------------------------------------------------------------------------- */

static void loop_body(struct tpl *t, struct jinja_node *n, const struct tpl_val *item,
                      const struct tpl_val *list) {
    const struct tpl_bind *env = t->env;
    struct tpl_val *loop = tpl_new(t, TV_LOOP);
    struct tpl_gate g;
    if (loop == NULL)
        return;
    loop->node = n;
    loop->obj = list->kind == TV_LIST ? list->obj : NULL;
    loop->flags = item->flags & (TF_TAINT | TF_MESSAGE);
    tpl_bind(t, BZ_V("loop"), loop);
    unpack(t, n->a, item);
    const struct tpl_val *test = n->c == NULL ? NULL : tpl_eval(t, n->c);
    tpl_gate_begin(t, &g, test, n->off);
    int truth = test == NULL ? 1 : tpl_truth(test);
    t->cond += truth < 0;
    t->dead += truth == 0;
    tpl_run(t, n->list);
    t->dead -= truth == 0;
    t->cond -= truth < 0;
    tpl_gate_end(t, &g);
    t->env = env;
}

static void count(struct tpl *t, const struct jinja_node *n, uint64_t times) {
    if (__builtin_mul_overflow(t->product, times == 0 ? 1 : times, &t->product))
        t->product = UINT64_MAX;
    if (t->product > BZ_TEMPLATE_LOOPS_MAX)
        tpl_found(t, TPL_R_DOS, n->off, BZ_V("nested loops"));
}

/* Loops over one list inside of each other: n messages make n^4 turns. */
static void same_list(struct tpl *t, const struct jinja_node *n) {
    unsigned depth = 1;
    for (const struct tpl_bind *b = t->env; b != NULL && n->b->kind == JE_NAME; b = b->next) {
        const struct jinja_node *up = b->val->kind == TV_LOOP ? b->val->node : NULL;
        depth += up != NULL && up->b->kind == JE_NAME && bz_view_eq(up->b->text, n->b->text);
    }
    if (depth > TPL_SAME_LIST_MAX)
        tpl_found(t, TPL_R_DOS, n->off, n->b->text);
}

/* A string as its characters, a dict as its keys. */
static const struct tpl_val *items(struct tpl *t, const struct tpl_val *of) {
    const struct tpl_val *list = NULL;
    struct tpl_val *keys = NULL;
    if (of->alt == NULL && of->kind == TV_STR)
        list = tpl_chars(t, of);
    if (of->alt == NULL && of->kind == TV_DICT && (keys = tpl_new(t, TV_LIST)) != NULL) {
        for (uint32_t i = 0; i < of->obj->n; i++)
            tpl_put(t, keys->obj, BZ_V(""), tpl_str(t, of->obj->items[i].key, 0));
        keys->obj->open = of->obj->open;
        list = keys;
    }
    return list == NULL ? of : list;
}

static void loop(struct tpl *t, struct jinja_node *n) {
    const struct tpl_val *of = tpl_eval(t, n->b);
    uint64_t product = t->product;
    const struct tpl_val *list = items(t, of);
    bool known = list->kind == TV_LIST && list->alt == NULL && !list->obj->open &&
                 list->obj->n <= TPL_UNROLL_MAX;
    if (list->kind == TV_LIST && list->alt == NULL)
        count(t, n, list->num > 0 ? (uint64_t)list->num : list->obj->n);
    t->loops++;
    if (known) {
        for (uint32_t i = 0; i < list->obj->n && tpl_step(t); i++)
            loop_body(t, n, list->obj->items[i].val, list);
    } else {
        same_list(t, n);
        const struct tpl_val *item =
            of->kind == TV_DICT ? tpl_unknown(t, TF_COMPUTED) : tpl_element(t, of);
        t->cond++;
        for (unsigned i = 0; i < (t->loops > 3 ? 1u : 2u) && tpl_step(t); i++)
            loop_body(t, n, item, list);
        t->cond--;
    }
    t->loops--;
    t->product = product;
    t->cond++;
    tpl_run(t, n->other);
    t->cond--;
}

/* ---- macros ---------------------------------------------------------------------------------- */

/* Calls itself with the very arguments it was called with. */
static bool same_arguments(const struct jinja_node *macro, const struct jinja_node *list) {
    const struct jinja_node *p = macro->other;
    if (list == NULL && p != NULL)
        return false;
    for (; list != NULL && p != NULL; list = list->next, p = p->next) {
        if (list->a->kind != JE_NAME || !bz_view_eq(list->a->text, p->text))
            return false;
    }
    return list == NULL && p == NULL;
}

const struct tpl_val *tpl_macro(struct tpl *t, uint32_t off, const struct tpl_val *macro,
                                const struct tpl_args *args, const struct jinja_node *list) {
    const struct tpl_bind *env = t->env;
    struct tpl_call call = {macro->node, t->cond, t->call};
    unsigned depth = 0;
    for (const struct tpl_call *c = t->call; c != NULL; c = c->up, depth++) {
        if (c->macro != macro->node)
            continue;
        if (c->cond == t->cond || same_arguments(macro->node, list))
            tpl_found(t, TPL_R_DOS, off, macro->node->text);
        return tpl_unknown(t, args->flags & (TF_TAINT | TF_COMPUTED));
    }
    macro->node->num = 1; /* somebody calls it */
    if (depth >= TPL_MACROS_MAX || !tpl_step(t))
        return tpl_unknown(t, args->flags & (TF_TAINT | TF_COMPUTED));
    if (t->call == NULL)
        t->top = env;
    t->env = macro->env;
    tpl_bind(t, macro->node->text, macro);
    if (t->caller != NULL)
        tpl_bind(t, BZ_V("caller"), t->caller);
    t->caller = NULL;
    size_t i = 0;
    for (struct jinja_node *p = macro->node->other; p != NULL; p = p->next, i++) {
        const struct tpl_val *v = NULL;
        for (size_t k = 0; k < args->named_n && v == NULL; k++)
            v = bz_view_eq(args->names[k], p->text) ? args->named[k] : NULL;
        v = v != NULL ? v : i < args->n ? args->pos[i] : NULL;
        if (v == NULL)
            v = args->open || p->a == NULL ? tpl_unknown(t, args->flags) : tpl_eval(t, p->a);
        tpl_bind(t, p->text, v);
    }
    t->call = &call;
    const struct tpl_val *v = captured(t, macro->node->list);
    t->call = call.up;
    t->env = env;
    return v;
}

static void define(struct tpl *t, struct jinja_node *n) {
    struct tpl_val *v = tpl_new(t, TV_MACRO);
    if (v == NULL)
        return;
    v->node = n;
    v->env = t->env;
    tpl_bind(t, n->text, v);
    if (t->macros_n < sizeof t->macros / sizeof t->macros[0])
        t->macros[t->macros_n++] = n;
}

void tpl_uncalled(struct tpl *t) {
    static const struct tpl_args any = {.open = true};
    for (size_t i = 0; i < t->macros_n && tpl_step(t); i++) {
        struct tpl_val *v = t->macros[i]->num == 0 ? tpl_new(t, TV_MACRO) : NULL;
        if (v == NULL)
            continue;
        v->node = t->macros[i];
        v->env = t->env;
        (void)tpl_macro(t, v->node->off, v, &any, NULL);
    }
}

static void call_block(struct tpl *t, struct jinja_node *n) {
    const struct tpl_bind *env = t->env;
    struct tpl_val *caller = tpl_new(t, TV_MACRO);
    struct jinja_node *self = bz_arena_zalloc(t->ar, sizeof *self);
    if (caller == NULL || self == NULL)
        return;
    *self =
        (struct jinja_node){.kind = JN_MACRO, .off = n->off, .other = n->other, .list = n->list};
    self->text = BZ_V("caller");
    caller->node = self;
    caller->env = env;
    t->caller = caller;
    emit(t, tpl_eval(t, n->a));
    t->caller = NULL;
    tpl_run(t, n->list); /* whatever the macro does with it */
    t->env = env;
}

/* ---- statements ------------------------------------------------------------------------------ */

static void scope(struct tpl *t, struct jinja_node *n) {
    const struct tpl_bind *env = t->env;
    for (struct jinja_node *a = n->other; n->kind == JN_WITH && a != NULL; a = a->next)
        assign(t, a, tpl_eval(t, a->b));
    tpl_run(t, n->list);
    t->env = env;
}

static void outside(struct tpl *t, const struct jinja_node *n) {
    const struct jinja_node *what = n->a;
    tpl_found(t, TPL_R_INCLUDE, n->off,
              what != NULL && what->kind == JE_STR ? what->text : BZ_V("a computed name"));
    (void)tpl_eval(t, n->a);
}

static void statement(struct tpl *t, struct jinja_node *n) {
    switch (n->kind) {
    case JN_DATA:
        emit(t, tpl_str(t, n->text, 0));
        break;
    case JN_PRINT:
        emit(t, tpl_eval(t, n->a));
        break;
    case JN_FOR:
        loop(t, n);
        break;
    case JN_IF:
        condition(t, n);
        break;
    case JN_SET:
        set(t, n);
        break;
    case JN_WITH:
    case JN_BLOCK:
    case JN_SCOPE:
        scope(t, n);
        break;
    case JN_MACRO:
        define(t, n);
        break;
    case JN_CALLBLOCK:
        call_block(t, n);
        break;
    case JN_FILTER:
        emit(t, piped(t, n->a, captured(t, n->list)));
        break;
    case JN_INCLUDE:
    case JN_IMPORT:
    case JN_FROM:
    case JN_EXTENDS:
        outside(t, n);
        break;
    case JN_DO:
        (void)tpl_eval(t, n->a);
        break;
    case JN_DEBUG:
        tpl_found(t, TPL_R_GLOBALS, n->off, BZ_V("debug"));
        break;
    default:
        break; /* break, continue: the rest is looked at all the same */
    }
}

void tpl_run(struct tpl *t, struct jinja_node *list) {
    for (; list != NULL && tpl_step(t); list = list->next)
        statement(t, list);
}
