/* What servers and model files say about their tokens. First byte: which of them. */
#include <stdlib.h>

#include "model_tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_token_set s = {.text = NULL};
    struct bz_source src;
    if (size == 0 || size > 65536)
        return 0;
    struct bz_view v = bz_view(data + 1, size - 1);
    if (data[0] == 'p')
        (void)!bz_tokens_of_props(v, &s);
    else if (data[0] == 's')
        (void)!bz_tokens_of_show(v, &s);
    else if (data[0] == 'c')
        (void)!bz_tokens_of_config(v, &s);
    else {
        bz_source_mem(&src, &v);
        (void)!bz_tokens_of_gguf(&src, &s);
    }
    size_t n = 0;
    for (size_t at = 0; at < s.size; n++) {
        size_t len = strlen(s.text + at);
        if (len < 3 || len > BZ_TEMPLATE_TOKEN_MAX)
            abort();
        at += len + 1;
    }
    if (n != s.n || n > BZ_TEMPLATE_TOKENS_MAX)
        abort();
    bz_token_set_free(&s);
    return 0;
}
