/* The chat templates of files of any format: their digests, and how those of two differ. */
#include "scan_template.h"

#include <bartizan/artifact.h>
#include <bartizan/crypto.h>
#include <bartizan/json.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "opts.h"
#include "scan_confine.h"
#include "scan_file.h"

enum { TEMPLATES_MAX = 64, LINES_MAX = 20000, AROUND = 3 };
static const size_t memory_max = (size_t)512 << 20;

struct one { /* template of a file */
    struct bz_view name, text;
    uint8_t digest[32];
};

struct file {
    const char *path;
    struct bz_scan_file f;
    struct bz_arena ar;
    struct bz_scan_result r;
    struct one list[TEMPLATES_MAX];
    size_t n;
    bool more; /* than we keep, or memory was short */
    bool open;
};

static void found(void *ctx, struct bz_view name, struct bz_view text, const uint8_t digest[32]) {
    struct file *x = ctx;
    if (x->n == TEMPLATES_MAX) {
        x->more = true;
        return;
    }
    struct one *t = &x->list[x->n];
    t->name = bz_arena_dup(&x->ar, name);
    t->text = bz_arena_dup(&x->ar, text);
    memcpy(t->digest, digest, sizeof t->digest);
    if (t->name.p == NULL || t->text.p == NULL)
        x->more = true;
    else
        x->n++;
}

static bool open_file(struct file *x, const char *path) {
    struct stat sb;
    x->path = path;
    int fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode)) {
        bz_say("%s: %s", bz_safe(path),
               fd >= 0 && errno == 0 ? "not a regular file"
                                     : strerror(errno != 0 ? errno : EINVAL));
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    bz_scan_file_init(&x->f, fd, -1, path, (uint64_t)sb.st_size);
    bz_arena_init(&x->ar, bz_alloc_heap, memory_max, NULL, 0);
    x->open = true;
    return true;
}

static void close_file(struct file *x) {
    if (!x->open)
        return;
    bz_scan_file_done(&x->f);
    bz_arena_free(&x->ar);
}

/* 0, or an exit code; it was said why. */
static int read_file(struct file *x) {
    struct bz_facts facts = {.ctx = x, .chat_template = found};
    struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM, .facts = &facts};
    struct bz_source src = bz_scan_file_source(&x->f);
    enum bz_status st = bz_scan(&x->ar, &src, bz_view_str(x->path), &opt, &x->r);
    if (st != BZ_OK) {
        bz_say("%s: %s", bz_safe(x->path), bz_status_text(st));
        return BZ_EXIT_FAILURE;
    }
    if (x->n == 0 || x->more) {
        bz_say("%s: %s (%s)", bz_safe(x->path),
               x->more ? "more templates than can be held" : "no chat template in it", x->r.format);
        return BZ_EXIT_UNCHECKED;
    }
    return 0;
}

static void confine(void) {
    (void)bz_scan_confine(NULL, 0); /* everything that is read is open by now */
}

/* ---- digests --------------------------------------------------------------------------------- */

static void put_one(struct bz_jw *w, const struct file *x, const struct one *t) {
    uint8_t mem[64];
    struct bz_buf hex;
    bz_buf_init_fixed(&hex, mem, sizeof mem);
    bz_buf_put_hex(&hex, bz_view(t->digest, sizeof t->digest));
    bz_jw_obj(w);
    bz_jw_kstr(w, "path", bz_view_str(x->path));
    bz_jw_kstr(w, "name", t->name);
    bz_jw_kstr(w, "sha256", bz_buf_view(&hex));
    bz_jw_ku64(w, "bytes", t->text.n);
    bz_jw_end(w);
}

static void print_hash(const struct file *x, const struct one *t) {
    for (size_t i = 0; i < sizeof t->digest; i++)
        (void)printf("%02x", t->digest[i]);
    (void)printf("  ");
    bz_print_safe(stdout, bz_view_str(x->path));
    if (t->name.n > 0) {
        (void)printf("!");
        bz_print_safe(stdout, t->name);
    }
    (void)printf("\n");
}

