/* HDF5 in a scan. A confined worker can start no program, so it asks its parent: it sends two
 * descriptors, what to read and where to write, and the parent lets bartizan-hdf5 read the one. */
#ifndef BZ_SCAN_HDF5_H
#define BZ_SCAN_HDF5_H

#include <bartizan/artifact.h>
#include <sys/types.h>

enum { BZ_SCAN_HELPERS_MAX = 64 };

struct bz_scan_asker { /* in a worker */
    int socket;        /* to the parent */
    int fd;            /* the scanned file */
};
/* For struct bz_hdf5: ctx is a struct bz_scan_asker; src NULL is the scanned file itself. */
enum bz_status bz_scan_hdf5_ask(void *ctx, const struct bz_source *src, struct bz_buf *out);

struct bz_scan_helpers { /* in the parent */
    pid_t pid[BZ_SCAN_HELPERS_MAX];
    size_t n;
};
/* One request from a worker's socket. false: the socket is closed or sends nonsense. */
bool bz_scan_hdf5_serve(struct bz_scan_helpers *h, int socket);
void bz_scan_hdf5_reap(struct bz_scan_helpers *h, bool wait);

#endif
