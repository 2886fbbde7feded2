/* The master key's sources: what was sealed opens again with the right secret only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>
#include "master.h"

static char path[64];
static int dir;
static struct bz_buf why;
static const uint8_t master[BZ_KEY_LEN] = {5, 6, 7};

static int set_up(void **state) {
    snprintf(path, sizeof path, "/tmp/bz-master-XXXXXX");
    if (bz_crypto_init() != BZ_OK || mkdtemp(path) == NULL)
        return 1;
    dir = open(path, O_RDONLY | O_DIRECTORY);
    bz_buf_init(&why, 4096);
    return bz_instance_dirs(dir) != BZ_OK;
}

static int tear_down(void **state) {
    bz_buf_free(&why);
    close(dir);
    bz_tree_remove(AT_FDCWD, path);
    return 0;
}

static enum bz_status put(enum bz_master_source s, const char *secret) {
    return bz_master_write(dir, s, master, bz_view_str(secret), &why);
}

static enum bz_status get(const char *secret) {
    uint8_t out[BZ_KEY_LEN] = {0};
    enum bz_status st = bz_master_read(dir, bz_view_str(secret), out, &why);
    if (st == BZ_OK)
        assert_memory_equal(out, master, sizeof out);
    return st;
}

static bool plain_key(void) {
    return faccessat(dir, BZ_F_MASTER_KEY, F_OK, 0) == 0;
}

static void names(void **state) {
    enum bz_master_source s;
    for (int i = 0; i < BZ_MASTER_COUNT; i++)
        assert_true(bz_master_source_parse(bz_master_source_name((enum bz_master_source)i), &s) &&
                    (int)s == i);
    assert_false(bz_master_source_parse("kms", &s));
    assert_int_equal(bz_master_source(dir, &s), BZ_ENOTFOUND);
    assert_int_equal(get(""), BZ_ENOTFOUND);
}

static void by_file(void **state) {
    enum bz_master_source s;
    assert_int_equal(put(BZ_MASTER_FILE, ""), BZ_OK);
    assert_int_equal(bz_master_source(dir, &s), BZ_OK);
    assert_int_equal(s, BZ_MASTER_FILE);
    assert_int_equal(get(""), BZ_OK);
    struct bz_instance in = {.fd = dir};
    struct bz_instance_keys a, b;
    assert_int_equal(bz_instance_keys(&in, &a), BZ_OK); /* as bartizand reads it */
    bz_instance_derive(master, &b);
    assert_memory_equal(&a, &b, sizeof a);
}

static void by_passphrase(void **state) {
    enum bz_master_source s;
    assert_int_equal(put(BZ_MASTER_FILE, ""), BZ_OK);
    assert_int_equal(put(BZ_MASTER_BY_PASSPHRASE, ""), BZ_EINVAL);
    assert_true(plain_key());
    assert_int_equal(put(BZ_MASTER_BY_PASSPHRASE, "correct horse"), BZ_OK);
    assert_false(plain_key());
    assert_int_equal(bz_master_source(dir, &s), BZ_OK);
    assert_int_equal(s, BZ_MASTER_BY_PASSPHRASE);
    assert_int_equal(get("correct horse"), BZ_OK);
    assert_int_equal(get("correct horse\n"), BZ_OK); /* as a file has it */
    assert_int_equal(get("correct horsf"), BZ_EDENIED);
    assert_int_equal(get(""), BZ_EDENIED);
    assert_int_equal(put(BZ_MASTER_BY_PASSPHRASE, "another"), BZ_OK);
    assert_int_equal(get("correct horse"), BZ_EDENIED);
    assert_int_equal(get("another"), BZ_OK);
    assert_int_equal(put(BZ_MASTER_FILE, ""), BZ_OK); /* and back */
    assert_int_equal(get(""), BZ_OK);
}

static void by_credential(void **state) {
    static const char secret[] = "0123456789abcdef0123456789abcdef";
    struct bz_buf b;
    char file[96];
    assert_int_equal(put(BZ_MASTER_BY_CREDENTIAL, secret + 1), BZ_EINVAL);
    assert_int_equal(put(BZ_MASTER_BY_CREDENTIAL, secret), BZ_OK);
    assert_int_equal(get(secret), BZ_OK);
    assert_int_equal(get("0123456789abcdef0123456789abcdeF"), BZ_EDENIED);
    bz_buf_init(&b, 100);
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_int_equal(bz_master_credential(BZ_MASTER_CREDENTIAL, &b), BZ_ENOTFOUND);
    setenv("CREDENTIALS_DIRECTORY", path, 1);
    assert_int_equal(bz_master_credential(BZ_MASTER_CREDENTIAL, &b), BZ_ENOTFOUND);
    snprintf(file, sizeof file, "%s/%s", path, BZ_MASTER_CREDENTIAL);
    assert_int_equal(bz_file_create(AT_FDCWD, file, bz_view_str(secret), 0600), BZ_OK);
    assert_int_equal(bz_master_credential(BZ_MASTER_CREDENTIAL, &b), BZ_OK);
    assert_true(bz_view_eq(bz_buf_view(&b), bz_view_str(secret)));
    bz_buf_free(&b);
}

static void files_that_are_none(void **state) {
    static const char *const bad[] = {
        "",
        "{}",
        "{\"version\":1}",
        "{\"version\":2,\"source\":\"credential\",\"sealed\":\"AAAA\"}",
        "{\"version\":1,\"source\":\"file\",\"sealed\":\"AAAA\"}",
        "{\"version\":1,\"source\":\"passphrase\",\"sealed\":\"AAAA\"}"};
    enum bz_master_source s;
    assert_int_equal(put(BZ_MASTER_FILE, ""), BZ_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(
            bz_file_write(dir, BZ_F_MASTER_SEALED, bz_view_str(bad[i]), 0600, BZ_FILE_NO_SYNC),
            BZ_OK);
        assert_int_equal(bz_master_source(dir, &s), BZ_ECORRUPT);
        assert_int_equal(get("x"), BZ_ECORRUPT); /* never a quiet fall back to the file */
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {TEST(names), TEST(by_file), TEST(by_passphrase),
                                       TEST(by_credential), TEST(files_that_are_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
