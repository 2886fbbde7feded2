/* Takes records out of the ring and makes them durable: the only consumer of the ring, the only
 * writer of the journal. */
#ifndef BZ_AUDITD_WRITER_H
#define BZ_AUDITD_WRITER_H

#include "sealer.h"
#include "segment.h"

enum {
    BZ_WRITER_BATCH =
        1 << 20, /* bytes of frames of one commit, plus at most one more frame per lane */
    BZ_WRITER_ROOM = BZ_WRITER_BATCH + (1 << 19),
};

struct bz_writer_lane {
    uint64_t pos;   /* taken out of the ring up to here */
    uint64_t seq;   /* of the last record taken */
    uint64_t count; /* records passed since the last commit, repetitions included */
    uint64_t lost;  /* losses named in the batch */
    int fifo;       /* -1: not open */
};

struct bz_writer {
    void *map; /* the ring */
    uint32_t lanes;
    int run_dir; /* lent; for the FIFOs */
    struct bz_segments seg;
    struct bz_writer_lane lane[BZ_LANES_MAX];
    struct bz_buf batch; /* frames not yet durable; it stays as it is until a commit succeeds */
    uint64_t first;      /* leaf index of its first frame */
    uint64_t next;       /* leaf index of the next record */
    struct bz_buf entry; /* scratch */
    uint64_t own;        /* counter of own records */
    uint64_t failing_ns; /* monotonic: since when storage fails; 0: it does not */
    uint64_t stop_ns;    /* monotonic: when the stop was seen; 0: not asked to stop */
    bool ring_replaced;  /* at the start: it was older than the log */
    int error;           /* errno of the last failure */
};

/* `scan`: what the journal holds. Brings the ring in line with it: records that are in the log are
 * not taken again. A ring that is older than the log (power cut) is formatted anew with `fresh` as
 * its name. */
enum bz_status bz_writer_init(struct bz_writer *w, const struct bz_io *io, int dir, int run_dir,
                              void *map, size_t n, const struct bz_journal_scan *scan,
                              uint64_t next, const uint8_t fresh[16]) BZ_MUST_USE;
void bz_writer_done(struct bz_writer *w);
/* Adds a SYSTEM record of our own to the batch. */
void bz_writer_note(struct bz_writer *w, struct bz_view reason, struct bz_view detail);
/* Moves records from the lanes to the batch until they are empty or the batch is full. True: some
 * request waits. */
bool bz_writer_gather(struct bz_writer *w);
/* Makes the batch durable and tells the lanes. EIO: nothing changed, call again later. */
enum bz_status bz_writer_commit(struct bz_writer *w) BZ_MUST_USE;
/* Until *stop: gathers, commits, tells the sealer, sleeps. OK: everything of the ring is durable.
 * EIO: stopped while storage failed. ECORRUPT: the sealer failed. */
enum bz_status bz_writer_run(struct bz_writer *w, struct bz_sealer *s,
                             _Atomic bool *stop) BZ_MUST_USE;

#endif
