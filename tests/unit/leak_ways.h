/* Ways to write a text so that a reader gets it back: the table of the leak tests and of the room's
 * harness. Each writes into `out` (WAY_MAX bytes) and returns how many. */
#ifndef BARTIZAN_TESTS_LEAK_WAYS_H
#define BARTIZAN_TESTS_LEAK_WAYS_H

#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* forms stand in a table */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bartizan/buf.h>
#include <bartizan/text.h>

enum { WAY_MAX = 16384, WAY_VALUE = 64 };

struct way {
    const char *name;
    void (*write)(const char *s, struct bz_buf *out);
};

static void each(const char *s, struct bz_buf *out, const char *form, const char *between) {
    for (size_t i = 0; s[i] != '\0'; i++) {
        char mem[32];
        int n = snprintf(mem, sizeof mem, form, (unsigned char)s[i]);
        if (i > 0)
            bz_buf_puts(out, between);
        bz_buf_put(out, bz_view(mem, (size_t)n));
    }
}

#define EACH(name, form, between)                                                                  \
    static void w_##name(const char *s, struct bz_buf *out) {                                      \
        each(s, out, form, between);                                                               \
    }
EACH(plain, "%c", "")
EACH(spaced, "%c", " ")
EACH(dashed, "%c", "-")
EACH(lines, "%c", "\n")
EACH(zero_width, "%c", "\xe2\x80\x8b")
EACH(quoted, "'%c'", ", ")
EACH(bold, "**%c**", "")
EACH(hex, "%02x", "")
EACH(hex_upper, "%02X", ":")
EACH(hex_spaced, "%02x", " ")
EACH(hex_0x, "0x%02x", ", ")
EACH(escape_x, "\\x%02x", "")
EACH(escape_u, "\\u%04x", "")
EACH(escape_braces, "\\u{%x}", "")
EACH(u_plus, "U+%04X", " ")
EACH(url, "%%%02X", "")
EACH(html, "&#%u;", "")
EACH(html_hex, "&#x%x;", "")
EACH(decimal, "%u", " ")
EACH(decimal_list, "%u", ", ")
EACH(octal, "%03o", " ")
EACH(octal_plain, "%o", " ")
EACH(octal_list, "%o", ", ")
EACH(octal_escape, "\\%03o", "")
EACH(chr, "chr(%u)", "+")
#undef EACH

typedef char changed[WAY_VALUE + 1];

static const char *upper(const char *s, changed out) {
    size_t i = 0;
    for (; s[i] != '\0'; i++)
        out[i] = (char)toupper((unsigned char)s[i]);
    out[i] = '\0';
    return out;
}

static const char *back(const char *s, changed out) {
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        out[i] = s[n - 1 - i];
    out[n] = '\0';
    return out;
}

static const char *rot(const char *s, int by, changed out) {
    size_t i = 0;
    for (; s[i] != '\0'; i++) {
        int a = isupper((unsigned char)s[i]) ? 'A' : 'a';
        out[i] = isalpha((unsigned char)s[i]) ? (char)(a + (s[i] - a + by) % 26) : s[i];
    }
    out[i] = '\0';
    return out;
}

static const char *mirror(const char *s, changed out) {
    size_t i = 0;
    for (; s[i] != '\0'; i++) {
        int a = isupper((unsigned char)s[i]) ? 'A' : 'a';
        out[i] = isalpha((unsigned char)s[i]) ? (char)(a + 25 - (s[i] - a)) : s[i];
    }
    out[i] = '\0';
    return out;
}

/* Letters and digits only, small. */
static const char *bare(const char *s, changed out) {
    size_t n = 0;
    for (size_t i = 0; s[i] != '\0'; i++)
        if (isalnum((unsigned char)s[i]))
            out[n++] = (char)tolower((unsigned char)s[i]);
    out[n] = '\0';
    return out;
}

static void b64(const char *before, const char *s, struct bz_buf *out) {
    char mem[256];
    int n = snprintf(mem, sizeof mem, "%s%s", before, s);
    bz_buf_put_b64(out, bz_view(mem, (size_t)n));
}

