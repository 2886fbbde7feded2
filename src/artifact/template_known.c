/* The normal form of a template, and the ones that are known. */
#include "template.h"

#include "template_hashes.h"

static bool is_blank(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

void bz_template_digest(struct bz_view text, uint8_t ret[BZ_HASH_LEN]) {
    struct bz_sha256 sha;
    bz_sha256_init(&sha);
    if (bz_view_starts(text, BZ_V("\xef\xbb\xbf")))
        text = bz_view_sub(text, 3, text.n);
    while (text.n > 0 && is_blank(text.p[0]))
        text = bz_view_sub(text, 1, text.n);
    while (text.n > 0 && is_blank(text.p[text.n - 1]))
        text.n--;
    while (text.n > 0) {
        const uint8_t *p = memchr(text.p, '\r', text.n);
        size_t n = p == NULL ? text.n : (size_t)(p - text.p);
        bz_sha256_add(&sha, bz_view_sub(text, 0, n));
        if (p != NULL)
            bz_sha256_add(&sha, BZ_V("\n"));
        n += p != NULL;
        n += p != NULL && n < text.n && text.p[n] == '\n';
        text = bz_view_sub(text, n, text.n);
    }
    bz_sha256_end(&sha, ret);
}

const char *bz_template_known(const uint8_t digest[BZ_HASH_LEN]) {
    size_t lo = 0, hi = sizeof known_templates / sizeof known_templates[0];
    uint8_t mem[2 * BZ_HASH_LEN];
    struct bz_buf hex;
    bz_buf_init_fixed(&hex, mem, sizeof mem);
    bz_buf_put_hex(&hex, bz_view(digest, BZ_HASH_LEN));
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = memcmp(known_templates[mid].hex, mem, sizeof mem);
        if (c == 0)
            return known_templates[mid].name;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}
