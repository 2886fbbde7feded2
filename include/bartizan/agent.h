/* Which tools a model may call, with what, when. Deterministic, outside of the model.
 *
 *   call (name, arguments) + context (what the conversation holds) -> allow, approve, deny + why
 *
 * Rules: allow-list with default deny once any tool is listed; schema and ranges of arguments; effects
 * (read, write, irreversible, egress); taint: untrusted and confidential text in one context closes
 * egress tools; approvals bound to canonical arguments, with expiry; loops. */
#ifndef BARTIZAN_AGENT_H
#define BARTIZAN_AGENT_H

#include <bartizan/arena.h>
#include <bartizan/json.h>

enum bz_effect { /* what a call may do; rises */
                 BZ_EFFECT_READ,
                 BZ_EFFECT_WRITE,        /* can be undone */
                 BZ_EFFECT_IRREVERSIBLE, /* sends, pays, deletes */
                 BZ_EFFECT_COUNT
};
enum bz_tool_verdict {
    BZ_TOOL_ALLOW,
    BZ_TOOL_APPROVE, /* a person must approve this very call */
    BZ_TOOL_DENY,
    BZ_TOOL_VERDICT_COUNT
};
const char *bz_effect_name(enum bz_effect e);
const char *bz_tool_verdict_name(enum bz_tool_verdict v);

struct bz_tool_rule {    /* of the configuration; the first that fits decides */
    struct bz_view name; /* or "prefix*", "*" */
    struct bz_view role; /* empty: all */
    enum bz_tool_verdict verdict;
    enum bz_effect effect;
    bool egress;           /* what it is given leaves the house */
    bool untrusted_result; /* default true: its results are untrusted */
    struct bz_view
        schema;         /* JSON Schema of the arguments (the subset of docs/TOOLS.md); empty: any */
    uint32_t repeats;   /* same call within one conversation; 0: the default */
    uint32_t approve_s; /* how long an approval holds */
};
struct bz_agent_settings {
    bool default_deny;  /* tools that no rule names; true as soon as one is listed */
    uint32_t calls_max; /* calls of one conversation */
    const struct bz_view
        *hosts; /* of links and images in replies: "example.org", "*.example.org" */
    size_t hosts_n;
    bool links; /* restrict links and images to hosts */
};
struct bz_agent_error {
    size_t rule;
    char text[256];
};
/* OK; ESYNTAX (*err: a schema that is not understood), ETOOBIG, ENOMEM. */
enum bz_status bz_agent_compile(const struct bz_tool_rule *rules, size_t n,
                                const struct bz_agent_settings *s, struct bz_buf *out,
                                struct bz_agent_error *err) BZ_MUST_USE;
struct bz_agent { /* a checked view of a blob; empty blob: every tool passes */
    struct bz_view bytes;
};
enum bz_status bz_agent_open(struct bz_view blob, struct bz_agent *ret) BZ_MUST_USE;

#define BZ_TAINT_UNTRUSTED 1u /* tool results, documents: whoever wrote them may steer the model */
#define BZ_TAINT_CONFIDENTIAL 2u /* text above INTERNAL */
#define BZ_TAINT_INJECTED 4u     /* something was flagged */
struct bz_tool_call {
    struct bz_view name, role;
    const struct bz_json
        *arguments; /* parsed; NULL: not JSON, denied where a schema is asked for */
    uint32_t taint; /* BZ_TAINT_* of the context */
    uint32_t same_before, calls_before; /* in this conversation */
};
#define BZ_CALL_ID 16
struct bz_tool_answer {
    enum bz_tool_verdict verdict;
    const char
        *code;     /* static: "tool_not_listed", "tool_argument", "tool_taint", "tool_loop", ... */
    char why[192]; /* for people: what, where in the arguments, what to do; no values */
    uint32_t approve_s;
    uint8_t
        digest[BZ_CALL_ID]; /* of name and canonical arguments (sorted keys, shortest numbers) */
};
/* key: for the digest. O(arguments). ENOMEM is the only failure. */
enum bz_status bz_agent_decide(const struct bz_agent *a, const struct bz_tool_call *c,
                               const uint8_t key[32], struct bz_arena *ar,
                               struct bz_tool_answer *ret) BZ_MUST_USE;

/* Links and images in text that leaves (markdown, HTML, bare URLs): first one at or behind `from` whose
 * host is not allowed. For streams: *ret_settled, text before which no link can begin any more. */
struct bz_link {
    size_t start, end;
    struct bz_view host;
    bool image; /* loaded without a click */
};
bool bz_agent_link(const struct bz_agent *a, struct bz_view text, size_t from, bool last,
                   struct bz_link *ret, size_t *ret_settled);

#endif
