/* H: what else a good engineer looks at. */
#include <stdio.h>
#include "posture_int.h"

/* H01: services that nobody needs beside a model */
static void h01(struct pt_ctx *c) {
    static const struct {
        uint16_t port;
        const char *what;
    } list[] = {{23, "telnet"}, {21, "FTP"},      {69, "TFTP"},  {512, "rexec"}, {513, "rlogin"},
                {514, "rsh"},   {111, "rpcbind"}, {631, "CUPS"}, {5353, "mDNS"}, {2049, "NFS"},
                {139, "SMB"},   {445, "SMB"},     {3389, "RDP"}, {5900, "VNC"},  {6000, "X11"},
                {1900, "UPnP"}, {873, "rsync"}};
    static const char *const units[] = {
        "telnet.socket",  "rsh.socket",      "rlogin.socket",      "tftpd-hpa.service",
        "vsftpd.service", "xinetd.service",  "inetd.service",      "avahi-daemon.service",
        "cups.service",   "rpcbind.service", "nfs-server.service", "smbd.service"};
    for (size_t i = 0; i < c->f->socks.n; i++) {
        const struct pt_sock *s = &c->f->socks.v[i];
        for (size_t j = 0; j < sizeof list / sizeof list[0]; j++) {
            if (s->host && !s->loopback && s->port == list[j].port)
                pt_bad(c, "%s listens on %.*s", list[j].what, PT_V(pt_sock_text(c->f, s)));
        }
        pt_good(c);
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (pt_enabled(c->f, units[i]))
            pt_bad(c, "%s is enabled", units[i]);
    }
    if (c->f->enabled.n > 0)
        pt_good(c);
}

/* H02: other stores that retrieval uses */
static void h02(struct pt_ctx *c) {
    static const struct {
        uint16_t port;
        const char *what;
    } list[] = {{5432, "PostgreSQL"},
                {6379, "Redis"},
                {9200, "Elasticsearch or OpenSearch"},
                {27017, "MongoDB"},
                {7687, "Neo4j"},
                {3306, "MySQL"},
                {9000, "MinIO or ClickHouse"},
                {2379, "etcd"},
                {11211, "memcached"}};
    for (size_t i = 0; i < c->f->socks.n; i++) {
        const struct pt_sock *s = &c->f->socks.v[i];
        for (size_t j = 0; j < sizeof list / sizeof list[0]; j++) {
            if (!s->host || s->port != list[j].port || pt_kind_is(s->kind, "ray"))
                continue;
            if (s->loopback)
                pt_good(c);
            else
                pt_bad(c, "%s listens on %.*s", list[j].what, PT_V(pt_sock_text(c->f, s)));
        }
    }
}

/* H03: the Docker daemon */
static void h03(struct pt_ctx *c) {
    struct bz_view text;
    struct stat s;
    enum bz_status st = pt_read(c->f->t, "etc/docker/daemon.json", BZ_POSTURE_CONFIG_MAX, &text);
    if (st == BZ_EDENIED)
        pt_unknown(c, "/etc/docker/daemon.json cannot be read");
    if (st == BZ_OK) {
        pt_good(c);
        if (pt_has(text, "tcp://") && !pt_has(text, "\"tlsverify\": true") &&
            !pt_has(text, "\"tlsverify\":true") && !pt_has(text, "tcp://127.") &&
            !pt_has(text, "tcp://localhost"))
            pt_bad(c, "/etc/docker/daemon.json: the daemon listens on TCP without tlsverify");
        if (pt_has(text, "insecure-registries") && !pt_has(text, "\"insecure-registries\": []"))
            pt_bad(c, "/etc/docker/daemon.json: insecure-registries");
    }
    for (size_t i = 0; i < c->f->socks.n; i++) {
        if (c->f->socks.v[i].host && c->f->socks.v[i].port == 2375)
            pt_bad(c, "the container runtime listens without TLS on %.*s",
                   PT_V(pt_sock_text(c->f, &c->f->socks.v[i])));
    }
    if (pt_stat(c->f->t, "run/docker.sock", true, &s))
        pt_good(c);
}

struct setting {
    const char *name;
    uint64_t want; /* at least */
    uint64_t most;
};

static void settings(struct pt_ctx *c, const struct setting *list, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct bz_view v = pt_sysctl(c->f, list[i].name);
        uint64_t have = pt_num(v, UINT64_MAX);
        if (have == UINT64_MAX)
            continue;
        if (have < list[i].want || have > list[i].most)
            pt_bad(c, "%s is %llu", list[i].name, (unsigned long long)have);
        else
            pt_good(c);
    }
    if (!c->good && !c->bad)
        pt_unknown(c, "the kernel's settings are not recorded");
}

