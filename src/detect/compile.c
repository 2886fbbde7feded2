/* A pack: the database of all triggers and custom expressions, and the custom types.
 *   "BZDETECT" version:4 stamp:32 custom_n:4 custom database_n:4 database sha256:32 */
#include "engine.h"

#include <bartizan/crypto.h>

#include <stdio.h>

#include "pack.h"

static enum bz_status room(struct pack_exprs *px, size_t n, struct bz_arena *ar) {
    px->expr = bz_arena_zalloc(ar, (n + 1) * sizeof *px->expr);
    px->flags = bz_arena_zalloc(ar, (n + 1) * sizeof *px->flags);
    px->ids = bz_arena_zalloc(ar, (n + 1) * sizeof *px->ids);
    px->custom = bz_arena_zalloc(ar, (n + 1) * sizeof *px->custom);
    return px->expr == NULL || px->flags == NULL || px->ids == NULL || px->custom == NULL
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
            px->ids[px->n] = (unsigned)px->n;
            px->n++;
        }
    }
    return BZ_OK;
}

/* The database says which expression it does not take. */
static enum bz_status refused(const struct pack_exprs *px, hs_compile_error_t *e,
                              struct bz_custom_error *err) {
    size_t builtin = px->n - px->custom_n;
    enum bz_status st = BZ_EINTERNAL;
    if (e == NULL)
        return BZ_ENOMEM;
    if (e->expression >= 0 && (size_t)e->expression >= builtin && (size_t)e->expression < px->n) {
        err->index = px->custom[(size_t)e->expression - builtin].type - builtin_types();
        st = BZ_ESYNTAX;
    }
    snprintf(err->text, sizeof err->text, "%s%s%s", e->message == NULL ? "" : e->message,
             st == BZ_EINTERNAL && e->expression >= 0 ? ": " : "",
             st == BZ_EINTERNAL && e->expression >= 0 ? px->expr[e->expression] : "");
    hs_free_compile_error(e);
    return st;
}

static enum bz_status database(const struct pack_exprs *px, char **ret, size_t *ret_n,
                               struct bz_custom_error *err) {
    hs_database_t *db = NULL;
    hs_compile_error_t *e = NULL;
    if (hs_compile_multi(px->expr, px->flags, px->ids, (unsigned)px->n, HS_MODE_BLOCK, NULL, &db,
                         &e) != HS_SUCCESS)
        return refused(px, e, err);
    hs_error_t st = hs_serialize_database(db, ret, ret_n);
    hs_free_database(db);
    return st == HS_SUCCESS ? BZ_OK : BZ_ENOMEM;
}

static void write_pack(struct bz_buf *out, struct bz_view custom, struct bz_view db) {
    uint8_t hash[BZ_HASH_LEN];
    size_t begin = out->n;
    engine_stamp(hash);
    bz_buf_put(out, BZ_V(PACK_MAGIC));
    bz_buf_put_le32(out, ENGINE_VERSION);
    bz_buf_put(out, bz_view(hash, sizeof hash));
    bz_buf_put_le32(out, (uint32_t)custom.n);
    bz_buf_put(out, custom);
    bz_buf_put_le32(out, (uint32_t)db.n);
    bz_buf_put(out, db);
    if (bz_buf_status(out) != BZ_OK)
        return;
    bz_sha256(bz_view(out->p + begin, out->n - begin), hash);
    bz_buf_put(out, bz_view(hash, sizeof hash));
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
    char *db = NULL;
    size_t db_n = 0;
    BZ_TRY(database(&px, &db, &db_n, err));
    write_pack(out, bz_buf_view(text), bz_view(db, db_n));
    bz_alloc_heap.free(NULL, db);
    return bz_buf_status(out);
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
