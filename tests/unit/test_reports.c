#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <bartizan/html.h>
#include <bartizan/sarif.h>

static void assert_text(const struct bz_buf *b, const char *want) {
    assert_int_equal(b->st, BZ_OK);
    bool same = bz_view_eq(bz_buf_view(b), bz_view_str(want));
    if (!same)
        print_message("# %.*s\n", (int)b->n, b->n == 0 ? "" : (const char *)b->p);
    assert_true(same);
}

static void put_place(struct bz_buf *b, const struct bz_sarif_place *p) {
    struct bz_jw w;
    bz_buf_init(b, 4096);
    bz_jw_init(&w, b);
    bz_jw_obj(&w);
    bz_sarif_place(&w, p);
    bz_jw_end(&w);
}

static void places(void **state) {
    static const struct {
        struct bz_sarif_place place;
        const char *want;
    } rows[] = {
        {{.path = {NULL, 0}}, "{}"},
        {{.inside = {(const uint8_t *)"host", 4}, .inside_kind = "resource"},
         "{\"locations\":[{\"logicalLocations\":[{\"fullyQualifiedName\":\"host\",\"kind\":"
         "\"resource\"}]}]}"},
        {{.path = {(const uint8_t *)"/a b/\xc3\xa9%?#:@\x01\\-._~Z9", 20}},
         "{\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":"
         "\"file:///a%20b/%C3%A9%25%3F%23%3A%40%01%5C-._~Z9\"}}}]}"},
        {{.path = {(const uint8_t *)"a\0b", 3}, .at_byte = true, .byte = 0},
         "{\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"a%00b\"},"
         "\"region\":{\"byteOffset\":0}}}]}"},
        {{.path = {(const uint8_t *)"a", 1},
          .line = 1,
          .column = 2,
          .end_line = 3,
          .end_column = 4},
         "{\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"a\"},\"region\":{"
         "\"startLine\":1,\"startColumn\":2,\"endLine\":3,\"endColumn\":4}}}]}"},
        {{.path = {(const uint8_t *)"z", 1},
          .inside = {(const uint8_t *)"m", 1},
          .inside_kind = "member"},
         "{\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"z\"}},"
         "\"logicalLocations\":[{\"fullyQualifiedName\":\"m\",\"kind\":\"member\"}]}]}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_buf b;
        put_place(&b, &rows[i].place);
        assert_text(&b, rows[i].want);
        bz_buf_free(&b);
    }
}

#define BEGIN                                                                                      \
    "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\","        \
    "\"runs\":[{\"columnKind\":\"unicodeCodePoints\",\"tool\":{\"driver\":{\"name\":\"t\","        \
    "\"version\":\"" BZ_VERSION "\",\"rules\":["

static void whole_log(struct bz_buf *b, bool ok, const char *notes) {
    struct bz_jw w;
    bz_jw_init(&w, b);
    bz_sarif_begin(&w, "t");
    bz_sarif_rule(&w, &(struct bz_sarif_rule){.id = BZ_V("R1"), .title = BZ_V("one")});
    bz_jw_end(&w);
    bz_sarif_rule(&w, &(struct bz_sarif_rule){.id = BZ_V("R2"),
                                              .title = BZ_V("two"),
                                              .why = BZ_V("w"),
                                              .todo = BZ_V("t"),
                                              .level = "note"});
    bz_jw_kbool(&w, "more", true);
    bz_jw_end(&w);
    bz_sarif_results(&w);
    bz_jw_obj(&w);
    bz_sarif_text(&w, "message", BZ_V("\"q\""));
    bz_jw_end(&w);
    bz_sarif_end(&w, ok, bz_view_str(notes));
}

static void logs(void **state) {
    static const char middle[] = BEGIN
        "{\"id\":\"R1\",\"shortDescription\":{\"text\":\"one\"}},"
        "{\"id\":\"R2\",\"shortDescription\":{\"text\":\"two\"},\"fullDescription\":{\"text\":"
        "\"w\"},\"help\":{\"text\":\"t\"},\"defaultConfiguration\":{\"level\":\"note\"},"
        "\"more\":true}]}},\"results\":[{\"message\":{\"text\":\"\\\"q\\\"\"}}]";
    struct bz_buf b, want;
    bz_buf_init(&want, 4096);
    bz_buf_init(&b, 4096);
    whole_log(&b, true, "");
    bz_buf_printf(&want, "%s}]}%c", middle, 0);
    assert_text(&b, (const char *)want.p);
    bz_buf_reset(&b);
    bz_buf_reset(&want);
    whole_log(&b, false, "[{}]");
    bz_buf_printf(&want,
                  "%s,\"invocations\":[{\"executionSuccessful\":false,"
                  "\"toolExecutionNotifications\":[{}]}]}]}%c",
                  middle, 0);
    assert_text(&b, (const char *)want.p);
    bz_buf_free(&b);
    bz_buf_free(&want);
}

/* What does not fit is said, however little room there is. */
static void no_room(void **state) {
    uint8_t mem[1024];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    whole_log(&b, true, "[]");
    assert_int_equal(b.st, BZ_OK);
    for (size_t n = 0, whole = b.n; n <= whole; n++) {
        bz_buf_init_fixed(&b, mem, n);
        whole_log(&b, true, "[]");
        assert_int_equal(b.st, n < whole ? BZ_ETOOBIG : BZ_OK);
    }
}

static void html_text(void **state) {
    static const struct {
        struct bz_view text;
        const char *want;
    } rows[] = {
        {{NULL, 0}, ""},
        {{(const uint8_t *)"<a b=\"c\" d='e'>&</a>", 20},
         "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;&lt;/a&gt;"},
        {{(const uint8_t *)"a\x1b[31m\r\n\0z", 10}, "a\\x1b[31m\\x0d\\x0a\\x00z"},
        {{(const uint8_t *)"\xe2\x80\xae\xff\xc3\xa9", 6}, "\\u{202e}\\xff\xc3\xa9"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_buf b;
        bz_buf_init(&b, 4096);
        bz_html_put(&b, rows[i].text);
        assert_text(&b, rows[i].want);
        bz_buf_free(&b);
    }
}

static void html_page(void **state) {
    struct bz_buf b;
    bz_buf_init(&b, 1u << 16);
    bz_html_begin(&b, "Posture of", BZ_V("<host>"), ".x{color:red}");
    bz_html_end(&b, "bartizan posture");
    bz_buf_putc(&b, 0);
    assert_int_equal(bz_buf_status(&b), BZ_OK);
    const char *page = (const char *)b.p;
    assert_int_equal(strncmp(page, "<!doctype html>\n<html lang=\"en\">", 32), 0);
    assert_non_null(strstr(page, "default-src 'none'; style-src 'unsafe-inline'"));
    assert_non_null(strstr(page, "<title>Posture of &lt;host&gt;</title>"));
    assert_non_null(strstr(page, ".x{color:red}</style></head><body>\n"));
    assert_non_null(strstr(page, "bartizan posture " BZ_VERSION "</p></body></html>\n"));
    assert_null(strstr(page, "<script"));
    bz_buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),    cmocka_unit_test(logs),      cmocka_unit_test(no_room),
        cmocka_unit_test(html_text), cmocka_unit_test(html_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
