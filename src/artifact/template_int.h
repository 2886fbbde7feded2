/* Inside of a template's run. See template.h. */
#ifndef BZ_ARTIFACT_TEMPLATE_INT_H
#define BZ_ARTIFACT_TEMPLATE_INT_H

#include <bartizan/limits.h>
#include "jinja.h"
#include "template.h"

enum tpl_rule {
    TPL_R_BLOB,
    TPL_R_COMPUTED,
    TPL_R_COSTLY,
    TPL_R_DOS,
    TPL_R_DUNDER,
    TPL_R_ESCAPED,
    TPL_R_GATED,
    TPL_R_GLOBALS,
    TPL_R_HOMOGLYPH,
    TPL_R_INCLUDE,
    TPL_R_INSTRUCTION,
    TPL_R_INVISIBLE,
    TPL_R_KNOWN,
    TPL_R_LARGE,
    TPL_R_PRIVATE,
    TPL_R_PYTHON,
    TPL_R_REWRITE,
    TPL_R_SPELLED,
    TPL_R_SYNTAX,
    TPL_R_TAGS,
    TPL_R_URL,
    TPL_R_COUNT
};
extern const struct bz_rule bz_template_rules[TPL_R_COUNT + 1];

/* ---- values ---------------------------------------------------------------------------------- */

enum tpl_kind {
    TV_UNKNOWN,
    TV_NONE,
    TV_BOOL,  /* num */
    TV_INT,   /* num */
    TV_STR,   /* text; with TF_PARTIAL each unknown part stands as one TPL_HOLE */
    TV_LIST,  /* obj */
    TV_DICT,  /* obj */
    TV_NS,    /* obj: namespace() */
    TV_FUNC,  /* text: a function of the engine */
    TV_MACRO, /* node, env */
    TV_LOOP,  /* node: the loop */
};

enum {                  /* flags */
       TF_COMPUTED = 1, /* made of constants in a way that is not followed */
       TF_PARTIAL = 2,
       TF_NUMBER = 4,   /* unknown, but a number; num: the largest constant in it */
       TF_CONTENT = 8,  /* what people or tools say */
       TF_MESSAGE = 16, /* a part of the conversation that has content in it */
       TF_TIME = 32,    /* the date */
       TF_WORD = 64,    /* was compared with words */
       TF_MARK = 128,   /* was compared with other constants */
       TF_GATED = 256,  /* set where a comparison of content with words held */
       TF_TAINT = TF_CONTENT | TF_TIME | TF_WORD | TF_MARK | TF_GATED,
};
enum {
    TPL_HOLE = 0x1a,
    TPL_ALTS_MAX = 12,
    TPL_UNROLL_MAX = 128,
    TPL_MACROS_MAX = 24,
    TPL_SAME_LIST_MAX = 3
};

struct tpl_obj;
struct tpl_bind;
struct tpl_val { /* never changed once made, but for obj's contents */
    uint8_t kind;
    uint16_t flags;
    int64_t num;
    struct bz_view text;
    struct tpl_obj *obj;
    struct jinja_node *node;
    const struct tpl_bind *env;
    const struct tpl_val *alt; /* what it may be instead */
};

struct tpl_item {
    struct bz_view key; /* of dicts and namespaces */
    const struct tpl_val *val;
};
struct tpl_obj {
    struct tpl_item *items;
    uint32_t n, cap;
    bool open; /* may hold more than is listed */
};

struct tpl_bind { /* variables: the newest first, shared tails */
    struct bz_view name;
    const struct tpl_val *val;
    const struct tpl_bind *next;
};

struct tpl_text { /* collected text */
    uint8_t *p;
    size_t n, cap;
    uint16_t flags; /* of what was put in */
    bool cut;
};

struct tpl_gate { /* we are where a test of content held, or did not */
    uint16_t flags;
    uint32_t off;
    struct tpl_text text; /* constants that come out here */
    struct tpl_gate *up;
};

struct tpl_call { /* macros that are being run */
    const struct jinja_node *macro;
    uint32_t cond;
    struct tpl_call *up;
};

