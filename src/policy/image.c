/* Opens policy images and reads from them. */
#include "image_format.h"

/* ---- raw reads ---- */

static uint64_t head_u64(const struct bz_image *img, size_t at) {
    uint64_t v;
    memcpy(&v, img->bytes.p + at, sizeof v);
    return v;
}

static uint32_t head_u32(const struct bz_image *img, size_t at) {
    uint32_t v;
    memcpy(&v, img->bytes.p + at, sizeof v);
    return v;
}

void img_limits_out(const struct img_limits *in, struct bz_limit_set *ret) {
    *ret = (struct bz_limit_set){.concurrent = in->concurrent, .body_max = in->body_max};
    for (int m = 0; m < BZ_METER_COUNT; m++)
        ret->rate[m] = (struct bz_rate){in->per_minute[m], in->burst[m]};
}

/* ---- checks at opening ---- */

static bool sect_ok(const struct bz_image *img, enum img_part part, size_t size, uint64_t most) {
    struct img_sect s = img_sect_of(img, part);
    uint64_t end =
        part < IMG_KEY_INDEX ? head_u64(img, offsetof(struct img_head, sealed_end)) : img->bytes.n;
    return s.n <= most && s.off >= sizeof(struct img_head) && s.off <= end &&
           s.n <= (end - s.off) / size;
}

static bool is_power_of_two(uint64_t n) {
    return n >= 2 && (n & (n - 1)) == 0;
}

/* What each section holds, and how many of it at most. */
static const struct {
    uint64_t size, most;
} sections[IMG_PART_COUNT] = {
    [IMG_SCOPES] = {sizeof(struct img_ref), BZ_SCOPES_MAX},
    [IMG_BACKENDS] = {sizeof(struct img_backend), BZ_BACKENDS_MAX},
    [IMG_MODELS] = {sizeof(struct img_model), BZ_MODELS_MAX},
    [IMG_MODEL_INDEX] = {sizeof(uint32_t), 4 * BZ_MODELS_MAX},
    [IMG_ROLES] = {sizeof(struct img_role), BZ_ROLES_MAX},
    [IMG_PATTERNS] = {sizeof(struct img_ref), UINT32_MAX},
    [IMG_NAMES] = {sizeof(struct img_ref), UINT32_MAX},
    [IMG_ORIGINS] = {sizeof(struct img_ref), UINT32_MAX},
    [IMG_POOL] = {1, UINT32_MAX},
    [IMG_ACTIONS] = {sizeof(struct bz_actions), BZ_DATA_TABLES_MAX},
    [IMG_CELLS] = {sizeof(uint32_t), BZ_DATA_CELLS_MAX},
    [IMG_APPROVALS] = {sizeof(struct img_approval), BZ_APPROVALS_MAX},
    [IMG_TOOLS] = {sizeof(struct img_tool), BZ_TOOLS_MAX},
    [IMG_PATCHES] = {sizeof(struct img_patch), BZ_ADVISORY_PATCHES_MAX},
    [IMG_BLOB... IMG_BLOB_LAST] = {1, BZ_BLOB_MAX},
    [IMG_PACK] = {1, BZ_DETECT_PACK_MAX},
    [IMG_KEY_INDEX] = {sizeof(uint64_t), 4 * (uint64_t)BZ_KEYS_MAX},
    [IMG_KEYS] = {sizeof(struct img_key), BZ_KEYS_MAX},
    [IMG_KEY_POOL] = {1, UINT32_MAX},
};

static bool sections_ok(const struct bz_image *img) {
    uint64_t sealed_end = head_u64(img, offsetof(struct img_head, sealed_end));
    if (head_u64(img, offsetof(struct img_head, total)) != img->bytes.n ||
        sealed_end > img->bytes.n || sealed_end < sizeof(struct img_head))
        return false;
    for (int i = 0; i < IMG_PART_COUNT; i++) /* one without a row holds nothing that is valid */
        if (sections[i].size == 0 ||
            !sect_ok(img, (enum img_part)i, sections[i].size, sections[i].most))
            return false;
    return is_power_of_two(img_part_n(img, IMG_MODEL_INDEX)) &&
           img_part_n(img, IMG_MODEL_INDEX) >= 2 * img_part_n(img, IMG_MODELS) &&
           is_power_of_two(img_part_n(img, IMG_KEY_INDEX)) &&
           head_u32(img, offsetof(struct img_head, key_probes)) <= img_probe_max;
}

