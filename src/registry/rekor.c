/* Entries of Rekor, the transparency log of Sigstore: that a signature was public, and when.
 *
 * Version 1 signs a promise over entry and time. Version 2 is a log of tiles and signs its checkpoints
 * alone: what is left is the proof that the entry is in the tree and the checkpoint over that tree, and
 * the time comes from timestamps (RFC 3161) beside it.
 * Sources: sigstore/rekor-tiles, "CLIENTS.md"; C2SP, "tlog-checkpoint" and "signed-note". */
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

/* C2SP binds a key to the name that it signs under, by an id over both; the older logs of Sigstore have
 * the hash of the key alone as their id, and names of their own. */
static bool name_good(struct bz_view name, struct bz_view origin, const struct sig_log *log) {
    uint8_t id[BZ_HASH_LEN];
    if (pki_key_id(log->key, id) == BZ_OK &&
        bz_ct_equal(bz_view(id, sizeof id), bz_view(log->id, sizeof log->id)))
        return true;
    return bz_view_eq(name, origin) && pki_key_note_id(log->key, origin, id) == BZ_OK &&
           bz_ct_equal(bz_view(id, sizeof id), bz_view(log->id, sizeof log->id));
}

/* "— name base64(4 bytes of the log's id, signature)" */
static bool note_line_good(struct bz_view l, struct bz_view origin, const struct sig_log *log,
                           struct bz_view text) {
    static const char dash[] = "\xe2\x80\x94 ";
    uint8_t mem[NOTE_SIG_MAX];
    size_t n = 0;
    if (!bz_view_starts(l, BZ_V("\xe2\x80\x94 ")))
        return false;
    l = bz_view_sub(l, sizeof dash - 1, l.n);
    const uint8_t *space = l.n == 0 ? NULL : memchr(l.p, ' ', l.n);
    if (space == NULL)
        return false;
    struct bz_view name = bz_view(l.p, (size_t)(space - l.p));
    struct bz_view b64 = bz_view_sub(l, name.n + 1, l.n);
    return bz_b64_decode(b64, mem, sizeof mem, &n) == BZ_OK && n > 4 &&
           bz_view_eq(bz_view(mem, 4), bz_view(log->id, 4)) && name_good(name, origin, log) &&
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
        if (note_line_good(l, origin, e->log, text))
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

/* The same in version 2: digest in base64, verifier as DER. */
static bool digest_is(const struct bz_json *n, struct bz_view data) {
    uint8_t said[BZ_HASH_LEN], real[BZ_HASH_LEN];
    bz_sha256(data, real);
    return bz_view_eq(bz_json_str(bz_json_get(n, BZ_V("algorithm"))), BZ_V("SHA2_256")) &&
           sig_b64_exact(bz_json_get(n, BZ_V("digest")), said, sizeof said) &&
           bz_ct_equal(bz_view(said, sizeof said), bz_view(real, sizeof real));
}

static bool is_leaf_der(const struct entry *e, const struct bz_json *verifier,
                        const struct pki_certs *certs) {
    const struct bz_json *cert = bz_json_get(verifier, BZ_V("x509Certificate"));
    struct bz_view der;
    struct bz_buf own;
    bz_buf_init(&own, 1 << 20);
    bool same = sig_b64(bz_json_get(cert, BZ_V("rawBytes")), e->ar, &der) == BZ_OK &&
                pki_cert_put_der(certs, 0, &own) == BZ_OK && bz_view_eq(der, bz_buf_view(&own));
    bz_buf_free(&own);
    return same;
}

struct subject { /* what an entry says it is about */
    bool payload, signer;
    const struct bz_json *signature;
};

/* Source: rekor's schema dsse 0.0.1; sigstore/rekor-tiles, DSSELogEntryV002. */
static bool read_subject(const struct entry *e, const struct bz_json *root,
                         const struct pki_certs *certs, struct subject *ret) {
    struct bz_view version = bz_json_str(bz_json_get(root, BZ_V("apiVersion")));
    const struct bz_json *spec = bz_json_get(root, BZ_V("spec"));
    bool second = bz_view_eq(version, BZ_V("0.0.2"));
    if (!bz_view_eq(bz_json_str(bz_json_get(root, BZ_V("kind"))), BZ_V("dsse")) ||
        (!second && !bz_view_eq(version, BZ_V("0.0.1"))))
        return false;
    if (second)
        spec = bz_json_get(spec, BZ_V("dsseV002"));
    const struct bz_json *list = bz_json_get(spec, BZ_V("signatures"));
    const struct bz_json *one =
        bz_json_is(list, BZ_JSON_ARRAY) && list->count == 1 ? list->first : NULL;
    const struct bz_json *verifier = bz_json_get(one, BZ_V("verifier"));
    const struct bz_json *hash = bz_json_get(spec, BZ_V("payloadHash"));
    ret->payload = second ? digest_is(hash, e->env->payload) : hash_is(hash, e->env->payload);
    ret->signature = bz_json_get(one, second ? BZ_V("content") : BZ_V("signature"));
    ret->signer = second ? is_leaf_der(e, verifier, certs) : is_leaf(e, verifier, certs);
    return true;
}

/* Without these an entry about something else, valid in itself, would do. */
static enum bz_status check_body(const struct entry *e, const struct pki_certs *certs) {
    const struct bz_json *root = NULL;
    struct subject s = {.payload = false};
    struct bz_view sig;
    if (sig_json(e->body, e->ar, &root, e->diag) != BZ_OK)
        return sig_no_at(e->diag, e->n, BZ_ESYNTAX, "the log entry's body is malformed");
    if (!read_subject(e, root, certs, &s))
        return sig_no_at(e->diag, e->n, BZ_EVERSION,
                         "the log entry is not of kind dsse, 0.0.1 or 0.0.2");
    if (!s.payload)
        return sig_no_at(e->diag, e->n, BZ_EDENIED, "the log entry is about another payload");
    if (sig_b64(s.signature, e->ar, &sig) != BZ_OK || !bz_view_eq(sig, e->env->sig))
        return sig_no_at(e->diag, e->n, BZ_EDENIED, "the log entry is about another signature");
    if (!s.signer)
        return sig_no_at(e->diag, e->n, BZ_EDENIED, "the log entry is about another signer");
    return BZ_OK;
}

/* The log by its id, that was one at the time that it promised, or else at every one of the stamps. */
static enum bz_status find_log(struct entry *e, const uint8_t id[BZ_HASH_LEN],
                               const struct sig_root *root, const struct sig_stamps *stamps) {
    const bool promised = e->time != 0;
    if (!promised && stamps->n == 0)
        return sig_no_at(e->diag, e->n, BZ_EDENIED,
                         "the log entry has no signed time (Rekor 2 gives none): a timestamp by an "
                         "authority of the trusted root is needed beside it");
    e->log = sig_log_find(root->tlog, root->tlog_n, id, promised ? e->time : stamps->at[0]);
    for (size_t i = 0; !promised && e->log != NULL && i < stamps->n; i++) {
        if (!sig_within(&e->log->span, stamps->at[i]))
            e->log = NULL;
    }
    if (e->log == NULL)
        return sig_no_at(e->diag, e->n, BZ_EDENIED,
                         "the log is none of the trusted root's, or was not at that time");
    return BZ_OK;
}

enum bz_status sig_entry(const struct bz_json *entry, const struct sig_envelope *env,
                         const struct pki_certs *certs, const struct sig_root *root,
                         const struct sig_stamps *stamps, struct bz_arena *ar, uint64_t *ret_time,
                         uint64_t *ret_index, struct bz_diag *diag) {
    struct entry e = {.n = entry, .env = env, .ar = ar, .diag = diag};
    const struct bz_json *time = bz_json_get(entry, BZ_V("integratedTime"));
    const struct bz_json *proof = bz_json_get(entry, BZ_V("inclusionProof"));
    const bool promised = bz_json_get(entry, BZ_V("inclusionPromise")) != NULL;
    uint8_t id[BZ_HASH_LEN];
    if (!sig_u64(bz_json_get(entry, BZ_V("logIndex")), &e.index) ||
        (time != NULL && !sig_u64(time, &e.time)) ||
        !sig_b64_exact(bz_json_get(bz_json_get(entry, BZ_V("logId")), BZ_V("keyId")), id,
                       sizeof id) ||
        sig_b64(bz_json_get(entry, BZ_V("canonicalizedBody")), ar, &e.body) != BZ_OK)
        return sig_no_at(diag, entry, BZ_ESYNTAX, "a log entry is malformed");
    if (promised && e.time == 0)
        return sig_no_at(diag, entry, BZ_ESYNTAX, "a log entry promises something without a time");
    if (!promised) /* nobody has signed that time */
        e.time = 0;
    BZ_TRY(find_log(&e, id, root, stamps));
    if (promised)
        BZ_TRY(check_set(&e));
    if (proof == NULL)
        return sig_no_at(diag, entry, BZ_EDENIED, "the log entry has no inclusion proof");
    BZ_TRY(check_inclusion(&e, proof));
    BZ_TRY(check_body(&e, certs));
    *ret_time = e.time;
    *ret_index = e.index;
    return BZ_OK;
}
