/* The nginx configuration of an instance, generated from bartizan.yaml. Pure: nothing is read, nothing is written. */
#ifndef BZ_NGINX_CONF_H
#define BZ_NGINX_CONF_H

#include <bartizan/buf.h>
#include <bartizan/policy.h>

struct bz_nginx_conf_input {
    const struct bz_config *config;
    const char *dir;       /* instance directory, absolute */
    const char *module;    /* ngx_http_bartizan_module.so, absolute */
    const char *ca_bundle; /* trust anchors for https backends; NULL: the distribution's */
    uint32_t
        nginx_version; /* 1022001 for 1.22.1; 0: unknown, the oldest syntax (newer ones warn about it) */
    uint32_t cpus; /* for `workers: 0`; 0: unknown, nginx counts them */
    uint32_t
        uid; /* of the process that starts nginx; 0 (root): the workers stay root, who then owns `dir` */
};
/* EINVAL: a path, address or number that cannot stand in an nginx configuration (control characters, '$', relative paths).
 * ETOOBIG, ENOMEM: as latched in `out`. */
enum bz_status bz_nginx_conf_write(const struct bz_nginx_conf_input *in,
                                   struct bz_buf *out) BZ_MUST_USE;

#endif
