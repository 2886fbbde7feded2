/* The report for a terminal: worst first, narrow windows are fine. */
#include "posture_int.h"

struct page {
    struct bz_buf *out;
    size_t width;
    bool colour;
};

static const char *paint(const struct page *p, const char *code) {
    return p->colour ? code : "";
}

/* Writes text wrapped at blanks, each line after `first` indented. */
static void wrap(const struct page *p, const char *first, size_t indent, struct bz_view text) {
    struct bz_buf safe;
    bz_buf_init(&safe, text.n * 8 + 16);
    bz_put_safe(&safe, text);
    bz_buf_puts(p->out, first);
    bz_buf_put_wrapped(p->out, strlen(first), indent, p->width, bz_buf_view(&safe));
    bz_buf_putc(p->out, '\n');
    bz_buf_free(&safe);
}

static const char *severity_paint(const struct page *p, unsigned severity) {
    static const char *const codes[] = {"\033[36m", "\033[33m", "\033[31m", "\033[1;31m"};
    return paint(p, codes[severity]);
}

static void finding(const struct page *p, const struct bz_posture_result *r) {
    const struct bz_posture_check *k = r->check;
    const char *sev = bz_posture_severity_name((enum bz_posture_severity)k->severity);
    bz_buf_printf(p->out, "\n%s%s %s%s", severity_paint(p, k->severity), k->id, sev,
                  paint(p, "\033[0m"));
    if (r->change == BZ_POSTURE_NEW)
        bz_buf_printf(p->out, "%s new%s", paint(p, "\033[1m"), paint(p, "\033[0m"));
    if (r->expired)
        bz_buf_puts(p->out, " (its suppression has expired)");
    bz_buf_putc(p->out, '\n');
    wrap(p, "  ", 2, bz_view_str(k->title));
    for (size_t i = 0; i < r->evidence_n; i++)
        wrap(p, "  - ", 4, r->evidence[i].text);
    if (r->more > 0)
        bz_buf_printf(p->out, "  - and %zu more\n", r->more);
    if (r->status != BZ_POSTURE_FAIL)
        return;
    wrap(p, "  why: ", 7, bz_view_str(k->why));
    wrap(p, "  fix: ", 7, bz_view_str(k->fix));
    wrap(p, "  see: ", 7, bz_view_str(k->refs));
}

static void suppressed(const struct page *p, const struct bz_posture *r) {
    bool any = false;
    for (size_t i = 0; i < r->results_n; i++) {
        const struct bz_posture_result *one = &r->results[i];
        if (!one->suppressed || one->status != BZ_POSTURE_FAIL)
            continue;
        if (!any)
            bz_buf_puts(p->out, "\nsuppressed:\n");
        any = true;
        struct bz_buf line;
        bz_buf_init(&line, 2048);
        bz_buf_printf(&line, "%s until %.*s by %.*s: %.*s", one->check->id, PT_V(one->until),
                      PT_V(one->owner), PT_V(one->reason));
        wrap(p, "  ", 4, bz_buf_view(&line));
        bz_buf_free(&line);
    }
}

static void list_ids(const struct page *p, const struct bz_posture *r, unsigned status,
                     const char *head) {
    struct bz_buf ids;
    bz_buf_init(&ids, 8192);
    for (size_t i = 0; i < r->results_n; i++) {
        if (r->results[i].status == status)
            bz_buf_printf(&ids, "%s ", r->results[i].check->id);
    }
    if (ids.n > 0)
        wrap(p, head, 2, bz_buf_view(&ids));
    bz_buf_free(&ids);
}

static void totals(const struct page *p, const struct bz_posture *r) {
    struct bz_posture_counts n;
    bz_posture_count(r, &n);
    bz_buf_printf(p->out, "\n%sscore %u of 100%s", paint(p, "\033[1m"), n.score,
                  paint(p, "\033[0m"));
    if (r->compared)
        bz_buf_printf(p->out, " (last run: %u)", r->last_score);
    bz_buf_printf(p->out, "\n%u failed (%u critical, %u high, %u medium, %u low)\n",
                  n.status[BZ_POSTURE_FAIL], n.failed[BZ_POSTURE_CRITICAL],
                  n.failed[BZ_POSTURE_HIGH], n.failed[BZ_POSTURE_MEDIUM], n.failed[BZ_POSTURE_LOW]);
    bz_buf_printf(p->out, "%u passed, %u not assessable, %u not applicable, %u suppressed\n",
                  n.status[BZ_POSTURE_PASS], n.status[BZ_POSTURE_UNKNOWN],
                  n.status[BZ_POSTURE_NOT_APPLICABLE], n.suppressed);
    unsigned fixed = 0, fresh = 0;
    for (size_t i = 0; i < r->results_n; i++) {
        fixed += r->results[i].change == BZ_POSTURE_FIXED;
        fresh += r->results[i].change == BZ_POSTURE_NEW;
    }
    if (r->compared)
        bz_buf_printf(p->out, "since the last run: %u new, %u fixed\n", fresh, fixed);
    for (size_t i = 0; i < r->notes_n; i++)
        wrap(p, "note: ", 6, r->notes[i].text);
}

void bz_posture_write_text(const struct bz_posture *p, const struct bz_posture_text_options *o,
                           struct bz_buf *out) {
    struct page page = {out, o->width < 20 ? (o->width == 0 ? 80 : 20) : o->width, o->colour};
    bz_buf_puts(out, "posture of ");
    wrap(&page, "", 11, p->host.n > 0 ? p->host : bz_view_str(p->root));
    for (int sev = BZ_POSTURE_CRITICAL; sev >= BZ_POSTURE_LOW; sev--) {
        for (size_t i = 0; i < p->results_n; i++) {
            const struct bz_posture_result *r = &p->results[i];
            if (r->status == BZ_POSTURE_FAIL && !r->suppressed && r->check->severity == sev)
                finding(&page, r);
        }
    }
    if (o->all) {
        bz_buf_puts(out, "\nnot assessable:\n");
        for (size_t i = 0; i < p->results_n; i++) {
            if (p->results[i].status == BZ_POSTURE_UNKNOWN)
                finding(&page, &p->results[i]);
        }
        bz_buf_putc(out, '\n');
        list_ids(&page, p, BZ_POSTURE_PASS, "passed: ");
        list_ids(&page, p, BZ_POSTURE_NOT_APPLICABLE, "not applicable: ");
    } else {
        bz_buf_putc(out, '\n');
        list_ids(&page, p, BZ_POSTURE_UNKNOWN, "not assessable (--all tells why): ");
    }
    suppressed(&page, p);
    totals(&page, p);
}
