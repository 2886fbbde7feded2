/* G: platform hygiene, and drift of the gateway itself. */
#include <stdio.h>
#include <sys/timex.h>
#include <bartizan/crypto.h>

#include "posture_int.h"

/* ---- G01: updates ---- */

/* Last day of security support, long-term support included. Sources: debian.org/releases, ubuntu.com/about/release-cycle,
 * access.redhat.com/support/policy/updates/errata. */
static const struct {
    const char *id, *version;
    int32_t end; /* days since 1970-01-01 */
} ends[] = {
    {"debian", "8", 18443},     {"debian", "9", 19173},     {"debian", "10", 19904},
    {"debian", "11", 20696},    {"debian", "12", 21365},    {"debian", "13", 22095},
    {"ubuntu", "16.04", 18747}, {"ubuntu", "18.04", 19508}, {"ubuntu", "20.04", 20239},
    {"ubuntu", "22.04", 20909}, {"ubuntu", "24.04", 21700}, {"ubuntu", "23.10", 19915},
    {"ubuntu", "24.10", 20279}, {"ubuntu", "25.04", 20468}, {"centos", "7", 19904},
    {"centos", "8", 18992},     {"fedora", "39", 20053},    {"fedora", "40", 20221},
    {"fedora", "41", 20437},
};

static void end_of_life(struct pt_ctx *c) {
    const struct pt_facts *f = c->f;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (!pt_is(f->os_id, ends[i].id) || !pt_is(f->os_version, ends[i].version))
            continue;
        if (f->o->now / 86400 > ends[i].end)
            pt_bad(c, "%.*s gets no security updates any more",
                   PT_V(f->os_name.n > 0 ? f->os_name : f->os_id));
        else
            pt_good(c);
        return;
    }
}

static void g01(struct pt_ctx *c) {
    end_of_life(c);
    if (pt_exists(c->f->t, "run/reboot-required") || pt_exists(c->f->t, "var/run/reboot-required"))
        pt_bad(c, "updates wait for a restart (/run/reboot-required)");
    for (size_t i = 0; i < c->f->updates.n; i++) {
        const struct pt_update *u = &c->f->updates.v[i];
        pt_bad(c, "security update: %.*s %.*s -> %.*s", PT_V(u->name), PT_V(u->have),
               PT_V(u->want));
    }
    struct bz_view text, line, n;
    if (pt_read(c->f->t, "var/lib/update-notifier/updates-available", 8192, &text) == BZ_OK) {
        while (pt_line(&text, &line)) {
            struct bz_view rest = line;
            if (pt_has(line, "security update") && pt_word(&rest, &n) && pt_num(n, 0) > 0)
                pt_bad(c, "%.*s", PT_V(pt_trim(line)));
        }
    }
    if (c->f->have_dpkg && !c->f->have_lists)
        pt_unknown(
            c,
            "there is no list of security updates here to compare packages with (apt-get update)");
    if (!c->f->have_dpkg && !c->good)
        pt_unknown(c, "the packages are not recorded");
}

static void g02(struct pt_ctx *c) {
    struct pt_views names;
    struct bz_view text, line;
    bool on = false, off = false;
    if (pt_list(c->f->t, "etc/apt/apt.conf.d", 512, &names) != BZ_OK &&
        !pt_exists(c->f->t, "etc/apt")) {
        if (pt_enabled(c->f, "dnf-automatic.timer") ||
            pt_enabled(c->f, "dnf-automatic-install.timer"))
            pt_good(c);
        else if (pt_exists(c->f->t, "etc/dnf"))
            pt_bad(c, "dnf-automatic is not enabled");
        return;
    }
    for (size_t i = 0; i < names.n; i++) {
        if (pt_read(c->f->t, pt_path(c->f->t, "etc/apt/apt.conf.d/%.*s", PT_V(names.v[i])),
                    BZ_POSTURE_CONFIG_MAX, &text) != BZ_OK)
            continue;
        while (pt_line(&text, &line)) {
            line = pt_trim(line);
            if (!pt_starts(line, "APT::Periodic::Unattended-Upgrade"))
                continue;
            on = pt_find(line, "\"0\"") == SIZE_MAX; /* the last one counts */
            off = !on;
        }
    }
    if (on)
        pt_good(c);
    else
        pt_bad(c, off ? "APT::Periodic::Unattended-Upgrade is 0"
                      : "APT::Periodic::Unattended-Upgrade is not set");
}

