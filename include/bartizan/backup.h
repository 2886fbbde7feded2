/* The format of a backup archive: one file, readable with a recipient's secret key alone, signed by
 * the instance that made it, naming the archive it builds on. Pure: bytes in, bytes out; the command
 * line does the files.
 *
 *   head        plain: ids, time, the base it builds on, the instance's public signing key, and the
 *               archive's keys sealed to each recipient
 *   frames      type | length | XChaCha20-Poly1305 of the contents; type, place and head are
 *               authenticated with each, so nothing can be cut, moved, repeated or put into another
 *               archive:
 *                 CHUNK*     <= 256 KiB of a file, only those that no earlier archive has
 *                 MANIFEST+  every file: path, mode, time, size, names of its chunks
 *                 INDEX*     names of all those chunks, under a key of the instance: what the next
 *                            archive leaves out
 *                 END        how many there were
 *   signature   Ed25519 over SHA-256 of everything before
 *
 * A chunk's name is a hash of its contents keyed by the instance: it links archives, and tells nobody
 * else what is in them. docs/BACKUP.md has every byte. */
#ifndef BARTIZAN_BACKUP_H
#define BARTIZAN_BACKUP_H

#include <bartizan/buf.h>
#include <bartizan/crypto.h>
#include <bartizan/limits.h>
#include <bartizan/rd.h>

#define BZ_BACKUP_NAME 32 /* bytes of a chunk's name */

/* ---- keys ---- */

enum bz_backup_key_kind {
    BZ_BACKUP_RECIPIENT, /* "bzr1...": public; an archive is made for it */
    BZ_BACKUP_SECRET,    /* "bzk1...": opens such archives */
    BZ_BACKUP_SIGNER,    /* "bzs1...": public; whose archive it is */
    BZ_BACKUP_KEY_KIND_COUNT
};
#define BZ_BACKUP_KEY_TEXT 62 /* prefix and 58 characters of base32: 32 bytes, 4 of a checksum */
void bz_backup_key_text(enum bz_backup_key_kind kind, const uint8_t key[BZ_KEY_LEN],
                        char out[BZ_BACKUP_KEY_TEXT + 1]);
/* ESYNTAX; ECORRUPT: mistyped (the checksum). */
enum bz_status bz_backup_key_parse(struct bz_view text, enum bz_backup_key_kind kind,
                                   uint8_t ret[BZ_KEY_LEN]) BZ_MUST_USE;

/* What an instance needs to make archives; derived from its master key. Wipe after use. */
struct bz_backup_keys {
    uint8_t name_key[BZ_KEY_LEN];  /* of chunks */
    uint8_t index_key[BZ_KEY_LEN]; /* of INDEX */
    uint8_t sign_pub[BZ_SIGN_PUBLIC_LEN], sign_sec[BZ_SIGN_SECRET_LEN];
};
void bz_backup_keys(const uint8_t master[BZ_KEY_LEN], struct bz_backup_keys *ret);

/* ---- head ---- */

#define BZ_BACKUP_ID 16
#define BZ_BACKUP_SEALED (2 * BZ_KEY_LEN + BZ_BOX_EXTRA)
struct bz_backup_recipient {
    uint8_t hint[8]; /* start of the public key's hash: tells which secret key is wanted */
    uint8_t sealed[BZ_BACKUP_SEALED];
};
struct bz_backup_head {
    uint8_t id[BZ_BACKUP_ID]; /* random */
    uint8_t instance[8];
    uint64_t created_ns; /* unix */
    uint8_t signer[BZ_SIGN_PUBLIC_LEN];
    uint32_t depth; /* archives it builds on; 0: it is whole by itself */
    uint8_t base_id[BZ_BACKUP_ID];
    uint8_t base_digest[BZ_HASH_LEN]; /* of the base's whole file; zero without one */
    uint32_t recipients_n;
    struct bz_backup_recipient recipient[BZ_BACKUP_RECIPIENTS_MAX];
};
#define BZ_BACKUP_HEAD_MAX 2056

