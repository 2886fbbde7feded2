/* Processes that scan: each takes the next file, looks at it, and sends what it found through a pipe.
 * They hold no descriptors but the scanned folders, are confined (scan_confine.h), and what they send
 * is read as if an attacker wrote it. One that dies costs the file that it was looking at. */
#ifndef BZ_SCAN_WORKER_H
#define BZ_SCAN_WORKER_H

#include <bartizan/artifact.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "scan_list.h"

enum { BZ_SCAN_JOBS_MAX = 64 };

struct bz_scan_found_wire {
    const struct bz_rule *rule;
    uint64_t offset;
    struct bz_view place, evidence;
};

struct bz_scan_outcome { /* of one file; views live as long as the record */
    size_t item;
    enum bz_status st; /* OK; else why it could not be scanned: EIO, ENOMEM, ... */
    int error;         /* errno, or 0; of a process that died: 0 - its signal */
    enum bz_scan_verdict verdict;
    uint8_t severity;
    struct bz_view format;
    uint64_t size, members, bytes_out, more;
    bool hashed;
    uint8_t hash[32];
    struct bz_scan_found_wire *found;
    size_t found_n;
};

struct bz_scan_run {
    const struct bz_scan_list *list;
    struct bz_scan_options options; /* facts and siblings are the worker's own */
    unsigned jobs;
    bool hash;
    const struct bz_rule **rules; /* all, as bz_rule_all has them */
    size_t rules_n;
    /* Called for each file, in the order of the list. */
    void (*outcome)(void *ctx, const struct bz_scan_outcome *o);
    /* Called several times a second: files done, bytes looked at. */
    void (*tick)(void *ctx, size_t done, uint64_t bytes);
    void *ctx;
};
/* ENOMEM, EIO (no process could be started). */
enum bz_status bz_scan_run(struct bz_scan_run *r) BZ_MUST_USE;

/* ---- inside of it ------------------------------------------------------------------------------- */

struct bz_scan_shared { /* between the processes */
    _Atomic uint32_t next;
    _Atomic uint64_t bytes;
    _Atomic uint32_t current[BZ_SCAN_JOBS_MAX]; /* the item of a worker; UINT32_MAX: none */
};
/* Life of a worker; returns its exit status. out: for records. ask: for requests (scan_ask.h). */
int bz_scan_work(const struct bz_scan_run *r, struct bz_scan_shared *shared, unsigned self, int out,
                 int ask);

/* Records: what stands between a worker and its parent. */
enum { BZ_SCAN_RECORD_MAX = 1 << 20, BZ_SCAN_PLACE_MAX = 1024 };
void bz_scan_record_put(struct bz_buf *b, const struct bz_scan_run *r,
                        const struct bz_scan_outcome *o, const struct bz_scan_result *res);
/* Of a whole record without its length. ECORRUPT, ENOMEM. */
enum bz_status bz_scan_record_get(struct bz_view v, const struct bz_scan_run *r,
                                  struct bz_arena *ar, struct bz_scan_outcome *ret) BZ_MUST_USE;

/* SHA-256 of a file, reading ahead of the arithmetic in a thread where that pays. `told` is raised by the bytes read; may be NULL. EIO, ENOMEM. */
enum bz_status bz_scan_hash(int fd, uint64_t size, _Atomic uint64_t *told,
                            uint8_t out[32]) BZ_MUST_USE;

#endif