/* ---- G03, G04 ---- */

static bool present(const struct pt_facts *f, const char *const *names) {
    char unit[64];
    for (; *names != NULL; names++) {
        (void)snprintf(unit, sizeof unit, "%s.service", *names);
        if (pt_enabled(f, unit) || pt_running(f, *names) || pt_package(f, *names) != NULL)
            return true;
    }
    return false;
}

static void g03(struct pt_ctx *c) {
    static const char *const names[] = {
        "auditd",   "wazuh-agent", "wazuh-agentd",  "falco",        "clamav-daemon",
        "clamd",    "aide",        "osqueryd",      "osquery",      "falcon-sensor",
        "mdatp",    "wdavdaemon",  "sentinelone",   "ossec-agentd", "samhain",
        "crowdsec", "tetragon",    "elastic-agent", "tripwire",     NULL};
    if (present(c->f, names))
        pt_good(c);
    else if (c->f->have_dpkg || c->f->have_proc || c->f->enabled.n > 0)
        pt_bad(c, "neither auditd nor endpoint protection nor file integrity checks were found");
    else
        pt_unknown(c, "neither packages nor units nor processes are recorded");
}

static void g04(struct pt_ctx *c) {
    static const char *const names[] = {"chrony",   "chronyd", "ntpsec",
                                        "ntpd",     "ntp",     "systemd-timesyncd",
                                        "openntpd", "ptp4l",   NULL};
    static const char *const units[] = {
        "chrony.service", "chronyd.service",           "ntpsec.service",
        "ntp.service",    "systemd-timesyncd.service", "openntpd.service"};
    if (c->f->live) {
        struct timex t = {.modes = 0}; /* asks, sets nothing */
        int state = adjtimex(&t);
        if (state == TIME_ERROR || (state >= 0 && (t.status & STA_UNSYNC) != 0))
            pt_bad(c, "the clock is not synchronised");
        else if (state >= 0)
            pt_good(c);
        else
            pt_unknown(c, "the clock cannot be asked");
        return;
    }
    bool on = false, packages = false;
    for (size_t i = 0; i < 6; i++)
        on = on || pt_enabled(c->f, units[i]);
    for (size_t i = 0; names[i] != NULL; i++) {
        on = on || pt_running(c->f, names[i]);
        packages = packages || pt_package(c->f, names[i]) != NULL;
    }
    if (on || packages || pt_exists(c->f->t, "run/systemd/timesync/synchronized") ||
        pt_exists(c->f->t, "etc/chrony/chrony.conf"))
        pt_good(c);
    else if (c->f->have_dpkg || c->f->have_proc || c->f->enabled.n > 0 || c->f->os_id.n > 0)
        pt_bad(c, "no service that sets the clock (chrony, systemd-timesyncd) was found");
    else
        pt_unknown(c, "neither packages nor units nor processes are recorded");
}

/* ---- G05: the gateway's own drift ---- */

static void g05_manifest(struct pt_ctx *c, const struct pt_instance *in) {
    struct bz_view text;
    bool differs = false;
    enum bz_status st =
        pt_read(c->f->t, pt_path(c->f->t, "%.*s/" BZ_POSTURE_MANIFEST, PT_V(in->path)),
                BZ_POSTURE_CONFIG_MAX, &text);
    if (st == BZ_EDENIED)
        pt_unknown(c, "%.*s: the sealed manifest cannot be read", PT_V(in->path));
    if (st != BZ_OK)
        return;
    struct bz_view line, sum, name;
    while (pt_line(&text, &line)) {
        uint8_t sha[BZ_HASH_LEN];
        struct bz_view rest = pt_trim(line);
        if (rest.n == 0 || rest.p[0] == '#' || !pt_word(&rest, &sum) || sum.n != 64)
            continue;
        name = pt_trim(rest);
        const char *path = name.n > 0 && name.p[0] == '/'
                               ? pt_path(c->f->t, "%.*s", PT_V(name))
                               : pt_path(c->f->t, "%.*s/%.*s", PT_V(in->path), PT_V(name));
        if (!pt_sha_file(c->f, path, sha) || !pt_sha_is(sum, sha)) {
            pt_bad(c, "%.*s is not what the manifest says", PT_V(name));
            differs = true;
        }
    }
    if (!differs)
        pt_good(c);
    bool (*check)(void *, const char *, bool *) = c->f->o->hooks.manifest;
    bool sealed = false;
    if (check == NULL ||
        !check(c->f->o->hooks.ctx, (const char *)bz_arena_dup(c->f->ar, in->path).p, &sealed))
        pt_unknown(c, "%.*s: the manifest's signature was not checked", PT_V(in->path));
    else if (!sealed)
        pt_bad(c, "%.*s: the manifest's signature is not that of the instance", PT_V(in->path));
}

