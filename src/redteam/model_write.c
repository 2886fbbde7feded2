/* A reply in each dialect, whole or as a stream cut into deltas. */
#include "red_int.h"

static void kv(struct bz_jw *w, const char *k, const char *v) {
    bz_jw_kstr(w, k, bz_view_str(v));
}

/* The next delta of a text: `cut` characters; 255: 1 to 7; 0: all of it. */
static struct bz_view delta(struct bz_view *rest, uint8_t cut, struct bz_red_rng *r) {
    size_t n = cut == 0 ? SIZE_MAX : cut == 255 ? 1 + bz_red_below(r, 7) : cut, at = 0;
    uint32_t cp = 0;
    while (n-- > 0 && at < rest->n) {
        size_t k = bz_utf8_next(bz_view_sub(*rest, at, rest->n), &cp);
        at += k == 0 ? 1 : k;
    }
    struct bz_view v = bz_view_sub(*rest, 0, at);
    *rest = bz_view_sub(*rest, at, rest->n);
    return v;
}

struct writing {
    struct bz_buf *out;
    const struct red_say *s;
    struct bz_red_rng r;
    struct bz_buf line; /* one event */
    struct bz_jw w;
    unsigned events;
};

static void begin(struct writing *x) {
    bz_buf_reset(&x->line);
    bz_jw_init(&x->w, &x->line);
    bz_jw_obj(&x->w);
}

static void end(struct writing *x, const char *name) {
    bz_jw_end(&x->w);
    if (name != NULL) {
        if (name[0] != '\0')
            bz_buf_printf(x->out, "event: %s\n", name);
        bz_buf_puts(x->out, "data: ");
    }
    bz_buf_put(x->out, bz_buf_view(&x->line));
    bz_buf_puts(x->out, name != NULL ? "\n\n" : "\n");
    if (bz_buf_status(&x->line) != BZ_OK && x->out->st == BZ_OK)
        x->out->st = bz_buf_status(&x->line);
    x->events++;
}

static const char *finish(const struct red_say *s, const char *plain, const char *called) {
    return s->call.n > 0 || s->legacy.n > 0 ? called : plain;
}

/* The calls of a reply, one after the other. */
struct one_call {
    struct bz_view name, arguments;
};

static unsigned calls_of(const struct red_say *s, struct one_call out[2]) {
    unsigned n = 0;
    if (s->call.n > 0)
        out[n++] = (struct one_call){s->call, s->arguments};
    if (s->second.n > 0)
        out[n++] = (struct one_call){s->second, s->second_arguments};
    return n;
}

/* ---- OpenAI chat ---- */

static void openai_usage(struct bz_jw *w) {
    bz_jw_key(w, "usage");
    bz_jw_raw(w, BZ_V("{\"prompt_tokens\":20,\"completion_tokens\":10,\"total_tokens\":30}"));
}

static void openai_call(struct bz_jw *w, const struct one_call *c, unsigned i, bool streamed) {
    bz_jw_obj(w);
    if (streamed)
        bz_jw_ku64(w, "index", i);
    kv(w, "id", i == 0 ? "call_a1" : "call_a2");
    kv(w, "type", "function");
    bz_jw_key(w, "function");
    bz_jw_obj(w);
    bz_jw_kstr(w, "name", c->name);
    bz_jw_kstr(w, "arguments", streamed ? BZ_V("") : c->arguments);
    bz_jw_end(w);
    bz_jw_end(w);
}

