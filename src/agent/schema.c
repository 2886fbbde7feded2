/* JSON Schema for the arguments of tools: the part that can be decided without surprises. What is not
 * known here is an error of the configuration; what a schema does not name is refused in arguments. */
#include <stdio.h>
#include <bartizan/text.h>

#include "agent_int.h"

enum kind_bit {
    T_OBJECT = 1,
    T_ARRAY = 2,
    T_STRING = 4,
    T_NUMBER = 8,
    T_INTEGER = 16,
    T_BOOLEAN = 32,
    T_NULL = 64,
    T_ANY = 127
};
static const struct {
    const char *name;
    unsigned bit;
} type_names[] = {
    {"object", T_OBJECT},   {"array", T_ARRAY},     {"string", T_STRING}, {"number", T_NUMBER},
    {"integer", T_INTEGER}, {"boolean", T_BOOLEAN}, {"null", T_NULL},
};

/* ---- the schema itself ---- */

struct check {
    struct bz_arena *ar;
    char *err; /* 256 bytes */
    char path[120];
    size_t path_n;
};

static enum bz_status wrong(struct check *c, const char *keyword, const char *why) {
    if (snprintf(c->err, 256, "schema%.*s%s%s: %s", (int)c->path_n, c->path, *keyword ? "." : "",
                 keyword, why) < 0)
        c->err[0] = '\0';
    return BZ_ESYNTAX;
}

/* Which types a keyword is about, and the form that its value has. */
enum form {
    F_NOTE, /* says something to people */
    F_SIZE, /* a whole number from 0 */
    F_NUMBER,
    F_TEXTS, /* strings, not empty */
    F_OTHER, /* looked at by itself */
};
static const struct keyword {
    const char *name;
    unsigned types;
    enum form form;
} keywords[] = {
    {"type", T_ANY, F_OTHER},
    {"enum", T_ANY, F_OTHER},
    {"const", T_ANY, F_OTHER},
    {"properties", T_OBJECT, F_OTHER},
    {"required", T_OBJECT, F_TEXTS},
    {"additionalProperties", T_OBJECT, F_OTHER},
    {"items", T_ARRAY, F_OTHER},
    {"minItems", T_ARRAY, F_SIZE},
    {"maxItems", T_ARRAY, F_SIZE},
    {"minLength", T_STRING, F_SIZE},
    {"maxLength", T_STRING, F_SIZE},
    {"pattern", T_STRING, F_OTHER},
    {"format", T_STRING, F_OTHER},
    {"hosts", T_STRING, F_TEXTS},
    {"roots", T_STRING, F_TEXTS},
    {"minimum", T_NUMBER | T_INTEGER, F_NUMBER},
    {"maximum", T_NUMBER | T_INTEGER, F_NUMBER},
    {"exclusiveMinimum", T_NUMBER | T_INTEGER, F_NUMBER},
    {"exclusiveMaximum", T_NUMBER | T_INTEGER, F_NUMBER},
    {"title", T_ANY, F_NOTE},
    {"description", T_ANY, F_NOTE},
    {"default", T_ANY, F_NOTE},
    {"examples", T_ANY, F_NOTE},
    {"$comment", T_ANY, F_NOTE},
};

static const struct keyword *keyword_of(struct bz_view name) {
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (bz_view_eq(name, bz_view_str(keywords[i].name)))
            return &keywords[i];
    return NULL;
}

static unsigned type_bit(struct bz_view name) {
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++)
        if (bz_view_eq(name, bz_view_str(type_names[i].name)))
            return type_names[i].bit;
    return 0;
}

/* 0: there is no type, or none that is known. */
static unsigned types_of(const struct bz_json *schema) {
    const struct bz_json *t = bz_json_get(schema, BZ_V("type"));
    unsigned all = 0;
    if (!bz_json_is(t, BZ_JSON_ARRAY))
        return type_bit(bz_json_str(t));
    for (const struct bz_json *e = t->first; e != NULL; e = e->next) {
        unsigned bit = type_bit(bz_json_str(e));
        if (bit == 0)
            return 0;
        all |= bit;
    }
    return all;
}

