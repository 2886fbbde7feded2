/* Asking an MCP server for what it offers: initialize, notifications/initialized, its lists page by page, DELETE. One
 * question at a time, over the probes of health.c. Nothing here calls a tool, reads a resource, gets a prompt or runs
 * anything that a server says. */
#include <stdio.h>
#include <stdlib.h>

#include "mcp.h"

enum { CURSOR_MAX = 1024, ARENA_MAX = 128 << 20, ID_OPEN = 1, BODY_MAX = 4096 };

enum step { STEP_OPEN, STEP_READY, STEP_LIST, STEP_CLOSE };

struct run { /* one server */
    enum step step;
    char session[BZ_MCP_SESSION_MAX + 1];
    enum bz_mcp_version version;
    char cursor[CURSOR_MAX + 1];
    enum bz_mcp_what what; /* whose list is asked for */
    unsigned offers;       /* bit per bz_mcp_what: the server says that it has some */
    uint32_t pages;        /* of this list */
    uint64_t id;
    bool left_out; /* something was not taken */
    struct bz_mcp_found *found;
    size_t n;
    char why[160];
};
struct bz_mcp_watch {
    struct bz_mcpstore *rows;
    struct run run[BZ_BACKENDS_MAX];
};

/* ---- life ---- */

static void forget_found(struct run *r) {
    for (size_t i = 0; i < r->n; i++) {
        free(r->found[i].name);
        free(r->found[i].definition);
    }
    free(r->found);
    r->found = NULL;
    r->n = 0;
}

void bz_mcp_start(struct bz_daemon *d) {
    char path[BZ_DIR_PATH_MAX];
    struct bz_mcp_watch *w = calloc(1, sizeof *w);
    if (w == NULL)
        return;
    enum bz_status st =
        bz_instance_path(&d->in, BZ_F_STORE, path) ? bz_mcpstore_open(path, &w->rows) : BZ_ETOOBIG;
    if (st == BZ_OK) {
        d->mcp = w;
        return;
    }
    bz_log("what MCP servers offer cannot be kept: %s; nothing is approved", bz_status_text(st));
    free(w);
}

void bz_mcp_stop(struct bz_daemon *d) {
    if (d->mcp == NULL)
        return;
    for (uint32_t i = 0; i < BZ_BACKENDS_MAX; i++)
        forget_found(&d->mcp->run[i]);
    bz_mcpstore_close(d->mcp->rows);
    free(d->mcp);
    d->mcp = NULL;
}

struct bz_mcpstore *bz_mcp_rows(struct bz_mcp_watch *w) {
    return w->rows;
}

const struct bz_mcp_config *bz_mcp_of(const struct bz_daemon *d, uint32_t i) {
    const char *name = d->config->backends[i].name;
    if (d->backend[i].retired || strncmp(name, BZ_MCP_BACKEND, sizeof BZ_MCP_BACKEND - 1) != 0)
        return NULL;
    for (uint32_t k = 0; k < d->config->mcp_n; k++)
        if (strcmp(d->config->mcp[k].name, name + sizeof BZ_MCP_BACKEND - 1) == 0)
            return &d->config->mcp[k];
    return NULL;
}

void bz_mcp_look(struct bz_daemon *d, const char *server) {
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        const struct bz_mcp_config *m = bz_mcp_of(d, i);
        if (m != NULL && strcmp(m->name, server) == 0)
            d->backend[i].next_ns = 0;
    }
}

const char *bz_mcp_why(const struct bz_daemon *d, uint32_t i) {
    return d->mcp == NULL ? "the store of what MCP servers offer cannot be opened"
                          : d->mcp->run[i].why;
}

void bz_mcp_forget(struct bz_daemon *d, uint32_t i) {
    if (d->mcp == NULL)
        return;
    forget_found(&d->mcp->run[i]);
    d->mcp->run[i] = (struct run){.step = STEP_OPEN};
}

/* ---- questions ---- */

