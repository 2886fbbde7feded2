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

static void read_all(const struct bz_image *img) {
    struct bz_settings s;
    struct bz_backend b;
    struct bz_model m;
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
