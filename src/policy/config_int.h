/* Inside of the configuration parser: the shape of the file, where things stand in it, and what was
 * found wrong. */
#ifndef BARTIZAN_POLICY_CONFIG_INT_H
#define BARTIZAN_POLICY_CONFIG_INT_H

#include <cyaml/cyaml.h>
#include <yaml.h>
#include <bartizan/arena.h>
#include <bartizan/buf.h>
#include <bartizan/policy.h>

/* The file as it is written. Pointers: NULL where the file says nothing. */
struct y_limits {
    uint64_t *requests_per_minute, *requests_burst;
    uint64_t *prompt_tokens_per_minute, *prompt_tokens_burst;
    uint64_t *completion_tokens_per_minute, *completion_tokens_burst;
    uint64_t *concurrent, *body_max;
};
struct y_params {
    uint64_t *max_tokens, *max_choices, *max_logprobs, *max_stop, *max_grammar, *max_tools;
    uint64_t *max_messages, *max_inputs, *max_media_bytes;
    bool *allow_token_prompts, *allow_echo, *allow_grammar, *allow_load_options;
};
struct y_tls {
    char *certificate, *key, *min_version;
    bool *hsts;
};
struct y_audit {
    char *mode;
    uint64_t *wait_ms;
};
struct y_registry {
    char *mode;
    bool *two_persons;
    char **licences, **require;
    uint32_t licences_count, require_count;
    uint64_t *check_s;
};
struct y_posture {
    char *mode;
    uint64_t *max_age_hours, *max_critical, *max_high, *min_score;
};
struct y_timeouts {
    uint64_t *connect_s, *read_s, *client_s, *reply_s, *stream_s;
};
struct y_run {
    char *profile, *memory, *tmp, *gpu, *weakened, *posture;
    char **command, **models, **read, **write, **env, **secrets, **egress;
    uint32_t command_count, models_count, read_count, write_count, env_count, secrets_count,
        egress_count;
    uint64_t *pids, *files, *cpu;
};
struct y_backend {
    struct y_run *run;
    char *name, *type, *url, *key_file;
    char **models;
    uint32_t models_count;
    bool *keep_alive;
};
struct y_model {
    char *name, *target, *clearance;
    struct y_limits *limits;
};
struct y_role {
    char *name;
    bool *admin;
    char **routes, **models;
    uint32_t routes_count, models_count;
    struct y_params *params;
    struct y_limits *limits, *user_limits;
    char *clearance;
};
struct y_tool {
    char *name, *clearance, *call, *effect, *schema;
    char **roles;
    uint32_t roles_count;
    bool *egress, *trusted_result;
    uint64_t *repeats, *uses;
};
struct y_effects {
    char *of[BZ_EFFECT_COUNT];
};
struct y_agent {
    char *unlisted, *offers, *leak, *flagged, *links, *images, *tainted_links, *tainted_images;
    struct y_effects *untrusted;
    char **hosts;
    uint32_t hosts_count;
    uint64_t *calls_max, *repeats;
};
struct y_custom {
    char *name, *pattern, *level;
    char **words;
    uint32_t words_count;
    bool *ignore_case, *whole_word, *label;
};
struct y_rule {
    char **types, **roles, **models;
    uint32_t types_count, roles_count, models_count;
    char *direction, *action, *level, *proof;
    bool *form;
};
struct y_retention {
    uint64_t *days[BZ_LEVEL_COUNT];
};
struct y_bodies {
    char *store;
    struct y_retention *retention_days;
};
struct y_data {
    char *unknown_fields;
    struct y_bodies *bodies;
    uint64_t *restore_s, *hold_ms;
    struct y_custom *custom;
    struct y_rule *rules;
    uint32_t custom_count, rules_count;
};
struct y_due {
    uint64_t *hours[BZ_DUE_COUNT];
};
struct y_advisories {
    char **keys;
    uint32_t keys_count;
    bool *patches;
    struct y_due *due_hours;
};
struct y_judge {
    char *flag, *block;
    uint64_t *flag_at, *block_at;
};
struct y_exception {
    char **roles, **models, *mode;
    uint32_t roles_count, models_count;
};
struct y_injection {
    char *mode, *detectors;
    bool *builtin;
    struct y_judge *user, *tool, *document;
    char **rules;
    struct y_exception *exceptions;
    uint32_t rules_count, exceptions_count;
};
struct y_prompt {
    char *name, *file, *text, *client, *marking, *tokens;
    uint64_t *version;
    char **roles, **models, **routes;
    uint32_t roles_count, models_count, routes_count;
    bool *canary;
};
struct y_prompts {
    char **keys, *client, *marking, *tokens;
    struct y_prompt *rules;
    uint32_t keys_count, rules_count;
};
struct y_mcp {
    char *name, *url, *key_file;
    char **roles, **versions, **allow;
    uint32_t roles_count, versions_count, allow_count;
    uint64_t *result_max, *check_s;
};
struct y_leak {
    char *name, *file;
};
struct y_leaks {
    char *action;
    uint64_t *prompt_overlap;
    bool *prompts;
    struct y_leak *secrets, *texts;
    uint32_t secrets_count, texts_count;
};
struct y_config {
    uint64_t *version;
    char *listen, *stage;
    bool *plain_http;
    char **names, **origins;
    uint32_t names_count, origins_count;
    struct y_tls *tls;
    uint64_t *workers, *body_max;
    struct y_audit *audit;
    struct y_timeouts *timeouts;
    struct y_backend *backends;
    struct y_model *models;
    struct y_role *roles;
    struct y_tool *tools;
    struct y_agent *agent;
    uint32_t backends_count, models_count, roles_count, tools_count;
    struct y_data *data;
    struct y_registry *registry;
    struct y_posture *posture;
    struct y_advisories *advisories;
    struct y_mcp *mcp;
    uint32_t mcp_count;
    struct y_injection *injection;
    struct y_prompts *prompts;
    struct y_leaks *leaks;
};
extern const cyaml_schema_value_t config_schema; /* of a struct y_config pointer */

