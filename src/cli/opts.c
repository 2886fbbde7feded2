#include "opts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "term.h"

/* ---- printing ---- */

void bz_print_safe(void *file, struct bz_view v) {
    struct bz_buf b;
    bz_buf_init(&b, v.n * 8 + 16); /* longest escape is \u{10FFFF} for 4 bytes, or \xNN for one */
    bz_put_safe(&b, v);
    if (bz_buf_status(&b) == BZ_OK)
        (void)fwrite(b.p, 1, b.n, file);
    bz_buf_free(&b);
}

void bz_say(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    (void)fputs("bartizan: ", stderr);
    (void)vfprintf(stderr, fmt, ap);
    (void)fputc('\n', stderr);
    va_end(ap);
}

const char *bz_safe(const char *text) {
    static char mem[4][1024];
    static unsigned turn;
    char *out = mem[turn++ % 4];
    struct bz_buf b;
    bz_buf_init_fixed(&b, out, sizeof mem[0] - 1);
    bz_put_safe(&b, bz_view_str(text));
    out[b.n < sizeof mem[0] - 1 ? b.n : sizeof mem[0] - 1] = '\0';
    return out;
}

/* ---- nearest ---- */

enum { WORD_MAX = 40 };

static uint8_t min3(int a, int b, int c) {
    int m = a < b ? a : b;
    return (uint8_t)(m < c ? m : c);
}

/* Optimal string alignment distance; words above WORD_MAX are far from everything. */
static size_t distance(const char *a, const char *b) {
    uint8_t d[WORD_MAX + 1][WORD_MAX + 1];
    size_t an = strlen(a), bn = strlen(b);
    if (an > WORD_MAX || bn > WORD_MAX)
        return WORD_MAX;
    for (size_t i = 0; i <= an; i++)
        d[i][0] = (uint8_t)i;
    for (size_t j = 0; j <= bn; j++)
        d[0][j] = (uint8_t)j;
    for (size_t i = 1; i <= an; i++) {
        for (size_t j = 1; j <= bn; j++) {
            int same = a[i - 1] == b[j - 1] ? 0 : 1;
            d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + same);
            bool swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swap && d[i - 2][j - 2] + 1 < d[i][j])
                d[i][j] = (uint8_t)(d[i - 2][j - 2] + 1);
        }
    }
    return d[an][bn];
}

const char *bz_nearest(const char *s, const char *const *list, size_t n) {
    const char *best = NULL;
    size_t best_d = strlen(s) / 3 + 2; /* further away is no likely slip */
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(s, list[i]);
        bool prefix = strlen(s) >= 3 && strncmp(s, list[i], strlen(s)) == 0;
        if (prefix)
            d = 1;
        if (d < best_d) {
            best = list[i];
            best_d = d;
        }
    }
    return best;
}

/* ---- options ---- */

void bz_print_beside(const char *left, size_t col, const char *text) {
    struct bz_buf b;
    bz_buf_init(&b, 1 << 16);
    bz_buf_puts(&b, left);
    for (size_t at = strlen(left); at < col && *text != '\0'; at++)
        bz_buf_putc(&b, ' ');
    bz_buf_put_wrapped(&b, b.n, col, bz_term_text_columns(stdout), bz_view_str(text));
    (void)printf("%.*s\n", (int)b.n, (const char *)b.p);
    bz_buf_free(&b);
}

/* Line ends of the text stay. */
static void print_about(const char *text) {
    for (const char *end; *text != '\0'; text = *end == '\0' ? end : end + 1) {
        char line[1024];
        end = text + strcspn(text, "\n");
        (void)snprintf(line, sizeof line, "%.*s", (int)(end - text), text);
        bz_print_beside("", 0, line);
    }
}

enum { HELP_COLUMN = 31 };

