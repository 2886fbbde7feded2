/* Words and patterns of the customer: checking, expressions for the database, what a pack keeps. */
#include "engine.h"

#include <bartizan/rd.h>

#include <stdio.h>

#include "groups.h"

static enum bz_status fail(struct bz_custom_error *err, size_t index, enum bz_status st,
                           const char *text) {
    err->index = index;
    snprintf(err->text, sizeof err->text, "%s", text);
    return st;
}

/* ---- checking ---------------------------------------------------------------------------------- */

static bool name_ok(struct bz_view v) {
    if (v.n < 2 || v.n > 40 || v.p[0] < 'A' || v.p[0] > 'Z')
        return false;
    for (size_t i = 1; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

static bool name_taken(const struct bz_custom *c, size_t i) {
    const struct bz_type *types = NULL;
    size_t n = bz_type_list(&types);
    for (size_t t = 0; t < n; t++) {
        if (bz_view_eq(c[i].name, bz_view_str(types[t].name)))
            return true;
    }
    for (size_t j = 0; j < i; j++) {
        if (bz_view_eq(c[i].name, c[j].name))
            return true;
    }
    return false;
}

static enum bz_status check_one(const struct bz_custom *c, size_t i, struct bz_custom_error *err) {
    const struct bz_custom *one = &c[i];
    if (!name_ok(one->name))
        return fail(err, i, BZ_ESYNTAX,
                    "the name must be 2 to 40 of A-Z, 0-9 and _ and begin with a letter");
    if (name_taken(c, i))
        return fail(err, i, BZ_EEXISTS, "this name is a type already: choose another one");
    if (one->level >= BZ_LEVEL_COUNT || (one->cls != BZ_CLASS_CUSTOM && one->cls != BZ_CLASS_LABEL))
        return fail(err, i, BZ_ESYNTAX, "unknown level or class");
    if ((one->words_n == 0) == (one->pattern.n == 0))
        return fail(err, i, BZ_ESYNTAX, "give either words or a pattern");
    for (size_t w = 0; w < one->words_n; w++) {
        if (one->words[w].n == 0 || one->words[w].n > WORD_MAX)
            return fail(err, i, BZ_ESYNTAX, "a word must be 1 to 128 bytes long");
    }
    return BZ_OK;
}

enum bz_status custom_check(const struct bz_custom *c, size_t n, struct bz_custom_error *err) {
    if (n > BZ_CUSTOM_MAX)
        return fail(err, BZ_CUSTOM_MAX, BZ_ETOOBIG, "more than 128 custom types");
    size_t words = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        BZ_TRY(check_one(c, i, err));
        words += c[i].words_n;
        for (size_t w = 0; w < c[i].words_n; w++)
            bytes += c[i].words[w].n;
        if (words > WORDS_MAX || bytes > WORDS_BYTES_MAX)
            return fail(err, i, BZ_ETOOBIG, "more than 65536 words or 1 MiB of words in all");
    }
    return BZ_OK;
}

/* ---- expressions ------------------------------------------------------------------------------- */

static bool ascii(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] >= 0x80)
            return false;
    }
    return true;
}

const char *escape_literal(struct bz_view v, struct bz_arena *ar) {
    static const char digits[] = "0123456789abcdef";
    char *out = bz_arena_alloc(ar, v.n * 4 + 1);
    if (out == NULL)
        return NULL;
    size_t n = 0;
    for (size_t i = 0; i < v.n; i++) {
        if (scan_is(v.p[i], SC_ALNUM | SC_HIGH)) {
            out[n++] = (char)v.p[i];
            continue;
        }
        out[n++] = '\\';
        out[n++] = 'x';
        out[n++] = digits[v.p[i] >> 4];
        out[n++] = digits[v.p[i] & 15];
    }
    out[n] = '\0';
    return out;
}

static void add_expr(struct pack_exprs *px, const char *expr, unsigned flags,
                     const struct custom_expr *x) {
    px->expr[px->n] = expr;
    px->flags[px->n] = flags;
    px->gates[px->n] = x->pattern ? gate_of(expr, flags) : GATE_NONE;
    px->custom[px->custom_n++] = *x;
    px->n++;
}

