/* Messages, parts, items, tools, media: what real clients send passes, what reaches around the
 * screening does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <bartizan/dialect.h>

static struct bz_param_error err;
static struct bz_req_facts facts;

static enum bz_status check(enum bz_server s, const char *path, const struct bz_param_limits *lim,
                            const char *body) {
    const struct bz_route *r;
    struct bz_view id;
    struct bz_arena ar;
    struct bz_json *root;
    struct bz_diag diag;
    struct bz_json_opts opts = {.fold_keys = s == BZ_SERVER_OLLAMA};
    if (bz_route_find(s, BZ_V("POST"), bz_view_str(path), &r, &id) != BZ_ROUTE_FOUND)
        return BZ_ENOTFOUND;
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, NULL, 0);
    if (bz_json_parse(bz_view_str(body), &opts, &ar, &root, &diag) != BZ_OK)
        fail_msg("%s: not JSON: %s", body, diag.why);
    enum bz_status st = bz_dialect_check(r, s, root, lim, &ar, &facts, &err);
    bz_arena_free(&ar);
    return st;
}

/* Recorded from the unmodified clients; each body must pass on every server type that has the
 * route. Their own num_ctx and keep_alive need the role's leave. */
static void bodies_of_real_clients_pass(void **state) {
    struct bz_param_limits leave = bz_param_limits_default;
    leave.allow_load_options = true;
    char path[2048];
    static char text[1 << 20];
    const char *root = getenv("BZ_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/tests/data/sdk-bodies.tsv", root != NULL ? root : ".");
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    size_t n = fread(text, 1, sizeof text - 1, f), bodies = 0;
    text[n] = '\0';
    fclose(f);
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (line[0] == '#' || line[0] == '\0')
            continue;
        const char *server = strsep(&line, "\t"), *route = strsep(&line, "\t");
        enum bz_server own;
        assert_true(line != NULL && bz_server_from_name(bz_view_str(server), &own));
        for (unsigned s = 0; s < BZ_SERVER_COUNT; s++) {
            enum bz_status st = check((enum bz_server)s, route, &leave, line);
            if (st != BZ_OK && (st != BZ_ENOTFOUND || s == own))
                fail_msg("%s %s: %s: %s at %s", bz_server_name((enum bz_server)s), route, line,
                         err.why, err.param);
        }
        bodies++;
    }
    assert_true(bodies > 30);
}

#define PNG1                                                                                       \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJg" \
    "gg=="
#define CHAT "/v1/chat/completions"
#define MSG "/v1/messages"
#define RESP "/v1/responses"
#define L BZ_SERVER_LLAMACPP
#define O BZ_SERVER_OLLAMA
#define V BZ_SERVER_VLLM
#define P BZ_SERVER_OPENAI
#define A BZ_SERVER_ANTHROPIC
#define USER(c) "{\"messages\":[{\"role\":\"user\",\"content\":" c "}]}"
#define IMG(u) USER("[{\"type\":\"image_url\",\"image_url\":{\"url\":\"" u "\"}}]")
#define IMG_AT "messages[0].content[0].image_url.url"
#define ITEM(i) "{\"input\":[" i "]}"
#define ANT(c) "{\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":" c "}]}"
#define TOOLS(t) "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[" t "]}"

struct row {
    enum bz_server s;
    const char *path, *body;
    uint16_t status; /* 0: passes */
    const char *param;
};

