/* Streams of every dialect: whole, in every cut, broken, and too big. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <bartizan/dialect.h>
#include <bartizan/limits.h>

_Static_assert(sizeof(struct bz_stream) <= 144, "an open stream keeps one of these");

struct sample {
    const char *name, *method_path; /* "llama.cpp /v1/chat/completions" */
    bool strip;
    struct bz_view in;
    const char *out; /* NULL: same as in */
    uint64_t prompt, completion;
    bool known;
};

#define CHAT "/v1/chat/completions"
#define D(s) "data: " s "\n\n"
#define E(n, s) "event: " n "\ndata: " s "\n\n"
#define CHUNK(t)                                                                                   \
    "{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{"    \
    "\"content\":\"" t "\"},\"finish_reason\":null}]}"
#define LAST "{\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}"
#define USAGE                                                                                      \
    "{\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2,"        \
    "\"total_tokens\":11}}"
#define DONE "data: [DONE]\n\n"
#define MSTART                                                                                     \
    E("message_start",                                                                             \
      "{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"content\":[],\"usage\":{\"input_"   \
      "tokens\":7,\"cache_read_input_tokens\":3,\"output_tokens\":1}}}")
#define MDELTA                                                                                     \
    E("content_block_delta", "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"  \
                             "\"text_delta\",\"text\":\"Hi\"}}")
#define MEND                                                                                       \
    E("message_delta", "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},"     \
                       "\"usage\":{\"output_tokens\":5}}")                                         \
    E("message_stop", "{\"type\":\"message_stop\"}")
#define RNEW                                                                                       \
    E("response.created",                                                                          \
      "{\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"error\":null,\"output\":[]}}")
#define RTEXT                                                                                      \
    E("response.output_text.delta",                                                                \
      "{\"type\":\"response.output_text.delta\",\"delta\":\"a \\\"usage\\\" b\"}")
#define REND                                                                                       \
    E("response.completed",                                                                        \
      "{\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"error\":null,\"output\":[],"  \
      "\"usage\":{\"input_tokens\":4,\"output_tokens\":6}}}")

