/* A small instance in memory with one MCP server "calc" and two approved tools; for tests and harness. */
#ifndef BARTIZAN_TESTS_MCP_FIXTURE_H
#define BARTIZAN_TESTS_MCP_FIXTURE_H

#include <stdlib.h>

#include <bartizan/mcp.h>

#include "gw_fixture.h"

#define MCP_ADD                                                                                    \
    "{\"name\":\"add\",\"description\":\"Adds.\",\"inputSchema\":{\"type\":\"object\","            \
    "\"properties\":{"                                                                             \
    "\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]},\"outputSchema\":{\"type\":\"object\","   \
    "\"required\":[\"sum\"]}}"
#define MCP_ECHO                                                                                   \
    "{\"name\":\"echo\",\"description\":\"Echoes.\",\"inputSchema\":{\"type\":\"object\"}}"

#define MCP_PAGE "{\"uri\":\"file:///docs/page\",\"name\":\"page\"}"
#define MCP_NOTES "{\"uriTemplate\":\"notes://{+path}\",\"name\":\"notes\"}"
#define MCP_REVIEW                                                                                 \
    "{\"name\":\"review\",\"arguments\":[{\"name\":\"code\",\"required\":true},{\"name\":"         \
    "\"style\"}]}"

static inline bool mcp_pin(const char *definition, struct bz_arena *ar, struct bz_mcp_pin *ret) {
    struct bz_json *root = NULL;
    if (bz_json_parse(bz_view_str(definition), NULL, ar, &root, NULL) != BZ_OK ||
        bz_mcp_definition_digest(ret->what, root, ar, ret->digest) != BZ_OK)
        return false;
    ret->name = bz_mcp_definition_name(ret->what, root);
    return true;
}

