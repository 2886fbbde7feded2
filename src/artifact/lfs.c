/* A pointer of Git LFS in place of the file that it stands for: what will be loaded is not here.
 * Source: git-lfs docs/spec.md. */
#include "pages.h"

static const struct bz_rule rules[] = {
    {"LFS-POINTER", BZ_SEVERITY_LOW, BZ_RULE_UNCHECKED, "a pointer of Git LFS, not the file itself",
     "unknown: the file that it stands for was not looked at",
     "fetch it (git lfs pull) and scan again", ""},
    {.id = NULL},
};

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    return o->src.size < 1024 &&
                   bz_view_starts(o->head, BZ_V("version https://git-lfs.github.com/spec/v1")) &&
                   bz_view_has(o->head, BZ_V("\noid sha256:"))
               ? BZ_PROBE_YES
               : BZ_PROBE_NO;
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    return bz_scan_found(s, o, &rules[0], 0, bz_view_sub(o->head, 0, 120));
}

const struct bz_format bz_format_lfs = {
    .name = "git lfs pointer",
    .what = "pointer of Git LFS",
    .probe = probe,
    .scan = scan,
    .rules = rules,
    .inert = true,
};
