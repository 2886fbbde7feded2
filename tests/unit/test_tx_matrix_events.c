/* The field-coverage matrix of streams, made from the tables: a marker in every text field of every
 * event, cut at every byte of the wire and at every place between two deltas, never gets through and
 * is masked the same everywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tx_matrix.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

struct counts {
    const struct mx_route *r;
    bool every_cut;
    unsigned rows, masked, refused, splits, cuts;
};

/* ---- streams ---- */

static void put_event(struct bz_buf *b, const struct mx_route *r, const char *doc) {
    if (r->route->dialect == BZ_DIALECT_OLLAMA) {
        bz_buf_printf(b, "%s\n", doc);
        return;
    }
    if (r->route->dialect == BZ_DIALECT_RESPONSES || r->route->dialect == BZ_DIALECT_ANTHROPIC)
        bz_buf_puts(b, "event: thing\n");
    bz_buf_printf(b, "data: %s\n\n", doc);
}

static void put_end(struct bz_buf *b, const struct mx_route *r) {
    static const char *const ends[BZ_DIALECT_COUNT] = {
        [BZ_DIALECT_OPENAI] = "[DONE]",
        [BZ_DIALECT_RESPONSES] = "{\"type\":\"response.completed\",\"response\":{}}",
        [BZ_DIALECT_ANTHROPIC] = "{\"type\":\"message_stop\"}",
        [BZ_DIALECT_OLLAMA] = "{\"done\":true}",
        [BZ_DIALECT_LLAMACPP] = "{\"content\":\"\",\"stop\":true}",
    };
    put_event(b, r, ends[r->route->dialect]);
}

/* The stream in two pieces; `cut` 0: in one. */
static enum bz_status stream(struct gw *g, const struct mx_route *r, struct bz_view sse, size_t cut,
                             struct bz_buf *out) {
    const bool lines = r->route->dialect == BZ_DIALECT_OLLAMA;
    const struct bz_reply_head h = {
        200, lines ? BZ_V("application/x-ndjson") : BZ_V("text/event-stream"), {NULL, 0}, -1};
    struct mx_tx t;
    enum bz_status st = BZ_OK;
    mx_ask(&t, g, r, true);
    assert_int_equal(bz_tx_reply_head(t.tx, &h, gw_now(g)), BZ_REPLY_STREAM);
    if (cut != 0)
        st = bz_tx_reply_feed(t.tx, bz_view_sub(sse, 0, cut), out, gw_now(g));
    if (st == BZ_OK)
        st = bz_tx_reply_feed(t.tx, bz_view_sub(sse, cut, sse.n), out, gw_now(g));
    if (st == BZ_OK)
        st = bz_tx_reply_end(t.tx, true, out, gw_now(g));
    mx_done(&t);
    return st;
}

/* The next event's JSON; NULL at the end. */
static bool next_event(struct bz_view *rest, bool lines, struct bz_view *ret) {
    while (rest->n > 0) {
        const uint8_t *lf = memchr(rest->p, '\n', rest->n);
        size_t n = lf == NULL ? rest->n : (size_t)(lf - rest->p);
        struct bz_view line = bz_view_sub(*rest, 0, n);
        *rest = bz_view_sub(*rest, n + 1, rest->n);
        if (!lines)
            line = bz_view_starts(line, BZ_V("data: ")) ? bz_view_sub(line, 6, line.n)
                                                        : (struct bz_view){NULL, 0};
        if (line.n > 0 && line.p[0] == '{') {
            *ret = line;
            return true;
        }
    }
    return false;
}

/* In a key or a string of any event. */
static bool shows(const struct mx_route *r, const struct bz_buf *out, const char *needle) {
    struct bz_view rest = bz_buf_view(out), event;
    while (next_event(&rest, r->route->dialect == BZ_DIALECT_OLLAMA, &event))
        if (mx_holds(event, needle))
            return true;
    return false;
}

/* What a client puts together from the events' texts at this path. */
static void join(const struct mx_route *r, const struct bz_buf *out, const char *path,
                 struct bz_buf *joined) {
    struct bz_view rest = bz_buf_view(out), event;
    struct mx_path p;
    mx_parse(&p, path);
    while (next_event(&rest, r->route->dialect == BZ_DIALECT_OLLAMA, &event)) {
        struct bz_arena ar;
        struct bz_json *root = NULL;
        bz_arena_init(&ar, bz_alloc_heap, 1u << 24, NULL, 0);
        assert_int_equal(bz_json_parse(event, NULL, &ar, &root, NULL), BZ_OK);
        const struct bz_json *n = root;
        for (unsigned i = 0; i < p.n; i++) {
            n = bz_json_get(n, bz_view_str(p.at[i].name));
            if (bz_json_is(n, BZ_JSON_ARRAY))
                n = n->first;
        }
        bz_buf_put(joined, bz_json_str(n));
        bz_arena_free(&ar);
    }
}

