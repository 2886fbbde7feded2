/* The image's tables of actions, clearances, approvals and detect pack. */
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
    "  - {name: local, type: llama.cpp, url: \"http://127.0.0.1:8080\"}\n"
#define ROLES                                                                                      \
    "roles:\n  - {name: user}\n  - {name: admin}\n"                                                \
    "  - {name: batch, routes: [chat], models: [\"*\"]}\n"

enum { USER, ADMIN, BATCH };
static const char *const role_names[] = {"user", "admin", "batch"};
static const struct bz_image_model_input models[] = {
    {"assistant", "tiny", 1}, {"big", NULL, 1}, {"llama:latest", NULL, 1}, {"tiny", NULL, 1}};
enum { ASSISTANT, BIG, LLAMA, TINY, MODELS, NO_MODEL = UINT32_MAX };

struct made {
    struct bz_config *c;
    struct bz_buf b;
    struct bz_image img;
};

static struct bz_image_input input_of(const struct bz_config *c) {
    struct bz_image_input in = {.config = c,
                                .models = models,
                                .models_n = MODELS,
                                .generation = 1,
                                .detect_pack = BZ_V("not a real pack")};
    memset(in.vault_key, 7, sizeof in.vault_key);
    return in;
}

static struct bz_config *parse(const char *yaml) {
    struct bz_config_error e[1];
    size_t n = 0;
    struct bz_config *c = NULL;
    if (bz_config_parse(bz_view_str(yaml), &c, e, 1, &n) != BZ_OK)
        print_error("%u:%u %s: %s\n%s\n", e[0].line, e[0].column, e[0].path, e[0].text, yaml);
    assert_non_null(c);
    return c;
}

static void make(const char *data, struct made *m) {
    char yaml[2048];
    int n = snprintf(yaml, sizeof yaml, BASE "%s", data);
    assert_in_range(n, 1, sizeof yaml - 1);
    m->c = parse(yaml);
    struct bz_image_input in = input_of(m->c);
    bz_buf_init(&m->b, 64 << 20);
    assert_int_equal(bz_image_build(&in, &m->b), BZ_OK);
    assert_int_equal(bz_image_open(bz_buf_view(&m->b), &m->img), BZ_OK);
}

static void done(struct made *m) {
    bz_buf_free(&m->b);
    bz_config_free(m->c);
}

static struct bz_principal who(uint32_t role) {
    return (struct bz_principal){.role_index = role, .role = bz_view_str(role_names[role])};
}

static enum bz_action action_of(const struct made *m, uint32_t role, uint32_t model,
                                enum bz_direction d, enum bz_level level, size_t type,
                                enum bz_proof proof) {
    struct bz_principal p = who(role);
    const struct bz_actions *a = bz_image_actions(&m->img, &p, model, d, level);
    assert_non_null(a);
    return bz_actions_get(a, type, proof);
}

static void test_blobs_come_back_as_given(void **state) {
    (void)state;
    struct made m = {.c = parse(BASE)};
    struct bz_image_input in = input_of(m.c);
    static uint8_t most[BZ_BLOB_MAX + 1];
    in.blob[BZ_BLOB_LEAK] = BZ_V("what may not leave");
    in.blob[BZ_BLOB_MCP] = BZ_V("pins");
    bz_buf_init(&m.b, 64 << 20);
    assert_int_equal(bz_image_build(&in, &m.b), BZ_OK);
    assert_int_equal(bz_image_open(bz_buf_view(&m.b), &m.img), BZ_OK);
    for (int i = 0; i < BZ_BLOB_COUNT; i++)
        assert_true(bz_view_eq(bz_image_blob(&m.img, (enum bz_blob)i), in.blob[i]));
    assert_int_equal((uintptr_t)bz_image_blob(&m.img, BZ_BLOB_MCP).p % 16, 0);
    assert_int_equal(bz_image_blob(&m.img, BZ_BLOB_COUNT).n, 0);
    for (size_t n = BZ_BLOB_MAX; n <= BZ_BLOB_MAX + 1; n++) {
        bz_buf_reset(&m.b);
        in.blob[BZ_BLOB_AGENT] = bz_view(most, n);
        assert_int_equal(bz_image_build(&in, &m.b), n > BZ_BLOB_MAX ? BZ_ETOOBIG : BZ_OK);
    }
    done(&m);
}

