/* Values of a template's run, and its variables. */
#include "template_int.h"

static const struct tpl_val none_val = {.kind = TV_NONE};
static const struct tpl_val unknown_val = {.kind = TV_UNKNOWN};

bool tpl_step(struct tpl *t) {
    if (t->st != BZ_OK || t->spent)
        return false;
    if (++t->steps > BZ_TEMPLATE_STEPS_MAX)
        t->spent = true;
    return !t->spent;
}

static bool is_behaviour(enum tpl_rule r) {
    return r == TPL_R_GATED || r == TPL_R_INSTRUCTION || r == TPL_R_REWRITE || r == TPL_R_URL ||
           r == TPL_R_LARGE || r == TPL_R_BLOB;
}

void tpl_found(struct tpl *t, enum tpl_rule rule, uint32_t off, struct bz_view evidence) {
    if (t->st != BZ_OK || (t->known && is_behaviour(rule)))
        return;
    for (size_t i = 0; i < t->said_n; i++) {
        if (t->said[i].off == off && t->said[i].rule == (uint8_t)rule)
            return;
    }
    if (t->said_n == sizeof t->said / sizeof t->said[0])
        return;
    t->said[t->said_n].off = off;
    t->said[t->said_n++].rule = (uint8_t)rule;
    t->st = bz_scan_found(t->s, t->o, &bz_template_rules[rule], off, evidence);
}

/* ---- making values --------------------------------------------------------------------------- */

static void *memory(struct tpl *t, size_t n) {
    void *p = t->st == BZ_OK ? bz_arena_zalloc(t->ar, n) : NULL;
    if (p == NULL && t->st == BZ_OK)
        t->st = BZ_ENOMEM;
    return p;
}

struct tpl_val *tpl_new(struct tpl *t, enum tpl_kind kind) {
    bool has_obj = kind == TV_LIST || kind == TV_DICT || kind == TV_NS;
    struct tpl_val *v = memory(t, sizeof *v);
    struct tpl_obj *o = has_obj ? memory(t, sizeof *o) : NULL;
    if (v == NULL || (has_obj && o == NULL))
        return NULL;
    v->kind = (uint8_t)kind;
    v->obj = o;
    return v;
}

static const struct tpl_val *make(struct tpl *t, enum tpl_kind kind, uint16_t flags, int64_t num,
                                  struct bz_view text) {
    struct tpl_val *v = tpl_new(t, kind);
    if (v == NULL)
        return &unknown_val;
    v->flags = flags;
    v->num = num;
    v->text = text;
    return v;
}

const struct tpl_val *tpl_unknown(struct tpl *t, uint16_t flags) {
    return flags == 0 ? &unknown_val : make(t, TV_UNKNOWN, flags, 0, BZ_V(""));
}

const struct tpl_val *tpl_number(struct tpl *t, uint16_t flags, int64_t most) {
    return make(t, TV_UNKNOWN, (uint16_t)(flags | TF_NUMBER), most, BZ_V(""));
}

const struct tpl_val *tpl_none(void) {
    return &none_val;
}

const struct tpl_val *tpl_bool(struct tpl *t, bool b, uint16_t flags) {
    return make(t, TV_BOOL, flags, b, BZ_V(""));
}

const struct tpl_val *tpl_int(struct tpl *t, int64_t n, uint16_t flags) {
    return make(t, TV_INT, flags, n, BZ_V(""));
}

const struct tpl_val *tpl_str(struct tpl *t, struct bz_view text, uint16_t flags) {
    return make(t, TV_STR, flags, 0, text);
}

const struct tpl_val *tpl_func(struct tpl *t, struct bz_view name) {
    return make(t, TV_FUNC, 0, 0, name);
}

const struct tpl_val *tpl_with(struct tpl *t, const struct tpl_val *v, uint16_t flags) {
    if ((v->flags & flags) == flags)
        return v;
    struct tpl_val *w = memory(t, sizeof *w);
    if (w == NULL)
        return v;
    *w = *v;
    w->flags |= flags;
    return w;
}

