/* Statements, bundles with keys, minisign: what holds, and what one changed byte does to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <bartizan/signature.h>
#include <bartizan/text.h>
#include "pki.h"

static int setup(void **state) {
    return bz_crypto_init() == BZ_OK ? 0 : -1;
}

static void arena(struct bz_arena *ar) {
    bz_arena_init(ar, bz_alloc_heap, 64u << 20, NULL, 0);
}

/* ---- names ---- */

static void names(void **state) {
    static const char *const good[] = {".",        "a",   "a/b", "a-b", "sub/dir/x.gguf",
                                       "\xc3\xa9", "...", "a:b"};
    static const char *const bad[] = {"",     "..",   "a/..",  "../a", "/a",
                                      "a/",   "a//b", "a/./b", "a\\b", "a\nb",
                                      "\x7f", "\xff", "./a",   "a/.",  "\xc0\xaf"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!bz_model_name_in_ok(bz_view_str(good[i])))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (bz_model_name_in_ok(bz_view_str(bad[i])))
            fail_msg("taken: %zu", i);
    assert_false(bz_model_name_in_ok(bz_view("a\0b", 3)));
    char edge[BZ_MODEL_FILE_NAME_MAX + 1];
    memset(edge, 'a', sizeof edge);
    assert_true(bz_model_name_in_ok(bz_view(edge, BZ_MODEL_FILE_NAME_MAX)));
    assert_false(bz_model_name_in_ok(bz_view(edge, BZ_MODEL_FILE_NAME_MAX + 1)));
}

static void order_of_names(void **state) {
    static const char *const sorted[] = {"a", "a/b", "a-b", "a.b/c", "b"};
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 5; k++) {
            int c = bz_model_name_cmp(bz_view_str(sorted[i]), bz_view_str(sorted[k]));
            assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
        }
}

static void ignored(void **state) {
    const struct bz_view list[] = {BZ_V(".git"), BZ_V("sub/x/"), BZ_V("")};
    assert_true(bz_model_ignored(BZ_V(".git"), list, 3));
    assert_true(bz_model_ignored(BZ_V(".git/config"), list, 3));
    assert_true(bz_model_ignored(BZ_V("sub/x/y"), list, 3));
    assert_false(bz_model_ignored(BZ_V(".gitignore"), list, 3));
    assert_false(bz_model_ignored(BZ_V("sub/xy"), list, 3));
    assert_false(bz_model_ignored(BZ_V("a"), list, 3));
}

/* ---- statements ---- */

static void fill(struct bz_model_item *it, const char *name, uint8_t byte) {
    *it = (struct bz_model_item){.name = bz_view_str(name)};
    memset(it->digest, byte, sizeof it->digest);
}

static void make(struct bz_buf *out, enum bz_model_hash hash) {
    struct bz_model_item items[3];
    const struct bz_view ignore[] = {BZ_V(".git"), BZ_V("model.sig")};
    struct bz_statement s = {
        .subject = BZ_V("m"), .hash = hash, .items_n = 3, .ignore = ignore, .ignore_n = 2};
    fill(&items[0], "b", 2);
    fill(&items[1], "a-b", 1);
    fill(&items[2], "a/b", 3);
    bz_buf_init(out, 1 << 20);
    assert_int_equal(bz_statement_write(&s, items, out), BZ_OK);
}

static void statement_round_trip(void **state) {
    for (int h = 0; h < BZ_MODEL_HASH_COUNT; h++) {
        struct bz_buf b;
        struct bz_arena ar;
        struct bz_statement s;
        struct bz_diag d = {0, NULL};
        arena(&ar);
        make(&b, (enum bz_model_hash)h);
        assert_int_equal(bz_statement_parse(bz_buf_view(&b), &ar, &s, &d), BZ_OK);
        assert_int_equal(s.items_n, 3);
        assert_true(bz_view_eq(s.items[0].name, BZ_V("a/b")));
        assert_true(bz_view_eq(s.items[1].name, BZ_V("a-b")));
        assert_int_equal(s.ignore_n, 2);
        assert_int_equal(s.hash, h);
        bz_buf_free(&b);
        bz_arena_free(&ar);
    }
}