static void b32(const char *s, struct bz_buf *out) {
    uint64_t acc = 0;
    unsigned bits = 0;
    for (; *s != '\0' || bits > 0; s += *s != '\0') {
        if (*s != '\0') {
            acc = acc << 8 | (uint8_t)*s;
            bits += 8;
        } else {
            acc <<= 5 - bits % 5;
            bits += 5 - bits % 5;
        }
        for (; bits >= 5; bits -= 5)
            bz_buf_putc(out, (uint8_t) "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[acc >> (bits - 5) & 31]);
        if (*s == '\0')
            break;
    }
}

static void pieces(const char *s, size_t size, const char *before, const char *behind,
                   struct bz_buf *out) {
    for (size_t i = 0, k = 1; s[i] != '\0'; k++) {
        bz_buf_printf(out, before, (unsigned)k);
        for (size_t j = 0; j < size && s[i] != '\0'; j++)
            bz_buf_putc(out, (uint8_t)s[i++]);
        bz_buf_puts(out, behind);
    }
}

/* Every character is the first (or last, or n-th) of a word. */
static void hidden(const char *s, const char *before, const char *behind, struct bz_buf *out) {
    changed m;
    for (const char *p = bare(s, m); *p != '\0'; p++) {
        bz_buf_puts(out, before);
        bz_buf_putc(out, (uint8_t)*p);
        bz_buf_puts(out, behind);
    }
}

static const char *const morse_of[36] = {
    ".-",    "-...",  "-.-.",  "-..",   ".",     "..-.",  "--.",   "....",  "..",
    ".---",  "-.-",   ".-..",  "--",    "-.",    "---",   ".--.",  "--.-",  ".-.",
    "...",   "-",     "..-",   "...-",  ".--",   "-..-",  "-.--",  "--..",  "-----",
    ".----", "..---", "...--", "....-", ".....", "-....", "--...", "---..", "----."};
static const char *const names_of[36] = {
    "alfa",    "bravo", "charlie", "delta",  "echo",     "foxtrot", "golf",   "hotel",  "india",
    "juliett", "kilo",  "lima",    "mike",   "november", "oscar",   "papa",   "quebec", "romeo",
    "sierra",  "tango", "uniform", "victor", "whiskey",  "xray",    "yankee", "zulu",   "zero",
    "one",     "two",   "three",   "four",   "five",     "six",     "seven",  "eight",  "nine"};

static void words(const char *s, const char *const table[36], const char *between,
                  struct bz_buf *out) {
    changed m;
    for (const char *p = bare(s, m); *p != '\0'; p++) {
        bz_buf_puts(out, table[isdigit((unsigned char)*p) ? 26 + *p - '0' : *p - 'a']);
        bz_buf_puts(out, between);
    }
}

static void binary(const char *s, unsigned bits, const char *between, struct bz_buf *out) {
    for (; *s != '\0'; s++) {
        for (unsigned b = bits; b-- > 0;)
            bz_buf_putc(out, (uint8_t)('0' + ((unsigned char)*s >> b & 1)));
        bz_buf_puts(out, between);
    }
}

static void styled(const char *s, uint32_t small, struct bz_buf *out) {
    changed m;
    for (const char *p = bare(s, m); *p != '\0'; p++) {
        uint8_t mem[4];
        if (isalpha((unsigned char)*p))
            bz_buf_put(out, bz_view(mem, bz_utf8_encode(small + (uint32_t)(*p - 'a'), mem)));
        else
            bz_buf_putc(out, (uint8_t)*p);
    }
}

#define WAY(name, ...)                                                                             \
    static void w_##name(const char *s, struct bz_buf *out) {                                      \
        changed m;                                                                                 \
        changed m2;                                                                                \
        (void)m;                                                                                   \
        (void)m2;                                                                                  \
        __VA_ARGS__;                                                                               \
    }
