/* Servers and pins in the policy image.
 *
 *   head (32) | servers (64 each) | pins (72 each; those of a server together, sorted by what they are and name) | pool of texts
 *
 * All numbers little-endian; a text is its offset in the pool and its length. */
#include <stdlib.h>

#include <bartizan/mcp.h>
#include <bartizan/rd.h>

enum { HEAD = 32, SERVER = 64, PIN = 72, VERSION = 2 };
static const char magic[8] = "bzmcpin"; /* with its NUL */

static int order(struct bz_view a, struct bz_view b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n == 0 ? 0 : memcmp(a.p, b.p, n);
    return d != 0 ? d : (a.n > b.n) - (a.n < b.n);
}

/* ---- writing ---- */

struct writer {
    struct bz_buf servers, pins, pool;
    struct bz_buf order; /* pointers to the pins of one server */
    uint32_t pins_n;
};

static void put_text(struct bz_buf *out, struct bz_buf *pool, struct bz_view v) {
    bz_buf_put_le32(out, (uint32_t)pool->n);
    bz_buf_put_le32(out, (uint32_t)v.n);
    bz_buf_put(pool, v);
}

static int order_pins(const struct bz_mcp_pin *a, enum bz_mcp_what w, struct bz_view name) {
    return a->what != w ? (a->what > w) - (a->what < w) : order(a->name, name);
}

static int by_name(const void *a, const void *b) {
    const struct bz_mcp_pin *const *x = a, *const *y = b;
    return order_pins(*x, (*y)->what, (*y)->name);
}

static enum bz_status put_pins(struct writer *w, const struct bz_mcp_server *s) {
    const struct bz_mcp_pin **list = (void *)bz_buf_room(&w->order, s->pins_n * sizeof *list);
    if (s->pins_n > 0 && list == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < s->pins_n; i++)
        list[i] = &s->pins[i];
    if (s->pins_n > 0)
        qsort(list, s->pins_n, sizeof *list, by_name);
    for (size_t i = 0; i < s->pins_n; i++) {
        if (!bz_mcp_name_ok(list[i]->what, list[i]->name))
            return BZ_EINVAL;
        if (i > 0 && order_pins(list[i - 1], list[i]->what, list[i]->name) == 0)
            return BZ_EEXISTS;
        bz_buf_put_le32(&w->pins, list[i]->what);
        bz_buf_put_le32(&w->pins, 0);
        put_text(&w->pins, &w->pool, list[i]->name);
        put_text(&w->pins, &w->pool, list[i]->input);
        put_text(&w->pins, &w->pool, list[i]->output);
        bz_buf_put(&w->pins, bz_view(list[i]->digest, BZ_HASH_LEN));
        bz_buf_put_le64(&w->pins, list[i]->since);
        w->pins_n++;
    }
    bz_buf_reset(&w->order);
    return BZ_OK;
}

static enum bz_status put_server(struct writer *w, const struct bz_mcp_server *s) {
    if (s->name.n == 0 || s->path.n == 0 || s->pins_n > BZ_MCP_DEFINITIONS_MAX ||
        s->result_max > BZ_MCP_RESULT_MAX || s->backend >= BZ_BACKENDS_MAX)
        return BZ_EINVAL;
    put_text(&w->servers, &w->pool, s->name);
    put_text(&w->servers, &w->pool, s->path);
    bz_buf_put_le32(&w->servers, s->backend);
    bz_buf_put_le32(&w->servers, s->versions);
    bz_buf_put_le64(&w->servers, s->methods);
    bz_buf_put_le64(&w->servers, s->roles);
    bz_buf_put_le64(&w->servers, s->result_max);
    bz_buf_put_le32(&w->servers, w->pins_n);
    bz_buf_put_le32(&w->servers, (uint32_t)s->pins_n);
    bz_buf_put_le64(&w->servers, 0);
    return put_pins(w, s);
}

