/* A request against this host: paths made absolute, the program and its libraries found, the socket's directory made. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <bartizan/sandbox.h>

enum { PATH_LEN = 1024 }; /* longer ones are refused */

struct resolving {
    struct bz_cage_request *r;
    struct bz_cage_own *own;
    struct bz_buf *why;
    enum bz_status st;
};

/* ---- small parts ---- */

static void refuse(struct resolving *x, const char *what, const char *text) {
    if (x->st != BZ_OK)
        return;
    x->st = BZ_EINVAL;
    bz_put_safe(x->why, bz_view_str(what));
    bz_buf_puts(x->why, text);
}

static const char *keep(struct resolving *x, const char *s) {
    struct bz_cage_own *o = x->own;
    if (o->n == o->cap) {
        size_t cap = o->cap == 0 ? 64 : 2 * o->cap;
        char **v = reallocarray(o->v, cap, sizeof *v);
        if (v == NULL) {
            x->st = BZ_ENOMEM;
            return "";
        }
        o->v = v;
        o->cap = cap;
    }
    char *d = strdup(s);
    if (d == NULL) {
        x->st = BZ_ENOMEM;
        return "";
    }
    o->v[o->n++] = d;
    return d;
}

/* The kernel writes such letters as \040 in its list of mounts, and the read-back compares names. */
static bool plain(const char *path) {
    return strpbrk(path, " \t\n\\\"") == NULL && strlen(path) < PATH_LEN;
}

/* realpath with a shorter buffer; false with ENAMETOOLONG. */
static bool real_path(const char *path, char out[PATH_LEN]) {
    char *p = realpath(path, NULL);
    size_t n = p == NULL ? 0 : strlen(p) + 1;
    if (n > 0 && n <= PATH_LEN)
        memcpy(out, p, n);
    else if (p != NULL)
        errno = ENAMETOOLONG;
    free(p);
    return n > 0 && n <= PATH_LEN;
}

static const char *real(struct resolving *x, const char *path) {
    char out[PATH_LEN];
    if (!real_path(path, out)) {
        refuse(x, path, errno == ENOENT ? ": there is no such file" : ": this path cannot be read");
        return "";
    }
    if (!plain(out)) {
        refuse(x, out, ": blanks, quotes and backslashes are not accepted in paths of a cage");
        return "";
    }
    return keep(x, out);
}

static void add(struct resolving *x, struct bz_cage_list *l, const char *s) {
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->v[i], s) == 0)
            return;
    }
    if (l->n == BZ_CAGE_LIST_MAX)
        refuse(x, s, ": too many paths for one cage");
    else
        l->v[l->n++] = s;
}

static void add_need(struct resolving *x, const char *path) {
    struct bz_cage_own *o = x->own;
    for (size_t i = 0; i < o->needs_n; i++) {
        if (strcmp(o->needs[i], path) == 0)
            return;
    }
    if (o->needs_n == sizeof o->needs / sizeof o->needs[0])
        refuse(x, path, ": the program needs too many libraries");
    else
        o->needs[o->needs_n++] = keep(x, path);
}

/* ---- libraries ---- */

static bool is_file(const char *path) {
    struct stat sb;
    return stat(path, &sb) == 0 && S_ISREG(sb.st_mode);
}

/* The directory resolved, the last part as it is asked for: the loader looks for "libx.so.1", a link. */
static bool place_of(const char *dir, struct bz_view name, char out[PATH_LEN]) {
    char real_dir[PATH_LEN];
    int n;
    if (!real_path(dir, real_dir))
        return false;
    n = snprintf(out, PATH_LEN, "%s/%.*s", real_dir, (int)name.n, (const char *)name.p);
    return n > 0 && n < PATH_LEN && plain(out) && is_file(out);
}

