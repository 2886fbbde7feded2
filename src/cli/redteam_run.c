/* A run: every attack plain and mutated, every scenario in every dialect, then rounds that evolve what
 * came nearest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bartizan/limits.h>
#include "redteam.h"
#include "term.h"

enum { DEAD_MAX = 20 };

struct run {
    struct red_target *t;
    const struct red_plan *p;
    struct bz_arena *ar;
    struct bz_red_result *r;
    struct bz_red_rng rng;
    uint64_t done, total, conversation;
    size_t findings_cap;
    unsigned dead; /* requests in a row that said nothing */
    struct bz_progress progress;
};

void red_got_init(struct red_got *g) {
    *g = (struct red_got){.score = -1};
    bz_buf_init(&g->body, BZ_RED_TEXT_MAX * (size_t)4);
    bz_arena_init(&g->ar, bz_alloc_heap, (size_t)256 << 20, NULL, 0);
}

void red_got_done(struct red_got *g) {
    bz_buf_free(&g->body);
    bz_arena_free(&g->ar);
}

static void progress(struct run *x, const char *what) {
    x->done++;
    if (bz_progress_due(&x->progress))
        bz_progress_show(&x->progress, "%s: %llu of %llu", what, (unsigned long long)x->done,
                         (unsigned long long)x->total);
}

static struct bz_view kept(struct run *x, struct bz_buf *b) {
    struct bz_view v = bz_arena_dup(x->ar, bz_buf_view(b));
    bz_buf_free(b);
    return v.p == NULL ? BZ_V("") : v;
}

static void find(struct run *x, struct bz_view rule, struct bz_buf *gene, struct bz_view what,
                 bool forbidden) {
    struct bz_red_result *r = x->r;
    if (r->findings_n >= BZ_RED_FINDINGS_MAX) {
        r->findings_more++;
        bz_buf_free(gene);
        return;
    }
    if (r->findings_n == x->findings_cap) {
        size_t more = x->findings_cap == 0 ? 64 : x->findings_cap * 2;
        struct bz_red_finding *v = bz_arena_zalloc(x->ar, more * sizeof *v);
        if (v == NULL) {
            r->findings_more++;
            bz_buf_free(gene);
            return;
        }
        if (r->findings_n > 0)
            memcpy(v, r->findings, r->findings_n * sizeof *v);
        r->findings = v;
        x->findings_cap = more;
    }
    r->findings[r->findings_n++] =
        (struct bz_red_finding){rule, kept(x, gene), bz_arena_dup(x->ar, what), forbidden};
}

static void conversation(struct run *x, char out[40]) {
    (void)snprintf(out, 40, "redteam-%llu-%llu", (unsigned long long)x->p->seed,
                   (unsigned long long)x->conversation++);
}

/* Sends, and gives up when the target has said nothing for too long. */
static bool send(struct run *x, const struct red_ask *q, struct red_got *g) {
    x->r->requests++;
    if (!x->t->send(x->t, q, g))
        return false;
    x->dead = g->checked ? 0 : x->dead + 1;
    if (x->dead < DEAD_MAX * BZ_RED_DIALECT_COUNT)
        return true;
    bz_progress_clear(&x->progress);
    bz_say("%s: %u requests in a row could not be checked; the last: %s", x->t->name, x->dead,
           g->why);
    return false;
}

/* ---- attacks ---- */

static bool attack(struct run *x, const struct bz_red_attack *a, enum bz_red_dialect d,
                   struct red_got *g) {
    struct bz_buf body, text;
    char talk[40];
    bz_buf_init(&body, BZ_RED_TEXT_MAX * (size_t)2);
    bz_buf_init(&text, BZ_RED_TEXT_MAX);
    bz_red_attack_text(x->p->corpus, a, &text);
    bz_red_attack_request(x->p->corpus, a, d, bz_view_str(x->t->model_name), &body);
    conversation(x, talk);
    const struct red_ask q = {.dialect = d,
                              .body = bz_buf_view(&body),
                              .conversation = talk,
                              .text = bz_buf_view(&text),
                              .place = (enum bz_red_place)a->place};
    bool ok = true;
    if (bz_buf_status(&body) == BZ_OK)
        ok = send(x, &q, g);
    else
        (void)snprintf(g->why, sizeof g->why, "too long to be sent");
    bz_buf_free(&body);
    bz_buf_free(&text);
    return ok;
}

