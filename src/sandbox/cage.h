/* Inside of bartizan-cage: pid 1 of a cage. Libc only, linked statically, so that a cage needs no library of ours. */
#ifndef BZ_SANDBOX_CAGE_H
#define BZ_SANDBOX_CAGE_H

#include <sys/types.h>

#include "wire.h"

/* "ok NAME DETAIL" or "missing NAME DETAIL", a line to the launcher. Returns `good`. */
bool cage_say(const struct wire *w, bool good, const char *name, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- cage_confine.c: taking things away ---- */
bool cage_close_others(const struct wire *w); /* descriptors that nobody named */
bool cage_noexec(const struct wire *w);       /* on everything that is writable */
bool cage_drop_capabilities(void);
bool cage_set_limits(const struct wire *w);
bool cage_no_core(void);
/* All rights that the kernel knows are taken; the rules give some back. 0: the kernel has no Landlock; -1: errno. */
int cage_landlock(const struct wire *w);
int cage_landlock_init(const struct wire *w); /* for pid 1 itself */
/* Descriptor to ask at (notify), or 0; -1: errno. */
int cage_seccomp(struct bz_view filter, bool notify);

/* ---- cage_check.c: reading back ---- */
struct cage_eyes { /* opened while /proc could be */
    int status, mounts, fds, ids, filters;
    uint64_t ns[WIRE_NAMESPACES];
    bool mdwe;
    int landlock;
};
bool cage_eyes_open(struct cage_eyes *e);
/* Says a line for everything that must be gone; how many are not. */
unsigned cage_check(const struct wire *w, const struct cage_eyes *e);

/* ---- cage_forward.c: pid 1's loop ---- */
struct cage_child {
    pid_t pid;
    int exec_fd; /* 'r' just before execve, errno after one that failed; then end of file; -1: done */
    int notify_fd; /* -1: execve stays open */
    char said[8];
    size_t said_n;
    bool execed;  /* the one execve was let through */
    bool started; /* the program runs, or ran */
};
/* Serves until the child has ended or `timeout_ms` (-1: none) is over; wait status, or -1 after the time. */
int cage_loop(const struct wire *w, struct cage_child *c, int timeout_ms);
/* Before pid 1's own filter. `forward`: the descriptors for connections are served too. */
bool cage_loop_begin(const struct wire *w, bool forward);
bool cage_proxy_listen(const struct wire *w); /* before the network is closed for pid 1 */

/* ---- cage_probe.c ---- */
/* One attempt; exit code: 0 it succeeded, otherwise errno. argv: NAME=VALUE targets. */
int cage_attempt(const char *name, char **targets);

#endif
