/* Places of chunks by name: open addressing. Names are keyed hashes, so their first bytes are as
 * good as random to whoever does not have the key. */
#include <bartizan/backup.h>

struct slot {
    uint8_t name[BZ_BACKUP_NAME];
    struct bz_backup_place at; /* n == 0: free */
};

enum { FIRST = 256 };

static struct slot *slots(const struct bz_backup_set *s) {
    return (struct slot *)(void *)s->slots.p;
}

/* The slot of a name, or the free one where it would go. */
static struct slot *find(const struct bz_backup_set *s, const uint8_t name[BZ_BACKUP_NAME]) {
    uint64_t h = 0;
    for (size_t i = 0; i < 8; i++)
        h = h << 8 | name[i];
    for (size_t i = (size_t)h & (s->cap - 1);; i = (i + 1) & (s->cap - 1)) {
        struct slot *t = &slots(s)[i];
        if (t->at.n == 0 ||
            bz_view_eq(bz_view(t->name, BZ_BACKUP_NAME), bz_view(name, BZ_BACKUP_NAME)))
            return t;
    }
}

static enum bz_status grow(struct bz_backup_set *s) {
    struct bz_backup_set bigger = {.cap = s->cap == 0 ? FIRST : s->cap * 2, .n = s->n};
    size_t bytes = 0;
    if (__builtin_mul_overflow(bigger.cap, sizeof(struct slot), &bytes))
        return BZ_ENOMEM;
    bz_buf_init(&bigger.slots, bytes);
    uint8_t *room = bz_buf_room(&bigger.slots, bytes);
    if (room == NULL)
        return BZ_ENOMEM;
    memset(room, 0, bytes);
    for (size_t i = 0; i < s->cap; i++)
        if (slots(s)[i].at.n != 0)
            *find(&bigger, slots(s)[i].name) = slots(s)[i];
    bz_backup_set_free(s);
    *s = bigger;
    return BZ_OK;
}

void bz_backup_set_free(struct bz_backup_set *s) {
    if (s->cap != 0)
        bz_buf_free(&s->slots);
    *s = (struct bz_backup_set){0};
}

enum bz_status bz_backup_set_add(struct bz_backup_set *s, const uint8_t name[BZ_BACKUP_NAME],
                                 const struct bz_backup_place *at) {
    if (at->n == 0)
        return BZ_EINVAL;
    if (s->n >= s->cap / 2)
        BZ_TRY(grow(s));
    struct slot *t = find(s, name);
    if (t->at.n != 0)
        return BZ_EEXISTS;
    memcpy(t->name, name, BZ_BACKUP_NAME);
    t->at = *at;
    s->n++;
    return BZ_OK;
}

bool bz_backup_set_get(const struct bz_backup_set *s, const uint8_t name[BZ_BACKUP_NAME],
                       struct bz_backup_place *ret) {
    if (s->cap == 0)
        return false;
    const struct slot *t = find(s, name);
    if (t->at.n == 0)
        return false;
    *ret = t->at;
    return true;
}
