/* Members of a request that carry no text by their kind: the parameter tables know them already. */
#include "params.h"

/* After params.h, whose macros of the same names are not used here. */
#undef TEXT
#undef JSON
#undef OBJ
#include "fields_rows.h"

const struct field_row *bz_fields_setting(enum bz_api api, struct bz_view name) {
    static const struct field_row setting = {.f.kind = BZ_FIELD_DATA, .f.speaker = BZ_SPEAKER_META};
    static const struct field_row refused = {.f.kind = BZ_FIELD_JSON, .f.speaker = BZ_SPEAKER_META};
    struct param_set set = bz_param_table(api);
    for (size_t i = 0; i < set.n; i++) {
        const struct param *p = &set.rows[i];
        if (p->name_n != name.n || memcmp(p->name, name.p, name.n) != 0)
            continue;
        switch ((enum param_kind)p->kind) {
        case K_FALSE:
        case K_TRUE:
        case K_BOOL:
        case K_INT:
        case K_NUM:
        case K_ENUM:
        case K_ENUMS:
        case K_INTS:
            return &setting;
        case K_NO: /* only empty values pass; should one not be empty, it is seen */
            return &refused;
        case K_STR:
        case K_TEXT:
        case K_OBJ:
        case K_LIST:
        case K_STRS:
        case K_JSON:
        case K_ONE:
        case K_MANY:
        case K_PARTS:
        case K_FN:
        case K_COUNT:
            return NULL; /* needs a row of its own */
        }
    }
    return NULL;
}