const struct tpl_val *tpl_alone(struct tpl *t, const struct tpl_val *v) {
    if (v->alt == NULL)
        return v;
    struct tpl_val *w = memory(t, sizeof *w);
    if (w == NULL)
        return &unknown_val;
    *w = *v;
    w->alt = NULL;
    return w;
}

bool tpl_is_text(const struct tpl_val *v) {
    return v->kind == TV_STR && v->alt == NULL;
}

bool tpl_is_exact(const struct tpl_val *v) {
    return tpl_is_text(v) && (v->flags & TF_PARTIAL) == 0;
}

int tpl_truth(const struct tpl_val *v) {
    if (v->alt != NULL || (v->flags & TF_PARTIAL) != 0)
        return -1;
    switch (v->kind) {
    case TV_NONE:
        return 0;
    case TV_BOOL:
    case TV_INT:
        return v->num != 0;
    case TV_STR:
        return v->text.n > 0;
    case TV_LIST:
    case TV_DICT:
        return v->obj->open ? -1 : v->obj->n > 0;
    case TV_NS:
    case TV_MACRO:
    case TV_LOOP:
        return 1;
    default:
        return -1; /* a function of the engine may be absent in another one */
    }
}

/* ---- objects --------------------------------------------------------------------------------- */

void tpl_put(struct tpl *t, struct tpl_obj *o, struct bz_view key, const struct tpl_val *v) {
    if (o->n == BZ_TEMPLATE_ITEMS_MAX) {
        o->open = true;
        return;
    }
    if (o->n == o->cap) {
        uint32_t cap = o->cap == 0 ? 8 : o->cap * 2;
        struct tpl_item *items = memory(t, cap * sizeof *items);
        if (items == NULL)
            return;
        if (o->n > 0)
            memcpy(items, o->items, o->n * sizeof *items);
        o->items = items;
        o->cap = cap;
    }
    o->items[o->n++] = (struct tpl_item){key, v};
}

static struct tpl_item *find(const struct tpl_obj *o, struct bz_view key) {
    for (uint32_t i = 0; i < o->n; i++) {
        if (bz_view_eq(o->items[i].key, key))
            return &o->items[i];
    }
    return NULL;
}

const struct tpl_val *tpl_get(const struct tpl_obj *o, struct bz_view key) {
    const struct tpl_item *i = find(o, key);
    return i == NULL ? NULL : i->val;
}

void tpl_assign(struct tpl *t, struct tpl_obj *o, struct bz_view key, const struct tpl_val *v) {
    struct tpl_item *i = find(o, key);
    t->steps += o->n / 8;
    if (t->dead > 0 && i != NULL)
        return;
    if (i == NULL)
        tpl_put(t, o, key, v);
    else
        i->val = t->cond > 0 ? tpl_join(t, i->val, v) : v;
}

/* ---- possibilities --------------------------------------------------------------------------- */

static bool same(const struct tpl_val *a, const struct tpl_val *b) {
    return a->kind == b->kind && a->flags == b->flags && a->num == b->num && a->obj == b->obj &&
           a->node == b->node && bz_view_eq(a->text, b->text);
}

static size_t alts(const struct tpl_val *v) {
    size_t n = 0;
    for (; v != NULL; v = v->alt)
        n++;
    return n;
}

/* Unknown, but with what is known about the parts. */
static const struct tpl_val *blur(struct tpl *t, const struct tpl_val *a, const struct tpl_val *b) {
    uint16_t flags = 0;
    const struct tpl_val *both[2] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        for (const struct tpl_val *v = both[i]; v != NULL; v = v->alt) {
            flags |= v->flags & (uint16_t) ~(TF_PARTIAL | TF_NUMBER);
            if (v->kind == TV_STR)
                flags |= TF_COMPUTED;
        }
    }
    return tpl_unknown(t, flags);
}

