/* bartizan sandbox probe: attempts to get out of a cage, inside and, to show that each could succeed, outside. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bartizan/json.h>
#include "sandbox.h"
#include "sandbox_targets.h"

/* The battery's own limits: small, so that what goes beyond them is quick. */
#define PROBE_MEMORY "256M"
#define PROBE_TMP "16M"
#define PROBE_PIDS "64"
#define PROBE_FILES "256"

enum { OUT_MAX = 256 * 1024, WHY_MAX = 4096 };

struct battery {
    const struct sb_cage *cage;
    struct sb_targets targets;
    struct bz_probe_outcome out[128];
    size_t count[BZ_PROBE_RESULT_COUNT];
    unsigned missing;
};

static void probed(void *ctx, struct bz_view name, int code) {
    struct battery *b = ctx;
    for (size_t i = 0; i < bz_probe_list_n; i++) {
        if (bz_view_eq(name, bz_view_str(bz_probe_list[i].name)))
            b->out[i].inside = code;
    }
}

static const char *errno_text(int code) {
    static char text[48];
    if (code < 0)
        return "did not run";
    if (code == 0)
        return "succeeded";
    if (code > 128) {
        (void)snprintf(text, sizeof text, "ended by signal %d", code - 128);
        return text;
    }
    return strerror(code);
}

/* ---- running ---- */

static bool inside(struct battery *b) {
    const char *names[128];
    struct bz_cage_report rep;
    struct bz_buf why;
    char name[64];
    int code = 0;
    const char *bwrap = sb_bwrap();
    if (bwrap == NULL)
        return false;
    for (size_t i = 0; i < bz_probe_list_n; i++)
        names[i] = bz_probe_list[i].name;
    (void)snprintf(name, sizeof name, "bartizan-probe-%d", (int)getpid());
    const struct bz_cage_run r = {.plan = &b->cage->plan,
                                  .name = name,
                                  .bwrap = bwrap,
                                  .uid = b->cage->uid,
                                  .gid = b->cage->gid,
                                  .out_fd = -1,
                                  .listen_fd = -1,
                                  .egress_fd = -1,
                                  .probes = names,
                                  .probes_n = bz_probe_list_n,
                                  .targets = b->targets.v,
                                  .targets_n = b->targets.n,
                                  .probed = probed,
                                  .ctx = b};
    bz_buf_init(&why, WHY_MAX);
    enum bz_status st = bz_cage_run(&r, &code, &rep, &why);
    b->missing = rep.missing;
    if (st != BZ_OK || code != 0)
        bz_say("the battery could not run to its end: %.*s", why.n > 0 ? (int)why.n : 2,
               why.n > 0 ? (const char *)why.p : "no");
    bz_buf_free(&why);
    bz_cage_report_free(&rep);
    return st == BZ_OK && code == 0;
}

static void judge(struct battery *b) {
    for (size_t i = 0; i < bz_probe_list_n; i++) {
        const struct bz_probe_info *p = &bz_probe_list[i];
        struct bz_probe_outcome *o = &b->out[i];
        o->outside = sb_control(&b->targets, b->cage->cage, p->name);
        o->result = bz_probe_judge(bz_probe_granted(p, &b->cage->plan), o->inside, o->outside);
        b->count[o->result]++;
    }
}

/* ---- results ---- */

static void put_json(const struct battery *b, struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    bz_jw_key(&w, "time");
    bz_jw_time(&w, bz_clock_unix());
    bz_jw_kstr(&w, "profile", bz_view_str(b->cage->plan.profile->name));
    bz_jw_ku64(&w, "probes", bz_probe_list_n);
    for (unsigned k = 0; k < BZ_PROBE_RESULT_COUNT; k++)
        bz_jw_ku64(&w, bz_probe_result_name((enum bz_probe_result)k), b->count[k]);
    bz_jw_ku64(&w, "missing", b->missing);
    bz_jw_key(&w, "results");
    bz_jw_arr(&w);
    for (size_t i = 0; i < bz_probe_list_n; i++) {
        const struct bz_probe_info *p = &bz_probe_list[i];
        bz_jw_obj(&w);
        bz_jw_kstr(&w, "name", bz_view_str(p->name));
        bz_jw_kstr(&w, "class", bz_view_str(p->class));
        bz_jw_kstr(&w, "what", bz_view_str(p->what));
        bz_jw_kstr(&w, "result", bz_view_str(bz_probe_result_name(b->out[i].result)));
        bz_jw_kstr(&w, "inside", bz_view_str(errno_text(b->out[i].inside)));
        bz_jw_kstr(&w, "outside", bz_view_str(errno_text(b->out[i].outside)));
        bz_jw_end(&w);
    }
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_buf_putc(out, '\n');
}

static void print_text(const struct battery *b) {
    const char *class = "";
    for (size_t i = 0; i < bz_probe_list_n; i++) {
        const struct bz_probe_info *p = &bz_probe_list[i];
        const struct bz_probe_outcome *o = &b->out[i];
        if (strcmp(class, p->class) != 0)
            (void)printf("%s\n", p->class);
        class = p->class;
        (void)printf("  %-9s %-20s %s", bz_probe_result_name(o->result), p->name, p->what);
        if (o->result == BZ_PROBE_VACUOUS)
            (void)printf(" (this host forbids it to everybody like us: %s)",
                         errno_text(o->outside));
        (void)putchar('\n');
    }
    (void)printf("%zu probes in profile %s: %zu denied, %zu allowed, %zu granted by the profile, "
                 "%zu vacuous, %zu unchecked\n",
                 bz_probe_list_n, b->cage->plan.profile->name, b->count[BZ_PROBE_DENIED],
                 b->count[BZ_PROBE_ALLOWED], b->count[BZ_PROBE_GRANTED], b->count[BZ_PROBE_VACUOUS],
                 b->count[BZ_PROBE_UNCHECKED]);
}

