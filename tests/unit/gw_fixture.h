/* A small instance in memory for the gateway's tests, harness and bench: image, shared state, keys,
 * and one call per phase. */
#ifndef BARTIZAN_TESTS_GW_FIXTURE_H
#define BARTIZAN_TESTS_GW_FIXTURE_H

#include <bartizan/gateway.h>

/* Tests hold whole requests and records on their stack. */
#pragma GCC diagnostic ignored "-Wframe-larger-than="

enum gw_setup {
    GW_LLAMA,  /* one llama.cpp backend with "tiny", and "assistant" for the same; "big" */
    GW_SINGLE, /* one llama.cpp backend with "tiny" only */
    GW_ALIAS,  /* the same with "assistant" for it */
    GW_MIXED,  /* 0 llama.cpp, 1 ollama, 2 vllm, 3 anthropic, 4 again for "tiny" */
    GW_OLLAMA, /* one ollama backend: "llama3:latest", "qwen:7b" */
    GW_SETUP_COUNT
};
enum gw_key {
    GW_USER, /* everything of the user role */
    GW_ADMIN,
    GW_NARROW,   /* routes chat and models, model "tiny" */
    GW_LIMITED,  /* owner "lim": 3 requests, 100 and 50 tokens a minute, 1 at once */
    GW_LIMITED2, /* another key of "lim", with the user's limits only: 4 requests over all keys */
    GW_SIZED,    /* owner "sized": bodies of 400 bytes */
    GW_SIZED2,   /* the same owner, whose role says 500; over all keys 450 */
    GW_EXPIRED,
    GW_REVOKED,
    GW_JANITOR,  /* an admin of model "qwen:7b" and of names that begin with "new" */
    GW_STRANGER, /* well-formed, in no image */
    GW_KEYS
};

#define GW_NOW_S UINT64_C(1800000000)
#define GW_CANARY "canary-7f3a"

struct gw {
    struct bz_buf bytes;
    struct bz_image image;
    void *state_mem;
    struct bz_gateway_env env;
    void *vault_mem; /* with data protection */
    struct bz_shapes *shapes;
    void *judge_mem; /* what was judged before, with gw_open_blobs */
    void *clean_mem; /* what held no data, with data */
    char keys[GW_KEYS][BZ_KEY_TEXT + 1];
    uint64_t mono_ns; /* advanced by tests */
    uint64_t next_id;
};

bool gw_open(struct gw *g, enum gw_setup setup);
/* With data protection: these rules, the detectors with `data`'s own words, a vault. */
bool gw_open_data(struct gw *g, enum gw_setup setup, const struct bz_data_config *data);
/* Also with clearances of tools. */
bool gw_open_tools(struct gw *g, enum gw_setup setup, const struct bz_data_config *data,
                   struct bz_tool_config *tools, uint32_t n_tools);
/* With the sections data, tools and agent of a configuration, and approvals in force. */
bool gw_open_policy(struct gw *g, enum gw_setup setup, const struct bz_config *config,
                    const struct bz_approval *approvals, size_t n);
/* With rules that stand in for fixes. */
bool gw_open_patches(struct gw *g, enum gw_setup setup, const struct bz_image_patch *patches,
                     size_t n);
/* With what other rooms compiled: entries of BZ_BLOB_COUNT, lent for the call but for those that the
 * image's users open in place, which lie in the image. injection: the handle, opened by the caller;
 * both may be NULL. data: NULL: no data protection. */
struct bz_injection;
bool gw_open_blobs(struct gw *g, enum gw_setup setup, const struct bz_data_config *data,
                   const struct bz_view *blobs, struct bz_injection *injection);
enum gw_change { GW_SAME, GW_REVOKE, GW_OTHER_OWNER, GW_OTHER_ROLE };
/* The same instance one generation later, with a change at one key. `out` is closed by itself. */
bool gw_next_generation(enum gw_setup setup, enum gw_key key, enum gw_change change,
                        struct gw *out);
void gw_close(struct gw *g);
struct bz_now gw_now(const struct gw *g);

#define GW_HEADERS 24
struct gw_req {
    struct bz_req_head head;
    struct bz_header headers[GW_HEADERS];
    struct bz_view body;
    char bearer[BZ_KEY_TEXT + 16];
};
/* key: GW_KEYS for none. body NULL: none; otherwise content type and length are set. */
void gw_req_init(struct gw_req *r, const struct gw *g, enum gw_key key, const char *method,
                 const char *path, const char *body);
void gw_req_header(struct gw_req *r, const char *name, const char *value);
void gw_req_drop(struct gw_req *r, const char *name);

/* Heap that can refuse: the n-th allocation and all later ones fail (0: none). Counts what is not
 * given back. */
struct gw_heap {
    uint64_t fail_from, allocs, live, bytes_live, bytes_peak;
};
struct bz_alloc gw_heap_alloc(struct gw_heap *h);

/* New transaction, head, and the body if it is asked for. NULL: no memory. */
struct bz_tx *gw_send(struct gw *g, const struct gw_req *r, struct bz_alloc a,
                      enum bz_verdict *ret);
/* Upstream's whole reply in pieces of `cut` bytes (0: at once); out collects what a stream lets
 * pass. */
enum bz_status gw_reply(struct gw *g, struct bz_tx *tx, const struct bz_reply_head *h,
                        struct bz_view body, size_t cut, bool clean, struct bz_buf *out);
/* Encodes and decodes a record; its views live in `mem`. */
bool gw_record(struct gw *g, struct bz_tx *tx, enum bz_record_kind kind, uint8_t mem[BZ_RECORD_MAX],
               struct bz_record *ret, size_t *ret_n);
bool gw_contains(struct bz_view hay, const char *needle);

#endif
