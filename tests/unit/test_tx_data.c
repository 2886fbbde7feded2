/* Data protection through a whole transaction: what the model gets, what the client gets back. */
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
#define ASK(text) "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]}"
#define ASK_STREAM(text)                                                                           \
    "{\"model\":\"tiny\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"" text     \
    "\"}]}"
#define REPLY(text)                                                                                \
    "{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"tiny\",\"choices\":"  \
    "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"" text                        \
    "\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,"     \
    "\"total_tokens\":2}}"

/* The house's own words, one per action, so that these tests do not depend on what is built in. */
static char *mask_words[] = {S("Falcon")}, *keep_words[] = {S("Harrier Nine")};
static char *block_words[] = {S("Basilisk")}, *coach_words[] = {S("Cormorant")};
static char *approve_words[] = {S("Dragonet")}, *note_words[] = {S("Egret")};
static char *late_words[] = {S("Gannet")};
static char *mark_words[] = {S("Vorstandssache")};
#define WORD(n_, w_, ...)                                                                          \
    { .name = S(n_), .words = w_, .words_n = N(w_), .whole_word = true, __VA_ARGS__ }
static struct bz_custom_config customs[] = {
    WORD("W_MASK", mask_words),
    WORD("W_RESTORE", keep_words),
    {.name = S("W_FORM"), .pattern = S("acc-[0-9]{2}-[0-9]{8}")},
    WORD("W_BLOCK", block_words),
    WORD("W_COACH", coach_words),
    WORD("W_APPROVE", approve_words),
    WORD("W_NOTE", note_words),
    WORD("W_MARK", mark_words, .label = true, .level = BZ_LEVEL_RESTRICTED),
    {.name = S("W_CASE"), .pattern = S("CASE-[0-9]{6}")},
    {.name = S("W_LONG"), .pattern = S("LONG-[a-z]{240}-END")},
    WORD("W_LATE", late_words),
};
enum { IN = 1 << BZ_DIRECTION_REQUEST, OUT = 1 << BZ_DIRECTION_REPLY, BOTH = IN | OUT };
static struct bz_data_rule rules[] = {
    {.directions = BOTH, .action = BZ_ACTION_MASK},
    {.directions = BOTH, .action = BZ_ACTION_RESTORE},
    {.directions = BOTH, .action = BZ_ACTION_RESTORE, .form = true},
    {.directions = BOTH, .action = BZ_ACTION_BLOCK},
    {.directions = IN, .action = BZ_ACTION_COACH},
    {.directions = IN, .action = BZ_ACTION_APPROVE},
    {.directions = BOTH, .action = BZ_ACTION_RECORD},
    {.directions = BOTH, .action = BZ_ACTION_RECORD},
    {.directions = BOTH, .action = BZ_ACTION_MASK},
    {.directions = BOTH, .action = BZ_ACTION_MASK},
    {.directions = BOTH, .action = BZ_ACTION_BLOCK, .level = BZ_LEVEL_RESTRICTED},
    {.directions = BOTH, .action = BZ_ACTION_ALLOW}, /* W_LATE below that level */
};
_Static_assert(N(rules) == N(customs) + 1, "one rule per word, two for the last");
static struct bz_data_config data = {.restore_s = 600,
                                     .hold_ms = 2000,
                                     .custom = customs,
                                     .custom_n = N(customs),
                                     .rules = rules,
                                     .rules_n = N(rules)};

static struct gw gw;
/* Without words of the house: a pattern makes every text wait, because anything may begin it. */
static struct gw plain, ollama;

static int open_all(void **state) {
    (void)state;
    const struct bz_type *list;
    size_t built_in = bz_type_list(&list);
    for (uint32_t i = 0; i < N(rules); i++)
        bz_type_set_add(&rules[i].types, built_in + (i < N(customs) ? i : N(customs) - 1));
    const struct bz_data_config defaults = {.restore_s = 600, .hold_ms = 2000};
    return gw_open_data(&gw, GW_LLAMA, &data) && gw_open_data(&plain, GW_LLAMA, &defaults) &&
                   gw_open_data(&ollama, GW_OLLAMA, &data)
               ? 0
               : -1;
}

static int close_all(void **state) {
    (void)state;
    gw_close(&gw);
    gw_close(&plain);
    gw_close(&ollama);
    return 0;
}

struct run {
    struct gw_heap heap;
    struct bz_tx *tx;
    enum bz_verdict verdict;
    struct bz_buf out;
    char forwarded[8192];
};

static void send_as(struct run *r, enum gw_key key, const char *path, const char *body,
                    const char *name, const char *value) {
    struct gw_req q;
    struct bz_backend b;
    memset(r, 0, sizeof *r);
    gw_req_init(&q, &gw, key, "POST", path, body);
    if (name != NULL)
        gw_req_header(&q, name, value);
    r->tx = gw_send(&gw, &q, gw_heap_alloc(&r->heap), &r->verdict);
    bz_buf_init(&r->out, 4u << 20);
    if (r->verdict != BZ_VERDICT_FORWARD)
        return;
    struct bz_view f = bz_tx_forward(r->tx)->body;
    assert_true(f.n < sizeof r->forwarded);
    memcpy(r->forwarded, f.p, f.n);
    assert_true(bz_tx_backend(r->tx, gw_now(&gw), &b));
    bz_tx_drop_body(r->tx);
}

