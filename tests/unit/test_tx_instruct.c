/* The system prompt that is ours, through whole transactions: what the model server gets, per API and
 * per treatment of what the client wrote, streamed and not; and what replies do not repeat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gw_fixture.h"

#define OURS "Answer as the bank does."
#define CHAT "/v1/chat/completions"

struct run {
    struct gw gw;
    struct gw_heap heap;
    struct bz_tx *tx;
    enum bz_verdict verdict;
    struct bz_buf out;
};

static void open_with(struct run *r, enum gw_setup setup, const struct bz_prompt_rule *rules,
                      size_t n) {
    struct bz_view blobs[BZ_BLOB_COUNT] = {{NULL, 0}};
    struct bz_buf prompts;
    memset(r, 0, sizeof *r);
    bz_buf_init(&prompts, 1u << 20);
    assert_int_equal(bz_prompts_compile(rules, n, NULL, 0, &prompts), BZ_OK);
    blobs[BZ_BLOB_PROMPTS] = bz_buf_view(&prompts);
    assert_true(gw_open_blobs(&r->gw, setup, NULL, blobs, NULL));
    bz_buf_free(&prompts);
}

static void post(struct run *r, const char *path, const char *body) {
    struct gw_req q;
    gw_req_init(&q, &r->gw, GW_USER, "POST", path, body);
    r->tx = gw_send(&r->gw, &q, gw_heap_alloc(&r->heap), &r->verdict);
    bz_buf_init(&r->out, 1u << 20);
}

static void forget(struct run *r) {
    bz_tx_free(r->tx);
    r->tx = NULL;
    assert_int_equal(r->heap.live, 0);
    bz_buf_free(&r->out);
}

static void done(struct run *r) {
    forget(r);
    gw_close(&r->gw);
}

static struct bz_prompt_rule rule(enum bz_client_system client) {
    return (struct bz_prompt_rule){.id = BZ_V("bank@3:0123456789abcdef"),
                                   .text = BZ_V(OURS),
                                   .client = client,
                                   .tokens = BZ_TOKENS_BLOCK};
}

/* What is forwarded has these texts, each, in this order ("a|b|c"). */
static void in_order(struct bz_view body, const char *texts, const char *what) {
    char copy[512];
    size_t at = 0;
    (void)snprintf(copy, sizeof copy, "%s", texts);
    for (char *save = NULL, *t = strtok_r(copy, "|", &save); t != NULL;
         t = strtok_r(NULL, "|", &save)) {
        const uint8_t *hit = memmem(body.p + at, body.n - at, t, strlen(t));
        if (hit == NULL)
            fail_msg("%s: no %s in %.*s", what, t, (int)body.n, (const char *)body.p);
        at = (size_t)(hit - body.p) + strlen(t);
    }
}

