/* The report for programs: JSON (schema in docs/POSTURE.md) and SARIF 2.1.0. */
#include "posture_int.h"

#include <bartizan/sarif.h>

static void text(struct bz_jw *w, const char *key, const char *v) {
    bz_jw_kstr(w, key, bz_view_str(v));
}

/* "SC-7, CM-7" as a list. */
static void refs(struct bz_jw *w, const char *key, const char *list) {
    struct bz_view rest = bz_view_str(list), one, next;
    bz_jw_key(w, key);
    bz_jw_arr(w);
    while (rest.n > 0) {
        one = rest;
        next = bz_view(NULL, 0);
        (void)pt_split(rest, ',', &one, &next);
        rest = next;
        bz_jw_str(w, pt_trim(one));
    }
    bz_jw_end(w);
}

static const char *change_name(unsigned c) {
    return c == BZ_POSTURE_NEW ? "new" : c == BZ_POSTURE_FIXED ? "fixed" : "same";
}

static void result(struct bz_jw *w, const struct bz_posture *p, const struct bz_posture_result *r) {
    const struct bz_posture_check *k = r->check;
    bz_jw_obj(w);
    text(w, "id", k->id);
    text(w, "status", bz_posture_status_name((enum bz_posture_status)r->status));
    text(w, "severity", bz_posture_severity_name((enum bz_posture_severity)k->severity));
    text(w, "title", k->title);
    bz_jw_key(w, "evidence");
    bz_jw_arr(w);
    for (size_t i = 0; i < r->evidence_n; i++)
        bz_jw_str(w, r->evidence[i].text);
    bz_jw_end(w);
    bz_jw_ku64(w, "more_evidence", r->more);
    text(w, "why", k->why);
    text(w, "fix", k->fix);
    refs(w, "references", k->refs);
    if (p->compared)
        text(w, "change", change_name(r->change));
    if (r->suppressed || r->expired) {
        bz_jw_key(w, "suppression");
        bz_jw_obj(w);
        bz_jw_kbool(w, "in_force", r->suppressed);
        bz_jw_kstr(w, "owner", r->owner);
        bz_jw_kstr(w, "reason", r->reason);
        bz_jw_kstr(w, "expires", r->until);
        bz_jw_end(w);
    }
    bz_jw_end(w);
}

static void summary(struct bz_jw *w, const struct bz_posture *p) {
    struct bz_posture_counts n;
    bz_posture_count(p, &n);
    bz_jw_key(w, "summary");
    bz_jw_obj(w);
    bz_jw_ku64(w, "score", n.score);
    if (p->compared)
        bz_jw_ku64(w, "last_score", p->last_score);
    bz_jw_ku64(w, "pass", n.status[BZ_POSTURE_PASS]);
    bz_jw_ku64(w, "fail", n.status[BZ_POSTURE_FAIL]);
    bz_jw_ku64(w, "not_assessable", n.status[BZ_POSTURE_UNKNOWN]);
    bz_jw_ku64(w, "not_applicable", n.status[BZ_POSTURE_NOT_APPLICABLE]);
    bz_jw_ku64(w, "suppressed", n.suppressed);
    bz_jw_ku64(w, "expired_suppressions", n.expired);
    for (unsigned s = BZ_POSTURE_SEVERITY_COUNT; s-- > 0;)
        bz_jw_ku64(w, bz_posture_severity_name((enum bz_posture_severity)s), n.failed[s]);
    bz_jw_end(w);
}

void bz_posture_write_json(const struct bz_posture *p, struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    text(&w, "schema", "bartizan-posture/1");
    text(&w, "tool", "bartizan " BZ_VERSION);
    bz_jw_ku64(&w, "time", (uint64_t)p->now);
    text(&w, "root", p->root);
    bz_jw_kstr(&w, "host", p->host);
    bz_jw_kbool(&w, "privileged", p->privileged);
    summary(&w, p);
    bz_jw_key(&w, "findings"); /* what is open */
    bz_jw_arr(&w);
    for (size_t i = 0; i < p->results_n; i++) {
        if (p->results[i].status == BZ_POSTURE_FAIL && !p->results[i].suppressed)
            result(&w, p, &p->results[i]);
    }
    bz_jw_end(&w);
    bz_jw_key(&w, "checks"); /* all, in the order of the catalogue */
    bz_jw_arr(&w);
    for (size_t i = 0; i < p->results_n; i++)
        result(&w, p, &p->results[i]);
    bz_jw_end(&w);
    bz_jw_key(&w, "notes");
    bz_jw_arr(&w);
    for (size_t i = 0; i < p->notes_n; i++)
        bz_jw_str(&w, p->notes[i].text);
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_buf_putc(out, '\n');
}