struct tpl {
    struct bz_scan *s;
    const struct bz_object *o;
    struct bz_arena *ar;
    enum bz_status st; /* latched: ENOMEM */
    bool spent;        /* of its steps */
    bool known;        /* a known good template: rules about behaviour are silent */
    uint64_t steps;
    const struct tpl_bind *env;
    const struct tpl_val *pipe; /* what a filter block filters */
    struct tpl_text *out;
    struct tpl_text root, apart; /* all that comes out: as it is, and each piece for itself */
    struct tpl_gate *gate;
    struct tpl_call *call;
    const struct tpl_bind *top;     /* variables outside of all macros: they see later ones too */
    const struct tpl_val *caller;   /* for the macro that a call block is about to call */
    struct jinja_node *macros[256]; /* defined; those that nobody calls are run at the end */
    size_t macros_n;
    const struct jinja_node *body;
    uint32_t cond;    /* tests and loops around us whose outcome is not known */
    uint32_t loops;   /* loops around us */
    uint32_t dead;    /* parts that are looked at but do not run */
    uint64_t product; /* of the known counts of the loops around us */
    struct {
        uint32_t off;
        uint8_t rule;
    } said[64];
    size_t said_n;
};

/* ---- template_val.c -------------------------------------------------------------------------- */

bool tpl_step(struct tpl *t); /* false: stop */
/* Records once per place. */
void tpl_found(struct tpl *t, enum tpl_rule rule, uint32_t off, struct bz_view evidence);
/* Never NULL: a static unknown where memory is short. */
const struct tpl_val *tpl_unknown(struct tpl *t, uint16_t flags);
const struct tpl_val *tpl_number(struct tpl *t, uint16_t flags, int64_t most);
const struct tpl_val *tpl_none(void);
const struct tpl_val *tpl_bool(struct tpl *t, bool b, uint16_t flags);
const struct tpl_val *tpl_int(struct tpl *t, int64_t n, uint16_t flags);
const struct tpl_val *tpl_str(struct tpl *t, struct bz_view text, uint16_t flags);
const struct tpl_val *tpl_func(struct tpl *t, struct bz_view name);
struct tpl_val *tpl_new(struct tpl *t, enum tpl_kind kind); /* with an empty obj where it has one */
void tpl_put(struct tpl *t, struct tpl_obj *o, struct bz_view key, const struct tpl_val *v);
const struct tpl_val *tpl_get(const struct tpl_obj *o, struct bz_view key); /* NULL: not there */
/* Sets a key: replaces, or where it is not sure that this runs adds a possibility. */
void tpl_assign(struct tpl *t, struct tpl_obj *o, struct bz_view key, const struct tpl_val *v);
const struct tpl_val *tpl_join(struct tpl *t, const struct tpl_val *a, const struct tpl_val *b);
const struct tpl_val *tpl_with(struct tpl *t, const struct tpl_val *v, uint16_t flags);
/* The same without its other possibilities. */
const struct tpl_val *tpl_alone(struct tpl *t, const struct tpl_val *v);
bool tpl_is_exact(const struct tpl_val *v); /* one constant string */
bool tpl_is_text(const struct tpl_val *v);  /* a string, perhaps with holes */
/* -1: not known. */
int tpl_truth(const struct tpl_val *v);
void tpl_bind(struct tpl *t, struct bz_view name, const struct tpl_val *v);
const struct tpl_val *tpl_lookup(struct tpl *t, struct bz_view name); /* NULL: not set */

void tpl_text_put(struct tpl *t, struct tpl_text *x, struct bz_view v);
/* Every string in a value, a hole for what is unknown. */
void tpl_text_val(struct tpl *t, struct tpl_text *x, const struct tpl_val *v);

/* ---- template_expr.c ------------------------------------------------------------------------- */

const struct tpl_val *tpl_eval(struct tpl *t, struct jinja_node *n);
/* The name of an attribute that is reached; `filter`: by |attr, where names are never data. */
void tpl_reach(struct tpl *t, uint32_t off, const struct tpl_val *name, bool filter);
void tpl_reach_name(struct tpl *t, uint32_t off, struct bz_view name); /* written: a.name */
void tpl_reach_key(struct tpl *t, uint32_t off,
                   struct bz_view name); /* a['name'], perhaps an item */
