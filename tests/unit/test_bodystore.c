/* The two databases of stored bodies: there again, in order, held, expired, and scrubbed when erased. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <bartizan/bodystore.h>

static char dir[64], keys[96], rows[96];
static struct bz_bodystore *s;

static int set_up(void **state) {
    snprintf(dir, sizeof dir, "/tmp/bz-bodies-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return 1;
    snprintf(keys, sizeof keys, "%s/keys", dir);
    snprintf(rows, sizeof rows, "%s/rows", dir);
    return bz_bodystore_open(keys, rows, &s) != BZ_OK;
}

static int tear_down(void **state) {
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    bz_bodystore_close(s);
    s = NULL;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", keys, ends[i]);
        (void)!unlink(name);
        snprintf(name, sizeof name, "%s%s", rows, ends[i]);
        (void)!unlink(name);
    }
    return rmdir(dir);
}

static void reopen(void) {
    bz_bodystore_close(s);
    s = NULL;
    assert_int_equal(bz_bodystore_open(keys, rows, &s), BZ_OK);
}

static int64_t add_user(const char *name, uint8_t n) {
    struct bz_body_user u = {.name = name, .id = {n}, .created = 5};
    int64_t seq = 0;
    memset(u.wrapped, n, sizeof u.wrapped);
    assert_int_equal(bz_bodystore_user_add(s, &u, &seq), BZ_OK);
    return seq;
}

static void add_conversation(int64_t user, const char *name, uint8_t n) {
    struct bz_body_conversation c = {.name = name, .id = {n}, .created = 6};
    memset(c.wrapped, n, sizeof c.wrapped);
    assert_int_equal(bz_bodystore_conversation_add(s, user, &c), BZ_OK);
}

static enum bz_status add_row(uint8_t id, uint8_t part, uint8_t key, uint8_t level, uint64_t t) {
    struct bz_body_row r = {.id = {id},
                            .key = {key},
                            .part = part,
                            .level = level,
                            .time_ms = t,
                            .sealed = BZ_V("sealed bytes")};
    return bz_bodystore_put(s, &r);
}

struct seen {
    char text[512];
    size_t n;
};

static enum bz_status see_key(void *ctx, const struct bz_body_user *u,
                              const struct bz_body_conversation *c) {
    struct seen *x = ctx;
    x->n += (size_t)snprintf(x->text + x->n, sizeof x->text - x->n, "%s/%s %d/%d %d/%d;", u->name,
                             c->name, u->id[0], c->id[0], u->wrapped[71], c->wrapped[71]);
    return BZ_OK;
}

static enum bz_status see_row(void *ctx, const struct bz_body_row *r) {
    struct seen *x = ctx;
    assert_true(bz_view_eq(r->sealed, BZ_V("sealed bytes")));
    x->n += (size_t)snprintf(x->text + x->n, sizeof x->text - x->n, "%d %d.%d k%d l%d t%d;",
                             (int)r->seq, r->id[0], r->part, r->key[0], r->level, (int)r->time_ms);
    return BZ_OK;
}

static enum bz_status see_hold(void *ctx, const struct bz_body_hold *h) {
    struct seen *x = ctx;
    x->n += (size_t)snprintf(x->text + x->n, sizeof x->text - x->n, "%s %s/%s;", h->name, h->user,
                             h->conversation == NULL ? "*" : h->conversation);
    return BZ_OK;
}

static const char *all_keys(const char *user) {
    static struct seen x;
    x = (struct seen){.n = 0};
    assert_int_equal(bz_bodystore_keys(s, user, see_key, &x), BZ_OK);
    return x.text;
}

static const char *all_rows(uint8_t key, int64_t after) {
    static struct seen x;
    const uint8_t id[BZ_BODYSTORE_ID] = {key};
    x = (struct seen){.n = 0};
    assert_int_equal(bz_bodystore_rows(s, id, after, see_row, &x), BZ_OK);
    return x.text;
}

static void keys_there_and_back(void **state) {
    int64_t ann = add_user("ann", 1), seq = 0;
    struct bz_body_user u = {.name = "ANN", .id = {9}};
    struct bz_body_conversation c;
    add_conversation(ann, "", 2);
    add_conversation(ann, "c", 3);
    add_conversation(add_user("bob", 4), "c", 5);
    assert_int_equal(bz_bodystore_user_add(s, &u, &seq), BZ_EEXISTS);
    reopen();
    assert_int_equal(bz_bodystore_user(s, "Ann", &u), BZ_OK);
    assert_true(u.seq == ann && u.id[0] == 1 && u.wrapped[0] == 1 && u.created == 5);
    assert_int_equal(bz_bodystore_conversation(s, ann, "c", &c), BZ_OK);
    assert_true(c.id[0] == 3 && c.wrapped[71] == 3 && c.created == 6);
    assert_int_equal(bz_bodystore_conversation(s, ann, "C", &c), BZ_ENOTFOUND);
    assert_int_equal(bz_bodystore_user(s, "eve", &u), BZ_ENOTFOUND);
    assert_string_equal(all_keys(NULL), "ann/ 1/2 1/2;ann/c 1/3 1/3;bob/c 4/5 4/5;");
    assert_string_equal(all_keys("BOB"), "bob/c 4/5 4/5;");
    assert_int_equal(bz_bodystore_check(s), BZ_OK);
}

static void destroyed_keys_are_gone(void **state) {
    const uint8_t ann_id[BZ_BODYSTORE_ID] = {1}, c_id[BZ_BODYSTORE_ID] = {5};
    int64_t ann = add_user("ann", 1);
    add_conversation(ann, "", 2);
    add_conversation(ann, "c", 3);
    add_conversation(add_user("bob", 4), "c", 5);
    assert_int_equal(bz_bodystore_key_destroy(s, ann_id), BZ_OK);
    assert_int_equal(bz_bodystore_key_destroy(s, ann_id), BZ_OK); /* again, at the next start */
    assert_string_equal(all_keys(NULL), "bob/c 4/5 4/5;");
    assert_int_equal(bz_bodystore_key_destroy(s, c_id), BZ_OK);
    assert_string_equal(all_keys(NULL), "");
    struct bz_body_user u;
    assert_int_equal(bz_bodystore_user(s, "ann", &u), BZ_ENOTFOUND);
    assert_int_equal(bz_bodystore_user(s, "bob", &u), BZ_OK);
}

