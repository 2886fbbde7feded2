/* Which tools a model may call, with what, when; and which links may stand in what it says.
 * Deterministic, outside of the model.
 *
 *   call (name, arguments) + context (what the conversation holds) -> allow, approve, deny + why
 *
 * Rules: allow-list with default deny once any tool is listed; schema and ranges of arguments; effects
 * (read, write, irreversible) and egress; taint: untrusted and confidential text in one context closes
 * egress tools; approvals bound to canonical arguments; loops. docs/TOOLS.md is the user's view. */
#ifndef BARTIZAN_AGENT_H
#define BARTIZAN_AGENT_H

#include <bartizan/arena.h>
#include <bartizan/json.h>
#include <bartizan/limits.h>

enum bz_effect { /* what a call may do; rises */
                 BZ_EFFECT_READ,
                 BZ_EFFECT_WRITE,        /* can be undone */
                 BZ_EFFECT_IRREVERSIBLE, /* sends, pays, deletes */
                 BZ_EFFECT_COUNT
};
enum bz_tool_verdict { /* rises */
                       BZ_TOOL_ALLOW,
                       BZ_TOOL_APPROVE, /* a person must approve this very call */
                       BZ_TOOL_DENY,
                       BZ_TOOL_VERDICT_COUNT
};
enum bz_link_action { /* what becomes of a link or image to a host that is not listed; rises */
                      BZ_LINK_ALLOW,
                      BZ_LINK_DEFANG, /* its address is rewritten so that nothing opens it */
                      BZ_LINK_BLOCK,  /* the reply is refused, a stream ends */
                      BZ_LINK_ACTION_COUNT
};
const char *bz_effect_name(enum bz_effect e);             /* "read", "write", "irreversible" */
const char *bz_tool_verdict_name(enum bz_tool_verdict v); /* "allow", "approve", "deny" */
const char *bz_link_action_name(enum bz_link_action a);   /* "allow", "defang", "block" */

struct bz_tool_rule {    /* of the configuration; the first that fits name and role decides */
    struct bz_view name; /* or "prefix*", "*" */
    const struct bz_view *roles; /* 0: all */
    size_t roles_n;
    enum bz_tool_verdict verdict;
    enum bz_effect effect;
    bool egress;         /* what it is given leaves the house */
    bool trusted_result; /* its results do not make the context untrusted */
    struct bz_view
        schema;       /* JSON Schema of the arguments (the subset of docs/TOOLS.md); empty: any */
    uint32_t repeats; /* same call within one conversation; 0: the default */
    uint32_t uses;    /* how often one approval serves; 0: once */
};
struct bz_agent_settings {
    bool default_deny; /* tools that no rule names */
    bool
        remove_offers; /* denied tools are taken out of requests; otherwise such requests are refused */
    uint32_t calls_max, repeats; /* of one conversation; 0: the defaults of limits.h */
    enum bz_tool_verdict
        untrusted[BZ_EFFECT_COUNT]; /* with untrusted text in the context, by effect */
    enum bz_tool_verdict
        leak; /* egress tools with untrusted and confidential text in the context */
    enum bz_tool_verdict
        flagged; /* all but reading ones inside the house, once an injection was noticed */
    enum bz_link_action links, images; /* to hosts that are not listed */
    enum bz_link_action tainted_links,
        tainted_images;          /* with untrusted text in the context; the higher counts */
    const struct bz_view *hosts; /* "example.org", "*.example.org", also with ":port" */
    size_t hosts_n;
};
/* What holds where the configuration says nothing: tools pass, links are defanged in tainted contexts. */
void bz_agent_settings_default(struct bz_agent_settings *ret);

#define BZ_AGENT_NO_RULE SIZE_MAX
struct bz_agent_error {
    size_t rule;    /* which rule; BZ_AGENT_NO_RULE: none */
    char text[256]; /* what is wrong and what to do */
};
/* OK; ESYNTAX (*err: a schema or host that is not understood), ETOOBIG, ENOMEM. */
enum bz_status bz_agent_compile(const struct bz_tool_rule *rules, size_t n,
                                const struct bz_agent_settings *s, struct bz_buf *out,
                                struct bz_agent_error *err) BZ_MUST_USE;

