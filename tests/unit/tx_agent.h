/* A request, a call in a whole reply and one in a stream, as each API says them. */
#ifndef BARTIZAN_TESTS_TX_AGENT_H
#define BARTIZAN_TESTS_TX_AGENT_H

#include <string.h>

#include <bartizan/json.h>

#pragma GCC diagnostic ignored "-Wunused-function"
#define CHAT "/v1/chat/completions"

enum form { F_CHAT, F_LEGACY, F_CUSTOM, F_RESPONSES, F_ITEM_CUSTOM, F_MESSAGES, F_OLLAMA, F_COUNT };
enum context { C_NONE, C_TRUSTED, C_UNTRUSTED }; /* a result of `look`, of `fetch` */

static const char *path_of(enum form f) {
    switch ((unsigned)f) {
    case F_RESPONSES:
    case F_ITEM_CUSTOM:
        return "/v1/responses";
    case F_MESSAGES:
        return "/v1/messages";
    case F_OLLAMA:
        return "/api/chat";
    default:
        return CHAT;
    }
}

/* Calls of one tool before: `same` times with these arguments. */
static void put_past(struct bz_buf *b, enum form f, const char *tool, const char *args,
                     unsigned same, const char *result) {
    for (unsigned i = 0; i < same; i++) {
        switch ((unsigned)f) {
        case F_RESPONSES:
        case F_ITEM_CUSTOM:
            bz_buf_printf(
                b,
                ",{\"type\":\"function_call\",\"call_id\":\"p%u\",\"name\":\"%s\",\"arguments\":",
                i, tool);
            bz_json_write_str(b, bz_view_str(args));
            bz_buf_printf(
                b, "},{\"type\":\"function_call_output\",\"call_id\":\"p%u\",\"output\":\"%s\"}", i,
                result);
            break;
        case F_MESSAGES:
            bz_buf_printf(b,
                          ",{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"p%"
                          "u\",\"name\":\"%s\",\"input\":%s}]}",
                          i, tool, args);
            bz_buf_printf(b,
                          ",{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_"
                          "id\":\"p%u\",\"content\":\"%s\"}]}",
                          i, result);
            break;
        case F_OLLAMA:
            bz_buf_printf(b,
                          ",{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"p%"
                          "u\",\"function\":{\"name\":\"%s\",\"arguments\":%s}}]}",
                          i, tool, args);
            bz_buf_printf(b, ",{\"role\":\"tool\",\"tool_call_id\":\"p%u\",\"content\":\"%s\"}", i,
                          result);
            break;
        default:
            bz_buf_printf(b,
                          ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"p%"
                          "u\",\"type\":\"function\",\"function\":{\"name\":\"%s\",\"arguments\":",
                          i, tool);
            bz_json_write_str(b, bz_view_str(args));
            bz_buf_printf(b, "}}]},{\"role\":\"tool\",\"tool_call_id\":\"p%u\",\"content\":\"%s\"}",
                          i, result);
            break;
        }
    }
}

struct asked {
    enum form form;
    bool stream;
    enum context context;
    const char *label;
    const char *past_tool, *past_args; /* NULL: none */
    unsigned past;
};

static void put_request(struct bz_buf *b, const struct asked *q) {
    const char *model = q->form == F_OLLAMA ? "qwen:7b" : "tiny";
    bool items = q->form == F_RESPONSES || q->form == F_ITEM_CUSTOM;
    bz_buf_printf(
        b, "{\"model\":\"%s\",\"stream\":%s,%s\"%s\":[{\"role\":\"user\",\"content\":\"hi\"}",
        model, q->stream ? "true" : "false", q->form == F_MESSAGES ? "\"max_tokens\":99," : "",
        items ? "input" : "messages");
    if (q->context == C_TRUSTED)
        put_past(b, q->form, "look", "{}", 1, "the clock says noon");
    if (q->context == C_UNTRUSTED)
        put_past(b, q->form, "fetch", "{}", 1, "a page from somewhere");
    if (q->past > 0)
        put_past(b, q->form, q->past_tool, q->past_args, q->past, "fine");
    bz_buf_puts(b, "]}");
}

