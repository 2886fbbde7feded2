/* Between the lexer and the two halves of the parser. */
#ifndef BZ_ARTIFACT_JINJA_INT_H
#define BZ_ARTIFACT_JINJA_INT_H

#include <bartizan/limits.h>
#include "jinja.h"

enum jinja_token_kind {
    JT_END,
    JT_DATA,
    JT_BLOCK_BEGIN,
    JT_BLOCK_END,
    JT_VAR_BEGIN,
    JT_VAR_END,
    JT_NAME,
    JT_STRING, /* text: between the quotes, as written */
    JT_INT,
    JT_FLOAT,
    JT_OP,
    JT_ERROR
};

struct jinja_token {
    uint8_t kind, op;
    uint32_t off;
    struct bz_view text;
    const char *why; /* of an error */
};

enum { JINJA_BRACKETS_MAX = 512 };
struct jinja_lex { /* may be copied: a copy reads ahead */
    struct bz_view in;
    size_t at;
    uint8_t mode;     /* JT_DATA, JT_BLOCK_BEGIN or JT_VAR_BEGIN: what we are in */
    bool strip, trim; /* what the last tag does to the text behind it */
    bool raw;         /* inside {% raw %} */
    uint16_t depth;   /* open brackets */
    uint8_t open[JINJA_BRACKETS_MAX];
};
void jinja_lex_init(struct jinja_lex *l, struct bz_view in);
void jinja_lex_next(struct jinja_lex *l, struct jinja_token *ret);

struct jinja_parser {
    struct jinja_lex lex;
    struct jinja_token cur, ahead;
    struct bz_arena *ar;
    struct bz_diag *diag;
    enum bz_status st; /* latched */
    uint32_t nodes, depth;
    bool have_ahead;
};

/* ---- tokens; nothing moves after an error ---------------------------------------------------- */
void jinja_advance(struct jinja_parser *p);
const struct jinja_token *jinja_look(struct jinja_parser *p); /* the one behind the current one */
bool jinja_at_op(const struct jinja_parser *p, enum jinja_op op);
bool jinja_at_name(const struct jinja_parser *p, const char *name);
bool jinja_skip_op(struct jinja_parser *p, enum jinja_op op);
bool jinja_skip_name(struct jinja_parser *p, const char *name);
void jinja_want_op(struct jinja_parser *p, enum jinja_op op, const char *why);
struct bz_view jinja_want_name(struct jinja_parser *p, const char *why);
/* Latches; returns NULL. */
struct jinja_node *jinja_fail(struct jinja_parser *p, enum bz_status st, const char *why);
struct jinja_node *jinja_new(struct jinja_parser *p, enum jinja_kind kind, uint32_t off);
/* The node with its depth, from its children. NULL when something failed. */
struct jinja_node *jinja_done(struct jinja_parser *p, struct jinja_node *n);
bool jinja_enter(struct jinja_parser *p); /* one level down; false: too deep */
void jinja_leave(struct jinja_parser *p);

/* ---- expressions ----------------------------------------------------------------------------- */
struct jinja_node *jinja_expr(struct jinja_parser *p, bool with_cond);
/* a, b, c: a tuple without parentheses, or the one expression. `stop`: a word that ends it. */
struct jinja_node *jinja_tuple(struct jinja_parser *p, bool with_cond, const char *stop);
struct jinja_node *jinja_target(struct jinja_parser *p, bool with_ns, const char *stop);
struct jinja_node *jinja_filters(struct jinja_parser *p, struct jinja_node *in, bool start_inline);
struct jinja_node *jinja_params(struct jinja_parser *p); /* "(" ... ")" */

#endif
