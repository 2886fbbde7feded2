/* Keys and types of bartizan.yaml. */
#include "config_int.h"

#define STRING(key, type, member)                                                                  \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0, 4096)
#define UINT(key, type, member) CYAML_FIELD_UINT_PTR(key, CYAML_FLAG_OPTIONAL, type, member)
#define BOOL(key, type, member) CYAML_FIELD_BOOL_PTR(key, CYAML_FLAG_OPTIONAL, type, member)
#define MAPPING(key, type, member, fields)                                                         \
    CYAML_FIELD_MAPPING_PTR(key, CYAML_FLAG_OPTIONAL, type, member, fields)
#define LIST(key, type, member, entry, most)                                                       \
    CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, entry, 0,    \
                         most)

static const cyaml_schema_value_t string_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, 4096),
};

static const cyaml_schema_field_t limits_fields[] = {
    UINT("requests_per_minute", struct y_limits, requests_per_minute),
    UINT("requests_burst", struct y_limits, requests_burst),
    UINT("prompt_tokens_per_minute", struct y_limits, prompt_tokens_per_minute),
    UINT("prompt_tokens_burst", struct y_limits, prompt_tokens_burst),
    UINT("completion_tokens_per_minute", struct y_limits, completion_tokens_per_minute),
    UINT("completion_tokens_burst", struct y_limits, completion_tokens_burst),
    UINT("concurrent", struct y_limits, concurrent),
    UINT("body_max", struct y_limits, body_max),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t params_fields[] = {
    UINT("max_tokens", struct y_params, max_tokens),
    UINT("max_choices", struct y_params, max_choices),
    UINT("max_logprobs", struct y_params, max_logprobs),
    UINT("max_stop", struct y_params, max_stop),
    UINT("max_grammar", struct y_params, max_grammar),
    UINT("max_tools", struct y_params, max_tools),
    UINT("max_messages", struct y_params, max_messages),
    UINT("max_inputs", struct y_params, max_inputs),
    UINT("max_media_bytes", struct y_params, max_media_bytes),
    BOOL("allow_token_prompts", struct y_params, allow_token_prompts),
    BOOL("allow_echo", struct y_params, allow_echo),
    BOOL("allow_grammar", struct y_params, allow_grammar),
    BOOL("allow_load_options", struct y_params, allow_load_options),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t tls_fields[] = {
    STRING("certificate", struct y_tls, certificate),
    STRING("key", struct y_tls, key),
    STRING("min_version", struct y_tls, min_version),
    BOOL("hsts", struct y_tls, hsts),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t audit_fields[] = {
    STRING("mode", struct y_audit, mode),
    UINT("wait_ms", struct y_audit, wait_ms),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t registry_fields[] = {
    STRING("mode", struct y_registry, mode),
    BOOL("two_persons", struct y_registry, two_persons),
    LIST("licences", struct y_registry, licences, &string_entry, BZ_LICENCES_MAX),
    LIST("require", struct y_registry, require, &string_entry, 16),
    UINT("check_s", struct y_registry, check_s),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t posture_fields[] = {
    STRING("mode", struct y_posture, mode),
    UINT("max_age_hours", struct y_posture, max_age_hours),
    UINT("max_critical", struct y_posture, max_critical),
    UINT("max_high", struct y_posture, max_high),
    UINT("min_score", struct y_posture, min_score),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t timeouts_fields[] = {
    UINT("connect_s", struct y_timeouts, connect_s), UINT("read_s", struct y_timeouts, read_s),
    UINT("client_s", struct y_timeouts, client_s),   UINT("reply_s", struct y_timeouts, reply_s),
    UINT("stream_s", struct y_timeouts, stream_s),   CYAML_FIELD_END,
};
static const cyaml_schema_field_t run_fields[] = {
    STRING("profile", struct y_run, profile),
    LIST("command", struct y_run, command, &string_entry, BZ_RUN_COMMAND_MAX),
    LIST("models", struct y_run, models, &string_entry, BZ_RUN_LIST_MAX),
    LIST("read", struct y_run, read, &string_entry, BZ_RUN_LIST_MAX),
    LIST("write", struct y_run, write, &string_entry, BZ_RUN_LIST_MAX),
    LIST("env", struct y_run, env, &string_entry, BZ_RUN_LIST_MAX),
    LIST("secrets", struct y_run, secrets, &string_entry, BZ_RUN_LIST_MAX),
    LIST("egress", struct y_run, egress, &string_entry, BZ_RUN_LIST_MAX),
    STRING("memory", struct y_run, memory),
    STRING("tmp", struct y_run, tmp),
    STRING("gpu", struct y_run, gpu),
    STRING("weakened", struct y_run, weakened),
    STRING("posture", struct y_run, posture),
    UINT("pids", struct y_run, pids),
    UINT("files", struct y_run, files),
    UINT("cpu", struct y_run, cpu),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t backend_fields[] = {
    MAPPING("run", struct y_backend, run, run_fields),
    STRING("name", struct y_backend, name),
    STRING("type", struct y_backend, type),
    STRING("url", struct y_backend, url),
    STRING("key_file", struct y_backend, key_file),
    LIST("models", struct y_backend, models, &string_entry, BZ_MODELS_MAX),
    BOOL("keep_alive", struct y_backend, keep_alive),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t model_fields[] = {
    STRING("name", struct y_model, name),
    STRING("target", struct y_model, target),
    STRING("clearance", struct y_model, clearance),
    MAPPING("limits", struct y_model, limits, limits_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t role_fields[] = {
    STRING("name", struct y_role, name),
    BOOL("admin", struct y_role, admin),
    LIST("routes", struct y_role, routes, &string_entry, BZ_SCOPES_MAX),
    LIST("models", struct y_role, models, &string_entry, BZ_MODELS_MAX),
    MAPPING("params", struct y_role, params, params_fields),
    MAPPING("limits", struct y_role, limits, limits_fields),
    MAPPING("user_limits", struct y_role, user_limits, limits_fields),
    STRING("clearance", struct y_role, clearance),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t tool_fields[] = {
    STRING("name", struct y_tool, name),
    STRING("clearance", struct y_tool, clearance),
    STRING("call", struct y_tool, call),
    STRING("effect", struct y_tool, effect),
    BOOL("egress", struct y_tool, egress),
    BOOL("trusted_result", struct y_tool, trusted_result),
    LIST("roles", struct y_tool, roles, &string_entry, BZ_ROLES_MAX),
    CYAML_FIELD_STRING_PTR("schema", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct y_tool,
                           schema, 0, BZ_AGENT_SCHEMA_MAX),
    UINT("repeats", struct y_tool, repeats),
    UINT("uses", struct y_tool, uses),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t effects_fields[] = {
    STRING("read", struct y_effects, of[BZ_EFFECT_READ]),
    STRING("write", struct y_effects, of[BZ_EFFECT_WRITE]),
    STRING("irreversible", struct y_effects, of[BZ_EFFECT_IRREVERSIBLE]),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t agent_fields[] = {
    STRING("unlisted", struct y_agent, unlisted),
    STRING("offers", struct y_agent, offers),
    UINT("calls_max", struct y_agent, calls_max),
    UINT("repeats", struct y_agent, repeats),
    MAPPING("untrusted", struct y_agent, untrusted, effects_fields),
    STRING("leak", struct y_agent, leak),
    STRING("flagged", struct y_agent, flagged),
    LIST("hosts", struct y_agent, hosts, &string_entry, BZ_AGENT_HOSTS_MAX),
    STRING("links", struct y_agent, links),
    STRING("images", struct y_agent, images),
    STRING("tainted_links", struct y_agent, tainted_links),
    STRING("tainted_images", struct y_agent, tainted_images),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t custom_fields[] = {
    STRING("name", struct y_custom, name),
    LIST("words", struct y_custom, words, &string_entry, BZ_CUSTOM_WORDS_MAX),
    STRING("pattern", struct y_custom, pattern),
    BOOL("ignore_case", struct y_custom, ignore_case),
    BOOL("whole_word", struct y_custom, whole_word),
    BOOL("label", struct y_custom, label),
    STRING("level", struct y_custom, level),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t rule_fields[] = {
    LIST("types", struct y_rule, types, &string_entry, BZ_TYPES_MAX),
    STRING("direction", struct y_rule, direction),
    STRING("action", struct y_rule, action),
    LIST("roles", struct y_rule, roles, &string_entry, BZ_ROLES_MAX),
    LIST("models", struct y_rule, models, &string_entry, BZ_MODELS_MAX),
    STRING("level", struct y_rule, level),
    STRING("proof", struct y_rule, proof),
    BOOL("form", struct y_rule, form),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t backend_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct y_backend, backend_fields),
};
static const cyaml_schema_value_t model_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct y_model, model_fields),
};
static const cyaml_schema_value_t role_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct y_role, role_fields),
};
static const cyaml_schema_value_t tool_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct y_tool, tool_fields),
};
static const cyaml_schema_value_t custom_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct y_custom, custom_fields),
};
static const cyaml_schema_value_t rule_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct y_rule, rule_fields),
};
static const cyaml_schema_field_t retention_fields[] = {
    UINT("PUBLIC", struct y_retention, days[BZ_LEVEL_PUBLIC]),
    UINT("INTERNAL", struct y_retention, days[BZ_LEVEL_INTERNAL]),
    UINT("CONFIDENTIAL", struct y_retention, days[BZ_LEVEL_CONFIDENTIAL]),
    UINT("RESTRICTED", struct y_retention, days[BZ_LEVEL_RESTRICTED]),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t bodies_fields[] = {
    STRING("store", struct y_bodies, store),
    MAPPING("retention_days", struct y_bodies, retention_days, retention_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t data_fields[] = {
    STRING("unknown_fields", struct y_data, unknown_fields),
    UINT("restore_s", struct y_data, restore_s),
    UINT("hold_ms", struct y_data, hold_ms),
    MAPPING("bodies", struct y_data, bodies, bodies_fields),
    LIST("custom", struct y_data, custom, &custom_entry, BZ_CUSTOM_MAX),
    LIST("rules", struct y_data, rules, &rule_entry, BZ_DATA_RULES_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t due_fields[] = {
    UINT("kev", struct y_due, hours[BZ_DUE_KEV]),
    UINT("critical", struct y_due, hours[BZ_DUE_CRITICAL]),
    UINT("high", struct y_due, hours[BZ_DUE_HIGH]),
    UINT("medium", struct y_due, hours[BZ_DUE_MEDIUM]),
    UINT("low", struct y_due, hours[BZ_DUE_LOW]),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t advisories_fields[] = {
    LIST("keys", struct y_advisories, keys, &string_entry, 16),
    BOOL("patches", struct y_advisories, patches),
    MAPPING("due_hours", struct y_advisories, due_hours, due_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t judge_fields[] = {
    STRING("flag", struct y_judge, flag),
    STRING("block", struct y_judge, block),
    UINT("flag_at", struct y_judge, flag_at),
    UINT("block_at", struct y_judge, block_at),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t exception_fields[] = {
    LIST("roles", struct y_exception, roles, &string_entry, BZ_ROLES_MAX),
    LIST("models", struct y_exception, models, &string_entry, BZ_MODELS_MAX),
    STRING("mode", struct y_exception, mode),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t exception_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct y_exception, exception_fields),
};
static const cyaml_schema_field_t injection_fields[] = {
    STRING("mode", struct y_injection, mode),
    STRING("detectors", struct y_injection, detectors),
    BOOL("builtin", struct y_injection, builtin),
    MAPPING("user", struct y_injection, user, judge_fields),
    MAPPING("tool", struct y_injection, tool, judge_fields),
    MAPPING("document", struct y_injection, document, judge_fields),
    LIST("rules", struct y_injection, rules, &string_entry, BZ_INJECTION_FILES_MAX),
    LIST("exceptions", struct y_injection, exceptions, &exception_entry,
         BZ_INJECTION_EXCEPTIONS_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t prompt_fields[] = {
    STRING("name", struct y_prompt, name),
    UINT("version", struct y_prompt, version),
    STRING("file", struct y_prompt, file),
    STRING("text", struct y_prompt, text),
    LIST("roles", struct y_prompt, roles, &string_entry, BZ_ROLES_MAX),
    LIST("models", struct y_prompt, models, &string_entry, BZ_MODELS_MAX),
    LIST("routes", struct y_prompt, routes, &string_entry, BZ_SCOPES_MAX),
    STRING("client", struct y_prompt, client),
    STRING("marking", struct y_prompt, marking),
    STRING("tokens", struct y_prompt, tokens),
    BOOL("canary", struct y_prompt, canary),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t prompt_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct y_prompt, prompt_fields),
};
static const cyaml_schema_field_t prompts_fields[] = {
    LIST("keys", struct y_prompts, keys, &string_entry, 16),
    STRING("client", struct y_prompts, client),
    STRING("marking", struct y_prompts, marking),
    STRING("tokens", struct y_prompts, tokens),
    LIST("rules", struct y_prompts, rules, &prompt_entry, BZ_PROMPT_RULES_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t mcp_fields[] = {
    STRING("name", struct y_mcp, name),
    STRING("url", struct y_mcp, url),
    STRING("key_file", struct y_mcp, key_file),
    LIST("roles", struct y_mcp, roles, &string_entry, BZ_ROLES_MAX),
    LIST("versions", struct y_mcp, versions, &string_entry, 16),
    LIST("allow", struct y_mcp, allow, &string_entry, 64),
    UINT("result_max", struct y_mcp, result_max),
    UINT("check_s", struct y_mcp, check_s),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t mcp_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct y_mcp, mcp_fields),
};
static const cyaml_schema_field_t leak_fields[] = {
    STRING("name", struct y_leak, name),
    STRING("file", struct y_leak, file),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t leak_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct y_leak, leak_fields),
};
static const cyaml_schema_field_t leaks_fields[] = {
    STRING("action", struct y_leaks, action),
    UINT("prompt_overlap", struct y_leaks, prompt_overlap),
    BOOL("prompts", struct y_leaks, prompts),
    LIST("secrets", struct y_leaks, secrets, &leak_entry, BZ_LEAK_ITEMS_MAX),
    LIST("texts", struct y_leaks, texts, &leak_entry, BZ_LEAK_ITEMS_MAX),
    CYAML_FIELD_END,
};
/* Nothing is required here: what is missing is reported with the rest of what is wrong, all at
 * once. */
static const cyaml_schema_field_t config_fields[] = {
    UINT("version", struct y_config, version),
    STRING("listen", struct y_config, listen),
    STRING("stage", struct y_config, stage),
    BOOL("plain_http", struct y_config, plain_http),
    LIST("names", struct y_config, names, &string_entry, 256),
    LIST("origins", struct y_config, origins, &string_entry, 256),
    MAPPING("tls", struct y_config, tls, tls_fields),
    UINT("workers", struct y_config, workers),
    MAPPING("audit", struct y_config, audit, audit_fields),
    UINT("body_max", struct y_config, body_max),
    MAPPING("timeouts", struct y_config, timeouts, timeouts_fields),
    LIST("backends", struct y_config, backends, &backend_entry, BZ_BACKENDS_MAX),
    LIST("models", struct y_config, models, &model_entry, BZ_MODELS_MAX),
    LIST("roles", struct y_config, roles, &role_entry, BZ_ROLES_MAX - 2), /* user, admin */
    LIST("tools", struct y_config, tools, &tool_entry, BZ_TOOLS_MAX),
    MAPPING("agent", struct y_config, agent, agent_fields),
    MAPPING("data", struct y_config, data, data_fields),
    MAPPING("registry", struct y_config, registry, registry_fields),
    MAPPING("posture", struct y_config, posture, posture_fields),
    MAPPING("advisories", struct y_config, advisories, advisories_fields),
    LIST("mcp", struct y_config, mcp, &mcp_entry, BZ_MCP_SERVERS_MAX),
    MAPPING("injection", struct y_config, injection, injection_fields),
    MAPPING("prompts", struct y_config, prompts, prompts_fields),
    MAPPING("leaks", struct y_config, leaks, leaks_fields),
    CYAML_FIELD_END,
};
const cyaml_schema_value_t config_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct y_config, config_fields),
};
