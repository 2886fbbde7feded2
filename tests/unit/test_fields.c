/* The field-coverage matrix, made from the tables themselves: every row of every table is found
 * where it says it is, once, and can be replaced there; whatever stands in its place instead is
 * seen or refused, never hidden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <bartizan/fields.h>

#define MARK "uvw4711marker"
#define NEW "<masked>"

struct seen {
    unsigned marks, ends;
    const struct bz_field *field;
    uint64_t channel;
    uint8_t speaker;
    bool is_key, is_number, replace;
    char path[96];
};

static enum bz_status on_span(void *ctx, const struct bz_walk *w, const struct bz_span *s) {
    struct seen *seen = ctx;
    if (!bz_view_eq(s->text, BZ_V(MARK)) && !bz_view_eq(s->text, BZ_V("424242")))
        return BZ_OK;
    seen->marks++;
    seen->field = s->field;
    seen->channel = s->channel;
    seen->speaker = s->speaker;
    seen->is_key = s->is_key;
    seen->is_number = s->is_number;
    bz_span_path(w, seen->path);
    if (seen->replace)
        bz_span_set(s, BZ_V(NEW));
    return BZ_OK;
}

static void on_end(void *ctx, uint64_t channel, uint64_t mask) {
    struct seen *seen = ctx;
    assert_true((channel & ~mask) == 0);
    seen->ends++;
}

enum { DOC = 4096 };
static struct bz_param_error err;

/* Walks the document; out: what it was written as afterwards. */
static enum bz_status walk(const struct bz_route *r, enum bz_where where, const char *doc,
                           enum bz_unknown u, struct seen *seen, char out[DOC], bool clear) {
    struct bz_arena ar;
    struct bz_json *root;
    struct bz_diag diag;
    struct bz_buf b;
    struct bz_walk w = {
        .unknown = u, .span = on_span, .channel_end = on_end, .ctx = seen, .err = &err};
    bz_arena_init(&ar, bz_alloc_heap, 1u << 24, NULL, 0);
    if (bz_json_parse(bz_view_str(doc), NULL, &ar, &root, &diag) != BZ_OK)
        fail_msg("%s: not JSON: %s", doc, diag.why);
    enum bz_status st = bz_fields_walk(r, BZ_SERVER_LLAMACPP, where, root, &w);
    if (clear)
        bz_fields_clear_repeats(r, BZ_SERVER_LLAMACPP, where, root, 0);
    if (out != NULL) {
        bz_buf_init_fixed(&b, out, DOC - 1);
        bz_json_write(&b, root);
        assert_int_equal(bz_buf_status(&b), BZ_OK);
        out[b.n] = '\0';
    }
    bz_arena_free(&ar);
    return st;
}

/* Puts `value` where the path says: "a.b[].c" becomes {"a":{"b":[{"c":value}]}}. `when`: the "type"
 * beside the last member, before or behind it. */
static void make(char out[DOC], const char *path, const char *value, const char *when,
                 bool type_first) {
    char type[200] = "", ends[DOC] = "", copy[300];
    size_t n = 0;
    if (when != NULL)
        snprintf(type, sizeof type, "\"type\":\"%.*s\"", (int)strcspn(when, "|"), when);
    snprintf(copy, sizeof copy, "%s", path);
    out[0] = '\0';
    for (char *rest = copy, *name; (name = strsep(&rest, ".")) != NULL && *name != '\0';) {
        if (strcmp(name, "*") == 0)
            break;
        bool last = rest == NULL || strcmp(rest, "*") == 0;
        char *list = strstr(name, "[]");
        if (list != NULL)
            *list = '\0';
        n += (size_t)snprintf(out + n, DOC - n, "{%s%s\"%s\":", last && type_first ? type : "",
                              last && type_first && *type != '\0' ? "," : "", name);
        char here[300];
        snprintf(here, sizeof here, "%s%s%s}", list != NULL && !last ? "]" : "",
                 last && !type_first && *type != '\0' ? "," : "", last && !type_first ? type : "");
        memmove(ends + strlen(here), ends, strlen(ends) + 1);
        memcpy(ends, here, strlen(here));
        if (list != NULL && !last)
            n += (size_t)snprintf(out + n, DOC - n, "[");
    }
    snprintf(out + n, DOC - n, "%s%s", value, ends);
}

