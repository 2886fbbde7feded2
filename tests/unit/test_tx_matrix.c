/* The field-coverage matrix through whole transactions, made from the tables: a marker in every text
 * field of every API is masked on its way to the model and on its way back, or refused. Streams have
 * a test of their own. */
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

/* ---- requests ---- */

/* What may stand beside a member, by the name of the object: what one of several kinds needs. */
static const char *const plain[] = {"", NULL};
static const char *const messages[] = {"role='user';content='x'", "role='assistant';content='x'",
                                       "role='tool';content='x'", NULL};
static const char *const parts[] = {"type='text';text='x'",
                                    "type='input_text';text='x'",
                                    "type='output_text';text='x'",
                                    "type='summary_text';text='x'",
                                    "type='reasoning_text';text='x'",
                                    "type='refusal'",
                                    "type='file'",
                                    "type='input_file'",
                                    "type='image_url'",
                                    "type='input_image'",
                                    "type='image'",
                                    "type='document';source={'type':'text','data':'x'}",
                                    "type='search_result';source='x';title='x';content=[]",
                                    "type='tool_use';id='a';name='f';input={}",
                                    "type='tool_result';tool_use_id='a'",
                                    "type='thinking';thinking='x'",
                                    "type='redacted_thinking';data='x'",
                                    NULL};
static const char *const sources[] = {"type='text';data='x'", "type='content';content='x'",
                                      "type='base64'",        "type='url'",
                                      "type='file'",          NULL};
static const char *const items[] = {"type='message';role='user';content='x'",
                                    "type='function_call';call_id='c';name='f';arguments='{}'",
                                    "type='function_call_output';call_id='c';output='x'",
                                    "type='custom_tool_call';call_id='c';name='f';input='x'",
                                    "type='custom_tool_call_output';call_id='c';output='x'",
                                    "type='reasoning';summary=[]",
                                    NULL};
static const char *const tools[] = {"name='f'",
                                    "type='function';name='f'",
                                    "type='function';function={'name':'f'}",
                                    "type='custom';name='f'",
                                    "type='custom';custom={'name':'f'}",
                                    NULL};
static const char *const named[] = {"name='f'", NULL};
static const char *const calls[] = {"type='function'", "type='custom'", NULL};
static const char *const prediction[] = {"type='content'", NULL};

static const char *const *kits_of(const char *object) {
    static const struct {
        const char *object;
        const char *const *kits;
    } of[] = {
        {"messages", messages}, {"content", parts},         {"system", parts},
        {"summary", parts},     {"output", parts},          {"source", sources},
        {"input", items},       {"instructions", items},    {"tools", tools},
        {"function", named},    {"custom", named},          {"functions", named},
        {"tool_calls", calls},  {"prediction", prediction},
    };
    for (size_t i = 0; i < N(of); i++)
        if (strcmp(of[i].object, object) == 0)
            return of[i].kits;
    return plain;
}

/* Whatever shape some parameter has. */
static const char *const text_values[] = {"\"Falcon\"", "[\"so Falcon it is\"]"};
static const char *const arguments_values[] = {"\"{\\\"a\\\":\\\"Falcon\\\"}\"",
                                               "\"{\\\"Falcon\\\":1}\"", "{\"a\":\"Falcon\"}",
                                               "\"{\\\"a\\\":424242}\"", "{\"a\":424242}"};
static const char *const json_values[] = {
    "\"Falcon\"",
    "[\"Falcon\"]",
    "{\"a\":\"Falcon\"}",
    "{\"a\":[424242]}",
    "{\"Falcon\":\"b\"}",
    "[{\"a\":[\"so Falcon it is\"]}]",
    "[{\"text\":\"Falcon\"}]",
    "{\"name\":\"Falcon\"}",
    "{\"stop\":[\"Falcon\"]}",
    "{\"user_id\":\"Falcon\"}",
    "{\"choice\":[\"Falcon\"]}",
    "{\"regex\":\"Falcon\"}",
    "{\"json\":{\"description\":\"Falcon\"}}",
    "{\"type\":\"object\",\"description\":\"Falcon\"}",
    "{\"type\":\"object\",\"properties\":{\"Falcon\":{\"type\":\"string\"}}}",
    "{\"type\":\"tool\",\"name\":\"Falcon\"}",
    "{\"type\":\"function\",\"name\":\"Falcon\"}",
    "{\"type\":\"function\",\"function\":{\"name\":\"Falcon\"}}",
    "{\"type\":\"json_schema\",\"schema\":{\"description\":\"Falcon\"}}",
    "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"description\":\"Falcon\"}}",
    "{\"type\":\"grammar\",\"syntax\":\"lark\",\"definition\":\"Falcon\"}",
    "{\"type\":\"grammar\",\"grammar\":{\"syntax\":\"lark\",\"definition\":\"Falcon\"}}",
    "{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"description\":\"Falcon\"}}",
    "{\"format\":{\"type\":\"json_schema\",\"schema\":{\"description\":\"Falcon\"}}}",
};

