/* Attack files: one JSON object a line, a family's head, slots, seeds. */
#include <stdarg.h>

#include "red_int.h"

void red_fail(struct bz_red_error *err, const char *fmt, ...) {
    va_list ap;
    if (err == NULL)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
}

void *red_grow(struct bz_arena *ar, void *v, size_t n, size_t *cap, size_t size, size_t most) {
    if (n >= most)
        return NULL;
    if (n < *cap)
        return v;
    size_t more = *cap == 0 ? 16 : *cap * 2;
    void *p = bz_arena_zalloc(ar, more * size);
    if (p == NULL)
        return NULL;
    if (n > 0)
        memcpy(p, v, n * size);
    *cap = more;
    return p;
}

void red_text_init(struct bz_buf *b) {
    bz_buf_init(b, BZ_RED_TEXT_MAX);
}

static bool next_line(struct bz_view *rest, struct bz_view *ret) {
    if (rest->n == 0)
        return false;
    const uint8_t *end = memchr(rest->p, '\n', rest->n);
    size_t n = end == NULL ? rest->n : (size_t)(end - rest->p);
    *ret = bz_view_sub(*rest, 0, n);
    *rest = bz_view_sub(*rest, n + 1, rest->n);
    return true;
}

enum bz_status red_lines(struct bz_view text, struct bz_arena *ar, red_line_fn *fn, void *ctx,
                         struct bz_red_error *err) {
    struct bz_view rest = text, line;
    struct bz_red_error none;
    err = err == NULL ? &none : err;
    *err = (struct bz_red_error){.line = 0};
    if (text.n > BZ_RED_FILE_MAX) {
        red_fail(err, "the file is larger than %u bytes", BZ_RED_FILE_MAX);
        return BZ_ETOOBIG;
    }
    while (next_line(&rest, &line)) {
        struct bz_json *root = NULL;
        struct bz_diag diag = {.offset = 0, .why = NULL};
        err->line++;
        if (line.n == 0 || line.p[0] == '#')
            continue;
        enum bz_status st = bz_json_parse(line, NULL, ar, &root, &diag);
        if (st == BZ_ENOMEM)
            return st;
        if (st != BZ_OK || !bz_json_is(root, BZ_JSON_OBJECT)) {
            red_fail(err, "byte %u: %s; each line is one JSON object", (unsigned)diag.offset + 1,
                     diag.why != NULL ? diag.why : "not an object");
            return BZ_ESYNTAX;
        }
        BZ_TRY(fn(ctx, root, err));
    }
    return BZ_OK;
}

bool red_members(const struct bz_json *o, const char *const *known, struct bz_red_error *err) {
    for (const struct bz_json *m = o->first; m != NULL; m = m->next) {
        size_t i = 0;
        while (known[i] != NULL && !bz_view_eq(m->key, bz_view_str(known[i])))
            i++;
        if (known[i] == NULL) {
            red_fail(err, "a member is not known here; the first that is: \"%s\"", known[0]);
            return false;
        }
    }
    return true;
}

/* ---- members ---- */

static const char *const place_names[BZ_RED_PLACE_COUNT] = {"user", "tool", "document",
                                                            "definition"};

const char *bz_red_place_name(enum bz_red_place p) {
    return (unsigned)p < BZ_RED_PLACE_COUNT ? place_names[p] : "?";
}

static bool good_name(struct bz_view v) {
    if (v.n == 0 || v.n > BZ_RED_NAME_MAX)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return true;
}

static enum bz_status places(const struct bz_json *list, uint8_t *ret, struct bz_red_error *err) {
    *ret = 0;
    for (const struct bz_json *m = bz_json_is(list, BZ_JSON_ARRAY) ? list->first : NULL; m != NULL;
         m = m->next) {
        int found = -1;
        for (int p = 0; p < BZ_RED_PLACE_COUNT; p++)
            if (bz_view_eq(bz_json_str(m), bz_view_str(place_names[p])))
                found = p;
        if (found < 0)
            break;
        *ret |= (uint8_t)(1u << found);
    }
    if (*ret == 0 || (size_t)__builtin_popcount(*ret) != list->count) {
        red_fail(err,
                 "\"places\" is a list of user, tool, document, definition, each at most once");
        return BZ_ESYNTAX;
    }
    return BZ_OK;
}

