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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_what_is_not_kept),
        cmocka_unit_test(test_length_on_both_sides),
        cmocka_unit_test(test_several_forms),
        cmocka_unit_test(test_every_changed_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
