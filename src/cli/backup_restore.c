/* bartizan backup verify, restore and drill. */
#include "cmd_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bartizan/json.h>

#include "commands.h"

struct job {
    const char *dir, *key, *tombstones, *owner;
    struct bz_opt_many from, signers;
    bool json, despite;
    /* found */
    struct bz_chain *c;
    struct bz_found found;
    struct bz_backup_checks checks;
    char tmp[BZ_DIR_PATH_MAX]; /* being built; empty: nothing to clean up */
    uint32_t uid, gid;
    uint64_t began, took;     /* ns */
    bool compared, continues; /* drill: the live log goes on from the backup's */
};

/* ---- archives ---- */

static int open_chain(struct job *j, const char *const *paths, size_t n) {
    struct bz_backup_trust trust;
    j->c = calloc(1, sizeof *j->c);
    if (j->c == NULL || !bz_backup_trust(j->key, &j->signers, &trust))
        return BZ_EXIT_FAILURE;
    j->began = bz_clock_mono();
    int rc = bz_chain_open(j->c, paths, n, &trust, &j->found);
    bz_wipe(&trust, sizeof trust);
    return rc;
}

static void job_done(struct job *j) {
    if (j->c != NULL)
        bz_chain_close(j->c);
    free(j->c);
    if (j->tmp[0] != '\0')
        bz_tree_remove(AT_FDCWD, j->tmp);
    j->tmp[0] = '\0';
}

/* ---- verify ---- */

static int show_verify(const struct job *j, int rc) {
    if (j->json) {
        struct bz_buf b;
        struct bz_jw w;
        bz_buf_init(&b, 1 << 20);
        bz_jw_init(&w, &b);
        bz_jw_obj(&w);
        bz_jw_kbool(&w, "ok", rc == BZ_EXIT_OK);
        bz_chain_json(&w, j->c);
        bz_jw_ku64(&w, "bytes", j->c->bytes);
        bz_found_json(&w, "findings", &j->found);
        return bz_report_end(&w, &b, rc);
    }
    bz_chain_print(j->c);
    bz_found_print("FOUND", &j->found);
    if (rc == BZ_EXIT_OK)
        (void)printf(
            j->c->contents
                ? "ok: every byte, and everything is there to restore\n"
                : "ok: every byte is as it was signed; with --key the contents are checked "
                  "too\n");
    return fflush(stdout) == 0 ? rc : BZ_EXIT_FAILURE;
}

