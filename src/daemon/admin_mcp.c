/* Calls about what MCP servers offer: what was seen, approving it, taking that back. */
#include <stdio.h>

#include <bartizan/text.h>

#include "admin.h"
#include "mcp.h"

enum { DETAIL_MAX = 768, NOTE_MAX = 200, NAME_SHOWN = 256, ARENA_MAX = 16 << 20 };

static unsigned bad(struct bz_admin_call *c, const char *member, const char *why) {
    return bz_admin_refuse(c, 400, "invalid", "'%s' %s", member, why);
}

static unsigned closed(struct bz_admin_call *c) {
    return bz_admin_refuse(
        c, 503, "store_unavailable",
        "the store of what MCP servers offer cannot be opened; see bartizand's messages");
}

/* ---- writing ---- */

static void put_digest(struct bz_jw *w, const uint8_t digest[BZ_HASH_LEN]) {
    char mem[2 * BZ_HASH_LEN];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put_hex(&b, bz_view(digest, BZ_HASH_LEN));
    bz_jw_kstr(w, "digest", bz_buf_view(&b));
}

static void put_row(struct bz_jw *w, const struct bz_mcpstore_row *t, bool definition) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "kind", bz_view_str(t->kind));
    bz_jw_kstr(w, "name", bz_view_str(t->name));
    bz_jw_kstr(w, "state", bz_view_str(t->state));
    put_digest(w, t->digest);
    bz_jw_kbool(w, "current", t->current);
    bz_jw_ku64(w, "first_seen", t->first);
    bz_jw_ku64(w, "last_seen", t->last);
    bz_jw_key(w, "odd");
    bz_jw_arr(w);
    for (unsigned bit = 0; bit < BZ_MCP_ODDS; bit++)
        if ((t->odd >> bit & 1) != 0)
            bz_jw_str(w, bz_view_str(bz_mcp_odd_name(bit)));
    bz_jw_end(w);
    if (t->decided != 0) {
        bz_jw_kstr(w, "by", bz_view_str(t->by));
        bz_jw_kstr(w, "note", bz_view_str(t->note));
        bz_jw_ku64(w, "decided", t->decided);
    }
    if (definition) {
        bz_jw_key(w, "definition");
        bz_jw_raw(w, bz_view_str(t->definition)); /* canonical JSON of our own writing */
    }
    bz_jw_end(w);
}

struct list {
    struct bz_jw *w;
    bool all; /* also what is neither current nor approved, with definitions */
};

static enum bz_status each(void *ctx, const struct bz_mcpstore_row *t) {
    const struct list *l = ctx;
    if (l->all || t->current || strcmp(t->state, "approved") == 0)
        put_row(l->w, t, l->all);
    return BZ_OK;
}

unsigned bz_admin_mcp(struct bz_admin_call *c) {
    struct bz_daemon *d = c->d;
    struct bz_jw w;
    struct list l = {&w, false};
    enum bz_status st = BZ_OK;
    if (d->mcp == NULL)
        return closed(c);
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_key(&w, "servers");
    bz_jw_arr(&w);
    for (uint32_t i = 0; i < d->config->backends_n && st == BZ_OK; i++) {
        const struct bz_mcp_config *m = bz_mcp_of(d, i);
        if (m == NULL)
            continue;
        bz_jw_obj(&w);
        bz_jw_kstr(&w, "name", bz_view_str(m->name));
        bz_jw_kbool(&w, "up", d->backend[i].health == BZ_HEALTH_UP);
        bz_jw_kstr(&w, "why", bz_view_str(d->backend[i].why));
        bz_jw_key(&w, "definitions");
        bz_jw_arr(&w);
        st = bz_mcpstore_list(bz_mcp_rows(d->mcp), m->name, NULL, NULL, each, &l);
        bz_jw_end(&w);
        bz_jw_end(&w);
    }
    bz_jw_end(&w);
    bz_jw_end(&w);
    return st == BZ_OK ? 200 : bz_admin_failed(c, st, "what MCP servers offer");
}

/* ---- one definition ---- */

