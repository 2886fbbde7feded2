/* The allow-list of a cage's proxy, and the parsers of what comes to it. Pure. */
#include <bartizan/egress.h>
#include <bartizan/rd.h>

static const struct {
    const char *name;
    unsigned bit;
} methods[] = {{"CONNECT", BZ_EGRESS_CONNECT}, {"GET", BZ_EGRESS_GET},
               {"HEAD", BZ_EGRESS_HEAD},       {"POST", BZ_EGRESS_POST},
               {"PUT", BZ_EGRESS_PUT},         {"DELETE", BZ_EGRESS_DELETE}};

static unsigned method_bit(struct bz_view v) {
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (bz_view_eq(v, bz_view_str(methods[i].name)))
            return methods[i].bit;
    }
    return 0;
}

static size_t find(struct bz_view v, uint8_t c) {
    const uint8_t *p = v.n == 0 ? NULL : memchr(v.p, c, v.n);
    return p == NULL ? v.n : (size_t)(p - v.p);
}

/* Letters, digits, dots, hyphens; numeric IPv4 passes as a name and is checked as an address later. */
static bool host_ok(struct bz_view v) {
    if (v.n == 0 || v.n > 253 || v.p[0] == '.' || v.p[0] == '-' || v.p[v.n - 1] == '-')
        return false;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '.' || c == '_';
        if (!good || (c == '.' && i + 1 < v.n && v.p[i + 1] == '.'))
            return false;
    }
    return true;
}

static bool port_ok(struct bz_view v, uint16_t *ret) {
    uint64_t n = 0;
    if (v.n == 0 || v.n > 5 || bz_view_u64(v, &n) != BZ_OK || n == 0 || n > 65535)
        return false;
    *ret = (uint16_t)n;
    return true;
}

/* ---- rules ---- */

static bool take_methods(struct bz_view v, unsigned *ret) {
    unsigned all = 0;
    while (v.n > 0) {
        size_t n = find(v, '+');
        unsigned bit = method_bit(bz_view_sub(v, 0, n));
        if (bit == 0)
            return false;
        all |= bit;
        v = bz_view_sub(v, n + 1, v.n);
    }
    *ret = all;
    return all != 0;
}

enum bz_status bz_egress_add(struct bz_egress *e, struct bz_view text, struct bz_diag *diag) {
    struct bz_egress_rule r = {.methods = BZ_EGRESS_CONNECT};
    size_t n = find(text, ':');
    struct bz_view host = bz_view_sub(text, 0, n), rest = bz_view_sub(text, n + 1, text.n);
    struct bz_view name = bz_view_starts(host, BZ_V("*.")) ? bz_view_sub(host, 2, host.n) : host;
    if (e->n == BZ_EGRESS_RULES_MAX)
        return BZ_ELIMIT;
    if (host.n >= sizeof r.host || !host_ok(name) ||
        (name.n != host.n && find(name, '.') == name.n)) {
        bz_diag_set(diag, 0, "write HOST:PORT; a host name, or *.NAME for the names below it");
        return BZ_ESYNTAX;
    }
    size_t p = find(rest, ':');
    if (!port_ok(bz_view_sub(rest, 0, p), &r.port)) {
        bz_diag_set(diag, n, "a port from 1 to 65535 stands behind the host: HOST:443");
        return BZ_ESYNTAX;
    }
    rest = bz_view_sub(rest, p + 1, rest.n);
    while (rest.n > 0) {
        size_t k = find(rest, ':');
        struct bz_view word = bz_view_sub(rest, 0, k);
        if (bz_view_eq(word, BZ_V("private")))
            r.private_ok = true;
        else if (!take_methods(word, &r.methods)) {
            bz_diag_set(
                diag, text.n - rest.n,
                "behind the port stand methods (CONNECT, GET, HEAD, POST, PUT, DELETE, joined "
                "by +) or private");
            return BZ_ESYNTAX;
        }
        rest = bz_view_sub(rest, k + 1, rest.n);
    }
    for (size_t i = 0; i < host.n; i++)
        r.host[i] = (char)(host.p[i] >= 'A' && host.p[i] <= 'Z' ? host.p[i] + 32 : host.p[i]);
    e->rule[e->n++] = r;
    return BZ_OK;
}