/* Is it a process of one of the instances that are looked at? */
static bool of_instance(const struct pt_facts *f, const struct pt_proc *p) {
    for (size_t i = 0; i < f->instances.n; i++) {
        for (size_t j = 1; j < p->argv.n; j++) {
            if (bz_view_eq(p->argv.v[j], f->instances.v[i].path))
                return true;
        }
    }
    return false;
}

static void g05(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->instances.n; i++) {
        const struct pt_instance *in = &c->f->instances.v[i];
        if (in->denied) {
            pt_unknown(c, "%.*s: its configuration cannot be read", PT_V(in->path));
            continue;
        }
        if (in->have_good && !bz_view_eq(in->good_text, in->config_text))
            pt_bad(c, "%.*s/bartizan.yaml is not the configuration in force", PT_V(in->path));
        else if (in->have_good)
            pt_good(c);
        g05_manifest(c, in);
        if (!in->have_good && !c->good && !c->bad)
            pt_unknown(c, "%.*s has never been up, and there is no sealed manifest of it",
                       PT_V(in->path));
    }
    for (size_t i = 0; i < c->f->procs.n; i++) {
        const struct pt_proc *p = &c->f->procs.v[i];
        if (pt_kind_is(p->kind, "bartizan") && pt_ends(p->exe, " (deleted)") &&
            of_instance(c->f, p))
            pt_bad(c, "pid %u (%.*s) runs a program that was replaced since", p->pid,
                   PT_V(p->comm));
    }
}

/* ---- G06: what nobody registered ---- */

static bool is_backend(const struct pt_facts *f, uint16_t port) {
    char text[16];
    (void)snprintf(text, sizeof text, ":%u", port);
    for (size_t i = 0; i < f->instances.n; i++) {
        for (size_t j = 0; j < f->instances.v[i].backends.n; j++) {
            struct bz_view url = f->instances.v[i].backends.v[j];
            if (url.n > 0 && url.p[url.n - 1] == '/')
                url.n--;
            if (pt_ends(url, text))
                return true;
        }
    }
    return false;
}

static bool odd_place(struct bz_view exe) {
    return pt_starts(exe, "/tmp/") || pt_starts(exe, "/home/") || pt_starts(exe, "/dev/shm/") ||
           pt_starts(exe, "/var/tmp/") || pt_starts(exe, "/root/") || pt_starts(exe, "/run/user/");
}

static void shadow_process(struct pt_ctx *c, const struct pt_proc *p) {
    static const char *const fine[] = {
        "nvidia-persiste", "nvidia-persistenced", "Xorg",          "Xwayland",     "gnome-shell",
        "nvidia-smi",      "dcgm-exporter",       "nv-hostengine", "kwin_wayland", NULL};
    bool model = false;
    for (size_t i = 0; i < p->files.n; i++)
        model = model || pt_ends(p->files.v[i], ".gguf") ||
                pt_ends(p->files.v[i], ".safetensors") ||
                pt_find(p->files.v[i], "/blobs/sha256") != SIZE_MAX;
    struct bz_view first = p->argv.n > 0 ? p->argv.v[0] : BZ_V(""),
                   place = p->exe.n > 0 ? p->exe : first;
    bool session = pt_find(p->cgroup, "/user.slice/") != SIZE_MAX;
    if (p->kind == NULL && model)
        pt_bad(c, "pid %u (%.*s) has a model loaded and is no program that is known here: %.*s",
               p->pid, PT_V(p->comm), PT_V(place));
    else if (p->kind == NULL && p->gpu && !pt_is_any(p->comm, fine))
        pt_bad(c, "pid %u (%.*s) holds a GPU and is no program that is known here: %.*s", p->pid,
               PT_V(p->comm), PT_V(place));
    else if (p->kind != NULL && (p->kind->role & PT_ROLE_SERVER) != 0 &&
             (odd_place(place) || session))
        pt_bad(c, "pid %u: %s runs from %.*s%s: no service of this machine", p->pid, p->kind->title,
               PT_V(place), session ? " in a user's session" : "");
    else if (p->kind != NULL || p->gpu)
        pt_good(c);
}

