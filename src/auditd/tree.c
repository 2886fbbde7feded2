#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* ---- opening ---- */

static enum bz_status load_levels(struct bz_tree *t, struct bz_diag *diag) {
    for (uint32_t l = 0; l < BZ_TREE_LEVELS; l++) {
        uint64_t count = t->f.size >> (8 * l);
        struct bz_tree_level *lv = &t->level[l];
        lv->n = (uint32_t)(count % BZ_TILE_WIDTH);
        if (lv->n == 0)
            continue;
        struct bz_tile_id id = {l, count / BZ_TILE_WIDTH, lv->n};
        struct bz_buf b;
        bz_buf_init(&b, sizeof lv->h);
        enum bz_status st = bz_logdir_tile(t->dir, &id, false, &b);
        if (st == BZ_OK && b.n != lv->n * sizeof lv->h[0])
            st = BZ_ECORRUPT;
        if (st == BZ_OK)
            memcpy(lv->h, b.p, b.n);
        bz_buf_free(&b);
        bz_diag_set(diag, id.index, "a tile at the right edge is missing or has a wrong length");
        if (st != BZ_OK)
            return st;
        lv->partial = true;
        lv->tile = id.index;
        lv->written = lv->n;
    }
    return BZ_OK;
}

/* The last bundle must be what tile level 0 says. */
static enum bz_status load_bundle(struct bz_tree *t, struct bz_diag *diag) {
    uint32_t n = t->level[0].n;
    if (n == 0)
        return BZ_OK;
    struct bz_tile_id id = {0, t->f.size / BZ_TILE_WIDTH, n};
    bz_diag_set(diag, t->f.size - n, "the last entry bundle is missing or does not match its tile");
    BZ_TRY(bz_logdir_tile(t->dir, &id, true, &t->bundle));
    struct bz_view rest = bz_buf_view(&t->bundle);
    for (uint32_t i = 0; i < n; i++) {
        struct bz_view entry;
        struct bz_hash h;
        if (bz_bundle_next(&rest, &entry) != BZ_OK)
            return BZ_ECORRUPT;
        bz_leaf_hash(entry, &h);
        if (!bz_ct_equal(bz_view(h.b, sizeof h.b), bz_view(t->level[0].h[i].b, sizeof h.b)))
            return BZ_ECORRUPT;
    }
    return rest.n == 0 ? BZ_OK : BZ_ECORRUPT;
}

static enum bz_status load(struct bz_tree *t, const struct bz_checkpoint *c, struct bz_diag *diag) {
    struct bz_tile_source src = bz_logdir_source(&t->dir);
    bz_diag_set(diag, c->size, "tiles of the right edge cannot be read");
    BZ_TRY(bz_frontier_load(&src, c->size, &t->f));
    struct bz_hash root;
    bz_frontier_root(&t->f, &root);
    bz_diag_set(diag, c->size, "the tiles do not give the root that the checkpoint signs");
    if (!bz_ct_equal(bz_view(root.b, sizeof root.b), bz_view(c->root.b, sizeof c->root.b)))
        return BZ_ECORRUPT;
    BZ_TRY(load_levels(t, diag));
    return load_bundle(t, diag);
}

enum bz_status bz_tree_open(struct bz_tree *t, const struct bz_io *io, int dir,
                            struct bz_view origin, const uint8_t sec[BZ_SIGN_SECRET_LEN],
                            struct bz_diag *diag) {
    memset(t, 0, sizeof *t);
    t->io = io;
    t->dir = dir;
    t->origin = origin;
    t->sec = sec;
    bz_buf_init(&t->bundle, BZ_BUNDLE_MAX);
    struct bz_buf note;
    bz_buf_init(&note, BZ_CHECKPOINT_MAX);
    enum bz_status st = bz_logdir_read(dir, "checkpoint", &note);
    struct bz_checkpoint c = {0};
    if (st == BZ_OK) {
        bz_diag_set(diag, 0, "the checkpoint is damaged or not signed by this instance");
        st = bz_checkpoint_open(bz_buf_view(&note), origin,
                                sec + BZ_SIGN_SECRET_LEN - BZ_SIGN_PUBLIC_LEN, &c);
        if (st == BZ_OK)
            st = load(t, &c, diag);
        t->signed_once = true;
        t->signed_size = c.size;
    } else if (st == BZ_ENOTFOUND) {
        st = BZ_OK;
    } else {
        bz_diag_set(diag, 0, "the checkpoint cannot be read");
    }
    bz_buf_free(&note);
    if (st != BZ_OK)
        bz_tree_close(t);
    return st;
}

