/* The audit ring's producer side. In strict mode a request waits here, parked, until its DECISION
 * record is durable:
 *
 *   put record -> bell -> parked, in order of seq ... auditd: flush, durable_seq, a byte to our FIFO
 *                              ^ client gone: leaves the queue      `-> walk: resume, in order
 *                              ^ timer, writer gone: 503
 */
#include "ngx_http_bartizan.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#define WRITER_GONE_NS 2000000000u /* the writer beats every few hundred ms */

static const char unavailable[] =
    "The audit log is not available; nothing is forwarded unrecorded.";

/* Only from the event loop's posted events, once per round: records of one round share a wake-up. */
static void ring_bell(bool parked) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    struct bz_ring_head *h = w->ring;
    if (bz_ring_bell(w->ring, w->lane, parked))
        (void)syscall(SYS_futex, &h->doorbell, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void ring_later(void) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    ngx_post_event(&w->bell, &ngx_posted_events);
}

void bz_ngx_audit_bell(ngx_event_t *ev) {
    (void)ev;
    bool parked = !ngx_queue_empty(&bz_ngx_worker.parked);
    ring_bell(parked);
    if (parked)
        bz_ngx_audit_walk(true);
}

static bool writer_gone(uint64_t mono_ns) {
    struct bz_ring_head *h = bz_ngx_worker.ring;
    if (atomic_load_explicit(&h->writer_state, memory_order_relaxed) == 2)
        return true;
    uint64_t beat = atomic_load_explicit(&h->writer_beat_ns, memory_order_relaxed);
    return mono_ns > beat && mono_ns - beat > WRITER_GONE_NS;
}

static bool durable(uint64_t seq) {
    return atomic_load_explicit(&bz_ngx_worker.ring_lane->durable_seq, memory_order_acquire) >= seq;
}

static enum bz_status put_record(uint64_t *ret_seq) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    BZ_TRY(bz_buf_status(&w->record));
    return bz_ring_put(w->ring, w->lane, bz_buf_view(&w->record), ret_seq);
}

/* ---- parking ---- */

static void park(struct bz_ngx_req *q) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    ngx_http_request_t *r = q->r;
    ngx_event_t *read = r->connection->read;

    q->phase = BZ_NGX_PARKED;
    q->deadline = ngx_current_msec + q->gen->set.audit_wait_ms;
    ngx_queue_insert_tail(&w->parked, &q->parked);
    if (!w->park_timer.timer_set)
        ngx_add_timer(&w->park_timer, q->gen->set.audit_wait_ms);
    /* A client that leaves meanwhile is noticed, also when its FIN came together with the request. */
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;
    if (r->stream == NULL && read->ready) {
        ngx_post_event(read, &ngx_posted_events);
    }
}

void bz_ngx_audit_unpark(struct bz_ngx_req *q) {
    ngx_queue_remove(&q->parked);
    q->phase = BZ_NGX_NEW;
    q->r->read_event_handler = ngx_http_block_reading;
}

ngx_int_t bz_ngx_audit_decision(struct bz_ngx_req *q) {
    struct bz_now now = q->now;
    bool strict = q->gen->set.audit != BZ_AUDIT_RELAXED;

    if (strict && writer_gone(now.mono_ns)) {
        bz_tx_refuse(q->tx, 503, "audit_unavailable", unavailable);
        return NGX_OK;
    }
    bz_buf_reset(&bz_ngx_worker.record);
    bz_tx_record(q->tx, BZ_RECORD_DECISION, 0, false, now, &bz_ngx_worker.record);
    if (put_record(&q->seq) != BZ_OK) {
        ring_later();
        bz_tx_refuse(q->tx, 503, "audit_unavailable", unavailable);
        return NGX_OK;
    }
    q->decided = 1;
    ring_later();
    if (!strict)
        return NGX_DECLINED;
    park(q);
    return NGX_AGAIN;
}

/* A flush makes a hundred requests and more durable at once. If all of them went on in one round of
 * the event loop they would want an upstream connection each before the first one is given back: most
 * would open a new one and close it again. */
enum { RESUMED_AT_ONCE = 32 };

void bz_ngx_audit_walk(bool rung) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    bool gone = false;
    int left = RESUMED_AT_ONCE;

    if (ngx_queue_empty(&w->parked)) {
        /* an old worker ends with its last request, not with the time that one could have waited */
        if (ngx_exiting && w->park_timer.timer_set)
            ngx_del_timer(&w->park_timer);
        return;
    }
    gone = writer_gone(bz_ngx_now().mono_ns);
    while (!ngx_queue_empty(&w->parked)) {
        struct bz_ngx_req *q =
            ngx_queue_data(ngx_queue_head(&w->parked), struct bz_ngx_req, parked);
        if (!durable(q->seq)) {
            if (gone || (ngx_msec_int_t)(q->deadline - ngx_current_msec) <= 0) {
                bz_tx_refuse(q->tx, 503, "audit_unavailable", unavailable);
            } else if (!rung) {
                ring_bell(true); /* asks for the next wake-up, then looks once more */
                rung = true;
                continue;
            } else {
                break;
            }
        }
        if (left-- == 0) {
            ngx_post_event(&w->bell, &ngx_posted_next_events);
            break;
        }
        bz_ngx_audit_unpark(q);
        bz_ngx_resume(q);
    }
}

