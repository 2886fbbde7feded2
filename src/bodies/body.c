/* A body in the spool and at rest. Both hold the same fields, sealed as a whole:
 *
 *   u8 version | 16 id | u8 part | u8 level | u8 flags | le64 time | names | body to the end
 *   names: le16 length and bytes of user, conversation, key id, model, media type
 *
 * The spool file is "BZB1", the first 8 bytes of the public key and a sealed box; at rest it is nonce, ciphertext and tag, with the place of
 * the body as additional data. */
#include <bartizan/bodies.h>
#include <bartizan/rd.h>

enum { VERSION = 1, FLAG_CUT = 1, NAMES = 5, HEAD = 1 + BZ_BODY_ID + 3 + 8 };
static const char magic[4] = {'B', 'Z', 'B', '1'};

const char *bz_body_part_name(enum bz_body_part p) {
    return p == BZ_BODY_REQUEST ? "request" : "reply";
}

static bool sound(const struct bz_body *b) {
    const struct bz_view names[NAMES] = {b->user, b->conversation, b->key_id, b->model, b->type};
    for (size_t i = 0; i < NAMES; i++) {
        if (names[i].n > BZ_STORED_NAME_MAX)
            return false;
    }
    return b->user.n > 0 && (unsigned)b->part < BZ_BODY_PART_COUNT && b->level < BZ_BODY_LEVELS;
}

static void put_fields(const struct bz_body *b, struct bz_view user, struct bz_view conversation,
                       struct bz_buf *out) {
    const struct bz_view names[NAMES] = {user, conversation, b->key_id, b->model, b->type};
    const bool cut = b->cut || b->body.n > BZ_STORED_BODY_MAX;
    bz_buf_putc(out, VERSION);
    bz_buf_put(out, bz_view(b->id, sizeof b->id));
    bz_buf_putc(out, (uint8_t)b->part);
    bz_buf_putc(out, b->level);
    bz_buf_putc(out, cut ? FLAG_CUT : 0);
    bz_buf_put_le64(out, b->time_ms);
    for (size_t i = 0; i < NAMES; i++) {
        bz_buf_put_le16(out, (uint16_t)names[i].n);
        bz_buf_put(out, names[i]);
    }
    bz_buf_put(out, bz_view_sub(b->body, 0, BZ_STORED_BODY_MAX));
}

static size_t fields_size(const struct bz_body *b) {
    size_t body = b->body.n < BZ_STORED_BODY_MAX ? b->body.n : BZ_STORED_BODY_MAX;
    return HEAD + NAMES * (2 + BZ_STORED_NAME_MAX) + body;
}

static enum bz_status get_fields(struct bz_view plain, struct bz_body *ret) {
    struct bz_rd r;
    struct bz_body b = {.part = BZ_BODY_REQUEST};
    struct bz_view *const names[NAMES] = {&b.user, &b.conversation, &b.key_id, &b.model, &b.type};
    bz_rd_init(&r, plain);
    if (bz_rd_u8(&r) != VERSION)
        return bz_rd_ok(&r) ? BZ_EVERSION : BZ_ESYNTAX;
    struct bz_view id = bz_rd_take(&r, BZ_BODY_ID);
    uint8_t part = bz_rd_u8(&r), flags;
    b.level = bz_rd_u8(&r);
    flags = bz_rd_u8(&r);
    b.time_ms = bz_rd_le64(&r);
    for (size_t i = 0; i < NAMES; i++) {
        *names[i] = bz_rd_take(&r, bz_rd_le16(&r));
        if (names[i]->n > BZ_STORED_NAME_MAX)
            bz_rd_fail(&r, BZ_ESYNTAX);
    }
    if (!bz_rd_ok(&r) || part >= BZ_BODY_PART_COUNT || b.level >= BZ_BODY_LEVELS ||
        flags > FLAG_CUT || r.n > BZ_STORED_BODY_MAX)
        return BZ_ESYNTAX;
    memcpy(b.id, id.p, sizeof b.id);
    b.part = (enum bz_body_part)part;
    b.cut = flags == FLAG_CUT;
    b.body = bz_rd_take(&r, r.n);
    *ret = b;
    return BZ_OK;
}

/* ---- spool ---- */

enum bz_status bz_body_seal(const uint8_t pub[BZ_BOX_LEN], const struct bz_body *b,
                            struct bz_buf *out) {
    struct bz_buf plain;
    if (!sound(b))
        return BZ_EINVAL;
    bz_buf_init(&plain, fields_size(b));
    put_fields(b, b->user, b->conversation, &plain);
    enum bz_status st = bz_buf_status(&plain);
    bz_buf_put(out, bz_view(magic, sizeof magic));
    bz_buf_put(out, bz_view(pub, BZ_BODY_HINT));
    uint8_t *room = st == BZ_OK ? bz_buf_room(out, plain.n + BZ_BOX_EXTRA) : NULL;
    if (st == BZ_OK)
        st = room == NULL ? bz_buf_status(out) : bz_box_seal(pub, bz_buf_view(&plain), room);
    bz_buf_wipe_free(&plain);
    return st;
}