/* Is there a run of 40 bytes of this value in any file? That is a wrapped key. */
static bool on_disk(uint8_t value) {
    static const char *const ends[] = {"", "-wal", "-shm"};
    static uint8_t data[1 << 20];
    uint8_t want[40];
    bool found = false;
    memset(want, value, sizeof want);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", keys, ends[i]);
        FILE *f = fopen(name, "rb");
        size_t n = f == NULL ? 0 : fread(data, 1, sizeof data, f);
        if (f != NULL)
            fclose(f);
        found = found || memmem(data, n, want, sizeof want) != NULL;
    }
    return found;
}

static void scrubbed_keys_are_on_no_page(void **state) {
    for (int i = 0; i < 60; i++) { /* pages split and are rewritten */
        char name[16];
        snprintf(name, sizeof name, "user%d", i);
        add_conversation(add_user(name, (uint8_t)(100 + i)), "", (uint8_t)(180 + i));
    }
    assert_true(on_disk(130) && on_disk(210));
    const uint8_t id[BZ_BODYSTORE_ID] = {130};
    assert_int_equal(bz_bodystore_key_destroy(s, id), BZ_OK);
    assert_int_equal(bz_bodystore_scrub(s, BZ_BODYSTORE_KEYS), BZ_OK);
    assert_false(on_disk(130) || on_disk(210));
    assert_true(on_disk(131) && on_disk(211));
    assert_int_equal(bz_bodystore_begin(s, BZ_BODYSTORE_KEYS), BZ_OK);
    assert_int_equal(bz_bodystore_scrub(s, BZ_BODYSTORE_KEYS), BZ_EINVAL);
    bz_bodystore_rollback(s, BZ_BODYSTORE_KEYS);
}

