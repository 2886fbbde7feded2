/* Inside of `bartizan advisory match`: components, records, findings. */
#ifndef BZ_CLI_MATCH_H
#define BZ_CLI_MATCH_H

#include "advisory.h"
#include "inventory.h"

struct bz_match_finding {
    const struct bz_component *c;
    struct bz_view *names; /* ids of all records that say the same: the first is the one shown */
    size_t names_n;
    struct bz_view summary, vector, fixed, unsure, origin; /* origin: pack or database */
    enum bz_rating severity;
    uint8_t score;                        /* tenths */
    struct bz_priority priority;          /* of all its records, the most urgent */
    bool kev, certain;                    /* not certain: the version cannot be compared */
    uint64_t first_seen, due;             /* unix seconds */
    struct bz_match_finding *next, *same; /* same: of the same component */
};

enum { BZ_MATCH_SOURCES = 64 };

struct bz_match_open { /* components of one kind that were not assessed, for one reason */
    enum bz_component_kind kind;
    struct bz_view ecosystem; /* whose archive is missing; empty: none would help */
    const char *why;          /* static */
    struct bz_view example;
    size_t n;
    struct bz_match_open *next;
};

struct bz_match {
    struct bz_inventory *inv;
    struct bz_arena ar; /* findings and what they point to */
    struct bz_match_finding *first;
    struct bz_match_finding **of; /* by the component's index */
    size_t n, records;
    struct bz_view sources[BZ_MATCH_SOURCES]; /* ecosystems whose archives are here */
    size_t sources_n;
    struct bz_match_open *open;
    const struct bz_config *config; /* NULL: no instance */
    uint64_t now;
    bool failed;  /* memory: the findings are not whole */
    size_t stale; /* packs and databases past their time */
};

/* ---- match_index.c ---- */
struct bz_match_index;
/* Components by ecosystem and name; NULL: no memory. Lives as long as the inventory. */
struct bz_match_index *bz_match_index_new(struct bz_inventory *inv);
void bz_match_index_free(struct bz_match_index *x);
/* Holds one record against the components that it is about; origin is static or lives in m->ar. */
void bz_match_record(struct bz_match *m, const struct bz_match_index *x,
                     const struct bz_json *record, struct bz_view origin);
/* Is anything here about this package? For lines of databases. */
bool bz_match_known(const struct bz_match_index *x, struct bz_view ecosystem, struct bz_view name);

/* "Debian" of "Debian:12" */
struct bz_view bz_match_ecosystem_base(struct bz_view ecosystem);
/* Was a Python package found with its metadata at this place? */
bool bz_match_python_at(const struct bz_match_index *x, struct bz_view path);

/* ---- match_cover.c ---- */
/* There is an archive about this ecosystem. */
void bz_match_cover(struct bz_match *m, struct bz_view ecosystem);
/* Lists what no advisory that is here can speak of. */
void bz_match_open(struct bz_match *m, const struct bz_match_index *x);

/* ---- match_sources.c ---- */
/* All packs and databases. false: one of them cannot be used (said). in: NULL for the built-in
 * pack alone. */
bool bz_match_sources(struct bz_match *m, const struct bz_match_index *x,
                      const struct bz_instance *in);
/* Known exploited ones are marked; first-seen times are read and kept (write: not with --root). */
void bz_match_kev(struct bz_match *m, const struct bz_instance *in);
void bz_match_due(struct bz_match *m, const struct bz_instance *in, bool keep);

/* ---- match_report.c ---- */
void bz_match_sort(struct bz_match *m); /* worst and soonest due first */
void bz_match_print(const struct bz_match *m);
void bz_match_json(const struct bz_match *m, struct bz_buf *out);
void bz_match_sarif(const struct bz_match *m, struct bz_buf *out);

#endif