static bool in_runpath(struct bz_view runpath, const char *origin, struct bz_view name,
                       char out[PATH_LEN]) {
    char dir[PATH_LEN];
    while (runpath.n > 0) {
        size_t n = 0;
        while (n < runpath.n && runpath.p[n] != ':')
            n++;
        struct bz_view one = bz_view_sub(runpath, 0, n);
        runpath = bz_view_sub(runpath, n < runpath.n ? n + 1 : n, runpath.n);
        bool here = bz_view_starts(one, BZ_V("$ORIGIN"));
        if (here)
            one = bz_view_sub(one, 7, one.n);
        int k = snprintf(dir, sizeof dir, "%s%.*s", here ? origin : "", (int)one.n,
                         (const char *)one.p);
        if (k > 0 && (size_t)k < sizeof dir && dir[0] == '/' && place_of(dir, name, out))
            return true;
    }
    return false;
}

static bool find_library(struct bz_view runpath, const char *origin, struct bz_view name,
                         char out[PATH_LEN]) {
    static const char *const dirs[] = {
#if defined __x86_64__
        "/lib/x86_64-linux-gnu",
        "/usr/lib/x86_64-linux-gnu",
#elif defined __aarch64__
        "/lib/aarch64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
#endif
        "/usr/local/lib",
        "/lib64",
        "/usr/lib64",
        "/lib",
        "/usr/lib"
    };
    if (memchr(name.p, '/', name.n) != NULL)
        return false;
    if (in_runpath(runpath, origin, name, out))
        return true;
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        if (place_of(dirs[i], name, out))
            return true;
    }
    return false;
}

static enum bz_status map_elf(const char *path, struct bz_view *ret) {
    struct stat sb;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *p = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) && sb.st_size > 0)
        p = mmap(NULL, (size_t)sb.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    int err = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = err;
    if (p == MAP_FAILED)
        return BZ_EIO;
    *ret = bz_view(p, (size_t)sb.st_size);
    return BZ_OK;
}

__attribute__((noinline)) static void take_loader(struct resolving *x, struct bz_view loader) {
    char dir[PATH_LEN], place[PATH_LEN];
    size_t n = loader.n;
    while (n > 0 && loader.p[n - 1] != '/')
        n--;
    if (n < 2 || n >= sizeof dir)
        return;
    memcpy(dir, loader.p, n - 1);
    dir[n - 1] = '\0';
    if (place_of(dir, bz_view_sub(loader, n, loader.n), place))
        x->r->loader = keep(x, place);
}

__attribute__((noinline)) static void take_needed(struct resolving *x, const char *path,
                                                  const struct bz_elf *elf) {
    char origin[PATH_LEN], found[PATH_LEN];
    (void)snprintf(origin, sizeof origin, "%s", path);
    char *slash = strrchr(origin, '/');
    if (slash != NULL)
        *slash = '\0';
    for (size_t i = 0; i < elf->needed_n; i++) {
        if (find_library(elf->runpath, origin, elf->needed[i], found))
            add_need(x, found);
    }
}

/* What one file needs; a library that is not found is the loader's business to complain about. */
static enum bz_status look_into(struct resolving *x, const char *path, bool program) {
    struct bz_view bytes;
    struct bz_elf elf;
    BZ_TRY(map_elf(path, &bytes));
    enum bz_status st = bz_elf_read(bytes, &elf);
    if (st == BZ_OK)
        take_needed(x, path, &elf);
    if (st == BZ_OK && program)
        take_loader(x, elf.loader);
    (void)munmap((void *)(uintptr_t)bytes.p, bytes.n);
    return st;
}

/* Directories of libraries that a profile's program loads by itself, and what these need in turn. */
static void look_into_directory(struct resolving *x, const char *dir, unsigned depth) {
    char path[PATH_LEN];
    DIR *d = opendir(dir);
    const struct dirent *e;
    while (d != NULL && (e = readdir(d)) != NULL) {
        int n = snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof path)
            continue;
        if (is_file(path))
            (void)!look_into(x, path, false);
        else if (depth < 2)
            look_into_directory(x, path, depth + 1);
    }
    if (d != NULL)
        (void)closedir(d);
}

