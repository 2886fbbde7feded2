/* A run: facts, then every row of the catalogue; counts and score. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "posture_int.h"

const char *bz_posture_severity_name(enum bz_posture_severity s) {
    static const char *const names[] = {"low", "medium", "high", "critical"};
    return (unsigned)s < BZ_POSTURE_SEVERITY_COUNT ? names[s] : "unknown";
}

const char *bz_posture_status_name(enum bz_posture_status s) {
    static const char *const names[] = {"not-applicable", "pass", "not-assessable", "fail"};
    return (unsigned)s < BZ_POSTURE_STATUS_COUNT ? names[s] : "unknown";
}

const struct pt_check *pt_check_at(size_t i) {
#define X(letter)                                                                                  \
    if (i < pt_checks_##letter##_n)                                                                \
        return &pt_checks_##letter[i];                                                             \
    i -= pt_checks_##letter##_n;
    PT_TABLES(X)
#undef X
    return NULL;
}

size_t bz_posture_check_count(void) {
    size_t n = 0;
#define X(letter) n += pt_checks_##letter##_n;
    PT_TABLES(X)
#undef X
    return n;
}

const struct bz_posture_check *bz_posture_check_at(size_t i) {
    const struct pt_check *c = pt_check_at(i);
    return c == NULL ? NULL : &c->info;
}

const struct bz_posture_check *bz_posture_check_find(struct bz_view id) {
    for (size_t i = 0; i < bz_posture_check_count(); i++) {
        if (pt_is(id, bz_posture_check_at(i)->id))
            return bz_posture_check_at(i);
    }
    return NULL;
}

/* ---- what a check says ---- */

static void say(struct pt_ctx *c, const char *fmt, va_list ap) {
    char mem[1600];
    int n = vsnprintf(mem, sizeof mem, fmt, ap);
    size_t len = n < 0 ? 0 : (size_t)n >= sizeof mem ? sizeof mem - 1 : (size_t)n;
    for (size_t i = 0; i < c->r->evidence_n; i++) {
        if (bz_view_eq(c->r->evidence[i].text, bz_view(mem, len)))
            return;
    }
    if (c->r->evidence_n >= BZ_POSTURE_EVIDENCE_MAX) {
        c->r->more++;
        return;
    }
    struct bz_posture_evidence *list =
        pt_grow(c->f->ar, c->r->evidence, c->r->evidence_n, &c->r->evidence_cap, sizeof *list);
    struct bz_view text = bz_arena_dup(c->f->ar, bz_view(mem, len));
    if (list == NULL || text.p == NULL)
        return;
    c->r->evidence = list;
    c->r->evidence[c->r->evidence_n++] = (struct bz_posture_evidence){text};
}

void pt_bad(struct pt_ctx *c, const char *fmt, ...) {
    va_list ap;
    if (!c->bad) { /* what could not be seen matters no more */
        c->r->evidence_n = 0;
        c->r->more = 0;
    }
    c->bad = true;
    va_start(ap, fmt);
    say(c, fmt, ap);
    va_end(ap);
}

void pt_unknown(struct pt_ctx *c, const char *fmt, ...) {
    va_list ap;
    c->unknown = true;
    if (c->bad)
        return;
    va_start(ap, fmt);
    say(c, fmt, ap);
    va_end(ap);
}

