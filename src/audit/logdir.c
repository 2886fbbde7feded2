/* Reading a log directory, for the writer at its start and for the command line. */
#include <bartizan/audit.h>
#include <bartizan/rd.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static enum bz_status open_regular(int dir, const char *path, int *ret_fd) {
    /* nonblocking: a FIFO planted here must not hang us */
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? BZ_ENOTFOUND : BZ_EIO;
    struct stat s;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        close(fd);
        return BZ_EINVAL;
    }
    *ret_fd = fd;
    return BZ_OK;
}

enum bz_status bz_logdir_read(int dir, const char *path, struct bz_buf *out) {
    int fd;
    BZ_TRY(open_regular(dir, path, &fd));
    enum bz_status st = BZ_OK;
    uint8_t chunk[4000];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            st = BZ_EIO;
        if (n <= 0)
            break;
        bz_buf_put(out, bz_view(chunk, (size_t)n));
        if (bz_buf_status(out) != BZ_OK)
            break;
    }
    close(fd);
    return st != BZ_OK ? st : bz_buf_status(out);
}

/* Length of the first `width` entries of a bundle; 0 when it has fewer. */
static size_t bundle_prefix(struct bz_view v, uint32_t width) {
    size_t at = 0;
    for (uint32_t i = 0; i < width; i++) {
        if (v.n - at < 2)
            return 0;
        size_t n = (size_t)v.p[at] << 8 | v.p[at + 1];
        if (v.n - at - 2 < n)
            return 0;
        at += 2 + n;
    }
    return at;
}

enum bz_status bz_logdir_tile(int dir, const struct bz_tile_id *t, bool entries,
                              struct bz_buf *out) {
    char path[80];
    bz_tile_path(t, entries, path);
    size_t from = out->n;
    enum bz_status st = bz_logdir_read(dir, path, out);
    if (st != BZ_ENOTFOUND || t->width == BZ_TILE_WIDTH)
        return st;
    /* "MAY delete any partial tile once the corresponding full tile is available" */
    struct bz_tile_id full = {t->level, t->index, BZ_TILE_WIDTH};
    bz_tile_path(&full, entries, path);
    BZ_TRY(bz_logdir_read(dir, path, out));
    size_t n = (size_t)t->width * BZ_HASH_LEN;
    struct bz_view got = bz_view(out->p + from, out->n - from);
    if (entries)
        n = bundle_prefix(got, t->width);
    if (n == 0 || n > got.n)
        return BZ_ECORRUPT;
    out->n = from + n;
    return BZ_OK;
}

static enum bz_status source_read(void *ctx, const struct bz_tile_id *t, struct bz_buf *out) {
    const int *dir = ctx;
    return bz_logdir_tile(*dir, t, false, out);
}

struct bz_tile_source bz_logdir_source(int *dir) {
    return (struct bz_tile_source){source_read, dir};
}

void bz_segment_name(uint64_t segment, char out[BZ_SEGMENT_NAME]) {
    snprintf(out, BZ_SEGMENT_NAME, "journal/%012llu", (unsigned long long)segment);
}

uint64_t bz_segment_next(int dir, uint64_t after) {
    int fd = openat(dir, "journal", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    uint64_t best = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        uint64_t n;
        if (strlen(e->d_name) >= 12 && bz_view_u64(bz_view_str(e->d_name), &n) == BZ_OK &&
            n > after && (best == 0 || n < best))
            best = n;
    }
    closedir(d);
    return best;
}

struct scan {
    struct bz_journal_scan r;
    enum bz_status (*fn)(void *, const struct bz_journal_frame *, const struct bz_hash *);
    void *ctx;
    struct bz_diag *diag;
};

static enum bz_status missing(struct scan *s, const char *why) {
    bz_diag_set(s->diag, s->r.next, why);
    return BZ_ECORRUPT;
}

/* A sound frame behind the damage whose batch began later than the index we wait for: that batch
 * was begun after the damaged one had been flushed, so what is damaged had been confirmed. Without
 * one it is a batch cut short, confirmed to nobody. */
static bool confirmed_later(struct bz_view seg, size_t from, uint64_t least) {
    for (size_t at = from; at < seg.n; at += 8) {
        struct bz_journal_frame f;
        struct bz_hash leaf;
        size_t used;
        if (seg.p[at] != 'B') /* of "BZJF"; most of it is zeros */
            continue;
        if (bz_journal_frame_decode(bz_view_sub(seg, at, seg.n), &f, &leaf, &used) == BZ_OK &&
            f.batch >= least)
            return true;
    }
    return false;
}

/* Bytes at `at` of a batch cut short: the head of the frame that would come next, which then did
 * not prove sound. Anything else there is from the former life of a segment that is used again. */
static uint64_t torn(struct bz_view seg, size_t at, uint64_t next) {
    struct bz_rd rd;
    bz_rd_init(&rd, bz_view_sub(seg, at, seg.n));
    struct bz_view magic = bz_rd_take(&rd, 4);
    uint32_t n = bz_rd_le32(&rd);
    uint64_t index = bz_rd_le64(&rd);
    bool ours = bz_rd_ok(&rd) && bz_view_eq(magic, BZ_V("BZJF")) && index == next;
    return ours ? BZ_JOURNAL_FRAME + (uint64_t)n : 0;
}

static enum bz_status take_frame(struct scan *s, const struct bz_journal_frame *f,
                                 const struct bz_hash *leaf) {
    if (f->lane < BZ_LANES_MAX && f->seq > s->r.seen[f->lane])
        s->r.seen[f->lane] = f->seq;
    if (s->fn != NULL)
        BZ_TRY(s->fn(s->ctx, f, leaf));
    s->r.next++;
    return BZ_OK;
}