static bool host_fits(const char *rule, struct bz_view host) {
    struct bz_view r = bz_view_str(rule);
    if (host.n > 0 && host.p[host.n - 1] == '.') /* the same name, absolute */
        host.n--;
    if (r.p[0] != '*')
        return bz_view_eq_nocase(r, host);
    r = bz_view_sub(r, 1, r.n); /* ".example.org" */
    return host.n > r.n && bz_view_eq_nocase(bz_view_sub(host, host.n - r.n, r.n), r);
}

const struct bz_egress_rule *bz_egress_match(const struct bz_egress *e,
                                             const struct bz_egress_request *r,
                                             const char **ret_why) {
    const char *why = "no rule names this host";
    for (size_t i = 0; i < e->n; i++) {
        const struct bz_egress_rule *x = &e->rule[i];
        if (!host_fits(x->host, r->host))
            continue;
        if (x->port != r->port) {
            why = "no rule allows this port of the host";
            continue;
        }
        if ((x->methods & r->method) != 0)
            return x;
        why = "no rule allows this method there";
    }
    *ret_why = why;
    return NULL;
}

/* ---- request heads ---- */

/* "host[:port]" up to the end of v */
static bool take_authority(struct bz_view v, uint16_t port, struct bz_egress_request *r) {
    size_t n = find(v, ':');
    r->host = bz_view_sub(v, 0, n);
    r->port = port;
    if (n < v.n && !port_ok(bz_view_sub(v, n + 1, v.n), &r->port))
        return false;
    return host_ok(r->host) && r->port != 0;
}

static bool take_target(struct bz_view v, struct bz_egress_request *r) {
    struct bz_view scheme = BZ_V("http://");
    if (r->method == BZ_EGRESS_CONNECT)
        return find(v, ':') < v.n && take_authority(v, 0, r);
    if (v.n < scheme.n || !bz_view_eq_nocase(bz_view_sub(v, 0, scheme.n), scheme))
        return false;
    v = bz_view_sub(v, scheme.n, v.n);
    size_t n = find(v, '/');
    r->path = n < v.n ? bz_view_sub(v, n, v.n) : BZ_V("/");
    return take_authority(bz_view_sub(v, 0, n), 80, r);
}

static bool visible(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] <= 0x20 || v.p[i] >= 0x7f)
            return false;
    }
    return v.n > 0;
}

/* Fields are "Name: value" lines; no folding, no bare CR or LF, no control characters. */
static bool fields_ok(struct bz_view v) {
    while (v.n > 0) {
        size_t n = find(v, '\r');
        struct bz_view line = bz_view_sub(v, 0, n);
        size_t colon = find(line, ':');
        if (n + 1 >= v.n || v.p[n + 1] != '\n' || colon == line.n ||
            !visible(bz_view_sub(line, 0, colon)))
            return false;
        for (size_t i = 0; i < line.n; i++) {
            if ((line.p[i] < 0x20 && line.p[i] != '\t') || line.p[i] == 0x7f)
                return false;
        }
        v = bz_view_sub(v, n + 2, v.n);
    }
    return true;
}

static size_t end_of_head(struct bz_view v) {
    for (size_t i = 0; i + 3 < v.n; i++) {
        if (v.p[i] == '\r' && v.p[i + 1] == '\n' && v.p[i + 2] == '\r' && v.p[i + 3] == '\n')
            return i + 2;
    }
    return 0;
}

