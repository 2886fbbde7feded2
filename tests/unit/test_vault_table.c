/* The vault: placeholders, surrogates, and who gets a value back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <bartizan/vault.h>

enum { ENTRIES = 64, NOW = 1000, LATER = 2000 };

struct fixture {
    void *map;
    struct bz_vault *v;
    struct bz_vault_scope scope;
};

static void scope_of(const char *owner, const char *key, const char *conversation,
                     struct bz_vault_scope *ret) {
    static const uint8_t vault_key[BZ_KEY_LEN] = {7};
    bz_vault_scope(vault_key, bz_view_str(owner), bz_view_str(key), bz_view_str(conversation), ret);
}

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_int_equal(bz_crypto_init(), BZ_OK);
    f->map = aligned_alloc(64, bz_vault_size(ENTRIES));
    assert_int_equal(bz_vault_format(f->map, bz_vault_size(ENTRIES), ENTRIES), BZ_OK);
    assert_int_equal(bz_vault_open(f->map, bz_vault_size(ENTRIES), &f->v), BZ_OK);
    scope_of("alice", "k1", "", &f->scope);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    free(f->map);
    free(f);
    return 0;
}

static enum bz_status put(struct fixture *f, const struct bz_vault_scope *s,
                          const char *placeholder, const char *value) {
    return bz_vault_put(f->v, s, bz_view_str(placeholder), bz_view_str(value), LATER, NOW);
}

/* The value as text; "" when it is not found. */
static const char *get(struct fixture *f, const struct bz_vault_scope *s, const char *placeholder,
                       uint64_t now) {
    static char mem[BZ_VAULT_VALUE_MAX + 1];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem - 1);
    enum bz_status st = bz_vault_get(f->v, s, bz_view_str(placeholder), now, &b);
    assert_true(st == BZ_OK || (st == BZ_ENOTFOUND && b.n == 0));
    mem[b.n] = '\0';
    return mem;
}

static const char *placeholder(const struct bz_vault_scope *s, const char *type,
                               const char *value) {
    static char mem[4][BZ_PLACEHOLDER_MAX + 1];
    static unsigned turn;
    char *p = mem[turn++ % 4];
    struct bz_buf b;
    bz_buf_init_fixed(&b, p, BZ_PLACEHOLDER_MAX);
    bz_placeholder(s, bz_view_str(type), bz_view_str(value), &b);
    assert_int_equal(bz_buf_status(&b), BZ_OK);
    p[b.n] = '\0';
    return p;
}

static void gives_back_to_its_scope_only(void **state) {
    struct fixture *f = *state;
    struct bz_vault_scope others[4];
    scope_of("bob", "k1", "", &others[0]);
    scope_of("alice", "k2", "", &others[1]);
    scope_of("alice", "k1", "c1", &others[2]);
    scope_of("alice", "k1", "k1",
             &others[3]); /* a conversation named as the key is another scope */
    assert_int_equal(put(f, &f->scope, "<A_1>", "value"), BZ_OK);
    assert_string_equal(get(f, &f->scope, "<A_1>", NOW), "value");
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(get(f, &others[i], "<A_1>", NOW), "");
    assert_string_equal(get(f, &f->scope, "<A_2>", NOW), "");
}

static void a_conversation_spans_the_keys_of_its_owner(void **state) {
    struct fixture *f = *state;
    struct bz_vault_scope a, b;
    scope_of("alice", "k1", "c", &a);
    scope_of("alice", "k2", "c", &b);
    assert_int_equal(put(f, &a, "<A_1>", "value"), BZ_OK);
    assert_string_equal(get(f, &b, "<A_1>", NOW), "value");
}

static void expires(void **state) {
    struct fixture *f = *state;
    assert_int_equal(put(f, &f->scope, "<A_1>", "value"), BZ_OK);
    assert_string_equal(get(f, &f->scope, "<A_1>", LATER - 1), "value");
    assert_string_equal(get(f, &f->scope, "<A_1>", LATER), "");
    assert_int_equal(bz_vault_sweep(f->v, LATER - 1), 0);
    assert_int_equal(bz_vault_sweep(f->v, LATER), 1);
    assert_string_equal(get(f, &f->scope, "<A_1>", NOW), ""); /* wiped, not only hidden */
}

