/* The policy image: what goes in comes out, and damage is found. */
#include "policy_fixture.h"

#define ASSERT_VIEW(v, text) assert_true(bz_view_eq(v, bz_view_str(text)))

static void test_settings_and_lists(void **state) {
    struct bz_image_input in = fx_input();
    struct bz_buf b;
    struct bz_image img;
    struct bz_settings s;
    fx_build(&in, &b, &img);
    assert_int_equal(bz_image_generation(&img), 42);
    bz_image_settings(&img, &s);
    assert_int_equal(s.audit, BZ_AUDIT_STRICT);
    assert_int_equal(s.audit_wait_ms, 2000);
    assert_int_equal(s.body_max, 123456);
    assert_true(s.hsts);
    assert_int_equal(s.backends_n, 3);
    assert_int_equal(s.models_n, 2);
    assert_int_equal(s.roles_n, 4);
    assert_memory_equal(s.key_pepper, in.key_pepper, sizeof in.key_pepper);
    assert_memory_equal(s.digest_key, in.digest_key, sizeof in.digest_key);
    assert_memory_equal(s.limit_seed, in.limit_seed, sizeof in.limit_seed);
    assert_true(bz_image_host_known(&img, BZ_V("LocalHost")));
    assert_true(bz_image_host_known(&img, BZ_V("[::1]")));
    assert_false(bz_image_host_known(&img, BZ_V("localhost.evil")));
    assert_false(bz_image_host_known(&img, BZ_V("localhos")));
    assert_false(bz_image_host_known(&img, BZ_V("")));
    assert_true(bz_image_origin_known(&img, BZ_V("https://app.example")));
    assert_false(bz_image_origin_known(&img, BZ_V("http://app.example")));
    assert_false(bz_image_origin_known(&img, BZ_V("null")));
    bz_buf_free(&b);
}

static void test_backends(void **state) {
    struct bz_image_input in = fx_input();
    struct bz_buf b;
    struct bz_image img;
    struct bz_backend be;
    fx_build(&in, &b, &img);
    assert_true(bz_image_backend(&img, 0, &be));
    ASSERT_VIEW(be.name, "a");
    assert_int_equal(be.type, BZ_SERVER_LLAMACPP);
    ASSERT_VIEW(be.host, "localhost:8080");
    ASSERT_VIEW(be.address, "127.0.0.1:8080");
    ASSERT_VIEW(be.authorization, "Bearer secret-of-a");
    assert_true(be.keep_alive && !be.tls);
    assert_true(bz_image_backend(&img, 1, &be));
    ASSERT_VIEW(be.host, "[::1]");
    ASSERT_VIEW(be.address, "[::1]:443");
    ASSERT_VIEW(be.authorization, "");
    assert_true(be.tls && !be.keep_alive);
    assert_true(bz_image_backend(&img, 2, &be));
    ASSERT_VIEW(be.host, "localhost");
    ASSERT_VIEW(be.address, "unix:/run/vllm.sock");
    assert_false(bz_image_backend(&img, 3, &be));
    assert_false(bz_image_backend(&img, UINT32_MAX, &be));
    bz_buf_free(&b);
}

static void test_resolved_addresses(void **state) {
    const char *addresses[] = {"10.1.2.3:99", NULL, ""};
    struct bz_image_input in = fx_input();
    struct bz_buf b;
    struct bz_image img;
    struct bz_backend be;
    char *url = fx_backends[0].url, name[] = "http://gpu.lan:99";
    fx_backends[0].url = name;
    bz_buf_init(&b, 1 << 20);
    assert_int_equal(bz_image_build(&in, &b), BZ_EINVAL); /* nobody resolved it */
    bz_buf_free(&b);
    in.backend_addresses = addresses;
    fx_build(&in, &b, &img);
    assert_true(bz_image_backend(&img, 0, &be));
    ASSERT_VIEW(be.address, "10.1.2.3:99");
    ASSERT_VIEW(be.host, "gpu.lan:99");
    assert_true(bz_image_backend(&img, 1, &be));
    ASSERT_VIEW(be.address, "[::1]:443");
    assert_true(bz_image_backend(&img, 2, &be));
    ASSERT_VIEW(be.address, "");
    bz_buf_free(&b);
    addresses[0] = "gpu.lan:99";
    bz_buf_init(&b, 1 << 20);
    assert_int_equal(bz_image_build(&in, &b), BZ_EINVAL);
    bz_buf_free(&b);
    fx_backends[0].url = url;
}

