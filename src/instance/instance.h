/* One instance directory: where things are, its keys, its configuration, the shared files of a run.
 * The layout is a contract with nginx, bartizan-auditd and the CLI; docs/ARCHITECTURE.md draws it.
 * */
#ifndef BZ_INSTANCE_H
#define BZ_INSTANCE_H

#include <bartizan/audit.h>
#include <bartizan/policy.h>
#include <bartizan/vault.h>
#include "files.h"

#define BZ_F_CONFIG "bartizan.yaml"
#define BZ_F_CONFIG_GOOD "run/bartizan.yaml.good" /* the one in force */
#define BZ_F_CA_CERT "tls/ca.pem"
#define BZ_F_CA_KEY "tls/ca.key"
#define BZ_F_SERVER_CERT "tls/server.pem"
#define BZ_F_SERVER_KEY "tls/server.key"
#define BZ_F_MASTER_KEY "secrets/master.key"
#define BZ_F_AUDIT_KEY "secrets/audit.key"
#define BZ_F_STORE "store/bartizan.db"
#define BZ_F_VERIFIER "audit/verifier"
#define BZ_F_IMAGE "run/policy.img"
#define BZ_F_STATE "run/state.shm"
#define BZ_F_RING "run/audit.ring"
#define BZ_F_VAULT "run/vault.shm"
#define BZ_F_BODIES "bodies"
#define BZ_F_BODY_SPOOL "bodies/spool"
#define BZ_F_BODY_ROWS "bodies/bodies.db"
#define BZ_F_BODY_KEYS "store/bodykeys.db"
#define BZ_F_ERASED "bodies/erased"
#define BZ_F_MODELS "models"
#define BZ_F_MODEL_QUARANTINE "models/quarantine"
#define BZ_F_MODEL_OBJECTS "models/objects"
#define BZ_F_MODEL_SERVE "models/serve"
#define BZ_F_MODEL_ROWS "store/models.db"
#define BZ_F_MODEL_KEY "secrets/model.key"
#define BZ_F_MODEL_PUBLIC "models/model.pub"
#define BZ_F_ADMIN_SOCK "run/admin.sock"
#define BZ_F_UP_LOCK "run/up.lock"
#define BZ_F_ALIVE_LOCK "run/alive.lock"
#define BZ_F_STATUS "run/status.json"

#define BZ_DIR_PATH_MAX 1024 /* a longer path of an instance is refused */

struct bz_instance {
    int fd;                     /* of the directory; -1 when closed */
    char path[BZ_DIR_PATH_MAX]; /* absolute, no links */
};

/* ENOTFOUND: no such directory; EINVAL: a directory, but no instance (no bartizan.yaml). */
enum bz_status bz_instance_open(const char *dir, struct bz_instance *ret) BZ_MUST_USE;
void bz_instance_close(struct bz_instance *in);
/* Absolute path of a file in it; false when it does not fit. */
bool bz_instance_path(const struct bz_instance *in, const char *rel, char out[BZ_DIR_PATH_MAX]);
/* Makes the directories of an instance below `fd` (those that exist are kept). */
enum bz_status bz_instance_dirs(int fd) BZ_MUST_USE;

/* Directory of the running executable: the other parts lie beside it. */
enum bz_status bz_exe_dir(char out[BZ_DIR_PATH_MAX]) BZ_MUST_USE;
/* First of: DIR/a (beside the executable), b (absolute). Empty string when neither exists. */
void bz_find_part(const char *beside, const char *system, char out[BZ_DIR_PATH_MAX]);

/* ---- keys ---- */
struct bz_instance_keys {
    uint8_t key_pepper[BZ_KEY_LEN];
    uint8_t digest_key[BZ_KEY_LEN];
    uint8_t limit_seed[16];
    uint8_t vault_key[BZ_KEY_LEN];
    uint8_t bodies_key[BZ_KEY_LEN]; /* wraps the keys of stored bodies */
    uint8_t erased_key[BZ_KEY_LEN]; /* names of what was erased */
    uint8_t instance_id[8];
};
void bz_instance_derive(const uint8_t master[BZ_KEY_LEN], struct bz_instance_keys *ret);
/* Reads secrets/master.key and derives; the master key itself is wiped again. ECORRUPT when it is
 * not 32 bytes. */
enum bz_status bz_instance_keys(const struct bz_instance *in,
                                struct bz_instance_keys *ret) BZ_MUST_USE;
/* Text of a new API key. */
void bz_instance_new_key(char out[BZ_KEY_TEXT + 1]);
/* "bartizan.local/<16 hex>" */
#define BZ_ORIGIN_MAX 48
void bz_instance_origin(const uint8_t id[8], char out[BZ_ORIGIN_MAX]);

/* ---- configuration ---- */
struct bz_config_errors {
    struct bz_config_error list[6];
    size_t n; /* found; may be more */
};
/* Reads and parses `file` (BZ_F_CONFIG). `text` (initialised by the caller with BZ_CONFIG_MAX)
 * keeps the source for messages. */
enum bz_status bz_instance_config(const struct bz_instance *in, const char *file,
                                  struct bz_buf *text, struct bz_config **ret,
                                  struct bz_config_errors *errs) BZ_MUST_USE;
/* "https://127.0.0.1:8443": the address a client on this machine uses (a wildcard listen address
 * becomes loopback). */
void bz_instance_url(const struct bz_config *c, struct bz_buf *out);

/* ---- files of a run ---- */
/* Formats run/state.shm anew, keeps run/audit.ring and run/vault.shm when they are sound, makes the
 * FIFOs. Only while
 * nothing of the instance runs. */
enum bz_status bz_instance_run_files(const struct bz_instance *in, bool *ret_ring_kept) BZ_MUST_USE;
/* Opens a unix socket path of any length: connect or bind through /proc/self/fd. Returns a
 * descriptor or -1. */
int bz_instance_listen(const struct bz_instance *in, const char *rel);
int bz_instance_connect(const struct bz_instance *in, const char *rel);
/* pid that holds the lock of `up`; 0: nobody. */
pid_t bz_instance_running(const struct bz_instance *in);

uint64_t bz_clock_mono(void); /* ns */
uint64_t bz_clock_unix(void); /* ns */

#endif
