/* Copies of a database that is being written: each is a state that was committed as a whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <bartizan/store.h>

static char dir[64], path[96], copy[96];

static int set_up(void **state) {
    snprintf(dir, sizeof dir, "/tmp/bz-copy-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/db", dir);
    snprintf(copy, sizeof copy, "%s/copy", dir);
    return 0;
}

static int tear_down(void **state) {
    static const char *const names[] = {"db", "db-wal", "db-shm", "copy", "copy-wal", "copy-shm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s/%s", dir, names[i]);
        (void)unlink(name);
    }
    return rmdir(dir);
}

/* Two rows that only ever change together. */
static void write_on(int ready) {
    sqlite3 *db = NULL;
    if (sqlite3_open(path, &db) != SQLITE_OK)
        _exit(1);
    (void)sqlite3_exec(db,
                       "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
                       "CREATE TABLE t (a INTEGER PRIMARY KEY, n INTEGER, fill BLOB);"
                       "INSERT INTO t VALUES (1, 0, zeroblob(2000000)), (2, 0, zeroblob(10));",
                       NULL, NULL, NULL);
    (void)!write(ready, "", 1);
    for (;;)
        (void)sqlite3_exec(db,
                           "BEGIN; UPDATE t SET n = n + 1 WHERE a = 1;"
                           "UPDATE t SET n = n + 1 WHERE a = 2; COMMIT",
                           NULL, NULL, NULL);
}

static int64_t number(const char *file, const char *sql) {
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    int64_t n = -1;
    if (sqlite3_open(file, &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        n = sqlite3_column_int64(q, 0);
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
    return n;
}

static void copies_are_whole_states(void **state) {
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t writer = fork();
    if (writer == 0)
        write_on(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    int64_t before = 0;
    for (int i = 0; i < 30; i++) {
        (void)unlink(copy);
        assert_int_equal(bz_store_copy(path, copy), BZ_OK);
        assert_int_equal(bz_store_whole(copy), BZ_OK);
        assert_int_equal(number(copy, "SELECT max(n) - min(n) FROM t"), 0);
        int64_t n = number(copy, "SELECT n FROM t WHERE a = 1");
        assert_true(n >= before);
        before = n;
    }
    assert_int_equal(kill(writer, SIGKILL), 0);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    assert_true(before > 0);
    close(ready[0]);
    close(ready[1]);
}

/* What a killed writer left in its write-ahead log is in the copy. */
static void a_dead_writers_log_is_read(void **state) {
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t writer = fork();
    if (writer == 0)
        write_on(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    usleep(50000);
    assert_int_equal(kill(writer, SIGKILL), 0);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    assert_int_equal(bz_store_copy(path, copy), BZ_OK);
    assert_int_equal(number(copy, "SELECT n FROM t WHERE a = 1"),
                     number(path, "SELECT n FROM t WHERE a = 1"));
    close(ready[0]);
    close(ready[1]);
}

static void damage_is_found(void **state) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(90000))",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(bz_store_whole(path), BZ_OK);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    fseek(f, 4096 + 3, SEEK_SET);
    fwrite("\xff\xff\xff\xff\xff\xff", 1, 6, f);
    fclose(f);
    assert_int_equal(bz_store_whole(path), BZ_ECORRUPT);
    assert_int_not_equal(bz_store_copy(dir, copy), BZ_OK);
}

static void nothing_there(void **state) {
    assert_int_equal(bz_store_copy(path, copy), BZ_ENOTFOUND);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(bz_store_whole(path), BZ_ENOTFOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(copies_are_whole_states, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_dead_writers_log_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_there, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
