/* What the tests of readings share. */
#ifndef READINGS_KIT_H
#define READINGS_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <bartizan/injection.h>

static struct bz_arena ar;

static inline int open_arena(void **state) {
    (void)state;
    bz_arena_init(&ar, bz_alloc_heap, 256u << 20, NULL, 0);
    return 0;
}

static inline int close_arena(void **state) {
    (void)state;
    bz_arena_free(&ar);
    return 0;
}

static inline size_t readings(struct bz_view text, struct bz_reading **r) {
    size_t n = 0;
    assert_int_equal(bz_readings(text, &ar, r, &n), BZ_OK);
    assert_true(n >= 1 && n <= BZ_READINGS_MAX);
    assert_int_equal((*r)[0].how_n, 0);
    return n;
}

static inline struct bz_view canonical(struct bz_view text) {
    struct bz_reading *r = NULL;
    readings(text, &r);
    return r[0].text;
}

static inline bool holds(struct bz_view v, const char *what) {
    return v.n != 0 && memmem(v.p, v.n, what, strlen(what)) != NULL;
}

/* The reading that holds `want` and came about by `how` ("base64 gzip"); NULL: none. */
static inline const struct bz_reading *find_reading(struct bz_view text, const char *want,
                                                    const char *how) {
    struct bz_reading *r = NULL;
    size_t n = readings(text, &r);
    for (size_t i = 0; i < n; i++) {
        char path[128] = "";
        size_t at = 0;
        for (size_t k = 0; k < r[i].how_n; k++) {
            const char *name = bz_decoding_name((enum bz_decoding)r[i].how[k]);
            at += (size_t)snprintf(path + at, sizeof path - at, "%s%s", k == 0 ? "" : " ", name);
        }
        if (holds(r[i].text, want) && strcmp(path, how) == 0)
            return &r[i];
    }
    return NULL;
}

#endif
