/* Small text helpers of the collectors. Pure. */
#include <stdio.h>
#include "posture_int.h"

void *pt_grow(struct bz_arena *ar, void *v, size_t n, size_t *cap, size_t size) {
    if (n < *cap)
        return v;
    size_t want = *cap == 0 ? 8 : *cap * 2;
    void *p = want > SIZE_MAX / 2 / size ? NULL : bz_arena_alloc(ar, want * size);
    if (p == NULL)
        return NULL;
    if (n > 0)
        memcpy(p, v, n * size);
    *cap = want;
    return p;
}

bool pt_views_add(struct bz_arena *ar, struct pt_views *l, struct bz_view v) {
    if (l->n == l->cap) {
        size_t want = l->cap == 0 ? 8 : l->cap * 2;
        struct bz_view *p = bz_arena_alloc(ar, want * sizeof *p);
        if (p == NULL)
            return false;
        if (l->n > 0)
            memcpy(p, l->v, l->n * sizeof *p);
        l->v = p;
        l->cap = want;
    }
    l->v[l->n++] = v;
    return true;
}

static bool blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct bz_view pt_trim(struct bz_view v) {
    while (v.n > 0 && blank(v.p[0]))
        v = bz_view_sub(v, 1, v.n - 1);
    while (v.n > 0 && blank(v.p[v.n - 1]))
        v.n--;
    return v;
}

bool pt_line(struct bz_view *rest, struct bz_view *ret) {
    if (rest->n == 0)
        return false;
    const uint8_t *nl = memchr(rest->p, '\n', rest->n);
    size_t n = nl == NULL ? rest->n : (size_t)(nl - rest->p);
    *ret = bz_view_sub(*rest, 0, n);
    *rest = bz_view_sub(*rest, n + 1, rest->n);
    return true;
}

bool pt_word(struct bz_view *rest, struct bz_view *ret) {
    *rest = pt_trim(*rest);
    size_t n = 0;
    while (n < rest->n && !blank(rest->p[n]))
        n++;
    if (n == 0)
        return false;
    *ret = bz_view_sub(*rest, 0, n);
    *rest = bz_view_sub(*rest, n, rest->n);
    return true;
}

bool pt_split(struct bz_view v, uint8_t sep, struct bz_view *left, struct bz_view *right) {
    const uint8_t *at = v.n == 0 ? NULL : memchr(v.p, sep, v.n);
    if (at == NULL)
        return false;
    size_t n = (size_t)(at - v.p);
    *left = bz_view_sub(v, 0, n);
    *right = bz_view_sub(v, n + 1, v.n);
    return true;
}

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool pt_has(struct bz_view v, const char *needle) {
    size_t n = strlen(needle);
    for (size_t i = 0; i + n <= v.n; i++) {
        size_t k = 0;
        while (k < n && lower(v.p[i + k]) == lower((uint8_t)needle[k]))
            k++;
        if (k == n)
            return true;
    }
    return false;
}

bool pt_is(struct bz_view v, const char *text) {
    return bz_view_eq(v, bz_view_str(text));
}

bool pt_is_any(struct bz_view v, const char *const *list) {
    for (; *list != NULL; list++) {
        if (pt_is(v, *list))
            return true;
    }
    return false;
}

bool pt_starts(struct bz_view v, const char *text) {
    return bz_view_starts(v, bz_view_str(text));
}

bool pt_ends(struct bz_view v, const char *text) {
    size_t n = strlen(text);
    return v.n >= n && memcmp(v.p + v.n - n, text, n) == 0;
}

size_t pt_find(struct bz_view v, const char *needle) {
    const uint8_t *at = v.n == 0 ? NULL : memmem(v.p, v.n, needle, strlen(needle));
    return at == NULL ? SIZE_MAX : (size_t)(at - v.p);
}

struct bz_view pt_base(struct bz_view path) {
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '/')
        at--;
    return bz_view_sub(path, at, path.n);
}

struct bz_view pt_dir(struct bz_view path) {
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '/')
        at--;
    return at <= 1 ? BZ_V("/") : bz_view_sub(path, 0, at - 1);
}

struct bz_view pt_fmt(struct bz_arena *ar, const char *fmt, ...) {
    char mem[1200];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(mem, sizeof mem, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n >= sizeof mem ? sizeof mem - 1 : (size_t)n;
    struct bz_view v = bz_arena_dup(ar, bz_view(mem, len));
    return v.p == NULL ? BZ_V("") : v;
}

uint64_t pt_num(struct bz_view v, uint64_t otherwise) {
    uint64_t n;
    return bz_view_u64(v, &n) == BZ_OK ? n : otherwise;
}

bool pt_true(struct bz_view v) {
    static const char *const yes[] = {"1",   "true", "True", "TRUE", "yes",
                                      "Yes", "on",   "On",   "ON",   NULL};
    return pt_is_any(v, yes);
}

bool pt_loopback_name(struct bz_view host) {
    if (host.n > 2 && host.p[0] == '[')
        host = bz_view_sub(host, 1, host.n - 2);
    return pt_starts(host, "127.") || pt_is(host, "::1") || pt_is(host, "localhost") ||
           pt_is(host, "::ffff:127.0.0.1") || pt_ends(host, ".localhost");
}

/* One word of a command line, unquoted into `out`; false at the end. */
static bool shell_word(struct bz_view *rest, uint8_t *out, size_t *ret_n) {
    uint8_t quote = 0;
    size_t i = 0, n = 0;
    bool any = false;
    while (i < rest->n && blank(rest->p[i]))
        i++;
    for (; i < rest->n; i++) {
        uint8_t c = rest->p[i];
        if (quote == 0 && blank(c))
            break;
        any = true;
        if (quote == 0 && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == quote && quote != 0) {
            quote = 0;
        } else if (c == '\\' && quote != '\'' && i + 1 < rest->n) {
            out[n++] = rest->p[++i];
        } else {
            out[n++] = c;
        }
    }
    *rest = bz_view_sub(*rest, i, rest->n);
    *ret_n = n;
    return any;
}

void pt_shell_words(struct bz_arena *ar, struct bz_view line, struct pt_views *out) {
    uint8_t *mem = bz_arena_alloc(ar, line.n + 1);
    size_t n = 0;
    while (mem != NULL && out->n < BZ_POSTURE_ARGS_MAX && shell_word(&line, mem, &n)) {
        if (!pt_views_add(ar, out, bz_view(mem, n)))
            return;
        mem += n;
    }
}
