/* The walker: values against rows. Depth is bounded by the parser's depth cap, and by the tables
 * themselves. */
#include "params.h"

static void put_at(struct bz_buf *b, const struct at *at) {
    if (at == NULL)
        return;
    put_at(b, at->up);
    if (at->key.p == NULL) {
        bz_buf_putc(b, '[');
        bz_buf_put_u64(b, at->index);
        bz_buf_putc(b, ']');
        return;
    }
    if (at->up != NULL)
        bz_buf_putc(b, '.');
    /* A key of the client: escaped, and short enough that the rest of the path stays readable. */
    struct bz_view key = bz_view_sub(at->key, 0, 40);
    bz_put_safe(b, key);
}

static void put_path(struct bz_param_error *err, const struct at *at) {
    uint8_t room[1024];
    struct bz_buf b;
    bz_buf_init_fixed(&b, room, sizeof room);
    put_at(&b, at);
    size_t n = b.n < sizeof err->param - 1 ? b.n : sizeof err->param - 1;
    memcpy(err->param, room, n);
    err->param[n] = '\0';
}

enum bz_status bz_param_fail(struct check *c, const struct at *at, const struct bz_json *v,
                             uint16_t status, const char *why, const char *fix) {
    put_path(c->err, at);
    c->err->why = why;
    c->err->fix = fix;
    c->err->offset = v == NULL ? 0 : v->off;
    c->err->status = status;
    return BZ_EDENIED;
}

double bz_param_cap(const struct check *c, enum param_cap cap, double hi) {
    const struct bz_param_limits *l = c->lim;
    const uint32_t caps[CAP_COUNT] = {
        [CAP_CHOICES] = l->max_choices, [CAP_LOGPROBS] = l->max_logprobs,
        [CAP_STOP] = l->max_stop,       [CAP_GRAMMAR] = l->max_grammar,
        [CAP_TOOLS] = l->max_tools,     [CAP_MESSAGES] = l->max_messages,
        [CAP_INPUTS] = l->max_inputs,   [CAP_TOKENS] = l->max_tokens,
        [CAP_RAW] = l->max_grammar,
    };
    if (cap == CAP_NONE || cap == CAP_ECHO || cap == CAP_LOAD)
        return hi;
    return (double)caps[cap] < hi ? (double)caps[cap] : hi;
}

bool bz_param_word(const char *words, struct bz_view v) {
    const char *w = words;
    while (*w != '\0') {
        size_t n = 0;
        while (n < v.n && w[n] != '\0' && w[n] != '|' && (uint8_t)w[n] == v.p[n])
            n++;
        if (n == v.n && (w[n] == '|' || w[n] == '\0'))
            return true;
        w += n;
        while (*w != '\0' && *w != '|')
            w++;
        w += *w == '|';
    }
    return false;
}

static uint64_t weight(const struct bz_json *v, unsigned depth) {
    uint64_t sum = v->val.n + 1;
    if (depth == 0)
        return sum;
    for (const struct bz_json *k = v->first; k != NULL; k = k->next)
        sum += k->key.n + weight(k, depth - 1);
    return sum;
}

uint64_t bz_param_weight(const struct bz_json *v) {
    return weight(v, BZ_JSON_DEPTH_MAX);
}

/* A range is ours (400) unless a role's limit makes it (403 when it forbids the thing altogether).
 */
static enum bz_status over(struct check *c, const struct at *at, const struct param *p,
                           const struct bz_json *v, double cap) {
    if (cap < p->hi && cap <= 0)
        return bz_param_fail(c, at, v, 403, "not allowed for this role", NULL);
    if (cap < p->hi)
        return bz_param_fail(c, at, v, 400, "above the limit of this role", "ask for less");
    return bz_param_fail(c, at, v, 400, "out of range", "see docs/ROUTES.md for the range");
}

