/* Names of channels, decodings and judgements, as configuration, records and reports write them. */
#include <bartizan/injection.h>

static const char *const channels[BZ_CHANNEL_COUNT] = {"user", "tool", "document"};

const char *bz_channel_name(enum bz_channel c) {
    return (unsigned)c < BZ_CHANNEL_COUNT ? channels[c] : "";
}

bool bz_channel_from_name(struct bz_view name, enum bz_channel *ret) {
    for (unsigned i = 0; i < BZ_CHANNEL_COUNT; i++) {
        if (bz_view_eq(name, bz_view_str(channels[i]))) {
            *ret = (enum bz_channel)i;
            return true;
        }
    }
    return false;
}

const char *bz_decoding_name(enum bz_decoding d) {
    static const char *const names[BZ_DECODING_COUNT] = {
        "none", "base64", "hex",  "url",    "rot13",    "gzip",   "escape",
        "html", "tags",   "leet", "spaced", "reversed", "accents"};
    return (unsigned)d < BZ_DECODING_COUNT ? names[d] : "";
}

const char *bz_judgement_name(enum bz_judgement j) {
    static const char *const names[BZ_JUDGE_COUNT] = {"allow", "flag", "block"};
    return (unsigned)j < BZ_JUDGE_COUNT ? names[j] : "";
}
