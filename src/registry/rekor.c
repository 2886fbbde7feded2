/* Entries of Rekor, the transparency log of Sigstore (version 1): who signed what was public, and when. */
#include <bartizan/audit.h>
#include <bartizan/text.h>

#include "sig_int.h"

enum { PROOF_MAX = 64, NOTE_LINES_MAX = 16, NOTE_SIG_MAX = 1024 };

struct entry {
    const struct bz_json *n;
    const struct sig_envelope *env;
    struct bz_arena *ar;
    struct bz_diag *diag;
    const struct sig_log *log;
    struct bz_view body; /* decoded canonicalizedBody */
    uint64_t index, time;
};

/* ---- signed entry timestamp ---- */

/* RFC 8785: sorted members, no blanks; all four values are plain. */
static enum bz_status check_set(const struct entry *e) {
    struct bz_view sig, body = bz_json_str(bz_json_get(e->n, BZ_V("canonicalizedBody")));
    const struct bz_json *promise = bz_json_get(e->n, BZ_V("inclusionPromise"));
    struct bz_buf text;
    struct bz_jw w;
    char id[2 * BZ_HASH_LEN];
    struct bz_buf hex;
    if (sig_b64(bz_json_get(promise, BZ_V("signedEntryTimestamp")), e->ar, &sig) != BZ_OK)
        return sig_no_at(e->diag, promise, BZ_ESYNTAX,
                         "the log entry's signed timestamp is not base64");
    bz_buf_init_fixed(&hex, id, sizeof id);
    bz_buf_put_hex(&hex, bz_view(e->log->id, BZ_HASH_LEN));
    bz_buf_init(&text, body.n + 512);
    bz_jw_init(&w, &text);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "body", body);
    bz_jw_ku64(&w, "integratedTime", e->time);
    bz_jw_kstr(&w, "logID", bz_buf_view(&hex));
    bz_jw_ku64(&w, "logIndex", e->index);
    bz_jw_end(&w);
    bool good =
        bz_buf_status(&text) == BZ_OK && pki_verify_log(e->log->key, bz_buf_view(&text), sig);
    bz_buf_free(&text);
    return good ? BZ_OK
                : sig_no_at(e->diag, e->n, BZ_EDENIED,
                            "the log's signed timestamp does not fit its entry");
}

/* ---- checkpoint: a signed note over size and root ---- */

static struct bz_view line_of(struct bz_view *rest) {
    const uint8_t *nl = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
    if (nl == NULL)
        return bz_view(NULL, 0);
    struct bz_view l = bz_view(rest->p, (size_t)(nl - rest->p));
    *rest = bz_view_sub(*rest, l.n + 1, rest->n);
    return bz_view(l.p == NULL ? rest->p : l.p, l.n);
}

/* "— name base64(4 bytes of the log's id, signature)" */
static bool note_line_good(struct bz_view l, const struct sig_log *log, struct bz_view text) {
    static const char dash[] = "\xe2\x80\x94 ";
    uint8_t mem[NOTE_SIG_MAX];
    size_t n = 0;
    if (!bz_view_starts(l, BZ_V("\xe2\x80\x94 ")))
        return false;
    l = bz_view_sub(l, sizeof dash - 1, l.n);
    const uint8_t *space = l.n == 0 ? NULL : memchr(l.p, ' ', l.n);
    if (space == NULL)
        return false;
    struct bz_view b64 = bz_view_sub(l, (size_t)(space - l.p) + 1, l.n);
    return bz_b64_decode(b64, mem, sizeof mem, &n) == BZ_OK && n > 4 &&
           bz_view_eq(bz_view(mem, 4), bz_view(log->id, 4)) &&
           pki_verify_log(log->key, text, bz_view(mem + 4, n - 4));
}

