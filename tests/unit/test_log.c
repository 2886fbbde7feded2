/* The log writer on real files: journal, tiles, checkpoints; every write made to fail once;
 * crashes at every step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "writer.h"

/* ---- a log in a folder of its own ---- */

static char root[64];
static int dir = -1; /* root/audit */
static int run_dir = -1;
static uint8_t pub[BZ_SIGN_PUBLIC_LEN];
static uint8_t sec[BZ_SIGN_SECRET_LEN];
static void *ring;
static size_t ring_n;
static const uint8_t ring_name[16] = "the first ring!";
static const uint8_t other_name[16] = "the second ring";
#define ORIGIN BZ_V("test.example/log")

static void remove_tree(int at, const char *name) {
    if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
        return;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fdopendir(fd);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            remove_tree(fd, e->d_name);
    closedir(d);
    unlinkat(at, name, AT_REMOVEDIR);
}

static int begin(void **state) {
    snprintf(root, sizeof root, "/tmp/bz-log-XXXXXX");
    if (bz_crypto_init() != BZ_OK || mkdtemp(root) == NULL)
        return -1;
    int top = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    mkdirat(top, "audit", 0700);
    mkdirat(top, "audit/journal", 0700);
    mkdirat(top, "run", 0700);
    dir = openat(top, "audit", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    run_dir = openat(top, "run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(top);
    bz_sign_keypair(pub, sec);
    ring_n = bz_ring_file_size(2);
    ring = aligned_alloc(4096, ring_n);
    memset(ring, 0, ring_n); /* as in a new file */
    return bz_ring_format(ring, ring_n, 2, ring_name) == BZ_OK ? 0 : -1;
}

static int end(void **state) {
    close(dir);
    close(run_dir);
    free(ring);
    remove_tree(AT_FDCWD, root);
    return 0;
}

/* ---- io that fails ---- */

struct faults {
    int left;     /* calls until it fails; negative: never */
    bool lasting; /* and stays broken */
    int calls;
    int hook_at; /* number of the call before which `hook` runs, once */
    void (*hook)(void);
    int sort; /* 1 short write, 2 writes but reports failure, else plain failure */
};

static bool fault(void *ctx) {
    struct faults *f = ctx;
    if (f->calls++ == f->hook_at && f->hook != NULL) {
        void (*hook)(void) = f->hook;
        f->hook = NULL;
        hook();
    }
    if (f->left < 0 || (f->left > 0 && f->left-- > 0))
        return false;
    if (!f->lasting)
        f->left = -1;
    errno = ENOSPC;
    return true;
}

static int f_open(void *c, int d, const char *p, enum bz_io_how how) {
    return fault(c) ? -1 : bz_io_real.open(NULL, d, p, how);
}
static ssize_t f_write(void *c, int fd, const void *p, size_t n, off_t at) {
    struct faults *f = c;
    if (!fault(c))
        return bz_io_real.write(NULL, fd, p, n, at);
    if (f->sort == 1)
        (void)!bz_io_real.write(NULL, fd, p, n / 2, at);
    if (f->sort == 2)
        (void)!bz_io_real.write(NULL, fd, p, n, at);
    errno = f->sort == 0 ? ENOSPC : EIO;
    return -1;
}
static int f_sync(void *c, int fd, bool data) {
    return fault(c) ? -1 : 0; /* no real flush: the tests would take minutes on a slow disk */
}
static int f_reserve(void *c, int fd, off_t n) {
    return fault(c) ? -1 : ftruncate(fd, n);
}
static int f_rename(void *c, int d, const char *a, const char *b) {
    return fault(c) ? -1 : bz_io_real.rename(NULL, d, a, b);
}
static int f_unlink(void *c, int d, const char *p, bool x) {
    return fault(c) ? -1 : bz_io_real.unlink(NULL, d, p, x);
}
static int f_mkdir(void *c, int d, const char *p) {
    return fault(c) ? -1 : bz_io_real.mkdir(NULL, d, p);
}
static struct faults faults;
static const struct bz_io io = {f_open,   f_write,  f_sync,  f_reserve,
                                f_rename, f_unlink, f_mkdir, &faults};

/* ---- one life of the writer ---- */

static struct bz_writer *w;
static struct bz_sealer *s;
static struct bz_journal_scan scan;

static enum bz_status wake_up(void) {
    w = calloc(1, sizeof *w);
    s = calloc(1, sizeof *s);
    struct bz_diag d = {0};
    BZ_TRY(bz_tree_open(&s->tree, &io, dir, ORIGIN, sec, &d));
    BZ_TRY(bz_journal_scan(dir, NULL, NULL, &scan, &d));
    uint64_t size = s->tree.f.size;
    if (scan.any && scan.first > size)
        return BZ_ECORRUPT;
    uint64_t next = scan.any && scan.next > size ? scan.next : size;
    BZ_TRY(bz_writer_init(w, &io, dir, run_dir, ring, ring_n, &scan, next, other_name));
    BZ_TRY(bz_sealer_init(s, &io, dir));
    return bz_sealer_step(s, next, scan.last_segment);
}

/* As kill -9 leaves it: nothing is written any more, the ring stays as it is. */
static void die(void) {
    bz_writer_done(w);
    bz_sealer_done(s);
    free(w);
    free(s);
}

static uint64_t put(uint32_t lane, uint64_t number) {
    char text[32];
    snprintf(text, sizeof text, "n%llu", (unsigned long long)number);
    struct bz_record r = {
        .kind = BZ_RECORD_DECISION, .time_ns = number, .detail = bz_view_str(text)};
    uint8_t mem[BZ_RECORD_MAX];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_record_encode(&r, &b);
    uint64_t seq = 0;
    return bz_ring_put(ring, lane, bz_buf_view(&b), &seq) == BZ_OK ? seq : 0;
}

/* ---- reading back, as a verifier would ---- */

struct seen {
    uint64_t leaves, numbers;
    uint8_t *count; /* times each number is in the log */
    struct bz_frontier f;
};

static void see(struct seen *v, struct bz_view entry) {
    struct bz_hash h;
    bz_leaf_hash(entry, &h);
    bz_frontier_add(&v->f, &h);
    v->leaves++;
    static const char key[] = "\"detail\":\"n";
    const uint8_t *p = memmem(entry.p, entry.n, key, sizeof key - 1);
    if (p == NULL)
        return;
    uint64_t n = strtoull((const char *)p + sizeof key - 1, NULL, 10);
    if (n >= v->numbers)
        fail_msg("a record that was never written: %.*s", (int)entry.n, (const char *)entry.p);
    v->count[n]++;
}

static enum bz_status see_frame(void *ctx, const struct bz_journal_frame *f,
                                const struct bz_hash *leaf) {
    struct seen *v = ctx;
    if (f->index >= v->leaves)
        see(v, f->entry);
    return BZ_OK;
}

/* Reads checkpoint, all bundles, all tiles, then the journal. Returns the checkpoint's size. */
static uint64_t read_log(struct seen *v, uint64_t numbers) {
    *v = (struct seen){.numbers = numbers, .count = calloc(numbers, 1)};
    struct bz_buf note;
    bz_buf_init(&note, BZ_CHECKPOINT_MAX);
    struct bz_checkpoint c = {0};
    enum bz_status st = bz_logdir_read(dir, "checkpoint", &note);
    if (st == BZ_OK)
        assert_int_equal(bz_checkpoint_open(bz_buf_view(&note), ORIGIN, pub, &c), BZ_OK);
    for (uint64_t i = 0; i < c.size; i += 256) {
        struct bz_tile_id t;
        assert_true(bz_tile_of(0, i, c.size, &t));
        struct bz_buf bundle;
        bz_buf_init(&bundle, BZ_BUNDLE_MAX);
        assert_int_equal(bz_logdir_tile(dir, &t, true, &bundle), BZ_OK);
        struct bz_view rest = bz_buf_view(&bundle);
        struct bz_view e;
        while (bz_bundle_next(&rest, &e) == BZ_OK)
            see(v, e);
        bz_buf_free(&bundle);
    }
    assert_int_equal(v->leaves, c.size);
    struct bz_hash got;
    bz_frontier_root(&v->f, &got);
    if (st == BZ_OK)
        assert_memory_equal(got.b, c.root.b, 32);
    struct bz_tile_source src = bz_logdir_source(&dir);
    struct bz_frontier f;
    assert_int_equal(bz_frontier_load(&src, c.size, &f), BZ_OK);
    bz_frontier_root(&f, &got);
    if (st == BZ_OK)
        assert_memory_equal(got.b, c.root.b, 32);
    bz_buf_free(&note);
    struct bz_journal_scan js;
    struct bz_diag d;
    assert_int_equal(bz_journal_scan(dir, see_frame, v, &js, &d), BZ_OK);
    return c.size;
}

static void each_once(uint64_t numbers) {
    struct seen v;
    read_log(&v, numbers);
    for (uint64_t i = 0; i < numbers; i++)
        if (v.count[i] != 1)
            fail_msg("record %llu is in the log %d times", (unsigned long long)i, v.count[i]);
    free(v.count);
}

static uint64_t durable(uint32_t lane) {
    return atomic_load(&bz_ring_lane(ring, lane)->durable_seq);
}

/* ---- tests ---- */

static void plain_life(void **state) {
    faults = (struct faults){.left = -1};
    assert_int_equal(wake_up(), BZ_OK);
    uint64_t n = 0;
    for (int round = 0; round < 90; round++) {
        uint64_t seq[2] = {0, 0};
        for (int i = 0; i < round % 23; i++, n++)
            seq[n % 2] = put((uint32_t)(n % 2), n);
        assert_false(bz_writer_gather(w));
        assert_int_equal(bz_writer_commit(w), BZ_OK);
        for (uint32_t l = 0; l < 2; l++)
            if (seq[l] != 0)
                assert_int_equal(durable(l), seq[l]);
        assert_int_equal(bz_sealer_step(s, w->first, w->seg.last), BZ_OK);
        if (round % 7 == 0)
            assert_int_equal(bz_sealer_seal(s), BZ_OK);
        if (round % 11 == 0) { /* crash and come back */
            die();
            assert_int_equal(wake_up(), BZ_OK);
        }
    }
    assert_int_equal(bz_sealer_seal(s), BZ_OK);
    each_once(n);
    struct seen v;
    assert_int_equal(read_log(&v, n), n);
    free(v.count);
    die();
    /* "MAY delete any partial tile once the full tile is available": those of full tiles are
     * gone */
    struct stat st;
    assert_int_equal(fstatat(dir, "tile/0/000", &st, 0), 0);
    assert_int_equal(fstatat(dir, "tile/0/000.p", &st, 0), -1);
    assert_int_equal(fstatat(dir, "tile/entries/000.p", &st, 0), -1);
    assert_int_equal(fstatat(dir, "tile/1/000.p", &st, 0), 0);
}

/* A checkpoint under load ends at a full bundle; what is left stays in the journal, also over a
 * crash, and the next checkpoint has it. */
static void whole_bundles(void **state) {
    static const struct {
        uint64_t sealed, before, durable, goal;
    } cases[] = {
        {0, 0, 0, 0},         {0, 0, 255, 255},     {0, 0, 256, 256},     {0, 100, 700, 512},
        {0, 512, 700, 512},   {0, 513, 700, 700},   {512, 600, 700, 700}, {512, 512, 767, 767},
        {512, 600, 769, 768}, {511, 511, 513, 512}, {700, 700, 700, 700},
    };
    faults = (struct faults){.left = -1};
    assert_int_equal(wake_up(), BZ_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        s->tree.signed_size = cases[i].sealed;
        assert_int_equal(bz_sealer_goal(s, cases[i].durable, cases[i].before), cases[i].goal);
    }
    s->tree.signed_size = 0;
    uint64_t n = 0;
    for (; n < 700; n++)
        assert_int_not_equal(put((uint32_t)(n % 2), n), 0);
    bz_writer_gather(w);
    assert_int_equal(bz_writer_commit(w), BZ_OK);
    assert_int_equal(bz_sealer_step(s, bz_sealer_goal(s, w->first, 0), w->seg.last), BZ_OK);
    assert_int_equal(bz_sealer_seal(s), BZ_OK);
    assert_int_equal(s->tree.signed_size, 512);
    struct stat st;
    assert_int_equal(fstatat(dir, "tile/0/001", &st, 0), 0);
    assert_int_equal(fstatat(dir, "tile/0/002.p", &st, 0), -1);
    assert_int_equal(fstatat(dir, "tile/entries/002.p", &st, 0), -1);
    each_once(n);
    die();
    assert_int_equal(wake_up(), BZ_OK);
    assert_int_equal(bz_sealer_step(s, w->next, scan.last_segment), BZ_OK);
    assert_int_equal(bz_sealer_seal(s), BZ_OK);
    assert_int_equal(s->tree.signed_size, n);
    each_once(n);
    die();
}

/* Enough for level 2 tiles to begin and for several journal segments, of which the covered ones
 * go. */
static void long_life(void **state) {
    faults = (struct faults){.left = -1};
    assert_int_equal(wake_up(), BZ_OK);
    uint64_t n = 0;
    while (n < 70000) {
        for (int i = 0; i < 1500 && n < 70000; i++, n++)
            assert_int_not_equal(put((uint32_t)(n % 2), n), 0);
        bz_writer_gather(w);
        assert_int_equal(bz_writer_commit(w), BZ_OK);
        assert_int_equal(bz_sealer_step(s, w->first, w->seg.last), BZ_OK);
        if (n % 9000 == 0)
            assert_int_equal(bz_sealer_seal(s), BZ_OK);
    }
    assert_true(w->seg.last >= 2);
    assert_int_equal(bz_sealer_seal(s), BZ_OK);
    assert_int_equal(bz_segment_next(dir, 0), w->seg.last);
    each_once(n);
    die();
    struct stat st;
    assert_int_equal(fstatat(dir, "tile/1/000", &st, 0), 0);
    assert_int_equal(fstatat(dir, "tile/2/000.p/1", &st, 0), 0);
    assert_int_equal(wake_up(), BZ_OK);
    assert_int_equal(s->tree.f.size, n);
    die();
}

/* One scenario under a fault; returns the number of io calls it made. Whatever failed: nothing
 * that was acknowledged is
 * missing, nothing is doubled, and going on works. */
static int scenario(int fail_at, bool lasting, int sort, bool crash) {
    begin(NULL);
    faults = (struct faults){.left = -1};
    assert_int_equal(wake_up(), BZ_OK);
    uint64_t n = 0;
    for (; n < 250; n++)
        put(n % 2, n);
    bz_writer_gather(w);
    assert_int_equal(bz_writer_commit(w), BZ_OK);
    faults = (struct faults){.left = fail_at, .lasting = lasting, .sort = sort};
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 9; i++, n++)
            put(n % 2, n);
        bz_writer_gather(w);
        uint64_t before = durable(0);
        if (bz_writer_commit(w) != BZ_OK) {
            assert_int_equal(durable(0), before);
            assert_int_equal(w->seg.fd, -1); /* never again to a file whose flush failed */
        }
        (void)!bz_sealer_step(s, w->first, w->seg.last);
        if (round == 1)
            bz_segments_done(&w->seg); /* as if it were full: the next commit begins a new one */
        else
            (void)!bz_sealer_seal(s);
    }
    int calls = faults.calls;
    /* what was acknowledged is there, now, while it still fails */
    uint64_t acked = durable(0) + durable(1);
    struct seen v;
    read_log(&v, n);
    uint64_t found = 0;
    for (uint64_t i = 0; i < n; i++) {
        assert_true(v.count[i] <= 1);
        found += v.count[i];
    }
    assert_true(found >= acked);
    free(v.count);
    faults = (struct faults){.left = -1}; /* there is room again */
    if (crash) {
        die();
        assert_int_equal(wake_up(), BZ_OK);
    }
    bz_writer_gather(w);
    assert_int_equal(bz_writer_commit(w), BZ_OK);
    assert_int_equal(bz_sealer_step(s, w->first, w->seg.last), BZ_OK);
    assert_int_equal(bz_sealer_seal(s), BZ_OK);
    assert_int_equal(durable(0) + durable(1), n);
    each_once(n);
    die();
    end(NULL);
    return calls;
}

