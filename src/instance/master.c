#include "master.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <bartizan/json.h>
#include <bartizan/text.h>

enum { JSON_MAX = 64 * 1024, ARENA_MAX = 1 << 20, CREDENTIAL_MIN = 32, TPM_PART_MAX = 1024 };

static const char *const names[BZ_MASTER_COUNT] = {"file", "passphrase", "credential", "tpm"};

const char *bz_master_source_name(enum bz_master_source s) {
    return (unsigned)s < BZ_MASTER_COUNT ? names[s] : "?";
}

bool bz_master_source_parse(const char *name, enum bz_master_source *ret) {
    for (int i = 0; i < BZ_MASTER_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret = (enum bz_master_source)i;
            return true;
        }
    }
    return false;
}

static struct bz_view ad(void) {
    return BZ_V("bartizan master 1");
}

enum bz_status bz_master_credential(const char *name, struct bz_buf *out) {
    const char *at = getenv("CREDENTIALS_DIRECTORY");
    if (at == NULL || at[0] != '/')
        return BZ_ENOTFOUND;
    BZ_FD dir = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 ? BZ_ENOTFOUND : bz_file_read(dir, name, out);
}

/* ---- the sealed form ---- */

struct sealed { /* secrets/master.json */
    enum bz_master_source source;
    uint8_t salt[BZ_SALT_LEN];
    uint64_t passes, memory;
    uint8_t pub[TPM_PART_MAX], priv[TPM_PART_MAX];
    size_t pub_n, priv_n;
    uint8_t key[BZ_KEY_LEN + BZ_SEAL_EXTRA];
};

static bool take_b64(const struct bz_json *o, struct bz_view name, uint8_t *out, size_t cap,
                     size_t *ret_n) {
    struct bz_view v = bz_json_str(bz_json_get(o, name));
    return v.p != NULL && bz_b64_decode(v, out, cap, ret_n) == BZ_OK;
}

static bool take_number(const struct bz_json *o, struct bz_view name, uint64_t *ret) {
    int64_t v = 0;
    if (bz_json_i64(bz_json_get(o, name), &v) != BZ_OK || v <= 0)
        return false;
    *ret = (uint64_t)v;
    return true;
}

static bool take_fields(const struct bz_json *o, struct sealed *s) {
    char source[16] = "";
    size_t n = 0;
    uint64_t version = 0;
    struct bz_view v = bz_json_str(bz_json_get(o, BZ_V("source")));
    if (v.p == NULL || v.n >= sizeof source || !take_number(o, BZ_V("version"), &version) ||
        version != 1)
        return false;
    memcpy(source, v.p, v.n);
    if (!bz_master_source_parse(source, &s->source) || s->source == BZ_MASTER_FILE ||
        !take_b64(o, BZ_V("sealed"), s->key, sizeof s->key, &n) || n != sizeof s->key)
        return false;
    if (s->source == BZ_MASTER_BY_PASSPHRASE)
        return take_b64(o, BZ_V("salt"), s->salt, sizeof s->salt, &n) && n == sizeof s->salt &&
               take_number(o, BZ_V("passes"), &s->passes) &&
               take_number(o, BZ_V("memory"), &s->memory);
    if (s->source == BZ_MASTER_BY_TPM)
        return take_b64(o, BZ_V("public"), s->pub, sizeof s->pub, &s->pub_n) &&
               take_b64(o, BZ_V("private"), s->priv, sizeof s->priv, &s->priv_n);
    return true;
}

