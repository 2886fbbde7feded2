/* Caps of the pickle machine: below each nothing is said, above it something is, and a payload behind
 * it is found all the same. */
#include "pickle_build.h"

#include <stdlib.h>

static const char payload[] = "\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85R.";

static void finish(struct bz_buf *b, bool harm) {
    if (harm)
        bz_buf_put(b, bz_view(payload, sizeof payload - 1));
    else
        bz_buf_puts(b, "N.");
    assert_int_equal(bz_buf_status(b), BZ_OK);
}

/* `n` of something, then a payload or nothing. */
typedef void (*maker)(struct bz_buf *b, uint32_t n);

static void names(struct bz_buf *b, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        bz_buf_printf(b, "cmath\nf%u\n0", i);
    }
}

static void check(const char *what, maker make, uint32_t n, bool over) {
    for (int harm = 0; harm < 2; harm++) {
        struct bz_buf b;
        bz_buf_init(&b, 256u << 20);
        bz_buf_puts(&b, "\x80\x04");
        make(&b, n);
        finish(&b, harm != 0);
        if (harm)
            pk_has(bz_buf_view(&b), make == names && over ? "PKL-IMPORT" : "PKL-CALL-CODE", what);
        if (over)
            pk_has_verdict(bz_buf_view(&b), "PKL-LIMIT",
                           harm ? BZ_SCAN_FINDINGS : BZ_SCAN_UNCHECKED, what);
        else if (!harm)
            pk_has_verdict(bz_buf_view(&b), NULL, BZ_SCAN_CLEAN, what);
        bz_buf_free(&b);
    }
}

static void values(struct bz_buf *b, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        bz_buf_putc(b, 'N');
}

/* Batches of two values that never end. */
static void batches(struct bz_buf *b, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        bz_buf_puts(b, "(NN");
}

/* A long batch whose values are taken off one by one. */
static void popped(struct bz_buf *b, uint32_t n) {
    values(b, n);
    for (uint32_t i = 0; i < n; i++)
        bz_buf_putc(b, '0');
}

static void many_values(void **state) {
    (void)state;
    check("values", values, 5000000, false); /* one long batch is folded */
    check("batches", batches, 1000000, false);
    check("batches", batches, 1100000, true);
    check("values that are popped", popped, 2000000, false);
    check("values that are popped", popped, 3000000, true);
}

static void marks(struct bz_buf *b, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        bz_buf_putc(b, '(');
}

static void many_marks(void **state) {
    (void)state;
    check("marks", marks, 4000000, false);
    check("marks", marks, 5000000, true);
}

/* Places in the memo that lie far apart. */
static void places(struct bz_buf *b, uint32_t n) {
    bz_buf_putc(b, 'N');
    for (uint32_t i = 0; i < n; i++)
        pk_int4(b, 'r', i * 2654435761u);
}

static void many_places(void **state) {
    (void)state;
    check("places", places, 30000, false);
    check("places", places, 200000, true);
}

static void many_names(void **state) {
    (void)state;
    check("names", names, 30000, false);
    check("names", names, 33000, true);
}

/* More texts than are kept: one that was used as a name stays known, another is said to be lost. */
static void many_texts(void **state) {
    (void)state;
    for (int used = 0; used < 2; used++) {
        struct bz_buf b;
        bz_buf_init(&b, 64u << 20);
        bz_buf_puts(&b, "\x80\x04");
        for (unsigned i = 0; i < 50000; i++) {
            char text[24];
            (void)snprintf(text, sizeof text, "text_%u", i);
            pk_short(&b, text);
            bz_buf_putc(&b, '0');
        }
        pk_short(&b, "posix"); /* late: no room any more */
        bz_buf_puts(&b, "\x94");
        if (used) {
            pk_short(&b, "getpid");
            bz_buf_puts(&b, "\x93");
        }
        bz_buf_putc(&b, '0');
        for (unsigned i = 0; i < 200; i++) {
            char text[24];
            (void)snprintf(text, sizeof text, "later_%u", i);
            pk_short(&b, text);
            bz_buf_putc(&b, '0');
        }
        bz_buf_putc(&b, 'h');
        bz_buf_putc(&b, 0);
        pk_short(&b, "fork");
        bz_buf_puts(&b, "\x93.");
        if (used)
            pk_has(bz_buf_view(&b), "PKL-IMPORT", "a name out of many texts");
        else
            pk_has_verdict(bz_buf_view(&b), "PKL-NAME-LOST", BZ_SCAN_UNCHECKED, "lost");
        bz_buf_free(&b);
    }
}

