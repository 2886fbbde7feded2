/* Files as the scanner reads them: by pread (a mapped file that somebody cuts short would kill the
 * process), and the files beside them that they name. */
#ifndef BZ_SCAN_FILE_H
#define BZ_SCAN_FILE_H

#include <bartizan/artifact.h>

enum { BZ_SCAN_SIBLINGS_MAX = 4096 };

struct bz_scan_file {
    int fd;   /* open, a regular file */
    int root; /* lent: the folder that `path` begins at; -1: siblings are not looked for */
    const char *path;
    int dir; /* where it lies, once a sibling is asked for */
    uint64_t size;
    int *siblings; /* descriptors that the scan has opened */
    size_t siblings_n;
};

/* Takes `fd`; `root` and `path` outlive it. */
void bz_scan_file_init(struct bz_scan_file *f, int fd, int root, const char *path, uint64_t size);
void bz_scan_file_done(struct bz_scan_file *f); /* closes all */
struct bz_source bz_scan_file_source(struct bz_scan_file *f);
/* For struct bz_scan_options: ctx is the struct bz_scan_file. Regular files below the directory, not
 * through a link, and with no second name (a hard link may be anybody's file). */
enum bz_status bz_scan_file_sibling(void *ctx, struct bz_view name, struct bz_source *ret);

#endif
