/* Secrets that a word before them gives away: a provider's name, "password", "api_key". */
#include "secrets.h"

#include "secrets_words.h"

#define SECRET_WORD(text, group, flags) {text, group, flags},
const struct secret_word secrets_words[] = {SECRETS_WORDS(SECRET_WORD)};
const size_t secrets_words_n = sizeof secrets_words / sizeof secrets_words[0];

const struct secret_row secrets_keyed[] = {
    {SECRET_ADAFRUIT_API_KEY, GROUP_ADAFRUIT, "", "k32", 25, CHECK_NONE, 0},
    {SECRET_ADOBE_CLIENT_ID, GROUP_ADOBE, "", "h32", 20, CHECK_NONE, 0},
    {SECRET_AIRTABLE_API_KEY, GROUP_AIRTABLE, "", "w17", 20, CHECK_NONE, 0},
    {SECRET_ALGOLIA_API_KEY, GROUP_ALGOLIA, "", "w32", 25, CHECK_NONE, 0},
    {SECRET_ALIBABA_SECRET_KEY, GROUP_ALIBABA, "", "w30", 20, CHECK_NONE, 0},
    {SECRET_JFROG_API_KEY, GROUP_ARTIFACTORY, "", "w73", 30, CHECK_NONE, 0},
    {SECRET_JFROG_IDENTITY_TOKEN, GROUP_ARTIFACTORY, "", "w64", 30, CHECK_NONE, 0},
    {SECRET_ASANA_CLIENT_ID, GROUP_ASANA, "", "d16", 15, CHECK_NONE, ROW_DIGITS},
    {SECRET_ASANA_CLIENT_SECRET, GROUP_ASANA, "", "w32", 25, CHECK_NONE, 0},
    {SECRET_ATLASSIAN_API_TOKEN, GROUP_ATLASSIAN, "", "w24", 25, CHECK_NONE, 0},
    {SECRET_CURL_AUTH_HEADER, GROUP_AUTHORIZATION, "", "", 0, CHECK_NONE, ROW_HEADER},
    {SECRET_AUTHORIZATION_HEADER, GROUP_AUTHORIZATION, "", "", 0, CHECK_NONE, ROW_HEADER},
    {SECRET_AWS_SECRET_ACCESS_KEY, GROUP_AWS, "", "b40", 40, CHECK_NONE, 0},
    {SECRET_AZURE_ACCOUNT_KEY, GROUP_AZURE, "", "b86'=='", 40, CHECK_NONE, 0},
    {SECRET_AZURE_ACCOUNT_KEY, GROUP_AZURE, "", "b43'='", 40, CHECK_NONE, 0},
    {SECRET_BEAMER_API_TOKEN, GROUP_BEAMER, "", "'b_'z44", 25, CHECK_NONE, 0},
    {SECRET_CURL_AUTH_HEADER, GROUP_BEARER, "", "", 0, CHECK_NONE, ROW_HEADER},
    {SECRET_AUTHORIZATION_HEADER, GROUP_BEARER, "", "", 0, CHECK_NONE, ROW_HEADER},
    {SECRET_BITBUCKET_CLIENT_ID, GROUP_BITBUCKET, "", "w32", 25, CHECK_NONE, 0},
    {SECRET_BITBUCKET_CLIENT_SECRET, GROUP_BITBUCKET, "", "z64", 30, CHECK_NONE, 0},
    {SECRET_BITTREX_SECRET_KEY, GROUP_BITTREX, "", "w32", 25, CHECK_NONE, ROW_SECRET},
    {SECRET_BITTREX_ACCESS_KEY, GROUP_BITTREX, "", "w32", 25, CHECK_NONE, 0},
    {SECRET_CISCO_MERAKI_API_KEY, GROUP_CISCO, "", "h40", 25, CHECK_NONE, 0},
    {SECRET_CLOUDFLARE_GLOBAL_API_KEY, GROUP_CLOUDFLARE, "", "h37", 25, CHECK_NONE, 0},
    {SECRET_CLOUDFLARE_API_KEY, GROUP_CLOUDFLARE, "", "k40", 25, CHECK_NONE, 0},
    {SECRET_CODECOV_ACCESS_TOKEN, GROUP_CODECOV, "", "w32", 25, CHECK_NONE, 0},
    {SECRET_COHERE_API_TOKEN, GROUP_COHERE, "", "w40", 30, CHECK_NONE, 0},
    {SECRET_COINBASE_ACCESS_TOKEN, GROUP_COINBASE, "", "k64", 30, CHECK_NONE, 0},
    {SECRET_CONFLUENT_ACCESS_TOKEN, GROUP_CONFLUENT, "", "w16", 20, CHECK_NONE, 0},
    {SECRET_CONFLUENT_SECRET_KEY, GROUP_CONFLUENT, "", "w64", 30, CHECK_NONE, 0},
    {SECRET_CONTENTFUL_DELIVERY_API_TOKEN, GROUP_CONTENTFUL, "", "z43", 30, CHECK_NONE, 0},
    {SECRET_DATADOG_ACCESS_TOKEN, GROUP_DATADOG, "", "w40", 30, CHECK_NONE, 0},
    {SECRET_DISCORD_CLIENT_ID, GROUP_DISCORD, "", "d17-20", 15, CHECK_NONE, ROW_DIGITS},
    {SECRET_DISCORD_CLIENT_SECRET, GROUP_DISCORD, "", "z32", 25, CHECK_NONE, 0},
    {SECRET_DISCORD_API_TOKEN, GROUP_DISCORD, "", "h64", 25, CHECK_NONE, 0},
    {SECRET_DISCORD_API_TOKEN, GROUP_DISCORD, "", "k23-28'.'k6'.'k27-38", 30, CHECK_NONE, 0},
    {SECRET_DRONECI_ACCESS_TOKEN, GROUP_DRONECI, "", "w32", 25, CHECK_NONE, 0},
    {SECRET_DROPBOX_API_TOKEN, GROUP_DROPBOX, "", "w15", 20, CHECK_NONE, 0},
    {SECRET_DROPBOX_LONG_LIVED_API_TOKEN, GROUP_DROPBOX, "", "w11'AAAAAAAAAA'z43", 25, CHECK_NONE,
     0},
    {SECRET_ETSY_ACCESS_TOKEN, GROUP_ETSY, "", "w24", 25, CHECK_NONE, 0},
    {SECRET_FACEBOOK_SECRET, GROUP_FACEBOOK, "", "h32", 25, CHECK_NONE, 0},
    {SECRET_FASTLY_API_TOKEN, GROUP_FASTLY, "", "z32", 25, CHECK_NONE, 0},
    {SECRET_FINICITY_API_TOKEN, GROUP_FINICITY, "", "h32", 25, CHECK_NONE, 0},
    {SECRET_FINICITY_CLIENT_SECRET, GROUP_FINICITY, "", "w20", 25, CHECK_NONE, 0},
    {SECRET_FINNHUB_ACCESS_TOKEN, GROUP_FINNHUB, "", "w20", 25, CHECK_NONE, 0},
    {SECRET_FLICKR_ACCESS_TOKEN, GROUP_FLICKR, "", "w32", 25, CHECK_NONE, 0},
    {SECRET_FREEMIUS_SECRET_KEY, GROUP_FREEMIUS, "", "'sk_'P29", 30, CHECK_NONE, 0},
    {SECRET_FRESHBOOKS_ACCESS_TOKEN, GROUP_FRESHBOOKS, "", "w64", 30, CHECK_NONE, 0},
    {SECRET_GCP_SERVICE_ACCOUNT_KEY_ID, GROUP_GCPSA, "", "x40", 25, CHECK_NONE, 0},
    {SECRET_AZURE_AD_CLIENT_SECRET, GROUP_GENERIC, "", "y3d1'Q~'y31-34", 25, CHECK_NONE, 0},
    {SECRET_HASHICORP_TF_API_TOKEN, GROUP_GENERIC, "", "w14'.atlasv1.'z60-70", 30, CHECK_NONE, 0},
    {SECRET_MAILCHIMP_API_KEY, GROUP_GENERIC, "", "h32'-us'd1-2", 25, CHECK_NONE, 0},
    {SECRET_MAILGUN_PRIVATE_API_TOKEN, GROUP_GENERIC, "", "'key-'h32", 25, CHECK_NONE, 0},
    {SECRET_GENERIC_API_KEY, GROUP_GENERIC, "", "", 0, CHECK_NONE, ROW_GENERIC},
    {SECRET_GITLAB_SESSION_COOKIE, GROUP_GITLABCOOKIE, "", "x32", 25, CHECK_NONE, 0},
    {SECRET_GITTER_ACCESS_TOKEN, GROUP_GITTER, "", "z40", 25, CHECK_NONE, 0},
    {SECRET_GOCARDLESS_API_TOKEN, GROUP_GOCARDLESS, "", "'live_'z40", 30, CHECK_NONE, 0},
    {SECRET_HEROKU_API_KEY, GROUP_HEROKU, "", "U", 25, CHECK_NONE, 0},
    {SECRET_HUBSPOT_API_KEY, GROUP_HUBSPOT, "", "U", 25, CHECK_NONE, 0},
    {SECRET_INTERCOM_API_KEY, GROUP_INTERCOM, "", "z60", 30, CHECK_NONE, 0},
    {SECRET_KRAKEN_ACCESS_TOKEN, GROUP_KRAKEN, "", "e80-90", 35, CHECK_NONE, 0},
    {SECRET_KUCOIN_ACCESS_TOKEN, GROUP_KUCOIN, "", "h24", 20, CHECK_NONE, 0},
    {SECRET_KUCOIN_SECRET_KEY, GROUP_KUCOIN, "", "U", 25, CHECK_NONE, 0},
    {SECRET_LAUNCHDARKLY_ACCESS_TOKEN, GROUP_LAUNCHDARKLY, "", "z40", 25, CHECK_NONE, 0},
    {SECRET_LINEAR_CLIENT_SECRET, GROUP_LINEAR, "", "h32", 25, CHECK_NONE, 0},
    {SECRET_LINKEDIN_CLIENT_ID, GROUP_LINKEDIN, "", "w14", 20, CHECK_NONE, 0},
    {SECRET_LINKEDIN_CLIENT_SECRET, GROUP_LINKEDIN, "", "w16", 20, CHECK_NONE, 0},
    {SECRET_LOOKER_CLIENT_ID, GROUP_LOOKER, "", "w20", 20, CHECK_NONE, 0},
    {SECRET_LOOKER_CLIENT_SECRET, GROUP_LOOKER, "", "w24", 20, CHECK_NONE, 0},
    {SECRET_MAILCHIMP_API_KEY, GROUP_MAILCHIMP, "", "h32'-us'd1-2", 25, CHECK_NONE, 0},
    {SECRET_MAILGUN_PRIVATE_API_TOKEN, GROUP_MAILGUN, "", "'key-'h32", 25, CHECK_NONE, 0},
    {SECRET_MAILGUN_SIGNING_KEY, GROUP_MAILGUN, "", "h32'-'h8'-'h8", 25, CHECK_NONE, 0},
    {SECRET_MATTERMOST_ACCESS_TOKEN, GROUP_MATTERMOST, "", "w26", 25, CHECK_NONE, 0},
    {SECRET_MAXMIND_LICENSE_KEY, GROUP_MAXMIND, "", "w6'_'w29'_mmk'", 30, CHECK_NONE, 0},
    {SECRET_MESSAGEBIRD_API_TOKEN, GROUP_MESSAGEBIRD, "", "w25", 25, CHECK_NONE, 0},
    {SECRET_MESSAGEBIRD_CLIENT_ID, GROUP_MESSAGEBIRD, "", "U", 25, CHECK_NONE, 0},
    {SECRET_NETLIFY_ACCESS_TOKEN, GROUP_NETLIFY, "", "z40-46", 30, CHECK_NONE, 0},
    {SECRET_NEW_RELIC_USER_API_ID, GROUP_NEWRELIC, "", "w64", 30, CHECK_NONE, 0},
    {SECRET_NUGET_CONFIG_PASSWORD, GROUP_NUGET, "", "", 0, CHECK_NONE, ROW_PASSWORD},
    {SECRET_NYTIMES_ACCESS_TOKEN, GROUP_NYTIMES, "", "z32", 25, CHECK_NONE, 0},
    {SECRET_OKTA_ACCESS_TOKEN, GROUP_OKTA, "", "'00'z40", 30, CHECK_NONE, 0},
    {SECRET_PASSWORD, GROUP_PASSWORD, "", "", 0, CHECK_NONE, ROW_PASSWORD},
    {SECRET_PLAID_CLIENT_ID, GROUP_PLAID, "", "w24", 25, CHECK_NONE, 0},
    {SECRET_PLAID_SECRET_KEY, GROUP_PLAID, "", "w30", 25, CHECK_NONE, 0},
    {SECRET_PRIVATEAI_API_TOKEN, GROUP_PRIVATEAI, "", "w32", 25, CHECK_NONE, 0},
    {SECRET_RAPIDAPI_ACCESS_TOKEN, GROUP_RAPIDAPI, "", "k50", 30, CHECK_NONE, 0},
    {SECRET_AZURE_SAS_SIGNATURE, GROUP_SAS, "", "S43-64", 35, CHECK_NONE, 0},
    {SECRET_SENDBIRD_ACCESS_ID, GROUP_SENDBIRD, "", "U", 25, CHECK_NONE, 0},
    {SECRET_SENDBIRD_ACCESS_TOKEN, GROUP_SENDBIRD, "", "h40", 25, CHECK_NONE, 0},
    {SECRET_SENTRY_ACCESS_TOKEN, GROUP_SENTRY, "", "h64", 30, CHECK_NONE, 0},
    {SECRET_SIDEKIQ_SECRET, GROUP_SIDEKIQ, "", "h8':'h8", 20, CHECK_NONE, 0},
    {SECRET_SLACK_WEBHOOK_URL, GROUP_SLACKHOOK, "", "b40-80", 25, CHECK_NONE, 0},
    {SECRET_SNYK_API_TOKEN, GROUP_SNYK, "", "U", 25, CHECK_NONE, 0},
    {SECRET_SONAR_API_TOKEN, GROUP_SONAR, "", "z40", 25, CHECK_NONE, 0},
    {SECRET_SOURCEGRAPH_ACCESS_TOKEN, GROUP_SOURCEGRAPH, "", "h40", 25, CHECK_NONE, 0},
    {SECRET_SQUARESPACE_ACCESS_TOKEN, GROUP_SQUARESPACE, "", "U", 25, CHECK_NONE, 0},
    {SECRET_SUMOLOGIC_ACCESS_ID, GROUP_SUMOLOGIC, "", "'su'w12", 20, CHECK_NONE, 0},
    {SECRET_SUMOLOGIC_ACCESS_TOKEN, GROUP_SUMOLOGIC, "", "w64", 30, CHECK_NONE, 0},
    {SECRET_MICROSOFT_TEAMS_WEBHOOK, GROUP_TEAMSHOOK, "", "U'@'U'/IncomingWebhook/'h32'/'U", 25,
     CHECK_NONE, 0},
    {SECRET_TELEGRAM_BOT_API_TOKEN, GROUP_TELEGRAM, "", "d5-16':A'k34", 25, CHECK_NONE, 0},
    {SECRET_HASHICORP_TF_PASSWORD, GROUP_TFPASSWORD, "", "", 0, CHECK_NONE, ROW_PASSWORD},
    {SECRET_TRAVISCI_ACCESS_TOKEN, GROUP_TRAVIS, "", "w22", 25, CHECK_NONE, 0},
    {SECRET_TWITCH_API_TOKEN, GROUP_TWITCH, "", "w30", 25, CHECK_NONE, 0},
    {SECRET_TWITTER_ACCESS_TOKEN, GROUP_TWITTER, "", "d15-25'-'w20-40", 30, CHECK_NONE, 0},
    {SECRET_TWITTER_ACCESS_SECRET, GROUP_TWITTER, "", "w45", 30, CHECK_NONE, 0},
    {SECRET_TWITTER_API_KEY, GROUP_TWITTER, "", "w25", 25, CHECK_NONE, 0},
    {SECRET_TWITTER_API_SECRET, GROUP_TWITTER, "", "w50", 30, CHECK_NONE, 0},
    {SECRET_TWITTER_BEARER_TOKEN, GROUP_TWITTER, "", "'AAAAAAAAAAAAAAAAAAAAA'Q60-110", 30,
     CHECK_NONE, 0},
    {SECRET_TYPEFORM_API_TOKEN, GROUP_TYPEFORM, "", "'tfp_'T59", 30, CHECK_NONE, 0},
    {SECRET_YANDEX_AWS_ACCESS_TOKEN, GROUP_YANDEX, "", "'YC'k38", 30, CHECK_NONE, 0},
    {SECRET_ZENDESK_SECRET_KEY, GROUP_ZENDESK, "", "w40", 30, CHECK_NONE, 0},
};
const size_t secrets_keyed_n = sizeof secrets_keyed / sizeof secrets_keyed[0];

