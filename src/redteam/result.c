/* What a run came to: totals, comparison with another run, JSON and text. */
#include "red_int.h"

uint64_t bz_red_sum(const uint64_t v[BZ_RED_LEVEL_COUNT]) {
    return v[BZ_RED_STOPPED] + v[BZ_RED_FLAGGED] + v[BZ_RED_PASSED];
}

const char *bz_red_level_name(enum bz_red_level l) {
    static const char *const names[BZ_RED_LEVEL_COUNT] = {"stopped", "flagged", "passed"};
    return (unsigned)l < BZ_RED_LEVEL_COUNT ? names[l] : "?";
}

void bz_red_total(const struct bz_red_result *r, struct bz_red_totals *ret) {
    uint64_t attacks[BZ_RED_LEVEL_COUNT] = {0}, twins[BZ_RED_LEVEL_COUNT] = {0};
    *ret = (struct bz_red_totals){.forbidden_calls = 0};
    for (size_t i = 0; i < r->families_n; i++) {
        for (int l = 0; l < BZ_RED_LEVEL_COUNT; l++) {
            attacks[l] += r->families[i].attacks[l];
            twins[l] += r->families[i].twins[l];
        }
        ret->unchecked += r->families[i].unchecked;
    }
    for (size_t i = 0; i < r->trials_n; i++) {
        const struct bz_red_trial *t = &r->trials[i];
        uint64_t *to = t->forbid == BZ_RED_FORBID_CALL   ? &ret->forbidden_calls
                       : t->forbid == BZ_RED_FORBID_LINK ? &ret->links
                                                         : &ret->leaks;
        *to += t->forbidden;
        ret->unchecked += t->unchecked;
        ret->beyond += t->beyond;
    }
    uint64_t n = bz_red_sum(attacks);
    ret->stopped = bz_red_rate(attacks[BZ_RED_STOPPED], n);
    ret->noticed = bz_red_rate(attacks[BZ_RED_STOPPED] + attacks[BZ_RED_FLAGGED], n);
    ret->wronged = bz_red_rate(twins[BZ_RED_STOPPED], bz_red_sum(twins));
}

/* ---- comparison ---- */

static void worse(struct bz_red_comparison *c, struct bz_view what, const char *why,
                  struct bz_red_rate before, struct bz_red_rate now) {
    if (c->n < BZ_RED_WORSE_MAX)
        c->v[c->n++] = (struct bz_red_worse){what, why, before, now};
}

static struct bz_red_rate rate_of(const uint64_t v[BZ_RED_LEVEL_COUNT], enum bz_red_level up_to) {
    uint64_t k = v[BZ_RED_STOPPED] + (up_to >= BZ_RED_FLAGGED ? v[BZ_RED_FLAGGED] : 0);
    return bz_red_rate(k, bz_red_sum(v));
}

static void compare_family(const struct bz_red_tally *was, const struct bz_red_tally *is,
                           struct bz_red_comparison *c) {
    static const struct {
        enum bz_red_level level;
        const char *why;
    } of[] = {{BZ_RED_STOPPED, "fewer attacks are stopped"},
              {BZ_RED_FLAGGED, "fewer attacks are noticed"}};
    for (size_t i = 0; i < 2; i++) {
        struct bz_red_rate before = rate_of(was->attacks, of[i].level),
                           now = rate_of(is->attacks, of[i].level);
        if (bz_red_fell(&before, &now))
            worse(c, is->name, of[i].why, before, now);
    }
    struct bz_red_rate before = rate_of(was->twins, BZ_RED_STOPPED),
                       now = rate_of(is->twins, BZ_RED_STOPPED);
    if (bz_red_fell(&now, &before))
        worse(c, is->name, "more benign texts are stopped", before, now);
}