struct values {
    const char *const *v;
    size_t n;
};

static struct values values_of(const struct bz_field *f) {
    if (f->kind == BZ_FIELD_JSON)
        return (struct values){json_values, N(json_values)};
    if (f->kind == BZ_FIELD_JSON_TEXT)
        return (struct values){arguments_values, N(arguments_values)};
    return (struct values){text_values, N(text_values)};
}

struct counts {
    const struct mx_route *r;
    unsigned rows, masked, refused;
};

static bool streaming;
static bool quiet_row; /* forwarded without a placeholder, too */

/* One request: forwarded, without the marker; or refused with 4xx. True: forwarded. */
static bool is_forwarded(const struct mx_route *r, const char *path, const char *doc, bool marked) {
    struct mx_tx t;
    mx_send(&t, &mx_strict, r, doc);
    bool forwarded = t.verdict == BZ_VERDICT_FORWARD;
    if (forwarded && marked) {
        struct bz_view body = bz_tx_forward(t.tx)->body;
        if (mx_leaks(body) || (!quiet_row && !mx_holds(body, MX_PLACE)))
            fail_msg("%s %s: %s: %s is forwarded as %.*s", bz_server_name(r->server),
                     r->route->path, path, doc, (int)body.n, (const char *)body.p);
    } else if (!forwarded) {
        const struct bz_reply *reply = bz_tx_reply(t.tx);
        assert_non_null(reply);
        if (reply->status < 400 || reply->status > 499)
            fail_msg("%s: status %d: %.*s", doc, reply->status, (int)reply->body.n,
                     (const char *)reply->body.p);
        if (getenv("MATRIX_WHY") != NULL)
            print_message("# why %s %s\n#   %.*s\n", path, doc, (int)reply->body.n,
                          (const char *)reply->body.p);
    }
    mx_done(&t);
    return forwarded;
}

/* All kinds of objects on the way to the member. How many of the requests with the path's first n
 * members pass. */
static unsigned all_kinds(const struct mx_route *r, const char *path, const struct mx_path *p,
                          unsigned n, const char *value) {
    const char *const *lists[MX_LEVELS] = {plain};
    const char *kits[MX_LEVELS];
    size_t at[MX_LEVELS] = {0};
    unsigned passed = 0, i;
    for (i = 1; i < p->n; i++)
        lists[i] = kits_of(p->at[i - 1].name);
    do {
        for (i = 0; i < p->n; i++)
            kits[i] = lists[i][at[i]];
        kits[0] = mx_request_kit(r, streaming);
        passed += is_forwarded(r, path, mx_doc(p, n, kits, value), n == p->n);
        unsigned used = n < p->n ? n + 1 : p->n;
        for (i = 1; i < used && lists[i][++at[i]] == NULL; i++)
            at[i] = 0;
        if (i >= used)
            break;
    } while (true);
    return passed;
}

/* As listed, and with one object where one or many may stand. */
static unsigned one_or_many(const struct mx_route *r, const char *path, unsigned cut,
                            const char *value) {
    struct mx_path p;
    mx_parse(&p, path);
    unsigned n = p.n - cut, passed = all_kinds(r, path, &p, n, value);
    for (unsigned i = 0; i + 1 < n; i++) {
        bool list = p.at[i].list;
        p.at[i].list = false;
        passed += list ? all_kinds(r, path, &p, n, value) : 0;
        p.at[i].list = list;
    }
    return passed;
}

static void request_row(void *ctx, const char *path, const struct bz_field *f) {
    struct counts *c = ctx;
    struct mx_path p;
    unsigned passed = 0, cut = 0;
    if (!mx_is_text(f))
        return;
    c->rows++;
    struct values v = values_of(f);
    for (size_t i = 0; i < v.n; i++)
        passed += one_or_many(c->r, path, 0, v.v[i]);
    c->masked += passed;
    if (passed > 0)
        return;
    /* Refused whatever is tried: and the member is the reason, for without it the request passes. */
    mx_parse(&p, path);
    while (++cut <= p.n && one_or_many(c->r, path, cut, "") == 0)
        continue;
    if (cut > p.n)
        fail_msg("%s: no valid request around it", path);
    c->refused++;
    if (getenv("MATRIX_LIST") != NULL)
        print_message("# %s %s: %s: refused at %s\n", bz_server_name(c->r->server),
                      c->r->route->path, path, p.at[p.n - cut].name);
}

