/* Functions, filters and methods of a template, on unknown input. */
#include "template_int.h"

void tpl_args(struct tpl *t, const struct jinja_node *list, struct tpl_args *ret) {
    *ret = (struct tpl_args){.n = 0};
    for (; list != NULL; list = list->next) {
        const struct tpl_val *v = tpl_eval(t, list->a);
        ret->flags |= v->flags & (TF_TAINT | TF_COMPUTED | TF_MESSAGE);
        if (list->text.n > 0) {
            tpl_reach_name(t, list->off, list->text);
            if (ret->named_n < TPL_ARGS_MAX) {
                ret->names[ret->named_n] = list->text;
                ret->named[ret->named_n++] = v;
            }
        } else if (list->op == 1 && v->kind == TV_LIST && v->alt == NULL) {
            for (uint32_t i = 0; i < v->obj->n && ret->n < TPL_ARGS_MAX; i++)
                ret->pos[ret->n++] = v->obj->items[i].val;
        } else if (list->op != 0 || ret->n == TPL_ARGS_MAX) {
            ret->open = true;
        } else {
            ret->pos[ret->n++] = v;
        }
    }
}

const struct tpl_val *tpl_arg(const struct tpl_args *a, size_t i, const char *name) {
    for (size_t k = 0; name != NULL && k < a->named_n; k++) {
        if (bz_view_eq(a->names[k], bz_view_str(name)))
            return a->named[k];
    }
    return i < a->n ? a->pos[i] : NULL;
}

static bool is(struct bz_view v, const char *word) {
    return bz_view_eq(v, bz_view_str(word));
}

static bool is_any(struct bz_view v, const char *words) { /* " a b c " */
    size_t n = strlen(words);
    for (size_t i = 0; i + v.n + 1 < n; i++) {
        if (words[i] == ' ' && words[i + v.n + 1] == ' ' && v.n > 0 &&
            memcmp(words + i + 1, v.p, v.n) == 0)
            return true;
    }
    return false;
}

static uint16_t keep(const struct tpl_val *v) {
    uint16_t flags = 0;
    for (; v != NULL; v = v->alt)
        flags |= v->flags & (TF_TAINT | TF_COMPUTED | TF_MESSAGE);
    return flags;
}

/* What something unknown makes of its input. */
static const struct tpl_val *made(struct tpl *t, const struct tpl_val *in,
                                  const struct tpl_args *args) {
    uint16_t flags = keep(in) | args->flags;
    for (const struct tpl_val *v = in; v != NULL; v = v->alt) {
        if (v->kind == TV_STR || v->kind == TV_FUNC)
            flags |= TF_COMPUTED;
    }
    return tpl_unknown(t, flags);
}

static int64_t most(const struct tpl_val *v) {
    return v != NULL && (v->kind == TV_INT || (v->flags & TF_NUMBER) != 0) ? v->num : 0;
}

/* ---- functions of the engine ----------------------------------------------------------------- */

static bool is_int(const struct tpl_val *v) {
    return v == NULL || (v->kind == TV_INT && v->alt == NULL);
}

/* The numbers, as far as they are worth a look; num: how many there are, for nested loops. */
static const struct tpl_val *counted(struct tpl *t, int64_t from, int64_t to, int64_t step) {
    struct tpl_val *list = tpl_new(t, TV_LIST);
    if (list == NULL)
        return tpl_number(t, 0, 0);
    uint64_t span = step > 0 ? (uint64_t)to - (uint64_t)from : (uint64_t)from - (uint64_t)to;
    uint64_t by = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    if (step > 0 ? from >= to : from <= to)
        return list;
    list->num = span / by > INT64_MAX - 1 ? INT64_MAX : (int64_t)((span - 1) / by + 1);
    for (int64_t i = from, n = 0; n < list->num; n++, i += step) {
        if (list->obj->n == TPL_UNROLL_MAX || !tpl_step(t)) {
            list->obj->open = true;
            break;
        }
        tpl_put(t, list->obj, BZ_V(""), tpl_int(t, i, 0));
        if (n + 1 == list->num)
            break;
    }
    return list;
}

