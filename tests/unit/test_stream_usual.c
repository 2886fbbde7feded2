/* Forms of usual events: what is kept, what matches, and that nothing matches which a parse and a
 * walk would have seen as another event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <bartizan/fields.h>

static const struct bz_route chat = {
    .dialect = BZ_DIALECT_OPENAI, .api = BZ_API_CHAT, .scope = "chat"};
static const struct bz_route messages = {
    .dialect = BZ_DIALECT_ANTHROPIC, .api = BZ_API_MESSAGES, .scope = "chat"};
static const struct bz_route ollama = {
    .dialect = BZ_DIALECT_OLLAMA, .api = BZ_API_OLLAMA_CHAT, .scope = "chat"};

#define CHUNK(id, created, choice, text, rest)                                                     \
    "{\"choices\":[{\"finish_reason\":null,\"index\":" choice ",\"delta\":{\"content\":\"" text    \
    "\"}}],\"created\":" created ",\"id\":\"" id "\",\"model\":\"tiny\"" rest "}"
#define USUAL CHUNK("chatcmpl-1", "1763884800", "0", " the", "")

static struct bz_json *parse(struct bz_arena *ar, struct bz_view data) {
    struct bz_json *root = NULL;
    return bz_json_parse(data, NULL, ar, &root, NULL) == BZ_OK ? root : NULL;
}

static void learn(struct bz_shapes *c, const struct bz_route *route, const char *name,
                  const char *data) {
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
    struct bz_json *root = parse(&ar, bz_view_str(data));
    assert_non_null(root);
    bz_shapes_learn(c, route, bz_view_str(name), bz_view_str(data), root);
    bz_arena_free(&ar);
}

static const struct bz_shape *match(struct bz_shapes *c, const struct bz_route *route,
                                    const char *name, const char *data, struct bz_view *text) {
    return bz_shapes_match(c, route, bz_view_str(name), bz_view_str(data), text);
}

static void test_matches(void **state) {
    static const struct {
        const char *data, *text; /* text NULL: no match */
    } t[] = {
        {USUAL, " the"},
        {CHUNK("chatcmpl-1", "1763884800", "0", "", ""), ""},
        {CHUNK("x", "0", "0", "\xc3\xa9t\xc3\xa9 {}[]:,", ""), "\xc3\xa9t\xc3\xa9 {}[]:,"},
        {CHUNK("", "1763884801", "0", "a", ""), "a"},
        {CHUNK("chatcmpl-1", "1763884800", "1", " the", ""), NULL}, /* another choice */
        {CHUNK("chatcmpl-1", "1763884800", "0", "a\\n", ""), NULL}, /* an escape */
        {CHUNK("chatcmpl-1", "1763884800", "0", "\x1f", ""), NULL},
        {CHUNK("chatcmpl-1", "1763884800", "0", "\xc0\xaf", ""), NULL},
        {CHUNK("chatcmpl-1", "1763884800", "0", "\xed\xa0\x80", ""), NULL},
        {CHUNK("chatcmpl-1", "1763884800", "0", "a\",\"role\":\"tool", ""), NULL},
        {CHUNK("chatcmpl-1\",\"usage\":\"", "1763884800", "0", "a", ""), NULL},
        {CHUNK("chatcmpl-1", "01", "0", "a", ""), NULL},
        {CHUNK("chatcmpl-1", "", "0", "a", ""), NULL},
        {CHUNK("chatcmpl-1", "1.5", "0", "a", ""), NULL},
        {CHUNK("chatcmpl-1", "12345678901234567890", "0", "a", ""), NULL},
        {CHUNK("chatcmpl-1", "1763884800", "0", "a", ",\"usage\":{\"prompt_tokens\":1}"), NULL},
        {USUAL " ", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        static struct bz_shapes c;
        struct bz_view text = {NULL, 0};
        memset(&c, 0, sizeof c);
        assert_null(match(&c, &chat, "", t[i].data, &text));
        learn(&c, &chat, "", USUAL);
        const struct bz_shape *s = match(&c, &chat, "", t[i].data, &text);
        if (t[i].text == NULL) {
            assert_null(s);
            continue;
        }
        assert_non_null(s);
        assert_true(s->channel != 0 && bz_view_eq(text, bz_view_str(t[i].text)));
        assert_null(match(&c, &messages, "", t[i].data, &text)); /* another API */
        assert_null(match(&c, &chat, "delta", t[i].data, &text));
    }
}

static void test_what_is_not_kept(void **state) {
    static const char *const t[] = {
        CHUNK("c", "1", "0", "", ""),                 /* no text yet */
        CHUNK("c", "1", "0", "a\\nb", ""),            /* not as it stands */
        CHUNK("c", "1", "0", "a", ",\"stranger\":1"), /* no table knows it */
        "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\",\"reasoning_content\":\"b\"}}]}",
        "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}",
        "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}",
        "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":"
        "{\"name\":\"pay\",\"arguments\":\"{}\"}}]}}]}",
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        static struct bz_shapes c;
        struct bz_view text;
        memset(&c, 0, sizeof c);
        learn(&c, &chat, "", t[i]);
        assert_null(match(&c, &chat, "", t[i], &text));
    }
}

