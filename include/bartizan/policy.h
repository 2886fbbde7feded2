/* Policy: the configuration (bartizan.yaml), the immutable image that workers map, and the decision over both.
 *
 * bartizand parses the configuration, adds keys, users and the backends' model lists, and builds one image. The image is
 * position independent, has a BLAKE2b seal over everything but the key table, and every offset in it is checked when it is opened;
 * key entries are checked when they are read. A worker maps it read-only and never copies from it. */
#ifndef BARTIZAN_POLICY_H
#define BARTIZAN_POLICY_H

#include <bartizan/agent.h>
#include <bartizan/crypto.h>
#include <bartizan/detect.h>
#include <bartizan/dialect.h>
#include <bartizan/injection.h>
#include <bartizan/limits.h>
#include <bartizan/prompts.h>
#include <bartizan/state.h>

/* ---- configuration ------------------------------------------------------------------------------------------- */

struct bz_limit_set { /* 0: not limited */
    struct bz_rate rate[BZ_METER_COUNT];
    uint32_t concurrent;
    uint64_t body_max; /* bytes of a request body; 0: the instance's */
};

struct bz_run_config { /* a model server that `bartizan up` starts, in a cage; texts as options of `sandbox run` have them */
    char *profile;
    char **command;
    uint32_t command_n;
    char **models, **reads, **writes, **env, **secrets, **egress;
    uint32_t models_n, reads_n, writes_n, env_n, secrets_n, egress_n;
    char *memory, *tmp, *gpu; /* NULL: not said */
    uint32_t pids, files, cpu; /* 0: not said */
    bool weakened;            /* starts although something of the cage is missing */
    bool posture_warn;        /* a cage that failed its probes is complained about; otherwise it gets no requests */
};
struct bz_backend_config {
    char *name;
    enum bz_server type;
    char *url;        /* http://host:port, https://host:port, unix:/path */
    char *key_file;   /* credential for the backend, sent as Authorization: Bearer; NULL: none */
    char **models;    /* NULL: asked from the backend */
    uint32_t models_n;
    bool keep_alive;  /* default true; streamed replies never return to the pool */
    struct bz_run_config *run; /* NULL: somebody else starts it */
};
struct bz_model_config { /* aliases, replicas under one name, and per-model limits */
    char *name;
    char *target;     /* the backend's own name for it; NULL: the same */
    struct bz_limit_set limits;
    uint8_t clearance; /* 1 + enum bz_level; 0: not said. Of a model under all its names the lowest holds */
};
struct bz_role_config {
    char *name;
    bool admin;
    char **routes;    /* scopes; "*" all user scopes */
    uint32_t routes_n;
    char **models;    /* names; "*" all; "prefix*" */
    uint32_t models_n;
    struct bz_param_limits params;
    struct bz_limit_set limits; /* per key of this role */
    struct bz_limit_set user_limits; /* over all keys of one owner */
    uint8_t clearance; /* as above */
};

struct bz_tool_config {
    char *name;        /* or "prefix*"; the first that fits decides */
    uint8_t clearance; /* enum bz_level; lines of one name have the same */
    uint8_t call;      /* enum bz_tool_verdict */
    uint8_t effect;    /* enum bz_effect */
    bool inside;       /* what it is given stays in the house; otherwise it is a way out */
    bool trusted_result;
    char **roles;      /* NULL: all */
    uint32_t roles_n;
    char *schema;      /* of its arguments, JSON; NULL: any */
    uint32_t repeats, uses; /* 0: the default */
};
struct bz_agent_config {
    struct bz_agent_settings set; /* but its hosts */
    char **hosts;
    uint32_t hosts_n;
};

