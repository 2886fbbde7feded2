/* Links: what is one, where it leads, the same in every cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <bartizan/agent.h>

static struct bz_buf blob;
static struct bz_agent agent;

static int open_agent(void **state) {
    static const struct bz_view hosts[] = {{(const uint8_t *)"good.example", 12},
                                           {(const uint8_t *)"*.sub.example", 13},
                                           {(const uint8_t *)"port.example:8443", 17},
                                           {(const uint8_t *)"10.1.2.3", 8}};
    struct bz_agent_settings s;
    struct bz_agent_error err;
    (void)state;
    bz_agent_settings_default(&s);
    s.hosts = hosts;
    s.hosts_n = 4;
    bz_buf_init(&blob, 1 << 16);
    return bz_agent_compile(NULL, 0, &s, &blob, &err) == BZ_OK &&
                   bz_agent_open(bz_buf_view(&blob), &agent) == BZ_OK
               ? 0
               : -1;
}

static int close_agent(void **state) {
    (void)state;
    bz_buf_free(&blob);
    return 0;
}

/* As a stream does it: pieces of `cut` bytes, little is kept, links are replaced. */
static void pass(struct bz_view in, size_t cut, struct bz_buf *out, size_t *ret_links,
                 size_t *ret_images) {
    struct bz_buf held;
    size_t from = 0, at = 0;
    bz_buf_init(&held, 1 << 20);
    *ret_links = *ret_images = 0;
    for (bool last = false; !last;) {
        struct bz_view more = bz_view_sub(in, at, cut);
        at += more.n;
        last = at == in.n;
        bz_buf_put(&held, more);
        for (bool again = true; again;) {
            struct bz_link l;
            size_t settled = 0;
            again = bz_agent_link(&agent, bz_buf_view(&held), from, last, &l, &settled);
            assert_true(settled >= from && settled <= held.n);
            if (again) {
                assert_true(l.start >= from && l.end > l.start && l.end <= held.n);
                assert_true(l.end - l.start <= BZ_LINK_MAX);
                bz_buf_put(out, bz_view(held.p + from, l.start - from));
                bz_agent_defang(bz_view(held.p + l.start, l.end - l.start), out);
                ++*(l.image ? ret_images : ret_links);
            } else {
                bz_buf_put(out, bz_view(held.p + from, settled - from));
            }
            from = settled;
        }
        assert_true(held.n - from <= 2 * BZ_LINK_MAX);
        size_t gone = from > BZ_LINK_BEFORE ? from - BZ_LINK_BEFORE : 0;
        if (gone > 0)
            memmove(held.p, held.p + gone, held.n - gone);
        held.n -= gone;
        from -= gone;
    }
    assert_int_equal(bz_buf_status(out), BZ_OK);
    bz_buf_free(&held);
}