static bool refs_ok(const struct bz_image *img, enum img_part part) {
    struct img_ref ref;
    for (uint64_t i = 0; img_item(img, part, i, sizeof ref, &ref); i++)
        if (!img_ref_ok(img, IMG_POOL, ref))
            return false;
    return true;
}

/* Values that end in a request head must not be able to end it early. */
static bool header_safe(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < 0x20 || v.p[i] >= 0x7f)
            return false;
    return true;
}

static bool backends_ok(const struct bz_image *img) {
    struct img_backend b;
    for (uint64_t i = 0; img_item(img, IMG_BACKENDS, i, sizeof b, &b); i++) {
        struct bz_view address = img_text(img, IMG_POOL, b.address);
        if (b.type > BZ_SERVER_MCP || !img_ref_ok(img, IMG_POOL, b.name) ||
            !img_ref_ok(img, IMG_POOL, b.host) || !img_ref_ok(img, IMG_POOL, b.address) ||
            !img_ref_ok(img, IMG_POOL, b.authorization))
            return false;
        if (!header_safe(img_text(img, IMG_POOL, b.host)) ||
            !header_safe(img_text(img, IMG_POOL, b.authorization)) ||
            (address.n > 0 && !bz_address_valid(address)))
            return false;
    }
    return true;
}

static bool models_ok(const struct bz_image *img) {
    uint64_t backends = img_part_n(img, IMG_BACKENDS), models = img_part_n(img, IMG_MODELS);
    struct img_model m;
    uint32_t slot = 0;
    for (uint64_t i = 0; img_item(img, IMG_MODELS, i, sizeof m, &m); i++)
        if (!img_ref_ok(img, IMG_POOL, m.name) || !img_ref_ok(img, IMG_POOL, m.target) ||
            (backends < 64 && m.backends >> backends != 0))
            return false;
    for (uint64_t i = 0; img_item(img, IMG_MODEL_INDEX, i, sizeof slot, &slot); i++)
        if (slot > models)
            return false;
    return true;
}

static bool roles_ok(const struct bz_image *img) {
    uint64_t patterns = img_part_n(img, IMG_PATTERNS);
    struct img_role r;
    for (uint64_t i = 0; img_item(img, IMG_ROLES, i, sizeof r, &r); i++)
        if (!img_ref_ok(img, IMG_POOL, r.name) || r.pattern_first > patterns ||
            r.pattern_n > patterns - r.pattern_first)
            return false;
    return true;
}

enum bz_status bz_image_open(struct bz_view bytes, struct bz_image *ret) {
    struct bz_image img = {bytes, bytes.p};
    if (bytes.n < sizeof(struct img_head) || memcmp(bytes.p, IMG_MAGIC, sizeof IMG_MAGIC) != 0)
        return BZ_ECORRUPT;
    if (head_u32(&img, offsetof(struct img_head, version)) != img_version ||
        head_u32(&img, offsetof(struct img_head, mark)) != img_mark)
        return BZ_EVERSION;
    if (!sections_ok(&img))
        return BZ_ECORRUPT;
    uint8_t seal[BZ_HASH_LEN];
    uint64_t sealed_end = head_u64(&img, offsetof(struct img_head, sealed_end));
    img_seal(bz_view(bytes.p + img_seal_from, sealed_end - img_seal_from), seal);
    if (!bz_ct_equal(bz_view(seal, sizeof seal),
                     bz_view(bytes.p + offsetof(struct img_head, seal), sizeof seal)))
        return BZ_ECORRUPT;
    if (!refs_ok(&img, IMG_SCOPES) || !refs_ok(&img, IMG_PATTERNS) || !refs_ok(&img, IMG_NAMES) ||
        !refs_ok(&img, IMG_ORIGINS) || !backends_ok(&img) || !models_ok(&img) || !roles_ok(&img) ||
        !img_data_ok(&img) || !img_patches_ok(&img))
        return BZ_ECORRUPT;
    *ret = img;
    return BZ_OK;
}

/* ---- readers ---- */

uint64_t bz_image_generation(const struct bz_image *img) {
    return head_u64(img, offsetof(struct img_head, generation));
}