enum bz_direction { BZ_DIRECTION_REQUEST, BZ_DIRECTION_REPLY, BZ_DIRECTION_COUNT };
enum bz_action {       /* of two findings in one text each gets its own; of two for one finding the first rule wins */
    BZ_ACTION_ALLOW,   /* not even recorded */
    BZ_ACTION_RECORD,  /* counts as a finding in the audit record */
    BZ_ACTION_COACH,   /* request: refused once with an explanation; passes (recorded) with a justification */
    BZ_ACTION_MASK,    /* a placeholder takes its place for good */
    BZ_ACTION_RESTORE, /* the same, and whoever sent it gets it back in replies */
    BZ_ACTION_APPROVE, /* request: refused until an administrator has approved this very body; reply: blocked */
    BZ_ACTION_BLOCK,   /* refused; a stream ends with an error event */
    BZ_ACTION_COUNT
};
const char *bz_action_name(enum bz_action a); /* "allow", "record", "coach", "mask", "restore", "approve", "block" */

struct bz_custom_config { /* words or a pattern of the customer; number of the type: built-in ones + its place */
    char *name;
    char **words;          /* NULL: a pattern */
    uint32_t words_n;
    char *pattern;
    bool ignore_case, whole_word;
    bool label;            /* a classification mark: raises the level of the text that it stands in */
    enum bz_level level;
    uint32_t line, column; /* of the words or the pattern in the file */
};
struct bz_data_rule {
    char **names;          /* of types and classes, as written */
    uint32_t names_n;
    struct bz_type_set types; /* what they come to; never placeholders */
    uint8_t directions;    /* bit per enum bz_direction */
    enum bz_action action; /* as written; in replies restore means mask */
    enum bz_proof proof;   /* findings of at least this proof */
    enum bz_level level;   /* texts of at least this level */
    bool form;             /* the placeholder keeps the value's form */
    char **roles, **models; /* NULL: all; models may be "prefix*" and mean a model under all its names */
    uint32_t roles_n, models_n;
    uint32_t line;         /* in the file */
};
struct bz_data_config {
    bool unknown_as_text;  /* fields that no table knows are screened as text; otherwise refused */
    uint32_t restore_s, hold_ms;
    struct bz_custom_config *custom;
    uint32_t custom_n;
    struct bz_data_rule *rules; /* the first that fits decides; after them the defaults */
    uint32_t rules_n;
    bool store_requests, store_replies; /* bodies are kept, sealed; never by default */
    uint32_t keep_days[BZ_LEVEL_COUNT]; /* how long, by the level of the text; 0: without end */
};
struct bz_mcp_config { /* a tool server; it also has a place among the backends, as "mcp:NAME" */
    char *name;          /* route: /mcp/NAME */
    char *path;          /* at the server */
    uint32_t versions;   /* bit per enum bz_mcp_version */
    uint64_t methods;    /* bit per enum bz_mcp_method */
    uint64_t roles;      /* bit per role of this configuration */
    uint64_t result_max; /* bytes */
    uint32_t check_s;    /* how often its tools are looked at */
};
#define BZ_MCP_BACKEND "mcp:" /* begins the names of their backends, and of no other */
enum bz_due { BZ_DUE_KEV, BZ_DUE_CRITICAL, BZ_DUE_HIGH, BZ_DUE_MEDIUM, BZ_DUE_LOW, BZ_DUE_COUNT };
struct bz_advisory_config {
    char **keys;        /* "ed25519:<64 hex digits>": whose packs are taken, beside the built-in key */
    uint32_t keys_n;
    bool patches;       /* rules of advisories hold at the gateway; default true */
    uint32_t due_hours[BZ_DUE_COUNT]; /* from when it was first seen here */
};
/* Texts that try to steer the model: what is looked for, and what becomes of them. */
enum bz_injection_mode {
    BZ_INJECTION_OFF,
    BZ_INJECTION_RECORD, /* findings count in the audit record, nothing is refused */
    BZ_INJECTION_ON
};
const char *bz_injection_mode_name(enum bz_injection_mode m); /* "off", "record", "on" */
struct bz_injection_channel {
    uint8_t flag, block;       /* enum bz_action: allow, record, coach or block */
    uint8_t flag_at, block_at; /* score from which each holds, in hundredths */
};
struct bz_injection_exception { /* the first that fits decides */
    char **roles, **models;     /* NULL: all */
    uint32_t roles_n, models_n;
    enum bz_injection_mode mode;
};
struct bz_injection_config {
    enum bz_injection_mode mode;
    uint8_t detectors; /* BZ_DETECT_* of injection.h */
    bool builtin;      /* the rules that come with Bartizan */
    struct bz_injection_channel channel[BZ_CHANNEL_COUNT];
    char **rules; /* files of the instance */
    uint32_t rules_n;
    struct bz_injection_exception *exceptions;
    uint32_t exceptions_n;
};

