/* bartizan advisory match [DIR]. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin_client.h"
#include "match.h"
#include "opts.h"

enum { OUT_MAX = 1 << 30, CALL_MS = 5000 };

struct asked {
    const char *dir, *root;
    bool json, sarif, run;
};

/* What the gateway's own backends say they are: running servers need no file that tells. */
static void add_backends(struct bz_inventory *inv, const struct bz_instance *in) {
    struct bz_answer_json a;
    if (bz_admin_call(in, "GET", "/v1/status", (struct bz_view){NULL, 0}, CALL_MS, &a) == BZ_OK) {
        const struct bz_json *l = bz_json_get(a.root, BZ_V("backends"));
        for (const struct bz_json *b = l == NULL ? NULL : l->first; b != NULL; b = b->next) {
            struct bz_view type = bz_json_str(bz_json_get(b, BZ_V("type")));
            bool vllm = bz_view_eq(type, BZ_V("vllm"));
            if (!vllm && !bz_view_eq(type, BZ_V("ollama")) && !bz_view_eq(type, BZ_V("llama.cpp")))
                continue;
            struct bz_component *c =
                bz_inventory_add(inv, vllm ? BZ_COMPONENT_PYPI : BZ_COMPONENT_SERVER);
            if (c == NULL)
                break;
            c->name = bz_inventory_text(inv, type);
            c->version = bz_inventory_text(inv, bz_json_str(bz_json_get(b, BZ_V("version"))));
            c->path = bz_inventory_text(inv, bz_json_str(bz_json_get(b, BZ_V("url"))));
        }
    }
    bz_answer_done(&a);
}

static int outcome(const struct bz_match *m) {
    bool certain = false;
    for (const struct bz_match_finding *f = m->first; f != NULL; f = f->next)
        certain = certain || f->certain;
    if (certain)
        return BZ_EXIT_FINDINGS;
    bool whole = m->n == 0 && m->open == NULL && !m->failed && !m->inv->full && m->stale == 0;
    return whole ? BZ_EXIT_OK : BZ_EXIT_UNCHECKED;
}

static int report(const struct bz_match *m, const struct asked *a) {
    struct bz_buf b;
    if (!a->json && !a->sarif) {
        bz_match_print(m);
        return outcome(m);
    }
    bz_buf_init(&b, OUT_MAX);
    if (a->sarif)
        bz_match_sarif(m, &b);
    else
        bz_match_json(m, &b);
    bool ok =
        bz_buf_status(&b) == BZ_OK && fwrite(b.p, 1, b.n, stdout) == b.n && fflush(stdout) == 0;
    bz_buf_free(&b);
    if (!ok)
        bz_say("the output could not be written");
    return ok ? outcome(m) : BZ_EXIT_FAILURE;
}

static int match(const struct asked *a, const struct bz_instance *in, const struct bz_config *c,
                 struct bz_inventory *inv) {
    struct bz_match m = {.inv = inv, .config = c, .now = bz_clock_unix() / 1000000000u};
    struct bz_match_index *x = bz_match_index_new(inv);
    int rc = BZ_EXIT_FAILURE;
    bz_arena_init(&m.ar, bz_alloc_heap, BZ_INVENTORY_MEMORY, NULL, 0);
    m.of = bz_arena_zalloc(&m.ar, (inv->n + 1) * sizeof *m.of);
    if (x == NULL || m.of == NULL) {
        bz_say("out of memory");
    } else if (bz_match_sources(&m, x, in)) {
        bz_match_kev(&m, in);
        bz_match_due(&m, in, a->root == NULL);
        bz_match_sort(&m);
        bz_match_open(&m, x);
        rc = report(&m, a);
    }
    bz_match_index_free(x);
    bz_arena_free(&m.ar);
    return rc;
}

static int run(const struct asked *a, const struct bz_instance *in, const struct bz_config *c) {
    struct bz_inventory inv;
    struct bz_collect walk = {
        .inv = &inv, .root = -1, .run = a->run, .progress = isatty(STDERR_FILENO) != 0};
    int rc = BZ_EXIT_FAILURE;
    bz_inventory_init(&inv);
    if (bz_collect_all(&walk, a->root == NULL ? "/" : a->root)) {
        if (in != NULL && a->root == NULL)
            add_backends(&inv, in);
        bz_inventory_sort(&inv);
        if (inv.notes_n > 0 && !a->json && !a->sarif)
            bz_say("%zu places could not be read; 'bartizan inventory' names them", inv.notes_n);
        rc = match(a, in, c, &inv);
    }
    bz_inventory_free(&inv);
    return rc;
}

static int with_instance(const struct asked *a) {
    struct bz_instance in;
    struct bz_config *c = NULL;
    struct bz_buf text;
    struct bz_config_errors errs = {.n = 0};
    if (!bz_cli_open(a->dir, &in))
        return BZ_EXIT_FAILURE;
    bz_buf_init(&text, BZ_CONFIG_MAX);
    enum bz_status st = bz_instance_config(&in, BZ_F_CONFIG, &text, &c, &errs);
    if (st != BZ_OK)
        bz_cli_config_errors(stderr, BZ_F_CONFIG, st, bz_buf_view(&text), &errs);
    bz_buf_free(&text);
    int rc = st == BZ_OK ? run(a, &in, c) : BZ_EXIT_FAILURE;
    bz_config_free(c);
    bz_instance_close(&in);
    return rc;
}

int bz_advisory_match(int argc, char **argv) {
    static const char *const words[] = {"DIR"};
    const char *w[1] = {NULL};
    size_t n = 0;
    bool help = false;
    struct asked a = {.dir = NULL};
    const struct bz_opt list[] = {
        {"root", BZ_OPT_TEXT, &a.root, "ROOT",
         "look below ROOT instead of / (an image, a mounted disk)"},
        {"run", BZ_OPT_FLAG, &a.run, NULL, "run model servers that are found with --version"},
        {"sarif", BZ_OPT_FLAG, &a.sarif, NULL, "print SARIF 2.1.0"},
        {"json", BZ_OPT_FLAG, &a.json, NULL, "print one JSON object"}};
    const struct bz_opts o = {
        "bartizan advisory match [DIR] [--root ROOT] [--run] [--json|--sarif]",
        "Holds what is installed against the advisories: the built-in pack, and with an instance "
        "DIR\n"
        "what 'advisory update' took. Exit codes: 0 nothing, 1 findings, 2 failure, 3 nothing "
        "certain,\n"
        "but something could not be decided or assessed, or the advisories are out of date.",
        list,
        sizeof list / sizeof list[0],
        words,
        0,
        1};
    if (bz_opts_parse(&o, argc, argv, w, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (a.json && a.sarif) {
        bz_say("--json and --sarif are two outputs");
        return BZ_EXIT_FAILURE;
    }
    a.dir = n > 0 ? w[0] : NULL;
    return a.dir != NULL ? with_instance(&a) : run(&a, NULL, NULL);
}
