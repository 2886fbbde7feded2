/* Manifests: one canonical JSON text per version of a model. Its SHA-256 is the version's name. */
#include <bartizan/registry.h>
#include <bartizan/text.h>

#include "sig_int.h"

enum { TEXT_MAX = 1024 };

static const char *const verdicts[BZ_MANIFEST_VERDICT_COUNT] = {"clean", "unchecked", "findings"};
static const char *const states[BZ_MODEL_STATE_COUNT] = {"quarantined", "pending", "approved",
                                                         "rejected", "retired"};

const char *bz_manifest_verdict_name(enum bz_manifest_verdict v) {
    return (unsigned)v < BZ_MANIFEST_VERDICT_COUNT ? verdicts[v] : "unchecked";
}

const char *bz_model_state_name(enum bz_model_state s) {
    return (unsigned)s < BZ_MODEL_STATE_COUNT ? states[s] : "quarantined";
}

bool bz_model_state_of(struct bz_view text, enum bz_model_state *ret) {
    for (unsigned i = 0; i < BZ_MODEL_STATE_COUNT; i++) {
        if (bz_view_eq(text, bz_view_str(states[i]))) {
            *ret = (enum bz_model_state)i;
            return true;
        }
    }
    return false;
}

bool bz_registry_name_ok(struct bz_view name) {
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (i == 0 || (c != '.' && c != '_' && c != '-')))
            return false;
    }
    return name.n > 0 && name.n <= 64;
}

/* ---- bill of materials ---- */

uint32_t bz_manifest_missing(const struct bz_manifest *m) {
    const struct bz_component c = {.kind = BZ_COMPONENT_MODEL,
                                   .name = m->name,
                                   .version = m->model_version,
                                   .supplier = m->supplier,
                                   .licence = m->licence,
                                   .origin = m->source,
                                   .released = m->released,
                                   .has_sha256 = m->files_n > 0};
    return bz_sbom_missing(&c);
}

/* ---- rules ---- */

enum bz_model_state bz_model_state_first(const struct bz_manifest *m) {
    return m->verdict == BZ_MANIFEST_CLEAN ? BZ_MODEL_PENDING : BZ_MODEL_QUARANTINED;
}

static enum bz_status no(const char **ret, const char *why) {
    *ret = why;
    return BZ_EDENIED;
}

/* "uid 0" and "user ann" may be one person: only persons of one kind can be told apart. */
static bool same_kind(struct bz_view a, struct bz_view b) {
    return bz_view_starts(a, BZ_V("user ")) == bz_view_starts(b, BZ_V("user "));
}

enum bz_status bz_model_may_approve(const struct bz_approval_wish *w, const char **ret_why) {
    if (w->state == BZ_MODEL_APPROVED)
        return no(ret_why, "it is approved already");
    if (w->state != BZ_MODEL_PENDING && w->state != BZ_MODEL_QUARANTINED)
        return no(ret_why, "it was rejected or retired: add it again");
    if (w->manifest->malicious)
        return no(ret_why, "the scanner found something malicious in it: it cannot be approved");
    if (w->manifest->verdict != BZ_MANIFEST_CLEAN && !w->accepted)
        return no(ret_why, "the scan was not clean: read 'bartizan model show', and if that is "
                           "acceptable say why with --accept REASON");
    const uint32_t unknown = ~((1u << BZ_SBOM_FIELD_COUNT) - 1);
    if (((bz_manifest_missing(w->manifest) | unknown) & w->required) != 0)
        return no(ret_why, "its bill of materials leaves out what registry.require asks for");
    if (w->two_persons && !same_kind(w->added_by, w->by))
        return no(ret_why, "whether these are two persons cannot be told: both must be named by "
                           "their key (--as-key FILE), or both by their account");
    if (w->two_persons && bz_view_eq_nocase(w->added_by, w->by))
        return no(ret_why, "two persons are needed: whoever added it cannot approve it");
    return BZ_OK;
}

