/* What `model add` and `model approve` look at: digests of files and tensors, templates, findings of the scanner. */
#include "cmd_model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bartizan/artifact.h>

#include "scan_ask.h"
#include "scan_confine.h"

enum { LISTED_MAX = 500, SIBLINGS_MAX = 256 };

struct file { /* one file under the scanner */
    struct bz_tree *t;
    struct bz_model_looked *l;
    uint32_t index;
    int fd, ask;
    int siblings[SIBLINGS_MAX];
    size_t siblings_n;
};

/* ---- growing lists in the arena: the old copy stays there, at most as much again ---- */

static void *grown(struct bz_model_looked *l, void *list, size_t n, size_t *cap, size_t size) {
    if (n < *cap)
        return list;
    size_t more = *cap == 0 ? 64 : 2 * *cap;
    void *p = bz_arena_zalloc(l->ar, more * size);
    if (p == NULL) {
        l->failed = true;
        return NULL;
    }
    if (n > 0)
        memcpy(p, list, n * size);
    *cap = more;
    return p;
}

/* Texts of a file as they may stand in a manifest. */
static struct bz_view kept(struct bz_model_looked *l, struct bz_view v) {
    char mem[1024];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_put_safe(&b, bz_view_sub(v, 0, 200));
    struct bz_view copy = bz_arena_dup(l->ar, bz_buf_view(&b));
    l->failed = l->failed || copy.p == NULL;
    return copy;
}

/* ---- facts ---- */

static void on_tensor(void *ctx, const struct bz_tensor_fact *fact) {
    struct file *f = ctx;
    struct bz_model_looked *l = f->l;
    uint64_t size = f->t->files[f->index].size;
    if (fact->offset > size || fact->size > size - fact->offset)
        return; /* a finding says so */
    l->tensors = grown(l, l->tensors, l->tensors_n, &l->tensors_cap, sizeof *l->tensors);
    if (l->tensors == NULL)
        return;
    struct bz_manifest_tensor *t = &l->tensors[l->tensors_n++];
    *t = (struct bz_manifest_tensor){.file = f->index,
                                     .name = kept(l, fact->name),
                                     .type = kept(l, fact->type),
                                     .offset = fact->offset,
                                     .size = fact->size};
}

static void on_template(void *ctx, struct bz_view name, struct bz_view text,
                        const uint8_t digest[32]) {
    struct file *f = ctx;
    struct bz_model_looked *l = f->l;
    (void)text;
    l->templates = grown(l, l->templates, l->templates_n, &l->templates_cap, sizeof *l->templates);
    if (l->templates == NULL)
        return;
    struct bz_manifest_template *t = &l->templates[l->templates_n++];
    *t = (struct bz_manifest_template){.file = f->index, .name = kept(l, name)};
    memcpy(t->sha256, digest, sizeof t->sha256);
}

static void on_metadata(void *ctx, struct bz_view key, struct bz_view value) {
    struct file *f = ctx;
    if (f->l->licence.n == 0 &&
        (bz_view_eq(key, BZ_V("general.license")) || bz_view_eq(key, BZ_V("license"))))
        f->l->licence = kept(f->l, value);
}

/* ---- the scanner ---- */

static enum bz_status file_pread(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    const int *fd = ctx;
    size_t done = 0;
    while (done < n) {
        ssize_t k = pread(*fd, (uint8_t *)buf + done, n - done, (off_t)(off + done));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return BZ_EIO;
        if (k == 0)
            break;
        done += (size_t)k;
    }
    *ret_n = done;
    return BZ_OK;
}

