/* CycloneDX 1.6 and 1.7 as JSON. Source: cyclonedx.org/docs/1.6/json and 1.7. What we write is valid
 * in both. */
#include "sbom_int.h"

struct writer {
    struct bz_jw w;
    uint64_t refs; /* numbers of bom-ref that were given out */
};

static void put_ref(struct writer *x) {
    char mem[32];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_puts(&b, "c");
    bz_buf_put_u64(&b, ++x->refs);
    bz_jw_kstr(&x->w, "bom-ref", bz_buf_view(&b));
}

static void put_opt(struct writer *x, const char *key, struct bz_view v) {
    if (v.n > 0)
        bz_jw_kstr(&x->w, key, v);
}

static void put_hash(struct writer *x, bool has, const uint8_t sha256[BZ_HASH_LEN]) {
    char mem[2 * BZ_HASH_LEN + 1];
    struct bz_buf b;
    if (!has)
        return;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put_hex(&b, bz_view(sha256, BZ_HASH_LEN));
    bz_jw_key(&x->w, "hashes");
    bz_jw_arr(&x->w);
    bz_jw_obj(&x->w);
    bz_jw_kstr(&x->w, "alg", BZ_V("SHA-256"));
    bz_jw_kstr(&x->w, "content", bz_buf_view(&b));
    bz_jw_end(&x->w);
    bz_jw_end(&x->w);
}

static void put_licence(struct writer *x, struct bz_view v) {
    if (v.n == 0)
        return;
    bz_jw_key(&x->w, "licenses");
    bz_jw_arr(&x->w);
    bz_jw_obj(&x->w);
    if (bz_licence_is_expression(v)) {
        bz_jw_kstr(&x->w, "expression", v);
    } else {
        bz_jw_key(&x->w, "license");
        bz_jw_obj(&x->w);
        bz_jw_kstr(&x->w, "name", v);
        bz_jw_end(&x->w);
    }
    bz_jw_end(&x->w);
    bz_jw_end(&x->w);
}

static void put_reference(struct writer *x, const char *type, struct bz_view url) {
    bz_jw_obj(&x->w);
    bz_jw_kstr(&x->w, "type", bz_view_str(type));
    bz_jw_kstr(&x->w, "url", url);
    bz_jw_end(&x->w);
}

static void put_references(struct writer *x, const struct bz_component *c) {
    bool home = bz_sbom_is_url(c->homepage) && bz_view_starts(c->homepage, BZ_V("http"));
    bool origin = bz_sbom_is_url(c->origin);
    if (!home && !origin)
        return;
    bz_jw_key(&x->w, "externalReferences");
    bz_jw_arr(&x->w);
    if (home)
        put_reference(x, "website", c->homepage);
    struct bz_view git = BZ_V("git+"); /* no scheme that readers know: what is behind it is */
    if (origin && bz_view_starts(c->origin, git))
        put_reference(x, "vcs", bz_view_sub(c->origin, git.n, c->origin.n));
    else if (origin)
        put_reference(x, "distribution", c->origin);
    bz_jw_end(&x->w);
}

static void put_property(struct writer *x, const char *name, struct bz_view v) {
    if (v.n == 0)
        return;
    bz_jw_obj(&x->w);
    bz_jw_kstr(&x->w, "name", bz_view_str(name));
    bz_jw_kstr(&x->w, "value", v);
    bz_jw_end(&x->w);
}

static void put_properties(struct writer *x, const struct bz_component *c) {
    bz_jw_key(&x->w, "properties");
    bz_jw_arr(&x->w);
    put_property(x, "bartizan:kind", bz_view_str(bz_component_kind_name(c->kind)));
    put_property(x, "bartizan:path", c->path);
    put_property(x, "bartizan:source-package", c->source);
    put_property(x, "bartizan:model:format", c->format);
    put_property(x, "bartizan:model:parameters", c->parameters);
    put_property(x, "bartizan:model:quantisation", c->quantisation);
    put_property(x, "bartizan:model:released", c->released);
    bz_jw_end(&x->w);
}

/* ---- models ---- */

static void put_card(struct writer *x, const struct bz_component *c) {
    bz_jw_key(&x->w, "modelCard");
    bz_jw_obj(&x->w);
    bz_jw_key(&x->w, "modelParameters");
    bz_jw_obj(&x->w);
    put_opt(x, "architectureFamily", c->architecture);
    put_opt(x, "modelArchitecture", c->parameters.n > 0 ? c->parameters : c->architecture);
    bz_jw_end(&x->w);
    bz_jw_end(&x->w);
    if (c->base_model.n == 0)
        return;
    bz_jw_key(&x->w, "pedigree");
    bz_jw_obj(&x->w);
    bz_jw_key(&x->w, "ancestors");
    bz_jw_arr(&x->w);
    bz_jw_obj(&x->w);
    bz_jw_kstr(&x->w, "type", BZ_V("machine-learning-model"));
    bz_jw_kstr(&x->w, "name", c->base_model);
    bz_jw_end(&x->w);
    bz_jw_end(&x->w);
    bz_jw_end(&x->w);
}

static void put_file(struct writer *x, const struct bz_component_file *f) {
    bz_jw_obj(&x->w);
    bz_jw_kstr(&x->w, "type", BZ_V("file"));
    put_ref(x);
    bz_jw_kstr(&x->w, "name", f->path.n > 0 ? f->path : BZ_V("unnamed"));
    put_hash(x, f->has_sha256, f->sha256);
    bz_jw_end(&x->w);
}

