/* The registry of models: what stands in a folder, what was approved, what a process has mapped. */
#ifndef BARTIZAN_REGISTRY_H
#define BARTIZAN_REGISTRY_H

#include <bartizan/signature.h>

/* ---- a model on disk: a file, or a folder with everything in it (tree.c: the part of the room with I/O) ---- */

struct bz_tree_file {
    struct bz_view name; /* relative; "." for a model that is one file */
    uint64_t size;
    bool link; /* reached over a symbolic link */
};
struct bz_tree_options {
    bool
        allow_symlinks; /* a link is its target, under the link's name; otherwise links are refused */
    const struct bz_view *ignore; /* paths that do not count */
    size_t ignore_n;
    unsigned threads; /* that hash; 0: one per processor */
    /* Bytes hashed so far, of all; called by one thread now and then. false: stop (ELIMIT). May be NULL. */
    bool (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *progress_ctx;
};
struct bz_tree {
    int fd; /* the folder; for a single file that file */
    bool single;
    struct bz_tree_file *files; /* in the format's order of names */
    size_t files_n;
    uint64_t bytes;
    char why[512]; /* what failed, with the name, escaped */
    struct bz_arena arena;
};
/* Lists a model without reading its files. EINVAL (a name, a device, a link: why tells), ENOTFOUND, ETOOBIG, EIO, ENOMEM. In any
 * case ret is to be closed. */
enum bz_status bz_tree_open(const char *path, const struct bz_tree_options *o,
                            struct bz_tree *ret) BZ_MUST_USE;
void bz_tree_close(struct bz_tree *t);
/* A descriptor of a file of it for reading, or -1 with errno: never over a link unless it was listed as one, never a device. */
int bz_tree_file_open(const struct bz_tree *t, size_t i);
/* Digests of all files (or of their shards), in the format's order; items live in the tree's arena. A file that changes its
 * size meanwhile is EIO. */
enum bz_status bz_tree_hash(struct bz_tree *t, const struct bz_tree_options *o,
                            enum bz_model_hash hash, uint64_t shard_size,
                            const struct bz_model_item **ret, size_t *ret_n) BZ_MUST_USE;
/* SHA-256 (or BLAKE2b-512) of the bytes [from, to) of a descriptor; to == UINT64_MAX: up to its end. EIO. */
enum bz_status bz_fd_hash(int fd, enum bz_model_hash hash, uint64_t from, uint64_t to,
                          uint8_t out[BZ_MODEL_DIGEST_MAX], uint64_t *ret_n) BZ_MUST_USE;

#endif
