#include <bartizan/audit.h>
#include <bartizan/rd.h>
#include <bartizan/text.h>

/* C2SP signed-note and tlog-checkpoint. */
enum { ED25519 = 0x01, HASH = 4, LINES_MAX = 64, LINE_SIG_MAX = 8192 };
static const char dash[] = "\xe2\x80\x94 "; /* em dash, space */

static void key_hash(struct bz_view name, const uint8_t pub[BZ_SIGN_PUBLIC_LEN],
                     uint8_t out[HASH]) {
    static const uint8_t between[2] = {'\n', ED25519};
    struct bz_sha256 s;
    uint8_t full[BZ_HASH_LEN];
    bz_sha256_init(&s);
    bz_sha256_add(&s, name);
    bz_sha256_add(&s, bz_view(between, sizeof between));
    bz_sha256_add(&s, bz_view(pub, BZ_SIGN_PUBLIC_LEN));
    bz_sha256_end(&s, full);
    memcpy(out, full, HASH);
}

/* "MUST be non-empty and MUST NOT contain any Unicode spaces or plus": ours are plain ASCII names.
 */
static bool name_ok(struct bz_view name) {
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= 0x20 || name.p[i] >= 0x7f || name.p[i] == '+')
            return false;
    return name.n != 0;
}

void bz_checkpoint_sign(const struct bz_checkpoint *c, const uint8_t sec[BZ_SIGN_SECRET_LEN],
                        struct bz_buf *out) {
    if (!name_ok(c->origin) && out->st == BZ_OK)
        out->st = BZ_EINVAL;
    size_t from = out->n;
    bz_buf_put(out, c->origin);
    bz_buf_putc(out, '\n');
    bz_buf_put_u64(out, c->size);
    bz_buf_putc(out, '\n');
    bz_buf_put_b64(out, bz_view(c->root.b, BZ_HASH_LEN));
    bz_buf_putc(out, '\n');
    if (bz_buf_status(out) != BZ_OK)
        return;
    uint8_t sig[HASH + BZ_SIGN_LEN];
    /* libsodium's secret key ends in the public one */
    key_hash(c->origin, sec + BZ_SIGN_SECRET_LEN - BZ_SIGN_PUBLIC_LEN, sig);
    bz_sign(sec, bz_view(out->p + from, out->n - from), sig + HASH);
    bz_buf_putc(out, '\n');
    bz_buf_puts(out, dash);
    bz_buf_put(out, c->origin);
    bz_buf_putc(out, ' ');
    bz_buf_put_b64(out, bz_view(sig, sizeof sig));
    bz_buf_putc(out, '\n');
}

/* The next line without its line feed; false when there is none that ends in one. */
static bool line(struct bz_view *rest, struct bz_view *ret) {
    const uint8_t *nl = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
    if (nl == NULL)
        return false;
    size_t n = (size_t)(nl - rest->p);
    *ret = bz_view_sub(*rest, 0, n);
    *rest = bz_view_sub(*rest, n + 1, rest->n);
    return true;
}

/* Standard base64 with padding, of exactly n bytes, in its one canonical spelling: decoded and
 * written back. */
static bool b64_exact(struct bz_view in, uint8_t *out, size_t n) {
    uint8_t text[128];
    uint8_t bytes[96];
    size_t got = 0;
    if (in.n > sizeof text || bz_b64_decode(in, bytes, sizeof bytes, &got) != BZ_OK || got != n)
        return false;
    struct bz_buf b;
    bz_buf_init_fixed(&b, text, sizeof text);
    bz_buf_put_b64(&b, bz_view(bytes, got));
    if (bz_buf_status(&b) != BZ_OK || !bz_view_eq(bz_buf_view(&b), in))
        return false;
    memcpy(out, bytes, n);
    return true;
}

/* Text and signatures are parted by the last empty line. */
static bool parts(struct bz_view note, struct bz_view *ret_text, struct bz_view *ret_sigs) {
    if (note.n > BZ_CHECKPOINT_MAX || bz_utf8_valid(note) != note.n)
        return false;
    size_t at = 0;
    for (size_t i = 0; i < note.n; i++) {
        if (note.p[i] < 0x20 && note.p[i] != '\n')
            return false;
        if (i > 0 && note.p[i] == '\n' && note.p[i - 1] == '\n')
            at = i;
    }
    *ret_text = bz_view_sub(note, 0, at);
    *ret_sigs = bz_view_sub(note, at + 1, note.n);
    return at != 0 && ret_sigs->n != 0 && note.p[note.n - 1] == '\n';
}

