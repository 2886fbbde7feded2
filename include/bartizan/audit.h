/* Audit: the record, the ring that carries it from a worker to bartizan-auditd, and the formats of the tile log
 * (C2SP tlog-tiles, signed-note checkpoints, RFC 6962 hashing). Pure: no I/O here; auditd and the CLI do that. */
#ifndef BARTIZAN_AUDIT_H
#define BARTIZAN_AUDIT_H

#include <stdatomic.h>
#include <bartizan/buf.h>
#include <bartizan/crypto.h>
#include <bartizan/limits.h>

/* ---- record ------------------------------------------------------------------------------------------------- */

enum bz_record_kind {
    BZ_RECORD_DECISION, /* written and durable before the request is forwarded (audit: strict) */
    BZ_RECORD_CLOSE,    /* how it ended */
    BZ_RECORD_REFUSED,  /* decision and end in one: nothing was forwarded */
    BZ_RECORD_ADMIN,    /* a change by an administrator (key created, policy loaded, ...) */
    BZ_RECORD_SYSTEM,   /* start, stop, writer recovered, records lost */
    BZ_RECORD_EGRESS,   /* a request of a caged model server to the outside: before it goes, and at its end */
    BZ_RECORD_KIND_COUNT
};

#define BZ_REQUEST_ID_LEN 16 /* bytes: 48-bit ms since the epoch, then lane, worker epoch, counter: sorts by time */
#define BZ_REQUEST_ID_TEXT 30 /* "req_" + 26 characters of Crockford base32 */

/* No prompt text, no key, no header value of a client has a field here. Views are lent. */
struct bz_record {
    enum bz_record_kind kind;
    uint8_t id[BZ_REQUEST_ID_LEN];
    uint64_t time_ns;          /* wall clock */
    uint64_t generation;       /* of the policy image that decided */
    struct bz_view principal;  /* owner of the key; empty: nobody */
    struct bz_view key_id;
    struct bz_view role;
    struct bz_view method;     /* from the route table, or "?" */
    struct bz_view route;      /* the table's pattern, never the client's path; empty: unknown */
    struct bz_view model;      /* a name from the image, never the client's spelling when unknown */
    struct bz_view backend;
    struct bz_view peer;       /* client address as text */
    struct bz_view decision;   /* "allow", "refuse" */
    struct bz_view reason;     /* our stable code */
    struct bz_view detail;     /* parameter path or our own sentence; ADMIN/SYSTEM: what changed */
    struct bz_view findings;   /* "request:CREDIT_CARD:restore:2 reply:github-pat:mask:1": direction, type, action, count */
    struct bz_view label;      /* classification of the texts seen so far: "CONFIDENTIAL" */
    uint16_t status;           /* HTTP status sent to the client; 0 not yet */
    uint16_t upstream_status;
    bool stream;
    bool usage_known;
    uint64_t prompt_tokens, completion_tokens;
    uint64_t request_bytes, reply_bytes, events;
    uint64_t latency_us, first_byte_us;
    uint8_t request_digest[16], reply_digest[16]; /* bz_body_digest; all zero: none */
};

/* Compact binary form for the ring. ETOOBIG above BZ_RECORD_MAX (long views are cut first: detail, then model). */
void bz_record_encode(const struct bz_record *r, struct bz_buf *out);
/* Views point into `in`. Hostile input: parsed with bz_rd. */
enum bz_status bz_record_decode(struct bz_view in, struct bz_record *ret) BZ_MUST_USE;
/* The log entry: one canonical JSON object without line feed; field order fixed; absent fields left out. */
void bz_record_json(const struct bz_record *r, struct bz_buf *out);
/* Identity of a request from what makes it unique: milliseconds since the epoch (48 bits), lane (8), epoch of the lane's
 * owner (32), counter of the owner (40). */
void bz_request_id_make(uint64_t unix_ms, uint32_t lane, uint64_t epoch, uint64_t counter, uint8_t id[BZ_REQUEST_ID_LEN]);
void bz_request_id_text(const uint8_t id[BZ_REQUEST_ID_LEN], char out[BZ_REQUEST_ID_TEXT + 1]);
/* Either case; the "req_" in front may be left out. */
bool bz_request_id_parse(struct bz_view text, uint8_t id[BZ_REQUEST_ID_LEN]);