static void every_write_fails_once(void **state) {
    int calls = scenario(-1, false, 0, false);
    assert_true(calls > 30);
    for (int i = 0; i < calls + 2; i++) {
        int sort = i % 3;
        scenario(i, false, sort, false);
        scenario(i, true, sort, (i & 1) != 0);
        scenario(i, false, (sort + 1) % 3, true);
    }
    begin(NULL); /* for the teardown */
}

static void seal_now(void) {
    (void)!bz_sealer_step(s, w->first, w->seg.last);
    (void)!bz_sealer_seal(s);
}

/* The sealer, a thread of its own, lets go of segments between any two calls of a commit that
 * begins a new one from the spare; also with a crash right after. */
static void sealer_in_between(void **state) {
    int calls = 1000;
    for (int i = 0; i < calls; i++) {
        begin(NULL);
        faults = (struct faults){.left = -1};
        assert_int_equal(wake_up(), BZ_OK);
        uint64_t n = 0;
        for (int segment = 0; segment < 4; segment++) {
            put(0, n++);
            bz_writer_gather(w);
            assert_int_equal(bz_writer_commit(w), BZ_OK);
            if (segment == 1)
                seal_now(); /* makes a spare */
            if (segment == 1 || segment == 2)
                faults.left = 0; /* but the next one must not use it: its rename fails */
            bz_segments_done(&w->seg);
        }
        faults = (struct faults){.left = -1, .hook = seal_now, .hook_at = i};
        put(0, n++);
        bz_writer_gather(w);
        assert_int_equal(bz_writer_commit(w), BZ_OK);
        calls = faults.calls;
        if (faults.hook != NULL)
            calls = i; /* the commit makes fewer calls than that */
        faults = (struct faults){.left = -1};
        if (i % 2 == 0) {
            die();
            assert_int_equal(wake_up(), BZ_OK);
        }
        assert_int_equal(durable(0), n);
        assert_int_equal(bz_sealer_step(s, w->first, i % 2 == 0 ? scan.last_segment : w->seg.last),
                         BZ_OK);
        each_once(n);
        die();
        end(NULL);
        if (calls == i)
            break;
    }
    assert_true(calls > 4);
    begin(NULL); /* for the teardown */
}

