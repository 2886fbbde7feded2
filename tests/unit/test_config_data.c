/* The section `data` of bartizan.yaml, clearances, and the order in which rules decide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <bartizan/policy.h>
#include "types_standin.h"

#define BASE                                                                                       \
    "version: 1\nlisten: 127.0.0.1:8443\nbackends:\n"                                              \
    "  - {name: local, type: llama.cpp, url: \"http://127.0.0.1:8080\", models: [tiny, big]}\n"
#define LONG16 "abcdefghijklmnop"
#define LONG64 LONG16 LONG16 LONG16 LONG16
#define LONG128 LONG64 LONG64
#define DATA BASE "data:\n" /* line 5 */

enum { cap = 8 };
static struct bz_config_error errs[cap];
static size_t errs_n;

static struct bz_config *parse(const char *yaml) {
    struct bz_config *c = NULL;
    memset(errs, 0, sizeof errs);
    enum bz_status st = bz_config_parse(bz_view_str(yaml), &c, errs, cap, &errs_n);
    assert_true((st == BZ_OK) == (c != NULL));
    assert_true(st == BZ_OK || st == BZ_ESYNTAX);
    assert_true(st == BZ_OK ? errs_n == 0 : errs_n > 0);
    return c;
}

static struct bz_config *parse_good(const char *yaml) {
    struct bz_config *c = parse(yaml);
    if (c == NULL)
        print_error("%u:%u %s: %s\n%s\n", errs[0].line, errs[0].column, errs[0].path, errs[0].text,
                    yaml);
    assert_non_null(c);
    return c;
}

#define KEY_HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void test_defaults(void **state) {
    struct bz_config *c = parse_good(BASE);
    assert_false(c->data.unknown_as_text);
    assert_int_equal(c->data.restore_s, 3600);
    assert_int_equal(c->data.hold_ms, 2000);
    assert_false(c->data.store_requests || c->data.store_replies);
    assert_int_equal(c->data.keep_days[BZ_LEVEL_PUBLIC], 90);
    assert_int_equal(c->data.keep_days[BZ_LEVEL_RESTRICTED], 1);
    assert_int_equal(c->data.custom_n + c->data.rules_n, 0);
    assert_int_equal(c->roles[0].clearance, 0);
    assert_int_equal(c->tools_n, 0);
    assert_true(c->advisories.patches && c->advisories.keys_n == 0);
    assert_int_equal(c->posture.mode, BZ_POSTURE_OFF);
    assert_int_equal(c->posture.max_age_hours, 168);
    assert_int_equal(c->advisories.due_hours[BZ_DUE_KEV], 72);
    assert_int_equal(bz_config_types_n(c), OWN);
    bz_config_free(c);
}

static const char everything[] = BASE
    "models:\n"
    "  - {name: assistant, target: tiny, clearance: \"INTERNAL\"}\n"
    "roles:\n"
    "  - {name: user, clearance: PUBLIC}\n"
    "registry: {require: [version, supplier, source, released]}\n"
    "posture: {mode: watch, max_age_hours: 8760, max_critical: 10000, min_score: 100}\n"
    "advisories: {patches: false, due_hours: {kev: 24, low: 87600}, keys: [ed25519:" KEY_HEX "]}\n"
    "tools: [{name: \"web.x:/-_*\", clearance: PUBLIC}, {name: B2, clearance: RESTRICTED}]\n"
    "data:\n"
    "  unknown_fields: text\n"
    "  restore_s: 60\n"
    "  hold_ms: 100\n"
    "  bodies: {store: replies, retention_days: {INTERNAL: 0, RESTRICTED: 36500}}\n"
    "  custom:\n"
    "    - {name: PROJECT_NAMES, words: [Falcon, \"Blue Harbour\"], level: RESTRICTED}\n"
    "    - {name: CASE_NUMBER, pattern: \"CASE-[0-9]{6}\", level: INTERNAL}\n"
    "    - {name: HOUSE_MARK, words: [Secret], label: true, level: RESTRICTED,\n"
    "       ignore_case: false, whole_word: false}\n"
    "    - {name: OWN_LAST, pattern: x, ignore_case: true, whole_word: true}\n"
    "  rules:\n"
    "    - {types: [EMAIL_ADDRESS, PROJECT_NAMES], direction: request, action: mask,\n"
    "       roles: [user], models: [assistant, \"b*\"], level: CONFIDENTIAL, proof: context,"
    " form: true}\n"
    "    - {types: [\"*\"], action: coach, roles: [\"*\"], models: [\"*\"]}\n"
    "    - {types: [custom], action: restore}\n"
    "    - {types: [labels, checksum], direction: reply, action: block}\n";

