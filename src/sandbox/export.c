/* A plan for podman, docker and systemd. What these cannot say is said in the output: Landlock, the one execve, the
 * reading back. */
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <bartizan/containers.h>

#define NEW_NAMESPACES                                                                             \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

/* ---- seccomp ---- */

static void begin_rule(struct bz_jw *w, const char *action) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "action", bz_view_str(action));
    bz_jw_key(w, "names");
    bz_jw_arr(w);
}

static void arg(struct bz_jw *w, unsigned index, uint64_t mask_or_value, uint64_t value,
                bool masked) {
    bz_jw_obj(w);
    bz_jw_ku64(w, "index", index);
    bz_jw_ku64(w, "value", mask_or_value);
    bz_jw_ku64(w, "valueTwo", masked ? value : 0);
    bz_jw_kstr(w, "op", masked ? BZ_V("SCMP_CMP_MASKED_EQ") : BZ_V("SCMP_CMP_EQ"));
    bz_jw_end(w);
}

static void masked_rule(struct bz_jw *w, const char *call, unsigned index, uint64_t mask,
                        uint64_t value) {
    begin_rule(w, "SCMP_ACT_ALLOW");
    bz_jw_str(w, bz_view_str(call));
    bz_jw_end(w);
    bz_jw_key(w, "args");
    bz_jw_arr(w);
    arg(w, index, mask, value, true);
    bz_jw_end(w);
    bz_jw_end(w);
}

static void socket_rule(struct bz_jw *w, uint64_t family) {
    begin_rule(w, "SCMP_ACT_ALLOW");
    bz_jw_str(w, BZ_V("socket"));
    bz_jw_end(w);
    bz_jw_key(w, "args");
    bz_jw_arr(w);
    arg(w, 0, family, 0, false);
    bz_jw_end(w);
    bz_jw_end(w);
}

static void plain_rules(struct bz_jw *w, const struct bz_cage_plan *p) {
    static const char *const always[] = {"execve", "prctl", "ioctl"};
    static const char *const code[] = {"mmap", "mprotect", "pkey_mprotect", "memfd_create"};
    begin_rule(w, "SCMP_ACT_ALLOW");
    for (const struct bz_cage_call *c = bz_cage_calls; c->name != NULL; c++) {
        if ((c->groups & p->profile->calls) != 0)
            bz_jw_str(w, bz_view_str(c->name));
    }
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        bz_jw_str(w, bz_view_str(always[i]));
    for (size_t i = 0; p->wx && i < sizeof code / sizeof code[0]; i++)
        bz_jw_str(w, bz_view_str(code[i]));
    bz_jw_end(w);
    bz_jw_end(w);
}

void bz_cage_oci_seccomp(const struct bz_cage_plan *p, struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "defaultAction", BZ_V("SCMP_ACT_ERRNO"));
    bz_jw_ku64(&w, "defaultErrnoRet", 1);
    bz_jw_key(&w, "architectures");
    bz_jw_arr(&w);
#if defined __aarch64__
    bz_jw_str(&w, BZ_V("SCMP_ARCH_AARCH64"));
#else
    bz_jw_str(&w, BZ_V("SCMP_ARCH_X86_64"));
#endif
    bz_jw_end(&w);
    bz_jw_key(&w, "syscalls");
    bz_jw_arr(&w);
    plain_rules(&w, p);
    begin_rule(&w, "SCMP_ACT_ERRNO"); /* its flags are in memory: glibc falls back to clone */
    bz_jw_str(&w, BZ_V("clone3"));
    bz_jw_end(&w);
    bz_jw_ku64(&w, "errnoRet", 38);
    bz_jw_end(&w);
    masked_rule(&w, "clone", 0, NEW_NAMESPACES, 0);
    if (!p->wx) {
        masked_rule(&w, "mmap", 2, PROT_EXEC, 0);
        masked_rule(&w, "mmap", 2, PROT_EXEC | PROT_WRITE, PROT_EXEC);
        masked_rule(&w, "mprotect", 2, PROT_EXEC, 0);
    }
    socket_rule(&w, AF_UNIX);
    if (p->profile->inet || p->egress) {
        socket_rule(&w, AF_INET);
        socket_rule(&w, AF_INET6);
    }
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_buf_putc(out, '\n');
}

/* ---- podman, docker ---- */

static void quoted(struct bz_buf *out, const char *s) {
    bool plain =
        *s != '\0' && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+@:=,") == strlen(s);
    if (plain) {
        bz_buf_puts(out, s);
        return;
    }
    bz_buf_putc(out, '\'');
    for (; *s != '\0'; s++) {
        if (*s == '\'')
            bz_buf_puts(out, "'\\''");
        else
            bz_buf_putc(out, (uint8_t)*s);
    }
    bz_buf_putc(out, '\'');
}

