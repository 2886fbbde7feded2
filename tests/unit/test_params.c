/* Single parameters: ranges on both sides, refusals, and our own edits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../src/dialect/params.h"
#include <bartizan/limits.h>

#define CHAT "/v1/chat/completions"
#define M "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

struct outcome {
    enum bz_status st;
    struct bz_req_facts facts;
    struct bz_param_error err;
    char forwarded[4096];
    char model[256];
};

static const struct bz_route *route_of(enum bz_server s, const char *path) {
    const struct bz_route *r;
    struct bz_view id;
    if (bz_route_find(s, BZ_V("POST"), bz_view_str(path), &r, &id) != BZ_ROUTE_FOUND)
        fail_msg("no route %s", path);
    return r;
}

static const struct outcome *check(enum bz_server s, const char *path,
                                   const struct bz_param_limits *lim, const char *body) {
    static struct outcome o;
    struct bz_arena ar;
    struct bz_json *root;
    struct bz_diag diag;
    struct bz_json_opts opts = {.fold_keys = s == BZ_SERVER_OLLAMA};
    struct bz_buf out;
    memset(&o, 0, sizeof o);
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    if (bz_json_parse(bz_view_str(body), &opts, &ar, &root, &diag) != BZ_OK)
        fail_msg("%s: not JSON: %s", body, diag.why);
    o.st = bz_dialect_check(route_of(s, path), s, root, lim, &ar, &o.facts, &o.err);
    if (o.st == BZ_OK) {
        bz_buf_init(&out, 1 << 20);
        bz_json_write(&out, root);
        assert_int_equal(bz_buf_status(&out), BZ_OK);
        snprintf(o.forwarded, sizeof o.forwarded, "%.*s", (int)out.n, (const char *)out.p);
        snprintf(o.model, sizeof o.model, "%.*s", (int)o.facts.model.n,
                 o.facts.model.n == 0 ? "" : (const char *)o.facts.model.p);
        bz_buf_free(&out);
    }
    bz_arena_free(&ar);
    return &o;
}

struct row {
    enum bz_server s;
    const char *path, *members; /* of the body, besides messages for chat */
    uint16_t status;            /* 0: passes */
    const char *param;          /* when refused */
};

#define L BZ_SERVER_LLAMACPP
#define O BZ_SERVER_OLLAMA
#define V BZ_SERVER_VLLM
#define P BZ_SERVER_OPENAI

