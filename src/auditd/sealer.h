/* Follows the journal and turns it into tiles and signed checkpoints, in a thread of its own so
 * that its flushes never hold up a group commit. It knows nothing that is not in the files:
 * recovery after a crash is the same walk. */
#ifndef BZ_AUDITD_SEALER_H
#define BZ_AUDITD_SEALER_H

#include <pthread.h>
#include "tree.h"

#define BZ_SEALER_CHUNK (256u << 10) /* several frames of the largest size */

struct bz_sealer {
    struct bz_tree tree;
    const struct bz_io *io;
    int dir;          /* lent; DIR/audit */
    uint64_t segment; /* being read; 0: none yet */
    int fd;
    uint64_t off; /* of the chunk in the segment */
    struct bz_buf chunk;
    size_t used; /* bytes of the chunk that are done */

    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    uint64_t durable;      /* leaves in the journal */
    uint64_t last_segment; /* that the journal is in */
    bool stop;
    bool idle;   /* waits for `wake` without a limit */
    bool failed; /* the journal contradicts itself: the process must end */
};

/* `tree` must be open already. */
enum bz_status bz_sealer_init(struct bz_sealer *s, const struct bz_io *io, int dir) BZ_MUST_USE;
void bz_sealer_done(struct bz_sealer *s);
/* Takes frames up to `durable` into the tree. EIO: try again; ECORRUPT: the journal lacks a frame
 * that was committed. */
enum bz_status bz_sealer_step(struct bz_sealer *s, uint64_t durable,
                              uint64_t last_segment) BZ_MUST_USE;
/* How far the next checkpoint should reach of the `durable` leaves: under load to the end of a full
 * bundle, which saves writing, flushing and removing partial ones; what is left has become durable
 * since `before` was the number, so it can wait for the checkpoint after that. */
uint64_t bz_sealer_goal(const struct bz_sealer *s, uint64_t durable, uint64_t before);
/* Signs the present size and removes segments that are wholly below it. */
enum bz_status bz_sealer_seal(struct bz_sealer *s) BZ_MUST_USE;

enum bz_status bz_sealer_start(struct bz_sealer *s) BZ_MUST_USE;
/* More leaves are durable. Any thread. */
void bz_sealer_tell(struct bz_sealer *s, uint64_t durable, uint64_t last_segment);
bool bz_sealer_failed(struct bz_sealer *s);
/* Seals what there is and ends the thread. EIO: the journal keeps what could not be sealed. */
enum bz_status bz_sealer_stop(struct bz_sealer *s) BZ_MUST_USE;

#endif
