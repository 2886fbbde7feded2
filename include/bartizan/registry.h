/* The registry of models: what stands in a folder, what was approved, what a process has mapped. */
#ifndef BARTIZAN_REGISTRY_H
#define BARTIZAN_REGISTRY_H

#include <bartizan/inventory.h>
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
    const char *const *places;  /* where the files lie below fd; NULL: under their names */
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
/* A model of an Ollama server, by its manifest (".../models/manifests/HOST/NAMESPACE/NAME/TAG"): the manifest as
 * "manifest.json" and the blobs that it names as "blobs/sha256-...". ENOTFOUND: the file is no such manifest (nothing is opened
 * then); other failures as bz_tree_open. */
enum bz_status bz_tree_open_ollama(const char *manifest, struct bz_tree *ret) BZ_MUST_USE;
/* The blobs of a manifest: calls `each` with the 64 hex digits of every digest in it, once each. ESYNTAX: it is none. */
enum bz_status bz_ollama_blobs(struct bz_view manifest, struct bz_arena *ar,
                               enum bz_status (*each)(void *ctx, struct bz_view hex),
                               void *ctx) BZ_MUST_USE;
/* Digests of all files (or of their shards), in the format's order; items live in the tree's arena. A file that changes its
 * size meanwhile is EIO. */
enum bz_status bz_tree_hash(struct bz_tree *t, const struct bz_tree_options *o,
                            enum bz_model_hash hash, uint64_t shard_size,
                            const struct bz_model_item **ret, size_t *ret_n) BZ_MUST_USE;
/* SHA-256 (or BLAKE2b-512) of the bytes [from, to) of a descriptor; to == UINT64_MAX: up to its end. EIO. */
enum bz_status bz_fd_hash(int fd, enum bz_model_hash hash, uint64_t from, uint64_t to,
                          uint8_t out[BZ_MODEL_DIGEST_MAX], uint64_t *ret_n) BZ_MUST_USE;

/* A run of bytes of one file of a tree, and its SHA-256. */
struct bz_tree_part {
    uint32_t file;
    uint64_t from, to;
    uint8_t sha256[BZ_HASH_LEN];
};
/* Fills in the digests, on all processors. EIO: a part beyond its file's end. */
enum bz_status bz_tree_hash_parts(struct bz_tree *t, const struct bz_tree_options *o,
                                  struct bz_tree_part *parts, size_t n) BZ_MUST_USE;

/* ---- manifest: one version of one model, as it was looked at before anybody approved it -------------- */

struct bz_manifest_file {
    struct bz_view name, format; /* format: as the scanner recognised it */
    uint64_t size;
    uint8_t sha256[BZ_HASH_LEN];
};
struct bz_manifest_tensor {
    uint32_t file; /* index */
    struct bz_view name, type;
    uint64_t offset, size;
    uint8_t sha256[BZ_HASH_LEN];
};
struct bz_manifest_template { /* chat templates */
    uint32_t file;
    struct bz_view name;
    uint8_t sha256[BZ_HASH_LEN]; /* of the normalised text */
};
struct bz_manifest_finding {
    struct bz_view rule, severity, file, place;
    uint64_t offset;
};
enum bz_manifest_verdict {
    BZ_MANIFEST_CLEAN,
    BZ_MANIFEST_UNCHECKED,
    BZ_MANIFEST_FINDINGS,
    BZ_MANIFEST_VERDICT_COUNT
};
const char *bz_manifest_verdict_name(enum bz_manifest_verdict v);
struct bz_manifest {             /* views live as long as what they were made from */
    struct bz_view name;         /* see bz_registry_name_ok */
    struct bz_view source;       /* where it came from: a URL, a path, a text of one line */
    struct bz_view licence;      /* SPDX expression */
    struct bz_view file_licence; /* what the files say; may be empty */
    struct bz_view
        publisher; /* whose signature was checked: "sigstore: mail, issuer", ...; may be empty */
    struct bz_view model_version, supplier, base_model; /* as whoever added it said; may be empty */
    struct bz_view released;                            /* see bz_sbom_is_time; may be empty */
    uint8_t root[BZ_HASH_LEN]; /* OpenSSF Model Signing's over the files' digests */
    uint64_t bytes;
    const struct bz_manifest_file *files;
    const struct bz_manifest_tensor *tensors;
    const struct bz_manifest_template *templates;
    const struct bz_manifest_finding *findings;
    size_t files_n, tensors_n, templates_n, findings_n;
    uint64_t findings_more; /* not listed */
    enum bz_manifest_verdict verdict;
    bool malicious; /* one finding at least is of that kind */
};
/* Fills in root and bytes and writes the canonical text. ETOOBIG. */
enum bz_status bz_manifest_write(struct bz_manifest *m, struct bz_buf *out) BZ_MUST_USE;
/* Strict: names, order, root and sum are checked. Views point into `ar` or `text`. */
enum bz_status bz_manifest_parse(struct bz_view text, struct bz_arena *ar, struct bz_manifest *ret,
                                 struct bz_diag *diag) BZ_MUST_USE;
