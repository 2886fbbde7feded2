/* Writing changes, and taking them back. All paths start at the root descriptor and cannot leave it; what was there
 * goes into the journal, durably, before anything is changed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bartizan/crypto.h>
#include <bartizan/text.h>

#include "posture_int.h"

enum { PATH_MAX_ = 1024, JOURNAL_MAX = 8 << 20 };

static int open_in(int root, const char *path, uint64_t flags, uint64_t mode) {
    while (*path == '/')
        path++;
    flags |= O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : O_NOCTTY);
    struct open_how how = {
        .flags = flags, .mode = mode, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root, *path == '\0' ? "." : path, &how, sizeof how);
}

static bool text_of(struct bz_view path, char out[PATH_MAX_]) {
    if (path.n == 0 || path.n >= PATH_MAX_ || memchr(path.p, 0, path.n) != NULL)
        return false;
    memcpy(out, path.p, path.n);
    out[path.n] = '\0';
    return true;
}

/* The folder of a path, made if it is missing; -1. */
static int folder(int root, const char *path, bool make) {
    char part[PATH_MAX_];
    const char *end = strrchr(path, '/');
    size_t n = end == NULL ? 0 : (size_t)(end - path);
    for (size_t i = 1; make && i <= n; i++) {
        if (path[i] != '/' && i != n)
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        int there = open_in(root, part, O_PATH | O_DIRECTORY, 0);
        if (there >= 0) {
            (void)close(there);
            continue;
        }
        char up[PATH_MAX_];
        memcpy(up, part, i + 1);
        char *name = strrchr(up, '/');
        int dir = -1;
        if (name != NULL) {
            *name++ = '\0';
            dir = open_in(root, up, O_PATH | O_DIRECTORY, 0);
        }
        bool made = dir >= 0 && mkdirat(dir, name, 0755) == 0;
        if (dir >= 0)
            (void)close(dir);
        if (!made)
            return -1;
    }
    memcpy(part, path, n);
    part[n] = '\0';
    return open_in(root, part, O_RDONLY | O_DIRECTORY, 0);
}

static bool put_all(int fd, struct bz_view v) {
    while (v.n > 0) {
        ssize_t n = write(fd, v.p, v.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        v = bz_view_sub(v, (size_t)n, v.n);
    }
    return true;
}

/* The file is the old or the new one, never half of it. A file that was there keeps its mode and owner. */
static bool replace(int root, const char *path, struct bz_view v, mode_t mode) {
    const char *name = strrchr(path, '/');
    int dir = folder(root, path, true);
    struct stat s;
    if (dir < 0 || name == NULL)
        return false;
    name++;
    char tmp[300];
    bool was = fstatat(dir, name, &s, AT_SYMLINK_NOFOLLOW) == 0;
    bool good = (!was || S_ISREG(s.st_mode)) &&
                snprintf(tmp, sizeof tmp, "%s.bartizan-new", name) < (int)sizeof tmp;
    int fd =
        good ? openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
    good = fd >= 0;
    if (good && was)
        good = fchown(fd, s.st_uid, s.st_gid) == 0 || geteuid() != 0;
    good =
        good && fchmod(fd, was ? s.st_mode & 07777 : mode) == 0 && put_all(fd, v) && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        good = false;
    good = good && renameat(dir, tmp, dir, name) == 0 && fsync(dir) == 0;
    if (!good && fd >= 0)
        (void)unlinkat(dir, tmp, 0);
    (void)close(dir);
    return good;
}

static bool remove_file(int root, const char *path) {
    int dir = folder(root, path, false);
    if (dir < 0)
        return false;
    bool good = unlinkat(dir, strrchr(path, '/') + 1, 0) == 0;
    (void)close(dir);
    char up[PATH_MAX_];
    size_t n = (size_t)(strrchr(path, '/') - path);
    memcpy(up, path, n);
    up[n] = '\0';
    /* a drop-in folder that nobody else uses goes too */
    if (good && n > 2 && strcmp(up + n - 2, ".d") == 0 && strrchr(up, '/') != NULL) {
        int above = folder(root, up, false);
        if (above >= 0) {
            (void)unlinkat(above, strrchr(up, '/') + 1, AT_REMOVEDIR);
            (void)close(above);
        }
    }
    return good;
}

static bool change_mode(int root, const char *path, uint32_t from, uint32_t to) {
    struct stat s;
    int fd = open_in(root, path, O_PATH | O_NOFOLLOW, 0);
    if (fd < 0)
        return false;
    bool kind = fstat(fd, &s) == 0 && (S_ISREG(s.st_mode) || S_ISDIR(s.st_mode)) &&
                (s.st_mode & 07777) == from;
    (void)close(fd);
    fd = kind ? open_in(root, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0) : -1;
    if (fd < 0)
        return false;
    bool good = fstat(fd, &s) == 0 && (s.st_mode & 07777) == from && fchmod(fd, to) == 0;
    (void)close(fd);
    return good;
}

/* ---- journal: one line of JSON for each run of --fix ---- */

static void journal_line(const struct bz_posture_change_plan *c, size_t n, int64_t now,
                         struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "time", (uint64_t)now);
    bz_jw_key(&w, "changes");
    bz_jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        struct bz_buf b;
        bz_jw_obj(&w);
        bz_jw_kstr(&w, "check", bz_view_str(c[i].check));
        bz_jw_kstr(&w, "path", c[i].path);
        if (c[i].is_mode) {
            bz_jw_ku64(&w, "mode_before", c[i].mode_before);
            bz_jw_ku64(&w, "mode_after", c[i].mode_after);
        } else {
            bz_buf_init(&b, 2 * (c[i].before.n + c[i].after.n) + 64);
            bz_jw_kbool(&w, "existed", c[i].before.p != NULL);
            bz_buf_put_b64(&b, c[i].before);
            bz_jw_kstr(&w, "before", bz_buf_view(&b));
            bz_buf_reset(&b);
            bz_buf_put_b64(&b, c[i].after);
            bz_jw_kstr(&w, "after", bz_buf_view(&b));
            bz_buf_free(&b);
        }
        bz_jw_end(&w);
    }
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_buf_putc(out, '\n');
}

