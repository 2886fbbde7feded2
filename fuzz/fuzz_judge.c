/* The judgement of any bytes: within its bounds, the same when asked again, and no less for more
 * detectors. The first byte chooses the channel. */
#include <bartizan/crypto.h>
#include <bartizan/injection.h>

#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

enum { PACK_MAX = 32 << 20 };

static struct bz_injection *detectors(void) {
    static struct bz_injection *j;
    static struct bz_buf pack;
    struct bz_rule_file f[BZ_RULE_FILES_MAX];
    struct bz_rule_error err;
    struct bz_buf rules;
    if (j != NULL)
        return j;
    MUST(bz_crypto_init() == BZ_OK);
    bz_buf_init(&rules, PACK_MAX);
    bz_buf_init(&pack, PACK_MAX);
    MUST(bz_rules_compile(f, bz_rules_builtin(f), &rules, &err) == BZ_OK);
    MUST(bz_injection_pack(bz_buf_view(&rules), bz_view(NULL, 0), &pack) == BZ_OK);
    MUST(bz_injection_open(bz_buf_view(&pack), &j) == BZ_OK);
    bz_buf_free(&rules);
    return j;
}

static struct bz_judged judge(struct bz_view text, enum bz_channel c, unsigned which) {
    struct bz_arena ar;
    struct bz_judged out;
    bz_arena_init(&ar, bz_alloc_heap, 64 << 20, NULL, 0);
    MUST(bz_injection_judge(detectors(), text, c, which, &ar, &out) == BZ_OK);
    bz_arena_free(&ar);
    MUST(out.score >= 0 && out.score <= 1 && out.reasons_n <= BZ_REASONS_MAX);
    MUST((out.verdict == BZ_JUDGE_BLOCK) == (out.score >= BZ_SCORE_BLOCK));
    MUST((out.verdict == BZ_JUDGE_ALLOW) == (out.score < BZ_SCORE_FLAG));
    MUST(out.verdict == BZ_JUDGE_ALLOW || out.reasons_n > 0);
    for (size_t i = 0; i < out.reasons_n; i++) {
        const struct bz_reason *r = &out.reasons[i];
        MUST(r->start <= r->end && r->end <= text.n && r->how_n <= BZ_READING_DEPTH);
        MUST(r->score > 0 && r->score <= 1 && (i == 0 || r->score <= r[-1].score));
    }
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > 1 << 16)
        return 0;
    struct bz_view text = bz_view(data + 1, size - 1);
    enum bz_channel c = (enum bz_channel)(data[0] % BZ_CHANNEL_COUNT);
    struct bz_judged rules = judge(text, c, BZ_DETECT_RULES);
    struct bz_judged model = judge(text, c, BZ_DETECT_CLASSIFIER);
    struct bz_judged all = judge(text, c, BZ_DETECT_ALL);
    struct bz_judged again = judge(text, c, BZ_DETECT_ALL);
    MUST(memcmp(&all.score, &again.score, sizeof all.score) == 0);
    MUST(all.score >= rules.score && (all.score >= model.score || model.score < BZ_SCORE_FLAG));
    return 0;
}