static const struct row rows[] = {
    /* unknown, elsewhere known, wrong case, empty */
    {L, CHAT, "\"frobnicate\":1", 400, "frobnicate"},
    {L, CHAT, "\"structured_outputs\":{}", 400, "structured_outputs"},
    {O, CHAT, "\"grammar\":\"x\"", 400, "grammar"},
    {L, CHAT, "\"Temperature\":1", 400, "Temperature"},
    {L, CHAT, "\"\":1", 400, ""},
    {L, CHAT, "\"a\\u001b[31mb\":1", 400, "a\\x1b[31mb"},
    {L, CHAT, "\"model\":7", 400, "model"},
    {L, CHAT, "\"model\":\"a\\u0001\"", 400, "model"},
    /* ranges, both sides */
    {L, CHAT, "\"temperature\":0", 0, NULL},
    {L, CHAT, "\"temperature\":5.0", 0, NULL},
    {L, CHAT, "\"temperature\":-0.01", 400, "temperature"},
    {L, CHAT, "\"temperature\":5.01", 400, "temperature"},
    {L, CHAT, "\"temperature\":1e400", 400, "temperature"},
    {L, CHAT, "\"temperature\":\"1\"", 400, "temperature"},
    {L, CHAT, "\"top_p\":1.0,\"top_k\":0,\"min_p\":1,\"seed\":-1", 0, NULL},
    {L, CHAT, "\"top_k\":1.5", 400, "top_k"},
    {L, CHAT, "\"seed\":9007199254740991", 0, NULL},
    {L, CHAT, "\"seed\":9007199254740993", 400, "seed"},
    {L, CHAT, "\"seed\":99999999999999999999", 400, "seed"},
    {L, CHAT, "\"n\":4", 0, NULL},
    {L, CHAT, "\"n\":5", 400, "n"},
    {L, CHAT, "\"n\":0", 400, "n"},
    {L, CHAT, "\"logprobs\":true,\"top_logprobs\":20", 0, NULL},
    {L, CHAT, "\"top_logprobs\":21", 400, "top_logprobs"},
    {L, CHAT, "\"n_probs\":21", 400, "n_probs"},
    {L, CHAT, "\"logprobs\":3", 400, "logprobs"},
    {L, "/v1/completions", "\"prompt\":\"a\",\"logprobs\":5", 0, NULL},
    {L, "/v1/completions", "\"prompt\":\"a\",\"logprobs\":21", 400, "logprobs"},
    {L, "/v1/completions", "\"prompt\":\"a\",\"best_of\":5", 400, "best_of"},
    /* output limits */
    {L, CHAT, "\"max_tokens\":32768", 0, NULL},
    {L, CHAT, "\"max_tokens\":32769", 400, "max_tokens"},
    {L, CHAT, "\"max_tokens\":-2", 400, "max_tokens"},
    {V, CHAT, "\"max_tokens\":-1", 400, "max_tokens"},
    {V, CHAT, "\"max_tokens\":0", 400, "max_tokens"},
    {V, CHAT, "\"max_tokens\":1.0", 400, "max_tokens"},
    {L, CHAT, "\"max_completion_tokens\":40000", 400, "max_completion_tokens"},
    {L, "/completion", "\"prompt\":\"a\",\"n_predict\":40000", 400, "n_predict"},
    {O, "/api/chat", M ",\"options\":{\"num_predict\":40000}", 400, "options.num_predict"},
    /* stop */
    {L, CHAT, "\"stop\":\"x\"", 0, NULL},
    {L, CHAT,
     "\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"a\",\"b\",\"c\",\"d\","
     "\"e\",\"f\",\"g\"]",
     0, NULL},
    {L, CHAT,
     "\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"a\",\"b\",\"c\",\"d\","
     "\"e\",\"f\",\"g\",\"h\"]",
     400, "stop"},
    {L, CHAT, "\"stop\":[\"a\",1]", 400, "stop[1]"},
    /* logit_bias: ids only */
    {V, CHAT, "\"logit_bias\":{\"15043\":-100,\"1\":100}", 0, NULL},
    {V, CHAT, "\"logit_bias\":{\"hello\":1}", 400, "logit_bias"},
    {V, CHAT, "\"logit_bias\":{\"1\":101}", 400, "logit_bias"},
    {V, CHAT, "\"logit_bias\":[[1,2]]", 400, "logit_bias"},
    {L, CHAT, "\"logit_bias\":[[1,2.5],[2,false]]", 0, NULL},
    {L, CHAT, "\"logit_bias\":[[\"text\",1]]", 400, "logit_bias"},
    {L, CHAT, "\"logit_bias\":[[1,2,3]]", 400, "logit_bias"},
    /* refused for a reason */
    {L, CHAT, "\"n_discard\":-1", 403, "n_discard"},
    {L, CHAT, "\"n_discard\":null", 0, NULL},
    {L, CHAT, "\"chat_template\":\"{{ x }}\"", 403, "chat_template"},
    {L, CHAT, "\"chat_template\":\"\"", 0, NULL},
    {V, CHAT, "\"chat_template\":\"{{ x }}\"", 403, "chat_template"},
    {V, CHAT,
     "\"chat_template_kwargs\":{\"enable_thinking\":false,\"thinking\":true,\"reasoning_effort\":"
     "\"low\"}",
     0, NULL},
    {V, CHAT, "\"chat_template_kwargs\":{\"tokenize\":true}", 403, "chat_template_kwargs.tokenize"},
    {V, CHAT, "\"chat_template_kwargs\":{\"enable_thinking\":\"{{x}}\"}", 403,
     "chat_template_kwargs.enable_thinking"},
    {L, CHAT, "\"id_slot\":0", 403, "id_slot"},
    {L, CHAT, "\"lora\":[{\"id\":0,\"scale\":1}]", 403, "lora"},
    {L, CHAT, "\"lora\":[]", 0, NULL},
    {L, CHAT, "\"response_fields\":[\"content\"]", 403, "response_fields"},
    {L, CHAT, "\"return_tokens\":true", 403, "return_tokens"},
    {L, CHAT, "\"return_tokens\":false", 0, NULL},
    {L, CHAT, "\"reasoning_control\":true", 403, "reasoning_control"},
    {L, CHAT, "\"sse_ping_interval\":-1", 403, "sse_ping_interval"},
    {L, CHAT, "\"generation_prompt\":\"Sure\"", 403, "generation_prompt"},
    {V, CHAT, "\"echo\":true", 403, "echo"},
    {V, CHAT, "\"continue_final_message\":true", 403, "continue_final_message"},
    {V, CHAT, "\"add_generation_prompt\":false", 403, "add_generation_prompt"},
    {V, CHAT, "\"echo\":false,\"continue_final_message\":false,\"add_generation_prompt\":true", 0,
     NULL},
    {V, CHAT, "\"prompt_logprobs\":1", 403, "prompt_logprobs"},
    {V, CHAT, "\"return_prompt_text\":true", 403, "return_prompt_text"},
    {V, CHAT, "\"return_token_ids\":true", 403, "return_token_ids"},
    {V, CHAT, "\"kv_transfer_params\":{\"a\":1}", 403, "kv_transfer_params"},
    {V, CHAT, "\"request_id\":\"x\"", 403, "request_id"},
    {V, CHAT, "\"session_id\":\"x\"", 403, "session_id"},
    {V, CHAT, "\"priority\":-1", 400, "priority"},
    {V, CHAT, "\"priority\":0", 0, NULL},
    {V, CHAT, "\"media_io_kwargs\":{\"a\":{}}", 403, "media_io_kwargs"},
    {V, CHAT, "\"mm_processor_kwargs\":{\"a\":1}", 403, "mm_processor_kwargs"},
    {V, CHAT, "\"allowed_token_ids\":[1]", 403, "allowed_token_ids"},
    {V, CHAT, "\"stop_token_ids\":[1,2],\"bad_words\":[\"a\"]", 0, NULL},
    {V, CHAT, "\"stop_token_ids\":[-1]", 400, "stop_token_ids[0]"},
    {V, CHAT, "\"documents\":[{\"title\":\"t\",\"text\":\"x\"}]", 0, NULL},
    {V, CHAT, "\"documents\":[{\"title\":[]}]", 400, "documents[0].title"},
    {V, CHAT, "\"structured_outputs\":{\"json\":{\"type\":\"object\"},\"choice\":[\"a\"]}", 0,
     NULL},
    {V, CHAT, "\"structured_outputs\":{\"structural_tag\":\"x\"}", 403,
     "structured_outputs.structural_tag"},
    {O, CHAT, "\"_debug_render_only\":true", 403, "_debug_render_only"},
    {P, CHAT, "\"store\":true", 403, "store"},
    {P, CHAT, "\"store\":false", 0, NULL},
    {P, CHAT, "\"audio\":{\"voice\":\"x\"}", 403, "audio"},
    {P, CHAT, "\"modalities\":[\"text\",\"audio\"]", 400, "modalities[1]"},
    {P, CHAT, "\"web_search_options\":{\"a\":1}", 403, "web_search_options"},
    {P, CHAT,
     "\"metadata\":{\"a\":\"b\"},\"user\":\"u\",\"service_tier\":\"auto\",\"verbosity\":\"low\","
     "\"reasoning_effort\":\"minimal\"",
     0, NULL},
    {P, CHAT, "\"metadata\":{\"a\":1}", 400, "metadata.a"},
    {P, CHAT, "\"response_format\":{\"type\":\"structural_tag\"}", 403, "response_format.type"},
    {P, CHAT, "\"response_format\":{\"type\":\"yaml\"}", 400, "response_format.type"},
    /* prompts */
    {L, "/v1/completions", "\"prompt\":[\"a\",\"b\"]", 0, NULL},
    {L, "/v1/completions", "\"prompt\":[1,2,3]", 403, "prompt"},
    {L, "/v1/completions", "\"prompt\":[[1,2],[3]]", 403, "prompt[0]"},
    {L, "/completion", "\"prompt\":[\"a\",[1]]", 403, "prompt[1]"},
    {L, "/completion", "\"prompt\":[12,\"x\"]", 400, "prompt"},
    {L, "/completion", "\"prompt\":{\"prompt_string\":\"x\",\"multimodal_data\":[]}", 403,
     "prompt"},
    {L, "/completion", "\"prompt\":7", 400, "prompt"},
    {V, "/v1/completions", "\"prompt_embeds\":\"AAAA\"", 403, "prompt_embeds"},
    {L, "/infill",
     "\"input_prefix\":\"a\",\"input_suffix\":\"b\",\"input_extra\":[{\"filename\":\"f\",\"text\":"
     "\"t\"}]",
     0, NULL},
    {L, "/infill", "\"input_extra\":[{\"file\":\"f\"}]", 400, "input_extra[0].file"},
    {L, "/v1/embeddings", "\"input\":[\"a\"],\"encoding_format\":\"base64\"", 0, NULL},
    {L, "/v1/embeddings", "\"input\":[1]", 403, "input"},
    {L, "/v1/embeddings", "\"input\":[{\"content\":\"x\"}]", 403, "input[0]"},
    {L, "/v1/rerank", "\"query\":\"q\",\"documents\":[\"a\",{\"text\":\"b\"}],\"top_n\":1", 0,
     NULL},
    {L, "/v1/rerank", "\"documents\":[\"a\"]", 400, "query"},
    {V, "/v1/score", "\"text_1\":\"a\",\"text_2\":[\"b\",\"c\"]", 0, NULL},
    {V, "/v2/embed",
     "\"texts\":[\"a\"],\"input_type\":\"search_query\",\"embedding_types\":[\"float\"]", 0, NULL},
    {L, "/tokenize", "\"content\":\"a\",\"add_special\":true", 0, NULL},
    {V, "/tokenize", "\"prompt\":\"a\",\"return_token_strs\":true", 0, NULL},
    {L, "/detokenize", "\"tokens\":[1,2]", 0, NULL},
    {L, "/detokenize", "\"tokens\":[-1]", 400, "tokens[0]"},
    {L, "/detokenize", "\"x\":1", 400, "x"},
    {L, "/detokenize", "\"model\":\"m\"", 400, "tokens"},
    /* Ollama */
    {O, "/api/generate",
     "\"prompt\":\"p\",\"system\":\"s\",\"suffix\":\"x\",\"template\":\"\",\"context\":[],\"raw\":"
     "false",
     0, NULL},
    {O, "/api/generate", "\"prompt\":\"p\",\"template\":\"{{ .Prompt }}\"", 403, "template"},
    {O, "/api/generate", "\"prompt\":\"p\",\"raw\":true", 403, "raw"},
    {O, "/api/generate", "\"prompt\":\"p\",\"context\":[1,2]", 403, "context"},
    {O, "/api/generate", "\"prompt\":\"p\",\"_debug_render_only\":true", 403, "_debug_render_only"},
    {O, "/api/chat", "\"messages\":[{\"role\":\"SYSTEM\",\"content\":\"x\"}]", 400,
     "messages[0].role"},
    {O, "/api/chat", "\"messages\":[{\"Role\":\"user\",\"content\":\"x\"}]", 400,
     "messages[0].Role"},
    {O, "/api/chat", M ",\"keep_alive\":null,\"think\":\"high\",\"format\":\"json\"", 0, NULL},
    {O, "/api/chat", M ",\"keep_alive\":\"5m\"", 403, "keep_alive"},
    {O, "/api/chat", M ",\"options\":{\"num_gpu\":1}", 403, "options.num_gpu"},
    {O, "/api/chat", M ",\"options\":{\"temperature\":0.5,\"stop\":[\"a\"]}", 0, NULL},
    {O, "/api/chat", M ",\"options\":{\"num_ctx\":8192}", 403, "options.num_ctx"},
    {O, "/api/chat", M ",\"options\":7", 400, "options"},
    {O, "/api/chat", M ",\"format\":\"xml\"", 400, "format"},
    {O, "/api/embed", "\"input\":[\"a\",\"b\"],\"truncate\":true", 0, NULL},
    {O, "/api/embed", "\"input\":[1]", 400, "input[0]"},
    {O, "/api/embeddings", "\"prompt\":\"a\"", 0, NULL},
    {O, "/api/show", "\"model\":\"m\"", 0, NULL},
    {O, "/api/show", "\"model\":\"m\",\"template\":\"x\"", 403, "template"},
};