static const struct tpl_val *range(struct tpl *t, uint32_t off, const struct tpl_args *a) {
    if (a->n == 0 || a->n > 3)
        return tpl_number(t, 0, 0);
    const struct tpl_val *from = a->n > 1 ? a->pos[0] : NULL, *to = a->pos[a->n > 1];
    const struct tpl_val *by = a->n > 2 ? a->pos[2] : NULL;
    for (size_t i = 0; i < a->n; i++) {
        if (most(a->pos[i]) > BZ_TEMPLATE_RANGE_MAX)
            tpl_found(t, TPL_R_DOS, off, BZ_V("range()"));
    }
    if (!is_int(from) || !is_int(to) || !is_int(by) || (by != NULL && by->num == 0))
        return tpl_number(t, 0, 0);
    return counted(t, from == NULL ? 0 : from->num, to->num, by == NULL ? 1 : by->num);
}

static const struct tpl_val *dictionary(struct tpl *t, enum tpl_kind kind,
                                        const struct tpl_args *a) {
    struct tpl_val *v = tpl_new(t, kind);
    if (v == NULL)
        return tpl_unknown(t, 0);
    v->obj->open = a->n > 0 || a->open;
    if (a->n > 0 && a->pos[0]->kind == TV_DICT) {
        for (uint32_t i = 0; i < a->pos[0]->obj->n; i++)
            tpl_put(t, v->obj, a->pos[0]->obj->items[i].key, a->pos[0]->obj->items[i].val);
    }
    for (size_t i = 0; i < a->named_n; i++)
        tpl_assign(t, v->obj, a->names[i], a->named[i]);
    return v;
}

static const struct tpl_val *engine(struct tpl *t, uint32_t off, const struct tpl_val *f,
                                    const struct tpl_args *a) {
    struct bz_view name = f->text;
    if (is(name, "range"))
        return range(t, off, a);
    if (is(name, "dict"))
        return dictionary(t, TV_DICT, a);
    if (is(name, "namespace"))
        return dictionary(t, TV_NS, a);
    if (is(name, "strftime_now"))
        return tpl_unknown(t, TF_TIME);
    if (is(name, "raise_exception"))
        return tpl_str(t, BZ_V(""), 0);
    if (is(name, "cycler"))
        return tpl_func(t, BZ_V("cycler()"));
    if (is(name, "joiner"))
        return tpl_func(t, BZ_V("joiner()"));
    if (is(name, "joiner()"))
        return tpl_unknown(t, 0);
    tpl_found(t, is(name, "lipsum") ? TPL_R_GLOBALS : TPL_R_PYTHON, off, name);
    return tpl_unknown(t, TF_COMPUTED);
}

/* ---- methods --------------------------------------------------------------------------------- */

/* content.replace('a', 'an instruction') */
static void rewrite(struct tpl *t, uint32_t off, const struct tpl_val *in,
                    const struct tpl_args *args) {
    const struct tpl_val *from = tpl_arg(args, 0, "old"), *to = tpl_arg(args, 1, "new");
    struct tpl_text x = {.n = 0};
    struct bz_view where;
    if (from == NULL || to == NULL || (keep(in) & (TF_CONTENT | TF_MESSAGE)) == 0)
        return;
    tpl_text_val(t, &x, to);
    enum tpl_says says = x.n == 0 ? TS_NOTHING : tpl_says(t, bz_view(x.p, x.n), &where);
    bool words = from->kind == TV_STR && tpl_is_words(from->text); /* marks stand for something */
    if (says >= (words ? TS_WORDS : TS_LINK))
        tpl_found(t, TPL_R_REWRITE, off, where);
}

static uint16_t method_flags(struct tpl *t, const struct tpl_val *of, const struct tpl_args *args) {
    uint16_t flags = keep(of) & (uint16_t)~TF_MESSAGE;
    (void)t;
    for (size_t i = 0; i < args->n; i++)
        flags |= tpl_compared(of, args->pos[i]);
    return flags;
}

static bool list_is_iterated(const struct tpl *t, const struct tpl_val *of) {
    /* a loop holds its list in the binding of `loop` */
    for (const struct tpl_bind *b = t->env; b != NULL; b = b->next) {
        if (b->val->kind == TV_LOOP && b->val->obj != NULL && b->val->obj == of->obj)
            return true;
    }
    return false;
}