int bz_scan_template_hash(const char **paths, size_t n, bool json) {
    struct file *list = calloc(n, sizeof *list);
    struct bz_buf b;
    struct bz_jw w;
    int rc = BZ_EXIT_OK;
    if (list == NULL) {
        bz_say("out of memory");
        return BZ_EXIT_FAILURE;
    }
    for (size_t i = 0; i < n; i++)
        rc = open_file(&list[i], paths[i]) ? rc : BZ_EXIT_FAILURE;
    confine();
    bz_buf_init(&b, 64u << 20);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_key(&w, "templates");
    bz_jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        int one = list[i].open ? read_file(&list[i]) : 0;
        rc = one != 0 && rc != BZ_EXIT_FAILURE ? one : rc;
        for (size_t k = 0; k < list[i].n && one == 0; k++) {
            if (json)
                put_one(&w, &list[i], &list[i].list[k]);
            else
                print_hash(&list[i], &list[i].list[k]);
        }
        close_file(&list[i]);
    }
    bz_jw_end(&w);
    bz_jw_end(&w);
    if (json && bz_buf_status(&b) == BZ_OK)
        (void)printf("%.*s\n", (int)b.n, (const char *)b.p);
    bz_buf_free(&b);
    free(list);
    return rc;
}

/* ---- differences ----------------------------------------------------------------------------- */

struct line {
    struct bz_view text;
    bool other; /* is in no common subsequence */
};

struct lines {
    struct line *v;
    size_t n;
};

/* Lines end at newlines, and behind "%}" and "}}": many templates are one line. */
static bool split(struct bz_view text, struct lines *ret) {
    size_t cap = 64, n = 0;
    struct line *v = malloc(cap * sizeof *v);
    for (size_t from = 0, i = 0; v != NULL && i < text.n; i++) {
        bool tag = i + 1 < text.n && text.p[i + 1] == '}' && (text.p[i] == '%' || text.p[i] == '}');
        if (text.p[i] != '\n' && !tag && i + 1 < text.n)
            continue;
        i += tag;
        bool newline = text.p[i] == '\n';
        if (n == cap) {
            struct line *more = realloc(v, 2 * cap * sizeof *v);
            if (more == NULL) {
                free(v);
                return false;
            }
            v = more;
            cap *= 2;
        }
        v[n].text = bz_view_sub(text, from, i + !newline - from);
        while (v[n].text.n > 0 && v[n].text.p[v[n].text.n - 1] == '\r')
            v[n].text.n--; /* as the digest has it */
        v[n++].other = true;
        from = i + 1;
    }
    *ret = (struct lines){v, n};
    return v != NULL;
}

/* Longest common subsequence; the table is of the lines between common beginnings and ends. */
static bool compare(struct lines *a, struct lines *b) {
    size_t head = 0, tail = 0;
    while (head < a->n && head < b->n && bz_view_eq(a->v[head].text, b->v[head].text)) {
        a->v[head].other = b->v[head].other = false;
        head++;
    }
    while (tail < a->n - head && tail < b->n - head &&
           bz_view_eq(a->v[a->n - 1 - tail].text, b->v[b->n - 1 - tail].text)) {
        a->v[a->n - 1 - tail].other = b->v[b->n - 1 - tail].other = false;
        tail++;
    }
    size_t n = a->n - head - tail, m = b->n - head - tail;
    if (n > LINES_MAX / 4 || m > LINES_MAX / 4)
        return true; /* everything between is shown as other */
    uint16_t *t = calloc((n + 1) * (m + 1), sizeof *t);
    if (t == NULL)
        return false;
    for (size_t i = n; i-- > 0;) {
        for (size_t k = m; k-- > 0;) {
            uint16_t down = t[(i + 1) * (m + 1) + k], right = t[i * (m + 1) + k + 1];
            uint16_t both = (uint16_t)(t[(i + 1) * (m + 1) + k + 1] + 1);
            bool eq = bz_view_eq(a->v[head + i].text, b->v[head + k].text);
            t[i * (m + 1) + k] = eq ? both : down > right ? down : right;
        }
    }
    for (size_t i = 0, k = 0; i < n && k < m;) {
        if (bz_view_eq(a->v[head + i].text, b->v[head + k].text)) {
            a->v[head + i++].other = b->v[head + k++].other = false;
        } else if (t[(i + 1) * (m + 1) + k] >= t[i * (m + 1) + k + 1]) {
            i++;
        } else {
            k++;
        }
    }
    free(t);
    return true;
}

struct printer {
    bool json;
    struct bz_jw *w;
    bool gap; /* lines in common were left out */
};

static void print_line(struct printer *p, char mark, size_t number, struct bz_view text) {
    if (p->gap && !p->json)
        (void)printf("@@ line %zu @@\n", number);
    p->gap = false;
    if (p->json) {
        bz_jw_obj(p->w);
        bz_jw_kstr(p->w, "op", mark == '-' ? BZ_V("remove") : BZ_V("add"));
        bz_jw_ku64(p->w, "line", number);
        bz_jw_kstr(p->w, "text", text);
        bz_jw_end(p->w);
        return;
    }
    (void)printf("%c ", mark);
    bz_print_safe(stdout, text);
    (void)printf("\n");
}

