/* Differential: whatever our reader accepts, jansson accepts too and reads the same tree; whatever
 * jansson refuses for a reason of the same kind, ours refuses. The one difference that is meant:
 * numbers beyond the range of jansson's types (ours keeps every lexeme). The other way round ours
 * is stricter: caps, \u0000, depth. */
#include <bartizan/json.h>
#include <bartizan/text.h>

#include <jansson.h>
#include <stdlib.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

static void same(const struct bz_json *n, const json_t *j);

static void same_children(const struct bz_json *n, const json_t *j) {
    size_t i = 0;
    for (const struct bz_json *c = n->first; c != NULL; c = c->next, i++) {
        if (n->type == BZ_JSON_ARRAY)
            same(c, json_array_get(j, i));
        else
            same(c, json_object_getn(j, (const char *)c->key.p, c->key.n));
    }
    MUST(i == n->count &&
         i == (n->type == BZ_JSON_ARRAY ? json_array_size(j) : json_object_size(j)));
}

static void same_number(const struct bz_json *n, const json_t *j) {
    int64_t i = 0;
    double f = 0;
    if (json_is_integer(j)) {
        MUST(bz_json_i64(n, &i) == BZ_OK && i == json_integer_value(j));
        return;
    }
    MUST(json_is_real(j) && bz_json_i64(n, &i) == BZ_ESYNTAX && bz_json_f64(n, &f) == BZ_OK);
    double gap = f - json_real_value(j);
    double most = (f < 0 ? -f : f) * 1e-12 + 1e-300;
    MUST(gap <= most && -gap <= most);
}

/* No deeper than BZ_JSON_DEPTH_MAX. */
static void same(const struct bz_json *n, const json_t *j) {
    MUST(j != NULL);
    switch (n->type) {
    case BZ_JSON_NULL:
        MUST(json_is_null(j));
        break;
    case BZ_JSON_FALSE:
        MUST(json_is_false(j));
        break;
    case BZ_JSON_TRUE:
        MUST(json_is_true(j));
        break;
    case BZ_JSON_NUMBER:
        same_number(n, j);
        break;
    case BZ_JSON_STRING:
        MUST(json_is_string(j));
        MUST(bz_view_eq(n->val, bz_view(json_string_value(j), json_string_length(j))));
        break;
    case BZ_JSON_ARRAY:
        MUST(json_is_array(j));
        same_children(n, j);
        break;
    case BZ_JSON_OBJECT:
        MUST(json_is_object(j));
        same_children(n, j);
        break;
    default:
        abort();
    }
}

static json_t *theirs(struct bz_view v, json_error_t *err) {
    return json_loadb((const char *)v.p, v.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, err);
}

static void accepted(struct bz_view in, const struct bz_json *root) {
    json_error_t err;
    json_t *j = theirs(in, &err);
    if (j == NULL) {
        MUST(json_error_code(&err) == json_error_numeric_overflow);
        return;
    }
    same(root, j);
    struct bz_buf out;
    bz_buf_init(&out, 64u << 20);
    bz_json_write(&out, root);
    MUST(out.st == BZ_OK);
    MUST((root->flags & BZ_JSON_CANONICAL) == 0 || bz_view_eq(bz_buf_view(&out), in));
    json_t *again = theirs(bz_buf_view(&out), &err);
    MUST(again != NULL && json_equal(j, again) == 1);
    json_decref(again);
    json_decref(j);
    bz_buf_free(&out);
}

/* Refusals that jansson does not share, by status and reason. jansson 2.14 swallows a NUL behind a
 * number: "[2\0]". */
static bool stricter(enum bz_status st, struct bz_view why, struct bz_view in) {
    if (in.n != 0 && memchr(in.p, 0, in.n) != NULL)
        return true;
    return st == BZ_ETOOBIG || st == BZ_EDEPTH || bz_view_eq(why, BZ_V("\\u0000 is not allowed"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_view in = bz_view(data, size);
    struct bz_arena ar;
    struct bz_diag diag = {0};
    struct bz_diag diag2 = {0};
    struct bz_json *root = NULL;
    bz_arena_init(&ar, bz_alloc_heap, 256u << 20, NULL, 0);
    enum bz_status st = bz_json_parse(in, NULL, &ar, &root, &diag);
    MUST(bz_json_check(in, NULL, &ar, &diag2) == st && diag.offset == diag2.offset);
    if (st == BZ_OK) {
        MUST(memchr(in.p, 0, in.n) == NULL);
        accepted(in, root);
    } else {
        MUST(diag.why != NULL && diag.offset <= size);
        json_error_t err;
        json_t *j = theirs(in, &err);
        MUST(j == NULL || stricter(st, bz_view_str(diag.why), in));
        json_decref(j);
    }
    bz_arena_free(&ar);
    return 0;
}
