/* The format of an archive: nothing of it can be changed, cut, moved, repeated or mixed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <bartizan/backup.h>

enum { CHUNKS = 3, FRAMES = CHUNKS + 3 };

static uint8_t pub[BZ_BOX_LEN], sec[BZ_BOX_LEN];
static struct bz_backup_keys keys;
static struct bz_backup_secrets secrets;

static int set_up_keys(void **state) {
    static const uint8_t master[BZ_KEY_LEN] = {7};
    if (bz_crypto_init() != BZ_OK)
        return -1;
    bz_box_keypair(pub, sec);
    bz_backup_keys(master, &keys);
    bz_random(secrets.file_key, sizeof secrets.file_key);
    memcpy(secrets.name_key, keys.name_key, sizeof secrets.name_key);
    return 0;
}

/* ---- making one ---- */

static const char *const contents[CHUNKS] = {"first contents", "other contents", "the third one"};

struct archive {
    struct bz_buf b;
    size_t frame[FRAMES + 1]; /* where each begins; the last: the signature */
    struct bz_backup_head head;
    uint8_t digest[BZ_HASH_LEN];
};

static void put_entries(struct bz_buf *m, const struct bz_backup_head *h) {
    struct bz_backup_manifest meta = {.taken_ns = 5, .log_size = 6, .newest_ns = 4, .entries = 3};
    uint8_t names[CHUNKS][BZ_BACKUP_NAME];
    memcpy(meta.id, h->id, sizeof meta.id);
    memcpy(meta.instance, h->instance, sizeof meta.instance);
    meta.made_by = BZ_V("test");
    for (size_t i = 0; i < CHUNKS; i++)
        bz_keyed_hash(keys.name_key, bz_view_str(contents[i]), names[i]);
    meta.bytes = strlen(contents[0]) + strlen(contents[1]);
    bz_backup_manifest_put(m, &meta);
    struct bz_backup_entry e = {.path = BZ_V("a"), .dir = true, .mode = 0700};
    bz_backup_entry_put(m, &e);
    e = (struct bz_backup_entry){.path = BZ_V("a/b"), .mode = 0600, .size = strlen(contents[0])};
    e.names = bz_view(names[0], BZ_BACKUP_NAME);
    bz_backup_entry_put(m, &e);
    e.path = BZ_V("a.txt");
    e.size = strlen(contents[1]);
    e.names = bz_view(names[1], BZ_BACKUP_NAME);
    bz_backup_entry_put(m, &e);
}

static void make(struct archive *a, uint8_t id) {
    struct bz_backup_writer w;
    struct bz_buf m;
    uint8_t name[BZ_BACKUP_NAME];
    memset(a, 0, sizeof *a);
    bz_buf_init(&a->b, 1 << 20);
    bz_buf_init(&m, 4096);
    a->head.id[0] = id;
    a->head.created_ns = 1000;
    memcpy(a->head.signer, keys.sign_pub, sizeof a->head.signer);
    assert_int_equal(bz_backup_head_add(&a->head, pub, &secrets), BZ_OK);
    bz_backup_start(&w, &a->head, &secrets, &keys, &a->b);
    for (size_t i = 0; i < CHUNKS; i++) {
        a->frame[i] = a->b.n;
        assert_int_equal(bz_backup_put_chunk(&w, bz_view_str(contents[i]), &a->b), BZ_OK);
    }
    put_entries(&m, &a->head);
    a->frame[CHUNKS] = a->b.n;
    assert_int_equal(bz_backup_put_piece(&w, BZ_BACKUP_MANIFEST_FRAME, bz_buf_view(&m), &a->b),
                     BZ_OK);
    a->frame[CHUNKS + 1] = a->b.n;
    bz_keyed_hash(keys.name_key, bz_view_str(contents[0]), name);
    assert_int_equal(
        bz_backup_put_piece(&w, BZ_BACKUP_INDEX_FRAME, bz_view(name, sizeof name), &a->b), BZ_OK);
    a->frame[CHUNKS + 2] = a->b.n;
    assert_int_equal(bz_backup_finish(&w, &keys, &a->b, a->digest), BZ_OK);
    a->frame[FRAMES] = a->b.n - BZ_SIGN_LEN;
    bz_buf_free(&m);
}

/* ---- reading one ---- */

struct memory {
    struct bz_view v;
    size_t reads, fail_at; /* 0: never */
};

