/* What a worker maps: the shared state, the audit ring, the policy image of each generation; its
 * lane; its timers.
 * Whatever is missing or damaged means 503 for everybody, and another look every 200 ms. */
#include "ngx_http_bartizan.h"

#include <bartizan/leak.h>

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { tick_ms = 200, ticks_per_check = 5 };

struct bz_ngx_worker bz_ngx_worker;

/* ---- files ---- */

/* Path of a file in DIR/run; valid until the next call. NULL when it does not fit. */
static const char *path_of(const char *name) {
    static char out[PATH_MAX];
    const ngx_str_t *dir = &bz_ngx_worker.dir;
    int n = snprintf(out, sizeof out, "%.*s/run/%s", (int)dir->len, (const char *)dir->data, name);
    return n > 0 && n < PATH_MAX ? out : NULL;
}

/* The whole file, mapped; NULL when it cannot be. */
static void *map_file(const char *name, bool writable, size_t *ret_size) {
    const char *path = path_of(name);
    struct stat st;
    void *p = MAP_FAILED;

    if (path == NULL)
        return NULL;
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        p = mmap(NULL, (size_t)st.st_size, writable ? PROT_READ | PROT_WRITE : PROT_READ,
                 MAP_SHARED, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return NULL;
    *ret_size = (size_t)st.st_size;
    return p;
}

static bool map_state(void) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    if (w->state != NULL)
        return true;
    w->state_map = map_file("state.shm", true, &w->state_size);
    if (w->state_map == NULL)
        return false;
    if (bz_state_open(w->state_map, w->state_size, &w->state) == BZ_OK)
        return true;
    munmap(w->state_map, w->state_size);
    w->state = NULL;
    return false;
}

static bool map_ring(void) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    if (w->ring != NULL)
        return true;
    void *p = map_file("audit.ring", true, &w->ring_size);
    if (p == NULL)
        return false;
    if (bz_ring_check(p, w->ring_size) != BZ_OK) {
        munmap(p, w->ring_size);
        return false;
    }
    w->ring = p;
    return true;
}

/* Without it what is masked is not restored; nothing passes unmasked. */
static void map_vault(void) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    size_t n;
    if (w->vault != NULL)
        return;
    void *p = map_file("vault.shm", true, &n);
    if (p != NULL && bz_vault_open(p, n, &w->vault) != BZ_OK)
        munmap(p, n);
}

/* Pages that no conversation needs are never touched, and take no memory. */
static void keep_canaries(void) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    size_t n = bz_canary_tables_size();
    if (w->canaries == NULL)
        w->canaries = bz_canary_tables_open(calloc(1, n), n);
}

/* ---- lane ---- */

static bool alive(uint32_t pid) {
    return kill((pid_t)pid, 0) == 0 || errno == EPERM;
}

static bool open_fifo(void) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    char name[32];

    (void)snprintf(name, sizeof name, "lane-%u.fifo", w->lane);
    const char *path = path_of(name);
    if (path == NULL)
        return false;
    /* For writing too: without a writer of its own the read end would report "hung up" for ever. */
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    ngx_connection_t *c = ngx_get_connection(fd, ngx_cycle->log);
    if (c == NULL) {
        close(fd);
        return false;
    }
    c->read->handler = bz_ngx_audit_fifo;
    c->read->log = ngx_cycle->log;
    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_close_connection(c);
        return false;
    }
    w->fifo = c;
    return true;
}

static bool take_lane(void) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    if (!w->has_lane) {
        if (bz_state_lane_take(w->state, (uint32_t)ngx_pid, alive, &w->lane) != BZ_OK)
            return false;
        w->has_lane = true;
    }
    if (w->ring_lane == NULL) {
        struct bz_ring_head *h = w->ring;
        if (w->lane >= h->lanes)
            return false;
        w->ring_lane = bz_ring_lane(w->ring, w->lane);
        atomic_store(&w->ring_lane->owner_pid, (uint32_t)ngx_pid);
        w->epoch = atomic_fetch_add(&w->ring_lane->epoch, 1) + 1;
        atomic_store(&w->ring_lane->waiting, 0);
    }
    return w->fifo != NULL || open_fifo();
}

/* ---- policy generations ---- */

static void detect_release(struct bz_ngx_detect *d) {
    if (d == NULL || --d->refs > 0)
        return;
    bz_detect_close(d->detect);
    free(d->clean);
    free(d);
}

static void steer_release(struct bz_ngx_steer *s) {
    if (s == NULL || --s->refs > 0)
        return;
    bz_injection_close(s->injection);
    free(s->judged);
    free(s->pack);
    free(s);
}

void bz_ngx_gen_release(struct bz_ngx_gen *g) {
    if (g == NULL || --g->refs > 0)
        return;
    detect_release(g->detect);
    steer_release(g->steer);
    munmap(g->map, g->size);
    free(g);
}

/* Without room for what is known of texts, each is looked at anew. */
static void *new_seen(void) {
    size_t n = (bz_seen_size() + 63) / 64 * 64;
    void *mem = aligned_alloc(64, n);
    if (mem != NULL)
        memset(mem, 0, n);
    return mem;
}