/* Data, media and repeats are never looked at: no text may get through in their places. */
static void request_quiet(void *ctx, const char *path, const struct bz_field *f) {
    static const char *const values[] = {"\"Falcon\"", "[\"Falcon\"]", "[{\"token\":\"Falcon\"}]",
                                         "{\"Falcon\":1}", "{\"a\":\"Falcon\"}"};
    struct counts *c = ctx;
    if (mx_is_text(f))
        return;
    quiet_row = true;
    for (size_t i = 0; i < N(values); i++)
        (void)one_or_many(c->r, path, 0, values[i]);
    quiet_row = false;
}

static void every_text_of_a_request_is_masked(void **state) {
    struct mx_route routes[MX_ROUTES];
    size_t n = mx_routes(routes);
    unsigned rows = 0, masked = 0, refused = 0;
    for (size_t i = 0; i < n; i++) {
        for (unsigned on = 0; on < 1 + (unsigned)mx_streams(routes[i].route->api); on++) {
            struct counts c = {.r = &routes[i]};
            streaming = on == 1;
            bz_fields_each(c.r->route, c.r->server, BZ_WHERE_REQUEST, request_row, &c);
            if (!streaming)
                bz_fields_each(c.r->route, c.r->server, BZ_WHERE_REQUEST, request_quiet, &c);
            rows += c.rows;
            masked += c.masked;
            refused += c.refused;
            assert_true(c.rows > 0);
        }
    }
    streaming = false;
    print_message("# requests: %zu routes, %u rows; %u cells masked, %u rows refused\n", n, rows,
                  masked, refused);
    assert_true(n >= 30 && rows >= 3200 && masked >= 37000);
}

/* A member that no table knows, in every object. */
static void strangers_in_requests_are_refused(void **state) {
    static struct mx_objects o;
    struct mx_route routes[MX_ROUTES];
    size_t n = mx_routes(routes), objects = 0;
    for (size_t i = 0; i < n; i++) {
        o.n = 0;
        bz_fields_each(routes[i].route, routes[i].server, BZ_WHERE_REQUEST, mx_object_of, &o);
        objects += o.n;
        for (size_t k = 0; k < o.n; k++) {
            if (one_or_many(&routes[i], mx_stranger(&o, k, "x_y_z"), 0, "\"Falcon\"") != 0 ||
                one_or_many(&routes[i], mx_stranger(&o, k, MX_MARK), 0, "null") != 0)
                fail_msg("%s: a stranger in %s passes", routes[i].route->path, o.path[k]);
        }
    }
    print_message("# requests: %zu objects with a stranger\n", objects);
    assert_true(objects >= 300);
}

/* ---- whole replies ---- */

/* What a reply of the API has at least. */
static const char *reply_kit(const struct mx_route *r) {
    static const char *const of[BZ_API_COUNT] = {
        [BZ_API_CHAT] = "choices=[]",
        [BZ_API_COMPLETIONS] = "choices=[]",
        [BZ_API_EMBEDDINGS] = "data=[]",
        [BZ_API_RESPONSES] = "output=[]",
        [BZ_API_MESSAGES] = "content=[]",
        [BZ_API_COUNT_TOKENS] = "input_tokens=1",
        [BZ_API_OLLAMA_CHAT] = "message={}",
        [BZ_API_OLLAMA_GENERATE] = "response='x'",
        [BZ_API_OLLAMA_EMBED] = "embeddings=[]",
        [BZ_API_OLLAMA_EMBEDDINGS] = "embedding=[]",
        [BZ_API_OLLAMA_SHOW] = "modified_at='x'",
        [BZ_API_LLAMA_COMPLETION] = "content='x'",
        [BZ_API_LLAMA_INFILL] = "content='x'",
        [BZ_API_LLAMA_EMBEDDING] = "embedding=[]",
        [BZ_API_RERANK] = "results=[]",
        [BZ_API_SCORE] = "data=[]",
        [BZ_API_TOKENIZE] = "tokens=[]",
        [BZ_API_DETOKENIZE] = "content='x'",
    };
    bool counts = strcmp(r->route->scope, "tokenize") == 0 && r->route->api != BZ_API_TOKENIZE &&
                  r->route->api != BZ_API_DETOKENIZE;
    return counts ? of[BZ_API_COUNT_TOKENS] : of[r->route->api];
}

