/* F: data at rest, and what leaks by the side. */
#include <stdio.h>
#include "posture_int.h"

static void f01_flags(struct pt_ctx *c, const struct pt_work *w) {
    struct bz_view v;
    struct stat s;
    if (pt_flag(w, "--enable-log-requests|--log-requests|--log-inputs") ||
        (pt_env(w, "VLLM_LOG_REQUESTS", &v) && pt_true(v)))
        pt_bad(c, "%.*s writes requests into its log", PT_V(w->label));
    if (pt_env(w, "OLLAMA_DEBUG", &v) && (pt_true(v) || pt_num(v, 0) > 0))
        pt_bad(c, "%.*s: OLLAMA_DEBUG writes prompts into its log", PT_V(w->label));
    if (!pt_opt(w, "--log-file", &v) || (w->kind->role & PT_ROLE_SERVER) == 0)
        return;
    bool seen = pt_stat(c->f->t, pt_path(c->f->t, "%.*s", PT_V(v)), true, &s);
    if (!seen || (s.st_mode & 077) != 0)
        pt_bad(c, "%.*s logs to %.*s%s", PT_V(w->label), PT_V(v),
               seen ? ", which others can read" : "");
}

static void f01(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->files.n; i++) {
        const struct pt_file *file = &c->f->files.v[i];
        if (file->tag != PT_F_PROMPTS)
            continue;
        if ((file->mode & 077) != 0)
            pt_bad(c, "%.*s has mode %04o", PT_V(file->path), file->mode);
        else
            pt_good(c);
    }
    PT_EACH_WORK(c, w) {
        if (!w->argv_known)
            pt_unknown(c, "%.*s: its arguments cannot be read", PT_V(w->label));
        else
            pt_good(c);
        f01_flags(c, w);
    }
    if (c->f->sweep_denied)
        pt_unknown(c, "some folders cannot be read");
}

static void f02(struct pt_ctx *c) {
    struct bz_view pattern = pt_sysctl(c->f, "kernel/core_pattern"), v;
    bool sink = pt_starts(pattern, "|/bin/false") || pt_starts(pattern, "|/usr/bin/false") ||
                pt_starts(pattern, "|/bin/true") || pt_is(pattern, "/dev/null");
    PT_EACH_WORK(c, w) {
        if (w->src == PT_UNIT && pt_unit_get(w->unit, "Service", "LimitCORE", &v) &&
            !pt_starts(v, "0") && !sink)
            pt_bad(c, "%.*s: LimitCORE=%.*s", PT_V(w->unit->path), PT_V(v));
        if (w->src != PT_PROC)
            continue;
        if (!w->proc->have_limits)
            pt_unknown(c, "%.*s: its limits cannot be read", PT_V(w->label));
        else if (w->proc->core_soft > 0 && !sink)
            pt_bad(c, "%.*s may dump its memory (core limit %s), to '%.*s'", PT_V(w->label),
                   w->proc->core_soft == UINT64_MAX ? "unlimited" : "above 0", PT_V(pattern));
        else
            pt_good(c);
    }
}

/* 1: none of its memory may be swapped; 0: may; -1: unknown */
static int no_swap(struct pt_facts *f, const struct pt_work *w) {
    struct bz_view v, text, line;
    if (w->unit != NULL && pt_unit_get(w->unit, "Service", "MemorySwapMax", &v))
        return pt_is(v, "0");
    if (w->src == PT_UNIT)
        return 0;
    text = w->proc == NULL ? bz_view(NULL, 0) : w->proc->cgroup;
    while (pt_line(&text, &line)) {
        if (pt_starts(line, "0::") && pt_read(f->t,
                                              pt_path(f->t, "sys/fs/cgroup%.*s/memory.swap.max",
                                                      PT_V(bz_view_sub(line, 3, line.n))),
                                              64, &v) == BZ_OK)
            return pt_is(pt_trim(v), "0");
    }
    return 0;
}

