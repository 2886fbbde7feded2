/* From a written form to its windows. */
#include "leak_int.h"

static void direct(const struct leak_string *s, bool back, bool mirror, uint8_t *out) {
    for (size_t i = 0; i < s->n; i++) {
        uint8_t c = s->sym[back ? s->n - 1 - i : i];
        out[i] = mirror && c < SYM_DIGIT ? (uint8_t)(25 - c) : c;
    }
}

/* The difference of the first letter is not known: no window with it. Returns its place. */
static size_t differ(const uint8_t *sym, size_t n, uint8_t *out) {
    size_t first = n;
    uint8_t prev = 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = leak_diff(prev, sym[i]);
        if (sym[i] >= SYM_DIGIT)
            continue;
        prev = sym[i];
        if (first == n)
            first = i;
    }
    return first;
}

bool leak_windows(const struct leak_windows *w, const struct leak_string *s) {
    uint8_t *sym = w->mem, *diffs = w->mem + s->n;
    if (s->n < w->len)
        return true;
    for (unsigned way = 0; way < 4; way++) {
        bool back = (way & 1) != 0, mirror = (way & 2) != 0;
        if ((back && s->forth_only) || (mirror && !s->mirrored))
            continue;
        direct(s, back, mirror, sym);
        size_t first = differ(sym, s->n, diffs);
        for (size_t end = w->len; end <= s->n; end++) {
            if ((end - w->len) % s->step != 0 && end != s->n)
                continue;
            if (first < end && first >= end - w->len)
                continue;
            if (!w->take(w->ctx, s, sym, end, diffs + end - w->len))
                return false;
        }
    }
    return true;
}