static const struct sample samples[] = {
    {"openai", "openai " CHAT, false, BZ_V(D(CHUNK("Hel")) D(CHUNK("lo")) D(LAST) D(USAGE) DONE),
     NULL, 9, 2, true},
    {"openai stripped", "openai " CHAT, true, BZ_V(D(CHUNK("Hel")) D(LAST) D(USAGE) DONE),
     D(CHUNK("Hel")) D(LAST) DONE, 9, 2, true},
    {"openai without usage", "openai " CHAT, false, BZ_V(D(CHUNK("a")) D(CHUNK("b")) D(LAST) DONE),
     NULL, 0, 3, false},
    {"usage in a choice stays", "openai " CHAT, true,
     BZ_V(D("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":{\"prompt_tokens\":1,"
            "\"completion_tokens\":1}}") DONE),
     NULL, 1, 1, true},
    {"usage null everywhere", "openai " CHAT, true,
     BZ_V(D("{\"choices\":[],\"usage\": null}") D(USAGE) DONE),
     D("{\"choices\":[],\"usage\": null}") DONE, 9, 2, true},
    {"escaped usage key", "openai " CHAT, true,
     BZ_V(D("{\"choices\":[],\"\\u0075sage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}") DONE),
     DONE, 3, 4, true},
    {"llama.cpp timings and pings", "llama.cpp " CHAT, false,
     BZ_V(": ping\n\n" D(CHUNK("x")) ": ping\n\n" D(
         "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"timings\":{"
         "\"cache_n\":10,\"prompt_n\":5,\"predicted_n\":2}}") DONE),
     ":\n\n" D(CHUNK("x")) ":\n\n" D(
         "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"timings\":{"
         "\"cache_n\":10,\"prompt_n\":5,\"predicted_n\":2}}") DONE,
     15, 2, true},
    {"CRLF", "vllm " CHAT, false, BZ_V("data: " CHUNK("x") "\r\n\r\ndata: [DONE]\r\n\r\n"),
     D(CHUNK("x")) DONE, 0, 1, false},
    {"CR", "vllm " CHAT, false, BZ_V("data: " CHUNK("x") "\r\rdata: [DONE]\r\r"),
     D(CHUNK("x")) DONE, 0, 1, false},
    {"mixed ends", "vllm " CHAT, false,
     BZ_V("data: " CHUNK("x") "\r\n\ndata:" CHUNK("y") "\n\r\n\r\ndata: [DONE]\r\n\n\n"),
     D(CHUNK("x")) D(CHUNK("y")) DONE, 0, 2, false},
    {"CRLF between fields", "vllm /v1/messages", false,
     BZ_V("event: message_stop\r\ndata: {\r\ndata: \"type\":\"message_stop\"}\r\n\r\n"),
     "event: message_stop\ndata: {\ndata: \"type\":\"message_stop\"}\n\n", 0, 1, false},
    {"BOM", "vllm " CHAT, false, BZ_V("\357\273\277data: [DONE]\n\n"), DONE, 0, 0, false},
    {"many data lines", "vllm " CHAT, false, BZ_V("data: {\ndata:\"a\":\ndata: 1}\n\n" DONE),
     "data: {\ndata: \"a\":\ndata: 1}\n\n" DONE, 0, 1, false},
    {"fields that go", "vllm " CHAT, false,
     BZ_V("id: 7\nretry: 10\nevent: message\nfoo: bar\nfoo\n: c\ndata: {\"a\":1}\n\nid: "
          "8\n\nevent: x\n\ndata\n\ndata:\n\n" DONE),
     D("{\"a\":1}") DONE, 0, 1, false},
    {"done without a blank line", "vllm " CHAT, false, BZ_V(D(CHUNK("x")) "data: [DONE]\n"),
     D(CHUNK("x")) DONE, 0, 1, false},
    {"done without a line end", "vllm " CHAT, false, BZ_V(D(CHUNK("x")) "data:[DONE]"),
     D(CHUNK("x")) DONE, 0, 1, false},
    {"comments after the end", "vllm " CHAT, false, BZ_V(DONE ": bye\n\n\n\n"), DONE ":\n\n", 0, 0,
     false},
    {"UTF-8", "vllm " CHAT, false,
     BZ_V(D(CHUNK("\xe2\x82\xac \xf0\x9f\x98\x80 \\ud83d\\ude00")) DONE), NULL, 0, 1, false},
    {"anthropic", "anthropic /v1/messages", false,
     BZ_V(MSTART E("ping", "{\"type\": \"ping\"}") MDELTA MEND), NULL, 10, 5, true},
    {"anthropic, then a done mark", "vllm /v1/messages", false, BZ_V(MSTART MDELTA MEND DONE),
     MSTART MDELTA MEND, 10, 5, true},
    {"responses", "openai /v1/responses", false, BZ_V(RNEW RTEXT REND), NULL, 4, 6, true},
    {"responses, then a done mark", "ollama /v1/responses", false,
     BZ_V(RNEW REND "data: [DONE]\n\n"), RNEW REND, 4, 6, true},
    {"responses cut by its limit", "openai /v1/responses", false,
     BZ_V(RNEW E("response.incomplete",
                 "{\"type\":\"response.incomplete\",\"response\":{\"error\":null,\"usage\":{"
                 "\"input_tokens\":1,\"output_tokens\":2}}}")),
     NULL, 1, 2, true},
    {"ollama", "ollama /api/chat", false,
     BZ_V("{\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"done\":false}\n{\"message\":{"
          "\"content\":\"\"},\"done\":true,\"prompt_eval_count\":8,\"eval_count\":3}\n"),
     NULL, 8, 3, true},
    {"ollama with CRLF and blanks", "ollama /api/generate", false,
     BZ_V("\n{\"response\":\"a\",\"done\":false}\r\n\r\n{\"done\" : true}\n\n"),
     "{\"response\":\"a\",\"done\":false}\n{\"done\" : true}\n", 0, 2, false},
    {"ollama, escaped done", "ollama /api/chat", false,
     BZ_V("{\"\\u0064one\":true,\"eval_count\":1,\"prompt_eval_count\":2}\n"), NULL, 2, 1, true},
    {"llama.cpp native", "llama.cpp /completion", false,
     BZ_V(D("{\"content\":\"a\",\"tokens\":[1],\"stop\":false}")
              D("{\"content\":\"\",\"stop\":true,\"tokens_evaluated\":5,\"tokens_predicted\":1}")),
     NULL, 5, 1, true},
    {"llama.cpp native, two prompts", "llama.cpp /completion", false,
     BZ_V(D("{\"index\":0,\"content\":\"\",\"stop\":true}")
              D("{\"index\":1,\"content\":\"b\",\"stop\":false}")
                  D("{\"index\":1,\"content\":\"\",\"stop\":true}") DONE),
     D("{\"index\":0,\"content\":\"\",\"stop\":true}")
         D("{\"index\":1,\"content\":\"b\",\"stop\":false}")
             D("{\"index\":1,\"content\":\"\",\"stop\":true}"),
     0, 3, false},
    {"llama.cpp native, begun with null", "llama.cpp /completion", false,
     BZ_V(D("null") D("{\"index\":0,\"content\":\"\",\"stop\":true}")),
     D("{\"index\":0,\"content\":\"\",\"stop\":true}"), 0, 1, false},
    {"llama.cpp completions, begun with null", "llama.cpp /v1/completions", false,
     BZ_V(D("null") D("{\"choices\":[{\"index\":0,\"text\":\"a\"}]}") DONE),
     D("{\"choices\":[{\"index\":0,\"text\":\"a\"}]}") DONE, 0, 1, false},
};

static const struct bz_route *route_of(const char *server_path) {
    char server[32];
    const char *sp = strchr(server_path, ' ');
    snprintf(server, sizeof server, "%.*s", (int)(sp - server_path), server_path);
    enum bz_server s;
    const struct bz_route *r;
    struct bz_view id;
    assert_true(bz_server_from_name(bz_view_str(server), &s));
    assert_int_equal(bz_route_find(s, BZ_V("POST"), bz_view_str(sp + 1), &r, &id), BZ_ROUTE_FOUND);
    return r;
}

struct result {
    enum bz_status st;
    struct bz_buf out;
    struct bz_usage usage;
    const char *why;
};

/* Feeds `in` in pieces of at most `step` bytes; the first piece has `first` bytes. Every piece is
 * copied to memory of its own size, so that reading beyond it shows. */
static struct result run(const char *route, bool strip, struct bz_view in, size_t first,
                         size_t step) {
    struct result r = {.st = BZ_OK};
    struct bz_stream s;
    uint8_t room[1024];
    bz_buf_init(&r.out, 8u << 20);
    bz_stream_init(&s, route_of(route), strip);
    for (size_t i = 0, n = first; i < in.n && r.st == BZ_OK; i += n, n = step) {
        if (n > in.n - i)
            n = in.n - i;
        uint8_t *piece = malloc(n == 0 ? 1 : n);
        assert_non_null(piece);
        memcpy(piece, in.p + i, n);
        struct bz_arena ar;
        bz_arena_init(&ar, bz_alloc_heap, 64u << 20, room, sizeof room);
        r.st = bz_stream_feed(&s, bz_view(piece, n), &ar, &r.out);
        assert_null(ar.head); /* emptied */
        bz_arena_free(&ar);
        free(piece);
    }
    if (r.st == BZ_OK)
        r.st = bz_stream_end(&s, &r.out);
    if (r.st != BZ_OK) {
        assert_true(s.failed && s.why != NULL);
        struct bz_arena ar;
        size_t before = r.out.n;
        bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
        assert_int_not_equal(bz_stream_feed(&s, BZ_V(DONE), &ar, &r.out), BZ_OK);
        assert_int_not_equal(bz_stream_end(&s, &r.out), BZ_OK);
        assert_int_equal(r.out.n, before);
    }
    r.usage = s.usage;
    r.why = s.why;
    assert_int_equal(s.part.cap, 0); /* nothing is kept after an event, the end, or an error */
    bz_stream_done(&s);
    return r;
}

static void same(const struct result *a, const struct result *b, const char *what, size_t cut) {
    if (a->st != b->st || a->out.n != b->out.n ||
        (a->out.n != 0 && memcmp(a->out.p, b->out.p, a->out.n) != 0) ||
        a->usage.prompt != b->usage.prompt || a->usage.completion != b->usage.completion)
        fail_msg("%s: cut at %zu differs: %s, %s", what, cut, bz_status_text(a->st),
                 bz_status_text(b->st));
}

/* One shot, byte by byte, and every cut in two. */
static struct result any_cut(const char *what, const char *route, bool strip, struct bz_view in) {
    struct result whole = run(route, strip, in, in.n, in.n);
    for (size_t step = 1; step <= 7; step += 3) {
        struct result r = run(route, strip, in, step, step);
        same(&whole, &r, what, step);
        bz_buf_free(&r.out);
    }
    for (size_t cut = 0; cut < in.n; cut++) {
        struct result r = run(route, strip, in, cut, in.n);
        same(&whole, &r, what, cut);
        bz_buf_free(&r.out);
    }
    return whole;
}

static void every_sample_in_every_cut(void **state) {
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const struct sample *s = &samples[i];
        struct result r = any_cut(s->name, s->method_path, s->strip, s->in);
        struct bz_view want = s->out == NULL ? s->in : bz_view_str(s->out);
        if (r.st != BZ_OK || !bz_view_eq(bz_buf_view(&r.out), want))
            fail_msg("%s: %s (%s): %.*s", s->name, bz_status_text(r.st), r.why == NULL ? "" : r.why,
                     (int)r.out.n, (const char *)r.out.p);
        if (r.usage.known != s->known || r.usage.prompt != s->prompt ||
            r.usage.completion != s->completion)
            fail_msg("%s: usage %d %d %d", s->name, (int)r.usage.known, (int)r.usage.prompt,
                     (int)r.usage.completion);
        bz_buf_free(&r.out);
    }
}

