/* A worker: takes items until none is left. */
#include "scan_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "scan_confine.h"
#include "scan_file.h"
#include "scan_ask.h"

enum { FIRST = 64 * 1024, KEPT = 32 << 20, NAME_BYTES = 8192 };
static const size_t memory_max = (size_t)1 << 30;

struct worker {
    const struct bz_scan_run *r;
    struct bz_scan_shared *shared;
    int out, ask;
    uint64_t told; /* bytes of the file that are counted already */
    struct bz_buf b;
    char *name;     /* of the file, as it is shown: NAME_BYTES */
    uint8_t *first; /* memory that most scans never outgrow */
};

static bool progress(void *ctx, uint64_t done) {
    struct worker *w = ctx;
    w->shared->bytes += done - w->told;
    w->told = done;
    return true;
}

static bool flush(struct worker *w) {
    const uint8_t *p = w->b.p;
    size_t n = w->b.n;
    while (n > 0) {
        ssize_t k = write(w->out, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        p += k;
        n -= (size_t)k;
    }
    w->b.n = 0;
    return true;
}

/* Below the scanned folder, through no link: what the list said may have changed since. */
static int open_item(const struct bz_scan_list *l, size_t i) {
    struct open_how how = {.flags = O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, l->roots[l->items[i].root].fd, l->items[i].path, &how,
                        sizeof how);
}

static void scan_open(struct worker *w, struct bz_scan_file *f, struct bz_scan_outcome *o) {
    struct bz_arena ar;
    struct bz_scan_result res = {.format = "unknown"};
    struct bz_scan_options opt = w->r->options;
    struct bz_source src = bz_scan_file_source(f);
    const struct bz_scan_item *item = &w->r->list->items[o->item];
    bz_arena_init(&ar, bz_alloc_heap, memory_max, w->first, FIRST);
    struct bz_scan_asker asker = {.socket = w->ask, .fd = f->fd};
    bz_scan_asker_join(&asker, &opt);
    bz_scan_list_name(w->r->list, o->item, w->name, NAME_BYTES);
    opt.installed = bz_scan_list_software(w->name);
    opt.sibling = bz_scan_file_sibling;
    opt.sibling_ctx = f;
    opt.progress = progress;
    opt.progress_ctx = w;
    w->told = 0;
    o->st = bz_scan(&ar, &src, bz_view_str(item->path), &opt, &res);
    if (o->st == BZ_OK && w->r->hash) {
        o->st = bz_scan_hash(f->fd, f->size, &w->shared->bytes, o->hash);
        o->hashed = o->st == BZ_OK;
    }
    bz_scan_record_put(&w->b, w->r, o, o->st == BZ_OK ? &res : NULL);
    bz_arena_free(&ar);
}

static void scan_item(struct worker *w, size_t i) {
    struct bz_scan_outcome o = {.item = i, .st = BZ_EIO};
    struct bz_scan_file f;
    struct stat sb;
    const struct bz_scan_item *item = &w->r->list->items[i];
    int fd = open_item(w->r->list, i);
    if (fd < 0 || fstat(fd, &sb) != 0) {
        o.error = errno;
        bz_scan_record_put(&w->b, w->r, &o, NULL);
    } else {
        o.size = (uint64_t)sb.st_size;
        bz_scan_file_init(&f, fd, w->r->list->roots[item->root].fd, item->path, o.size);
        if (S_ISREG(sb.st_mode))
            scan_open(w, &f, &o);
        else
            bz_scan_record_put(&w->b, w->r, &o, NULL); /* it was a file when it was listed */
        bz_scan_file_done(&f);
    }
}

static bool too_big(struct worker *w, size_t from, size_t i) {
    if (bz_buf_status(&w->b) == BZ_OK)
        return false;
    struct bz_scan_outcome o = {.item = i, .st = BZ_ENOMEM};
    w->b.st = BZ_OK;
    w->b.n = from;
    bz_scan_record_put(&w->b, w->r, &o, NULL);
    return bz_buf_status(&w->b) != BZ_OK;
}

int bz_scan_work(const struct bz_scan_run *r, struct bz_scan_shared *shared, unsigned self, int out,
                 int ask) {
    struct worker w = {.r = r, .shared = shared, .out = out, .ask = ask};
    int *dirs = malloc((r->list->roots_n + 1) * sizeof *dirs);
    /* Members come and go by the thousand: memory that was given back is kept for the next one. */
    (void)mallopt(M_TRIM_THRESHOLD, KEPT);
    (void)mallopt(M_MMAP_THRESHOLD, KEPT);
    w.first = malloc(FIRST);
    w.name = malloc(NAME_BYTES);
    bz_buf_init(&w.b, 2 * BZ_SCAN_RECORD_MAX);
    if (dirs == NULL || w.first == NULL || w.name == NULL)
        return 1;
    for (size_t i = 0; i < r->list->roots_n; i++)
        dirs[i] = r->list->roots[i].fd;
    (void)bz_scan_confine(dirs, r->list->roots_n);
    for (;;) {
        uint32_t i = shared->next++;
        if (i >= r->list->n)
            break;
        size_t from = w.b.n;
        shared->current[self] = i;
        scan_item(&w, i);
        if (too_big(&w, from, i) || !flush(&w)) /* nothing is lost if the next one kills it */
            return 1;
        shared->current[self] = UINT32_MAX;
    }
    return 0;
}