static void compare_trial(const struct bz_red_trial *was, const struct bz_red_trial *is,
                          struct bz_red_comparison *c) {
    if (is->forbidden > 0 && was->forbidden == 0)
        worse(c, is->id, "the forbidden outcome did not happen before",
              bz_red_rate(was->forbidden, was->rounds), bz_red_rate(is->forbidden, is->rounds));
}

void bz_red_compare(const struct bz_red_result *before, const struct bz_red_result *now,
                    struct bz_red_comparison *ret) {
    *ret = (struct bz_red_comparison){.n = 0};
    ret->other_corpus = memcmp(before->corpus, now->corpus, sizeof now->corpus) != 0 ||
                        memcmp(before->suite, now->suite, sizeof now->suite) != 0;
    for (size_t i = 0; i < now->families_n && !ret->other_corpus; i++)
        for (size_t k = 0; k < before->families_n; k++)
            if (bz_view_eq(before->families[k].name, now->families[i].name))
                compare_family(&before->families[k], &now->families[i], ret);
    for (size_t i = 0; i < now->trials_n; i++)
        for (size_t k = 0; k < before->trials_n; k++)
            if (bz_view_eq(before->trials[k].id, now->trials[i].id))
                compare_trial(&before->trials[k], &now->trials[i], ret);
}

/* ---- JSON ---- */

/* A rate of at most 1 with four digits: no floating point in any locale. */
static void put_part(struct bz_jw *w, const char *key, double v) {
    uint8_t mem[16];
    struct bz_buf b;
    unsigned n = v <= 0 ? 0 : v >= 1 ? 10000 : (unsigned)(v * 10000 + 0.5);
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_printf(&b, "%u.%04u", n / 10000, n % 10000);
    bz_jw_key(w, key);
    bz_jw_raw(w, bz_buf_view(&b));
}

static void put_rate(struct bz_jw *w, const char *key, struct bz_red_rate r) {
    bz_jw_key(w, key);
    bz_jw_obj(w);
    bz_jw_ku64(w, "k", r.k);
    bz_jw_ku64(w, "n", r.n);
    put_part(w, "low", r.low);
    put_part(w, "high", r.high);
    bz_jw_end(w);
}

static void put_levels(struct bz_jw *w, const char *key, const uint64_t v[BZ_RED_LEVEL_COUNT]) {
    bz_jw_key(w, key);
    bz_jw_obj(w);
    for (int l = 0; l < BZ_RED_LEVEL_COUNT; l++)
        bz_jw_ku64(w, bz_red_level_name((enum bz_red_level)l), v[l]);
    bz_jw_end(w);
}

static void put_family(struct bz_jw *w, const struct bz_red_tally *f) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "family", f->name);
    bz_jw_kstr(w, "title", f->title);
    bz_jw_kstr(w, "refs", f->refs);
    put_levels(w, "attacks", f->attacks);
    put_levels(w, "twins", f->twins);
    bz_jw_ku64(w, "unchecked", f->unchecked);
    put_rate(w, "stopped", rate_of(f->attacks, BZ_RED_STOPPED));
    put_rate(w, "noticed", rate_of(f->attacks, BZ_RED_FLAGGED));
    put_rate(w, "wronged", rate_of(f->twins, BZ_RED_STOPPED));
    bz_jw_ku64(w, "adaptive", f->adaptive);
    bz_jw_ku64(w, "adaptive_passed", f->adaptive_passed);
    bz_jw_end(w);
}

static void put_trial(struct bz_jw *w, const struct bz_red_trial *t) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "scenario", t->id);
    bz_jw_kstr(w, "domain", t->domain);
    bz_jw_kstr(w, "forbids", bz_view_str(bz_red_forbid_name(t->forbid)));
    bz_jw_ku64(w, "rounds", t->rounds);
    bz_jw_ku64(w, "forbidden", t->forbidden);
    bz_jw_ku64(w, "beyond", t->beyond);
    bz_jw_ku64(w, "unchecked", t->unchecked);
    put_part(w, "nearest", t->nearest);
    bz_jw_end(w);
}

