/* Inside of `bartizan advisory`. */
#ifndef BZ_CLI_ADVISORY_H
#define BZ_CLI_ADVISORY_H

#include <stdio.h>
#include "advisories.h"
#include "commands.h"

#define BZ_F_ADVISORY_OSV "advisories/osv"
#define BZ_F_ADVISORY_KEV "advisories/kev"

int bz_advisory_update(int argc, char **argv);
int bz_advisory_status(int argc, char **argv);
int bz_advisory_match(int argc, char **argv);
int bz_advisory_compare(int argc, char **argv);
int bz_advisory_trust(int argc, char **argv);

struct bz_advisory_opened {
    struct bz_instance in;
    struct bz_config *config;
};
bool bz_advisory_open(const char *dir, struct bz_advisory_opened *ret); /* said why not */
void bz_advisory_close(struct bz_advisory_opened *o);
/* A running gateway takes what changed at once; none is no failure. */
int bz_advisory_tell(const struct bz_instance *in);

/* ---- advisory_fetch.c ---- */
/* The bytes of a path or of an https: or file: URL in an unlinked temporary file, at most `most`.
 * Returns a descriptor at its start, or -1 (said why). */
int bz_advisory_fetch(const char *what, uint64_t most);

/* ---- advisory_osv.c: archives of OSV records ----
 *
 * What is kept is a text file: a header line, then one line per record and package,
 * "ECOSYSTEM<TAB>NAME<TAB>JSON", so that a match reads the whole of it once and parses only what is
 * about its own packages. */
struct bz_osv_taken {
    char name[80]; /* of the database: the ecosystem that most records are about */
    uint64_t records, bad;
    char newest[40]; /* time of the record that was changed last */
    char first_bad[256];
};
/* Reads an archive (zip, tar; plain, gzip or xz) and puts its records into the instance. force: also
 * one that is older than what is there. OK, or said why. */
enum bz_status bz_osv_take(const struct bz_instance *in, int fd, const char *source, bool force,
                           struct bz_osv_taken *ret) BZ_MUST_USE;

/* ---- advisory_kev.c: CISA's catalogue of known exploited vulnerabilities ---- */
bool bz_kev_is(struct bz_view text); /* does it look like the catalogue? */
enum bz_status bz_kev_take(const struct bz_instance *in, struct bz_view json, bool force,
                           uint64_t *ret_n) BZ_MUST_USE;

#endif
