/* Keeping of stored bodies: nothing is lost or there twice, whatever is cut short; what is erased is gone,
 * also when an older copy of the database comes back; holds and retention. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "bodies.h"

#define NOW 1800000000000ull
enum { HOUR = 3600 * 1000, DAY = 24 * HOUR };

static struct bz_instance in;
static struct bz_keep *k;
static const uint8_t wrap[BZ_KEY_LEN] = {1}, erased[BZ_KEY_LEN] = {2};

static void open_at(uint64_t now) {
    assert_int_equal(bz_keep_open(&in, wrap, erased, now, &k), BZ_OK);
}

static void reopen(void) {
    bz_keep_close(k);
    k = NULL;
    open_at(NOW);
}

static int set_up(void **state) {
    snprintf(in.path, sizeof in.path, "/tmp/bz-keep-XXXXXX");
    if (bz_crypto_init() != BZ_OK || mkdtemp(in.path) == NULL)
        return 1;
    in.fd = open(in.path, O_RDONLY | O_DIRECTORY);
    if (bz_instance_dirs(in.fd) != BZ_OK)
        return 1;
    return bz_keep_open(&in, wrap, erased, NOW, &k) != BZ_OK;
}

static int tear_down(void **state) {
    bz_keep_close(k);
    k = NULL;
    close(in.fd);
    bz_tree_remove(AT_FDCWD, in.path);
    return 0;
}

/* ---- what workers do ---- */

static struct bz_body body_of(uint8_t n, const char *user, const char *conversation) {
    static char ring[8][16];
    static unsigned turn;
    char *text = ring[turn++ % 8];
    snprintf(text, sizeof ring[0], "text %d", n);
    return (struct bz_body){.id = {n},
                            .part = BZ_BODY_REQUEST,
                            .level = 1,
                            .time_ms = NOW,
                            .user = bz_view_str(user),
                            .conversation = bz_view_str(conversation),
                            .body = bz_view_str(text)};
}

static void spool_as(const struct bz_body *b, const char *name) {
    struct bz_buf f;
    char path[2 * BZ_BODY_NAME];
    bz_buf_init(&f, 64 << 20);
    assert_int_equal(bz_body_seal(bz_keep_public(k), b, &f), BZ_OK);
    snprintf(path, sizeof path, "bodies/spool/%s", name);
    assert_int_equal(bz_file_create(in.fd, path, bz_buf_view(&f), 0600), BZ_OK);
    bz_buf_free(&f);
}

static void spool(const struct bz_body *b) {
    char name[BZ_BODY_NAME];
    bz_body_name(b->id, b->part, name);
    spool_as(b, name);
}

static void spool_one(uint8_t n, const char *user, const char *conversation) {
    struct bz_body b = body_of(n, user, conversation);
    spool(&b);
}

static void take(uint64_t now) {
    bool more = true;
    while (more)
        assert_int_equal(bz_keep_take(k, now, &more), BZ_OK);
}

/* ---- what is there ---- */

struct seen {
    char text[65536];
    size_t n;
    size_t stop; /* give up after so many; 0: never */
    struct bz_keep_cursor at;
};

static enum bz_status see(void *ctx, const struct bz_body *b, const struct bz_keep_cursor *at) {
    struct seen *x = ctx;
    if (x->stop == 1)
        return BZ_MORE;
    x->stop -= x->stop > 0;
    x->at = *at;
    x->n += (size_t)snprintf(
        x->text + x->n, sizeof x->text - x->n, "%.*s/%.*s %d%c %.*s;", (int)b->user.n,
        (const char *)b->user.p, (int)b->conversation.n, (const char *)b->conversation.p, b->id[0],
        b->part == BZ_BODY_REQUEST ? 'q' : 'a', (int)b->body.n, (const char *)b->body.p);
    return BZ_OK;
}

static const char *all(const char *user, const char *conversation) {
    static struct seen x;
    uint64_t damaged = 0;
    x = (struct seen){.n = 0};
    assert_int_equal(
        bz_keep_export(k, user, conversation, (struct bz_keep_cursor){0, 0}, see, &x, &damaged),
        BZ_OK);
    assert_int_equal(damaged, 0);
    return x.text;
}

