/* Channels: which deltas are pieces of one text, when they end, and what repeats them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <bartizan/fields.h>

enum { EVENTS = 16, CHANNELS = 32 };

struct stream {
    enum bz_api api;
    const char *events[EVENTS];
    /* What becomes of the texts: those of one channel are joined, in the order in which the
     * channels began; [..] is whole text; "." behind one says that it ended before the next event.
     */
    const char *expect;
};

struct channel {
    uint64_t id;
    char text[128];
    bool ended;
};
struct joined {
    struct channel c[CHANNELS];
    size_t n;
};

static void append(struct channel *c, const char *before, struct bz_view text, const char *after) {
    size_t n = strlen(c->text);
    snprintf(c->text + n, sizeof c->text - n, "%s%.*s%s", before, (int)text.n, (const char *)text.p,
             after);
}

static enum bz_status on_span(void *ctx, const struct bz_walk *w, const struct bz_span *s) {
    struct joined *j = ctx;
    size_t i = 0;
    if (s->field->facts)
        return BZ_OK;
    while (s->channel != 0 && i < j->n && (j->c[i].id != s->channel || j->c[i].ended))
        i++;
    if (s->channel == 0)
        i = j->n;
    assert_true(i < CHANNELS);
    if (i == j->n) {
        j->n++;
        j->c[i].id = s->channel;
    }
    append(&j->c[i], s->channel == 0 ? "[" : "", s->text, s->channel == 0 ? "]" : "");
    return BZ_OK;
}

static void on_end(void *ctx, uint64_t channel, uint64_t mask) {
    struct joined *j = ctx;
    for (size_t i = 0; i < j->n; i++) {
        if (j->c[i].id == 0 || j->c[i].ended || (j->c[i].id & mask) != channel)
            continue;
        j->c[i].ended = true;
        append(&j->c[i], "", BZ_V("."), "");
    }
}

static struct bz_param_error err;

static enum bz_status walk(enum bz_api api, const char *event, struct joined *j) {
    struct bz_route r = {.scope = "chat", .api = api};
    struct bz_walk w = {.span = on_span, .channel_end = on_end, .ctx = j, .err = &err};
    struct bz_arena ar;
    struct bz_json *root;
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    if (bz_json_parse(bz_view_str(event), NULL, &ar, &root, NULL) != BZ_OK)
        fail_msg("%s: not JSON", event);
    enum bz_status st = bz_fields_walk(&r, BZ_SERVER_LLAMACPP, BZ_WHERE_EVENT, root, &w);
    bz_arena_free(&ar);
    return st;
}

#define CHOICE(i, delta, end)                                                                      \
    "{\"choices\":[{\"index\":" i ",\"delta\":" delta ",\"finish_reason\":" end "}]}"
#define CALL(i, k, args)                                                                           \
    CHOICE(i, "{\"tool_calls\":[{\"index\":" k ",\"function\":{\"arguments\":\"" args "\"}}]}",    \
           "null")
#define ITEM(type, where, rest) "{\"type\":\"response." type "\"," where "," rest "}"

