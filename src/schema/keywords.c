/* What is known of JSON Schema. */
#include "schema_int.h"

enum { OWN = 1 << BZ_SCHEMA_OWN, PUB = 1 << BZ_SCHEMA_PUBLISHED, BOTH = OWN | PUB };

static const struct keyword keywords[] = {
    {"type", T_ANY, BOTH, F_TYPE, fit_type},
    {"enum", T_ANY, BOTH, F_VALUES, fit_enum},
    {"const", T_ANY, BOTH, F_NOTE, fit_const},
    {"properties", T_OBJECT, BOTH, F_MEMBERS, fit_properties},
    {"required", T_OBJECT, BOTH, F_TEXTS, fit_required},
    {"additionalProperties", T_OBJECT, BOTH, F_SCHEMA, fit_additional},
    {"patternProperties", T_OBJECT, PUB, F_PATTERNS, fit_patterns},
    {"propertyNames", T_OBJECT, PUB, F_SCHEMA, fit_names},
    {"minProperties", T_OBJECT, PUB, F_SIZE, fit_member_count},
    {"maxProperties", T_OBJECT, PUB, F_SIZE, fit_member_count},
    {"dependentRequired", T_OBJECT, PUB, F_NAMES, fit_dependent_names},
    {"dependentSchemas", T_OBJECT, PUB, F_MEMBERS, fit_dependent},
    {"items", T_ARRAY, BOTH, F_ITEMS, fit_items},
    {"prefixItems", T_ARRAY, PUB, F_SCHEMAS, fit_prefix},
    {"additionalItems", T_ARRAY, PUB, F_SCHEMA, fit_items},
    {"minItems", T_ARRAY, BOTH, F_SIZE, fit_entry_count},
    {"maxItems", T_ARRAY, BOTH, F_SIZE, fit_entry_count},
    {"uniqueItems", T_ARRAY, PUB, F_FLAG, fit_unique},
    {"contains", T_ARRAY, PUB, F_SCHEMA, fit_contains},
    {"minContains", T_ARRAY, PUB, F_SIZE, NULL}, /* read with contains, and nothing without */
    {"maxContains", T_ARRAY, PUB, F_SIZE, NULL},
    {"minLength", T_STRING, BOTH, F_SIZE, fit_length},
    {"maxLength", T_STRING, BOTH, F_SIZE, fit_length},
    {"pattern", T_STRING, BOTH, F_PATTERN, fit_pattern},
    {"format", T_STRING, OWN, F_FORMAT, fit_format},
    {"hosts", T_STRING, OWN, F_TEXTS, NULL}, /* read with format */
    {"roots", T_STRING, OWN, F_TEXTS, NULL},
    {"minimum", T_NUMBERS, BOTH, F_NUMBER, fit_bounds},
    {"maximum", T_NUMBERS, BOTH, F_NUMBER, fit_bounds},
    {"exclusiveMinimum", T_NUMBERS, BOTH, F_NUMBER, fit_bounds},
    {"exclusiveMaximum", T_NUMBERS, BOTH, F_NUMBER, fit_bounds},
    {"multipleOf", T_NUMBERS, PUB, F_ABOVE_0, fit_multiple},
    {"allOf", T_ANY, PUB, F_SCHEMAS, fit_all},
    {"anyOf", T_ANY, PUB, F_SCHEMAS, fit_any},
    {"oneOf", T_ANY, PUB, F_SCHEMAS, fit_one},
    {"not", T_ANY, PUB, F_SCHEMA, fit_not},
    {"if", T_ANY, PUB, F_SCHEMA, fit_if},
    {"then", T_ANY, PUB, F_SCHEMA, NULL}, /* read with if */
    {"else", T_ANY, PUB, F_SCHEMA, NULL},
    {"$ref", T_ANY, PUB, F_REF, fit_ref},
    {"$id", T_ANY, PUB, F_ID, fit_id},
    {"$defs", T_ANY, PUB, F_MEMBERS, NULL},
    {"definitions", T_ANY, PUB, F_MEMBERS, NULL},
    {"title", T_ANY, BOTH, F_NOTE, NULL},
    {"description", T_ANY, BOTH, F_NOTE, NULL},
    {"default", T_ANY, BOTH, F_NOTE, NULL},
    {"examples", T_ANY, BOTH, F_NOTE, NULL},
    {"$comment", T_ANY, BOTH, F_NOTE, NULL},
    {"$schema", T_ANY, PUB, F_NOTE, NULL},
    {"$anchor", T_ANY, PUB, F_NOTE, NULL},   /* no $ref by it is followed */
    {"format", T_STRING, PUB, F_NOTE, NULL}, /* an annotation: Validation, 7.2.1 */
    {"deprecated", T_ANY, PUB, F_NOTE, NULL},
    {"readOnly", T_ANY, PUB, F_NOTE, NULL},
    {"writeOnly", T_ANY, PUB, F_NOTE, NULL},
    {"contentEncoding", T_STRING, PUB, F_NOTE, NULL}, /* Validation, 8: "not asserted" */
    {"contentMediaType", T_STRING, PUB, F_NOTE, NULL},
    {"contentSchema", T_STRING, PUB, F_NOTE, NULL},
    {"discriminator", T_ANY, PUB, F_NOTE, NULL}, /* OpenAPI's: a hint beside oneOf */
    {"example", T_ANY, PUB, F_NOTE, NULL},
    {"nullable", T_ANY, PUB, F_NOTE, NULL},  /* OpenAPI's: would widen */
    {"enumNames", T_ANY, PUB, F_NOTE, NULL}, /* of forms and editors */
    {"enumDescriptions", T_ANY, PUB, F_NOTE, NULL},
    {"markdownDescription", T_ANY, PUB, F_NOTE, NULL},
};
static const struct keyword vendors = {"x-", T_ANY, PUB, F_NOTE, NULL};

