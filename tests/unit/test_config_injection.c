/* The sections `injection` and `prompts`: what is accepted, what appears without them, where errors
 * are said to be; and the settings as workers get them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <bartizan/policy.h>

#define BASE                                                                                       \
    "version: 1\nlisten: 127.0.0.1:8443\nbackends:\n"                                              \
    "  - {name: local, type: llama.cpp, url: \"http://127.0.0.1:8080\"}\n" /* lines 1 to 4 */
#define KEY "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"

enum { cap = 8 };
static struct bz_config_error errs[cap];
static size_t errs_n;

static struct bz_config *parse(const char *yaml) {
    struct bz_config *c = NULL;
    memset(errs, 0, sizeof errs);
    enum bz_status st = bz_config_parse(bz_view_str(yaml), &c, errs, cap, &errs_n);
    assert_true(st == BZ_OK || st == BZ_ESYNTAX);
    assert_true((st == BZ_OK) == (c != NULL));
    return c;
}

static struct bz_config *good(const char *yaml) {
    struct bz_config *c = parse(yaml);
    if (c == NULL)
        fail_msg("%s: %s", errs[0].path, errs[0].text);
    return c;
}

static void test_without(void **state) {
    struct bz_config *c = good(BASE);
    (void)state;
    assert_int_equal(c->injection.mode, BZ_INJECTION_ON);
    assert_int_equal(c->injection.detectors, BZ_DETECT_ALL);
    assert_true(c->injection.builtin);
    const struct bz_injection_channel *ch = c->injection.channel;
    assert_int_equal(ch[BZ_CHANNEL_USER].flag, BZ_ACTION_RECORD);
    assert_int_equal(ch[BZ_CHANNEL_USER].block, BZ_ACTION_COACH);
    assert_int_equal(ch[BZ_CHANNEL_TOOL].block, BZ_ACTION_BLOCK);
    assert_int_equal(ch[BZ_CHANNEL_DOCUMENT].block, BZ_ACTION_BLOCK);
    assert_int_equal(ch[BZ_CHANNEL_DOCUMENT].flag_at, 50);
    assert_int_equal(ch[BZ_CHANNEL_DOCUMENT].block_at, 75);
    assert_int_equal(c->prompts.rules_n, 0);
    assert_int_equal(c->prompts.keys_n, 0);
    assert_int_equal(c->prompts.client, BZ_CLIENT_SYSTEM_KEEP);
    assert_int_equal(c->prompts.tokens, BZ_TOKENS_BLOCK);
    assert_int_equal(c->prompts.marking, BZ_MARKING_NONE);
    bz_config_free(c);
}

static void test_everything(void **state) {
    struct bz_config *c = good(
        BASE "roles: [{name: lab, routes: [\"*\"], models: [\"*\"]}]\n"
             "injection:\n"
             "  mode: record\n"
             "  detectors: rules\n"
             "  builtin: false\n"
             "  user: {flag: allow, block: record, flag_at: 40, block_at: 90}\n"
             "  tool: {flag: block, block: block}\n"
             "  rules: [injection/own.yaml, injection/more.yaml]\n"
             "  exceptions:\n"
             "    - {roles: [lab], models: [\"red*\"], mode: off}\n"
             "    - {roles: [\"*\"], models: [x], mode: on}\n"
             "prompts:\n"
             "  keys: [" KEY "]\n"
             "  marking: delimit\n"
             "  client: drop\n"
             "  tokens: literal\n"
             "  rules:\n"
             "    - {name: support, version: 3, roles: [lab], models: [\"a*\"], routes: [chat]}\n"
             "    - {name: support, version: 3, client: refuse, canary: false}\n"
             "    - {marking: encode, tokens: block}\n"
             "    - {name: other, version: 1, file: texts/other.txt, marking: datamark}\n");
    (void)state;
    assert_int_equal(c->injection.mode, BZ_INJECTION_RECORD);
    assert_int_equal(c->injection.detectors, BZ_DETECT_RULES);
    assert_false(c->injection.builtin);
    assert_int_equal(c->injection.channel[BZ_CHANNEL_USER].flag, BZ_ACTION_ALLOW);
    assert_int_equal(c->injection.channel[BZ_CHANNEL_USER].block_at, 90);
    assert_int_equal(c->injection.channel[BZ_CHANNEL_TOOL].flag, BZ_ACTION_BLOCK);
    assert_int_equal(c->injection.rules_n, 2);
    assert_int_equal(c->injection.exceptions_n, 2);
    assert_int_equal(c->injection.exceptions[0].mode, BZ_INJECTION_OFF);
    assert_string_equal(c->injection.exceptions[0].models[0], "red*");
    assert_null(c->injection.exceptions[1].roles);
    const struct bz_prompt_config *r = c->prompts.rules;
    assert_int_equal(c->prompts.rules_n, 4);
    assert_string_equal(r[0].file, "prompts/support.v3.txt");
    assert_int_equal(r[0].client, BZ_CLIENT_SYSTEM_DEMOTE);
    assert_int_equal(r[0].marking, BZ_MARKING_DELIMIT);
    assert_int_equal(r[0].tokens, BZ_TOKENS_LITERAL);
    assert_true(r[0].canary);
    assert_string_equal(r[0].routes[0], "chat");
    assert_int_equal(r[1].client, BZ_CLIENT_SYSTEM_REFUSE);
    assert_false(r[1].canary);
    assert_null(r[2].name);
    assert_int_equal(r[2].client, BZ_CLIENT_SYSTEM_DROP);
    assert_int_equal(r[2].marking, BZ_MARKING_ENCODE);
    assert_int_equal(r[2].tokens, BZ_TOKENS_BLOCK);
    assert_false(r[2].canary);
    assert_string_equal(r[3].file, "texts/other.txt");
    assert_int_equal(r[3].line, 25);
    bz_config_free(c);
}

