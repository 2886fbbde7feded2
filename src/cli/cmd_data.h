/* What the files of `bartizan data` share. */
#ifndef BZ_CMD_DATA_H
#define BZ_CMD_DATA_H

#include <errno.h>
#include <fcntl.h>
#include "admin_client.h"
#include "commands.h"

void bz_data_put_who(struct bz_jw *w, const char *user, const char *conversation);
/* Sends the list of erasures in `file`. */
int bz_data_apply(const char *dir, const char *file, bool json, bz_show_fn *show);
int bz_data_export(int argc, char **argv);

#endif