static void rows_there_and_back(void **state) {
    const uint8_t key[BZ_BODYSTORE_ID] = {7};
    struct bz_body_sum sum;
    assert_int_equal(add_row(1, 0, 7, 2, 10), BZ_OK);
    assert_int_equal(add_row(1, 1, 7, 2, 10), BZ_OK);
    assert_int_equal(add_row(1, 1, 8, 0, 99), BZ_EEXISTS); /* taken in twice */
    assert_int_equal(add_row(2, 0, 8, 0, 5), BZ_OK);
    assert_int_equal(add_row(3, 2, 8, 0, 5), BZ_EINVAL);
    assert_int_equal(add_row(3, 0, 8, 4, 5), BZ_EINVAL);
    reopen();
    assert_string_equal(all_rows(7, 0), "1 1.0 k7 l2 t10;2 1.1 k7 l2 t10;");
    assert_string_equal(all_rows(7, 1), "2 1.1 k7 l2 t10;");
    assert_string_equal(all_rows(9, 0), "");
    assert_int_equal(bz_bodystore_sum(s, NULL, -1, &sum), BZ_OK);
    assert_true(sum.n == 3 && sum.bytes == 36 && sum.oldest_ms == 5);
    assert_int_equal(bz_bodystore_sum(s, key, -1, &sum), BZ_OK);
    assert_true(sum.n == 2 && sum.bytes == 24 && sum.oldest_ms == 10);
    assert_int_equal(bz_bodystore_sum(s, NULL, 3, &sum), BZ_OK);
    assert_true(sum.n == 0 && sum.bytes == 0 && sum.oldest_ms == 0);
}

static void rows_expire_and_are_removed(void **state) {
    const uint8_t key[BZ_BODYSTORE_ID] = {7}, spared[2 * BZ_BODYSTORE_ID] = {8};
    uint64_t n = 0;
    for (uint8_t i = 0; i < 10; i++)
        assert_int_equal(add_row(i, 0, i % 2 ? 7 : 8, 1, i), BZ_OK);
    assert_int_equal(add_row(77, 0, 7, 0, 1), BZ_OK); /* another level */
    assert_int_equal(bz_bodystore_expire(s, 1, 6, bz_view(spared, sizeof spared), 2, &n), BZ_OK);
    assert_int_equal(n, 2);
    assert_int_equal(bz_bodystore_expire(s, 1, 6, bz_view(spared, sizeof spared), 99, &n), BZ_OK);
    assert_int_equal(n, 1);
    assert_string_equal(all_rows(7, 0), "8 7.0 k7 l1 t7;10 9.0 k7 l1 t9;11 77.0 k7 l0 t1;");
    assert_int_equal(bz_bodystore_expire(s, 1, 6, bz_view(NULL, 0), 99, &n), BZ_OK);
    assert_int_equal(n, 3);
    assert_int_equal(bz_bodystore_remove(s, key, 2, &n), BZ_OK);
    assert_int_equal(n, 2);
    assert_int_equal(bz_bodystore_remove(s, key, 2, &n), BZ_OK);
    assert_int_equal(n, 1);
    assert_int_equal(add_row(9, 0, 7, 1, 9), BZ_OK);
    assert_string_equal(all_rows(7, 0), "12 9.0 k7 l1 t9;"); /* numbers are never used again */
}

static enum bz_status see_pair(void *ctx, const struct bz_body_pair *p) {
    struct seen *x = ctx;
    x->n += (size_t)snprintf(x->text + x->n, sizeof x->text - x->n, "%d %d/%d t%d;", (int)p->seq,
                             p->pub[0], p->wrapped[71], (int)p->created);
    return BZ_OK;
}

