/* Text from outside on its way to a terminal or a log line. */
#include <bartizan/buf.h>
#include <bartizan/text.h>

struct range {
    uint32_t from, to;
};

/* Code points that move the cursor, turn the direction of text or show nothing (Unicode 15: Cc, Cf,
 * Default_Ignorable, line and paragraph separators, noncharacters of the BMP). Sorted. See
 * CVE-2021-42574 for what they are used for. */
static const struct range unsafe[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f},
    {0x0600, 0x0605},   {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},
    {0x0890, 0x0891},   {0x08e2, 0x08e2},   {0x115f, 0x1160},   {0x17b4, 0x17b5},
    {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},
    {0x2800, 0x2800},   {0x3164, 0x3164},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},
    {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

static bool is_unsafe(uint32_t cp) {
    for (size_t i = 0; i < sizeof unsafe / sizeof unsafe[0] && cp >= unsafe[i].from; i++) {
        if (cp <= unsafe[i].to)
            return true;
    }
    return (cp & 0xfffe) == 0xfffe;
}

static void put_byte(struct bz_buf *b, uint8_t c) {
    bz_buf_puts(b, "\\x");
    bz_buf_put_hex(b, bz_view(&c, 1));
}

void bz_put_safe(struct bz_buf *b, struct bz_view v) {
    size_t i = 0;
    while (i < v.n && b->st == BZ_OK) {
        size_t plain = i;
        while (plain < v.n && v.p[plain] >= 0x20 && v.p[plain] < 0x7f && v.p[plain] != '\\')
            plain++;
        bz_buf_put(b, bz_view_sub(v, i, plain - i));
        i = plain;
        if (i == v.n)
            break;
        uint32_t cp = 0;
        size_t n = bz_utf8_next(bz_view_sub(v, i, 4), &cp);
        if (n == 0 || (n == 1 && cp != '\\'))
            put_byte(b, v.p[i]);
        else if (cp == '\\')
            bz_buf_puts(b, "\\\\");
        else if (is_unsafe(cp))
            bz_buf_printf(b, "\\u{%04x}", cp);
        else
            bz_buf_put(b, bz_view_sub(v, i, n));
        i += n == 0 ? 1 : n;
    }
}

/* Continuation bytes of UTF-8 take no column. */
static size_t columns(struct bz_view v) {
    size_t n = 0;
    for (size_t i = 0; i < v.n; i++)
        n += (v.p[i] & 0xc0) != 0x80;
    return n;
}

static struct bz_view next_word(struct bz_view *rest) {
    size_t from = 0, to;
    while (from < rest->n && rest->p[from] == ' ')
        from++;
    for (to = from; to < rest->n && rest->p[to] != ' ';)
        to++;
    struct bz_view word = bz_view_sub(*rest, from, to - from);
    *rest = bz_view_sub(*rest, to, rest->n - to);
    return word;
}

void bz_buf_put_wrapped(struct bz_buf *b, size_t col, size_t indent, size_t width,
                        struct bz_view text) {
    bool first = true; /* of its line */
    for (struct bz_view word; (word = next_word(&text)).n > 0; first = false) {
        size_t n = columns(word);
        if (!first && col + 1 + n > width) {
            bz_buf_printf(b, "\n%*s", (int)indent, "");
            col = indent;
        } else if (!first) {
            bz_buf_putc(b, ' ');
            col++;
        }
        bz_buf_put(b, word);
        col += n;
    }
}
