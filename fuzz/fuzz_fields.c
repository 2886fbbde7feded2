/* First byte: server; second: route; third: request, reply or event. Every string of the body is
 * given as a span, or stands where only data, media or repeats may stand, or the body is refused;
 * with unknown members screened it is never refused for them. What bz_dialect_check lets pass has
 * no unknown member. */
#include <stdlib.h>

#include <bartizan/fields.h>

struct tally {
    size_t spans, bytes, silent;
    bool mask;
};

static enum bz_status on_span(void *ctx, const struct bz_walk *w, const struct bz_span *s) {
    struct tally *t = ctx;
    char path[96];
    if (s->text.n == 0 || s->field == NULL || s->speaker >= BZ_SPEAKER_COUNT ||
        (s->is_key && s->is_number))
        abort();
    bz_span_path(w, path);
    if (memchr(path, 0, sizeof path) == NULL)
        abort();
    t->spans++;
    t->bytes += s->text.n;
    if (t->mask)
        bz_span_set(s, BZ_V("~"));
    return BZ_OK;
}

static void on_end(void *ctx, uint64_t channel, uint64_t mask) {
    (void)ctx;
    if ((channel & ~mask) != 0)
        abort();
}

struct body {
    const struct bz_route *route;
    enum bz_server server;
    enum bz_where where;
    struct bz_view text;
    struct bz_arena ar;
};

static struct bz_json *parse(struct body *b) {
    struct bz_json *root = NULL;
    struct bz_json_opts opts = {.fold_keys = b->server == BZ_SERVER_OLLAMA};
    if (bz_json_parse(b->text, &opts, &b->ar, &root, NULL) != BZ_OK)
        return NULL;
    return root;
}

/* Strings that nobody was shown: those that a walk which masks everything leaves as they were. */
static bool all_masked(const struct bz_json *v) {
    if (v->type == BZ_JSON_STRING && v->val.n > 0 && !bz_view_eq(v->val, BZ_V("~")))
        return false;
    for (const struct bz_json *k = v->first; k != NULL; k = k->next) {
        if (!all_masked(k))
            return false;
    }
    return true;
}

/* A body that consists of unknown members alone is shown whole. */
static void nothing_hides(struct body *b) {
    struct tally t = {.mask = true};
    struct bz_walk w = {
        .unknown = BZ_UNKNOWN_TEXT, .span = on_span, .channel_end = on_end, .ctx = &t};
    struct bz_json *inner = parse(b);
    struct bz_json *root = bz_json_new_obj(&b->ar);
    if (root == NULL || inner == NULL)
        abort();
    bz_json_add(root, BZ_V("no such member"), inner);
    if (bz_fields_walk(b->route, b->server, b->where, root, &w) != BZ_OK || !all_masked(inner))
        abort();
}

static void walk(struct body *b) {
    struct tally refuse = {0}, text = {0}, masked = {.mask = true}, again = {0};
    struct bz_param_error err;
    struct bz_walk w = {.span = on_span, .channel_end = on_end, .ctx = &refuse, .err = &err};
    struct bz_json *root = parse(b);
    enum bz_status strict = bz_fields_walk(b->route, b->server, b->where, root, &w);
    if (strict == BZ_EDENIED && (err.why == NULL || memchr(err.param, 0, sizeof err.param) == NULL))
        abort();
    w.unknown = BZ_UNKNOWN_TEXT;
    w.ctx = &text;
    enum bz_status lax = bz_fields_walk(b->route, b->server, b->where, root, &w);
    /* The same spans when nothing is unknown; an odd index is refused either way. */
    if (strict == BZ_OK &&
        (lax != BZ_OK || refuse.spans != text.spans || refuse.bytes != text.bytes))
        abort();
    if (lax != BZ_OK && (lax != BZ_EDENIED || b->where != BZ_WHERE_EVENT))
        abort();
    w.ctx = &masked;
    if (bz_fields_walk(b->route, b->server, b->where, root, &w) != lax ||
        masked.spans != text.spans)
        abort();
    w.ctx = &again;
    if (lax == BZ_OK && (bz_fields_walk(b->route, b->server, b->where, root, &w) != BZ_OK ||
                         again.bytes != masked.spans))
        abort();
    bz_fields_clear_repeats(b->route, b->server, b->where, root, 0);
}

static void checked_bodies_are_known(struct body *b) {
    struct bz_req_facts facts;
    struct bz_param_error err;
    struct bz_json *root = parse(b);
    struct tally t = {0};
    struct bz_walk w = {.span = on_span, .ctx = &t, .err = &err};
    if (b->route->api != BZ_API_NONE &&
        bz_dialect_check(b->route, b->server, root, &bz_param_limits_default, &b->ar, &facts,
                         &err) == BZ_OK &&
        bz_fields_walk(b->route, b->server, BZ_WHERE_REQUEST, root, &w) != BZ_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3)
        return 0;
    size_t n;
    struct body b = {.server = (enum bz_server)(data[0] % BZ_SERVER_COUNT),
                     .where = (enum bz_where)(data[2] % BZ_WHERE_COUNT),
                     .text = bz_view(data + 3, size - 3)};
    b.route = bz_route_table(b.server, &n);
    b.route += data[1] % n;
    bz_arena_init(&b.ar, bz_alloc_heap, 64u << 20, NULL, 0);
    if (parse(&b) != NULL) {
        walk(&b);
        nothing_hides(&b);
        if (b.where == BZ_WHERE_REQUEST)
            checked_bodies_are_known(&b);
    }
    bz_arena_free(&b.ar);
    return 0;
}