static enum bz_status add_family(struct bz_red_corpus *c, const struct bz_json *o,
                                 struct bz_red_error *err) {
    static const char *const known[] = {"family", "title", "refs", "places", NULL};
    struct bz_red_family f = {.name = bz_json_str(bz_json_get(o, BZ_V("family"))),
                              .title = bz_json_str(bz_json_get(o, BZ_V("title"))),
                              .refs = bz_json_str(bz_json_get(o, BZ_V("refs")))};
    if (!red_members(o, known, err))
        return BZ_ESYNTAX;
    if (!good_name(f.name) || f.title.n == 0) {
        red_fail(err, "a family has a \"family\" of a-z, 0-9 and -, and a \"title\"");
        return BZ_ESYNTAX;
    }
    BZ_TRY(places(bz_json_get(o, BZ_V("places")), &f.places, err));
    for (size_t i = 0; i < c->families_n; i++) {
        if (bz_view_eq(c->families[i].name, f.name)) {
            red_fail(err, "this family stands in another place already");
            return BZ_EEXISTS;
        }
    }
    c->families = red_grow(c->ar, c->families, c->families_n, &c->families_cap, sizeof f,
                           BZ_RED_FAMILIES_MAX);
    if (c->families == NULL)
        return c->families_n >= BZ_RED_FAMILIES_MAX ? BZ_ETOOBIG : BZ_ENOMEM;
    c->families[c->families_n++] = f;
    return BZ_OK;
}

static const struct bz_red_slot *slot_find(const struct bz_red_corpus *c, struct bz_view name) {
    for (size_t i = 0; i < c->slots_n; i++)
        if (bz_view_eq(c->slots[i].name, name))
            return &c->slots[i];
    return NULL;
}

static enum bz_status add_slot(struct bz_red_corpus *c, const struct bz_json *o,
                               struct bz_red_error *err) {
    static const char *const known[] = {"slot", "words", NULL};
    const struct bz_json *words = bz_json_get(o, BZ_V("words"));
    struct bz_red_slot s = {.name = bz_json_str(bz_json_get(o, BZ_V("slot")))};
    if (!red_members(o, known, err))
        return BZ_ESYNTAX;
    if (!good_name(s.name) || !bz_json_is(words, BZ_JSON_ARRAY) || words->count == 0) {
        red_fail(err, "a slot has a \"slot\" of a-z, 0-9 and -, and \"words\", a list of texts");
        return BZ_ESYNTAX;
    }
    if (slot_find(c, s.name) != NULL) {
        red_fail(err, "this slot stands in another place already");
        return BZ_EEXISTS;
    }
    s.words = bz_arena_zalloc(c->ar, words->count * sizeof *s.words);
    c->slots = red_grow(c->ar, c->slots, c->slots_n, &c->slots_cap, sizeof s, BZ_RED_SLOTS_MAX);
    if (s.words == NULL || c->slots == NULL)
        return c->slots_n >= BZ_RED_SLOTS_MAX ? BZ_ETOOBIG : BZ_ENOMEM;
    for (const struct bz_json *m = words->first; m != NULL; m = m->next) {
        if (!bz_json_is(m, BZ_JSON_STRING)) {
            red_fail(err, "\"words\" is a list of texts");
            return BZ_ESYNTAX;
        }
        s.words[s.n++] = bz_json_str(m);
    }
    c->slots[c->slots_n++] = s;
    return BZ_OK;
}

