/* The ring: order, wrap, full, damage, hand-over, wake-ups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <bartizan/audit.h>

static const uint8_t name[16] = "instance of test";
static void *map;
static size_t map_n;

static int fresh(void **state) {
    map_n = bz_ring_file_size(2);
    map = aligned_alloc(4096, map_n);
    memset(map, 0xa5, map_n); /* a disk block that was used before */
    return bz_ring_format(map, map_n, 2, name) == BZ_OK ? 0 : -1;
}

static int gone(void **state) {
    free(map);
    return 0;
}

static size_t content(uint64_t i, uint8_t buf[BZ_RECORD_MAX]) {
    size_t n = 1 + (size_t)(i * 2654435761u >> 7) % BZ_RECORD_MAX;
    for (size_t k = 0; k < n; k++)
        buf[k] = (uint8_t)(i + k);
    return n;
}

static void header(void **state) {
    assert_int_equal(bz_ring_check(map, map_n), BZ_OK);
    assert_int_not_equal(bz_ring_check(map, map_n - 1), BZ_OK);
    assert_int_not_equal(bz_ring_check(map, 10), BZ_OK);
    assert_int_equal(bz_ring_format(map, map_n, 3, name), BZ_EINVAL);
    assert_int_equal(bz_ring_format(map, map_n, 0, name), BZ_EINVAL);
    struct bz_ring_head *h = map;
    assert_memory_equal(h->instance, name, 16);
    uint64_t *words[] = {&h->magic, &h->version, &h->lanes, &h->data_bytes};
    for (size_t i = 0; i < 4; i++) {
        uint64_t was = *words[i];
        for (uint64_t bit = 0; bit < 64; bit++) {
            *words[i] = was ^ (uint64_t)1 << bit;
            assert_int_not_equal(bz_ring_check(map, map_n), BZ_OK);
        }
        *words[i] = was;
    }
    assert_int_equal(bz_ring_check(map, map_n), BZ_OK);
}

static void settle(uint32_t lane, uint64_t pos) {
    atomic_store(&bz_ring_lane(map, lane)->tail, pos);
}

/* Many rounds over the end of the data area, filled to the brim and drained. */
static void order_and_wrap(void **state) {
    static uint8_t in[BZ_RECORD_MAX];
    static uint8_t out[BZ_RECORD_MAX];
    uint64_t put = 0;
    uint64_t got = 0;
    uint64_t pos = 0;
    for (int round = 0; round < 12; round++) {
        for (;;) {
            uint64_t seq = 0;
            enum bz_status st = bz_ring_put(map, 1, bz_view(in, content(put, in)), &seq);
            if (st == BZ_ELIMIT)
                break;
            assert_int_equal(st, BZ_OK);
            assert_int_equal(seq, ++put);
        }
        assert_true(put - got > 200);
        uint64_t seq;
        size_t n;
        enum bz_status st;
        while ((st = bz_ring_next(map, 1, &pos, out, &n, &seq)) == BZ_OK) {
            assert_int_equal(n, content(got, in));
            assert_memory_equal(in, out, n);
            assert_int_equal(seq, ++got);
        }
        assert_int_equal(st, BZ_MORE);
        assert_int_equal(put, got);
        settle(1, pos);
    }
    assert_true(atomic_load(&bz_ring_lane(map, 1)->head) > 8u * BZ_RING_DATA);
    assert_int_equal(atomic_load(&bz_ring_lane(map, 0)->head), 0); /* the neighbour saw nothing */
}

static void misuse(void **state) {
    uint8_t big[BZ_RECORD_MAX + 1] = {0};
    uint64_t seq;
    assert_int_equal(bz_ring_put(map, 0, bz_view(big, 0), &seq), BZ_EINVAL);
    assert_int_equal(bz_ring_put(map, 0, bz_view(big, sizeof big), &seq), BZ_ETOOBIG);
    atomic_store(&bz_ring_lane(map, 0)->tail,
                 1000); /* beyond head: the consumer's words are damaged */
    assert_int_equal(bz_ring_put(map, 0, bz_view(big, 10), &seq), BZ_ECORRUPT);
}

