/* The registry of models as bartizand keeps it: rows, the digests that may be served, files in the store, and what the
 * processes behind the backends have mapped. */
#ifndef BZ_DAEMON_REGISTRY_H
#define BZ_DAEMON_REGISTRY_H

#include <bartizan/modelstore.h>
#include <bartizan/registry.h>
#include "daemon.h"

struct bz_registry;

/* Opens the rows, makes the signing key where there is none, loads what is approved. After a failure, which is logged,
 * d->registry is NULL: nothing is approved then. */
void bz_registry_start(struct bz_daemon *d);
void bz_registry_stop(struct bz_daemon *d);
/* The digests of all approved files anew, and everything is looked at again. Also removes files that no row needs. */
enum bz_status bz_registry_load(struct bz_daemon *d) BZ_MUST_USE;
/* Is a row what was approved: manifest by its id, files by our signature? Views in ret live in ar and in manifest. */
enum bz_status bz_registry_sound(const struct bz_registry *r, const char *id,
                                 struct bz_view manifest, struct bz_view signature,
                                 struct bz_arena *ar, struct bz_manifest *ret,
                                 const char **ret_why) BZ_MUST_USE;
bool bz_registry_approved(const struct bz_registry *r, const uint8_t sha256[BZ_HASH_LEN]);
struct bz_modelstore *bz_registry_rows(struct bz_registry *r);
/* Public key of the instance's model signatures, PEM; lent. */
struct bz_view bz_registry_public(const struct bz_registry *r);
struct bz_model_watch *bz_registry_watch(struct bz_registry *r);

/* ---- files (registry_files.c) ---- */

/* Links the files of a quarantine into the store. */
enum bz_status bz_registry_take_files(const struct bz_daemon *d, int quarantine,
                                      const struct bz_manifest *m) BZ_MUST_USE;
/* "models/serve/NAME-ID12" */
#define BZ_SERVE_PATH 128
void bz_registry_serve_path(const char *name, const char *id, char out[BZ_SERVE_PATH]);
/* Makes the folder that backends serve a model from, all at once; one that is there stays. */
enum bz_status bz_registry_serve(const struct bz_daemon *d, const char *id,
                                 const struct bz_manifest *m, struct bz_view signature) BZ_MUST_USE;
void bz_registry_unserve(const struct bz_daemon *d, const char *name, const char *id);
/* Removes files of the store whose digest `keep` does not know. */
void bz_registry_sweep(const struct bz_daemon *d,
                       bool (*keep)(void *ctx, const uint8_t sha256[BZ_HASH_LEN]), void *ctx);

/* ---- what backends have mapped (watch.c) ---- */

struct bz_model_watch;
enum bz_status bz_model_watch_new(struct bz_model_watch **ret) BZ_MUST_USE;
void bz_model_watch_free(struct bz_model_watch *w);
/* Looks at what is due, takes digests that were made meanwhile. */
void bz_registry_turn(struct bz_daemon *d, uint64_t now);
uint64_t bz_registry_next(const struct bz_daemon *d); /* monotonic ns */
/* Look at once: something was approved or taken back, or the configuration changed. */
void bz_registry_look(struct bz_daemon *d);
/* Before an image is published: backends that must not be used are marked, also those that nobody looked at yet. */
void bz_registry_guard(struct bz_daemon *d);
/* Why a backend must not be used; NULL: it may be. */
const char *bz_registry_barred(const struct bz_daemon *d, uint32_t backend);
/* May this model of an Ollama server be named? digest: hex, of its manifest. */
bool bz_registry_vet(const struct bz_daemon *d, struct bz_view digest);
void bz_registry_put_backend(struct bz_jw *w, const struct bz_daemon *d, uint32_t backend);

#endif
