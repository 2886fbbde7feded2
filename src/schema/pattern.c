/* Regular expressions of schemas. All ways through a pattern are followed at once, one character at a
 * time, so no text makes it slow.
 *
 *   alternatives: a|b   groups: (a), (?:a)   repeats: ? * + {n} {n,} {n,m}
 *   . (no line end)   [a-z_] [^...]   \d \w \s \D \W \S   \. and other signs   \n \t \r \xHH \uHHHH
 *
 * In the configuration a pattern is about the whole value and has to say so (^...$): "[a-z]+" alone would let
 * everything through that has one such letter. A published one may stand anywhere in the text, as ECMA-262 has
 * it, and look ahead right behind its ^: (?=a) (?!a). */
#include <bartizan/text.h>

#include "schema_int.h"

enum {
    NODES = BZ_SCHEMA_PATTERN_STEPS,
    RANGES = 512,
    AHEAD_MAX = 4,
    READS_MAX = 4096,
    GROUPS_MAX = 16,
    REPEAT_MAX = 255
};
enum op { OP_SET, OP_SPLIT, OP_JUMP, OP_MATCH };

struct step {
    uint8_t op;
    bool negated;  /* of a set */
    uint16_t a, b; /* targets; of a set: first range, and how many */
};
struct range {
    uint32_t from, to;
};
struct pattern {
    uint16_t n, ranges_n;
    uint16_t first;            /* of the pattern itself */
    bool open_start, open_end; /* something may stand before it, behind it */
    uint8_t ahead_n;           /* of look-ahead */
    struct {
        uint16_t first;
        bool negated;
    } ahead[AHEAD_MAX];
    struct step v[NODES];
    struct range ranges[RANGES];
};
struct states {
    uint16_t n;
    uint16_t v[NODES];
    bool in[NODES];
};
struct reader {
    struct pattern *p;
    struct bz_view text;
    size_t at;
    unsigned reads, depth;
    bool published, alternates; /* alternates: at the top */
    const char *why;
};

static bool fail(struct reader *r, const char *why) {
    if (r->why == NULL)
        r->why = why;
    return false;
}

static bool emit(struct reader *r, enum op op, uint16_t a, uint16_t b) {
    if (r->p->n == NODES)
        return fail(r, "the pattern is too long when its repeats are written out");
    r->p->v[r->p->n++] = (struct step){.op = (uint8_t)op, .a = a, .b = b};
    return true;
}

static bool add_range(struct reader *r, uint32_t from, uint32_t to) {
    if (from > to)
        return fail(r, "a range of characters ends before it begins");
    if (r->p->ranges_n == RANGES)
        return fail(r, "the pattern has too many characters");
    r->p->ranges[r->p->ranges_n++] = (struct range){from, to};
    return true;
}

static bool next_char(struct reader *r, uint32_t *ret) {
    size_t n = bz_utf8_next(bz_view_sub(r->text, r->at, r->text.n), ret);
    r->at += n;
    return n > 0 || fail(r, "the pattern breaks off");
}

static uint8_t peek(const struct reader *r) {
    return r->at < r->text.n ? r->text.p[r->at] : 0;
}

/* \d, \w, \s and what is not in them (ECMA-262, CharacterClassEscape). */
static bool add_class(struct reader *r, uint32_t c) {
    static const struct {
        char letter;
        uint8_t n;
        struct range v[10];
    } classes[] = {
        {'d', 1, {{'0', '9'}}},
        {'w', 4, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
        {'s',
         10,
         {{'\t', '\r'},
          {' ', ' '},
          {0xa0, 0xa0},
          {0x1680, 0x1680},
          {0x2000, 0x200a},
          {0x2028, 0x2029},
          {0x202f, 0x202f},
          {0x205f, 0x205f},
          {0x3000, 0x3000},
          {0xfeff, 0xfeff}}},
    };
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        bool other = c == (uint32_t)(classes[i].letter - 'a' + 'A');
        uint32_t from = 0;
        if (!other && c != (uint32_t)classes[i].letter)
            continue;
        for (size_t k = 0; k < classes[i].n; k++) {
            const struct range *x = &classes[i].v[k];
            if (!other && !add_range(r, x->from, x->to))
                return false;
            if (other && x->from > from && !add_range(r, from, x->from - 1))
                return false;
            from = x->to + 1;
        }
        return !other || add_range(r, from, 0x10ffff);
    }
    return fail(r, "this escape is not known here; a sign is escaped as it is: \\. or \\/");
}

