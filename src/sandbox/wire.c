#include "wire.h"

static void put_text(struct bz_buf *out, const char *s) {
    struct bz_view v = bz_view_str(s);
    bz_buf_put_le32(out, (uint32_t)v.n);
    bz_buf_put(out, v);
    bz_buf_putc(out, 0);
}

static void put_texts(struct bz_buf *out, const char *const *v, uint32_t n) {
    bz_buf_put_le32(out, n);
    for (uint32_t i = 0; i < n; i++)
        put_text(out, v[i]);
}

static void put_bytes(struct bz_buf *out, struct bz_view v) {
    bz_buf_put_le32(out, (uint32_t)v.n);
    bz_buf_put(out, v);
}

void wire_write(const struct wire *w, struct bz_buf *out) {
    bz_buf_put_le32(out, WIRE_MAGIC);
    bz_buf_put_le32(out, w->flags);
    bz_buf_put_le32(out, w->limits_n);
    for (uint32_t i = 0; i < w->limits_n; i++) {
        bz_buf_put_le64(out, w->limit[i].soft);
        bz_buf_put_le64(out, w->limit[i].hard);
        bz_buf_put_le32(out, w->limit[i].resource);
    }
    bz_buf_put_le32(out, w->rules_n);
    for (uint32_t i = 0; i < w->rules_n; i++) {
        put_text(out, w->rule[i].path);
        bz_buf_put_le32(out, w->rule[i].may);
        bz_buf_put_le32(out, w->rule[i].kind);
    }
    put_texts(out, w->argv, w->argc);
    put_texts(out, w->env, w->env_n);
    bz_buf_put_le32(out, w->keep_n);
    for (uint32_t i = 0; i < w->keep_n; i++)
        bz_buf_put_le32(out, w->keep[i]);
    for (uint32_t i = 0; i < WIRE_NAMESPACES; i++)
        bz_buf_put_le64(out, w->outside[i]);
    bz_buf_put_le16(out, w->bind_port);
    bz_buf_put_le16(out, w->connect_port);
    bz_buf_put_le16(out, w->forward_port);
    bz_buf_put_le16(out, 0);
    bz_buf_put_le32(out, (uint32_t)w->status_fd);
    bz_buf_put_le32(out, (uint32_t)w->control_fd);
    bz_buf_put_le32(out, (uint32_t)w->listen_fd);
    bz_buf_put_le32(out, (uint32_t)w->egress_fd);
    put_bytes(out, w->filter);
    put_bytes(out, w->filter_init);
    put_texts(out, w->probe, w->probes_n);
    put_texts(out, w->target, w->targets_n);
}
