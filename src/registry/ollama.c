/* Models as Ollama keeps them: a manifest names blobs by their digests. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bartizan/json.h>
#include <bartizan/registry.h>
#include <bartizan/text.h>

enum { MANIFEST_MAX = 1 << 20, BLOBS_MAX = 128, UP = 5 /* manifests/HOST/NAMESPACE/NAME/TAG */ };

/* "sha256:" and 64 hex digits. */
static bool digest_of(const struct bz_json *layer, struct bz_view *ret) {
    struct bz_view v = bz_json_str(bz_json_get(layer, BZ_V("digest")));
    uint8_t h[BZ_HASH_LEN];
    size_t n = 0;
    *ret = bz_view_sub(v, 7, v.n);
    return bz_view_starts(v, BZ_V("sha256:")) && bz_hex_decode(*ret, h, sizeof h, &n) == BZ_OK &&
           n == sizeof h;
}

enum bz_status bz_ollama_blobs(struct bz_view manifest, struct bz_arena *ar,
                               enum bz_status (*each)(void *ctx, struct bz_view hex), void *ctx) {
    struct bz_json *root = NULL;
    struct bz_view seen[BLOBS_MAX], hex;
    size_t n = 0;
    if (bz_json_parse(manifest, NULL, ar, &root, NULL) != BZ_OK)
        return BZ_ESYNTAX;
    const struct bz_json *layers = bz_json_get(root, BZ_V("layers"));
    const struct bz_json *config = bz_json_get(root, BZ_V("config"));
    if (!bz_json_is(layers, BZ_JSON_ARRAY) || layers->count == 0 || !digest_of(config, &hex))
        return BZ_ESYNTAX;
    for (const struct bz_json *l = config; l != NULL; l = l == config ? layers->first : l->next) {
        bool twice = false;
        if (!digest_of(l, &hex) || n == BLOBS_MAX)
            return BZ_ESYNTAX;
        for (size_t i = 0; i < n; i++)
            twice = twice || bz_view_eq(seen[i], hex);
        if (twice)
            continue;
        seen[n++] = hex;
        BZ_TRY(each(ctx, hex));
    }
    return BZ_OK;
}

/* ---- as a tree ---- */

struct filling {
    struct bz_tree *t;
    const char **places;
};

static void why(struct bz_tree *t, struct bz_view name, const char *text) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, t->why, sizeof t->why - 1);
    bz_put_safe(&b, bz_view_sub(name, 0, 120));
    bz_buf_puts(&b, ": ");
    bz_buf_puts(&b, text);
    t->why[b.n] = '\0';
}

static enum bz_status add(struct filling *f, const char *place, struct bz_view name) {
    struct bz_tree *t = f->t;
    struct stat s;
    struct bz_view kept = bz_arena_dup(&t->arena, name);
    struct bz_view path = bz_arena_dup(&t->arena, bz_view_str(place));
    if (kept.p == NULL || path.p == NULL)
        return BZ_ENOMEM;
    if (fstatat(t->fd, place, &s, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(s.st_mode)) {
        why(t, bz_view_str(place), "the manifest names it, and it is not there or no file");
        return BZ_EINVAL;
    }
    f->places[t->files_n] = (const char *)path.p;
    t->files[t->files_n++] = (struct bz_tree_file){kept, (uint64_t)s.st_size, false};
    t->bytes += (uint64_t)s.st_size;
    return BZ_OK;
}

static enum bz_status add_blob(void *ctx, struct bz_view hex) {
    char place[96];
    struct bz_buf b;
    bz_buf_init_fixed(&b, place, sizeof place - 1);
    bz_buf_puts(&b, "blobs/sha256-");
    bz_buf_put(&b, hex);
    place[b.n] = '\0';
    return add(ctx, place, bz_view_str(place));
}

/* The folder with "manifests" and "blobs", and the manifest's place in it. NULL: none. */
static const char *split(const char *manifest, char **ret_real) {
    char *real = realpath(manifest, NULL);
    size_t slashes = 0;
    *ret_real = real;
    for (char *p = real == NULL ? NULL : real + strlen(real); p != NULL && p > real; p--) {
        if (*p != '/' || ++slashes < UP)
            continue;
        *p = '\0';
        return strncmp(p + 1, "manifests/", 10) == 0 ? p + 1 : NULL;
    }
    return NULL;
}

static int by_name(const void *a, const void *b) {
    const struct bz_tree_file *x = a, *y = b;
    return bz_model_name_cmp(x->name, y->name);
}

/* Names and places are sorted together: blobs lie where they are named, the manifest comes last. */
static void sort(struct filling *f) {
    struct bz_tree *t = f->t;
    const char *manifest = f->places[0];
    struct bz_tree_file first = t->files[0];
    for (size_t i = 1; i < t->files_n; i++)
        t->files[i - 1] = t->files[i];
    t->files[t->files_n - 1] = first;
    qsort(t->files, t->files_n - 1, sizeof *t->files, by_name);
    for (size_t i = 0; i + 1 < t->files_n; i++)
        f->places[i] = (const char *)t->files[i].name.p;
    f->places[t->files_n - 1] = manifest;
}

static enum bz_status read_whole(int dir, const char *place, struct bz_buf *out) {
    struct stat s;
    int fd = openat(dir, place, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool ok = fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_size <= MANIFEST_MAX &&
              bz_buf_reserve(out, (size_t)s.st_size + 1);
    ssize_t n = ok ? pread(fd, out->p, (size_t)s.st_size, 0) : -1;
    if (fd >= 0)
        (void)close(fd);
    if (n < 0)
        return BZ_ENOTFOUND;
    out->n = (size_t)n;
    return BZ_OK;
}

static enum bz_status open_tree(const char *root, const char *place, struct bz_tree *t) {
    struct filling f = {.t = t};
    struct bz_arena scratch;
    struct bz_buf text;
    bz_buf_init(&text, MANIFEST_MAX + 1);
    bz_arena_init(&scratch, bz_alloc_heap, 64u << 20, NULL, 0);
    t->fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    t->files = bz_arena_zalloc(&t->arena, (BLOBS_MAX + 1) * sizeof *t->files);
    f.places = bz_arena_zalloc(&t->arena, (BLOBS_MAX + 1) * sizeof *f.places);
    enum bz_status st = t->files == NULL || f.places == NULL ? BZ_ENOMEM
                        : t->fd < 0                          ? BZ_ENOTFOUND
                                                             : read_whole(t->fd, place, &text);
    if (st == BZ_OK)
        st = add(&f, place, BZ_V("manifest.json"));
    if (st == BZ_OK)
        st = bz_ollama_blobs(bz_buf_view(&text), &scratch, add_blob, &f);
    if (st == BZ_ESYNTAX)
        st = BZ_ENOTFOUND; /* a file like any other */
    if (st == BZ_OK) {
        sort(&f);
        t->places = f.places;
    }
    bz_arena_free(&scratch);
    bz_buf_free(&text);
    return st;
}

enum bz_status bz_tree_open_ollama(const char *manifest, struct bz_tree *ret) {
    char *real = NULL;
    *ret = (struct bz_tree){.fd = -1};
    bz_arena_init(&ret->arena, bz_alloc_heap, 64u << 20, NULL, 0);
    const char *place = split(manifest, &real);
    enum bz_status st = place == NULL ? BZ_ENOTFOUND : open_tree(real, place, ret);
    if (st == BZ_ENOTFOUND)
        bz_tree_close(ret);
    free(real);
    return st;
}
