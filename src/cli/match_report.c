/* What `bartizan advisory match` prints: lines, one JSON object, or SARIF 2.1.0. */
#include <inttypes.h>
#include <string.h>
#include <bartizan/sarif.h>

#include "match.h"
#include "opts.h"

/* ---- order ---- */

static int by_weight(const struct bz_match_finding *a, const struct bz_match_finding *b) {
    if (a->certain != b->certain)
        return a->certain ? -1 : 1;
    if (a->kev != b->kev)
        return a->kev ? -1 : 1;
    if (a->priority.urgency != b->priority.urgency)
        return a->priority.urgency > b->priority.urgency ? -1 : 1;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    if (a->priority.epss != b->priority.epss)
        return a->priority.epss > b->priority.epss ? -1 : 1;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->due != b->due)
        return a->due < b->due ? -1 : 1;
    return 0;
}

static struct bz_match_finding *merge(struct bz_match_finding *a, struct bz_match_finding *b) {
    struct bz_match_finding head = {0}, *end = &head;
    while (a != NULL && b != NULL) {
        struct bz_match_finding **less = by_weight(a, b) <= 0 ? &a : &b;
        end->next = *less;
        end = *less;
        *less = (*less)->next;
    }
    end->next = a != NULL ? a : b;
    return head.next;
}

void bz_match_sort(struct bz_match *m) {
    struct bz_match_finding *part[32] = {0}, *all = NULL;
    for (struct bz_match_finding *f = m->first, *next; f != NULL; f = next) {
        next = f->next;
        f->next = NULL;
        size_t i = 0;
        for (; i < 31 && part[i] != NULL; i++) {
            f = merge(part[i], f);
            part[i] = NULL;
        }
        part[i] = f;
    }
    for (size_t i = 0; i < 32; i++)
        all = merge(part[i], all);
    m->first = all;
}

/* ---- text ---- */

static const char *word_of(const struct bz_match_finding *f) {
    return f->certain ? bz_rating_name(f->severity) : "unsure";
}

static void print_day(uint64_t t) {
    char mem[40];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put_time(&b, t * 1000000000u);
    (void)printf("%.16sZ", (const char *)memcpy(mem, b.p, b.n));
}

/* ", EPSS 94.4 %, SSVC act (exploitation active, automatable yes, impact total)" */
static void print_priority(const struct bz_priority *p) {
    const struct {
        const char *label;
        struct bz_view v;
    } points[] = {{"exploitation", p->exploitation},
                  {"automatable", p->automatable},
                  {"technical impact", p->impact}};
    const char *between = " (";
    if (p->has_epss)
        (void)printf(", EPSS %u.%u %%", p->epss / 10000, p->epss / 1000 % 10);
    if (p->decision.n + p->exploitation.n + p->automatable.n + p->impact.n == 0)
        return;
    (void)printf(", SSVC%s", p->decision.n > 0 ? " " : "");
    bz_print_safe(stdout, p->decision);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        if (points[i].v.n == 0)
            continue;
        (void)printf("%s%s ", between, points[i].label);
        bz_print_safe(stdout, points[i].v);
        between = ", ";
    }
    (void)printf("%s", between[0] == ',' ? ")" : "");
}

static void print_finding(const struct bz_match *m, const struct bz_match_finding *f) {
    (void)printf("%-8s ", word_of(f));
    if (f->score > 0)
        (void)printf("%u.%u ", f->score / 10u, f->score % 10u);
    for (size_t i = 0; i < f->names_n; i++) {
        (void)printf("%s", i == 0 ? "" : ",");
        bz_print_safe(stdout, f->names[i]);
    }
    (void)printf("  ");
    bz_print_safe(stdout, f->c->name);
    (void)putchar(' ');
    bz_print_safe(stdout, f->c->version.n > 0 ? f->c->version : BZ_V("(version not known)"));
    if (f->fixed.n > 0) {
        (void)printf(", fixed in ");
        bz_print_safe(stdout, f->fixed);
    }
    (void)printf("%s", f->kev ? ", known to be exploited" : "");
    print_priority(&f->priority);
    (void)printf(", due ");
    print_day(f->due);
    (void)printf("%s\n         ", f->due <= m->now ? " OVERDUE" : "");
    bz_print_safe(stdout, f->summary);
    if (!f->certain)
        (void)printf(" [its version cannot be compared: check by hand]");
    if (f->unsure.n > 0) {
        (void)printf(" [not confirmed: ");
        bz_print_safe(stdout, f->unsure);
        (void)putchar(']');
    }
    (void)printf("\n         ");
    bz_print_safe(stdout, f->c->path);
    (void)putchar('\n');
}

