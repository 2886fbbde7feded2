/* Who is it, and what may they do. */
#include "policy_fixture.h"

static struct bz_image_input input;
static struct bz_buf image_bytes;
static struct bz_image image;

static int set_up(void **state) {
    input = fx_input();
    fx_build(&input, &image_bytes, &image);
    return 0;
}

static int tear_down(void **state) {
    bz_buf_free(&image_bytes);
    return 0;
}

static enum bz_status login(const char *text, uint64_t now, struct bz_principal *ret) {
    return bz_image_authenticate(&image, bz_view_str(text), now, ret);
}

static struct bz_principal principal(int key) {
    struct bz_principal p = {0};
    assert_int_equal(login(fx_text[key], 1, &p), BZ_OK);
    return p;
}

static void test_authenticate(void **state) {
    struct bz_principal p = principal(FX_USER);
    assert_memory_equal(p.key_id.p, fx_text[FX_USER] + 3, BZ_KEY_ID_TEXT);
    assert_true(bz_view_eq(p.owner, BZ_V("alice")));
    assert_true(bz_view_eq(p.role, BZ_V("user")));
    assert_false(p.admin);
    assert_memory_equal(p.hash, fx_keys[FX_USER].hash, BZ_HASH_LEN);
    p = principal(FX_ADMIN);
    assert_true(p.admin);
    assert_true(bz_view_eq(p.role, BZ_V("admin")));
    assert_int_equal(login(fx_text[FX_REVOKED], 1, &p), BZ_EDENIED);
    assert_int_equal(login(fx_text[FX_LOST_ROLE], 1, &p), BZ_EDENIED);
    assert_int_equal(login("", 1, &p), BZ_ESYNTAX);
    assert_int_equal(login("sk-1234", 1, &p), BZ_ESYNTAX);
}

/* Incident class: caches keyed by a prefix of the token. Same id and a good checksum, but another
 * secret. */
static void test_forged_secret_with_a_known_id(void **state) {
    struct bz_principal p;
    for (size_t at = 16; at < 48; at++) {
        uint8_t rnd[48];
        char forged[BZ_KEY_TEXT + 1];
        memset(rnd, FX_USER + 1, sizeof rnd);
        rnd[at] ^= 0x80;
        bz_key_make(rnd, forged);
        assert_memory_equal(forged, fx_text[FX_USER], 3 + BZ_KEY_ID_TEXT);
        assert_int_equal(login(forged, 1, &p), BZ_EDENIED);
    }
}

static void test_unknown_ids(void **state) {
    struct bz_principal p;
    for (int i = 0; i < 10000; i++) {
        uint8_t rnd[48];
        char text[BZ_KEY_TEXT + 1];
        memset(rnd, 0xa0, sizeof rnd);
        memcpy(rnd, &i, sizeof i);
        bz_key_make(rnd, text);
        assert_int_equal(login(text, 1, &p), BZ_EDENIED);
    }
}

static void test_expiry_on_both_sides_of_the_edge(void **state) {
    struct bz_principal p;
    const char *text = fx_text[FX_EXPIRING];
    assert_int_equal(login(text, FX_EXPIRES - 1, &p), BZ_OK);
    assert_int_equal(p.expires, FX_EXPIRES);
    assert_int_equal(login(text, FX_EXPIRES, &p), BZ_EEXPIRED);
    assert_int_equal(login(text, UINT64_MAX, &p), BZ_EEXPIRED);
    assert_int_equal(login(fx_text[FX_USER], UINT64_MAX, &p), BZ_OK);
    const uint8_t *hash = fx_keys[FX_EXPIRING].hash;
    struct bz_view id = bz_view(fx_keys[FX_EXPIRING].id, BZ_KEY_ID_TEXT);
    assert_true(bz_image_still_valid(&image, id, hash, FX_EXPIRES - 1, &p));
    assert_false(bz_image_still_valid(&image, id, hash, FX_EXPIRES, &p));
}

static void test_still_valid(void **state) {
    struct bz_principal p;
    struct bz_view id = bz_view(fx_keys[FX_USER].id, BZ_KEY_ID_TEXT);
    assert_true(bz_image_still_valid(&image, id, fx_keys[FX_USER].hash, 1, &p));
    assert_true(bz_view_eq(p.owner, BZ_V("alice")));
    assert_false(bz_image_still_valid(&image, id, fx_keys[FX_ADMIN].hash, 1, &p));
    assert_false(bz_image_still_valid(&image, BZ_V("x"), fx_keys[FX_USER].hash, 1, &p));
    id = bz_view(fx_keys[FX_REVOKED].id, BZ_KEY_ID_TEXT);
    assert_false(bz_image_still_valid(&image, id, fx_keys[FX_REVOKED].hash, 1, &p));
}

