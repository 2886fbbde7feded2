/* Python source beside a model: modeling_x.py, handler.py, setup scripts. It runs as soon as somebody
 * loads the model with trust_remote_code, or serves the archive; so it is said that it is there, and
 * what in it a model has no need of.
 *
 * A lexer without comments and strings, the names that imports bind, and the calls. */
#include <bartizan/limits.h>

#include "pages.h"

static const struct bz_rule rules[] = {
    {"PY-CODE", BZ_SEVERITY_LOW, BZ_RULE_NOTE, "Python code",
     "nothing by itself; a loader that trusts remote code runs it", "read it before you trust it",
     ""},
    {"PY-PROCESS", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "code that starts programs",
     "runs commands when it is imported or called", "read it before you trust it", "CWE-78"},
    {"PY-EVAL", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "code that runs code made at run time",
     "what it runs cannot be read here", "read it before you trust it", "CWE-95"},
    {"PY-NETWORK", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "code that opens connections",
     "fetches or sends data when it is imported or called", "read it before you trust it",
     "CWE-918"},
    {"PY-LOAD", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "code that unpickles or loads native code",
     "runs whatever is in the file that it loads", "read it before you trust it", "CWE-502"},
    {.id = NULL},
};
enum { CODE, PROCESS, EVAL, NETWORK, LOAD, RULES };
enum { NAME_BYTES = 160, IMPORTS_MAX = 128 };

struct import {
    struct bz_view as, name; /* as: the name in this file; name: what it stands for */
    struct bz_view part;     /* `from name import part` */
};

struct py {
    struct bz_scan *s;
    const struct bz_object *o;
    struct bz_view in;
    size_t at;
    struct import imports[IMPORTS_MAX];
    size_t imports_n;
    bool said[RULES];
};

/* ---- recognising ---------------------------------------------------------------------------------------- */

static bool letter(uint8_t c) {
    return c == '_' || ((c | 32) >= 'a' && (c | 32) <= 'z') || c >= 0x80;
}

static bool word_char(uint8_t c) {
    return letter(c) || (c >= '0' && c <= '9');
}

static struct bz_view word(struct bz_view *v, bool dots) {
    size_t n = 0;
    while (v->n != 0 && (v->p[0] == ' ' || v->p[0] == '\t'))
        *v = bz_view_sub(*v, 1, v->n);
    while (n < v->n && (word_char(v->p[n]) || (dots && v->p[n] == '.')))
        n++;
    struct bz_view w = bz_view_sub(*v, 0, n);
    *v = bz_view_sub(*v, n, v->n);
    return w;
}

static bool line_ends(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '#' || v.p[i] == ';')
            return true;
        if (v.p[i] != ' ' && v.p[i] != '\t' && v.p[i] != '\r')
            return false;
    }
    return true;
}

/* Words that stand so in no prose: `import a.b`, `from a import`, `def f(`, `class C(`. */
static bool statement(struct bz_view v) {
    struct bz_view w = word(&v, false);
    if (bz_view_eq(w, BZ_V("async")))
        w = word(&v, false);
    if (bz_view_eq(w, BZ_V("import"))) {
        do {
            if (word(&v, true).n == 0)
                return false;
            struct bz_view rest = v;
            if (bz_view_eq(word(&rest, false), BZ_V("as"))) {
                v = rest;
                (void)word(&v, false);
            }
            (void)word(&v, false);
        } while (v.n != 0 && v.p[0] == ',' && (v = bz_view_sub(v, 1, v.n), true));
        return line_ends(v);
    }
    if (bz_view_eq(w, BZ_V("from"))) {
        struct bz_view module = word(&v, true);
        return module.n != 0 && bz_view_eq(word(&v, false), BZ_V("import")) && v.n != 0;
    }
    if (bz_view_eq(w, BZ_V("def")) || bz_view_eq(w, BZ_V("class"))) {
        bool named = word(&v, false).n != 0;
        return named && v.n != 0 && (v.p[0] == '(' || (w.n == 5 && v.p[0] == ':'));
    }
    return false;
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    struct bz_view v = o->head;
    if (v.n == 0 || memchr(v.p, 0, v.n) != NULL)
        return BZ_PROBE_NO;
    if (bz_view_starts(v, BZ_V("#!")) && bz_view_has(bz_view_sub(v, 0, 64), BZ_V("python")))
        return BZ_PROBE_YES;
    if (o->name.n > 3 && bz_view_eq(bz_view_sub(o->name, o->name.n - 3, 3), BZ_V(".py")))
        return BZ_PROBE_MAYBE; /* text of that name is imported, whatever its first lines are */
    bool fence = false;        /* code in Markdown is text */
    while (v.n != 0) {
        const uint8_t *nl = memchr(v.p, '\n', v.n);
        size_t n = nl == NULL ? v.n : (size_t)(nl - v.p);
        struct bz_view line = bz_view_sub(v, 0, n);
        if (bz_view_starts(line, BZ_V("```")))
            fence = !fence;
        else if (!fence && statement(line))
            return BZ_PROBE_MAYBE;
        v = bz_view_sub(v, n + 1, v.n);
    }
    return BZ_PROBE_NO;
}