static const struct tpl_val *list_method(struct tpl *t, uint32_t off, const struct tpl_val *of,
                                         struct bz_view name, const struct tpl_args *args) {
    const struct tpl_val *v = tpl_arg(args, 0, NULL);
    if (is_any(name, " append extend insert ") && v != NULL) {
        if (list_is_iterated(t, of) || (is(name, "extend") && v->obj == of->obj && t->loops > 0))
            tpl_found(t, TPL_R_DOS, off, BZ_V("a list that grows while it is read"));
        if (is(name, "insert"))
            of->obj->open = true;
        if (is(name, "extend") && v->kind == TV_LIST && v->obj != of->obj)
            for (uint32_t i = 0; i < v->obj->n && t->dead == 0; i++)
                tpl_put(t, of->obj, BZ_V(""), v->obj->items[i].val);
        else if (t->dead == 0)
            tpl_put(t, of->obj, BZ_V(""), is(name, "insert") && args->n > 1 ? args->pos[1] : v);
        of->obj->open = of->obj->open || t->cond > 0;
        return tpl_none();
    }
    if (is(name, "pop") && args->n == 0 && of->obj->n > 0 && !of->obj->open && t->cond == 0 &&
        t->dead == 0)
        return of->obj->items[--of->obj->n].val;
    of->obj->open = of->obj->open || is_any(name, " pop remove clear reverse sort ");
    return tpl_element(t, of);
}

static const struct tpl_val *dict_method(struct tpl *t, uint32_t off, const struct tpl_val *of,
                                         struct bz_view name, const struct tpl_args *args) {
    const struct tpl_val *key = tpl_arg(args, 0, NULL);
    if (is(name, "get") && key != NULL) {
        if (!tpl_is_exact(key) || args->n < 2)
            return tpl_item(t, off, of, key);
        const struct tpl_val *v = tpl_get(of->obj, key->text);
        return v != NULL ? v : args->pos[1];
    }
    if (is(name, "update")) {
        for (size_t i = 0; i < args->named_n; i++)
            tpl_assign(t, of->obj, args->names[i], args->named[i]);
        for (uint32_t i = 0; key != NULL && key->kind == TV_DICT && i < key->obj->n; i++)
            tpl_assign(t, of->obj, key->obj->items[i].key, key->obj->items[i].val);
        return tpl_none();
    }
    struct tpl_val *list = tpl_new(t, TV_LIST);
    for (uint32_t i = 0; list != NULL && i < of->obj->n && tpl_step(t); i++) {
        const struct tpl_val *k = tpl_str(t, of->obj->items[i].key, 0), *v = of->obj->items[i].val;
        struct tpl_val *pair = is(name, "items") ? tpl_new(t, TV_LIST) : NULL;
        if (pair != NULL) {
            tpl_put(t, pair->obj, BZ_V(""), k);
            tpl_put(t, pair->obj, BZ_V(""), v);
        }
        tpl_put(t, list->obj, BZ_V(""), pair != NULL ? pair : is(name, "keys") ? k : v);
    }
    return list == NULL ? tpl_unknown(t, 0) : list;
}

static bool gives_number(struct bz_view name) {
    return is_any(name,
                  " startswith endswith find rfind index rindex count isdigit isalpha isalnum "
                  "isspace isupper islower isnumeric ");
}

static const struct tpl_val *string_method(struct tpl *t, uint32_t off, const struct tpl_val *of,
                                           struct bz_view name, const struct tpl_args *args) {
    const struct tpl_val *v = NULL;
    if (is(name, "format") || is(name, "format_map"))
        return tpl_format(t, off, of, args);
    if (is(name, "join") && args->n > 0)
        v = tpl_list_join(t, args->pos[0], of);
    else if (!gives_number(name))
        v = tpl_string_op(t, name, of, args);
    if (is_any(name, " center ljust rjust zfill ") &&
        most(tpl_arg(args, 0, NULL)) > BZ_TEMPLATE_MAX)
        tpl_found(t, TPL_R_DOS, off, name);
    if (v != NULL)
        return v;
    return gives_number(name) ? tpl_number(t, method_flags(t, of, args) & TF_TAINT, 1)
                              : made(t, of, args);
}

