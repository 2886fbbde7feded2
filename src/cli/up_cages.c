/* Model servers that the instance starts itself, each in its cage: a child per backend with `run`, which is
 * `bartizan sandbox run --instance DIR --backend NAME`. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bartizan/crypto.h>
#include "opts.h"
#include "up.h"

#define SETTLED_NS 1000000000ull /* who lives that long has started */
enum { GRACE_MS = 8000, GRACE_KILL_MS = 2000 };

struct cage {
    char name[80];
    uint8_t print[BZ_HASH_LEN]; /* of its `run`: another one is another server */
    struct bz_sup_child child;
    bool wanted;
};
struct bz_up_cages {
    struct cage list[BZ_BACKENDS_MAX];
    size_t n;
    char program[BZ_DIR_PATH_MAX];
};

/* ---- configuration ---- */

static void put_text(struct bz_sha256 *s, const char *t) {
    struct bz_view v = bz_view_str(t == NULL ? "" : t);
    bz_sha256_add(s, v);
    bz_sha256_add(s, bz_view("", 1));
}

static void put_list(struct bz_sha256 *s, char *const *v, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        put_text(s, v[i]);
    put_text(s, "|");
}

static void print_of(const struct bz_run_config *r, uint8_t out[BZ_HASH_LEN]) {
    const uint32_t numbers[] = {r->pids, r->files, r->cpu, r->weakened};
    struct bz_sha256 s;
    bz_sha256_init(&s);
    put_text(&s, r->profile);
    put_list(&s, r->command, r->command_n);
    put_list(&s, r->models, r->models_n);
    put_list(&s, r->reads, r->reads_n);
    put_list(&s, r->writes, r->writes_n);
    put_list(&s, r->env, r->env_n);
    put_list(&s, r->secrets, r->secrets_n);
    put_list(&s, r->egress, r->egress_n);
    put_text(&s, r->memory);
    put_text(&s, r->tmp);
    put_text(&s, r->gpu);
    bz_sha256_add(&s, bz_view(numbers, sizeof numbers));
    bz_sha256_end(&s, out);
}

static struct cage *find(struct bz_up_cages *u, const char *name) {
    for (size_t i = 0; i < u->n; i++) {
        if (strcmp(u->list[i].name, name) == 0)
            return &u->list[i];
    }
    if (u->n == BZ_BACKENDS_MAX)
        return NULL;
    struct cage *c = &u->list[u->n++];
    *c = (struct cage){.wanted = true};
    (void)snprintf(c->name, sizeof c->name, "%s", name);
    return c;
}

static bool find_program(struct bz_up_cages *u) {
    ssize_t n = readlink("/proc/self/exe", u->program, sizeof u->program - 1);
    if (n <= 0)
        return false;
    u->program[n] = '\0';
    return true;
}

bool bz_up_cages_load(struct bz_up *u) {
    bool any = false;
    for (uint32_t i = 0; i < u->config->backends_n; i++)
        any = any || u->config->backends[i].run != NULL;
    if (u->cages == NULL && !any)
        return true;
    if (any && geteuid() == 0) {
        bz_say("a backend has 'run', and the instance belongs to root: what gets out of its cage "
               "would "
               "be root. Give the instance to an ordinary user: chown -R USER %s",
               bz_safe(u->in.path));
        return false;
    }
    if (u->cages == NULL && (u->cages = calloc(1, sizeof *u->cages)) == NULL)
        return false;
    if (u->cages->program[0] == '\0' && !find_program(u->cages))
        return false;
    for (size_t i = 0; i < u->cages->n; i++)
        u->cages->list[i].wanted = false;
    for (uint32_t i = 0; i < u->config->backends_n; i++) {
        const struct bz_backend_config *b = &u->config->backends[i];
        struct cage *c = b->run == NULL ? NULL : find(u->cages, b->name);
        uint8_t print[BZ_HASH_LEN];
        if (c == NULL)
            continue;
        print_of(b->run, print);
        bool same = memcmp(print, c->print, sizeof print) == 0;
        memcpy(c->print, print, sizeof print);
        c->wanted = true;
        if (!same && c->child.pid > 0)
            (void)kill(c->child.pid, SIGTERM); /* comes again, as it is now */
    }
    for (size_t i = 0; i < u->cages->n; i++) {
        struct cage *c = &u->cages->list[i];
        if (!c->wanted && c->child.pid > 0)
            (void)kill(c->child.pid, SIGTERM);
    }
    return true;
}