enum kind { NONE, LINK, IMAGE };
static const struct {
    const char *text;
    enum kind kind; /* of the first */
} texts[] = {
    /* good neighbours */
    {"see https://good.example/path?x=1 and more", NONE},
    {"see https://good.example.", NONE},
    {"(https://good.example)", NONE},
    {"https://good.example./", NONE}, /* the same name, from the root */
    {"(https://good.example), then", NONE},
    {"**https://good.example**", NONE},
    {"![a](https://good.example/x.png)", NONE},
    {"[a](https://good.example)[b](https://a.sub.example:99/)", NONE},
    {"<img src=\"https://good.example/x.png\">", NONE},
    {"https://10.1.2.3/x https://port.example:8443/", NONE},
    {"HTTPS://GOOD.EXAMPLE/", NONE},
    {"![a](x.png) ![b](/img/y.png) [c](#part)", NONE},
    {"Note: this is no link; std::vector<int> a{1}; // a comment. And /* more */", NONE},
    {"int x = 1; //see foo", NONE},
    {"\"url\": 12, key:value, 10:30, C:\\Users\\x, a//b, http is a protocol, https: too", NONE},
    {"{\"data\":\"x\"} data: y, mailto:a@b.example, file: z", NONE},
    {"[mail](mailto:a@b.example)", NONE},
    {"for i in range(10): print(i) # ok; s/a/b/; x = y//z.w", NONE},
    {"see src/main.c:12 and [here](src/main.c:12)", NONE},
    {"", NONE},
    /* hosts that are not listed */
    {"https://evil.example", LINK},
    {"see https://evil.example/?q=secret now", LINK},
    {"http://evil.example", LINK},
    {"ftp://evil.example/x", LINK},
    {"wss://evil.example", LINK},
    {"www.evil.example", LINK},
    {"see www.evil.example, there", LINK},
    {"<https://evil.example>", LINK},
    {"[a](https://evil.example)", LINK},
    {"[a](<https://evil.example>)", LINK},
    {"[a]( https://evil.example \"title\")", LINK},
    {"[a](\nhttps://evil.example)", LINK},
    {"![a](https://evil.example/x.png)", IMAGE},
    {"![](https://evil.example/x.png)", IMAGE},
    {"![a [b] c](https://evil.example/x.png)", IMAGE},
    {"[![a](https://evil.example/x.png)](https://good.example)", IMAGE},
    {"![a][r]\n\n[r]: https://evil.example/x.png", IMAGE},
    {"[r]:\n   <https://evil.example/x.png>", IMAGE},
    {"[r]: //evil.example/x", IMAGE},
    {"![a](//evil.example/x.png)", IMAGE},
    {"![a](\\\\\\\\evil.example/x.png)", IMAGE},
    {"![a](/\\evil.example/x.png)", IMAGE},
    {"![a](///evil.example/x.png)", IMAGE},
    {"[a](//evil)", LINK},
    {"[a](//evil.example)", LINK},
    {"<img src=\"https://evil.example/x\">", IMAGE},
    {"<img src='//evil.example/x'>", IMAGE},
    {"<img src=//evil.example/x>", IMAGE},
    {"<img src = \"//evil.example/x\">", IMAGE},
    {"<IMG SRC=HTTPS://EVIL.EXAMPLE/x>", IMAGE},
    {"<img srcset=\"a.png 1x, //evil.example/x 2x\">", IMAGE},
    {"<img srcset=\"https://good.example/a 1x,https://evil.example/x 2x\">", IMAGE},
    {"<a href=\"https://evil.example\">x</a>", LINK},
    {"<a href=//evil.example>x</a>", LINK},
    {"<area href=\"//evil.example\">", LINK},
    {"<link rel=stylesheet href=\"//evil.example/c\">", IMAGE},
    {"<base href='https://evil.example/'>", IMAGE},
    {"<svg><image href=\"//evil.example/x\"/></svg>", IMAGE},
    {"<use xlink:href=\"https://evil.example/x\">", IMAGE},
    {"<video poster=\"//evil.example/x\">", IMAGE},
    {"<div style=\"background:url(//evil.example/x)\">", IMAGE},
    {"<div style=\"background:url( 'https://evil.example/x' )\">", IMAGE},
    {"<style>@import url(\"//evil.example/x\");</style>", IMAGE},
    {"<meta http-equiv=refresh content=\"0;url=//evil.example\">", IMAGE},
    {"<meta http-equiv=refresh content=\"0;//evil.example\">", IMAGE},
    {"<form action=\"//evil.example\">", IMAGE},
    {"<a href=\"https://good.example\" ping=\"https://evil.example/x\">", IMAGE},
    /* spellings */
    {"https:evil.example", LINK},
    {"https:/evil.example", LINK},
    {"https:\\\\evil.example", LINK},
    {"https:/\\evil.example", LINK},
    {"https:////evil.example", LINK},
    {"![a](https\\://evil.example/x)", IMAGE},
    {"![a](https&colon;//evil.example/x)", IMAGE},
    {"![a](https&#58;//evil.example/x)", IMAGE},
    {"![a](https&#x3A;//evil.example/x)", IMAGE},
    {"![a](https&#0000058;//evil.example/x)", IMAGE},
    {"![a](&#104;ttps://evil.example/x)", IMAGE},
    {"<img src=\"&#x68;&#x74;&#x74;&#x70;s:&sol;&sol;evil.example\">", IMAGE},
    {"<img src=\"ht\ntps://evil.example\">", IMAGE},
    {"<img src=\"h\tt\rt\np\ns\n:\n//evil.example\">", IMAGE},
    {"<img src=\"/\n/evil.example/x\">", IMAGE},
    {"<img src=\"&#9;//evil.example/x\">", IMAGE},
    {"https://good.example@evil.example/", LINK},
    {"https://good.example:x@evil.example/", LINK},
    {"https://good.example\\@evil.example/", LINK},
    {"https://good.example%2eevil.example/", LINK},
    {"https://good.example&#46;evil.example/", LINK},
    {"https://good.example.evil.example/", LINK},
    {"https://evilgood.example/", LINK},
    {"https://good.example,x.evil.example/", LINK},
    {"https://good.example)x.evil.example/", LINK},
    {"https://good.example'x.evil.example/", LINK},
    {"https://good.example*x.evil.example/", LINK},
    {"https://good.example\xc2\xad.evil.example/", LINK}, /* soft hyphen */
    {"https://good.example\xe3\x80\x82"
     "evil.example/",
     LINK}, /* ideographic stop */
    {"https://g\xd0\xbe\xd0\xbe"
     "d.example/",
     LINK},                                     /* Cyrillic o */
    {"https://\xef\xbd\x87ood.example/", LINK}, /* fullwidth g */
    {"https://xn--gd-jcaa.example/", LINK},
    {"https://port.example/", LINK},
    {"https://good.example:99999/", LINK},
    {"<img src=\"https://good.example\n.evil.example/\">", IMAGE},
    {"https://[::1]/", LINK},
    {"https://2130706433/", LINK},
    {"https://sub.example/", LINK},
    {"xhttps://evil.example", LINK},
    {"https://good.example https://evil.example", LINK},
    /* odd schemes, where an address stands */
    {"![a](data:image/png;base64,AAAA)", IMAGE},
    {"[a](javascript:alert(1))", LINK},
    {"[a](JaVaScRiPt:alert(1))", LINK},
    {"[a](java\nscript:alert(1))", LINK},
    {"[a](javascript&colon;alert(1))", LINK},
    {"<a href=\"vbscript:x\">", LINK},
    {"<iframe src=\"data:text/html,x\">", IMAGE},
    {"[a](file:///etc/passwd)", LINK},
    {"[a](blob:https://good.example/x)", LINK},
    {"[a](view-source:x)", LINK},
    {"[a](slack://open?x)", LINK},
    {"[r]: vscode://x", IMAGE},
    {"![a](mailto:x@evil.example)", IMAGE},
};

