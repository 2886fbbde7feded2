#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <bartizan/arena.h>

struct counter {
    int taken, given, fail_at;
    size_t bytes;
};

static void *counted_alloc(void *ctx, size_t n) {
    struct counter *c = ctx;
    if (c->taken++ == c->fail_at)
        return NULL;
    c->bytes += n;
    return malloc(n);
}

static void counted_free(void *ctx, void *p) {
    struct counter *c = ctx;
    c->given++;
    free(p);
}

static void memory_is_aligned_apart_and_all_given_back(void **state) {
    struct counter c = {.fail_at = -1};
    struct bz_arena ar;
    bz_arena_init(&ar, (struct bz_alloc){counted_alloc, counted_free, &c}, 10u << 20, NULL, 0);
    static uint8_t *all[500];
    for (size_t i = 0; i < 500; i++) {
        all[i] = bz_arena_alloc(&ar, i * 3);
        assert_non_null(all[i]);
        assert_int_equal((uintptr_t)all[i] % 16, 0);
        memset(all[i], (int)(i & 0xff), i * 3);
    }
    for (size_t i = 0; i < 500; i++) {
        for (size_t k = 0; k < i * 3; k++)
            assert_int_equal(all[i][k], i & 0xff);
    }
    assert_true(c.bytes == ar.used && ar.used <= ar.max);
    assert_true(c.taken < 20); /* blocks double */
    bz_arena_free(&ar);
    assert_int_equal(c.taken, c.given);
    assert_int_equal(ar.used, 0);
    assert_non_null(bz_arena_alloc(&ar, 10)); /* usable again */
    bz_arena_free(&ar);
    bz_arena_free(NULL);
}

static void the_cap_holds_for_every_size(void **state) {
    static const size_t caps[] = {0, 1, 16, 31, 32, 100, 4096, 100000};
    for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++) {
        for (size_t n = 1; n < 5000; n = n * 3 + 1) {
            struct bz_arena ar;
            bz_arena_init(&ar, bz_alloc_heap, caps[i], NULL, 0);
            size_t got = 0;
            while (bz_arena_alloc(&ar, n) != NULL)
                got += n;
            assert_true(got <= caps[i]);
            assert_true(ar.used <= caps[i]);
            bz_arena_free(&ar);
        }
    }
}

/* As malloc does; the address sanitizer would stop the program. */
static void *sane_alloc(void *ctx, size_t n) {
    return n > PTRDIFF_MAX ? NULL : counted_alloc(ctx, n);
}

static void absurd_sizes_fail(void **state) {
    struct counter c = {.fail_at = -1};
    struct bz_arena ar;
    bz_arena_init(&ar, (struct bz_alloc){sane_alloc, counted_free, &c}, SIZE_MAX, NULL, 0);
    for (size_t k = 0; k < 64; k++)
        assert_null(bz_arena_alloc(&ar, SIZE_MAX - k));
    assert_null(bz_arena_dup(&ar, bz_view("", SIZE_MAX)).p);
    assert_null(bz_arena_zalloc(&ar, SIZE_MAX));
    bz_arena_free(&ar);
}

static void caller_memory_comes_first(void **state) {
    struct counter c = {.fail_at = 0};
    uint8_t mem[256];
    for (size_t skew = 0; skew < 16; skew++) {
        struct bz_arena ar;
        bz_arena_init(&ar, (struct bz_alloc){counted_alloc, counted_free, &c}, 1000, mem + skew,
                      sizeof mem - skew);
        uint8_t *p = bz_arena_alloc(&ar, 100);
        assert_true(p >= mem && p + 100 <= mem + sizeof mem);
        assert_int_equal((uintptr_t)p % 16, 0);
        c.taken = 0;
        assert_null(bz_arena_alloc(&ar, 200)); /* the allocator says no */
        assert_non_null(bz_arena_alloc(&ar, 16));
        bz_arena_free(&ar);
    }
    uint8_t small[3];
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 0, small, sizeof small);
    assert_null(bz_arena_alloc(&ar, 1));
}

static void copies_end_with_nul(void **state) {
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 1u << 20, NULL, 0);
    struct bz_view v = bz_arena_dup(&ar, bz_view("a\0b", 3));
    assert_int_equal(v.n, 3);
    assert_memory_equal(v.p, "a\0b", 4);
    v = bz_arena_dup(&ar, bz_view(NULL, 0));
    assert_non_null(v.p);
    assert_int_equal(v.n, 0);
    assert_int_equal(v.p[0], 0);
    uint8_t *z = bz_arena_zalloc(&ar, 5000);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(z[i], 0);
    bz_arena_free(&ar);
}

static void owners_may_free_in_bulk(void **state) {
    struct counter c = {.fail_at = -1};
    struct bz_arena ar;
    bz_arena_init(&ar, (struct bz_alloc){counted_alloc, NULL, &c}, 1000, NULL, 0);
    void *p = bz_arena_alloc(&ar, 900);
    assert_non_null(p);
    void *block = ar.head;
    bz_arena_free(&ar);
    free(block);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_apart_and_all_given_back),
        cmocka_unit_test(the_cap_holds_for_every_size),
        cmocka_unit_test(absurd_sizes_fail),
        cmocka_unit_test(caller_memory_comes_first),
        cmocka_unit_test(copies_end_with_nul),
        cmocka_unit_test(owners_may_free_in_bulk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
