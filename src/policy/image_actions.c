/* Reads the image's part about data protection. */
#include "image_format.h"

/* For whoever this image does not know: everything is looked for, waited for and blocked. */
#define ALL_TYPES                                                                                  \
    {                                                                                              \
        {                                                                                          \
            UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,    \
                UINT64_MAX                                                                         \
        }                                                                                          \
    }
static const struct bz_actions block_all = {
    .of = {[BZ_PROOF_FORM] = {[BZ_ACTION_BLOCK] = ALL_TYPES},
           [BZ_PROOF_CONTEXT] = {[BZ_ACTION_BLOCK] = ALL_TYPES},
           [BZ_PROOF_CHECKSUM] = {[BZ_ACTION_BLOCK] = ALL_TYPES}},
    .find = ALL_TYPES,
    .hold = ALL_TYPES,
};
_Static_assert(BZ_TYPES_MAX == 8 * 64, "ALL_TYPES");

static uint32_t head_u32(const struct bz_image *img, size_t at) {
    uint32_t v;
    memcpy(&v, img->bytes.p + at, sizeof v);
    return v;
}

static uint32_t role_groups(const struct bz_image *img) {
    return head_u32(img, offsetof(struct img_head, role_groups));
}

static uint32_t model_groups(const struct bz_image *img) {
    return head_u32(img, offsetof(struct img_head, model_groups));
}

/* ---- checks at opening ---- */

/* Each type has exactly one action per proof. */
static bool table_ok(const struct bz_actions *a) {
    for (size_t p = 0; p < BZ_PROOF_COUNT; p++) {
        for (size_t i = 0; i < BZ_TYPES_MAX / 64; i++) {
            uint64_t seen = 0, twice = 0;
            for (size_t k = 0; k < BZ_ACTION_COUNT; k++) {
                twice |= seen & a->of[p][k].w[i];
                seen |= a->of[p][k].w[i];
            }
            if (twice != 0 || seen != UINT64_MAX)
                return false;
        }
    }
    return true;
}

static const struct bz_actions *table_at(const struct bz_image *img, uint64_t i) {
    const uint8_t *at =
        img->bytes.p + img_sect_of(img, IMG_ACTIONS).off + i * sizeof(struct bz_actions);
    return (const struct bz_actions *)(const void *)at;
}

static bool tables_ok(const struct bz_image *img) {
    uint64_t n = img_part_n(img, IMG_ACTIONS);
    if (n > 0 && (uintptr_t)table_at(img, 0) % _Alignof(struct bz_actions) != 0)
        return false; /* they are lent as they lie */
    for (uint64_t i = 0; i < n; i++)
        if (!table_ok(table_at(img, i)))
            return false;
    for (int i = IMG_BLOB; i <= IMG_BLOB_LAST; i++) /* so are these */
        if (img_sect_of(img, (enum img_part)i).off % img_lent_align != 0)
            return false;
    return (n == 0) == (img_part_n(img, IMG_PACK) == 0) &&
           img_sect_of(img, IMG_PACK).off % img_lent_align == 0;
}

static bool cells_ok(const struct bz_image *img) {
    uint64_t tables = img_part_n(img, IMG_ACTIONS);
    uint64_t groups = (uint64_t)role_groups(img) * model_groups(img); /* both of 32 bits */
    uint32_t cell = 0;
    if (groups > BZ_DATA_CELLS_MAX || (groups == 0) != (tables == 0) ||
        groups * BZ_DIRECTION_COUNT * BZ_LEVEL_COUNT != img_part_n(img, IMG_CELLS))
        return false;
    for (uint64_t i = 0; img_item(img, IMG_CELLS, i, sizeof cell, &cell); i++)
        if (cell >= tables)
            return false;
    return true;
}

static bool group_ok(uint32_t group, uint32_t groups, uint32_t clearance) {
    return (groups == 0 || group < groups) && clearance < BZ_LEVEL_COUNT;
}

static bool groups_ok(const struct bz_image *img) {
    struct img_role r;
    struct img_model m;
    for (uint64_t i = 0; img_item(img, IMG_ROLES, i, sizeof r, &r); i++)
        if (!group_ok(r.group, role_groups(img), r.clearance))
            return false;
    for (uint64_t i = 0; img_item(img, IMG_MODELS, i, sizeof m, &m); i++)
        if (!group_ok(m.group, model_groups(img), m.clearance))
            return false;
    return true;
}

static bool approvals_ok(const struct bz_image *img) {
    struct img_approval last, a;
    for (uint64_t i = 0; img_item(img, IMG_APPROVALS, i, sizeof a, &a); i++) {
        if (i > 0 && memcmp(last.id, a.id, sizeof a.id) >= 0)
            return false;
        last = a;
    }
    return true;
}

