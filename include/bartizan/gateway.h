/* The transaction: one request's whole life. Pure: bytes and facts in, verdicts and bytes out. The
 * nginx module (or a test, or a fuzzer) feeds it; nothing here knows nginx, sockets, files, clocks.
 *
 *   begin(head) --REFUSE--> error reply        body(bytes) --REFUSE--> error reply
 *      |  \--ANSWER--> the gateway's own reply     |  \--ANSWER
 *      `--BODY--> read the body ------------------'`--FORWARD
 *   FORWARD: record durable? -> to backend -> reply_head -> reply_feed* -> reply_end -> close
 */
#ifndef BARTIZAN_GATEWAY_H
#define BARTIZAN_GATEWAY_H

#include <bartizan/audit.h>
#include <bartizan/bodies.h>
#include <bartizan/dialect.h>
#include <bartizan/policy.h>
#include <bartizan/vault.h>

struct bz_header {
    struct bz_view name, value;
};

struct bz_req_head { /* everything lent for the call of bz_tx_begin */
    struct bz_view method;
    struct bz_view raw_path; /* as sent, without query */
    struct bz_view path;     /* decoded and normalised by the server */
    struct bz_view query;    /* without '?' */
    struct bz_view host;     /* Host or :authority, without port */
    const struct bz_header *headers;
    size_t headers_n;
    struct bz_view peer;    /* client address text */
    int64_t content_length; /* -1: none given */
    bool chunked;
    bool tls;
};

struct bz_injection; /* injection.h */
struct bz_seen;
struct bz_canary_tables; /* leak.h */
struct bz_gateway_env {  /* of one worker; lent, outlives every transaction */
    const struct bz_image
        *image; /* current generation; the caller keeps it mapped while transactions use it */
    struct bz_state *state;
    uint32_t lane;
    struct bz_detect *detect; /* of the image's pack; NULL: an image with a pack refuses (503) */
    struct bz_vault *vault;   /* NULL: what is masked is not restored */
    struct bz_shapes *shapes; /* NULL: every event of a stream is parsed */
    struct bz_injection *injection; /* of the image's blob; NULL: an image that wants texts judged
                                       refuses (503) */
    struct bz_canary_tables *canaries; /* leak.h; NULL: none are kept */
    struct bz_seen *judged, *clean;    /* NULL: every text is judged, or searched for data, anew */
};
/* What this worker found out about texts before, as keyed digests: chat clients send the whole
 * conversation with every turn. Of BZ_SEEN_TEXTS texts; its size never changes. One that belongs to
 * `injection` (judged: its score) and one to `detect` (clean: nothing was found). `mem`: zeroed,
 * aligned to 64. */
size_t bz_seen_size(void);
struct bz_seen *bz_seen_open(void *mem, size_t n); /* NULL: too small */
struct bz_now {
    uint64_t unix_ns, mono_ns;
};

enum bz_verdict {
    BZ_VERDICT_NONE,    /* nothing decided: blocks */
    BZ_VERDICT_REFUSE,  /* send bz_tx_reply */
    BZ_VERDICT_ANSWER,  /* the same, a good one of the gateway's own */
    BZ_VERDICT_BODY,    /* read the body (at most bz_tx_body_max bytes), then bz_tx_body */
    BZ_VERDICT_FORWARD, /* send tx->forward to tx->backend, once the record is durable */
    BZ_VERDICT_COUNT
};

/* Opaque, from the caller's allocator; an open stream keeps less than 2 KiB with everything. */
struct bz_tx;

/* rnd: 8 random bytes for the id. ENOMEM is the only failure; every refusal is a verdict. */
enum bz_status bz_tx_new(const struct bz_gateway_env *env, struct bz_alloc a, struct bz_now now,
                         uint64_t id_hi, uint64_t id_lo, struct bz_tx **ret) BZ_MUST_USE;
enum bz_verdict bz_tx_begin(struct bz_tx *tx, const struct bz_req_head *h);
enum bz_verdict bz_tx_body(struct bz_tx *tx, struct bz_view body, struct bz_now now);
/* Of a longer body: bz_tx_refuse 413 body_too_large. */
uint64_t bz_tx_body_max(const struct bz_tx *tx);

/* What to send to the client after REFUSE or ANSWER; lives until bz_tx_free. `extra` is sent
 * besides bz_tx_headers. */
struct bz_reply {
    uint16_t status;
    struct bz_view content_type;
    struct bz_view body;
    struct bz_header extra[16]; /* Retry-After, retry-after-ms, WWW-Authenticate, Allow */
    size_t extra_n;
};
const struct bz_reply *bz_tx_reply(const struct bz_tx *tx); /* NULL while there is none */
/* Refuses with one of our codes at any time before a reply began (record not durable, no backend,
 * nginx's own 4xx). Never for a forwarded request whose reply has begun: use bz_tx_cut. code and
 * message: static text, ours (the audit record shows both). 429 and 503 get a Retry-After by
 * themselves. Works right after bz_tx_new too (no bz_tx_begin needed). */
void bz_tx_refuse(struct bz_tx *tx, uint16_t status, const char *code, const char *message);