static void ask(struct run *r, const char *body) {
    send_as(r, GW_USER, CHAT, body, NULL, NULL);
}

static void done(struct run *r) {
    bz_tx_free(r->tx);
    assert_int_equal(r->heap.live, 0);
    bz_buf_free(&r->out);
}

static bool refused(struct run *r, uint16_t status, const char *code) {
    const struct bz_reply *reply = bz_tx_reply(r->tx);
    return r->verdict == BZ_VERDICT_REFUSE && reply != NULL && reply->status == status &&
           gw_contains(reply->body, code);
}

/* The first placeholder in a text. */
static const char *placeholder_in(const char *text) {
    static char mem[4][80];
    static unsigned turn;
    char *p = mem[turn++ % 4];
    const char *from = strchr(text, '<'), *to = from == NULL ? NULL : strchr(from, '>');
    assert_non_null(to);
    assert_true(to - from < 79);
    memcpy(p, from, (size_t)(to - from) + 1);
    p[to - from + 1] = '\0';
    return p;
}

static const struct bz_reply *answer(struct run *r, const char *body) {
    const struct bz_reply_head h = {200, BZ_V("application/json"), {NULL, 0}, -1};
    (void)gw_reply(&gw, r->tx, &h, bz_view_str(body), 7, true, &r->out);
    return bz_tx_reply(r->tx);
}

/* ---- requests ---- */

static void the_model_never_sees_the_value(void **state) {
    struct run r;
    ask(&r, ASK("about Falcon and Harrier Nine, with CASE-123456."));
    assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
    assert_null(strstr(r.forwarded, "Falcon"));
    assert_null(strstr(r.forwarded, "Harrier"));
    assert_null(strstr(r.forwarded, "123456"));
    assert_non_null(strstr(r.forwarded, "about <W_MASK_"));
    assert_non_null(strstr(r.forwarded, " and <W_RESTORE_"));
    done(&r);
}

static void clean_text_is_left_alone(void **state) {
    struct run r;
    ask(&r, ASK("nothing of note here, Falconer"));
    assert_non_null(strstr(r.forwarded, "\"content\":\"nothing of note here, Falconer\"}]"));
    assert_null(strchr(r.forwarded, '<'));
    done(&r);
}

static void every_kind_of_field_is_masked(void **state) {
    static const char body[] =
        "{\"model\":\"tiny\",\"messages\":[{\"role\":\"system\",\"content\":\"Falcon\"},"
        "{\"role\":\"user\",\"name\":\"Falcon\",\"content\":[{\"type\":\"text\",\"text\":"
        "\"Falcon\"}]},"
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c\",\"type\":"
        "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":"
        "\\\"F\\\\u0061lcon\\\"}\"}}]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"Falcon\"}],"
        "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"Falcon\","
        "\"parameters\":{\"type\":\"object\",\"properties\":{\"Falcon\":{\"enum\":[\"Falcon\"]}}}}}"
        "],"
        "\"stop\":[\"Falcon\"],\"user\":\"Falcon\",\"metadata\":{\"k\":\"Falcon\"}}";
    struct run r;
    size_t masked = 0;
    ask(&r, body);
    assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
    assert_null(strstr(r.forwarded, "Falcon"));
    assert_null(strstr(r.forwarded, "lcon"));
    for (const char *p = r.forwarded; (p = strstr(p, "<W_MASK_")) != NULL; p++)
        masked++;
    assert_int_equal(masked, 11);
    assert_non_null(strstr(r.forwarded, "{\\\"a\\\":\\\"<W_MASK_"));
    done(&r);
}

static void one_value_has_one_placeholder_per_scope(void **state) {
    struct run a, b, c, d;
    ask(&a, ASK("Harrier Nine"));
    ask(&b, ASK("again Harrier Nine"));
    send_as(&c, GW_NARROW, CHAT, ASK("Harrier Nine"), NULL, NULL);
    send_as(&d, GW_USER, CHAT, ASK("Harrier Nine"), "X-Bartizan-Conversation", "c-1");
    const char *p = placeholder_in(a.forwarded);
    assert_string_equal(p, placeholder_in(b.forwarded));
    assert_string_not_equal(p, placeholder_in(c.forwarded));
    assert_string_not_equal(p, placeholder_in(d.forwarded));
    done(&a);
    done(&b);
    done(&c);
    done(&d);
}

static void a_form_is_kept(void **state) {
    struct run r;
    ask(&r, ASK("(acc-77-42421111)"));
    const char *p = strstr(r.forwarded, "content\":\"(acc-");
    assert_non_null(p);
    assert_int_equal(p[10 + 7], '-');
    assert_int_equal(p[10 + 16], ')');
    assert_null(strstr(r.forwarded, "77-42421111"));
    done(&r);
}

static void what_is_blocked_does_not_pass(void **state) {
    struct run r;
    ask(&r, ASK("the Basilisk file"));
    assert_true(refused(&r, 403, "data_blocked"));
    const struct bz_reply *reply = bz_tx_reply(r.tx);
    assert_true(gw_contains(reply->body, "W_BLOCK"));
    assert_true(gw_contains(reply->body, "messages[0].content"));
    assert_false(gw_contains(reply->body, "Basilisk"));
    done(&r);
}