enum {
    GAP_WORDS = 4,  /* words in that gap */
    GAP_MAX = 40,   /* bytes between the word and the operator: "_production_key\"" */
    OPENER_MAX = 8, /* blanks, quotes, brackets between the operator and the value */
    ANNOTATION_MAX = 16,
    VALUE_MAX = 400, /* of a generic value */
    PASSWORD_MAX = 128,
};

size_t secrets_group(unsigned group, size_t *ret_first) {
    size_t first = 0, n = 0;
    while (first < secrets_keyed_n && secrets_keyed[first].group != group)
        first++;
    while (first + n < secrets_keyed_n && secrets_keyed[first + n].group == group)
        n++;
    *ret_first = first;
    return n;
}

static bool is_one_of(uint8_t c, const char *set) {
    return c != 0 && strchr(set, c) != NULL;
}

bool secrets_loud(const struct scan *s, size_t start) {
    size_t least = start > DETECT_QUIET_REACH ? start - DETECT_QUIET_REACH : 0;
    for (size_t i = start + (start < s->n); i-- > least;) {
        uint8_t c = s->p[i];
        if (!scan_is(c, SC_ALPHA | SC_BLANK) && !is_one_of(c, ".,;!?'\"()*-"))
            return true;
    }
    return false;
}

/* Does a name begin at `at`: "lob" in "my_lob_key" and "myLobKey", not in "global". */
static bool name_begins(const struct scan *s, size_t at) {
    uint8_t before = scan_before(s, at), c = scan_at(s, at);
    if (scan_is(before, SC_UPPER))
        return false;
    return !scan_is(before, SC_LOWER) || scan_is(c, SC_UPPER);
}

