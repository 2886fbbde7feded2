/* The in-toto statement of OpenSSF Model Signing 1.0: names and digests of the files. */
#include <stdlib.h>
#include <bartizan/text.h>

#include "sig_int.h"

#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define PREDICATE_TYPE "https://model_signing/signature/v1.0"
#define PREDICATE_OLD "https://model_signing/Digests/"

const char *bz_model_hash_name(enum bz_model_hash h) {
    return h == BZ_MODEL_BLAKE2B ? "blake2b" : "sha256";
}

size_t bz_model_digest_len(enum bz_model_hash h) {
    return h == BZ_MODEL_BLAKE2B ? 64 : BZ_HASH_LEN;
}

const char *bz_model_change_name(enum bz_model_change c) {
    static const char *const names[BZ_MODEL_CHANGE_COUNT] = {"missing", "changed", "extra"};
    return (unsigned)c < BZ_MODEL_CHANGE_COUNT ? names[c] : "changed";
}

/* ---- names ---- */

static bool component_ok(struct bz_view c) {
    return c.n > 0 && !bz_view_eq(c, BZ_V(".")) && !bz_view_eq(c, BZ_V(".."));
}

bool bz_model_name_in_ok(struct bz_view name) {
    if (bz_view_eq(name, BZ_V(".")))
        return true;
    if (name.n == 0 || name.n > BZ_MODEL_FILE_NAME_MAX || bz_utf8_valid(name) != name.n)
        return false;
    size_t from = 0;
    for (size_t i = 0; i <= name.n; i++) {
        if (i < name.n && (name.p[i] < 0x20 || name.p[i] == 0x7f || name.p[i] == '\\'))
            return false;
        if (i < name.n && name.p[i] != '/')
            continue;
        if (!component_ok(bz_view_sub(name, from, i - from)))
            return false;
        from = i + 1;
    }
    return true;
}

/* '/' sorts before every other byte: by components, not by the whole text ("a/b" before "a-b"). */
int bz_model_name_cmp(struct bz_view a, struct bz_view b) {
    size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++) {
        if (a.p[i] != b.p[i]) {
            int x = a.p[i] == '/' ? -1 : a.p[i], y = b.p[i] == '/' ? -1 : b.p[i];
            return x < y ? -1 : 1;
        }
    }
    return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

bool bz_model_ignored(struct bz_view name, const struct bz_view *ignore, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct bz_view p = ignore[i];
        while (p.n > 0 && p.p[p.n - 1] == '/')
            p.n--;
        if (p.n > 0 && bz_view_starts(name, p) && (name.n == p.n || name.p[p.n] == '/'))
            return true;
    }
    return false;
}

static int by_place(const void *x, const void *y) {
    const struct bz_model_item *a = x, *b = y;
    int c = bz_model_name_cmp(a->name, b->name);
    if (c != 0)
        return c;
    return a->start != b->start ? (a->start < b->start ? -1 : 1)
           : a->end != b->end   ? (a->end < b->end ? -1 : 1)
                                : 0;
}

/* ---- reading ---- */

struct reading {
    struct bz_arena *ar;
    struct bz_statement *s;
    struct bz_diag *diag;
};

/* "path:start:end", three parts exactly. */
static bool split_shard(struct bz_view v, struct bz_model_item *ret) {
    size_t colon[2] = {0, 0}, n = 0;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] != ':')
            continue;
        if (n == 2)
            return false;
        colon[n++] = i;
    }
    if (n != 2)
        return false;
    ret->name = bz_view_sub(v, 0, colon[0]);
    return bz_view_u64(bz_view_sub(v, colon[0] + 1, colon[1] - colon[0] - 1), &ret->start) ==
               BZ_OK &&
           bz_view_u64(bz_view_sub(v, colon[1] + 1, v.n), &ret->end) == BZ_OK;
}

static bool algorithm_ok(const struct bz_statement *s, struct bz_view text) {
    char mem[64];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_puts(&b, bz_model_hash_name(s->hash));
    if (s->shard_size > 0) {
        bz_buf_puts(&b, "-sharded-");
        bz_buf_put_u64(&b, s->shard_size);
    }
    return bz_view_eq(text, bz_buf_view(&b));
}