/* The empty list has SHA-256 of nothing for its root. */
static void empty_statement(void **state) {
    struct bz_statement s = {.subject = BZ_V("m")}, back;
    struct bz_arena ar;
    struct bz_buf b;
    arena(&ar);
    bz_buf_init(&b, 1 << 16);
    struct bz_model_item none[1];
    assert_int_equal(bz_statement_write(&s, none, &b), BZ_OK);
    assert_int_equal(bz_statement_parse(bz_buf_view(&b), &ar, &back, NULL), BZ_OK);
    assert_int_equal(back.root[0], 0xe3);
    assert_int_equal(back.root[31], 0x55);
    bz_buf_free(&b);
    bz_arena_free(&ar);
}

#define HEAD                                                                                       \
    "{\"_type\":\"https://in-toto.io/Statement/"                                                   \
    "v1\",\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\""
#define PRED                                                                                       \
    "\"}}],\"predicateType\":\"https://model_signing/signature/v1.0\",\"predicate\":{"             \
    "\"serialization\":{"
#define ROOT0                                                                                      \
    "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925" /* of one digest of zeros */
#define Z64 "0000000000000000000000000000000000000000000000000000000000000000"

static enum bz_status parse(const char *root, const char *serialization, const char *resources,
                            const char **why) {
    struct bz_buf b;
    struct bz_arena ar;
    struct bz_statement s;
    struct bz_diag d = {0, NULL};
    arena(&ar);
    bz_buf_init(&b, 1 << 20);
    bz_buf_puts(&b, HEAD);
    bz_buf_puts(&b, root);
    bz_buf_puts(&b, PRED);
    bz_buf_puts(&b, serialization);
    bz_buf_puts(&b, "},\"resources\":[");
    bz_buf_puts(&b, resources);
    bz_buf_puts(&b, "]}}");
    enum bz_status st = bz_statement_parse(bz_buf_view(&b), &ar, &s, &d);
    *why = d.why;
    bz_buf_free(&b);
    bz_arena_free(&ar);
    return st;
}

