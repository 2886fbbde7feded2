/* What bartizan-7z says of an archive: a list of members, and their bytes one behind the other. Judged as
 * if the archive had written it. */
#include "json_int.h"
#include "sevenzip.h"

#include <bartizan/limits.h>

enum { LINE_DEPTH = 2, LINE_MEMORY = 1 << 20 };

static void let_go(void *ctx) {
    struct sz_other *t = ctx;
    t->reader->done(t->reader->ctx, &t->bytes);
}

/* {"name": ..., "bytes": N, "whole": B}, {"name": ..., "link": ...}, {"name": ...} */
static enum bz_status member(struct sz_other *t, struct bz_scan *s, const struct bz_json *line,
                             uint64_t *at) {
    struct sz_taken m = {.at = *at, .whole = true};
    const struct bz_json *bytes = bz_json_get(line, BZ_V("bytes"));
    const struct bz_json *whole = bz_json_get(line, BZ_V("whole"));
    int64_t n = 0;
    if (bytes != NULL) {
        if (bz_json_i64(bytes, &n) != BZ_OK || n < 0 || (uint64_t)n > t->bytes.size - *at)
            return BZ_ECORRUPT; /* more than there is */
        m.size = (uint64_t)n;
        m.whole = bz_json_is(whole, BZ_JSON_TRUE);
    }
    m.named = bz_json_is(bz_json_get(line, BZ_V("name")), BZ_JSON_STRING);
    m.name = bz_arena_dup(bz_scan_arena(s), bz_json_text(line, BZ_V("name")));
    m.link = bz_arena_dup(bz_scan_arena(s), bz_json_text(line, BZ_V("link")));
    if (m.name.p == NULL || m.link.p == NULL)
        return BZ_ENOMEM;
    *at += m.size;
    t->members[t->n++] = m;
    return BZ_OK;
}

static enum bz_status one_line(struct sz_other *t, struct bz_scan *s, struct bz_view text,
                               uint64_t *at) {
    static const struct bz_json_opts opts = {.max_depth = LINE_DEPTH};
    struct bz_arena ar;
    struct bz_json *root = NULL;
    bz_arena_init(&ar, bz_scan_heap(s), LINE_MEMORY, NULL, 0);
    enum bz_status st = bz_json_parse(text, &opts, &ar, &root, NULL);
    struct bz_view end = st == BZ_OK ? bz_json_text(root, BZ_V("end")) : BZ_V("");
    if (st == BZ_OK && (t->done || !bz_json_is(root, BZ_JSON_OBJECT)))
        st = BZ_ECORRUPT;
    else if (st == BZ_OK && end.n == 0)
        st = member(t, s, root, at);
    else if (st == BZ_OK) {
        t->done = true;
        t->cut = !bz_view_eq(end, BZ_V("done"));
    }
    bz_arena_free(&ar);
    return st == BZ_OK || st == BZ_ENOMEM ? st : BZ_ECORRUPT;
}

static size_t count_lines(struct bz_view v) {
    size_t n = 0;
    for (size_t i = 0; i < v.n; i++)
        n += v.p[i] == '\n';
    return n;
}

static enum bz_status take(struct sz_other *t, struct bz_scan *s, struct bz_view list) {
    uint64_t at = 0;
    t->members = bz_arena_alloc(bz_scan_arena(s), (count_lines(list) + 1) * sizeof *t->members);
    if (t->members == NULL)
        return BZ_ENOMEM;
    while (list.n > 0) {
        const uint8_t *nl = memchr(list.p, '\n', list.n);
        if (nl == NULL)
            return BZ_ECORRUPT;
        size_t n = (size_t)(nl - list.p);
        BZ_TRY(one_line(t, s, bz_view_sub(list, 0, n), &at));
        list = bz_view_sub(list, n + 1, list.n);
    }
    return t->done && at == t->bytes.size ? BZ_OK : BZ_ECORRUPT;
}

enum bz_status sz_other_ask(struct sz_other *t, struct bz_scan *s, const struct bz_object *o) {
    struct bz_buf list;
    if (t->asked)
        return BZ_OK;
    t->asked = true;
    t->st = BZ_EUNAVAIL;
    t->reader = bz_scan_options(s)->unpacker;
    if (t->reader == NULL)
        return BZ_OK;
    bz_buf_init(&list, BZ_UNPACK_LIST_MAX + (1u << 20));
    t->st = t->reader->unpack(t->reader->ctx, o->depth == 0 ? NULL : &o->src, &list, &t->bytes);
    if (t->st == BZ_OK) {
        t->cleanup = (struct bz_cleanup){.call = let_go, .ctx = t};
        bz_scan_defer(s, &t->cleanup);
        t->st = take(t, s, bz_buf_view(&list));
    }
    bz_buf_free(&list);
    return t->st == BZ_ENOMEM ? BZ_ENOMEM : BZ_OK;
}

/* libarchive ends the names of folders with a slash. */
static struct bz_view plain(struct bz_view name) {
    return name.n > 0 && name.p[name.n - 1] == '/' ? bz_view_sub(name, 0, name.n - 1) : name;
}

bool sz_other_agrees(const struct sz_other *t, const struct sz_head *h, struct bz_view *ret) {
    bool cut = t->cut || (t->n > 0 && !t->members[t->n - 1].whole); /* it may stop where it fails */
    *ret = BZ_V("");
    for (size_t i = 0; i < t->n; i++) {
        *ret = t->members[i].name;
        if (i >= h->files_n || (t->members[i].named &&
                                !bz_view_eq(plain(t->members[i].name), plain(h->files[i].name))))
            return false;
    }
    *ret = t->n < h->files_n ? h->files[t->n].name : BZ_V("");
    return t->n == h->files_n || cut;
}
