/* Random reading of a source through one page of memory, and names that formats share. */
#include "pages.h"

enum bz_status bz_pages_init(struct bz_pages *p, struct bz_arena *ar, const struct bz_source *src) {
    *p = (struct bz_pages){.src = src};
    p->buf = bz_arena_alloc(ar, BZ_PAGE);
    return p->buf == NULL ? BZ_ENOMEM : BZ_OK;
}

struct bz_view bz_pages_at(struct bz_pages *p, uint64_t off, size_t n) {
    struct bz_view none = {NULL, 0};
    uint64_t size = p->src->size;
    if (p->st != BZ_OK || n > BZ_PAGE || off > size || n > size - off)
        return none;
    if (n == 0)
        return BZ_V("");
    if (off < p->base || off - p->base > p->n || n > p->n - (size_t)(off - p->base)) {
        size_t want = size - off < BZ_PAGE ? (size_t)(size - off) : BZ_PAGE;
        size_t got = 0;
        p->n = 0;
        p->base = off;
        enum bz_status st = p->src->pread(p->src->ctx, off, p->buf, want, &got);
        if (st != BZ_OK) {
            p->st = st;
            return none;
        }
        p->n = got;
        if (n > got)
            return none;
    }
    return bz_view(p->buf + (off - p->base), n);
}

enum bz_status bz_object_whole(struct bz_scan *s, const struct bz_object *o, size_t max,
                               struct bz_view *ret) {
    if (o->src.size > max) {
        BZ_TRY(bz_scan_left_out(s, o, 0, "bigger than what is read of this format"));
        return BZ_ETOOBIG;
    }
    size_t n = (size_t)o->src.size;
    if (o->head.n == n) {
        *ret = o->head;
        return BZ_OK;
    }
    uint8_t *p = bz_arena_alloc(bz_scan_arena(s), n);
    if (p == NULL)
        return BZ_ENOMEM;
    BZ_TRY(bz_source_exact(&o->src, 0, p, n));
    *ret = bz_view(p, n);
    return BZ_OK;
}

const char *bz_path_wrong(struct bz_view name) {
    if (name.n == 0)
        return "empty";
    if (memchr(name.p, 0, name.n) != NULL)
        return "holds a NUL";
    if (memchr(name.p, '\\', name.n) != NULL)
        return "holds a backslash";
    if (name.p[0] == '/' || name.p[0] == '~')
        return "absolute";
    if (name.n > 1 && name.p[1] == ':')
        return "names a drive";
    if (bz_view_has(name, BZ_V("://")))
        return "a URL";
    for (size_t i = 0; i < name.n;) {
        size_t end = i;
        while (end < name.n && name.p[end] != '/')
            end++;
        if (end - i == 2 && name.p[i] == '.' && name.p[i + 1] == '.')
            return "leads out";
        i = end + 1;
    }
    return "";
}

bool bz_view_in(struct bz_view v, const char *const *list) {
    for (; *list != NULL; list++) {
        if (bz_view_eq(v, bz_view_str(*list)))
            return true;
    }
    return false;
}

bool bz_view_has(struct bz_view v, struct bz_view needle) {
    return needle.n == 0 || (v.n != 0 && memmem(v.p, v.n, needle.p, needle.n) != NULL);
}

struct bz_view bz_dotted_root(struct bz_view v) {
    const uint8_t *dot = v.n == 0 ? NULL : memchr(v.p, '.', v.n);
    return dot == NULL ? v : bz_view(v.p, (size_t)(dot - v.p));
}

/* Families, not single names: whatever runs code, starts processes, opens sockets or files, or loads
 * code from data. Modules of the standard library and of what stands beside models. */