struct bz_agent { /* a checked view of a blob, which must outlive it */
    struct bz_view rules, hosts;
    uint32_t rules_n, hosts_n, calls_max, repeats;
    bool listed; /* there is a rule, or tools are denied by default: calls are decided */
    bool trusts; /* results of some tools are trusted */
    bool default_deny, remove_offers;
    uint8_t untrusted[BZ_EFFECT_COUNT], leak, flagged;
    uint8_t links, images, tainted_links, tainted_images;
};
/* An empty blob: the defaults. OK, ECORRUPT, EVERSION. O(blob). */
enum bz_status bz_agent_open(struct bz_view blob, struct bz_agent *ret) BZ_MUST_USE;

#define BZ_TAINT_UNTRUSTED 1u /* tool results, documents: whoever wrote them may steer the model */
#define BZ_TAINT_CONFIDENTIAL 2u /* text above INTERNAL */
#define BZ_TAINT_INJECTED 4u     /* an injection was noticed */
struct bz_tool_call {
    struct bz_view name, role;
    const struct bz_json *arguments;    /* parsed; NULL: not JSON, denied where a rule fits */
    uint32_t taint;                     /* BZ_TAINT_* of the context */
    uint32_t same_before, calls_before; /* in this conversation */
};
#define BZ_CALL_ID 16
struct bz_tool_answer {
    enum bz_tool_verdict verdict;
    const char *
        code; /* static: "tool_denied", "tool_argument", "tool_taint", "tool_loop", "tool_approval" */
    char why[192]; /* for people: what, where in the arguments; no values */
    uint32_t uses; /* of an approval */
    bool argument; /* `why` ends with a place in the arguments */
};
/* ENOMEM is the only failure. O(rules + arguments * schema). */
enum bz_status bz_agent_decide(const struct bz_agent *a, const struct bz_tool_call *c,
                               struct bz_arena *ar, struct bz_tool_answer *ret) BZ_MUST_USE;
/* May the tool be offered or forced: is there a call of it that is not denied? NULL: yes; otherwise why
 * not, static. */
const char *bz_agent_offer(const struct bz_agent *a, struct bz_view name, struct bz_view role);
/* Do results of this tool make a context untrusted? */
bool bz_agent_result_untrusted(const struct bz_agent *a, struct bz_view name, struct bz_view role);
/* Names a call: keyed hash of name and canonical arguments (sorted keys, numbers by their value).
 * arguments NULL: of `raw`, which is no JSON. OK, ENOMEM. */
enum bz_status bz_agent_digest(const uint8_t key[32], struct bz_view name,
                               const struct bz_json *arguments, struct bz_view raw,
                               struct bz_arena *ar, uint8_t ret[BZ_CALL_ID]) BZ_MUST_USE;
/* Letters, digits and _-.:/, 1 to 128 bytes: what names of tools consist of. */
bool bz_agent_name_plain(struct bz_view name);

/* ---- links ---- */

/* Links and images in text that leaves: markdown (inline, reference, autolink), HTML (any attribute, CSS
 * url()), bare URLs; schemes and hosts as browsers read them, entities, escapes and all. What is not
 * plainly a listed host is not allowed. */
struct bz_link {
    size_t start, end; /* scheme and authority, as they stand in the text */
    bool image;        /* may be loaded without a click */
};
/* How far a link looks back and ahead of its place: a stream keeps that much, and gets the same answer
 * for every cut. */
#define BZ_LINK_BEFORE 256
#define BZ_LINK_MAX 512
/* The first link at or behind `from` whose host is not allowed. text: everything from at least
 * BZ_LINK_BEFORE bytes before `from` (or the beginning). *ret_settled: text before it needs not be given
 * again as places where links begin; == text.n if `last`. O(text.n - from). */
bool bz_agent_link(const struct bz_agent *a, struct bz_view text, size_t from, bool last,
                   struct bz_link *ret, size_t *ret_settled);
/* What takes its place: "hxxps[:]//evil[.]example". At most BZ_LINK_TEXT bytes. Never itself a link. */
#define BZ_LINK_TEXT (2 * BZ_LINK_MAX)
void bz_agent_defang(struct bz_view link, struct bz_buf *out);

#endif