/* H04, H05: sysctl */
static void h04(struct pt_ctx *c) {
    static const struct setting list[] = {
        {"net/ipv4/conf/all/accept_redirects", 0, 0},
        {"net/ipv4/conf/all/accept_source_route", 0, 0},
        {"net/ipv4/conf/all/send_redirects", 0, 0},
        {"net/ipv4/tcp_syncookies", 1, 2},
        {"net/ipv6/conf/all/accept_redirects", 0, 0},
        {"net/ipv4/icmp_echo_ignore_broadcasts", 1, 1},
    };
    settings(c, list, sizeof list / sizeof list[0]);
}

static void h05(struct pt_ctx *c) {
    static const struct setting list[] = {
        {"kernel/randomize_va_space", 2, 2}, {"kernel/dmesg_restrict", 1, 1},
        {"fs/suid_dumpable", 0, 0},          {"fs/protected_hardlinks", 1, 1},
        {"fs/protected_symlinks", 1, 1},     {"fs/protected_fifos", 1, 2},
        {"fs/protected_regular", 1, 2},      {"kernel/perf_event_paranoid", 2, 4},
    };
    settings(c, list, sizeof list / sizeof list[0]);
}

/* H06: mandatory access control */
static bool apparmor_off(struct pt_facts *f) {
    struct bz_view v;
    return pt_read(f->t, "sys/module/apparmor/parameters/enabled", 16, &v) == BZ_OK &&
           pt_starts(v, "N");
}

static void h06(struct pt_ctx *c) {
    struct bz_view v;
    bool lsm = pt_read(c->f->t, "sys/kernel/security/lsm", 4096, &v) == BZ_OK;
    if (lsm && (pt_has(v, "apparmor") || pt_has(v, "selinux") || pt_has(v, "smack") ||
                pt_has(v, "tomoyo")))
        pt_good(c);
    else if (lsm && (c->f->live || apparmor_off(c->f)))
        pt_bad(c, "neither AppArmor nor SELinux is active: %.*s", PT_V(pt_trim(v)));
    else if (pt_read(c->f->t, "sys/module/apparmor/parameters/enabled", 16, &v) == BZ_OK) {
        if (pt_starts(v, "Y"))
            pt_good(c);
        else
            pt_bad(c, "AppArmor is off");
    } else {
        pt_unknown(c, "the security modules of the kernel are not recorded");
    }
    if (pt_read(c->f->t, "etc/selinux/config", 65536, &v) == BZ_OK &&
        pt_has(v, "\nSELINUX=disabled"))
        pt_bad(c, "/etc/selinux/config: SELINUX=disabled");
}

/* H07: mitigations of the processor */
static void h07(struct pt_ctx *c) {
    struct pt_views names;
    struct bz_view v;
    if (pt_list(c->f->t, "sys/devices/system/cpu/vulnerabilities", 64, &names) != BZ_OK)
        return;
    for (size_t i = 0; i < names.n; i++) {
        if (pt_read(
                c->f->t,
                pt_path(c->f->t, "sys/devices/system/cpu/vulnerabilities/%.*s", PT_V(names.v[i])),
                512, &v) != BZ_OK)
            continue;
        if (pt_starts(v, "Vulnerable"))
            pt_bad(c, "%.*s: %.*s", PT_V(names.v[i]), PT_V(pt_trim(v)));
        else
            pt_good(c);
    }
    if (pt_read(c->f->t, "proc/cmdline", 4096, &v) == BZ_OK && pt_has(v, "mitigations=off"))
        pt_bad(c, "the kernel was started with mitigations=off");
}