/* ---- tokens ---------------------------------------------------------------------------------------------- */

static void skip_string(struct py *y) {
    uint8_t q = y->in.p[y->at];
    bool three =
        bz_view_sub(y->in, y->at, 3).n == 3 && y->in.p[y->at + 1] == q && y->in.p[y->at + 2] == q;
    for (y->at += three ? 3 : 1; y->at < y->in.n; y->at++) {
        uint8_t c = y->in.p[y->at];
        if (c == '\\')
            y->at++;
        else if (!three && (c == q || c == '\n')) {
            y->at++;
            return;
        } else if (three && c == q && y->at + 2 < y->in.n && y->in.p[y->at + 1] == q &&
                   y->in.p[y->at + 2] == q) {
            y->at += 3;
            return;
        }
    }
}

/* A dotted name at the cursor. */
static struct bz_view dotted(struct py *y) {
    size_t from = y->at;
    while (y->at < y->in.n &&
           (word_char(y->in.p[y->at]) ||
            (y->in.p[y->at] == '.' && y->at + 1 < y->in.n && letter(y->in.p[y->at + 1]))))
        y->at++;
    return bz_view_sub(y->in, from, y->at - from);
}

static void blanks(struct py *y) {
    while (y->at < y->in.n && (y->in.p[y->at] == ' ' || y->in.p[y->at] == '\t' ||
                               bz_view_starts(bz_view_sub(y->in, y->at, 2), BZ_V("\\\n"))))
        y->at += y->in.p[y->at] == '\\' ? 2 : 1;
}

/* ---- imports ------------------------------------------------------------------------------------------- */

static void bind(struct py *y, struct bz_view as, struct bz_view name, struct bz_view part) {
    if (y->imports_n < IMPORTS_MAX && as.n != 0)
        y->imports[y->imports_n++] = (struct import){as, name, part};
}

/* `import a.b as c, d` */
static void import(struct py *y) {
    for (;;) {
        blanks(y);
        struct bz_view name = dotted(y), as = bz_dotted_root(name);
        size_t was = y->at;
        blanks(y);
        if (bz_view_eq(dotted(y), BZ_V("as"))) {
            blanks(y);
            bind(y, dotted(y), name, BZ_V(""));
        } else {
            y->at = was;
            bind(y, as, as, BZ_V(""));
        }
        blanks(y);
        if (name.n == 0 || y->at >= y->in.n || y->in.p[y->at] != ',')
            return;
        y->at++;
    }
}

static void skip_list(struct py *y) {
    while (y->at < y->in.n && memchr(" \t\r\n(,\\", y->in.p[y->at], 7) != NULL)
        y->at++;
}

/* `from a.b import (c as d, e)` */
static void from(struct py *y) {
    blanks(y);
    struct bz_view module = dotted(y);
    blanks(y);
    size_t was = y->at;
    if (module.n == 0 || !bz_view_eq(dotted(y), BZ_V("import"))) {
        y->at = was;
        return;
    }
    blanks(y);
    bool many = y->at < y->in.n && y->in.p[y->at] == '(';
    for (;;) {
        if (many)
            skip_list(y);
        else
            blanks(y);
        struct bz_view part = dotted(y), as = part;
        was = y->at;
        blanks(y);
        if (bz_view_eq(dotted(y), BZ_V("as"))) {
            blanks(y);
            as = dotted(y);
        } else
            y->at = was;
        bind(y, as, module, part);
        blanks(y);
        if (part.n == 0 || y->at >= y->in.n || y->in.p[y->at] != ',')
            return;
        y->at++;
    }
}

/* ---- calls ----------------------------------------------------------------------------------------------- */

static bool below(struct bz_view name, const char *const *list) {
    for (; *list != NULL; list++) {
        struct bz_view l = bz_view_str(*list);
        bool prefix = l.p[l.n - 1] == '*';
        if (prefix ? bz_view_starts(name, bz_view_sub(l, 0, l.n - 1)) : bz_view_eq(name, l))
            return true;
    }
    return false;
}