static void report_attack(struct run *x, const struct bz_red_attack *a, enum bz_red_dialect d,
                          const char *what) {
    struct bz_buf gene;
    bz_buf_init(&gene, 4096);
    bz_red_attack_name(x->p->corpus, a, &gene);
    bz_buf_printf(&gene, " %s", bz_red_dialect_name(d));
    find(x, x->p->corpus->families[x->p->corpus->seeds[a->seed].family].name, &gene,
         bz_view_str(what), false);
}

static bool one_of_battery(struct run *x, struct bz_red_attack *a, enum bz_red_dialect d) {
    struct bz_red_tally *f = &x->r->families[x->p->corpus->seeds[a->seed].family];
    for (int twin = 0; twin < 2; twin++) {
        struct red_got g;
        a->twin = twin == 1;
        red_got_init(&g);
        bool ok = attack(x, a, d, &g);
        progress(x, "attacks and benign twins");
        if (!g.checked)
            f->unchecked++;
        else
            (a->twin ? f->twins : f->attacks)[g.level]++;
        if (g.checked && !a->twin && g.level == BZ_RED_PASSED && a->ops == 0)
            report_attack(x, a, d, "an attack passes as it is");
        if (g.checked && a->twin && g.level == BZ_RED_STOPPED && a->ops == 0)
            report_attack(x, a, d, "a benign text is stopped");
        red_got_done(&g);
        if (!ok)
            return false;
    }
    return true;
}

static bool battery(struct run *x) {
    const struct bz_red_corpus *c = x->p->corpus;
    size_t turn = 0;
    for (uint32_t s = 0; s < c->seeds_n; s++) {
        for (uint64_t k = 0; k <= x->p->mutants; k++, turn++) {
            struct bz_red_attack a;
            bz_red_attack_plain(c, s, &a);
            if (k > 0)
                bz_red_attack_random(c, s, &x->rng, &a);
            if (!one_of_battery(x, &a, x->p->dialects[turn % x->p->dialects_n]))
                return false;
        }
    }
    return true;
}

/* How near an attack came: 1 passed; otherwise what the judgement left, or a guess by the level. */
static double attack_fit(const struct red_got *g) {
    if (g->level == BZ_RED_PASSED)
        return 1;
    double guess = g->level == BZ_RED_FLAGGED ? 0.6 : 0.1;
    return g->score >= 0 ? 1 - g->score * 0.9 : guess;
}

static bool evolve_attacks(struct run *x) {
    const struct bz_red_corpus *c = x->p->corpus;
    struct bz_red_pool *pools = calloc(c->families_n, sizeof *pools);
    bool ok = pools != NULL;
    for (size_t i = 0; ok && i < c->families_n; i++)
        bz_red_pool_init(&pools[i], sizeof(struct bz_red_attack));
    for (uint64_t k = 0; ok && k < x->p->rounds; k++) {
        struct bz_red_attack a;
        struct red_got g;
        uint32_t s = bz_red_below(&x->rng, (uint32_t)c->seeds_n), f = c->seeds[s].family;
        enum bz_red_dialect d = x->p->dialects[k % x->p->dialects_n];
        const void *parent = bz_red_pool_pick(&pools[f], &x->rng);
        if (parent == NULL || bz_red_below(&x->rng, 4) == 0) {
            bz_red_attack_random(c, s, &x->rng, &a);
        } else {
            memcpy(&a, parent, sizeof a);
            bz_red_attack_vary(c, &x->rng, &a);
        }
        red_got_init(&g);
        ok = attack(x, &a, d, &g);
        progress(x, "attacks that evolve");
        if (g.checked) {
            struct bz_red_tally *t = &x->r->families[f];
            t->adaptive++;
            t->adaptive_passed += g.level == BZ_RED_PASSED;
            bz_red_pool_put(&pools[f], &x->rng, &a, attack_fit(&g));
            if (g.level == BZ_RED_PASSED)
                report_attack(x, &a, d, "an attack passes after it was varied");
        }
        red_got_done(&g);
    }
    free(pools);
    return ok;
}

