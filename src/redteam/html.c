/* The report for people. */
#include "red_int.h"

#include <bartizan/html.h>

static const char style[] =
    ".w{display:inline-block;width:6rem;height:.5rem;background:var(--l);vertical-align:middle;"
    "margin-right:.5rem}.w i{display:block;height:100%;background:var(--low)}";

static void rate(struct bz_buf *out, uint64_t k, uint64_t n) {
    struct bz_red_rate r = bz_red_rate(k, n);
    if (n == 0) {
        bz_buf_puts(out, "<td class=\"n m\">not checked</td>");
        return;
    }
    double p = 100 * (double)k / (double)n;
    bz_buf_printf(out,
                  "<td class=\"n\"><span class=\"w\"><i style=\"width:%.0f%%\"></i></span>%.1f %% "
                  "<span class=\"m\">(%.1f to %.1f)</span></td>",
                  p, p, 100 * r.low, 100 * r.high);
}

static void head(struct bz_buf *out, const struct bz_red_result *r) {
    bz_html_begin(out, "Red team of", r->target, style);
    bz_buf_puts(out, "<h1>Red team of ");
    bz_html_put(out, r->target);
    bz_buf_puts(out, "</h1><p class=\"m\">");
    bz_buf_put_time(out, r->time * UINT64_C(1000000000));
    bz_buf_puts(out, ", ");
    bz_html_put(out, r->mode);
    bz_buf_printf(out, ", seed %llu, %llu requests. Intervals are Wilson's, 95 %%.</p>\n",
                  (unsigned long long)r->seed, (unsigned long long)r->requests);
}

static void verdict(struct bz_buf *out, const struct bz_red_result *r,
                    const struct bz_red_comparison *cmp) {
    struct bz_red_totals t;
    bz_red_total(r, &t);
    uint64_t bad = t.forbidden_calls + t.leaks + t.links;
    bz_buf_printf(out,
                  "<p class=\"%s\">Compromised model: %llu forbidden calls, %llu leaks, %llu links "
                  "in %zu scenarios and %llu adaptive rounds.</p>\n",
                  bad > 0 ? "bad" : "good", (unsigned long long)t.forbidden_calls,
                  (unsigned long long)t.leaks, (unsigned long long)t.links, r->trials_n,
                  (unsigned long long)r->adaptive);
    if (t.unchecked > 0)
        bz_buf_printf(out, "<p class=\"bad\">%llu could not be checked.</p>\n",
                      (unsigned long long)t.unchecked);
    for (size_t i = 0; cmp != NULL && i < cmp->n; i++) {
        bz_buf_puts(out, "<p class=\"bad\">Worse than the baseline: ");
        bz_html_put(out, cmp->v[i].what);
        bz_buf_printf(out, ": %s.</p>\n", cmp->v[i].why);
    }
    if (cmp != NULL && cmp->other_corpus)
        bz_buf_puts(out, "<p class=\"m\">The baseline is of another corpus; rates are not "
                         "compared.</p>\n");
    else if (cmp != NULL && cmp->n == 0)
        bz_buf_puts(out, "<p class=\"good\">Nothing is worse than the baseline.</p>\n");
}

static void families(struct bz_buf *out, const struct bz_red_result *r) {
    bz_buf_puts(out, "<h2>Families</h2>\n<div "
                     "class=\"wide\"><table><tr><th>Family</th><th>Attacks</th><th>Stopped</th>"
                     "<th>Stopped or flagged</th><th>Benign texts stopped</th></tr>\n");
    for (size_t i = 0; i < r->families_n; i++) {
        const struct bz_red_tally *f = &r->families[i];
        uint64_t n = bz_red_sum(f->attacks);
        bz_buf_puts(out, "<tr><td><code>");
        bz_html_put(out, f->name);
        bz_buf_puts(out, "</code><br><span class=\"m\">");
        bz_html_put(out, f->title);
        bz_buf_printf(out, "</span></td><td class=\"n\">%llu</td>", (unsigned long long)n);
        rate(out, f->attacks[BZ_RED_STOPPED], n);
        rate(out, f->attacks[BZ_RED_STOPPED] + f->attacks[BZ_RED_FLAGGED], n);
        rate(out, f->twins[BZ_RED_STOPPED], bz_red_sum(f->twins));
        bz_buf_puts(out, "</tr>\n");
    }
    bz_buf_puts(out, "</table></div>\n");
}

static void trials(struct bz_buf *out, const struct bz_red_result *r) {
    bz_buf_puts(out, "<h2>Scenarios</h2>\n<div "
                     "class=\"wide\"><table><tr><th>Scenario</th><th>Forbidden</th><th>Rounds"
                     "</th><th>Happened</th><th>Nearest</th></tr>\n");
    for (size_t i = 0; i < r->trials_n; i++) {
        const struct bz_red_trial *t = &r->trials[i];
        bz_buf_puts(out, "<tr><td><code>");
        bz_html_put(out, t->id);
        bz_buf_printf(out,
                      "</code></td><td>%s</td><td class=\"n\">%llu</td><td class=\"n %s\">%llu</td>"
                      "<td class=\"n\">%.0f %%</td></tr>\n",
                      bz_red_forbid_name(t->forbid), (unsigned long long)t->rounds,
                      t->forbidden > 0 ? "bad" : "good", (unsigned long long)t->forbidden,
                      100 * t->nearest);
    }
    bz_buf_puts(out, "</table></div>\n");
}

static void findings(struct bz_buf *out, const struct bz_red_result *r) {
    bz_buf_puts(out, "<h2>Findings</h2>\n<div "
                     "class=\"wide\"><table><tr><th>Where</th><th>What</th><th>How to do it "
                     "again</th></tr>\n");
    for (size_t i = 0; i < r->findings_n; i++) {
        const struct bz_red_finding *f = &r->findings[i];
        bz_buf_printf(out, "<tr class=\"%s\"><td>", f->forbidden ? "bad" : "m");
        bz_html_put(out, f->rule);
        bz_buf_puts(out, "</td><td>");
        bz_html_put(out, f->what);
        bz_buf_puts(out, "</td><td><code>");
        bz_html_put(out, f->gene);
        bz_buf_puts(out, "</code></td></tr>\n");
    }
    bz_buf_puts(out, "</table></div>\n");
    if (r->findings_more > 0)
        bz_buf_printf(out, "<p class=\"m\">And %llu more.</p>\n",
                      (unsigned long long)r->findings_more);
}

void bz_red_write_html(const struct bz_red_result *r, const struct bz_red_comparison *cmp,
                       struct bz_buf *out) {
    head(out, r);
    verdict(out, r, cmp);
    if (r->families_n > 0)
        families(out, r);
    if (r->trials_n > 0)
        trials(out, r);
    if (r->findings_n > 0)
        findings(out, r);
    bz_html_end(out, "bartizan redteam");
}