static void single_parameters(void **state) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        char body[2048];
        bool chat = strcmp(r->path, CHAT) == 0;
        snprintf(body, sizeof body, "{%s%s}", chat ? M "," : "", r->members);
        const struct outcome *o = check(r->s, r->path, &bz_param_limits_default, body);
        uint16_t got = o->st == BZ_OK ? 0 : o->err.status;
        if (got != r->status || (r->param != NULL && strcmp(o->err.param, r->param) != 0 &&
                                 strncmp(o->err.param, r->param, strlen("logit_bias")) != 0))
            fail_msg("%s: %u at '%s' (%s), expected %u at '%s'", body, got, o->err.param,
                     o->err.why == NULL ? "" : o->err.why, r->status,
                     r->param == NULL ? "" : r->param);
        if (got != 0)
            assert_true(o->st == BZ_EDENIED && strlen(o->err.why) > 5 &&
                        o->err.offset < strlen(body));
    }
}

/* Limits of a role: what passes at the limit is refused above it, and 0 forbids. */
static void limits_of_a_role(void **state) {
    struct bz_param_limits l = bz_param_limits_default;
    l.max_choices = 1;
    l.allow_grammar = true;
    l.max_logprobs = 0;
    l.max_stop = 1;
    l.max_grammar = 20;
    l.max_tools = 1;
    l.max_messages = 1;
    l.max_inputs = 2;
    l.max_tokens = 10;
    static const struct row tight[] = {
        {L, CHAT, "\"n\":1,\"max_tokens\":10,\"stop\":\"a\"", 0, NULL},
        {L, CHAT, "\"n\":2", 400, "n"},
        {L, CHAT, "\"max_tokens\":11", 400, "max_tokens"},
        {L, CHAT, "\"logprobs\":true", 403, "logprobs"},
        {L, CHAT, "\"logprobs\":false,\"top_logprobs\":0", 0, NULL},
        {L, CHAT, "\"top_logprobs\":1", 403, "top_logprobs"},
        {L, CHAT, "\"stop\":[\"a\",\"b\"]", 400, "stop"},
        {L, CHAT, "\"grammar\":\"12345678901234567890\"", 0, NULL},
        {L, CHAT, "\"grammar\":\"123456789012345678901\"", 400, "grammar"},
        {L, CHAT, "\"json_schema\":{\"type\":\"object\"}", 0, NULL},
        {L, CHAT, "\"json_schema\":{\"type\":\"object\",\"a\":\"bcdefgh\"}", 400, "json_schema"},
        {L, CHAT, "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a\"}}]", 0, NULL},
        {L, CHAT,
         "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a\"}},{\"type\":\"function\","
         "\"function\":{\"name\":\"b\"}}]",
         400, "tools"},
        {L, "/v1/embeddings", "\"input\":[\"a\",\"b\"]", 0, NULL},
        {L, "/v1/embeddings", "\"input\":[\"a\",\"b\",\"c\"]", 400, "input"},
        {L, "/v1/rerank", "\"query\":\"q\",\"documents\":[\"a\",\"b\",\"c\"]", 400, "documents"},
        {O, "/api/chat",
         "\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"b\"}"
         "]",
         400, "messages"},
    };
    for (size_t i = 0; i < sizeof tight / sizeof tight[0]; i++) {
        char body[2048];
        snprintf(body, sizeof body, "{%s%s}", strcmp(tight[i].path, CHAT) == 0 ? M "," : "",
                 tight[i].members);
        const struct outcome *o = check(tight[i].s, tight[i].path, &l, body);
        uint16_t got = o->st == BZ_OK ? 0 : o->err.status;
        if (got != tight[i].status ||
            (tight[i].param != NULL && strcmp(o->err.param, tight[i].param) != 0))
            fail_msg("%s: %u at '%s' (%s)", body, got, o->err.param,
                     o->err.why == NULL ? "" : o->err.why);
    }
    struct bz_param_limits none = bz_param_limits_default;
    none.max_tokens = 0;
    assert_int_equal(check(L, CHAT, &none, "{" M "}")->err.status, 403);
    assert_int_equal(check(L, CHAT, &none, "{" M ",\"max_tokens\":1}")->err.status, 403);
    assert_int_equal(check(L, "/v1/embeddings", &none, "{\"input\":\"a\"}")->st, BZ_OK);
    struct bz_param_limits wide = bz_param_limits_default;
    wide.allow_echo = wide.allow_token_prompts = true;
    assert_int_equal(
        check(V, CHAT, &wide,
              "{" M
              ",\"echo\":true,\"continue_final_message\":true,\"add_generation_prompt\":false}")
            ->st,
        BZ_OK);
    assert_int_equal(check(L, "/completion", &wide, "{\"prompt\":[1,2]}")->st, BZ_OK);
    assert_int_equal(check(L, "/completion", &wide, "{\"prompt\":[1,-2]}")->err.status, 400);
    assert_int_equal(check(L, "/v1/embeddings", &wide, "{\"input\":[[1],[2]]}")->st, BZ_OK);
}