/* There is no field for a chat template: a part of type data, with its hash. */
static void put_template(struct writer *x, const struct bz_component *c) {
    bz_jw_obj(&x->w);
    bz_jw_kstr(&x->w, "type", BZ_V("data"));
    put_ref(x);
    bz_jw_kstr(&x->w, "name", BZ_V("tokenizer.chat_template"));
    put_hash(x, true, c->template_sha256);
    bz_jw_key(&x->w, "data");
    bz_jw_arr(&x->w);
    bz_jw_obj(&x->w);
    bz_jw_kstr(&x->w, "type", BZ_V("definition"));
    bz_jw_kstr(&x->w, "name", BZ_V("chat template"));
    bz_jw_end(&x->w);
    bz_jw_end(&x->w);
    bz_jw_end(&x->w);
}

static void put_parts(struct writer *x, const struct bz_component *c) {
    if (c->files == NULL && !c->has_template)
        return;
    bz_jw_key(&x->w, "components");
    bz_jw_arr(&x->w);
    for (const struct bz_component_file *f = c->files; f != NULL; f = f->next)
        put_file(x, f);
    if (c->has_template)
        put_template(x, c);
    bz_jw_end(&x->w);
}

/* ---- components ---- */

static const char *type_of(enum bz_component_kind k) {
    switch (k) {
    case BZ_COMPONENT_SERVER:
        return "application";
    case BZ_COMPONENT_DRIVER:
        return "device-driver";
    case BZ_COMPONENT_MODEL:
        return "machine-learning-model";
    case BZ_COMPONENT_DEB:
    case BZ_COMPONENT_PYPI:
    case BZ_COMPONENT_NPM:
    case BZ_COMPONENT_CONDA:
    case BZ_COMPONENT_LIBRARY:
    case BZ_COMPONENT_KIND_COUNT:
        return "library";
    }
    return "library";
}

static void put_purl(struct writer *x, const struct bz_component *c) {
    struct bz_buf b;
    bz_buf_init(&b, 8192);
    if (bz_component_purl(c, &b) && bz_buf_status(&b) == BZ_OK)
        bz_jw_kstr(&x->w, "purl", bz_buf_view(&b));
    bz_buf_free(&b);
}

static void put_component(struct writer *x, const struct bz_component *c) {
    bz_jw_obj(&x->w);
    bz_jw_kstr(&x->w, "type", bz_view_str(type_of(c->kind)));
    put_ref(x);
    if (c->supplier.n > 0) {
        bz_jw_key(&x->w, "supplier");
        bz_jw_obj(&x->w);
        bz_jw_kstr(&x->w, "name", c->supplier);
        bz_jw_end(&x->w);
    }
    bz_jw_kstr(&x->w, "name", c->name);
    put_opt(x, "version", c->version);
    put_opt(x, "description", c->summary);
    put_hash(x, c->has_sha256, c->sha256);
    put_licence(x, c->licence);
    put_purl(x, c);
    put_references(x, c);
    if (c->kind == BZ_COMPONENT_MODEL)
        put_card(x, c);
    put_parts(x, c);
    put_properties(x, c);
    bz_jw_end(&x->w);
}

static void put_metadata(struct writer *x, const struct bz_sbom_head *head) {
    char mem[32];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_sbom_time(head->now, &b);
    bz_jw_key(&x->w, "metadata");
    bz_jw_obj(&x->w);
    bz_jw_kstr(&x->w, "timestamp", bz_buf_view(&b));
    bz_jw_key(&x->w, "tools");
    bz_jw_obj(&x->w);
    bz_jw_key(&x->w, "components");
    bz_jw_arr(&x->w);
    bz_jw_obj(&x->w);
    bz_jw_kstr(&x->w, "type", BZ_V("application"));
    bz_jw_kstr(&x->w, "name", BZ_V("bartizan"));
    bz_jw_kstr(&x->w, "version", BZ_V(BZ_VERSION));
    bz_jw_end(&x->w);
    bz_jw_end(&x->w);
    bz_jw_end(&x->w);
    bz_jw_key(&x->w, "component");
    bz_jw_obj(&x->w);
    bz_jw_kstr(&x->w, "type", BZ_V("application"));
    bz_jw_kstr(&x->w, "bom-ref", BZ_V("subject"));
    bz_jw_kstr(&x->w, "name", head->subject);
    bz_jw_end(&x->w);
    bz_jw_end(&x->w);
}

void bz_sbom_cyclonedx(const struct bz_inventory *inv, const char *version,
                       const struct bz_sbom_head *head, struct bz_buf *out) {
    struct writer x = {.refs = 0};
    char mem[64];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_puts(&b, "urn:uuid:");
    bz_sbom_uuid(head->random, &b);
    bz_jw_init(&x.w, out);
    bz_jw_obj(&x.w);
    bz_jw_kstr(&x.w, "bomFormat", BZ_V("CycloneDX"));
    bz_jw_kstr(&x.w, "specVersion", bz_view_str(version));
    bz_jw_kstr(&x.w, "serialNumber", bz_buf_view(&b));
    bz_jw_ku64(&x.w, "version", 1);
    put_metadata(&x, head);
    bz_jw_key(&x.w, "components");
    bz_jw_arr(&x.w);
    for (const struct bz_component *c = inv->first; c != NULL; c = c->next)
        put_component(&x, c);
    bz_jw_end(&x.w);
    bz_jw_end(&x.w);
}
