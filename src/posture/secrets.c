/* What looks like a secret in a configuration, an environment or an argument. Only names and forms of
 * well-known providers: this says "keep it out of here", not what it opens. Pure. */
#include "posture_int.h"

static const struct {
    const char *prefix;
    uint8_t least; /* bytes in all */
} forms[] = {
    {"sk-", 12},    {"hf_", 20},         {"ghp_", 30},     {"gho_", 30},    {"github_pat_", 30},
    {"glpat-", 20}, {"xoxb-", 20},       {"xoxp-", 20},    {"AKIA", 20},    {"ASIA", 20},
    {"AIza", 35},   {"gsk_", 30},        {"nvapi-", 30},   {"r8_", 30},     {"pplx-", 30},
    {"bz_", 40},    {"-----BEGIN ", 30}, {"eyJhbGci", 30}, {"xai-", 20},    {"tvly-", 20},
    {"lsv2_", 20},  {"pk-lf-", 20},      {"SG.", 40},      {"dop_v1_", 40}, {"npm_", 30},
};

static const char *const names[] = {
    "api_key",     "apikey",     "api-key",    "secret",   "token",      "passwd",   "password",
    "private_key", "access_key", "master_key", "salt_key", "credential", "auth_key", NULL};
/* Names that have such a word in them and hold no secret. */
static const char *const innocent[] = {
    "max_token",   "token_limit", "num_token", "tokenizer",
    "tokens",      "token_path",  "key_file",  "keyfile",
    "_file",       "-file",       "token_ids", "tokens_per",
    "secret_name", "key_name",    "_path",     "passwordauth",
    "token_type",  "eos_token",   "bos_token", "pad_token",
    "unk_token",   "_url",        "key_id",    "tokenizers_parallelism",
    NULL};
/* Values that stand in the place of one. */
static const char *const stand_ins[] = {
    "changeme", "change-me", "your",   "example",   "placeholder", "xxxx",  "<",        "${",
    "dummy",    "none",      "null",   "env:",      "os.environ",  "file:", "redacted", "****",
    "/run/",    "/etc/",     "vault:", "secret://", "{{",          "$(",    NULL};

static bool secret_byte(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("-_.+/=~:", c) != NULL);
}

static bool stand_in(struct bz_view v) {
    for (size_t i = 0; stand_ins[i] != NULL; i++) {
        if (pt_has(bz_view_sub(v, 0, 24), stand_ins[i]))
            return true;
    }
    for (size_t i = 1; i < v.n; i++) {
        if (v.p[i] != v.p[0])
            return false;
    }
    return true; /* empty, or one character over and over */
}

bool pt_secret_value(struct bz_view v) {
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (v.n >= forms[i].least && pt_starts(v, forms[i].prefix))
            return !stand_in(bz_view_sub(v, strlen(forms[i].prefix), v.n));
    }
    return false;
}

bool pt_secret_name(struct bz_view name) {
    for (size_t i = 0; innocent[i] != NULL; i++) {
        if (pt_has(name, innocent[i]))
            return false;
    }
    for (size_t i = 0; names[i] != NULL; i++) {
        if (pt_has(name, names[i]))
            return true;
    }
    return pt_ends(name, "_KEY") || pt_ends(name, "_key") || pt_ends(name, "_PWD") ||
           pt_ends(name, "_PAT");
}

bool pt_secret_pair(struct bz_view name, struct bz_view v) {
    if (pt_secret_value(v))
        return true;
    if (!pt_secret_name(name) || v.n < 6 || stand_in(v) || pt_true(v) || v.p[0] == '/' ||
        pt_is(v, "false") || pt_is(v, "False"))
        return false;
    return pt_num(v, UINT64_MAX) == UINT64_MAX || v.n >= 10;
}

struct bz_view pt_redact(struct bz_arena *ar, struct bz_view v) {
    /* Two characters of what is long enough to lose nothing by them. */
    size_t shown = v.n >= 12 ? 2 : 0;
    for (size_t i = 0; i < shown; i++) {
        if (v.p[i] < 0x21 || v.p[i] > 0x7e)
            shown = 0;
    }
    return pt_fmt(ar, "%.*s*** (%zu bytes)", (int)shown, (const char *)v.p, v.n);
}

/* Splits "NAME=VALUE", "name: value", "\"name\": \"value\"," into both, quotes removed. */
static bool pair_of(struct bz_view line, struct bz_view *name, struct bz_view *value) {
    line = pt_trim(line);
    if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';' || pt_starts(line, "//"))
        return false;
    if (pt_starts(line, "export "))
        line = pt_trim(bz_view_sub(line, 7, line.n));
    if (pt_starts(line, "- "))
        line = pt_trim(bz_view_sub(line, 2, line.n));
    size_t at = 0;
    while (at < line.n && line.p[at] != '=' && line.p[at] != ':')
        at++;
    if (at == 0 || at >= line.n || at > 120)
        return false;
    *name = pt_trim(bz_view_sub(line, 0, at));
    struct bz_view v = pt_trim(bz_view_sub(line, at + 1, line.n));
    while (v.n > 0 && (v.p[v.n - 1] == ',' || v.p[v.n - 1] == ';'))
        v.n--;
    if (v.n >= 2 && (v.p[0] == '"' || v.p[0] == '\'') && v.p[v.n - 1] == v.p[0])
        v = bz_view_sub(v, 1, v.n - 2);
    *value = v;
    return true;
}

/* A known form anywhere in the line. */
static bool form_in(struct bz_view line, struct bz_view *ret) {
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t from = 0;
        for (;;) {
            struct bz_view rest = bz_view_sub(line, from, line.n);
            size_t at = pt_find(rest, forms[i].prefix);
            if (at == SIZE_MAX)
                break;
            size_t n = at;
            while (n < rest.n && (secret_byte(rest.p[n]) || (i == 16 && rest.p[n] == ' ')))
                n++;
            struct bz_view v = bz_view_sub(rest, at, n - at);
            bool edge =
                at == 0 || !secret_byte(rest.p[at - 1]) || strchr("=:", rest.p[at - 1]) != NULL;
            if (edge && pt_secret_value(v)) {
                *ret = v;
                return true;
            }
            from += at + 1;
        }
    }
    return false;
}

bool pt_secret_in(struct bz_arena *ar, struct bz_view text, struct bz_view *ret_what,
                  uint64_t *ret_line) {
    struct bz_view line, name, value;
    uint64_t no = 0;
    while (pt_line(&text, &line)) {
        no++;
        if (pair_of(line, &name, &value) && pt_secret_pair(name, value)) {
            *ret_what = pt_fmt(ar, "%.*s = %.*s", PT_V(bz_view_sub(name, 0, 60)),
                               PT_V(pt_redact(ar, value)));
        } else if (form_in(bz_view_sub(line, 0, 4096), &value)) {
            *ret_what = pt_redact(ar, value);
        } else {
            continue;
        }
        *ret_line = no;
        return true;
    }
    return false;
}