struct edit {
    enum bz_server s;
    const char *path, *body, *forwarded;
    uint32_t max_tokens, narrow; /* narrow: the role's max_tokens, 0: default */
};

#define MSGS "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

static const struct edit edits[] = {
    {L, CHAT, "{" MSGS "}", "{" MSGS ",\"max_tokens\":32768}", 32768, 0},
    {L, CHAT, "{" MSGS ",\"max_tokens\":-1}", "{" MSGS ",\"max_tokens\":32768}", 32768, 0},
    {L, CHAT, "{" MSGS ",\"max_tokens\":null}", "{" MSGS ",\"max_tokens\":32768}", 32768, 0},
    {L, CHAT, "{" MSGS ",\"max_tokens\":5}", "{" MSGS ",\"max_tokens\":5}", 5, 0},
    {L, CHAT, "{" MSGS ",\"max_tokens\":null,\"max_completion_tokens\":7}",
     "{" MSGS ",\"max_tokens\":null,\"max_completion_tokens\":7}", 7, 0},
    {L, CHAT, "{" MSGS ",\"n_predict\":-1,\"max_tokens\":5}",
     "{" MSGS ",\"n_predict\":32768,\"max_tokens\":5}", 32768, 0},
    {L, CHAT, "{" MSGS ",\"n_predict\":9,\"max_tokens\":5}",
     "{" MSGS ",\"n_predict\":9,\"max_tokens\":5}", 9, 0},
    {L, CHAT, "{" MSGS ",\"n_predict\":5,\"max_tokens\":9}",
     "{" MSGS ",\"n_predict\":5,\"max_tokens\":9}", 9, 0},
    {L, CHAT, "{\"model\":null," MSGS ",\"max_tokens\":5}", "{" MSGS ",\"max_tokens\":5}", 5, 0},
    {L, CHAT, "{\"model\":\"\"," MSGS ",\"max_tokens\":5}", "{" MSGS ",\"max_tokens\":5}", 5, 0},
    {V, CHAT, "{" MSGS "}", "{" MSGS "}", 32768, 0},
    {V, CHAT, "{" MSGS "}", "{" MSGS ",\"max_tokens\":100}", 100, 100},
    {V, CHAT, "{" MSGS ",\"max_completion_tokens\":50}", "{" MSGS ",\"max_completion_tokens\":50}",
     50, 100},
    {V, "/v1/completions", "{\"prompt\":\"a\"}", "{\"prompt\":\"a\"}", 100, 100},
    {O, CHAT, "{" MSGS ",\"max_completion_tokens\":50}",
     "{" MSGS ",\"max_completion_tokens\":50,\"max_tokens\":50}", 50, 0},
    {O, CHAT, "{" MSGS ",\"max_tokens\":0}", "{" MSGS ",\"max_tokens\":32768}", 32768, 0},
    {O, "/api/chat", "{" MSGS "}", "{" MSGS ",\"options\":{\"num_predict\":32768}}", 32768, 0},
    {O, "/api/chat", "{" MSGS ",\"options\":null}",
     "{" MSGS ",\"options\":{\"num_predict\":32768}}", 32768, 0},
    {O, "/api/chat", "{" MSGS ",\"options\":{\"seed\":1}}",
     "{" MSGS ",\"options\":{\"seed\":1,\"num_predict\":32768}}", 32768, 0},
    {O, "/api/generate", "{\"prompt\":\"a\",\"options\":{\"num_predict\":-2}}",
     "{\"prompt\":\"a\",\"options\":{\"num_predict\":32768}}", 32768, 0},
    {L, "/completion", "{\"prompt\":\"a\"}", "{\"prompt\":\"a\",\"n_predict\":32768}", 32768, 0},
    {L, "/infill", "{\"input_prefix\":\"a\"}", "{\"input_prefix\":\"a\",\"n_predict\":64}", 64, 64},
    {L, "/v1/responses", "{\"input\":\"a\"}", "{\"input\":\"a\",\"max_output_tokens\":32768}",
     32768, 0},
    {V, "/v1/responses", "{\"input\":\"a\"}", "{\"input\":\"a\",\"store\":false}", 32768, 0},
    {P, "/v1/responses", "{\"input\":\"a\",\"store\":null}", "{\"input\":\"a\",\"store\":false}",
     32768, 0},
    {L, "/v1/embeddings", "{\"input\":\"a\"}", "{\"input\":\"a\"}", 0, 0},
    {L, "/v1/chat/completions/input_tokens", "{" MSGS "}", "{" MSGS "}", 0, 0},
    {P, "/v1/responses/input_tokens", "{\"input\":\"a\"}", "{\"input\":\"a\"}", 0, 0},
    {L, CHAT, "{" MSGS ",\"max_tokens\":1,\"stream\":true}",
     "{" MSGS ",\"max_tokens\":1,\"stream\":true,\"stream_options\":{\"include_usage\":true}}", 1,
     0},
    {V, CHAT, "{" MSGS ",\"stream\":true,\"stream_options\":null}",
     "{" MSGS ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}", 32768, 0},
    {V, CHAT, "{" MSGS ",\"stream\":true,\"stream_options\":{\"include_usage\":false}}",
     "{" MSGS ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}", 32768, 0},
    {V, CHAT, "{" MSGS ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
     "{" MSGS ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}", 32768, 0},
    {V, CHAT, "{" MSGS ",\"stream\":false,\"stream_options\":null}",
     "{" MSGS ",\"stream\":false,\"stream_options\":null}", 32768, 0},
};