struct broken {
    const char *route;
    struct bz_view in;
    enum bz_status st;
    const char *out; /* what may leave before */
};

static const struct broken broken[] = {
    /* no end */
    {"openai " CHAT, BZ_V(D(CHUNK("x"))), BZ_ESYNTAX, D(CHUNK("x"))},
    {"openai " CHAT, BZ_V(""), BZ_ESYNTAX, ""},
    {"openai " CHAT, BZ_V(D(CHUNK("x")) "data: {\"a\""), BZ_ESYNTAX, D(CHUNK("x"))},
    {"openai " CHAT, BZ_V(DONE "data: {"), BZ_ESYNTAX, DONE},
    {"openai " CHAT, BZ_V(D(CHUNK("x")) "data: [DONE"), BZ_ESYNTAX, D(CHUNK("x"))},
    {"ollama /api/chat", BZ_V("{\"done\":false}\n"), BZ_ESYNTAX, "{\"done\":false}\n"},
    {"ollama /api/chat", BZ_V("{\"done\":true}"), BZ_ESYNTAX, ""},
    {"anthropic /v1/messages", BZ_V(MSTART MDELTA), BZ_ESYNTAX, MSTART MDELTA},
    {"anthropic /v1/messages", BZ_V(MSTART DONE), BZ_ESYNTAX, MSTART},
    {"openai /v1/responses", BZ_V(RNEW RTEXT), BZ_ESYNTAX, RNEW RTEXT},
    {"llama.cpp /completion", BZ_V(D("{\"stop\":false}")), BZ_ESYNTAX, D("{\"stop\":false}")},
    /* after the end */
    {"openai " CHAT, BZ_V(DONE D(CHUNK("x"))), BZ_ESYNTAX, DONE},
    {"openai " CHAT, BZ_V(DONE DONE), BZ_ESYNTAX, DONE},
    {"ollama /api/chat", BZ_V("{\"done\":true}\n{\"done\":true}\n"), BZ_ESYNTAX,
     "{\"done\":true}\n"},
    {"anthropic /v1/messages", BZ_V(MSTART MEND MDELTA), BZ_ESYNTAX, MSTART MEND},
    {"openai /v1/responses", BZ_V(REND RTEXT), BZ_ESYNTAX, REND},
    /* no strict JSON, no object */
    {"openai " CHAT, BZ_V("data: {\"a\":1,\"a\":2}\n\n"), BZ_EDUPKEY, ""},
    {"openai " CHAT, BZ_V("data: {\"a\":1,\"\\u0061\":2}\n\n"), BZ_EDUPKEY, ""},
    {"openai " CHAT, BZ_V("data: {\"a\":\"\xff\"}\n\n"), BZ_EUTF8, ""},
    {"openai " CHAT, BZ_V("data: {\"a\":1}}\n\n"), BZ_ETRAILING, ""},
    {"openai " CHAT, BZ_V("data: {\"a\":NaN}\n\n"), BZ_ESYNTAX, ""},
    {"openai " CHAT, BZ_V("data: [1]\n\n"), BZ_ESYNTAX, ""},
    {"openai " CHAT, BZ_V("data: \"x\"\n\n"), BZ_ESYNTAX, ""},
    {"openai " CHAT, BZ_V("data: [DONE]x\n\n"), BZ_ESYNTAX, ""},
    {"openai " CHAT, BZ_V("data: [done]\n\n"), BZ_ESYNTAX, ""},
    {"openai " CHAT, BZ_V(DONE "data: null\n\n"), BZ_ESYNTAX, DONE},
    {"anthropic /v1/messages", BZ_V("data: null\n\n"), BZ_ESYNTAX, ""},
    {"ollama /api/chat", BZ_V("null\n"), BZ_ESYNTAX, ""},
    {"openai " CHAT, BZ_V("data:   \n\n"), BZ_ESYNTAX, ""},
    {"openai " CHAT,
     BZ_V("\357\273\277data: {}\n\n"
          "\357\273\277data: [DONE]\n\n"),
     BZ_ESYNTAX, D("{}")},
    {"openai " CHAT, BZ_V("{\"error\":\"plain JSON, not events\"}\n\n"), BZ_ESYNTAX, ""},
    {"ollama /api/chat", BZ_V("data: {\"done\":true}\n\n"), BZ_ESYNTAX, ""},
    {"ollama /api/chat", BZ_V("[1]\n"), BZ_ESYNTAX, ""},
    {"ollama /api/chat", BZ_V("{\"done\":true} {\"x\":1}\n"), BZ_ETRAILING, ""},
    {"ollama /api/chat", BZ_V("{\"a\":\"\r\"}\n"), BZ_ESYNTAX, ""},
    /* bad names */
    {"anthropic /v1/messages", BZ_V("event: a b\ndata: {}\n\n"), BZ_ESYNTAX, ""},
    {"anthropic /v1/messages", BZ_V("event: \xc3\xa9\ndata: {}\n\n"), BZ_ESYNTAX, ""},
    {"anthropic /v1/messages", BZ_V("event: a\nevent: b\ndata: {}\n\n"), BZ_ESYNTAX, ""},
    /* the server's own errors are replaced */
    {"openai " CHAT, BZ_V(D(CHUNK("x")) D("{\"error\":{\"message\":\"/etc/secret\"}}") DONE),
     BZ_EUNAVAIL, D(CHUNK("x"))},
    {"openai " CHAT, BZ_V(D("{\"\\u0065rror\":{\"message\":\"x\"}}") DONE), BZ_EUNAVAIL, ""},
    {"openai " CHAT, BZ_V(D("{ \"error\" : \"x\"}") DONE), BZ_EUNAVAIL, ""},
    {"vllm " CHAT, BZ_V(D("{\"object\":\"error\",\"message\":\"x\"}")), BZ_EUNAVAIL, ""},
    {"llama.cpp " CHAT, BZ_V("error: {\"code\":500,\"message\":\"x\"}\n\n"), BZ_EUNAVAIL, ""},
    {"llama.cpp /completion", BZ_V(D("{\"error\":{\"message\":\"x\"}}")), BZ_EUNAVAIL, ""},
    {"openai " CHAT, BZ_V("event: error\ndata: {\"a\":1}\n\n"), BZ_EUNAVAIL, ""},
    {"openai /v1/responses", BZ_V(E("error", "{\"type\":\"error\",\"message\":\"x\"}")),
     BZ_EUNAVAIL, ""},
    {"openai /v1/responses", BZ_V(D("{\"type\":\"error\",\"message\":\"x\"}")), BZ_EUNAVAIL, ""},
    {"openai /v1/responses",
     BZ_V(E("response.failed",
            "{\"type\":\"response.failed\",\"response\":{\"error\":{\"message\":\"x\"}}}")),
     BZ_EUNAVAIL, ""},
    {"anthropic /v1/messages", BZ_V(MSTART D("{\"type\":\"error\",\"error\":{\"message\":\"x\"}}")),
     BZ_EUNAVAIL, MSTART},
    {"ollama /api/chat", BZ_V("{\"error\":\"x\"}\n"), BZ_EUNAVAIL, ""},
    {"ollama /api/chat", BZ_V("{\"done\":false,\"err\\u006fr\":\"x\"}\n"), BZ_EUNAVAIL, ""},
};

