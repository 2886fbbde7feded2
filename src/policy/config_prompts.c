/* The section `prompts`: system prompts that are ours, what becomes of a client's own, and how
 * untrusted text is marked. The texts themselves are files, which bartizand reads and checks. */
#include <stdio.h>
#include <bartizan/text.h>
#include "config_int.h"

enum { path_max = 128, minisign_key = 42, versions_max = 999999 };

static const char *const clients[BZ_CLIENT_SYSTEM_COUNT] = {
    [BZ_CLIENT_SYSTEM_KEEP] = "keep",
    [BZ_CLIENT_SYSTEM_DEMOTE] = "demote",
    [BZ_CLIENT_SYSTEM_DROP] = "drop",
    [BZ_CLIENT_SYSTEM_REFUSE] = "refuse",
};
static const char *const token_words[BZ_TOKENS_COUNT] = {
    [BZ_TOKENS_BLOCK] = "block",
    [BZ_TOKENS_LITERAL] = "literal",
};
static const char *const markings[BZ_MARKING_COUNT] = {
    [BZ_MARKING_NONE] = "none",
    [BZ_MARKING_DELIMIT] = "delimit",
    [BZ_MARKING_DATAMARK] = "datamark",
    [BZ_MARKING_ENCODE] = "encode",
};

const char *bz_client_system_name(enum bz_client_system c) {
    return (unsigned)c < BZ_CLIENT_SYSTEM_COUNT ? clients[c] : "?";
}

const char *bz_token_action_name(enum bz_token_action a) {
    return (unsigned)a < BZ_TOKENS_COUNT ? token_words[a] : "?";
}

bool bz_prompt_name_ok(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t b = v.p[i];
        bool plain = (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9');
        if (!plain && (i == 0 || (b != '-' && b != '_')))
            return false;
    }
    return v.n >= 1 && v.n <= BZ_PROMPT_NAME_MAX;
}

/* ---- check ---- */

/* As `minisign -G` prints it: base64 of "Ed", a number and the Ed25519 key. */
static bool is_key(const char *s) {
    uint8_t raw[64];
    size_t n = 0;
    return bz_b64_decode(bz_view_str(s), raw, sizeof raw, &n) == BZ_OK && n == minisign_key &&
           raw[0] == 'E' && raw[1] == 'd';
}

static void at_rule(char out[path_max], uint32_t i, const char *member) {
    (void)snprintf(out, path_max, "prompts.rules[%u]%s%s", i, member[0] == '\0' ? "" : ".", member);
}

static void check_text(struct cfg *c, const struct y_prompts *p, uint32_t i) {
    const struct y_prompt *r = &p->rules[i];
    char at[path_max];
    at_rule(at, i, "version");
    cfg_check_range(c, at, r->version, 1, versions_max);
    if (r->name != NULL && r->version == NULL)
        cfg_fail(c, at, "version is missing; write version: 1 for the first text of a prompt", "");
    at_rule(at, i, "name");
    if (r->name != NULL && !bz_prompt_name_ok(bz_view_str(r->name)))
        cfg_fail(c, at,
                 "\"%s\" is no name of a prompt: a-z and 0-9 first, then also - and _, at "
                 "most 64",
                 r->name);
    if (r->name == NULL &&
        (r->version != NULL || r->file != NULL || r->text != NULL || r->canary != NULL))
        cfg_fail(c, at, "name is missing: version, file, text and canary are about a prompt", "");
    at_rule(at, i, "file");
    if (r->file != NULL && cfg_check_own_file(c, at, r->file) && r->text != NULL)
        cfg_fail(c, at, "file and text exclude each other", "");
    at_rule(at, i, "text");
    if (r->text != NULL && p->keys_count > 0)
        cfg_fail(c, at,
                 "with prompts.keys every prompt is signed, and a signature stands beside a "
                 "file; write the text into one",
                 "");
    if (r->text != NULL && r->text[0] == '\0')
        cfg_fail(c, at, "the text is empty", "");
}

/* One version is one text, whoever gets it. */
static void check_same(struct cfg *c, const struct y_prompts *p, uint32_t i) {
    const struct y_prompt *r = &p->rules[i];
    char at[path_max];
    for (uint32_t k = 0; r->name != NULL && r->version != NULL && k < i; k++) {
        const struct y_prompt *o = &p->rules[k];
        if (o->name == NULL || o->version == NULL || strcmp(o->name, r->name) != 0 ||
            *o->version != *r->version)
            continue;
        bool same_file = (o->file == NULL) == (r->file == NULL) &&
                         (o->file == NULL || strcmp(o->file, r->file) == 0);
        bool same_text = (o->text == NULL) == (r->text == NULL) &&
                         (o->text == NULL || strcmp(o->text, r->text) == 0);
        at_rule(at, i, "version");
        if (!same_file || !same_text)
            cfg_fail(c, at,
                     "this version of \"%s\" has another text in an earlier rule; give the "
                     "new text a new version",
                     r->name);
        return;
    }
}

static void check_routes(struct cfg *c, uint32_t i, const struct y_prompt *r) {
    const char *scopes[BZ_SCOPES_MAX];
    char member[32], at[path_max];
    size_t n = bz_scope_list(scopes);
    for (uint32_t k = 0; k < r->routes_count && c->n < c->cap; k++) {
        (void)snprintf(member, sizeof member, "routes[%u]", k);
        at_rule(at, i, member);
        if (strcmp(r->routes[k], "*") != 0)
            (void)cfg_check_choice(c, at, r->routes[k], scopes, n);
    }
}

static size_t many(uint32_t n) {
    return n == 0 ? 1 : n;
}

