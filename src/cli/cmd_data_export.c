/* bartizan data export: all that is stored about one person, for that person.
 *
 *   OUT/bodies.jsonl   requests and replies, opened, one JSON object a line
 *   OUT/audit.jsonl    the records of the log that name him, each as it stands there
 *   OUT/manifest.json  counts, SHA-256 of both files, the log's checkpoint */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd_audit.h"
#include "cmd_data.h"
#include "opts.h"

enum { BODY_MAX = 4096, CALL_MS = 600000, ARENA_MAX = 4 << 20 };

struct file { /* written and summed up */
    FILE *f;
    struct bz_sha256 sum;
    uint64_t lines;
};

struct export {
    const char *user, *conversation;
    struct bz_instance in;
    int out;
    struct file bodies, audit;
    uint64_t damaged, records;
    struct bz_buf checkpoint;
    struct bz_arena ar;
};

/* ---- files ---- */

static bool file_open(struct file *x, int dir, const char *name) {
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    x->f = fd < 0 ? NULL : fdopen(fd, "w");
    bz_sha256_init(&x->sum);
    if (x->f == NULL)
        bz_say("%s: %s", name, strerror(errno));
    return x->f != NULL;
}

static bool file_line(struct file *x, struct bz_view v) {
    bz_sha256_add(&x->sum, v);
    bz_sha256_add(&x->sum, BZ_V("\n"));
    x->lines++;
    return fwrite(v.p, 1, v.n, x->f) == v.n && fputc('\n', x->f) == '\n';
}

/* ---- bodies ---- */

static bool put_bodies(struct export *x, const struct bz_json *list) {
    struct bz_buf line;
    bool ok = true;
    bz_buf_init(&line, 128u << 20);
    for (const struct bz_json *m = list == NULL ? NULL : list->first; m != NULL && ok;
         m = m->next) {
        bz_buf_reset(&line);
        bz_json_write(&line, m);
        ok = bz_buf_status(&line) == BZ_OK && file_line(&x->bodies, bz_buf_view(&line));
    }
    bz_buf_wipe_free(&line);
    if (!ok)
        bz_say("bodies.jsonl: %s", strerror(errno));
    return ok;
}

/* One page; next becomes empty after the last. */
static int page(struct export *x, char next[64]) {
    struct bz_answer_json a;
    struct bz_buf b;
    struct bz_jw w;
    int64_t damaged = 0;
    bz_buf_init(&b, BODY_MAX);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_data_put_who(&w, x->user, x->conversation);
    if (next[0] != '\0')
        bz_jw_kstr(&w, "after", bz_view_str(next));
    bz_jw_end(&w);
    enum bz_status st =
        bz_admin_call(&x->in, "POST", "/v1/data/export", bz_buf_view(&b), CALL_MS, &a);
    bz_buf_free(&b);
    int rc = bz_admin_outcome(st, &x->in, &a);
    if (rc == BZ_EXIT_OK && !put_bodies(x, bz_json_get(a.root, BZ_V("bodies"))))
        rc = BZ_EXIT_FAILURE;
    if (rc == BZ_EXIT_OK) {
        struct bz_view v = bz_json_str(bz_json_get(a.root, BZ_V("next")));
        (void)snprintf(next, 64, "%.*s", (int)(v.n < 63 ? v.n : 63), (const char *)v.p);
        if (bz_json_i64(bz_json_get(a.root, BZ_V("damaged")), &damaged) == BZ_OK)
            x->damaged += (uint64_t)damaged;
    }
    bz_answer_done(&a);
    return rc;
}

/* ---- audit records ---- */

/* "user NAME" in a sentence of ours, the name standing alone. */
static bool named_in(struct bz_view detail, const char *user) {
    const size_t n = strlen(user);
    for (size_t i = 0; i + 5 + n <= detail.n; i++) {
        if (!bz_view_eq(bz_view_sub(detail, i, 5), BZ_V("user ")) ||
            !bz_view_eq_nocase(bz_view_sub(detail, i + 5, n), bz_view_str(user)))
            continue;
        if (i + 5 + n == detail.n || detail.p[i + 5 + n] == ',' || detail.p[i + 5 + n] == ':')
            return true;
    }
    return false;
}

static bool names_him(struct export *x, struct bz_view entry) {
    struct bz_json *r = NULL;
    bz_arena_free(&x->ar);
    if (bz_json_parse(entry, NULL, &x->ar, &r, NULL) != BZ_OK)
        return false;
    return bz_view_eq_nocase(bz_json_str(bz_json_get(r, BZ_V("principal"))),
                             bz_view_str(x->user)) ||
           named_in(bz_json_str(bz_json_get(r, BZ_V("detail"))), x->user);
}

static enum bz_status one_record(void *ctx, uint64_t index, struct bz_view entry) {
    struct export *x = ctx;
    bz_audit_progress("reading the log", index, x->records);
    if (!names_him(x, entry))
        return BZ_OK;
    return file_line(&x->audit, entry) ? BZ_OK : BZ_EIO;
}

static int put_records(struct export *x) {
    struct bz_alog l;
    uint64_t next = 0;
    int rc = bz_alog_open(x->in.path, NULL, &l);
    if (rc != 0)
        return rc;
    enum bz_status st = bz_alog_refresh(&l);
    x->records = l.durable;
    if (st == BZ_OK)
        st = bz_alog_each(&l, 0, l.durable, one_record, x, &next);
    bz_audit_progress("reading the log", 1, 1);
    bz_buf_put(&x->checkpoint, bz_buf_view(&l.note));
    bz_alog_close(&l);
    if (st == BZ_OK)
        return BZ_EXIT_OK;
    bz_say("record %llu cannot be read: %s; 'bartizan audit verify' tells more",
           (unsigned long long)next, bz_status_text(st));
    return BZ_EXIT_FINDINGS;
}