/* ---- SARIF ---- */

static const char *level(const struct bz_posture_check *k) {
    return k->severity >= BZ_POSTURE_HIGH     ? "error"
           : k->severity == BZ_POSTURE_MEDIUM ? "warning"
                                              : "note";
}

static void rule(struct bz_jw *w, const struct bz_posture_check *k) {
    static const char *const scores[] = {"3.0", "5.5", "8.0",
                                         "9.5"}; /* CVSS bands that SARIF readers know */
    bz_sarif_rule(w, &(struct bz_sarif_rule){.id = bz_view_str(k->id),
                                             .title = bz_view_str(k->title),
                                             .why = bz_view_str(k->why),
                                             .todo = bz_view_str(k->fix),
                                             .level = level(k)});
    bz_jw_key(w, "properties");
    bz_jw_obj(w);
    text(w, "security-severity", scores[k->severity]);
    refs(w, "tags", k->refs);
    bz_jw_end(w);
    bz_jw_end(w);
}

/* The path that an evidence begins with; without one, the root. */
static struct bz_view place(struct bz_view v) {
    size_t n = 0;
    if (v.n == 0 || v.p[0] != '/')
        return BZ_V("/");
    while (n < v.n && v.p[n] != ' ' && v.p[n] != ':' && v.p[n] != ',')
        n++;
    return bz_view_sub(v, 0, n);
}

static void sarif_suppression(struct bz_jw *w, const struct bz_posture_result *r) {
    if (!r->suppressed)
        return;
    bz_jw_key(w, "suppressions");
    bz_jw_arr(w);
    bz_jw_obj(w);
    text(w, "kind", "external");
    text(w, "status", "accepted");
    bz_jw_kstr(w, "justification", r->reason);
    bz_jw_end(w);
    bz_jw_end(w);
}

static void sarif_one(struct bz_jw *w, const struct bz_posture *p, size_t index,
                      struct bz_view evidence) {
    const struct bz_posture_result *r = &p->results[index];
    bool fail = r->status == BZ_POSTURE_FAIL;
    struct bz_buf b;
    bz_buf_init(&b, evidence.n + 512);
    bz_buf_puts(&b, r->check->title);
    bz_buf_puts(&b, ": ");
    bz_buf_put(&b, evidence);
    bz_jw_obj(w);
    text(w, "ruleId", r->check->id);
    bz_jw_ku64(w, "ruleIndex", index);
    text(w, "kind", fail ? "fail" : "open");
    text(w, "level", fail ? level(r->check) : "none");
    bz_sarif_text(w, "message", bz_buf_view(&b));
    bz_sarif_place(w, &(struct bz_sarif_place){.path = place(evidence)});
    if (p->compared && fail)
        text(w, "baselineState", r->change == BZ_POSTURE_NEW ? "new" : "unchanged");
    sarif_suppression(w, r);
    bz_jw_end(w);
    bz_buf_free(&b);
}

/* What could not be looked at, as notifications. */
static void notes(const struct bz_posture *p, struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_arr(&w);
    for (size_t i = 0; i < p->notes_n; i++) {
        bz_jw_obj(&w);
        text(&w, "level", "note");
        bz_sarif_text(&w, "message", p->notes[i].text);
        bz_jw_end(&w);
    }
    bz_jw_end(&w);
}

void bz_posture_write_sarif(const struct bz_posture *p, struct bz_buf *out) {
    struct bz_buf told;
    struct bz_jw w;
    bz_buf_init(&told, out->max);
    bz_jw_init(&w, out);
    bz_sarif_begin(&w, "bartizan posture");
    for (size_t i = 0; i < p->results_n; i++)
        rule(&w, p->results[i].check);
    bz_sarif_results(&w);
    for (size_t i = 0; i < p->results_n; i++) {
        const struct bz_posture_result *r = &p->results[i];
        bool shown = r->status == BZ_POSTURE_FAIL || r->status == BZ_POSTURE_UNKNOWN;
        for (size_t j = 0; shown && j < r->evidence_n; j++)
            sarif_one(&w, p, i, r->evidence[j].text);
    }
    notes(p, &told);
    bz_sarif_end(&w, true, bz_buf_view(&told));
    if (bz_buf_status(out) == BZ_OK)
        out->st = bz_buf_status(&told);
    bz_buf_free(&told);
    bz_buf_putc(out, '\n');
}