static bool near_other(const struct lines *l, size_t i) {
    for (size_t k = i < AROUND ? 0 : i - AROUND; k < l->n && k <= i + AROUND; k++) {
        if (l->v[k].other)
            return true;
    }
    return false;
}

static void print_diff(struct printer *p, const struct lines *a, const struct lines *b) {
    for (size_t i = 0, k = 0; i < a->n || k < b->n;) {
        if (i < a->n && a->v[i].other) {
            print_line(p, '-', i + 1, a->v[i].text);
            i++;
        } else if (k < b->n && b->v[k].other) {
            print_line(p, '+', k + 1, b->v[k].text);
            k++;
        } else {
            if (!p->json && (near_other(a, i) || near_other(b, k)))
                print_line(p, ' ', i + 1, a->v[i].text);
            else
                p->gap = true;
            i++;
            k++;
        }
    }
}

static bool diff(struct printer *p, const struct one *a, const struct one *b) {
    struct lines la = {NULL, 0}, lb = {NULL, 0};
    bool ok = split(a->text, &la) && split(b->text, &lb) && compare(&la, &lb);
    if (ok)
        print_diff(p, &la, &lb);
    free(la.v);
    free(lb.v);
    return ok;
}

static const struct one *named(const struct file *x, struct bz_view name, size_t only) {
    for (size_t i = 0; i < x->n; i++) {
        if (bz_view_eq(x->list[i].name, name) || only == 1)
            return &x->list[i];
    }
    return NULL;
}

static void title(struct printer *p, const char *word, const struct one *t) {
    if (p->json) {
        bz_jw_obj(p->w);
        bz_jw_kstr(p->w, "name", t->name);
        bz_jw_kstr(p->w, "state", bz_view_str(word));
        bz_jw_key(p->w, "lines");
        bz_jw_arr(p->w);
        return;
    }
    (void)printf("%s: ", word);
    bz_print_safe(stdout, t->name.n > 0 ? t->name : BZ_V("template"));
    (void)printf("\n");
}

static void title_end(struct printer *p) {
    if (p->json) {
        bz_jw_end(p->w);
        bz_jw_end(p->w);
    }
}

static bool same_digest(const struct one *a, const struct one *b) {
    return bz_ct_equal(bz_view(a->digest, sizeof a->digest), bz_view(b->digest, sizeof b->digest));
}

/* Where both have one template, their names do not matter. */
static int diff_all(struct printer *p, const struct file *a, const struct file *b) {
    size_t only = a->n == 1 && b->n == 1;
    int rc = BZ_EXIT_OK;
    for (size_t i = 0; i < a->n; i++) {
        const struct one *t = &a->list[i], *u = named(b, t->name, only);
        bool same = u != NULL && same_digest(t, u);
        title(p, u == NULL ? "only in the first" : same ? "same" : "different", t);
        if (u != NULL && !same && !diff(p, t, u))
            return BZ_EXIT_FAILURE;
        title_end(p);
        rc = same ? rc : BZ_EXIT_FINDINGS;
    }
    for (size_t i = 0; i < b->n; i++) {
        if (named(a, b->list[i].name, only) == NULL) {
            title(p, "only in the second", &b->list[i]);
            title_end(p);
            rc = BZ_EXIT_FINDINGS;
        }
    }
    return rc;
}

static int diff_files(struct file *x, bool json) {
    struct bz_buf b;
    struct bz_jw w;
    struct printer p = {.json = json, .w = &w};
    int first = read_file(&x[0]), second = read_file(&x[1]);
    if (first != 0 || second != 0)
        return first == BZ_EXIT_FAILURE ? first : second != 0 ? second : first;
    bz_buf_init(&b, 256u << 20);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_key(&w, "templates");
    bz_jw_arr(&w);
    int rc = diff_all(&p, &x[0], &x[1]);
    bz_jw_end(&w);
    bz_jw_end(&w);
    if (bz_buf_status(&b) != BZ_OK || rc == BZ_EXIT_FAILURE) {
        bz_say("out of memory");
        rc = BZ_EXIT_FAILURE;
    } else if (json) {
        (void)printf("%.*s\n", (int)b.n, (const char *)b.p);
    }
    bz_buf_free(&b);
    return rc;
}

int bz_scan_template_diff(const char *a, const char *b, bool json) {
    struct file *x = calloc(2, sizeof *x);
    int rc = BZ_EXIT_FAILURE;
    if (x == NULL) {
        bz_say("out of memory");
        return rc;
    }
    errno = 0;
    if (open_file(&x[0], a) && open_file(&x[1], b)) {
        confine();
        rc = diff_files(x, json);
    }
    close_file(&x[0]);
    close_file(&x[1]);
    free(x);
    return rc;
}
