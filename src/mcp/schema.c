/* JSON Schema, as far as a gateway needs it to see that a value is something else than was agreed. */
#include <bartizan/mcp.h>
#include <bartizan/text.h>

enum { DEPTH_MAX = 40 };

struct fit {
    uint32_t steps;
    const char *why;
};

static bool fits(struct fit *f, const struct bz_json *s, const struct bz_json *v, unsigned depth);

static bool no(struct fit *f, const char *why) {
    f->why = why;
    return false;
}

static bool whole(const struct bz_json *v) {
    double d = 0;
    return bz_json_is(v, BZ_JSON_NUMBER) && bz_json_f64(v, &d) == BZ_OK && d >= -9e15 && d <= 9e15
               ? d == (double)(int64_t)d
               : bz_json_is(v, BZ_JSON_NUMBER) && memchr(v->val.p, '.', v->val.n) == NULL;
}

static bool is_type(struct bz_view name, const struct bz_json *v) {
    if (bz_view_eq(name, BZ_V("integer")))
        return whole(v);
    if (bz_view_eq(name, BZ_V("boolean")))
        return v->type == BZ_JSON_TRUE || v->type == BZ_JSON_FALSE;
    static const struct {
        const char *name;
        enum bz_json_type type;
    } types[] = {{"null", BZ_JSON_NULL},
                 {"number", BZ_JSON_NUMBER},
                 {"string", BZ_JSON_STRING},
                 {"array", BZ_JSON_ARRAY},
                 {"object", BZ_JSON_OBJECT}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (bz_view_eq(name, bz_view_str(types[i].name)))
            return v->type == (uint8_t)types[i].type;
    return false;
}

static bool type_fits(const struct bz_json *type, const struct bz_json *v) {
    if (bz_json_is(type, BZ_JSON_STRING))
        return is_type(type->val, v);
    if (!bz_json_is(type, BZ_JSON_ARRAY))
        return true;
    for (const struct bz_json *t = type->first; t != NULL; t = t->next)
        if (bz_json_is(t, BZ_JSON_STRING) && is_type(t->val, v))
            return true;
    return false;
}

static bool same(struct fit *f, const struct bz_json *a, const struct bz_json *b, unsigned depth) {
    double x, y;
    if (++f->steps > BZ_MCP_SCHEMA_STEPS || depth > DEPTH_MAX || a->type != b->type ||
        a->count != b->count)
        return false;
    if (a->type == BZ_JSON_NUMBER)
        return bz_json_f64(a, &x) == BZ_OK && bz_json_f64(b, &y) == BZ_OK && x <= y && x >= y;
    if (a->type == BZ_JSON_STRING)
        return bz_view_eq(a->val, b->val);
    const struct bz_json *n = b->first;
    for (const struct bz_json *m = a->first; m != NULL; m = m->next) {
        const struct bz_json *o = a->type == BZ_JSON_OBJECT ? bz_json_get(b, m->key) : n;
        if (o == NULL || !same(f, m, o, depth + 1))
            return false;
        n = n != NULL ? n->next : NULL;
    }
    return true;
}

static bool in_list(struct fit *f, const struct bz_json *list, const struct bz_json *v) {
    for (const struct bz_json *e = list->first; e != NULL; e = e->next)
        if (same(f, e, v, 0))
            return true;
    return false;
}

/* A bound that is no number binds nothing. */
static bool bound(const struct bz_json *s, const char *name, double *ret) {
    return bz_json_f64(bz_json_get(s, bz_view_str(name)), ret) == BZ_OK;
}

static bool count_fits(const struct bz_json *s, const char *least, const char *most, size_t n) {
    double b;
    return (!bound(s, least, &b) || (double)n >= b) && (!bound(s, most, &b) || (double)n <= b);
}

static size_t characters(struct bz_view v) {
    size_t n = 0;
    for (size_t i = 0; i < v.n; i++)
        n += (v.p[i] & 0xc0) != 0x80;
    return n;
}

static bool number_fits(const struct bz_json *s, const struct bz_json *v) {
    double d, b;
    if (bz_json_f64(v, &d) != BZ_OK)
        return false;
    return (!bound(s, "minimum", &b) || d >= b) && (!bound(s, "maximum", &b) || d <= b) &&
           (!bound(s, "exclusiveMinimum", &b) || d > b) &&
           (!bound(s, "exclusiveMaximum", &b) || d < b);
}

static bool object_fits(struct fit *f, const struct bz_json *s, const struct bz_json *v,
                        unsigned depth) {
    const struct bz_json *props = bz_json_get(s, BZ_V("properties"));
    const struct bz_json *more = bz_json_get(s, BZ_V("additionalProperties"));
    const struct bz_json *must = bz_json_get(s, BZ_V("required"));
    bool patterns = bz_json_get(s, BZ_V("patternProperties")) != NULL;
    if (!count_fits(s, "minProperties", "maxProperties", v->count))
        return no(f, "it has too many or too few members");
    for (const struct bz_json *m = must == NULL ? NULL : must->first; m != NULL; m = m->next)
        if (bz_json_is(m, BZ_JSON_STRING) && bz_json_get(v, m->val) == NULL)
            return no(f, "a member that is required is missing");
    for (const struct bz_json *m = v->first; m != NULL; m = m->next) {
        const struct bz_json *p = bz_json_get(props, m->key);
        if (p == NULL && !patterns && bz_json_is(more, BZ_JSON_FALSE))
            return no(f, "it has a member that the schema does not know");
        if (p == NULL && !patterns)
            p = more;
        if (p != NULL && !fits(f, p, m, depth + 1))
            return false;
    }
    return true;
}

static bool array_fits(struct fit *f, const struct bz_json *s, const struct bz_json *v,
                       unsigned depth) {
    const struct bz_json *items = bz_json_get(s, BZ_V("items"));
    const struct bz_json *prefix = bz_json_get(s, BZ_V("prefixItems"));
    if (!count_fits(s, "minItems", "maxItems", v->count))
        return no(f, "a list is too long or too short");
    const struct bz_json *p = prefix == NULL ? NULL : prefix->first;
    for (const struct bz_json *m = v->first; m != NULL; m = m->next) {
        const struct bz_json *one = p != NULL ? p : items;
        p = p != NULL ? p->next : NULL;
        if (one != NULL && !fits(f, one, m, depth + 1))
            return false;
    }
    return true;
}

static bool combined(struct fit *f, const struct bz_json *s, const struct bz_json *v,
                     unsigned depth) {
    static const char *const some[] = {"anyOf", "oneOf"};
    const struct bz_json *all = bz_json_get(s, BZ_V("allOf"));
    for (const struct bz_json *e = all == NULL ? NULL : all->first; e != NULL; e = e->next)
        if (!fits(f, e, v, depth + 1))
            return false;
    for (size_t i = 0; i < 2; i++) {
        const struct bz_json *list = bz_json_get(s, bz_view_str(some[i]));
        size_t n = 0;
        if (!bz_json_is(list, BZ_JSON_ARRAY))
            continue;
        for (const struct bz_json *e = list->first; e != NULL && (n == 0 || i == 1); e = e->next)
            n += fits(f, e, v, depth + 1);
        if (n != 1)
            return no(f, "it fits none of the forms, or more than one");
    }
    return true;
}

static bool fits(struct fit *f, const struct bz_json *s, const struct bz_json *v, unsigned depth) {
    if (++f->steps > BZ_MCP_SCHEMA_STEPS || depth > DEPTH_MAX)
        return no(f, "the schema is too large to be held against it");
    if (bz_json_is(s, BZ_JSON_FALSE))
        return no(f, "the schema lets nothing stand there");
    if (!bz_json_is(s, BZ_JSON_OBJECT))
        return true;
    const struct bz_json *only = bz_json_get(s, BZ_V("const"));
    const struct bz_json *list = bz_json_get(s, BZ_V("enum"));
    if (!type_fits(bz_json_get(s, BZ_V("type")), v))
        return no(f, "a value has another type");
    if ((only != NULL && !same(f, only, v, 0)) ||
        (bz_json_is(list, BZ_JSON_ARRAY) && !in_list(f, list, v)))
        return no(f, "a value is none of those that may stand there");
    if (v->type == BZ_JSON_NUMBER && !number_fits(s, v))
        return no(f, "a number is out of range");
    if (v->type == BZ_JSON_STRING && !count_fits(s, "minLength", "maxLength", characters(v->val)))
        return no(f, "a text is too long or too short");
    if (v->type == BZ_JSON_OBJECT && !object_fits(f, s, v, depth))
        return false;
    if (v->type == BZ_JSON_ARRAY && !array_fits(f, s, v, depth))
        return false;
    return combined(f, s, v, depth);
}

bool bz_mcp_schema_fits(const struct bz_json *schema, const struct bz_json *value,
                        const char **why) {
    struct fit f = {0, "it does not fit its schema"};
    bool ok = schema == NULL || (value != NULL && fits(&f, schema, value, 0));
    *why = ok ? NULL : f.why;
    return ok;
}
