/* One attempt each: 0 when it succeeded, otherwise errno. They run inside, where they must fail, and outside, where they
 * must succeed: so none asks "is the cage there?", each does the thing. */
#ifndef BZ_SANDBOX_CAGE_PROBE_H
#define BZ_SANDBOX_CAGE_PROBE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

struct attempt {
    const char *name;
    int (*run)(void);
};
extern const struct attempt probe_files[], probe_net[], probe_kernel[],
    probe_self[]; /* end: NULL */

/* Value of a target; NULL: not given. */
const char *target(const char *name);
uint64_t target_number(const char *name);
/* A directory that can be written, outside and inside. */
const char *scratch(void);
static inline int outcome(bool ok) {
    return ok ? 0 : errno != 0 ? errno : EPERM;
}

#endif
