/* What may leave a cage: an allow-list of hosts, ports and methods, and the proxy that keeps to it. The proxy runs outside
 * of the cage, is its only way out, and logs each request with the reason of its decision. */
#ifndef BARTIZAN_EGRESS_H
#define BARTIZAN_EGRESS_H

#include <bartizan/buf.h>

enum { BZ_EGRESS_RULES_MAX = 64, BZ_EGRESS_HEAD_MAX = 8192, BZ_EGRESS_HELLO_MAX = 16384 };

enum { /* methods, bits; CONNECT means TLS through the proxy */
       BZ_EGRESS_CONNECT = 1,
       BZ_EGRESS_GET = 2,
       BZ_EGRESS_HEAD = 4,
       BZ_EGRESS_POST = 8,
       BZ_EGRESS_PUT = 16,
       BZ_EGRESS_DELETE = 32,
};
struct bz_egress_rule {
    char host[254]; /* lower case; "*.example.org": any name below it */
    uint16_t port;
    unsigned methods;
    bool private_ok; /* addresses of private networks and loopback too */
};
struct bz_egress {
    struct bz_egress_rule rule[BZ_EGRESS_RULES_MAX];
    size_t n;
};
/* "HOST:PORT[:METHODS][:private]", methods joined by '+', CONNECT by default: "models.example.org:443",
 * "mirror.local:80:GET+HEAD:private". ESYNTAX with diag->why; ELIMIT. */
enum bz_status bz_egress_add(struct bz_egress *e, struct bz_view text,
                             struct bz_diag *diag) BZ_MUST_USE;

/* One request head: "CONNECT host:port HTTP/1.1" or "GET http://host[:port]/path HTTP/1.1" with its fields. */
struct bz_egress_request {
    unsigned method;                        /* one bit */
    struct bz_view method_text, host, path; /* lent from the head */
    uint16_t port;
    struct bz_view fields; /* behind the request line, CRLF at the end of each */
};
/* MORE: no end of head yet; ESYNTAX, ETOOBIG. ret_used: bytes of the head. */
enum bz_status bz_egress_parse(struct bz_view in, struct bz_egress_request *ret, size_t *ret_used,
                               struct bz_diag *diag) BZ_MUST_USE;
/* The rule that lets it pass; NULL: *ret_why says which part of it no rule has. */
const struct bz_egress_rule *
bz_egress_match(const struct bz_egress *e, const struct bz_egress_request *r, const char **ret_why);
/* The server name of a TLS ClientHello. MORE; ESYNTAX: it is none; ENOTFOUND: it names no server. */
enum bz_status bz_egress_sni(struct bz_view in, struct bz_view *ret) BZ_MUST_USE;
/* NULL: this address may be connected to. Otherwise why not: loopback, private, link-local, metadata, multicast,
 * unspecified, reserved; of IPv6 also those that carry such an IPv4 address. bytes: 4 or 16. */
const char *bz_egress_address(const uint8_t *address, size_t n, bool private_ok);

/* The proxy. Connections come through `fd` as descriptors (or, with listen_fd, are accepted there); it ends with fd. Each
 * request is one line of JSON to log_fd. */
struct bz_egress_run {
    const struct bz_egress *rules;
    int fd, log_fd;
    const char *name; /* of the cage, for the log */
    /* NULL: the log is all. Otherwise puts an object (one line, "phase": "begin" before anything is connected, "end") where
     * it is durable; what cannot be recorded is refused. Called in a process of its own for each request. */
    bool (*record)(void *ctx, struct bz_view json);
    void *ctx;
};
void bz_egress_serve(const struct bz_egress_run *r);

#endif