/* The digits of \xHH and \uHHHH. */
static bool hex_digits(struct reader *r, size_t n, uint32_t *ret) {
    uint8_t mem[2];
    size_t got = 0;
    if (bz_hex_decode(bz_view_sub(r->text, r->at, n), mem, sizeof mem, &got) != BZ_OK ||
        2 * got != n)
        return fail(r, "behind \\x stand two hex digits, behind \\u four");
    r->at += n;
    *ret = n == 2 ? mem[0] : (uint32_t)(mem[0] << 8 | mem[1]);
    return (*ret < 0xd800 || *ret > 0xdfff) || fail(r, "half of a character is none");
}

/* Behind a backslash: a class (true in *ret_class, already added) or one character. */
static bool escape(struct reader *r, uint32_t *ret, bool *ret_class) {
    uint32_t c = 0;
    *ret_class = false;
    if (!next_char(r, &c))
        return false;
    if (c == 'x' || c == 'u')
        return hex_digits(r, c == 'x' ? 2 : 4, ret);
    *ret = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
    bool sign = c < 0x80 && c > ' ' && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
                !(c >= 'a' && c <= 'z');
    if (sign || *ret != c)
        return true;
    *ret_class = true;
    return add_class(r, c);
}

static bool set(struct reader *r, uint16_t first, bool negated) {
    uint16_t at = r->p->n;
    if (!emit(r, OP_SET, first, (uint16_t)(r->p->ranges_n - first)))
        return false;
    r->p->v[at].negated = negated;
    return true;
}

static bool bracket(struct reader *r) {
    uint16_t first = r->p->ranges_n;
    bool negated = peek(r) == '^', class_first, class_last;
    r->at += negated;
    if (peek(r) == ']')
        return fail(r, "a set of characters is empty");
    while (peek(r) != ']') {
        uint32_t from = 0, to;
        if (!next_char(r, &from))
            return false;
        class_first = false;
        if (from == '[' && !r->published)
            return fail(r, "write \\[ for the sign [ in a set of characters");
        if (from == '\\' && !escape(r, &from, &class_first))
            return false;
        if (class_first)
            continue;
        to = from;
        if (peek(r) == '-' && r->at + 1 < r->text.n && r->text.p[r->at + 1] != ']') {
            r->at++;
            if (!next_char(r, &to))
                return false;
            class_last = false;
            if (to == '\\' && !escape(r, &to, &class_last))
                return false;
            if (class_last)
                return fail(r, "a range of characters ends with a class");
        }
        if (!add_range(r, from, to))
            return false;
    }
    r->at++;
    return set(r, first, negated);
}

static bool alternatives(struct reader *r);

static bool group(struct reader *r) {
    if (peek(r) == '?') {
        if (!bz_view_starts(bz_view_sub(r->text, r->at, r->text.n), BZ_V("?:")))
            return fail(r, "only plain groups are known: (a|b) or (?:a|b)");
        r->at += 2;
    }
    if (++r->depth > GROUPS_MAX)
        return fail(r, "groups are nested too deeply");
    if (!alternatives(r))
        return false;
    r->depth--;
    if (peek(r) != ')')
        return fail(r, "a group has no end");
    r->at++;
    return true;
}

/* One character, set or group. */
static bool atom(struct reader *r) {
    uint32_t c = 0;
    bool is_class = false;
    uint16_t first = r->p->ranges_n;
    if (++r->reads > READS_MAX)
        return fail(r, "the pattern is too long when its repeats are written out");
    if (!next_char(r, &c))
        return false;
    switch (c) {
    case '(':
        return group(r);
    case '[':
        return bracket(r);
    case '.':
        return add_range(r, '\n', '\n') && add_range(r, '\r', '\r') &&
               add_range(r, 0x2028, 0x2029) && set(r, first, true);
    case '^':
    case '$':
        return fail(
            r, "^ stands at the beginning alone, $ at the end; write \\^ and \\$ for the signs");
    case '*':
    case '+':
    case '?':
    case '{':
    case '}':
    case ']':
        return fail(r, "a sign of repeats or sets stands where nothing repeats; write it with \\");
    case '\\':
        if (!escape(r, &c, &is_class))
            return false;
        break;
    default:
        break;
    }
    return (is_class || add_range(r, c, c)) && set(r, first, false);
}

static bool number(struct reader *r, unsigned *ret) {
    unsigned n = 0, digits = 0;
    for (; peek(r) >= '0' && peek(r) <= '9' && digits < 4; r->at++, digits++)
        n = n * 10 + (unsigned)(peek(r) - '0');
    *ret = n;
    return (digits > 0 && n <= REPEAT_MAX) || fail(r, "a count of repeats is missing or above 255");
}