bool secrets_word_at(const struct scan *s, const struct secret_word *w, size_t at) {
    return scan_lit(s, at, w->text, true) && ((w->flags & WORD_ANY) != 0 || name_begins(s, at));
}

/* " is ", " was ", " are " at i: how many bytes. */
static size_t verb(const struct scan *s, size_t i) {
    static const char *const verbs[] = {" is ", " was ", " are "};
    for (size_t k = 0; k < sizeof verbs / sizeof verbs[0]; k++) {
        if (scan_lit(s, i, verbs[k], true))
            return strlen(verbs[k]);
    }
    return 0;
}

enum { GAP = 1, OPERATOR = 2 };
static const uint8_t gap_mark[128] = {
    ['_'] = GAP,      ['.'] = GAP,      ['-'] = GAP,      ['"'] = GAP,      ['\''] = GAP,
    ['`'] = GAP,      [']'] = GAP,      [')'] = GAP,      ['['] = GAP,      ['*'] = GAP,
    ['\\'] = GAP,     ['='] = OPERATOR, [':'] = OPERATOR, ['>'] = OPERATOR, ['|'] = OPERATOR,
    ['?'] = OPERATOR, ['~'] = OPERATOR, ['+'] = OPERATOR, [','] = OPERATOR, ['('] = OPERATOR,
};