/* One signature line. OK: ours and good; MORE: somebody else's; EDENIED: ours and bad. */
static enum bz_status one_signature(struct bz_view l, struct bz_view text, struct bz_view origin,
                                    const uint8_t pub[BZ_SIGN_PUBLIC_LEN]) {
    struct bz_view lead = {(const uint8_t *)dash, sizeof dash - 1};
    if (!bz_view_starts(l, lead) || l.n > LINE_SIG_MAX)
        return BZ_ESYNTAX;
    l = bz_view_sub(l, lead.n, l.n);
    const uint8_t *sp = l.n == 0 ? NULL : memchr(l.p, ' ', l.n);
    if (sp == NULL || sp == l.p)
        return BZ_ESYNTAX;
    struct bz_view name = bz_view_sub(l, 0, (size_t)(sp - l.p));
    struct bz_view b64 = bz_view_sub(l, name.n + 1, l.n);
    uint8_t sig[HASH + BZ_SIGN_LEN];
    uint8_t hash[HASH];
    key_hash(origin, pub, hash);
    if (!bz_view_eq(name, origin) || !b64_exact(b64, sig, sizeof sig))
        return BZ_MORE;
    if (!bz_view_eq(bz_view(sig, HASH), bz_view(hash, HASH)))
        return BZ_MORE; /* another key of the same name */
    return bz_sign_check(pub, text, sig + HASH) ? BZ_OK : BZ_EDENIED;
}

static enum bz_status signatures(struct bz_view text, struct bz_view sigs, struct bz_view origin,
                                 const uint8_t pub[BZ_SIGN_PUBLIC_LEN]) {
    struct bz_view l;
    bool good = false;
    for (int i = 0; sigs.n != 0; i++) {
        if (i >= LINES_MAX || !line(&sigs, &l))
            return BZ_ESYNTAX;
        enum bz_status st = one_signature(l, text, origin, pub);
        if (st == BZ_OK)
            good = true;
        else if (st != BZ_MORE)
            return st;
    }
    return good ? BZ_OK : BZ_EDENIED;
}

enum bz_status bz_checkpoint_open(struct bz_view note, struct bz_view origin,
                                  const uint8_t pub[BZ_SIGN_PUBLIC_LEN],
                                  struct bz_checkpoint *ret) {
    struct bz_view text;
    struct bz_view sigs;
    if (!parts(note, &text, &sigs))
        return BZ_ESYNTAX;
    /* Nothing of the text is looked at before the signature is known to be good. */
    BZ_TRY(signatures(text, sigs, origin, pub));
    struct bz_checkpoint c = {0};
    struct bz_view size;
    struct bz_view root;
    struct bz_view rest = text;
    if (!line(&rest, &c.origin) || !line(&rest, &size) || !line(&rest, &root))
        return BZ_ESYNTAX;
    if (!bz_view_eq(c.origin, origin))
        return BZ_EDENIED;
    if (size.n > 1 && size.p[0] == '0')
        return BZ_ESYNTAX;
    BZ_TRY(bz_view_u64(size, &c.size));
    if (!b64_exact(root, c.root.b, BZ_HASH_LEN))
        return BZ_ESYNTAX;
    for (struct bz_view ext; rest.n != 0;)
        if (!line(&rest, &ext) || ext.n == 0)
            return BZ_ESYNTAX;
    *ret = c;
    return BZ_OK;
}

void bz_verifier_key(struct bz_view origin, const uint8_t pub[BZ_SIGN_PUBLIC_LEN],
                     struct bz_buf *out) {
    uint8_t hash[HASH];
    uint8_t typed[1 + BZ_SIGN_PUBLIC_LEN];
    key_hash(origin, pub, hash);
    typed[0] = ED25519;
    memcpy(typed + 1, pub, BZ_SIGN_PUBLIC_LEN);
    bz_buf_put(out, origin);
    bz_buf_putc(out, '+');
    bz_buf_put_hex(out, bz_view(hash, HASH));
    bz_buf_putc(out, '+');
    bz_buf_put_b64(out, bz_view(typed, sizeof typed));
}

enum bz_status bz_verifier_key_parse(struct bz_view v, struct bz_view *ret_origin,
                                     uint8_t pub[BZ_SIGN_PUBLIC_LEN]) {
    if (v.n != 0 && v.p[v.n - 1] == '\n')
        v.n--;
    const uint8_t *plus = v.n == 0 ? NULL : memchr(v.p, '+', v.n);
    if (plus == NULL)
        return BZ_ESYNTAX;
    struct bz_view name = bz_view_sub(v, 0, (size_t)(plus - v.p));
    struct bz_view rest = bz_view_sub(v, name.n + 1, v.n);
    uint8_t hash[HASH];
    uint8_t want[HASH];
    uint8_t typed[1 + BZ_SIGN_PUBLIC_LEN];
    size_t n = 0;
    if (!name_ok(name) || rest.n < 2 * HASH + 1 || rest.p[2 * HASH] != '+' ||
        bz_hex_decode(bz_view_sub(rest, 0, 2 * HASH), hash, sizeof hash, &n) != BZ_OK ||
        !b64_exact(bz_view_sub(rest, 2 * HASH + 1, rest.n), typed, sizeof typed) ||
        typed[0] != ED25519)
        return BZ_ESYNTAX;
    key_hash(name, typed + 1, want);
    if (!bz_view_eq(bz_view(hash, HASH), bz_view(want, HASH)))
        return BZ_EDENIED;
    memcpy(pub, typed + 1, BZ_SIGN_PUBLIC_LEN);
    *ret_origin = name;
    return BZ_OK;
}
