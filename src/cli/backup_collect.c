/* What goes into a backup, in an order that keeps the parts consistent while the instance works:
 *
 *   1. ordinary files; among them bodies that wait in the spool
 *   2. databases, each as SQLite's own copy of one committed state: a body that left the spool
 *      meanwhile is in there
 *   3. the list of erasures: at least as new as the databases, so an erasure is never forgotten
 *   4. the audit log: its checkpoint first, then the tiles it needs, which never change; so every
 *      change above has its record in it */
#include "backup_make.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>
#include <bartizan/store.h>

#include "cmd_audit.h"
#include "master.h"

enum { DEPTH_MAX = 16, SEAL_WAIT_MS = 5000, SEAL_STEP_MS = 50 };

#define COPY "run/backup-copy.db"

enum phase { PHASE_FILES, PHASE_DATABASES, PHASE_ERASURES, PHASE_COUNT };

struct list { /* paths by phase */
    char **path[PHASE_COUNT];
    size_t n[PHASE_COUNT], cap[PHASE_COUNT];
    bool plain_log; /* the log's own files, as they are: its checkpoint cannot be used */
};

static bool list_add(struct list *l, enum phase p, const char *path) {
    if (l->n[p] == l->cap[p]) {
        size_t cap = l->cap[p] == 0 ? 64 : l->cap[p] * 2;
        char **more = reallocarray(l->path[p], cap, sizeof *more);
        if (more == NULL)
            return false;
        l->path[p] = more;
        l->cap[p] = cap;
    }
    char *copy = strdup(path);
    if (copy == NULL)
        return false;
    l->path[p][l->n[p]++] = copy;
    return true;
}

static void list_free(struct list *l) {
    for (int p = 0; p < PHASE_COUNT; p++) {
        for (size_t i = 0; i < l->n[p]; i++)
            free(l->path[p][i]);
        free(l->path[p]);
    }
}

/* ---- looking around ---- */

static bool ends(const char *name, const char *end) {
    size_t n = strlen(name), m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

/* Half-written files, companions of databases, archives. */
static bool passing(const char *name) {
    static const char *const list[] = {".tmp", ".db-wal", ".db-shm", ".db-journal", ".bzb"};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (ends(name, list[i]))
            return true;
    return false;
}

static bool is_database(int dir, const char *name) {
    char magic[16];
    BZ_FD fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return fd >= 0 && pread(fd, magic, sizeof magic, 0) == sizeof magic &&
           memcmp(magic, "SQLite format 3", sizeof magic) == 0;
}

/* The master key goes in as it is, see take_master: sealed to this machine it opens on no other. */
static bool is_master(const char *path) {
    return strcmp(path, BZ_F_MASTER_KEY) == 0 || strcmp(path, BZ_F_MASTER_SEALED) == 0;
}

static bool look(struct bz_make *k, struct list *l, int dir, const char *above, int depth);

static bool look_at(struct bz_make *k, struct list *l, int dir, const char *path, const char *name,
                    int depth) {
    struct stat s;
    if (fstatat(dir, name, &s, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT;
    bool link = S_ISLNK(s.st_mode);
    if (link && (fstatat(dir, name, &s, 0) != 0 || !S_ISREG(s.st_mode))) {
        bz_found_add(&k->left_out, "%s: is a link that leads to no file", bz_safe(path));
        return true;
    }
    if (S_ISREG(s.st_mode) && s.st_dev == k->out.st_dev && s.st_ino == k->out.st_ino)
        return true;
    if (is_master(path))
        return true;
    if (!bz_backup_path_ok(bz_view_str(path))) {
        bz_found_add(&k->left_out, "%s: has a name that an archive cannot keep", bz_safe(path));
        return true;
    }
    if (S_ISREG(s.st_mode)) {
        bool erasures = strcmp(path, BZ_BACKUP_ERASED) == 0;
        return list_add(l,
                        erasures                 ? PHASE_ERASURES
                        : is_database(dir, name) ? PHASE_DATABASES
                                                 : PHASE_FILES,
                        path);
    }
    if (!S_ISDIR(s.st_mode)) {
        bz_found_add(&k->left_out, "%s: is no file", bz_safe(path));
        return true;
    }
    if (depth >= DEPTH_MAX) {
        bz_found_add(&k->left_out, "%s: is nested too deeply", bz_safe(path));
        return true;
    }
    BZ_FD fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        bz_say("%s: %s", bz_safe(path), strerror(errno));
        return false;
    }
    return bz_make_dir(k, path, &s) && look(k, l, fd, path, depth + 1);
}

static bool wanted(const struct list *l, const char *above, const char *name) {
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || passing(name))
        return false;
    if (above[0] != '\0')
        return true;
    return !bz_backup_left_out(bz_view_str(name)) && (strcmp(name, "audit") != 0 || l->plain_log);
}

/* `dir` stays open. */
static bool look(struct bz_make *k, struct list *l, int dir, const char *above, int depth) {
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    if (d == NULL) {
        bz_say("%s: %s", bz_safe(above), strerror(errno));
        if (copy >= 0)
            close(copy);
        return false;
    }
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(d)) != NULL;) {
        char path[BZ_DIR_PATH_MAX];
        if (!wanted(l, above, e->d_name))
            continue;
        int n =
            snprintf(path, sizeof path, "%s%s%s", above, above[0] == '\0' ? "" : "/", e->d_name);
        ok = n > 0 && (size_t)n < sizeof path && look_at(k, l, dir, path, e->d_name, depth);
    }
    (void)closedir(d);
    return ok;
}

