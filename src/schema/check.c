/* Is it a schema that can be decided? What is not known here is an error, said with its place. */
#include <stdio.h>

#include "schema_int.h"

struct check {
    enum bz_schema_kind kind;
    const struct bz_json *root;
    struct bz_arena *ar;
    struct pattern *pattern;
    struct states *states;
    char *err; /* BZ_SCHEMA_ERROR bytes */
    char path[120];
    size_t path_n;
};

static enum bz_status wrong(struct check *c, const char *keyword, const char *why) {
    if (snprintf(c->err, BZ_SCHEMA_ERROR, "schema%.*s%s%s: %s", (int)c->path_n, c->path,
                 *keyword ? "." : "", keyword, why) < 0)
        c->err[0] = '\0';
    return BZ_ESYNTAX;
}

static enum bz_status check_schema(struct check *c, const struct bz_json *s, unsigned depth);

/* name: of the keyword; key: of the member, or empty. */
static enum bz_status check_below(struct check *c, const struct bz_json *v, const char *name,
                                  struct bz_view key, unsigned depth) {
    struct bz_buf b;
    size_t n = c->path_n;
    bz_buf_init_fixed(&b, c->path + n, sizeof c->path - n);
    bz_buf_putc(&b, '.');
    bz_buf_puts(&b, name);
    if (key.n > 0) {
        bz_buf_putc(&b, '.');
        bz_put_safe(&b, key);
    }
    c->path_n += b.n;
    BZ_TRY(check_schema(c, v, depth + 1));
    c->path_n = n;
    return BZ_OK;
}

/* ---- forms of values ---- */

static bool texts(const struct check *c, const struct bz_json *v) {
    if (!bz_json_is(v, BZ_JSON_ARRAY) || (v->count == 0 && c->kind == BZ_SCHEMA_OWN))
        return false;
    for (const struct bz_json *e = v->first; e != NULL; e = e->next)
        if (!bz_json_is(e, BZ_JSON_STRING) || (e->val.n == 0 && c->kind == BZ_SCHEMA_OWN))
            return false;
    return true;
}

static enum bz_status check_pattern(struct check *c, const char *name, struct bz_view text) {
    const char *why = NULL;
    if (c->pattern == NULL)
        BZ_TRY(pattern_new(c->ar, &c->pattern, &c->states));
    enum bz_status st = pattern_compile(c->pattern, text, c->kind == BZ_SCHEMA_PUBLISHED, &why);
    return st == BZ_OK || st == BZ_ENOMEM ? st : wrong(c, name, why);
}

/* NULL, or what belongs there. */
static const char *plain_form_wrong(const struct check *c, const struct bz_json *s,
                                    const struct keyword *k, const struct bz_json *v) {
    struct bz_number n = {.n = 0};
    enum format format;
    int64_t i = 0;
    bool number = bz_json_is(v, BZ_JSON_NUMBER) && bz_number_of(v->val, &n);
    switch ((enum form)k->form) {
    case F_SIZE:
        return bz_json_i64(v, &i) == BZ_OK && i >= 0 && i <= INT32_MAX
                   ? NULL
                   : "a whole number from 0 up belongs here";
    case F_NUMBER:
        return number ? NULL : "a number belongs here";
    case F_ABOVE_0:
        return number && n.n > 0 && n.n <= 18 && !n.negative
                   ? NULL
                   : "a number above 0 of at most 18 digits belongs here";
    case F_FLAG:
        return bz_json_is(v, BZ_JSON_TRUE) || bz_json_is(v, BZ_JSON_FALSE)
                   ? NULL
                   : "true or false belongs here";
    case F_TEXTS:
        return texts(c, v) ? NULL : "a list of texts belongs here, not empty";
    case F_TYPE:
        return types_of(v) != 0 ? NULL
                                : "object, array, string, number, integer, boolean or null belongs "
                                  "here, or a list of them";
    case F_VALUES:
        return bz_json_is(v, BZ_JSON_ARRAY) && v->count > 0
                   ? NULL
                   : "a list of values belongs here, not empty";
    case F_FORMAT:
        return format_from_name(bz_json_str(v), &format)
                   ? NULL
                   : "known are host, url, email, path and date";
    case F_REF:
        return ref_find(c->root, bz_json_str(v)) != NULL
                   ? NULL
                   : "only places in the schema itself can be referred to, as #/$defs/name";
    case F_ID:
        return s == c->root ? NULL : "an $id below the root changes what references mean";
    case F_NOTE:
    case F_PATTERN:
    case F_SCHEMA:
    case F_SCHEMAS:
    case F_ITEMS:
    case F_MEMBERS:
    case F_PATTERNS:
    case F_NAMES:
        break;
    }
    return NULL;
}

