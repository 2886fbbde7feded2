/* Archives of OSV records into one file per ecosystem. The archive is read by libarchive, with the
 * formats and filters that such archives come in and no other. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <archive.h>
#include <archive_entry.h>

#include "advisory.h"
#include "opts.h"

#define TOTAL_MAX (16ull << 30) /* bytes unpacked: the largest ecosystem is below 4 GiB */
enum {
    ENTRIES_MAX = 4 << 20,
    ECOSYSTEMS = 32,
    RECORD_ARENA = 256 << 20,
    BAD_SHARE = 100 /* one bad record in so many is too much */
};

struct taker {
    FILE *out;
    struct bz_buf text, line;
    struct bz_arena ar;
    struct bz_osv_taken t;
    struct {
        char name[40];
        uint64_t n;
    } eco[ECOSYSTEMS];
    uint64_t total;
};

/* ---- one record ---- */

static void count_ecosystem(struct taker *t, struct bz_view eco) {
    const uint8_t *colon = eco.n == 0 ? NULL : memchr(eco.p, ':', eco.n);
    size_t n = colon == NULL ? eco.n : (size_t)(colon - eco.p);
    for (size_t i = 0; i < ECOSYSTEMS && n < sizeof t->eco[i].name; i++) {
        if (t->eco[i].n == 0) {
            memcpy(t->eco[i].name, eco.p, n);
            t->eco[i].name[n] = '\0';
        }
        if (strlen(t->eco[i].name) == n && memcmp(t->eco[i].name, eco.p, n) == 0) {
            t->eco[i].n++;
            return;
        }
    }
}

static bool key_ok(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < 0x20 || v.p[i] == 0x7f)
            return false;
    }
    return v.n > 0 && v.n <= BZ_PACKAGE_NAME_MAX;
}

static struct bz_view package_member(const struct bz_json *entry, struct bz_view key) {
    return bz_json_str(bz_json_get(bz_json_get(entry, BZ_V("package")), key));
}

/* "ECOSYSTEM<TAB>NAME<TAB>", the name as packages of that ecosystem compare. */
static void put_key(struct bz_buf *out, struct bz_view eco, struct bz_view name) {
    uint8_t mem[BZ_PACKAGE_NAME_MAX];
    bz_buf_put(out, eco);
    bz_buf_putc(out, '\t');
    if (bz_view_eq(eco, BZ_V("PyPI")))
        bz_buf_put(out, bz_view(mem, bz_pypi_name(name, mem)));
    else
        bz_buf_put(out, name);
    bz_buf_putc(out, '\t');
}

/* A record may list one package several times; its line is written once. */
static bool listed_before(const struct bz_json *affected, const struct bz_json *entry) {
    for (const struct bz_json *e = affected->first; e != entry; e = e->next) {
        if (bz_view_eq(package_member(e, BZ_V("name")), package_member(entry, BZ_V("name"))) &&
            bz_view_eq(package_member(e, BZ_V("ecosystem")),
                       package_member(entry, BZ_V("ecosystem"))))
            return true;
    }
    return false;
}

/* Long texts are not kept: a finding names the record, and its summary. */
static void shorten(struct taker *t, struct bz_json *root) {
    enum { SUMMARY_MAX = 200 };
    struct bz_view details = bz_json_str(bz_json_get(root, BZ_V("details")));
    if (bz_json_get(root, BZ_V("summary")) == NULL && details.n > 0) {
        const uint8_t *nl = memchr(details.p, '\n', details.n);
        size_t n = nl == NULL ? details.n : (size_t)(nl - details.p);
        for (n = n < SUMMARY_MAX ? n : SUMMARY_MAX; n < details.n && (details.p[n] & 0xc0) == 0x80;)
            n--;
        struct bz_json *s = bz_json_new_str(&t->ar, bz_view_sub(details, 0, n));
        if (s != NULL)
            bz_json_add(root, BZ_V("summary"), s);
    }
    (void)bz_json_remove(root, BZ_V("details"));
    (void)bz_json_remove(root, BZ_V("credits"));
}

/* Times of one form: RFC 3339 in UTC sorts as text. */
static void note_newest(struct taker *t, struct bz_view modified) {
    char text[sizeof t->t.newest] = "";
    if (modified.n == 0 || modified.n >= sizeof text)
        return;
    memcpy(text, modified.p, modified.n);
    if (strcmp(text, t->t.newest) > 0)
        memcpy(t->t.newest, text, sizeof text);
}

