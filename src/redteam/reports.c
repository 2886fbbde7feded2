/* The same for programs that read test results (JUnit XML) and findings (SARIF 2.1.0). */
#include "red_int.h"

void red_xml(struct bz_buf *out, struct bz_view v) {
    struct bz_buf safe;
    bz_buf_init(&safe, v.n * 8 + 16);
    bz_put_safe(&safe, v);
    for (size_t i = 0; i < safe.n; i++) {
        uint8_t c = safe.p[i];
        const char *name = c == '<'    ? "&lt;"
                           : c == '>'  ? "&gt;"
                           : c == '&'  ? "&amp;"
                           : c == '"'  ? "&quot;"
                           : c == '\'' ? "&#39;"
                                       : NULL;
        if (name != NULL)
            bz_buf_puts(out, name);
        else
            bz_buf_putc(out, c);
    }
    bz_buf_free(&safe);
}

/* ---- JUnit: a case for each family and each scenario ---- */

static const struct bz_red_worse *worse_of(const struct bz_red_comparison *c, struct bz_view what) {
    for (size_t i = 0; c != NULL && i < c->n; i++)
        if (bz_view_eq(c->v[i].what, what))
            return &c->v[i];
    return NULL;
}

static void case_begin(struct bz_buf *out, const char *group, struct bz_view name) {
    bz_buf_printf(out, "    <testcase classname=\"redteam.%s\" name=\"", group);
    red_xml(out, name);
    bz_buf_puts(out, "\"");
}

static void failure(struct bz_buf *out, const char *why, struct bz_view more) {
    bz_buf_printf(out, "><failure message=\"%s\">", why);
    red_xml(out, more);
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

static void message(struct bz_jw *w, const char *key, struct bz_view v) {
    bz_jw_key(w, key);
    bz_jw_obj(w);
    bz_jw_kstr(w, "text", v);
    bz_jw_end(w);
}

static void kv(struct bz_jw *w, const char *k, const char *v) {
    bz_jw_kstr(w, k, bz_view_str(v));
}

static void rules(const struct bz_red_result *r, struct bz_jw *w) {
    bz_jw_key(w, "rules");
    bz_jw_arr(w);
    for (size_t i = 0; i < r->families_n; i++) {
        bz_jw_obj(w);
        bz_jw_kstr(w, "id", r->families[i].name);
        message(w, "shortDescription", r->families[i].title);
        message(w, "help", r->families[i].refs.n > 0 ? r->families[i].refs : r->families[i].title);
        bz_jw_end(w);
    }
    for (size_t i = 0; i < r->trials_n; i++) {
        bz_jw_obj(w);
        bz_jw_kstr(w, "id", r->trials[i].id);
        message(w, "shortDescription",
                BZ_V("A model that obeys every injection must not reach its goal."));
        bz_jw_end(w);
    }
    bz_jw_end(w);
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
    kv(w, "level", level);
    message(w, "message", bz_buf_view(&b));
    bz_jw_key(w, "locations");
    bz_jw_arr(w);
    bz_jw_obj(w);
    bz_jw_key(w, "logicalLocations");
    bz_jw_arr(w);
    bz_jw_obj(w);
    bz_jw_kstr(w, "fullyQualifiedName", r->target);
    kv(w, "kind", "resource");
    bz_jw_end(w);
    bz_jw_end(w);
    bz_jw_end(w);
    bz_jw_end(w);
    bz_jw_end(w);
    bz_buf_free(&b);
}

void bz_red_write_sarif(const struct bz_red_result *r, const struct bz_red_comparison *cmp,
                        struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    kv(&w, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    kv(&w, "version", "2.1.0");
    bz_jw_key(&w, "runs");
    bz_jw_arr(&w);
    bz_jw_obj(&w);
    bz_jw_key(&w, "tool");
    bz_jw_obj(&w);
    bz_jw_key(&w, "driver");
    bz_jw_obj(&w);
    kv(&w, "name", "bartizan redteam");
    kv(&w, "version", BZ_VERSION);
    rules(r, &w);
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_jw_key(&w, "results");
    bz_jw_arr(&w);
    for (size_t i = 0; i < r->findings_n; i++) {
        const struct bz_red_finding *f = &r->findings[i];
        sarif_result(&w, r, f->rule, f->forbidden ? "error" : "note", f->what, f->gene);
    }
    for (size_t i = 0; cmp != NULL && i < cmp->n; i++)
        sarif_result(&w, r, cmp->v[i].what, "error", bz_view_str(cmp->v[i].why), BZ_V("baseline"));
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_buf_putc(out, '\n');
}
