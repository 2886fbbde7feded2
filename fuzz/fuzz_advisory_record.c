/* Records, rules, YAML, packs and CVSS vectors. The first byte says what the rest is taken for. */
#include <stdlib.h>
#include <bartizan/advisory.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

static void read_record(const struct bz_json *root) {
    struct bz_advisory a;
    struct bz_patch p;
    struct bz_view name, fixed;
    struct bz_diag diag;
    if (bz_advisory_read(root, &a, &diag) != BZ_OK)
        return;
    MUST(a.score <= 100 && a.severity < BZ_RATING_COUNT && bz_advisory_named(&a, a.id));
    for (size_t i = 0; bz_advisory_name(&a, i, &name); i++)
        MUST(i < 1 << 20);
    for (size_t i = 0; bz_advisory_patch(&a, i, &p, &diag) == BZ_OK; i++)
        MUST((p.path.n == 0) != (p.param.n == 0) && p.server.n > 0);
    struct bz_priority urgent;
    if (bz_advisory_priority(&a, &urgent, &diag) == BZ_OK)
        MUST(urgent.epss <= 1000000 && urgent.percentile <= 1000000 && urgent.urgency <= 4);
    static const char *const versions[] = {"", "1.0", "b8146", "1:2-3", "x"};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        enum bz_affected st =
            bz_advisory_affects(&a, BZ_V("PyPI"), BZ_V("demo"), bz_view_str(versions[i]), &fixed);
        MUST(st < BZ_AFFECTED_COUNT && (st == BZ_AFFECTED_YES || fixed.n == 0));
        MUST(!a.withdrawn || st == BZ_AFFECTED_NO);
        MUST(st == BZ_AFFECTED_NO || bz_advisory_about(&a, BZ_V("PyPI"), BZ_V("demo")));
    }
}

static void try_yaml(struct bz_view in, struct bz_arena *ar) {
    struct bz_json *root = NULL, *again = NULL;
    struct bz_diag diag;
    struct bz_buf b;
    if (bz_yaml_parse(in, ar, &root, &diag) != BZ_OK)
        return;
    read_record(root);
    /* What was read can be written, and is the same when it is read as JSON. */
    bz_buf_init(&b, 16 << 20);
    bz_json_write(&b, root);
    const struct bz_json_opts opts = {.max_nodes = 4u << 20};
    if (bz_buf_status(&b) == BZ_OK &&
        bz_json_parse(bz_buf_view(&b), &opts, ar, &again, &diag) == BZ_OK) {
        struct bz_buf c;
        bz_buf_init(&c, 16 << 20);
        bz_json_write(&c, again);
        MUST(bz_view_eq(bz_buf_view(&b), bz_buf_view(&c)));
        bz_buf_free(&c);
    }
    bz_buf_free(&b);
}

/* Signed here, so that what is behind the signature is reached; and as it came. */
static void try_pack(struct bz_view in, struct bz_arena *ar) {
    static const uint8_t seed[BZ_KEY_LEN] = {9};
    uint8_t secret[BZ_SIGN_SECRET_LEN];
    struct bz_advisory_key key;
    struct bz_advisory_pack p, q;
    struct bz_diag diag;
    struct bz_buf b;
    bz_sign_keypair_of(seed, key.pub, secret);
    MUST(bz_advisory_pack_open(in, &key, 1, ar, &p, &diag) != BZ_OK || in.n > 0);
    bz_buf_init(&b, in.n + 4096);
    bz_advisory_pack_sign(in, secret, &key, &b);
    enum bz_status plain = bz_advisory_pack_read(in, ar, &p, &diag);
    enum bz_status opened = bz_advisory_pack_open(bz_buf_view(&b), &key, 1, ar, &q, &diag);
    MUST((plain == BZ_OK) == (opened == BZ_OK));
    if (plain == BZ_OK) {
        MUST(bz_view_eq(p.name, q.name) && p.version == q.version && p.count == q.count);
        MUST(bz_advisory_pack_accept(&p, p.version, p.digest, 0) == BZ_EEXISTS || p.expires == 0);
    }
    bz_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    uint8_t score = 0;
    uint64_t t = 0;
    if (size == 0 || bz_crypto_init() != BZ_OK)
        return 0;
    struct bz_view in = bz_view(data + 1, size - 1);
    bz_arena_init(&ar, bz_alloc_heap, 64 << 20, NULL, 0);
    switch (data[0]) {
    case 'y':
        try_yaml(in, &ar);
        break;
    case 'p':
        try_pack(in, &ar);
        break;
    case 'c':
        MUST(bz_cvss_score(in, &score) != BZ_OK || score <= 100);
        (void)!bz_advisory_time(in, &t);
        break;
    default:
        if (bz_json_parse(in, NULL, &ar, &root, NULL) == BZ_OK)
            read_record(root);
    }
    bz_arena_free(&ar);
    return 0;
}