static void broken_streams_end_in_an_error(void **state) {
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        const struct broken *b = &broken[i];
        struct result r = any_cut(b->route, b->route, false, b->in);
        if (r.st != b->st || !bz_view_eq(bz_buf_view(&r.out), bz_view_str(b->out)))
            fail_msg("%zu: %.*s: %s (%s), out %.*s", i, (int)b->in.n, (const char *)b->in.p,
                     bz_status_text(r.st), r.why == NULL ? "" : r.why, (int)r.out.n,
                     r.out.p == NULL ? "" : (const char *)r.out.p);
        bz_buf_free(&r.out);
    }
}

/* Model text cannot fake an event's meaning. */
static void text_is_only_text(void **state) {
    static const char *const texts[] = {
        "\\\"error\\\":{}", "\\\"done\\\":true",  "data: [DONE]",      "\\n\\ndata: [DONE]\\n\\n",
        "message_stop",     "response.completed", "\\\"stop\\\":true", "\\u0022error\\u0022:1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char in[1024];
        snprintf(in, sizeof in, "data: {\"type\":\"x\",\"stop\":false,\"text\":\"%s\"}\n\n",
                 texts[i]);
        static const char *const routes[] = {"openai /v1/chat/completions", "openai /v1/responses",
                                             "anthropic /v1/messages", "llama.cpp /completion"};
        for (size_t k = 0; k < 4; k++) {
            struct result r = run(routes[k], true, bz_view_str(in), 7, 11);
            assert_int_equal(r.st, BZ_ESYNTAX); /* no end was seen */
            assert_true(bz_view_eq(bz_buf_view(&r.out), bz_view_str(in)));
            bz_buf_free(&r.out);
        }
    }
}

