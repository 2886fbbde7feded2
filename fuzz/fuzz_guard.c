/* Texts in channels, in any pieces, through the stream guard. Input: API, cut of the wire, then
 * pieces: channel (above 127: a pause after it), length, so many bytes: ASCII as it is, above 127
 * words of a dictionary.
 *
 * The client's text of every channel is what a whole reply with that text would have become, up to a
 * match that blocks; events keep their order; what is not edited keeps its bytes, what is edited all
 * but its text; every cut of the wire gives the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw_fixture.h"

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

enum { CHANNELS = 4, EVENTS = 128, PIECE_MAX = 31, TEXT_MAX = 4096, OUT_MAX = 1 << 20 };

/* ---- two instances: one blocks a word, the other masks it ---- */

#define S(lit) ((char[]){lit})
static char *mask_words[] = {S("Falcon"), S("Fal"), S("co\xc3\xb1")},
            *keep_words[] = {S("Harrier \"9\"\n")};
static char *block_words[] = {S("Basilisk"), S("Basil Isk")};
static struct bz_custom_config customs[] = {
    {.name = S("W_MASK"), .words = mask_words, .words_n = 3, .whole_word = true},
    {.name = S("W_KEEP"), .words = keep_words, .words_n = 1},
    {.name = S("W_STOP"), .words = block_words, .words_n = 2, .ignore_case = true},
    {.name = S("W_CASE"), .pattern = S("CASE-[0-9]{2,6}x?")},
};
enum { CUSTOMS = sizeof customs / sizeof customs[0], STOP = 2 };
enum { BOTH = 1 << BZ_DIRECTION_REQUEST | 1 << BZ_DIRECTION_REPLY };

static void open_one(struct gw *g, enum gw_setup setup, enum bz_action stop) {
    const struct bz_type *list;
    size_t built_in = bz_type_list(&list);
    static const enum bz_action actions[CUSTOMS] = {BZ_ACTION_MASK, BZ_ACTION_RESTORE,
                                                    BZ_ACTION_BLOCK, BZ_ACTION_MASK};
    struct bz_data_rule rules[CUSTOMS] = {0};
    for (size_t i = 0; i < CUSTOMS; i++) {
        rules[i].directions = BOTH;
        rules[i].action = (uint8_t)(i == STOP ? stop : actions[i]);
        bz_type_set_add(&rules[i].types, built_in + i);
    }
    const struct bz_data_config data = {.restore_s = 60,
                                        .hold_ms = 2000,
                                        .custom = customs,
                                        .custom_n = CUSTOMS,
                                        .rules = rules,
                                        .rules_n = CUSTOMS};
    MUST(gw_open_data(g, setup, &data));
}

static struct gw *instance(bool ollama, bool blocks) {
    static struct gw all[2][2];
    static bool open[2][2];
    struct gw *g = &all[ollama][blocks];
    if (!open[ollama][blocks])
        open_one(g, ollama ? GW_OLLAMA : GW_LLAMA, blocks ? BZ_ACTION_BLOCK : BZ_ACTION_MASK);
    open[ollama][blocks] = true;
    g->mono_ns += UINT64_C(600000000000); /* no limit of an earlier run */
    g->next_id = 7;
    return g;
}

/* ---- APIs ---- */

struct api {
    const char *path, *body; /* of a request with %s for the model */
    bool ollama, json[CHANNELS];
    const char *before, *after;  /* of the stream */
    const char *event[CHANNELS]; /* with $ for the text as JSON */
    const char *at[CHANNELS];    /* where the text stands: members and numbers */
};
#define CHAT(member)                                                                               \
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","      \
    "\"choices\":[{" member ",\"finish_reason\":null}]}\n\n"