static char *with_new(const char *doc) {
    static char out[DOC];
    const char *at = strstr(doc, MARK);
    snprintf(out, sizeof out, "%.*s" NEW "%s", (int)(at - doc), doc, at + strlen(MARK));
    return out;
}

struct table {
    const struct bz_route *route;
    enum bz_where where;
    unsigned rows;
};

static bool is_silent(const struct bz_field *f) {
    return f->kind == BZ_FIELD_DATA || f->kind == BZ_FIELD_REPEAT || f->kind == BZ_FIELD_MEDIA;
}

static const char *name_of(const struct table *t) {
    static char name[32];
    static const char *const names[] = {"request", "reply", "event"};
    snprintf(name, sizeof name, "api %d %s", (int)t->route->api, names[t->where]);
    return name;
}

/* The marker in this place is seen once, as this field, and replacing it changes nothing else. */
static void seen_once(const struct table *t, const char *path, const struct bz_field *f,
                      const char *value, bool type_first) {
    char doc[DOC], out[DOC];
    struct seen seen = {.replace = true};
    make(doc, path, value, f->when, type_first);
    enum bz_status st = walk(t->route, t->where, doc, BZ_UNKNOWN_REFUSE, &seen, out, false);
    if (st != BZ_OK)
        fail_msg("%s: %s: %s: refused at %s", name_of(t), path, doc, err.param);
    if (seen.marks != 1 || seen.field != f || (!f->by_role && seen.speaker != f->speaker))
        fail_msg("%s: %s: %s: %u marks, kind %s, speaker %s", name_of(t), path, doc, seen.marks,
                 seen.field == NULL ? "-" : bz_field_kind_name(seen.field->kind),
                 bz_speaker_name(seen.speaker));
    uint64_t channel = t->where == BZ_WHERE_EVENT ? (uint64_t)f->channel << 56 : 0;
    if (seen.channel != channel)
        fail_msg("%s: %s: channel %#llx", name_of(t), doc, (unsigned long long)seen.channel);
    if (!seen.is_number && strcmp(out, with_new(doc)) != 0)
        fail_msg("%s: %s: replaced gives %s", name_of(t), doc, out);
    const char *first = path;
    size_t n = strcspn(first, ".[*");
    if (strncmp(seen.path, first, n) != 0)
        fail_msg("%s: %s: path is %s", name_of(t), doc, seen.path);
}

/* Silent fields give no span; repeats are cleared on demand. */
static void silent(const struct table *t, const char *path, const struct bz_field *f) {
    char doc[DOC], out[DOC];
    struct seen seen = {0};
    make(doc, path, "[\"" MARK "\"]", f->when, true);
    if (walk(t->route, t->where, doc, BZ_UNKNOWN_REFUSE, &seen, out, true) != BZ_OK) {
        /* a list of strings is no index */
        if (strstr(err.why, "index") == NULL)
            fail_msg("%s: %s: refused at %s", name_of(t), doc, err.param);
        return;
    }
    if (seen.marks != 0)
        fail_msg("%s: %s: seen at %s", name_of(t), doc, seen.path);
    if ((f->kind == BZ_FIELD_REPEAT) == (strstr(out, MARK) != NULL))
        fail_msg("%s: %s: cleared gives %s", name_of(t), doc, out);
}

static void number_is_data(const struct table *t, const char *path, const struct bz_field *f) {
    char doc[DOC];
    struct seen seen = {0};
    make(doc, path, "{\"" MARK "\":[424242]}", f->when, true);
    assert_int_equal(walk(t->route, t->where, doc, BZ_UNKNOWN_REFUSE, &seen, NULL, false), BZ_OK);
    if (seen.marks != 0)
        fail_msg("%s: %s: seen at %s", name_of(t), doc, seen.path);
}

/* Where JSON may stand in a string it may stand itself: it is shown as JSON, and never as a piece of
 * a channel. */
static void arguments_as_object(const struct table *t, const char *path, const struct bz_field *f) {
    static const char *const values[] = {"{\"" MARK "\":1}", "{\"a\":[\"" MARK "\"]}",
                                         "{\"a\":424242}"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char doc[DOC];
        struct seen seen = {0};
        make(doc, path, values[i], f->when, true);
        enum bz_status st = walk(t->route, t->where, doc, BZ_UNKNOWN_REFUSE, &seen, NULL, false);
        if (st == BZ_EDENIED)
            continue; /* deltas of the Responses API are strings */
        assert_int_equal(seen.marks, 1);
        if (seen.field->kind != BZ_FIELD_JSON || seen.channel != 0 ||
            seen.speaker != BZ_SPEAKER_ASSISTANT)
            fail_msg("%s: %s: kind %s", name_of(t), doc, bz_field_kind_name(seen.field->kind));
    }
}

