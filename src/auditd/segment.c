#include "segment.h"

#include <errno.h>
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

/* The head is flushed, with the folder, before the first frame is written: a segment without a
 * sound head has none. */
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
    if (st == BZ_OK)
        st = bz_io_sync_dir(s->io, s->dir, "journal");
    return st;
}

static enum bz_status begin(struct bz_segments *s, uint64_t first) {
    char name[BZ_SEGMENT_NAME];
    s->head.segment = ++s->last; /* a number is never used twice, whatever becomes of the file */
    s->head.first = first;
    bz_segment_name(s->last, name);
    int fd = s->io->create(s->io->ctx, s->dir, name, true);
    if (fd < 0)
        return BZ_EIO;
    enum bz_status st = s->io->reserve(s->io->ctx, fd, BZ_SEGMENT_BYTES) == 0 ? BZ_OK : BZ_EIO;
    if (st == BZ_OK)
        st = write_head(s, fd);
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