const struct tpl_val *tpl_item(struct tpl *t, uint32_t off, const struct tpl_val *of,
                               const struct tpl_val *key);
const struct tpl_val *tpl_attr(struct tpl *t, const struct tpl_val *of, struct bz_view name);
/* What iterating gives, if not known item by item. */
const struct tpl_val *tpl_element(struct tpl *t, const struct tpl_val *of);
/* Flags of a comparison of a with constant b. */
uint16_t tpl_compared(const struct tpl_val *a, const struct tpl_val *b);

/* ---- template_call.c ------------------------------------------------------------------------- */

enum { TPL_ARGS_MAX = 16 };
struct tpl_args {
    const struct tpl_val *pos[TPL_ARGS_MAX];
    size_t n;
    struct bz_view names[TPL_ARGS_MAX];
    const struct tpl_val *named[TPL_ARGS_MAX];
    size_t named_n;
    uint16_t flags; /* of all together */
    bool open;      /* *args, **kwargs or too many */
};
void tpl_args(struct tpl *t, const struct jinja_node *list, struct tpl_args *ret);
const struct tpl_val *tpl_arg(const struct tpl_args *a, size_t i, const char *name); /* or NULL */
const struct tpl_val *tpl_call(struct tpl *t, struct jinja_node *n);
const struct tpl_val *tpl_filter(struct tpl *t, struct jinja_node *n, const struct tpl_val *in);

/* ---- template_str.c: NULL where the result is not known -------------------------------------- */

const struct tpl_val *tpl_concat(struct tpl *t, const struct tpl_val *a, const struct tpl_val *b);
const struct tpl_val *tpl_repeat(struct tpl *t, uint32_t off, const struct tpl_val *text,
                                 int64_t n);
const struct tpl_val *tpl_slice(struct tpl *t, const struct tpl_val *of, const struct tpl_val *from,
                                const struct tpl_val *to, const struct tpl_val *step);
const struct tpl_val *tpl_percent(struct tpl *t, uint32_t off, const struct tpl_val *format,
                                  const struct tpl_args *args);
const struct tpl_val *tpl_format(struct tpl *t, uint32_t off, const struct tpl_val *format,
                                 const struct tpl_args *args);
const struct tpl_val *tpl_list_join(struct tpl *t, const struct tpl_val *list,
                                    const struct tpl_val *sep);
const struct tpl_val *tpl_chars(struct tpl *t, const struct tpl_val *v); /* a list of characters */
/* upper, lower, strip, replace, reverse, split ... by name. */
const struct tpl_val *tpl_string_op(struct tpl *t, struct bz_view op, const struct tpl_val *in,
                                    const struct tpl_args *args);

/* ---- template_run.c -------------------------------------------------------------------------- */

void tpl_run(struct tpl *t, struct jinja_node *list);
void tpl_gate_begin(struct tpl *t, struct tpl_gate *g, const struct tpl_val *test, uint32_t off);
void tpl_gate_end(struct tpl *t, struct tpl_gate *g); /* says what came out under it */
const struct tpl_val *tpl_macro(struct tpl *t, uint32_t off, const struct tpl_val *macro,
                                const struct tpl_args *args, const struct jinja_node *list);
void tpl_uncalled(struct tpl *t); /* macros that nobody calls */

/* ---- template_text.c ------------------------------------------------------------------------- */

enum tpl_says { /* rises */
                TS_NOTHING,
                TS_WORDS, /* a sentence */
                TS_LINK,  /* an address or a command */
                TS_ORDER, /* an instruction against the user or the model's other instructions */
};
enum tpl_says tpl_says(struct tpl *t, struct bz_view text, struct bz_view *ret_where);
bool tpl_is_words(struct bz_view text); /* a constant that a person would write in a message */
/* Invisible characters, mixed alphabets, blobs, by the raw text of a template. */
void tpl_look(struct tpl *t, struct bz_view text);
/* The same for a string whose escapes hid it. */
void tpl_look_string(struct tpl *t, uint32_t off, struct bz_view text);
/* "__class__" in it. */
bool tpl_has_dunder(struct bz_view v);

#endif
