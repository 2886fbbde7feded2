/* One call: is the tool allowed, do the arguments fit, does the context let it, has it been made too
 * often. The strictest answer holds. */
#include "agent_int.h"

static const char denied[] = "tool_denied", argument[] = "tool_argument", taint[] = "tool_taint",
                  loop[] = "tool_loop", approval[] = "tool_approval";

static enum bz_status no(struct bz_tool_answer *ret, const char *code, const char *why,
                         const char *path) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, ret->why, sizeof ret->why - 1);
    bz_buf_puts(&b, why);
    if (path != NULL) {
        bz_buf_puts(&b, ", at arguments");
        bz_buf_puts(&b, path);
    }
    ret->why[b.n] = '\0';
    ret->argument = path != NULL;
    ret->verdict = BZ_TOOL_DENY;
    ret->code = code;
    return BZ_OK;
}

/* What an unlisted tool is taken for where such tools pass. */
static const struct rule unlisted = {
    .verdict = BZ_TOOL_ALLOW, .effect = BZ_EFFECT_WRITE, .egress = true};

static const char *denied_because(const struct bz_agent *a, struct bz_view name,
                                  struct bz_view role, struct rule *ret) {
    *ret = unlisted;
    if (!a->listed)
        return NULL;
    if (!bz_agent_name_plain(name))
        return "The tool's name has letters that no listed tool's name has.";
    if (!rule_find(a, name, role, ret)) {
        *ret = unlisted;
        return a->default_deny ? "The tool is not listed." : NULL;
    }
    return ret->verdict == BZ_TOOL_DENY ? "The policy denies this tool." : NULL;
}

const char *bz_agent_offer(const struct bz_agent *a, struct bz_view name, struct bz_view role) {
    struct rule rule;
    return denied_because(a, name, role, &rule);
}

bool bz_agent_result_untrusted(const struct bz_agent *a, struct bz_view name, struct bz_view role) {
    struct rule rule;
    return !bz_agent_name_plain(name) || !rule_find(a, name, role, &rule) || !rule.trusted_result;
}

static enum bz_status arguments(const struct rule *rule, const struct bz_tool_call *c, bool known,
                                struct bz_arena *ar, struct bz_tool_answer *ret) {
    struct bz_json *schema = NULL;
    struct bz_schema_misfit m = {.why = NULL};
    if (c->arguments == NULL)
        return known ? no(ret, argument, "The arguments are no JSON.", NULL) : BZ_OK;
    if (rule->schema.n == 0)
        return BZ_OK;
    enum bz_status st = bz_json_parse(rule->schema, NULL, ar, &schema, NULL);
    if (st == BZ_OK)
        st = bz_schema_fits(schema, BZ_SCHEMA_OWN, c->arguments, ar, &m);
    if (st == BZ_ENOMEM)
        return st;
    if (st != BZ_OK)
        return no(ret, argument, "The schema of the tool could not be read.", NULL);
    return m.why == NULL ? BZ_OK : no(ret, argument, m.why, m.path);
}

static void raise(struct bz_tool_answer *ret, enum bz_tool_verdict v, const char *code,
                  const char *why) {
    if (v <= ret->verdict)
        return;
    (void)no(ret, v == BZ_TOOL_DENY ? code : approval, why, NULL);
    ret->verdict = v;
}

static void context(const struct bz_agent *a, const struct rule *rule, uint32_t held,
                    struct bz_tool_answer *ret) {
    const uint32_t both = BZ_TAINT_UNTRUSTED | BZ_TAINT_CONFIDENTIAL;
    if ((held & both) == both && rule->egress)
        raise(ret, (enum bz_tool_verdict)a->leak, taint,
              "Untrusted and confidential text are in the conversation: what this tool is given "
              "would leave the house.");
    if ((held & BZ_TAINT_UNTRUSTED) != 0 && rule->effect < BZ_EFFECT_COUNT)
        raise(ret, (enum bz_tool_verdict)a->untrusted[rule->effect], taint,
              "Untrusted text is in the conversation, and what this tool does needs more care.");
    if ((held & BZ_TAINT_INJECTED) != 0 && (rule->effect > BZ_EFFECT_READ || rule->egress))
        raise(ret, (enum bz_tool_verdict)a->flagged, taint,
              "An injected instruction was noticed in the conversation.");
}

enum bz_status bz_agent_decide(const struct bz_agent *a, const struct bz_tool_call *c,
                               struct bz_arena *ar, struct bz_tool_answer *ret) {
    struct rule rule;
    *ret = (struct bz_tool_answer){.verdict = BZ_TOOL_ALLOW, .code = "", .uses = 1};
    const char *why = denied_because(a, c->name, c->role, &rule);
    if (why != NULL)
        return no(ret, denied, why, NULL);
    ret->uses = rule.uses == 0 ? 1 : rule.uses;
    BZ_TRY(arguments(&rule, c, rule.name.n > 0, ar, ret));
    if (ret->verdict == BZ_TOOL_DENY)
        return BZ_OK;
    if (c->same_before >= (rule.repeats != 0 ? rule.repeats : a->repeats))
        return no(ret, loop, "The same call was made too often in this conversation.", NULL);
    if (c->calls_before >= a->calls_max)
        return no(ret, loop, "Too many calls were made in this conversation.", NULL);
    context(a, &rule, c->taint, ret);
    if (rule.verdict == BZ_TOOL_APPROVE)
        raise(ret, BZ_TOOL_APPROVE, approval, "A person must approve this call.");
    return BZ_OK;
}
