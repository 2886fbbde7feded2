/* The file system below a root, once: package managers' records, servers, libraries, models. */
#include "inventory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include <linux/openat2.h>

#include "opts.h"

enum { PATH_TEXT_MAX = 4096, LEVELS_MAX = 40, PROGRESS_EACH = 20000 };
#define ENTRIES_MAX 20000000u /* of one walk: then the inventory says that it is not whole */

struct place { /* a folder under way */
    char path[PATH_TEXT_MAX];
    int level;
    bool node;       /* its folders are npm packages */
    bool node_child; /* it is one */
    bool tensors;    /* it has a safetensors file */
};

static struct bz_view text(const char *s) {
    return bz_view_str(s);
}

/* ---- opening ---- */

int bz_collect_open(const struct bz_collect *c, const char *path, int flags) {
    const int more = (flags & O_PATH) != 0 ? 0 : O_NOCTTY | O_NONBLOCK; /* openat2 is strict */
    const struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | more),
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, c->root, path[0] == '\0' ? "." : path, &how, sizeof how);
}

bool bz_collect_read(struct bz_collect *c, const char *path, struct bz_buf *out) {
    uint8_t part[65536];
    struct stat sb;
    BZ_FD fd = bz_collect_open(c, path, O_RDONLY);
    ssize_t n = 0;
    bz_buf_init(out, BZ_INVENTORY_FILE_MAX);
    if (fd < 0 || fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode)) {
        bz_inventory_note(c->inv, text(path), "it cannot be opened");
        return false;
    }
    while ((n = read(fd, part, sizeof part)) > 0)
        bz_buf_put(out, bz_view(part, (size_t)n));
    if (n < 0 || bz_buf_status(out) != BZ_OK) {
        bz_inventory_note(c->inv, text(path), n < 0 ? "it cannot be read" : "it is too large");
        return false;
    }
    return true;
}

static bool join(char out[PATH_TEXT_MAX], const char *a, const char *b) {
    int n = snprintf(out, PATH_TEXT_MAX, "%s%s%s", a, a[0] == '\0' ? "" : "/", b);
    return n > 0 && n < PATH_TEXT_MAX;
}

static bool exists(const struct bz_collect *c, const char *path) {
    BZ_FD fd = bz_collect_open(c, path, O_PATH);
    return fd >= 0;
}

static bool ends(const char *s, const char *end) {
    size_t n = strlen(s), k = strlen(end);
    return n > k && strcmp(s + n - k, end) == 0;
}