static void statements_refused(void **state) {
    static const struct {
        const char *serialization, *resources;
        enum bz_status want;
    } t[] = {
#define FILES "\"method\":\"files\",\"hash_type\":\"sha256\",\"allow_symlinks\":false"
#define ONE(name) "{\"name\":\"" name "\",\"algorithm\":\"sha256\",\"digest\":\"" Z64 "\"}"
        {FILES, ONE("a"), BZ_OK},
        {FILES, ONE("."), BZ_OK},
        {FILES ",\"more\":1", ONE("a"), BZ_OK},
        {FILES, ONE("../a"), BZ_EDENIED},
        {FILES, ONE("/a"), BZ_EDENIED},
        {FILES, ONE("a\\\\b"), BZ_EDENIED},
        {FILES, "{\"name\":\"a\",\"algorithm\":\"sha512\",\"digest\":\"" Z64 "\"}", BZ_ESYNTAX},
        {FILES, "{\"name\":\"a\",\"algorithm\":\"sha256\",\"digest\":\"00\"}", BZ_ESYNTAX},
        {"\"method\":\"tree\",\"hash_type\":\"sha256\"", ONE("a"), BZ_ESYNTAX},
        {"\"method\":\"files\",\"hash_type\":\"md5\"", ONE("a"), BZ_ESYNTAX},
        {"\"method\":\"files\",\"hash_type\":\"blake3\"", ONE("a"), BZ_EVERSION},
        {"\"method\":\"files\",\"hash_type\":\"sha256\",\"allow_symlinks\":1", ONE("a"),
         BZ_ESYNTAX},
        {FILES ",\"ignore_paths\":[1]", ONE("a"), BZ_ESYNTAX},
#define SHARDS(size) "\"method\":\"shards\",\"hash_type\":\"sha256\",\"shard_size\":" size
#define SHARD(name)                                                                                \
    "{\"name\":\"" name "\",\"algorithm\":\"sha256-sharded-8\",\"digest\":\"" Z64 "\"}"
        {SHARDS("8.0"), SHARD("a:0:8"), BZ_OK},
        {SHARDS("8"), SHARD("a:0:3"), BZ_OK},
        {SHARDS("8"), SHARD("a:0:9"), BZ_EDENIED},
        {SHARDS("8"), SHARD("a:8:16"), BZ_EDENIED},
        {SHARDS("8"), SHARD("a:0:0"), BZ_EDENIED},
        {SHARDS("8"), SHARD("a:0"), BZ_ESYNTAX},
        {SHARDS("8"), SHARD("a:b:0:8"), BZ_ESYNTAX},
        {SHARDS("8.5"), SHARD("a:0:8"), BZ_ESYNTAX},
        {SHARDS("0"), SHARD("a:0:8"), BZ_ESYNTAX},
        {SHARDS("8"), ONE("a:0:8"), BZ_ESYNTAX},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        const char *why = NULL;
        enum bz_status st = parse(ROOT0, t[i].serialization, t[i].resources, &why);
        if (st != t[i].want)
            fail_msg("%zu: %s (%s)", i, bz_status_text(st), why == NULL ? "" : why);
        if (st != BZ_OK)
            assert_non_null(why);
    }
    const char *why = NULL;
    assert_int_equal(parse(Z64, FILES, ONE("a"), &why), BZ_EDENIED); /* another root */
    /* two digests of zeros; the same file twice, and a file that is a folder too */
    static const char root2[] = "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b";
    assert_int_equal(parse(root2, FILES, ONE("a") "," ONE("b"), &why), BZ_OK);
    assert_int_equal(parse(root2, FILES, ONE("a") "," ONE("a"), &why), BZ_EDENIED);
    assert_int_equal(parse(root2, FILES, ONE(".") "," ONE("a"), &why), BZ_EDENIED);
    assert_int_equal(parse(root2, SHARDS("8"), SHARD("a:0:8") "," SHARD("a:8:9"), &why), BZ_OK);
    assert_int_equal(parse(root2, SHARDS("8"), SHARD("a:0:7") "," SHARD("a:7:9"), &why),
                     BZ_EDENIED);
    assert_int_equal(parse(root2, SHARDS("8"), SHARD("a:0:8") "," SHARD("a:0:8"), &why),
                     BZ_EDENIED);
}

static void old_statement(void **state) {
    struct bz_arena ar;
    struct bz_statement s;
    struct bz_diag d = {0, NULL};
    arena(&ar);
    assert_int_equal(
        bz_statement_parse(BZ_V("{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[],"
                                "\"predicateType\":\"https://model_signing/Digests/v0.1\"}"),
                           &ar, &s, &d),
        BZ_EVERSION);
    assert_non_null(strstr(d.why, "sign it again"));
    bz_arena_free(&ar);
}

/* ---- comparing ---- */

struct seen {
    char text[200];
    size_t n;
};
static void note(void *ctx, enum bz_model_change c, struct bz_view name) {
    struct seen *s = ctx;
    s->n += (size_t)snprintf(s->text + s->n, sizeof s->text - s->n, "%s %.*s;",
                             bz_model_change_name(c), (int)name.n, (const char *)name.p);
}

static void compare(void **state) {
    struct bz_model_item want[3], there[4];
    struct seen s = {.n = 0};
    fill(&want[0], "c", 3);
    fill(&want[1], "a", 1);
    fill(&want[2], "b", 2);
    fill(&there[0], "a", 1);
    fill(&there[1], "b", 9);
    fill(&there[2], "d", 4);
    const struct bz_statement st = {.items = want, .items_n = 3};
    assert_int_equal(bz_statement_compare(&st, there, 3, note, &s), 3);
    assert_string_equal(s.text, "changed b;missing c;extra d;");
    s.n = 0;
    fill(&there[1], "b", 2);
    fill(&there[2], "c", 3);
    assert_int_equal(bz_statement_compare(&st, there, 3, note, &s), 0);
    assert_int_equal(bz_statement_compare(&st, NULL, 0, note, &s), 3);
}

