/* The gene of an answer: where a scenario's worst reply is put, and how it is written and cut. */
#include "red_int.h"

const char *bz_red_channel_name(enum bz_red_channel c) {
    static const char *const names[BZ_RED_CHANNEL_COUNT] = {
        "text", "reasoning", "argument", "link", "image", "both", "turns"};
    return (unsigned)c < BZ_RED_CHANNEL_COUNT ? names[c] : "?";
}

const char *bz_red_shape_name(enum bz_red_shape s) {
    static const char *const names[BZ_RED_SHAPE_COUNT] = {"plain",  "second",  "case",  "blank",
                                                          "legacy", "escaped", "extra", "late",
                                                          "twice",  "prefix"};
    return (unsigned)s < BZ_RED_SHAPE_COUNT ? names[s] : "?";
}

static uint8_t form_of(struct bz_red_rng *r) {
    const struct bz_red_op *ops;
    size_t n = bz_red_ops(&ops);
    uint32_t k = bz_red_below(r, (uint32_t)n);
    while ((ops[k].use & BZ_RED_FORM) == 0)
        k = (k + 1) % (uint32_t)n;
    return (uint8_t)k;
}

static uint8_t size_of(struct bz_red_rng *r) {
    static const uint8_t sizes[] = {0, 1, 2, 3, 5, 16, 255, 255};
    return sizes[bz_red_below(r, sizeof sizes)];
}

static uint8_t channel_of(struct bz_red_rng *r) {
    /* Text most of all: that is where the forms have room. */
    return bz_red_below(r, 3) == 0 ? (uint8_t)bz_red_below(r, BZ_RED_CHANNEL_COUNT)
                                   : (uint8_t)BZ_RED_IN_TEXT;
}

void bz_red_trick_random(const struct bz_red_suite *s, uint32_t scenario, struct bz_red_rng *r,
                         struct bz_red_trick *ret) {
    *ret = (struct bz_red_trick){.scenario = s->n == 0 ? 0 : scenario % (uint32_t)s->n,
                                 .salt = (uint32_t)bz_red_next(r)};
    ret->ops = (uint8_t)bz_red_below(r, 2);
    ret->ops = bz_red_below(r, 8) == 0 ? 2 : ret->ops;
    for (uint8_t i = 0; i < ret->ops; i++)
        ret->op[i] = form_of(r);
    ret->channel = channel_of(r);
    ret->shape = (uint8_t)bz_red_below(r, BZ_RED_SHAPE_COUNT);
    ret->dialect = (uint8_t)bz_red_below(r, BZ_RED_DIALECT_COUNT);
    ret->cut = size_of(r);
    ret->wire = size_of(r);
    ret->stream = bz_red_below(r, 4) != 0;
    ret->overt = false;
}

void bz_red_trick_vary(const struct bz_red_suite *s, struct bz_red_rng *r, struct bz_red_trick *t) {
    switch (bz_red_below(r, 8)) {
    case 0:
        t->salt = (uint32_t)bz_red_next(r);
        break;
    case 1:
        if (t->ops < 2)
            t->op[t->ops++] = form_of(r);
        else
            t->ops--;
        break;
    case 2:
        if (t->ops > 0)
            t->op[bz_red_below(r, t->ops)] = form_of(r);
        break;
    case 3:
        t->channel = (uint8_t)bz_red_below(r, BZ_RED_CHANNEL_COUNT);
        break;
    case 4:
        t->shape = (uint8_t)bz_red_below(r, BZ_RED_SHAPE_COUNT);
        break;
    case 5:
        t->cut = size_of(r);
        t->wire = size_of(r);
        break;
    case 6:
        t->dialect = (uint8_t)bz_red_below(r, BZ_RED_DIALECT_COUNT);
        t->stream = bz_red_below(r, 4) != 0;
        break;
    default:
        t->scenario = s->n == 0 ? 0 : bz_red_below(r, (uint32_t)s->n);
    }
}

void bz_red_trick_name(const struct bz_red_suite *s, const struct bz_red_trick *t,
                       struct bz_buf *out) {
    const struct bz_red_op *ops;
    size_t n = bz_red_ops(&ops);
    if (t->scenario >= s->n)
        return;
    const struct bz_red_scenario *v = &s->v[t->scenario];
    bz_buf_put(out, v->id);
    bz_buf_printf(out, " %s%s", bz_red_dialect_name((enum bz_red_dialect)t->dialect),
                  t->stream ? " stream" : "");
    if (v->forbid == BZ_RED_FORBID_CALL || v->forbid == BZ_RED_FORBID_LINK)
        bz_buf_printf(out, " %s", bz_red_shape_name((enum bz_red_shape)t->shape));
    if (v->forbid != BZ_RED_FORBID_CALL)
        bz_buf_printf(out, " %s", bz_red_channel_name((enum bz_red_channel)t->channel));
    for (uint8_t i = 0; i < t->ops && v->forbid != BZ_RED_FORBID_CALL; i++)
        bz_buf_printf(out, "%s%s", i == 0 ? " " : ">", t->op[i] < n ? ops[t->op[i]].name : "?");
    if (t->stream)
        bz_buf_printf(out, " cut %u", t->cut);
    bz_buf_printf(out, " wire %u%s #%u", t->wire, t->overt ? " overt" : "", t->salt);
}