/* H08: accounts */
static void h08(struct pt_ctx *c) {
    struct bz_view text, line, name, rest, hash;
    struct stat s;
    for (size_t i = 0; i < c->f->users.n; i++) {
        const struct pt_user *u = &c->f->users.v[i];
        if (u->uid == 0 && !pt_is(u->name, "root"))
            pt_bad(c, "account %.*s has uid 0", PT_V(u->name));
        pt_good(c);
    }
    enum bz_status st = pt_read(c->f->t, "etc/shadow", BZ_POSTURE_CONFIG_MAX, &text);
    if (st == BZ_EDENIED)
        pt_unknown(c, "/etc/shadow cannot be read");
    while (st == BZ_OK && pt_line(&text, &line)) {
        if (!pt_split(line, ':', &name, &rest))
            continue;
        hash = rest;
        (void)pt_split(rest, ':', &hash, &rest);
        if (hash.n == 0)
            pt_bad(c, "account %.*s has no password", PT_V(name));
        else if (pt_starts(hash, "$1$") ||
                 (hash.n == 13 && hash.p[0] != '!' && hash.p[0] != '*' && hash.p[0] != '$'))
            pt_bad(c, "account %.*s: its password is hashed with MD5 or DES", PT_V(name));
    }
    if (pt_stat(c->f->t, "etc/shadow", true, &s) && (s.st_mode & 07) != 0)
        pt_bad(c, "/etc/shadow has mode %04o", s.st_mode & 07777);
    if (pt_stat(c->f->t, "etc/passwd", true, &s) && (s.st_mode & 022) != 0)
        pt_bad(c, "/etc/passwd has mode %04o", s.st_mode & 07777);
}

/* H09: where packages come from */
static void source_text(struct pt_ctx *c, const char *path) {
    struct bz_view text, line;
    if (pt_read(c->f->t, path, BZ_POSTURE_CONFIG_MAX, &text) != BZ_OK)
        return;
    pt_good(c);
    while (pt_line(&text, &line)) {
        line = pt_trim(line);
        if (line.n == 0 || line.p[0] == '#' || pt_starts(line, "//"))
            continue;
        if (pt_has(line, "trusted=yes") || pt_has(line, "Trusted: yes") ||
            pt_has(line, "allow-insecure=yes") || pt_has(line, "AllowUnauthenticated \"true\"") ||
            pt_has(line, "AllowInsecureRepositories \"true\""))
            pt_bad(c, "/%s: %.*s", path, PT_V(line));
        if (pt_has(line, "trusted-host") && !pt_has(line, "localhost"))
            pt_bad(c, "/%s: %.*s", path, PT_V(line));
    }
}

static void h09(struct pt_ctx *c) {
    static const char *const dirs[] = {"etc/apt/sources.list.d", "etc/apt/apt.conf.d"};
    struct pt_views names;
    source_text(c, "etc/apt/sources.list");
    source_text(c, "etc/pip.conf");
    source_text(c, "root/.config/pip/pip.conf");
    for (size_t i = 0; i < 2; i++) {
        if (pt_list(c->f->t, dirs[i], 512, &names) != BZ_OK)
            continue;
        for (size_t j = 0; j < names.n; j++)
            source_text(c, pt_path(c->f->t, "%s/%.*s", dirs[i], PT_V(names.v[j])));
    }
}

/* H10: logs leave the machine, or survive a restart */
static void h10(struct pt_ctx *c) {
    struct bz_view text;
    struct stat s;
    bool journal = pt_stat(c->f->t, "var/log/journal", true, &s) && S_ISDIR(s.st_mode);
    bool syslog = pt_running(c->f, "rsyslogd") || pt_running(c->f, "syslog-ng") ||
                  pt_enabled(c->f, "rsyslog.service") || pt_package(c->f, "rsyslog") != NULL ||
                  pt_enabled(c->f, "systemd-journal-upload.service") ||
                  pt_enabled(c->f, "vector.service") || pt_enabled(c->f, "fluent-bit.service");
    bool conf = pt_read(c->f->t, "etc/systemd/journald.conf", 65536, &text) == BZ_OK &&
                pt_find(text, "\nStorage=persistent") != SIZE_MAX;
    bool volatile_ = pt_has(text, "\nStorage=volatile") || pt_has(text, "\nStorage=none");
    if (journal || syslog || conf)
        pt_good(c);
    else if (volatile_ || c->f->live)
        pt_bad(c, "the journal is kept in memory alone, and no other log service was found");
    else
        pt_unknown(c, "where the logs go is not recorded");
}

/* H11: segmentation */
static void h11(struct pt_ctx *c) {
    bool forward = pt_is(pt_sysctl(c->f, "net/ipv4/ip_forward"), "1");
    unsigned bridged = 0;
    for (size_t i = 0; i < c->f->ctrs.n; i++) {
        const struct pt_ctr *k = &c->f->ctrs.v[i];
        if (k->kind != NULL && !k->host_net && !k->net_none && !k->compose)
            bridged++;
    }
    if (!forward) {
        if (pt_sysctl(c->f, "net/ipv4/ip_forward").n > 0)
            pt_good(c);
        return;
    }
    bool closed = c->f->fw.forward_drop;
    if (closed)
        pt_good(c);
    else if (c->f->fw.denied)
        pt_unknown(c, "a ruleset cannot be read");
    else
        pt_bad(
            c,
            "the host forwards packets between its networks and no ruleset drops them by default%s",
            bridged > 0 ? "; AI containers are on them" : "");
}

