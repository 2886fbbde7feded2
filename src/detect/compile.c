/* A pack: the databases of all triggers and custom expressions, and the custom types.
 *   "BZDETECT" version:4 stamp:32 custom_n:4 custom { width:4 database_n:4 database }*3 sha256:32
 */
#include "engine.h"

#include <bartizan/crypto.h>

#include <stdio.h>

#include "pack.h"

static enum bz_status room(struct pack_exprs *px, size_t n, struct bz_arena *ar) {
    px->expr = bz_arena_zalloc(ar, (n + 1) * sizeof *px->expr);
    px->flags = bz_arena_zalloc(ar, (n + 1) * sizeof *px->flags);
    px->gates = bz_arena_zalloc(ar, (n + 1) * sizeof *px->gates);
    px->custom = bz_arena_zalloc(ar, (n + 1) * sizeof *px->custom);
    return px->expr == NULL || px->flags == NULL || px->gates == NULL || px->custom == NULL
               ? BZ_ENOMEM
               : BZ_OK;
}

static enum bz_status builtin_exprs(struct pack_exprs *px, struct bz_arena *ar) {
    const struct detector *const *all = NULL;
    size_t n = detectors(&all);
    for (size_t d = 0; d < n; d++) {
        for (size_t i = 0; i < all[d]->triggers_n; i++) {
            const struct trigger *t = &all[d]->triggers[i];
            const char *expr = t->expr;
            if ((t->flags & TRIGGER_LITERAL) != 0)
                expr = escape_literal(bz_view_str(t->expr), ar);
            if (expr == NULL)
                return BZ_ENOMEM;
            px->expr[px->n] = expr;
            px->flags[px->n] = t->flags & ~(TRIGGER_LITERAL | TRIGGER_START);
            if ((t->flags & TRIGGER_LITERAL) == 0)
                px->gates[px->n] = gate_of(expr, px->flags[px->n]);
            px->n++;
        }
    }
    return BZ_OK;
}

/* What one database is made of. */
struct part {
    const char **expr;
    unsigned *flags, *ids;
    unsigned n;
    uint32_t width;
};

/* The database says which expression it does not take. */
static enum bz_status refused(const struct pack_exprs *px, const struct part *part,
                              hs_compile_error_t *e, struct bz_custom_error *err) {
    size_t builtin = px->n - px->custom_n;
    enum bz_status st = BZ_EINTERNAL;
    if (e == NULL)
        return BZ_ENOMEM;
    const char *expr = "";
    if (e->expression >= 0 && (unsigned)e->expression < part->n) {
        unsigned id = part->ids[e->expression];
        expr = part->expr[e->expression];
        if (id >= builtin) {
            err->index = px->custom[id - builtin].type - builtin_types();
            st = BZ_ESYNTAX;
        }
    }
    snprintf(err->text, sizeof err->text, "%s: %.100s", e->message == NULL ? "" : e->message, expr);
    hs_free_compile_error(e);
    return st;
}

/* Widest match of an expression; UINT32_MAX: without bound. */
static uint32_t width_of(const char *expr, unsigned flags) {
    hs_expr_info_t *info = NULL;
    hs_compile_error_t *e = NULL;
    if (hs_expression_info(expr, flags, &info, &e) != HS_SUCCESS) {
        hs_free_compile_error(e);
        return UINT32_MAX; /* compiling says what is wrong */
    }
    uint32_t width = info->max_width;
    bz_alloc_heap.free(NULL, info);
    return width;
}

/* The expressions with gate g; those of any width go without. */
static enum bz_status choose(const struct pack_exprs *px, enum gate g, struct bz_arena *ar,
                             struct part *ret) {
    ret->expr = bz_arena_zalloc(ar, (px->n + 1) * sizeof *ret->expr);
    ret->flags = bz_arena_zalloc(ar, (px->n + 1) * sizeof *ret->flags);
    ret->ids = bz_arena_zalloc(ar, (px->n + 1) * sizeof *ret->ids);
    if (ret->expr == NULL || ret->flags == NULL || ret->ids == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < px->n; i++) {
        enum gate own = px->gates[i];
        uint32_t width = own == GATE_NONE ? 0 : width_of(px->expr[i], px->flags[i]);
        if (width > PATTERN_WIDTH_MAX) {
            own = GATE_NONE;
            width = 0;
        }
        if (own != g)
            continue;
        ret->expr[ret->n] = px->expr[i];
        ret->flags[ret->n] = px->flags[i];
        ret->ids[ret->n++] = (unsigned)i;
        ret->width = width > ret->width ? width : ret->width;
    }
    return BZ_OK;
}