static void openai_whole(struct writing *x) {
    struct bz_jw *w = &x->w;
    struct one_call c[2];
    unsigned n = calls_of(x->s, c);
    begin(x);
    kv(w, "id", "chatcmpl-1");
    kv(w, "object", "chat.completion");
    bz_jw_ku64(w, "created", 1);
    kv(w, "model", "m");
    bz_jw_key(w, "choices");
    bz_jw_arr(w);
    bz_jw_obj(w);
    bz_jw_ku64(w, "index", 0);
    bz_jw_key(w, "message");
    bz_jw_obj(w);
    kv(w, "role", "assistant");
    bz_jw_kstr(w, "content", x->s->text);
    if (x->s->reasoning.n > 0)
        bz_jw_kstr(w, "reasoning_content", x->s->reasoning);
    if (x->s->legacy.n > 0) {
        bz_jw_key(w, "function_call");
        bz_jw_obj(w);
        bz_jw_kstr(w, "name", x->s->legacy);
        bz_jw_kstr(w, "arguments", x->s->legacy_arguments);
        bz_jw_end(w);
    } else if (n > 0) {
        bz_jw_key(w, "tool_calls");
        bz_jw_arr(w);
        for (unsigned i = 0; i < n; i++)
            openai_call(w, &c[i], i, false);
        bz_jw_end(w);
    }
    bz_jw_end(w);
    kv(w, "finish_reason", finish(x->s, "stop", "tool_calls"));
    bz_jw_end(w);
    bz_jw_end(w);
    openai_usage(w);
    bz_jw_end(w);
    bz_buf_put(x->out, bz_buf_view(&x->line));
}

static struct bz_jw *openai_open(struct writing *x) {
    struct bz_jw *w = &x->w;
    begin(x);
    kv(w, "id", "chatcmpl-1");
    kv(w, "object", "chat.completion.chunk");
    bz_jw_ku64(w, "created", 1);
    kv(w, "model", "m");
    bz_jw_key(w, "choices");
    bz_jw_arr(w);
    bz_jw_obj(w);
    bz_jw_ku64(w, "index", 0);
    bz_jw_key(w, "delta");
    bz_jw_obj(w);
    return w;
}

static void openai_close(struct writing *x, const char *reason) {
    struct bz_jw *w = &x->w;
    bz_jw_end(w);
    bz_jw_key(w, "finish_reason");
    if (reason == NULL)
        bz_jw_null(w);
    else
        bz_jw_str(w, bz_view_str(reason));
    bz_jw_end(w);
    bz_jw_end(w);
    end(x, "");
}

static void openai_texts(struct writing *x, const char *member, struct bz_view text) {
    for (struct bz_view rest = text; rest.n > 0;) {
        bz_jw_kstr(openai_open(x), member, delta(&rest, x->s->cut, &x->r));
        openai_close(x, NULL);
    }
}

static void openai_arguments(struct writing *x, struct bz_view text, const char *list, unsigned i) {
    for (struct bz_view rest = text; rest.n > 0;) {
        struct bz_jw *w = openai_open(x);
        bz_jw_key(w, list);
        if (i < 2) {
            bz_jw_arr(w);
            bz_jw_obj(w);
            bz_jw_ku64(w, "index", i);
            bz_jw_key(w, "function");
        }
        bz_jw_obj(w);
        bz_jw_kstr(w, "arguments", delta(&rest, x->s->cut, &x->r));
        bz_jw_end(w);
        if (i < 2) {
            bz_jw_end(w);
            bz_jw_end(w);
        }
        openai_close(x, NULL);
    }
}

static void openai_stream(struct writing *x) {
    struct one_call c[2];
    unsigned n = calls_of(x->s, c);
    kv(openai_open(x), "role", "assistant");
    openai_close(x, NULL);
    openai_texts(x, "reasoning_content", x->s->reasoning);
    openai_texts(x, "content", x->s->text);
    if (x->s->legacy.n > 0) {
        struct bz_jw *w = openai_open(x);
        bz_jw_key(w, "function_call");
        bz_jw_obj(w);
        bz_jw_kstr(w, "name", x->s->legacy);
        kv(w, "arguments", "");
        bz_jw_end(w);
        openai_close(x, NULL);
        openai_arguments(x, x->s->legacy_arguments, "function_call", 2);
        n = 0;
    }
    for (unsigned i = 0; i < n; i++) {
        struct bz_jw *w = openai_open(x);
        bz_jw_key(w, "tool_calls");
        bz_jw_arr(w);
        openai_call(w, &c[i], i, true);
        bz_jw_end(w);
        openai_close(x, NULL);
        openai_arguments(x, c[i].arguments, "tool_calls", i);
    }
    (void)openai_open(x);
    openai_close(x, finish(x->s, "stop", "tool_calls"));
    bz_buf_puts(x->out, "data: [DONE]\n\n");
}