struct wanted {
    const char *server, *kind, *name, *note, *digest;
    enum bz_mcp_what what;
    uint8_t want[BZ_HASH_LEN];
    bool has_digest, found;
    char undecided[BZ_SCHEMA_ERROR]; /* why nothing can be held against it; "" */
    struct bz_mcpstore_row t;        /* texts are those of the call */
};

/* 0, or the status of a refusal. */
static unsigned take(struct bz_admin_call *c, struct wanted *x) {
    static const char *const known[] = {"server", "kind", "name", "note", "digest"};
    bool ok = true;
    size_t n = 0;
    unsigned status = bz_admin_only(c, known, 5);
    if (status != 0)
        return status;
    x->server = bz_admin_text(c, BZ_V("server"), &ok);
    x->kind = bz_admin_text(c, BZ_V("kind"), &ok);
    x->name = bz_admin_text(c, BZ_V("name"), &ok);
    x->note = bz_admin_text(c, BZ_V("note"), &ok);
    x->digest = bz_admin_text(c, BZ_V("digest"), &ok);
    if (!ok || x->server == NULL)
        return bad(c, "server", "must name an MCP server");
    if (x->kind == NULL)
        x->kind = bz_mcp_what(BZ_MCP_TOOL)->name;
    if (!bz_mcp_what_from_name(bz_view_str(x->kind), &x->what))
        return bad(c, "kind", "must be tool, resource, template or prompt");
    if (x->name == NULL || !bz_mcp_name_ok(x->what, bz_view_str(x->name)))
        return bad(c, "name",
                   "must be the name of a tool or prompt, the URI of a resource, or a template");
    if (x->note != NULL && strlen(x->note) > NOTE_MAX)
        return bad(c, "note", "is longer than 200 bytes");
    x->has_digest = x->digest != NULL;
    if (x->has_digest &&
        (bz_hex_decode(bz_view_str(x->digest), x->want, sizeof x->want, &n) != BZ_OK ||
         n != sizeof x->want))
        return bad(c, "digest", "must be the 64 hex digits that show prints");
    return c->d->mcp == NULL ? closed(c) : 0;
}

unsigned bz_admin_mcp_show(struct bz_admin_call *c) {
    struct wanted x = {.server = NULL};
    struct bz_jw w;
    struct list l = {&w, true};
    unsigned status = take(c, &x);
    if (status != 0)
        return status;
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "server", bz_view_str(x.server));
    bz_jw_key(&w, "definitions");
    bz_jw_arr(&w);
    size_t before = c->out->n;
    enum bz_status st =
        bz_mcpstore_list(bz_mcp_rows(c->d->mcp), x.server, x.kind, x.name, each, &l);
    if (st == BZ_OK && c->out->n == before)
        st = BZ_ENOTFOUND;
    bz_jw_end(&w);
    bz_jw_end(&w);
    return st == BZ_OK ? 200 : bz_admin_failed(c, st, "the definition");
}

static enum bz_status undecided(struct wanted *x, const char *definition) {
    struct bz_arena ar;
    struct bz_json *root = NULL;
    bz_arena_init(&ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    enum bz_status st = bz_json_parse(bz_view_str(definition), NULL, &ar, &root, NULL);
    if (st == BZ_OK)
        st = bz_mcp_definition_check(x->what, root, &ar, x->undecided);
    bz_arena_free(&ar);
    return st == BZ_ESYNTAX ? BZ_OK : st;
}

/* The definition that is meant: the one that is shown now, or the one whose digest was given. */
static enum bz_status find(void *ctx, const struct bz_mcpstore_row *t) {
    struct wanted *x = ctx;
    bool same = bz_ct_equal(bz_view(t->digest, BZ_HASH_LEN), bz_view(x->want, BZ_HASH_LEN));
    if (x->found || (x->has_digest ? !same : !t->current))
        return BZ_OK;
    x->found = true;
    x->t.current = t->current;
    memcpy(x->t.digest, t->digest, sizeof x->t.digest);
    return undecided(x, t->definition);
}

static unsigned meant(struct bz_admin_call *c, struct wanted *x) {
    enum bz_status st =
        bz_mcpstore_list(bz_mcp_rows(c->d->mcp), x->server, x->kind, x->name, find, x);
    if (st == BZ_OK && !x->found)
        st = BZ_ENOTFOUND;
    return st == BZ_OK ? 0 : bz_admin_failed(c, st, "the definition");
}

static struct bz_view detail(char mem[DETAIL_MAX], const struct wanted *x) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, DETAIL_MAX);
    bz_put_safe(&b, bz_view_str(x->server));
    bz_buf_putc(&b, '/');
    bz_put_safe(&b, bz_view_sub(bz_view_str(x->name), 0, NAME_SHOWN)); /* the digest says which */
    bz_buf_puts(&b, " (");
    bz_buf_puts(&b, x->kind);
    bz_buf_putc(&b, ')');
    bz_buf_puts(&b, " sha256:");
    bz_buf_put_hex(&b, bz_view(x->t.digest, sizeof x->t.digest));
    if (x->note != NULL && x->note[0] != '\0') {
        bz_buf_puts(&b, ": ");
        bz_put_safe(&b, bz_view_str(x->note));
    }
    return bz_buf_view(&b);
}

