/* bartizan sandbox export, lint: containers and units. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bartizan/containers.h>
#include "sandbox.h"

enum { OUT_MAX = 1 << 20, IN_MAX = 8 << 20 };

/* ---- export ---- */

static bool write_out(const char *dir, const char *name, const struct bz_buf *b, mode_t mode) {
    char path[BZ_DIR_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (bz_buf_status(b) != BZ_OK || n < 0 || (size_t)n >= sizeof path)
        return false;
    if (bz_file_write(AT_FDCWD, path, bz_buf_view(b), mode, BZ_FILE_NO_SYNC) == BZ_OK) {
        (void)printf("%s\n", bz_safe(path));
        return true;
    }
    bz_say("%s: %s", bz_safe(path), strerror(errno));
    return false;
}

static int export_container(const struct bz_cage_plan *p, const char *engine, const char *image,
                            const char *dir) {
    struct bz_buf filter, command;
    char path[BZ_DIR_PATH_MAX];
    if (image == NULL || dir == NULL) {
        bz_say("--format %s needs --image IMAGE and --out DIR (for seccomp.json and run.sh)",
               engine);
        return BZ_EXIT_FAILURE;
    }
    char *real = mkdir(dir, 0755) == 0 || errno == EEXIST ? realpath(dir, NULL) : NULL;
    if (real == NULL || snprintf(path, sizeof path, "%s/seccomp.json", real) >= (int)sizeof path) {
        bz_say("%s: %s", bz_safe(dir), strerror(errno));
        free(real);
        return BZ_EXIT_FAILURE;
    }
    bz_buf_init(&filter, OUT_MAX);
    bz_buf_init(&command, OUT_MAX);
    bz_cage_oci_seccomp(p, &filter);
    bz_buf_puts(&command, "#!/bin/sh\nexec ");
    bz_cage_container_command(p, engine, image, path, &command);
    bool ok =
        write_out(real, "seccomp.json", &filter, 0644) && write_out(real, "run.sh", &command, 0755);
    bz_buf_free(&filter);
    bz_buf_free(&command);
    free(real);
    return ok ? BZ_EXIT_OK : BZ_EXIT_FAILURE;
}

static int export_systemd(const struct bz_cage_plan *p, const char *dir) {
    struct bz_buf b;
    bool ok = true;
    bz_buf_init(&b, OUT_MAX);
    bz_cage_systemd(p, &b);
    if (dir != NULL)
        ok =
            (mkdir(dir, 0755) == 0 || errno == EEXIST) && write_out(dir, "bartizan.conf", &b, 0644);
    else
        (void)fwrite(b.p, 1, b.n, stdout);
    bz_buf_free(&b);
    return ok ? BZ_EXIT_OK : BZ_EXIT_FAILURE;
}

struct export_args {
    struct sb_args a;
    struct sb_cage cage;
    const char *format, *image, *out;
};

/* The program is in the image or the unit: it need not be here. */
static bool plan_of(struct export_args *x) {
    struct bz_cage_request *r = &x->cage.request;
    struct bz_buf why;
    static const char *const empty[] = {NULL};
    if (!sb_request(&x->a, false, &x->cage))
        return false;
    r->cage = BZ_CAGE_PROGRAM;
    r->needs = empty;
    bz_buf_init(&why, 4096);
    enum bz_status st = bz_cage_plan_make(r, &x->cage.plan, &why);
    if (st != BZ_OK)
        bz_say("%.*s", (int)why.n, (const char *)why.p);
    bz_buf_free(&why);
    return st == BZ_OK;
}

static int export_parsed(struct export_args *x) {
    const char *f = x->format;
    if (f == NULL ||
        (strcmp(f, "podman") != 0 && strcmp(f, "docker") != 0 && strcmp(f, "systemd") != 0)) {
        bz_say("--format: write podman, docker or systemd");
        return BZ_EXIT_FAILURE;
    }
    if (!plan_of(x))
        return BZ_EXIT_FAILURE;
    return strcmp(f, "systemd") == 0 ? export_systemd(&x->cage.plan, x->out)
                                     : export_container(&x->cage.plan, f, x->image, x->out);
}

int sb_export(int argc, char **argv) {
    struct export_args *x = calloc(1, sizeof *x);
    bool help = false;
    if (x == NULL)
        return BZ_EXIT_FAILURE;
    const struct bz_opt list[] = {
        {"profile", BZ_OPT_TEXT, &x->a.profile, "NAME", "container, or the profile of the server"},
        {"format", BZ_OPT_TEXT, &x->format, "KIND", "podman, docker, systemd"},
        {"image", BZ_OPT_TEXT, &x->image, "IMAGE", "for podman and docker"},
        {"out", BZ_OPT_TEXT, &x->out, "DIR", "where the files go"},
        {"model", BZ_OPT_MANY, &x->a.models, "FILE", "a model file, read-only"},
        {"read", BZ_OPT_MANY, &x->a.reads, "PATH", "as for 'run'"},
        {"write", BZ_OPT_MANY, &x->a.writes, "DIR", "as for 'run'"},
        {"socket", BZ_OPT_TEXT, &x->a.socket, "PATH", "as for 'run'"},
        {"env", BZ_OPT_MANY, &x->a.env, "NAME=VALUE", "as for 'run'"},
        {"memory", BZ_OPT_TEXT, &x->a.memory, "SIZE", "as for 'run'"},
        {"tmp", BZ_OPT_TEXT, &x->a.tmp, "SIZE", "as for 'run'"},
        {"pids", BZ_OPT_TEXT, &x->a.pids, "N", "as for 'run'"},
        {"files", BZ_OPT_TEXT, &x->a.files, "N", "as for 'run'"},
        {"cpu", BZ_OPT_TEXT, &x->a.cpu, "PERCENT", "as for 'run'"},
        {"gpu", BZ_OPT_TEXT, &x->a.gpu, "VENDOR[:N]", "as for 'run'"},
    };
    const struct bz_opts o = {
        "bartizan sandbox export --profile NAME --format KIND [options] -- PROGRAM ...",
        "Writes the cage as flags and files for a container engine, or as a drop-in for systemd.",
        list,
        sizeof list / sizeof list[0],
        NULL,
        0,
        0};
    size_t n = 0;
    int rc = BZ_EXIT_FAILURE, before = sb_split(argc, argv, &x->a);
    if (bz_opts_parse(&o, before, argv, NULL, &n, &help) == BZ_OK)
        rc = help ? BZ_EXIT_OK : export_parsed(x);
    bz_cage_plan_free(&x->cage.plan);
    free(x);
    return rc;
}

/* ---- lint ---- */

static bool read_json(const char *file, struct bz_lint *l) {
    struct bz_buf b;
    struct bz_arena ar;
    struct bz_json *root = NULL;
    struct bz_diag d = {0, NULL};
    bz_buf_init(&b, IN_MAX);
    bz_arena_init(&ar, bz_alloc_heap, (size_t)64 << 20, NULL, 0);
    enum bz_status st = bz_file_read(AT_FDCWD, file, &b);
    if (st != BZ_OK)
        bz_say("%s: %s", bz_safe(file), st == BZ_EIO ? strerror(errno) : bz_status_text(st));
    else if ((st = bz_json_parse(bz_buf_view(&b), NULL, &ar, &root, &d)) != BZ_OK)
        bz_say(
            "%s: byte %llu: %s; give the JSON of 'docker inspect', 'docker compose config --format "
            "json' or a pod",
            bz_safe(file), (unsigned long long)d.offset,
            d.why != NULL ? d.why : bz_status_text(st));
    else
        bz_lint_json(l, root);
    bz_arena_free(&ar);
    bz_buf_free(&b);
    return st == BZ_OK;
}

static void lint_json(const struct bz_lint *l) {
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, OUT_MAX);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "found", l->n);
    bz_jw_key(&w, "findings");
    bz_jw_arr(&w);
    for (size_t i = 0; i < l->n && i < BZ_LINT_FINDINGS_MAX; i++) {
        bz_jw_obj(&w);
        bz_jw_kstr(&w, "id", bz_view_str(l->list[i].id));
        bz_jw_kstr(&w, "what", bz_view_str(l->list[i].what));
        bz_jw_kstr(&w, "why", bz_view_str(l->list[i].why));
        bz_jw_kstr(&w, "fix", bz_view_str(l->list[i].fix));
        bz_jw_end(&w);
    }
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_buf_putc(&b, '\n');
    (void)fwrite(b.p, 1, b.n, stdout);
    bz_buf_free(&b);
}

