/* What a scan looks at: files below the paths of the command line, in order. */
#ifndef BZ_SCAN_LIST_H
#define BZ_SCAN_LIST_H

#include <bartizan/arena.h>
#include <stdio.h>

struct bz_scan_root {
    int fd;           /* O_PATH: the folder of the command line, or the one the file lies in */
    const char *word; /* as given */
    bool single;      /* a file: its only item is the last part of `word` */
};

struct bz_scan_item {
    uint32_t root;
    const char *path; /* from root->fd */
};

struct bz_scan_list {
    struct bz_arena ar;
    struct bz_scan_root *roots;
    size_t roots_n;
    struct bz_scan_item *items;
    size_t n, cap;
    uint64_t special;     /* devices, pipes, sockets: not opened */
    uint64_t links;       /* to what is scanned under its own name */
    uint64_t failed;      /* could not be read; said as it happens */
    const char **outside; /* links that lead out: not followed */
    size_t outside_n, outside_cap;
    bool progress; /* on a terminal */
};

/* ENOMEM; EIO where no path could be opened at all. */
enum bz_status bz_scan_list_make(struct bz_scan_list *l, const char *const *words, size_t n,
                                 bool progress) BZ_MUST_USE;
void bz_scan_list_done(struct bz_scan_list *l);
/* "models/a/b.gguf", as the user would write it. */
void bz_scan_list_name(const struct bz_scan_list *l, size_t i, char *out, size_t n);
/* Does this name lie where packages put software (usr/lib, python3.N/site-packages, ...)? Programs are at home there. */
bool bz_scan_list_software(const char *name);

#endif
