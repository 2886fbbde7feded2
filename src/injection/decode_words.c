/* Texts in disguise, letter by letter: ROT13, backwards, digits for letters, marks, letters apart. */
#include "readings.h"

#include <bartizan/text.h>
#include <utf8proc.h>

static bool is_alnum(uint8_t c) {
    return (uint8_t)(c - '0') < 10 || (uint8_t)((c | 0x20) - 'a') < 26;
}

static bool is_letter(uint8_t c) {
    return (uint8_t)((c | 0x20) - 'a') < 26;
}

void decode_rot13(struct maker *m, struct bz_view text, size_t from, size_t to) {
    if (!maker_reserve(m, to - from))
        return;
    uint8_t *out = m->p + m->n;
    for (size_t i = from; i < to; i++) {
        uint8_t c = text.p[i];
        if (is_letter(c))
            c = (uint8_t)((c | 0x20) < 'n' ? c + 13 : c - 13);
        out[i - from] = c;
    }
    maker_took(m, to - from, from);
}

/* ---- backwards --------------------------------------------------------------------------------- */

/* Characters of [from, to) last first. */
static void backwards(struct maker *m, struct bz_view text, size_t from, size_t to) {
    uint8_t chunk[256];
    size_t n = 0;
    size_t end = to;
    for (size_t at = to; at > from;) {
        size_t start = at - 1;
        while (start > from && at - start < 4 && (text.p[start] & 0xc0) == 0x80)
            start--;
        if (n + (at - start) > sizeof chunk) {
            maker_put(m, chunk, n, at, end - at, STRETCH_BACK);
            end = at;
            n = 0;
        }
        memcpy(chunk + n, text.p + start, at - start);
        n += at - start;
        at = start;
    }
    maker_put(m, chunk, n, from, end - from, STRETCH_BACK);
}

void decode_reversed(struct maker *m, struct bz_view text, size_t from, size_t to) {
    backwards(m, text, from, to);
}

void decode_words_reversed(struct maker *m, struct bz_view text, size_t from, size_t to) {
    for (size_t at = from; at < to && !m->failed;) {
        size_t end = at;
        while (end < to && (is_alnum(text.p[end]) || text.p[end] >= 0x80))
            end++;
        backwards(m, text, at, end);
        at = end;
        while (end < to && !is_alnum(text.p[end]) && text.p[end] < 0x80)
            end++;
        maker_same(m, text.p + at, end - at, at);
        at = end;
    }
}

/* ---- digits and signs for letters -------------------------------------------------------------- */

static bool is_vowel(uint8_t c) {
    return memchr("aeiouAEIOU0134@", c, 15) != NULL;
}

/* What character i of a word reads as; `l` beside vowels, `i` elsewhere, for what may be either. */
static uint8_t plain(struct bz_view word, size_t i) {
    static const char signs[] = "0o3e4a5s6g7t8b9g@a$s+t";
    uint8_t c = word.p[i];
    if (c == '1' || c == '|' || c == '!') {
        bool first = i == 0;
        bool last = i + 1 == word.n;
        if (c == '!' && last)
            return c;
        uint8_t before = first ? 0 : word.p[i - 1];
        uint8_t next = last ? 0 : word.p[i + 1];
        bool twin = before == c || next == c;
        bool ell = twin || (first ? is_vowel(next) : is_vowel(before)) || (c == '|' && first);
        return ell && c != '!' ? 'l' : 'i';
    }
    for (size_t k = 0; k + 1 < sizeof signs; k += 2) {
        if (c == (uint8_t)signs[k])
            return (uint8_t)signs[k + 1];
    }
    return c;
}

static bool leet_char(uint8_t c) {
    return is_alnum(c) || memchr("@$!|+", c, 5) != NULL;
}

void decode_leet(struct maker *m, struct bz_view text, size_t from, size_t to) {
    for (size_t at = from; at < to && !m->failed;) {
        size_t end = at;
        bool letter = false;
        while (end < to && leet_char(text.p[end]))
            letter |= is_letter(text.p[end++]);
        struct bz_view word = bz_view(text.p + at, end - at);
        size_t signs = 0;
        for (size_t i = 0; i < word.n; i++)
            signs += !is_letter(word.p[i]);
        /* 7h15 and 1337 are words where others are; 2024 in a text with few is not, nor is 16gb. */
        bool is_word = letter ? word.n > 1 : word.n > 1 && word.n <= 5 && signs == word.n;
        if (is_word && letter && maker_reserve(m, word.n)) {
            for (size_t i = 0; i < word.n; i++)
                m->p[m->n + i] = plain(word, i);
            maker_took(m, word.n, at);
        } else {
            maker_same(m, word.p, word.n, at);
        }
        at = end;
        while (end < to && !leet_char(text.p[end]))
            end++;
        maker_same(m, text.p + at, end - at, at);
        at = end;
    }
}

/* ---- marks ------------------------------------------------------------------------------------- */

