/* The subcommands, one function each: argv[0] is the command's own name. They return an exit code
 * (opts.h). */
#ifndef BZ_COMMANDS_H
#define BZ_COMMANDS_H

#include <stdio.h>
#include "instance.h"

int bz_cli_init(int argc, char **argv);
int bz_cli_up(int argc, char **argv);
int bz_cli_down(int argc, char **argv);
int bz_cli_reload(int argc, char **argv);
int bz_cli_status(int argc, char **argv);
int bz_cli_user(int argc, char **argv);
int bz_cli_key(int argc, char **argv);
int bz_cli_policy(int argc, char **argv);
int bz_cli_model(int argc, char **argv);
int bz_cli_mcp(int argc, char **argv);
int bz_cli_audit(int argc, char **argv);
int bz_cli_data(int argc, char **argv);
int bz_cli_dlp(int argc, char **argv);
int bz_cli_guard(int argc, char **argv);
int bz_cli_master(int argc, char **argv);
int bz_cli_posture(int argc, char **argv);
int bz_cli_advisory(int argc, char **argv);
int bz_cli_prompt(int argc, char **argv);
int bz_cli_inventory(int argc, char **argv);
int bz_cli_model_sbom(int argc, char **argv);
int bz_cli_backup(int argc, char **argv);
int bz_cli_redteam(int argc, char **argv);
int bz_cli_sandbox(int argc, char **argv);

struct bz_command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
};
/* Calls the command of `list` that argv[1] names; prints help or the nearest name otherwise.
 * `group`: "bartizan" or "bartizan key". */
int bz_cli_dispatch(const char *group, const struct bz_command *list, size_t n, int argc,
                    char **argv);

/* Opens an instance or says why not. */
bool bz_cli_open(const char *dir, struct bz_instance *ret);
/* Explains a refused configuration: line, column, the source line and a caret under it. */
void bz_cli_config_errors(FILE *f, const char *file, enum bz_status st, struct bz_view text,
                          const struct bz_config_errors *errs);

#endif