static const struct tpl_val *method(struct tpl *t, uint32_t off, const struct tpl_val *of,
                                    struct bz_view name, const struct tpl_args *args) {
    if (is_any(name, " open eval exec execfile system read write spawn compile "))
        tpl_found(t, TPL_R_PYTHON, off, name);
    if (is(name, "replace"))
        rewrite(t, off, of, args);
    if (of->alt == NULL && of->kind == TV_LIST)
        return list_method(t, off, of, name, args);
    if (of->alt == NULL && (of->kind == TV_DICT || of->kind == TV_NS))
        return dict_method(t, off, of, name, args);
    if (of->kind == TV_STR)
        return string_method(t, off, of, name, args);
    uint16_t flags = method_flags(t, of, args);
    if (is(name, "get") && args->n > 0 && tpl_is_exact(args->pos[0])) {
        tpl_reach(t, off, args->pos[0], false);
        return tpl_attr(t, of, args->pos[0]->text);
    }
    if (is_any(name, " format format_map ") && (args->flags & TF_MESSAGE) != 0)
        tpl_found(t, TPL_R_COMPUTED, off, BZ_V("a format that is not known"));
    if (gives_number(name))
        return tpl_number(t, flags & TF_TAINT, 1);
    return tpl_unknown(t,
                       (uint16_t)(flags | (keep(of) & TF_MESSAGE) | (args->flags & TF_COMPUTED)));
}

/* ---- calls ----------------------------------------------------------------------------------- */

static const struct tpl_val *callee(struct tpl *t, struct jinja_node *n,
                                    const struct tpl_args *args) {
    struct jinja_node *f = n->a;
    const struct tpl_val *v = tpl_eval(t, f), *all = NULL;
    for (; v != NULL; v = v->alt) {
        const struct tpl_val *one = NULL;
        if (v->kind == TV_FUNC)
            one = engine(t, n->off, v, args);
        else if (v->kind == TV_MACRO)
            one = tpl_macro(t, n->off, v, args, n->list);
        else if (v->kind == TV_LOOP && v->node != NULL && n->list != NULL && v->node->b != NULL &&
                 v->node->b->kind == JE_NAME && n->list->a->kind == JE_NAME &&
                 bz_view_eq(v->node->b->text, n->list->a->text))
            tpl_found(t, TPL_R_DOS, n->off, BZ_V("a loop that calls itself on the same list"));
        if (one == NULL)
            one = tpl_unknown(t, (uint16_t)((args->flags & (TF_TAINT | TF_COMPUTED)) |
                                            (v->kind == TV_UNKNOWN ? v->flags & TF_COMPUTED : 0)));
        all = all == NULL ? one : tpl_join(t, all, one);
    }
    return all;
}

const struct tpl_val *tpl_call(struct tpl *t, struct jinja_node *n) {
    struct tpl_args args;
    if (n->a->kind != JE_ATTR) {
        tpl_args(t, n->list, &args);
        return callee(t, n, &args);
    }
    const struct tpl_val *of = tpl_eval(t, n->a->a), *all = NULL;
    struct bz_view name = n->a->text;
    tpl_args(t, n->list, &args);
    if (of->kind == TV_FUNC || (of->kind == TV_NS && tpl_get(of->obj, name) != NULL))
        return callee(t, n, &args);
    tpl_reach_name(t, n->a->off, name);
    for (; of != NULL; of = of->alt) {
        if (!tpl_step(t))
            break;
        const struct tpl_val *one = method(t, n->off, tpl_alone(t, of), name, &args);
        all = all == NULL ? one : tpl_join(t, all, one);
    }
    return all == NULL ? tpl_unknown(t, 0) : all;
}

/* ---- filters --------------------------------------------------------------------------------- */