static bool texts(const struct bz_json *v) {
    if (!bz_json_is(v, BZ_JSON_ARRAY) || v->count == 0)
        return false;
    for (const struct bz_json *e = v->first; e != NULL; e = e->next)
        if (!bz_json_is(e, BZ_JSON_STRING) || e->val.n == 0)
            return false;
    return true;
}

static const char *form_wrong(const struct bz_json *v, enum form form) {
    struct number n;
    int64_t i = 0;
    if (form == F_SIZE && (bz_json_i64(v, &i) != BZ_OK || i < 0 || i > INT32_MAX))
        return "a whole number from 0 up belongs here";
    if (form == F_NUMBER && (!bz_json_is(v, BZ_JSON_NUMBER) || !number_of(v->val, &n)))
        return "a number belongs here";
    if (form == F_TEXTS && !texts(v))
        return "a list of texts belongs here, not empty";
    return NULL;
}

static enum bz_status check_schema(struct check *c, const struct bz_json *v, unsigned depth);

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

static enum bz_status check_object(struct check *c, const struct bz_json *s, unsigned depth) {
    const struct bz_json *p = bz_json_get(s, BZ_V("properties")),
                         *r = bz_json_get(s, BZ_V("required")),
                         *more = bz_json_get(s, BZ_V("additionalProperties"));
    if (p != NULL && !bz_json_is(p, BZ_JSON_OBJECT))
        return wrong(c, "properties", "an object belongs here: a schema for each name");
    for (const struct bz_json *m = p == NULL ? NULL : p->first; m != NULL; m = m->next)
        BZ_TRY(check_below(c, m, "properties", m->key, depth));
    for (const struct bz_json *e = r == NULL ? NULL : r->first; e != NULL; e = e->next)
        if (bz_json_get(p, e->val) == NULL && !bz_json_is(more, BZ_JSON_OBJECT) &&
            !bz_json_is(more, BZ_JSON_TRUE))
            return wrong(c, "required", "a name that properties does not have can never be there");
    if (bz_json_is(more, BZ_JSON_OBJECT))
        return check_below(c, more, "additionalProperties", (struct bz_view){NULL, 0}, depth);
    if (more != NULL && !bz_json_is(more, BZ_JSON_TRUE) && !bz_json_is(more, BZ_JSON_FALSE))
        return wrong(c, "additionalProperties", "true, false or a schema belongs here");
    return BZ_OK;
}

static enum bz_status check_hosts(struct check *c, const struct bz_json *hosts) {
    for (const struct bz_json *e = hosts == NULL ? NULL : hosts->first; e != NULL; e = e->next)
        if (!bz_agent_host_ok(e->val))
            return wrong(c, "hosts",
                         "hosts are written plainly: example.org, *.example.org, "
                         "each with :port if it has to be that one");
    return BZ_OK;
}

static enum bz_status check_string(struct check *c, const struct bz_json *s) {
    const struct bz_json *p = bz_json_get(s, BZ_V("pattern")), *f = bz_json_get(s, BZ_V("format")),
                         *hosts = bz_json_get(s, BZ_V("hosts")),
                         *roots = bz_json_get(s, BZ_V("roots"));
    enum format format = FORMAT_COUNT;
    if (p != NULL) {
        struct pattern *compiled = NULL;
        const char *why = "a text belongs here";
        enum bz_status st = BZ_ESYNTAX;
        if (bz_json_is(p, BZ_JSON_STRING))
            st = pattern_compile(p->val, c->ar, &compiled, &why);
        if (st != BZ_OK)
            return st == BZ_ENOMEM ? st : wrong(c, "pattern", why);
    }
    if (f != NULL && !format_from_name(bz_json_str(f), &format))
        return wrong(c, "format", "known are host, url, email, path and date");
    if (hosts != NULL && format > FORMAT_EMAIL)
        return wrong(c, "hosts", "hosts go with format host, url or email");
    if (roots != NULL && format != FORMAT_PATH)
        return wrong(c, "roots", "roots go with format path");
    return check_hosts(c, hosts);
}