/* Lists of ten references to the list before: 10^levels elements out of some bytes. */
static struct bz_buf laughs(unsigned levels, bool memo_first) {
    struct bz_buf b;
    bz_buf_init(&b, 1 << 20);
    bz_buf_puts(&b, "\x80\x04]N"
                    "a\x94"
                    "0");
    for (unsigned i = 0; i < levels; i++) {
        bz_buf_puts(&b, memo_first ? "]\x94(" : "](");
        for (unsigned k = 0; k < 10; k++) {
            bz_buf_putc(&b, 'h');
            bz_buf_putc(&b, (uint8_t)i);
        }
        bz_buf_puts(&b, memo_first ? "e0"
                                   : "e\x94"
                                     "0");
    }
    bz_buf_puts(&b, "N.");
    return b;
}

/* What is hidden in a batch that is folded is found all the same. */
static void a_hook_in_a_long_batch(void **state) {
    (void)state;
    struct bz_buf b;
    bz_buf_init(&b, 64u << 20);
    bz_buf_puts(&b, "\x80\x04}(");
    pk_short(&b, "__setstate__");
    bz_buf_puts(&b, "cbuiltins\nprint\n");
    values(&b, 4000000);
    bz_buf_puts(&b, "u.");
    pk_has(bz_buf_view(&b), "PKL-HOOK", "in a long batch");
    bz_buf_free(&b);
    bz_buf_init(&b, 64u << 20); /* a tuple that was folded: not known any more, and not clean */
    bz_buf_puts(&b, "\x80\x04"
                    "cbuiltins\nmap\n(cnumpy\nabc\n");
    values(&b, 4000000);
    bz_buf_puts(&b, "tR.");
    pk_has(bz_buf_view(&b), "PKL-CALL-ARGS", "a long tuple");
    bz_buf_free(&b);
}

static void containers_that_multiply(void **state) {
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct bz_buf few = laughs(4, first != 0), many = laughs(12, first != 0);
        pk_is_clean(bz_buf_view(&few), "ten thousand elements");
        pk_has(bz_buf_view(&many), "PKL-EXPAND", "10^12 elements");
        bz_buf_free(&few);
        bz_buf_free(&many);
    }
    struct bz_buf b; /* a tuple of twice the tuple before, 40 times */
    bz_buf_init(&b, 1 << 16);
    bz_buf_puts(&b, "\x80\x04N");
    for (unsigned i = 0; i < 40; i++)
        bz_buf_puts(&b, "2\x86");
    bz_buf_puts(&b, ".");
    pk_has(bz_buf_view(&b), "PKL-EXPAND", "2^40 elements");
    bz_buf_free(&b);
}

/* Ten thousand small pickles in a row, each with a place of its own in the memo. */
static void many_pickles(void **state) {
    (void)state;
    struct bz_buf b;
    bz_buf_init(&b, 8u << 20);
    for (unsigned i = 0; i < 10000; i++)
        bz_buf_put(&b, bz_view("\x80\x04Nr\x00\x01\x00\x00.", 9));
    pk_is_clean(bz_buf_view(&b), "many pickles");
    bz_buf_put(&b, bz_view("\x80\x04", 2));
    bz_buf_put(&b, bz_view(payload, sizeof payload - 1));
    pk_has(bz_buf_view(&b), "PKL-CALL-CODE", "the last of many pickles");
    bz_buf_free(&b);
}

/* Texts, bytes and lines that go over the edge of the window. */
static void over_the_window(void **state) {
    (void)state;
    for (unsigned pad = 262100; pad < 262190; pad += 1) {
        struct bz_buf b;
        bz_buf_init(&b, 2u << 20);
        bz_buf_puts(&b, "\x80\x04");
        for (unsigned i = 0; i < pad; i++)
            bz_buf_putc(&b, i % 2 == 0 ? 'N' : '0');
        bz_buf_puts(&b, "\x80\x04");
        bz_buf_put(&b, bz_view(payload, sizeof payload - 1));
        pk_has(bz_buf_view(&b), "PKL-CALL-CODE", "payload over the edge");
        bz_buf_free(&b);
    }
    struct bz_buf b;
    bz_buf_init(&b, 4u << 20);
    bz_buf_puts(&b, "V");
    for (unsigned i = 0; i < 700000; i++)
        bz_buf_putc(&b, 'x');
    bz_buf_puts(&b, "\n0(lp0\n0cos\nsystem\n(S'x'\ntR.");
    pk_has(bz_buf_view(&b), "PKL-CALL-CODE", "a long line");
    bz_buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_values),
        cmocka_unit_test(many_marks),
        cmocka_unit_test(many_places),
        cmocka_unit_test(many_names),
        cmocka_unit_test(many_texts),
        cmocka_unit_test(a_hook_in_a_long_batch),
        cmocka_unit_test(containers_that_multiply),
        cmocka_unit_test(many_pickles),
        cmocka_unit_test(over_the_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