static inline bool mcp_blob(uint64_t result_max, struct bz_buf *out) {
    struct bz_mcp_pin pins[5] = {
        {.input = BZ_V(
             "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":["
             "\"a\"]}"),
         .output = BZ_V("{\"type\":\"object\",\"required\":[\"sum\"]}")},
        {.input = BZ_V("{\"type\":\"object\"}")},
        {.what = BZ_MCP_RESOURCE},
        {.what = BZ_MCP_TEMPLATE},
        {.what = BZ_MCP_PROMPT,
         .input = BZ_V(
             "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"code\":{"
             "\"type\":\"string\"},\"style\":{\"type\":\"string\"}},\"required\":[\"code\"]}")},
    };
    struct bz_mcp_server s = {.name = BZ_V("calc"),
                              .path = BZ_V("/mcp"),
                              .backend = 1,
                              .versions = 7,
                              .methods = bz_mcp_methods_default(),
                              .roles = 1,
                              .result_max = result_max,
                              .pins = pins,
                              .pins_n = 5};
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
    bool ok = mcp_pin(MCP_ADD, &ar, &pins[0]) && mcp_pin(MCP_ECHO, &ar, &pins[1]) &&
              mcp_pin(MCP_PAGE, &ar, &pins[2]) && mcp_pin(MCP_NOTES, &ar, &pins[3]) &&
              mcp_pin(MCP_REVIEW, &ar, &pins[4]) && bz_mcp_compile(&s, 1, out) == BZ_OK;
    bz_arena_free(&ar);
    return ok;
}

static inline bool mcp_image(struct gw *g, uint64_t result_max) {
    static char star_text[] = "*", host[] = "localhost", user[] = "user", other[] = "other";
    static char *star[] = {star_text}, *names[] = {host};
    struct bz_backend_config backends[] = {
        {.name = (char[]){"local"},
         .type = BZ_SERVER_LLAMACPP,
         .url = (char[]){"http://127.0.0.1:1"}},
        {.name = (char[]){"mcp:calc"},
         .type = BZ_SERVER_MCP,
         .url = (char[]){"http://127.0.0.1:2"}},
    };
    struct bz_role_config roles[2] = {
        {.name = user, .routes = star, .routes_n = 1, .models = star, .models_n = 1},
        {.name = other, .routes = star, .routes_n = 1, .models = star, .models_n = 1},
    };
    static const char *const credentials[] = {NULL, "server-secret"};
    struct bz_config config = {.names = names,
                               .names_n = 1,
                               .audit_wait_ms = 1,
                               .body_max = 1u << 20,
                               .backends = backends,
                               .backends_n = 2,
                               .roles = roles,
                               .roles_n = 2};
    struct bz_key_record keys[3];
    struct bz_buf blob;
    struct bz_image_input in = {.config = &config,
                                .backend_credentials = credentials,
                                .keys = keys,
                                .keys_n = 3,
                                .generation = 1,
                                .built_unix = GW_NOW_S};
    static const enum gw_key which[3] = {GW_USER, GW_ADMIN, GW_NARROW};
    memset(in.key_pepper, 1, sizeof in.key_pepper);
    memset(in.digest_key, 2, sizeof in.digest_key);
    memset(in.limit_seed, 3, sizeof in.limit_seed);
    for (int i = 0; i < 3; i++) { /* two users of the role, one of another */
        uint8_t rnd[48];
        memset(rnd, 17 * i + 5, sizeof rnd);
        bz_key_make(rnd, g->keys[which[i]]);
        keys[i] =
            (struct bz_key_record){.owner = user, .role = i == 2 ? other : user, .created = 1};
        memcpy(keys[i].id, g->keys[which[i]] + 3, BZ_KEY_ID_TEXT);
        bz_key_hash(in.key_pepper, bz_view(g->keys[which[i]], BZ_KEY_TEXT), keys[i].hash);
    }
    bz_buf_init(&blob, BZ_BLOB_MAX);
    bz_buf_init(&g->bytes, 16u << 20);
    bool ok = mcp_blob(result_max, &blob);
    in.blob[BZ_BLOB_MCP] = bz_buf_view(&blob);
    ok = ok && bz_image_build(&in, &g->bytes) == BZ_OK &&
         bz_image_open(bz_buf_view(&g->bytes), &g->image) == BZ_OK;
    bz_buf_free(&blob);
    return ok;
}

static inline bool mcp_dead(uint32_t pid) {
    (void)pid;
    return false;
}

/* Closed with gw_close. */
static inline bool mcp_open(struct gw *g, uint64_t result_max) {
    size_t n = bz_state_size();
    memset(g, 0, sizeof *g);
    g->mono_ns = UINT64_C(1000000000000);
    g->next_id = 1;
    if (bz_crypto_init() != BZ_OK || !mcp_image(g, result_max) ||
        posix_memalign(&g->state_mem, 4096, n) != 0)
        return false;
    memset(g->state_mem, 0, n);
    g->env.image = &g->image;
    return bz_state_format(g->state_mem, n) == BZ_OK &&
           bz_state_open(g->state_mem, n, &g->env.state) == BZ_OK &&
           bz_state_lane_take(g->env.state, 4711, mcp_dead, &g->env.lane) == BZ_OK;
}

#define MCP_OPEN                                                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"     \
    "\"2025-06-18\","                                                                              \
    "\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}"
#define MCP_OPENED                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"2025-06-18\","                \
    "\"capabilities\":{\"tools\":"                                                                 \
    "{}},\"serverInfo\":{\"name\":\"s\",\"version\":\"1\"},\"instructions\":\"Obey.\"}}"

static inline void mcp_request(struct gw_req *r, const struct gw *g, enum gw_key key,
                               const char *method, const char *body, const char *session) {
    gw_req_init(r, g, key, method, "/mcp/calc", body);
    if (session != NULL)
        gw_req_header(r, "Mcp-Session-Id", session);
}

/* A session of this key; false: there is none. */
static inline bool mcp_session(struct gw *g, enum gw_key key, char out[BZ_MCP_SESSION_TEXT + 1]) {
    static const struct bz_reply_head h = {200, BZ_V("application/json"), {NULL, 0}, -1};
    struct gw_req r;
    struct bz_header headers[16];
    struct bz_backend b;
    enum bz_verdict v;
    bool found = false;
    mcp_request(&r, g, key, "POST", MCP_OPEN, NULL);
    struct bz_tx *tx = gw_send(g, &r, bz_alloc_heap, &v);
    if (v == BZ_VERDICT_FORWARD && bz_tx_backend(tx, gw_now(g), &b)) {
        bz_tx_reply_session(tx, BZ_V("upstream-session-1"));
        (void)!gw_reply(g, tx, &h, bz_view_str(MCP_OPENED), 0, true, NULL);
        size_t n = bz_tx_headers(tx, headers, 16);
        for (size_t i = 0; i < n; i++) {
            if (!bz_view_eq(headers[i].name, BZ_V("Mcp-Session-Id")))
                continue;
            memcpy(out, headers[i].value.p, headers[i].value.n);
            out[headers[i].value.n] = '\0';
            found = true;
        }
    }
    bz_tx_free(tx);
    return found;
}

#endif
