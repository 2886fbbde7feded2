/* bartizan model: what its files share. */
#ifndef BZ_CMD_MODEL_H
#define BZ_CMD_MODEL_H

#include <bartizan/json.h>
#include <bartizan/registry.h>
#include "cmd_backup.h"
#include "commands.h"
#include "opts.h"

int bz_model_sign(int argc, char **argv);
int bz_model_verify(int argc, char **argv);

/* Whole text of a file; says why it cannot be read. `out` is initialised with the cap. */
bool bz_model_text(const char *path, struct bz_buf *out);
/* First line of a file, for passphrases. */
bool bz_model_passphrase(const char *path, struct bz_buf *out);
/* progress of bz_tree_options: a line on a terminal; false once a signal asked to stop. */
bool bz_model_progress(void *ctx, uint64_t done, uint64_t total);

/* ---- signatures (model_verify.c) ---- */

struct bz_model_trust { /* as the options name it */
    const char *key, *cert, *trusted_root, *identity, *issuer;
};
struct bz_model_checked { /* views live in `ar` */
    struct bz_arena ar;
    bool minisign;
    struct bz_sig_result sig;       /* of a bundle */
    struct bz_view trusted_comment; /* of a minisign signature */
    uint8_t key_id[8];
    bool good;
    bool known;              /* false: a format of another version */
    char why[512];           /* when not good; escaped */
    struct bz_found changes; /* "missing: NAME" */
    struct bz_found warnings;
    size_t changes_n, files_n;
    uint64_t bytes;
};
/* Checks `path` against the signature file. false: usage or failure, and the reason was printed. In any case done frees. */
bool bz_model_check(const char *path, const char *signature, const struct bz_model_trust *trust,
                    const struct bz_opt_many *ignore, bool allow_symlinks, bool ignore_unsigned,
                    struct bz_model_checked *ret);
void bz_model_checked_done(struct bz_model_checked *c);
/* Members of an object that is open. */
void bz_model_checked_json(struct bz_jw *w, const struct bz_model_checked *c);
/* The signature that lies beside a model: PATH/model.sig, PATH.sig or PATH.minisig. false: there is none. */
bool bz_model_signature_beside(const char *path, char out[BZ_DIR_PATH_MAX]);
/* Paths of a model that do not count: what signers of this format always leave out, the signature itself, and `more`. */
struct bz_model_ignore {
    struct bz_view v[BZ_OPT_MANY_MAX + 8];
    size_t n;
    char own[BZ_DIR_PATH_MAX];
};
struct bz_model_ignore *bz_model_ignore_new(const char *path, const char *signature,
                                            const struct bz_opt_many *more); /* NULL: no memory */

#endif