static enum bz_status write_database(const struct pack_exprs *px, enum gate g, struct bz_arena *ar,
                                     struct bz_buf *out, struct bz_custom_error *err) {
    struct part part = {0};
    BZ_TRY(choose(px, g, ar, &part));
    bz_buf_put_le32(out, part.width);
    if (part.n == 0) {
        bz_buf_put_le32(out, 0);
        return bz_buf_status(out);
    }
    hs_database_t *db = NULL;
    hs_compile_error_t *e = NULL;
    if (hs_compile_multi(part.expr, part.flags, part.ids, part.n, HS_MODE_BLOCK, NULL, &db, &e) !=
        HS_SUCCESS)
        return refused(px, &part, e, err);
    char *bytes = NULL;
    size_t n = 0;
    hs_error_t st = hs_serialize_database(db, &bytes, &n);
    hs_free_database(db);
    if (st != HS_SUCCESS)
        return BZ_ENOMEM;
    bz_buf_put_le32(out, (uint32_t)n);
    bz_buf_put(out, bz_view(bytes, n));
    bz_alloc_heap.free(NULL, bytes);
    return bz_buf_status(out);
}

static enum bz_status write_pack(const struct pack_exprs *px, struct bz_view custom,
                                 struct bz_arena *ar, struct bz_buf *out,
                                 struct bz_custom_error *err) {
    uint8_t hash[BZ_HASH_LEN];
    size_t begin = out->n;
    engine_stamp(hash);
    bz_buf_put(out, BZ_V(PACK_MAGIC));
    bz_buf_put_le32(out, ENGINE_VERSION);
    bz_buf_put(out, bz_view(hash, sizeof hash));
    bz_buf_put_le32(out, (uint32_t)custom.n);
    bz_buf_put(out, custom);
    for (unsigned g = 0; g < GATE_COUNT; g++)
        BZ_TRY(write_database(px, (enum gate)g, ar, out, err));
    bz_sha256(bz_view(out->p + begin, out->n - begin), hash);
    bz_buf_put(out, bz_view(hash, sizeof hash));
    return bz_buf_status(out);
}

static enum bz_status compile(const struct bz_custom *custom, size_t n, struct bz_arena *ar,
                              struct bz_buf *text, struct bz_buf *out,
                              struct bz_custom_error *err) {
    const struct detector *const *all = NULL;
    size_t exprs = 0;
    for (size_t d = detectors(&all); d-- > 0;)
        exprs += all[d]->triggers_n;
    for (size_t i = 0; i < n; i++)
        exprs += custom[i].words_n + 1;
    struct pack_exprs px = {0};
    BZ_TRY(room(&px, exprs, ar));
    BZ_TRY(builtin_exprs(&px, ar));
    BZ_TRY(custom_exprs(custom, n, ar, &px, err));
    BZ_TRY(custom_write(custom, n, &px, ar, text));
    return write_pack(&px, bz_buf_view(text), ar, out, err);
}

enum bz_status bz_detect_compile(const struct bz_custom *custom, size_t n, struct bz_buf *out,
                                 struct bz_custom_error *err) {
    struct bz_custom_error none;
    struct bz_custom_error *e = err == NULL ? &none : err;
    *e = (struct bz_custom_error){0};
    BZ_TRY(custom_check(custom, n, e));
    struct bz_arena ar;
    struct bz_buf text;
    bz_arena_init(&ar, bz_alloc_heap, PACK_MAX, NULL, 0);
    bz_buf_init(&text, PACK_MAX);
    enum bz_status st = compile(custom, n, &ar, &text, out, e);
    bz_buf_free(&text);
    bz_arena_free(&ar);
    return st;
}