/* 30,000 open groups end a llama-server for everybody. */
static void groups_of_a_grammar_are_bounded(void **state) {
    static char body[2048];
    struct bz_param_limits free = bz_param_limits_default;
    const struct bz_param_limits *l = &free;
    free.allow_grammar = true;
    for (int n = 512; n <= 513; n++) {
        int at = snprintf(body, sizeof body, "{\"prompt\":\"x\",\"grammar\":\"root ::= ");
        memset(body + at, '(', (size_t)n);
        snprintf(body + at + n, sizeof body - (size_t)(at + n), "\"}");
        const struct outcome *o = check(BZ_SERVER_LLAMACPP, "/completion", l, body);
        assert_int_equal(o->st, n == 512 ? BZ_OK : BZ_EDENIED);
        if (n > 512)
            assert_string_equal(o->err.param, "grammar");
        at = snprintf(body, sizeof body, "{\"prompt\":\"x\",\"structured_outputs\":{\"regex\":\"");
        memset(body + at, '(', (size_t)n);
        snprintf(body + at + n, sizeof body - (size_t)(at + n), "\"}}");
        o = check(BZ_SERVER_VLLM, "/v1/completions", l, body);
        assert_int_equal(o->st, n == 512 ? BZ_OK : BZ_EDENIED);
    }
}

