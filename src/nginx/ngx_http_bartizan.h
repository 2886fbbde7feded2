/* The nginx module: translates between nginx and the gateway engine (bartizan/gateway.h), decides
 * nothing.
 *
 *   module.c    directives, variables, start of the process
 *   request.c   phase handler, request body, our own replies
 *   audit.c     the ring, parked requests, wake-ups
 *   upstream.c  balancer: which backend, when to try another one
 *   filter.c    replies of the model server
 *   spool.c     sealed bodies that policy wants kept
 *   error.c     every error of nginx's own
 *   state.c     mapped files, policy generations, timers
 *
 * docs/NGINX.md draws the life of a request. */
#ifndef NGX_HTTP_BARTIZAN_H
#define NGX_HTTP_BARTIZAN_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <sys/un.h>

#include <bartizan/gateway.h>

extern ngx_module_t ngx_http_bartizan_module;

struct bz_ngx_main_conf {
    ngx_str_t dir;                  /* the instance directory; empty: the module is off */
    ngx_msec_t reply_ms, stream_ms; /* how long a backend may take in all */
};
struct bz_ngx_loc_conf {
    ngx_flag_t enable;
};

struct bz_ngx_addr { /* a backend's address, ready for connect */
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } u;
    socklen_t len; /* 0: the backend has no usable address */
    ngx_str_t text;
};

struct bz_ngx_detect { /* open detectors, shared by generations with the same patterns */
    struct bz_detect *detect;
    void *clean; /* texts in which they found nothing */
    ngx_uint_t refs;
};

struct bz_ngx_steer { /* an open judge of texts, shared by generations with the same rules */
    struct bz_injection *injection;
    uint8_t *pack; /* a copy: it outlives the image that it came with */
    size_t pack_n;
    void *judged; /* what it has judged */
    ngx_uint_t refs;
};

struct
    bz_ngx_gen { /* one mapped policy image; lives while it is current or a transaction uses it */
    struct bz_gateway_env env;
    struct bz_image image;
    struct bz_settings set;
    struct bz_ngx_detect *detect; /* NULL: none, or it does not open */
    struct bz_ngx_steer *steer;   /* likewise */
    void *map;
    size_t size;
    ngx_uint_t refs;
    struct bz_ngx_addr addr[BZ_BACKENDS_MAX];
};

enum bz_ngx_phase {
    BZ_NGX_NEW,
    BZ_NGX_READING, /* the request body */
    BZ_NGX_PARKED,  /* until the record is durable */
    BZ_NGX_FORWARD, /* may go to the backend, or is on its way */
    BZ_NGX_STREAM,  /* reply passes event by event */
    BZ_NGX_COLLECT, /* reply is kept back until it is whole */
    BZ_NGX_ENDED,   /* the client has its last byte; what still comes from upstream is dropped */
    BZ_NGX_OWN,     /* a reply of ours is on its way, no upstream involved */
};

/* State of one request, in its pool; found again through a pool cleanup (redirects zero r->ctx).
 * What every event of a stream touches stands together at the start. */
struct bz_ngx_req {
    ngx_http_request_t *r;
    struct bz_tx *tx;
    ngx_chain_t *in, **in_last; /* input that waits for a slow client */
    ngx_chain_t *free, *busy;   /* our own buffers */
    enum bz_ngx_phase phase;
    unsigned begun : 1;     /* bz_tx_begin was called */
    unsigned late : 1;      /* the body did not come together with the head */
    unsigned answered : 1;  /* by the gateway itself */
    unsigned decided : 1;   /* a DECISION record stands */
    unsigned recorded : 1;  /* the last record stands */
    unsigned repick : 1;    /* the next connection goes to another backend */
    unsigned cut : 1;       /* ended from our side */
    unsigned head_seen : 1; /* the backend sent a reply head */
    unsigned flushed : 1;   /* the client has the reply head of a stream */
    unsigned ending : 2;    /* 0 no, 1 upstream ended well, 2 it broke */
    unsigned event : 1;     /* the client has something of a stream's body */
    unsigned may_hold : 1;  /* bz_tx_may_hold */
    ngx_queue_t open; /* in bz_ngx_worker.open; so far all that a stream's piece and a tick touch */

    struct bz_ngx_gen *gen;
    struct bz_now
        now; /* of the current call from nginx; a clock costs as much as parsing a short head */
    ngx_queue_t parked;   /* in bz_ngx_worker.parked, while phase is PARKED */
    uint64_t seq;         /* of the DECISION record in the ring */
    ngx_msec_t deadline;  /* while phase is PARKED */
    ngx_msec_t forwarded; /* when phase became FORWARD */
    ngx_uint_t http_version;
    void (*upstream_finalize)(ngx_http_request_t *r, ngx_int_t rc); /* the proxy module's own */
    struct bz_backend backend;
};

struct bz_ngx_worker { /* of this process */
    ngx_str_t dir;
    ngx_msec_t reply_ms, stream_ms;
    bool active;            /* a worker process: others map nothing */
    struct bz_state *state; /* NULL: not mapped yet */
    void *state_map, *ring;
    struct bz_vault *vault; /* NULL: not mapped */
    size_t state_size, ring_size;
    bool has_lane;
    uint32_t lane;
    struct bz_ring_lane *ring_lane;
    uint64_t epoch, counter;
    struct bz_ngx_gen *gen; /* current; NULL: every request gets 503 */
    uint64_t tried;         /* generation that was last tried to map */
    ngx_connection_t *fifo;
    ngx_event_t tick, park_timer;
    ngx_event_t bell;        /* posted: rings for all records of one round of the event loop */
    uint64_t wall_offset_ns; /* wall clock - monotonic clock, as of the last tick */
    struct bz_now now;       /* as it was last read, in the round of the event loop that began at */
    ngx_msec_t now_round;    /* this time */
    ngx_uint_t ticks;
    ngx_queue_t open, parked;
    struct bz_buf record, out;         /* scratch */
    struct bz_shapes shapes;           /* of streams' usual events */
    struct bz_canary_tables *canaries; /* of the last conversations; NULL: none are kept */
    char spool_mark[BZ_BODY_NAME]; /* a file in the spool, and the bytes left there from it on */
    size_t spool_bytes;
};
extern struct bz_ngx_worker bz_ngx_worker;