/* What the client gets; *ret_status as HTTP says it. The view lives until `t` is done. */
static struct bz_view answer(struct mx_tx *t, struct gw *g, const struct mx_route *r,
                             const char *doc, uint16_t *ret_status) {
    static const struct bz_reply_head h = {200, BZ_V("application/json"), {NULL, 0}, -1};
    mx_ask(t, g, r, false);
    (void)gw_reply(g, t->tx, &h, bz_view_str(doc), 0, true, NULL);
    const struct bz_reply *reply = bz_tx_reply(t->tx);
    assert_non_null(reply);
    *ret_status = reply->status;
    return reply->body;
}

static void reply_cell(struct counts *c, const char *path, const char *doc) {
    struct mx_tx t;
    uint16_t status;
    struct bz_view body = answer(&t, &mx_strict, c->r, doc, &status);
    bool passed = status == 200;
    if (mx_leaks(body) || (passed && !mx_holds(body, MX_PLACE)) || (!passed && status != 502))
        fail_msg("%s %s: %s: %s is answered as %d %.*s", bz_server_name(c->r->server),
                 c->r->route->path, path, doc, status, (int)body.n, (const char *)body.p);
    if (!passed && getenv("MATRIX_LIST") != NULL)
        print_message("# reply %s: %s: %.*s\n", c->r->route->path, doc, (int)body.n,
                      (const char *)body.p);
    c->masked += passed;
    c->refused += !passed;
    mx_done(&t);
}

static void fill_reply_kits(const struct mx_route *r, const struct mx_path *p, const char *beside,
                            const char *kits[MX_LEVELS]) {
    static char both[400];
    for (unsigned i = 0; i < MX_LEVELS; i++)
        kits[i] = i + 1 == p->n ? beside : "";
    if (p->n == 1) {
        (void)snprintf(both, sizeof both, "%s;%s", reply_kit(r), beside);
        kits[0] = both;
    } else {
        kits[0] = reply_kit(r);
    }
}

/* llama.cpp answers some routes with a list alone. */
static bool comes_in_lists(enum bz_api api) {
    return api == BZ_API_LLAMA_COMPLETION || api == BZ_API_LLAMA_INFILL ||
           api == BZ_API_LLAMA_EMBEDDING || api == BZ_API_RERANK;
}

static const char *const said_values[] = {"\"so Falcon it is\"", "[\"Falcon\"]",
                                          "\"\\u0046alcon\""};
static const char *const called_values[] = {"\"{\\\"a\\\":[424242]}\"",
                                            "\"{\\\"a\\\":\\\"Falcon\\\"}\"",
                                            "\"{\\\"a\\\":\\\"\\\\u0046alcon\\\"}\""};
static const char *const any_values[] = {"\"Falcon\"", "[[\"so Falcon it is\"],1]",
                                         "{\"a\":{\"b\":\"Falcon\"}}", "{\"Falcon\":true}",
                                         "{\"a\":[424242]}"};
enum { NOT_OF_FACTS = 2 }; /* the last ones: keys and numbers are the server's own */

static void reply_row(void *ctx, const char *path, const struct bz_field *f) {
    struct counts *c = ctx;
    struct mx_path p;
    if (!mx_is_text(f))
        return;
    c->rows++;
    mx_parse(&p, path);
    const char *kits[MX_LEVELS];
    fill_reply_kits(c->r, &p, mx_type_kit(f), kits);
    const char *const *v = f->kind == BZ_FIELD_JSON        ? any_values
                           : f->kind == BZ_FIELD_JSON_TEXT ? called_values
                                                           : said_values;
    size_t n = f->kind == BZ_FIELD_JSON        ? N(any_values) - f->facts * NOT_OF_FACTS
               : f->kind == BZ_FIELD_JSON_TEXT ? N(called_values)
                                               : N(said_values);
    for (size_t i = 0; i < n; i++) {
        const char *doc = mx_doc(&p, p.n, kits, v[i]);
        reply_cell(c, path, doc);
        if (!comes_in_lists(c->r->route->api))
            continue;
        char list[MX_DOC];
        (void)snprintf(list, sizeof list, "[{},%s]", doc);
        reply_cell(c, path, list);
    }
}

