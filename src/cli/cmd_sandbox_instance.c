/* Backends that the instance starts itself (`run` in bartizan.yaml): their cages from the configuration, and what belongs
 * to one instance only. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "sandbox.h"

#define OWNER_FILE ".bartizan-owner"
enum { OWNER_MAX = 2048 };

/* ---- from bartizan.yaml ---- */

static void take(struct bz_opt_many *to, char *const *from, uint32_t n) {
    for (uint32_t i = 0; i < n && to->n < BZ_OPT_MANY_MAX; i++)
        to->v[to->n++] = from[i];
}

static const char *number(char out[16], uint32_t v) {
    (void)snprintf(out, 16, "%u", v);
    return v == 0 ? NULL : out;
}

struct texts { /* that struct sb_args points to */
    char pids[16], files[16], cpu[16];
};

static void take_run(const struct bz_backend_config *b, struct texts *t, struct sb_args *a) {
    const struct bz_run_config *r = b->run;
    a->name = b->name;
    a->profile = r->profile;
    a->socket = b->url + strlen("unix:");
    a->memory = r->memory;
    a->tmp = r->tmp;
    a->gpu = r->gpu;
    a->pids = number(t->pids, r->pids);
    a->files = number(t->files, r->files);
    a->cpu = number(t->cpu, r->cpu);
    a->weakened = r->weakened;
    a->command = r->command;
    a->command_n = (int)r->command_n;
    take(&a->models, r->models, r->models_n);
    take(&a->reads, r->reads, r->reads_n);
    take(&a->writes, r->writes, r->writes_n);
    take(&a->env, r->env, r->env_n);
    take(&a->secrets, r->secrets, r->secrets_n);
    take(&a->egress, r->egress, r->egress_n);
}

struct instance_run {
    struct bz_instance in;
    struct bz_config *config;
    const struct bz_backend_config *backend;
    struct texts texts;
    struct sb_args args;
};

static void done(struct instance_run *x) {
    bz_config_free(x->config);
    bz_instance_close(&x->in);
}

static bool open_run(const char *dir, const char *backend, struct instance_run *x) {
    struct bz_buf text;
    struct bz_config_errors errs;
    memset(x, 0, sizeof *x);
    x->in.fd = -1;
    if (dir == NULL || backend == NULL) {
        bz_say("--instance and --backend go together");
        return false;
    }
    if (!bz_cli_open(dir, &x->in))
        return false;
    bz_buf_init(&text, BZ_CONFIG_MAX);
    enum bz_status st = bz_instance_config(&x->in, BZ_F_CONFIG, &text, &x->config, &errs);
    if (st != BZ_OK)
        bz_cli_config_errors(stderr, BZ_F_CONFIG, st, bz_buf_view(&text), &errs);
    bz_buf_free(&text);
    for (uint32_t i = 0; st == BZ_OK && i < x->config->backends_n; i++) {
        if (strcmp(x->config->backends[i].name, backend) == 0)
            x->backend = &x->config->backends[i];
    }
    if (st == BZ_OK && (x->backend == NULL || x->backend->run == NULL)) {
        bz_say("backend %s: bartizan.yaml has no 'run' for it", bz_safe(backend));
        return false;
    }
    if (st == BZ_OK)
        take_run(x->backend, &x->texts, &x->args);
    return st == BZ_OK;
}

/* ---- what belongs to one instance ---- */

/* "development\n/srv/dev\n" */
static void own_text(const struct instance_run *x, struct bz_buf *out) {
    static const char *const stages[] = {"-", "development", "production"};
    bz_buf_puts(out, stages[x->config->stage]);
    bz_buf_putc(out, '\n');
    bz_buf_puts(out, x->in.path);
    bz_buf_putc(out, '\n');
}

