/* Targets of the probe battery, for one run. */
#ifndef BZ_CLI_SANDBOX_TARGETS_H
#define BZ_CLI_SANDBOX_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SB_TARGETS_MAX = 24 };
struct sb_targets {
    char dir[64], model[128], socket[128], shm_file[64];
    char text[SB_TARGETS_MAX][192];
    const char *v[SB_TARGETS_MAX]; /* NAME=VALUE */
    size_t n;
    int fd[5], shm;
    uid_t uid;
    gid_t gid;
    pid_t keeper; /* the process of the host */
};
/* Owned by the cage's user; false: said why. Freed either way. */
bool sb_targets_make(struct sb_targets *t, uid_t uid, gid_t gid);
void sb_targets_limits(struct sb_targets *t, uint64_t memory, uint64_t tmp, uint32_t pids,
                       uint32_t files);
void sb_targets_free(struct sb_targets *t);
/* The attempt outside of any cage, as this user, else with what a user namespace of its own gives. 0: it succeeds;
 * otherwise why the host itself forbids it (errno, 128 + signal). */
int sb_control(const struct sb_targets *t, const char *cage, const char *name);

#endif