#define R "{\"role\":"
struct one {
    const char *name;
    enum gw_setup setup;
    const char *path, *body;
    const char *want[BZ_CLIENT_SYSTEM_COUNT]; /* NULL: refused */
};
static const struct one all[] = {
    {"chat",
     GW_LLAMA,
     CHAT,
     "{\"model\":\"tiny\",\"messages\":[" R "\"system\",\"content\":\"Theirs.\"}," R
     "\"user\",\"content\":\"Hello\"}]}",
     {[BZ_CLIENT_SYSTEM_KEEP] = "[" R "\"system\",\"content\":\"" OURS "\\n\\nTheirs.\"}," R
                                "\"user\",\"content\":\"Hello\"}]",
      [BZ_CLIENT_SYSTEM_DEMOTE] = "[" R "\"system\",\"content\":\"" OURS "\"}," R
                                  "\"user\",\"content\":\"Theirs.\\n\\nHello\"}]",
      [BZ_CLIENT_SYSTEM_DROP] =
          "[" R "\"system\",\"content\":\"" OURS "\"}," R "\"user\",\"content\":\"Hello\"}]"}},
    {"chat, no system",
     GW_LLAMA,
     CHAT,
     "{\"model\":\"tiny\",\"messages\":[" R "\"user\",\"content\":\"Hello\"}]}",
     {[BZ_CLIENT_SYSTEM_KEEP] =
          "[" R "\"system\",\"content\":\"" OURS "\"}," R "\"user\",\"content\":\"Hello\"}]",
      [BZ_CLIENT_SYSTEM_DEMOTE] = "[" R "\"system\",\"content\":\"" OURS "\"}," R,
      [BZ_CLIENT_SYSTEM_DROP] = "[" R "\"system\",\"content\":\"" OURS "\"}," R,
      [BZ_CLIENT_SYSTEM_REFUSE] = "[" R "\"system\",\"content\":\"" OURS "\"}," R}},
    {"chat, several, in parts, late",
     GW_LLAMA,
     CHAT,
     "{\"messages\":[" R "\"system\",\"content\":\"One.\"}," R
     "\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"Two.\"},{\"type\":\"text\","
     "\"text\":\"Three.\"}]}," R "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hello\"}]}," R
     "\"assistant\",\"content\":\"Hm.\"}," R
     "\"system\",\"content\":\"Late.\"}],\"model\":\"tiny\"}",
     {[BZ_CLIENT_SYSTEM_KEEP] =
          "[" R "\"system\",\"content\":\"" OURS "\\n\\nOne.\\n\\nTwo.\\nThree.\"}," R
          "\"user\"|Hello|Hm.|" R "\"system\",\"content\":\"Late.\"}]",
      [BZ_CLIENT_SYSTEM_DEMOTE] =
          "[" R "\"system\",\"content\":\"" OURS "\"}," R
          "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"One.\\nTwo.\\nThree.\"},{\"type\":"
          "\"text\",\"text\":\"Hello\"}]}," R "\"assistant\",\"content\":\"Hm.\"}," R
          "\"user\",\"content\":\"Late.\"}]",
      [BZ_CLIENT_SYSTEM_DROP] = "[" R "\"system\",\"content\":\"" OURS "\"}," R
                                "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hello\"}]}," R
                                "\"assistant\",\"content\":\"Hm.\"}]"}},
    {"responses",
     GW_LLAMA,
     "/v1/responses",
     "{\"model\":\"tiny\",\"instructions\":\"Theirs.\",\"input\":\"Hello\"}",
     {[BZ_CLIENT_SYSTEM_KEEP] = "\"instructions\":\"" OURS "\\n\\nTheirs.\",\"input\":\"Hello\"",
      [BZ_CLIENT_SYSTEM_DEMOTE] = "\"instructions\":\"" OURS "\",\"input\":\"Theirs.\\n\\nHello\"",
      [BZ_CLIENT_SYSTEM_DROP] = "\"instructions\":\"" OURS "\",\"input\":\"Hello\""}},
    {"responses, items",
     GW_LLAMA,
     "/v1/responses",
     "{\"model\":\"tiny\",\"input\":[" R "\"developer\",\"content\":\"Dev.\"}," R
     "\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"Hello\"}]}],"
     "\"instructions\":\"Theirs.\"}",
     {[BZ_CLIENT_SYSTEM_KEEP] = "[" R "\"developer\",\"content\":\"Dev.\"}|Hello|\"instructions\":"
                                "\"" OURS "\\n\\nTheirs.\"",
      [BZ_CLIENT_SYSTEM_DEMOTE] =
          "[" R "\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"Theirs.\"},{\"type\":"
          "\"input_text\",\"text\":\"Dev.\"},{\"type\":\"input_text\",\"text\":\"Hello\"}]}]|"
          "\"instructions\":\"" OURS "\"",
      [BZ_CLIENT_SYSTEM_DROP] = "[" R "\"user\",\"content\":[{\"type\":\"input_text\",\"text\":"
                                "\"Hello\"}]}]|\"instructions\":\"" OURS "\""}},
    {"anthropic",
     GW_MIXED,
     "/v1/messages",
     "{\"model\":\"claude\",\"max_tokens\":9,\"system\":\"Theirs.\",\"messages\":[" R
     "\"user\",\"content\":\"Hello\"}]}",
     {[BZ_CLIENT_SYSTEM_KEEP] = "\"system\":\"" OURS "\\n\\nTheirs.\"|\"Hello\"",
      [BZ_CLIENT_SYSTEM_DEMOTE] =
          "\"system\":\"" OURS "\"|" R "\"user\",\"content\":\"Theirs.\\n\\nHello\"",
      [BZ_CLIENT_SYSTEM_DROP] = "\"system\":\"" OURS "\"|" R "\"user\",\"content\":\"Hello\""}},
    {"anthropic, blocks and a message",
     GW_MIXED,
     "/v1/messages",
     "{\"model\":\"claude\",\"max_tokens\":9,\"system\":[{\"type\":\"text\",\"text\":\"Theirs.\","
     "\"cache_control\":{\"type\":\"ephemeral\"}}],\"messages\":[" R
     "\"system\",\"content\":\"Sly.\"}," R "\"user\",\"content\":\"Hello\"}]}",
     {[BZ_CLIENT_SYSTEM_KEEP] =
          "\"system\":[{\"type\":\"text\",\"text\":\"" OURS
          "\"},{\"type\":\"text\",\"text\":\"Theirs.\",\"cache_control\"|Sly.",
      [BZ_CLIENT_SYSTEM_DEMOTE] =
          "\"system\":\"" OURS "\"|" R "\"user\",\"content\":\"Theirs.\\n\\nSly.\\n\\nHello\"",
      [BZ_CLIENT_SYSTEM_DROP] =
          "\"system\":\"" OURS "\",\"messages\":[" R "\"user\",\"content\":\"Hello\"}]"}},
    {"anthropic, counting",
     GW_LLAMA,
     "/v1/messages/count_tokens",
     "{\"model\":\"tiny\",\"system\":\"Theirs.\",\"messages\":[" R
     "\"user\",\"content\":\"Hello\"}]}",
     {[BZ_CLIENT_SYSTEM_KEEP] = "\"system\":\"" OURS "\\n\\nTheirs.\"",
      [BZ_CLIENT_SYSTEM_DEMOTE] = "\"system\":\"" OURS "\"|Theirs.\\n\\nHello",
      [BZ_CLIENT_SYSTEM_DROP] = "\"system\":\"" OURS "\"|\"Hello\""}},
    {"ollama chat",
     GW_OLLAMA,
     "/api/chat",
     "{\"model\":\"qwen:7b\",\"messages\":[" R "\"system\",\"content\":\"Theirs.\"}," R
     "\"user\",\"content\":\"Hello\"}]}",
     {[BZ_CLIENT_SYSTEM_KEEP] = "[" R "\"system\",\"content\":\"" OURS "\\n\\nTheirs.\"}," R,
      [BZ_CLIENT_SYSTEM_DEMOTE] = "[" R "\"system\",\"content\":\"" OURS "\"}," R
                                  "\"user\",\"content\":\"Theirs.\\n\\nHello\"}]",
      [BZ_CLIENT_SYSTEM_DROP] =
          "[" R "\"system\",\"content\":\"" OURS "\"}," R "\"user\",\"content\":\"Hello\"}]"}},
    {"ollama generate",
     GW_OLLAMA,
     "/api/generate",
     "{\"model\":\"qwen:7b\",\"prompt\":\"Hello\",\"system\":\"Theirs.\"}",
     {[BZ_CLIENT_SYSTEM_KEEP] = "\"prompt\":\"Hello\",\"system\":\"" OURS "\\n\\nTheirs.\"",
      [BZ_CLIENT_SYSTEM_DEMOTE] = "\"prompt\":\"Theirs.\\n\\nHello\",\"system\":\"" OURS "\"",
      [BZ_CLIENT_SYSTEM_DROP] = "\"prompt\":\"Hello\",\"system\":\"" OURS "\""}},
    {"completions",
     GW_LLAMA,
     "/v1/completions",
     "{\"model\":\"tiny\",\"prompt\":\"Once\"}",
     {[BZ_CLIENT_SYSTEM_KEEP] = "\"prompt\":\"" OURS "\\n\\nOnce\"",
      [BZ_CLIENT_SYSTEM_DEMOTE] = "\"prompt\":\"" OURS "\\n\\nOnce\"",
      [BZ_CLIENT_SYSTEM_DROP] = "\"prompt\":\"" OURS "\\n\\nOnce\"",
      [BZ_CLIENT_SYSTEM_REFUSE] = "\"prompt\":\"" OURS "\\n\\nOnce\""}},
    {"completions, a list",
     GW_LLAMA,
     "/v1/completions",
     "{\"model\":\"tiny\",\"prompt\":[\"Once\",\"Twice\"]}",
     {[BZ_CLIENT_SYSTEM_KEEP] = "[\"" OURS "\\n\\nOnce\",\"" OURS "\\n\\nTwice\"]",
      [BZ_CLIENT_SYSTEM_DEMOTE] = "[\"" OURS "\\n\\nOnce\",\"" OURS "\\n\\nTwice\"]",
      [BZ_CLIENT_SYSTEM_DROP] = "[\"" OURS "\\n\\nOnce\",\"" OURS "\\n\\nTwice\"]",
      [BZ_CLIENT_SYSTEM_REFUSE] = "[\"" OURS "\\n\\nOnce\",\"" OURS "\\n\\nTwice\"]"}},
    {"llama.cpp completion",
     GW_LLAMA,
     "/completion",
     "{\"prompt\":\"Once\",\"model\":\"tiny\"}",
     {[BZ_CLIENT_SYSTEM_KEEP] = "\"prompt\":\"" OURS "\\n\\nOnce\"",
      [BZ_CLIENT_SYSTEM_DEMOTE] = "\"prompt\":\"" OURS "\\n\\nOnce\"",
      [BZ_CLIENT_SYSTEM_DROP] = "\"prompt\":\"" OURS "\\n\\nOnce\"",
      [BZ_CLIENT_SYSTEM_REFUSE] = "\"prompt\":\"" OURS "\\n\\nOnce\""}},
};
enum { ALL = sizeof all / sizeof all[0] };

