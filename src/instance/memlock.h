/* Memory of processes that see prompts, and swap. */
#ifndef BZ_MEMLOCK_H
#define BZ_MEMLOCK_H

#include <bartizan/buf.h>

enum bz_swap {
    BZ_SWAP_NONE,   /* no swap, none for this cgroup, or only in memory (zram) or encrypted */
    BZ_SWAP_LOCKED, /* there is, and this process' memory is locked (bz_memory_lock) */
    BZ_SWAP_OPEN    /* what a process holds may be written to a disk in the clear */
};
/* Locks all memory of this process, as it is touched, where there is swap that could take it and the limit
 * (RLIMIT_MEMLOCK) allows all; a limit that ends somewhere would make allocations fail later. */
enum bz_swap bz_memory_lock(void);
/* Is there swap in the clear? Names the first place, for a message. */
bool bz_swap_open(struct bz_buf *where);
/* For tests: the same over other files. */
bool bz_swap_listed(struct bz_view swaps, bool (*encrypted)(struct bz_view device),
                    struct bz_view *ret_where);

#endif
