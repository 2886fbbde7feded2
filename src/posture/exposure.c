/* Who listens where, and who may connect out: what several checks ask. */
#include "posture_int.h"

/* ---- listeners of some kinds ---- */

static void exposed_socks(struct pt_ctx *c, const char *kinds) {
    for (size_t i = 0; i < c->f->socks.n; i++) {
        const struct pt_sock *s = &c->f->socks.v[i];
        if (!s->host || !pt_kind_in(s->kind, kinds))
            continue;
        if (s->loopback)
            pt_good(c);
        else
            pt_bad(c, "%s listens on %.*s", s->kind->title, PT_V(pt_sock_text(c->f, s)));
    }
}

static bool has_sock(const struct pt_facts *f, const struct pt_work *w) {
    for (size_t i = 0; i < f->socks.n; i++) {
        if (f->socks.v[i].kind == w->kind)
            return true;
    }
    return false;
}

static void exposed_work(struct pt_ctx *c, const struct pt_work *w) {
    struct bz_view host;
    if (w->src == PT_CTR) {
        if (w->ctr->host_net && pt_work_listen(w, &host) == PT_LISTEN_OPEN)
            pt_bad(c, "%.*s shares the host's network and is told to listen on %.*s",
                   PT_V(w->label), PT_V(host));
        else
            pt_good(c);
        return;
    }
    if (pt_work_private_net(w)) {
        pt_good(c);
        return;
    }
    switch (pt_work_listen(w, &host)) {
    case PT_LISTEN_OPEN:
        pt_bad(c, "%.*s is told to listen on '%.*s'", PT_V(w->label), PT_V(host));
        break;
    case PT_LISTEN_UNSAID:
        if (w->kind->bind == PT_BIND_ALL && !has_sock(c->f, w) &&
            (w->src == PT_UNIT || !c->f->have_socks))
            pt_bad(c, "%.*s is told no address: %s listens on all by default", PT_V(w->label),
                   w->kind->title);
        else if (w->argv_known && w->env_known)
            pt_good(c);
        else if (!has_sock(c->f, w))
            pt_unknown(c, "%.*s: its arguments or environment cannot be read", PT_V(w->label));
        break;
    case PT_LISTEN_LOOPBACK:
    case PT_LISTEN_SOCKET:
        pt_good(c);
        break;
    }
}

void pt_exposure(struct pt_ctx *c, const char *kinds) {
    exposed_socks(c, kinds);
    PT_EACH_WORK(c, w) {
        if (pt_kind_in(w->kind, kinds))
            exposed_work(c, w);
    }
    if (!c->good && !c->bad && c->f->live && !c->f->have_socks)
        pt_unknown(c, "the list of listening sockets cannot be read");
}

/* ---- egress ---- */

/* Is one of the words, without braces and quotes, the name or the number? */
static bool names_account(struct bz_view rule, struct bz_view name, bool have, uint32_t uid) {
    static const char marks[] = "{},\"";
    struct bz_view word;
    while (pt_word(&rule, &word)) {
        while (word.n > 0 && strchr(marks, word.p[0]) != NULL)
            word = bz_view_sub(word, 1, word.n);
        while (word.n > 0 && strchr(marks, word.p[word.n - 1]) != NULL)
            word.n--;
        if ((name.n > 0 && bz_view_eq(word, name)) || (have && pt_num(word, UINT64_MAX) == uid))
            return true;
    }
    return false;
}

/* Does a rule of the output hook name the user and end in a drop? */
static bool rule_for(const struct pt_facts *f, const struct pt_work *w, bool metadata) {
    uint32_t uid = 0;
    bool have = pt_work_uid(f, w, &uid);
    struct bz_view name = {NULL, 0};
    const struct pt_user *u = have ? pt_user_of(f, uid) : NULL;
    if (u != NULL)
        name = u->name;
    if (w->src == PT_UNIT && name.n == 0)
        (void)pt_unit_get(w->unit, "Service", "User", &name);
    for (size_t i = 0; i < f->fw.rules.n; i++) {
        struct bz_view r = f->fw.rules.v[i].text;
        if (metadata && pt_has(r, "169.254.169.254"))
            return true;
        bool owner = pt_has(r, "skuid") || pt_has(r, "uid-owner") || pt_has(r, "cgroup");
        if (!owner || (pt_has(r, "daddr") && !pt_has(r, "daddr !=")) || pt_has(r, " -d "))
            continue;
        if (pt_has(r, "cgroup") && w->unit != NULL && pt_has(r, (const char *)w->unit->name.p))
            return true;
        if (names_account(r, name, have, uid))
            return true;
    }
    return false;
}

bool pt_egress_closed(const struct pt_facts *f, const struct pt_work *w, bool metadata) {
    struct bz_view v;
    if (f->fw.output_drop || rule_for(f, w, metadata))
        return true;
    if (w->unit != NULL && pt_unit_get(w->unit, "Service", "IPAddressDeny", &v) &&
        (pt_has(v, "any") || pt_has(v, "0.0.0.0/0") || (metadata && pt_has(v, "169.254."))))
        return true;
    if (w->unit != NULL && pt_unit_get(w->unit, "Service", "PrivateNetwork", &v) && pt_true(v))
        return true;
    if (w->unit != NULL && pt_unit_get(w->unit, "Service", "RestrictAddressFamilies", &v) &&
        pt_is(v, "AF_UNIX"))
        return true;
    if (w->proc != NULL && w->proc->own_netns && !w->proc->default_route)
        return true;
    return w->ctr != NULL && w->ctr->net_none;
}