enum bz_status bz_egress_parse(struct bz_view in, struct bz_egress_request *ret, size_t *ret_used,
                               struct bz_diag *diag) {
    struct bz_egress_request r = {.method = 0};
    size_t end = end_of_head(bz_view_sub(in, 0, BZ_EGRESS_HEAD_MAX));
    if (end == 0)
        return in.n >= BZ_EGRESS_HEAD_MAX ? BZ_ETOOBIG : BZ_MORE;
    struct bz_view head = bz_view_sub(in, 0, end);
    size_t line_n = find(head, '\r');
    struct bz_view line = bz_view_sub(head, 0, line_n);
    size_t a = find(line, ' ');
    struct bz_view rest = bz_view_sub(line, a + 1, line.n);
    size_t b = find(rest, ' ');
    struct bz_view version = bz_view_sub(rest, b + 1, rest.n);
    r.method_text = bz_view_sub(line, 0, a);
    r.method = method_bit(r.method_text);
    r.fields = bz_view_sub(head, line_n + 2, head.n);
    if (!bz_view_eq(version, BZ_V("HTTP/1.1")) && !bz_view_eq(version, BZ_V("HTTP/1.0"))) {
        bz_diag_set(diag, 0, "this is no HTTP/1 request to a proxy");
        return BZ_ESYNTAX;
    }
    if (r.method == 0 || !visible(bz_view_sub(rest, 0, b)) ||
        !take_target(bz_view_sub(rest, 0, b), &r)) {
        bz_diag_set(diag, 0, "CONNECT host:port, or a method of a rule with http://host/path");
        return BZ_ESYNTAX;
    }
    if (!fields_ok(r.fields)) {
        bz_diag_set(diag, line_n, "a header field cannot be read");
        return BZ_ESYNTAX;
    }
    *ret = r;
    *ret_used = end + 2;
    return BZ_OK;
}

/* ---- TLS ---- */

/* RFC 6066, 3: list of (type, name); type 0 is a host name */
static enum bz_status take_name(struct bz_rd *r, struct bz_view *ret) {
    struct bz_rd list = bz_rd_sub(r, bz_rd_be16(r));
    uint8_t type = bz_rd_u8(&list);
    struct bz_view name = bz_rd_take(&list, bz_rd_be16(&list));
    if (!bz_rd_ok(&list) || type != 0 || !host_ok(name))
        return BZ_ESYNTAX;
    *ret = name;
    return BZ_OK;
}

static enum bz_status take_hello(struct bz_rd *r, struct bz_view *ret) {
    (void)bz_rd_take(r, 2 + 32);        /* version, random */
    (void)bz_rd_take(r, bz_rd_u8(r));   /* session */
    (void)bz_rd_take(r, bz_rd_be16(r)); /* cipher suites */
    (void)bz_rd_take(r, bz_rd_u8(r));   /* compression */
    struct bz_rd all = bz_rd_sub(r, bz_rd_be16(r));
    bool found = false;
    while (bz_rd_ok(&all) && all.n > 0) {
        uint16_t type = bz_rd_be16(&all);
        struct bz_rd body = bz_rd_sub(&all, bz_rd_be16(&all));
        if (!bz_rd_ok(&all) || (type == 0 && found))
            return BZ_ESYNTAX;
        if (type == 0) {
            BZ_TRY(take_name(&body, ret));
            found = true;
        }
    }
    return !bz_rd_ok(&all) ? BZ_ESYNTAX : found ? BZ_OK : BZ_ENOTFOUND;
}

/* One record holds the whole ClientHello of every client in use; one that is split is refused. */
enum bz_status bz_egress_sni(struct bz_view in, struct bz_view *ret) {
    enum { HANDSHAKE = 22, CLIENT_HELLO = 1, RECORD_HEAD = 5, MESSAGE_HEAD = 4 };
    struct bz_rd r;
    if (in.n < RECORD_HEAD)
        return in.n > 0 && in.p[0] != HANDSHAKE ? BZ_ESYNTAX : BZ_MORE;
    size_t record = (size_t)in.p[3] << 8 | in.p[4];
    if (in.p[0] != HANDSHAKE || in.p[1] != 3 || record > BZ_EGRESS_HELLO_MAX ||
        record < MESSAGE_HEAD)
        return BZ_ESYNTAX;
    if (in.n < RECORD_HEAD + record)
        return BZ_MORE;
    bz_rd_init(&r, bz_view_sub(in, RECORD_HEAD, record));
    uint8_t type = bz_rd_u8(&r);
    size_t len = (size_t)bz_rd_u8(&r) << 16;
    len |= bz_rd_be16(&r);
    if (type != CLIENT_HELLO || len != r.n)
        return BZ_ESYNTAX;
    return take_hello(&r, ret);
}

