/* Checkpoints and verifier keys: C2SP signed-note and tlog-checkpoint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <bartizan/audit.h>
#include <bartizan/text.h>

static uint8_t pub[BZ_SIGN_PUBLIC_LEN];
static uint8_t sec[BZ_SIGN_SECRET_LEN];

static int setup(void **state) {
    if (bz_crypto_init() != BZ_OK)
        return -1;
    bz_sign_keypair(pub, sec);
    return 0;
}

/* The key of the examples in Go's golang.org/x/mod/sumdb/note, which defined the format. */
static void published_key(void **state) {
    struct bz_view line =
        BZ_V("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    struct bz_view origin;
    uint8_t key[BZ_SIGN_PUBLIC_LEN];
    assert_int_equal(bz_verifier_key_parse(line, &origin, key), BZ_OK);
    assert_true(bz_view_eq(origin, BZ_V("PeterNeumann")));
    struct bz_buf b;
    bz_buf_init(&b, 200);
    bz_verifier_key(origin, key, &b);
    assert_true(bz_view_eq(bz_buf_view(&b), line));
    /* and its signature: four bytes of key hash, then Ed25519 over the text */
    struct bz_view text = BZ_V("If you think cryptography is the answer to your problem,\n"
                               "then you don't know what your problem is.\n");
    struct bz_view b64 =
        BZ_V("x08go/ZJkuBS9UG/"
             "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=");
    uint8_t sig[80];
    size_t n = 0;
    assert_int_equal(bz_b64_decode(b64, sig, sizeof sig, &n), BZ_OK);
    assert_int_equal(n, 4 + BZ_SIGN_LEN);
    assert_memory_equal(sig, "\xc7\x4f\x20\xa3", 4);
    assert_true(bz_sign_check(key, text, sig + 4));
    bz_buf_free(&b);
}

static void verifier_lines(void **state) {
    static const char *const bad[] = {
        "",
        "PeterNeumann",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a3+",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n\n",
        "PeterNeumann+xxxxxxxx+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    };
    struct bz_view origin;
    uint8_t key[BZ_SIGN_PUBLIC_LEN];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(bz_verifier_key_parse(bz_view_str(bad[i]), &origin, key), BZ_ESYNTAX);
    /* a key or a name that does not belong to the hash */
    assert_int_equal(bz_verifier_key_parse(
                         BZ_V("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
                         &origin, key),
                     BZ_EDENIED);
    assert_int_equal(
        bz_verifier_key_parse(
            BZ_V("PeterNeumanm+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n"), &origin,
            key),
        BZ_EDENIED);
}

static void make(struct bz_buf *b, uint64_t size) {
    struct bz_checkpoint c = {.origin = BZ_V("bartizan.local/0011223344556677"), .size = size};
    for (size_t i = 0; i < sizeof c.root.b; i++)
        c.root.b[i] = (uint8_t)(i * 5 + size);
    bz_buf_init(b, BZ_CHECKPOINT_MAX);
    bz_checkpoint_sign(&c, sec, b);
    assert_int_equal(bz_buf_status(b), BZ_OK);
}

static const struct bz_view origin = {(const uint8_t *)"bartizan.local/0011223344556677", 31};

static void roundtrip(void **state) {
    static const uint64_t sizes[] = {0, 1, 255, 70000, UINT64_MAX};
    for (size_t i = 0; i < 5; i++) {
        struct bz_buf b;
        make(&b, sizes[i]);
        struct bz_checkpoint c;
        assert_int_equal(bz_checkpoint_open(bz_buf_view(&b), origin, pub, &c), BZ_OK);
        assert_int_equal(c.size, sizes[i]);
        assert_int_equal(c.root.b[3], (uint8_t)(15 + sizes[i]));
        assert_true(bz_view_eq(c.origin, origin));
        bz_buf_free(&b);
    }
}

/* Every single bit of a checkpoint matters. */
static void bit_flips(void **state) {
    struct bz_buf b;
    make(&b, 70000);
    struct bz_checkpoint c;
    for (size_t i = 0; i < b.n * 8; i++) {
        b.p[i / 8] ^= (uint8_t)(1u << (i % 8));
        assert_int_not_equal(bz_checkpoint_open(bz_buf_view(&b), origin, pub, &c), BZ_OK);
        b.p[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
    for (size_t i = 0; i < b.n; i++)
        assert_int_not_equal(bz_checkpoint_open(bz_view(b.p, i), origin, pub, &c), BZ_OK);
    uint8_t other[BZ_SIGN_PUBLIC_LEN];
    uint8_t other_sec[BZ_SIGN_SECRET_LEN];
    bz_sign_keypair(other, other_sec);
    assert_int_equal(bz_checkpoint_open(bz_buf_view(&b), origin, other, &c), BZ_EDENIED);
    assert_int_equal(
        bz_checkpoint_open(bz_buf_view(&b), BZ_V("bartizan.local/0011223344556678"), pub, &c),
        BZ_EDENIED);
    bz_buf_free(&b);
}

/* A note of any text, signed well: the parser must judge the text. */
static enum bz_status signed_text(const char *text, const char *more_sigs) {
    struct bz_buf b;
    bz_buf_init(&b, BZ_CHECKPOINT_MAX);
    struct bz_buf key;
    bz_buf_init(&key, 300);
    bz_verifier_key(origin, pub, &key);
    uint8_t sig[4 + BZ_SIGN_LEN];
    size_t n;
    assert_int_equal(bz_hex_decode(bz_view(key.p + origin.n + 1, 8), sig, 4, &n), BZ_OK);
    bz_sign(sec, bz_view_str(text), sig + 4);
    bz_buf_puts(&b, text);
    bz_buf_puts(&b, "\n\xe2\x80\x94 ");
    bz_buf_put(&b, origin);
    bz_buf_putc(&b, ' ');
    bz_buf_put_b64(&b, bz_view(sig, sizeof sig));
    bz_buf_puts(&b, "\n");
    bz_buf_puts(&b, more_sigs);
    struct bz_checkpoint c;
    enum bz_status st = bz_checkpoint_open(bz_buf_view(&b), origin, pub, &c);
    bz_buf_free(&b);
    bz_buf_free(&key);
    return st;
}

#define O "bartizan.local/0011223344556677\n"
#define R "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
static void texts(void **state) {
    assert_int_equal(signed_text(O "5\n" R, ""), BZ_OK);
    assert_int_equal(signed_text(O "5\n" R "extension\nmore\n", ""), BZ_OK);
    static const char *const bad[] = {
        O "05\n" R,
        O "-5\n" R,
        O "\n" R,
        O "5 \n" R,
        O "18446744073709551616\n" R,
        O "5\n",
        O "5\nAAAA\n",
        O "5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n",
        O "5\n" R "\nafter an empty line\n",
        "other\n5\n" R,
        "\n" O "5\n" R,
        O "5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_not_equal(signed_text(bad[i], ""), BZ_OK);
}

static void other_signatures(void **state) {
    /* unknown keys are ignored, also those of our name */
    assert_int_equal(
        signed_text(O "5\n" R,
                    "\xe2\x80\x94 witness.example Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDc=\n"),
        BZ_OK);
    assert_int_equal(
        signed_text(O "5\n" R, "\xe2\x80\x94 bartizan.local/0011223344556677 AAAAAA==\n"), BZ_OK);
    /* what is no signature line is not */
    assert_int_equal(signed_text(O "5\n" R, "witness.example AAAA\n"), BZ_ESYNTAX);
    assert_int_equal(signed_text(O "5\n" R, "\xe2\x80\x94 witness.example\n"), BZ_ESYNTAX);
    assert_int_equal(signed_text(O "5\n" R, "\xe2\x80\x94  AAAA\n"), BZ_ESYNTAX);
    assert_int_equal(signed_text(O "5\n" R, "\xe2\x80\x94 a\x01 AAAA\n"), BZ_ESYNTAX);
    assert_int_equal(signed_text(O "5\n" R, "\xe2\x80\x94 \xff AAAA\n"), BZ_ESYNTAX);
    assert_int_equal(signed_text(O "5\n" R, "\xe2\x80\x94 no end of line AAAA"), BZ_ESYNTAX);
}

/* Our key's name and hash with a signature that does not fit: reject, even beside a good one. */
static void known_key_must_fit(void **state) {
    struct bz_buf a;
    struct bz_buf b;
    make(&a, 5);
    make(&b, 6);
    const uint8_t *sig = memmem(b.p, b.n, "\n\n", 2);
    assert_non_null(sig);
    sig += 2;
    bz_buf_put(&a, bz_view(sig, (size_t)(b.p + b.n - sig)));
    struct bz_checkpoint c;
    assert_int_equal(bz_checkpoint_open(bz_buf_view(&a), origin, pub, &c), BZ_EDENIED);
    bz_buf_free(&a);
    bz_buf_free(&b);
}

static void names(void **state) {
    static const char *const bad[] = {"", "a b", "a+b", "a\nb", "a\x7f", "a\xc2\xa0", "a\t"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bz_checkpoint c = {.origin = bz_view_str(bad[i]), .size = 1};
        struct bz_buf b;
        bz_buf_init(&b, 1000);
        bz_checkpoint_sign(&c, sec, &b);
        assert_int_equal(bz_buf_status(&b), BZ_EINVAL);
        bz_buf_free(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_key),
        cmocka_unit_test(verifier_lines),
        cmocka_unit_test(roundtrip),
        cmocka_unit_test(bit_flips),
        cmocka_unit_test(texts),
        cmocka_unit_test(other_signatures),
        cmocka_unit_test(known_key_must_fit),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, setup, NULL);
}
