/* Layout of a policy image, version 8. Not a public header: the image_*.c, image.c and authorise.c
 * only.
 *
 *   head | scopes | backends | models | model index | roles | patterns | names | origins | pool
 *        | actions | cells | approvals | tools | patches | blobs | detect pack |
 *   everything so far is sealed
 *        | key index | keys | key pool
 *
 * Everything is addressed by offsets. Items are plain structs of this machine's byte order (the
 * head's `mark` says which), without padding, and are copied out before use, so nothing depends on
 * how the bytes are aligned; but for the tables of actions, which are lent as they lie (checked by
 * bz_image_open), and the blobs and the detect pack, which begin at multiples of 64. The sealed part is checked as a whole by bz_image_open. The key part
 * is large and only used one entry at a time: its entries are checked when they are read, and a bad
 * one authenticates nobody.
 *
 * The seal finds damage and half-written files. It is no signature: whoever may write the file owns
 * the instance. */
#ifndef BARTIZAN_POLICY_IMAGE_FORMAT_H
#define BARTIZAN_POLICY_IMAGE_FORMAT_H

#include <bartizan/arena.h>
#include <bartizan/buf.h>
#include <bartizan/policy.h>

#define IMG_MAGIC "BZIMAGE"
enum {
    img_version = 8,
    img_mark = 0x0a0b0c0d,
    img_seal_from =
        48, /* magic, version and mark are compared by value, the seal cannot cover itself */
    img_probe_max = 1024, /* steps of one search in the key index */
    img_dead_role = UINT16_MAX,
    img_lent_align = 64,
};

struct img_ref { /* text in a pool */
    uint32_t off, n;
};
struct img_sect {
    uint64_t off;
    uint64_t n; /* items; bytes for pools */
};
enum img_part {
    IMG_SCOPES,      /* struct img_ref */
    IMG_BACKENDS,    /* struct img_backend */
    IMG_MODELS,      /* struct img_model */
    IMG_MODEL_INDEX, /* uint32_t: model + 1, 0 free; a power of two, at most half full */
    IMG_ROLES,       /* struct img_role */
    IMG_PATTERNS,    /* struct img_ref: model patterns of the roles */
    IMG_NAMES,       /* struct img_ref: Host values */
    IMG_ORIGINS,     /* struct img_ref */
    IMG_POOL,        /* bytes */
    IMG_ACTIONS,     /* struct bz_actions; none: this image screens nothing */
    IMG_CELLS,       /* uint32_t: a table's number by [role group][model group][direction][level] */
    IMG_APPROVALS,   /* struct img_approval, by id */
    IMG_TOOLS,       /* struct img_tool, in the order in which they decide */
    IMG_PATCHES,     /* struct img_patch */
    IMG_BLOB,        /* bytes: the first of BZ_BLOB_COUNT parts, see enum bz_blob */
    IMG_BLOB_LAST = IMG_BLOB + BZ_BLOB_COUNT - 1,
    IMG_PACK,        /* bytes, for bz_detect_open */
    IMG_KEY_INDEX,   /* uint64_t: tag << 32 | key + 1, 0 free; a power of two, at most half full */
    IMG_KEYS,        /* struct img_key */
    IMG_KEY_POOL,    /* bytes */
    IMG_PART_COUNT
};