/* The same body, asking for the other kind of reply. */
static void flip_stream(const char *body, bool ollama, char out[2048]) {
    assert_true(snprintf(out, 2048, "{\"stream\":%s,%s", ollama ? "false" : "true", body + 1) > 0);
}

static void check_one(const struct one *o, enum bz_client_system client, bool flip) {
    struct run r;
    struct bz_prompt_rule ours = rule(client);
    char body[2048], what[128];
    bool ollama = strncmp(o->path, "/api/", 5) == 0, counts = strstr(o->path, "count") != NULL;
    (void)snprintf(what, sizeof what, "%s, client %d%s", o->name, client, flip ? ", flipped" : "");
    (void)snprintf(body, sizeof body, "%s", o->body);
    if (flip && !counts)
        flip_stream(o->body, ollama, body);
    open_with(&r, o->setup, &ours, 1);
    post(&r, o->path, body);
    if (o->want[client] == NULL) {
        assert_int_equal(r.verdict, BZ_VERDICT_REFUSE);
        assert_int_equal(bz_tx_reply(r.tx)->status, 403);
        if (!ollama && !gw_contains(bz_tx_reply(r.tx)->body, "system"))
            fail_msg("%s: %.*s", what, (int)bz_tx_reply(r.tx)->body.n,
                     (const char *)bz_tx_reply(r.tx)->body.p);
    } else {
        if (r.verdict != BZ_VERDICT_FORWARD)
            fail_msg("%s: %.*s", what, (int)bz_tx_reply(r.tx)->body.n,
                     (const char *)bz_tx_reply(r.tx)->body.p);
        in_order(bz_tx_forward(r.tx)->body, o->want[client], what);
    }
    done(&r);
}

