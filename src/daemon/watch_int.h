/* Inside of the watch: what /proc tells, and digests that are made beside the loop. */
#ifndef BZ_WATCH_INT_H
#define BZ_WATCH_INT_H

#include "registry.h"

/* ---- files that processes hold ---- */

struct
    watch_id { /* one state of one file; equal ids have equal bytes, as far as the kernel tells */
    uint64_t dev, ino, size, ctime_ns, mtime_ns;
};
enum watch_kind { WATCH_NEW, WATCH_PLAIN, WATCH_HASHING, WATCH_HASHED, WATCH_FAILED };
struct watch_file {
    struct watch_id id;
    enum watch_kind kind;
    uint8_t sha256[BZ_HASH_LEN];
    bool verity; /* the kernel keeps its bytes as they are */
    uint8_t verity_digest[64];
    uint64_t seen; /* turn of the last look that met it */
};
enum { WATCH_FILES_MAX = 4096 };

/* ---- hashing (watch_hash.c): two threads with nothing but descriptors ---- */

struct watch_hasher;
enum bz_status watch_hasher_new(struct watch_hasher **ret) BZ_MUST_USE;
void watch_hasher_free(struct watch_hasher *h); /* stops what is under way */
/* Takes fd in any case. ELIMIT: too many wait. */
enum bz_status watch_hasher_put(struct watch_hasher *h, int fd,
                                const struct watch_id *id) BZ_MUST_USE;
/* Next result; false: none. ok: the file did not change meanwhile. */
bool watch_hasher_get(struct watch_hasher *h, struct watch_id *ret_id,
                      uint8_t ret_sha256[BZ_HASH_LEN], bool *ret_ok);

/* ---- processes (watch_proc.c) ---- */

enum { WATCH_PIDS_MAX = 512, WATCH_WHY = 400 };
struct watch_pids {
    pid_t v[WATCH_PIDS_MAX];
    size_t n;
    uint64_t begun; /* of the first one, the listener */
};
/* Who answers at this backend, with all their children. OK; otherwise `why` says what hinders. */
enum bz_status watch_find(const struct bz_backend_config *c, const char *address,
                          struct watch_pids *ret, char why[WATCH_WHY]) BZ_MUST_USE;
/* Called per mapped or open file that could hold weights (each once per process). path is escaped. st: as open and fstat
 * left it. fd: open for reading, closed after the call. anything but OK ends the walk. */
struct watch_found {
    pid_t pid;
    const char *path;
    int fd;
    struct watch_id id;
    bool replaced; /* mapped, but its name leads to another file now, or to none: fd is -1 */
};
/* known: is this state of a file known to hold no weights? Saves opening libraries again and again. */
struct watch_visit {
    void *ctx;
    bool (*known_plain)(void *ctx, const struct watch_id *id);
    void (*plain)(void *ctx, const struct watch_id *id);
    enum bz_status (*file)(void *ctx, const struct watch_found *f);
};
/* OK; EDENIED, EIO, ETOOBIG: `why`; or what `file` said. */
enum bz_status watch_files(pid_t pid, const struct watch_visit *v, char why[WATCH_WHY]) BZ_MUST_USE;
/* A file protected by fs-verity, and the kernel's digest of it. */
bool watch_verity(int fd, uint8_t digest[64]);

#endif