/* "weights.bin" named by "onnx/model.onnx" is "onnx/weights.bin": a file of the model, or none. */
static enum bz_status on_sibling(void *ctx, struct bz_view name, struct bz_source *ret) {
    struct file *f = ctx;
    struct bz_view own = f->t->files[f->index].name;
    struct bz_buf path;
    size_t dir = own.n;
    while (dir > 0 && own.p[dir - 1] != '/')
        dir--;
    bz_buf_init(&path, 2 * BZ_MODEL_FILE_NAME_MAX);
    bz_buf_put(&path, bz_view_sub(own, 0, dir));
    bz_buf_put(&path, name);
    enum bz_status st = bz_model_name_in_ok(bz_buf_view(&path)) ? BZ_ENOTFOUND : BZ_EDENIED;
    for (size_t i = 0; i < f->t->files_n && st == BZ_ENOTFOUND; i++) {
        if (!bz_view_eq(f->t->files[i].name, bz_buf_view(&path)))
            continue;
        int fd = f->siblings_n < SIBLINGS_MAX ? bz_tree_file_open(f->t, i) : -1;
        st = fd < 0 ? BZ_EUNAVAIL : BZ_OK;
        if (fd >= 0) {
            f->siblings[f->siblings_n] = fd;
            *ret =
                (struct bz_source){file_pread, &f->siblings[f->siblings_n++], f->t->files[i].size};
        }
    }
    bz_buf_free(&path);
    return st;
}

static bool on_progress(void *ctx, uint64_t done) {
    (void)ctx, (void)done;
    return !bz_backup_stopped();
}

static void add_finding(struct file *f, const struct bz_scan_finding *s) {
    struct bz_model_looked *l = f->l;
    l->malicious = l->malicious || s->rule->kind == BZ_RULE_MALICIOUS;
    if (l->findings_n == LISTED_MAX) {
        l->findings_more++;
        return;
    }
    l->findings = grown(l, l->findings, l->findings_n, &l->findings_cap, sizeof *l->findings);
    if (l->findings == NULL)
        return;
    l->findings[l->findings_n++] = (struct bz_manifest_finding){
        .rule = bz_view_str(s->rule->id),
        .severity = bz_view_str(bz_severity_name((enum bz_severity)s->rule->severity)),
        .file = f->t->files[f->index].name,
        .place = kept(l, s->place),
        .offset = s->offset > INT64_MAX ? INT64_MAX : s->offset};
}

static void take_result(struct file *f, const struct bz_scan_result *r) {
    struct bz_model_looked *l = f->l;
    enum bz_manifest_verdict v = r->verdict == BZ_SCAN_CLEAN      ? BZ_MANIFEST_CLEAN
                                 : r->verdict == BZ_SCAN_FINDINGS ? BZ_MANIFEST_FINDINGS
                                                                  : BZ_MANIFEST_UNCHECKED;
    l->files[f->index].format = kept(l, bz_view_str(r->format));
    if (v > l->verdict)
        l->verdict = v;
    for (size_t i = 0; i < r->findings_n; i++)
        add_finding(f, &r->findings[i]);
    l->findings_more += r->findings_more;
}

static enum bz_status scan(struct file *f) {
    const struct bz_facts facts = {f, on_tensor, on_template, on_metadata, NULL};
    struct bz_scan_asker asker = {.socket = f->ask, .fd = f->fd};
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM,
                                  .facts = &facts,
                                  .sibling = on_sibling,
                                  .sibling_ctx = f,
                                  .progress = on_progress};
    const struct bz_source src = {file_pread, &f->fd, f->t->files[f->index].size};
    struct bz_scan_result r;
    struct bz_arena ar;
    bz_scan_asker_join(&asker, &opt);
    bz_arena_init(&ar, bz_alloc_heap, BZ_SCAN_MEMORY_MAX, NULL, 0);
    enum bz_status st = bz_scan(&ar, &src, f->t->files[f->index].name, &opt, &r);
    if (st == BZ_OK)
        take_result(f, &r);
    bz_arena_free(&ar);
    return st;
}