static void test_wrong(void **state) {
    static const struct {
        const char *yaml, *path, *says;
    } of[] = {
        {"injection: {mode: enforce}\n", "injection.mode", "off, record and on"},
        {"injection: {detectors: none}\n", "injection.detectors", "rules, classifier and all"},
        {"injection: {user: {flag: mask}}\n", "injection.user.flag", "allow, record, coach"},
        {"injection: {tool: {flag: block, block: record}}\n", "injection.tool.block", "milder"},
        {"injection: {user: {flag: block}}\n", "injection.user.block", "milder"},
        {"injection: {user: {flag_at: 0}}\n", "injection.user.flag_at", "from 1 to 100"},
        {"injection: {user: {block_at: 101}}\n", "injection.user.block_at", "from 1 to 100"},
        {"injection: {user: {flag_at: 80}}\n", "injection.user.block_at", "below flag_at"},
        {"injection: {rules: [/etc/passwd]}\n", "injection.rules[0]", "no file of the instance"},
        {"injection: {rules: [a/../../b]}\n", "injection.rules[0]", "no file of the instance"},
        {"injection: {exceptions: [{roles: [nobody], mode: off}]}\n",
         "injection.exceptions[0].roles[0]", "no role of this file"},
        {"injection: {exceptions: [{roles: [user]}]}\n", "injection.exceptions[0].mode", "missing"},
        {"injection: {exceptions: [{mode: off}]}\n", "injection.exceptions[0]",
         "name roles or models"},
        {"prompts: {keys: [abc]}\n", "prompts.keys[0]", "minisign"},
        {"prompts: {tokens: keep}\n", "prompts.tokens", "block and literal"},
        {"prompts: {rules: [{name: A, version: 1}]}\n", "prompts.rules[0].name", "no name"},
        {"prompts: {rules: [{name: a}]}\n", "prompts.rules[0].version", "missing"},
        {"prompts: {rules: [{name: a, version: 0}]}\n", "prompts.rules[0].version", "from 1 to"},
        {"prompts: {rules: [{version: 1}]}\n", "prompts.rules[0].name", "missing"},
        {"prompts: {rules: [{name: a, version: 1, text: x, file: y}]}\n", "prompts.rules[0].file",
         "exclude"},
        {"prompts: {keys: [" KEY "], rules: [{name: a, version: 1, text: x}]}\n",
         "prompts.rules[0].text", "signed"},
        {"prompts: {rules: [{name: a, version: 1, text: x}, {name: a, version: 1, text: y}]}\n",
         "prompts.rules[1].version", "another text"},
        {"prompts: {rules: [{name: a, version: 1, routes: [chta]}]}\n",
         "prompts.rules[0].routes[0]", "not known here"},
        {"prompts: {rules: [{name: a, version: 1, client: ignore}]}\n", "prompts.rules[0].client",
         "keep, demote, drop and refuse"},
        {"prompts: {rules: [{name: a, version: 1, marking: bold}]}\n", "prompts.rules[0].marking",
         "datamark"},
        {"prompts: {rules: [{name: a, version: 1, models: [\"a*b\"]}]}\n",
         "prompts.rules[0].models[0]", "at the end"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        char text[2048];
        assert_true(snprintf(text, sizeof text, "%s%s", BASE, of[i].yaml) > 0);
        struct bz_config *c = parse(text);
        if (c != NULL)
            fail_msg("accepted: %s", of[i].yaml);
        if (strcmp(errs[0].path, of[i].path) != 0 || strstr(errs[0].text, of[i].says) == NULL)
            fail_msg("%s%s: %s", of[i].yaml, errs[0].path, errs[0].text);
        assert_int_equal(errs[0].line, 5);
    }
}

/* n entries of a list, as a file of its own. */
static bool takes(const char *before, const char *one, const char *end, const char *after,
                  size_t n) {
    static char text[1 << 20];
    size_t at = (size_t)snprintf(text, sizeof text, "%s%s", BASE, before);
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%u%s", one, (unsigned)i, end);
    (void)snprintf(text + at, sizeof text - at, "%s", after);
    struct bz_config *c = parse(text);
    bz_config_free(c);
    return c != NULL;
}

static void test_caps(void **state) {
    static const struct {
        const char *before, *one, *end, *after;
        size_t most;
    } of[] = {
        {"injection: {rules: [", "r", ".yaml, ", "]}\n", BZ_INJECTION_FILES_MAX},
        {"injection: {exceptions: [", "{models: [m", "], mode: off}, ", "]}\n",
         BZ_INJECTION_EXCEPTIONS_MAX},
        {"prompts: {rules: [", "{name: p", ", version: 1}, ", "]}\n", BZ_PROMPT_RULES_MAX},
    };
    char name[BZ_PROMPT_NAME_MAX + 2];
    (void)state;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        assert_true(takes(of[i].before, of[i].one, of[i].end, of[i].after, of[i].most));
        assert_false(takes(of[i].before, of[i].one, of[i].end, of[i].after, of[i].most + 1));
    }
    memset(name, 'a', sizeof name);
    assert_true(bz_prompt_name_ok(bz_view(name, BZ_PROMPT_NAME_MAX)));
    assert_false(bz_prompt_name_ok(bz_view(name, BZ_PROMPT_NAME_MAX + 1)));
}

