/* CISA's catalogue of known exploited vulnerabilities: of its JSON the ids and due dates are kept,
 * one "CVE-... YYYY-MM-DD" a line under the date of its release. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "advisory.h"
#include "opts.h"

enum { KEV_FILE_MAX = 16 << 20, KEV_ARENA = 512 << 20, ID_MAX = 32 };

bool bz_kev_is(struct bz_view text) {
    struct bz_view head = bz_view_sub(text, 0, 4096);
    return head.n > 0 && memmem(head.p, head.n, "\"catalogVersion\"", 16) != NULL;
}

static bool is_cve(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        bool plain =
            (v.p[i] >= 'A' && v.p[i] <= 'Z') || (v.p[i] >= '0' && v.p[i] <= '9') || v.p[i] == '-';
        if (!plain)
            return false;
    }
    return v.n > 4 && v.n <= ID_MAX && bz_view_starts(v, BZ_V("CVE-"));
}

static enum bz_status lines_of(const struct bz_json *root, struct bz_buf *out, uint64_t *ret_n) {
    const struct bz_json *list = bz_json_get(root, BZ_V("vulnerabilities"));
    uint64_t ignored;
    *ret_n = 0;
    if (!bz_json_is(list, BZ_JSON_ARRAY) || list->count == 0)
        return BZ_ESYNTAX;
    for (const struct bz_json *v = list->first; v != NULL; v = v->next) {
        struct bz_view id = bz_json_str(bz_json_get(v, BZ_V("cveID")));
        struct bz_view due = bz_json_str(bz_json_get(v, BZ_V("dueDate")));
        if (!is_cve(id) || due.n != 10 || bz_advisory_time(due, &ignored) != BZ_OK)
            return BZ_ESYNTAX;
        bz_buf_put(out, id);
        bz_buf_putc(out, ' ');
        bz_buf_put(out, due);
        bz_buf_putc(out, '\n');
        ++*ret_n;
    }
    return BZ_OK;
}

/* Seconds of the release that is here; 0: none. */
static uint64_t released(const struct bz_instance *in) {
    struct bz_buf b;
    uint64_t t = 0;
    bz_buf_init(&b, KEV_FILE_MAX);
    if (bz_file_read(in->fd, BZ_F_ADVISORY_KEV, &b) == BZ_OK && b.n > 0) {
        const uint8_t *nl = memchr(b.p, '\n', b.n);
        if (nl == NULL || bz_advisory_time(bz_view(b.p, (size_t)(nl - b.p)), &t) != BZ_OK)
            t = 0;
    }
    bz_buf_free(&b);
    return t;
}

static enum bz_status take(const struct bz_instance *in, const struct bz_json *root, bool force,
                           struct bz_buf *out, uint64_t *ret_n) {
    struct bz_view when = bz_json_str(bz_json_get(root, BZ_V("dateReleased")));
    uint64_t t = 0;
    if (bz_advisory_time(when, &t) != BZ_OK) {
        bz_say("the catalogue does not say when it was released");
        return BZ_ESYNTAX;
    }
    if (!force && t < released(in)) {
        bz_say("the catalogue is older than the one that is here; --older takes it all the same");
        return BZ_ERANGE;
    }
    bz_buf_put(out, when);
    bz_buf_putc(out, '\n');
    enum bz_status st = lines_of(root, out, ret_n);
    if (st != BZ_OK) {
        bz_say("an entry of the catalogue has no id or no due date");
        return st;
    }
    BZ_TRY(bz_buf_status(out));
    (void)mkdirat(in->fd, BZ_F_ADVISORIES, 0700);
    st = bz_file_write(in->fd, BZ_F_ADVISORY_KEV, bz_buf_view(out), 0600, BZ_FILE_SYNC);
    if (st != BZ_OK)
        bz_say("%s: %s", BZ_F_ADVISORY_KEV, strerror(errno));
    return st;
}

enum bz_status bz_kev_take(const struct bz_instance *in, struct bz_view json, bool force,
                           uint64_t *ret_n) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    struct bz_diag diag = {0, NULL};
    struct bz_buf out;
    bz_arena_init(&ar, bz_alloc_heap, KEV_ARENA, NULL, 0);
    bz_buf_init(&out, KEV_FILE_MAX);
    enum bz_status st = bz_json_parse(json, NULL, &ar, &root, &diag);
    if (st != BZ_OK)
        bz_say("the catalogue is not JSON: byte %llu: %s", (unsigned long long)diag.offset,
               diag.why == NULL ? bz_status_text(st) : diag.why);
    else
        st = take(in, root, force, &out, ret_n);
    bz_buf_free(&out);
    bz_arena_free(&ar);
    return st;
}
