/* What clients really send and servers really answer: nothing of it is unknown, every text is seen.
 * And no parameter that carries text is without a field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../src/dialect/params.h"
#include <bartizan/fields.h>

#define L BZ_SERVER_LLAMACPP
#define O BZ_SERVER_OLLAMA
#define V BZ_SERVER_VLLM
#define P BZ_SERVER_OPENAI
#define A BZ_SERVER_ANTHROPIC

static struct bz_param_error err;
static struct bz_arena ar;

static struct bz_json *parse(const char *text) {
    struct bz_json *root;
    struct bz_diag diag;
    if (bz_json_parse(bz_view_str(text), NULL, &ar, &root, &diag) != BZ_OK)
        fail_msg("%s: not JSON: %s", text, diag.why);
    return root;
}

static const struct bz_route *route_of(enum bz_server s, const char *path) {
    const struct bz_route *r;
    struct bz_view id;
    if (bz_route_find(s, BZ_V("POST"), bz_view_str(path), &r, &id) != BZ_ROUTE_FOUND)
        return NULL;
    return r;
}

/* ---- every text of a shape is seen ---- */

static enum bz_status count_marked(void *ctx, const struct bz_walk *w, const struct bz_span *s) {
    *(unsigned *)ctx += s->text.p[0] == '~';
    return BZ_OK;
}

static unsigned marked(const struct bz_json *v) {
    unsigned n = v->type == BZ_JSON_STRING && v->val.n > 0 && v->val.p[0] == '~';
    for (const struct bz_json *m = v->first; m != NULL; m = m->next)
        n += marked(m) + (m->key.n > 0 && m->key.p[0] == '~');
    return n;
}

static void has_no(const struct bz_json *v, const char *name) {
    for (const struct bz_json *m = v->first; m != NULL; m = m->next) {
        if (bz_view_eq(m->key, bz_view_str(name)))
            fail_msg("%s is still there", name);
        has_no(m, name);
    }
}

static void one_shape(enum bz_server s, const char *path, enum bz_where where, const char *body) {
    const struct bz_route *r = route_of(s, path);
    struct bz_json *root = parse(body);
    unsigned seen = 0;
    struct bz_usage usage;
    struct bz_walk w = {.span = count_marked, .ctx = &seen, .err = &err};
    if (r == NULL)
        fail_msg("%s: no route %s", bz_server_name(s), path);
    if (where == BZ_WHERE_REPLY && bz_reply_check(r, root, &usage) != BZ_OK)
        fail_msg("%s %s: %s: no reply", bz_server_name(s), path, body);
    if (bz_fields_walk(r, s, where, root, &w) != BZ_OK)
        fail_msg("%s %s: %s: %s: %s", bz_server_name(s), path, body, err.param, err.why);
    if (seen != marked(root))
        fail_msg("%s %s: %s: %u texts seen, not %u", bz_server_name(s), path, body, seen,
                 marked(root));
    bz_fields_clear_repeats(r, s, where, root, 0);
    if (r->api != BZ_API_TOKENIZE)
        has_no(root, "token");
    assert_int_equal(marked(root), seen);
}

static void each_line(const char *file, void (*line_fn)(char *line)) {
    char path[2048];
    static char text[1 << 20];
    const char *root = getenv("BZ_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/tests/data/%s", root != NULL ? root : ".", file);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    size_t n = fread(text, 1, sizeof text - 1, f), lines = 0;
    text[n] = '\0';
    fclose(f);
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (line[0] == '#' || line[0] == '\0')
            continue;
        bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
        line_fn(line);
        bz_arena_free(&ar);
        lines++;
    }
    assert_true(lines > 20);
}

static void shape_line(char *line) {
    enum bz_server s = BZ_SERVER_COUNT;
    const char *server = strsep(&line, "\t"), *path = strsep(&line, "\t");
    const char *where = strsep(&line, "\t");
    assert_true(line != NULL && bz_server_from_name(bz_view_str(server), &s));
    one_shape(s, path, strcmp(where, "event") == 0 ? BZ_WHERE_EVENT : BZ_WHERE_REPLY, line);
}

static void answers_of_real_servers(void **state) {
    each_line("reply-shapes.tsv", shape_line);
}

