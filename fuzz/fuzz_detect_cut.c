/* A text whole and in pieces: the same findings of what is held for, all within bounds, settled text
 * never taken back. The first bytes choose the mode, the types and where it is cut. */
#include <bartizan/crypto.h>
#include <bartizan/detect.h>

#include <stdlib.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

enum { HEAD = 6 };

static struct bz_detect *detector(void) {
    static struct bz_detect *d;
    if (d != NULL)
        return d;
    const struct bz_view words[] = {BZ_V("projekt falke"), BZ_V("falke"), BZ_V("M\xc3\xbcller")};
    const struct bz_view anywhere[] = {BZ_V("zzq"), BZ_V("-=x=-")};
    const struct bz_custom customs[] = {
        {.name = BZ_V("NAME"),
         .words = words,
         .words_n = 3,
         .nocase = true,
         .whole_word = true,
         .cls = BZ_CLASS_CUSTOM},
        {.name = BZ_V("ODD"), .words = anywhere, .words_n = 2, .cls = BZ_CLASS_CUSTOM},
        {.name = BZ_V("PART"),
         .pattern = BZ_V("\\bP[0-9]{3,9}(/[a-z]{1,40})?$"),
         .cls = BZ_CLASS_CUSTOM},
    };
    struct bz_buf pack;
    bz_buf_init(&pack, 64u << 20);
    MUST(bz_crypto_init() == BZ_OK);
    MUST(bz_detect_compile(customs, 3, &pack, NULL) == BZ_OK);
    MUST(bz_detect_open(bz_buf_view(&pack), &d) == BZ_OK);
    bz_buf_free(&pack);
    return d;
}

struct input {
    struct bz_view text;
    enum bz_text_mode mode;
    struct bz_type_set hold;
    const struct bz_type_set *held; /* NULL: all */
    uint32_t cuts;
};

static struct input input_of(const uint8_t *data, size_t size) {
    struct input in = {.text = bz_view(data + HEAD, size - HEAD),
                       .mode = (data[0] & 1) != 0 ? BZ_TEXT_JSON : BZ_TEXT_PLAIN};
    static const char *const sets[] = {"*", "secrets", "pii", "checksum", "labels", "custom"};
    in.held = (data[0] & 2) != 0 ? NULL : &in.hold;
    MUST(bz_type_set_add_name(&in.hold, bz_view_str(sets[data[1] % 6])));
    for (size_t i = 0; (data[0] & 4) != 0 && i < BZ_TYPES_MAX / 64; i++)
        in.hold.w[i] &= UINT64_C(0x9e3779b97f4a7c15) * (data[2] + i + 1);
    in.cuts = (uint32_t)(data[3] | data[4] << 8 | data[5] << 16);
    return in;
}

static bool held(const struct input *in, size_t type) {
    return in->held == NULL || bz_type_set_has(in->held, type);
}

/* The next cut: pieces of up to 1, 16 or 256 bytes, never within a code point. */
static size_t cut(struct input *in, size_t at) {
    static const uint32_t most[] = {1, 16, 256, 16};
    in->cuts = in->cuts * 1664525u + 1013904223u;
    at += (in->cuts >> 16) % (most[in->cuts >> 9 & 3] + 1);
    while (at < in->text.n && (in->text.p[at] & 0xc0) == 0x80)
        at++;
    return at < in->text.n ? at : in->text.n;
}

static void in_bounds(const struct bz_findings *f, size_t from, uint64_t n) {
    for (size_t i = from; i < f->n; i++)
        MUST(f->v[i].start < f->v[i].end && f->v[i].end <= n);
}

static void watch(struct bz_detect *d, struct input *in, struct bz_arena *ar,
                  struct bz_findings *f) {
    struct bz_watch w;
    uint64_t before = 0;
    bz_watch_init(&w, in->mode, NULL);
    for (size_t from = 0, to = 0, last = 0; last == 0; from = to) {
        uint64_t settled = 0;
        size_t had = f->n;
        to = cut(in, from);
        last = to == in->text.n;
        MUST(bz_watch_feed(d, &w, bz_view_sub(in->text, from, to - from), last != 0, in->held, ar,
                           f, &settled) == BZ_OK);
        MUST(settled >= before && settled <= to && w.win.n <= BZ_WATCH_MAX);
        in_bounds(f, had, settled);
        for (size_t i = had; i < f->n; i++)
            MUST(!held(in, f->v[i].type) || f->v[i].start >= before);
        before = settled;
    }
    MUST(before == in->text.n);
    bz_watch_done(&w);
}

static void same(const struct input *in, const struct bz_findings *a, const struct bz_findings *b) {
    size_t i = 0;
    size_t j = 0;
    for (;; i++, j++) {
        while (i < a->n && !held(in, a->v[i].type))
            i++;
        while (j < b->n && !held(in, b->v[j].type))
            j++;
        if (i == a->n || j == b->n)
            break;
        MUST(a->v[i].start == b->v[j].start && a->v[i].end == b->v[j].end);
        MUST(a->v[i].type == b->v[j].type && a->v[i].proof == b->v[j].proof);
        MUST(a->v[i].quoted == b->v[j].quoted && a->v[i].level == b->v[j].level);
    }
    MUST(i == a->n && j == b->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < HEAD || size > 1 << 16)
        return 0;
    struct bz_detect *d = detector();
    struct input in = input_of(data, size);
    if (in.held != NULL)
        in.held = &in.hold; /* it was copied */
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 256u << 20, NULL, 0);
    struct bz_findings whole = {.ar = &ar};
    struct bz_findings pieces = {.ar = &ar};
    MUST(bz_detect_scan(d, in.text, in.mode, NULL, in.held, &ar, &whole) == BZ_OK);
    in_bounds(&whole, 0, in.text.n);
    for (size_t i = 1; i < whole.n; i++)
        MUST(whole.v[i - 1].end <= whole.v[i].start);
    watch(d, &in, &ar, &pieces);
    same(&in, &whole, &pieces);
    bz_arena_free(&ar);
    return 0;
}