static void row_is_found(void *ctx, const char *path, const struct bz_field *f) {
    struct table *t = ctx;
    t->rows++;
    if (is_silent(f)) {
        silent(t, path, f);
        return;
    }
    for (unsigned first = 0; first < 2; first++) {
        seen_once(t, path, f, "\"" MARK "\"", first);
        seen_once(t, path, f, "[null,\"\",\"" MARK "\"]", first);
        if (f->kind == BZ_FIELD_JSON_TEXT)
            arguments_as_object(t, path, f);
        if (f->kind != BZ_FIELD_JSON)
            continue;
        seen_once(t, path, f, "{\"a\":[1,{\"b\":\"" MARK "\"}]}", first);
        if (f->facts) {
            number_is_data(t, path, f);
            continue;
        }
        seen_once(t, path, f, "{\"" MARK "\":true}", first);
        seen_once(t, path, f, "[[424242],true,null]", first);
    }
}

static const char *const others[] = {
    "\"" MARK "\"",
    "7",
    "true",
    "{\"x_y_z\":\"" MARK "\"}",
    "[\"" MARK "\"]",
    "[[\"" MARK "\"]]",
    "[{\"x_y_z\":\"" MARK "\"}]",
    "{\"" MARK "\":null}",
    "{\"x_y_z\":[true,{\"" MARK "\":1}]}",
};

struct lookup {
    const char *path;
    const struct bz_field *f;
};

static void match(void *ctx, const char *path, const struct bz_field *f) {
    struct lookup *l = ctx;
    if (strcmp(path, l->path) == 0)
        l->f = f;
}

/* What stands there instead is refused, or seen, or data of a kind that is never shown; with
 * unknown members screened, nothing is refused. */
static void instead(const struct table *t, const char *path, const struct bz_field *f) {
    char doc[DOC];
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        for (unsigned u = 0; u < 2; u++) {
            struct seen seen = {0};
            make(doc, path, others[i], f == NULL ? NULL : f->when, true);
            enum bz_status st =
                walk(t->route, t->where, doc, (enum bz_unknown)u, &seen, NULL, false);
            bool index = st == BZ_EDENIED && strstr(err.why, "index") != NULL;
            bool shown = st == BZ_OK && (strstr(doc, MARK) == NULL || seen.marks == 1);
            /* an unknown member that is null says nothing */
            bool nothing = i == 7 && st == BZ_OK;
            struct lookup own = {path, f};
            if (st == BZ_OK && !shown && f == NULL)
                bz_fields_each(t->route, BZ_SERVER_LLAMACPP, t->where, match, &own);
            bool quiet = own.f != NULL && is_silent(own.f) && st == BZ_OK &&
                         (own.f->kind == BZ_FIELD_REPEAT || strchr(others[i], '{') == NULL);
            bool key = f != NULL && f->facts && i == 8; /* keys are the server's own */
            if (!index && !shown && !quiet && !nothing && !key && (u == 1 || st != BZ_EDENIED))
                fail_msg("%s: %s: status %d, %u marks", name_of(t), doc, st, seen.marks);
        }
    }
}

static void row_hides_nothing(void *ctx, const char *path, const struct bz_field *f) {
    struct table *t = ctx;
    char up[300];
    instead(t, path, f);
    snprintf(up, sizeof up, "%.*s", (int)(strlen(path) - (strstr(path, ".*") != NULL ? 2 : 0)),
             path);
    for (char *dot; (dot = strrchr(up, '.')) != NULL;) {
        *dot = '\0';
        instead(t, up, NULL);
    }
}

/* REPEAT and DATA above a place would make it silent by right; no table has such a thing. */
static void all_tables(void (*row)(void *, const char *, const struct bz_field *)) {
    for (unsigned api = 0; api < BZ_API_COUNT; api++) {
        static const char *const scopes[] = {"chat", "tokenize"};
        for (size_t s = 0; s < 2; s++) {
            struct bz_route route = {.scope = scopes[s], .api = (enum bz_api)api};
            for (unsigned w = 0; w < BZ_WHERE_COUNT; w++) {
                struct table t = {&route, (enum bz_where)w, 0};
                bz_fields_each(&route, BZ_SERVER_LLAMACPP, t.where, row, &t);
            }
        }
    }
}

