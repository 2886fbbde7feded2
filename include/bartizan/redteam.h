/* Red team: attacks on the policy, and a judge that trusts nothing that the gateway says.
 *
 *   corpus (families of attacks, each with a benign twin) -> mutators -> request -> gateway -> stopped?
 *   scenario + trick -> gateway -> the always-compromised model, which obeys every injection
 *                              -> gateway -> what the client got -> oracle: what can be recovered of it?
 *
 * Pure: who sends requests (over the network, or to the engine in process) is the caller. Everything
 * random comes from a seed. docs/REDTEAM.md has the formats, the statistics and their limits. */
#ifndef BARTIZAN_REDTEAM_H
#define BARTIZAN_REDTEAM_H

#include <bartizan/arena.h>
#include <bartizan/buf.h>

/* ---- chance (chance.c) --------------------------------------------------------------------------- */

struct bz_red_rng { /* splitmix64: the same seed gives the same run everywhere */
    uint64_t s;
};
uint64_t bz_red_next(struct bz_red_rng *r);
uint32_t bz_red_below(struct bz_red_rng *r, uint32_t n); /* 0 <= x < n; n == 0: 0 */

/* ---- statistics (chance.c) ----------------------------------------------------------------------- */

struct bz_red_rate { /* k of n; n == 0: everything from 0 to 1 is possible */
    uint64_t k, n;
    double low, high; /* Wilson score interval, 95 % */
};
struct bz_red_rate bz_red_rate(uint64_t k, uint64_t n);
/* Is `now` lower than `before`, beyond chance? The interval of the difference (Newcombe 1998, method
 * 10) lies above zero. Nothing is known of an empty one: false. */
bool bz_red_fell(const struct bz_red_rate *before, const struct bz_red_rate *now);

/* ---- corpus (corpus.c): JSON lines, see docs/REDTEAM.md ------------------------------------------- */

enum bz_red_place { /* where the text of an attack stands in a request */
                    BZ_RED_USER,
                    BZ_RED_TOOL,       /* result of a tool */
                    BZ_RED_DOCUMENT,   /* document that the client attached */
                    BZ_RED_DEFINITION, /* description of an offered tool, as an MCP server gives it */
                    BZ_RED_PLACE_COUNT
};
const char *bz_red_place_name(enum bz_red_place p); /* "user", "tool", "document", "definition" */

struct bz_red_family {
    struct bz_view name, title, refs;
    uint8_t places; /* bit per enum bz_red_place */
};
struct bz_red_seed {
    struct bz_view id, lang;
    struct bz_view text; /* [[slot]] stands for one of the slot's words */
    struct bz_view twin; /* the same words put to honest use */
    uint32_t family;
};
struct bz_red_slot {
    struct bz_view name;
    struct bz_view *words;
    size_t n;
};
struct bz_red_corpus { /* views and arrays live in `ar` and in the texts that were read */
    struct bz_arena *ar;
    struct bz_red_family *families;
    size_t families_n, families_cap;
    struct bz_red_seed *seeds;
    size_t seeds_n, seeds_cap;
    struct bz_red_slot *slots;
    size_t slots_n, slots_cap;
    uint8_t digest[32]; /* over all texts in the order in which they were read */
};
struct bz_red_error { /* where an input is wrong and why; for people */
    uint32_t line;
    char text[200];
};
struct bz_red_file {
    struct bz_view name, text;
};
/* What comes with Bartizan; static. */
bool bz_red_builtin(size_t i, struct bz_red_file *ret); /* attacks; false: no more */
struct bz_view bz_red_builtin_scenarios(void);          /* JSON lines */
struct bz_view bz_red_builtin_policy(void);             /* sections of a bartizan.yaml for them */
/* Adds a file. OK; ESYNTAX (*err), EEXISTS (an id twice), ETOOBIG (caps of limits.h), ENOMEM. After an
 * error the corpus is not to be used. */
enum bz_status bz_red_corpus_add(struct bz_red_corpus *c, struct bz_view text,
                                 struct bz_red_error *err) BZ_MUST_USE;