void bz_tree_close(struct bz_tree *t) {
    bz_buf_free(&t->bundle);
    bz_buf_init(&t->bundle, BZ_BUNDLE_MAX);
}

/* ---- growing ---- */

enum bz_status bz_tree_add(struct bz_tree *t, struct bz_view entry, const struct bz_hash *leaf) {
    if (t->level[0].n == BZ_TILE_WIDTH)
        return BZ_EUNAVAIL;
    size_t before = t->bundle.n;
    bz_bundle_add(&t->bundle, entry);
    if (bz_buf_status(&t->bundle) != BZ_OK) {
        enum bz_status st = bz_buf_status(&t->bundle);
        t->bundle.n = before;
        t->bundle.st = BZ_OK;
        return st;
    }
    bz_frontier_add(&t->f, leaf);
    struct bz_hash h = *leaf;
    for (uint32_t l = 0; l < BZ_TREE_LEVELS; l++) {
        struct bz_tree_level *lv = &t->level[l];
        lv->h[lv->n++] = h;
        if (lv->n < BZ_TILE_WIDTH)
            break;
        /* The hash over the whole tile is in the frontier: adding its last leaf has just completed
         * that subtree, unless it went up further; so it is computed here. */
        struct bz_frontier sub = {0};
        for (uint32_t i = 0; i < BZ_TILE_WIDTH; i++)
            bz_frontier_add(&sub, &lv->h[i]);
        bz_frontier_root(&sub, &h);
    }
    return BZ_OK;
}

/* ---- files ---- */

static enum bz_status sync_dirs(struct bz_tree *t) {
    while (t->dirs_n > 0) {
        BZ_TRY(bz_io_sync_dir(t->io, t->dir, t->dirs[t->dirs_n - 1]));
        t->dirs_n--;
    }
    return BZ_OK;
}

static enum bz_status note_dir(struct bz_tree *t, const char *path) {
    for (size_t i = 0; i < t->dirs_n; i++)
        if (strcmp(t->dirs[i], path) == 0)
            return BZ_OK;
    if (t->dirs_n == BZ_TREE_DIRS)
        BZ_TRY(sync_dirs(t));
    snprintf(t->dirs[t->dirs_n++], sizeof t->dirs[0], "%s", path);
    return BZ_OK;
}

