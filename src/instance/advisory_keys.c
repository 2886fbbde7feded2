/* Whose packs are taken: the key that is built in, those of the configuration, and those that an owner
 * added with `bartizan advisory trust add`. A key is never taken from a pack or from the network. */
#include "advisories.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <bartizan/text.h>

#ifndef BZ_ADVISORY_RELEASE_KEY /* of the project, from packaging/advisories/release.pub */
#define BZ_ADVISORY_RELEASE_KEY ""
#endif

enum { KEYS_FILE_MAX = 64 << 10 };

bool bz_advisory_key_same(const struct bz_advisory_key *a, const struct bz_advisory_key *b) {
    return bz_ct_equal(bz_view(a->pub, sizeof a->pub), bz_view(b->pub, sizeof b->pub));
}

static const struct bz_advisory_trusted *find(const struct bz_advisory_trust *t,
                                              const struct bz_advisory_key *key) {
    for (size_t i = 0; i < t->n; i++) {
        if (bz_advisory_key_same(&t->list[i].key, key))
            return &t->list[i];
    }
    return NULL;
}

static enum bz_status add(struct bz_advisory_trust *t, struct bz_view text,
                          enum bz_advisory_trust_from from, struct bz_view note) {
    struct bz_advisory_trusted k = {.from = from};
    BZ_TRY(bz_advisory_key_parse(text, &k.key));
    if (find(t, &k.key) != NULL)
        return BZ_OK;
    if (t->n == BZ_ADVISORY_KEYS)
        return BZ_ETOOBIG;
    if (note.n >= sizeof k.note)
        return BZ_ETOOBIG;
    if (note.n > 0)
        memcpy(k.note, note.p, note.n);
    t->list[t->n++] = k;
    return BZ_OK;
}

/* One key a line, a blank, and what its owner noted. */
static enum bz_status read_file(const struct bz_instance *in, struct bz_advisory_trust *t) {
    struct bz_buf b;
    bz_buf_init(&b, KEYS_FILE_MAX);
    enum bz_status st = bz_file_read(in->fd, BZ_F_ADVISORY_KEYS, &b);
    struct bz_view rest = bz_buf_view(&b);
    while (st == BZ_OK && rest.n > 0) {
        const uint8_t *nl = memchr(rest.p, '\n', rest.n);
        struct bz_view line = bz_view_sub(rest, 0, nl == NULL ? rest.n : (size_t)(nl - rest.p));
        const uint8_t *blank = line.n == 0 ? NULL : memchr(line.p, ' ', line.n);
        size_t n = blank == NULL ? line.n : (size_t)(blank - line.p);
        st = add(t, bz_view_sub(line, 0, n), BZ_TRUST_ADDED, bz_view_sub(line, n + 1, line.n));
        rest = bz_view_sub(rest, line.n + 1, rest.n);
    }
    bz_buf_free(&b);
    return st == BZ_ENOTFOUND ? BZ_OK : st;
}

static enum bz_status write_file(const struct bz_instance *in, const struct bz_advisory_trust *t) {
    struct bz_buf b;
    bz_buf_init(&b, KEYS_FILE_MAX);
    for (size_t i = 0; i < t->n; i++) {
        if (t->list[i].from != BZ_TRUST_ADDED)
            continue;
        bz_advisory_key_text(&t->list[i].key, &b);
        bz_buf_putc(&b, ' ');
        bz_buf_puts(&b, t->list[i].note);
        bz_buf_putc(&b, '\n');
    }
    enum bz_status st = bz_buf_status(&b);
    if (st == BZ_OK && mkdirat(in->fd, BZ_F_ADVISORIES, 0700) != 0 && errno != EEXIST)
        st = BZ_EIO;
    if (st == BZ_OK)
        st = bz_file_write(in->fd, BZ_F_ADVISORY_KEYS, bz_buf_view(&b), 0600, BZ_FILE_SYNC);
    bz_buf_free(&b);
    return st;
}

enum bz_status bz_advisory_trust_read(const struct bz_instance *in, const struct bz_config *c,
                                      struct bz_advisory_trust *ret) {
    struct bz_view builtin = BZ_V(BZ_ADVISORY_RELEASE_KEY), none = {0};
    *ret = (struct bz_advisory_trust){.n = 0};
    if (builtin.n > 0)
        BZ_TRY(add(ret, builtin, BZ_TRUST_BUILT_IN, none));
    for (uint32_t i = 0; c != NULL && i < c->advisories.keys_n; i++)
        BZ_TRY(add(ret, bz_view_str(c->advisories.keys[i]), BZ_TRUST_CONFIGURED, none));
    return in == NULL ? BZ_OK : read_file(in, ret);
}

size_t bz_advisory_trust_keys(const struct bz_advisory_trust *t,
                              struct bz_advisory_key out[BZ_ADVISORY_KEYS]) {
    for (size_t i = 0; i < t->n; i++)
        out[i] = t->list[i].key;
    return t->n;
}

enum bz_status bz_advisory_trust_add(const struct bz_instance *in, struct bz_advisory_trust *t,
                                     struct bz_view key, struct bz_view note) {
    struct bz_advisory_key k;
    BZ_TRY(bz_advisory_key_parse(key, &k));
    if (find(t, &k) != NULL)
        return BZ_EEXISTS;
    for (size_t i = 0; i < note.n; i++) {
        if (note.p[i] < ' ' || note.p[i] == 0x7f)
            return BZ_EINVAL;
    }
    BZ_TRY(add(t, key, BZ_TRUST_ADDED, note));
    return write_file(in, t);
}

enum bz_status bz_advisory_trust_remove(const struct bz_instance *in, struct bz_advisory_trust *t,
                                        const struct bz_advisory_key *key) {
    for (size_t i = 0; i < t->n; i++) {
        if (!bz_advisory_key_same(&t->list[i].key, key))
            continue;
        if (t->list[i].from != BZ_TRUST_ADDED)
            return BZ_EDENIED;
        t->list[i] = t->list[--t->n];
        return write_file(in, t);
    }
    return BZ_ENOTFOUND;
}
