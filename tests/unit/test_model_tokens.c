/* Control tokens out of templates, lists and vocabularies; what is no token of theirs; caps; too little of everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "model_tokens.h"

static void is(const struct bz_token_set *s, const char *want) {
    char text[4096] = "";
    size_t n = 0;
    for (size_t at = 0; at < s->size; at += strlen(s->text + at) + 1)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s ", s->text + at);
    assert_string_equal(text, want);
}

static void shapes(void **state) {
    static const char *const good[] = {"<s>",       "[/INST]", "<|im_end|>",
                                       ">>TITLE<<", "]~!b[",   "<\xef\xbd\x9cUser\xef\xbd\x9c>"};
    static const char *const bad[] = {"",      "<>",    "the", "a>",     "---", "```",
                                      "<a b>", "<a\n>", "  ",  "<\xff>", "...", "<<<"};
    struct bz_token_set s = {.text = NULL};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(bz_token_set_add(&s, bz_view_str(bad[i])), BZ_OK);
    assert_int_equal(s.n, 0);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
            assert_int_equal(bz_token_set_add(&s, bz_view_str(good[i])), BZ_OK);
    assert_int_equal(s.n, sizeof good / sizeof good[0]);
    bz_token_set_free(&s);
}

static void caps(void **state) {
    struct bz_token_set s = {.text = NULL};
    char text[BZ_TEMPLATE_TOKEN_MAX + 2];
    (void)state;
    memset(text, 'a', sizeof text);
    text[0] = '<';
    assert_int_equal(bz_token_set_add(&s, bz_view(text, BZ_TEMPLATE_TOKEN_MAX + 1)), BZ_OK);
    assert_int_equal(s.n, 0);
    assert_int_equal(bz_token_set_add(&s, bz_view(text, BZ_TEMPLATE_TOKEN_MAX)), BZ_OK);
    assert_int_equal(s.n, 1);
    for (int i = 0; i < BZ_TEMPLATE_TOKENS_MAX + 5; i++) {
        int n = snprintf(text, sizeof text, "<t%d>", i);
        assert_int_equal(bz_token_set_add(&s, bz_view(text, (size_t)n)), BZ_OK);
    }
    assert_int_equal(s.n, BZ_TEMPLATE_TOKENS_MAX);
    bz_token_set_free(&s);
}

typedef enum bz_status from_fn(struct bz_view json, struct bz_token_set *s);

static void texts(void **state) {
    static const struct {
        from_fn *from;
        const char *json, *want;
    } rows[] = {
        {bz_tokens_of_props,
         "{\"chat_template\":\"{{ '<zebra_of_turn>' "
         "}}\",\"bos_token\":\"<zb>\",\"eos_token\":\"the\"}",
         "<zb> <zebra_of_turn> "},
        {bz_tokens_of_props, "{\"chat_template\":7,\"eos_token\":null}", ""},
        {bz_tokens_of_props, "[1]", ""},
        {bz_tokens_of_props, "nonsense", ""},
        {bz_tokens_of_show,
         "{\"template\":\"{{ .System }}<|zz_start|>user {{ .Prompt "
         "}}<|zz_end|>\",\"modelfile\":\"FROM x <|no|>\","
         "\"model_info\":{\"tokenizer.ggml.tokens\":null,\"tokenizer.chat_template\":\"[INST]\"}}",
         "<|zz_start|> <|zz_end|> [INST] "},
        {bz_tokens_of_show, "{\"template\":[],\"model_info\":[]}", ""},
        {bz_tokens_of_config,
         "{\"added_tokens_decoder\":{\"7\":{\"content\":\"<|zz|>\",\"special\":true},\"8\":{"
         "\"content\":\"<b>\",\"special\":false}},"
         "\"additional_special_tokens\":[\"<zz1>\",{\"content\":\"<zz2>\"},3],\"bos_token\":{"
         "\"content\":\"<zs>\"},"
         "\"chat_template\":[{\"name\":\"default\",\"template\":\"<|zu|>\"}],\"max_token\":5}",
         "<zs> <|zu|> <zz1> <zz2> <|zz|> "},
        {bz_tokens_of_config, "{\"chat_template\":\"<|zu|>\"}", "<|zu|> "},
        {bz_tokens_of_config,
         "{\"added_tokens_decoder\":[1],\"additional_special_tokens\":{\"a\":1}}", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_token_set s = {.text = NULL};
        assert_int_equal(rows[i].from(bz_view_str(rows[i].json), &s), BZ_OK);
        is(&s, rows[i].want);
        bz_token_set_free(&s);
    }
}

/* ---- GGUF ---- */

