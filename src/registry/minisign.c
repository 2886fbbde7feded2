/* minisign: Ed25519 over BLAKE2b-512 of a file, in two lines of base64 with comments. */
#include <bartizan/rd.h>
#include <bartizan/signature.h>
#include <bartizan/text.h>

enum {
    COMMENT_MAX = 1024,
    SIG_BYTES = 2 + 8 + BZ_SIGN_LEN,
    PUBLIC_BYTES = 2 + 8 + BZ_SIGN_PUBLIC_LEN
};
/* algorithm, kdf, checksum: 2 each; salt 32; ops, memory: 8 each; then id, key, checksum under the passphrase's stream */
enum { SECRET_BODY = 8 + BZ_SIGN_SECRET_LEN + 32, SECRET_BYTES = 6 + 32 + 16 + SECRET_BODY };

static struct bz_view next_line(struct bz_view *rest) {
    size_t n = 0;
    while (n < rest->n && rest->p[n] != '\n')
        n++;
    struct bz_view l = bz_view_sub(*rest, 0, n);
    *rest = bz_view_sub(*rest, n < rest->n ? n + 1 : n, rest->n);
    if (l.n > 0 && l.p[l.n - 1] == '\r')
        l.n--;
    return l;
}

static bool decode(struct bz_view b64, uint8_t *out, size_t want) {
    size_t n = 0;
    return bz_b64_decode(b64, out, want, &n) == BZ_OK && n == want;
}

enum bz_status bz_minisign_public(struct bz_view text, struct bz_minisign_public *ret) {
    uint8_t b[PUBLIC_BYTES];
    struct bz_view rest = text, l = next_line(&rest);
    if (bz_view_starts(l, BZ_V("untrusted comment:")))
        l = next_line(&rest);
    if (rest.n > 0 || !decode(l, b, sizeof b) || b[0] != 'E' || b[1] != 'd')
        return BZ_ESYNTAX;
    memcpy(ret->id, b + 2, sizeof ret->id);
    memcpy(ret->key, b + 10, sizeof ret->key);
    return BZ_OK;
}

static enum bz_status no(struct bz_diag *d, enum bz_status st, const char *why) {
    bz_diag_set(d, 0, why);
    return st;
}

enum bz_status bz_minisign_parse(struct bz_view text, struct bz_minisign *ret,
                                 struct bz_diag *diag) {
    uint8_t b[SIG_BYTES];
    struct bz_minisign m = {.hashed = true};
    struct bz_view rest = text;
    struct bz_view first = next_line(&rest), sig = next_line(&rest);
    struct bz_view trusted = next_line(&rest), global = next_line(&rest);
    if (text.n > BZ_MINISIGN_TEXT_MAX || !bz_view_starts(first, BZ_V("untrusted comment: ")) ||
        !bz_view_starts(trusted, BZ_V("trusted comment: ")) || rest.n > 0)
        return no(diag, BZ_ESYNTAX, "not a minisign signature: four lines, two of them comments");
    if (!decode(sig, b, sizeof b) || b[0] != 'E' || (b[1] != 'D' && b[1] != 'd'))
        return no(diag, BZ_ESYNTAX, "the second line is no signature of algorithm ED or Ed");
    if (!decode(global, m.global, sizeof m.global))
        return no(diag, BZ_ESYNTAX, "the fourth line is no signature");
    m.hashed = b[1] == 'D';
    memcpy(m.id, b + 2, sizeof m.id);
    memcpy(m.sig, b + 10, sizeof m.sig);
    m.comment = bz_view_sub(trusted, sizeof "trusted comment: " - 1, trusted.n);
    if (m.comment.n > COMMENT_MAX)
        return no(diag, BZ_ESYNTAX, "the trusted comment is above 1,024 bytes");
    *ret = m;
    return BZ_OK;
}

enum bz_status bz_minisign_check(const struct bz_minisign *m, const struct bz_minisign_public *k,
                                 struct bz_view message, struct bz_diag *diag) {
    uint8_t both[BZ_SIGN_LEN + COMMENT_MAX];
    if (!bz_view_eq(bz_view(m->id, sizeof m->id), bz_view(k->id, sizeof k->id)))
        return no(diag, BZ_EDENIED, "it was signed with another key than the given one");
    if (!bz_sign_check(k->key, message, m->sig))
        return no(diag, BZ_EDENIED, "the signature does not fit the file and the key");
    memcpy(both, m->sig, BZ_SIGN_LEN);
    if (m->comment.n > 0)
        memcpy(both + BZ_SIGN_LEN, m->comment.p, m->comment.n);
    if (!bz_sign_check(k->key, bz_view(both, BZ_SIGN_LEN + m->comment.n), m->global))
        return no(diag, BZ_EDENIED, "the trusted comment was changed");
    return BZ_OK;
}

