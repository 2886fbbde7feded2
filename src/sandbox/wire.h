/* What bartizan-cage is told: one message in a descriptor that cannot change any more. Written by wire.c, read by
 * cage_wire.c, which believes nothing of it.
 *
 *   u32 magic  u32 flags
 *   u32 n, n x (u64 soft, u64 hard, u32 resource)
 *   u32 n, n x (text path, u32 may, u32 kind)           rules, and what must be mounted
 *   u32 n, n x text                                     argv
 *   u32 n, n x text                                     environment
 *   u32 n, n x u32                                      descriptors that the server keeps
 *   u64 x 7                                             namespaces outside, by inode
 *   u16 bind, u16 connect, u16 forward, u16 0
 *   i32 status, i32 control, i32 listen, i32 egress     descriptors; -1: none
 *   bytes filter, bytes filter of init
 *   u32 n, n x text                                     names of probes
 *   u32 n, n x text                                     targets of probes
 *
 * text: u32 length, bytes, one NUL that the length does not count. bytes: u32 length, bytes. */
#ifndef BZ_SANDBOX_WIRE_H
#define BZ_SANDBOX_WIRE_H

#include <bartizan/sandbox.h>

#define WIRE_MAGIC 0x43425a42u /* "BZBC" */
#define WIRE_MAX (1u << 20)
enum { WIRE_LIMITS_MAX = 16, WIRE_NAMESPACES = 7, WIRE_PROBES_MAX = 128, WIRE_TARGETS_MAX = 32 };
enum {                /* flags */
       WIRE_EXEC = 1, /* execve stays open */
       WIRE_WX = 2,
       WIRE_WEAKENED = 4, /* starts although something is missing */
       WIRE_PROBE = 8,
       WIRE_ALL = 15,
};
struct wire_limit {
    uint64_t soft, hard;
    uint32_t resource;
};
struct wire_rule {
    const char *path;
    uint32_t may, kind;
};
struct wire {
    uint32_t flags;
    struct wire_limit limit[WIRE_LIMITS_MAX];
    uint32_t limits_n;
    struct wire_rule rule[BZ_CAGE_MOUNTS_MAX];
    uint32_t rules_n;
    const char *argv[BZ_CAGE_ARGS_MAX + 9]; /* ends with NULL */
    uint32_t argc;
    const char *env[BZ_CAGE_LIST_MAX + 1]; /* likewise */
    uint32_t env_n;
    uint32_t keep[BZ_CAGE_LIST_MAX];
    uint32_t keep_n;
    uint64_t outside[WIRE_NAMESPACES];
    uint16_t bind_port, connect_port, forward_port;
    int32_t status_fd, control_fd, listen_fd, egress_fd;
    struct bz_view filter, filter_init;
    const char *probe[WIRE_PROBES_MAX];
    uint32_t probes_n;
    const char *target[WIRE_TARGETS_MAX];
    uint32_t targets_n;
};
/* In the order of `outside`. */
extern const char *const wire_namespaces[WIRE_NAMESPACES];

/* Latched in `out`. */
void wire_write(const struct wire *w, struct bz_buf *out);
/* Texts and views point into `in`. ESYNTAX, ERANGE, ETRAILING. */
enum bz_status wire_read(struct bz_view in, struct wire *ret) BZ_MUST_USE;

#endif
