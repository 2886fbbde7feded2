/* The same for programs that read test results (JUnit XML) and findings (SARIF 2.1.0). */
#include "red_int.h"

#include <bartizan/html.h>
#include <bartizan/sarif.h>

/* ---- JUnit: a case for each family and each scenario ---- */

static const struct bz_red_worse *worse_of(const struct bz_red_comparison *c, struct bz_view what) {
    for (size_t i = 0; c != NULL && i < c->n; i++)
        if (bz_view_eq(c->v[i].what, what))
            return &c->v[i];
    return NULL;
}

static void case_begin(struct bz_buf *out, const char *group, struct bz_view name) {
    bz_buf_printf(out, "    <testcase classname=\"redteam.%s\" name=\"", group);
    bz_html_put(out, name);
    bz_buf_puts(out, "\"");
}

static void failure(struct bz_buf *out, const char *why, struct bz_view more) {
    bz_buf_printf(out, "><failure message=\"%s\">", why);
    bz_html_put(out, more);
    bz_buf_puts(out, "</failure></testcase>\n");
}

static void junit_family(const struct bz_red_tally *f, const struct bz_red_comparison *cmp,
                         struct bz_buf *out) {
    const struct bz_red_worse *w = worse_of(cmp, f->name);
    case_begin(out, "family", f->name);
    if (w != NULL)
        failure(out, w->why, f->title);
    else if (bz_red_sum(f->attacks) == 0)
        bz_buf_puts(out, "><skipped message=\"could not be checked\"/></testcase>\n");
    else
        bz_buf_puts(out, "/>\n");
}

static struct bz_view first_gene(const struct bz_red_result *r, struct bz_view rule) {
    for (size_t i = 0; i < r->findings_n; i++)
        if (r->findings[i].forbidden && bz_view_eq(r->findings[i].rule, rule))
            return r->findings[i].gene;
    return BZ_V("");
}

static void junit_trial(const struct bz_red_result *r, const struct bz_red_trial *t,
                        struct bz_buf *out) {
    case_begin(out, "scenario", t->id);
    if (t->forbidden > 0)
        failure(out, "the forbidden outcome reached the client", first_gene(r, t->id));
    else if (t->rounds == 0)
        bz_buf_puts(out, "><skipped message=\"could not be checked\"/></testcase>\n");
    else
        bz_buf_puts(out, "/>\n");
}

void bz_red_write_junit(const struct bz_red_result *r, const struct bz_red_comparison *cmp,
                        struct bz_buf *out) {
    unsigned failures = 0, skipped = 0;
    for (size_t i = 0; i < r->families_n; i++) {
        bool bad = worse_of(cmp, r->families[i].name) != NULL;
        failures += bad;
        skipped += !bad && bz_red_sum(r->families[i].attacks) == 0;
    }
    for (size_t i = 0; i < r->trials_n; i++) {
        failures += r->trials[i].forbidden > 0;
        skipped += r->trials[i].forbidden == 0 && r->trials[i].rounds == 0;
    }
    unsigned tests = (unsigned)(r->families_n + r->trials_n);
    bz_buf_printf(out,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"%u\" "
                  "failures=\"%u\" errors=\"0\">\n  <testsuite name=\"bartizan redteam\" "
                  "tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\">\n",
                  tests, failures, tests, failures, skipped);
    for (size_t i = 0; i < r->families_n; i++)
        junit_family(&r->families[i], cmp, out);
    for (size_t i = 0; i < r->trials_n; i++)
        junit_trial(r, &r->trials[i], out);
    bz_buf_puts(out, "  </testsuite>\n</testsuites>\n");
}

/* ---- SARIF ---- */

static void rules(const struct bz_red_result *r, struct bz_jw *w) {
    for (size_t i = 0; i < r->families_n; i++) {
        const struct bz_red_tally *f = &r->families[i];
        bz_sarif_rule(w, &(struct bz_sarif_rule){.id = f->name,
                                                 .title = f->title,
                                                 .todo = f->refs.n > 0 ? f->refs : f->title});
        bz_jw_end(w);
    }
    for (size_t i = 0; i < r->trials_n; i++) {
        bz_sarif_rule(
            w, &(struct bz_sarif_rule){
                   .id = r->trials[i].id,
                   .title = BZ_V("A model that obeys every injection must not reach its goal.")});
        bz_jw_end(w);
    }
}

static void sarif_result(struct bz_jw *w, const struct bz_red_result *r, struct bz_view rule,
                         const char *level, struct bz_view what, struct bz_view gene) {
    struct bz_buf b;
    red_text_init(&b);
    bz_buf_put(&b, what);
    if (gene.n > 0) {
        bz_buf_puts(&b, " (");
        bz_buf_put(&b, gene);
        bz_buf_putc(&b, ')');
    }
    bz_jw_obj(w);
    bz_jw_kstr(w, "ruleId", rule);
    bz_jw_kstr(w, "level", bz_view_str(level));
    bz_sarif_text(w, "message", bz_buf_view(&b));
    bz_sarif_place(w, &(struct bz_sarif_place){.inside = r->target, .inside_kind = "resource"});
    bz_jw_end(w);
    bz_buf_free(&b);
}

void bz_red_write_sarif(const struct bz_red_result *r, const struct bz_red_comparison *cmp,
                        struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_sarif_begin(&w, "bartizan redteam");
    rules(r, &w);
    bz_sarif_results(&w);
    for (size_t i = 0; i < r->findings_n; i++) {
        const struct bz_red_finding *f = &r->findings[i];
        sarif_result(&w, r, f->rule, f->forbidden ? "error" : "note", f->what, f->gene);
    }
    for (size_t i = 0; cmp != NULL && i < cmp->n; i++)
        sarif_result(&w, r, cmp->v[i].what, "error", bz_view_str(cmp->v[i].why), BZ_V("baseline"));
    bz_sarif_end(&w, true, BZ_V(""));
    bz_buf_putc(out, '\n');
}