/* ---- every field ---- */

static void wrong(const struct counts *c, const char *path, struct bz_view sse, size_t cut,
                  enum bz_status st, const struct bz_buf *out) {
    fail_msg("%s: %s, cut at %zu: %.*s comes out as %d %.*s", c->r->route->path, path, cut,
             (int)sse.n, (const char *)sse.p, st, (int)out->n, (const char *)out->p);
}

/* One stream: the marker is masked, or the stream ends with an error. Cut anywhere it is the same. */
static void check_stream(struct counts *c, const char *path, struct bz_view sse, bool every_cut,
                         struct bz_buf *whole) {
    struct bz_buf out;
    enum bz_status st = stream(&mx_strict, c->r, sse, 0, whole);
    bool passed = st == BZ_OK;
    if (shows(c->r, whole, MX_MARK) || shows(c->r, whole, MX_NUMBER) ||
        gw_contains(bz_buf_view(whole), MX_MARK) || passed != shows(c->r, whole, MX_PLACE))
        wrong(c, path, sse, 0, st, whole);
    c->masked += passed;
    c->refused += !passed;
    bz_buf_init(&out, 1u << 20);
    for (size_t cut = 1; every_cut && cut < sse.n; cut++) {
        bz_buf_reset(&out);
        enum bz_status same = stream(&mx_strict, c->r, sse, cut, &out);
        /* refusals carry the request's id: nothing of theirs is text of the model */
        bool equal = bz_view_eq(bz_buf_view(&out), bz_buf_view(whole));
        if (same != st || (passed ? !equal : gw_contains(bz_buf_view(&out), MX_MARK)))
            wrong(c, path, sse, cut, same, &out);
        c->cuts++;
    }
    bz_buf_free(&out);
}

static void fill_kits(const struct mx_path *p, const char *type, const char *kits[MX_LEVELS]) {
    for (unsigned i = 0; i < MX_LEVELS; i++)
        kits[i] = i + 1 == p->n ? type : "";
}

static void whole_text(struct counts *c, const char *path, const struct bz_field *f,
                       const char *value, bool every_cut) {
    struct mx_path p;
    struct bz_buf sse, out;
    const char *kits[MX_LEVELS];
    mx_parse(&p, path);
    fill_kits(&p, mx_type_kit(f), kits);
    bz_buf_init(&sse, 1u << 16);
    bz_buf_init(&out, 1u << 20);
    put_event(&sse, c->r, mx_doc(&p, p.n, kits, value));
    put_end(&sse, c->r);
    check_stream(c, path, bz_buf_view(&sse), every_cut, &out);
    bz_buf_free(&sse);
    bz_buf_free(&out);
}

/* The text in two events, parted at every byte: joined it is always the same. */
static void parted_text(struct counts *c, const char *path, const struct bz_field *f,
                        const char *text) {
    struct bz_buf sse, out, first, joined;
    struct mx_path p;
    const char *kits[MX_LEVELS];
    size_t n = strlen(text);
    mx_parse(&p, path);
    fill_kits(&p, mx_type_kit(f), kits);
    bz_buf_init(&sse, 1u << 16);
    bz_buf_init(&out, 1u << 20);
    bz_buf_init(&first, 1u << 16);
    bz_buf_init(&joined, 1u << 16);
    for (size_t k = 0; k <= n; k++) {
        struct bz_view whole = bz_view(text, n);
        bz_buf_reset(&sse);
        bz_buf_reset(&out);
        bz_buf_reset(&joined);
        put_event(&sse, c->r, mx_doc(&p, p.n, kits, mx_quoted(bz_view_sub(whole, 0, k))));
        put_event(&sse, c->r, mx_doc(&p, p.n, kits, mx_quoted(bz_view_sub(whole, k, n))));
        put_end(&sse, c->r);
        check_stream(c, path, bz_buf_view(&sse), c->every_cut, &out);
        join(c->r, &out, path, k == 0 ? &first : &joined);
        struct bz_view got = bz_buf_view(k == 0 ? &first : &joined);
        if (f->kind == BZ_FIELD_JSON_TEXT && mx_leaks(got)) /* is JSON still */
            wrong(c, path, bz_buf_view(&sse), k, BZ_OK, &out);
        if (!bz_view_eq(got, bz_buf_view(&first)) || gw_contains(got, MX_NUMBER) ||
            !gw_contains(got, MX_PLACE) || gw_contains(got, MX_MARK) || gw_contains(got, "alcon"))
            wrong(c, path, bz_buf_view(&sse), k, BZ_OK, &out);
        c->splits++;
    }
    bz_buf_free(&sse);
    bz_buf_free(&out);
    bz_buf_free(&first);
    bz_buf_free(&joined);
}