static enum bz_status read_memory(void *ctx, uint64_t off, void *p, size_t n) {
    struct memory *m = ctx;
    if (++m->reads == m->fail_at || off > m->v.n || n > m->v.n - off)
        return BZ_EIO;
    memcpy(p, m->v.p + off, n);
    return BZ_OK;
}

struct seen {
    struct bz_backup_scan s;
    struct bz_backup_place at[CHUNKS + 1];
    uint8_t name[CHUNKS + 1][BZ_BACKUP_NAME];
    size_t n;
    struct bz_buf manifest, index;
    struct bz_diag diag;
};

static enum bz_status keep(void *ctx, const uint8_t name[BZ_BACKUP_NAME],
                           const struct bz_backup_place *at) {
    struct seen *seen = ctx;
    if (seen->n > CHUNKS)
        return BZ_EINTERNAL;
    memcpy(seen->name[seen->n], name, BZ_BACKUP_NAME);
    seen->at[seen->n++] = *at;
    return BZ_OK;
}

static void seen_init(struct seen *seen, bool contents_too) {
    memset(seen, 0, sizeof *seen);
    bz_buf_init(&seen->manifest, 1 << 16);
    bz_buf_init(&seen->index, 1 << 16);
    seen->s.ctx = seen;
    if (!contents_too)
        return;
    seen->s.secrets = &secrets;
    seen->s.index_key = keys.index_key;
    seen->s.chunk = keep;
    seen->s.manifest = &seen->manifest;
    seen->s.index = &seen->index;
}

static void seen_done(struct seen *seen) {
    bz_buf_free(&seen->manifest);
    bz_buf_free(&seen->index);
}

static enum bz_status scan_memory(struct memory *m, bool contents_too) {
    struct seen seen;
    seen_init(&seen, contents_too);
    const struct bz_backup_source src = {read_memory, m, m->v.n};
    enum bz_status st = bz_backup_scan(&src, &seen.s, &seen.diag);
    if (st != BZ_OK && st != BZ_EIO)
        assert_non_null(seen.diag.why);
    seen_done(&seen);
    return st;
}

static enum bz_status scan(struct bz_view v, bool contents_too) {
    struct memory m = {.v = v};
    return scan_memory(&m, contents_too);
}

static bool refused(enum bz_status st) {
    return st == BZ_ECORRUPT || st == BZ_ESYNTAX || st == BZ_EVERSION;
}

/* ---- keys ---- */

static void key_texts(void **state) {
    char text[BZ_BACKUP_KEY_TEXT + 1];
    uint8_t back[BZ_KEY_LEN];
    for (int kind = 0; kind < BZ_BACKUP_KEY_KIND_COUNT; kind++) {
        bz_backup_key_text((enum bz_backup_key_kind)kind, pub, text);
        assert_int_equal(strlen(text), BZ_BACKUP_KEY_TEXT);
        for (int other = 0; other < BZ_BACKUP_KEY_KIND_COUNT; other++) {
            enum bz_status st =
                bz_backup_key_parse(bz_view_str(text), (enum bz_backup_key_kind)other, back);
            assert_int_equal(st, other == kind ? BZ_OK : BZ_ESYNTAX);
        }
        assert_memory_equal(back, pub, sizeof back);
    }
}

static void mistyped_keys(void **state) {
    char text[BZ_BACKUP_KEY_TEXT + 1];
    uint8_t back[BZ_KEY_LEN];
    bz_backup_key_text(BZ_BACKUP_RECIPIENT, pub, text);
    for (size_t i = 4; i < BZ_BACKUP_KEY_TEXT; i++) {
        char was = text[i];
        for (const char *c = "abcdefghijklmnopqrstuvwxyz234567ABZ018= "; *c != '\0'; c++) {
            text[i] = *c;
            enum bz_status st = bz_backup_key_parse(bz_view_str(text), BZ_BACKUP_RECIPIENT, back);
            if (*c == was)
                assert_int_equal(st, BZ_OK);
            else
                assert_true(st == BZ_ESYNTAX || st == BZ_ECORRUPT);
        }
        text[i] = was;
        struct bz_view cut = bz_view(text, i);
        assert_int_equal(bz_backup_key_parse(cut, BZ_BACKUP_RECIPIENT, back), BZ_ESYNTAX);
    }
}

/* ---- head ---- */