static void test_every_api(void **state) {
    (void)state;
    for (size_t i = 0; i < ALL; i++)
        for (int c = 0; c < BZ_CLIENT_SYSTEM_COUNT; c++)
            for (int flip = 0; flip < 2; flip++)
                check_one(&all[i], (enum bz_client_system)c, flip == 1);
}

/* Without a prompt of ours the client's own is treated all the same. */
static void test_treatment_alone(void **state) {
    struct run r;
    struct bz_prompt_rule none = {.client = BZ_CLIENT_SYSTEM_DROP};
    (void)state;
    open_with(&r, GW_LLAMA, &none, 1);
    post(&r, CHAT,
         "{\"model\":\"tiny\",\"messages\":[" R "\"system\",\"content\":\"Theirs.\"}," R
         "\"user\",\"content\":\"Hello\"}]}");
    assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
    in_order(bz_tx_forward(r.tx)->body, "\"messages\":[" R "\"user\",\"content\":\"Hello\"}]",
             "drop");
    done(&r);
    none.client = BZ_CLIENT_SYSTEM_KEEP;
    open_with(&r, GW_LLAMA, &none, 1);
    static const char body[] =
        "{\"model\":\"tiny\",\"messages\":[{\"role\":\"system\",\"content\":\"Theirs.\"},"
        "{\"role\":\"user\",\"content\":\"Hello\"}],\"max_tokens\":5}";
    post(&r, CHAT, body);
    assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
    assert_int_equal(bz_tx_forward(r.tx)->body.n, strlen(body));
    assert_memory_equal(bz_tx_forward(r.tx)->body.p, body, strlen(body));
    done(&r);
}

