/* Chat templates: programs that a model brings along and every request runs through.
 *
 *   template.c       a template's check from end to end, its rules, raw files as a format
 *   template_run.c   statements   } run on unknown input: what is constant is computed, what is not
 *   template_expr.c  expressions  } is carried as "unknown" with where it comes from
 *   template_call.c  functions, filters, methods
 *   template_str.c   strings of constants: formats, joins, slices ...
 *   template_val.c   values and variables
 *   template_text.c  what text says and hides
 *   template_known.c normal form and the known good ones */
#ifndef BZ_ARTIFACT_TEMPLATE_H
#define BZ_ARTIFACT_TEMPLATE_H

#include <bartizan/crypto.h>
#include "scan_int.h"

/* Checks one template and tells facts->chat_template. Findings are placed at "PLACE!name" (name "":
 * at the object itself) with offsets in `text`, which must live for the call. Text above
 * BZ_TEMPLATE_MAX bytes is left out. OK, ENOMEM. Cost: linear in the text, plus at most
 * BZ_TEMPLATE_STEPS_MAX steps. */
enum bz_status bz_template_check(struct bz_scan *s, const struct bz_object *o, struct bz_view name,
                                 struct bz_view text) BZ_MUST_USE;

/* SHA-256 of the normal form: no byte order mark, "\n" for "\r\n" and "\r", no blanks at the
 * ends. */
void bz_template_digest(struct bz_view text, uint8_t ret[BZ_HASH_LEN]);
/* Whose template has this digest ("Qwen/Qwen3-8B"), or NULL. Static. */
const char *bz_template_known(const uint8_t digest[BZ_HASH_LEN]);

#endif