static enum bz_status read_item(const struct reading *r, const struct bz_json *n,
                                struct bz_model_item *ret) {
    struct bz_view name = bz_json_str(bz_json_get(n, BZ_V("name")));
    struct bz_view digest = bz_json_str(bz_json_get(n, BZ_V("digest")));
    struct bz_model_item it = {.name = name};
    size_t len = 0, want = bz_model_digest_len(r->s->hash);
    if (r->s->shard_size > 0 && !split_shard(name, &it))
        return sig_no_at(r->diag, n, BZ_ESYNTAX, "a shard's name is not path:start:end");
    if (!bz_model_name_in_ok(it.name))
        return sig_no_at(r->diag, n, BZ_EDENIED,
                         "a file's name is absolute, leads out of the model or cannot be a name");
    if (!algorithm_ok(r->s, bz_json_str(bz_json_get(n, BZ_V("algorithm")))))
        return sig_no_at(r->diag, n, BZ_ESYNTAX,
                         "a file's algorithm is not the one of the statement");
    for (size_t i = 0; i < digest.n; i++) {
        if (digest.p[i] >= 'A' && digest.p[i] <= 'F')
            return sig_no_at(r->diag, n, BZ_ESYNTAX, "a digest is not lower-case hex");
    }
    if (bz_hex_decode(digest, it.digest, sizeof it.digest, &len) != BZ_OK || len != want)
        return sig_no_at(r->diag, n, BZ_ESYNTAX, "a digest does not have the algorithm's length");
    *ret = it;
    return BZ_OK;
}

/* One file: shards from 0 on, each where the one before ends, all but the last of full size. */
static bool follows(const struct bz_statement *s, const struct bz_model_item *before,
                    const struct bz_model_item *it) {
    if (it->end <= it->start || it->end - it->start > s->shard_size)
        return false;
    if (before == NULL || !bz_view_eq(before->name, it->name))
        return it->start == 0;
    return it->start == before->end && before->end - before->start == s->shard_size;
}

static enum bz_status check_items(const struct reading *r, struct bz_model_item *sorted) {
    const struct bz_statement *s = r->s;
    memcpy(sorted, s->items, s->items_n * sizeof *sorted);
    qsort(sorted, s->items_n, sizeof *sorted, by_place);
    for (size_t i = 0; i < s->items_n; i++) {
        const struct bz_model_item *before = i == 0 ? NULL : &sorted[i - 1];
        if (s->shard_size > 0 && !follows(s, before, &sorted[i]))
            return sig_no(r->diag, BZ_EDENIED, "shards overlap, leave a gap or have another size");
        if (s->shard_size == 0 && before != NULL && bz_view_eq(before->name, sorted[i].name))
            return sig_no(r->diag, BZ_EDENIED, "a file is listed twice");
        if (bz_view_eq(sorted[i].name, BZ_V(".")) &&
            !bz_view_eq(sorted[s->items_n - 1].name, BZ_V(".")))
            return sig_no(r->diag, BZ_EDENIED, "the model is said to be one file and a folder");
    }
    return BZ_OK;
}

static enum bz_status read_items(const struct reading *r, const struct bz_json *list) {
    struct bz_model_item *items, *sorted;
    struct bz_sha256 h;
    size_t i = 0;
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return sig_no(r->diag, BZ_ESYNTAX, "predicate.resources is missing");
    items = bz_arena_alloc(r->ar, list->count * sizeof *items);
    sorted = bz_arena_alloc(r->ar, list->count * sizeof *sorted);
    if (items == NULL || sorted == NULL)
        return sig_no(r->diag, BZ_ENOMEM, "out of memory");
    bz_sha256_init(&h);
    for (const struct bz_json *n = list->first; n != NULL; n = n->next, i++) {
        BZ_TRY(read_item(r, n, &items[i]));
        bz_sha256_add(&h, bz_view(items[i].digest, bz_model_digest_len(r->s->hash)));
    }
    uint8_t root[BZ_HASH_LEN];
    bz_sha256_end(&h, root);
    if (!bz_ct_equal(bz_view(root, sizeof root), bz_view(r->s->root, sizeof r->s->root)))
        return sig_no(r->diag, BZ_EDENIED,
                      "the digest over the listed files is not the one that was signed for");
    r->s->items = items;
    r->s->items_n = list->count;
    return list->count == 0 ? BZ_OK : check_items(r, sorted);
}

