/* A value against a schema: types, numbers, texts, combinations, references. */
#include <bartizan/text.h>

#include "schema_int.h"

enum { LOOKUPS_A_STEP = 16 };

static const char too_large[] =
    "the schema and the value are too large to be held against each other";

enum bz_status misfit(struct fit *f, const char *why) {
    if (f->why == NULL)
        f->why = why;
    return BZ_OK;
}

enum bz_status undecided(struct fit *f, const char *why) {
    if (!f->undecided)
        f->why = why;
    f->undecided = true;
    return BZ_OK;
}

void charge(struct fit *f, size_t steps) {
    if (steps > BZ_SCHEMA_STEPS - f->steps) {
        f->steps = BZ_SCHEMA_STEPS;
        (void)undecided(f, too_large);
        return;
    }
    f->steps += (uint32_t)steps;
}

static unsigned bit_of(const struct bz_json *v, const struct bz_number *n) {
    switch ((enum bz_json_type)v->type) {
    case BZ_JSON_NULL:
        return T_NULL;
    case BZ_JSON_FALSE:
    case BZ_JSON_TRUE:
        return T_BOOLEAN;
    case BZ_JSON_NUMBER:
        return bz_number_whole(n) ? T_NUMBERS : T_NUMBER;
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

/* ---- any value ---- */

enum bz_status fit_type(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                        const struct bz_json *v) {
    struct bz_number n = {.n = 0};
    unsigned types = types_of(k);
    (void)s;
    if (v->type == BZ_JSON_NUMBER)
        (void)bz_number_of(v->val, &n); /* fit_value has seen that it can be */
    if (types == 0)
        return undecided(f, "the schema names a type that is not known");
    return (types & bit_of(v, &n)) != 0 ? BZ_OK : misfit(f, "the value is of another type");
}

static bool same_number(struct bz_view a, struct bz_view b) {
    struct bz_number x, y;
    return bz_number_of(a, &x) && bz_number_of(b, &y) && bz_number_compare(&x, &y) == 0;
}

/* As deep as the reader of JSON lets it be. */
bool same_value(struct fit *f, const struct bz_json *a, const struct bz_json *b) {
    charge(f, 1 + (a->type == BZ_JSON_OBJECT ? b->count / LOOKUPS_A_STEP : 0));
    if (f->undecided || a->type != b->type || a->count != b->count)
        return false;
    if (a->type == BZ_JSON_NUMBER)
        return same_number(a->val, b->val);
    if (a->type == BZ_JSON_STRING)
        return bz_view_eq(a->val, b->val);
    const struct bz_json *other = b->first;
    for (const struct bz_json *m = a->first; m != NULL; m = m->next) {
        const struct bz_json *o = a->type == BZ_JSON_OBJECT ? bz_json_get(b, m->key) : other;
        if (o == NULL || !same_value(f, m, o))
            return false;
        other = other != NULL ? other->next : NULL;
    }
    return true;
}

enum bz_status fit_const(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                         const struct bz_json *v) {
    (void)s;
    return same_value(f, v, k) ? BZ_OK
                               : misfit(f, "it is not the one value that the schema allows");
}

enum bz_status fit_enum(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                        const struct bz_json *v) {
    (void)s;
    for (const struct bz_json *e = k->first; e != NULL && !f->undecided; e = e->next)
        if (same_value(f, v, e))
            return BZ_OK;
    return misfit(f, "it is none of the values that the schema allows");
}

/* ---- numbers ---- */

enum bz_status fit_bounds(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                          const struct bz_json *v) {
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
    struct bz_number n, bound;
    (void)s;
    if (!bz_json_is(k, BZ_JSON_NUMBER) || !bz_number_of(k->val, &bound) ||
        !bz_number_of(v->val, &n))
        return undecided(f, "a bound of the schema is no number that can be compared");
    int c = bz_number_compare(&n, &bound);
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
        if (bz_view_eq(k->key, bz_view_str(bounds[i].name)) &&
            (c < bounds[i].least || c > bounds[i].most))
            return misfit(f, bounds[i].why);
    return BZ_OK;
}

/* Exact: digits * 10^shift, divided digit by digit. */
enum bz_status fit_multiple(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                            const struct bz_json *v) {
    enum { DIGITS_MAX = 18, SHIFT_MAX = 400 };
    struct bz_number n, of;
    uint64_t by = 0, rest = 0;
    (void)s;
    if (!bz_json_is(k, BZ_JSON_NUMBER) || !bz_number_of(k->val, &of) || of.n == 0 ||
        of.n > DIGITS_MAX || !bz_number_of(v->val, &n))
        return undecided(f, "multipleOf of the schema is no number that can be divided by");
    int64_t shift = (n.exp - n.n) - (of.exp - of.n);
    for (size_t i = 0; i < of.n; i++)
        by = by * 10 + (uint64_t)(of.digits[i] - '0');
    for (size_t i = 0; i < n.n; i++)
        rest = (rest * 10 + (uint64_t)(n.digits[i] - '0')) % by;
    if (shift > SHIFT_MAX && rest != 0)
        return undecided(f, "the number is too large for multipleOf");
    for (int64_t i = 0; i < shift && rest != 0; i++)
        rest = rest * 10 % by;
    /* Digits end in no zero: with a finer last place it is no multiple. */
    return n.n == 0 || (shift >= 0 && rest == 0)
               ? BZ_OK
               : misfit(f, "the number is no multiple of what the schema says");
}

/* ---- texts ---- */

static int64_t code_points(struct bz_view v) {
    int64_t n = 0;
    for (size_t i = 0; i < v.n; i++)
        n += (v.p[i] & 0xc0) != 0x80;
    return n;
}

enum bz_status fit_length(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                          const struct bz_json *v) {
    int64_t n = code_points(v->val), bound;
    (void)s;
    if (bz_json_i64(k, &bound) != BZ_OK)
        return undecided(f, "a length of the schema is no whole number");
    bool least = bz_view_eq(k->key, BZ_V("minLength"));
    if (least ? n >= bound : n <= bound)
        return BZ_OK;
    return misfit(f, least ? "the text is too short" : "the text is too long");
}

enum bz_status fit_text_pattern(struct fit *f, struct bz_view pattern, struct bz_view text,
                                bool *ret) {
    const char *why = NULL;
    *ret = false;
    charge(f, 1 + text.n);
    if (f->undecided)
        return BZ_OK;
    if (text.n > BZ_SCHEMA_PATTERN_TEXT_MAX)
        return undecided(f, "the text is too long for a pattern");
    if (f->pattern == NULL)
        BZ_TRY(pattern_new(f->ar, &f->pattern, &f->states));
    enum bz_status st = pattern_compile(f->pattern, pattern, f->kind == BZ_SCHEMA_PUBLISHED, &why);
    if (st == BZ_ENOMEM)
        return st;
    if (st != BZ_OK)
        return undecided(f, "the schema has a pattern that cannot be decided here");
    *ret = pattern_match(f->pattern, f->states, text);
    return BZ_OK;
}

enum bz_status fit_pattern(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                           const struct bz_json *v) {
    bool match;
    (void)s;
    BZ_TRY(fit_text_pattern(f, bz_json_str(k), v->val, &match));
    return match ? BZ_OK : misfit(f, "the text does not have the pattern of the schema");
}

enum bz_status fit_format(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                          const struct bz_json *v) {
    enum format format;
    if (!format_from_name(bz_json_str(k), &format))
        return undecided(f, "the schema has a format that is not known");
    const char *why = format_check(
        format, v->val, bz_json_get(s, format == FORMAT_PATH ? BZ_V("roots") : BZ_V("hosts")));
    return why == NULL ? BZ_OK : misfit(f, why);
}

/* ---- combinations ---- */

enum bz_status fit_try(struct fit *f, const struct bz_json *s, const struct bz_json *v, bool *ret) {
    size_t n = f->path_n;
    *ret = false;
    if (f->undecided)
        return BZ_OK;
    BZ_TRY(fit_value(f, s, v));
    *ret = f->why == NULL;
    if (!f->undecided) {
        f->why = NULL;
        f->path_n = n;
    }
    return BZ_OK;
}

enum bz_status fit_all(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                       const struct bz_json *v) {
    (void)s;
    for (const struct bz_json *e = k->first; e != NULL && f->why == NULL; e = e->next)
        BZ_TRY(fit_value(f, e, v));
    return BZ_OK;
}

static enum bz_status count_fits(struct fit *f, const struct bz_json *list, const struct bz_json *v,
                                 size_t most, size_t *ret) {
    bool fits;
    *ret = 0;
    for (const struct bz_json *e = list->first; e != NULL && *ret < most; e = e->next) {
        BZ_TRY(fit_try(f, e, v, &fits));
        *ret += fits;
    }
    return BZ_OK;
}

enum bz_status fit_any(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                       const struct bz_json *v) {
    size_t n;
    (void)s;
    BZ_TRY(count_fits(f, k, v, 1, &n));
    return n > 0 ? BZ_OK : misfit(f, "it has none of the forms that the schema allows");
}

enum bz_status fit_one(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                       const struct bz_json *v) {
    size_t n;
    (void)s;
    BZ_TRY(count_fits(f, k, v, 2, &n));
    return n == 1 ? BZ_OK
                  : misfit(f, "it has none of the forms that the schema allows, or more than one");
}

enum bz_status fit_not(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                       const struct bz_json *v) {
    bool fits;
    (void)s;
    BZ_TRY(fit_try(f, k, v, &fits));
    return fits ? misfit(f, "it has a form that the schema excludes") : BZ_OK;
}

enum bz_status fit_if(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                      const struct bz_json *v) {
    bool fits;
    BZ_TRY(fit_try(f, k, v, &fits));
    const struct bz_json *then = bz_json_get(s, fits ? BZ_V("then") : BZ_V("else"));
    return f->why == NULL && then != NULL ? fit_value(f, then, v) : BZ_OK;
}

/* ---- references ---- */

/* One name of a JSON pointer: ~1 is "/", ~0 is "~" (RFC 6901). Other escapes lead nowhere. */
static const struct bz_json *step_down(const struct bz_json *at, struct bz_view name) {
    uint8_t mem[256];
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        if (c == '~') {
            i++;
            if (i == name.n || (name.p[i] != '0' && name.p[i] != '1'))
                return NULL;
            c = name.p[i] == '0' ? '~' : '/';
        }
        if (n == sizeof mem || c == '%')
            return NULL;
        mem[n++] = c;
    }
    if (bz_json_is(at, BZ_JSON_OBJECT))
        return bz_json_get(at, bz_view(mem, n));
    uint64_t index = 0;
    if (!bz_json_is(at, BZ_JSON_ARRAY) || bz_view_u64(bz_view(mem, n), &index) != BZ_OK)
        return NULL;
    const struct bz_json *e = at->first;
    for (; e != NULL && index > 0; index--)
        e = e->next;
    return e;
}

const struct bz_json *ref_find(const struct bz_json *root, struct bz_view ref) {
    const struct bz_json *at = root;
    if (ref.n == 0 || ref.p[0] != '#' || (ref.n > 1 && ref.p[1] != '/'))
        return NULL;
    for (size_t i = 1; i < ref.n && at != NULL;) {
        size_t end = i + 1;
        while (end < ref.n && ref.p[end] != '/')
            end++;
        at = step_down(at, bz_view_sub(ref, i + 1, end - i - 1));
        i = end;
    }
    return at;
}

enum bz_status fit_ref(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                       const struct bz_json *v) {
    const struct bz_json *there = ref_find(f->root, bz_json_str(k));
    (void)s;
    return there != NULL ? fit_value(f, there, v)
                         : undecided(f, "the schema refers to a place that is not in it");
}

/* Below the root it would change what "#" is. */
enum bz_status fit_id(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                      const struct bz_json *v) {
    (void)k, (void)v;
    return s == f->root ? BZ_OK : undecided(f, "the schema has an $id below its root");
}

/* ---- a schema ---- */

static enum bz_status fit_keywords(struct fit *f, const struct bz_json *s,
                                   const struct bz_json *v) {
    const struct bz_json *type = bz_json_get(s, BZ_V("type"));
    struct bz_number n = {.n = 0};
    if (v->type == BZ_JSON_NUMBER && !bz_number_of(v->val, &n))
        return undecided(f, "the number has an exponent that is out of range");
    unsigned bit = bit_of(v, &n);
    if (type != NULL)
        BZ_TRY(fit_type(f, s, type, v)); /* said first: what follows is about values of a type */
    for (const struct bz_json *m = s->first; m != NULL && f->why == NULL; m = m->next) {
        const struct keyword *k = keyword_of(m->key, f->kind);
        if (k == NULL)
            return undecided(f, "the schema has a keyword that cannot be decided here");
        if (!form_type_ok((enum form)k->form, m))
            return undecided(f, "the schema has a keyword whose value is none that belongs there");
        if (k->fit != NULL && m != type && (k->types & bit) != 0)
            BZ_TRY(k->fit(f, s, m, v));
    }
    /* The configuration's schemas are closed. */
    if (f->kind == BZ_SCHEMA_OWN && bit == T_OBJECT && f->why == NULL && type != NULL &&
        bz_json_get(s, BZ_V("additionalProperties")) == NULL)
        return fit_additional(f, s, NULL, v);
    return BZ_OK;
}

enum bz_status fit_value(struct fit *f, const struct bz_json *s, const struct bz_json *v) {
    charge(f, 1);
    if (f->undecided)
        return BZ_OK;
    if (f->depth == BZ_SCHEMA_DEPTH)
        return undecided(f, too_large);
    if (s->type == BZ_JSON_TRUE)
        return BZ_OK;
    if (s->type == BZ_JSON_FALSE)
        return misfit(f, "the schema lets nothing stand there");
    if (s->type != BZ_JSON_OBJECT)
        return undecided(f, "a part of the schema is none");
    f->depth++;
    enum bz_status st = fit_keywords(f, s, v);
    f->depth--;
    return st;
}

enum bz_status fit_below(struct fit *f, const struct bz_json *s, const struct bz_json *v,
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

enum bz_status bz_schema_fits(const struct bz_json *schema, enum bz_schema_kind kind,
                              const struct bz_json *value, struct bz_arena *ar,
                              struct bz_schema_misfit *ret) {
    struct fit f = {.kind = kind, .root = schema, .ar = ar, .path = ret->path};
    *ret = (struct bz_schema_misfit){.why = "there is no value, or no schema"};
    if (schema == NULL || value == NULL)
        return BZ_OK;
    BZ_TRY(fit_value(&f, schema, value));
    ret->why = f.why;
    ret->path[f.why == NULL ? 0 : f.path_n] = '\0';
    return BZ_OK;
}