static uint64_t waiting(void) {
    struct bz_keep_spool s;
    assert_int_equal(bz_keep_spool(k, &s), BZ_OK);
    return s.files;
}

/* ---- tests ---- */

static void there_and_back(void **state) {
    struct bz_body b = body_of(1, "ann", "c");
    spool_one(1, "ann", "c");
    b.part = BZ_BODY_REPLY;
    spool(&b);
    take(NOW);
    assert_int_equal(waiting(), 0);
    spool_one(2, "Ann", "");
    spool_one(3, "bob", "c");
    take(NOW);
    reopen();
    const char *got = all("ANN", NULL);
    assert_non_null(strstr(got, "ann/c 1q text 1;"));
    assert_non_null(strstr(got, "ann/c 1a text 1;"));
    assert_non_null(strstr(got, "ann/ 2q text 2;"));
    assert_null(strstr(got, "bob"));
    assert_string_equal(all("bob", "c"), "bob/c 3q text 3;");
    assert_string_equal(all("bob", "x"), "");
    assert_string_equal(all("eve", NULL), "");
}

static void nothing_is_there_twice(void **state) {
    spool_one(1, "ann", "c");
    take(NOW);
    spool_one(1, "ann", "c"); /* the file was still there after a crash */
    take(NOW);
    assert_string_equal(all("ann", NULL), "ann/c 1q text 1;");
    struct bz_keep_counts c = bz_keep_counts(k);
    assert_true(c.taken == 1 && c.dropped == 1 && c.refused == 0);
    assert_int_equal(waiting(), 0);
}

static void more_than_a_batch(void **state) {
    struct bz_body b = body_of(0, "ann", "c");
    for (int i = 0; i < 600; i++) {
        b.id[1] = (uint8_t)(i >> 8);
        b.id[2] = (uint8_t)i;
        spool(&b);
    }
    bool more = false;
    assert_int_equal(bz_keep_take(k, NOW, &more), BZ_OK);
    assert_true(more && waiting() == 600 - 256);
    take(NOW);
    assert_int_equal(bz_keep_counts(k).taken, 600);
    assert_int_equal(waiting(), 0);
}

static void files_that_are_none(void **state) {
    struct bz_body b = body_of(1, "ann", "c");
    spool_as(&b, "09000000000000000000000000000000.q"); /* another one's name */
    assert_int_equal(bz_file_create(in.fd, "bodies/spool/08000000000000000000000000000000.a",
                                    BZ_V("no box"), 0600),
                     BZ_OK);
    assert_int_equal(bz_file_create(in.fd, "bodies/spool/07000000000000000000000000000000.a.tmp",
                                    BZ_V("x"), 0600),
                     BZ_OK);
    b.user = bz_view("a\0b", 3);
    b.id[0] = 6;
    spool(&b);
    take((uint64_t)time(NULL) * 1000);
    struct bz_keep_spool s;
    assert_int_equal(bz_keep_spool(k, &s), BZ_OK);
    assert_int_equal(s.refused, 3);
    assert_int_equal(s.files, 1); /* somebody may be writing it */
    take((uint64_t)time(NULL) * 1000 + 2 * HOUR);
    assert_int_equal(waiting(), 0);
    assert_string_equal(all("ann", NULL), "");
    assert_int_equal(bz_keep_counts(k).refused, 3);
}

static void export_goes_on(void **state) {
    struct seen x = {.stop = 3};
    uint64_t damaged = 0;
    for (uint8_t i = 1; i <= 3; i++) {
        spool_one(i, "ann", "c");
        take(NOW);
    }
    spool_one(4, "ann", "d");
    take(NOW);
    struct bz_keep_cursor none = {0, 0};
    assert_int_equal(bz_keep_export(k, "ann", NULL, none, see, &x, &damaged), BZ_MORE);
    assert_string_equal(x.text, "ann/c 1q text 1;ann/c 2q text 2;");
    x.stop = 0;
    assert_int_equal(bz_keep_export(k, "ann", NULL, x.at, see, &x, &damaged), BZ_OK);
    assert_string_equal(x.text, "ann/c 1q text 1;ann/c 2q text 2;ann/c 3q text 3;ann/d 4q text 4;");
}

