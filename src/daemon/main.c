/* bartizand DIR [--ready-fd N] [--master-stdin] */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "mcp.h"
#include "registry.h"
#include "memlock.h"

enum { WHY_MAX = 64 * 1024, TURN_MAX_MS = 1000 };
#define FIRST_ANSWERS_NS 300000000ull /* how long readiness waits for the backends' first answers */

/* ---- process ---- */

/* This process holds the master key's children: no core, no ptrace by others, no new rights. */
static bool harden(void) {
    const struct rlimit none = {0, 0};
    (void)umask(077);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)bz_memory_lock(); /* 'bartizan up' warns where it cannot */
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static int open_signals(void) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void read_signals(struct bz_daemon *d, int fd) {
    struct signalfd_siginfo s;
    while (read(fd, &s, sizeof s) == (ssize_t)sizeof s) {
        if (s.ssi_signo == SIGHUP)
            d->reload_wanted = true;
        else
            d->stopping = true;
    }
}

static void tell_ready(int fd) {
    if (fd < 0)
        return;
    (void)!write(fd, "1\n", 2);
    (void)close(fd);
}

/* ---- loop ---- */

static void publish_if_wanted(struct bz_daemon *d) {
    if (!d->publish_wanted)
        return;
    enum bz_status st = bz_publish(d);
    if (st != BZ_OK)
        bz_log("the policy image cannot be published: %s; the old one stays in force",
               bz_status_text(st));
}

static void reload_if_wanted(struct bz_daemon *d) {
    struct bz_buf why;
    if (!d->reload_wanted)
        return;
    d->reload_wanted = false;
    bz_buf_init(&why, WHY_MAX);
    if (bz_daemon_load(d, &why) != BZ_OK)
        bz_log("the new configuration is refused: %s", bz_log_safe(bz_buf_view(&why)));
    else
        (void)!bz_journal_admin(d, BZ_V("signal"), "policy.reload", BZ_V("configuration loaded"),
                                "allow");
    bz_buf_free(&why);
}

/* Values that can no longer be restored do not stay in memory either. */
static void sweep_if_due(struct bz_daemon *d, uint64_t now) {
    if (d->vault == NULL || now < d->sweep_ns)
        return;
    (void)bz_vault_sweep(d->vault, bz_clock_unix() / 1000000000u);
    d->sweep_ns = now + BZ_SWEEP_PERIOD_NS;
}

static int turn_ms(const struct bz_daemon *d, struct bz_server_run *s) {
    uint64_t now = bz_clock_mono(), next = bz_health_next(d), bodies = bz_bodies_next(d);
    next = bodies < next ? bodies : next;
    next = bz_cage_next(d) < next ? bz_cage_next(d) : next;
    next = bz_registry_next(d) < next ? bz_registry_next(d) : next;
    uint64_t ms = next <= now ? 0 : (next - now) / 1000000 + 1;
    int server = bz_server_timeout_ms(s);
    if (server >= 0 && (uint64_t)server < ms)
        ms = (uint64_t)server;
    return ms > TURN_MAX_MS ? TURN_MAX_MS : (int)ms;
}

static void run(struct bz_daemon *d, struct bz_server_run *s, int sig_fd, int ready_fd) {
    const uint64_t begun = bz_clock_mono();
    while (!d->stopping) {
        struct curl_waitfd w[2] = {{.fd = sig_fd, .events = CURL_WAIT_POLLIN},
                                   {.fd = bz_server_fd(s), .events = CURL_WAIT_POLLIN}};
        int n = 0;
        (void)curl_multi_poll(d->multi, w, 2, ready_fd >= 0 ? 5 : turn_ms(d, s), &n);
        read_signals(d, sig_fd);
        bz_server_turn(s);
        reload_if_wanted(d);
        bz_cage_turn(d, bz_clock_mono());
        bz_health_turn(d, bz_clock_mono());
        bz_registry_turn(d, bz_clock_mono());
        bz_posture_turn(d, bz_clock_mono());
        bz_bodies_turn(d, bz_clock_mono());
        publish_if_wanted(d);
        sweep_if_due(d, bz_clock_mono());
        if (ready_fd >= 0 &&
            (bz_health_all_asked(d) || bz_clock_mono() - begun >= FIRST_ANSWERS_NS)) {
            tell_ready(ready_fd);
            ready_fd = -1;
        }
    }
}

/* ---- start ---- */

struct args {
    const char *dir;
    int ready_fd;      /* -1: none */
    bool master_stdin; /* `bartizan up` opened the master key */
};

static bool keys_from_stdin(struct bz_daemon *d) {
    uint8_t master[BZ_KEY_LEN];
    size_t n = 0;
    ssize_t got = 1;
    while (n < sizeof master && got > 0) {
        got = read(STDIN_FILENO, master + n, sizeof master - n);
        n += got > 0 ? (size_t)got : 0;
    }
    if (n == sizeof master)
        bz_instance_derive(master, &d->keys);
    bz_wipe(master, sizeof master);
    return n == sizeof master;
}