/* System prompts that are ours. */
#define BZ_PROMPT_FILE "prompts/%s.v%u.txt" /* where a version lies unless the rule says otherwise */
const char *bz_client_system_name(enum bz_client_system c); /* "keep", "demote", "drop", "refuse" */
const char *bz_token_action_name(enum bz_token_action a);   /* "block", "literal" */
bool bz_prompt_name_ok(struct bz_view name);                /* [a-z0-9][a-z0-9_-]* */
struct bz_prompt_config { /* the first that fits decides */
    char *name;           /* NULL: no prompt of ours, only how the rest is treated */
    uint32_t version;
    char *file;           /* in the instance directory; NULL: */
    char *text;
    char **roles, **models, **routes; /* NULL: all */
    uint32_t roles_n, models_n, routes_n;
    uint8_t client, marking, tokens; /* enum bz_client_system, bz_marking, bz_token_action */
    bool canary;
    uint32_t line, column;
};
struct bz_prompts_config {
    char **keys; /* public keys of minisign; none: prompts need no signature */
    uint32_t keys_n;
    uint8_t client, marking, tokens; /* where no rule fits */
    struct bz_prompt_config *rules;
    uint32_t rules_n;
};
/* What replies are watched for, beside canaries. */
struct bz_leak_entry {
    char *name, *file; /* of the instance */
};
struct bz_leak_config {
    bool record;            /* a leak is recorded, not stopped */
    bool prompts;           /* texts of our own system prompts count; default true */
    uint8_t prompt_overlap; /* see struct bz_leak_options */
    struct bz_leak_entry *secrets, *texts;
    uint32_t secrets_n, texts_n;
};
enum bz_registry_mode {
    BZ_REGISTRY_OFF,
    BZ_REGISTRY_WATCH,   /* what is not approved raises an alert */
    BZ_REGISTRY_ENFORCE, /* and its backend is not used */
};
struct bz_registry_config {
    enum bz_registry_mode mode;
    bool two_persons;   /* whoever adds a model cannot approve it */
    uint32_t check_s;   /* between two looks at what backends have mapped */
    char **licences;    /* SPDX ids that may be registered; none: all */
    char **require;     /* fields of bills of materials that an approved model must have */
    uint32_t licences_n, require_n;
};
enum bz_posture_mode {
    BZ_POSTURE_OFF,
    BZ_POSTURE_WATCH,   /* what is not as asked for raises an alert */
    BZ_POSTURE_ENFORCE, /* and no backend is used */
};
struct bz_posture_config { /* what the host's last audit (posture.h) must say */
    enum bz_posture_mode mode;
    uint32_t max_age_hours, max_critical, max_high, min_score;
};
enum bz_audit_mode { BZ_AUDIT_STRICT, BZ_AUDIT_RELAXED };
enum bz_stage { BZ_STAGE_NONE, BZ_STAGE_DEVELOPMENT, BZ_STAGE_PRODUCTION };
struct bz_config {
    enum bz_stage stage;        /* for messages when two instances want the same thing */
    char *listen;               /* "127.0.0.1:8443" */
    bool plain_http;            /* only with a loopback listen address */
    char **names;               /* Host values that are served, without port */
    uint32_t names_n;
    char **origins;             /* browser origins that may call; none by default */
    uint32_t origins_n;
    char *tls_certificate, *tls_key; /* relative to the instance directory */
    bool tls12;
    bool hsts;
    uint32_t workers;           /* 0: one per core */
    enum bz_audit_mode audit;
    uint32_t audit_wait_ms;     /* how long a request may wait for its record; then 503 */
    uint64_t body_max;
    uint32_t connect_timeout_s, read_timeout_s, client_timeout_s;
    uint32_t reply_timeout_s, stream_timeout_s; /* in all, however it drips */
    struct bz_backend_config *backends;
    uint32_t backends_n;
    struct bz_model_config *models;
    uint32_t models_n;
    struct bz_role_config *roles; /* "user" and "admin" always exist */
    uint32_t roles_n;
    struct bz_tool_config *tools;
    uint32_t tools_n;
    struct bz_agent_config agent;
    struct bz_data_config data;
    struct bz_registry_config registry;
    struct bz_posture_config posture;
    struct bz_advisory_config advisories;
    struct bz_mcp_config *mcp;
    uint32_t mcp_n;
    struct bz_injection_config injection;
    struct bz_prompts_config prompts;
    struct bz_leak_config leaks;
};
struct bz_config_error {
    uint32_t line, column; /* from 1; 0: unknown */
    char path[128];        /* "backends[1].type" */
    char text[256];        /* what is wrong and what to do */
};
/* Parses and validates; all defaults are filled in. At most `cap` errors are reported, *ret_n tells how many there are.
 * OK (ret set, freed with bz_config_free), ESYNTAX (errors filled), ENOMEM. */