/* Where the gap that begins at i ends: at an operator, behind a verb (is_verb), or 0: neither. */
static size_t gap_end(const struct scan *s, size_t i, bool *is_verb) {
    size_t stop = i + GAP_MAX, blanks = 0;
    *is_verb = false;
    for (; i < s->n && i < stop; i++) {
        uint8_t c = s->p[i];
        if (scan_is(c, SC_ALNUM))
            continue;
        unsigned mark = c < sizeof gap_mark ? gap_mark[c] : 0;
        if (mark == OPERATOR)
            return i;
        if (mark == GAP)
            continue;
        if (!scan_is(c, SC_BLANK))
            return 0;
        if (scan_is(s->p[i - 1], SC_BLANK)) /* aligned */
            continue;
        if (blanks++ == GAP_WORDS)
            return 0;
        size_t is = verb(s, i);
        if (is > 0) {
            *is_verb = true;
            return i + is;
        }
    }
    return 0;
}

/* End of the operator that stands behind a word's name, within a gap of the bytes of names and
 * quotes; 0: none. */
static size_t operator_end(const struct scan *s, size_t from) {
    bool is_verb;
    size_t i = gap_end(s, from, &is_verb);
    if (i == 0 || is_verb)
        return i;
    if (s->p[i] == ',') { /* setenv("API_KEY", "...") and lines of comma-separated values */
        size_t next = scan_run(s, i + 1, SC_BLANK, OPENER_MAX);
        bool args = is_one_of(scan_before(s, i), "\"'`") && is_one_of(scan_at(s, next), "\"'`");
        return args || next == i + 1 ? next : 0;
    }
    if (s->p[i] == '(')
        return is_one_of(scan_at(s, i + 1), "\"'`") ? i + 1 : 0;
    if (s->p[i] == '+' && scan_at(s, i + 1) != '=')
        return 0;
    size_t end = i;
    while (end < s->n && end - i < 4 && is_one_of(s->p[end], "=:>|?~+"))
        end++;
    return end;
}