/* What to forward. Lives until bz_tx_free or bz_tx_drop_body. */
struct bz_forward {
    struct bz_view method, path; /* path without query; the query is never forwarded */
    struct bz_view body;         /* canonical re-serialisation */
    struct bz_view content_type; /* "application/json", empty without body */
    struct bz_view accept;
    bool stream;
};
const struct bz_forward *bz_tx_forward(const struct bz_tx *tx);
/* Headers for a tool server: Mcp-Session-Id and MCP-Protocol-Version; empty: not sent. */
struct bz_view bz_tx_forward_session(const struct bz_tx *tx);
struct bz_view bz_tx_forward_version(const struct bz_tx *tx);
void bz_tx_drop_body(struct bz_tx *tx); /* the body was sent: memory can go */
/* A body that policy wants kept, sealed: `name` is its file's in DIR/bodies/spool, its bytes are
 * appended to out (born with bz_tx_spool_room). The request (as the model gets it): after FORWARD and
 * before bz_tx_drop_body; what cannot be kept must not be forwarded. The reply (as the client got it):
 * at the end. OK; ENOTFOUND: there is nothing to keep; otherwise it cannot be kept. */
enum bz_status bz_tx_spool(struct bz_tx *tx, enum bz_body_part part, char name[BZ_BODY_NAME],
                           struct bz_buf *out) BZ_MUST_USE;
size_t bz_tx_spool_room(const struct bz_tx *tx, enum bz_body_part part); /* 0: nothing to keep */
/* Picks the (next) backend; counts it as outstanding. false: none usable (the transaction is
 * refused with 503). */
bool bz_tx_backend(struct bz_tx *tx, struct bz_now now, struct bz_backend *ret);
void bz_tx_backend_result(struct bz_tx *tx, bool ok, struct bz_now now); /* passive health */

/* ---- reply ---- */
enum bz_reply_mode {
    BZ_REPLY_STREAM,  /* events pass as they come: feed and send what comes out */
    BZ_REPLY_COLLECT, /* feed everything; the reply stands in bz_tx_reply after the end */
};
struct bz_reply_head {
    uint16_t status;
    struct bz_view content_type, content_encoding;
    int64_t content_length; /* -1 unknown */
};
/* The Mcp-Session-Id of a tool server's reply, before bz_tx_reply_head. */
void bz_tx_reply_session(struct bz_tx *tx, struct bz_view session);
/* A reply that cannot be checked (encoding, type, status) is turned into an error here: COLLECT,
 * and bz_tx_reply is not NULL already: send it and close the upstream connection (bytes that are
 * fed all the same are dropped). For STREAM the client gets status 200, the content type of
 * bz_tx_stream_type and bz_tx_headers. */
enum bz_reply_mode bz_tx_reply_head(struct bz_tx *tx, const struct bz_reply_head *h,
                                    struct bz_now now);
/* Static: text/event-stream or application/x-ndjson. */
struct bz_view bz_tx_stream_type(const struct bz_tx *tx);
/* STREAM: appends what may leave to `out`. OK; otherwise the error event is in `out`, nothing more
 * may follow, close both sides. COLLECT: keeps the bytes. OK; otherwise bz_tx_reply is the error:
 * send it, close the upstream connection. */
enum bz_status bz_tx_reply_feed(struct bz_tx *tx, struct bz_view in, struct bz_buf *out,
                                struct bz_now now) BZ_MUST_USE;
/* Upstream ended. clean: at the end of a complete message; otherwise the connection broke. STREAM:
 * appends the rest or the error event to `out`. COLLECT: bz_tx_reply holds the reply (verified,
 * canonical) or the error. */
enum bz_status bz_tx_reply_end(struct bz_tx *tx, bool clean, struct bz_buf *out,
                               struct bz_now now) BZ_MUST_USE;
/* Each 200 ms for open streams: text that has waited too long for its next piece is decided as it
 * is. OK; otherwise the error event is in `out`, close both sides. */
enum bz_status bz_tx_tick(struct bz_tx *tx, struct bz_buf *out, struct bz_now now) BZ_MUST_USE;
/* May this reply hold text back? Known once its head was seen; where not, there is no need to tick. */
bool bz_tx_may_hold(const struct bz_tx *tx);
/* Ends an open stream from our side (key revoked, time over): error event into `out`. */
void bz_tx_cut(struct bz_tx *tx, const char *code, const char *message, struct bz_buf *out);
/* Is the principal still entitled under the env's current image? (each second, for open streams) */
bool bz_tx_still_allowed(struct bz_tx *tx, const struct bz_image *image, uint64_t now_unix);

/* ---- audit ---- */
/* Encodes the next record: REFUSED after REFUSE; CLOSE alone after ANSWER; DECISION before
 * forwarding and CLOSE at the end of what was forwarded (also when it ended in an error reply of
 * ours). client_status: what the client got; 0: as bz_tx_reply. */
void bz_tx_record(struct bz_tx *tx, enum bz_record_kind kind, uint16_t client_status,
                  bool client_gone, struct bz_now now, struct bz_buf *out);
/* What those in charge should be told at once, beside the record: one line, no text of anybody. NULL:
 * nothing. */
const char *bz_tx_alert(const struct bz_tx *tx);
struct bz_view bz_tx_id(const struct bz_tx *tx); /* text, for the x-request-id header */
/* Headers of every reply, streams included: x-request-id, nosniff, no-store, HSTS under TLS, rate
 * limits, the session of MCP (at most 11). Views live until bz_tx_free. */
size_t bz_tx_headers(const struct bz_tx *tx, struct bz_header *out, size_t cap);

/* Settles limits (true token counts), counts down concurrency and outstanding. Idempotent. */
void bz_tx_close(struct bz_tx *tx, struct bz_now now);
void bz_tx_free(struct bz_tx *tx); /* closes first if need be */

#endif
