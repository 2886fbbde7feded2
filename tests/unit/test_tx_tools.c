/* Clearances of tools through a whole transaction: tools that a request offers, tools that a reply
 * calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gw_fixture.h"

#define S(lit) ((char[]){lit})
#define N(a) (uint32_t)(sizeof(a) / sizeof((a)[0]))
#define CHAT "/v1/chat/completions"

/* Words of the house; all of them are recorded alone. */
static char *inside_words[] = {S("Egret")}, *mark_words[] = {S("Vorstandssache")};
static struct bz_custom_config customs[] = {
    {.name = S("W_INSIDE"),
     .words = inside_words,
     .words_n = 1,
     .whole_word = true,
     .level = BZ_LEVEL_INTERNAL},
    {.name = S("W_MARK"),
     .words = mark_words,
     .words_n = 1,
     .whole_word = true,
     .label = true,
     .level = BZ_LEVEL_RESTRICTED},
    {.name = S("W_FORM"), .pattern = S("zq[a-z]{6}qz"), .level = BZ_LEVEL_INTERNAL},
};
static struct bz_tool_config tools[] = {
    {.name = S("web_local"), .clearance = BZ_LEVEL_RESTRICTED},
    {.name = S("web_*"), .clearance = BZ_LEVEL_PUBLIC},
    {.name = S("mail"), .clearance = BZ_LEVEL_INTERNAL},
};
static struct gw with, without, ollama;

static int open_all(void **state) {
    (void)state;
    const struct bz_data_config data = {
        .restore_s = 600, .hold_ms = 2000, .custom = customs, .custom_n = N(customs)};
    return gw_open_tools(&with, GW_LLAMA, &data, tools, N(tools)) &&
                   gw_open_tools(&ollama, GW_OLLAMA, &data, tools, N(tools)) &&
                   gw_open_data(&without, GW_LLAMA, &data)
               ? 0
               : -1;
}

static int close_all(void **state) {
    (void)state;
    gw_close(&with);
    gw_close(&without);
    gw_close(&ollama);
    return 0;
}

struct run {
    struct gw *gw;
    struct gw_heap heap;
    struct bz_tx *tx;
    enum bz_verdict verdict;
    struct bz_buf out;
};

static void send_to(struct run *r, struct gw *gw, const char *path, const char *body,
                    const char *label) {
    struct gw_req q;
    struct bz_backend b;
    *r = (struct run){.gw = gw};
    gw_req_init(&q, gw, GW_USER, "POST", path, body);
    if (label != NULL)
        gw_req_header(&q, "x-bartizan-label", label);
    r->tx = gw_send(gw, &q, gw_heap_alloc(&r->heap), &r->verdict);
    bz_buf_init(&r->out, 1u << 20);
    if (r->verdict != BZ_VERDICT_FORWARD)
        return;
    assert_true(bz_tx_backend(r->tx, gw_now(gw), &b));
    bz_tx_drop_body(r->tx);
}

static void done(struct run *r) {
    bz_tx_free(r->tx);
    assert_int_equal(r->heap.live, 0);
    bz_buf_free(&r->out);
}

static bool in_reply(const struct run *r, const char *text) {
    return gw_contains(bz_tx_reply(r->tx)->body, text);
}

/* ---- requests ---- */

/* %1$s: the text; %2$s: a name, that of the second tool. */
#define TOOL(n) "{\"type\":\"function\",\"function\":{\"name\":\"" n "\",\"parameters\":{}}}"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static const struct {
    const char *path, *body, *param;
    bool ollama;
} forms[] = {
    {CHAT,
     "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"%1$s\"}],"
     "\"tools\":[" TOOL("ask") "," TOOL("%2$s") "]}",
     "tools[1]", false},
    {CHAT,
     "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"%1$s\"}],"
     "\"tools\":[" TOOL("ask") ",{\"type\":\"custom\",\"custom\":{\"name\":\"%2$s\"}}]}",
     "tools[1]", false},
    {CHAT,
     "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"%1$s\"}],"
     "\"functions\":[{\"name\":\"ask\",\"parameters\":{}},{\"name\":\"%2$s\",\"parameters\":{}}]}",
     "functions[1]", false},
    {CHAT, /* the level may come from anywhere, the last text as well */
     "{\"model\":\"tiny\",\"tools\":[" TOOL("ask") "," TOOL(
         "%2$s") "],"
                 "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"user\":\"%1$s\"}",
     "tools[1]", false},
    {"/v1/responses",
     "{\"model\":\"tiny\",\"input\":\"%1$s\",\"tools\":[{\"type\":\"function\",\"name\":\"ask\","
     "\"parameters\":{}},{\"type\":\"function\",\"name\":\"%2$s\",\"parameters\":{}}]}",
     "tools[1]", false},
    {"/v1/messages",
     "{\"model\":\"tiny\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"%1$s\"}],"
     "\"tools\":[{\"name\":\"ask\",\"input_schema\":{\"type\":\"object\"}},"
     "{\"name\":\"%2$s\",\"input_schema\":{\"type\":\"object\"}}]}",
     "tools[1]", false},
    {"/api/chat",
     "{\"model\":\"qwen:7b\",\"messages\":[{\"role\":\"user\",\"content\":\"%1$s\"}],"
     "\"tools\":[" TOOL("ask") "," TOOL("%2$s") "]}",
     "tools[1]", true},
};

