/* Bodies at rest: sealed by who cannot open, opened by who holds the key, and by nobody once it is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <bartizan/bodies.h>

static struct { uint8_t pub[BZ_BOX_LEN], sec[BZ_BOX_LEN]; } box;
static const uint8_t dek[BZ_KEY_LEN] = {3}, key_id[BZ_BODY_KEY_ID] = {9};

static int init(void **state) {
    if (bz_crypto_init() != BZ_OK)
        return -1;
    bz_box_keypair(box.pub, box.sec);
    return 0;
}

static struct bz_body some_body(void) {
    return (struct bz_body){.id = {0x01, 0x9a, 0xff, 4},
                            .part = BZ_BODY_REPLY,
                            .level = 2,
                            .time_ms = 1234567890123,
                            .user = BZ_V("alice"),
                            .conversation = BZ_V("c-1"),
                            .key_id = BZ_V("abcdefghijkl"),
                            .model = BZ_V("m"),
                            .type = BZ_V("application/json"),
                            .body = BZ_V("{\"a\":\"canary\"}")};
}

static void assert_same(const struct bz_body *a, const struct bz_body *b, bool names) {
    assert_memory_equal(a->id, b->id, sizeof a->id);
    assert_int_equal(a->part, b->part);
    assert_int_equal(a->level, b->level);
    assert_int_equal(a->time_ms, b->time_ms);
    assert_true(bz_view_eq(a->key_id, b->key_id) && bz_view_eq(a->model, b->model));
    assert_true(bz_view_eq(a->type, b->type) && bz_view_eq(a->body, b->body));
    assert_int_equal(a->cut, b->cut);
    assert_true(names ? bz_view_eq(a->user, b->user) && bz_view_eq(a->conversation, b->conversation)
                      : b->user.n == 0 && b->conversation.n == 0);
}

static void sealed(const struct bz_body *b, struct bz_buf *out) {
    bz_buf_init(out, 64u << 20);
    assert_int_equal(bz_body_seal(box.pub, b, out), BZ_OK);
}

static void spool_there_and_back(void **state) {
    struct bz_body b = some_body(), got;
    struct bz_buf f, mem;
    sealed(&b, &f);
    bz_buf_init(&mem, 64u << 20);
    assert_int_equal(bz_body_open(box.sec, bz_buf_view(&f), &mem, &got), BZ_OK);
    assert_same(&b, &got, true);
    assert_null(memmem(f.p, f.n, "canary", 6));
    assert_null(memmem(f.p, f.n, "alice", 5));
    uint8_t hint[BZ_BODY_HINT];
    assert_true(bz_body_hint(bz_buf_view(&f), hint));
    assert_memory_equal(hint, box.pub, sizeof hint);
    assert_false(bz_body_hint(bz_view(f.p, 11), hint) || bz_body_hint(bz_view(f.p + 1, 40), hint));
    bz_buf_free(&f);
    bz_buf_free(&mem);
}

static void spool_empty_and_longest(void **state) {
    struct bz_body b = some_body(), got;
    struct bz_buf f, mem;
    uint8_t *big = calloc(1, BZ_STORED_BODY_MAX + 1);
    bz_buf_init(&mem, 64u << 20);
    b.body = b.conversation = b.key_id = b.model = b.type = bz_view(NULL, 0);
    sealed(&b, &f);
    assert_int_equal(bz_body_open(box.sec, bz_buf_view(&f), &mem, &got), BZ_OK);
    assert_same(&b, &got, true);
    bz_buf_free(&f);
    b.body = bz_view(big, BZ_STORED_BODY_MAX);
    sealed(&b, &f);
    assert_int_equal(bz_body_open(box.sec, bz_buf_view(&f), &mem, &got), BZ_OK);
    assert_same(&b, &got, true);
    bz_buf_free(&f);
    b.body = bz_view(big, BZ_STORED_BODY_MAX + 1);
    sealed(&b, &f);
    assert_int_equal(bz_body_open(box.sec, bz_buf_view(&f), &mem, &got), BZ_OK);
    assert_true(got.cut && got.body.n == BZ_STORED_BODY_MAX);
    bz_buf_free(&f);
    bz_buf_free(&mem);
    free(big);
}

static void what_cannot_be_stored(void **state) {
    static const uint8_t zero[BZ_BOX_LEN] = {0};
    char name[BZ_STORED_NAME_MAX + 1];
    struct bz_body b = some_body();
    struct bz_buf f;
    memset(name, 'x', sizeof name);
    bz_buf_init(&f, 1 << 20);
    b.user = bz_view(NULL, 0);
    assert_int_equal(bz_body_seal(box.pub, &b, &f), BZ_EINVAL);
    b = some_body();
    b.level = BZ_BODY_LEVELS;
    assert_int_equal(bz_body_seal(box.pub, &b, &f), BZ_EINVAL);
    b = some_body();
    b.model = bz_view(name, sizeof name);
    assert_int_equal(bz_body_seal(box.pub, &b, &f), BZ_EINVAL);
    b.model = bz_view(name, sizeof name - 1);
    assert_int_equal(bz_body_seal(box.pub, &b, &f), BZ_OK);
    assert_int_equal(bz_body_seal(zero, &b, &f), BZ_EINTERNAL); /* no key at all */
    bz_buf_free(&f);
    bz_buf_init_fixed(&f, name, sizeof name);
    assert_int_equal(bz_body_seal(box.pub, &b, &f), BZ_ETOOBIG);
}