static void test_everything(void **state) {
    struct bz_config *c = parse_good(everything);
    const struct bz_data_config *d = &c->data;
    assert_true(d->unknown_as_text);
    assert_int_equal(d->restore_s, 60);
    assert_int_equal(d->hold_ms, 100);
    assert_true(d->store_replies && !d->store_requests);
    assert_int_equal(d->keep_days[BZ_LEVEL_INTERNAL], 0);
    assert_int_equal(d->keep_days[BZ_LEVEL_CONFIDENTIAL], 7);
    assert_int_equal(d->keep_days[BZ_LEVEL_RESTRICTED], 36500);
    assert_int_equal(c->models[0].clearance, 1 + BZ_LEVEL_INTERNAL);
    assert_int_equal(c->roles[0].clearance, 1 + BZ_LEVEL_PUBLIC);
    assert_false(c->advisories.patches);
    assert_int_equal(c->posture.mode, BZ_POSTURE_WATCH);
    assert_int_equal(c->posture.max_age_hours, 8760);
    assert_int_equal(c->posture.max_critical, 10000);
    assert_int_equal(c->posture.min_score, 100);
    assert_int_equal(c->advisories.due_hours[BZ_DUE_KEV], 24);
    assert_int_equal(c->advisories.due_hours[BZ_DUE_HIGH], 720);
    assert_int_equal(c->advisories.due_hours[BZ_DUE_LOW], 87600);
    assert_int_equal(c->advisories.keys_n, 1);
    assert_string_equal(c->advisories.keys[0], "ed25519:" KEY_HEX);
    assert_int_equal(c->tools_n, 2);
    assert_string_equal(c->tools[0].name, "web.x:/-_*");
    assert_int_equal(c->tools[0].clearance, BZ_LEVEL_PUBLIC);
    assert_int_equal(c->tools[1].clearance, BZ_LEVEL_RESTRICTED);
    assert_int_equal(d->custom_n, 4);
    assert_string_equal(d->custom[0].words[1], "Blue Harbour");
    assert_true(d->custom[0].ignore_case && d->custom[0].whole_word && !d->custom[0].label);
    assert_int_equal(d->custom[0].level, BZ_LEVEL_RESTRICTED);
    assert_null(d->custom[1].words);
    assert_string_equal(d->custom[1].pattern, "CASE-[0-9]{6}");
    assert_false(d->custom[1].ignore_case || d->custom[1].whole_word);
    assert_int_equal(d->custom[1].line, 20);
    assert_int_equal(d->custom[1].column, 36);
    assert_true(d->custom[2].label && !d->custom[2].ignore_case && !d->custom[2].whole_word);
    assert_true(d->custom[3].ignore_case && d->custom[3].whole_word);
    assert_int_equal(d->custom[3].level, BZ_LEVEL_CONFIDENTIAL);
    assert_int_equal(d->rules_n, 4);
    const struct bz_data_rule *r = &d->rules[0];
    assert_int_equal(r->types.w[0], 1u << EMAIL | 1u << OWN);
    assert_int_equal(r->directions, 1 << BZ_DIRECTION_REQUEST);
    assert_int_equal(r->action, BZ_ACTION_MASK);
    assert_int_equal(r->proof, BZ_PROOF_CONTEXT);
    assert_int_equal(r->level, BZ_LEVEL_CONFIDENTIAL);
    assert_true(r->form);
    assert_string_equal(r->roles[0], "user");
    assert_int_equal(r->models_n, 2);
    assert_int_equal(r->line, 25);
    r = &d->rules[1]; /* all types but placeholders; who asks, asks before sending */
    assert_int_equal(r->types.w[0], 0x7fe);
    assert_int_equal(r->types.w[7], 0);
    assert_int_equal(r->directions, 1 << BZ_DIRECTION_REQUEST);
    assert_null(r->roles);
    assert_null(r->models);
    assert_int_equal(d->rules[2].types.w[0], 1u << OWN | 1u << (OWN + 1) | 1u << (OWN + 3));
    assert_int_equal(d->rules[2].directions, 1 << BZ_DIRECTION_REQUEST | 1 << BZ_DIRECTION_REPLY);
    assert_int_equal(d->rules[3].types.w[0], 1u << TLP | 1u << CARD | 1u << (OWN + 2));
    assert_int_equal(d->rules[3].directions, 1 << BZ_DIRECTION_REPLY);
    struct bz_type t;
    assert_int_equal(bz_config_types_n(c), OWN + 4);
    assert_true(bz_config_type(c, OWN + 2, &t));
    assert_string_equal(t.name, "HOUSE_MARK");
    assert_int_equal(t.cls, BZ_CLASS_LABEL);
    assert_int_equal(t.level, BZ_LEVEL_RESTRICTED);
    assert_false(bz_config_type(c, OWN + 4, &t));
    bz_config_free(c);
}

