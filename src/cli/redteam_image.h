/* The policy of a configuration as workers get it, in memory, with one key that opens it. */
#ifndef BZ_CLI_REDTEAM_IMAGE_H
#define BZ_CLI_REDTEAM_IMAGE_H

#include <bartizan/gateway.h>
#include "redteam.h"

struct red_image {
    struct bz_buf bytes, pack;
    struct bz_image image;
    struct bz_detect *detect;
    struct bz_injection *injection; /* NULL: this policy judges no text */
    char key[BZ_KEY_TEXT + 1];
    char host[128]; /* a Host value that it serves */
    bool judges;
};
/* false: it was said why; *ret_exit is the exit code. In any case to be freed. */
bool red_image_make(const struct red_offline *o, struct red_image *ret, int *ret_exit);
void red_image_free(struct red_image *i);

#endif
