/* Models as stores keep them. */
#include "inventory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_TEXT_MAX = 4096, LICENCE_MAX = 64 << 10 };

static enum bz_status read_at(void *ctx, uint64_t off, void *p, size_t n) {
    const int *fd = ctx;
    uint8_t *to = p;
    while (n > 0) {
        ssize_t k = pread(*fd, to, n, (off_t)off);
        if (k <= 0)
            return BZ_EIO;
        to += k;
        n -= (size_t)k;
        off += (uint64_t)k;
    }
    return BZ_OK;
}

static const char *base_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static bool hash_fd(int fd, uint8_t out[BZ_HASH_LEN]) {
    static uint8_t part[1 << 20];
    struct bz_sha256 s;
    ssize_t n = 0;
    bz_sha256_init(&s);
    if (lseek(fd, 0, SEEK_SET) != 0)
        return false;
    while ((n = read(fd, part, sizeof part)) > 0)
        bz_sha256_add(&s, bz_view(part, (size_t)n));
    bz_sha256_end(&s, out);
    return n == 0;
}

static void add_file(struct bz_collect *c, struct bz_component *m, const char *name, int fd,
                     uint64_t size) {
    struct bz_component_file *f = bz_arena_zalloc(&c->inv->ar, sizeof *f);
    if (f == NULL) {
        c->inv->full = true;
        return;
    }
    f->path = bz_inventory_text(c->inv, bz_view_str(name));
    f->size = size;
    f->has_sha256 = c->hash && hash_fd(fd, f->sha256);
    f->next = m->files;
    m->files = f;
}

/* ---- GGUF ---- */

static bool read_gguf(struct bz_collect *c, int fd, uint64_t size, struct bz_component *m) {
    const struct bz_gguf_source src = {read_at, &fd, size};
    return bz_inventory_gguf(c->inv, &src, m) == BZ_OK;
}

struct bz_component *bz_collect_gguf(struct bz_collect *c, const char *path) {
    struct stat sb;
    BZ_FD fd = bz_collect_open(c, path, O_RDONLY);
    if (fd < 0 || fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode))
        return NULL;
    struct bz_component *m = bz_inventory_add(c->inv, BZ_COMPONENT_MODEL);
    if (m == NULL)
        return NULL;
    m->path = bz_inventory_text(c->inv, bz_view_str(path));
    if (!read_gguf(c, fd, (uint64_t)sb.st_size, m))
        bz_inventory_note(c->inv, bz_view_str(path), "it is no GGUF file, or its head is damaged");
    if (m->name.n == 0)
        m->name = bz_inventory_text(c->inv, bz_view_str(base_of(path)));
    m->has_sha256 = c->hash && hash_fd(fd, m->sha256);
    add_file(c, m, base_of(path), fd, (uint64_t)sb.st_size);
    if (m->files != NULL && m->has_sha256) {
        memcpy(m->files->sha256, m->sha256, sizeof m->sha256);
        m->files->has_sha256 = true;
    }
    return m;
}

/* ---- folders ---- */

typedef void entry_fn(struct bz_collect *c, const char *path, const char *name, void *ctx);

static void each_entry(struct bz_collect *c, const char *path, entry_fn *fn, void *ctx) {
    char full[PATH_TEXT_MAX];
    int fd = bz_collect_open(c, path, O_RDONLY | O_DIRECTORY);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        if (fd >= 0)
            (void)close(fd);
        bz_inventory_note(c->inv, bz_view_str(path), "the folder cannot be read");
        return;
    }
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        int n = snprintf(full, sizeof full, "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.' && n > 0 && n < PATH_TEXT_MAX)
            fn(c, full, e->d_name, ctx);
    }
    (void)closedir(d);
}

static bool ends(const char *s, const char *end) {
    size_t n = strlen(s), k = strlen(end);
    return n > k && strcmp(s + n - k, end) == 0;
}

static bool weights(const char *name) {
    return ends(name, ".safetensors") || ends(name, ".gguf") || ends(name, ".bin") ||
           ends(name, ".pt") || ends(name, ".pth") || ends(name, ".onnx") ||
           strcmp(name, "tokenizer.json") == 0 || strcmp(name, "config.json") == 0 ||
           ends(name, ".jinja");
}

