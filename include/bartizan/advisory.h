/* Vulnerabilities of the components that stand around a model: how versions compare, what an
 * advisory says about one version, packs of advisories.
 *
 * The room is pure: texts in, answers out. */
#ifndef BARTIZAN_ADVISORY_H
#define BARTIZAN_ADVISORY_H

#include <bartizan/limits.h>
#include <bartizan/view.h>

/* ---- versions ----
 *
 * Every scheme is a total order over the texts it knows; a text that it does not know is an error,
 * never a guess. Numbers have no highest value. */
enum bz_version_scheme {
    BZ_VERSION_PEP440,   /* Python packages: epoch, pre, post, dev, local. Source: PEP 440 */
    BZ_VERSION_SEMVER,   /* SemVer 2.0.0; a leading "v" and missing zeros ("1.2") are accepted */
    BZ_VERSION_DPKG,     /* epoch:upstream-revision. Source: deb-version(7) */
    BZ_VERSION_NPM,      /* SemVer as npm reads it: three numbers below 2^53, at most 256 bytes */
    BZ_VERSION_LLAMACPP, /* build tags: "b8146", "b8146-1a2b3c4", "8146 (1a2b3c4)" */
    BZ_VERSION_NUMBERS,  /* dotted numbers alone: "570.133.20"; missing ones are 0 */
    BZ_VERSION_SCHEME_COUNT
};
/* Name as packs write it ("pep440"); static, never NULL. */
const char *bz_version_scheme_name(enum bz_version_scheme s);
/* ENOTFOUND for names that there are not. */
enum bz_status bz_version_scheme_find(struct bz_view name, enum bz_version_scheme *ret) BZ_MUST_USE;

/* OK; ESYNTAX: no version of this scheme; EUNAVAIL: names no release, so nothing can be said about
 * it (a llama.cpp build without its tag: a plain git hash, "unknown", builds 0 and 1 of a source
 * tree without history); ETOOBIG: longer than BZ_VERSION_MAX. */
enum bz_status bz_version_check(enum bz_version_scheme s, struct bz_view v) BZ_MUST_USE;
/* *ret_cmp: < 0, 0, > 0 as a comes before, with or after b. Errors as bz_version_check, of either.
 * Cost O(a.n + b.n), no allocation. */
enum bz_status bz_version_cmp(enum bz_version_scheme s, struct bz_view a, struct bz_view b,
                              int *ret_cmp) BZ_MUST_USE;
/* Whether v is of [introduced, fixed): an empty `introduced` or "0" is before everything, an empty
 * `fixed` after everything. Errors as bz_version_cmp. */
enum bz_status bz_version_within(enum bz_version_scheme s, struct bz_view v,
                                 struct bz_view introduced, struct bz_view fixed,
                                 bool *ret_within) BZ_MUST_USE;

/* Whether a version is in an npm range: comparators, hyphen, x, tilde and caret ranges, sets joined
 * by blanks and "||". As node-semver's satisfies(version, range) without options: a pre-release is
 * only in a set where a comparator with a pre-release has the same three numbers. Errors: ESYNTAX
 * (range or version), ETOOBIG (longer than BZ_VERSION_MAX and BZ_NPM_RANGE_MAX). No allocation. */
enum bz_status bz_npm_range_has(struct bz_view range, struct bz_view version,
                                bool *ret_has) BZ_MUST_USE;

/* The name of a Python package as indexes compare it: lower case, runs of "-_." as one "-" (PEP
 * 503). `out` needs room for name.n bytes; returns the bytes written. */
size_t bz_pypi_name(struct bz_view name, uint8_t *out);

#endif
