/* Rule files to a pack: the parts, the database of anchors, and the tests that stand in the files.
 *   "BZRULES\n" version:4 stamp:32 n:4*9 parts database_n:4 database
 * Vectorscan gets words alone, so compiling takes tens of milliseconds: it is done where it is used,
 * for the processor that is there, and no database is shipped that fits some other. */
#include <stdlib.h>

#include "rules_int.h"

enum { PART_MAX = BZ_RULE_PACK_MAX, MEMORY_MAX = 64 << 20, TEST_MEMORY = 8 << 20 };

#define NONE ((struct bz_view){0})

uint32_t packer_text(struct packer *m, struct bz_view v) {
    uint32_t at = (uint32_t)m->part[PK_TEXT].n;
    bz_buf_put(&m->part[PK_TEXT], v);
    return at;
}

enum bz_status packer_canon(struct packer *m, struct bz_view v, struct bz_view *ret) {
    struct bz_reading *r = NULL;
    size_t n = 0;
    bz_arena_free(&m->scratch);
    BZ_TRY(bz_readings(v, &m->scratch, &r, &n));
    *ret = bz_arena_dup(&m->ar, r[0].text);
    return ret->p == NULL ? BZ_ENOMEM : BZ_OK;
}

/* ---- anchors ---- */

struct anchor { /* a word, and a pattern that is found by it */
    struct bz_view text;
    uint16_t flags;
    uint32_t list, pattern; /* patterns of one list side by side: it is looked at once for them */
};

static int by_text(const void *va, const void *vb) {
    const struct anchor *a = va;
    const struct anchor *b = vb;
    size_t n = a->text.n < b->text.n ? a->text.n : b->text.n;
    int c = memcmp(a->text.p, b->text.p, n);
    if (c != 0)
        return c;
    if (a->text.n != b->text.n)
        return a->text.n < b->text.n ? -1 : 1;
    if (a->flags != b->flags)
        return a->flags < b->flags ? -1 : 1;
    if (a->list != b->list)
        return a->list < b->list ? -1 : 1;
    return (a->pattern > b->pattern) - (a->pattern < b->pattern);
}

/* The longest word of each phrase of the pattern's anchor. */
static void put_anchors(struct packer *m, uint32_t pattern, struct bz_buf *out) {
    const struct pk_pattern *p =
        (const struct pk_pattern *)(const void *)m->part[PK_PATTERNS].p + pattern;
    const struct pk_elem *e = (const struct pk_elem *)(const void *)m->part[PK_ELEMS].p + p->elem;
    const struct pk_alt *alts = (const void *)m->part[PK_ALTS].p;
    const struct pk_word *words = (const void *)m->part[PK_WORDS].p;
    if (p->anchor == UNLESS)
        return;
    const struct pk_list *l =
        (const struct pk_list *)(const void *)m->part[PK_LISTS].p + e[p->anchor].list;
    for (uint32_t i = 0; i < l->n; i++) {
        const struct pk_alt *a = &alts[l->alt + i];
        const struct pk_word *best = &words[a->word + pattern_longest(m, a)];
        struct anchor one = {.text = bz_view(m->part[PK_TEXT].p + best->text, best->n),
                             .flags = best->flags,
                             .list = e[p->anchor].list,
                             .pattern = pattern};
        bz_buf_put(out, bz_view(&one, sizeof one));
    }
}

static bool same_word(const struct anchor *a, const struct anchor *b) {
    return bz_view_eq(a->text, b->text) && a->flags == b->flags;
}

/* Literals with the patterns of each; their texts go to `expr`. */
static enum bz_status put_literals(struct packer *m, const struct anchor *v, size_t n,
                                   const char **expr, size_t *len, unsigned *ids, unsigned *ret_n) {
    unsigned count = 0;
    for (size_t i = 0; i < n;) {
        struct pk_literal l = {
            .ref = pk_n(m, PK_REFS), .n = (uint16_t)v[i].text.n, .flags = v[i].flags};
        size_t k = i;
        for (; k < n && same_word(&v[i], &v[k]); k++) {
            if (k > i && v[k].pattern == v[k - 1].pattern)
                continue;
            bz_buf_put(&m->part[PK_REFS], bz_view(&v[k].pattern, sizeof v[k].pattern));
            l.refs++;
        }
        expr[count] = (const char *)v[i].text.p;
        len[count] = v[i].text.n;
        ids[count] = count;
        count++;
        bz_buf_put(&m->part[PK_LITERALS], bz_view(&l, sizeof l));
        i = k;
    }
    *ret_n = count;
    BZ_TRY(bz_buf_status(&m->part[PK_REFS]));
    return bz_buf_status(&m->part[PK_LITERALS]);
}

