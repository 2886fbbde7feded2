/* The blob of the policy image: rules in the order in which they decide, then hosts.
 *
 *   "BZAGENT" 1 | settings | rules | hosts      numbers little endian, texts behind their lengths */
#include <stdio.h>

#include "agent_int.h"

static const uint8_t magic[8] = {'B', 'Z', 'A', 'G', 'E', 'N', 'T', 1};
enum { NAME_MAX_BYTES = 128, SCHEMA_TREE_MAX = 16 << 20 };

const char *bz_effect_name(enum bz_effect e) {
    static const char *const names[BZ_EFFECT_COUNT] = {"read", "write", "irreversible"};
    return (unsigned)e < BZ_EFFECT_COUNT ? names[e] : "unknown";
}

const char *bz_tool_verdict_name(enum bz_tool_verdict v) {
    static const char *const names[BZ_TOOL_VERDICT_COUNT] = {"allow", "approve", "deny"};
    return (unsigned)v < BZ_TOOL_VERDICT_COUNT ? names[v] : "unknown";
}

const char *bz_link_action_name(enum bz_link_action a) {
    static const char *const names[BZ_LINK_ACTION_COUNT] = {"allow", "defang", "block"};
    return (unsigned)a < BZ_LINK_ACTION_COUNT ? names[a] : "unknown";
}

void bz_agent_settings_default(struct bz_agent_settings *ret) {
    *ret = (struct bz_agent_settings){
        .untrusted = {BZ_TOOL_ALLOW, BZ_TOOL_ALLOW, BZ_TOOL_APPROVE},
        .leak = BZ_TOOL_DENY,
        .flagged = BZ_TOOL_APPROVE,
        .tainted_links = BZ_LINK_DEFANG,
        .tainted_images = BZ_LINK_DEFANG,
    };
}

bool bz_agent_name_plain(struct bz_view name) {
    for (size_t i = 0; i < name.n; i++) {
        uint8_t b = name.p[i];
        bool alnum = (b >= '0' && b <= '9') || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
        if (!alnum && memchr("_-.:/", b, 5) == NULL)
            return false;
    }
    return name.n >= 1 && name.n <= NAME_MAX_BYTES;
}

/* ---- writing ---- */

static enum bz_status no(struct bz_agent_error *err, size_t rule, const char *why) {
    err->rule = rule;
    if (snprintf(err->text, sizeof err->text, "%s", why) < 0)
        err->text[0] = '\0';
    return BZ_ESYNTAX;
}

static void put_text(struct bz_buf *b, struct bz_view v) {
    bz_buf_put_le32(b, (uint32_t)v.n);
    bz_buf_put(b, v);
}

static bool name_ok(struct bz_view v) {
    if (v.n > 0 && v.p[v.n - 1] == '*')
        v.n--;
    return v.n == 0 || bz_agent_name_plain(v);
}

static enum bz_status schema_wrong(char err[BZ_SCHEMA_ERROR], const char *why) {
    if (snprintf(err, BZ_SCHEMA_ERROR, "schema: %s", why) < 0)
        err[0] = '\0';
    return BZ_ESYNTAX;
}

/* Of `type`, a name or a list of them. */
static bool takes_arguments(const struct bz_json *type) {
    bool takes = false;
    const struct bz_json *one = bz_json_is(type, BZ_JSON_ARRAY) ? type->first : type;
    for (; one != NULL && !takes; one = one == type ? NULL : one->next)
        takes = bz_view_eq(bz_json_str(one), BZ_V("object")) ||
                bz_view_eq(bz_json_str(one), BZ_V("string"));
    return takes;
}

/* OK; ESYNTAX (err: where, and what belongs there); ENOMEM. */
static enum bz_status schema_ok(struct bz_view text, char err[BZ_SCHEMA_ERROR]) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    struct bz_diag diag = {0, NULL};
    if (text.n > BZ_AGENT_SCHEMA_MAX)
        return schema_wrong(err, "it is longer than 16 KiB");
    bz_arena_init(&ar, bz_alloc_heap, SCHEMA_TREE_MAX, NULL, 0);
    enum bz_status st = bz_json_parse(text, NULL, &ar, &root, &diag);
    if (st == BZ_OK) {
        st = bz_schema_check(root, BZ_SCHEMA_OWN, &ar, err);
        if (st == BZ_OK && !takes_arguments(bz_json_get(root, BZ_V("type"))))
            st = schema_wrong(err, "type: arguments are an object (a text for custom tools)");
    } else if (st != BZ_ENOMEM) {
        st = schema_wrong(err, diag.why != NULL ? diag.why : "it is no JSON");
    }
    bz_arena_free(&ar);
    return st;
}

