/* Vulnerabilities of the components that stand around a model: how versions compare, what an
 * advisory says about one version, packs of advisories.
 *
 * The room is pure: texts in, answers out. */
#ifndef BARTIZAN_ADVISORY_H
#define BARTIZAN_ADVISORY_H

#include <bartizan/crypto.h>
#include <bartizan/json.h>
#include <bartizan/limits.h>

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

/* ---- severity ---- */

enum bz_rating {
    BZ_RATING_UNKNOWN,
    BZ_RATING_LOW,
    BZ_RATING_MEDIUM,
    BZ_RATING_HIGH,
    BZ_RATING_CRITICAL,
    BZ_RATING_COUNT
};
const char *bz_rating_name(enum bz_rating s);                       /* "unknown", "low", ... */
bool bz_rating_from_name(struct bz_view name, enum bz_rating *ret); /* any case; "moderate" too */
/* CVSS's rating of a score in tenths: 1-39 low, 40-69 medium, 70-89 high, 90-100 critical; 0 low. */
enum bz_rating bz_rating_of_score(uint8_t tenths);
/* Score in tenths of a CVSS vector 3.0, 3.1 (base metrics) or 4.0 (base, threat, environmental).
 * ESYNTAX; EVERSION: another version; ETOOBIG. Source: FIRST's specifications; see cvss.c. */
enum bz_status bz_cvss_score(struct bz_view vector, uint8_t *ret_tenths) BZ_MUST_USE;

/* ---- records ----
 *
 * A record is one JSON object in OSV's form (ossf.github.io/osv-schema), from a pack or an archive.
 * Of its extension points we read
 *   affected[].ecosystem_specific.scheme   how its versions compare, where the ecosystem does not say
 *   database_specific.kev                  true: known to be exploited
 *   database_specific.unsure               what of the record is not confirmed, for people
 *   database_specific.patch                rules for the gateway (struct bz_patch)
 *   database_specific.severity             "LOW" ... where there is no vector
 *   database_specific.epss, .ssvc          how urgent others find it (struct bz_priority) */

#define BZ_ECOSYSTEM_OWN "Bartizan" /* servers, drivers: what no package registry names */

struct bz_advisory { /* lives as long as the tree it was read from */
    const struct bz_json *json;
    struct bz_view id, summary, modified, published;
    bool withdrawn, kev;
    struct bz_view unsure; /* empty: nothing is */
    struct bz_view vector; /* CVSS; empty: none that we can read */
    enum bz_rating severity;
    uint8_t score; /* tenths; 0: none */
};
/* ESYNTAX with the reason: what every reader of it needs is not there or not of its type. */
enum bz_status bz_advisory_read(const struct bz_json *record, struct bz_advisory *ret,
                                struct bz_diag *diag) BZ_MUST_USE;
/* Is this one of its names: id or alias? */
bool bz_advisory_named(const struct bz_advisory *a, struct bz_view id);
/* Name number i: the id, then its aliases; false: no more. */
bool bz_advisory_name(const struct bz_advisory *a, size_t i, struct bz_view *ret);

enum bz_affected {
    BZ_AFFECTED_NO,
    BZ_AFFECTED_YES,
    BZ_AFFECTED_UNKNOWN, /* cannot be decided: no comparable version, or commits only */
    BZ_AFFECTED_COUNT
};
/* What a record says about one version of one package. Ecosystems are equal also when only one
 * names a release ("Debian" and "Debian:12"). Names of PyPI compare normalised.
 * ret_fixed: the lowest version with the fix above this one, or empty. */
enum bz_affected bz_advisory_affects(const struct bz_advisory *a, struct bz_view ecosystem,
                                     struct bz_view name, struct bz_view version,
                                     struct bz_view *ret_fixed);
/* Whether the record speaks of this package at all. */
bool bz_advisory_about(const struct bz_advisory *a, struct bz_view ecosystem, struct bz_view name);
/* How versions of an ecosystem compare; ENOTFOUND: we do not know. */
enum bz_status bz_ecosystem_scheme(struct bz_view ecosystem,
                                   enum bz_version_scheme *ret) BZ_MUST_USE;

/* ---- priority ---- */

/* What a record carries of the ratings that change with time. Empty, 0: not said. */
struct bz_priority {
    bool has_epss;
    uint32_t epss, percentile; /* EPSS, in millionths: exploited within 30 days; share below it */
    struct bz_view exploitation, automatable, impact, decision; /* SSVC's words */
    uint8_t urgency; /* of the decision: 1 track, 2 track*, 3 attend, 4 act */
    bool exploited;  /* exploitation is "active" */
};
/* ESYNTAX: there is something, and it is of another form. */
enum bz_status bz_advisory_priority(const struct bz_advisory *a, struct bz_priority *ret,
                                    struct bz_diag *diag) BZ_MUST_USE;

