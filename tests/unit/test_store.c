/* The store: what is written is there again, what is damaged is found, what fails fails cleanly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <bartizan/mcpstore.h>
#include <bartizan/store.h>

static char dir[64], path[96];
static struct bz_store *s;

static int set_up(void **state) {
    snprintf(dir, sizeof dir, "/tmp/bz-store-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/db", dir);
    return bz_store_create(path, &s) != BZ_OK;
}

static void remove_files(void) {
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        (void)!unlink(name);
    }
}

static int tear_down(void **state) {
    bz_store_close(s);
    s = NULL;
    remove_files();
    return rmdir(dir);
}

static void reopen(void) {
    bz_store_close(s);
    s = NULL;
    assert_int_equal(bz_store_open(path, &s), BZ_OK);
}

static struct bz_store_user ann = {.name = "ann", .role = "user", .created = 5};

static const struct bz_store_approval some_approval = {
    .id = {9}, .by = "uid 7", .note = "the offer of May; '\"", .created = 1, .expires = 2};

static struct bz_store_key some_key(void) {
    struct bz_store_key k = {.id = "abcdefghijkl",
                             .owner = "ann",
                             .role = "user",
                             .created = 7,
                             .expires = INT64_MAX,
                             .routes = "chat\n",
                             .limits = {1, 2, 3, 4, 5, 6, 7, 8}};
    memset(k.hash, 0xab, sizeof k.hash);
    return k;
}

static enum bz_status no_row(void *ctx, const struct bz_store_key *k) {
    return BZ_OK;
}

static enum bz_status check_key(void *ctx, const struct bz_store_key *k) {
    struct bz_store_key want = some_key();
    assert_string_equal(k->id, want.id);
    assert_memory_equal(k->hash, want.hash, sizeof want.hash);
    assert_string_equal(k->owner, "ann");
    assert_string_equal(k->role, "user");
    assert_string_equal(k->routes, "chat\n");
    assert_null(k->models);
    assert_int_equal(k->created, 7);
    assert_memory_equal(k->limits, want.limits, sizeof want.limits);
    *(struct bz_store_key *)ctx = *k;
    return BZ_OK;
}

static void test_what_is_written_is_there_again(void **state) {
    struct bz_store_key k = some_key(), got = {0};
    uint64_t n = 0;
    assert_int_equal(bz_store_key_add(s, &k), BZ_ENOTFOUND); /* nobody is called ann */
    assert_int_equal(bz_store_user_add(s, &ann), BZ_OK);
    assert_int_equal(bz_store_user_add(s, &ann), BZ_EEXISTS);
    assert_int_equal(bz_store_user_add(s, &(struct bz_store_user){.name = "ANN", .role = "x"}),
                     BZ_EEXISTS);
    assert_int_equal(bz_store_key_add(s, &k), BZ_OK);
    assert_int_equal(bz_store_key_add(s, &k), BZ_EEXISTS);
    reopen();
    assert_int_equal(bz_store_keys(s, k.id, check_key, &got), BZ_OK);
    assert_int_equal(got.expires, INT64_MAX);
    assert_false(got.revoked || got.owner_disabled);
    assert_int_equal(bz_store_key_revoke(s, k.id), BZ_OK);
    assert_int_equal(bz_store_key_revoke(s, k.id), BZ_OK);
    assert_int_equal(bz_store_key_set_expires(s, k.id, 99), BZ_OK);
    assert_int_equal(bz_store_user_set_disabled(s, "ann", true), BZ_OK);
    reopen();
    assert_int_equal(bz_store_keys(s, NULL, check_key, &got), BZ_OK);
    assert_int_equal(got.expires, 99);
    assert_true(got.revoked && got.owner_disabled);
    assert_int_equal(bz_store_key_count(s, &n), BZ_OK);
    assert_int_equal(n, 1);
    assert_int_equal(bz_store_check(s), BZ_OK);
}

