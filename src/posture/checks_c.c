/* C: GPUs, their nodes, drivers and the container toolkit. */
#include <stdio.h>
#include "posture_int.h"

static unsigned humans(const struct pt_facts *f) {
    unsigned n = 0;
    for (size_t i = 0; i < f->users.n; i++)
        n += f->users.v[i].human;
    return n;
}

static void nodes(struct pt_ctx *c, const char *dir, const char *const *prefixes) {
    struct pt_views names;
    struct stat s;
    if (pt_list(c->f->t, dir, 4096, &names) != BZ_OK)
        return;
    for (size_t i = 0; i < names.n; i++) {
        bool mine = false;
        for (size_t j = 0; prefixes[j] != NULL; j++)
            mine = mine || pt_starts(names.v[i], prefixes[j]);
        const char *path = pt_path(c->f->t, "%s/%.*s", dir, PT_V(names.v[i]));
        if (!mine || !pt_stat(c->f->t, path, true, &s) || S_ISDIR(s.st_mode))
            continue;
        if ((s.st_mode & 6) != 0)
            pt_bad(c, "/%s has mode %04o", path, s.st_mode & 07777);
        else
            pt_good(c);
    }
}

static void c01(struct pt_ctx *c) {
    static const char *const nvidia[] = {"nvidia", NULL};
    struct pt_views names;
    struct bz_view text, line;
    if (c->f->have_passwd && humans(c->f) <= 1)
        return; /* nobody to keep from it */
    nodes(c, "dev", nvidia);
    if (pt_list(c->f->t, "etc/modprobe.d", 256, &names) != BZ_OK)
        return;
    for (size_t i = 0; i < names.n; i++) {
        const char *path = pt_path(c->f->t, "etc/modprobe.d/%.*s", PT_V(names.v[i]));
        if (pt_read(c->f->t, path, 65536, &text) != BZ_OK)
            continue;
        while (pt_line(&text, &line)) {
            size_t at = pt_find(line, "NVreg_DeviceFileMode=");
            line = pt_trim(line);
            if (at == SIZE_MAX || line.p[0] == '#')
                continue;
            struct bz_view v = bz_view_sub(line, at + 21, 5);
            uint8_t last = 0;
            for (size_t j = 0; j < v.n && v.p[j] >= '0' && v.p[j] <= '9'; j++)
                last = v.p[j];
            if (last >= '1')
                pt_bad(c, "/%s: %.*s", path, PT_V(line));
            else
                pt_good(c);
        }
    }
}

static void c02(struct pt_ctx *c) {
    static const char *const kfd[] = {"kfd", "accel", NULL}, *const render[] = {"renderD", NULL};
    nodes(c, "dev", kfd);
    nodes(c, "dev/dri", render);
}

static void hidden_containers(struct pt_ctx *c) {
    if (c->f->ctr_denied)
        pt_unknown(c, "the configuration of containers cannot be read");
}

static bool display_node(struct bz_view v) {
    return pt_starts(v, "/dev/nvidia-modeset") || pt_starts(v, "/dev/nvidia-uvm-tools") ||
           pt_starts(v, "/dev/dri/card") || pt_is(v, "/dev/dri") || pt_is(v, "/dev/dri/");
}

static void c03(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->ctrs.n; i++) {
        const struct pt_ctr *k = &c->f->ctrs.v[i];
        if (k->kind == NULL)
            continue;
        for (size_t j = 0; j < k->devices.n; j++) {
            struct bz_view d = k->devices.v[j], rest;
            (void)pt_split(d, ':', &d, &rest);
            if (display_node(d))
                pt_bad(c, "container %.*s gets %.*s", PT_V(k->name), PT_V(d));
            pt_good(c);
        }
        for (size_t j = 0; j < k->mounts.n; j++) {
            if (display_node(k->mounts.v[j].source))
                pt_bad(c, "container %.*s mounts %.*s", PT_V(k->name), PT_V(k->mounts.v[j].source));
        }
    }
    PT_EACH_WORK(c, w) {
        for (size_t i = 0; w->src == PT_UNIT && i < w->unit->pairs.n; i++) {
            const struct pt_pair *p = &w->unit->pairs.v[i];
            struct bz_view rest = p->value, v;
            bool device = pt_is(p->key, "DeviceAllow") || pt_is(p->key, "BindPaths") ||
                          pt_is(p->key, "AddDevice");
            if (!device || !pt_word(&rest, &v))
                continue;
            if (display_node(v))
                pt_bad(c, "%.*s: %.*s=%.*s", PT_V(w->unit->path), PT_V(p->key), PT_V(p->value));
            pt_good(c);
        }
    }
    hidden_containers(c);
}

