/* Cost of reading, writing and digesting chat bodies, also as a multiple of SHA-256 on the same
 * machine, which makes numbers of different machines comparable. Best of several rounds. */
#include <bartizan/crypto.h>
#include <bartizan/json.h>
#include <bartizan/text.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct job {
    struct bz_view body;
    struct bz_json *tree;
    struct bz_buf out;
    uint8_t *mem;
    size_t mem_n;
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void must(enum bz_status st) {
    if (st != BZ_OK) {
        fprintf(stderr, "bench: %s\n", bz_status_text(st));
        exit(2);
    }
}

static void do_sha256(struct job *j) {
    uint8_t hash[BZ_HASH_LEN];
    bz_sha256(j->body, hash);
}

static void do_parse(struct job *j) {
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, j->mem, j->mem_n);
    must(bz_json_parse(j->body, NULL, &ar, &j->tree, NULL));
    bz_arena_free(&ar);
}

static void do_check(struct job *j) {
    struct bz_arena ar;
    bz_arena_init(&ar, bz_alloc_heap, 64u << 20, j->mem, j->mem_n);
    must(bz_json_check(j->body, NULL, &ar, NULL));
    bz_arena_free(&ar);
}

static void do_write(struct job *j) {
    bz_buf_reset(&j->out);
    bz_json_write(&j->out, j->tree);
}

static void do_utf8(struct job *j) {
    if (bz_utf8_valid(j->body) != j->body.n)
        must(BZ_EUTF8);
}

static void do_digest(struct job *j) {
    static const uint8_t key[BZ_KEY_LEN] = {1};
    uint8_t out[16];
    bz_body_digest(key, 7, j->body, out);
}

static double best(struct job *j, void (*f)(struct job *)) {
    double least = 1e9;
    long runs = (long)(8000000 / (j->body.n + 1000)) + 1;
    for (int round = 0; round < 7; round++) {
        double t = now();
        for (long i = 0; i < runs; i++)
            f(j);
        t = (now() - t) / (double)runs;
        least = t < least ? t : least;
    }
    return least;
}

/* A chat of short turns, or one long prompt, of about n bytes. `filler` is repeated. */
static void chat(struct bz_buf *b, size_t n, const char *filler, size_t turn) {
    bz_buf_init(b, 1u << 20);
    bz_buf_puts(b,
                "{\"model\":\"assistant\",\"stream\":true,\"temperature\":0.7,\"max_tokens\":512,"
                "\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful assistant.\"}");
    while (b->n + 40 < n) {
        bz_buf_puts(b, ",{\"role\":\"user\",\"content\":\"");
        size_t stop = b->n + turn < n ? b->n + turn : n;
        while (b->n < stop)
            bz_buf_puts(b, filler);
        bz_buf_puts(b, "\"}");
    }
    bz_buf_puts(b, "]}");
    must(bz_buf_status(b));
}

static void one(const char *name, size_t n, const char *filler, size_t turn) {
    static const struct {
        const char *name;
        void (*f)(struct job *);
    } steps[] = {{"sha256", do_sha256}, {"parse", do_parse}, {"check", do_check},
                 {"write", do_write},   {"utf8", do_utf8},   {"digest", do_digest}};
    struct bz_buf body;
    chat(&body, n, filler, turn);
    struct job j = {.body = bz_buf_view(&body), .mem_n = 4u << 20};
    j.mem = malloc(j.mem_n);
    if (j.mem == NULL)
        must(BZ_ENOMEM);
    bz_buf_init(&j.out, 4u << 20);
    double sha = 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        double t = best(&j, steps[i].f);
        sha = i == 0 ? t : sha;
        printf("%-14s %7zu B  %-7s %10.0f ns/op %8.2f GB/s %8.3f of sha256\n", name, body.n,
               steps[i].name, t * 1e9, (double)body.n / t * 1e-9, t / sha);
    }
    free(j.mem);
    bz_buf_free(&j.out);
    bz_buf_free(&body);
}

int main(void) {
    static const char ascii[] = "The quick brown fox jumps over the lazy dog, and then some. ";
    static const char lines[] = "The quick brown fox jumps over it.\\nAnd \\\"then\\\" some more. ";
    static const char greek[] = "\xce\x9e\xce\xb5\xcf\x83\xce\xba\xce\xb5\xcf\x80\xce\xac\xce\xb6"
                                "\xcf\x89 \xe4\xbd\xa0\xe5\xa5\xbd ";
    must(bz_crypto_init());
    one("chat", 512, ascii, 100);
    one("chat", 1024, ascii, 150);
    one("chat", 4096, ascii, 300);
    one("chat", 65536, ascii, 1000);
    one("one prompt", 65536, ascii, 65536);
    one("with escapes", 65536, lines, 65536);
    one("not ASCII", 65536, greek, 65536);
    return 0;
}
