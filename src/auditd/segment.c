#include "segment.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

void bz_segments_init(struct bz_segments *s, const struct bz_io *io, int dir, uint64_t last,
                      const uint8_t ring[16]) {
    *s = (struct bz_segments){.io = io, .dir = dir, .fd = -1, .last = last};
    memcpy(s->head.ring, ring, sizeof s->head.ring);
}

static void drop(struct bz_segments *s) {
    int e = errno;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    errno = e;
}

void bz_segments_done(struct bz_segments *s) {
    drop(s);
}

static enum bz_status write_head(struct bz_segments *s, int fd) {
    struct bz_buf b;
    bz_buf_init(&b, BZ_JOURNAL_HEAD);
    bz_journal_head_encode(&s->head, &b);
    enum bz_status st = bz_buf_status(&b);
    if (st == BZ_OK)
        st = bz_io_write(s->io, fd, bz_buf_view(&b), 0);
    bz_buf_free(&b);
    if (st == BZ_OK && s->io->sync(s->io->ctx, fd, false) != 0)
        st = BZ_EIO;
    return st;
}

/* A segment that is done gets the new name, then a new head. The name first: the sealer renames
 * others to "spare" at any moment, and only a rename takes exactly one of them. Without one: -1. */
static int from_spare(struct bz_segments *s, const char *name) {
    if (s->io->rename(s->io->ctx, s->dir, BZ_SEGMENT_SPARE, name) != 0)
        return -1;
    int fd = s->io->open(s->io->ctx, s->dir, name, BZ_IO_REUSE);
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == BZ_SEGMENT_BYTES &&
        write_head(s, fd) == BZ_OK)
        return fd;
    if (fd >= 0)
        close(fd);
    (void)s->io->unlink(s->io->ctx, s->dir, name, false);
    return -1;
}

/* Writes the zeros that the reserved blocks stand for: see BZ_SEGMENT_SPARE. 30 ms, so only at a
 * start. */
static enum bz_status fill(struct bz_segments *s, int fd) {
    static const uint8_t zeros[1 << 16];
    for (uint64_t at = 0; at < BZ_SEGMENT_BYTES; at += sizeof zeros)
        BZ_TRY(bz_io_write(s->io, fd, bz_view(zeros, sizeof zeros), at));
    return BZ_OK;
}

static enum bz_status from_nothing(struct bz_segments *s, const char *name, int *ret_fd) {
    int fd = s->io->open(s->io->ctx, s->dir, name, BZ_IO_NEW);
    if (fd < 0)
        return BZ_EIO;
    enum bz_status st = s->io->reserve(s->io->ctx, fd, BZ_SEGMENT_BYTES) == 0 ? BZ_OK : BZ_EIO;
    if (st == BZ_OK && !s->begun)
        st = fill(s, fd);
    if (st == BZ_OK)
        st = write_head(s, fd);
    if (st == BZ_OK) {
        *ret_fd = fd;
        return BZ_OK;
    }
    int e = errno;
    close(fd);
    (void)s->io->unlink(s->io->ctx, s->dir, name, false);
    errno = e;
    return st;
}

/* The head is flushed, with the folder, before the first frame is written: a segment without a
 * sound head has none. */
static enum bz_status begin(struct bz_segments *s, uint64_t first) {
    char name[BZ_SEGMENT_NAME];
    s->head.segment = ++s->last; /* a number is never used twice, whatever becomes of the file */
    s->head.first = first;
    bz_segment_name(s->last, name);
    int fd = from_spare(s, name);
    if (fd < 0)
        BZ_TRY(from_nothing(s, name, &fd));
    s->begun = true;
    enum bz_status st = bz_io_sync_dir(s->io, s->dir, "journal");
    if (st != BZ_OK) {
        int e = errno;
        close(fd);
        (void)s->io->unlink(s->io->ctx, s->dir, name, false);
        errno = e;
        return st;
    }
    s->fd = fd;
    s->off = BZ_JOURNAL_HEAD;
    return BZ_OK;
}

enum bz_status bz_segments_commit(struct bz_segments *s, uint64_t first, struct bz_view frames) {
    if (frames.n > BZ_SEGMENT_BYTES - BZ_JOURNAL_HEAD)
        return BZ_EINVAL;
    if (s->fd >= 0 && frames.n > BZ_SEGMENT_BYTES - s->off)
        drop(s);
    if (s->fd < 0)
        BZ_TRY(begin(s, first));
    enum bz_status st = bz_io_write(s->io, s->fd, frames, s->off);
    if (st == BZ_OK && s->io->sync(s->io->ctx, s->fd, true) != 0)
        st = BZ_EIO;
    if (st != BZ_OK) {
        drop(s);
        return st;
    }
    s->off += frames.n;
    return BZ_OK;
}
