/* Calls about the registry of models. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin.h"
#include "registry.h"

enum { DETAIL_MAX = 700, NOTE_MAX = 500, PERSON_MAX = 100, MANIFEST_MAX = 64 << 20 };

static unsigned no_registry(struct bz_admin_call *c) {
    return bz_admin_refuse(c, 503, "registry_unavailable",
                           "the registry of models could not be opened; bartizand's log says why");
}

/* ---- who ---- */

/* A person: the user whose key came along, if that is an administrator's; otherwise the account at the other end of the
 * socket. 0, or the status of a refusal. */
static unsigned person(struct bz_admin_call *c, char out[PERSON_MAX]) {
    bool ok = true;
    const char *key = bz_admin_text(c, BZ_V("key"), &ok);
    struct bz_map m = {NULL, 0};
    struct bz_image img;
    struct bz_principal p;
    (void)snprintf(out, PERSON_MAX, "%.*s", (int)c->r->actor.n, (const char *)c->r->actor.p);
    if (!ok)
        return bz_admin_refuse(c, 400, "invalid", "'key' must be the text of a key");
    if (key == NULL)
        return 0;
    enum bz_status st = bz_map_open(c->d->in.fd, BZ_F_IMAGE, false, &m);
    if (st == BZ_OK)
        st = bz_image_open(bz_view(m.p, m.n), &img);
    if (st == BZ_OK)
        st = bz_image_authenticate(&img, bz_view_str(key), c->now, &p);
    bool admin = st == BZ_OK && p.admin;
    if (admin)
        (void)snprintf(out, PERSON_MAX, "user %.*s", (int)p.owner.n, (const char *)p.owner.p);
    bz_map_close(&m);
    if (admin)
        return 0;
    return bz_admin_refuse(c, 403, "not_an_administrator",
                           st == BZ_OK ? "the key is of no administrator"
                                       : "the key is none of this instance, revoked or expired");
}

/* The audit record names both: the person and the account. */
static bool record(struct bz_admin_call *c, const char *who, const char *what,
                   struct bz_view detail, enum bz_admin_safety safety, bool *ret_recorded,
                   unsigned *ret_status) {
    const struct bz_admin_request *was = c->r;
    struct bz_admin_request r = *was;
    char actor[2 * PERSON_MAX];
    if (!bz_view_eq(bz_view_str(who), was->actor)) {
        (void)snprintf(actor, sizeof actor, "%s (%.*s)", who, (int)was->actor.n,
                       (const char *)was->actor.p);
        r.actor = bz_view_str(actor);
    }
    c->r = &r;
    bool ok = bz_admin_record(c, what, detail, safety, ret_recorded, ret_status);
    c->r = was;
    return ok;
}

static const char *note_of(struct bz_admin_call *c, struct bz_view key, bool *ok) {
    const char *s = bz_admin_text(c, key, ok);
    if (s != NULL && strlen(s) > NOTE_MAX)
        *ok = false;
    return s;
}

/* ---- listing ---- */

static enum bz_status put_row(void *ctx, const struct bz_modelstore_model *m) {
    struct bz_jw *w = ctx;
    bz_jw_obj(w);
    bz_jw_kstr(w, "id", bz_view_str(m->id));
    bz_jw_kstr(w, "name", bz_view_str(m->name));
    bz_jw_kstr(w, "state", bz_view_str(m->state));
    bz_jw_ku64(w, "added", m->added);
    bz_jw_kstr(w, "added_by", bz_view_str(m->added_by));
    bz_jw_end(w);
    return BZ_OK;
}

unsigned bz_admin_registry(struct bz_admin_call *c) {
    struct bz_jw w;
    if (c->d->registry == NULL)
        return no_registry(c);
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_key(&w, "models");
    bz_jw_arr(&w);
    enum bz_status st = bz_modelstore_list(bz_registry_rows(c->d->registry), put_row, &w);
    bz_jw_end(&w);
    bz_jw_end(&w);
    return st == BZ_OK ? 200 : bz_admin_failed(c, st, "the registry");
}

static enum bz_status put_event(void *ctx, const struct bz_modelstore_event *e) {
    struct bz_jw *w = ctx;
    bz_jw_obj(w);
    bz_jw_ku64(w, "at", e->at);
    bz_jw_kstr(w, "by", bz_view_str(e->by));
    bz_jw_kstr(w, "what", bz_view_str(e->what));
    bz_jw_kstr(w, "note", bz_view_str(e->note));
    bz_jw_end(w);
    return BZ_OK;
}

