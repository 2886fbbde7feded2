/* Canonical writer of trees, and the event-wise writer. */
#include "json_text.h"

#include <bartizan/limits.h>
#include <bartizan/text.h>

static void latch(struct bz_buf *b, enum bz_status st) {
    if (b->st == BZ_OK)
        b->st = st;
}

static void put_escape(struct bz_buf *out, uint8_t c) {
    static const uint8_t simple[128] = {
        ['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
        ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
    };
    bz_buf_putc(out, '\\');
    if (c < sizeof simple && simple[c] != 0) {
        bz_buf_putc(out, simple[c]);
        return;
    }
    bz_buf_puts(out, "u00");
    bz_buf_put_hex(out, bz_view(&c, 1));
}

static void put_run(struct bz_buf *out, const uint8_t *p, size_t n) {
    if (n != 0 && bz_buf_reserve(out, n)) {
        bz_json_copy(out->p + out->n, p, n);
        out->n += n;
    }
}

/* Text that is valid UTF-8. */
static void put_escaped(struct bz_buf *out, struct bz_view v) {
    if (v.n == 0)
        return;
    const uint8_t *p = v.p;
    const uint8_t *end = v.p + v.n;
    while (p < end && out->st == BZ_OK) {
        const uint8_t *stop = bz_json_plain(p, end);
        put_run(out, p, (size_t)(stop - p));
        if (stop < end)
            put_escape(out, *stop++);
        p = stop;
    }
}

void bz_json_write_str(struct bz_buf *out, struct bz_view text) {
    bz_buf_putc(out, '"');
    for (;;) {
        size_t valid = bz_utf8_valid(text);
        put_escaped(out, bz_view_sub(text, 0, valid));
        if (valid == text.n || out->st != BZ_OK)
            break;
        bz_buf_puts(out, "\xef\xbf\xbd");
        text = bz_view_sub(text, valid + 1, SIZE_MAX);
    }
    bz_buf_putc(out, '"');
}

/* A string of the tree followed by `after` (0: nothing). What came out of the input unescaped goes
 * back in one piece. */
static inline void put_str(struct bz_buf *out, struct bz_view v, bool clean, uint8_t after) {
    if (!clean) {
        bz_json_write_str(out, v);
        if (after != 0)
            bz_buf_putc(out, after);
        return;
    }
    if (v.n > SIZE_MAX - 3 || !bz_buf_reserve(out, v.n + 2 + (after != 0)))
        return;
    uint8_t *p = out->p + out->n;
    *p++ = '"';
    bz_json_copy(p, v.p, v.n);
    p += v.n;
    *p++ = '"';
    if (after != 0)
        *p = after;
    out->n += v.n + 2 + (after != 0);
}

static inline void put_scalar(struct bz_buf *out, const struct bz_json *n) {
    switch (n->type) {
    case BZ_JSON_STRING:
        put_str(out, n->val, (n->flags & BZ_JSON_VAL_CLEAN) != 0, 0);
        break;
    case BZ_JSON_NUMBER:
        put_run(out, n->val.p, n->val.n);
        break;
    case BZ_JSON_TRUE:
        bz_buf_put(out, BZ_V("true"));
        break;
    case BZ_JSON_FALSE:
        bz_buf_put(out, BZ_V("false"));
        break;
    case BZ_JSON_NULL:
        bz_buf_put(out, BZ_V("null"));
        break;
    default:
        latch(out, BZ_EINVAL);
    }
}

static inline void put_byte(struct bz_buf *out, uint8_t c) {
    if (bz_buf_reserve(out, 1))
        out->p[out->n++] = c;
}

static bool container(const struct bz_json *n) {
    return n->type == BZ_JSON_OBJECT || n->type == BZ_JSON_ARRAY;
}

/* One byte for both ends of a container: '{' + 2 is '}', '[' + 2 is ']'. */
static uint8_t bracket(const struct bz_json *n) {
    return n->type == BZ_JSON_OBJECT ? '{' : '[';
}

void bz_json_write(struct bz_buf *out, const struct bz_json *n) {
    /* Written before read: depth says how far. Zeroing it would cost as much as a short reply. */
    const struct bz_json *open[BZ_JSON_DEPTH_MAX] __attribute__((uninitialized));
    size_t depth = 0;
    if (n == NULL) {
        latch(out, BZ_EINVAL);
        return;
    }
    while (out->st == BZ_OK) {
        if (depth != 0 && open[depth - 1]->type == BZ_JSON_OBJECT)
            put_str(out, n->key, (n->flags & BZ_JSON_KEY_CLEAN) != 0, ':');
        if (container(n)) {
            if (depth == BZ_JSON_DEPTH_MAX) {
                latch(out, BZ_EDEPTH);
                return;
            }
            put_byte(out, bracket(n));
            if (n->first != NULL) {
                open[depth++] = n;
                n = n->first;
                continue;
            }
            put_byte(out, (uint8_t)(bracket(n) + 2));
        } else {
            put_scalar(out, n);
        }
        while (depth != 0 && n->next == NULL) {
            n = open[--depth];
            put_byte(out, (uint8_t)(bracket(n) + 2));
        }
        if (depth == 0)
            return;
        put_byte(out, ',');
        n = n->next;
    }
}

void bz_jw_init(struct bz_jw *w, struct bz_buf *b) {
    *w = (struct bz_jw){.b = b};
}

/* Comma and place of the value that comes next. False: it has no place, or the buffer has
 * failed. */
static bool place(struct bz_jw *w) {
    uint64_t bit = (uint64_t)1 << w->depth;
    bool in_obj = (w->is_obj & bit) != 0;
    bool second_root = w->depth == 0 && (w->need_comma & 1) != 0;
    if (in_obj != w->after_key || second_root)
        latch(w->b, BZ_EINVAL);
    if (w->b->st != BZ_OK)
        return false;
    if (!w->after_key && (w->need_comma & bit) != 0)
        put_byte(w->b, ',');
    w->after_key = false;
    w->need_comma |= bit;
    return true;
}

static void open_level(struct bz_jw *w, bool is_obj) {
    if (!place(w))
        return;
    if (w->depth == BZ_JSON_DEPTH_MAX - 1) {
        latch(w->b, BZ_EDEPTH);
        return;
    }
    put_byte(w->b, is_obj ? '{' : '[');
    w->depth++;
    uint64_t bit = (uint64_t)1 << w->depth;
    w->need_comma &= ~bit;
    w->is_obj = is_obj ? w->is_obj | bit : w->is_obj & ~bit;
}

void bz_jw_obj(struct bz_jw *w) {
    open_level(w, true);
}

void bz_jw_arr(struct bz_jw *w) {
    open_level(w, false);
}

void bz_jw_end(struct bz_jw *w) {
    if (w->depth == 0 || w->after_key) {
        latch(w->b, BZ_EINVAL);
        return;
    }
    put_byte(w->b, (w->is_obj & (uint64_t)1 << w->depth) != 0 ? '}' : ']');
    w->depth--;
}

void bz_jw_key(struct bz_jw *w, const char *key) {
    uint64_t bit = (uint64_t)1 << w->depth;
    if (w->after_key || (w->is_obj & bit) == 0) {
        latch(w->b, BZ_EINVAL);
        return;
    }
    if ((w->need_comma & bit) != 0)
        put_byte(w->b, ',');
    bz_json_write_str(w->b, bz_view_str(key));
    put_byte(w->b, ':');
    w->after_key = true;
}

void bz_jw_str(struct bz_jw *w, struct bz_view v) {
    if (place(w))
        bz_json_write_str(w->b, v);
}

void bz_jw_u64(struct bz_jw *w, uint64_t v) {
    if (place(w))
        bz_buf_put_u64(w->b, v);
}

void bz_jw_i64(struct bz_jw *w, int64_t v) {
    if (place(w))
        bz_buf_put_i64(w->b, v);
}

void bz_jw_bool(struct bz_jw *w, bool v) {
    if (place(w))
        bz_buf_put(w->b, v ? BZ_V("true") : BZ_V("false"));
}

void bz_jw_null(struct bz_jw *w) {
    if (place(w))
        bz_buf_put(w->b, BZ_V("null"));
}

void bz_jw_raw(struct bz_jw *w, struct bz_view json) {
    if (place(w))
        bz_buf_put(w->b, json);
}

void bz_jw_time(struct bz_jw *w, uint64_t unix_ns) {
    if (!place(w))
        return;
    put_byte(w->b, '"');
    bz_buf_put_time(w->b, unix_ns);
    put_byte(w->b, '"');
}
