/* bartizan audit prove */
#include "cmd_audit.h"

#include <stdio.h>
#include <bartizan/json.h>

#include "opts.h"

struct prove {
    struct bz_alog *l;
    struct bz_tile_source src;
    char id[BZ_REQUEST_ID_TEXT + 1];
    bool json;
    struct bz_buf out; /* one proof */
    struct bz_jw w;
    uint64_t found, proved, bad, unsealed;
};

/* C2SP tlog-proof. The entry goes into the extra line, so the proof holds all that it needs. */
static void as_text(struct prove *p, uint64_t index, struct bz_view entry,
                    const struct bz_hash *proof, size_t n) {
    struct bz_buf *b = &p->out;
    if (b->n != 0)
        bz_buf_putc(b, '\n');
    bz_buf_puts(b, "c2sp.org/tlog-proof@v1\nextra ");
    bz_buf_put_b64(b, entry);
    bz_buf_puts(b, "\nindex ");
    bz_buf_put_u64(b, index);
    bz_buf_putc(b, '\n');
    for (size_t i = 0; i < n; i++) {
        bz_buf_put_b64(b, bz_view(proof[i].b, BZ_HASH_LEN));
        bz_buf_putc(b, '\n');
    }
    bz_buf_putc(b, '\n');
    bz_buf_put(b, bz_buf_view(&p->l->note));
}

static void json_hash(struct bz_jw *w, const struct bz_hash *h) {
    char mem[48];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put_b64(&b, bz_view(h->b, BZ_HASH_LEN));
    bz_jw_str(w, bz_buf_view(&b));
}

static void as_json(struct prove *p, uint64_t index, struct bz_view entry,
                    const struct bz_hash *leaf, const struct bz_hash *proof, size_t n, bool sealed,
                    bool good) {
    struct bz_jw *w = &p->w;
    bz_jw_obj(w);
    bz_jw_ku64(w, "index", index);
    bz_jw_kstr(w, "entry", entry); /* as text: the hash is over these very bytes */
    bz_jw_key(w, "leaf_hash");
    json_hash(w, leaf);
    bz_jw_kbool(w, "sealed", sealed);
    bz_jw_kbool(w, "proved", good);
    bz_jw_key(w, "proof");
    bz_jw_arr(w);
    for (size_t i = 0; i < n; i++)
        json_hash(w, &proof[i]);
    bz_jw_end(w);
    bz_jw_end(w);
}

static enum bz_status one(void *ctx, uint64_t index, struct bz_view entry) {
    struct prove *p = ctx;
    bz_audit_progress("searching", index, p->l->durable);
    if (!bz_audit_has_id(entry, p->id))
        return BZ_OK;
    p->found++;
    struct bz_hash leaf;
    struct bz_hash proof[64];
    size_t n = 0;
    uint64_t size = p->l->head.size;
    bool sealed = index < size;
    bz_leaf_hash(entry, &leaf);
    bool good = sealed && bz_proof_inclusion(&p->src, index, size, proof, &n) == BZ_OK &&
                bz_proof_inclusion_check(index, size, &leaf, proof, n, &p->l->head.root);
    if (good)
        p->proved++;
    else if (sealed)
        p->bad++;
    else
        p->unsealed++;
    if (p->json)
        as_json(p, index, entry, &leaf, proof, good ? n : 0, sealed, good);
    else if (good)
        as_text(p, index, entry, proof, n);
    if (!p->json || !good)
        (void)fprintf(stderr, "record %llu: %s\n", (unsigned long long)index,
                      good     ? "stands in the log; its proof leads to the signed root"
                      : sealed ? "DOES NOT MATCH the signed root"
                               : "durable, but not yet in a checkpoint: try again in a second");
    return bz_buf_status(&p->out);
}

static int verdict(const struct prove *p, enum bz_status st) {
    if (st != BZ_OK) {
        bz_say("the log cannot be read as a whole: %s; 'bartizan audit verify' tells more",
               bz_status_text(st));
        return p->bad != 0 || st == BZ_ECORRUPT || st == BZ_EDENIED || st == BZ_ESYNTAX
                   ? BZ_EXIT_FINDINGS
                   : BZ_EXIT_UNCHECKED;
    }
    if (p->found == 0) {
        bz_say("%s has no record in this log", p->id);
        return BZ_EXIT_FINDINGS;
    }
    if (p->bad != 0)
        return BZ_EXIT_FINDINGS;
    return p->unsealed != 0 ? BZ_EXIT_UNCHECKED : BZ_EXIT_OK;
}

static int run(struct prove *p) {
    uint64_t next;
    if (p->json) {
        bz_jw_init(&p->w, &p->out);
        bz_jw_obj(&p->w);
        bz_jw_kstr(&p->w, "id", bz_view_str(p->id));
        bz_jw_key(&p->w, "records");
        bz_jw_arr(&p->w);
    }
    enum bz_status st = bz_alog_refresh(p->l);
    if (st == BZ_OK)
        st = bz_alog_each(p->l, 0, p->l->durable, one, p, &next);
    bz_audit_progress("searching", 1, 1);
    int rc = verdict(p, st);
    if (p->json) {
        bz_jw_end(&p->w);
        bz_jw_kbool(&p->w, "ok", rc == BZ_EXIT_OK);
        bz_jw_kstr(&p->w, "checkpoint", bz_buf_view(&p->l->note));
        bz_jw_end(&p->w);
        bz_buf_putc(&p->out, '\n');
    }
    if (p->out.n != 0)
        (void)fwrite(p->out.p, 1, p->out.n, stdout);
    return fflush(stdout) == 0 ? rc : BZ_EXIT_FAILURE;
}

int bz_audit_prove(int argc, char **argv) {
    struct prove p = {0};
    const char *key = NULL;
    bool help = false;
    const struct bz_opt list[] = {
        {"key", BZ_OPT_TEXT, &key, "VERIFIER",
         "the log's verifier key, or a file with it, from a place you trust"},
        {"json", BZ_OPT_FLAG, &p.json, NULL, "one JSON object instead of C2SP tlog-proof text"},
    };
    static const char *const words[] = {"DIR", "ID"};
    const struct bz_opts o = {
        "bartizan audit prove DIR ID [--key VERIFIER] [--json]",
        "Prints and checks an inclusion proof for every record of a request (its x-request-id).",
        list,
        sizeof list / sizeof list[0],
        words,
        2,
        2};
    const char *word[2];
    size_t n;
    uint8_t id[BZ_REQUEST_ID_LEN];
    if (bz_opts_parse(&o, argc, argv, word, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (!bz_request_id_parse(bz_view_str(word[1]), id)) {
        bz_say("'%s' is not a request id (req_ and 26 letters and digits)", bz_safe(word[1]));
        return BZ_EXIT_FAILURE;
    }
    bz_request_id_text(id, p.id);
    struct bz_alog l;
    int rc = bz_alog_open(word[0], key, &l);
    if (rc != 0)
        return rc;
    p.l = &l;
    p.src = bz_logdir_source(&l.dir);
    bz_buf_init(&p.out, 64u << 20);
    rc = run(&p);
    bz_buf_free(&p.out);
    bz_alog_close(&l);
    return rc;
}
