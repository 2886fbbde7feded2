/* Cages as other tools know them: flags and files for podman and docker, drop-ins for systemd; and what is dangerous in
 * somebody else's container configuration. Pure. */
#ifndef BARTIZAN_CONTAINERS_H
#define BARTIZAN_CONTAINERS_H

#include <bartizan/json.h>
#include <bartizan/sandbox.h>

/* An OCI seccomp profile: the same calls as bz_cage_filter, in JSON. */
void bz_cage_oci_seccomp(const struct bz_cage_plan *p, struct bz_buf *out);
/* `podman run` or `docker run` with everything, as one shell command. seccomp: path of the file above. */
void bz_cage_container_command(const struct bz_cage_plan *p, const char *engine, const char *image,
                               const char *seccomp, struct bz_buf *out);
/* A drop-in for the unit that runs the program of the plan. */
void bz_cage_systemd(const struct bz_cage_plan *p, struct bz_buf *out);

/* ---- lint ---- */

enum bz_lint_fact { /* what configurations say, whatever their form */
                    BZ_LINT_PRIVILEGED,
                    BZ_LINT_MOUNT, /* host path; `writable` */
                    BZ_LINT_CAP,
                    BZ_LINT_PID,
                    BZ_LINT_NETWORK,
                    BZ_LINT_IPC,
                    BZ_LINT_USERNS,
                    BZ_LINT_SECURITY_OPT,
                    BZ_LINT_DEVICE,
                    BZ_LINT_ESCALATION,
                    BZ_LINT_ENV,
                    BZ_LINT_FACT_COUNT
};
struct bz_lint_finding {
    const char *id, *why, *fix; /* static */
    char what[160];             /* of the configuration; from outside: to be escaped */
};
#define BZ_LINT_FINDINGS_MAX 64
struct bz_lint {
    struct bz_lint_finding list[BZ_LINT_FINDINGS_MAX];
    size_t n; /* found; may be more than are kept */
};
void bz_lint_add(struct bz_lint *l, enum bz_lint_fact fact, struct bz_view value, bool writable);
/* `docker inspect` and `podman inspect`, `docker compose config --format json`, Kubernetes pods as JSON. */
void bz_lint_json(struct bz_lint *l, const struct bz_json *root);
/* The words of `docker run ...`. */
void bz_lint_command(struct bz_lint *l, const char *const *argv, size_t n);

#endif