static int verify(struct job *j, const struct bz_opts *o, int argc, char **argv) {
    const char *paths[BZ_BACKUP_CHAIN_MAX];
    size_t n;
    bool help = false;
    if (bz_opts_parse(o, argc, argv, paths, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    bz_backup_catch();
    int rc = open_chain(j, paths, n);
    return rc == BZ_EXIT_FAILURE ? rc : show_verify(j, rc);
}

int bz_backup_verify(int argc, char **argv) {
    struct job *j = calloc(1, sizeof *j);
    if (j == NULL)
        return BZ_EXIT_FAILURE;
    const struct bz_opt list[] = {
        {"key", BZ_OPT_TEXT, &j->key, "FILE", "secret key: checks the contents too"},
        {"signer", BZ_OPT_MANY, &j->signers, "SIGNER", "bzs1...: only its archives are good"},
        {"json", BZ_OPT_FLAG, &j->json, NULL, "one JSON object"},
    };
    static const char *const words[BZ_BACKUP_CHAIN_MAX] = {"ARCHIVE"};
    const struct bz_opts o = {
        "bartizan backup verify ARCHIVE... [--key FILE] [--signer SIGNER] [--json]",
        "Reads archives that build on each other, from end to end. Without a key: order, sizes and "
        "signature. With it: that the newest one can be restored from them.",
        list,
        sizeof list / sizeof list[0],
        words,
        1,
        BZ_BACKUP_CHAIN_MAX};
    int rc = verify(j, &o, argc, argv);
    job_done(j);
    free(j);
    return rc;
}

/* ---- writing ---- */

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

static bool say_failed(const char *rel, enum bz_status st) {
    bz_say("%s: %s", bz_safe(rel), st == BZ_OK ? strerror(errno) : bz_status_text(st));
    return false;
}

static bool put_file(const struct bz_chain *c, const struct bz_backup_entry *e, int dir,
                     const char *rel, struct bz_buf *mem) {
    BZ_FD fd = openat(dir, rel, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return say_failed(rel, BZ_OK);
    for (size_t i = 0; i < e->names.n / BZ_BACKUP_NAME; i++) {
        bz_buf_reset(mem);
        if (bz_backup_stopped())
            return false;
        enum bz_status st = bz_chain_chunk(c, e, i, mem);
        if (st != BZ_OK || !put_all(fd, bz_buf_view(mem)))
            return say_failed(rel, st);
    }
    struct timespec t = {(time_t)(e->mtime_ns / 1000000000u), (long)(e->mtime_ns % 1000000000u)};
    const struct timespec both[2] = {t, t};
    /* nothing for group and others, whatever it was */
    if (fchmod(fd, (e->mode & 0700) | 0400) != 0 || (e->mtime_ns != 0 && futimens(fd, both) != 0))
        return say_failed(rel, BZ_OK);
    return true;
}

bool bz_backup_write_all(const struct bz_chain *c, int fd) {
    struct bz_backup_manifest walk = c->manifest;
    struct bz_backup_entry e;
    struct bz_buf mem;
    uint64_t done = 0;
    bool ok = true;
    bz_buf_init(&mem, BZ_BACKUP_CHUNK);
    while (ok && bz_backup_manifest_next(&walk, &e) == BZ_OK) {
        char rel[BZ_BACKUP_PATH_MAX + 1];
        (void)snprintf(rel, sizeof rel, "%.*s", (int)e.path.n, (const char *)e.path.p);
        bz_backup_progress("restoring", done, c->manifest.bytes + 1);
        if (!e.dir)
            ok = put_file(c, &e, fd, rel, &mem);
        else if (mkdirat(fd, rel, 0700) != 0)
            ok = say_failed(rel, BZ_OK);
        done += e.size;
    }
    bz_backup_progress("restoring", 1, 1);
    bz_buf_wipe_free(&mem);
    return ok && walk.entries == 0;
}

/* ---- owner ---- */

static bool find_owner(struct job *j) {
    j->uid = j->gid = UINT32_MAX;
    if (j->owner == NULL)
        return true;
    errno = 0;
    const struct passwd *p = getpwnam(j->owner);
    if (p == NULL) {
        bz_say("--owner %s: there is no such user", bz_safe(j->owner));
        return false;
    }
    j->uid = p->pw_uid;
    j->gid = p->pw_gid;
    return true;
}

/* All that is there: the archive's files and what was made beside them. */
static bool own_all(const struct job *j) {
    char top[BZ_DIR_PATH_MAX];
    char *const tops[] = {top, NULL};
    bool ok = true;
    if (j->owner == NULL)
        return true;
    (void)snprintf(top, sizeof top, "%s", j->tmp);
    FTS *walk = fts_open(tops, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *e; ok && walk != NULL && (e = fts_read(walk)) != NULL;)
        ok = e->fts_info == FTS_DP || lchown(e->fts_path, j->uid, j->gid) == 0;
    ok = ok && walk != NULL;
    if (!ok)
        bz_say("--owner %s: %s", bz_safe(j->owner), strerror(errno));
    if (walk != NULL)
        (void)fts_close(walk);
    return ok;
}

/* ---- an instance beside its place ---- */

static bool make_tmp(struct job *j, const char *word) {
    size_t len = strlen(j->dir);
    while (len > 1 && j->dir[len - 1] == '/')
        len--;
    int n = snprintf(j->tmp, sizeof j->tmp, "%.*s.%s-XXXXXX", (int)len, j->dir, word);
    if (n > 0 && (size_t)n < sizeof j->tmp && mkdtemp(j->tmp) != NULL)
        return true;
    bz_say("%s: no directory can be made beside it: %s", bz_safe(j->dir), strerror(errno));
    j->tmp[0] = '\0';
    return false;
}

/* Writes and checks; an exit code. */
static int build(struct job *j, const char *word) {
    if (!make_tmp(j, word))
        return BZ_EXIT_FAILURE;
    BZ_FD fd = open(j->tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || !bz_backup_write_all(j->c, fd))
        return BZ_EXIT_FAILURE;
    if (bz_instance_dirs(fd) != BZ_OK) {
        bz_say("%s: %s", bz_safe(j->tmp), strerror(errno));
        return BZ_EXIT_FAILURE;
    }
    if (j->tombstones != NULL && !bz_backup_erasures(j->tmp, j->tombstones, &j->found))
        return BZ_EXIT_FAILURE;
    int rc = bz_backup_check(j->c, j->tmp, &j->found, &j->checks);
    if (!own_all(j))
        return BZ_EXIT_FAILURE;
    if (syncfs(fd) != 0) {
        bz_say("%s: %s", bz_safe(j->tmp), strerror(errno));
        return BZ_EXIT_FAILURE;
    }
    if (rc == BZ_EXIT_OK && j->found.n != 0)
        rc = BZ_EXIT_FINDINGS;
    return bz_backup_stopped() ? BZ_EXIT_FAILURE : rc;
}

static void sync_above(const char *path) {
    char up[BZ_DIR_PATH_MAX + 4];
    (void)snprintf(up, sizeof up, "%s/..", path);
    BZ_FD fd = open(up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)fsync(fd);
}

/* ---- what is shown ---- */

/* How far back the restored state lies: the newest record that came back. */
static uint64_t age(uint64_t then_ns) {
    uint64_t now = bz_clock_unix();
    return then_ns == 0 || then_ns > now ? 0 : now - then_ns;
}

static uint64_t rpo(const struct job *j) {
    const struct bz_backup_manifest *m = &j->c->manifest;
    return age(m->newest_ns != 0 ? m->newest_ns : m->taken_ns);
}

static void checks_json(struct bz_jw *w, const struct job *j) {
    bz_jw_key(w, "checks");
    bz_jw_obj(w);
    bz_jw_kbool(w, "config", j->checks.config);
    bz_jw_kbool(w, "store", j->checks.store);
    bz_jw_key(w, "audit");
    if (j->checks.audit_none)
        bz_jw_null(w);
    else
        bz_jw_bool(w, j->checks.audit);
    if (j->compared)
        bz_jw_kbool(w, "continues", j->continues);
    bz_jw_end(w);
}

static int show_json(const struct job *j, int rc, bool drill) {
    const struct bz_backup_manifest *m = &j->c->manifest;
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, 1 << 20);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kbool(&w, "ok", rc == BZ_EXIT_OK);
    bz_jw_kbool(&w, "drill", drill);
    if (!drill)
        bz_jw_kstr(&w, "dir", bz_view_str(j->dir));
    bz_chain_json(&w, j->c);
    bz_jw_ku64(&w, "entries", m->entries);
    bz_jw_ku64(&w, "bytes", m->bytes);
    bz_jw_ku64(&w, "records", m->log_size);
    bz_jw_key(&w, "taken");
    bz_jw_time(&w, m->taken_ns);
    bz_jw_key(&w, "newest_record");
    if (m->newest_ns == 0)
        bz_jw_null(&w);
    else
        bz_jw_time(&w, m->newest_ns);
    bz_jw_seconds(&w, "rto_s", j->took);
    bz_jw_seconds(&w, "rpo_s", rpo(j));
    bz_jw_seconds(&w, "backup_age_s", age(m->taken_ns));
    checks_json(&w, j);
    bz_found_json(&w, "findings", &j->found);
    return bz_report_end(&w, &b, rc);
}

static void print_age(const char *what, uint64_t ns, const char *tail) {
    uint64_t s = ns / 1000000000u;
    (void)printf("%s %llud %02llu:%02llu:%02llu  %s\n", what, (unsigned long long)(s / 86400),
                 (unsigned long long)(s / 3600 % 24), (unsigned long long)(s / 60 % 60),
                 (unsigned long long)(s % 60), tail);
}

static void print_measured(const struct job *j) {
    const struct bz_backup_manifest *m = &j->c->manifest;
    (void)printf("%u files and folders, %llu KiB, %llu audit records\n", m->entries,
                 (unsigned long long)(m->bytes >> 10), (unsigned long long)m->log_size);
    (void)printf("RTO  %llu.%03llu s  reading, writing and checking\n",
                 (unsigned long long)(j->took / 1000000000u),
                 (unsigned long long)(j->took / 1000000u % 1000u));
    print_age("RPO ", rpo(j), m->newest_ns != 0 ? "since the newest record in it" : "old");
    print_age("    ", age(m->taken_ns), "since the backup was taken");
}

static int show_text(const struct job *j, int rc, bool drill) {
    bool written = rc == BZ_EXIT_OK || (rc == BZ_EXIT_FINDINGS && (drill || j->tmp[0] == '\0'));
    bz_chain_print(j->c);
    if (written && j->took != 0)
        print_measured(j);
    bz_found_print("FOUND", &j->found);
    if (drill)
        (void)printf(rc == BZ_EXIT_OK ? "ok: it can be restored; nothing was kept\n"
                                      : "the drill failed; nothing was kept\n");
    else if (j->tmp[0] == '\0' && j->took != 0)
        (void)printf("restored; start it with: bartizan up %s\n"
                     "API keys that were revoked after the backup was taken are valid again: look "
                     "at 'bartizan key list'\n",
                     bz_safe(j->dir));
    else
        (void)printf("nothing was restored\n");
    return fflush(stdout) == 0 ? rc : BZ_EXIT_FAILURE;
}

static int show(const struct job *j, int rc, bool drill) {
    if (j->c == NULL || rc == BZ_EXIT_FAILURE) {
        if (bz_backup_stopped())
            bz_say("stopped; nothing was left behind");
        return BZ_EXIT_FAILURE;
    }
    return j->json ? show_json(j, rc, drill) : show_text(j, rc, drill);
}

/* ---- restore ---- */

/* A new name, or an empty directory. */
static bool target_free(const char *dir) {
    struct stat s;
    if (lstat(dir, &s) != 0 && errno == ENOENT)
        return true;
    if (S_ISDIR(s.st_mode) && rmdir(dir) == 0)
        return true;
    bz_say("%s: exists and is not an empty directory; a backup is restored into a new one",
           bz_safe(dir));
    return false;
}

static int put_in_place(struct job *j, int rc) {
    if (rc == BZ_EXIT_FAILURE || (rc != BZ_EXIT_OK && !j->despite))
        return rc;
    if (!target_free(j->dir))
        return BZ_EXIT_FAILURE;
    if (renameat2(AT_FDCWD, j->tmp, AT_FDCWD, j->dir, RENAME_NOREPLACE) != 0) {
        bz_say("%s cannot be put in its place: %s", bz_safe(j->dir), strerror(errno));
        return BZ_EXIT_FAILURE;
    }
    j->tmp[0] = '\0';
    sync_above(j->dir);
    return rc;
}

static int restore(struct job *j) {
    struct stat s;
    if (!find_owner(j))
        return BZ_EXIT_FAILURE;
    if (lstat(j->dir, &s) == 0 && !(S_ISDIR(s.st_mode) && s.st_nlink == 2)) {
        bz_say("%s: exists already; a backup is restored into a new directory", bz_safe(j->dir));
        return BZ_EXIT_FAILURE;
    }
    int rc = open_chain(j, j->from.v, j->from.n);
    if (rc != BZ_EXIT_OK)
        return show(j, rc, false);
    rc = build(j, "tmp");
    rc = put_in_place(j, rc);
    j->took = bz_clock_mono() - j->began;
    return show(j, rc, false);
}

static int parse(struct job *j, const struct bz_opts *o, int argc, char **argv, bool *ret_help) {
    const char *words[1] = {NULL};
    size_t n = 0;
    if (bz_opts_parse(o, argc, argv, words, &n, ret_help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (*ret_help)
        return BZ_EXIT_OK;
    j->dir = words[0];
    if (j->key != NULL && j->from.n != 0)
        return BZ_EXIT_OK;
    bz_say("%s is missing (usage: %s)", j->key == NULL ? "--key FILE" : "--from ARCHIVE", o->usage);
    return BZ_EXIT_FAILURE;
}

int bz_backup_restore(int argc, char **argv) {
    struct job *j = calloc(1, sizeof *j);
    bool help = false;
    if (j == NULL)
        return BZ_EXIT_FAILURE;
    const struct bz_opt list[] = {
        {"key", BZ_OPT_TEXT, &j->key, "FILE", "secret key of a recipient"},
        {"from", BZ_OPT_MANY, &j->from, "ARCHIVE", "the archive, and each one it builds on"},
        {"signer", BZ_OPT_MANY, &j->signers, "SIGNER", "bzs1...: only its archives are taken"},
        {"tombstones", BZ_OPT_TEXT, &j->tombstones, "FILE",
         "a newer bodies/erased: what was erased since stays erased"},
        {"owner", BZ_OPT_TEXT, &j->owner, "USER", "who owns the files; default: who restores"},
        {"despite-findings", BZ_OPT_FLAG, &j->despite, NULL,
         "put it in place although a check found something"},
        {"json", BZ_OPT_FLAG, &j->json, NULL, "one JSON object"},
    };
    static const char *const words[] = {"DIR"};
    const struct bz_opts o = {
        "bartizan backup restore DIR --key FILE --from ARCHIVE [...] [--signer SIGNER] "
        "[--tombstones FILE] [--owner USER] [--json]",
        "Makes an instance in a new directory, or nothing. It is checked before it gets its name.",
        list,
        sizeof list / sizeof list[0],
        words,
        1,
        1};
    int rc = parse(j, &o, argc, argv, &help);
    if (rc == BZ_EXIT_OK && !help) {
        bz_backup_catch();
        rc = restore(j);
    }
    job_done(j);
    free(j);
    return rc;
}

/* ---- drill ---- */

/* The log that is in use must go on from the one in the backup. */
static int compare(struct job *j) {
    struct bz_instance live;
    char old[BZ_DIR_PATH_MAX + 32];
    if (j->checks.audit_none || bz_instance_open(j->dir, &live) != BZ_OK)
        return BZ_EXIT_OK;
    (void)snprintf(old, sizeof old, "%s/audit/checkpoint", j->tmp);
    int rc = bz_backup_audit_verify(live.path, old, j->c->manifest.log_size);
    bz_instance_close(&live);
    j->compared = true;
    j->continues = rc == BZ_EXIT_OK;
    if (rc == BZ_EXIT_FINDINGS)
        bz_found_add(&j->found, "the audit log of %s does not go on from the backup's",
                     bz_safe(j->dir));
    else if (rc != BZ_EXIT_OK)
        bz_found_add(&j->found, "the audit log of %s could not be compared", bz_safe(j->dir));
    return rc == BZ_EXIT_OK || rc == BZ_EXIT_FINDINGS ? rc : BZ_EXIT_UNCHECKED;
}

static int drill(struct job *j) {
    int rc = open_chain(j, j->from.v, j->from.n);
    if (rc != BZ_EXIT_OK)
        return show(j, rc, true);
    rc = build(j, "drill");
    j->took = bz_clock_mono() - j->began;
    if (rc == BZ_EXIT_OK || rc == BZ_EXIT_FINDINGS) {
        int more = compare(j);
        rc = rc == BZ_EXIT_OK ? more : rc;
    }
    bz_tree_remove(AT_FDCWD, j->tmp);
    if (rc != BZ_EXIT_FAILURE && access(j->tmp, F_OK) == 0) {
        bz_say("%s: could not be removed", bz_safe(j->tmp));
        rc = BZ_EXIT_FAILURE;
    }
    j->tmp[0] = '\0';
    return show(j, rc, true);
}

int bz_backup_drill(int argc, char **argv) {
    struct job *j = calloc(1, sizeof *j);
    bool help = false;
    if (j == NULL)
        return BZ_EXIT_FAILURE;
    const struct bz_opt list[] = {
        {"key", BZ_OPT_TEXT, &j->key, "FILE", "secret key of a recipient"},
        {"from", BZ_OPT_MANY, &j->from, "ARCHIVE", "the archive, and each one it builds on"},
        {"signer", BZ_OPT_MANY, &j->signers, "SIGNER", "bzs1...: only its archives are taken"},
        {"tombstones", BZ_OPT_TEXT, &j->tombstones, "FILE", "a newer bodies/erased"},
        {"json", BZ_OPT_FLAG, &j->json, NULL, "one JSON object"},
    };
    static const char *const words[] = {"DIR"};
    const struct bz_opts o = {
        "bartizan backup drill DIR --key FILE --from ARCHIVE [...] [--json]",
        "Restores into a directory beside DIR, checks, measures, and removes it again; starts "
        "nothing. If DIR is an instance, its log must go on from the backup's.",
        list,
        sizeof list / sizeof list[0],
        words,
        1,
        1};
    int rc = parse(j, &o, argc, argv, &help);
    if (rc == BZ_EXIT_OK && !help) {
        bz_backup_catch();
        rc = drill(j);
    }
    job_done(j);
    free(j);
    return rc;
}