#define A13 "a?a?a?a?a?a?a?a?a?a?a?a?a?"
#define SCHEMA(s)                                                                                  \
    "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":" s "}}"

/* status: without the leave; with it everything passes. */
static void expect_gated(const struct row *gated, size_t n, const struct bz_param_limits *leave) {
    for (size_t i = 0; i < n; i++) {
        char body[2048];
        const struct row *r = &gated[i];
        snprintf(body, sizeof body, "{%s%s}", strcmp(r->path, CHAT) == 0 ? M "," : "", r->members);
        const struct outcome *o = check(r->s, r->path, &bz_param_limits_default, body);
        uint16_t got = o->st == BZ_OK ? 0 : o->err.status;
        if (got != r->status || (got != 0 && (strcmp(o->err.param, r->param) != 0 ||
                                              o->err.why == NULL || o->err.fix == NULL)))
            fail_msg("%s: %u at '%s', expected %u", body, got, o->err.param, r->status);
        o = check(r->s, r->path, leave, body);
        if (o->st != BZ_OK)
            fail_msg("%s: %u at '%s' (%s) with leave", body, o->err.status, o->err.param,
                     o->err.why);
    }
}

/* root ::= [a-z]? 300 times holds up llama-server's only loop for minutes. */
static void raw_grammars_need_leave(void **state) {
    static const struct row gated[] = {
        {L, CHAT, "\"grammar\":\"root ::= [a-z]?\"", 403, "grammar"},
        {L, CHAT, "\"grammar\":null", 0, NULL},
        {L, CHAT, "\"grammar\":\"\"", 0, NULL},
        {L, "/completion", "\"prompt\":\"a\",\"grammar\":\"x\"", 403, "grammar"},
        {L, "/infill", "\"grammar\":\"x\"", 403, "grammar"},
        {V, CHAT, "\"guided_regex\":\"x\"", 403, "guided_regex"},
        {V, CHAT, "\"guided_grammar\":\"x\"", 403, "guided_grammar"},
        {V, CHAT, "\"guided_json\":\"{}\"", 403, "guided_json"},
        {V, CHAT, "\"guided_json\":{\"type\":\"object\"}", 0, NULL},
        {V, CHAT, "\"guided_choice\":[\"a\",\"b\"]", 0, NULL},
        {V, CHAT, "\"structured_outputs\":{\"regex\":\"x\"}", 403, "structured_outputs.regex"},
        {V, CHAT, "\"structured_outputs\":{\"grammar\":\"x\"}", 403, "structured_outputs.grammar"},
        {V, CHAT, "\"structured_outputs\":{\"whitespace_pattern\":\"x\"}", 403,
         "structured_outputs.whitespace_pattern"},
        {V, CHAT, "\"structured_outputs\":{\"json\":\"{}\"}", 403, "structured_outputs.json"},
        {V, CHAT, "\"structured_outputs\":{\"json\":{}}", 0, NULL},
        {P, CHAT,
         "\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"n\",\"format\":{\"type\":"
         "\"grammar\",\"grammar\":{\"syntax\":\"lark\",\"definition\":\"x\"}}}}]",
         403, "tools[0].custom.format"},
        {P, CHAT,
         "\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"n\",\"format\":{\"type\":"
         "\"text\"}}}]",
         0, NULL},
        {P, "/v1/responses",
         "\"input\":\"x\",\"tools\":[{\"type\":\"custom\",\"name\":\"n\",\"format\":{\"type\":"
         "\"grammar\",\"syntax\":\"regex\",\"definition\":\"x\"}}]",
         403, "tools[0].format"},
    };
    struct bz_param_limits leave = bz_param_limits_default;
    leave.allow_grammar = true;
    expect_gated(gated, sizeof gated / sizeof gated[0], &leave);
}

/* A schema's "pattern" becomes a grammar, too: ordinary ones pass, piled-up ones do not. */
static void patterns_of_a_schema_are_bounded(void **state) {
    static const struct row gated[] = {
        {L, CHAT, SCHEMA("{\"pattern\":\"^[a-z]+(-[a-z0-9]+)*$\"}"), 0, NULL},
        {L, CHAT, SCHEMA("{\"pattern\":\"^[0-9]{4}-[0-9]{2}-[0-9]{2}T?$\"}"), 0, NULL},
        {L, CHAT, SCHEMA("{\"pattern\":\"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$\"}"), 0, NULL},
        {L, CHAT, SCHEMA("{\"pattern\":\"^((25[0-5]|[01]?[0-9]?[0-9])[.]){3}[0-9]{1,3}$\"}"), 0,
         NULL},
        {L, CHAT, SCHEMA("{\"patternProperties\":{\"(a?){99}\":true}}"), 403,
         "response_format.json_schema.schema"},
        {L, CHAT, SCHEMA("{\"properties\":{\"pattern\":{\"type\":\"string\"}}}"), 0, NULL},
        {L, CHAT, SCHEMA("{\"anyOf\":[{\"pattern\":\"" A13 A13 A13 A13 A13 "\"}]}"), 403,
         "response_format.json_schema.schema"},
        {L, CHAT, SCHEMA("{\"pattern\":\"^([a-z]?){300}$\"}"), 403,
         "response_format.json_schema.schema"},
        {L, CHAT, "\"json_schema\":{\"pattern\":\"(a?){99}\"}", 403, "json_schema"},
        {O, "/api/chat", M ",\"format\":{\"pattern\":\"(a?){99}\"}", 403, "format"},
    };
    struct bz_param_limits leave = bz_param_limits_default;
    leave.allow_grammar = true;
    expect_gated(gated, sizeof gated / sizeof gated[0], &leave);
}