static void every_row_is_found(void **state) {
    all_tables(row_is_found);
}

static void nothing_hides(void **state) {
    all_tables(row_hides_nothing);
}

/* Of a table: names of tools that are offered, and that are called. */
static void count_tools(void *ctx, const char *path, const struct bz_field *f) {
    unsigned *n = ctx;
    const char *last = strrchr(path, '.');
    if (!f->tool_name)
        return;
    assert_string_equal(last == NULL ? path : last + 1, "name");
    assert_int_equal(f->kind, BZ_FIELD_TEXT);
    assert_int_equal(f->channel, 0); /* whole, never in pieces */
    assert_true(f->speaker == BZ_SPEAKER_SCHEMA || f->speaker == BZ_SPEAKER_ASSISTANT);
    n[f->speaker == BZ_SPEAKER_ASSISTANT]++;
}

static void tools_are_known_by_name(void **state) {
    static const struct {
        enum bz_api api;
        unsigned offered, called[BZ_WHERE_COUNT]; /* at least */
    } all[] = {
        {BZ_API_CHAT, 3, {3, 3, 3}},        {BZ_API_RESPONSES, 1, {1, 1, 3}},
        {BZ_API_MESSAGES, 1, {1, 1, 2}},    {BZ_API_COUNT_TOKENS, 1, {1, 0, 0}},
        {BZ_API_OLLAMA_CHAT, 2, {1, 2, 2}}, {BZ_API_TOKENIZE, 2, {3, 0, 0}},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct bz_route route = {.scope = "chat", .api = all[i].api};
        for (unsigned w = 0; w < BZ_WHERE_COUNT; w++) {
            unsigned n[2] = {0, 0};
            bz_fields_each(&route, BZ_SERVER_LLAMACPP, (enum bz_where)w, count_tools, n);
            assert_int_equal(n[0], w == BZ_WHERE_REQUEST ? all[i].offered : 0);
            assert_true(n[1] >= all[i].called[w]);
        }
    }
}

static void count(void *ctx, const char *path, const struct bz_field *f) {
    ((struct table *)ctx)->rows++;
    assert_true(f->kind < BZ_FIELD_KIND_COUNT && f->speaker < BZ_SPEAKER_COUNT);
}

/* Every API has a table for what it sends and gets. */
static void tables_are_there(void **state) {
    for (unsigned s = 0; s < BZ_SERVER_COUNT; s++) {
        size_t n;
        const struct bz_route *r = bz_route_table((enum bz_server)s, &n);
        for (size_t i = 0; i < n; i++, r++) {
            if (r->access == BZ_ACCESS_NEVER || r->answer != BZ_ANSWER_BACKEND)
                continue;
            struct table t = {r, BZ_WHERE_REPLY, 0};
            bz_fields_each(r, (enum bz_server)s, BZ_WHERE_REPLY, count, &t);
            assert_true(t.rows > 0);
            if (r->api == BZ_API_NONE)
                continue;
            t.rows = 0;
            bz_fields_each(r, (enum bz_server)s, BZ_WHERE_REQUEST, count, &t);
            assert_true(t.rows > 0);
        }
    }
    for (unsigned s = 0; s < BZ_SPEAKER_COUNT; s++)
        assert_string_not_equal(bz_speaker_name((enum bz_speaker)s), "unknown");
    for (unsigned k = 0; k < BZ_FIELD_KIND_COUNT; k++)
        assert_string_not_equal(bz_field_kind_name((enum bz_field_kind)k), "unknown");
    assert_string_equal(bz_speaker_name(BZ_SPEAKER_COUNT), "unknown");
    assert_string_equal(bz_field_kind_name(BZ_FIELD_KIND_COUNT), "unknown");
}

static void the_page_is_what_the_tables_say(void **state) {
    char path[2048];
    const char *root = getenv("BZ_SOURCE_ROOT");
    struct bz_buf b;
    static char text[1 << 20];
    snprintf(path, sizeof path, "%s/docs/FIELDS.md", root != NULL ? root : ".");
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    bz_buf_init(&b, 1 << 20);
    bz_fields_write_docs(&b);
    assert_int_equal(bz_buf_status(&b), BZ_OK);
    if (b.n != n || memcmp(b.p, text, n) != 0)
        fail_msg("docs/FIELDS.md is old: run tools/gen-fields > docs/FIELDS.md");
    bz_buf_free(&b);
}