/* Roles x routes of one rule: 16 roles by 16 routes fit, 17 by 16 do not. */
static void test_whom_cap(void **state) {
    const char *scopes[BZ_SCOPES_MAX];
    size_t n = bz_scope_list(scopes);
    (void)state;
    size_t routes = n < 16 ? n : 16;
    for (unsigned more = 0; more < 2; more++) {
        size_t roles = BZ_PROMPT_WHOM_MAX / routes + more;
        char list[8192] = "", names[4096] = "", by[1024] = "", text[16384];
        for (size_t i = 0; i < roles; i++) {
            (void)snprintf(list + strlen(list), sizeof list - strlen(list),
                           "  - {name: r%zu, routes: [\"*\"], models: [\"*\"]}\n", i);
            (void)snprintf(names + strlen(names), sizeof names - strlen(names), "r%zu, ", i);
        }
        for (size_t i = 0; i < routes; i++)
            (void)snprintf(by + strlen(by), sizeof by - strlen(by), "%s, ", scopes[i]);
        assert_true(snprintf(text, sizeof text,
                             "%sroles:\n%sprompts: {rules: [{name: a, version: 1, roles: [%s], "
                             "routes: [%s]}]}\n",
                             BASE, list, names, by) < (int)sizeof text);
        struct bz_config *c = parse(text);
        assert_true((c != NULL) == (more == 0));
        bz_config_free(c);
    }
}

/* ---- as workers get it ---- */

static const struct bz_image_model_input models[] = {
    {"alias", "red-7b", 1}, {"red-7b", "red-7b", 1}, {"plain:latest", "plain:latest", 1}};