static enum bz_status write_database(const char *const *expr, const size_t *len,
                                     const unsigned *flags, const unsigned *ids, unsigned n,
                                     struct bz_buf *out) {
    hs_database_t *db = NULL;
    hs_compile_error_t *e = NULL;
    if (hs_compile_lit_multi(expr, flags, ids, len, n, HS_MODE_BLOCK, NULL, &db, &e) !=
        HS_SUCCESS) {
        hs_free_compile_error(e);
        return e == NULL ? BZ_ENOMEM : BZ_EINTERNAL; /* literals are never refused */
    }
    char *bytes = NULL;
    size_t size = 0;
    hs_error_t st = hs_serialize_database(db, &bytes, &size);
    hs_free_database(db);
    if (st != HS_SUCCESS)
        return BZ_ENOMEM;
    bz_buf_put_le32(out, (uint32_t)size);
    bz_buf_put(out, bz_view(bytes, size));
    bz_alloc_heap.free(NULL, bytes);
    return bz_buf_status(out);
}

static enum bz_status put_database(struct packer *m, struct bz_buf *anchors, struct bz_buf *out) {
    size_t n = anchors->n / sizeof(struct anchor);
    const struct anchor *v = (const void *)anchors->p;
    const char **expr = bz_arena_zalloc(&m->ar, (n + 1) * sizeof *expr);
    size_t *len = bz_arena_zalloc(&m->ar, (n + 1) * sizeof *len);
    unsigned *ids = bz_arena_zalloc(&m->ar, (n + 1) * sizeof *ids);
    unsigned *flags = bz_arena_zalloc(&m->ar, (n + 1) * sizeof *flags);
    unsigned count = 0;
    if (expr == NULL || len == NULL || ids == NULL || flags == NULL)
        return BZ_ENOMEM;
    BZ_TRY(put_literals(m, v, n, expr, len, ids, &count));
    if (count == 0) {
        bz_buf_put_le32(out, 0);
        return bz_buf_status(out);
    }
    return write_database(expr, len, flags, ids, count, out);
}

static enum bz_status write_pack(struct packer *m, struct bz_buf *out) {
    uint8_t stamp[32];
    struct bz_buf anchors, db;
    bz_buf_init(&anchors, PART_MAX);
    bz_buf_init(&db, PART_MAX);
    for (uint32_t i = 0; i < pk_n(m, PK_PATTERNS); i++)
        put_anchors(m, i, &anchors);
    enum bz_status st = bz_buf_status(&anchors);
    if (st == BZ_OK && anchors.n > 0)
        qsort(anchors.p, anchors.n / sizeof(struct anchor), sizeof(struct anchor), by_text);
    if (st == BZ_OK)
        st = put_database(m, &anchors, &db);
    bz_buf_free(&anchors);
    if (st == BZ_OK) {
        pk_stamp(stamp);
        bz_buf_put(out, BZ_V("BZRULES\n"));
        bz_buf_put_le32(out, PACK_VERSION);
        bz_buf_put(out, bz_view(stamp, sizeof stamp));
        for (unsigned i = 0; i < PK_COUNT; i++)
            bz_buf_put_le32(out, pk_n(m, (enum pk_part)i));
        for (unsigned i = 0; i < PK_COUNT; i++)
            bz_buf_put(out, bz_buf_view(&m->part[i]));
        bz_buf_put(out, bz_buf_view(&db));
        st = bz_buf_status(out);
    }
    bz_buf_free(&db);
    return st;
}

/* ---- tests ---- */

struct tester {
    struct packer *m;
    struct rules r;
    struct bz_arena ar;
    uint8_t *seen; /* by pattern: an example matched it */
};

/* Is one of the rules [rule, rule + rules) found in a reading of the text, with nothing beside it that
 * softens it? */
static enum bz_status found(struct tester *t, const struct rule_test *test, bool *ret) {
    struct bz_reading *v = NULL;
    size_t n = 0;
    bool costly = false;
    *ret = false;
    bz_arena_free(&t->ar);
    BZ_TRY(bz_readings(test->text, &t->ar, &v, &n));
    for (size_t i = 0; i < n; i++) {
        BZ_TRY(rules_scan(&t->r, v[i].text, (1u << BZ_CHANNEL_COUNT) - 1, &costly));
        for (uint32_t k = 0; k < t->r.order_n; k++) {
            uint32_t rule = t->r.order[k];
            *ret |= rule - test->rule < test->rules && !t->r.hits[rule].soft;
        }
        for (uint32_t p = 0; p < t->r.n[PK_PATTERNS]; p++) {
            if (t->r.pattern_hits[p] == t->r.round && t->r.patterns[p].rule == test->rule)
                t->seen[p] |= test->match;
        }
    }
    return BZ_OK;
}

static struct bz_view id_of(const struct tester *t, uint32_t rule) {
    return rule < t->r.n[PK_RULES] ? t->r.rules[rule].id : NONE;
}

