/* Reading the message of wire.h: a part of bartizan-cage, which has no other library than libc. */
#include <bartizan/rd.h>

#include "wire.h"

const char *const wire_namespaces[WIRE_NAMESPACES] = {"user", "pid", "ipc",   "uts",
                                                      "mnt",  "net", "cgroup"};

static const char *take_text(struct bz_rd *r) {
    uint32_t n = bz_rd_le32(r);
    if (n > r->n) {
        bz_rd_fail(r, BZ_ERANGE);
        return "";
    }
    struct bz_view v = bz_rd_take(r, (size_t)n + 1);
    if (!bz_rd_ok(r))
        return "";
    if (v.p[n] != 0 || memchr(v.p, 0, n) != NULL) {
        bz_rd_fail(r, BZ_ESYNTAX);
        return "";
    }
    return (const char *)v.p;
}

static uint32_t take_count(struct bz_rd *r, size_t least, uint32_t most) {
    uint32_t n = bz_rd_count(r, least);
    if (n > most) {
        bz_rd_fail(r, BZ_ERANGE);
        return 0;
    }
    return n;
}

static uint32_t take_texts(struct bz_rd *r, const char **v, uint32_t most) {
    uint32_t n = take_count(r, 5, most);
    for (uint32_t i = 0; i < n; i++)
        v[i] = take_text(r);
    return n;
}

static struct bz_view take_bytes(struct bz_rd *r) {
    uint32_t n = bz_rd_le32(r);
    if (n > r->n || n % 8 != 0) { /* filters are made of 8 bytes each */
        bz_rd_fail(r, BZ_ERANGE);
        return bz_view(NULL, 0);
    }
    return bz_rd_take(r, n);
}

static void take_head(struct bz_rd *r, struct wire *w) {
    if (bz_rd_le32(r) != WIRE_MAGIC)
        bz_rd_fail(r, BZ_ESYNTAX);
    w->flags = bz_rd_le32(r);
    if ((w->flags & ~(uint32_t)WIRE_ALL) != 0)
        bz_rd_fail(r, BZ_ESYNTAX);
    w->limits_n = take_count(r, 20, WIRE_LIMITS_MAX);
    for (uint32_t i = 0; i < w->limits_n; i++) {
        w->limit[i].soft = bz_rd_le64(r);
        w->limit[i].hard = bz_rd_le64(r);
        w->limit[i].resource = bz_rd_le32(r);
    }
    w->rules_n = take_count(r, 13, BZ_CAGE_MOUNTS_MAX);
    for (uint32_t i = 0; i < w->rules_n; i++) {
        w->rule[i].path = take_text(r);
        w->rule[i].may = bz_rd_le32(r);
        w->rule[i].kind = bz_rd_le32(r);
        if (w->rule[i].kind >= BZ_MOUNT_KIND_COUNT || w->rule[i].path[0] != '/')
            bz_rd_fail(r, BZ_ESYNTAX);
    }
}

enum bz_status wire_read(struct bz_view in, struct wire *ret) {
    struct bz_rd r;
    struct wire *w = ret;
    memset(w, 0, sizeof *w);
    bz_rd_init(&r, in);
    take_head(&r, w);
    w->argc = take_texts(&r, w->argv, BZ_CAGE_ARGS_MAX + 8);
    w->env_n = take_texts(&r, w->env, BZ_CAGE_LIST_MAX);
    w->keep_n = take_count(&r, 4, BZ_CAGE_LIST_MAX);
    for (uint32_t i = 0; i < w->keep_n; i++)
        w->keep[i] = bz_rd_le32(&r);
    for (uint32_t i = 0; i < WIRE_NAMESPACES; i++)
        w->outside[i] = bz_rd_le64(&r);
    w->bind_port = bz_rd_le16(&r);
    w->connect_port = bz_rd_le16(&r);
    w->forward_port = bz_rd_le16(&r);
    if (bz_rd_le16(&r) != 0)
        bz_rd_fail(&r, BZ_ESYNTAX);
    w->status_fd = (int32_t)bz_rd_le32(&r);
    w->control_fd = (int32_t)bz_rd_le32(&r);
    w->listen_fd = (int32_t)bz_rd_le32(&r);
    w->egress_fd = (int32_t)bz_rd_le32(&r);
    w->filter = take_bytes(&r);
    w->filter_init = take_bytes(&r);
    w->probes_n = take_texts(&r, w->probe, WIRE_PROBES_MAX);
    w->targets_n = take_texts(&r, w->target, WIRE_TARGETS_MAX);
    if (bz_rd_ok(&r) && w->argc == 0)
        bz_rd_fail(&r, BZ_ESYNTAX);
    return bz_rd_end(&r);
}