/* ---- bundles ---- */

static struct bz_view keyed(struct bz_buf *pub, struct bz_buf *out, struct bz_sig_key **k) {
    struct bz_buf payload;
    struct bz_diag d = {0, NULL};
    make(&payload, BZ_MODEL_SHA256);
    assert_int_equal(bz_sig_key_make(k), BZ_OK);
    bz_buf_init(pub, 1 << 16);
    bz_buf_init(out, 1 << 20);
    assert_int_equal(bz_sig_key_public(*k, pub), BZ_OK);
    assert_int_equal(bz_bundle_sign(bz_buf_view(&payload), *k, bz_view(NULL, 0), out, &d), BZ_OK);
    bz_buf_free(&payload);
    return bz_buf_view(out);
}

static enum bz_status check(struct bz_view bundle, struct bz_view pub) {
    const struct bz_sig_trust t = {.key = pub};
    struct bz_sig_result r;
    struct bz_arena ar;
    struct bz_diag d = {0, NULL};
    arena(&ar);
    enum bz_status st = bz_bundle_verify(bundle, &t, &ar, &r, &d);
    if (st != BZ_OK)
        assert_non_null(d.why);
    bz_arena_free(&ar);
    return st;
}

static void bundle_round_trip(void **state) {
    struct bz_buf pub, out, other_pub, other_out;
    struct bz_sig_key *k = NULL, *other = NULL;
    struct bz_view b = keyed(&pub, &out, &k);
    assert_int_equal(check(b, bz_buf_view(&pub)), BZ_OK);
    (void)keyed(&other_pub, &other_out, &other);
    assert_int_equal(check(b, bz_buf_view(&other_pub)), BZ_EDENIED);
    assert_int_equal(check(b, BZ_V("no key")), BZ_EINVAL);
    assert_int_equal(check(b, bz_view(NULL, 0)), BZ_EINVAL);
    bz_sig_key_free(k);
    bz_sig_key_free(other);
    bz_buf_free(&pub);
    bz_buf_free(&out);
    bz_buf_free(&other_pub);
    bz_buf_free(&other_out);
}

/* No byte of a bundle can be another and it still verifies, but those of members that say nothing: keyid. */
static void every_byte_counts(void **state) {
    struct bz_buf pub, out;
    struct bz_sig_key *k = NULL;
    struct bz_view b = keyed(&pub, &out, &k);
    const char *keyid = strstr((const char *)out.p, "\"keyid\":\"\"");
    const char *tlog = strstr((const char *)out.p, "\"tlogEntries\"");
    assert_non_null(keyid);
    size_t skip_from[2] = {(size_t)((const uint8_t *)keyid - out.p),
                           (size_t)((const uint8_t *)tlog - out.p)};
    size_t skip_n[2] = {10, 17};
    for (size_t i = 0; i < b.n; i++) {
        bool skip = false;
        for (size_t s = 0; s < 2; s++)
            skip = skip || (i >= skip_from[s] && i < skip_from[s] + skip_n[s]);
        if (skip)
            continue;
        out.p[i] ^= 1;
        if (check(b, bz_buf_view(&pub)) == BZ_OK)
            fail_msg("byte %zu may be another: %.*s", i, 40,
                     (const char *)&b.p[i < 20 ? 0 : i - 20]);
        out.p[i] ^= 1;
    }
    assert_int_equal(check(bz_view_sub(b, 0, b.n - 1), bz_buf_view(&pub)), BZ_ESYNTAX);
    bz_sig_key_free(k);
    bz_buf_free(&pub);
    bz_buf_free(&out);
}

