/* bartizand: one thread, one loop. It owns the store, checks the backends, builds and publishes the
 * policy image and answers the admin API on run/admin.sock. */
#ifndef BZ_DAEMON_H
#define BZ_DAEMON_H

#include <curl/curl.h>
#include <bartizan/identity.h>
#include <bartizan/posture.h>
#include "advisories.h"
#include "bodies.h"
#include "instance.h"
#include "model_tokens.h"
#include "models.h"
#include "steering.h"

#define BZ_PROBE_PERIOD_NS 2000000000ull
#define BZ_SWEEP_PERIOD_NS 10000000000ull  /* values whose time is over are wiped that often */
#define BZ_VERSION_PERIOD_NS 3000000000ull /* how often a backend is asked for its version */
#define BZ_SHOW_PERIOD_NS 30000000000ull   /* how often Ollama is asked for its models' templates */
#define BZ_PROBE_DOWN_NS 1000000000ull     /* a backend that is down is asked more often */

enum bz_tokens_from { /* who says what a model's control tokens are */
                      BZ_TOKENS_FROM_SERVER,
                      BZ_TOKENS_FROM_FILES,   /* that it was seen to serve, approved */
                      BZ_TOKENS_FROM_COMMAND, /* that its `run` names */
                      BZ_TOKENS_FROM_COUNT
};
/* One backend by its index in the image. Its place never changes while the daemon runs: workers
 * count by index. */
struct bz_backend_run {
    const char *name; /* lent from the configuration */
    bool retired;     /* no longer in the configuration; the place is kept until another takes it */
    enum bz_server type;
    char address[80];       /* what workers connect to; "" : not known (yet) */
    bool numeric;           /* the url itself says the address */
    char *credential;       /* NULL: none */
    struct bz_names models; /* its own list, or the configuration's */
    bool models_fixed;      /* by the configuration */
    enum bz_health health;
    char why[160]; /* ours, for people; "" when well */
    CURL *probe;   /* under way */
    struct curl_slist *probe_head;
    struct bz_buf probe_body;
    uint64_t next_ns;
    struct {              /* of a backend that `bartizan up` starts in a cage */
        bool caged, warn; /* warn: a bad result is said and no more */
        int32_t pid;      /* of the probe that runs; 0: none */
        uint64_t next_ns, kill_ns;
        int verdict; /* exit code of the last one: 0 nothing got out; -1: none yet */
    } cage;
    char version[BZ_VERSION_MAX + 1]; /* as it says itself, while it is up; "": not seen */
    bool asks_version;                /* what the probe under way, or the next one, is for */
    uint64_t version_ns;              /* when to ask next */
    struct bz_token_set tokens[BZ_TOKENS_FROM_COUNT]; /* control tokens of its models */
    struct { /* its models are asked for one by one (Ollama) */
        struct bz_token_set found;
        uint64_t next_ns;
        uint32_t at; /* of models */
        bool asks;   /* what the probe under way, or the next one, is for */
    } show;
};

/* The configuration's backends in image order; texts of retired ones are its own. */
struct bz_places {
    struct bz_backend_config v[BZ_BACKENDS_MAX];
    char *own[BZ_BACKENDS_MAX][2];
};

/* Compiled detectors; they depend on the configuration's own words and patterns only. */
#define BZ_F_PACK "run/detect.pack"
struct bz_pack {
    struct bz_buf bytes;
    uint8_t key[BZ_HASH_LEN]; /* bz_config_compile_key */
};