static enum bz_status check_keywords(struct check *c, const struct bz_json *s, unsigned types) {
    for (const struct bz_json *m = s->first; m != NULL; m = m->next) {
        const struct keyword *k = keyword_of(m->key);
        if (k == NULL) {
            char name[48];
            struct bz_buf b;
            bz_buf_init_fixed(&b, name, sizeof name - 1);
            bz_put_safe(&b, bz_view_sub(m->key, 0, 24));
            name[b.n] = '\0';
            return wrong(c, name, "this keyword is not known; docs/TOOLS.md lists those that are");
        }
        if ((k->types & types) == 0)
            return wrong(c, k->name, "this keyword is about values of another type");
        const char *why = form_wrong(m, k->form);
        if (why != NULL)
            return wrong(c, k->name, why);
    }
    return BZ_OK;
}

static enum bz_status check_schema(struct check *c, const struct bz_json *s, unsigned depth) {
    unsigned types;
    if (!bz_json_is(s, BZ_JSON_OBJECT))
        return wrong(c, "", "a schema is an object");
    if (depth > BZ_AGENT_SCHEMA_DEPTH)
        return wrong(c, "", "schemas are nested too deeply");
    const struct bz_json *given = bz_json_get(s, BZ_V("type")),
                         *list = bz_json_get(s, BZ_V("enum"));
    bool fixed = list != NULL || bz_json_get(s, BZ_V("const")) != NULL;
    types = types_of(s);
    if (types == 0 && (given != NULL || !fixed))
        return wrong(c, "type",
                     "object, array, string, number, integer, boolean or null belongs "
                     "here, or a list of them");
    if (list != NULL && (!bz_json_is(list, BZ_JSON_ARRAY) || list->count == 0))
        return wrong(c, "enum", "a list of values belongs here, not empty");
    BZ_TRY(check_keywords(c, s, types == 0 ? T_ANY : types));
    BZ_TRY(check_object(c, s, depth));
    BZ_TRY(check_string(c, s));
    const struct bz_json *items = bz_json_get(s, BZ_V("items"));
    if (items != NULL)
        return check_below(c, items, "items", (struct bz_view){NULL, 0}, depth);
    if ((types & T_ARRAY) != 0)
        return wrong(c, "items", "a list needs a schema for its entries");
    return BZ_OK;
}

enum bz_status schema_check(struct bz_view text, char err[256]) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    struct bz_diag diag = {0, NULL};
    struct check c = {.ar = &ar, .err = err};
    err[0] = '\0';
    if (text.n > BZ_AGENT_SCHEMA_MAX)
        return wrong(&c, "", "it is longer than 16 KiB");
    bz_arena_init(&ar, bz_alloc_heap, 16u << 20, NULL, 0);
    enum bz_status st = bz_json_parse(text, NULL, &ar, &root, &diag);
    if (st == BZ_OK) {
        st = check_schema(&c, root, 0);
        if (st == BZ_OK && (types_of(root) & (T_OBJECT | T_STRING)) == 0)
            st = wrong(&c, "type", "arguments are an object (a text for custom tools)");
    } else if (st != BZ_ENOMEM) {
        st = wrong(&c, "", diag.why != NULL ? diag.why : "it is no JSON");
    }
    bz_arena_free(&ar);
    return st;
}

/* ---- a value against it ---- */

struct fit {
    struct bz_arena *ar;
    const char *why;
    char *path; /* 96 bytes */
    size_t path_n;
};

static enum bz_status bad(struct fit *f, const char *why) {
    if (f->why == NULL)
        f->why = why;
    return BZ_OK;
}