static enum bz_status number(struct check *c, const struct at *at, const struct param *p,
                             const struct bz_json *v) {
    double d;
    int64_t i;
    if (!bz_json_is(v, BZ_JSON_NUMBER))
        return bz_param_fail(c, at, v, 400, "must be a number", NULL);
    if (p->kind == K_INT && bz_json_i64(v, &i) != BZ_OK)
        return bz_param_fail(c, at, v, 400, "must be an integer", NULL);
    if (bz_json_f64(v, &d) != BZ_OK || d < p->lo)
        return bz_param_fail(c, at, v, 400, "out of range", "see docs/ROUTES.md for the range");
    double cap = bz_param_cap(c, p->cap, p->hi);
    /* Written so that a NaN could not pass. */
    return d <= cap ? BZ_OK : over(c, at, p, v, cap);
}

/* Grammar readers recurse into groups: llama-server (b11669) dies of 30,000 nested ones. Counted
 * and not measured in depth: for that one would have to read literals exactly as each server does.
 */
static bool too_many_groups(struct bz_view v) {
    unsigned n = 0;
    for (size_t i = 0; i < v.n; i++)
        n += v.p[i] == '(';
    return n > PARAM_GROUPS_MAX;
}

static enum bz_status string(struct check *c, const struct at *at, const struct param *p,
                             const struct bz_json *v) {
    if (!bz_json_is(v, BZ_JSON_STRING))
        return bz_param_fail(c, at, v, 400, "must be a string", NULL);
    double cap = bz_param_cap(c, p->cap, p->hi);
    if ((double)v->val.n > cap)
        return over(c, at, p, v, cap);
    if ((double)v->val.n < p->lo)
        return bz_param_fail(c, at, v, 400, "must not be empty", NULL);
    if (p->cap == CAP_RAW && too_many_groups(v->val))
        return bz_param_fail(c, at, v, 400, "too many groups", "name parts of it by rules");
    if (p->kind == K_TEXT)
        c->facts->text_bytes += v->val.n;
    return BZ_OK;
}

static enum bz_status word(struct check *c, const struct at *at, const struct param *p,
                           const struct bz_json *v) {
    if (bz_json_is(v, BZ_JSON_STRING) && bz_param_word(p->words, v->val))
        return BZ_OK;
    return bz_param_fail(c, at, v, 400, "not one of the known values",
                         "see docs/ROUTES.md for the values");
}

static enum bz_status item(struct check *c, const struct at *at, const struct param *p,
                           struct bz_json *v) {
    int64_t i;
    switch (p->kind) {
    case K_ENUMS:
        return word(c, at, p, v);
    case K_STRS:
        return bz_param_text(c, at, v);
    case K_INTS:
        if (bz_json_i64(v, &i) != BZ_OK || i < 0 || i > UINT32_MAX)
            return bz_param_fail(c, at, v, 400, "must be an integer that is not negative", NULL);
        return BZ_OK;
    default:
        return bz_param_object(c, at, p->sub, v);
    }
}

static enum bz_status list(struct check *c, const struct at *at, const struct param *p,
                           struct bz_json *v) {
    if (!bz_json_is(v, BZ_JSON_ARRAY))
        return bz_param_fail(c, at, v, 400, "must be an array", NULL);
    double cap = bz_param_cap(c, p->cap, p->hi);
    if ((double)v->count > cap)
        return over(c, at, p, v, cap);
    struct at here = {at, {NULL, 0}, 0};
    for (struct bz_json *k = v->first; k != NULL; k = k->next, here.index++)
        BZ_TRY(item(c, &here, p, k));
    return BZ_OK;
}

static enum bz_status json(struct check *c, const struct at *at, const struct param *p,
                           const struct bz_json *v) {
    uint64_t n = bz_param_weight(v);
    double cap = bz_param_cap(c, p->cap, p->hi);
    if ((double)n > cap)
        return over(c, at, p, v, cap);
    c->facts->text_bytes += n;
    return BZ_OK;
}

