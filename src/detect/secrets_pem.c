/* Private keys, and what else is longer than one match.
 *
 * A line that begins one, headers, base64, a line that ends it. One finding takes what fits into a
 * match; secrets_more goes on. Lines may be parted by escapes ("\n") and by the quotes and signs of a
 * program that builds them. */
#include "secrets.h"

static bool is_one_of(uint8_t c, const char *set) {
    return c != 0 && strchr(set, c) != NULL;
}

enum { PEM_LINE_MIN = 16, PEM_GLUE_MAX = 24 };

static size_t pem_glue(const struct scan *s, size_t i, size_t stop) {
    size_t from = i;
    while (i < stop && i - from < PEM_GLUE_MAX) {
        uint8_t c = s->p[i];
        if (c == '\\' && i + 1 < stop && is_one_of(s->p[i + 1], "nrt\\"))
            i += 2;
        else if (scan_is(c, SC_SPACE) || is_one_of(c, "\"',+>|#*\\"))
            i++;
        else
            break;
    }
    return i;
}

/* "Proc-Type: 4,ENCRYPTED", "Version: GnuPG v2": end of the line, or i. */
static size_t pem_header(const struct scan *s, size_t i, size_t stop) {
    size_t name = i;
    while (name < stop && name - i < 24 && (scan_is(s->p[name], SC_ALPHA) || s->p[name] == '-'))
        name++;
    if (name == stop || (name > i && name + 1 == stop && s->p[name] == ':'))
        return stop; /* who knows */
    if (name == i || s->p[name] != ':' || s->p[name + 1] != ' ')
        return i;
    while (name < stop && !scan_is(s->p[name], SC_EOL) && s->p[name] != '\\')
        name++;
    return name;
}

static size_t base64_run(const struct scan *s, size_t i, size_t stop) {
    while (i < stop && (form_class('b', s->p[i]) || s->p[i] == '='))
        i++;
    return i;
}

/* "-----END RSA PRIVATE KEY-----" at i, as much of it as is there: its end, or i. */
static size_t pem_end(const struct scan *s, size_t i, size_t stop) {
    static const char head[] = "-----END ";
    size_t k = 0;
    while (i + k < stop && k < sizeof head - 1 && s->p[i + k] == (uint8_t)head[k])
        k++;
    if (k < sizeof head - 1 && i + k < stop)
        return i;
    size_t e = i + k;
    while (e < stop && e - i < 60 && (scan_is(s->p[e], SC_UPPER | SC_DIGIT) || s->p[e] == ' '))
        e++;
    while (e < stop && e - i < 70 && s->p[e] == '-')
        e++;
    return e;
}

/* Is [line, after) a line of a key's body, and not a word of prose? middle: it goes on with one. */
static bool body_line(const struct scan *s, size_t line, size_t after, bool begun, bool middle) {
    return after - line >= PEM_LINE_MIN || (middle && after > line) ||
           (begun && after > line && memchr(s->p + line, '=', after - line) != NULL);
}

/* The part of a key's body that begins at i. ret_open: the last byte looked at may be followed by
 * more of the key. */
static size_t pem_body(const struct scan *s, size_t i, size_t stop, bool begun, bool *ret_open) {
    size_t end = i;
    bool middle = begun; /* of a line */
    *ret_open = false;
    for (;;) {
        size_t line = pem_glue(s, i, stop);
        if (line == stop) {
            *ret_open = true;
            return end;
        }
        size_t after = begun ? line : pem_header(s, line, stop);
        if (after > line) {
            i = after;
            continue;
        }
        after = pem_end(s, line, stop);
        if (after > line && !begun && after < stop)
            return end; /* nothing between the two lines */
        if (after > line) {
            *ret_open = after == stop;
            return after;
        }
        after = base64_run(s, line, stop);
        bool whole = body_line(s, line, after, begun, middle && line == i);
        if (after == stop) {
            *ret_open = true;
            return after;
        }
        if (!whole) { /* a short last line counts if the end stands behind it */
            size_t next = pem_glue(s, after, stop);
            *ret_open = next == stop;
            if (!begun || after == line || *ret_open || pem_end(s, next, stop) == next)
                return end;
        }
        begun = true;
        middle = false;
        i = end = after;
    }
}

static size_t match_stop(const struct scan *s, size_t at) {
    return s->n - at > BZ_DETECT_MATCH_MAX ? at + BZ_DETECT_MATCH_MAX : s->n;
}

enum answer secrets_pem(const struct scan *s, size_t end, struct match *ret) {
    static const char key[] = "PRIVATE KEY";
    size_t at = end - 11; /* "-----BEGIN " */
    size_t stop = match_stop(s, at), i = end;
    while (i < stop && i - end < 48 && (scan_is(s->p[i], SC_UPPER | SC_DIGIT) || s->p[i] == ' '))
        i++;
    if (i == s->n) {
        ret->start = at;
        return s->final ? ANSWER_NO : ANSWER_MORE;
    }
    if (s->p[i] != '-' || memmem(s->p + end, i - end, key, sizeof key - 1) == NULL)
        return ANSWER_NO;
    size_t dashes = i;
    while (i < stop && i - dashes < 5 && s->p[i] == '-')
        i++;
    if (i == s->n) {
        ret->start = at;
        return s->final ? ANSWER_NO : ANSWER_MORE;
    }
    bool open;
    size_t body = pem_body(s, i, stop, false, &open);
    if (open && stop == s->n && stop - at < BZ_DETECT_MATCH_MAX && !s->final) {
        ret->start = at;
        return s->final ? ANSWER_NO : ANSWER_MORE;
    }
    if (body <= i || body - i < PEM_LINE_MIN)
        return ANSWER_NO;
    *ret = (struct match){at, body, SECRET_PRIVATE_KEY, BZ_PROOF_CHECKSUM};
    return ANSWER_YES;
}

/* The rest of a token: the run goes on, or a dot joins it. */
static size_t token_rest(const struct scan *s, size_t at, size_t stop) {
    size_t i = at;
    if (scan_at(s, i) == '.' && form_class('k', scan_before(s, i))) {
        if (i + 1 >= s->n)
            return s->final ? at : SECRETS_UNKNOWN;
        i++;
    }
    if (i >= s->n || !form_class('e', s->p[i]) || !form_class('e', scan_before(s, at)))
        return at;
    while (i < stop && (form_class('e', s->p[i]) || s->p[i] == '.'))
        i++;
    return i;
}

size_t secrets_more(const struct scan *s, size_t type, size_t at) {
    size_t stop = match_stop(s, at), end;
    bool open = true;
    switch (type) {
    case SECRET_PRIVATE_KEY:
        if (scan_before(s, at) == '-') /* its last line was there */
            return at;
        end = pem_body(s, at, stop, true, &open);
        break;
    case SECRET_JWT:
    case SECRET_JWT_BASE64:
    case SECRET_PKCS12_FILE:
    case SECRET_FLYIO_ACCESS_TOKEN:
    case SECRET_PYPI_UPLOAD_TOKEN:
    case SECRET_1PASSWORD_SERVICE_ACCOUNT_TOKEN:
    case SECRET_GOOGLE_OAUTH_TOKEN:
        end = at < s->n ? token_rest(s, at, stop) : at;
        open = end != at || at == s->n;
        break;
    default:
        return at;
    }
    if (open && stop == s->n && !s->final)
        return SECRETS_UNKNOWN;
    return end;
}
