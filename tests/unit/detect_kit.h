/* For tests of detection: a pack in memory, findings as lists, the same text whole and in pieces. */
#ifndef DETECT_KIT_H
#define DETECT_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include <bartizan/crypto.h>
#include <bartizan/detect.h>

struct kit {
    struct bz_detect *d;
    struct bz_arena ar;
    struct bz_buf pack;
};

static inline void kit_open(struct kit *k, const struct bz_custom *custom, size_t n) {
    struct bz_custom_error err = {0};
    assert_int_equal(bz_crypto_init(), BZ_OK);
    bz_arena_init(&k->ar, bz_alloc_heap, 256u << 20, NULL, 0);
    bz_buf_init(&k->pack, 64u << 20);
    enum bz_status st = bz_detect_compile(custom, n, &k->pack, &err);
    if (st != BZ_OK)
        fail_msg("compile: %s: %zu: %s", bz_status_text(st), err.index, err.text);
    assert_int_equal(bz_detect_open(bz_buf_view(&k->pack), &k->d), BZ_OK);
}

static inline void kit_close(struct kit *k) {
    bz_detect_close(k->d);
    bz_arena_free(&k->ar);
    bz_buf_free(&k->pack);
}

static inline struct bz_findings kit_scan(struct kit *k, struct bz_view text,
                                          enum bz_text_mode mode, const struct bz_type_set *want,
                                          const struct bz_type_set *hold) {
    struct bz_findings f = {.ar = &k->ar};
    assert_int_equal(bz_detect_scan(k->d, text, mode, want, hold, &k->ar, &f), BZ_OK);
    return f;
}

static inline bool kit_held(const struct bz_type_set *hold, size_t type) {
    return hold == NULL || bz_type_set_has(hold, type);
}

static inline void kit_print(const struct kit *k, const char *what, const struct bz_findings *f,
                             struct bz_view text) {
    fprintf(stderr, "# %s: %zu findings\n", what, f->n);
    for (size_t i = 0; i < f->n; i++)
        fprintf(stderr, "#   %s [%llu,%llu) proof %u quoted %u: %.*s\n",
                bz_detect_type(k->d, f->v[i].type)->name, (unsigned long long)f->v[i].start,
                (unsigned long long)f->v[i].end, f->v[i].proof, f->v[i].quoted,
                (int)(f->v[i].end - f->v[i].start), (const char *)text.p + f->v[i].start);
}

/* Only what is held for. */
static inline struct bz_findings kit_only(struct kit *k, const struct bz_findings *f,
                                          const struct bz_type_set *hold) {
    struct bz_findings r = {.ar = &k->ar};
    r.v = bz_arena_alloc(&k->ar, (f->n + 1) * sizeof *r.v);
    assert_non_null(r.v);
    for (size_t i = 0; i < f->n; i++) {
        if (kit_held(hold, f->v[i].type))
            r.v[r.n++] = f->v[i];
    }
    return r;
}

static inline bool kit_same(const struct bz_findings *a, const struct bz_findings *b) {
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct bz_finding *x = &a->v[i];
        const struct bz_finding *y = &b->v[i];
        if (x->start != y->start || x->end != y->end || x->type != y->type ||
            x->proof != y->proof || x->cls != y->cls || x->quoted != y->quoted ||
            x->level != y->level)
            return false;
    }
    return true;
}

/* The text in pieces that end at cuts[0..n) (rising) and at its end. */
static inline struct bz_findings kit_watch(struct kit *k, struct bz_view text,
                                           enum bz_text_mode mode, const struct bz_type_set *want,
                                           const struct bz_type_set *hold, const size_t *cuts,
                                           size_t cuts_n) {
    struct bz_findings f = {.ar = &k->ar};
    struct bz_watch w;
    uint64_t settled = 0;
    uint64_t before = 0;
    size_t from = 0;
    bz_watch_init(&w, mode, want);
    for (size_t i = 0; i <= cuts_n; i++) {
        size_t to = i < cuts_n ? cuts[i] : text.n;
        size_t had = f.n;
        assert_int_equal(bz_watch_feed(k->d, &w, bz_view_sub(text, from, to - from), i == cuts_n,
                                       hold, &k->ar, &f, &settled),
                         BZ_OK);
        assert_true(settled >= before && settled <= to);
        for (size_t j = had; j < f.n; j++) {
            assert_true(f.v[j].end <= settled);
            if (kit_held(hold, f.v[j].type))
                assert_true(f.v[j].start >= before);
        }
        assert_true(w.win.n <= BZ_WATCH_MAX);
        before = settled;
        from = to;
    }
    assert_int_equal(settled, text.n);
    bz_watch_done(&w);
    return f;
}

/* Whole and cut are the same for what is held for; prints the difference. */
static inline bool kit_agree(struct kit *k, struct bz_view text, enum bz_text_mode mode,
                             const struct bz_type_set *want, const struct bz_type_set *hold,
                             const size_t *cuts, size_t cuts_n) {
    struct bz_findings all = kit_scan(k, text, mode, want, hold);
    struct bz_findings whole = kit_only(k, &all, hold);
    struct bz_findings pieces = kit_watch(k, text, mode, want, hold, cuts, cuts_n);
    struct bz_findings cut = kit_only(k, &pieces, hold);
    if (kit_same(&whole, &cut))
        return true;
    fprintf(stderr, "# text: %.*s\n# cuts:", (int)text.n, (const char *)text.p);
    for (size_t i = 0; i < cuts_n && i < 20; i++)
        fprintf(stderr, " %zu", cuts[i]);
    fprintf(stderr, "\n");
    kit_print(k, "whole", &whole, text);
    kit_print(k, "cut", &cut, text);
    return false;
}

static inline bool kit_is_cut(struct bz_view text, size_t at) {
    return at >= text.n || (text.p[at] & 0xc0) != 0x80;
}

/* Every cut into two, and every byte by itself. */
static inline bool kit_agree_everywhere(struct kit *k, struct bz_view text, enum bz_text_mode mode,
                                        const struct bz_type_set *want,
                                        const struct bz_type_set *hold) {
    size_t all[4096];
    size_t n = 0;
    for (size_t at = 0; at <= text.n && at < 4096; at++) {
        if (!kit_is_cut(text, at))
            continue;
        if (!kit_agree(k, text, mode, want, hold, &at, 1))
            return false;
        all[n++] = at;
    }
    return kit_agree(k, text, mode, want, hold, all, n);
}

/* Deterministic numbers. */
static inline uint64_t kit_random(uint64_t *x) {
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

#endif