static const struct stream streams[] = {
    /* Choices are told apart, their members too, and each ends by itself. */
    {BZ_API_CHAT,
     {CHOICE("0", "{\"role\":\"assistant\",\"content\":null}", "null"),
      CHOICE("0", "{\"content\":\"a\"}", "null"), CHOICE("1", "{\"content\":\"x\"}", "null"),
      CHOICE("0", "{\"reasoning\":\"r\",\"reasoning_content\":\"r\"}", "null"),
      CHOICE("0", "{\"content\":\"b\"}", "null"),
      CHOICE("0", "{\"reasoning\":\"s\",\"reasoning_content\":\"s\",\"refusal\":\"n\"}", "null"),
      CHOICE("0", "{}", "\"stop\""), CHOICE("1", "{\"content\":\"y\"}", "null"),
      CHOICE("1", "{\"content\":\"z\"}", "\"length\"")},
     "ab. xyz. rs. rs. n. "},
    /* Tool calls of one choice, interleaved; names are whole. */
    {BZ_API_CHAT,
     {CHOICE("0",
             "{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"f\","
             "\"arguments\":\"\"}}]}",
             "null"),
      CALL("0", "0", "a"), CALL("0", "1", "x"), CALL("1", "0", "q"), CALL("0", "0", "b"),
      CALL("0", "1", "y"), CHOICE("0", "{\"function_call\":{\"arguments\":\"old\"}}", "null"),
      CHOICE("0", "{}", "\"tool_calls\"")},
     "[c1] [f] ab. xy. q old. "},
    /* Two calls in one event without numbers: by position. Custom tools have their own. */
    {BZ_API_CHAT,
     {"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"arguments\":\"a\"}},{\"custom\":{"
      "\"input\":\"b\"}}]}},{\"delta\":{\"content\":\"c\"}}]}",
      "{\"choices\":[]}"},
     "a b c "},
    /* Thoughts among the parts of a content; arguments that are no text. */
    {BZ_API_CHAT,
     {CHOICE("0",
             "{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":"
             "\"t\"}]},{\"type\":\"text\",\"text\":\"a\"}]}",
             "null"),
      CHOICE("0", "{\"content\":[{\"type\":\"text\",\"text\":\"b\"}]}", "null"),
      CHOICE("0", "{\"tool_calls\":[{\"function\":{\"arguments\":{\"k\":\"v\"}}}]}", "null")},
     "t ab [k] [v] "},
    /* A call's number holds for the call alone. */
    {BZ_API_CHAT,
     {CHOICE("1",
             "{\"tool_calls\":[{\"index\":3,\"function\":{\"arguments\":\"x\"}}],\"content\":"
             "\"a\"}",
             "null"),
      CHOICE("1", "{\"content\":\"b\"}", "null"), CALL("1", "3", "y"), CALL("1", "0", "z")},
     "xy ab z "},
    {BZ_API_COMPLETIONS,
     {"{\"choices\":[{\"index\":2,\"text\":\"a\",\"finish_reason\":null}]}",
      "{\"choices\":[{\"text\":\"x\",\"index\":0,\"finish_reason\":\"stop\"},{\"text\":\"b\","
      "\"index\":2}]}"},
     "ab x. "},
    /* Blocks by index; what a block starts with is its first piece; message_stop ends all. */
    {BZ_API_MESSAGES,
     {"{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":"
      "\"a\"}}",
      "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":"
      "\"b\"}}",
      "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"thinking_delta\","
      "\"thinking\":\"t\"}}",
      "{\"type\":\"content_block_stop\",\"index\":0}",
      "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"thinking_delta\","
      "\"thinking\":\"u\"}}",
      "{\"index\":2,\"type\":\"content_block_delta\",\"delta\":{\"partial_json\":\"{\",\"type\":"
      "\"input_json_delta\"}}",
      "{\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\","
      "\"partial_json\":\"}\"}}",
      "{\"type\":\"message_stop\"}"},
     "ab. tu. {}. "},
    /* Items by number; the done texts are whole and end their channel. */
    {BZ_API_RESPONSES,
     {ITEM("output_text.delta", "\"output_index\":1,\"content_index\":0", "\"delta\":\"a\""),
      ITEM("output_text.delta", "\"output_index\":1,\"content_index\":1", "\"delta\":\"x\""),
      ITEM("reasoning_summary_text.delta", "\"output_index\":0,\"summary_index\":0",
           "\"delta\":\"s\""),
      ITEM("output_text.delta", "\"output_index\":1,\"content_index\":0", "\"delta\":\"b\""),
      ITEM("output_text.done", "\"output_index\":1,\"content_index\":0", "\"text\":\"ab\""),
      ITEM("function_call_arguments.delta", "\"output_index\":2", "\"delta\":\"{\""),
      ITEM("function_call_arguments.delta", "\"item_id\":\"i\",\"output_index\":2",
           "\"delta\":\"}\""),
      ITEM("output_item.done", "\"output_index\":1", "\"item\":{\"type\":\"message\"}"),
      ITEM("function_call_arguments.done", "\"output_index\":2", "\"arguments\":\"{}\""),
      ITEM("completed", "\"sequence_number\":1", "\"response\":{}")},
     "ab. x. s. [ab] {}. [{}] "},
    /* Summaries of one item by their own number. */
    {BZ_API_RESPONSES,
     {ITEM("reasoning_summary_text.delta", "\"output_index\":0,\"summary_index\":0",
           "\"delta\":\"a\""),
      ITEM("reasoning_summary_text.delta", "\"output_index\":0,\"summary_index\":1",
           "\"delta\":\"x\""),
      ITEM("reasoning_summary_text.done", "\"output_index\":0,\"summary_index\":0",
           "\"text\":\"a\""),
      ITEM("reasoning_summary_text.delta", "\"output_index\":0,\"summary_index\":1",
           "\"delta\":\"y\"")},
     "a. xy [a] "},
    /* llama.cpp: by name alone. */
    {BZ_API_RESPONSES,
     {ITEM("reasoning_text.delta", "\"item_id\":\"rs\"", "\"delta\":\"r\""),
      ITEM("output_text.delta", "\"item_id\":\"m1\"", "\"delta\":\"a\""),
      ITEM("output_text.delta", "\"item_id\":\"m2\"", "\"delta\":\"x\""),
      ITEM("output_text.delta", "\"item_id\":\"m1\"", "\"delta\":\"b\""),
      ITEM("content_part.done", "\"item_id\":\"m1\"", "\"part\":{\"text\":\"ab\"}"),
      "{\"type\":\"response.output_item.done\",\"item\":{\"id\":\"m2\",\"content\":[{\"text\":"
      "\"x\"}"
      "]}}",
      "{\"type\":\"response.incomplete\",\"response\":{}}"},
     "r. ab. x. [ab] [m2] [x] "},
    {BZ_API_OLLAMA_CHAT,
     {"{\"message\":{\"role\":\"assistant\",\"content\":\"a\"},\"done\":false}",
      "{\"message\":{\"content\":\"\",\"thinking\":\"t\",\"tool_calls\":[{\"function\":{\"name\":"
      "\"f\",\"arguments\":{\"k\":\"v\"}}}]},\"done\":false}",
      "{\"message\":{\"content\":\"b\"},\"done\":true}"},
     "ab. t. [f] [k] [v] "},
    {BZ_API_OLLAMA_GENERATE,
     {"{\"response\":\"a\",\"done\":false}", "{\"thinking\":\"t\",\"response\":\"\"}",
      "{\"response\":\"b\",\"done\":true}"},
     "ab. t. "},
    /* Prompts of a list by index; each ends by itself. */
    {BZ_API_LLAMA_COMPLETION,
     {"{\"index\":0,\"content\":\"a\",\"stop\":false}", "{\"index\":1,\"content\":\"x\"}",
      "{\"index\":0,\"content\":\"b\",\"stop\":true}", "{\"index\":1,\"content\":\"y\"}"},
     "ab. xy "},
};