static unsigned bit_of(const struct bz_json *v) {
    struct number n;
    switch ((enum bz_json_type)v->type) {
    case BZ_JSON_NULL:
        return T_NULL;
    case BZ_JSON_FALSE:
    case BZ_JSON_TRUE:
        return T_BOOLEAN;
    case BZ_JSON_NUMBER:
        return number_of(v->val, &n) && number_whole(&n) ? T_NUMBER | T_INTEGER : T_NUMBER;
    case BZ_JSON_STRING:
        return T_STRING;
    case BZ_JSON_ARRAY:
        return T_ARRAY;
    case BZ_JSON_OBJECT:
        return T_OBJECT;
    case BZ_JSON_TYPE_COUNT:
        break;
    }
    return 0;
}

static int64_t size_of(const struct bz_json *schema, struct bz_view key, int64_t otherwise) {
    int64_t n = otherwise;
    const struct bz_json *v = bz_json_get(schema, key);
    return v != NULL && bz_json_i64(v, &n) == BZ_OK ? n : otherwise;
}

static enum bz_status fit_number(struct fit *f, const struct bz_json *s, const struct bz_json *v) {
    static const struct {
        const char *name;
        int least, most; /* of the comparison value - bound */
        const char *why;
    } bounds[] = {
        {"minimum", 0, 1, "the number is below the minimum"},
        {"exclusiveMinimum", 1, 1, "the number is not above the exclusive minimum"},
        {"maximum", -1, 0, "the number is above the maximum"},
        {"exclusiveMaximum", -1, -1, "the number is not below the exclusive maximum"},
    };
    struct number n, bound;
    if (!number_of(v->val, &n))
        return bad(f, "the number has an exponent that is out of range");
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        const struct bz_json *b = bz_json_get(s, bz_view_str(bounds[i].name));
        if (b == NULL)
            continue;
        int c = number_of(b->val, &bound) ? number_compare(&n, &bound) : 2;
        if (c < bounds[i].least || c > bounds[i].most)
            return bad(f, bounds[i].why);
    }
    return BZ_OK;
}

static int64_t code_points(struct bz_view v) {
    int64_t n = 0;
    for (size_t i = 0; i < v.n; i++)
        n += (v.p[i] & 0xc0) != 0x80;
    return n;
}

static enum bz_status fit_string(struct fit *f, const struct bz_json *s, const struct bz_json *v) {
    const struct bz_json *p = bz_json_get(s, BZ_V("pattern")),
                         *name = bz_json_get(s, BZ_V("format")),
                         *listed = bz_json_get(s, BZ_V("hosts"));
    int64_t n = code_points(v->val);
    enum format format = FORMAT_COUNT;
    if (n < size_of(s, BZ_V("minLength"), 0))
        return bad(f, "the text is too short");
    if (n > size_of(s, BZ_V("maxLength"), INT64_MAX))
        return bad(f, "the text is too long");
    if (p != NULL) {
        struct pattern *compiled = NULL;
        const char *why = NULL;
        bool match = false;
        if (v->val.n > BZ_AGENT_PATTERN_TEXT_MAX)
            return bad(f, "the text is too long for a pattern");
        BZ_TRY(pattern_compile(p->val, f->ar, &compiled, &why));
        BZ_TRY(pattern_match(compiled, v->val, f->ar, &match));
        if (!match)
            return bad(f, "the text does not have the pattern of the schema");
    }
    if (name == NULL)
        return BZ_OK;
    if (!format_from_name(bz_json_str(name), &format))
        return BZ_EINTERNAL;
    if (format == FORMAT_PATH)
        listed = bz_json_get(s, BZ_V("roots"));
    const char *why = format_check(format, v->val, listed);
    return why == NULL ? BZ_OK : bad(f, why);
}

static enum bz_status fit_value(struct fit *f, const struct bz_json *s, const struct bz_json *v);

