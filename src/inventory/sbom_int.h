/* What both kinds of bills of materials share. */
#ifndef BZ_SBOM_INT_H
#define BZ_SBOM_INT_H

#include "inventory_int.h"

void bz_sbom_uuid(const uint8_t random[16], struct bz_buf *out);
void bz_sbom_time(uint64_t now, struct bz_buf *out);
void bz_sbom_cyclonedx(const struct bz_inventory *inv, const char *version,
                       const struct bz_sbom_head *head, struct bz_buf *out);
void bz_sbom_spdx(const struct bz_inventory *inv, const struct bz_sbom_head *head,
                  struct bz_buf *out);

#endif
