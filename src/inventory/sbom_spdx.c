/* SPDX 3.0.1 as JSON-LD, with the AI profile for models. Source: spdx.github.io/spdx-spec/v3.0.1,
 * "Core", "Software", "AI", "SimpleLicensing", and its serialisation. */
#include "sbom_int.h"

struct writer {
    struct bz_jw w;
    struct bz_view base; /* of all ids */
    uint64_t now;
};

/* BASE#kind-number, as a string value. */
static void put_id(struct writer *x, const char *kind, uint64_t n) {
    char mem[128];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put(&b, x->base);
    bz_buf_puts(&b, kind);
    if (n > 0)
        bz_buf_put_u64(&b, n);
    bz_jw_str(&x->w, bz_buf_view(&b));
}

static void put_key_id(struct writer *x, const char *key, const char *kind, uint64_t n) {
    bz_jw_key(&x->w, key);
    put_id(x, kind, n);
}

static void begin(struct writer *x, const char *type, const char *kind, uint64_t n) {
    bz_jw_obj(&x->w);
    bz_jw_kstr(&x->w, "type", bz_view_str(type));
    put_key_id(x, "spdxId", kind, n);
    bz_jw_kstr(&x->w, "creationInfo", BZ_V("_:creation"));
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
    bz_jw_key(&x->w, "verifiedUsing");
    bz_jw_arr(&x->w);
    bz_jw_obj(&x->w);
    bz_jw_kstr(&x->w, "type", BZ_V("Hash"));
    bz_jw_kstr(&x->w, "algorithm", BZ_V("sha256"));
    bz_jw_kstr(&x->w, "hashValue", bz_buf_view(&b));
    bz_jw_end(&x->w);
    bz_jw_end(&x->w);
}

static void put_time(struct writer *x, const char *key, uint64_t t) {
    char mem[32];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_sbom_time(t, &b);
    bz_jw_kstr(&x->w, key, bz_buf_view(&b));
}

/* ---- elements ---- */

static void put_supplier(struct writer *x, const struct bz_component *c, uint64_t n) {
    if (c->supplier.n == 0)
        return;
    begin(x, "Organization", "supplier-", n);
    bz_jw_kstr(&x->w, "name", c->supplier);
    bz_jw_end(&x->w);
}

static const char *purpose_of(enum bz_component_kind k) {
    if (k == BZ_COMPONENT_MODEL)
        return "model";
    if (k == BZ_COMPONENT_DRIVER)
        return "deviceDriver";
    return k == BZ_COMPONENT_SERVER ? "application" : "library";
}

static void put_purl(struct writer *x, const struct bz_component *c) {
    struct bz_buf b;
    bz_buf_init(&b, 8192);
    if (bz_component_purl(c, &b) && bz_buf_status(&b) == BZ_OK)
        bz_jw_kstr(&x->w, "software_packageUrl", bz_buf_view(&b));
    bz_buf_free(&b);
}

static void put_model(struct writer *x, const struct bz_component *c) {
    if (bz_sbom_is_time(c->released))
        bz_jw_kstr(&x->w, "releaseTime", c->released);
    if (c->architecture.n > 0) {
        bz_jw_key(&x->w, "ai_typeOfModel");
        bz_jw_arr(&x->w);
        bz_jw_str(&x->w, c->architecture);
        bz_jw_end(&x->w);
    }
    const struct {
        const char *key;
        struct bz_view value;
    } pairs[] = {{"format", c->format},
                 {"parameters", c->parameters},
                 {"quantisation", c->quantisation},
                 {"base_model", c->base_model}};
    bool any = false;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (pairs[i].value.n == 0)
            continue;
        if (!any) {
            bz_jw_key(&x->w, "ai_hyperparameter");
            bz_jw_arr(&x->w);
        }
        any = true;
        bz_jw_obj(&x->w);
        bz_jw_kstr(&x->w, "type", BZ_V("DictionaryEntry"));
        bz_jw_kstr(&x->w, "key", bz_view_str(pairs[i].key));
        bz_jw_kstr(&x->w, "value", pairs[i].value);
        bz_jw_end(&x->w);
    }
    if (any)
        bz_jw_end(&x->w);
}