static void print_open(const struct bz_match_open *o) {
    (void)printf("not assessed: %zu %s component%s, such as ", o->n,
                 bz_component_kind_name(o->kind), o->n == 1 ? "" : "s");
    bz_print_safe(stdout, o->example);
    (void)printf(": %s", o->why);
    if (o->ecosystem.n > 0) {
        (void)printf(" (");
        bz_print_safe(stdout, o->ecosystem);
        (void)printf("; 'bartizan advisory update')");
    }
    (void)putchar('\n');
}

void bz_match_print(const struct bz_match *m) {
    size_t certain = 0, overdue = 0;
    for (const struct bz_match_finding *f = m->first; f != NULL; f = f->next) {
        print_finding(m, f);
        certain += f->certain;
        overdue += f->certain && f->due <= m->now;
    }
    (void)printf("%zu components, %zu advisories about them: %zu findings, %zu overdue, %zu that "
                 "cannot be decided\n",
                 m->inv->n, m->records, certain, overdue, m->n - certain);
    for (const struct bz_match_open *o = m->open; o != NULL; o = o->next)
        print_open(o);
}

/* ---- JSON ---- */

static void opt(struct bz_jw *w, const char *key, struct bz_view v) {
    if (v.n > 0)
        bz_jw_kstr(w, key, v);
}

static void put_score(struct bz_jw *w, uint8_t tenths) {
    char mem[8];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put_u64(&b, tenths / 10u);
    bz_buf_putc(&b, '.');
    bz_buf_put_u64(&b, tenths % 10u);
    bz_jw_raw(w, bz_buf_view(&b));
}

/* 0.94321 */
static void put_millionths(struct bz_jw *w, const char *key, uint32_t v) {
    char mem[16];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_printf(&b, "%u.%06u", v / 1000000, v % 1000000);
    bz_jw_key(w, key);
    bz_jw_raw(w, bz_buf_view(&b));
}

static void put_priority(struct bz_jw *w, const struct bz_priority *p) {
    if (p->has_epss) {
        bz_jw_key(w, "epss");
        bz_jw_obj(w);
        put_millionths(w, "probability", p->epss);
        put_millionths(w, "percentile", p->percentile);
        bz_jw_end(w);
    }
    if (p->decision.n + p->exploitation.n + p->automatable.n + p->impact.n == 0)
        return;
    bz_jw_key(w, "ssvc");
    bz_jw_obj(w);
    opt(w, "decision", p->decision);
    opt(w, "exploitation", p->exploitation);
    opt(w, "automatable", p->automatable);
    opt(w, "technical_impact", p->impact);
    bz_jw_end(w);
}

static void put_open(struct bz_jw *w, const struct bz_match *m) {
    bz_jw_key(w, "not_assessed");
    bz_jw_arr(w);
    for (const struct bz_match_open *o = m->open; o != NULL; o = o->next) {
        bz_jw_obj(w);
        bz_jw_kstr(w, "kind", bz_view_str(bz_component_kind_name(o->kind)));
        opt(w, "ecosystem", o->ecosystem);
        bz_jw_ku64(w, "components", o->n);
        bz_jw_kstr(w, "example", o->example);
        bz_jw_kstr(w, "why", bz_view_str(o->why));
        bz_jw_end(w);
    }
    bz_jw_end(w);
}

static void put_component(struct bz_jw *w, const struct bz_component *c) {
    bz_jw_key(w, "component");
    bz_jw_obj(w);
    bz_jw_kstr(w, "kind", bz_view_str(bz_component_kind_name(c->kind)));
    bz_jw_kstr(w, "name", c->name);
    bz_jw_kstr(w, "version", c->version);
    bz_jw_kstr(w, "path", c->path);
    bz_jw_end(w);
}

static void put_finding(struct bz_jw *w, const struct bz_match *m,
                        const struct bz_match_finding *f) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "id", f->names_n > 0 ? f->names[0] : (struct bz_view){0});
    bz_jw_key(w, "names");
    bz_jw_arr(w);
    for (size_t i = 0; i < f->names_n; i++)
        bz_jw_str(w, f->names[i]);
    bz_jw_end(w);
    put_component(w, f->c);
    bz_jw_kstr(w, "state", f->certain ? BZ_V("affected") : BZ_V("cannot be decided"));
    bz_jw_kstr(w, "severity", bz_view_str(bz_rating_name(f->severity)));
    if (f->score > 0) {
        bz_jw_key(w, "score");
        put_score(w, f->score);
    }
    opt(w, "vector", f->vector);
    bz_jw_kbool(w, "known_exploited", f->kev);
    put_priority(w, &f->priority);
    opt(w, "fixed", f->fixed);
    opt(w, "not_confirmed", f->unsure);
    bz_jw_kstr(w, "summary", f->summary);
    bz_jw_kstr(w, "origin", f->origin);
    bz_jw_key(w, "first_seen");
    bz_jw_time(w, f->first_seen * 1000000000u);
    bz_jw_key(w, "due");
    bz_jw_time(w, f->due * 1000000000u);
    bz_jw_kbool(w, "overdue", f->due <= m->now);
    bz_jw_end(w);
}

