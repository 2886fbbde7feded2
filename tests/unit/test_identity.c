/* Users and keys, from the wish to the image. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sqlite3.h>
#include <unistd.h>
#include <cmocka.h>
#include <bartizan/identity.h>

static char dir[64], path[96];
static struct bz_identity *id;
static const uint8_t pepper[BZ_KEY_LEN] = {1, 2, 3};
enum { now = 1000000 };

static int set_up(void **state) {
    snprintf(dir, sizeof dir, "/tmp/bz-identity-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/db", dir);
    return bz_identity_create(path, &id) != BZ_OK ||
           bz_identity_user_add(id, "ann", "user", now) != BZ_OK;
}

static int tear_down(void **state) {
    bz_identity_close(id);
    id = NULL;
    (void)!unlink(path);
    return rmdir(dir);
}

static char text[BZ_KEY_TEXT + 1], key_id[BZ_KEY_ID_TEXT + 1];

/* A new key text per number; its id stands in key_id. */
static struct bz_view key_text(uint8_t n) {
    uint8_t rnd[48];
    memset(rnd, n, sizeof rnd);
    bz_key_make(rnd, text);
    memcpy(key_id, text + 3, BZ_KEY_ID_TEXT);
    return bz_view_str(text);
}

static enum bz_status add(const struct bz_key_wish *w, uint8_t n) {
    return bz_identity_key_add(id, pepper, w, now, key_text(n));
}

static void test_names(void **state) {
    assert_true(bz_user_name_valid(BZ_V("a")));
    assert_true(bz_user_name_valid(BZ_V("Ann.B_c-d@example")));
    assert_false(bz_user_name_valid(BZ_V("")));
    assert_false(bz_user_name_valid(BZ_V(".a")));
    assert_false(bz_user_name_valid(BZ_V("_a")));
    assert_false(bz_user_name_valid(BZ_V("-rf")));
    assert_false(bz_user_name_valid(BZ_V("a b")));
    assert_false(bz_user_name_valid(BZ_V("a\0b")));
    assert_false(bz_user_name_valid(BZ_V("a\nb")));
    assert_false(bz_user_name_valid(BZ_V("\xc3\xa4")));
    char long_name[66];
    memset(long_name, 'a', sizeof long_name);
    assert_true(bz_user_name_valid(bz_view(long_name, 64)));
    assert_false(bz_user_name_valid(bz_view(long_name, 65)));
    assert_true(bz_role_name_valid(BZ_V("batch-2")));
    assert_false(bz_role_name_valid(BZ_V("User")));
}

static void test_users(void **state) {
    struct bz_user u;
    const struct bz_user *list = NULL;
    size_t n = 0;
    assert_int_equal(bz_identity_user_add(id, "ann", "user", now), BZ_EEXISTS);
    assert_int_equal(bz_identity_user_add(id, "Ann", "user", now), BZ_EEXISTS);
    assert_int_equal(bz_identity_user_add(id, "a b", "user", now), BZ_EINVAL);
    assert_int_equal(bz_identity_user_add(id, "bob", "No Role", now), BZ_EINVAL);
    for (int i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "u%02d", i);
        assert_int_equal(bz_identity_user_add(id, name, "user", now), BZ_OK);
    }
    assert_int_equal(bz_identity_user_set_disabled(id, "u07", true), BZ_OK);
    assert_int_equal(bz_identity_user_set_disabled(id, "nobody", true), BZ_ENOTFOUND);
    assert_int_equal(bz_identity_users(id, &list, &n), BZ_OK);
    assert_int_equal(n, 41);
    assert_string_equal(list[0].name, "ann");
    assert_int_equal(list[0].created, now);
    assert_string_equal(list[8].name, "u07");
    assert_true(list[8].disabled);
    assert_false(list[9].disabled);
    assert_int_equal(bz_identity_user_find(id, "ANN", &u), BZ_OK);
    assert_string_equal(u.name, "ann");
    assert_int_equal(bz_identity_user_find(id, "nobody", &u), BZ_ENOTFOUND);
    assert_int_equal(bz_identity_user_find(id, NULL, &u), BZ_ENOTFOUND);
}