static void test_defaults(void **state) {
    static const struct {
        size_t type;
        enum bz_proof proof;
        enum bz_action request, reply;
    } all[] = {
        {PLACEHOLDER, BZ_PROOF_FORM, BZ_ACTION_ALLOW, BZ_ACTION_ALLOW},
        {EMAIL, BZ_PROOF_FORM, BZ_ACTION_RECORD, BZ_ACTION_RECORD},
        {PHONE, BZ_PROOF_CONTEXT, BZ_ACTION_RECORD, BZ_ACTION_RECORD},
        {CARD, BZ_PROOF_CONTEXT, BZ_ACTION_RECORD, BZ_ACTION_RECORD},
        {CARD, BZ_PROOF_CHECKSUM, BZ_ACTION_RESTORE, BZ_ACTION_MASK},
        {PAT, BZ_PROOF_FORM, BZ_ACTION_RECORD, BZ_ACTION_RECORD},
        {PAT, BZ_PROOF_CONTEXT, BZ_ACTION_MASK, BZ_ACTION_MASK},
        {PAT, BZ_PROOF_CHECKSUM, BZ_ACTION_MASK, BZ_ACTION_MASK},
        {TLP, BZ_PROOF_CHECKSUM, BZ_ACTION_RECORD, BZ_ACTION_RECORD},
        {OWN, BZ_PROOF_FORM, BZ_ACTION_RECORD, BZ_ACTION_RECORD},
        {OWN + 1, BZ_PROOF_CHECKSUM, BZ_ACTION_BLOCK, BZ_ACTION_BLOCK}, /* nobody has it */
        {BZ_TYPES_MAX - 1, BZ_PROOF_FORM, BZ_ACTION_BLOCK, BZ_ACTION_BLOCK},
        {BZ_TYPES_MAX, BZ_PROOF_FORM, BZ_ACTION_BLOCK, BZ_ACTION_BLOCK},
    };
    struct made m;
    make("data: {custom: [{name: AA, words: [a]}]}\n", &m);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (int level = 0; level < BZ_LEVEL_COUNT; level++) {
            enum bz_level l = (enum bz_level)level;
            assert_int_equal(
                action_of(&m, USER, NO_MODEL, BZ_DIRECTION_REQUEST, l, all[i].type, all[i].proof),
                all[i].request);
            assert_int_equal(
                action_of(&m, ADMIN, TINY, BZ_DIRECTION_REPLY, l, all[i].type, all[i].proof),
                all[i].reply);
        }
    done(&m);
}

static bool in(const struct bz_type_set *s, size_t type) {
    return bz_type_set_has(s, type);
}

/* What is looked for, and what a stream waits for: only as far as a type can be proven. */
static void test_sets(void **state) {
    struct made m;
    struct bz_principal p = who(USER);
    make("data: {rules: [{types: [CREDIT_CARD], action: restore, form: true, direction: request},"
         " {types: [TLP], action: allow}, {types: [PHONE_NUMBER], action: block}]}\n",
         &m);
    const struct bz_actions *a =
        bz_image_actions(&m.img, &p, TINY, BZ_DIRECTION_REQUEST, BZ_LEVEL_PUBLIC);
    assert_true(in(&a->find, EMAIL) && !in(&a->hold, EMAIL) && !in(&a->form, EMAIL));
    assert_true(in(&a->find, CARD) && in(&a->hold, CARD) && in(&a->form, CARD));
    assert_true(in(&a->find, PHONE) && in(&a->hold, PHONE) && !in(&a->form, PHONE));
    assert_true(in(&a->find, PAT) && in(&a->hold, PAT) && in(&a->hold, GENERIC));
    assert_false(in(&a->find, TLP) || in(&a->find, PLACEHOLDER) || in(&a->hold, PLACEHOLDER));
    assert_false(in(&a->find, OWN) || in(&a->hold, BZ_TYPES_MAX - 1)); /* of no type */
    a = bz_image_actions(&m.img, &p, TINY, BZ_DIRECTION_REPLY, BZ_LEVEL_PUBLIC);
    /* In replies a value of that form may stand for another, and placeholders for values. */
    assert_true(in(&a->find, CARD) && in(&a->hold, CARD) && in(&a->form, CARD));
    assert_true(in(&a->find, PLACEHOLDER) && in(&a->hold, PLACEHOLDER));
    assert_false(in(&a->hold, EMAIL) || in(&a->form, EMAIL) || in(&a->find, TLP));
    done(&m);
}

static bool looks_for_nothing(const struct made *m, enum bz_direction d) {
    struct bz_principal p = who(USER);
    bool nothing = true;
    for (int l = 0; l < BZ_LEVEL_COUNT; l++)
        nothing &=
            bz_type_set_empty(&bz_image_actions(&m->img, &p, TINY, d, (enum bz_level)l)->find);
    return nothing;
}

/* Where everything is allowed nothing is looked for; placeholders are, as soon as any role's request
 * can have left one, whatever the role of the reply. */
