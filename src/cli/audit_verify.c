/* bartizan audit verify: every entry against its leaf hash, every tile against the entries, the
 * root against the signature. */
#include "cmd_audit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <bartizan/json.h>

#include "opts.h"

enum { LEVELS = 8, FINDINGS_SHOWN = 20, TEXT = 200 };

struct finding {
    char text[TEXT];
    uint64_t index;
};

struct level {
    uint32_t n;
    uint64_t tile;
    struct bz_hash h[BZ_TILE_WIDTH];
};

struct verify {
    struct bz_alog l;
    struct bz_frontier f;
    struct level level[LEVELS];
    struct finding list[FINDINGS_SHOWN];
    uint64_t findings;
    bool unreadable; /* something could not be looked at */
    bool has_old;
    struct bz_buf old_note;
    struct bz_checkpoint old;
    uint64_t expect;
};

__attribute__((format(printf, 3, 4))) static void found(struct verify *v, uint64_t index,
                                                        const char *fmt, ...) {
    if (v->findings < FINDINGS_SHOWN) {
        struct finding *f = &v->list[v->findings];
        f->index = index;
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(f->text, sizeof f->text, fmt, ap);
        va_end(ap);
    }
    v->findings++;
}

static bool same(const struct bz_hash *a, const struct bz_hash *b) {
    return bz_ct_equal(bz_view(a->b, BZ_HASH_LEN), bz_view(b->b, BZ_HASH_LEN));
}

/* Reads a tile or bundle; false: it cannot be used and that was noted. */
static bool fetch(struct verify *v, const struct bz_tile_id *t, bool entries, struct bz_buf *out) {
    enum bz_status st = bz_logdir_tile(v->l.dir, t, entries, out);
    if (st == BZ_OK && !entries && out->n != t->width * sizeof(struct bz_hash))
        st = BZ_ECORRUPT;
    if (st == BZ_OK)
        return true;
    char path[80];
    bz_tile_path(t, entries, path);
    uint64_t first = t->index << 8 * (t->level + 1);
    if (st == BZ_EIO || st == BZ_ENOMEM) {
        bz_say("%s: %s", path, bz_status_text(st));
        v->unreadable = true;
    } else {
        found(v, first, "%s: %s", path, st == BZ_ENOTFOUND ? "missing" : "has the wrong length");
    }
    return false;
}

/* Compares a tile file with what the entries give. */
static void check_tile(struct verify *v, uint32_t l) {
    struct level *lv = &v->level[l];
    struct bz_tile_id t = {l, lv->tile, lv->n};
    struct bz_buf b;
    bz_buf_init(&b, sizeof lv->h);
    if (fetch(v, &t, false, &b)) {
        for (uint32_t i = 0; i < lv->n; i++) {
            struct bz_hash h;
            memcpy(h.b, b.p + i * sizeof h, sizeof h);
            if (same(&h, &lv->h[i]))
                continue;
            char path[80];
            bz_tile_path(&t, false, path);
            uint64_t at = (t.index * BZ_TILE_WIDTH + i) << 8 * l;
            if (l == 0)
                found(v, at, "record %llu and its hash in %s differ", (unsigned long long)at, path);
            else
                found(v, at, "%s: hash %u is not that of the records from %llu on", path, i,
                      (unsigned long long)at);
            break;
        }
    }
    bz_buf_free(&b);
}

/* The hash of the next leaf goes up through the levels; a tile that is full is compared and makes
 * one hash above. */
static void add(struct verify *v, const struct bz_hash *leaf) {
    if (v->has_old && v->f.size == v->old.size) {
        struct bz_hash root;
        bz_frontier_root(&v->f, &root);
        if (!same(&root, &v->old.root))
            found(v, 0, "the records below %llu are not those of the old checkpoint",
                  (unsigned long long)v->old.size);
        v->has_old = false;
    }
    bz_frontier_add(&v->f, leaf);
    struct bz_hash h = *leaf;
    for (uint32_t l = 0; l < LEVELS; l++) {
        struct level *lv = &v->level[l];
        lv->h[lv->n++] = h;
        if (lv->n < BZ_TILE_WIDTH)
            return;
        check_tile(v, l);
        bz_subtree_hash(lv->h, BZ_TILE_WIDTH, &h);
        lv->n = 0;
        lv->tile++;
    }
}

/* Entries that cannot be read are stood in for by the tile's hashes, so that the rest can still be
 * judged. */