static const struct {
    const char *text, *tool, *said; /* NULL: passes */
} offers[] = {
    {"hi", "web_get", NULL},
    {"an Egret", "web_get", "The tool web_get is cleared for PUBLIC, the request is INTERNAL."},
    {"an Egret", "web_local", NULL}, /* the first line that fits */
    {"an Egret", "mail", NULL},      /* as high as its clearance */
    {"an Egret", "web", NULL},       /* no line */
    {"Vorstandssache", "mail", "The tool mail is cleared for INTERNAL, the request is RESTRICTED."},
    {"Vorstandssache", "web_local", NULL},
    {"Vorstandssache", "mailer", NULL},
};

static void one_offer(struct gw *gw, size_t form, size_t offer, const char *said) {
    char body[1024];
    struct run r;
    int n = snprintf(body, sizeof body, forms[form].body, offers[offer].text, offers[offer].tool);
    assert_in_range(n, 1, sizeof body - 1);
    send_to(&r, gw, forms[form].path, body, NULL);
    if (said == NULL) {
        if (r.verdict != BZ_VERDICT_FORWARD)
            print_error("%s\n%.*s\n", body, (int)bz_tx_reply(r.tx)->body.n,
                        (const char *)bz_tx_reply(r.tx)->body.p);
        assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
    } else {
        assert_int_equal(r.verdict, BZ_VERDICT_REFUSE);
        assert_int_equal(bz_tx_reply(r.tx)->status, 403);
        assert_true(in_reply(&r, said));
        assert_true(in_reply(&r, "Take the tool out of the request"));
        if (strncmp(forms[form].path, "/v1/chat", 8) == 0) {
            assert_true(in_reply(&r, "label_above_clearance"));
            assert_true(in_reply(&r, forms[form].param));
            assert_false(in_reply(&r, "].function"));
        }
    }
    done(&r);
}

static void a_tool_is_not_offered_above_its_clearance(void **state) {
    for (size_t f = 0; f < N(forms); f++)
        for (size_t o = 0; o < N(offers); o++)
            one_offer(forms[f].ollama ? &ollama : &with, f, o, offers[o].said);
}

static void without_tools_in_the_policy_nothing_changes(void **state) {
    for (size_t f = 0; f < N(forms); f++)
        for (size_t o = 0; o < N(offers) && !forms[f].ollama; o++)
            one_offer(&without, f, o, NULL);
}

#define ASK(more)                                                                                  \
    "{\"model\":\"tiny\"" more ",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
#define OFFER(n) ASK(",\"tools\":[" TOOL(n) "]")

static void the_clients_own_label_counts(void **state) {
    struct run r;
    send_to(&r, &with, CHAT, OFFER("mail"), "INTERNAL");
    assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
    done(&r);
    send_to(&r, &with, CHAT, OFFER("mail"), "CONFIDENTIAL");
    assert_int_equal(r.verdict, BZ_VERDICT_REFUSE);
    assert_true(in_reply(&r, "another x-bartizan-label"));
    done(&r);
}

/* Of several tools the one with the lowest clearance is named. */
static void the_lowest_decides(void **state) {
    struct run r;
    send_to(
        &r, &with, CHAT,
        ASK(",\"tools\":[" TOOL("mail") "," TOOL("ask") "," TOOL("web_1") "," TOOL("web_2") "]"),
        "RESTRICTED");
    assert_int_equal(r.verdict, BZ_VERDICT_REFUSE);
    assert_true(in_reply(&r, "web_1"));
    assert_true(in_reply(&r, "tools[2]"));
    done(&r);
}

/* What was called before is told, not offered. */
static void calls_of_the_past_do_not_matter(void **state) {
    struct run r;
    send_to(&r, &with, CHAT,
            "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"an Egret\"},"
            "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c\",\"type\":"
            "\"function\",\"function\":{\"name\":\"web_get\",\"arguments\":\"{}\"}}]},"
            "{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"done\"}]}",
            NULL);
    assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
    done(&r);
}