enum bz_status bz_body_open(const uint8_t sec[BZ_BOX_LEN], struct bz_view file, struct bz_buf *mem,
                            struct bz_body *ret) {
    if (!bz_view_starts(file, bz_view(magic, sizeof magic)))
        return bz_view_starts(file, bz_view(magic, 3)) ? BZ_EVERSION : BZ_ECORRUPT;
    struct bz_view sealed = bz_view_sub(file, sizeof magic + BZ_BODY_HINT, file.n);
    if (sealed.n <= BZ_BOX_EXTRA)
        return BZ_ECORRUPT;
    const size_t n = sealed.n - BZ_BOX_EXTRA;
    bz_buf_reset(mem);
    uint8_t *room = bz_buf_room(mem, n);
    if (room == NULL)
        return bz_buf_status(mem);
    BZ_TRY(bz_box_open(sec, sealed, room));
    BZ_TRY(get_fields(bz_view(room, n), ret));
    return ret->user.n > 0 ? BZ_OK : BZ_ESYNTAX;
}

bool bz_body_hint(struct bz_view file, uint8_t out[BZ_BODY_HINT]) {
    if (file.n < sizeof magic + BZ_BODY_HINT || !bz_view_starts(file, bz_view(magic, sizeof magic)))
        return false;
    memcpy(out, file.p + sizeof magic, BZ_BODY_HINT);
    return true;
}

void bz_body_name(const uint8_t id[BZ_BODY_ID], enum bz_body_part part, char out[BZ_BODY_NAME]) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, out, BZ_BODY_NAME);
    bz_buf_put_hex(&b, bz_view(id, BZ_BODY_ID));
    bz_buf_puts(&b, part == BZ_BODY_REQUEST ? ".q" : ".a");
    bz_buf_putc(&b, 0);
}

static int digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool bz_body_name_parse(const char *name, uint8_t id[BZ_BODY_ID], enum bz_body_part *ret) {
    if (strlen(name) != BZ_BODY_NAME - 1 || name[2 * BZ_BODY_ID] != '.')
        return false;
    const char end = name[2 * BZ_BODY_ID + 1];
    if (end != 'q' && end != 'a')
        return false;
    for (size_t i = 0; i < BZ_BODY_ID; i++) {
        int hi = digit(name[2 * i]), lo = digit(name[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        id[i] = (uint8_t)(hi * 16 + lo);
    }
    *ret = end == 'q' ? BZ_BODY_REQUEST : BZ_BODY_REPLY;
    return true;
}

/* ---- at rest ---- */

struct bz_body_place bz_body_place(const struct bz_body *b, const uint8_t key_id[BZ_BODY_KEY_ID]) {
    struct bz_body_place p = {.part = (uint8_t)b->part, .level = b->level, .time_ms = b->time_ms};
    memcpy(p.id, b->id, sizeof p.id);
    memcpy(p.key, key_id, sizeof p.key);
    return p;
}

enum { PLACE = 80 };
static struct bz_view place_bytes(const struct bz_body_place *at, uint8_t mem[PLACE]) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, PLACE);
    bz_buf_puts(&b, "bartizan body 1");
    bz_buf_put(&b, bz_view(at->id, sizeof at->id));
    bz_buf_putc(&b, at->part);
    bz_buf_putc(&b, at->level);
    bz_buf_put_le64(&b, at->time_ms);
    bz_buf_put(&b, bz_view(at->key, sizeof at->key));
    return bz_buf_view(&b);
}

enum bz_status bz_body_store(const uint8_t key[BZ_KEY_LEN], const struct bz_body_place *at,
                             const struct bz_body *b, struct bz_buf *out) {
    const struct bz_view none = {NULL, 0};
    uint8_t mem[PLACE];
    struct bz_buf plain;
    if (!sound(b))
        return BZ_EINVAL;
    bz_buf_init(&plain, fields_size(b));
    put_fields(b, none, none, &plain);
    enum bz_status st = bz_buf_status(&plain);
    uint8_t *room = st == BZ_OK ? bz_buf_room(out, plain.n + BZ_SEAL_EXTRA) : NULL;
    if (st == BZ_OK)
        st = room == NULL ? bz_buf_status(out)
                          : bz_seal(key, place_bytes(at, mem), bz_buf_view(&plain), room);
    bz_buf_wipe_free(&plain);
    return st;
}

static bool same_place(const struct bz_body_place *at, const struct bz_body *b) {
    return memcmp(at->id, b->id, sizeof at->id) == 0 && at->part == (uint8_t)b->part &&
           at->level == b->level && at->time_ms == b->time_ms;
}

enum bz_status bz_body_load(const uint8_t key[BZ_KEY_LEN], const struct bz_body_place *at,
                            struct bz_view stored, struct bz_buf *mem, struct bz_body *ret) {
    uint8_t place[PLACE];
    struct bz_body b;
    if (stored.n <= BZ_SEAL_EXTRA)
        return BZ_ECORRUPT;
    const size_t n = stored.n - BZ_SEAL_EXTRA;
    bz_buf_reset(mem);
    uint8_t *room = bz_buf_room(mem, n);
    if (room == NULL)
        return bz_buf_status(mem);
    BZ_TRY(bz_unseal(key, place_bytes(at, place), stored, room));
    BZ_TRY(get_fields(bz_view(room, n), &b));
    if (!same_place(at, &b))
        return BZ_ESYNTAX;
    *ret = b;
    return BZ_OK;
}