struct bz_backup_secrets { /* of one archive; wipe after use */
    uint8_t file_key[BZ_KEY_LEN];
    uint8_t name_key[BZ_KEY_LEN];
};
/* Seals the archive's keys to one more recipient. ETOOBIG (too many), EEXISTS (it is there already),
 * EINVAL (no usable key). */
enum bz_status bz_backup_head_add(struct bz_backup_head *h, const uint8_t pub[BZ_BOX_LEN],
                                  const struct bz_backup_secrets *s) BZ_MUST_USE;
/* It was made for this recipient too. */
bool bz_backup_head_has(const struct bz_backup_head *h, const uint8_t pub[BZ_BOX_LEN]);
void bz_backup_head_encode(const struct bz_backup_head *h, struct bz_buf *out);
/* `in`: the first BZ_BACKUP_HEAD_MAX bytes of the file, or all of a shorter one. ESYNTAX (no
 * archive), EVERSION, ECORRUPT. */
enum bz_status bz_backup_head_decode(struct bz_view in, struct bz_backup_head *ret,
                                     size_t *ret_used) BZ_MUST_USE;
/* ENOTFOUND: not made for this key. ECORRUPT. */
enum bz_status bz_backup_head_open(const struct bz_backup_head *h, const uint8_t sec[BZ_BOX_LEN],
                                   struct bz_backup_secrets *ret) BZ_MUST_USE;

/* ---- writing ---- */

enum bz_backup_frame {
    BZ_BACKUP_CHUNK_FRAME = 1,
    BZ_BACKUP_MANIFEST_FRAME,
    BZ_BACKUP_INDEX_FRAME,
    BZ_BACKUP_END_FRAME
};
#define BZ_BACKUP_FRAME_HEAD 8
struct bz_backup_writer { /* wipe after use */
    uint8_t file_key[BZ_KEY_LEN], index_key[BZ_KEY_LEN];
    uint8_t head_digest[BZ_HASH_LEN];
    uint64_t frame;                                            /* number of the next one */
    uint64_t chunks, chunk_bytes, manifest_bytes, index_bytes; /* so far */
    struct bz_sha256 h;                                        /* of all that was written */
};
/* Each of the following appends to `out` what the file continues with; the caller writes it and
 * empties `out`. */
void bz_backup_start(struct bz_backup_writer *w, const struct bz_backup_head *h,
                     const struct bz_backup_secrets *s, const struct bz_backup_keys *k,
                     struct bz_buf *out);
/* EINVAL: empty or above BZ_BACKUP_CHUNK. */
enum bz_status bz_backup_put_chunk(struct bz_backup_writer *w, struct bz_view data,
                                   struct bz_buf *out) BZ_MUST_USE;
/* One piece of at most BZ_BACKUP_CHUNK bytes of the manifest, then of the index. */
enum bz_status bz_backup_put_piece(struct bz_backup_writer *w, enum bz_backup_frame type,
                                   struct bz_view piece, struct bz_buf *out) BZ_MUST_USE;
/* END and the signature; digest: of the whole file. */
enum bz_status bz_backup_finish(struct bz_backup_writer *w, const struct bz_backup_keys *k,
                                struct bz_buf *out, uint8_t digest[BZ_HASH_LEN]) BZ_MUST_USE;

/* ---- reading ---- */

struct bz_backup_source {
    /* Exactly n bytes from off on; EIO otherwise. */
    enum bz_status (*read)(void *ctx, uint64_t off, void *p, size_t n);
    void *ctx;
    uint64_t size;
};
struct bz_backup_place { /* where a chunk lies */
    uint64_t off;        /* of its frame */
    uint64_t frame;      /* its number */
    uint32_t n;          /* plain bytes */
    uint32_t archive;    /* for the caller */
};
struct bz_backup_scan {
    /* asked for; each may be NULL */
    const struct bz_backup_secrets *secrets; /* without: frames are counted and signed for only */
    const uint8_t *index_key;
    enum bz_status (*chunk)(void *ctx, const uint8_t name[BZ_BACKUP_NAME],
                            const struct bz_backup_place *at);
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
    struct bz_buf *manifest, *index; /* initialised by the caller with their caps */
    /* found */
    struct bz_backup_head head;
    uint8_t digest[BZ_HASH_LEN];
    uint64_t chunks, chunk_bytes;
};
/* Reads an archive once, from end to end, and checks all that can be checked with the keys given:
 * order and number of frames, their tags, the signature of `head.signer` (whose key that is, the
 * caller must know). What was handed out before counts only when OK comes back.
 * ESYNTAX (no archive), EVERSION, ECORRUPT (changed, cut, or pieces of others; diag), ETOOBIG, EIO,
 * ENOMEM. */