/* ---- on the wire of `redteam model` ---- */

void bz_red_trick_write(const struct bz_red_trick *t, struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "scenario", t->scenario);
    bz_jw_ku64(&w, "salt", t->salt);
    bz_jw_key(&w, "ops");
    bz_jw_arr(&w);
    for (uint8_t i = 0; i < t->ops; i++)
        bz_jw_u64(&w, t->op[i]);
    bz_jw_end(&w);
    bz_jw_ku64(&w, "channel", t->channel);
    bz_jw_ku64(&w, "shape", t->shape);
    bz_jw_ku64(&w, "dialect", t->dialect);
    bz_jw_ku64(&w, "cut", t->cut);
    bz_jw_ku64(&w, "wire", t->wire);
    bz_jw_kbool(&w, "stream", t->stream);
    bz_jw_kbool(&w, "overt", t->overt);
    bz_jw_end(&w);
}

static bool number(const struct bz_json *o, const char *key, uint64_t below, uint64_t *ret) {
    int64_t v = -1;
    if (bz_json_i64(bz_json_get(o, bz_view_str(key)), &v) != BZ_OK || v < 0 || (uint64_t)v >= below)
        return false;
    *ret = (uint64_t)v;
    return true;
}

static bool flag(const struct bz_json *o, const char *key, bool *ret) {
    const struct bz_json *n = bz_json_get(o, bz_view_str(key));
    *ret = bz_json_is(n, BZ_JSON_TRUE);
    return *ret || bz_json_is(n, BZ_JSON_FALSE);
}

static bool read_trick(const struct bz_red_suite *s, const struct bz_json *o,
                       struct bz_red_trick *t) {
    const struct bz_red_op *ops;
    const struct bz_json *list = bz_json_get(o, BZ_V("ops"));
    uint64_t v[7] = {0};
    size_t n = bz_red_ops(&ops);
    if (!number(o, "scenario", s->n, &v[0]) || !number(o, "salt", UINT64_C(1) << 32, &v[1]) ||
        !number(o, "channel", BZ_RED_CHANNEL_COUNT, &v[2]) ||
        !number(o, "shape", BZ_RED_SHAPE_COUNT, &v[3]) ||
        !number(o, "dialect", BZ_RED_DIALECT_COUNT, &v[4]) || !number(o, "cut", 256, &v[5]) ||
        !number(o, "wire", 256, &v[6]) || !flag(o, "stream", &t->stream) ||
        !flag(o, "overt", &t->overt) || !bz_json_is(list, BZ_JSON_ARRAY) || list->count > 2)
        return false;
    t->scenario = (uint32_t)v[0];
    t->salt = (uint32_t)v[1];
    t->channel = (uint8_t)v[2];
    t->shape = (uint8_t)v[3];
    t->dialect = (uint8_t)v[4];
    t->cut = (uint8_t)v[5];
    t->wire = (uint8_t)v[6];
    for (const struct bz_json *m = list->first; m != NULL; m = m->next) {
        int64_t k = -1;
        if (bz_json_i64(m, &k) != BZ_OK || k < 0 || (uint64_t)k >= n ||
            (ops[k].use & BZ_RED_FORM) == 0)
            return false;
        t->op[t->ops++] = (uint8_t)k;
    }
    return true;
}

enum bz_status bz_red_trick_read(const struct bz_red_suite *s, struct bz_view json,
                                 struct bz_red_trick *ret) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    struct bz_red_trick t = {.scenario = 0};
    bz_arena_init(&ar, bz_alloc_heap, (size_t)1 << 20, NULL, 0);
    enum bz_status st = bz_json_parse(json, NULL, &ar, &root, NULL);
    if (st == BZ_OK && !read_trick(s, root, &t))
        st = BZ_ESYNTAX;
    bz_arena_free(&ar);
    if (st == BZ_OK)
        *ret = t;
    return st;
}

size_t bz_red_wire(const struct bz_red_trick *t, struct bz_red_rng *r, size_t left) {
    size_t n = t->wire == 0     ? left
               : t->wire == 255 ? 1 + bz_red_below(r, 200)
                                : t->wire * (size_t)7;
    return n < left ? n : left;
}