static void put_package(struct writer *x, const struct bz_component *c, uint64_t n) {
    bool model = c->kind == BZ_COMPONENT_MODEL;
    begin(x, model ? "ai_AIPackage" : "software_Package", "package-", n);
    bz_jw_kstr(&x->w, "name", c->name);
    put_opt(x, "summary", c->summary);
    put_hash(x, c->has_sha256, c->sha256);
    if (c->supplier.n > 0)
        put_key_id(x, "suppliedBy", "supplier-", n);
    put_opt(x, "software_packageVersion", c->version);
    put_purl(x, c);
    if (bz_sbom_is_url(c->homepage))
        bz_jw_kstr(&x->w, "software_homePage", c->homepage);
    if (bz_sbom_is_url(c->origin))
        bz_jw_kstr(&x->w, "software_downloadLocation", c->origin);
    bz_jw_kstr(&x->w, "software_primaryPurpose", bz_view_str(purpose_of(c->kind)));
    put_opt(x, "software_sourceInfo", c->path);
    if (model)
        put_model(x, c);
    bz_jw_end(&x->w);
}

static void put_relationship(struct writer *x, const char *type, const char *name, uint64_t n,
                             const char *to, uint64_t to_first, uint64_t to_n) {
    begin(x, "Relationship", name, n);
    put_key_id(x, "from", "package-", n);
    bz_jw_kstr(&x->w, "relationshipType", bz_view_str(type));
    bz_jw_key(&x->w, "to");
    bz_jw_arr(&x->w);
    for (uint64_t i = 0; i < to_n; i++)
        put_id(x, to, to_first + i);
    bz_jw_end(&x->w);
    bz_jw_end(&x->w);
}

/* Only expressions have an element; other words of a package are its own. */
static void put_licence(struct writer *x, const struct bz_component *c, uint64_t n) {
    if (!bz_licence_is_expression(c->licence))
        return;
    begin(x, "simplelicensing_LicenseExpression", "licence-", n);
    bz_jw_kstr(&x->w, "simplelicensing_licenseExpression", c->licence);
    bz_jw_end(&x->w);
    put_relationship(x, "hasDeclaredLicense", "declares-", n, "licence-", n, 1);
}

static uint64_t put_files(struct writer *x, const struct bz_component *c, uint64_t first) {
    uint64_t n = 0;
    for (const struct bz_component_file *f = c->files; f != NULL; f = f->next, n++) {
        begin(x, "software_File", "file-", first + n);
        bz_jw_kstr(&x->w, "name", f->path.n > 0 ? f->path : BZ_V("unnamed"));
        put_hash(x, f->has_sha256, f->sha256);
        bz_jw_end(&x->w);
    }
    if (c->has_template) {
        begin(x, "software_File", "file-", first + n);
        bz_jw_kstr(&x->w, "name", BZ_V("tokenizer.chat_template"));
        put_hash(x, true, c->template_sha256);
        bz_jw_end(&x->w);
        n++;
    }
    return n;
}

/* ---- document ---- */

static void put_creation(struct writer *x) {
    bz_jw_obj(&x->w);
    bz_jw_kstr(&x->w, "type", BZ_V("CreationInfo"));
    bz_jw_kstr(&x->w, "@id", BZ_V("_:creation"));
    bz_jw_kstr(&x->w, "specVersion", BZ_V("3.0.1"));
    put_time(x, "created", x->now);
    bz_jw_key(&x->w, "createdBy");
    bz_jw_arr(&x->w);
    put_id(x, "agent", 0);
    bz_jw_end(&x->w);
    bz_jw_end(&x->w);
    begin(x, "SoftwareAgent", "agent", 0);
    bz_jw_kstr(&x->w, "name", BZ_V("bartizan " BZ_VERSION));
    bz_jw_end(&x->w);
}