/* ---- Anthropic Messages ---- */

static void anthropic_head(struct bz_jw *w) {
    kv(w, "id", "msg_1");
    kv(w, "type", "message");
    kv(w, "role", "assistant");
    kv(w, "model", "m");
}

static void anthropic_text(struct bz_jw *w, const char *type, const char *member,
                           struct bz_view v) {
    bz_jw_obj(w);
    kv(w, "type", type);
    bz_jw_kstr(w, member, v);
    if (strcmp(type, "thinking") == 0)
        kv(w, "signature", "");
    bz_jw_end(w);
}

static void anthropic_call(struct bz_jw *w, const struct one_call *c, unsigned i, bool streamed) {
    bz_jw_obj(w);
    kv(w, "type", "tool_use");
    kv(w, "id", i == 0 ? "toolu_a1" : "toolu_a2");
    bz_jw_kstr(w, "name", c->name);
    bz_jw_key(w, "input");
    bz_jw_raw(w, streamed ? BZ_V("{}") : c->arguments);
    bz_jw_end(w);
}

static void anthropic_whole(struct writing *x) {
    struct bz_jw *w = &x->w;
    struct one_call c[2];
    unsigned n = calls_of(x->s, c);
    begin(x);
    anthropic_head(w);
    bz_jw_key(w, "content");
    bz_jw_arr(w);
    if (x->s->reasoning.n > 0)
        anthropic_text(w, "thinking", "thinking", x->s->reasoning);
    if (x->s->text.n > 0 || n == 0)
        anthropic_text(w, "text", "text", x->s->text);
    for (unsigned i = 0; i < n; i++)
        anthropic_call(w, &c[i], i, false);
    bz_jw_end(w);
    kv(w, "stop_reason", finish(x->s, "end_turn", "tool_use"));
    bz_jw_key(w, "stop_sequence");
    bz_jw_null(w);
    bz_jw_key(w, "usage");
    bz_jw_raw(w, BZ_V("{\"input_tokens\":20,\"output_tokens\":10}"));
    bz_jw_end(w);
    bz_buf_put(x->out, bz_buf_view(&x->line));
}

static struct bz_jw *anthropic_open(struct writing *x, const char *type, unsigned index) {
    begin(x);
    kv(&x->w, "type", type);
    bz_jw_ku64(&x->w, "index", index);
    return &x->w;
}

/* One block: its start, its deltas, its end. */
static void anthropic_block(struct writing *x, unsigned index, const char *type, const char *kind,
                            const char *member, struct bz_view text) {
    struct bz_jw *w = anthropic_open(x, "content_block_start", index);
    bz_jw_key(w, "content_block");
    anthropic_text(w, type, member, BZ_V(""));
    end(x, "content_block_start");
    for (struct bz_view rest = text; rest.n > 0;) {
        w = anthropic_open(x, "content_block_delta", index);
        bz_jw_key(w, "delta");
        bz_jw_obj(w);
        kv(w, "type", kind);
        bz_jw_kstr(w, member, delta(&rest, x->s->cut, &x->r));
        bz_jw_end(w);
        end(x, "content_block_delta");
    }
    (void)anthropic_open(x, "content_block_stop", index);
    end(x, "content_block_stop");
}

static void anthropic_call_block(struct writing *x, unsigned index, const struct one_call *c,
                                 unsigned i) {
    struct bz_jw *w = anthropic_open(x, "content_block_start", index);
    bz_jw_key(w, "content_block");
    anthropic_call(w, c, i, true);
    end(x, "content_block_start");
    for (struct bz_view rest = c->arguments; rest.n > 0;) {
        w = anthropic_open(x, "content_block_delta", index);
        bz_jw_key(w, "delta");
        bz_jw_obj(w);
        kv(w, "type", "input_json_delta");
        bz_jw_kstr(w, "partial_json", delta(&rest, x->s->cut, &x->r));
        bz_jw_end(w);
        end(x, "content_block_delta");
    }
    (void)anthropic_open(x, "content_block_stop", index);
    end(x, "content_block_stop");
}

