/* What git would commit: the blobs of the index that differ from the last commit, read through git. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dlp.h"
#include "files.h"

extern char **environ;

enum { LIST_MAX = 64 << 20, ID_MAX = 64 };

/* ---- children ---- */

struct child {
    pid_t pid;
    int out; /* what it prints */
};

static bool start(char *const argv[], struct child *ret) {
    posix_spawn_file_actions_t fa;
    int p[2];
    if (pipe2(p, O_CLOEXEC) != 0)
        return false;
    bool ok = posix_spawn_file_actions_init(&fa) == 0;
    if (ok) {
        ok = posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
             posix_spawn_file_actions_adddup2(&fa, p[1], STDOUT_FILENO) == 0 &&
             posix_spawnp(&ret->pid, "git", &fa, NULL, argv, environ) == 0;
        (void)posix_spawn_file_actions_destroy(&fa);
    }
    (void)close(p[1]);
    ret->out = p[0];
    if (!ok)
        (void)close(p[0]);
    return ok;
}

static bool finish(struct child *c) {
    int status = 0;
    bool ok = true;
    (void)close(c->out); /* a child that still writes gets SIGPIPE */
    while (ok && waitpid(c->pid, &status, 0) < 0)
        ok = errno == EINTR;
    return ok && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool read_all(int fd, struct bz_buf *out) {
    for (;;) {
        if (!bz_buf_reserve(out, 65536))
            return false;
        ssize_t k = read(fd, out->p + out->n, 65536);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return k == 0;
        out->n += (size_t)k;
    }
}

/* ---- the index ---- */

static bool list_staged(struct bz_buf *out) {
    char git[] = "git", diff[] = "diff", cached[] = "--cached", raw[] = "--raw", z[] = "-z";
    char whole[] = "--no-abbrev", renames[] = "--no-renames", filter[] = "--diff-filter=AMT";
    char *argv[] = {git, diff, cached, raw, z, whole, renames, filter, NULL};
    struct child c;
    if (!start(argv, &c)) {
        bz_say("git could not be started: %s", strerror(errno));
        return false;
    }
    bool read = read_all(c.out, out);
    if (finish(&c) && read)
        return true;
    bz_say("git could not list what is staged");
    return false;
}

static void scan_blob(struct bz_dlp_scan *s, char *id, const char *path) {
    char git[] = "git", cat[] = "cat-file", blob[] = "blob";
    char *argv[] = {git, cat, blob, id, NULL};
    struct child c;
    if (!start(argv, &c)) {
        bz_dlp_report_failed(&s->report, path, strerror(errno));
        return;
    }
    bz_dlp_scan_fd(s, c.out, path);
    if (!finish(&c))
        bz_dlp_report_failed(&s->report, path, "git could not read what is staged");
}

/* ":100644 100644 OLD NEW M": the new mode and id. */
static bool parse_row(const char *row, char mode[8], char id[ID_MAX + 1]) {
    const char *at = row;
    for (int i = 0; i < 4; i++) {
        size_t n = strcspn(at, " ");
        if (at[n] == '\0')
            return false;
        if (i == 1)
            (void)snprintf(mode, 8, "%.*s", (int)(n < 7 ? n : 7), at);
        if (i == 3 && (n == 40 || n == ID_MAX))
            (void)snprintf(id, ID_MAX + 1, "%.*s", (int)n, at);
        at += n + 1;
    }
    return id[0] != '\0';
}

bool bz_dlp_scan_staged(struct bz_dlp_scan *s) {
    struct bz_buf list;
    bz_buf_init(&list, LIST_MAX);
    bool ok = list_staged(&list);
    bz_buf_putc(&list, '\0');
    ok = ok && bz_buf_status(&list) == BZ_OK;
    for (size_t i = 0; ok && i + 1 < list.n;) {
        char mode[8] = "", id[ID_MAX + 1] = "";
        const char *row = (const char *)list.p + i, *path = row + strlen(row) + 1;
        ok = row[0] == ':' && i + strlen(row) + 2 < list.n && parse_row(row, mode, id);
        if (!ok) {
            bz_say("git's list of what is staged cannot be read");
            break;
        }
        i += strlen(row) + strlen(path) + 2;
        if (strcmp(mode, "160000") == 0) /* another repository */
            s->report.special++;
        else if (!bz_dlp_excluded(s, path))
            scan_blob(s, id, path);
    }
    bz_buf_free(&list);
    return ok;
}
