/* Inside of the room.
 *
 *   keywords.c     the table: what a keyword is about, the form of its value, how it is held against a value
 *   check.c        is a text a schema that can be decided?
 *   fit.c          a value against it: types, numbers, texts, combinations, references
 *   fit_members.c  objects and lists
 *   pattern.c      regular expressions without a way to be slow
 *   format.c       hosts, addresses and paths, for the configuration's schemas
 */
#ifndef BZ_SCHEMA_INT_H
#define BZ_SCHEMA_INT_H

#include <bartizan/host.h>
#include <bartizan/number.h>
#include <bartizan/schema.h>

/* ---- keywords.c ---- */

enum type_bit {
    T_OBJECT = 1,
    T_ARRAY = 2,
    T_STRING = 4,
    T_NUMBER = 8,
    T_INTEGER = 16,
    T_BOOLEAN = 32,
    T_NULL = 64,
    T_ANY = 127
};
#define T_NUMBERS (T_NUMBER | T_INTEGER)

enum form {         /* of a keyword's value */
            F_NOTE, /* anything: it is for people */
            F_SIZE, /* a whole number from 0 */
            F_NUMBER,
            F_ABOVE_0, /* a number above 0 */
            F_FLAG,    /* true or false */
            F_TEXTS,   /* strings */
            F_TYPE,    /* name of a type, or a list of them */
            F_VALUES,  /* a list of values, not empty */
            F_PATTERN,
            F_FORMAT,
            F_REF,
            F_ID,
            F_SCHEMA,   /* a schema; true or false where the standard knows them */
            F_SCHEMAS,  /* a list of schemas, not empty */
            F_ITEMS,    /* a schema, or a list of them (draft-07) */
            F_MEMBERS,  /* a schema for each name */
            F_PATTERNS, /* a schema for each pattern of names */
            F_NAMES,    /* a list of names for each name */
};

struct fit;
/* s: the schema, k: the keyword's value in it, v: the value. Misfits are left in f. ENOMEM is the only failure. */
typedef enum bz_status fit_fn(struct fit *f, const struct bz_json *s, const struct bz_json *k,
                              const struct bz_json *v);
struct keyword {
    const char *name;
    uint8_t types; /* T_*: values that it is about */
    uint8_t kinds; /* bit per bz_schema_kind */
    uint8_t form;  /* enum form */
    fit_fn *fit;   /* NULL: it narrows nothing */
};
/* NULL: not known in this kind of schema. */
const struct keyword *keyword_of(struct bz_view name, enum bz_schema_kind kind);
/* Is the value of the JSON type that the form begins with? */
bool form_type_ok(enum form form, const struct bz_json *v);
unsigned type_bit(struct bz_view name); /* 0: no type */
/* Of `type`: a name or a list of them. 0: one of them is none. */
unsigned types_of(const struct bz_json *type);

/* ---- fit.c, fit_members.c ---- */

struct fit {
    enum bz_schema_kind kind;
    const struct bz_json *root;
    struct bz_arena *ar;
    struct pattern *pattern; /* taken once */
    struct states *states;   /* two */
    uint32_t steps, depth;
    const char *why;
    bool undecided; /* why is no property of the value: `not` and its kin do not turn it round */
    char *path;     /* 96 bytes */
    size_t path_n;
};
enum bz_status misfit(struct fit *f, const char *why);
enum bz_status undecided(struct fit *f, const char *why);
void charge(struct fit *f, size_t steps);
enum bz_status fit_value(struct fit *f, const struct bz_json *s, const struct bz_json *v);
/* One member (its name in the schema) or entry (no name) further down. */
enum bz_status fit_below(struct fit *f, const struct bz_json *s, const struct bz_json *v,
                         struct bz_view key);
/* Does it fit? Leaves no misfit behind but one that is undecided. */
enum bz_status fit_try(struct fit *f, const struct bz_json *s, const struct bz_json *v, bool *ret);
enum bz_status fit_text_pattern(struct fit *f, struct bz_view pattern, struct bz_view text,
                                bool *ret);
bool same_value(struct fit *f, const struct bz_json *a, const struct bz_json *b);
/* "#", "#/$defs/a": a part of the schema itself. NULL: none, or another form. */
const struct bz_json *ref_find(const struct bz_json *root, struct bz_view ref);

fit_fn fit_type, fit_enum, fit_const, fit_bounds, fit_multiple, fit_length, fit_pattern, fit_format,
    fit_all, fit_any, fit_one, fit_not, fit_if, fit_ref, fit_id;
fit_fn fit_properties, fit_required, fit_additional, fit_patterns, fit_names, fit_member_count,
    fit_dependent_names, fit_dependent, fit_items, fit_prefix, fit_entry_count, fit_unique,
    fit_contains;

/* ---- pattern.c ---- */

/* OK; ESYNTAX, ETOOBIG (*ret_why: static sentence); ENOMEM. published: as JSON Schema has it, somewhere in the
 * text and with look-ahead behind ^; otherwise about the whole text, written ^...$. */
struct pattern;
struct states;
enum bz_status pattern_new(struct bz_arena *ar, struct pattern **ret,
                           struct states **ret_states) BZ_MUST_USE;
enum bz_status pattern_compile(struct pattern *p, struct bz_view text, bool published,
                               const char **ret_why) BZ_MUST_USE;
/* O(text.n * BZ_SCHEMA_PATTERN_STEPS). */
bool pattern_match(const struct pattern *p, struct states *scratch, struct bz_view text);

/* ---- format.c ---- */

enum format { FORMAT_HOST, FORMAT_URL, FORMAT_EMAIL, FORMAT_PATH, FORMAT_DATE, FORMAT_COUNT };
bool format_from_name(struct bz_view name, enum format *ret);
/* Does the text have the form, and is its host (or root) one of `listed` (strings; NULL: any)? NULL: yes;
 * otherwise what is wrong, static. */
const char *format_check(enum format f, struct bz_view text, const struct bz_json *listed);

#endif