static void one_placeholder_never_means_two_values(void **state) {
    struct fixture *f = *state;
    assert_int_equal(put(f, &f->scope, "<A_1>", "one"), BZ_OK);
    assert_int_equal(put(f, &f->scope, "<A_1>", "two"), BZ_EEXISTS);
    assert_int_equal(put(f, &f->scope, "<A_1>", "one"), BZ_OK);
    assert_string_equal(get(f, &f->scope, "<A_1>", NOW), "one");
    assert_int_equal(bz_vault_put(f->v, &f->scope, BZ_V("<A_1>"), BZ_V("two"), LATER + 9, LATER),
                     BZ_OK); /* the first has expired */
    assert_string_equal(get(f, &f->scope, "<A_1>", LATER), "two");
}

static void a_full_table_forgets_what_expires_first(void **state) {
    struct fixture *f = *state;
    char name[16], kept[16] = "<LAST_0>";
    size_t found = 0;
    assert_int_equal(bz_vault_put(f->v, &f->scope, BZ_V("<LAST_0>"), BZ_V("v"), 9 * LATER, NOW),
                     BZ_OK);
    for (int i = 0; i < 10 * ENTRIES; i++) {
        snprintf(name, sizeof name, "<A_%d>", i);
        assert_int_equal(put(f, &f->scope, name, "value"), BZ_OK);
    }
    for (int i = 0; i < 10 * ENTRIES; i++) {
        snprintf(name, sizeof name, "<A_%d>", i);
        found += get(f, &f->scope, name, NOW)[0] != '\0';
    }
    assert_string_equal(get(f, &f->scope, kept, NOW), "v");
    assert_true(found > ENTRIES * 9 / 10 && found < ENTRIES);
}

/* Written anew only now and then: while an entry is written nobody can read it. */
static void a_good_entry_is_left_alone(void **state) {
    struct fixture *f = *state;
    size_t n = bz_vault_size(ENTRIES);
    uint8_t *before = malloc(n);
    static const struct {
        uint64_t expires, now;
        bool written;
    } again[] = {{LATER, NOW, false},
                 {LATER + 100, NOW + 100, false},
                 {LATER - 100, NOW, false}, /* the clock of another worker, a shorter time */
                 {LATER + 150, NOW + 150, true},
                 {LATER + 151, NOW + 151, false},
                 {NOW + 500, NOW, true}};
    assert_non_null(before);
    assert_int_equal(put(f, &f->scope, "<A_1>", "value"), BZ_OK);
    for (size_t i = 0; i < sizeof again / sizeof again[0]; i++) {
        memcpy(before, f->map, n);
        assert_int_equal(bz_vault_put(f->v, &f->scope, BZ_V("<A_1>"), BZ_V("value"),
                                      again[i].expires, again[i].now),
                         BZ_OK);
        assert_int_equal(memcmp(before, f->map, n) != 0, again[i].written);
        assert_string_equal(get(f, &f->scope, "<A_1>", again[i].now), "value");
    }
    free(before);
}

/* What two writers tore, or somebody damaged, is made good by the next who says the value. */
static void a_torn_entry_is_written_anew(void **state) {
    struct fixture *f = *state;
    uint8_t *map = f->map;
    assert_int_equal(put(f, &f->scope, "<A_1>", "value"), BZ_OK);
    for (size_t i = 512 + 40; i < bz_vault_size(ENTRIES); i += 512)
        map[i] ^= 1;
    assert_string_equal(get(f, &f->scope, "<A_1>", NOW), "");
    assert_int_equal(put(f, &f->scope, "<A_1>", "value"), BZ_OK);
    assert_string_equal(get(f, &f->scope, "<A_1>", NOW), "value");
}

