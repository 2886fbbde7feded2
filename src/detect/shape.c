/* A reader of the common part of regular expressions: literals, classes, escapes, groups, bounds.
 * What it does not know makes the shape as wide as can be. */
#include "shape.h"

static void add(struct byte_set *s, unsigned c) {
    s->w[c >> 6] |= UINT64_C(1) << (c & 63);
}

static bool has(const struct byte_set *s, unsigned c) {
    return (s->w[c >> 6] >> (c & 63) & 1) != 0;
}

static void add_range(struct byte_set *s, unsigned from, unsigned to) {
    for (unsigned c = from; c <= to && c < 256; c++)
        add(s, c);
}

static void add_all(struct byte_set *s, const struct byte_set *more) {
    for (size_t i = 0; i < 4; i++)
        s->w[i] |= more->w[i];
}

static void add_other_case(struct byte_set *s) {
    for (unsigned c = 'a'; c <= 'z'; c++) {
        if (has(s, c))
            add(s, c - 32);
        else if (has(s, c - 32))
            add(s, c);
    }
    if (has(s, 'k') || has(s, 's')) /* the Kelvin sign and the long s fold to these */
        add_range(s, 0x80, 255);
}

struct reader {
    struct bz_view v;
    size_t i;
    bool lost; /* something that is not known here */
};

static int peek(const struct reader *r) {
    return r->i < r->v.n ? r->v.p[r->i] : -1;
}

/* The set of \d and the like; false: none of them. */
static bool named(int c, struct byte_set *ret) {
    struct byte_set s = {{0}};
    if (c == 'd' || c == 'w' || c == 'D' || c == 'W')
        add_range(&s, '0', '9');
    if (c == 'w' || c == 'W') {
        add_range(&s, 'A', 'Z');
        add_range(&s, 'a', 'z');
        add(&s, '_');
    }
    if (c == 's' || c == 'S' || c == 'h')
        add(&s, ' '), add_range(&s, 9, 13);
    if (c == 'D' || c == 'W' || c == 'S') {
        for (size_t i = 0; i < 4; i++)
            s.w[i] = ~s.w[i];
    } else if (c != 'd' && c != 'w' && c != 's' && c != 'h') {
        return false;
    }
    add_all(ret, &s);
    return true;
}

/* An escape behind its backslash, in or out of a class: adds what it stands for. Returns its byte,
 * or -1 where it is more than one. */
static int escape(struct reader *r, struct byte_set *set) {
    static const char controls[] = "n\nr\rt\tf\f";
    int c = peek(r);
    r->i++;
    if (named(c, set))
        return -1;
    for (size_t k = 0; k + 1 < sizeof controls; k += 2) {
        if (c == controls[k])
            c = controls[k + 1] | 0x100;
    }
    c = (c & 0x100) != 0 ? c & 0xff : c;
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (c < 0 || letter)
        r->lost = true;
    else
        add(set, (unsigned)c);
    return c;
}

/* A byte of a class; code points beyond ASCII: all their bytes may occur. */
static int class_byte(struct reader *r, struct byte_set *set) {
    int c = peek(r);
    r->i++;
    if (c == '\\')
        return escape(r, set);
    if (c == '[' && (peek(r) == ':' || peek(r) == '.' || peek(r) == '='))
        r->lost = true;
    if (c >= 0x80)
        add_range(set, 0x80, 255);
    else
        add(set, (unsigned)c);
    return c;
}

/* "[...]" behind its bracket. */
static void class(struct reader *r, struct byte_set *ret) {
    struct byte_set set = {{0}};
    bool other = peek(r) == '^';
    r->i += other;
    for (bool first = true; r->lost == false; first = false) {
        if (r->i >= r->v.n) {
            r->lost = true;
            return;
        }
        if (peek(r) == ']' && !first)
            break;
        int from = class_byte(r, &set);
        if (peek(r) != '-' || r->i + 1 >= r->v.n || r->v.p[r->i + 1] == ']')
            continue;
        r->i++;
        int to = class_byte(r, &set);
        if (from < 0 || to < 0 || from > to)
            r->lost = true;
        else
            add_range(&set, (unsigned)from, to >= 0x80 ? 255 : (unsigned)to);
    }
    r->i++;
    for (size_t i = 0; other && i < 4; i++)
        set.w[i] = ~set.w[i];
    if (other)
        add_range(&set, 0x80, 255);
    add_all(ret, &set);
}

/* One element; true: it is exactly one byte of *ret. Groups are walked through. */
static bool atom(struct reader *r, struct byte_set *ret) {
    int c = peek(r);
    r->i++;
    if (c == '[') {
        class(r, ret);
        return !has(ret, 0x80);
    }
    if (c == '.') {
        add_range(ret, 0, 255);
        return false; /* a code point may be several bytes */
    }
    if (c == '(') {
        if (peek(r) == '?' && (r->i + 1 >= r->v.n || r->v.p[r->i + 1] != ':'))
            r->lost = true; /* flags, looking around and names */
        r->i += peek(r) == '?' ? 2 : 0;
        return false;
    }
    if (c == ')' || c == '|' || c == '^' || c == '$')
        return false;
    if (c == '\\' && (peek(r) == 'b' || peek(r) == 'B')) {
        r->i++;
        return false;
    }
    if (c == '\\') {
        escape(r, ret);
        return !has(ret, 0x80);
    }
    if (c >= 0x80)
        add_range(ret, 0x80, 255);
    else
        add(ret, (unsigned)c);
    return c < 0x80;
}

enum count { MAYBE, ONCE, MANY }; /* times that an element stands there: from 0, one, from 1 */

static enum count count(struct reader *r) {
    int c = peek(r);
    if (c != '?' && c != '*' && c != '+' && c != '{')
        return ONCE;
    r->i++;
    bool least = c == '+' || (c == '{' && peek(r) >= '1' && peek(r) <= '9');
    while (c == '{' && peek(r) >= 0 && peek(r) != '}')
        r->i++;
    r->i += c == '{';
    if (peek(r) == '?' || peek(r) == '+')
        r->i++;
    return least ? MANY : MAYBE;
}

static bool empty(const struct byte_set *s) {
    return (s->w[0] | s->w[1] | s->w[2] | s->w[3]) == 0;
}

static bool has_bar(struct bz_view v) {
    return v.n != 0 && memchr(v.p, '|', v.n) != NULL;
}

void shape_of(struct bz_view pattern, bool nocase, struct shape *ret) {
    struct reader r = {.v = pattern};
    struct shape s = {0};
    bool leading = !has_bar(pattern); /* alternatives begin in several ways */
    while (r.i < pattern.n && !r.lost) {
        struct byte_set set = {{0}};
        int c = peek(&r);
        bool one = atom(&r, &set);
        enum count times = c == '(' ? ONCE : count(&r);
        if (nocase)
            add_other_case(&set);
        add_all(&s.any, &set);
        bool nothing = empty(&set) && c != '(' && c != ')'; /* an edge */
        leading = leading && ((one && times != MAYBE) || nothing) && !(nocase && has(&set, 0x80));
        if (leading && !nothing && s.lead_n < SHAPE_LEAD)
            s.lead[s.lead_n++] = set;
        leading = leading && times == ONCE;
    }
    if (r.lost) {
        s.lead_n = 0;
        add_range(&s.any, 0, 255);
    }
    *ret = s;
}

bool shape_fits(const struct shape *s, const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (!has(i < s->lead_n ? &s->lead[i] : &s->any, p[i]))
            return false;
    }
    return true;
}
