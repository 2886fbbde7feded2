/* A model on disk: listing it without following what leads out of it, and hashing it on all processors. The part of this
 * room with I/O and threads.
 *
 * Files are opened below the folder's descriptor with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, so nothing between listing and
 * reading can lead elsewhere. A job is one file, or one shard of it; threads take the next one from a counter. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <bartizan/registry.h>

enum { DEPTH_MAX = 32, THREADS_MAX = 64, CHUNK = 128 << 10, ARENA_MAX = 512 << 20 };

static void why(struct bz_tree *t, struct bz_view name, const char *text) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, t->why, sizeof t->why - 1);
    struct bz_view shown = bz_view_sub(name, 0, 120);
    bz_put_safe(&b, shown);
    if (shown.n > 0)
        bz_buf_puts(&b, ": ");
    bz_buf_puts(&b, text);
    t->why[b.n] = '\0';
}

static enum bz_status of_errno(int e) {
    return e == ENOENT || e == ENOTDIR ? BZ_ENOTFOUND
           : e == ENOMEM               ? BZ_ENOMEM
           : e == EACCES || e == EPERM ? BZ_EDENIED
                                       : BZ_EIO;
}

/* ---- opening ---- */

static int open_below(int dir, const char *name, bool links, int flags) {
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK),
        .resolve = links ? RESOLVE_NO_MAGICLINKS : RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    return (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
}

int bz_tree_file_open(const struct bz_tree *t, size_t i) {
    struct stat s;
    if (t->single)
        return fcntl(t->fd, F_DUPFD_CLOEXEC, 3);
    /* names in the arena end with a NUL */
    const char *place = t->places != NULL ? t->places[i] : (const char *)t->files[i].name.p;
    int fd = open_below(t->fd, place, t->places == NULL && t->files[i].link, O_RDONLY);
    if (fd >= 0 && (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))) {
        (void)close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

/* ---- listing ---- */

struct listing {
    struct bz_tree *t;
    const struct bz_tree_options *o;
    size_t cap;
};

static enum bz_status add_file(struct listing *l, struct bz_view name, uint64_t size, bool link) {
    struct bz_tree *t = l->t;
    if (t->files_n == BZ_MODEL_FILES_MAX) {
        why(t, bz_view(NULL, 0), "more than 262,144 files");
        return BZ_ETOOBIG;
    }
    if (t->files_n == l->cap) { /* the old list stays in the arena: at most as much again */
        size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
        struct bz_tree_file *more = bz_arena_alloc(&t->arena, cap * sizeof *more);
        if (more == NULL)
            return BZ_ENOMEM;
        if (t->files_n > 0)
            memcpy(more, t->files, t->files_n * sizeof *more);
        t->files = more;
        l->cap = cap;
    }
    struct bz_view copy = bz_arena_dup(&t->arena, name);
    if (copy.p == NULL)
        return BZ_ENOMEM;
    t->files[t->files_n++] = (struct bz_tree_file){copy, size, link};
    return __builtin_add_overflow(t->bytes, size, &t->bytes) ? BZ_ETOOBIG : BZ_OK;
}

static enum bz_status list_dir(struct listing *l, int dir, struct bz_view above, int depth);

static enum bz_status list_entry(struct listing *l, int dir, struct bz_view path, const char *name,
                                 int depth) {
    struct stat s;
    if (!bz_model_name_in_ok(path)) {
        why(l->t, path, "its name has a control character, a backslash or is no UTF-8");
        return BZ_EINVAL;
    }
    if (fstatat(dir, name, &s, AT_SYMLINK_NOFOLLOW) != 0) {
        why(l->t, path, strerror(errno));
        return of_errno(errno);
    }
    bool link = S_ISLNK(s.st_mode);
    if (link && !l->o->allow_symlinks) {
        why(l->t, path, "is a symbolic link; --allow-symlinks takes what it leads to");
        return BZ_EINVAL;
    }
    if (link && fstatat(dir, name, &s, 0) != 0) {
        why(l->t, path, "is a symbolic link that leads to nothing");
        return BZ_EINVAL;
    }
    if (S_ISREG(s.st_mode))
        return add_file(l, path, (uint64_t)s.st_size, link);
    if (!S_ISDIR(s.st_mode) || link) {
        why(l->t, path,
            link ? "is a symbolic link to a folder" : "is a device, a socket or a FIFO");
        return BZ_EINVAL;
    }
    if (depth >= DEPTH_MAX) {
        why(l->t, path, "is nested more than 32 levels deep");
        return BZ_ETOOBIG;
    }
    int fd = open_below(dir, name, false, O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
        why(l->t, path, strerror(errno));
        return of_errno(errno);
    }
    return list_dir(l, fd, path, depth + 1);
}

/* Takes `dir`. */
static enum bz_status list_dir(struct listing *l, int dir, struct bz_view above, int depth) {
    DIR *d = fdopendir(dir);
    enum bz_status st = BZ_OK;
    if (d == NULL) {
        (void)close(dir);
        return BZ_EIO;
    }
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(d);
        if (e == NULL && errno != 0)
            st = BZ_EIO;
        if (e == NULL || st != BZ_OK)
            break;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        struct bz_buf path;
        bz_buf_init(&path, 2 * BZ_MODEL_FILE_NAME_MAX);
        bz_buf_put(&path, above);
        if (above.n > 0)
            bz_buf_putc(&path, '/');
        bz_buf_puts(&path, e->d_name);
        st = bz_buf_status(&path);
        if (st == BZ_OK && !bz_model_ignored(bz_buf_view(&path), l->o->ignore, l->o->ignore_n))
            st = list_entry(l, dirfd(d), bz_buf_view(&path), e->d_name, depth);
        bz_buf_free(&path);
    }
    (void)closedir(d);
    return st;
}