/* ---- requests: what passes the check has no unknown member ---- */

static enum bz_status none(void *ctx, const struct bz_walk *w, const struct bz_span *s) {
    return BZ_OK;
}

static void passes(enum bz_server s, const struct bz_route *r, const char *body) {
    struct bz_param_limits leave = bz_param_limits_default;
    struct bz_req_facts facts;
    struct bz_walk w = {.span = none, .err = &err};
    struct bz_json *root = parse(body);
    leave.allow_load_options = leave.allow_echo = leave.allow_grammar = leave.allow_token_prompts =
        true;
    if (bz_dialect_check(r, s, root, &leave, &ar, &facts, &err) != BZ_OK)
        fail_msg("%s %s: %s: %s: %s", bz_server_name(s), r->path, body, err.param, err.why);
    if (bz_fields_walk(r, s, BZ_WHERE_REQUEST, root, &w) != BZ_OK)
        fail_msg("%s %s: %s: no field: %s: %s", bz_server_name(s), r->path, body, err.param,
                 err.why);
}

static void body_line(char *line) {
    const char *server = strsep(&line, "\t"), *path = strsep(&line, "\t");
    enum bz_server own;
    assert_true(line != NULL && bz_server_from_name(bz_view_str(server), &own));
    for (unsigned s = 0; s < BZ_SERVER_COUNT; s++) {
        const struct bz_route *r = route_of((enum bz_server)s, path);
        if (r != NULL)
            passes((enum bz_server)s, r, line);
    }
}

static void bodies_of_real_clients(void **state) {
    each_line("sdk-bodies.tsv", body_line);
}

#define M "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define PNG                                                                                        \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5Er"    \
    "kJggg=="