static const struct row rows[] = {
    /* chat messages */
    {L, CHAT, USER("\"x\""), 0, NULL},
    {L, CHAT, USER("[]"), 0, NULL},
    {L, CHAT, USER("7"), 400, "messages[0].content"},
    {L, CHAT, USER("[\"x\"]"), 400, "messages[0].content[0]"},
    {L, CHAT, USER("[{\"text\":\"x\"}]"), 400, "messages[0].content[0].type"},
    {L, CHAT, USER("[{\"type\":\"text\"}]"), 400, "messages[0].content[0].text"},
    {L, CHAT, USER("[{\"type\":\"text\",\"text\":\"x\",\"y\":1}]"), 400,
     "messages[0].content[0].y"},
    {L, CHAT, USER("[{\"type\":\"hologram\"}]"), 400, "messages[0].content[0].type"},
    {L, CHAT, "{\"messages\":[]}", 400, "messages"},
    {L, CHAT, "{\"messages\":\"x\"}", 400, "messages"},
    {L, CHAT, "{\"messages\":null}", 400, "messages"},
    {L, CHAT, "{\"messages\":[{\"content\":\"x\"}]}", 400, "messages[0].role"},
    {L, CHAT, "{\"messages\":[{\"role\":\"System\",\"content\":\"x\"}]}", 400, "messages[0].role"},
    {L, CHAT, "{\"messages\":[{\"role\":\"assistant\",\"content\":null,\"audio\":{\"id\":\"a\"}}]}",
     403, "messages[0].audio"},
    {L, CHAT,
     "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\","
     "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}]}",
     0, NULL},
    {L, CHAT,
     "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"type\":\"x\"}]}]}",
     400, "messages[0].tool_calls[0].type"},
    /* media: inline images only, by their bytes */
    {L, CHAT, IMG("data:image/png;base64," PNG1), 0, NULL},
    {O, CHAT, USER("[{\"type\":\"image_url\",\"image_url\":\"data:image/png;base64," PNG1 "\"}]"),
     0, NULL},
    {L, CHAT, IMG("http://10.0.0.1/x.png"), 403, IMG_AT},
    {L, CHAT, IMG("https://x/y.png"), 403, IMG_AT},
    {L, CHAT, IMG("file:///etc/passwd"), 403, IMG_AT},
    {L, CHAT, IMG("/etc/passwd"), 403, IMG_AT},
    {L, CHAT, IMG(PNG1), 403, IMG_AT},
    {L, CHAT, IMG("DATA:image/png;base64," PNG1), 403, IMG_AT},
    {L, CHAT, IMG("data:image/svg+xml;base64," PNG1), 403, IMG_AT},
    {L, CHAT, IMG("data:image/jp2;base64," PNG1), 403, IMG_AT},
    {L, CHAT, IMG("data:image/png," PNG1), 403, IMG_AT},
    {L, CHAT, IMG("data:image/png;base64,"), 400, IMG_AT},
    {L, CHAT, IMG("data:image/png;base64,AAAA"), 400, IMG_AT},
    {L, CHAT, IMG("data:image/png;base64,iVBORw0KGg*="), 400, IMG_AT},
    {L, CHAT, IMG("data:image/png;base64,AAAADGpQICANCocK"), 400, IMG_AT}, /* JPEG 2000 */
    {V, CHAT, USER("[{\"type\":\"video_url\",\"video_url\":{\"url\":\"http://x\"}}]"), 403,
     "messages[0].content[0].type"},
    {V, CHAT, USER("[{\"type\":\"audio_url\",\"audio_url\":{\"url\":\"http://x\"}}]"), 403,
     "messages[0].content[0].type"},
    {V, CHAT, USER("[{\"type\":\"image_embeds\",\"image_embeds\":\"x\"}]"), 403,
     "messages[0].content[0].type"},
    {P, CHAT,
     USER("[{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"UklGRiQAAABXQVZF\",\"format\":"
          "\"wav\"}}]"),
     0, NULL},
    {P, CHAT,
     USER("[{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"AAAA\",\"format\":\"wav\"}}]"),
     400, "messages[0].content[0].input_audio.data"},
    {P, CHAT,
     USER("[{\"type\":\"file\",\"file\":{\"filename\":\"a.pdf\",\"file_data\":\"data:application/"
          "pdf;base64,JVBERi0xLjQK\"}}]"),
     0, NULL},
    {P, CHAT, USER("[{\"type\":\"file\",\"file\":{\"file_id\":\"file-1\"}}]"), 403,
     "messages[0].content[0].file.file_id"},
    {P, CHAT, USER("[{\"type\":\"file\",\"file\":{\"file_data\":\"data:text/html;base64,AAAA\"}}]"),
     403, "messages[0].content[0].file.file_data"},
    {O, "/api/chat",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"images\":[\"" PNG1 "\"]}]}", 0, NULL},
    {O, "/api/chat",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"images\":[\"/etc/passwd\"]}]}", 400,
     "messages[0].images[0]"},
    {O, "/api/chat", "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]}", 400,
     "messages[0].content"},
    /* tools */
    {L, CHAT,
     TOOLS("{\"type\":\"function\",\"function\":{\"name\":\"mcp__srv__a.b-c:d/"
           "e\",\"parameters\":{\"$defs\":{\"x\":{}},\"type\":\"object\"}}}"),
     0, NULL},
    {L, CHAT, TOOLS("{\"function\":{\"name\":\"f\"}}"), 0, NULL},
    {L, CHAT, TOOLS("{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}"), 400,
     "tools[0].function.name"},
    {L, CHAT, TOOLS("{\"type\":\"function\",\"function\":{\"name\":\"\"}}"), 400,
     "tools[0].function.name"},
    {L, CHAT, TOOLS("{\"type\":\"function\",\"function\":{}}"), 400, "tools[0].function.name"},
    {L, CHAT, TOOLS("{\"type\":\"function\"}"), 400, "tools[0].function"},
    {L, CHAT, TOOLS("{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":[]}}"), 400,
     "tools[0].function.parameters"},
    {L, CHAT, TOOLS("{\"type\":\"mcp\",\"server_url\":\"http://x\"}"), 403, "tools[0].type"},
    {L, CHAT, TOOLS("{\"type\":\"web_search\"}"), 403, "tools[0].type"},
    {L, CHAT,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tool_choice\":\"sometimes\"}", 400,
     "tool_choice"},
    {L, CHAT,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tool_choice\":{\"type\":\"allowed_"
     "tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[]}}}",
     0, NULL},
    {L, CHAT,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"functions\":[{\"name\":\"f\"}],"
     "\"function_call\":{\"name\":\"f\"}}",
     0, NULL},
    {L, CHAT,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"functions\":[{\"name\":\"f g\"}]}",
     400, "functions[0].name"},
    /* responses */
    {P, RESP, "{\"input\":\"x\",\"previous_response_id\":null,\"background\":false}", 0, NULL},
    {P, RESP, "{\"input\":\"x\",\"previous_response_id\":\"resp_1\"}", 403, "previous_response_id"},
    {P, RESP, "{\"input\":\"x\",\"conversation\":\"conv_1\"}", 403, "conversation"},
    {P, RESP, "{\"input\":\"x\",\"prompt\":{\"id\":\"pmpt_1\"}}", 403, "prompt"},
    {P, RESP, "{\"input\":\"x\",\"background\":true}", 403, "background"},
    {P, RESP, "{\"input\":\"x\",\"store\":true}", 403, "store"},
    {P, RESP, "{\"input\":\"x\",\"include\":[\"file_search_call.results\"]}", 400, "include[0]"},
    {P, RESP, "{\"input\":7}", 400, "input"},
    {V, RESP, "{\"input\":\"x\",\"enable_response_messages\":true}", 403,
     "enable_response_messages"},
    {V, RESP, "{\"input\":\"x\",\"previous_input_messages\":[{}]}", 403, "previous_input_messages"},
    {P, RESP, ITEM("{\"role\":\"user\",\"content\":\"x\"}"), 0, NULL},
    {P, RESP, ITEM("{\"type\":\"item_reference\",\"id\":\"msg_1\"}"), 403, "input[0].type"},
    {P, RESP, ITEM("{\"type\":\"web_search_call\",\"id\":\"x\"}"), 403, "input[0].type"},
    {P, RESP, ITEM("{\"type\":\"compaction\",\"encrypted_content\":\"x\"}"), 403, "input[0].type"},
    {P, RESP, ITEM("{\"type\":\"nonsense\"}"), 400, "input[0].type"},
    {P, RESP, ITEM("{\"role\":\"tool\",\"content\":\"x\"}"), 400, "input[0].role"},
    {P, RESP,
     ITEM(
         "{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"image_url\":\"http://x\"}]}"),
     403, "input[0].content[0].image_url"},
    {P, RESP,
     ITEM("{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"file_id\":\"f\"}]}"), 403,
     "input[0].content[0].file_id"},
    {P, RESP,
     ITEM("{\"role\":\"user\",\"content\":[{\"type\":\"input_file\",\"file_url\":\"http://x\"}]}"),
     403, "input[0].content[0].file_url"},
    {P, RESP,
     ITEM("{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":[{\"type\":\"input_"
          "text\",\"text\":\"x\"}]}"),
     0, NULL},
    {P, RESP,
     ITEM("{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":[{\"type\":\"input_"
          "image\",\"image_url\":\"http://x\"}]}"),
     403, "input[0].output[0].image_url"},
    {P, RESP,
     ITEM("{\"type\":\"custom_tool_call\",\"call_id\":\"c\",\"name\":\"n\",\"input\":\"i\"}"), 0,
     NULL},
    {P, RESP, "{\"input\":\"x\",\"tools\":[{\"type\":\"mcp\",\"server_url\":\"http://x\"}]}", 403,
     "tools[0].type"},
    {P, RESP, "{\"input\":\"x\",\"tools\":[{\"type\":\"shell\"}]}", 403, "tools[0].type"},
    {P, RESP, "{\"input\":\"x\",\"tools\":[{\"type\":\"teleport\"}]}", 400, "tools[0].type"},
    {P, RESP,
     "{\"input\":\"x\",\"tools\":[{\"type\":\"custom\",\"name\":\"n\",\"format\":{\"type\":"
     "\"grammar\",\"syntax\":\"lark\",\"definition\":\"x\"}}]}",
     403, "tools[0].format"},
    {P, RESP, "{\"input\":\"x\",\"tool_choice\":{\"type\":\"function\",\"name\":\"f\"}}", 0, NULL},
    {P, RESP, "{\"input\":\"x\",\"tool_choice\":{\"type\":\"mcp\",\"server_label\":\"f\"}}", 400,
     "tool_choice.type"},
    {P, RESP, "{\"input\":\"x\",\"text\":{\"format\":{\"type\":\"grammar\"}}}", 400,
     "text.format.type"},
    /* Anthropic */
    {A, MSG, ANT("\"x\""), 0, NULL},
    {A, MSG, "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", 400, "max_tokens"},
    {A, MSG, "{\"max_tokens\":null,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", 400,
     "max_tokens"},
    {A, MSG, "{\"max_tokens\":5,\"messages\":\"x\"}", 400, "messages"},
    {A, MSG, "{\"max_tokens\":5}", 400, "messages"},
    {A, MSG, "{\"max_tokens\":5,\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}", 400,
     "messages[0].role"},
    {A, MSG,
     ANT("[{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/"
         "png\",\"data\":\"" PNG1 "\"}}]"),
     0, NULL},
    {A, MSG, ANT("[{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"http://x\"}}]"), 403,
     "messages[0].content[0].source.type"},
    {A, MSG, ANT("[{\"type\":\"image\",\"source\":{\"type\":\"file\",\"file_id\":\"f\"}}]"), 403,
     "messages[0].content[0].source.type"},
    {A, MSG, ANT("[{\"type\":\"image\"}]"), 400, "messages[0].content[0].source"},
    {A, MSG, ANT("[{\"type\":\"document\",\"source\":{\"type\":\"url\",\"url\":\"http://x\"}}]"),
     403, "messages[0].content[0].source.type"},
    {A, MSG,
     ANT("[{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"media_type\":\"application/"
         "pdf\",\"data\":\"JVBERi0xLjQK\"}}]"),
     0, NULL},
    {A, MSG,
     ANT("[{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"media_type\":\"application/"
         "pdf\",\"data\":\"AAAA\"}}]"),
     400, "messages[0].content[0].source.data"},
    {A, MSG,
     ANT("[{\"type\":\"document\",\"source\":{\"type\":\"content\",\"content\":[{\"type\":\"text\","
         "\"text\":\"x\"}]}}]"),
     0, NULL},
    {A, MSG,
     ANT("[{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"content\":[{\"type\":\"image\","
         "\"source\":{\"type\":\"url\",\"url\":\"http://x\"}}]}]"),
     403, "messages[0].content[0].content[0].source.type"},
    {A, MSG,
     ANT("[{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"content\":[{\"type\":\"tool_use\","
         "\"id\":\"x\"}]}]"),
     400, "messages[0].content[0].content[0].type"},
    {A, MSG, ANT("[{\"type\":\"server_tool_use\",\"id\":\"x\"}]"), 403,
     "messages[0].content[0].type"},
    {A, MSG, ANT("[{\"type\":\"web_search_tool_result\"}]"), 403, "messages[0].content[0].type"},
    {A, MSG, "{\"max_tokens\":5,\"system\":[{\"type\":\"image\"}],\"messages\":[]}", 400,
     "system[0].type"},
    {A, MSG,
     "{\"max_tokens\":5,\"messages\":[],\"tools\":[{\"type\":\"web_search_20250305\",\"name\":"
     "\"web_search\"}]}",
     403, "tools[0]"},
    {A, MSG,
     "{\"max_tokens\":5,\"messages\":[],\"tools\":[{\"type\":\"bash_20250124\",\"name\":\"bash\"}]"
     "}",
     403, "tools[0]"},
    {A, MSG,
     "{\"max_tokens\":5,\"messages\":[],\"tools\":[{\"type\":null,\"name\":\"f\",\"input_schema\":{"
     "}}]}",
     0, NULL},
    {A, MSG, "{\"max_tokens\":5,\"messages\":[],\"mcp_servers\":[{\"url\":\"http://x\"}]}", 403,
     "mcp_servers"},
    {A, MSG, "{\"max_tokens\":5,\"messages\":[],\"container\":\"c\"}", 403, "container"},
    {L, MSG, "{\"max_tokens\":5,\"messages\":[],\"grammar\":\"x\"}", 400, "grammar"},
    {A, "/v1/messages/count_tokens",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"max_tokens\":5}", 400, "max_tokens"},
};

static void nested_structures(void **state) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        enum bz_status st = check(r->s, r->path, &bz_param_limits_default, r->body);
        uint16_t got = st == BZ_OK ? 0 : err.status;
        if (got != r->status || (r->param != NULL && strcmp(err.param, r->param) != 0))
            fail_msg("%s: %u at '%s' (%s), expected %u at '%s'", r->body, got, err.param,
                     err.why == NULL ? "" : err.why, r->status, r->param == NULL ? "" : r->param);
    }
}

/* Every member that bears text; a marker goes between `before` and `after`. */
static const struct {
    enum bz_server s;
    const char *path, *before, *after;
} texts[] = {
    {L, CHAT, "{\"messages\":[{\"role\":\"system\",\"content\":\"", "\"}]}"},
    {L, CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"",
     "\"}]}]}"},
    {L, CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"\",\"name\":\"", "\"}]}"},
    {L, CHAT, "{\"messages\":[{\"role\":\"assistant\",\"refusal\":\"", "\"}]}"},
    {L, CHAT, "{\"messages\":[{\"role\":\"assistant\",\"reasoning_content\":\"", "\"}]}"},
    {V, CHAT, "{\"messages\":[{\"role\":\"assistant\",\"reasoning\":\"", "\"}]}"},
    {L, CHAT,
     "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\","
     "\"arguments\":\"",
     "\"}}]}]}"},
    {L, CHAT, "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"",
     "\"}}]}]}"},
    {L, CHAT,
     "{\"messages\":[{\"role\":\"assistant\",\"function_call\":{\"name\":\"f\",\"arguments\":"
     "\"",
     "\"}}]}"},
    {L, CHAT,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"tools\":[{\"type\":\"function\","
     "\"function\":{\"name\":\"f\",\"description\":\"",
     "\"}}]}"},
    {L, CHAT,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"tools\":[{\"type\":\"function\","
     "\"function\":{\"name\":\"f\",\"parameters\":{\"enum\":[\"",
     "\"]}}}]}"},
    {L, CHAT,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"response_format\":{\"type\":"
     "\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{\"",
     "\":1}}}}"},
    {L, CHAT,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"prediction\":{\"type\":"
     "\"content\",\"content\":\"",
     "\"}}"},
    {L, CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"metadata\":{\"a\":\"",
     "\"}}"},
    {L, CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"stop\":[\"", "\"]}"},
    {L, CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"grammar\":\"", "\"}"},
    {V, CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"bad_words\":[\"", "\"]}"},
    {V, CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"documents\":[{\"text\":\"",
     "\"}]}"},
    {V, CHAT,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"structured_outputs\":{\"choice\":["
     "\"",
     "\"]}}"},
    {L, "/v1/completions", "{\"prompt\":[\"", "\"]}"},
    {L, "/v1/completions", "{\"prompt\":\"\",\"suffix\":\"", "\"}"},
    {L, "/infill", "{\"input_prefix\":\"", "\"}"},
    {L, "/infill", "{\"input_extra\":[{\"text\":\"", "\"}]}"},
    {L, "/v1/embeddings", "{\"input\":\"", "\"}"},
    {L, "/v1/rerank", "{\"query\":\"", "\",\"documents\":[]}"},
    {L, "/v1/rerank", "{\"query\":\"q\",\"documents\":[{\"text\":\"", "\"}]}"},
    {O, "/api/chat", "{\"messages\":[{\"role\":\"user\",\"thinking\":\"", "\"}]}"},
    {O, "/api/chat",
     "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\","
     "\"arguments\":{\"a\":\"",
     "\"}}}]}]}"},
    {O, "/api/chat", "{\"messages\":[{\"role\":\"tool\",\"tool_name\":\"", "\"}]}"},
    {O, "/api/generate", "{\"system\":\"", "\"}"},
    {O, "/api/generate", "{\"suffix\":\"", "\"}"},
    {O, "/api/generate", "{\"format\":{\"description\":\"", "\"}}"},
    {O, "/api/chat", "{\"options\":{\"stop\":[\"", "\"]}}"},
    {O, "/api/embed", "{\"input\":[\"", "\"]}"},
    {O, "/api/embeddings", "{\"prompt\":\"", "\"}"},
    {P, RESP, "{\"instructions\":\"", "\"}"},
    {P, RESP, "{\"input\":\"", "\"}"},
    {P, RESP, "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"",
     "\"}]}]}"},
    {P, RESP,
     "{\"input\":[{\"type\":\"function_call\",\"name\":\"f\",\"call_id\":\"c\",\"arguments\":"
     "\"",
     "\"}]}"},
    {P, RESP, "{\"input\":[{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"",
     "\"}]}"},
    {P, RESP,
     "{\"input\":[{\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"",
     "\"}]}]}"},
    {P, RESP, "{\"input\":[{\"type\":\"reasoning\",\"encrypted_content\":\"", "\"}]}"},
    {A, MSG, "{\"max_tokens\":1,\"messages\":[],\"system\":\"", "\"}"},
    {A, MSG, "{\"max_tokens\":1,\"messages\":[],\"system\":[{\"type\":\"text\",\"text\":\"",
     "\"}]}"},
    {A, MSG,
     "{\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_"
     "result\",\"tool_use_id\":\"t\",\"content\":\"",
     "\"}]}]}"},
    {A, MSG,
     "{\"max_tokens\":1,\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_"
     "use\",\"id\":\"t\",\"name\":\"n\",\"input\":{\"a\":[\"",
     "\"]}}]}]}"},
    {A, MSG,
     "{\"max_tokens\":1,\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":"
     "\"thinking\",\"signature\":\"s\",\"thinking\":\"",
     "\"}]}]}"},
    {A, MSG,
     "{\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\","
     "\"title\":\"",
     "\",\"source\":{\"type\":\"text\",\"data\":\"\"}}]}]}"},
    {A, MSG,
     "{\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\","
     "\"source\":{\"type\":\"text\",\"data\":\"",
     "\"}}]}]}"},
    {A, MSG, "{\"max_tokens\":1,\"messages\":[],\"tools\":[{\"name\":\"f\",\"description\":\"",
     "\"}]}"},
    {A, MSG,
     "{\"max_tokens\":1,\"messages\":[],\"tools\":[{\"name\":\"f\",\"input_schema\":{"
     "\"description\":\"",
     "\"}}]}"},
};

/* A marker in every text-bearing member must be counted: what is not counted was not seen. */
static void all_text_is_counted(void **state) {
    static const char marker[] = "MARKER-OF-THIRTY-TWO-BYTES------";
    struct bz_param_limits leave = bz_param_limits_default;
    leave.allow_grammar = true;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char body[1024];
        uint64_t without;
        snprintf(body, sizeof body, "%sx%s", texts[i].before, texts[i].after);
        if (check(texts[i].s, texts[i].path, &leave, body) != BZ_OK)
            fail_msg("%s: %s at %s", body, err.why, err.param);
        without = facts.text_bytes - 1;
        snprintf(body, sizeof body, "%s%s%s", texts[i].before, marker, texts[i].after);
        assert_int_equal(check(texts[i].s, texts[i].path, &leave, body), BZ_OK);
        if (facts.text_bytes != without + sizeof marker - 1)
            fail_msg("%s: text is not counted", body);
    }
}

/* ---- images by their headers ---- */

static enum bz_status image(const uint8_t *p, size_t n, uint32_t max) {
    struct bz_buf b;
    struct bz_param_limits l = bz_param_limits_default;
    l.max_media_bytes = max;
    bz_buf_init(&b, 1 << 20);
    bz_buf_puts(&b, "{\"messages\":[{\"role\":\"user\",\"content\":\"\",\"images\":[\"");
    bz_buf_put_b64(&b, bz_view(p, n));
    bz_buf_puts(&b, "\"]}]}");
    bz_buf_putc(&b, 0);
    enum bz_status st = check(O, "/api/chat", &l, (const char *)b.p);
    bz_buf_free(&b);
    return st;
}

#define IS(bytes, st) assert_int_equal(image((const uint8_t *)(bytes), sizeof(bytes) - 1, 1000), st)
#define PNG_HEAD "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
#define JPEG_SOF(h, w) "\xff\xc0\0\x11\x08" h w "\x03\x01\x11\0"

static void pixels_and_magic(void **state) {
    IS(PNG_HEAD "\0\0\0\1\0\0\0\1\x08\2\0\0\0", BZ_OK);
    IS(PNG_HEAD "\0\0\x20\0\0\0\x20\0\x08\2\0\0\0", BZ_OK);      /* 8192 x 8192 */
    IS(PNG_HEAD "\0\0\x20\0\0\0\x20\1\x08\2\0\0\0", BZ_EDENIED); /* one line more */
    IS(PNG_HEAD "\0\0\x40\1\0\0\0\1\x08\2\0\0\0", BZ_EDENIED);   /* 16385 wide */
    IS(PNG_HEAD "\xff\xff\xff\xff\xff\xff\xff\xff\x08\2\0\0\0", BZ_EDENIED);
    IS(PNG_HEAD "\0\0\0\0\0\0\0\1\x08\2\0\0\0", BZ_EDENIED);
    IS(PNG_HEAD, BZ_EDENIED);
    IS("\x89PNG\r\n\x1a\n", BZ_EDENIED);
    IS("GIF89a\x10\0\x10\0....", BZ_OK);
    IS("GIF87a\xff\xff\xff\xff....", BZ_EDENIED);
    IS("GIF90a\x10\0\x10\0....", BZ_EDENIED);
    IS("\xff\xd8\xff\xe0\0\x04\0\0" JPEG_SOF("\0\x10", "\0\x10"), BZ_OK);
    IS("\xff\xd8\xff\xff\xff\xdb\0\x04\0\0" JPEG_SOF("\0\x10", "\0\x10"), BZ_OK); /* fill bytes */
    IS("\xff\xd8\xff\xe0\0\x04\0\0" JPEG_SOF("\xff\xff", "\xff\xff"), BZ_EDENIED);
    IS("\xff\xd8\xff\xe0\0\x01\0\0" JPEG_SOF("\0\x10", "\0\x10"), BZ_EDENIED); /* length below 2 */
    IS("\xff\xd8\xff\xe0\xff\xff\0\0" JPEG_SOF("\0\x10", "\0\x10"),
       BZ_EDENIED); /* beyond the end */
    IS("\xff\xd8\xff\xda\0\x04\0\0" JPEG_SOF("\0\x10", "\0\x10"),
       BZ_EDENIED); /* scan before frame */
    IS("\xff\xd8\xff", BZ_EDENIED);
    IS("RIFF....WEBPVP8X\x0a\0\0\0\0\0\0\0\x0f\0\0\x0f\0\0", BZ_OK);
    IS("RIFF....WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff", BZ_EDENIED);
    IS("RIFF....WEBPVP8X\x0a\0\0\0", BZ_EDENIED);
    IS("RIFF....WEBPVP8L\x0a\0\0\0\x2f\x0f\xc0\x03\0", BZ_OK);
    IS("RIFF....WEBPVP8L\x0a\0\0\0\x2e\x0f\xc0\x03\0", BZ_EDENIED);
    IS("RIFF....WEBPVP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\x10\0\x10\0", BZ_OK);
    IS("RIFF....WEBPVP8 \x0a\0\0\0\0\0\0\x9d\x01\x2b\x10\0\x10\0", BZ_EDENIED);
    IS("RIFF....WAVEfmt ", BZ_EDENIED);
    IS("BM", BZ_EDENIED);
    IS("<svg xmlns=\"http://www.w3.org/2000/svg\"/>", BZ_EDENIED);
    uint8_t gif[1001] = "GIF89a\x10\0\x10";
    assert_int_equal(image(gif, 1000, 1000), BZ_OK);
    assert_int_equal(image(gif, 1001, 1000), BZ_EDENIED);
    assert_int_equal(image(gif, 10, 0), BZ_EDENIED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_of_real_clients_pass),
        cmocka_unit_test(nested_structures),
        cmocka_unit_test(all_text_is_counted),
        cmocka_unit_test(pixels_and_magic),
    };
    return cmocka_run_group_tests_name("params_nested", tests, NULL, NULL);
}
