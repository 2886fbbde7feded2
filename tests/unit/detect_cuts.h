/* Every sample of a group at every cut: the stream says what the whole text says. */
#ifndef DETECT_CUTS_H
#define DETECT_CUTS_H

#include "detect_kit.h"

#include <stdlib.h>

typedef bool (*sample_fn)(size_t type, unsigned seed, struct bz_buf *out);

struct group {
    enum bz_class cls;
    size_t first, n; /* numbers of its types */
    sample_fn sample;
};

static inline struct group group_of(enum bz_class cls, sample_fn sample) {
    const struct bz_type *types = NULL;
    size_t n = bz_type_list(&types);
    struct group g = {.cls = cls, .sample = sample};
    for (size_t i = 0; i < n; i++) {
        if (types[i].cls == cls && g.n++ == 0)
            g.first = i;
    }
    return g;
}

static inline void forget(struct kit *k) {
    bz_arena_free(&k->ar);
}

/* Each sample alone is found, and the same at every cut: held for alone, with all, by default. */
static inline void cuts_each(struct kit *k, const struct group *g, unsigned seeds) {
    struct bz_type_set usual = {0};
    assert_true(bz_type_set_add_name(&usual, BZ_V("secrets")));
    assert_true(bz_type_set_add_name(&usual, BZ_V("checksum")));
    struct bz_buf b;
    bz_buf_init(&b, 1 << 20);
    size_t bad = 0;
    for (size_t t = 0; t < g->n; t++) {
        struct bz_type_set one = {0};
        bz_type_set_add(&one, g->first + t);
        for (unsigned seed = 0; seed < seeds; seed++) {
            bz_buf_reset(&b);
            if (!g->sample(t, seed, &b))
                continue;
            struct bz_view text = bz_buf_view(&b);
            struct bz_findings f = kit_scan(k, text, BZ_TEXT_PLAIN, NULL, &one);
            struct bz_findings own = kit_only(k, &f, &one);
            if (own.n == 0) {
                kit_print(k, bz_detect_type(k->d, g->first + t)->name, &f, text);
                fprintf(stderr, "# %.*s\n", (int)text.n, (const char *)text.p);
                bad++;
            }
            bool same = kit_agree_everywhere(k, text, BZ_TEXT_PLAIN, NULL, &one) &&
                        kit_agree_everywhere(k, text, BZ_TEXT_PLAIN, &usual, NULL) &&
                        kit_agree_everywhere(k, text, BZ_TEXT_PLAIN, NULL, NULL);
            if (!same)
                fprintf(stderr, "# ^ sample of %s, seed %u\n",
                        bz_detect_type(k->d, g->first + t)->name, seed);
            bad += !same;
            forget(k);
        }
    }
    bz_buf_free(&b);
    assert_int_equal(bad, 0);
}

static inline void put_noise(struct bz_buf *b, uint64_t *x) {
    static const char *const noise[] = {
        " ",  "\n",       "the ",   "A ",           "call us ", "12 ",   "7", "\xe2\x80\x8b",
        ": ", "key = ",   "GB ",    "sk-",          "4111 ",    "x",     "-", "\xc3\xbc",
        "/",  "\"",       "ghp_",   "password: ",   "@",        "+49 ",  "=", "\xef\xbc\x91",
        "<",  "https://", "token ", "CONFIDENTIAL", ".",        "a.b@c", "_", "0x",
    };
    bz_buf_puts(b, noise[kit_random(x) % (sizeof noise / sizeof noise[0])]);
}

/* Samples and noise side by side, some of it broken, at random cuts. */
static inline void cuts_mixed(struct kit *k, const struct group *g, unsigned rounds,
                              enum bz_text_mode mode) {
    struct bz_buf b;
    bz_buf_init(&b, 1 << 20);
    uint64_t x = 99;
    size_t bad = 0;
    for (unsigned r = 0; r < rounds && bad < 5; r++) {
        bz_buf_reset(&b);
        for (unsigned parts = 1 + (unsigned)(kit_random(&x) % 5); parts > 0; parts--) {
            for (unsigned n = (unsigned)(kit_random(&x) % 4); n > 0; n--)
                put_noise(&b, &x);
            size_t had = b.n;
            if (g->sample(kit_random(&x) % g->n, (unsigned)kit_random(&x), &b) &&
                kit_random(&x) % 3 == 0 && b.n > had + 1)
                b.n -= kit_random(&x) % (b.n - had); /* cut off, at a code point */
            while (b.n < b.cap && b.n > 0 && (b.p[b.n] & 0xc0) == 0x80)
                b.n--;
        }
        size_t cuts[64];
        size_t n = 0;
        size_t at = 0;
        while (n < 64 && at < b.n) {
            at += kit_random(&x) % (r % 2 == 0 ? 12 : 60);
            while (!kit_is_cut(bz_buf_view(&b), at))
                at++;
            if (at <= b.n)
                cuts[n++] = at;
        }
        bad += !kit_agree(k, bz_buf_view(&b), mode, NULL, NULL, cuts, n);
        struct bz_type_set hold = {0}; /* any part of the types */
        for (size_t i = 0; i < BZ_TYPES_MAX / 64; i++)
            hold.w[i] = kit_random(&x) & kit_random(&x);
        bad += !kit_agree(k, bz_buf_view(&b), mode, NULL, &hold, cuts, n);
        forget(k);
    }
    bz_buf_free(&b);
    assert_int_equal(bad, 0);
}

#endif