static void put_ids(struct writer *x, const char *key, const char *kind, uint64_t n) {
    bz_jw_key(&x->w, key);
    bz_jw_arr(&x->w);
    for (uint64_t i = 1; i <= n; i++)
        put_id(x, kind, i);
    bz_jw_end(&x->w);
}

/* The AI profile demands more of each model than the schema does: time, supplier, source, version. */
static bool conforms_ai(const struct bz_inventory *inv) {
    const uint32_t demanded = 1u << BZ_SBOM_VERSION | 1u << BZ_SBOM_SUPPLIER |
                              1u << BZ_SBOM_SOURCE | 1u << BZ_SBOM_RELEASED;
    bool any = false;
    for (const struct bz_component *c = inv->first; c != NULL; c = c->next) {
        if (c->kind == BZ_COMPONENT_MODEL && (bz_sbom_missing(c) & demanded) != 0)
            return false;
        any = any || c->kind == BZ_COMPONENT_MODEL;
    }
    return any;
}

static void put_document(struct writer *x, const struct bz_inventory *inv,
                         const struct bz_sbom_head *head) {
    begin(x, "SpdxDocument", "document", 0);
    bz_jw_kstr(&x->w, "name", head->subject);
    bz_jw_key(&x->w, "profileConformance");
    bz_jw_arr(&x->w);
    bz_jw_str(&x->w, BZ_V("core"));
    bz_jw_str(&x->w, BZ_V("software"));
    bz_jw_str(&x->w, BZ_V("simpleLicensing"));
    if (conforms_ai(inv))
        bz_jw_str(&x->w, BZ_V("ai"));
    bz_jw_end(&x->w);
    bz_jw_key(&x->w, "rootElement");
    bz_jw_arr(&x->w);
    put_id(x, "sbom", 0);
    bz_jw_end(&x->w);
    bz_jw_end(&x->w);
    begin(x, "software_Sbom", "sbom", 0);
    bz_jw_kstr(&x->w, "name", head->subject);
    bz_jw_key(&x->w, "software_sbomType");
    bz_jw_arr(&x->w);
    bz_jw_str(&x->w, BZ_V("deployed"));
    bz_jw_end(&x->w);
    if (inv->n > 0) {
        put_ids(x, "rootElement", "package-", inv->n);
        put_ids(x, "element", "package-", inv->n);
    }
    bz_jw_end(&x->w);
}

void bz_sbom_spdx(const struct bz_inventory *inv, const struct bz_sbom_head *head,
                  struct bz_buf *out) {
    char mem[96];
    struct bz_buf b;
    struct writer x = {.now = head->now};
    uint64_t n = 0, files = 1;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_puts(&b, "urn:spdx.dev:bartizan-");
    bz_sbom_uuid(head->random, &b);
    bz_buf_putc(&b, ':');
    x.base = bz_buf_view(&b);
    bz_jw_init(&x.w, out);
    bz_jw_obj(&x.w);
    bz_jw_kstr(&x.w, "@context", BZ_V("https://spdx.org/rdf/3.0.1/spdx-context.jsonld"));
    bz_jw_key(&x.w, "@graph");
    bz_jw_arr(&x.w);
    put_creation(&x);
    put_document(&x, inv, head);
    for (const struct bz_component *c = inv->first; c != NULL; c = c->next) {
        put_supplier(&x, c, ++n);
        put_package(&x, c, n);
        put_licence(&x, c, n);
        uint64_t parts = put_files(&x, c, files);
        if (parts > 0)
            put_relationship(&x, "contains", "contains-", n, "file-", files, parts);
        files += parts;
    }
    bz_jw_end(&x.w);
    bz_jw_end(&x.w);
}