void bz_image_settings(const struct bz_image *img, struct bz_settings *ret) {
    uint32_t flags = head_u32(img, offsetof(struct img_head, flags));
    *ret = (struct bz_settings){
        .audit = (flags & IMG_RELAXED) != 0 ? BZ_AUDIT_RELAXED : BZ_AUDIT_STRICT,
        .audit_wait_ms = head_u32(img, offsetof(struct img_head, audit_wait_ms)),
        .body_max = head_u64(img, offsetof(struct img_head, body_max)),
        .backends_n = (uint32_t)img_part_n(img, IMG_BACKENDS),
        .models_n = (uint32_t)img_part_n(img, IMG_MODELS),
        .roles_n = (uint32_t)img_part_n(img, IMG_ROLES),
        .hsts = (flags & IMG_HSTS) != 0,
        .key_pepper = img->bytes.p + offsetof(struct img_head, key_pepper),
        .digest_key = img->bytes.p + offsetof(struct img_head, digest_key),
        .limit_seed = img->bytes.p + offsetof(struct img_head, limit_seed),
    };
}

static bool listed(const struct bz_image *img, enum img_part part, struct bz_view v) {
    struct img_ref ref;
    for (uint64_t i = 0; img_item(img, part, i, sizeof ref, &ref); i++)
        if (bz_view_eq_nocase(img_text(img, IMG_POOL, ref), v))
            return true;
    return false;
}

static struct bz_view without_brackets(struct bz_view v) {
    if (v.n >= 2 && v.p[0] == '[' && v.p[v.n - 1] == ']')
        return bz_view_sub(v, 1, v.n - 2);
    return v;
}

bool bz_image_host_known(const struct bz_image *img, struct bz_view host) {
    return host.n > 0 && listed(img, IMG_NAMES, without_brackets(host));
}

bool bz_image_origin_known(const struct bz_image *img, struct bz_view origin) {
    return origin.n > 0 && listed(img, IMG_ORIGINS, origin);
}

bool bz_image_backend(const struct bz_image *img, uint32_t index, struct bz_backend *ret) {
    struct img_backend b;
    if (!img_item(img, IMG_BACKENDS, index, sizeof b, &b))
        return false;
    *ret = (struct bz_backend){
        .index = index,
        .name = img_text(img, IMG_POOL, b.name),
        .type = (enum bz_server)b.type,
        .tls = b.tls != 0,
        .keep_alive = b.keep_alive != 0,
        .host = img_text(img, IMG_POOL, b.host),
        .address = img_text(img, IMG_POOL, b.address),
        .authorization = img_text(img, IMG_POOL, b.authorization),
    };
    return true;
}

bool bz_image_model(const struct bz_image *img, uint32_t index, struct bz_model *ret) {
    struct img_model m;
    if (!img_item(img, IMG_MODELS, index, sizeof m, &m))
        return false;
    ret->index = index;
    ret->name = img_text(img, IMG_POOL, m.name);
    ret->target = img_text(img, IMG_POOL, m.target);
    ret->backends = m.backends;
    img_limits_out(&m.limits, &ret->limits);
    return true;
}

bool bz_image_model_find(const struct bz_image *img, struct bz_view name, struct bz_model *ret) {
    uint64_t slots = img_part_n(img, IMG_MODEL_INDEX);
    uint64_t at = img_hash(img_seed(img->bytes.p + offsetof(struct img_head, limit_seed)), name);
    for (uint64_t step = 0; step < slots; step++, at++) {
        uint32_t slot = 0;
        struct img_model m;
        if (!img_item(img, IMG_MODEL_INDEX, at & (slots - 1), sizeof slot, &slot) || slot == 0 ||
            !img_item(img, IMG_MODELS, slot - 1, sizeof m, &m))
            return false;
        if (bz_view_eq(img_text(img, IMG_POOL, m.name), name))
            return bz_image_model(img, slot - 1, ret);
    }
    return false;
}

/* ---- keys ---- */

/* Everything an entry points at, since the seal does not cover the key part. */
static bool key_sound(const struct bz_image *img, const struct img_key *k) {
    struct img_ref owner = {k->owner_off, k->owner_n};
    struct img_ref limits = {k->limits_off, k->has_limits != 0 ? sizeof(struct img_limits) : 0};
    struct img_ref rest = {k->models_off, 0};
    return k->role < img_part_n(img, IMG_ROLES) && img_ref_ok(img, IMG_KEY_POOL, owner) &&
           img_ref_ok(img, IMG_KEY_POOL, limits) && img_ref_ok(img, IMG_KEY_POOL, rest);
}