static void g06(struct pt_ctx *c) {
    bool backends = false, denied = false;
    for (size_t i = 0; i < c->f->instances.n; i++)
        backends = backends || c->f->instances.v[i].backends.n > 0;
    for (size_t i = 0; i < c->f->procs.n; i++) {
        shadow_process(c, &c->f->procs.v[i]);
        denied = denied || c->f->procs.v[i].fd_denied;
    }
    for (size_t i = 0; i < c->f->socks.n; i++) {
        const struct pt_sock *s = &c->f->socks.v[i];
        if (!s->host || s->kind == NULL || s->kind->role == PT_ROLE_OURS)
            continue;
        bool server = (s->kind->role & PT_ROLE_SERVER) != 0;
        if (backends && server && !is_backend(c->f, s->port))
            pt_bad(c, "%s listens on %.*s and is no backend of the gateway", s->kind->title,
                   PT_V(pt_sock_text(c->f, s)));
        else if (c->f->have_proc && s->proc == NULL && s->how != NULL &&
                 pt_has(bz_view_str(s->how), "port alone") && server)
            pt_bad(c, "nothing that is known here listens on %.*s", PT_V(pt_sock_text(c->f, s)));
        else
            pt_good(c);
    }
    if (denied)
        pt_unknown(c, "what other accounts' processes have open cannot be seen without root");
    if (!c->f->have_proc)
        pt_unknown(c, "no processes are recorded");
}

/* ---- G07: around the gateway ---- */

static bool needs_key(const struct pt_facts *f, const struct pt_sock *s) {
    struct bz_view v;
    for (size_t i = 0; i < f->works.n; i++) {
        const struct pt_work *w = &f->works.v[i];
        if (w->kind == s->kind && w->src != PT_CTR && pt_work_port(w) == s->port &&
            (pt_opt(w, "--api-key|--api-key-file", &v) ||
             (pt_env(w, "LLAMA_API_KEY|VLLM_API_KEY", &v) && v.n > 0)))
            return true;
    }
    return false;
}

/* A rule that lets only some accounts connect to the port. */
static bool port_guarded(const struct pt_facts *f, uint16_t port) {
    char text[24];
    (void)snprintf(text, sizeof text, "dport %u", port);
    for (size_t i = 0; i < f->fw.rules.n; i++) {
        struct bz_view r = f->fw.rules.v[i].text;
        if (pt_has(r, text) && (pt_has(r, "skuid") || pt_has(r, "uid-owner") || pt_has(r, "skgid")))
            return true;
    }
    return false;
}