static enum bz_status write_all(struct writer *w, const struct bz_mcp_server *s, size_t n,
                                struct bz_buf *out) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++)
            if (bz_view_eq(s[i].name, s[j].name))
                return BZ_EEXISTS;
        BZ_TRY(put_server(w, &s[i]));
    }
    bz_buf_put(out, bz_view(magic, sizeof magic));
    bz_buf_put_le32(out, VERSION);
    bz_buf_put_le32(out, (uint32_t)n);
    bz_buf_put_le32(out, w->pins_n);
    bz_buf_put_le32(out, (uint32_t)w->pool.n);
    bz_buf_put_le64(out, 0);
    bz_buf_put(out, bz_buf_view(&w->servers));
    bz_buf_put(out, bz_buf_view(&w->pins));
    bz_buf_put(out, bz_buf_view(&w->pool));
    BZ_TRY(bz_buf_status(&w->servers));
    BZ_TRY(bz_buf_status(&w->pins));
    BZ_TRY(bz_buf_status(&w->pool));
    return bz_buf_status(out);
}

enum bz_status bz_mcp_compile(const struct bz_mcp_server *s, size_t n, struct bz_buf *out) {
    struct writer w = {.pins_n = 0};
    if (n == 0)
        return BZ_OK; /* empty: the room does nothing */
    if (n > BZ_MCP_SERVERS_MAX)
        return BZ_ETOOBIG;
    bz_buf_init(&w.servers, n * SERVER);
    bz_buf_init(&w.pins, BZ_BLOB_MAX);
    bz_buf_init(&w.pool, BZ_BLOB_MAX);
    bz_buf_init(&w.order, BZ_MCP_DEFINITIONS_MAX * sizeof(void *));
    enum bz_status st = write_all(&w, s, n, out);
    bz_buf_free(&w.servers);
    bz_buf_free(&w.pins);
    bz_buf_free(&w.pool);
    bz_buf_free(&w.order);
    return st;
}

/* ---- reading ---- */

static struct bz_view pool_of(const struct bz_mcp *m) {
    size_t at = HEAD + (size_t)m->servers * SERVER + (size_t)m->pins * PIN;
    return bz_view_sub(m->bytes, at, m->bytes.n);
}

static struct bz_view take_text(struct bz_rd *r, struct bz_view pool) {
    uint32_t at = bz_rd_le32(r), n = bz_rd_le32(r);
    if (at > pool.n || n > pool.n - at) {
        bz_rd_fail(r, BZ_ERANGE);
        return (struct bz_view){NULL, 0};
    }
    return n == 0 ? (struct bz_view){NULL, 0} : bz_view_sub(pool, at, n);
}

static bool server_at(const struct bz_mcp *m, uint32_t i, struct bz_mcp_route *ret) {
    struct bz_view pool = pool_of(m);
    struct bz_rd r;
    bz_rd_init(&r, bz_view_sub(m->bytes, HEAD + (size_t)i * SERVER, SERVER));
    *ret = (struct bz_mcp_route){.s.name = take_text(&r, pool)};
    ret->s.path = take_text(&r, pool);
    ret->s.backend = bz_rd_le32(&r);
    ret->s.versions = bz_rd_le32(&r);
    ret->s.methods = bz_rd_le64(&r);
    ret->s.roles = bz_rd_le64(&r);
    ret->s.result_max = bz_rd_le64(&r);
    ret->pin_first = bz_rd_le32(&r);
    ret->s.pins_n = bz_rd_le32(&r);
    (void)bz_rd_le64(&r);
    return bz_rd_end(&r) == BZ_OK && ret->s.name.n > 0 && ret->s.path.n > 0 &&
           ret->s.path.p[0] == '/' && ret->s.backend < BZ_BACKENDS_MAX &&
           ret->s.result_max <= BZ_MCP_RESULT_MAX && ret->pin_first <= m->pins &&
           ret->s.pins_n <= m->pins - ret->pin_first && ret->s.pins_n <= BZ_MCP_DEFINITIONS_MAX;
}

