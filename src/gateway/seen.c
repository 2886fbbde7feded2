#include "seen.h"

#include <bartizan/crypto.h>
#include <bartizan/limits.h>

enum { WAYS = 4, SETS = BZ_SEEN_TEXTS / WAYS };
struct slot { /* 96 bits of a digest, and what is known */
    uint32_t tag[3];
    uint8_t what, used, spare[2];
};
struct seen_set {
    struct slot slot[WAYS]; /* used last first */
};
struct bz_seen {
    struct seen_set set[SETS];
};
_Static_assert(sizeof(struct seen_set) == 64, "a cache line");

size_t bz_seen_size(void) {
    return sizeof(struct bz_seen);
}

struct bz_seen *bz_seen_open(void *mem, size_t n) {
    return n >= sizeof(struct bz_seen) ? mem : NULL;
}

/* Most texts are short, and there a 64-bit hash is several times faster than the digest. */
static void digest_of(const struct bz_settings *keys, uint64_t scope, struct bz_view text,
                      uint8_t out[16]) {
    enum { SHORT = 512 };
    if (text.n > SHORT) {
        bz_body_digest(keys->digest_key, scope, text, out);
        return;
    }
    uint64_t h = bz_name_hash(keys->limit_seed, text);
    uint64_t both = (h ^ scope) * UINT64_C(0x9e3779b97f4a7c15) + text.n;
    h ^= scope & 0xffff;
    memcpy(out, &h, sizeof h);
    memcpy(out + 8, &both, sizeof both);
}

void bz_seen_name(struct bz_seen *seen, const struct bz_settings *keys, uint64_t scope,
                  struct bz_view text, struct seen_name *ret) {
    uint8_t digest[16];
    uint32_t w[4];
    ret->set = NULL;
    if (seen == NULL)
        return;
    digest_of(keys, scope, text, digest);
    memcpy(w, digest, sizeof w);
    ret->set = &seen->set[w[3] % SETS];
    memcpy(ret->tag, w, sizeof ret->tag);
}

bool bz_seen_get(const struct seen_name *n, uint8_t *ret) {
    for (size_t i = 0; n->set != NULL && i < WAYS; i++) {
        struct slot *first = n->set->slot, s = first[i];
        if (!s.used || s.tag[0] != n->tag[0] || s.tag[1] != n->tag[1] || s.tag[2] != n->tag[2])
            continue;
        memmove(first + 1, first, i * sizeof s);
        first[0] = s;
        *ret = s.what;
        return true;
    }
    return false;
}

void bz_seen_keep(const struct seen_name *n, uint8_t what) {
    struct slot s = {.what = what, .used = 1};
    if (n->set == NULL)
        return;
    memcpy(s.tag, n->tag, sizeof s.tag);
    memmove(n->set->slot + 1, n->set->slot, (WAYS - 1) * sizeof s);
    n->set->slot[0] = s;
}