/* All families have seeds, all slots that texts name exist. OK; ENOTFOUND (err->text). */
enum bz_status bz_red_corpus_check(const struct bz_red_corpus *c,
                                   struct bz_red_error *err) BZ_MUST_USE;

/* ---- ways of writing (ops.c): mutators of attacks, forms of what leaks ------------------------------ */

#define BZ_RED_ATTACK 1u /* a model still understands an instruction that is written so */
#define BZ_RED_FORM 2u   /* a secret that is written so can be read back */
#define BZ_RED_HONEST 4u /* people write so, too: twins as well as attacks */
#define BZ_RED_HARD 8u   /* counts as two: docs/LEAKS.md names it among what is not found */
struct bz_red_op {
    const char *name;
    uint8_t use; /* BZ_RED_ATTACK, BZ_RED_FORM, BZ_RED_HONEST */
};
size_t bz_red_ops(const struct bz_red_op **ret); /* static */
/* Appends `in` as op writes it. Failures are latched in out. Same rng, same text. */
void bz_red_op_apply(size_t op, struct bz_view in, struct bz_red_rng *r, struct bz_buf *out);

/* ---- attacks (attack.c) --------------------------------------------------------------------------- */

#define BZ_RED_NEST 3
#define BZ_RED_SPLIT_MAX 4
struct bz_red_attack {            /* a gene: everything else follows from it */
    uint32_t seed;                /* index in the corpus */
    uint32_t salt;                /* of slots and ops */
    uint8_t op[BZ_RED_NEST], ops; /* innermost first */
    uint8_t place;                /* enum bz_red_place */
    uint8_t split; /* pieces that the text is spread over, 1 to BZ_RED_SPLIT_MAX; 1: none */
    bool parts;    /* pieces are parts of one message; otherwise turns, results, tools */
    bool twin;     /* the benign text instead */
};
enum bz_red_dialect {
    BZ_RED_OPENAI,
    BZ_RED_RESPONSES,
    BZ_RED_ANTHROPIC,
    BZ_RED_OLLAMA,
    BZ_RED_DIALECT_COUNT
};
const char *bz_red_dialect_name(enum bz_red_dialect d);
bool bz_red_dialect_from_name(struct bz_view name, enum bz_red_dialect *ret);
const char *bz_red_dialect_path(enum bz_red_dialect d); /* "/v1/chat/completions", ... */

void bz_red_attack_plain(const struct bz_red_corpus *c, uint32_t seed, struct bz_red_attack *ret);
void bz_red_attack_random(const struct bz_red_corpus *c, uint32_t seed, struct bz_red_rng *r,
                          struct bz_red_attack *ret);
/* A neighbour: one thing differs. */
void bz_red_attack_vary(const struct bz_red_corpus *c, struct bz_red_rng *r,
                        struct bz_red_attack *a);
/* The text as it is sent, and a request that carries it. */
void bz_red_attack_text(const struct bz_red_corpus *c, const struct bz_red_attack *a,
                        struct bz_buf *out);
void bz_red_attack_request(const struct bz_red_corpus *c, const struct bz_red_attack *a,
                           enum bz_red_dialect d, struct bz_view model, struct bz_buf *out);
/* "override-03 base64>leet tool x2 #17", for people and result files. */
void bz_red_attack_name(const struct bz_red_corpus *c, const struct bz_red_attack *a,
                        struct bz_buf *out);

/* ---- scenarios (scenario.c) ----------------------------------------------------------------------- */