/* kill -9 after the spare got its new name and before its head: what it holds is of its former
 * life. */
static void dies_with_an_old_head(void **state) {
    faults = (struct faults){.left = -1};
    assert_int_equal(wake_up(), BZ_OK);
    for (uint64_t n = 0; n < 6; n++) {
        put(0, n);
        bz_writer_gather(w);
        assert_int_equal(bz_writer_commit(w), BZ_OK);
        bz_segments_done(&w->seg);
        seal_now();
    }
    char name[BZ_SEGMENT_NAME];
    bz_segment_name(w->seg.last + 1, name);
    die();
    assert_int_equal(renameat(dir, BZ_SEGMENT_SPARE, dir, name), 0);
    assert_int_equal(wake_up(), BZ_OK);
    put(0, 6);
    bz_writer_gather(w);
    assert_int_equal(bz_writer_commit(w), BZ_OK);
    seal_now();
    each_once(7);
    die();
}

/* kill -9 between the flush and the acknowledgement: the record is in the journal and still unread
 * in the ring. */
static void dies_before_telling(void **state) {
    faults = (struct faults){.left = -1};
    assert_int_equal(wake_up(), BZ_OK);
    for (uint64_t n = 0; n < 10; n++)
        put(0, n);
    bz_writer_gather(w);
    assert_int_equal(bz_segments_commit(&w->seg, w->first, bz_buf_view(&w->batch)), BZ_OK);
    die();
    assert_int_equal(durable(0), 0);
    assert_int_equal(wake_up(), BZ_OK);
    assert_int_equal(durable(0), 10); /* told at once */
    for (uint64_t n = 10; n < 15; n++)
        put(0, n);
    bz_writer_gather(w);
    assert_int_equal(bz_writer_commit(w), BZ_OK);
    /* also when the frames themselves are sealed and gone: the head of the next segment
     * remembers */
    bz_segments_done(&w->seg);
    bz_writer_note(w, BZ_V("x"), BZ_V("begins a new segment"));
    assert_int_equal(bz_writer_commit(w), BZ_OK);
    assert_int_equal(bz_sealer_step(s, w->first, w->seg.last), BZ_OK);
    assert_int_equal(bz_sealer_seal(s), BZ_OK);
    assert_int_equal(bz_segment_next(dir, 0), w->seg.last);
    die();
    atomic_store(&bz_ring_lane(ring, 0)->tail, 0);
    atomic_store(&bz_ring_lane(ring, 0)->durable_seq, 0);
    assert_int_equal(wake_up(), BZ_OK);
    put(0, 15);
    bz_writer_gather(w);
    assert_int_equal(bz_writer_commit(w), BZ_OK);
    assert_int_equal(durable(0), 16);
    each_once(16);
    die();
}