static void test_nothing_to_look_for(void **state) {
    static const struct {
        const char *rules;
        bool request, reply;
    } t[] = {
        {"{types: [\"*\"], action: allow}", true, true},
        {"{types: [\"*\"], action: allow, direction: request}, {types: [\"*\"], action: mask}",
         true, false},
        {"{types: [\"*\"], action: allow, direction: reply}, {types: [\"*\"], action: mask}", false,
         true},
        {"{types: [EMAIL_ADDRESS], action: restore, roles: [admin]}, {types: [\"*\"], action: "
         "allow}",
         true, false},
        {"{types: [PHONE_NUMBER], action: restore, level: RESTRICTED, direction: request},"
         " {types: [\"*\"], action: allow}",
         false, false},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct made m;
        char yaml[256];
        (void)snprintf(yaml, sizeof yaml, "data: {rules: [%s]}\n", t[i].rules);
        make(yaml, &m);
        assert_int_equal(looks_for_nothing(&m, BZ_DIRECTION_REQUEST), t[i].request);
        assert_int_equal(looks_for_nothing(&m, BZ_DIRECTION_REPLY), t[i].reply);
        done(&m);
    }
}

static void test_restoring_begins_with_a_request(void **state) {
    struct made m;
    make("data: {rules: [{types: [EMAIL_ADDRESS], action: restore}]}\n", &m);
    assert_int_equal(
        action_of(&m, USER, TINY, BZ_DIRECTION_REQUEST, BZ_LEVEL_PUBLIC, EMAIL, BZ_PROOF_FORM),
        BZ_ACTION_RESTORE);
    assert_int_equal(
        action_of(&m, USER, TINY, BZ_DIRECTION_REPLY, BZ_LEVEL_PUBLIC, EMAIL, BZ_PROOF_FORM),
        BZ_ACTION_MASK);
    done(&m);
}

/* Rules of one file, and who gets what from them. */
static const char ordered[] = ROLES
    "data:\n"
    "  custom: [{name: AA, words: [a]}, {name: BB, words: [b], label: true, level: INTERNAL}]\n"
    "  rules:\n"
    "    - {types: [EMAIL_ADDRESS], action: allow, roles: [admin]}\n"
    "    - {types: [EMAIL_ADDRESS, AA], action: block, models: [big]}\n"
    "    - {types: [pii], action: approve, level: CONFIDENTIAL, roles: [user, batch]}\n"
    "    - {types: [EMAIL_ADDRESS], action: coach}\n"
    "    - {types: [pii, BB], action: mask, direction: reply}\n"
    "    - {types: [secrets], action: block, proof: checksum}\n"
    "    - {types: [PHONE_NUMBER], action: record, models: [\"ll*\"]}\n"
    "    - {types: [PHONE_NUMBER], action: block}\n";
#define REQUEST BZ_DIRECTION_REQUEST
#define REPLY BZ_DIRECTION_REPLY
static const struct {
    uint32_t role, model;
    enum bz_direction d;
    enum bz_level level;
    size_t type;
    enum bz_proof proof;
    enum bz_action action;
} gets[] = {
    {ADMIN, BIG, REQUEST, BZ_LEVEL_PUBLIC, EMAIL, BZ_PROOF_FORM, BZ_ACTION_ALLOW},
    {ADMIN, BIG, REQUEST, BZ_LEVEL_PUBLIC, OWN, BZ_PROOF_FORM, BZ_ACTION_BLOCK},
    {USER, BIG, REQUEST, BZ_LEVEL_RESTRICTED, EMAIL, BZ_PROOF_FORM, BZ_ACTION_BLOCK},
    {USER, BIG, REPLY, BZ_LEVEL_PUBLIC, EMAIL, BZ_PROOF_FORM, BZ_ACTION_BLOCK},
    {USER, TINY, REQUEST, BZ_LEVEL_INTERNAL, EMAIL, BZ_PROOF_FORM, BZ_ACTION_COACH},
    {USER, TINY, REQUEST, BZ_LEVEL_CONFIDENTIAL, EMAIL, BZ_PROOF_FORM, BZ_ACTION_APPROVE},
    {BATCH, TINY, REQUEST, BZ_LEVEL_RESTRICTED, CARD, BZ_PROOF_FORM, BZ_ACTION_APPROVE},
    {ADMIN, TINY, REQUEST, BZ_LEVEL_RESTRICTED, CARD, BZ_PROOF_FORM, BZ_ACTION_RECORD},
    {ADMIN, TINY, REQUEST, BZ_LEVEL_RESTRICTED, CARD, BZ_PROOF_CHECKSUM, BZ_ACTION_RESTORE},
    {USER, NO_MODEL, REQUEST, BZ_LEVEL_PUBLIC, EMAIL, BZ_PROOF_FORM, BZ_ACTION_COACH},
    {USER, NO_MODEL, REPLY, BZ_LEVEL_RESTRICTED, EMAIL, BZ_PROOF_FORM, BZ_ACTION_MASK},
    {USER, TINY, REPLY, BZ_LEVEL_RESTRICTED, CARD, BZ_PROOF_FORM, BZ_ACTION_MASK},
    {USER, TINY, REPLY, BZ_LEVEL_PUBLIC, OWN + 1, BZ_PROOF_FORM, BZ_ACTION_MASK},
    {USER, TINY, REQUEST, BZ_LEVEL_PUBLIC, OWN + 1, BZ_PROOF_FORM, BZ_ACTION_RECORD},
    {USER, TINY, REQUEST, BZ_LEVEL_PUBLIC, OWN, BZ_PROOF_FORM, BZ_ACTION_RECORD},
    {USER, TINY, REQUEST, BZ_LEVEL_PUBLIC, PAT, BZ_PROOF_CHECKSUM, BZ_ACTION_BLOCK},
    {USER, TINY, REQUEST, BZ_LEVEL_PUBLIC, PAT, BZ_PROOF_CONTEXT, BZ_ACTION_MASK},
    {USER, TINY, REQUEST, BZ_LEVEL_PUBLIC, PAT, BZ_PROOF_FORM, BZ_ACTION_RECORD},
    {USER, LLAMA, REQUEST, BZ_LEVEL_PUBLIC, PHONE, BZ_PROOF_FORM, BZ_ACTION_RECORD},
    {USER, TINY, REQUEST, BZ_LEVEL_PUBLIC, PHONE, BZ_PROOF_FORM, BZ_ACTION_BLOCK},
    {USER, NO_MODEL, REQUEST, BZ_LEVEL_PUBLIC, PHONE, BZ_PROOF_FORM, BZ_ACTION_BLOCK},
};