static void pairs(void **state) {
    struct bz_body_pair p = {.pub = {1}, .created = 5};
    struct seen x = {.n = 0};
    p.wrapped[71] = 2;
    assert_int_equal(bz_bodystore_pair_add(s, &p), BZ_OK);
    p.pub[0] = 3;
    assert_int_equal(bz_bodystore_pair_add(s, &p), BZ_OK);
    assert_int_equal(bz_bodystore_pair_destroy(s, 1), BZ_OK);
    assert_int_equal(bz_bodystore_pair_destroy(s, 1), BZ_OK);
    assert_int_equal(bz_bodystore_pairs(s, see_pair, &x), BZ_OK);
    assert_string_equal(x.text, "2 3/2 t5;");
}

static bool held(const char *user, const char *conversation) {
    bool yes = false;
    assert_int_equal(bz_bodystore_held(s, user, conversation, &yes), BZ_OK);
    return yes;
}

static void holds(void **state) {
    struct bz_body_hold a = {"case-1", "ann", NULL, "court", "uid 0", 1},
                        b = {"case-2", "bob", "c", "", "uid 0", 2};
    struct seen x = {.n = 0};
    assert_int_equal(bz_bodystore_hold_add(s, &a), BZ_OK);
    assert_int_equal(bz_bodystore_hold_add(s, &a), BZ_EEXISTS);
    assert_int_equal(bz_bodystore_hold_add(s, &b), BZ_OK);
    assert_true(held("ANN", NULL) && held("ann", "x") && held("ann", ""));
    assert_true(held("bob", "c") && held("bob", NULL) && !held("bob", "d") && !held("bob", ""));
    assert_false(held("eve", NULL));
    assert_int_equal(bz_bodystore_holds(s, see_hold, &x), BZ_OK);
    assert_string_equal(x.text, "case-1 ann/*;case-2 bob/c;");
    assert_int_equal(bz_bodystore_hold_remove(s, "CASE-1"), BZ_OK);
    assert_int_equal(bz_bodystore_hold_remove(s, "case-1"), BZ_ENOTFOUND);
    assert_false(held("ann", NULL));
}

static void transactions(void **state) {
    assert_int_equal(bz_bodystore_begin(s, BZ_BODYSTORE_ROWS), BZ_OK);
    assert_int_equal(bz_bodystore_begin(s, BZ_BODYSTORE_ROWS), BZ_EINVAL);
    assert_int_equal(add_row(1, 0, 7, 2, 10), BZ_OK);
    assert_int_equal(bz_bodystore_begin(s, BZ_BODYSTORE_KEYS), BZ_OK); /* its own */
    bz_bodystore_rollback(s, BZ_BODYSTORE_ROWS);
    assert_string_equal(all_rows(7, 0), "");
    (void)add_user("ann", 1);
    assert_int_equal(bz_bodystore_commit(s, BZ_BODYSTORE_KEYS), BZ_OK);
    assert_int_equal(bz_bodystore_commit(s, BZ_BODYSTORE_KEYS), BZ_EINVAL);
    struct bz_body_user u;
    assert_int_equal(bz_bodystore_user(s, "ann", &u), BZ_OK);
}

static void other_files(void **state) {
    struct bz_bodystore *x = NULL;
    struct stat info;
    assert_int_equal(bz_bodystore_open(rows, keys, &x), BZ_ECORRUPT); /* exchanged */
    assert_int_equal(bz_bodystore_open(dir, rows, &x), BZ_EIO);
    assert_int_equal(stat(keys, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(keys_there_and_back),
        TEST(destroyed_keys_are_gone),
        TEST(scrubbed_keys_are_on_no_page),
        TEST(rows_there_and_back),
        TEST(rows_expire_and_are_removed),
        TEST(holds),
        TEST(pairs),
        TEST(transactions),
        TEST(other_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
