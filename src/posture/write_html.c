/* The report for people. */
#include "posture_int.h"

#include <bartizan/html.h>

static const char style[] =
    ".top{display:flex;gap:1.5rem;align-items:center;flex-wrap:wrap;border-bottom:1px solid "
    "var(--l);padding-bottom:1.5rem}"
    ".score{font-size:3.2rem;font-weight:700;line-height:1}"
    ".score small{font-size:1rem;color:var(--m);font-weight:400}"
    ".counts{display:flex;flex-wrap:wrap;gap:.5rem;margin:1rem 0 0;padding:0;list-style:none}"
    ".counts li{border:1px solid var(--l);border-radius:6px;padding:.2rem .7rem}"
    ".counts b{font-size:1.1rem}"
    "details{border:1px solid var(--l);border-left:4px solid var(--l);border-radius:6px;"
    "margin:.6rem 0;background:var(--c)}"
    "summary{cursor:pointer;padding:.6rem .8rem}details>div{padding:0 .9rem .8rem}"
    "details.critical{border-left-color:var(--critical)}details.high{border-left-color:var(--high)}"
    "details.medium{border-left-color:var(--medium)}details.low{border-left-color:var(--low)}"
    ".critical .s{color:var(--critical)}.high .s{color:var(--high)}"
    ".medium .s{color:var(--medium)}.low .s{color:var(--low)}"
    ".s{font-weight:600;text-transform:uppercase;font-size:.75rem;letter-spacing:.04em}"
    "ul.e{padding-left:1.2rem;margin:.4rem 0}"
    "ul.e li{font-family:ui-monospace,monospace;font-size:.85em;overflow-wrap:anywhere}"
    "dt{font-weight:600;margin-top:.5rem}dd{margin:0}@media print{details{break-inside:avoid}}";

static void evidence(struct bz_buf *out, const struct bz_posture_result *r) {
    if (r->evidence_n == 0)
        return;
    bz_buf_puts(out, "<ul class=\"e\">");
    for (size_t i = 0; i < r->evidence_n; i++) {
        bz_buf_puts(out, "<li>");
        bz_html_put(out, r->evidence[i].text);
        bz_buf_puts(out, "</li>");
    }
    if (r->more > 0)
        bz_buf_printf(out, "<li>and %zu more</li>", r->more);
    bz_buf_puts(out, "</ul>");
}

static void field(struct bz_buf *out, const char *name, const char *v) {
    bz_buf_printf(out, "<dt>%s</dt><dd>", name);
    bz_html_put(out, bz_view_str(v));
    bz_buf_puts(out, "</dd>");
}

static void finding(struct bz_buf *out, const struct bz_posture_result *r) {
    const struct bz_posture_check *k = r->check;
    const char *sev = bz_posture_severity_name((enum bz_posture_severity)k->severity);
    bz_buf_printf(out,
                  "<details class=\"%s\"%s><summary><span class=\"s\">%s</span> <span "
                  "class=\"id\">%s</span> ",
                  sev, k->severity >= BZ_POSTURE_HIGH ? " open" : "", sev, k->id);
    bz_html_put(out, bz_view_str(k->title));
    if (r->change == BZ_POSTURE_NEW)
        bz_buf_puts(out, " <b>new</b>");
    if (r->expired)
        bz_buf_puts(out, " <span class=\"m\">(its suppression has expired)</span>");
    bz_buf_puts(out, "</summary><div>");
    evidence(out, r);
    bz_buf_puts(out, "<dl>");
    field(out, "Why it matters", k->why);
    field(out, "What to do", k->fix);
    field(out, "References", k->refs);
    bz_buf_puts(out, "</dl></div></details>\n");
}