/* ---- module.c ---- */
struct bz_view bz_ngx_view(ngx_str_t s);
ngx_str_t bz_ngx_str(struct bz_view v);
struct bz_now bz_ngx_now(void);
/* As it was read last in this round of the event loop: for what need not be exact, in place of a clock
 * for every piece of a stream. */
struct bz_now bz_ngx_round_now(void);
void bz_ngx_set_wall(void); /* looks at the wall clock again */

/* ---- request.c ---- */
ngx_int_t bz_ngx_preaccess(ngx_http_request_t *r);
/* The request's own state, or NULL. Survives internal redirects. */
struct bz_ngx_req *bz_ngx_req(ngx_http_request_t *r);
/* New state with a transaction. NULL: no memory, or no policy to decide by (bz_ngx_worker.gen). */
struct bz_ngx_req *bz_ngx_req_new(ngx_http_request_t *r);
/* Runs bz_tx_begin over the request's head. */
enum bz_verdict bz_ngx_begin(struct bz_ngx_req *q);
/* Sends bz_tx_reply; the result goes to ngx_http_finalize_request. */
ngx_int_t bz_ngx_send_reply(struct bz_ngx_req *q);
/* Sends any body of ours with the headers of the transaction (q may be NULL). */
ngx_int_t bz_ngx_send(ngx_http_request_t *r, struct bz_ngx_req *q, const struct bz_reply *rep);
/* Writes status, content type and headers of a reply into r->headers_out. */
ngx_int_t bz_ngx_set_head(struct bz_ngx_req *q, ngx_uint_t status, struct bz_view type,
                          off_t length);
ngx_int_t bz_ngx_add_header(ngx_http_request_t *r, const struct bz_header *h);
/* A parked request may go on: forwards it, or answers if it was refused meanwhile. */
void bz_ngx_resume(struct bz_ngx_req *q);

/* ---- audit.c ---- */
/* Puts the DECISION record. NGX_DECLINED: go on; NGX_AGAIN: parked; otherwise the transaction is
 * refused. */
ngx_int_t bz_ngx_audit_decision(struct bz_ngx_req *q);
/* Puts the last record, once. */
void bz_ngx_audit_close(struct bz_ngx_req *q, bool client_gone);
/* Record of a request that got no transaction. */
void bz_ngx_audit_bare(ngx_http_request_t *r, uint16_t status, const char *code);
void bz_ngx_audit_unpark(struct bz_ngx_req *q);
/* Walks the parked requests: those whose record is durable go on, those that waited too long are
 * refused. */
void bz_ngx_audit_walk(bool rung);
void bz_ngx_audit_fifo(ngx_event_t *ev);
void bz_ngx_audit_timer(ngx_event_t *ev);
void bz_ngx_audit_bell(ngx_event_t *ev);
ngx_int_t bz_ngx_log(ngx_http_request_t *r);

/* ---- upstream.c ---- */
char *bz_ngx_balancer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
bool bz_ngx_addr_parse(struct bz_view text, uint32_t index, struct bz_ngx_addr *ret);

/* ---- filter.c ---- */
ngx_int_t bz_ngx_filter_init(ngx_conf_t *cf);
/* The upstream failed after its reply began: tells the client, in the reply or by the error reply. */
void bz_ngx_reply_broken(struct bz_ngx_req *q);
/* Lets go what a stream has held back too long. true: something was sent, and q may be gone. */
bool bz_ngx_stream_tick(struct bz_ngx_req *q);
struct bz_ngx_end { /* why we end a transaction */
    uint16_t status;
    const char *code, *event; /* of a reply; of the error event of a stream */
    const char *text;
};
extern const struct bz_ngx_end bz_ngx_end_key, bz_ngx_end_time;
/* Ends a transaction from our side. true: done, and q may be gone; false: not now. */
bool bz_ngx_cut(struct bz_ngx_req *q, const struct bz_ngx_end *why);
/* Chunks so small that their framing overflows the buffer would send a prompt to the disk: refused
 * before nginx writes the first byte. */
ngx_int_t bz_ngx_body_filter(ngx_http_request_t *r, ngx_chain_t *in);
extern ngx_http_request_body_filter_pt bz_ngx_next_request_body;

/* ---- spool.c ---- */
/* Keeps a body if the policy says so. false: it should have been and could not. */
bool bz_ngx_spool(struct bz_ngx_req *q, enum bz_body_part part);

/* ---- error.c ---- */
ngx_int_t bz_ngx_error_handler(ngx_http_request_t *r);
/* Answers without a transaction (no policy mapped, no memory). */
ngx_int_t bz_ngx_send_unready(ngx_http_request_t *r);
/* Our status, code and sentence for a status of nginx's own. Static texts. */
struct bz_ngx_error {
    uint16_t from, status;
    const char *code, *text;
};
const struct bz_ngx_error *bz_ngx_error_of(ngx_uint_t status);

/* ---- state.c ---- */
ngx_int_t bz_ngx_state_init(ngx_cycle_t *cycle);
void bz_ngx_state_exit(ngx_cycle_t *cycle);
/* Maps a newer policy image if there is one. */
void bz_ngx_state_refresh(void);
void bz_ngx_gen_release(struct bz_ngx_gen *g);

#endif
