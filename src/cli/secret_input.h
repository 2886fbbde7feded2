/* Where the command line gets a passphrase or a credential from. */
#ifndef BZ_SECRET_INPUT_H
#define BZ_SECRET_INPUT_H

#include "master.h"

struct bz_secret_input {
    const char *file; /* --passphrase-file, --credential-file; NULL: none was named */
    bool fresh; /* for a new one: a passphrase is asked twice, a missing credential file is made */
};
/* What opens (or will open) the master key of this source; nothing for file and tpm. The reason of a failure was
 * printed. */
bool bz_secret_input(enum bz_master_source s, const struct bz_secret_input *in, struct bz_buf *out);
/* The master key of an instance, in `ret` (initialised to nothing). */
bool bz_master_input(const struct bz_instance *in, const struct bz_secret_input *from,
                     struct bz_secret *ret);
/* Says what bz_master_read or bz_master_write answered. */
void bz_master_say(enum bz_status st, const struct bz_buf *why);

#endif