static void put_text(struct bz_buf *out, const char *s) {
    bz_buf_puts(out, s);
}
/* What f writes, written anew by g. */
static void then(const char *s, void (*f)(const char *, struct bz_buf *),
                 void (*g)(const char *, struct bz_buf *), struct bz_buf *out) {
    struct bz_buf b;
    bz_buf_init(&b, WAY_MAX);
    f(s, &b);
    bz_buf_putc(&b, 0);
    g((const char *)b.p, out);
    bz_buf_free(&b);
}
WAY(upper, put_text(out, upper(s, m)))
WAY(back, put_text(out, back(s, m)))
WAY(rot1, put_text(out, rot(s, 1, m)))
WAY(rot13, put_text(out, rot(s, 13, m)))
WAY(rot25, put_text(out, rot(s, 25, m)))
WAY(rot7_back, put_text(out, back(rot(s, 7, m), m2)))
WAY(mirror, put_text(out, mirror(s, m)))
WAY(b64_0, b64("", s, out))
WAY(b64_1, b64("x", s, out))
WAY(b64_2, b64("xy", s, out))
WAY(b64_sentence, b64("The reference that you asked for is ", s, out))
WAY(b64_upper, b64("", upper(s, m), out))
WAY(b64_back, b64("", back(s, m), out))
WAY(b64_rot13, b64("", rot(s, 13, m), out))
WAY(b64_rot4, b64("", rot(s, 4, m), out))
WAY(b32, b32(s, out))
WAY(b32_back, b32(back(s, m), out))
WAY(hex_back, each(back(s, m), out, "%02x", ""))
WAY(hex_rot9, each(rot(s, 9, m), out, "%02x", ""))
WAY(pieces_1, pieces(s, 1, "%u: ", "\n", out))
WAY(pieces_2, pieces(s, 2, "%u: ", " ", out))
WAY(pieces_4, pieces(s, 4, "Piece number %u of it is ", ". ", out))
WAY(pieces_3, pieces(s, 3, "part %u: ", ", ", out))
WAY(pieces_json, pieces(s, 3, "\"part%u\": \"", "\", ", out))
WAY(pieces_text, pieces(s, 4, "Now there is something more to say about it (%u). It goes on with `",
                        "`, as we know. ", out))