static enum bz_status decide(struct bz_admin_call *c, struct wanted *x, const char *state) {
    struct bz_mcpstore *rows = bz_mcp_rows(c->d->mcp);
    struct bz_view by = bz_arena_dup(c->arena, c->r->actor);
    if (by.p == NULL)
        return BZ_ENOMEM;
    x->t.server = x->server;
    x->t.kind = x->kind;
    x->t.name = x->name;
    x->t.state = state;
    x->t.by = (const char *)by.p;
    x->t.note = x->note == NULL ? "" : x->note;
    x->t.decided = c->now;
    BZ_TRY(bz_mcpstore_begin(rows));
    enum bz_status st = bz_mcpstore_decide(rows, &x->t);
    if (st == BZ_OK)
        st = bz_mcpstore_retire(rows, &x->t);
    return bz_mcpstore_end(rows, st);
}

static unsigned answer(struct bz_admin_call *c, const struct wanted *x, bool recorded) {
    struct bz_jw w;
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "server", bz_view_str(x->server));
    bz_jw_kstr(&w, "kind", bz_view_str(x->kind));
    bz_jw_kstr(&w, "name", bz_view_str(x->name));
    bz_jw_kstr(&w, "state", bz_view_str(x->t.state));
    put_digest(&w, x->t.digest);
    bz_jw_ku64(&w, "generation", c->d->generation);
    bz_jw_kbool(&w, "recorded", recorded);
    bz_jw_end(&w);
    return 200;
}

unsigned bz_admin_mcp_approve(struct bz_admin_call *c) {
    struct wanted x = {.server = NULL};
    char mem[DETAIL_MAX];
    bool recorded = false;
    unsigned status = take(c, &x);
    if (status == 0)
        status = meant(c, &x);
    if (status != 0)
        return status;
    if (!x.t.current)
        return bz_admin_refuse(
            c, 409, "not_current",
            "the server does not have this definition any more; look at it again");
    if (x.undecided[0] != '\0')
        return bz_admin_refuse(c, 409, "undecidable",
                               "nothing can be held against this definition: %s", x.undecided);
    if (!bz_admin_record(c, "mcp.approve", detail(mem, &x), BZ_ADMIN_RECORD_FIRST, &recorded,
                         &status))
        return status;
    enum bz_status st = decide(c, &x, "approved");
    if (st != BZ_OK) {
        (void)!bz_journal_admin(c->d, c->r->actor, "mcp.approve",
                                BZ_V("failed, nothing was approved"), "refuse");
        return bz_admin_failed(c, st, "the approval");
    }
    status = bz_admin_publish(c);
    return status != 0 ? status : answer(c, &x, recorded);
}

unsigned bz_admin_mcp_revoke(struct bz_admin_call *c) {
    struct wanted x = {.server = NULL};
    char mem[DETAIL_MAX];
    bool recorded = false;
    unsigned ignored = 0, status = take(c, &x);
    if (status == 0)
        status = meant(c, &x);
    if (status != 0)
        return status;
    enum bz_status st = decide(c, &x, "revoked");
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the definition");
    status = bz_admin_publish(c);
    (void)bz_admin_record(c, "mcp.revoke", detail(mem, &x), BZ_ADMIN_ACT_ANYWAY, &recorded,
                          &ignored);
    return status != 0 ? status : answer(c, &x, recorded);
}
