/* Sections `tools` and `agent`: which tools a model may call and how, where links may lead. */
#include <stdio.h>
#include <bartizan/host.h>
#include "config_int.h"

enum { tool_name_max = 128, path_max = 128 };

static const char *const verdicts[] = {"allow", "approve", "deny"};
static const char *const effects[] = {"read", "write", "irreversible"};
static const char *const actions[] = {"allow", "defang", "block"};
static const char *const passes[] = {"allow", "deny"};
static const char *const offers[] = {"refuse", "remove"};

static int index_of(const char *s, const char *const *list, size_t n) {
    for (size_t i = 0; s != NULL && i < n; i++)
        if (strcmp(s, list[i]) == 0)
            return (int)i;
    return -1;
}

static void check_word(struct cfg *c, const char *path, const char *s, const char *const *list,
                       size_t n) {
    char text[160] = "\"%s\" is not known here; write ";
    struct bz_buf b;
    if (s == NULL || index_of(s, list, n) >= 0)
        return;
    bz_buf_init_fixed(&b, text, sizeof text - 1);
    b.n = strlen(text);
    for (size_t i = 0; i < n; i++) {
        bz_buf_puts(&b, i == 0 ? "" : i + 1 == n ? " or " : ", ");
        bz_buf_puts(&b, list[i]);
    }
    text[b.n] = '\0';
    cfg_fail(c, path, text, s);
}
#define CHECK_WORD(c, path, s, list) check_word(c, path, s, list, sizeof(list) / sizeof(list)[0])

static void path_of(char out[path_max], size_t i, const char *member) {
    if (snprintf(out, path_max, "tools[%zu].%s", i, member) < 0)
        out[0] = '\0';
}

/* ---- tools ---- */

/* The letters that names of tools have in requests. */
static void check_name(struct cfg *c, const char *path, const char *s) {
    const char *star = s == NULL ? NULL : strchr(s, '*');
    struct bz_view name = bz_view_str(s);
    if (s == NULL)
        cfg_fail(c, path, "the tool's name is missing; write a name, or prefix*", "");
    else if (star != NULL && star[1] != '\0')
        cfg_fail(c, path, "\"%s\": a * may only stand at the end", s);
    else if (name.n > tool_name_max ||
             !(star == s || bz_agent_name_plain(bz_view_sub(name, 0, name.n - (star != NULL)))))
        cfg_fail(c, path, "\"%s\" is no tool's name: letters, digits and _-.:/, at most 128", s);
}