static enum bz_status read_ignored(const struct reading *r, const struct bz_json *list) {
    struct bz_view *v;
    size_t i = 0;
    if (list == NULL)
        return BZ_OK;
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return sig_no_at(r->diag, list, BZ_ESYNTAX, "ignore_paths is not a list");
    v = bz_arena_alloc(r->ar, list->count * sizeof *v);
    if (v == NULL)
        return sig_no(r->diag, BZ_ENOMEM, "out of memory");
    for (const struct bz_json *n = list->first; n != NULL; n = n->next, i++) {
        v[i] = bz_json_str(n);
        if (v[i].p == NULL)
            return sig_no_at(r->diag, n, BZ_ESYNTAX, "an entry of ignore_paths is no text");
    }
    r->s->ignore = v;
    r->s->ignore_n = i;
    return BZ_OK;
}

/* Numbers went through a protobuf Struct: 8 may be written 8.0. */
static bool whole_number(const struct bz_json *n, uint64_t *ret) {
    double d = 0;
    if (bz_json_f64(n, &d) != BZ_OK || d < 1 || d > 9007199254740992.0)
        return false;
    *ret = (uint64_t)d;
    return (double)*ret == d;
}

static enum bz_status read_serialization(const struct reading *r, const struct bz_json *z) {
    struct bz_view method = bz_json_str(bz_json_get(z, BZ_V("method")));
    struct bz_view hash = bz_json_str(bz_json_get(z, BZ_V("hash_type")));
    const struct bz_json *links = bz_json_get(z, BZ_V("allow_symlinks"));
    if (bz_view_eq(hash, BZ_V("blake3")))
        return sig_no_at(r->diag, z, BZ_EVERSION,
                         "the files were hashed with BLAKE3, which this program does not know");
    r->s->hash = bz_view_eq(hash, BZ_V("blake2b")) ? BZ_MODEL_BLAKE2B : BZ_MODEL_SHA256;
    if (!bz_view_eq(hash, bz_view_str(bz_model_hash_name(r->s->hash))))
        return sig_no_at(r->diag, z, BZ_ESYNTAX, "hash_type is not sha256, blake2b or blake3");
    if (links != NULL && !bz_json_is(links, BZ_JSON_TRUE) && !bz_json_is(links, BZ_JSON_FALSE))
        return sig_no_at(r->diag, links, BZ_ESYNTAX, "allow_symlinks is not true or false");
    r->s->allow_symlinks = bz_json_is(links, BZ_JSON_TRUE);
    if (bz_view_eq(method, BZ_V("shards"))) {
        if (!whole_number(bz_json_get(z, BZ_V("shard_size")), &r->s->shard_size))
            return sig_no_at(r->diag, z, BZ_ESYNTAX, "shard_size is no whole number");
    } else if (!bz_view_eq(method, BZ_V("files"))) {
        return sig_no_at(r->diag, z, BZ_ESYNTAX, "serialization.method is not files or shards");
    }
    return read_ignored(r, bz_json_get(z, BZ_V("ignore_paths")));
}

static enum bz_status read_subject(const struct reading *r, const struct bz_json *list) {
    const struct bz_json *one = bz_json_is(list, BZ_JSON_ARRAY) ? list->first : NULL;
    struct bz_view text =
        bz_json_str(bz_json_get(bz_json_get(one, BZ_V("digest")), BZ_V("sha256")));
    size_t n = 0;
    if (one == NULL || one->next != NULL)
        return sig_no_at(r->diag, list, BZ_ESYNTAX, "the statement must have exactly one subject");
    r->s->subject = bz_json_str(bz_json_get(one, BZ_V("name")));
    if (bz_hex_decode(text, r->s->root, sizeof r->s->root, &n) != BZ_OK || n != BZ_HASH_LEN)
        return sig_no_at(r->diag, one, BZ_ESYNTAX, "the subject has no SHA-256 digest");
    return BZ_OK;
}

