/* Reading and editing trees. */
#include <bartizan/json.h>
#include <bartizan/limits.h>

const struct bz_json *bz_json_get(const struct bz_json *obj, struct bz_view key) {
    if (!bz_json_is(obj, BZ_JSON_OBJECT))
        return NULL;
    const struct bz_json *n = obj->first;
    while (n != NULL && !bz_view_eq(n->key, key))
        n = n->next;
    return n;
}

struct bz_json *bz_json_get_mut(struct bz_json *obj, struct bz_view key) {
    if (!bz_json_is(obj, BZ_JSON_OBJECT))
        return NULL;
    struct bz_json *n = obj->first;
    while (n != NULL && !bz_view_eq(n->key, key))
        n = n->next;
    return n;
}

struct bz_view bz_json_str(const struct bz_json *n) {
    if (!bz_json_is(n, BZ_JSON_STRING))
        return bz_view(NULL, 0);
    /* An empty text is not an absent one. */
    return n->val.p == NULL ? BZ_V("") : n->val;
}

enum bz_status bz_json_i64(const struct bz_json *n, int64_t *ret) {
    if (!bz_json_is(n, BZ_JSON_NUMBER))
        return BZ_EINVAL;
    bool negative = n->val.n != 0 && n->val.p[0] == '-';
    uint64_t size = 0;
    BZ_TRY(bz_view_u64(bz_view_sub(n->val, negative, SIZE_MAX), &size));
    if (size > (uint64_t)INT64_MAX + negative)
        return BZ_ERANGE;
    *ret = negative ? (int64_t)(0 - size) : (int64_t)size;
    return BZ_OK;
}

static double scale(double v, int64_t exp10) {
    static const double tens[] = {1e1, 1e2, 1e4, 1e8, 1e16, 1e32, 1e64, 1e128, 1e256};
    uint64_t e = exp10 < 0 ? 0 - (uint64_t)exp10 : (uint64_t)exp10;
    if (e > 1000)
        e = 1000;
    for (size_t i = 0; i < sizeof tens / sizeof tens[0]; i++) {
        if ((e >> i & 1) != 0)
            v = exp10 < 0 ? v / tens[i] : v * tens[i];
    }
    return (e >> (sizeof tens / sizeof tens[0])) == 0 ? v : exp10 < 0 ? 0.0 : v * 1e300 * 1e300;
}

/* Not strtod: that reads the locale. The result may be off in the last bits, which no range check
 * minds. */
enum bz_status bz_json_f64(const struct bz_json *n, double *ret) {
    if (!bz_json_is(n, BZ_JSON_NUMBER))
        return BZ_EINVAL;
    const uint8_t *p = n->val.p;
    const uint8_t *end = p + n->val.n;
    bool negative = p < end && *p == '-';
    double sum = 0;
    int64_t exp10 = 0;
    bool dot = false;
    for (p += negative; p < end && (*p | 0x20) != 'e'; p++) {
        if (*p == '.') {
            dot = true;
            continue;
        }
        sum = sum * 10 + (*p - '0');
        exp10 -= dot;
    }
    if (p < end) {
        bool minus = ++p < end && *p == '-';
        p += p < end && (*p == '-' || *p == '+');
        int64_t e = 0;
        for (; p < end && e < 100000; p++)
            e = e * 10 + (*p - '0');
        exp10 += minus ? -e : e;
    }
    double v = sum == 0 ? 0 : scale(sum, exp10);
    if (v - v != 0) /* infinite */
        return BZ_ERANGE;
    *ret = negative ? -v : v;
    return BZ_OK;
}

static struct bz_json *new_node(struct bz_arena *ar, enum bz_json_type type) {
    struct bz_json *n = bz_arena_zalloc(ar, sizeof *n);
    if (n != NULL)
        n->type = (uint8_t)type;
    return n;
}

struct bz_json *bz_json_new_str(struct bz_arena *ar, struct bz_view text) {
    struct bz_json *n = new_node(ar, BZ_JSON_STRING);
    if (n != NULL)
        n->val = text;
    return n;
}

struct bz_json *bz_json_new_num(struct bz_arena *ar, int64_t v) {
    struct bz_json *n = new_node(ar, BZ_JSON_NUMBER);
    uint8_t *text = bz_arena_alloc(ar, 24);
    if (n == NULL || text == NULL)
        return NULL;
    struct bz_buf b;
    bz_buf_init_fixed(&b, text, 24);
    bz_buf_put_i64(&b, v);
    n->val = bz_buf_view(&b);
    n->flags = BZ_JSON_VAL_CLEAN;
    return n;
}

struct bz_json *bz_json_new_bool(struct bz_arena *ar, bool v) {
    return new_node(ar, v ? BZ_JSON_TRUE : BZ_JSON_FALSE);
}

struct bz_json *bz_json_new_obj(struct bz_arena *ar) {
    return new_node(ar, BZ_JSON_OBJECT);
}

void bz_json_set_str(struct bz_json *n, struct bz_view text) {
    n->type = BZ_JSON_STRING;
    n->flags &= (uint8_t)~BZ_JSON_VAL_CLEAN;
    n->count = 0;
    n->first = NULL;
    n->val = text;
}

void bz_json_add(struct bz_json *obj, struct bz_view key, struct bz_json *val) {
    struct bz_json **tail = &obj->first;
    while (*tail != NULL)
        tail = &(*tail)->next;
    val->key = key;
    val->flags &= (uint8_t)~BZ_JSON_KEY_CLEAN;
    val->depth = (uint16_t)(obj->depth + 1);
    val->next = NULL;
    *tail = val;
    obj->count++;
}

bool bz_json_remove(struct bz_json *obj, struct bz_view key) {
    if (!bz_json_is(obj, BZ_JSON_OBJECT))
        return false;
    for (struct bz_json **at = &obj->first; *at != NULL; at = &(*at)->next) {
        if (bz_view_eq((*at)->key, key)) {
            *at = (*at)->next;
            obj->count--;
            return true;
        }
    }
    return false;
}
