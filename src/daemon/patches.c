/* Rules of advisories against the versions that backends say they have: what the policy image gets. */
#include <stdio.h>

#include "daemon.h"

/* What a server of this type is called in advisories. */
static const struct {
    struct bz_view ecosystem, name;
} packages[BZ_SERVER_COUNT] = {
    [BZ_SERVER_LLAMACPP] = {BZ_V(BZ_ECOSYSTEM_OWN), BZ_V("llama.cpp")},
    [BZ_SERVER_OLLAMA] = {BZ_V(BZ_ECOSYSTEM_OWN), BZ_V("ollama")},
    [BZ_SERVER_VLLM] = {BZ_V("PyPI"), BZ_V("vllm")},
};

/* Without a version that is seen, comparable and not affected a rule holds. */
static bool holds(const struct bz_advisory *a, const struct bz_backend_run *r) {
    if (r->type >= BZ_SERVER_COUNT)
        return false;
    struct bz_view name = packages[r->type].name, ecosystem = packages[r->type].ecosystem, fixed;
    if (a->withdrawn)
        return false;
    if (name.n == 0 || !bz_advisory_about(a, ecosystem, name))
        return true;
    return bz_advisory_affects(a, ecosystem, name, bz_view_str(r->version), &fixed) !=
           BZ_AFFECTED_NO;
}

static uint64_t backends_of(const struct bz_daemon *d, const struct bz_advisory *a,
                            struct bz_view server) {
    uint64_t mask = 0;
    enum bz_server type;
    if (!bz_server_from_name(server, &type))
        return 0;
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        const struct bz_backend_run *r = &d->backend[i];
        if (!r->retired && r->type == type && holds(a, r))
            mask |= UINT64_C(1) << i;
    }
    return mask;
}

static size_t of_record(const struct bz_daemon *d, const struct bz_advisory *a,
                        struct bz_image_patch *out, size_t n) {
    struct bz_patch p;
    for (size_t i = 0; n < BZ_ADVISORY_PATCHES_MAX && bz_advisory_patch(a, i, &p, NULL) == BZ_OK;
         i++) {
        uint64_t mask = backends_of(d, a, p.server);
        if (mask == 0)
            continue;
        out[n++] = (struct bz_image_patch){
            .id = a->id,
            .method = p.method,
            .path = p.path,
            .param = p.param,
            .deny = p.deny,
            .has_min = p.has_min,
            .has_max = p.has_max,
            .min = p.min,
            .max = p.max,
            .backends = mask,
        };
    }
    return n;
}

size_t bz_patches_now(const struct bz_daemon *d,
                      struct bz_image_patch out[BZ_ADVISORY_PATCHES_MAX]) {
    size_t n = 0;
    if (!d->config->advisories.patches)
        return 0;
    for (size_t i = 0; i < d->advisories.n; i++) {
        const struct bz_json *record = d->advisories.pack[i].advisories->first;
        for (; record != NULL; record = record->next) {
            struct bz_advisory a;
            if (bz_advisory_read(record, &a, NULL) == BZ_OK)
                n = of_record(d, &a, out, n);
        }
    }
    return n;
}

enum bz_status bz_patches_load(struct bz_daemon *d) {
    struct bz_advisories now;
    struct bz_buf why;
    bz_buf_init(&why, 4096);
    enum bz_status st = bz_advisories_load(&d->in, d->config, &now, &why);
    d->advisories_why[0] = '\0';
    if (st != BZ_OK) {
        (void)snprintf(d->advisories_why, sizeof d->advisories_why, "%.*s",
                       (int)(why.n < 200 ? why.n : 200), (const char *)why.p);
        bz_log("advisories: %s", d->advisories_why);
        if (!d->advisories_loaded && bz_advisories_load(NULL, d->config, &now, &why) == BZ_OK) {
            d->advisories = now;
            d->advisories_loaded = true;
        }
    } else {
        if (d->advisories_loaded)
            bz_advisories_free(&d->advisories);
        d->advisories = now;
        d->advisories_loaded = true;
    }
    bz_buf_free(&why);
    return st;
}