/* One parse: the document for positions, and the errors found so far. */
struct cfg {
    yaml_document_t *doc;
    struct bz_config_error *errs;
    size_t cap, n;
};
/* Adds an error at a position (from 1) or at a path such as "backends[1].type". `text` may hold one
 * %s, which is replaced by `arg`, escaped. Beyond `cap` nothing is kept. */
void cfg_fail_at(struct cfg *c, yaml_mark_t at, const char *path, const char *text,
                 struct bz_view arg);
void cfg_fail(struct cfg *c, const char *path, const char *text, const char *arg);

/* Whole text: one document of plain YAML (no anchors, aliases, tags), not too deep. ENOMEM, ESYNTAX
 * (error added). */
enum bz_status cfg_load_document(struct cfg *c, struct bz_view yaml, yaml_document_t *doc);
/* Compares the document with the schema and adds everything that differs. */
void cfg_check_shape(struct cfg *c, const cyaml_schema_value_t *schema);
/* Adds everything that has the right shape and is wrong all the same. */
void cfg_check_meaning(struct cfg *c, const struct y_config *y);

/* Where a path stands in the file. */
yaml_mark_t cfg_mark(const struct cfg *c, const char *path);
/* Building blocks of cfg_check_meaning. */
void cfg_check_range(struct cfg *c, const char *path, const uint64_t *v, uint64_t least,
                     uint64_t most);
void cfg_check_pattern(struct cfg *c, const char *path, const char *s); /* of model names */
void cfg_check_level(struct cfg *c, const char *path, const char *s);   /* NULL is fine */
void cfg_check_data(struct cfg *c, const struct y_config *y);
void cfg_check_run(struct cfg *c, uint32_t i, const struct y_backend *b);
void cfg_check_stage(struct cfg *c, const char *stage); /* NULL is fine */
void cfg_check_posture(struct cfg *c, const struct y_config *y);
void cfg_convert_posture(struct bz_config *out, const struct y_config *y);
void cfg_check_advisories(struct cfg *c, const struct y_config *y); /* config_advisories.c */
void cfg_check_tools(struct cfg *c, const struct y_config *y);      /* config_agent.c */
void cfg_check_leaks(struct cfg *c, const struct y_config *y);      /* config_leaks.c */
void cfg_check_mcp(struct cfg *c, const struct y_config *y);        /* config_mcp.c */
void cfg_check_name(struct cfg *c, const char *path, const char *s);
void cfg_check_file(struct cfg *c, const char *path, const char *s); /* NULL is fine */

void cfg_check_injection(struct cfg *c, const struct y_config *y); /* config_injection.c */
void cfg_check_prompts(struct cfg *c, const struct y_config *y);   /* config_prompts.c */
/* NULL is fine; false: it was none of them, and said so. */
bool cfg_check_choice(struct cfg *c, const char *at, const char *s, const char *const *list,
                      size_t n);
bool cfg_check_own_file(struct cfg *c, const char *at, const char *s);
/* Roles and models that the entry at `base` is about. */
void cfg_check_whom(struct cfg *c, const struct y_config *y, const char *base, char *const *roles,
                    uint32_t roles_n, char *const *models, uint32_t models_n);

/* Into the configuration, after everything was checked. false: out of memory. */
char *cfg_dup(struct bz_arena *ar, const char *s);
char **cfg_dup_list(struct bz_arena *ar, char *const *list, uint32_t n);
bool cfg_convert_run(struct bz_backend_config *out, struct bz_arena *ar, const struct y_backend *b);
enum bz_stage cfg_stage(const char *stage);
bool cfg_convert_data(const struct cfg *c, struct bz_config *out, struct bz_arena *ar,
                      const struct y_config *y);

/* "*" among the names is all of them: *ret is NULL. */
bool cfg_take_whom(struct bz_arena *ar, char *const *list, uint32_t n, char ***ret,
                   uint32_t *ret_n);
bool cfg_convert_injection(struct bz_config *c, struct bz_arena *ar, const struct y_config *y);
bool cfg_convert_prompts(const struct cfg *c, struct bz_config *out, struct bz_arena *ar,
                         const struct y_config *y);
bool cfg_convert_advisories(struct bz_config *out, struct bz_arena *ar, const struct y_config *y);
/* After backends and roles. */
bool cfg_convert_tools(struct bz_config *out, struct bz_arena *ar, const struct y_config *y);
bool cfg_convert_leaks(struct bz_config *out, struct bz_arena *ar, const struct y_config *y);
bool cfg_convert_mcp(struct bz_config *out, struct bz_arena *ar, const struct y_config *y);

/* Letter by letter nearest of the names; NULL when none is near. */
const char *cfg_nearest(struct bz_view name, const char *const *names, size_t n);
bool cfg_model_name_ok(struct bz_view name);

#endif