static bool scan_all(struct bz_tree *t, struct bz_model_looked *l, int ask) {
    struct file *f = calloc(1, sizeof *f);
    enum bz_status st = f == NULL ? BZ_ENOMEM : BZ_OK;
    for (size_t i = 0; i < t->files_n && st == BZ_OK; i++) {
        *f = (struct file){.t = t, .l = l, .index = (uint32_t)i, .ask = ask};
        f->fd = bz_tree_file_open(t, i);
        st = f->fd < 0 ? BZ_EIO : scan(f);
        for (size_t k = 0; k < f->siblings_n; k++)
            (void)close(f->siblings[k]);
        if (f->fd >= 0)
            (void)close(f->fd);
        bz_backup_progress("scanning", i + 1, t->files_n);
        if (st != BZ_OK)
            bz_say("%s: the scan failed: %s", bz_safe((const char *)t->files[i].name.p),
                   st == BZ_ELIMIT ? "stopped" : bz_status_text(st));
    }
    free(f);
    return st == BZ_OK && !l->failed;
}

/* ---- in a process that can do nothing else ----
 *
 * Hostile files are parsed where there is neither the instance's key nor a way to open anything but the files themselves.
 * What was found comes back as the text of a manifest, which is parsed as strictly as any other. Meanwhile the parent
 * answers what scan_ask.h says, as that of `bartizan scan` does. */

static void child(struct bz_tree *t, struct bz_model_looked *l, int out, int ask) {
    struct bz_manifest m = {
        .name = BZ_V("x"), .source = BZ_V("x"), .licence = BZ_V("MIT"), .publisher = BZ_V("")};
    struct bz_buf text;
    (void)bz_scan_confine(&t->fd, 1);
    if (!scan_all(t, l, ask))
        _exit(1);
    bz_buf_init(&text, BZ_SIGNATURE_MAX);
    bz_model_looked_into(l, t->files_n, &m);
    if (bz_manifest_write(&m, &text) != BZ_OK)
        _exit(1);
    for (size_t at = 0; at < text.n;) {
        ssize_t n = write(out, text.p + at, text.n - at);
        if (n <= 0)
            _exit(1);
        at += (size_t)n;
    }
    _exit(0);
}

/* The child's text until its end, and its requests. */
static bool read_all(int fd, int *ask, struct bz_buf *out) {
    struct bz_scan_helpers helpers = {.n = 0};
    ssize_t n = -1;
    for (;;) {
        struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = *ask, .events = POLLIN}};
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            break;
        if (p[1].revents != 0 && !bz_scan_ask_serve(&helpers, *ask)) {
            (void)close(*ask); /* no more requests */
            *ask = -1;
        }
        if (p[0].revents == 0)
            continue;
        n = bz_buf_reserve(out, 65536) ? read(fd, out->p + out->n, 65536) : -1;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        out->n += (size_t)n;
    }
    bz_scan_ask_reap(&helpers, true);
    return n == 0;
}

/* What stands in the child's text, for files whose digests the parent has made. */
static bool take_text(struct bz_view text, const struct bz_tree *t, struct bz_model_looked *l) {
    struct bz_manifest m;
    struct bz_view kept_text = bz_arena_dup(l->ar, text);
    if (kept_text.p == NULL || bz_manifest_parse(kept_text, l->ar, &m, NULL) != BZ_OK ||
        m.files_n != t->files_n)
        return false;
    l->tensors = bz_arena_alloc(l->ar, m.tensors_n * sizeof *l->tensors);
    if (l->tensors == NULL)
        return false;
    if (m.tensors_n > 0)
        memcpy(l->tensors, m.tensors, m.tensors_n * sizeof *l->tensors);
    for (size_t i = 0; i < m.files_n; i++)
        l->files[i].format = m.files[i].format;
    l->templates = (struct bz_manifest_template *)(uintptr_t)m.templates;
    l->findings = (struct bz_manifest_finding *)(uintptr_t)m.findings;
    l->tensors_n = m.tensors_n;
    l->templates_n = m.templates_n;
    l->findings_n = m.findings_n;
    l->findings_more = m.findings_more;
    l->licence = m.file_licence;
    l->verdict = m.verdict;
    l->malicious = m.malicious;
    return true;
}

