/* What the parts of `bartizan guard` share. */
#ifndef BZ_CMD_GUARD_H
#define BZ_CMD_GUARD_H

#include <bartizan/injection.h>

#include "opts.h"

/* Rule files: those that come with Bartizan, then some of the caller's. */
struct bz_guard_rules {
    struct bz_rule_file file[BZ_RULE_FILES_MAX];
    struct bz_buf text[BZ_RULE_FILES_MAX]; /* of the caller's, by the same index */
    size_t builtin_n, n;
    struct bz_rule_error err; /* of the last compilation */
};
/* false: a file could not be read, and that was told. Free it in either case. */
bool bz_guard_rules_load(struct bz_guard_rules *r, bool builtin, const char *const *files,
                         size_t n);
void bz_guard_rules_free(struct bz_guard_rules *r);
/* Compiles them (their tests run) and opens the result; NULL: told why not. */
struct bz_injection *bz_guard_open(struct bz_guard_rules *r, struct bz_buf *pack);

int bz_guard_score(int argc, char **argv);
int bz_guard_rules(int argc, char **argv);

#endif
