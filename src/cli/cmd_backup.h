/* bartizan backup: key, create, verify, restore, drill. */
#ifndef BZ_CMD_BACKUP_H
#define BZ_CMD_BACKUP_H

#include <signal.h>
#include <bartizan/backup.h>
#include "instance.h"
#include "opts.h"

int bz_backup_key(int argc, char **argv);
int bz_backup_create(int argc, char **argv);
int bz_backup_verify(int argc, char **argv);
int bz_backup_restore(int argc, char **argv);
int bz_backup_drill(int argc, char **argv);

/* ---- what is found (backup_report.c) ---- */

enum { BZ_FOUND_MAX = 50, BZ_FOUND_TEXT = 300 };
struct bz_found { /* sentences; texts from outside are escaped already */
    char text[BZ_FOUND_MAX][BZ_FOUND_TEXT];
    size_t n; /* may be more than are kept */
};
void bz_found_add(struct bz_found *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* `key`: [...] */
void bz_found_json(struct bz_jw *w, const char *key, const struct bz_found *f);
void bz_found_print(const char *prefix, const struct bz_found *f);
/* Ends an object that was begun in `b`, prints and frees it. */
int bz_report_end(struct bz_jw *w, struct bz_buf *b, int rc);
void bz_jw_hex(struct bz_jw *w, const char *key, const void *p, size_t n);
void bz_jw_seconds(struct bz_jw *w, const char *key, uint64_t ns);

/* Bytes done on a terminal, nothing elsewhere; done == total clears the line. */
void bz_backup_progress(const char *what, uint64_t done, uint64_t total);
/* From here on INT, TERM and HUP only set a flag, so that nothing half made stays behind; and no
 * core is written nor anything swapped out, for keys are in memory. */
void bz_backup_catch(void);
bool bz_backup_stopped(void);

/* ---- keys (backup_keys.c) ---- */

enum { BZ_SIGNERS_MAX = 16 };
struct bz_backup_trust {
    bool has_secret;
    uint8_t secret[BZ_BOX_LEN];
    uint8_t signer[BZ_SIGNERS_MAX]
                  [BZ_SIGN_PUBLIC_LEN]; /* whose archives are taken; none: anyone's */
    size_t signers_n;
};
/* key_file may be NULL; signers: "bzs1..." texts. The reason of a failure was printed. */
bool bz_backup_trust(const char *key_file, const struct bz_opt_many *signers,
                     struct bz_backup_trust *ret);
/* "bzr1..." or a file with a line "recipient: bzr1...". */
bool bz_backup_recipient_read(const char *text, uint8_t ret[BZ_BOX_LEN]);
/* The master key of an instance, wherever it comes from, and what making archives needs of it.
 * secret_file: a passphrase or credential that opens it; NULL asks where that is needed. The reason
 * of a failure was printed. */
struct bz_backup_own {
    uint8_t master[BZ_KEY_LEN];
    uint8_t instance_id[8];
    struct bz_backup_keys keys;
};
bool bz_backup_own(const struct bz_instance *in, const char *secret_file,
                   struct bz_backup_own *ret);

/* ---- archives (backup_chain.c) ---- */

struct bz_archive {
    const char *path;
    int fd;
    struct bz_backup_source src;
    struct bz_backup_scan scan; /* head, digest, counts */
    struct bz_backup_secrets secrets;
    bool open; /* its keys are known */
    bool good; /* scanned from end to end */
};
struct bz_chain {
    struct bz_archive a[BZ_BACKUP_CHAIN_MAX]; /* by depth */
    size_t n;
    struct bz_backup_set places;
    struct bz_buf manifest_mem;
    struct bz_backup_manifest manifest; /* of the last archive */
    bool pinned;                        /* the signer is one that was named */
    bool contents;                      /* opened with a secret key */
    uint64_t bytes;                     /* of all files */
};
/* Opens one archive file for reading; the reason of a failure was printed. */
bool bz_archive_open(const char *path, struct bz_archive *ret);
void bz_archive_close(struct bz_archive *a);
/* Reads all archives from end to end and checks that they build on each other and, with a secret
 * key, that the last one can be restored. An exit code: FINDINGS when `found` says something. */
int bz_chain_open(struct bz_chain *c, const char *const *paths, size_t n,
                  const struct bz_backup_trust *trust, struct bz_found *found);
void bz_chain_close(struct bz_chain *c);
/* Appends chunk number i of a file. */
enum bz_status bz_chain_chunk(const struct bz_chain *c, const struct bz_backup_entry *e, size_t i,
                              struct bz_buf *out) BZ_MUST_USE;
void bz_chain_json(struct bz_jw *w, const struct bz_chain *c);
void bz_chain_print(const struct bz_chain *c);

/* ---- restoring into a directory (backup_restore.c, backup_check.c) ---- */

/* Writes all files of the chain below `fd`, an empty directory. Prints why it failed. */
bool bz_backup_write_all(const struct bz_chain *c, int fd);
struct bz_backup_checks {
    bool config, store, audit; /* passed */
    bool audit_none;           /* there was no log yet */
    uint64_t records;
};
/* Configuration, databases and log of an instance that was just written. An exit code. */
int bz_backup_check(const struct bz_chain *c, const char *path, struct bz_found *found,
                    struct bz_backup_checks *ret);
#define BZ_BACKUP_ERASED "bodies/erased"
/* Takes over the erasures of a newer list (docs/BACKUP.md). */
bool bz_backup_erasures(const char *path, const char *list, struct bz_found *found);
/* Runs `bartizan audit verify DIR --expect-size N [--old-checkpoint FILE]`; its exit code. */
int bz_backup_audit_verify(const char *dir, const char *old_checkpoint, uint64_t least);

#endif