/* The Latin letter under its marks; 0: none. */
static uint8_t under_marks(uint32_t cp) {
    static const struct {
        uint16_t cp;
        uint8_t is;
    } strokes[] = {
        {0xd8, 'O'},  {0xf8, 'o'},  {0x110, 'D'}, {0x111, 'd'}, {0x126, 'H'},  {0x127, 'h'},
        {0x131, 'i'}, {0x141, 'L'}, {0x142, 'l'}, {0x166, 'T'}, {0x167, 't'},  {0x180, 'b'},
        {0x197, 'I'}, {0x19a, 'l'}, {0x1b6, 'z'}, {0x1e5, 'g'}, {0x237, 'j'},  {0x23c, 'c'},
        {0x23f, 's'}, {0x240, 'z'}, {0x247, 'e'}, {0x249, 'j'}, {0x24d, 'r'},  {0x24f, 'y'},
        {0x268, 'i'}, {0x289, 'u'}, {0x256, 'd'}, {0x257, 'd'}, {0x253, 'b'},  {0x260, 'g'},
        {0x272, 'n'}, {0x273, 'n'}, {0x27d, 'r'}, {0x282, 's'}, {0x288, 't'},  {0x28b, 'v'},
        {0x291, 'z'}, {0x192, 'f'}, {0x199, 'k'}, {0x1a5, 'p'}, {0x2c65, 'a'},
    };
    for (size_t i = 0; i < sizeof strokes / sizeof strokes[0]; i++) {
        if (strokes[i].cp == cp)
            return strokes[i].is;
    }
    if (cp < 0xc0 || (cp >= 0x250 && (cp < 0x1e00 || cp > 0x1eff)))
        return 0;
    utf8proc_int32_t v[4];
    int boundary = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)cp, v, 4,
                                                 UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, &boundary);
    return n > 0 && v[0] < 0x80 && is_letter((uint8_t)v[0]) ? (uint8_t)v[0] : 0;
}

void decode_accents(struct maker *m, struct bz_view text, size_t from, size_t to) {
    bool latin = false;
    for (size_t at = from; at < to && !m->failed;) {
        size_t plain_to = at;
        while (plain_to < to && text.p[plain_to] < 0x80)
            plain_to++;
        maker_same(m, text.p + at, plain_to - at, at);
        latin = plain_to != at ? is_letter(text.p[plain_to - 1]) : latin;
        at = plain_to;
        if (at == to)
            break;
        uint32_t cp = 0;
        size_t used = bz_utf8_next(bz_view_sub(text, at, to - at), &cp);
        used = used == 0 ? 1 : used;
        uint8_t is = under_marks(cp);
        bool mark = cp >= 0x300 && cp < 0x370;
        if (is != 0)
            maker_put(m, &is, 1, at, used, STRETCH_WHOLE);
        else if (!mark || !latin)
            maker_same(m, text.p + at, used, at);
        latin = is != 0 || (mark && latin);
        at += used;
    }
}

/* ---- letters apart ----------------------------------------------------------------------------- */

/* Length of the one letter or digit at `at`, with nothing of its kind behind it; 0: none. */
static size_t lone(struct bz_view t, size_t at, size_t to) {
    if (at >= to)
        return 0;
    size_t n = 1;
    if (t.p[at] >= 0x80) {
        uint32_t cp = 0;
        n = bz_utf8_next(bz_view_sub(t, at, to - at), &cp);
        if (n == 0 || (cp >= 0x300 && cp < 0x370))
            return 0;
    } else if (!is_alnum(t.p[at])) {
        return 0;
    }
    bool more = at + n < to && (is_alnum(t.p[at + n]) || t.p[at + n] >= 0x80);
    return more ? 0 : n;
}

static size_t signs_after(struct bz_view t, size_t at, size_t to) {
    size_t n = 0;
    while (at + n < to && t.p[at + n] < 0x80 && !is_alnum(t.p[at + n]))
        n++;
    return n;
}

void decode_spaced(struct maker *m, struct bz_view text, size_t from, size_t to) {
    size_t at = from;
    while (at < to && !m->failed) {
        size_t n = lone(text, at, to);
        bool begins =
            n != 0 && (at == from || (text.p[at - 1] < 0x80 && !is_alnum(text.p[at - 1])));
        size_t gap = begins ? signs_after(text, at + n, to) : 0;
        size_t next = at + n + gap;
        if (!begins || gap == 0 || gap > 3 || lone(text, next, to) == 0) {
            size_t step = n != 0 ? n : 1;
            maker_same(m, text.p + at, step, at);
            at += step;
            continue;
        }
        /* A run: its first gap is what goes; others are blanks between words. */
        struct bz_view sign = bz_view(text.p + at + n, gap);
        while (n != 0) {
            maker_same(m, text.p + at, n, at);
            at += n;
            gap = signs_after(text, at, to);
            size_t after = lone(text, at + gap, to);
            if (gap == 0 || gap > 6 || after == 0)
                break;
            if (!bz_view_eq(bz_view(text.p + at, gap), sign))
                maker_put(m, (const uint8_t *)" ", 1, at, gap, STRETCH_WHOLE);
            at += gap;
            n = after;
        }
    }
}