static void every_change_is_seen(void **state) {
    struct bz_body b = some_body(), got;
    struct bz_buf f, mem;
    static const uint8_t other[BZ_BOX_LEN] = {2};
    sealed(&b, &f);
    bz_buf_init(&mem, 1 << 20);
    for (size_t i = 0; i < f.n; i++) {
        f.p[i] ^= 1;
        enum bz_status st = bz_body_open(box.sec, bz_buf_view(&f), &mem, &got);
        if (i >= 4 && i < 4 + BZ_BODY_HINT) /* only says which key to try */
            assert_int_equal(st, BZ_OK);
        else
            assert_true(st == BZ_ECORRUPT || (i == 3 && st == BZ_EVERSION));
        f.p[i] ^= 1;
        assert_int_equal(bz_body_open(box.sec, bz_view(f.p, i), &mem, &got),
                         i == 3 ? BZ_EVERSION : BZ_ECORRUPT);
    }
    assert_int_equal(bz_body_open(other, bz_buf_view(&f), &mem, &got), BZ_ECORRUPT);
    bz_buf_free(&f);
    bz_buf_free(&mem);
}

/* What a worker that was taken over may seal: opened, and refused. */
static void fields_that_cannot_be(void **state) {
    uint8_t plain[128] = {1}, file[12 + sizeof plain + BZ_BOX_EXTRA] = "BZB1";
    struct bz_buf mem;
    struct bz_body got;
    bz_buf_init(&mem, 1 << 20);
    for (size_t n = 0; n < sizeof plain; n++) {
        for (int c = 0; c < 256; c += 51) {
            memset(plain + 1, c, sizeof plain - 1);
            assert_int_equal(bz_box_seal(box.pub, bz_view(plain, n), file + 12), BZ_OK);
            enum bz_status st =
                bz_body_open(box.sec, bz_view(file, 12 + n + BZ_BOX_EXTRA), &mem, &got);
            assert_true(st == BZ_ESYNTAX || st == BZ_ECORRUPT);
        }
    }
    plain[0] = 2;
    assert_int_equal(bz_box_seal(box.pub, bz_view(plain, 60), file + 12), BZ_OK);
    assert_int_equal(bz_body_open(box.sec, bz_view(file, 72 + BZ_BOX_EXTRA), &mem, &got),
                     BZ_EVERSION);
    bz_buf_free(&mem);
}