static enum bz_status flag(struct check *c, const struct at *at, const struct param *p,
                           const struct bz_json *v) {
    bool yes = bz_json_is(v, BZ_JSON_TRUE);
    if (!yes && !bz_json_is(v, BZ_JSON_FALSE))
        return bz_param_fail(c, at, v, 400, "must be true or false", NULL);
    if (p->kind == K_BOOL || yes == (p->kind == K_TRUE))
        return BZ_OK;
    if (p->cap == CAP_ECHO && c->lim->allow_echo)
        return BZ_OK;
    return bz_param_fail(c, at, v, 403, p->why, p->fix);
}

static enum bz_status parts(struct check *c, const struct at *at, const struct variants *of,
                            struct bz_json *v) {
    if (bz_json_is(v, BZ_JSON_STRING))
        return bz_param_text(c, at, v);
    if (!bz_json_is(v, BZ_JSON_ARRAY))
        return bz_param_fail(c, at, v, 400, "must be a string or an array of parts", NULL);
    return bz_param_variants(c, at, of, PARAM_PARTS_MAX, "too many items", v);
}

/* "" and [] and {} are what clients in Go and Python send for "not set". */
static bool says_nothing(const struct bz_json *v) {
    return (v->type == BZ_JSON_STRING && v->val.n == 0) || v->type == BZ_JSON_FALSE ||
           ((v->type == BZ_JSON_ARRAY || v->type == BZ_JSON_OBJECT) && v->count == 0);
}

/* Rows that need a leave of the role. An empty grammar is none; false may well be an option. */
static bool needs_leave(const struct check *c, const struct param *p, const struct bz_json *v) {
    if (v->type == BZ_JSON_NULL)
        return false;
    if (p->cap == CAP_RAW)
        return !c->lim->allow_grammar && v->val.n > 0;
    return p->cap == CAP_LOAD && !c->lim->allow_load_options;
}

enum bz_status bz_param_value(struct check *c, const struct at *at, const struct param *p,
                              struct bz_json *v) {
    if (needs_leave(c, p, v))
        return bz_param_fail(c, at, v, 403, p->why, p->fix);
    if (v->type == BZ_JSON_NULL && (p->flags & PARAM_REQUIRED) != 0)
        return bz_param_fail(c, at, v, 400, "must not be null", NULL);
    if (v->type == BZ_JSON_NULL && p->kind != K_FN)
        return BZ_OK;
    switch ((enum param_kind)p->kind) {
    case K_NO:
        return says_nothing(v) ? BZ_OK : bz_param_fail(c, at, v, 403, p->why, p->fix);
    case K_FALSE:
    case K_TRUE:
    case K_BOOL:
        return flag(c, at, p, v);
    case K_INT:
    case K_NUM:
        return number(c, at, p, v);
    case K_STR:
    case K_TEXT:
        return string(c, at, p, v);
    case K_ENUM:
        return word(c, at, p, v);
    case K_OBJ:
        return bz_param_object(c, at, p->sub, v);
    case K_ENUMS:
    case K_LIST:
    case K_STRS:
    case K_INTS:
        return list(c, at, p, v);
    case K_JSON:
        return json(c, at, p, v);
    case K_ONE:
        return bz_param_variant(c, at, p->of, v);
    case K_PARTS:
        return parts(c, at, p->of, v);
    case K_MANY:
        return bz_param_variants(c, at, p->of, PARAM_PARTS_MAX, "too many items", v);
    case K_FN:
        return p->fn(c, at, p, v);
    case K_COUNT:
        break;
    }
    return BZ_EINTERNAL;
}

static const struct param *row_of(const struct param_set *set, struct bz_view key, unsigned on) {
    for (size_t i = 0; i < set->n; i++) {
        const struct param *p = &set->rows[i];
        if (p->name_n == key.n && (p->on & on) != 0 && memcmp(p->name, key.p, key.n) == 0)
            return p;
    }
    return NULL;
}

