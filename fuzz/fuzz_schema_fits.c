/* A schema and a value, separated by a NUL; first byte: whose schema. What the check takes is decided; `not` turns
 * no doubt into a yes; an unknown keyword fits nothing. */
#include <stdlib.h>
#include <bartizan/schema.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok) {
    if (!ok)
        abort();
}

static bool holds(const struct bz_json *s, enum bz_schema_kind kind, const struct bz_json *v,
                  struct bz_arena *ar) {
    struct bz_schema_misfit m;
    if (bz_schema_fits(s, kind, v, ar, &m) != BZ_OK)
        return false;
    require(memchr(m.path, 0, sizeof m.path) != NULL);
    return m.why == NULL;
}

/* {"KEYWORD": the schema} */
static struct bz_json around(struct bz_json *s, struct bz_view keyword) {
    s->key = keyword;
    s->next = NULL;
    return (struct bz_json){.type = BZ_JSON_OBJECT, .count = 1, .first = s};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char err[BZ_SCHEMA_ERROR];
    struct bz_json *schema = NULL, *value = NULL;
    struct bz_arena ar;
    if (size == 0 || size > 16384)
        return 0;
    enum bz_schema_kind kind = data[0] == 'o' ? BZ_SCHEMA_OWN : BZ_SCHEMA_PUBLISHED;
    struct bz_view in = bz_view(data + 1, size - 1);
    const uint8_t *nul = in.n > 0 ? memchr(in.p, 0, in.n) : NULL;
    size_t n = nul == NULL ? in.n : (size_t)(nul - in.p);
    bz_arena_init(&ar, bz_alloc_heap, 32 << 20, NULL, 0);
    if (bz_json_parse(bz_view_sub(in, 0, n), NULL, &ar, &schema, NULL) == BZ_OK) {
        (void)!bz_schema_check(schema, kind, &ar, err);
        if (bz_json_parse(bz_view_sub(in, n + 1, in.n), NULL, &ar, &value, NULL) == BZ_OK) {
            bool fits = holds(schema, kind, value, &ar);
            struct bz_json not = around(schema, BZ_V("not"));
            bool other = holds(&not, BZ_SCHEMA_PUBLISHED, value, &ar);
            require(kind == BZ_SCHEMA_OWN || !(fits && other));
            struct bz_json unknown = around(schema, BZ_V("unknown"));
            require(!holds(&unknown, kind, value, &ar));
        }
    }
    bz_arena_free(&ar);
    return 0;
}