static enum bz_status scan_frames(struct scan *s, struct bz_view seg, uint64_t until,
                                  bool is_last) {
    size_t at = BZ_JOURNAL_HEAD;
    while (s->r.next < until) {
        struct bz_journal_frame f;
        struct bz_hash leaf;
        size_t used = 0;
        enum bz_status st = bz_journal_frame_decode(bz_view_sub(seg, at, seg.n), &f, &leaf, &used);
        if (st == BZ_OK && f.index == s->r.next) {
            BZ_TRY(take_frame(s, &f, &leaf));
            at += used;
            continue;
        }
        if (!is_last)
            break; /* the next segment's `first` tells whether this was the end */
        if (confirmed_later(seg, at, s->r.next + 1))
            return missing(s, "confirmed records are damaged in the journal");
        s->r.torn = torn(seg, at, s->r.next);
        break;
    }
    return BZ_OK;
}

/* `until`: first index of the next sound segment, UINT64_MAX when this is the last one. */
static enum bz_status scan_segment(struct scan *s, const struct bz_journal_head *h,
                                   struct bz_view seg, uint64_t until) {
    if (s->r.any && h->first != s->r.next)
        return missing(s, "confirmed records are missing between two journal segments");
    if (!s->r.any)
        s->r.first = s->r.next = h->first;
    s->r.any = true;
    memcpy(s->r.ring, h->ring, sizeof s->r.ring);
    memcpy(s->r.seen, h->seen, sizeof s->r.seen);
    return scan_frames(s, seg, until, until == UINT64_MAX);
}

static enum bz_status read_segment(int dir, uint64_t number, size_t max, struct bz_buf *out,
                                   struct bz_journal_head *ret) {
    char name[BZ_SEGMENT_NAME];
    bz_segment_name(number, name);
    bz_buf_free(out);
    bz_buf_init(out, max);
    int fd;
    BZ_TRY(open_regular(dir, name, &fd));
    uint8_t *p = bz_buf_room(out, max);
    size_t got = 0;
    ssize_t n = p == NULL ? -1 : 1;
    while (n > 0 && got < max) {
        n = pread(fd, p + got, max - got, (off_t)got);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            got += (size_t)n;
    }
    close(fd);
    if (n < 0)
        return p == NULL ? BZ_ENOMEM : BZ_EIO;
    out->n = got;
    BZ_TRY(bz_journal_head_decode(bz_buf_view(out), ret));
    return ret->segment == number ? BZ_OK : BZ_ECORRUPT;
}

/* The next sound segment above `after`: its number and head. *ret_bad: one without a sound head
 * that was passed behind the last sound one; 0: none. Between sound ones such a segment needs no
 * look: if it had held records, the next one's `first` would tell. */
static enum bz_status next_head(struct scan *s, int dir, uint64_t after, struct bz_buf *seg,
                                uint64_t *ret, struct bz_journal_head *ret_head,
                                uint64_t *ret_bad) {
    *ret = 0;
    *ret_bad = 0;
    for (uint64_t n = after; (n = bz_segment_next(dir, n)) != 0;) {
        if (n > s->r.last_segment)
            s->r.last_segment = n;
        enum bz_status st = read_segment(dir, n, BZ_JOURNAL_HEAD, seg, ret_head);
        if (st == BZ_OK) {
            *ret = n;
            *ret_bad = 0;
            return BZ_OK;
        }
        if (st != BZ_ECORRUPT && st != BZ_ENOTFOUND)
            return st;
        *ret_bad = n;
    }
    return BZ_OK;
}

/* A segment at the end whose head is not sound. The writer flushes the head before the first frame,
 * so frames that could come next mean that the head was damaged later. Otherwise it never got as
 * far. */
static enum bz_status check_headless(struct scan *s, int dir, uint64_t number, struct bz_buf *seg) {
    if (number == 0)
        return BZ_OK;
    struct bz_journal_head ignored;
    (void)!read_segment(dir, number, BZ_SEGMENT_BYTES, seg, &ignored);
    if (confirmed_later(bz_buf_view(seg), BZ_JOURNAL_HEAD, s->r.next))
        return missing(s, "a journal segment has a damaged head");
    return BZ_OK;
}

enum bz_status bz_journal_scan(int dir,
                               enum bz_status (*fn)(void *, const struct bz_journal_frame *,
                                                    const struct bz_hash *),
                               void *ctx, struct bz_journal_scan *ret, struct bz_diag *diag) {
    struct scan s = {.fn = fn, .ctx = ctx, .diag = diag};
    struct bz_buf seg;
    bz_buf_init(&seg, BZ_JOURNAL_HEAD);
    uint64_t number;
    uint64_t bad;
    struct bz_journal_head head;
    enum bz_status st = next_head(&s, dir, 0, &seg, &number, &head, &bad);
    while (st == BZ_OK && number != 0) {
        uint64_t after;
        struct bz_journal_head next;
        st = next_head(&s, dir, number, &seg, &after, &next, &bad);
        if (st == BZ_OK)
            st = read_segment(dir, number, BZ_SEGMENT_BYTES, &seg, &head);
        if (st == BZ_OK)
            st = scan_segment(&s, &head, bz_buf_view(&seg), after == 0 ? UINT64_MAX : next.first);
        number = after;
        head = next;
    }
    if (st == BZ_OK)
        st = check_headless(&s, dir, bad, &seg);
    bz_buf_free(&seg);
    if (st == BZ_OK)
        *ret = s.r;
    return st;
}