/* Behind a name's ':' may stand its type: "token: str = ", "key: &'static str = ". */
static size_t skip_annotation(const struct scan *s, size_t i) {
    size_t at = scan_run(s, i, SC_BLANK, 2), word = at;
    while (at < s->n && at - word < ANNOTATION_MAX &&
           (scan_is(s->p[at], SC_ALPHA) || is_one_of(s->p[at], "&'[]<> ")))
        at++;
    if (at == word || scan_at(s, at) != '=')
        return i;
    return at + 1;
}

/* A value on a line of its own: behind "<token>", "token: |", "token: >-". */
static size_t skip_line(const struct scan *s, size_t i) {
    bool block = is_one_of(scan_before(s, i), ">|");
    size_t at = scan_run(s, i, SC_BLANK, 2);
    if (at > i && is_one_of(scan_at(s, at), ">|")) {
        at++;
        at += is_one_of(scan_at(s, at), "+-");
        block = true;
    }
    return block && scan_is(scan_at(s, at), SC_EOL) ? scan_run(s, at, SC_SPACE, 24) : i;
}

static size_t skip_openers(const struct scan *s, size_t i) {
    i = skip_line(s, i);
    size_t stop = i + OPENER_MAX;
    while (i < s->n && i < stop && (scan_is(s->p[i], SC_BLANK) || is_one_of(s->p[i], "\"'`=\\([*")))
        i++;
    if (i + 1 < s->n && is_one_of(s->p[i], "bBrRuUfF@") && is_one_of(s->p[i + 1], "\"'"))
        i += 2; /* Python's and C#'s marked strings */
    return i;
}

