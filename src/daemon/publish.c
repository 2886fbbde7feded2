/* Builds the policy image and puts it in front of the workers: write, rename, then the generation
 * counter. */
#include <stdlib.h>

#include "daemon.h"
#include "templates.h"
#include "mcp.h"
#include "registry.h"

enum { IMAGE_FIXED_MAX = 160 << 20, IMAGE_KEY_MAX = 4096 };
_Static_assert(IMAGE_FIXED_MAX > BZ_DETECT_PACK_MAX + (64 << 20), "room for everything else");

/* Addresses and credentials by index, as bz_image_build takes them. */
struct places {
    const char *address[BZ_BACKENDS_MAX], *credential[BZ_BACKENDS_MAX];
    struct bz_names models[BZ_BACKENDS_MAX]; /* lent */
};

static void fill_places(const struct bz_daemon *d, struct places *p) {
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        const struct bz_backend_run *r = &d->backend[i];
        p->address[i] = r->retired ? "" : r->numeric ? NULL : r->address;
        p->credential[i] = r->retired ? NULL : r->credential;
        if (!r->retired)
            p->models[i] = r->models;
    }
}

/* The approvals in force as an array of their own, since the book's loan ends with the next call. */
static enum bz_status copy_approvals(struct bz_daemon *d, uint64_t now, struct bz_approval **ret,
                                     size_t *ret_n) {
    const struct bz_approval_record *list = NULL;
    size_t n = 0;
    BZ_TRY(bz_identity_approvals(d->book, now, &list, &n));
    struct bz_approval *copy = calloc(n + 1, sizeof *copy);
    if (copy == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < n; i++)
        copy[i] = list[i].what;
    *ret = copy;
    *ret_n = n;
    return BZ_OK;
}

struct steered { /* parts of the image about texts that steer */
    struct bz_buf judging, prompts;
};

static void steered_free(struct steered *s) {
    bz_buf_free(&s->judging);
    bz_buf_free(&s->prompts);
}

static enum bz_status steer(const struct bz_daemon *d, const struct bz_served *served,
                            struct steered *s, struct bz_image_input *in) {
    struct bz_prompt_tokens *tokens = NULL;
    struct bz_arena ar;
    size_t n = 0;
    bz_arena_init(&ar, bz_alloc_heap, BZ_BLOB_MAX, NULL, 0);
    bz_buf_init(&s->judging, BZ_BLOB_MAX);
    bz_buf_init(&s->prompts, BZ_BLOB_MAX);
    enum bz_status st = bz_templates_now(d, served->v, served->n, &ar, &tokens, &n);
    if (st == BZ_OK)
        st = bz_judging_compile(d->config, served->v, served->n, &s->judging);
    if (st == BZ_OK)
        st = bz_steering_prompts(d->steering, d->config, served->v, served->n, tokens, n,
                                 &s->prompts);
    bz_arena_free(&ar);
    in->blob[BZ_BLOB_INJECTION] = bz_buf_view(&d->steering->injection);
    in->blob[BZ_BLOB_JUDGING] = bz_buf_view(&s->judging);
    in->blob[BZ_BLOB_PROMPTS] = bz_buf_view(&s->prompts);
    return st;
}