static enum bz_status check_list(struct check *c, const struct keyword *k, const struct bz_json *v,
                                 unsigned depth) {
    const struct bz_view none = {NULL, 0};
    if (!bz_json_is(v, BZ_JSON_ARRAY) || v->count == 0)
        return wrong(c, k->name, "a list of schemas belongs here, not empty");
    for (const struct bz_json *e = v->first; e != NULL; e = e->next)
        BZ_TRY(check_below(c, e, k->name, none, depth));
    return BZ_OK;
}

static enum bz_status check_members(struct check *c, const struct keyword *k,
                                    const struct bz_json *v, unsigned depth) {
    if (!bz_json_is(v, BZ_JSON_OBJECT))
        return wrong(c, k->name, "an object belongs here: a schema for each name");
    for (const struct bz_json *m = v->first; m != NULL; m = m->next) {
        if (k->form == F_PATTERNS)
            BZ_TRY(check_pattern(c, k->name, m->key));
        BZ_TRY(check_below(c, m, k->name, m->key, depth));
    }
    return BZ_OK;
}

static enum bz_status check_names(struct check *c, const struct keyword *k,
                                  const struct bz_json *v) {
    bool good = bz_json_is(v, BZ_JSON_OBJECT);
    for (const struct bz_json *m = good ? v->first : NULL; m != NULL; m = m->next)
        good &= texts(c, m);
    return good ? BZ_OK
                : wrong(c, k->name, "an object belongs here: a list of names for each name");
}

static bool is_flag(const struct bz_json *v) {
    return v->type == BZ_JSON_TRUE || v->type == BZ_JSON_FALSE;
}

static enum bz_status check_form(struct check *c, const struct bz_json *s, const struct keyword *k,
                                 const struct bz_json *v, unsigned depth) {
    const struct bz_view none = {NULL, 0};
    const char *why = plain_form_wrong(c, s, k, v);
    if (why != NULL)
        return wrong(c, k->name, why);
    bool own = c->kind == BZ_SCHEMA_OWN;
    bool more = own && bz_view_eq(v->key, BZ_V("additionalProperties"));
    if (more && !is_flag(v) && v->type != BZ_JSON_OBJECT)
        return wrong(c, k->name, "true, false or a schema belongs here");
    switch ((enum form)k->form) {
    case F_PATTERN:
        if (v->type != BZ_JSON_STRING)
            return wrong(c, k->name, "a regular expression belongs here");
        return check_pattern(c, k->name, bz_json_str(v));
    case F_SCHEMA:
        return more && is_flag(v) ? BZ_OK : check_below(c, v, k->name, none, depth);
    case F_ITEMS:
        return !own && v->type == BZ_JSON_ARRAY ? check_list(c, k, v, depth)
                                                : check_below(c, v, k->name, none, depth);
    case F_SCHEMAS:
        return check_list(c, k, v, depth);
    case F_MEMBERS:
    case F_PATTERNS:
        return check_members(c, k, v, depth);
    case F_NAMES:
        return check_names(c, k, v);
    case F_NOTE:
    case F_SIZE:
    case F_NUMBER:
    case F_ABOVE_0:
    case F_FLAG:
    case F_TEXTS:
    case F_TYPE:
    case F_VALUES:
    case F_FORMAT:
    case F_REF:
    case F_ID:
        break;
    }
    return BZ_OK;
}

/* ---- what the configuration's schemas must be besides ---- */