static void folder_entry(struct bz_collect *c, const char *path, const char *name, void *ctx) {
    struct bz_component *m = ctx;
    struct stat sb;
    struct bz_buf b;
    BZ_FD fd = bz_collect_open(c, path, O_RDONLY);
    if (fd < 0 || fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode))
        return;
    if (ends(name, ".safetensors") && m->format.n == 0)
        m->format = BZ_V("safetensors");
    if (ends(name, ".gguf"))
        (void)read_gguf(c, fd, (uint64_t)sb.st_size, m);
    if (strcmp(name, "README.md") == 0 || strcmp(name, "config.json") == 0) {
        if (bz_collect_read(c, path, &b)) {
            if (name[0] == 'R')
                bz_inventory_model_card(c->inv, m, bz_buf_view(&b));
            else
                bz_inventory_model_config(c->inv, m, bz_buf_view(&b));
        }
        bz_buf_free(&b);
    }
    if (weights(name))
        add_file(c, m, name, fd, (uint64_t)sb.st_size);
}

struct bz_component *bz_collect_folder(struct bz_collect *c, const char *path) {
    struct bz_component *m = bz_inventory_add(c->inv, BZ_COMPONENT_MODEL);
    if (m == NULL)
        return NULL;
    m->path = bz_inventory_text(c->inv, bz_view_str(path));
    each_entry(c, path, folder_entry, m);
    if (m->name.n == 0)
        m->name = bz_inventory_text(c->inv, bz_view_str(base_of(path)));
    return m;
}

/* ---- Hugging Face: models--org--name/snapshots/REVISION/files, links to blobs/DIGEST ---- */

struct hub {
    struct bz_component *m;
    const char *repo; /* path of models--... */
};

