/* `bartizan scan --diff-templates A B` and `--template-hash FILE...`. */
#ifndef BZ_SCAN_TEMPLATE_H
#define BZ_SCAN_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

/* Exit codes as everywhere: 0 the same, or all hashed; 1 different; 2 failure; 3 a file has no
 * template, or it could not be read to the end. */
int bz_scan_template_diff(const char *a, const char *b, bool json);
int bz_scan_template_hash(const char **paths, size_t n, bool json);

#endif
