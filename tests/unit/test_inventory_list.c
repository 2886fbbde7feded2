/* Lists of components: order, limits of texts, licences, package URLs, what promotion needs. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <bartizan/inventory.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_texts(void **state) {
    struct bz_inventory inv;
    char text[BZ_INVENTORY_TEXT_MAX + 8];
    bz_inventory_init(&inv);
    assert_true(bz_view_eq(bz_inventory_text(&inv, BZ_V("  a b \n c")), BZ_V("a b ")));
    assert_true(
        bz_view_eq(bz_inventory_text(&inv, BZ_V("a\xff\xc3\xa9")), BZ_V("a\xef\xbf\xbd\xc3\xa9")));
    assert_int_equal(bz_inventory_text(&inv, BZ_V("\x1b[31m")).n, 0);
    memset(text, 'x', sizeof text);
    assert_in_range(bz_inventory_text(&inv, bz_view(text, sizeof text)).n,
                    BZ_INVENTORY_TEXT_MAX - 4, BZ_INVENTORY_TEXT_MAX);
    bz_inventory_dpkg(&inv, BZ_V("Version: 1\n\n"), BZ_V("p"), BZ_V(""));
    assert_int_equal(inv.n, 0);
    char name[BZ_PACKAGE_NAME_MAX + 32];
    for (size_t n = BZ_PACKAGE_NAME_MAX; n <= BZ_PACKAGE_NAME_MAX + 1; n++) {
        memcpy(name, "Name: ", 6);
        memset(name + 6, 'a', n);
        (void)bz_inventory_python(&inv, bz_view(name, n + 6), BZ_V("p"));
    }
    assert_int_equal(inv.n, 1);
    assert_int_equal(inv.notes_n, 1);
    bz_inventory_free(&inv);
}

static void test_order(void **state) {
    static const char *const names[] = {"c", "a", "b", "a", "c", "aa", ""};
    struct bz_inventory inv;
    bz_inventory_init(&inv);
    for (size_t i = 0; i < COUNT(names); i++)
        bz_inventory_add(&inv, i % 2 == 0 ? BZ_COMPONENT_NPM : BZ_COMPONENT_DEB)->name =
            bz_view_str(names[i]);
    bz_inventory_sort(&inv);
    const char *want[] = {"a", "aa", "", "b", "c"};
    size_t i = 0;
    for (const struct bz_component *c = inv.first; c != NULL; c = c->next, i++)
        assert_true(i < COUNT(want) && bz_view_eq(c->name, bz_view_str(want[i])));
    assert_int_equal(inv.n, COUNT(want));
    bz_inventory_free(&inv);
}

static void test_licences(void **state) {
    const struct bz_view allowed[] = {BZ_V("MIT"), BZ_V("Apache-2.0"),
                                      BZ_V("GPL-2.0-only WITH Classpath-exception-2.0")};
    static const struct {
        const char *expression;
        enum bz_status want;
    } rows[] = {
        {"MIT", BZ_OK},
        {"mit", BZ_OK},
        {"GPL-3.0-only", BZ_EDENIED},
        {"MIT OR GPL-3.0-only", BZ_OK},
        {"MIT AND GPL-3.0-only", BZ_EDENIED},
        {"MIT AND (Apache-2.0 OR GPL-3.0-only)", BZ_OK},
        {"GPL-3.0-only OR MIT AND GPL-3.0-only", BZ_EDENIED},
        {"GPL-2.0-only WITH Classpath-exception-2.0", BZ_OK},
        {"GPL-2.0-only", BZ_EDENIED},
        {"Apache-2.0 WITH LLVM-exception", BZ_OK},
        {"LicenseRef-gemma", BZ_EDENIED},
        {"", BZ_ESYNTAX},
        {"MIT OR", BZ_ESYNTAX},
        {"(MIT", BZ_ESYNTAX},
        {"MIT)", BZ_ESYNTAX},
        {"MIT MIT", BZ_ESYNTAX},
        {"Apache License, Version 2", BZ_ESYNTAX},
        {"AND", BZ_ESYNTAX},
        {"MIT WITH", BZ_ESYNTAX},
        {"()", BZ_ESYNTAX},
        {"GPL-2.0+", BZ_EDENIED},
        {"DocumentRef-a.1:LicenseRef-b", BZ_EDENIED},
        {"+", BZ_ESYNTAX},
        {"..", BZ_ESYNTAX},
        {"GPL++", BZ_ESYNTAX},
        {"GPL+2", BZ_ESYNTAX},
        {"MIT WITH a+", BZ_ESYNTAX},
        {"a:b", BZ_ESYNTAX},
        {"LicenseRef-", BZ_ESYNTAX},
        {"LicenseRef-a+", BZ_ESYNTAX},
        {"DocumentRef-a", BZ_ESYNTAX},
        {"DocumentRef-:LicenseRef-b", BZ_ESYNTAX},
        {"NONE", BZ_ESYNTAX},
        {"NoAssertion", BZ_ESYNTAX},
        {"UNLICENSED", BZ_ESYNTAX},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum bz_status st =
            bz_licence_allowed(bz_view_str(rows[i].expression), allowed, COUNT(allowed));
        if (st != rows[i].want)
            fail_msg("%s: %s", rows[i].expression, bz_status_text(st));
        assert_int_equal(bz_licence_is_expression(bz_view_str(rows[i].expression)),
                         st != BZ_ESYNTAX);
    }
    char deep[64];
    for (size_t n = 16; n <= 17; n++) {
        memset(deep, '(', n);
        memcpy(deep + n, "MIT", 3);
        memset(deep + n + 3, ')', n);
        assert_int_equal(bz_licence_is_expression(bz_view(deep, 2 * n + 3)), n == 16);
    }
    assert_true(bz_view_eq(bz_licence_spdx(BZ_V(" Apache Software License ")), BZ_V("Apache-2.0")));
    assert_int_equal(bz_licence_spdx(BZ_V("something else")).n, 0);
}

static void test_purls(void **state) {
    static const struct {
        struct bz_component c;
        const char *want;
    } rows[] = {
        {{.kind = BZ_COMPONENT_PYPI, .name = BZ_V("A_b"), .version = BZ_V("1+x")},
         "pkg:pypi/a-b@1%2Bx"},
        {{.kind = BZ_COMPONENT_NPM, .name = BZ_V("@s/n"), .version = BZ_V("1")},
         "pkg:npm/%40s/n@1"},
        {{.kind = BZ_COMPONENT_DEB,
          .name = BZ_V("g++"),
          .version = BZ_V("1:2"),
          .arch = BZ_V("amd64")},
         "pkg:deb/debian/g%2B%2B@1:2?arch=amd64"},
        {{.kind = BZ_COMPONENT_DEB, .name = BZ_V("a"), .distro = BZ_V("ubuntu-24.04")},
         "pkg:deb/ubuntu/a?distro=ubuntu-24.04"},
        {{.kind = BZ_COMPONENT_CONDA, .name = BZ_V("n"), .version = BZ_V("1")}, "pkg:conda/n@1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bz_buf b;
        bz_buf_init(&b, 1024);
        assert_true(bz_component_purl(&rows[i].c, &b));
        if (!bz_view_eq(bz_buf_view(&b), bz_view_str(rows[i].want)))
            fail_msg("%.*s", (int)b.n, (const char *)b.p);
        bz_buf_free(&b);
    }
    const struct bz_component model = {.kind = BZ_COMPONENT_MODEL, .name = BZ_V("m")};
    struct bz_buf b;
    bz_buf_init(&b, 64);
    assert_false(bz_component_purl(&model, &b));
    bz_buf_free(&b);
}

static void test_missing(void **state) {
    struct bz_component m = {.kind = BZ_COMPONENT_MODEL,
                             .name = BZ_V("m"),
                             .version = BZ_V("1"),
                             .supplier = BZ_V("s"),
                             .licence = BZ_V("MIT"),
                             .origin = BZ_V("https://a/b"),
                             .released = BZ_V("2026-01-01T00:00:00Z"),
                             .has_sha256 = true};
    assert_int_equal(bz_sbom_missing(&m), 0);
    m.licence = BZ_V("free of charge");
    assert_int_equal(bz_sbom_missing(&m), 1u << BZ_SBOM_LICENCE);
    m.licence = BZ_V("MIT");
    m.origin = BZ_V("ftp://x");
    assert_int_equal(bz_sbom_missing(&m), 1u << BZ_SBOM_SOURCE);
    m.origin = BZ_V("https://x");
    m.has_sha256 = false;
    m.released = BZ_V("2026-01-01");
    assert_int_equal(bz_sbom_missing(&m), 1u << BZ_SBOM_HASH | 1u << BZ_SBOM_RELEASED);
    const struct bz_component none = {.kind = BZ_COMPONENT_MODEL};
    assert_int_equal(bz_sbom_missing(&none), (1u << BZ_SBOM_FIELD_COUNT) - 1);
    for (unsigned f = 0; f < BZ_SBOM_FIELD_COUNT; f++) {
        enum bz_sbom_field g = BZ_SBOM_FIELD_COUNT;
        assert_true(bz_sbom_field_find(bz_view_str(bz_sbom_field_name((enum bz_sbom_field)f)), &g));
        assert_int_equal(g, f);
    }
}

static void test_urls_and_times(void **state) {
    static const char *const good[] = {"https://a",
                                       "http://example.org:8080/x?y=1#z",
                                       "git+https://a/b.git",
                                       "https://[::1]:443/",
                                       "https://a/%41",
                                       "https://xn--bcher-kva.example/",
                                       "https://a/!$&'()*+,;=:@"};
    static const char *const bad[] = {"",
                                      "https://",
                                      "https:///x",
                                      "ftp://a",
                                      "javascript:alert(1)",
                                      "https://a b",
                                      "https://user:secret@a/",
                                      "https://@/",
                                      "https://a:/",
                                      "https://a:99999/",
                                      "https://a:x/",
                                      "https://[::1/",
                                      "https://[::g]/",
                                      "https://[]/",
                                      "https://a/%4",
                                      "https://a/%zz",
                                      "https://a/#b#c",
                                      "https://a/?q=[1]",
                                      "https://a/\xc3\xa9",
                                      "https://a/\"",
                                      "https://a/<"};
    static const char *const times[] = {"2026-01-31T00:00:00Z", "1999-12-31T23:59:60Z"};
    static const char *const not_times[] = {"",
                                            "2026-01-31",
                                            "2026-13-01T00:00:00Z",
                                            "2026-00-01T00:00:00Z",
                                            "2026-01-31T24:00:00Z",
                                            "2026-01-31T00:00:00+00:00",
                                            "2026-01-31T00:00:00.5Z",
                                            "2026-01-31t00:00:00z"};
    for (size_t i = 0; i < COUNT(good); i++) {
        if (!bz_sbom_is_url(bz_view_str(good[i])))
            fail_msg("%s", good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (bz_sbom_is_url(bz_view_str(bad[i])))
            fail_msg("%s", bad[i]);
    }
    assert_false(bz_sbom_is_url(BZ_V("https://a/\0")));
    for (size_t i = 0; i < COUNT(times); i++)
        assert_true(bz_sbom_is_time(bz_view_str(times[i])));
    for (size_t i = 0; i < COUNT(not_times); i++)
        assert_false(bz_sbom_is_time(bz_view_str(not_times[i])));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),    cmocka_unit_test(test_order),
        cmocka_unit_test(test_licences), cmocka_unit_test(test_purls),
        cmocka_unit_test(test_missing),  cmocka_unit_test(test_urls_and_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