struct show {
    struct bz_admin_call *c;
    struct bz_jw w;
    char id[BZ_MODEL_ID + 1];
};

static enum bz_status put_model(void *ctx, const struct bz_modelstore_model *m) {
    struct show *s = ctx;
    struct bz_jw *w = &s->w;
    (void)snprintf(s->id, sizeof s->id, "%s", m->id);
    bz_jw_kstr(w, "id", bz_view_str(m->id));
    bz_jw_kstr(w, "name", bz_view_str(m->name));
    bz_jw_kstr(w, "state", bz_view_str(m->state));
    bz_jw_ku64(w, "added", m->added);
    bz_jw_kstr(w, "added_by", bz_view_str(m->added_by));
    if (strcmp(m->state, "approved") == 0) {
        char path[BZ_SERVE_PATH], whole[BZ_DIR_PATH_MAX];
        bz_registry_serve_path(m->name, m->id, path);
        if (bz_instance_path(&s->c->d->in, path, whole))
            bz_jw_kstr(w, "serve", bz_view_str(whole));
    }
    bz_jw_key(w, "manifest");
    bz_jw_raw(w, m->manifest); /* was parsed when it came in, and its id is its digest */
    return BZ_OK;
}

static unsigned not_one(struct bz_admin_call *c, enum bz_status st) {
    if (st == BZ_EINVAL)
        return bz_admin_refuse(c, 409, "ambiguous", "more than one id begins with %s", c->id);
    return bz_admin_failed(c, st, "the model");
}

unsigned bz_admin_registry_show(struct bz_admin_call *c) {
    struct show s = {.c = c};
    if (c->d->registry == NULL)
        return no_registry(c);
    bz_jw_init(&s.w, c->out);
    bz_jw_obj(&s.w);
    enum bz_status st = bz_modelstore_get(bz_registry_rows(c->d->registry), c->id, put_model, &s);
    if (st != BZ_OK)
        return not_one(c, st);
    bz_jw_key(&s.w, "history");
    bz_jw_arr(&s.w);
    st = bz_modelstore_history(bz_registry_rows(c->d->registry), s.id, put_event, &s.w);
    bz_jw_end(&s.w);
    bz_jw_end(&s.w);
    return st == BZ_OK ? 200 : bz_admin_failed(c, st, "the history");
}

/* ---- adding ---- */

struct adding {
    struct bz_admin_call *c;
    char who[PERSON_MAX];
    char id[BZ_MODEL_ID + 1], name[65];
    struct bz_buf manifest, signature;
    struct bz_arena ar;
    struct bz_manifest m;
    int q;
};

static bool token_ok(const char *s) {
    return s != NULL && strlen(s) == 32 && strspn(s, "0123456789abcdef") == 32;
}

static void name_it(struct adding *a) {
    uint8_t h[BZ_HASH_LEN];
    struct bz_buf b;
    bz_sha256(bz_buf_view(&a->manifest), h);
    bz_buf_init_fixed(&b, a->id, sizeof a->id - 1);
    bz_buf_put_hex(&b, bz_view(h, sizeof h));
    a->id[BZ_MODEL_ID] = '\0';
}

/* An empty list allows every licence. */
static bool licence_allowed(struct adding *a) {
    const struct bz_registry_config *r = &a->c->d->config->registry;
    struct bz_view *list = bz_arena_alloc(&a->ar, (r->licences_n + 1) * sizeof *list);
    for (uint32_t i = 0; list != NULL && i < r->licences_n; i++)
        list[i] = bz_view_str(r->licences[i]);
    return r->licences_n == 0 ||
           (list != NULL && bz_licence_allowed(a->m.licence, list, r->licences_n) == BZ_OK);
}