static void test_order_of_rules(void **state) {
    struct made m;
    make(ordered, &m);
    for (size_t i = 0; i < sizeof gets / sizeof *gets; i++) {
        enum bz_action a = action_of(&m, gets[i].role, gets[i].model, gets[i].d, gets[i].level,
                                     gets[i].type, gets[i].proof);
        if (a != gets[i].action)
            print_error("case %zu: %s\n", i, bz_action_name(a));
        assert_int_equal(a, gets[i].action);
    }
    done(&m);
}

static bool step_fits(const struct bz_data_step *s, uint32_t role, const char *model,
                      enum bz_level level, enum bz_proof proof) {
    bool role_ok = s->rule == NULL || s->rule->roles == NULL,
         model_ok = s->rule == NULL || s->rule->models == NULL;
    for (uint32_t i = 0; !role_ok && i < s->rule->roles_n; i++)
        role_ok = strcmp(s->rule->roles[i], role_names[role]) == 0;
    for (uint32_t i = 0; !model_ok && i < s->rule->models_n; i++) {
        size_t n = strcspn(s->rule->models[i], "*");
        model_ok = model != NULL && strncmp(s->rule->models[i], model, n) == 0 &&
                   (s->rule->models[i][n] == '*' || model[n] == '\0');
    }
    return role_ok && model_ok && proof >= s->proof && (s->rule == NULL || level >= s->rule->level);
}

/* What is explained is what happens: every cell against the steps, walked one by one. */
static void test_tables_do_what_the_steps_say(void **state) {
    struct made m;
    size_t compared = 0;
    make(ordered, &m);
    for (uint32_t role = 0; role < 3; role++)
        for (uint32_t model = 0; model <= MODELS; model++)
            for (int d = 0; d < BZ_DIRECTION_COUNT; d++)
                for (int l = 0; l < BZ_LEVEL_COUNT; l++)
                    for (size_t t = 0; t < OWN + 2; t++)
                        for (int p = 0; p < BZ_PROOF_COUNT; p++) {
                            struct bz_data_step s[BZ_DATA_STEPS_MAX];
                            struct bz_type type;
                            assert_true(bz_config_type(m.c, t, &type));
                            size_t n = bz_config_steps(m.c, t, (enum bz_direction)d, s), i = 0;
                            if (p > type.proof)
                                continue;
                            while (i < n && !step_fits(&s[i], role,
                                                       model == MODELS ? NULL : models[model].name,
                                                       (enum bz_level)l, (enum bz_proof)p))
                                i++;
                            assert_true(i < n);
                            assert_int_equal(action_of(&m, role, model == MODELS ? NO_MODEL : model,
                                                       (enum bz_direction)d, (enum bz_level)l, t,
                                                       (enum bz_proof)p),
                                             s[i].action);
                            compared++;
                        }
    assert_true(compared > 1500);
    done(&m);
}

