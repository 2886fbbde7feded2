/* SHA-256 of a file. One core hashes at the speed of memory copies divided by a few, so a second
 * thread reads ahead into a ring of blocks that stay in the cache. */
#include <bartizan/crypto.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

#include "scan_worker.h"

enum { BLOCK = 512 * 1024, BLOCKS = 4 };
static const uint64_t alone_up_to = 4 << 20; /* a thread costs more than it saves */

struct ring {
    int fd;
    uint64_t size;
    uint8_t *mem;
    size_t n[BLOCKS]; /* 0: it could not be read */
    sem_t full, empty;
};

static bool read_block(int fd, uint64_t off, uint8_t *p, size_t n) {
    while (n > 0) {
        ssize_t k = pread(fd, p, n, (off_t)off);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false; /* shorter than it was */
        p += k;
        off += (uint64_t)k;
        n -= (size_t)k;
    }
    return true;
}

static size_t block_at(uint64_t size, uint64_t off) {
    return size - off < BLOCK ? (size_t)(size - off) : BLOCK;
}

static void wait_for(sem_t *s) {
    while (sem_wait(s) != 0 && errno == EINTR)
        ;
}

static void *reader(void *ctx) {
    struct ring *r = ctx;
    size_t i = 0;
    for (uint64_t off = 0; off < r->size; i = (i + 1) % BLOCKS) {
        wait_for(&r->empty);
        size_t n = block_at(r->size, off);
        r->n[i] = read_block(r->fd, off, r->mem + i * BLOCK, n) ? n : 0;
        bool failed = r->n[i] == 0; /* the block is the other one's from here on */
        (void)sem_post(&r->full);
        if (failed)
            break;
        off += n;
    }
    return NULL;
}

static enum bz_status with_reader(struct ring *r, _Atomic uint64_t *told, struct bz_sha256 *s) {
    pthread_t t;
    size_t i = 0;
    if (pthread_create(&t, NULL, reader, r) != 0)
        return BZ_EUNAVAIL;
    bool failed = false;
    for (uint64_t off = 0; off < r->size; i = (i + 1) % BLOCKS) {
        wait_for(&r->full);
        failed = r->n[i] == 0;
        if (failed)
            break;
        bz_sha256_add(s, bz_view(r->mem + i * BLOCK, r->n[i]));
        off += r->n[i];
        if (told != NULL)
            *told += r->n[i];
        (void)sem_post(&r->empty);
    }
    (void)pthread_join(t, NULL);
    return failed ? BZ_EIO : BZ_OK;
}

static enum bz_status alone(struct ring *r, _Atomic uint64_t *told, struct bz_sha256 *s) {
    for (uint64_t off = 0; off < r->size;) {
        size_t n = block_at(r->size, off);
        if (!read_block(r->fd, off, r->mem, n))
            return BZ_EIO;
        bz_sha256_add(s, bz_view(r->mem, n));
        off += n;
        if (told != NULL)
            *told += n;
    }
    return BZ_OK;
}

enum bz_status bz_scan_hash(int fd, uint64_t size, _Atomic uint64_t *told, uint8_t out[32]) {
    struct ring r = {.fd = fd, .size = size};
    struct bz_sha256 s;
    enum bz_status st = BZ_EUNAVAIL;
    r.mem = malloc((size_t)BLOCK * (size > alone_up_to ? BLOCKS : 1));
    if (r.mem == NULL)
        return BZ_ENOMEM;
    bz_sha256_init(&s);
    if (size > alone_up_to && sem_init(&r.full, 0, 0) == 0 && sem_init(&r.empty, 0, BLOCKS) == 0)
        st = with_reader(&r, told, &s);
    if (st == BZ_EUNAVAIL)
        st = alone(&r, told, &s);
    free(r.mem);
    if (st == BZ_OK)
        bz_sha256_end(&s, out);
    return st;
}