static void f03(struct pt_ctx *c) {
    struct bz_view where = {NULL, 0};
    bool open = false, unsure = false;
    if (!c->f->have_swaps) {
        if (c->f->works.n > 0)
            pt_unknown(c, "the swap areas are not recorded");
        return;
    }
    for (size_t i = 0; i < c->f->swaps.n; i++) {
        struct bz_view dev = c->f->swaps.v[i].source, on;
        int enc =
            pt_starts(dev, "/dev/") ? pt_device_encrypted(c->f, dev) : pt_encrypted(c->f, dev, &on);
        if (enc < 0 && !pt_starts(dev, "/dev/") && !c->f->have_volumes)
            enc = 0;
        if (enc == 0) {
            open = true;
            where = dev;
        }
        unsure = unsure || enc < 0;
    }
    pt_good(c);
    if (unsure && !open)
        pt_unknown(c, "whether the swap is encrypted is not recorded");
    if (!open)
        return;
    bool all = true, any = false;
    PT_EACH_WORK(c, w) {
        if (w->src == PT_CTR || (w->src == PT_UNIT && w->unit->quadlet))
            continue;
        any = true;
        all = all && no_swap(c->f, w) == 1;
    }
    if (!any || !all)
        pt_bad(c, "%.*s is not encrypted, and AI programs may be swapped to it", PT_V(where));
}

static void f04(struct pt_ctx *c) {
    struct bz_view v;
    struct stat s;
    PT_EACH_WORK(c, w) {
        bool any =
            pt_opt(w, "--slot-save-path|--prompt-cache|--kv-cache-dir|--disk-cache-dir", &v) ||
            pt_env(w, "LMCACHE_LOCAL_DISK|LLAMA_ARG_SLOT_SAVE_PATH", &v);
        if (!any || v.n == 0)
            continue;
        if (pt_starts(v, "file://"))
            v = bz_view_sub(v, 7, v.n);
        if (!pt_stat(c->f->t, pt_path(c->f->t, "%.*s", PT_V(v)), true, &s))
            pt_unknown(c, "%.*s: %.*s cannot be seen", PT_V(w->label), PT_V(v));
        else if ((s.st_mode & 077) != 0)
            pt_bad(c, "%.*s keeps caches of prompts in %.*s (mode %04o)", PT_V(w->label), PT_V(v),
                   s.st_mode & 07777);
        else
            pt_good(c);
    }
}

static void f05_path(struct pt_ctx *c, struct bz_view path) {
    struct bz_view dev;
    if (!pt_exists(c->f->t, pt_path(c->f->t, "%.*s", PT_V(path))))
        return;
    int enc = pt_encrypted(c->f, path, &dev);
    if (enc == 1)
        pt_good(c);
    else if (enc == 0)
        pt_bad(c, "%.*s lies on %.*s, which is not encrypted", PT_V(path), PT_V(dev));
    else
        pt_unknown(c, "%.*s: the volume it lies on is not known%s%.*s", PT_V(path),
                   dev.n > 0 ? ": " : "", PT_V(dev));
}