struct bz_daemon {
    struct bz_instance in;
    struct bz_instance_keys keys;
    struct bz_places *places;     /* what config->backends points to */
    struct bz_config *config;     /* backends in image order, retired ones included */
    struct bz_buf config_text;    /* as loaded */
    struct bz_pack pack;          /* of config */
    struct bz_steering *steering; /* of config: rules and prompts */
    struct bz_buf leaks;          /* the same: what replies are watched for */
    struct bz_backend_run backend[BZ_BACKENDS_MAX];
    struct bz_map state_map, ring_map, vault_map;
    struct bz_vault *vault; /* NULL: could not be mapped */
    uint64_t sweep_ns;      /* monotonic: when it is swept next */
    struct bz_state *state;
    uint32_t lane;
    bool has_lane;
    int fifo;
    uint64_t record_counter;
    uint64_t generation;
    uint32_t models_served, keys_live;
    struct bz_identity *book; /* users and keys */
    struct bz_advisories advisories;
    bool advisories_loaded;
    char advisories_why[256];     /* "" when well */
    struct bz_registry *registry; /* of models; NULL: could not be opened (registry.h) */
    struct bz_keep *bodies;       /* stored requests and replies */
    uint64_t bodies_next_ns;      /* when the spool is looked at next */
    uint64_t bodies_expire_ns;    /* when retention is */
    struct bz_posture_state {     /* of the host, as the last audit left it */
        bool looked, bad;
        uint64_t next_ns;
        struct bz_posture_summary last;
        char why[160]; /* it is bad; "" otherwise */
    } posture;
    struct bz_mcp_watch *mcp; /* of MCP servers (mcp.h); NULL: cannot be kept */
    CURLM *multi;
    bool publish_wanted;
    bool stopping, reload_wanted;
};

/* ---- config.c ---- */
/* Loads bartizan.yaml. On failure nothing changes and `why` (text for people) is filled. */
enum bz_status bz_daemon_load(struct bz_daemon *d, struct bz_buf *why) BZ_MUST_USE;
/* At the start: a daemon that died must come back also while bartizan.yaml is being edited, so the
 * configuration that was in force is taken when the file is refused. */
enum bz_status bz_daemon_load_first(struct bz_daemon *d, struct bz_buf *why) BZ_MUST_USE;
void bz_daemon_unload(struct bz_daemon *d);

/* ---- pack.c ---- */
/* Detectors for a configuration: those of the last run's file when they fit, else compiled anew and
 * written there. EEXISTS: `old` has the same, nothing was done. ESYNTAX: `why` is filled. */
enum bz_status bz_pack_make(const struct bz_daemon *d, const struct bz_config *c,
                            const struct bz_pack *old, struct bz_pack *ret,
                            struct bz_buf *why) BZ_MUST_USE;
void bz_pack_free(struct bz_pack *p);

/* ---- health.c ---- */
enum bz_status bz_health_init(struct bz_daemon *d) BZ_MUST_USE;
void bz_health_done(struct bz_daemon *d);
void bz_health_reset(struct bz_daemon *d,
                     uint32_t i); /* configuration changed: forget and ask at once */
/* Starts probes that are due, takes results. Sets d->publish_wanted when a list or address changed.
 * */
void bz_health_turn(struct bz_daemon *d, uint64_t now);
/* What the registry says about a backend has changed. */
void bz_health_recheck(struct bz_daemon *d, uint32_t i);
uint64_t bz_health_next(const struct bz_daemon *d); /* monotonic ns of the next probe */
bool bz_health_all_asked(const struct bz_daemon *d);

/* The cage's state changed: holds at once. */
void bz_health_cage(struct bz_daemon *d, uint32_t i);

/* ---- cage.c: backends that run in cages of ours ---- */
/* NULL: it may have requests; otherwise why not, in a sentence. */
const char *bz_cage_unsafe(const struct bz_backend_run *r);
void bz_cage_forget(
    struct bz_backend_run *r); /* its configuration changed: probed again, at once */
/* Starts the probes that are due, each hour for each such backend, and takes results. */
void bz_cage_turn(struct bz_daemon *d, uint64_t now);
uint64_t
bz_cage_next(const struct bz_daemon *d); /* monotonic ns; UINT64_MAX: nothing to wait for */
void bz_cage_done(struct bz_daemon *d);  /* ends those that run */