#define SSE(...)                                                                                   \
    do {                                                                                           \
        bz_buf_puts(b, "data: ");                                                                  \
        bz_buf_printf(b, __VA_ARGS__);                                                             \
        bz_buf_puts(b, "\n\n");                                                                    \
    } while (0)

static struct bz_view escaped(struct bz_buf *mem, struct bz_view v) { /* without its quotes */
    bz_buf_reset(mem);
    bz_json_write_str(mem, v);
    return bz_view(mem->p + 1, mem->n - 2);
}
#define E(v) (int)(v).n, (const char *)(v).p

static void put_whole(struct bz_buf *b, enum form f, const char *name, const char *args) {
    struct bz_buf mem, nm;
    bz_buf_init(&mem, 1 << 16);
    bz_buf_init(&nm, 1 << 16);
    struct bz_view a = escaped(&mem, bz_view_str(args)), n = escaped(&nm, bz_view_str(name));
    switch ((unsigned)f) {
    case F_LEGACY:
        bz_buf_printf(b,
                      "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
                      "null,\"function_call\":{\"name\":\"%.*s\",\"arguments\":\"%.*s\"}},\"finish_"
                      "reason\":\"function_call\"}]}",
                      E(n), E(a));
        break;
    case F_CUSTOM:
        bz_buf_printf(b,
                      "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
                      "null,\"tool_calls\":[{\"id\":\"c\",\"type\":\"custom\",\"custom\":{\"name\":"
                      "\"%.*s\",\"input\":\"%.*s\"}}]},\"finish_reason\":\"tool_calls\"}]}",
                      E(n), E(a));
        break;
    case F_RESPONSES:
        bz_buf_printf(
            b,
            "{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"model\":\"tiny\","
            "\"output\":[{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":"
            "\"output_text\",\"text\":\"ok\"}]},{\"type\":\"function_call\",\"id\":\"f\",\"call_"
            "id\":\"c\",\"name\":\"%.*s\",\"arguments\":\"%.*s\",\"status\":\"completed\"}]}",
            E(n), E(a));
        break;
    case F_ITEM_CUSTOM:
        bz_buf_printf(b,
                      "{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"model\":"
                      "\"tiny\",\"output\":[{\"type\":\"custom_tool_call\",\"id\":\"f\",\"call_"
                      "id\":\"c\",\"name\":\"%.*s\",\"input\":\"%.*s\"}]}",
                      E(n), E(a));
        break;
    case F_MESSAGES:
        bz_buf_printf(
            b,
            "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"tiny\","
            "\"content\":[{\"type\":\"text\",\"text\":\"ok\"},{\"type\":\"tool_use\",\"id\":\"c\","
            "\"name\":\"%.*s\",\"input\":%s}],\"stop_reason\":\"tool_use\"}",
            E(n), args);
        break;
    case F_OLLAMA:
        bz_buf_printf(b,
                      "{\"model\":\"qwen:7b\",\"message\":{\"role\":\"assistant\",\"content\":\"\","
                      "\"tool_calls\":[{\"function\":{\"name\":\"%.*s\",\"arguments\":%s}}]},"
                      "\"done\":true,\"done_reason\":\"stop\"}",
                      E(n), args);
        break;
    default:
        bz_buf_printf(
            b,
            "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,"
            "\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"%.*s\","
            "\"arguments\":\"%.*s\"}}]},\"finish_reason\":\"tool_calls\"}]}",
            E(n), E(a));
        break;
    }
    bz_buf_free(&mem);
    bz_buf_free(&nm);
}

/* A call in the pieces that a stream has: its name, its arguments, whole and in two halves. */
struct call_pieces {
    struct bz_view n, a, x, y; /* escaped */
    const char *args;
};

