/* Chat templates inside of configurations: handed to the reader of templates. */
#include "json_int.h"
#include "template.h"

enum bz_status bz_json_template(struct bz_scan *s, const struct bz_object *o, struct bz_view name,
                                struct bz_view text) {
    return bz_template_check(s, o, name, text);
}