/* Ways to anything by its name: `__builtins__['exec']`, `builtins.__dict__`, `().__class__.__subclasses__` */
static bool reflects(struct bz_view name) {
    return bz_view_has(name, BZ_V("__builtins__")) || bz_view_has(name, BZ_V("__subclasses__")) ||
           bz_view_starts(name, BZ_V("builtins.__dict__"));
}

static int judge(struct bz_view name) {
    static const char *const process[] = {"os.system",
                                          "os.popen*",
                                          "os.exec*",
                                          "os.spawn*",
                                          "os.posix_spawn*",
                                          "os.startfile",
                                          "subprocess.*",
                                          "pty.spawn",
                                          "pexpect.*",
                                          "commands.getoutput",
                                          "multiprocessing.popen*",
                                          "asyncio.create_subprocess_*",
                                          "paramiko.*",
                                          "fabric.*",
                                          "posix.system",
                                          "nt.system",
                                          NULL};
    static const char *const eval[] = {"eval",
                                       "exec",
                                       "__import__",
                                       "builtins.eval",
                                       "builtins.exec",
                                       "builtins.__import__",
                                       "execfile",
                                       "code.interact",
                                       "code.InteractiveInterpreter",
                                       "runpy.*",
                                       "marshal.load*",
                                       "types.FunctionType",
                                       "types.CodeType",
                                       "codeop.*",
                                       "imp.load_*",
                                       "zipimport.*",
                                       NULL};
    static const char *const network[] = {"socket.socket",
                                          "socket.create_connection",
                                          "urllib.request.*",
                                          "urllib2.*",
                                          "urllib.urlopen",
                                          "requests.get",
                                          "requests.post",
                                          "requests.put",
                                          "requests.request",
                                          "requests.Session",
                                          "httpx.*",
                                          "aiohttp.ClientSession",
                                          "http.client.*",
                                          "ftplib.*",
                                          "smtplib.*",
                                          "telnetlib.*",
                                          "xmlrpc.client.*",
                                          "websocket.*",
                                          "websockets.connect",
                                          "dns.resolver.*",
                                          NULL};
    static const char *const load[] = {
        "pickle.load*", "_pickle.load*",          "cPickle.load*",
        "dill.load*",   "pickle.Unpickler",       "cloudpickle.load*",
        "ctypes.CDLL",  "ctypes.cdll*",           "ctypes.WinDLL",
        "ctypes.PyDLL", "torch.ops.load_library", "torch.classes.load_library",
        "shelve.open",  "jsonpickle.decode",      NULL};
    if (below(name, process))
        return PROCESS;
    if (below(name, eval) || reflects(name))
        return EVAL;
    if (below(name, network))
        return NETWORK;
    return below(name, load) ? LOAD : CODE;
}

/* The name as its module has it. */
static struct bz_view resolve(const struct py *y, struct bz_view name, struct bz_buf *b) {
    struct bz_view root = bz_dotted_root(name);
    for (size_t i = y->imports_n; i-- > 0;) {
        const struct import *m = &y->imports[i];
        if (!bz_view_eq(m->as, root))
            continue;
        bz_buf_put(b, bz_view_sub(m->name, 0, 60));
        if (m->part.n != 0) {
            bz_buf_putc(b, '.');
            bz_buf_put(b, bz_view_sub(m->part, 0, 40));
        }
        bz_buf_put(b, bz_view_sub(name, root.n, 50));
        return bz_buf_view(b);
    }
    return name;
}

static enum bz_status say(struct py *y, int rule, size_t at, struct bz_view full) {
    if (rule == CODE || y->said[rule])
        return BZ_OK;
    y->said[rule] = true;
    return bz_scan_found(y->s, y->o, &rules[rule], at, full);
}

static bool eat(struct py *y, uint8_t c) {
    while (y->at < y->in.n && memchr(" \t\r\n", y->in.p[y->at], 4) != NULL)
        y->at++;
    bool good = y->at < y->in.n && y->in.p[y->at] == c;
    y->at += good;
    return good;
}

/* A string of letters, digits, dots and underscores at the cursor, without escapes or prefix. */
static bool plain_string(struct py *y, struct bz_view *ret) {
    (void)eat(y, ' ');
    size_t from = y->at + 1;
    uint8_t q = y->at < y->in.n ? y->in.p[y->at] : 0;
    if (q != '\'' && q != '"')
        return false;
    for (y->at = from; y->at < y->in.n && (word_char(y->in.p[y->at]) || y->in.p[y->at] == '.');)
        y->at++;
    *ret = bz_view_sub(y->in, from, y->at - from);
    return ret->n > 0 && eat(y, q);
}

