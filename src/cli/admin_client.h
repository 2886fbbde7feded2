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

#endif
