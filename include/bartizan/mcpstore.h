/* Definitions of the tools of MCP servers as they were seen, and what was decided over each: a table of the store. One
 * thread. Failures as in store.h. */
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

struct bz_mcpstore_tool { /* texts are lent for the call, or for the callback */
    const char *server, *tool;
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
enum bz_status bz_mcpstore_add(struct bz_mcpstore *s, const struct bz_mcpstore_tool *t) BZ_MUST_USE;
/* Seen again: current, last. ENOTFOUND. */
enum bz_status bz_mcpstore_seen(struct bz_mcpstore *s,
                                const struct bz_mcpstore_tool *t) BZ_MUST_USE;
/* No definition of this server is current any more. */
enum bz_status bz_mcpstore_unseen(struct bz_mcpstore *s, const char *server) BZ_MUST_USE;
/* State, by, note, decided of the definition with this digest. ENOTFOUND. */
enum bz_status bz_mcpstore_decide(struct bz_mcpstore *s,
                                  const struct bz_mcpstore_tool *t) BZ_MUST_USE;
/* Approved definitions of a tool that are not this one become retired. */
enum bz_status bz_mcpstore_retire(struct bz_mcpstore *s,
                                  const struct bz_mcpstore_tool *t) BZ_MUST_USE;

typedef enum bz_status bz_mcpstore_fn(void *ctx, const struct bz_mcpstore_tool *t);
/* By server, tool, newest first. server, tool NULL: all. The callback must not change the store. */
enum bz_status bz_mcpstore_list(struct bz_mcpstore *s, const char *server, const char *tool,
                                bz_mcpstore_fn *each, void *ctx) BZ_MUST_USE;

#endif