enum bz_status bz_backup_scan(const struct bz_backup_source *src, struct bz_backup_scan *s,
                              struct bz_diag *diag) BZ_MUST_USE;
/* Appends a chunk that a scan gave the place of. */
enum bz_status bz_backup_chunk(const struct bz_backup_source *src, const struct bz_backup_head *h,
                               const struct bz_backup_secrets *s, const struct bz_backup_place *at,
                               struct bz_buf *out) BZ_MUST_USE;

/* ---- chunks by name ---- */

struct bz_backup_set { /* keeps places by name; zeroed is empty */
    struct bz_buf slots;
    size_t n, cap;
};
void bz_backup_set_free(struct bz_backup_set *s);
/* EEXISTS: the name is there; its place stays. ENOMEM. */
enum bz_status bz_backup_set_add(struct bz_backup_set *s, const uint8_t name[BZ_BACKUP_NAME],
                                 const struct bz_backup_place *at) BZ_MUST_USE;
bool bz_backup_set_get(const struct bz_backup_set *s, const uint8_t name[BZ_BACKUP_NAME],
                       struct bz_backup_place *ret);

/* ---- manifest ---- */

struct bz_backup_entry {
    struct bz_view path; /* "tls/ca.pem" */
    bool dir;
    uint16_t mode; /* permission bits */
    uint64_t mtime_ns;
    uint64_t size;        /* of a file */
    struct bz_view names; /* BZ_BACKUP_NAME bytes per chunk; all but the last are BZ_BACKUP_CHUNK */
};
struct bz_backup_manifest {
    uint8_t id[BZ_BACKUP_ID]; /* the archive's; ties the two together */
    uint8_t instance[8];
    uint64_t taken_ns;      /* when the log's checkpoint was read: everything before is in it */
    uint64_t log_size;      /* records below the checkpoint */
    uint64_t unsealed;      /* durable records that no checkpoint covered yet: they are not in it */
    uint64_t newest_ns;     /* time of the newest record; 0: none */
    uint64_t bytes;         /* of all files */
    struct bz_view made_by; /* release that wrote it */
    uint32_t entries;
    struct bz_rd rest; /* entries not taken yet */
};
/* Relative, plain parts (no empty one, "." or ".."), UTF-8 without control characters, at most
 * BZ_BACKUP_PATH_MAX bytes, and below none of the folders that are never in a backup. */
bool bz_backup_path_ok(struct bz_view path);
/* What lies directly in the instance and is never in a backup: run, nginx, demo, backup, deps. */
bool bz_backup_left_out(struct bz_view first_part);
/* The order of entries: a folder before what is in it. */
int bz_backup_path_cmp(struct bz_view a, struct bz_view b);
uint64_t bz_backup_chunks_of(uint64_t size);

/* Writes the head of a manifest (m->rest is not used), then its entries in order. */
void bz_backup_manifest_put(struct bz_buf *out, const struct bz_backup_manifest *m);
void bz_backup_entry_put(struct bz_buf *out, const struct bz_backup_entry *e);
/* Checks all of it: order, duplicates, paths, a folder above everything, sizes against names. Views
 * point into `in`. ECORRUPT, EVERSION, ETOOBIG, ETRAILING. */
enum bz_status bz_backup_manifest_open(struct bz_view in, struct bz_backup_manifest *ret,
                                       struct bz_diag *diag) BZ_MUST_USE;
/* OK; MORE: that was the last one; ECORRUPT. */
enum bz_status bz_backup_manifest_next(struct bz_backup_manifest *m,
                                       struct bz_backup_entry *ret) BZ_MUST_USE;

#endif