/* With one key in the image every unknown id is compared with that key, for the sake of time. */
static void test_unknown_id_with_the_hash_of_a_key(void **state) {
    struct bz_image_input in = fx_input();
    struct bz_buf bytes;
    struct bz_image one;
    struct bz_principal p;
    in.keys_n = 1;
    fx_build(&in, &bytes, &one);
    const uint8_t *hash = fx_keys[0].hash;
    assert_true(bz_image_still_valid(&one, bz_view(fx_keys[0].id, BZ_KEY_ID_TEXT), hash, 1, &p));
    assert_false(bz_image_still_valid(&one, bz_view(fx_keys[1].id, BZ_KEY_ID_TEXT), hash, 1, &p));
    bz_buf_free(&bytes);
}

static const char *route_verdict(int key, enum bz_access access, const char *scope) {
    struct bz_principal p = principal(key);
    struct bz_route r = {.scope = scope, .access = access};
    struct bz_denial d = {0};
    if (bz_authorise_route(&image, &p, &r, &d) == BZ_OK)
        return "ok";
    assert_non_null(d.why);
    return d.code;
}

static void test_routes(void **state) {
    static const struct {
        int key;
        enum bz_access access;
        const char *scope, *want;
    } t[] = {
        {FX_USER, BZ_ACCESS_USER, "chat", "ok"},
        {FX_USER, BZ_ACCESS_USER, "embeddings", "ok"},
        {FX_USER, BZ_ACCESS_PUBLIC, "", "ok"},
        {FX_USER, BZ_ACCESS_NEVER, "chat", "route_blocked"},
        {FX_USER, BZ_ACCESS_COUNT, "chat", "route_blocked"},
        {FX_USER, BZ_ACCESS_ADMIN, "manage", "admin_only"},
        {FX_USER, BZ_ACCESS_ADMIN, "chat", "admin_only"},
        {FX_USER, BZ_ACCESS_USER, "no-such-scope", "route_not_allowed"},
        {FX_USER, BZ_ACCESS_USER, "", "route_not_allowed"},
        {FX_USER, BZ_ACCESS_USER, NULL, "route_not_allowed"},
        {FX_ADMIN, BZ_ACCESS_USER, "chat", "ok"},
        {FX_ADMIN, BZ_ACCESS_ADMIN, "manage", "ok"},
        {FX_ADMIN, BZ_ACCESS_NEVER, "manage", "route_blocked"},
        /* role chatter: chat, models; its key: embeddings, chat. Only what both say. */
        {FX_NARROW, BZ_ACCESS_USER, "chat", "ok"},
        {FX_NARROW, BZ_ACCESS_USER, "models", "route_not_allowed"},
        {FX_NARROW, BZ_ACCESS_USER, "embeddings", "route_not_allowed"},
        {FX_NARROW, BZ_ACCESS_ADMIN, "chat", "admin_only"},
        {FX_EMPTY, BZ_ACCESS_USER, "chat", "route_not_allowed"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        assert_string_equal(route_verdict(t[i].key, t[i].access, t[i].scope), t[i].want);
}

static bool model_ok(int key, const char *model) {
    struct bz_principal p = principal(key);
    struct bz_denial d = {0};
    bool ok = bz_authorise_model(&image, &p, bz_view_str(model), &d) == BZ_OK;
    assert_true(ok || strcmp(d.code, "model_not_allowed") == 0);
    return ok;
}

static void test_models(void **state) {
    assert_true(model_ok(FX_USER, "anything"));
    assert_true(model_ok(FX_NARROW, "tiny"));
    assert_false(model_ok(FX_NARROW, "tiny2")); /* role yes, key no */
    assert_false(model_ok(FX_NARROW, "other")); /* role yes, key no */
    assert_false(model_ok(FX_NARROW, "huge"));
    assert_false(model_ok(FX_NARROW, ""));
    assert_false(model_ok(FX_EMPTY, "tiny"));
}

static void test_limits_and_params(void **state) {
    struct bz_limit_set key, user;
    struct bz_param_limits params;
    struct bz_principal p = principal(FX_LIMITED);
    bz_image_limits(&image, &p, &key, &user);
    assert_int_equal(key.rate[BZ_METER_PROMPT_TOKENS].per_minute, 1000); /* its own */
    assert_int_equal(key.rate[BZ_METER_PROMPT_TOKENS].burst, 2000);
    assert_int_equal(key.rate[BZ_METER_REQUESTS].per_minute, 600); /* the role's */
    assert_int_equal(key.concurrent, 9);
    assert_int_equal(user.rate[BZ_METER_REQUESTS].per_minute, 1200);
    assert_int_equal(user.concurrent, 11);
    assert_int_equal(key.body_max, 90000); /* the role's */
    assert_int_equal(user.body_max, 110000);
    bz_image_params(&image, &p, &params);
    assert_int_equal(params.max_tokens, 77);
    assert_true(params.allow_echo);
    assert_false(params.allow_token_prompts || params.allow_grammar);
    assert_true(params.allow_load_options);
}

/* A key whose only limit is the size of bodies has limits all the same. */
static void test_body_size_of_a_key_alone(void **state) {
    struct bz_image_input in = fx_input();
    struct bz_buf bytes;
    struct bz_image other;
    struct bz_limit_set key, user;
    struct bz_principal p;
    fx_keys[FX_USER].limits = (struct bz_limit_set){.body_max = 4096};
    fx_build(&in, &bytes, &other);
    assert_int_equal(bz_image_authenticate(&other, bz_view_str(fx_text[FX_USER]), 1, &p), BZ_OK);
    bz_image_limits(&other, &p, &key, &user);
    assert_int_equal(key.body_max, 4096); /* its own */
    assert_int_equal(key.concurrent, 9);  /* the role's */
    assert_int_equal(user.body_max, 110000);
    fx_keys[FX_USER].limits = (struct bz_limit_set){0};
    bz_buf_free(&bytes);
}

/* A principal of one image must not be read as another one of the next image. */
static void test_principal_of_another_image(void **state) {
    struct bz_principal p = principal(FX_USER);
    struct bz_image_input in = fx_input();
    struct bz_buf bytes;
    struct bz_image other;
    struct bz_key_record swap = fx_keys[FX_USER];
    fx_keys[FX_USER] = fx_keys[FX_ADMIN];
    fx_keys[FX_ADMIN] = swap;
    fx_build(&in, &bytes, &other);
    struct bz_route chat = {.scope = "chat", .access = BZ_ACCESS_USER};
    struct bz_denial d = {0};
    struct bz_limit_set key, user;
    assert_int_equal(bz_authorise_route(&other, &p, &chat, &d), BZ_EDENIED);
    assert_string_equal(d.code, "key_changed");
    assert_int_equal(bz_authorise_model(&other, &p, BZ_V("tiny"), &d), BZ_EDENIED);
    bz_image_limits(&other, &p, &key, &user);
    assert_int_equal(key.concurrent, 1);
    assert_int_equal(key.body_max, 1);
    bz_buf_free(&bytes);
}

static void test_real_routes_have_scopes(void **state) {
    const char *names[BZ_SCOPES_MAX];
    size_t n = bz_scope_list(names);
    assert_in_range(n, 5, BZ_SCOPES_MAX - 1);
    for (int server = 0; server < BZ_SERVER_COUNT; server++) {
        size_t rows = 0;
        const struct bz_route *r = bz_route_table((enum bz_server)server, &rows);
        struct bz_principal admin = principal(FX_ADMIN), user = principal(FX_USER);
        for (size_t i = 0; i < rows; i++) {
            struct bz_denial d;
            bool for_user = r[i].access == BZ_ACCESS_USER || r[i].access == BZ_ACCESS_PUBLIC;
            bool for_admin = for_user || r[i].access == BZ_ACCESS_ADMIN;
            assert_int_equal(bz_authorise_route(&image, &user, &r[i], &d) == BZ_OK, for_user);
            assert_int_equal(bz_authorise_route(&image, &admin, &r[i], &d) == BZ_OK, for_admin);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_authenticate),
        cmocka_unit_test(test_forged_secret_with_a_known_id),
        cmocka_unit_test(test_unknown_ids),
        cmocka_unit_test(test_expiry_on_both_sides_of_the_edge),
        cmocka_unit_test(test_still_valid),
        cmocka_unit_test(test_unknown_id_with_the_hash_of_a_key),
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_limits_and_params),
        cmocka_unit_test(test_body_size_of_a_key_alone),
        cmocka_unit_test(test_principal_of_another_image),
        cmocka_unit_test(test_real_routes_have_scopes),
    };
    return bz_crypto_init() == BZ_OK ? cmocka_run_group_tests(tests, set_up, tear_down) : 2;
}