/* ---- toolkit ---- */

static const struct pt_pkg *toolkit(const struct pt_facts *f) {
    static const char *const names[] = {"nvidia-container-toolkit", "nvidia-container-toolkit-base",
                                        "libnvidia-container1", "libnvidia-container-tools"};
    for (size_t i = 0; i < 4; i++) {
        const struct pt_pkg *p = pt_package(f, names[i]);
        if (p != NULL)
            return p;
    }
    return NULL;
}

static void c04(struct pt_ctx *c) {
    static const char *const configs[] = {"etc/nvidia-container-runtime/config.toml",
                                          "usr/bin/nvidia-container-runtime", "usr/bin/nvidia-ctk"};
    const struct pt_pkg *p = toolkit(c->f);
    if (p == NULL) {
        for (size_t i = 0; i < 3; i++) {
            if (pt_exists(c->f->t, configs[i])) {
                pt_unknown(c, "the toolkit is there (/%s), its version is not recorded",
                           configs[i]);
                return;
            }
        }
        return;
    }
    int old = pt_older(c->f, "dpkg", p->version, "1.17.8");
    if (old > 0)
        pt_bad(c, "%.*s %.*s is older than 1.17.8", PT_V(p->name), PT_V(p->version));
    else if (old < 0)
        pt_unknown(c, "%.*s %.*s: the version cannot be compared", PT_V(p->name), PT_V(p->version));
    else
        pt_good(c);
}

/* "key = value" of a TOML file, comments told apart. 1: as wanted, 0: another value, -1: not there */
static int toml(struct bz_view text, const char *key, const char *want, bool *ret_commented) {
    struct bz_view line, k, v;
    int found = -1;
    *ret_commented = false;
    while (pt_line(&text, &line)) {
        line = pt_trim(line);
        bool comment = line.n > 0 && line.p[0] == '#';
        if (comment)
            line = pt_trim(bz_view_sub(line, 1, line.n));
        if (!pt_split(line, '=', &k, &v) || !pt_is(pt_trim(k), key))
            continue;
        v = pt_trim(v);
        if (v.n >= 2 && v.p[0] == '"')
            v = bz_view_sub(v, 1, v.n - 2);
        if (comment)
            *ret_commented = *ret_commented || pt_is(v, want);
        else
            found = pt_is(v, want);
    }
    return found;
}

static void c05(struct pt_ctx *c) {
    struct bz_view text;
    bool commented;
    enum bz_status st = pt_read(c->f->t, "etc/nvidia-container-runtime/config.toml", 65536, &text);
    if (st == BZ_EDENIED)
        pt_unknown(c, "/etc/nvidia-container-runtime/config.toml cannot be read");
    if (st != BZ_OK)
        return;
    const struct pt_pkg *p = toolkit(c->f);
    int old = p == NULL ? -1 : pt_older(c->f, "dpkg", p->version, "1.17.8");
    if (old == 0) {
        pt_good(c);
        return;
    }
    bool cdi = toml(text, "mode", "cdi", &commented) == 1;
    bool hook_off = toml(text, "disable-cuda-compat-lib-hook", "true", &commented) == 1;
    bool legacy = toml(text, "mode", "legacy", &commented) == 1;
    if (cdi || hook_off)
        pt_good(c);
    else if (old > 0 || legacy)
        pt_bad(c, "/etc/nvidia-container-runtime/config.toml: %s, on a toolkit %s",
               legacy ? "legacy mode" : "no CDI mode",
               old > 0 ? "older than 1.17.8" : "of unknown version");
    else
        pt_unknown(c, "the toolkit's version is not recorded");
}

/* "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.133.20  Wed ..." */
static struct bz_view driver_version(struct pt_facts *f) {
    struct bz_view text, w;
    if (pt_read(f->t, "proc/driver/nvidia/version", 4096, &text) == BZ_OK) {
        while (pt_word(&text, &w)) {
            if (w.n >= 5 && w.p[0] >= '1' && w.p[0] <= '9' && memchr(w.p, '.', w.n) != NULL)
                return w;
        }
    }
    if (pt_read(f->t, "sys/module/nvidia/version", 256, &text) == BZ_OK)
        return pt_trim(text);
    return bz_view(NULL, 0);
}