static void head(struct bz_buf *out, const struct bz_posture *p,
                 const struct bz_posture_counts *n) {
    struct bz_view host = p->host.n > 0 ? p->host : bz_view_str(p->root);
    bz_html_begin(out, "Posture of", host, style);
    bz_buf_printf(out,
                  "<div class=\"top\"><div class=\"score\">%u<small> of 100</small></div>"
                  "<div><h1>Posture of ",
                  n->score);
    bz_html_put(out, host);
    bz_buf_puts(out, "</h1><p class=\"m\">");
    bz_buf_put_time(out, (uint64_t)p->now * UINT64_C(1000000000));
    bz_buf_puts(out, p->privileged ? ", seen as root" : ", seen without root");
    if (p->compared)
        bz_buf_printf(out, ", last score %u", p->last_score);
    bz_buf_puts(out, "</p></div></div>\n<ul class=\"counts\">");
    for (unsigned s = BZ_POSTURE_SEVERITY_COUNT; s-- > 0;) {
        const char *name = bz_posture_severity_name((enum bz_posture_severity)s);
        bz_buf_printf(out, "<li class=\"%s\"><b>%u</b> <span class=\"s\">%s</span></li>", name,
                      n->failed[s], name);
    }
    bz_buf_printf(out,
                  "<li><b>%u</b> passed</li><li><b>%u</b> not assessable</li><li><b>%u</b> "
                  "suppressed</li></ul>\n",
                  n->status[BZ_POSTURE_PASS], n->status[BZ_POSTURE_UNKNOWN], n->suppressed);
}

static void open_ones(struct bz_buf *out, const struct bz_posture *p) {
    bool any = false;
    bz_buf_puts(out, "<h2>Findings</h2>\n");
    for (int sev = BZ_POSTURE_CRITICAL; sev >= BZ_POSTURE_LOW; sev--) {
        for (size_t i = 0; i < p->results_n; i++) {
            const struct bz_posture_result *r = &p->results[i];
            if (r->status == BZ_POSTURE_FAIL && !r->suppressed && r->check->severity == sev) {
                finding(out, r);
                any = true;
            }
        }
    }
    if (!any)
        bz_buf_puts(out, "<p class=\"good\">Nothing is open.</p>\n");
}

static void table(struct bz_buf *out, const struct bz_posture *p, unsigned status,
                  const char *title) {
    bool any = false;
    for (size_t i = 0; i < p->results_n; i++) {
        const struct bz_posture_result *r = &p->results[i];
        if (r->status != status)
            continue;
        if (!any)
            bz_buf_printf(out, "<h2>%s</h2>\n<table>", title);
        any = true;
        bz_buf_printf(out, "<tr><td class=\"id\">%s</td><td>", r->check->id);
        bz_html_put(out, bz_view_str(r->check->title));
        if (status == BZ_POSTURE_UNKNOWN)
            evidence(out, r);
        bz_buf_puts(out, "</td></tr>\n");
    }
    if (any)
        bz_buf_puts(out, "</table>\n");
}

static void suppressed(struct bz_buf *out, const struct bz_posture *p) {
    bool any = false;
    for (size_t i = 0; i < p->results_n; i++) {
        const struct bz_posture_result *r = &p->results[i];
        if (!r->suppressed || r->status != BZ_POSTURE_FAIL)
            continue;
        if (!any)
            bz_buf_puts(out, "<h2>Suppressed</h2>\n<table><tr><th>Check</th><th>Owner</"
                             "th><th>Until</th><th>Reason</th></tr>");
        any = true;
        bz_buf_printf(out, "<tr><td><span class=\"id\">%s</span> ", r->check->id);
        bz_html_put(out, bz_view_str(r->check->title));
        bz_buf_puts(out, "</td><td>");
        bz_html_put(out, r->owner);
        bz_buf_puts(out, "</td><td>");
        bz_html_put(out, r->until);
        bz_buf_puts(out, "</td><td>");
        bz_html_put(out, r->reason);
        bz_buf_puts(out, "</td></tr>\n");
    }
    if (any)
        bz_buf_puts(out, "</table>\n");
}

void bz_posture_write_html(const struct bz_posture *p, struct bz_buf *out) {
    struct bz_posture_counts n;
    bz_posture_count(p, &n);
    head(out, p, &n);
    open_ones(out, p);
    suppressed(out, p);
    table(out, p, BZ_POSTURE_UNKNOWN, "Not assessable");
    table(out, p, BZ_POSTURE_PASS, "Passed");
    table(out, p, BZ_POSTURE_NOT_APPLICABLE, "Not applicable");
    if (p->notes_n > 0)
        bz_buf_puts(out, "<h2>Notes</h2>\n<ul>");
    for (size_t i = 0; i < p->notes_n; i++) {
        bz_buf_puts(out, "<li>");
        bz_html_put(out, p->notes[i].text);
        bz_buf_puts(out, "</li>");
    }
    if (p->notes_n > 0)
        bz_buf_puts(out, "</ul>\n");
    bz_html_end(out, "bartizan posture");
}