/* Cuts the last part off a path; false when there is none left. */
static bool parent(char *path) {
    char *slash = strrchr(path, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

/* Makes the folders above `path` that are not there. */
static enum bz_status make_parents(struct bz_tree *t, const char *path) {
    char part[80];
    for (const char *p = path; (p = strchr(p, '/')) != NULL; p++) {
        snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
        if (t->io->mkdir(t->io->ctx, t->dir, part) == 0)
            BZ_TRY(note_dir(t, parent(part) ? part : "."));
        else if (errno != EEXIST)
            return BZ_EIO;
    }
    return BZ_OK;
}

static enum bz_status put_tile(struct bz_tree *t, const struct bz_tile_id *id, bool entries,
                               struct bz_view v) {
    char path[80];
    bz_tile_path(id, entries, path);
    enum bz_status st = bz_io_put(t->io, t->dir, path, v);
    if (st != BZ_OK && errno == ENOENT) {
        BZ_TRY(make_parents(t, path));
        st = bz_io_put(t->io, t->dir, path, v);
    }
    if (st != BZ_OK)
        return st;
    (void)parent(path);
    return note_dir(t, path);
}

static struct bz_view hashes(const struct bz_tree_level *lv) {
    return bz_view(lv->h, lv->n * sizeof lv->h[0]);
}

enum bz_status bz_tree_flush(struct bz_tree *t) {
    if (t->level[0].n < BZ_TILE_WIDTH)
        return BZ_OK;
    struct bz_tile_id id = {0, t->f.size / BZ_TILE_WIDTH - 1, BZ_TILE_WIDTH};
    BZ_TRY(put_tile(t, &id, true, bz_buf_view(&t->bundle)));
    uint32_t full = 0;
    for (; full < BZ_TREE_LEVELS && t->level[full].n == BZ_TILE_WIDTH; full++) {
        id = (struct bz_tile_id){full, (t->f.size >> (8 * (full + 1))) - 1, BZ_TILE_WIDTH};
        BZ_TRY(put_tile(t, &id, false, hashes(&t->level[full])));
    }
    for (uint32_t l = 0; l < full; l++)
        t->level[l].n = 0;
    bz_buf_reset(&t->bundle);
    return BZ_OK;
}

/* Removes "....p/" of a tile that is full now. Left-overs harm nobody, so failures are ignored. */
static void drop_partials(struct bz_tree *t, uint32_t level, uint64_t index, bool entries) {
    struct bz_tile_id id = {level, index, 1};
    char path[80];
    bz_tile_path(&id, entries, path);
    (void)parent(path);
    int fd = openat(t->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        uint64_t width;
        if (bz_view_u64(bz_view_str(e->d_name), &width) == BZ_OK)
            (void)t->io->unlink(t->io->ctx, fd, e->d_name, false);
    }
    closedir(d);
    (void)t->io->unlink(t->io->ctx, t->dir, path, true);
}

static enum bz_status put_partials(struct bz_tree *t) {
    for (uint32_t l = 0; l < BZ_TREE_LEVELS; l++) {
        struct bz_tree_level *lv = &t->level[l];
        struct bz_tile_id id = {l, (t->f.size >> (8 * l)) / BZ_TILE_WIDTH, lv->n};
        if (lv->n == 0 || (lv->partial && lv->tile == id.index && lv->written == lv->n))
            continue;
        if (l == 0)
            BZ_TRY(put_tile(t, &id, true, bz_buf_view(&t->bundle)));
        BZ_TRY(put_tile(t, &id, false, hashes(lv)));
    }
    return BZ_OK;
}

/* After the checkpoint: partial tiles whose full tile is there go; the present ones are remembered.
 */
static void settle_partials(struct bz_tree *t) {
    for (uint32_t l = 0; l < BZ_TREE_LEVELS; l++) {
        struct bz_tree_level *lv = &t->level[l];
        uint64_t tile = (t->f.size >> (8 * l)) / BZ_TILE_WIDTH;
        if (lv->partial && lv->tile < tile) {
            drop_partials(t, l, lv->tile, false);
            if (l == 0)
                drop_partials(t, l, lv->tile, true);
            lv->partial = false;
        }
        if (lv->n == 0)
            continue;
        lv->partial = true;
        lv->tile = tile;
        lv->written = lv->n;
    }
}

static enum bz_status sign(struct bz_tree *t) {
    struct bz_checkpoint c = {.origin = t->origin, .size = t->f.size};
    bz_frontier_root(&t->f, &c.root);
    struct bz_buf b;
    bz_buf_init(&b, BZ_CHECKPOINT_MAX);
    bz_checkpoint_sign(&c, t->sec, &b);
    enum bz_status st = bz_buf_status(&b);
    if (st == BZ_OK)
        st = bz_io_put(t->io, t->dir, "checkpoint", bz_buf_view(&b));
    bz_buf_free(&b);
    if (st == BZ_OK)
        st = bz_io_sync_dir(t->io, t->dir, ".");
    return st;
}

enum bz_status bz_tree_checkpoint(struct bz_tree *t) {
    BZ_TRY(bz_tree_flush(t));
    if (t->signed_once && t->signed_size == t->f.size)
        return BZ_OK;
    /* Order: entries and tiles, their folders, the checkpoint that vouches for them. */
    BZ_TRY(put_partials(t));
    BZ_TRY(sync_dirs(t));
    BZ_TRY(sign(t));
    t->signed_once = true;
    t->signed_size = t->f.size;
    settle_partials(t);
    return BZ_OK;
}
