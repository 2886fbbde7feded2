/* All rules of this build, and their page. */
#include "archive.h"
#include "formats.h"

#include <stdlib.h>

const char *bz_severity_name(enum bz_severity s) {
    static const char *const names[] = {
#define X(name, text) text,
        BZ_SEVERITY_TABLE(X)
#undef X
    };
    return (unsigned)s < BZ_SEVERITY_COUNT ? names[s] : "none";
}

const char *bz_rule_kind_name(enum bz_rule_kind k) {
    static const char *const names[] = {"malicious", "suspicious", "malformed", "unchecked",
                                        "note"};
    _Static_assert(sizeof names / sizeof names[0] == BZ_RULE_KIND_COUNT, "a name each");
    return (unsigned)k < BZ_RULE_KIND_COUNT ? names[k] : "note";
}

size_t bz_rule_all(const struct bz_rule **ret, size_t max) {
    static const struct bz_rule *const shared[] = {bz_scan_rules, bz_codec_rules, bz_archive_rules};
    enum { SHARED = sizeof shared / sizeof shared[0] };
    size_t n = 0;
    for (size_t f = 0; f < SHARED + bz_formats_n; f++) {
        const struct bz_rule *r = f < SHARED ? shared[f] : bz_formats[f - SHARED]->rules;
        for (; r != NULL && r->id != NULL; r++, n++) {
            if (n < max)
                ret[n] = r;
        }
    }
    return n;
}

/* ---- docs/SCAN-RULES.md ------------------------------------------------------------------------- */

static int by_id(const void *va, const void *vb) {
    const struct bz_rule *const *a = va, *const *b = vb;
    return strcmp((*a)->id, (*b)->id);
}

static void put_cell(struct bz_buf *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '|')
            bz_buf_putc(out, '\\');
        bz_buf_putc(out, (uint8_t)*text);
    }
    bz_buf_puts(out, " | ");
}

static size_t area(const char *id) {
    const char *dash = strchr(id, '-');
    return dash == NULL ? strlen(id) : (size_t)(dash - id);
}

static void put_rule(struct bz_buf *out, const struct bz_rule *r, const struct bz_rule *before) {
    if (before == NULL || area(before->id) != area(r->id) ||
        strncmp(before->id, r->id, area(r->id)) != 0) {
        bz_buf_puts(out, "\n## ");
        bz_buf_put(out, bz_view(r->id, area(r->id)));
        bz_buf_puts(out,
                    "\n\n| Rule | Severity | Kind | What it is | What it would do | What to do | "
                    "See |\n|---|---|---|---|---|---|---|\n");
    }
    bz_buf_printf(out, "| `%s` | %s | %s | ", r->id,
                  bz_severity_name((enum bz_severity)r->severity),
                  bz_rule_kind_name((enum bz_rule_kind)r->kind));
    put_cell(out, r->title);
    put_cell(out, r->would);
    put_cell(out, r->todo);
    bz_buf_puts(out, r->ref);
    bz_buf_puts(out, " |\n");
}

static const char intro[] =
    "# Rules of `bartizan scan`\n"
    "\n"
    "Generated from the rules in `src/artifact` by `gen-scan-rules`; a test compares the two.\n"
    "[SCANNER.md](SCANNER.md) says how a scan works.\n"
    "\n"
    "| Kind | What it means | Exit code |\n"
    "|---|---|---|\n"
    "| malicious | does harm when the file is loaded, unpacked or served | 1 from `--fail-on` up "
    "|\n"
    "| suspicious | could be abused, or cannot be told from an abuse | 1 from `--fail-on` up |\n"
    "| malformed | not what the format allows: no loader should see it | 1 |\n"
    "| unchecked | could not be looked at: unknown, encrypted, above a cap | 3 |\n"
    "| note | worth knowing | 0 |\n";

void bz_rules_write_docs(struct bz_buf *out) {
    struct bz_arena ar;
    size_t n = 0;
    bz_arena_init(&ar, bz_alloc_heap, SIZE_MAX / 2, NULL, 0);
    n = bz_rule_all(NULL, 0);
    const struct bz_rule **all = bz_arena_alloc(&ar, (n + 1) * sizeof *all);
    if (all == NULL) {
        out->st = BZ_ENOMEM;
        return;
    }
    (void)bz_rule_all(all, n);
    qsort(all, n, sizeof(struct bz_rule *), by_id);
    bz_buf_puts(out, intro);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || all[i] != all[i - 1]) /* formats may share a table */
            put_rule(out, all[i], i == 0 ? NULL : all[i - 1]);
    }
    bz_arena_free(&ar);
}