static void at_rest_in_its_place_only(void **state) {
    struct bz_body b = some_body(), got;
    struct bz_body_place at = bz_body_place(&b, key_id), wrong;
    struct bz_buf f, mem;
    uint8_t other[BZ_KEY_LEN] = {4};
    bz_buf_init(&f, 1 << 20);
    bz_buf_init(&mem, 1 << 20);
    assert_int_equal(bz_body_store(dek, &at, &b, &f), BZ_OK);
    assert_int_equal(bz_body_load(dek, &at, bz_buf_view(&f), &mem, &got), BZ_OK);
    assert_same(&b, &got, false);
    assert_int_equal(bz_body_load(other, &at, bz_buf_view(&f), &mem, &got), BZ_ECORRUPT);
    for (int what = 0; what < 5; what++) { /* rows exchanged, or their columns edited */
        wrong = at;
        wrong.id[15] ^= what == 0;
        wrong.part ^= what == 1;
        wrong.level ^= what == 2;
        wrong.time_ms ^= what == 3;
        wrong.key[0] ^= what == 4;
        assert_int_equal(bz_body_load(dek, &wrong, bz_buf_view(&f), &mem, &got), BZ_ECORRUPT);
    }
    for (size_t i = 0; i < f.n; i++) {
        f.p[i] ^= 0x80;
        assert_int_equal(bz_body_load(dek, &at, bz_buf_view(&f), &mem, &got), BZ_ECORRUPT);
        f.p[i] ^= 0x80;
        assert_int_equal(bz_body_load(dek, &at, bz_view(f.p, i), &mem, &got), BZ_ECORRUPT);
    }
    bz_buf_free(&f);
    bz_buf_free(&mem);
}

/* Nonces are random: the same body twice gives two ciphertexts. */
static void no_two_are_alike(void **state) {
    struct bz_body b = some_body();
    struct bz_body_place at = bz_body_place(&b, key_id);
    struct bz_buf x, y;
    bz_buf_init(&x, 1 << 20);
    bz_buf_init(&y, 1 << 20);
    assert_int_equal(bz_body_store(dek, &at, &b, &x), BZ_OK);
    assert_int_equal(bz_body_store(dek, &at, &b, &y), BZ_OK);
    assert_int_equal(x.n, y.n);
    assert_memory_not_equal(x.p, y.p, 24);
    assert_memory_not_equal(x.p + 24, y.p + 24, x.n - 24);
    bz_buf_free(&x);
    bz_buf_free(&y);
}

static void names_of_spool_files(void **state) {
    static const char *const bad[] = {"",
                                      ".",
                                      "019aff04000000000000000000000000",
                                      "019aff04000000000000000000000000.x",
                                      "019aff04000000000000000000000000.q.tmp",
                                      "019AFF04000000000000000000000000.q",
                                      "019aff0400000000000000000000000g.q",
                                      "019aff0400000000000000000000000.qq"};
    struct bz_body b = some_body();
    char name[BZ_BODY_NAME];
    uint8_t id[BZ_BODY_ID];
    enum bz_body_part part = BZ_BODY_REQUEST;
    bz_body_name(b.id, BZ_BODY_REPLY, name);
    assert_string_equal(name, "019aff04000000000000000000000000.a");
    assert_true(bz_body_name_parse(name, id, &part) && part == BZ_BODY_REPLY);
    assert_memory_equal(id, b.id, sizeof id);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(bz_body_name_parse(bad[i], id, &part));
}

static void wrapped_keys(void **state) {
    static const uint8_t above[BZ_KEY_LEN] = {5}, other[BZ_KEY_LEN] = {6},
                         id2[BZ_BODY_KEY_ID] = {8};
    uint8_t w[BZ_WRAPPED_LEN], out[BZ_KEY_LEN];
    struct bz_view v = bz_view(w, sizeof w), a = BZ_V("alice");
    assert_int_equal(bz_body_wrap(above, BZ_WRAP_USER, key_id, a, dek, w), BZ_OK);
    assert_int_equal(bz_body_unwrap(above, BZ_WRAP_USER, key_id, a, v, out), BZ_OK);
    assert_memory_equal(out, dek, sizeof out);
    assert_int_equal(bz_body_unwrap(above, BZ_WRAP_USER, key_id, BZ_V("ALICE"), v, out), BZ_OK);
    assert_int_equal(bz_body_unwrap(other, BZ_WRAP_USER, key_id, a, v, out), BZ_ECORRUPT);
    assert_int_equal(bz_body_unwrap(above, BZ_WRAP_CONVERSATION, key_id, a, v, out), BZ_ECORRUPT);
    assert_int_equal(bz_body_unwrap(above, BZ_WRAP_USER, id2, a, v, out), BZ_ECORRUPT);
    assert_int_equal(bz_body_unwrap(above, BZ_WRAP_USER, key_id, BZ_V("bob"), v, out), BZ_ECORRUPT);
    assert_int_equal(bz_body_unwrap(above, BZ_WRAP_USER, key_id, a, bz_view(w, sizeof w - 1), out),
                     BZ_ECORRUPT);
}