/* One user's options must not make everybody's model load anew, or unload it. */
static void load_options_need_leave(void **state) {
    static const struct row gated[] = {
        {O, "/api/chat", M ",\"keep_alive\":0", 403, "keep_alive"},
        {O, "/api/chat", M ",\"keep_alive\":\"1h\"", 403, "keep_alive"},
        {O, "/api/chat", M ",\"keep_alive\":null", 0, NULL},
        {O, "/api/generate", "\"prompt\":\"\",\"keep_alive\":0", 403, "keep_alive"},
        {O, "/api/embed", "\"input\":\"a\",\"keep_alive\":\"5m\"", 403, "keep_alive"},
        {O, "/api/embed", "\"input\":\"a\",\"options\":{\"num_ctx\":1}", 403, "options.num_ctx"},
        {O, "/api/chat", M ",\"options\":{\"num_ctx\":4096}", 403, "options.num_ctx"},
        {O, "/api/chat", M ",\"options\":{\"num_batch\":1}", 403, "options.num_batch"},
        {O, "/api/chat", M ",\"options\":{\"num_gpu\":0}", 403, "options.num_gpu"},
        {O, "/api/chat", M ",\"options\":{\"main_gpu\":1}", 403, "options.main_gpu"},
        {O, "/api/chat", M ",\"options\":{\"num_thread\":1}", 403, "options.num_thread"},
        {O, "/api/chat", M ",\"options\":{\"numa\":true}", 403, "options.numa"},
        {O, "/api/chat", M ",\"options\":{\"use_mmap\":false}", 403, "options.use_mmap"},
        {O, "/api/chat", M ",\"options\":{\"use_mlock\":true}", 403, "options.use_mlock"},
        {O, "/api/chat", M ",\"options\":{\"low_vram\":true}", 403, "options.low_vram"},
        {O, "/api/chat", M ",\"options\":{\"use_mmap\":null,\"num_keep\":4}", 0, NULL},
    };
    struct bz_param_limits leave = bz_param_limits_default;
    leave.allow_load_options = true;
    expect_gated(gated, sizeof gated / sizeof gated[0], &leave);
    static const char *const bad[] = {
        "\"keep_alive\":3601",    "\"keep_alive\":\"2h\"",        "\"keep_alive\":-1",
        "\"keep_alive\":\"-1s\"", "\"options\":{\"num_ctx\":-1}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char body[256];
        snprintf(body, sizeof body, "{" M ",%s}", bad[i]);
        assert_int_equal(check(O, "/api/chat", &leave, body)->err.status, 400);
    }
}

/* Every prompt of a list is a generation, `n` times. */
static void answers_of_one_request_are_bounded(void **state) {
    static const struct row gated[] = {
        {L, "/v1/completions", "\"prompt\":[\"a\",\"b\"],\"n\":2", 0, NULL},
        {L, "/v1/completions", "\"prompt\":[\"a\",\"b\",\"c\",\"d\"]", 0, NULL},
        {L, "/v1/completions", "\"prompt\":[\"a\",\"b\",\"c\"],\"n\":2", 400, "prompt"},
        {L, "/completion", "\"prompt\":[\"a\",\"b\",\"c\"],\"n_cmpl\":2", 400, "prompt"},
        {V, "/v1/completions", "\"prompt\":[\"a\",\"b\",\"c\"],\"best_of\":2", 400, "prompt"},
        {V, "/v1/completions", "\"prompt\":[\"a\",\"b\",\"c\",\"d\",\"e\"]", 400, "prompt"},
        {L, "/v1/embeddings", "\"input\":[\"a\",\"b\",\"c\",\"d\",\"e\"]", 0, NULL},
    };
    struct bz_param_limits leave = bz_param_limits_default, none = leave;
    leave.max_choices = 6;
    expect_gated(gated, sizeof gated / sizeof gated[0], &leave);
    none.max_choices = 0; /* no choice at all: one answer is still no choice */
    assert_int_equal(check(L, "/v1/completions", &none, "{\"prompt\":\"a\"}")->st, BZ_OK);
}

static void our_own_edits(void **state) {
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        struct bz_param_limits l = bz_param_limits_default;
        if (edits[i].narrow != 0)
            l.max_tokens = edits[i].narrow;
        const struct outcome *o = check(edits[i].s, edits[i].path, &l, edits[i].body);
        if (o->st != BZ_OK || strcmp(o->forwarded, edits[i].forwarded) != 0 ||
            o->facts.max_tokens != edits[i].max_tokens)
            fail_msg("%s: %s %s, %u: %s", edits[i].body, bz_status_text(o->st), o->err.param,
                     o->facts.max_tokens, o->forwarded);
        bool added = strstr(edits[i].forwarded, "include_usage\":true") != NULL &&
                     strstr(edits[i].body, "include_usage\":true") == NULL;
        assert_int_equal(o->facts.strip_usage, added);
    }
}