static void anthropic_stream(struct writing *x) {
    struct bz_jw *w = &x->w;
    struct one_call c[2];
    unsigned n = calls_of(x->s, c), index = 0;
    begin(x);
    kv(w, "type", "message_start");
    bz_jw_key(w, "message");
    bz_jw_obj(w);
    anthropic_head(w);
    bz_jw_key(w, "content");
    bz_jw_raw(w, BZ_V("[]"));
    bz_jw_key(w, "stop_reason");
    bz_jw_null(w);
    bz_jw_key(w, "stop_sequence");
    bz_jw_null(w);
    bz_jw_key(w, "usage");
    bz_jw_raw(w, BZ_V("{\"input_tokens\":20,\"output_tokens\":1}"));
    bz_jw_end(w);
    end(x, "message_start");
    if (x->s->reasoning.n > 0)
        anthropic_block(x, index++, "thinking", "thinking_delta", "thinking", x->s->reasoning);
    if (x->s->text.n > 0 || n == 0)
        anthropic_block(x, index++, "text", "text_delta", "text", x->s->text);
    for (unsigned i = 0; i < n; i++)
        anthropic_call_block(x, index++, &c[i], i);
    begin(x);
    kv(w, "type", "message_delta");
    bz_jw_key(w, "delta");
    bz_jw_obj(w);
    kv(w, "stop_reason", finish(x->s, "end_turn", "tool_use"));
    bz_jw_key(w, "stop_sequence");
    bz_jw_null(w);
    bz_jw_end(w);
    bz_jw_key(w, "usage");
    bz_jw_raw(w, BZ_V("{\"output_tokens\":10}"));
    end(x, "message_delta");
    begin(x);
    kv(w, "type", "message_stop");
    end(x, "message_stop");
}

/* ---- Ollama ---- */

static void ollama_event(struct writing *x, const char *member, struct bz_view text,
                         const struct one_call *c, unsigned n, bool done) {
    struct bz_jw *w = &x->w;
    begin(x);
    kv(w, "model", "m");
    kv(w, "created_at", "2026-11-01T10:00:00.000000Z");
    bz_jw_key(w, "message");
    bz_jw_obj(w);
    kv(w, "role", "assistant");
    if (member == NULL || strcmp(member, "content") != 0)
        kv(w, "content", "");
    if (member != NULL)
        bz_jw_kstr(w, member, text);
    if (n > 0) {
        bz_jw_key(w, "tool_calls");
        bz_jw_arr(w);
        for (unsigned i = 0; i < n; i++) {
            bz_jw_obj(w);
            bz_jw_key(w, "function");
            bz_jw_obj(w);
            bz_jw_kstr(w, "name", c[i].name);
            bz_jw_key(w, "arguments");
            bz_jw_raw(w, c[i].arguments);
            bz_jw_end(w);
            bz_jw_end(w);
        }
        bz_jw_end(w);
    }
    bz_jw_end(w);
    if (done) {
        kv(w, "done_reason", "stop");
        bz_jw_kbool(w, "done", true);
        bz_jw_ku64(w, "total_duration", 1000);
        bz_jw_ku64(w, "prompt_eval_count", 20);
        bz_jw_ku64(w, "eval_count", 10);
    } else {
        bz_jw_kbool(w, "done", false);
    }
    end(x, NULL);
}

static void ollama_stream(struct writing *x) {
    struct one_call c[2];
    unsigned n = calls_of(x->s, c);
    for (struct bz_view rest = x->s->reasoning; rest.n > 0;)
        ollama_event(x, "thinking", delta(&rest, x->s->cut, &x->r), NULL, 0, false);
    for (struct bz_view rest = x->s->text; rest.n > 0;)
        ollama_event(x, "content", delta(&rest, x->s->cut, &x->r), NULL, 0, false);
    for (unsigned i = 0; i < n; i++)
        ollama_event(x, NULL, BZ_V(""), &c[i], 1, false);
    ollama_event(x, NULL, BZ_V(""), NULL, 0, true);
}

