/* Pins: what was listed against what is known, and what workers get of it. */
#include <stdio.h>
#include <stdlib.h>

#include <bartizan/text.h>

#include "mcp.h"

enum { DETAIL_MAX = 512, NAME_SHOWN = 256, ALERTS_MAX = 16, ARENA_MAX = 64 << 20 };

/* ---- what is known of one tool, resource, template, prompt ---- */

struct known {
    const uint8_t *digest;
    bool here;      /* this very definition */
    bool here_was;  /* and it was current */
    char state[16]; /* of it */
    bool decided;   /* some definition of this name was approved once */
    bool approved;  /* some is now */
};

static enum bz_status note(void *ctx, const struct bz_mcpstore_row *t) {
    struct known *k = ctx;
    bool approved = strcmp(t->state, "approved") == 0;
    k->approved |= approved;
    k->decided |= approved || t->decided != 0;
    if (!bz_ct_equal(bz_view(t->digest, BZ_HASH_LEN), bz_view(k->digest, BZ_HASH_LEN)))
        return BZ_OK;
    k->here = true;
    k->here_was = t->current;
    (void)snprintf(k->state, sizeof k->state, "%s", t->state);
    return BZ_OK;
}

/* ---- what other servers offer ---- */

struct others {
    struct bz_arena ar;
    const char *server;
    struct bz_mcp_other *v;
    size_t n, cap;
};

static enum bz_status note_other(void *ctx, const struct bz_mcpstore_row *t) {
    struct others *o = ctx;
    if (strcmp(t->server, o->server) == 0 || (!t->current && strcmp(t->state, "approved") != 0))
        return BZ_OK;
    if (o->n == o->cap) {
        size_t cap = o->cap == 0 ? 64 : 2 * o->cap;
        struct bz_mcp_other *more = reallocarray(o->v, cap, sizeof *more);
        if (more == NULL)
            return BZ_ENOMEM;
        o->v = more;
        o->cap = cap;
    }
    struct bz_mcp_other *one = &o->v[o->n++];
    one->server = bz_arena_dup(&o->ar, bz_view_str(t->server));
    one->name = bz_arena_dup(&o->ar, bz_view_str(t->name));
    bool known = bz_mcp_what_from_name(bz_view_str(t->kind), &one->what);
    o->n -= !known;
    return one->server.p != NULL && one->name.p != NULL ? BZ_OK : BZ_ENOMEM;
}