static void a_reason_opens_what_is_coached(void **state) {
    struct run r;
    ask(&r, ASK("a Cormorant"));
    assert_true(refused(&r, 403, "justification_required"));
    assert_true(gw_contains(bz_tx_reply(r.tx)->body, "x-bartizan-justification"));
    done(&r);
    send_as(&r, GW_USER, CHAT, ASK("a Cormorant"), "x-bartizan-justification", "bird survey");
    assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
    assert_non_null(strstr(r.forwarded, "a Cormorant"));
    done(&r);
    send_as(&r, GW_USER, CHAT, ASK("a Cormorant"), "x-bartizan-justification", "");
    assert_true(refused(&r, 400, "header_invalid"));
    done(&r);
}

static void what_needs_approval_says_under_which_name(void **state) {
    struct run r, again;
    ask(&r, ASK("a Dragonet"));
    assert_true(refused(&r, 403, "approval_required"));
    ask(&again, ASK("a Dragonet"));
    assert_true(gw_contains(bz_tx_reply(r.tx)->body, "to be approved as "));
    assert_true(gw_contains(bz_tx_reply(r.tx)->body, "\"param\":\"messages[0].content\""));
    done(&again);
    done(&r);
}

/* What is allowed below a level is not even looked for there; what raises the level may stand behind
 * it. */
static void the_level_of_the_whole_request_decides(void **state) {
    struct run r;
    ask(&r, ASK("a Gannet"));
    assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
    done(&r);
    ask(&r, ASK("a Gannet, Vorstandssache"));
    assert_true(refused(&r, 403, "data_blocked"));
    done(&r);
}

static void the_level_of_the_whole_reply_decides(void **state) {
    struct run r;
    ask(&r, ASK("hi"));
    assert_int_equal(answer(&r, REPLY("a Gannet"))->status, 200);
    done(&r);
    ask(&r, ASK("hi"));
    const struct bz_reply *reply = answer(&r, REPLY("a Gannet, Vorstandssache"));
    assert_int_equal(reply->status, 403);
    assert_false(gw_contains(reply->body, "Gannet"));
    done(&r);
}