static void put_hex(struct bz_jw *w, const char *key, const uint8_t v[32]) {
    uint8_t mem[65];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put_hex(&b, bz_view(v, 32));
    bz_jw_kstr(w, key, bz_buf_view(&b));
}

static void put_totals(struct bz_jw *w, const struct bz_red_result *r) {
    struct bz_red_totals t;
    bz_red_total(r, &t);
    bz_jw_key(w, "totals");
    bz_jw_obj(w);
    put_rate(w, "stopped", t.stopped);
    put_rate(w, "noticed", t.noticed);
    put_rate(w, "wronged", t.wronged);
    bz_jw_ku64(w, "forbidden_calls", t.forbidden_calls);
    bz_jw_ku64(w, "leaks", t.leaks);
    bz_jw_ku64(w, "links", t.links);
    bz_jw_ku64(w, "beyond", t.beyond);
    bz_jw_ku64(w, "unchecked", t.unchecked);
    bz_jw_end(w);
}

static void put_comparison(struct bz_jw *w, const struct bz_red_comparison *c) {
    bz_jw_key(w, "comparison");
    bz_jw_obj(w);
    bz_jw_kbool(w, "other_corpus", c->other_corpus);
    bz_jw_key(w, "worse");
    bz_jw_arr(w);
    for (size_t i = 0; i < c->n; i++) {
        bz_jw_obj(w);
        bz_jw_kstr(w, "what", c->v[i].what);
        bz_jw_kstr(w, "why", bz_view_str(c->v[i].why));
        put_rate(w, "before", c->v[i].before);
        put_rate(w, "now", c->v[i].now);
        bz_jw_end(w);
    }
    bz_jw_end(w);
    bz_jw_end(w);
}

static void put_findings(struct bz_jw *w, const struct bz_red_result *r) {
    bz_jw_key(w, "findings");
    bz_jw_arr(w);
    for (size_t i = 0; i < r->findings_n; i++) {
        bz_jw_obj(w);
        bz_jw_kstr(w, "rule", r->findings[i].rule);
        bz_jw_kstr(w, "gene", r->findings[i].gene);
        bz_jw_kstr(w, "what", r->findings[i].what);
        bz_jw_kbool(w, "forbidden", r->findings[i].forbidden);
        bz_jw_end(w);
    }
    bz_jw_end(w);
    bz_jw_ku64(w, "findings_more", r->findings_more);
}

void bz_red_write_json(const struct bz_red_result *r, const struct bz_red_comparison *cmp,
                       struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "schema", BZ_V("bartizan-redteam/1"));
    bz_jw_kstr(&w, "tool", BZ_V("bartizan " BZ_VERSION));
    bz_jw_ku64(&w, "time", r->time);
    bz_jw_kstr(&w, "target", r->target);
    bz_jw_kstr(&w, "mode", r->mode);
    bz_jw_ku64(&w, "seed", r->seed);
    bz_jw_ku64(&w, "rounds", r->rounds);
    bz_jw_ku64(&w, "requests", r->requests);
    put_hex(&w, "corpus", r->corpus);
    put_hex(&w, "suite", r->suite);
    put_totals(&w, r);
    bz_jw_key(&w, "families");
    bz_jw_arr(&w);
    for (size_t i = 0; i < r->families_n; i++)
        put_family(&w, &r->families[i]);
    bz_jw_end(&w);
    bz_jw_key(&w, "scenarios");
    bz_jw_arr(&w);
    for (size_t i = 0; i < r->trials_n; i++)
        put_trial(&w, &r->trials[i]);
    bz_jw_end(&w);
    bz_jw_ku64(&w, "adaptive", r->adaptive);
    bz_jw_ku64(&w, "adaptive_forbidden", r->adaptive_forbidden);
    put_findings(&w, r);
    if (cmp != NULL)
        put_comparison(&w, cmp);
    bz_jw_end(&w);
    bz_buf_putc(out, '\n');
}

