/* Result files from anybody: what is read can be written in every form, and is read again. */
#include <stdlib.h>
#include <bartizan/redteam.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_arena ar;
    struct bz_red_result r, again;
    struct bz_diag diag = {.why = NULL};
    struct bz_buf b;
    bz_arena_init(&ar, bz_alloc_heap, (size_t)256 << 20, NULL, 0);
    if (bz_red_read(bz_view(data, size), &ar, &r, &diag) == BZ_OK) {
        struct bz_red_comparison *c = bz_arena_zalloc(&ar, sizeof *c);
        MUST(c != NULL);
        bz_buf_init(&b, (size_t)256 << 20);
        bz_red_write_json(&r, NULL, &b);
        MUST(bz_buf_status(&b) == BZ_OK &&
             bz_red_read(bz_buf_view(&b), &ar, &again, &diag) == BZ_OK);
        bz_red_compare(&r, &again, c);
        MUST(c->n == 0 && !c->other_corpus);
        bz_red_write_junit(&r, c, &b);
        bz_red_write_sarif(&r, c, &b);
        bz_red_write_html(&r, c, &b);
        bz_red_write_text(&r, c, &b);
        MUST(bz_buf_status(&b) == BZ_OK);
        bz_buf_free(&b);
    }
    bz_arena_free(&ar);
    return 0;
}