/* Path of the schema's own names alone: what a model wrote is not repeated. */
static enum bz_status fit_below(struct fit *f, const struct bz_json *s, const struct bz_json *v,
                                struct bz_view key) {
    size_t n = f->path_n;
    struct bz_buf b;
    bz_buf_init_fixed(&b, f->path + n, 95 - n);
    if (key.n > 0) {
        bz_buf_putc(&b, '.');
        bz_put_safe(&b, key);
    } else {
        bz_buf_puts(&b, "[]");
    }
    f->path_n += b.n;
    BZ_TRY(fit_value(f, s, v));
    if (f->why == NULL)
        f->path_n = n;
    return BZ_OK;
}

static enum bz_status fit_object(struct fit *f, const struct bz_json *s, const struct bz_json *v) {
    const struct bz_json *p = bz_json_get(s, BZ_V("properties")),
                         *r = bz_json_get(s, BZ_V("required")),
                         *more = bz_json_get(s, BZ_V("additionalProperties"));
    for (const struct bz_json *e = r == NULL ? NULL : r->first; e != NULL; e = e->next)
        if (bz_json_get(v, e->val) == NULL)
            return bad(f, "a member that the schema requires is missing");
    for (const struct bz_json *m = v->first; m != NULL && f->why == NULL; m = m->next) {
        const struct bz_json *of = bz_json_get(p, m->key);
        if (of != NULL)
            BZ_TRY(fit_below(f, of, m, m->key));
        else if (bz_json_is(more, BZ_JSON_OBJECT))
            BZ_TRY(fit_below(f, more, m, (struct bz_view){NULL, 0}));
        else if (!bz_json_is(more, BZ_JSON_TRUE))
            return bad(f, "a member that the schema does not know");
    }
    return BZ_OK;
}

static enum bz_status fit_array(struct fit *f, const struct bz_json *s, const struct bz_json *v) {
    const struct bz_json *items = bz_json_get(s, BZ_V("items"));
    if (v->count < size_of(s, BZ_V("minItems"), 0))
        return bad(f, "the list is too short");
    if (v->count > size_of(s, BZ_V("maxItems"), INT64_MAX))
        return bad(f, "the list is too long");
    for (const struct bz_json *e = v->first; e != NULL && f->why == NULL && items != NULL;
         e = e->next)
        BZ_TRY(fit_below(f, items, e, (struct bz_view){NULL, 0}));
    return BZ_OK;
}

static enum bz_status fit_fixed(struct fit *f, const struct bz_json *s, const struct bz_json *v) {
    const struct bz_json *list = bz_json_get(s, BZ_V("enum")), *one = bz_json_get(s, BZ_V("const"));
    bool same = false;
    if (one != NULL) {
        BZ_TRY(canon_equal(v, one, f->ar, &same));
        if (!same)
            return bad(f, "it is not the one value that the schema allows");
    }
    for (const struct bz_json *e = list == NULL ? NULL : list->first; e != NULL; e = e->next) {
        BZ_TRY(canon_equal(v, e, f->ar, &same));
        if (same)
            return BZ_OK;
    }
    return list == NULL ? BZ_OK : bad(f, "it is none of the values that the schema allows");
}

/* As deep as the schema. */
static enum bz_status fit_value(struct fit *f, const struct bz_json *s, const struct bz_json *v) {
    unsigned types = types_of(s), bit = bit_of(v);
    if (types != 0 && (types & bit) == 0)
        return bad(f, "the value is of another type");
    BZ_TRY(fit_fixed(f, s, v));
    if (f->why != NULL || types == 0)
        return BZ_OK;
    if ((bit & T_NUMBER) != 0)
        return fit_number(f, s, v);
    if (bit == T_STRING)
        return fit_string(f, s, v);
    if (bit == T_OBJECT)
        return fit_object(f, s, v);
    return bit == T_ARRAY ? fit_array(f, s, v) : BZ_OK;
}

enum bz_status schema_fits(const struct bz_json *schema, const struct bz_json *value,
                           struct bz_arena *ar, const char **ret_why, char path[96]) {
    struct fit f = {.ar = ar, .path = path};
    BZ_TRY(fit_value(&f, schema, value));
    *ret_why = f.why;
    path[f.path_n] = '\0';
    return BZ_OK;
}
