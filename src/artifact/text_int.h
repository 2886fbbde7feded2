/* What readers of text formats share. */
#ifndef BZ_ARTIFACT_TEXT_INT_H
#define BZ_ARTIFACT_TEXT_INT_H

#include <bartizan/arena.h>

/* A command line for a shell, as attackers leave them in configurations. */
bool bz_text_command(struct bz_view v);
/* A YAML document whose root is a mapping, to the end, or one with tags of Python: braces in it are
 * those of its values. */
bool bz_yaml_mapping(struct bz_arena *ar, struct bz_view text);

#endif