static void holds_values_up_to_its_limit(void **state) {
    struct fixture *f = *state;
    static uint8_t text[BZ_VAULT_VALUE_MAX + 1];
    memset(text, 'x', sizeof text);
    struct bz_view most = bz_view(text, BZ_VAULT_VALUE_MAX), over = bz_view(text, sizeof text);
    assert_int_equal(bz_vault_put(f->v, &f->scope, BZ_V("<A_1>"), over, LATER, NOW), BZ_ETOOBIG);
    assert_int_equal(bz_vault_put(f->v, &f->scope, BZ_V("<A_1>"), most, LATER, NOW), BZ_OK);
    assert_int_equal(strlen(get(f, &f->scope, "<A_1>", NOW)), BZ_VAULT_VALUE_MAX);
    assert_int_equal(put(f, &f->scope, "<A_2>", ""), BZ_OK);
}

/* Every single bit of an entry that is turned: the value is gone, never another. */
static void damage_does_not_open(void **state) {
    struct fixture *f = *state;
    uint8_t *map = f->map;
    size_t n = bz_vault_size(ENTRIES), hits = 0;
    assert_int_equal(put(f, &f->scope, "<A_1>", "value"), BZ_OK);
    for (size_t i = 512; i < n; i++) {
        if (map[i] == 0)
            continue;
        map[i] ^= 0x40;
        const char *got = get(f, &f->scope, "<A_1>", NOW);
        assert_true(got[0] == '\0' || strcmp(got, "value") == 0);
        hits += got[0] == '\0';
        map[i] ^= 0x40;
    }
    assert_true(hits > 50);
    assert_string_equal(get(f, &f->scope, "<A_1>", NOW), "value");
}

static void values_never_stand_in_the_table(void **state) {
    struct fixture *f = *state;
    static const char canary[] = "canary-4242424242";
    assert_int_equal(put(f, &f->scope, "<A_1>", canary), BZ_OK);
    assert_null(memmem(f->map, bz_vault_size(ENTRIES), canary, strlen(canary)));
    assert_null(memmem(f->map, bz_vault_size(ENTRIES), "<A_1>", 5));
    assert_null(memmem(f->map, bz_vault_size(ENTRIES), "alice", 5));
}

static void refuses_a_table_that_is_none(void **state) {
    struct fixture *f = *state;
    struct bz_vault *v;
    size_t n = bz_vault_size(ENTRIES);
    assert_int_equal(bz_vault_format(f->map, n, 0), BZ_EINVAL);
    assert_int_equal(bz_vault_format(f->map, n, 63), BZ_EINVAL);
    assert_int_equal(bz_vault_format(f->map, n, 2 * ENTRIES), BZ_EINVAL);
    assert_int_equal(bz_vault_open(f->map, n - 1, &v), BZ_ECORRUPT);
    assert_int_equal(bz_vault_open(f->map, 8, &v), BZ_ECORRUPT);
    ((uint64_t *)f->map)[1]++;
    assert_int_equal(bz_vault_open(f->map, n, &v), BZ_EVERSION);
    ((uint64_t *)f->map)[0]++;
    assert_int_equal(bz_vault_open(f->map, n, &v), BZ_ECORRUPT);
    assert_null(v);
}

static void placeholders_are_stable_and_of_one_form(void **state) {
    struct fixture *f = *state;
    struct bz_vault_scope bob;
    scope_of("bob", "k1", "", &bob);
    const char *p = placeholder(&f->scope, "EMAIL_ADDRESS", "a@b.example");
    assert_int_equal(strlen(p), strlen("<EMAIL_ADDRESS_12345678>"));
    assert_memory_equal(p, "<EMAIL_ADDRESS_", 15);
    assert_int_equal(p[strlen(p) - 1], '>');
    assert_string_equal(p, placeholder(&f->scope, "EMAIL_ADDRESS", "a@b.example"));
    assert_string_not_equal(p, placeholder(&f->scope, "EMAIL_ADDRESS", "c@b.example"));
    assert_string_not_equal(p, placeholder(&bob, "EMAIL_ADDRESS", "a@b.example"));
    assert_memory_equal(placeholder(&f->scope, "github-pat", "x"), "<GITHUB_PAT_", 12);
    const char *longest =
        placeholder(&f->scope, "a-type-name-of-more-than-forty-characters-in-all", "x");
    assert_int_equal(strlen(longest), 40 + 11);
}

