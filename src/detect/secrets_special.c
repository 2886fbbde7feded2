/* Secrets that no table describes. */
#include "secrets.h"

static bool is_one_of(uint8_t c, const char *set) {
    return c != 0 && strchr(set, c) != NULL;
}

static enum answer found(struct match *ret, size_t start, size_t end, size_t type,
                         enum bz_proof proof) {
    *ret = (struct match){start, end, type, proof};
    return ANSWER_YES;
}

static enum answer unknown(const struct scan *s, struct match *ret, size_t start) {
    ret->start = start;
    return s->final ? ANSWER_NO : ANSWER_MORE;
}

static struct bz_view between(const struct scan *s, size_t from, size_t to) {
    return bz_view(s->p + from, to - from);
}

/* ---- JSON web tokens ----
 * header.payload.signature in base64url; the header is a JSON object with the member "alg". */

static bool jwt_header(struct bz_view v) {
    uint8_t out[300];
    static const char alg[] = "\"alg\"";
    size_t n = form_base64(v, out, sizeof out);
    return n > sizeof alg && out[0] == '{' && memmem(out, n, alg, sizeof alg - 1) != NULL;
}

static enum answer jwt(const struct scan *s, size_t end, struct match *ret) {
    size_t at = end - 3, i = at, dots = 0, first = 0;
    if (scan_is(scan_before(s, at), SC_ALNUM) || is_one_of(scan_before(s, at), "_-."))
        return ANSWER_NO;
    while (i < s->n && i - at < BZ_DETECT_MATCH_MAX &&
           (form_class('k', s->p[i]) || (s->p[i] == '.' && dots < 4))) {
        if (s->p[i] == '.' && dots++ == 0)
            first = i;
        i++;
    }
    if (i == s->n && i - at < BZ_DETECT_MATCH_MAX && !s->final)
        return unknown(s, ret, at);
    while (i > at && s->p[i - 1] == '.' && dots > 2) { /* the end of a sentence */
        i--;
        dots--;
    }
    if (dots == 0 || first - at < 16 || i - first < 12 || !jwt_header(between(s, at, first)))
        return ANSWER_NO;
    return found(ret, at, i, SECRET_JWT, BZ_PROOF_CHECKSUM);
}

/* The same in base64 once more. */
static enum answer jwt64(const struct scan *s, size_t end, struct match *ret) {
    size_t at = end - 4, i = at;
    uint8_t out[300];
    if (scan_is(scan_before(s, at), SC_ALNUM))
        return ANSWER_NO;
    while (i < s->n && i - at < BZ_DETECT_MATCH_MAX && form_class('e', s->p[i]))
        i++;
    if (i == s->n && i - at < BZ_DETECT_MATCH_MAX && !s->final)
        return unknown(s, ret, at);
    size_t n = form_base64(between(s, at, i), out, sizeof out);
    const uint8_t *dot = memchr(out, '.', n);
    size_t head = dot == NULL ? n : (size_t)(dot - out);
    if (i - at < 40 || !jwt_header(bz_view(out, head)))
        return ANSWER_NO;
    return found(ret, at, i, SECRET_JWT_BASE64, BZ_PROOF_CHECKSUM);
}

/* ---- user:password@host ---- */

static bool url_byte(uint8_t c) {
    return scan_is(c, SC_ALNUM | SC_HIGH) || is_one_of(c, "-._~%!$*+=^");
}

/* Eight and eight hexadecimal digits before gems.contribsys.com or its sibling. */
static enum answer sidekiq(const struct scan *s, size_t user, size_t at_sign, size_t *ret_end) {
    static const char *const hosts[] = {"gems.contribsys.com", "enterprise.contribsys.com"};
    if (at_sign - user != 17)
        return ANSWER_NO;
    for (size_t i = user; i < at_sign; i++) {
        if (i - user == 8 ? s->p[i] != ':' : !scan_is(s->p[i], SC_HEX))
            return ANSWER_NO;
    }
    size_t host = at_sign + 1;
    for (size_t k = 0; k < 2; k++) {
        size_t len = strlen(hosts[k]), left = s->n - host;
        if (left < len && !s->final && memcmp(hosts[k], s->p + host, left) == 0)
            return ANSWER_MORE;
        if (scan_lit(s, host, hosts[k], false)) {
            *ret_end = host + len;
            return ANSWER_YES;
        }
    }
    return ANSWER_NO;
}

static bool url_placeholder(struct bz_view v) {
    static const char *const same[] = {"password", "passwd", "pass", "pwd",     "secret",
                                       "pw",       "token",  "test", "changeit"};
    for (size_t k = 0; k < sizeof same / sizeof same[0]; k++) {
        if (bz_view_eq_nocase(v, bz_view_str(same[k])))
            return true;
    }
    return judge_placeholder(v);
}

