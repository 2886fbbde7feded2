/* Where the master key comes from. It is 32 random bytes for the life of an instance; secrets/master.key holds
 * them as they are, or secrets/master.json holds them sealed under something that is kept elsewhere:
 *
 *   passphrase   Argon2id over what somebody types, or a file or credential brings
 *   credential   $CREDENTIALS_DIRECTORY/bartizan-master, as systemd hands it to the unit
 *   tpm          a key that this machine's TPM 2.0 gives back (tpm2-tools)
 *
 * Another source seals the same master key anew: nothing else of an instance changes. */
#ifndef BZ_MASTER_H
#define BZ_MASTER_H

#include "instance.h"

#define BZ_F_MASTER_SEALED "secrets/master.json"
#define BZ_MASTER_CREDENTIAL "bartizan-master"
#define BZ_MASTER_PASSPHRASE "bartizan-passphrase" /* credential with a passphrase */
#define BZ_MASTER_SECRET_MAX 4096

enum bz_master_source {
    BZ_MASTER_FILE,
    BZ_MASTER_BY_PASSPHRASE,
    BZ_MASTER_BY_CREDENTIAL,
    BZ_MASTER_BY_TPM,
    BZ_MASTER_COUNT
};
const char *bz_master_source_name(enum bz_master_source s); /* "file", "passphrase", ... */
bool bz_master_source_parse(const char *name, enum bz_master_source *ret);

/* Which one the instance below `dir` has. ENOTFOUND: none; ECORRUPT. */
enum bz_status bz_master_source(int dir, enum bz_master_source *ret) BZ_MUST_USE;
/* Seals and writes, durably; what another source left is removed afterwards. secret: passphrase or content of
 * the credential; empty for file and tpm. EINVAL: an empty passphrase, a credential below 32 bytes. EUNAVAIL: no
 * TPM, or no tpm2-tools; `why` gets a sentence for people. */
enum bz_status bz_master_write(int dir, enum bz_master_source s, const uint8_t master[BZ_KEY_LEN],
                               struct bz_view secret, struct bz_buf *why) BZ_MUST_USE;
/* EDENIED: the passphrase or credential is not the one, or another TPM's. EUNAVAIL as above. */
enum bz_status bz_master_read(int dir, struct bz_view secret, uint8_t out[BZ_KEY_LEN],
                              struct bz_buf *why) BZ_MUST_USE;
/* Content of $CREDENTIALS_DIRECTORY/name. ENOTFOUND: there is none, or nobody gave credentials. */
enum bz_status bz_master_credential(const char *name, struct bz_buf *out) BZ_MUST_USE;

/* ---- master_tpm.c ---- */
/* What the TPM needs to give a key back; it opens on this machine only. */
struct bz_tpm_sealed {
    struct bz_buf pub, priv;
};
enum bz_status bz_tpm_seal(const uint8_t key[BZ_KEY_LEN], struct bz_tpm_sealed *ret,
                           struct bz_buf *why) BZ_MUST_USE;
enum bz_status bz_tpm_unseal(struct bz_view pub, struct bz_view priv, uint8_t out[BZ_KEY_LEN],
                             struct bz_buf *why) BZ_MUST_USE;

#endif
