/* bartizan redteam: a run, its targets, the compromised model as a server. */
#ifndef BZ_CLI_REDTEAM_H
#define BZ_CLI_REDTEAM_H

#include <bartizan/redteam.h>
#include "opts.h"

struct red_ask { /* one request */
    enum bz_red_dialect dialect;
    struct bz_view body;
    const char *conversation;
    bool stream;
    const struct bz_red_trick *trick; /* what the compromised model is to answer; NULL: honestly */
    unsigned part;
    struct bz_view text; /* of an attack, as it was mutated; empty: not to be judged */
    enum bz_red_place place;
};
struct red_got {
    bool checked;            /* otherwise `why` */
    enum bz_red_level level; /* of the request */
    struct bz_red_seen seen; /* what reached the model, if there is a trick; in `ar` */
    struct bz_buf body;      /* what the client got */
    double score;            /* of the judgement, where it is known: 0 to 1; otherwise below 0 */
    char why[160];           /* status and code; ours or made safe */
    struct bz_arena ar;
};
void red_got_init(struct red_got *g);
void red_got_done(struct red_got *g);

struct red_target {
    const char *mode; /* "offline", "live" */
    char name[256];   /* made safe */
    bool model;       /* tricks can be played */
    const char *model_name;
    /* false: nothing more can be sent; it was said why. */
    bool (*send)(struct red_target *t, const struct red_ask *q, struct red_got *g);
    void (*close)(struct red_target *t);
};
/* What a status and a code of an error say about the policy. false: nothing. */
bool red_level_of(long status, const char *code, enum bz_red_level *ret);
/* Code or type of an error body, made safe; "" when there is none. */
void red_error_code(struct bz_view body, char out[64]);

struct red_offline {
    const char *what; /* instance directory or configuration */
    const char *role;
    bool own_policy; /* scenarios meet the configuration's own tools and prompts */
    const struct bz_red_suite *suite;
    struct bz_view policy; /* of the scenarios */
};
/* NULL: it was said why; *ret_exit is the exit code. */
struct red_target *red_offline_open(const struct red_offline *o, int *ret_exit);

struct red_live {
    const char *url, *key_file, *ca, *model, *compromised;
    const struct bz_red_suite *suite;
};
struct red_target *red_live_open(const struct red_live *o, int *ret_exit);

struct red_plan {
    uint64_t seed, rounds, mutants;
    bool attacks, model; /* which halves are run */
    const struct bz_red_corpus *corpus;
    const struct bz_red_suite *suite;
    enum bz_red_dialect dialects[BZ_RED_DIALECT_COUNT];
    size_t dialects_n;
    bool strict; /* what is beyond the promise counts, too */
    bool quiet;
};
/* Memory of the result in `ar`. false: the target is gone or memory is, it was said which. */
bool red_run(struct red_target *t, const struct red_plan *p, struct bz_arena *ar,
             struct bz_red_result *ret);

/* The compromised model as a server on loopback; returns an exit code. */
int red_model_serve(const char *listen, const struct bz_red_suite *suite, const char *model);

#endif
