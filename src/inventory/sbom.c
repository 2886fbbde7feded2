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

/* What validators take for an IRI: a scheme that we know, and nothing but plain characters. */
bool bz_sbom_is_url(struct bz_view v) {
    bool known = bz_view_starts(v, BZ_V("https://")) || bz_view_starts(v, BZ_V("http://")) ||
                 bz_view_starts(v, BZ_V("git+https://"));
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c) != NULL || (c == '%' && i + 2 >= v.n))
            return false;
    }
    return known;
}

const char *bz_sbom_missing(const struct bz_component *m) {
    const struct {
        const char *name;
        bool there;
    } fields[] = {
        {"name", m->name.n > 0},
        {"version", m->version.n > 0},
        {"supplier", m->supplier.n > 0},
        {"licence", bz_licence_is_expression(m->licence)},
        {"source", bz_sbom_is_url(m->origin)},
        {"released", m->released.n > 0},
        {"hash", m->has_sha256 || (m->files != NULL && m->files->has_sha256)},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (!fields[i].there)
            return fields[i].name;
    }
    return NULL;
}

void bz_sbom_write(const struct bz_inventory *inv, enum bz_sbom_format f,
                   const struct bz_sbom_head *head, struct bz_buf *out) {
    if (f == BZ_SBOM_SPDX_3)
        bz_sbom_spdx(inv, head, out);
    else
        bz_sbom_cyclonedx(inv, f == BZ_SBOM_CYCLONEDX_1_7 ? "1.7" : "1.6", head, out);
    bz_buf_putc(out, '\n');
}