/* A rule or clearance for one name of a model holds for its other names. */
static void test_names_of_one_model(void **state) {
    struct made m;
    make("models:\n  - {name: assistant, target: tiny, clearance: INTERNAL}\n"
         "  - {name: big, clearance: PUBLIC}\n"
         "data: {rules: [{types: [pii], action: block, models: [tiny]},"
         " {types: [secrets], action: block, models: [assistant]},"
         " {types: [labels], action: block, models: [llama]}]}\n",
         &m);
    const enum bz_level l = BZ_LEVEL_PUBLIC;
    for (uint32_t i = 0; i < MODELS; i++) {
        bool same = i == ASSISTANT || i == TINY;
        assert_int_equal(action_of(&m, USER, i, REQUEST, l, EMAIL, BZ_PROOF_FORM),
                         same ? BZ_ACTION_BLOCK : BZ_ACTION_RECORD);
        assert_int_equal(action_of(&m, USER, i, REQUEST, l, PAT, BZ_PROOF_FORM),
                         same ? BZ_ACTION_BLOCK : BZ_ACTION_RECORD);
        assert_int_equal(action_of(&m, USER, i, REQUEST, l, TLP, BZ_PROOF_FORM),
                         i == LLAMA ? BZ_ACTION_BLOCK : BZ_ACTION_RECORD);
    }
    assert_int_equal(bz_image_clearance_model(&m.img, ASSISTANT), BZ_LEVEL_INTERNAL);
    assert_int_equal(bz_image_clearance_model(&m.img, TINY), BZ_LEVEL_INTERNAL);
    assert_int_equal(bz_image_clearance_model(&m.img, BIG), BZ_LEVEL_PUBLIC);
    assert_int_equal(bz_image_clearance_model(&m.img, LLAMA), BZ_LEVEL_RESTRICTED);
    assert_int_equal(bz_image_clearance_model(&m.img, NO_MODEL), BZ_LEVEL_RESTRICTED);
    assert_int_equal(bz_image_clearance_model(&m.img, MODELS), BZ_LEVEL_PUBLIC);
    done(&m);
}

static void test_clearance_of_roles(void **state) {
    struct made m;
    struct bz_principal p;
    make("roles:\n  - {name: user, clearance: PUBLIC}\n  - {name: admin}\n", &m);
    p = who(USER);
    assert_int_equal(bz_image_clearance_role(&m.img, &p), BZ_LEVEL_PUBLIC);
    p = who(ADMIN);
    assert_int_equal(bz_image_clearance_role(&m.img, &p), BZ_LEVEL_RESTRICTED);
    p.role = BZ_V("user"); /* numbers of another image */
    assert_int_equal(bz_image_clearance_role(&m.img, &p), BZ_LEVEL_PUBLIC);
    p = who(BATCH);
    assert_int_equal(bz_image_clearance_role(&m.img, &p), BZ_LEVEL_PUBLIC);
    done(&m);
}

static void test_clearance_of_tools(void **state) {
    static const struct {
        const char *name;
        enum bz_level level;
    } all[] = {
        {"web_search", BZ_LEVEL_INTERNAL}, {"web_", BZ_LEVEL_PUBLIC},
        {"web_fetch", BZ_LEVEL_PUBLIC},    {"web_searches", BZ_LEVEL_PUBLIC},
        {"web", BZ_LEVEL_RESTRICTED},      {"Web_fetch", BZ_LEVEL_RESTRICTED},
        {"mail", BZ_LEVEL_CONFIDENTIAL},   {"mailer", BZ_LEVEL_RESTRICTED},
        {"", BZ_LEVEL_RESTRICTED},
    };
    struct made m;
    make(
        "tools:\n  - {name: web_search, clearance: INTERNAL}\n  - {name: \"web_*\", clearance: "
        "PUBLIC}\n"
        "  - {name: mail, clearance: CONFIDENTIAL}\n  - {name: web_fetch, clearance: RESTRICTED}\n",
        &m);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_int_equal(bz_image_clearance_tool(&m.img, bz_view_str(all[i].name)), all[i].level);
    done(&m);
    make("tools: [{name: mail, clearance: RESTRICTED}, {name: \"*\", clearance: PUBLIC}]\n", &m);
    assert_int_equal(bz_image_clearance_tool(&m.img, BZ_V("mail")), BZ_LEVEL_RESTRICTED);
    assert_int_equal(bz_image_clearance_tool(&m.img, BZ_V("x")), BZ_LEVEL_PUBLIC);
    done(&m);
    make("", &m);
    assert_int_equal(bz_image_clearance_tool(&m.img, BZ_V("mail")), BZ_LEVEL_RESTRICTED);
    done(&m);
}

/* The image with another number in it and a good seal again. */
static enum bz_status open_with(struct made *m, uint64_t at, uint32_t value) {
    static const uint8_t label[BZ_KEY_LEN] = "bartizan policy image seal";
    struct bz_image img;
    uint32_t before = 0;
    uint64_t end = 0;
    memcpy(&end, m->b.p + 56, sizeof end);
    memcpy(&before, m->b.p + at, sizeof before);
    memcpy(m->b.p + at, &value, sizeof value);
    bz_keyed_hash(label, bz_view(m->b.p + 48, end - 48), m->b.p + 16);
    enum bz_status st = bz_image_open(bz_buf_view(&m->b), &img);
    memcpy(m->b.p + at, &before, sizeof before);
    return st;
}