static enum bz_status read_sealed(int dir, struct sealed *s) {
    struct bz_buf text;
    struct bz_arena ar;
    struct bz_json *o = NULL;
    bz_buf_init(&text, JSON_MAX);
    bz_arena_init(&ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    enum bz_status st = bz_file_read(dir, BZ_F_MASTER_SEALED, &text);
    if (st == BZ_OK &&
        (bz_json_parse(bz_buf_view(&text), NULL, &ar, &o, NULL) != BZ_OK || !take_fields(o, s)))
        st = BZ_ECORRUPT;
    bz_arena_free(&ar);
    bz_buf_free(&text);
    return st;
}

static void put_b64(struct bz_jw *w, const char *name, struct bz_view v) {
    struct bz_buf b;
    bz_buf_init(&b, 2 * TPM_PART_MAX);
    bz_buf_put_b64(&b, v);
    bz_jw_kstr(w, name, bz_buf_view(&b));
    bz_buf_free(&b);
}

static enum bz_status write_sealed(int dir, const struct sealed *s) {
    struct bz_buf text;
    struct bz_jw w;
    bz_buf_init(&text, JSON_MAX);
    bz_jw_init(&w, &text);
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "version", 1);
    bz_jw_kstr(&w, "source", bz_view_str(bz_master_source_name(s->source)));
    if (s->source == BZ_MASTER_BY_PASSPHRASE) {
        put_b64(&w, "salt", bz_view(s->salt, sizeof s->salt));
        bz_jw_ku64(&w, "passes", s->passes);
        bz_jw_ku64(&w, "memory", s->memory);
    }
    if (s->source == BZ_MASTER_BY_TPM) {
        put_b64(&w, "public", bz_view(s->pub, s->pub_n));
        put_b64(&w, "private", bz_view(s->priv, s->priv_n));
    }
    put_b64(&w, "sealed", bz_view(s->key, sizeof s->key));
    bz_jw_end(&w);
    bz_buf_putc(&text, '\n');
    enum bz_status st = bz_buf_status(&text);
    if (st == BZ_OK)
        st = bz_file_write(dir, BZ_F_MASTER_SEALED, bz_buf_view(&text), 0600, BZ_FILE_SYNC);
    bz_buf_free(&text);
    return st;
}

/* ---- the key that seals ---- */

static void credential_key(struct bz_view secret, uint8_t out[BZ_KEY_LEN]) {
    static const uint8_t label[BZ_KEY_LEN] = "bartizan master by credential";
    bz_keyed_hash(label, secret, out);
}

static struct bz_view trimmed(struct bz_view v) {
    while (v.n > 0 && (v.p[v.n - 1] == '\n' || v.p[v.n - 1] == '\r'))
        v.n--;
    return v;
}

static enum bz_status key_of(const struct sealed *s, struct bz_view secret, uint8_t out[BZ_KEY_LEN],
                             struct bz_buf *why) {
    switch (s->source) {
    case BZ_MASTER_BY_PASSPHRASE:
        return bz_pass_key(trimmed(secret), s->salt, s->passes, s->memory, out);
    case BZ_MASTER_BY_CREDENTIAL:
        credential_key(secret, out);
        return BZ_OK;
    case BZ_MASTER_BY_TPM:
        return bz_tpm_unseal(bz_view(s->pub, s->pub_n), bz_view(s->priv, s->priv_n), out, why);
    case BZ_MASTER_FILE:
    case BZ_MASTER_COUNT:
        break;
    }
    return BZ_EINTERNAL;
}

static enum bz_status new_key(struct sealed *s, struct bz_view secret, uint8_t out[BZ_KEY_LEN],
                              struct bz_buf *why) {
    struct bz_tpm_sealed t;
    if (s->source == BZ_MASTER_BY_PASSPHRASE) {
        bz_random(s->salt, sizeof s->salt);
        s->passes = BZ_PASS_PASSES;
        s->memory = BZ_PASS_MEMORY;
        if (trimmed(secret).n == 0) {
            bz_buf_puts(why, "the passphrase is empty");
            return BZ_EINVAL;
        }
        return key_of(s, secret, out, why);
    }
    if (s->source == BZ_MASTER_BY_CREDENTIAL) {
        if (secret.n >= CREDENTIAL_MIN)
            return key_of(s, secret, out, why);
        bz_buf_puts(why, "the credential must have at least 32 bytes");
        return BZ_EINVAL;
    }
    bz_random(out, BZ_KEY_LEN);
    bz_buf_init(&t.pub, TPM_PART_MAX);
    bz_buf_init(&t.priv, TPM_PART_MAX);
    enum bz_status st = bz_tpm_seal(out, &t, why);
    if (st == BZ_OK) {
        memcpy(s->pub, t.pub.p, t.pub.n);
        memcpy(s->priv, t.priv.p, t.priv.n);
        s->pub_n = t.pub.n;
        s->priv_n = t.priv.n;
    }
    bz_buf_free(&t.pub);
    bz_buf_free(&t.priv);
    return st;
}

