/* Canonical text: sorted keys, numbers by value, no blanks. Two spellings of one call are one call. */
#include <bartizan/crypto.h>

#include "agent_int.h"

enum { CANON_MAX = 64 << 20 };

static int compare_keys(const struct bz_json *a, const struct bz_json *b) {
    int c = memcmp(a->key.p, b->key.p, a->key.n < b->key.n ? a->key.n : b->key.n);
    return c != 0 ? c : (a->key.n > b->key.n) - (a->key.n < b->key.n);
}

static void sift(const struct bz_json **v, size_t i, size_t n) {
    for (;;) {
        size_t most = i, left = 2 * i + 1;
        if (left < n && compare_keys(v[left], v[most]) > 0)
            most = left;
        if (left + 1 < n && compare_keys(v[left + 1], v[most]) > 0)
            most = left + 1;
        if (most == i)
            return;
        const struct bz_json *t = v[i];
        v[i] = v[most];
        v[most] = t;
        i = most;
    }
}

static void sort(const struct bz_json **v, size_t n) {
    for (size_t i = n / 2; i-- > 0;)
        sift(v, i, n);
    for (size_t i = n; i-- > 1;) {
        const struct bz_json *t = v[0];
        v[0] = v[i];
        v[i] = t;
        sift(v, 0, i);
    }
}

static enum bz_status object(const struct bz_json *v, struct bz_arena *ar, struct bz_buf *out) {
    const struct bz_json **m = bz_arena_alloc(ar, (v->count + 1u) * sizeof(struct bz_json *));
    size_t n = 0;
    if (m == NULL)
        return BZ_ENOMEM;
    for (const struct bz_json *c = v->first; c != NULL && n < v->count; c = c->next)
        m[n++] = c;
    sort(m, n);
    bz_buf_putc(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            bz_buf_putc(out, ',');
        bz_json_write_str(out, m[i]->key);
        bz_buf_putc(out, ':');
        BZ_TRY(canon_write(m[i], ar, out));
    }
    bz_buf_putc(out, '}');
    return BZ_OK;
}

static enum bz_status array(const struct bz_json *v, struct bz_arena *ar, struct bz_buf *out) {
    bz_buf_putc(out, '[');
    for (const struct bz_json *c = v->first; c != NULL; c = c->next) {
        if (c != v->first)
            bz_buf_putc(out, ',');
        BZ_TRY(canon_write(c, ar, out));
    }
    bz_buf_putc(out, ']');
    return BZ_OK;
}

/* As deep as the reader of JSON lets it be. */
enum bz_status canon_write(const struct bz_json *v, struct bz_arena *ar, struct bz_buf *out) {
    struct bz_number n;
    switch ((enum bz_json_type)v->type) {
    case BZ_JSON_OBJECT:
        return object(v, ar, out);
    case BZ_JSON_ARRAY:
        return array(v, ar, out);
    case BZ_JSON_NUMBER:
        if (bz_number_of(v->val, &n))
            bz_number_write(&n, out);
        else
            bz_buf_put(out, v->val);
        return BZ_OK;
    case BZ_JSON_STRING:
        bz_json_write_str(out, v->val);
        return BZ_OK;
    case BZ_JSON_NULL:
        bz_buf_puts(out, "null");
        return BZ_OK;
    case BZ_JSON_FALSE:
        bz_buf_puts(out, "false");
        return BZ_OK;
    case BZ_JSON_TRUE:
        bz_buf_puts(out, "true");
        return BZ_OK;
    case BZ_JSON_TYPE_COUNT:
        break;
    }
    return BZ_EINTERNAL;
}

enum bz_status bz_agent_digest(const uint8_t key[32], struct bz_view name,
                               const struct bz_json *arguments, struct bz_view raw,
                               struct bz_arena *ar, uint8_t ret[BZ_CALL_ID]) {
    uint8_t hash[BZ_HASH_LEN];
    struct bz_buf b;
    bz_buf_init(&b, CANON_MAX);
    bz_buf_put_le32(&b, (uint32_t)name.n);
    bz_buf_put(&b, name);
    bz_buf_putc(&b, arguments != NULL);
    enum bz_status st = BZ_OK;
    if (arguments != NULL)
        st = canon_write(arguments, ar, &b);
    else
        bz_buf_put(&b, raw);
    if (st == BZ_OK && bz_buf_status(&b) != BZ_OK)
        st = BZ_ENOMEM;
    if (st == BZ_OK) {
        bz_keyed_hash(key, bz_buf_view(&b), hash);
        memcpy(ret, hash, BZ_CALL_ID);
    }
    bz_buf_wipe_free(&b);
    return st;
}