static void pieces_come_together(void **state) {
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        struct joined j = {.n = 0};
        char out[1024] = "";
        for (size_t k = 0; k < EVENTS && streams[i].events[k] != NULL; k++) {
            if (walk(streams[i].api, streams[i].events[k], &j) != BZ_OK)
                fail_msg("%s: %s", streams[i].events[k], err.param);
        }
        for (size_t k = 0; k < j.n; k++)
            snprintf(out + strlen(out), sizeof out - strlen(out), "%s ", j.c[k].text);
        if (strcmp(out, streams[i].expect) != 0)
            fail_msg("stream %zu: %s, not %s", i, out, streams[i].expect);
    }
}

static const struct {
    enum bz_api api;
    const char *event, *param;
} odd[] = {
    {BZ_API_CHAT, CHOICE("-1", "{\"content\":\"a\"}", "null"), "choices[0]"},
    {BZ_API_CHAT, CHOICE("\"0\"", "{\"content\":\"a\"}", "null"), "choices[0]"},
    {BZ_API_CHAT, CHOICE("0.5", "{\"content\":\"a\"}", "null"), "choices[0]"},
    {BZ_API_CHAT, CHOICE("268435456", "{\"content\":\"a\"}", "null"), "choices[0]"},
    {BZ_API_CHAT, CHOICE("[0]", "{\"content\":\"a\"}", "null"), "choices[0]"},
    {BZ_API_CHAT, CALL("0", "true", "a"), "choices[0].delta.tool_calls[0]"},
    {BZ_API_MESSAGES, "{\"type\":\"content_block_stop\",\"index\":{}}", ""},
    {BZ_API_RESPONSES, ITEM("output_text.delta", "\"output_index\":1e9", "\"delta\":\"a\""), ""},
    /* A delta of a type that nobody knows is no text of a known channel. */
    {BZ_API_RESPONSES, ITEM("new_thing.delta", "\"output_index\":1", "\"delta\":\"a\""), "delta"},
    {BZ_API_RESPONSES, "{\"delta\":\"a\"}", "delta"},
    {BZ_API_CHAT, "{\"choices\":[{\"delta\":{\"new\":\"a\"}}]}", "choices[0].delta.new"},
    {BZ_API_CHAT, "\"text\"", ""},
};

