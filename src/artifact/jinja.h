/* Jinja2's template language as a tree: lexer and parser, nothing is evaluated here.
 *
 *   jinja_lex.c   text -> tokens (data, tags, names, strings, numbers, operators)
 *   jinja_stmt.c  tags -> statements
 *   jinja_expr.c  tokens -> expressions
 *
 * What Hugging Face's and llama.cpp's renderers accept is read: standard delimiters, no line
 * statements, trim_blocks and lstrip_blocks on, loop controls, `generation` blocks, `do`.
 * Sources: jinja2 3.1 lexer.py and parser.py (behaviour), the template designer documentation. */
#ifndef BZ_ARTIFACT_JINJA_H
#define BZ_ARTIFACT_JINJA_H

#include <bartizan/arena.h>

enum jinja_kind {
    /* statements */
    JN_DATA,      /* text */
    JN_PRINT,     /* a: expression */
    JN_FOR,       /* a: target, b: iterable, c: filter, list: body, other: else; op: recursive */
    JN_IF,        /* list: JN_BRANCH ... */
    JN_BRANCH,    /* a: test (NULL: else), list: body */
    JN_SET,       /* a: target, b: value; or list: body, b: filter chain over it (may be NULL) */
    JN_WITH,      /* other: JN_SET ..., list: body */
    JN_BLOCK,     /* text: name, list: body */
    JN_MACRO,     /* text: name, other: JN_PARAM ..., list: body */
    JN_CALLBLOCK, /* a: call, other: JN_PARAM ..., list: body */
    JN_FILTER,    /* a: filter chain whose innermost input is NULL, list: body */
    JN_INCLUDE,   /* a: expression */
    JN_IMPORT,
    JN_FROM,
    JN_EXTENDS,
    JN_SCOPE, /* list: body (autoescape, generation) */
    JN_BREAK,
    JN_CONTINUE,
    JN_DO,    /* a */
    JN_DEBUG, /* shows every variable */
    JN_PARAM, /* text: name, a: default (may be NULL) */
    /* expressions */
    JE_NAME,  /* text */
    JE_NSREF, /* text: name, val: attribute; target of set */
    JE_STR,   /* text: decoded; op: JINJA_ESCAPED_... */
    JE_INT,   /* num */
    JE_FLOAT, /* text */
    JE_BOOL,  /* num */
    JE_NONE,
    JE_TUPLE,  /* list */
    JE_LIST,   /* list */
    JE_DICT,   /* list: JE_PAIR ... */
    JE_PAIR,   /* a: key, b: value */
    JE_NOT,    /* a */
    JE_NEG,    /* a */
    JE_POS,    /* a */
    JE_BIN,    /* op: enum jinja_op; a, b */
    JE_AND,    /* a, b */
    JE_OR,     /* a, b */
    JE_CONCAT, /* list */
    JE_CMP,    /* a, list: JE_CMPOP ... */
    JE_CMPOP,  /* op, a */
    JE_COND,   /* a: then, b: test, c: else (may be NULL) */
    JE_ATTR,   /* a, text */
    JE_ITEM,   /* a, b: key */
    JE_SLICE,  /* a, b, c: from, to, step (each may be NULL) */
    JE_CALL,   /* a, list: JE_ARG ... */
    JE_ARG,    /* text: keyword or "", a: value; op: 1 `*`, 2 `**` */
    JE_FILTER, /* text: name, a: input (NULL in filter blocks), list: JE_ARG ... */
    JE_TEST,   /* text: name, a, list: JE_ARG ...; op: negated */
    JN_KIND_COUNT
};

enum jinja_op {
    JO_NONE,
    JO_ADD,
    JO_SUB,
    JO_MUL,
    JO_DIV,
    JO_FLOORDIV,
    JO_MOD,
    JO_POW,
    JO_TILDE,
    JO_EQ,
    JO_NE,
    JO_LT,
    JO_LE,
    JO_GT,
    JO_GE,
    JO_IN,
    JO_NOTIN,
    JO_ASSIGN,
    JO_DOT,
    JO_COMMA,
    JO_COLON,
    JO_SEMI,
    JO_PIPE,
    JO_LPAREN,
    JO_RPAREN,
    JO_LBRACKET,
    JO_RBRACKET,
    JO_LBRACE,
    JO_RBRACE,
    JO_COUNT
};

enum {
    JINJA_ESCAPED_LETTER = 1, /* an escape stood for an ASCII letter, a digit or '_' */
    JINJA_ESCAPED_OTHER = 2,  /* for a character beyond ASCII */
};

struct jinja_node {
    uint8_t kind, op; /* enum jinja_kind, enum jinja_op or as said above */
    uint16_t depth;   /* 1 + that of the deepest child */
    uint32_t off;     /* in the text */
    struct bz_view text, val;
    int64_t num;
    struct jinja_node *a, *b, *c;
    struct jinja_node *list, *other;
    struct jinja_node *next; /* in a list */
};

struct jinja_tree {
    struct jinja_node *body; /* statements; up to the error if there was one */
    uint32_t nodes;
};

/* Views point into `text` or the arena; both must outlive the tree.
 * OK; ESYNTAX, EDEPTH (BZ_TEMPLATE_DEPTH_MAX), ETOOBIG (BZ_TEMPLATE_NODES_MAX, 4 GiB): diag says
 * where and why, *ret holds what was read before; ENOMEM. Cost O(n); recursion is
 * bounded by the depth. */
enum bz_status jinja_parse(struct bz_arena *ar, struct bz_view text, struct jinja_tree *ret,
                           struct bz_diag *diag) BZ_MUST_USE;

#endif
