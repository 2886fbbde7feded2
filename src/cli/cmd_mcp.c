/* bartizan mcp ...: what MCP servers offer (tools, resources, templates, prompts), and what was approved of it. */
#include <stdio.h>
#include <stdlib.h>

#include "admin_client.h"
#include "commands.h"
#include "opts.h"

enum { CALL_MS = 30000, BODY_MAX = 3072, LINES_MAX = 4096 };

static void text(const struct bz_json *o, struct bz_view key, int width) {
    struct bz_view v = bz_json_str(bz_json_get(o, key));
    bz_print_safe(stdout, v);
    for (int i = (int)v.n; i < width; i++)
        (void)putchar(' ');
}

static void odd(const struct bz_json *definition) {
    static const struct {
        const char *name, *text;
    } words[] = {
        {"name", "no usable name"},
        {"invisible", "invisible characters"},
        {"control", "control tokens of chat templates"},
        {"orders", "speaks to the model"},
        {"same_name", "named like one of another server"},
        {"mentions", "names another server or what it offers"},
        {"undecided", "nothing can be held against it, cannot be approved"},
    };
    const struct bz_json *l = bz_json_get(definition, BZ_V("odd"));
    bool first = true;
    for (const struct bz_json *o = l == NULL ? NULL : l->first; o != NULL; o = o->next) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (!bz_view_eq(bz_json_str(o), bz_view_str(words[i].name)))
                continue;
            (void)printf("%s%s", first ? "" : "; ", words[i].text);
            first = false;
        }
    }
}

/* ---- list ---- */

static void show_list(const struct bz_answer_json *a) {
    const struct bz_json *l = bz_json_get(a->root, BZ_V("servers"));
    if (l == NULL || l->first == NULL)
        (void)printf("no MCP server is configured; see 'mcp' in docs/CONFIGURATION.md\n");
    for (const struct bz_json *s = l == NULL ? NULL : l->first; s != NULL; s = s->next) {
        const struct bz_json *all = bz_json_get(s, BZ_V("definitions"));
        bool up = bz_json_is(bz_json_get(s, BZ_V("up")), BZ_JSON_TRUE);
        text(s, BZ_V("name"), 0);
        (void)printf(up ? ": up" : ": down");
        if (bz_json_str(bz_json_get(s, BZ_V("why"))).n > 0)
            (void)printf(", ");
        text(s, BZ_V("why"), 0);
        (void)printf("\n");
        for (const struct bz_json *t = all == NULL ? NULL : all->first; t != NULL; t = t->next) {
            (void)printf("  ");
            text(t, BZ_V("kind"), 10);
            text(t, BZ_V("name"), 33);
            text(t, BZ_V("state"), 11);
            bz_print_safe(stdout, bz_view_sub(bz_json_str(bz_json_get(t, BZ_V("digest"))), 0, 12));
            (void)printf(bz_json_is(bz_json_get(t, BZ_V("current")), BZ_JSON_TRUE) ? "  "
                                                                                   : "  (gone) ");
            odd(t);
            (void)printf("\n");
        }
    }
}

static int mcp_list(int argc, char **argv) {
    bool json = false, help = false;
    const struct bz_opt list[] = {{"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"}};
    static const char *const names[] = {"DIR"};
    const struct bz_opts o = {"bartizan mcp list DIR [--json]",
                              "Lists MCP servers, what they offer, and what was decided over each.",
                              list,
                              1,
                              names,
                              1,
                              1};
    const char *dir = NULL;
    size_t n = 0;
    if (bz_opts_parse(&o, argc, argv, &dir, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    return bz_admin_run(dir, "GET", "/v1/mcp", bz_view(NULL, 0), CALL_MS, json, show_list);
}

/* ---- a definition as lines: "path: value" ---- */

struct lines {
    char *v[LINES_MAX];
    size_t n;
};

static void lines_free(struct lines *l) {
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i]);
    l->n = 0;
}

