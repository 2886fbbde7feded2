/* Binary records: what decodes must encode to itself and give a JSON entry that our own parser
 * takes. */
#include <stdlib.h>
#include <bartizan/audit.h>
#include <bartizan/json.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_view in = bz_view(data, size);
    uint8_t id[BZ_REQUEST_ID_LEN];
    char text[BZ_REQUEST_ID_TEXT + 1];
    if (bz_request_id_parse(in, id)) {
        bz_request_id_text(id, text);
        uint8_t again[BZ_REQUEST_ID_LEN];
        if (!bz_request_id_parse(bz_view_str(text), again) || memcmp(id, again, sizeof id) != 0)
            abort();
    }
    struct bz_record r;
    if (bz_record_decode(in, &r) != BZ_OK)
        return 0;
    struct bz_buf b;
    bz_buf_init(&b, BZ_RECORD_MAX);
    bz_record_encode(&r, &b);
    if (data[0] != 1 && !bz_view_eq(bz_buf_view(&b), in)) /* version 1 comes out as 2 */
        abort();
    bz_buf_free(&b);
    bz_buf_init(&b, BZ_ENTRY_MAX);
    bz_record_json(&r, &b);
    if (bz_buf_status(&b) != BZ_OK)
        abort();
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
    bool nul = memchr(data, 0, size) !=
               NULL; /* JSON bodies may not hold \u0000, records of a mad worker may */
    if (bz_json_check(bz_buf_view(&b), NULL, &ar, NULL) != BZ_OK && !nul)
        abort();
    bz_arena_free(&ar);
    bz_buf_free(&b);
    return 0;
}