/* ---- writing ---- */

static void put_hex(struct bz_jw *w, const char *key, const uint8_t h[BZ_HASH_LEN]) {
    char mem[2 * BZ_HASH_LEN];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put_hex(&b, bz_view(h, BZ_HASH_LEN));
    bz_jw_kstr(w, key, bz_buf_view(&b));
}

/* What is not said has no member: manifests from before there were such stay as they are. */
static void put_said(struct bz_jw *w, const struct bz_manifest *m) {
    const struct {
        const char *key;
        struct bz_view v;
    } said[] = {{"model_version", m->model_version},
                {"supplier", m->supplier},
                {"released", m->released},
                {"base_model", m->base_model}};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        if (said[i].v.n > 0)
            bz_jw_kstr(w, said[i].key, said[i].v);
    }
}

static void put_files(struct bz_jw *w, const struct bz_manifest *m) {
    bz_jw_key(w, "files");
    bz_jw_arr(w);
    for (size_t i = 0; i < m->files_n; i++) {
        bz_jw_obj(w);
        bz_jw_kstr(w, "name", m->files[i].name);
        bz_jw_ku64(w, "size", m->files[i].size);
        put_hex(w, "sha256", m->files[i].sha256);
        bz_jw_kstr(w, "format", m->files[i].format);
        bz_jw_end(w);
    }
    bz_jw_end(w);
}

static void put_tensors(struct bz_jw *w, const struct bz_manifest *m) {
    bz_jw_key(w, "tensors");
    bz_jw_arr(w);
    for (size_t i = 0; i < m->tensors_n; i++) {
        const struct bz_manifest_tensor *t = &m->tensors[i];
        bz_jw_obj(w);
        bz_jw_ku64(w, "file", t->file);
        bz_jw_kstr(w, "name", t->name);
        bz_jw_kstr(w, "type", t->type);
        bz_jw_ku64(w, "offset", t->offset);
        bz_jw_ku64(w, "size", t->size);
        put_hex(w, "sha256", t->sha256);
        bz_jw_end(w);
    }
    bz_jw_end(w);
    bz_jw_key(w, "templates");
    bz_jw_arr(w);
    for (size_t i = 0; i < m->templates_n; i++) {
        bz_jw_obj(w);
        bz_jw_ku64(w, "file", m->templates[i].file);
        bz_jw_kstr(w, "name", m->templates[i].name);
        put_hex(w, "sha256", m->templates[i].sha256);
        bz_jw_end(w);
    }
    bz_jw_end(w);
}

static void put_scan(struct bz_jw *w, const struct bz_manifest *m) {
    bz_jw_key(w, "scan");
    bz_jw_obj(w);
    bz_jw_kstr(w, "scanner", BZ_V("bartizan " BZ_VERSION));
    bz_jw_kstr(w, "verdict", bz_view_str(bz_manifest_verdict_name(m->verdict)));
    bz_jw_kbool(w, "malicious", m->malicious);
    bz_jw_key(w, "findings");
    bz_jw_arr(w);
    for (size_t i = 0; i < m->findings_n; i++) {
        const struct bz_manifest_finding *f = &m->findings[i];
        bz_jw_obj(w);
        bz_jw_kstr(w, "rule", f->rule);
        bz_jw_kstr(w, "severity", f->severity);
        bz_jw_kstr(w, "file", f->file);
        bz_jw_kstr(w, "place", f->place);
        bz_jw_ku64(w, "offset", f->offset);
        bz_jw_end(w);
    }
    bz_jw_end(w);
    bz_jw_ku64(w, "more", m->findings_more);
    bz_jw_end(w);
}