enum bz_status bz_config_parse(struct bz_view yaml, struct bz_config **ret, struct bz_config_error *errs, size_t cap,
                               size_t *ret_n) BZ_MUST_USE;
void bz_config_free(struct bz_config *c);
/* Backends with `run` are reached on a socket below the instance directory, which a parser does not know: until this is
 * called their url is "unix:/run/cage/NAME/llm.sock". OK; ETOOBIG (that path is too long for a socket); ENOMEM. */
enum bz_status bz_config_place(struct bz_config *c, const char *dir) BZ_MUST_USE;
/* Compiles the detectors with the configuration's own words and patterns (bz_detect_compile; about 0.1 to 0.5 s).
 * OK; ESYNTAX (*err tells where and why); ETOOBIG, ENOMEM. */
enum bz_status bz_config_compile(const struct bz_config *c, struct bz_buf *out, struct bz_config_error *err) BZ_MUST_USE;
/* The same for configurations whose detectors are the same, in this version of ours. ENOMEM. */
enum bz_status bz_config_compile_key(const struct bz_config *c, uint8_t out[BZ_HASH_LEN]) BZ_MUST_USE;

/* Compiles `tools` and `agent` (bz_agent_compile, into an image's blob). OK; ESYNTAX (*err; a checked configuration has none);
 * ETOOBIG, ENOMEM. */
enum bz_status bz_config_agent(const struct bz_config *c, struct bz_buf *out, struct bz_agent_error *err) BZ_MUST_USE;

/* Types as the detectors number them: built in, then the configuration's own. false: no such number. Lent from c. */
size_t bz_config_types_n(const struct bz_config *c);
bool bz_config_type(const struct bz_config *c, size_t type, struct bz_type *ret);
/* Who decides over a finding of a type, first to last: rules that may fit, then defaults; ends with the first that always
 * fits. At most BZ_DATA_STEPS_MAX. Returns how many. */
#define BZ_DATA_STEPS_MAX (BZ_DATA_RULES_MAX + 4)
struct bz_data_step {
    const struct bz_data_rule *rule; /* NULL: a default */
    enum bz_action action;           /* in this direction */
    enum bz_proof proof;             /* at least */
    const char *why;                 /* of a default: a few words */
};
size_t bz_config_steps(const struct bz_config *c, size_t type, enum bz_direction d, struct bz_data_step out[BZ_DATA_STEPS_MAX]);