static void ollama_whole(struct writing *x) {
    struct bz_jw *w = &x->w;
    struct one_call c[2];
    unsigned n = calls_of(x->s, c);
    if (x->s->reasoning.n == 0) {
        ollama_event(x, "content", x->s->text, c, n, true);
        return;
    }
    begin(x);
    kv(w, "model", "m");
    kv(w, "created_at", "2026-11-01T10:00:00.000000Z");
    bz_jw_key(w, "message");
    bz_jw_obj(w);
    kv(w, "role", "assistant");
    bz_jw_kstr(w, "content", x->s->text);
    bz_jw_kstr(w, "thinking", x->s->reasoning);
    bz_jw_end(w);
    kv(w, "done_reason", "stop");
    bz_jw_kbool(w, "done", true);
    bz_jw_ku64(w, "prompt_eval_count", 20);
    bz_jw_ku64(w, "eval_count", 10);
    end(x, NULL);
}

/* ---- OpenAI Responses ---- */

static void responses_text(struct bz_jw *w, struct bz_view text, const char *status) {
    bz_jw_obj(w);
    kv(w, "id", "msg_1");
    kv(w, "type", "message");
    kv(w, "status", status);
    kv(w, "role", "assistant");
    bz_jw_key(w, "content");
    bz_jw_arr(w);
    if (strcmp(status, "completed") == 0) {
        bz_jw_obj(w);
        kv(w, "type", "output_text");
        bz_jw_kstr(w, "text", text);
        bz_jw_key(w, "annotations");
        bz_jw_raw(w, BZ_V("[]"));
        bz_jw_end(w);
    }
    bz_jw_end(w);
    bz_jw_end(w);
}

static void responses_reasoning(struct bz_jw *w, struct bz_view text) {
    bz_jw_obj(w);
    kv(w, "id", "rs_1");
    kv(w, "type", "reasoning");
    bz_jw_key(w, "summary");
    bz_jw_arr(w);
    bz_jw_obj(w);
    kv(w, "type", "summary_text");
    bz_jw_kstr(w, "text", text);
    bz_jw_end(w);
    bz_jw_end(w);
    bz_jw_end(w);
}

static void responses_call(struct bz_jw *w, const struct one_call *c, unsigned i, bool begins) {
    bz_jw_obj(w);
    kv(w, "id", i == 0 ? "fc_1" : "fc_2");
    kv(w, "type", "function_call");
    kv(w, "status", begins ? "in_progress" : "completed");
    kv(w, "call_id", i == 0 ? "call_a1" : "call_a2");
    bz_jw_kstr(w, "name", c->name);
    bz_jw_kstr(w, "arguments", begins ? BZ_V("") : c->arguments);
    bz_jw_end(w);
}

static void responses_object(struct writing *x, const char *status, bool with_output) {
    struct bz_jw *w = &x->w;
    struct one_call c[2];
    unsigned n = calls_of(x->s, c);
    kv(w, "id", "resp_1");
    kv(w, "object", "response");
    bz_jw_ku64(w, "created_at", 1);
    kv(w, "model", "m");
    kv(w, "status", status);
    bz_jw_key(w, "output");
    bz_jw_arr(w);
    if (with_output) {
        if (x->s->reasoning.n > 0)
            responses_reasoning(w, x->s->reasoning);
        responses_text(w, x->s->text, "completed");
        for (unsigned i = 0; i < n; i++)
            responses_call(w, &c[i], i, false);
    }
    bz_jw_end(w);
    if (with_output) {
        bz_jw_key(w, "usage");
        bz_jw_raw(w, BZ_V("{\"input_tokens\":20,\"output_tokens\":10,\"total_tokens\":30}"));
    }
}

static void responses_whole(struct writing *x) {
    begin(x);
    responses_object(x, "completed", true);
    bz_jw_end(&x->w);
    bz_buf_put(x->out, bz_buf_view(&x->line));
}

static struct bz_jw *responses_open(struct writing *x, const char *type) {
    begin(x);
    kv(&x->w, "type", type);
    bz_jw_ku64(&x->w, "sequence_number", x->events);
    return &x->w;
}

static void responses_life(struct writing *x, const char *type, const char *status, bool output) {
    struct bz_jw *w = responses_open(x, type);
    bz_jw_key(w, "response");
    bz_jw_obj(w);
    responses_object(x, status, output);
    bz_jw_end(w);
    end(x, type);
}

