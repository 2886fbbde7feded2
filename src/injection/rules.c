/* An opened pack of rules, and a scan with it. */
#include "rules_int.h"

#include <bartizan/crypto.h>

enum {
    MEMORY_MAX = 64 << 20,
    STEPS_BASE = 4096, /* of one scan, */
    STEPS_BYTE = 6,    /* and for each byte of it: prose takes 0.2, the densest manuals 5 */
    CANDIDATES = 64,   /* beginnings that a match may have before its anchor */
};

const uint32_t pk_size[PK_COUNT] = {
    1,
    sizeof(struct pk_word),
    sizeof(struct pk_alt),
    sizeof(struct pk_list),
    sizeof(struct pk_elem),
    sizeof(struct pk_pattern),
    sizeof(struct pk_rule),
    sizeof(struct pk_literal),
    sizeof(uint32_t),
};

void pk_stamp(uint8_t out[32]) {
    struct bz_sha256 h;
    const uint32_t order = 0x01020304;
    bz_sha256_init(&h);
    bz_sha256_add(&h, bz_view_str(BZ_VERSION));
    bz_sha256_add(&h, bz_view_str(hs_version()));
    bz_sha256_add(&h, bz_view(pk_size, sizeof pk_size));
    bz_sha256_add(&h, bz_view(&order, sizeof order));
    bz_sha256_end(&h, out);
}

/* ---- opening ---- */

static bool in(uint32_t from, uint32_t n, uint32_t all) {
    return from <= all && n <= all - from;
}

static bool texts_ok(const struct rules *r) {
    for (uint32_t i = 0; i < r->n[PK_WORDS]; i++) {
        const struct pk_word *w = &r->words[i];
        if (w->n == 0 || w->n > WORD_MAX || !in(w->text, w->n, r->n[PK_TEXT]))
            return false;
    }
    for (uint32_t i = 0; i < r->n[PK_ALTS]; i++) {
        const struct pk_alt *a = &r->alts[i];
        if (a->n == 0 || a->n > ALT_WORDS || !in(a->word, a->n, r->n[PK_WORDS]))
            return false;
    }
    for (uint32_t i = 0; i < r->n[PK_LISTS]; i++) {
        if (!in(r->lists[i].alt, r->lists[i].n, r->n[PK_ALTS]))
            return false;
    }
    for (uint32_t i = 0; i < r->n[PK_LITERALS]; i++) {
        const struct pk_literal *l = &r->literals[i];
        if (l->n == 0 || l->n > WORD_MAX || !in(l->ref, l->refs, r->n[PK_REFS]))
            return false;
    }
    return true;
}

static bool patterns_ok(const struct rules *r) {
    for (uint32_t i = 0; i < r->n[PK_ELEMS]; i++) {
        const struct pk_elem *e = &r->elems[i];
        bool lists = e->kind == ELEM_LIST || e->kind == ELEM_NOT;
        if (e->kind >= ELEM_COUNT || e->n > BYTES_MAX || (lists && e->list >= r->n[PK_LISTS]))
            return false;
    }
    for (uint32_t i = 0; i < r->n[PK_PATTERNS]; i++) {
        const struct pk_pattern *p = &r->patterns[i];
        if (p->elems == 0 || p->elems > ELEMS_MAX || !in(p->elem, p->elems, r->n[PK_ELEMS]) ||
            p->rule >= r->n[PK_RULES])
            return false;
        bool placed = p->anchor < p->elems && r->elems[p->elem + p->anchor].kind == ELEM_LIST;
        if (p->anchor != UNLESS && !placed)
            return false;
    }
    for (uint32_t i = 0; i < r->n[PK_REFS]; i++) {
        if (r->refs[i] >= r->n[PK_PATTERNS] || r->patterns[r->refs[i]].anchor == UNLESS)
            return false;
    }
    for (uint32_t i = 0; i < r->n[PK_RULES]; i++) {
        const struct pk_rule *k = &r->pk_rules[i];
        bool ok = in(k->unless, k->unless_n, r->n[PK_PATTERNS]);
        for (size_t t = 0; t < 4; t++)
            ok = ok && in(k->text[t], k->n[t], r->n[PK_TEXT]);
        for (size_t c = 0; c < BZ_CHANNEL_COUNT; c++)
            ok = ok && k->score[c] >= 0 && k->score[c] <= 1;
        if (!ok)
            return false;
    }
    return true;
}