static void test_what_is_not_there(void **state) {
    struct bz_buf b;
    bz_buf_init(&b, 100);
    assert_int_equal(bz_store_keys(s, "abcdefghijkl", no_row, NULL), BZ_ENOTFOUND);
    assert_int_equal(bz_store_keys(s, NULL, no_row, NULL), BZ_OK);
    assert_int_equal(bz_store_key_revoke(s, "abcdefghijkl"), BZ_ENOTFOUND);
    assert_int_equal(bz_store_key_set_expires(s, "abcdefghijkl", 1), BZ_ENOTFOUND);
    assert_int_equal(bz_store_user_set_disabled(s, "ann", true), BZ_ENOTFOUND);
    assert_int_equal(bz_store_meta_get(s, "x", &b), BZ_ENOTFOUND);
    bz_buf_free(&b);
}

static void test_values_out_of_range(void **state) {
    struct bz_store_key k = some_key();
    assert_int_equal(bz_store_user_add(s, &ann), BZ_OK);
    k.expires = (uint64_t)INT64_MAX + 1;
    assert_int_equal(bz_store_key_add(s, &k), BZ_ERANGE);
    k = some_key();
    k.limits[6] = UINT64_MAX;
    assert_int_equal(bz_store_key_add(s, &k), BZ_ERANGE);
    k = some_key();
    k.id = "short";
    assert_int_equal(bz_store_key_add(s, &k), BZ_EINVAL);
    k = some_key();
    k.role = NULL;
    assert_int_equal(bz_store_key_add(s, &k), BZ_EINVAL);
    assert_int_equal(bz_store_key_set_expires(s, "abcdefghijkl", UINT64_MAX), BZ_ERANGE);
    k = some_key();
    assert_int_equal(bz_store_key_add(s, &k),
                     BZ_OK); /* nothing of the refused ones is left bound */
}

/* Text is bound: SQL in it is text. */
static void test_hostile_names(void **state) {
    static const char evil[] = "x'); DROP TABLE users; --";
    struct bz_store_user u = {.name = evil, .role = "' OR 1=1", .created = 1};
    assert_int_equal(bz_store_user_add(s, &u), BZ_OK);
    assert_int_equal(bz_store_user_set_disabled(s, "' OR ''='", true), BZ_ENOTFOUND);
    assert_int_equal(bz_store_user_set_disabled(s, evil, true), BZ_OK);
    assert_int_equal(bz_store_user_add(s, &ann), BZ_OK);
}

static void test_meta(void **state) {
    struct bz_buf b;
    static const uint8_t bytes[] = {0, 1, 0xff, 0, '\''};
    bz_buf_init(&b, 100);
    assert_int_equal(bz_store_meta_set(s, "x", BZ_V("first")), BZ_OK);
    assert_int_equal(bz_store_meta_set(s, "x", bz_view(bytes, sizeof bytes)), BZ_OK);
    assert_int_equal(bz_store_meta_set(s, "empty", (struct bz_view){0}), BZ_OK);
    reopen();
    assert_int_equal(bz_store_meta_get(s, "x", &b), BZ_OK);
    assert_true(bz_view_eq(bz_buf_view(&b), bz_view(bytes, sizeof bytes)));
    bz_buf_reset(&b);
    assert_int_equal(bz_store_meta_get(s, "empty", &b), BZ_OK);
    assert_int_equal(b.n, 0);
    bz_buf_free(&b);
}

static void test_transactions(void **state) {
    uint64_t n = 9;
    struct bz_store_key k = some_key();
    assert_int_equal(bz_store_commit(s), BZ_EINVAL);
    assert_int_equal(bz_store_begin(s), BZ_OK);
    assert_int_equal(bz_store_begin(s), BZ_EINVAL);
    assert_int_equal(bz_store_user_add(s, &ann), BZ_OK);
    assert_int_equal(bz_store_key_add(s, &k), BZ_OK);
    bz_store_rollback(s);
    bz_store_rollback(s);
    assert_int_equal(bz_store_key_count(s, &n), BZ_OK);
    assert_int_equal(n, 0);
    assert_int_equal(bz_store_begin(s), BZ_OK);
    assert_int_equal(bz_store_user_add(s, &ann), BZ_OK);
    reopen(); /* closing rolls back */
    assert_int_equal(bz_store_user_add(s, &ann), BZ_OK);
}