static void add_from_tile(struct verify *v, const struct bz_tile_id *t, uint32_t from) {
    struct bz_tile_id level0 = {0, t->index, t->width};
    struct bz_buf b;
    bz_buf_init(&b, BZ_TILE_WIDTH * BZ_HASH_LEN);
    bool ok = bz_logdir_tile(v->l.dir, &level0, false, &b) == BZ_OK &&
              b.n == t->width * sizeof(struct bz_hash);
    for (uint32_t i = from; i < t->width; i++) {
        struct bz_hash h = {{0}};
        if (ok)
            memcpy(h.b, b.p + i * sizeof h, sizeof h);
        add(v, &h);
    }
    bz_buf_free(&b);
}

static void check_bundle(struct verify *v, const struct bz_tile_id *t) {
    struct bz_buf b;
    bz_buf_init(&b, BZ_BUNDLE_MAX);
    uint32_t i = 0;
    if (fetch(v, t, true, &b)) {
        struct bz_view rest = bz_buf_view(&b);
        struct bz_view entry;
        for (; i < t->width && bz_bundle_next(&rest, &entry) == BZ_OK; i++) {
            struct bz_hash leaf;
            bz_leaf_hash(entry, &leaf);
            add(v, &leaf);
        }
        if (i < t->width || rest.n != 0) {
            char path[80];
            bz_tile_path(t, true, path);
            uint64_t at = t->index * BZ_TILE_WIDTH + i;
            found(v, at, "%s: malformed at record %llu", path, (unsigned long long)at);
        }
    }
    add_from_tile(v, t, i);
    bz_buf_free(&b);
}

static void check_all(struct verify *v) {
    uint64_t size = v->l.head.size;
    struct bz_tile_id t;
    for (uint64_t i = 0; bz_tile_of(0, i, size, &t); i += BZ_TILE_WIDTH) {
        bz_audit_progress("verifying", i, size);
        check_bundle(v, &t);
    }
    bz_audit_progress("verifying", size, size);
    for (uint32_t l = 0; l < LEVELS; l++)
        if (v->level[l].n != 0)
            check_tile(v, l);
    struct bz_hash root;
    bz_frontier_root(&v->f, &root);
    if (!same(&root, &v->l.head.root))
        found(v, 0, "the records do not give the root that the checkpoint signs");
    if (v->has_old && v->old.size == size && !same(&root, &v->old.root))
        found(v, 0, "the records are not those of the old checkpoint of the same size");
}

/* ---- what stands around the tree ---- */

static int open_old(struct verify *v, const char *path) {
    if (path == NULL)
        return 0;
    if (bz_logdir_read(AT_FDCWD, path, &v->old_note) != BZ_OK) {
        bz_say("--old-checkpoint %s: cannot be read", bz_safe(path));
        return BZ_EXIT_FAILURE;
    }
    if (bz_checkpoint_open(bz_buf_view(&v->old_note), v->l.origin, v->l.pub, &v->old) != BZ_OK) {
        bz_say("--old-checkpoint %s: not signed by this log's key", bz_safe(path));
        return BZ_EXIT_FAILURE;
    }
    v->has_old = true;
    return 0;
}

/* Checkpoint and journal; false: there is no tree to look at. */
static bool check_head(struct verify *v) {
    enum bz_status st = bz_alog_refresh(&v->l);
    struct stat s;
    if (st == BZ_EDENIED || st == BZ_ESYNTAX) {
        found(v, 0, "checkpoint: %s",
              st == BZ_EDENIED ? "not signed by the verifier key" : "malformed");
        return false;
    }
    if (st == BZ_ECORRUPT)
        found(v, v->l.diag.offset, "journal at record %llu: %s",
              (unsigned long long)v->l.diag.offset,
              v->l.diag.why == NULL ? "damaged" : v->l.diag.why);
    else if (st != BZ_OK) {
        bz_say("the log cannot be read: %s", bz_status_text(st));
        v->unreadable = true;
        return false;
    }
    if (!v->l.has_head && fstatat(v->l.dir, "tile", &s, 0) == 0 && v->l.durable == 0)
        found(v, 0, "checkpoint: missing, though there are tiles");
    uint64_t must = v->has_old && v->old.size > v->expect ? v->old.size : v->expect;
    if (v->l.durable < must)
        found(v, v->l.durable, "the log has %llu records but had %llu before: it was cut back",
              (unsigned long long)v->l.durable, (unsigned long long)must);
    else if (v->has_old && v->l.head.size < v->old.size)
        found(v, v->l.head.size, "the checkpoint is older than the old one");
    return v->l.has_head;
}

/* ---- the answer ---- */

static int verdict(const struct verify *v) {
    if (v->findings != 0)
        return BZ_EXIT_FINDINGS;
    return v->unreadable || !v->l.has_head ? BZ_EXIT_UNCHECKED : BZ_EXIT_OK;
}