#define EV(type, more) "event: " type "\ndata: {\"type\":\"" type "\"" more "}\n\n"
#define NDJSON(member) "{\"model\":\"m\",\"created_at\":\"t\"," member ",\"done\":false}\n"
#define ASK "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
static const struct api apis[] = {
    {.path = "/v1/chat/completions",
     .body = "{\"model\":\"tiny\",\"stream\":true,\"n\":2," ASK "}",
     .json = {[3] = true},
     .after = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
              "data: [DONE]\n\n",
     .event = {CHAT("\"index\":0,\"delta\":{\"content\":$}"),
               CHAT("\"index\":1,\"delta\":{\"content\":$},\"logprobs\":null"),
               CHAT("\"index\":0,\"delta\":{\"reasoning_content\":$}"),
               CHAT("\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{"
                    "\"arguments\":$}}]}")},
     .at = {"choices 0 delta content", "choices 0 delta content",
            "choices 0 delta reasoning_content",
            "choices 0 delta tool_calls 0 function arguments"}},
    {.path = "/v1/completions",
     .body = "{\"model\":\"tiny\",\"stream\":true,\"n\":4,\"prompt\":\"hi\"}",
     .after = "data: [DONE]\n\n",
     .event = {CHAT("\"index\":0,\"text\":$"), CHAT("\"index\":1,\"text\":$"),
               CHAT("\"text\":$,\"index\":2"), CHAT("\"text\":$,\"index\":3")},
     .at = {"choices 0 text", "choices 0 text", "choices 0 text", "choices 0 text"}},
    {.path = "/v1/messages",
     .body = "{\"model\":\"tiny\",\"stream\":true,\"max_tokens\":9," ASK "}",
     .json = {[3] = true},
     .before = EV("message_start", ",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":"
                                   "\"assistant\",\"model\":\"m\",\"content\":[]}"),
     .after = EV("content_block_stop", ",\"index\":1") EV("message_stop", ""),
     .event = {EV("content_block_delta", ",\"index\":0,\"delta\":{\"type\":\"text_delta\","
                                         "\"text\":$}"),
               EV("content_block_delta", ",\"index\":1,\"delta\":{\"text\":$,\"type\":"
                                         "\"text_delta\"}"),
               EV("content_block_delta", ",\"index\":2,\"delta\":{\"type\":\"thinking_delta\","
                                         "\"thinking\":$}"),
               EV("content_block_delta", ",\"index\":3,\"delta\":{\"type\":\"input_json_delta\","
                                         "\"partial_json\":$}")},
     .at = {"delta text", "delta text", "delta thinking", "delta partial_json"}},
    {.path = "/v1/responses",
     .body = "{\"model\":\"tiny\",\"stream\":true,\"input\":\"hi\"}",
     .json = {[3] = true},
     .after = EV("response.completed", ",\"response\":{\"id\":\"r\",\"object\":\"response\","
                                       "\"status\":\"completed\",\"model\":\"m\",\"output\":[]}"),
     .event = {EV("response.output_text.delta", ",\"item_id\":\"i\",\"output_index\":0,"
                                                "\"content_index\":0,\"delta\":$"),
               EV("response.output_text.delta", ",\"item_id\":\"i\",\"output_index\":0,"
                                                "\"content_index\":1,\"delta\":$"),
               EV("response.reasoning_text.delta", ",\"item_id\":\"k\",\"output_index\":1,"
                                                   "\"content_index\":0,\"delta\":$"),
               EV("response.function_call_arguments.delta",
                  ",\"item_id\":\"j\",\"output_index\":2,\"delta\":$")},
     .at = {"delta", "delta", "delta", "delta"}},
    {.path = "/api/chat",
     .body = "{\"model\":\"qwen:7b\"," ASK "}",
     .ollama = true,
     .after = "{\"model\":\"m\",\"created_at\":\"t\",\"message\":{\"role\":\"assistant\","
              "\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\"}\n",
     .event = {NDJSON("\"message\":{\"role\":\"assistant\",\"content\":$}"),
               NDJSON("\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":$}"),
               NDJSON("\"message\":{\"content\":$,\"role\":\"assistant\"}"),
               NDJSON("\"message\":{\"thinking\":$,\"role\":\"assistant\",\"content\":\"\"}")},
     .at = {"message content", "message thinking", "message content", "message thinking"}},
};
enum { APIS = sizeof apis / sizeof apis[0] };

/* Channels whose texts are one: Ollama has two. */
static size_t text_of(const struct api *a, size_t channel) {
    return a->ollama ? channel % 2 : channel;
}

/* ---- the script ---- */

