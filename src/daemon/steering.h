/* What the sections `injection` and `prompts` name in files of the instance: read, checked, compiled.
 * The daemon publishes it, the command line checks it. */
#ifndef BZ_STEERING_H
#define BZ_STEERING_H

#include <bartizan/policy.h>
#include <bartizan/signature.h>

#define BZ_F_INJECTION "run/injection.pack"
#define BZ_PROMPT_SUM ".sum" /* beside a prompt's file: SHA-256 of what this version is */
#define BZ_PROMPT_SIGNATURE ".minisig"
#define BZ_PROMPT_RETIRED ".retired"
#define BZ_PROMPT_COMMENT "prompt: " /* trusted comment of a signature: and NAME@VERSION */
#define BZ_PROMPT_ID_MAX (BZ_PROMPT_NAME_MAX + 32)

struct bz_prompt_file { /* one version of one prompt */
    struct bz_buf text;
    uint8_t sha256[BZ_HASH_LEN];
    char id[BZ_PROMPT_ID_MAX]; /* "support@3:0123456789abcdef" */
    bool is_signed;            /* by one of the keys that were given */
    uint8_t key_id[8];
};
/* Reads and checks one: form, control tokens, its sum, retirement, and with keys its signature.
 * file: in `dir`, or NULL: `text` is it. OK; ESYNTAX (`why` is filled), ENOMEM. In any case to be freed. */
enum bz_status bz_prompt_file_load(int dir, const char *name, uint32_t version, const char *file,
                                   const char *text, char *const *keys, size_t keys_n,
                                   struct bz_prompt_file *ret, struct bz_buf *why) BZ_MUST_USE;
void bz_prompt_file_free(struct bz_prompt_file *p);

struct bz_steering {
    struct bz_buf injection;  /* for BZ_BLOB_INJECTION; empty: nothing is judged */
    uint8_t key[BZ_HASH_LEN]; /* of what it was compiled from */
    struct bz_prompt_file
        *prompt; /* per rule of the configuration; empty text: no prompt of ours */
    size_t prompt_n;
};
/* old: what is in force, or NULL; its compiled rules are taken over when they are the same. cache: keep
 * them in BZ_F_INJECTION for the next start. OK (*ret to be freed); ESYNTAX, ENOENT ... (`why` tells);
 * ENOMEM. */
enum bz_status bz_steering_load(int dir, const struct bz_config *c, const struct bz_steering *old,
                                bool cache, struct bz_steering **ret,
                                struct bz_buf *why) BZ_MUST_USE;
void bz_steering_free(struct bz_steering *s); /* NULL is fine */

/* For BZ_BLOB_PROMPTS, with the models that are served now. tokens: of their own templates. */
enum bz_status bz_steering_prompts(const struct bz_steering *s, const struct bz_config *c,
                                   const struct bz_image_model_input *models, size_t models_n,
                                   const struct bz_prompt_tokens *tokens, size_t tokens_n,
                                   struct bz_buf *out) BZ_MUST_USE;

#endif
