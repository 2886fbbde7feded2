/* Whole replies: the shape of each API, and where it puts its token counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <bartizan/dialect.h>

#define L BZ_SERVER_LLAMACPP
#define O BZ_SERVER_OLLAMA
#define V BZ_SERVER_VLLM
#define P BZ_SERVER_OPENAI
#define A BZ_SERVER_ANTHROPIC

struct row {
    enum bz_server s;
    const char *path, *body;
    bool good, known;
    uint64_t prompt, completion;
};

static const struct row rows[] = {
    {P, "/v1/chat/completions",
     "{\"choices\":[{\"index\":0}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}", true,
     true, 3, 4},
    {L, "/v1/chat/completions",
     "{\"choices\":[],\"timings\":{\"prompt_n\":2,\"cache_n\":3,\"predicted_n\":4}}", true, true, 5,
     4},
    {P, "/v1/chat/completions", "{\"choices\":[]}", true, false, 0, 0},
    {P, "/v1/chat/completions", "{\"choices\":[],\"error\":null}", true, false, 0, 0},
    {P, "/v1/chat/completions", "{\"choices\":[],\"error\":{\"message\":\"x\"}}", false, false, 0,
     0},
    {P, "/v1/chat/completions", "{\"object\":\"error\",\"choices\":[]}", false, false, 0, 0},
    {P, "/v1/chat/completions", "{\"choices\":{}}", false, false, 0, 0},
    {P, "/v1/chat/completions", "{}", false, false, 0, 0},
    {P, "/v1/chat/completions", "[]", false, false, 0, 0},
    {P, "/v1/chat/completions", "\"<html>\"", false, false, 0, 0},
    {P, "/v1/chat/completions",
     "{\"choices\":[],\"usage\":{\"prompt_tokens\":-3,\"completion_tokens\":4}}", true, false, 0,
     0},
    {P, "/v1/chat/completions", "{\"choices\":[],\"usage\":{\"prompt_tokens\":\"3\"}}", true, false,
     0, 0},
    {P, "/v1/completions",
     "{\"choices\":[{\"text\":\"x\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
     true, true, 1, 2},
    {P, "/v1/embeddings", "{\"data\":[{\"embedding\":[0.5]}],\"usage\":{\"prompt_tokens\":6}}",
     true, true, 6, 0},
    {L, "/embedding", "[{\"index\":0,\"embedding\":[[0.5]]}]", true, false, 0, 0},
    {L, "/embedding", "[{\"error\":\"x\"}]", false, false, 0, 0},
    {V, "/v2/embed", "{\"id\":\"x\",\"embeddings\":{\"float\":[[1]]}}", true, false, 0, 0},
    {P, "/v1/responses",
     "{\"error\":null,\"output\":[],\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}", true,
     true, 1, 2},
    {P, "/v1/responses", "{\"error\":{\"code\":\"x\"},\"status\":\"failed\",\"output\":[]}", false,
     false, 0, 0},
    {P, "/v1/responses", "{\"output\":null}", false, false, 0, 0},
    {P, "/v1/responses/input_tokens", "{\"object\":\"response.input_tokens\",\"input_tokens\":12}",
     true, false, 0, 0},
    {L, "/v1/chat/completions/input_tokens", "{\"input_tokens\":12}", true, false, 0, 0},
    {L, "/v1/chat/completions/input_tokens", "{\"choices\":[]}", false, false, 0, 0},
    {A, "/v1/messages",
     "{\"type\":\"message\",\"content\":[],\"usage\":{\"input_tokens\":5,\"cache_read_input_"
     "tokens\":2,\"output_tokens\":3}}",
     true, true, 7, 3},
    {A, "/v1/messages", "{\"type\":\"error\",\"content\":[]}", false, false, 0, 0},
    {A, "/v1/messages", "{\"type\":\"message\"}", false, false, 0, 0},
    {A, "/v1/messages/count_tokens", "{\"input_tokens\":5}", true, false, 0, 0},
    {A, "/v1/messages/count_tokens", "{\"input_tokens\":-5}", false, false, 0, 0},
    {O, "/api/chat",
     "{\"message\":{\"content\":\"x\"},\"done\":true,\"prompt_eval_count\":9,\"eval_count\":8}",
     true, true, 9, 8},
    {O, "/api/chat", "{\"message\":{},\"eval_count\":8}", true, true, 0, 8},
    {O, "/api/chat", "{\"error\":\"x\"}", false, false, 0, 0},
    {O, "/api/generate", "{\"response\":\"x\",\"prompt_eval_count\":1,\"eval_count\":2}", true,
     true, 1, 2},
    {O, "/api/generate", "{\"response\":7}", false, false, 0, 0},
    {O, "/api/embed", "{\"embeddings\":[[1]],\"prompt_eval_count\":4}", true, true, 4, 0},
    {O, "/api/embeddings", "{\"embedding\":[1]}", true, false, 0, 0},
    {O, "/api/show", "{\"details\":{}}", true, false, 0, 0},
    {O, "/api/show", "[]", false, false, 0, 0},
    {L, "/completion", "{\"content\":\"x\",\"tokens_evaluated\":5,\"tokens_predicted\":2}", true,
     true, 5, 2},
    {L, "/completion",
     "[{\"content\":\"x\",\"tokens_evaluated\":5,\"tokens_predicted\":2},{\"content\":\"y\","
     "\"tokens_evaluated\":1,\"tokens_predicted\":1}]",
     true, true, 6, 3},
    {L, "/completion", "[{\"content\":\"x\"},7]", false, false, 0, 0},
    {L, "/completion", "[[{\"content\":\"x\"}]]", false, false, 0, 0},
    {L, "/completion", "{\"content\":null}", false, false, 0, 0},
    {L, "/infill", "{\"content\":\"x\"}", true, false, 0, 0},
    {L, "/v1/rerank", "{\"results\":[],\"usage\":{\"prompt_tokens\":2}}", true, true, 2, 0},
    {L, "/rerank", "[{\"index\":0,\"score\":1}]", true, false, 0, 0},
    {V, "/v1/score", "{\"data\":[]}", true, false, 0, 0},
    {V, "/v1/score", "{}", false, false, 0, 0},
    {L, "/tokenize", "{\"tokens\":[1]}", true, false, 0, 0},
    {L, "/tokenize", "{\"tokens\":1}", false, false, 0, 0},
    {L, "/detokenize", "{\"content\":\"x\"}", true, false, 0, 0},
    {V, "/detokenize", "{\"prompt\":\"x\"}", true, false, 0, 0},
    {L, "/models/load", "{\"success\":true}", true, false, 0, 0},
    {L, "/models/load", "\"x\"", false, false, 0, 0},
};

static void replies(void **state) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        const struct bz_route *route;
        struct bz_view id;
        struct bz_arena ar;
        struct bz_json *root;
        struct bz_usage u = {77, 77, false};
        assert_int_equal(bz_route_find(r->s, BZ_V("POST"), bz_view_str(r->path), &route, &id),
                         BZ_ROUTE_FOUND);
        bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
        assert_int_equal(bz_json_parse(bz_view_str(r->body), NULL, &ar, &root, NULL), BZ_OK);
        enum bz_status st = bz_reply_check(route, root, &u);
        bool same = !r->good ||
                    (u.known == r->known && u.prompt == r->prompt && u.completion == r->completion);
        if (st != (r->good ? BZ_OK : BZ_ESYNTAX) || !same || (!r->good && u.prompt != 77))
            fail_msg("%s %s: %s, %d %d %d", r->path, r->body, bz_status_text(st), (int)u.known,
                     (int)u.prompt, (int)u.completion);
        bz_arena_free(&ar);
    }
    const struct bz_route *route;
    struct bz_view id;
    struct bz_usage u;
    assert_int_equal(bz_route_find(P, BZ_V("POST"), BZ_V("/v1/embeddings"), &route, &id),
                     BZ_ROUTE_FOUND);
    assert_int_equal(bz_reply_check(route, NULL, &u), BZ_ESYNTAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(replies)};
    return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