/* ---- addresses ---- */

struct block {
    uint8_t bytes[4];
    unsigned bits;
    bool private; /* a rule may allow it */
    const char *why;
};
/* IANA's special-purpose registry (RFC 6890 and later) */
static const struct block blocks[] = {
    {{0, 0, 0, 0}, 8, false, "an address of no host (0.0.0.0/8)"},
    {{169, 254, 0, 0}, 16, false, "link-local, where cloud metadata is (169.254.0.0/16)"},
    {{100, 100, 100, 200}, 32, false, "cloud metadata (100.100.100.200)"},
    {{168, 63, 129, 16}, 32, false, "cloud metadata (168.63.129.16)"},
    {{192, 0, 0, 192}, 32, false, "cloud metadata (192.0.0.192)"},
    {{127, 0, 0, 0}, 8, true, "loopback (127.0.0.0/8)"},
    {{10, 0, 0, 0}, 8, true, "a private network (10.0.0.0/8)"},
    {{172, 16, 0, 0}, 12, true, "a private network (172.16.0.0/12)"},
    {{192, 168, 0, 0}, 16, true, "a private network (192.168.0.0/16)"},
    {{100, 64, 0, 0}, 10, true, "a carrier's private network (100.64.0.0/10)"},
    {{192, 0, 0, 0}, 24, false, "reserved (192.0.0.0/24)"},
    {{192, 0, 2, 0}, 24, false, "documentation (192.0.2.0/24)"},
    {{198, 18, 0, 0}, 15, true, "a benchmark network (198.18.0.0/15)"},
    {{198, 51, 100, 0}, 24, false, "documentation (198.51.100.0/24)"},
    {{203, 0, 113, 0}, 24, false, "documentation (203.0.113.0/24)"},
    {{224, 0, 0, 0}, 4, false, "multicast (224.0.0.0/4)"},
    {{240, 0, 0, 0}, 4, false, "reserved (240.0.0.0/4)"},
};

static bool in_block(const uint8_t *a, const uint8_t *net, unsigned bits) {
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, net, whole) != 0)
        return false;
    return rest == 0 || (a[whole] >> (8 - rest)) == (net[whole] >> (8 - rest));
}

static const char *refuse_v4(const uint8_t *a, bool private_ok) {
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        if (in_block(a, blocks[i].bytes, blocks[i].bits))
            return blocks[i].private && private_ok ? NULL : blocks[i].why;
    }
    return NULL;
}

static const char *refuse_v6(const uint8_t *a, bool private_ok) {
    static const uint8_t zero[16] = {0}, nat64[12] = {0, 0x64, 0xff, 0x9b},
                         mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff},
                         aws[16] = {0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54};
    if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0)
        return refuse_v4(a + 12, private_ok);
    if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 carries one */
        return refuse_v4(a + 2, private_ok);
    if (memcmp(a, zero, 15) == 0)
        return a[15] == 1 && private_ok ? NULL : "loopback or no host (::/127)";
    if (memcmp(a, zero, 12) == 0)
        return refuse_v4(a + 12, private_ok);
    if (memcmp(a, aws, 16) == 0)
        return "cloud metadata (fd00:ec2::254)";
    if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80)
        return "link-local (fe80::/10)";
    if (a[0] == 0xff)
        return "multicast (ff00::/8)";
    if ((a[0] & 0xfe) == 0xfc)
        return private_ok ? NULL : "a private network (fc00::/7)";
    return (a[0] & 0xe0) == 0x20 ? NULL : "not a public address";
}

const char *bz_egress_address(const uint8_t *address, size_t n, bool private_ok) {
    if (n == 4)
        return refuse_v4(address, private_ok);
    if (n == 16)
        return refuse_v6(address, private_ok);
    return "no internet address";
}