static void flag(struct bz_buf *out, const char *text) {
    bz_buf_puts(out, " \\\n    ");
    quoted(out, text);
}

static void flag2(struct bz_buf *out, const char *name, const char *value) {
    bz_buf_puts(out, " \\\n    ");
    bz_buf_puts(out, name);
    bz_buf_putc(out, ' ');
    quoted(out, value);
}

static void put_volumes(const struct bz_cage_plan *p, struct bz_buf *out) {
    char text[2200];
    for (size_t i = 0; i < p->mounts_n; i++) {
        const struct bz_cage_mount *m = &p->mount[i];
        bool system = strncmp(m->to, "/usr", 4) == 0 || strncmp(m->to, "/lib", 4) == 0 ||
                      strncmp(m->to, "/etc/", 5) == 0 || strncmp(m->to, "/sys", 4) == 0 ||
                      strncmp(m->to, "/dev/", 5) == 0 || strcmp(m->to, BZ_CAGE_PROGRAM) == 0 ||
                      strcmp(m->to, p->argv[0]) == 0; /* the image has its own */
        if (m->kind == BZ_MOUNT_DEV && (m->may & BZ_MAY_IOCTL) != 0) {
            flag2(out, "--device", m->to);
            continue;
        }
        if (system || (m->kind != BZ_MOUNT_BIND_RO && m->kind != BZ_MOUNT_BIND))
            continue;
        (void)snprintf(text, sizeof text, "%s:%s:%s", m->from, m->to,
                       m->kind == BZ_MOUNT_BIND_RO ? "ro" : "rw");
        flag2(out, "--volume", text);
    }
}

void bz_cage_container_command(const struct bz_cage_plan *p, const char *engine, const char *image,
                               const char *seccomp, struct bz_buf *out) {
    static const char *const fixed[] = {"--rm",
                                        "--read-only",
                                        "--network=none",
                                        "--ipc=none",
                                        "--cap-drop=ALL",
                                        "--security-opt=no-new-privileges",
                                        "--user=65534:65534",
                                        "--ulimit=core=0:0"};
    char text[1100];
    bz_buf_puts(out, engine);
    bz_buf_puts(out, " run");
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        flag(out,
             strcmp(fixed[i], "--ipc=none") == 0 && p->profile->shm ? "--ipc=private" : fixed[i]);
    (void)snprintf(text, sizeof text, "--security-opt=seccomp=%s", seccomp);
    flag(out, text);
    (void)snprintf(text, sizeof text, "--pids-limit=%u", p->pids);
    flag(out, text);
    (void)snprintf(text, sizeof text, "--memory=%llu", (unsigned long long)p->memory);
    flag(out, text);
    (void)snprintf(text, sizeof text, "--memory-swap=%llu", (unsigned long long)p->memory);
    flag(out, text);
    (void)snprintf(text, sizeof text, "--ulimit=nofile=%u:%u", p->files, p->files);
    flag(out, text);
    if (p->cpu_percent != 0) {
        (void)snprintf(text, sizeof text, "--cpus=%u.%02u", p->cpu_percent / 100,
                       p->cpu_percent % 100);
        flag(out, text);
    }
    (void)snprintf(text, sizeof text, "--tmpfs=/tmp:rw,noexec,nosuid,nodev,size=%llu",
                   (unsigned long long)p->tmp);
    flag(out, text);
    put_volumes(p, out);
    for (size_t i = 0; i < p->env.n; i++) {
        if (strncmp(p->env.v[i], "PATH=", 5) != 0)
            flag2(out, "--env", p->env.v[i]);
    }
    flag(out, image);
    for (size_t i = 0; i < p->argc; i++) {
        bz_buf_putc(out, ' ');
        quoted(out, p->argv[i]);
    }
    bz_buf_putc(out, '\n');
}

/* ---- systemd ---- */

/* In double quotes, where '%' begins a specifier. */
static void put_unit_text(struct bz_buf *out, const char *s) {
    bz_buf_putc(out, '"');
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\')
            bz_buf_putc(out, '\\');
        if (*s == '%')
            bz_buf_putc(out, '%');
        bz_buf_putc(out, (uint8_t)((unsigned char)*s < 0x20 ? ' ' : *s));
    }
    bz_buf_putc(out, '"');
}

static void put_unit_line(struct bz_buf *out, const char *name, const char *value,
                          const char *rest) {
    bz_buf_puts(out, name);
    bz_buf_putc(out, '=');
    put_unit_text(out, value);
    bz_buf_puts(out, rest);
    bz_buf_putc(out, '\n');
}