static void test_key_with_everything(void **state) {
    char *routes[] = {(char[]){"chat"}, (char[]){"models"}}, *models[] = {(char[]){"ti*"}};
    struct bz_key_wish w = {
        .owner = "ANN",
        .role = "batch",
        .routes = routes,
        .routes_n = 2,
        .models = models,
        .models_n = 1,
        .expires = now + 10,
        .limits = {.rate = {{1, 2}, {3, 4}, {5, 6}}, .concurrent = 7, .body_max = 8}};
    struct bz_key_record k;
    uint8_t hash[BZ_HASH_LEN];
    assert_int_equal(add(&w, 1), BZ_OK);
    assert_int_equal(bz_identity_key_find(id, key_id, &k), BZ_OK);
    assert_string_equal(k.id, key_id);
    bz_key_hash(pepper, bz_view_str(text), hash);
    assert_memory_equal(k.hash, hash, sizeof hash);
    assert_string_equal(k.owner, "ann");
    assert_string_equal(k.role, "batch");
    assert_int_equal(k.routes_n, 2);
    assert_string_equal(k.routes[0], "chat");
    assert_string_equal(k.routes[1], "models");
    assert_int_equal(k.models_n, 1);
    assert_string_equal(k.models[0], "ti*");
    assert_int_equal(k.expires, now + 10);
    assert_int_equal(k.created, now);
    assert_false(k.revoked);
    assert_memory_equal(&k.limits.rate, &w.limits.rate, sizeof k.limits.rate);
    assert_int_equal(k.limits.concurrent, 7);
    assert_int_equal(k.limits.body_max, 8);
}

static void test_none_and_empty_are_different(void **state) {
    char *nothing[] = {NULL};
    struct bz_key_wish w = {.owner = "ann"};
    struct bz_key_record k;
    assert_int_equal(add(&w, 1), BZ_OK);
    assert_int_equal(bz_identity_key_find(id, key_id, &k), BZ_OK);
    assert_string_equal(k.role, "user"); /* the owner's */
    assert_null(k.routes);
    assert_null(k.models);
    w.routes = w.models = nothing;
    assert_int_equal(add(&w, 2), BZ_OK);
    assert_int_equal(bz_identity_key_find(id, key_id, &k), BZ_OK);
    assert_non_null(k.routes);
    assert_non_null(k.models);
    assert_int_equal(k.routes_n + k.models_n, 0);
}

static void test_refused_wishes(void **state) {
    char *split[] = {(char[]){"chat\nmanage"}}, *empty[] = {(char[]){""}};
    struct bz_key_wish w = {.owner = "nobody"};
    assert_int_equal(add(&w, 1), BZ_ENOTFOUND);
    w.owner = "ann";
    w.expires = now;
    assert_int_equal(add(&w, 1), BZ_EINVAL);
    w.expires = now + 1;
    assert_int_equal(add(&w, 1), BZ_OK);
    assert_int_equal(add(&w, 1), BZ_EEXISTS);
    w.routes = split; /* would be two scopes after reading it back */
    w.routes_n = 1;
    assert_int_equal(add(&w, 2), BZ_EINVAL);
    w.routes = empty;
    assert_int_equal(add(&w, 2), BZ_EINVAL);
    w.routes = NULL;
    w.role = "Not A Role";
    assert_int_equal(add(&w, 2), BZ_EINVAL);
    w.role = NULL;
    assert_int_equal(bz_identity_key_add(id, pepper, &w, now, BZ_V("bz_not_a_key")), BZ_EINVAL);
    assert_int_equal(bz_identity_user_set_disabled(id, "ann", true), BZ_OK);
    assert_int_equal(add(&w, 2), BZ_EDENIED);
}

static size_t usable(void) {
    const struct bz_key_record *list = NULL;
    size_t n = 0;
    assert_int_equal(bz_identity_keys(id, true, &list, &n), BZ_OK);
    return n;
}