/* "a.b.c" as Jinja's attribute getters take it. */
static void path(struct tpl *t, uint32_t off, const struct tpl_val *v) {
    if (v == NULL || v->kind == TV_INT || v->kind == TV_NONE)
        return;
    if (!tpl_is_exact(v)) {
        tpl_reach(t, off, v, true);
        return;
    }
    for (size_t from = 0, i = 0; i <= v->text.n; i++) {
        if (i == v->text.n || v->text.p[i] == '.') {
            tpl_reach_name(t, off, bz_view_sub(v->text, from, i - from));
            from = i + 1;
        }
    }
}

static void filter_names(struct tpl *t, uint32_t off, struct bz_view name,
                         const struct tpl_args *args) {
    const struct tpl_val *first = tpl_arg(args, 0, NULL);
    for (size_t i = 0; i < args->named_n; i++) {
        if (is(args->names[i], "attribute"))
            path(t, off, args->named[i]);
    }
    if (is_any(name, " selectattr rejectattr groupby sum ") && first != NULL)
        path(t, off, first);
    if (is(name, "join") && args->n > 1)
        path(t, off, args->pos[1]);
    if (is(name, "map") && first != NULL) {
        if (!tpl_is_exact(first))
            tpl_found(t, TPL_R_COMPUTED, off, BZ_V("a filter whose name is computed"));
        else if (is(first->text, "attr") && args->n > 1)
            tpl_reach(t, off, args->pos[1], true);
    }
    if (is(name, "attr"))
        tpl_reach(t, off, first == NULL ? tpl_unknown(t, 0) : first, true);
}

static void filter_sizes(struct tpl *t, uint32_t off, struct bz_view name,
                         const struct tpl_args *args) {
    if (!is_any(name, " center indent tojson batch slice truncate wordwrap round "))
        return;
    for (size_t i = 0; i < args->n + args->named_n; i++) {
        const struct tpl_val *v = i < args->n ? args->pos[i] : args->named[i - args->n];
        if (most(v) > BZ_TEMPLATE_RANGE_MAX)
            tpl_found(t, TPL_R_DOS, off, name);
    }
}

static const struct tpl_val *over_list(struct tpl *t, struct jinja_node *n,
                                       const struct tpl_val *in, struct bz_view what) {
    struct tpl_val *list = tpl_new(t, TV_LIST);
    struct tpl_args none = {.n = 0};
    for (uint32_t i = 0; list != NULL && i < in->obj->n && tpl_step(t); i++) {
        const struct tpl_val *v = in->obj->items[i].val;
        const struct tpl_val *one = tpl_string_op(t, what, v, &none);
        tpl_put(t, list->obj, BZ_V(""), one == NULL ? made(t, v, &none) : one);
    }
    (void)n;
    return list == NULL ? tpl_unknown(t, 0) : list;
}

static const struct tpl_val *list_filter(struct tpl *t, struct jinja_node *n,
                                         const struct tpl_val *in, const struct tpl_args *args) {
    const struct tpl_obj *o = in->obj;
    const struct tpl_val *first = tpl_arg(args, 0, NULL);
    if (in->kind == TV_DICT && is_any(n->text, " list first last reverse unique sort "))
        return list_filter(t, n, dict_method(t, n->off, in, BZ_V("keys"), args), args);
    if (is_any(n->text, " list safe string unique "))
        return is(n->text, "string") ? made(t, in, args) : in;
    if (is_any(n->text, " length count "))
        return o->open ? tpl_number(t, 0, 1) : tpl_int(t, o->n, 0);
    if (is(n->text, "first") && o->n > 0)
        return o->items[0].val;
    if (is(n->text, "last") && o->n > 0 && !o->open)
        return o->items[o->n - 1].val;
    if (is(n->text, "reverse") && !o->open) {
        struct tpl_val *list = tpl_new(t, TV_LIST);
        for (uint32_t i = o->n; list != NULL && i-- > 0;)
            tpl_put(t, list->obj, BZ_V(""), o->items[i].val);
        return list == NULL ? in : list;
    }
    if (is(n->text, "map") && first != NULL && tpl_is_exact(first) && in->kind == TV_LIST)
        return over_list(t, n, in, first->text);
    if (is_any(n->text, " items dictsort ") && in->kind == TV_DICT)
        return dict_method(t, n->off, in, BZ_V("items"), args);
    return NULL;
}