static const char *const danger_roots[] = {"os",
                                           "posix",
                                           "nt",
                                           "posixpath",
                                           "ntpath",
                                           "subprocess",
                                           "pty",
                                           "commands",
                                           "popen2",
                                           "sys",
                                           "shutil",
                                           "socket",
                                           "ssl",
                                           "http",
                                           "urllib",
                                           "urllib2",
                                           "urllib3",
                                           "requests",
                                           "httpx",
                                           "aiohttp",
                                           "httplib",
                                           "ftplib",
                                           "smtplib",
                                           "telnetlib",
                                           "imaplib",
                                           "poplib",
                                           "nntplib",
                                           "xmlrpc",
                                           "webbrowser",
                                           "socketserver",
                                           "asyncio",
                                           "runpy",
                                           "importlib",
                                           "imp",
                                           "pkgutil",
                                           "code",
                                           "codeop",
                                           "codecs",
                                           "marshal",
                                           "zipimport",
                                           "compileall",
                                           "py_compile",
                                           "pickle",
                                           "_pickle",
                                           "cPickle",
                                           "dill",
                                           "cloudpickle",
                                           "joblib",
                                           "shelve",
                                           "copyreg",
                                           "ctypes",
                                           "_ctypes",
                                           "cffi",
                                           "mmap",
                                           "pdb",
                                           "bdb",
                                           "cProfile",
                                           "profile",
                                           "timeit",
                                           "trace",
                                           "pydoc",
                                           "doctest",
                                           "unittest",
                                           "inspect",
                                           "gc",
                                           "operator",
                                           "_operator",
                                           "functools",
                                           "_functools",
                                           "types",
                                           "builtins",
                                           "__builtin__",
                                           "__builtins__",
                                           "pip",
                                           "ensurepip",
                                           "venv",
                                           "setuptools",
                                           "distutils",
                                           "tempfile",
                                           "fileinput",
                                           "glob",
                                           "linecache",
                                           "io",
                                           "_io",
                                           "sqlite3",
                                           "multiprocessing",
                                           "_posixsubprocess",
                                           "threading",
                                           "_thread",
                                           "signal",
                                           "site",
                                           "sitecustomize",
                                           "pexpect",
                                           "paramiko",
                                           "fabric",
                                           "invoke",
                                           "sh",
                                           "plumbum",
                                           "idlelib",
                                           "lib2to3",
                                           "turtledemo",
                                           "antigravity",
                                           "faulthandler",
                                           "resource",
                                           "platform",
                                           "nturl2path",
                                           "getpass",
                                           "crypt",
                                           "logging",
                                           "jinja2",
                                           "mako",
                                           "RestrictedPython",
                                           "execnet",
                                           "rpyc",
                                           "win32api",
                                           "win32com",
                                           "winreg",
                                           "_winreg",
                                           "msvcrt",
                                           NULL};
static const char *const danger_names[] = {
    "eval",   "exec",  "execfile",   "compile",      "__import__", "open",
    "system", "popen", "getattr",    "setattr",      "globals",    "breakpoint",
    "input",  "vars",  "attrgetter", "methodcaller", NULL};
static const char *const danger_dotted[] = {"torch.load",
                                            "torch.hub",
                                            "torch.serialization",
                                            "torch.utils.collect_env",
                                            "torch.utils.bottleneck",
                                            "torch.utils.cpp_extension",
                                            "torch.ops.load_library",
                                            "torch.classes.load_library",
                                            "torch.jit.load",
                                            "numpy.load",
                                            "numpy.f2py",
                                            "numpy.ctypeslib",
                                            "numpy.testing",
                                            "numpy.distutils",
                                            "pandas.read_pickle",
                                            "pandas.eval",
                                            "tensorflow.load_op_library",
                                            "tensorflow.load_library",
                                            "tensorflow.py_function",
                                            "tensorflow.numpy_function",
                                            "tensorflow.io",
                                            "tensorflow.python.platform",
                                            "sklearn.externals",
                                            "sklearn.utils._testing",
                                            "scipy.io",
                                            "transformers.dynamic_module_utils",
                                            NULL};

static bool under(struct bz_view dotted, struct bz_view name) {
    return bz_view_starts(dotted, name) && (dotted.n == name.n || dotted.p[name.n] == '.');
}

bool bz_python_danger(struct bz_view dotted) {
    struct bz_view root = bz_dotted_root(dotted);
    if (bz_view_in(root, danger_roots))
        return true;
    for (const char *const *d = danger_dotted; *d != NULL; d++) {
        if (under(dotted, bz_view_str(*d)))
            return true;
    }
    struct bz_view last = dotted;
    for (size_t i = 0; i < dotted.n; i++) {
        if (dotted.p[i] == '.')
            last = bz_view_sub(dotted, i + 1, dotted.n);
    }
    return bz_view_in(last, danger_names);
}