static enum answer url(const struct scan *s, size_t end, struct match *ret) {
    size_t user = end, i = end;
    while (i < s->n && i - user < 64 && url_byte(s->p[i]))
        i++;
    if (i == s->n) /* may be sidekiq's, whose user counts too */
        return unknown(s, ret, user);
    if (s->p[i] != ':')
        return ANSWER_NO;
    size_t pass = ++i;
    while (i < s->n && i - pass < 128 && (url_byte(s->p[i]) || is_one_of(s->p[i], ":")))
        i++;
    if (i == s->n)
        return unknown(s, ret, user);
    if (s->p[i] != '@')
        return ANSWER_NO;
    size_t e;
    enum answer special = sidekiq(s, user, i, &e);
    if (special == ANSWER_MORE)
        return unknown(s, ret, user);
    if (special == ANSWER_YES)
        return found(ret, user, e, SECRET_SIDEKIQ_SENSITIVE_URL, BZ_PROOF_CHECKSUM);
    struct bz_view v = between(s, pass, i);
    if (v.n < 4 || url_placeholder(v))
        return ANSWER_NO;
    return found(ret, pass, i, SECRET_URL_CREDENTIALS, BZ_PROOF_CONTEXT);
}

/* ---- curl -u user:password ---- */

static enum answer curl(const struct scan *s, size_t end, struct match *ret) {
    static const char *const word[] = {"curl"};
    size_t i = end;
    while (i < s->n && i - end < 4 && (scan_is(s->p[i], SC_BLANK) || is_one_of(s->p[i], "=\"'")))
        i++;
    size_t user = i;
    while (i < s->n && i - user < 64 && s->p[i] > ' ' && !is_one_of(s->p[i], ":\"'`"))
        i++;
    if (i >= s->n || s->p[i] != ':')
        return ANSWER_NO;
    i++;
    i += is_one_of(scan_at(s, i), "\"'"); /* user:'password' */
    size_t pass = i;
    while (i < s->n && i - pass < 128 && s->p[i] > ' ' && !is_one_of(s->p[i], "\"'`\\"))
        i++;
    if (i == s->n && !s->final)
        return unknown(s, ret, pass);
    struct bz_view v = between(s, pass, i);
    if (v.n < 3 || url_placeholder(v))
        return ANSWER_NO;
    /* the command may stand lines before */
    if (!scan_word_before(s, pass, word, 1) && (v.n < 8 || !judge_password(v, false)))
        return ANSWER_NO;
    return found(ret, pass, i, SECRET_CURL_AUTH_USER, BZ_PROOF_CONTEXT);
}

/* ---- abc8Q~...: secrets of Entra ID ----
 * Three characters, a digit, "Q~" and 31 to 34 more. Any word could be the first three: the finding
 * begins with the digit (what a name gives away is found whole, see the generic group). */
static enum answer azure(const struct scan *s, size_t end, struct match *ret) {
    if (end < 6 || !scan_is(s->p[end - 3], SC_DIGIT))
        return ANSWER_NO;
    for (size_t i = end - 6; i < end - 3; i++) {
        if (!form_class('y', s->p[i]))
            return ANSWER_NO;
    }
    struct form_end e;
    ret->start = end - 3;
    enum answer a = form_match(s, end, "y31-34", &e);
    if (a != ANSWER_YES)
        return a;
    if (e.cut || form_entropy(between(s, end, e.end)) < 30)
        return ANSWER_NO;
    return found(ret, end - 3, e.end, SECRET_AZURE_AD_CLIENT_SECRET, BZ_PROOF_CHECKSUM);
}

/* ---- 1234567890123456|abc...: access tokens of Facebook; the number is public ---- */
static enum answer facebook(const struct scan *s, size_t end, struct match *ret) {
    size_t bar = end;
    while (bar > 0 && !scan_is(s->p[bar - 1], SC_DIGIT))
        bar--;
    size_t digits = scan_back(s, bar, SC_DIGIT, 17);
    struct form_end e;
    ret->start = end;
    if (bar - digits < 15 || bar - digits > 16)
        return ANSWER_NO;
    enum answer a = form_match(s, end, "k27-40", &e);
    if (a != ANSWER_YES)
        return a;
    struct bz_view v = between(s, end, e.end);
    if (e.cut || form_entropy(v) < 32)
        return ANSWER_NO;
    return found(ret, end, e.end, SECRET_FACEBOOK_ACCESS_TOKEN, BZ_PROOF_FORM);
}

/* ---- 1234567890:AA...: bots of Telegram ---- */

bool secrets_bot_edge(const struct scan *s, size_t at) {
    if (!scan_is(scan_before(s, at), SC_ALNUM))
        return true;
    return at >= 4 && scan_lit(s, at - 4, "/bot", false); /* of its API's addresses */
}

static enum answer telegram(const struct scan *s, size_t end, struct match *ret) {
    size_t colon = end - 3;
    size_t at = scan_back(s, colon, SC_DIGIT, 12);
    struct form_end e;
    ret->start = at;
    if (colon - at < 8 || colon - at > 10 || !secrets_bot_edge(s, at))
        return ANSWER_NO;
    enum answer a = form_match(s, end, "k33", &e);
    if (a != ANSWER_YES)
        return a;
    if (e.cut || form_entropy(between(s, end, e.end)) < 30)
        return ANSWER_NO;
    return found(ret, at, e.end, SECRET_TELEGRAM_BOT_API_TOKEN, BZ_PROOF_CHECKSUM);
}

