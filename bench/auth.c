/* Authentication must cost the same with 10 keys and with 1,000,000. Prints, per number of keys:
 * CPU milliseconds to build the image, its size, and nanoseconds for a good key, an unknown id, and
 * a wrong secret. Then the rate limiter. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <bartizan/identity.h>

enum { rounds = 200000, texts_n = 4096 };

static double seconds(clockid_t clock) {
    struct timespec t;
    if (clock_gettime(clock, &t) != 0)
        exit(2);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t rng_state = 88172645463325252u;
static uint64_t rng(void) {
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return rng_state;
}

static void random_key(uint64_t rnd[6], char out[BZ_KEY_TEXT + 1]) {
    for (int i = 0; i < 6; i++)
        rnd[i] = rng();
    bz_key_make((const uint8_t *)rnd, out);
}

static char good[texts_n][BZ_KEY_TEXT + 1], unknown[texts_n][BZ_KEY_TEXT + 1];
static char wrong[texts_n][BZ_KEY_TEXT + 1];
static char user[] = "user", star_text[] = "*", *star[] = {star_text};

static struct bz_key_record *make_keys(size_t n) {
    struct bz_key_record *keys = calloc(n, sizeof *keys);
    static const uint8_t pepper[BZ_KEY_LEN];
    if (keys == NULL)
        exit(2);
    for (size_t i = 0; i < n; i++) {
        char text[BZ_KEY_TEXT + 1];
        uint64_t rnd[6];
        random_key(rnd, text);
        memcpy(keys[i].id, text + 3, BZ_KEY_ID_TEXT);
        keys[i].owner = keys[i].role = user;
        /* only the keys that are used need their real hash */
        size_t spread = n <= texts_n ? 1 : n / texts_n;
        if (i % spread == 0 && i / spread < texts_n) {
            bz_key_hash(pepper, bz_view(text, BZ_KEY_TEXT), keys[i].hash);
            memcpy(good[i / spread], text, sizeof text);
            rnd[5] ^= 1; /* same id, another secret, a right checksum */
            bz_key_make((const uint8_t *)rnd, wrong[i / spread]);
        }
    }
    for (size_t i = n; i < texts_n; i++) {
        memcpy(good[i], good[i % n], sizeof good[i]);
        memcpy(wrong[i], wrong[i % n], sizeof wrong[i]);
    }
    return keys;
}

static double measure(const struct bz_image *img, char texts[][BZ_KEY_TEXT + 1],
                      enum bz_status want) {
    struct bz_principal p;
    double best = 1e9;
    for (int turn = 0; turn < 3; turn++) {
        double from = seconds(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < rounds; i++) {
            const char *t = texts[(unsigned)i * 2654435761u % texts_n];
            if (bz_image_authenticate(img, bz_view(t, BZ_KEY_TEXT), 1, &p) != want)
                exit(3);
        }
        double ns = (seconds(CLOCK_THREAD_CPUTIME_ID) - from) / rounds * 1e9;
        best = ns < best ? ns : best;
    }
    return best;
}

static void bench_keys(size_t n) {
    struct bz_role_config role = {
        .name = user, .routes = star, .routes_n = 1, .models = star, .models_n = 1};
    struct bz_config config = {.roles = &role, .roles_n = 1};
    struct bz_key_record *keys = make_keys(n);
    struct bz_image_input in = {.config = &config, .keys = keys, .keys_n = n};
    struct bz_image img;
    struct bz_buf b;
    bz_buf_init(&b, (size_t)1 << 30);
    double from = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (bz_image_build(&in, &b) != BZ_OK)
        exit(4);
    double built = seconds(CLOCK_PROCESS_CPUTIME_ID) - from;
    from = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (bz_image_open(bz_buf_view(&b), &img) != BZ_OK)
        exit(5);
    double opened = seconds(CLOCK_PROCESS_CPUTIME_ID) - from;
    for (int i = 0; i < texts_n; i++) {
        uint64_t rnd[6];
        random_key(rnd, unknown[i]);
    }
    printf("%8zu keys: build %7.1f ms, open %5.2f ms, %6.1f MiB; good key %4.0f ns, unknown id "
           "%4.0f ns,"
           " wrong secret %4.0f ns\n",
           n, built * 1e3, opened * 1e3, (double)b.n / (1 << 20), measure(&img, good, BZ_OK),
           measure(&img, unknown, BZ_EDENIED), measure(&img, wrong, BZ_EDENIED));
    bz_buf_free(&b);
    free(keys);
}

static void bench_limits(void) {
    size_t n = bz_state_size();
    struct bz_state *s = NULL;
    struct bz_rate r = {1000000000, 1000000000};
    struct bz_rate_result res;
    void *map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || bz_state_format(map, n) != BZ_OK || bz_state_open(map, n, &s) != BZ_OK)
        exit(6);
    double from = seconds(CLOCK_THREAD_CPUTIME_ID);
    for (uint64_t i = 0; i < rounds; i++)
        if (bz_state_take(s, (i % 1000 + 1) * 0x9e3779b97f4a7c15, BZ_METER_REQUESTS, &r, 1,
                          1000000000 + i, &res) != BZ_OK)
            exit(7);
    double took = seconds(CLOCK_THREAD_CPUTIME_ID);
    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t subject = (i % 1000 + 1) * 0x9e3779b97f4a7c15;
        if (bz_state_enter(s, 1, subject, 10, 1000000000 + i) != BZ_OK)
            exit(8);
        bz_state_exit(s, 1, subject);
    }
    double entered = seconds(CLOCK_THREAD_CPUTIME_ID);
    printf("rate: take %.0f ns; concurrency: enter and exit %.0f ns; shared state %.1f MiB\n",
           (took - from) / rounds * 1e9, (entered - took) / rounds * 1e9, (double)n / (1 << 20));
    (void)munmap(map, n);
}

/* What bartizand does at its start: read every key from the store. */
static void bench_store(const char *path, size_t n) {
    struct bz_identity *id = NULL;
    static const uint8_t pepper[BZ_KEY_LEN];
    struct bz_key_wish w = {.owner = user};
    const struct bz_key_record *list = NULL;
    size_t got = 0;
    if (bz_identity_create(path, &id) != BZ_OK ||
        bz_identity_user_add(id, user, user, 1) != BZ_OK || bz_identity_begin(id) != BZ_OK)
        exit(9);
    double from = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < n; i++) {
        char text[BZ_KEY_TEXT + 1];
        uint64_t rnd[6];
        random_key(rnd, text);
        if (bz_identity_key_add(id, pepper, &w, 1, bz_view_str(text)) != BZ_OK)
            exit(10);
    }
    if (bz_identity_commit(id) != BZ_OK)
        exit(11);
    double added = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (bz_identity_keys(id, true, &list, &got) != BZ_OK || got != n)
        exit(12);
    double loaded = seconds(CLOCK_PROCESS_CPUTIME_ID);
    printf("store: %zu keys, added in one transaction %.1f us each, loaded in %.0f ms\n", n,
           (added - from) / (double)n * 1e6, (loaded - added) * 1e3);
    bz_identity_close(id);
}

int main(int argc, char **argv) {
    if (bz_crypto_init() != BZ_OK)
        return 2;
    static const size_t sizes[] = {10, 1000, 100000, 1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        bench_keys(sizes[i]);
    bench_limits();
    if (argc > 1) /* a file that does not exist yet */
        bench_store(argv[1], 1000000);
    return 0;
}