static enum bz_status stop(void *ctx, const struct bz_store_user *u) {
    ++*(int *)ctx;
    return BZ_EDENIED;
}

static void test_a_walk_can_be_ended(void **state) {
    int calls = 0;
    assert_int_equal(bz_store_user_add(s, &ann), BZ_OK);
    assert_int_equal(bz_store_user_add(s, &(struct bz_store_user){.name = "bob", .role = "r"}),
                     BZ_OK);
    assert_int_equal(bz_store_users(s, NULL, stop, &calls), BZ_EDENIED);
    assert_int_equal(calls, 1);
    assert_int_equal(bz_store_users(s, "Bob", stop, &calls), BZ_EDENIED); /* names have no case */
    assert_int_equal(bz_store_user_add(s, &(struct bz_store_user){.name = "c", .role = "r"}),
                     BZ_OK);
}

static void test_modes_and_pragmas(void **state) {
    struct stat info;
    char wal[128];
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    assert_int_equal(bz_store_user_add(s, &ann), BZ_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(stat(wal, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(q, 0), "wal");
    sqlite3_finalize(q);
    sqlite3_close(db);
}

static void test_opening_what_is_no_store(void **state) {
    struct bz_store *other = NULL;
    char name[128];
    assert_int_equal(bz_store_create(path, &other), BZ_EEXISTS);
    snprintf(name, sizeof name, "%s/missing", dir);
    assert_int_equal(bz_store_open(name, &other), BZ_ENOTFOUND);
    snprintf(name, sizeof name, "%s/no/dir", dir);
    assert_int_equal(bz_store_create(name, &other), BZ_EIO);
    assert_int_equal(bz_store_open(dir, &other), BZ_EIO);
    snprintf(name, sizeof name, "%s/link", dir);
    assert_int_equal(symlink(path, name), 0);
    assert_int_equal(bz_store_open(name, &other), BZ_EIO);
    assert_int_equal(unlink(name), 0);
    snprintf(name, sizeof name, "%s/text", dir);
    FILE *f = fopen(name, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is not a database\n", f);
    fclose(f);
    assert_int_equal(bz_store_open(name, &other), BZ_ECORRUPT);
    assert_int_equal(truncate(name, 0), 0); /* an empty file is a valid database, but not ours */
    assert_int_equal(bz_store_open(name, &other), BZ_ECORRUPT);
    assert_int_equal(unlink(name), 0);
    assert_null(other);
}

static void alter(const char *sql) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void test_other_versions_and_other_programs(void **state) {
    bz_store_close(s);
    s = NULL;
    alter("PRAGMA user_version=999");
    assert_int_equal(bz_store_open(path, &s), BZ_EVERSION);
    alter("PRAGMA user_version=5; PRAGMA application_id=1");
    assert_int_equal(bz_store_open(path, &s), BZ_ECORRUPT);
    alter("PRAGMA application_id=1111577172");
    assert_int_equal(bz_store_open(path, &s), BZ_OK);
    bz_store_close(s);
    s = NULL;
    alter("DROP TABLE keys");
    assert_int_equal(bz_store_open(path, &s), BZ_OK);
    assert_int_equal(bz_store_keys(s, NULL, no_row, NULL), BZ_ECORRUPT);
}

/* A store as the first layout had it: what is in it stays, and what is new is 0. */
static enum bz_status check_limits(void *ctx, const struct bz_store_key *k) {
    struct bz_store_key want = some_key();
    assert_memory_equal(k->limits, want.limits, sizeof want.limits);
    return BZ_OK;
}

static enum bz_status check_old_key(void *ctx, const struct bz_store_key *k) {
    struct bz_store_key want = some_key();
    want.limits[7] = 0;
    assert_memory_equal(k->limits, want.limits, sizeof want.limits);
    ++*(int *)ctx;
    return BZ_OK;
}

static void test_an_older_layout_is_brought_up_to_date(void **state) {
    struct bz_store_key k = some_key();
    int seen = 0;
    assert_int_equal(bz_store_user_add(s, &ann), BZ_OK);
    assert_int_equal(bz_store_key_add(s, &k), BZ_OK);
    bz_store_close(s);
    s = NULL;
    alter("DROP TABLE mcp_definitions; DROP TABLE approvals; ALTER TABLE keys DROP COLUMN l7; "
          "PRAGMA user_version=1");
    assert_int_equal(bz_store_open(path, &s), BZ_OK);
    assert_int_equal(bz_store_keys(s, k.id, check_old_key, &seen), BZ_OK);
    assert_int_equal(seen, 1);
    reopen();
    k.id = "newnewnewnew";
    assert_int_equal(bz_store_key_add(s, &k), BZ_OK);
    assert_int_equal(bz_store_keys(s, k.id, check_limits, NULL), BZ_OK);
    assert_int_equal(bz_store_approval_put(s, &some_approval), BZ_OK);
    assert_int_equal(bz_store_check(s), BZ_OK);
}

/* ---- what MCP servers offer ---- */

static enum bz_status count_row(void *ctx, const struct bz_mcpstore_row *t) {
    size_t *n = ctx;
    ++*n;
    assert_string_equal(t->server, "calc");
    assert_true(t->decided == 0 || strcmp(t->by, "ann") == 0);
    return BZ_OK;
}

static size_t rows_of(struct bz_mcpstore *m, const char *kind, const char *name) {
    size_t n = 0;
    assert_int_equal(bz_mcpstore_list(m, "calc", kind, name, count_row, &n), BZ_OK);
    return n;
}

/* Tools of the layout before resources and prompts stay what they were decided to be. */
static void test_definitions_of_an_older_layout(void **state) {
    struct bz_mcpstore *m = NULL;
    bz_store_close(s);
    s = NULL;
    alter("DROP TABLE mcp_definitions; CREATE TABLE mcp_tools (server TEXT, tool TEXT, digest "
          "BLOB, definition TEXT,"
          " state TEXT, odd INTEGER, current INTEGER, first INTEGER, last INTEGER, by TEXT, note "
          "TEXT,"
          " decided INTEGER); INSERT INTO mcp_tools VALUES ('calc', 'add', zeroblob(32), '{}', "
          "'approved', 0, 1, 5, 6,"
          " 'ann', '', 7); PRAGMA user_version=4");
    assert_int_equal(bz_mcpstore_open(path, &m), BZ_OK);
    assert_int_equal(rows_of(m, "tool", "add"), 1);
    assert_int_equal(rows_of(m, "prompt", NULL), 0);
    bz_mcpstore_close(m);
}

/* One name of two kinds is two; what is no longer shown and was never decided is forgotten, the rest stays. */
static void test_definitions(void **state) {
    static const char *const kinds[] = {"tool", "prompt", "resource", "template"};
    struct bz_mcpstore *m = NULL;
    struct bz_mcpstore_row t = {.server = "calc",
                                .name = "a:b",
                                .definition = "{}",
                                .state = "new",
                                .current = true,
                                .by = "",
                                .note = ""};
    bz_store_close(s);
    s = NULL;
    assert_int_equal(bz_mcpstore_open(path, &m), BZ_OK);
    for (size_t i = 0; i < 4; i++) {
        t.kind = kinds[i];
        assert_int_equal(bz_mcpstore_add(m, &t), BZ_OK);
        assert_int_equal(bz_mcpstore_add(m, &t), BZ_EEXISTS);
    }
    t.kind = "person";
    assert_int_not_equal(bz_mcpstore_add(m, &t), BZ_OK);
    t.kind = "prompt";
    t.state = "approved";
    t.by = "ann";
    t.decided = 9;
    assert_int_equal(bz_mcpstore_decide(m, &t), BZ_OK);
    assert_int_equal(bz_mcpstore_forget(m, "calc"), BZ_OK);
    assert_int_equal(rows_of(m, NULL, NULL), 4);
    assert_int_equal(bz_mcpstore_unseen(m, "calc"), BZ_OK);
    assert_int_equal(bz_mcpstore_forget(m, "other"), BZ_OK);
    assert_int_equal(rows_of(m, NULL, NULL), 4);
    assert_int_equal(bz_mcpstore_forget(m, "calc"), BZ_OK);
    assert_int_equal(rows_of(m, NULL, NULL), 1);
    assert_int_equal(rows_of(m, "prompt", "a:b"), 1);
    memset(t.digest, 1, sizeof t.digest); /* another definition takes its place */
    assert_int_equal(bz_mcpstore_retire(m, &t), BZ_OK);
    assert_int_equal(bz_mcpstore_decide(m, &t), BZ_ENOTFOUND);
    bz_mcpstore_close(m);
}

/* ---- approvals ---- */

struct rows {
    size_t n;
    uint8_t id[8];
    uint64_t expires[8];
};

static enum bz_status note_row(void *ctx, const struct bz_store_approval *a) {
    struct rows *r = ctx;
    assert_string_equal(a->by, "uid 7");
    assert_string_equal(a->note, "the offer of May; '\"");
    r->id[r->n] = a->id[0];
    r->expires[r->n++] = a->expires;
    return BZ_OK;
}

static void test_approvals(void **state) {
    struct bz_store_approval a = some_approval;
    struct rows r = {.n = 0};
    for (uint8_t i = 3; i > 0; i--) {
        a.id[0] = i;
        a.created = 10 + i;
        a.expires = 100 * (uint64_t)i;
        assert_int_equal(bz_store_approval_put(s, &a), BZ_OK);
    }
    reopen();
    assert_int_equal(bz_store_approvals(s, note_row, &r), BZ_OK);
    assert_int_equal(r.n, 3);
    assert_memory_equal(r.id, "\1\2\3", 3);
    a.id[0] = 2;
    a.created = 99;
    a.expires = 201; /* the same again */
    assert_int_equal(bz_store_approval_put(s, &a), BZ_OK);
    assert_int_equal(bz_store_approvals_expire(s, 200), BZ_OK);
    a.id[0] = 3;
    assert_int_equal(bz_store_approval_remove(s, a.id), BZ_OK);
    assert_int_equal(bz_store_approval_remove(s, a.id), BZ_ENOTFOUND);
    r.n = 0;
    assert_int_equal(bz_store_approvals(s, note_row, &r), BZ_OK);
    assert_int_equal(r.n, 1);
    assert_int_equal(r.id[0], 2);
    assert_int_equal(r.expires[0], 201);
    assert_int_equal(bz_store_approvals_expire(s, 201), BZ_OK);
    r.n = 0;
    assert_int_equal(bz_store_approvals(s, note_row, &r), BZ_OK);
    assert_int_equal(r.n, 0);
}

static void fill(int n) {
    assert_int_equal(bz_store_user_add(s, &ann), BZ_OK);
    assert_int_equal(bz_store_begin(s), BZ_OK);
    for (int i = 0; i < n; i++) {
        char id[16];
        struct bz_store_key k = some_key();
        snprintf(id, sizeof id, "%012d", i);
        k.id = id;
        assert_int_equal(bz_store_key_add(s, &k), BZ_OK);
    }
    assert_int_equal(bz_store_commit(s), BZ_OK);
}

/* Pages of rubbish: some call says so, none invents a row or crashes. */
static void test_damaged_pages_are_found(void **state) {
    fill(2000);
    bz_store_close(s);
    s = NULL;
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    int found = 0, tried = 0;
    for (off_t at = 4096; at + 4096 <= info.st_size; at += 4096) {
        static char page[4096], junk[4096];
        int fd = open(path, O_RDWR);
        assert_int_equal(pread(fd, page, sizeof page, at), sizeof page);
        memset(junk, 0x5a, sizeof junk);
        assert_int_equal(pwrite(fd, junk, sizeof junk, at), sizeof junk);
        enum bz_status st = bz_store_open(path, &s);
        if (st == BZ_OK)
            st = bz_store_check(s);
        enum bz_status walk = s == NULL ? BZ_ECORRUPT : bz_store_keys(s, NULL, no_row, NULL);
        assert_true(walk == BZ_OK || walk == BZ_ECORRUPT);
        found += st == BZ_ECORRUPT;
        tried++;
        bz_store_close(s);
        s = NULL;
        assert_int_equal(pwrite(fd, page, sizeof page, at), sizeof page);
        close(fd);
    }
    assert_in_range(tried, 20, 10000);
    assert_int_equal(found, tried);
    assert_int_equal(bz_store_open(path, &s), BZ_OK);
}

/* A disk that fills up in the middle: an error, and everything that was committed is still
 * there. */
static void test_disk_full(void **state) {
    struct bz_store_key k = some_key();
    char id[16];
    enum bz_status st = BZ_OK;
    int stored = 0;
    fill(10);
    reopen();
    /* a file size limit is what a full disk looks like to a process */
    pid_t child = fork();
    if (child == 0) {
        struct stat info;
        struct bz_store *mine = NULL;
        signal(SIGXFSZ, SIG_IGN);
        if (stat(path, &info) != 0)
            _exit(90);
        struct rlimit lim = {(rlim_t)info.st_size + 40000, RLIM_INFINITY};
        if (setrlimit(RLIMIT_FSIZE, &lim) != 0 || bz_store_open(path, &mine) != BZ_OK)
            _exit(91);
        for (int i = 0; i < 100000 && st == BZ_OK; i++) {
            snprintf(id, sizeof id, "x%011d", i);
            k.id = id;
            st = bz_store_key_add(mine, &k);
            stored += st == BZ_OK;
        }
        _exit(st != BZ_EIO ? 92 : stored > 80 ? 80 : stored);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_in_range(WEXITSTATUS(status), 1, 80);
    uint64_t n = 0;
    assert_int_equal(bz_store_check(s), BZ_OK);
    assert_int_equal(bz_store_key_count(s, &n), BZ_OK);
    assert_int_equal(n, 10 + (uint64_t)WEXITSTATUS(status));
}

static void test_a_killed_writer_leaves_what_it_committed(void **state) {
    int pipe_fd[2];
    assert_int_equal(pipe(pipe_fd), 0);
    assert_int_equal(bz_store_user_add(s, &ann), BZ_OK);
    bz_store_close(s);
    s = NULL;
    pid_t child = fork();
    if (child == 0) {
        struct bz_store *mine = NULL;
        if (bz_store_open(path, &mine) != BZ_OK)
            _exit(1);
        for (uint32_t i = 0;; i++) {
            char id[16];
            struct bz_store_key k = some_key();
            snprintf(id, sizeof id, "%012u", i);
            k.id = id;
            if (bz_store_key_add(mine, &k) != BZ_OK || write(pipe_fd[1], &i, sizeof i) != sizeof i)
                _exit(1);
        }
    }
    close(pipe_fd[1]); /* a child that fails ends the reading instead of hanging it */
    uint32_t last = 0;
    while (last < 50)
        assert_int_equal(read(pipe_fd[0], &last, sizeof last), sizeof last);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(pipe_fd[0], &last, sizeof last) == sizeof last)
        ;
    close(pipe_fd[0]);
    uint64_t n = 0;
    assert_int_equal(bz_store_open(path, &s), BZ_OK);
    assert_int_equal(bz_store_check(s), BZ_OK);
    assert_int_equal(bz_store_key_count(s, &n), BZ_OK);
    assert_in_range(n, last + 1,
                    last + 2); /* all that were reported, and perhaps the one in work */
}

#define WITH_STORE(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_STORE(test_what_is_written_is_there_again),
        WITH_STORE(test_what_is_not_there),
        WITH_STORE(test_values_out_of_range),
        WITH_STORE(test_hostile_names),
        WITH_STORE(test_meta),
        WITH_STORE(test_transactions),
        WITH_STORE(test_a_walk_can_be_ended),
        WITH_STORE(test_modes_and_pragmas),
        WITH_STORE(test_opening_what_is_no_store),
        WITH_STORE(test_other_versions_and_other_programs),
        WITH_STORE(test_an_older_layout_is_brought_up_to_date),
        WITH_STORE(test_definitions_of_an_older_layout),
        WITH_STORE(test_definitions),
        WITH_STORE(test_approvals),
        WITH_STORE(test_damaged_pages_are_found),
        WITH_STORE(test_disk_full),
        WITH_STORE(test_a_killed_writer_leaves_what_it_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
