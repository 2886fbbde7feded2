/* bartizan posture: what its files share. */
#ifndef BZ_CMD_POSTURE_H
#define BZ_CMD_POSTURE_H

#include <bartizan/posture.h>
#include "instance.h"
#include "opts.h"

/* posture_join.c: what the auditor asks of other rooms. ctx: an open instance, or NULL. */
void bz_posture_join(struct bz_posture_hooks *h, struct bz_instance *in);

/* posture_versions.c; scheme as in struct bz_posture_hooks. */
enum bz_status bz_posture_version_cmp(const char *scheme, struct bz_view a, struct bz_view b,
                                      int *ret) BZ_MUST_USE;

/* posture_seal.c: the manifest of what the instance consists of, and its signature. Exit code. */
int bz_posture_seal(struct bz_instance *in);

#endif