static void facts_of_a_body(void **state) {
    const struct outcome *o =
        check(L, CHAT, &bz_param_limits_default,
              "{\"model\":\"tiny\",\"n\":3,\"stream\":true,\"messages\":[{\"role\":\"system\","
              "\"content\":\"12345\"},{\"role\":"
              "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"678\"}]}],\"tools\":[{\"type\":"
              "\"function\",\"function\":{\"name\":\"ab\",\"description\":\"cde\"}}]}");
    assert_int_equal(o->st, BZ_OK);
    assert_string_equal(o->model, "tiny");
    assert_non_null(o->facts.model_node);
    assert_int_equal(o->facts.choices, 3);
    assert_int_equal(o->facts.text_bytes, 5 + 3 + 2 + 3);
    assert_true(o->facts.stream && o->facts.tools);
    o = check(L, "/v1/completions", &bz_param_limits_default,
              "{\"prompt\":[\"ab\",\"c\"],\"n\":2,\"tools\":null}");
    assert_int_equal(o->st, BZ_EDENIED); /* no tools there */
    o = check(L, "/v1/completions", &bz_param_limits_default,
              "{\"prompt\":[\"ab\",\"c\"],\"n\":2}");
    assert_int_equal(o->facts.choices, 4);
    assert_int_equal(o->facts.text_bytes, 3);
    assert_null(o->facts.model_node);
    assert_false(o->facts.stream);
    assert_true(check(O, "/api/chat", &bz_param_limits_default, "{" M "}")->facts.stream);
    assert_true(
        check(O, "/api/chat", &bz_param_limits_default, "{" M ",\"stream\":null}")->facts.stream);
    assert_false(
        check(O, "/api/generate", &bz_param_limits_default, "{\"prompt\":\"a\",\"stream\":false}")
            ->facts.stream);
    assert_false(
        check(O, "/api/embed", &bz_param_limits_default, "{\"input\":\"a\"}")->facts.stream);
    assert_int_equal(check(L, "/v1/chat/completions/input_tokens", &bz_param_limits_default,
                           "{" M ",\"stream\":true}")
                         ->err.status,
                     400);
}

static void management_bodies_are_objects(void **state) {
    const struct outcome *o =
        check(L, "/models/load", &bz_param_limits_default, "{\"model\":\"tiny\",\"anything\":[1]}");
    assert_int_equal(o->st, BZ_OK);
    assert_string_equal(o->model, "tiny");
    assert_int_equal(check(L, "/models/load", &bz_param_limits_default, "[1]")->err.status, 400);
    assert_int_equal(
        check(L, "/models/load", &bz_param_limits_default, "{\"model\":1}")->err.status, 400);
    assert_int_equal(check(L, CHAT, &bz_param_limits_default, "[1]")->err.status, 400);
    assert_int_equal(check(L, CHAT, &bz_param_limits_default, "{}")->err.status, 400);
    struct bz_req_facts f;
    struct bz_param_error e;
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
    assert_int_equal(
        bz_dialect_check(route_of(V, "/sleep"), V, NULL, &bz_param_limits_default, &ar, &f, &e),
        BZ_OK);
    assert_int_equal(
        bz_dialect_check(route_of(V, CHAT), V, NULL, &bz_param_limits_default, &ar, &f, &e),
        BZ_EINVAL);
    bz_arena_free(&ar);
}

/* Long and deep paths are cut, not overrun. */
static void long_paths_are_cut(void **state) {
    static char body[4096] = "{" M ",\"stream_options\":{\"";
    memset(body + strlen(body), 'k', 3000);
    memcpy(body + strlen(body), "\":1}}", 6);
    const struct outcome *o = check(V, CHAT, &bz_param_limits_default, body);
    assert_int_equal(o->err.status, 400);
    assert_true(strlen(o->err.param) < sizeof o->err.param);
    assert_memory_equal(o->err.param, "stream_options.kkk", 18);
}

/* The arena ends at every possible place: an error or the right answer, nothing else. */
static void no_memory_at_any_place(void **state) {
    static const char body[] = "{" MSGS ",\"stream\":true}";
    for (size_t max = 0; max < 8192; max += 16) {
        struct bz_arena ar, tree;
        struct bz_json *root;
        struct bz_req_facts f;
        struct bz_param_error e;
        static uint8_t room[8192];
        bz_arena_init(&tree, bz_alloc_heap, 1 << 20, NULL, 0);
        assert_int_equal(bz_json_parse(bz_view(body, sizeof body - 1), NULL, &tree, &root, NULL),
                         BZ_OK);
        bz_arena_init(&ar, bz_alloc_heap, 0, room, max);
        enum bz_status st =
            bz_dialect_check(route_of(L, CHAT), L, root, &bz_param_limits_default, &ar, &f, &e);
        assert_true(st == BZ_OK || st == BZ_ENOMEM);
        assert_true(max != 0 || st == BZ_ENOMEM);
        assert_true(max < 8000 || st == BZ_OK);
        bz_arena_free(&tree);
    }
}

/* A required row behind required_n would never be missed. */
static void required_rows_are_looked_for(void **state) {
    for (int api = 0; api < BZ_API_COUNT; api++) {
        struct param_set set = bz_param_table((enum bz_api)api);
        assert_true(set.required_n <= set.n);
        for (size_t i = set.required_n; i < set.n; i++)
            assert_int_equal(set.rows[i].flags & PARAM_REQUIRED, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(required_rows_are_looked_for),
        cmocka_unit_test(single_parameters),
        cmocka_unit_test(limits_of_a_role),
        cmocka_unit_test(groups_of_a_grammar_are_bounded),
        cmocka_unit_test(raw_grammars_need_leave),
        cmocka_unit_test(patterns_of_a_schema_are_bounded),
        cmocka_unit_test(load_options_need_leave),
        cmocka_unit_test(answers_of_one_request_are_bounded),
        cmocka_unit_test(our_own_edits),
        cmocka_unit_test(facts_of_a_body),
        cmocka_unit_test(management_bodies_are_objects),
        cmocka_unit_test(long_paths_are_cut),
        cmocka_unit_test(no_memory_at_any_place),
    };
    return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
