#include "gw_fixture.h"

#include <stdlib.h>
#include <string.h>

#define S(lit) ((char[]){lit})
#define N(a) (uint32_t)(sizeof(a) / sizeof((a)[0]))

static char *star[] = {S("*")};
static char *narrow_routes[] = {S("chat"), S("models")};
static char *narrow_models[] = {S("tiny")};
static char *janitor_models[] = {S("qwen:7b"), S("new*")};
static char *names[] = {S("localhost"), S("127.0.0.1")};
static char *origins[] = {S("https://app.example")};

static struct bz_backend_config one[] = {
    {.name = S("local"),
     .type = BZ_SERVER_LLAMACPP,
     .url = S("http://127.0.0.1:8080"),
     .keep_alive = true},
};
static struct bz_backend_config ollama[] = {
    {.name = S("oll"),
     .type = BZ_SERVER_OLLAMA,
     .url = S("http://127.0.0.1:11434"),
     .keep_alive = true},
};
static struct bz_backend_config mixed[] = {
    {.name = S("lc"),
     .type = BZ_SERVER_LLAMACPP,
     .url = S("http://127.0.0.1:8080"),
     .keep_alive = true},
    {.name = S("oll"),
     .type = BZ_SERVER_OLLAMA,
     .url = S("http://127.0.0.1:11434"),
     .keep_alive = true},
    {.name = S("vl"),
     .type = BZ_SERVER_VLLM,
     .url = S("http://127.0.0.1:8000"),
     .keep_alive = true},
    {.name = S("an"),
     .type = BZ_SERVER_ANTHROPIC,
     .url = S("http://127.0.0.1:8001"),
     .keep_alive = true},
    {.name = S("lc2"),
     .type = BZ_SERVER_LLAMACPP,
     .url = S("http://127.0.0.1:8082"),
     .keep_alive = true},
};
static struct bz_model_config model_configs[] = {
    {.name = S("assistant"), .target = S("tiny")},
    {.name = S("metered"),
     .target = S("tiny"),
     .limits = {.rate = {{60, 1}, {0, 0}, {0, 0}}, .concurrent = 0, .body_max = 350}},
};
static const struct bz_image_model_input llama_models[] = {
    {"assistant", "tiny", 1},
    {"big", "big.gguf", 1},
    {"metered", "tiny", 1},
    {"tiny", "tiny", 1},
};
static const struct bz_image_model_input single_models[] = {{"tiny", "tiny", 1}};
static const struct bz_image_model_input alias_models[] = {{"assistant", "tiny", 1},
                                                           {"tiny", "tiny", 1}};
static const struct bz_image_model_input ollama_models[] = {
    {"llama3:latest", "llama3:latest", 1},
    {"qwen:7b", "qwen:7b", 1},
};
static const struct bz_image_model_input mixed_models[] = {
    {"claude", "claude", 8},
    {"everywhere", "everywhere", 1 | 2 | 4},
    {"llama3:latest", "llama3:latest", 2},
    {"mistral", "mistral-7b", 4},
    {"tiny", "tiny.gguf", 1 | 16},
};
static struct bz_role_config roles[] = {
    {.name = S("user"), .routes = star, .routes_n = 1, .models = star, .models_n = 1},
    {.name = S("admin"),
     .admin = true,
     .routes = star,
     .routes_n = 1,
     .models = star,
     .models_n = 1},
    {.name = S("narrow"),
     .routes = narrow_routes,
     .routes_n = 2,
     .models = narrow_models,
     .models_n = 1},
    {.name = S("limited"),
     .routes = star,
     .routes_n = 1,
     .models = star,
     .models_n = 1,
     .limits = {.rate = {{3, 3}, {100, 100}, {50, 50}}, .concurrent = 1},
     .user_limits = {.rate = {{4, 4}, {0, 0}, {0, 0}}, .concurrent = 0}},
    {.name = S("janitor"),
     .admin = true,
     .routes = star,
     .routes_n = 1,
     .models = janitor_models,
     .models_n = 2},
    {.name = S("lim2"),
     .routes = star,
     .routes_n = 1,
     .models = star,
     .models_n = 1,
     .user_limits = {.rate = {{4, 4}, {0, 0}, {0, 0}}, .concurrent = 0}},
    {.name = S("sized"),
     .routes = star,
     .routes_n = 1,
     .models = star,
     .models_n = 1,
     .limits = {.body_max = 400}},
    {.name = S("sized2"),
     .routes = star,
     .routes_n = 1,
     .models = star,
     .models_n = 1,
     .limits = {.body_max = 500},
     .user_limits = {.body_max = 450}},
};