/* Another master key: nothing is made anew over what is there. */
static void another_master_key(void **state) {
    struct bz_keep *x = NULL;
    assert_int_equal(bz_keep_open(&in, erased, erased, NOW, &x), BZ_ECORRUPT);
}

/* ---- erasure ---- */

static struct bz_keep_erased erase(const char *user, const char *conversation) {
    struct bz_keep_erased r = {0, 0};
    assert_int_equal(bz_keep_erase(k, user, conversation, false, NOW + 1, &r), BZ_OK);
    return r;
}

static void erased_is_gone(void **state) {
    struct bz_keep_erased r;
    spool_one(1, "ann", "c");
    spool_one(2, "ann", "d");
    spool_one(3, "bob", "c");
    take(NOW);
    assert_int_equal(bz_keep_erase(k, "ann", NULL, true, NOW + 1, &r), BZ_OK);
    assert_true(r.keys == 2 && r.bodies == 2 && bz_keep_erased_count(k) == 0);
    r = erase("ann", "c");
    assert_true(r.keys == 1 && r.bodies == 1);
    assert_string_equal(all("ann", NULL), "ann/d 2q text 2;");
    spool_one(4, "ann", "d"); /* waits: is erased too */
    r = erase("ANN", NULL);
    assert_true(r.keys == 1 && r.bodies == 2);
    assert_string_equal(all("ann", NULL), "");
    reopen();
    assert_string_equal(all("ann", NULL), "");
    assert_string_equal(all("bob", NULL), "bob/c 3q text 3;");
    struct bz_body_sum sum;
    assert_int_equal(bz_bodystore_sum(bz_keep_store(k), NULL, -1, &sum), BZ_OK);
    assert_int_equal(sum.n, 1);
}

static void late_bodies_do_not_come_back(void **state) {
    struct bz_body b = body_of(1, "ann", "c");
    (void)erase("ann", NULL);
    (void)erase("bob", "x"); /* nobody was stored yet */
    spool(&b);               /* the reply of a request from before */
    spool_one(2, "bob", "x");
    spool_one(3, "bob", "y");
    take(NOW + 2);
    reopen();
    assert_string_equal(all("ann", NULL), "");
    assert_string_equal(all("bob", NULL), "bob/y 3q text 3;");
    b.time_ms = NOW + 2; /* asked after the erasure */
    spool(&b);
    take(NOW + 3);
    assert_string_equal(all("ann", NULL), "ann/c 1q text 1;");
    reopen(); /* what was erased then is not erased again */
    assert_string_equal(all("ann", NULL), "ann/c 1q text 1;");
}

static void copy_file(const char *from, const char *to) {
    struct bz_buf b;
    bz_buf_init(&b, 64 << 20);
    assert_int_equal(bz_file_read(in.fd, from, &b), BZ_OK);
    assert_int_equal(bz_file_write(in.fd, to, bz_buf_view(&b), 0600, BZ_FILE_NO_SYNC), BZ_OK);
    bz_buf_free(&b);
}

static void a_restored_copy_is_erased_again(void **state) {
    spool_one(1, "ann", "c");
    spool_one(2, "bob", "c");
    take(NOW);
    bz_keep_close(k);
    k = NULL;
    copy_file(BZ_F_BODY_KEYS, "old-keys");
    copy_file(BZ_F_BODY_ROWS, "old-rows");
    open_at(NOW);
    (void)erase("ann", NULL);
    bz_keep_close(k);
    k = NULL;
    copy_file("old-keys", BZ_F_BODY_KEYS);
    copy_file("old-rows", BZ_F_BODY_ROWS);
    open_at(NOW);
    assert_string_equal(all("ann", NULL), "");
    assert_string_equal(all("bob", NULL), "bob/c 2q text 2;");
}