#define RULE(x) DATA "  rules: [{" x "}]\n"      /* the first member begins at 6:12 */
#define OWN_TYPE(x) DATA "  custom: [{" x "}]\n" /* at 6:13 */

static const struct {
    const char *yaml;
    uint32_t line, column;
    const char *path, *text;
} bad[] = {
    {DATA "  hold_m: 5\n", 6, 3, "data", "did you mean \"hold_ms\""},
    {DATA "  unknown_fields: pass\n", 6, 19, "data.unknown_fields", "refuse or text"},
    {DATA "  restore_s: 0\n", 6, 14, "data.restore_s", "from 1 to 2592000"},
    {DATA "  restore_s: 2592001\n", 6, 14, "data.restore_s", "from 1 to 2592000"},
    {DATA "  bodies: {store: all}\n", 6, 19, "data.bodies.store",
     "none, requests, replies or both"},
    {DATA "  bodies: {retention_days: {PUBLIC: 36501}}\n", 6, 37,
     "data.bodies.retention_days.PUBLIC", "from 0 to 36500"},
    {DATA "  hold_ms: 9\n", 6, 12, "data.hold_ms", "from 10 to 60000"},
    {DATA "  hold_ms: 60001\n", 6, 12, "data.hold_ms", "from 10 to 60000"},
    /* clearances */
    {BASE "models: [{name: a, clearance: internal use}]\n", 5, 31, "models[0].clearance",
     "no level"},
    {BASE "roles: [{name: user, clearance: CONFIDENTAL}]\n", 5, 33, "roles[0].clearance",
     "did you mean CONFIDENTIAL"},
    /* advisories */
    {BASE "advisories: {keys: [ed25519:00]}\n", 5, 21, "advisories.keys[0]", "is no key"},
    {BASE "advisories: {keys: [\"" KEY_HEX "\"]}\n", 5, 21, "advisories.keys[0]", "is no key"},
    {BASE "registry: {require: [licence]}\n", 5, 22, "registry.require[0]", "always required"},
    {BASE "registry: {require: [source, source]}\n", 5, 30, "registry.require[1]", "twice"},
    {BASE "posture: {mode: on}\n", 5, 17, "posture.mode", "write off, watch or enforce"},
    {BASE "posture: {max_age_hours: 0}\n", 5, 26, "posture.max_age_hours", "1 to 8760"},
    {BASE "posture: {max_age_hours: 8761}\n", 5, 26, "posture.max_age_hours", "1 to 8760"},
    {BASE "posture: {min_score: 101}\n", 5, 22, "posture.min_score", "0 to 100"},
    {BASE "posture: {max_high: 10001}\n", 5, 21, "posture.max_high", "0 to 10000"},
    {BASE "advisories: {due_hours: {kev: 0}}\n", 5, 31, "advisories.due_hours.kev",
     "from 1 to 87600"},
    {BASE "advisories: {due_hours: {low: 87601}}\n", 5, 31, "advisories.due_hours.low",
     "from 1 to"},
    {BASE "advisories: {due_hours: {lo: 1}}\n", 5, 26, "advisories.due_hours",
     "did you mean \"low\""},
    /* tools */
    {BASE "tools: [{name: web, clearance: HIGH}]\n", 5, 32, "tools[0].clearance", "no level"},
    {BASE "tools: [{name: web, clearance: INTERNALS}]\n", 5, 32, "tools[0].clearance",
     "did you mean INTERNAL"},
    {BASE "tools: [{name: web, call: perhaps}]\n", 5, 27, "tools[0].call", "allow, approve or deny"},
    {BASE "tools: [{name: web, effect: none}]\n", 5, 29, "tools[0].effect", "irreversible"},
    {BASE "tools: [{name: web, roles: [nobody]}]\n", 5, 29, "tools[0].roles[0]", "no role"},
    {BASE "tools: [{name: web, uses: 0}]\n", 5, 27, "tools[0].uses", "1"},
    {BASE "tools: [{name: web, repeats: 0}]\n", 5, 30, "tools[0].repeats", "1"},
    {BASE "tools: [{name: web, egress: maybe}]\n", 5, 29, "tools[0].egress", "neither true nor"},
    {BASE "tools: [{name: web, schema: '{}'}]\n", 5, 29, "tools[0].schema", "schema.type"},
    {BASE "tools: [{name: web, schema: '{\"type\":\"object\",\"anyOf\":[]}'}]\n", 5, 29,
     "tools[0].schema", "schema.anyOf: this keyword is not known"},
    {BASE "tools: [{name: web, roles: [user]}, {name: web, clearance: PUBLIC}]\n", 5, 60,
     "tools[1].clearance", "one clearance"},
    {BASE "agent: {unlisted: perhaps}\n", 5, 19, "agent.unlisted", "allow or deny"},
    {BASE "agent: {offers: keep}\n", 5, 17, "agent.offers", "refuse or remove"},
    {BASE "agent: {leak: no}\n", 5, 15, "agent.leak", "approve"},
    {BASE "agent: {links: rewrite}\n", 5, 16, "agent.links", "defang"},
    {BASE "agent: {calls_max: 0}\n", 5, 20, "agent.calls_max", "1"},
    {BASE "agent: {untrusted: {write: never}}\n", 5, 28, "agent.untrusted.write", "deny"},
    {BASE "agent: {untrusted: {delete: deny}}\n", 5, 21, "agent.untrusted", "unknown key"},
    {BASE "agent: {hosts: ['https://a.example']}\n", 5, 17, "agent.hosts[0]", "no host"},
    {BASE "agent: {hosts: ['*']}\n", 5, 17, "agent.hosts[0]", "no host"},
    {BASE "tools: [{clearance: PUBLIC}]\n", 5, 9, "tools[0].name", "name is missing"},
    {BASE "tools: [{name: \"\", clearance: PUBLIC}]\n", 5, 16, "tools[0].name", "is empty"},
    {BASE "tools: [{name: \"w*b\", clearance: PUBLIC}]\n", 5, 16, "tools[0].name", "at the end"},
    {BASE "tools: [{name: \"we b\", clearance: PUBLIC}]\n", 5, 16, "tools[0].name",
     "no tool's name"},
    {BASE "tools: [{name: " LONG128 "x, clearance: PUBLIC}]\n", 5, 16, "tools[0].name",
     "no tool's name"},
    {BASE "tools:\n  - {name: \"a*\", clearance: PUBLIC}\n"
          "  - {name: a, clearance: PUBLIC}\n  - {name: \"a*\", clearance: INTERNAL}\n",
     8, 12, "tools[2].name", "\"a*\" already"},
    {BASE "tools: [{name: web, clearance: PUBLIC, limit: 1}]\n", 5, 40, "tools[0]", "unknown key"},
    /* custom types */
    {OWN_TYPE("words: [a]"), 6, 12, "data.custom[0].name", "missing"},
    {OWN_TYPE("name: project, words: [a]"), 6, 19, "data.custom[0].name", "A-Z first"},
    {OWN_TYPE("name: A, words: [a]"), 6, 19, "data.custom[0].name", "2 to 40"},
    {OWN_TYPE("name: A2345678901234567890123456789012345678901, words: [a]"), 6, 19,
     "data.custom[0].name", "2 to 40"},
    {OWN_TYPE("name: EMAIL_ADDRESS, words: [a]"), 6, 19, "data.custom[0].name", "built in"},
    {OWN_TYPE("name: AA, words: [a]}, {name: AA, words: [b]"), 6, 43, "data.custom[1].name",
     "\"AA\" already"},
    {OWN_TYPE("name: AA"), 6, 12, "data.custom[0].words", "missing"},
    {OWN_TYPE("name: AA, words: []"), 6, 30, "data.custom[0].words", "list is empty"},
    {OWN_TYPE("name: AA, words: [a], pattern: b"), 6, 44, "data.custom[0].pattern", "exclude"},
    {OWN_TYPE("name: AA, words: [a], level: HIGH"), 6, 42, "data.custom[0].level", "no level"},
    {OWN_TYPE("name: AA, words: [a], label: true"), 6, 12, "data.custom[0].level",
     "a mark needs the level"},
    /* rules */
    {RULE("action: mask"), 6, 11, "data.rules[0].types", "missing"},
    {RULE("types: [], action: mask"), 6, 19, "data.rules[0].types", "list is empty"},
    {RULE("types: [EMAIL_ADRESS], action: mask"), 6, 20, "data.rules[0].types[0]",
     "did you mean EMAIL_ADDRESS"},
    {RULE("types: [email_address], action: mask"), 6, 20, "data.rules[0].types[0]",
     "did you mean EMAIL_ADDRESS"},
    {RULE("types: [email_adress], action: mask"), 6, 20, "data.rules[0].types[0]",
     "did you mean EMAIL_ADDRESS"},
    {RULE("types: [github_pat], action: mask"), 6, 20, "data.rules[0].types[0]",
     "did you mean github-pat"},
    {RULE("types: [secret], action: mask"), 6, 20, "data.rules[0].types[0]",
     "did you mean secrets"},
    {DATA "  custom: [{name: FALCON, words: [a]}]\n  rules: [{types: [FALCONS], action: mask}]\n",
     7, 20, "data.rules[0].types[0]", "did you mean FALCON"},
    {RULE("types: [pii, qqqqqqqqqqqqqqqqqqqqq], action: mask"), 6, 25, "data.rules[0].types[1]",
     "no known type; 'bartizan policy explain'"},
    {RULE("types: [pii, pii], action: mask"), 6, 25, "data.rules[0].types[1]", "twice"},
    {RULE("types: [PLACEHOLDER], action: block"), 6, 20, "data.rules[0].types[0]", "placeholders"},
    {RULE("types: [pii]"), 6, 11, "data.rules[0].action", "missing"},
    {RULE("types: [pii], action: blok"), 6, 34, "data.rules[0].action", "did you mean block"},
    {RULE("types: [pii], action: mask, direction: request reply"), 6, 51, "data.rules[0].direction",
     "request, reply, both"},
    {RULE("types: [pii], action: coach, direction: reply"), 6, 52, "data.rules[0].direction",
     "coach asks people before"},
    {RULE("types: [pii], action: coach, direction: both"), 6, 52, "data.rules[0].direction",
     "coach asks people before"},
    {RULE("types: [pii], action: approve, direction: reply"), 6, 54, "data.rules[0].direction",
     "approve asks people before"},
    {RULE("types: [pii], action: restore, direction: reply"), 6, 54, "data.rules[0].direction",
     "only what a request brought"},
    {RULE("types: [pii], action: block, form: true"), 6, 47, "data.rules[0].form", "makes none"},
    {RULE("types: [pii], action: mask, level: MEDIUM"), 6, 47, "data.rules[0].level", "no level"},
    {RULE("types: [pii], action: mask, proof: sure"), 6, 47, "data.rules[0].proof",
     "form, context, checksum"},
    {RULE("types: [EMAIL_ADDRESS], action: mask, proof: context"), 6, 57, "data.rules[0].proof",
     "none of these types"},
    {RULE("types: [EMAIL_ADDRESS, PHONE_NUMBER], action: mask, proof: checksum"), 6, 71,
     "data.rules[0].proof", "none of these types"},
    {RULE("types: [pii], action: mask, roles: [users]"), 6, 48, "data.rules[0].roles[0]",
     "did you mean user"},
    {RULE("types: [pii], action: mask, roles: [user, batch]"), 6, 54, "data.rules[0].roles[1]",
     "\"batch\" is no role of this file"},
    {RULE("types: [pii], action: mask, models: [tinny]"), 6, 49, "data.rules[0].models[0]",
     "no backend or alias"},
    {RULE("types: [pii], action: mask, models: [\"a*b\"]"), 6, 49, "data.rules[0].models[0]",
     "end"},
    {RULE("types: [pii], action: mask, colour: red"), 6, 40, "data.rules[0]", "unknown key"},
};

