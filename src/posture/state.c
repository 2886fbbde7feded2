/* What stands around a run: suppressions, the last run, the summary for policy, the catalogue's page. */
#include <stdio.h>
#include "posture_int.h"

/* ---- dates ---- */

/* Days since 1970-01-01 of "YYYY-MM-DD" (H. Hinnant, "chrono-compatible low-level date algorithms"). */
static bool day_of(struct bz_view v, int64_t *ret) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (v.n != 10 || v.p[4] != '-' || v.p[7] != '-')
        return false;
    uint64_t y = pt_num(bz_view_sub(v, 0, 4), 0), m = pt_num(bz_view_sub(v, 5, 2), 0),
             d = pt_num(bz_view_sub(v, 8, 2), 0);
    bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    if (y < 1970 || y > 2200 || m < 1 || m > 12 || d < 1 ||
        d > days[m - 1] + (m == 2 && leap ? 1u : 0u))
        return false;
    int64_t yy = (int64_t)y - (m <= 2), era = yy / 400, yoe = yy - era * 400;
    int64_t doy = (153 * ((int64_t)m + (m > 2 ? -3 : 9)) + 2) / 5 + (int64_t)d - 1;
    *ret = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
    return true;
}

/* ---- suppressions ---- */

static struct bz_posture_result *result_of(struct bz_posture *p, struct bz_view id) {
    for (size_t i = 0; i < p->results_n; i++) {
        if (pt_is(id, p->results[i].check->id))
            return &p->results[i];
    }
    return NULL;
}

static enum bz_status one_suppression(struct bz_posture *p, const struct bz_json *n,
                                      struct bz_diag *diag, size_t no) {
    struct bz_view id = bz_json_str(bz_json_get(n, BZ_V("id"))),
                   owner = bz_json_str(bz_json_get(n, BZ_V("owner")));
    struct bz_view reason = bz_json_str(bz_json_get(n, BZ_V("reason"))),
                   until = bz_json_str(bz_json_get(n, BZ_V("expires")));
    struct bz_posture_result *r = result_of(p, id);
    int64_t day = 0;
    const char *why = id.n == 0                ? "an entry without an id"
                      : r == NULL              ? "an id that no check has"
                      : pt_trim(owner).n == 0  ? "an entry without an owner"
                      : pt_trim(reason).n == 0 ? "an entry without a reason"
                      : !day_of(until, &day) ? "an entry whose 'expires' is no date like 2027-01-31"
                      : r->suppressed || r->expired ? "a check that is named twice"
                                                    : NULL;
    for (const struct bz_json *k = n->first; k != NULL && why == NULL; k = k->next) {
        static const char *const known[] = {"id", "owner", "reason", "expires", NULL};
        if (!pt_is_any(k->key, known))
            why = "an entry with a member that is not known";
    }
    if (why != NULL) {
        bz_diag_set(diag, no, why);
        return BZ_ESYNTAX;
    }
    /* Holds up to the end of the day before: on its date it counts again. */
    r->expired = p->now / 86400 >= day;
    r->suppressed = !r->expired;
    r->owner = owner;
    r->reason = reason;
    r->until = until;
    return BZ_OK;
}

enum bz_status bz_posture_suppress(struct bz_posture *p, struct bz_view yaml,
                                   struct bz_diag *diag) {
    bz_diag_set(diag, 0, "this is no YAML");
    const struct bz_json *root = pt_yaml(&p->arena, yaml, diag);
    const struct bz_json *list = bz_json_get(root, BZ_V("suppressions"));
    if (root == NULL)
        return BZ_ESYNTAX;
    if (!bz_json_is(list, BZ_JSON_ARRAY) || root->count != 1) {
        bz_diag_set(diag, 1, "'suppressions:' with a list of entries is wanted, and nothing else");
        return BZ_ESYNTAX;
    }
    size_t no = 0;
    for (const struct bz_json *n = list->first; n != NULL; n = n->next) {
        if (!bz_json_is(n, BZ_JSON_OBJECT)) {
            bz_diag_set(diag, no + 1, "an entry that has no members");
            return BZ_ESYNTAX;
        }
        BZ_TRY(one_suppression(p, n, diag, ++no));
    }
    for (size_t i = 0; i < p->results_n;
         i++) { /* an expired one says so, whatever the check says now */
        if (p->results[i].expired)
            pt_note(p, "the suppression of %s by %.*s expired on %.*s: it counts again",
                    p->results[i].check->id, PT_V(p->results[i].owner), PT_V(p->results[i].until));
    }
    return BZ_OK;
}

/* ---- the last run ---- */

static enum bz_status parse_report(struct bz_view json, struct bz_arena *ar, struct bz_json **ret) {
    struct bz_diag diag;
    BZ_TRY(bz_json_parse(pt_trim(json), NULL, ar, ret, &diag));
    return pt_is(bz_json_str(bz_json_get(*ret, BZ_V("schema"))), "bartizan-posture/1")
               ? BZ_OK
               : BZ_EVERSION;
}