/* ---- posture.c: the host's last audit as an input of policy ---- */
/* Looks every two seconds; tells a change, and all backends follow. */
void bz_posture_turn(struct bz_daemon *d, uint64_t now);
void bz_posture_look(struct bz_daemon *d); /* at the next turn: the configuration changed */
/* Why no backend may be used; NULL: the host is no reason. */
const char *bz_posture_barred(const struct bz_daemon *d);
void bz_posture_put(struct bz_jw *w, const struct bz_daemon *d); /* member "posture" */

/* ---- publish.c ---- */
enum bz_status bz_publish(struct bz_daemon *d) BZ_MUST_USE;
/* Highest generation of an image that lies there from an earlier run; 0: none. */
uint64_t bz_published_before(const struct bz_daemon *d);

/* ---- patches.c ---- */
/* Reads the packs again. On failure what was in force stays, or the built-in pack alone, and
 * d->advisories_why says why. */
enum bz_status bz_patches_load(struct bz_daemon *d) BZ_MUST_USE;
/* The rules that hold for the backends as they are now; views into the packs and the configuration. */
size_t bz_patches_now(const struct bz_daemon *d,
                      struct bz_image_patch out[BZ_ADVISORY_PATCHES_MAX]);

/* ---- journal.c: records of changes, and of what cages send out ---- */
enum bz_status bz_journal_init(struct bz_daemon *d) BZ_MUST_USE;
void bz_journal_done(struct bz_daemon *d);
/* Writes one record and, in strict mode, waits until it is durable (at most audit.wait_ms).
 * EUNAVAIL: it is not. Time, id and generation are filled in. */
enum bz_status bz_journal_put(struct bz_daemon *d, struct bz_record *r) BZ_MUST_USE;
/* The same for a change by an administrator. */
enum bz_status bz_journal_admin(struct bz_daemon *d, struct bz_view actor, const char *what,
                                struct bz_view detail, const char *decision) BZ_MUST_USE;
/* State of the log's writer as the ring shows it: "running", "starting", "storage fails", "gone".
 * */
const char *bz_journal_state(const struct bz_daemon *d);

/* ---- bodies_daemon.c ---- */
/* Before the first image: that tells workers what to seal to. After a failure, which is logged, d->bodies is
 * NULL and each turn tries again; a policy that wants bodies kept is not published until then. */
void bz_bodies_start(struct bz_daemon *d);
/* Takes the spool in, each second; retention each minute; a new key pair each day. */
void bz_bodies_turn(struct bz_daemon *d, uint64_t now);
uint64_t bz_bodies_next(const struct bz_daemon *d); /* monotonic ns */
/* Seconds that bodies of each level are kept; 0: without end. */
void bz_bodies_retention(const struct bz_daemon *d, uint32_t out[BZ_BODY_LEVELS]);
/* All that is due, now. */
enum bz_status bz_bodies_expire_all(struct bz_daemon *d, uint64_t *ret_removed) BZ_MUST_USE;

/* ---- adminapi.c ---- */
struct bz_admin_request {
    struct bz_view method, path, body;
    struct bz_view actor; /* "uid 1000" */
};
/* Answers one call: JSON into `out`, HTTP status returned. */
unsigned bz_admin_handle(struct bz_daemon *d, const struct bz_admin_request *r, struct bz_buf *out);

/* ---- server.c: libmicrohttpd around it ---- */
struct bz_server_run;
enum bz_status bz_server_start(struct bz_daemon *d, struct bz_server_run **ret) BZ_MUST_USE;
void bz_server_stop(struct bz_server_run *s);
int bz_server_fd(const struct bz_server_run *s); /* becomes readable when there is work */
void bz_server_turn(struct bz_server_run *s);
int bz_server_timeout_ms(struct bz_server_run *s); /* -1: none */

/* Line to stderr: "bartizand: ...". Formats are ours; text from outside goes through bz_log_safe.
 * */
void bz_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *bz_log_safe(struct bz_view v);

#endif
