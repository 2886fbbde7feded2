/* Package URLs. Source: github.com/package-url/purl-spec, PURL-SPECIFICATION and the types deb, pypi,
 * npm, conda, huggingface. */
#include "inventory_int.h"

static void escaped(struct bz_buf *out, struct bz_view v, bool lower) {
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (lower && c >= 'A' && c <= 'Z')
            c = (uint8_t)(c | 0x20);
        if (letter || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == '~' ||
            c == ':') {
            bz_buf_putc(out, c);
            continue;
        }
        bz_buf_putc(out, '%');
        bz_buf_putc(out, (uint8_t)hex[c >> 4]);
        bz_buf_putc(out, (uint8_t)hex[c & 15]);
    }
}

/* pypi: lower case, "_" as "-" */
static void pypi_name(struct bz_buf *out, struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        struct bz_view one = bz_view_sub(v, i, 1);
        escaped(out, v.p[i] == '_' ? BZ_V("-") : one, true);
    }
}

/* "@scope/name" */
static void npm_name(struct bz_buf *out, struct bz_view v) {
    const uint8_t *slash = v.n > 0 && v.p[0] == '@' ? memchr(v.p, '/', v.n) : NULL;
    if (slash != NULL) {
        escaped(out, bz_view(v.p, (size_t)(slash - v.p)), false);
        bz_buf_putc(out, '/');
        v = bz_view_sub(v, (size_t)(slash - v.p) + 1, v.n);
    }
    escaped(out, v, false);
}

static void version_of(struct bz_buf *out, const struct bz_component *c) {
    if (c->version.n == 0)
        return;
    bz_buf_putc(out, '@');
    escaped(out, c->version, false);
}

static void deb(struct bz_buf *out, const struct bz_component *c) {
    const uint8_t *dash = c->distro.n == 0 ? NULL : memchr(c->distro.p, '-', c->distro.n);
    struct bz_view vendor =
        bz_view_sub(c->distro, 0, dash == NULL ? c->distro.n : (size_t)(dash - c->distro.p));
    escaped(out, vendor.n > 0 ? vendor : BZ_V("debian"), true);
    bz_buf_putc(out, '/');
    escaped(out, c->name, true);
    version_of(out, c);
    if (c->arch.n > 0) {
        bz_buf_puts(out, "?arch=");
        escaped(out, c->arch, false);
    }
    if (c->distro.n > 0) {
        bz_buf_puts(out, c->arch.n > 0 ? "&distro=" : "?distro=");
        escaped(out, c->distro, false);
    }
}

bool bz_component_purl(const struct bz_component *c, struct bz_buf *out) {
    switch (c->kind) {
    case BZ_COMPONENT_DEB:
        bz_buf_puts(out, "pkg:deb/");
        deb(out, c);
        return true;
    case BZ_COMPONENT_PYPI:
        bz_buf_puts(out, "pkg:pypi/");
        pypi_name(out, c->name);
        version_of(out, c);
        return true;
    case BZ_COMPONENT_NPM:
        bz_buf_puts(out, "pkg:npm/");
        npm_name(out, c->name);
        version_of(out, c);
        return true;
    case BZ_COMPONENT_CONDA:
        bz_buf_puts(out, "pkg:conda/");
        escaped(out, c->name, true);
        version_of(out, c);
        return true;
    case BZ_COMPONENT_SERVER:
    case BZ_COMPONENT_DRIVER:
    case BZ_COMPONENT_LIBRARY:
    case BZ_COMPONENT_MODEL:
    case BZ_COMPONENT_KIND_COUNT:
        return false;
    }
    return false;
}