static void stream_responses(struct bz_buf *b, const struct call_pieces *c) {
    SSE("{\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"object\":\"response\","
        "\"status\":\"in_progress\",\"output\":[]}}");
    SSE("{\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":"
        "\"function_call\",\"id\":\"f\",\"call_id\":\"c\",\"name\":\"%.*s\",\"arguments\":\"\"}"
        "}",
        E(c->n));
    SSE("{\"type\":\"response.function_call_arguments.delta\",\"item_id\":\"f\",\"output_"
        "index\":0,\"delta\":\"%.*s\"}",
        E(c->x));
    SSE("{\"type\":\"response.function_call_arguments.delta\",\"item_id\":\"f\",\"output_"
        "index\":0,\"delta\":\"%.*s\"}",
        E(c->y));
    SSE("{\"type\":\"response.function_call_arguments.done\",\"item_id\":\"f\",\"output_"
        "index\":0,\"arguments\":\"%.*s\"}",
        E(c->a));
    SSE("{\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":"
        "\"function_call\",\"id\":\"f\",\"call_id\":\"c\",\"name\":\"%.*s\",\"arguments\":\"%.*"
        "s\"}}",
        E(c->n), E(c->a));
    SSE("{\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"object\":\"response\","
        "\"status\":\"completed\",\"output\":[{\"type\":\"function_call\",\"id\":\"f\",\"call_"
        "id\":\"c\",\"name\":\"%.*s\",\"arguments\":\"%.*s\"}]}}",
        E(c->n), E(c->a));
}

static void stream_item_custom(struct bz_buf *b, const struct call_pieces *c) {
    SSE("{\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":"
        "\"custom_tool_call\",\"id\":\"f\",\"call_id\":\"c\",\"name\":\"%.*s\",\"input\":\"\"}"
        "}",
        E(c->n));
    SSE("{\"type\":\"response.custom_tool_call_input.delta\",\"item_id\":\"f\",\"output_"
        "index\":0,\"delta\":\"%.*s\"}",
        E(c->a));
    SSE("{\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":"
        "\"custom_tool_call\",\"id\":\"f\",\"call_id\":\"c\",\"name\":\"%.*s\",\"input\":\"%.*"
        "s\"}}",
        E(c->n), E(c->a));
    SSE("{\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"object\":\"response\","
        "\"status\":\"completed\",\"output\":[{\"type\":\"custom_tool_call\",\"id\":\"f\","
        "\"call_id\":\"c\",\"name\":\"%.*s\",\"input\":\"%.*s\"}]}}",
        E(c->n), E(c->a));
}

static void stream_messages(struct bz_buf *b, const struct call_pieces *c) {
    SSE("{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":"
        "\"assistant\",\"model\":\"tiny\",\"content\":[],\"usage\":{\"input_tokens\":1,"
        "\"output_tokens\":1}}}");
    SSE("{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\","
        "\"text\":\"\"}}");
    SSE("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","
        "\"text\":\"ok so. \"}}");
    SSE("{\"type\":\"content_block_stop\",\"index\":0}");
    SSE("{\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_"
        "use\",\"id\":\"c\",\"name\":\"%.*s\",\"input\":{}}}",
        E(c->n));
    SSE("{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_"
        "delta\",\"partial_json\":\"%.*s\"}}",
        E(c->x));
    SSE("{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_"
        "delta\",\"partial_json\":\"%.*s\"}}",
        E(c->y));
    SSE("{\"type\":\"content_block_stop\",\"index\":1}");
    SSE("{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{"
        "\"output_tokens\":5}}");
    SSE("{\"type\":\"message_stop\"}");
}