/* ---- minisign ---- */

/* Interoperation with minisign itself is tests/integration/test_model_sign.py. */
static void minisign_round_trip(void **state) {
    uint8_t pub[BZ_SIGN_PUBLIC_LEN], hash[64];
    struct bz_minisign_secret k = {.id = "01234567"};
    struct bz_minisign_public p = {.id = "01234567"};
    struct bz_minisign m;
    struct bz_buf out;
    struct bz_blake2b b2;
    struct bz_diag d = {0, NULL};
    bz_sign_keypair(pub, k.key);
    memcpy(p.key, pub, sizeof p.key);
    bz_blake2b512_init(&b2);
    bz_blake2b512_add(&b2, BZ_V("fo"));
    bz_blake2b512_add(&b2, BZ_V("o"));
    bz_blake2b512_end(&b2, hash);
    bz_buf_init(&out, BZ_MINISIGN_TEXT_MAX);
    assert_int_equal(bz_minisign_sign(&k, hash, BZ_V("file:foo\thashed"), &out), BZ_OK);
    assert_int_equal(bz_minisign_parse(bz_buf_view(&out), &m, &d), BZ_OK);
    assert_true(m.hashed);
    assert_true(bz_view_eq(m.comment, BZ_V("file:foo\thashed")));
    assert_int_equal(bz_minisign_check(&m, &p, bz_view(hash, 64), &d), BZ_OK);
    hash[0] ^= 1;
    assert_int_equal(bz_minisign_check(&m, &p, bz_view(hash, 64), &d), BZ_EDENIED);
    hash[0] ^= 1;
    char *at = strstr((char *)out.p, "file:foo");
    at[5] = 'g';
    assert_int_equal(bz_minisign_parse(bz_buf_view(&out), &m, &d), BZ_OK);
    assert_int_equal(bz_minisign_check(&m, &p, bz_view(hash, 64), &d), BZ_EDENIED);
    p.id[0] ^= 1;
    assert_int_equal(bz_minisign_check(&m, &p, bz_view(hash, 64), &d), BZ_EDENIED);
    assert_int_equal(bz_minisign_sign(&k, hash, BZ_V("a\nb"), &out), BZ_EINVAL);
    bz_buf_free(&out);
}

/* A key under a passphrase, with the least work that scrypt can be told. */
static void minisign_locked_key(void **state) {
    uint8_t b[158] = {'E', 'd', 'S', 'c', 'B', '2'}, pub[BZ_SIGN_PUBLIC_LEN],
            sec[BZ_SIGN_SECRET_LEN];
    uint8_t stream[104], all[74] = {'E', 'd'}, sum[BZ_HASH_LEN];
    struct bz_minisign_secret k;
    struct bz_buf text;
    bz_sign_keypair(pub, sec);
    memset(b + 6, 7, 32);
    b[38 + 1] = 0x80; /* 32768 operations */
    b[46 + 3] = 1;    /* 16 MiB */
    memcpy(b + 54, "01234567", 8);
    memcpy(b + 62, sec, sizeof sec);
    memcpy(all + 2, b + 54, 72);
    bz_blake2b256(bz_view(all, sizeof all), sum);
    memcpy(b + 126, sum, sizeof sum);
    assert_int_equal(
        bz_scrypt_stream(BZ_V("open sesame"), b + 6, 32768, 16u << 20, stream, sizeof stream),
        BZ_OK);
    for (size_t i = 0; i < sizeof stream; i++)
        b[54 + i] ^= stream[i];
    bz_buf_init(&text, 4096);
    bz_buf_puts(&text, "untrusted comment: x\n");
    bz_buf_put_b64(&text, bz_view(b, sizeof b));
    bz_buf_putc(&text, '\n');
    assert_int_equal(bz_minisign_secret(bz_buf_view(&text), BZ_V("open sesame"), &k), BZ_OK);
    assert_memory_equal(k.key, sec, sizeof sec);
    assert_int_equal(bz_minisign_secret(bz_buf_view(&text), BZ_V("open Sesame"), &k), BZ_EDENIED);
    assert_int_equal(bz_minisign_secret(bz_buf_view(&text), bz_view(NULL, 0), &k), BZ_EDENIED);
    bz_buf_free(&text);
    assert_int_equal(bz_scrypt_stream(BZ_V("x"), b + 6, 32768, (1ull << 30) + 1, stream, 8),
                     BZ_EINVAL);
    assert_int_equal(bz_scrypt_stream(BZ_V("x"), b + 6, 1, 16u << 20, stream, 8), BZ_EINVAL);
}

