#include <bartizan/sarif.h>

static void text(struct bz_jw *w, const char *key, const char *v) {
    bz_jw_kstr(w, key, bz_view_str(v));
}

static void object(struct bz_jw *w, const char *key) {
    bz_jw_key(w, key);
    bz_jw_obj(w);
}

/* A list, and its first object. */
static void list(struct bz_jw *w, const char *key) {
    bz_jw_key(w, key);
    bz_jw_arr(w);
    bz_jw_obj(w);
}

static void ends(struct bz_jw *w, unsigned levels) {
    while (levels-- > 0)
        bz_jw_end(w);
}

void bz_sarif_begin(struct bz_jw *w, const char *tool) {
    bz_jw_obj(w);
    text(w, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    text(w, "version", "2.1.0");
    list(w, "runs");
    text(w, "columnKind", "unicodeCodePoints");
    object(w, "tool");
    object(w, "driver");
    text(w, "name", tool);
    text(w, "version", BZ_VERSION);
    bz_jw_key(w, "rules");
    bz_jw_arr(w);
}

void bz_sarif_text(struct bz_jw *w, const char *key, struct bz_view v) {
    object(w, key);
    bz_jw_kstr(w, "text", v);
    bz_jw_end(w);
}

void bz_sarif_rule(struct bz_jw *w, const struct bz_sarif_rule *r) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "id", r->id);
    bz_sarif_text(w, "shortDescription", r->title);
    if (r->why.n > 0)
        bz_sarif_text(w, "fullDescription", r->why);
    if (r->todo.n > 0)
        bz_sarif_text(w, "help", r->todo);
    if (r->level == NULL)
        return;
    object(w, "defaultConfiguration");
    text(w, "level", r->level);
    bz_jw_end(w);
}

void bz_sarif_results(struct bz_jw *w) {
    ends(w, 3); /* rules, driver, tool */
    bz_jw_key(w, "results");
    bz_jw_arr(w);
}

static void uri(struct bz_jw *w, struct bz_view path) {
    struct bz_buf b;
    bz_buf_init(&b, path.n * 3 + 16);
    bz_buf_puts(&b, path.p[0] == '/' ? "file://" : "");
    for (size_t i = 0; i < path.n; i++) {
        uint8_t c = path.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c != 0 && strchr("-._~/", c) != NULL);
        if (plain)
            bz_buf_putc(&b, c);
        else
            bz_buf_printf(&b, "%%%02X", (unsigned)c);
    }
    bz_jw_kstr(w, "uri", bz_buf_view(&b));
    if (bz_buf_status(&b) != BZ_OK && w->b->st == BZ_OK)
        w->b->st = bz_buf_status(&b);
    bz_buf_free(&b);
}

static void region(struct bz_jw *w, const struct bz_sarif_place *p) {
    if (p->line == 0 && !p->at_byte)
        return;
    object(w, "region");
    if (p->at_byte) {
        bz_jw_ku64(w, "byteOffset", p->byte);
    } else {
        bz_jw_ku64(w, "startLine", p->line);
        bz_jw_ku64(w, "startColumn", p->column);
        bz_jw_ku64(w, "endLine", p->end_line);
        bz_jw_ku64(w, "endColumn", p->end_column);
    }
    bz_jw_end(w);
}

void bz_sarif_place(struct bz_jw *w, const struct bz_sarif_place *p) {
    if (p->path.n == 0 && p->inside.n == 0)
        return;
    list(w, "locations");
    if (p->path.n > 0) {
        object(w, "physicalLocation");
        object(w, "artifactLocation");
        uri(w, p->path);
        bz_jw_end(w);
        region(w, p);
        bz_jw_end(w);
    }
    if (p->inside.n > 0) {
        list(w, "logicalLocations");
        bz_jw_kstr(w, "fullyQualifiedName", p->inside);
        text(w, "kind", p->inside_kind);
        ends(w, 2);
    }
    ends(w, 2);
}

void bz_sarif_end(struct bz_jw *w, bool ok, struct bz_view notes) {
    bz_jw_end(w); /* results */
    if (notes.n > 0) {
        list(w, "invocations");
        bz_jw_kbool(w, "executionSuccessful", ok);
        bz_jw_key(w, "toolExecutionNotifications");
        bz_jw_raw(w, notes);
        ends(w, 2);
    }
    ends(w, 3); /* run, runs, log */
}
