/* What a scan has read by others: HDF5 by libhdf5, some 7z archives by libarchive. A confined worker can
 * start no program, so it asks its parent: it sends descriptors, what to read and where to write, and the
 * parent lets bartizan-hdf5 or bartizan-7z read the one.
 *
 *   worker ──'h': file, pipe──────▶ parent ──▶ helper ──▶ bartizan-hdf5: 0 file, 1 list
 *          ──'u': file, pipe, memory▶                     bartizan-7z:   0 file, 1 list, 2 memory
 *          ◀─── pipe: a byte of status, the list */
#ifndef BZ_SCAN_ASK_H
#define BZ_SCAN_ASK_H

#include <bartizan/artifact.h>
#include <sys/types.h>

enum { BZ_SCAN_HELPERS_MAX = 64 };

struct bz_scan_asker { /* in a worker */
    int socket;        /* to the parent: AF_UNIX, SOCK_SEQPACKET */
    int fd;            /* the scanned file */
    struct bz_hdf5 hdf5;
    struct bz_unpacker unpacker;
};
/* `a`, whose socket and fd are set, asks for this scan; it outlives `opt`. */
void bz_scan_asker_join(struct bz_scan_asker *a, struct bz_scan_options *opt);

struct bz_scan_helpers { /* in the parent */
    pid_t pid[BZ_SCAN_HELPERS_MAX];
    size_t n;
};
/* One request from a worker's socket. false: the socket is closed or sends nonsense. */
bool bz_scan_ask_serve(struct bz_scan_helpers *h, int socket);
void bz_scan_ask_reap(struct bz_scan_helpers *h, bool wait);

#endif