static const char *const said_values[] = {"\"so Falcon it is\"", "\"\\u0046alcon\"",
                                          "[\"Falcon\"]"};
static const char *const called_values[] = {"\"{\\\"a\\\":[424242]}\"",
                                            "\"{\\\"a\\\":\\\"Falcon\\\"}\"",
                                            "\"{\\\"a\\\":\\\"\\\\u0046alcon\\\"}\""};
static const char *const any_values[] = {"\"Falcon\"", "[[\"so Falcon it is\"],1]",
                                         "{\"a\":{\"b\":\"Falcon\"}}", "{\"Falcon\":true}",
                                         "{\"a\":[424242]}"};
enum { NOT_OF_FACTS = 2 }; /* the last ones: keys and numbers are the server's own */

static void event_row(void *ctx, const char *path, const struct bz_field *f) {
    struct counts *c = ctx;
    if (!mx_is_text(f))
        return;
    c->rows++;
    const char *const *v = f->kind == BZ_FIELD_JSON        ? any_values
                           : f->kind == BZ_FIELD_JSON_TEXT ? called_values
                                                           : said_values;
    size_t n = f->kind == BZ_FIELD_JSON        ? N(any_values) - f->facts * NOT_OF_FACTS
               : f->kind == BZ_FIELD_JSON_TEXT ? N(called_values)
                                               : N(said_values);
    for (size_t i = 0; i < n; i++)
        whole_text(c, path, f, v[i], c->every_cut);
    if (f->channel == 0)
        return;
    if (f->kind == BZ_FIELD_JSON_TEXT) {
        parted_text(c, path, f, "{\"a\":\"so Falcon it is\"}");
        parted_text(c, path, f, "{\"a\":\"so \\u0046alcon it is\"}");
        parted_text(c, path, f, "{\"a\":[1,424242]}");
    } else {
        parted_text(c, path, f, "so Falcon it is");
    }
}

/* Streams of one table and one framing differ in their requests only: one of them is cut at every
 * byte. */
static bool is_first(const struct mx_route *routes, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (routes[k].route->dialect == routes[i].route->dialect &&
            mx_streams(routes[k].route->api) && strcmp(routes[k].route->scope, "tokenize") != 0)
            return false;
    return true;
}

static size_t streaming_routes(struct mx_route routes[MX_ROUTES]) {
    struct mx_route all[MX_ROUTES];
    size_t n = mx_routes(all), kept = 0;
    for (size_t i = 0; i < n; i++)
        if (mx_streams(all[i].route->api) && strcmp(all[i].route->scope, "tokenize") != 0)
            routes[kept++] = all[i];
    return kept;
}

static void every_text_of_a_stream_is_masked(void **state) {
    struct mx_route routes[MX_ROUTES];
    size_t n = streaming_routes(routes);
    struct counts sum = {.r = NULL};
    for (size_t i = 0; i < n; i++) {
        struct counts c = {.r = &routes[i], .every_cut = is_first(routes, i)};
        bz_fields_each(routes[i].route, routes[i].server, BZ_WHERE_EVENT, event_row, &c);
        assert_true(c.rows > 0);
        sum.rows += c.rows;
        sum.masked += c.masked;
        sum.refused += c.refused;
        sum.splits += c.splits;
        sum.cuts += c.cuts;
    }
    print_message(
        "# streams: %zu routes, %u rows; %u cells masked, %u refused; %u splits, %u cuts\n", n,
        sum.rows, sum.masked, sum.refused, sum.splits, sum.cuts);
    assert_true(sum.rows >= 1900 && sum.masked >= 12000 && sum.splits >= 5000 &&
                sum.cuts >= 350000);
}

/* ---- repeats and strangers ---- */

static char *with_repeat(const struct mx_path *p, const struct mx_sibling *s, struct bz_view said,
                         const char *token) {
    char beside[600];
    const char *kits[MX_LEVELS], *type = mx_type_kit(&s->field);
    (void)snprintf(beside, sizeof beside, "%s%s%s='%.*s'", type, *type == '\0' ? "" : ";", s->found,
                   (int)said.n, (const char *)said.p);
    fill_kits(p, said.n == 0 ? "" : beside, kits);
    return mx_doc(p, p->n, kits, token);
}