/* The refusal of a member without a row says as much as helps. */
static enum bz_status unknown(struct check *c, const struct at *at, const struct param_set *set,
                              const struct bz_json *v) {
    for (size_t i = 0; i < set->n; i++) {
        struct bz_view name = {(const uint8_t *)set->rows[i].name, set->rows[i].name_n};
        if (bz_view_eq(name, v->key))
            return bz_param_fail(c, at, v, 400, "this type of server does not know the parameter",
                                 "leave it out");
        /* Go servers match keys without regard to case: exactly one spelling passes. */
        if (bz_view_eq_nocase(name, v->key))
            return bz_param_fail(c, at, v, 400, "differs from a known parameter only in case",
                                 "write it as the API does");
    }
    return bz_param_fail(c, at, v, 400, "unknown parameter",
                         "leave it out; docs/ROUTES.md lists what passes");
}

static enum bz_status needed(struct check *c, const struct at *at, const struct param *p,
                             const struct bz_json *v) {
    struct bz_view name = {(const uint8_t *)p->name, p->name_n};
    struct at here = {at, name, 0};
    return bz_json_get(v, name) != NULL ? BZ_OK
                                        : bz_param_fail(c, &here, v, 400, "is required", NULL);
}

enum bz_status bz_param_object(struct check *c, const struct at *at, const struct param_set *set,
                               struct bz_json *v) {
    unsigned on = 1u << c->server;
    if (!bz_json_is(v, BZ_JSON_OBJECT))
        return bz_param_fail(c, at, v, 400, "must be an object", NULL);
    for (struct bz_json *k = v->first; k != NULL; k = k->next) {
        struct at here = {at, k->key, 0};
        if (here.key.p == NULL) /* an empty key is still a key, not an index */
            here.key = BZ_V("");
        const struct param *p = row_of(set, k->key, on);
        if (p == NULL)
            return unknown(c, &here, set, k);
        BZ_TRY(bz_param_value(c, &here, p, k));
    }
    for (size_t i = 0; i < set->required_n; i++) {
        const struct param *p = &set->rows[i];
        if ((p->flags & PARAM_REQUIRED) != 0 && (p->on & on) != 0)
            BZ_TRY(needed(c, at, p, v));
    }
    return BZ_OK;
}

enum bz_status bz_param_variant(struct check *c, const struct at *at, const struct variants *vs,
                                struct bz_json *v) {
    if (!bz_json_is(v, BZ_JSON_OBJECT))
        return bz_param_fail(c, at, v, 400, "must be an object", NULL);
    const struct bz_json *type = bz_json_get(v, BZ_V("type"));
    struct bz_view name = bz_json_str(type);
    if (type == NULL || (type->type == BZ_JSON_NULL && vs->fallback != NULL))
        name = bz_view_str(vs->fallback);
    struct at here = {at, BZ_V("type"), 0};
    for (size_t i = 0; i < vs->n; i++) {
        if (!bz_view_eq(name, bz_view_str(vs->rows[i].type)) || name.n == 0)
            continue;
        if (vs->rows[i].set == NULL)
            return bz_param_fail(c, &here, v, 403, vs->rows[i].why, NULL);
        return bz_param_object(c, at, vs->rows[i].set, v);
    }
    return bz_param_fail(c, &here, type == NULL ? v : type, 400, "unknown type",
                         "docs/ROUTES.md lists what passes");
}

enum bz_status bz_param_variants(struct check *c, const struct at *at, const struct variants *vs,
                                 uint32_t cap, const char *many, struct bz_json *v) {
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (!bz_json_is(v, BZ_JSON_ARRAY))
        return bz_param_fail(c, at, v, 400, "must be an array", NULL);
    if (v->count > cap)
        return bz_param_fail(c, at, v, cap == 0 ? 403 : 400, many, NULL);
    struct at here = {at, {NULL, 0}, 0};
    for (struct bz_json *k = v->first; k != NULL; k = k->next, here.index++)
        BZ_TRY(bz_param_variant(c, &here, vs, k));
    return BZ_OK;
}

enum bz_status bz_param_text(struct check *c, const struct at *at, const struct bz_json *v) {
    if (!bz_json_is(v, BZ_JSON_STRING))
        return bz_param_fail(c, at, v, 400, "must be a string", NULL);
    c->facts->text_bytes += v->val.n;
    return BZ_OK;
}
