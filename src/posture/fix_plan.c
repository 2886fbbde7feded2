/* What --fix would write: modes, drop-ins of units, a ruleset, kernel settings, the switch of automatic updates.
 * Only what takes nothing away that works today: see docs/POSTURE.md. Every file is our own, or gets one line. */
#include <stdio.h>
#include <stdlib.h>
#include "posture_int.h"

struct plan {
    struct bz_posture *p;
    struct pt_facts *f;
    struct pt_tree *t;
    const char *const *only;
    size_t only_n;
    struct {
        struct bz_posture_change_plan *v;
        size_t n, cap;
    } list;
};

/* Is this check open, and is its fix wanted? */
static bool open_check(const struct plan *k, const char *id) {
    bool wanted = k->only_n == 0;
    for (size_t i = 0; i < k->only_n; i++)
        wanted = wanted || strcmp(k->only[i], id) == 0;
    for (size_t i = 0; wanted && i < k->p->results_n; i++) {
        const struct bz_posture_result *r = &k->p->results[i];
        if (strcmp(r->check->id, id) == 0)
            return r->status == BZ_POSTURE_FAIL && !r->suppressed;
    }
    return false;
}

static bool planned(const struct plan *k, struct bz_view path) {
    for (size_t i = 0; i < k->list.n; i++) {
        if (bz_view_eq(k->list.v[i].path, path))
            return true;
    }
    return false;
}

static void mode(struct plan *k, const char *check, struct bz_view path, uint32_t take) {
    struct stat s;
    if (!pt_stat(k->t, pt_path(k->t, "%.*s", PT_V(path)), false, &s) ||
        (!S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode)))
        return;
    uint32_t before = s.st_mode & 07777;
    if ((before & take) == 0 || planned(k, path))
        return;
    struct bz_posture_change_plan *c = PT_ADD(k->f->ar, &k->list);
    if (c != NULL)
        *c = (struct bz_posture_change_plan){.check = check,
                                             .path = path,
                                             .is_mode = true,
                                             .mode_before = before,
                                             .mode_after = before & ~take};
}

static void content(struct plan *k, const char *check, struct bz_view path, struct bz_view before,
                    struct bz_view after, const char *then) {
    if (after.n == 0 || (before.p != NULL && bz_view_eq(before, after)) || planned(k, path))
        return;
    struct bz_posture_change_plan *c = PT_ADD(k->f->ar, &k->list);
    if (c != NULL)
        *c = (struct bz_posture_change_plan){
            .check = check, .path = path, .before = before, .after = after, .then = then};
}

static struct bz_view now_there(struct plan *k, struct bz_view path) {
    struct bz_view v;
    if (pt_read(k->t, pt_path(k->t, "%.*s", PT_V(path)), BZ_POSTURE_CONFIG_MAX, &v) != BZ_OK)
        return bz_view(NULL, 0);
    return v.p == NULL ? bz_view("", 0) : v;
}

/* ---- modes ---- */

static void modes(struct plan *k) {
    static const struct {
        const char *check;
        uint8_t tag;
        uint16_t take;
    } rows[] = {{"E01", PT_F_TOKEN, 077},
                {"E05", PT_F_SSHKEY, 077},
                {"F01", PT_F_PROMPTS, 077},
                {"F07", PT_F_LOG, 07},
                {"D01", PT_F_MODEL, 02}};
    for (size_t i = 0; i < k->f->files.n; i++) {
        const struct pt_file *file = &k->f->files.v[i];
        struct bz_view what;
        uint64_t line;
        for (size_t j = 0; j < sizeof rows / sizeof rows[0]; j++) {
            if (file->tag == rows[j].tag && open_check(k, rows[j].check))
                mode(k, rows[j].check, file->path, rows[j].take);
        }
        if (file->tag == PT_F_CONFIG_KEYS && open_check(k, "E04") &&
            pt_secret_in(k->f->ar, file->text, &what, &line))
            mode(k, "E04", file->path, 077);
    }
    for (size_t i = 0; i < k->f->model_roots.n && open_check(k, "D01"); i++) {
        for (struct bz_view up = k->f->model_roots.v[i]; up.n > 1; up = pt_dir(up)) {
            struct stat s;
            if (pt_stat(k->t, pt_path(k->t, "%.*s", PT_V(up)), false, &s) &&
                (s.st_mode & 01000) == 0)
                mode(k, "D01", up, 02);
        }
    }
}