static bool tools_ok(const struct bz_image *img) {
    struct img_tool t;
    for (uint64_t i = 0; img_item(img, IMG_TOOLS, i, sizeof t, &t); i++)
        if (!img_ref_ok(img, IMG_POOL, t.name) || t.name.n == 0 || t.clearance >= BZ_LEVEL_COUNT)
            return false;
    return true;
}

bool img_data_ok(const struct bz_image *img) {
    return tables_ok(img) && cells_ok(img) && groups_ok(img) && tools_ok(img) && approvals_ok(img);
}

/* ---- readers ---- */

/* The role of a principal; false: it is not one of this image. */
static bool role_of(const struct bz_image *img, const struct bz_principal *p,
                    struct img_role *ret) {
    return img_item(img, IMG_ROLES, p->role_index, sizeof *ret, ret) &&
           bz_view_eq(img_text(img, IMG_POOL, ret->name), p->role);
}

const struct bz_actions *bz_image_actions(const struct bz_image *img, const struct bz_principal *p,
                                          uint32_t model, enum bz_direction d,
                                          enum bz_level level) {
    struct img_role r;
    struct img_model m = {.group = 0};
    uint32_t table = 0;
    if (img_part_n(img, IMG_ACTIONS) == 0)
        return NULL;
    if ((unsigned)d >= BZ_DIRECTION_COUNT || (unsigned)level >= BZ_LEVEL_COUNT ||
        !role_of(img, p, &r) ||
        (model != UINT32_MAX && !img_item(img, IMG_MODELS, model, sizeof m, &m)))
        return &block_all;
    uint64_t cell = (uint64_t)r.group * model_groups(img) + m.group;
    cell = (cell * BZ_DIRECTION_COUNT + d) * BZ_LEVEL_COUNT + level;
    return img_item(img, IMG_CELLS, cell, sizeof table, &table) ? table_at(img, table) : &block_all;
}

void bz_image_data(const struct bz_image *img, struct bz_data_settings *ret) {
    struct img_sect pack = img_sect_of(img, IMG_PACK);
    *ret = (struct bz_data_settings){
        .detect_pack = bz_view(img->bytes.p + pack.off, pack.n),
        .vault_key = img->bytes.p + offsetof(struct img_head, vault_key),
        .restore_s = head_u32(img, offsetof(struct img_head, restore_s)),
        .hold_ms = head_u32(img, offsetof(struct img_head, hold_ms)),
        .store_requests =
            (head_u32(img, offsetof(struct img_head, flags)) & IMG_STORE_REQUESTS) != 0,
        .store_replies = (head_u32(img, offsetof(struct img_head, flags)) & IMG_STORE_REPLIES) != 0,
        .body_public = img->bytes.p + offsetof(struct img_head, body_public),
        .refuse_unknown =
            (head_u32(img, offsetof(struct img_head, flags)) & IMG_UNKNOWN_AS_TEXT) == 0,
    };
}

enum bz_level bz_image_clearance_model(const struct bz_image *img, uint32_t model) {
    struct img_model m;
    if (model == UINT32_MAX)
        return BZ_LEVEL_RESTRICTED;
    return img_item(img, IMG_MODELS, model, sizeof m, &m) ? (enum bz_level)m.clearance
                                                          : BZ_LEVEL_PUBLIC;
}

enum bz_level bz_image_clearance_role(const struct bz_image *img, const struct bz_principal *p) {
    struct img_role r;
    return role_of(img, p, &r) ? (enum bz_level)r.clearance : BZ_LEVEL_PUBLIC;
}

enum bz_level bz_image_clearance_tool(const struct bz_image *img, struct bz_view name) {
    struct img_tool t;
    for (uint64_t i = 0; img_item(img, IMG_TOOLS, i, sizeof t, &t); i++)
        if (img_pattern_match(img_text(img, IMG_POOL, t.name), name))
            return (enum bz_level)t.clearance;
    return BZ_LEVEL_RESTRICTED;
}

bool bz_image_approved(const struct bz_image *img, const uint8_t id[BZ_APPROVAL_LEN],
                       uint64_t now_unix) {
    uint64_t from = 0, to = img_part_n(img, IMG_APPROVALS);
    while (from < to) {
        uint64_t mid = from + (to - from) / 2;
        struct img_approval a;
        if (!img_item(img, IMG_APPROVALS, mid, sizeof a, &a))
            return false;
        int order = memcmp(id, a.id, sizeof a.id);
        if (order == 0)
            return now_unix < a.expires;
        if (order < 0)
            to = mid;
        else
            from = mid + 1;
    }
    return false;
}