static const char *const words[] = {
    "Falcon",
    "Fal",
    "con",
    "co\xc3\xb1",
    "Harrier \"9\"\n",
    "Harrier \\\"9\\\"\\n",
    "Basil",
    "isk",
    "BASILISK",
    "\xe2\x80\x8b",
    "\xc3\xa9",
    "\xf0\x9f\x99\x82",
    "CASE-",
    "CASE-1234",
    "\\u0046alcon",
    "\\",
    "\"",
    "\xef\xbc\xa6",
    " ",
    "{\"a\":\"",
};
enum { WORDS = sizeof words / sizeof words[0] };

struct piece {
    uint8_t channel;
    bool pause; /* after it, longer than text may wait */
    struct bz_view text;
};
struct script {
    const struct api *api;
    size_t cut, n;
    struct piece v[EVENTS];
    uint8_t mem[TEXT_MAX]; /* of the pieces */
    struct bz_buf texts[CHANNELS];
    uint8_t text_mem[CHANNELS][TEXT_MAX];
};

static const char *placeholder; /* of "Harrier \"9\"\n" */

static void put_word(struct bz_buf *b, uint8_t c) {
    size_t word = c - 128u, n = strlen(placeholder);
    if (c < 128)
        bz_buf_putc(b, c == 0 ? ' ' : c); /* U+0000 is none of strict JSON's */
    else if (word < WORDS)
        bz_buf_puts(b, words[word]);
    else if (word == WORDS)
        bz_buf_puts(b, placeholder);
    else /* one character of it */
        bz_buf_putc(b, (uint8_t)placeholder[word % n]);
}

static void read_script(struct bz_view in, struct script *s) {
    struct bz_buf all;
    bz_buf_init_fixed(&all, s->mem, sizeof s->mem);
    for (size_t c = 0; c < CHANNELS; c++)
        bz_buf_init_fixed(&s->texts[c], s->text_mem[c], sizeof s->text_mem[c]);
    for (s->n = 0; in.n >= 2 && s->n < EVENTS && all.n < TEXT_MAX - PIECE_MAX * 64; s->n++) {
        uint8_t channel = in.p[0] % CHANNELS;
        struct bz_view part = bz_view_sub(in, 2, in.p[1] & PIECE_MAX);
        size_t from = all.n;
        for (size_t i = 0; i < part.n; i++)
            put_word(&all, part.p[i]);
        s->v[s->n] = (struct piece){channel, in.p[0] >= 128, bz_view(all.p + from, all.n - from)};
        bz_buf_put(&s->texts[text_of(s->api, channel)], s->v[s->n].text);
        in = bz_view_sub(in, 2 + part.n, in.n);
    }
    MUST(bz_buf_status(&all) == BZ_OK);
}

static void put_event(const struct script *s, size_t i, struct bz_buf *out) {
    const char *format = s->api->event[s->v[i].channel], *dollar = strchr(format, '$');
    bz_buf_put(out, bz_view(format, (size_t)(dollar - format)));
    bz_json_write_str(out, s->v[i].text);
    bz_buf_puts(out, dollar + 1);
}

/* ---- through the gateway ---- */

static enum bz_status answer(struct gw *g, const char *path, const char *body, struct bz_view type,
                             struct bz_view reply, size_t cut, struct bz_buf *out) {
    struct gw_heap heap = {0};
    struct gw_req q;
    struct bz_backend b;
    enum bz_verdict v;
    const struct bz_reply_head h = {200, type, {NULL, 0}, -1};
    gw_req_init(&q, g, GW_ADMIN, "POST", path, body);
    struct bz_tx *tx = gw_send(g, &q, gw_heap_alloc(&heap), &v);
    MUST(tx != NULL && v == BZ_VERDICT_FORWARD);
    MUST(bz_tx_backend(tx, gw_now(g), &b));
    bz_tx_drop_body(tx);
    enum bz_status st = gw_reply(g, tx, &h, reply, cut, true, out);
    const struct bz_reply *whole = bz_tx_reply(tx);
    if (whole != NULL) {
        MUST(whole->status == 200);
        bz_buf_put(out, whole->body);
    }
    bz_tx_free(tx);
    MUST(heap.live == 0);
    return st;
}

