/* Judges a name by the tables of pickle_tables.c. */
#include "pickle_names.h"

enum { NAME_MAX = 512 };

bool bz_pk_word(const char *words, struct bz_view word) {
    if (word.n == 0 || memchr(word.p, ' ', word.n) != NULL)
        return false;
    const char *p = words, *end = words + strlen(words);
    while ((p = memmem(p, (size_t)(end - p), word.p, word.n)) != NULL) {
        const char *after = p + word.n;
        if ((p == words || p[-1] == ' ') && (after == end || *after == ' '))
            return true;
        p++;
    }
    return false;
}

/* The module or one that it lies in: "a.b.c" is asked as "a", "a.b" and "a.b.c". */
static bool below(const char *words, struct bz_view module) {
    for (size_t i = 0; i <= module.n; i++) {
        if ((i == module.n || module.p[i] == '.') && bz_pk_word(words, bz_view_sub(module, 0, i)))
            return true;
    }
    return false;
}

static struct bz_view last_part(struct bz_view name) {
    size_t i = name.n;
    while (i > 0 && name.p[i - 1] != '.')
        i--;
    return bz_view_sub(name, i, name.n);
}

static struct bz_view first_part(struct bz_view name) {
    const uint8_t *dot = name.n == 0 ? NULL : memchr(name.p, '.', name.n);
    return dot == NULL ? name : bz_view_sub(name, 0, (size_t)(dot - name.p));
}

/* Class-like: "LogisticRegression", "_ConstantPredictor", "MLP"; no dots. */
static bool is_camel(struct bz_view v) {
    size_t i = v.n > 0 && v.p[0] == '_' ? 1 : 0;
    return i < v.n && v.p[i] >= 'A' && v.p[i] <= 'Z';
}

static bool is_dunder(struct bz_view v) {
    return v.n >= 2 && v.p[0] == '_' && v.p[1] == '_';
}

/* ---- names of Python 2, as pickle maps them ------------------------------------------------- */

static const struct {
    const char *old, *now;
} modules2[] = {
    {"__builtin__", "builtins"},
    {"exceptions", "builtins"},
    {"copy_reg", "copyreg"},
    {"cPickle", "pickle"},
    {"UserDict", "collections"},
    {"UserList", "collections"},
    {"UserString", "collections"},
    {"StringIO", "io"},
    {"cStringIO", "io"},
    {"commands", "subprocess"},
    {"_abcoll", "collections.abc"},
    {"urlparse", "urllib.parse"},
    {"thread", "_thread"},
    {"whichdb", "dbm"},
    {"anydbm", "dbm"},
    {"dumbdbm", "dbm"},
    {"dbhash", "dbm"},
    {"gdbm", "dbm"},
    {"Tkinter", "tkinter"},
    {"Cookie", "http.cookies"},
    {"cookielib", "http.cookiejar"},
    {"Queue", "queue"},
    {"repr", "reprlib"},
    {"_winreg", "winreg"},
    {"ConfigParser", "configparser"},
};
static const struct {
    const char *old, *now;
} names2[] = {
    {"xrange", "range"},
    {"unicode", "str"},
    {"long", "int"},
    {"unichr", "chr"},
    {"basestring", "str"},
    {"StandardError", "Exception"},
    {"IterableUserDict", "UserDict"},
};

static void map_old(struct bz_view *module, struct bz_view *name) {
    bool builtin = false;
    if (bz_view_eq(*module, BZ_V("itertools")) && name->n > 1 &&
        bz_pk_word("izip imap ifilter", *name)) {
        *module = BZ_V("builtins");
        *name = bz_view_sub(*name, 1, name->n);
        return;
    }
    for (size_t i = 0; i < sizeof modules2 / sizeof modules2[0]; i++) {
        if (bz_view_eq(*module, bz_view_str(modules2[i].old))) {
            builtin = true;
            *module = bz_view_str(modules2[i].now);
            break;
        }
    }
    for (size_t i = 0; builtin && i < sizeof names2 / sizeof names2[0]; i++) {
        if (bz_view_eq(*name, bz_view_str(names2[i].old)))
            *name = bz_view_str(names2[i].now);
    }
    if (builtin && bz_pk_word("reduce intern apply", *name))
        *module = BZ_V("functools"); /* call their first argument, or reach */
}