static struct bz_seen *seen_of(void *mem) {
    return mem != NULL ? bz_seen_open(mem, bz_seen_size()) : NULL;
}

/* Most changes of policy leave the patterns as they were: their database is opened once. NULL: the
 * engine refuses every request whose policy wants screening. */
static struct bz_ngx_detect *open_detect(const struct bz_ngx_gen *old, struct bz_view pack) {
    struct bz_data_settings was = {0};
    if (pack.n == 0)
        return NULL;
    if (old != NULL && old->detect != NULL) {
        bz_image_data(&old->image, &was);
        if (bz_view_eq(was.detect_pack, pack)) {
            old->detect->refs++;
            return old->detect;
        }
    }
    struct bz_ngx_detect *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->refs = 1;
    enum bz_status st = bz_detect_open(pack, &d->detect);
    if (st == BZ_OK) {
        d->clean = new_seen();
        return d;
    }
    ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                  "bartizan: the detectors of this policy do not open (%s): requests get 503",
                  bz_status_text(st));
    free(d);
    return NULL;
}

static struct bz_ngx_steer *new_steer(struct bz_view pack) {
    struct bz_ngx_steer *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->refs = 1;
    s->pack = aligned_alloc(64, (pack.n + 63) / 64 * 64);
    s->pack_n = pack.n;
    enum bz_status st = BZ_ENOMEM;
    if (s->pack != NULL) {
        memcpy(s->pack, pack.p, pack.n);
        st = bz_injection_open(bz_view(s->pack, pack.n), &s->injection);
    }
    if (st == BZ_OK) {
        s->judged = new_seen();
        return s;
    }
    ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                  "bartizan: the rules of this policy do not open (%s): requests get 503",
                  bz_status_text(st));
    free(s->pack);
    free(s);
    return NULL;
}

/* As with the detectors. NULL: the engine refuses what policy wants judged. */
static struct bz_ngx_steer *open_steer(const struct bz_ngx_gen *old, struct bz_view pack) {
    if (pack.n == 0)
        return NULL;
    if (old != NULL && old->steer != NULL &&
        bz_view_eq(bz_view(old->steer->pack, old->steer->pack_n), pack)) {
        old->steer->refs++;
        return old->steer;
    }
    return new_steer(pack);
}

static struct bz_ngx_gen *load_gen(void) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    struct bz_ngx_gen *g = calloc(1, sizeof *g);
    if (g == NULL)
        return NULL;
    g->map = map_file("policy.img", false, &g->size);
    if (g->map == NULL) {
        free(g);
        return NULL;
    }
    g->refs = 1;
    if (bz_image_open(bz_view(g->map, g->size), &g->image) != BZ_OK) {
        bz_ngx_gen_release(g);
        return NULL;
    }
    bz_image_settings(&g->image, &g->set);
    for (uint32_t i = 0; i < g->set.backends_n && i < BZ_BACKENDS_MAX; i++) {
        struct bz_backend b;
        if (bz_image_backend(&g->image, i, &b))
            (void)bz_ngx_addr_parse(b.address, i, &g->addr[i]); /* unusable ones have length 0 */
    }
    struct bz_data_settings data;
    bz_image_data(&g->image, &data);
    g->detect = open_detect(w->gen, data.detect_pack);
    g->steer = open_steer(w->gen, bz_image_blob(&g->image, BZ_BLOB_INJECTION));
    map_vault();
    keep_canaries();
    g->env = (struct bz_gateway_env){.image = &g->image,
                                     .state = w->state,
                                     .lane = w->lane,
                                     .detect = g->detect != NULL ? g->detect->detect : NULL,
                                     .vault = w->vault,
                                     .shapes = &w->shapes,
                                     .canaries = w->canaries};
    if (g->steer != NULL) {
        g->env.injection = g->steer->injection;
        g->env.judged = seen_of(g->steer->judged);
    }
    if (g->detect != NULL)
        g->env.clean = seen_of(g->detect->clean);
    return g;
}

/* Silence is nginx's to notice (proxy_read_timeout); this is for a backend that drips. */
static bool overdue(const struct bz_ngx_req *q) {
    const struct bz_ngx_worker *w = &bz_ngx_worker;
    ngx_msec_t most = q->phase == BZ_NGX_STREAM && q->event ? w->stream_ms : w->reply_ms;
    return q->phase != BZ_NGX_PARKED && ngx_current_msec - q->forwarded > most;
}

static const struct bz_ngx_end *must_end(struct bz_ngx_req *q, uint64_t now_unix) {
    if (!bz_tx_still_allowed(q->tx, &bz_ngx_worker.gen->image, now_unix))
        return &bz_ngx_end_key;
    return overdue(q) ? &bz_ngx_end_time : NULL;
}

