/* URIs of resources, and templates of them: RFC 3986, RFC 6570. A template is matched only as far as nobody could
 * read the match in two ways: {name} is a part without separators, {+name} and {name*} are parts with slashes. */
#include <bartizan/mcp.h>

static bool is_alpha(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool in(uint8_t c, const char *set) {
    return c != 0 && strchr(set, c) != NULL;
}

/* "file:", "git+ssh:" */
static bool has_scheme(struct bz_view v) {
    size_t i = 0;
    while (i < v.n && (is_alpha(v.p[i]) || (i > 0 && (is_digit(v.p[i]) || in(v.p[i], "+-.")))))
        i++;
    return i > 0 && i + 1 < v.n && v.p[i] == ':';
}

static bool characters_ok(struct bz_view v, const char *not_these) {
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= 0x20 || v.p[i] >= 0x7f || in(v.p[i], not_these))
            return false;
    return v.n >= 1 && v.n <= BZ_MCP_URI_MAX && has_scheme(v);
}

bool bz_mcp_uri_ok(struct bz_view uri) {
    return characters_ok(uri, "\"<>\\^`{|}");
}

/* ---- templates ---- */

enum part { PART_END, PART_LITERAL, PART_NAME, PART_PATH, PART_UNKNOWN };

/* The next part, and its text without braces; *at moves behind it. */
static enum part next_part(struct bz_view t, size_t *at, struct bz_view *ret) {
    size_t from = *at, i = from;
    if (from >= t.n)
        return PART_END;
    if (t.p[from] != '{') {
        while (i < t.n && t.p[i] != '{' && t.p[i] != '}')
            i++;
        *ret = bz_view_sub(t, from, i - from);
        *at = i;
        return i > from ? PART_LITERAL : PART_UNKNOWN; /* a brace that closes nothing */
    }
    bool path = from + 1 < t.n && t.p[from + 1] == '+';
    size_t name = i = from + 1 + path;
    while (i < t.n && (is_alpha(t.p[i]) || is_digit(t.p[i]) || t.p[i] == '_'))
        i++;
    *ret = bz_view_sub(t, name, i - name);
    bool star = i < t.n && t.p[i] == '*';
    i += star;
    *at = i + 1;
    if (ret->n == 0 || (path && star) || i >= t.n || t.p[i] != '}')
        return PART_UNKNOWN;
    return path || star ? PART_PATH : PART_NAME;
}

bool bz_mcp_template_ok(struct bz_view t) {
    struct bz_view text;
    size_t at = 0;
    enum part p = PART_LITERAL, before = PART_END;
    if (!characters_ok(t, "\"<>\\^`|"))
        return false;
    while (p != PART_END && p != PART_UNKNOWN) {
        p = next_part(t, &at, &text);
        if (before == PART_END && p != PART_LITERAL)
            return false; /* the scheme is the server's, never the client's */
        if ((p == PART_NAME || p == PART_PATH) && before != PART_LITERAL)
            return false; /* where one ends and the next begins, nobody could say */
        before = p;
    }
    return p == PART_END;
}

/* %2e, %2f, %5c, controls and broken escapes: what is decoded once more is another path. */
static bool escapes_ok(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] != '%')
            continue;
        uint8_t hex[2] = {0, 0};
        for (size_t k = 0; k < 2 && i + 1 + k < v.n; k++) {
            uint8_t c = v.p[i + 1 + k];
            bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
            hex[k] = (uint8_t)(is_digit(c) ? c - '0' + 1 : letter ? (c | 32) - 'a' + 11 : 0);
        }
        if (hex[0] == 0 || hex[1] == 0)
            return false;
        unsigned c = (hex[0] - 1u) << 4 | (hex[1] - 1u);
        if (c < 0x20 || c == 0x7f || in((uint8_t)c, "./\\%"))
            return false;
    }
    return true;
}

/* No segment is "." or "..". */
static bool segments_ok(struct bz_view v) {
    size_t from = 0;
    for (size_t i = 0; i <= v.n; i++) {
        if (i < v.n && !in(v.p[i], "/?#:"))
            continue;
        struct bz_view s = bz_view_sub(v, from, i - from);
        if (bz_view_eq(s, BZ_V(".")) || bz_view_eq(s, BZ_V("..")))
            return false;
        from = i + 1;
    }
    return true;
}

static bool may_stand(uint8_t c, enum part p) {
    if (is_alpha(c) || is_digit(c) || in(c, "-._~%"))
        return true;
    return p == PART_PATH && in(c, "/:@!$&'()*+,;=");
}

/* here[i]: the parts before may end at i. All ends are followed at once. */
static void step(struct bz_view uri, enum part p, struct bz_view literal, bool *here, bool *there) {
    memset(there, 0, uri.n + 1);
    for (size_t i = 0; i <= uri.n; i++) {
        if (p == PART_LITERAL) {
            if (here[i] && bz_view_starts(bz_view_sub(uri, i, uri.n), literal))
                there[i + literal.n] = true;
        } else if (i < uri.n && (here[i] || there[i]) && may_stand(uri.p[i], p)) {
            there[i + 1] = true;
        }
    }
}

bool bz_mcp_uri_fits(struct bz_view t, struct bz_view uri) {
    bool mem[2][BZ_MCP_URI_MAX + 1], *here = mem[0], *there = mem[1];
    struct bz_view text;
    size_t at = 0;
    if (!bz_mcp_template_ok(t) || !bz_mcp_uri_ok(uri) || !escapes_ok(uri) || !segments_ok(uri))
        return false;
    memset(mem, 0, sizeof mem);
    here[0] = true;
    for (enum part p; (p = next_part(t, &at, &text)) != PART_END;) {
        step(uri, p, text, here, there);
        bool *swap = here;
        here = there;
        there = swap;
    }
    return here[uri.n];
}
