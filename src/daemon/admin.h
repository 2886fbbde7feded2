/* Inside of the admin API: what its two files share. docs/ADMIN-API.md documents the calls. */
#ifndef BZ_ADMIN_H
#define BZ_ADMIN_H

#include <bartizan/json.h>
#include "daemon.h"

struct bz_admin_call {
    struct bz_daemon *d;
    const struct bz_admin_request *r;
    struct bz_buf *out;
    const struct bz_json *body; /* object, or NULL when there was none */
    struct bz_arena *arena;
    const char *id; /* the {id} of the path, or "" */
    uint64_t now;   /* unix seconds */
};

/* Error object; returns the status. message may hold text from outside (JSON escapes it; the CLI
 * escapes it for terminals). */
unsigned bz_admin_refuse(struct bz_admin_call *c, unsigned status, const char *code,
                         const char *fmt, ...) __attribute__((format(printf, 4, 5)));
unsigned bz_admin_failed(struct bz_admin_call *c, enum bz_status st, const char *what);

enum bz_admin_safety {
    BZ_ADMIN_RECORD_FIRST, /* grants something: nothing happens without a durable record */
    BZ_ADMIN_ACT_ANYWAY    /* takes something away: happens even when the log cannot be written */
};
/* Record of a change. false: it must not happen; the answer is written. *ret_recorded: a durable
 * record exists. */
bool bz_admin_record(struct bz_admin_call *c, const char *what, struct bz_view detail,
                     enum bz_admin_safety safety, bool *ret_recorded, unsigned *ret_status);
/* Puts the change in force: 0, or the status of the answer that was written. */
unsigned bz_admin_publish(struct bz_admin_call *c);
/* String member as C text in the arena; NULL when absent. `ok` is cleared when it is no string or
 * holds a NUL. */
const char *bz_admin_text(struct bz_admin_call *c, struct bz_view key, bool *ok);
/* Refuses members that are not in `known`. 0 or the status. */
unsigned bz_admin_only(struct bz_admin_call *c, const char *const *known, size_t n);

/* admin_book.c */
unsigned bz_admin_keys(struct bz_admin_call *c);
unsigned bz_admin_key_create(struct bz_admin_call *c);
unsigned bz_admin_key_revoke(struct bz_admin_call *c);
unsigned bz_admin_key_rotate(struct bz_admin_call *c);
unsigned bz_admin_users(struct bz_admin_call *c);
unsigned bz_admin_user_add(struct bz_admin_call *c);
unsigned bz_admin_user_disable(struct bz_admin_call *c);
unsigned bz_admin_user_enable(struct bz_admin_call *c);

/* admin_approvals.c */
unsigned bz_admin_approvals(struct bz_admin_call *c);
unsigned bz_admin_approval_add(struct bz_admin_call *c);
unsigned bz_admin_approval_revoke(struct bz_admin_call *c);

/* admin_advisories.c */
unsigned bz_admin_advisories(struct bz_admin_call *c);
unsigned bz_admin_advisories_reload(struct bz_admin_call *c);

/* admin_mcp.c */
unsigned bz_admin_mcp(struct bz_admin_call *c);
unsigned bz_admin_mcp_show(struct bz_admin_call *c);
unsigned bz_admin_mcp_approve(struct bz_admin_call *c);
unsigned bz_admin_mcp_revoke(struct bz_admin_call *c);

/* admin_registry.c */
unsigned bz_admin_registry(struct bz_admin_call *c);
unsigned bz_admin_registry_show(struct bz_admin_call *c);
unsigned bz_admin_registry_add(struct bz_admin_call *c);
unsigned bz_admin_registry_approve(struct bz_admin_call *c);
unsigned bz_admin_registry_reject(struct bz_admin_call *c);
unsigned bz_admin_registry_retire(struct bz_admin_call *c);

/* admin_egress.c */
unsigned bz_admin_egress(struct bz_admin_call *c);

/* admin_data.c */
unsigned bz_admin_data(struct bz_admin_call *c);
unsigned bz_admin_data_list(struct bz_admin_call *c);
unsigned bz_admin_data_export(struct bz_admin_call *c);
unsigned bz_admin_data_erase(struct bz_admin_call *c);
unsigned bz_admin_data_retention(struct bz_admin_call *c);
unsigned bz_admin_erased(struct bz_admin_call *c);
unsigned bz_admin_erased_apply(struct bz_admin_call *c);
unsigned bz_admin_holds(struct bz_admin_call *c);
unsigned bz_admin_hold_add(struct bz_admin_call *c);
unsigned bz_admin_hold_release(struct bz_admin_call *c);

/* admin_view.c */
unsigned bz_admin_status(struct bz_admin_call *c);
unsigned bz_admin_models(struct bz_admin_call *c);
unsigned bz_admin_explain(struct bz_admin_call *c);
void bz_admin_put_limits(struct bz_jw *w, const struct bz_limit_set *l);

#endif