static void recipients(void **state) {
    struct bz_backup_head h = {0}, back;
    struct bz_backup_secrets got;
    uint8_t p[BZ_BOX_LEN], s[BZ_BOX_LEN];
    size_t used = 0;
    h.id[0] = 1;
    for (uint32_t i = 0; i < BZ_BACKUP_RECIPIENTS_MAX; i++) {
        bz_box_keypair(p, s);
        assert_int_equal(bz_backup_head_add(&h, i == 9 ? pub : p, &secrets), BZ_OK);
    }
    assert_true(bz_backup_head_has(&h, pub));
    assert_int_equal(bz_backup_head_add(&h, pub, &secrets), BZ_ETOOBIG);
    h.recipients_n--;
    assert_int_equal(bz_backup_head_add(&h, pub, &secrets), BZ_EEXISTS);
    h.recipients_n++;
    struct bz_buf b;
    bz_buf_init(&b, BZ_BACKUP_HEAD_MAX);
    bz_backup_head_encode(&h, &b);
    assert_int_equal(bz_buf_status(&b), BZ_OK);
    assert_int_equal(b.n, BZ_BACKUP_HEAD_MAX);
    assert_int_equal(bz_backup_head_decode(bz_buf_view(&b), &back, &used), BZ_OK);
    assert_int_equal(used, b.n);
    assert_memory_equal(&h, &back, sizeof h);
    assert_int_equal(bz_backup_head_open(&back, sec, &got), BZ_OK);
    assert_memory_equal(&got, &secrets, sizeof got);
    bz_box_keypair(p, s);
    assert_int_equal(bz_backup_head_open(&back, s, &got), BZ_ENOTFOUND);
    back.recipient[9].sealed[20] ^= 1;
    assert_int_equal(bz_backup_head_open(&back, sec, &got), BZ_ECORRUPT);
    bz_buf_free(&b);
    memset(p, 0, sizeof p);
    h.recipients_n = 0;
    assert_int_equal(bz_backup_head_add(&h, p, &secrets), BZ_EINVAL);
}

static enum bz_status decode(struct bz_backup_head *h) {
    struct bz_backup_head back;
    struct bz_buf b;
    size_t used;
    bz_buf_init(&b, BZ_BACKUP_HEAD_MAX);
    bz_backup_head_encode(h, &b);
    enum bz_status st = bz_backup_head_decode(bz_buf_view(&b), &back, &used);
    bz_buf_free(&b);
    return st;
}

static void heads_that_contradict_themselves(void **state) {
    struct bz_backup_head h = {0};
    assert_int_equal(decode(&h), BZ_ECORRUPT); /* nobody can open it */
    assert_int_equal(bz_backup_head_add(&h, pub, &secrets), BZ_OK);
    assert_int_equal(decode(&h), BZ_OK);
    h.depth = 1; /* on nothing */
    assert_int_equal(decode(&h), BZ_ECORRUPT);
    h.base_id[0] = 1;
    assert_int_equal(decode(&h), BZ_ECORRUPT);
    h.base_digest[3] = 1;
    assert_int_equal(decode(&h), BZ_OK);
    h.depth = BZ_BACKUP_CHAIN_MAX - 1;
    assert_int_equal(decode(&h), BZ_OK);
    h.depth++;
    assert_int_equal(decode(&h), BZ_ECORRUPT);
    h.depth = 0; /* whole, but on something */
    assert_int_equal(decode(&h), BZ_ECORRUPT);
    memset(h.base_id, 0, sizeof h.base_id);
    memset(h.base_digest, 0, sizeof h.base_digest);
    h.recipient[1] = h.recipient[0];
    h.recipients_n = 2;
    assert_int_equal(decode(&h), BZ_ECORRUPT);
}

/* ---- archives ---- */