bool secrets_value(const struct scan *s, const struct secret_word *w, size_t at, size_t end,
                   size_t *ret_value) {
    if ((w->flags & WORD_ANY) == 0 && !name_begins(s, at))
        return false;
    if ((w->flags & WORD_WHOLE) != 0 && scan_is(scan_at(s, end), SC_ALPHA))
        return false;
    size_t v = end;
    if ((w->flags & WORD_DIRECT) == 0) {
        /* <add key="ClearTextPassword" value="..."> */
        size_t attr = scan_run(s, end, SC_BLANK, 1);
        attr += scan_at(s, attr) == '"';
        attr = scan_run(s, attr, SC_BLANK, 4);
        v = scan_lit(s, attr, "value=", true) ? attr + 6 : operator_end(s, end);
        if (v == 0)
            return false;
        v = skip_annotation(s, v);
        v = skip_openers(s, v);
    }
    if (v >= s->n || v - at >= BZ_DETECT_CONTEXT || !secrets_loud(s, v))
        return false;
    *ret_value = v;
    return true;
}

enum value_kind { VALUE_TOKEN, VALUE_PASSWORD, VALUE_QUERY, VALUE_QUOTED };

static bool in_value(uint8_t c, enum value_kind kind) {
    if (kind == VALUE_TOKEN)
        return scan_is(c, SC_ALNUM) || is_one_of(c, "_.=+/~-");
    if (c <= ' ' || c == 0x7f || is_one_of(c, "\"'`\\"))
        return false;
    return kind == VALUE_QUOTED || !is_one_of(c, kind == VALUE_QUERY ? "<>;,&" : "<>;,");
}