static void put_calls(const struct bz_cage_plan *p, struct bz_buf *out) {
    static const char *const more[] = {"execve", "prctl", "ioctl",   "socket",
                                       "clone",  "mmap",  "mprotect"};
    bz_buf_puts(out, "SystemCallFilter=");
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        bz_buf_puts(out, more[i]);
        bz_buf_putc(out, ' ');
    }
    for (const struct bz_cage_call *c = bz_cage_calls; c->name != NULL; c++) {
        if ((c->groups & p->profile->calls) == 0)
            continue;
        bz_buf_puts(out, c->name);
        bz_buf_putc(out, ' ');
    }
    bz_buf_puts(out, "\nSystemCallFilter=~clone3:ENOSYS\n");
}

static void put_paths(const struct bz_cage_plan *p, struct bz_buf *out) {
    for (size_t i = 0; i < p->mounts_n; i++) {
        const struct bz_cage_mount *m = &p->mount[i];
        bool system = strncmp(m->to, "/usr", 4) == 0 || strncmp(m->to, "/lib", 4) == 0 ||
                      strncmp(m->to, "/etc/", 5) == 0 || strncmp(m->to, "/sys", 4) == 0;
        if (m->kind == BZ_MOUNT_BIND_RO && !system && strcmp(m->to, BZ_CAGE_PROGRAM) != 0)
            put_unit_line(out, "BindReadOnlyPaths", m->from, "");
        if (m->kind == BZ_MOUNT_BIND && strcmp(m->to, BZ_CAGE_SOCKET_DIR) != 0)
            put_unit_line(out, "BindPaths", m->from, "");
        if (m->kind == BZ_MOUNT_DEV && (m->may & BZ_MAY_IOCTL) != 0)
            put_unit_line(out, "DeviceAllow", m->to, " rw");
        if ((m->may & BZ_MAY_EXEC) != 0)
            put_unit_line(out, "ExecPaths", m->to, "");
    }
}

void bz_cage_systemd(const struct bz_cage_plan *p, struct bz_buf *out) {
    bz_buf_printf(out, "# Profile %s of bartizan. Goes to /etc/systemd/system/UNIT.service.d/.\n",
                  p->profile->name);
    bz_buf_puts(
        out, "# What systemd has no words for: a second execve is possible here, rights on files\n"
             "# are not checked by Landlock, and nothing reads back what is gone.\n"
             "[Service]\n"
             "DynamicUser=yes\n"
             "PrivateNetwork=yes\nPrivateIPC=yes\nPrivateUsers=yes\nPrivateTmp=yes\n"
             "ProtectSystem=strict\nProtectHome=yes\nProtectProc=invisible\nProcSubset=pid\n"
             "ProtectKernelTunables=yes\nProtectKernelModules=yes\nProtectKernelLogs=yes\n"
             "ProtectControlGroups=yes\nProtectClock=yes\nProtectHostname=yes\n"
             "NoNewPrivileges=yes\nCapabilityBoundingSet=\nAmbientCapabilities=\n"
             "RestrictNamespaces=yes\nRestrictSUIDSGID=yes\nRestrictRealtime=yes\n"
             "LockPersonality=yes\nRemoveIPC=yes\nKeyringMode=private\nUMask=0077\n"
             "IPAddressDeny=any\nSystemCallArchitectures=native\nSystemCallErrorNumber=EPERM\n"
             "TemporaryFileSystem=/var:ro /opt:ro /srv:ro /mnt:ro /media:ro\n"
             "RuntimeDirectory=llm\nRuntimeDirectoryMode=0700\n"
             "NoExecPaths=/\nExecPaths=/usr/lib /usr/lib64 /lib /lib64\n");
    bz_buf_puts(out,
                p->gpu ? "DevicePolicy=closed\n" : "PrivateDevices=yes\nDevicePolicy=closed\n");
    if (!p->wx)
        bz_buf_puts(out, "MemoryDenyWriteExecute=yes\n");
    bz_buf_puts(out, p->profile->inet ? "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n"
                                      : "RestrictAddressFamilies=AF_UNIX\n");
    bz_buf_printf(out,
                  "MemoryMax=%llu\nMemorySwapMax=0\nTasksMax=%u\nLimitNOFILE=%u\nLimitCORE=0\n",
                  (unsigned long long)p->memory, p->pids, p->files);
    if (p->cpu_percent != 0)
        bz_buf_printf(out, "CPUQuota=%u%%\n", p->cpu_percent);
    put_paths(p, out);
    for (size_t i = 0; i < p->env.n; i++)
        put_unit_line(out, "Environment", p->env.v[i], "");
    put_calls(p, out);
}