/* [a-z0-9][a-z0-9._-]{0,63}: names a folder too. */
bool bz_registry_name_ok(struct bz_view name);
/* Which of the fields of a bill of materials it leaves open: one bit (1 << enum bz_sbom_field) each. */
uint32_t bz_manifest_missing(const struct bz_manifest *m);

/* ---- rules ---------------------------------------------------------------------------------------------- */

enum bz_model_state {
    BZ_MODEL_QUARANTINED,
    BZ_MODEL_PENDING,
    BZ_MODEL_APPROVED,
    BZ_MODEL_REJECTED,
    BZ_MODEL_RETIRED,
    BZ_MODEL_STATE_COUNT
};
const char *bz_model_state_name(enum bz_model_state s);
bool bz_model_state_of(struct bz_view text, enum bz_model_state *ret);
/* What a manifest begins as: pending, or quarantined while its findings are not accepted. */
enum bz_model_state bz_model_state_first(const struct bz_manifest *m);

struct bz_approval_wish {
    enum bz_model_state state;
    const struct bz_manifest *manifest;
    struct bz_view added_by, by; /* "uid 0", "user ann" */
    bool two_persons;
    bool accepted;     /* findings are accepted, with a reason */
    uint32_t required; /* fields that its bill of materials must have, as of bz_manifest_missing */
};
/* May it be approved? EDENIED or EINVAL, *ret_why a sentence. */
enum bz_status bz_model_may_approve(const struct bz_approval_wish *w,
                                    const char **ret_why) BZ_MUST_USE;

/* ---- what Linux tells about processes: texts of /proc, pure ------------------------------------------------ */

struct
    bz_proc_map { /* one line of /proc/PID/maps that a file stands behind; path is lent from the text */
    uint64_t start, end, offset, inode;
    uint32_t major, minor;
    bool exec, write, shared;
    bool deleted;        /* the name is gone, or another file's now */
    struct bz_view path; /* begins with '/'; a line feed in it stands as \012 */
};
/* Takes the next mapped file off `rest`, over lines without one. OK, MORE (nothing left), ESYNTAX. */
enum bz_status bz_proc_map_next(struct bz_view *rest, struct bz_proc_map *ret) BZ_MUST_USE;

struct bz_proc_listener { /* a listening socket of /proc/net/tcp or tcp6 */
    uint8_t address[16];  /* of tcp: the first 4, rest 0 */
    bool v6;
    uint16_t port;
    uint32_t uid;
    uint64_t inode;
};
/* The next listening socket of such a text; other sockets are passed over. MORE: the text is at its end; ESYNTAX: a
 * line is no such line. Source: Linux, Documentation/networking/proc_net_tcp.rst. */
enum bz_status bz_proc_listener_next(struct bz_view *rest, bool v6,
                                     struct bz_proc_listener *ret) BZ_MUST_USE;
/* Does a connection to this address (as above) end at this listener? */
bool bz_proc_listens(const struct bz_proc_listener *l, const uint8_t address[16], bool v6,
                     uint16_t port);
/* /proc/PID/stat: the parent, and when it began in ticks since the boot. ESYNTAX. */
enum bz_status bz_proc_stat(struct bz_view text, uint32_t *ret_parent,
                            uint64_t *ret_begun) BZ_MUST_USE;
/* Could this file hold weights? By its first bytes; what has no mark of its own by name and size. */
bool bz_model_file_like(struct bz_view head, struct bz_view path, uint64_t size);

#endif
