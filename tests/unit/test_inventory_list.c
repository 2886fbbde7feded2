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
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum bz_status st =
            bz_licence_allowed(bz_view_str(rows[i].expression), allowed, COUNT(allowed));
        if (st != rows[i].want)
            fail_msg("%s: %s", rows[i].expression, bz_status_text(st));
        assert_int_equal(bz_licence_is_expression(bz_view_str(rows[i].expression)),
                         st != BZ_ESYNTAX);
    }
    char deep[200];
    memset(deep, '(', 100);
    assert_false(bz_licence_is_expression(bz_view(deep, 100)));
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
    assert_null(bz_sbom_missing(&m));
    m.licence = BZ_V("free of charge");
    assert_string_equal(bz_sbom_missing(&m), "licence");
    m.licence = BZ_V("MIT");
    m.origin = BZ_V("ftp://x");
    assert_string_equal(bz_sbom_missing(&m), "source");
    m.origin = BZ_V("https://x");
    m.has_sha256 = false;
    assert_string_equal(bz_sbom_missing(&m), "hash");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),    cmocka_unit_test(test_order),
        cmocka_unit_test(test_licences), cmocka_unit_test(test_purls),
        cmocka_unit_test(test_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