static enum bz_status word_expr(const struct bz_custom *c, size_t i, size_t w, struct bz_arena *ar,
                                struct pack_exprs *px, struct bz_custom_error *err) {
    struct bz_view text = {0};
    const uint32_t *map = NULL;
    BZ_TRY(bz_normalise(c[i].words[w], BZ_TEXT_PLAIN, ar, &text, &map));
    if (text.n == 0 || text.n > WORD_MAX)
        return fail(err, i, BZ_ESYNTAX, "a word is empty or too long once it is folded");
    bool far = c[i].nocase && !ascii(text); /* may change its length with its case */
    unsigned flags = (c[i].nocase ? HS_FLAG_CASELESS : 0) |
                     (far ? HS_FLAG_UTF8 | HS_FLAG_UCP | HS_FLAG_SOM_LEFTMOST : 0);
    struct custom_expr x = {.type = (uint16_t)(BUILTIN_TYPES_N + i),
                            .som = far,
                            .whole_word = c[i].whole_word,
                            .width = (uint32_t)text.n};
    const char *expr = escape_literal(text, ar);
    if (expr == NULL)
        return BZ_ENOMEM;
    add_expr(px, expr, flags, &x);
    return BZ_OK;
}

static bool has_anchor(struct bz_view v) {
    for (size_t i = 0; i + 1 < v.n; i++) {
        if (v.p[i] != '\\')
            continue;
        i++;
        if (v.p[i] == 'A' || v.p[i] == 'z' || v.p[i] == 'Z')
            return true;
    }
    return false;
}

static enum bz_status refused(struct bz_custom_error *err, size_t i, hs_compile_error_t *e) {
    err->index = i;
    snprintf(err->text, sizeof err->text, "the pattern does not compile: %s",
             e != NULL && e->message != NULL ? e->message : "unknown reason");
    enum bz_status st = BZ_ESYNTAX;
    if (e != NULL)
        hs_free_compile_error(e);
    return st;
}

static enum bz_status pattern_expr(const struct bz_custom *c, size_t i, struct bz_arena *ar,
                                   struct pack_exprs *px, struct bz_custom_error *err) {
    if (memchr(c[i].pattern.p, 0, c[i].pattern.n) != NULL || c[i].pattern.n > 4096)
        return fail(err, i, BZ_ESYNTAX, "the pattern holds a zero byte or is above 4096 bytes");
    if (has_anchor(c[i].pattern))
        return fail(err, i, BZ_ESYNTAX,
                    "\\A, \\z and \\Z have no meaning in a stream: use ^ and $ (of a line)");
    const char *expr = (const char *)bz_arena_dup(ar, c[i].pattern).p;
    if (expr == NULL)
        return BZ_ENOMEM;
    unsigned flags = HS_FLAG_UTF8 | HS_FLAG_SOM_LEFTMOST | HS_FLAG_MULTILINE |
                     (c[i].nocase ? HS_FLAG_CASELESS : 0);
    hs_expr_info_t *info = NULL;
    hs_compile_error_t *e = NULL;
    if (hs_expression_info(expr, flags, &info, &e) != HS_SUCCESS)
        return refused(err, i, e);
    unsigned least = info->min_width;
    unsigned most = info->max_width;
    bz_alloc_heap.free(NULL, info);
    if (least == 0)
        return fail(err, i, BZ_ESYNTAX, "the pattern matches nothing at all: make a part required");
    if (most > PATTERN_WIDTH_MAX)
        return fail(err, i, BZ_ESYNTAX,
                    "the pattern must have a bound of 256 bytes: {1,64} instead of + or *");
    struct custom_expr x = {.type = (uint16_t)(BUILTIN_TYPES_N + i),
                            .som = true,
                            .pattern = true,
                            .whole_word = c[i].whole_word,
                            .width = most};
    add_expr(px, expr, flags, &x);
    return BZ_OK;
}