/* ---- data: / name: base64 (kind: Secret) ----
 * Only what is in sight of "data:". Where "kind: Secret" is not, values must decode to text, so that
 * names are none. */

static bool text_in_base64(struct bz_view v) {
    uint8_t out[300];
    size_t n = form_base64(v, out, sizeof out);
    for (size_t i = 0; i < n; i++) {
        if (out[i] < 0x20 ? out[i] != '\n' && out[i] != '\r' && out[i] != '\t' : out[i] > 0x7e)
            return false;
    }
    return n >= 6;
}

/* Behind the name of an entry at i; 0: none. */
static size_t entry_value(const struct scan *s, size_t i) {
    i += is_one_of(scan_at(s, i), "\"");
    size_t name = i;
    while (i < s->n && i - name < 48 && (scan_is(s->p[i], SC_ALNUM) || is_one_of(s->p[i], "_.-")))
        i++;
    size_t end = i;
    i += is_one_of(scan_at(s, i), "\"");
    if (end == name || scan_at(s, i) != ':')
        return 0;
    i = scan_run(s, i + 1, SC_BLANK, 4);
    if (is_one_of(scan_at(s, i), "|>"))
        i = scan_run(s, i + 1, SC_SPACE, 24);
    return i + is_one_of(scan_at(s, i), "\"'");
}

/* Blanks, brackets and comments between two entries. */
static size_t between_entries(const struct scan *s, size_t i, size_t stop) {
    for (;;) {
        while (i < s->n && i < stop && (scan_is(s->p[i], SC_SPACE) || is_one_of(s->p[i], "\"{,'")))
            i++;
        if (scan_at(s, i) != '#' || i >= stop)
            return i;
        while (i < s->n && i < stop && !scan_is(s->p[i], SC_EOL))
            i++;
    }
}

/* Where the n-th value behind "data:" begins; s->n: none in sight. */
static size_t entry(const struct scan *s, size_t end, size_t stop, unsigned n) {
    size_t i = end;
    for (unsigned k = 0;; k++) {
        size_t value = entry_value(s, between_entries(s, i, stop));
        if (value == 0 || value >= stop || value >= s->n)
            return s->n;
        if (k == n)
            return value;
        i = value;
        while (i < s->n && i < stop && !scan_is(s->p[i], SC_SPACE) && !is_one_of(s->p[i], "\"',"))
            i++;
    }
}

static enum answer kubernetes(const struct scan *s, size_t end, unsigned n, struct match *ret) {
    static const char *const kinds[] = {"kind: secret",     "kind: 'secret",   "kind: \"secret",
                                        "kind\": \"secret", "kind\":\"secret", NULL};
    size_t word = end - 5, value = entry(s, end, word + BZ_DETECT_CONTEXT, n);
    bool inside = scan_is(scan_before(s, word), SC_LOWER); /* "metadata:" */
    if (value == s->n || (inside && !(word >= 6 && scan_lit(s, word - 6, "string", false))))
        return ANSWER_NO;
    struct form_end e;
    ret->start = value;
    enum answer a = form_match(s, value, "S8-400", &e);
    if (a != ANSWER_YES)
        return a;
    struct bz_view v = between(s, value, e.end);
    uint8_t next = scan_at(s, e.end);
    bool over = next == 0 || scan_is(next, SC_SPACE) || is_one_of(next, "\"',}\\");
    if (e.cut || !over || form_entropy(v) < 20 || judge_placeholder(v))
        return ANSWER_NO;
    if (!judge_has(between(s, scan_context(value), value), kinds) && !text_in_base64(v))
        return ANSWER_NO;
    return found(ret, value, e.end, SECRET_KUBERNETES_SECRET_YAML, BZ_PROOF_CONTEXT);
}

static enum answer kubernetes_0(const struct scan *s, size_t end, struct match *ret) {
    return kubernetes(s, end, 0, ret);
}
static enum answer kubernetes_1(const struct scan *s, size_t end, struct match *ret) {
    return kubernetes(s, end, 1, ret);
}
static enum answer kubernetes_2(const struct scan *s, size_t end, struct match *ret) {
    return kubernetes(s, end, 2, ret);
}

enum answer secrets_try_special(const struct scan *s, enum special kind, size_t end,
                                struct match *ret) {
    static enum answer (*const try[SPECIAL_COUNT])(const struct scan *, size_t, struct match *) = {
        [SPECIAL_JWT] = jwt,
        [SPECIAL_JWT64] = jwt64,
        [SPECIAL_PEM] = secrets_pem,
        [SPECIAL_URL] = url,
        [SPECIAL_CURL] = curl,
        [SPECIAL_AZURE] = azure,
        [SPECIAL_FACEBOOK] = facebook,
        [SPECIAL_TELEGRAM] = telegram,
        [SPECIAL_KUBERNETES_0] = kubernetes_0,
        [SPECIAL_KUBERNETES_1] = kubernetes_1,
        [SPECIAL_KUBERNETES_2] = kubernetes_2,
    };
    return kind < SPECIAL_COUNT ? try[kind](s, end, ret) : ANSWER_NO;
}