static void odd_events_are_refused(void **state) {
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct joined j = {.n = 0};
        if (walk(odd[i].api, odd[i].event, &j) != BZ_EDENIED)
            fail_msg("%s passes", odd[i].event);
        assert_string_equal(err.param, odd[i].param);
    }
    struct joined j = {.n = 0};
    assert_int_equal(walk(BZ_API_CHAT, CHOICE("268435455", "{\"content\":\"a\"}", "null"), &j),
                     BZ_OK);
}

/* ---- repeats ---- */

static const struct {
    enum bz_api api;
    uint64_t channel;
    const char *before, *after;
} repeats[] = {
    {BZ_API_CHAT, 0,
     "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"logprobs\":{\"content\":[{"
     "\"token\":"
     "\"a\"}]},\"token_ids\":[1]}],\"prompt_token_ids\":[1]}",
     "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"logprobs\":null,\"token_ids\":"
     "null}"
     "],\"prompt_token_ids\":null}"},
    /* Of the one choice only. */
    {BZ_API_CHAT, UINT64_C(1) << 56 | 1 << 28,
     "{\"choices\":[{\"index\":0,\"logprobs\":{\"a\":1}},{\"index\":1,\"logprobs\":{\"a\":1}}]}",
     "{\"choices\":[{\"index\":0,\"logprobs\":{\"a\":1}},{\"index\":1,\"logprobs\":null}]}"},
    {BZ_API_LLAMA_COMPLETION, UINT64_C(1) << 56,
     "{\"content\":\"a\",\"tokens\":[1,2],\"completion_probabilities\":[{\"token\":\"a\"}],"
     "\"index\":"
     "0}",
     "{\"content\":\"a\",\"tokens\":[],\"completion_probabilities\":[],\"index\":0}"},
    {BZ_API_RESPONSES, UINT64_C(1) << 56 | 3 << 28,
     "{\"type\":\"response.output_text.delta\",\"output_index\":3,\"delta\":\"a\",\"logprobs\":[{"
     "\"token\":\"a\"}]}",
     "{\"type\":\"response.output_text.delta\",\"output_index\":3,\"delta\":\"a\",\"logprobs\":[]"
     "}"},
    {BZ_API_RESPONSES, 0,
     "{\"type\":\"response.completed\",\"response\":{\"output\":[{\"content\":[{\"text\":\"a\","
     "\"logprobs\":[1]}]}]}}",
     "{\"type\":\"response.completed\",\"response\":{\"output\":[{\"content\":[{\"text\":\"a\","
     "\"logprobs\":[]}]}]}}"},
    {BZ_API_OLLAMA_GENERATE, 0,
     "{\"response\":\"a\",\"context\":[1],\"logprobs\":[{\"token\":\"a\"}]}",
     "{\"response\":\"a\",\"context\":[],\"logprobs\":[]}"},
    {BZ_API_CHAT, 0, "{\"choices\":[{\"logprobs\":null}],\"new\":{\"logprobs\":1}}",
     "{\"choices\":[{\"logprobs\":null}],\"new\":{\"logprobs\":1}}"},
};