static void test_models(void **state) {
    struct bz_image_input in = fx_input();
    struct bz_buf b;
    struct bz_image img;
    struct bz_model m;
    fx_build(&in, &b, &img);
    assert_true(bz_image_model_find(&img, BZ_V("assistant"), &m));
    assert_int_equal(m.index, 0);
    ASSERT_VIEW(m.target, "tiny");
    assert_int_equal(m.backends, 5);
    assert_int_equal(m.limits.rate[BZ_METER_REQUESTS].per_minute, 60);
    assert_int_equal(m.limits.concurrent, 3);
    assert_int_equal(m.limits.body_max, 30000);
    assert_true(bz_image_model(&img, 1, &m));
    ASSERT_VIEW(m.name, "tiny");
    ASSERT_VIEW(m.target, "tiny");
    assert_int_equal(m.limits.concurrent, 0);
    assert_int_equal(m.limits.body_max, 0);
    assert_false(bz_image_model(&img, 2, &m));
    assert_false(bz_image_model_find(&img, BZ_V("assistan"), &m));
    assert_false(bz_image_model_find(&img, BZ_V(""), &m));
    bz_buf_free(&b);
}

static void test_many_models_are_all_found(void **state) {
    enum { n = BZ_MODELS_MAX };
    struct bz_image_input in = fx_input();
    struct bz_image_model_input *models = calloc(n + 1, sizeof *models);
    char(*names)[24] = calloc(n + 1, sizeof *names);
    for (size_t i = 0; i <= n; i++) {
        snprintf(names[i], sizeof names[i], "model-%zu", i);
        models[i] = (struct bz_image_model_input){names[i], NULL, 1};
    }
    in.models = models;
    in.models_n = n;
    struct bz_buf b;
    struct bz_image img;
    struct bz_model m;
    fx_build(&in, &b, &img);
    for (size_t i = 0; i < n; i++) {
        assert_true(bz_image_model_find(&img, bz_view_str(names[i]), &m));
        assert_int_equal(m.index, i);
    }
    assert_false(bz_image_model_find(&img, bz_view_str(names[n]), &m));
    bz_buf_free(&b);
    bz_buf_init(&b, 64 << 20);
    in.models_n = n + 1;
    assert_int_equal(bz_image_build(&in, &b), BZ_ETOOBIG);
    bz_buf_free(&b);
    in.models_n = 3;
    memcpy(names[2], names[0], sizeof names[2]);
    bz_buf_init(&b, 64 << 20);
    assert_int_equal(bz_image_build(&in, &b), BZ_EEXISTS);
    bz_buf_free(&b);
    free(models);
    free(names);
}

static void test_bad_inputs_are_refused(void **state) {
    static const char *const smuggle[] = {"a\r\nX: y", NULL, NULL};
    struct bz_image_input in = fx_input();
    struct bz_buf b;
    bz_buf_init(&b, 1 << 20);
    in.backend_credentials = smuggle;
    assert_int_equal(bz_image_build(&in, &b), BZ_EINVAL);
    in = fx_input();
    memcpy(fx_keys[1].id, fx_keys[0].id, sizeof fx_keys[1].id);
    assert_int_equal(bz_image_build(&in, &b), BZ_EEXISTS);
    bz_buf_free(&b);
    in = fx_input();
    fx_keys[0].id[3] = '\0';
    bz_buf_init(&b, 1 << 20);
    assert_int_equal(bz_image_build(&in, &b), BZ_EINVAL);
    bz_buf_free(&b);
    in = fx_input();
    bz_buf_init(&b, 1000);
    assert_int_equal(bz_image_build(&in, &b), BZ_ETOOBIG);
    bz_buf_free(&b);
    struct bz_image_model_input m = {"m", NULL, 8}; /* there is no fourth backend */
    in.models = &m;
    in.models_n = 1;
    bz_buf_init(&b, 1 << 20);
    assert_int_equal(bz_image_build(&in, &b), BZ_EINVAL);
    bz_buf_free(&b);
}

