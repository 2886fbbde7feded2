/* bartizan sandbox profiles, plan: what a cage would be. */
#include <stdio.h>
#include <stdlib.h>

#include <bartizan/json.h>
#include "sandbox.h"

enum { OUT_MAX = 1 << 20 };

static void profile_json(struct bz_jw *w, const struct bz_cage_profile *p) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "name", bz_view_str(p->name));
    bz_jw_kstr(w, "about", bz_view_str(p->about));
    bz_jw_kbool(w, "execute_again", p->exec);
    bz_jw_kbool(w, "executable_memory", p->wx);
    bz_jw_kbool(w, "tcp", p->inet);
    if (p->inet)
        bz_jw_ku64(w, "port", p->port);
    bz_jw_ku64(w, "memory", p->memory);
    bz_jw_ku64(w, "tmp", p->tmp);
    bz_jw_ku64(w, "pids", p->pids);
    bz_jw_ku64(w, "files", p->files);
    if (p->weaker != NULL)
        bz_jw_kstr(w, "weaker", bz_view_str(p->weaker));
    bz_jw_key(w, "system_calls");
    bz_jw_arr(w);
    for (const struct bz_cage_call *c = bz_cage_calls; c->name != NULL; c++) {
        if ((c->groups & p->calls) != 0)
            bz_jw_str(w, bz_view_str(c->name));
    }
    bz_jw_end(w);
    bz_jw_end(w);
}

static void profile_text(const struct bz_cage_profile *p) {
    unsigned calls = 0;
    for (const struct bz_cage_call *c = bz_cage_calls; c->name != NULL; c++)
        calls += (c->groups & p->calls) != 0;
    (void)printf("%-13s %s\n", p->name, p->about);
    (void)printf("              %u system calls, %s, %s, %s\n", calls,
                 p->exec ? "may start programs" : "one program",
                 p->wx ? "memory may become code" : "no memory that is written becomes code",
                 p->inet ? "TCP on its own loopback" : "unix socket");
    if (p->weaker != NULL)
        (void)printf("              weaker: %s\n", p->weaker);
}

int sb_profiles(int argc, char **argv) {
    bool json = false, help = false;
    const struct bz_opt list[] = {
        {"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"},
    };
    const struct bz_opts o = {
        "bartizan sandbox profiles [--json]", "Lists what cages there are.", list, 1, NULL, 0, 0};
    struct bz_buf b;
    struct bz_jw w;
    size_t n = 0;
    if (bz_opts_parse(&o, argc, argv, NULL, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    bz_buf_init(&b, OUT_MAX);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_key(&w, "profiles");
    bz_jw_arr(&w);
    for (const struct bz_cage_profile *p = bz_cage_profiles; p->name != NULL; p++) {
        profile_json(&w, p);
        if (!json)
            profile_text(p);
    }
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_buf_putc(&b, '\n');
    if (json)
        (void)fwrite(b.p, 1, b.n, stdout);
    bz_buf_free(&b);
    return BZ_EXIT_OK;
}

int sb_show_plan(const struct sb_cage *c, bool bwrap) {
    struct bz_buf b;
    bz_buf_init(&b, OUT_MAX);
    if (bwrap) {
        bz_cage_bwrap_args(&c->plan, &b);
        for (size_t i = 0; i < b.n; i++)
            b.p[i] = b.p[i] == 0 ? '\n' : b.p[i];
    } else {
        bz_cage_plan_json(&c->plan, &b);
        bz_buf_putc(&b, '\n');
    }
    bool ok = bz_buf_status(&b) == BZ_OK;
    if (ok)
        (void)fwrite(b.p, 1, b.n, stdout);
    bz_buf_free(&b);
    return ok ? BZ_EXIT_OK : BZ_EXIT_FAILURE;
}