static void test_length_on_both_sides(void **state) {
    char data[BZ_SHAPE_MAX + 64];
    struct bz_view text;
    for (size_t fixed = BZ_SHAPE_MAX - 1; fixed <= BZ_SHAPE_MAX + 1; fixed++) {
        static struct bz_shapes c;
        const char head[] =
            "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"model\":\"";
        memset(&c, 0, sizeof c);
        memset(data, 'm', sizeof data);
        memcpy(data, head, sizeof head - 1);
        memcpy(data + fixed - 1, "\"}", 3); /* one byte of it is the text */
        learn(&c, &chat, "", data);
        assert_int_equal(match(&c, &chat, "", data, &text) != NULL, fixed <= BZ_SHAPE_MAX);
    }
}

static void test_several_forms(void **state) {
    static struct bz_shapes c;
    char data[64];
    struct bz_view text;
    memset(&c, 0, sizeof c);
    for (int i = 0; i <= BZ_SHAPES; i++) { /* one more than there is room for */
        (void)snprintf(data, sizeof data, "{\"message\":{\"content\":\"a\"},\"model\":\"m%d\"}", i);
        learn(&c, &ollama, "", data);
        assert_non_null(match(&c, &ollama, "", data, &text));
    }
    for (int i = 0; i <= BZ_SHAPES; i++) {
        (void)snprintf(data, sizeof data, "{\"message\":{\"content\":\"b\"},\"model\":\"m%d\"}", i);
        assert_int_equal(match(&c, &ollama, "", data, &text) != NULL, i != 0);
    }
}

/* What the walker says of an event: its one text and channel. */
struct told {
    size_t texts;
    struct bz_view text;
    uint64_t channel;
    bool ends;
};

static enum bz_status on_span(void *ctx, const struct bz_walk *w, const struct bz_span *s) {
    struct told *t = ctx;
    (void)w;
    t->texts++;
    t->text = s->text;
    t->channel = s->channel;
    return BZ_OK;
}

static void on_end(void *ctx, uint64_t channel, uint64_t mask) {
    (void)channel;
    (void)mask;
    ((struct told *)ctx)->ends = true;
}

static void agree(const struct bz_shape *s, const struct bz_route *route, struct bz_view data,
                  struct bz_view text) {
    struct bz_arena ar;
    struct told told = {0};
    struct bz_walk w = {.span = on_span, .channel_end = on_end, .ctx = &told};
    bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
    struct bz_json *root = parse(&ar, data);
    assert_non_null(root);
    assert_int_equal(bz_fields_walk(route, (enum bz_server)0, BZ_WHERE_EVENT, root, &w), BZ_OK);
    assert_int_equal(told.texts, text.n > 0);
    assert_true(bz_view_eq(told.text, text) && !told.ends);
    assert_true(told.texts == 0 || told.channel == s->channel);
    bz_arena_free(&ar);
}

/* Every byte of an event in every value: what still matches is what the parser and the walker see. */
static void test_every_changed_byte(void **state) {
    static const struct {
        const struct bz_route *route;
        const char *data;
    } t[] = {
        {&chat, USUAL},
        {&messages, "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                    "{\"type\":\"text_delta\",\"text\":\" the\"}}"},
        {&ollama, "{\"model\":\"m\",\"created_at\":\"2026-01-01T00:00:00.1Z\",\"message\":"
                  "{\"role\":\"assistant\",\"content\":\"Hi\"},\"done\":false}"},
    };
    size_t matched = 0;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        static struct bz_shapes c;
        uint8_t data[512];
        struct bz_view whole = bz_view_str(t[i].data), text;
        memset(&c, 0, sizeof c);
        learn(&c, t[i].route, "", t[i].data);
        memcpy(data, whole.p, whole.n);
        for (size_t at = 0; at < whole.n; at++) {
            for (unsigned v = 0; v < 256; v++) {
                data[at] = (uint8_t)v;
                struct bz_view changed = bz_view(data, whole.n);
                const struct bz_shape *s =
                    bz_shapes_match(&c, t[i].route, (struct bz_view){NULL, 0}, changed, &text);
                if (s == NULL)
                    continue;
                agree(s, t[i].route, changed, text);
                matched++;
            }
            data[at] = whole.p[at];
        }
    }
    assert_in_range(matched, 1000, 100000);
}

struct outcome {
    uint8_t bytes[4096];
    size_t n;
    enum bz_status st;
    uint32_t events;
    bool done;
};