const struct tpl_val *tpl_join(struct tpl *t, const struct tpl_val *a, const struct tpl_val *b) {
    if (a == b || same(a, b))
        return a;
    if (alts(a) + alts(b) > TPL_ALTS_MAX)
        return blur(t, a, b);
    const struct tpl_val *all = b;
    for (const struct tpl_val *v = a; v != NULL; v = v->alt) {
        bool there = false;
        for (const struct tpl_val *w = b; w != NULL && !there; w = w->alt)
            there = same(v, w);
        if (there)
            continue;
        struct tpl_val *copy = memory(t, sizeof *copy);
        if (copy == NULL)
            return &unknown_val;
        *copy = *v;
        copy->alt = all;
        all = copy;
    }
    return all;
}

/* ---- variables ------------------------------------------------------------------------------- */

void tpl_bind(struct tpl *t, struct bz_view name, const struct tpl_val *v) {
    struct tpl_bind *b = memory(t, sizeof *b);
    if (b == NULL)
        return;
    *b = (struct tpl_bind){name, v, t->env};
    t->env = b;
}

const struct tpl_val *tpl_lookup(struct tpl *t, struct bz_view name) {
    const struct tpl_bind *from[2] = {t->env, t->call == NULL ? NULL : t->top};
    uint64_t n = 0;
    for (size_t i = 0; i < 2; i++) {
        for (const struct tpl_bind *b = from[i]; b != NULL; b = b->next) {
            if (bz_view_eq(b->name, name))
                return b->val;
            t->steps += ++n % 16 == 0;
        }
    }
    return NULL;
}

/* ---- text ------------------------------------------------------------------------------------ */

void tpl_text_put(struct tpl *t, struct tpl_text *x, struct bz_view v) {
    if (v.n > BZ_TEMPLATE_STRING_MAX - x->n) {
        v.n = BZ_TEMPLATE_STRING_MAX - x->n;
        x->cut = true;
    }
    if (v.n == 0 || t->st != BZ_OK)
        return;
    if (v.n > x->cap - x->n) {
        size_t cap = x->cap == 0 ? 256 : x->cap * 2;
        cap = cap < x->n + v.n ? x->n + v.n : cap;
        uint8_t *p = memory(t, cap);
        if (p == NULL)
            return;
        if (x->n > 0)
            memcpy(p, x->p, x->n);
        x->p = p;
        x->cap = cap;
    }
    memcpy(x->p + x->n, v.p, v.n);
    x->n += v.n;
    t->steps += v.n / 64;
}

static void text_one(struct tpl *t, struct tpl_text *x, const struct tpl_val *v, unsigned depth) {
    static const uint8_t hole = TPL_HOLE;
    x->flags |= v->flags;
    switch (v->kind) {
    case TV_STR:
        tpl_text_put(t, x, v->text);
        break;
    case TV_LIST:
    case TV_DICT:
        for (uint32_t i = 0; depth < 4 && i < v->obj->n && tpl_step(t); i++) {
            tpl_text_put(t, x, v->obj->items[i].key);
            tpl_text_put(t, x, BZ_V(" "));
            text_one(t, x, v->obj->items[i].val, depth + 1);
        }
        break;
    case TV_INT: {
        uint8_t mem[24];
        struct bz_buf b;
        bz_buf_init_fixed(&b, mem, sizeof mem);
        bz_buf_put_i64(&b, v->num);
        tpl_text_put(t, x, bz_buf_view(&b));
        break;
    }
    case TV_NONE:
        break;
    default:
        x->flags |= TF_PARTIAL;
        if (x->n == 0 || x->p[x->n - 1] != hole)
            tpl_text_put(t, x, bz_view(&hole, 1));
        break;
    }
}

void tpl_text_val(struct tpl *t, struct tpl_text *x, const struct tpl_val *v) {
    if (v->alt != NULL || v->kind == TV_LIST || v->kind == TV_DICT)
        x->flags |= TF_PARTIAL;
    for (; v != NULL; v = v->alt) {
        text_one(t, x, v, 0);
        if (v->alt != NULL)
            tpl_text_put(t, x, BZ_V(" "));
    }
}