static void put_question(const struct run *r, const struct bz_mcp_config *m, struct bz_buf *out) {
    struct bz_jw w;
    unsigned newest = BZ_MCP_VERSION_COUNT - 1;
    while (newest > 0 && (m->versions >> newest & 1) == 0)
        newest--;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "jsonrpc", BZ_V("2.0"));
    if (r->step != STEP_READY)
        bz_jw_ku64(&w, "id", r->id);
    bz_jw_kstr(&w, "method",
               r->step == STEP_OPEN ? BZ_V("initialize")
               : r->step == STEP_READY
                   ? BZ_V("notifications/initialized")
                   : bz_view_str(bz_mcp_method(bz_mcp_what(r->what)->method)->name));
    if (r->step == STEP_OPEN || (r->step == STEP_LIST && r->cursor[0] != '\0')) {
        bz_jw_key(&w, "params");
        bz_jw_obj(&w);
    }
    if (r->step == STEP_OPEN) {
        bz_jw_kstr(&w, "protocolVersion",
                   bz_view_str(bz_mcp_version_name((enum bz_mcp_version)newest)));
        bz_jw_key(&w, "capabilities");
        bz_jw_obj(&w);
        bz_jw_end(&w);
        bz_jw_key(&w, "clientInfo");
        bz_jw_obj(&w);
        bz_jw_kstr(&w, "name", BZ_V("bartizan"));
        bz_jw_kstr(&w, "version", BZ_V(BZ_VERSION));
        bz_jw_end(&w);
        bz_jw_end(&w);
    } else if (r->step == STEP_LIST && r->cursor[0] != '\0') {
        bz_jw_kstr(&w, "cursor", bz_view_str(r->cursor));
        bz_jw_end(&w);
    }
    bz_jw_end(&w);
}

static struct curl_slist *add(struct curl_slist *l, const char *name, const char *value) {
    char line[BZ_MCP_SESSION_MAX + 64];
    int n = snprintf(line, sizeof line, "%s: %s", name, value);
    return n > 0 && (size_t)n < sizeof line ? curl_slist_append(l, line) : l;
}

/* The session's id as the server gave it; only what a header can carry. */
static size_t on_header(char *p, size_t size, size_t n, void *ctx) {
    struct run *r = ctx;
    struct bz_view line = bz_view(p, size * n), name = BZ_V("mcp-session-id:");
    if (line.n <= name.n || !bz_view_eq_nocase(bz_view_sub(line, 0, name.n), name))
        return size * n;
    line = bz_view_sub(line, name.n, line.n);
    while (line.n > 0 && line.p[0] == ' ')
        line = bz_view_sub(line, 1, line.n);
    while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
        line.n--;
    bool good = line.n <= BZ_MCP_SESSION_MAX;
    for (size_t i = 0; i < line.n; i++)
        good &= line.p[i] > 0x20 && line.p[i] < 0x7f;
    if (good && r->step == STEP_OPEN) {
        memcpy(r->session, line.p, line.n);
        r->session[line.n] = '\0';
    }
    return size * n;
}

const char *bz_mcp_ask(struct bz_daemon *d, uint32_t i, CURL *h, struct curl_slist **head) {
    const struct bz_mcp_config *m = bz_mcp_of(d, i);
    struct run *r = d->mcp == NULL ? NULL : &d->mcp->run[i];
    char mem[BODY_MAX];
    struct bz_buf b;
    if (m == NULL || r == NULL)
        return NULL;
    if (r->step == STEP_OPEN) {
        forget_found(r);
        r->session[0] = r->cursor[0] = '\0';
        r->pages = r->offers = 0;
        r->left_out = false;
        r->id = ID_OPEN;
    }
    *head = curl_slist_append(*head, "Accept: application/json, text/event-stream");
    *head = curl_slist_append(*head, "Content-Type: application/json");
    if (r->session[0] != '\0')
        *head = add(*head, "Mcp-Session-Id", r->session);
    if (r->step != STEP_OPEN)
        *head = add(*head, "MCP-Protocol-Version", bz_mcp_version_name(r->version));
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, r);
    if (r->step == STEP_CLOSE) {
        curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, "DELETE");
        return m->path;
    }
    bz_buf_init_fixed(&b, mem, sizeof mem - 1);
    put_question(r, m, &b);
    mem[b.n] = '\0';
    if (bz_buf_status(&b) != BZ_OK)
        return NULL;
    curl_easy_setopt(h, CURLOPT_COPYPOSTFIELDS, mem);
    return m->path;
}

/* ---- answers ---- */

struct answer { /* the response to our question, out of a document or a stream */
    uint64_t id;
    struct bz_arena *ar;
    struct bz_json *result;
};

static void look_at(struct answer *a, struct bz_json *root) {
    struct bz_mcp_message m;
    int64_t id;
    if (a->result == NULL && bz_mcp_message_read(root, &m, NULL) == BZ_OK &&
        m.kind == BZ_MCP_RESULT && bz_json_i64(m.id, &id) == BZ_OK && id == (int64_t)a->id)
        a->result = m.result;
}