static bool same(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* A name may come again for other roles, with the same clearance. */
static void check_repeated(struct cfg *c, const struct y_config *y, uint32_t i) {
    char at[path_max];
    const struct y_tool *t = &y->tools[i];
    for (uint32_t j = 0; t->name != NULL && j < i; j++) {
        const struct y_tool *other = &y->tools[j];
        if (!same(other->name, t->name))
            continue;
        path_of(at, i, "name");
        if (other->roles == NULL) {
            cfg_fail(c, at, "another line is for \"%s\" already", t->name);
            return;
        }
        path_of(at, i, "clearance");
        if (!same(other->clearance, t->clearance))
            cfg_fail(c, at, "lines for one tool have one clearance; \"%s\" has another above",
                     t->name);
        return;
    }
}

static void check_roles(struct cfg *c, const struct y_config *y, uint32_t i) {
    char at[path_max];
    const struct y_tool *t = &y->tools[i];
    for (uint32_t k = 0; k < t->roles_count && c->n < c->cap; k++) {
        bool known = strcmp(t->roles[k], "user") == 0 || strcmp(t->roles[k], "admin") == 0;
        for (uint32_t r = 0; r < y->roles_count && !known; r++)
            known = same(y->roles[r].name, t->roles[k]);
        if (snprintf(at, sizeof at, "tools[%u].roles[%u]", i, k) > 0 && !known)
            cfg_fail(c, at, "\"%s\" is no role of this file", t->roles[k]);
    }
}

static void check_schema(struct cfg *c, uint32_t i, const char *schema) {
    const struct bz_tool_rule rule = {.name = BZ_V("*"), .schema = bz_view_str(schema)};
    struct bz_agent_settings set;
    struct bz_agent_error err;
    struct bz_buf out;
    char at[path_max];
    if (schema == NULL)
        return;
    path_of(at, i, "schema");
    bz_agent_settings_default(&set);
    bz_buf_init(&out, 4 * BZ_AGENT_SCHEMA_MAX);
    if (bz_agent_compile(&rule, 1, &set, &out, &err) != BZ_OK)
        cfg_fail_at(c, cfg_mark(c, at), at, err.text, (struct bz_view){0});
    bz_buf_free(&out);
}

static void check_tool(struct cfg *c, const struct y_config *y, uint32_t i) {
    const struct y_tool *t = &y->tools[i];
    char at[path_max];
    path_of(at, i, "name");
    check_name(c, at, t->name);
    check_repeated(c, y, i);
    path_of(at, i, "clearance");
    cfg_check_level(c, at, t->clearance);
    path_of(at, i, "call");
    CHECK_WORD(c, at, t->call, verdicts);
    path_of(at, i, "effect");
    CHECK_WORD(c, at, t->effect, effects);
    path_of(at, i, "repeats");
    cfg_check_range(c, at, t->repeats, 1, 1000000);
    path_of(at, i, "uses");
    cfg_check_range(c, at, t->uses, 1, 1000);
    check_roles(c, y, i);
    check_schema(c, i, t->schema);
}

static void check_agent(struct cfg *c, const struct y_agent *a) {
    char at[path_max];
    CHECK_WORD(c, "agent.unlisted", a->unlisted, passes);
    CHECK_WORD(c, "agent.offers", a->offers, offers);
    CHECK_WORD(c, "agent.leak", a->leak, verdicts);
    CHECK_WORD(c, "agent.flagged", a->flagged, verdicts);
    CHECK_WORD(c, "agent.links", a->links, actions);
    CHECK_WORD(c, "agent.images", a->images, actions);
    CHECK_WORD(c, "agent.tainted_links", a->tainted_links, actions);
    CHECK_WORD(c, "agent.tainted_images", a->tainted_images, actions);
    cfg_check_range(c, "agent.calls_max", a->calls_max, 1, 1000000);
    cfg_check_range(c, "agent.repeats", a->repeats, 1, 1000000);
    for (int i = 0; a->untrusted != NULL && i < BZ_EFFECT_COUNT; i++)
        if (snprintf(at, sizeof at, "agent.untrusted.%s", effects[i]) > 0)
            CHECK_WORD(c, at, a->untrusted->of[i], verdicts);
    for (uint32_t i = 0; i < a->hosts_count && c->n < c->cap; i++)
        if (snprintf(at, sizeof at, "agent.hosts[%u]", i) > 0 &&
            !bz_host_entry_ok(bz_view_str(a->hosts[i])))
            cfg_fail(c, at,
                     "\"%s\" is no host: write example.org or *.example.org, in ASCII, with :port "
                     "if it has to be that one",
                     a->hosts[i]);
}

void cfg_check_tools(struct cfg *c, const struct y_config *y) {
    for (uint32_t i = 0; i < y->tools_count && c->n < c->cap; i++)
        check_tool(c, y, i);
    if (y->agent != NULL)
        check_agent(c, y->agent);
}

/* ---- conversion ---- */

static uint8_t word_or(const char *s, const char *const *list, size_t n, int otherwise) {
    int i = index_of(s, list, n);
    return (uint8_t)(i < 0 ? otherwise : i);
}
#define WORD_OR(s, list, otherwise) word_or(s, list, sizeof(list) / sizeof(list)[0], otherwise)

static uint32_t or_zero(const uint64_t *v) {
    return v == NULL ? 0 : (uint32_t)*v;
}

static bool convert_tool(struct bz_tool_config *out, struct bz_arena *ar, const struct y_tool *t) {
    enum bz_level level = BZ_LEVEL_RESTRICTED;
    if (t->clearance != NULL)
        (void)bz_level_from_name(bz_view_str(t->clearance), &level);
    *out = (struct bz_tool_config){
        .name = cfg_dup(ar, t->name),
        .clearance = (uint8_t)level,
        .call = WORD_OR(t->call, verdicts, BZ_TOOL_ALLOW),
        .effect = WORD_OR(t->effect, effects, BZ_EFFECT_WRITE),
        .inside = t->egress != NULL && !*t->egress,
        .trusted_result = t->trusted_result != NULL && *t->trusted_result,
        .roles_n = t->roles_count,
        .repeats = or_zero(t->repeats),
        .uses = or_zero(t->uses),
    };
    if (t->schema != NULL && (out->schema = cfg_dup(ar, t->schema)) == NULL)
        return false;
    if (t->roles != NULL && (out->roles = cfg_dup_list(ar, t->roles, t->roles_count)) == NULL)
        return false;
    return out->name != NULL;
}

static bool convert_agent(struct bz_config *c, struct bz_arena *ar, const struct y_agent *a) {
    static const struct y_effects none;
    struct bz_agent_settings *s = &c->agent.set;
    const struct y_effects *u = a->untrusted == NULL ? &none : a->untrusted;
    int otherwise = a->hosts_count > 0 ? BZ_LINK_DEFANG : BZ_LINK_ALLOW;
    bool listed = c->tools_n > 0;
    s->default_deny = a->unlisted == NULL ? listed : strcmp(a->unlisted, "deny") == 0;
    s->remove_offers = a->offers != NULL && strcmp(a->offers, "remove") == 0;
    s->calls_max = or_zero(a->calls_max);
    s->repeats = or_zero(a->repeats);
    for (int i = 0; i < BZ_EFFECT_COUNT; i++)
        s->untrusted[i] = (enum bz_tool_verdict)WORD_OR(u->of[i], verdicts, (int)s->untrusted[i]);
    s->leak = (enum bz_tool_verdict)WORD_OR(a->leak, verdicts, (int)s->leak);
    s->flagged = (enum bz_tool_verdict)WORD_OR(a->flagged, verdicts, (int)s->flagged);
    s->links = (enum bz_link_action)WORD_OR(a->links, actions, otherwise);
    s->images = (enum bz_link_action)WORD_OR(a->images, actions, otherwise);
    s->tainted_links = (enum bz_link_action)WORD_OR(a->tainted_links, actions, BZ_LINK_DEFANG);
    s->tainted_images = (enum bz_link_action)WORD_OR(a->tainted_images, actions, BZ_LINK_DEFANG);
    c->agent.hosts_n = a->hosts_count;
    c->agent.hosts = cfg_dup_list(ar, a->hosts, a->hosts_count);
    return c->agent.hosts != NULL;
}

bool cfg_convert_tools(struct bz_config *out, struct bz_arena *ar, const struct y_config *y) {
    static const struct y_agent none;
    out->tools_n = y->tools_count;
    out->tools = bz_arena_zalloc(ar, (out->tools_n + 1u) * sizeof *out->tools);
    for (uint32_t i = 0; out->tools != NULL && i < out->tools_n; i++)
        if (!convert_tool(&out->tools[i], ar, &y->tools[i]))
            return false;
    bz_agent_settings_default(&out->agent.set);
    return out->tools != NULL && convert_agent(out, ar, y->agent == NULL ? &none : y->agent);
}

/* ---- the image's part ---- */

static enum bz_status compile(const struct bz_config *c, struct bz_arena *ar, struct bz_buf *out,
                              struct bz_agent_error *err) {
    struct bz_agent_settings set = c->agent.set;
    struct bz_tool_rule *rules = bz_arena_zalloc(ar, (c->tools_n + 1u) * sizeof *rules);
    struct bz_view *hosts = bz_arena_zalloc(ar, (c->agent.hosts_n + 1u) * sizeof *hosts);
    if (rules == NULL || hosts == NULL)
        return BZ_ENOMEM;
    for (uint32_t i = 0; i < c->agent.hosts_n; i++)
        hosts[i] = bz_view_str(c->agent.hosts[i]);
    set.hosts = hosts;
    set.hosts_n = c->agent.hosts_n;
    for (uint32_t i = 0; i < c->tools_n; i++) {
        const struct bz_tool_config *t = &c->tools[i];
        struct bz_view *roles = bz_arena_zalloc(ar, (t->roles_n + 1u) * sizeof *roles);
        if (roles == NULL)
            return BZ_ENOMEM;
        for (uint32_t k = 0; k < t->roles_n; k++)
            roles[k] = bz_view_str(t->roles[k]);
        rules[i] = (struct bz_tool_rule){.name = bz_view_str(t->name),
                                         .roles = roles,
                                         .roles_n = t->roles_n,
                                         .verdict = (enum bz_tool_verdict)t->call,
                                         .effect = (enum bz_effect)t->effect,
                                         .egress = !t->inside,
                                         .trusted_result = t->trusted_result,
                                         .schema = bz_view_str(t->schema),
                                         .repeats = t->repeats,
                                         .uses = t->uses};
    }
    return bz_agent_compile(rules, c->tools_n, &set, out, err);
}

enum bz_status bz_config_agent(const struct bz_config *c, struct bz_buf *out,
                               struct bz_agent_error *err) {
    struct bz_arena ar;
    *err = (struct bz_agent_error){.rule = BZ_AGENT_NO_RULE};
    bz_arena_init(&ar, bz_alloc_heap, 4u << 20, NULL, 0);
    enum bz_status st = compile(c, &ar, out, err);
    bz_arena_free(&ar);
    return st;
}