/* Follows "choices 0 delta": a number is an index. */
static struct bz_json *follow(struct bz_json *at, const char *path) {
    while (at != NULL && *path != '\0') {
        size_t n = strcspn(path, " ");
        if (*path >= '0' && *path <= '9') {
            at = at->first;
            for (int i = 0; at != NULL && i < *path - '0'; i++)
                at = at->next;
        } else {
            at = (struct bz_json *)(uintptr_t)bz_json_get(at, bz_view(path, n));
        }
        path += n + (path[n] == ' ');
    }
    return at;
}

#define WHOLE_AT "choices 0 message tool_calls 0 function arguments"
static void expect(const struct script *s, size_t channel, struct bz_buf *ret) {
    struct gw *g = instance(s->api->ollama, false);
    struct bz_buf reply, out;
    struct bz_arena ar;
    struct bz_json *root = NULL;
    bool json = s->api->json[channel];
    bz_buf_init(&reply, OUT_MAX);
    bz_buf_init(&out, OUT_MAX);
    bz_buf_puts(&reply, "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",");
    bz_buf_puts(&reply, json ? "\"tool_calls\":[{\"function\":{\"arguments\":" : "\"content\":");
    bz_json_write_str(&reply, bz_buf_view(&s->texts[channel]));
    bz_buf_puts(&reply, json ? "}}]}}]}" : "}}]}");
    const char *ask =
        s->api->ollama ? "{\"model\":\"qwen:7b\"," ASK "}" : "{\"model\":\"tiny\"," ASK "}";
    MUST(answer(g, "/v1/chat/completions", ask, BZ_V("application/json"), bz_buf_view(&reply), 0,
                &out) == BZ_OK);
    bz_arena_init(&ar, bz_alloc_heap, OUT_MAX, NULL, 0);
    MUST(bz_json_parse(bz_buf_view(&out), NULL, &ar, &root, NULL) == BZ_OK);
    const struct bz_json *at = follow(root, json ? WHOLE_AT : "choices 0 message content");
    MUST(at != NULL);
    bz_buf_put(ret, bz_json_str(at));
    bz_arena_free(&ar);
    bz_buf_free(&reply);
    bz_buf_free(&out);
}

/* ---- what came out ---- */

static struct bz_view data_of(const struct api *a, struct bz_view event) {
    const uint8_t *at = a->ollama ? event.p : memmem(event.p, event.n, "data: ", 6);
    MUST(at != NULL);
    return bz_view_sub(event, (size_t)(at - event.p) + (a->ollama ? 0 : 6), event.n);
}

static struct bz_view next_event(const struct api *a, struct bz_view *rest) {
    const char *end = a->ollama ? "\n" : "\n\n";
    const uint8_t *at = memmem(rest->p, rest->n, end, strlen(end));
    MUST(at != NULL);
    struct bz_view ret = bz_view_sub(*rest, 0, (size_t)(at - rest->p) + strlen(end));
    *rest = bz_view_sub(*rest, ret.n, rest->n);
    return ret;
}

/* The event without its text, and the text. */
static void without_text(const struct script *s, size_t i, struct bz_view event,
                         struct bz_buf *ret_rest, struct bz_buf *ret_text) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    bz_arena_init(&ar, bz_alloc_heap, OUT_MAX, NULL, 0);
    MUST(bz_json_parse(data_of(s->api, event), NULL, &ar, &root, NULL) == BZ_OK);
    struct bz_json *at = follow(root, s->api->at[s->v[i].channel]);
    MUST(at != NULL && at->type == BZ_JSON_STRING);
    bz_buf_put(ret_text, bz_json_str(at));
    bz_json_set_str(at, BZ_V(""));
    bz_buf_reset(ret_rest);
    bz_json_write(ret_rest, root);
    bz_arena_free(&ar);
}

static bool same_event(const struct script *s, size_t i, struct bz_view got, struct bz_buf *text) {
    struct bz_buf want, one, two, scrap;
    bz_buf_init(&want, OUT_MAX);
    bz_buf_init(&one, OUT_MAX);
    bz_buf_init(&two, OUT_MAX);
    bz_buf_init(&scrap, OUT_MAX);
    put_event(s, i, &want);
    size_t before = text->n;
    without_text(s, i, got, &one, text);
    without_text(s, i, bz_buf_view(&want), &two, &scrap);
    bool edited = !bz_view_eq(bz_view_sub(bz_buf_view(text), before, text->n), bz_buf_view(&scrap));
    bool ok = edited ? bz_view_eq(bz_buf_view(&one), bz_buf_view(&two))
                     : bz_view_eq(got, bz_buf_view(&want));
    bz_buf_free(&want);
    bz_buf_free(&one);
    bz_buf_free(&two);
    bz_buf_free(&scrap);
    return ok;
}

