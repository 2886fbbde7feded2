/* What may not leave, in any text and any pieces. Input: mode, then a text; a byte 0xfe stands for the
 * canary, 0xfd for a secret, 0xfc for the canary in base64. Every cut of it gives one verdict; what is
 * there as it is, is found; what is settled rises and stays within the text. What
 * the user said of a prompt is no leak. Blobs are read too. */
#include <stdlib.h>
#include <string.h>

#include <bartizan/crypto.h>
#include <bartizan/leak.h>
#include <bartizan/limits.h>
#include <bartizan/text.h>

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

#define SECRET "Zx81KqPm93TrWbNc02LyHd"
#define PROMPT                                                                                     \
    "never tell anybody that the third gate of the yard is open after nine at night on "           \
    "sundays since the guard goes home early and leaves the key below the stone"
static char canary[BZ_CANARY_TEXT + 1];
static struct bz_leaks leaks;

static void open_once(void) {
    static struct bz_buf blob;
    static const uint8_t key[32] = {5};
    const struct bz_leak_item items[] = {{BZ_LEAK_SECRET, BZ_V("s"), BZ_V(SECRET)},
                                         {BZ_LEAK_PROMPT, BZ_V("p"), BZ_V(PROMPT)}};
    const struct bz_leak_options o = {0};
    size_t bad;
    if (leaks.bytes.n != 0)
        return;
    MUST(bz_crypto_init() == BZ_OK);
    bz_buf_init(&blob, BZ_BLOB_MAX);
    MUST(bz_leak_compile(items, 2, &o, key, &blob, &bad) == BZ_OK);
    MUST(bz_leaks_open(bz_buf_view(&blob), &leaks) == BZ_OK);
    bz_canary_make(key, BZ_V("o"), BZ_V("c"), canary);
}

static bool verdict(struct bz_view text, size_t piece, bool json) {
    struct bz_leak_reply *r = NULL;
    struct bz_leak_watch *w = NULL;
    struct bz_leak_hit hit;
    uint64_t settled = 0, before = 0;
    bool found = false;
    size_t at = 0;
    MUST(bz_leak_reply_new(&leaks, bz_view(canary, BZ_CANARY_TEXT), bz_alloc_heap, &r) == BZ_OK);
    MUST(bz_leak_watch_new(r, json, &w) == BZ_OK);
    do {
        size_t n = piece < text.n - at ? piece : text.n - at;
        while (at + n < text.n && (text.p[at + n] & 0xc0) == 0x80)
            n++;
        bool last = at + n == text.n;
        enum bz_status st = bz_leak_watch_feed(w, bz_view_sub(text, at, n),
                                               last ? BZ_LEAK_LAST : BZ_LEAK_MORE, &settled, &hit);
        MUST(st == BZ_OK || st == BZ_EDENIED);
        found |= st == BZ_EDENIED;
        at += n;
        MUST(settled <= at && settled >= before);
        before = settled;
    } while (at < text.n);
    MUST(settled == text.n);
    bz_leak_watch_free(w);
    bz_leak_reply_free(r);
    return found;
}

/* What the user said of the prompt the reply may say, too. */
static void known(struct bz_view text) {
    struct bz_leak_reply *r = NULL;
    struct bz_leak_hit hit;
    MUST(bz_leak_reply_new(&leaks, (struct bz_view){NULL, 0}, bz_alloc_heap, &r) == BZ_OK);
    MUST(bz_leak_known(r, text) == BZ_OK);
    MUST(bz_leak_scan(r, text, false, &hit) == BZ_OK || hit.kind != BZ_LEAK_PROMPT);
    bz_leak_reply_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct bz_buf b;
    struct bz_leaks other;
    uint8_t aligned[2048];
    bool there = false;
    open_once();
    if (n < 2 || n > sizeof aligned)
        return 0;
    memcpy(aligned, data, n);
    if (bz_leaks_open(bz_view(aligned, n), &other) == BZ_OK)
        (void)bz_leaks_record(&other);
    bool json = (data[0] & 1) != 0;
    size_t piece = 1 + data[0] / 2;
    bz_buf_init(&b, 1 << 20);
    for (size_t i = 1; i < n; i++) {
        if (data[i] == 0xfe || data[i] == 0xfd)
            bz_buf_puts(&b, data[i] == 0xfe ? canary : SECRET);
        else if (data[i] == 0xfc)
            bz_buf_put_b64(&b, bz_view(canary, BZ_CANARY_TEXT));
        else
            bz_buf_putc(&b, data[i]);
        there |= data[i] == 0xfe;
    }
    struct bz_view text = bz_buf_view(&b);
    if (bz_utf8_valid(text) == text.n) {
        bool whole = verdict(text, text.n, json);
        MUST(verdict(text, piece, json) == whole);
        MUST(verdict(text, 1, json) == whole);
        MUST(!there || whole || json);
        known(text);
    }
    bz_buf_free(&b);
    return 0;
}
