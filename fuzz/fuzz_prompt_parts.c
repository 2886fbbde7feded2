/* Control tokens and their literal form, marks, templates, and the rules of prompts as a hostile blob.
 * The first byte chooses. */
#include <bartizan/prompts.h>

#include <stdlib.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

static bool within(struct bz_view part, struct bz_view whole) {
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void tokens(struct bz_view text, size_t own_n) {
    const struct bz_view own[] = {BZ_V("<|x"), BZ_V("@@turn@@"), BZ_V("</s>"), BZ_V("a b")};
    struct bz_arena ar;
    struct bz_token_hit hit;
    struct bz_view out;
    struct bz_view again;
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    for (size_t at = 0; bz_token_find(text, at, own, own_n, &hit); at = hit.start + 1)
        MUST(hit.start >= at && hit.end > hit.start && hit.end <= text.n && hit.family.n != 0);
    MUST(bz_tokens_literal(text, own, own_n, &ar, &out) == BZ_OK);
    MUST(!bz_token_find(out, 0, own, own_n, &hit));
    MUST(bz_tokens_literal(out, own, own_n, &ar, &again) == BZ_OK && again.p == out.p);
    bz_arena_free(&ar);
}

static void marks(struct bz_view text, uint8_t how) {
    static const uint8_t rnd[10] = {0}; /* "aaaaaaaaaaaaaaaa": texts of the fuzzer bring it along */
    struct bz_arena ar;
    struct bz_mark m;
    struct bz_view out;
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    bz_mark_make((enum bz_marking)(how % BZ_MARKING_COUNT), rnd, &m);
    MUST(bz_mark_text(&m, text, &ar, &out) == BZ_OK);
    size_t n = 0;
    for (const uint8_t *p = out.p; m.how != BZ_MARKING_NONE; n++, p++) {
        p = memmem(p, (size_t)(out.p + out.n - p), m.text, 16);
        if (p == NULL)
            break;
    }
    MUST(n == (m.how == BZ_MARKING_NONE ? 0 : 2));
    bz_arena_free(&ar);
}

static void blob(struct bz_view v) {
    struct bz_prompts p;
    struct bz_prompt_rule r;
    struct bz_view out[8];
    static const char *const names[] = {"", "m", "user", "chat", "k1"};
    if (bz_prompts_open(v, &p) != BZ_OK)
        return;
    for (size_t i = 0; i < 125; i++) {
        if (bz_prompts_find(&p, bz_view_str(names[i % 5]), bz_view_str(names[i / 5 % 5]),
                            bz_view_str(names[i / 25]), &r)) {
            MUST(within(r.text, v) && within(r.id, v) && r.client < BZ_CLIENT_SYSTEM_COUNT);
            MUST(r.marking < BZ_MARKING_COUNT && r.tokens < BZ_TOKENS_COUNT);
        }
    }
    for (size_t i = 0; i < 5; i++) {
        size_t n = bz_prompts_tokens(&p, bz_view_str(names[i]), out, 8);
        MUST(n <= 8);
        for (size_t k = 0; k < n; k++)
            MUST(within(out[k], v));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_view out[16];
    if (size == 0)
        return 0;
    struct bz_view rest = bz_view(data + 1, size - 1);
    switch (data[0] & 3) {
    case 0:
        tokens(rest, data[0] >> 2 & 3);
        break;
    case 1:
        marks(rest, data[0] >> 2);
        break;
    case 2:
        blob(rest);
        break;
    default: {
        size_t n = bz_tokens_of_template(rest, out, 16);
        MUST(n <= 16);
        for (size_t i = 0; i < n; i++)
            MUST(within(out[i], rest) && out[i].n >= 3);
        break;
    }
    }
    return 0;
}