static void instance_modes(struct plan *k) {
    for (size_t i = 0; i < k->f->instances.n && open_check(k, "H14"); i++) {
        for (const char *const *secret = pt_instance_secrets; *secret != NULL; secret++)
            mode(k, "H14", pt_fmt(k->f->ar, "%.*s/%s", PT_V(k->f->instances.v[i].path), *secret),
                 077);
    }
    for (size_t i = 0; i < k->f->works.n && open_check(k, "F04"); i++) {
        struct bz_view v;
        if (pt_opt(&k->f->works.v[i], "--slot-save-path", &v))
            mode(k, "F04", v, 077);
    }
}

/* ---- drop-ins ---- */

/* Appends `line` to b unless the drop-in has its key already. */
static void directive(struct bz_buf *b, const char *line) {
    size_t n = strcspn(line, "=") + 1;
    char key[64];
    if (n >= sizeof key)
        return;
    memcpy(key, line, n);
    key[n] = '\0';
    if (strcmp(key, "Environment=") != 0 && pt_find(bz_buf_view(b), key) != SIZE_MAX)
        return;
    if (pt_find(bz_buf_view(b), line) != SIZE_MAX)
        return;
    bz_buf_puts(b, line);
    bz_buf_putc(b, '\n');
}

static const char *const sandbox[] = {"NoNewPrivileges=yes",
                                      "ProtectSystem=full",
                                      "PrivateTmp=yes",
                                      "CapabilityBoundingSet=",
                                      "SystemCallFilter=@system-service",
                                      "RestrictNamespaces=yes",
                                      "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
                                      "ProtectKernelTunables=yes",
                                      "ProtectKernelModules=yes",
                                      "ProtectKernelLogs=yes",
                                      "ProtectControlGroups=yes",
                                      "RestrictSUIDSGID=yes",
                                      "LockPersonality=yes",
                                      "ProtectProc=invisible",
                                      "RestrictRealtime=yes",
                                      NULL};

static bool said_in(const struct plan *k, const char *check, struct bz_view unit) {
    for (size_t i = 0; i < k->p->results_n; i++) {
        const struct bz_posture_result *r = &k->p->results[i];
        for (size_t j = 0; strcmp(r->check->id, check) == 0 && j < r->evidence_n; j++) {
            if (pt_find(r->evidence[j].text, (const char *)unit.p) != SIZE_MAX)
                return true;
        }
    }
    return false;
}

static bool home_used(const struct pt_unit *u) {
    for (size_t i = 0; i < u->pairs.n; i++) {
        if (pt_find(u->pairs.v[i].value, "/home/") != SIZE_MAX ||
            pt_find(u->pairs.v[i].value, "/root/") != SIZE_MAX)
            return true;
    }
    return false;
}

static void sandbox_lines(struct bz_buf *b, const struct pt_unit *u) {
    for (size_t i = 0; sandbox[i] != NULL; i++)
        directive(b, sandbox[i]);
    directive(b, home_used(u) ? "ProtectHome=read-only" : "ProtectHome=yes");
    if (pt_kind_is(u->kind, "ollama")) /* where its package keeps models */
        directive(b, "ReadWritePaths=-/usr/share/ollama");
}