enum bz_status bz_statement_parse(struct bz_view payload, struct bz_arena *ar,
                                  struct bz_statement *ret, struct bz_diag *diag) {
    const struct bz_json *root = NULL;
    struct bz_statement s = {.shard_size = 0};
    const struct reading r = {ar, &s, diag};
    BZ_TRY(sig_json(payload, ar, &root, diag));
    struct bz_view predicate = bz_json_str(bz_json_get(root, BZ_V("predicateType")));
    if (!bz_view_eq(bz_json_str(bz_json_get(root, BZ_V("_type"))), BZ_V(STATEMENT_TYPE)))
        return sig_no(diag, BZ_ESYNTAX, "the payload is not an in-toto statement v1");
    if (bz_view_starts(predicate, BZ_V(PREDICATE_OLD)))
        return sig_no(diag, BZ_EVERSION,
                      "a signature of version 0.2, which does not cover the whole model: ask the "
                      "publisher to sign it again with version 1.0 or later");
    if (!bz_view_eq(predicate, BZ_V(PREDICATE_TYPE)))
        return sig_no(diag, BZ_EVERSION, "the statement is not a model signature v1.0");
    const struct bz_json *p = bz_json_get(root, BZ_V("predicate"));
    BZ_TRY(read_subject(&r, bz_json_get(root, BZ_V("subject"))));
    BZ_TRY(read_serialization(&r, bz_json_get(p, BZ_V("serialization"))));
    BZ_TRY(read_items(&r, bz_json_get(p, BZ_V("resources"))));
    *ret = s;
    return BZ_OK;
}

/* ---- writing ---- */

static void put_item(struct bz_jw *w, const struct bz_statement *s,
                     const struct bz_model_item *it) {
    char hex[2 * BZ_MODEL_DIGEST_MAX], algorithm[64];
    struct bz_buf h, a, name;
    bz_buf_init_fixed(&h, hex, sizeof hex);
    bz_buf_init_fixed(&a, algorithm, sizeof algorithm);
    bz_buf_init(&name, BZ_MODEL_FILE_NAME_MAX + 64);
    bz_buf_put_hex(&h, bz_view(it->digest, bz_model_digest_len(s->hash)));
    bz_buf_puts(&a, bz_model_hash_name(s->hash));
    bz_buf_put(&name, it->name);
    if (s->shard_size > 0) {
        bz_buf_puts(&a, "-sharded-");
        bz_buf_put_u64(&a, s->shard_size);
        bz_buf_putc(&name, ':');
        bz_buf_put_u64(&name, it->start);
        bz_buf_putc(&name, ':');
        bz_buf_put_u64(&name, it->end);
    }
    bz_jw_obj(w);
    bz_jw_kstr(w, "name", bz_buf_view(&name));
    bz_jw_kstr(w, "algorithm", bz_buf_view(&a));
    bz_jw_kstr(w, "digest", bz_buf_view(&h));
    bz_jw_end(w);
    if (bz_buf_status(&name) != BZ_OK && w->b->st == BZ_OK)
        w->b->st = bz_buf_status(&name);
    bz_buf_free(&name);
}

static void put_serialization(struct bz_jw *w, const struct bz_statement *s) {
    bz_jw_key(w, "serialization");
    bz_jw_obj(w);
    bz_jw_kstr(w, "method", bz_view_str(s->shard_size > 0 ? "shards" : "files"));
    bz_jw_kstr(w, "hash_type", bz_view_str(bz_model_hash_name(s->hash)));
    if (s->shard_size > 0)
        bz_jw_ku64(w, "shard_size", s->shard_size);
    bz_jw_kbool(w, "allow_symlinks", s->allow_symlinks);
    bz_jw_key(w, "ignore_paths");
    bz_jw_arr(w);
    for (size_t i = 0; i < s->ignore_n; i++)
        bz_jw_str(w, s->ignore[i]);
    bz_jw_end(w);
    bz_jw_end(w);
}

