/* Digests beside the loop: model files are gigabytes, and admin calls do not wait for them. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "watch_int.h"

enum { THREADS = 2, JOBS_MAX = 256, CHUNK = 128 << 10 };

struct job {
    int fd;
    struct watch_id id;
    uint8_t sha256[BZ_HASH_LEN];
    bool ok;
};
struct watch_hasher {
    pthread_t thread[THREADS];
    size_t threads_n;
    pthread_mutex_t lock; /* of everything below but `stop` */
    pthread_cond_t work;
    struct job todo[JOBS_MAX], done[JOBS_MAX];
    size_t todo_n, done_n, busy;
    _Atomic bool stop;
};

static bool same_state(int fd, const struct watch_id *id) {
    struct stat s;
    return fstat(fd, &s) == 0 && (uint64_t)s.st_size == id->size &&
           (uint64_t)s.st_ctim.tv_sec * 1000000000u + (uint64_t)s.st_ctim.tv_nsec == id->ctime_ns;
}

static bool hash(struct watch_hasher *h, struct job *j, uint8_t *buf) {
    struct bz_sha256 sha;
    uint64_t at = 0;
    bz_sha256_init(&sha);
    for (;;) {
        ssize_t n = pread(j->fd, buf, CHUNK, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || atomic_load(&h->stop))
            return false;
        if (n == 0)
            break;
        bz_sha256_add(&sha, bz_view(buf, (size_t)n));
        at += (uint64_t)n;
    }
    bz_sha256_end(&sha, j->sha256);
    return at == j->id.size && same_state(j->fd, &j->id);
}

static void *thread_main(void *ctx) {
    struct watch_hasher *h = ctx;
    uint8_t *buf = aligned_alloc(4096, CHUNK);
    (void)pthread_mutex_lock(&h->lock);
    while (!atomic_load(&h->stop)) {
        if (h->todo_n == 0) {
            (void)pthread_cond_wait(&h->work, &h->lock);
            continue;
        }
        struct job j = h->todo[0];
        h->todo_n--;
        for (size_t i = 0; i < h->todo_n; i++)
            h->todo[i] = h->todo[i + 1];
        h->busy++;
        (void)pthread_mutex_unlock(&h->lock);
        j.ok = buf != NULL && hash(h, &j, buf);
        (void)close(j.fd);
        (void)pthread_mutex_lock(&h->lock);
        h->busy--;
        if (h->done_n < JOBS_MAX) /* there is room: todo, busy and done together stay below */
            h->done[h->done_n++] = j;
    }
    (void)pthread_mutex_unlock(&h->lock);
    free(buf);
    return NULL;
}

enum bz_status watch_hasher_new(struct watch_hasher **ret) {
    struct watch_hasher *h = calloc(1, sizeof *h);
    if (h == NULL)
        return BZ_ENOMEM;
    if (pthread_mutex_init(&h->lock, NULL) != 0 || pthread_cond_init(&h->work, NULL) != 0) {
        free(h);
        return BZ_ENOMEM;
    }
    while (h->threads_n < THREADS &&
           pthread_create(&h->thread[h->threads_n], NULL, thread_main, h) == 0)
        h->threads_n++;
    if (h->threads_n == 0) {
        watch_hasher_free(h);
        return BZ_ENOMEM;
    }
    *ret = h;
    return BZ_OK;
}

void watch_hasher_free(struct watch_hasher *h) {
    if (h == NULL)
        return;
    atomic_store(&h->stop, true);
    (void)pthread_mutex_lock(&h->lock);
    (void)pthread_cond_broadcast(&h->work);
    (void)pthread_mutex_unlock(&h->lock);
    for (size_t i = 0; i < h->threads_n; i++)
        (void)pthread_join(h->thread[i], NULL);
    for (size_t i = 0; i < h->todo_n; i++)
        (void)close(h->todo[i].fd);
    (void)pthread_cond_destroy(&h->work);
    (void)pthread_mutex_destroy(&h->lock);
    free(h);
}

enum bz_status watch_hasher_put(struct watch_hasher *h, int fd, const struct watch_id *id) {
    (void)pthread_mutex_lock(&h->lock);
    bool room = h->todo_n + h->busy + h->done_n < JOBS_MAX;
    if (room) {
        h->todo[h->todo_n++] = (struct job){.fd = fd, .id = *id};
        (void)pthread_cond_signal(&h->work);
    }
    (void)pthread_mutex_unlock(&h->lock);
    if (!room)
        (void)close(fd);
    return room ? BZ_OK : BZ_ELIMIT;
}

bool watch_hasher_get(struct watch_hasher *h, struct watch_id *ret_id,
                      uint8_t ret_sha256[BZ_HASH_LEN], bool *ret_ok) {
    (void)pthread_mutex_lock(&h->lock);
    bool any = h->done_n > 0;
    if (any) {
        const struct job *j = &h->done[--h->done_n];
        *ret_id = j->id;
        *ret_ok = j->ok;
        memcpy(ret_sha256, j->sha256, BZ_HASH_LEN);
    }
    (void)pthread_mutex_unlock(&h->lock);
    return any;
}