enum bz_status custom_exprs(const struct bz_custom *c, size_t n, struct bz_arena *ar,
                            struct pack_exprs *px, struct bz_custom_error *err) {
    for (size_t i = 0; i < n; i++) {
        if (c[i].words_n == 0)
            BZ_TRY(pattern_expr(c, i, ar, px, err));
        for (size_t w = 0; w < c[i].words_n; w++)
            BZ_TRY(word_expr(c, i, w, ar, px, err));
    }
    return BZ_OK;
}

/* ---- in a pack --------------------------------------------------------------------------------- */

static void write_view(struct bz_buf *out, struct bz_view v) {
    bz_buf_put_le32(out, (uint32_t)v.n);
    bz_buf_put(out, v);
}

static enum bz_status write_words(const struct bz_custom *c, struct bz_arena *ar,
                                  struct bz_buf *out) {
    bz_buf_put_le32(out, (uint32_t)c->words_n);
    for (size_t w = 0; w < c->words_n; w++) {
        struct bz_view text = {0};
        const uint32_t *map = NULL;
        BZ_TRY(bz_normalise(c->words[w], BZ_TEXT_PLAIN, ar, &text, &map));
        write_view(out, text);
    }
    return BZ_OK;
}

enum bz_status custom_write(const struct bz_custom *c, size_t n, const struct pack_exprs *px,
                            struct bz_arena *ar, struct bz_buf *out) {
    bz_buf_put_le32(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        write_view(out, c[i].name);
        bz_buf_putc(out, c[i].cls);
        bz_buf_putc(out, c[i].level);
        bz_buf_putc(out, c[i].nocase);
        bz_buf_putc(out, c[i].whole_word);
        write_view(out, c[i].pattern);
        BZ_TRY(write_words(&c[i], ar, out));
    }
    bz_buf_put_le32(out, (uint32_t)px->custom_n);
    for (size_t i = 0; i < px->custom_n; i++) {
        const struct custom_expr *x = &px->custom[i];
        bz_buf_put_le16(out, x->type);
        bz_buf_putc(out, x->som);
        bz_buf_putc(out, x->pattern);
        bz_buf_putc(out, x->whole_word);
        bz_buf_put_le32(out, x->width);
    }
    return bz_buf_status(out);
}

static enum bz_status read_type(struct bz_rd *r, struct custom_set *set, size_t i) {
    struct bz_view name = bz_arena_dup(&set->ar, bz_rd_take(r, bz_rd_count(r, 1)));
    struct custom_type *t = &set->types[i];
    t->t.cls = bz_rd_u8(r);
    t->t.level = bz_rd_u8(r);
    t->nocase = bz_rd_u8(r) != 0;
    t->whole_word = bz_rd_u8(r) != 0;
    shape_of(bz_rd_take(r, bz_rd_count(r, 1)), t->nocase, &t->shape);
    t->words_n = bz_rd_count(r, 4);
    t->words = bz_arena_zalloc(&set->ar, (t->words_n + 1) * sizeof *t->words);
    if (name.p == NULL || t->words == NULL)
        return BZ_ENOMEM;
    if (!bz_rd_ok(r) || t->t.cls >= BZ_CLASS_COUNT || t->t.level >= BZ_LEVEL_COUNT)
        return BZ_ECORRUPT;
    t->t.name = (const char *)name.p;
    t->t.region = "";
    t->t.what = t->words_n != 0 ? "words of this instance" : "pattern of this instance";
    t->t.proof = BZ_PROOF_CONTEXT;
    for (size_t w = 0; w < t->words_n; w++) {
        t->words[w] = bz_arena_dup(&set->ar, bz_rd_take(r, bz_rd_count(r, 1)));
        if (t->words[w].p == NULL)
            return BZ_ENOMEM;
        set->words_bytes += t->words[w].n;
    }
    return bz_rd_ok(r) ? BZ_OK : BZ_ECORRUPT;
}