static void sum_up(const struct bz_manifest *m, uint8_t root[BZ_HASH_LEN], uint64_t *bytes) {
    struct bz_sha256 h;
    bz_sha256_init(&h);
    *bytes = 0;
    for (size_t i = 0; i < m->files_n; i++) {
        bz_sha256_add(&h, bz_view(m->files[i].sha256, BZ_HASH_LEN));
        *bytes += m->files[i].size;
    }
    bz_sha256_end(&h, root);
}

enum bz_status bz_manifest_write(struct bz_manifest *m, struct bz_buf *out) {
    struct bz_jw w;
    sum_up(m, m->root, &m->bytes);
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "version", 1);
    bz_jw_kstr(&w, "name", m->name);
    bz_jw_kstr(&w, "source", m->source);
    bz_jw_kstr(&w, "licence", m->licence);
    bz_jw_kstr(&w, "file_licence", m->file_licence);
    bz_jw_kstr(&w, "publisher", m->publisher);
    put_said(&w, m);
    put_hex(&w, "root", m->root);
    bz_jw_ku64(&w, "bytes", m->bytes);
    put_files(&w, m);
    put_tensors(&w, m);
    put_scan(&w, m);
    bz_jw_end(&w);
    return bz_buf_status(out);
}

/* ---- reading ---- */

struct reading {
    struct bz_arena *ar;
    struct bz_manifest *m;
    struct bz_diag *diag;
};

static bool take_text(const struct bz_json *o, struct bz_view key, struct bz_view *ret) {
    *ret = bz_json_str(bz_json_get(o, key));
    return ret->p != NULL && ret->n <= TEXT_MAX;
}

/* Empty where there is none. */
static bool take_said(const struct bz_json *o, struct bz_view key, struct bz_view *ret) {
    *ret = (struct bz_view){0};
    return bz_json_get(o, key) == NULL || (take_text(o, key, ret) && ret->n > 0);
}

static bool take_hash(const struct bz_json *o, struct bz_view key, uint8_t out[BZ_HASH_LEN]) {
    size_t n = 0;
    return bz_hex_decode(bz_json_str(bz_json_get(o, key)), out, BZ_HASH_LEN, &n) == BZ_OK &&
           n == BZ_HASH_LEN;
}

static bool take_number(const struct bz_json *o, struct bz_view key, uint64_t *ret) {
    int64_t v = 0;
    if (bz_json_i64(bz_json_get(o, key), &v) != BZ_OK || v < 0)
        return false;
    *ret = (uint64_t)v;
    return true;
}

static bool take_file(const struct reading *r, const struct bz_json *o, uint32_t *ret) {
    uint64_t v = 0;
    if (!take_number(o, BZ_V("file"), &v) || v >= r->m->files_n)
        return false;
    *ret = (uint32_t)v;
    return true;
}

/* Room for all children of a list, or an error. */
static enum bz_status room(const struct reading *r, const struct bz_json *list, size_t size,
                           void **ret, size_t *ret_n) {
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return sig_no_at(r->diag, list, BZ_ESYNTAX, "manifest: a list is missing");
    *ret = bz_arena_zalloc(r->ar, list->count * size);
    *ret_n = list->count;
    return *ret == NULL ? sig_no(r->diag, BZ_ENOMEM, "out of memory") : BZ_OK;
}

static enum bz_status read_files(const struct reading *r, const struct bz_json *list) {
    void *mem = NULL;
    size_t n = 0, i = 0;
    BZ_TRY(room(r, list, sizeof(struct bz_manifest_file), &mem, &n));
    struct bz_manifest_file *v = mem;
    for (const struct bz_json *o = list->first; o != NULL; o = o->next, i++) {
        struct bz_manifest_file *f = &v[i];
        if (!take_text(o, BZ_V("name"), &f->name) || !bz_model_name_in_ok(f->name) ||
            !take_text(o, BZ_V("format"), &f->format) || !take_number(o, BZ_V("size"), &f->size) ||
            !take_hash(o, BZ_V("sha256"), f->sha256))
            return sig_no_at(r->diag, o, BZ_ESYNTAX, "manifest: a file is malformed");
        if (i > 0 && bz_model_name_cmp(v[i - 1].name, f->name) >= 0)
            return sig_no_at(r->diag, o, BZ_ESYNTAX, "manifest: files are out of order or twice");
    }
    if (n == 0 || n > BZ_MODEL_FILES_MAX || (n > 1 && bz_view_eq(v[0].name, BZ_V("."))))
        return sig_no_at(r->diag, list, BZ_ESYNTAX, "manifest: no files, or too many");
    r->m->files = v;
    r->m->files_n = n;
    return BZ_OK;
}