static enum bz_status check_own_object(struct check *c, const struct bz_json *s) {
    const struct bz_json *p = bz_json_get(s, BZ_V("properties")),
                         *r = bz_json_get(s, BZ_V("required")),
                         *more = bz_json_get(s, BZ_V("additionalProperties"));
    bool open = bz_json_is(more, BZ_JSON_OBJECT) || bz_json_is(more, BZ_JSON_TRUE);
    for (const struct bz_json *e = r == NULL || open ? NULL : r->first; e != NULL; e = e->next)
        if (bz_json_get(p, e->val) == NULL)
            return wrong(c, "required", "a name that properties does not have can never be there");
    return BZ_OK;
}

static enum bz_status check_own_string(struct check *c, const struct bz_json *s) {
    const struct bz_json *f = bz_json_get(s, BZ_V("format")),
                         *hosts = bz_json_get(s, BZ_V("hosts")),
                         *roots = bz_json_get(s, BZ_V("roots"));
    enum format format = FORMAT_COUNT;
    (void)format_from_name(bz_json_str(f), &format); /* its form was looked at */
    if (hosts != NULL && format > FORMAT_EMAIL)
        return wrong(c, "hosts", "hosts go with format host, url or email");
    if (roots != NULL && format != FORMAT_PATH)
        return wrong(c, "roots", "roots go with format path");
    for (const struct bz_json *e = hosts == NULL ? NULL : hosts->first; e != NULL; e = e->next)
        if (!bz_host_entry_ok(e->val))
            return wrong(c, "hosts",
                         "hosts are written plainly: example.org, *.example.org, "
                         "each with :port if it has to be that one");
    return BZ_OK;
}

static enum bz_status check_own(struct check *c, const struct bz_json *s, unsigned types) {
    bool fixed = bz_json_get(s, BZ_V("enum")) != NULL || bz_json_get(s, BZ_V("const")) != NULL;
    if (types == 0 && !fixed)
        return wrong(c, "type",
                     "object, array, string, number, integer, boolean or null belongs "
                     "here, or a list of them");
    BZ_TRY(check_own_object(c, s));
    BZ_TRY(check_own_string(c, s));
    if ((types & T_ARRAY) != 0 && bz_json_get(s, BZ_V("items")) == NULL)
        return wrong(c, "items", "a list needs a schema for its entries");
    return BZ_OK;
}

/* ---- the schema ---- */

static enum bz_status unknown(struct check *c, struct bz_view key) {
    char name[48];
    struct bz_buf b;
    bz_buf_init_fixed(&b, name, sizeof name - 1);
    bz_put_safe(&b, bz_view_sub(key, 0, 24));
    name[b.n] = '\0';
    return wrong(c, name,
                 c->kind == BZ_SCHEMA_OWN
                     ? "this keyword is not known; docs/TOOLS.md lists those that are"
                     : "this keyword is not decided here; docs/MCP.md lists those that are");
}

static enum bz_status check_schema(struct check *c, const struct bz_json *s, unsigned depth) {
    bool own = c->kind == BZ_SCHEMA_OWN;
    if (is_flag(s) && !own)
        return BZ_OK;
    if (!bz_json_is(s, BZ_JSON_OBJECT))
        return wrong(c, "", "a schema is an object");
    if (depth >= BZ_SCHEMA_DEPTH)
        return wrong(c, "", "schemas are nested too deeply");
    const struct bz_json *type = bz_json_get(s, BZ_V("type"));
    unsigned types = type == NULL ? 0 : types_of(type);
    for (const struct bz_json *m = s->first; m != NULL; m = m->next) {
        const struct keyword *k = keyword_of(m->key, c->kind);
        if (k == NULL)
            return unknown(c, m->key);
        if (own && types != 0 && (k->types & types) == 0)
            return wrong(c, k->name, "this keyword is about values of another type");
        BZ_TRY(check_form(c, s, k, m, depth));
    }
    return own ? check_own(c, s, types) : BZ_OK;
}

enum bz_status bz_schema_check(const struct bz_json *schema, enum bz_schema_kind kind,
                               struct bz_arena *ar, char err[BZ_SCHEMA_ERROR]) {
    struct check c = {.kind = kind, .root = schema, .ar = ar, .err = err};
    err[0] = '\0';
    return schema == NULL ? wrong(&c, "", "a schema is an object") : check_schema(&c, schema, 0);
}