/* Large files are kept under their SHA-256. */
static void digest_from_link(struct bz_collect *c, const char *path, struct bz_component_file *f) {
    char link[PATH_TEXT_MAX];
    BZ_FD fd = bz_collect_open(c, path, O_PATH | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", link, sizeof link - 1);
    if (n <= 0)
        return;
    link[n] = '\0';
    const char *name = base_of(link);
    if (strlen(name) != (size_t)2 * BZ_HASH_LEN)
        return;
    for (size_t i = 0; i < BZ_HASH_LEN; i++) {
        static const char hex[] = "0123456789abcdef";
        const char *a = strchr(hex, name[2 * i]), *b = strchr(hex, name[2 * i + 1]);
        if (a == NULL || b == NULL)
            return;
        f->sha256[i] = (uint8_t)((a - hex) * 16 + (b - hex));
    }
    f->has_sha256 = true;
}

static void hub_file(struct bz_collect *c, const char *path, const char *name, void *ctx) {
    struct bz_component *m = ctx;
    const struct bz_component_file *before = m->files;
    folder_entry(c, path, name, m);
    if (m->files != before && !m->files->has_sha256)
        digest_from_link(c, path, m->files);
}

static void hub_revision(struct bz_collect *c, const char *path, const char *name, void *ctx) {
    const struct hub *h = ctx;
    struct bz_component *m = bz_inventory_add(c->inv, BZ_COMPONENT_MODEL);
    char repo[512], url[640];
    size_t n = 0;
    if (m == NULL)
        return;
    for (const char *s = base_of(h->repo) + strlen("models--"); *s != '\0' && n < sizeof repo - 1;
         s++) {
        bool dash = s[0] == '-' && s[1] == '-' && memchr(repo, '/', n) == NULL;
        repo[n++] = dash ? '/' : *s;
        s += dash;
    }
    repo[n] = '\0';
    (void)snprintf(url, sizeof url, "https://huggingface.co/%s", repo);
    m->path = bz_inventory_text(c->inv, bz_view_str(path));
    each_entry(c, path, hub_file, m);
    m->name = bz_inventory_text(c->inv, bz_view_str(repo));
    m->version = bz_inventory_text(c->inv, bz_view_str(name));
    m->origin = bz_inventory_text(c->inv, bz_view_str(url));
    const char *slash = strchr(repo, '/');
    if (slash != NULL && m->supplier.n == 0)
        m->supplier = bz_inventory_text(c->inv, bz_view(repo, (size_t)(slash - repo)));
}

void bz_collect_hub(struct bz_collect *c, const char *path) {
    char snapshots[PATH_TEXT_MAX];
    struct hub h = {.repo = path};
    int n = snprintf(snapshots, sizeof snapshots, "%s/snapshots", path);
    if (n > 0 && n < PATH_TEXT_MAX)
        each_entry(c, snapshots, hub_revision, &h);
}

/* ---- Ollama: manifests/REGISTRY/NAMESPACE/MODEL/TAG ---- */

struct store {
    char blobs[PATH_TEXT_MAX];
    size_t prefix; /* of the manifests' folder in paths */
    int level;
};

static void read_blob(struct bz_collect *c, const struct store *s, struct bz_view hex,
                      struct bz_component *m) {
    char path[PATH_TEXT_MAX + 100];
    struct stat sb;
    (void)snprintf(path, sizeof path, "%s/sha256-%.*s", s->blobs, (int)hex.n, (const char *)hex.p);
    BZ_FD fd = bz_collect_open(c, path, O_RDONLY);
    struct bz_view name = m->name;
    if (fd < 0 || fstat(fd, &sb) != 0 || !read_gguf(c, fd, (uint64_t)sb.st_size, m))
        bz_inventory_note(c->inv, bz_view_str(path), "the model's weights cannot be read");
    m->name = name; /* as Ollama calls it */
}

static void read_licence(struct bz_collect *c, const struct store *s, struct bz_view hex,
                         struct bz_component *m) {
    char path[PATH_TEXT_MAX + 100];
    struct bz_buf b;
    (void)snprintf(path, sizeof path, "%s/sha256-%.*s", s->blobs, (int)hex.n, (const char *)hex.p);
    if (bz_collect_read(c, path, &b)) {
        struct bz_view known = bz_licence_spdx(bz_view_sub(bz_buf_view(&b), 0, LICENCE_MAX));
        if (known.n > 0)
            m->licence = bz_inventory_text(c->inv, known);
        else if (m->licence.n == 0)
            m->licence = bz_inventory_text(c->inv, bz_buf_view(&b)); /* its first line */
    }
    bz_buf_free(&b);
}

static void manifest(struct bz_collect *c, const struct store *s, const char *path) {
    const char *rest = path + s->prefix, *tag = base_of(path);
    char name[512];
    struct bz_view model, licence;
    struct bz_buf b;
    /* registry.ollama.ai/library/llama3/8b is llama3:8b; others keep their whole name */
    static const char usual[] = "registry.ollama.ai/library/";
    if (strncmp(rest, usual, sizeof usual - 1) == 0)
        rest += sizeof usual - 1;
    (void)snprintf(name, sizeof name, "%.*s:%s", (int)(tag - rest - 1), rest, tag);
    if (bz_collect_read(c, path, &b)) {
        struct bz_component *m = bz_inventory_ollama(c->inv, bz_buf_view(&b), bz_view_str(path),
                                                     bz_view_str(name), &model, &licence);
        if (m != NULL && model.n > 0)
            read_blob(c, s, model, m);
        if (m != NULL && licence.n > 0)
            read_licence(c, s, licence, m);
    }
    bz_buf_free(&b);
}

static void store_entry(struct bz_collect *c, const char *path, const char *name, void *ctx) {
    struct store *s = ctx;
    struct stat sb;
    BZ_FD fd = bz_collect_open(c, path, O_PATH);
    (void)name;
    if (fd < 0 || fstat(fd, &sb) != 0)
        return;
    if (S_ISDIR(sb.st_mode) && s->level < 3) {
        s->level++;
        each_entry(c, path, store_entry, s);
        s->level--;
    } else if (S_ISREG(sb.st_mode) && s->level == 3) {
        manifest(c, s, path);
    }
}

void bz_collect_ollama(struct bz_collect *c, const char *path) {
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return;
    s->prefix = strlen(path) + 1;
    int n = snprintf(s->blobs, sizeof s->blobs, "%.*sblobs", (int)(strlen(path) - 9), path);
    if (n > 0 && n < PATH_TEXT_MAX)
        each_entry(c, path, store_entry, s);
    free(s);
}
