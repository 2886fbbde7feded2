/* What archives have in common: names that lead out, links, names that stand for one file. */
#ifndef BZ_ARTIFACT_ARCHIVE_H
#define BZ_ARTIFACT_ARCHIVE_H

#include "scan_int.h"

extern const struct bz_rule bz_archive_rules[];
enum bz_archive_rule {
    BZ_ARC_SLIP,
    BZ_ARC_ABSOLUTE,
    BZ_ARC_BACKSLASH,
    BZ_ARC_CONTROL,
    BZ_ARC_LINK_OUT,
    BZ_ARC_LINK,
    BZ_ARC_DEVICE,
    BZ_ARC_TWICE,
    BZ_ARC_CASE,
    BZ_ARC_ENCRYPTED,
    BZ_ARC_METHOD
};
enum bz_status bz_archive_found(struct bz_scan *s, const struct bz_object *o,
                                enum bz_archive_rule rule, uint64_t offset,
                                struct bz_view evidence) BZ_MUST_USE;

/* A member's name as a path: "..", absolute, backslashes, control bytes. */
enum bz_status bz_archive_name(struct bz_scan *s, const struct bz_object *o, uint64_t offset,
                               struct bz_view name) BZ_MUST_USE;
/* A link from `name` to `target`: worse where it leads out of the archive's own folder. */
enum bz_status bz_archive_link(struct bz_scan *s, const struct bz_object *o, uint64_t offset,
                               struct bz_view name, struct bz_view target) BZ_MUST_USE;

/* Are the bytes from `at` to `end` of a tar archive, exactly, what one of its plain members holds? */
bool bz_tar_holds(const struct bz_source *src, uint64_t at, uint64_t end);

struct bz_archive_name {
    struct bz_view name;
    uint64_t offset;
};
/* Names that stand for the same file, exactly or where case does not count. Sorts `names`.
 * twice: is an exact repetition a finding (ZIP) or usual (tar)? */
enum bz_status bz_archive_twins(struct bz_scan *s, const struct bz_object *o,
                                struct bz_archive_name *names, size_t n, bool twice) BZ_MUST_USE;

#endif
