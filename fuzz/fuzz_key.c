/* Key texts, backend urls and addresses. */
#include <stdlib.h>
#include <bartizan/policy.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_view v = bz_view(data, size), id;
    struct bz_url u;
    struct bz_diag diag = {0};
    if (bz_key_split(v, &id) == BZ_OK)
        MUST(size == BZ_KEY_TEXT && id.n == BZ_KEY_ID_TEXT && id.p == data + 3);
    if (bz_url_parse(v, &u, &diag) == BZ_OK)
        MUST(u.unix_socket ? u.path.n > 1 : u.host.n > 0 && u.port > 0);
    else
        MUST(diag.why != NULL);
    if (bz_address_valid(v))
        for (size_t i = 0; i < size; i++)
            MUST(data[i] > 0x20 && data[i] < 0x7f);
    if (size >= 48) { /* whatever is made is well formed */
        char text[BZ_KEY_TEXT + 1];
        bz_key_make(data, text);
        MUST(bz_key_split(bz_view_str(text), &id) == BZ_OK);
    }
    return 0;
}
