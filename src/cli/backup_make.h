/* Making an archive: what goes in (backup_collect.c), and how it is written (backup_create.c). */
#ifndef BZ_BACKUP_MAKE_H
#define BZ_BACKUP_MAKE_H

#include <sys/stat.h>
#include "cmd_backup.h"

struct bz_item { /* a file or folder that goes in */
    char *path;
    bool dir;
    uint16_t mode;
    uint64_t mtime_ns, size;
    size_t names_at, names_n; /* bytes of bz_make.names */
};
struct bz_make {
    struct bz_instance opened;
    const struct bz_instance *in; /* that one */
    struct bz_backup_own own;
    struct bz_backup_head head;
    struct bz_archive base;
    struct bz_backup_writer w;
    int fd;          /* of the archive being written */
    int log_lock;    /* held while nobody writes the log */
    struct stat out; /* the archive itself does not go in */
    struct bz_buf frame, chunk, names;
    struct bz_backup_set known; /* chunks of the base, and those written so far */
    struct bz_item *items;
    size_t items_n, items_cap;
    struct bz_backup_manifest m;
    uint64_t done;        /* bytes looked at */
    uint64_t known_bytes; /* of chunks that the base has */
    uint8_t digest[BZ_HASH_LEN];
    struct bz_found left_out; /* what is not in it, and why */
};

/* Cuts into chunks and writes those that are new; begins a file. */
bool bz_make_file(struct bz_make *k, const char *path, const struct stat *s);
bool bz_make_bytes(struct bz_make *k,
                   struct bz_view v); /* at most one chunk; all but the last full */
/* A whole file from memory, or from a descriptor up to its end. */
bool bz_make_from(struct bz_make *k, const char *path, const struct stat *s, struct bz_view v);
bool bz_make_from_fd(struct bz_make *k, const char *path, const struct stat *s, int fd);
bool bz_make_dir(struct bz_make *k, const char *path, const struct stat *s);

/* Everything of the instance, in an order that keeps it consistent. */
bool bz_make_collect(struct bz_make *k);

#endif