static enum bz_status open_tree(const char *root, struct bz_arena *ar, struct pt_tree *t) {
    bz_arena_init(ar, bz_alloc_heap, BZ_POSTURE_ARENA_MAX, NULL, 0);
    return pt_tree_open(t, root, ar);
}

static int root_of(const char *root) {
    return open(root == NULL ? "/" : root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

enum bz_status bz_posture_apply(const char *root, const struct bz_posture_change_plan *c, size_t n,
                                int64_t now, struct bz_view *ret_failed) {
    struct pt_tree t;
    struct bz_arena ar;
    struct bz_view old;
    struct bz_buf b;
    char path[PATH_MAX_];
    *ret_failed = BZ_V("/" BZ_POSTURE_JOURNAL);
    BZ_TRY(open_tree(root, &ar, &t));
    enum bz_status st = pt_read(&t, BZ_POSTURE_JOURNAL, JOURNAL_MAX, &old);
    bz_buf_init(&b, JOURNAL_MAX * 2);
    bz_buf_put(&b, old);
    journal_line(c, n, now, &b);
    st = (st == BZ_OK || st == BZ_ENOTFOUND) ? bz_buf_status(&b) : st;
    int fd = st == BZ_OK ? root_of(root) : -1;
    if (st == BZ_OK && (fd < 0 || !replace(fd, "/" BZ_POSTURE_JOURNAL, bz_buf_view(&b), 0600)))
        st = BZ_EIO;
    for (size_t i = 0; st == BZ_OK && i < n; i++) {
        *ret_failed = c[i].path;
        bool good = text_of(c[i].path, path);
        if (good && c[i].is_mode)
            good = change_mode(fd, path, c[i].mode_before, c[i].mode_after);
        else if (good)
            good = replace(fd, path, c[i].after, 0644);
        st = good ? BZ_OK : BZ_EIO;
    }
    if (fd >= 0)
        (void)close(fd);
    bz_buf_free(&b);
    pt_tree_close(&t);
    bz_arena_free(&ar);
    return st;
}

/* ---- undo ---- */

static void report_line(struct bz_buf *out, const char *what, const char *path) {
    bz_buf_puts(out, what);
    bz_put_safe(out, bz_view_str(path));
    bz_buf_putc(out, '\n');
}

static struct bz_view decoded(struct bz_arena *ar, const struct bz_json *o, const char *key) {
    struct bz_view text = bz_json_str(bz_json_get(o, bz_view_str(key)));
    uint8_t *mem = bz_arena_alloc(ar, text.n + 1);
    size_t n = 0;
    if (mem == NULL || bz_b64_decode(text, mem, text.n + 1, &n) != BZ_OK)
        return bz_view(NULL, 0);
    return bz_view(mem, n);
}

static void undo_content(int root, struct pt_tree *t, const struct bz_json *c, const char *path,
                         bool dry, struct bz_buf *report) {
    struct bz_view now, before = decoded(t->ar, c, "before"), after = decoded(t->ar, c, "after");
    bool existed = bz_json_is(bz_json_get(c, BZ_V("existed")), BZ_JSON_TRUE);
    if (pt_read(t, path, BZ_POSTURE_CONFIG_MAX, &now) != BZ_OK || !bz_view_eq(now, after))
        report_line(report, "was changed since, left as it is: ", path);
    else if (dry)
        report_line(report, existed ? "would restore " : "would remove ", path);
    else if (existed ? replace(root, path, before, 0644) : remove_file(root, path))
        report_line(report, existed ? "restored " : "removed ", path);
    else
        report_line(report, "could not be restored: ", path);
}

static void undo_mode(int root, struct pt_tree *t, const struct bz_json *c, const char *path,
                      bool dry, struct bz_buf *report) {
    int64_t before = 0, after = 0;
    struct stat s;
    bool good = bz_json_i64(bz_json_get(c, BZ_V("mode_before")), &before) == BZ_OK &&
                bz_json_i64(bz_json_get(c, BZ_V("mode_after")), &after) == BZ_OK && before >= 0 &&
                before <= 07777;
    if (!good || !pt_stat(t, path, false, &s) || (int64_t)(s.st_mode & 07777) != after)
        report_line(report, "was changed since, left as it is: ", path);
    else if (dry)
        report_line(report, "would restore the mode of ", path);
    else if (change_mode(root, path, (uint32_t)after, (uint32_t)before))
        report_line(report, "restored the mode of ", path);
    else
        report_line(report, "could not be restored: ", path);
}

/* The last line of the journal; what comes before it goes to *ret_rest. */
static struct bz_view last_line(struct bz_view journal, struct bz_view *ret_rest) {
    while (journal.n > 0 && journal.p[journal.n - 1] == '\n')
        journal.n--;
    size_t at = journal.n;
    while (at > 0 && journal.p[at - 1] != '\n')
        at--;
    *ret_rest = bz_view_sub(journal, 0, at);
    return bz_view_sub(journal, at, journal.n);
}

static enum bz_status undo_line(int root, struct pt_tree *t, struct bz_view line, bool dry,
                                struct bz_buf *report) {
    struct bz_json *o = NULL;
    struct bz_diag diag;
    char path[PATH_MAX_];
    BZ_TRY(bz_json_parse(line, NULL, t->ar, &o, &diag));
    const struct bz_json *list = bz_json_get(o, BZ_V("changes"));
    if (!bz_json_is(list, BZ_JSON_ARRAY))
        return BZ_ECORRUPT;
    for (size_t i = list->count; i-- > 0;) { /* last first */
        const struct bz_json *c = list->first;
        for (size_t j = 0; j < i; j++)
            c = c->next;
        if (!text_of(bz_json_str(bz_json_get(c, BZ_V("path"))), path))
            return BZ_ECORRUPT;
        if (bz_json_get(c, BZ_V("mode_before")) != NULL)
            undo_mode(root, t, c, path, dry, report);
        else
            undo_content(root, t, c, path, dry, report);
    }
    return BZ_OK;
}

enum bz_status bz_posture_undo(const char *root, bool dry, struct bz_buf *report) {
    struct pt_tree t;
    struct bz_arena ar;
    struct bz_view journal, rest = {NULL, 0}, line;
    BZ_TRY(open_tree(root, &ar, &t));
    enum bz_status st = pt_read(&t, BZ_POSTURE_JOURNAL, JOURNAL_MAX, &journal);
    line = last_line(journal, &rest);
    if (st == BZ_OK && line.n == 0)
        st = BZ_ENOTFOUND;
    int fd = st == BZ_OK ? root_of(root) : -1;
    if (st == BZ_OK)
        st = fd < 0 ? BZ_EIO : undo_line(fd, &t, line, dry, report);
    if (st == BZ_OK && !dry && !replace(fd, "/" BZ_POSTURE_JOURNAL, rest, 0600))
        st = BZ_EIO;
    if (fd >= 0)
        (void)close(fd);
    pt_tree_close(&t);
    bz_arena_free(&ar);
    return st;
}