static enum bz_status put_rule(const struct bz_tool_rule *r, size_t i, struct bz_buf *b,
                               struct bz_agent_error *err) {
    if (r->name.n == 0 || !name_ok(r->name))
        return no(err, i, "the tool's name is letters, digits and _-.:/, or prefix*");
    if ((unsigned)r->verdict >= BZ_TOOL_VERDICT_COUNT || (unsigned)r->effect >= BZ_EFFECT_COUNT)
        return no(err, i, "the verdict or effect is none that exists");
    if (r->schema.n > 0) {
        enum bz_status st = schema_ok(r->schema, err->text);
        err->rule = i;
        if (st != BZ_OK)
            return st;
    }
    put_text(b, r->name);
    bz_buf_put_le32(b, (uint32_t)r->roles_n);
    for (size_t k = 0; k < r->roles_n; k++)
        put_text(b, r->roles[k]);
    bz_buf_putc(b, (uint8_t)r->verdict);
    bz_buf_putc(b, (uint8_t)r->effect);
    bz_buf_putc(b, r->egress);
    bz_buf_putc(b, r->trusted_result);
    bz_buf_put_le32(b, r->repeats);
    bz_buf_put_le32(b, r->uses);
    put_text(b, r->schema);
    return BZ_OK;
}

static enum bz_status settings_ok(const struct bz_agent_settings *s, struct bz_agent_error *err) {
    bool ok =
        (unsigned)s->leak < BZ_TOOL_VERDICT_COUNT && (unsigned)s->flagged < BZ_TOOL_VERDICT_COUNT &&
        (unsigned)s->links < BZ_LINK_ACTION_COUNT && (unsigned)s->images < BZ_LINK_ACTION_COUNT &&
        (unsigned)s->tainted_links < BZ_LINK_ACTION_COUNT &&
        (unsigned)s->tainted_images < BZ_LINK_ACTION_COUNT;
    for (int i = 0; i < BZ_EFFECT_COUNT; i++)
        ok &= (unsigned)s->untrusted[i] < BZ_TOOL_VERDICT_COUNT;
    if (!ok)
        return no(err, BZ_AGENT_NO_RULE, "a verdict or an action is none that exists");
    for (size_t i = 0; i < s->hosts_n; i++)
        if (!bz_host_entry_ok(s->hosts[i]))
            return no(err, BZ_AGENT_NO_RULE,
                      "a host is written plainly: example.org or *.example.org, in ASCII, "
                      "with :port if it has to be that one");
    return BZ_OK;
}

static void put_settings(const struct bz_agent_settings *s, struct bz_buf *b) {
    bz_buf_put_le32(b, s->calls_max);
    bz_buf_put_le32(b, s->repeats);
    bz_buf_putc(b, s->default_deny);
    bz_buf_putc(b, s->remove_offers);
    for (int i = 0; i < BZ_EFFECT_COUNT; i++)
        bz_buf_putc(b, (uint8_t)s->untrusted[i]);
    bz_buf_putc(b, (uint8_t)s->leak);
    bz_buf_putc(b, (uint8_t)s->flagged);
    bz_buf_putc(b, (uint8_t)s->links);
    bz_buf_putc(b, (uint8_t)s->images);
    bz_buf_putc(b, (uint8_t)s->tainted_links);
    bz_buf_putc(b, (uint8_t)s->tainted_images);
}

enum bz_status bz_agent_compile(const struct bz_tool_rule *rules, size_t n,
                                const struct bz_agent_settings *s, struct bz_buf *out,
                                struct bz_agent_error *err) {
    *err = (struct bz_agent_error){.rule = BZ_AGENT_NO_RULE};
    if (n > BZ_TOOLS_MAX || s->hosts_n > BZ_AGENT_HOSTS_MAX)
        return BZ_ETOOBIG;
    BZ_TRY(settings_ok(s, err));
    bz_buf_put(out, bz_view(magic, sizeof magic));
    bz_buf_put_le32(out, (uint32_t)n);
    bz_buf_put_le32(out, (uint32_t)s->hosts_n);
    put_settings(s, out);
    for (size_t i = 0; i < n; i++)
        BZ_TRY(put_rule(&rules[i], i, out, err));
    for (size_t i = 0; i < s->hosts_n; i++)
        put_text(out, s->hosts[i]);
    return bz_buf_status(out);
}

/* ---- reading ---- */

static struct bz_view take_text(struct bz_rd *r, size_t most) {
    uint32_t n = bz_rd_le32(r);
    if (n > most)
        bz_rd_fail(r, BZ_ECORRUPT);
    return bz_rd_take(r, bz_rd_ok(r) ? n : 0);
}

static uint8_t below(struct bz_rd *r, uint8_t count) {
    uint8_t v = bz_rd_u8(r);
    if (v >= count)
        bz_rd_fail(r, BZ_ECORRUPT);
    return v;
}