enum { /* flags of the head */
       IMG_HSTS = 1,
       IMG_RELAXED = 2,
       IMG_UNKNOWN_AS_TEXT = 4,
       IMG_STORE_REQUESTS = 8,
       IMG_STORE_REPLIES = 16,
};
struct img_head {
    char magic[8];
    uint32_t version, mark;
    uint8_t seal[BZ_HASH_LEN];
    uint64_t total, sealed_end;
    uint64_t generation, built_unix;
    uint8_t key_pepper[BZ_KEY_LEN], digest_key[BZ_KEY_LEN], limit_seed[16];
    uint64_t body_max;
    uint32_t audit_wait_ms, flags;
    uint32_t key_probes, reserved; /* longest search the builder had to make */
    uint8_t vault_key[BZ_KEY_LEN], body_public[BZ_BOX_LEN];
    uint32_t restore_s, hold_ms;
    uint32_t role_groups, model_groups; /* of one group the same rules hold; model group 0: none */
    struct img_sect part[IMG_PART_COUNT];
};
_Static_assert(offsetof(struct img_head, total) == img_seal_from, "seal");
_Static_assert(sizeof(struct img_head) == 48 + 32 + 80 + 24 + 48 + BZ_BOX_LEN + 16 * IMG_PART_COUNT,
               "no padding");

struct img_limits {
    uint64_t per_minute[BZ_METER_COUNT], burst[BZ_METER_COUNT], body_max;
    uint32_t concurrent, reserved;
};
struct img_backend {
    struct img_ref name, host, address, authorization;
    uint8_t type, tls, keep_alive, reserved;
};
struct img_model {
    struct img_ref name, target;
    uint64_t backends;
    struct img_limits limits;
    uint32_t group, clearance; /* enum bz_level */
};
struct img_params {
    uint32_t max_tokens, max_choices, max_logprobs, max_stop, max_grammar, max_tools, max_messages;
    uint32_t max_inputs, max_media_bytes, allow_token_prompts, allow_echo;
    uint32_t allow_grammar, allow_load_options;
};
struct img_role {
    struct img_ref name;
    uint32_t admin, pattern_first, pattern_n;
    struct img_params params;
    uint64_t scopes;
    struct img_limits limits, user_limits;
    uint32_t group, clearance;
};
struct img_approval {
    uint8_t id[BZ_APPROVAL_LEN];
    uint64_t expires;
};
struct img_tool {
    struct img_ref name; /* or prefix* */
    uint32_t clearance;
};
enum { IMG_PATCH_DENY = 1, IMG_PATCH_MIN = 2, IMG_PATCH_MAX = 4 };
struct img_patch {
    struct img_ref id, method, path, param; /* either path or param */
    int64_t min, max;
    uint64_t backends;
    uint32_t flags, reserved;
};
struct img_key {
    uint8_t hash[BZ_HASH_LEN];
    uint64_t expires;
    uint64_t scopes; /* all ones: as the role */
    uint32_t owner_off, models_off, limits_off;
    uint16_t owner_n, role, models_n, has_limits;
    uint8_t id[BZ_KEY_ID_TEXT];
    uint32_t narrow_models; /* 0: as the role; else only the list, nothing when it is empty */
};
_Static_assert(sizeof(struct img_limits) == 64, "no padding");
_Static_assert(sizeof(struct img_backend) == 36, "no padding");
_Static_assert(sizeof(struct img_model) == 96, "no padding");
_Static_assert(sizeof(struct img_role) == 216, "no padding");
_Static_assert(sizeof(struct img_approval) == 24, "no padding");
_Static_assert(sizeof(struct img_tool) == 12, "no padding");
_Static_assert(sizeof(struct img_patch) == 64, "no padding");
_Static_assert(sizeof(struct bz_actions) ==
                   BZ_TYPES_MAX / 8 * (BZ_PROOF_COUNT * BZ_ACTION_COUNT + 3),
               "no padding");
_Static_assert(sizeof(struct img_key) == 88, "at most 128 bytes a key");

