/* Is a value a secret, or does it only stand where one would. */
#include "secrets.h"

static uint8_t fold(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool has_word(struct bz_view v, const char *word) {
    size_t n = strlen(word);
    for (size_t i = 0; n <= v.n && i <= v.n - n; i++) {
        size_t k = 0;
        while (k < n && fold(v.p[i + k]) == (uint8_t)word[k])
            k++;
        if (k == n)
            return true;
    }
    return false;
}

bool judge_has(struct bz_view v, const char *const *words) {
    for (; *words != NULL; words++) {
        if (has_word(v, *words))
            return true;
    }
    return false;
}

/* The longest run of one byte. */
static size_t longest_repeat(struct bz_view v) {
    size_t best = 0, run = 0;
    for (size_t i = 0; i < v.n; i++) {
        run = i > 0 && v.p[i] == v.p[i - 1] ? run + 1 : 1;
        if (run > best)
            best = run;
    }
    return best;
}

bool judge_placeholder(struct bz_view v) {
    static const char *const sure[] = {
        "example",    "changeme",  "change_me",    "change-me",        "placeholder",
        "redacted",   "yourtoken", "yoursecret",   "your_api",         "your-api",
        "yourapikey", "xxxxxxxx",  "abcdefghijkl", "0123456789abcdef", NULL};
    static const char *const maybe[] = {"your_",   "your-",        "yourkey", "xxxx", "dummy",
                                        "replace", "insert",       "todo",    "****", "....",
                                        "sample",  "123456789012", NULL};
    if (v.n == 0 || memchr("<$%{[(", v.p[0], 6) != NULL)
        return true;
    size_t repeat = longest_repeat(v);
    if (repeat == v.n || (repeat >= 10 && repeat * 2 >= v.n))
        return true;
    return judge_has(v, sure) || (judge_has(v, maybe) && !judge_random(v));
}

static unsigned kind(uint8_t c) {
    return scan_class[c] & (SC_DIGIT | SC_UPPER | SC_LOWER);
}

/* Changes between digits, upper and lower case within the run [at, end), but for a capital that
 * begins a word. */
static unsigned changes(struct bz_view v, size_t at, size_t end) {
    unsigned n = 0;
    for (size_t i = at + 1; i < end; i++) {
        unsigned was = kind(v.p[i - 1]), is = kind(v.p[i]);
        bool capital = was == SC_UPPER && is == SC_LOWER &&
                       (i < 2 || i - 2 < at || kind(v.p[i - 2]) != SC_UPPER);
        n += was != is && !capital;
    }
    return n;
}

bool judge_random(struct bz_view v) {
    unsigned digits = 0, letters = 0;
    for (size_t i = 0; i < v.n; i++) {
        digits += scan_is(v.p[i], SC_DIGIT);
        letters += scan_is(v.p[i], SC_ALPHA);
    }
    if (digits == 0 || letters == 0)
        return false;
    for (size_t i = 0; i < v.n;) {
        size_t end = i;
        unsigned groups = 0; /* of digits: "OAuth2Credentials" has one */
        for (; end < v.n && scan_is(v.p[end], SC_ALNUM); end++)
            groups += scan_is(v.p[end], SC_DIGIT) && (end == i || !scan_is(v.p[end - 1], SC_DIGIT));
        size_t len = end - i, found = changes(v, i, end);
        size_t want = len < 20 ? 3 : len < 32 ? 4 : 5;
        if (len >= 8 && ((groups >= 2 && found >= want) || (groups == 1 && found * 8 >= len * 3)))
            return true;
        i = end + 1;
    }
    return false;
}

bool judge_uuid(struct bz_view v) {
    if (v.n != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? v.p[i] != '-' : !scan_is(v.p[i], SC_HEX))
            return false;
    }
    return true;
}

bool judge_password(struct bz_view v, bool quoted) {
    static const char *const self[] = {"passw", "pwd", "secret", "passphrase", NULL};
    unsigned digits = 0, letters = 0, marks = 0, code = 0;
    if (v.n < 6 || judge_placeholder(v) || memchr("@*./\\#&|", v.p[0], 8) != NULL || judge_uuid(v))
        return false;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        digits += scan_is(c, SC_DIGIT);
        letters += scan_is(c, SC_ALPHA) || scan_is(c, SC_HIGH);
        marks += c != 0 && strchr("!@#$%^&*?~+", c) != NULL && (c != '@' || i + 1 < v.n);
        code += c != 0 && strchr("(){}[]<>", c) != NULL;
    }
    if (letters == 0 || digits + marks == 0 || (code > 0 && !quoted))
        return false;
    /* a variable or a member of something: password2, config.pass1 */
    if (!quoted && marks == 0 && (judge_has(v, self) || memchr(v.p, '.', v.n) != NULL))
        return false;
    return !judge_has(v, (const char *const[]){"://", "${", "{{", "|", NULL});
}

bool judge_symbols(struct bz_view v) {
    unsigned digits = 0, letters = 0, marks = 0, other = 0;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (scan_is(c, SC_DIGIT))
            digits++;
        else if (scan_is(c, SC_ALPHA))
            letters++;
        else if (c != 0 && strchr("!@#$%^&*(-_=+)", c) != NULL)
            marks++;
        else
            other++;
    }
    return v.n >= 20 && v.n <= 100 && digits >= 2 && letters >= 5 && marks >= 4 && other == 0 &&
           form_entropy(v) >= 38 && !judge_placeholder(v);
}