/* Any bit of a record's head that flips is noticed, as are bytes of an earlier round. */
static void damage(void **state) {
    uint8_t buf[BZ_RECORD_MAX];
    uint8_t rec[100] = {1};
    uint64_t seq;
    assert_int_equal(bz_ring_put(map, 0, bz_view(rec, sizeof rec), &seq), BZ_OK);
    uint8_t *data = (uint8_t *)bz_ring_lane(map, 0) + 4096;
    for (int bit = 0; bit < 128; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        uint64_t pos = 0;
        size_t n;
        assert_int_equal(bz_ring_peek(map, 0, &pos, buf, &n), BZ_ECORRUPT);
        assert_int_equal(pos, 0);
        data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    static const uint64_t heads[] = {1, 8, 15, 16, 100, BZ_RING_DATA + 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        atomic_store(&bz_ring_lane(map, 0)->head, heads[i]);
        uint64_t pos = 0;
        size_t n;
        assert_int_equal(bz_ring_peek(map, 0, &pos, buf, &n), BZ_ECORRUPT);
    }
    /* a sound record of the file's former life */
    const uint8_t second[16] = "another instance";
    memset(map, 0, 4096);
    assert_int_equal(bz_ring_format(map, map_n, 2, second), BZ_OK);
    atomic_store(&bz_ring_lane(map, 0)->head, 120);
    uint64_t zero = 0;
    size_t len;
    assert_int_equal(bz_ring_peek(map, 0, &zero, buf, &len), BZ_ECORRUPT);
    /* head was published, the data pages were not written back before the power went */
    atomic_store(&bz_ring_lane(map, 0)->head, 120);
    memset(data, 0, 4096);
    uint64_t pos = 0;
    size_t n;
    assert_int_equal(bz_ring_peek(map, 0, &pos, buf, &n), BZ_ECORRUPT);
}

/* A worker dies after it stored head_seq and before it published: the record is not there, its
 * number is not used again. */
static void dies_between_stores(void **state) {
    uint8_t rec[8] = {1};
    uint8_t buf[BZ_RECORD_MAX];
    uint64_t seq;
    assert_int_equal(bz_ring_put(map, 0, bz_view(rec, 8), &seq), BZ_OK);
    atomic_fetch_add(&bz_ring_lane(map, 0)->head_seq, 1);
    assert_int_equal(bz_ring_put(map, 0, bz_view(rec, 8), &seq), BZ_OK);
    assert_int_equal(seq, 3);
    uint64_t pos = 0;
    size_t n;
    assert_int_equal(bz_ring_next(map, 0, &pos, buf, &n, &seq), BZ_OK);
    assert_int_equal(seq, 1);
    assert_int_equal(bz_ring_next(map, 0, &pos, buf, &n, &seq), BZ_OK);
    assert_int_equal(seq, 3);
}

static void bell(void **state) {
    struct bz_ring_head *h = map;
    struct bz_ring_lane *l = bz_ring_lane(map, 1);
    static const struct {
        uint32_t sleeping;
        bool parked, wake;
    } rows[] = {{0, false, false}, {0, true, false},  {1, false, true},
                {1, true, true},   {2, false, false}, {2, true, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atomic_store(&h->sleeping, rows[i].sleeping);
        atomic_store(&l->waiting, 0);
        uint32_t before = atomic_load(&h->doorbell);
        assert_int_equal(bz_ring_bell(map, 1, rows[i].parked), rows[i].wake);
        assert_int_equal(atomic_load(&h->doorbell) - before, rows[i].wake);
        assert_int_equal(atomic_load(&h->sleeping), rows[i].wake ? 0 : rows[i].sleeping);
        assert_int_equal(atomic_load(&l->waiting), rows[i].parked);
    }
}

/* No more than content() has written: the rest of buf is whatever it was. */
static size_t few(uint64_t i, uint8_t buf[BZ_RECORD_MAX]) {
    return (content(i, buf) - 1) % 300 + 1;
}

/* Two threads, full speed: everything arrives once, in order, whole. */
enum { MANY = 200000 };
static void *producer(void *arg) {
    uint8_t in[BZ_RECORD_MAX];
    for (uint64_t i = 0; i < MANY;) {
        uint64_t seq;
        size_t n = few(i, in);
        if (bz_ring_put(map, 0, bz_view(in, n), &seq) == BZ_OK)
            i++;
        else
            sched_yield();
    }
    return NULL;
}

static void threads(void **state) {
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, producer, NULL), 0);
    static uint8_t in[BZ_RECORD_MAX];
    static uint8_t out[BZ_RECORD_MAX];
    uint64_t pos = 0;
    for (uint64_t i = 0; i < MANY;) {
        size_t n;
        uint64_t seq;
        enum bz_status st = bz_ring_next(map, 0, &pos, out, &n, &seq);
        if (st == BZ_MORE) {
            settle(0, pos);
            sched_yield();
            continue;
        }
        assert_int_equal(st, BZ_OK);
        assert_int_equal(seq, i + 1);
        assert_int_equal(n, few(i, in));
        assert_memory_equal(in, out, n);
        i++;
        if (i % 64 == 0)
            settle(0, pos);
    }
    pthread_join(t, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(header, fresh, gone),
        cmocka_unit_test_setup_teardown(order_and_wrap, fresh, gone),
        cmocka_unit_test_setup_teardown(misuse, fresh, gone),
        cmocka_unit_test_setup_teardown(damage, fresh, gone),
        cmocka_unit_test_setup_teardown(dies_between_stores, fresh, gone),
        cmocka_unit_test_setup_teardown(bell, fresh, gone),
        cmocka_unit_test_setup_teardown(threads, fresh, gone),
    };
    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