/* After a power cut the ring file may be of an earlier time than the log: its numbers must not be
 * given out again. */
static void ring_from_before(void **state) {
    faults = (struct faults){.left = -1};
    assert_int_equal(wake_up(), BZ_OK);
    uint8_t *old = malloc(ring_n);
    put(0, 0);
    memcpy(old, ring, ring_n);
    put(0, 1);
    put(0, 2);
    bz_writer_gather(w);
    assert_int_equal(bz_writer_commit(w), BZ_OK);
    die();
    memcpy(ring, old, ring_n);
    free(old);
    assert_int_equal(wake_up(), BZ_OK);
    assert_memory_equal(((struct bz_ring_head *)ring)->instance, other_name, 16);
    assert_true(w->ring_replaced);
    assert_int_equal(durable(0), 0);
    assert_int_equal(put(0, 3), 1);
    bz_writer_gather(w);
    assert_int_equal(durable(0), 0);
    assert_int_equal(bz_writer_commit(w), BZ_OK);
    assert_int_equal(durable(0), 1);
    each_once(4);
    die();
    assert_int_equal(wake_up(), BZ_OK); /* and the new name is known to the journal */
    assert_int_equal(durable(0), 1);
    die();
}

static off_t segment_size(uint64_t n, char name[BZ_SEGMENT_NAME]) {
    bz_segment_name(n, name);
    struct stat st;
    assert_int_equal(fstatat(dir, name, &st, 0), 0);
    return st.st_size;
}

