/* What both kinds of bills of materials share. */
#include "sbom_int.h"

bool bz_sbom_format_find(struct bz_view name, enum bz_sbom_format *ret) {
    static const char *const names[BZ_SBOM_FORMAT_COUNT] = {
        [BZ_SBOM_CYCLONEDX_1_6] = "cyclonedx-1.6",
        [BZ_SBOM_CYCLONEDX_1_7] = "cyclonedx-1.7",
        [BZ_SBOM_SPDX_3] = "spdx-3",
    };
    for (unsigned f = 0; f < BZ_SBOM_FORMAT_COUNT; f++) {
        if (bz_view_eq(name, bz_view_str(names[f]))) {
            *ret = (enum bz_sbom_format)f;
            return true;
        }
    }
    return false;
}

/* RFC 9562, 5.4: version 4 */
void bz_sbom_uuid(const uint8_t random[16], struct bz_buf *out) {
    uint8_t b[16];
    memcpy(b, random, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof b; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            bz_buf_putc(out, '-');
        bz_buf_put_hex(out, bz_view(b + i, 1));
    }
}

void bz_sbom_time(uint64_t now, struct bz_buf *out) {
    char text[32];
    struct bz_buf b;
    bz_buf_init_fixed(&b, text, sizeof text);
    bz_buf_put_time(&b, now * 1000000000u);
    bz_buf_put(out, bz_view_sub(bz_buf_view(&b), 0, 19)); /* whole seconds */
    bz_buf_putc(out, 'Z');
}

/* ---- what may stand in a document ---- */

static bool hex(uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Unreserved and sub-delimiters, what `more` names, and escapes of two hex digits. */
static bool made_of(struct bz_view v, const char *more) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c != 0 && (strchr("-._~!$&'()*+,;=", c) != NULL || strchr(more, c) != NULL));
        bool escape = c == '%' && i + 2 < v.n && hex(v.p[i + 1]) && hex(v.p[i + 2]);
        if (!plain && !escape)
            return false;
    }
    return true;
}

static struct bz_view before(struct bz_view v, const char *ends) {
    size_t n = 0;
    while (n < v.n && (v.p[n] == 0 || strchr(ends, v.p[n]) == NULL))
        n++;
    return bz_view_sub(v, 0, n);
}

static bool port_ok(struct bz_view v) {
    uint64_t port = 0;
    return v.n == 0 || (v.n > 1 && v.p[0] == ':' &&
                        bz_view_u64(bz_view_sub(v, 1, v.n), &port) == BZ_OK && port <= UINT16_MAX);
}

/* host [":" port]; a user's name or password is nobody's business in a document that is passed on. */
static bool authority_ok(struct bz_view v) {
    struct bz_view host = before(v, v.n > 0 && v.p[0] == '[' ? "]" : ":");
    if (v.n > 0 && v.p[0] == '[') {
        for (size_t i = 1; i < host.n; i++) {
            if (!hex(host.p[i]) && host.p[i] != ':' && host.p[i] != '.')
                return false;
        }
        return host.n > 2 && host.n < v.n && port_ok(bz_view_sub(v, host.n + 1, v.n));
    }
    return host.n > 0 && made_of(host, "") && port_ok(bz_view_sub(v, host.n, v.n));
}

/* Source: RFC 3986, appendix A. */
bool bz_sbom_is_url(struct bz_view v) {
    static const char *const schemes[] = {"https://", "http://", "git+https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        struct bz_view scheme = bz_view_str(schemes[i]);
        if (!bz_view_starts(v, scheme))
            continue;
        struct bz_view rest = bz_view_sub(v, scheme.n, v.n), host = before(rest, "/?#");
        rest = bz_view_sub(rest, host.n, rest.n);
        struct bz_view path = before(rest, "#");
        return authority_ok(host) && made_of(path, "/?:@") &&
               made_of(bz_view_sub(rest, path.n + 1, rest.n), "/?:@");
    }
    return false;
}

/* "2026-01-31T00:00:00Z": the only form that SPDX takes. */
bool bz_sbom_is_time(struct bz_view v) {
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
    static const struct {
        uint8_t at, least, most;
    } parts[] = {{5, 1, 12}, {8, 1, 31}, {11, 0, 23}, {14, 0, 59}, {17, 0, 60}};
    if (v.n != sizeof shape - 1)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        bool digit = v.p[i] >= '0' && v.p[i] <= '9';
        if (shape[i] == 'd' ? !digit : v.p[i] != (uint8_t)shape[i])
            return false;
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int n = (v.p[parts[i].at] - '0') * 10 + (v.p[parts[i].at + 1] - '0');
        if (n < parts[i].least || n > parts[i].most)
            return false;
    }
    return true;
}

/* ---- what a model must say ---- */

static const struct {
    const char *name, *option;
} fields[BZ_SBOM_FIELD_COUNT] = {
    [BZ_SBOM_NAME] = {"name", "--name TEXT"},
    [BZ_SBOM_VERSION] = {"version", "--version TEXT"},
    [BZ_SBOM_SUPPLIER] = {"supplier", "--supplier TEXT"},
    [BZ_SBOM_LICENCE] = {"licence", "--licence SPDX"},
    [BZ_SBOM_SOURCE] = {"source", "--source URL"},
    [BZ_SBOM_RELEASED] = {"released", "--released TIME"},
    [BZ_SBOM_HASH] = {"hash", NULL},
};

const char *bz_sbom_field_name(enum bz_sbom_field f) {
    return (unsigned)f < BZ_SBOM_FIELD_COUNT ? fields[f].name : "unknown";
}

const char *bz_sbom_field_option(enum bz_sbom_field f) {
    return (unsigned)f < BZ_SBOM_FIELD_COUNT ? fields[f].option : NULL;
}

bool bz_sbom_field_find(struct bz_view name, enum bz_sbom_field *ret) {
    for (unsigned f = 0; f < BZ_SBOM_FIELD_COUNT; f++) {
        if (bz_view_eq(name, bz_view_str(fields[f].name))) {
            *ret = (enum bz_sbom_field)f;
            return true;
        }
    }
    return false;
}

uint32_t bz_sbom_missing(const struct bz_component *m) {
    const bool there[BZ_SBOM_FIELD_COUNT] = {
        [BZ_SBOM_NAME] = m->name.n > 0,
        [BZ_SBOM_VERSION] = m->version.n > 0,
        [BZ_SBOM_SUPPLIER] = m->supplier.n > 0,
        [BZ_SBOM_LICENCE] = bz_licence_is_expression(m->licence),
        [BZ_SBOM_SOURCE] = bz_sbom_is_url(m->origin),
        [BZ_SBOM_RELEASED] = bz_sbom_is_time(m->released),
        [BZ_SBOM_HASH] = m->has_sha256 || (m->files != NULL && m->files->has_sha256),
    };
    uint32_t missing = 0;
    for (unsigned f = 0; f < BZ_SBOM_FIELD_COUNT; f++)
        missing |= there[f] ? 0 : 1u << f;
    return missing;
}

void bz_sbom_write(const struct bz_inventory *inv, enum bz_sbom_format f,
                   const struct bz_sbom_head *head, struct bz_buf *out) {
    if (f == BZ_SBOM_SPDX_3)
        bz_sbom_spdx(inv, head, out);
    else
        bz_sbom_cyclonedx(inv, f == BZ_SBOM_CYCLONEDX_1_7 ? "1.7" : "1.6", head, out);
    bz_buf_putc(out, '\n');
}
