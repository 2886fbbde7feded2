/* Approvals: who let which body through, until when. */
#include "identity_int.h"

_Static_assert(BZ_STORE_APPROVAL_ID == BZ_APPROVAL_LEN, "one id");

struct approvals {
    struct bz_identity *id;
    struct bz_approval_record *list;
    size_t n, cap;
    uint64_t now;
};

static const char *copy(struct bz_identity *id, const char *s) {
    return (const char *)bz_arena_dup(&id->ar, bz_view_str(s)).p;
}

static enum bz_status add_approval(void *ctx, const struct bz_store_approval *a) {
    struct approvals *all = ctx;
    if (a->expires <= all->now)
        return BZ_OK;
    if (all->n == all->cap) { /* the old copy stays in the arena: at most as much again */
        size_t cap = all->cap == 0 ? 16 : 2 * all->cap;
        struct bz_approval_record *more = bz_arena_alloc(&all->id->ar, cap * sizeof *more);
        if (more == NULL)
            return BZ_ENOMEM;
        if (all->n > 0)
            memcpy(more, all->list, all->n * sizeof *more);
        all->list = more;
        all->cap = cap;
    }
    struct bz_approval_record *out = &all->list[all->n];
    *out = (struct bz_approval_record){.what = {.expires = a->expires},
                                       .created = a->created,
                                       .by = copy(all->id, a->by),
                                       .note = copy(all->id, a->note)};
    memcpy(out->what.id, a->id, sizeof out->what.id);
    if (out->by == NULL || out->note == NULL)
        return BZ_ENOMEM;
    all->n++;
    return BZ_OK;
}

enum bz_status bz_identity_approvals(struct bz_identity *id, uint64_t now,
                                     const struct bz_approval_record **ret, size_t *ret_n) {
    struct approvals all = {.id = id, .now = now};
    forget_lent(id);
    BZ_TRY(bz_store_approvals(id->store, add_approval, &all));
    *ret = all.list;
    *ret_n = all.n;
    return BZ_OK;
}

static enum bz_status count_others(struct bz_identity *id, const struct bz_approval_record *a,
                                   uint64_t now, size_t *ret) {
    const struct bz_approval_record *list = NULL;
    size_t n = 0;
    BZ_TRY(bz_identity_approvals(id, now, &list, &n));
    *ret = n;
    for (size_t i = 0; i < n; i++)
        *ret -= memcmp(list[i].what.id, a->what.id, sizeof a->what.id) == 0;
    return BZ_OK;
}

enum bz_status bz_identity_approve(struct bz_identity *id, const struct bz_approval_record *a,
                                   uint64_t now) {
    struct bz_store_approval row = {
        .by = a->by, .note = a->note, .created = now, .expires = a->what.expires};
    size_t others = 0;
    if (a->by == NULL || a->note == NULL || a->what.expires <= now)
        return BZ_EINVAL;
    memcpy(row.id, a->what.id, sizeof row.id);
    BZ_TRY(bz_store_approvals_expire(id->store, now));
    BZ_TRY(count_others(id, a, now, &others));
    return others >= BZ_APPROVALS_MAX ? BZ_ETOOBIG : bz_store_approval_put(id->store, &row);
}

enum bz_status bz_identity_approval_revoke(struct bz_identity *id,
                                           const uint8_t what[BZ_APPROVAL_LEN]) {
    forget_lent(id);
    return bz_store_approval_remove(id->store, what);
}