/* A body in which ours has no place is refused, never sent without it. */
static void test_no_place(void **state) {
    static const struct {
        const char *path, *body;
    } of[] = {
        {"/infill", "{\"model\":\"tiny\",\"input_prefix\":\"a\",\"input_suffix\":\"b\"}"},
        {"/completion", "{\"model\":\"tiny\"}"},
        {"/v1/completions", "{\"model\":\"tiny\",\"prompt\":[]}"},
        {CHAT, "{\"model\":\"tiny\",\"messages\":[" R "\"system\",\"content\":\"Theirs.\"}]}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        struct run r;
        struct bz_prompt_rule ours = rule(BZ_CLIENT_SYSTEM_DROP);
        open_with(&r, GW_LLAMA, &ours, 1);
        post(&r, of[i].path, of[i].body);
        if (i == 3) { /* only the client's own: ours stands alone */
            assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
        } else {
            assert_int_equal(r.verdict, BZ_VERDICT_REFUSE);
            assert_true(bz_tx_reply(r.tx)->status == 403 || bz_tx_reply(r.tx)->status == 400);
        }
        done(&r);
    }
}

/* The first rule that fits decides; what names a role, a model or a route holds for those alone. */
static void test_whose(void **state) {
    struct bz_prompt_rule rules[3] = {rule(BZ_CLIENT_SYSTEM_DROP), rule(BZ_CLIENT_SYSTEM_DROP),
                                      rule(BZ_CLIENT_SYSTEM_DROP)};
    struct run r;
    struct gw_req q;
    (void)state;
    rules[0].role = BZ_V("admin");
    rules[0].text = BZ_V("For admins.");
    rules[1].model = BZ_V("big.gguf");
    rules[1].text = BZ_V("For the big one.");
    rules[2].route = BZ_V("completions");
    rules[2].text = BZ_V("For completions.");
    open_with(&r, GW_LLAMA, rules, 3);
    static const char hello[] = "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":"
                                "\"Hello\"}]}";
    static const struct {
        enum gw_key key;
        const char *model, *text;
    } of[] = {{GW_ADMIN, "tiny", "For admins."},
              {GW_ADMIN, "big", "For admins."},
              {GW_USER, "big", "For the big one."},
              {GW_USER, "tiny", NULL}};
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        char body[256];
        (void)snprintf(body, sizeof body, hello, of[i].model);
        gw_req_init(&q, &r.gw, of[i].key, "POST", CHAT, body);
        r.tx = gw_send(&r.gw, &q, gw_heap_alloc(&r.heap), &r.verdict);
        bz_buf_init(&r.out, 16);
        assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
        assert_true(gw_contains(bz_tx_forward(r.tx)->body, "For ") == (of[i].text != NULL));
        if (of[i].text != NULL)
            assert_true(gw_contains(bz_tx_forward(r.tx)->body, of[i].text));
        forget(&r);
    }
    post(&r, "/v1/completions", "{\"model\":\"tiny\",\"prompt\":\"Once\"}");
    assert_true(gw_contains(bz_tx_forward(r.tx)->body, "For completions."));
    done(&r);
}

static void test_record(void **state) {
    struct run r;
    struct bz_prompt_rule ours = rule(BZ_CLIENT_SYSTEM_DROP);
    uint8_t mem[BZ_RECORD_MAX];
    struct bz_record rec;
    size_t n;
    (void)state;
    open_with(&r, GW_LLAMA, &ours, 1);
    post(&r, CHAT, all[1].body);
    assert_true(gw_record(&r.gw, r.tx, BZ_RECORD_DECISION, mem, &rec, &n));
    assert_true(gw_contains(rec.findings, "request:prompt:bank@3:0123456789abcdef:1"));
    done(&r);
}

/* ---- replies ---- */