static const struct {
    const char *owner, *role;
    uint64_t expires;
    bool revoked;
} key_specs[GW_KEYS] = {
    [GW_USER] = {"alice", "user", 0, false},
    [GW_ADMIN] = {"root", "admin", 0, false},
    [GW_NARROW] = {"bob", "narrow", 0, false},
    [GW_LIMITED] = {"lim", "limited", 0, false},
    [GW_LIMITED2] = {"lim", "lim2", 0, false},
    [GW_JANITOR] = {"jane", "janitor", 0, false},
    [GW_SIZED] = {"sized", "sized", 0, false},
    [GW_SIZED2] = {"sized", "sized2", 0, false},
    [GW_EXPIRED] = {"alice", "user", GW_NOW_S - 10, false},
    [GW_REVOKED] = {"alice", "user", 0, true},
};

static char mallory[] = "mallory";

static bool always_dead(uint32_t pid) {
    (void)pid;
    return false;
}

static void fill_config(struct bz_config *c, enum gw_setup setup) {
    for (uint32_t i = 0; i < N(roles); i++)
        roles[i].params = bz_param_limits_default;
    roles[1].params.allow_grammar = roles[1].params.allow_load_options = true; /* admin */
    *c = (struct bz_config){
        .names = names,
        .names_n = N(names),
        .origins = origins,
        .origins_n = N(origins),
        .hsts = true,
        .audit = BZ_AUDIT_STRICT,
        .audit_wait_ms = 2000,
        .body_max = 1u << 20,
        .backends = one,
        .backends_n = N(one),
        .models = model_configs,
        .models_n = N(model_configs),
        .roles = roles,
        .roles_n = N(roles),
    };
    if (setup == GW_MIXED) {
        c->backends = mixed;
        c->backends_n = N(mixed);
    } else if (setup == GW_OLLAMA) {
        c->backends = ollama;
        c->backends_n = N(ollama);
    }
}

static void fill_models(struct bz_image_input *in, enum gw_setup setup) {
    static const struct {
        const struct bz_image_model_input *m;
        size_t n;
    } of[GW_SETUP_COUNT] = {
        [GW_LLAMA] = {llama_models, N(llama_models)},
        [GW_SINGLE] = {single_models, N(single_models)},
        [GW_ALIAS] = {alias_models, N(alias_models)},
        [GW_MIXED] = {mixed_models, N(mixed_models)},
        [GW_OLLAMA] = {ollama_models, N(ollama_models)},
    };
    in->models = of[setup].m;
    in->models_n = of[setup].n;
}

static const struct bz_image_patch *own_patches;
static size_t own_patches_n;
static const struct bz_approval *own_approvals;
static size_t own_approvals_n;
static const struct bz_view *own_blobs;