static enum bz_status check_note(const struct entry *e, struct bz_view note, uint64_t size,
                                 const struct bz_hash *root) {
    struct bz_view rest = note;
    struct bz_view origin = line_of(&rest), count = line_of(&rest), hash = line_of(&rest);
    uint64_t said = 0;
    struct bz_hash h;
    size_t n = 0;
    if (origin.n == 0 || bz_view_u64(count, &said) != BZ_OK ||
        bz_b64_decode(hash, h.b, sizeof h.b, &n) != BZ_OK || n != sizeof h.b)
        return sig_no_at(e->diag, e->n, BZ_ESYNTAX, "the log's checkpoint is malformed");
    if (said != size || !bz_ct_equal(bz_view(h.b, sizeof h.b), bz_view(root->b, sizeof root->b)))
        return sig_no_at(e->diag, e->n, BZ_EDENIED,
                         "the log's checkpoint is about another tree than the inclusion proof");
    for (struct bz_view ext = line_of(&rest); ext.n > 0; ext = line_of(&rest)) /* other lines */
        ;
    /* The text ends with the line feed before the empty line. */
    struct bz_view text = bz_view_sub(note, 0, (size_t)(rest.p - note.p) - 1);
    for (size_t i = 0; i < NOTE_LINES_MAX && rest.n > 0; i++) {
        struct bz_view l = line_of(&rest);
        if (l.p == NULL)
            break;
        if (note_line_good(l, e->log, text))
            return BZ_OK;
    }
    return sig_no_at(e->diag, e->n, BZ_EDENIED, "the log's checkpoint is not signed by the log");
}

/* ---- inclusion ---- */

static enum bz_status check_inclusion(const struct entry *e, const struct bz_json *p) {
    const struct bz_json *list = bz_json_get(p, BZ_V("hashes"));
    struct bz_hash proof[PROOF_MAX], leaf, root;
    uint64_t index = 0, size = 0;
    size_t n = 0;
    if (!sig_u64(bz_json_get(p, BZ_V("logIndex")), &index) ||
        !sig_u64(bz_json_get(p, BZ_V("treeSize")), &size) ||
        !sig_b64_exact(bz_json_get(p, BZ_V("rootHash")), root.b, sizeof root.b) ||
        (list != NULL && (!bz_json_is(list, BZ_JSON_ARRAY) || list->count > PROOF_MAX)))
        return sig_no_at(e->diag, p, BZ_ESYNTAX, "the log's inclusion proof is malformed");
    for (const struct bz_json *h = list == NULL ? NULL : list->first; h != NULL; h = h->next) {
        if (!sig_b64_exact(h, proof[n++].b, BZ_HASH_LEN))
            return sig_no_at(e->diag, h, BZ_ESYNTAX, "the log's inclusion proof is malformed");
    }
    bz_leaf_hash(e->body, &leaf);
    if (!bz_proof_inclusion_check(index, size, &leaf, proof, n, &root))
        return sig_no_at(e->diag, p, BZ_EDENIED, "the log's inclusion proof does not hold");
    struct bz_view note =
        bz_json_str(bz_json_get(bz_json_get(p, BZ_V("checkpoint")), BZ_V("envelope")));
    if (note.n == 0)
        return sig_no_at(e->diag, p, BZ_EDENIED, "the log's inclusion proof has no checkpoint");
    return check_note(e, note, size, &root);
}

/* ---- what the entry is about ---- */

static bool hash_is(const struct bz_json *n, struct bz_view data) {
    uint8_t said[BZ_HASH_LEN], real[BZ_HASH_LEN];
    size_t len = 0;
    bz_sha256(data, real);
    return bz_view_eq(bz_json_str(bz_json_get(n, BZ_V("algorithm"))), BZ_V("sha256")) &&
           bz_hex_decode(bz_json_str(bz_json_get(n, BZ_V("value"))), said, sizeof said, &len) ==
               BZ_OK &&
           len == sizeof said && bz_ct_equal(bz_view(said, len), bz_view(real, len));
}

/* The verifier is the leaf as PEM: compared as DER, since PEM has many spellings. */
static bool is_leaf(const struct entry *e, const struct bz_json *verifier,
                    const struct pki_certs *certs) {
    struct bz_view pem;
    struct pki_certs *other = pki_certs_new();
    struct bz_buf a, b;
    bz_buf_init(&a, 1 << 20);
    bz_buf_init(&b, 1 << 20);
    bool same = other != NULL && sig_b64(verifier, e->ar, &pem) == BZ_OK &&
                pki_certs_add_pem(other, pem) == BZ_OK && pki_certs_n(other) == 1 &&
                pki_cert_put_der(other, 0, &a) == BZ_OK &&
                pki_cert_put_der(certs, 0, &b) == BZ_OK &&
                bz_view_eq(bz_buf_view(&a), bz_buf_view(&b));
    bz_buf_free(&a);
    bz_buf_free(&b);
    pki_certs_free(other);
    return same;
}