static void what_went_in_comes_out(void **state) {
    struct archive a;
    struct seen seen;
    make(&a, 1);
    seen_init(&seen, true);
    struct memory m = {.v = bz_buf_view(&a.b)};
    const struct bz_backup_source src = {read_memory, &m, a.b.n};
    assert_int_equal(bz_backup_scan(&src, &seen.s, &seen.diag), BZ_OK);
    assert_memory_equal(seen.s.digest, a.digest, sizeof a.digest);
    assert_memory_equal(&seen.s.head, &a.head, sizeof a.head);
    assert_int_equal(seen.n, CHUNKS);
    assert_int_equal(seen.index.n, BZ_BACKUP_NAME);
    assert_memory_equal(seen.index.p, seen.name[0], BZ_BACKUP_NAME);
    uint8_t whole[BZ_HASH_LEN];
    bz_sha256(bz_buf_view(&a.b), whole);
    assert_memory_equal(whole, a.digest, sizeof whole);
    for (size_t i = 0; i < CHUNKS; i++) {
        struct bz_buf out;
        bz_buf_init(&out, 100);
        assert_int_equal(bz_backup_chunk(&src, &a.head, &secrets, &seen.at[i], &out), BZ_OK);
        assert_true(bz_view_eq(bz_buf_view(&out), bz_view_str(contents[i])));
        struct bz_backup_place wrong = seen.at[i];
        wrong.frame++;
        assert_int_equal(bz_backup_chunk(&src, &a.head, &secrets, &wrong, &out), BZ_ECORRUPT);
        wrong = seen.at[i];
        wrong.off = a.b.n - 20;
        assert_int_equal(bz_backup_chunk(&src, &a.head, &secrets, &wrong, &out), BZ_ECORRUPT);
        bz_buf_free(&out);
    }
    struct bz_backup_manifest man;
    struct bz_backup_entry e;
    assert_int_equal(bz_backup_manifest_open(bz_buf_view(&seen.manifest), &man, &seen.diag), BZ_OK);
    assert_int_equal(man.log_size, 6);
    assert_int_equal(man.entries, 3);
    assert_int_equal(bz_backup_manifest_next(&man, &e), BZ_OK);
    assert_true(e.dir && bz_view_eq(e.path, BZ_V("a")));
    assert_int_equal(bz_backup_manifest_next(&man, &e), BZ_OK);
    assert_true(!e.dir && bz_view_eq(e.path, BZ_V("a/b")) && e.size == strlen(contents[0]));
    assert_memory_equal(e.names.p, seen.name[0], BZ_BACKUP_NAME);
    assert_int_equal(bz_backup_manifest_next(&man, &e), BZ_OK);
    assert_int_equal(bz_backup_manifest_next(&man, &e), BZ_MORE);
    seen_done(&seen);
    bz_buf_free(&a.b);
}

static void without_keys_the_signature_counts(void **state) {
    struct archive a;
    make(&a, 1);
    assert_int_equal(scan(bz_buf_view(&a.b), false), BZ_OK);
    a.b.p[a.frame[1] + 30] ^= 1;
    assert_int_equal(scan(bz_buf_view(&a.b), false), BZ_ECORRUPT);
    bz_buf_free(&a.b);
}