static void poke(const char *name, off_t at, uint8_t flip) {
    int fd = openat(dir, name, O_RDWR | O_CLOEXEC);
    uint8_t b = 0;
    assert_int_equal(pread(fd, &b, 1, at), 1);
    b ^= flip;
    assert_int_equal(pwrite(fd, &b, 1, at), 1);
    close(fd);
}

/* A batch cut short at any byte is dropped as a whole, to the last sound record; what came before
 * stays. */
static void torn_batch(void **state) {
    faults = (struct faults){.left = -1};
    assert_int_equal(wake_up(), BZ_OK);
    put(0, 0);
    bz_writer_gather(w);
    assert_int_equal(bz_writer_commit(w), BZ_OK);
    uint64_t from = w->seg.off;
    uint64_t segment = w->seg.last;
    put(0, 1);
    bz_writer_gather(w);
    struct bz_view frame = bz_buf_view(&w->batch);
    uint8_t copy[512];
    assert_true(frame.n < sizeof copy);
    memcpy(copy, frame.p, frame.n);
    frame.p = copy;
    die();
    char name[BZ_SEGMENT_NAME];
    segment_size(segment, name);
    for (size_t cut = 0; cut <= frame.n; cut++) {
        int fd = openat(dir, name, O_RDWR | O_CLOEXEC);
        uint8_t zeros[512] = {0};
        assert_int_equal(pwrite(fd, zeros, frame.n, (off_t)from), (ssize_t)frame.n);
        assert_int_equal(pwrite(fd, copy, cut, (off_t)from), (ssize_t)cut);
        close(fd);
        struct bz_diag d;
        assert_int_equal(bz_journal_scan(dir, NULL, NULL, &scan, &d), BZ_OK);
        bool whole = cut == frame.n || scan.next == 2; /* the last bytes are zeros anyway */
        assert_true(whole ? cut + 8 > frame.n : scan.next == 1);
        assert_true(scan.torn <= frame.n);
        if (cut >= 16 && !whole) /* enough of its head is there */
            assert_true(scan.torn > 0);
    }
}