static enum bz_status read_tensors(const struct reading *r, const struct bz_json *list) {
    void *mem = NULL;
    size_t n = 0, i = 0;
    BZ_TRY(room(r, list, sizeof(struct bz_manifest_tensor), &mem, &n));
    struct bz_manifest_tensor *v = mem;
    for (const struct bz_json *o = list->first; o != NULL; o = o->next, i++) {
        struct bz_manifest_tensor *t = &v[i];
        if (!take_file(r, o, &t->file) || !take_text(o, BZ_V("name"), &t->name) ||
            !take_text(o, BZ_V("type"), &t->type) || !take_number(o, BZ_V("offset"), &t->offset) ||
            !take_number(o, BZ_V("size"), &t->size) || !take_hash(o, BZ_V("sha256"), t->sha256))
            return sig_no_at(r->diag, o, BZ_ESYNTAX, "manifest: a tensor is malformed");
        uint64_t size = r->m->files[t->file].size;
        if (t->offset > size || t->size > size - t->offset)
            return sig_no_at(r->diag, o, BZ_ESYNTAX, "manifest: a tensor leaves its file");
    }
    r->m->tensors = v;
    r->m->tensors_n = n;
    return BZ_OK;
}

static enum bz_status read_templates(const struct reading *r, const struct bz_json *list) {
    void *mem = NULL;
    size_t n = 0, i = 0;
    BZ_TRY(room(r, list, sizeof(struct bz_manifest_template), &mem, &n));
    struct bz_manifest_template *v = mem;
    for (const struct bz_json *o = list->first; o != NULL; o = o->next, i++) {
        if (!take_file(r, o, &v[i].file) || !take_text(o, BZ_V("name"), &v[i].name) ||
            !take_hash(o, BZ_V("sha256"), v[i].sha256))
            return sig_no_at(r->diag, o, BZ_ESYNTAX, "manifest: a template is malformed");
    }
    r->m->templates = v;
    r->m->templates_n = n;
    return BZ_OK;
}

static enum bz_status read_findings(const struct reading *r, const struct bz_json *list) {
    void *mem = NULL;
    size_t n = 0, i = 0;
    BZ_TRY(room(r, list, sizeof(struct bz_manifest_finding), &mem, &n));
    struct bz_manifest_finding *v = mem;
    for (const struct bz_json *o = list->first; o != NULL; o = o->next, i++) {
        if (!take_text(o, BZ_V("rule"), &v[i].rule) ||
            !take_text(o, BZ_V("severity"), &v[i].severity) ||
            !take_text(o, BZ_V("file"), &v[i].file) || !take_text(o, BZ_V("place"), &v[i].place) ||
            !take_number(o, BZ_V("offset"), &v[i].offset))
            return sig_no_at(r->diag, o, BZ_ESYNTAX, "manifest: a finding is malformed");
    }
    r->m->findings = v;
    r->m->findings_n = n;
    return BZ_OK;
}

