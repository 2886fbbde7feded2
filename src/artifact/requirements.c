/* requirements.txt: what pip would fetch from somewhere else than its index.
 * Source: pip's "Requirements File Format", PEP 508. */
#include <bartizan/limits.h>

#include "pages.h"

static const struct bz_rule rules[] = {
    {"REQ-URL", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "a package from an address",
     "pip fetches it from there and runs its setup code", "name a released version and its hash",
     "CWE-829"},
    {"REQ-INDEX", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "packages from another index",
     "pip takes packages of the same name from there", "use the index of your organisation",
     "CWE-427"},
    {.id = NULL},
};
enum { URL, INDEX };

static struct bz_view trimmed(struct bz_view v) {
    while (v.n != 0 && (v.p[0] == ' ' || v.p[0] == '\t'))
        v = bz_view_sub(v, 1, v.n);
    while (v.n != 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\r' || v.p[v.n - 1] == '\t'))
        v = bz_view_sub(v, 0, v.n - 1);
    return v;
}

static bool package_char(uint8_t c) {
    return c == '-' || c == '_' || c == '.' || (c >= '0' && c <= '9') ||
           ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static bool address(struct bz_view v) {
    return bz_view_has(v, BZ_V("://")) || bz_view_starts(v, BZ_V("git@"));
}

enum line { EMPTY, PLAIN, PINNED, FROM_URL, FROM_INDEX, OPTION, OTHER };

static enum line option(struct bz_view v) {
    static const char *const index[] = {
        "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host", NULL};
    static const char *const others[] = {"-r",
                                         "-c",
                                         "--no-index",
                                         "--pre",
                                         "--requirement",
                                         "--constraint",
                                         "--hash",
                                         "--no-binary",
                                         "--only-binary",
                                         "--prefer-binary",
                                         "--require-hashes",
                                         "--use-feature",
                                         NULL};
    size_t n = 0;
    while (n < v.n && v.p[n] != ' ' && v.p[n] != '=')
        n++;
    struct bz_view word = bz_view_sub(v, 0, n);
    if (bz_view_in(word, index)) {
        bool own = bz_view_has(v, BZ_V("https://pypi.org/")) ||
                   bz_view_has(v, BZ_V("https://download.pytorch.org/"));
        return own ? OPTION : FROM_INDEX;
    }
    if (bz_view_eq(word, BZ_V("-e")) || bz_view_eq(word, BZ_V("--editable")))
        return address(v) ? FROM_URL : OPTION;
    return bz_view_in(word, others) ? OPTION : OTHER;
}

/* name [extras] (op version)? (; marker)? or name @ url or a bare url. */
static enum line requirement(struct bz_view v) {
    size_t n = 0;
    if (bz_view_starts(v, BZ_V("git+")) || bz_view_starts(v, BZ_V("http://")) ||
        bz_view_starts(v, BZ_V("https://")) || bz_view_starts(v, BZ_V("hg+")) ||
        bz_view_starts(v, BZ_V("svn+")))
        return FROM_URL;
    while (n < v.n && package_char(v.p[n]))
        n++;
    struct bz_view rest = trimmed(bz_view_sub(v, n, v.n));
    if (n == 0)
        return OTHER;
    if (rest.n != 0 && rest.p[0] == '[') {
        const uint8_t *close = memchr(rest.p, ']', rest.n);
        rest =
            close == NULL ? rest : trimmed(bz_view_sub(rest, (size_t)(close - rest.p) + 1, rest.n));
    }
    if (rest.n == 0)
        return PLAIN;
    if (rest.p[0] == '@')
        return address(rest) ? FROM_URL : OTHER;
    bool op = rest.n > 1 && memchr("=<>!~", rest.p[0], 5) != NULL;
    return op || rest.p[0] == ';' ? PINNED : OTHER;
}

static enum line kind(struct bz_view v) {
    v = trimmed(v);
    if (v.n == 0 || v.p[0] == '#')
        return EMPTY;
    return v.p[0] == '-' ? option(v) : requirement(v);
}

static struct bz_view next_line(struct bz_view *v) {
    const uint8_t *nl = memchr(v->p, '\n', v->n);
    size_t n = nl == NULL ? v->n : (size_t)(nl - v->p);
    struct bz_view line = bz_view_sub(*v, 0, n);
    *v = bz_view_sub(*v, n + 1, v->n);
    return line;
}

/* Every line is one that pip knows, and one at least is no plain word: lists of words are not it. */
static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    struct bz_view v = o->head;
    bool sure = false;
    (void)s;
    if (o->src.size > 256 * 1024)
        return BZ_PROBE_NO;
    while (v.n != 0) {
        bool cut = memchr(v.p, '\n', v.n) == NULL && o->src.size > o->head.n;
        enum line k = kind(next_line(&v));
        if (k == OTHER && !cut)
            return BZ_PROBE_NO;
        sure = sure || (k != PLAIN && k != EMPTY && k != OTHER);
    }
    return sure ? BZ_PROBE_YES : BZ_PROBE_NO;
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct bz_view text;
    BZ_TRY(bz_object_whole(s, o, BZ_SCAN_TEXT_MAX, &text));
    const uint8_t *start = text.p;
    while (text.n != 0) {
        struct bz_view line = next_line(&text);
        enum line k = kind(line);
        if (k == FROM_URL || k == FROM_INDEX)
            BZ_TRY(bz_scan_found(s, o, &rules[k == FROM_URL ? URL : INDEX],
                                 (uint64_t)(line.p - start), trimmed(line)));
    }
    return BZ_OK;
}

const struct bz_format bz_format_requirements = {
    .name = "requirements",
    .what = "requirements of pip",
    .probe = probe,
    .scan = scan,
    .rules = rules,
    .inert = true,
};
