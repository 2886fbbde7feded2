/* A small instance for the policy tests: three backends, two models, four roles, some keys. */
#ifndef BARTIZAN_TESTS_POLICY_FIXTURE_H
#define BARTIZAN_TESTS_POLICY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <bartizan/policy.h>

enum {
    FX_USER,
    FX_ADMIN,
    FX_NARROW,
    FX_EXPIRING,
    FX_REVOKED,
    FX_LOST_ROLE,
    FX_LIMITED,
    FX_EMPTY,
    FX_KEYS
};
enum { FX_EXPIRES = 1000000 };

static char *fx_star[] = {(char[]){"*"}};
static char *fx_chat[] = {(char[]){"chat"}, (char[]){"models"}};
static char *fx_embed[] = {(char[]){"embeddings"}, (char[]){"chat"}, (char[]){"no-such-scope"}};
static char *fx_manage[] = {(char[]){"manage"}};
static char *fx_tiny[] = {(char[]){"tiny"}};
static char *fx_tiny_prefix[] = {(char[]){"ti*"}, (char[]){"other"}};
static char *fx_names[] = {(char[]){"localhost"}, (char[]){"127.0.0.1"}, (char[]){"::1"}};
static char *fx_origins[] = {(char[]){"https://app.example"}};

static struct bz_backend_config fx_backends[] = {
    {.name = (char[]){"a"},
     .type = BZ_SERVER_LLAMACPP,
     .url = (char[]){"http://localhost:8080"},
     .keep_alive = true},
    {.name = (char[]){"b"}, .type = BZ_SERVER_OLLAMA, .url = (char[]){"https://[::1]"}},
    {.name = (char[]){"c"}, .type = BZ_SERVER_VLLM, .url = (char[]){"unix:/run/vllm.sock"}},
};
static struct bz_model_config fx_model_configs[] = {
    {.name = (char[]){"assistant"},
     .target = (char[]){"tiny"},
     .limits = {.rate = {{60, 10}, {0, 0}, {0, 0}}, .concurrent = 3, .body_max = 30000}},
};
static struct bz_role_config fx_roles[] = {
    {.name = (char[]){"user"},
     .routes = fx_star,
     .routes_n = 1,
     .models = fx_star,
     .models_n = 1,
     .params = {.max_tokens = 77, .allow_echo = true, .allow_load_options = true},
     .limits = {.rate = {{600, 100}, {5, 6}, {7, 8}}, .concurrent = 9, .body_max = 90000},
     .user_limits = {.rate = {{1200, 200}, {0, 0}, {0, 0}}, .concurrent = 11, .body_max = 110000}},
    {.name = (char[]){"admin"},
     .admin = true,
     .routes = fx_star,
     .routes_n = 1,
     .models = fx_star,
     .models_n = 1},
    {.name = (char[]){"chatter"},
     .routes = fx_chat,
     .routes_n = 2,
     .models = fx_tiny_prefix,
     .models_n = 2},
    {.name = (char[]){"janitor"},
     .admin = true,
     .routes = fx_manage,
     .routes_n = 1,
     .models = fx_star,
     .models_n = 1},
};
static struct bz_config fx_config = {
    .names = fx_names,
    .names_n = 3,
    .origins = fx_origins,
    .origins_n = 1,
    .hsts = true,
    .audit = BZ_AUDIT_STRICT,
    .audit_wait_ms = 2000,
    .body_max = 123456,
    .backends = fx_backends,
    .backends_n = 3,
    .models = fx_model_configs,
    .models_n = 1,
    .roles = fx_roles,
    .roles_n = 4,
};
static const struct bz_image_model_input fx_models[] = {
    {"assistant", "tiny", 1 | 4},
    {"tiny", NULL, 1},
};
static const char *const fx_credentials[] = {"secret-of-a", NULL, NULL};

static char fx_text[FX_KEYS][BZ_KEY_TEXT + 1];
static struct bz_key_record fx_keys[FX_KEYS];

static void fx_fill_key(int i, const uint8_t pepper[BZ_KEY_LEN]) {
    uint8_t rnd[48];
    memset(rnd, i + 1, sizeof rnd);
    bz_key_make(rnd, fx_text[i]);
    struct bz_key_record *k = &fx_keys[i];
    *k = (struct bz_key_record){.owner = (char[]){"alice"}, .role = fx_roles[0].name, .created = 5};
    memcpy(k->id, fx_text[i] + 3, BZ_KEY_ID_TEXT);
    bz_key_hash(pepper, bz_view(fx_text[i], BZ_KEY_TEXT), k->hash);
}

static struct bz_image_input fx_input(void) {
    static char alice[] = "alice", gone[] = "gone", chatter[] = "chatter";
    struct bz_image_input in = {.config = &fx_config,
                                .keys = fx_keys,
                                .keys_n = FX_KEYS,
                                .models = fx_models,
                                .models_n = 2,
                                .backend_credentials = fx_credentials,
                                .generation = 42,
                                .built_unix = 99};
    memset(in.key_pepper, 1, sizeof in.key_pepper);
    memset(in.digest_key, 2, sizeof in.digest_key);
    memset(in.limit_seed, 3, sizeof in.limit_seed);
    for (int i = 0; i < FX_KEYS; i++) {
        fx_fill_key(i, in.key_pepper);
        fx_keys[i].owner = alice;
    }
    fx_keys[FX_ADMIN].role = fx_roles[1].name;
    fx_keys[FX_NARROW].role = chatter;
    fx_keys[FX_NARROW].routes = fx_embed;
    fx_keys[FX_NARROW].routes_n = 3;
    fx_keys[FX_NARROW].models = fx_tiny;
    fx_keys[FX_NARROW].models_n = 1;
    fx_keys[FX_EXPIRING].expires = FX_EXPIRES;
    fx_keys[FX_REVOKED].revoked = true;
    fx_keys[FX_LOST_ROLE].role = gone;
    fx_keys[FX_LIMITED].limits.rate[BZ_METER_PROMPT_TOKENS] = (struct bz_rate){1000, 2000};
    fx_keys[FX_EMPTY].models = fx_tiny; /* a list with nothing in it: no model, not all of them */
    fx_keys[FX_EMPTY].routes = fx_chat;
    return in;
}

/* Image of fx_input; freed with bz_buf_free. */
static void fx_build(const struct bz_image_input *in, struct bz_buf *out, struct bz_image *img) {
    bz_buf_init(out, 64 << 20);
    assert_int_equal(bz_image_build(in, out), BZ_OK);
    assert_int_equal(bz_image_open(bz_buf_view(out), img), BZ_OK);
}

#endif