static void find_libraries(struct resolving *x) {
    struct bz_cage_own *o = x->own;
    for (const char *const *l = x->r->profile->libraries; *l != NULL; l++) {
        if (access(*l, R_OK | X_OK) == 0) {
            add(x, &x->r->reads, *l);
            look_into_directory(x, *l, 0);
        }
    }
    for (size_t i = 0; i < o->needs_n && x->st == BZ_OK; i++) /* grows meanwhile */
        (void)!look_into(x, o->needs[i], false);
    x->r->needs = o->needs;
    x->r->needs_n = o->needs_n;
}

/* ---- program, models, paths ---- */

static void find_program(struct resolving *x) {
    const char *p = x->r->argv[0], *path = getenv("PATH");
    char try[PATH_LEN];
    if (strchr(p, '/') == NULL) {
        path = path == NULL || *path == '\0' ? "/usr/local/bin:/usr/bin:/bin" : path;
        for (const char *s = path; s != NULL; s = strchr(s, ':'), s = s ? s + 1 : NULL) {
            size_t n = strcspn(s, ":");
            int k = snprintf(try, sizeof try, "%.*s/%s", (int)n, s, p);
            if (n > 0 && k > 0 && (size_t)k < sizeof try && is_file(try) &&
                access(try, X_OK) == 0) {
                x->r->argv[0] = real(x, try);
                return;
            }
        }
        refuse(x, p, ": no such program in PATH");
        return;
    }
    x->r->argv[0] = real(x, p);
}

static void look_at_program(struct resolving *x) {
    const char *p = x->r->argv[0];
    enum bz_status st = look_into(x, p, true);
    if (st == BZ_OK)
        return;
    if (st == BZ_ENOTFOUND && x->r->profile->exec)
        return; /* a script: its interpreter is in /usr */
    if (st == BZ_ENOTFOUND)
        refuse(x, p,
               ": this is a script, and this profile starts one program only; name the program "
               "that the script would start");
    else
        refuse(x, p,
               st == BZ_EIO ? ": this program cannot be read"
                            : ": this is no program of this machine");
}

static void add_model(struct resolving *x, const char *path) {
    struct stat sb;
    if (stat(path, &sb) == 0 && S_ISDIR(sb.st_mode))
        add(x, &x->r->reads, path);
    else
        add(x, &x->r->models, path);
}

/* -m FILE and --model=FILE: the file is given to the cage, and its path made absolute. */
static void find_models(struct resolving *x) {
    struct bz_cage_request *r = x->r;
    char text[PATH_LEN];
    for (size_t i = 1; i < r->argc && x->st == BZ_OK; i++) {
        for (const char *const *m = r->profile->model_args; *m != NULL; m++) {
            size_t n = strlen(*m);
            if (strcmp(r->argv[i], *m) == 0 && i + 1 < r->argc) {
                if (r->profile->usr && access(r->argv[i + 1], F_OK) != 0)
                    break; /* a name, not a file */
                r->argv[i + 1] = real(x, r->argv[i + 1]);
                add_model(x, r->argv[i + 1]);
                break;
            }
            if (strncmp(r->argv[i], *m, n) == 0 && r->argv[i][n] == '=' &&
                access(r->argv[i] + n + 1, F_OK) == 0) {
                const char *path = real(x, r->argv[i] + n + 1);
                add_model(x, path);
                if (snprintf(text, sizeof text, "%s=%s", *m, path) > 0)
                    r->argv[i] = keep(x, text);
                break;
            }
        }
    }
}

static void make_real(struct resolving *x, struct bz_cage_list *l) {
    for (size_t i = 0; i < l->n && x->st == BZ_OK; i++)
        l->v[i] = real(x, l->v[i]);
}

