/* Records as lines that a person can read. */
#include "cmd_audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <bartizan/json.h>

#include "opts.h"
#include "term.h"

enum { WHO = 10, LINE_MAX_BYTES = 32768 };

void bz_audit_printer_init(struct bz_audit_printer *p) {
    *p = (struct bz_audit_printer){.width = SIZE_MAX};
    size_t n = bz_term_columns(stdout);
    if (n > 0)
        p->width = n;
}

static struct bz_view str(const struct bz_json *o, const char *key) {
    return bz_json_str(bz_json_get(o, bz_view_str(key)));
}

static struct bz_view num(const struct bz_json *o, const char *key) {
    const struct bz_json *n = bz_json_get(o, bz_view_str(key));
    return bz_json_is(n, BZ_JSON_NUMBER) ? n->val : (struct bz_view){0};
}

/* A word and a blank before it, unless it is empty. */
static void word(struct bz_buf *b, const char *before, struct bz_view v, const char *after) {
    if (v.n == 0)
        return;
    bz_buf_puts(b, before);
    bz_put_safe(b, v);
    bz_buf_puts(b, after);
}

static void milliseconds(struct bz_buf *b, const struct bz_json *o) {
    uint64_t us;
    if (bz_view_u64(num(o, "latency_us"), &us) != BZ_OK)
        return;
    bz_buf_printf(b, us < 10000 ? " %llu.%llu ms" : " %llu ms", (unsigned long long)(us / 1000),
                  (unsigned long long)(us % 1000 / 100));
}

/* Column in `b` from `from` on: characters, not bytes. bz_put_safe leaves only printable ones. */
static size_t columns(const struct bz_buf *b, size_t from) {
    size_t n = 0;
    for (size_t i = from; i < b->n; i++)
        n += (b->p[i] & 0xc0) != 0x80;
    return n;
}

static void cut(struct bz_buf *b, size_t from, size_t width) {
    if (width == SIZE_MAX || columns(b, from) <= width)
        return;
    while (columns(b, from) > width - 1)
        b->n--;
    while (b->n > from &&
           (b->p[b->n - 1] & 0xc0) == 0x80) /* bytes of a character that lost its end */
        b->n--;
    bz_buf_puts(b, "\xe2\x80\xa6");
}

static void column(struct bz_buf *b, struct bz_view v, size_t width) {
    size_t from = b->n;
    bz_put_safe(b, v);
    cut(b, from, width);
    for (size_t n = columns(b, from); n < width; n++)
        bz_buf_putc(b, ' ');
    bz_buf_putc(b, ' ');
}

static void findings(struct bz_buf *b, const struct bz_json *o) {
    const struct bz_json *list = bz_json_get(o, BZ_V("findings"));
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return;
    for (const struct bz_json *k = list->first; k != NULL; k = k->next)
        word(b, " ", bz_json_str(k), "");
}

static void what_happened(struct bz_buf *b, const struct bz_json *o) {
    struct bz_view kind = str(o, "kind");
    struct bz_view decision = str(o, "decision");
    bool request = bz_view_eq(kind, BZ_V("decision")) || bz_view_eq(kind, BZ_V("refused"));
    bz_put_safe(b, request && decision.n != 0 ? decision : kind);
    if (!bz_view_eq(kind, BZ_V("decision")))
        word(b, " ", str(o, "reason"), "");
    if (num(o, "prompt_tokens").n != 0) {
        word(b, " ", num(o, "prompt_tokens"), "+");
        word(b, "", num(o, "completion_tokens"), " tok");
    }
    milliseconds(b, o);
    word(b, " ", str(o, "model"), "");
    word(b, " ", str(o, "route"), "");
    word(b, " ", str(o, "detail"), "");
    findings(b, o);
    if (!bz_view_eq(str(o, "label"), BZ_V("PUBLIC")))
        word(b, " ", str(o, "label"), "");
}

static void print_fields(struct bz_audit_printer *p, const struct bz_json *o, struct bz_buf *b) {
    struct bz_view time = str(o, "time");
    struct bz_view day = bz_view_sub(time, 0, 10);
    if (day.n == 10 && !bz_view_eq(day, bz_view_str(p->day))) {
        memcpy(p->day, day.p, 10);
        bz_buf_puts(b, "-- ");
        bz_put_safe(b, day);
        bz_buf_puts(b, " (UTC) --\n");
    }
    size_t from = b->n;
    struct bz_view id = str(o, "id");
    if (bz_view_starts(id, BZ_V("req_")))
        id = bz_view_sub(id, 4, id.n);
    column(b, bz_view_sub(time, 11, 8), 8);
    column(b, id, BZ_REQUEST_ID_TEXT - 4);
    column(b, str(o, "principal"), WHO);
    column(b, num(o, "status"), 3);
    what_happened(b, o);
    cut(b, from, p->width);
}

void bz_audit_print(struct bz_audit_printer *p, struct bz_view entry) {
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
    struct bz_buf b;
    bz_buf_init(&b, LINE_MAX_BYTES * 8);
    struct bz_json *o = NULL;
    if (bz_json_parse(entry, NULL, &ar, &o, NULL) == BZ_OK && bz_json_is(o, BZ_JSON_OBJECT)) {
        print_fields(p, o, &b);
    } else {
        bz_buf_puts(&b, "not JSON: ");
        bz_put_safe(&b, bz_view_sub(entry, 0, LINE_MAX_BYTES));
        cut(&b, 0, p->width);
    }
    bz_buf_putc(&b, '\n');
    (void)fwrite(b.p, 1, b.n, stdout);
    bz_buf_free(&b);
    bz_arena_free(&ar);
}

bool bz_audit_print_raw(struct bz_view entry) {
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
    bool ok = bz_json_check(entry, NULL, &ar, NULL) == BZ_OK &&
              memchr(entry.p, '\n', entry.n) == NULL && memchr(entry.p, 0x7f, entry.n) == NULL;
    bz_arena_free(&ar);
    if (!ok)
        return false;
    (void)fwrite(entry.p, 1, entry.n, stdout);
    (void)putchar('\n');
    return true;
}

struct bz_view bz_audit_time(struct bz_view entry) {
    /* Our own canonical form: quotes inside strings are escaped, so this can only be the member
     * itself. */
    static const char key[] = "\"time\":\"";
    const uint8_t *p = entry.n == 0 ? NULL : memmem(entry.p, entry.n, key, sizeof key - 1);
    if (p == NULL)
        return (struct bz_view){0};
    p += sizeof key - 1;
    size_t left = entry.n - (size_t)(p - entry.p);
    const uint8_t *end = memchr(p, '"', left);
    return end == NULL ? (struct bz_view){0} : bz_view(p, (size_t)(end - p));
}

bool bz_audit_has_id(struct bz_view entry, const char id[BZ_REQUEST_ID_TEXT + 1]) {
    char key[BZ_REQUEST_ID_TEXT + 16];
    int n = snprintf(key, sizeof key, "\"id\":\"%s\"", id);
    return entry.n != 0 && memmem(entry.p, entry.n, key, (size_t)n) != NULL;
}

void bz_audit_progress(const char *what, uint64_t done, uint64_t total) {
    static struct bz_progress p;
    if (p.last == 0)
        bz_progress_begin(&p, true);
    if (done == total)
        bz_progress_clear(&p);
    else if (bz_progress_due(&p))
        bz_progress_show(&p, "%s %llu of %llu records (%u %%)", what, (unsigned long long)done,
                         (unsigned long long)total, (unsigned)((double)done * 100 / (double)total));
}