static void print_help(const struct bz_opts *o) {
    bz_print_beside("usage: ", 7, o->usage);
    if (o->about != NULL) {
        (void)putchar('\n');
        print_about(o->about);
    }
    (void)printf("\noptions:\n");
    for (size_t i = 0; i < o->n; i++) {
        char left[64];
        const struct bz_opt *p = &o->list[i];
        (void)snprintf(left, sizeof left, "  --%s%s%s ", p->name, p->arg != NULL ? " " : "",
                       p->arg != NULL ? p->arg : "");
        bz_print_beside(left, HELP_COLUMN, p->help);
    }
    bz_print_beside("  --help", HELP_COLUMN, "this text");
}

/* "bartizan key create" of "bartizan key create DIR --user NAME". */
static size_t command_words(const char *usage) {
    size_t n = 0;
    for (size_t i = 0; usage[i] == ' ' || (usage[i] >= 'a' && usage[i] <= 'z'); i++)
        n = usage[i + 1] == ' ' || usage[i + 1] == '\0' ? i + 1 : n;
    return n;
}

static void say_unknown(const struct bz_opts *o, const char *arg) {
    const char *names[64];
    size_t n = 0;
    for (; n < o->n && n < 63; n++)
        names[n] = o->list[n].name;
    names[n++] = "help";
    char word[WORD_MAX + 1];
    size_t len = strcspn(arg + 2, "=");
    (void)snprintf(word, sizeof word, "%.*s", (int)(len < WORD_MAX ? len : WORD_MAX), arg + 2);
    const char *near = bz_nearest(word, names, n);
    if (near != NULL)
        bz_say("unknown option '%s'; did you mean '--%s'?", bz_safe(arg), near);
    else
        bz_say("unknown option '%s'; see '%.*s --help'", bz_safe(arg), (int)command_words(o->usage),
               o->usage);
}

static const struct bz_opt *find(const struct bz_opts *o, const char *name, size_t n) {
    for (size_t i = 0; i < o->n; i++) {
        if (strlen(o->list[i].name) == n && strncmp(o->list[i].name, name, n) == 0)
            return &o->list[i];
    }
    return NULL;
}

static enum bz_status store(const struct bz_opt *p, const char *value) {
    if (p->kind == BZ_OPT_FLAG) {
        *(bool *)p->ret = true;
        return BZ_OK;
    }
    if (p->kind == BZ_OPT_TEXT) {
        const char **t = p->ret;
        if (*t != NULL) {
            bz_say("option '--%s' is given twice", p->name);
            return BZ_EINVAL;
        }
        *t = value;
        return BZ_OK;
    }
    struct bz_opt_many *m = p->ret;
    if (m->n >= BZ_OPT_MANY_MAX) {
        bz_say("option '--%s' is given more than %d times", p->name, BZ_OPT_MANY_MAX);
        return BZ_EINVAL;
    }
    m->v[m->n++] = value;
    return BZ_OK;
}

static enum bz_status one_option(const struct bz_opts *o, int argc, char **argv, int *i) {
    const char *arg = argv[*i];
    size_t n = strcspn(arg + 2, "=");
    const char *value = arg[2 + n] == '=' ? arg + 3 + n : NULL;
    const struct bz_opt *p = find(o, arg + 2, n);
    if (p == NULL) {
        say_unknown(o, arg);
        return BZ_EINVAL;
    }
    if (p->kind == BZ_OPT_FLAG && value != NULL) {
        bz_say("option '--%s' takes no value", p->name);
        return BZ_EINVAL;
    }
    if (p->kind != BZ_OPT_FLAG && value == NULL) {
        if (*i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0) {
            bz_say("option '--%s' needs a value: --%s %s", p->name, p->name, p->arg);
            return BZ_EINVAL;
        }
        value = argv[++*i];
    }
    return store(p, value);
}