static bool build(struct gw *g, enum gw_setup setup, uint64_t generation, enum gw_key key,
                  enum gw_change change, const struct bz_config *more, struct bz_view pack) {
    struct bz_config config;
    static const char *const no_credentials[N(mixed)];
    struct bz_image_input in = {.config = &config,
                                .backend_credentials = no_credentials,
                                .generation = generation,
                                .built_unix = GW_NOW_S};
    struct bz_key_record records[GW_KEYS];
    size_t n = 0;
    memset(in.key_pepper, 1, sizeof in.key_pepper);
    memset(in.digest_key, 2, sizeof in.digest_key);
    memset(in.limit_seed, 3, sizeof in.limit_seed);
    memset(in.vault_key, 4, sizeof in.vault_key);
    in.detect_pack = pack;
    in.patches = own_patches;
    in.patches_n = own_patches_n;
    in.approvals = own_approvals;
    in.approvals_n = own_approvals_n;
    if (own_blobs != NULL)
        memcpy(in.blob, own_blobs, sizeof in.blob);
    fill_config(&config, setup);
    if (more != NULL) {
        config.data = more->data;
        config.tools = more->tools;
        config.tools_n = more->tools_n;
    }
    fill_models(&in, setup);
    for (int k = 0; k < GW_KEYS; k++) {
        uint8_t rnd[48];
        memset(rnd, 17 * k + 5, sizeof rnd);
        bz_key_make(rnd, g->keys[k]);
        if (k == GW_STRANGER)
            continue;
        struct bz_key_record *r = &records[n++];
        *r = (struct bz_key_record){.owner = (char *)(uintptr_t)key_specs[k].owner,
                                    .role = (char *)(uintptr_t)key_specs[k].role,
                                    .expires = key_specs[k].expires,
                                    .created = 1,
                                    .revoked = key_specs[k].revoked};
        if (k == (int)key && change != GW_SAME) {
            r->revoked = change == GW_REVOKE;
            r->owner = change == GW_OTHER_OWNER ? mallory : r->owner;
            r->role = change == GW_OTHER_ROLE ? roles[1].name : r->role;
        }
        memcpy(r->id, g->keys[k] + 3, BZ_KEY_ID_TEXT);
        bz_key_hash(in.key_pepper, bz_view(g->keys[k], BZ_KEY_TEXT), r->hash);
    }
    in.keys = records;
    in.keys_n = n;
    bz_buf_init(&g->bytes, 16u << 20);
    return bz_image_build(&in, &g->bytes) == BZ_OK &&
           bz_image_open(bz_buf_view(&g->bytes), &g->image) == BZ_OK;
}

static bool open_with(struct gw *g, enum gw_setup setup, const struct bz_config *more,
                      struct bz_view pack) {
    memset(g, 0, sizeof *g);
    g->mono_ns = UINT64_C(1000000000000);
    g->next_id = 1;
    size_t n = bz_state_size();
    if (bz_crypto_init() != BZ_OK || !build(g, setup, 1, GW_KEYS, GW_SAME, more, pack) ||
        posix_memalign(&g->state_mem, 4096, n) != 0)
        return false;
    memset(g->state_mem, 0, n);
    g->env.image = &g->image;
    g->shapes = calloc(1, sizeof *g->shapes);
    g->env.shapes = g->shapes;
    return g->shapes != NULL && bz_state_format(g->state_mem, n) == BZ_OK &&
           bz_state_open(g->state_mem, n, &g->env.state) == BZ_OK &&
           bz_state_lane_take(g->env.state, 4711, always_dead, &g->env.lane) == BZ_OK;
}

bool gw_open(struct gw *g, enum gw_setup setup) {
    return open_with(g, setup, NULL, (struct bz_view){NULL, 0});
}

bool gw_open_patches(struct gw *g, enum gw_setup setup, const struct bz_image_patch *patches,
                     size_t n) {
    own_patches = patches;
    own_patches_n = n;
    bool ok = gw_open(g, setup);
    own_patches = NULL;
    own_patches_n = 0;
    return ok;
}

enum { VAULT_ENTRIES = 256 };

static bool open_seen(void **mem, struct bz_seen **ret) {
    size_t n = (bz_seen_size() + 63) / 64 * 64;
    *mem = aligned_alloc(64, n);
    if (*mem != NULL)
        memset(*mem, 0, n);
    *ret = *mem != NULL ? bz_seen_open(*mem, n) : NULL;
    return *ret != NULL;
}

bool gw_open_tools(struct gw *g, enum gw_setup setup, const struct bz_data_config *data,
                   struct bz_tool_config *tools, uint32_t n_tools) {
    struct bz_config config = {.data = *data, .tools = tools, .tools_n = n_tools};
    struct bz_config_error err;
    struct bz_buf pack;
    bz_buf_init(&pack, 64u << 20);
    bool ok = bz_config_compile(&config, &pack, &err) == BZ_OK &&
              open_with(g, setup, &config, bz_buf_view(&pack)) &&
              bz_detect_open(bz_buf_view(&pack), &g->env.detect) == BZ_OK &&
              open_seen(&g->clean_mem, &g->env.clean);
    bz_buf_free(&pack);
    size_t n = bz_vault_size(VAULT_ENTRIES);
    return ok && posix_memalign(&g->vault_mem, 64, n) == 0 &&
           bz_vault_format(g->vault_mem, n, VAULT_ENTRIES) == BZ_OK &&
           bz_vault_open(g->vault_mem, n, &g->env.vault) == BZ_OK;
}