static void responses_place(struct bz_jw *w, const char *item, unsigned index, bool part) {
    kv(w, "item_id", item);
    bz_jw_ku64(w, "output_index", index);
    if (part)
        bz_jw_ku64(w, "content_index", 0);
}

static void responses_message(struct writing *x, unsigned index) {
    static const char added[] = "response.output_item.added", done[] = "response.output_item.done",
                      text[] = "response.output_text.delta";
    struct bz_jw *w = responses_open(x, added);
    bz_jw_ku64(w, "output_index", index);
    bz_jw_key(w, "item");
    responses_text(w, x->s->text, "in_progress");
    end(x, added);
    for (struct bz_view rest = x->s->text; rest.n > 0;) {
        w = responses_open(x, text);
        responses_place(w, "msg_1", index, true);
        bz_jw_kstr(w, "delta", delta(&rest, x->s->cut, &x->r));
        end(x, text);
    }
    w = responses_open(x, done);
    bz_jw_ku64(w, "output_index", index);
    bz_jw_key(w, "item");
    responses_text(w, x->s->text, "completed");
    end(x, done);
}

static void responses_thought(struct writing *x, unsigned index) {
    static const char text[] = "response.reasoning_summary_text.delta";
    for (struct bz_view rest = x->s->reasoning; rest.n > 0;) {
        struct bz_jw *w = responses_open(x, text);
        responses_place(w, "rs_1", index, false);
        bz_jw_ku64(w, "summary_index", 0);
        bz_jw_kstr(w, "delta", delta(&rest, x->s->cut, &x->r));
        end(x, text);
    }
}

static void responses_tool(struct writing *x, unsigned index, const struct one_call *c,
                           unsigned i) {
    static const char added[] = "response.output_item.added", done[] = "response.output_item.done",
                      text[] = "response.function_call_arguments.delta";
    struct bz_jw *w = responses_open(x, added);
    bz_jw_ku64(w, "output_index", index);
    bz_jw_key(w, "item");
    responses_call(w, c, i, true);
    end(x, added);
    for (struct bz_view rest = c->arguments; rest.n > 0;) {
        w = responses_open(x, text);
        responses_place(w, i == 0 ? "fc_1" : "fc_2", index, false);
        bz_jw_kstr(w, "delta", delta(&rest, x->s->cut, &x->r));
        end(x, text);
    }
    w = responses_open(x, done);
    bz_jw_ku64(w, "output_index", index);
    bz_jw_key(w, "item");
    responses_call(w, c, i, false);
    end(x, done);
}

static void responses_stream(struct writing *x) {
    struct one_call c[2];
    unsigned n = calls_of(x->s, c), index = 0;
    responses_life(x, "response.created", "in_progress", false);
    if (x->s->reasoning.n > 0)
        responses_thought(x, index++);
    responses_message(x, index++);
    for (unsigned i = 0; i < n; i++)
        responses_tool(x, index++, &c[i], i);
    responses_life(x, "response.completed", "completed", true);
}

void red_write_reply(enum bz_red_dialect d, bool stream, const struct red_say *s,
                     struct bz_buf *out) {
    static void (*const writers[BZ_RED_DIALECT_COUNT][2])(struct writing *) = {
        {openai_whole, openai_stream},
        {responses_whole, responses_stream},
        {anthropic_whole, anthropic_stream},
        {ollama_whole, ollama_stream},
    };
    struct writing x = {.out = out, .s = s, .r = {s->salt}};
    struct red_say other = *s;
    if ((unsigned)d >= BZ_RED_DIALECT_COUNT)
        return;
    if (d == BZ_RED_OPENAI &&
        s->legacy.n > 0) { /* in place of the call, as clients of old read it */
        other.call = other.second = (struct bz_view){NULL, 0};
        x.s = &other;
    } else {
        other.legacy = (struct bz_view){NULL, 0};
        x.s = &other;
    }
    red_text_init(&x.line);
    writers[d][stream ? 1 : 0](&x);
    bz_buf_free(&x.line);
}
