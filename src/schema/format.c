/* Forms of texts that the configuration's schemas know: hosts, addresses, paths, dates. */
#include "schema_int.h"

enum { EMAIL_MAX = 254 };

static bool is_alnum(uint8_t b) {
    return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
}

static const char *const names[FORMAT_COUNT] = {"host", "url", "email", "path", "date"};

bool format_from_name(struct bz_view name, enum format *ret) {
    for (int i = 0; i < FORMAT_COUNT; i++) {
        if (!bz_view_eq(name, bz_view_str(names[i])))
            continue;
        *ret = (enum format)i;
        return true;
    }
    return false;
}

static const char *listed_host(struct bz_view text, const struct bz_json *listed) {
    struct bz_view host, port;
    if (!bz_host_split(text, &host, &port))
        return "the host is not written plainly";
    if (listed == NULL)
        return NULL;
    for (const struct bz_json *e = listed->first; e != NULL; e = e->next)
        if (bz_host_fits(bz_json_str(e), host, port))
            return NULL;
    return "the host is none of those that the schema lists";
}

static const char *url(struct bz_view v, const struct bz_json *listed) {
    size_t skip = 0, end;
    if (bz_view_eq_nocase(bz_view_sub(v, 0, 7), BZ_V("http://")))
        skip = 7;
    else if (bz_view_eq_nocase(bz_view_sub(v, 0, 8), BZ_V("https://")))
        skip = 8;
    else
        return "a URL begins with http:// or https:// here";
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] == 0x7f || v.p[i] == '\\')
            return "the URL holds a blank, a control character or a backslash";
    for (end = skip; end < v.n && memchr("/?#", v.p[end], 3) == NULL;)
        end++;
    return listed_host(bz_view_sub(v, skip, end - skip), listed);
}

static const char *email(struct bz_view v, const struct bz_json *listed) {
    static const char bad[] = "it is no plain e-mail address";
    const uint8_t *at = v.n > 0 && v.n <= EMAIL_MAX ? memchr(v.p, '@', v.n) : NULL;
    size_t local = at == NULL ? 0 : (size_t)(at - v.p);
    if (local == 0)
        return bad;
    for (size_t i = 0; i < local; i++)
        if (!is_alnum(v.p[i]) && memchr("._%+'-", v.p[i], 6) == NULL)
            return bad;
    struct bz_view host = bz_view_sub(v, local + 1, v.n);
    return memchr(host.p, ':', host.n) != NULL ? bad : listed_host(host, listed);
}

static bool below(struct bz_view root, struct bz_view path) {
    while (root.n > 0 && root.p[root.n - 1] == '/')
        root.n--;
    return bz_view_starts(path, root) && (path.n == root.n || path.p[root.n] == '/');
}

static const char *path(struct bz_view v, const struct bz_json *listed) {
    size_t segment = 0;
    if (v.n == 0 || v.p[0] == '~')
        return "it is no plain path";
    for (size_t i = 0; i <= v.n; i++) {
        if (i < v.n && (v.p[i] < ' ' || v.p[i] == 0x7f || v.p[i] == '\\'))
            return "the path holds a control character or a backslash";
        if (i < v.n && v.p[i] != '/')
            continue;
        if (bz_view_eq(bz_view_sub(v, segment, i - segment), BZ_V("..")))
            return "the path goes up (..)";
        segment = i + 1;
    }
    if (listed == NULL)
        return NULL;
    for (const struct bz_json *e = listed->first; e != NULL; e = e->next)
        if (below(bz_json_str(e), v))
            return NULL;
    return "the path is below none of the schema's roots";
}

static const char *date(struct bz_view v) {
    uint64_t month = 0, day = 0, year = 0;
    bool ok = v.n == 10 && v.p[4] == '-' && v.p[7] == '-' &&
              bz_view_u64(bz_view_sub(v, 0, 4), &year) == BZ_OK &&
              bz_view_u64(bz_view_sub(v, 5, 2), &month) == BZ_OK &&
              bz_view_u64(bz_view_sub(v, 8, 2), &day) == BZ_OK && month >= 1 && month <= 12 &&
              day >= 1 && day <= 31;
    return ok ? NULL : "it is no date like 2030-12-31";
}

const char *format_check(enum format f, struct bz_view text, const struct bz_json *listed) {
    switch (f) {
    case FORMAT_HOST:
        return listed_host(text, listed);
    case FORMAT_URL:
        return url(text, listed);
    case FORMAT_EMAIL:
        return email(text, listed);
    case FORMAT_PATH:
        return path(text, listed);
    case FORMAT_DATE:
        return date(text);
    case FORMAT_COUNT:
        break;
    }
    return "unknown format";
}