/* Names that `routes` of roles and keys may use (beside "*"): the scopes of all route tables. Static texts. */
#define BZ_SCOPES_MAX 64 /* a bit each in a 64-bit mask */
size_t bz_scope_list(const char *out[BZ_SCOPES_MAX]);

/* A backend's url: "http://host[:port]", "https://host[:port]" (a single trailing '/' is fine) or "unix:/path".
 * No user, path, query or fragment: the gateway decides paths. ESYNTAX; diag->why is a sentence for people. */
struct bz_url {
    bool tls;
    bool unix_socket;
    bool numeric;        /* host is an IP address, or localhost: nothing to resolve */
    struct bz_view host; /* without brackets; lent from the text; empty for unix: */
    struct bz_view path; /* of a unix socket */
    uint16_t port;
};
enum bz_status bz_url_parse(struct bz_view text, struct bz_url *ret, struct bz_diag *diag) BZ_MUST_USE;
/* "127.0.0.1:8080", "[::1]:8080" or "unix:/path" (absolute, no control characters): what backend addresses look like. */
bool bz_address_valid(struct bz_view text);

/* ---- keys ---------------------------------------------------------------------------------------------------- */

/* bz_<id 12>_<secret 43><checksum 6>: id and secret in base62, checksum = CRC-32 of everything before it in base62, so that a
 * mistyped or leaked key can be recognised offline. 62^43 > 2^256. */
#define BZ_KEY_ID_TEXT 12
#define BZ_KEY_TEXT (3 + BZ_KEY_ID_TEXT + 1 + 43 + 6)
/* Builds a key from 9 + 32 random bytes; out is NUL-terminated. */
void bz_key_make(const uint8_t rnd[48], char out[BZ_KEY_TEXT + 1]);
/* Form and checksum only; ret_id points into `text`. ESYNTAX. Constant cost for BZ_KEY_TEXT bytes. */
enum bz_status bz_key_split(struct bz_view text, struct bz_view *ret_id) BZ_MUST_USE;
/* What is stored: SHA-256 over the instance's pepper and the whole text. A text has 256 random bits and one length, so this is
 * a keyed hash without HMAC's second pass (no extension, nothing to stretch), at a fifth of BLAKE2b's time on most processors. */
void bz_key_hash(const uint8_t pepper[BZ_KEY_LEN], struct bz_view text, uint8_t out[BZ_HASH_LEN]);

struct bz_key_record { /* as the store has it and the image gets it */
    char id[BZ_KEY_ID_TEXT + 1];
    uint8_t hash[BZ_HASH_LEN];
    char *owner;        /* user name */
    char *role;
    char **routes;      /* scopes; NULL: as the role */
    uint32_t routes_n;
    char **models;      /* NULL: as the role */
    uint32_t models_n;
    uint64_t expires;   /* unix seconds; 0: never */
    uint64_t created;
    bool revoked;       /* stays listed, never authenticates */
    struct bz_limit_set limits; /* zero: as the role */
};

/* ---- image --------------------------------------------------------------------------------------------------- */

struct bz_image_model_input { /* one served name and where */
    const char *name;      /* what clients say */
    const char *target;    /* what the backend is told */
    uint64_t backends;     /* bit per backend index */
};
#define BZ_APPROVAL_LEN 16
struct bz_approval { /* of one body of one owner, see bz_image_approved */
    uint8_t id[BZ_APPROVAL_LEN];
    uint64_t expires; /* unix seconds */
};
struct bz_image_patch { /* a rule that stands in for a fix; about a route or about a parameter */
    struct bz_view id;           /* of the advisory */
    struct bz_view method, path; /* path as in the route tables; method empty: any */
    struct bz_view param;        /* members joined by dots; case does not count */
    bool deny;                   /* any value at all */
    bool has_min, has_max;       /* numbers outside, and whatever is no integer */
    int64_t min, max;
    uint64_t backends;           /* that have no fix yet, a bit each */
};
/* What other rooms compiled for workers: the image carries it, their own open function checks it. Empty: that room does
 * nothing here. */