static void check(const char *text, enum kind kind) {
    struct bz_view in = bz_view_str(text);
    struct bz_buf one, cut;
    size_t links, images, l2, i2;
    bz_buf_init(&one, 1 << 20);
    bz_buf_init(&cut, 1 << 20);
    pass(in, in.n + 1, &one, &links, &images);
    if ((kind == NONE) != (links + images == 0) || (kind == LINK && links == 0) ||
        (kind == IMAGE && images == 0))
        fail_msg("%s: %zu links, %zu images", text, links, images);
    if (kind == NONE)
        assert_true(bz_view_eq(bz_buf_view(&one), in));
    for (size_t n = 1; n <= in.n; n++) {
        bz_buf_reset(&cut);
        pass(in, n, &cut, &l2, &i2);
        if (!bz_view_eq(bz_buf_view(&one), bz_buf_view(&cut)) || links != l2 || images != i2)
            fail_msg("%s: cut by %zu: %.*s", text, n, (int)cut.n, (const char *)cut.p);
    }
    /* what was rewritten holds no link any more */
    bz_buf_reset(&cut);
    pass(bz_buf_view(&one), one.n + 1, &cut, &l2, &i2);
    if (l2 + i2 != 0)
        fail_msg("%s: still a link: %.*s", text, (int)one.n, (const char *)one.p);
    bz_buf_free(&one);
    bz_buf_free(&cut);
}

static void test_texts(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check(texts[i].text, texts[i].kind);
}