/* ---- files and databases ---- */

static bool take_file(struct bz_make *k, const char *path) {
    struct stat s;
    BZ_FD fd = openat(k->in->fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return true; /* gone meanwhile */
    if (fd < 0 || fstat(fd, &s) != 0) {
        bz_say("%s/%s: %s", bz_safe(k->in->path), bz_safe(path), strerror(errno));
        return false;
    }
    return !S_ISREG(s.st_mode) || bz_make_from_fd(k, path, &s, fd);
}

static void drop_copy(const struct bz_make *k) {
    static const char *const files[] = {COPY, COPY "-wal", COPY "-shm", COPY "-journal"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)unlinkat(k->in->fd, files[i], 0);
}

static bool take_database(struct bz_make *k, const char *path) {
    char from[BZ_DIR_PATH_MAX], to[BZ_DIR_PATH_MAX];
    struct stat s;
    if (!bz_instance_path(k->in, path, from) || !bz_instance_path(k->in, COPY, to) ||
        fstatat(k->in->fd, path, &s, 0) != 0)
        return false;
    drop_copy(k);
    enum bz_status st = bz_store_copy(from, to);
    BZ_FD fd = st == BZ_OK ? openat(k->in->fd, COPY, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    bool ok = fd >= 0 && bz_make_from_fd(k, path, &s, fd);
    if (fd < 0)
        bz_say("%s: cannot be copied: %s", bz_safe(path), bz_status_text(st));
    drop_copy(k);
    return ok;
}

static bool take_phase(struct bz_make *k, const struct list *l, enum phase p,
                       bool (*take)(struct bz_make *, const char *)) {
    for (size_t i = 0; i < l->n[p]; i++)
        if (bz_backup_stopped() || !take(k, l->path[p][i]))
            return false;
    return true;
}

/* ---- the audit log ---- */

/* The writer holds a lock while it lives. Where there is none we hold it, shared, until the log has
 * been taken. */
static bool writer_lives(struct bz_make *k, const struct bz_alog *l) {
    k->log_lock = openat(l->dir, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    return k->log_lock >= 0 && flock(k->log_lock, LOCK_SH | LOCK_NB) != 0;
}

/* Waits for a checkpoint over all that is durable now: a second at most while the writer lives. */
static enum bz_status fresh_checkpoint(struct bz_make *k, struct bz_alog *l, bool lives) {
    k->m.taken_ns = bz_clock_unix();
    enum bz_status st = bz_alog_refresh(l);
    uint64_t goal = l->durable;
    for (int waited = 0; st == BZ_OK && l->head.size < goal && waited < SEAL_WAIT_MS && lives &&
                         !bz_backup_stopped();
         waited += SEAL_STEP_MS) {
        usleep(SEAL_STEP_MS * 1000);
        st = bz_alog_refresh(l);
    }
    k->m.log_size = l->head.size;
    k->m.unsealed = l->head.size < goal ? goal - l->head.size : 0;
    return st;
}

static bool take_tile(struct bz_make *k, const struct bz_alog *l, const struct bz_tile_id *t,
                      bool entries, struct bz_buf *mem) {
    static const struct stat s = {.st_mode = 0600};
    char path[80], full[96];
    bz_tile_path(t, entries, path);
    (void)snprintf(full, sizeof full, "audit/%s", path);
    bz_buf_reset(mem);
    enum bz_status st = bz_logdir_tile(l->dir, t, entries, mem);
    if (st == BZ_ENOTFOUND || st == BZ_ECORRUPT) {
        bz_found_add(&k->left_out, "%s: is missing or damaged; 'bartizan audit verify' tells more",
                     full);
        return true;
    }
    if (st != BZ_OK) {
        bz_say("%s: %s", full, bz_status_text(st));
        return false;
    }
    return bz_make_from(k, full, &s, bz_buf_view(mem));
}

static bool take_tiles(struct bz_make *k, const struct bz_alog *l) {
    struct bz_buf mem;
    bool ok = true;
    bz_buf_init(&mem, BZ_BUNDLE_MAX);
    for (uint32_t level = 0; ok && level < 8 && l->head.size >> (8 * level) != 0; level++) {
        uint64_t hashes = l->head.size >> (8 * level);
        struct bz_tile_id t;
        for (uint64_t i = 0; ok && i < hashes; i += BZ_TILE_WIDTH) {
            ok = !bz_backup_stopped() && bz_tile_of(level, i, l->head.size, &t) &&
                 take_tile(k, l, &t, false, &mem) && (level > 0 || take_tile(k, l, &t, true, &mem));
        }
    }
    bz_buf_free(&mem);
    return ok;
}

/* Time of a record, whole seconds. */
static enum bz_status note_time(void *ctx, uint64_t index, struct bz_view entry) {
    uint64_t *ret = ctx;
    char text[21];
    struct bz_view t = bz_audit_time(entry);
    uint64_t s = 0;
    (void)index;
    if (t.n < 20)
        return BZ_OK;
    memcpy(text, t.p, 19);
    memcpy(text + 19, "Z", 2);
    if (bz_expiry_parse(text, 0, &s) == BZ_OK)
        *ret = s * 1000000000u;
    return BZ_OK;
}

static bool take_sealed(struct bz_make *k, struct bz_alog *l) {
    static const struct stat file = {.st_mode = 0600}, dir = {.st_mode = 0700};
    if (k->m.unsealed != 0)
        bz_found_add(&k->left_out, "audit: %llu records are durable but under no checkpoint yet",
                     (unsigned long long)k->m.unsealed);
    if (!bz_make_dir(k, "audit", &dir) || !take_file(k, "audit/verifier"))
        return false;
    if (!l->has_head)
        return true;
    return bz_make_from(k, "audit/checkpoint", &file, bz_buf_view(&l->note)) && take_tiles(k, l);
}

enum log { LOG_SEALED, LOG_PLAIN, LOG_FAILED };

/* What was sealed, or the log's files as they are: when nobody writes them and some records are
 * under no checkpoint yet, or when the checkpoint cannot be used. */
static enum log choose(struct bz_make *k, struct bz_alog *l) {
    struct stat s;
    uint64_t next;
    bool lives = writer_lives(k, l);
    enum bz_status st = fresh_checkpoint(k, l, lives);
    bool tiles = fstatat(l->dir, "tile", &s, 0) == 0;
    if ((st != BZ_OK && st != BZ_ECORRUPT) || (!l->has_head && tiles)) {
        bz_found_add(&k->left_out, "audit: its checkpoint cannot be used, so its files were taken "
                                   "as they are; 'bartizan audit verify' tells more");
        return LOG_PLAIN;
    }
    if (st == BZ_ECORRUPT)
        bz_found_add(&k->left_out,
                     "audit: the journal is damaged; 'bartizan audit verify' tells more");
    if (l->head.size > 0)
        (void)!bz_alog_each(l, l->head.size - 1, l->head.size, note_time, &k->m.newest_ns, &next);
    if ((st == BZ_ECORRUPT || k->m.unsealed != 0) && !lives) {
        k->m.unsealed = 0;
        return LOG_PLAIN;
    }
    return take_sealed(k, l) ? LOG_SEALED : LOG_FAILED;
}

static enum log take_log(struct bz_make *k) {
    struct bz_alog l;
    struct stat s;
    k->m.taken_ns = bz_clock_unix();
    if (fstatat(k->in->fd, "audit", &s, 0) != 0)
        return LOG_SEALED;
    if (bz_alog_open(k->in->path, NULL, &l) != 0) {
        bz_found_add(&k->left_out, "audit: it has no usable verifier key, so its files were taken "
                                   "as they are");
        return LOG_PLAIN;
    }
    enum log how = choose(k, &l);
    bz_alog_close(&l);
    return how;
}

/* ---- all of it ---- */

static void outside(struct bz_make *k, const char *what, const char *path) {
    size_t n = strlen(k->in->path);
    if (path == NULL || path[0] != '/' || (strncmp(path, k->in->path, n) == 0 && path[n] == '/'))
        return;
    bz_found_add(&k->left_out, "%s %s: lies outside of the instance: keep a copy of your own", what,
                 bz_safe(path));
}

static void check_config(struct bz_make *k) {
    struct bz_config *c = NULL;
    struct bz_config_errors errs;
    struct bz_buf text;
    bz_buf_init(&text, BZ_CONFIG_MAX);
    if (bz_instance_config(k->in, BZ_F_CONFIG, &text, &c, &errs) == BZ_OK) {
        outside(k, "tls.certificate", c->tls_certificate);
        outside(k, "tls.key", c->tls_key);
        for (uint32_t i = 0; i < c->backends_n; i++)
            outside(k, "key_file", c->backends[i].key_file);
    } else {
        bz_found_add(&k->left_out, "bartizan.yaml is in the backup, but 'bartizan policy check' "
                                   "refuses it");
    }
    bz_config_free(c);
    bz_buf_free(&text);
}

static int by_name(const void *x, const void *y) {
    return strcmp(*(char *const *)x, *(char *const *)y);
}

/* Databases by name: bodies/bodies.db before store/bodykeys.db, so that no body lacks its key. */
static bool take_listed(struct bz_make *k, struct list *l) {
    if (l->n[PHASE_DATABASES] > 1)
        qsort(l->path[PHASE_DATABASES], l->n[PHASE_DATABASES], sizeof(char *), by_name);
    return take_phase(k, l, PHASE_FILES, take_file) &&
           take_phase(k, l, PHASE_DATABASES, take_database) &&
           take_phase(k, l, PHASE_ERASURES, take_file);
}

/* As a plain file, wherever this machine has it from: the recipient's key alone must be enough. */
static bool take_master(struct bz_make *k) {
    struct stat s = {.st_mode = 0600};
    if (fstatat(k->in->fd, BZ_F_MASTER_KEY, &s, AT_SYMLINK_NOFOLLOW) != 0)
        s = (struct stat){.st_mode = 0600};
    return bz_make_from(k, BZ_F_MASTER_KEY, &s, bz_view(k->own.master, sizeof k->own.master));
}

bool bz_make_collect(struct bz_make *k) {
    struct list l = {0}, log = {.plain_log = true};
    check_config(k);
    bool ok = take_master(k) && look(k, &l, k->in->fd, "", 0) && take_listed(k, &l);
    list_free(&l);
    if (!ok)
        return false;
    enum log how = take_log(k);
    if (how != LOG_PLAIN)
        return how == LOG_SEALED;
    static const struct stat dir = {.st_mode = 0700};
    BZ_FD fd = openat(k->in->fd, "audit", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    ok = fd >= 0 && bz_make_dir(k, "audit", &dir) && look(k, &log, fd, "audit", 1) &&
         take_listed(k, &log);
    list_free(&log);
    return ok;
}
