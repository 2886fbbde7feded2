/* Audit: the record, the ring that carries it from a worker to bartizan-auditd, and the formats of the tile log
 * (C2SP tlog-tiles, signed-note checkpoints, RFC 6962 hashing). Pure: no I/O here; auditd and the CLI do that. */
#ifndef BARTIZAN_AUDIT_H
#define BARTIZAN_AUDIT_H

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
void bz_request_id_text(const uint8_t id[BZ_REQUEST_ID_LEN], char out[BZ_REQUEST_ID_TEXT + 1]);
bool bz_request_id_parse(struct bz_view text, uint8_t id[BZ_REQUEST_ID_LEN]);

/* ---- ring: one per lane (worker), single producer, single consumer, in a shared file ------------------------- */
/*
 *   file: [head page][lane 0: control page + data][lane 1] ...
 *   Producer writes the record, then publishes `head` (release). Consumer drains all lanes, makes the batch durable, then
 *   publishes `durable` (release) and, if the worker said it waits, writes one byte to the lane's FIFO.
 *   A worker that dies in the middle of a write has published nothing: the record does not exist and the request was not
 *   forwarded. A lane is taken over by a new worker only after the old one is dead; unread records stay.
 */
#define BZ_RING_DATA (1u << 20) /* bytes per lane: ~2,500 records */

struct bz_ring_lane { /* one control page in the file; both sides map it */
    _Alignas(64) _Atomic uint64_t head;    /* records published: total bytes ever written */
    _Atomic uint64_t head_seq;             /* records published: count */
    _Alignas(64) _Atomic uint64_t tail;    /* bytes consumed */
    _Atomic uint64_t tail_seq;
    _Alignas(64) _Atomic uint64_t durable_seq; /* records that are on disk */
    _Alignas(64) _Atomic uint32_t waiting; /* worker wants a wake-up on its FIFO */
    _Atomic uint32_t owner_pid;            /* 0: free */
    _Atomic uint64_t lost;                 /* refusals that found the ring full: summed up in a SYSTEM record */
    _Atomic uint64_t epoch;                /* set anew by each owner */
};
struct bz_ring_head {
    uint64_t magic, version, lanes, data_bytes;
    uint8_t instance[16];                  /* random; names this ring in log entries for recovery */
    _Alignas(64) _Atomic uint32_t doorbell; /* futex: producers bump it when the writer sleeps */
    _Atomic uint32_t sleeping;             /* writer is in futex wait */
    _Atomic uint64_t writer_beat_ns;       /* monotonic; stale: the writer is gone */
    _Atomic uint32_t writer_state;         /* 0 starting, 1 running, 2 storage fails */
};
size_t bz_ring_file_size(uint32_t lanes);
enum bz_status bz_ring_format(void *map, size_t n, uint32_t lanes, const uint8_t instance[16]) BZ_MUST_USE;
enum bz_status bz_ring_check(const void *map, size_t n) BZ_MUST_USE; /* header only; for both sides at start */
struct bz_ring_lane *bz_ring_lane(void *map, uint32_t lane);
/* Producer. ret_seq: the record is durable once durable_seq >= it. ELIMIT: no room now. Cost: one memcpy. */
enum bz_status bz_ring_put(void *map, uint32_t lane, struct bz_view rec, uint64_t *ret_seq) BZ_MUST_USE;
/* Consumer: next record from *pos on (start with tail); MORE when drained. rec is copied into buf (the producer's memory is
 * not trusted to stay). ECORRUPT: a length that cannot be; the lane is to be skipped to head. */
enum bz_status bz_ring_peek(void *map, uint32_t lane, uint64_t *pos, uint8_t buf[BZ_RECORD_MAX], size_t *ret_n) BZ_MUST_USE;

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

/* Where a hash lives: tile (level, index, width) and its place in it. */
struct bz_tile_id { uint32_t level; uint64_t index; uint32_t width; /* 1..256 */ };
/* "tile/0/x001/x234/067" or ".../067.p/12"; entry bundles: "tile/entries/...". NUL-terminated into out[64]. */
void bz_tile_path(const struct bz_tile_id *t, bool entries, char out[80]);
/* Reads any tile of the tree of `size` leaves; the source returns width*32 bytes. */
struct bz_tile_source {
    enum bz_status (*read)(void *ctx, const struct bz_tile_id *t, struct bz_buf *out);
    void *ctx;
};
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

#endif