bool gw_open_data(struct gw *g, enum gw_setup setup, const struct bz_data_config *data) {
    return gw_open_tools(g, setup, data, NULL, 0);
}

bool gw_open_blobs(struct gw *g, enum gw_setup setup, const struct bz_data_config *data,
                   const struct bz_view *blobs, struct bz_injection *injection) {
    own_blobs = blobs;
    bool ok = data != NULL ? gw_open_data(g, setup, data) : gw_open(g, setup);
    own_blobs = NULL;
    g->env.injection = injection;
    return ok && open_seen(&g->judge_mem, &g->env.judged);
}

bool gw_open_policy(struct gw *g, enum gw_setup setup, const struct bz_config *config,
                    const struct bz_approval *approvals, size_t n) {
    struct bz_view blobs[BZ_BLOB_COUNT] = {{NULL, 0}};
    struct bz_agent_error err;
    struct bz_buf agent;
    bz_buf_init(&agent, BZ_BLOB_MAX);
    bool ok = bz_config_agent(config, &agent, &err) == BZ_OK;
    blobs[BZ_BLOB_AGENT] = bz_buf_view(&agent);
    own_blobs = blobs;
    own_approvals = approvals;
    own_approvals_n = n;
    ok = ok && gw_open_tools(g, setup, &config->data, config->tools, config->tools_n);
    own_blobs = NULL;
    own_approvals = NULL;
    own_approvals_n = 0;
    bz_buf_free(&agent);
    return ok;
}

bool gw_next_generation(enum gw_setup setup, enum gw_key key, enum gw_change change,
                        struct gw *out) {
    memset(out, 0, sizeof *out);
    return build(out, setup, 2, key, change, NULL, (struct bz_view){NULL, 0});
}

void gw_close(struct gw *g) {
    bz_detect_close(g->env.detect);
    free(g->vault_mem);
    free(g->judge_mem);
    free(g->clean_mem);
    free(g->shapes);
    bz_buf_free(&g->bytes);
    free(g->state_mem);
    memset(g, 0, sizeof *g);
}

struct bz_now gw_now(const struct gw *g) {
    return (struct bz_now){GW_NOW_S * 1000000000 + g->mono_ns, g->mono_ns};
}

/* ---- requests ---- */

void gw_req_header(struct gw_req *r, const char *name, const char *value) {
    if (r->head.headers_n < GW_HEADERS)
        r->headers[r->head.headers_n++] = (struct bz_header){bz_view_str(name), bz_view_str(value)};
    r->head.headers = r->headers;
}

void gw_req_drop(struct gw_req *r, const char *name) {
    size_t n = 0;
    for (size_t i = 0; i < r->head.headers_n; i++)
        if (!bz_view_eq_nocase(r->headers[i].name, bz_view_str(name)))
            r->headers[n++] = r->headers[i];
    r->head.headers_n = n;
}

void gw_req_init(struct gw_req *r, const struct gw *g, enum gw_key key, const char *method,
                 const char *path, const char *body) {
    memset(r, 0, sizeof *r);
    r->head.method = bz_view_str(method);
    r->head.path = r->head.raw_path = bz_view_str(path);
    r->head.host = BZ_V("localhost");
    r->head.peer = BZ_V("127.0.0.1");
    r->head.content_length = -1;
    gw_req_header(r, "Host", "localhost");
    gw_req_header(r, "User-Agent", GW_CANARY "-agent");
    gw_req_header(r, "Accept", "*/*");
    if (key != GW_KEYS) {
        struct bz_buf b;
        bz_buf_init_fixed(&b, r->bearer, sizeof r->bearer);
        bz_buf_puts(&b, "Bearer ");
        bz_buf_puts(&b, g->keys[key]);
        bz_buf_putc(&b, 0);
        gw_req_header(r, "Authorization", r->bearer);
    }
    if (body != NULL) {
        r->body = bz_view_str(body);
        r->head.content_length = (int64_t)r->body.n;
        gw_req_header(r, "Content-Type", "application/json");
    }
}

