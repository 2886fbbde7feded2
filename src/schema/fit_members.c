/* A value against a schema: objects and lists. */
#include "schema_int.h"

enum { LOOKUPS_A_STEP = 16 };
static const struct bz_view no_name = {NULL, 0};

static const struct bz_json *lookup(struct fit *f, const struct bz_json *obj, struct bz_view key) {
    charge(f, obj == NULL ? 0 : obj->count / LOOKUPS_A_STEP);
    return bz_json_get(obj, key);
}

static enum bz_status count_is(struct fit *f, const struct bz_json *k, const char *least, int64_t n,
                               const char *few, const char *many) {
    int64_t bound;
    if (bz_json_i64(k, &bound) != BZ_OK)
        return undecided(f, "a count of the schema is no whole number");
    bool is_least = bz_view_eq(k->key, bz_view_str(least));
    if (is_least ? n >= bound : n <= bound)
        return BZ_OK;
    return misfit(f, is_least ? few : many);
}

/* ---- objects ---- */

enum bz_status fit_member_count(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                                const struct bz_json *v) {
    (void)s;
    return count_is(f, k, "minProperties", v->count, "it has too few members",
                    "it has too many members");
}

enum bz_status fit_properties(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                              const struct bz_json *v) {
    (void)s;
    for (const struct bz_json *m = v->first; m != NULL && f->why == NULL; m = m->next) {
        const struct bz_json *of = lookup(f, k, m->key);
        if (of != NULL)
            BZ_TRY(fit_below(f, of, m, m->key)); /* the schema's own name, too */
    }
    return BZ_OK;
}

enum bz_status fit_required(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                            const struct bz_json *v) {
    (void)s;
    for (const struct bz_json *e = k->first; e != NULL && f->why == NULL; e = e->next)
        if (lookup(f, v, e->val) == NULL)
            return misfit(f, "a member that the schema requires is missing");
    return BZ_OK;
}

/* By properties or patternProperties beside it. */
static enum bz_status is_named(struct fit *f, const struct bz_json *s, struct bz_view key,
                               bool *ret) {
    const struct bz_json *patterns =
        f->kind == BZ_SCHEMA_PUBLISHED ? bz_json_get(s, BZ_V("patternProperties")) : NULL;
    *ret = lookup(f, bz_json_get(s, BZ_V("properties")), key) != NULL;
    for (const struct bz_json *p = patterns == NULL ? NULL : patterns->first;
         p != NULL && !*ret && f->why == NULL; p = p->next)
        BZ_TRY(fit_text_pattern(f, p->key, key, ret));
    return BZ_OK;
}

/* k NULL: nothing more may be there. */
enum bz_status fit_additional(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                              const struct bz_json *v) {
    bool named;
    for (const struct bz_json *m = v->first; m != NULL && f->why == NULL; m = m->next) {
        BZ_TRY(is_named(f, s, m->key, &named));
        if (named || f->why != NULL)
            continue;
        if (k == NULL || k->type == BZ_JSON_FALSE)
            return misfit(f, "a member that the schema does not know");
        BZ_TRY(fit_below(f, k, m, no_name));
    }
    return BZ_OK;
}

enum bz_status fit_patterns(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                            const struct bz_json *v) {
    bool match;
    (void)s;
    for (const struct bz_json *m = v->first; m != NULL && f->why == NULL; m = m->next) {
        for (const struct bz_json *p = k->first; p != NULL && f->why == NULL; p = p->next) {
            BZ_TRY(fit_text_pattern(f, p->key, m->key, &match));
            if (match)
                BZ_TRY(fit_below(f, p, m, no_name));
        }
    }
    return BZ_OK;
}

enum bz_status fit_names(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                         const struct bz_json *v) {
    (void)s;
    for (const struct bz_json *m = v->first; m != NULL && f->why == NULL; m = m->next) {
        const struct bz_json name = {.type = BZ_JSON_STRING, .val = m->key};
        BZ_TRY(fit_value(f, k, &name));
    }
    return BZ_OK;
}

enum bz_status fit_dependent_names(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                                   const struct bz_json *v) {
    for (const struct bz_json *e = k->first; e != NULL && f->why == NULL; e = e->next)
        if (lookup(f, v, e->key) != NULL)
            BZ_TRY(fit_required(f, s, e, v));
    return BZ_OK;
}

enum bz_status fit_dependent(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                             const struct bz_json *v) {
    (void)s;
    for (const struct bz_json *e = k->first; e != NULL && f->why == NULL; e = e->next)
        if (lookup(f, v, e->key) != NULL)
            BZ_TRY(fit_value(f, e, v));
    return BZ_OK;
}

/* ---- lists ---- */

enum bz_status fit_entry_count(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                               const struct bz_json *v) {
    (void)s;
    return count_is(f, k, "minItems", v->count, "the list is too short", "the list is too long");
}

/* A schema for each of the first entries. */
enum bz_status fit_prefix(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                          const struct bz_json *v) {
    const struct bz_json *p = k->first;
    (void)s;
    for (const struct bz_json *e = v->first; e != NULL && p != NULL && f->why == NULL;
         e = e->next) {
        BZ_TRY(fit_below(f, p, e, no_name));
        p = p->next;
    }
    return BZ_OK;
}

/* `items` is about the entries behind prefixItems; where it is a list itself (draft-07), additionalItems is
 * about those behind it, and nothing otherwise. */
enum bz_status fit_items(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                         const struct bz_json *v) {
    const struct bz_json *prefix = bz_json_get(s, BZ_V("prefixItems"));
    bool more = bz_view_eq(k->key, BZ_V("additionalItems"));
    if (more)
        prefix = bz_json_get(s, BZ_V("items"));
    else if (bz_json_is(k, BZ_JSON_ARRAY))
        return fit_prefix(f, s, k, v);
    if (more && !bz_json_is(prefix, BZ_JSON_ARRAY))
        return BZ_OK;
    uint32_t skip = prefix == NULL ? 0 : prefix->count;
    for (const struct bz_json *e = v->first; e != NULL && f->why == NULL; e = e->next) {
        if (skip == 0)
            BZ_TRY(fit_below(f, k, e, no_name));
        skip -= skip > 0;
    }
    return BZ_OK;
}

enum bz_status fit_unique(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                          const struct bz_json *v) {
    (void)s;
    if (k->type != BZ_JSON_TRUE)
        return BZ_OK;
    for (const struct bz_json *a = v->first; a != NULL; a = a->next)
        for (const struct bz_json *b = a->next; b != NULL && !f->undecided; b = b->next)
            if (same_value(f, a, b))
                return misfit(f, "the list has the same entry twice");
    return BZ_OK;
}

enum bz_status fit_contains(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                            const struct bz_json *v) {
    const struct bz_json *least = bz_json_get(s, BZ_V("minContains")),
                         *most = bz_json_get(s, BZ_V("maxContains"));
    int64_t n = 0, from = 1, to = INT64_MAX;
    bool fits;
    if ((least != NULL && bz_json_i64(least, &from) != BZ_OK) ||
        (most != NULL && bz_json_i64(most, &to) != BZ_OK))
        return undecided(f, "a count of the schema is no whole number");
    for (const struct bz_json *e = v->first; e != NULL && !f->undecided; e = e->next) {
        BZ_TRY(fit_try(f, k, e, &fits));
        n += fits;
    }
    return n >= from && n <= to
               ? BZ_OK
               : misfit(f, "the list has too few or too many entries of a kind that it must have");
}
