/* First byte: server; second: route. What passes the check is written canonically and passes again,
 * with nothing more to edit; what is refused says where and why. */
#include <stdlib.h>

#include <bartizan/dialect.h>

static enum bz_status check(const struct bz_route *r, enum bz_server s, struct bz_view body,
                            struct bz_buf *out, struct bz_req_facts *facts) {
    struct bz_arena ar;
    struct bz_json *root;
    struct bz_param_error err;
    struct bz_json_opts opts = {.fold_keys = s == BZ_SERVER_OLLAMA};
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    enum bz_status st = bz_json_parse(body, &opts, &ar, &root, NULL);
    if (st == BZ_OK) {
        st = bz_dialect_check(r, s, root, &bz_param_limits_default, &ar, facts, &err);
        if (st == BZ_EDENIED &&
            (err.why == NULL || (err.status != 400 && err.status != 403) || err.offset > body.n ||
             memchr(err.param, 0, sizeof err.param) == NULL))
            abort();
        if (st == BZ_OK)
            bz_json_write(out, root);
        else if (st != BZ_EDENIED)
            abort();
    }
    bz_arena_free(&ar);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    enum bz_server s = (enum bz_server)(data[0] % BZ_SERVER_COUNT);
    size_t n;
    const struct bz_route *r = bz_route_table(s, &n);
    r += data[1] % n;
    struct bz_buf once, twice;
    struct bz_req_facts a, b;
    bz_buf_init(&once, 64u << 20);
    bz_buf_init(&twice, 64u << 20);
    if (r->api != BZ_API_NONE && check(r, s, bz_view(data + 2, size - 2), &once, &a) == BZ_OK) {
        if (check(r, s, bz_buf_view(&once), &twice, &b) != BZ_OK || once.n != twice.n ||
            memcmp(once.p, twice.p, once.n) != 0 || a.text_bytes != b.text_bytes ||
            a.max_tokens != b.max_tokens || a.choices != b.choices || a.stream != b.stream ||
            a.tools != b.tools)
            abort();
    }
    bz_buf_free(&once);
    bz_buf_free(&twice);
    return 0;
}