/* On a machine that never saw the erasure, the list does it. */
static void lists_are_taken_over(void **state) {
    struct bz_buf lines;
    uint64_t n = 0;
    spool_one(1, "ann", "c");
    take(NOW);
    bz_keep_close(k);
    k = NULL;
    copy_file(BZ_F_BODY_KEYS, "old-keys");
    copy_file(BZ_F_BODY_ROWS, "old-rows");
    open_at(NOW);
    (void)erase("ann", NULL);
    bz_buf_init(&lines, 1 << 20);
    assert_int_equal(bz_keep_erased_lines(k, &lines), BZ_OK);
    bz_keep_close(k);
    k = NULL;
    copy_file("old-keys", BZ_F_BODY_KEYS);
    copy_file("old-rows", BZ_F_BODY_ROWS);
    assert_int_equal(unlinkat(in.fd, BZ_F_ERASED, 0), 0);
    open_at(NOW);
    assert_string_equal(all("ann", NULL), "ann/c 1q text 1;");
    lines.p[10] ^= 1;
    assert_int_equal(bz_keep_erased_apply(k, bz_buf_view(&lines), &n), BZ_EDENIED);
    lines.p[10] ^= 1;
    assert_string_equal(all("ann", NULL), "ann/c 1q text 1;");
    assert_int_equal(bz_keep_erased_apply(k, bz_buf_view(&lines), &n), BZ_OK);
    assert_int_equal(n, 2);
    assert_string_equal(all("ann", NULL), "");
    assert_int_equal(bz_keep_erased_apply(k, bz_buf_view(&lines), &n), BZ_OK);
    assert_int_equal(n, 0);
    bz_buf_free(&lines);
}

/* The list was written, then the machine died: in the middle of a line, or before the database followed. */
static void an_erasure_cut_short(void **state) {
    struct bz_body_user u;
    struct bz_erased e = {.kind = BZ_WRAP_USER, .time_ms = NOW + 1};
    struct bz_buf line;
    spool_one(1, "ann", "c");
    take(NOW);
    assert_int_equal(bz_bodystore_user(bz_keep_store(k), "ann", &u), BZ_OK);
    memcpy(e.key, u.id, sizeof e.key);
    bz_erased_name(erased, BZ_V("ann"), NULL, e.name);
    bz_buf_init(&line, 4096);
    bz_erased_put(erased, &e, &line);
    struct bz_view torn = bz_view(line.p, line.n - 5);
    assert_int_equal(bz_file_write(in.fd, BZ_F_ERASED, torn, 0600, BZ_FILE_NO_SYNC), BZ_OK);
    reopen();
    assert_string_equal(all("ann", NULL), "ann/c 1q text 1;"); /* it had not begun */
    (void)erase("bob", NULL);                                  /* goes behind the torn line */
    reopen();
    assert_int_equal(bz_keep_erased_count(k), 1);
    assert_int_equal(bz_file_write(in.fd, BZ_F_ERASED, bz_buf_view(&line), 0600, BZ_FILE_NO_SYNC),
                     BZ_OK);
    reopen();
    assert_string_equal(all("ann", NULL), "");
    bz_buf_free(&line);
}

/* ---- holds and retention ---- */

static void holds_refuse(void **state) {
    struct bz_body_hold h = {"case", "ann", "c", "", "uid 0", 1};
    struct bz_keep_erased r;
    spool_one(1, "ann", "c");
    spool_one(2, "ann", "d");
    take(NOW);
    assert_int_equal(bz_bodystore_hold_add(bz_keep_store(k), &h), BZ_OK);
    assert_int_equal(bz_keep_erase(k, "ann", NULL, false, NOW, &r), BZ_EDENIED);
    assert_int_equal(bz_keep_erase(k, "ann", "c", false, NOW, &r), BZ_EDENIED);
    assert_int_equal(bz_keep_erase(k, "ann", "d", false, NOW, &r), BZ_OK);
    assert_string_equal(all("ann", NULL), "ann/c 1q text 1;");
    assert_int_equal(bz_bodystore_hold_remove(bz_keep_store(k), "case"), BZ_OK);
    assert_int_equal(bz_keep_erase(k, "ann", NULL, false, NOW, &r), BZ_OK);
    assert_string_equal(all("ann", NULL), "");
}