/* ---- rules ---------------------------------------------------------------------------------- */

static bool row_names(const struct bz_pk_row *row, struct bz_view name) {
    if (row->names[0] == '*' && row->names[1] == 0)
        return memchr(name.p, '.', name.n) == NULL && !is_dunder(name);
    if (bz_pk_word(row->names, name))
        return true;
    const char *star = strstr(row->names, "*Camel");
    return star != NULL && memchr(name.p, '.', name.n) == NULL && is_camel(name) &&
           name.p[0] != '_';
}

static bool allowed(struct bz_view module, struct bz_view name, struct bz_pk_verdict *v) {
    if (name.n == 0)
        return false;
    for (size_t i = 0; i < bz_pk_rows_n; i++) {
        const struct bz_pk_row *row = &bz_pk_rows[i];
        if (bz_pk_word(row->modules, module) && row_names(row, name)) {
            v->status = BZ_PK_ALLOWED;
            v->roles = row->roles;
            v->shape = row->shape;
            return true;
        }
    }
    return false;
}

static bool harmful(struct bz_view module, struct bz_view name, struct bz_pk_verdict *v) {
    for (size_t i = 0; i < bz_pk_harms_n; i++) {
        const struct bz_pk_harmful *h = &bz_pk_harms[i];
        bool hit = below(h->modules, module);
        if (hit && h->names != NULL)
            hit = bz_pk_word(h->names, name) || bz_pk_word(h->names, first_part(name));
        if (hit) {
            v->status = BZ_PK_DENIED;
            v->harm = h->harm;
            v->exact = h->names != NULL || bz_pk_word(bz_pk_unsafe, last_part(name));
            return true;
        }
    }
    return false;
}

/* "a.b.c" as a name: harmful where a component is, by itself, a harmful module or function. */
static bool harmful_path(struct bz_view name, struct bz_pk_verdict *v) {
    for (size_t at = 0; at <= name.n;) {
        struct bz_view part = first_part(bz_view_sub(name, at, name.n));
        struct bz_view rest = bz_view_sub(name, at + part.n + 1, name.n);
        if (at > 0 || part.n < name.n) {
            struct bz_view plain =
                part.n > 1 && part.p[0] == '_' ? bz_view_sub(part, 1, part.n) : part;
            if (bz_pk_word(bz_pk_unsafe, part) || (rest.n > 0 && harmful(plain, rest, v))) {
                v->status = BZ_PK_DENIED;
                return true;
            }
        }
        at += part.n + 1;
    }
    return false;
}

/* Every component class-like: a class inside of a class. */
static bool nested_class(struct bz_view name) {
    for (size_t at = 0; at <= name.n;) {
        struct bz_view part = first_part(bz_view_sub(name, at, name.n));
        if (!is_camel(part))
            return false;
        at += part.n + 1;
    }
    return true;
}

/* A library that we know: its classes are rebuilt, its functions are named, few are called. */
static void known_library(struct bz_view module, struct bz_view name, struct bz_pk_verdict *v) {
    const bool aside = below(bz_pk_aside, module);
    v->known = true;
    v->status = BZ_PK_ALLOWED;
    v->roles = BZ_PK_REF | BZ_PK_NEW | (v->camel ? BZ_PK_ARG : 0);
    if (bz_view_starts(name, BZ_V("__pyx_unpickle_")) && below(bz_pk_cython, module)) {
        v->roles = BZ_PK_REF | BZ_PK_CALL;
        v->shape = BZ_PK_REBUILDS;
        return;
    }
    if (v->dunder) {
        v->status = BZ_PK_PRIVATE;
        return;
    }
    if (name.n > 0 && name.p[0] == '_' && !v->camel) {
        v->roles = BZ_PK_REF;
        return;
    }
    if (v->camel && !aside && below(bz_pk_ctor, module)) {
        v->roles |= BZ_PK_CALL | BZ_PK_FACTORY;
    } else if (v->camel && below(bz_pk_scalar, module)) {
        v->roles |= BZ_PK_CALL;
        v->shape = BZ_PK_SCALARS;
    } else if (aside && !v->camel) {
        v->status = BZ_PK_UNKNOWN;
    }
}

static bool has_component(struct bz_view name, bool (*is)(struct bz_view)) {
    for (size_t at = 0; at <= name.n;) {
        struct bz_view part = first_part(bz_view_sub(name, at, name.n));
        if (is(part))
            return true;
        at += part.n + 1;
    }
    return false;
}

