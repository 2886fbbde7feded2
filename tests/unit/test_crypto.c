#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <bartizan/buf.h>
#include <bartizan/crypto.h>
#include <bartizan/text.h>

static void assert_hex(const uint8_t *got, size_t n, const char *want) {
    uint8_t bytes[64];
    size_t want_n = 0;
    assert_int_equal(bz_hex_decode(bz_view_str(want), bytes, sizeof bytes, &want_n), BZ_OK);
    assert_int_equal(n, want_n);
    assert_memory_equal(got, bytes, n);
}

static const uint8_t long_body[5000] = "what both libraries can hash";
static uint8_t digest_before_init[16]; /* libsodium alone */

static int init(void **state) {
    static const uint8_t key[BZ_KEY_LEN] = {7};
    bz_body_digest(key, 9, bz_view(long_body, sizeof long_body), digest_before_init);
    return bz_crypto_init() == BZ_OK && bz_crypto_init() == BZ_OK ? 0 : -1;
}

/* FIPS 180-4 examples. */
static void sha256_known_answers(void **state) {
    uint8_t out[BZ_HASH_LEN];
    bz_sha256(bz_view(NULL, 0), out);
    assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    bz_sha256(BZ_V("abc"), out);
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    bz_sha256(BZ_V("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), out);
    assert_hex(out, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void sha256_in_any_pieces(void **state) {
    uint8_t text[300], whole[BZ_HASH_LEN], parts[BZ_HASH_LEN];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 31);
    bz_sha256(bz_view(text, sizeof text), whole);
    for (size_t cut = 0; cut <= sizeof text; cut++) {
        struct bz_sha256 s;
        bz_sha256_init(&s);
        bz_sha256_add(&s, bz_view(text, cut));
        bz_sha256_add(&s, bz_view(NULL, 0));
        bz_sha256_add(&s, bz_view(text + cut, sizeof text - cut));
        bz_sha256_end(&s, parts);
        assert_memory_equal(parts, whole, sizeof whole);
    }
}

static void keyed_hash_and_subkeys_depend_on_everything(void **state) {
    uint8_t key[BZ_KEY_LEN] = {0}, a[32], b[32];
    bz_keyed_hash(key, BZ_V("x"), a);
    bz_keyed_hash(key, BZ_V("x"), b);
    assert_memory_equal(a, b, 32);
    bz_keyed_hash(key, BZ_V("y"), b);
    assert_memory_not_equal(a, b, 32);
    key[31] = 1;
    bz_keyed_hash(key, BZ_V("x"), b);
    assert_memory_not_equal(a, b, 32);
    bz_subkey(key, "keyhash_", 1, a);
    bz_subkey(key, "keyhash_", 2, b);
    assert_memory_not_equal(a, b, 32);
    bz_subkey(key, "digest__", 1, b);
    assert_memory_not_equal(a, b, 32);
    key[0] = 1;
    bz_subkey(key, "keyhash_", 1, b);
    assert_memory_not_equal(a, b, 32);
}

/* BLAKE2b-256 with key 00..1f of "abc", by the reference implementation (Python's hashlib). */
static void keyed_hash_known_answer(void **state) {
    uint8_t key[BZ_KEY_LEN], out[32];
    for (uint8_t i = 0; i < BZ_KEY_LEN; i++)
        key[i] = i;
    bz_keyed_hash(key, BZ_V("abc"), out);
    assert_hex(out, 32, "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");
}

static void body_digests(void **state) {
    uint8_t key[BZ_KEY_LEN] = {3}, a[16], b[16];
    static uint8_t body[70000];
    memset(body, 'x', sizeof body);
    static const size_t sizes[] = {0, 1, 15, 16, 17, 500, 640, 641, 4096, 65536, 70000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct bz_view v = bz_view(body, sizes[i]);
        bz_body_digest(key, 5, v, a);
        bz_body_digest(key, 5, v, b);
        assert_memory_equal(a, b, 16);
        bz_body_digest(key, 6, v, b);
        assert_memory_not_equal(a, b, 16);
        bz_body_digest(key, 5 + (1ull << 63), v, b);
        assert_memory_not_equal(a, b, 16);
        key[31] ^= 0x80;
        bz_body_digest(key, 5, v, b);
        key[31] ^= 0x80;
        assert_memory_not_equal(a, b, 16);
        bz_body_digest(key, 5, bz_view(body, sizes[i] == 0 ? 1 : sizes[i] - 1), b);
        assert_memory_not_equal(a, b, 16);
        if (sizes[i] != 0) {
            body[sizes[i] - 1] ^= 1;
            bz_body_digest(key, 5, v, b);
            body[sizes[i] - 1] ^= 1;
            assert_memory_not_equal(a, b, 16);
        }
    }
}

/* Computed from the definitions of HChaCha20, SipHash and Poly1305 in Python. The value stands in
 * logs: it must not change from one release, or one library, to the next. */
static void body_digest_known_answer(void **state) {
    static const struct {
        size_t n;
        const char *want;
    } cases[] = {{640, "cfcfd469bda7d262224db1c9747128e7"},
                 {641, "406423880bafa4102c54eadd90b61cb8"},
                 {1000, "9ddb22e701839d61ffe74eb0d4d011ee"}};
    uint8_t key[BZ_KEY_LEN], out[16];
    for (uint8_t i = 0; i < BZ_KEY_LEN; i++)
        key[i] = i;
    bz_body_digest(key, 0x0102030405060708, BZ_V("{\"model\":\"assistant\"}"), out);
    assert_hex(out, 16, "f2b69fc93bef2accd8c02a8d5ae1a5d6");
    uint8_t body[1000];
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bz_body_digest(key, 0x0102030405060708, bz_view(body, cases[i].n), out);
        assert_hex(out, 16, cases[i].want);
    }
}

/* SipHash-2-4 of its authors' reference vectors: key 00..0f, text 00..0e. */
static void name_hash_known_answer(void **state) {
    uint8_t seed[16], text[15];
    for (uint8_t i = 0; i < 16; i++)
        seed[i] = i;
    memcpy(text, seed, sizeof text);
    assert_true(bz_name_hash(seed, bz_view(text, sizeof text)) == 0xa129ca6149be45e5);
    assert_true(bz_name_hash(seed, bz_view(NULL, 0)) == 0x726fdb47dd0e0e31);
}

static void both_libraries_agree_on_the_digest(void **state) {
    static const uint8_t key[BZ_KEY_LEN] = {7};
    uint8_t out[16];
    bz_body_digest(key, 9, bz_view(long_body, sizeof long_body), out);
    assert_memory_equal(out, digest_before_init, sizeof out);
}

static void signatures(void **state) {
    uint8_t pub[BZ_SIGN_PUBLIC_LEN], sec[BZ_SIGN_SECRET_LEN], sig[BZ_SIGN_LEN];
    bz_sign_keypair(pub, sec);
    bz_sign(sec, BZ_V("checkpoint"), sig);
    assert_true(bz_sign_check(pub, BZ_V("checkpoint"), sig));
    assert_false(bz_sign_check(pub, BZ_V("checkpoinT"), sig));
    for (size_t i = 0; i < BZ_SIGN_LEN; i++) {
        sig[i] ^= 4;
        assert_false(bz_sign_check(pub, BZ_V("checkpoint"), sig));
        sig[i] ^= 4;
    }
    pub[0] ^= 1;
    assert_false(bz_sign_check(pub, BZ_V("checkpoint"), sig));
}

static void seals(void **state) {
    uint8_t key[BZ_KEY_LEN] = {1}, sealed[5 + BZ_SEAL_EXTRA], again[5 + BZ_SEAL_EXTRA], plain[5];
    assert_int_equal(bz_seal(key, BZ_V("ad"), BZ_V("hello"), sealed), BZ_OK);
    assert_int_equal(bz_seal(key, BZ_V("ad"), BZ_V("hello"), again), BZ_OK);
    assert_memory_not_equal(sealed, again, sizeof sealed);
    struct bz_view v = bz_view(sealed, sizeof sealed);
    assert_int_equal(bz_unseal(key, BZ_V("ad"), v, plain), BZ_OK);
    assert_memory_equal(plain, "hello", 5);
    assert_int_equal(bz_unseal(key, BZ_V("aD"), v, plain), BZ_ECORRUPT);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        assert_int_equal(bz_unseal(key, BZ_V("ad"), v, plain), BZ_ECORRUPT);
        sealed[i] ^= 1;
        assert_int_equal(bz_unseal(key, BZ_V("ad"), bz_view(sealed, i), plain), BZ_ECORRUPT);
    }
    key[0] = 2;
    assert_int_equal(bz_unseal(key, BZ_V("ad"), v, plain), BZ_ECORRUPT);
}

/* RFC 8032, 7.1, test 1. */
static void signing_pair_of_a_seed(void **state) {
    uint8_t seed[BZ_KEY_LEN], pub[BZ_SIGN_PUBLIC_LEN], sec[BZ_SIGN_SECRET_LEN];
    size_t n = 0;
    const char *hex = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    assert_int_equal(bz_hex_decode(bz_view_str(hex), seed, sizeof seed, &n), BZ_OK);
    bz_sign_keypair_of(seed, pub, sec);
    assert_hex(pub, 32, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}

static void boxes(void **state) {
    uint8_t pub[BZ_BOX_LEN], sec[BZ_BOX_LEN], other[BZ_BOX_LEN], same[BZ_BOX_LEN];
    uint8_t box[5 + BZ_BOX_EXTRA], again[5 + BZ_BOX_EXTRA], plain[5];
    bz_box_keypair(pub, sec);
    bz_box_public(sec, same);
    assert_memory_equal(pub, same, sizeof pub);
    bz_box_keypair(same, other);
    assert_int_equal(bz_box_seal(pub, BZ_V("hello"), box), BZ_OK);
    assert_int_equal(bz_box_seal(pub, BZ_V("hello"), again), BZ_OK);
    assert_memory_not_equal(box, again, sizeof box);
    struct bz_view v = bz_view(box, sizeof box);
    assert_int_equal(bz_box_open(sec, v, plain), BZ_OK);
    assert_memory_equal(plain, "hello", 5);
    assert_int_equal(bz_box_open(other, v, plain), BZ_ECORRUPT);
    for (size_t i = 0; i < sizeof box; i++) {
        box[i] ^= 1;
        assert_int_equal(bz_box_open(sec, v, plain), BZ_ECORRUPT);
        box[i] ^= 1;
        assert_int_equal(bz_box_open(sec, bz_view(box, i), plain), BZ_ECORRUPT);
    }
    memset(pub, 0, sizeof pub); /* a point of small order: nothing would be secret */
    assert_int_equal(bz_box_seal(pub, BZ_V("hello"), box), BZ_EINTERNAL);
}

static void secrets_and_small_helpers(void **state) {
    struct bz_secret s = {0};
    assert_int_equal(bz_secret_new(0, &s), BZ_EINVAL);
    assert_int_equal(bz_secret_new(32, &s), BZ_OK);
    bz_random(s.p, s.n);
    bz_secret_free(&s);
    assert_null(s.p);
    bz_secret_free(&s);
    bz_secret_free(NULL);
    uint8_t a[32] = {0}, b[32] = {0};
    bz_random(a, sizeof a);
    assert_memory_not_equal(a, b, sizeof a);
    assert_false(bz_ct_equal(bz_view(a, 32), bz_view(b, 32)));
    bz_wipe(a, sizeof a);
    assert_true(bz_ct_equal(bz_view(a, 32), bz_view(b, 32)));
    assert_false(bz_ct_equal(bz_view(a, 31), bz_view(b, 32)));
    assert_true(bz_ct_equal(bz_view(NULL, 0), bz_view(NULL, 0)));
    bz_wipe(NULL, 0);
}

/* As OpenSSL 3.2 computes it: 2 passes, 64 KiB, one lane, no secret. */
static void keys_from_passphrases(void **state) {
    uint8_t out[BZ_KEY_LEN], salt[BZ_SALT_LEN + 1] = "somesaltsomesalt";
    assert_int_equal(bz_pass_key(BZ_V("password"), salt, 2, 64 << 10, out), BZ_OK);
    assert_hex(out, 32, "1a98fba8e6394425c9bdc333a9c750aaf811df070f5fb4a5788e1cf4db5793a1");
    assert_int_equal(bz_pass_key(BZ_V("password"), salt, 0, 64 << 10, out), BZ_EINVAL);
    assert_int_equal(bz_pass_key(BZ_V("password"), salt, 2, 1, out), BZ_EINVAL);
    assert_int_equal(bz_pass_key(BZ_V("password"), salt, 2, 5ull << 30, out), BZ_EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_known_answers),
        cmocka_unit_test(sha256_in_any_pieces),
        cmocka_unit_test(keyed_hash_and_subkeys_depend_on_everything),
        cmocka_unit_test(keyed_hash_known_answer),
        cmocka_unit_test(body_digests),
        cmocka_unit_test(body_digest_known_answer),
        cmocka_unit_test(name_hash_known_answer),
        cmocka_unit_test(both_libraries_agree_on_the_digest),
        cmocka_unit_test(signatures),
        cmocka_unit_test(seals),
        cmocka_unit_test(signing_pair_of_a_seed),
        cmocka_unit_test(boxes),
        cmocka_unit_test(keys_from_passphrases),
        cmocka_unit_test(secrets_and_small_helpers),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