static enum bz_injection_mode mode_of(struct bz_view blob, const char *role, const char *model) {
    struct bz_judging j = {.mode = BZ_INJECTION_OFF};
    assert_int_equal(bz_judging_find(blob, bz_view_str(role), bz_model_key(bz_view_str(model)), &j),
                     BZ_OK);
    return j.mode;
}

static void test_judging(void **state) {
    struct bz_buf b;
    struct bz_judging j;
    struct bz_config *c = good(BASE "roles: [{name: lab, routes: [\"*\"], models: [\"*\"]}]\n"
                                    "injection:\n"
                                    "  tool: {flag: coach, flag_at: 30}\n"
                                    "  exceptions:\n"
                                    "    - {roles: [lab], models: [alias], mode: off}\n"
                                    "    - {roles: [lab], mode: record}\n"
                                    "    - {models: [plain], mode: record}\n");
    (void)state;
    bz_buf_init(&b, 1 << 16);
    assert_int_equal(bz_judging_compile(c, models, 3, &b), BZ_OK);
    struct bz_view v = bz_buf_view(&b);
    assert_int_equal(mode_of(v, "user", "red-7b"), BZ_INJECTION_ON);
    assert_int_equal(mode_of(v, "lab", "red-7b"), BZ_INJECTION_OFF); /* under all its names */
    assert_int_equal(mode_of(v, "lab", "plain"), BZ_INJECTION_RECORD);
    assert_int_equal(mode_of(v, "user", "plain:latest"), BZ_INJECTION_RECORD);
    assert_int_equal(mode_of(v, "user", ""), BZ_INJECTION_ON);
    assert_int_equal(bz_judging_find(v, BZ_V("user"), BZ_V(""), &j), BZ_OK);
    assert_int_equal(bz_judging_action(&j, BZ_CHANNEL_TOOL, 29), BZ_ACTION_ALLOW);
    assert_int_equal(bz_judging_action(&j, BZ_CHANNEL_TOOL, 30), BZ_ACTION_COACH);
    assert_int_equal(bz_judging_action(&j, BZ_CHANNEL_TOOL, 75), BZ_ACTION_BLOCK);
    assert_int_equal(bz_judging_action(&j, BZ_CHANNEL_USER, 49), BZ_ACTION_ALLOW);
    assert_int_equal(bz_judging_action(&j, BZ_CHANNEL_USER, 50), BZ_ACTION_RECORD);
    assert_int_equal(bz_judging_action(&j, BZ_CHANNEL_USER, 100), BZ_ACTION_COACH);
    j.mode = BZ_INJECTION_RECORD;
    assert_int_equal(bz_judging_action(&j, BZ_CHANNEL_TOOL, 100), BZ_ACTION_RECORD);
    j.mode = BZ_INJECTION_OFF;
    assert_int_equal(bz_judging_action(&j, BZ_CHANNEL_TOOL, 100), BZ_ACTION_ALLOW);
    bz_buf_free(&b);
    bz_config_free(c);
}

static void test_damage(void **state) {
    struct bz_buf b;
    struct bz_judging j;
    struct bz_config *c = good(BASE "injection: {exceptions: [{roles: [user], mode: off}]}\n");
    (void)state;
    bz_buf_init(&b, 1 << 16);
    assert_int_equal(bz_judging_compile(c, models, 3, &b), BZ_OK);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(bz_judging_find(bz_view(b.p, n), BZ_V("user"), BZ_V("x"), &j),
                         n == 0 ? BZ_ENOTFOUND : BZ_ECORRUPT);
    for (size_t i = 0; i < b.n; i++) { /* never out of bounds, never a mode that is none */
        b.p[i] ^= 0xff;
        if (bz_judging_find(bz_buf_view(&b), BZ_V("user"), BZ_V("x"), &j) == BZ_OK)
            assert_in_range(j.mode, BZ_INJECTION_OFF, BZ_INJECTION_ON);
        b.p[i] ^= 0xff;
    }
    bz_buf_free(&b);
    bz_config_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without),  cmocka_unit_test(test_everything),
        cmocka_unit_test(test_wrong),    cmocka_unit_test(test_caps),
        cmocka_unit_test(test_whom_cap), cmocka_unit_test(test_judging),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
