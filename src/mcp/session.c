/* Session ids that clients hold: sealed to whose they are, so no table of sessions is needed. */
#include <bartizan/mcp.h>
#include <bartizan/rd.h>
#include <bartizan/text.h>

enum { HEAD = 9, PLAIN_MAX = HEAD + BZ_MCP_SESSION_MAX, SEALED_MAX = PLAIN_MAX + BZ_SEAL_EXTRA };
_Static_assert((SEALED_MAX + 2) / 3 * 4 <= BZ_MCP_SESSION_TEXT, "room for the longest");

/* "only visible ASCII characters", which is also what a header can carry */
static bool visible(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= 0x20 || v.p[i] >= 0x7f)
            return false;
    return true;
}

static void put_text(struct bz_buf *out, struct bz_view v) {
    size_t from = out->n;
    bz_buf_put_b64(out, v);
    while (out->n > from && out->p[out->n - 1] == '=')
        out->n--;
    for (size_t i = from; i < out->n; i++)
        out->p[i] = out->p[i] == '+' ? '-' : out->p[i] == '/' ? '_' : out->p[i];
}

enum bz_status bz_mcp_session_seal(const uint8_t key[BZ_KEY_LEN], struct bz_view whose,
                                   const struct bz_mcp_session *s, struct bz_buf *out) {
    uint8_t plain[PLAIN_MAX], sealed[SEALED_MAX];
    struct bz_buf b;
    if (s->upstream.n > BZ_MCP_SESSION_MAX)
        return BZ_ETOOBIG;
    if (!visible(s->upstream) || (unsigned)s->version >= BZ_MCP_VERSION_COUNT)
        return BZ_EINVAL;
    bz_buf_init_fixed(&b, plain, sizeof plain);
    bz_buf_putc(&b, (uint8_t)s->version);
    bz_buf_put_le64(&b, s->issued);
    bz_buf_put(&b, s->upstream);
    BZ_TRY(bz_buf_status(&b));
    BZ_TRY(bz_seal(key, whose, bz_buf_view(&b), sealed));
    put_text(out, bz_view(sealed, b.n + BZ_SEAL_EXTRA));
    return bz_buf_status(out);
}

/* One spelling per session: no padding, one alphabet. */
static bool plain_text(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_';
        if (!good)
            return false;
    }
    return true;
}

enum bz_status bz_mcp_session_open(const uint8_t key[BZ_KEY_LEN], struct bz_view whose,
                                   struct bz_view text, uint64_t now,
                                   uint8_t mem[BZ_MCP_SESSION_MAX], struct bz_mcp_session *ret) {
    uint8_t sealed[SEALED_MAX], plain[PLAIN_MAX];
    size_t n = 0;
    struct bz_rd r;
    if (text.n > BZ_MCP_SESSION_TEXT || !plain_text(text) ||
        bz_b64_decode(text, sealed, sizeof sealed, &n) != BZ_OK || n < BZ_SEAL_EXTRA + HEAD ||
        bz_unseal(key, whose, bz_view(sealed, n), plain) != BZ_OK)
        return BZ_ECORRUPT;
    bz_rd_init(&r, bz_view(plain, n - BZ_SEAL_EXTRA));
    unsigned version = bz_rd_u8(&r);
    uint64_t issued = bz_rd_le64(&r);
    struct bz_view upstream = bz_rd_take(&r, r.n);
    if (bz_rd_end(&r) != BZ_OK || version >= BZ_MCP_VERSION_COUNT ||
        upstream.n > BZ_MCP_SESSION_MAX)
        return BZ_ECORRUPT;
    if (now > issued && now - issued > BZ_MCP_SESSION_S)
        return BZ_EEXPIRED;
    if (upstream.n > 0)
        memcpy(mem, upstream.p, upstream.n);
    *ret = (struct bz_mcp_session){.version = (enum bz_mcp_version)version,
                                   .issued = issued,
                                   .upstream = bz_view(mem, upstream.n)};
    return BZ_OK;
}