static void test_every_size_of_buffer(void **state) {
    struct bz_image_input in = fx_input();
    struct bz_buf b;
    struct bz_image img;
    fx_build(&in, &b, &img);
    size_t whole = b.n;
    bz_buf_free(&b);
    for (size_t max = 0; max < whole; max += 61) {
        bz_buf_init(&b, max);
        assert_int_equal(bz_image_build(&in, &b), BZ_ETOOBIG);
        assert_int_equal(b.n, 0); /* half an image is none */
        bz_buf_free(&b);
    }
    bz_buf_init(&b, whole);
    assert_int_equal(bz_image_build(&in, &b), BZ_OK);
    assert_int_equal(bz_image_build(&in, &b), BZ_EINVAL); /* not empty */
    bz_buf_free(&b);
}

static void test_every_flipped_bit_of_the_sealed_part_is_found(void **state) {
    struct bz_image_input in = fx_input();
    struct bz_buf b;
    struct bz_image img;
    fx_build(&in, &b, &img);
    uint64_t sealed_end = 0; /* right after total, which follows the seal */
    memcpy(&sealed_end, b.p + 56, sizeof sealed_end);
    assert_in_range(sealed_end, 200, b.n);
    for (size_t i = 0; i < sealed_end; i++) {
        b.p[i] ^= (uint8_t)(1u << i % 8);
        enum bz_status st = bz_image_open(bz_buf_view(&b), &img);
        assert_true(st == BZ_ECORRUPT || st == BZ_EVERSION);
        b.p[i] ^= (uint8_t)(1u << i % 8);
    }
    bz_buf_free(&b);
}

static void test_every_cut_is_found(void **state) {
    struct bz_image_input in = fx_input();
    struct bz_buf b;
    struct bz_image img;
    fx_build(&in, &b, &img);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(bz_image_open(bz_view(b.p, n), &img), BZ_ECORRUPT);
    bz_buf_free(&b);
}

/* The key part has no seal: whatever is damaged there, nobody gets in as somebody else. */
static void test_damaged_keys_authenticate_nobody_else(void **state) {
    struct bz_image_input in = fx_input();
    struct bz_buf b;
    struct bz_image img;
    uint64_t sealed_end = 0;
    size_t refused = 0;
    fx_build(&in, &b, &img);
    memcpy(&sealed_end, b.p + 56, sizeof sealed_end);
    for (size_t i = sealed_end; i < b.n; i++) {
        struct bz_principal p;
        struct bz_denial d;
        struct bz_limit_set key, user;
        uint8_t was = b.p[i];
        for (int v = 0; v < 3; v++) {
            b.p[i] = (uint8_t)(v == 0 ? 0xff : v == 1 ? was ^ 1 : 0);
            for (int k = 0; k < FX_KEYS; k++) {
                if (bz_image_authenticate(&img, bz_view_str(fx_text[k]), 1, &p) != BZ_OK) {
                    refused++;
                    continue;
                }
                assert_memory_equal(p.key_id.p, fx_text[k] + 3, BZ_KEY_ID_TEXT);
                (void)!bz_authorise_model(&img, &p, BZ_V("tiny"), &d);
                bz_image_limits(&img, &p, &key, &user);
            }
        }
        b.p[i] = was;
    }
    assert_true(refused > 100);
    bz_buf_free(&b);
}

static void test_no_keys_at_all(void **state) {
    struct bz_image_input in = fx_input();
    struct bz_buf b;
    struct bz_image img;
    struct bz_principal p;
    in.keys_n = 0;
    in.models_n = 0;
    fx_build(&in, &b, &img);
    assert_int_equal(bz_image_authenticate(&img, bz_view_str(fx_text[0]), 1, &p), BZ_EDENIED);
    bz_buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings_and_lists),
        cmocka_unit_test(test_backends),
        cmocka_unit_test(test_resolved_addresses),
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_many_models_are_all_found),
        cmocka_unit_test(test_bad_inputs_are_refused),
        cmocka_unit_test(test_every_size_of_buffer),
        cmocka_unit_test(test_every_flipped_bit_of_the_sealed_part_is_found),
        cmocka_unit_test(test_every_cut_is_found),
        cmocka_unit_test(test_damaged_keys_authenticate_nobody_else),
        cmocka_unit_test(test_no_keys_at_all),
    };
    return bz_crypto_init() == BZ_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
