/* bartizan model sbom PATH...: the bill of materials of a model, and whether it says enough about
 * itself to be promoted. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "inventory.h"
#include "opts.h"

enum { OUT_MAX = 1 << 30, PATHS_MAX = 64 };

struct asked {
    const char *format, *name, *version, *licence, *supplier, *source, *released, *base;
    bool check;
};

static bool collect_path(struct bz_collect *c, const char *path) {
    struct stat sb;
    char *full = realpath(path, NULL);
    bool ok = full != NULL && stat(full, &sb) == 0;
    if (!ok)
        bz_say("%s: %s", bz_safe(path), strerror(errno));
    else if (S_ISDIR(sb.st_mode))
        ok = bz_collect_folder(c, full + 1) != NULL;
    else
        ok = bz_collect_gguf(c, full + 1) != NULL;
    free(full);
    return ok;
}

static void set(struct bz_inventory *inv, struct bz_view *to, const char *said) {
    if (said != NULL)
        *to = bz_inventory_text(inv, bz_view_str(said));
}

static void apply(struct bz_inventory *inv, const struct asked *a) {
    for (struct bz_component *m = inv->first; m != NULL; m = m->next) {
        set(inv, &m->name, a->name);
        set(inv, &m->version, a->version);
        set(inv, &m->licence, a->licence);
        set(inv, &m->supplier, a->supplier);
        set(inv, &m->origin, a->source);
        set(inv, &m->released, a->released);
        set(inv, &m->base_model, a->base);
    }
}

/* "version (--version TEXT), source (--source URL)" */
static void put_missing(const struct bz_component *m, uint32_t missing) {
    const char *between = "";
    (void)fputs("bartizan: ", stderr);
    bz_print_safe(stderr, m->path);
    (void)fputs(": not to be promoted: missing: ", stderr);
    for (unsigned f = 0; f < BZ_SBOM_FIELD_COUNT; f++) {
        const char *option = bz_sbom_field_option((enum bz_sbom_field)f);
        if ((missing & 1u << f) == 0)
            continue;
        (void)fprintf(stderr, "%s%s%s%s%s", between, bz_sbom_field_name((enum bz_sbom_field)f),
                      option == NULL ? "" : " (", option == NULL ? "" : option,
                      option == NULL ? "" : ")");
        between = ", ";
    }
    (void)fputc('\n', stderr);
}

static int check(const struct bz_inventory *inv) {
    int rc = BZ_EXIT_OK;
    for (const struct bz_component *m = inv->first; m != NULL; m = m->next) {
        const uint32_t missing = bz_sbom_missing(m);
        if (missing == 0)
            continue;
        put_missing(m, missing);
        rc = BZ_EXIT_FINDINGS;
    }
    return rc;
}

static int print(const struct bz_inventory *inv, enum bz_sbom_format f) {
    struct bz_buf b;
    struct bz_sbom_head head = {.now = bz_clock_unix() / 1000000000u};
    head.subject = inv->first->name;
    bz_random(head.random, sizeof head.random);
    bz_buf_init(&b, OUT_MAX);
    bz_sbom_write(inv, f, &head, &b);
    bool ok = bz_buf_status(&b) == BZ_OK && fwrite(b.p, 1, b.n, stdout) == b.n;
    bz_buf_free(&b);
    return ok && fflush(stdout) == 0 ? BZ_EXIT_OK : BZ_EXIT_FAILURE;
}

static int run(const struct asked *a, const char *const *paths, size_t n) {
    struct bz_inventory inv;
    enum bz_sbom_format f = BZ_SBOM_CYCLONEDX_1_6;
    int rc = BZ_EXIT_OK;
    if (a->released != NULL && !bz_sbom_is_time(bz_view_str(a->released))) {
        bz_say("--released '%s' is no time of the form 2026-01-31T00:00:00Z", bz_safe(a->released));
        return BZ_EXIT_FAILURE;
    }
    if (a->format != NULL && !bz_sbom_format_find(bz_view_str(a->format), &f)) {
        bz_say("unknown format '%s': cyclonedx-1.6, cyclonedx-1.7 or spdx-3", bz_safe(a->format));
        return BZ_EXIT_FAILURE;
    }
    bz_inventory_init(&inv);
    struct bz_collect c = {
        .inv = &inv, .root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), .hash = true};
    for (size_t i = 0; i < n && rc == BZ_EXIT_OK; i++)
        rc = collect_path(&c, paths[i]) ? BZ_EXIT_OK : BZ_EXIT_FAILURE;
    for (const struct bz_inventory_note *note = inv.notes; note != NULL; note = note->next) {
        bz_say("%.*s: %s", (int)note->path.n, (const char *)note->path.p, note->why);
        rc = rc == BZ_EXIT_OK ? BZ_EXIT_UNCHECKED : rc;
    }
    apply(&inv, a);
    if (rc == BZ_EXIT_OK && a->check)
        rc = check(&inv);
    if (rc == BZ_EXIT_OK)
        rc = print(&inv, f);
    if (c.root >= 0)
        (void)close(c.root);
    bz_inventory_free(&inv);
    return rc;
}

int bz_cli_model_sbom(int argc, char **argv) {
    static const char *const words[] = {"PATH"};
    const char *w[PATHS_MAX];
    size_t n = 0;
    bool help = false;
    struct asked a = {.format = NULL};
    const struct bz_opt list[] = {
        {"format", BZ_OPT_TEXT, &a.format, "F", "cyclonedx-1.6 (default), cyclonedx-1.7, spdx-3"},
        {"check", BZ_OPT_FLAG, &a.check, NULL,
         "refuse a model that leaves out what promotion needs"},
        {"name", BZ_OPT_TEXT, &a.name, "TEXT", "name of the model"},
        {"version", BZ_OPT_TEXT, &a.version, "TEXT", "its version"},
        {"licence", BZ_OPT_TEXT, &a.licence, "SPDX", "its licence, as an SPDX expression"},
        {"supplier", BZ_OPT_TEXT, &a.supplier, "TEXT", "who supplied it"},
        {"source", BZ_OPT_TEXT, &a.source, "URL", "where it came from"},
        {"released", BZ_OPT_TEXT, &a.released, "TIME",
         "when it was released: 2026-01-31T00:00:00Z"},
        {"base-model", BZ_OPT_TEXT, &a.base, "TEXT", "what it was made from"}};
    const struct bz_opts o = {
        "bartizan model sbom PATH... [--format F] [--check] [--name TEXT ...]",
        "Bill of materials of a GGUF file or of a folder with safetensors: what the files say "
        "about\n"
        "themselves, their hashes, and what you add.\n"
        "Exit codes: 0 printed, 1 a field is missing (--check), 2 failure, 3 a file could not be "
        "read.",
        list,
        sizeof list / sizeof list[0],
        words,
        1,
        PATHS_MAX};
    if (bz_opts_parse(&o, argc, argv, w, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    return help ? BZ_EXIT_OK : run(&a, w, n);
}