/* In two pieces. */
static struct outcome fed(const struct bz_route *route, struct bz_view in, size_t cut,
                          struct bz_shapes *shapes) {
    struct outcome ret = {.st = BZ_OK};
    struct bz_stream s;
    struct bz_buf out;
    struct bz_arena ar;
    bz_stream_init(&s, route, false);
    s.shapes = shapes;
    bz_buf_init_fixed(&out, ret.bytes, sizeof ret.bytes);
    bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
    for (int i = 0; i < 2 && ret.st == BZ_OK; i++)
        ret.st =
            bz_stream_feed(&s, bz_view_sub(in, i == 0 ? 0 : cut, i == 0 ? cut : in.n), &ar, &out);
    ret.n = out.n;
    ret.events = s.events;
    ret.done = s.done;
    bz_stream_done(&s);
    bz_arena_free(&ar);
    return ret;
}

#define SAY(text) "data: " CHUNK("c", "1", "0", text, "") "\n\n"
#define LINE(text) "{\"message\":{\"content\":\"" text "\"},\"done\":false}\n"

/* A piece that is one event of a known form takes the short way; no cut may show that. */
static void test_every_cut_is_the_same(void **state) {
    static const struct {
        const struct bz_route *route;
        const char *stream;
    } t[] = {
        {&chat, SAY("a") SAY("b") SAY("c")},
        {&chat, SAY("a") SAY("b\nc") SAY("d")}, /* a line ends within the text */
        {&chat, SAY("a") SAY("b\r") SAY("d")},
        {&chat, SAY("a") SAY("b") "\n" SAY("c")},
        {&chat, SAY("a") ": ping\n\n" SAY("b") "\r\n" SAY("c")},
        {&chat, "\xef\xbb\xbf" SAY("a") "\xef\xbb\xbf" SAY("b")},
        {&chat, SAY("a") "id: 7\n" SAY("b") "event: x\n" SAY("c")},
        {&chat, SAY("a") "data: [DONE]\n\n" SAY("b")},
        {&chat, "data: {\"choices\":[\ndata: {\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n"
                "data: {\"choices\":[\ndata: {\"index\":0,\"delta\":{\"content\":\"b\"}}]}\n\n"},
        {&messages, "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                    "{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n" SAY("b")},
        {&ollama, LINE("a") LINE("b") "\n" LINE("c")},
        {&ollama, LINE("a") LINE("b\n") LINE("c")},
        {&ollama, LINE("a") "{\"message\":{\"content\":\"\"},\"done\":true}\n" LINE("b")},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        static struct bz_shapes c;
        struct bz_view in = bz_view_str(t[i].stream);
        struct outcome want = fed(t[i].route, in, in.n, NULL);
        memset(&c, 0, sizeof c);
        for (size_t cut = 0; cut <= in.n; cut++) {
            struct outcome got = fed(t[i].route, in, cut, &c);
            assert_int_equal(got.st, want.st);
            assert_int_equal(got.events, want.events);
            assert_int_equal(got.done, want.done);
            assert_true(bz_view_eq(bz_view(got.bytes, got.n), bz_view(want.bytes, want.n)));
        }
    }
}

/* A form with a line end in it would match what is no single line. */
static void test_lines_are_not_kept(void **state) {
    static const char *const t[] = {
        "{\"choices\":[{\"index\":0,\n\"delta\":{\"content\":\"a\"}}]}",
        "{\"choices\":[{\"index\":0,\r\"delta\":{\"content\":\"a\"}}]}",
        "{\"choices\":[{\"index\":0, \"delta\":{\"content\":\"a\"}}]}",
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        static struct bz_shapes c;
        struct bz_view text;
        memset(&c, 0, sizeof c);
        learn(&c, &chat, "", t[i]);
        assert_int_equal(match(&c, &chat, "", t[i], &text) != NULL, i == 2);
    }
}

/* The text is looked at in words of eight bytes: every length, and what ends it at every place. */
static void test_text_of_every_length(void **state) {
    static const char ends[] = {'"', '\\', '\n', 0x1f, 0x01, '\x80'};
    static struct bz_shapes c;
    memset(&c, 0, sizeof c);
    learn(&c, &ollama, "", "{\"message\":{\"content\":\"a\"},\"done\":false}");
    for (size_t n = 1; n < 40; n++) {
        for (size_t at = 0; at <= n * sizeof ends; at++) {
            char data[128];
            struct bz_view text;
            int head = snprintf(data, sizeof data, "{\"message\":{\"content\":\"");
            memset(data + head, '~', n);
            if (at > 0)
                data[(size_t)head + (at - 1) / sizeof ends] = ends[(at - 1) % sizeof ends];
            memcpy(data + head + n, "\"},\"done\":false}", 17);
            bool hit = match(&c, &ollama, "", data, &text) != NULL;
            assert_int_equal(hit, at == 0);
            assert_true(!hit || text.n == n);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cut_is_the_same), cmocka_unit_test(test_lines_are_not_kept),
        cmocka_unit_test(test_text_of_every_length),  cmocka_unit_test(test_matches),
        cmocka_unit_test(test_what_is_not_kept),      cmocka_unit_test(test_length_on_both_sides),
        cmocka_unit_test(test_several_forms),         cmocka_unit_test(test_every_changed_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