static int lint_report(const struct bz_lint *l, bool json) {
    if (json)
        lint_json(l);
    for (size_t i = 0; !json && i < l->n && i < BZ_LINT_FINDINGS_MAX; i++) {
        const struct bz_lint_finding *f = &l->list[i];
        (void)printf("%-22s %s\n    %s\n    %s\n", f->id, bz_safe(f->what), f->why, f->fix);
    }
    if (!json)
        (void)printf(l->n == 0 ? "nothing of it leads out\n" : "%zu findings\n", l->n);
    return l->n == 0 ? BZ_EXIT_OK : BZ_EXIT_FINDINGS;
}

int sb_lint(int argc, char **argv) {
    struct sb_args a = {.profile = NULL};
    bool json = false, help = false;
    const char *file = NULL;
    static const char *const names[] = {"FILE"};
    const struct bz_opt list[] = {
        {"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"},
    };
    const struct bz_opts o = {"bartizan sandbox lint FILE | -- docker run ...",
                              "Finds what leads out of a container: in the JSON of 'docker "
                              "inspect', of a compose file or of "
                              "a\npod, or in a command. Exit code 1: something was found.",
                              list,
                              1,
                              names,
                              0,
                              1};
    size_t n = 0;
    int before = sb_split(argc, argv, &a), rc = BZ_EXIT_FAILURE;
    if (bz_opts_parse(&o, before, argv, &file, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    struct bz_lint *l = calloc(1, sizeof *l);
    if (l == NULL || (n == 0) == (a.command_n == 0)) {
        bz_say("give a FILE, or a command behind --");
        free(l);
        return BZ_EXIT_FAILURE;
    }
    if (a.command_n > 0)
        bz_lint_command(l, (const char *const *)(const void *)a.command, (size_t)a.command_n);
    if (a.command_n > 0 || read_json(file, l))
        rc = lint_report(l, json);
    free(l);
    return rc;
}