/* Of a name that no list has: what it is by where it stands. */
static void by_place(struct bz_view module, struct bz_view name, struct bz_pk_verdict *v) {
    const struct bz_view last = last_part(name);
    if (name.n > 0 && memchr(name.p, '.', name.n) != NULL && !nested_class(name))
        v->status = BZ_PK_PATH;
    else if (below(bz_pk_known, first_part(module)))
        known_library(module, name, v);
    else if (bz_pk_word(bz_pk_standard, first_part(module)))
        v->status = BZ_PK_STANDARD;
    else if (v->dunder || (last.n > 0 && last.p[0] == '_' && !v->camel))
        v->status = BZ_PK_PRIVATE;
}

static struct bz_pk_verdict judge(struct bz_view module, struct bz_view name) {
    struct bz_pk_verdict v = {.status = BZ_PK_UNKNOWN, .harm = BZ_PK_RUNS};
    map_old(&module, &name);
    const struct bz_view last = last_part(name);
    const bool dotted = name.n > 0 && memchr(name.p, '.', name.n) != NULL;
    v.camel = is_camel(last);
    v.dunder = has_component(name, is_dunder) || bz_view_eq(last_part(module), BZ_V("__main__"));
    v.dunder = v.dunder && !bz_view_eq(module, BZ_V("__main__"));
    if (dotted && nested_class(name) && allowed(module, first_part(name), &v)) {
        v.roles &= BZ_PK_REF | BZ_PK_NEW | BZ_PK_ARG; /* a class in a class, a member of an enum */
        return v;
    }
    if (allowed(module, name, &v) || harmful(module, name, &v) ||
        (dotted && harmful_path(name, &v)))
        return v;
    if (bz_pk_word(bz_pk_unsafe, last) || bz_view_eq(last, BZ_V("__import__"))) {
        v.status = BZ_PK_DENIED;
        v.weak = true;
        return v;
    }
    if (bz_view_starts(module,
                       BZ_V("__torch__"))) { /* classes of TorchScript, read by torch alone */
        v.status = BZ_PK_ALLOWED;
        v.known = true;
        v.roles = BZ_PK_REF | BZ_PK_NEW;
        return v;
    }
    by_place(module, name, &v);
    return v;
}

/* Letters, digits, underscore, dots between, and bytes beyond ASCII. */
static bool plain(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || (c == '.' && i > 0 && i + 1 < v.n && v.p[i - 1] != '.') || c >= 0x80;
        if (!ok)
            return false;
    }
    return v.n > 0;
}

static struct bz_view trim(struct bz_view v) {
    while (v.n > 0 && v.p[v.n - 1] <= ' ')
        v.n--;
    while (v.n > 0 && v.p[0] <= ' ')
        v = bz_view_sub(v, 1, v.n);
    return v;
}

/* Without what is no part of an identifier. */
static struct bz_view clean(struct bz_view v, uint8_t mem[NAME_MAX]) {
    size_t n = 0;
    for (size_t i = 0; i < v.n && n < NAME_MAX; i++) {
        uint8_t c = v.p[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '_' || c == '.')
            mem[n++] = c;
    }
    while (n > 0 && mem[n - 1] == '.')
        n--;
    return bz_view(mem, n);
}

struct bz_pk_verdict bz_pk_judge(struct bz_view module, struct bz_view name) {
    uint8_t m[NAME_MAX], n[NAME_MAX];
    if (plain(module) && plain(name))
        return judge(module, name);
    struct bz_pk_verdict v = judge(clean(module, m), clean(name, n));
    v.odd = true;
    v.padded = plain(trim(module)) && plain(trim(name));
    if (v.status == BZ_PK_ALLOWED)
        v.status = BZ_PK_UNKNOWN;
    v.roles = 0;
    return v;
}

bool bz_pk_attr_plain(struct bz_view name) {
    return plain(name) && name.p[0] != '_' && memchr(name.p, '.', name.n) == NULL &&
           !bz_pk_word(bz_pk_unsafe, name) &&
           !bz_pk_word("load loads open run call remove rename kill connect get_data read write "
                       "gi_frame f_globals f_builtins tb_frame mro func_globals",
                       name);
}