static void g07(struct pt_ctx *c) {
    bool any = false;
    for (size_t i = 0; i < c->f->instances.n; i++) {
        any = any || c->f->instances.v[i].backends.n > 0;
        for (size_t j = 0; j < c->f->instances.v[i].backends.n; j++) {
            if (pt_starts(c->f->instances.v[i].backends.v[j], "unix:"))
                pt_good(c);
        }
        if (c->f->instances.v[i].denied)
            pt_unknown(c, "%.*s: its backends cannot be read", PT_V(c->f->instances.v[i].path));
    }
    for (size_t i = 0; i < c->f->socks.n; i++) {
        const struct pt_sock *s = &c->f->socks.v[i];
        if (!s->host || s->kind == NULL || (s->kind->role & PT_ROLE_SERVER) == 0)
            continue;
        bool ours = any && is_backend(c->f, s->port);
        if (!ours && s->loopback)
            continue; /* not behind a gateway at all: A and G06 speak of it */
        if (needs_key(c->f, s) || port_guarded(c->f, s->port))
            pt_good(c);
        else
            pt_bad(c, "%s on %.*s answers to %s without the gateway", s->kind->title,
                   PT_V(pt_sock_text(c->f, s)),
                   s->loopback ? "every account of this machine" : "the network");
    }
    for (size_t i = 0; i < c->f->gets.n; i++) {
        const struct pt_get *g = &c->f->gets.v[i];
        bool model = g->sock->kind != NULL && (g->sock->kind->role & PT_ROLE_SERVER) != 0;
        if (c->f->o->connect && model && g->status >= 200 && g->status < 400 &&
            is_backend(c->f, g->sock->port))
            pt_bad(c, "GET %.*s is answered by %.*s, around the gateway", PT_V(g->path),
                   PT_V(pt_sock_text(c->f, g->sock)));
    }
    if (any && !c->f->have_socks)
        pt_unknown(c, "the listening sockets are not recorded");
}

/* ---- G08 ---- */

static void g08(struct pt_ctx *c) {
    const struct pt_ssh *s = &c->f->ssh;
    if (s->denied)
        pt_unknown(c, "sshd's configuration cannot be read");
    if (!s->seen)
        return;
    if (bz_view_eq_nocase(s->root_login, BZ_V("yes")))
        pt_bad(c, "PermitRootLogin %.*s", PT_V(s->root_login));
    if (s->password.n == 0)
        pt_bad(c, "PasswordAuthentication is not set: the default is yes");
    else if (!bz_view_eq_nocase(s->password, BZ_V("no")))
        pt_bad(c, "PasswordAuthentication %.*s", PT_V(s->password));
    if (bz_view_eq_nocase(s->empty, BZ_V("yes")))
        pt_bad(c, "PermitEmptyPasswords yes");
    pt_good(c);
}

const struct pt_check pt_checks_g[] = {
    PT_ROW("G01", "Security updates are pending, or the system gets none", HIGH,
           "Known flaws are the cheapest way in.",
           "Install the updates and restart; move to a release that is supported.",
           "SI-2, CIS updates", g01),
    PT_ROW("G02", "Security updates are not installed by themselves", MEDIUM,
           "They wait until somebody thinks of them.",
           "apt-get install unattended-upgrades; APT::Periodic::Unattended-Upgrade \"1\".", "SI-2",
           g02),
    PT_ROW("G03", "Nobody watches the host", MEDIUM,
           "Without an audit trail or endpoint protection an intrusion leaves no trace outside of "
           "what it can delete.",
           "Install auditd, and endpoint protection of your choice.", "SI-3, SI-4", g03),
    PT_ROW("G04", "The clock is not synchronised", MEDIUM,
           "One-time passwords, certificates and logs depend on it.",
           "Install chrony or turn systemd-timesyncd on.", "AU-8", g04),
    PT_ROW("G05", "The gateway is not what was sealed", CRITICAL,
           "Configuration, programs or rules differ from what is in force or was signed.",
           "Find out who changed it; 'bartizan reload' puts the configuration in force, 'bartizan "
           "posture seal' signs anew.",
           "CM-6, SI-7", g05),
    PT_ROW("G06", "AI programs, ports or models that nobody registered", HIGH,
           "What the gateway does not know it does not guard.",
           "Make it a backend of the gateway, or stop it.", "CM-8", g06),
    PT_ROW("G07", "The model can be reached around the gateway", CRITICAL,
           "Authentication, screening and the log are then a matter of good will.",
           "Serve on a unix socket or in a private network namespace, or let only the gateway's "
           "account connect (nft).",
           "SC-7, AC-3", g07),
    PT_ROW("G08", "SSH takes passwords or root", HIGH, "Passwords are guessed day and night.",
           "PasswordAuthentication no, PermitRootLogin prohibit-password or no.", "CIS SSH server",
           g08),
};
const size_t pt_checks_g_n = sizeof pt_checks_g / sizeof pt_checks_g[0];
