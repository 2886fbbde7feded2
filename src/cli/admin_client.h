/* Calls of bartizand's admin API over DIR/run/admin.sock. */
#ifndef BZ_ADMIN_CLIENT_H
#define BZ_ADMIN_CLIENT_H

#include <bartizan/json.h>
#include "instance.h"

struct bz_answer_json {
    long status; /* HTTP status */
    struct bz_buf body;
    struct bz_arena arena;
    struct bz_json *root; /* strict JSON object */
};
/* body: empty for GET and for POST without one. EUNAVAIL: nobody answers there. ESYNTAX: no JSON
 * came back. ret is filled in any case and freed with bz_answer_done. */
enum bz_status bz_admin_call(const struct bz_instance *in, const char *method, const char *path,
                             struct bz_view body, long timeout_ms,
                             struct bz_answer_json *ret) BZ_MUST_USE;
void bz_answer_done(struct bz_answer_json *a);
/* Text of the error object of an answer, escaped for a terminal, lent. */
const char *bz_answer_error(const struct bz_answer_json *a);

/* ---- for commands: what they all do with a call ---- */

/* Exit code of a call that was answered; prints the error of one that was refused. */
int bz_admin_outcome(enum bz_status st, const struct bz_instance *in,
                     const struct bz_answer_json *a);
typedef void bz_show_fn(const struct bz_answer_json *a);
/* One call: prints the answer (json: as it came; otherwise show), and a warning if the audit log
 * could not confirm what was done. Exit code. */
int bz_admin_run(const char *dir, const char *method, const char *path, struct bz_view body,
                 long timeout_ms, bool json, bz_show_fn *show);
/* Names that may stand in a path of the admin API. */
bool bz_admin_name_ok(const char *s);

#endif