static void test_damaged_tools_are_found(void **state) {
    struct made m;
    uint64_t tool = 0, n = 0;
    make("tools: [{name: \"web_*\", clearance: PUBLIC}, {name: mail, clearance: INTERNAL}]\n", &m);
    memcpy(&tool, m.b.p + 264 + 12 * 16, sizeof tool);
    memcpy(&n, m.b.p + 264 + 12 * 16 + 8, sizeof n);
    assert_int_equal(n, 2);
    tool += 12; /* the second: where its name is, how long, its level */
    assert_int_equal(open_with(&m, tool + 8, BZ_LEVEL_COUNT - 1), BZ_OK);
    assert_int_equal(open_with(&m, tool + 8, BZ_LEVEL_COUNT), BZ_ECORRUPT);
    assert_int_equal(open_with(&m, tool + 4, 3), BZ_OK);
    assert_int_equal(open_with(&m, tool + 4, 0), BZ_ECORRUPT);
    assert_int_equal(open_with(&m, tool + 4, UINT32_MAX), BZ_ECORRUPT);
    assert_int_equal(open_with(&m, tool, UINT32_MAX), BZ_ECORRUPT);
    assert_int_equal(open_with(&m, 264 + 12 * 16 + 8, BZ_TOOLS_MAX + 1), BZ_ECORRUPT);
    done(&m);
}

/* Whoever is not of this image gets through with nothing. */
static void test_strangers_are_blocked(void **state) {
    struct made m;
    make(ROLES "data: {rules: [{types: [\"*\"], action: allow}]}\n", &m);
    struct bz_principal ok = who(USER), other = who(USER), beyond = who(USER);
    other.role = BZ_V("admin");
    beyond.role_index = 3;
    const struct {
        const struct bz_principal *p;
        uint32_t model;
        int d, level;
        enum bz_action action;
    } all[] = {
        {&ok, NO_MODEL, 0, 0, BZ_ACTION_ALLOW},    {&ok, MODELS - 1, 1, 3, BZ_ACTION_ALLOW},
        {&other, NO_MODEL, 0, 0, BZ_ACTION_BLOCK}, {&beyond, NO_MODEL, 0, 0, BZ_ACTION_BLOCK},
        {&ok, MODELS, 0, 0, BZ_ACTION_BLOCK},      {&ok, UINT32_MAX - 1, 0, 0, BZ_ACTION_BLOCK},
        {&ok, 0, 2, 0, BZ_ACTION_BLOCK},           {&ok, 0, 0, 4, BZ_ACTION_BLOCK},
        {&ok, 0, -1, 0, BZ_ACTION_BLOCK},          {&ok, 0, 0, -1, BZ_ACTION_BLOCK},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const struct bz_actions *a =
            bz_image_actions(&m.img, all[i].p, all[i].model, (enum bz_direction)all[i].d,
                             (enum bz_level)all[i].level);
        assert_non_null(a);
        for (int p = 0; p < BZ_PROOF_COUNT; p++)
            assert_int_equal(bz_actions_get(a, EMAIL, (enum bz_proof)p), all[i].action);
        assert_int_equal(in(&a->find, EMAIL), all[i].action == BZ_ACTION_BLOCK);
        assert_int_equal(in(&a->hold, EMAIL), all[i].action == BZ_ACTION_BLOCK);
    }
    done(&m);
}

static void test_an_undecided_type_blocks(void **state) {
    static const struct bz_actions nothing;
    for (size_t t = 0; t < BZ_TYPES_MAX + 2; t += 73)
        for (int p = 0; p < BZ_PROOF_COUNT + 1; p++)
            assert_int_equal(bz_actions_get(&nothing, t, (enum bz_proof)p), BZ_ACTION_BLOCK);
}