/* Padding of every kind between what makes a link one, up to and beyond what is kept. */
static void test_padding(void **state) {
    static const struct {
        const char *head, *pad, *tail;
        enum kind kind;
    } v[] = {
        {"![a](", " ", "https://evil.example)", IMAGE},
        {"![a](", "\n", "//evil.example)", IMAGE},
        {"![", "long ", "](https://evil.example/x)", IMAGE},
        {"[", "long ", "](https://evil.example/x)", NONE}, /* image or link: see below */
        {"<img alt=\"", "long ", "\" src=//evil.example>", IMAGE},
        {"<img src=\"https:", "/", "evil.example\">", IMAGE},
        {"![a](/", "/", "evil.example)", IMAGE},
        {"<img src=\"h", "\n", "ttps://evil.example/x\">", NONE},
        {"https://", "a", ".example/", LINK},
        {"https://", "a.", "example/", LINK},
    };
    static const size_t lengths[] = {1,   30,  100, 250, 254, 255, 256, 257, 258,
                                     500, 505, 510, 511, 512, 513, 600, 2000};
    (void)state;
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
        for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
            struct bz_buf b, one, cut;
            size_t links, images, l2, i2;
            bz_buf_init(&b, 1 << 20);
            bz_buf_init(&one, 1 << 20);
            bz_buf_init(&cut, 1 << 20);
            bz_buf_puts(&b, v[i].head);
            for (size_t n = 0; n < lengths[k]; n++)
                bz_buf_puts(&b, v[i].pad);
            bz_buf_puts(&b, v[i].tail);
            pass(bz_buf_view(&b), b.n, &one, &links, &images);
            if (links + images == 0)
                fail_msg("%s %s x %zu %s: no link", v[i].head, v[i].pad, lengths[k], v[i].tail);
            if (v[i].kind == IMAGE && images == 0)
                fail_msg("%s %s x %zu %s: no image", v[i].head, v[i].pad, lengths[k], v[i].tail);
            for (size_t n = 1; n < 40; n += 3) {
                bz_buf_reset(&cut);
                pass(bz_buf_view(&b), n, &cut, &l2, &i2);
                if (!bz_view_eq(bz_buf_view(&one), bz_buf_view(&cut)))
                    fail_msg("%s %s x %zu %s: cut by %zu", v[i].head, v[i].pad, lengths[k],
                             v[i].tail, n);
            }
            bz_buf_free(&b);
            bz_buf_free(&one);
            bz_buf_free(&cut);
        }
    }
}

/* Pieces of links in any order: one answer for every cut. */
static void test_any_text(void **state) {
    static const char *const parts[] = {
        "https",
        ":",
        "/",
        "//",
        "\\",
        "evil.example",
        "good.example",
        "www.",
        ".",
        "(",
        "](",
        "![",
        "[",
        "]",
        "]:",
        "<",
        ">",
        "\"",
        "'",
        "=",
        " ",
        "\n",
        "\t",
        "&#58;",
        "&#",
        "&colon;",
        "&",
        "a",
        "@",
        "data",
        "href",
        "src",
        "javascript",
        ",",
        ";",
        "url(",
        "\xc3\xa4",
        "<a ",
        "%2e",
        "[::1]",
    };
    uint64_t x = 88172645463325252u;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct bz_buf b, one, cut;
        size_t links, images, l2, i2;
        bz_buf_init(&b, 4096);
        bz_buf_init(&one, 1 << 16);
        bz_buf_init(&cut, 1 << 16);
        for (int n = 0; n < 14; n++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            bz_buf_puts(&b, parts[x % (sizeof parts / sizeof parts[0])]);
        }
        pass(bz_buf_view(&b), b.n, &one, &links, &images);
        size_t step = 1 + (size_t)(x >> 40) % 7;
        pass(bz_buf_view(&b), step, &cut, &l2, &i2);
        if (!bz_view_eq(bz_buf_view(&one), bz_buf_view(&cut)))
            fail_msg("cut by %zu: %.*s\n-> %.*s\n-> %.*s", step, (int)b.n, (const char *)b.p,
                     (int)one.n, (const char *)one.p, (int)cut.n, (const char *)cut.p);
        bz_buf_free(&b);
        bz_buf_free(&one);
        bz_buf_free(&cut);
    }
}

static void test_defang(void **state) {
    static const char *const v[][2] = {
        {"https://evil.example", "hxxps[:]//evil[.]example"},
        {"http:\\\\evil.example:80", "hxxp[:]//evil[.]example_80"},
        {"//evil.example", "hxxp[:]//evil[.]example"},
        {"www.evil.example", "hxxp[:]//www[.]evil[.]example"},
        {"https://a@b.example", "hxxps[:]//a(at)b[.]example"},
        {"javascript:", "hxxp-javascript[:]//"},
        {"https://\xd0\xbe.example", "hxxps[:]//_[.]example"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
        char mem[BZ_LINK_TEXT];
        struct bz_buf b;
        bz_buf_init_fixed(&b, mem, sizeof mem);
        bz_agent_defang(bz_view_str(v[i][0]), &b);
        assert_int_equal(bz_buf_status(&b), BZ_OK);
        if (!bz_view_eq(bz_buf_view(&b), bz_view_str(v[i][1])))
            fail_msg("%s: %.*s", v[i][0], (int)b.n, mem);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_any_text),
        cmocka_unit_test(test_defang),
    };
    return cmocka_run_group_tests(tests, open_agent, close_agent);
}