enum bz_status bz_opts_parse(const struct bz_opts *o, int argc, char **argv, const char **words,
                             size_t *ret_words_n, bool *ret_help) {
    size_t n = 0;
    bool only_words = false;
    *ret_help = false;
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (!only_words && strcmp(a, "--") == 0) {
            only_words = true;
        } else if (!only_words && (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0)) {
            print_help(o);
            *ret_help = true;
            return BZ_OK;
        } else if (!only_words && strncmp(a, "--", 2) == 0) {
            BZ_TRY(one_option(o, argc, argv, &i));
        } else if (!only_words && a[0] == '-' && a[1] != '\0') {
            bz_say("unknown option '%s'; options begin with two dashes", bz_safe(a));
            return BZ_EINVAL;
        } else if (n >= o->words_max) {
            bz_say("one word too many: '%s' (usage: %s)", bz_safe(a), o->usage);
            return BZ_EINVAL;
        } else {
            words[n++] = a;
        }
    }
    if (n < o->words_min) {
        bz_say("%s is missing (usage: %s)", o->words[n], o->usage);
        return BZ_EINVAL;
    }
    *ret_words_n = n;
    return BZ_OK;
}

/* ---- times ---- */

enum bz_status bz_duration_parse(const char *s, uint64_t *ret_s) {
    static const struct {
        char unit;
        uint64_t s;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}, {'y', 31536000}};
    const uint64_t hundred_years = 100ull * 31536000;
    size_t n = strlen(s);
    if (n < 2)
        return BZ_ESYNTAX;
    uint64_t v = 0, r = 0;
    BZ_TRY(bz_view_u64(bz_view(s, n - 1), &v));
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (units[i].unit != s[n - 1])
            continue;
        if (__builtin_mul_overflow(v, units[i].s, &r) || r == 0 || r > hundred_years)
            return BZ_ERANGE;
        *ret_s = r;
        return BZ_OK;
    }
    return BZ_ESYNTAX;
}

/* Days since 1970-01-01 of a proleptic Gregorian date (H. Hinnant, "chrono-compatible low-level
 * date algorithms"). */
static int64_t days_from_civil(int64_t y, int64_t m, int64_t d) {
    y -= m <= 2;
    int64_t era = y / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static bool digits(const char *s, size_t n, uint64_t max, uint64_t *ret) {
    return bz_view_u64(bz_view(s, n), ret) == BZ_OK && *ret <= max;
}

/* "YYYY-MM-DD" at the start of s, as days since the epoch. */
static bool day_parse(const char *s, int64_t *ret) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint64_t y, m, d;
    if (s[4] != '-' || s[7] != '-' || !digits(s, 4, 2200, &y) || y < 1970)
        return false;
    if (!digits(s + 5, 2, 12, &m) || m == 0 || !digits(s + 8, 2, 31, &d) || d == 0)
        return false;
    bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    if (d > days[m - 1] + (m == 2 && leap ? 1u : 0u))
        return false;
    *ret = days_from_civil((int64_t)y, (int64_t)m, (int64_t)d);
    return true;
}

/* "Thh:mm:ssZ" at the start of s, as seconds of the day. */
static bool clock_parse(const char *s, uint64_t *ret) {
    uint64_t hh, mm, ss;
    if (s[0] != 'T' || s[3] != ':' || s[6] != ':' || s[9] != 'Z')
        return false;
    if (!digits(s + 1, 2, 23, &hh) || !digits(s + 4, 2, 59, &mm) || !digits(s + 7, 2, 59, &ss))
        return false;
    *ret = hh * 3600 + mm * 60 + ss;
    return true;
}

static bool date_parse(const char *s, uint64_t *ret) {
    size_t n = strlen(s);
    int64_t day;
    uint64_t seconds = 0;
    if ((n != 10 && n != 20) || !day_parse(s, &day) || (n == 20 && !clock_parse(s + 10, &seconds)))
        return false;
    *ret = (uint64_t)day * 86400 + seconds;
    return true;
}

enum bz_status bz_expiry_parse(const char *s, uint64_t now, uint64_t *ret) {
    uint64_t v = 0;
    enum bz_status st = bz_duration_parse(s, &v);
    if (st == BZ_OK) {
        *ret = now + v;
        return BZ_OK;
    }
    if (st == BZ_ERANGE)
        return st;
    if (!date_parse(s, &v))
        return BZ_ESYNTAX;
    if (v <= now)
        return BZ_ERANGE;
    *ret = v;
    return BZ_OK;
}
