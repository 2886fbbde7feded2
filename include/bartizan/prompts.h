/* Where instructions end: the gateway's own system prompt, control tokens of chat templates made
 * literal, untrusted text marked. Text in, text out; the gateway puts it into requests.
 * Source: facts of chat templates in docs/PROMPTS.md; spotlighting: arXiv 2403.14720. */
#ifndef BARTIZAN_PROMPTS_H
#define BARTIZAN_PROMPTS_H

#include <bartizan/arena.h>
#include <bartizan/buf.h>

/* ---- control tokens (tokens.c) ---- */

struct bz_token { /* of a chat template: "<|im_start|>"; '#' stands for a number */
    const char *text;
    const char *family; /* "chatml", "llama3", "mistral", ... */
    bool ordinary;      /* means something elsewhere: <s> strikes out in HTML, [MASK] is a word */
};
size_t bz_token_list(const struct bz_token **ret); /* static; sorted by text */
struct bz_token_hit {
    size_t start, end;
    struct bz_view
        family;    /* "model" for a token of the model's own; "other": <|...|> of no known one */
    bool ordinary; /* make it literal rather than refuse the text */
};
/* First control token at or behind `from`; own: further tokens (of the model's own template), may be 0.
 * Spellings that normalise to a token count: full width letters and bars, invisible characters and
 * marks within; names between bars in any case. Where the model's own are known, ordinary ones of
 * other families are text. false: none. O(text.n), close to memchr speed in prose. */
bool bz_token_find(struct bz_view text, size_t from, const struct bz_view *own, size_t own_n,
                   struct bz_token_hit *ret);
/* The text with a blank behind the first character of every control token: no tokenizer takes it for
 * one, a person still reads it. The same view when there is none. Idempotent; the result holds no
 * token. ENOMEM. */
enum bz_status bz_tokens_literal(struct bz_view text, const struct bz_view *own, size_t own_n,
                                 struct bz_arena *ar, struct bz_view *ret) BZ_MUST_USE;
/* Control tokens that a Jinja chat template writes, from its texts and the strings of its expressions:
 * at most cap, each once, views into `jinja`. A template comes from the GGUF's
 * tokenizer.chat_template, or from the server: GET /props of llama-server shows chat_template, and
 * bos_token and eos_token, which templates name without writing them; give those as further tokens. */
size_t bz_tokens_of_template(struct bz_view jinja, struct bz_view *out, size_t cap);

/* ---- marks (mark.c) ---- */

enum bz_marking {
    BZ_MARKING_NONE,
    BZ_MARKING_DELIMIT,  /* between two lines with a random mark */
    BZ_MARKING_DATAMARK, /* a short mark stands between all words */
    BZ_MARKING_ENCODE,   /* base64, between the two lines */
    BZ_MARKING_COUNT
};
const char *bz_marking_name(enum bz_marking m);
bool bz_marking_from_name(struct bz_view name, enum bz_marking *ret);
struct bz_mark { /* of one request */
    enum bz_marking how;
    char text[17]; /* 80 random bits, letters and digits */
};
void bz_mark_make(enum bz_marking how, const uint8_t rnd[10], struct bz_mark *ret);
/* The untrusted text as the model gets it; copies of the mark within it are removed first. ENOMEM. */
enum bz_status bz_mark_text(const struct bz_mark *m, struct bz_view text, struct bz_arena *ar,
                            struct bz_view *ret) BZ_MUST_USE;
/* What the system prompt says about it; empty for NONE. */
void bz_mark_notice(const struct bz_mark *m, struct bz_buf *out);

/* ---- compiled for workers (compile.c): which prompt, which treatment ---- */

enum bz_client_system {                          /* a client's own system or developer text */
                        BZ_CLIENT_SYSTEM_KEEP,   /* behind the gateway's */
                        BZ_CLIENT_SYSTEM_DEMOTE, /* becomes user text */
                        BZ_CLIENT_SYSTEM_DROP,
                        BZ_CLIENT_SYSTEM_REFUSE,
                        BZ_CLIENT_SYSTEM_COUNT
};
enum bz_token_action { BZ_TOKENS_BLOCK, BZ_TOKENS_LITERAL, BZ_TOKENS_COUNT };
struct bz_prompt_rule {  /* the first that fits decides */
    struct bz_view id;   /* name and version of the prompt: "support@3"; empty: no prompt of ours */
    struct bz_view text; /* may be empty */
    struct bz_view role, model,
        route; /* role name, model name or prefix*, route scope; empty: any */
    enum bz_client_system client;
    enum bz_marking marking;
    enum bz_token_action tokens;
    bool canary; /* a canary of the conversation is put into the prompt */
};
struct bz_prompt_tokens { /* of one model, from its own template */
    struct bz_view model;
    const struct bz_view *v;
    size_t n;
};
/* Appends the blob that bz_prompts_open takes. Rules and tokens are lent, and copied into it. EINVAL: a rule that cannot
 * be used; ETOOBIG: more than BZ_BLOB_MAX; ENOMEM. */
enum bz_status bz_prompts_compile(const struct bz_prompt_rule *rules, size_t n,
                                  const struct bz_prompt_tokens *tokens, size_t tokens_n,
                                  struct bz_buf *out) BZ_MUST_USE;
struct bz_prompts { /* a checked view of a blob; empty blob: no rules, defaults */
    struct bz_view bytes;
};
/* Checks every offset of the blob, which must outlive the result. ECORRUPT, EVERSION. O(blob.n). */
enum bz_status bz_prompts_open(struct bz_view blob, struct bz_prompts *ret) BZ_MUST_USE;
/* Does any rule ask for a canary? What is no sound blob might. O(rules). */
bool bz_prompts_canaries(struct bz_view blob);
/* false: no rule fits: nothing of ours, client system kept, marking NONE, tokens BLOCK. */
bool bz_prompts_find(const struct bz_prompts *p, struct bz_view role, struct bz_view model,
                     struct bz_view route, struct bz_prompt_rule *ret);
size_t bz_prompts_tokens(const struct bz_prompts *p, struct bz_view model, struct bz_view *out,
                         size_t cap);

#endif