/* End of the value at v; more: the text ends before it does. */
static size_t value_end(const struct scan *s, size_t v, size_t max, enum value_kind kind,
                        bool *more) {
    size_t i = v;
    while (i < s->n && i - v < max && in_value(s->p[i], kind))
        i++;
    *more = i == s->n && i - v < max && !s->final;
    return i;
}

/* The value at v stands in quotes, all of it on one line and without blanks. */
static bool is_quoted(const struct scan *s, size_t v, size_t *ret_end, bool *more) {
    *more = false;
    if (!is_one_of(scan_before(s, v), "\"'`"))
        return false;
    size_t end = value_end(s, v, PASSWORD_MAX, VALUE_QUOTED, more);
    if (!*more && scan_at(s, end) == '\\' && end + 1 == s->n && !s->final)
        *more = true;
    *ret_end = end;
    uint8_t close = scan_at(s, end) == '\\' ? scan_at(s, end + 1) : scan_at(s, end);
    return close == scan_before(s, v);
}

static struct bz_view between(const struct scan *s, size_t from, size_t to) {
    return bz_view(s->p + from, to - from);
}

/* What stands between the word and the value, and the beginning of the name before the word. */
static struct bz_view name_of(const struct scan *s, size_t word, size_t value) {
    size_t least = scan_context(value), from = word;
    while (from > least && word - from < 40 &&
           (scan_is(s->p[from - 1], SC_ALNUM) || is_one_of(s->p[from - 1], "_-.")))
        from--;
    return between(s, from, value);
}

/* The name is one of a type: "AWS::IAM::AccessKey". */
static bool is_scoped(const struct scan *s, struct bz_view name, size_t value) {
    size_t from = (size_t)(name.p - s->p);
    return from > scan_context(value) + 1 && s->p[from - 1] == ':' && s->p[from - 2] == ':';
}

static enum answer try_generic(const struct scan *s, size_t word, size_t v, struct match *ret) {
    static const char *const other[] = {
        "public",      "primary", "foreign", "_id",          "keyid",     "key id",      "_name",
        "_type",       "_url",    "_uri",    "_path",        "_file",     "sha",         "md5",
        "hash",        "digest",  "commit",  "checksum",     "integrity", "etag",        "revision",
        "fingerprint", "cache",   "count",   "sort_",        "partition", "idempotency", "host_key",
        "object",      "version", "author",  "page",         "tokenizer", "max_",        "_limit",
        "keyword",     "modulus", "cursor",  "continuation", "h1:",       "next",        "id\"",
        "id'",         "id:",     "id=",     "id =",         NULL,
    };
    /* what may also be a UUID; the others are rather names of something */
    static const char *const strong[] = {"apikey", "api_key", "api-key", "api key", "secret", NULL};
    bool more;
    size_t end;
    struct bz_view name = name_of(s, word, v);
    if (is_quoted(s, v, &end, &more) && judge_symbols(between(s, v, end)) &&
        !judge_has(name, other) && !is_scoped(s, name, v)) {
        *ret = (struct match){v, end, SECRET_GENERIC_API_KEY, BZ_PROOF_FORM};
        return ANSWER_YES;
    }
    if (!more)
        end = value_end(s, v, VALUE_MAX, VALUE_TOKEN, &more);
    if (more)
        return ANSWER_MORE;
    while (end > v && is_one_of(s->p[end - 1], ".-/~"))
        end--;
    struct bz_view value = between(s, v, end);
    uint8_t next = scan_at(s, end);
    if (value.n < 10 || is_one_of(next, "([{:@%$") || !judge_random(value) ||
        judge_placeholder(value) || (judge_uuid(value) && !judge_has(between(s, word, v), strong)))
        return ANSWER_NO;
    unsigned least = value.n < 24 ? 28 : 32;
    if (form_entropy(value) < least || judge_has(name, other) || is_scoped(s, name, v))
        return ANSWER_NO;
    *ret = (struct match){v, end, SECRET_GENERIC_API_KEY, BZ_PROOF_FORM};
    return ANSWER_YES;
}