static enum bz_status read_exprs(struct bz_rd *r, struct custom_set *set) {
    set->exprs_n = bz_rd_count(r, 9);
    set->exprs = bz_arena_zalloc(&set->ar, (set->exprs_n + 1) * sizeof *set->exprs);
    if (set->exprs == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < set->exprs_n; i++) {
        struct custom_expr *x = &set->exprs[i];
        x->type = bz_rd_le16(r);
        x->som = bz_rd_u8(r) != 0;
        x->pattern = bz_rd_u8(r) != 0;
        x->whole_word = bz_rd_u8(r) != 0;
        x->width = bz_rd_le32(r);
        if (!bz_rd_ok(r) || x->type < BUILTIN_TYPES_N ||
            x->type >= BUILTIN_TYPES_N + set->types_n || x->width > PATTERN_WIDTH_MAX)
            return BZ_ECORRUPT;
        if (x->pattern && x->width > set->width)
            set->width = x->width;
    }
    return BZ_OK;
}

enum bz_status custom_read(struct bz_view body, struct custom_set *set) {
    struct bz_rd r;
    bz_rd_init(&r, body);
    set->types_n = bz_rd_count(&r, 16);
    if (set->types_n > BZ_CUSTOM_MAX)
        return BZ_ECORRUPT;
    set->types = bz_arena_zalloc(&set->ar, (set->types_n + 1) * sizeof *set->types);
    if (set->types == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < set->types_n; i++)
        BZ_TRY(read_type(&r, set, i));
    BZ_TRY(read_exprs(&r, set));
    return bz_rd_end(&r) == BZ_OK ? BZ_OK : BZ_ECORRUPT;
}

/* ---- matches ----------------------------------------------------------------------------------- */

/* Letters and digits hold together; of other alphabets every byte counts as a letter, but two of
 * them side by side say nothing: many scripts write no blanks. */
static bool joined(uint8_t a, uint8_t b) {
    if (scan_is(a, SC_ALNUM))
        return scan_is(b, SC_ALNUM | SC_HIGH);
    return scan_is(a, SC_HIGH) && scan_is(b, SC_ALNUM);
}

bool custom_whole(struct bz_view text, size_t start, size_t end) {
    return !(start > 0 && joined(text.p[start], text.p[start - 1])) &&
           !(end < text.n && joined(text.p[end - 1], text.p[end]));
}

void custom_starts(const struct custom_set *set, struct starts *st) {
    for (size_t i = 0; i < set->types_n; i++) {
        const struct custom_type *t = &set->types[i];
        for (size_t w = 0; w < t->words_n; w++) {
            bool edge = t->whole_word && scan_is(t->words[w].p[0], SC_ALNUM | SC_HIGH);
            starts_add(st, t->words[w], edge ? START_WORD : START_ANYWHERE, t->nocase, true);
        }
    }
}

void custom_slow(const struct custom_set *set, struct bz_type_set *slow) {
    for (size_t i = 0; i < set->types_n; i++) {
        const struct custom_type *t = &set->types[i];
        bool anywhere = t->words_n == 0;
        for (size_t w = 0; w < t->words_n; w++)
            anywhere = anywhere || !t->whole_word || !scan_is(t->words[w].p[0], SC_ALNUM | SC_HIGH);
        if (anywhere)
            bz_type_set_add(slow, BUILTIN_TYPES_N + i);
    }
}

/* The first place from which on the text looks like a match of x. */
static size_t pattern_live(const struct bz_detect *d, const struct custom_expr *x,
                           const struct scan *s, size_t from) {
    const struct shape *shape = &d->custom.types[x->type - BUILTIN_TYPES_N].shape;
    size_t a = s->n > x->width ? s->n - x->width : 0;
    for (a = a < from ? from : a; a < s->n; a++) {
        if (shape_fits(shape, s->p + a, s->n - a))
            return a;
    }
    return s->n;
}

size_t custom_live(const struct bz_detect *d, const struct scan *s, size_t from) {
    size_t least = s->n;
    for (size_t i = 0; i < d->custom.exprs_n; i++) {
        const struct custom_expr *x = &d->custom.exprs[i];
        if (!x->pattern || (s->want != NULL && !bz_type_set_has(s->want, x->type)))
            continue;
        size_t a = pattern_live(d, x, s, from);
        least = a < least ? a : least;
    }
    return least;
}