static void repeats_are_cleared(void **state) {
    for (size_t i = 0; i < sizeof repeats / sizeof repeats[0]; i++) {
        struct bz_route r = {.scope = "chat", .api = repeats[i].api};
        struct bz_arena ar;
        struct bz_json *root;
        struct bz_buf b;
        char out[1024];
        bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
        assert_int_equal(bz_json_parse(bz_view_str(repeats[i].before), NULL, &ar, &root, NULL),
                         BZ_OK);
        bz_fields_clear_repeats(&r, BZ_SERVER_VLLM, BZ_WHERE_EVENT, root, repeats[i].channel);
        bz_buf_init_fixed(&b, out, sizeof out - 1);
        bz_json_write(&b, root);
        out[b.n] = '\0';
        assert_string_equal(out, repeats[i].after);
        bz_arena_free(&ar);
    }
    struct bz_route r = {.scope = "chat", .api = BZ_API_RERANK};
    bz_fields_clear_repeats(&r, BZ_SERVER_VLLM, BZ_WHERE_EVENT, NULL, 0);
}

/* ---- edits ---- */

static enum bz_status set_all(void *ctx, const struct bz_walk *w, const struct bz_span *s) {
    bz_span_set(s, BZ_V("new \"x\""));
    return BZ_OK;
}

/* Text, keys and numbers are replaced, and written with what has to be escaped. */
static void texts_are_replaced(void **state) {
    struct bz_route r = {.scope = "chat", .api = BZ_API_MESSAGES};
    struct bz_walk w = {.span = set_all};
    struct bz_arena ar;
    struct bz_json *root;
    struct bz_buf b;
    char out[256];
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    assert_int_equal(
        bz_json_parse(BZ_V("{\"content\":[{\"type\":\"tool_use\",\"id\":\"a\",\"input\":{"
                           "\"k\":12}},{\"type\":\"text\",\"text\":\"b\"}]}"),
                      NULL, &ar, &root, NULL),
        BZ_OK);
    assert_int_equal(bz_fields_walk(&r, BZ_SERVER_LLAMACPP, BZ_WHERE_REPLY, root, &w), BZ_OK);
    bz_buf_init_fixed(&b, out, sizeof out - 1);
    bz_json_write(&b, root);
    out[b.n] = '\0';
    assert_string_equal(out,
                        "{\"content\":[{\"type\":\"tool_use\",\"id\":\"new \\\"x\\\"\",\"input\":{"
                        "\"new \\\"x\\\"\":\"new \\\"x\\\"\"}},{\"type\":\"text\",\"text\":\"new "
                        "\\\"x\\\"\"}]}");
    bz_arena_free(&ar);
}

/* What calls itself an image and is none was never checked: it is text. */
static void media_of_answers_is_looked_at(void **state) {
    static const struct {
        const char *event, *expect;
    } rows[] = {
        {"{\"choices\":[{\"delta\":{\"images\":[{\"image_url\":{\"url\":\"data:image/"
         "png;base64,iVBORw0="
         "\"}}]}}]}",
         ""},
        {"{\"choices\":[{\"delta\":{\"images\":[{\"image_url\":{\"url\":\"http://h/?q=a b\"}}]}}]}",
         "[http://h/?q=a b]"},
        {"{\"choices\":[{\"delta\":{\"images\":[{\"image_url\":\"data:no comma\"}]}}]}",
         "[data:no comma]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct joined j = {.n = 0};
        assert_int_equal(walk(BZ_API_CHAT, rows[i].event, &j), BZ_OK);
        assert_string_equal(j.c[0].text, rows[i].expect);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_come_together),          cmocka_unit_test(odd_events_are_refused),
        cmocka_unit_test(repeats_are_cleared),           cmocka_unit_test(texts_are_replaced),
        cmocka_unit_test(media_of_answers_is_looked_at),
    };
    return cmocka_run_group_tests_name("fields_streams", tests, NULL, NULL);
}