static void retention_per_level(void **state) {
    const uint32_t seconds[BZ_BODY_LEVELS] = {0, 3600, 7200, 60};
    struct bz_body_hold h = {"case", "bob", NULL, "", "uid 0", 1};
    uint64_t n = 0;
    bool more = true;
    for (uint8_t level = 0; level < 4; level++) {
        struct bz_body b = body_of((uint8_t)(10 + level), "ann", "c");
        b.level = level;
        spool(&b);
        take(NOW);
    }
    spool_one(1, "bob", "c");
    take(NOW);
    assert_int_equal(bz_bodystore_hold_add(bz_keep_store(k), &h), BZ_OK);
    assert_int_equal(bz_keep_expire(k, seconds, NOW + 60 * 1000, &n, &more), BZ_OK);
    assert_true(n == 0 && !more); /* not older than its minute yet */
    assert_int_equal(bz_keep_expire(k, seconds, NOW + 60 * 1000 + 1, &n, &more), BZ_OK);
    assert_int_equal(n, 1);
    assert_int_equal(bz_keep_expire(k, seconds, NOW + 365ull * DAY, &n, &more), BZ_OK);
    assert_int_equal(n, 2);
    assert_string_equal(all("ann", NULL), "ann/c 10q text 10;"); /* 0: without end */
    assert_string_equal(all("bob", NULL), "bob/c 1q text 1;");   /* held */
}

static enum bz_status count_key(void *ctx, const struct bz_body_user *u,
                                const struct bz_body_conversation *c) {
    ++*(int *)ctx;
    return BZ_OK;
}

static void keys_that_seal_nothing_go(void **state) {
    const uint32_t seconds[BZ_BODY_LEVELS] = {60, 60, 60, 60};
    uint64_t n = 0;
    bool more;
    int keys = 0;
    spool_one(1, "ann", "c");
    take(NOW);
    assert_int_equal(bz_keep_expire(k, seconds, NOW + DAY, &n, &more), BZ_OK);
    assert_int_equal(n, 1);
    assert_int_equal(bz_keep_expire(k, seconds, NOW + 2 * DAY, &n, &more), BZ_OK);
    assert_int_equal(bz_bodystore_keys(bz_keep_store(k), NULL, count_key, &keys), BZ_OK);
    assert_int_equal(keys, 0);
    struct bz_body_user u;
    assert_int_equal(bz_bodystore_user(bz_keep_store(k), "ann", &u), BZ_ENOTFOUND);
}

/* ---- the spool's pairs ---- */

static void pairs_change_and_go(void **state) {
    uint8_t first[BZ_BOX_LEN];
    bool made = false;
    memcpy(first, bz_keep_public(k), sizeof first);
    assert_int_equal(bz_keep_rotate(k, NOW + DAY - 1, &made), BZ_OK);
    assert_false(made);
    spool_one(1, "ann", "c");
    spool_one(2, "ann", "c");
    char name[BZ_BODY_NAME];
    struct bz_body two = body_of(2, "ann", "c");
    bz_body_name(two.id, two.part, name);
    char path[64];
    snprintf(path, sizeof path, "bodies/spool/%s", name);
    copy_file(path, "kept");
    assert_int_equal(unlinkat(in.fd, path, 0), 0);
    assert_int_equal(bz_keep_rotate(k, NOW + DAY, &made), BZ_OK);
    assert_true(made);
    assert_memory_not_equal(first, bz_keep_public(k), sizeof first);
    reopen();
    take(NOW + DAY); /* sealed to the pair before */
    assert_string_equal(all("ann", NULL), "ann/c 1q text 1;");
    assert_int_equal(bz_keep_rotate(k, NOW + DAY + BZ_PAIR_LATE_MS + 1, &made), BZ_OK);
    assert_int_equal(bz_keep_rotate(k, NOW + DAY + BZ_PAIR_LATE_MS + 2, &made), BZ_OK);
    copy_file("kept", path); /* a copy of the spool opens no more */
    take(NOW + 3 * DAY);
    assert_string_equal(all("ann", NULL), "ann/c 1q text 1;");
    assert_int_equal(bz_keep_counts(k).refused, 1);
}