static enum bz_status read_scan(const struct reading *r, const struct bz_json *o) {
    struct bz_view verdict = bz_json_str(bz_json_get(o, BZ_V("verdict")));
    const struct bz_json *bad = bz_json_get(o, BZ_V("malicious"));
    r->m->verdict = BZ_MANIFEST_VERDICT_COUNT;
    for (unsigned i = 0; i < BZ_MANIFEST_VERDICT_COUNT; i++) {
        if (bz_view_eq(verdict, bz_view_str(verdicts[i])))
            r->m->verdict = (enum bz_manifest_verdict)i;
    }
    r->m->malicious = !bz_json_is(bad, BZ_JSON_FALSE);
    if (r->m->verdict == BZ_MANIFEST_VERDICT_COUNT ||
        (r->m->malicious && !bz_json_is(bad, BZ_JSON_TRUE)) ||
        !take_number(o, BZ_V("more"), &r->m->findings_more))
        return sig_no_at(r->diag, o, BZ_ESYNTAX, "manifest: the scan's result is malformed");
    return read_findings(r, bz_json_get(o, BZ_V("findings")));
}

static enum bz_status read_head(const struct reading *r, const struct bz_json *root) {
    struct bz_manifest *m = r->m;
    uint64_t version = 0;
    if (!take_number(root, BZ_V("version"), &version) || version != 1)
        return sig_no(r->diag, BZ_EVERSION, "manifest: not of version 1");
    if (!take_text(root, BZ_V("name"), &m->name) || !bz_registry_name_ok(m->name))
        return sig_no(r->diag, BZ_ESYNTAX,
                      "a model's name has 1 to 64 characters: a-z, 0-9, and after the first . _ -");
    if (!take_text(root, BZ_V("source"), &m->source) || m->source.n == 0 ||
        !take_text(root, BZ_V("licence"), &m->licence) ||
        !take_text(root, BZ_V("file_licence"), &m->file_licence) ||
        !take_text(root, BZ_V("publisher"), &m->publisher))
        return sig_no(r->diag, BZ_ESYNTAX, "manifest: source, licence or publisher is malformed");
    if (!bz_licence_is_expression(m->licence))
        return sig_no(r->diag, BZ_ESYNTAX, "manifest: the licence is no SPDX expression");
    if (!take_said(root, BZ_V("model_version"), &m->model_version) ||
        !take_said(root, BZ_V("supplier"), &m->supplier) ||
        !take_said(root, BZ_V("base_model"), &m->base_model) ||
        !take_said(root, BZ_V("released"), &m->released) ||
        (m->released.n > 0 && !bz_sbom_is_time(m->released)))
        return sig_no(r->diag, BZ_ESYNTAX,
                      "manifest: model_version, supplier, base_model or released is malformed");
    return BZ_OK;
}

enum bz_status bz_manifest_parse(struct bz_view text, struct bz_arena *ar, struct bz_manifest *ret,
                                 struct bz_diag *diag) {
    const struct bz_json *root = NULL;
    struct bz_manifest m = {.files_n = 0};
    const struct reading r = {ar, &m, diag};
    uint8_t said[BZ_HASH_LEN], real[BZ_HASH_LEN];
    uint64_t bytes = 0;
    BZ_TRY(sig_json(text, ar, &root, diag));
    BZ_TRY(read_head(&r, root));
    BZ_TRY(read_files(&r, bz_json_get(root, BZ_V("files"))));
    BZ_TRY(read_tensors(&r, bz_json_get(root, BZ_V("tensors"))));
    BZ_TRY(read_templates(&r, bz_json_get(root, BZ_V("templates"))));
    BZ_TRY(read_scan(&r, bz_json_get(root, BZ_V("scan"))));
    sum_up(&m, real, &m.bytes);
    if (!take_hash(root, BZ_V("root"), said) ||
        !bz_ct_equal(bz_view(said, sizeof said), bz_view(real, sizeof real)) ||
        !take_number(root, BZ_V("bytes"), &bytes) || bytes != m.bytes)
        return sig_no(diag, BZ_ESYNTAX, "manifest: root or size is not that of the files");
    memcpy(m.root, real, sizeof m.root);
    *ret = m;
    return BZ_OK;
}