static void add_line(struct lines *l, struct bz_view path, const struct bz_json *v) {
    struct bz_buf b;
    if (l->n == LINES_MAX)
        return;
    bz_buf_init(&b, 1 << 20);
    bz_put_safe(&b, path);
    bz_buf_puts(&b, ": ");
    if (v->type == BZ_JSON_STRING)
        bz_put_safe(&b, v->val);
    else
        bz_json_write(&b, v);
    if (bz_buf_status(&b) == BZ_OK && (l->v[l->n] = strndup((const char *)b.p, b.n)) != NULL)
        l->n++;
    bz_buf_free(&b);
}

/* Depth is the reader's. */
static void flatten(struct lines *l, struct bz_buf *path, const struct bz_json *v) {
    size_t before = path->n, i = 0;
    if (v->first == NULL) {
        add_line(l, bz_buf_view(path), v);
        return;
    }
    for (const struct bz_json *m = v->first; m != NULL; m = m->next, i++) {
        if (v->type == BZ_JSON_OBJECT) {
            bz_buf_puts(path, before == 0 ? "" : ".");
            bz_buf_put(path, m->key);
        } else {
            bz_buf_printf(path, "[%zu]", i);
        }
        flatten(l, path, m);
        path->n = before;
    }
}

static void lines_of(const struct bz_json *definition, struct lines *l) {
    struct bz_buf path;
    bz_buf_init(&path, 1 << 20);
    if (definition != NULL)
        flatten(l, &path, definition);
    bz_buf_free(&path);
}

static bool has(const struct lines *l, const char *line) {
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i], line) == 0)
            return true;
    return false;
}

static void print_lines(const struct lines *l, const struct lines *not_in, const char *mark) {
    for (size_t i = 0; i < l->n; i++)
        if (not_in == NULL || !has(not_in, l->v[i]))
            (void)printf("%s%s\n", mark, l->v[i]);
}

/* ---- show, diff ---- */

static const struct bz_json *definition(const struct bz_answer_json *a, bool current) {
    const struct bz_json *l = bz_json_get(a->root, BZ_V("definitions"));
    const struct bz_json *best = NULL;
    for (const struct bz_json *d = l == NULL ? NULL : l->first; d != NULL; d = d->next) {
        bool is = bz_json_is(bz_json_get(d, BZ_V("current")), BZ_JSON_TRUE);
        struct bz_view state = bz_json_str(bz_json_get(d, BZ_V("state")));
        bool was = bz_view_eq(state, BZ_V("approved")) || bz_view_eq(state, BZ_V("retired"));
        if (current ? is : !is && was && best == NULL)
            best = d;
    }
    return best;
}

static void show_definition(const struct bz_answer_json *a) {
    static struct lines l;
    const struct bz_json *d = definition(a, true);
    if (d == NULL)
        d = definition(a, false);
    (void)printf("state    ");
    text(d, BZ_V("state"), 0);
    (void)printf("\ndigest   ");
    text(d, BZ_V("digest"), 0);
    if (bz_json_str(bz_json_get(d, BZ_V("by"))).n > 0) {
        (void)printf("\nby       ");
        text(d, BZ_V("by"), 0);
        (void)printf("  ");
        text(d, BZ_V("note"), 0);
    }
    (void)printf("\nodd      ");
    odd(d);
    (void)printf("\n");
    lines_of(bz_json_get(d, BZ_V("definition")), &l);
    print_lines(&l, NULL, "  ");
    lines_free(&l);
}

static void show_diff(const struct bz_answer_json *a) {
    static struct lines old, now;
    const struct bz_json *before = definition(a, false), *current = definition(a, true);
    if (before == NULL)
        (void)printf("no earlier definition was approved\n");
    lines_of(bz_json_get(before, BZ_V("definition")), &old);
    lines_of(bz_json_get(current, BZ_V("definition")), &now);
    print_lines(&old, &now, "- ");
    print_lines(&now, &old, "+ ");
    lines_free(&old);
    lines_free(&now);
}

struct call {
    const char *usage, *about, *path;
    bool decides;
    bz_show_fn *show;
};