static void check_gpu(struct resolving *x) {
    for (const struct bz_gpu_node *g = bz_gpu_nodes; x->r->gpu != BZ_GPU_NONE && g->path != NULL;
         g++) {
        char path[64];
        const char *u = strstr(g->path, "%u");
        if (g->vendor != x->r->gpu)
            continue;
        if (u == NULL)
            (void)snprintf(path, sizeof path, "%s", g->path);
        else
            (void)snprintf(path, sizeof path, "%.*s%u", (int)(u - g->path), g->path,
                           x->r->gpu_index);
        if (access(path, R_OK | W_OK) != 0)
            refuse(x, path, ": this device of the GPU is not there, or not for this user");
    }
}

/* ---- the socket ---- */

/* The server gets the whole directory: nothing else may be in it. */
static void check_directory(struct resolving *x, const char *dir, const char *name) {
    DIR *d = opendir(dir);
    const struct dirent *e;
    struct stat sb;
    if (d == NULL || stat(dir, &sb) != 0) {
        refuse(x, dir, ": this directory for the socket cannot be used");
        return;
    }
    if ((sb.st_mode & 0022) != 0)
        refuse(x, dir, ": others can write to the directory of the socket; chmod 700 it");
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            strcmp(e->d_name, name) == 0 || strcmp(e->d_name, ".bartizan-owner") == 0)
            continue;
        refuse(x, dir,
               ": the server gets the directory of its socket, and there are other files in "
               "this one; give it one of its own");
    }
    (void)closedir(d);
}

static void make_socket(struct resolving *x) {
    char dir[PATH_LEN], whole[PATH_LEN];
    const char *s = x->r->socket;
    if (s == NULL)
        return;
    if (s[0] == '/')
        (void)snprintf(whole, sizeof whole, "%s", s);
    else if (getcwd(dir, sizeof dir) != NULL && strlen(dir) + strlen(s) + 2 < sizeof whole) {
        (void)stpcpy(stpcpy(stpcpy(whole, dir), "/"), s);
    }
    if (strlen(whole) >= sizeof((struct sockaddr_un *)0)->sun_path) {
        refuse(x, s, ": the path of a socket has at most 107 bytes");
        return;
    }
    char *slash = strrchr(whole, '/');
    if (slash == NULL || slash == whole || slash[1] == '\0') {
        refuse(x, s, ": a socket needs a directory of its own");
        return;
    }
    (void)snprintf(dir, sizeof dir, "%.*s", (int)(slash - whole), whole);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        refuse(x, dir, ": this directory for the socket cannot be made");
        return;
    }
    if (!x->r->profile->inet)
        check_directory(x, dir, slash + 1);
    if (!plain(whole))
        refuse(x, whole, ": blanks, quotes and backslashes are not accepted in paths of a cage");
    x->r->socket = keep(x, whole);
}

enum bz_status bz_cage_resolve(struct bz_cage_request *r, struct bz_cage_own *own,
                               struct bz_buf *why) {
    struct resolving x = {.r = r, .own = own, .why = why, .st = BZ_OK};
    struct stat sb;
    memset(own, 0, sizeof *own);
    if (r->profile == NULL || r->argc == 0)
        return BZ_EINVAL;
    r->usr_merged = lstat("/lib", &sb) == 0 && S_ISLNK(sb.st_mode);
    r->cpu_facts = access("/sys/devices/system/cpu", R_OK) == 0;
    r->loader_cache = access("/etc/ld.so.cache", R_OK) == 0;
    find_program(&x);
    make_real(&x, &r->models);
    make_real(&x, &r->reads);
    make_real(&x, &r->writes);
    if (!r->probe) {
        if (x.st == BZ_OK)
            look_at_program(&x);
        find_models(&x);
        if (x.st == BZ_OK)
            find_libraries(&x);
    }
    make_socket(&x);
    check_gpu(&x);
    r->cage = real(&x, r->cage);
    return x.st;
}

void bz_cage_own_free(struct bz_cage_own *o) {
    for (size_t i = 0; i < o->n; i++)
        free(o->v[i]);
    free(o->v);
    memset(o, 0, sizeof *o);
}
