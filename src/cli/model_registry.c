/* bartizan model list --registered, show, approve, reject, retire. Approving looks at the files again: whoever approves
 * trusts nobody's word for what they are. */
#include "cmd_model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "admin_client.h"

enum { CALL_MS = 600000, BODY_MAX = 64 * 1024, ARENA_MAX = 1 << 30, NOTE_MAX = 500 };

/* ---- person ---- */

bool bz_model_put_person(struct bz_jw *w, const char *key_file) {
    struct bz_buf key;
    if (key_file == NULL)
        return true;
    bz_buf_init(&key, 1024);
    bool ok = bz_model_passphrase(key_file, &key);
    if (ok)
        bz_jw_kstr(w, "key", bz_buf_view(&key));
    bz_buf_wipe_free(&key);
    return ok;
}

/* ---- showing ---- */

static void print_text(const struct bz_json *o, struct bz_view key, size_t width) {
    struct bz_view v = bz_json_str(bz_json_get(o, key));
    bz_print_safe(stdout, v);
    for (size_t i = v.n; i < width; i++)
        (void)putchar(' ');
}

static void print_time(const struct bz_json *o, struct bz_view key) {
    int64_t t = 0;
    char text[32] = "-";
    struct tm tm;
    (void)!bz_json_i64(bz_json_get(o, key), &t);
    time_t tt = (time_t)t;
    if (t > 0 && gmtime_r(&tt, &tm) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    (void)printf("%-21s", text);
}

static void show_registered(const struct bz_answer_json *a) {
    const struct bz_json *l = bz_json_get(a->root, BZ_V("models"));
    (void)printf("%-14s%-24s %-12s %-21s%s\n", "ID", "NAME", "STATE", "ADDED", "BY");
    for (const struct bz_json *m = l == NULL ? NULL : l->first; m != NULL; m = m->next) {
        struct bz_view id = bz_json_str(bz_json_get(m, BZ_V("id")));
        bz_print_safe(stdout, bz_view_sub(id, 0, 12));
        (void)printf("  ");
        print_text(m, BZ_V("name"), 25);
        print_text(m, BZ_V("state"), 13);
        print_time(m, BZ_V("added"));
        print_text(m, BZ_V("added_by"), 0);
        (void)printf("\n");
    }
}

int bz_model_registered(const char *dir, bool json) {
    return bz_admin_run(dir, "GET", "/v1/registry", bz_view(NULL, 0), CALL_MS, json,
                        show_registered);
}

static void line(const char *label, const struct bz_json *o, struct bz_view key) {
    if (bz_json_str(bz_json_get(o, key)).n == 0)
        return;
    (void)printf("%-10s ", label);
    print_text(o, key, 0);
    (void)printf("\n");
}

static void show_files(const struct bz_json *m) {
    const struct bz_json *l = bz_json_get(m, BZ_V("files"));
    (void)printf("files\n");
    for (const struct bz_json *f = l == NULL ? NULL : l->first; f != NULL; f = f->next) {
        int64_t size = 0;
        (void)!bz_json_i64(bz_json_get(f, BZ_V("size")), &size);
        (void)printf("  ");
        print_text(f, BZ_V("sha256"), 66);
        (void)printf("%12lld  ", (long long)size);
        print_text(f, BZ_V("name"), 0);
        (void)printf("  (");
        print_text(f, BZ_V("format"), 0);
        (void)printf(")\n");
    }
}

static void show_scan(const struct bz_json *m) {
    const struct bz_json *scan = bz_json_get(m, BZ_V("scan"));
    const struct bz_json *l = bz_json_get(scan, BZ_V("findings"));
    const struct bz_json *tensors = bz_json_get(m, BZ_V("tensors"));
    const struct bz_json *templates = bz_json_get(m, BZ_V("templates"));
    (void)printf("tensors    %u with a digest each\n", tensors == NULL ? 0 : tensors->count);
    for (const struct bz_json *t = templates == NULL ? NULL : templates->first; t != NULL;
         t = t->next) {
        (void)printf("template   ");
        print_text(t, BZ_V("sha256"), 66);
        print_text(t, BZ_V("name"), 0);
        (void)printf("\n");
    }
    (void)printf("scan       ");
    print_text(scan, BZ_V("verdict"), 0);
    (void)printf(bz_json_is(bz_json_get(scan, BZ_V("malicious")), BZ_JSON_TRUE) ? " (MALICIOUS)\n"
                                                                                : "\n");
    for (const struct bz_json *f = l == NULL ? NULL : l->first; f != NULL; f = f->next) {
        (void)printf("  ");
        print_text(f, BZ_V("severity"), 9);
        print_text(f, BZ_V("rule"), 16);
        print_text(f, BZ_V("file"), 0);
        (void)printf(" ");
        print_text(f, BZ_V("place"), 0);
        (void)printf("\n");
    }
}

static void show_history(const struct bz_json *root) {
    const struct bz_json *l = bz_json_get(root, BZ_V("history"));
    (void)printf("history\n");
    for (const struct bz_json *e = l == NULL ? NULL : l->first; e != NULL; e = e->next) {
        (void)printf("  ");
        print_time(e, BZ_V("at"));
        print_text(e, BZ_V("what"), 10);
        print_text(e, BZ_V("by"), 0);
        if (bz_json_str(bz_json_get(e, BZ_V("note"))).n > 0)
            (void)printf(": ");
        print_text(e, BZ_V("note"), 0);
        (void)printf("\n");
    }
}

static void show_model(const struct bz_answer_json *a) {
    const struct bz_json *m = bz_json_get(a->root, BZ_V("manifest"));
    line("id", a->root, BZ_V("id"));
    line("name", a->root, BZ_V("name"));
    line("state", a->root, BZ_V("state"));
    line("serve from", a->root, BZ_V("serve"));
    line("version", m, BZ_V("model_version"));
    line("supplier", m, BZ_V("supplier"));
    line("released", m, BZ_V("released"));
    line("made from", m, BZ_V("base_model"));
    line("source", m, BZ_V("source"));
    line("licence", m, BZ_V("licence"));
    line("  in files", m, BZ_V("file_licence"));
    line("publisher", m, BZ_V("publisher"));
    line("root", m, BZ_V("root"));
    show_files(m);
    show_scan(m);
    show_history(a->root);
}

static bool hex_id(const char *s) {
    size_t n = strlen(s);
    return n >= 4 && n <= 64 && strspn(s, "0123456789abcdef") == n;
}

bool bz_model_id_ok(const char *s) {
    if (hex_id(s))
        return true;
    bz_say("'%s' is no ID: 'bartizan model list DIR --registered' shows them", bz_safe(s));
    return false;
}

int bz_model_show(int argc, char **argv) {
    const char *w[2] = {NULL, NULL};
    char path[128];
    bool json = false, help = false;
    const struct bz_opt list[] = {{"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"}};
    static const char *const names[] = {"DIR", "ID"};
    const struct bz_opts o = {"bartizan model show DIR ID [--json]",
                              "Shows a registered model: files, digests, findings, history.",
                              list,
                              1,
                              names,
                              2,
                              2};
    size_t n = 0;
    if (bz_opts_parse(&o, argc, argv, w, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (!bz_model_id_ok(w[1]))
        return BZ_EXIT_FAILURE;
    (void)snprintf(path, sizeof path, "/v1/registry/%s", w[1]);
    return bz_admin_run(w[0], "GET", path, bz_view(NULL, 0), CALL_MS, json, show_model);
}

/* ---- looking again ---- */

struct again {
    struct bz_instance in;
    struct bz_answer_json a;
    struct bz_arena ar;
    struct bz_manifest m;
    struct bz_tree t;
    struct bz_model_looked l;
    char id[65];
};

static bool fetch(struct again *g, const char *id) {
    char path[128];
    struct bz_buf text;
    struct bz_diag diag = {0, NULL};
    (void)snprintf(path, sizeof path, "/v1/registry/%s", id);
    enum bz_status st = bz_admin_call(&g->in, "GET", path, bz_view(NULL, 0), CALL_MS, &g->a);
    if (bz_admin_outcome(st, &g->in, &g->a) != BZ_EXIT_OK)
        return false;
    bz_buf_init(&text, BZ_SIGNATURE_MAX);
    const struct bz_json *m = bz_json_get(g->a.root, BZ_V("manifest"));
    if (m != NULL)
        bz_json_write(&text, m);
    struct bz_view copy = bz_arena_dup(&g->ar, bz_buf_view(&text));
    bz_buf_free(&text);
    struct bz_view full = bz_json_str(bz_json_get(g->a.root, BZ_V("id")));
    if (copy.p == NULL || full.n != 64 || bz_manifest_parse(copy, &g->ar, &g->m, &diag) != BZ_OK) {
        bz_say("the manifest of %s cannot be read: %s", id, diag.why == NULL ? "" : diag.why);
        return false;
    }
    memcpy(g->id, full.p, 64);
    return true;
}

static bool open_objects(struct again *g) {
    const char **places = bz_arena_alloc(&g->ar, g->m.files_n * sizeof *places);
    g->t.files = bz_arena_zalloc(&g->ar, g->m.files_n * sizeof *g->t.files);
    g->t.fd = openat(g->in.fd, BZ_F_MODEL_OBJECTS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (places == NULL || g->t.files == NULL || g->t.fd < 0) {
        bz_say("%s/%s: %s", bz_safe(g->in.path), BZ_F_MODEL_OBJECTS, strerror(errno));
        return false;
    }
    for (size_t i = 0; i < g->m.files_n; i++) {
        char place[80];
        struct bz_buf b;
        bz_buf_init_fixed(&b, place, sizeof place);
        bz_buf_put_hex(&b, bz_view(g->m.files[i].sha256, 1));
        bz_buf_putc(&b, '/');
        bz_buf_put_hex(&b, bz_view(g->m.files[i].sha256, BZ_HASH_LEN));
        places[i] = (const char *)bz_arena_dup(&g->ar, bz_buf_view(&b)).p;
        g->t.files[i] = (struct bz_tree_file){bz_arena_dup(&g->ar, g->m.files[i].name),
                                              g->m.files[i].size, false};
        g->t.bytes += g->m.files[i].size;
        if (places[i] == NULL || g->t.files[i].name.p == NULL)
            return false;
    }
    g->t.files_n = g->m.files_n;
    g->t.places = places;
    return true;
}

static bool same(const struct again *g) {
    for (size_t i = 0; i < g->m.files_n; i++) {
        if (!bz_ct_equal(bz_view(g->l.files[i].sha256, BZ_HASH_LEN),
                         bz_view(g->m.files[i].sha256, BZ_HASH_LEN))) {
            bz_say("%s: is not the file any more that was added; nothing was approved",
                   bz_safe((const char *)g->t.files[i].name.p));
            return false;
        }
    }
    if (g->l.verdict > g->m.verdict || (g->l.malicious && !g->m.malicious)) {
        bz_say("the scan finds more now than when it was added (%s); reject it and add it again",
               bz_manifest_verdict_name(g->l.verdict));
        return false;
    }
    return true;
}

static bool look_again(struct again *g, const char *id) {
    const struct bz_tree_options o = {.progress = bz_model_progress,
                                      .progress_ctx = (void *)(uintptr_t) "checking"};
    return fetch(g, id) && open_objects(g) && bz_model_look(&g->t, &o, &g->ar, &g->l) && same(g);
}

static bool approve_checks(const char *dir, const char *id, char full[65]) {
    struct again *g = calloc(1, sizeof *g);
    bool ok = false;
    if (g == NULL)
        return false;
    if (bz_cli_open(dir, &g->in)) {
        g->t.fd = -1;
        bz_arena_init(&g->ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
        bz_arena_init(&g->t.arena, bz_alloc_heap, ARENA_MAX, NULL, 0);
        ok = look_again(g, id);
        memcpy(full, g->id, 65);
        bz_tree_close(&g->t);
        bz_arena_free(&g->ar);
        bz_answer_done(&g->a);
        bz_instance_close(&g->in);
    }
    free(g);
    return ok;
}

/* ---- changes ---- */

static void show_changed(const struct bz_answer_json *a) {
    bz_print_safe(stdout, bz_json_str(bz_json_get(a->root, BZ_V("name"))));
    (void)printf(": ");
    bz_print_safe(stdout, bz_json_str(bz_json_get(a->root, BZ_V("state"))));
    struct bz_view serve = bz_json_str(bz_json_get(a->root, BZ_V("serve")));
    if (serve.n > 0) {
        (void)printf("; serve it from ");
        bz_print_safe(stdout, serve);
    }
    (void)printf("\n");
}

struct change {
    const char *verb, *dir, *id, *note, *accept, *as_key;
    bool json;
};

static int change(const struct change *c, const char *seen) {
    struct bz_buf b;
    struct bz_jw w;
    char path[128];
    bz_buf_init(&b, BODY_MAX);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    if (seen != NULL)
        bz_jw_kstr(&w, "seen", bz_view_str(seen));
    if (c->note != NULL)
        bz_jw_kstr(&w, "note", bz_view_str(c->note));
    if (c->accept != NULL)
        bz_jw_kstr(&w, "accept", bz_view_str(c->accept));
    bool ok = bz_model_put_person(&w, c->as_key);
    bz_jw_end(&w);
    (void)snprintf(path, sizeof path, "/v1/registry/%s/%s", c->id, c->verb);
    int rc =
        ok ? bz_admin_run(c->dir, "POST", path, bz_buf_view(&b), CALL_MS, c->json, show_changed)
           : BZ_EXIT_FAILURE;
    bz_buf_wipe_free(&b);
    return rc;
}

static int parse(int argc, char **argv, const char *usage, const char *about, struct change *c) {
    const char *w[2] = {NULL, NULL};
    bool help = false;
    const bool approving = strcmp(c->verb, "approve") == 0;
    const struct bz_opt list[] = {
        {"note", BZ_OPT_TEXT, &c->note, "TEXT", "why; stands in the history"},
        {"as-key", BZ_OPT_TEXT, &c->as_key, "FILE", "API key of the administrator who does it"},
        {"json", BZ_OPT_FLAG, &c->json, NULL, "print one JSON object"},
        {"accept", BZ_OPT_TEXT, &c->accept, "REASON",
         "the scan's findings are acceptable, because"},
    };
    static const char *const names[] = {"DIR", "ID"};
    const struct bz_opts o = {usage, about, list, approving ? 4 : 3, names, 2, 2};
    size_t n = 0;
    if (bz_opts_parse(&o, argc, argv, w, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    c->dir = w[0];
    c->id = w[1];
    return bz_model_id_ok(c->id) ? -1 : BZ_EXIT_FAILURE;
}

int bz_model_approve(int argc, char **argv) {
    struct change c = {.verb = "approve"};
    char full[65] = "";
    int rc = parse(argc, argv,
                   "bartizan model approve DIR ID [--note TEXT] [--accept REASON] [--as-key FILE]",
                   "Hashes and scans the files again, then lets backends serve them.", &c);
    if (rc >= 0)
        return rc;
    bz_backup_catch();
    if (!approve_checks(c.dir, c.id, full))
        return BZ_EXIT_FAILURE;
    c.id = full;
    return change(&c, full);
}

int bz_model_reject(int argc, char **argv) {
    struct change c = {.verb = "reject"};
    int rc = parse(argc, argv, "bartizan model reject DIR ID [--note TEXT] [--as-key FILE]",
                   "Ends what waits for approval; its files are removed from the store.", &c);
    return rc >= 0 ? rc : change(&c, NULL);
}

int bz_model_retire(int argc, char **argv) {
    struct change c = {.verb = "retire"};
    int rc = parse(argc, argv, "bartizan model retire DIR ID [--note TEXT] [--as-key FILE]",
                   "Takes an approval back: backends that serve these files are stopped.", &c);
    return rc >= 0 ? rc : change(&c, NULL);
}