/* *ret_most: UINT_MAX, without end. */
static bool repeats(struct reader *r, unsigned *ret_least, unsigned *ret_most) {
    uint8_t c = peek(r);
    *ret_least = *ret_most = 1;
    if (c == '?' || c == '*' || c == '+') {
        r->at++;
        *ret_least = c == '+';
        *ret_most = c == '?' ? 1 : UINT32_MAX;
    } else if (c == '{') {
        r->at++;
        if (!number(r, ret_least))
            return false;
        *ret_most = *ret_least;
        if (peek(r) == ',') {
            r->at++;
            *ret_most = UINT32_MAX;
            if (peek(r) != '}' && !number(r, ret_most))
                return false;
        }
        if (peek(r) != '}')
            return fail(r, "a count of repeats has no end");
        r->at++;
        if (*ret_most < *ret_least)
            return fail(r, "a count of repeats ends before it begins");
    } else {
        return true;
    }
    c = peek(r);
    return (c != '?' && c != '*' && c != '+' && c != '{') ||
           fail(r, "a repeat of a repeat is not known; put the inner one into a group");
}

/* The atom again, for one more of its repeats. */
static bool again(struct reader *r, size_t from) {
    size_t at = r->at;
    r->at = from;
    bool ok = atom(r);
    r->at = at;
    return ok;
}

static bool atom_optional(struct reader *r, size_t from, bool loops) {
    uint16_t split = r->p->n;
    if (!emit(r, OP_SPLIT, (uint16_t)(split + 1), 0) || !again(r, from) ||
        (loops && !emit(r, OP_JUMP, split, 0)))
        return false;
    r->p->v[split].b = r->p->n;
    return true;
}

static bool piece(struct reader *r) {
    size_t from = r->at;
    unsigned least = 0, most = 0;
    uint16_t nodes = r->p->n, ranges = r->p->ranges_n;
    if (!atom(r) || !repeats(r, &least, &most))
        return false;
    if (least == 1 && most == 1)
        return true;
    if (least == 0) { /* written out below */
        r->p->n = nodes;
        r->p->ranges_n = ranges;
    }
    for (unsigned i = 1; i < least; i++)
        if (!again(r, from))
            return false;
    if (most == UINT32_MAX)
        return atom_optional(r, from, true);
    for (unsigned i = least; i < most; i++)
        if (!atom_optional(r, from, false))
            return false;
    return true;
}

static bool ends(const struct reader *r) {
    uint8_t c = peek(r);
    return r->at >= r->text.n || c == '|' || c == ')';
}

/* Alternatives are chained: split(this, split(next, ...)); each jumps to the end. The jump's target
 * is patched on the way back, by a list through `a`. */
static bool alternatives(struct reader *r) {
    uint16_t jumps = UINT16_MAX;
    for (;;) {
        uint16_t split = r->p->n;
        if (!emit(r, OP_SPLIT, (uint16_t)(split + 1), (uint16_t)(split + 1)))
            return false;
        while (!ends(r))
            if (!piece(r))
                return false;
        if (peek(r) != '|')
            break;
        r->alternates |= r->depth == 0;
        r->at++;
        uint16_t jump = r->p->n;
        if (!emit(r, OP_JUMP, jumps, 0))
            return false;
        jumps = jump;
        r->p->v[split].b = r->p->n;
    }
    while (jumps != UINT16_MAX) {
        uint16_t next = r->p->v[jumps].a;
        r->p->v[jumps].a = r->p->n;
        jumps = next;
    }
    return true;
}

/* (?=a)(?!b) right behind ^: programs of their own, asked from the beginning of the text. */
static bool look_aheads(struct reader *r) {
    struct pattern *p = r->p;
    while (bz_view_starts(bz_view_sub(r->text, r->at, r->text.n), BZ_V("(?=")) ||
           bz_view_starts(bz_view_sub(r->text, r->at, r->text.n), BZ_V("(?!"))) {
        if (p->ahead_n == AHEAD_MAX)
            return fail(r, "the pattern looks ahead more than four times");
        p->ahead[p->ahead_n].first = p->n;
        p->ahead[p->ahead_n++].negated = r->text.p[r->at + 2] == '!';
        r->at += 3;
        r->depth++;
        if (!alternatives(r))
            return false;
        r->depth--;
        if (peek(r) != ')')
            return fail(r, "a group has no end");
        r->at++;
        if (!emit(r, OP_MATCH, 0, 0))
            return false;
        uint8_t c = peek(r);
        if (c == '?' || c == '*' || c == '+' || c == '{')
            return fail(r, "a look-ahead cannot be repeated");
    }
    return true;
}