static void close_pair(const int pair[2]) {
    for (size_t i = 0; i < 2; i++) {
        if (pair[i] >= 0)
            (void)close(pair[i]);
    }
}

static bool scan_confined(struct bz_tree *t, struct bz_model_looked *l) {
    int ends[2] = {-1, -1}, ask[2] = {-1, -1}, status = 0;
    struct bz_buf text;
    if (pipe2(ends, O_CLOEXEC) != 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ask) != 0) {
        close_pair(ends);
        return false;
    }
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        (void)close(ask[0]);
        child(t, l, ends[1], ask[1]);
    }
    (void)close(ends[1]);
    (void)close(ask[1]);
    ends[1] = ask[1] = -1;
    bz_buf_init(&text, BZ_SIGNATURE_MAX);
    bool ok = pid > 0 && read_all(ends[0], &ask[0], &text);
    close_pair(ends);
    close_pair(ask);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    ok = ok && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (pid > 0 && WIFSIGNALED(status))
        bz_say("the scanner died of signal %d: these files are not to be loaded", WTERMSIG(status));
    ok = ok && take_text(bz_buf_view(&text), t, l);
    bz_buf_free(&text);
    if (!ok)
        bz_say("the files could not be scanned; nothing was changed");
    return ok;
}

/* ---- tensors ---- */

static bool hash_tensors(struct bz_tree *t, const struct bz_tree_options *o,
                         struct bz_model_looked *l) {
    struct bz_tree_part *parts = calloc(l->tensors_n + 1, sizeof *parts);
    if (parts == NULL)
        return false;
    for (size_t i = 0; i < l->tensors_n; i++) {
        const struct bz_manifest_tensor *m = &l->tensors[i];
        parts[i] = (struct bz_tree_part){m->file, m->offset, m->offset + m->size, {0}};
    }
    enum bz_status st = bz_tree_hash_parts(t, o, parts, l->tensors_n);
    for (size_t i = 0; i < l->tensors_n && st == BZ_OK; i++)
        memcpy(l->tensors[i].sha256, parts[i].sha256, BZ_HASH_LEN);
    free(parts);
    if (st != BZ_OK)
        bz_say("%s", st == BZ_ELIMIT ? "stopped" : t->why);
    return st == BZ_OK;
}

bool bz_model_look(struct bz_tree *t, const struct bz_tree_options *o, struct bz_arena *ar,
                   struct bz_model_looked *ret) {
    const struct bz_model_item *items = NULL;
    size_t n = 0;
    *ret = (struct bz_model_looked){.ar = ar};
    enum bz_status st = bz_tree_hash(t, o, BZ_MODEL_SHA256, 0, &items, &n);
    if (st != BZ_OK) {
        bz_say("%s", st == BZ_ELIMIT ? "stopped" : t->why);
        return false;
    }
    ret->files = bz_arena_zalloc(ar, n * sizeof *ret->files);
    if (ret->files == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        ret->files[i].name = t->files[i].name;
        ret->files[i].size = t->files[i].size;
        memcpy(ret->files[i].sha256, items[i].digest, BZ_HASH_LEN);
    }
    return scan_confined(t, ret) && hash_tensors(t, o, ret);
}

void bz_model_looked_into(const struct bz_model_looked *l, size_t files_n, struct bz_manifest *m) {
    m->files = l->files;
    m->files_n = files_n;
    m->tensors = l->tensors;
    m->tensors_n = l->tensors_n;
    m->templates = l->templates;
    m->templates_n = l->templates_n;
    m->findings = l->findings;
    m->findings_n = l->findings_n;
    m->findings_more = l->findings_more;
    m->file_licence = l->licence.p == NULL ? BZ_V("") : l->licence;
    m->verdict = l->verdict;
    m->malicious = l->malicious;
}