static unsigned small(const struct bz_json *o, const char *key) {
    int64_t n = 0;
    const struct bz_json *v = bz_json_get(o, bz_view_str(key));
    return bz_json_is(v, BZ_JSON_NUMBER) && bz_json_i64(v, &n) == BZ_OK && n >= 0 && n <= 1000000
               ? (unsigned)n
               : 0;
}

enum bz_status bz_posture_compare(struct bz_posture *p, struct bz_view last) {
    struct bz_json *root = NULL;
    BZ_TRY(parse_report(last, &p->arena, &root));
    const struct bz_json *checks = bz_json_get(root, BZ_V("checks"));
    if (!bz_json_is(checks, BZ_JSON_ARRAY))
        return BZ_ESYNTAX;
    p->compared = true;
    p->last_score = small(bz_json_get(root, BZ_V("summary")), "score");
    for (size_t i = 0; i < p->results_n; i++)
        p->results[i].change =
            p->results[i].status == BZ_POSTURE_FAIL ? BZ_POSTURE_NEW : BZ_POSTURE_SAME;
    for (const struct bz_json *n = checks->first; n != NULL; n = n->next) {
        struct bz_posture_result *r = result_of(p, bz_json_str(bz_json_get(n, BZ_V("id"))));
        if (r == NULL || !pt_is(bz_json_str(bz_json_get(n, BZ_V("status"))), "fail"))
            continue;
        /* what cannot be assessed any more was not fixed */
        bool gone = r->status == BZ_POSTURE_PASS || r->status == BZ_POSTURE_NOT_APPLICABLE;
        r->change = gone ? BZ_POSTURE_FIXED : BZ_POSTURE_SAME;
    }
    return BZ_OK;
}

/* ---- for policy ---- */

enum bz_status bz_posture_summary_read(struct bz_view json, struct bz_posture_summary *ret) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    struct bz_posture_summary s = {0};
    bz_arena_init(&ar, bz_alloc_heap, BZ_POSTURE_ARENA_MAX, NULL, 0);
    enum bz_status st = parse_report(json, &ar, &root);
    const struct bz_json *sum = bz_json_get(root, BZ_V("summary")),
                         *open = bz_json_get(root, BZ_V("findings"));
    int64_t when = 0;
    if (st == BZ_OK && (sum == NULL || !bz_json_is(open, BZ_JSON_ARRAY) ||
                        !bz_json_is(bz_json_get(root, BZ_V("time")), BZ_JSON_NUMBER) ||
                        bz_json_i64(bz_json_get(root, BZ_V("time")), &when) != BZ_OK || when < 0))
        st = BZ_ESYNTAX;
    if (st == BZ_OK) {
        s.time = (uint64_t)when;
        s.score = small(sum, "score");
        s.critical = small(sum, "critical");
        s.high = small(sum, "high");
        for (const struct bz_json *n = open->first; n != NULL; n = n->next) {
            struct bz_view id = bz_json_str(bz_json_get(n, BZ_V("id")));
            bool critical = pt_is(bz_json_str(bz_json_get(n, BZ_V("severity"))), "critical");
            if (!critical || id.n == 0 || id.n >= sizeof s.open[0] ||
                s.open_n >= BZ_POSTURE_OPEN_MAX)
                continue;
            memcpy(s.open[s.open_n++], id.p, id.n);
        }
        *ret = s;
    }
    bz_arena_free(&ar);
    return st;
}

/* ---- docs/POSTURE.md, the catalogue ---- */

static void table_text(struct bz_buf *out, const char *s) {
    for (; *s != '\0'; s++) {
        if (*s == '|' || *s == '*' || *s == '<' || *s == '_')
            bz_buf_putc(out, '\\');
        bz_buf_putc(out, (uint8_t)*s);
    }
}

void bz_posture_write_docs(struct bz_buf *out) {
    static const char *const groups[] = {"A. Exposure",
                                         "B. Processes and least privilege",
                                         "C. GPU",
                                         "D. Model files and supply chain",
                                         "E. Secrets",
                                         "F. Data at rest and leakage",
                                         "G. Platform hygiene and drift",
                                         "H. Beyond: what else a good engineer looks at"};
    char group = 0;
    for (size_t i = 0; i < bz_posture_check_count(); i++) {
        const struct bz_posture_check *k = bz_posture_check_at(i);
        if (k->id[0] != group) {
            group = k->id[0];
            bz_buf_printf(out,
                          "\n### %s\n\n| id | severity | what | why | fix | references "
                          "|\n|---|---|---|---|---|---|\n",
                          groups[group - 'A']);
        }
        bz_buf_printf(out, "| %s | %s | ", k->id,
                      bz_posture_severity_name((enum bz_posture_severity)k->severity));
        table_text(out, k->title);
        bz_buf_puts(out, " | ");
        table_text(out, k->why);
        bz_buf_puts(out, " | ");
        table_text(out, k->fix);
        bz_buf_puts(out, " | ");
        table_text(out, k->refs);
        bz_buf_puts(out, " |\n");
    }
}