/* ---- reading and writing ---- */

enum bz_status bz_master_source(int dir, enum bz_master_source *ret) {
    struct sealed s = {.source = BZ_MASTER_FILE};
    enum bz_status st = read_sealed(dir, &s);
    if (st == BZ_ENOTFOUND && faccessat(dir, BZ_F_MASTER_KEY, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        *ret = BZ_MASTER_FILE;
        return BZ_OK;
    }
    if (st == BZ_OK)
        *ret = s.source;
    return st;
}

static enum bz_status read_file(int dir, uint8_t out[BZ_KEY_LEN]) {
    uint8_t mem[BZ_KEY_LEN + 1];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    enum bz_status st = bz_file_read(dir, BZ_F_MASTER_KEY, &b);
    if (st == BZ_ETOOBIG || (st == BZ_OK && b.n != BZ_KEY_LEN))
        st = BZ_ECORRUPT;
    if (st == BZ_OK)
        memcpy(out, mem, BZ_KEY_LEN);
    bz_wipe(mem, sizeof mem);
    return st;
}

enum bz_status bz_master_read(int dir, struct bz_view secret, uint8_t out[BZ_KEY_LEN],
                              struct bz_buf *why) {
    struct sealed s = {.source = BZ_MASTER_FILE};
    uint8_t key[BZ_KEY_LEN];
    enum bz_status st = read_sealed(dir, &s);
    if (st == BZ_ENOTFOUND)
        return read_file(dir, out);
    if (st == BZ_OK)
        st = key_of(&s, secret, key, why);
    if (st == BZ_OK)
        st = bz_unseal(key, ad(), bz_view(s.key, sizeof s.key), out) == BZ_OK ? BZ_OK : BZ_EDENIED;
    bz_wipe(key, sizeof key);
    return st;
}

/* The bytes go before the name does; on disks that write elsewhere they stay until reused. */
static void remove_file(int dir) {
    static const uint8_t zeros[BZ_KEY_LEN];
    BZ_FD fd = openat(dir, BZ_F_MASTER_KEY, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) {
        (void)!write(fd, zeros, sizeof zeros);
        (void)fsync(fd);
        (void)unlinkat(dir, BZ_F_MASTER_KEY, 0);
    }
}

enum bz_status bz_master_write(int dir, enum bz_master_source source,
                               const uint8_t master[BZ_KEY_LEN], struct bz_view secret,
                               struct bz_buf *why) {
    struct sealed s = {.source = source};
    uint8_t key[BZ_KEY_LEN], again[BZ_KEY_LEN];
    if (source == BZ_MASTER_FILE) {
        BZ_TRY(
            bz_file_write(dir, BZ_F_MASTER_KEY, bz_view(master, BZ_KEY_LEN), 0600, BZ_FILE_SYNC));
        (void)unlinkat(dir, BZ_F_MASTER_SEALED, 0);
        return BZ_OK;
    }
    enum bz_status st = new_key(&s, secret, key, why);
    if (st == BZ_OK)
        st = bz_seal(key, ad(), bz_view(master, BZ_KEY_LEN), s.key);
    if (st == BZ_OK)
        st = write_sealed(dir, &s);
    bz_wipe(key, sizeof key);
    BZ_TRY(st);
    /* Before the plain key goes: does the sealed one open? */
    st = bz_master_read(dir, secret, again, why);
    if (st == BZ_OK && !bz_ct_equal(bz_view(again, BZ_KEY_LEN), bz_view(master, BZ_KEY_LEN)))
        st = BZ_ECORRUPT;
    bz_wipe(again, sizeof again);
    if (st == BZ_OK)
        remove_file(dir);
    return st;
}