/* ---- heap ---- */

static void *heap_get(void *ctx, size_t n) {
    struct gw_heap *h = ctx;
    h->allocs++;
    if (h->fail_from != 0 && h->allocs >= h->fail_from)
        return NULL;
    size_t *p = malloc(n + 16);
    if (p == NULL)
        return NULL;
    *p = n;
    h->live++;
    h->bytes_live += n;
    if (h->bytes_live > h->bytes_peak)
        h->bytes_peak = h->bytes_live;
    return (uint8_t *)p + 16;
}

static void heap_put(void *ctx, void *p) {
    struct gw_heap *h = ctx;
    if (p == NULL)
        return;
    size_t *real = (size_t *)(void *)((uint8_t *)p - 16);
    h->live--;
    h->bytes_live -= *real;
    free(real);
}

struct bz_alloc gw_heap_alloc(struct gw_heap *h) {
    return (struct bz_alloc){heap_get, heap_put, h};
}

/* ---- phases ---- */

struct bz_tx *gw_send(struct gw *g, const struct gw_req *r, struct bz_alloc a,
                      enum bz_verdict *ret) {
    struct bz_tx *tx = NULL;
    struct gw_req copy =
        *r; /* lent for the call only: what the transaction keeps must be its own */
    char head[1024];
    *ret = BZ_VERDICT_NONE;
    if (bz_tx_new(&g->env, a, gw_now(g), UINT64_C(0x0190000000000000), g->next_id++, &tx) != BZ_OK)
        return NULL;
    if (r->head.path.n < sizeof head) {
        memcpy(head, r->head.path.p, r->head.path.n);
        if (bz_view_eq(r->head.path, r->head.raw_path))
            copy.head.raw_path = bz_view(head, r->head.path.n);
        copy.head.path = bz_view(head, r->head.path.n);
    }
    copy.head.headers = copy.headers;
    *ret = bz_tx_begin(tx, &copy.head);
    memset(head, 'X', sizeof head);
    memset(&copy, 0x58, sizeof copy);
    if (*ret == BZ_VERDICT_BODY) {
        uint8_t *body = malloc(r->body.n + 1);
        if (body == NULL)
            abort();
        if (r->body.n > 0)
            memcpy(body, r->body.p, r->body.n);
        *ret = bz_tx_body(tx, bz_view(body, r->body.n), gw_now(g));
        memset(body, 'X', r->body.n + 1);
        free(body);
    }
    return tx;
}

enum bz_status gw_reply(struct gw *g, struct bz_tx *tx, const struct bz_reply_head *h,
                        struct bz_view body, size_t cut, bool clean, struct bz_buf *out) {
    (void)bz_tx_reply_head(tx, h, gw_now(g));
    if (bz_tx_reply(tx) != NULL)
        return BZ_EDENIED;
    while (body.n > 0) {
        struct bz_view piece = bz_view_sub(body, 0, cut == 0 ? body.n : cut);
        enum bz_status st = bz_tx_reply_feed(tx, piece, out, gw_now(g));
        if (st != BZ_OK)
            return st;
        body = bz_view_sub(body, piece.n, body.n);
    }
    return bz_tx_reply_end(tx, clean, out, gw_now(g));
}

bool gw_record(struct gw *g, struct bz_tx *tx, enum bz_record_kind kind, uint8_t mem[BZ_RECORD_MAX],
               struct bz_record *ret, size_t *ret_n) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, BZ_RECORD_MAX);
    bz_tx_record(tx, kind, 0, false, gw_now(g), &b);
    *ret_n = b.n;
    return bz_buf_status(&b) == BZ_OK && bz_record_decode(bz_buf_view(&b), ret) == BZ_OK;
}

bool gw_contains(struct bz_view hay, const char *needle) {
    size_t n = strlen(needle);
    return n > 0 && hay.n >= n && memmem(hay.p, hay.n, needle, n) != NULL;
}
