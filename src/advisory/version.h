/* What the schemes of versions share. */
#ifndef BZ_ADVISORY_VERSION_H
#define BZ_ADVISORY_VERSION_H

#include <bartizan/advisory.h>

static inline bool bz_version_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}
static inline bool bz_version_letter(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline uint8_t bz_version_lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}
/* Numbers of any length, digits only; no digits at all count as 0. */
int bz_version_cmp_number(struct bz_view a, struct bz_view b);
/* Digits at v.p + at; *at moves behind them. */
struct bz_view bz_version_take_number(struct bz_view v, size_t *at);

/* One per scheme. `check` may be called with any text of at most BZ_VERSION_MAX bytes, `cmp` only
 * with texts that passed it. */
struct bz_version_ops {
    const char *name;
    enum bz_status (*check)(struct bz_view v);
    int (*cmp)(struct bz_view a, struct bz_view b);
};
extern const struct bz_version_ops bz_version_pep440_ops;
extern const struct bz_version_ops bz_version_semver_ops;
extern const struct bz_version_ops bz_version_npm_ops;
extern const struct bz_version_ops bz_version_dpkg_ops;

/* A SemVer version taken apart; views into the text. */
struct bz_semver {
    struct bz_view number[3];
    struct bz_view pre; /* without its "-"; empty: none */
};
enum bz_semver_how { BZ_SEMVER_LENIENT, BZ_SEMVER_NPM };
enum bz_status bz_semver_parse(struct bz_view v, enum bz_semver_how how,
                               struct bz_semver *ret) BZ_MUST_USE;
int bz_semver_cmp(const struct bz_semver *a, const struct bz_semver *b);
/* "-pre" and "+build" behind the numbers, to the end of v. */
enum bz_status bz_semver_tail(struct bz_view v, size_t at, struct bz_view *ret_pre) BZ_MUST_USE;
/* A number without leading zeros that npm takes: below 2^53. */
bool bz_semver_npm_number(struct bz_view digits, uint64_t *ret);

#endif
