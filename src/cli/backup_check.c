/* An instance that was written from a backup: is it one? */
#include "cmd_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bartizan/store.h>

extern char **environ;

enum { ERASED_MAX = 64 << 20 };

/* ---- the audit log: by our own command, as an administrator would ---- */

static int run_quietly(char *const argv[]) {
    posix_spawn_file_actions_t fa;
    pid_t pid = -1;
    int status = 0;
    if (posix_spawn_file_actions_init(&fa) != 0)
        return BZ_EXIT_UNCHECKED;
    bool ok = posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
              posix_spawn_file_actions_addopen(&fa, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
              posix_spawn(&pid, "/proc/self/exe", &fa, NULL, argv, environ) == 0;
    (void)posix_spawn_file_actions_destroy(&fa);
    while (ok && waitpid(pid, &status, 0) < 0)
        ok = errno == EINTR;
    return ok && WIFEXITED(status) ? WEXITSTATUS(status) : BZ_EXIT_UNCHECKED;
}

int bz_backup_audit_verify(const char *dir, const char *old_checkpoint, uint64_t least) {
    char at[BZ_DIR_PATH_MAX], old[BZ_DIR_PATH_MAX], size[24];
    char name[] = "bartizan", audit[] = "audit", verify[] = "verify", json[] = "--json";
    char expect[] = "--expect-size", option[] = "--old-checkpoint";
    (void)snprintf(at, sizeof at, "%s", dir);
    (void)snprintf(old, sizeof old, "%s", old_checkpoint == NULL ? "" : old_checkpoint);
    (void)snprintf(size, sizeof size, "%llu", (unsigned long long)least);
    char *argv[] = {name, audit, verify, at, json, expect, size, option, old, NULL};
    if (old_checkpoint == NULL)
        argv[7] = NULL;
    return run_quietly(argv);
}

static int check_audit(const struct bz_chain *c, const char *path, struct bz_found *found,
                       struct bz_backup_checks *ret) {
    ret->records = c->manifest.log_size;
    ret->audit_none = c->manifest.log_size == 0;
    if (ret->audit_none)
        return BZ_EXIT_OK;
    int rc = bz_backup_audit_verify(path, NULL, c->manifest.log_size);
    ret->audit = rc == BZ_EXIT_OK;
    if (rc == BZ_EXIT_FINDINGS)
        bz_found_add(found, "the audit log does not verify");
    else if (rc != BZ_EXIT_OK)
        bz_found_add(found, "the audit log could not be verified");
    return rc;
}

/* ---- configuration and keys ---- */

static void there(const struct bz_instance *in, const char *what, const char *path,
                  struct bz_found *found) {
    if (path != NULL && faccessat(in->fd, path, R_OK, 0) != 0)
        bz_found_add(found, "%s %s: %s", what, bz_safe(path),
                     path[0] == '/' ? "lies outside of the instance and is not on this machine"
                                    : "is not in the backup");
}

/* not inlined, like its neighbours: each needs a good part of what one frame may hold */
__attribute__((noinline)) static void
check_config(const struct bz_instance *in, struct bz_found *found, struct bz_backup_checks *ret) {
    struct bz_config *c = NULL;
    struct bz_config_errors errs;
    struct bz_buf text;
    size_t before = found->n;
    bz_buf_init(&text, BZ_CONFIG_MAX);
    if (bz_instance_config(in, BZ_F_CONFIG, &text, &c, &errs) == BZ_OK) {
        there(in, "tls.certificate", c->tls_certificate, found);
        there(in, "tls.key", c->tls_key, found);
        for (uint32_t i = 0; i < c->backends_n; i++)
            there(in, "key_file", c->backends[i].key_file, found);
    } else {
        bz_found_add(found, "bartizan.yaml is refused: %s",
                     errs.n == 0 ? "it cannot be read" : bz_safe(errs.list[0].text));
    }
    ret->config = found->n == before;
    bz_config_free(c);
    bz_buf_free(&text);
}

static void check_keys(const struct bz_chain *c, const struct bz_instance *in,
                       struct bz_found *found) {
    struct bz_instance_keys keys;
    if (bz_instance_keys(in, &keys) != BZ_OK ||
        !bz_ct_equal(bz_view(keys.instance_id, sizeof keys.instance_id),
                     bz_view(c->manifest.instance, sizeof c->manifest.instance)))
        bz_found_add(found, "the master key is missing or of another instance");
    bz_wipe(&keys, sizeof keys);
}

/* ---- databases ---- */

static bool is_database(int dir, const char *path) {
    char magic[16];
    BZ_FD fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && pread(fd, magic, sizeof magic, 0) == sizeof magic &&
           memcmp(magic, "SQLite format 3", sizeof magic) == 0;
}

static enum bz_status open_store(const char *path) {
    struct bz_store *s = NULL;
    BZ_TRY(bz_store_open(path, &s));
    enum bz_status st = bz_store_check(s);
    bz_store_close(s);
    return st;
}

__attribute__((noinline)) static void check_store(const struct bz_chain *c,
                                                  const struct bz_instance *in,
                                                  struct bz_found *found,
                                                  struct bz_backup_checks *ret) {
    struct bz_backup_manifest walk = c->manifest;
    struct bz_backup_entry e;
    size_t before = found->n;
    bool any = false;
    while (bz_backup_manifest_next(&walk, &e) == BZ_OK) {
        char rel[BZ_BACKUP_PATH_MAX + 1], full[BZ_DIR_PATH_MAX];
        (void)snprintf(rel, sizeof rel, "%.*s", (int)e.path.n, (const char *)e.path.p);
        bool store = strcmp(rel, BZ_F_STORE) == 0;
        any |= store;
        if (e.dir || (!store && !is_database(in->fd, rel)))
            continue;
        enum bz_status st = BZ_ETOOBIG;
        if (bz_instance_path(in, rel, full))
            st = store ? open_store(full) : bz_store_whole(full);
        if (st != BZ_OK)
            bz_found_add(found, "%s: %s", bz_safe(rel), bz_status_text(st));
    }
    if (!any)
        bz_found_add(found, BZ_F_STORE ": is not in the backup");
    ret->store = found->n == before;
}

int bz_backup_check(const struct bz_chain *c, const char *path, struct bz_found *found,
                    struct bz_backup_checks *ret) {
    struct bz_instance in;
    size_t before = found->n;
    *ret = (struct bz_backup_checks){0};
    if (bz_instance_open(path, &in) != BZ_OK) {
        bz_found_add(found, "there is no bartizan.yaml in the backup");
        return BZ_EXIT_FINDINGS;
    }
    check_keys(c, &in, found);
    check_config(&in, found, ret);
    check_store(c, &in, found, ret);
    int rc = check_audit(c, in.path, found, ret);
    bz_instance_close(&in);
    if (rc != BZ_EXIT_OK && rc != BZ_EXIT_FINDINGS)
        return BZ_EXIT_UNCHECKED;
    return found->n == before ? BZ_EXIT_OK : BZ_EXIT_FINDINGS;
}

/* ---- erasures ---- */

static bool has_line(struct bz_view text, struct bz_view line) {
    const uint8_t *p = text.p;
    for (size_t left = text.n; left >= line.n;) {
        const uint8_t *hit = memmem(p, left, line.p, line.n);
        if (hit == NULL)
            return false;
        if (hit == text.p || hit[-1] == '\n')
            return true;
        left -= (size_t)(hit - p) + 1;
        p = hit + 1;
    }
    return false;
}

/* Lines of the newer list that the restored one lacks. bartizand checks each before it is done. */
static void merge(struct bz_buf *have, struct bz_view more, struct bz_found *found) {
    if (have->n > 0 && have->p[have->n - 1] != '\n')
        bz_buf_putc(have, '\n'); /* torn by a crash: nothing may run on into it */
    while (more.n > 0) {
        const uint8_t *nl = memchr(more.p, '\n', more.n);
        if (nl == NULL) {
            bz_found_add(found, "the last line of the newer list of erasures is torn");
            return;
        }
        struct bz_view line = bz_view_sub(more, 0, (size_t)(nl - more.p) + 1);
        if (!has_line(bz_buf_view(have), line))
            bz_buf_put(have, line);
        more = bz_view_sub(more, line.n, more.n);
    }
}

bool bz_backup_erasures(const char *path, const char *list, struct bz_found *found) {
    struct bz_buf have, more;
    BZ_FD dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bz_buf_init(&have, 2 * ERASED_MAX);
    bz_buf_init(&more, ERASED_MAX);
    enum bz_status st = bz_file_read(AT_FDCWD, list, &more);
    if (st != BZ_OK)
        bz_say("--tombstones %s: %s", bz_safe(list),
               st == BZ_ETOOBIG ? bz_status_text(st) : strerror(errno));
    bool ok = st == BZ_OK && dir >= 0;
    if (ok) {
        st = bz_file_read(dir, BZ_BACKUP_ERASED, &have);
        ok = st == BZ_OK || st == BZ_ENOTFOUND;
    }
    if (ok) {
        merge(&have, bz_buf_view(&more), found);
        ok = (mkdirat(dir, "bodies", 0700) == 0 || errno == EEXIST) &&
             bz_buf_status(&have) == BZ_OK &&
             bz_file_write(dir, BZ_BACKUP_ERASED, bz_buf_view(&have), 0600, BZ_FILE_SYNC) == BZ_OK;
        if (!ok)
            bz_say("the list of erasures cannot be written: %s", strerror(errno));
    }
    bz_buf_free(&have);
    bz_buf_free(&more);
    return ok;
}
