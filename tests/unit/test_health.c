/* Model lists of backends: hostile bytes in, bounded names out; and how lists become what is
 * served. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../src/daemon/models.h"

#define S(lit) ((char[]){lit}) /* text that is not const */

static enum bz_status parse(enum bz_server s, const char *text, struct bz_names *ret) {
    *ret = (struct bz_names){NULL, 0, 0};
    return bz_model_list_parse(s, bz_view_str(text), ret);
}

static void lists_of_every_server(void **state) {
    struct bz_names l;
    assert_int_equal(parse(BZ_SERVER_LLAMACPP,
                           "{\"models\":[{\"name\":\"x\"}],\"object\":\"list\",\"data\":[{\"id\":"
                           "\"tiny\",\"meta\":{}}]}",
                           &l),
                     BZ_OK);
    assert_int_equal(l.n, 1);
    assert_string_equal(l.v[0], "tiny");
    bz_names_free(&l);
    assert_int_equal(
        parse(BZ_SERVER_OLLAMA,
              "{\"models\":[{\"name\":\"b:latest\",\"model\":\"b:latest\"},{\"name\":\"a:7b\"}]}",
              &l),
        BZ_OK);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.v[0], "a:7b"); /* sorted */
    bz_names_free(&l);
    assert_int_equal(parse(BZ_SERVER_ANTHROPIC,
                           "{\"data\":[{\"type\":\"model\",\"id\":\"m-1\"}],\"has_more\":false}",
                           &l),
                     BZ_OK);
    assert_string_equal(l.v[0], "m-1");
    bz_names_free(&l);
    assert_int_equal(parse(BZ_SERVER_VLLM, "{\"data\":[]}", &l), BZ_OK);
    assert_int_equal(l.n, 0);
    bz_names_free(&l);
    assert_string_equal(bz_model_list_path(BZ_SERVER_OLLAMA), "/api/tags");
    assert_string_equal(bz_model_list_path(BZ_SERVER_VLLM), "/v1/models");
}

/* Ollama's cloud models: their prompts would leave the building. */
static void models_elsewhere_stay_out(void **state) {
    struct bz_names l;
    static const char text[] =
        "{\"models\":[{\"model\":\"here:7b\",\"remote_host\":\"\"},"
        "{\"model\":\"a:1b\",\"remote_host\":\"https://ollama.com:443\"},"
        "{\"model\":\"b:1b\",\"remote_model\":\"gpt-oss:120b\"},{\"name\":\"gpt-oss:120b-cloud\"},"
        "{\"model\":\"glm-4.6:cloud\"},{\"model\":\"cloudy:1b\"}]}";
    assert_int_equal(parse(BZ_SERVER_OLLAMA, text, &l), BZ_OK);
    assert_int_equal(l.n, 2);
    assert_int_equal(l.dropped, 4);
    assert_string_equal(l.v[0], "cloudy:1b");
    assert_string_equal(l.v[1], "here:7b");
    bz_names_free(&l);
    assert_int_equal(parse(BZ_SERVER_VLLM, "{\"data\":[{\"id\":\"x-cloud\"}]}", &l), BZ_OK);
    assert_int_equal(l.n, 1); /* a name only: nothing else of these servers forwards */
    bz_names_free(&l);
}

static void names_are_bounded(void **state) {
    struct bz_names l;
    assert_int_equal(parse(BZ_SERVER_OPENAI,
                           "{\"data\":[{\"id\":\"good\"},{\"id\":\"good\"},{\"id\":\"\"},{\"id\":"
                           "\"a b\"},{\"id\":\"a\\nb\"},{\"id\":7},"
                           "{\"id\":\"x*\"},{\"id\":\"\\u00e9\"},{\"id\":\"q\\\"\"},{\"no\":1},[],"
                           "null,{\"id\":\"also/good:1.0@q\"}]}",
                           &l),
                     BZ_OK);
    assert_int_equal(l.n, 2);
    assert_int_equal(l.dropped, 10);
    assert_string_equal(l.v[0], "also/good:1.0@q");
    bz_names_free(&l);
    char name[BZ_MODEL_NAME_MAX + 2];
    memset(name, 'a', sizeof name);
    assert_true(bz_model_name_ok(bz_view(name, BZ_MODEL_NAME_MAX)));
    assert_false(bz_model_name_ok(bz_view(name, BZ_MODEL_NAME_MAX + 1)));
    assert_false(bz_model_name_ok(bz_view("", 0)));
}

static void versions(void **state) {
    static const struct {
        enum bz_server server;
        const char *body, *want; /* NULL: refused */
    } rows[] = {
        {BZ_SERVER_OLLAMA, "{\"version\":\"0.17.1\"}", "0.17.1"},
        {BZ_SERVER_VLLM, "{\"version\":\"0.14.1\",\"more\":1}", "0.14.1"},
        {BZ_SERVER_LLAMACPP, "{\"build_info\":\"b8146-1a2b3c4\",\"version\":\"x\"}",
         "b8146-1a2b3c4"},
        {BZ_SERVER_LLAMACPP, "{\"version\":\"b1\"}", NULL},
        {BZ_SERVER_OLLAMA, "{\"version\":\"\"}", NULL},
        {BZ_SERVER_OLLAMA, "{\"version\":\"a\\nb\"}", NULL},
        {BZ_SERVER_OLLAMA, "{\"version\":7}", NULL},
        {BZ_SERVER_OLLAMA, "[]", NULL},
        {BZ_SERVER_OLLAMA, "", NULL},
    };
    char out[BZ_VERSION_MAX + 1], body[BZ_VERSION_MAX + 64], text[BZ_VERSION_MAX + 2];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum bz_status st = bz_server_version_parse(rows[i].server, bz_view_str(rows[i].body), out);
        assert_int_equal(st == BZ_OK, rows[i].want != NULL);
        if (st == BZ_OK)
            assert_string_equal(out, rows[i].want);
    }
    for (size_t n = BZ_VERSION_MAX; n <= BZ_VERSION_MAX + 1; n++) {
        memset(text, '1', n);
        text[n] = '\0';
        (void)snprintf(body, sizeof body, "{\"version\":\"%s\"}", text);
        assert_int_equal(bz_server_version_parse(BZ_SERVER_VLLM, bz_view_str(body), out),
                         n == BZ_VERSION_MAX ? BZ_OK : BZ_ETOOBIG);
    }
    assert_null(bz_server_version_path(BZ_SERVER_ANTHROPIC));
    assert_string_equal(bz_server_version_path(BZ_SERVER_LLAMACPP), "/props");
}