static void str(struct bz_buf *b, const char *s) {
    bz_buf_put_le64(b, strlen(s));
    bz_buf_puts(b, s);
}

static void list(struct bz_buf *b, const char *key, uint32_t elem, uint64_t n) {
    str(b, key);
    bz_buf_put_le32(b, 9);
    bz_buf_put_le32(b, elem);
    bz_buf_put_le64(b, n);
}

/* Types before or behind the words; types of 4 bytes or 1. */
static struct bz_buf model(bool types_first, bool bytes) {
    static const char *const words[] = {"the",          "<end_zz>",    "<|zz_call|>", "<b>",
                                        "<zz_of_turn>", "<unused_zz>", "<zz_bare>"};
    static const uint8_t types[] = {1, 1, 3, 4, 4, 5, 3};
    struct bz_buf b;
    bz_buf_init(&b, 1 << 16);
    bz_buf_puts(&b, "GGUF");
    bz_buf_put_le32(&b, 3);
    bz_buf_put_le64(&b, 0);
    bz_buf_put_le64(&b, 4);
    for (int half = 0; half < 2; half++) {
        if ((half == 0) == types_first) {
            list(&b, "tokenizer.ggml.token_type", bytes ? 0 : 5, 7);
            for (size_t i = 0; i < 7; i++) {
                if (bytes)
                    bz_buf_putc(&b, types[i]);
                else
                    bz_buf_put_le32(&b, types[i]);
            }
        } else {
            list(&b, "tokenizer.ggml.tokens", 8, 7);
            for (size_t i = 0; i < 7; i++)
                str(&b, words[i]);
        }
    }
    str(&b, "tokenizer.ggml.eos_token_id");
    bz_buf_put_le32(&b, 4);
    bz_buf_put_le32(&b, 1);
    str(&b, "tokenizer.chat_template");
    bz_buf_put_le32(&b, 8);
    str(&b, "{{ '<|zz_start|>' }}");
    while (b.n % 32 != 0)
        bz_buf_putc(&b, 0);
    return b;
}

static void ggufs(void **state) {
    (void)state;
    for (int way = 0; way < 4; way++) {
        struct bz_buf b = model(way % 2 == 0, way / 2 == 0);
        struct bz_view v = bz_buf_view(&b);
        struct bz_source src;
        struct bz_token_set s = {.text = NULL};
        bz_source_mem(&src, &v);
        assert_int_equal(bz_tokens_of_gguf(&src, &s), BZ_OK);
        is(&s, "<|zz_start|> <end_zz> <|zz_call|> <zz_bare> <zz_of_turn> ");
        bz_token_set_free(&s);
        for (size_t n = 0; n < b.n; n++) { /* every cut: some of them, or none */
            v = bz_view(b.p, n);
            bz_source_mem(&src, &v);
            assert_int_equal(bz_tokens_of_gguf(&src, &s), BZ_OK);
            assert_true(s.n <= 5);
            bz_token_set_free(&s);
        }
        bz_buf_free(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes),
        cmocka_unit_test(caps),
        cmocka_unit_test(texts),
        cmocka_unit_test(ggufs),
    };
    return cmocka_run_group_tests_name("model_tokens", tests, NULL, NULL);
}
