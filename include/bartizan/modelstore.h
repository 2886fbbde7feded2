/* Persistence of the registry of models: manifests, their state, and a history that can only grow. One thread. Failures as
 * in store.h. */
#ifndef BARTIZAN_MODELSTORE_H
#define BARTIZAN_MODELSTORE_H

#include <bartizan/buf.h>

struct bz_modelstore;

/* Opens, or makes a new one. EVERSION. */
enum bz_status bz_modelstore_open(const char *path, struct bz_modelstore **ret) BZ_MUST_USE;
void bz_modelstore_close(struct bz_modelstore *s); /* NULL is fine */

#define BZ_MODEL_ID 64       /* hex digits of a manifest's SHA-256 */
struct bz_modelstore_model { /* texts are lent for the call, or for the callback */
    const char *id, *name, *state, *added_by;
    uint64_t added;                     /* unix seconds */
    struct bz_view manifest, signature; /* left out by bz_modelstore_list */
};
struct bz_modelstore_event {
    uint64_t seq, at;
    const char *id, *by, *what, *note;
};
/* With its first event. EEXISTS. */
enum bz_status bz_modelstore_add(struct bz_modelstore *s, const struct bz_modelstore_model *m,
                                 const char *note) BZ_MUST_USE;
/* From one state to another, with the event. ENOTFOUND: it is not there, or not in state `from`. */
enum bz_status bz_modelstore_move(struct bz_modelstore *s, const char *from, const char *to,
                                  const struct bz_modelstore_event *e) BZ_MUST_USE;

typedef enum bz_status bz_modelstore_fn(void *ctx, const struct bz_modelstore_model *m);
/* Without texts, oldest first. */
enum bz_status bz_modelstore_list(struct bz_modelstore *s, bz_modelstore_fn *each,
                                  void *ctx) BZ_MUST_USE;
/* The one whose id begins with `prefix`. ENOTFOUND; EINVAL: more than one does. */
enum bz_status bz_modelstore_get(struct bz_modelstore *s, const char *prefix,
                                 bz_modelstore_fn *each, void *ctx) BZ_MUST_USE;
typedef enum bz_status bz_modelstore_event_fn(void *ctx, const struct bz_modelstore_event *e);
/* Of one model, oldest first. */
enum bz_status bz_modelstore_history(struct bz_modelstore *s, const char *id,
                                     bz_modelstore_event_fn *each, void *ctx) BZ_MUST_USE;

#endif
