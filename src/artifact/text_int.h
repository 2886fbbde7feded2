/* What readers of text formats share. */
#ifndef BZ_ARTIFACT_TEXT_INT_H
#define BZ_ARTIFACT_TEXT_INT_H

#include <bartizan/view.h>

/* A command line for a shell, as attackers leave them in configurations. */
bool bz_text_command(struct bz_view v);

#endif