static void the_record_says_why(void **state) {
    struct run r;
    struct bz_record rec;
    uint8_t mem[BZ_RECORD_MAX];
    size_t n;
    send_to(&r, &with, CHAT, OFFER("web_get"), "INTERNAL");
    assert_true(gw_record(&with, r.tx, BZ_RECORD_DECISION, mem, &rec, &n));
    assert_true(bz_view_eq(rec.reason, BZ_V("label_above_clearance")));
    assert_true(gw_contains(rec.detail, "a tool that it offers"));
    assert_true(bz_view_eq(rec.label, BZ_V("INTERNAL")));
    done(&r);
}

/* ---- whole replies ---- */

#define CALL(name, arguments)                                                                      \
    "\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"" name           \
    "\",\"arguments\":\"" arguments "\"}}]"
#define REPLY(message)                                                                             \
    "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\"," message                      \
    "},\"finish_reason\":\"tool_calls\"}]}"
static const struct {
    const char *label, *path, *ask, *reply;
    bool passes;
} replies[] = {
    {NULL, CHAT, ASK(), REPLY("\"content\":null," CALL("web_get", "{}")), true},
    {"INTERNAL", CHAT, ASK(), REPLY("\"content\":null," CALL("web_get", "{}")), false},
    {"INTERNAL", CHAT, ASK(), REPLY("\"content\":null," CALL("mail", "{}")), true},
    {"RESTRICTED", CHAT, ASK(), REPLY("\"content\":null," CALL("web_local", "{}")), true},
    {"RESTRICTED", CHAT, ASK(), REPLY("\"content\":\"web_get and mail\""), true},
    {NULL, CHAT, ASK(), REPLY("\"content\":\"an Egret\""), true},
    {NULL, CHAT, ASK(), REPLY("\"content\":\"an Egret\"," CALL("web_get", "{}")), false},
    {NULL, CHAT, ASK(), REPLY("\"content\":\"an Egret\"," CALL("mail", "{}")), true},
    {NULL, CHAT, ASK(), REPLY("\"content\":null," CALL("web_get", "{\\\"q\\\":\\\"Egret\\\"}")),
     false},
    {NULL, CHAT, ASK(), REPLY("\"content\":null," CALL("mail", "{\\\"q\\\":\\\"Egret\\\"}")), true},
    {NULL, CHAT, ASK(),
     REPLY("\"content\":null,\"function_call\":{\"name\":\"web_get\",\"arguments\":\"Egret\"}"),
     false},
    {NULL, CHAT, ASK(),
     REPLY(
         "\"content\":null,\"tool_calls\":[{\"id\":\"c\",\"type\":\"custom\",\"custom\":{\"name\":"
         "\"web_get\",\"input\":\"Egret\"}}]"),
     false},
    {"INTERNAL", "/v1/responses", "{\"model\":\"tiny\",\"input\":\"hi\"}",
     "{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"model\":\"tiny\",\"output\":"
     "[{\"type\":\"function_call\",\"id\":\"f\",\"call_id\":\"c\",\"name\":\"web_get\","
     "\"arguments\":\"{}\",\"status\":\"completed\"}]}",
     false},
    {"INTERNAL", "/v1/messages",
     "{\"model\":\"tiny\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
     "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"tiny\",\"content\":[{"
     "\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"web_get\",\"input\":{}}],\"stop_reason\":"
     "\"tool_use\"}",
     false},
};

static void a_reply_calls_no_tool_above_its_clearance(void **state) {
    static const struct bz_reply_head h = {200, BZ_V("application/json"), {NULL, 0}, -1};
    for (size_t i = 0; i < N(replies); i++) {
        struct run r;
        send_to(&r, &with, replies[i].path, replies[i].ask, replies[i].label);
        assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
        (void)gw_reply(&with, r.tx, &h, bz_view_str(replies[i].reply), 7, true, &r.out);
        if (bz_tx_reply(r.tx)->status != (replies[i].passes ? 200 : 403))
            print_error("%s\n", replies[i].reply);
        assert_int_equal(bz_tx_reply(r.tx)->status, replies[i].passes ? 200 : 403);
        if (!replies[i].passes) {
            assert_false(in_reply(&r, "web_get"));
            assert_true(in_reply(&r, "a tool that it calls"));
        }
        done(&r);
    }
}

/* ---- streams ---- */

#define CHUNK(delta, end)                                                                          \
    "data: {\"choices\":[{\"index\":0,\"delta\":{" delta "},\"finish_reason\":" end "}]}\n\n"