static void big(size_t event, enum bz_status want, size_t step) {
    static const char head[] = "data: {\"a\":\"", tail[] = "\"}\n\n";
    struct bz_buf in;
    bz_buf_init(&in, 4u << 20);
    bz_buf_puts(&in, head);
    for (size_t n = sizeof head - 1 + sizeof tail - 1; n < event; n++)
        bz_buf_putc(&in, 'x');
    bz_buf_puts(&in, tail);
    assert_int_equal(in.n, event);
    bz_buf_puts(&in, DONE);
    struct result r = run("vllm " CHAT, false, bz_buf_view(&in), step, step);
    assert_int_equal(r.st, want);
    assert_int_equal(r.out.n, want == BZ_OK ? in.n : 0);
    bz_buf_free(&r.out);
    bz_buf_free(&in);
}

static void the_largest_event(void **state) {
    for (size_t step = 1000; step <= 3u << 20; step *= 50) {
        big(BZ_EVENT_MAX, BZ_OK, step);
        big(BZ_EVENT_MAX + 1, BZ_ETOOBIG, step);
    }
    /* without an end it fails as soon as it is too big */
    struct bz_buf in;
    bz_buf_init(&in, 4u << 20);
    while (in.n <= BZ_EVENT_MAX)
        bz_buf_putc(&in, 'x');
    struct result r = run("ollama /api/chat", false, bz_buf_view(&in), 5000, 5000);
    assert_int_equal(r.st, BZ_ETOOBIG);
    bz_buf_free(&r.out);
    bz_buf_free(&in);
}