/* BLAKE2b-256 of algorithm, id and key. */
static bool checksum_good(const uint8_t body[SECRET_BODY]) {
    uint8_t sum[BZ_HASH_LEN], all[2 + 8 + BZ_SIGN_SECRET_LEN] = {'E', 'd'};
    memcpy(all + 2, body, sizeof all - 2);
    bz_blake2b256(bz_view(all, sizeof all), sum);
    bool good = bz_ct_equal(bz_view(sum, sizeof sum), bz_view(body + 8 + BZ_SIGN_SECRET_LEN, 32));
    bz_wipe(all, sizeof all);
    return good;
}

static enum bz_status open_secret(uint8_t b[SECRET_BYTES], struct bz_view passphrase,
                                  struct bz_minisign_secret *ret) {
    static const uint8_t none[2] = {0, 0};
    uint8_t *body = b + 6 + 32 + 16, stream[SECRET_BODY];
    struct bz_rd r;
    if (b[0] != 'E' || b[1] != 'd' || b[4] != 'B' || b[5] != '2')
        return BZ_ESYNTAX;
    if (b[2] == 'S' && b[3] == 'c') {
        bz_rd_init(&r, bz_view(b + 6 + 32, 16));
        uint64_t ops = bz_rd_le64(&r), memory = bz_rd_le64(&r);
        BZ_TRY(bz_scrypt_stream(passphrase, b + 6, ops, memory, stream, sizeof stream));
        for (size_t i = 0; i < sizeof stream; i++)
            body[i] ^= stream[i];
        bz_wipe(stream, sizeof stream);
        if (!checksum_good(body))
            return BZ_EDENIED;
    } else if (!bz_view_eq(bz_view(b + 2, 2), bz_view(none, 2))) {
        return BZ_ESYNTAX; /* minisign writes no checksum into a key without passphrase */
    }
    memcpy(ret->id, body, sizeof ret->id);
    memcpy(ret->key, body + 8, sizeof ret->key);
    return BZ_OK;
}

enum bz_status bz_minisign_secret(struct bz_view text, struct bz_view passphrase,
                                  struct bz_minisign_secret *ret) {
    uint8_t b[SECRET_BYTES];
    struct bz_view rest = text, first = next_line(&rest), l = next_line(&rest);
    if (text.n > BZ_MINISIGN_TEXT_MAX || !bz_view_starts(first, BZ_V("untrusted comment:")) ||
        rest.n > 0 || !decode(l, b, sizeof b))
        return BZ_ESYNTAX;
    enum bz_status st = open_secret(b, passphrase, ret);
    bz_wipe(b, sizeof b);
    return st;
}

enum bz_status bz_minisign_sign(const struct bz_minisign_secret *k, const uint8_t hash[64],
                                struct bz_view comment, struct bz_buf *out) {
    uint8_t sig[SIG_BYTES] = {'E', 'D'}, both[BZ_SIGN_LEN + COMMENT_MAX], global[BZ_SIGN_LEN];
    if (comment.n > COMMENT_MAX || (comment.n > 0 && memchr(comment.p, '\n', comment.n) != NULL))
        return BZ_EINVAL;
    memcpy(sig + 2, k->id, sizeof k->id);
    bz_sign(k->key, bz_view(hash, 64), sig + 10);
    memcpy(both, sig + 10, BZ_SIGN_LEN);
    if (comment.n > 0)
        memcpy(both + BZ_SIGN_LEN, comment.p, comment.n);
    bz_sign(k->key, bz_view(both, BZ_SIGN_LEN + comment.n), global);
    bz_buf_puts(out, "untrusted comment: signature by bartizan\n");
    bz_buf_put_b64(out, bz_view(sig, sizeof sig));
    bz_buf_puts(out, "\ntrusted comment: ");
    bz_buf_put(out, comment);
    bz_buf_putc(out, '\n');
    bz_buf_put_b64(out, bz_view(global, sizeof global));
    bz_buf_putc(out, '\n');
    return bz_buf_status(out);
}