static bool starts(const char *s, const char *prefix) {
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* ---- packages ---- */

static void read_into(struct bz_collect *c, const char *path,
                      void (*parse)(struct bz_inventory *, struct bz_view, struct bz_view)) {
    struct bz_buf b;
    if (bz_collect_read(c, path, &b))
        parse(c->inv, bz_buf_view(&b), text(path));
    bz_buf_free(&b);
}

static bool hash_file(const struct bz_collect *c, const char *path, uint8_t out[BZ_HASH_LEN]) {
    uint8_t part[65536];
    struct bz_sha256 s;
    BZ_FD fd = bz_collect_open(c, path, O_RDONLY);
    ssize_t n = -1;
    bz_sha256_init(&s);
    while (fd >= 0 && (n = read(fd, part, sizeof part)) > 0)
        bz_sha256_add(&s, bz_view(part, (size_t)n));
    bz_sha256_end(&s, out);
    return n == 0;
}

/* Files that are not as the package's own list says: changed after the installation. */
static void verify_record(struct bz_collect *c, const char *info) {
    char path[PATH_TEXT_MAX], base[PATH_TEXT_MAX], name[PATH_TEXT_MAX];
    struct bz_record_line r;
    struct bz_buf b;
    size_t at = 0;
    enum bz_status st;
    const char *slash = strrchr(info, '/');
    (void)snprintf(base, sizeof base, "%.*s", slash == NULL ? 0 : (int)(slash - info), info);
    if (!join(path, info, "RECORD") || !exists(c, path))
        return;
    if (bz_collect_read(c, path, &b)) {
        while ((st = bz_inventory_record(bz_buf_view(&b), &at, &r)) == BZ_OK) {
            uint8_t got[BZ_HASH_LEN];
            (void)snprintf(name, sizeof name, "%.*s", (int)(r.path.n < 2000 ? r.path.n : 0),
                           (const char *)r.path.p);
            if (!r.has || !join(path, base, name))
                continue;
            if (hash_file(c, path, got) &&
                bz_ct_equal(bz_view(got, sizeof got), bz_view(r.sha256, sizeof r.sha256)))
                continue;
            bz_inventory_note(c->inv, text(path), "it is not as its package's RECORD says");
            c->changed++;
        }
        if (st != BZ_ENOTFOUND)
            bz_inventory_note(c->inv, text(path), "a line of RECORD cannot be read");
    }
    bz_buf_free(&b);
}

static void python_package(struct bz_collect *c, const char *folder, const char *file) {
    char path[PATH_TEXT_MAX];
    struct bz_buf b;
    struct bz_component *made = NULL;
    if (!join(path, folder, file))
        return;
    if (bz_collect_read(c, path, &b))
        made = bz_inventory_python(c->inv, bz_buf_view(&b), text(folder));
    bz_buf_free(&b);
    if (made != NULL && join(path, folder, "direct_url.json") && exists(c, path)) {
        if (bz_collect_read(c, path, &b))
            bz_inventory_direct_url(c->inv, made, bz_buf_view(&b));
        bz_buf_free(&b);
    }
    if (made != NULL && c->verify)
        verify_record(c, folder);
}

static void dpkg_status(struct bz_collect *c, const char *path) {
    struct bz_buf b;
    if (bz_collect_read(c, path, &b))
        bz_inventory_dpkg(c->inv, bz_buf_view(&b), text(path), c->distro);
    bz_buf_free(&b);
}

/* ID and VERSION_ID of os-release: "debian-12". */
static void read_distro(struct bz_collect *c) {
    struct bz_buf b;
    char id[64] = "", version[64] = "", both[140];
    const char *path = exists(c, "etc/os-release") ? "etc/os-release" : "usr/lib/os-release";
    if (!exists(c, path))
        return;
    if (bz_collect_read(c, path, &b)) {
        bz_buf_putc(&b, 0);
        char *save = NULL;
        for (char *line = strtok_r((char *)b.p, "\n", &save); line != NULL;
             line = strtok_r(NULL, "\n", &save)) {
            char *to = starts(line, "ID=") ? id : starts(line, "VERSION_ID=") ? version : NULL;
            const char *value = strchr(line, '=');
            if (to != NULL && value != NULL) {
                value += strspn(value, "=\"");
                (void)snprintf(to, 64, "%.*s", (int)strcspn(value, "\""), value);
            }
        }
    }
    bz_buf_free(&b);
    int n = snprintf(both, sizeof both, "%s%s%s", id, version[0] == '\0' ? "" : "-", version);
    if (n > 0)
        c->distro = bz_inventory_text(c->inv, text(both));
}

/* ---- servers ---- */

static void server_binary(struct bz_collect *c, const char *path, const char *file) {
    static const struct {
        const char *file, *name, *below; /* below: it is this only in such a folder */
    } known[] = {{"ollama", "ollama", ""},
                 {"llama-server", "llama.cpp", ""},
                 {"local-ai", "localai", ""},
                 {"tritonserver", "triton-inference-server", ""},
                 {"text-generation-router", "text-generation-inference", ""},
                 {"koboldcpp", "koboldcpp", ""},
                 {"lms", "lm-studio", ".lmstudio/"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct bz_buf b;
        struct stat sb;
        if (strcmp(file, known[i].file) != 0 || strstr(path, known[i].below) == NULL)
            continue;
        BZ_FD fd = bz_collect_open(c, path, O_PATH);
        if (fd < 0 || fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode) || (sb.st_mode & 0111) == 0)
            return;
        bz_buf_init(&b, 64 << 10);
        if (c->run && !bz_collect_ask(c, path, &b))
            bz_inventory_note(c->inv, text(path), "it did not say its version");
        bz_inventory_server(c->inv, text(known[i].name), bz_buf_view(&b), text(path));
        bz_buf_free(&b);
        return;
    }
}

/* ---- one entry ---- */

static void take_file(struct bz_collect *c, struct place *p, const char *name) {
    char path[PATH_TEXT_MAX];
    if (!join(path, p->path, name))
        return;
    if (starts(name, "lib") && bz_inventory_library(c->inv, text(name), text(path)))
        return;
    if (ends(name, ".gguf"))
        (void)bz_collect_gguf(c, path);
    else if (ends(name, ".safetensors"))
        p->tensors = true;
    else if (ends(name, ".egg-info"))
        python_package(c, p->path, name);
    else if (strcmp(name, "package-lock.json") == 0 || strcmp(name, "npm-shrinkwrap.json") == 0 ||
             strcmp(name, ".package-lock.json") == 0)
        read_into(c, path, bz_inventory_npm_lock);
    else if (p->node_child && strcmp(name, "package.json") == 0)
        read_into(c, path, bz_inventory_npm_package);
    else if ((ends(p->path, "/conda-meta") || strcmp(p->path, "conda-meta") == 0) &&
             ends(name, ".json"))
        read_into(c, path, bz_inventory_conda);
    else if (strcmp(name, "version.json") == 0 && strstr(p->path, "/cuda") != NULL &&
             strchr(strstr(p->path, "/cuda") + 1, '/') == NULL)
        read_into(c, path, bz_inventory_cuda);
    else if (strcmp(p->path, "var/lib/dpkg/status.d") == 0 && !ends(name, ".md5sums"))
        dpkg_status(c, path);
    else
        server_binary(c, path, name);
}

/* What is looked at as a whole, and not gone into. */
static bool take_folder(struct bz_collect *c, const char *path, const char *name) {
    char other[PATH_TEXT_MAX];
    if (ends(name, ".dist-info")) {
        python_package(c, path, "METADATA");
        return true;
    }
    if (ends(name, ".egg-info")) {
        python_package(c, path, "PKG-INFO");
        return true;
    }
    if (starts(name, "models--")) {
        bz_collect_hub(c, path);
        return true;
    }
    if (strcmp(name, "manifests") == 0 &&
        snprintf(other, sizeof other, "%.*sblobs", (int)(strlen(path) - strlen(name)), path) <
            (int)sizeof other &&
        exists(c, other)) {
        bz_collect_ollama(c, path);
        return true;
    }
    return false;
}

static bool is_skipped(const struct place *p, const char *name) {
    static const char *const top[] = {"proc", "sys", "dev", "run", "tmp", "lost+found"};
    for (size_t i = 0; p->level == 0 && i < sizeof top / sizeof top[0]; i++) {
        if (strcmp(name, top[i]) == 0)
            return true;
    }
    return strcmp(name, ".git") == 0 || strcmp(name, "__pycache__") == 0;
}

/* What the kernel makes up: of other roots that are mounted below this one too. */
static bool is_pseudo(int fd) {
    struct statfs s;
    return fstatfs(fd, &s) == 0 && (s.f_type == PROC_SUPER_MAGIC || s.f_type == SYSFS_MAGIC ||
                                    s.f_type == CGROUP2_SUPER_MAGIC || s.f_type == TRACEFS_MAGIC ||
                                    s.f_type == DEBUGFS_MAGIC || s.f_type == SECURITYFS_MAGIC);
}

static void walk(struct bz_collect *c, struct place *p);

static void go_into(struct bz_collect *c, const struct place *p, const char *name) {
    struct place *next = malloc(sizeof *next);
    if (next == NULL)
        return;
    if (is_skipped(p, name) || !join(next->path, p->path, name) ||
        take_folder(c, next->path, name)) {
        free(next);
        return;
    }
    next->level = p->level + 1;
    next->node = strcmp(name, "node_modules") == 0 || (p->node && name[0] == '@');
    next->node_child = p->node && name[0] != '@' && name[0] != '.';
    next->tensors = false;
    char lock[PATH_TEXT_MAX];
    if (strcmp(name, "node_modules") == 0 && join(lock, next->path, ".package-lock.json") &&
        exists(c, lock))
        read_into(c, lock, bz_inventory_npm_lock); /* it names all that lies below */
    else if (next->level >= LEVELS_MAX)
        bz_inventory_note(c->inv, text(next->path), "folders within folders without end");
    else
        walk(c, next);
    free(next);
}

static void show_progress(const struct bz_collect *c) {
    if (c->progress && c->entries % PROGRESS_EACH == 0)
        (void)fprintf(stderr, "\r%llu entries, %zu components", (unsigned long long)c->entries,
                      c->inv->n);
}

static void walk(struct bz_collect *c, struct place *p) {
    int fd = bz_collect_open(c, p->path, O_RDONLY | O_DIRECTORY);
    if (fd >= 0 && is_pseudo(fd)) {
        (void)close(fd);
        return;
    }
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        if (fd >= 0)
            (void)close(fd);
        bz_inventory_note(c->inv, text(p->path), "the folder cannot be read");
        return;
    }
    for (const struct dirent *e; !c->inv->full && (e = readdir(d)) != NULL;) {
        unsigned char type = e->d_type;
        struct stat sb;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (++c->entries > ENTRIES_MAX)
            c->inv->full = true;
        show_progress(c);
        if (type == DT_UNKNOWN && fstatat(dirfd(d), e->d_name, &sb, AT_SYMLINK_NOFOLLOW) == 0)
            type = S_ISDIR(sb.st_mode) ? DT_DIR : S_ISREG(sb.st_mode) ? DT_REG : DT_LNK;
        if (type == DT_DIR)
            go_into(c, p, e->d_name);
        else if (type == DT_REG)
            take_file(c, p, e->d_name);
    }
    (void)closedir(d);
    if (p->tensors)
        (void)bz_collect_folder(c, p->path);
}

bool bz_collect_all(struct bz_collect *c, const char *root) {
    struct place *top = calloc(1, sizeof *top);
    c->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top == NULL || c->root < 0) {
        bz_say("%s: %s", bz_safe(root), strerror(errno));
        free(top);
        return false;
    }
    read_distro(c);
    if (exists(c, "var/lib/dpkg/status"))
        dpkg_status(c, "var/lib/dpkg/status");
    if (exists(c, "proc/driver/nvidia/version"))
        read_into(c, "proc/driver/nvidia/version", bz_inventory_nvidia);
    else if (exists(c, "sys/module/nvidia/version"))
        read_into(c, "sys/module/nvidia/version", bz_inventory_nvidia);
    walk(c, top);
    if (c->progress)
        (void)fprintf(stderr, "\r\033[K");
    free(top);
    (void)close(c->root);
    c->root = -1;
    return true;
}