void bz_ngx_audit_fifo(ngx_event_t *ev) {
    ngx_connection_t *c = ev->data;
    u_char buf[256];
    while (read(c->fd, buf, sizeof buf) == (ssize_t)sizeof buf) {
        /* more than one wake-up is no more than one */
    }
    bz_ngx_audit_walk(false);
}

void bz_ngx_audit_timer(ngx_event_t *ev) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    bz_ngx_audit_walk(false);
    if (ngx_queue_empty(&w->parked) || ev->timer_set)
        return;
    struct bz_ngx_req *q = ngx_queue_data(ngx_queue_head(&w->parked), struct bz_ngx_req, parked);
    ngx_msec_int_t left = (ngx_msec_int_t)(q->deadline - ngx_current_msec);
    ngx_add_timer(ev, left > 0 ? (ngx_msec_t)left : 1);
}

/* ---- the last record of a request ---- */

static void put_last(void) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    uint64_t seq = 0;
    if (put_record(&seq) != BZ_OK)
        atomic_fetch_add_explicit(&w->ring_lane->lost, 1, memory_order_relaxed);
    ring_later();
}

void bz_ngx_audit_close(struct bz_ngx_req *q, bool client_gone) {
    enum bz_record_kind kind = q->decided || q->answered ? BZ_RECORD_CLOSE : BZ_RECORD_REFUSED;
    struct bz_now now = bz_ngx_now();
    ngx_uint_t status = q->r->headers_out.status;

    if (q->recorded)
        return;
    q->recorded = 1;
    if (kind == BZ_RECORD_REFUSED && bz_tx_reply(q->tx) == NULL) {
        const struct bz_ngx_error *e = bz_ngx_error_of(status != 0 ? status : 499);
        bz_tx_refuse(q->tx, e->status, e->code, e->text);
    }
    (void)bz_ngx_spool(q, BZ_BODY_REPLY); /* the client has it already; the log of errors tells */
    bz_buf_reset(&bz_ngx_worker.record);
    bz_tx_record(q->tx, kind, (uint16_t)status, client_gone, now, &bz_ngx_worker.record);
    put_last();
    if (bz_tx_alert(q->tx) != NULL)
        ngx_log_error(NGX_LOG_ALERT, q->r->connection->log, 0, "bartizan: ALERT: %s",
                      bz_tx_alert(q->tx));
    bz_tx_close(q->tx, now);
}

void bz_ngx_audit_bare(ngx_http_request_t *r, uint16_t status, const char *code) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    struct bz_now now = bz_ngx_now();
    struct bz_record rec = {
        .kind = BZ_RECORD_REFUSED,
        .time_ns = now.unix_ns,
        .method = BZ_V("?"),
        .peer = bz_ngx_view(r->connection->addr_text),
        .decision = BZ_V("refuse"),
        .reason = bz_view_str(code),
        .status = status,
    };
    if (w->ring_lane == NULL)
        return;
    bz_request_id_make(now.unix_ns / 1000000, w->lane, w->epoch, w->counter++, rec.id);
    bz_buf_reset(&w->record);
    bz_record_encode(&rec, &w->record);
    put_last();
}

ngx_int_t bz_ngx_log(ngx_http_request_t *r) {
    if (r != r->main)
        return NGX_OK;
    ngx_uint_t status = r->headers_out.status;
    struct bz_ngx_req *q = bz_ngx_req(r);
    /* Broken before any phase ran: the record says at least that somebody was there. A request
     * without a transaction has 503 only from bz_ngx_send_unready, even if a policy came since. */
    if (q == NULL && status >= NGX_HTTP_BAD_REQUEST && status != NGX_HTTP_SERVICE_UNAVAILABLE)
        q = bz_ngx_req_new(r);
    if (q != NULL) {
        bz_ngx_audit_close(q, r->connection->error || status == 499);
    } else if (status >= NGX_HTTP_BAD_REQUEST) {
        const struct bz_ngx_error *e = bz_ngx_error_of(status);
        bz_ngx_audit_bare(r, e->status, status == NGX_HTTP_SERVICE_UNAVAILABLE ? "not_ready" : e->code);
    }
    return NGX_OK;
}