static void every_flipped_bit_is_refused(void **state) {
    struct archive a;
    make(&a, 1);
    for (size_t i = 0; i < a.b.n * 8; i++) {
        a.b.p[i / 8] ^= (uint8_t)(1 << i % 8);
        if (!refused(scan(bz_buf_view(&a.b), true)) ||
            (i % 8 == 3 && !refused(scan(bz_buf_view(&a.b), false))))
            fail_msg("bit %zu of byte %zu", i % 8, i / 8);
        a.b.p[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    assert_int_equal(scan(bz_buf_view(&a.b), true), BZ_OK);
    bz_buf_free(&a.b);
}

static void every_cut_is_refused(void **state) {
    struct archive a;
    make(&a, 1);
    for (size_t i = 0; i < a.b.n; i++) {
        assert_true(refused(scan(bz_view_sub(bz_buf_view(&a.b), 0, i), true)));
        assert_true(refused(scan(bz_view_sub(bz_buf_view(&a.b), 0, i), false)));
    }
    bz_buf_putc(&a.b, 0);
    assert_int_equal(scan(bz_buf_view(&a.b), true), BZ_ECORRUPT);
    assert_int_equal(scan(bz_buf_view(&a.b), false), BZ_ECORRUPT);
    bz_buf_free(&a.b);
}

/* Signs anew, as somebody could who has the instance's signing key but not the archive's. */
static void sign_again(struct bz_buf *b) {
    uint8_t text[20 + BZ_HASH_LEN] = "bartizan backup sign";
    bz_sha256(bz_view(b->p, b->n), text + 20);
    uint8_t sig[BZ_SIGN_LEN];
    bz_sign(keys.sign_sec, bz_view(text, sizeof text), sig);
    bz_buf_put(b, bz_view(sig, sizeof sig));
}

static void put_frame(struct bz_buf *to, const struct archive *a, size_t i) {
    bz_buf_put(to, bz_view_sub(bz_buf_view(&a->b), a->frame[i], a->frame[i + 1] - a->frame[i]));
}

/* The frames of `a` in another order; a negative number -1 - i is frame i of `other`. */
static enum bz_status mixed(const struct archive *a, const struct archive *other, const int *order,
                            size_t n) {
    struct bz_buf b;
    bz_buf_init(&b, 1 << 20);
    bz_buf_put(&b, bz_view_sub(bz_buf_view(&a->b), 0, a->frame[0]));
    for (size_t i = 0; i < n; i++)
        put_frame(&b, order[i] < 0 ? other : a, (size_t)(order[i] < 0 ? -1 - order[i] : order[i]));
    sign_again(&b);
    enum bz_status st = scan(bz_buf_view(&b), true);
    bz_buf_free(&b);
    return st;
}

static void frames_stay_where_they_are(void **state) {
    static const struct {
        int order[FRAMES + 1];
        size_t n;
    } table[] = {
        {{1, 0, 2, 3, 4, 5}, 6},    /* swapped, of one length */
        {{0, 2, 3, 4, 5}, 5},       /* one dropped */
        {{0, 1, 3, 4, 5}, 5},       /* the last chunk dropped: the manifest follows too early */
        {{0, 1, 1, 2, 3, 4, 5}, 7}, /* repeated */
        {{0, -2, 2, 3, 4, 5}, 6},   /* of another archive with the same keys */
        {{0, 1, 2, -4, 4, 5}, 6},   /* another manifest */
        {{0, 1, 2, 3, 5}, 5},       /* no index */
        {{0, 1, 2, 4, 5}, 5},       /* no manifest */
        {{0, 1, 2, 3, 4}, 5},       /* no end */
        {{0, 1, 2, 4, 3, 5}, 6},    /* types out of order */
        {{3, 0, 1, 2, 4, 5}, 6},
        {{0, 1, 2, 3, 4, 5, 5}, 7}, /* two ends */
        {{5}, 1},
    };
    static const int right[] = {0, 1, 2, 3, 4, 5};
    struct archive a, b;
    make(&a, 1);
    make(&b, 2);
    assert_int_equal(mixed(&a, &b, right, FRAMES), BZ_OK);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (mixed(&a, &b, table[i].order, table[i].n) != BZ_ECORRUPT)
            fail_msg("order %zu", i);
    bz_buf_free(&a.b);
    bz_buf_free(&b.b);
}

static void every_failed_read_is_told(void **state) {
    struct archive a;
    make(&a, 1);
    for (size_t at = 1;; at++) {
        struct memory m = {.v = bz_buf_view(&a.b), .fail_at = at};
        enum bz_status st = scan_memory(&m, true);
        if (st == BZ_OK) {
            assert_true(at > FRAMES);
            break;
        }
        assert_int_equal(st, BZ_EIO);
    }
    bz_buf_free(&a.b);
}

static void sizes_of_chunks(void **state) {
    struct bz_backup_writer w = {0};
    struct bz_buf out;
    uint8_t *big = calloc(1, BZ_BACKUP_CHUNK + 1);
    assert_non_null(big);
    bz_sha256_init(&w.h);
    bz_buf_init(&out, 2 * BZ_BACKUP_CHUNK);
    assert_int_equal(bz_backup_put_chunk(&w, bz_view(big, 0), &out), BZ_EINVAL);
    assert_int_equal(bz_backup_put_chunk(&w, bz_view(big, BZ_BACKUP_CHUNK + 1), &out), BZ_EINVAL);
    assert_int_equal(bz_backup_put_chunk(&w, bz_view(big, BZ_BACKUP_CHUNK), &out), BZ_OK);
    assert_int_equal(bz_backup_put_piece(&w, BZ_BACKUP_CHUNK_FRAME, bz_view(big, 1), &out),
                     BZ_EINVAL);
    free(big);
    bz_buf_free(&out);
}

/* ---- set ---- */

static void sets(void **state) {
    struct bz_backup_set s = {0};
    struct bz_backup_place at = {.n = 1};
    uint8_t name[BZ_BACKUP_NAME] = {0};
    assert_false(bz_backup_set_get(&s, name, &at));
    for (uint32_t i = 0; i < 20000; i++) {
        bz_sha256(bz_view(&i, sizeof i), name);
        name[0] = (uint8_t)(i % 2); /* long runs of neighbours */
        at = (struct bz_backup_place){.off = i, .n = 1};
        assert_int_equal(bz_backup_set_add(&s, name, &at), BZ_OK);
        assert_int_equal(bz_backup_set_add(&s, name, &at), BZ_EEXISTS);
    }
    assert_int_equal(s.n, 20000);
    for (uint32_t i = 0; i < 20000; i++) {
        bz_sha256(bz_view(&i, sizeof i), name);
        name[0] = (uint8_t)(i % 2);
        assert_true(bz_backup_set_get(&s, name, &at));
        assert_int_equal(at.off, i);
        name[31] ^= 1;
        assert_false(bz_backup_set_get(&s, name, &at));
    }
    at.n = 0;
    assert_int_equal(bz_backup_set_add(&s, name, &at), BZ_EINVAL);
    bz_backup_set_free(&s);
    bz_backup_set_free(&s);
}

/* ---- manifest ---- */

static void paths(void **state) {
    static const char *const good[] = {"bartizan.yaml", "tls/ca.pem", "a/b/c", "...",
                                       "a/..b",         "runs/x",     "x/run", "\xc3\xa4"};
    static const char *const bad[] = {
        "",      "/",           "/etc/passwd", "..",   "../x",   "a/..",   "a/../b",      ".",
        "./a",   "a/.",         "a//b",        "a/",   "a\nb",   "a\x7f",  "run",         "run/x",
        "nginx", "demo/m.gguf", "backup/x",    "\xff", "deps/x", "a/\x01", "tls/\xc0\xaf"};
    char longest[BZ_BACKUP_PATH_MAX + 2];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!bz_backup_path_ok(bz_view_str(good[i])))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (bz_backup_path_ok(bz_view_str(bad[i])))
            fail_msg("taken: %s", bad[i]);
    assert_false(bz_backup_path_ok(BZ_V("a\0b")));
    memset(longest, 'a', sizeof longest);
    longest[200] = longest[400] = '/';
    assert_true(bz_backup_path_ok(bz_view(longest, BZ_BACKUP_PATH_MAX)));
    assert_false(bz_backup_path_ok(bz_view(longest, BZ_BACKUP_PATH_MAX + 1)));
    longest[200] = 'a';
    assert_false(bz_backup_path_ok(bz_view(longest, 256)));
    assert_true(bz_backup_path_ok(bz_view(longest, 255)));
}

static void order_of_paths(void **state) {
    static const char *const list[] = {"a", "a/b", "a/b/c", "a/b.c", "a b", "a-", "a.b", "b"};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        for (size_t k = 0; k < sizeof list / sizeof *list; k++) {
            int c = bz_backup_path_cmp(bz_view_str(list[i]), bz_view_str(list[k]));
            if ((i < k) != (c < 0) || (i == k) != (c == 0))
                fail_msg("%s %s", list[i], list[k]);
        }
}

struct line {
    const char *path; /* NULL: the end */
    bool dir;
    uint64_t size;
    size_t names;
    uint16_t mode;
};

static enum bz_status open_lines(const struct line *l, uint64_t bytes, const char *tail) {
    static const uint8_t names[4 * BZ_BACKUP_NAME];
    struct bz_backup_manifest m = {.bytes = bytes, .made_by = BZ_V("test")};
    struct bz_diag diag = {0};
    struct bz_buf b;
    bz_buf_init(&b, 1 << 16);
    for (const struct line *i = l; i->path != NULL; i++)
        m.entries++;
    bz_backup_manifest_put(&b, &m);
    for (; l->path != NULL; l++) {
        const struct bz_backup_entry e = {.path = bz_view_str(l->path),
                                          .dir = l->dir,
                                          .mode = l->mode == 0 ? 0600 : l->mode,
                                          .size = l->size,
                                          .names = bz_view(names, l->names * BZ_BACKUP_NAME)};
        bz_backup_entry_put(&b, &e);
    }
    bz_buf_puts(&b, tail);
    enum bz_status st = bz_backup_manifest_open(bz_buf_view(&b), &m, &diag);
    bz_buf_free(&b);
    return st;
}

static void manifests(void **state) {
    static const struct {
        struct line l[5];
        uint64_t bytes;
        bool good;
    } table[] = {
        {{{.path = NULL}}, 0, true},
        {{{"a", .dir = true}, {.path = "a/b"}, {"a/c", .dir = true}, {.path = "a/c/d"}}, 0, true},
        {{{"a", .dir = true}, {"a/c", .dir = true}, {.path = "a/c/d"}, {.path = "a/e"}}, 0, true},
        {{{"a", .size = 5, .names = 1}}, 5, true},
        {{{"a", .size = BZ_BACKUP_CHUNK, .names = 1}}, BZ_BACKUP_CHUNK, true},
        {{{"a", .size = BZ_BACKUP_CHUNK + 1, .names = 2}}, BZ_BACKUP_CHUNK + 1, true},
        {{{"a", .size = BZ_BACKUP_CHUNK + 1, .names = 1}}, BZ_BACKUP_CHUNK + 1, false},
        {{{"a", .size = BZ_BACKUP_CHUNK, .names = 2}}, BZ_BACKUP_CHUNK, false},
        {{{"a", .size = 5, .names = 1}}, 6, false}, /* the sum */
        {{{"a", .size = 5, .names = 0}}, 5, false}, /* no place for its bytes */
        {{{"a", .size = UINT64_MAX, .names = 1}}, UINT64_MAX, false},
        {{{.path = "a"}, {.path = "a"}}, 0, false}, /* twice */
        {{{"a", .dir = true}, {.path = "a"}}, 0, false},
        {{{.path = "b"}, {.path = "a"}}, 0, false}, /* order */
        {{{.path = "a.b"}, {.path = "a/b"}}, 0, false},
        {{{.path = "a"}, {.path = "a/b"}}, 0, false}, /* a file as a folder */
        {{{.path = "a/b"}}, 0, false},                /* no folder above */
        {{{"a", .dir = true}, {.path = "a/b/c"}}, 0, false},
        {{{"a", .dir = true}, {.path = "b/c"}}, 0, false},
        {{{"a", .dir = true}, {.path = "ab/c"}}, 0, false},
        {{{.path = "../a"}}, 0, false},
        {{{"run", .dir = true}}, 0, false},
        {{{"a", .mode = 0777}}, 0, true},
        {{{"a", .mode = 01000}}, 0, false},
        {{{"a", .mode = 04755}}, 0, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if ((open_lines(table[i].l, table[i].bytes, "") == BZ_OK) != table[i].good)
            fail_msg("manifest %zu", i);
    assert_int_equal(open_lines(table[1].l, 0, "x"), BZ_ETRAILING);
}

static void cut_manifests(void **state) {
    struct bz_backup_head h = {.id = {1}};
    struct bz_backup_manifest m;
    struct bz_buf b;
    bz_buf_init(&b, 4096);
    put_entries(&b, &h);
    assert_int_equal(bz_backup_manifest_open(bz_buf_view(&b), &m, NULL), BZ_OK);
    for (size_t i = 0; i < b.n; i++)
        assert_int_not_equal(bz_backup_manifest_open(bz_view(b.p, i), &m, NULL), BZ_OK);
    b.p[0]++;
    assert_int_equal(bz_backup_manifest_open(bz_buf_view(&b), &m, NULL), BZ_EVERSION);
    bz_buf_free(&b);
}

static void too_many_files(void **state) {
    struct bz_backup_manifest m = {.entries = BZ_BACKUP_FILES_MAX + 1};
    struct bz_buf b;
    bz_buf_init(&b, (size_t)BZ_BACKUP_FILES_MAX * 15 + 4096);
    bz_backup_manifest_put(&b, &m);
    size_t n = (size_t)m.entries * 14;
    uint8_t *room = bz_buf_room(&b, n);
    assert_non_null(room);
    memset(room, 0, n);
    assert_int_equal(bz_backup_manifest_open(bz_buf_view(&b), &m, NULL), BZ_ETOOBIG);
    bz_buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_texts),
        cmocka_unit_test(mistyped_keys),
        cmocka_unit_test(recipients),
        cmocka_unit_test(heads_that_contradict_themselves),
        cmocka_unit_test(what_went_in_comes_out),
        cmocka_unit_test(without_keys_the_signature_counts),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(frames_stay_where_they_are),
        cmocka_unit_test(every_failed_read_is_told),
        cmocka_unit_test(sizes_of_chunks),
        cmocka_unit_test(sets),
        cmocka_unit_test(paths),
        cmocka_unit_test(order_of_paths),
        cmocka_unit_test(manifests),
        cmocka_unit_test(cut_manifests),
        cmocka_unit_test(too_many_files),
    };
    return cmocka_run_group_tests(tests, set_up_keys, NULL);
}