/* ---- virtual patches ---- */

/* A rule that stands in for a fix: it holds for a backend until a version is seen there that the
 * record does not call affected. One rule is either about a route or about a parameter. */
struct bz_patch {
    struct bz_view server; /* type of backends: "ollama" ... */
    struct bz_view method,
        path;             /* route: method (empty: any) and path as docs/ROUTES.md writes it */
    struct bz_view param; /* parameter, members joined by dots: "options.num_ctx" */
    bool deny;            /* its presence alone is refused */
    bool has_min, has_max;
    int64_t min, max; /* numbers outside are refused, and everything that is no integer */
};
/* Rule number i. OK; ENOTFOUND: no more; ESYNTAX. */
enum bz_status bz_advisory_patch(const struct bz_advisory *a, size_t i, struct bz_patch *ret,
                                 struct bz_diag *diag) BZ_MUST_USE;

/* ---- packs ----
 *
 * A pack is a text file, three lines and a JSON document:
 *
 *   bartizan-advisory-pack 1
 *   key: <16 hex digits: the first 8 bytes of SHA-256 of the public key>
 *   signature: <base64 of an Ed25519 signature over the first line, its line feed and the document>
 *   {"name": ..., "version": N, "issued": "...Z", "expires": "...Z", "advisories": [...]}
 *
 * Name, version and expiry do what TUF's metadata do: a pack of another name, an older version or
 * one past its time is not taken (theupdateframework.github.io/specification, 5.). */
struct bz_advisory_key {
    uint8_t pub[BZ_SIGN_PUBLIC_LEN];
};
/* "ed25519:<64 hex digits>", as configurations and key files write it. ESYNTAX. */
enum bz_status bz_advisory_key_parse(struct bz_view text, struct bz_advisory_key *ret) BZ_MUST_USE;
void bz_advisory_key_text(const struct bz_advisory_key *key, struct bz_buf *out);

struct bz_advisory_pack { /* views into the file, tree in the arena */
    struct bz_view name;
    uint64_t version;
    uint64_t issued, expires; /* unix seconds */
    const struct bz_json *advisories;
    size_t count;
    size_t key;                  /* which of the keys had signed */
    uint8_t digest[BZ_HASH_LEN]; /* of the document */
};
/* Reads a pack that one of the keys has signed. Expiry is the caller's to judge: it alone knows the
 * time. EDENIED: no such key, or the signature is wrong; ESYNTAX, ETOOBIG, ENOMEM: diag says where.
 * Nothing of the document is looked at before its signature is good. */
enum bz_status bz_advisory_pack_open(struct bz_view file, const struct bz_advisory_key *keys,
                                     size_t keys_n, struct bz_arena *ar,
                                     struct bz_advisory_pack *ret,
                                     struct bz_diag *diag) BZ_MUST_USE;
/* The document alone, without lines or signature: what is built in. */
enum bz_status bz_advisory_pack_read(struct bz_view document, struct bz_arena *ar,
                                     struct bz_advisory_pack *ret,
                                     struct bz_diag *diag) BZ_MUST_USE;
/* Writes the file around a document. */
void bz_advisory_pack_sign(struct bz_view document, const uint8_t secret[BZ_SIGN_SECRET_LEN],
                           const struct bz_advisory_key *key, struct bz_buf *out);
/* May `got` take the place of what was installed under its name (version and digest; version 0:
 * nothing was)? OK; EEXPIRED; ERANGE: an older one; ECORRUPT: the same version with other contents;
 * EEXISTS: the very same. */
enum bz_status bz_advisory_pack_accept(const struct bz_advisory_pack *got, uint64_t had_version,
                                       const uint8_t had_digest[BZ_HASH_LEN],
                                       uint64_t now) BZ_MUST_USE;

/* ---- YAML ---- */

/* One YAML document as a JSON tree, for sources of packs and for PyPA's database: maps, lists and
 * scalars. Scalars are strings, but for plain true, false, null and ~. No anchors, aliases or tags;
 * duplicate keys, depth and size are bounded as in JSON. Strings lie in the arena. */
enum bz_status bz_yaml_parse(struct bz_view in, struct bz_arena *ar, struct bz_json **ret,
                             struct bz_diag *diag) BZ_MUST_USE;

/* ---- time ---- */

/* Unix seconds of "2026-03-24" or an RFC 3339 time ending in Z; fractions are dropped. ESYNTAX. */
enum bz_status bz_advisory_time(struct bz_view text, uint64_t *ret) BZ_MUST_USE;

#endif