static enum bz_status write_lines(struct taker *t, struct bz_json *root,
                                  const struct bz_advisory *a) {
    const struct bz_json *affected = bz_json_get(root, BZ_V("affected"));
    if (!bz_json_is(affected, BZ_JSON_ARRAY))
        return BZ_OK;
    note_newest(t, a->modified);
    for (const struct bz_json *e = affected->first; e != NULL; e = e->next) {
        struct bz_view eco = package_member(e, BZ_V("ecosystem"));
        struct bz_view name = package_member(e, BZ_V("name"));
        if (!key_ok(eco) || !key_ok(name) || listed_before(affected, e))
            continue;
        count_ecosystem(t, eco);
        bz_buf_reset(&t->line);
        put_key(&t->line, eco, name);
        bz_json_write(&t->line, root);
        bz_buf_putc(&t->line, '\n');
        BZ_TRY(bz_buf_status(&t->line));
        if (fwrite(t->line.p, 1, t->line.n, t->out) != t->line.n)
            return BZ_EIO;
    }
    t->t.records++;
    return BZ_OK;
}

static enum bz_status take_record(struct taker *t, bool yaml) {
    struct bz_json *root = NULL;
    struct bz_diag diag = {0, NULL};
    struct bz_advisory a;
    enum bz_status st = yaml ? bz_yaml_parse(bz_buf_view(&t->text), &t->ar, &root, &diag)
                             : bz_json_parse(bz_buf_view(&t->text), NULL, &t->ar, &root, &diag);
    if (st == BZ_OK)
        st = bz_advisory_read(root, &a, &diag);
    if (st == BZ_OK) {
        shorten(t, root);
        return write_lines(t, root, &a);
    }
    if (st == BZ_ENOMEM)
        return st;
    t->t.bad++;
    if (t->t.first_bad[0] == '\0')
        (void)snprintf(t->t.first_bad, sizeof t->t.first_bad, "%s at byte %llu",
                       diag.why == NULL ? bz_status_text(st) : diag.why,
                       (unsigned long long)diag.offset);
    return BZ_OK;
}

/* ---- the archive ---- */

static bool ends(const char *s, const char *end) {
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

static enum bz_status read_entry(struct taker *t, struct archive *ar) {
    uint8_t part[65536];
    bz_buf_reset(&t->text);
    for (;;) {
        la_ssize_t n = archive_read_data(ar, part, sizeof part);
        if (n < 0)
            return BZ_ECORRUPT;
        if (n == 0)
            return BZ_OK;
        t->total += (uint64_t)n;
        bz_buf_put(&t->text, bz_view(part, (size_t)n));
        if (bz_buf_status(&t->text) != BZ_OK || t->total > TOTAL_MAX)
            return BZ_ETOOBIG;
    }
}

static enum bz_status one_entry(struct taker *t, struct archive *ar, struct archive_entry *e) {
    const char *name = archive_entry_pathname(e);
    if (name == NULL || archive_entry_filetype(e) != AE_IFREG)
        return BZ_OK;
    bool yaml = ends(name, ".yaml") || ends(name, ".yml");
    if (!yaml && !ends(name, ".json"))
        return BZ_OK;
    BZ_TRY(read_entry(t, ar));
    enum bz_status st = take_record(t, yaml);
    bz_arena_free(&t->ar);
    return st;
}

static enum bz_status read_archive(struct taker *t, int fd, const char *source) {
    struct archive *ar = archive_read_new();
    struct archive_entry *e;
    enum bz_status st = BZ_OK;
    int rc = ARCHIVE_FATAL;
    if (ar == NULL)
        return BZ_ENOMEM;
    (void)archive_read_support_format_zip(ar);
    (void)archive_read_support_format_tar(ar);
    (void)archive_read_support_filter_gzip(ar);
    (void)archive_read_support_filter_xz(ar);
    if (archive_read_open_fd(ar, fd, 65536) == ARCHIVE_OK) {
        uint64_t n = 0;
        while (st == BZ_OK && (rc = archive_read_next_header(ar, &e)) >= ARCHIVE_WARN &&
               rc != ARCHIVE_EOF)
            st = ++n > ENTRIES_MAX ? BZ_ETOOBIG : one_entry(t, ar, e);
    }
    if (st == BZ_OK && rc != ARCHIVE_EOF)
        st = BZ_ECORRUPT;
    if (st != BZ_OK)
        bz_say("%s: %s", bz_safe(source),
               st == BZ_ECORRUPT ? "it is no zip or tar archive, or it is damaged"
                                 : bz_status_text(st));
    (void)archive_read_free(ar);
    return st;
}

/* ---- into the instance ---- */

static void name_of(struct taker *t) {
    size_t best = 0;
    for (size_t i = 1; i < ECOSYSTEMS; i++) {
        if (t->eco[i].n > t->eco[best].n)
            best = i;
    }
    (void)snprintf(t->t.name, sizeof t->t.name, "%s", t->eco[best].name);
    for (char *c = t->t.name; *c != '\0'; c++) {
        bool plain =
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        *c = plain ? *c : '-';
    }
}

/* Time of the newest record of what is there now; "" when there is nothing. */
static void newest_of(const struct bz_instance *in, const char *path, char out[40]) {
    char line[1024];
    int fd = openat(in->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "re");
    struct bz_arena ar;
    struct bz_json *root = NULL;
    out[0] = '\0';
    if (f == NULL)
        return;
    bz_arena_init(&ar, bz_alloc_heap, 1 << 20, NULL, 0);
    if (fgets(line, sizeof line, f) != NULL &&
        bz_json_parse(bz_view_str(line), NULL, &ar, &root, NULL) == BZ_OK) {
        struct bz_view v = bz_json_str(bz_json_get(root, BZ_V("newest")));
        (void)snprintf(out, 40, "%.*s", (int)(v.n < 39 ? v.n : 0), (const char *)v.p);
    }
    bz_arena_free(&ar);
    (void)fclose(f);
}

enum { HEAD_LEN = 512 };

/* The header line has a fixed length, so that it can be written last. */
static enum bz_status write_head(struct taker *t, const char *source) {
    char mem[HEAD_LEN];
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "kind", BZ_V("osv"));
    bz_jw_kstr(&w, "name", bz_view_str(t->t.name));
    bz_jw_ku64(&w, "records", t->t.records);
    bz_jw_kstr(&w, "newest", bz_view_str(t->t.newest));
    bz_jw_key(&w, "taken");
    bz_jw_time(&w, bz_clock_unix());
    bz_jw_kstr(&w, "source", bz_view_sub(bz_view_str(source), 0, 128));
    bz_jw_end(&w);
    while (b.n < HEAD_LEN - 1)
        bz_buf_putc(&b, ' ');
    bz_buf_putc(&b, '\n');
    if (bz_buf_status(&b) != BZ_OK || fseeko(t->out, 0, SEEK_SET) != 0 ||
        fwrite(mem, 1, sizeof mem, t->out) != sizeof mem)
        return BZ_EIO;
    return BZ_OK;
}