static struct bz_erased some_erasure(void) {
    struct bz_erased e = {.kind = BZ_WRAP_CONVERSATION, .key = {7}, .time_ms = 99};
    struct bz_view c = BZ_V("c-1");
    bz_erased_name(dek, BZ_V("alice"), &c, e.name);
    return e;
}

static void erasures_there_and_back(void **state) {
    struct bz_erased e = some_erasure(), u = e, got;
    struct bz_buf b;
    u.kind = BZ_WRAP_USER;
    bz_buf_init(&b, 4096);
    bz_erased_put(dek, &e, &b);
    bz_erased_put(dek, &u, &b);
    struct bz_view rest = bz_buf_view(&b);
    assert_int_equal(bz_erased_next(dek, &rest, &got), BZ_OK);
    assert_int_equal(got.kind, e.kind);
    assert_int_equal(got.time_ms, 99);
    assert_memory_equal(got.key, e.key, sizeof e.key);
    assert_memory_equal(got.name, e.name, sizeof e.name);
    assert_int_equal(bz_erased_next(dek, &rest, &got), BZ_OK);
    assert_int_equal(got.kind, BZ_WRAP_USER);
    assert_int_equal(bz_erased_next(dek, &rest, &got), BZ_MORE);
    bz_buf_free(&b);
}

static void erasures_that_were_edited(void **state) {
    struct bz_erased e = some_erasure(), got;
    struct bz_buf b;
    bz_buf_init(&b, 4096);
    bz_erased_put(dek, &e, &b);
    for (size_t i = 0; i < b.n - 1; i++) {
        b.p[i] ^= 1;
        struct bz_view rest = bz_buf_view(&b);
        enum bz_status st = bz_erased_next(dek, &rest, &got);
        assert_true(st == BZ_EDENIED || st == BZ_ESYNTAX);
        b.p[i] ^= 1;
        rest = bz_view(b.p, i); /* torn */
        assert_int_equal(bz_erased_next(dek, &rest, &got), i == 0 ? BZ_MORE : BZ_ESYNTAX);
        assert_int_equal(rest.n, 0);
    }
    bz_buf_free(&b);
}

static void erased_names(void **state) {
    static const uint8_t other_key[BZ_KEY_LEN] = {6};
    uint8_t a[32], b[32];
    struct bz_view none = bz_view(NULL, 0), c = BZ_V("c");
    bz_erased_name(dek, BZ_V("Alice"), NULL, a);
    bz_erased_name(dek, BZ_V("alicE"), NULL, b);
    assert_memory_equal(a, b, 32);
    bz_erased_name(dek, BZ_V("alice"), &none, b);
    assert_memory_not_equal(a, b, 32);
    bz_erased_name(dek, BZ_V("alicec"), &none, a);
    bz_erased_name(dek, BZ_V("alice"), &c, b);
    assert_memory_not_equal(a, b, 32);
    bz_erased_name(other_key, BZ_V("alice"), &c, a); /* needs the key */
    assert_memory_not_equal(a, b, 32);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spool_there_and_back),
        cmocka_unit_test(spool_empty_and_longest),
        cmocka_unit_test(what_cannot_be_stored),
        cmocka_unit_test(every_change_is_seen),
        cmocka_unit_test(fields_that_cannot_be),
        cmocka_unit_test(at_rest_in_its_place_only),
        cmocka_unit_test(no_two_are_alike),
        cmocka_unit_test(names_of_spool_files),
        cmocka_unit_test(wrapped_keys),
        cmocka_unit_test(erasures_there_and_back),
        cmocka_unit_test(erasures_that_were_edited),
        cmocka_unit_test(erased_names),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
