/* The prison of bartizan-hdf5 and bartizan-7z, programs that read hostile bytes with a library of others:
 * no files but the given ones, no way to open any, no network, no children, no executable memory to make,
 * and limits on memory, time and what is written. A system call that is not on the list kills. */
#ifndef BZ_PRISON_H
#define BZ_PRISON_H

#include <stdbool.h>
#include <stdint.h>

struct bz_prison {
    uint64_t memory;  /* bytes of address space */
    unsigned seconds; /* of processor time */
    uint64_t written; /* bytes of a regular file; pipes do not count */
};

/* Is descriptor 0 a regular file that can be read and not written? Closes all but 0, 1 and 2. */
bool bz_prison_file(uint64_t *ret_size);
/* Closes the doors for good, after the library has set itself up. false: not all of them. */
bool bz_prison_enter(const struct bz_prison *p);
/* All of it to a descriptor. */
bool bz_prison_write(int fd, const void *p, uint64_t n);

#endif
