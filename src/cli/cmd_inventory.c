/* bartizan inventory [--root DIR]: what is installed here, as a list, a bill of materials, or a
 * licence review. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "inventory.h"
#include "opts.h"

enum { OUT_MAX = 1 << 30 };

struct asked {
    const char *root, *sbom, *licences;
    bool all, json, run, hash, verify;
};

static int finish(const struct bz_collect *c, bool findings) {
    if (findings || c->changed > 0)
        return BZ_EXIT_FINDINGS;
    return c->inv->full || c->inv->notes_n > 0 ? BZ_EXIT_UNCHECKED : BZ_EXIT_OK;
}

static int write_out(struct bz_buf *b) {
    int rc =
        bz_buf_status(b) == BZ_OK && fwrite(b->p, 1, b->n, stdout) == b->n && fflush(stdout) == 0
            ? BZ_EXIT_OK
            : BZ_EXIT_FAILURE;
    if (rc != BZ_EXIT_OK)
        bz_say("the output could not be written: %s", bz_status_text(bz_buf_status(b)));
    bz_buf_free(b);
    return rc;
}

static int as_sbom(const struct bz_collect *c, enum bz_sbom_format f) {
    char host[256] = "host";
    struct bz_buf b;
    struct bz_sbom_head head = {.now = bz_clock_unix() / 1000000000u};
    (void)gethostname(host, sizeof host - 1);
    head.subject = bz_view_str(host);
    bz_random(head.random, sizeof head.random);
    bz_buf_init(&b, OUT_MAX);
    bz_sbom_write(c->inv, f, &head, &b);
    int rc = write_out(&b);
    return rc != BZ_EXIT_OK ? rc : finish(c, false);
}

static int as_review(const struct bz_collect *c, const char *file, bool json) {
    struct bz_licence_list *l = malloc(sizeof *l);
    struct bz_buf b;
    struct bz_jw w;
    if (l == NULL || !bz_licence_list_read(file, l)) {
        free(l);
        return BZ_EXIT_FAILURE;
    }
    bz_buf_init(&b, OUT_MAX);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_key(&w, "findings");
    bz_jw_arr(&w);
    size_t found = bz_licence_review(c->inv, l, json ? &w : NULL);
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_buf_putc(&b, '\n');
    bz_buf_free(&l->text);
    free(l);
    int rc = BZ_EXIT_OK;
    if (json)
        rc = write_out(&b);
    else
        bz_buf_free(&b);
    return rc != BZ_EXIT_OK ? rc : finish(c, found > 0);
}

static int as_list(const struct bz_collect *c, const struct asked *a) {
    struct bz_buf b;
    if (!a->json) {
        bz_inventory_print(c->inv, a->all);
        return finish(c, false);
    }
    bz_buf_init(&b, OUT_MAX);
    bz_inventory_json(c->inv, &b);
    int rc = write_out(&b);
    return rc != BZ_EXIT_OK ? rc : finish(c, false);
}

static int run(const struct asked *a) {
    struct bz_inventory inv;
    enum bz_sbom_format f = BZ_SBOM_CYCLONEDX_1_6;
    struct bz_collect c = {.inv = &inv,
                           .root = -1,
                           .run = a->run,
                           .hash = a->hash,
                           .verify = a->verify,
                           .progress = isatty(STDERR_FILENO) != 0};
    int rc = BZ_EXIT_FAILURE;
    if (a->sbom != NULL && !bz_sbom_format_find(bz_view_str(a->sbom), &f)) {
        bz_say("unknown format '%s': cyclonedx-1.6, cyclonedx-1.7 or spdx-3", bz_safe(a->sbom));
        return rc;
    }
    bz_inventory_init(&inv);
    if (bz_collect_all(&c, a->root == NULL ? "/" : a->root)) {
        bz_inventory_sort(&inv);
        if (a->sbom != NULL)
            rc = as_sbom(&c, f);
        else if (a->licences != NULL)
            rc = as_review(&c, a->licences, a->json);
        else
            rc = as_list(&c, a);
    }
    bz_inventory_free(&inv);
    return rc;
}

int bz_cli_inventory(int argc, char **argv) {
    static const char *const words[] = {""};
    const char *w[1];
    size_t n = 0;
    bool help = false;
    struct asked a = {.root = NULL};
    const struct bz_opt list[] = {
        {"root", BZ_OPT_TEXT, &a.root, "DIR",
         "look below DIR instead of / (an image, a mounted disk)"},
        {"sbom", BZ_OPT_TEXT, &a.sbom, "FORMAT",
         "print a bill of materials: cyclonedx-1.6, "
         "cyclonedx-1.7, spdx-3"},
        {"licences", BZ_OPT_TEXT, &a.licences, "FILE",
         "review licences against SPDX identifiers, one a line"},
        {"all", BZ_OPT_FLAG, &a.all, NULL, "list every package, not only what serves models"},
        {"run", BZ_OPT_FLAG, &a.run, NULL, "run model servers that are found with --version"},
        {"hash", BZ_OPT_FLAG, &a.hash, NULL, "hash model files whose names do not tell"},
        {"verify", BZ_OPT_FLAG, &a.verify, NULL,
         "hold files of Python packages against their RECORD"},
        {"json", BZ_OPT_FLAG, &a.json, NULL, "print one JSON object"}};
    const struct bz_opts o = {
        "bartizan inventory [--root DIR] [--sbom FORMAT | --licences FILE] [--all] [--json]",
        "Packages (dpkg, Python, conda, npm), model servers, GPU driver and CUDA, models. Reads "
        "only.\n"
        "Exit codes: 0 done, 1 findings (--licences, --verify), 2 failure, 3 not everything was "
        "seen.",
        list,
        sizeof list / sizeof list[0],
        words,
        0,
        0};
    if (bz_opts_parse(&o, argc, argv, w, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (a.sbom != NULL && a.licences != NULL) {
        bz_say("--sbom and --licences are two commands");
        return BZ_EXIT_FAILURE;
    }
    return help ? BZ_EXIT_OK : run(&a);
}