static enum bz_status stop(void *ctx, const struct bz_walk *w, const struct bz_span *s) {
    unsigned *n = ctx;
    return ++*n == 2 ? BZ_ETOOBIG : BZ_OK;
}

/* What span() says ends the walk; without an error to fill in, unknown members are refused too. */
static void the_caller_ends_it(void **state) {
    struct bz_route r = {.scope = "chat", .api = BZ_API_CHAT};
    struct bz_arena ar;
    struct bz_json *root;
    unsigned n = 0;
    struct bz_walk w = {.span = stop, .ctx = &n};
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    assert_int_equal(
        bz_json_parse(BZ_V("{\"stop\":[\"a\",\"b\",\"c\"],\"zz\":1}"), NULL, &ar, &root, NULL),
        BZ_OK);
    assert_int_equal(bz_fields_walk(&r, BZ_SERVER_VLLM, BZ_WHERE_REQUEST, root, &w), BZ_ETOOBIG);
    assert_int_equal(n, 2);
    assert_int_equal(bz_fields_walk(&r, BZ_SERVER_VLLM, BZ_WHERE_REQUEST, root, &w), BZ_EDENIED);
    assert_int_equal(bz_fields_walk(&r, BZ_SERVER_VLLM, BZ_WHERE_REQUEST, NULL, &w), BZ_OK);
    /* An API that does not stream has no table for events. */
    r.api = BZ_API_RERANK;
    assert_int_equal(bz_fields_walk(&r, BZ_SERVER_VLLM, BZ_WHERE_EVENT, root, &w), BZ_EDENIED);
    bz_arena_free(&ar);
}

/* A refusal says where. */
static void refusals_name_the_place(void **state) {
    struct bz_route r = {.scope = "chat", .api = BZ_API_CHAT};
    struct seen seen = {0};
    const char *doc =
        "{\"messages\":[{\"role\":\"user\"},{\"content\":[{\"type\":\"text\",\"a\\u001b."
        "b\":1}]}]}";
    assert_int_equal(walk(&r, BZ_WHERE_REQUEST, doc, BZ_UNKNOWN_REFUSE, &seen, NULL, false),
                     BZ_EDENIED);
    assert_string_equal(err.param, "messages[1].content[0].a\\x1b.b");
    assert_int_equal(err.status, 400);
    assert_non_null(err.why);
    assert_non_null(err.fix);
    assert_int_equal(err.offset, strstr(doc, ":1}") + 1 - doc);
}

/* Screened instead of refused: the name of the member is text, too. */
static void unknown_members_are_screened(void **state) {
    static const struct {
        const char *doc, *path;
        bool is_key, is_number;
    } rows[] = {
        {"{\"" MARK "\":true}", MARK, true, false},
        {"{\"messages\":[{\"" MARK "\":{\"a\":1}}]}", "messages[0]." MARK, true, false},
        {"{\"zz\":{\"" MARK "\":[]}}", "zz." MARK, true, false},
        {"{\"zz\":[1,[424242]]}", "zz[1][0]", false, true},
        {"{\"messages\":\"" MARK "\"}", "messages", false, false},
        {"[[\"" MARK "\"]]", "[0][0]", false, false},
    };
    struct bz_route r = {.scope = "chat", .api = BZ_API_CHAT};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen seen = {0};
        assert_int_equal(
            walk(&r, BZ_WHERE_REQUEST, rows[i].doc, BZ_UNKNOWN_TEXT, &seen, NULL, false), BZ_OK);
        assert_int_equal(seen.marks, 1);
        assert_string_equal(seen.path, rows[i].path);
        assert_int_equal(seen.is_key, rows[i].is_key);
        assert_int_equal(seen.is_number, rows[i].is_number);
        assert_int_equal(seen.speaker, BZ_SPEAKER_META);
        assert_int_equal(
            walk(&r, BZ_WHERE_REQUEST, rows[i].doc, BZ_UNKNOWN_REFUSE, &seen, NULL, false),
            BZ_EDENIED);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_there),
        cmocka_unit_test(tools_are_known_by_name),
        cmocka_unit_test(every_row_is_found),
        cmocka_unit_test(nothing_hides),
        cmocka_unit_test(unknown_members_are_screened),
        cmocka_unit_test(the_caller_ends_it),
        cmocka_unit_test(refusals_name_the_place),
        cmocka_unit_test(the_page_is_what_the_tables_say),
    };
    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