static enum answer try_password(const struct scan *s, const struct secret_row *row, size_t word,
                                size_t v, struct match *ret) {
    static const char *const other[] = {"hash",  "_file",  "_path", "_url",    "_policy", "_min",
                                        "_max",  "length", "regex", "pattern", "reset",   "_id",
                                        "field", "label",  "count", "expire",  NULL};
    struct bz_view name = name_of(s, word, v);
    size_t before = (size_t)(name.p - s->p);
    bool query = before > scan_context(v) && is_one_of(s->p[before - 1], "?&");
    bool more;
    size_t end;
    bool quoted = is_quoted(s, v, &end, &more);
    if (!quoted && !more)
        end = value_end(s, v, PASSWORD_MAX, query ? VALUE_QUERY : VALUE_PASSWORD, &more);
    if (more)
        return ANSWER_MORE;
    while (!quoted && end > v && is_one_of(s->p[end - 1], ".:)]}"))
        end--;
    struct bz_view value = between(s, v, end);
    if (end - v >= PASSWORD_MAX || !judge_password(value, quoted) || judge_has(name, other))
        return ANSWER_NO;
    *ret = (struct match){v, end, row->type, BZ_PROOF_CONTEXT};
    return ANSWER_YES;
}

/* "user:password" in base64. */
static bool basic_value(struct bz_view v) {
    uint8_t out[96];
    size_t n = form_base64(v, out, sizeof out);
    for (size_t i = 0; i < n; i++) {
        if (out[i] < 0x20)
            return false;
    }
    return n >= 3 && memchr(out, ':', n) != NULL;
}

static enum answer try_header(const struct scan *s, const struct secret_row *row, size_t word,
                              size_t v, struct match *ret) {
    static const char *const schemes[] = {"bearer ", "basic ", "token ", "api-token ",
                                          "apikey ", "bot ",   NULL};
    static const char *const curl[] = {"curl"};
    bool basic = false, scheme = false;
    for (size_t k = 0; schemes[k] != NULL; k++) {
        if (scan_lit(s, v, schemes[k], true)) {
            v += strlen(schemes[k]);
            basic = k == 1;
            scheme = true;
            break;
        }
    }
    v = skip_openers(s, v);
    bool more;
    size_t end = value_end(s, v, VALUE_MAX, VALUE_TOKEN, &more);
    if (v >= s->n || v - word >= BZ_DETECT_CONTEXT || !secrets_loud(s, v))
        return ANSWER_NO;
    bool command = scan_word_before(s, v, curl, 1);
    if (command != (row->type == SECRET_CURL_AUTH_HEADER))
        return ANSWER_NO;
    if (more) {
        ret->start = v;
        return ANSWER_MORE;
    }
    while (end > v && s->p[end - 1] == '.')
        end--;
    struct bz_view value = between(s, v, end);
    if (judge_placeholder(value) || value.n < 8)
        return ANSWER_NO;
    if (!judge_random(value) && !judge_uuid(value) &&
        !((basic || value.n >= 12) && basic_value(value)))
        return ANSWER_NO;
    if (!scheme && (value.n < 12 || is_scoped(s, name_of(s, word, v), v)))
        return ANSWER_NO;
    *ret = (struct match){v, end, row->type, BZ_PROOF_CONTEXT};
    return ANSWER_YES;
}

static bool has_loud_mark(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        if (!scan_is(v.p[i], SC_ALPHA))
            return true;
    }
    return false;
}

enum answer secrets_try_keyed(const struct scan *s, const struct secret_row *row, size_t word,
                              size_t v, struct match *ret) {
    ret->start = v;
    static const char *const secret[] = {"secret", NULL};
    if (row->flags & ROW_GENERIC)
        return try_generic(s, word, v, ret);
    if (row->flags & ROW_PASSWORD)
        return try_password(s, row, word, v, ret);
    if (row->flags & ROW_HEADER)
        return try_header(s, row, word, v, ret);
    struct form_end e;
    enum answer a = form_match(s, v, row->form, &e);
    if (a != ANSWER_YES)
        return a;
    if (e.cut ||
        (e.end < s->n && (scan_is(s->p[e.end], SC_ALNUM) || is_one_of(s->p[e.end], "_/+=-@"))))
        return ANSWER_NO;
    struct bz_view value = between(s, v, e.end);
    if (form_entropy(value) < row->entropy || judge_placeholder(value) || !has_loud_mark(value))
        return ANSWER_NO;
    if ((row->flags & ROW_SECRET) && !judge_has(between(s, word, v), secret))
        return ANSWER_NO;
    *ret = (struct match){v, e.end, row->type, BZ_PROOF_CONTEXT};
    return ANSWER_YES;
}