/* H12: agents that ask nobody */
static void h12(struct pt_ctx *c) {
    static const char *const flags = "--dangerously-skip-permissions|--yolo|--full-auto|--"
                                     "dangerously-bypass-approvals-and-sandbox|"
                                     "--auto-approve|--yes-always|--auto-run|--trust-all-tools";
    PT_EACH_WORK(c, w) {
        if ((w->kind->role & PT_ROLE_AGENT) == 0)
            continue;
        if (pt_flag(w, flags))
            pt_bad(c, "%.*s acts without asking", PT_V(w->label));
        else
            pt_good(c);
    }
    for (size_t i = 0; i < c->f->files.n; i++) {
        const struct pt_file *file = &c->f->files.v[i];
        if (file->tag != PT_F_CONFIG_KEYS || file->text.n == 0)
            continue;
        if (pt_has(file->text, "\"bypassPermissions\"") ||
            pt_has(file->text, "approval_policy = \"never\"") ||
            pt_has(file->text, "\"autoApprove\": [\"*\"]") ||
            pt_has(file->text, "\"autoApprove\":[\"*\"]"))
            pt_bad(c, "%.*s lets an agent act without asking", PT_V(file->path));
    }
}

/* H13: MCP servers fetched at every start */
static void h13(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->files.n; i++) {
        const struct pt_file *file = &c->f->files.v[i];
        struct bz_view text = file->text, line;
        if (file->unreadable && pt_has(file->path, "mcp"))
            pt_unknown(c, "%.*s cannot be read", PT_V(file->path));
        bool mcp = file->tag == PT_F_CONFIG_KEYS &&
                   (pt_has(file->text, "\"mcpServers\"") || pt_has(file->text, "\"servers\""));
        if (!mcp)
            continue;
        pt_good(c);
        while (pt_line(&text, &line)) {
            if (pt_has(line, "@latest"))
                pt_bad(c, "%.*s: %.*s", PT_V(file->path), PT_V(bz_view_sub(pt_trim(line), 0, 160)));
        }
    }
}

/* H14: an instance's own secrets */
static void h14(struct pt_ctx *c) {
    struct stat s;
    for (size_t i = 0; i < c->f->instances.n; i++) {
        if (c->f->instances.v[i].denied)
            pt_unknown(c, "%.*s cannot be looked into", PT_V(c->f->instances.v[i].path));
        for (const char *const *secret = pt_instance_secrets; *secret != NULL; secret++) {
            const char *path =
                pt_path(c->f->t, "%.*s/%s", PT_V(c->f->instances.v[i].path), *secret);
            if (!pt_stat(c->f->t, path, true, &s))
                continue;
            if ((s.st_mode & 077) != 0)
                pt_bad(c, "%s has mode %04o", path, s.st_mode & 07777);
            else
                pt_good(c);
        }
    }
}

/* H15: keys in the histories of shells */
static void h15(struct pt_ctx *c) {
    static const char *const names[] = {".bash_history", ".zsh_history", ".python_history",
                                        ".psql_history"};
    for (size_t i = 0; i < c->f->users.n; i++) {
        const struct pt_user *u = &c->f->users.v[i];
        if (!u->human && u->uid != 0)
            continue;
        for (size_t j = 0; j < 4; j++) {
            struct bz_view text, what;
            uint64_t line = 0;
            const char *path = pt_path(c->f->t, "%.*s/%s", PT_V(u->home), names[j]);
            enum bz_status st = pt_read(c->f->t, path, BZ_POSTURE_CONFIG_MAX, &text);
            if (st == BZ_EDENIED)
                pt_unknown(c, "%s cannot be read", path);
            if (st != BZ_OK && st != BZ_ETOOBIG)
                continue;
            if (pt_secret_in(c->f->ar, text, &what, &line))
                pt_bad(c, "%s:%llu: %.*s", path, (unsigned long long)line, PT_V(what));
            else
                pt_good(c);
        }
    }
}