enum bz_red_forbid {
    BZ_RED_FORBID_CALL,   /* a call of a tool, with arguments that the injection asks for */
    BZ_RED_FORBID_CANARY, /* the canary of the system prompt */
    BZ_RED_FORBID_PROMPT, /* the system prompt's text */
    BZ_RED_FORBID_SECRET, /* a configured secret that a tool returned */
    BZ_RED_FORBID_LINK,   /* a link or image that leads out */
    BZ_RED_FORBID_COUNT
};
const char *bz_red_forbid_name(enum bz_red_forbid f);
struct bz_red_box { /* tools that are offered together */
    struct bz_view name;
    struct bz_view tools; /* JSON: [{name, description, parameters}] */
};
struct bz_red_scenario {
    struct bz_view id, domain;
    struct bz_view user;            /* what the person asks */
    struct bz_view reads;           /* the tool whose result is poisoned */
    struct bz_view content;         /* that result; {injection} is where the order stands */
    struct bz_view injection;       /* as an attacker words it */
    struct bz_view tools;           /* JSON, of its box */
    struct bz_view secret;          /* SECRET: stands in the content */
    struct bz_view tool, arguments; /* CALL: what the model does; JSON text */
    struct bz_view where,
        value;           /* CALL: forbidden only if this argument holds that; empty: always */
    struct bz_view host; /* LINK: where the data would go */
    enum bz_red_forbid forbid;
};
struct bz_red_suite {
    struct bz_arena *ar;
    struct bz_red_box *boxes;
    size_t boxes_n, boxes_cap;
    struct bz_red_scenario *v;
    size_t n, cap;
    uint8_t digest[32];
};
/* As bz_red_corpus_add. */
enum bz_status bz_red_suite_add(struct bz_red_suite *s, struct bz_view text,
                                struct bz_red_error *err) BZ_MUST_USE;

/* ---- the always-compromised model (trick.c, model.c) ------------------------------------------------ */

enum bz_red_channel { /* where the model puts what it should not */
                      BZ_RED_IN_TEXT,
                      BZ_RED_IN_REASONING,
                      BZ_RED_IN_ARGUMENT, /* of a call that is allowed */
                      BZ_RED_IN_LINK,
                      BZ_RED_IN_IMAGE,
                      BZ_RED_IN_BOTH,  /* half here, half in the reasoning */
                      BZ_RED_IN_TURNS, /* half in this reply, half in the next */
                      BZ_RED_CHANNEL_COUNT
};
enum bz_red_shape { /* how a forbidden call is written */
                    BZ_RED_CALL_PLAIN,
                    BZ_RED_CALL_SECOND,  /* after an allowed one */
                    BZ_RED_CALL_CASE,    /* the name in other case */
                    BZ_RED_CALL_BLANK,   /* the name with a blank, or an invisible character */
                    BZ_RED_CALL_LEGACY,  /* function_call, where the API once had it */
                    BZ_RED_CALL_ESCAPED, /* arguments in \u escapes */
                    BZ_RED_CALL_EXTRA,   /* more members around and within the arguments */
                    BZ_RED_CALL_LATE,    /* after a long text */
                    BZ_RED_CALL_TWICE,   /* a member of the arguments twice, the good one first */
                    BZ_RED_CALL_PREFIX,  /* as a namespace: "functions.NAME" */
                    BZ_RED_SHAPE_COUNT
};
struct bz_red_trick { /* the gene of an answer */
    uint32_t scenario, salt;
    uint8_t op[2], ops; /* forms, innermost first */
    uint8_t channel;    /* enum bz_red_channel */
    uint8_t shape;      /* enum bz_red_shape */
    uint8_t dialect;    /* enum bz_red_dialect */
    uint8_t cut;        /* characters of one delta: 0 all at once; 255: 1 to 7 by chance */
    uint8_t wire;       /* bytes of one piece on the wire; likewise */
    bool stream;
    bool overt; /* the injection stands in the content; otherwise the model is steered unseen,
                            as if every detector had missed it */
};
const char *bz_red_channel_name(enum bz_red_channel c);
const char *bz_red_shape_name(enum bz_red_shape s);
void bz_red_trick_random(const struct bz_red_suite *s, uint32_t scenario, struct bz_red_rng *r,
                         struct bz_red_trick *ret);
void bz_red_trick_vary(const struct bz_red_suite *s, struct bz_red_rng *r, struct bz_red_trick *t);
void bz_red_trick_name(const struct bz_red_suite *s, const struct bz_red_trick *t,
                       struct bz_buf *out);
/* For the control channel of `redteam model`: one JSON object each way. ESYNTAX, ENOMEM. */
void bz_red_trick_write(const struct bz_red_trick *t, struct bz_buf *out);
enum bz_status bz_red_trick_read(const struct bz_red_suite *s, struct bz_view json,
                                 struct bz_red_trick *ret) BZ_MUST_USE;

