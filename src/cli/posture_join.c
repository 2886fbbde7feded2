/* What the auditor asks of rooms it does not know: what a model file is (artifact), what the registry approved and which keys there are (a running instance's admin socket, GET alone),
 * whether a manifest is signed (the instance's audit key). */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <bartizan/artifact.h>
#include <bartizan/text.h>

#include "admin_client.h"
#include "cmd_posture.h"

enum { CALL_MS = 400, SCAN_ARENA = 24 << 20, MODELS_MAX = 64 };

/* ---- models ---- */

static enum bz_status file_pread(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    const int *fd = ctx;
    *ret_n = 0;
    while (*ret_n < n && off <= INT64_MAX - n) {
        ssize_t got = pread(*fd, (uint8_t *)buf + *ret_n, n - *ret_n, (off_t)(off + *ret_n));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return BZ_EIO;
        if (got == 0)
            break;
        *ret_n += (size_t)got;
    }
    return BZ_OK;
}

static void metadata(void *ctx, struct bz_view key, struct bz_view value) {
    if (bz_view_eq(key, BZ_V("general.license")))
        bz_buf_put(ctx, bz_view_sub(value, 0, 200));
}

static enum bz_status model_check(void *ctx, int fd, uint64_t size, struct bz_view name,
                                  struct bz_buf *why, struct bz_buf *licence) {
    struct bz_arena ar;
    struct bz_scan_result r;
    const struct bz_facts facts = {.ctx = licence, .metadata = metadata};
    const struct bz_source src = {file_pread, &fd, size};
    struct bz_scan_options o = {.fail_on = BZ_SEVERITY_HIGH, .facts = &facts};
    o.caps.memory = SCAN_ARENA;
    (void)ctx;
    bz_arena_init(&ar, bz_alloc_heap, SCAN_ARENA, NULL, 0);
    enum bz_status st = bz_scan(&ar, &src, name, &o, &r);
    for (size_t i = 0; st == BZ_OK && i < r.findings_n; i++) {
        const struct bz_rule *rule = r.findings[i].rule;
        bool bad = rule->kind == BZ_RULE_MALFORMED ||
                   (rule->kind == BZ_RULE_MALICIOUS && rule->severity >= BZ_SEVERITY_HIGH);
        if (!bad)
            continue;
        bz_buf_printf(why, "%s %s", rule->id, rule->title);
        st = BZ_ECORRUPT;
    }
    if (st == BZ_OK && r.verdict == BZ_SCAN_UNCHECKED)
        st = BZ_EUNAVAIL;
    bz_arena_free(&ar);
    return st;
}

/* ---- the running instance ---- */

static bool file_has(const struct bz_json *manifest, const uint8_t sha256[32]) {
    const struct bz_json *files = bz_json_get(manifest, BZ_V("files"));
    for (const struct bz_json *f = bz_json_is(files, BZ_JSON_ARRAY) ? files->first : NULL;
         f != NULL; f = f->next) {
        uint8_t one[32];
        size_t n = 0;
        if (bz_hex_decode(bz_json_str(bz_json_get(f, BZ_V("sha256"))), one, sizeof one, &n) ==
                BZ_OK &&
            n == sizeof one && bz_ct_equal(bz_view(one, n), bz_view(sha256, sizeof one)))
            return true;
    }
    return false;
}

static bool model_has(const struct bz_instance *in, struct bz_view id, const uint8_t sha256[32]) {
    char path[128];
    struct bz_answer_json a;
    if (id.n == 0 || id.n > 64)
        return false;
    (void)snprintf(path, sizeof path, "/v1/registry/%.*s", (int)id.n, (const char *)id.p);
    bool hit = bz_admin_name_ok(path + sizeof "/v1/registry") &&
               bz_admin_call(in, "GET", path, bz_view(NULL, 0), CALL_MS, &a) == BZ_OK &&
               a.status == 200 && file_has(bz_json_get(a.root, BZ_V("manifest")), sha256);
    bz_answer_done(&a);
    return hit;
}