bool img_key_at(const struct bz_image *img, uint64_t i, struct img_key *ret) {
    return img_item(img, IMG_KEYS, i, sizeof *ret, ret) && key_sound(img, ret);
}

/* Index of the key with this id. Without one, some other key, so that the work after it is the
 * same: the caller must not use it when *ret_found is false. */
static uint64_t find_key(const struct bz_image *img, struct bz_view id, bool *ret_found) {
    uint64_t slots = img_part_n(img, IMG_KEY_INDEX), keys = img_part_n(img, IMG_KEYS);
    uint64_t h = img_hash(0, id), slot = 0;
    uint32_t probes = head_u32(img, offsetof(struct img_head, key_probes));
    struct img_key k;
    *ret_found = false;
    for (uint64_t step = 0; step < probes; step++) {
        if (!img_item(img, IMG_KEY_INDEX, (h + step) & (slots - 1), sizeof slot, &slot) ||
            slot == 0)
            break;
        uint64_t i = (slot & UINT32_MAX) - 1;
        if (slot >> 32 != h >> 32 || !img_item(img, IMG_KEYS, i, sizeof k, &k))
            continue;
        if (bz_view_eq(bz_view(k.id, sizeof k.id), id)) {
            *ret_found = true;
            return i;
        }
    }
    return keys == 0 ? 0 : (h >> 32) % keys;
}

static void fill_principal(const struct bz_image *img, uint64_t i, const struct img_key *k,
                           struct bz_principal *ret) {
    const uint8_t *entry = img->bytes.p + img_sect_of(img, IMG_KEYS).off + i * sizeof *k;
    struct img_ref owner = {k->owner_off, k->owner_n};
    struct img_role r = {0};
    bool known = img_item(img, IMG_ROLES, k->role, sizeof r, &r);
    *ret = (struct bz_principal){
        .key_id = bz_view(entry + offsetof(struct img_key, id), BZ_KEY_ID_TEXT),
        .owner = img_text(img, IMG_KEY_POOL, owner),
        .role = img_text(img, IMG_POOL, r.name),
        .role_index = k->role,
        .admin = known && r.admin != 0,
        .expires = k->expires,
        .entry = (uint32_t)i,
        .hash = entry + offsetof(struct img_key, hash),
    };
}

/* The one place that decides whether a key and its hash are good. */
static enum bz_status prove(const struct bz_image *img, struct bz_view id,
                            const uint8_t hash[BZ_HASH_LEN], uint64_t now,
                            struct bz_principal *ret) {
    bool found = false;
    uint64_t i = find_key(img, id, &found);
    struct img_key k = {0};
    bool sound = img_key_at(img, i, &k);
    bool same = bz_ct_equal(bz_view(k.hash, sizeof k.hash), bz_view(hash, BZ_HASH_LEN));
    if (!found || !sound || !same)
        return BZ_EDENIED;
    if (k.expires != 0 && now >= k.expires)
        return BZ_EEXPIRED;
    fill_principal(img, i, &k, ret);
    return BZ_OK;
}

enum bz_status bz_image_authenticate(const struct bz_image *img, struct bz_view key_text,
                                     uint64_t now, struct bz_principal *ret) {
    struct bz_view id;
    uint8_t hash[BZ_HASH_LEN];
    if (!img_key_form(key_text, &id))
        return BZ_ESYNTAX;
    bz_key_hash(img->bytes.p + offsetof(struct img_head, key_pepper), key_text, hash);
    enum bz_status st = prove(img, id, hash, now, ret);
    if (st == BZ_EDENIED && bz_key_split(key_text, &id) != BZ_OK)
        return BZ_ESYNTAX;
    return st;
}

bool bz_image_still_valid(const struct bz_image *img, struct bz_view key_id,
                          const uint8_t hash[BZ_HASH_LEN], uint64_t now, struct bz_principal *ret) {
    return key_id.n == BZ_KEY_ID_TEXT && prove(img, key_id, hash, now, ret) == BZ_OK;
}

struct bz_view bz_image_blob(const struct bz_image *img, enum bz_blob which) {
    if ((unsigned)which >= BZ_BLOB_COUNT)
        return (struct bz_view){NULL, 0};
    struct img_sect s = img_sect_of(img, (enum img_part)(IMG_BLOB + which));
    return bz_view(img->bytes.p + s.off, s.n);
}
