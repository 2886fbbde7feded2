/* What MCP servers offer as bartizand knows it: tools, resources, templates, prompts. Asked for like any client
 * would, nothing is ever called, read or got; kept with what was decided over each; pins for the workers. */
#ifndef BZ_DAEMON_MCP_H
#define BZ_DAEMON_MCP_H

#include <bartizan/mcp.h>
#include <bartizan/mcpstore.h>
#include "daemon.h"

struct bz_mcp_watch;

/* Opens the rows. After a failure, which is logged, d->mcp is NULL: nothing is approved then. */
void bz_mcp_start(struct bz_daemon *d);
void bz_mcp_stop(struct bz_daemon *d);
struct bz_mcpstore *bz_mcp_rows(struct bz_mcp_watch *w);
/* Of the configuration; NULL: backend i is none. */
const struct bz_mcp_config *bz_mcp_of(const struct bz_daemon *d, uint32_t i);
/* What a server offers is asked for at once. */
void bz_mcp_look(struct bz_daemon *d, const char *server);
/* Why the lists of a server could not be taken, or what was left out of it; "" when well. */
const char *bz_mcp_why(const struct bz_daemon *d, uint32_t i);

/* One question to a server: body and headers of the probe that `h` is about to make. */
const char *bz_mcp_ask(struct bz_daemon *d, uint32_t i, CURL *h, struct curl_slist **head);
/* Its answer. ret_why: NULL: the server is up. ret_again: the next question follows at once. */
void bz_mcp_take(struct bz_daemon *d, uint32_t i, CURL *h, CURLcode rc, struct bz_view body,
                 const char **ret_why, bool *ret_again);
void bz_mcp_forget(struct bz_daemon *d, uint32_t i); /* its configuration changed */

/* mcp_pins.c: the part of the policy image; empty without servers. */
enum bz_status bz_mcp_blob(struct bz_daemon *d, struct bz_buf *out) BZ_MUST_USE;
/* mcp_pins.c: what was just listed against what is known. found: canonical definitions. */
struct bz_mcp_found {
    enum bz_mcp_what what;
    char *name, *definition; /* own memory */
    uint8_t digest[BZ_HASH_LEN];
};
enum bz_status bz_mcp_settle(struct bz_daemon *d, const char *server,
                             const struct bz_mcp_found *found, size_t n) BZ_MUST_USE;

#endif
