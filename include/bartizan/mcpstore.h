/* What MCP servers offer (tools, resources, templates, prompts) as it was seen, and what was decided over each: a table
 * of the store. One thread. Failures as in store.h. */
#ifndef BARTIZAN_MCPSTORE_H
#define BARTIZAN_MCPSTORE_H

#include <bartizan/buf.h>
#include <bartizan/crypto.h>

struct bz_mcpstore;
/* path: of the store, which must be there. */
enum bz_status bz_mcpstore_open(const char *path, struct bz_mcpstore **ret) BZ_MUST_USE;
void bz_mcpstore_close(struct bz_mcpstore *s); /* NULL is fine */
enum bz_status bz_mcpstore_begin(struct bz_mcpstore *s) BZ_MUST_USE;
/* failed: everything since begin is undone, and that is returned. */
enum bz_status bz_mcpstore_end(struct bz_mcpstore *s, enum bz_status failed) BZ_MUST_USE;

struct bz_mcpstore_row { /* texts are lent for the call, or for the callback */
    const char *server;
    const char *kind; /* "tool", "resource", "template", "prompt" */
    const char *name; /* URI of a resource, text of a template */
    uint8_t digest[BZ_HASH_LEN];
    const char *definition; /* canonical JSON */
    const char *state;      /* "new", "approved", "changed", "shadowing", "retired", "revoked" */
    uint32_t odd;           /* BZ_MCP_ODD_* */
    bool current;           /* the server showed it when it was last asked */
    uint64_t first, last;   /* seen, unix seconds */
    const char *by, *note;  /* of the last decision; "" */
    uint64_t decided;       /* 0: nobody has */
};
/* EEXISTS. */
enum bz_status bz_mcpstore_add(struct bz_mcpstore *s, const struct bz_mcpstore_row *t) BZ_MUST_USE;
/* Seen again: current, last. ENOTFOUND. */
enum bz_status bz_mcpstore_seen(struct bz_mcpstore *s, const struct bz_mcpstore_row *t) BZ_MUST_USE;
/* Definitions of this server that it no longer shows, and that nobody has decided over, are forgotten: a server
 * cannot fill the store. */
enum bz_status bz_mcpstore_forget(struct bz_mcpstore *s, const char *server) BZ_MUST_USE;
/* No definition of this server is current any more. */
enum bz_status bz_mcpstore_unseen(struct bz_mcpstore *s, const char *server) BZ_MUST_USE;
/* State, by, note, decided of the definition with this digest. ENOTFOUND. */
enum bz_status bz_mcpstore_decide(struct bz_mcpstore *s,
                                  const struct bz_mcpstore_row *t) BZ_MUST_USE;
/* Other approved definitions of the same kind and name become retired. */
enum bz_status bz_mcpstore_retire(struct bz_mcpstore *s,
                                  const struct bz_mcpstore_row *t) BZ_MUST_USE;

typedef enum bz_status bz_mcpstore_fn(void *ctx, const struct bz_mcpstore_row *t);
/* By server, kind, name, newest first. server, kind, name NULL: all. The callback must not change the store. */
enum bz_status bz_mcpstore_list(struct bz_mcpstore *s, const char *server, const char *kind,
                                const char *name, bz_mcpstore_fn *each, void *ctx) BZ_MUST_USE;

#endif
