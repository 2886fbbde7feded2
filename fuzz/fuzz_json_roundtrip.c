/* Parse(Write(t)) == t, writing is a fixed point, folding only ever refuses more, and bz_put_safe
 * gives printable text. The first byte chooses the caps. */
#include <bartizan/json.h>
#include <bartizan/text.h>

#include <stdlib.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

static void same(const struct bz_json *a, const struct bz_json *b) {
    for (; a != NULL && b != NULL; a = a->next, b = b->next) {
        MUST(a->type == b->type && a->count == b->count && a->depth == b->depth);
        MUST(bz_view_eq(a->key, b->key) && bz_view_eq(a->val, b->val));
        same(a->first, b->first);
    }
    MUST(a == NULL && b == NULL);
}

static void round_trip(struct bz_arena *ar, const struct bz_json *root) {
    struct bz_buf once, twice;
    bz_buf_init(&once, 64u << 20);
    bz_buf_init(&twice, 64u << 20);
    bz_json_write(&once, root);
    MUST(once.st == BZ_OK);
    struct bz_json *again = NULL;
    MUST(bz_json_parse(bz_buf_view(&once), NULL, ar, &again, NULL) == BZ_OK);
    same(root, again);
    bz_json_write(&twice, again);
    MUST(bz_view_eq(bz_buf_view(&once), bz_buf_view(&twice)));
    bz_buf_free(&once);
    bz_buf_free(&twice);
}

static void printable(struct bz_view in) {
    struct bz_buf b;
    bz_buf_init(&b, 64u << 20);
    bz_put_safe(&b, in);
    MUST(b.st == BZ_OK && bz_utf8_valid(bz_buf_view(&b)) == b.n);
    for (size_t i = 0; i < b.n; i++)
        MUST(b.p[i] >= 0x20 && b.p[i] != 0x7f);
    bz_buf_reset(&b);
    bz_json_write_str(&b, in);
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    enum bz_status st = bz_json_check(bz_buf_view(&b), NULL, &ar, NULL);
    bool nul = in.n != 0 && memchr(in.p, 0, in.n) != NULL; /* written as \u0000, which is refused */
    MUST(b.st == BZ_OK && st == (nul ? BZ_ESYNTAX : BZ_OK));
    bz_arena_free(&ar);
    bz_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    struct bz_view in = bz_view(data + 1, size - 1);
    struct bz_json_opts opts = {.max_depth = data[0] >> 5, .max_keys = data[0] >> 2 & 31};
    struct bz_json_opts fold = opts;
    fold.fold_keys = true;
    struct bz_arena ar;
    struct bz_json *root = NULL;
    struct bz_json *folded = NULL;
    bz_arena_init(&ar, bz_alloc_heap, 256u << 20, NULL, 0);
    enum bz_status st = bz_json_parse(in, &opts, &ar, &root, NULL);
    enum bz_status fst = bz_json_parse(in, &fold, &ar, &folded, NULL);
    MUST(fst == st || fst == BZ_EDUPKEY);
    MUST(bz_json_check(in, &fold, &ar, NULL) == fst);
    if (st == BZ_OK)
        round_trip(&ar, root);
    bz_arena_free(&ar);
    printable(in);
    return 0;
}