static enum bz_status on_event(void *ctx, struct bz_view name, struct bz_view data,
                               struct bz_json *root, struct bz_arena *scratch, struct bz_buf *out) {
    struct answer *a = ctx;
    struct bz_json *own = NULL;
    (void)name, (void)root, (void)scratch, (void)out;
    data = bz_arena_dup(a->ar, data); /* the event's own memory ends with it */
    if (data.p != NULL && bz_json_parse(data, NULL, a->ar, &own, NULL) == BZ_OK)
        look_at(a, own);
    return BZ_OK;
}

static void read_stream(struct bz_view body, struct answer *a) {
    static const struct bz_route route = {
        .dialect = BZ_DIALECT_MCP, .api = BZ_API_MCP, .scope = ""};
    struct bz_arena scratch;
    struct bz_stream s;
    struct bz_buf none;
    bz_arena_init(&scratch, bz_alloc_heap, ARENA_MAX, NULL, 0);
    bz_buf_init(&none, BZ_MCP_LIST_MAX);
    bz_stream_init(&s, &route, false);
    s.event = on_event;
    s.ctx = a;
    (void)!bz_stream_feed(&s, body, &scratch, &none); /* what came before an error counts */
    bz_stream_done(&s);
    bz_buf_free(&none);
    bz_arena_free(&scratch);
}