static bool pin_at(const struct bz_mcp *m, uint32_t i, struct bz_mcp_pin *ret) {
    struct bz_view pool = pool_of(m);
    struct bz_rd r;
    bz_rd_init(&r,
               bz_view_sub(m->bytes, HEAD + (size_t)m->servers * SERVER + (size_t)i * PIN, PIN));
    uint32_t what = bz_rd_le32(&r);
    (void)bz_rd_le32(&r);
    *ret = (struct bz_mcp_pin){.what = (enum bz_mcp_what)what, .name = take_text(&r, pool)};
    ret->input = take_text(&r, pool);
    ret->output = take_text(&r, pool);
    struct bz_view digest = bz_rd_take(&r, BZ_HASH_LEN);
    ret->since = bz_rd_le64(&r);
    if (bz_rd_end(&r) != BZ_OK || what >= BZ_MCP_WHAT_COUNT ||
        !bz_mcp_name_ok(ret->what, ret->name))
        return false;
    memcpy(ret->digest, digest.p, BZ_HASH_LEN);
    return true;
}

static bool sorted(const struct bz_mcp *m, const struct bz_mcp_route *r) {
    struct bz_mcp_pin a, b;
    for (uint32_t i = 1; i < r->s.pins_n; i++)
        if (!pin_at(m, r->pin_first + i - 1, &a) || !pin_at(m, r->pin_first + i, &b) ||
            order_pins(&a, b.what, b.name) >= 0)
            return false;
    return true;
}

enum bz_status bz_mcp_open(struct bz_view blob, struct bz_mcp *ret) {
    struct bz_mcp m = {.bytes = blob};
    struct bz_mcp_route route;
    struct bz_mcp_pin pin;
    struct bz_rd r;
    if (blob.n == 0) {
        *ret = (struct bz_mcp){.servers = 0};
        return BZ_OK;
    }
    bz_rd_init(&r, blob);
    struct bz_view mark = bz_rd_take(&r, sizeof magic);
    uint32_t version = bz_rd_le32(&r);
    m.servers = bz_rd_le32(&r);
    m.pins = bz_rd_le32(&r);
    uint64_t pool = bz_rd_le32(&r);
    (void)bz_rd_le64(&r);
    if (!bz_rd_ok(&r) || !bz_view_eq(mark, bz_view(magic, sizeof magic)))
        return BZ_ECORRUPT;
    if (version != VERSION)
        return BZ_EVERSION;
    if (m.servers > BZ_MCP_SERVERS_MAX || m.pins > BZ_MCP_SERVERS_MAX * BZ_MCP_DEFINITIONS_MAX ||
        blob.n != HEAD + (uint64_t)m.servers * SERVER + (uint64_t)m.pins * PIN + pool)
        return BZ_ECORRUPT;
    for (uint32_t i = 0; i < m.pins; i++)
        if (!pin_at(&m, i, &pin))
            return BZ_ECORRUPT;
    for (uint32_t i = 0; i < m.servers; i++)
        if (!server_at(&m, i, &route) || !sorted(&m, &route))
            return BZ_ECORRUPT;
    *ret = m;
    return BZ_OK;
}

bool bz_mcp_find(const struct bz_mcp *m, struct bz_view server, struct bz_mcp_route *ret) {
    for (uint32_t i = 0; i < m->servers; i++)
        if (server_at(m, i, ret) && bz_view_eq(ret->s.name, server))
            return true;
    return false;
}

bool bz_mcp_pin_find(const struct bz_mcp *m, const struct bz_mcp_route *r, enum bz_mcp_what w,
                     struct bz_view name, struct bz_mcp_pin *ret) {
    uint32_t low = r->pin_first, high = r->pin_first + (uint32_t)r->s.pins_n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (!pin_at(m, mid, ret))
            return false;
        int d = order_pins(ret, w, name);
        if (d == 0)
            return true;
        if (d < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

bool bz_mcp_pin_find_uri(const struct bz_mcp *m, const struct bz_mcp_route *r, struct bz_view uri,
                         struct bz_mcp_pin *ret) {
    if (bz_mcp_pin_find(m, r, BZ_MCP_RESOURCE, uri, ret))
        return true;
    for (uint32_t i = 0; i < r->s.pins_n; i++)
        if (pin_at(m, r->pin_first + i, ret) && ret->what == BZ_MCP_TEMPLATE &&
            bz_mcp_uri_fits(ret->name, uri))
            return true;
    return false;
}
