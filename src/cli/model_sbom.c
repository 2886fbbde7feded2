/* bartizan model sbom PATH...: the bill of materials of a model, and whether it says enough about
 * itself to be promoted. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin_client.h"
#include "cmd_model.h"
#include "inventory.h"

enum { OUT_MAX = 1 << 30, PATHS_MAX = 64, ARENA_MAX = 1 << 30, CALL_MS = 30000 };

struct asked {
    const char *format, *name, *version, *licence, *supplier, *source, *released, *base;
    const char *registered; /* instance whose models are meant by their ids */
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

/* ---- registered models: what their signed manifests say ---- */

static bool add_files(struct bz_inventory *inv, struct bz_component *c,
                      const struct bz_manifest *m) {
    struct bz_component_file **end = &c->files;
    for (size_t i = 0; i < m->files_n; i++) {
        struct bz_component_file *f = bz_arena_zalloc(&inv->ar, sizeof *f);
        if (f == NULL)
            return false;
        f->path = bz_inventory_text(inv, m->files[i].name);
        f->size = m->files[i].size;
        memcpy(f->sha256, m->files[i].sha256, sizeof f->sha256);
        f->has_sha256 = true;
        *end = f;
        end = &f->next;
    }
    return true;
}

static bool add_manifest(struct bz_inventory *inv, const struct bz_manifest *m,
                         struct bz_view path) {
    struct bz_component *c = bz_inventory_add(inv, BZ_COMPONENT_MODEL);
    if (c == NULL)
        return false;
    c->name = bz_inventory_text(inv, m->name);
    c->version = bz_inventory_text(inv, m->model_version);
    c->supplier = bz_inventory_text(inv, m->supplier);
    c->licence = bz_inventory_text(inv, m->licence);
    c->origin = bz_inventory_text(inv, m->source);
    c->released = bz_inventory_text(inv, m->released);
    c->base_model = bz_inventory_text(inv, m->base_model);
    c->format = bz_inventory_text(inv, m->files[0].format);
    c->path = bz_inventory_text(inv, path);
    return add_files(inv, c, m);
}

/* The manifest of an answer; its text and tree live in `ar`. */
static bool read_manifest(const struct bz_json *root, struct bz_arena *ar,
                          struct bz_manifest *ret) {
    const struct bz_json *m = bz_json_get(root, BZ_V("manifest"));
    struct bz_diag diag = {0, NULL};
    struct bz_buf text;
    bz_buf_init(&text, BZ_SIGNATURE_MAX);
    if (m != NULL)
        bz_json_write(&text, m);
    struct bz_view copy = bz_arena_dup(ar, bz_buf_view(&text));
    bz_buf_free(&text);
    bool ok = copy.p != NULL && bz_manifest_parse(copy, ar, ret, &diag) == BZ_OK;
    if (!ok)
        bz_say("the manifest cannot be read: %s", diag.why == NULL ? "" : diag.why);
    return ok;
}

static bool collect_registered(struct bz_inventory *inv, const char *dir, const char *id) {
    char path[128];
    struct bz_instance in;
    struct bz_answer_json a;
    struct bz_arena ar;
    struct bz_manifest m;
    if (!bz_model_id_ok(id) || !bz_cli_open(dir, &in))
        return false;
    (void)snprintf(path, sizeof path, "/v1/registry/%s", id);
    bz_arena_init(&ar, bz_alloc_heap, ARENA_MAX, NULL, 0);
    enum bz_status st = bz_admin_call(&in, "GET", path, bz_view(NULL, 0), CALL_MS, &a);
    bool ok = bz_admin_outcome(st, &in, &a) == BZ_EXIT_OK && read_manifest(a.root, &ar, &m) &&
              add_manifest(inv, &m, bz_json_str(bz_json_get(a.root, BZ_V("serve"))));
    bz_answer_done(&a);
    bz_arena_free(&ar);
    bz_instance_close(&in);
    return ok;
}

/* ---- all of them ---- */

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
        rc = (a->registered != NULL ? collect_registered(&inv, a->registered, paths[i])
                                    : collect_path(&c, paths[i]))
                 ? BZ_EXIT_OK
                 : BZ_EXIT_FAILURE;
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
        {"registered", BZ_OPT_TEXT, &a.registered, "DIR",
         "PATH is the id of a model in this instance's registry"},
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
        "themselves, their hashes, and what you add; with --registered of a model of the "
        "registry:\n"
        "what its signed manifest says.\n"
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