#define BEGIN(name)                                                                                \
    CHUNK("\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"type\":\"function\",\"function\":{"         \
          "\"name\":\"" name "\",\"arguments\":\"\"}}]",                                           \
          "null")
#define MORE(text)                                                                                 \
    CHUNK("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"" text "\"}}]", "null")
#define TEXT(text) CHUNK("\"content\":\"" text "\"", "null")
#define LONG "fields and meadows and woods and rivers and all that lies between them"
#define END CHUNK("", "\"tool_calls\"") "data: [DONE]\n\n"
#define OFFER_STREAM ASK(",\"stream\":true,\"tools\":[" TOOL("web_get") "," TOOL("mail") "]")
#define EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"," rest "}\n\n"
static const struct {
    const char *label, *path, *ask, *sse;
    const char *never; /* must not leave; NULL: all of it leaves as it came */
} streams[] = {
    {NULL, CHAT, ASK(",\"stream\":true"), TEXT("hi") BEGIN("web_get") MORE("{}") END, NULL},
    {"INTERNAL", CHAT, ASK(",\"stream\":true"), TEXT("hi") BEGIN("web_get") MORE("{}") END,
     "web_get"},
    {"INTERNAL", CHAT, ASK(",\"stream\":true"), TEXT("hi") BEGIN("mail") MORE("{}") END, NULL},
    {NULL, CHAT, ASK(",\"stream\":true"),
     TEXT("an Egret flies over " LONG LONG LONG LONG LONG LONG) BEGIN("web_get") MORE("{}") END,
     "web_get"}, /* more than is looked at together */
    {NULL, CHAT, ASK(",\"stream\":true"), TEXT("an Egret flies") BEGIN("mail") MORE("{}") END,
     NULL},
    {NULL, CHAT, ASK(",\"stream\":true"), TEXT("an Egret flies") END, NULL},
    {NULL, CHAT, ASK(",\"stream\":true"),
     BEGIN("web_get") MORE("{\\\"q\\\":\\\"the Egret flies\\\"}") END, "\"tool_calls\"}]"},
    /* offered: the text waits until its level is known */
    {NULL, CHAT, OFFER_STREAM, TEXT("an Egret") BEGIN("web_get") MORE("{}") END, "web_get"},
    {NULL, CHAT, OFFER_STREAM, TEXT("an Eg") TEXT("ret ") TEXT("flies") BEGIN("web_get") END,
     "web_get"},
    {NULL, CHAT, OFFER_STREAM, BEGIN("web_get") MORE("the ") MORE("Eg") MORE("ret") MORE(" x") END,
     "Eg"},
    {NULL, CHAT, OFFER_STREAM, BEGIN("web_get") MORE("the Egret flies") END, "Egret"},
    {NULL, CHAT, OFFER_STREAM, BEGIN("web_get") MORE("of zqab") MORE("cdef") MORE("qz ") END,
     "zqab"},
    {NULL, CHAT, OFFER_STREAM, BEGIN("web_get") MORE("of zqab") MORE("cdef") MORE(" ") END, NULL},
    {NULL, CHAT, OFFER_STREAM, BEGIN("web_get") MORE("no Egrets, regrets") END, NULL},
    {NULL, CHAT, OFFER_STREAM, TEXT("an Egret") END, NULL},
    {NULL, CHAT, OFFER_STREAM, BEGIN("mail") MORE("Egret") END, NULL},
    /* not offered: what is only recorded is told late, but before the call ends */
    {NULL, CHAT, ASK(",\"stream\":true"), TEXT("an Egret") BEGIN("web_get") MORE("{}") END,
     "\"tool_calls\"}]"},
    {NULL, CHAT, ASK(",\"stream\":true"), BEGIN("web_get") MORE("Vorstandssache") END,
     "\"tool_calls\"}]"},
    {"INTERNAL", "/v1/responses", "{\"model\":\"tiny\",\"stream\":true,\"input\":\"hi\"}",
     EVENT("response.output_item.added",
           "\"output_index\":0,\"item\":{\"type\":\"function_call\",\"id\":\"f\",\"call_id\":\"c\","
           "\"name\":\"web_get\",\"arguments\":\"\",\"status\":\"in_progress\"}"),
     "web_get"},
    {"INTERNAL", "/v1/messages",
     "{\"model\":\"tiny\",\"max_tokens\":9,\"stream\":true,\"messages\":[{\"role\":\"user\","
     "\"content\":\"hi\"}]}",
     EVENT("message_start", "\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\","
                            "\"content\":[],\"model\":\"tiny\",\"stop_reason\":null}")
         EVENT("content_block_start", "\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":"
                                      "\"c\",\"name\":\"web_get\",\"input\":{}}"),
     "web_get"},
};

