/* Rulesets as the host loads them at boot: nftables, iptables-save, ufw, firewalld. Netlink is not asked. */
#include <stdio.h>
#include "posture_int.h"

static void keep(struct pt_firewall *fw, struct bz_arena *ar, struct bz_view line, bool dnat) {
    struct pt_rule *r = dnat ? PT_ADD(ar, &fw->dnat) : PT_ADD(ar, &fw->rules);
    if (r != NULL)
        r->text = line;
}

/* "drop" alone at the end of a chain is its policy. */
static bool alone(struct bz_view line) {
    static const char *const list[] = {"drop",
                                       "reject",
                                       "counter drop",
                                       "counter reject",
                                       "reject with icmpx type admin-prohibited",
                                       "reject with icmpx admin-prohibited",
                                       NULL};
    line = pt_trim(line);
    while (line.n > 0 && (line.p[line.n - 1] == ';' || line.p[line.n - 1] == ' '))
        line.n--;
    return pt_is_any(line, list);
}

/* Which hook the statements that follow belong to. */
static char hook_of(struct bz_view line, char now) {
    if (pt_has(line, "hook input"))
        return 'i';
    if (pt_has(line, "hook output"))
        return 'o';
    if (pt_has(line, "hook forward"))
        return 'f';
    if (pt_has(line, "hook "))
        return 'x';
    return pt_starts(line, "add rule ") && pt_has(line, " output ") ? 'o' : now;
}

/* What one statement of a chain says. */
static void nft_line(struct pt_firewall *fw, struct bz_arena *ar, struct bz_view line, char *hook) {
    *hook = hook_of(line, *hook);
    bool all = pt_has(line, "policy drop") || pt_has(line, "policy reject") || alone(line);
    fw->input_drop = fw->input_drop || (all && *hook == 'i');
    fw->output_drop = fw->output_drop || (all && *hook == 'o');
    fw->forward_drop = fw->forward_drop || (all && *hook == 'f');
    bool verdict = pt_has(line, "drop") || pt_has(line, "reject");
    if (*hook == 'o' && verdict && !all && !pt_has(line, "hook output"))
        keep(fw, ar, line, false);
    if (pt_has(line, "dnat"))
        keep(fw, ar, line, true);
}

void pt_parse_nft(struct bz_view text, struct pt_firewall *fw, struct bz_arena *ar) {
    struct bz_view line;
    char hook = ' ';
    int depth = 0;
    fw->seen = true;
    while (pt_line(&text, &line)) {
        const uint8_t *hash = line.n == 0 ? NULL : memchr(line.p, '#', line.n);
        if (hash != NULL)
            line = bz_view_sub(line, 0, (size_t)(hash - line.p));
        line = pt_trim(line);
        if (pt_starts(line, "chain ") || pt_starts(line, "add chain "))
            hook = ' ';
        if (line.n > 0)
            nft_line(fw, ar, line, &hook);
        for (size_t i = 0; i < line.n; i++)
            depth += line.p[i] == '{' ? 1 : line.p[i] == '}' ? -1 : 0;
        if (depth <= 1)
            hook = ' ';
    }
}

void pt_parse_iptables(struct bz_view text, struct pt_firewall *fw, struct bz_arena *ar) {
    struct bz_view line;
    fw->seen = true;
    while (pt_line(&text, &line)) {
        line = pt_trim(line);
        if (pt_starts(line, ":INPUT DROP") || pt_starts(line, ":INPUT REJECT") ||
            pt_starts(line, "-P INPUT DROP") || pt_is(line, "-A INPUT -j DROP") ||
            pt_is(line, "-A INPUT -j REJECT"))
            fw->input_drop = true;
        if (pt_starts(line, ":OUTPUT DROP") || pt_starts(line, "-P OUTPUT DROP") ||
            pt_is(line, "-A OUTPUT -j DROP") || pt_is(line, "-A OUTPUT -j REJECT"))
            fw->output_drop = true;
        if (pt_starts(line, ":FORWARD DROP") || pt_starts(line, "-P FORWARD DROP"))
            fw->forward_drop = true;
        bool verdict = pt_has(line, "-j DROP") || pt_has(line, "-j REJECT");
        if (verdict && pt_starts(line, "-A OUTPUT"))
            keep(fw, ar, line, false);
        if (pt_has(line, "-j DNAT"))
            keep(fw, ar, line, true);
    }
}

static bool read_rules(struct pt_facts *f, const char *path, struct bz_view *text) {
    enum bz_status st = pt_read(f->t, path, BZ_POSTURE_CONFIG_MAX, text);
    f->fw.denied = f->fw.denied || st == BZ_EDENIED;
    if (st == BZ_OK && f->fw.source.n == 0)
        f->fw.source = bz_view_str(path);
    return st == BZ_OK;
}

static void nft_dir(struct pt_facts *f, const char *dir) {
    struct pt_views names;
    struct bz_view text;
    if (pt_list(f->t, dir, 128, &names) != BZ_OK)
        return;
    for (size_t i = 0; i < names.n; i++) {
        if ((pt_ends(names.v[i], ".nft") || pt_ends(names.v[i], ".conf")) &&
            read_rules(f, pt_path(f->t, "%s/%.*s", dir, PT_V(names.v[i])), &text))
            pt_parse_nft(text, &f->fw, f->ar);
    }
}

static void ufw(struct pt_facts *f) {
    struct bz_view text, line, key, v;
    bool on = false;
    if (!read_rules(f, "etc/ufw/ufw.conf", &text))
        return;
    while (pt_line(&text, &line)) {
        if (pt_split(pt_trim(line), '=', &key, &v) && pt_is(key, "ENABLED"))
            on = pt_has(v, "yes");
    }
    if (!on)
        return;
    f->fw.seen = true;
    f->fw.input_drop = f->fw.forward_drop = true; /* ufw's own defaults */
    if (!read_rules(f, "etc/default/ufw", &text))
        return;
    while (pt_line(&text, &line)) {
        if (!pt_split(pt_trim(line), '=', &key, &v))
            continue;
        bool deny = pt_has(v, "DROP") || pt_has(v, "REJECT");
        if (pt_is(key, "DEFAULT_INPUT_POLICY"))
            f->fw.input_drop = deny;
        if (pt_is(key, "DEFAULT_OUTPUT_POLICY") && deny)
            f->fw.output_drop = true;
    }
}

static void firewalld(struct pt_facts *f) {
    struct bz_view text;
    if (!pt_enabled(f, "firewalld.service") ||
        !read_rules(f, "etc/firewalld/firewalld.conf", &text))
        return;
    f->fw.seen = true;
    f->fw.input_drop = !pt_has(text, "DefaultZone=trusted");
}

void pt_collect_firewall(struct pt_facts *f) {
    static const char *const saves[] = {"etc/iptables/rules.v4", "etc/sysconfig/iptables",
                                        "etc/iptables.rules", "etc/iptables.up.rules"};
    struct bz_view text;
    static const char *const nfts[] = {"etc/nftables.conf", "etc/sysconfig/nftables.conf",
                                       "etc/nftables.rules"};
    for (size_t i = 0; i < 3; i++) {
        if (read_rules(f, nfts[i], &text))
            pt_parse_nft(text, &f->fw, f->ar);
    }
    nft_dir(f, "etc/nftables.d");
    nft_dir(f, "etc/nftables");
    for (size_t i = 0; i < 4; i++) {
        if (read_rules(f, saves[i], &text))
            pt_parse_iptables(text, &f->fw, f->ar);
    }
    ufw(f);
    firewalld(f);
}