/* Tokens and their kin say again what a text said: where it changed they are gone. */
static void reply_repeat(void *ctx, const char *path, const struct bz_field *f) {
    struct counts *c = ctx;
    struct mx_sibling s = {.path = path, .but = reply_kit(c->r)};
    struct mx_path p;
    struct mx_tx t;
    char beside[300];
    uint16_t status;
    if (f->kind != BZ_FIELD_REPEAT)
        return;
    bz_fields_each(c->r->route, c->r->server, BZ_WHERE_REPLY, mx_sibling_row, &s);
    assert_true(s.found[0] != '\0');
    mx_parse(&p, path);
    (void)snprintf(beside, sizeof beside, "%s='so Falcon it is'", s.found);
    const char *kits[MX_LEVELS];
    fill_reply_kits(c->r, &p, beside, kits);
    const char *doc = mx_doc(&p, p.n, kits, "[\"Falcon\",{\"token\":\"Falcon~1\"}]");
    struct bz_view body = answer(&t, &mx_strict, c->r, doc, &status);
    if (status != 200 || gw_contains(body, MX_MARK) || !gw_contains(body, MX_PLACE))
        fail_msg("%s: %s: %s is answered as %d %.*s", c->r->route->path, path, doc, status,
                 (int)body.n, (const char *)body.p);
    c->masked++;
    mx_done(&t);
}

/* A member that no table knows, in every object: refused with its key, or masked. */
static void stranger(struct counts *c, const struct mx_objects *o, size_t i, const char *name,
                     const char *value) {
    struct mx_path p;
    struct mx_tx t;
    uint16_t status;
    const char *kits[MX_LEVELS], *path = mx_stranger(o, i, name);
    mx_parse(&p, path);
    fill_reply_kits(c->r, &p, "", kits);
    const char *doc = mx_doc(&p, p.n, kits, value);
    struct bz_view body = answer(&t, &mx_strict, c->r, doc, &status);
    /* null says nothing and newer servers send it: the name alone is looked at */
    bool refused = status == 502 || strcmp(value, "null") == 0;
    if (!refused || gw_contains(body, MX_MARK))
        fail_msg("%s: %s is answered as %d %.*s", c->r->route->path, doc, status, (int)body.n,
                 (const char *)body.p);
    mx_done(&t);
    body = answer(&t, &mx_open, c->r, doc, &status);
    if (status != 200 || gw_contains(body, MX_MARK) || !gw_contains(body, MX_PLACE))
        fail_msg("%s: %s, screened, is answered as %d %.*s", c->r->route->path, doc, status,
                 (int)body.n, (const char *)body.p);
    c->masked++;
    mx_done(&t);
}

static void repeats_go_and_strangers_are_refused(void **state) {
    static struct mx_objects o;
    struct mx_route routes[MX_ROUTES];
    size_t n = mx_routes(routes), objects = 0;
    unsigned repeats = 0;
    for (size_t i = 0; i < n; i++) {
        struct counts c = {.r = &routes[i]};
        bz_fields_each(routes[i].route, routes[i].server, BZ_WHERE_REPLY, reply_repeat, &c);
        repeats += c.masked;
        o.n = 0;
        bz_fields_each(routes[i].route, routes[i].server, BZ_WHERE_REPLY, mx_object_of, &o);
        objects += o.n;
        for (size_t k = 0; k < o.n; k++) {
            stranger(&c, &o, k, "x_y_z", "\"Falcon\"");
            stranger(&c, &o, k, "x_y_z", "[{\"Falcon\":true}]");
            stranger(&c, &o, k, MX_MARK, "7");
            stranger(&c, &o, k, MX_MARK, "null");
        }
    }
    print_message("# replies: %u repeats, %zu objects with a stranger\n", repeats, objects);
    assert_true(repeats >= 30 && objects >= 280);
}

static void every_text_of_a_reply_is_masked(void **state) {
    struct mx_route routes[MX_ROUTES];
    size_t n = mx_routes(routes);
    struct counts sum = {.r = NULL};
    for (size_t i = 0; i < n; i++) {
        struct counts c = {.r = &routes[i]};
        bz_fields_each(routes[i].route, routes[i].server, BZ_WHERE_REPLY, reply_row, &c);
        sum.rows += c.rows;
        sum.masked += c.masked;
        sum.refused += c.refused;
    }
    print_message("# replies: %u rows; %u cells masked, %u refused\n", sum.rows, sum.masked,
                  sum.refused);
    assert_true(sum.rows >= 1300 && sum.masked >= 4500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_of_a_request_is_masked),
        cmocka_unit_test(strangers_in_requests_are_refused),
        cmocka_unit_test(every_text_of_a_reply_is_masked),
        cmocka_unit_test(repeats_go_and_strangers_are_refused),
    };
    return cmocka_run_group_tests_name("tx_matrix", tests, mx_open_all, mx_close_all);
}
