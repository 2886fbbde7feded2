/* Makes packs of advisories from their readable source, and the one that is built in.
 *
 *   advisory-pack keygen SECRET              a new key; prints its public half
 *   advisory-pack document SOURCE OUT        YAML to the JSON document, checked
 *   advisory-pack embed SOURCE OUT           the same as C
 *   advisory-pack sign SECRET SOURCE OUT     a signed pack
 *   advisory-pack verify PUBLIC PACK         says what is in it */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bartizan/advisory.h>
#include <bartizan/text.h>

static int fail(const char *file, enum bz_status st, const struct bz_diag *d) {
    (void)fprintf(stderr, "advisory-pack: %s: byte %llu: %s\n", file,
                  d == NULL ? 0ull : (unsigned long long)d->offset,
                  d != NULL && d->why != NULL ? d->why : bz_status_text(st));
    return 1;
}

static enum bz_status read_all(const char *path, struct bz_buf *out) {
    uint8_t part[65536];
    FILE *f = fopen(path, "rbe");
    if (f == NULL)
        return BZ_EIO;
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;)
        bz_buf_put(out, bz_view(part, n));
    enum bz_status st = ferror(f) != 0 ? BZ_EIO : bz_buf_status(out);
    (void)fclose(f);
    return st;
}

static enum bz_status write_all(const char *path, struct bz_view v, mode_t mode) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return BZ_EIO;
    size_t done = 0;
    while (done < v.n) {
        ssize_t n = write(fd, v.p + done, v.n - done);
        if (n <= 0) {
            (void)close(fd);
            return BZ_EIO;
        }
        done += (size_t)n;
    }
    return close(fd) == 0 ? BZ_OK : BZ_EIO;
}

/* Source to document: the tree again as JSON, the pack's version as a number. */
static enum bz_status make(const char *source, struct bz_arena *ar, struct bz_buf *out,
                           struct bz_diag *diag) {
    struct bz_buf text;
    struct bz_json *root = NULL;
    struct bz_advisory_pack p;
    bz_buf_init(&text, BZ_ADVISORY_PACK_MAX);
    enum bz_status st = read_all(source, &text);
    if (st == BZ_OK)
        st = bz_yaml_parse(bz_buf_view(&text), ar, &root, diag);
    bz_buf_free(&text);
    BZ_TRY(st);
    struct bz_json *version = bz_json_get_mut(root, BZ_V("version"));
    uint64_t n = 0;
    if (version != NULL && bz_view_u64(bz_json_str(version), &n) == BZ_OK)
        version->type = BZ_JSON_NUMBER;
    bz_json_write(out, root);
    BZ_TRY(bz_buf_status(out));
    return bz_advisory_pack_read(bz_buf_view(out), ar, &p, diag);
}

static void as_c(struct bz_view doc, struct bz_buf *out) {
    bz_buf_puts(out, "/* Made by tools/advisory-pack.c. */\n#include \"advisories.h\"\n\n"
                     "static const uint8_t document[] = {");
    for (size_t i = 0; i < doc.n; i++) {
        bz_buf_puts(out, i % 20 == 0 ? "\n    " : " ");
        bz_buf_put_u64(out, doc.p[i]);
        bz_buf_putc(out, ',');
    }
    bz_buf_puts(out, "\n};\n\nstruct bz_view bz_advisory_builtin(void) {\n"
                     "    return bz_view(document, sizeof document);\n}\n");
}

static int keygen(const char *path) {
    struct bz_advisory_key key;
    uint8_t secret[BZ_SIGN_SECRET_LEN];
    struct bz_buf b;
    bz_sign_keypair(key.pub, secret);
    bz_buf_init(&b, 4096);
    bz_buf_put_hex(&b, bz_view(secret, sizeof secret));
    bz_buf_putc(&b, '\n');
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, b.p, b.n) == (ssize_t)b.n;
    if (fd >= 0)
        (void)close(fd);
    bz_buf_wipe_free(&b);
    bz_wipe(secret, sizeof secret);
    if (!ok) {
        (void)fprintf(stderr, "advisory-pack: %s: %s\n", path, strerror(errno));
        return 1;
    }
    bz_buf_init(&b, 256);
    bz_advisory_key_text(&key, &b);
    (void)printf("%.*s\n", (int)b.n, (const char *)b.p);
    bz_buf_free(&b);
    return 0;
}