static void test_settings_and_pack(void **state) {
    struct made m;
    struct bz_data_settings s;
    make("data: {unknown_fields: text, restore_s: 61, hold_ms: 62}\n", &m);
    bz_image_data(&m.img, &s);
    assert_true(bz_view_eq(s.detect_pack, BZ_V("not a real pack")));
    assert_int_equal((size_t)(s.detect_pack.p - m.b.p) % 64, 0);
    assert_int_equal(s.vault_key[0], 7);
    assert_int_equal(s.vault_key[BZ_KEY_LEN - 1], 7);
    assert_int_equal(s.restore_s, 61);
    assert_int_equal(s.hold_ms, 62);
    assert_false(s.refuse_unknown);
    done(&m);
    make("", &m);
    bz_image_data(&m.img, &s);
    assert_true(s.refuse_unknown);
    assert_int_equal(s.restore_s, 3600);
    assert_int_equal(s.hold_ms, 2000);
    struct bz_image_input bare = input_of(m.c);
    bare.detect_pack = (struct bz_view){0};
    struct bz_buf b;
    struct bz_image img;
    struct bz_principal p = who(USER);
    bz_buf_init(&b, 1 << 20);
    assert_int_equal(bz_image_build(&bare, &b), BZ_OK);
    assert_int_equal(bz_image_open(bz_buf_view(&b), &img), BZ_OK);
    assert_null(bz_image_actions(&img, &p, 0, REQUEST, BZ_LEVEL_PUBLIC));
    bz_image_data(&img, &s);
    assert_int_equal(s.detect_pack.n, 0);
    assert_int_equal(bz_image_clearance_role(&img, &p), BZ_LEVEL_RESTRICTED);
    bz_buf_free(&b);
    done(&m);
}

static size_t tables_in(const struct made *m, uint32_t roles) {
    const struct bz_actions *seen[512];
    size_t n = 0;
    for (uint32_t r = 0; r < roles; r++)
        for (uint32_t model = 0; model <= MODELS; model++)
            for (int d = 0; d < BZ_DIRECTION_COUNT; d++)
                for (int l = 0; l < BZ_LEVEL_COUNT; l++) {
                    struct bz_principal p = who(r);
                    const struct bz_actions *a =
                        bz_image_actions(&m->img, &p, model == MODELS ? NO_MODEL : model,
                                         (enum bz_direction)d, (enum bz_level)l);
                    size_t i = 0;
                    while (i < n && seen[i] != a)
                        i++;
                    if (i == n)
                        seen[n++] = a;
                }
    return n;
}

static void test_equal_tables_are_one(void **state) {
    struct made m;
    make("", &m);
    assert_int_equal(tables_in(&m, 2), 2); /* requests, replies */
    done(&m);
    make(ROLES
         "data: {rules: [{types: [pii], action: record, direction: reply, roles: [batch]}]}\n",
         &m);
    assert_int_equal(tables_in(&m, 3), 3);
    done(&m);
    make(ROLES "data: {rules: [{types: [EMAIL_ADDRESS], action: record, level: INTERNAL}]}\n", &m);
    assert_int_equal(tables_in(&m, 3), 2); /* the rule says what the default says */
    done(&m);
}

/* ---- approvals ---- */

static void test_approvals(void **state) {
    enum { n = 1000 };
    struct bz_approval *list = calloc(n, sizeof *list);
    struct bz_config *c = parse(BASE);
    struct bz_image_input in = input_of(c);
    struct bz_buf b;
    struct bz_image img;
    for (size_t i = 0; i < n; i++) {
        list[i].expires = 1000 + i;
        for (size_t k = 0; k < BZ_APPROVAL_LEN; k++)
            list[i].id[k] = (uint8_t)((i * 2654435761u >> k) * (k + 7));
        memcpy(list[i].id, &(uint32_t){(uint32_t)(i * 2654435761u)}, 4);
    }
    for (size_t used = 0; used <= n; used += used < 4 ? 1 : 249) {
        in.approvals = list;
        in.approvals_n = used;
        bz_buf_init(&b, 1 << 20);
        assert_int_equal(bz_image_build(&in, &b), BZ_OK);
        assert_int_equal(bz_image_open(bz_buf_view(&b), &img), BZ_OK);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(bz_image_approved(&img, list[i].id, 1000 + i - 1), i < used);
            assert_false(bz_image_approved(&img, list[i].id, 1000 + i));
        }
        list[0].id[15] ^= 1;
        assert_false(bz_image_approved(&img, list[0].id, 1));
        list[0].id[15] ^= 1;
        bz_buf_free(&b);
    }
    memcpy(list[5].id, list[900].id, sizeof list[5].id);
    in.approvals_n = n;
    bz_buf_init(&b, 1 << 20);
    assert_int_equal(bz_image_build(&in, &b), BZ_EEXISTS);
    in.approvals_n = BZ_APPROVALS_MAX + 1;
    assert_int_equal(bz_image_build(&in, &b), BZ_ETOOBIG);
    bz_buf_free(&b);
    bz_config_free(c);
    free(list);
}

/* ---- limits ---- */

