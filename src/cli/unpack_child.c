/* bartizan-7z: unpacks the 7z archive on descriptor 0 with libarchive. The list of its members goes to
 * descriptor 1 as JSON lines, their bytes to descriptor 2, one member behind the other. Started by
 * `bartizan scan` for coders that the scanner does not read itself; of no use to anybody else.
 *
 * {"name": "a/b.pkl", "bytes": 85, "whole": true}   a file; not whole: what came before it failed
 * {"name": "a/link", "link": "b"}                   a symbolic link; {"name": "a/"} a folder
 * {"bytes": ...}                                    a name that cannot be told
 * {"end": "done"}                                   or "damaged", "cap": nothing more was read */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bartizan/json.h>
#include <bartizan/limits.h>

#include "prison.h"

enum { FAILED = 2, LIST = 1, BYTES = 2, STEP = 256 * 1024 };

struct input {
    uint64_t at, size;
    uint8_t step[STEP];
};

struct unpack {
    struct archive *a;
    struct bz_buf list;
    uint64_t written;
    uint8_t step[STEP];
};

/* ---- reading by offset: there is nothing to open and nothing to seek ------------------------------ */

static la_ssize_t input_read(struct archive *a, void *ctx, const void **ret) {
    struct input *in = ctx;
    ssize_t k = -1;
    do {
        k = pread(0, in->step, sizeof in->step, (off_t)in->at);
    } while (k < 0 && errno == EINTR);
    if (k < 0)
        archive_set_error(a, errno, "reading");
    in->at += k > 0 ? (uint64_t)k : 0;
    *ret = in->step;
    return k;
}

static la_int64_t input_seek(struct archive *a, void *ctx, la_int64_t off, int whence) {
    struct input *in = ctx;
    int64_t from = whence == SEEK_SET   ? 0
                   : whence == SEEK_CUR ? (int64_t)in->at
                                        : (int64_t)in->size;
    int64_t to = 0;
    (void)a;
    if (__builtin_add_overflow(from, off, &to) || to < 0)
        return ARCHIVE_FATAL;
    in->at = (uint64_t)to;
    return to;
}

static struct archive *open_archive(struct input *in) {
    struct archive *a = archive_read_new();
    if (a == NULL || archive_read_support_format_7zip(a) != ARCHIVE_OK ||
        archive_read_set_read_callback(a, input_read) != ARCHIVE_OK ||
        archive_read_set_seek_callback(a, input_seek) != ARCHIVE_OK ||
        archive_read_set_callback_data(a, in) != ARCHIVE_OK)
        return NULL;
    return a;
}

/* ---- members ---------------------------------------------------------------------------------------- */

static void put_end(struct unpack *u, const char *how) {
    struct bz_jw j;
    bz_jw_init(&j, &u->list);
    bz_jw_obj(&j);
    bz_jw_kstr(&j, "end", bz_view_str(how));
    bz_jw_end(&j);
    bz_buf_putc(&u->list, '\n');
}

/* The bytes of one file; *ret_whole: all of them. false: a cap, or nobody reads them. */
static bool put_bytes(struct unpack *u, uint64_t *ret_n, bool *ret_whole) {
    *ret_n = 0;
    for (;;) {
        la_ssize_t k = archive_read_data(u->a, u->step, sizeof u->step);
        *ret_whole = k == 0;
        if (k <= 0)
            return true;
        if ((uint64_t)k > BZ_UNPACK_BYTES_MAX - u->written ||
            !bz_prison_write(BYTES, u->step, (uint64_t)k))
            return false;
        u->written += (uint64_t)k;
        *ret_n += (uint64_t)k;
    }
}

static bool put_member(struct unpack *u, struct archive_entry *e) {
    const char *name = archive_entry_pathname_utf8(e), *link = archive_entry_symlink_utf8(e);
    bool whole = true, good = true;
    uint64_t n = 0;
    struct bz_jw j;
    bz_jw_init(&j, &u->list);
    bz_jw_obj(&j);
    if (name != NULL)
        bz_jw_kstr(&j, "name", bz_view_str(name));
    if (link != NULL) {
        bz_jw_kstr(&j, "link", bz_view_str(link));
    } else if (archive_entry_filetype(e) != AE_IFDIR) {
        good = put_bytes(u, &n, &whole);
        bz_jw_ku64(&j, "bytes", n);
        bz_jw_kbool(&j, "whole", whole && good);
    }
    bz_jw_end(&j);
    bz_buf_putc(&u->list, '\n');
    return good;
}

static const char *put_members(struct unpack *u) {
    for (;;) {
        struct archive_entry *e = NULL;
        int r = archive_read_next_header(u->a, &e);
        if (r == ARCHIVE_EOF)
            return "done";
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
            return "damaged";
        if (!put_member(u, e))
            return "cap";
    }
}

int main(int argc, char **argv) {
    static const struct bz_prison prison = {.memory = BZ_UNPACK_MEMORY_MAX,
                                            .seconds = BZ_UNPACK_SECONDS_MAX,
                                            .written = BZ_UNPACK_BYTES_MAX};
    static const char usage[] = "bartizan-7z is a part of `bartizan scan`\n";
    static struct input in;
    static struct unpack u;
    struct stat sb;
    (void)argv;
    if (argc != 1 || !bz_prison_file(&in.size) || fstat(BYTES, &sb) != 0 || !S_ISREG(sb.st_mode)) {
        (void)bz_prison_write(LIST, usage, sizeof usage - 1);
        return FAILED;
    }
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* names as UTF-8 */
    u.a = open_archive(&in);
    if (u.a == NULL || !bz_prison_enter(&prison))
        return FAILED;
    bz_buf_init(&u.list, BZ_UNPACK_LIST_MAX);
    put_end(&u, archive_read_open1(u.a) == ARCHIVE_OK ? put_members(&u) : "damaged");
    if (!bz_prison_write(LIST, u.list.p, u.list.n))
        return FAILED;
    _exit(u.list.st == BZ_OK ? 0 : FAILED);
}