static void no_list_is_an_error(void **state) {
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"data\":{}}",
        "{\"data\":\"x\"}",
        "{\"data\":[]",
        "{\"data\":[],\"data\":[]}",
        "{\"data\":[{\"id\":\"\\ud800\"}]}",
        "<html>",
        "{\"models\":[]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bz_names l;
        assert_int_not_equal(parse(BZ_SERVER_OPENAI, bad[i], &l), BZ_OK);
        assert_null(l.v);
    }
}

static void count_is_bounded(void **state) {
    struct bz_buf b;
    struct bz_names l;
    bz_buf_init(&b, BZ_MODEL_LIST_MAX + 10);
    bz_buf_puts(&b, "{\"data\":[");
    for (int i = 0; i < BZ_MODEL_LIST_NAMES_MAX + 50; i++)
        bz_buf_printf(&b, "%s{\"id\":\"m%d\"}", i == 0 ? "" : ",", i);
    bz_buf_puts(&b, "]}");
    assert_int_equal(bz_model_list_parse(BZ_SERVER_OPENAI, bz_buf_view(&b), &l), BZ_OK);
    assert_int_equal(l.n, BZ_MODEL_LIST_NAMES_MAX);
    assert_int_equal(l.dropped, 50);
    bz_names_free(&l);
    /* too many bytes: not even looked at */
    bz_buf_reset(&b);
    while (b.n <= BZ_MODEL_LIST_MAX)
        bz_buf_puts(&b, "        ");
    l = (struct bz_names){NULL, 0, 0};
    assert_int_equal(bz_model_list_parse(BZ_SERVER_OPENAI, bz_buf_view(&b), &l), BZ_ETOOBIG);
    bz_buf_free(&b);
}

static const struct bz_image_model_input *served(const struct bz_served *s, const char *name) {
    for (uint32_t i = 0; i < s->n; i++) {
        if (strcmp(s->v[i].name, name) == 0)
            return &s->v[i];
    }
    return NULL;
}

static void merge_joins_replicas_and_aliases(void **state) {
    char *a[] = {S("tiny"), S("big")}, *b[] = {S("tiny")}, *c[] = {S("other"), S("assistant")};
    struct bz_names lists[3] = {{a, 2, 0}, {b, 1, 0}, {c, 2, 0}};
    struct bz_model_config m[] = {
        {.name = S("assistant"),
         .target = S("tiny")}, /* goes before the backend's own "assistant" */
        {.name = S("big")},    /* limits only */
        {.name = S("chain"), .target = S("assistant")}, /* the backend's name, not the alias */
        {.name = S("ghost"), .target = S("nowhere")},
    };
    struct bz_config conf = {.models = m, .models_n = 4};
    struct bz_served s;
    assert_int_equal(bz_models_merge(&conf, lists, 3, &s), BZ_OK);
    assert_int_equal(s.n, 6);
    assert_int_equal(served(&s, "tiny")->backends, 3);
    assert_int_equal(served(&s, "big")->backends, 1);
    assert_string_equal(served(&s, "big")->target, "big");
    assert_int_equal(served(&s, "other")->backends, 4);
    assert_int_equal(served(&s, "assistant")->backends, 3);
    assert_string_equal(served(&s, "assistant")->target, "tiny");
    assert_int_equal(served(&s, "chain")->backends, 4);
    assert_int_equal(served(&s, "ghost")->backends, 0);
    bz_served_free(&s);
}

static void merge_of_nothing_and_of_too_much(void **state) {
    struct bz_config conf = {.models = NULL};
    struct bz_served s;
    assert_int_equal(bz_models_merge(&conf, NULL, 0, &s), BZ_OK);
    assert_int_equal(s.n, 0);
    bz_served_free(&s);
    const uint32_t n = BZ_MODELS_MAX + 10;
    char **v = calloc(n, sizeof *v);
    for (uint32_t i = 0; i < n; i++)
        assert_true(asprintf(&v[i], "m%u", i) > 0);
    struct bz_names one = {v, n, 0}, copy;
    assert_int_equal(bz_models_merge(&conf, &one, 1, &s), BZ_OK);
    assert_int_equal(s.n, BZ_MODELS_MAX);
    assert_int_equal(s.dropped, 10);
    bz_served_free(&s);
    assert_int_equal(bz_names_copy(v, n, &copy), BZ_OK);
    assert_true(bz_names_equal(&one, &copy));
    copy.n--;
    assert_false(bz_names_equal(&one, &copy));
    copy.n++;
    bz_names_free(&copy);
    bz_names_free(&one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_every_server),
        cmocka_unit_test(models_elsewhere_stay_out),
        cmocka_unit_test(names_are_bounded),
        cmocka_unit_test(versions),
        cmocka_unit_test(no_list_is_an_error),
        cmocka_unit_test(count_is_bounded),
        cmocka_unit_test(merge_joins_replicas_and_aliases),
        cmocka_unit_test(merge_of_nothing_and_of_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