static int report(const struct battery *b, bool json, const char *file) {
    struct bz_buf out;
    int rc = b->count[BZ_PROBE_ALLOWED] > 0     ? BZ_EXIT_FINDINGS
             : b->count[BZ_PROBE_UNCHECKED] > 0 ? BZ_EXIT_UNCHECKED
                                                : BZ_EXIT_OK;
    bz_buf_init(&out, OUT_MAX);
    put_json(b, &out);
    if (json)
        (void)fwrite(out.p, 1, out.n, stdout);
    else
        print_text(b);
    if (file != NULL &&
        bz_file_write(AT_FDCWD, file, bz_buf_view(&out), 0600, BZ_FILE_NO_SYNC) != BZ_OK) {
        bz_say("the result cannot be written to %s: %s", bz_safe(file), strerror(errno));
        rc = BZ_EXIT_UNCHECKED;
    }
    bz_buf_free(&out);
    return rc;
}

static int probe(struct sb_args *a, bool json, const char *file) {
    struct sb_cage *c = calloc(1, sizeof *c);
    struct battery *b = calloc(1, sizeof *b);
    int rc = BZ_EXIT_UNCHECKED;
    a->memory = PROBE_MEMORY;
    a->tmp = PROBE_TMP;
    a->pids = PROBE_PIDS;
    a->files = PROBE_FILES;
    a->command_n = 0;
    uid_t uid = 0;
    gid_t gid = 0;
    if (c == NULL || b == NULL || bz_probe_list_n > sizeof b->out / sizeof b->out[0])
        goto out;
    for (size_t i = 0; i < bz_probe_list_n; i++)
        b->out[i].inside = -1;
    if (!sb_user(a, &uid, &gid) || !sb_targets_make(&b->targets, uid, gid))
        goto out;
    a->models.v[a->models.n++] = b->targets.model;
    a->socket = b->targets.socket;
    if (!sb_cage_make(a, true, c))
        goto out;
    c->uid = uid;
    c->gid = gid;
    b->cage = c;
    sb_targets_limits(&b->targets, c->plan.memory, c->plan.tmp, c->plan.pids, c->plan.files);
    if (inside(b)) {
        judge(b);
        rc = report(b, json, file);
    }
out:
    if (b != NULL)
        sb_targets_free(&b->targets);
    if (c != NULL)
        sb_cage_free(c);
    free(b);
    free(c);
    return rc;
}

int sb_probe(int argc, char **argv) {
    struct sb_args a = {.profile = NULL};
    const char *file = NULL, *dir = NULL, *backend = NULL;
    bool json = false, help = false;
    const struct bz_opt list[] = {
        {"profile", BZ_OPT_TEXT, &a.profile, "NAME",
         "llama-server, ollama, vllm, generic, container"},
        {"read", BZ_OPT_MANY, &a.reads, "PATH", "as for 'run'"},
        {"write", BZ_OPT_MANY, &a.writes, "DIR", "as for 'run'"},
        {"egress", BZ_OPT_MANY, &a.egress, "HOST:PORT", "as for 'run'"},
        {"gpu", BZ_OPT_TEXT, &a.gpu, "VENDOR[:N]", "as for 'run'"},
        {"user", BZ_OPT_TEXT, &a.user, "NAME", "as for 'run'"},
        {"weakened", BZ_OPT_FLAG, &a.weakened, NULL, "probe although the cage is not complete"},
        {"instance", BZ_OPT_TEXT, &dir, "DIR", "take everything from its bartizan.yaml"},
        {"backend", BZ_OPT_TEXT, &backend, "NAME", "with --instance: which backend"},
        {"result", BZ_OPT_TEXT, &file, "FILE", "write the result there as JSON, too"},
        {"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"},
    };
    const struct bz_opts o = {"bartizan sandbox probe --profile NAME [options]",
                              "Tries to get out of a cage of this profile, and to take things "
                              "along. Exit code 0: nothing\n"
                              "succeeded; 1: something did; 3: it could not be checked.",
                              list,
                              sizeof list / sizeof list[0],
                              NULL,
                              0,
                              0};
    size_t n = 0;
    if (bz_opts_parse(&o, argc, argv, NULL, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    /* To its end whatever comes: it takes two seconds and removes what it made. */
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)umask(077);
    if (dir != NULL || backend != NULL)
        return sb_probe_backend(dir, backend, json, file);
    if (a.profile != NULL && bz_cage_profile(a.profile) == NULL) {
        bz_say("there is no profile '%s'; 'bartizan sandbox profiles' lists them",
               bz_safe(a.profile));
        return BZ_EXIT_FAILURE;
    }
    return sb_probe_args(&a, json, file);
}

int sb_probe_args(struct sb_args *a, bool json, const char *file) {
    return probe(a, json, file);
}
