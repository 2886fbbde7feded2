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

int bz_model_add(int argc, char **argv);
int bz_model_registered(const char *dir, bool json);
int bz_model_show(int argc, char **argv);
int bz_model_approve(int argc, char **argv);
int bz_model_reject(int argc, char **argv);
int bz_model_retire(int argc, char **argv);
int bz_model_status(int argc, char **argv);
/* Digits of an id, or said that it is none. */
bool bz_model_id_ok(const char *s);
/* Text of an API key from a file, for an API call as its user; NULL names none. */
bool bz_model_put_person(struct bz_jw *w, const char *key_file);

/* ---- looking at files (model_scan.c) ---- */

struct bz_model_looked { /* what goes into a manifest; everything lives in `ar` */
    struct bz_arena *ar;
    struct bz_manifest_file *files;
    struct bz_manifest_tensor *tensors;
    struct bz_manifest_template *templates;
    struct bz_manifest_finding *findings;
    size_t tensors_n, tensors_cap, templates_n, templates_cap, findings_n, findings_cap;
    uint64_t findings_more;
    struct bz_view licence; /* as the files say */
    enum bz_manifest_verdict verdict;
    bool malicious, failed;
};
/* Hashes the files of a tree, scans them, hashes their tensors. The reason of a failure was printed. */
bool bz_model_look(struct bz_tree *t, const struct bz_tree_options *o, struct bz_arena *ar,
                   struct bz_model_looked *ret);
/* Into a manifest, whose other members are there already. */
void bz_model_looked_into(const struct bz_model_looked *l, size_t files_n, struct bz_manifest *m);

/* ---- signatures (model_verify.c) ---- */

struct bz_model_trust { /* as the options name it */
    const char *key, *cert, *trusted_root, *identity, *issuer;
};
/* Reads the files that it names; `text` is freed by the caller in any case. */
bool bz_model_trust_read(const struct bz_model_trust *t, struct bz_buf text[3],
                         struct bz_sig_trust *ret);
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