static enum bz_status model_approved(void *ctx, const uint8_t sha256[32], bool *ret) {
    const struct bz_instance *in = ctx;
    struct bz_answer_json a;
    if (in == NULL)
        return BZ_EUNAVAIL;
    enum bz_status st = bz_admin_call(in, "GET", "/v1/registry", bz_view(NULL, 0), CALL_MS, &a);
    if (st == BZ_OK && a.status != 200)
        st = BZ_EUNAVAIL;
    *ret = false;
    const struct bz_json *l = st == BZ_OK ? bz_json_get(a.root, BZ_V("models")) : NULL;
    size_t n = 0;
    for (const struct bz_json *m = l == NULL ? NULL : l->first;
         m != NULL && !*ret && n < MODELS_MAX; m = m->next) {
        if (!bz_view_eq(bz_json_str(bz_json_get(m, BZ_V("state"))), BZ_V("approved")))
            continue;
        n++;
        *ret = model_has(in, bz_json_str(bz_json_get(m, BZ_V("id"))), sha256);
    }
    bz_answer_done(&a);
    return st;
}

static int64_t number(const struct bz_json *o, struct bz_view key) {
    int64_t n = 0;
    return bz_json_i64(bz_json_get(o, key), &n) == BZ_OK ? n : 0;
}

static bool keys(void *ctx, uint64_t *ret_n, uint64_t *ret_forever, uint64_t *ret_oldest) {
    const struct bz_instance *in = ctx;
    struct bz_answer_json a;
    int64_t now = (int64_t)time(NULL);
    if (in == NULL)
        return false;
    bool good = bz_admin_call(in, "GET", "/v1/keys", bz_view(NULL, 0), CALL_MS, &a) == BZ_OK &&
                a.status == 200;
    const struct bz_json *l = good ? bz_json_get(a.root, BZ_V("keys")) : NULL;
    *ret_n = *ret_forever = *ret_oldest = 0;
    for (const struct bz_json *k = l == NULL ? NULL : l->first; k != NULL; k = k->next) {
        int64_t created = number(k, BZ_V("created")), expires = number(k, BZ_V("expires"));
        if (bz_json_is(bz_json_get(k, BZ_V("revoked")), BZ_JSON_TRUE) ||
            (expires > 0 && expires <= now))
            continue;
        ++*ret_n;
        *ret_forever += expires == 0;
        if (created > 0 && now > created && (uint64_t)(now - created) > *ret_oldest)
            *ret_oldest = (uint64_t)(now - created);
    }
    bz_answer_done(&a);
    return good;
}

/* ---- manifest ---- */

static bool manifest(void *ctx, const char *instance, bool *ret_sealed) {
    const struct bz_instance *in = ctx;
    struct bz_buf text, sig, key;
    if (in == NULL || strcmp(instance, in->path) != 0)
        return false;
    bz_buf_init(&text, 1 << 20);
    bz_buf_init(&sig, 4096);
    bz_buf_init(&key, 4096);
    bool have = bz_file_read(in->fd, BZ_POSTURE_MANIFEST, &text) == BZ_OK &&
                bz_file_read(in->fd, BZ_F_AUDIT_KEY, &key) == BZ_OK && key.n == BZ_SIGN_SECRET_LEN;
    *ret_sealed =
        have && bz_file_read(in->fd, BZ_POSTURE_SIGNATURE, &sig) == BZ_OK && sig.n == BZ_SIGN_LEN &&
        /* the second half of an Ed25519 secret is its public key */
        bz_sign_check(key.p + BZ_SIGN_SECRET_LEN - BZ_SIGN_PUBLIC_LEN, bz_buf_view(&text), sig.p);
    bz_buf_free(&text);
    bz_buf_free(&sig);
    bz_buf_wipe_free(&key);
    return have;
}

void bz_posture_join(struct bz_posture_hooks *h, struct bz_instance *in) {
    *h = (struct bz_posture_hooks){.version_cmp = bz_posture_version_cmp,
                                   .model_check = model_check,
                                   .model_approved = model_approved,
                                   .keys = keys,
                                   .manifest = manifest,
                                   .ctx = in};
}