static enum bz_status add_seed(struct bz_red_corpus *c, const struct bz_json *o,
                               struct bz_red_error *err) {
    static const char *const known[] = {"id", "lang", "text", "twin", NULL};
    struct bz_red_seed s = {.id = bz_json_str(bz_json_get(o, BZ_V("id"))),
                            .lang = bz_json_str(bz_json_get(o, BZ_V("lang"))),
                            .text = bz_json_str(bz_json_get(o, BZ_V("text"))),
                            .twin = bz_json_str(bz_json_get(o, BZ_V("twin")))};
    if (!red_members(o, known, err))
        return BZ_ESYNTAX;
    if (c->families_n == 0) {
        red_fail(err, "a line with \"family\" comes first");
        return BZ_ESYNTAX;
    }
    if (!good_name(s.id) || s.text.n == 0 || s.twin.n == 0 || s.text.n > BZ_RED_SEED_MAX ||
        s.twin.n > BZ_RED_SEED_MAX) {
        red_fail(err,
                 "a seed has an \"id\" of a-z, 0-9 and -, a \"text\" and a benign \"twin\" of "
                 "at most %u bytes",
                 BZ_RED_SEED_MAX);
        return BZ_ESYNTAX;
    }
    for (size_t i = 0; i < c->seeds_n; i++) {
        if (bz_view_eq(c->seeds[i].id, s.id)) {
            red_fail(err, "this id stands in another place already");
            return BZ_EEXISTS;
        }
    }
    if (s.lang.n == 0)
        s.lang = BZ_V("en");
    s.family = (uint32_t)c->families_n - 1;
    c->seeds = red_grow(c->ar, c->seeds, c->seeds_n, &c->seeds_cap, sizeof s, BZ_RED_SEEDS_MAX);
    if (c->seeds == NULL)
        return c->seeds_n >= BZ_RED_SEEDS_MAX ? BZ_ETOOBIG : BZ_ENOMEM;
    c->seeds[c->seeds_n++] = s;
    return BZ_OK;
}

static enum bz_status add_line(void *ctx, const struct bz_json *o, struct bz_red_error *err) {
    struct bz_red_corpus *c = ctx;
    if (bz_json_get(o, BZ_V("family")) != NULL)
        return add_family(c, o, err);
    return bz_json_get(o, BZ_V("slot")) != NULL ? add_slot(c, o, err) : add_seed(c, o, err);
}

enum bz_status bz_red_corpus_add(struct bz_red_corpus *c, struct bz_view text,
                                 struct bz_red_error *err) {
    struct bz_sha256 h;
    BZ_TRY(red_lines(text, c->ar, add_line, c, err));
    bz_sha256_init(&h);
    bz_sha256_add(&h, bz_view(c->digest, sizeof c->digest));
    bz_sha256_add(&h, text);
    bz_sha256_end(&h, c->digest);
    return BZ_OK;
}

static bool slots_known(const struct bz_red_corpus *c, struct bz_view text, struct bz_view id,
                        struct bz_red_error *err) {
    for (size_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] != '[' || text.p[i + 1] != '[')
            continue;
        size_t end = i + 2;
        while (end + 1 < text.n && (text.p[end] != ']' || text.p[end + 1] != ']'))
            end++;
        struct bz_view name = bz_view_sub(text, i + 2, end - i - 2);
        if (end + 1 < text.n && slot_find(c, name) != NULL)
            continue;
        red_fail(err, "seed %.*s: a text names a slot that no file has", (int)id.n,
                 (const char *)id.p);
        return false;
    }
    return true;
}

enum bz_status bz_red_corpus_check(const struct bz_red_corpus *c, struct bz_red_error *err) {
    for (size_t i = 0; i < c->seeds_n; i++) {
        if (!slots_known(c, c->seeds[i].text, c->seeds[i].id, err) ||
            !slots_known(c, c->seeds[i].twin, c->seeds[i].id, err))
            return BZ_ENOTFOUND;
    }
    for (size_t f = 0; f < c->families_n; f++) {
        size_t i = 0;
        while (i < c->seeds_n && c->seeds[i].family != f)
            i++;
        if (i == c->seeds_n) {
            red_fail(err, "family %.*s has no seeds", (int)c->families[f].name.n,
                     (const char *)c->families[f].name.p);
            return BZ_ENOTFOUND;
        }
    }
    return c->seeds_n > 0 ? BZ_OK : BZ_ENOTFOUND;
}
