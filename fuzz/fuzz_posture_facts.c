/* Everything of a tree that posture parses: processes, sockets, units, containers, rulesets, packages. The first
 * byte says what the rest is taken for. */
#include <stdlib.h>

#include "../src/posture/posture_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum bz_status no_order(const char *scheme, struct bz_view a, struct bz_view b, int *ret) {
    *ret = scheme[0] == 'd' && a.n < b.n ? -1 : 1;
    return BZ_OK;
}

static void proc(struct pt_facts *f, struct bz_view in, char what) {
    struct pt_proc p = {0};
    if (what == 's')
        pt_parse_status(in, &p, f->ar);
    else if (what == 'l')
        pt_parse_limits(in, &p);
    else if (what == 'c')
        pt_parse_nul_list(in, &p.argv, f->ar);
    else if (what == 'm')
        pt_parse_maps(in, &p, f->ar);
    else
        pt_parse_fd_listing(in, &p, f->ar);
    (void)pt_kind_of(p.exe, p.comm, &p.argv, in);
    if (p.argv.n > BZ_POSTURE_ARGS_MAX || p.sockets.n > BZ_POSTURE_FDS_MAX)
        abort();
}

static void unit(struct pt_facts *f, struct bz_view in) {
    struct pt_unit u = {.name = BZ_V("x.container")};
    struct bz_view v;
    pt_parse_ini(in, &u, f->ar);
    pt_unit_finish(&u, f);
    (void)pt_unit_get(&u, "Service", "User", &v);
}

static void run(struct pt_facts *f, uint8_t what, struct bz_view in) {
    struct bz_diag d;
    struct pt_dist dist = {0};
    struct pt_ssh ssh = {0};
    struct pt_get get = {0};
    struct bz_posture_summary summary;
    struct bz_view found;
    uint64_t line;
    switch (what) {
    case 's':
    case 'l':
    case 'c':
    case 'm':
    case 'f':
        proc(f, in, (char)what);
        break;
    case 't':
        pt_parse_tcp(in, false, f, NULL);
        pt_parse_tcp(in, true, f, NULL);
        (void)pt_parse_route_default(in);
        break;
    case 'u':
        unit(f, in);
        break;
    case 'j':
        pt_parse_ctr_json(in, in, f, "var/x.json");
        break;
    case 'y':
        pt_parse_compose(in, f, "x.yml");
        break;
    case 'Y':
        (void)pt_yaml(f->ar, in, &d);
        break;
    case 'n':
        pt_parse_nft(in, &f->fw, f->ar);
        break;
    case 'i':
        pt_parse_iptables(in, &f->fw, f->ar);
        break;
    case 'd':
        pt_parse_dpkg(in, f);
        pt_parse_apt_list(in, f);
        break;
    case 'p':
        pt_parse_passwd(in, f);
        pt_parse_group(in, f);
        break;
    case 'o':
        pt_parse_os_release(in, f);
        pt_parse_mounts(in, f);
        pt_parse_swaps(in, f);
        pt_parse_sysctl_conf(in, f);
        break;
    case 'h':
        pt_parse_sshd(in, &ssh);
        break;
    case 'g':
        (void)pt_parse_http(in, &get);
        break;
    case 'e':
        (void)pt_secret_in(f->ar, in, &found, &line);
        (void)pt_parse_metadata(in, &dist);
        break;
    default:
        (void)!bz_posture_summary_read(in, &summary);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct bz_posture_options o = {.hooks = {.version_cmp = no_order}};
    if (size == 0)
        return 0;
    struct bz_arena ar;
    struct pt_facts *f = calloc(1, sizeof *f);
    if (f == NULL)
        return 0;
    bz_arena_init(&ar, bz_alloc_heap, BZ_POSTURE_ARENA_MAX, NULL, 0);
    f->ar = &ar;
    f->o = &o;
    run(f, data[0], bz_view(data + 1, size - 1));
    bz_arena_free(&ar);
    free(f);
    return 0;
}