/* ---- ring: one per lane (worker), single producer, single consumer, in a shared file ------------------------- */
/*
 *   file: [head page][lane 0: control page + data][lane 1] ...
 *   Producer writes the record, then publishes `head` (release). Consumer drains all lanes, makes the batch durable, then
 *   publishes `durable` (release) and, if the worker said it waits, writes one byte to the lane's FIFO.
 *   A worker that dies in the middle of a write has published nothing: the record does not exist and the request was not
 *   forwarded. A lane is taken over by a new worker only after the old one is dead; unread records stay.
 *
 *   A record in the data area (bytes run on from the end of the area to its start):
 *     le32 length | le32 tag | le64 seq | record | zeros to a multiple of 8
 *   `tag` mixes position, length, seq and the ring's name, so bytes of an earlier round or an earlier ring, or of a file that a
 *   power cut left half written, are not taken for a record. `head` is the one word that publishes; `seq` stands in the record itself, therefore a worker that
 *   dies between its two stores leaves at worst a number out, never the same number twice.
 *
 *   Waking without a lost wake-up (both sides: store, full fence, load; one of them must see the other):
 *     worker: publish head; waiting = 1 if parked; fence; sleeping?     writer: sleeping = s; fence; head, waiting?
 *     worker: waiting = 1; fence; durable_seq?                          writer: durable_seq = n; fence; waiting?
 */

struct bz_ring_lane { /* one control page in the file; both sides map it */
    _Alignas(64) _Atomic uint64_t head;    /* records published: total bytes ever written */
    _Atomic uint64_t head_seq;             /* records published: count */
    _Alignas(64) _Atomic uint64_t tail;    /* bytes consumed */
    _Atomic uint64_t tail_seq;
    _Alignas(64) _Atomic uint64_t durable_seq; /* records that are on disk */
    _Alignas(64) _Atomic uint32_t waiting; /* worker wants a wake-up on its FIFO */
    _Atomic uint32_t owner_pid;            /* 0: free */
    _Atomic uint64_t lost;                 /* the producer adds each refusal that found the ring full; goes into a SYSTEM record */
    _Atomic uint64_t epoch;                /* set anew by each owner */
};
struct bz_ring_head {
    uint64_t magic, version, lanes, data_bytes;
    uint8_t instance[16];                  /* random; names this ring in log entries for recovery */
    _Alignas(64) _Atomic uint32_t doorbell; /* futex: producers bump it when the writer sleeps */
    _Atomic uint32_t sleeping;             /* writer is in futex wait: 1 for anything, 2 (gathering, <= 2 ms) for waiting lanes */
    _Atomic uint64_t writer_beat_ns;       /* monotonic; stale: the writer is gone */
    _Atomic uint32_t writer_state;         /* 0 starting, 1 running, 2 storage fails */
};
size_t bz_ring_file_size(uint32_t lanes);
/* Writes the head and empty lanes into memory that is mapped shared. EINVAL: no or too many lanes, or n is not their
 * bz_ring_file_size. Nobody may use the map meanwhile. O(lanes). */
enum bz_status bz_ring_format(void *map, size_t n, uint32_t lanes, const uint8_t instance[16]) BZ_MUST_USE;
/* Whether this is such a map, by its head alone; for both sides when they start. ECORRUPT, EVERSION. O(1). */
enum bz_status bz_ring_check(const void *map, size_t n) BZ_MUST_USE;
struct bz_ring_lane *bz_ring_lane(void *map, uint32_t lane);
/* Producer. ret_seq: the record is durable once durable_seq >= it. ELIMIT: no room now. Cost: one memcpy. */
enum bz_status bz_ring_put(void *map, uint32_t lane, struct bz_view rec, uint64_t *ret_seq) BZ_MUST_USE;
/* Producer, after a put: says whether the writer must be woken: true means "call FUTEX_WAKE on &head->doorbell" (shared futex,
 * already bumped). `parked`: a request waits for durable_seq; sets lane->waiting, so look at durable_seq once more afterwards. */
bool bz_ring_bell(void *map, uint32_t lane, bool parked);
/* Consumer: next record from *pos on (start with tail); MORE when drained. rec is copied into buf (the producer's memory is
 * not trusted to stay). ECORRUPT: a length that cannot be; the lane is to be skipped to head. */
enum bz_status bz_ring_peek(void *map, uint32_t lane, uint64_t *pos, uint8_t buf[BZ_RECORD_MAX], size_t *ret_n) BZ_MUST_USE;
/* The same with the record's sequence number. */
enum bz_status bz_ring_next(void *map, uint32_t lane, uint64_t *pos, uint8_t buf[BZ_RECORD_MAX], size_t *ret_n,
                            uint64_t *ret_seq) BZ_MUST_USE;

/* ---- tile log ----------------------------------------------------------------------------------------------- */

#define BZ_TILE_WIDTH 256
struct bz_hash { uint8_t b[BZ_HASH_LEN]; };

void bz_leaf_hash(struct bz_view entry, struct bz_hash *ret);                                  /* SHA-256(0x00 || entry) */
void bz_node_hash(const struct bz_hash *l, const struct bz_hash *r, struct bz_hash *ret);      /* SHA-256(0x01 || l || r) */