static void say_taken(const char *what, const char *path, struct bz_view owner) {
    size_t n = 0;
    while (n < owner.n && owner.p[n] != '\n')
        n++;
    struct bz_view stage = bz_view_sub(owner, 0, n), dir = bz_view_sub(owner, n + 1, owner.n);
    dir.n -= dir.n > 0 && dir.p[dir.n - 1] == '\n';
    (void)fprintf(stderr, "bartizan: %s %s belongs to the instance ", what, bz_safe(path));
    bz_print_safe(stderr, dir);
    if (stage.n > 1) {
        (void)fputs(" (", stderr);
        bz_print_safe(stderr, stage);
        (void)fputc(')', stderr);
    }
    (void)fprintf(stderr, "; give this instance one of its own (or remove " OWNER_FILE
                          " there, when that instance is gone)\n");
}

/* Whose a directory is. OK: nobody's or ours; EDENIED: said. */
static bool not_others(const struct instance_run *x, const char *what, const char *dir) {
    struct bz_buf own, there;
    char path[BZ_DIR_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/" OWNER_FILE, dir);
    if (n < 0 || (size_t)n >= sizeof path)
        return false;
    bz_buf_init(&own, OWNER_MAX);
    bz_buf_init(&there, OWNER_MAX);
    own_text(x, &own);
    enum bz_status st = bz_file_read(AT_FDCWD, path, &there);
    bool ok =
        st == BZ_ENOTFOUND || (st == BZ_OK && bz_view_eq(bz_buf_view(&own), bz_buf_view(&there)));
    /* The same directory under a new stage is still ours. */
    if (!ok && st == BZ_OK) {
        const uint8_t *nl = memchr(there.p, '\n', there.n);
        struct bz_view rest =
            nl == NULL ? bz_buf_view(&there)
                       : bz_view_sub(bz_buf_view(&there), (size_t)(nl - there.p) + 1, there.n);
        const uint8_t *own_nl = memchr(own.p, '\n', own.n);
        ok = bz_view_eq(rest, bz_view_sub(bz_buf_view(&own), (size_t)(own_nl - own.p) + 1, own.n));
    }
    if (!ok)
        say_taken(what, dir, bz_buf_view(&there));
    bz_buf_free(&own);
    bz_buf_free(&there);
    return ok;
}

static bool claim(const struct instance_run *x, const char *what, const char *dir) {
    struct bz_buf own;
    char path[BZ_DIR_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/" OWNER_FILE, dir);
    if (n < 0 || (size_t)n >= sizeof path || !not_others(x, what, dir))
        return false;
    bz_buf_init(&own, OWNER_MAX);
    own_text(x, &own);
    enum bz_status st = bz_file_write(AT_FDCWD, path, bz_buf_view(&own), 0644, BZ_FILE_NO_SYNC);
    bz_buf_free(&own);
    if (st != BZ_OK)
        bz_say("%s %s cannot be marked as this instance's: %s", what, bz_safe(dir),
               strerror(errno));
    return st == BZ_OK;
}

/* A model must not lie where another instance's server may write. */
static bool check_model(const struct instance_run *x, const char *model) {
    char dir[BZ_DIR_PATH_MAX];
    (void)snprintf(dir, sizeof dir, "%s", model);
    for (char *slash = strrchr(dir, '/'); slash != NULL && slash != dir;
         slash = strrchr(dir, '/')) {
        *slash = '\0';
        if (!not_others(x, "the write path around a model,", dir))
            return false;
    }
    return true;
}

/* Secrets come from this instance's own directory or from outside of all instances, never from another one's. */
static bool check_secret(const struct instance_run *x, const char *secret) {
    const char *eq = strchr(secret, '=');
    char *real = eq == NULL ? NULL : realpath(eq + 1, NULL);
    char dir[BZ_DIR_PATH_MAX], probe[BZ_DIR_PATH_MAX + 32];
    bool ok = true;
    if (real == NULL || strlen(real) >= sizeof dir) {
        bz_say("secret %s: there is no such file", bz_safe(secret));
        free(real);
        return false;
    }
    (void)snprintf(dir, sizeof dir, "%s", real);
    for (char *slash = strrchr(dir, '/'); ok && slash != NULL && slash != dir;
         slash = strrchr(dir, '/')) {
        *slash = '\0';
        (void)snprintf(probe, sizeof probe, "%s/secrets/audit.key", dir);
        if (access(probe, F_OK) == 0 && strcmp(dir, x->in.path) != 0) {
            bz_say("secret %s lies in the instance %s; keys are not shared between instances",
                   bz_safe(secret), bz_safe(dir));
            ok = false;
        }
    }
    free(real);
    return ok;
}

static bool make_place(const struct instance_run *x) {
    char rel[128];
    if (mkdirat(x->in.fd, "run/cage", 0700) != 0 && errno != EEXIST)
        return false;
    (void)snprintf(rel, sizeof rel, "run/cage/%s", x->backend->name);
    return mkdirat(x->in.fd, rel, 0700) == 0 || errno == EEXIST;
}

static bool claim_all(const struct instance_run *x, const struct sb_cage *c) {
    const struct bz_cage_request *r = &c->request;
    for (size_t i = 0; i < r->writes.n; i++) {
        if (!claim(x, "the write path", r->writes.v[i]))
            return false;
    }
    for (size_t i = 0; i < r->models.n; i++) {
        if (!check_model(x, r->models.v[i]))
            return false;
    }
    for (size_t i = 0; i < r->secrets.n; i++) {
        if (!check_secret(x, r->secrets.v[i]))
            return false;
    }
    return true;
}

/* A link would lead to a socket that belongs to another instance. */
static bool check_place(const struct instance_run *x) {
    char want[BZ_DIR_PATH_MAX], rel[128];
    (void)snprintf(rel, sizeof rel, "run/cage/%s", x->backend->name);
    if (!bz_instance_path(&x->in, rel, want))
        return false;
    char *real = realpath(want, NULL);
    bool ok = real != NULL && strcmp(real, want) == 0;
    if (!ok)
        bz_say("%s leads elsewhere (%s); sockets are not shared between instances", bz_safe(want),
               real != NULL ? bz_safe(real) : strerror(errno));
    free(real);
    return ok;
}

/* ---- commands ---- */

static int run_opened(const struct instance_run *x, struct sb_cage *c, const char *report,
                      bool quiet) {
    char log[BZ_DIR_PATH_MAX], own[BZ_DIR_PATH_MAX], rel[128];
    (void)snprintf(rel, sizeof rel, "run/cage/%s.json", x->backend->name);
    if (!bz_instance_path(&x->in, rel, own) ||
        !bz_instance_path(&x->in, "run/cage/egress.log", log))
        return BZ_EXIT_FAILURE;
    const struct sb_egress_out egress = {log, x->in.path};
    return sb_run_cage(&x->args, c, report != NULL ? report : own, &egress, quiet);
}

int sb_run_backend(const char *dir, const char *backend, const char *report, bool quiet) {
    struct instance_run *x = calloc(1, sizeof *x);
    struct sb_cage *c = calloc(1, sizeof *c);
    int rc = BZ_EXIT_FAILURE;
    if (x != NULL && c != NULL && open_run(dir, backend, x)) {
        if (!make_place(x))
            bz_say("%s/run/cage cannot be made: %s", bz_safe(x->in.path), strerror(errno));
        else if (check_place(x) && sb_cage_make(&x->args, false, c) && claim_all(x, c))
            rc = run_opened(x, c, report, quiet);
        sb_cage_free(c);
    }
    if (x != NULL)
        done(x);
    free(c);
    free(x);
    return rc;
}

int sb_probe_backend(const char *dir, const char *backend, bool json, const char *file) {
    struct instance_run *x = calloc(1, sizeof *x);
    char own[BZ_DIR_PATH_MAX], rel[128];
    int rc = BZ_EXIT_FAILURE;
    if (x != NULL && open_run(dir, backend, x)) {
        (void)snprintf(rel, sizeof rel, "run/cage/%s.probe.json", backend);
        x->args.socket = NULL; /* the server's own */
        x->args.secrets.n = 0;
        x->args.models.n = 0;
        rc = BZ_EXIT_UNCHECKED;
        if (!make_place(x))
            bz_say("%s/run/cage cannot be made: %s", bz_safe(x->in.path), strerror(errno));
        else if (bz_instance_path(&x->in, rel, own))
            rc = sb_probe_args(&x->args, json, file != NULL ? file : own);
    }
    if (x != NULL)
        done(x);
    free(x);
    return rc;
}