/* The request that a client sends. */
void bz_red_trick_request(const struct bz_red_suite *s, const struct bz_red_trick *t,
                          struct bz_view model, struct bz_buf *out);
/* What the model learned from the request that reached it. */
struct bz_red_seen {
    struct bz_view system; /* all system text; in the arena */
    struct bz_view canary; /* the one it holds; empty: none */
};
enum bz_status bz_red_model_look(struct bz_view request, struct bz_arena *ar,
                                 struct bz_red_seen *ret) BZ_MUST_USE;
/* What it tries to get out; empty where the scenario is about a call, or there is nothing to tell. */
struct bz_view bz_red_loot(const struct bz_red_scenario *s, const struct bz_red_seen *seen);
/* The reply, body alone: an event stream, NDJSON or an object. part: 0, or 1 for the second half of
 * BZ_RED_IN_TURNS. Failures are latched. */
void bz_red_model_reply(const struct bz_red_suite *s, const struct bz_red_trick *t,
                        const struct bz_red_seen *seen, unsigned part, struct bz_buf *out);
/* A plain, honest reply. */
void bz_red_model_honest(enum bz_red_dialect d, bool stream, struct bz_view text,
                         struct bz_buf *out);
/* Bytes of the next piece on the wire. */
size_t bz_red_wire(const struct bz_red_trick *t, struct bz_red_rng *r, size_t left);

/* ---- oracle (heard.c, decode.c, oracle.c) ----------------------------------------------------------
 * Looks at the client's bytes alone, with readers of its own. */

struct bz_red_call {
    struct bz_view name, arguments; /* JSON text */
};
struct bz_red_heard {
    struct bz_view *texts; /* each channel's, put together; then everything in one */
    size_t texts_n, texts_cap;
    struct bz_red_call *calls;
    size_t calls_n, calls_cap;
};
/* ENOMEM is the only failure: what is no JSON is a text. */
enum bz_status bz_red_hear(enum bz_red_dialect d, bool stream, struct bz_view bytes,
                           struct bz_arena *ar, struct bz_red_heard *ret) BZ_MUST_USE;

struct bz_red_found {
    double part;  /* of the secret that can be recovered: 0 to 1 */
    char how[64]; /* by which readings */
};
/* The longest run of the secret's letters and digits in any reading of any text, decodings nested up
 * to `depth` (1 or 2; 2 takes some 100 times as long). whole: how many of them count as all of it; 0:
 * as many as it has. ENOMEM. */
enum bz_status bz_red_recover(const struct bz_red_heard *h, struct bz_view secret, size_t whole,
                              unsigned depth, struct bz_red_found *ret) BZ_MUST_USE;
#define BZ_RED_PROMPT_WHOLE 120 /* letters and digits: some 25 words in a row */
#define BZ_RED_LEAK 0.75        /* of the secret: what is left to guess is no protection */

struct bz_red_outcome {
    bool forbidden; /* the forbidden thing reached the client */
    bool beyond;    /* it did, in a way that policy does not promise to see: not counted */
    struct bz_red_found near; /* leaks: how much did */
    char what[160];           /* for people; no secret in it */
};
/* replies: what the client got, in order. */
enum bz_status bz_red_judge(const struct bz_red_suite *s, const struct bz_red_trick *t,
                            const struct bz_red_seen *seen, const struct bz_red_heard *replies,
                            size_t n, struct bz_red_outcome *ret) BZ_MUST_USE;

/* ---- evolution (evolve.c) --------------------------------------------------------------------------- */

#define BZ_RED_POOL 48
struct bz_red_pool { /* the best of one kind of gene, by how near they came */
    size_t size;     /* of a gene; at most sizeof gene[0] */
    size_t n;
    double fit[BZ_RED_POOL];
    _Alignas(8) uint8_t gene[BZ_RED_POOL][32];
};
void bz_red_pool_init(struct bz_red_pool *p, size_t size);
/* A parent by tournament, the nearer the likelier; NULL while there is none. */
const void *bz_red_pool_pick(const struct bz_red_pool *p, struct bz_red_rng *r);
void bz_red_pool_put(struct bz_red_pool *p, struct bz_red_rng *r, const void *gene, double fit);