static void stream_ollama(struct bz_buf *b, const struct call_pieces *c) {
    bz_buf_printf(b, "{\"model\":\"qwen:7b\",\"message\":{\"role\":\"assistant\",\"content\":"
                     "\"ok so. \"},\"done\":false}\n");
    bz_buf_printf(
        b,
        "{\"model\":\"qwen:7b\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_"
        "calls\":[{\"function\":{\"name\":\"%.*s\",\"arguments\":%s}}]},\"done\":false}\n",
        E(c->n), c->args);
    bz_buf_printf(b, "{\"model\":\"qwen:7b\",\"message\":{\"role\":\"assistant\",\"content\":"
                     "\"\"},\"done\":true,\"done_reason\":\"stop\"}\n");
}

static void stream_legacy(struct bz_buf *b, const struct call_pieces *c) {
    SSE("{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"function_call\":{"
        "\"name\":\"%.*s\",\"arguments\":\"\"}},\"finish_reason\":null}]}",
        E(c->n));
    SSE("{\"choices\":[{\"index\":0,\"delta\":{\"function_call\":{\"arguments\":\"%.*s\"}},"
        "\"finish_reason\":null}]}",
        E(c->x));
    SSE("{\"choices\":[{\"index\":0,\"delta\":{\"function_call\":{\"arguments\":\"%.*s\"}},"
        "\"finish_reason\":null}]}",
        E(c->y));
    SSE("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"function_call\"}]}");
    SSE("[DONE]");
}

static void stream_custom(struct bz_buf *b, const struct call_pieces *c) {
    SSE("{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\","
        "\"type\":\"custom\",\"custom\":{\"name\":\"%.*s\",\"input\":\"%.*s\"}}]},\"finish_"
        "reason\":null}]}",
        E(c->n), E(c->x));
    SSE("{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"custom\":{"
        "\"input\":\"%.*s\"}}]},\"finish_reason\":null}]}",
        E(c->y));
    SSE("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}");
    SSE("[DONE]");
}

static void stream_chat(struct bz_buf *b, const struct call_pieces *c) {
    SSE("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ok so. "
        "\"},\"finish_reason\":null}]}");
    SSE("{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\","
        "\"type\":\"function\",\"function\":{\"name\":\"%.*s\",\"arguments\":\"\"}}]},\"finish_"
        "reason\":null}]}",
        E(c->n));
    SSE("{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"
        "\"arguments\":\"%.*s\"}}]},\"finish_reason\":null}]}",
        E(c->x));
    SSE("{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"
        "\"arguments\":\"%.*s\"}}]},\"finish_reason\":null}]}",
        E(c->y));
    SSE("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}");
    SSE("[DONE]");
}

/* Arguments in two pieces; text before the call, which always leaves. */
static void put_stream(struct bz_buf *b, enum form f, const char *name, const char *args) {
    static void (*const streams[])(struct bz_buf *, const struct call_pieces *) = {
        [F_RESPONSES] = stream_responses, [F_ITEM_CUSTOM] = stream_item_custom,
        [F_MESSAGES] = stream_messages,   [F_OLLAMA] = stream_ollama,
        [F_LEGACY] = stream_legacy,       [F_CUSTOM] = stream_custom,
    };
    struct bz_buf m1, m2, m3, nm;
    bz_buf_init(&m1, 1 << 16);
    bz_buf_init(&m2, 1 << 16);
    bz_buf_init(&m3, 1 << 16);
    bz_buf_init(&nm, 1 << 16);
    size_t half = strlen(args) / 2;
    struct call_pieces c = {.n = escaped(&nm, bz_view_str(name)),
                            .a = escaped(&m3, bz_view_str(args)),
                            .x = escaped(&m1, bz_view(args, half)),
                            .y = escaped(&m2, bz_view_str(args + half)),
                            .args = args};
    bool known = (size_t)f < sizeof streams / sizeof streams[0] && streams[f] != NULL;
    (known ? streams[f] : stream_chat)(b, &c);
    bz_buf_free(&m1);
    bz_buf_free(&m2);
    bz_buf_free(&m3);
    bz_buf_free(&nm);
}

#endif
