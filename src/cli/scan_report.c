#include "scan_report.h"

#include <inttypes.h>
#include <bartizan/sarif.h>

#include "opts.h"
#include "term.h"

enum {
    OUT_MAX = 4 << 20, /* of one file */
    FAILURES_MAX = 4 << 20,
    NAME_BYTES_MAX = 8192,
    ESCAPED_MAX = 64 * 1024, /* one text of at most 4 KiB, escaped */
    INDENT = 4
};

static const char *verdict_name(enum bz_scan_verdict v) {
    static const char *const names[] = {"clean", "unchecked", "findings"};
    return (unsigned)v < BZ_SCAN_VERDICT_COUNT ? names[v] : "unchecked";
}

static const char *why(const struct bz_scan_outcome *o) {
    if (o->error > 0)
        return strerror(o->error);
    if (o->error < 0)
        return "the process that read it died: please report this file";
    return o->st == BZ_EIO ? "it could not be read, or changed meanwhile" : bz_status_text(o->st);
}

static void flush(struct bz_scan_report *r) {
    if (r->b.n > 0)
        (void)fwrite(r->b.p, 1, r->b.n, r->out);
    r->b.n = 0;
}

/* ---- text ------------------------------------------------------------------------------------------ */

/* A label and words, broken at the width. */
static void wrapped(struct bz_scan_report *r, const char *label, struct bz_view text) {
    bz_buf_printf(&r->b, "%*s%s ", INDENT, "", label);
    bz_buf_put_wrapped(&r->b, INDENT + strlen(label) + 1, INDENT + 2, r->width, text);
    bz_buf_putc(&r->b, '\n');
}

static struct bz_buf *tmp(struct bz_scan_report *r) {
    bz_buf_reset(&r->tmp);
    return &r->tmp;
}

static void where_line(struct bz_scan_report *r, const struct bz_scan_found_wire *f) {
    struct bz_buf *b = tmp(r);
    if (f->place.n > 0) {
        bz_put_safe(b, f->place);
        bz_buf_puts(b, ", ");
    }
    bz_buf_printf(b, "byte %" PRIu64, f->offset);
    wrapped(r, "where:", bz_buf_view(b));
}

static void text_finding(struct bz_scan_report *r, const struct bz_scan_found_wire *f) {
    bz_buf_printf(&r->b, "  %s %s\n", bz_severity_name((enum bz_severity)f->rule->severity),
                  f->rule->id);
    wrapped(r, "what: ", bz_view_str(f->rule->title));
    where_line(r, f);
    if (f->evidence.n > 0) {
        struct bz_buf *b = tmp(r);
        bz_put_safe(b, f->evidence);
        wrapped(r, "found:", bz_buf_view(b));
    }
    wrapped(r, "would:", bz_view_str(f->rule->would));
    wrapped(r, "do:   ", bz_view_str(f->rule->todo));
    if (f->rule->ref[0] != '\0')
        wrapped(r, "see:  ", bz_view_str(f->rule->ref));
}

static bool is_program(const struct bz_scan_found_wire *f) {
    return strcmp(f->rule->id, "EXE-INSTALLED") == 0;
}

/* Installed programs come by the hundred: they are counted. */
static bool shown(const struct bz_scan_report *r, const struct bz_scan_found_wire *f) {
    return r->verbose || (f->rule->kind != BZ_RULE_NOTE && !is_program(f));
}