static bool is_stream(CURL *h) {
    const char *type = NULL;
    return curl_easy_getinfo(h, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != NULL &&
           bz_view_eq_nocase(bz_view_sub(bz_view_str(type), 0, 17), BZ_V("text/event-stream"));
}

static bool keep(struct run *r, const struct bz_json *definition, struct bz_arena *ar) {
    struct bz_mcp_found f = {.what = r->what};
    struct bz_view name = bz_mcp_definition_name(r->what, definition);
    struct bz_buf b;
    if (r->n == BZ_MCP_DEFINITIONS_MAX ||
        bz_mcp_definition_digest(r->what, definition, ar, f.digest) != BZ_OK)
        return false;
    for (size_t i = 0; i < r->n; i++)
        if (r->found[i].what == r->what && bz_view_eq(name, bz_view_str(r->found[i].name)))
            return false; /* two of one name: neither is the one that was approved */
    struct bz_mcp_found *more = reallocarray(r->found, r->n + 1, sizeof *more);
    if (more == NULL)
        return false;
    r->found = more;
    bz_buf_init(&b, BZ_MCP_DEFINITION_MAX);
    if (bz_mcp_definition_text(definition, ar, &b) == BZ_OK) {
        f.name = strndup((const char *)name.p, name.n);
        f.definition = strndup((const char *)b.p, b.n);
    }
    bz_buf_free(&b);
    if (f.name == NULL || f.definition == NULL) {
        free(f.name);
        free(f.definition);
        return false;
    }
    r->found[r->n++] = f;
    return true;
}

/* One page. NULL, or why it is none. */
static const char *take_page(struct run *r, const struct bz_json *result, struct bz_arena *ar) {
    const struct bz_json *list = bz_json_get(result, bz_view_str(bz_mcp_what(r->what)->list));
    struct bz_view cursor = bz_json_str(bz_json_get(result, BZ_V("nextCursor")));
    if (!bz_json_is(list, BZ_JSON_ARRAY) || cursor.n > CURSOR_MAX ||
        memchr(cursor.p, 0, cursor.n) != NULL)
        return "a list of what it offers cannot be read";
    for (const struct bz_json *t = list->first; t != NULL; t = t->next)
        r->left_out |= !keep(r, t, ar);
    memcpy(r->cursor, cursor.p, cursor.n);
    r->cursor[cursor.n] = '\0';
    if (cursor.n > 0 && ++r->pages >= BZ_MCP_PAGES_MAX) {
        r->left_out = true;
        r->cursor[0] = '\0';
    }
    return NULL;
}

static const char *take_open(struct run *r, const struct bz_mcp_config *m,
                             const struct bz_json *result) {
    enum bz_mcp_version v;
    struct bz_view name = bz_json_str(bz_json_get(result, BZ_V("protocolVersion")));
    if (!bz_mcp_version_from_name(name, &v) || (m->versions >> v & 1) == 0)
        return "it speaks no revision of MCP that is allowed for it";
    r->version = v;
    const struct bz_json *has = bz_json_get(result, BZ_V("capabilities"));
    if (bz_json_is(bz_json_get(has, BZ_V("tools")), BZ_JSON_OBJECT))
        r->offers |= 1u << BZ_MCP_TOOL;
    if (bz_json_is(bz_json_get(has, BZ_V("resources")), BZ_JSON_OBJECT))
        r->offers |= 1u << BZ_MCP_RESOURCE | 1u << BZ_MCP_TEMPLATE;
    if (bz_json_is(bz_json_get(has, BZ_V("prompts")), BZ_JSON_OBJECT))
        r->offers |= 1u << BZ_MCP_PROMPT;
    r->step = STEP_READY;
    return NULL;
}

static const char *understand(struct bz_daemon *d, uint32_t i, CURL *h, struct bz_view body) {
    const struct bz_mcp_config *m = bz_mcp_of(d, i);
    struct run *r = &d->mcp->run[i];
    struct bz_arena ar;
    struct bz_json *root = NULL;
    const char *why = "its answer cannot be read: is it an MCP server with streamable HTTP?";
    bz_arena_init(&ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    struct answer a = {r->id, &ar, NULL};
    if (is_stream(h))
        read_stream(body, &a);
    else if (bz_json_parse(body, NULL, &ar, &root, NULL) == BZ_OK)
        look_at(&a, root);
    if (a.result != NULL)
        why = r->step == STEP_OPEN ? take_open(r, m, a.result) : take_page(r, a.result, &ar);
    bz_arena_free(&ar);
    return why;
}

/* The lists are whole: what is new, what has changed. */
static const char *settle(struct bz_daemon *d, uint32_t i) {
    struct run *r = &d->mcp->run[i];
    r->step = r->session[0] != '\0' ? STEP_CLOSE : STEP_OPEN;
    enum bz_status st = bz_mcp_settle(d, bz_mcp_of(d, i)->name, r->found, r->n);
    (void)snprintf(r->why, sizeof r->why, "%s",
                   r->left_out ? "some of what it offers was not taken: no usable name, the same "
                                 "name twice, too large, or too many"
                               : "");
    forget_found(r);
    return st == BZ_OK ? NULL : "what it offers cannot be kept: the store fails";
}

/* The first list from `w` on that the server has; none: everything is there. */
static const char *list_from(struct bz_daemon *d, uint32_t i, unsigned w) {
    struct run *r = &d->mcp->run[i];
    while (w < BZ_MCP_WHAT_COUNT && (r->offers >> w & 1) == 0)
        w++;
    r->pages = 0;
    r->step = STEP_LIST;
    r->what = (enum bz_mcp_what)(w < BZ_MCP_WHAT_COUNT ? w : 0);
    return w < BZ_MCP_WHAT_COUNT ? NULL : settle(d, i);
}

static const char *next(struct bz_daemon *d, uint32_t i, CURL *h, struct bz_view body) {
    struct run *r = &d->mcp->run[i];
    if (r->step == STEP_READY) {
        r->id++;
        return list_from(d, i, 0);
    }
    bool lists = r->step == STEP_LIST;
    const char *why = understand(d, i, h, body);
    r->id++;
    if (why == NULL && lists && r->cursor[0] == '\0')
        return list_from(d, i, (unsigned)r->what + 1);
    return why;
}

void bz_mcp_take(struct bz_daemon *d, uint32_t i, CURL *h, CURLcode rc, struct bz_view body,
                 const char **ret_why, bool *ret_again) {
    struct run *r = d->mcp == NULL ? NULL : &d->mcp->run[i];
    long status = 0;
    *ret_again = false;
    *ret_why = "the store of what MCP servers offer cannot be opened";
    if (r == NULL || bz_mcp_of(d, i) == NULL)
        return;
    bool late = rc == CURLE_OPERATION_TIMEDOUT && body.n > 0; /* a stream that stays open */
    if (r->step == STEP_CLOSE) {                              /* whatever it says to that */
        r->step = STEP_OPEN;
        *ret_why = NULL;
        return;
    }
    if ((rc != CURLE_OK && !late) ||
        curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
        *ret_why = curl_easy_strerror(rc);
    else if (status == 401 || status == 403)
        *ret_why = "it refuses our credential: see key_file of the server";
    else if (status < 200 || status >= 300)
        *ret_why = "it answers with an error status";
    else
        *ret_why = next(d, i, h, body);
    if (*ret_why != NULL) {
        forget_found(r);
        r->step = STEP_OPEN;
    }
    *ret_again = *ret_why == NULL && r->step != STEP_OPEN;
}