static enum bz_status build(struct bz_daemon *d, const struct places *p,
                            const struct bz_served *served, struct bz_buf *out) {
    struct bz_approval *approvals = NULL;
    struct bz_image_patch *patches = calloc(BZ_ADVISORY_PATCHES_MAX, sizeof *patches);
    if (patches == NULL)
        return BZ_ENOMEM;
    struct bz_image_input in = {
        .config = d->config,
        .models = served->v,
        .models_n = served->n,
        .backend_credentials = p->credential,
        .backend_addresses = p->address,
        .generation = d->generation + 1,
        .built_unix = bz_clock_unix() / 1000000000u,
        .detect_pack = bz_buf_view(&d->pack.bytes),
        .body_public = d->bodies != NULL ? bz_keep_public(d->bodies) : NULL,
        .patches = patches,
        .patches_n = bz_patches_now(d, patches),
    };
    memcpy(in.key_pepper, d->keys.key_pepper, sizeof in.key_pepper);
    memcpy(in.digest_key, d->keys.digest_key, sizeof in.digest_key);
    memcpy(in.limit_seed, d->keys.limit_seed, sizeof in.limit_seed);
    memcpy(in.vault_key, d->keys.vault_key, sizeof in.vault_key);
    struct bz_buf mcp, agent;
    struct bz_agent_error no_rule;
    bz_buf_init(&mcp, BZ_BLOB_MAX);
    bz_buf_init(&agent, BZ_BLOB_MAX);
    enum bz_status st = copy_approvals(d, in.built_unix, &approvals, &in.approvals_n);
    in.approvals = approvals;
    struct steered steered;
    enum bz_status steers = steer(d, served, &steered, &in);
    if (st == BZ_OK)
        st = steers;
    if (st == BZ_OK)
        st = bz_mcp_blob(d, &mcp);
    in.blob[BZ_BLOB_MCP] = bz_buf_view(&mcp);
    if (st == BZ_OK)
        st = bz_config_agent(d->config, &agent, &no_rule);
    in.blob[BZ_BLOB_AGENT] = bz_buf_view(&agent);
    in.blob[BZ_BLOB_LEAK] = bz_buf_view(&d->leaks);
    if (st == BZ_OK)
        st = bz_identity_keys(d->book, true, &in.keys, &in.keys_n);
    d->keys_live = (uint32_t)in.keys_n;
    if (st == BZ_OK) {
        bz_buf_init(out, IMAGE_FIXED_MAX + in.keys_n * IMAGE_KEY_MAX);
        st = bz_image_build(&in, out);
    }
    bz_wipe(&in, sizeof in);
    steered_free(&steered);
    bz_buf_free(&mcp);
    bz_buf_free(&agent);
    free(approvals);
    free(patches);
    return st == BZ_OK ? bz_buf_status(out) : st;
}

static enum bz_status publish(struct bz_daemon *d, struct places *p, struct bz_served *served,
                              struct bz_buf *out) {
    if (d->bodies == NULL && (d->config->data.store_requests || d->config->data.store_replies))
        return BZ_EUNAVAIL; /* nothing passes unstored that is to be stored */
    fill_places(d, p);
    BZ_TRY(bz_models_merge(d->config, p->models, d->config->backends_n, served));
    BZ_TRY(build(d, p, served, out));
    BZ_TRY(bz_file_write(d->in.fd, BZ_F_IMAGE, bz_buf_view(out), 0600, BZ_FILE_NO_SYNC));
    d->generation++;
    d->models_served = served->n;
    bz_state_publish(d->state, d->generation);
    return BZ_OK;
}

enum bz_status bz_publish(struct bz_daemon *d) {
    struct bz_served served = {NULL, 0, 0};
    struct bz_buf out;
    struct places *p = calloc(1, sizeof *p);
    if (p == NULL)
        return BZ_ENOMEM;
    bz_buf_init(&out, 1);
    d->publish_wanted = false;
    bz_registry_guard(d);
    enum bz_status st = publish(d, p, &served, &out);
    bz_buf_wipe_free(&out); /* credentials of the backends stand in it */
    bz_served_free(&served);
    free(p);
    return st;
}

uint64_t bz_published_before(const struct bz_daemon *d) {
    struct bz_map m = {NULL, 0};
    struct bz_image img;
    uint64_t g = 0;
    if (bz_map_open(d->in.fd, BZ_F_IMAGE, false, &m) != BZ_OK)
        return 0;
    if (bz_image_open(bz_view(m.p, m.n), &img) == BZ_OK)
        g = bz_image_generation(&img);
    bz_map_close(&m);
    return g;
}
