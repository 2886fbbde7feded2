/* Backend urls and numeric addresses. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <bartizan/policy.h>

enum { host_max = 253, socket_path_max = 107 /* sun_path */ };

static enum bz_status refuse(struct bz_diag *diag, const char *why) {
    bz_diag_set(diag, 0, why);
    return BZ_ESYNTAX;
}

static bool printable(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= 0x20 || v.p[i] >= 0x7f)
            return false;
    return true;
}

static bool is_ip(int family, struct bz_view v) {
    char text[INET6_ADDRSTRLEN];
    struct in6_addr out;
    if (v.n == 0 || v.n >= sizeof text)
        return false;
    memcpy(text, v.p, v.n);
    text[v.n] = '\0';
    return strlen(text) == v.n && inet_pton(family, text, &out) == 1;
}

static bool is_letter(uint8_t c) {
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Letters, digits, '-', '_' and '.': also keeps "@", "%", "\" and friends out of everything that is
 * made from it. */
static bool is_host_name(struct bz_view v) {
    if (v.n == 0 || v.n > host_max || v.p[0] == '-' || v.p[0] == '.')
        return false;
    size_t label = 0;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '.')
            label = i + 1;
        else if (!is_letter(v.p[i]) && !(v.p[i] >= '0' && v.p[i] <= '9') && v.p[i] != '-' &&
                 v.p[i] != '_')
            return false;
    }
    /* 0x7f.1 and 2130706433 are IP addresses in disguise to some resolvers: no numeric last
     * label. */
    return label < v.n && is_letter(v.p[label]);
}

static bool take_port(struct bz_view text, uint16_t *ret) {
    uint64_t port = 0;
    if (text.n > 5 || bz_view_u64(text, &port) != BZ_OK || port == 0 || port > UINT16_MAX)
        return false;
    *ret = (uint16_t)port;
    return true;
}

/* "host", "host:port", "[v6]", "[v6]:port": the port's text is empty when there is none. */
static bool split_authority(struct bz_view v, struct bz_view *ret_host, struct bz_view *ret_port,
                            bool *ret_v6) {
    const uint8_t *end = v.n == 0 ? NULL : memchr(v.p, v.p[0] == '[' ? ']' : ':', v.n);
    *ret_v6 = v.n > 0 && v.p[0] == '[';
    if (*ret_v6 && end == NULL)
        return false;
    size_t host_end = end == NULL ? v.n : (size_t)(end - v.p);
    *ret_host = bz_view_sub(v, *ret_v6, host_end - *ret_v6);
    struct bz_view rest = bz_view_sub(v, host_end + *ret_v6, v.n);
    *ret_port = bz_view_sub(rest, 1, rest.n);
    return rest.n == 0 || (rest.p[0] == ':' && rest.n > 1);
}

static enum bz_status parse_authority(struct bz_view v, struct bz_url *u, struct bz_diag *diag) {
    struct bz_view port;
    bool v6 = false;
    if (!split_authority(v, &u->host, &port, &v6))
        return refuse(diag, "the host and port are not well formed; write host:port");
    if (port.n > 0 && !take_port(port, &u->port))
        return refuse(diag, "the port must be a number from 1 to 65535");
    if (v6)
        u->numeric = is_ip(AF_INET6, u->host);
    else
        u->numeric = is_ip(AF_INET, u->host) || bz_view_eq_nocase(u->host, BZ_V("localhost"));
    if (!u->numeric && (v6 || !is_host_name(u->host)))
        return refuse(diag, "the host is neither an IP address nor a host name");
    return BZ_OK;
}

static bool socket_path_ok(struct bz_view path) {
    return path.n > 1 && path.n <= socket_path_max && path.p[0] == '/' && printable(path);
}

enum bz_status bz_url_parse(struct bz_view text, struct bz_url *ret, struct bz_diag *diag) {
    struct bz_url u = {.port = 80};
    if (!printable(text))
        return refuse(diag, "a url has no blanks or control characters");
    if (bz_view_starts(text, BZ_V("unix:"))) {
        u.unix_socket = true;
        u.numeric = true;
        u.path = bz_view_sub(text, 5, text.n);
        if (!socket_path_ok(u.path))
            return refuse(diag, "unix: needs an absolute path of at most 107 bytes");
        *ret = u;
        return BZ_OK;
    }
    struct bz_view rest;
    if (bz_view_starts(text, BZ_V("http://"))) {
        rest = bz_view_sub(text, 7, text.n);
    } else if (bz_view_starts(text, BZ_V("https://"))) {
        rest = bz_view_sub(text, 8, text.n);
        u.tls = true;
        u.port = 443;
    } else {
        return refuse(diag, "the url must start with http://, https:// or unix:/");
    }
    if (rest.n > 0 && rest.p[rest.n - 1] == '/')
        rest.n--;
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] == '/' || rest.p[i] == '?' || rest.p[i] == '#')
            return refuse(diag, "the url must end after host:port; paths come from the requests");
        if (rest.p[i] == '@')
            return refuse(diag, "a url carries no user or password; use key_file");
    }
    BZ_TRY(parse_authority(rest, &u, diag));
    *ret = u;
    return BZ_OK;
}

bool bz_address_valid(struct bz_view text) {
    if (bz_view_starts(text, BZ_V("unix:")))
        return socket_path_ok(bz_view_sub(text, 5, text.n));
    struct bz_view host, port;
    bool v6 = false;
    uint16_t number = 0;
    return split_authority(text, &host, &port, &v6) && take_port(port, &number) &&
           is_ip(v6 ? AF_INET6 : AF_INET, host);
}