/* ---- life ---- */

static void start(struct bz_up *u, struct cage *c) {
    const char *const argv[] = {u->cages->program, "sandbox",   "run",   "--instance",
                                u->in.path,        "--backend", c->name, NULL};
    pid_t pid = bz_up_spawn(argv);
    uint64_t now = bz_clock_mono();
    u->status_dirty = true;
    if (pid < 0)
        bz_sup_died(&c->child, now);
    else
        bz_sup_started(&c->child, pid, now);
}

void bz_up_cages_turn(struct bz_up *u) {
    uint64_t now = bz_clock_mono();
    for (size_t i = 0; u->cages != NULL && i < u->cages->n; i++) {
        struct cage *c = &u->cages->list[i];
        if (c->wanted && (c->child.state == BZ_SUP_STOPPED || bz_sup_due(&c->child, now)))
            start(u, c);
        if (c->child.state == BZ_SUP_STARTING && now - c->child.started_ns >= SETTLED_NS) {
            bz_sup_ready(&c->child);
            u->status_dirty = true;
        }
    }
}

bool bz_up_cages_are(const struct bz_up *u, pid_t pid) {
    for (size_t i = 0; u->cages != NULL && i < u->cages->n; i++) {
        if (u->cages->list[i].child.pid == pid)
            return true;
    }
    return false;
}

void bz_up_cages_gone(struct bz_up *u, pid_t pid, int code) {
    for (size_t i = 0; u->cages != NULL && i < u->cages->n; i++) {
        struct cage *c = &u->cages->list[i];
        if (c->child.pid != pid)
            continue;
        u->status_dirty = true;
        if (u->stopping || !c->wanted) {
            bz_sup_stopped(&c->child);
            return;
        }
        bz_say("the cage of backend %s (pid %d) ended with exit code %d", c->name, (int)pid, code);
        bz_sup_died(&c->child, bz_clock_mono());
    }
}

int bz_up_cages_timeout(const struct bz_up *u, uint64_t now) {
    int best = -1;
    for (size_t i = 0; u->cages != NULL && i < u->cages->n; i++) {
        int t = bz_sup_timeout(&u->cages->list[i].child, 1, now);
        best = t >= 0 && (best < 0 || t < best) ? t : best;
    }
    return best;
}

static bool any_left(const struct bz_up *u) {
    for (size_t i = 0; u->cages != NULL && i < u->cages->n; i++) {
        if (u->cages->list[i].child.pid > 0)
            return true;
    }
    return false;
}

static void signal_all(const struct bz_up *u, int sig) {
    for (size_t i = 0; u->cages != NULL && i < u->cages->n; i++) {
        if (u->cages->list[i].child.pid > 0)
            (void)kill(u->cages->list[i].child.pid, sig);
    }
}

void bz_up_cages_stop(struct bz_up *u) {
    uint64_t end = bz_clock_mono() + GRACE_MS * 1000000ull;
    bool hurried = u->hurry;
    signal_all(u, SIGTERM);
    while (any_left(u) && bz_clock_mono() < end && (hurried || !u->hurry)) {
        bz_up_reap(u);
        bz_up_read_signals(u);
        (void)usleep(5000);
    }
    signal_all(u, SIGKILL);
    for (unsigned waited = 0; any_left(u) && waited < GRACE_KILL_MS; waited += 5) {
        bz_up_reap(u);
        (void)usleep(5000);
    }
}

void bz_up_cages_status(struct bz_jw *w, const struct bz_up *u) {
    for (size_t i = 0; u->cages != NULL && i < u->cages->n; i++) {
        const struct cage *c = &u->cages->list[i];
        char name[96];
        if (!c->wanted)
            continue;
        (void)snprintf(name, sizeof name, "backend %s", c->name);
        bz_jw_obj(w);
        bz_jw_kstr(w, "name", bz_view_str(name));
        bz_jw_kstr(w, "state", bz_view_str(bz_sup_state_text(c->child.state)));
        bz_jw_ku64(w, "pid", (uint64_t)c->child.pid);
        bz_jw_ku64(w, "restarts", c->child.restarts);
        bz_jw_end(w);
    }
}

void bz_up_cages_free(struct bz_up *u) {
    free(u->cages);
    u->cages = NULL;
}