/* Right edge of a growing tree: append leaves, know the root. <= 64 hashes. */
struct bz_frontier {
    uint64_t size;
    struct bz_hash edge[64];
};
void bz_frontier_add(struct bz_frontier *f, const struct bz_hash *leaf);
void bz_frontier_root(const struct bz_frontier *f, struct bz_hash *ret); /* of the empty tree: SHA-256("") */

/* Hash over the complete subtree of `n` <= 256 hashes, n a power of two; h is used up as scratch. */
void bz_subtree_hash(struct bz_hash *h, size_t n, struct bz_hash *ret);

/* Where a hash lives: tile (level, index, width) and its place in it. */
struct bz_tile_id { uint32_t level; uint64_t index; uint32_t width; /* 1..256 */ };
/* "tile/0/x001/x234/067" or ".../067.p/12"; entry bundles: "tile/entries/...". NUL-terminated into out[64]. */
void bz_tile_path(const struct bz_tile_id *t, bool entries, char out[80]);
/* Reads any tile of the tree of `size` leaves; the source returns width*32 bytes. */
struct bz_tile_source {
    enum bz_status (*read)(void *ctx, const struct bz_tile_id *t, struct bz_buf *out);
    void *ctx;
};
/* The tile that holds hash `index` of tile level `level` in the tree of `size`; false when the tree has no such hash. */
bool bz_tile_of(uint32_t level, uint64_t index, uint64_t size, struct bz_tile_id *ret);
/* Hash of the complete subtree of 2^height leaves number `index`. ERANGE: not in the tree of `size`. */
enum bz_status bz_tile_hash(const struct bz_tile_source *src, uint32_t height, uint64_t index, uint64_t size,
                            struct bz_hash *ret) BZ_MUST_USE;
/* The right edge of the tree of `size`, from its tiles. */
enum bz_status bz_frontier_load(const struct bz_tile_source *src, uint64_t size, struct bz_frontier *ret) BZ_MUST_USE;
/* Entry bundle: entries behind a big-endian 16-bit length each. */
#define BZ_ENTRY_MAX 65535
#define BZ_BUNDLE_MAX (BZ_TILE_WIDTH * (2 + BZ_ENTRY_MAX))
void bz_bundle_add(struct bz_buf *bundle, struct bz_view entry);
/* Takes the next entry off `rest`. OK, MORE (nothing left), ECORRUPT. */
enum bz_status bz_bundle_next(struct bz_view *rest, struct bz_view *ret) BZ_MUST_USE;
/* Inclusion proof of leaf `index` in the tree of `size`; proof has room for 64. */
enum bz_status bz_proof_inclusion(const struct bz_tile_source *src, uint64_t index, uint64_t size,
                                  struct bz_hash proof[64], size_t *ret_n) BZ_MUST_USE;
enum bz_status bz_proof_consistency(const struct bz_tile_source *src, uint64_t old_size, uint64_t size,
                                    struct bz_hash proof[128], size_t *ret_n) BZ_MUST_USE;
bool bz_proof_inclusion_check(uint64_t index, uint64_t size, const struct bz_hash *leaf, const struct bz_hash *proof,
                              size_t n, const struct bz_hash *root);
bool bz_proof_consistency_check(uint64_t old_size, uint64_t size, const struct bz_hash *old_root,
                                const struct bz_hash *root, const struct bz_hash *proof, size_t n);

/* Checkpoint (C2SP tlog-checkpoint in a C2SP signed note, Ed25519 key type 0x01). */
struct bz_checkpoint {
    struct bz_view origin; /* lent */
    uint64_t size;
    struct bz_hash root;
};
void bz_checkpoint_sign(const struct bz_checkpoint *c, const uint8_t sec[BZ_SIGN_SECRET_LEN], struct bz_buf *out);
/* Verifies against the public key; views point into `note`. ESYNTAX, EDENIED (signature). */
enum bz_status bz_checkpoint_open(struct bz_view note, struct bz_view origin, const uint8_t pub[BZ_SIGN_PUBLIC_LEN],
                                  struct bz_checkpoint *ret) BZ_MUST_USE;
/* Verifier key line "origin+hash+base64" of the signed-note format. */
void bz_verifier_key(struct bz_view origin, const uint8_t pub[BZ_SIGN_PUBLIC_LEN], struct bz_buf *out);
/* Reads such a line (a line feed at the end is fine). ret_origin points into it. ESYNTAX; EDENIED: the hash is not the key's. */
enum bz_status bz_verifier_key_parse(struct bz_view line, struct bz_view *ret_origin,
                                     uint8_t pub[BZ_SIGN_PUBLIC_LEN]) BZ_MUST_USE;