/* Values for the parameters that a function checks, as many forms as it takes. */
static const struct {
    enum bz_server s;
    const char *path, *body;
} forms[] = {
    {L, "/v1/chat/completions", "{" M ",\"logit_bias\":[[5,1],[6,false]],\"stop\":\"x\"}"},
    {V, "/v1/chat/completions",
     "{" M ",\"documents\":[{\"title\":\"t\",\"text\":\"x\"}],\"guided_json\":\"{}\",\"guided_regex"
     "\":\"a\",\"guided_choice\":[\"a\"],\"bad_words\":[\"b\"],\"structured_outputs\":{\"choice\":["
     "\"a\"],\"json\":{\"type\":\"object\"}},\"chat_template_kwargs\":{\"enable_thinking\":true},"
     "\"stop_token_ids\":[1],\"cache_salt\":\"s\"}"},
    {V, "/v1/chat/completions", "{" M ",\"guided_json\":{\"type\":\"object\"},\"logprobs\":true}"},
    {L, "/v1/chat/completions",
     "{" M ",\"json_schema\":{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[\"x\",1]}}},"
     "\"grammar\":\"root ::= x\",\"dry_sequence_breakers\":[\"a\"],\"samplers\":[\"top_k\"],\"lora"
     "\":[],\"chat_template\":\"\",\"n_discard\":null,\"return_tokens\":false}"},
    {P, "/v1/chat/completions",
     "{" M ",\"functions\":[{\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"type\":"
     "\"object\"}}],\"function_call\":{\"name\":\"f\"},\"prediction\":{\"type\":\"content\","
     "\"content\":[{\"type\":\"text\",\"text\":\"x\"}]},\"tool_choice\":{\"type\":\"allowed_"
     "tools\","
     "\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[{\"a\":1}]}},\"prompt_cache_options\":{\"a\":"
     "[1]},\"reasoning\":{\"effort\":\"low\"},\"metadata\":{\"k\":\"v\"}}"},
    {P, "/v1/chat/completions",
     "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"r\"}]"
     ","
     "\"tool_calls\":[{\"id\":\"c\",\"type\":\"custom\",\"index\":0,\"custom\":{\"name\":\"f\","
     "\"input\":\"i\"},\"extra_content\":{\"a\":\"b\"}},{\"id\":\"d\",\"function\":{\"name\":\"f\","
     "\"arguments\":{\"a\":1},\"parsed_arguments\":{\"a\":1}}}],\"function_call\":{\"name\":\"f\","
     "\"arguments\":\"{}\"},\"annotations\":[{\"a\":1}],\"parsed\":{\"a\":1},\"audio\":null,"
     "\"reasoning\":\"r\",\"reasoning_content\":\"r\",\"refusal\":\"r\",\"cache_control\":{\"a\":1}"
     ","
     "\"name\":\"n\"},{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"x\"},{\"role\":"
     "\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":\"data:image/png;base64," PNG
     "\"},{\"type\":\"file\",\"file\":{\"filename\":\"f\",\"file_data\":\"data:application/"
     "pdf;base64,JVBERi0x\"}},{\"type\":\"input_audio\",\"input_audio\":{\"data\":"
     "\"SUQzAAAA\",\"format\":\"mp3\"}},{\"type\":\"text\",\"text\":\"x\",\"annotations\":[1],"
     "\"prompt_cache_breakpoint\":{\"a\":1},\"cache_control\":{\"type\":\"e\"}}]}],\"tools\":[{"
     "\"type\":\"custom\",\"custom\":{\"name\":\"f\",\"description\":\"d\",\"format\":{\"type\":"
     "\"text\"}}}]}"},
    {L, "/v1/completions", "{\"prompt\":[[1,2],[3]],\"suffix\":\"s\"}"},
    {L, "/v1/completions", "{\"prompt\":[1,2]}"},
    {V, "/v1/completions", "{\"prompt\":[\"a\",\"b\"],\"response_format\":{\"type\":\"text\"}}"},
    {V, "/v1/embeddings", "{\"input\":[[1],[2]],\"truncate_prompt_tokens\":5,\"messages\":null}"},
    {V, "/v2/embed", "{\"texts\":[\"a\"],\"input_type\":\"q\",\"embedding_types\":[\"float\"]}"},
    {V, "/v1/responses",
     "{\"input\":[{\"role\":\"user\",\"content\":\"x\"},{\"type\":\"reasoning\",\"summary\":[{"
     "\"type\":\"summary_text\",\"text\":\"x\"}],\"content\":[{\"type\":\"reasoning_text\","
     "\"text\":"
     "\"x\"}]},{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":[{\"type\":"
     "\"input_text\",\"text\":\"x\"}]},{\"type\":\"custom_tool_call\",\"call_id\":\"c\",\"name\":"
     "\"n\",\"input\":\"i\",\"namespace\":\"x\",\"caller\":{\"type\":\"direct\"}},{\"role\":"
     "\"user\","
     "\"content\":[{\"type\":\"input_file\",\"filename\":\"f\",\"file_data\":\"data:application/"
     "pdf;base64,JVBERi0x\",\"detail\":\"auto\"},{\"type\":\"output_text\",\"text\":\"x\","
     "\"annotations\":[{\"a\":1}],\"logprobs\":[{\"token\":\"x\"}],\"parsed\":{\"a\":1}}]}],"
     "\"tools\":[{\"type\":\"custom\",\"name\":\"n\",\"description\":\"d\",\"format\":{\"type\":"
     "\"text\"}},{\"type\":\"function\",\"name\":\"f\",\"output_schema\":{\"type\":\"object\"},"
     "\"allowed_callers\":[\"direct\"]}],\"tool_choice\":{\"type\":\"function\",\"name\":\"f\"},"
     "\"personality\":\"p\",\"stop\":[\"x\"],\"logit_bias\":{\"1\":1},\"stream_options\":{"
     "\"include_obfuscation\":false},\"chat_template_kwargs\":{\"thinking\":true},"
     "\"structured_outputs\":{\"regex\":\"a\"},\"prompt\":null,\"text\":{\"format\":{\"type\":"
     "\"json_schema\",\"name\":\"n\",\"schema\":{\"type\":\"object\"}}}}"},
    {L, "/v1/messages",
     "{\"max_tokens\":5," M ",\"system\":\"s\",\"context_management\":{\"edits\":[]},"
     "\"output_format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\"}},\"tool_"
     "choice\":"
     "{\"type\":\"tool\",\"name\":\"f\"},\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":"
     "\"object\"},\"input_examples\":[{\"a\":1}],\"strict\":true}],\"cache_control\":{\"type\":"
     "\"ephemeral\"}}"},
    {A, "/v1/messages",
     "{\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
     "\"tool_use_id\":\"t\",\"toolset_name\":\"x\",\"content\":[{\"type\":\"search_result\","
     "\"source\":\"s\",\"title\":\"t\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}],"
     "\"citations\":{\"enabled\":true}},{\"type\":\"document\",\"title\":\"t\",\"context\":\"c\","
     "\"source\":{\"type\":\"content\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}]}},{"
     "\"type\":"
     "\"document\",\"source\":{\"type\":\"base64\",\"media_type\":\"application/pdf\",\"data\":"
     "\"JVBERi0x\"}}]}]}]}"},
    {O, "/api/chat",
     "{\"model\":\"m\"," M ",\"keep_alive\":5,\"think\":\"low\",\"options\":{\"stop\":"
     "[\"x\"],\"num_ctx\":5}}"},
    {O, "/api/generate",
     "{\"prompt\":\"p\",\"format\":\"json\",\"template\":\"\",\"context\":[],\"images\":[\"" PNG
     "\"]}"},
    {O, "/api/embed", "{\"input\":\"x\"}"},
    {O, "/api/show", "{\"model\":\"m\",\"verbose\":true}"},
    {L, "/completion", "{\"prompt\":[\"a\",[1,2]],\"json_schema\":{\"type\":\"object\"}}"},
    {L, "/infill",
     "{\"input_prefix\":\"a\",\"input_suffix\":\"b\",\"input_extra\":[{\"filename\":\"f\",\"text\":"
     "\"t\"}],\"prompt\":\"p\"}"},
    {L, "/embedding", "{\"content\":[\"a\",\"b\"],\"user\":\"u\"}"},
    {L, "/v1/rerank", "{\"query\":\"q\",\"documents\":[\"a\",{\"text\":\"b\",\"title\":\"t\"}]}"},
    {L, "/rerank", "{\"query\":\"q\",\"texts\":[\"a\"],\"return_text\":true}"},
    {V, "/v1/score", "{\"text_1\":\"a\",\"text_2\":[\"b\"],\"queries\":\"q\",\"items\":[\"i\"]}"},
    {V, "/v1/score", "{\"data_1\":\"a\",\"data_2\":[\"b\"],\"documents\":\"d\",\"user\":\"u\"}"},
    {L, "/tokenize", "{\"content\":\"x\",\"with_pieces\":true}"},
    {V, "/tokenize", "{" M ",\"tools\":[],\"chat_template_kwargs\":{\"thinking\":true}}"},
    {V, "/tokenize", "{\"prompt\":\"x\",\"return_token_strs\":true}"},
    {L, "/detokenize", "{\"tokens\":[1,2]}"},
};

static void every_form_of_a_parameter(void **state) {
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const struct bz_route *r = route_of(forms[i].s, forms[i].path);
        assert_non_null(r);
        bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
        passes(forms[i].s, r, forms[i].body);
        bz_arena_free(&ar);
    }
}

/* ---- the parameter tables ---- */

#define MARK "uvw4711marker"

static enum bz_status count_mark(void *ctx, const struct bz_walk *w, const struct bz_span *s) {
    *(unsigned *)ctx += bz_view_eq(s->text, BZ_V(MARK));
    return BZ_OK;
}

static void param_has_field(const struct bz_route *r, const char *before, const struct param *p,
                            const char *after) {
    static const char *const values[K_COUNT] = {
        [K_NO] = "null",
        [K_FALSE] = "false",
        [K_TRUE] = "true",
        [K_BOOL] = "true",
        [K_INT] = "1",
        [K_NUM] = "0.5",
        [K_STR] = "\"" MARK "\"",
        [K_TEXT] = "\"" MARK "\"",
        [K_ENUM] = "\"" MARK "\"",
        [K_ENUMS] = "[\"" MARK "\"]",
        [K_STRS] = "[\"" MARK "\"]",
        [K_INTS] = "[1]",
        [K_JSON] = "{\"a\":[\"" MARK "\"]}",
    };
    char doc[2048];
    unsigned seen = 0;
    struct bz_walk w = {.span = count_mark, .ctx = &seen, .err = &err};
    snprintf(doc, sizeof doc, "%s\"%s\":%s%s", before, p->name, values[p->kind], after);
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    if (bz_fields_walk(r, BZ_SERVER_LLAMACPP, BZ_WHERE_REQUEST, parse(doc), &w) != BZ_OK)
        fail_msg("api %d: %s: no field for %s", (int)r->api, doc, err.param);
    /* Ids and names in K_STR may be data; what a model reads may not. */
    bool text = p->kind == K_TEXT || p->kind == K_STRS || p->kind == K_JSON;
    if (text && seen != 1)
        fail_msg("api %d: %s: its text is not screened", (int)r->api, doc);
    bz_arena_free(&ar);
}

static void rows_have_fields(const struct bz_route *r, const char *before, const char *after,
                             const struct param_set *set, unsigned depth) {
    for (size_t i = 0; i < set->n; i++) {
        const struct param *p = &set->rows[i];
        char b[1024], a[256];
        if (p->kind == K_OBJ || p->kind == K_LIST) {
            bool list = p->kind == K_LIST;
            assert_true(depth < 8);
            snprintf(b, sizeof b, "%s\"%s\":%s{", before, p->name, list ? "[" : "");
            snprintf(a, sizeof a, "}%s%s", list ? "]" : "", after);
            rows_have_fields(r, b, a, p->sub, depth + 1);
        } else if (p->fn == NULL && p->of == NULL) { /* every_form_of_a_parameter has those */
            param_has_field(r, before, p, after);
        }
    }
}

static void no_parameter_is_without_a_field(void **state) {
    for (unsigned api = 0; api < BZ_API_COUNT; api++) {
        struct bz_route r = {.scope = "chat", .api = (enum bz_api)api};
        struct param_set set = bz_param_table(r.api);
        rows_have_fields(&r, "{", "}", &set, 0);
    }
}

/* Every function of a row is met in the forms above, or in the bodies of real clients. */
static bool named(const char *text, const char *name) {
    char quoted[160];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    return strstr(text, quoted) != NULL;
}

static char all_bodies[1 << 16];

static void collect(char *line) {
    size_t n = strlen(all_bodies);
    snprintf(all_bodies + n, sizeof all_bodies - n, "%s", line);
}

static void no_form_is_forgotten(void **state) {
    all_bodies[0] = '\0';
    each_line("sdk-bodies.tsv", collect);
    for (unsigned api = 0; api < BZ_API_COUNT; api++) {
        struct param_set set = bz_param_table((enum bz_api)api);
        for (size_t i = 0; i < set.n; i++) {
            bool plain = set.rows[i].fn == NULL && set.rows[i].of == NULL;
            bool met = plain || named(all_bodies, set.rows[i].name);
            for (size_t k = 0; !met && k < sizeof forms / sizeof forms[0]; k++)
                met = named(forms[k].body, set.rows[i].name);
            /* Numbers and flags: their checks take nothing else. */
            met = met || bz_param_word("n_predict|stream|max_tokens|max_completion_tokens|model",
                                       bz_view_str(set.rows[i].name));
            if (!met)
                fail_msg("api %u: %s is in no body of this test", api, set.rows[i].name);
        }
    }
}

/* ---- who says it ---- */

struct spoken {
    enum bz_server s;
    const char *path, *body, *expect; /* speakers in the order of the texts */
};

static const struct spoken spoken[] = {
    {L, "/v1/chat/completions",
     "{\"messages\":[{\"role\":\"system\",\"content\":\"a\"},{\"role\":\"developer\",\"content\":["
     "{\"type\":\"text\",\"text\":\"a\"}]},{\"role\":\"user\",\"content\":\"a\"},{\"content\":"
     "\"a\","
     "\"role\":\"assistant\",\"reasoning_content\":\"a\"},{\"role\":\"tool\",\"tool_call_id\":"
     "\"a\","
     "\"content\":[{\"type\":\"text\",\"text\":\"a\"}]},{\"role\":\"function\",\"content\":\"a\"},{"
     "\"content\":\"a\"}],\"documents\":[{\"a\":\"b\"}],\"user\":\"a\",\"tools\":[{\"function\":{"
     "\"name\":\"a\"}}]}",
     "system system user assistant reasoning meta tool tool user document document meta schema "},
    {O, "/api/chat",
     "{\"messages\":[{\"role\":\"SYSTEM\",\"content\":\"a\"},{\"role\":\"Tool\",\"content\":\"a\"}]"
     "}",
     "system tool "},
    {L, "/v1/responses",
     "{\"instructions\":\"a\",\"input\":[{\"role\":\"system\",\"content\":\"a\"},{\"type\":"
     "\"message\",\"role\":\"user\",\"content\":[{\"text\":\"a\",\"type\":\"input_text\"}]},{"
     "\"type\":"
     "\"function_call\",\"name\":\"a\",\"arguments\":\"a\"},{\"type\":\"function_call_output\","
     "\"output\":[{\"type\":\"input_text\",\"text\":\"a\"}]},{\"type\":\"function_call_output\","
     "\"output\":\"a\"},{\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":"
     "\"a\"}],\"content\":[{\"text\":\"a\",\"type\":\"reasoning_text\"}]}]}",
     "system system user assistant assistant tool tool reasoning reasoning "},
    {L, "/v1/responses", "{\"input\":\"a\"}", "user "},
    {A, "/v1/messages",
     "{\"system\":[{\"type\":\"text\",\"text\":\"a\"}],\"messages\":[{\"role\":\"user\","
     "\"content\":["
     "{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"tool_result\",\"content\":[{\"type\":\"text\","
     "\"text\":\"a\"},{\"type\":\"search_result\",\"source\":\"a\",\"content\":[{\"type\":\"text\","
     "\"text\":\"a\"}]}]},{\"type\":\"document\",\"source\":{\"type\":\"text\",\"data\":\"a\"}}]},{"
     "\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":"
     "\"thinking\","
     "\"thinking\":\"a\",\"signature\":\"s\"},{\"type\":\"tool_use\",\"input\":{\"a\":2}}]}]}",
     "system user tool document document document assistant reasoning reasoning assistant "
     "assistant "},
    {L, "/v1/messages", "{\"messages\":[{\"content\":\"a\",\"role\":\"assistant\"}]}",
     "assistant "},
};

enum { SPEAKERS = 1024 };

static enum bz_status put_speaker(void *ctx, const struct bz_walk *w, const struct bz_span *s) {
    char *out = ctx;
    size_t n = strlen(out);
    snprintf(out + n, SPEAKERS - n, "%s ", bz_speaker_name((enum bz_speaker)s->speaker));
    return BZ_OK;
}

static void who_says_it(void **state) {
    for (size_t i = 0; i < sizeof spoken / sizeof spoken[0]; i++) {
        char out[SPEAKERS] = "";
        struct bz_walk w = {.span = put_speaker, .ctx = out, .err = &err};
        const struct bz_route *r = route_of(spoken[i].s, spoken[i].path);
        bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
        if (bz_fields_walk(r, spoken[i].s, BZ_WHERE_REQUEST, parse(spoken[i].body), &w) != BZ_OK)
            fail_msg("%s: %s", spoken[i].body, err.param);
        assert_string_equal(out, spoken[i].expect);
        bz_arena_free(&ar);
    }
    /* Answers are the assistant's where nobody else is named. */
    char out[SPEAKERS] = "";
    struct bz_walk w = {.span = put_speaker, .ctx = out, .err = &err};
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    struct bz_json *root =
        parse("{\"choices\":[{\"message\":{\"content\":\"a\",\"reasoning\":\"b\"}}]}");
    assert_int_equal(
        bz_fields_walk(route_of(L, "/v1/chat/completions"), L, BZ_WHERE_REPLY, root, &w), BZ_OK);
    assert_string_equal(out, "assistant reasoning ");
    bz_arena_free(&ar);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_real_servers),
        cmocka_unit_test(bodies_of_real_clients),
        cmocka_unit_test(every_form_of_a_parameter),
        cmocka_unit_test(no_parameter_is_without_a_field),
        cmocka_unit_test(no_form_is_forgotten),
        cmocka_unit_test(who_says_it),
    };
    return cmocka_run_group_tests_name("fields_shapes", tests, NULL, NULL);
}