static const struct tpl_val *defaulted(struct tpl *t, const struct tpl_val *in,
                                       const struct tpl_args *args) {
    const struct tpl_val *other = tpl_arg(args, 0, "default_value");
    if (in->kind != TV_UNKNOWN && in->kind != TV_NONE && in->alt == NULL)
        return in;
    return tpl_join(t, in, other == NULL ? tpl_str(t, BZ_V(""), 0) : other);
}

static const struct tpl_val *filter_one(struct tpl *t, struct jinja_node *n,
                                        const struct tpl_val *in, const struct tpl_args *args) {
    const struct tpl_val *v = NULL;
    if (in->kind == TV_FUNC) {
        tpl_found(t, TPL_R_GLOBALS, n->off, in->text);
        return tpl_unknown(t, TF_COMPUTED);
    }
    if (is(n->text, "format") && in->kind == TV_STR)
        return tpl_percent(t, n->off, in, args);
    if (is(n->text, "join"))
        v = tpl_list_join(t, in, tpl_arg(args, 0, "d"));
    else if (is_any(n->text, " default d "))
        return defaulted(t, in, args);
    else if (is(n->text, "attr") && args->n > 0 && tpl_is_exact(args->pos[0]))
        return tpl_attr(t, in, args->pos[0]->text);
    else if (in->kind == TV_LIST || in->kind == TV_DICT)
        v = list_filter(t, n, in, args);
    else if (in->kind == TV_STR)
        v = tpl_string_op(t, n->text, in, args);
    if (v != NULL)
        return v;
    if (in->kind == TV_STR && is_any(n->text, " first last ") && in->text.n > 0 && tpl_is_exact(in))
        return tpl_str(t, bz_view_sub(in->text, is(n->text, "first") ? 0 : in->text.n - 1, 1), 0);
    if (in->kind == TV_INT && is_any(n->text, " int abs "))
        return in;
    if (in->kind == TV_INT && is(n->text, "string"))
        return tpl_concat(t, in, tpl_str(t, BZ_V(""), 0));
    if (is_any(n->text, " length count int float abs round sum wordcount "))
        return tpl_number(t, keep(in) & TF_TAINT, most(in));
    return NULL;
}

static uint16_t filter_flags(struct tpl *t, struct bz_view name, const struct tpl_val *in,
                             const struct tpl_args *args) {
    uint16_t flags = keep(in);
    if ((flags & TF_MESSAGE) != 0 && is_any(name, " string tojson pprint join "))
        flags |= TF_CONTENT;
    if (is_any(name, " selectattr rejectattr ") && args->n > 1 && tpl_is_exact(args->pos[0]))
        in = tpl_attr(t, in, args->pos[0]->text);
    for (size_t i = 0; i < args->named_n; i++) { /* map(attribute='content') */
        if (is(args->names[i], "attribute") && tpl_is_exact(args->named[i]))
            flags |= tpl_attr(t, in, args->named[i]->text)->flags;
    }
    for (size_t i = 0; i < args->n; i++)
        flags |= tpl_compared(in, args->pos[i]);
    return flags & TF_TAINT;
}

const struct tpl_val *tpl_filter(struct tpl *t, struct jinja_node *n, const struct tpl_val *in) {
    struct tpl_args args;
    const struct tpl_val *all = NULL;
    tpl_args(t, n->list, &args);
    filter_names(t, n->off, n->text, &args);
    filter_sizes(t, n->off, n->text, &args);
    if (is_any(n->text, " eval exec system popen shell lookup pipe import "))
        tpl_found(t, TPL_R_PYTHON, n->off, n->text);
    if (is(n->text, "replace"))
        rewrite(t, n->off, in, &args);
    for (const struct tpl_val *v = in; v != NULL; v = v->alt) {
        if (!tpl_step(t))
            break;
        const struct tpl_val *self = tpl_alone(t, v);
        const struct tpl_val *one = filter_one(t, n, self, &args);
        if (one == NULL)
            one = tpl_with(t, made(t, self, &args), filter_flags(t, n->text, self, &args));
        all = all == NULL ? one : tpl_join(t, all, one);
    }
    return all == NULL ? tpl_unknown(t, 0) : all;
}