enum bz_blob {
    BZ_BLOB_INJECTION, /* rules and weights, for bz_injection_open (injection.h) */
    BZ_BLOB_PROMPTS,   /* system prompts and how untrusted text is marked (prompts.h) */
    BZ_BLOB_LEAK,      /* what may not leave (leak.h) */
    BZ_BLOB_AGENT,     /* which tools may be called, how (agent.h) */
    BZ_BLOB_MCP,       /* MCP servers and their pinned tools (mcp.h) */
    BZ_BLOB_JUDGING,   /* what becomes of judged texts (bz_judging_compile); empty: none is judged */
    BZ_BLOB_COUNT
};
struct bz_image_input {
    const struct bz_config *config;
    const struct bz_key_record *keys;
    size_t keys_n;
    const struct bz_image_model_input *models;
    size_t models_n;
    const char *const *backend_credentials; /* per backend; NULL entries: none */
    /* Per backend, as bz_address_valid; NULL (or a NULL entry): the url's own numeric host. A host name that could not be
     * resolved is "": the backend stays listed with an empty address and cannot be reached. */
    const char *const *backend_addresses;
    uint64_t generation;
    uint64_t built_unix;
    uint8_t key_pepper[BZ_KEY_LEN];
    uint8_t digest_key[BZ_KEY_LEN];
    uint8_t limit_seed[16];
    struct bz_view detect_pack;       /* bz_config_compile; empty: nothing is screened (tests only) */
    uint8_t vault_key[BZ_KEY_LEN];
    const uint8_t *body_public; /* BZ_BOX_LEN bytes; NULL: no body is stored, whatever the configuration says */
    const struct bz_approval *approvals; /* in any order */
    size_t approvals_n;
    const struct bz_image_patch *patches; /* at most BZ_ADVISORY_PATCHES_MAX */
    size_t patches_n;
    struct bz_view blob[BZ_BLOB_COUNT]; /* each at most BZ_BLOB_MAX bytes */
};
/* Serialises into `out` (born with a maximum of its own, empty). Cost O(keys); 1,000,000 keys < 200 ms. Revoked keys and keys
 * whose role does not exist are left out: they never authenticate.
 * OK; EEXISTS (a key id, model, approval or backend name twice), EINVAL (an input that bz_config_parse would have refused),
 * ETOOBIG (also: rules for too many different groups of roles and models), ENOMEM. */
enum bz_status bz_image_build(const struct bz_image_input *in, struct bz_buf *out) BZ_MUST_USE;

struct bz_image { /* a checked view of a mapped image */
    struct bz_view bytes;
    const void *head;
};
/* Checks seal, version and every offset. ECORRUPT, EVERSION. The bytes must stay mapped and unchanged, and begin at a place
 * that is a multiple of 16 (a mapping or malloc does). */
enum bz_status bz_image_open(struct bz_view bytes, struct bz_image *ret) BZ_MUST_USE;
uint64_t bz_image_generation(const struct bz_image *img);

struct bz_settings { /* lives as long as the image */
    enum bz_audit_mode audit;
    uint32_t audit_wait_ms;
    uint64_t body_max;
    uint32_t backends_n, models_n, roles_n;
    bool hsts;
    const uint8_t *key_pepper, *digest_key, *limit_seed;
};
void bz_image_settings(const struct bz_image *img, struct bz_settings *ret);
bool bz_image_host_known(const struct bz_image *img, struct bz_view host);     /* without port, case-insensitive */
bool bz_image_origin_known(const struct bz_image *img, struct bz_view origin);

