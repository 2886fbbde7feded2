/* Shared by the subcommands of `bartizan sandbox`. */
#ifndef BZ_CLI_SANDBOX_H
#define BZ_CLI_SANDBOX_H

#include <sys/types.h>
#include <bartizan/egress.h>
#include <bartizan/sandbox.h>
#include "instance.h"
#include "opts.h"

struct sb_args { /* as the options say it, or bartizan.yaml */
    const char *profile, *socket, *memory, *tmp, *pids, *files, *cpu, *gpu, *user;
    struct bz_opt_many models, reads, writes, env, secrets, egress;
    bool weakened;
    const char *name;
    char **command;
    int command_n;
};
struct sb_cage { /* everything of one cage */
    struct bz_cage_request request;
    struct bz_cage_own own;
    struct bz_cage_plan plan;
    struct bz_egress egress;
    char cage[BZ_DIR_PATH_MAX];
    uid_t uid;
    gid_t gid;
};

int sb_run(int argc, char **argv);
int sb_probe(int argc, char **argv);
int sb_profiles(int argc, char **argv);
int sb_export(int argc, char **argv);
int sb_lint(int argc, char **argv);

/* Splits argv at "--": what follows is the command. Returns argc of what stands before. */
int sb_split(int argc, char **argv, struct sb_args *a);
/* Whom the cage runs as outside; never root. Says why not. */
bool sb_user(const struct sb_args *a, uid_t *ret_uid, gid_t *ret_gid);
/* Options into a request, nothing looked up. Says what is wrong. */
bool sb_request(const struct sb_args *a, bool probe, struct sb_cage *c);
/* Options into a plan; says on stderr what is wrong. The cage is freed with sb_cage_free either way. */
bool sb_cage_make(const struct sb_args *a, bool probe, struct sb_cage *ret);
void sb_cage_free(struct sb_cage *c);
/* Program of bubblewrap; NULL, and said, when it is not installed. */
const char *sb_bwrap(void);
/* Where requests to the outside are recorded. */
struct sb_egress_out {
    const char *log;      /* file; NULL: stderr */
    const char *instance; /* its audit log too, without which nothing goes out; NULL: of none */
};
/* Exit code. report: file; NULL: none. */
int sb_run_cage(const struct sb_args *a, const struct sb_cage *c, const char *report,
                const struct sb_egress_out *egress, bool quiet);
int sb_probe_args(struct sb_args *a, bool json, const char *file);
int sb_show_plan(const struct sb_cage *c, bool bwrap);
/* The same with everything from an instance's bartizan.yaml. */
int sb_run_backend(const char *dir, const char *backend, const char *report, bool quiet);
int sb_probe_backend(const char *dir, const char *backend, bool json, const char *file);

#endif