static enum bz_status read_secret(const char *path, uint8_t secret[BZ_SIGN_SECRET_LEN]) {
    struct bz_buf b;
    size_t n = 0;
    bz_buf_init(&b, 256);
    enum bz_status st = read_all(path, &b);
    if (st == BZ_OK && b.n > 0 && b.p[b.n - 1] == '\n')
        b.n--;
    if (st == BZ_OK)
        st = bz_hex_decode(bz_buf_view(&b), secret, BZ_SIGN_SECRET_LEN, &n);
    bz_buf_wipe_free(&b);
    return st == BZ_OK && n != BZ_SIGN_SECRET_LEN ? BZ_ESYNTAX : st;
}

static enum bz_status sign(const char *secret_file, struct bz_view doc, struct bz_buf *out) {
    uint8_t secret[BZ_SIGN_SECRET_LEN];
    struct bz_advisory_key key;
    BZ_TRY(read_secret(secret_file, secret));
    /* libsodium's secret keys end with the public one */
    memcpy(key.pub, secret + BZ_SIGN_SECRET_LEN - BZ_SIGN_PUBLIC_LEN, sizeof key.pub);
    bz_advisory_pack_sign(doc, secret, &key, out);
    bz_wipe(secret, sizeof secret);
    return bz_buf_status(out);
}

static int verify(const char *public, const char *file, struct bz_arena *ar) {
    struct bz_advisory_key key;
    struct bz_diag diag = {0, NULL};
    struct bz_buf b;
    struct bz_advisory_pack p;
    bz_buf_init(&b, BZ_ADVISORY_PACK_MAX + 4096);
    enum bz_status st = bz_advisory_key_parse(bz_view_str(public), &key);
    if (st == BZ_OK)
        st = read_all(file, &b);
    if (st == BZ_OK)
        st = bz_advisory_pack_open(bz_buf_view(&b), &key, 1, ar, &p, &diag);
    if (st == BZ_OK)
        (void)printf("%.*s %llu: %zu advisories\n", (int)p.name.n, (const char *)p.name.p,
                     (unsigned long long)p.version, p.count);
    bz_buf_free(&b);
    return st == BZ_OK ? 0 : fail(file, st, &diag);
}

static int produce(int argc, char **argv, struct bz_arena *ar) {
    bool signing = strcmp(argv[1], "sign") == 0;
    const char *source = argv[argc - 2], *target = argv[argc - 1];
    struct bz_diag diag = {0, NULL};
    struct bz_buf doc, out;
    bz_buf_init(&doc, BZ_ADVISORY_PACK_MAX);
    bz_buf_init(&out, (size_t)BZ_ADVISORY_PACK_MAX * 6);
    enum bz_status st = make(source, ar, &doc, &diag);
    if (st == BZ_OK && signing)
        st = sign(argv[2], bz_buf_view(&doc), &out);
    else if (st == BZ_OK && strcmp(argv[1], "embed") == 0)
        as_c(bz_buf_view(&doc), &out);
    else if (st == BZ_OK)
        bz_buf_put(&out, bz_buf_view(&doc));
    if (st == BZ_OK)
        st = bz_buf_status(&out);
    if (st == BZ_OK)
        st = write_all(target, bz_buf_view(&out), 0644);
    bz_buf_free(&doc);
    bz_buf_free(&out);
    return st == BZ_OK ? 0 : fail(source, st, &diag);
}

int main(int argc, char **argv) {
    struct bz_arena ar;
    int rc = 2;
    if (bz_crypto_init() != BZ_OK)
        return 1;
    bz_arena_init(&ar, bz_alloc_heap, (size_t)1 << 30, NULL, 0);
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "keygen") == 0 && argc == 3)
        rc = keygen(argv[2]);
    else if (strcmp(verb, "verify") == 0 && argc == 4)
        rc = verify(argv[2], argv[3], &ar);
    else if ((strcmp(verb, "document") == 0 || strcmp(verb, "embed") == 0) && argc == 4)
        rc = produce(argc, argv, &ar);
    else if (strcmp(verb, "sign") == 0 && argc == 5)
        rc = produce(argc, argv, &ar);
    else
        (void)fputs(
            "usage: advisory-pack keygen SECRET | document SOURCE OUT | embed SOURCE OUT |\n"
            "       sign SECRET SOURCE OUT | verify PUBLIC PACK\n",
            stderr);
    bz_arena_free(&ar);
    return rc;
}