static bool open_keys(struct bz_daemon *d, bool from_stdin) {
    if (from_stdin && keys_from_stdin(d))
        return true;
    enum bz_status st = from_stdin ? BZ_ECORRUPT : bz_instance_keys(&d->in, &d->keys);
    if (st != BZ_OK)
        bz_log("%s: %s", from_stdin ? "the master key did not come" : BZ_F_MASTER_KEY,
               bz_status_text(st));
    return st == BZ_OK;
}

static void open_vault(struct bz_daemon *d) {
    if (bz_map_open(d->in.fd, BZ_F_VAULT, true, &d->vault_map) != BZ_OK ||
        bz_vault_open(d->vault_map.p, d->vault_map.n, &d->vault) != BZ_OK)
        bz_log("%s cannot be used: values are not wiped when their time is over", BZ_F_VAULT);
}

static bool open_all(struct bz_daemon *d) {
    struct bz_buf why;
    enum bz_status st = bz_journal_init(d);
    if (st != BZ_OK) {
        bz_log("the shared files of the run cannot be used (is 'bartizan up' running?): %s",
               bz_status_text(st));
        return false;
    }
    open_vault(d);
    char store[BZ_DIR_PATH_MAX];
    st = bz_instance_path(&d->in, BZ_F_STORE, store) ? bz_identity_open(store, &d->book)
                                                     : BZ_ETOOBIG;
    if (st != BZ_OK) {
        bz_log("%s cannot be opened: %s", BZ_F_STORE, bz_status_text(st));
        return false;
    }
    bz_bodies_start(d);
    if (bz_health_init(d) != BZ_OK)
        return false;
    bz_buf_init(&why, WHY_MAX);
    st = bz_daemon_load_first(d, &why);
    if (st != BZ_OK)
        bz_log("%s is refused: %s", BZ_F_CONFIG, bz_log_safe(bz_buf_view(&why)));
    bz_buf_free(&why);
    if (st != BZ_OK)
        return false;
    bz_registry_start(d);
    bz_mcp_start(d);
    uint64_t image = bz_published_before(d), state = bz_state_generation(d->state);
    d->generation = image > state ? image : state;
    st = bz_publish(d);
    if (st != BZ_OK)
        bz_log("the policy image cannot be published: %s", bz_status_text(st));
    return st == BZ_OK;
}

static void close_all(struct bz_daemon *d) {
    bz_cage_done(d);
    bz_health_done(d);
    bz_registry_stop(d);
    bz_mcp_stop(d);
    bz_journal_done(d);
    bz_map_close(&d->vault_map);
    bz_daemon_unload(d);
    bz_keep_close(d->bodies);
    bz_identity_close(d->book);
    if (d->advisories_loaded)
        bz_advisories_free(&d->advisories);
    bz_wipe(&d->keys, sizeof d->keys);
    bz_instance_close(&d->in);
}

static int serve(struct bz_daemon *d, const struct args *a) {
    struct bz_server_run *s = NULL;
    BZ_FD sig_fd = open_signals();
    if (sig_fd < 0 || !open_keys(d, a->master_stdin) || !open_all(d))
        return 2;
    if (bz_server_start(d, &s) != BZ_OK) {
        bz_log("%s cannot be opened: %s", BZ_F_ADMIN_SOCK, strerror(errno));
        return 2;
    }
    run(d, s, sig_fd, a->ready_fd);
    bz_server_stop(s);
    return 0;
}

static bool parse_args(int argc, char **argv, struct args *ret) {
    struct args a = {.dir = argc > 1 ? argv[1] : "-", .ready_fd = -1};
    for (int i = 2; i < argc; i++) {
        uint64_t fd = 0;
        if (strcmp(argv[i], "--master-stdin") == 0) {
            a.master_stdin = true;
            continue;
        }
        if (strcmp(argv[i], "--ready-fd") != 0 || i + 1 == argc ||
            bz_view_u64(bz_view_str(argv[++i]), &fd) != BZ_OK || fd >= 1024)
            return false;
        a.ready_fd = (int)fd;
    }
    *ret = a;
    return a.dir[0] != '-';
}

int main(int argc, char **argv) {
    struct args a;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)printf("bartizand %s\n", BZ_VERSION);
        return 0;
    }
    if (!parse_args(argc, argv, &a)) {
        (void)fputs(
            "usage: bartizand DIR [--ready-fd N] [--master-stdin]\nStarted by 'bartizan up DIR'.\n",
            stderr);
        return 2;
    }
    struct bz_daemon *d = calloc(1, sizeof *d);
    if (d == NULL || !harden() || bz_crypto_init() != BZ_OK ||
        curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        bz_log("cannot start");
        free(d);
        return 2;
    }
    d->in.fd = d->fifo = -1;
    bz_buf_init(&d->pack.bytes, BZ_DETECT_PACK_MAX);
    bz_buf_init(&d->leaks, 1);
    enum bz_status st = bz_instance_open(a.dir, &d->in);
    if (st != BZ_OK)
        bz_log("%s is not an instance", bz_log_safe(bz_view_str(a.dir)));
    int rc = st == BZ_OK ? serve(d, &a) : 2;
    close_all(d);
    curl_global_cleanup();
    free(d);
    return rc;
}
