#include "scan_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "opts.h"

enum { DEPTH_MAX = 128, ITEMS_MAX = 1000000, PATH_BYTES_MAX = 4096, ITEMS_FIRST = 1024 };

static void failed(struct bz_scan_list *l, const char *word, const char *path, const char *why) {
    l->failed++;
    if (path[0] == '\0')
        bz_say("%s: %s", bz_safe(word), why);
    else
        bz_say("%s/%s: %s", bz_safe(word), bz_safe(path), why);
}

/* ---- lists that grow in the arena ------------------------------------------------------------------ */

static enum bz_status add(struct bz_scan_list *l, uint32_t root, const char *path) {
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? ITEMS_FIRST : l->cap * 2;
        struct bz_scan_item *p = realloc(l->items, cap * sizeof *p);
        if (p == NULL)
            return BZ_ENOMEM;
        l->items = p;
        l->cap = cap;
    }
    struct bz_view copy = bz_arena_dup(&l->ar, bz_view_str(path));
    if (copy.p == NULL)
        return BZ_ENOMEM;
    l->items[l->n++] = (struct bz_scan_item){root, (const char *)copy.p};
    return BZ_OK;
}

static enum bz_status add_outside(struct bz_scan_list *l, const char *word, const char *path) {
    if (l->outside_n == l->outside_cap) {
        size_t cap = l->outside_cap == 0 ? ITEMS_FIRST : l->outside_cap * 2;
        const char **p = realloc(l->outside, cap * sizeof *p);
        if (p == NULL)
            return BZ_ENOMEM;
        l->outside = p;
        l->outside_cap = cap;
    }
    size_t n = strlen(word) + strlen(path) + 2;
    char *text = bz_arena_alloc(&l->ar, n);
    if (text == NULL)
        return BZ_ENOMEM;
    (void)snprintf(text, n, "%s/%s", word, path);
    l->outside[l->outside_n++] = text;
    return BZ_OK;
}

/* ---- folders ------------------------------------------------------------------------------------------ */

struct walk {
    struct bz_scan_list *l;
    uint32_t root;
    char path[PATH_BYTES_MAX]; /* from the root */
    size_t n;
};

static const char *word_of(const struct walk *w) {
    return w->l->roots[w->root].word;
}

/* A link to something below the same root is scanned there; one that leads out is not followed. */
static enum bz_status link_item(struct walk *w) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, w->l->roots[w->root].fd, w->path, &how, sizeof how);
    if (fd >= 0) {
        (void)close((int)fd);
        w->l->links++;
        return BZ_OK;
    }
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) {
        w->l->links++; /* leads nowhere: no program can load it */
        return BZ_OK;
    }
    return add_outside(w->l, word_of(w), w->path);
}

static enum bz_status folder(struct walk *w, int fd, unsigned depth);

static enum bz_status subfolder(struct walk *w, int dir, const char *name, unsigned depth) {
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        failed(w->l, word_of(w), w->path, strerror(errno));
        return BZ_OK;
    }
    enum bz_status st = folder(w, fd, depth + 1);
    (void)close(fd);
    return st;
}

