/* The section `leaks`: files read, compiled for BZ_BLOB_LEAK. */
#ifndef BZ_DAEMON_LEAKS_H
#define BZ_DAEMON_LEAKS_H

#include <bartizan/leak.h>
#include <bartizan/policy.h>
#include <bartizan/text.h>

#include "files.h"

/* prompts: of our own system prompts, names and texts; taken where the section says so. key: any.
 * out: nothing is appended when there is nothing to watch for. OK; ESYNTAX (`why` tells); ENOMEM. */
enum bz_status bz_leaks_make(int dir, const struct bz_leak_config *c,
                             const struct bz_leak_item *prompts, size_t prompts_n,
                             const uint8_t key[BZ_KEY_LEN], struct bz_buf *out,
                             struct bz_buf *why) BZ_MUST_USE;

#endif