static void test_errors_and_their_places(void **state) {
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bz_config *c = parse(bad[i].yaml);
        bool as_told = c == NULL && errs_n == 1 && errs[0].line == bad[i].line &&
                       errs[0].column == bad[i].column && strcmp(errs[0].path, bad[i].path) == 0 &&
                       strstr(errs[0].text, bad[i].text) != NULL;
        if (!as_told)
            print_error("case %zu: %u:%u (wanted %u:%u) %s: %s (%zu errors)\n%s\n", i, errs[0].line,
                        errs[0].column, bad[i].line, bad[i].column, errs[0].path, errs[0].text,
                        errs_n, bad[i].yaml);
        wrong += !as_told;
    }
    assert_int_equal(wrong, 0);
}

/* The other side of the limits above. */
static void test_just_right(void **state) {
    static const char *const good[] = {
        DATA "  restore_s: 1\n  hold_ms: 10\n",
        DATA "  restore_s: 2592000\n  hold_ms: 60000\n",
        DATA "  custom: []\n  rules: []\n",
        BASE "tools: []\n",
        BASE "tools: [{name: " LONG128 ", clearance: PUBLIC}]\n",
        BASE "tools: [{name: \"*\", clearance: PUBLIC}, {name: a, clearance: RESTRICTED}]\n",
        OWN_TYPE("name: AB, words: [a]"),
        OWN_TYPE("name: A234567890123456789012345678901234567890, words: [a]"),
        RULE("types: [EMAIL_ADDRESS, PHONE_NUMBER], action: mask, proof: context"),
        RULE("types: [custom], action: mask"), /* there may be none */
        RULE("types: [pii], action: restore, form: true, direction: both"),
        RULE("types: [pii], action: coach, direction: request"),
        RULE("types: [pii], action: allow, form: false"),
        RULE("types: [pii], action: mask, models: [tiny, \"nosuch*\"], roles: [admin, user]"),
        /* a backend that is asked for its list may have any */
        BASE "  - {name: b, type: vllm, url: \"http://127.0.0.1:1\"}\n"
             "data: {rules: [{types: [pii], action: mask, models: [unheard]}]}\n",
        BASE "models: [{name: a, target: t}]\n"
             "data: {rules: [{types: [pii], action: mask, models: [a, t]}]}\n",
        BASE "roles: [{name: r, routes: [chat], models: [tiny]}]\n"
             "data: {rules: [{types: [pii], action: mask, roles: [r]}]}\n",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        bz_config_free(parse_good(good[i]));
}

/* As many rules, custom types or tools as a list of n of them. */
static struct bz_config *parse_many(const char *head, const char *before, const char *after,
                                    size_t n) {
    struct bz_buf b;
    bz_buf_init(&b, 1 << 20);
    bz_buf_puts(&b, BASE);
    bz_buf_puts(&b, head);
    for (size_t i = 0; i < n; i++) {
        bz_buf_puts(&b, before);
        bz_buf_put_u64(&b, i);
        bz_buf_puts(&b, after);
    }
    bz_buf_putc(&b, '\0');
    struct bz_config *c = parse((const char *)b.p);
    bz_buf_free(&b);
    return c;
}

static void test_counts(void **state) {
    static const char rule[] = "    - {types: [pii], action: mask} # ";
    static const char own[] = "    - {name: AA", rest[] = ", words: [a]}\n";
    static const char tool[] = "  - {name: t", level[] = ", clearance: PUBLIC}\n";
    struct bz_config *c = parse_many("data:\n  rules:\n", rule, "\n", BZ_DATA_RULES_MAX);
    assert_non_null(c);
    assert_int_equal(c->data.rules_n, BZ_DATA_RULES_MAX);
    bz_config_free(c);
    assert_null(parse_many("data:\n  rules:\n", rule, "\n", BZ_DATA_RULES_MAX + 1));
    assert_string_equal(errs[0].text, "too many entries");
    c = parse_many("data:\n  custom:\n", own, rest, BZ_CUSTOM_MAX);
    assert_non_null(c);
    bz_config_free(c);
    assert_null(parse_many("data:\n  custom:\n", own, rest, BZ_CUSTOM_MAX + 1));
    assert_string_equal(errs[0].text, "too many entries");
    c = parse_many("tools:\n", tool, level, BZ_TOOLS_MAX);
    assert_non_null(c);
    assert_int_equal(c->tools_n, BZ_TOOLS_MAX);
    bz_config_free(c);
    assert_null(parse_many("tools:\n", tool, level, BZ_TOOLS_MAX + 1));
    assert_string_equal(errs[0].text, "too many entries");
}

/* ---- who decides ---- */

static const struct {
    const char *rules;
    size_t type;
    enum bz_direction d;
    const char *steps; /* rule (0: default), action, least proof */
} deciding[] = {
    {"", PAT, BZ_DIRECTION_REQUEST, "0:mask:context 0:record:form"},
    {"", PAT, BZ_DIRECTION_REPLY, "0:mask:context 0:record:form"},
    {"", CARD, BZ_DIRECTION_REQUEST, "0:restore:checksum 0:record:form"},
    {"", CARD, BZ_DIRECTION_REPLY, "0:mask:checksum 0:record:form"},
    {"", EMAIL, BZ_DIRECTION_REQUEST, "0:record:form"},
    {"", PHONE, BZ_DIRECTION_REPLY, "0:record:form"},
    {"", TLP, BZ_DIRECTION_REQUEST, "0:record:form"},
    {"", PLACEHOLDER, BZ_DIRECTION_REPLY, "0:allow:form"},
    {"", OWN, BZ_DIRECTION_REQUEST, ""},
    {"[{types: [pii], action: restore}]", EMAIL, BZ_DIRECTION_REQUEST, "1:restore:form"},
    {"[{types: [pii], action: restore}]", EMAIL, BZ_DIRECTION_REPLY, "1:mask:form"},
    {"[{types: [pii], action: block}, {types: [EMAIL_ADDRESS], action: allow}]", EMAIL,
     BZ_DIRECTION_REQUEST, "1:block:form"},
    {"[{types: [EMAIL_ADDRESS], action: allow}, {types: [pii], action: block}]", EMAIL,
     BZ_DIRECTION_REQUEST, "1:allow:form"},
    {"[{types: [EMAIL_ADDRESS], action: allow, roles: [admin]}, {types: [pii], action: block}]",
     EMAIL, BZ_DIRECTION_REQUEST, "1:allow:form 2:block:form"},
    {"[{types: [pii], action: block, level: INTERNAL}]", EMAIL, BZ_DIRECTION_REQUEST,
     "1:block:form 0:record:form"},
    {"[{types: [pii], action: block, level: PUBLIC}]", EMAIL, BZ_DIRECTION_REQUEST, "1:block:form"},
    {"[{types: [pii], action: block, direction: reply}]", EMAIL, BZ_DIRECTION_REQUEST,
     "0:record:form"},
    {"[{types: [pii], action: block, proof: checksum}]", CARD, BZ_DIRECTION_REPLY,
     "1:block:checksum 0:mask:checksum 0:record:form"},
    {"[{types: [pii], action: block, proof: checksum}]", EMAIL, BZ_DIRECTION_REPLY,
     "0:record:form"},
    {"[{types: [secrets], action: block, models: [tiny]}]", GENERIC, BZ_DIRECTION_REPLY,
     "1:block:form 0:mask:context 0:record:form"},
};

static void test_who_decides(void **state) {
    for (size_t i = 0; i < sizeof deciding / sizeof *deciding; i++) {
        struct bz_data_step steps[BZ_DATA_STEPS_MAX];
        char yaml[512], text[256] = "";
        int n = snprintf(yaml, sizeof yaml, BASE "%s%s\n",
                         deciding[i].rules[0] == '\0' ? "" : "data:\n  rules: ", deciding[i].rules);
        assert_in_range(n, 1, sizeof yaml - 1);
        struct bz_config *c = parse_good(yaml);
        size_t steps_n = bz_config_steps(c, deciding[i].type, deciding[i].d, steps);
        for (size_t s = 0; s < steps_n; s++) {
            size_t at = strlen(text), rule = 0;
            if (steps[s].rule != NULL)
                rule = (size_t)(steps[s].rule - c->data.rules) + 1;
            else
                assert_non_null(steps[s].why);
            snprintf(text + at, sizeof text - at, "%s%zu:%s:%s", s == 0 ? "" : " ", rule,
                     bz_action_name(steps[s].action), bz_proof_name(steps[s].proof));
        }
        if (strcmp(text, deciding[i].steps) != 0)
            print_error("case %zu: %s\n", i, text);
        assert_string_equal(text, deciding[i].steps);
        bz_config_free(c);
    }
}

static void test_key_of_the_pack_follows_the_custom_part_alone(void **state) {
    static const char *const other[] = {
        OWN_TYPE("name: AA, words: [ab, c]"),
        OWN_TYPE("name: AA, words: [a, bc]"),
        OWN_TYPE("name: AA, words: [abc]"),
        OWN_TYPE("name: AA, pattern: abc"),
        OWN_TYPE("name: AB, words: [abc]"),
        OWN_TYPE("name: AA, words: [abc], ignore_case: false"),
        OWN_TYPE("name: AA, words: [abc], whole_word: false"),
        OWN_TYPE("name: AA, words: [abc], level: PUBLIC"),
        OWN_TYPE("name: AA, words: [abc], level: PUBLIC, label: true"),
        BASE,
    };
    enum { n = sizeof other / sizeof *other };
    uint8_t key[n][BZ_HASH_LEN], again[BZ_HASH_LEN];
    for (size_t i = 0; i < n; i++) {
        struct bz_config *c = parse_good(other[i]);
        assert_int_equal(bz_config_compile_key(c, key[i]), BZ_OK);
        bz_config_free(c);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(key[i], key[k], BZ_HASH_LEN);
    }
    struct bz_config *c = parse_good(DATA "  custom: [{name: AA, words: [abc]}]\n"
                                          "  rules: [{types: [AA], action: block}]\n");
    assert_int_equal(bz_config_compile_key(c, again), BZ_OK);
    assert_memory_equal(again, key[2], BZ_HASH_LEN);
    bz_config_free(c);
}

static void test_compiling_tells_the_place(void **state) {
    struct bz_config_error e = {.line = 99};
    struct bz_buf b;
    struct bz_config *c = parse_good(DATA "  custom:\n    - {name: AA, words: [\"[\"]}\n"
                                          "    - {name: BB, pattern: \"a[b\"}\n");
    bz_buf_init(&b, 100);
    assert_int_equal(bz_config_compile(c, &b, &e), BZ_ESYNTAX);
    assert_int_equal(e.line, 8);
    assert_int_equal(e.column, 27);
    assert_string_equal(e.path, "data.custom[1].pattern");
    assert_string_equal(e.text, "the pattern of BB is not closed");
    c->data.custom_n = 1;
    assert_int_equal(bz_config_compile(c, &b, &e), BZ_OK);
    assert_int_equal(b.n, 1);
    bz_buf_free(&b);
    bz_buf_init(&b, 0);
    assert_int_equal(bz_config_compile(c, &b, &e), BZ_ETOOBIG);
    bz_buf_free(&b);
    bz_config_free(c);
}

/* Whatever is cut off, the parser answers; most cuts are errors. */
static void test_every_cut(void **state) {
    size_t refused = 0;
    for (size_t n = 0; n < sizeof everything; n++) {
        struct bz_config *c = NULL;
        if (bz_config_parse(bz_view(everything, n), &c, errs, cap, &errs_n) == BZ_OK)
            bz_config_free(c);
        else
            refused++;
    }
    assert_true(refused > sizeof everything / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_errors_and_their_places),
        cmocka_unit_test(test_just_right),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_who_decides),
        cmocka_unit_test(test_key_of_the_pack_follows_the_custom_part_alone),
        cmocka_unit_test(test_compiling_tells_the_place),
        cmocka_unit_test(test_every_cut),
    };
    return bz_crypto_init() == BZ_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
