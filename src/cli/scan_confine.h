/* A process that parses hostile files gives up what it does not need: no new privileges, reading
 * below the scanned folders only, no sockets, no programs, no memory that can be run. */
#ifndef BZ_SCAN_CONFINE_H
#define BZ_SCAN_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

struct bz_scan_confined {
    bool privileges, files, calls; /* what this kernel let us give up */
};
/* dirs: descriptors below which files may still be opened. */
struct bz_scan_confined bz_scan_confine(const int *dirs, size_t n);

#endif