static void c06(struct pt_ctx *c) {
    struct bz_view v = driver_version(c->f), branch = v, rest;
    if (v.n == 0) {
        if (pt_exists(c->f->t, "proc/driver/nvidia"))
            pt_unknown(c, "the driver's version is not recorded");
        return;
    }
    (void)pt_split(v, '.', &branch, &rest);
    uint64_t b = pt_num(branch, 0);
    /* Branches below 580 get no fixes any more (R535 until 2026-06, R570 until 2026-02). Of 580 and 590, what was
     * released before the bulletin of May 2026 cannot have its fixes. */
    if (b < 580)
        pt_bad(c, "driver %.*s: this branch gets no security fixes any more", PT_V(v));
    else if (pt_older(c->f, "numbers", v, "580.127") > 0 ||
             (b == 590 && pt_older(c->f, "numbers", v, "590.49") > 0))
        pt_bad(c, "driver %.*s was released before the bulletin of May 2026", PT_V(v));
    else if (b >= 600)
        pt_good(c);
    else
        pt_unknown(c, "driver %.*s: compare it with the table of NVIDIA's bulletin 5821", PT_V(v));
}

static void c07(struct pt_ctx *c) {
    struct bz_view v, text;
    bool commented = false;
    PT_EACH_WORK(c, w) {
        if (w->src == PT_CTR && w->ctr->gpu_all)
            pt_bad(c, "%.*s gets all GPUs", PT_V(w->label));
        if (!pt_env(w, "NVIDIA_VISIBLE_DEVICES", &v))
            continue;
        if (pt_is(v, "all"))
            pt_bad(c, "%.*s: NVIDIA_VISIBLE_DEVICES=all", PT_V(w->label));
        else
            pt_good(c);
    }
    hidden_containers(c);
    if (pt_read(c->f->t, "etc/nvidia-container-runtime/config.toml", 65536, &text) != BZ_OK)
        return;
    int on =
        toml(text, "accept-nvidia-visible-devices-envvar-when-unprivileged", "true", &commented);
    if (on == 1 || (on < 0 && commented))
        pt_bad(
            c,
            "/etc/nvidia-container-runtime/config.toml: containers choose their GPUs by a variable "
            "(accept-nvidia-visible-devices-envvar-when-unprivileged is true)");
    else
        pt_good(c);
}

static void c08(struct pt_ctx *c) {
    static const char *const dirs[] = {"tmp/nvidia-mps",     "var/run/nvidia-mps",
                                       "run/nvidia-mps",     "tmp/nvidia-log",
                                       "var/log/nvidia-mps", "run/nvidia-persistenced"};
    struct pt_views names;
    struct stat s;
    for (size_t i = 0; i < 6; i++) {
        if (!pt_stat(c->f->t, dirs[i], true, &s))
            continue;
        if ((s.st_mode & 2) != 0)
            pt_bad(c, "/%s may be written by everybody (mode %04o)", dirs[i], s.st_mode & 07777);
        else
            pt_good(c);
        (void)pt_list(c->f->t, dirs[i], 256, &names);
        for (size_t j = 0; j < names.n; j++) {
            const char *path = pt_path(c->f->t, "%s/%.*s", dirs[i], PT_V(names.v[j]));
            if (pt_stat(c->f->t, path, true, &s) && (s.st_mode & 2) != 0)
                pt_bad(c, "/%s may be written by everybody (mode %04o)", path, s.st_mode & 07777);
        }
    }
    uint32_t owner = UINT32_MAX; /* clients of one MPS server from two accounts */
    struct bz_view pipe = {NULL, 0}, v;
    PT_EACH_WORK(c, w) {
        uint32_t uid;
        if (w->src != PT_PROC || !pt_env(w, "CUDA_MPS_PIPE_DIRECTORY", &v) ||
            !pt_work_uid(c->f, w, &uid))
            continue;
        if (owner != UINT32_MAX && uid != owner && bz_view_eq(pipe, v))
            pt_bad(c, "accounts %u and %u share the MPS server of %.*s", owner, uid, PT_V(v));
        owner = uid;
        pipe = v;
        pt_good(c);
    }
}

static void c09_processes(struct pt_ctx *c, bool mig) {
    uint32_t first = UINT32_MAX;
    for (size_t i = 0; i < c->f->procs.n; i++) {
        const struct pt_proc *p = &c->f->procs.v[i];
        if (!p->gpu || !p->have_status || p->euid == 0 || pt_starts(p->comm, "Xorg") ||
            pt_starts(p->comm, "gnome"))
            continue;
        pt_good(c);
        if (first != UINT32_MAX && p->euid != first && !mig)
            pt_bad(c, "pid %u (uid %u) and processes of uid %u use the GPU together, without MIG",
                   p->pid, p->euid, first);
        if (first == UINT32_MAX)
            first = p->euid;
    }
}