const struct keyword *keyword_of(struct bz_view name, enum bz_schema_kind kind) {
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if ((keywords[i].kinds >> kind & 1) != 0 && bz_view_eq(name, bz_view_str(keywords[i].name)))
            return &keywords[i];
    return kind == BZ_SCHEMA_PUBLISHED && bz_view_starts(name, BZ_V("x-")) ? &vendors : NULL;
}

bool form_type_ok(enum form form, const struct bz_json *v) {
    enum {
        FLAG = 1 << BZ_JSON_TRUE | 1 << BZ_JSON_FALSE,
        NUMBER = 1 << BZ_JSON_NUMBER,
        STRING = 1 << BZ_JSON_STRING,
        LIST = 1 << BZ_JSON_ARRAY,
        MEMBERS = 1 << BZ_JSON_OBJECT
    };
    static const uint8_t types[] = {
        [F_NOTE] = 0xff,
        [F_SIZE] = NUMBER,
        [F_NUMBER] = NUMBER,
        [F_ABOVE_0] = NUMBER,
        [F_FLAG] = FLAG,
        [F_TEXTS] = LIST,
        [F_TYPE] = STRING | LIST,
        [F_VALUES] = LIST,
        [F_PATTERN] = STRING,
        [F_FORMAT] = STRING,
        [F_REF] = STRING,
        [F_ID] = STRING,
        [F_SCHEMA] = MEMBERS | FLAG,
        [F_SCHEMAS] = LIST,
        [F_ITEMS] = MEMBERS | FLAG | LIST,
        [F_MEMBERS] = MEMBERS,
        [F_PATTERNS] = MEMBERS,
        [F_NAMES] = MEMBERS,
    };
    return (types[form] >> v->type & 1) != 0;
}

unsigned type_bit(struct bz_view name) {
    static const struct {
        const char *name;
        unsigned bit;
    } names[] = {{"object", T_OBJECT}, {"array", T_ARRAY},     {"string", T_STRING},
                 {"number", T_NUMBER}, {"integer", T_INTEGER}, {"boolean", T_BOOLEAN},
                 {"null", T_NULL}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (bz_view_eq(name, bz_view_str(names[i].name)))
            return names[i].bit;
    return 0;
}

unsigned types_of(const struct bz_json *type) {
    unsigned all = 0;
    if (!bz_json_is(type, BZ_JSON_ARRAY))
        return type_bit(bz_json_str(type));
    for (const struct bz_json *e = type->first; e != NULL; e = e->next) {
        unsigned bit = type_bit(bz_json_str(e));
        if (bit == 0)
            return 0;
        all |= bit;
    }
    return all;
}