/* The parts, copied to where they are aligned. */
static enum bz_status read_parts(struct bz_rd *rd, struct rules *r) {
    const void *part[PK_COUNT] = {0};
    for (size_t i = 0; i < PK_COUNT; i++)
        r->n[i] = bz_rd_le32(rd);
    for (size_t i = 0; i < PK_COUNT; i++) {
        if (!bz_rd_ok(rd) || r->n[i] > BZ_RULE_PACK_MAX / pk_size[i])
            return BZ_ECORRUPT;
        struct bz_view v = bz_rd_take(rd, (size_t)r->n[i] * pk_size[i]);
        if (!bz_rd_ok(rd))
            return BZ_ECORRUPT;
        part[i] = bz_arena_dup(&r->ar, v).p;
        if (part[i] == NULL)
            return BZ_ENOMEM;
    }
    r->text = part[PK_TEXT];
    r->words = part[PK_WORDS];
    r->alts = part[PK_ALTS];
    r->lists = part[PK_LISTS];
    r->elems = part[PK_ELEMS];
    r->patterns = part[PK_PATTERNS];
    r->pk_rules = part[PK_RULES];
    r->literals = part[PK_LITERALS];
    r->refs = part[PK_REFS];
    return texts_ok(r) && patterns_ok(r) ? BZ_OK : BZ_ECORRUPT;
}

static enum bz_status status_of(hs_error_t e) {
    switch (e) {
    case HS_SUCCESS:
        return BZ_OK;
    case HS_NOMEM:
        return BZ_ENOMEM;
    case HS_DB_VERSION_ERROR:
    case HS_DB_PLATFORM_ERROR:
    case HS_DB_MODE_ERROR:
    case HS_ARCH_ERROR:
        return BZ_EVERSION;
    default:
        return BZ_ECORRUPT;
    }
}

static struct bz_view text_of(const struct rules *r, const struct pk_rule *k, size_t which) {
    return bz_view(r->text + k->text[which], k->n[which]);
}

static enum bz_status make_tables(struct rules *r) {
    size_t n = r->n[PK_RULES];
    r->rules = bz_arena_zalloc(&r->ar, (n + 1) * sizeof *r->rules);
    r->hits = bz_arena_zalloc(&r->ar, (n + 1) * sizeof *r->hits);
    r->order = bz_arena_zalloc(&r->ar, (n + 1) * sizeof *r->order);
    if (r->rules == NULL || r->hits == NULL || r->order == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct pk_rule *k = &r->pk_rules[i];
        struct bz_injection_rule *out = &r->rules[i];
        *out = (struct bz_injection_rule){.id = text_of(r, k, 0),
                                          .family = text_of(r, k, 1),
                                          .what = text_of(r, k, 2),
                                          .refs = text_of(r, k, 3),
                                          .channels = (uint8_t)k->channels};
        memcpy(out->score, k->score, sizeof out->score);
    }
    return BZ_OK;
}

static enum bz_status open_pack(struct bz_view pack, struct rules *r) {
    struct bz_rd rd;
    uint8_t stamp[32];
    bz_rd_init(&rd, pack);
    if (!bz_view_eq(bz_rd_take(&rd, 8), BZ_V("BZRULES\n")))
        return BZ_ECORRUPT;
    pk_stamp(stamp);
    if (bz_rd_le32(&rd) != PACK_VERSION ||
        !bz_view_eq(bz_rd_take(&rd, sizeof stamp), bz_view(stamp, sizeof stamp)))
        return BZ_EVERSION;
    BZ_TRY(read_parts(&rd, r));
    struct bz_view db = bz_rd_take(&rd, bz_rd_count(&rd, 1));
    if (bz_rd_end(&rd) != BZ_OK)
        return BZ_ECORRUPT;
    BZ_TRY(make_tables(r));
    if (db.n == 0)
        return r->n[PK_LITERALS] == 0 ? BZ_OK : BZ_ECORRUPT;
    BZ_TRY(status_of(hs_deserialize_database((const char *)db.p, db.n, &r->db)));
    return status_of(hs_alloc_scratch(r->db, &r->scratch));
}