static enum bz_status run_test(struct tester *t, const struct rule_test *test) {
    bool hit = false;
    BZ_TRY(found(t, test, &hit));
    if (hit == test->match)
        return BZ_OK;
    if (test->match)
        return packer_fail(t->m, test->at, "rule '%s' does not match this example, which it should",
                           id_of(t, test->rule));
    for (uint32_t k = 0; k < t->r.order_n; k++) {
        if (t->r.order[k] - test->rule < test->rules)
            return packer_fail(t->m, test->at,
                               "rule '%s' matches this example, which it should not",
                               id_of(t, t->r.order[k]));
    }
    return packer_fail(t->m, test->at, "once decoded, this example matches, which it should not",
                       NONE);
}

/* Each pattern as it is written, and each language of a rule, must be shown to match something. Notes of
 * one rule stand together. */
static enum bz_status shown(struct tester *t) {
    const struct pattern_note *v = (const void *)t->m->notes.p;
    size_t n = t->m->notes.n / sizeof *v;
    for (size_t i = 0, first = 0; i < n; i++) {
        bool pattern = v[i].unless, lang = v[i].unless;
        first = v[i].rule == v[first].rule ? first : i;
        for (size_t k = first; k < n && v[k].rule == v[i].rule && !(pattern && lang); k++) {
            if (t->seen[k] == 0)
                continue;
            pattern |= v[k].at.line == v[i].at.line && v[k].at.column == v[i].at.column;
            lang |= bz_view_eq(v[k].lang, v[i].lang);
        }
        if (!lang)
            return packer_fail(t->m, v[i].at,
                               "no example of `match` shows this in language '%s'; add one",
                               v[i].lang);
        if (!pattern)
            return packer_fail(t->m, v[i].at,
                               "no example of `match` is found by this pattern; add one", NONE);
    }
    return BZ_OK;
}

static enum bz_status run_tests(struct packer *m, struct bz_view pack) {
    struct tester t = {.m = m};
    const struct rule_test *v = (const void *)m->tests.p;
    size_t n = m->tests.n / sizeof *v;
    BZ_TRY(rules_open(pack, &t.r));
    size_t patterns = t.r.n[PK_PATTERNS];
    t.seen = bz_arena_zalloc(&m->ar, patterns + 1);
    t.r.pattern_hits = bz_arena_zalloc(&m->ar, (patterns + 1) * sizeof *t.r.pattern_hits);
    bz_arena_init(&t.ar, bz_alloc_heap, TEST_MEMORY, NULL, 0);
    enum bz_status st = t.seen == NULL || t.r.pattern_hits == NULL ? BZ_ENOMEM : BZ_OK;
    for (size_t i = 0; i < n && st == BZ_OK; i++)
        st = run_test(&t, &v[i]);
    if (st == BZ_OK)
        st = shown(&t);
    bz_arena_free(&t.ar);
    rules_close(&t.r);
    return st;
}

/* ---- all of it ---- */

static enum bz_status compile(struct packer *m, const struct bz_rule_file *files, size_t n,
                              struct bz_buf *out) {
    size_t begin = out->n;
    for (size_t i = 0; i < n; i++) {
        m->file = (uint32_t)i;
        BZ_TRY(rules_read(m, files[i].yaml));
    }
    for (size_t i = 0; i < PK_COUNT; i++)
        BZ_TRY(bz_buf_status(&m->part[i]));
    BZ_TRY(write_pack(m, out));
    return run_tests(m, bz_view(out->p + begin, out->n - begin));
}

enum bz_status bz_rules_compile(const struct bz_rule_file *files, size_t n, struct bz_buf *out,
                                struct bz_rule_error *err) {
    struct bz_rule_error none;
    struct packer m = {.files = files, .err = err == NULL ? &none : err};
    size_t begin = out->n;
    *m.err = (struct bz_rule_error){.line = 0};
    if (n > BZ_RULE_FILES_MAX)
        return BZ_ETOOBIG;
    bz_arena_init(&m.ar, bz_alloc_heap, MEMORY_MAX, NULL, 0);
    bz_arena_init(&m.scratch, bz_alloc_heap, TEST_MEMORY, NULL, 0);
    for (size_t i = 0; i < PK_COUNT; i++)
        bz_buf_init(&m.part[i], PART_MAX);
    bz_buf_init(&m.tests, PART_MAX);
    bz_buf_init(&m.notes, PART_MAX);
    enum bz_status st = compile(&m, files, n, out);
    for (size_t i = 0; i < PK_COUNT; i++)
        bz_buf_free(&m.part[i]);
    bz_buf_free(&m.tests);
    bz_buf_free(&m.notes);
    bz_arena_free(&m.ar);
    bz_arena_free(&m.scratch);
    if (st != BZ_OK && out->st == BZ_OK)
        out->n = begin; /* nothing of it stays */
    return st;
}
