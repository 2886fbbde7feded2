/* The instance's private certificate authority: ECDSA P-256 by OpenSSL. The CA is limited to the
 * names it was made for (RFC 5280 name constraints), so a stolen ca.key cannot vouch for other
 * hosts to a client that trusts ca.pem. */
#ifndef BZ_CA_H
#define BZ_CA_H

#include <time.h>
#include <bartizan/buf.h>

#define BZ_CA_DAYS 3650
#define BZ_LEAF_DAYS 396 /* CA/Browser Forum limit is 398; with the hour of clock slack below 397 */
#define BZ_LEAF_RENEW_DAYS 30

/* Names of the server: DNS names and IP addresses as text ("localhost", "127.0.0.1", "::1"),
 * without port or brackets. */
struct bz_ca_names {
    const char *const *list;
    size_t n;
};

/* A new CA. `id` (hex) tells instances apart in a trust store. Outputs PEM. EINVAL: a name that is
 * neither. */
enum bz_status bz_ca_make(const char *id, const struct bz_ca_names *names, time_t now,
                          struct bz_buf *ret_cert, struct bz_buf *ret_key) BZ_MUST_USE;
/* A server certificate by that CA; ret_cert holds the leaf and the CA. ESYNTAX: the CA cannot be
 * read. */
enum bz_status bz_ca_issue(struct bz_view ca_cert, struct bz_view ca_key,
                           const struct bz_ca_names *names, time_t now, struct bz_buf *ret_cert,
                           struct bz_buf *ret_key) BZ_MUST_USE;

struct bz_cert_facts {
    int64_t days_left;
    bool by_ca;     /* signed by the CA that was given */
    bool has_names; /* every name of the list stands in it */
};
/* ca_cert may be empty. ESYNTAX: no certificate. */
enum bz_status bz_cert_look(struct bz_view cert, struct bz_view ca_cert,
                            const struct bz_ca_names *names, time_t now,
                            struct bz_cert_facts *ret) BZ_MUST_USE;
/* May the CA issue for this name (its name constraints)? */
bool bz_ca_permits(struct bz_view ca_cert, const char *name);

#endif
