/* Files of an instance: atomic writes, shared maps, derived keys, sockets with long paths, locks.
 * */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../src/instance/instance.h"

#define S(lit) ((char[]){lit}) /* text that is not const */

static char dir[] = "/tmp/bz-instance-XXXXXX";

static int set_up(void **state) {
    return bz_crypto_init() == BZ_OK && mkdtemp(dir) != NULL ? 0 : -1;
}

static int tear_down(void **state) {
    bz_tree_remove(AT_FDCWD, dir);
    return access(dir, F_OK) == 0 ? -1 : 0;
}

static int open_dir(void) {
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void files(void **state) {
    BZ_FD d = open_dir();
    struct bz_buf b;
    struct stat sb;
    bz_buf_init(&b, 8);
    assert_int_equal(bz_file_create(d, "f", BZ_V("12345"), 0600), BZ_OK);
    assert_int_equal(bz_file_create(d, "f", BZ_V("x"), 0600), BZ_EEXISTS);
    assert_int_equal(bz_file_read(d, "f", &b), BZ_OK);
    assert_memory_equal(b.p, "12345", 5);
    assert_int_equal(bz_file_write(d, "f", BZ_V("123456789"), 0600, BZ_FILE_SYNC), BZ_OK);
    assert_int_equal(fstatat(d, "f", &sb, 0), 0);
    assert_int_equal(sb.st_mode & 0777, 0600);
    assert_int_equal(faccessat(d, "f.tmp", F_OK, 0), -1);
    bz_buf_reset(&b);
    assert_int_equal(bz_file_read(d, "f", &b), BZ_ETOOBIG);
    bz_buf_reset(&b);
    assert_int_equal(bz_file_read(d, "none", &b), BZ_ENOTFOUND);
    assert_int_equal(mkfifoat(d, "pipe", 0600), 0);
    assert_int_equal(bz_file_read(d, "pipe", &b), BZ_EINVAL); /* and does not hang */
    assert_int_equal(bz_file_read(d, ".", &b), BZ_EINVAL);
    /* a leftover of a killed writer is no obstacle; a link in its place is not followed */
    assert_int_equal(symlinkat("f", d, "g.tmp"), 0);
    assert_int_equal(bz_file_write(d, "g", BZ_V("g"), 0600, BZ_FILE_NO_SYNC), BZ_OK);
    assert_int_equal(fstatat(d, "f", &sb, 0), 0);
    assert_int_equal(sb.st_size, 9);
    bz_buf_free(&b);
}

static void maps(void **state) {
    BZ_FD d = open_dir();
    struct bz_map a = {NULL, 0}, b = {NULL, 0};
    assert_int_equal(bz_map_create(d, "m", 8192, &a), BZ_OK);
    assert_int_equal(a.n, 8192);
    assert_int_equal(((uint8_t *)a.p)[8191], 0);
    assert_int_equal(bz_map_open(d, "m", false, &b), BZ_OK);
    ((uint8_t *)a.p)[100] = 7;
    assert_int_equal(((const uint8_t *)b.p)[100], 7);
    bz_map_close(&b);
    bz_map_close(&a);
    bz_map_close(&a);
    assert_int_equal(symlinkat("m", d, "link"), 0);
    assert_int_not_equal(bz_map_open(d, "link", false, &b), BZ_OK);
    assert_int_equal(bz_file_create(d, "empty", bz_view(NULL, 0), 0600), BZ_OK);
    assert_int_equal(bz_map_open(d, "empty", false, &b), BZ_ECORRUPT);
}

static void make_instance(const char *name, struct bz_instance *ret) {
    char path[512];
    BZ_FD d = open_dir();
    assert_int_equal(mkdirat(d, name, 0700), 0);
    BZ_FD i = openat(d, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(bz_instance_dirs(i), BZ_OK);
    assert_int_equal(bz_instance_dirs(i), BZ_OK); /* again: they are kept */
    assert_int_equal(bz_file_create(i, BZ_F_CONFIG, BZ_V("version: 1\n"), 0600), BZ_OK);
    (void)snprintf(path, sizeof path, "%s/%s/../%s/", dir, name, name);
    assert_int_equal(bz_instance_open(path, ret), BZ_OK);
    assert_null(strstr(ret->path, ".."));
}

static void opening(void **state) {
    struct bz_instance in;
    assert_int_equal(bz_instance_open("/nonexistent/x", &in), BZ_ENOTFOUND);
    assert_int_equal(bz_instance_open(dir, &in), BZ_EINVAL); /* a directory, but no instance */
    make_instance("open", &in);
    char p[BZ_DIR_PATH_MAX];
    assert_true(bz_instance_path(&in, "tls/x", p));
    assert_string_equal(p + strlen(p) - 10, "open/tls/x");
    assert_true(bz_instance_path(&in, "/abs", p));
    assert_string_equal(p, "/abs");
    bz_instance_close(&in);
}

static void keys(void **state) {
    struct bz_instance in;
    struct bz_instance_keys a, b;
    char origin[BZ_ORIGIN_MAX];
    uint8_t master[BZ_KEY_LEN + 1] = {1, 2, 3};
    make_instance("keys", &in);
    assert_int_equal(bz_instance_keys(&in, &a), BZ_ENOTFOUND);
    assert_int_equal(bz_file_create(in.fd, BZ_F_MASTER_KEY, bz_view(master, 31), 0600), BZ_OK);
    assert_int_equal(bz_instance_keys(&in, &a), BZ_ECORRUPT);
    assert_int_equal(bz_file_write(in.fd, BZ_F_MASTER_KEY, bz_view(master, 33), 0600, BZ_FILE_SYNC),
                     BZ_OK);
    assert_int_equal(bz_instance_keys(&in, &a), BZ_ECORRUPT);
    assert_int_equal(bz_file_write(in.fd, BZ_F_MASTER_KEY, bz_view(master, 32), 0600, BZ_FILE_SYNC),
                     BZ_OK);
    assert_int_equal(bz_instance_keys(&in, &a), BZ_OK);
    bz_instance_derive(master, &b);
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_not_equal(a.key_pepper, a.digest_key, BZ_KEY_LEN);
    bz_instance_origin(a.instance_id, origin);
    assert_int_equal(strlen(origin), strlen("bartizan.local/") + 16);
    bz_instance_close(&in);
}

static void long_socket_paths(void **state) {
    struct bz_instance in;
    char name[200];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    make_instance(name, &in); /* sun_path has 108 bytes */
    BZ_FD none = bz_instance_connect(&in, BZ_F_ADMIN_SOCK);
    assert_int_equal(none, -1);
    BZ_FD l = bz_instance_listen(&in, BZ_F_ADMIN_SOCK);
    assert_true(l >= 0);
    BZ_FD c = bz_instance_connect(&in, BZ_F_ADMIN_SOCK);
    assert_true(c >= 0);
    BZ_FD again =
        bz_instance_listen(&in, BZ_F_ADMIN_SOCK); /* a socket left by a killed daemon is replaced */
    assert_true(again >= 0);
    bz_instance_close(&in);
}

static void run_files(void **state) {
    struct bz_instance in;
    struct bz_map m = {NULL, 0};
    struct stat sb;
    bool kept = true;
    uint64_t seq = 0;
    make_instance("run", &in);
    assert_int_equal(bz_instance_run_files(&in, &kept), BZ_OK);
    assert_false(kept);
    assert_int_equal(fstatat(in.fd, "run/lane-63.fifo", &sb, 0), 0);
    assert_true(S_ISFIFO(sb.st_mode));
    assert_int_equal(bz_map_open(in.fd, BZ_F_RING, true, &m), BZ_OK);
    atomic_store(&bz_ring_lane(m.p, 3)->owner_pid, 4711);
    assert_int_equal(bz_ring_put(m.p, 3, BZ_V("a record"), &seq), BZ_OK);
    bz_map_close(&m);
    /* again: unread records stay, owners are gone */
    assert_int_equal(bz_instance_run_files(&in, &kept), BZ_OK);
    assert_true(kept);
    assert_int_equal(bz_map_open(in.fd, BZ_F_RING, true, &m), BZ_OK);
    assert_int_equal(atomic_load(&bz_ring_lane(m.p, 3)->head_seq), seq);
    assert_int_equal(atomic_load(&bz_ring_lane(m.p, 3)->owner_pid), 0);
    ((uint8_t *)m.p)[0] ^= 0xff;
    bz_map_close(&m);
    /* a damaged ring is made anew */
    assert_int_equal(bz_instance_run_files(&in, &kept), BZ_OK);
    assert_false(kept);
    bz_instance_close(&in);
}

static void who_holds_the_lock(void **state) {
    struct bz_instance in;
    int p[2], ws = 0;
    char b = 0;
    make_instance("lock", &in);
    assert_int_equal(bz_instance_running(&in), 0);
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = openat(in.fd, BZ_F_UP_LOCK, O_RDWR | O_CREAT, 0600);
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        (void)!write(p[1], fd >= 0 && fcntl(fd, F_SETLK, &l) == 0 ? "y" : "n", 1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(p[0], &b, 1), 1);
    assert_int_equal(b, 'y');
    assert_int_equal(bz_instance_running(&in), pid);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &ws, 0), pid);
    assert_int_equal(bz_instance_running(&in), 0); /* no stale lock */
    (void)close(p[0]);
    (void)close(p[1]);
    bz_instance_close(&in);
}

static void urls(void **state) {
    const struct {
        char *listen;
        bool plain;
        const char *want;
    } cases[] = {
        {S("127.0.0.1:8443"), false, "https://127.0.0.1:8443"},
        {S("127.0.0.1:80"), true, "http://127.0.0.1:80"},
        {S("0.0.0.0:8443"), false, "https://127.0.0.1:8443"},
        {S("[::]:8443"), false, "https://[::1]:8443"},
        {S("[::1]:1"), false, "https://[::1]:1"},
        {S("10.1.2.3:9"), false, "https://10.1.2.3:9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bz_config c = {.listen = cases[i].listen, .plain_http = cases[i].plain};
        struct bz_buf b;
        bz_buf_init(&b, 256);
        bz_instance_url(&c, &b);
        assert_int_equal(b.n, strlen(cases[i].want));
        assert_memory_equal(b.p, cases[i].want, b.n);
        bz_buf_free(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files),
        cmocka_unit_test(maps),
        cmocka_unit_test(opening),
        cmocka_unit_test(keys),
        cmocka_unit_test(run_files),
        cmocka_unit_test(long_socket_paths),
        cmocka_unit_test(who_holds_the_lock),
        cmocka_unit_test(urls),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