struct bz_backend { /* lent from the image */
    uint32_t index;
    struct bz_view name;
    enum bz_server type;
    bool tls, keep_alive;
    struct bz_view host;          /* Host header for the backend */
    struct bz_view address;       /* "127.0.0.1:8080", "[::1]:8080" or "unix:/path"; numeric, resolved at build; empty: unusable */
    struct bz_view authorization; /* whole header value or empty */
};
bool bz_image_backend(const struct bz_image *img, uint32_t index, struct bz_backend *ret);

struct bz_model {
    uint32_t index;
    struct bz_view name, target;
    uint64_t backends;
    struct bz_limit_set limits;
};
bool bz_image_model(const struct bz_image *img, uint32_t index, struct bz_model *ret);
bool bz_image_model_find(const struct bz_image *img, struct bz_view name, struct bz_model *ret); /* O(1) */

/* Who asks, as found by key id and proven by its hash. Views lent from the image. */
struct bz_principal {
    struct bz_view key_id, owner, role;
    uint32_t role_index;
    bool admin;
    uint64_t expires;
    uint32_t entry; /* slot of the key in this image */
    const uint8_t *hash; /* keyed hash of the key, BZ_HASH_LEN bytes; what bz_image_still_valid wants later */
};
/* Looks the key up and compares its hash in constant time; the same work is done for an unknown id. The checksum is only
 * looked at when that fails, to tell a key of ours from any other text.
 * OK; EDENIED (unknown, wrong, revoked), EEXPIRED, ESYNTAX (no key of ours). now: unix seconds. O(1) in the number of keys. */
enum bz_status bz_image_authenticate(const struct bz_image *img, struct bz_view key_text, uint64_t now,
                                     struct bz_principal *ret) BZ_MUST_USE;
/* Is a principal of an earlier image still the same in this one (not revoked, not expired, same role and owner)?
 * For open streams after a new generation. hash: as authenticated earlier. */
bool bz_image_still_valid(const struct bz_image *img, struct bz_view key_id, const uint8_t hash[BZ_HASH_LEN], uint64_t now,
                          struct bz_principal *ret);
/* May this principal use this route (scope) and model? OK, EDENIED with a static code and sentence. */
struct bz_denial {
    const char *code; /* "route_not_allowed", "model_not_allowed", "admin_only", ... */
    const char *why;
};
enum bz_status bz_authorise_route(const struct bz_image *img, const struct bz_principal *p, const struct bz_route *r,
                                  struct bz_denial *ret) BZ_MUST_USE;
enum bz_status bz_authorise_model(const struct bz_image *img, const struct bz_principal *p, struct bz_view model,
                                  struct bz_denial *ret) BZ_MUST_USE;
void bz_image_params(const struct bz_image *img, const struct bz_principal *p, struct bz_param_limits *ret);
/* What counts for a key: its own limit where it has one (per meter), otherwise its role's. */
void bz_image_limits(const struct bz_image *img, const struct bz_principal *p, struct bz_limit_set *ret_key,
                     struct bz_limit_set *ret_user);

/* ---- data protection ------------------------------------------------------------------------------------------ */

/* What happens to each type, for one role, model, direction and level. In the image, shared by all that have the same. */
struct bz_actions {
    struct bz_type_set of[BZ_PROOF_COUNT][BZ_ACTION_COUNT]; /* [proof][action]; each type in exactly one action per proof */
    struct bz_type_set find;  /* types with any action above allow; for replies also what may have to be restored */
    struct bz_type_set hold;  /* types with any action above record: what a stream waits for; likewise */
    struct bz_type_set form;  /* types whose placeholder keeps the value's form (surrogate: true) */
};
static inline enum bz_action bz_actions_get(const struct bz_actions *a, size_t type, enum bz_proof proof) {
    for (unsigned k = BZ_ACTION_COUNT; k-- > 0;)
        if (bz_type_set_has(&a->of[proof < BZ_PROOF_COUNT ? proof : 0][k], type))
            return (enum bz_action)k;
    return BZ_ACTION_BLOCK; /* not decided: blocks */
}
/* level: of the text so far (types found, marks, the client's own label). model: index in the image; UINT32_MAX: none.
 * A principal, model or level that is none of this image's gets a table that blocks everything.
 * NULL: this image screens nothing (tests of other rooms; bartizand never publishes such a one). O(1). */