static void test_reply_is_silent(void **state) {
    struct run r;
    struct bz_prompt_rule ours = rule(BZ_CLIENT_SYSTEM_DROP);
    struct bz_backend b;
    (void)state;
    const struct bz_reply_head head = {
        .status = 200, .content_type = BZ_V("application/json"), .content_length = -1};
    open_with(&r, GW_LLAMA, &ours, 1);
    post(&r, "/v1/responses", "{\"model\":\"tiny\",\"input\":\"Hello\"}");
    assert_true(bz_tx_backend(r.tx, gw_now(&r.gw), &b));
    static const char reply[] =
        "{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"instructions\":\"" OURS
        "\",\"output\":[{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":"
        "\"output_text\",\"text\":\"Good day.\"}]}],\"usage\":{\"input_tokens\":1,"
        "\"output_tokens\":2}}";
    (void)!gw_reply(&r.gw, r.tx, &head, bz_view_str(reply), 0, true, &r.out);
    assert_int_equal(bz_tx_reply(r.tx)->status, 200);
    assert_true(gw_contains(bz_tx_reply(r.tx)->body, "Good day."));
    assert_false(gw_contains(bz_tx_reply(r.tx)->body, "bank"));
    done(&r);
    /* token ids of the prompt say the same */
    open_with(&r, GW_OLLAMA, &ours, 1);
    post(&r, "/api/generate", "{\"model\":\"qwen:7b\",\"prompt\":\"Hello\",\"stream\":false}");
    assert_true(bz_tx_backend(r.tx, gw_now(&r.gw), &b));
    static const char generated[] =
        "{\"model\":\"qwen:7b\",\"created_at\":\"2026\",\"response\":\"Good day.\",\"done\":true,"
        "\"context\":[7001,7002],\"eval_count\":2}";
    (void)!gw_reply(&r.gw, r.tx, &head, bz_view_str(generated), 0, true, &r.out);
    assert_int_equal(bz_tx_reply(r.tx)->status, 200);
    assert_true(gw_contains(bz_tx_reply(r.tx)->body, "Good day."));
    assert_false(gw_contains(bz_tx_reply(r.tx)->body, "7001"));
    done(&r);
}

static const char events[] = "data: {\"content\":\"Good\",\"stop\":false}\n\n"
                             "data: {\"content\":\" day.\",\"stop\":false}\n\n"
                             "data: {\"content\":\"\",\"stop\":true,\"prompt\":\"" OURS
                             "\\n\\nOnce\",\"tokens_predicted\":2,\"tokens_evaluated\":3}\n\n";

static void test_stream_is_silent(void **state) {
    const struct bz_reply_head head = {
        .status = 200, .content_type = BZ_V("text/event-stream"), .content_length = -1};
    struct bz_prompt_rule ours = rule(BZ_CLIENT_SYSTEM_DROP);
    struct bz_buf first;
    (void)state;
    bz_buf_init(&first, 1u << 16);
    for (size_t cut = 0; cut < sizeof events; cut++) {
        struct run r;
        struct bz_backend b;
        open_with(&r, GW_LLAMA, &ours, 1);
        post(&r, "/completion", "{\"prompt\":\"Once\",\"model\":\"tiny\",\"stream\":true}");
        assert_true(bz_tx_backend(r.tx, gw_now(&r.gw), &b));
        assert_int_equal(gw_reply(&r.gw, r.tx, &head, bz_view_str(events), cut, true, &r.out),
                         BZ_OK);
        assert_true(gw_contains(bz_buf_view(&r.out), " day."));
        assert_true(gw_contains(bz_buf_view(&r.out), "\"stop\":true"));
        assert_false(gw_contains(bz_buf_view(&r.out), "bank"));
        if (cut == 0)
            bz_buf_put(&first, bz_buf_view(&r.out));
        assert_true(bz_view_eq(bz_buf_view(&first), bz_buf_view(&r.out)));
        done(&r);
    }
    bz_buf_free(&first);
}

/* ---- out of memory ---- */

static void test_no_memory(void **state) {
    struct bz_prompt_rule ours = rule(BZ_CLIENT_SYSTEM_DEMOTE);
    struct run r;
    bool whole = false;
    (void)state;
    ours.canary = true;
    open_with(&r, GW_LLAMA, &ours, 1);
    for (uint64_t n = 1; !whole; n++) {
        struct gw_req q;
        struct gw_heap heap = {.fail_from = n};
        gw_req_init(&q, &r.gw, GW_USER, "POST", CHAT, all[2].body);
        struct bz_tx *tx = gw_send(&r.gw, &q, gw_heap_alloc(&heap), &r.verdict);
        whole = r.verdict == BZ_VERDICT_FORWARD;
        if (tx != NULL && !whole)
            assert_int_equal(bz_tx_reply(tx)->status, 503);
        if (whole)
            assert_true(gw_contains(bz_tx_forward(tx)->body, OURS));
        bz_tx_free(tx);
        assert_int_equal(heap.live, 0);
        assert_true(n < 100);
    }
    gw_close(&r.gw);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_api),        cmocka_unit_test(test_treatment_alone),
        cmocka_unit_test(test_no_place),         cmocka_unit_test(test_whose),
        cmocka_unit_test(test_record),           cmocka_unit_test(test_reply_is_silent),
        cmocka_unit_test(test_stream_is_silent), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