/* H16: world-writable folders in the way of programs that run as root */
static void h16(struct pt_ctx *c) {
    static const char *const dirs[] = {"usr/local/bin",
                                       "usr/local/sbin",
                                       "usr/bin",
                                       "usr/sbin",
                                       "bin",
                                       "sbin",
                                       "opt",
                                       "etc",
                                       "etc/cron.d",
                                       "etc/cron.daily",
                                       "etc/systemd/system",
                                       "etc/profile.d",
                                       "etc/ld.so.conf.d"};
    struct stat s;
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        if (!pt_stat(c->f->t, dirs[i], true, &s))
            continue;
        if ((s.st_mode & 2) != 0)
            pt_bad(c, "/%s may be written by everybody (mode %04o)", dirs[i], s.st_mode & 07777);
        else
            pt_good(c);
    }
}

const struct pt_check pt_checks_h[] = {
    PT_ROW("H01", "Services that nobody needs beside a model", MEDIUM, "Each is one more way in.",
           "Stop and disable it (systemctl disable --now), or bind it to loopback.",
           "CM-7, CIS services", h01),
    PT_ROW("H02", "A database that retrieval may use is open", HIGH,
           "Documents, sessions and caches can be read and changed from the network.",
           "Bind it to loopback, set a password.", "SC-7, AISVS 8.1", h02),
    PT_ROW("H03", "The container runtime is open to the network", CRITICAL,
           "Who reaches it is root on this machine.",
           "Use its unix socket alone, or tlsverify; no insecure registries.", "CIS Docker, SC-8",
           h03),
    PT_ROW("H04", "The network stack trusts strangers", LOW,
           "Redirects and source routes bend traffic.",
           "sysctl net.ipv4.conf.all.accept_redirects=0, accept_source_route=0, send_redirects=0, "
           "tcp_syncookies=1.",
           "CIS network parameters, SC-5", h04),
    PT_ROW("H05", "The kernel's own defences are weakened", MEDIUM,
           "They stop whole classes of local attacks.",
           "sysctl kernel.randomize_va_space=2, kernel.dmesg_restrict=1, fs.suid_dumpable=0, "
           "fs.protected_*=1.",
           "CIS kernel parameters, SI-16", h05),
    PT_ROW("H06", "No mandatory access control", MEDIUM,
           "A program that was taken over may do whatever its account may.",
           "Turn AppArmor or SELinux on.", "CIS mandatory access control, AC-3(3)", h06),
    PT_ROW("H07", "The processor's flaws are not mitigated", MEDIUM,
           "Tenants of one machine read each other's memory.",
           "Update microcode and kernel; remove mitigations=off.", "SI-2", h07),
    PT_ROW("H08", "Accounts without a password, or a second root", HIGH, "Anybody may log in.",
           "Lock the account; give uid 0 to root alone; mode 0640 for /etc/shadow.",
           "CIS accounts, IA-5", h08),
    PT_ROW("H09", "Packages are taken without a signature", HIGH,
           "Who sits on the way installs what he likes.",
           "Remove trusted=yes, AllowUnauthenticated and trusted-host.", "SI-7, CM-14", h09),
    PT_ROW("H10", "Logs do not survive a restart", MEDIUM,
           "After an incident there is nothing to read.",
           "Storage=persistent in journald.conf, or a log service that forwards.", "AU-4, AU-9",
           h10),
    PT_ROW("H11", "Networks of the host are not separated", MEDIUM,
           "A container or network that was taken over reaches all others.",
           "A forward chain with policy drop, and rules for what is needed.",
           "SC-7(21), CIS Docker", h11),
    PT_ROW("H12", "An agent acts without asking", HIGH,
           "A prompt from a web page becomes a command on this machine.",
           "Remove the flag; list what may run without a question.", "LLM06, AISVS 9.2", h12),
    PT_ROW("H13", "MCP servers are fetched anew at every start", MEDIUM,
           "What runs tomorrow is whatever its author publishes tonight.",
           "Pin the version and install it.", "CM-2, LLM03", h13),
    PT_ROW("H14", "The gateway's own secrets can be read by others", CRITICAL,
           "Who has them is the gateway.",
           "chmod 700 for folders, 600 for files; 'bartizan posture --fix' does.", "SC-12, AC-6",
           h14),
    PT_ROW("H15", "Keys in the histories of shells", MEDIUM,
           "They stay for years and are copied with every backup.",
           "Remove the lines, replace the keys.", "IA-5", h15),
    PT_ROW("H16", "Folders of the system may be written by everybody", CRITICAL,
           "Who writes there becomes root.", "chmod o-w.", "AC-6, CIS file permissions", h16),
};
const size_t pt_checks_h_n = sizeof pt_checks_h / sizeof pt_checks_h[0];