enum bz_status rules_open(struct bz_view pack, struct rules *ret) {
    *ret = (struct rules){.db = NULL};
    bz_arena_init(&ret->ar, bz_alloc_heap, MEMORY_MAX, NULL, 0);
    enum bz_status st = open_pack(pack, ret);
    if (st != BZ_OK)
        rules_close(ret);
    return st;
}

void rules_close(struct rules *r) {
    if (r->scratch != NULL)
        hs_free_scratch(r->scratch);
    if (r->db != NULL)
        hs_free_database(r->db);
    bz_arena_free(&r->ar);
    *r = (struct rules){.db = NULL};
}

/* ---- scanning ---- */

struct scan {
    struct rules *r;
    struct match_job job;
    unsigned channels;
    size_t start;          /* of the anchor in hand */
    size_t at[CANDIDATES]; /* words before it, the nearest first */
    size_t at_n;
    bool at_end;                   /* there are no more */
    const struct pk_literal *word; /* the anchor's word */
    uint32_t list;                 /* a list that was looked at for this anchor, UINT32_MAX: none */
    bool listed;                   /* and whether a phrase of it is there */
};

/* Beginning number i, going back. */
static bool candidate(struct scan *s, size_t i, size_t *ret) {
    while (s->at_n <= i && !s->at_end) {
        size_t from = s->at_n == 0 ? s->start : s->at[s->at_n - 1];
        size_t at = s->at_n == 0 ? match_word_start(s->job.text, from)
                                 : match_word_before(s->job.text, from);
        s->at_end = s->at_n > 0 && at == from;
        if (!s->at_end)
            s->at[s->at_n++] = at;
    }
    if (i >= s->at_n)
        return false;
    *ret = s->at[i];
    return true;
}

/* Does a phrase of the list stand there, of which the anchor is a word? Most words stand alone. */
static bool phrase_there(struct scan *s, uint32_t list) {
    size_t from = 0;
    for (size_t i = 0; i <= s->r->lists[list].back && candidate(s, i, &from); i++) {
        if (match_phrases(&s->job, &s->r->lists[list], from) > s->start)
            return true;
    }
    return false;
}

static bool anchored(struct scan *s, const struct pk_pattern *p) {
    uint32_t list = s->r->elems[p->elem + p->anchor].list;
    if ((s->word->flags & WORD_RAW) != 0)
        return true;
    if (s->list != list) {
        s->list = list;
        s->listed = phrase_there(s, list);
    }
    return s->listed;
}

/* From where on a match may begin of a pattern that begins with bytes as they are; where it begins with
 * a line, that is the anchor's or the one before. */
static size_t first_byte(const struct scan *s, const struct pk_pattern *p) {
    size_t least = s->start > p->back_bytes ? s->start - p->back_bytes : 0;
    if ((p->flags & PATTERN_LINE) == 0)
        return least;
    size_t at = s->start;
    for (size_t lines = 0; at > least; at--) {
        if (s->job.text.p[at - 1] == '\n' && ++lines == 2)
            break;
    }
    return at;
}

/* No line begins before the place for as many signs as may stand there. */
static bool within_line(struct bz_view text, size_t p) {
    for (size_t k = 0; k < SEPARATORS * 4u; k++) {
        if (p == k || text.p[p - k - 1] == '\n')
            return false;
    }
    return true;
}

static bool take_step(struct scan *s) {
    if (s->job.steps == 0)
        return false;
    s->job.steps--;
    return true;
}

