/* Numbers by value. */
#include <bartizan/number.h>

enum { EXP_DIGITS_MAX = 9 };

static bool is_digit(uint8_t b) {
    return b >= '0' && b <= '9';
}

static bool exponent(struct bz_view v, int64_t *ret) {
    bool negative = v.n > 0 && v.p[0] == '-';
    size_t i = v.n > 0 && (v.p[0] == '-' || v.p[0] == '+');
    while (i < v.n && v.p[i] == '0')
        i++;
    if (v.n - i > EXP_DIGITS_MAX)
        return false;
    int64_t n = 0;
    for (; i < v.n; i++)
        n = n * 10 + (v.p[i] - '0');
    *ret = negative ? -n : n;
    return true;
}

bool bz_number_of(struct bz_view v, struct bz_number *ret) {
    int64_t before = 0, exp = 0;
    size_t i = 0;
    bool point = false;
    *ret = (struct bz_number){.negative = v.n > 0 && v.p[0] == '-'};
    i += ret->negative;
    for (; i < v.n && (is_digit(v.p[i]) || v.p[i] == '.'); i++) {
        if (v.p[i] == '.') {
            point = true;
            continue;
        }
        bool leads = v.p[i] == '0' && ret->n == 0;
        if (!leads && ret->n == sizeof ret->digits)
            return false;
        if (!leads)
            ret->digits[ret->n++] = (char)v.p[i];
        before += !leads && !point;
        before -= leads && point;
    }
    if (i < v.n && !exponent(bz_view_sub(v, i + 1, v.n), &exp))
        return false;
    while (ret->n > 0 && ret->digits[ret->n - 1] == '0')
        ret->n--;
    ret->exp = ret->n == 0 ? 0 : before + exp;
    ret->negative = ret->negative && ret->n > 0;
    return true;
}

static int compare_size(const struct bz_number *a, const struct bz_number *b) {
    if (a->n == 0 || b->n == 0)
        return (a->n != 0) - (b->n != 0);
    if (a->exp != b->exp)
        return a->exp < b->exp ? -1 : 1;
    int c = memcmp(a->digits, b->digits, a->n < b->n ? a->n : b->n);
    if (c != 0)
        return c < 0 ? -1 : 1;
    return (a->n > b->n) - (a->n < b->n);
}

int bz_number_compare(const struct bz_number *a, const struct bz_number *b) {
    if (a->negative != b->negative)
        return a->negative ? -1 : 1;
    return a->negative ? compare_size(b, a) : compare_size(a, b);
}

bool bz_number_whole(const struct bz_number *n) {
    return n->n == 0 || n->exp >= n->n;
}

void bz_number_write(const struct bz_number *n, struct bz_buf *out) {
    if (n->n == 0) {
        bz_buf_putc(out, '0');
        return;
    }
    if (n->negative)
        bz_buf_putc(out, '-');
    bz_buf_put(out, bz_view(n->digits, n->n));
    bz_buf_putc(out, 'e');
    bz_buf_put_i64(out, n->exp - n->n);
}