static void drop_in(struct plan *k, const struct pt_unit *u) {
    struct bz_buf b;
    struct bz_view path =
        pt_fmt(k->f->ar, "/etc/systemd/system/%.*s.d/50-bartizan.conf", PT_V(u->name));
    struct bz_view before = now_there(k, path);
    const char *check = NULL;
    bz_buf_init(&b, 65536);
    if (before.p != NULL)
        bz_buf_put(&b, before);
    else
        bz_buf_puts(&b, "# Written by bartizan posture --fix; bartizan posture --undo takes it "
                        "back.\n[Service]\n");
    if (open_check(k, "B04") && said_in(k, "B04", u->name)) {
        sandbox_lines(&b, u);
        check = "B04";
    }
    if (open_check(k, "B09") && said_in(k, "B09", u->name)) {
        directive(&b, "MemoryMax=80%");
        directive(&b, "TasksMax=4096");
        directive(&b, "LimitNOFILE=65536");
        check = "B09";
    }
    if (open_check(k, "F02") && said_in(k, "F02", u->name)) {
        directive(&b, "LimitCORE=0");
        check = "F02";
    }
    if (open_check(k, "F03")) {
        directive(&b, "MemorySwapMax=0");
        check = "F03";
    }
    if ((open_check(k, "A22") || open_check(k, "A23")) &&
        (said_in(k, "A22", u->name) || said_in(k, "A23", u->name))) {
        directive(&b, "IPAddressDeny=any");
        directive(&b, "IPAddressAllow=localhost");
        check = "A22";
    }
    if (open_check(k, "A01") && said_in(k, "A01", u->name)) {
        directive(&b, "Environment=OLLAMA_HOST=127.0.0.1:11434");
        check = "A01";
    }
    if (open_check(k, "A02") && said_in(k, "A02", u->name)) {
        directive(&b, "Environment=OLLAMA_ORIGINS=http://127.0.0.1");
        check = "A02";
    }
    struct bz_view after = bz_arena_dup(k->f->ar, bz_buf_view(&b));
    if (check != NULL && after.p != NULL)
        content(k, check, path, before, after,
                "systemctl daemon-reload && systemctl restart the unit");
    bz_buf_free(&b);
}

static void drop_ins(struct plan *k) {
    for (size_t i = 0; i < k->f->units.n; i++) {
        const struct pt_unit *u = &k->f->units.v[i];
        bool system = pt_find(u->path, "systemd/system/") != SIZE_MAX;
        if (u->kind != NULL && u->kind->role != PT_ROLE_OURS && system && !u->quadlet)
            drop_in(k, u);
    }
}

/* ---- the ruleset ---- */

/* Ports that are open today and are none of an AI program: they stay open. */
static void open_ports(struct plan *k, struct bz_buf *b) {
    uint16_t last[256];
    size_t n = 0;
    for (size_t i = 0; i < k->f->socks.n && n < 256; i++) {
        const struct pt_sock *s = &k->f->socks.v[i];
        bool ours = s->kind != NULL && s->kind->role == PT_ROLE_OURS;
        bool known = false;
        for (size_t j = 0; j < n; j++)
            known = known || last[j] == s->port;
        if (s->host && !s->loopback && !known && (s->kind == NULL || ours))
            last[n++] = s->port;
    }
    bool ssh = false;
    for (size_t j = 0; j < n; j++)
        ssh = ssh || last[j] == 22;
    if (!ssh && n < 256)
        last[n++] = 22;
    bz_buf_puts(b, "        tcp dport { ");
    for (size_t j = 0; j < n; j++)
        bz_buf_printf(b, "%s%u", j == 0 ? "" : ", ", last[j]);
    bz_buf_puts(b, " } accept\n");
}

static bool accounts(struct plan *k, struct bz_buf *b) {
    uint32_t list[64], uid;
    size_t n = 0;
    for (size_t i = 0; i < k->f->works.n && n < 64; i++) {
        const struct pt_work *w = &k->f->works.v[i];
        bool known = false;
        if (w->src == PT_CTR || w->kind->role == PT_ROLE_OURS || !pt_work_uid(k->f, w, &uid) ||
            uid == 0)
            continue;
        for (size_t j = 0; j < n; j++)
            known = known || list[j] == uid;
        if (!known)
            list[n++] = uid;
    }
    for (size_t j = 0; j < n; j++)
        bz_buf_printf(b, "%s%u", j == 0 ? "{ " : ", ", list[j]);
    if (n > 0)
        bz_buf_puts(b, " }");
    return n > 0;
}

static void input_chain(struct plan *k, struct bz_buf *b) {
    bz_buf_puts(b,
                "    chain input {\n        type filter hook input priority 0; policy drop;\n"
                "        ct state established,related accept\n        ct state invalid drop\n"
                "        iifname \"lo\" accept\n        meta l4proto { icmp, ipv6-icmp } accept\n"
                "        udp dport { 68, 546 } accept\n");
    open_ports(k, b);
    bz_buf_puts(b, "    }\n");
}

