/* bartizan backup create */
#include "backup_make.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>
#include <bartizan/json.h>

#include "commands.h"

#define LOCK "run/backup.lock"

/* ---- writing ---- */

static bool flush_frame(struct bz_make *k) {
    struct bz_view v = bz_buf_view(&k->frame);
    if (bz_buf_status(&k->frame) != BZ_OK) {
        bz_say("%s", bz_status_text(bz_buf_status(&k->frame)));
        return false;
    }
    while (v.n > 0) {
        ssize_t n = write(k->fd, v.p, v.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            bz_say("the archive cannot be written: %s", strerror(errno));
            return false;
        }
        v = bz_view_sub(v, (size_t)n, v.n);
    }
    bz_buf_reset(&k->frame);
    return true;
}

static bool more_items(struct bz_make *k) {
    size_t cap = k->items_cap == 0 ? 256 : k->items_cap * 2;
    struct bz_item *more = reallocarray(k->items, cap, sizeof *more);
    if (more == NULL)
        return false;
    k->items = more;
    k->items_cap = cap;
    return true;
}

static struct bz_item *new_item(struct bz_make *k, const char *path, const struct stat *s) {
    if (k->items_n >= BZ_BACKUP_FILES_MAX) {
        bz_say("%s: there are too many files for one backup", bz_safe(path));
        return NULL;
    }
    if (k->items_n == k->items_cap && !more_items(k)) {
        bz_say("out of memory");
        return NULL;
    }
    struct bz_item *it = &k->items[k->items_n];
    *it = (struct bz_item){.path = strdup(path), .mode = (uint16_t)(s->st_mode & 0777)};
    it->mtime_ns = (uint64_t)s->st_mtim.tv_sec * 1000000000u + (uint64_t)s->st_mtim.tv_nsec;
    if (it->path == NULL) {
        bz_say("out of memory");
        return NULL;
    }
    k->items_n++;
    return it;
}

bool bz_make_dir(struct bz_make *k, const char *path, const struct stat *s) {
    struct bz_item *it = new_item(k, path, s);
    if (it != NULL)
        it->dir = true;
    return it != NULL;
}

bool bz_make_file(struct bz_make *k, const char *path, const struct stat *s) {
    struct bz_item *it = new_item(k, path, s);
    if (it != NULL)
        it->names_at = k->names.n;
    return it != NULL;
}

bool bz_make_bytes(struct bz_make *k, struct bz_view v) {
    static const struct bz_backup_place here = {.n = 1};
    struct bz_item *it = &k->items[k->items_n - 1];
    uint8_t name[BZ_BACKUP_NAME];
    bz_keyed_hash(k->own.keys.name_key, v, name);
    bz_buf_put(&k->names, bz_view(name, sizeof name));
    it->names_n += sizeof name;
    it->size += v.n;
    k->done += v.n;
    bz_backup_progress("backing up", k->done, 0);
    enum bz_status st = bz_buf_status(&k->names);
    if (st == BZ_OK)
        st = bz_backup_set_add(&k->known, name, &here);
    if (st == BZ_EEXISTS) {
        k->known_bytes += v.n;
        return true;
    }
    if (st == BZ_OK)
        st = bz_backup_put_chunk(&k->w, v, &k->frame);
    if (st != BZ_OK)
        bz_say("%s: %s", bz_safe(it->path), bz_status_text(st));
    return st == BZ_OK && flush_frame(k);
}

bool bz_make_from(struct bz_make *k, const char *path, const struct stat *s, struct bz_view v) {
    if (!bz_make_file(k, path, s))
        return false;
    for (; v.n > 0; v = bz_view_sub(v, BZ_BACKUP_CHUNK, v.n))
        if (!bz_make_bytes(k, bz_view_sub(v, 0, BZ_BACKUP_CHUNK)))
            return false;
    return true;
}