/* `x = ` before `at`, on the same line: x; else "". */
static struct bz_view assigned(const struct py *y, size_t at) {
    size_t end = at;
    while (end > 0 && (y->in.p[end - 1] == ' ' || y->in.p[end - 1] == '='))
        end--;
    size_t from = end;
    while (from > 0 && word_char(y->in.p[from - 1]))
        from--;
    bool one = end < at && memchr(y->in.p + end, '=', at - end) != NULL;
    return one ? bz_view_sub(y->in, from, end - from) : BZ_V("");
}

/* __import__('os').system, sys.modules['os'].system: names as if they had been imported, and
 * `x = __import__('os')` binds one. The cursor stands behind the first name, and does so at the end. */
static enum bz_status imported_by_name(struct py *y, size_t at, const char *brackets) {
    size_t was = y->at;
    struct bz_view module = BZ_V("");
    enum bz_status st = BZ_OK;
    if (eat(y, (uint8_t)brackets[0]) && plain_string(y, &module) && eat(y, (uint8_t)brackets[1])) {
        uint8_t mem[NAME_BYTES];
        struct bz_buf b;
        bz_buf_init_fixed(&b, mem, sizeof mem);
        bz_buf_put(&b, bz_view_sub(module, 0, 60));
        bool member = eat(y, '.');
        if (member) {
            bz_buf_putc(&b, '.');
            bz_buf_put(&b, bz_view_sub(dotted(y), 0, 90));
            st = say(y, judge(bz_buf_view(&b)), at, bz_buf_view(&b));
        } else {
            bind(y, assigned(y, at), module, BZ_V(""));
        }
    }
    y->at = was;
    return st;
}

/* Modules whose members do harm: which one is meant must be seen. */
static bool reaches(struct bz_view module) {
    static const char *const modules[] = {"os",        "posix", "nt",    "subprocess",   "builtins",
                                          "importlib", "pty",   "runpy", "__builtins__", NULL};
    return below(module, modules);
}

/* getattr(os, 'system'), and getattr(os, what-nobody-knows). The cursor is left where it was. */
static enum bz_status member_by_call(struct py *y, size_t at) {
    size_t was = y->at;
    uint8_t mem[NAME_BYTES], full[2 * NAME_BYTES];
    struct bz_buf b, f;
    enum bz_status st = BZ_OK;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_init_fixed(&f, full, sizeof full);
    bool call = eat(y, '(');
    (void)eat(y, ' ');
    struct bz_view of = dotted(y), member = BZ_V("");
    struct bz_view module = bz_view_sub(resolve(y, of, &b), 0, NAME_BYTES);
    if (call && of.n > 0 && eat(y, ',')) {
        bool known = plain_string(y, &member) && (eat(y, ')') || eat(y, ','));
        bz_buf_put(&f, module);
        if (known) {
            bz_buf_putc(&f, '.');
            bz_buf_put(&f, bz_view_sub(member, 0, NAME_BYTES - 1));
        }
        int rule = known ? judge(bz_buf_view(&f)) : reaches(module) ? EVAL : CODE;
        st = say(y, rule, at, bz_buf_view(&f));
    }
    y->at = was;
    return st;
}

static enum bz_status call(struct py *y, size_t at, struct bz_view name) {
    uint8_t mem[NAME_BYTES];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    struct bz_view full = resolve(y, name, &b);
    if (bz_view_eq(full, BZ_V("getattr")))
        return member_by_call(y, at);
    if (bz_view_eq(full, BZ_V("__import__")) || bz_view_eq(full, BZ_V("builtins.__import__")) ||
        bz_view_eq(full, BZ_V("importlib.import_module")))
        BZ_TRY(imported_by_name(y, at, "()"));
    if (bz_view_eq(full, BZ_V("sys.modules")))
        return imported_by_name(y, at, "[]");
    return say(y, judge(full), at, full);
}

