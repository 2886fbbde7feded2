/* GGUF: the words of the vocabulary that are no text, for whoever asks for them: those that an id names (end of
 * text, end of turn), control tokens, and tokens that whoever made the model defined. */
#include "gguf_int.h"

enum { NORMAL, NAMED, CONTROL, USER };    /* rises with how little is known of it */
enum { TYPE_CONTROL = 3, TYPE_USER = 4 }; /* enum llama_token_type */
enum { VOCAB_MAX = 1 << 20 };             /* tokens; the largest have 262,144 */

static uint64_t little(const uint8_t *p, size_t n) {
    uint64_t v = 0;
    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

static bool mark_types(struct gguf *g, uint8_t *kind) {
    struct bz_window w;
    size_t width = bz_gguf_width[g->types_elem];
    if (!g->has_types || g->types != g->tokens || width == 0)
        return true;
    if (bz_window_init(&w, g->s, &g->o->src, g->types_off) != BZ_OK)
        return false;
    for (uint64_t i = 0; i < g->types; i++) {
        struct bz_view v = bz_window_peek(&w, width);
        if (v.n < width)
            return false;
        uint64_t type = little(v.p, width);
        if (kind[i] == NORMAL && (type == TYPE_CONTROL || type == TYPE_USER))
            kind[i] = type == TYPE_CONTROL ? CONTROL : USER;
        bz_window_skip(&w, width);
    }
    return true;
}

/* One pass over the vocabulary: tokens of `which`. */
static bool tell(struct gguf *g, const uint8_t *kind, uint8_t which) {
    const struct bz_facts *f = bz_scan_options(g->s)->facts;
    struct bz_window w;
    if (bz_window_init(&w, g->s, &g->o->src, g->tokens_off) != BZ_OK)
        return false;
    for (uint64_t i = 0; i < g->tokens; i++) {
        struct bz_view v = bz_window_peek(&w, 8);
        if (v.n < 8)
            return false;
        uint64_t n = little(v.p, 8);
        bz_window_skip(&w, 8);
        v = kind[i] == which && n <= GGUF_TEXT_MAX ? bz_window_peek(&w, (size_t)n) : BZ_V("");
        if (v.n >= n && n > 0)
            f->special_token(f->ctx, bz_view_sub(v, 0, (size_t)n), which != USER);
        bz_window_skip(&w, n);
    }
    return true;
}

void gguf_vocab(struct gguf *g) {
    const struct bz_facts *f = bz_scan_options(g->s)->facts;
    if (f == NULL || f->special_token == NULL || !g->has_tokens || g->tokens > VOCAB_MAX)
        return;
    uint8_t *kind = bz_arena_zalloc(bz_scan_arena(g->s), (size_t)g->tokens + 1);
    if (kind == NULL) {
        g->st = BZ_ENOMEM;
        return;
    }
    for (size_t i = 0; i < g->ids_n; i++)
        if (g->ids[i].id < g->tokens)
            kind[g->ids[i].id] = NAMED;
    if (mark_types(g, kind) && tell(g, kind, NAMED) && tell(g, kind, CONTROL))
        (void)tell(g, kind, USER);
}
