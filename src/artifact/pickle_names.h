/* What a name in a pickle stands for: pure, no state. A pickle names things by module and name; a
 * loader imports the module, walks the dots of the name and may call what it finds. */
#ifndef BZ_ARTIFACT_PICKLE_NAMES_H
#define BZ_ARTIFACT_PICKLE_NAMES_H

#include <bartizan/view.h>

enum bz_pk_status {                 /* how it may be used; rises */
                    BZ_PK_ALLOWED,  /* in the roles of the verdict, no other */
                    BZ_PK_UNKNOWN,  /* a module that nobody knows here */
                    BZ_PK_STANDARD, /* of Python itself, and no known type of values */
                    BZ_PK_PRIVATE,  /* a component begins with an underscore */
                    BZ_PK_PATH,     /* the dots lead through a module or to a method */
                    BZ_PK_DENIED,   /* does harm: see `harm` */
                    BZ_PK_STATUS_COUNT
};

enum bz_pk_harm {
    BZ_PK_RUNS,    /* code or commands */
    BZ_PK_NATIVE,  /* native code or memory */
    BZ_PK_FILES,   /* reads or writes files */
    BZ_PK_NETWORK, /* talks to others */
    BZ_PK_LOADS,   /* loads another artifact that may run code */
    BZ_PK_REACHES, /* gets at anything by its name, or changes what is loaded */
    BZ_PK_HARM_COUNT
};

enum {                    /* roles */
       BZ_PK_REF = 1,     /* named, and kept as a value */
       BZ_PK_NEW = 2,     /* a class whose instance is made without its constructor */
       BZ_PK_CALL = 4,    /* called with what `shape` says */
       BZ_PK_ARG = 8,     /* a class handed to a function that rebuilds instances */
       BZ_PK_FACTORY = 16 /* a harmless callable to be kept by another one: partial, defaultdict */
};

enum bz_pk_shape { /* what it may be called with */
                   BZ_PK_ANY,
                   BZ_PK_SCALARS,  /* plain values only */
                   BZ_PK_CODEC,    /* (text, the name of a text encoding) */
                   BZ_PK_KEEPS,    /* (None or a callable that may be kept, ...) */
                   BZ_PK_REBUILDS, /* (a class that may be rebuilt, ...) */
                   BZ_PK_CALLS,    /* (a callable that may be called, a class, arguments, state) */
                   BZ_PK_BYTES,    /* (bytes that are an artifact: looked at by themselves) */
                   BZ_PK_GETATTR,  /* (a class, the name of a member) */
                   BZ_PK_GETITEM,  /* (a generic type, ...) */
                   BZ_PK_TYPE,     /* (one plain value) */
                   BZ_PK_ATTRS,    /* (names of attributes ...) */
                   BZ_PK_UFUNC,    /* (module of numpy or scipy, plain name) */
                   BZ_PK_SHAPE_COUNT
};

struct bz_pk_verdict {
    uint8_t status, harm, roles, shape;
    bool exact;  /* denied by this very name, not with its whole module */
    bool weak;   /* denied for its last component alone */
    bool padded; /* odd, and only for blanks around the name */
    bool odd;    /* bytes that no identifier has; judged as if they were not there */
    bool known;  /* a library that we know */
    bool camel;  /* the last component is written as classes are */
    bool dunder; /* a component is __like_this__ */
};

/* Any bytes; `name` may have dots. Cost O(length), a few microseconds. */
struct bz_pk_verdict bz_pk_judge(struct bz_view module, struct bz_view name);
/* A plain attribute: an identifier without dots or leading underscore that names no known harm. */
bool bz_pk_attr_plain(struct bz_view name);
/* Whether a word stands in a text of words between single blanks. */
bool bz_pk_word(const char *words, struct bz_view word);

/* The tables, pickle_tables.c. */
struct bz_pk_row {
    const char *modules; /* words */
    const char *names;   /* words; "*": every one; "*Camel": every class-like one */
    uint8_t roles, shape;
};
struct bz_pk_harmful {
    const char *modules; /* words: these modules and all below them */
    const char *names;   /* words; NULL: all */
    uint8_t harm;
};
extern const struct bz_pk_row bz_pk_rows[];
extern const size_t bz_pk_rows_n;
extern const struct bz_pk_harmful bz_pk_harms[];
extern const size_t bz_pk_harms_n;
extern const char bz_pk_standard[]; /* top-level modules of Python */
extern const char bz_pk_known[];    /* libraries whose classes are rebuilt by model files */
extern const char bz_pk_unsafe[];   /* last components that are harmful in whatever module */
extern const char bz_pk_scalar[];   /* modules whose classes are enumerations of one value */
extern const char bz_pk_ctor[];     /* libraries whose classes may be called */
extern const char bz_pk_cython[];   /* libraries with __pyx_unpickle_ functions */
extern const char bz_pk_aside[];    /* parts of known libraries that are no values */

#endif