static uint32_t odd_of(const struct bz_mcp_found *f, const struct others *o) {
    char why[BZ_SCHEMA_ERROR];
    struct bz_arena ar;
    struct bz_json *root = NULL;
    uint32_t odd = 0;
    bz_arena_init(&ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    if (bz_json_parse(bz_view_str(f->definition), NULL, &ar, &root, NULL) == BZ_OK) {
        odd = bz_mcp_odd(f->what, root, o->v, o->n);
        if (bz_mcp_definition_check(f->what, root, &ar, why) != BZ_OK)
            odd |= BZ_MCP_ODD_UNDECIDED;
    }
    bz_arena_free(&ar);
    return odd;
}

/* ---- settling ---- */

struct settling {
    struct bz_daemon *d;
    const char *server;
    struct others others;
    uint64_t now;
    unsigned alerts, fresh;
    bool changed; /* other pins than before */
};

static const char *kind(const struct bz_mcp_found *f) {
    return bz_mcp_what(f->what)->name;
}

static void alert(struct settling *s, const char *what, const struct bz_mcp_found *f,
                  const char *text) {
    char mem[DETAIL_MAX];
    struct bz_buf b;
    s->alerts++;
    if (s->alerts > ALERTS_MAX)
        return;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_puts(&b, s->server);
    bz_buf_putc(&b, '/');
    bz_put_safe(&b, bz_view_sub(bz_view_str(f->name), 0, NAME_SHOWN));
    bz_buf_puts(&b, " (");
    bz_buf_puts(&b, kind(f));
    bz_buf_puts(&b, "): ");
    bz_buf_puts(&b, text);
    bz_log("MCP %s", bz_log_safe(bz_buf_view(&b)));
    (void)!bz_journal_admin(s->d, BZ_V("bartizand"), what, bz_buf_view(&b), "refuse");
}

static enum bz_status add(struct settling *s, const struct bz_mcp_found *f, const struct known *k) {
    struct bz_mcpstore_row t = {.server = s->server,
                                .kind = kind(f),
                                .name = f->name,
                                .definition = f->definition,
                                .odd = odd_of(f, &s->others),
                                .current = true,
                                .first = s->now,
                                .last = s->now,
                                .by = "",
                                .note = ""};
    bool shadows = (t.odd & BZ_MCP_ODD_SHADOWS) != 0;
    memcpy(t.digest, f->digest, sizeof t.digest);
    t.state = k->decided ? "changed" : shadows ? "shadowing" : "new";
    BZ_TRY(bz_mcpstore_add(bz_mcp_rows(s->d->mcp), &t));
    if (k->decided)
        alert(s, "mcp.changed", f,
              "the definition is another one than was approved; it is closed until it is approved");
    else if (shadows)
        alert(s, "mcp.shadowing", f, "it looks like, or speaks of, what another server offers");
    else
        s->fresh++;
    return BZ_OK;
}

/* A definition that was seen before. One that was superseded and comes back counts as a change. */
static enum bz_status again(struct settling *s, const struct bz_mcp_found *f,
                            const struct known *k) {
    struct bz_mcpstore_row t = {.server = s->server,
                                .kind = kind(f),
                                .name = f->name,
                                .state = "changed",
                                .last = s->now,
                                .by = "bartizand",
                                .note = "an older definition came back",
                                .decided = s->now};
    memcpy(t.digest, f->digest, sizeof t.digest);
    BZ_TRY(bz_mcpstore_seen(bz_mcp_rows(s->d->mcp), &t));
    if (strcmp(k->state, "retired") != 0 || k->here_was)
        return BZ_OK;
    alert(s, "mcp.changed", f, t.note);
    return bz_mcpstore_decide(bz_mcp_rows(s->d->mcp), &t);
}

static enum bz_status one(struct settling *s, const struct bz_mcp_found *f) {
    struct known k = {.digest = f->digest};
    struct bz_mcpstore_row t = {.server = s->server, .kind = kind(f), .name = f->name};
    BZ_TRY(bz_mcpstore_list(bz_mcp_rows(s->d->mcp), s->server, kind(f), f->name, note, &k));
    memcpy(t.digest, f->digest, sizeof t.digest);
    if (k.approved && !(k.here && strcmp(k.state, "approved") == 0)) {
        s->changed = true; /* what was approved is no longer what the server has */
        BZ_TRY(bz_mcpstore_retire(bz_mcp_rows(s->d->mcp), &t));
    }
    return k.here ? again(s, f, &k) : add(s, f, &k);
}

/* `current` of each tool is read by one() and again() before it is taken away, so the tools that are
 * gone are found last. */
static enum bz_status each(struct settling *s, const struct bz_mcp_found *found, size_t n) {
    enum bz_status st =
        bz_mcpstore_list(bz_mcp_rows(s->d->mcp), NULL, NULL, NULL, note_other, &s->others);
    for (size_t i = 0; i < n && st == BZ_OK; i++)
        st = one(s, &found[i]);
    return st;
}

static enum bz_status mark_current(struct settling *s, const struct bz_mcp_found *found, size_t n) {
    BZ_TRY(bz_mcpstore_unseen(bz_mcp_rows(s->d->mcp), s->server));
    for (size_t i = 0; i < n; i++) {
        struct bz_mcpstore_row t = {
            .server = s->server, .kind = kind(&found[i]), .name = found[i].name, .last = s->now};
        memcpy(t.digest, found[i].digest, sizeof t.digest);
        BZ_TRY(bz_mcpstore_seen(bz_mcp_rows(s->d->mcp), &t));
    }
    return bz_mcpstore_forget(bz_mcp_rows(s->d->mcp), s->server);
}

static void summary(const struct settling *s) {
    char mem[DETAIL_MAX];
    if (s->fresh == 0 && s->alerts <= ALERTS_MAX)
        return;
    int n = snprintf(mem, sizeof mem,
                     "%s: %u new definitions, closed until they are approved; %u alerts", s->server,
                     s->fresh, s->alerts);
    if (n > 0 && (size_t)n < sizeof mem)
        (void)!bz_journal_admin(s->d, BZ_V("bartizand"), "mcp.new", bz_view(mem, (size_t)n),
                                "refuse");
}

enum bz_status bz_mcp_settle(struct bz_daemon *d, const char *server,
                             const struct bz_mcp_found *found, size_t n) {
    struct settling s = {
        .d = d, .server = server, .others.server = server, .now = bz_clock_unix() / 1000000000u};
    bz_arena_init(&s.others.ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    enum bz_status st = bz_mcpstore_begin(bz_mcp_rows(d->mcp));
    if (st == BZ_OK) {
        st = each(&s, found, n);
        if (st == BZ_OK)
            st = mark_current(&s, found, n);
        st = bz_mcpstore_end(bz_mcp_rows(d->mcp), st);
    }
    if (st == BZ_OK) {
        summary(&s);
        d->publish_wanted |= s.changed;
    }
    free(s.others.v);
    bz_arena_free(&s.others.ar);
    return st;
}

/* ---- the image ---- */

struct pinning {
    struct bz_arena ar;
    struct bz_mcp_pin *pins;
    size_t n;
};

static struct bz_view schema(const struct bz_json *s, struct bz_arena *ar) {
    struct bz_buf b;
    struct bz_view text = {NULL, 0};
    if (!bz_json_is(s, BZ_JSON_OBJECT))
        return text;
    bz_buf_init(&b, BZ_MCP_DEFINITION_MAX);
    bz_json_write(&b, s);
    if (bz_buf_status(&b) == BZ_OK)
        text = bz_arena_dup(ar, bz_buf_view(&b));
    bz_buf_free(&b);
    return text;
}

static struct bz_view prompt_schema(const struct bz_json *definition, struct bz_arena *ar) {
    struct bz_buf b;
    bz_buf_init(&b, 2 * BZ_MCP_DEFINITION_MAX);
    bz_mcp_prompt_schema(definition, &b);
    struct bz_view text = {NULL, 0};
    if (bz_buf_status(&b) == BZ_OK)
        text = bz_arena_dup(ar, bz_buf_view(&b));
    bz_buf_free(&b);
    return text;
}

/* What is sent is held against the definition; where that cannot be, it stays closed, approved or not. */
static enum bz_status pin(void *ctx, const struct bz_mcpstore_row *t) {
    struct pinning *p = ctx;
    struct bz_mcp_pin out = {.since = t->decided};
    struct bz_json *root = NULL;
    char why[BZ_SCHEMA_ERROR];
    if (strcmp(t->state, "approved") != 0 || p->n == BZ_MCP_DEFINITIONS_MAX ||
        !bz_mcp_what_from_name(bz_view_str(t->kind), &out.what))
        return BZ_OK;
    struct bz_view text = bz_arena_dup(&p->ar, bz_view_str(t->definition));
    if (text.p == NULL)
        return BZ_ENOMEM;
    BZ_TRY(bz_json_parse(text, NULL, &p->ar, &root, NULL));
    enum bz_status st = bz_mcp_definition_check(out.what, root, &p->ar, why);
    if (st == BZ_ESYNTAX) {
        bz_log("MCP %s %s of %s stays closed: %s", t->kind, bz_log_safe(bz_view_str(t->name)),
               t->server, why);
        return BZ_OK;
    }
    BZ_TRY(st);
    out.name = bz_arena_dup(&p->ar, bz_view_str(t->name));
    memcpy(out.digest, t->digest, sizeof out.digest);
    if (out.what == BZ_MCP_TOOL) {
        out.input = schema(bz_json_get(root, BZ_V("inputSchema")), &p->ar);
        out.output = schema(bz_json_get(root, BZ_V("outputSchema")), &p->ar);
    } else if (out.what == BZ_MCP_PROMPT) {
        out.input = prompt_schema(root, &p->ar);
    }
    bool needs_input = out.what == BZ_MCP_TOOL || out.what == BZ_MCP_PROMPT;
    if (out.name.p == NULL || (needs_input && out.input.p == NULL))
        return BZ_ENOMEM;
    p->pins[p->n++] = out;
    return BZ_OK;
}

/* What cannot be read is not approved: the server stays, what it offers is closed. */
static enum bz_status server(struct bz_daemon *d, uint32_t backend, const struct bz_mcp_config *m,
                             struct bz_arena *ar, struct bz_mcp_server *out) {
    struct pinning p = {.n = 0};
    *out = (struct bz_mcp_server){.name = bz_view_str(m->name),
                                  .path = bz_view_str(m->path),
                                  .backend = backend,
                                  .versions = m->versions,
                                  .methods = m->methods,
                                  .roles = m->roles,
                                  .result_max = m->result_max};
    p.pins = bz_arena_zalloc(ar, BZ_MCP_DEFINITIONS_MAX * sizeof *p.pins);
    if (p.pins == NULL)
        return BZ_ENOMEM;
    if (d->mcp == NULL)
        return BZ_OK;
    p.ar = *ar;
    enum bz_status st = bz_mcpstore_list(bz_mcp_rows(d->mcp), m->name, NULL, NULL, pin, &p);
    *ar = p.ar;
    if (st == BZ_ENOMEM)
        return st;
    if (st != BZ_OK)
        bz_log("what is approved of MCP server %s cannot be read: %s", m->name, bz_status_text(st));
    out->pins = p.pins;
    out->pins_n = st == BZ_OK ? p.n : 0;
    return BZ_OK;
}

enum bz_status bz_mcp_blob(struct bz_daemon *d, struct bz_buf *out) {
    struct bz_mcp_server *list = calloc(BZ_MCP_SERVERS_MAX, sizeof *list);
    struct bz_arena ar;
    size_t n = 0;
    if (list == NULL)
        return BZ_ENOMEM;
    bz_arena_init(&ar, bz_alloc_heap, 4 * (size_t)BZ_BLOB_MAX, NULL, 0);
    enum bz_status st = BZ_OK;
    for (uint32_t i = 0; i < d->config->backends_n && st == BZ_OK; i++) {
        const struct bz_mcp_config *m = bz_mcp_of(d, i);
        if (m != NULL && n < BZ_MCP_SERVERS_MAX)
            st = server(d, i, m, &ar, &list[n++]);
    }
    if (st == BZ_OK)
        st = bz_mcp_compile(list, n, out);
    bz_arena_free(&ar);
    free(list);
    return st;
}