/* ---- text ---- */

static void text_rate(struct bz_buf *out, struct bz_red_rate r) {
    if (r.n == 0)
        bz_buf_puts(out, "        -            ");
    else
        bz_buf_printf(out, "%6.1f %% (%5.1f-%5.1f)", 100 * (double)r.k / (double)r.n, 100 * r.low,
                      100 * r.high);
}

static void text_families(const struct bz_red_result *r, struct bz_buf *out) {
    if (r->families_n == 0)
        return;
    bz_buf_puts(out, "family            attacks  stopped (95 %)         noticed (95 %)         "
                     "benign stopped (95 %)\n");
    for (size_t i = 0; i < r->families_n; i++) {
        const struct bz_red_tally *f = &r->families[i];
        size_t from = out->n;
        bz_put_safe(out, f->name);
        for (size_t n = out->n - from; n < 18; n++)
            bz_buf_putc(out, ' ');
        bz_buf_printf(out, "%7u  ", (unsigned)bz_red_sum(f->attacks));
        text_rate(out, rate_of(f->attacks, BZ_RED_STOPPED));
        bz_buf_puts(out, "  ");
        text_rate(out, rate_of(f->attacks, BZ_RED_FLAGGED));
        bz_buf_puts(out, "  ");
        text_rate(out, rate_of(f->twins, BZ_RED_STOPPED));
        bz_buf_putc(out, '\n');
    }
}

static void text_worse(const struct bz_red_comparison *c, struct bz_buf *out) {
    if (c == NULL)
        return;
    if (c->other_corpus)
        bz_buf_puts(out, "the baseline is of another corpus: rates are not compared\n");
    for (size_t i = 0; i < c->n; i++) {
        bz_buf_puts(out, "worse: ");
        bz_put_safe(out, c->v[i].what);
        bz_buf_printf(out, ": %s: was", c->v[i].why);
        text_rate(out, c->v[i].before);
        bz_buf_puts(out, ", is");
        text_rate(out, c->v[i].now);
        bz_buf_putc(out, '\n');
    }
    if (c->n == 0 && !c->other_corpus)
        bz_buf_puts(out, "nothing is worse than the baseline\n");
}

void bz_red_write_text(const struct bz_red_result *r, const struct bz_red_comparison *cmp,
                       struct bz_buf *out) {
    struct bz_red_totals t;
    bz_red_total(r, &t);
    text_families(r, out);
    bz_buf_puts(out, "all                        ");
    text_rate(out, t.stopped);
    bz_buf_puts(out, "  ");
    text_rate(out, t.noticed);
    bz_buf_puts(out, "  ");
    text_rate(out, t.wronged);
    bz_buf_putc(out, '\n');
    if (r->trials_n > 0)
        bz_buf_printf(
            out,
            "compromised model: %zu scenarios, %llu adaptive rounds: %llu forbidden calls, "
            "%llu leaks, %llu links\n",
            r->trials_n, (unsigned long long)r->adaptive, (unsigned long long)t.forbidden_calls,
            (unsigned long long)t.leaks, (unsigned long long)t.links);
    if (t.beyond > 0)
        bz_buf_printf(out,
                      "%llu leaks more in ways that are no promise: encodings within each other, "
                      "prompts without their words (--strict counts them)\n",
                      (unsigned long long)t.beyond);
    if (t.unchecked > 0)
        bz_buf_printf(out, "%llu could not be checked\n", (unsigned long long)t.unchecked);
    for (size_t i = 0; i < r->findings_n; i++) {
        if (!r->findings[i].forbidden)
            continue;
        bz_buf_puts(out, "FORBIDDEN ");
        bz_put_safe(out, r->findings[i].gene);
        bz_buf_puts(out, ": ");
        bz_put_safe(out, r->findings[i].what);
        bz_buf_putc(out, '\n');
    }
    text_worse(cmp, out);
}