/* Fills the chunk as far as the file goes. */
static bool fill(int fd, uint8_t *p, size_t *ret_n) {
    size_t got = 0;
    while (got < BZ_BACKUP_CHUNK) {
        ssize_t n = read(fd, p + got, BZ_BACKUP_CHUNK - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    *ret_n = got;
    return true;
}

bool bz_make_from_fd(struct bz_make *k, const char *path, const struct stat *s, int fd) {
    size_t n = BZ_BACKUP_CHUNK;
    bz_buf_reset(&k->chunk);
    uint8_t *room = bz_buf_room(&k->chunk, BZ_BACKUP_CHUNK);
    if (room == NULL || !bz_make_file(k, path, s))
        return false;
    while (n == BZ_BACKUP_CHUNK) {
        if (bz_backup_stopped())
            return false;
        if (!fill(fd, room, &n)) {
            bz_say("%s: %s", bz_safe(path), strerror(errno));
            return false;
        }
        if (n > 0 && !bz_make_bytes(k, bz_view(room, n)))
            return false;
    }
    return true;
}

/* ---- manifest and index ---- */

static int by_path(const void *x, const void *y) {
    const struct bz_item *a = x, *b = y;
    return bz_backup_path_cmp(bz_view_str(a->path), bz_view_str(b->path));
}

/* Folders above files that stand for themselves: of tiles, which are listed by number. */
__attribute__((noinline)) static bool add_parents(struct bz_make *k) {
    static const struct stat dir = {.st_mode = 0700};
    char last[BZ_DIR_PATH_MAX] = "";
    for (size_t i = 0, n = k->items_n; i < n; i++) {
        char up[BZ_DIR_PATH_MAX];
        const char *slash = strrchr(k->items[i].path, '/');
        size_t len = slash == NULL ? 0 : (size_t)(slash - k->items[i].path);
        (void)snprintf(up, sizeof up, "%.*s", (int)len, k->items[i].path);
        if (len == 0 || strcmp(up, last) == 0)
            continue;
        (void)snprintf(last, sizeof last, "%s", up);
        for (char *end = up + len; end != NULL; end = strrchr(up, '/')) {
            *end = '\0';
            if (!bz_make_dir(k, up, &dir))
                return false;
        }
    }
    return true;
}

static void sort_items(struct bz_make *k) {
    size_t n = 0;
    qsort(k->items, k->items_n, sizeof k->items[0], by_path);
    for (size_t i = 0; i < k->items_n; i++) {
        if (n > 0 && strcmp(k->items[n - 1].path, k->items[i].path) == 0)
            free(k->items[i].path);
        else
            k->items[n++] = k->items[i];
    }
    k->items_n = n;
}

static bool put_pieces(struct bz_make *k, enum bz_backup_frame type, struct bz_view v) {
    for (; v.n > 0; v = bz_view_sub(v, BZ_BACKUP_CHUNK, v.n)) {
        enum bz_status st =
            bz_backup_put_piece(&k->w, type, bz_view_sub(v, 0, BZ_BACKUP_CHUNK), &k->frame);
        if (st != BZ_OK || !flush_frame(k))
            return false;
    }
    return true;
}

static bool put_manifest(struct bz_make *k) {
    struct bz_buf b;
    bz_buf_init(&b, BZ_BACKUP_MANIFEST_MAX);
    memcpy(k->m.id, k->head.id, sizeof k->m.id);
    memcpy(k->m.instance, k->head.instance, sizeof k->m.instance);
    k->m.made_by = bz_view_str("bartizan " BZ_VERSION);
    k->m.entries = (uint32_t)k->items_n;
    for (size_t i = 0; i < k->items_n; i++)
        k->m.bytes += k->items[i].size;
    bz_backup_manifest_put(&b, &k->m);
    for (size_t i = 0; i < k->items_n; i++) {
        const struct bz_item *it = &k->items[i];
        const struct bz_backup_entry e = {.path = bz_view_str(it->path),
                                          .dir = it->dir,
                                          .mode = it->mode,
                                          .mtime_ns = it->mtime_ns,
                                          .size = it->size,
                                          .names = bz_view(k->names.p + it->names_at, it->names_n)};
        bz_backup_entry_put(&b, &e);
    }
    bool ok = bz_buf_status(&b) == BZ_OK;
    if (!ok)
        bz_say("the list of files is too long for one backup");
    ok = ok && put_pieces(k, BZ_BACKUP_MANIFEST_FRAME, bz_buf_view(&b));
    bz_buf_wipe_free(&b);
    return ok;
}

/* Each chunk of this state once; chunks that only older ones have fall out of use. */
static bool put_index(struct bz_make *k) {
    static const struct bz_backup_place here = {.n = 1};
    struct bz_backup_set seen = {0};
    struct bz_buf b;
    enum bz_status st = BZ_OK;
    bz_buf_init(&b, BZ_BACKUP_MANIFEST_MAX);
    for (size_t at = 0; at < k->names.n && (st == BZ_OK || st == BZ_EEXISTS);
         at += BZ_BACKUP_NAME) {
        st = bz_backup_set_add(&seen, k->names.p + at, &here);
        if (st == BZ_OK)
            bz_buf_put(&b, bz_view(k->names.p + at, BZ_BACKUP_NAME));
    }
    bool ok = (st == BZ_OK || st == BZ_EEXISTS) && bz_buf_status(&b) == BZ_OK &&
              put_pieces(k, BZ_BACKUP_INDEX_FRAME, bz_buf_view(&b));
    bz_backup_set_free(&seen);
    bz_buf_free(&b);
    return ok;
}

/* ---- head and base ---- */

struct wish {
    const char *dir, *out, *base, *secret_file;
    struct bz_opt_many to;
    bool json;
};

static enum bz_status take_index(struct bz_make *k, struct bz_archive *a, const char **ret_why) {
    static const struct bz_backup_place there = {.n = 1};
    struct bz_buf index;
    struct bz_diag diag = {0};
    bz_buf_init(&index, BZ_BACKUP_MANIFEST_MAX);
    a->scan.index_key = k->own.keys.index_key;
    a->scan.index = &index;
    enum bz_status st = bz_backup_scan(&a->src, &a->scan, &diag);
    *ret_why = diag.why;
    if (st == BZ_OK && index.n % BZ_BACKUP_NAME != 0)
        st = BZ_ECORRUPT;
    for (size_t at = 0; st == BZ_OK && at < index.n; at += BZ_BACKUP_NAME) {
        st = bz_backup_set_add(&k->known, index.p + at, &there);
        if (st == BZ_EEXISTS)
            st = BZ_OK;
    }
    bz_buf_free(&index);
    return st;
}

static bool ours(const struct bz_make *k) {
    return bz_ct_equal(bz_view(k->base.scan.head.signer, BZ_SIGN_PUBLIC_LEN),
                       bz_view(k->own.keys.sign_pub, BZ_SIGN_PUBLIC_LEN));
}

static bool take_base(struct bz_make *k, const char *path) {
    const char *why = NULL;
    struct bz_backup_head *head = &k->base.scan.head;
    if (!bz_archive_open(path, &k->base))
        return false;
    enum bz_status st = take_index(k, &k->base, &why);
    bz_archive_close(&k->base);
    if (head->depth + 1 >= BZ_BACKUP_CHAIN_MAX) {
        bz_say("--base %s: the chain is %u archives long already: make a full backup",
               bz_safe(path), head->depth + 1);
        return false;
    }
    /* Another instance's index does not open: that is no damage. */
    if (!ours(k))
        bz_say("--base %s: is no archive of this instance", bz_safe(path));
    else if (st != BZ_OK)
        bz_say("--base %s: %s", bz_safe(path), why == NULL ? bz_status_text(st) : why);
    k->head.depth = head->depth + 1;
    memcpy(k->head.base_id, head->id, sizeof k->head.base_id);
    memcpy(k->head.base_digest, k->base.scan.digest, sizeof k->head.base_digest);
    return st == BZ_OK && ours(k);
}

static bool add_recipient(struct bz_make *k, const char *text, const struct bz_backup_secrets *s) {
    uint8_t pub[BZ_BOX_LEN];
    if (!bz_backup_recipient_read(text, pub))
        return false;
    if (k->head.depth > 0 && !bz_backup_head_has(&k->base.scan.head, pub)) {
        bz_say("--to %s: the base was not made for this recipient, who could not restore; make a "
               "full backup",
               bz_safe(text));
        return false;
    }
    enum bz_status st = bz_backup_head_add(&k->head, pub, s);
    if (st == BZ_OK || st == BZ_EEXISTS)
        return true;
    bz_say("--to %s: %s", bz_safe(text),
           st == BZ_ETOOBIG ? "too many recipients" : "is no usable key");
    return false;
}

static bool start(struct bz_make *k, const struct wish *wish) {
    struct bz_backup_secrets s;
    bz_random(k->head.id, sizeof k->head.id);
    bz_random(s.file_key, sizeof s.file_key);
    memcpy(s.name_key, k->own.keys.name_key, sizeof s.name_key);
    memcpy(k->head.instance, k->own.instance_id, sizeof k->head.instance);
    memcpy(k->head.signer, k->own.keys.sign_pub, sizeof k->head.signer);
    k->head.created_ns = bz_clock_unix();
    bool ok = wish->base == NULL || take_base(k, wish->base);
    for (size_t i = 0; ok && i < wish->to.n; i++)
        ok = add_recipient(k, wish->to.v[i], &s);
    if (ok) {
        bz_backup_start(&k->w, &k->head, &s, &k->own.keys, &k->frame);
        ok = flush_frame(k);
    }
    bz_wipe(&s, sizeof s);
    return ok;
}

/* ---- the file ---- */

static bool make_all(struct bz_make *k, const struct wish *wish) {
    if (!start(k, wish) || !bz_make_collect(k) || !add_parents(k))
        return false;
    sort_items(k);
    if (!put_manifest(k) || !put_index(k) ||
        bz_backup_finish(&k->w, &k->own.keys, &k->frame, k->digest) != BZ_OK || !flush_frame(k))
        return false;
    if (fsync(k->fd) != 0 || fstat(k->fd, &k->out) != 0) {
        bz_say("the archive cannot be written: %s", strerror(errno));
        return false;
    }
    return true;
}

static void sync_folder(const char *path) {
    char up[BZ_DIR_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - path);
    (void)snprintf(up, sizeof up, "%.*s", (int)n, path);
    BZ_FD fd = open(slash == NULL ? "." : n == 0 ? "/" : up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)fsync(fd);
}

/* Beside the target, then under its name; a file that is there is never replaced. */
__attribute__((noinline)) static bool make_file(struct bz_make *k, const struct wish *wish) {
    char tmp[BZ_DIR_PATH_MAX];
    int n = snprintf(tmp, sizeof tmp, "%s.tmp-XXXXXX", wish->out);
    if (n < 0 || (size_t)n >= sizeof tmp)
        return false;
    if (access(wish->out, F_OK) == 0) {
        bz_say("%s: exists already and is left alone", bz_safe(wish->out));
        return false;
    }
    k->fd = mkostemp(tmp, O_CLOEXEC);
    if (k->fd < 0 || fstat(k->fd, &k->out) != 0) {
        bz_say("%s cannot be made: %s", bz_safe(wish->out), strerror(errno));
        return false;
    }
    bool ok = make_all(k, wish);
    bz_backup_progress("backing up", 1, 1);
    if (ok && link(tmp, wish->out) != 0) {
        bz_say("%s: %s", bz_safe(wish->out), strerror(errno));
        ok = false;
    }
    (void)unlink(tmp);
    bz_fd_done(&k->fd);
    if (ok)
        sync_folder(wish->out);
    return ok;
}

/* ---- what is shown ---- */

static int show_json(const struct bz_make *k, const struct wish *wish, uint64_t took_ns) {
    char text[BZ_BACKUP_KEY_TEXT + 1];
    struct bz_buf b;
    struct bz_jw w;
    bz_backup_key_text(BZ_BACKUP_SIGNER, k->own.keys.sign_pub, text);
    bz_buf_init(&b, 1 << 20);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kbool(&w, "ok", k->left_out.n == 0);
    bz_jw_kstr(&w, "file", bz_view_str(wish->out));
    bz_jw_hex(&w, "id", k->head.id, sizeof k->head.id);
    bz_jw_hex(&w, "instance", k->head.instance, sizeof k->head.instance);
    bz_jw_ku64(&w, "number", k->head.depth);
    bz_jw_hex(&w, "sha256", k->digest, sizeof k->digest);
    bz_jw_kstr(&w, "signer", bz_view_str(text));
    bz_jw_ku64(&w, "recipients", k->head.recipients_n);
    bz_jw_ku64(&w, "size", (uint64_t)k->out.st_size);
    bz_jw_ku64(&w, "entries", k->items_n);
    bz_jw_ku64(&w, "bytes", k->m.bytes);
    bz_jw_ku64(&w, "new_chunks", k->w.chunks);
    bz_jw_ku64(&w, "new_bytes", k->w.chunk_bytes);
    bz_jw_ku64(&w, "known_bytes", k->known_bytes);
    bz_jw_key(&w, "taken");
    bz_jw_time(&w, k->m.taken_ns);
    bz_jw_ku64(&w, "records", k->m.log_size);
    bz_jw_ku64(&w, "unsealed", k->m.unsealed);
    bz_jw_seconds(&w, "seconds", took_ns);
    bz_found_json(&w, "left_out", &k->left_out);
    return bz_report_end(&w, &b, k->left_out.n == 0 ? BZ_EXIT_OK : BZ_EXIT_FINDINGS);
}

static int show_text(const struct bz_make *k, const struct wish *wish) {
    char text[BZ_BACKUP_KEY_TEXT + 1];
    bz_backup_key_text(BZ_BACKUP_SIGNER, k->own.keys.sign_pub, text);
    (void)printf("made ");
    bz_print_safe(stdout, bz_view_str(wish->out));
    (void)printf("\n  %s backup: %zu files and folders, %llu KiB, of which %llu KiB are new\n",
                 k->head.depth == 0 ? "full" : "incremental", k->items_n,
                 (unsigned long long)(k->m.bytes >> 10),
                 (unsigned long long)(k->w.chunk_bytes >> 10));
    (void)printf("  %llu audit records\n  signed by %s\n", (unsigned long long)k->m.log_size, text);
    if (k->head.depth > 0)
        (void)printf("  it needs its base and all before that one: keep them together\n");
    bz_found_print("NOT IN IT", &k->left_out);
    if (fflush(stdout) != 0)
        return BZ_EXIT_FAILURE;
    return k->left_out.n == 0 ? BZ_EXIT_OK : BZ_EXIT_FINDINGS;
}

static void make_done(struct bz_make *k) {
    bz_fd_done(&k->log_lock);
    for (size_t i = 0; i < k->items_n; i++)
        free(k->items[i].path);
    free(k->items);
    bz_backup_set_free(&k->known);
    bz_buf_free(&k->frame);
    bz_buf_free(&k->names);
    bz_buf_wipe_free(&k->chunk);
    bz_wipe(&k->own, sizeof k->own);
    bz_wipe(&k->w, sizeof k->w);
}

/* One at a time: they share the place of the database's copy. */
static int locked(const struct bz_instance *in) {
    int fd = openat(in->fd, LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (fd >= 0 && errno == EWOULDBLOCK)
        bz_say("%s: another backup is being made", bz_safe(in->path));
    else
        bz_say("%s/" LOCK ": %s", bz_safe(in->path), strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int create(const struct wish *wish, struct bz_make *k) {
    struct bz_instance *in = &k->opened;
    uint64_t began = bz_clock_mono();
    if (!bz_cli_open(wish->dir, in))
        return BZ_EXIT_FAILURE;
    k->in = in;
    BZ_FD lock = locked(in);
    bool ok = lock >= 0 && bz_backup_own(in, wish->secret_file, &k->own) && make_file(k, wish);
    int rc = BZ_EXIT_FAILURE;
    if (ok)
        rc = wish->json ? show_json(k, wish, bz_clock_mono() - began) : show_text(k, wish);
    else if (bz_backup_stopped())
        bz_say("stopped; nothing was left behind");
    bz_instance_close(in);
    return rc;
}

int bz_backup_create(int argc, char **argv) {
    struct wish wish = {0};
    bool help = false;
    const struct bz_opt list[] = {
        {"to", BZ_OPT_MANY, &wish.to, "RECIPIENT",
         "bzr1... of 'bartizan backup key', or a file with it; may be repeated"},
        {"out", BZ_OPT_TEXT, &wish.out, "FILE", "the archive; a file that is there stays"},
        {"base", BZ_OPT_TEXT, &wish.base, "FILE", "an earlier archive: only what is new goes in"},
        {"passphrase-file", BZ_OPT_TEXT, &wish.secret_file, "FILE",
         "passphrase or credential of the master key, instead of asking"},
        {"json", BZ_OPT_FLAG, &wish.json, NULL, "one JSON object"},
    };
    static const char *const words[] = {"DIR"};
    const struct bz_opts o = {
        "bartizan backup create DIR --to RECIPIENT [...] --out FILE [--base FILE] "
        "[--passphrase-file FILE] [--json]",
        "Writes everything needed to make the instance again into one encrypted, signed file, "
        "while "
        "the instance runs. Only the recipients' secret keys open it.",
        list,
        sizeof list / sizeof list[0],
        words,
        1,
        1};
    size_t n;
    if (bz_opts_parse(&o, argc, argv, &wish.dir, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (wish.to.n == 0 || wish.out == NULL) {
        bz_say("%s is missing (usage: %s)", wish.to.n == 0 ? "--to RECIPIENT" : "--out FILE",
               o.usage);
        return BZ_EXIT_FAILURE;
    }
    struct bz_make *k = calloc(1, sizeof *k);
    if (k == NULL)
        return BZ_EXIT_FAILURE;
    k->fd = k->log_lock = -1;
    bz_buf_init(&k->frame, BZ_BACKUP_CHUNK + BZ_BACKUP_HEAD_MAX);
    bz_buf_init(&k->chunk, BZ_BACKUP_CHUNK);
    bz_buf_init(&k->names, BZ_BACKUP_MANIFEST_MAX);
    bz_backup_catch();
    int rc = create(&wish, k);
    make_done(k);
    free(k);
    return rc;
}
