/* The writing end of the journal (format and rules: bartizan/audit.h). */
#ifndef BZ_AUDITD_SEGMENT_H
#define BZ_AUDITD_SEGMENT_H

#include "io.h"

struct bz_segments {
    const struct bz_io *io;
    int dir;                     /* lent; DIR/audit */
    int fd;                      /* of the open segment; -1: the next commit begins a new one */
    uint64_t off;                /* where its next frame goes */
    uint64_t last;               /* highest number used so far */
    bool begun;                  /* at least one segment of this life */
    struct bz_journal_head head; /* `seen` is kept current by the caller, for the next segment */
};

void bz_segments_init(struct bz_segments *s, const struct bz_io *io, int dir, uint64_t last,
                      const uint8_t ring[16]);
void bz_segments_done(struct bz_segments *s);
/* Appends frames of leaves from `first` on and makes them durable: on OK they are on disk. On EIO
 * nothing counts and the same call may be tried again: it goes to a new segment, because after a
 * failed flush the kernel may have dropped the pages and a second flush of the same file would
 * report success for nothing (the "fsyncgate" of 2018). */
enum bz_status bz_segments_commit(struct bz_segments *s, uint64_t first,
                                  struct bz_view frames) BZ_MUST_USE;

#endif