/* Damage in front of a record of a later batch: what is damaged had been confirmed, so the writer
 * refuses to go on. */
static void damaged_journal(void **state) {
    faults = (struct faults){.left = -1};
    assert_int_equal(wake_up(), BZ_OK);
    uint64_t ends[4];
    for (uint64_t n = 0; n < 4; n++) {
        put(0, n);
        bz_writer_gather(w);
        assert_int_equal(bz_writer_commit(w), BZ_OK);
        ends[n] = w->seg.off;
    }
    char name[BZ_SEGMENT_NAME];
    segment_size(w->seg.last, name);
    die();
    struct bz_diag d = {0};
    for (uint64_t at = BZ_JOURNAL_HEAD; at < ends[3]; at++) {
        poke(name, (off_t)at, 0x40);
        enum bz_status st = bz_journal_scan(dir, NULL, NULL, &scan, &d);
        if (at < ends[2]) {
            assert_int_equal(st, BZ_ECORRUPT);
            assert_int_equal(d.offset, at < ends[0] ? 0 : at < ends[1] ? 1 : 2);
        } else {
            assert_int_equal(st, BZ_OK); /* the newest batch: like one cut short */
            assert_int_equal(scan.next, 3);
        }
        poke(name, (off_t)at, 0x40);
    }
    for (off_t at = 0; at < 560;
         at += 7) { /* a damaged head does not make the records vanish silently */
        poke(name, at, 1);
        assert_int_equal(bz_journal_scan(dir, NULL, NULL, &scan, &d), BZ_ECORRUPT);
        poke(name, at, 1);
    }
    assert_int_equal(bz_journal_scan(dir, NULL, NULL, &scan, &d), BZ_OK);
    assert_int_equal(scan.next, 4);
}