/* ---- manifest ---- */

static void put_file(struct bz_jw *w, const char *name, struct file *x) {
    uint8_t sum[BZ_HASH_LEN];
    char hex[2 * BZ_HASH_LEN];
    struct bz_buf b;
    bz_sha256_end(&x->sum, sum);
    bz_buf_init_fixed(&b, hex, sizeof hex);
    bz_buf_put_hex(&b, bz_view(sum, sizeof sum));
    bz_jw_key(w, name);
    bz_jw_obj(w);
    bz_jw_ku64(w, "lines", x->lines);
    bz_jw_kstr(w, "sha256", bz_buf_view(&b));
    bz_jw_end(w);
}

static void put_manifest(struct export *x, struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    bz_data_put_who(&w, x->user, x->conversation);
    bz_jw_key(&w, "time");
    bz_jw_time(&w, bz_clock_unix());
    put_file(&w, "bodies.jsonl", &x->bodies);
    put_file(&w, "audit.jsonl", &x->audit);
    bz_jw_ku64(&w, "damaged", x->damaged);
    bz_jw_kstr(&w, "checkpoint", bz_buf_view(&x->checkpoint));
    bz_jw_end(&w);
}

/* ---- the command ---- */

static bool close_file(struct file *x) {
    bool ok = x->f == NULL || (fflush(x->f) == 0 && fsync(fileno(x->f)) == 0);
    ok = (x->f == NULL || fclose(x->f) == 0) && ok;
    x->f = NULL;
    if (!ok)
        bz_say("the files could not be written: %s", strerror(errno));
    return ok;
}

static int write_all(struct export *x, struct bz_buf *manifest) {
    char next[64] = "";
    int rc = BZ_EXIT_OK;
    do
        rc = page(x, next);
    while (rc == BZ_EXIT_OK && next[0] != '\0');
    int log = rc == BZ_EXIT_OK ? put_records(x) : BZ_EXIT_OK;
    if (!close_file(&x->bodies) || !close_file(&x->audit))
        return BZ_EXIT_FAILURE;
    if (rc != BZ_EXIT_OK)
        return rc;
    put_manifest(x, manifest);
    bz_buf_putc(manifest, '\n');
    if (bz_buf_status(manifest) != BZ_OK ||
        bz_file_create(x->out, "manifest.json", bz_buf_view(manifest), 0600) != BZ_OK) {
        bz_say("manifest.json: %s", strerror(errno));
        return BZ_EXIT_FAILURE;
    }
    if (x->damaged > 0)
        bz_say("%llu stored bodies do not open and are left out", (unsigned long long)x->damaged);
    return log != BZ_EXIT_OK ? log : x->damaged > 0 ? BZ_EXIT_FINDINGS : BZ_EXIT_OK;
}

static int run(struct export *x, const char *out, bool json) {
    struct bz_buf manifest;
    if (mkdir(out, 0700) != 0) {
        bz_say("%s: %s", bz_safe(out), strerror(errno));
        return BZ_EXIT_FAILURE;
    }
    x->out = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (x->out < 0 || !file_open(&x->bodies, x->out, "bodies.jsonl") ||
        !file_open(&x->audit, x->out, "audit.jsonl"))
        return BZ_EXIT_FAILURE;
    bz_buf_init(&manifest, 1 << 20);
    bz_buf_init(&x->checkpoint, BZ_CHECKPOINT_MAX);
    bz_arena_init(&x->ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    int rc = write_all(x, &manifest);
    if (json && manifest.n > 0)
        (void)fwrite(manifest.p, 1, manifest.n, stdout);
    else if (manifest.n > 0)
        (void)printf("%llu requests and replies, %llu audit records in %s\n",
                     (unsigned long long)x->bodies.lines, (unsigned long long)x->audit.lines,
                     bz_safe(out));
    bz_arena_free(&x->ar);
    bz_buf_free(&x->checkpoint);
    bz_buf_free(&manifest);
    return rc;
}

int bz_data_export(int argc, char **argv) {
    struct export x = {.out = -1, .in = {.fd = -1}};
    const char *dir = NULL, *out = NULL;
    bool json = false, help = false;
    size_t n = 0;
    static const char *const names[] = {"DIR"};
    const struct bz_opt list[] = {
        {"user", BZ_OPT_TEXT, &x.user, "NAME", "whose data"},
        {"conversation", BZ_OPT_TEXT, &x.conversation, "NAME", "only bodies of this conversation"},
        {"out", BZ_OPT_TEXT, &out, "OUT", "a new directory for the files"},
        {"json", BZ_OPT_FLAG, &json, NULL, "print the manifest"},
    };
    const struct bz_opts o = {
        "bartizan data export DIR --user NAME --out OUT [--conversation NAME] [--json]",
        "Writes what is stored about a user, opened, and the audit records that name him.",
        list,
        4,
        names,
        1,
        1};
    if (bz_opts_parse(&o, argc, argv, &dir, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (x.user == NULL || out == NULL) {
        bz_say("%s is missing", x.user == NULL ? "--user" : "--out");
        return BZ_EXIT_FAILURE;
    }
    (void)umask(077);
    if (!bz_cli_open(dir, &x.in))
        return BZ_EXIT_FAILURE;
    int rc = run(&x, out, json);
    bz_fd_done(&x.out);
    bz_instance_close(&x.in);
    return rc;
}
