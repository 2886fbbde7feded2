/* What `bartizan dlp scan` prints: a line per finding, one JSON object, or SARIF 2.1.0. Findings are
 * written as they come; no value is ever kept or shown. */
#include <inttypes.h>

#include <bartizan/sarif.h>

#include "dlp.h"

enum {
    OUT_MAX = 1 << 20,      /* between two writes */
    UNCHECKED_MAX = 4 << 20 /* JSON: paths above that are only counted */
};

/* ---- previews ---- */

static size_t length_at(struct bz_view v) {
    size_t n = 1;
    while (n < v.n && n < 4 && (v.p[n] & 0xc0) == 0x80)
        n++;
    return n;
}

void bz_dlp_preview(struct bz_view value, struct bz_buf *out) {
    enum { SHOWN = 2, SHORT = 8 }; /* of less than SHORT characters none is shown */
    size_t n = 0, shown = 0;
    for (size_t i = 0; i < value.n; i++)
        n += (value.p[i] & 0xc0) != 0x80 && value.p[i] != 0;
    for (size_t at = 0; n >= SHORT && shown < SHOWN && at < value.n;) {
        struct bz_view c = bz_view_sub(value, at, value.n);
        c.n = length_at(c);
        at += c.n;
        if (c.p[0] == 0) /* half a character of UTF-16 */
            continue;
        bz_buf_put(out, c);
        shown++;
    }
    bz_buf_printf(out, "*** (%zu)", n);
}

/* ---- writing ---- */

static void flush(struct bz_dlp_report *r) {
    if (r->b.n > 0)
        (void)fwrite(r->b.p, 1, r->b.n, r->out);
    r->b.n = 0;
}

static void put_preview(struct bz_jw *w, struct bz_view value) {
    uint8_t mem[64];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_dlp_preview(value, &b);
    bz_jw_kstr(w, "preview", bz_buf_view(&b));
}

static const char *sarif_level(const struct bz_type *t, enum bz_proof proof) {
    if (proof == BZ_PROOF_FORM)
        return "note";
    if (t->cls == BZ_CLASS_SECRET || t->level == BZ_LEVEL_RESTRICTED)
        return "error";
    return t->level >= BZ_LEVEL_CONFIDENTIAL || t->cls == BZ_CLASS_CUSTOM ? "warning" : "note";
}

static struct bz_view what_of(const struct bz_type *t) {
    return bz_view_str(t->what != NULL && *t->what != '\0' ? t->what : t->name);
}

static void put_rule(struct bz_jw *w, const struct bz_type *t) {
    bz_sarif_rule(w, &(struct bz_sarif_rule){.id = bz_view_str(t->name),
                                             .title = what_of(t),
                                             .level = sarif_level(t, (enum bz_proof)t->proof)});
    bz_jw_key(w, "properties");
    bz_jw_obj(w);
    bz_jw_kstr(w, "class", bz_view_str(bz_class_name((enum bz_class)t->cls)));
    if (t->region != NULL && *t->region != '\0')
        bz_jw_kstr(w, "region", bz_view_str(t->region));
    bz_jw_kstr(w, "proof", bz_view_str(bz_proof_name((enum bz_proof)t->proof)));
    bz_jw_kstr(w, "level", bz_view_str(bz_level_name((enum bz_level)t->level)));
    bz_jw_end(w);
    bz_jw_end(w);
}

static void begin_sarif(struct bz_dlp_report *r) {
    bz_sarif_begin(&r->w, "bartizan dlp");
    for (size_t i = 0; i < bz_detect_types_n(r->d); i++)
        put_rule(&r->w, bz_detect_type(r->d, i));
    bz_sarif_results(&r->w);
}