/* An odd number of backslashes before the last sign makes it a plain one. */
static bool ends_escaped(struct bz_view text) {
    size_t n = 0;
    while (n + 1 < text.n && text.p[text.n - 2 - n] == '\\')
        n++;
    return n % 2 == 1;
}

enum bz_status pattern_new(struct bz_arena *ar, struct pattern **ret, struct states **ret_states) {
    struct pattern *p = bz_arena_alloc(ar, sizeof *p);
    struct states *s = bz_arena_alloc(ar, 2 * sizeof *s);
    if (p == NULL || s == NULL)
        return BZ_ENOMEM;
    *ret = p;
    *ret_states = s;
    return BZ_OK;
}

enum bz_status pattern_compile(struct pattern *p, struct bz_view text, bool published,
                               const char **ret_why) {
    struct reader r = {.p = p, .published = published};
    bool from = text.n > 0 && text.p[0] == '^';
    bool to = text.n > (size_t)from && text.p[text.n - 1] == '$' && !ends_escaped(text);
    p->n = p->ranges_n = p->ahead_n = 0;
    p->open_start = !from;
    p->open_end = !to;
    *ret_why = "a pattern is about the whole value: it begins with ^ and ends with $";
    if (!published && (!from || !to))
        return BZ_ESYNTAX;
    *ret_why = "the pattern is longer than 1 KiB";
    if (text.n > BZ_SCHEMA_PATTERN_MAX)
        return BZ_ETOOBIG;
    r.text = bz_view_sub(text, from, text.n - from - to);
    bool ok = !published || !from || look_aheads(&r);
    p->first = p->n;
    ok = ok && alternatives(&r) &&
         (r.at == r.text.n || fail(&r, "a group ends that did not begin")) &&
         emit(&r, OP_MATCH, 0, 0) &&
         (!published || !r.alternates || (!from && !to) ||
          fail(&r, "^ or $ belongs to one of the alternatives alone; put them into a group"));
    *ret_why = r.why;
    return ok ? BZ_OK : BZ_ESYNTAX;
}

/* With everything that is reached without a character. */
static void add_state(const struct pattern *p, struct states *s, uint16_t first) {
    uint16_t open[NODES], n = 0;
    if (!s->in[first]) {
        s->in[first] = true;
        open[n++] = first;
    }
    while (n > 0) {
        uint16_t at = open[--n];
        const struct step *x = &p->v[at];
        if (x->op == OP_SET || x->op == OP_MATCH) {
            s->v[s->n++] = at;
            continue;
        }
        uint16_t to[2] = {x->a, x->op == OP_SPLIT ? x->b : x->a};
        for (int i = 0; i < 2; i++) {
            if (s->in[to[i]])
                continue;
            s->in[to[i]] = true;
            open[n++] = to[i];
        }
    }
}

static bool in_set(const struct pattern *p, const struct step *x, uint32_t c) {
    bool in = false;
    for (size_t i = 0; i < x->b && !in; i++)
        in = c >= p->ranges[x->a + i].from && c <= p->ranges[x->a + i].to;
    return in != x->negated;
}

static bool accepts(const struct pattern *p, const struct states *s) {
    bool match = false;
    for (size_t i = 0; i < s->n; i++)
        match |= p->v[s->v[i]].op == OP_MATCH;
    return match;
}

/* From the program's first step; open_end: a match may end before the text does. */
static bool run(const struct pattern *p, uint16_t first, bool open_start, bool open_end,
                struct states *scratch, struct bz_view text) {
    struct states *now = &scratch[0], *then = &scratch[1];
    memset(now, 0, sizeof *now);
    add_state(p, now, first);
    for (size_t at = 0, n; at < text.n && now->n > 0; at += n) {
        uint32_t c = 0;
        if (open_end && accepts(p, now))
            return true;
        n = bz_utf8_next(bz_view_sub(text, at, text.n), &c);
        if (n == 0)
            return false;
        memset(then, 0, sizeof *then);
        for (size_t i = 0; i < now->n; i++) {
            const struct step *x = &p->v[now->v[i]];
            if (x->op == OP_SET && in_set(p, x, c))
                add_state(p, then, (uint16_t)(now->v[i] + 1));
        }
        if (open_start)
            add_state(p, then, first);
        struct states *t = now;
        now = then;
        then = t;
    }
    return accepts(p, now);
}

bool pattern_match(const struct pattern *p, struct states *scratch, struct bz_view text) {
    for (size_t i = 0; i < p->ahead_n; i++)
        if (run(p, p->ahead[i].first, false, true, scratch, text) == p->ahead[i].negated)
            return false;
    return run(p, p->first, p->open_start, p->open_end, scratch, text);
}
