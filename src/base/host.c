/* Names of hosts. What two programs could read differently has no form: no users, no backslashes, nothing
 * beside ASCII. */
#include <bartizan/host.h>

enum { HOST_MAX = 253, LABEL_MAX = 63 };

static bool is_digit(uint8_t b) {
    return b >= '0' && b <= '9';
}

static bool is_alnum(uint8_t b) {
    return is_digit(b) || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
}

static bool is_hex(uint8_t b) {
    return is_digit(b) || (b >= 'a' && b <= 'f') || (b >= 'A' && b <= 'F');
}

static bool port_ok(struct bz_view v) {
    uint64_t n = 0;
    return v.n >= 1 && v.n <= 5 && bz_view_u64(v, &n) == BZ_OK && n >= 1 && n <= 65535;
}

/* Labels of letters, digits, '-' and '_'. */
static bool name_ok(struct bz_view v) {
    size_t label = 0;
    if (v.n == 0 || v.n > HOST_MAX)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t b = v.p[i];
        if (b == '.') {
            if (label == 0 || v.p[i - 1] == '-')
                return false;
            label = 0;
            continue;
        }
        if (!(is_alnum(b) || b == '_' || (b == '-' && label > 0)) || ++label > LABEL_MAX)
            return false;
    }
    return label > 0 && v.p[v.n - 1] != '-';
}

static bool ipv6_ok(struct bz_view v) { /* with its brackets */
    if (v.n < 4 || v.n > 48)
        return false;
    for (size_t i = 1; i + 1 < v.n; i++)
        if (!is_hex(v.p[i]) && v.p[i] != ':' && v.p[i] != '.')
            return false;
    return true;
}

bool bz_host_split(struct bz_view text, struct bz_view *ret_host, struct bz_view *ret_port) {
    struct bz_view host = text, port = {NULL, 0};
    size_t end = 0;
    if (text.n > 0 && text.p[0] == '[') {
        const uint8_t *close = memchr(text.p, ']', text.n);
        if (close == NULL)
            return false;
        end = (size_t)(close - text.p) + 1;
        host = bz_view_sub(text, 0, end);
        if (!ipv6_ok(host))
            return false;
    } else {
        const uint8_t *colon = text.n > 0 ? memchr(text.p, ':', text.n) : NULL;
        end = colon == NULL ? text.n : (size_t)(colon - text.p);
        host = bz_view_sub(text, 0, end);
        if (!name_ok(host))
            return false;
    }
    if (end < text.n) {
        port = bz_view_sub(text, end + 1, text.n);
        if (text.p[end] != ':' || !port_ok(port))
            return false;
    }
    *ret_host = host;
    *ret_port = port;
    return true;
}

bool bz_host_fits(struct bz_view entry, struct bz_view host, struct bz_view port) {
    bool below = bz_view_starts(entry, BZ_V("*."));
    struct bz_view name, number;
    if (!bz_host_split(bz_view_sub(entry, below ? 2 : 0, entry.n), &name, &number))
        return false;
    if (number.n > 0 && !bz_view_eq(number, port))
        return false;
    if (!below)
        return bz_view_eq_nocase(name, host);
    return host.n > name.n + 1 && host.p[host.n - name.n - 1] == '.' &&
           bz_view_eq_nocase(bz_view_sub(host, host.n - name.n, name.n), name);
}

bool bz_host_entry_ok(struct bz_view entry) {
    struct bz_view name, port;
    size_t skip = bz_view_starts(entry, BZ_V("*.")) ? 2 : 0;
    struct bz_view rest = bz_view_sub(entry, skip, entry.n);
    return bz_host_split(rest, &name, &port) && (skip == 0 || name.p[0] != '[');
}
