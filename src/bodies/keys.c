/* Wrapped keys, and the list of what was erased. */
#include <bartizan/bodies.h>
#include <bartizan/rd.h>
#include <bartizan/text.h>

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Users are the same in any case. */
static void put_user(struct bz_buf *out, struct bz_view name) {
    for (size_t i = 0; i < name.n; i++)
        bz_buf_putc(out, lower(name.p[i]));
}

/* ---- wrapping ---- */

enum { WRAP_AD = 16 + 1 + BZ_BODY_KEY_ID + BZ_STORED_NAME_MAX };
static enum bz_status wrap_ad(enum bz_wrap_kind kind, const uint8_t id[BZ_BODY_KEY_ID],
                              struct bz_view name, struct bz_buf *out) {
    bz_buf_puts(out, "bartizan wrap 1");
    bz_buf_putc(out, (uint8_t)kind);
    bz_buf_put(out, bz_view(id, BZ_BODY_KEY_ID));
    if (kind == BZ_WRAP_USER)
        put_user(out, name);
    else
        bz_buf_put(out, name);
    return bz_buf_status(out) == BZ_ETOOBIG ? BZ_EINVAL : bz_buf_status(out);
}

enum bz_status bz_body_wrap(const uint8_t above[BZ_KEY_LEN], enum bz_wrap_kind kind,
                            const uint8_t id[BZ_BODY_KEY_ID], struct bz_view name,
                            const uint8_t key[BZ_KEY_LEN], uint8_t out[BZ_WRAPPED_LEN]) {
    uint8_t mem[WRAP_AD];
    struct bz_buf ad;
    bz_buf_init_fixed(&ad, mem, sizeof mem);
    BZ_TRY(wrap_ad(kind, id, name, &ad));
    return bz_seal(above, bz_buf_view(&ad), bz_view(key, BZ_KEY_LEN), out);
}

enum bz_status bz_body_unwrap(const uint8_t above[BZ_KEY_LEN], enum bz_wrap_kind kind,
                              const uint8_t id[BZ_BODY_KEY_ID], struct bz_view name,
                              struct bz_view wrapped, uint8_t out[BZ_KEY_LEN]) {
    uint8_t mem[WRAP_AD];
    struct bz_buf ad;
    if (wrapped.n != BZ_WRAPPED_LEN)
        return BZ_ECORRUPT;
    bz_buf_init_fixed(&ad, mem, sizeof mem);
    BZ_TRY(wrap_ad(kind, id, name, &ad));
    return bz_unseal(above, bz_buf_view(&ad), wrapped, out);
}

/* ---- erasures ---- */

void bz_erased_name(const uint8_t key[BZ_KEY_LEN], struct bz_view user,
                    const struct bz_view *conversation, uint8_t out[BZ_HASH_LEN]) {
    uint8_t mem[2 * BZ_STORED_NAME_MAX + 16];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_puts(&b, conversation == NULL ? "user" : "conv");
    user = bz_view_sub(user, 0, BZ_STORED_NAME_MAX); /* longer ones are stored nowhere */
    bz_buf_put_le16(&b, (uint16_t)user.n);
    put_user(&b, user);
    if (conversation != NULL)
        bz_buf_put(&b, bz_view_sub(*conversation, 0, BZ_STORED_NAME_MAX));
    bz_keyed_hash(key, bz_buf_view(&b), out);
}

/* "user <id> <name> <time> <checksum>"; all hex but the time. */
enum { CHECK = 16, LINE_MAX = 256 };

static void put_line(const struct bz_erased *e, struct bz_buf *out) {
    bz_buf_puts(out, e->kind == BZ_WRAP_USER ? "user " : "conversation ");
    bz_buf_put_hex(out, bz_view(e->key, sizeof e->key));
    bz_buf_putc(out, ' ');
    bz_buf_put_hex(out, bz_view(e->name, sizeof e->name));
    bz_buf_putc(out, ' ');
    bz_buf_put_u64(out, e->time_ms);
    bz_buf_putc(out, ' ');
}

void bz_erased_put(const uint8_t key[BZ_KEY_LEN], const struct bz_erased *e, struct bz_buf *out) {
    uint8_t mem[LINE_MAX], sum[BZ_HASH_LEN];
    struct bz_buf line;
    bz_buf_init_fixed(&line, mem, sizeof mem);
    put_line(e, &line);
    bz_keyed_hash(key, bz_buf_view(&line), sum);
    bz_buf_put(out, bz_buf_view(&line));
    bz_buf_put_hex(out, bz_view(sum, CHECK));
    bz_buf_putc(out, '\n');
}

/* The word before the next blank; empty when there is none. */
static struct bz_view word(struct bz_view *rest) {
    const uint8_t *blank = rest->n == 0 ? NULL : memchr(rest->p, ' ', rest->n);
    size_t n = blank == NULL ? rest->n : (size_t)(blank - rest->p);
    struct bz_view w = bz_view_sub(*rest, 0, n);
    *rest = bz_view_sub(*rest, n + (blank != NULL), rest->n);
    return w;
}

static bool take_hex(struct bz_view text, uint8_t *out, size_t n) {
    size_t got = 0;
    return bz_hex_decode(text, out, n, &got) == BZ_OK && got == n;
}

static enum bz_status parse_line(const uint8_t key[BZ_KEY_LEN], struct bz_view line,
                                 struct bz_erased *ret) {
    struct bz_view rest = line;
    struct bz_erased e = {.kind = BZ_WRAP_USER};
    uint8_t sum[BZ_HASH_LEN], said[CHECK];
    struct bz_view kind = word(&rest);
    if (bz_view_eq(kind, BZ_V("conversation")))
        e.kind = BZ_WRAP_CONVERSATION;
    else if (!bz_view_eq(kind, BZ_V("user")))
        return BZ_ESYNTAX;
    if (!take_hex(word(&rest), e.key, sizeof e.key) ||
        !take_hex(word(&rest), e.name, sizeof e.name) ||
        bz_view_u64(word(&rest), &e.time_ms) != BZ_OK || !take_hex(rest, said, sizeof said))
        return BZ_ESYNTAX;
    bz_keyed_hash(key, bz_view_sub(line, 0, line.n - rest.n), sum);
    if (!bz_ct_equal(bz_view(sum, CHECK), bz_view(said, CHECK)))
        return BZ_EDENIED;
    *ret = e;
    return BZ_OK;
}

enum bz_status bz_erased_next(const uint8_t key[BZ_KEY_LEN], struct bz_view *rest,
                              struct bz_erased *ret) {
    if (rest->n == 0)
        return BZ_MORE;
    const uint8_t *end = memchr(rest->p, '\n', rest->n);
    size_t n = end == NULL ? rest->n : (size_t)(end - rest->p);
    struct bz_view line = bz_view_sub(*rest, 0, n);
    *rest = bz_view_sub(*rest, n + (end != NULL), rest->n);
    return end == NULL ? BZ_ESYNTAX : parse_line(key, line, ret);
}