static void check_rule(struct cfg *c, const struct y_config *y, uint32_t i) {
    const struct y_prompts *p = y->prompts;
    const struct y_prompt *r = &p->rules[i];
    char at[path_max];
    check_text(c, p, i);
    check_same(c, p, i);
    at_rule(at, i, "");
    cfg_check_whom(c, y, at, r->roles, r->roles_count, r->models, r->models_count);
    if (many(r->roles_count) * many(r->routes_count) > BZ_PROMPT_WHOM_MAX)
        cfg_fail(c, at, "too many pairs of role and route; leave out what is to hold for all", "");
    check_routes(c, i, r);
    at_rule(at, i, "client");
    (void)cfg_check_choice(c, at, r->client, clients, BZ_CLIENT_SYSTEM_COUNT);
    at_rule(at, i, "marking");
    (void)cfg_check_choice(c, at, r->marking, markings, BZ_MARKING_COUNT);
    at_rule(at, i, "tokens");
    (void)cfg_check_choice(c, at, r->tokens, token_words, BZ_TOKENS_COUNT);
}

void cfg_check_prompts(struct cfg *c, const struct y_config *y) {
    const struct y_prompts *p = y->prompts;
    char at[path_max];
    if (p == NULL)
        return;
    for (uint32_t i = 0; i < p->keys_count && c->n < c->cap; i++) {
        (void)snprintf(at, sizeof at, "prompts.keys[%u]", i);
        if (!is_key(p->keys[i]))
            cfg_fail(c, at, "\"%s\" is no public key of minisign: the second line of its .pub file",
                     p->keys[i]);
    }
    (void)cfg_check_choice(c, "prompts.client", p->client, clients, BZ_CLIENT_SYSTEM_COUNT);
    (void)cfg_check_choice(c, "prompts.marking", p->marking, markings, BZ_MARKING_COUNT);
    (void)cfg_check_choice(c, "prompts.tokens", p->tokens, token_words, BZ_TOKENS_COUNT);
    for (uint32_t i = 0; i < p->rules_count && c->n < c->cap; i++)
        check_rule(c, y, i);
}

/* ---- conversion ---- */

static uint8_t choice(const char *s, const char *const *list, size_t n, uint8_t otherwise) {
    for (size_t i = 0; s != NULL && i < n; i++)
        if (strcmp(s, list[i]) == 0)
            return (uint8_t)i;
    return otherwise;
}

static char *file_of(struct bz_arena *ar, const struct y_prompt *r) {
    char mem[BZ_PROMPT_NAME_MAX + 64];
    if (r->file != NULL)
        return cfg_dup(ar, r->file);
    (void)snprintf(mem, sizeof mem, BZ_PROMPT_FILE, r->name, (unsigned)*r->version);
    return cfg_dup(ar, mem);
}

static bool convert_rule(const struct cfg *c, uint32_t i, struct bz_prompts_config *all,
                         struct bz_arena *ar, const struct y_prompt *in) {
    struct bz_prompt_config *r = &all->rules[i];
    char at[path_max];
    at_rule(at, i, "");
    yaml_mark_t mark = cfg_mark(c, at);
    bool ours = in->name != NULL;
    *r = (struct bz_prompt_config){
        .client = choice(in->client, clients, BZ_CLIENT_SYSTEM_COUNT,
                         ours ? BZ_CLIENT_SYSTEM_DEMOTE : all->client),
        .marking = choice(in->marking, markings, BZ_MARKING_COUNT, all->marking),
        .tokens = choice(in->tokens, token_words, BZ_TOKENS_COUNT, all->tokens),
        .canary = ours && (in->canary == NULL || *in->canary),
        .line = (uint32_t)mark.line + 1,
        .column = (uint32_t)mark.column + 1,
    };
    if (ours) {
        r->name = cfg_dup(ar, in->name);
        r->version = (uint32_t)*in->version;
        r->text = cfg_dup(ar, in->text);
        r->file = in->text == NULL ? file_of(ar, in) : NULL;
        if (r->name == NULL || (r->text == NULL && r->file == NULL))
            return false;
    }
    return cfg_take_whom(ar, in->roles, in->roles_count, &r->roles, &r->roles_n) &&
           cfg_take_whom(ar, in->models, in->models_count, &r->models, &r->models_n) &&
           cfg_take_whom(ar, in->routes, in->routes_count, &r->routes, &r->routes_n);
}

bool cfg_convert_prompts(const struct cfg *c, struct bz_config *out, struct bz_arena *ar,
                         const struct y_config *y) {
    static const struct y_prompts nothing;
    const struct y_prompts *in = y->prompts == NULL ? &nothing : y->prompts;
    struct bz_prompts_config *p = &out->prompts;
    p->client = choice(in->client, clients, BZ_CLIENT_SYSTEM_COUNT, BZ_CLIENT_SYSTEM_KEEP);
    p->marking = choice(in->marking, markings, BZ_MARKING_COUNT, BZ_MARKING_NONE);
    p->tokens = choice(in->tokens, token_words, BZ_TOKENS_COUNT, BZ_TOKENS_BLOCK);
    p->keys_n = in->keys_count;
    p->keys = cfg_dup_list(ar, in->keys, in->keys_count);
    p->rules_n = in->rules_count;
    p->rules = bz_arena_zalloc(ar, (p->rules_n + 1u) * sizeof *p->rules);
    if (p->keys == NULL || p->rules == NULL)
        return false;
    for (uint32_t i = 0; i < p->rules_n; i++)
        if (!convert_rule(c, i, p, ar, &in->rules[i]))
            return false;
    return true;
}