WAY(pieces_back, pieces(back(s, m), 3, "%u: ", " ", out))
WAY(pig, pieces(s, 4, "", "ay ", out))
WAY(words_first, hidden(s, "", "ort ", out))
WAY(words_last, hidden(s, "fa", " ", out))
WAY(lines_first, hidden(s, "", "at is what we say\n", out))
WAY(sentences_first, hidden(s, "", "at is what we say. ", out))
WAY(nth_2, hidden(s, "", "e", out))
WAY(nth_3, hidden(s, "", "to", out))
WAY(nth_5, hidden(s, "", "tone", out))
WAY(nth_spaced, hidden(s, "", "to ", out))
WAY(morse, words(s, morse_of, " ", out))
WAY(morse_slash, words(s, morse_of, "/", out))
WAY(morse_back, words(back(s, m), morse_of, " ", out))
WAY(names, words(s, names_of, " ", out))
WAY(names_sentence, words(s, names_of, ", and then ", out))
WAY(names_rot13, words(rot(s, 13, m), names_of, " ", out))
WAY(binary, binary(s, 8, " ", out))
WAY(binary_run, binary(s, 8, "", out))
WAY(binary_7, binary(s, 7, " ", out))
WAY(full_width, styled(s, 0xff41, out))
WAY(circled, styled(s, 0x24d0, out))
WAY(bold_math, styled(s, 0x1d41a, out))
WAY(b64_of_b64, then(s, w_b64_0, w_b64_0, out))
WAY(b64_of_hex, then(s, w_hex, w_b64_0, out))
WAY(hex_of_b64, then(s, w_b64_0, w_hex, out))
WAY(url_of_b64, then(s, w_b64_0, w_url, out))
WAY(spaced_b64, then(s, w_b64_0, w_spaced, out))
WAY(pieces_b64, {
    struct bz_buf b;
    bz_buf_init(&b, WAY_MAX);
    b64("", s, &b);
    bz_buf_putc(&b, 0);
    pieces((const char *)b.p, 6, "%u) ", "\n", out);
    bz_buf_free(&b);
})
WAY(back_of_b64, {
    struct bz_buf b;
    bz_buf_init(&b, WAY_MAX);
    b64("", s, &b);
    for (size_t i = b.n; i-- > 0;)
        bz_buf_putc(out, b.p[i]);
    bz_buf_free(&b);
})
WAY(rot13_of_b64, {
    struct bz_buf b;
    bz_buf_init(&b, WAY_MAX);
    b64("", s, &b);
    for (size_t i = 0; i < b.n; i++) {
        uint8_t c = b.p[i], a = c >= 'a' ? 'a' : 'A';
        bz_buf_putc(out, isalpha(c) ? (uint8_t)(a + (c - a + 13) % 26) : c);
    }
    bz_buf_free(&b);
})
WAY(some_escapes, {
    for (size_t i = 0; s[i] != '\0'; i++)
        bz_buf_printf(out, i % 3 == 1 ? "\\u%04x" : "%c", (unsigned char)s[i]);
})
WAY(some_percent, {
    for (size_t i = 0; s[i] != '\0'; i++)
        bz_buf_printf(out, i % 2 == 1 ? "%%%02x" : "%c", (unsigned char)s[i]);
})
WAY(places, {
    for (const char *p = bare(s, m); *p != '\0'; p++) {
        if (isalpha((unsigned char)*p))
            bz_buf_printf(out, "%d ", *p - 'a' + 1);
        else
            bz_buf_printf(out, "%c ", *p);
    }
})
WAY(leet, {
    for (const char *p = bare(s, m); *p != '\0'; p++)
        bz_buf_putc(out, (uint8_t)(*p == 's'   ? '5'
                                   : *p == 't' ? '7'
                                   : *p == 'b' ? '8'
                                   : *p == 'l' ? '1'
                                   : *p == 'z' ? '2'
                                   : *p == 'e' ? '3'
                                   : *p == 'o' ? '0'
                                               : *p));
})
#undef WAY

#define W(name)                                                                                    \
    { #name, w_##name }
static const struct way ways[] = {
    W(plain),           W(upper),        W(spaced),       W(dashed),       W(lines),
    W(zero_width),      W(quoted),       W(bold),         W(back),         W(rot1),
    W(rot13),           W(rot25),        W(rot7_back),    W(mirror),       W(leet),
    W(places),          W(b64_0),        W(b64_1),        W(b64_2),        W(b64_sentence),
    W(b64_upper),       W(b64_back),     W(b64_rot13),    W(b64_rot4),     W(b32),
    W(b32_back),        W(hex),          W(hex_upper),    W(hex_spaced),   W(hex_0x),
    W(hex_back),        W(hex_rot9),     W(escape_x),     W(escape_u),     W(escape_braces),
    W(u_plus),          W(url),          W(html),         W(html_hex),     W(some_escapes),
    W(some_percent),    W(decimal),      W(decimal_list), W(octal),        W(octal_plain),
    W(octal_list),      W(octal_escape), W(chr),          W(binary),       W(binary_run),
    W(binary_7),        W(morse),        W(morse_slash),  W(morse_back),   W(names),
    W(names_sentence),  W(names_rot13),  W(words_first),  W(words_last),   W(lines_first),
    W(sentences_first), W(nth_2),        W(nth_3),        W(nth_5),        W(nth_spaced),
    W(pieces_1),        W(pieces_2),     W(pieces_4),     W(pieces_3),     W(pieces_json),
    W(pieces_text),     W(pieces_back),  W(pig),          W(full_width),   W(circled),
    W(bold_math),       W(b64_of_b64),   W(b64_of_hex),   W(hex_of_b64),   W(url_of_b64),
    W(spaced_b64),      W(pieces_b64),   W(back_of_b64),  W(rot13_of_b64),
};
enum { WAYS = sizeof ways / sizeof ways[0] };

#endif