static void test_what_the_image_gets(void **state) {
    const struct bz_key_record *list = NULL;
    size_t n = 0;
    struct bz_key_wish w = {.owner = "ann"};
    assert_int_equal(bz_identity_user_add(id, "bob", "user", now), BZ_OK);
    assert_int_equal(usable(), 0);
    assert_int_equal(add(&w, 1), BZ_OK);
    w.owner = "bob";
    assert_int_equal(add(&w, 2), BZ_OK);
    assert_int_equal(add(&w, 3), BZ_OK);
    assert_int_equal(usable(), 3);
    assert_int_equal(bz_identity_key_revoke(id, key_id), BZ_OK);
    assert_int_equal(usable(), 2);
    assert_int_equal(bz_identity_user_set_disabled(id, "bob", true), BZ_OK);
    assert_int_equal(usable(), 1);
    assert_int_equal(bz_identity_keys(id, false, &list, &n), BZ_OK);
    assert_int_equal(n, 3);
    assert_true(list[2].revoked);
    assert_string_equal(list[1].owner, "bob");
    assert_int_equal(bz_identity_user_set_disabled(id, "bob", false), BZ_OK);
    assert_int_equal(usable(), 2); /* what was revoked stays revoked */
    assert_int_equal(bz_identity_key_revoke(id, "000000000000"), BZ_ENOTFOUND);
}

static struct bz_key_record find(const char *which) {
    struct bz_key_record k = {0};
    assert_int_equal(bz_identity_key_find(id, which, &k), BZ_OK);
    return k;
}

static void test_rotation(void **state) {
    char *models[] = {(char[]){"tiny"}}, old[BZ_KEY_ID_TEXT + 1];
    struct bz_key_wish w = {.owner = "ann",
                            .models = models,
                            .models_n = 1,
                            .expires = now + 1000,
                            .limits = {.concurrent = 5, .body_max = 6}};
    assert_int_equal(add(&w, 1), BZ_OK);
    snprintf(old, sizeof old, "%s", key_id);
    enum { later = now + 400 };
    assert_int_equal(bz_identity_key_rotate(id, pepper, old, later + 60, later, key_text(2)),
                     BZ_OK);
    assert_int_equal(find(old).expires, later + 60);
    struct bz_key_record k = find(key_id);
    assert_string_equal(k.owner, "ann");
    assert_string_equal(k.models[0], "tiny");
    assert_null(k.routes);
    assert_int_equal(k.limits.concurrent, 5);
    assert_int_equal(k.limits.body_max, 6);
    assert_int_equal(k.created, later);
    assert_int_equal(k.expires, later + 1000); /* as long a life */
    /* an overlap never makes the old one live longer than it would have */
    char second[BZ_KEY_ID_TEXT + 1];
    snprintf(second, sizeof second, "%s", key_id);
    assert_int_equal(bz_identity_key_rotate(id, pepper, second, UINT64_MAX, later, key_text(3)),
                     BZ_OK);
    assert_int_equal(find(second).expires, later + 1000);
    /* no overlap: over at once */
    assert_int_equal(bz_identity_key_rotate(id, pepper, second, 0, later, key_text(4)), BZ_OK);
    assert_int_equal(find(second).expires, later);
    assert_int_equal(bz_identity_key_rotate(id, pepper, second, 0, later, key_text(5)),
                     BZ_EEXPIRED);
    assert_int_equal(bz_identity_key_rotate(id, pepper, "000000000000", 0, later, key_text(5)),
                     BZ_ENOTFOUND);
}