static void minisign_malformed(void **state) {
    static const char *const bad[] = {
        "",
        "untrusted comment: x\n",
        "RWQ=\n",
        "untrusted comment: x\nRUQ\ntrusted comment: y\nAAAA\n",
        "untrusted comment: x\nAAAA\ntrusted comment: y\nAAAA\nmore\n",
    };
    struct bz_minisign m;
    struct bz_minisign_public p;
    struct bz_minisign_secret s;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bz_diag d = {0, NULL};
        assert_int_equal(bz_minisign_parse(bz_view_str(bad[i]), &m, &d), BZ_ESYNTAX);
        assert_non_null(d.why);
        assert_int_equal(bz_minisign_public(bz_view_str(bad[i]), &p), BZ_ESYNTAX);
        assert_int_equal(bz_minisign_secret(bz_view_str(bad[i]), BZ_V("x"), &s), BZ_ESYNTAX);
    }
}

static void blake2b_published(void **state) {
    /* RFC 7693, appendix A: "abc" */
    uint8_t out[64];
    struct bz_blake2b b;
    bz_blake2b512_init(&b);
    bz_blake2b512_add(&b, BZ_V("abc"));
    bz_blake2b512_end(&b, out);
    assert_memory_equal(out, "\xba\x80\xa5\x3f\x98\x1c\x4d\x0d\x6a\x27\x97\xb6\x9f\x12\xf6\xe9",
                        16);
}

/* The key of Sigstore's log of 2025, and the id that its trusted root gives it. */
static void note_id_published(void **state) {
    uint8_t spki[64], want[BZ_HASH_LEN], id[BZ_HASH_LEN];
    size_t n = 0, want_n = 0;
    struct pki_key *k = NULL;
    assert_int_equal(
        bz_b64_decode(BZ_V("MCowBQYDK2VwAyEAt8rlp1knGwjfbcXAYPYAkn0XiLz1x8O4t0YkEhie244="), spki,
                      sizeof spki, &n),
        BZ_OK);
    assert_int_equal(bz_b64_decode(BZ_V("zxGZFVvd0FEmjR8WrFwMdcAJ9vtaY/QXf44Y1wUeP6A="), want,
                                   sizeof want, &want_n),
                     BZ_OK);
    assert_int_equal(pki_key_public_der(bz_view(spki, n), &k), BZ_OK);
    assert_int_equal(pki_key_note_id(k, BZ_V("log2025-1.rekor.sigstore.dev"), id), BZ_OK);
    assert_memory_equal(id, want, sizeof id);
    assert_int_equal(pki_key_note_id(k, BZ_V("log2025-2.rekor.sigstore.dev"), id), BZ_OK);
    assert_memory_not_equal(id, want, sizeof id);
    pki_key_free(k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(order_of_names),
        cmocka_unit_test(ignored),
        cmocka_unit_test(statement_round_trip),
        cmocka_unit_test(empty_statement),
        cmocka_unit_test(statements_refused),
        cmocka_unit_test(old_statement),
        cmocka_unit_test(compare),
        cmocka_unit_test(bundle_round_trip),
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(minisign_round_trip),
        cmocka_unit_test(minisign_locked_key),
        cmocka_unit_test(minisign_malformed),
        cmocka_unit_test(blake2b_published),
        cmocka_unit_test(note_id_published),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
