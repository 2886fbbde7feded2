/* Corpora and scenarios from anybody. What is accepted can be sent, varied and named. */
#include <stdlib.h>
#include <bartizan/json.h>
#include <bartizan/limits.h>
#include <bartizan/redteam.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

static void is_json(struct bz_buf *b) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    bz_arena_init(&ar, bz_alloc_heap, (size_t)256 << 20, NULL, 0);
    if (bz_buf_status(b) == BZ_OK) {
        enum bz_status st = bz_json_parse(bz_buf_view(b), NULL, &ar, &root, NULL);
        MUST(st == BZ_OK || st == BZ_ETOOBIG || st == BZ_ENOMEM);
    }
    bz_arena_free(&ar);
}

static void attacks(const struct bz_red_corpus *c) {
    struct bz_red_rng r = {c->seeds_n};
    for (uint32_t i = 0; i < c->seeds_n && i < 8; i++) {
        struct bz_red_attack a;
        struct bz_buf b;
        bz_red_attack_random(c, i, &r, &a);
        bz_red_attack_vary(c, &r, &a);
        bz_buf_init(&b, BZ_RED_TEXT_MAX);
        bz_red_attack_request(c, &a, (enum bz_red_dialect)(i % BZ_RED_DIALECT_COUNT), BZ_V("m"),
                              &b);
        is_json(&b);
        bz_buf_reset(&b);
        bz_red_attack_name(c, &a, &b);
        MUST(b.n > 0);
        bz_buf_free(&b);
    }
}

static void scenarios(const struct bz_red_suite *s) {
    static const struct bz_red_seen seen = {{(const uint8_t *)"be kind", 7},
                                            {(const uint8_t *)"k7r2mq9tx4bw8zcd", 16}};
    struct bz_red_rng r = {s->n};
    for (uint32_t i = 0; i < s->n && i < 8; i++) {
        struct bz_red_trick t;
        struct bz_buf b;
        bz_red_trick_random(s, i, &r, &t);
        bz_buf_init(&b, BZ_RED_TEXT_MAX);
        bz_red_trick_request(s, &t, BZ_V("m"), &b);
        is_json(&b);
        bz_buf_reset(&b);
        bz_red_model_reply(s, &t, &seen, 0, &b);
        bz_buf_free(&b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_arena ar;
    struct bz_red_error err = {.line = 0};
    bz_arena_init(&ar, bz_alloc_heap, (size_t)64 << 20, NULL, 0);
    struct bz_red_corpus c = {.ar = &ar};
    struct bz_red_suite s = {.ar = &ar};
    enum bz_status st = bz_red_corpus_add(&c, bz_view(data, size), &err);
    if (st == BZ_OK && bz_red_corpus_check(&c, &err) == BZ_OK)
        attacks(&c);
    else
        MUST(st != BZ_ESYNTAX || (err.text[0] != '\0' && err.line > 0));
    st = bz_red_suite_add(&s, bz_view(data, size), &err);
    if (st == BZ_OK)
        scenarios(&s);
    else
        MUST(st != BZ_ESYNTAX || (err.text[0] != '\0' && err.line > 0));
    bz_arena_free(&ar);
    return 0;
}