/* Lines without end marks, marks without lines: time stays linear, or this does not end. */
static void hostile_shapes_cost_little(void **state) {
    static const char *const units[] = {"\r", "\n", ":\r", "a\r", "data\r", "data:\n", ": x\n"};
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        struct bz_buf in;
        bz_buf_init(&in, 4u << 20);
        while (in.n < 700000)
            bz_buf_puts(&in, units[u]);
        struct result r = run("vllm " CHAT, false, bz_buf_view(&in), 4096, 4096);
        assert_int_equal(r.st, BZ_ESYNTAX);
        bz_buf_free(&r.out);
        bz_buf_free(&in);
    }
}

static void *refuse(void *ctx, size_t n) {
    return NULL;
}

static void no_memory_is_an_error(void **state) {
    struct bz_stream s;
    struct bz_buf out;
    struct bz_arena ar;
    bz_buf_init(&out, 1 << 16);
    bz_stream_init(&s, route_of("vllm " CHAT), false);
    bz_arena_init(&ar, (struct bz_alloc){refuse, NULL, NULL}, 1 << 20, NULL, 0);
    /* a plain delta needs none */
    assert_int_equal(bz_stream_feed(&s, BZ_V(D(CHUNK("x"))), &ar, &out), BZ_OK);
    assert_int_equal(bz_stream_feed(&s, BZ_V(D(USAGE)), &ar, &out), BZ_ENOMEM);
    assert_true(s.failed);
    bz_stream_done(&s);
    bz_buf_free(&out);
    /* no room for the output */
    uint8_t few[16];
    bz_buf_init_fixed(&out, few, sizeof few);
    bz_stream_init(&s, route_of("vllm " CHAT), false);
    assert_int_equal(bz_stream_feed(&s, BZ_V(D(CHUNK("x"))), &ar, &out), BZ_ETOOBIG);
    assert_true(s.failed);
    bz_stream_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_in_every_cut),
        cmocka_unit_test(broken_streams_end_in_an_error),
        cmocka_unit_test(text_is_only_text),
        cmocka_unit_test(the_largest_event),
        cmocka_unit_test(hostile_shapes_cost_little),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