static void output_chain(struct bz_buf *b, struct bz_view uids) {
    bz_buf_printf(b,
                  "    chain output {\n        type filter hook output priority 0; policy accept;\n"
                  "        oifname \"lo\" accept\n        ct state established,related accept\n"
                  "        meta skuid %.*s ip daddr 169.254.169.254 reject\n        meta skuid "
                  "%.*s reject\n    }\n",
                  PT_V(uids), PT_V(uids));
}

static void ruleset(struct plan *k) {
    struct bz_view path = BZ_V("/etc/nftables.d/bartizan.nft"), before = now_there(k, path);
    struct bz_view main_path = BZ_V("/etc/nftables.conf"), main_before = now_there(k, main_path);
    bool in = open_check(k, "A21"), out = open_check(k, "A22") || open_check(k, "A23");
    if (!in && !out)
        return;
    in = in || pt_find(before, "hook input") != SIZE_MAX;
    struct bz_buf b, uids;
    bz_buf_init(&uids, 2048);
    bz_buf_init(&b, 65536);
    bool any = accounts(k, &uids);
    out = any && (out || pt_find(before, "hook output") != SIZE_MAX);
    bz_buf_puts(&b, "# Written by bartizan posture --fix; bartizan posture --undo takes it back.\n"
                    "table inet bartizan\ndelete table inet bartizan\ntable inet bartizan {\n");
    if (in)
        input_chain(k, &b);
    if (out)
        output_chain(&b, bz_buf_view(&uids));
    bz_buf_puts(&b, "}\n");
    struct bz_view after = bz_arena_dup(k->f->ar, bz_buf_view(&b));
    if ((in || out) && after.p != NULL) {
        content(k, in ? "A21" : "A22", path, before, after,
                "nft -c -f /etc/nftables.conf && systemctl enable --now nftables && systemctl "
                "reload nftables");
        if (pt_find(main_before, "/etc/nftables.d/") == SIZE_MAX) {
            struct bz_view more = pt_fmt(k->f->ar, "%sinclude \"/etc/nftables.d/bartizan.nft\"\n",
                                         main_before.p == NULL ? "#!/usr/sbin/nft -f\n" : "");
            bz_buf_reset(&b);
            bz_buf_put(&b, main_before);
            if (main_before.n > 0 && main_before.p[main_before.n - 1] != '\n')
                bz_buf_putc(&b, '\n');
            bz_buf_put(&b, more);
            after = bz_arena_dup(k->f->ar, bz_buf_view(&b));
            if (after.p != NULL && bz_buf_status(&b) == BZ_OK)
                content(k, in ? "A21" : "A22", main_path, main_before, after, NULL);
        }
    }
    bz_buf_free(&b);
    bz_buf_free(&uids);
}

/* ---- kernel settings, updates ---- */

static void sysctls(struct plan *k) {
    static const struct {
        const char *check, *line;
    } rows[] = {{"B11", "kernel.yama.ptrace_scope = 1"},
                {"B11", "kernel.unprivileged_bpf_disabled = 1"},
                {"B11", "kernel.kptr_restrict = 1"},
                {"H04", "net.ipv4.conf.all.accept_redirects = 0"},
                {"H04", "net.ipv4.conf.all.accept_source_route = 0"},
                {"H04", "net.ipv4.conf.all.send_redirects = 0"},
                {"H04", "net.ipv4.tcp_syncookies = 1"},
                {"H04", "net.ipv6.conf.all.accept_redirects = 0"},
                {"H05", "kernel.randomize_va_space = 2"},
                {"H05", "kernel.dmesg_restrict = 1"},
                {"H05", "fs.suid_dumpable = 0"},
                {"H05", "fs.protected_hardlinks = 1"},
                {"H05", "fs.protected_symlinks = 1"},
                {"H05", "fs.protected_fifos = 1"},
                {"H05", "fs.protected_regular = 1"}};
    struct bz_view path = BZ_V("/etc/sysctl.d/60-bartizan.conf"), before = now_there(k, path);
    struct bz_buf b;
    const char *check = NULL;
    bz_buf_init(&b, 65536);
    if (before.p != NULL)
        bz_buf_put(&b, before);
    else
        bz_buf_puts(
            &b, "# Written by bartizan posture --fix; bartizan posture --undo takes it back.\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!open_check(k, rows[i].check) || pt_find(bz_buf_view(&b), rows[i].line) != SIZE_MAX)
            continue;
        check = rows[i].check;
        bz_buf_puts(&b, rows[i].line);
        bz_buf_putc(&b, '\n');
    }
    struct bz_view after = bz_arena_dup(k->f->ar, bz_buf_view(&b));
    if (check != NULL && after.p != NULL)
        content(k, check, path, before, after, "sysctl --system");
    bz_buf_free(&b);
}