static void test_rotation_is_all_or_nothing(void **state) {
    struct bz_key_wish w = {.owner = "ann"};
    char old[BZ_KEY_ID_TEXT + 1], other[BZ_KEY_ID_TEXT + 1];
    assert_int_equal(add(&w, 1), BZ_OK);
    snprintf(old, sizeof old, "%s", key_id);
    assert_int_equal(add(&w, 2), BZ_OK);
    snprintf(other, sizeof other, "%s", key_id);
    assert_int_equal(bz_identity_key_rotate(id, pepper, old, now + 1, now, key_text(2)),
                     BZ_EEXISTS);
    assert_int_equal(find(old).expires, 0);
    assert_int_equal(bz_identity_key_rotate(id, pepper, old, now + 1, now, BZ_V("x")), BZ_EINVAL);
    assert_int_equal(find(old).expires, 0);
    assert_int_equal(bz_identity_user_set_disabled(id, "ann", true), BZ_OK);
    assert_int_equal(bz_identity_key_rotate(id, pepper, old, now + 1, now, key_text(3)),
                     BZ_EDENIED);
    assert_int_equal(bz_identity_user_set_disabled(id, "ann", false), BZ_OK);
    assert_int_equal(bz_identity_key_revoke(id, other), BZ_OK);
    assert_int_equal(bz_identity_key_rotate(id, pepper, other, now + 1, now, key_text(3)),
                     BZ_EDENIED);
    assert_int_equal(usable(), 1);
    /* inside somebody's transaction it does not commit by itself */
    assert_int_equal(bz_identity_begin(id), BZ_OK);
    assert_int_equal(bz_identity_key_rotate(id, pepper, old, now + 1, now, key_text(3)), BZ_OK);
    bz_identity_rollback(id);
    assert_int_equal(find(old).expires, 0);
    assert_int_equal(usable(), 1);
}

/* The file of a stolen disk: no key text in it, nor its secret part, in any of its files. */
static void test_no_key_text_on_disk(void **state) {
    struct bz_key_wish w = {.owner = "ann"};
    uint8_t rnd[48];
    char names[3][112];
    for (size_t i = 0; i < sizeof rnd; i++)
        rnd[i] = (uint8_t)(37 * i + 11);
    bz_key_make(rnd, text);
    assert_int_equal(bz_identity_key_add(id, pepper, &w, now, bz_view_str(text)), BZ_OK);
    snprintf(names[0], sizeof names[0], "%s", path);
    snprintf(names[1], sizeof names[1], "%s-wal", path);
    snprintf(names[2], sizeof names[2], "%s-shm", path);
    bool id_seen = false;
    for (size_t i = 0; i < 3; i++) {
        FILE *f = fopen(names[i], "rb");
        assert_non_null(f);
        char *all = calloc(1, 1 << 20);
        size_t n = fread(all, 1, 1 << 20, f);
        fclose(f);
        id_seen |= memmem(all, n, text + 3, BZ_KEY_ID_TEXT) != NULL;
        assert_null(memmem(all, n, text + 16, 20));
        assert_null(memmem(all, n, text + 40, 20));
        assert_null(memmem(all, n, rnd + 16, 16));
        free(all);
    }
    assert_true(id_seen); /* the search works */
}

static void test_a_damaged_store(void **state) {
    struct bz_identity *other = NULL;
    bz_identity_close(id);
    id = NULL;
    FILE *f = fopen(path, "r+b");
    fputs("not SQLite any more", f);
    fclose(f);
    assert_int_equal(bz_identity_open(path, &other), BZ_ECORRUPT);
    assert_null(other);
    (void)!unlink(path);
    assert_int_equal(bz_identity_open(path, &other), BZ_ENOTFOUND);
    assert_int_equal(bz_identity_create(path, &id), BZ_OK);
    assert_int_equal(bz_identity_create(path, &other), BZ_EEXISTS);
}

/* From the wish through the store and the image to the login. */
static void test_through_the_image(void **state) {
    static char user[] = "user", star_text[] = "*", *star[] = {star_text};
    struct bz_role_config role = {
        .name = user, .routes = star, .routes_n = 1, .models = star, .models_n = 1};
    struct bz_config config = {.roles = &role, .roles_n = 1};
    struct bz_image_input in = {.config = &config};
    struct bz_key_wish w = {.owner = "ann", .expires = now + 5};
    struct bz_image img;
    struct bz_principal p;
    struct bz_buf b;
    assert_int_equal(add(&w, 9), BZ_OK);
    assert_int_equal(bz_identity_keys(id, true, &in.keys, &in.keys_n), BZ_OK);
    memcpy(in.key_pepper, pepper, sizeof pepper);
    bz_buf_init(&b, 1 << 20);
    assert_int_equal(bz_image_build(&in, &b), BZ_OK);
    assert_int_equal(bz_image_open(bz_buf_view(&b), &img), BZ_OK);
    assert_int_equal(bz_image_authenticate(&img, bz_view_str(text), now + 4, &p), BZ_OK);
    assert_true(bz_view_eq(p.owner, BZ_V("ann")));
    assert_int_equal(bz_image_authenticate(&img, bz_view_str(text), now + 5, &p), BZ_EEXPIRED);
    assert_int_equal(bz_image_authenticate(&img, key_text(8), now, &p), BZ_EDENIED);
    bz_buf_free(&b);
}

