/* The report for people: one page that needs nothing else and holds no script. */
#include "red_int.h"

static const char style[] =
    ":root{color-scheme:light dark;--b:#fff;--f:#1d2430;--m:#5b6675;--l:#dfe4ea;--bad:#a40e26;"
    "--good:#1a7f37;--bar:#356a9e}"
    "@media(prefers-color-scheme:dark){:root{--b:#12161c;--f:#e3e8ef;--m:#98a3b3;--l:#2b333f;"
    "--bad:#ff7b86;--good:#56d364;--bar:#79b8ff}}"
    "body{background:var(--b);color:var(--f);font:16px/1.5 system-ui,sans-serif;max-width:64rem;"
    "margin:0 auto;padding:2rem 1rem}h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;"
    "margin:2rem 0 .5rem}.m{color:var(--m)}.bad{color:var(--bad)}.good{color:var(--good)}"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}td,th{text-align:left;"
    "padding:.3rem .5rem;border-bottom:1px solid var(--l);vertical-align:top}"
    ".n{font-variant-numeric:tabular-nums;white-space:nowrap}code{font-family:ui-monospace,"
    "monospace;font-size:.9em;overflow-wrap:anywhere}"
    ".w{display:inline-block;width:8rem;height:.5rem;background:var(--l);vertical-align:middle;"
    "margin-right:.5rem}.w i{display:block;height:100%;background:var(--bar)}"
    "@media print{body{max-width:none;padding:0}}";

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
    bz_buf_puts(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                     "style-src 'unsafe-inline'\"><meta name=\"viewport\" "
                     "content=\"width=device-width,initial-scale=1\"><title>Red team of ");
    red_xml(out, r->target);
    bz_buf_puts(out, "</title><style>");
    bz_buf_puts(out, style);
    bz_buf_puts(out, "</style></head><body>\n<h1>Red team of ");
    red_xml(out, r->target);
    bz_buf_puts(out, "</h1><p class=\"m\">");
    bz_buf_put_time(out, r->time * UINT64_C(1000000000));
    bz_buf_puts(out, ", ");
    red_xml(out, r->mode);
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
        red_xml(out, cmp->v[i].what);
        bz_buf_printf(out, ": %s.</p>\n", cmp->v[i].why);
    }
    if (cmp != NULL && cmp->other_corpus)
        bz_buf_puts(out, "<p class=\"m\">The baseline is of another corpus; rates are not "
                         "compared.</p>\n");
    else if (cmp != NULL && cmp->n == 0)
        bz_buf_puts(out, "<p class=\"good\">Nothing is worse than the baseline.</p>\n");
}

static void families(struct bz_buf *out, const struct bz_red_result *r) {
    bz_buf_puts(out, "<h2>Families</h2>\n<table><tr><th>Family</th><th>Attacks</th><th>Stopped</th>"
                     "<th>Stopped or flagged</th><th>Benign texts stopped</th></tr>\n");
    for (size_t i = 0; i < r->families_n; i++) {
        const struct bz_red_tally *f = &r->families[i];
        uint64_t n = bz_red_sum(f->attacks);
        bz_buf_puts(out, "<tr><td><code>");
        red_xml(out, f->name);
        bz_buf_puts(out, "</code><br><span class=\"m\">");
        red_xml(out, f->title);
        bz_buf_printf(out, "</span></td><td class=\"n\">%llu</td>", (unsigned long long)n);
        rate(out, f->attacks[BZ_RED_STOPPED], n);
        rate(out, f->attacks[BZ_RED_STOPPED] + f->attacks[BZ_RED_FLAGGED], n);
        rate(out, f->twins[BZ_RED_STOPPED], bz_red_sum(f->twins));
        bz_buf_puts(out, "</tr>\n");
    }
    bz_buf_puts(out, "</table>\n");
}

static void trials(struct bz_buf *out, const struct bz_red_result *r) {
    bz_buf_puts(out, "<h2>Scenarios</h2>\n<table><tr><th>Scenario</th><th>Forbidden</th><th>Rounds"
                     "</th><th>Happened</th><th>Nearest</th></tr>\n");
    for (size_t i = 0; i < r->trials_n; i++) {
        const struct bz_red_trial *t = &r->trials[i];
        bz_buf_puts(out, "<tr><td><code>");
        red_xml(out, t->id);
        bz_buf_printf(out,
                      "</code></td><td>%s</td><td class=\"n\">%llu</td><td class=\"n %s\">%llu</td>"
                      "<td class=\"n\">%.0f %%</td></tr>\n",
                      bz_red_forbid_name(t->forbid), (unsigned long long)t->rounds,
                      t->forbidden > 0 ? "bad" : "good", (unsigned long long)t->forbidden,
                      100 * t->nearest);
    }
    bz_buf_puts(out, "</table>\n");
}

static void findings(struct bz_buf *out, const struct bz_red_result *r) {
    bz_buf_puts(out, "<h2>Findings</h2>\n<table><tr><th>Where</th><th>What</th><th>How to do it "
                     "again</th></tr>\n");
    for (size_t i = 0; i < r->findings_n; i++) {
        const struct bz_red_finding *f = &r->findings[i];
        bz_buf_printf(out, "<tr class=\"%s\"><td>", f->forbidden ? "bad" : "m");
        red_xml(out, f->rule);
        bz_buf_puts(out, "</td><td>");
        red_xml(out, f->what);
        bz_buf_puts(out, "</td><td><code>");
        red_xml(out, f->gene);
        bz_buf_puts(out, "</code></td></tr>\n");
    }
    bz_buf_puts(out, "</table>\n");
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
    bz_buf_puts(out, "<p class=\"m\">bartizan redteam " BZ_VERSION "</p></body></html>\n");
}