/* ---- kill -9 ---- */

static uint64_t clock_us(void) {
    return bz_clock_mono() / 1000;
}

/* A process that takes everything in, killed after `us`; 0: when it is through. Returns how long it had. */
static uint64_t child(uint64_t us) {
    int p[2];
    char b;
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct bz_keep *x = NULL;
        bool more = true;
        if (bz_keep_open(&in, wrap, erased, NOW, &x) != BZ_OK)
            _exit(9);
        (void)!write(p[1], "", 1);
        while (more && bz_keep_take(x, NOW, &more) == BZ_OK)
            continue;
        (void)!write(p[1], "", 1);
        pause();
    }
    assert_true(pid > 0);
    assert_int_equal(read(p[0], &b, 1), 1);
    uint64_t begun = clock_us();
    if (us == 0)
        assert_int_equal(read(p[0], &b, 1), 1);
    while (us != 0 && clock_us() < begun + us)
        continue;
    kill(pid, SIGKILL);
    uint64_t took = clock_us() - begun;
    int ws = 0;
    assert_int_equal(waitpid(pid, &ws, 0), pid);
    assert_true(WIFSIGNALED(ws)); /* it did not fail by itself */
    close(p[0]);
    close(p[1]);
    return took;
}

static void spool_many(int from, int to) {
    for (int i = from; i < to; i++) {
        char user[8];
        snprintf(user, sizeof user, "u%d", i % 7);
        struct bz_body b = body_of(0, user, "c");
        b.id[1] = (uint8_t)(i >> 8);
        b.id[2] = (uint8_t)i;
        spool(&b);
    }
}

static void killed_at_any_moment(void **state) {
    enum { ROUND = 60, ROUNDS = 60, ALL = ROUND * (ROUNDS + 1) };
    spool_many(0, ROUND);
    bz_keep_close(k);
    uint64_t whole = child(0);
    for (int i = 1; i <= ROUNDS; i++) {
        open_at(NOW);
        spool_many(i * ROUND, (i + 1) * ROUND);
        bz_keep_close(k);
        (void)child(1 + whole * (uint64_t)i / ROUNDS);
    }
    open_at(NOW);
    take(NOW);
    struct bz_body_sum sum;
    assert_int_equal(bz_bodystore_sum(bz_keep_store(k), NULL, -1, &sum), BZ_OK);
    assert_int_equal(sum.n, ALL);
    assert_int_equal(waiting(), 0);
    assert_int_equal(bz_bodystore_check(bz_keep_store(k)), BZ_OK);
    for (int i = 0; i < 7; i++) { /* all of them open */
        struct seen x = {.stop = 1 + ALL};
        uint64_t damaged = 0;
        char user[8];
        snprintf(user, sizeof user, "u%d", i);
        struct bz_keep_cursor none = {0, 0};
        assert_int_equal(bz_keep_export(k, user, NULL, none, see, &x, &damaged), BZ_OK);
        assert_int_equal(1 + ALL - x.stop, ALL / 7 + (i < ALL % 7));
        assert_int_equal(damaged, 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(there_and_back),
        TEST(nothing_is_there_twice),
        TEST(more_than_a_batch),
        TEST(files_that_are_none),
        TEST(export_goes_on),
        TEST(another_master_key),
        TEST(erased_is_gone),
        TEST(late_bodies_do_not_come_back),
        TEST(a_restored_copy_is_erased_again),
        TEST(lists_are_taken_over),
        TEST(an_erasure_cut_short),
        TEST(holds_refuse),
        TEST(retention_per_level),
        TEST(keys_that_seal_nothing_go),
        TEST(pairs_change_and_go),
        TEST(killed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