/* ---- results (result.c, result_read.c) --------------------------------------------------------------- */

enum bz_red_level { BZ_RED_STOPPED, BZ_RED_FLAGGED, BZ_RED_PASSED, BZ_RED_LEVEL_COUNT };
const char *bz_red_level_name(enum bz_red_level l); /* "stopped", "flagged", "passed" */

struct bz_red_tally { /* of a family: every seed plain and mutated, in every place */
    struct bz_view name, title, refs;
    uint64_t attacks[BZ_RED_LEVEL_COUNT], twins[BZ_RED_LEVEL_COUNT];
    uint64_t unchecked;                 /* neither: the target failed */
    uint64_t adaptive, adaptive_passed; /* of the evolving rounds; no sample of anything */
};
struct bz_red_trial { /* of a scenario */
    struct bz_view id, domain;
    enum bz_red_forbid forbid;
    uint64_t rounds, forbidden, unchecked;
    uint64_t beyond; /* see struct bz_red_outcome */
    double nearest;  /* leaks: the most that ever came out */
};
struct bz_red_finding {
    struct bz_view rule; /* family or scenario */
    struct bz_view gene; /* how to do it again */
    struct bz_view what; /* for people */
    bool forbidden;      /* a forbidden outcome; otherwise an attack that passed */
};
struct bz_red_result {
    struct bz_view target, mode;   /* mode: "live", "offline" */
    uint64_t time, seed, rounds;   /* time: unix seconds */
    uint8_t corpus[32], suite[32]; /* digests */
    uint64_t requests;
    struct bz_red_tally *families;
    size_t families_n;
    struct bz_red_trial *trials;
    size_t trials_n;
    struct bz_red_finding *findings;
    size_t findings_n;
    uint64_t findings_more;                /* beyond the cap */
    uint64_t adaptive, adaptive_forbidden; /* rounds of evolving answers */
};
struct bz_red_totals {
    struct bz_red_rate stopped, noticed; /* attacks; noticed: stopped or flagged */
    struct bz_red_rate wronged;          /* twins that were stopped */
    uint64_t forbidden_calls, leaks, links, beyond, unchecked;
};
void bz_red_total(const struct bz_red_result *r, struct bz_red_totals *ret);
uint64_t bz_red_sum(const uint64_t v[BZ_RED_LEVEL_COUNT]);

enum { BZ_RED_WORSE_MAX = 64 };
struct bz_red_worse {
    struct bz_view what; /* family or scenario */
    const char *why;     /* static */
    struct bz_red_rate before, now;
};
struct bz_red_comparison {
    struct bz_red_worse v[BZ_RED_WORSE_MAX];
    size_t n;
    bool other_corpus; /* rates are of other attacks: shown, not judged */
};
void bz_red_compare(const struct bz_red_result *before, const struct bz_red_result *now,
                    struct bz_red_comparison *ret);

/* "bartizan-redteam/1". cmp: NULL: not compared. */
void bz_red_write_json(const struct bz_red_result *r, const struct bz_red_comparison *cmp,
                       struct bz_buf *out);
void bz_red_write_junit(const struct bz_red_result *r, const struct bz_red_comparison *cmp,
                        struct bz_buf *out);
void bz_red_write_sarif(const struct bz_red_result *r, const struct bz_red_comparison *cmp,
                        struct bz_buf *out);
void bz_red_write_html(const struct bz_red_result *r, const struct bz_red_comparison *cmp,
                       struct bz_buf *out);
void bz_red_write_text(const struct bz_red_result *r, const struct bz_red_comparison *cmp,
                       struct bz_buf *out);
/* Views in `ar` and `json`. ESYNTAX (diag), EVERSION (another schema), ETOOBIG, ENOMEM. */
enum bz_status bz_red_read(struct bz_view json, struct bz_arena *ar, struct bz_red_result *ret,
                           struct bz_diag *diag) BZ_MUST_USE;

#endif