static enum bz_status settle(const struct bz_instance *in, struct taker *t, const char *source,
                             bool force) {
    char path[160], had[40];
    if (t->t.records == 0) {
        bz_say("%s: no record was found in it", bz_safe(source));
        return BZ_ENOTFOUND;
    }
    if (t->t.bad > t->t.records / BAD_SHARE) {
        bz_say("%s: %llu of %llu records cannot be read (%s)", bz_safe(source),
               (unsigned long long)t->t.bad, (unsigned long long)(t->t.records + t->t.bad),
               t->t.first_bad);
        return BZ_ESYNTAX;
    }
    name_of(t);
    (void)snprintf(path, sizeof path, BZ_F_ADVISORY_OSV "/%s.db", t->t.name);
    newest_of(in, path, had);
    if (!force && strcmp(t->t.newest, had) < 0) {
        bz_say("%s: its newest record is of %s, and one of %s is here already; --older takes it "
               "all the same",
               bz_safe(source), t->t.newest, had);
        return BZ_ERANGE;
    }
    if (write_head(t, source) != BZ_OK || fflush(t->out) != 0 || fsync(fileno(t->out)) != 0 ||
        renameat(in->fd, BZ_F_ADVISORY_OSV "/new.tmp", in->fd, path) != 0) {
        bz_say("%s: %s", bz_safe(path), strerror(errno));
        return BZ_EIO;
    }
    return BZ_OK;
}

static FILE *open_new(const struct bz_instance *in) {
    (void)mkdirat(in->fd, BZ_F_ADVISORIES, 0700);
    (void)mkdirat(in->fd, BZ_F_ADVISORY_OSV, 0700);
    (void)unlinkat(in->fd, BZ_F_ADVISORY_OSV "/new.tmp", 0);
    int fd = openat(in->fd, BZ_F_ADVISORY_OSV "/new.tmp",
                    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w+e");
    if (f == NULL) {
        bz_say("%s: %s", BZ_F_ADVISORY_OSV, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
    }
    return f;
}

enum bz_status bz_osv_take(const struct bz_instance *in, int fd, const char *source, bool force,
                           struct bz_osv_taken *ret) {
    struct taker *t = calloc(1, sizeof *t);
    if (t == NULL)
        return BZ_ENOMEM;
    bz_buf_init(&t->text, BZ_ADVISORY_MAX);
    bz_buf_init(&t->line, (size_t)2 * BZ_ADVISORY_MAX);
    bz_arena_init(&t->ar, bz_alloc_heap, RECORD_ARENA, NULL, 0);
    t->out = open_new(in);
    enum bz_status st = t->out == NULL ? BZ_EIO : BZ_OK;
    if (st == BZ_OK && fseeko(t->out, HEAD_LEN, SEEK_SET) != 0)
        st = BZ_EIO;
    if (st == BZ_OK)
        st = read_archive(t, fd, source);
    if (st == BZ_OK)
        st = settle(in, t, source, force);
    if (t->out != NULL)
        (void)fclose(t->out);
    (void)unlinkat(in->fd, BZ_F_ADVISORY_OSV "/new.tmp", 0);
    *ret = t->t;
    bz_arena_free(&t->ar);
    bz_buf_free(&t->text);
    bz_buf_free(&t->line);
    free(t);
    return st;
}