#define BZ_CHECKPOINT_MAX 65536 /* bytes of a note with its witnesses' signatures */

/* ---- journal ------------------------------------------------------------------------------------------------ */
/*
 *   What makes a record durable at once: preallocated segment files, appended and flushed batch by batch. Tiles and
 *   checkpoint follow from it within a second; then the segment is removed. A segment is a head of BZ_JOURNAL_HEAD bytes,
 *   frames, zeros. Segments are never written on after a failure or a restart: the next one says with `first` where it
 *   takes over, and frames of the one before with that index or a higher one do not count. A segment that is done becomes
 *   the next one ("journal/spare"): its blocks are allocated and written, so a flush has no metadata to commit, which halves
 *   its time on ext4. Frames of its former life have lower indices than any that follow.
 */
#define BZ_JOURNAL_HEAD 4096
#define BZ_JOURNAL_FRAME 64         /* bytes before the entry */
#define BZ_JOURNAL_OWN UINT32_MAX   /* lane of the writer's own records */
struct bz_journal_head {
    uint64_t segment;               /* from 1 */
    uint64_t first;                 /* leaf index of its first frame */
    uint8_t ring[16];               /* instance of the ring that `seen` and the frames' lanes belong to */
    uint64_t seen[BZ_LANES_MAX];    /* highest seq of each lane that stood in the log when the segment began */
};
struct bz_journal_frame {
    uint64_t index;                 /* leaf index */
    uint64_t batch;                 /* leaf index of the first frame that was flushed together with this one */
    uint64_t epoch, seq;            /* where the record came from: never taken twice */
    uint32_t lane;
    struct bz_view entry;           /* lent */
};
/* Appends BZ_JOURNAL_HEAD bytes, a checksum among them; failures are latched in `out`. */
void bz_journal_head_encode(const struct bz_journal_head *h, struct bz_buf *out);
/* ECORRUPT: fewer bytes, other ones, or their checksum does not hold. */
enum bz_status bz_journal_head_decode(struct bz_view in, struct bz_journal_head *ret) BZ_MUST_USE;
void bz_journal_frame_encode(const struct bz_journal_frame *f, struct bz_buf *out);
/* First frame of `in`. MORE: zeros or too few bytes; ECORRUPT: damaged. ret_leaf: its leaf hash, which the check covers. */
enum bz_status bz_journal_frame_decode(struct bz_view in, struct bz_journal_frame *ret, struct bz_hash *ret_leaf,
                                       size_t *ret_used) BZ_MUST_USE;

/* ---- reading a log directory: the one part of this room with I/O (logdir.c); `dir` is a descriptor of DIR/audit ---- */

/* Whole file; `out` is initialised with the cap. ENOTFOUND, EINVAL (no regular file), ETOOBIG, EIO. Links are not followed. */
enum bz_status bz_logdir_read(int dir, const char *path, struct bz_buf *out) BZ_MUST_USE;
/* A tile or entry bundle of exactly t->width; a partial one that is gone is cut from the full one. */
enum bz_status bz_logdir_tile(int dir, const struct bz_tile_id *t, bool entries, struct bz_buf *out) BZ_MUST_USE;
/* ctx of the source points to the descriptor. */
struct bz_tile_source bz_logdir_source(int *dir);

#define BZ_SEGMENT_BYTES (8u << 20) /* a batch must fit; small enough to be read whole at every start */
#define BZ_SEGMENT_NAME 40
#define BZ_SEGMENT_SPARE "journal/spare"
void bz_segment_name(uint64_t segment, char out[BZ_SEGMENT_NAME]); /* "journal/000000000001" */
/* Lowest segment number above `after`; 0: none. */
uint64_t bz_segment_next(int dir, uint64_t after);

struct bz_journal_scan {
    bool any;                    /* there is at least one sound segment */
    uint64_t first, next;        /* indices: of the oldest frame, and behind the newest one */
    uint64_t last_segment;       /* highest number seen, sound or not */
    uint64_t torn;               /* bytes of the record where a batch was cut short; 0: none was */
    uint8_t ring[16];            /* of the newest segment */
    uint64_t seen[BZ_LANES_MAX]; /* highest seq per lane in the log, as far as `ring` goes */
};
/* Walks over all frames that count, oldest first. `fn` may be NULL; anything but OK from it stops the walk and is returned.
 * ECORRUPT: records that had been confirmed are missing or damaged (diag->offset: their index). */
enum bz_status bz_journal_scan(int dir,
                               enum bz_status (*fn)(void *ctx, const struct bz_journal_frame *f, const struct bz_hash *leaf),
                               void *ctx, struct bz_journal_scan *ret, struct bz_diag *diag) BZ_MUST_USE;

#endif
