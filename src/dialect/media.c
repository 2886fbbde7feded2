/* Inline media: what a file says it is by its first bytes, and how many pixels a decoder would have
 * to hold, read from the base64 text without decoding all of it. A decoder behind a model server is
 * an old friend of attackers (vLLM CVE-2026-22778: JPEG 2000), so only PNG, JPEG, GIF and WebP
 * pass. */
#include "params.h"

struct media {
    struct bz_view b64;
    size_t n; /* bytes it decodes to */
};

static int sextet(uint8_t c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decoded byte at i; 0 beyond the end. */
static unsigned byte_at(const struct media *m, size_t i) {
    if (i >= m->n)
        return 0;
    const uint8_t *q = m->b64.p + i / 3 * 4;
    unsigned a = (unsigned)sextet(q[i % 3]), b = (unsigned)sextet(q[i % 3 + 1]);
    switch (i % 3) {
    case 0:
        return (a << 2 | b >> 4) & 0xff;
    case 1:
        return (a << 4 | b >> 2) & 0xff;
    default:
        return (a << 6 | b) & 0xff;
    }
}

static unsigned be16(const struct media *m, size_t i) {
    return byte_at(m, i) << 8 | byte_at(m, i + 1);
}
static unsigned le16(const struct media *m, size_t i) {
    return byte_at(m, i + 1) << 8 | byte_at(m, i);
}
static uint64_t be32(const struct media *m, size_t i) {
    return (uint64_t)be16(m, i) << 16 | be16(m, i + 2);
}

static bool has(const struct media *m, size_t at, const char *magic, size_t n) {
    if (m->n < n || at > m->n - n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (byte_at(m, at + i) != (uint8_t)magic[i])
            return false;
    }
    return true;
}

/* Standard alphabet, padded, nothing else: no blanks, no URL alphabet. */
static bool strict_base64(struct bz_view v, size_t *ret_n) {
    size_t pad = 0;
    if (v.n == 0 || v.n % 4 != 0)
        return false;
    while (pad < 2 && v.p[v.n - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < v.n - pad; i++) {
        if (sextet(v.p[i]) < 0)
            return false;
    }
    *ret_n = v.n / 4 * 3 - pad;
    return true;
}

static const char *size_why_not(uint64_t w, uint64_t h) {
    if (w == 0 || h == 0 || w > PARAM_SIDE_MAX || h > PARAM_SIDE_MAX || w * h > PARAM_PIXELS_MAX)
        return "image has too many pixels, or none";
    return NULL;
}

/* ISO 10918-1 B.1.1: markers up to the frame header, which carries height and width. */
static const char *jpeg_why_not(const struct media *m) {
    size_t i = 2;
    while (i + 9 <= m->n) {
        unsigned marker = byte_at(m, i + 1);
        if (byte_at(m, i) != 0xff)
            break;
        if (marker == 0xff) { /* fill byte */
            i++;
            continue;
        }
        bool frame =
            marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (frame)
            return size_why_not(be16(m, i + 7), be16(m, i + 5));
        if (marker == 0xda || marker == 0xd9)
            break;
        unsigned len = be16(m, i + 2);
        if (len < 2)
            break;
        i += 2 + (size_t)len;
    }
    return "not a well-formed JPEG";
}

/* RFC 9649: VP8 (lossy), VP8L (lossless) or VP8X (extended) comes first. */
static const char *webp_why_not(const struct media *m) {
    if (has(m, 12, "VP8X", 4)) {
        uint64_t w = 1 + (byte_at(m, 24) | byte_at(m, 25) << 8 | byte_at(m, 26) << 16);
        uint64_t h = 1 + (byte_at(m, 27) | byte_at(m, 28) << 8 | byte_at(m, 29) << 16);
        return m->n < 30 ? "not a well-formed WebP" : size_why_not(w, h);
    }
    if (has(m, 12, "VP8L", 4) && byte_at(m, 20) == 0x2f) {
        unsigned bits = le16(m, 21) | le16(m, 23) << 16;
        return size_why_not(1 + (bits & 0x3fff), 1 + (bits >> 14 & 0x3fff));
    }
    if (has(m, 12, "VP8 ", 4) && has(m, 23, "\x9d\x01\x2a", 3))
        return size_why_not(le16(m, 26) & 0x3fff, le16(m, 28) & 0x3fff);
    return "not a well-formed WebP";
}

static const char *image_why_not(const struct media *m) {
    if (has(m, 0, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16))
        return size_why_not(be32(m, 16), be32(m, 20));
    if (has(m, 0, "\xff\xd8\xff", 3))
        return jpeg_why_not(m);
    if (has(m, 0, "GIF87a", 6) || has(m, 0, "GIF89a", 6))
        return size_why_not(le16(m, 6), le16(m, 8));
    if (has(m, 0, "RIFF", 4) && has(m, 8, "WEBP", 4))
        return webp_why_not(m);
    return "only PNG, JPEG, GIF and WebP images pass";
}

static const char *audio_why_not(const struct media *m) {
    bool wav = has(m, 0, "RIFF", 4) && has(m, 8, "WAVE", 4);
    bool mp3 = has(m, 0, "ID3", 3) || (byte_at(m, 0) == 0xff && (byte_at(m, 1) & 0xe0) == 0xe0);
    return wav || mp3 ? NULL : "only WAV and MP3 audio passes";
}

const char *bz_media_why_not(struct bz_view b64, enum media_kind kind, uint64_t max_bytes) {
    struct media m = {b64, 0};
    if (b64.n / 4 > max_bytes / 3 + 1)
        return "media above the size limit of this role";
    if (!strict_base64(b64, &m.n))
        return "must be padded base64 text";
    if (m.n > max_bytes)
        return "media above the size limit of this role";
    switch (kind) {
    case MEDIA_IMAGE:
        return image_why_not(&m);
    case MEDIA_AUDIO:
        return audio_why_not(&m);
    case MEDIA_PDF:
        return has(&m, 0, "%PDF-", 5) ? NULL : "only PDF files pass";
    }
    return "unknown media";
}

/* "data:<one of types>;base64,<text>" */
static bool data_url(struct bz_view v, const char *types, struct bz_view *ret_b64) {
    if (!bz_view_starts(v, BZ_V("data:")))
        return false;
    const uint8_t *semi = memchr(v.p, ';', v.n < 64 ? v.n : 64);
    if (semi == NULL)
        return false;
    size_t at = (size_t)(semi - v.p);
    struct bz_view rest = bz_view_sub(v, at, v.n - at);
    if (!bz_param_word(types, bz_view_sub(v, 5, at - 5)) || !bz_view_starts(rest, BZ_V(";base64,")))
        return false;
    *ret_b64 = bz_view_sub(rest, 8, rest.n - 8);
    return true;
}

enum bz_status bz_check_data_url(struct check *c, const struct at *at, const struct param *p,
                                 struct bz_json *v) {
    (void)p;
    struct bz_view b64;
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (!bz_json_is(v, BZ_JSON_STRING))
        return bz_param_fail(c, at, v, 400, "must be a string", NULL);
    if (!data_url(v->val, "image/png|image/jpeg|image/jpg|image/gif|image/webp", &b64))
        return bz_param_fail(c, at, v, 403,
                             "only inline images pass: the server would fetch any other address",
                             "send data:image/png;base64,... (png, jpeg, gif, webp)");
    const char *why = bz_media_why_not(b64, MEDIA_IMAGE, c->lim->max_media_bytes);
    return why == NULL ? BZ_OK : bz_param_fail(c, at, v, 400, why, NULL);
}

enum bz_status bz_check_base64_image(struct check *c, const struct at *at, const struct param *p,
                                     struct bz_json *v) {
    (void)p;
    const char *why = "must be a string";
    if (bz_json_is(v, BZ_JSON_STRING))
        why = bz_media_why_not(v->val, MEDIA_IMAGE, c->lim->max_media_bytes);
    return why == NULL ? BZ_OK : bz_param_fail(c, at, v, 400, why, NULL);
}

enum bz_status bz_check_file_data(struct check *c, const struct at *at, const struct param *p,
                                  struct bz_json *v) {
    (void)p;
    struct bz_view b64;
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (!bz_json_is(v, BZ_JSON_STRING))
        return bz_param_fail(c, at, v, 400, "must be a string", NULL);
    if (!data_url(v->val, "application/pdf", &b64))
        return bz_param_fail(c, at, v, 403, "only inline PDF files pass",
                             "send data:application/pdf;base64,... or the text itself");
    const char *why = bz_media_why_not(b64, MEDIA_PDF, c->lim->max_media_bytes);
    return why == NULL ? BZ_OK : bz_param_fail(c, at, v, 400, why, NULL);
}

/* Ollama: a list of bare base64 texts. */
enum bz_status bz_check_images(struct check *c, const struct at *at, const struct param *p,
                               struct bz_json *v) {
    if (v->type == BZ_JSON_NULL)
        return BZ_OK;
    if (!bz_json_is(v, BZ_JSON_ARRAY))
        return bz_param_fail(c, at, v, 400, "must be an array", NULL);
    if (v->count > 64)
        return bz_param_fail(c, at, v, 400, "too many items", NULL);
    struct at here = {at, {NULL, 0}, 0};
    for (struct bz_json *k = v->first; k != NULL; k = k->next, here.index++)
        BZ_TRY(bz_check_base64_image(c, &here, p, k));
    return BZ_OK;
}
