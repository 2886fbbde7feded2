/* A hostile policy image: with an odd first byte it even has a good seal, so that the structure has
 * to hold by itself. Then every reader runs over it. */
#include <stdlib.h>
#include "../src/policy/image_format.h"

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

static uint64_t sum; /* every lent byte is read, for the sanitizer */

static void touch(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++)
        sum += v.p[i];
}

static void correct(uint8_t *p, size_t n) {
    static const uint32_t version = img_version, mark = img_mark;
    uint64_t total = n, end = 0;
    if (n < sizeof(struct img_head))
        return;
    memcpy(p, IMG_MAGIC, sizeof IMG_MAGIC);
    memcpy(p + offsetof(struct img_head, version), &version, sizeof version);
    memcpy(p + offsetof(struct img_head, mark), &mark, sizeof mark);
    memcpy(p + offsetof(struct img_head, total), &total, sizeof total);
    memcpy(&end, p + offsetof(struct img_head, sealed_end), sizeof end);
    if (end >= sizeof(struct img_head) && end <= n)
        img_seal(bz_view(p + img_seal_from, end - img_seal_from),
                 p + offsetof(struct img_head, seal));
}

static void actions_of(const struct bz_image *img, const struct bz_principal *p, uint32_t model) {
    for (int d = -1; d <= BZ_DIRECTION_COUNT; d++) {
        for (int l = -1; l <= BZ_LEVEL_COUNT; l++) {
            const struct bz_actions *a =
                bz_image_actions(img, p, model, (enum bz_direction)d, (enum bz_level)l);
            if (a == NULL)
                return;
            touch(bz_view(a, sizeof *a));
            for (size_t t = 0; t < BZ_TYPES_MAX; t += 61)
                MUST(bz_actions_get(a, t, BZ_PROOF_CONTEXT) < BZ_ACTION_COUNT);
        }
    }
}

static void as_principal(const struct bz_image *img, const struct bz_principal *p) {
    static const struct bz_route routes[] = {{.scope = "chat", .access = BZ_ACCESS_USER},
                                             {.scope = "manage", .access = BZ_ACCESS_ADMIN}};
    struct bz_denial d;
    struct bz_param_limits params;
    struct bz_limit_set key, user;
    touch(p->owner);
    touch(p->role);
    for (int i = 0; i < 2; i++)
        sum += (uint64_t)bz_authorise_route(img, p, &routes[i], &d);
    sum += (uint64_t)bz_authorise_model(img, p, BZ_V("tiny"), &d);
    bz_image_params(img, p, &params);
    bz_image_limits(img, p, &key, &user);
    sum += params.max_tokens + key.concurrent + user.concurrent;
    MUST(bz_image_clearance_role(img, p) < BZ_LEVEL_COUNT);
    for (uint32_t m = 0; m < 4; m++)
        actions_of(img, p, m);
    actions_of(img, p, UINT32_MAX);
}

/* Keys cannot be guessed: their ids and hashes are read from the image. */
static void read_keys(const struct bz_image *img) {
    struct img_key k;
    struct bz_principal p;
    for (uint64_t i = 0; i < 64 && i < img_part_n(img, IMG_KEYS); i++) {
        if (!img_item(img, IMG_KEYS, i, sizeof k, &k))
            break;
        if (bz_image_still_valid(img, bz_view(k.id, sizeof k.id), k.hash, 1, &p))
            as_principal(img, &p);
        struct bz_principal forged = {
            .key_id = bz_view(k.id, sizeof k.id), .role_index = k.role, .entry = (uint32_t)i};
        as_principal(img, &forged);
    }
    sum += (uint64_t)bz_image_authenticate(
        img, BZ_V("bz_000000000000_00000000000000000000000000000000000000000000bR44O"), 1, &p);
}

static void read_data(const struct bz_image *img) {
    static const uint8_t nobody[BZ_APPROVAL_LEN];
    struct bz_data_settings d;
    struct img_approval a;
    struct img_role r;
    bz_image_data(img, &d);
    touch(d.detect_pack);
    touch(bz_view(d.vault_key, BZ_KEY_LEN));
    sum += bz_image_approved(img, nobody, 1);
    for (uint64_t i = 0; img_item(img, IMG_APPROVALS, i, sizeof a, &a); i++)
        MUST(bz_image_approved(img, a.id, 5) == (a.expires > 5));
    for (uint32_t i = 0; img_item(img, IMG_ROLES, i, sizeof r, &r); i++) {
        struct bz_principal p = {.role_index = i, .role = img_text(img, IMG_POOL, r.name)};
        actions_of(img, &p, i);
    }
}

static void read_all(const struct bz_image *img) {
    struct bz_settings s;
    struct bz_backend b;
    struct bz_model m;
    struct bz_image_patch patch;
    bz_image_settings(img, &s);
    touch(bz_view(s.key_pepper, BZ_KEY_LEN));
    touch(bz_view(s.digest_key, BZ_KEY_LEN));
    touch(bz_view(s.limit_seed, 16));
    MUST(s.backends_n <= BZ_BACKENDS_MAX && s.models_n <= BZ_MODELS_MAX);
    for (uint32_t i = 0; bz_image_backend(img, i, &b); i++) {
        touch(b.name);
        touch(b.host);
        touch(b.authorization);
        MUST(b.address.n == 0 || bz_address_valid(b.address));
    }
    for (uint32_t i = 0; bz_image_model(img, i, &m); i++) {
        touch(m.name);
        touch(m.target);
        MUST(s.backends_n == 64 || m.backends >> s.backends_n == 0);
    }
    for (uint32_t i = 0; bz_image_patch(img, i, &patch); i++) {
        touch(patch.id);
        touch(patch.method);
        MUST((patch.path.n == 0) != (patch.param.n == 0));
    }
    for (uint32_t i = 0; i <= s.models_n; i++)
        MUST(bz_image_clearance_model(img, i) < BZ_LEVEL_COUNT);
    MUST(bz_image_clearance_tool(img, BZ_V("web_get")) < BZ_LEVEL_COUNT);
    read_data(img);
    sum += bz_image_model_find(img, BZ_V("tiny"), &m);
    sum += bz_image_host_known(img, BZ_V("localhost"));
    sum += bz_image_origin_known(img, BZ_V("https://app.example"));
    read_keys(img);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    uint8_t *copy = malloc(size);
    struct bz_image img;
    if (copy == NULL)
        return 0;
    memcpy(copy, data + 1, size - 1);
    if (data[0] & 1)
        correct(copy, size - 1);
    if (bz_image_open(bz_view(copy, size - 1), &img) == BZ_OK)
        read_all(&img);
    free(copy);
    return 0;
}