const struct bz_actions *bz_image_actions(const struct bz_image *img, const struct bz_principal *p, uint32_t model,
                                          enum bz_direction d, enum bz_level level);

struct bz_data_settings { /* lives as long as the image */
    struct bz_view detect_pack; /* for bz_detect_open; empty: nothing is screened */
    const uint8_t *vault_key;   /* BZ_KEY_LEN */
    uint32_t restore_s;         /* how long a value can be restored */
    uint32_t hold_ms;           /* how long undecided text of a stream may wait for its next piece */
    bool store_requests, store_replies; /* seal bodies to body_public (bodies.h) and leave them in the spool */
    const uint8_t *body_public; /* BZ_BOX_LEN */
    bool refuse_unknown;        /* fields that no table knows: true refuses, false screens them as text */
};
void bz_image_data(const struct bz_image *img, struct bz_data_settings *ret);
/* Highest level that may go to this model, and that this role may see or send. RESTRICTED where nothing is set. */
enum bz_level bz_image_clearance_model(const struct bz_image *img, uint32_t model);
enum bz_level bz_image_clearance_role(const struct bz_image *img, const struct bz_principal *p);
/* Highest level of texts that may be together with this tool, by its name. O(lines of `tools`). */
enum bz_level bz_image_clearance_tool(const struct bz_image *img, struct bz_view name);
/* Was this body (bz_approval_id) approved for this owner, and not yet expired? O(log n). */
bool bz_image_approved(const struct bz_image *img, const uint8_t id[BZ_APPROVAL_LEN], uint64_t now_unix);

/* Begins at a multiple of 64, lives as long as the image; empty: there is none. */
struct bz_view bz_image_blob(const struct bz_image *img, enum bz_blob which);

/* ---- texts that steer -------------------------------------------------------------------------------------------- */

/* What an exception or a rule says about one name of a model holds for all of its names: models are told apart by
 * bz_model_key. Of Ollama's "NAME" and "NAME:latest" it is the shorter. */
struct bz_view bz_model_key(struct bz_view target);
bool bz_model_named(char *const *patterns, uint32_t n, const struct bz_image_model_input *m); /* NULL names all */

/* Settings of the section `injection`, for BZ_BLOB_JUDGING. ETOOBIG, ENOMEM. */
enum bz_status bz_judging_compile(const struct bz_config *c, const struct bz_image_model_input *models, size_t models_n,
                                  struct bz_buf *out) BZ_MUST_USE;
struct bz_judging {
    enum bz_injection_mode mode;
    uint8_t detectors; /* BZ_DETECT_* */
    struct bz_injection_channel channel[BZ_CHANNEL_COUNT];
};
/* What holds for a role and a model (bz_model_key of its target; empty: none is named). ENOTFOUND: an empty blob, nothing is
 * judged; ECORRUPT. O(exceptions). */
enum bz_status bz_judging_find(struct bz_view blob, struct bz_view role, struct bz_view model,
                               struct bz_judging *ret) BZ_MUST_USE;
/* The action for a score in hundredths. */
enum bz_action bz_judging_action(const struct bz_judging *j, enum bz_channel c, unsigned score);

/* ---- virtual patches ------------------------------------------------------------------------------------------- */

/* Rule number i; false: no more. Views lent from the image. */
bool bz_image_patch(const struct bz_image *img, uint32_t i, struct bz_image_patch *ret);

#endif