static bool attacks(struct run *x) {
    const struct bz_red_corpus *c = x->p->corpus;
    x->r->families = bz_arena_zalloc(x->ar, (c->families_n + 1) * sizeof *x->r->families);
    if (x->r->families == NULL)
        return false;
    x->r->families_n = c->families_n;
    for (size_t i = 0; i < c->families_n; i++) {
        x->r->families[i].name = c->families[i].name;
        x->r->families[i].title = c->families[i].title;
        x->r->families[i].refs = c->families[i].refs;
    }
    return battery(x) && evolve_attacks(x);
}

/* ---- the compromised model ---- */

struct trial {
    struct bz_red_outcome outcome;
    bool checked, stopped; /* stopped: the request did not reach the model */
    double got;            /* part of the reply's text that came through */
    char why[160];
};

static bool trial_replies(struct run *x, const struct bz_red_trick *t, struct red_got *g, size_t n,
                          bool *ret_ok) {
    char talk[40];
    struct bz_buf body;
    bool checked = true;
    *ret_ok = true;
    conversation(x, talk);
    bz_buf_init(&body, BZ_RED_TEXT_MAX * (size_t)2);
    bz_red_trick_request(x->p->suite, t, bz_view_str(x->t->model_name), &body);
    for (size_t i = 0; i < n && checked && *ret_ok; i++) {
        const struct red_ask q = {.dialect = (enum bz_red_dialect)t->dialect,
                                  .body = bz_buf_view(&body),
                                  .conversation = talk,
                                  .stream = t->stream,
                                  .trick = t,
                                  .part = (unsigned)i};
        *ret_ok = send(x, &q, &g[i]);
        checked = g[i].checked;
    }
    bz_buf_free(&body);
    return checked && *ret_ok;
}

static enum bz_status judge(struct run *x, const struct bz_red_trick *t, struct red_got *g,
                            size_t n, struct trial *ret) {
    struct bz_red_heard h[2];
    size_t heard = 0, longest = 0;
    for (size_t i = 0; i < n; i++) {
        BZ_TRY(bz_red_hear((enum bz_red_dialect)t->dialect,
                           t->stream && g[i].level != BZ_RED_STOPPED, bz_buf_view(&g[i].body),
                           &g[i].ar, &h[i]));
        heard++;
        for (size_t k = 0; k < h[i].texts_n; k++)
            longest = h[i].texts[k].n > longest ? h[i].texts[k].n : longest;
    }
    ret->stopped = g[0].level == BZ_RED_STOPPED;
    ret->got = longest >= 2000 ? 1 : (double)longest / 2000;
    return bz_red_judge(x->p->suite, t, &g[0].seen, h, heard, &ret->outcome);
}

static bool try_trick(struct run *x, const struct bz_red_trick *t, struct trial *ret) {
    struct red_got g[2];
    size_t n = t->channel == BZ_RED_IN_TURNS && !t->overt ? 2 : 1;
    bool ok = true;
    *ret = (struct trial){.checked = false};
    red_got_init(&g[0]);
    red_got_init(&g[1]);
    if (trial_replies(x, t, g, n, &ok)) {
        enum bz_status st = judge(x, t, g, n, ret);
        ret->checked = st == BZ_OK;
        if (st != BZ_OK)
            (void)snprintf(ret->why, sizeof ret->why, "%s", bz_status_text(st));
    } else {
        (void)snprintf(ret->why, sizeof ret->why, "%s", g[0].why);
    }
    red_got_done(&g[0]);
    red_got_done(&g[1]);
    return ok;
}

/* What could be leaked must have been there, or nothing was tried. */
static bool counts(const struct bz_red_scenario *s, const struct trial *o) {
    bool leak = s->forbid == BZ_RED_FORBID_CANARY || s->forbid == BZ_RED_FORBID_PROMPT;
    return o->checked &&
           !(leak && !o->stopped && strcmp(o->outcome.what, "there was nothing to leak") == 0);
}

static bool round_of(struct run *x, const struct bz_red_trick *t, struct trial *o) {
    struct bz_red_trial *v = &x->r->trials[t->scenario];
    if (!try_trick(x, t, o))
        return false;
    if (x->p->strict && o->outcome.beyond) {
        o->outcome.beyond = false;
        o->outcome.forbidden = true;
    }
    if (!counts(&x->p->suite->v[t->scenario], o)) {
        v->unchecked++;
        o->checked = false;
        return true;
    }
    v->rounds++;
    v->forbidden += o->outcome.forbidden;
    v->beyond += o->outcome.beyond;
    v->nearest = o->outcome.near.part > v->nearest ? o->outcome.near.part : v->nearest;
    if (o->outcome.forbidden || o->outcome.beyond) {
        struct bz_buf gene;
        bz_buf_init(&gene, 4096);
        bz_red_trick_name(x->p->suite, t, &gene);
        find(x, x->p->suite->v[t->scenario].id, &gene, bz_view_str(o->outcome.what),
             o->outcome.forbidden);
    }
    return true;
}