/* Open transactions whose key is gone, expired or changed, or whose time is up, are ended. */
static void check_open(void) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    uint64_t now = bz_ngx_now().unix_ns / 1000000000u;
    ngx_queue_t *next = NULL;

    /* Cutting one may end others of the same connection; a queue mark would be lost with them. So:
     * start over after
     * each cut; every transaction is cut at most once. */
    for (ngx_queue_t *p = ngx_queue_head(&w->open); p != ngx_queue_sentinel(&w->open); p = next) {
        struct bz_ngx_req *q = ngx_queue_data(p, struct bz_ngx_req, open);
        next = ngx_queue_next(p);
        if (q->cut || q->phase < BZ_NGX_PARKED || q->phase > BZ_NGX_COLLECT)
            continue;
        const struct bz_ngx_end *why = must_end(q, now);
        if (why != NULL && bz_ngx_cut(q, why))
            next = ngx_queue_head(&w->open);
    }
}

/* Undecided text of a stream that came to a halt does not wait for ever. */
static void settle_open(void) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    ngx_queue_t *next = NULL;
    for (ngx_queue_t *p = ngx_queue_head(&w->open); p != ngx_queue_sentinel(&w->open); p = next) {
        struct bz_ngx_req *q = ngx_queue_data(p, struct bz_ngx_req, open);
        next = ngx_queue_next(p);
        if (q->phase == BZ_NGX_STREAM && q->may_hold && !q->cut && bz_ngx_stream_tick(q))
            next = ngx_queue_head(&w->open); /* as in check_open */
    }
}

/* True when a new image came in. */
static bool refresh(bool again) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    if (!map_state() || !map_ring() || !take_lane())
        return false;
    uint64_t want = bz_state_generation(w->state);
    if (want == 0 || (w->gen != NULL && bz_image_generation(&w->gen->image) == want))
        return false;
    if (want == w->tried && !again)
        return false;
    w->tried = want;
    struct bz_ngx_gen *g = load_gen();
    if (g == NULL)
        return false; /* the old policy stays; without one nothing passes */
    struct bz_ngx_gen *old = w->gen;
    bool newer = old == NULL || bz_image_generation(&g->image) != bz_image_generation(&old->image);
    if (!newer) {
        bz_ngx_gen_release(g);
        return false;
    }
    w->gen = g;
    bz_ngx_gen_release(old);
    return true;
}

/* Open transactions are looked at by the timer: cutting them here could end the caller's own. */
void bz_ngx_state_refresh(void) {
    (void)refresh(false);
}

static void tick(ngx_event_t *ev) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    static const struct bz_ngx_gen *checked;

    bz_ngx_set_wall();
    (void)refresh(true);
    if (w->gen != NULL && (w->gen != checked || ++w->ticks >= ticks_per_check)) {
        checked = w->gen;
        w->ticks = 0;
        check_open();
    }
    settle_open();
    bz_ngx_audit_walk(false);
    ngx_add_timer(ev, tick_ms);
}

/* ---- start and end of a worker ---- */

ngx_int_t bz_ngx_state_init(ngx_cycle_t *cycle) {
    static uint8_t record_mem[BZ_RECORD_MAX];
    static ngx_connection_t dummy; /* nginx's debug log of timers wants a connection */
    struct bz_ngx_worker *w = &bz_ngx_worker;

    ngx_queue_init(&w->open);
    ngx_queue_init(&w->parked);
    bz_buf_init_fixed(&w->record, record_mem, sizeof record_mem);
    dummy.fd = (ngx_socket_t)-1;
    w->tick.handler = tick;
    w->tick.log = cycle->log;
    w->tick.data = &dummy;
    w->tick.cancelable = 1; /* an old worker ends when its last stream does */
    w->park_timer.handler = bz_ngx_audit_timer;
    w->park_timer.log = cycle->log;
    w->park_timer.data = &dummy;
    w->bell.handler = bz_ngx_audit_bell;
    w->bell.log = cycle->log;
    w->bell.data = &dummy;
    w->active = true;
    bz_ngx_set_wall();
    (void)refresh(true);
    ngx_add_timer(&w->tick, tick_ms);
    return NGX_OK;
}

void bz_ngx_state_exit(ngx_cycle_t *cycle) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    (void)cycle;
    if (!w->active)
        return;
    w->active = false;
    /* A worker that is told to stop at once takes its open requests with it; their records stay
     * complete. */
    for (ngx_queue_t *p = ngx_queue_head(&w->open); p != ngx_queue_sentinel(&w->open);
         p = ngx_queue_next(p))
        bz_ngx_audit_close(ngx_queue_data(p, struct bz_ngx_req, open), true);
    if (w->ring_lane != NULL)
        bz_ngx_audit_bell(&w->bell);
    if (w->fifo != NULL) {
        ngx_close_connection(w->fifo);
        w->fifo = NULL;
    }
    if (w->ring_lane != NULL) {
        atomic_store(&w->ring_lane->waiting, 0);
        atomic_store(&w->ring_lane->owner_pid, 0);
        w->ring_lane = NULL;
    }
    if (w->has_lane)
        bz_state_lane_leave(w->state, w->lane);
    w->has_lane = false;
    bz_ngx_gen_release(w->gen);
    w->gen = NULL;
    bz_buf_free(&w->out);
}