void bz_dlp_report_begin(struct bz_dlp_report *r, enum bz_dlp_form form,
                         const struct bz_detect *d) {
    *r = (struct bz_dlp_report){.form = form, .out = stdout, .d = d};
    bz_buf_init(&r->b, OUT_MAX);
    bz_buf_init(&r->unchecked, UNCHECKED_MAX);
    bz_jw_init(&r->w, &r->b);
    bz_jw_init(&r->uw, &r->unchecked);
    bz_jw_arr(&r->uw);
    if (form == BZ_DLP_SARIF) {
        begin_sarif(r);
    } else if (form == BZ_DLP_JSON) {
        bz_jw_obj(&r->w);
        bz_jw_key(&r->w, "findings");
        bz_jw_arr(&r->w);
    }
    flush(r);
}

void bz_dlp_report_done(struct bz_dlp_report *r) {
    bz_buf_free(&r->b);
    bz_buf_free(&r->unchecked);
}

/* ---- findings ---- */

static void line_found(struct bz_dlp_report *r, const char *path, const struct bz_dlp_found *f) {
    uint8_t mem[64];
    struct bz_buf p;
    bz_buf_init_fixed(&p, mem, sizeof mem);
    bz_dlp_preview(f->value, &p);
    bz_put_safe(&r->b, bz_view_str(path));
    bz_buf_printf(&r->b, ":%" PRIu64 ":%" PRIu64 ": ", f->from.line, f->from.column);
    bz_put_safe(&r->b, bz_view_str(f->type->name));
    bz_buf_printf(&r->b, " (%s, %s) ", bz_class_name((enum bz_class)f->type->cls),
                  bz_proof_name(f->proof));
    bz_put_safe(&r->b, bz_buf_view(&p));
    bz_buf_putc(&r->b, '\n');
}

static void json_found(struct bz_dlp_report *r, const char *path, const struct bz_dlp_found *f) {
    struct bz_jw *w = &r->w;
    bz_jw_obj(w);
    bz_jw_kstr(w, "path", bz_view_str(path));
    bz_jw_ku64(w, "line", f->from.line);
    bz_jw_ku64(w, "column", f->from.column);
    bz_jw_ku64(w, "end_line", f->to.line);
    bz_jw_ku64(w, "end_column", f->to.column);
    bz_jw_ku64(w, "offset", f->offset);
    bz_jw_ku64(w, "bytes", f->value.n);
    bz_jw_kstr(w, "type", bz_view_str(f->type->name));
    bz_jw_kstr(w, "class", bz_view_str(bz_class_name((enum bz_class)f->type->cls)));
    bz_jw_kstr(w, "proof", bz_view_str(bz_proof_name(f->proof)));
    bz_jw_kstr(w, "level", bz_view_str(bz_level_name(f->level)));
    put_preview(w, f->value);
    bz_jw_end(w);
}

static void sarif_found(struct bz_dlp_report *r, const char *path, const struct bz_dlp_found *f) {
    struct bz_jw *w = &r->w;
    uint8_t mem[256];
    struct bz_buf text;
    bz_buf_init_fixed(&text, mem, sizeof mem);
    bz_buf_put(&text, what_of(f->type));
    bz_buf_puts(&text, ": ");
    bz_dlp_preview(f->value, &text);
    bz_jw_obj(w);
    bz_jw_kstr(w, "ruleId", bz_view_str(f->type->name));
    bz_jw_ku64(w, "ruleIndex", f->number);
    bz_jw_kstr(w, "level", bz_view_str(sarif_level(f->type, f->proof)));
    bz_sarif_text(w, "message", bz_buf_view(&text));
    bz_sarif_place(w, &(struct bz_sarif_place){.path = bz_view_str(path),
                                               .line = f->from.line,
                                               .column = f->from.column,
                                               .end_line = f->to.line,
                                               .end_column = f->to.column});
    bz_jw_key(w, "properties");
    bz_jw_obj(w);
    bz_jw_kstr(w, "proof", bz_view_str(bz_proof_name(f->proof)));
    bz_jw_end(w);
    bz_jw_end(w);
}