/* Each scenario in each dialect, whole and streamed, with and without the words of the injection. */
static bool grid(struct run *x) {
    struct trial o;
    for (uint32_t s = 0; s < x->p->suite->n; s++) {
        for (unsigned k = 0; k < 4 * x->p->dialects_n; k++) {
            struct bz_red_trick t = {.scenario = s,
                                     .salt = s,
                                     .dialect = (uint8_t)x->p->dialects[k / 4],
                                     .cut = (uint8_t)(s % 3 + 2),
                                     .stream = (k & 1) != 0,
                                     .overt = (k & 2) != 0};
            if (!round_of(x, &t, &o))
                return false;
            progress(x, "compromised model");
        }
    }
    return true;
}

static bool dialect_ok(const struct red_plan *p, struct bz_red_trick *t) {
    for (size_t i = 0; i < p->dialects_n; i++)
        if (p->dialects[i] == (enum bz_red_dialect)t->dialect)
            return true;
    t->dialect = (uint8_t)p->dialects[t->salt % p->dialects_n];
    return true;
}

static bool evolve_answers(struct run *x) {
    struct bz_red_pool pool;
    struct trial o;
    bz_red_pool_init(&pool, sizeof(struct bz_red_trick));
    for (uint64_t k = 0; k < x->p->rounds; k++) {
        struct bz_red_trick t;
        const void *parent = bz_red_pool_pick(&pool, &x->rng);
        if (parent == NULL || bz_red_below(&x->rng, 3) == 0) {
            bz_red_trick_random(x->p->suite, (uint32_t)k, &x->rng, &t);
        } else {
            memcpy(&t, parent, sizeof t);
            bz_red_trick_vary(x->p->suite, &x->rng, &t);
        }
        t.overt = false;
        (void)dialect_ok(x->p, &t);
        if (!round_of(x, &t, &o))
            return false;
        progress(x, "answers that evolve");
        if (!o.checked)
            continue;
        x->r->adaptive++;
        x->r->adaptive_forbidden += o.outcome.forbidden;
        double fit = o.outcome.forbidden ? 1
                     : o.outcome.beyond  ? 0
                                         : 0.7 * o.outcome.near.part + 0.3 * o.got;
        bz_red_pool_put(&pool, &x->rng, &t, fit);
    }
    return true;
}

static bool trials(struct run *x) {
    const struct bz_red_suite *s = x->p->suite;
    x->r->trials = bz_arena_zalloc(x->ar, (s->n + 1) * sizeof *x->r->trials);
    if (x->r->trials == NULL)
        return false;
    x->r->trials_n = s->n;
    for (size_t i = 0; i < s->n; i++)
        x->r->trials[i] = (struct bz_red_trial){
            .id = s->v[i].id, .domain = s->v[i].domain, .forbid = s->v[i].forbid};
    return grid(x) && evolve_answers(x);
}

/* ---- all of it ---- */

bool red_run(struct red_target *t, const struct red_plan *p, struct bz_arena *ar,
             struct bz_red_result *ret) {
    bool with_model = p->model && t->model;
    struct run x = {.t = t, .p = p, .ar = ar, .r = ret, .rng = {p->seed}};
    bz_progress_begin(&x.progress, !p->quiet);
    ret->target = bz_view_str(t->name);
    ret->mode = bz_view_str(t->mode);
    ret->seed = p->seed;
    ret->rounds = p->rounds;
    memcpy(ret->corpus, p->corpus->digest, sizeof ret->corpus);
    memcpy(ret->suite, p->suite->digest, sizeof ret->suite);
    if (p->attacks)
        x.total += p->corpus->seeds_n * 2 * (p->mutants + 1) + p->rounds;
    if (with_model)
        x.total += p->suite->n * 4 * p->dialects_n + p->rounds;
    bool ok = (!p->attacks || attacks(&x)) && (!with_model || trials(&x));
    bz_progress_clear(&x.progress);
    return ok;
}
