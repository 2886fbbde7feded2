/* Opening and walking a log for the audit commands. */
#include "cmd_audit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "opts.h"

enum { TRIES = 20 }; /* the live writer removes a journal segment at most once a second */

static int open_log(const char *dir, int *ret) {
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    int top = open(dir, flags);
    if (top < 0) {
        bz_say("%s: %s", bz_safe(dir), strerror(errno));
        return BZ_EXIT_FAILURE;
    }
    int fd = openat(top, "audit", flags | O_NOFOLLOW);
    if (fd >= 0) {
        close(top);
        *ret = fd;
        return 0;
    }
    if (errno == ENOENT && faccessat(top, "checkpoint", F_OK, 0) == 0) {
        *ret = top; /* a copy of the log alone */
        return 0;
    }
    bz_say("%s: no audit log there: %s", bz_safe(dir), strerror(errno));
    close(top);
    return errno == EACCES ? BZ_EXIT_UNCHECKED : BZ_EXIT_FAILURE;
}

/* Without --key the log vouches for itself: docs/AUDIT.md says what that is worth. */
static int read_verifier(struct bz_alog *l, const char *arg) {
    if (arg == NULL) {
        if (bz_logdir_read(l->dir, "verifier", &l->line) != BZ_OK) {
            bz_say("the log has no readable verifier key; give it with --key");
            return BZ_EXIT_UNCHECKED;
        }
    } else if (strchr(arg, '+') != NULL) {
        bz_buf_puts(&l->line, arg);
    } else if (bz_logdir_read(AT_FDCWD, arg, &l->line) != BZ_OK) {
        bz_say("--key %s: neither a verifier key nor a file with one", bz_safe(arg));
        return BZ_EXIT_FAILURE;
    }
    enum bz_status st = bz_verifier_key_parse(bz_buf_view(&l->line), &l->origin, l->pub);
    if (st == BZ_OK)
        return 0;
    bz_say("the verifier key is %s", st == BZ_EDENIED ? "not what its own hash says" : "malformed");
    return arg == NULL ? BZ_EXIT_UNCHECKED : BZ_EXIT_FAILURE;
}

int bz_alog_open(const char *dir, const char *verifier, struct bz_alog *ret) {
    memset(ret, 0, sizeof *ret);
    ret->dir = -1;
    bz_buf_init(&ret->line, 4096);
    bz_buf_init(&ret->note, BZ_CHECKPOINT_MAX);
    int rc = open_log(dir, &ret->dir);
    if (rc == 0)
        rc = read_verifier(ret, verifier);
    if (rc != 0)
        bz_alog_close(ret);
    return rc;
}

void bz_alog_close(struct bz_alog *l) {
    if (l->dir >= 0)
        close(l->dir);
    l->dir = -1;
    bz_buf_free(&l->line);
    bz_buf_free(&l->note);
}

static enum bz_status read_head(struct bz_alog *l) {
    bz_buf_free(&l->note);
    bz_buf_init(&l->note, BZ_CHECKPOINT_MAX);
    l->has_head = false;
    l->head = (struct bz_checkpoint){.origin = l->origin};
    enum bz_status st = bz_logdir_read(l->dir, "checkpoint", &l->note);
    if (st == BZ_ENOTFOUND)
        return BZ_OK;
    if (st == BZ_OK)
        st = bz_checkpoint_open(bz_buf_view(&l->note), l->origin, l->pub, &l->head);
    l->has_head = st == BZ_OK;
    return st;
}

/* A live writer signs a new checkpoint and then removes segments: read between the two, the
 * journal seems to begin too late,
 * or lacks a segment in the middle. So look again. */
enum bz_status bz_alog_refresh(struct bz_alog *l) {
    enum bz_status st = BZ_EINTERNAL;
    for (int i = 0; i < TRIES; i++) {
        BZ_TRY(read_head(l));
        struct bz_journal_scan scan = {0};
        st = bz_journal_scan(l->dir, NULL, NULL, &scan, &l->diag);
        if (st == BZ_OK && scan.any && scan.first > l->head.size) {
            bz_diag_set(&l->diag, l->head.size,
                        "records are missing between the checkpoint and the journal");
            st = BZ_ECORRUPT;
        }
        l->durable = scan.any && scan.next > l->head.size ? scan.next : l->head.size;
        if (st == BZ_OK)
            break;
        l->durable = l->head.size;
        usleep(50000);
    }
    l->journal = st;
    return st;
}

static enum bz_status each_bundle(struct bz_alog *l, uint64_t *next, uint64_t to, bz_alog_fn *fn,
                                  void *ctx) {
    struct bz_tile_id t;
    if (!bz_tile_of(0, *next, l->head.size, &t))
        return BZ_ERANGE;
    struct bz_buf b;
    bz_buf_init(&b, BZ_BUNDLE_MAX);
    enum bz_status st = bz_logdir_tile(l->dir, &t, true, &b);
    struct bz_view rest = bz_buf_view(&b);
    for (uint64_t i = t.index * BZ_TILE_WIDTH;
         st == BZ_OK && i < t.index * BZ_TILE_WIDTH + t.width && i < to; i++) {
        struct bz_view entry;
        st = bz_bundle_next(&rest, &entry);
        if (st == BZ_MORE)
            st = BZ_ECORRUPT;
        if (st != BZ_OK || i < *next)
            continue;
        st = fn(ctx, i, entry);
        *next = i + 1;
    }
    bz_buf_free(&b);
    return st;
}

struct from_journal {
    uint64_t next, to;
    bz_alog_fn *fn;
    void *ctx;
};

static enum bz_status each_frame(void *ctx, const struct bz_journal_frame *f,
                                 const struct bz_hash *leaf) {
    (void)leaf;
    struct from_journal *j = ctx;
    if (f->index != j->next || f->index >= j->to)
        return BZ_OK;
    j->next++;
    return j->fn(j->ctx, f->index, f->entry);
}

enum bz_status bz_alog_each(struct bz_alog *l, uint64_t from, uint64_t to, bz_alog_fn *fn,
                            void *ctx, uint64_t *ret_next) {
    *ret_next = from;
    while (*ret_next < to && *ret_next < l->head.size)
        BZ_TRY(each_bundle(l, ret_next, to, fn, ctx));
    for (int i = 0; i < TRIES && *ret_next < to; i++) {
        struct from_journal j = {*ret_next, to, fn, ctx};
        struct bz_journal_scan scan;
        enum bz_status st = bz_journal_scan(l->dir, each_frame, &j, &scan, &l->diag);
        *ret_next = j.next;
        if (st != BZ_OK && st != BZ_ECORRUPT)
            return st;
        if (j.next >= to)
            return BZ_OK;
        BZ_TRY(bz_alog_refresh(l)); /* sealed in the meantime */
        while (*ret_next < to && *ret_next < l->head.size)
            BZ_TRY(each_bundle(l, ret_next, to, fn, ctx));
    }
    return *ret_next >= to ? BZ_OK : BZ_ECORRUPT;
}