static enum bz_status prepare(struct bz_statement *s, struct bz_model_item *items) {
    struct bz_sha256 h;
    qsort(items, s->items_n, sizeof *items, by_place);
    s->items = items;
    bz_sha256_init(&h);
    for (size_t i = 0; i < s->items_n; i++) {
        const struct bz_model_item *before = i == 0 ? NULL : &items[i - 1];
        bool twice = before != NULL && bz_view_eq(before->name, items[i].name);
        if (!bz_model_name_in_ok(items[i].name) || (twice && s->shard_size == 0) ||
            (s->shard_size > 0 && !follows(s, before, &items[i])) ||
            (s->shard_size > 0 && memchr(items[i].name.p, ':', items[i].name.n) != NULL))
            return BZ_EINVAL;
        bz_sha256_add(&h, bz_view(items[i].digest, bz_model_digest_len(s->hash)));
    }
    bz_sha256_end(&h, s->root);
    return BZ_OK;
}

enum bz_status bz_statement_write(struct bz_statement *s, struct bz_model_item *items,
                                  struct bz_buf *out) {
    char hex[2 * BZ_HASH_LEN];
    struct bz_buf h;
    struct bz_jw w;
    BZ_TRY(prepare(s, items));
    bz_buf_init_fixed(&h, hex, sizeof hex);
    bz_buf_put_hex(&h, bz_view(s->root, sizeof s->root));
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "_type", BZ_V(STATEMENT_TYPE));
    bz_jw_key(&w, "subject");
    bz_jw_arr(&w);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "name", s->subject);
    bz_jw_key(&w, "digest");
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "sha256", bz_buf_view(&h));
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_jw_kstr(&w, "predicateType", BZ_V(PREDICATE_TYPE));
    bz_jw_key(&w, "predicate");
    bz_jw_obj(&w);
    put_serialization(&w, s);
    bz_jw_key(&w, "resources");
    bz_jw_arr(&w);
    for (size_t i = 0; i < s->items_n; i++)
        put_item(&w, s, &s->items[i]);
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_jw_end(&w);
    return bz_buf_status(out);
}

/* ---- comparing ---- */

/* All items of the file that begins at `i`. */
static size_t same_name(const struct bz_model_item *v, size_t n, size_t i) {
    size_t k = i + 1;
    while (k < n && bz_view_eq(v[k].name, v[i].name))
        k++;
    return k - i;
}

static bool same_file(const struct bz_statement *s, const struct bz_model_item *a,
                      const struct bz_model_item *b, size_t n) {
    const size_t len = bz_model_digest_len(s->hash);
    for (size_t i = 0; i < n; i++) {
        if (a[i].start != b[i].start || a[i].end != b[i].end ||
            !bz_ct_equal(bz_view(a[i].digest, len), bz_view(b[i].digest, len)))
            return false;
    }
    return true;
}

size_t bz_statement_compare(const struct bz_statement *s, const struct bz_model_item *there,
                            size_t there_n, bz_model_change_fn *each, void *ctx) {
    struct bz_model_item *want = calloc(s->items_n + 1, sizeof *want);
    size_t i = 0, k = 0, found = 0;
    if (want == NULL) { /* fails closed */
        each(ctx, BZ_MODEL_MISSING, BZ_V("."));
        return 1;
    }
    if (s->items_n > 0)
        memcpy(want, s->items, s->items_n * sizeof *want);
    qsort(want, s->items_n, sizeof *want, by_place);
    while (i < s->items_n || k < there_n) {
        int c = i == s->items_n ? 1
                : k == there_n  ? -1
                                : bz_model_name_cmp(want[i].name, there[k].name);
        size_t a = c <= 0 ? same_name(want, s->items_n, i) : 0;
        size_t b = c >= 0 ? same_name(there, there_n, k) : 0;
        bool same = c == 0 && a == b && same_file(s, &want[i], &there[k], a);
        if (!same) {
            each(ctx,
                 c < 0   ? BZ_MODEL_MISSING
                 : c > 0 ? BZ_MODEL_EXTRA
                         : BZ_MODEL_CHANGED,
                 c <= 0 ? want[i].name : there[k].name);
            found++;
        }
        i += a;
        k += b;
    }
    free(want);
    return found;
}