/* Routes without a body have replies too: here the prompts of others, for administrators. */
static void replies_to_requests_without_a_body_are_screened(void **state) {
    struct gw_req q;
    struct gw_heap heap = {0};
    enum bz_verdict v;
    struct bz_buf out;
    const struct bz_reply_head h = {200, BZ_V("application/json"), {NULL, 0}, -1};
    gw_req_init(&q, &gw, GW_ADMIN, "GET", "/slots", NULL);
    struct bz_tx *tx = gw_send(&gw, &q, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    bz_buf_init(&out, 1 << 16);
    struct bz_view body = BZ_V("[{\"id\":0,\"prompt\":\"Falcon\"}]");
    assert_int_equal(gw_reply(&gw, tx, &h, body, 0, true, &out), BZ_OK);
    assert_int_equal(bz_tx_reply(tx)->status, 200);
    assert_true(gw_contains(bz_tx_reply(tx)->body, "<W_MASK_"));
    bz_tx_free(tx);
    assert_int_equal(heap.live, 0);
    bz_buf_free(&out);
}

static void the_clients_own_label_counts(void **state) {
    struct run r;
    send_as(&r, GW_USER, CHAT, ASK("x"), "x-bartizan-label", "TLP:RED");
    assert_int_equal(r.verdict, BZ_VERDICT_FORWARD);
    done(&r);
    send_as(&r, GW_USER, CHAT, ASK("x"), "x-bartizan-label", "violet");
    assert_true(refused(&r, 400, "header_invalid"));
    done(&r);
    send_as(&r, GW_USER, CHAT, ASK("x"), "x-bartizan-conversation", "a b");
    assert_true(refused(&r, 400, "header_invalid"));
    done(&r);
}

static void without_detectors_nothing_passes(void **state) {
    struct run r;
    struct bz_detect *kept = gw.env.detect;
    gw.env.detect = NULL;
    ask(&r, ASK("hi"));
    gw.env.detect = kept;
    assert_true(refused(&r, 503, "screening_unavailable"));
    done(&r);
}

static void the_record_tells_what_was_found(void **state) {
    struct run r;
    struct bz_record rec;
    uint8_t mem[BZ_RECORD_MAX];
    size_t n;
    ask(&r, ASK("Falcon, Falcon and an Egret; Vorstandssache"));
    assert_true(gw_record(&gw, r.tx, BZ_RECORD_DECISION, mem, &rec, &n));
    assert_true(gw_contains(rec.findings, "request:W_MASK:mask:2"));
    assert_true(gw_contains(rec.findings, "request:W_NOTE:record:1"));
    assert_true(bz_view_eq(rec.label, BZ_V("RESTRICTED")));
    assert_false(gw_contains(bz_view(mem, n), "Falcon"));
    assert_non_null(answer(&r, REPLY("a Falcon")));
    assert_true(gw_record(&gw, r.tx, BZ_RECORD_CLOSE, mem, &rec, &n));
    assert_true(gw_contains(rec.findings, "reply:W_MASK:mask:1"));
    done(&r);
}

/* ---- whole replies ---- */

static void the_owner_gets_the_value_back(void **state) {
    struct run r;
    char body[1024];
    ask(&r, ASK("Harrier Nine"));
    snprintf(body, sizeof body, REPLY("it is %s, yes"), placeholder_in(r.forwarded));
    const struct bz_reply *reply = answer(&r, body);
    assert_non_null(reply);
    assert_int_equal(reply->status, 200);
    assert_true(gw_contains(reply->body, "it is Harrier Nine, yes"));
    done(&r);
}

static void a_form_becomes_the_value_again(void **state) {
    struct run r;
    char body[1024], form[32];
    ask(&r, ASK("acc-77-42421111"));
    memcpy(form, strstr(r.forwarded, "content\":\"") + 10, 15);
    form[15] = '\0';
    assert_string_not_equal(form, "acc-77-42421111");
    snprintf(body, sizeof body, REPLY("(%s) and acc-00-00000000"), form);
    const struct bz_reply *reply = answer(&r, body);
    assert_true(gw_contains(reply->body, "(acc-77-42421111) and "));
    assert_false(gw_contains(reply->body, "acc-00-00000000")); /* nobody's: masked */
    done(&r);
}

static void nobody_elses_placeholder_resolves(void **state) {
    struct run mine, other;
    char body[1024];
    ask(&mine, ASK("Harrier Nine"));
    send_as(&other, GW_NARROW, CHAT, ASK("hello"), NULL, NULL);
    snprintf(body, sizeof body, REPLY("it is %s"), placeholder_in(mine.forwarded));
    const struct bz_reply *reply = answer(&other, body);
    assert_true(gw_contains(reply->body, "it is <W_RESTORE_"));
    assert_false(gw_contains(reply->body, "Harrier"));
    done(&other);
    done(&mine);
}

static void what_is_only_masked_stays_masked(void **state) {
    struct run r;
    char body[1024];
    ask(&r, ASK("Falcon"));
    snprintf(body, sizeof body, REPLY("%s"), placeholder_in(r.forwarded));
    assert_true(gw_contains(answer(&r, body)->body, "<W_MASK_"));
    done(&r);
}

static void a_blocked_reply_is_an_error(void **state) {
    struct run r;
    ask(&r, ASK("hi"));
    const struct bz_reply *reply = answer(&r, REPLY("the Basilisk"));
    assert_int_equal(reply->status, 403);
    assert_true(gw_contains(reply->body, "reply_blocked"));
    assert_false(gw_contains(reply->body, "Basilisk"));
    done(&r);
}

static void an_unknown_member_is_refused(void **state) {
    struct run r;
    ask(&r, ASK("hi"));
    const struct bz_reply *reply = answer(&r, "{\"choices\":[],\"surprise\":{\"a\":[\"text\"]}}");
    assert_int_equal(reply->status, 502);
    assert_true(gw_contains(reply->body, "upstream_unknown_field"));
    done(&r);
}

static void arguments_stay_json(void **state) {
    struct run r;
    char body[2048];
    ask(&r, ASK("Harrier Nine"));
    snprintf(body, sizeof body,
             "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,"
             "\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\","
             "\"arguments\":\"{\\\"who\\\":\\\"%s\\\",\\\"bird\\\":\\\"Falcon\\\"}\"}}]},"
             "\"finish_reason\":\"tool_calls\"}]}",
             placeholder_in(r.forwarded));
    const struct bz_reply *reply = answer(&r, body);
    assert_int_equal(reply->status, 200);
    assert_true(
        gw_contains(reply->body, "{\\\"who\\\":\\\"Harrier Nine\\\",\\\"bird\\\":\\\"<W_MASK_"));
    done(&r);
}

/* ---- streams ---- */

static void put_chunk(struct bz_buf *b, struct bz_view text, const char *extra) {
    bz_buf_puts(b, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,"
                   "\"model\":\"tiny\",\"choices\":[{\"index\":0,\"delta\":{\"content\":");
    bz_json_write_str(b, text);
    bz_buf_puts(b, "}");
    bz_buf_puts(b, extra);
    bz_buf_puts(b, ",\"finish_reason\":null}]}\n\n");
}

static void put_end(struct bz_buf *b) {
    bz_buf_puts(b, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,"
                   "\"model\":\"tiny\",\"choices\":[{\"index\":0,\"delta\":{},"
                   "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
}

/* All delta contents of an OpenAI stream, joined. */
static void contents(struct bz_view sse, struct bz_buf *ret) {
    while (sse.n > 0) {
        const uint8_t *end = memmem(sse.p, sse.n, "\n\n", 2);
        assert_non_null(end);
        struct bz_view event = bz_view_sub(sse, 6, (size_t)(end - sse.p) - 6);
        struct bz_arena ar;
        struct bz_json *root = NULL;
        bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
        if (event.n > 0 && event.p[0] == '{') {
            assert_int_equal(bz_json_parse(event, NULL, &ar, &root, NULL), BZ_OK);
            const struct bz_json *c = bz_json_get(root, BZ_V("choices"));
            if (c != NULL && c->first != NULL)
                bz_buf_put(ret, bz_json_str(bz_json_get(bz_json_get(c->first, BZ_V("delta")),
                                                        BZ_V("content"))));
        }
        bz_arena_free(&ar);
        sse = bz_view_sub(sse, (size_t)(end - sse.p) + 2, sse.n);
    }
}

static const struct bz_reply_head sse_head = {200, BZ_V("text/event-stream"), {NULL, 0}, -1};

/* Runs a stream and gives the text that the client read. */
static void stream_text(struct run *r, struct bz_view sse, size_t cut, struct bz_buf *text) {
    assert_int_equal(gw_reply(&gw, r->tx, &sse_head, sse, cut, true, &r->out), BZ_OK);
    contents(bz_buf_view(&r->out), text);
}

#define STREAM_TEXT                                                                                \
    "One Falcon, a \xc3\xa9gret, %s! CASE-12345 is none but CASE-123456 is; Falconer. The end is " \
    "Falcon"

static void expected_text(char *out, size_t n, const char *mask, const char *mask_case) {
    snprintf(out, n,
             "One %s, a \xc3\xa9gret, Harrier Nine! CASE-12345 is none but %s is; Falconer. "
             "The end is %s",
             mask, mask_case, mask);
}

/* The same text for every way to cut it into deltas. */
static void every_split_gives_the_same_text(void **state) {
    struct run first;
    char text[512], want[512], mask[80] = "", mask_case[80] = "";
    ask(&first, ASK("Harrier Nine"));
    snprintf(text, sizeof text, STREAM_TEXT, placeholder_in(first.forwarded));
    done(&first);
    for (size_t size = 1; size <= strlen(text); size++) {
        struct run r;
        struct bz_buf sse, got;
        ask(&r, ASK_STREAM("hi"));
        bz_buf_init(&sse, 1u << 20);
        bz_buf_init(&got, 1u << 20);
        for (size_t i = 0, n; text[i] != '\0'; i += n) {
            n = strlen(text + i) < size ? strlen(text + i) : size;
            while (((uint8_t)text[i + n] & 0xc0) == 0x80) /* a delta holds whole characters */
                n++;
            put_chunk(&sse, bz_view(text + i, n), "");
        }
        put_end(&sse);
        stream_text(&r, bz_buf_view(&sse), 1 + size * 7 % 400, &got);
        bz_buf_putc(&got, 0);
        if (mask[0] == '\0') {
            snprintf(mask, sizeof mask, "%s", placeholder_in((char *)got.p));
            snprintf(mask_case, sizeof mask_case, "%s",
                     placeholder_in(strstr((char *)got.p, "but ")));
        }
        expected_text(want, sizeof want, mask, mask_case);
        assert_string_equal((char *)got.p, want);
        bz_buf_free(&sse);
        bz_buf_free(&got);
        done(&r);
    }
}

/* Byte by byte the events that nothing changes leave as they came. */
static void untouched_streams_are_byte_identical(void **state) {
    struct bz_buf sse;
    bz_buf_init(&sse, 1u << 20);
    static const char *const words[] = {"The ", "quick ", "brown ",  "Fal",
                                        "con",  "er ",    "jumps. 4"};
    for (size_t i = 0; i < 7; i++)
        put_chunk(&sse, bz_view_str(words[i]), ",\"logprobs\":{\"content\":[]}");
    put_end(&sse);
    for (size_t cut = 1; cut < 300; cut += 13) {
        struct run r;
        ask(&r, ASK_STREAM("hi"));
        assert_int_equal(gw_reply(&gw, r.tx, &sse_head, bz_buf_view(&sse), cut, true, &r.out),
                         BZ_OK);
        assert_true(bz_view_eq(bz_buf_view(&r.out), bz_buf_view(&sse)));
        done(&r);
    }
    bz_buf_free(&sse);
}

static void quiet_text_leaves_at_once(void **state) {
    static const char *const words[] = {"hello", " there", ", how", " are you", "?\n", "Fine"};
    struct gw_req q;
    struct gw_heap heap = {0};
    enum bz_verdict v;
    struct bz_buf sse, out;
    gw_req_init(&q, &plain, GW_USER, "POST", CHAT, ASK_STREAM("hi"));
    struct bz_tx *tx = gw_send(&plain, &q, gw_heap_alloc(&heap), &v);
    assert_int_equal(v, BZ_VERDICT_FORWARD);
    (void)bz_tx_reply_head(tx, &sse_head, gw_now(&plain));
    bz_buf_init(&sse, 1u << 16);
    bz_buf_init(&out, 1u << 16);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        put_chunk(&sse, bz_view_str(words[i]), "");
        struct bz_view piece = bz_view_sub(bz_buf_view(&sse), out.n, sse.n);
        assert_int_equal(bz_tx_reply_feed(tx, piece, &out, gw_now(&plain)), BZ_OK);
        assert_int_equal(out.n, sse.n);
    }
    bz_buf_free(&sse);
    bz_buf_free(&out);
    bz_tx_free(tx);
    assert_int_equal(heap.live, 0);
}

static void undecided_text_waits_and_no_longer_than_allowed(void **state) {
    struct run r;
    struct bz_buf sse;
    ask(&r, ASK_STREAM("hi"));
    (void)bz_tx_reply_head(r.tx, &sse_head, gw_now(&gw));
    bz_buf_init(&sse, 1u << 16);
    put_chunk(&sse, BZ_V("a Falco"), "");
    assert_int_equal(bz_tx_reply_feed(r.tx, bz_buf_view(&sse), &r.out, gw_now(&gw)), BZ_OK);
    assert_int_equal(r.out.n, 0);
    assert_int_equal(bz_tx_tick(r.tx, &r.out, gw_now(&gw)), BZ_OK); /* the clock starts here */
    gw.mono_ns += UINT64_C(1999) * 1000000;
    assert_int_equal(bz_tx_tick(r.tx, &r.out, gw_now(&gw)), BZ_OK);
    assert_int_equal(r.out.n, 0);
    gw.mono_ns += UINT64_C(2) * 1000000;
    assert_int_equal(bz_tx_tick(r.tx, &r.out, gw_now(&gw)), BZ_OK);
    assert_true(bz_view_eq(bz_buf_view(&r.out), bz_buf_view(&sse)));
    bz_buf_free(&sse);
    done(&r);
}

/* A slow model takes longer for a match than text may wait for its next piece. Another choice that
 * stands still is decided without it. */
static void a_slow_match_is_one_match(void **state) {
    static const char *const pieces[] = {"a F", "al", "co", "n", " flies"};
    struct run r;
    struct bz_buf sse, got;
    ask(&r, "{\"model\":\"tiny\",\"stream\":true,\"n\":2,\"messages\":[{\"role\":\"user\","
            "\"content\":\"hi\"}]}");
    (void)bz_tx_reply_head(r.tx, &sse_head, gw_now(&gw));
    bz_buf_init(&sse, 1u << 16);
    bz_buf_init(&got, 1u << 16);
    bz_buf_puts(&sse, "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"Falc\"}}]}\n\n");
    for (size_t i = 0; i < N(pieces); i++) {
        put_chunk(&sse, bz_view_str(pieces[i]), "");
        assert_int_equal(bz_tx_reply_feed(r.tx, bz_buf_view(&sse), &r.out, gw_now(&gw)), BZ_OK);
        bz_buf_reset(&sse);
        for (int k = 0; k < 9; k++) { /* 1.8 s */
            assert_int_equal(bz_tx_tick(r.tx, &r.out, gw_now(&gw)), BZ_OK);
            gw.mono_ns += UINT64_C(200) * 1000000;
        }
        assert_int_equal(gw_contains(bz_buf_view(&r.out), "Falc"), i > 0);
    }
    put_end(&sse);
    assert_int_equal(bz_tx_reply_feed(r.tx, bz_buf_view(&sse), &r.out, gw_now(&gw)), BZ_OK);
    contents(bz_buf_view(&r.out), &got);
    assert_true(gw_contains(bz_buf_view(&got), "Falca <W_MASK_"));
    assert_true(gw_contains(bz_buf_view(&got), "> flies"));
    bz_buf_free(&sse);
    bz_buf_free(&got);
    done(&r);
}

/* The text before the match, then an error event; nothing behind it. */
static void a_match_that_blocks_ends_the_stream(void **state) {
    static const char text[] = "one two Basilisk three";
    for (size_t size = 1; size < sizeof text; size++) {
        struct run r;
        struct bz_buf sse, got;
        ask(&r, ASK_STREAM("hi"));
        bz_buf_init(&sse, 1u << 20);
        bz_buf_init(&got, 1u << 16);
        for (size_t i = 0; i < sizeof text - 1; i += size)
            put_chunk(&sse, bz_view_sub(bz_view_str(text), i, size), "");
        put_end(&sse);
        assert_int_equal(gw_reply(&gw, r.tx, &sse_head, bz_buf_view(&sse), 0, true, &r.out),
                         BZ_EDENIED);
        assert_true(gw_contains(bz_buf_view(&r.out), "reply_blocked"));
        assert_false(gw_contains(bz_buf_view(&r.out), "[DONE]"));
        contents(bz_buf_view(&r.out), &got);
        assert_true(bz_view_eq(bz_buf_view(&got), BZ_V("one two ")));
        bz_buf_free(&sse);
        bz_buf_free(&got);
        done(&r);
    }
}

/* One letter an event, with `more` bytes of other things in each. */
static enum bz_status long_match(struct run *r, size_t more, struct bz_buf *got) {
    struct bz_buf sse, extra;
    bz_buf_init(&sse, 64u << 20);
    bz_buf_init(&extra, 1u << 20);
    bz_buf_printf(&extra, ",\"logprobs\":{\"content\":[\"%*s\"]}", (int)more, "");
    bz_buf_putc(&extra, 0);
    put_chunk(&sse, BZ_V("a LONG-"), (char *)extra.p);
    for (size_t i = 0; i < 240; i++)
        put_chunk(&sse, BZ_V("q"), (char *)extra.p);
    put_chunk(&sse, BZ_V("-END."), (char *)extra.p);
    put_end(&sse);
    ask(r, ASK_STREAM("hi"));
    enum bz_status st = gw_reply(&gw, r->tx, &sse_head, bz_buf_view(&sse), 4096, true, &r->out);
    if (st == BZ_OK)
        contents(bz_buf_view(&r->out), got);
    bz_buf_free(&sse);
    bz_buf_free(&extra);
    return st;
}

/* However much comes with each letter of it, no match gets through in parts. */
static void long_matches_do_not_get_through_in_parts(void **state) {
    struct run r;
    struct bz_buf got;
    bz_buf_init(&got, 1u << 16);
    assert_int_equal(long_match(&r, 4000, &got), BZ_OK);
    assert_true(bz_view_starts(bz_buf_view(&got), BZ_V("a <W_LONG_")));
    assert_false(gw_contains(bz_buf_view(&got), "q"));
    done(&r);
    assert_int_equal(long_match(&r, 40000, &got), BZ_ETOOBIG);
    assert_false(gw_contains(bz_buf_view(&r.out), "\"q\""));
    assert_true(gw_contains(bz_buf_view(&r.out), "upstream_malformed"));
    done(&r);
    bz_buf_free(&got);
}

static void tokens_do_not_repeat_what_was_masked(void **state) {
    static const char probs[] =
        ",\"logprobs\":{\"content\":[{\"token\":\" Falcon\",\"logprob\":-0.1,\"bytes\":[32,70],"
        "\"top_logprobs\":[]}]}";
    struct run r;
    struct bz_buf sse;
    ask(&r, ASK_STREAM("hi"));
    bz_buf_init(&sse, 1u << 16);
    put_chunk(&sse, BZ_V("the Falcon flies"), probs);
    put_end(&sse);
    assert_int_equal(gw_reply(&gw, r.tx, &sse_head, bz_buf_view(&sse), 0, true, &r.out), BZ_OK);
    assert_false(gw_contains(bz_buf_view(&r.out), "Falcon"));
    assert_true(gw_contains(bz_buf_view(&r.out), "\"logprobs\":null"));
    bz_buf_free(&sse);
    done(&r);
}

/* Ollama's last line holds the tokens of all that was said. */
static void the_end_does_not_repeat_what_was_masked(void **state) {
    static const char *const texts[] = {"the Falcon flies", "the Falconer flies"};
    static const struct bz_reply_head h = {200, BZ_V("application/x-ndjson"), {NULL, 0}, -1};
    for (size_t i = 0; i < 2; i++) {
        struct gw_req q;
        struct gw_heap heap = {0};
        enum bz_verdict v;
        struct bz_buf lines, out;
        gw_req_init(&q, &ollama, GW_USER, "POST", "/api/generate",
                    "{\"model\":\"qwen:7b\",\"prompt\":\"hi\"}");
        struct bz_tx *tx = gw_send(&ollama, &q, gw_heap_alloc(&heap), &v);
        assert_int_equal(v, BZ_VERDICT_FORWARD);
        bz_buf_init(&lines, 1u << 16);
        bz_buf_init(&out, 1u << 16);
        bz_buf_printf(&lines, "{\"model\":\"m\",\"response\":\"%s\",\"done\":false}\n", texts[i]);
        bz_buf_puts(&lines, "{\"response\":\"\",\"done\":true,\"context\":[1,2,3]}\n");
        assert_int_equal(gw_reply(&ollama, tx, &h, bz_buf_view(&lines), 0, true, &out), BZ_OK);
        assert_int_equal(gw_contains(bz_buf_view(&out), "[1,2,3]"), i);
        assert_int_equal(bz_view_eq(bz_buf_view(&out), bz_buf_view(&lines)), i);
        bz_buf_free(&lines);
        bz_buf_free(&out);
        bz_tx_free(tx);
        assert_int_equal(heap.live, 0);
    }
}

/* Choices are told apart: each has its own text. */
static void choices_do_not_mix(void **state) {
    struct run r;
    struct bz_buf sse;
    static const char *const pieces[] = {"Fal", "con"};
    ask(&r, "{\"model\":\"tiny\",\"stream\":true,\"n\":2,\"messages\":[{\"role\":\"user\","
            "\"content\":\"hi\"}]}");
    bz_buf_init(&sse, 1u << 16);
    for (size_t i = 0; i < 2; i++)
        bz_buf_printf(&sse,
                      "data: {\"choices\":[{\"index\":%zu,\"delta\":{\"content\":\"%s\"}}]}\n\n", i,
                      pieces[i]);
    bz_buf_puts(&sse, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"con\"}}]}\n\n");
    put_end(&sse);
    assert_int_equal(gw_reply(&gw, r.tx, &sse_head, bz_buf_view(&sse), 0, true, &r.out), BZ_OK);
    assert_true(gw_contains(bz_buf_view(&r.out), "<W_MASK_"));
    assert_true(gw_contains(bz_buf_view(&r.out), "\"index\":1,\"delta\":{\"content\":\"con\"}"));
    bz_buf_free(&sse);
    done(&r);
}

/* The Responses API says its text four times; all of them change alike. */
static void repeated_texts_change_alike(void **state) {
    static const char sse[] =
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\","
        "\"item_id\":\"m\",\"output_index\":0,\"content_index\":0,\"delta\":\"a Fal\"}\n\n"
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\","
        "\"item_id\":\"m\",\"output_index\":0,\"content_index\":0,\"delta\":\"con\"}\n\n"
        "event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\","
        "\"item_id\":\"m\",\"output_index\":0,\"content_index\":0,\"text\":\"a Falcon\"}\n\n"
        "event: response.completed\ndata: "
        "{\"type\":\"response.completed\",\"response\":{\"id\":\"r\","
        "\"object\":\"response\",\"status\":\"completed\",\"model\":\"tiny\",\"output\":[{\"type\":"
        "\"message\",\"id\":\"m\",\"role\":\"assistant\",\"status\":\"completed\",\"content\":[{"
        "\"type\":\"output_text\",\"text\":\"a Falcon\",\"annotations\":[]}]}]}}\n\n";
    for (size_t cut = 1; cut < 200; cut += 11) {
        struct run r;
        size_t masked = 0;
        send_as(&r, GW_USER, "/v1/responses",
                "{\"model\":\"tiny\",\"stream\":true,\"input\":\"hi\"}", NULL, NULL);
        assert_int_equal(gw_reply(&gw, r.tx, &sse_head, bz_view_str(sse), cut, true, &r.out),
                         BZ_OK);
        assert_false(gw_contains(bz_buf_view(&r.out), "Falcon"));
        bz_buf_putc(&r.out, 0);
        for (const char *p = (char *)r.out.p; (p = strstr(p, "a <W_MASK_")) != NULL; p++)
            masked++;
        assert_int_equal(masked, 3);
        done(&r);
    }
}

/* ---- bad days ---- */

/* Whatever allocation fails: a clean refusal or a cut stream, never text that should be masked. */
static void no_memory_leaks_nothing(void **state) {
    for (uint64_t fail = 1; fail < 60; fail++) {
        struct gw_req q;
        struct gw_heap heap = {.fail_from = fail};
        enum bz_verdict v;
        struct bz_buf sse, out;
        gw_req_init(&q, &gw, GW_USER, "POST", CHAT, ASK_STREAM("Falcon and Harrier Nine"));
        struct bz_tx *tx = gw_send(&gw, &q, gw_heap_alloc(&heap), &v);
        if (tx == NULL)
            continue;
        bz_buf_init(&sse, 1u << 16);
        bz_buf_init(&out, 1u << 16);
        put_chunk(&sse, BZ_V("the Fal"), "");
        put_chunk(&sse, BZ_V("con flies"), "");
        put_end(&sse);
        if (v == BZ_VERDICT_FORWARD) {
            assert_false(gw_contains(bz_tx_forward(tx)->body, "Falcon"));
            (void)gw_reply(&gw, tx, &sse_head, bz_buf_view(&sse), 50, true, &out);
            assert_false(gw_contains(bz_buf_view(&out), "con flies"));
        }
        bz_tx_free(tx);
        assert_int_equal(heap.live, 0);
        bz_buf_free(&sse);
        bz_buf_free(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_model_never_sees_the_value),
        cmocka_unit_test(clean_text_is_left_alone),
        cmocka_unit_test(every_kind_of_field_is_masked),
        cmocka_unit_test(one_value_has_one_placeholder_per_scope),
        cmocka_unit_test(a_form_is_kept),
        cmocka_unit_test(what_is_blocked_does_not_pass),
        cmocka_unit_test(a_reason_opens_what_is_coached),
        cmocka_unit_test(what_needs_approval_says_under_which_name),
        cmocka_unit_test(the_level_of_the_whole_request_decides),
        cmocka_unit_test(the_level_of_the_whole_reply_decides),
        cmocka_unit_test(replies_to_requests_without_a_body_are_screened),
        cmocka_unit_test(the_clients_own_label_counts),
        cmocka_unit_test(without_detectors_nothing_passes),
        cmocka_unit_test(the_record_tells_what_was_found),
        cmocka_unit_test(the_owner_gets_the_value_back),
        cmocka_unit_test(a_form_becomes_the_value_again),
        cmocka_unit_test(nobody_elses_placeholder_resolves),
        cmocka_unit_test(what_is_only_masked_stays_masked),
        cmocka_unit_test(a_blocked_reply_is_an_error),
        cmocka_unit_test(an_unknown_member_is_refused),
        cmocka_unit_test(arguments_stay_json),
        cmocka_unit_test(every_split_gives_the_same_text),
        cmocka_unit_test(untouched_streams_are_byte_identical),
        cmocka_unit_test(quiet_text_leaves_at_once),
        cmocka_unit_test(undecided_text_waits_and_no_longer_than_allowed),
        cmocka_unit_test(a_slow_match_is_one_match),
        cmocka_unit_test(a_match_that_blocks_ends_the_stream),
        cmocka_unit_test(long_matches_do_not_get_through_in_parts),
        cmocka_unit_test(tokens_do_not_repeat_what_was_masked),
        cmocka_unit_test(the_end_does_not_repeat_what_was_masked),
        cmocka_unit_test(choices_do_not_mix),
        cmocka_unit_test(repeated_texts_change_alike),
        cmocka_unit_test(no_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