static void take_rule(struct bz_rd *r, struct rule *ret) {
    ret->name = take_text(r, NAME_MAX_BYTES);
    ret->roles_n = bz_rd_count(r, 4);
    const uint8_t *roles = r->p;
    for (uint32_t i = 0; i < ret->roles_n && bz_rd_ok(r); i++)
        (void)take_text(r, NAME_MAX_BYTES);
    ret->roles = bz_view(roles, bz_rd_ok(r) ? (size_t)(r->p - roles) : 0);
    ret->verdict = below(r, BZ_TOOL_VERDICT_COUNT);
    ret->effect = below(r, BZ_EFFECT_COUNT);
    ret->egress = below(r, 2) != 0;
    ret->trusted_result = below(r, 2) != 0;
    ret->repeats = bz_rd_le32(r);
    ret->uses = bz_rd_le32(r);
    ret->schema = take_text(r, BZ_AGENT_SCHEMA_MAX);
}

static void take_settings(struct bz_rd *r, struct bz_agent *a) {
    a->calls_max = bz_rd_le32(r);
    a->repeats = bz_rd_le32(r);
    a->default_deny = below(r, 2) != 0;
    a->remove_offers = below(r, 2) != 0;
    for (int i = 0; i < BZ_EFFECT_COUNT; i++)
        a->untrusted[i] = below(r, BZ_TOOL_VERDICT_COUNT);
    a->leak = below(r, BZ_TOOL_VERDICT_COUNT);
    a->flagged = below(r, BZ_TOOL_VERDICT_COUNT);
    a->links = below(r, BZ_LINK_ACTION_COUNT);
    a->images = below(r, BZ_LINK_ACTION_COUNT);
    a->tainted_links = below(r, BZ_LINK_ACTION_COUNT);
    a->tainted_images = below(r, BZ_LINK_ACTION_COUNT);
}

static void defaults(struct bz_agent *a) {
    struct bz_agent_settings s;
    bz_agent_settings_default(&s);
    *a = (struct bz_agent){.leak = (uint8_t)s.leak,
                           .flagged = (uint8_t)s.flagged,
                           .tainted_links = (uint8_t)s.tainted_links,
                           .tainted_images = (uint8_t)s.tainted_images};
    for (int i = 0; i < BZ_EFFECT_COUNT; i++)
        a->untrusted[i] = (uint8_t)s.untrusted[i];
}

enum bz_status bz_agent_open(struct bz_view blob, struct bz_agent *ret) {
    struct bz_agent a;
    struct bz_rd r;
    struct rule rule;
    defaults(&a);
    bz_rd_init(&r, blob);
    if (blob.n > 0) {
        struct bz_view head = bz_rd_take(&r, sizeof magic);
        if (head.n != sizeof magic || memcmp(head.p, magic, sizeof magic - 1) != 0)
            return BZ_ECORRUPT;
        if (head.p[sizeof magic - 1] != magic[sizeof magic - 1])
            return BZ_EVERSION;
        a.rules_n = bz_rd_count(&r, 20);
        a.hosts_n = bz_rd_le32(&r);
        take_settings(&r, &a);
        a.rules.p = r.p;
        for (uint32_t i = 0; i < a.rules_n && bz_rd_ok(&r); i++) {
            take_rule(&r, &rule);
            a.trusts |= rule.trusted_result;
        }
        a.rules.n = bz_rd_ok(&r) ? (size_t)(r.p - a.rules.p) : 0;
        a.hosts.p = r.p;
        for (uint32_t i = 0; i < a.hosts_n && bz_rd_ok(&r); i++)
            (void)take_text(&r, 2 * NAME_MAX_BYTES + 64);
        a.hosts.n = bz_rd_ok(&r) ? (size_t)(r.p - a.hosts.p) : 0;
        if (bz_rd_end(&r) != BZ_OK)
            return BZ_ECORRUPT;
    }
    a.calls_max = a.calls_max == 0 ? BZ_AGENT_CALLS : a.calls_max;
    a.repeats = a.repeats == 0 ? BZ_AGENT_REPEATS : a.repeats;
    a.listed = a.default_deny || a.rules_n > 0;
    *ret = a;
    return BZ_OK;
}

/* ---- looking up ---- */

static bool name_fits(struct bz_view rule, struct bz_view name) {
    if (rule.n > 0 && rule.p[rule.n - 1] == '*')
        return bz_view_starts(name, bz_view_sub(rule, 0, rule.n - 1));
    return bz_view_eq(rule, name);
}

static bool role_fits(const struct rule *rule, struct bz_view role) {
    struct bz_rd r;
    bz_rd_init(&r, rule->roles);
    for (uint32_t i = 0; i < rule->roles_n; i++)
        if (bz_view_eq(take_text(&r, NAME_MAX_BYTES), role))
            return true;
    return rule->roles_n == 0;
}

bool rule_find(const struct bz_agent *a, struct bz_view name, struct bz_view role,
               struct rule *ret) {
    struct bz_rd r;
    bz_rd_init(&r, a->rules);
    for (uint32_t i = 0; i < a->rules_n; i++) {
        take_rule(&r, ret);
        if (bz_rd_ok(&r) && name_fits(ret->name, name) && role_fits(ret, role))
            return true;
    }
    return false;
}