static enum bz_status name(struct py *y, bool *after_def) {
    size_t at = y->at;
    struct bz_view n = dotted(y);
    bool attribute = at > 0 && (y->in.p[at - 1] == '.');
    if (*after_def || attribute) {
        *after_def = false;
        return attribute && reflects(n) ? say(y, EVAL, at, n) : BZ_OK;
    }
    if (bz_view_eq(n, BZ_V("import"))) {
        import(y);
        return BZ_OK;
    }
    if (bz_view_eq(n, BZ_V("from"))) {
        from(y);
        return BZ_OK;
    }
    *after_def = bz_view_eq(n, BZ_V("def")) || bz_view_eq(n, BZ_V("class"));
    /* a call, or a function that is handed on: of plain names only calls count */
    size_t was = y->at;
    blanks(y);
    bool called = y->at < y->in.n && y->in.p[y->at] == '(';
    y->at = was;
    bool dots = n.n != 0 && memchr(n.p, '.', n.n) != NULL;
    return called || dots || reflects(n) ? call(y, at, n) : BZ_OK;
}

/* "coding: NAME" in a comment of the first two lines: with some codecs the text below is not what it
 * looks like. */
static struct bz_view codec(struct bz_view v) {
    static const char *const plain[] = {"utf", "ascii",    "us-ascii", "latin", "iso",
                                        "cp",  "windows-", "koi8",     "gb",    "big5",
                                        "euc", "shift",    "mac",      NULL};
    for (int i = 0; i < 2 && v.n != 0; i++) {
        const uint8_t *nl = memchr(v.p, '\n', v.n);
        struct bz_view line = bz_view_sub(v, 0, nl == NULL ? v.n : (size_t)(nl - v.p));
        const uint8_t *at =
            line.n == 0 || line.p[0] != '#' ? NULL : memmem(line.p, line.n, "coding", 6);
        v = bz_view_sub(v, line.n + 1, v.n);
        if (at == NULL)
            continue;
        struct bz_view name = bz_view(at + 6, (size_t)(line.p + line.n - at) - 6);
        if (name.n == 0 || (name.p[0] != ':' && name.p[0] != '='))
            continue;
        name = bz_view_sub(name, 1, name.n);
        while (name.n != 0 && name.p[0] == ' ')
            name = bz_view_sub(name, 1, name.n);
        bool known = bz_view_starts(name, BZ_V("utf-7")) || bz_view_starts(name, BZ_V("utf7")) ||
                     bz_view_starts(name, BZ_V("utf_7"));
        for (const char *const *p = plain; *p != NULL && !known; p++) {
            struct bz_view w = bz_view_str(*p);
            if (bz_view_eq_nocase(bz_view_sub(name, 0, w.n), w))
                return BZ_V("");
        }
        return name;
    }
    return BZ_V("");
}

/* globals()['__builtins__'] */
static enum bz_status string(struct py *y) {
    size_t at = y->at;
    skip_string(y);
    struct bz_view text = bz_view_sub(y->in, at + 1, y->at - at - (y->at - at > 1 ? 2 : 1));
    return bz_view_eq(text, BZ_V("__builtins__")) ? say(y, EVAL, at, text) : BZ_OK;
}

static enum bz_status walk(struct py *y) {
    bool after_def = false;
    struct bz_view other = codec(y->in);
    if (other.n != 0) {
        y->said[EVAL] = true;
        BZ_TRY(bz_scan_found(y->s, y->o, &rules[EVAL], 0, other));
    }
    while (y->at < y->in.n) {
        uint8_t c = y->in.p[y->at];
        if (letter(c))
            BZ_TRY(name(y, &after_def));
        else if (c == '"' || c == '\'')
            BZ_TRY(string(y));
        else if (c == '#') {
            const uint8_t *nl = memchr(y->in.p + y->at, '\n', y->in.n - y->at);
            y->at = nl == NULL ? y->in.n : (size_t)(nl - y->in.p);
        } else if (c >= '0' && c <= '9') {
            while (y->at < y->in.n && word_char(y->in.p[y->at]))
                y->at++;
        } else
            y->at++;
    }
    return BZ_OK;
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct py *y = bz_arena_zalloc(bz_scan_arena(s), sizeof *y);
    if (y == NULL)
        return BZ_ENOMEM;
    if (o->src.size > BZ_SCAN_TEXT_MAX)
        return BZ_ENOTFOUND;
    BZ_TRY(bz_object_whole(s, o, BZ_SCAN_TEXT_MAX, &y->in));
    y->s = s;
    y->o = o;
    if (memchr(y->in.p, 0, y->in.n) != NULL || !bz_scan_steps(s, o, y->in.n / 4))
        return BZ_ENOTFOUND;
    BZ_TRY(bz_scan_found(s, o, &rules[CODE], 0, BZ_V("")));
    return walk(y);
}

const struct bz_format bz_format_python = {
    .name = "python",
    .what = "Python source",
    .probe = probe,
    .scan = scan,
    .rules = rules,
    .inert = true,
};