static struct bz_view up_to_block(struct bz_view text) {
    const uint8_t *at = text.n == 0 ? NULL : memmem(text.p, text.n, "<W_STOP_", 8);
    return at == NULL ? text : bz_view_sub(text, 0, (size_t)(at - text.p));
}

static void check(const struct script *s, bool blocked, struct bz_view out) {
    struct bz_buf want, text[CHANNELS];
    size_t i = 0, ended = 0, marks = 0;
    for (size_t c = 0; c < CHANNELS; c++)
        bz_buf_init(&text[c], OUT_MAX);
    if (s->api->before != NULL)
        MUST(bz_view_eq(next_event(s->api, &out), bz_view_str(s->api->before)));
    for (; i < s->n; i++) {
        struct bz_view rest = out, event = next_event(s->api, &rest);
        if (blocked && rest.n == 0)
            break; /* the error event */
        MUST(same_event(s, i, event, &text[text_of(s->api, s->v[i].channel)]));
        out = rest;
    }
    for (size_t c = 0; c < (s->api->ollama ? 2 : CHANNELS); c++) {
        bz_buf_init(&want, OUT_MAX);
        expect(s, c, &want);
        struct bz_view most = up_to_block(bz_buf_view(&want));
        struct bz_view got = bz_buf_view(&text[c]);
        marks += most.n < want.n;
        /* a stand-in outside of a literal of JSON has quotes of its own */
        size_t quote = s->api->json[c] && most.n != 0 && most.p[most.n - 1] == '"';
        ended += most.n < want.n && (got.n == most.n || got.n + quote == most.n);
        MUST(blocked ? bz_view_starts(most, got) : bz_view_eq(most, got));
        bz_buf_free(&want);
        bz_buf_free(&text[c]);
    }
    MUST(blocked == (marks != 0));
    if (blocked)
        MUST(ended != 0 && gw_contains(out, "reply_blocked"));
    else
        MUST(i == s->n && bz_view_eq(out, bz_view_str(s->api->after)));
}

static void learn_placeholder(void) {
    static char text[BZ_PLACEHOLDER_MAX + 1];
    static const char ask[] = "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":"
                              "\"Harrier \\\"9\\\"\\n\"}]}";
    for (unsigned k = 0; k < 4; k++) {
        struct gw *g = instance(k & 1, k & 2);
        char body[256];
        struct gw_heap heap = {0};
        struct gw_req q;
        enum bz_verdict v;
        snprintf(body, sizeof body, ask, (k & 1) != 0 ? "qwen:7b" : "tiny");
        gw_req_init(&q, g, GW_ADMIN, "POST", "/v1/chat/completions", body);
        struct bz_tx *tx = gw_send(g, &q, gw_heap_alloc(&heap), &v);
        MUST(tx != NULL && v == BZ_VERDICT_FORWARD);
        struct bz_view f = bz_tx_forward(tx)->body;
        const uint8_t *from = memmem(f.p, f.n, "<W_KEEP_", 8);
        MUST(from != NULL);
        const uint8_t *to = memchr(from, '>', f.n - (size_t)(from - f.p));
        MUST(to != NULL && to - from < BZ_PLACEHOLDER_MAX);
        MUST(k == 0 || memcmp(text, from, (size_t)(to - from) + 1) == 0);
        memcpy(text, from, (size_t)(to - from) + 1);
        bz_tx_free(tx);
    }
    placeholder = text;
}