/* Every role with a rule of its own, `n` models likewise. */
static enum bz_status build_groups(size_t roles, size_t n) {
    struct bz_buf y, b;
    static char names[160][16];
    static struct bz_image_model_input own[160];
    bz_buf_init(&y, 1 << 20);
    bz_buf_puts(&y, BASE "roles:\n");
    for (unsigned i = 0; i < roles; i++)
        bz_buf_printf(&y, "  - {name: r%u, routes: [chat], models: [\"*\"]}\n", i);
    bz_buf_puts(&y, "data:\n  rules:\n");
    for (unsigned i = 0; i < roles; i++)
        bz_buf_printf(&y, "    - {types: [pii], action: mask, roles: [r%u]}\n", i);
    for (unsigned i = 0; i < n; i++) {
        bz_buf_printf(&y, "    - {types: [pii], action: block, models: [m%u]}\n", i);
        snprintf(names[i], sizeof names[i], "m%u", i);
        own[i] = (struct bz_image_model_input){names[i], NULL, 1};
    }
    bz_buf_putc(&y, '\0');
    struct bz_config *c = parse((const char *)y.p);
    struct bz_image_input in = input_of(c);
    in.models = own;
    in.models_n = n;
    bz_buf_init(&b, 64 << 20);
    enum bz_status st = bz_image_build(&in, &b);
    struct bz_image img;
    if (st == BZ_OK)
        assert_int_equal(bz_image_open(bz_buf_view(&b), &img), BZ_OK);
    bz_buf_free(&y);
    bz_buf_free(&b);
    bz_config_free(c);
    return st;
}

static void test_groups_have_a_cap(void **state) {
    /* Roles, with user and admin as one more group, times models and none of them, times two
     * directions; all levels are alike. */
    assert_int_equal(build_groups(61, 131), BZ_OK);      /* 62 * 132 * 2 = 16368 tables */
    assert_int_equal(build_groups(61, 132), BZ_ETOOBIG); /* 62 * 133 * 2 = 16492 */
}

static void test_out_of_range_is_refused(void **state) {
    struct bz_config *c = parse(BASE);
    struct bz_image_input in = input_of(c);
    struct bz_buf b;
    bz_buf_init(&b, 1 << 20);
    c->roles[0].clearance = BZ_LEVEL_COUNT + 1;
    assert_int_equal(bz_image_build(&in, &b), BZ_EINVAL);
    c->roles[0].clearance = BZ_LEVEL_COUNT;
    struct bz_tool_config tool = {.name = c->roles[0].name, .clearance = BZ_LEVEL_COUNT};
    char empty[] = "";
    c->tools = &tool;
    c->tools_n = 1;
    assert_int_equal(bz_image_build(&in, &b), BZ_EINVAL);
    tool.clearance = BZ_LEVEL_COUNT - 1;
    c->tools_n = BZ_TOOLS_MAX + 1;
    assert_int_equal(bz_image_build(&in, &b), BZ_ETOOBIG);
    c->tools_n = 1;
    tool.name = empty;
    assert_int_equal(bz_image_build(&in, &b), BZ_EINVAL);
    tool.name = c->roles[0].name;
    assert_int_equal(bz_image_build(&in, &b), BZ_OK);
    bz_buf_free(&b);
    bz_config_free(c);
}

static void test_every_flipped_bit_is_found(void **state) {
    struct made m;
    struct bz_image img;
    make("data: {rules: [{types: [pii], action: mask, roles: [user]}]}\n"
         "tools: [{name: \"web_*\", clearance: PUBLIC}]\n",
         &m);
    uint64_t sealed_end = 0;
    memcpy(&sealed_end, m.b.p + 56, sizeof sealed_end);
    for (size_t i = 0; i < sealed_end; i += 3) {
        m.b.p[i] ^= (uint8_t)(1u << i % 8);
        enum bz_status st = bz_image_open(bz_buf_view(&m.b), &img);
        assert_true(st == BZ_ECORRUPT || st == BZ_EVERSION);
        m.b.p[i] ^= (uint8_t)(1u << i % 8);
    }
    done(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_nothing_to_look_for),
        cmocka_unit_test(test_restoring_begins_with_a_request),
        cmocka_unit_test(test_order_of_rules),
        cmocka_unit_test(test_tables_do_what_the_steps_say),
        cmocka_unit_test(test_names_of_one_model),
        cmocka_unit_test(test_clearance_of_roles),
        cmocka_unit_test(test_clearance_of_tools),
        cmocka_unit_test(test_damaged_tools_are_found),
        cmocka_unit_test(test_strangers_are_blocked),
        cmocka_unit_test(test_an_undecided_type_blocks),
        cmocka_unit_test(test_settings_and_pack),
        cmocka_unit_test(test_equal_tables_are_one),
        cmocka_unit_test(test_approvals),
        cmocka_unit_test(test_groups_have_a_cap),
        cmocka_unit_test(test_blobs_come_back_as_given),
        cmocka_unit_test(test_out_of_range_is_refused),
        cmocka_unit_test(test_every_flipped_bit_is_found),
    };
    return bz_crypto_init() == BZ_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