static int by_name(const void *a, const void *b) {
    const struct bz_tree_file *x = a, *y = b;
    return bz_model_name_cmp(x->name, y->name);
}

static enum bz_status list_all(struct listing *l) {
    struct bz_tree *t = l->t;
    struct stat s;
    if (fstat(t->fd, &s) != 0)
        return BZ_EIO;
    if (S_ISREG(s.st_mode)) {
        t->single = true;
        return add_file(l, BZ_V("."), (uint64_t)s.st_size, false);
    }
    if (!S_ISDIR(s.st_mode)) {
        why(t, bz_view(NULL, 0), "neither a file nor a folder");
        return BZ_EINVAL;
    }
    int fd = fcntl(t->fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return BZ_EIO;
    BZ_TRY(list_dir(l, fd, bz_view(NULL, 0), 0));
    if (t->files_n > 0)
        qsort(t->files, t->files_n, sizeof *t->files, by_name);
    return BZ_OK;
}

enum bz_status bz_tree_open(const char *path, const struct bz_tree_options *o,
                            struct bz_tree *ret) {
    struct listing l = {.t = ret, .o = o};
    *ret = (struct bz_tree){.fd = -1};
    bz_arena_init(&ret->arena, bz_alloc_heap, ARENA_MAX, NULL, 0);
    ret->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (ret->fd < 0) {
        why(ret, bz_view(NULL, 0), strerror(errno));
        return of_errno(errno);
    }
    enum bz_status st = list_all(&l);
    if (st != BZ_OK && ret->why[0] == '\0')
        why(ret, bz_view(NULL, 0), bz_status_text(st));
    return st;
}

void bz_tree_close(struct bz_tree *t) {
    if (t->fd >= 0)
        (void)close(t->fd);
    t->fd = -1;
    bz_arena_free(&t->arena);
}

/* ---- hashing ---- */

struct hashing { /* one of the two, by `hash` */
    enum bz_model_hash hash;
    struct bz_sha256 sha;
    struct bz_blake2b blake;
};

static void hashing_init(struct hashing *h, enum bz_model_hash hash) {
    h->hash = hash;
    if (hash == BZ_MODEL_BLAKE2B)
        bz_blake2b512_init(&h->blake);
    else
        bz_sha256_init(&h->sha);
}

static void hashing_add(struct hashing *h, struct bz_view v) {
    if (h->hash == BZ_MODEL_BLAKE2B)
        bz_blake2b512_add(&h->blake, v);
    else
        bz_sha256_add(&h->sha, v);
}

static void hashing_end(struct hashing *h, uint8_t out[BZ_MODEL_DIGEST_MAX]) {
    if (h->hash == BZ_MODEL_BLAKE2B)
        bz_blake2b512_end(&h->blake, out);
    else
        bz_sha256_end(&h->sha, out);
}

struct pool { /* shared by the threads of one call */
    struct bz_tree *t;
    const struct bz_tree_options *o;
    struct bz_model_item *items;
    const uint32_t *file; /* of an item */
    size_t items_n;
    enum bz_model_hash hash;
    _Atomic size_t next;
    _Atomic uint64_t done;
    _Atomic bool stop;
    pthread_mutex_t lock; /* of the two below */
    enum bz_status st;    /* the first failure */
};

/* Progress or a wish to stop, after each chunk. */
typedef bool step_fn(void *ctx, size_t n);

/* The buffer stays in the processor's second-level cache: a larger one costs a tenth of the rate. */
static enum bz_status hash_range(int fd, enum bz_model_hash hash, uint64_t from, uint64_t to,
                                 uint8_t out[BZ_MODEL_DIGEST_MAX], uint64_t *ret_n, step_fn *step,
                                 void *ctx) {
    struct hashing h;
    uint8_t *buf = aligned_alloc(4096, CHUNK);
    uint64_t at = from;
    enum bz_status st = buf == NULL ? BZ_ENOMEM : BZ_OK;
    hashing_init(&h, hash);
    while (st == BZ_OK && at < to) {
        size_t want = to - at < CHUNK ? (size_t)(to - at) : CHUNK;
        ssize_t n = pread(fd, buf, want, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            st = BZ_EIO;
        if (n <= 0)
            break;
        hashing_add(&h, bz_view(buf, (size_t)n));
        at += (uint64_t)n;
        if (step != NULL && !step(ctx, (size_t)n))
            st = BZ_ELIMIT;
    }
    free(buf);
    hashing_end(&h, out);
    *ret_n = at - from;
    return st;
}

enum bz_status bz_fd_hash(int fd, enum bz_model_hash hash, uint64_t from, uint64_t to,
                          uint8_t out[BZ_MODEL_DIGEST_MAX], uint64_t *ret_n) {
    return hash_range(fd, hash, from, to, out, ret_n, NULL, NULL);
}

static bool pool_step(void *ctx, size_t n) {
    struct pool *p = ctx;
    (void)atomic_fetch_add(&p->done, n);
    return !atomic_load(&p->stop);
}

static void pool_fail(struct pool *p, enum bz_status st, struct bz_view name, const char *text) {
    (void)pthread_mutex_lock(&p->lock);
    if (p->st == BZ_OK) {
        p->st = st;
        if (st != BZ_ELIMIT)
            why(p->t, name, text);
    }
    (void)pthread_mutex_unlock(&p->lock);
    atomic_store(&p->stop, true);
}

/* Whole files are read one byte further than listed: one that grew is noticed as one that shrank is. */
static void hash_item(struct pool *p, size_t i) {
    struct bz_model_item *it = &p->items[i];
    const struct bz_tree_file *f = &p->t->files[p->file[i]];
    const bool shard = it->end > 0;
    uint64_t n = 0, from = it->start, to = shard ? it->end : UINT64_MAX;
    int fd = bz_tree_file_open(p->t, p->file[i]);
    if (fd < 0) {
        pool_fail(p, of_errno(errno), f->name, strerror(errno));
        return;
    }
    enum bz_status st = hash_range(fd, p->hash, from, to, it->digest, &n, pool_step, p);
    (void)close(fd);
    if (st != BZ_OK)
        pool_fail(p, st, f->name, st == BZ_EIO ? strerror(errno) : bz_status_text(st));
    else if (n != (shard ? it->end - it->start : f->size))
        pool_fail(p, BZ_EIO, f->name, "changed its size while it was read");
}

static void *pool_thread(void *ctx) {
    struct pool *p = ctx;
    for (;;) {
        size_t i = atomic_fetch_add(&p->next, 1);
        if (i >= p->items_n || atomic_load(&p->stop))
            return NULL;
        hash_item(p, i);
    }
}

/* Runs beside the threads, in the caller's: progress is its business, and a wish to stop. */
static void pool_watch(struct pool *p, const pthread_t *threads, size_t n) {
    struct timespec until;
    for (size_t i = 0; i < n;) {
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 100000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_timedjoin_np(threads[i], NULL, &until) == 0)
            i++;
        if (p->o->progress != NULL &&
            !p->o->progress(p->o->progress_ctx, atomic_load(&p->done), p->t->bytes))
            pool_fail(p, BZ_ELIMIT, bz_view(NULL, 0), NULL);
    }
}

static enum bz_status pool_run(struct pool *p) {
    pthread_t threads[THREADS_MAX];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t want = p->o->threads > 0 ? p->o->threads : cores > 0 ? (size_t)cores : 1, n = 0;
    want = want > THREADS_MAX ? THREADS_MAX : want;
    want = want > p->items_n ? p->items_n : want;
    while (n < want && pthread_create(&threads[n], NULL, pool_thread, p) == 0)
        n++;
    if (n == 0 && p->items_n > 0)
        (void)pool_thread(p); /* no thread to be had: slower, not wrong */
    pool_watch(p, threads, n);
    return p->st;
}

/* Takes the two lists, which live in the tree's arena. */
static enum bz_status run_items(struct bz_tree *t, const struct bz_tree_options *o,
                                enum bz_model_hash hash, struct bz_model_item *items,
                                const uint32_t *file, size_t n) {
    struct pool p = {
        .t = t, .o = o, .hash = hash, .items = items, .file = file, .items_n = n, .st = BZ_OK};
    if (pthread_mutex_init(&p.lock, NULL) != 0)
        return BZ_ENOMEM;
    enum bz_status st = pool_run(&p);
    (void)pthread_mutex_destroy(&p.lock);
    return st;
}

static uint64_t shards_of(uint64_t size, uint64_t shard) {
    return shard == 0 ? 1 : size / shard + (size % shard != 0);
}

enum bz_status bz_tree_hash(struct bz_tree *t, const struct bz_tree_options *o,
                            enum bz_model_hash hash, uint64_t shard_size,
                            const struct bz_model_item **ret, size_t *ret_n) {
    uint64_t total = 0;
    size_t n = 0;
    for (size_t i = 0; i < t->files_n && total <= BZ_MODEL_FILES_MAX; i++)
        total += shards_of(t->files[i].size, shard_size);
    if (total > BZ_MODEL_FILES_MAX) {
        why(t, bz_view(NULL, 0), "more than 262,144 files or shards; take larger shards");
        return BZ_ETOOBIG;
    }
    uint32_t *file = bz_arena_alloc(&t->arena, (size_t)total * sizeof *file);
    struct bz_model_item *items = bz_arena_zalloc(&t->arena, (size_t)total * sizeof *items);
    if (file == NULL || items == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < t->files_n; i++) {
        uint64_t count = shards_of(t->files[i].size, shard_size), size = t->files[i].size;
        for (uint64_t k = 0; k < count; k++) {
            uint64_t from = k * shard_size,
                     to = from + shard_size < size ? from + shard_size : size;
            file[n] = (uint32_t)i;
            items[n++] =
                (struct bz_model_item){t->files[i].name, from, shard_size == 0 ? 0 : to, {0}};
        }
    }
    BZ_TRY(run_items(t, o, hash, items, file, n));
    *ret = items;
    *ret_n = n;
    return BZ_OK;
}

enum bz_status bz_tree_hash_parts(struct bz_tree *t, const struct bz_tree_options *o,
                                  struct bz_tree_part *parts, size_t n) {
    uint32_t *file = bz_arena_alloc(&t->arena, n * sizeof *file);
    struct bz_model_item *items = bz_arena_zalloc(&t->arena, n * sizeof *items);
    size_t k = 0;
    if (file == NULL || items == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].to <= parts[i].from) {
            bz_sha256(bz_view(NULL, 0), parts[i].sha256);
            continue;
        }
        file[k] = parts[i].file;
        items[k++] =
            (struct bz_model_item){t->files[parts[i].file].name, parts[i].from, parts[i].to, {0}};
    }
    BZ_TRY(run_items(t, o, BZ_MODEL_SHA256, items, file, k));
    k = 0;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].to > parts[i].from)
            memcpy(parts[i].sha256, items[k++].digest, BZ_HASH_LEN);
    }
    return BZ_OK;
}