static enum bz_status entry(struct walk *w, int dir, const struct dirent *e, unsigned depth) {
    struct stat sb;
    unsigned char type = e->d_type;
    if (type == DT_UNKNOWN) {
        if (fstatat(dir, e->d_name, &sb, AT_SYMLINK_NOFOLLOW) != 0) {
            failed(w->l, word_of(w), w->path, strerror(errno));
            return BZ_OK;
        }
        type = (unsigned char)IFTODT(sb.st_mode);
    }
    switch (type) {
    case DT_DIR:
        return subfolder(w, dir, e->d_name, depth);
    case DT_LNK:
        return link_item(w);
    case DT_REG:
        if (w->l->n < ITEMS_MAX)
            return add(w->l, w->root, w->path);
        if (w->l->n == ITEMS_MAX)
            failed(w->l, word_of(w), w->path, "more than 1,000,000 files: scan a part");
        return BZ_ELIMIT;
    default:
        w->l->special++;
        return BZ_OK;
    }
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int keep(const struct dirent *e) {
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static enum bz_status folder(struct walk *w, int fd, unsigned depth) {
    struct dirent **list = NULL;
    size_t base = w->n;
    enum bz_status st = BZ_OK;
    if (depth > DEPTH_MAX) {
        failed(w->l, word_of(w), w->path, "nested too deeply");
        return BZ_OK;
    }
    int n = scandirat(fd, ".", &list, keep, by_bytes);
    if (n < 0)
        failed(w->l, word_of(w), w->path, strerror(errno));
    for (int i = 0; i < n; i++) {
        int k = snprintf(w->path + base, sizeof w->path - base, "%s%s", base > 0 ? "/" : "",
                         list[i]->d_name);
        if (k < 0 || (size_t)k >= sizeof w->path - base) {
            w->path[base] = '\0';
            failed(w->l, word_of(w), w->path, "a path below it is too long");
        } else if (st == BZ_OK) {
            w->n = base + (size_t)k;
            st = entry(w, fd, list[i], depth);
        }
        w->n = base;
        w->path[base] = '\0';
        free(list[i]);
    }
    free(list);
    return st;
}

/* ---- words of the command line ------------------------------------------------------------------------ */

/* The folder that a file lies in, and its name there. Links of the command line are followed. */
static enum bz_status single(struct bz_scan_list *l, const char *word) {
    char *real = realpath(word, NULL), *cut = real == NULL ? NULL : strrchr(real, '/');
    enum bz_status st = BZ_OK;
    int fd = -1;
    if (cut != NULL) {
        *cut = '\0';
        fd = open(cut == real ? "/" : real, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0) {
        failed(l, word, "", strerror(errno));
    } else {
        l->roots[l->roots_n] = (struct bz_scan_root){fd, word, true};
        st = add(l, (uint32_t)l->roots_n++, cut + 1);
    }
    free(real);
    return st;
}

static enum bz_status one_word(struct bz_scan_list *l, const char *word) {
    struct stat sb;
    if (stat(word, &sb) != 0) {
        failed(l, word, "", strerror(errno));
        return BZ_OK;
    }
    if (!S_ISDIR(sb.st_mode) && !S_ISREG(sb.st_mode)) {
        failed(l, word, "", "neither a file nor a folder");
        return BZ_OK;
    }
    if (S_ISREG(sb.st_mode))
        return single(l, word);
    int fd = open(word, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        failed(l, word, "", strerror(errno));
        return BZ_OK;
    }
    struct walk *w = calloc(1, sizeof *w);
    if (w == NULL) {
        (void)close(fd);
        return BZ_ENOMEM;
    }
    w->l = l;
    w->root = (uint32_t)l->roots_n;
    l->roots[l->roots_n++] = (struct bz_scan_root){fd, word, false};
    enum bz_status st = folder(w, fd, 0);
    free(w);
    return st == BZ_ELIMIT ? BZ_OK : st;
}

enum bz_status bz_scan_list_make(struct bz_scan_list *l, const char *const *words, size_t n,
                                 bool progress) {
    *l = (struct bz_scan_list){.progress = progress};
    bz_arena_init(&l->ar, bz_alloc_heap, SIZE_MAX / 2, NULL, 0);
    l->roots = calloc(n, sizeof *l->roots);
    if (l->roots == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < n; i++)
        BZ_TRY(one_word(l, words[i]));
    return l->roots_n > 0 ? BZ_OK : BZ_EIO;
}

void bz_scan_list_done(struct bz_scan_list *l) {
    for (size_t i = 0; i < l->roots_n; i++)
        (void)close(l->roots[i].fd);
    free(l->roots);
    free(l->items);
    free(l->outside);
    bz_arena_free(&l->ar);
    *l = (struct bz_scan_list){.n = 0};
}

void bz_scan_list_name(const struct bz_scan_list *l, size_t i, char *out, size_t n) {
    const struct bz_scan_root *r = &l->roots[l->items[i].root];
    size_t len = strlen(r->word);
    if (r->single)
        (void)snprintf(out, n, "%s", r->word);
    else
        (void)snprintf(out, n, "%s%s%s", r->word, len > 0 && r->word[len - 1] == '/' ? "" : "/",
                       l->items[i].path);
}

/* ---- software ---------------------------------------------------------------------------------------- */

static bool part_is(struct bz_view part, const char *const *names) {
    for (; *names != NULL; names++) {
        if (bz_view_eq(part, bz_view_str(*names)))
            return true;
    }
    return false;
}

bool bz_scan_list_software(const char *name) {
    static const char *const usr[] = {"usr", NULL}, *const local[] = {"local", NULL};
    static const char *const below[] = {"bin",   "sbin",   "lib",     "lib32",
                                        "lib64", "libx32", "libexec", NULL};
    static const char *const packages[] = {"site-packages", NULL};
    struct bz_view v = bz_view_str(name);
    bool in_usr = false, in_python = false, found = false;
    while (v.n > 0) {
        const uint8_t *slash = memchr(v.p, '/', v.n);
        if (slash == NULL)
            return found; /* the file's own name says nothing */
        struct bz_view part = bz_view_sub(v, 0, (size_t)(slash - v.p));
        if (bz_view_eq(part, BZ_V("..")))
            return false;
        found = found || (in_python && part_is(part, packages)) || (in_usr && part_is(part, below));
        in_python = bz_view_starts(part, BZ_V("python3"));
        in_usr = part_is(part, usr) || (in_usr && part_is(part, local));
        v = bz_view_sub(v, part.n + 1, v.n);
    }
    return false;
}