static bool put_body(struct bz_buf *b, const char *const words[3], const char *kind,
                     const char *note, const char *digest) {
    struct bz_jw w;
    bz_jw_init(&w, b);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "server", bz_view_str(words[1]));
    if (kind != NULL)
        bz_jw_kstr(&w, "kind", bz_view_str(kind));
    bz_jw_kstr(&w, "name", bz_view_str(words[2]));
    if (note != NULL)
        bz_jw_kstr(&w, "note", bz_view_str(note));
    if (digest != NULL)
        bz_jw_kstr(&w, "digest", bz_view_str(digest));
    bz_jw_end(&w);
    return bz_buf_status(b) == BZ_OK;
}

static int call(const struct call *c, int argc, char **argv) {
    bool json = false, help = false;
    const char *kind = NULL, *note = NULL, *digest = NULL, *words[3] = {NULL, NULL, NULL};
    const struct bz_opt list[] = {
        {"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"},
        {"kind", BZ_OPT_TEXT, &kind, "KIND", "tool (default), resource, template, prompt"},
        {"note", BZ_OPT_TEXT, &note, "TEXT", "why; stands in the audit log"},
        {"digest", BZ_OPT_TEXT, &digest, "HEX", "only if the definition is still this one"},
    };
    static const char *const names[] = {"DIR", "SERVER", "NAME"};
    const struct bz_opts o = {c->usage, c->about, list, c->decides ? 4 : 2, names, 3, 3};
    char mem[BODY_MAX];
    struct bz_buf b;
    size_t n = 0;
    if (bz_opts_parse(&o, argc, argv, words, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    if (!put_body(&b, words, kind, note, digest)) {
        bz_say("a name or the note is too long");
        return BZ_EXIT_FAILURE;
    }
    return bz_admin_run(words[0], "POST", c->path, bz_buf_view(&b), CALL_MS, json, c->show);
}

static void show_decided(const struct bz_answer_json *a) {
    text(a->root, BZ_V("server"), 0);
    (void)printf("/");
    text(a->root, BZ_V("name"), 0);
    (void)printf(" (");
    text(a->root, BZ_V("kind"), 0);
    (void)printf(") is ");
    text(a->root, BZ_V("state"), 0);
    (void)printf(", sha256:");
    text(a->root, BZ_V("digest"), 0);
    (void)printf("\n");
}

static int mcp_show(int argc, char **argv) {
    static const struct call c = {"bartizan mcp show DIR SERVER NAME [--kind KIND] [--json]",
                                  "Shows a definition, line by line, as models would read it.",
                                  "/v1/mcp/show", false, show_definition};
    return call(&c, argc, argv);
}

static int mcp_diff(int argc, char **argv) {
    static const struct call c = {"bartizan mcp diff DIR SERVER NAME [--kind KIND] [--json]",
                                  "Shows what the server has changed since it was approved.",
                                  "/v1/mcp/show", false, show_diff};
    return call(&c, argc, argv);
}

static int mcp_approve(int argc, char **argv) {
    static const struct call c = {
        "bartizan mcp approve DIR SERVER NAME [--kind KIND] [--digest HEX] [--note TEXT] [--json]",
        "Lets clients see and use a tool, a resource, a template of resources or a prompt, for as "
        "long as its definition stays as it is now.",
        "/v1/mcp/approve", true, show_decided};
    return call(&c, argc, argv);
}

static int mcp_revoke(int argc, char **argv) {
    static const struct call c = {
        "bartizan mcp revoke DIR SERVER NAME [--kind KIND] [--digest HEX] [--note TEXT] [--json]",
        "Closes it at once.", "/v1/mcp/revoke", true, show_decided};
    return call(&c, argc, argv);
}

int bz_cli_mcp(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"list", "MCP servers, what they offer, what was decided", mcp_list},
        {"show", "a definition", mcp_show},
        {"diff", "what has changed since it was approved", mcp_diff},
        {"approve", "let clients see and use it as it is now", mcp_approve},
        {"revoke", "close it", mcp_revoke},
    };
    return bz_cli_dispatch("bartizan mcp", list, sizeof list / sizeof list[0], argc, argv);
}