void pt_note(struct bz_posture *p, const char *fmt, ...) {
    char mem[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(mem, sizeof mem, fmt, ap);
    va_end(ap);
    struct bz_posture_note *list =
        pt_grow(&p->arena, p->notes, p->notes_n, &p->notes_cap, sizeof *list);
    struct bz_view text = n < 0 ? BZ_V("") : bz_arena_dup(&p->arena, bz_view_str(mem));
    if (list == NULL || text.p == NULL)
        return;
    p->notes = list;
    p->notes[p->notes_n++] = (struct bz_posture_note){text};
}

/* ---- a run ---- */

static void collect(struct pt_facts *f) {
    pt_collect_procs(f);
    pt_collect_socks(f);
    pt_collect_units(f);
    pt_collect_ctrs(f);
    pt_collect_users(f);
    pt_collect_packages(f);
    pt_collect_host(f);
    pt_collect_firewall(f);
    pt_collect_instances(f);
    pt_build_works(f);
    pt_collect_files(f);
    pt_build_works(f); /* with the services of compose files */
    pt_own_socks(f);
    pt_collect_gets(f);
}

static void notes(struct bz_posture *p, const struct pt_facts *f) {
    if (f->live && !f->root_view)
        pt_note(p, "not run as root: what only root sees is not assessable");
    if (!f->have_proc)
        pt_note(p, "no processes are recorded in this tree");
    if (f->t->denied > 0)
        pt_note(p, "%llu lookups were not permitted", (unsigned long long)f->t->denied);
    if (f->t->special > 0)
        pt_note(p,
                "%llu times a FIFO, device or directory stood where a file belongs; they were not "
                "opened",
                (unsigned long long)f->t->special);
    if (f->sweep_cut)
        pt_note(p, "more than %u entries or %u files of interest: not all were looked at",
                BZ_POSTURE_SWEEP_MAX, BZ_POSTURE_FILES_MAX);
    if (f->procs.n >= BZ_POSTURE_PROCS_MAX || f->socks.n >= BZ_POSTURE_SOCKS_MAX)
        pt_note(p, "more processes or sockets than are looked at");
}

static void judge(struct pt_facts *f, const struct pt_check *k, struct bz_posture_result *r) {
    struct pt_ctx c = {.f = f, .r = r};
    uint64_t denied = f->t->denied;
    r->check = &k->info;
    k->run(&c);
    if (!c.bad && !c.unknown && f->t->denied > denied) /* whatever it made of that */
        pt_unknown(&c, "a file or folder that this looks at cannot be read");
    r->status = c.bad       ? BZ_POSTURE_FAIL
                : c.unknown ? BZ_POSTURE_UNKNOWN
                : c.good    ? BZ_POSTURE_PASS
                            : BZ_POSTURE_NOT_APPLICABLE;
}

static enum bz_status run(struct bz_posture *p, struct pt_facts *f,
                          const struct bz_posture_options *o) {
    p->results_n = bz_posture_check_count();
    p->results = bz_arena_zalloc(&p->arena, p->results_n * sizeof *p->results);
    if (p->results == NULL)
        return BZ_ENOMEM;
    collect(f);
    for (size_t i = 0; i < p->results_n; i++)
        judge(f, pt_check_at(i), &p->results[i]);
    p->now = o->now;
    p->root = o->root == NULL ? "/" : o->root;
    p->host = f->host;
    p->privileged = f->root_view;
    notes(p, f);
    /* an arena that is full made facts disappear: say nothing rather than "pass" */
    return bz_arena_alloc(&p->arena, 1) == NULL ? BZ_ENOMEM : BZ_OK;
}

enum bz_status bz_posture_run(const struct bz_posture_options *o, struct bz_posture **ret) {
    struct bz_posture *p = calloc(1, sizeof *p);
    struct pt_tree tree;
    if (p == NULL)
        return BZ_ENOMEM;
    bz_arena_init(&p->arena, bz_alloc_heap, BZ_POSTURE_ARENA_MAX, NULL, 0);
    enum bz_status st = pt_tree_open(&tree, o->root, &p->arena);
    struct pt_facts *f = st == BZ_OK ? bz_arena_zalloc(&p->arena, sizeof *f) : NULL;
    if (st == BZ_OK && f == NULL)
        st = BZ_ENOMEM;
    if (st == BZ_OK) {
        f->t = &tree;
        f->ar = &p->arena;
        f->o = o;
        f->live = o->root == NULL;
        f->root_view = geteuid() == 0;
        p->facts = f;
        st = run(p, f, o);
        f->t = NULL;
        f->o = NULL;
    }
    pt_tree_close(&tree);
    if (st != BZ_OK) {
        bz_posture_free(p);
        return st;
    }
    *ret = p;
    return BZ_OK;
}

void bz_posture_free(struct bz_posture *p) {
    if (p == NULL)
        return;
    bz_arena_free(&p->arena);
    free(p);
}

/* ---- score ---- */

void bz_posture_count(const struct bz_posture *p, struct bz_posture_counts *ret) {
    static const unsigned weight[] = {1, 2, 5, 10};
    struct bz_posture_counts n = {0};
    unsigned all = 0, lost = 0;
    for (size_t i = 0; i < p->results_n; i++) {
        const struct bz_posture_result *r = &p->results[i];
        unsigned w = weight[r->check->severity];
        n.expired += r->expired;
        if (r->status == BZ_POSTURE_FAIL && r->suppressed) {
            n.suppressed++;
            continue;
        }
        n.status[r->status]++;
        if (r->status == BZ_POSTURE_FAIL) {
            n.failed[r->check->severity]++;
            lost += w;
        }
        if (r->status == BZ_POSTURE_FAIL || r->status == BZ_POSTURE_PASS)
            all += w;
    }
    n.score = all == 0 ? 0 : (unsigned)((100ull * (all - lost) + all / 2) / all);
    if (n.failed[BZ_POSTURE_CRITICAL] > 0 && n.score > 49) /* nothing else makes up for one */
        n.score = 49;
    *ret = n;
}