static bool complete(const struct bz_match *m) {
    return !m->failed && !m->inv->full && m->stale == 0 && m->open == NULL;
}

void bz_match_json(const struct bz_match *m, struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "components", m->inv->n);
    bz_jw_kbool(&w, "complete", complete(m));
    bz_jw_key(&w, "findings");
    bz_jw_arr(&w);
    for (const struct bz_match_finding *f = m->first; f != NULL; f = f->next)
        put_finding(&w, m, f);
    bz_jw_end(&w);
    put_open(&w, m);
    bz_jw_end(&w);
    bz_buf_putc(out, '\n');
}

/* ---- SARIF ---- */

static const char *level_of(const struct bz_match_finding *f) {
    if (!f->certain || f->severity == BZ_RATING_LOW)
        return "note";
    return f->kev || f->severity >= BZ_RATING_HIGH ? "error" : "warning";
}

static bool first_with_rule(const struct bz_match *m, const struct bz_match_finding *f) {
    for (const struct bz_match_finding *g = m->first; g != f; g = g->next) {
        if (bz_view_eq(g->names[0], f->names[0]))
            return false;
    }
    return true;
}

static void put_rule(struct bz_jw *w, const struct bz_match_finding *f) {
    bz_sarif_rule(w, &(struct bz_sarif_rule){.id = f->names[0],
                                             .title = f->summary.n > 0 ? f->summary : f->names[0]});
    if (f->score > 0) {
        char mem[8];
        struct bz_buf b;
        bz_buf_init_fixed(&b, mem, sizeof mem);
        bz_buf_printf(&b, "%u.%u", f->score / 10u, f->score % 10u);
        bz_jw_key(w, "properties");
        bz_jw_obj(w);
        bz_jw_kstr(w, "security-severity", bz_buf_view(&b));
        bz_jw_end(w);
    }
    bz_jw_end(w);
}

static void put_result(struct bz_jw *w, const struct bz_match_finding *f) {
    struct bz_buf text;
    bz_buf_init(&text, 8192);
    bz_buf_put(&text, f->c->name);
    bz_buf_putc(&text, ' ');
    bz_buf_put(&text, f->c->version);
    bz_buf_puts(&text,
                f->certain ? " is affected" : " may be affected: its version cannot be compared");
    if (f->fixed.n > 0) {
        bz_buf_puts(&text, "; fixed in ");
        bz_buf_put(&text, f->fixed);
    }
    bz_buf_puts(&text, ". ");
    bz_buf_put(&text, f->summary);
    bz_jw_obj(w);
    bz_jw_kstr(w, "ruleId", f->names[0]);
    bz_jw_kstr(w, "level", bz_view_str(level_of(f)));
    bz_sarif_text(w, "message", bz_buf_view(&text));
    bz_sarif_place(w, &(struct bz_sarif_place){.path = f->c->path});
    bz_jw_end(w);
    bz_buf_free(&text);
}

/* What was not assessed is told by the run itself. */
static void put_notes(const struct bz_match *m, struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_arr(&w);
    for (const struct bz_match_open *o = m->open; o != NULL; o = o->next) {
        struct bz_buf text;
        bz_buf_init(&text, 8192);
        bz_buf_printf(&text, "not assessed: %zu %s: %s", o->n, bz_component_kind_name(o->kind),
                      o->why);
        bz_jw_obj(&w);
        bz_jw_kstr(&w, "level", BZ_V("warning"));
        bz_sarif_text(&w, "message", bz_buf_view(&text));
        bz_jw_end(&w);
        bz_buf_free(&text);
    }
    bz_jw_end(&w);
}

void bz_match_sarif(const struct bz_match *m, struct bz_buf *out) {
    struct bz_jw w;
    struct bz_buf notes;
    bz_buf_init(&notes, 1 << 20);
    bz_jw_init(&w, out);
    bz_sarif_begin(&w, "bartizan advisory match");
    for (const struct bz_match_finding *f = m->first; f != NULL; f = f->next) {
        if (f->names_n > 0 && first_with_rule(m, f))
            put_rule(&w, f);
    }
    bz_sarif_results(&w);
    for (const struct bz_match_finding *f = m->first; f != NULL; f = f->next) {
        if (f->names_n > 0)
            put_result(&w, f);
    }
    put_notes(m, &notes);
    bz_sarif_end(&w, complete(m), bz_buf_view(&notes));
    bz_buf_free(&notes);
    bz_buf_putc(out, '\n');
}