/* Without these an entry about something else, valid in itself, would do. */
static enum bz_status check_body(const struct entry *e, const struct pki_certs *certs) {
    const struct bz_json *root = NULL;
    struct bz_view sig;
    if (sig_json(e->body, e->ar, &root, e->diag) != BZ_OK)
        return sig_no_at(e->diag, e->n, BZ_ESYNTAX, "the log entry's body is malformed");
    const struct bz_json *spec = bz_json_get(root, BZ_V("spec"));
    const struct bz_json *list = bz_json_get(spec, BZ_V("signatures"));
    if (!bz_view_eq(bz_json_str(bz_json_get(root, BZ_V("kind"))), BZ_V("dsse")) ||
        !bz_view_eq(bz_json_str(bz_json_get(root, BZ_V("apiVersion"))), BZ_V("0.0.1")))
        return sig_no_at(e->diag, e->n, BZ_EVERSION, "the log entry is not of kind dsse 0.0.1");
    if (!hash_is(bz_json_get(spec, BZ_V("payloadHash")), e->env->payload))
        return sig_no_at(e->diag, e->n, BZ_EDENIED, "the log entry is about another payload");
    if (!bz_json_is(list, BZ_JSON_ARRAY) || list->count != 1 ||
        sig_b64(bz_json_get(list->first, BZ_V("signature")), e->ar, &sig) != BZ_OK ||
        !bz_view_eq(sig, e->env->sig))
        return sig_no_at(e->diag, e->n, BZ_EDENIED, "the log entry is about another signature");
    if (!is_leaf(e, bz_json_get(list->first, BZ_V("verifier")), certs))
        return sig_no_at(e->diag, e->n, BZ_EDENIED, "the log entry is about another signer");
    return BZ_OK;
}

enum bz_status sig_entry(const struct bz_json *entry, const struct sig_envelope *env,
                         const struct pki_certs *certs, const struct sig_root *root,
                         struct bz_arena *ar, uint64_t *ret_time, uint64_t *ret_index,
                         struct bz_diag *diag) {
    struct entry e = {.n = entry, .env = env, .ar = ar, .diag = diag};
    const struct bz_json *time = bz_json_get(entry, BZ_V("integratedTime"));
    const struct bz_json *proof = bz_json_get(entry, BZ_V("inclusionProof"));
    uint8_t id[BZ_HASH_LEN];
    if (!sig_u64(bz_json_get(entry, BZ_V("logIndex")), &e.index) ||
        (time != NULL && !sig_u64(time, &e.time)) ||
        !sig_b64_exact(bz_json_get(bz_json_get(entry, BZ_V("logId")), BZ_V("keyId")), id,
                       sizeof id) ||
        sig_b64(bz_json_get(entry, BZ_V("canonicalizedBody")), ar, &e.body) != BZ_OK)
        return sig_no_at(diag, entry, BZ_ESYNTAX, "a log entry is malformed");
    if (bz_json_get(entry, BZ_V("inclusionPromise")) == NULL || e.time == 0)
        return sig_no_at(diag, entry, BZ_EVERSION,
                         "the log entry has no signed timestamp: entries of Rekor 2 are not known");
    e.log = sig_log_find(root->tlog, root->tlog_n, id, e.time);
    if (e.log == NULL)
        return sig_no_at(diag, entry, BZ_EDENIED,
                         "the log is none of the trusted root's, or was not at that time");
    BZ_TRY(check_set(&e));
    if (proof == NULL)
        return sig_no_at(diag, entry, BZ_EDENIED, "the log entry has no inclusion proof");
    BZ_TRY(check_inclusion(&e, proof));
    BZ_TRY(check_body(&e, certs));
    *ret_time = e.time;
    *ret_index = e.index;
    return BZ_OK;
}