static struct bz_approval_record approval_of(uint8_t n, uint64_t expires) {
    return (struct bz_approval_record){
        .what = {.id = {n}, .expires = expires}, .by = "uid 1", .note = "fine"};
}

static void test_approvals(void **state) {
    const struct bz_approval_record *list = NULL;
    struct bz_approval_record a = approval_of(1, now), bare = approval_of(1, now + 1);
    size_t n = 0;
    bare.note = NULL;
    assert_int_equal(bz_identity_approve(id, &a, now), BZ_EINVAL);
    assert_int_equal(bz_identity_approve(id, &bare, now), BZ_EINVAL);
    for (uint8_t i = 1; i <= 3; i++) {
        a = approval_of(i, now + 10u * i);
        assert_int_equal(bz_identity_approve(id, &a, now + i), BZ_OK);
    }
    assert_int_equal(bz_identity_approvals(id, now + 10, &list, &n), BZ_OK);
    assert_int_equal(n, 2); /* the first has just ended */
    assert_int_equal(list[0].what.id[0], 2);
    assert_int_equal(list[0].what.expires, now + 20);
    assert_int_equal(list[0].created, now + 2);
    assert_string_equal(list[1].by, "uid 1");
    assert_string_equal(list[1].note, "fine");
    a = approval_of(2, now + 99);
    assert_int_equal(bz_identity_approve(id, &a, now + 15), BZ_OK);
    a = approval_of(3, 0);
    assert_int_equal(bz_identity_approval_revoke(id, a.what.id), BZ_OK);
    assert_int_equal(bz_identity_approval_revoke(id, a.what.id), BZ_ENOTFOUND);
    assert_int_equal(bz_identity_approvals(id, 0, &list, &n), BZ_OK);
    assert_int_equal(n, 1); /* what had ended went when another was made */
    assert_int_equal(list[0].what.expires, now + 99);
}

static void test_approvals_have_a_cap(void **state) {
    struct bz_approval_record a = approval_of(0, now + 9);
    assert_int_equal(bz_identity_approve(id, &a, now), BZ_OK);
    bz_identity_close(id);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE"
                     " i < 65535) INSERT INTO approvals SELECT unhex_id, 'b', 'n', 1, 1000099 FROM"
                     " (SELECT CAST(printf('%016d', i) AS BLOB) AS unhex_id FROM n)",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(bz_identity_open(path, &id), BZ_OK);
    assert_int_equal(bz_identity_approve(id, &a, now), BZ_OK); /* one that is there */
    a.what.id[5] = 1;
    assert_int_equal(bz_identity_approve(id, &a, now), BZ_ETOOBIG);
    assert_int_equal(bz_identity_approve(id, &a, now + 10 - 2), BZ_ETOOBIG);
    a.what.expires = 1000200;
    assert_int_equal(bz_identity_approve(id, &a, 1000099), BZ_OK);
}

#define WITH_IDENTITY(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        WITH_IDENTITY(test_approvals),
        WITH_IDENTITY(test_approvals_have_a_cap),
        WITH_IDENTITY(test_users),
        WITH_IDENTITY(test_key_with_everything),
        WITH_IDENTITY(test_none_and_empty_are_different),
        WITH_IDENTITY(test_refused_wishes),
        WITH_IDENTITY(test_what_the_image_gets),
        WITH_IDENTITY(test_rotation),
        WITH_IDENTITY(test_rotation_is_all_or_nothing),
        WITH_IDENTITY(test_no_key_text_on_disk),
        WITH_IDENTITY(test_a_damaged_store),
        WITH_IDENTITY(test_through_the_image),
    };
    return bz_crypto_init() == BZ_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