/* Tokens beside each half of the marker, and in an event without text behind it. */
static void event_repeat(void *ctx, const char *path, const struct bz_field *f) {
    static const char said[] = "so Falcon it is";
    struct counts *c = ctx;
    struct mx_sibling s = {.path = path};
    struct mx_path p;
    struct bz_buf sse, out;
    if (f->kind != BZ_FIELD_REPEAT)
        return;
    bz_fields_each(c->r->route, c->r->server, BZ_WHERE_EVENT, mx_sibling_row, &s);
    assert_true(s.found[0] != '\0');
    mx_parse(&p, path);
    bz_buf_init(&sse, 1u << 16);
    bz_buf_init(&out, 1u << 20);
    for (size_t k = 4; k < 9; k++) {
        size_t half = s.field.channel != 0 ? k : sizeof said - 1;
        struct bz_view all = bz_view_str(said), rest = bz_view_sub(all, half, all.n);
        bz_buf_reset(&sse);
        bz_buf_reset(&out);
        put_event(&sse, c->r, with_repeat(&p, &s, bz_view_sub(all, 0, half), "[\"~one\"]"));
        if (rest.n > 0)
            put_event(&sse, c->r, with_repeat(&p, &s, rest, "[{\"token\":\"~two\"}]"));
        put_event(&sse, c->r, with_repeat(&p, &s, (struct bz_view){NULL, 0}, "[\"~three\"]"));
        put_end(&sse, c->r);
        check_stream(c, path, bz_buf_view(&sse), true, &out);
        if (gw_contains(bz_buf_view(&out), "~") || !gw_contains(bz_buf_view(&out), MX_PLACE))
            wrong(c, path, bz_buf_view(&sse), 0, BZ_OK, &out);
    }
    bz_buf_free(&sse);
    bz_buf_free(&out);
}

/* A member that no table knows, in every object: it ends the stream, or is masked. */
static void stranger(struct counts *c, const char *path, const char *value) {
    struct mx_path p;
    struct bz_buf sse, out;
    const char *kits[MX_LEVELS];
    mx_parse(&p, path);
    fill_kits(&p, "", kits);
    bz_buf_init(&sse, 1u << 16);
    bz_buf_init(&out, 1u << 20);
    put_event(&sse, c->r, mx_doc(&p, p.n, kits, value));
    put_end(&sse, c->r);
    enum bz_status st = stream(&mx_strict, c->r, bz_buf_view(&sse), 0, &out);
    /* null says nothing and newer servers send it: the name alone is looked at */
    bool refused = st != BZ_OK || strcmp(value, "null") == 0;
    if (!refused || gw_contains(bz_buf_view(&out), MX_MARK))
        wrong(c, path, bz_buf_view(&sse), 0, st, &out);
    bz_buf_reset(&out);
    st = stream(&mx_open, c->r, bz_buf_view(&sse), 0, &out);
    if (st != BZ_OK || shows(c->r, &out, MX_MARK) || !shows(c->r, &out, MX_PLACE))
        wrong(c, path, bz_buf_view(&sse), 0, st, &out);
    c->masked++;
    bz_buf_free(&sse);
    bz_buf_free(&out);
}

static void repeats_go_and_strangers_are_refused(void **state) {
    static struct mx_objects o;
    struct mx_route routes[MX_ROUTES];
    size_t n = streaming_routes(routes), objects = 0;
    unsigned repeats = 0;
    for (size_t i = 0; i < n; i++) {
        struct counts c = {.r = &routes[i]};
        bz_fields_each(routes[i].route, routes[i].server, BZ_WHERE_EVENT, event_repeat, &c);
        repeats += c.masked;
        o.n = 0;
        bz_fields_each(routes[i].route, routes[i].server, BZ_WHERE_EVENT, mx_object_of, &o);
        objects += o.n;
        for (size_t k = 0; k < o.n; k++) {
            stranger(&c, mx_stranger(&o, k, "x_y_z"), "\"so Falcon it is\"");
            stranger(&c, mx_stranger(&o, k, "x_y_z"), "[{\"Falcon\":true}]");
            stranger(&c, mx_stranger(&o, k, MX_MARK), "7");
            stranger(&c, mx_stranger(&o, k, MX_MARK), "null");
        }
    }
    print_message("# streams: %u cells with repeats, %zu objects with a stranger\n", repeats,
                  objects);
    assert_true(repeats >= 400 && objects >= 270);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_of_a_stream_is_masked),
        cmocka_unit_test(repeats_go_and_strangers_are_refused),
    };
    return cmocka_run_group_tests_name("tx_matrix_events", tests, mx_open_all, mx_close_all);
}