static void with_pauses(const struct script *s, struct bz_view type) {
    struct gw *g = instance(s->api->ollama, true);
    struct gw_heap heap = {0};
    struct gw_req q;
    struct bz_backend b;
    enum bz_verdict v;
    struct bz_buf in, out, text;
    const struct bz_reply_head h = {200, type, {NULL, 0}, -1};
    bz_buf_init(&in, OUT_MAX);
    bz_buf_init(&out, OUT_MAX);
    bz_buf_init(&text, OUT_MAX);
    gw_req_init(&q, g, GW_ADMIN, "POST", s->api->path, s->api->body);
    struct bz_tx *tx = gw_send(g, &q, gw_heap_alloc(&heap), &v);
    MUST(tx != NULL && v == BZ_VERDICT_FORWARD && bz_tx_backend(tx, gw_now(g), &b));
    MUST(bz_tx_reply_head(tx, &h, gw_now(g)) == BZ_REPLY_STREAM);
    enum bz_status st = BZ_OK;
    if (s->api->before != NULL)
        st = bz_tx_reply_feed(tx, bz_view_str(s->api->before), &out, gw_now(g));
    for (size_t i = 0; i < s->n && st == BZ_OK; i++) {
        bz_buf_reset(&in);
        put_event(s, i, &in);
        st = bz_tx_reply_feed(tx, bz_buf_view(&in), &out, gw_now(g));
        for (int k = 0; k < 2 && s->v[i].pause && st == BZ_OK; k++) {
            st = bz_tx_tick(tx, &out, gw_now(g));
            g->mono_ns += UINT64_C(2100000000);
        }
    }
    if (st == BZ_OK)
        st = bz_tx_reply_feed(tx, bz_view_str(s->api->after), &out, gw_now(g));
    if (st == BZ_OK)
        st = bz_tx_reply_end(tx, true, &out, gw_now(g));
    MUST(st == BZ_OK || st == BZ_EDENIED);
    struct bz_view rest = bz_buf_view(&out);
    if (s->api->before != NULL)
        (void)next_event(s->api, &rest);
    size_t i = 0;
    for (; i < s->n; i++) {
        struct bz_view event = next_event(s->api, &rest);
        if (st != BZ_OK && rest.n == 0)
            break; /* the error event */
        MUST(same_event(s, i, event, &text));
    }
    MUST(st != BZ_OK || (i == s->n && bz_view_eq(rest, bz_view_str(s->api->after))));
    bz_tx_free(tx);
    MUST(heap.live == 0);
    bz_buf_free(&in);
    bz_buf_free(&out);
    bz_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct script s;
    struct bz_buf sse, whole, pieces;
    if (placeholder == NULL)
        learn_placeholder();
    if (size < 2 || size > 1u << 12)
        return 0;
    s.api = &apis[data[0] % APIS];
    s.cut = data[1] + 1u;
    read_script(bz_view(data + 2, size - 2), &s);
    for (size_t c = 0; c < CHANNELS; c++)
        if (gw_contains(bz_buf_view(&s.texts[c]), "<W_STOP_"))
            return 0; /* check() could not tell it from a stand-in */
    bz_buf_init(&sse, OUT_MAX);
    bz_buf_init(&whole, OUT_MAX);
    bz_buf_init(&pieces, OUT_MAX);
    if (s.api->before != NULL)
        bz_buf_puts(&sse, s.api->before);
    for (size_t i = 0; i < s.n; i++)
        put_event(&s, i, &sse);
    bz_buf_puts(&sse, s.api->after);
    MUST(bz_buf_status(&sse) == BZ_OK);
    struct bz_view type = s.api->ollama ? BZ_V("application/x-ndjson") : BZ_V("text/event-stream");
    enum bz_status st = answer(instance(s.api->ollama, true), s.api->path, s.api->body, type,
                               bz_buf_view(&sse), 0, &whole);
    MUST(st == BZ_OK || st == BZ_EDENIED);
    MUST(answer(instance(s.api->ollama, true), s.api->path, s.api->body, type, bz_buf_view(&sse),
                s.cut, &pieces) == st);
    MUST(bz_view_eq(bz_buf_view(&whole), bz_buf_view(&pieces)));
    check(&s, st == BZ_EDENIED, bz_buf_view(&whole));
    for (size_t i = 0; i < s.n; i++)
        if (s.v[i].pause) {
            with_pauses(&s, type);
            break;
        }
    bz_buf_free(&sse);
    bz_buf_free(&whole);
    bz_buf_free(&pieces);
    return 0;
}