/* A segment that is missing between two others, and one that is missing below the first. */
static void missing_segment(void **state) {
    faults = (struct faults){.left = -1};
    assert_int_equal(wake_up(), BZ_OK);
    for (uint64_t n = 0; n < 6; n++) {
        put(0, n);
        bz_writer_gather(w);
        assert_int_equal(bz_writer_commit(w), BZ_OK);
        bz_segments_done(&w->seg);
    }
    die();
    struct bz_diag d;
    assert_int_equal(bz_journal_scan(dir, NULL, NULL, &scan, &d), BZ_OK);
    assert_int_equal(scan.next, 6);
    char name[BZ_SEGMENT_NAME];
    bz_segment_name(3, name);
    assert_int_equal(renameat(dir, name, dir, "away"), 0);
    assert_int_equal(bz_journal_scan(dir, NULL, NULL, &scan, &d), BZ_ECORRUPT);
    assert_int_equal(d.offset, 2);
    assert_int_equal(renameat(dir, "away", dir, name), 0);
    bz_segment_name(1, name);
    assert_int_equal(unlinkat(dir, name, 0), 0);
    assert_int_equal(wake_up(), BZ_ECORRUPT); /* begins at 1, the checkpoint at 0 */
    bz_tree_close(&s->tree);
    free(w);
    free(s);
}

/* Tiles that were changed while nobody looked: the writer does not sign on top of them. */
static void tampered_edge(void **state) {
    faults = (struct faults){.left = -1};
    assert_int_equal(wake_up(), BZ_OK);
    for (uint64_t n = 0; n < 300; n++)
        put(0, n);
    bz_writer_gather(w);
    assert_int_equal(bz_writer_commit(w), BZ_OK);
    assert_int_equal(bz_sealer_step(s, w->first, w->seg.last), BZ_OK);
    assert_int_equal(bz_sealer_seal(s), BZ_OK);
    die();
    static const struct {
        const char *path;
        off_t at;
    } rows[] = {
        {"tile/0/001.p/44", 100}, {"tile/1/000.p/1", 5}, {"tile/entries/001.p/44", 50},
        {"checkpoint", 3},        {"checkpoint", 20},    {"checkpoint", 40},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        poke(rows[i].path, rows[i].at, 1);
        struct bz_diag d = {0};
        s = calloc(1, sizeof *s);
        assert_int_not_equal(bz_tree_open(&s->tree, &io, dir, ORIGIN, sec, &d), BZ_OK);
        assert_non_null(d.why);
        bz_tree_close(&s->tree);
        free(s);
        poke(rows[i].path, rows[i].at, 1);
    }
}