static void a_stream_calls_no_tool_above_its_clearance(void **state) {
    static const struct bz_reply_head h = {200, BZ_V("text/event-stream"), {NULL, 0}, -1};
    for (size_t i = 0; i < N(streams); i++) {
        for (size_t cut = 0; cut < 120; cut += 17) {
            struct run r;
            struct bz_view sse = bz_view_str(streams[i].sse);
            send_to(&r, &with, streams[i].path, streams[i].ask, streams[i].label);
            assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
            enum bz_status st = gw_reply(&with, r.tx, &h, sse, cut, true, &r.out);
            if (st != (streams[i].never == NULL ? BZ_OK : BZ_EDENIED))
                print_error("%zu: %.*s\n", i, (int)r.out.n, (const char *)r.out.p);
            if (streams[i].never == NULL) {
                assert_int_equal(st, BZ_OK);
                assert_true(bz_view_eq(bz_buf_view(&r.out), sse));
            } else {
                assert_int_equal(st, BZ_EDENIED);
                if (gw_contains(bz_buf_view(&r.out), streams[i].never))
                    print_error("%zu: %.*s\n", i, (int)r.out.n, (const char *)r.out.p);
                assert_false(gw_contains(bz_buf_view(&r.out), streams[i].never));
                assert_false(gw_contains(bz_buf_view(&r.out), "[DONE]"));
                assert_true(gw_contains(bz_buf_view(&r.out), "a tool that it calls"));
            }
            done(&r);
        }
    }
}

/* Only where it matters: a tool is offered that is not cleared for what the text may become. */
static void text_waits_for_its_level(void **state) {
    static const struct bz_reply_head h = {200, BZ_V("text/event-stream"), {NULL, 0}, -1};
    static const struct {
        const char *ask, *text;
        bool waits;
    } all[] = {
        {ASK(",\"stream\":true"), "of zqab", false},
        {ASK(",\"stream\":true,\"tools\":[" TOOL("ask") "]"), "of zqab", false},
        {ASK(",\"stream\":true,\"tools\":[" TOOL("mail") "]"), "of zqab", false},
        {OFFER_STREAM, "of zqab", true},
        {OFFER_STREAM, "an egg ", false},
    };
    for (size_t i = 0; i < N(all); i++) {
        struct run r;
        struct bz_buf sse;
        bz_buf_init(&sse, 1024);
        bz_buf_printf(&sse, TEXT("%s"), all[i].text);
        send_to(&r, &with, CHAT, all[i].ask, NULL);
        assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
        (void)bz_tx_reply_head(r.tx, &h, gw_now(&with));
        assert_int_equal(bz_tx_reply_feed(r.tx, bz_buf_view(&sse), &r.out, gw_now(&with)), BZ_OK);
        if ((r.out.n == 0) != all[i].waits)
            print_error("%zu\n", i);
        assert_int_equal(r.out.n, all[i].waits ? 0 : sse.n);
        bz_buf_free(&sse);
        done(&r);
    }
}

static void ollamas_streams_likewise(void **state) {
    static const struct bz_reply_head h = {200, BZ_V("application/x-ndjson"), {NULL, 0}, -1};
    static const char lines[] =
        "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{"
        "\"function\":{\"name\":\"web_get\",\"arguments\":{}}}]},\"done\":false}\n"
        "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true}\n";
    static const char ask[] =
        "{\"model\":\"qwen:7b\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    for (int above = 0; above < 2; above++) {
        struct run r;
        send_to(&r, &ollama, "/api/chat", ask, above ? "INTERNAL" : NULL);
        assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
        assert_int_equal(gw_reply(&ollama, r.tx, &h, bz_view_str(lines), 9, true, &r.out),
                         above ? BZ_EDENIED : BZ_OK);
        assert_int_equal(gw_contains(bz_buf_view(&r.out), "web_get"), !above);
        done(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tool_is_not_offered_above_its_clearance),
        cmocka_unit_test(without_tools_in_the_policy_nothing_changes),
        cmocka_unit_test(the_clients_own_label_counts),
        cmocka_unit_test(the_lowest_decides),
        cmocka_unit_test(calls_of_the_past_do_not_matter),
        cmocka_unit_test(the_record_says_why),
        cmocka_unit_test(a_reply_calls_no_tool_above_its_clearance),
        cmocka_unit_test(a_stream_calls_no_tool_above_its_clearance),
        cmocka_unit_test(text_waits_for_its_level),
        cmocka_unit_test(ollamas_streams_likewise),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