/* A match of the pattern that has its anchor at s->start. */
static bool find(struct scan *s, const struct pk_pattern *p, size_t *ret_from, size_t *ret_to) {
    size_t to = 0;
    if ((p->flags & PATTERN_RAW) != 0) {
        size_t least = first_byte(s, p);
        if ((p->flags & PATTERN_LINE) != 0 && least > 0 && within_line(s->job.text, least))
            return false;
        for (size_t from = s->start + 1; from-- > least && take_step(s);) {
            if (match_pattern(&s->job, p, from, &to) && to > s->start) {
                *ret_from = from;
                *ret_to = to;
                return true;
            }
        }
        return false;
    }
    size_t from = 0;
    for (size_t i = 0; i <= p->back_tokens && i < CANDIDATES && candidate(s, i, &from); i++) {
        if (!take_step(s))
            return false;
        if (match_pattern(&s->job, p, from, &to) && to > s->start) {
            *ret_from = from;
            *ret_to = to;
            return true;
        }
    }
    return false;
}

/* Does one of the patterns of `unless` match near [from, to)? */
static bool softened(struct scan *s, const struct pk_rule *k, size_t from, size_t to) {
    struct bz_view text = s->job.text;
    size_t lo = from > AROUND ? from - AROUND : 0;
    size_t hi = text.n - to > AROUND ? to + AROUND : text.n;
    size_t end = 0;
    for (size_t p = lo; k->unless_n > 0 && p < hi; p++) {
        if ((text.p[p] & 0xc0) == 0x80 || !match_edge(text, p))
            continue;
        for (uint32_t i = 0; i < k->unless_n; i++) {
            if (match_pattern(&s->job, &s->r->patterns[k->unless + i], p, &end))
                return true;
        }
    }
    return false;
}

static void check(struct scan *s, uint32_t pattern) {
    struct rules *r = s->r;
    const struct pk_pattern *p = &r->patterns[pattern];
    const struct pk_rule *k = &r->pk_rules[p->rule];
    struct rule_hit *hit = &r->hits[p->rule];
    size_t from = 0, to = 0;
    bool known = hit->round == r->round;
    if ((k->channels & s->channels) == 0 || (known && !hit->soft && r->pattern_hits == NULL))
        return;
    if (!anchored(s, p) || !find(s, p, &from, &to))
        return;
    if (r->pattern_hits != NULL)
        r->pattern_hits[pattern] = r->round;
    bool soft = softened(s, k, from, to);
    if (known && (soft || !hit->soft))
        return;
    if (!known)
        r->order[r->order_n++] = p->rule;
    *hit = (struct rule_hit){r->round, (uint32_t)from, (uint32_t)to, soft};
}

static int on_word(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                   void *ctx) {
    struct scan *s = ctx;
    const struct pk_literal *l = &s->r->literals[id];
    size_t end = (size_t)to;
    (void)from;
    (void)flags;
    s->start = end - l->n;
    s->at_n = 0;
    s->at_end = false;
    s->word = l;
    s->list = UINT32_MAX;
    if ((l->flags & (WORD_RAW | WORD_HEAD)) == 0 && !match_edge(s->job.text, s->start))
        return 0;
    if ((l->flags & (WORD_RAW | WORD_TAIL)) == 0 && !match_edge(s->job.text, end))
        return 0;
    for (uint32_t i = 0; i < l->refs && s->job.steps > 0; i++)
        check(s, s->r->refs[l->ref + i]);
    return s->job.steps == 0 ? 1 : 0;
}

enum bz_status rules_scan(struct rules *r, struct bz_view text, unsigned channels,
                          bool *ret_costly) {
    struct scan s = {.r = r, .channels = channels};
    s.job = (struct match_job){r, text, STEPS_BASE + (uint64_t)text.n * STEPS_BYTE};
    r->order_n = 0;
    r->round++;
    *ret_costly = false;
    if (text.n > UINT32_MAX)
        return BZ_ETOOBIG;
    if (text.n == 0 || r->db == NULL)
        return BZ_OK;
    hs_error_t e =
        hs_scan(r->db, (const char *)text.p, (unsigned)text.n, 0, r->scratch, on_word, &s);
    *ret_costly = s.job.steps == 0;
    return e == HS_SUCCESS || e == HS_SCAN_TERMINATED ? BZ_OK : BZ_EINTERNAL;
}