static void surrogates_keep_the_form(void **state) {
    static const char *const values[] = {"4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00",
                                         "john.doe@example.org", "123-45-6789"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char mem[64];
        struct bz_buf b;
        size_t n = strlen(values[i]);
        bz_buf_init_fixed(&b, mem, sizeof mem);
        assert_true(bz_surrogate(&f->scope, bz_view_str(values[i]), 0, &b));
        assert_int_equal(b.n, n);
        assert_memory_not_equal(mem, values[i], n);
        for (size_t k = 0; k < n; k++) {
            char from = values[i][k], to = mem[k];
            bool digit = from >= '0' && from <= '9', lower = from >= 'a' && from <= 'z';
            bool upper = from >= 'A' && from <= 'Z';
            assert_true(digit   ? to >= '0' && to <= '9'
                        : lower ? to >= 'a' && to <= 'z'
                        : upper ? to >= 'A' && to <= 'Z'
                                : to == from);
        }
    }
}

static unsigned luhn_sum(const char *p, size_t n) {
    unsigned sum = 0, place = 0;
    for (size_t i = n; i-- > 0;) {
        if (p[i] < '0' || p[i] > '9')
            continue;
        unsigned d = (unsigned)(p[i] - '0') << (place++ & 1);
        sum += d / 10 + d % 10;
    }
    return sum % 10;
}

static void surrogates_keep_luhn(void **state) {
    struct fixture *f = *state;
    char value[20], mem[20];
    size_t kept = 0;
    for (unsigned i = 0; i < 500; i++) {
        struct bz_buf b;
        snprintf(value, sizeof value, "4111-11%02u-%04u-1111", i % 100, i * 7);
        bz_buf_init_fixed(&b, mem, sizeof mem);
        assert_true(bz_surrogate(&f->scope, bz_view(value, 19), i, &b));
        if (luhn_sum(value, 19) != 0)
            continue;
        kept++;
        assert_int_equal(luhn_sum(mem, 19), 0);
    }
    assert_true(kept > 20);
}

static void later_attempts_keep_letters(void **state) {
    struct fixture *f = *state;
    char mem[2][32];
    struct bz_buf a, b;
    bz_buf_init_fixed(&a, mem[0], 32);
    bz_buf_init_fixed(&b, mem[1], 32);
    assert_true(bz_surrogate(&f->scope, BZ_V("CASE-12345678"), BZ_SURROGATE_LETTERS, &a));
    assert_true(bz_surrogate(&f->scope, BZ_V("CASE-12345678"), BZ_SURROGATE_LETTERS + 1, &b));
    assert_memory_equal(mem[0], "CASE-", 5);
    assert_memory_equal(mem[1], "CASE-", 5);
    assert_memory_not_equal(mem[0], mem[1], 13);
}

static void short_values_have_no_surrogate(void **state) {
    struct fixture *f = *state;
    char mem[16];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    assert_false(bz_surrogate(&f->scope, BZ_V("1234-5678"), 0, &b)); /* 8 places */
    assert_int_equal(b.n, 0);
    assert_true(bz_surrogate(&f->scope, BZ_V("1234-56789"), 0, &b));
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(gives_back_to_its_scope_only),
        T(a_conversation_spans_the_keys_of_its_owner),
        T(expires),
        T(one_placeholder_never_means_two_values),
        T(a_full_table_forgets_what_expires_first),
        T(a_good_entry_is_left_alone),
        T(a_torn_entry_is_written_anew),
        T(holds_values_up_to_its_limit),
        T(damage_does_not_open),
        T(values_never_stand_in_the_table),
        T(refuses_a_table_that_is_none),
        T(placeholders_are_stable_and_of_one_form),
        T(surrogates_keep_the_form),
        T(surrogates_keep_luhn),
        T(later_attempts_keep_letters),
        T(short_values_have_no_surrogate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