static void text_file(struct bz_scan_report *r, const char *name, const struct bz_scan_outcome *o) {
    size_t n = 0;
    for (size_t i = 0; i < o->found_n; i++)
        n += shown(r, &o->found[i]);
    if (o->hashed) {
        bz_buf_put_hex(&r->b, bz_view(o->hash, sizeof o->hash));
        bz_buf_puts(&r->b, "  ");
        bz_put_safe(&r->b, bz_view_str(name));
        bz_buf_putc(&r->b, '\n');
    }
    if (n == 0 && !r->verbose)
        return;
    bz_put_safe(&r->b, bz_view_str(name));
    bz_buf_puts(&r->b, ": ");
    bz_put_safe(&r->b, o->format);
    bz_buf_printf(&r->b, ", %s\n", verdict_name(o->verdict));
    for (size_t i = 0; i < o->found_n; i++) {
        if (shown(r, &o->found[i]))
            text_finding(r, &o->found[i]);
    }
    if (o->more > 0)
        bz_buf_printf(&r->b, "  and %" PRIu64 " more\n", o->more);
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void put_escaped(struct bz_scan_report *r, struct bz_jw *w, const char *key,
                        struct bz_view v) {
    struct bz_buf *b = tmp(r);
    bz_put_safe(b, v);
    bz_jw_kstr(w, key, bz_buf_view(b));
}

static void put_text(struct bz_jw *w, const char *key, const char *text) {
    bz_jw_kstr(w, key, bz_view_str(text));
}

static void json_finding(struct bz_scan_report *r, const struct bz_scan_found_wire *f) {
    struct bz_jw *w = &r->w;
    bz_jw_obj(w);
    put_text(w, "rule", f->rule->id);
    put_text(w, "kind", bz_rule_kind_name((enum bz_rule_kind)f->rule->kind));
    put_text(w, "severity", bz_severity_name((enum bz_severity)f->rule->severity));
    put_text(w, "title", f->rule->title);
    put_escaped(r, w, "place", f->place);
    bz_jw_ku64(w, "offset", f->offset);
    put_escaped(r, w, "evidence", f->evidence);
    put_text(w, "would", f->rule->would);
    put_text(w, "todo", f->rule->todo);
    put_text(w, "ref", f->rule->ref);
    bz_jw_end(w);
}

static void json_file(struct bz_scan_report *r, const char *name, const struct bz_scan_outcome *o) {
    struct bz_jw *w = &r->w;
    bz_jw_obj(w);
    put_escaped(r, w, "path", bz_view_str(name));
    put_escaped(r, w, "format", o->format);
    put_text(w, "verdict", verdict_name(o->verdict));
    put_text(w, "severity",
             o->found_n > 0 ? bz_severity_name((enum bz_severity)o->severity) : "none");
    bz_jw_ku64(w, "bytes", o->size);
    bz_jw_ku64(w, "members", o->members);
    if (o->hashed) {
        uint8_t mem[64];
        struct bz_buf b;
        bz_buf_init_fixed(&b, mem, sizeof mem);
        bz_buf_put_hex(&b, bz_view(o->hash, sizeof o->hash));
        bz_jw_kstr(w, "sha256", bz_buf_view(&b));
    }
    bz_jw_key(w, "findings");
    bz_jw_arr(w);
    for (size_t i = 0; i < o->found_n; i++)
        json_finding(r, &o->found[i]);
    bz_jw_end(w);
    bz_jw_ku64(w, "findings_more", o->more);
    bz_jw_end(w);
}

/* ---- SARIF --------------------------------------------------------------------------------------------- */

static const char *level(const struct bz_rule *rule) {
    if (rule->kind == BZ_RULE_NOTE)
        return "note";
    return rule->severity >= BZ_SEVERITY_HIGH ? "error" : "warning";
}

static void sarif_rule(struct bz_jw *w, const struct bz_rule *rule) {
    static const char *const score[] = {"0.0", "2.0", "5.0", "8.0", "9.5"};
    bz_sarif_rule(w, &(struct bz_sarif_rule){.id = bz_view_str(rule->id),
                                             .title = bz_view_str(rule->title),
                                             .why = bz_view_str(rule->would),
                                             .todo = bz_view_str(rule->todo),
                                             .level = level(rule)});
    bz_jw_key(w, "properties");
    bz_jw_obj(w);
    put_text(w, "kind", bz_rule_kind_name((enum bz_rule_kind)rule->kind));
    put_text(w, "security-severity", score[rule->severity]);
    if (rule->ref[0] != '\0')
        put_text(w, "reference", rule->ref);
    bz_jw_end(w);
    bz_jw_end(w);
}

/* In a member, the offset is not the file's. */
static void put_place(struct bz_scan_report *r, const char *path,
                      const struct bz_scan_found_wire *f) {
    struct bz_buf *b = tmp(r);
    bz_put_safe(b, f->place);
    bz_sarif_place(&r->w, &(struct bz_sarif_place){.path = bz_view_str(path),
                                                   .at_byte = f->place.n == 0,
                                                   .byte = f->offset,
                                                   .inside = bz_buf_view(b),
                                                   .inside_kind = "member"});
}

static void sarif_finding(struct bz_scan_report *r, const char *name,
                          const struct bz_scan_found_wire *f) {
    struct bz_jw *w = &r->w;
    struct bz_buf *b = tmp(r);
    bz_buf_puts(b, f->rule->title);
    bz_buf_puts(b, f->evidence.n > 0 ? ": " : "");
    bz_put_safe(b, f->evidence);
    bz_jw_obj(w);
    put_text(w, "ruleId", f->rule->id);
    put_text(w, "level", level(f->rule));
    bz_sarif_text(w, "message", bz_buf_view(b));
    put_place(r, name, f);
    bz_jw_key(w, "properties");
    bz_jw_obj(w);
    bz_jw_ku64(w, "offset", f->offset);
    bz_jw_end(w);
    bz_jw_end(w);
}

static void begin_sarif(struct bz_scan_report *r) {
    bz_sarif_begin(&r->w, "bartizan scan");
    for (size_t i = 0; i < r->run->rules_n; i++)
        sarif_rule(&r->w, r->run->rules[i]);
    bz_sarif_results(&r->w);
}

/* ---- all of them --------------------------------------------------------------------------------------- */

void bz_scan_report_begin(struct bz_scan_report *r) {
    bz_buf_init(&r->b, OUT_MAX);
    bz_buf_init(&r->failures, FAILURES_MAX);
    bz_buf_init(&r->tmp, ESCAPED_MAX);
    bz_jw_init(&r->w, &r->b);
    bz_jw_init(&r->fw, &r->failures);
    bz_jw_arr(&r->fw);
    r->width = bz_term_text_columns(r->out);
    if (r->form == BZ_SCAN_SARIF) {
        begin_sarif(r);
    } else if (r->form == BZ_SCAN_JSON) {
        bz_jw_obj(&r->w);
        bz_jw_ku64(&r->w, "version", 1);
        bz_jw_key(&r->w, "files");
        bz_jw_arr(&r->w);
    }
    flush(r);
}

static void failure(struct bz_scan_report *r, const char *name, const char *text) {
    struct bz_jw *w = &r->fw;
    bz_say("%s: %s", bz_safe(name), text);
    if (r->failures.n + 2 * NAME_BYTES_MAX > FAILURES_MAX)
        return;
    bz_jw_obj(w);
    if (r->form == BZ_SCAN_SARIF) {
        put_text(w, "level", "error");
        bz_sarif_text(w, "message", bz_view_str(text));
        bz_sarif_place(w, &(struct bz_sarif_place){.path = bz_view_str(name)});
    } else {
        put_escaped(r, w, "path", bz_view_str(name));
        put_text(w, "why", text);
    }
    bz_jw_end(w);
}

static void count(struct bz_scan_report *r, const struct bz_scan_outcome *o) {
    r->files++;
    r->bytes += o->size;
    r->clean += o->verdict == BZ_SCAN_CLEAN;
    r->unchecked += o->verdict == BZ_SCAN_UNCHECKED;
    r->bad += o->verdict == BZ_SCAN_FINDINGS;
    for (size_t i = 0; i < o->found_n; i++) {
        r->findings[o->found[i].rule->severity]++;
        r->programs += is_program(&o->found[i]);
    }
}

void bz_scan_report_file(struct bz_scan_report *r, const struct bz_scan_outcome *o) {
    const char *name = r->name;
    bz_scan_list_name(r->list, o->item, r->name, sizeof r->name);
    if (o->st != BZ_OK) {
        r->failed++;
        failure(r, name, why(o));
        return;
    }
    count(r, o);
    if (r->form == BZ_SCAN_TEXT)
        text_file(r, name, o);
    else if (r->form == BZ_SCAN_JSON)
        json_file(r, name, o);
    for (size_t i = 0; r->form == BZ_SCAN_SARIF && i < o->found_n; i++)
        sarif_finding(r, name, &o->found[i]);
    flush(r);
}

static void end_json(struct bz_scan_report *r) {
    struct bz_jw *w = &r->w;
    bz_jw_end(w);
    bz_jw_key(w, "failures");
    bz_jw_raw(w, bz_buf_view(&r->failures));
    bz_jw_key(w, "links_outside");
    bz_jw_arr(w);
    for (size_t i = 0; i < r->list->outside_n && i < 1000; i++) {
        struct bz_buf *b = tmp(r);
        bz_put_safe(b, bz_view_str(r->list->outside[i]));
        bz_jw_str(w, bz_buf_view(b));
    }
    bz_jw_end(w);
    bz_jw_key(w, "totals");
    bz_jw_obj(w);
    bz_jw_ku64(w, "files", r->files);
    bz_jw_ku64(w, "clean", r->clean);
    bz_jw_ku64(w, "findings", r->bad);
    bz_jw_ku64(w, "unchecked", r->unchecked);
    bz_jw_ku64(w, "programs", r->programs);
    bz_jw_ku64(w, "failed", r->failed + r->list->failed);
    bz_jw_ku64(w, "bytes", r->bytes);
    bz_jw_ku64(w, "special", r->list->special);
    bz_jw_ku64(w, "links", r->list->links);
    bz_jw_ku64(w, "links_outside", r->list->outside_n);
    bz_jw_end(w);
    bz_jw_end(w);
}

static void end_text(struct bz_scan_report *r) {
    struct bz_buf *b = &r->b;
    for (size_t i = 0; i < r->list->outside_n; i++) {
        bz_put_safe(b, bz_view_str(r->list->outside[i]));
        bz_buf_puts(b, ": a link that leads out, not followed: scan what it points to\n");
        flush(r);
    }
    bz_buf_printf(b,
                  "%" PRIu64 " file%s: %" PRIu64 " with findings, %" PRIu64
                  " could not be checked, %" PRIu64 " clean\n",
                  r->files, r->files == 1 ? "" : "s", r->bad, r->unchecked, r->clean);
    if (r->programs > 0)
        bz_buf_printf(b,
                      "%" PRIu64 " of those not checked are installed programs, no model files\n",
                      r->programs);
    if (r->failed + r->list->failed > 0)
        bz_buf_printf(b, "%" PRIu64 " could not be read\n", r->failed + r->list->failed);
    if (r->list->special > 0)
        bz_buf_printf(b, "%" PRIu64 " pipes, sockets and devices left out\n", r->list->special);
}

int bz_scan_report_end(struct bz_scan_report *r) {
    bz_jw_end(&r->fw);
    if (r->form == BZ_SCAN_JSON)
        end_json(r);
    else if (r->form == BZ_SCAN_SARIF)
        bz_sarif_end(&r->w, r->failed + r->list->failed == 0, bz_buf_view(&r->failures));
    else
        end_text(r);
    if (r->form != BZ_SCAN_TEXT)
        bz_buf_putc(&r->b, '\n');
    bool ok = bz_buf_status(&r->b) == BZ_OK && bz_buf_status(&r->failures) == BZ_OK;
    flush(r);
    bz_buf_free(&r->b);
    bz_buf_free(&r->tmp);
    bz_buf_free(&r->failures);
    if (fflush(r->out) != 0 || ferror(r->out) != 0 || !ok) {
        bz_say("the findings could not be written");
        return BZ_EXIT_FAILURE;
    }
    if (r->bad > 0)
        return BZ_EXIT_FINDINGS;
    if (r->failed + r->list->failed > 0)
        return BZ_EXIT_FAILURE;
    return r->unchecked + r->list->outside_n > 0 ? BZ_EXIT_UNCHECKED : BZ_EXIT_OK;
}