static void f05(struct pt_ctx *c) {
    static const char *const places[] = {
        "/var/lib/qdrant",          "/qdrant/storage",     "/var/lib/chroma", "/var/lib/milvus",
        "/var/lib/weaviate",        "/var/lib/open-webui", "/var/lib/ollama", "/var/lib/bartizan",
        "/var/backups/bartizan",    "/srv/models",         "/opt/models",     "/models",
        "/usr/share/ollama/.ollama"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        f05_path(c, bz_view_str(places[i]));
    for (size_t i = 0; i < c->f->model_roots.n && i < 64; i++)
        f05_path(c, c->f->model_roots.v[i]);
    for (size_t i = 0; i < c->f->instances.n; i++)
        f05_path(c, c->f->instances.v[i].path);
}

/* ---- F06: backups: *.bzb in the usual places, and what "bartizan backup drill --json" said, if it was kept as
 * posture/drill.json of the instance. ---- */

static bool newest_archive(struct pt_facts *f, struct bz_view instance, int64_t *ret) {
    const char *dirs[] = {"var/backups/bartizan",
                          "var/backups",
                          "backup",
                          "backups",
                          "srv/backups",
                          "mnt/backup",
                          pt_path(f->t, "%.*s/backup", PT_V(instance)),
                          pt_path(f->t, "%.*s/backups", PT_V(instance)),
                          pt_path(f->t, "%.*s", PT_V(instance))};
    struct pt_views names;
    struct stat s;
    bool any = false;
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        if (pt_list(f->t, dirs[i], 4096, &names) != BZ_OK)
            continue;
        for (size_t j = 0; j < names.n; j++) {
            if (!pt_ends(names.v[j], ".bzb") ||
                !pt_stat(f->t, pt_path(f->t, "%s/%.*s", dirs[i], PT_V(names.v[j])), true, &s))
                continue;
            if (!any || s.st_mtim.tv_sec > *ret)
                *ret = s.st_mtim.tv_sec;
            any = true;
        }
    }
    return any;
}

/* A timer or cron line that makes them. */
static bool backup_planned(struct pt_facts *f) {
    static const char *const dirs[] = {"etc/cron.d", "etc/cron.daily", "etc/cron.weekly",
                                       "etc/systemd/system"};
    struct pt_views names;
    struct bz_view text;
    for (size_t i = 0; i < 4; i++) {
        if (pt_list(f->t, dirs[i], 1024, &names) != BZ_OK)
            continue;
        for (size_t j = 0; j < names.n; j++) {
            if (pt_read(f->t, pt_path(f->t, "%s/%.*s", dirs[i], PT_V(names.v[j])),
                        BZ_POSTURE_CONFIG_MAX, &text) == BZ_OK &&
                (pt_has(text, "bartizan backup") || pt_has(text, "restic ") ||
                 pt_has(text, "borg create")))
                return true;
        }
    }
    return false;
}

static void f06_instance(struct pt_ctx *c, const struct pt_instance *in) {
    enum { OLD_DAYS = 7, UNTRIED_DAYS = 180, DAY = 86400 };
    struct stat s;
    struct bz_view text;
    int64_t made = 0, now = c->f->o->now;
    if (in->denied) {
        pt_unknown(c, "%.*s cannot be read", PT_V(in->path));
        return;
    }
    if (!newest_archive(c->f, in->path, &made)) {
        if (backup_planned(c->f))
            pt_unknown(c, "%.*s: backups are planned; where they go is not seen from here",
                       PT_V(in->path));
        else
            pt_bad(c, "%.*s: there is no backup, and none is planned", PT_V(in->path));
        return;
    }
    if (now - made > (int64_t)OLD_DAYS * DAY)
        pt_bad(c, "%.*s: the newest backup is %lld days old", PT_V(in->path),
               (long long)((now - made) / DAY));
    const char *drill = pt_path(c->f->t, "%.*s/posture/drill.json", PT_V(in->path));
    bool tried = pt_stat(c->f->t, drill, true, &s) &&
                 pt_read(c->f->t, drill, 65536, &text) == BZ_OK && pt_has(text, "\"drill\":true") &&
                 pt_has(text, "\"ok\":true");
    if (!tried)
        pt_unknown(c,
                   "%.*s: whether a backup was ever restored is not recorded (posture/drill.json)",
                   PT_V(in->path));
    else if (now - s.st_mtim.tv_sec > (int64_t)UNTRIED_DAYS * DAY)
        pt_bad(c, "%.*s: no backup was restored for trial in the last %d days", PT_V(in->path),
               UNTRIED_DAYS);
    pt_good(c);
}

static void f06(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->instances.n; i++)
        f06_instance(c, &c->f->instances.v[i]);
    if (c->f->instances.n == 0 && c->f->works.n > 0)
        pt_unknown(c, "no instance of the gateway is known here");
}

/* ---- F07 ---- */