static void updates(struct plan *k) {
    struct bz_view path = BZ_V("/etc/apt/apt.conf.d/99bartizan-periodic");
    if (open_check(k, "G02") && pt_exists(k->t, "etc/apt"))
        content(
            k, "G02", path, now_there(k, path),
            BZ_V("// Written by bartizan posture --fix; bartizan posture --undo takes it back.\n"
                 "APT::Periodic::Update-Package-Lists "
                 "\"1\";\nAPT::Periodic::Unattended-Upgrade \"1\";\n"),
            "apt-get install unattended-upgrades");
}

enum bz_status bz_posture_plan(struct bz_posture *p, const char *root, const char *const *only,
                               size_t only_n, struct bz_posture_change_plan **ret, size_t *ret_n) {
    struct pt_tree t;
    struct plan k = {.p = p, .f = p->facts, .t = &t, .only = only, .only_n = only_n};
    BZ_TRY(pt_tree_open(&t, root, &p->arena));
    p->facts->t = &t;
    modes(&k);
    instance_modes(&k);
    drop_ins(&k);
    ruleset(&k);
    sysctls(&k);
    updates(&k);
    p->facts->t = NULL;
    pt_tree_close(&t);
    *ret = k.list.v;
    *ret_n = k.list.n;
    return BZ_OK;
}

/* ---- showing it ---- */

static size_t split_lines(struct bz_view text, struct bz_view *out, size_t max) {
    size_t n = 0;
    while (n < max && pt_line(&text, &out[n]))
        n++;
    return n;
}

static void put_lines(struct bz_buf *out, char mark, const struct bz_view *v, size_t from,
                      size_t to) {
    for (size_t i = from; i < to; i++) {
        bz_buf_putc(out, (uint8_t)mark);
        bz_put_safe(out, v[i]);
        bz_buf_putc(out, '\n');
    }
}

void bz_posture_write_diff(const struct bz_posture_change_plan *c, struct bz_buf *out) {
    enum { MAX = 4096, AROUND = 3 };
    if (c->is_mode) {
        bz_buf_puts(out, "chmod ");
        bz_buf_printf(out, "%04o -> %04o ", c->mode_before, c->mode_after);
        bz_put_safe(out, c->path);
        bz_buf_printf(out, "   (%s)\n", c->check);
        return;
    }
    bz_buf_puts(out, c->before.p == NULL ? "--- /dev/null" : "--- ");
    if (c->before.p != NULL)
        bz_put_safe(out, c->path);
    bz_buf_puts(out, "\n+++ ");
    bz_put_safe(out, c->path);
    bz_buf_printf(out, "   (%s)\n", c->check);
    struct bz_view *a = calloc(2 * MAX, sizeof *a), *b = a == NULL ? NULL : a + MAX;
    if (a == NULL)
        return;
    size_t an = split_lines(c->before, a, MAX), bn = split_lines(c->after, b, MAX), same = 0,
           tail = 0;
    while (same < an && same < bn && bz_view_eq(a[same], b[same]))
        same++;
    while (tail < an - same && tail < bn - same && bz_view_eq(a[an - 1 - tail], b[bn - 1 - tail]))
        tail++;
    size_t from = same > AROUND ? same - AROUND : 0, after = tail < AROUND ? tail : AROUND;
    bz_buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", an == 0 ? 0 : from + 1,
                  an - tail + after - from, from + 1, bn - tail + after - from);
    put_lines(out, ' ', a, from, same);
    put_lines(out, '-', a, same, an - tail);
    put_lines(out, '+', b, same, bn - tail);
    put_lines(out, ' ', a, an - tail, an - tail + after);
    if (c->then != NULL)
        bz_buf_printf(out, "then: %s\n", c->then);
    free(a);
}