/* 0, or the status of a refusal. */
static unsigned read_quarantine(struct adding *a, const char *token) {
    char path[128];
    const char *why = NULL;
    (void)snprintf(path, sizeof path, BZ_F_MODEL_QUARANTINE "/%s", token);
    a->q = openat(a->c->d->in.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (a->q < 0 || bz_file_read(a->q, "manifest.json", &a->manifest) != BZ_OK ||
        bz_file_read(a->q, "model.sig", &a->signature) != BZ_OK)
        return bz_admin_refuse(a->c, 404, "not_found", "there is no such quarantine: %s",
                               strerror(errno));
    name_it(a);
    if (bz_registry_sound(a->c->d->registry, a->id, bz_buf_view(&a->manifest),
                          bz_buf_view(&a->signature), &a->ar, &a->m, &why) != BZ_OK)
        return bz_admin_refuse(a->c, 422, "unsound", "%s", why);
    (void)snprintf(a->name, sizeof a->name, "%.*s", (int)a->m.name.n, (const char *)a->m.name.p);
    if (!licence_allowed(a))
        return bz_admin_refuse(a->c, 422, "licence_not_allowed",
                               "the licence %.*s is not among registry.licences",
                               (int)a->m.licence.n, (const char *)a->m.licence.p);
    return 0;
}

static enum bz_status put_it(const struct adding *a, const char *state) {
    const struct bz_modelstore_model row = {
        .id = a->id,
        .name = a->name,
        .state = state,
        .added_by = a->who,
        .added = a->c->now,
        .manifest = bz_buf_view(&a->manifest),
        .signature = bz_buf_view(&a->signature),
    };
    char note[64];
    (void)snprintf(note, sizeof note, "scan: %s%s", bz_manifest_verdict_name(a->m.verdict),
                   a->m.malicious ? ", malicious" : "");
    BZ_TRY(bz_registry_take_files(a->c->d, a->q, &a->m));
    return bz_modelstore_add(bz_registry_rows(a->c->d->registry), &row, note);
}

/* What registry.require asks for; a name that nobody knows cannot be said, so nothing is approved. */
static uint32_t required(const struct bz_admin_call *c) {
    const struct bz_registry_config *r = &c->d->config->registry;
    uint32_t set = 0;
    for (uint32_t i = 0; i < r->require_n; i++) {
        enum bz_sbom_field f = BZ_SBOM_FIELD_COUNT;
        if (!bz_sbom_field_find(bz_view_str(r->require[i]), &f))
            return UINT32_MAX;
        set |= 1u << f;
    }
    return set;
}

/* "supplier (--supplier TEXT), released (--released TIME)" */
static void name_fields(uint32_t set, struct bz_buf *out) {
    for (unsigned f = 0; f < BZ_SBOM_FIELD_COUNT; f++) {
        const char *option = bz_sbom_field_option((enum bz_sbom_field)f);
        if ((set & 1u << f) != 0)
            bz_buf_printf(out, "%s%s%s%s%s", out->n == 0 ? "" : ", ",
                          bz_sbom_field_name((enum bz_sbom_field)f), option == NULL ? "" : " (",
                          option == NULL ? "" : option, option == NULL ? "" : ")");
    }
}

static void put_missing(struct bz_jw *w, uint32_t set) {
    bz_jw_key(w, "missing");
    bz_jw_arr(w);
    for (unsigned f = 0; f < BZ_SBOM_FIELD_COUNT; f++) {
        if ((set & 1u << f) != 0)
            bz_jw_str(w, bz_view_str(bz_sbom_field_name((enum bz_sbom_field)f)));
    }
    bz_jw_end(w);
}

static unsigned add(struct adding *a, const char *token) {
    char mem[DETAIL_MAX];
    bool recorded = false;
    unsigned status = read_quarantine(a, token);
    if (status != 0)
        return status;
    const char *state = bz_model_state_name(bz_model_state_first(&a->m));
    int n = snprintf(mem, sizeof mem, "%s %.12s: %s", a->name, a->id, state);
    if (!record(a->c, a->who, "model.add", bz_view(mem, (size_t)n), BZ_ADMIN_RECORD_FIRST,
                &recorded, &status))
        return status;
    enum bz_status st = put_it(a, state);
    if (st == BZ_EEXISTS)
        return bz_admin_refuse(a->c, 409, "exists", "this very model is registered already: %.12s",
                               a->id);
    if (st != BZ_OK)
        return bz_admin_failed(a->c, st, "the model");
    st = bz_registry_load(a->c->d);
    if (st != BZ_OK)
        return bz_admin_failed(a->c, st, "the registry");
    struct bz_jw w;
    bz_jw_init(&w, a->c->out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "id", bz_view_str(a->id));
    bz_jw_kstr(&w, "name", bz_view_str(a->name));
    bz_jw_kstr(&w, "state", bz_view_str(state));
    bz_jw_kstr(&w, "verdict", bz_view_str(bz_manifest_verdict_name(a->m.verdict)));
    bz_jw_kbool(&w, "malicious", a->m.malicious);
    put_missing(&w, bz_manifest_missing(&a->m) & required(a->c));
    bz_jw_kbool(&w, "recorded", recorded);
    bz_jw_end(&w);
    return 201;
}

unsigned bz_admin_registry_add(struct bz_admin_call *c) {
    static const char *const known[] = {"quarantine", "key"};
    struct adding *a = calloc(1, sizeof *a);
    bool ok = true;
    if (c->d->registry == NULL || a == NULL) {
        free(a);
        return no_registry(c);
    }
    unsigned status = bz_admin_only(c, known, 2);
    const char *token = bz_admin_text(c, BZ_V("quarantine"), &ok);
    a->c = c;
    a->q = -1;
    bz_buf_init(&a->manifest, MANIFEST_MAX);
    bz_buf_init(&a->signature, BZ_SIGNATURE_MAX);
    bz_arena_init(&a->ar, bz_alloc_heap, 1 << 30, NULL, 0);
    if (status == 0 && !token_ok(token))
        status = bz_admin_refuse(c, 400, "invalid", "'quarantine' must be 32 hex digits");
    if (status == 0)
        status = person(c, a->who);
    if (status == 0)
        status = add(a, token);
    bz_fd_done(&a->q);
    bz_buf_free(&a->manifest);
    bz_buf_free(&a->signature);
    bz_arena_free(&a->ar);
    free(a);
    return status;
}

/* ---- approving, rejecting, retiring ---- */

struct changing {
    struct bz_admin_call *c;
    const char *verb, *to;
    const char *note, *accept, *seen;
    char who[PERSON_MAX];
    char id[BZ_MODEL_ID + 1], name[65], added_by[PERSON_MAX], from[16];
    unsigned status;
    struct bz_buf signature;
    struct bz_buf manifest;
};

static enum bz_status take_row(void *ctx, const struct bz_modelstore_model *m) {
    struct changing *g = ctx;
    (void)snprintf(g->id, sizeof g->id, "%s", m->id);
    (void)snprintf(g->name, sizeof g->name, "%s", m->name);
    (void)snprintf(g->added_by, sizeof g->added_by, "%s", m->added_by);
    (void)snprintf(g->from, sizeof g->from, "%s", m->state);
    bz_buf_put(&g->manifest, m->manifest);
    bz_buf_put(&g->signature, m->signature);
    return bz_buf_status(&g->manifest) != BZ_OK ? bz_buf_status(&g->manifest)
                                                : bz_buf_status(&g->signature);
}

static unsigned not_approvable(struct bz_admin_call *c, uint32_t missing, const char *why) {
    char mem[256];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    name_fields(missing, &b);
    if (b.n == 0)
        return bz_admin_refuse(c, 409, "not_approvable", "%s", why == NULL ? "" : why);
    return bz_admin_refuse(c, 409, "not_approvable",
                           "%s: %.*s; reject it and add it again with what is missing",
                           why == NULL ? "" : why, (int)b.n, (const char *)b.p);
}

/* 0, or the status of a refusal. Makes the folder, so that approving cannot stop half way. */
static unsigned may_approve(struct changing *g) {
    struct bz_arena ar;
    struct bz_manifest m;
    const char *why = NULL;
    struct bz_approval_wish w = {
        .manifest = &m,
        .added_by = bz_view_str(g->added_by),
        .by = bz_view_str(g->who),
        .two_persons = g->c->d->config->registry.two_persons,
        .accepted = g->accept != NULL && g->accept[0] != '\0',
        .required = required(g->c),
    };
    unsigned status = 0;
    if (g->seen == NULL || strcmp(g->seen, g->id) != 0)
        return bz_admin_refuse(g->c, 400, "invalid",
                               "'seen' must be the whole id that was looked at");
    bz_arena_init(&ar, bz_alloc_heap, 1 << 30, NULL, 0);
    if (bz_registry_sound(g->c->d->registry, g->id, bz_buf_view(&g->manifest),
                          bz_buf_view(&g->signature), &ar, &m, &why) != BZ_OK)
        status = bz_admin_refuse(g->c, 422, "unsound", "%s", why);
    else if (!bz_model_state_of(bz_view_str(g->from), &w.state) ||
             bz_model_may_approve(&w, &why) != BZ_OK)
        status = not_approvable(g->c, bz_manifest_missing(&m) & w.required, why);
    else if (bz_registry_serve(g->c->d, g->id, &m, bz_buf_view(&g->signature)) != BZ_OK)
        status =
            bz_admin_refuse(g->c, 500, "failed", "its folder cannot be made: %s", strerror(errno));
    bz_arena_free(&ar);
    return status;
}

static unsigned may_end(struct changing *g) {
    bool approved = strcmp(g->from, "approved") == 0;
    bool waiting = strcmp(g->from, "pending") == 0 || strcmp(g->from, "quarantined") == 0;
    if (strcmp(g->to, "retired") == 0 ? approved : waiting)
        return 0;
    return bz_admin_refuse(g->c, 409, "wrong_state", "it is %s, not %s", g->from,
                           strcmp(g->to, "retired") == 0 ? "approved" : "waiting for approval");
}

static unsigned move(struct changing *g, bool *ret_recorded) {
    char mem[DETAIL_MAX], what[32];
    unsigned status = 0;
    const char *text = g->accept != NULL ? g->accept : g->note != NULL ? g->note : "";
    const bool grants = strcmp(g->to, "approved") == 0;
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_printf(&b, "%s %.12s: ", g->name, g->id);
    bz_put_safe(&b, bz_view_sub(bz_view_str(text), 0, 150));
    (void)snprintf(what, sizeof what, "model.%s", g->verb);
    if (!record(g->c, g->who, what, bz_buf_view(&b),
                grants ? BZ_ADMIN_RECORD_FIRST : BZ_ADMIN_ACT_ANYWAY, ret_recorded, &status)) {
        if (grants)
            bz_registry_unserve(g->c->d, g->name, g->id);
        return status;
    }
    const struct bz_modelstore_event e = {
        .at = g->c->now, .id = g->id, .by = g->who, .what = g->verb, .note = text};
    enum bz_status st = bz_modelstore_move(bz_registry_rows(g->c->d->registry), g->from, g->to, &e);
    if (st != BZ_OK || !grants)
        bz_registry_unserve(g->c->d, g->name, g->id);
    if (st == BZ_OK)
        st = bz_registry_load(g->c->d);
    return st == BZ_OK ? 0 : bz_admin_failed(g->c, st, "the model");
}

static unsigned answer(struct changing *g, bool recorded) {
    char path[BZ_SERVE_PATH], whole[BZ_DIR_PATH_MAX];
    struct bz_jw w;
    bz_jw_init(&w, g->c->out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "id", bz_view_str(g->id));
    bz_jw_kstr(&w, "name", bz_view_str(g->name));
    bz_jw_kstr(&w, "state", bz_view_str(g->to));
    bz_registry_serve_path(g->name, g->id, path);
    if (strcmp(g->to, "approved") == 0 && bz_instance_path(&g->c->d->in, path, whole))
        bz_jw_kstr(&w, "serve", bz_view_str(whole));
    bz_jw_kbool(&w, "recorded", recorded);
    bz_jw_end(&w);
    return 200;
}

static unsigned change(struct changing *g) {
    static const char *const known[] = {"note", "accept", "seen", "key"};
    bool ok = true, recorded = false;
    unsigned status = bz_admin_only(g->c, known, 4);
    if (status != 0)
        return status;
    g->note = note_of(g->c, BZ_V("note"), &ok);
    g->accept = note_of(g->c, BZ_V("accept"), &ok);
    g->seen = bz_admin_text(g->c, BZ_V("seen"), &ok);
    if (!ok)
        return bz_admin_refuse(g->c, 400, "invalid",
                               "'note' and 'accept' are texts of at most 500 bytes");
    status = person(g->c, g->who);
    if (status != 0)
        return status;
    enum bz_status st =
        bz_modelstore_get(bz_registry_rows(g->c->d->registry), g->c->id, take_row, g);
    if (st != BZ_OK)
        return not_one(g->c, st);
    status = strcmp(g->to, "approved") == 0 ? may_approve(g) : may_end(g);
    if (status == 0)
        status = move(g, &recorded);
    return status == 0 ? answer(g, recorded) : status;
}

static unsigned run_change(struct bz_admin_call *c, const char *verb, const char *to) {
    struct changing *g = calloc(1, sizeof *g);
    if (c->d->registry == NULL || g == NULL) {
        free(g);
        return no_registry(c);
    }
    *g = (struct changing){.c = c, .verb = verb, .to = to};
    bz_buf_init(&g->manifest, MANIFEST_MAX);
    bz_buf_init(&g->signature, BZ_SIGNATURE_MAX);
    unsigned status = change(g);
    bz_buf_free(&g->manifest);
    bz_buf_free(&g->signature);
    free(g);
    return status;
}

unsigned bz_admin_registry_approve(struct bz_admin_call *c) {
    return run_change(c, "approve", "approved");
}

unsigned bz_admin_registry_reject(struct bz_admin_call *c) {
    return run_change(c, "reject", "rejected");
}

unsigned bz_admin_registry_retire(struct bz_admin_call *c) {
    return run_change(c, "retire", "retired");
}