/* Mixes for the two indexes. Ids are random; model names come from backends, hence the seed. */
static inline uint64_t img_mix(uint64_t a, uint64_t b) {
    unsigned __int128 m = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15) * (b ^ 0xd6e8feb86659fd93);
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}
static inline uint64_t img_hash(uint64_t seed, struct bz_view v) {
    uint64_t h = img_mix(seed, v.n);
    while (v.n > 0) {
        uint64_t word = 0;
        size_t take = v.n < sizeof word ? v.n : sizeof word;
        memcpy(&word, v.p, take);
        h = img_mix(h, word);
        v = bz_view_sub(v, take, v.n);
    }
    return h;
}
static inline uint64_t img_seed(const uint8_t limit_seed[16]) {
    uint64_t seed = 0;
    memcpy(&seed, limit_seed, sizeof seed);
    return seed;
}
/* Key of the seal: a label, not a secret. */
static inline void img_seal(struct bz_view sealed, uint8_t out[BZ_HASH_LEN]) {
    static const uint8_t label[BZ_KEY_LEN] = "bartizan policy image seal";
    bz_keyed_hash(label, sealed, out);
}

/* Read side, shared by image.c and authorise.c. The raw reads are inline because their sizes are
 * constants where they are called: a copy of known size is a few moves. */
static inline struct img_sect img_sect_of(const struct bz_image *img, enum img_part part) {
    struct img_sect s;
    memcpy(&s, img->bytes.p + offsetof(struct img_head, part) + (size_t)part * sizeof s, sizeof s);
    return s;
}

static inline uint64_t img_part_n(const struct bz_image *img, enum img_part part) {
    return img_sect_of(img, part).n;
}

/* Sections lie inside the image (bz_image_open); items are copied because nothing is aligned for
 * sure. */
static inline bool img_item(const struct bz_image *img, enum img_part part, uint64_t i, size_t size,
                            void *ret) {
    struct img_sect s = img_sect_of(img, part);
    if (i >= s.n)
        return false;
    memcpy(ret, img->bytes.p + s.off + i * size, size);
    return true;
}

static inline bool img_ref_ok(const struct bz_image *img, enum img_part pool, struct img_ref ref) {
    uint64_t n = img_part_n(img, pool);
    return ref.off <= n && ref.n <= n - ref.off;
}

static inline struct bz_view img_text(const struct bz_image *img, enum img_part pool,
                                      struct img_ref ref) {
    if (!img_ref_ok(img, pool, ref))
        return (struct bz_view){0};
    return bz_view(img->bytes.p + img_sect_of(img, pool).off + ref.off, ref.n);
}

bool img_key_at(const struct bz_image *img, uint64_t i, struct img_key *ret);
void img_limits_out(const struct img_limits *in, struct bz_limit_set *ret);
/* Tables, cells, groups, clearances, tools and approvals are sound (image_actions.c). */
bool img_data_ok(const struct bz_image *img);
bool img_patches_ok(const struct bz_image *img); /* image_patch.c */

/* What the builder asks of image_data.c. */
struct img_group {
    uint32_t group, clearance;
};
struct img_data {
    struct bz_arena ar;
    struct img_group roles[BZ_ROLES_MAX];
    struct img_group *models;           /* as in the input */
    const struct img_rules *role_rules; /* by group */
    const struct img_rules *model_rules;
    uint32_t role_groups, model_groups;
};
/* Groups of roles and models with the same rules, and clearances. EINVAL, ENOMEM. Always to be
 * followed by img_data_done. */
enum bz_status img_data_groups(const struct bz_image_input *in, struct img_data *ret) BZ_MUST_USE;
/* Appends the tables and the cells. ETOOBIG, ENOMEM. */
enum bz_status img_data_tables(const struct bz_image_input *in, struct img_data *d,
                               struct bz_buf *actions, struct bz_buf *cells) BZ_MUST_USE;
/* Appends the approvals, sorted. EEXISTS, ETOOBIG, ENOMEM. */
enum bz_status img_data_approvals(const struct bz_image_input *in, struct img_data *d,
                                  struct bz_buf *out) BZ_MUST_USE;
void img_data_done(struct img_data *d);

/* Length, prefix and separator of a key, without its checksum (keys.c). */
bool img_key_form(struct bz_view text, struct bz_view *ret_id);
bool img_pattern_match(struct bz_view pattern, struct bz_view name);

#endif
