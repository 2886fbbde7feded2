/* Rule files: any bytes compile to a pack that opens and matches, or are refused with a place in them. */
#include <bartizan/crypto.h>
#include <bartizan/injection.h>

#include <stdlib.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

enum { PACK_MAX = 32 << 20 };

static void use(struct bz_view rules, struct bz_view text) {
    struct bz_buf pack;
    struct bz_arena ar;
    struct bz_judged out;
    struct bz_injection *j = NULL;
    bz_buf_init(&pack, PACK_MAX);
    bz_arena_init(&ar, bz_alloc_heap, 64 << 20, NULL, 0);
    MUST(bz_injection_pack(rules, bz_view(NULL, 0), &pack) == BZ_OK);
    MUST(bz_injection_open(bz_buf_view(&pack), &j) == BZ_OK);
    for (unsigned c = 0; c < BZ_CHANNEL_COUNT; c++) {
        MUST(bz_injection_judge(j, text, (enum bz_channel)c, BZ_DETECT_RULES, &ar, &out) == BZ_OK);
        MUST(out.score >= 0 && out.score <= 1 && out.reasons_n <= BZ_REASONS_MAX);
        bz_arena_free(&ar);
    }
    bz_injection_close(j);
    bz_buf_free(&pack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_rule_file f = {BZ_V("fuzz"), bz_view(data, size)};
    struct bz_rule_error err;
    struct bz_buf out;
    if (size > 1 << 16)
        return 0;
    MUST(bz_crypto_init() == BZ_OK);
    bz_buf_init(&out, PACK_MAX);
    enum bz_status st = bz_rules_compile(&f, 1, &out, &err);
    if (st == BZ_OK)
        use(bz_buf_view(&out), f.yaml);
    else if (st == BZ_ESYNTAX || st == BZ_EEXISTS)
        MUST(err.line > 0 && err.column > 0 && err.text[0] != '\0' && out.n == 0);
    else
        MUST(st == BZ_ENOMEM || st == BZ_ETOOBIG);
    bz_buf_free(&out);
    return 0;
}