static void print_json(const struct verify *v) {
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, 1 << 20);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kbool(&w, "ok", verdict(v) == BZ_EXIT_OK);
    bz_jw_kstr(&w, "origin", v->l.origin);
    bz_jw_kbool(&w, "checkpoint", v->l.has_head);
    bz_jw_ku64(&w, "size", v->l.head.size);
    bz_jw_ku64(&w, "durable", v->l.durable);
    bz_jw_ku64(&w, "unsealed", v->l.durable - v->l.head.size);
    bz_jw_kbool(&w, "unreadable", v->unreadable);
    bz_jw_ku64(&w, "findings_total", v->findings);
    bz_jw_key(&w, "findings");
    bz_jw_arr(&w);
    for (uint64_t i = 0; i < v->findings && i < FINDINGS_SHOWN; i++) {
        bz_jw_obj(&w);
        bz_jw_ku64(&w, "record", v->list[i].index);
        bz_jw_kstr(&w, "text", bz_view_str(v->list[i].text));
        bz_jw_end(&w);
    }
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_buf_putc(&b, '\n');
    (void)fwrite(b.p, 1, b.n, stdout);
    bz_buf_free(&b);
}

static void print_text(const struct verify *v, bool own_key) {
    for (uint64_t i = 0; i < v->findings && i < FINDINGS_SHOWN; i++)
        (void)printf("TAMPERED: %s\n", v->list[i].text);
    if (v->findings > FINDINGS_SHOWN)
        (void)printf("and %llu more\n", (unsigned long long)(v->findings - FINDINGS_SHOWN));
    if (v->findings == 0 && v->l.has_head && !v->unreadable)
        (void)printf("ok: %llu records, every tile and the signature of the checkpoint\n",
                     (unsigned long long)v->l.head.size);
    if (v->l.durable > v->l.head.size)
        (void)printf("%llu durable, not yet in a checkpoint\n",
                     (unsigned long long)(v->l.durable - v->l.head.size));
    if (!v->l.has_head && v->findings == 0)
        (void)printf("there is no checkpoint yet\n");
    if (own_key && v->l.has_head)
        (void)printf("checked with the key that lies beside the log (%.*s); a copy kept elsewhere, "
                     "given with --key, "
                     "proves more\n",
                     (int)v->l.origin.n, (const char *)v->l.origin.p);
}

static int run(struct verify *v, const char *dir, const char *key, const char *old, bool json) {
    int rc = bz_alog_open(dir, key, &v->l);
    if (rc != 0)
        return rc;
    rc = open_old(v, old);
    if (rc == 0) {
        if (check_head(v))
            check_all(v);
        if (json)
            print_json(v);
        else
            print_text(v, key == NULL);
        rc = fflush(stdout) == 0 ? verdict(v) : BZ_EXIT_FAILURE;
    }
    bz_alog_close(&v->l);
    return rc;
}

int bz_audit_verify(int argc, char **argv) {
    const char *key = NULL;
    const char *old = NULL;
    const char *expect = NULL;
    bool json = false;
    bool help = false;
    const struct bz_opt list[] = {
        {"key", BZ_OPT_TEXT, &key, "VERIFIER",
         "the log's verifier key, or a file with it, from a place you trust"},
        {"old-checkpoint", BZ_OPT_TEXT, &old, "FILE",
         "the log must be a continuation of this earlier checkpoint"},
        {"expect-size", BZ_OPT_TEXT, &expect, "N", "the log must have at least this many records"},
        {"json", BZ_OPT_FLAG, &json, NULL, "one JSON object"},
    };
    static const char *const words[] = {"DIR"};
    const struct bz_opts o = {"bartizan audit verify DIR [--key VERIFIER] [--old-checkpoint FILE] "
                              "[--expect-size N] [--json]",
                              "Proves the whole log. A log cut back to an earlier state of itself "
                              "looks whole: only what you "
                              "kept elsewhere (--old-checkpoint, --expect-size) shows that.",
                              list,
                              sizeof list / sizeof list[0],
                              words,
                              1,
                              1};
    const char *dir[1];
    size_t n;
    uint64_t least = 0;
    if (bz_opts_parse(&o, argc, argv, dir, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (expect != NULL && bz_view_u64(bz_view_str(expect), &least) != BZ_OK) {
        bz_say("--expect-size %s: not a number", bz_safe(expect));
        return BZ_EXIT_FAILURE;
    }
    struct verify *v = calloc(1, sizeof *v); /* 70 KiB of tile levels */
    if (v == NULL)
        return BZ_EXIT_UNCHECKED;
    v->expect = least;
    bz_buf_init(&v->old_note, BZ_CHECKPOINT_MAX);
    int rc = run(v, dir[0], key, old, json);
    bz_buf_free(&v->old_note);
    free(v);
    return rc;
}
