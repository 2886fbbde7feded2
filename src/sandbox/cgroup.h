/* One control group for one cage. */
#ifndef BZ_SANDBOX_CGROUP_H
#define BZ_SANDBOX_CGROUP_H

#include <bartizan/view.h>

struct bz_cgroup_limits {
    uint64_t memory;
    uint32_t pids, cpu_percent;
};
struct bz_cgroup {
    char dir[3][512];
    size_t n;
    bool v2, memory, pids, cpu; /* what is limited by it */
};
/* As much as this user may; nothing at all is no error. */
void bz_cgroup_make(struct bz_cgroup *g, const char *name, const struct bz_cgroup_limits *l);
bool bz_cgroup_enter(const struct bz_cgroup *g); /* this process */
void bz_cgroup_done(struct bz_cgroup *g);
/* The path of a controller in the text of /proc/PID/cgroup; an empty name: version 2's line. */
bool bz_cgroup_path(struct bz_view list, struct bz_view controller, struct bz_view *ret);

#endif