static bool rotated(struct pt_facts *f, struct bz_view path, struct bz_view *ret_rule) {
    struct pt_views names;
    struct bz_view text;
    if (pt_list(f->t, "etc/logrotate.d", 512, &names) != BZ_OK)
        return false;
    for (size_t i = 0; i < names.n; i++) {
        if (pt_read(f->t, pt_path(f->t, "etc/logrotate.d/%.*s", PT_V(names.v[i])),
                    BZ_POSTURE_CONFIG_MAX, &text) != BZ_OK)
            continue;
        char dir[256];
        struct bz_view d = pt_dir(path);
        if (d.n >= sizeof dir)
            continue;
        memcpy(dir, d.p, d.n);
        dir[d.n] = '\0';
        if (pt_find(text, dir) != SIZE_MAX) {
            *ret_rule = text;
            return true;
        }
    }
    return false;
}

static void f07(struct pt_ctx *c) {
    enum { KEPT_DAYS = 400 };
    for (size_t i = 0; i < c->f->files.n; i++) {
        const struct pt_file *file = &c->f->files.v[i];
        struct bz_view rule = {NULL, 0}, line, w;
        if (file->tag != PT_F_LOG)
            continue;
        if ((file->mode & 4) != 0)
            pt_bad(c, "%.*s can be read by everybody (mode %04o)", PT_V(file->path), file->mode);
        else
            pt_good(c);
        if (!rotated(c->f, file->path, &rule)) {
            pt_bad(c, "%.*s is not rotated: nothing in /etc/logrotate.d names its folder",
                   PT_V(file->path));
            continue;
        }
        uint64_t keep = 0, period = 7;
        while (pt_line(&rule, &line)) {
            line = pt_trim(line);
            period = pt_is(line, "daily")     ? 1
                     : pt_is(line, "monthly") ? 31
                     : pt_is(line, "yearly")  ? 365
                                              : period;
            if (pt_starts(line, "rotate ") && pt_word(&line, &w) && pt_word(&line, &w))
                keep = pt_num(w, 0);
        }
        if (keep * period > KEPT_DAYS)
            pt_bad(c, "%.*s is kept for %llu days", PT_V(file->path),
                   (unsigned long long)(keep * period));
    }
}

const struct pt_check pt_checks_f[] = {
    PT_ROW("F01", "Prompts lie around in the clear", HIGH,
           "Histories, request logs and databases of interfaces hold what people asked, secrets "
           "with it.",
           "Turn the log off; chmod 600; better an encrypted volume.", "SC-28, LLM02", f01),
    PT_ROW("F02", "AI programs may dump core", HIGH, "A dump holds prompts, keys and weights.",
           "LimitCORE=0 in the unit, kernel.core_pattern to a sink.", "CIS core dumps, SC-28", f02),
    PT_ROW("F03", "Swap is not encrypted", MEDIUM,
           "Prompts and caches of running models end up on the disk.",
           "Encrypt the swap, or MemorySwapMax=0 for AI programs.", "SC-28", f03),
    PT_ROW("F04", "Caches of prompts on disk can be read", MEDIUM,
           "Saved slots and prefix caches hold what was asked.", "Mode 0700, on tmpfs.", "SC-28",
           f04),
    PT_ROW("F05", "Models, stores or backups on a volume that is not encrypted", MEDIUM,
           "Who carries the disk away has them.", "LUKS or fscrypt.", "SC-28", f05),
    PT_ROW("F06", "No backup, an old one, or one that was never restored", HIGH,
           "After an incident there is nothing to go back to.",
           "bartizan backup create in a timer; bartizan backup drill --json, kept as "
           "posture/drill.json of the instance.",
           "CP-9", f06),
    PT_ROW("F07", "Logs of AI programs are open, never rotated or kept too long", MEDIUM,
           "They hold prompts, addresses and sometimes keys.",
           "Mode 0640, a file in /etc/logrotate.d, retention by policy.", "AU-9, AU-11", f07),
};
const size_t pt_checks_f_n = sizeof pt_checks_f / sizeof pt_checks_f[0];