static bool same_gpu(const struct pt_ctr *a, const struct pt_ctr *b) {
    bool same = a->gpu_all || b->gpu_all;
    for (size_t i = 0; i < a->gpus.n; i++) {
        for (size_t j = 0; j < b->gpus.n; j++)
            same = same ||
                   (bz_view_eq(a->gpus.v[i], b->gpus.v[j]) && !pt_starts(b->gpus.v[j], "MIG-"));
    }
    return same;
}

static void c09(struct pt_ctx *c) {
    bool mig = pt_exists(c->f->t, "proc/driver/nvidia/capabilities/mig/config") ||
               pt_exists(c->f->t, "dev/nvidia-caps/nvidia-cap1");
    bool denied = false;
    const struct pt_ctr *one = NULL;
    c09_processes(c, mig);
    for (size_t i = 0; i < c->f->ctrs.n; i++) {
        const struct pt_ctr *k = &c->f->ctrs.v[i];
        if (k->kind == NULL || (!k->gpu_all && k->gpus.n == 0))
            continue;
        pt_good(c);
        if (one != NULL && same_gpu(one, k) && !mig)
            pt_bad(c, "containers %.*s and %.*s share a GPU without MIG", PT_V(one->name),
                   PT_V(k->name));
        one = k;
    }
    PT_EACH_WORK(c, w) {
        denied = denied || (w->src == PT_PROC && w->proc->fd_denied);
    }
    if (denied || c->f->ctr_denied)
        pt_unknown(c, "who holds the GPU cannot be seen without root");
}

const struct pt_check pt_checks_c[] = {
    PT_ROW(
        "C01", "NVIDIA's nodes are open to every account", HIGH,
        "The driver's default mode 0666 gives every account the GPU, and every flaw of its driver.",
        "Set NVreg_DeviceFileMode=0660 and NVreg_DeviceFileGID to a group of those who need it.",
        "AC-6", c01),
    PT_ROW("C02", "AMD's or Intel's compute nodes are open to every account", MEDIUM, "As C01.",
           "Mode 0660, group render.", "AC-6", c02),
    PT_ROW("C03", "A compute sandbox gets display and tools nodes", MEDIUM,
           "nvidia-modeset, nvidia-uvm-tools and card nodes are more of the driver to attack, and "
           "inference needs none.",
           "Take them out of the list of devices.", "CM-7", c03),
    PT_ROW("C04", "NVIDIA's container toolkit has known escapes", CRITICAL,
           "CVE-2025-23266 (NVIDIAScape), -23267, CVE-2024-0132, CVE-2025-23359: out of the "
           "container with three lines of "
           "a Dockerfile.",
           "Upgrade nvidia-container-toolkit to 1.17.8 or newer.",
           "SI-2, LLM03, CVE-2025-23266, CVE-2025-23267, CVE-2024-0132, CVE-2025-23359", c04),
    PT_ROW("C05", "The toolkit runs its compatibility hook in legacy mode", MEDIUM,
           "The hook of CVE-2025-23266 loads libraries of the container on the host.",
           "Set mode = \"cdi\", or features.disable-cuda-compat-lib-hook = true, and upgrade.",
           "SI-2", c05),
    PT_ROW("C06", "The GPU's driver is below its fixed branch", HIGH,
           "CVE-2026-24190 (missing authorisation) and CVE-2026-24196: a local account reads and "
           "writes what is not its own.",
           "Upgrade to the version of your branch in NVIDIA's bulletin 5821.",
           "SI-2, CVE-2026-24190, CVE-2026-24196", c06),
    PT_ROW(
        "C07", "A container gets all GPUs, or chooses them itself", HIGH,
        "It reaches the memory of other tenants' GPUs.",
        "Name devices by UUID; set accept-nvidia-visible-devices-envvar-when-unprivileged = false.",
        "AC-6", c07),
    PT_ROW("C08", "The MPS control pipe is open, or shared by tenants", MEDIUM,
           "MPS clients share one address space on the GPU; who writes the pipe controls it.",
           "A pipe directory of mode 0700 for each tenant.", "SC-4", c08),
    PT_ROW("C09", "Two tenants on one GPU without a partition", MEDIUM,
           "Memory of the GPU is not cleared between processes; side channels are known.",
           "Use MIG, or one GPU for each tenant.", "SC-4, AISVS 4.2.4", c09),
};
const size_t pt_checks_c_n = sizeof pt_checks_c / sizeof pt_checks_c[0];