/* A worker that goes mad in its lane harms that lane only, and the log says so. */
static void damaged_lane(void **state) {
    faults = (struct faults){.left = -1};
    assert_int_equal(wake_up(), BZ_OK);
    put(0, 0);
    put(1, 1);
    uint64_t head = atomic_load(&bz_ring_lane(ring, 0)->head);
    atomic_store(&bz_ring_lane(ring, 0)->head, head + 4096); /* 4 KiB of nothing */
    bz_writer_gather(w);
    put(0, 2);
    bz_writer_gather(w);
    struct bz_view b = bz_buf_view(&w->batch);
    assert_non_null(memmem(b.p, b.n, "ring_damaged", 12));
    uint8_t junk[40] = {9}; /* whole, but no record */
    uint64_t seq;
    assert_int_equal(bz_ring_put(ring, 1, bz_view(junk, sizeof junk), &seq), BZ_OK);
    bz_writer_gather(w);
    b = bz_buf_view(&w->batch);
    assert_non_null(memmem(b.p, b.n, "record_unreadable", 17));
    atomic_store(&bz_ring_lane(ring, 1)->lost, 5);
    bz_writer_gather(w);
    b = bz_buf_view(&w->batch);
    assert_non_null(memmem(b.p, b.n, "ring was full: 5", 16));
    atomic_fetch_add(&bz_ring_lane(ring, 1)->lost, 2);
    assert_int_equal(bz_writer_commit(w), BZ_OK);
    assert_int_equal(atomic_load(&bz_ring_lane(ring, 1)->lost), 2);
    assert_int_equal(durable(1), seq);
    each_once(3);
    die();
}

/* waiting stays up while more of the lane is under way, and is taken down when all is durable. */
static void waiting_flag(void **state) {
    faults = (struct faults){.left = -1};
    assert_int_equal(mkfifoat(run_dir, "lane-0.fifo", 0600), 0);
    int fifo = openat(run_dir, "lane-0.fifo", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(wake_up(), BZ_OK);
    put(0, 0);
    (void)bz_ring_bell(ring, 0, true);
    assert_true(bz_writer_gather(w));
    put(0, 1);
    assert_int_equal(bz_writer_commit(w), BZ_OK);
    assert_int_equal(durable(0), 1);
    assert_int_equal(atomic_load(&bz_ring_lane(ring, 0)->waiting), 1);
    assert_true(bz_writer_gather(w));
    assert_int_equal(bz_writer_commit(w), BZ_OK);
    assert_int_equal(atomic_load(&bz_ring_lane(ring, 0)->waiting), 0);
    char buf[8];
    assert_int_equal(read(fifo, buf, sizeof buf), 2);
    close(fifo);
    die();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plain_life, begin, end),
        cmocka_unit_test_setup_teardown(whole_bundles, begin, end),
        cmocka_unit_test_setup_teardown(long_life, begin, end),
        cmocka_unit_test_setup_teardown(every_write_fails_once, NULL, end),
        cmocka_unit_test_setup_teardown(sealer_in_between, NULL, end),
        cmocka_unit_test_setup_teardown(dies_with_an_old_head, begin, end),
        cmocka_unit_test_setup_teardown(dies_before_telling, begin, end),
        cmocka_unit_test_setup_teardown(ring_from_before, begin, end),
        cmocka_unit_test_setup_teardown(torn_batch, begin, end),
        cmocka_unit_test_setup_teardown(damaged_journal, begin, end),
        cmocka_unit_test_setup_teardown(missing_segment, begin, end),
        cmocka_unit_test_setup_teardown(tampered_edge, begin, end),
        cmocka_unit_test_setup_teardown(damaged_lane, begin, end),
        cmocka_unit_test_setup_teardown(waiting_flag, begin, end),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
