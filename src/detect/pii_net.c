/* Addresses of hosts and of their interfaces. */
#include "pii_int.h"

enum { V6_MAX = 45 };

/* Behind a word for a version four numbers are a version. */
static bool version(const struct scan *s, size_t start) {
    return pii_word(pii_at(s, start),
                    "version|v|ver|release|build|firmware|driver|rev|revision|section", 16);
}

/* One number of 0 to 255 without leading zeros at i; its end, or i. */
static size_t octet(const struct scan *s, size_t i, unsigned *ret) {
    size_t end = scan_run(s, i, SC_DIGIT, 4);
    unsigned v = 0;
    for (size_t k = i; k < end; k++)
        v = v * 10 + (unsigned)(s->p[k] - '0');
    if (end - i > 3 || v > 255 || (end - i > 1 && s->p[i] == '0'))
        return i;
    *ret = v;
    return end;
}

/* End of the IPv4 address at i, or i. */
static size_t v4_end(const struct scan *s, size_t i, uint8_t ip[4]) {
    size_t at = i;
    for (size_t k = 0; k < 4; k++) {
        unsigned v = 0;
        size_t end = octet(s, at, &v);
        if (end == at || (k < 3 && scan_at(s, end) != '.'))
            return i;
        ip[k] = (uint8_t)v;
        at = k < 3 ? end + 1 : end;
    }
    return at;
}

/* Ranges that name nobody: this host, documentation (RFC 5737), masks, multicast and above. */
static bool v4_nobody(const uint8_t ip[4]) {
    return ip[0] == 0 || ip[0] == 127 || ip[0] >= 224 ||
           (ip[0] == 192 && ip[1] == 0 && ip[2] == 2) ||
           (ip[0] == 198 && ip[1] == 51 && ip[2] == 100) ||
           (ip[0] == 203 && ip[1] == 0 && ip[2] == 113);
}

static void net_digits(struct scan *s, size_t i, size_t end) {
    uint8_t ip[4] = {0};
    if (end - i > 3 || scan_at(s, end) != '.' || !scan_tells(s, PII_IP_ADDRESS) || !pii_left(s, i))
        return;
    size_t to = v4_end(s, i, ip);
    uint8_t behind = scan_at(s, to);
    if (to == i || scan_is(behind, SC_ALNUM) || behind == '_' || version(s, i))
        return;
    struct pii_worth w = {PII_IP_ADDRESS, PII_FORM, v4_nobody(ip) ? PII_FORM : PII_CONTEXT};
    pii_emit(s, &w, i, to);
}

/* Colons in front of the group at i; 0: there are none that may stand there. */
static size_t colons(const struct scan *s, size_t i, size_t groups, bool gap) {
    bool twice = scan_at(s, i + 1) == ':';
    if (scan_at(s, i) != ':' || (twice && gap) || (!twice && groups == 0))
        return 0;
    return twice ? 2 : 1;
}

/* Every end that an IPv6 address from `start` may have; the longest is told. */
static void v6_from(struct scan *s, size_t start) {
    bool nobody = scan_lit(s, start, "2001:db8:", true); /* documentation, RFC 3849 */
    struct pii_worth w = {PII_IP_ADDRESS, PII_FORM, nobody ? PII_FORM : PII_CONTEXT};
    size_t i = start, digits = 0, decimal = 0;
    bool gap = false;
    for (size_t groups = 1; groups <= 8 && i - start < V6_MAX; groups++) {
        size_t n = colons(s, i, groups - 1, gap);
        if (n == 0 && groups > 1)
            return;
        gap = gap || n == 2;
        i += n;
        size_t end = scan_run(s, i, SC_HEX, 5);
        if (end == i || end - i > 4)
            return;
        uint8_t ip[4];
        size_t v4 = v4_end(s, i, ip);
        if (gap && v4 > end && !scan_is(scan_at(s, v4), SC_ALNUM))
            pii_emit(s, &w, start, v4);
        for (size_t k = i; k < end; k++)
            decimal += scan_is(s->p[k], SC_DIGIT);
        digits += end - i;
        i = end;
        bool whole = gap ? groups < 8 && groups > 1 && digits >= 4 : groups == 8;
        if (whole && decimal > 0 && !scan_is(scan_at(s, i), SC_ALNUM) && scan_at(s, i) != '_')
            pii_emit(s, &w, start, i);
    }
}

static void v6_hit(struct scan *s, size_t end) {
    size_t i = end;
    while (i > 0 && end - i <= V6_MAX && (scan_is(s->p[i - 1], SC_HEX) || s->p[i - 1] == ':'))
        i--;
    uint8_t before = scan_before(s, i);
    bool edge = !scan_is(before, SC_ALNUM) && before != '.' && before != '_';
    if (end - i <= V6_MAX && i >= s->from && edge)
        v6_from(s, i);
}

/* Groups of `digits` hexadecimal digits with the separator between them, all the text of an address
 * of six bytes: 00:1a:2b:3c:4d:5e, 001a.2b3c.4d5e. */
static void mac_from(struct scan *s, size_t start, size_t digits, uint8_t sep) {
    static const struct pii_worth w = {PII_MAC_ADDRESS, PII_FORM, PII_CONTEXT};
    size_t i = start;
    bool same = true; /* all zeros, all ones */
    for (size_t group = 0; group < 12 / digits; group++) {
        if (group > 0 && scan_at(s, i++) != sep)
            return;
        if (scan_run(s, i, SC_HEX, digits) != i + digits)
            return;
        for (size_t k = i; k < i + digits; k++)
            same = same && s->p[k] == s->p[start];
        i += digits;
    }
    uint8_t behind = scan_at(s, i);
    if (!same && !scan_is(behind, SC_ALNUM) && behind != ':' && behind != '-' && behind != '_')
        pii_emit(s, &w, start, i);
}

static void mac_hit(struct scan *s, size_t end, size_t digits, uint8_t sep) {
    size_t i = end;
    while (i > 0 && end - i <= V6_MAX && (scan_is(s->p[i - 1], SC_HEX) || s->p[i - 1] == sep))
        i--;
    uint8_t before = scan_before(s, i);
    if (end - i <= V6_MAX && i >= s->from && !scan_is(before, SC_ALNUM) &&
        (before == 0 || strchr(":-._", before) == NULL))
        mac_from(s, i, digits, sep);
}

static void net_hit(struct scan *s, unsigned rule, size_t end) {
    bool ip = scan_tells(s, PII_IP_ADDRESS), mac = scan_tells(s, PII_MAC_ADDRESS);
    if (ip && rule == 1)
        v6_hit(s, end);
    if (mac && rule == 1)
        mac_hit(s, end, 2, ':');
    if (mac && rule > 1)
        mac_hit(s, end, rule == 2 ? 2 : 4, rule == 2 ? '-' : '.');
}

/* The last run of hexadecimal digits and the marks of addresses. */
static size_t net_live(const struct scan *s, size_t from) {
    if (!scan_wants(s, PII_IP_ADDRESS) && !scan_wants(s, PII_MAC_ADDRESS))
        return s->n;
    size_t i = s->n;
    while (i > from && s->n - i <= V6_MAX &&
           (scan_is(s->p[i - 1], SC_HEX) || s->p[i - 1] == ':' || s->p[i - 1] == '.' ||
            s->p[i - 1] == '-'))
        i--;
    while (i < s->n && (!scan_edge(s, i) || s->p[i] == '.' || s->p[i] == '-'))
        i++;
    return i;
}

const struct pii_part pii_net = {.hit = net_hit, .live = net_live, .digits = net_digits};
