/* First byte: dialect and strip; second: how the rest is cut. Every cut gives the same output and
 * the same verdict, with kept forms of usual events and without, and whatever leaves is itself a
 * stream that passes unchanged. */
#include <stdio.h>
#include <stdlib.h>

#include <bartizan/dialect.h>

struct result {
    enum bz_status st;
    struct bz_buf out;
    struct bz_usage usage;
    bool done;
};

static const struct bz_route routes[BZ_DIALECT_COUNT] = {
    {.dialect = BZ_DIALECT_OPENAI, .api = BZ_API_CHAT, .scope = "chat"},
    {.dialect = BZ_DIALECT_RESPONSES, .api = BZ_API_RESPONSES, .scope = "chat"},
    {.dialect = BZ_DIALECT_ANTHROPIC, .api = BZ_API_MESSAGES, .scope = "chat"},
    {.dialect = BZ_DIALECT_OLLAMA, .api = BZ_API_OLLAMA_CHAT, .scope = "chat"},
    {.dialect = BZ_DIALECT_LLAMACPP, .api = BZ_API_LLAMA_COMPLETION, .scope = "chat"},
    {.dialect = BZ_DIALECT_MCP, .api = BZ_API_MCP, .scope = "mcp"},
};

/* The next piece: all, up to 40 bytes, or to the end of an event, as servers write them. */
static size_t piece_of(struct bz_view in, uint32_t seed, bool events) {
    size_t n = 1;
    if (!events)
        return seed == 0 ? in.n : 1 + (seed >> 24) % 40;
    while (n < in.n && (in.p[n - 1] != '\n' || in.p[n] == '\n'))
        n++;
    return n;
}

static struct result run(const struct bz_route *r, bool strip, struct bz_view in, uint32_t seed,
                         bool end, bool events, struct bz_shapes *shapes) {
    struct result res = {.st = BZ_OK};
    struct bz_stream s;
    bz_stream_init(&s, r, strip);
    s.shapes = shapes;
    bz_buf_init(&res.out, 64u << 20);
    while (in.n != 0 && res.st == BZ_OK) {
        seed = seed * 1664525u + 1013904223u;
        struct bz_view piece = bz_view_sub(in, 0, piece_of(in, seed, events));
        uint8_t *copy = malloc(piece.n);
        if (copy == NULL)
            abort();
        memcpy(copy, piece.p, piece.n);
        struct bz_arena ar;
        bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
        res.st = bz_stream_feed(&s, bz_view(copy, piece.n), &ar, &res.out);
        bz_arena_free(&ar);
        free(copy);
        in = bz_view_sub(in, piece.n, in.n);
    }
    res.done = s.done;
    if (res.st == BZ_OK && end)
        res.st = bz_stream_end(&s, &res.out);
    res.usage = s.usage;
    bz_stream_done(&s);
    return res;
}

static void same(const struct result *a, const struct result *b) {
    if (a->st != b->st || a->out.n != b->out.n ||
        (a->out.n != 0 && memcmp(a->out.p, b->out.p, a->out.n) != 0) ||
        a->usage.prompt != b->usage.prompt || a->usage.completion != b->usage.completion ||
        a->usage.known != b->usage.known)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    const struct bz_route *r = &routes[(data[0] & 15) % BZ_DIALECT_COUNT];
    bool strip = (data[0] & 16) != 0;
    struct bz_view in = bz_view(data + 2, size - 2);
    struct result whole = run(r, strip, in, 0xa8ee0be9u, true, false, NULL);
    struct bz_shapes *shapes = calloc(1, sizeof *shapes);
    if (shapes == NULL)
        abort();
    for (int i = 0; i < 3; i++) { /* later ones from forms that the first one left */
        struct result cut = run(r, strip, in, data[1] * 2654435761u + 1, true, i == 2, shapes);
        same(&whole, &cut);
        bz_buf_free(&cut.out);
    }
    free(shapes);
    /* What left is a fixed point: same bytes again, no error before its end. */
    struct result again = run(r, false, bz_buf_view(&whole.out), data[1], false, false, NULL);
    if (again.st != BZ_OK || again.out.n != whole.out.n ||
        (whole.out.n != 0 && memcmp(again.out.p, whole.out.p, whole.out.n) != 0))
        abort();
    bz_buf_free(&whole.out);
    bz_buf_free(&again.out);
    return 0;
}