void bz_dlp_report_found(struct bz_dlp_report *r, const char *path, const struct bz_dlp_found *f) {
    r->findings++;
    r->types[f->number < BZ_TYPES_MAX ? f->number : 0]++;
    if (r->form == BZ_DLP_LINES)
        line_found(r, path, f);
    else if (r->form == BZ_DLP_JSON)
        json_found(r, path, f);
    else
        sarif_found(r, path, f);
    flush(r);
}

void bz_dlp_report_failed(struct bz_dlp_report *r, const char *path, const char *why) {
    struct bz_jw *w = &r->uw;
    r->failed++;
    bz_say("%s: %s", bz_safe(path), why);
    if (r->unchecked.n + 16384 > UNCHECKED_MAX) /* a path is shorter */
        return;
    bz_jw_obj(w);
    if (r->form == BZ_DLP_SARIF) {
        bz_jw_kstr(w, "level", BZ_V("error"));
        bz_sarif_text(w, "message", bz_view_str(why));
        bz_sarif_place(w, &(struct bz_sarif_place){.path = bz_view_str(path)});
    } else {
        bz_jw_kstr(w, "path", bz_view_str(path));
        bz_jw_kstr(w, "why", bz_view_str(why));
    }
    bz_jw_end(w);
}

/* ---- the end ---- */

static void end_json(struct bz_dlp_report *r) {
    struct bz_jw *w = &r->w;
    bz_jw_end(w);
    bz_jw_key(w, "unchecked");
    bz_jw_raw(w, bz_buf_view(&r->unchecked));
    bz_jw_key(w, "totals");
    bz_jw_obj(w);
    bz_jw_ku64(w, "findings", r->findings);
    bz_jw_ku64(w, "files", r->files);
    bz_jw_ku64(w, "files_with_findings", r->files_hit);
    bz_jw_ku64(w, "bytes", r->bytes);
    bz_jw_ku64(w, "binary", r->binary);
    bz_jw_ku64(w, "special", r->special);
    bz_jw_ku64(w, "unchecked", r->failed);
    bz_jw_key(w, "types");
    bz_jw_obj(w);
    for (size_t i = 0; i < bz_detect_types_n(r->d); i++) {
        if (r->types[i] > 0)
            bz_jw_ku64(w, bz_detect_type(r->d, i)->name, r->types[i]);
    }
    bz_jw_end(w);
    bz_jw_end(w);
    bz_jw_end(w);
}

static void say_totals(const struct bz_dlp_report *r) {
    bz_say("%" PRIu64 " findings in %" PRIu64 " of %" PRIu64 " files (%" PRIu64 " bytes)",
           r->findings, r->files_hit, r->files, r->bytes);
    if (r->binary + r->special > 0)
        bz_say("left out: %" PRIu64 " that are no text, %" PRIu64 " links and special files",
               r->binary, r->special);
    if (r->failed > 0)
        bz_say("%" PRIu64 " could not be checked", r->failed);
}

int bz_dlp_report_end(struct bz_dlp_report *r) {
    bz_jw_end(&r->uw);
    if (r->form == BZ_DLP_JSON)
        end_json(r);
    else if (r->form == BZ_DLP_SARIF)
        bz_sarif_end(&r->w, r->failed == 0, bz_buf_view(&r->unchecked));
    else
        say_totals(r);
    if (r->form != BZ_DLP_LINES)
        bz_buf_putc(&r->b, '\n');
    enum bz_status st = bz_buf_status(&r->b);
    if (st == BZ_OK && r->form != BZ_DLP_LINES)
        st = bz_buf_status(&r->unchecked);
    flush(r);
    if (fflush(r->out) != 0 || ferror(r->out) != 0 || st != BZ_OK) {
        bz_say("the findings could not be written");
        return BZ_EXIT_FAILURE;
    }
    if (r->findings > 0)
        return BZ_EXIT_FINDINGS;
    return r->failed > 0 ? BZ_EXIT_UNCHECKED : BZ_EXIT_OK;
}
