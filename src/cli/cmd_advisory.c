/* bartizan advisory update|status|match|trust|compare. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "admin_client.h"
#include "advisory.h"
#include "opts.h"

#define FETCH_MAX (2ull << 30) /* an archive: npm's, the largest, is below 300 MiB */
enum { CALL_MS = 30000, HEAD = 64 };

/* ---- instances ---- */

bool bz_advisory_open(const char *dir, struct bz_advisory_opened *ret) {
    struct bz_buf text;
    struct bz_config_errors errs = {.n = 0};
    ret->config = NULL;
    if (!bz_cli_open(dir, &ret->in))
        return false;
    bz_buf_init(&text, BZ_CONFIG_MAX);
    enum bz_status st = bz_instance_config(&ret->in, BZ_F_CONFIG, &text, &ret->config, &errs);
    if (st != BZ_OK) {
        bz_cli_config_errors(stderr, BZ_F_CONFIG, st, bz_buf_view(&text), &errs);
        bz_instance_close(&ret->in);
    }
    bz_buf_free(&text);
    return st == BZ_OK;
}

void bz_advisory_close(struct bz_advisory_opened *o) {
    bz_config_free(o->config);
    bz_instance_close(&o->in);
}

/* ---- update ---- */

struct update {
    struct bz_advisory_opened o;
    const char *source;
    bool force, json;
};

static void report(const struct update *u, const char *kind, const char *name, uint64_t version,
                   uint64_t n, bool changed) {
    struct bz_buf b;
    struct bz_jw w;
    if (!u->json) {
        (void)printf("%s %s: %s", kind, name, changed ? "" : "nothing new: ");
        if (version > 0)
            (void)printf("version %" PRIu64 ", ", version);
        (void)printf("%" PRIu64 " advisories\n", n);
        return;
    }
    bz_buf_init(&b, 4096);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "kind", bz_view_str(kind));
    bz_jw_kstr(&w, "name", bz_view_str(name));
    bz_jw_ku64(&w, "version", version);
    bz_jw_ku64(&w, "advisories", n);
    bz_jw_kbool(&w, "changed", changed);
    bz_jw_end(&w);
    (void)printf("%.*s\n", (int)b.n, (const char *)b.p);
    bz_buf_free(&b);
}

int bz_advisory_tell(const struct bz_instance *in) {
    struct bz_answer_json a;
    enum bz_status st =
        bz_admin_call(in, "POST", "/v1/advisories/reload", (struct bz_view){NULL, 0}, CALL_MS, &a);
    int rc = BZ_EXIT_OK;
    if (st != BZ_EUNAVAIL)
        rc = bz_admin_outcome(st, in, &a);
    bz_answer_done(&a);
    return rc;
}

static int update_pack(const struct update *u, struct bz_view file) {
    struct bz_buf name, why;
    uint64_t version = 0;
    bz_buf_init(&name, 256);
    bz_buf_init(&why, 4096);
    enum bz_status st = bz_advisories_install(&u->o.in, u->o.config, file,
                                              bz_clock_unix() / 1000000000u, &name, &version, &why);
    bz_buf_putc(&name, 0);
    int rc = BZ_EXIT_OK;
    if (st == BZ_OK || st == BZ_EEXISTS) {
        struct bz_advisories all;
        uint64_t n = 0;
        if (bz_advisories_load(&u->o.in, u->o.config, &all, &why) == BZ_OK) {
            for (size_t i = 0; i < all.n; i++)
                n += bz_view_eq(all.pack[i].name, bz_view(name.p, name.n - 1)) ? all.pack[i].count
                                                                               : 0;
            bz_advisories_free(&all);
        }
        rc = st == BZ_OK ? bz_advisory_tell(&u->o.in) : BZ_EXIT_OK;
        report(u, "pack", (const char *)name.p, version, n, st == BZ_OK);
    } else {
        bz_say("%s: %.*s", bz_safe(u->source), (int)why.n, (const char *)why.p);
        if (st == BZ_EDENIED)
            bz_say("'bartizan advisory trust' shows whose packs are taken; a key comes from its "
                   "owner, never from a pack");
        rc = BZ_EXIT_FAILURE;
    }
    bz_buf_free(&name);
    bz_buf_free(&why);
    return rc;
}

static int update_archive(const struct update *u, int fd) {
    struct bz_osv_taken t;
    if (bz_osv_take(&u->o.in, fd, u->source, u->force, &t) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (t.bad > 0)
        bz_say("warning: %" PRIu64 " records could not be read and are left out (%s)", t.bad,
               t.first_bad);
    report(u, "osv", t.name, 0, t.records, true);
    return BZ_EXIT_OK;
}

static int update_kev(const struct update *u, struct bz_view json) {
    uint64_t n = 0;
    if (bz_kev_take(&u->o.in, json, u->force, &n) != BZ_OK)
        return BZ_EXIT_FAILURE;
    report(u, "kev", "CISA", 0, n, true);
    return BZ_EXIT_OK;
}

static bool read_fd(int fd, size_t most, struct bz_buf *out) {
    uint8_t part[2048];
    bz_buf_init(out, most);
    for (ssize_t n; (n = read(fd, part, sizeof part)) > 0;)
        bz_buf_put(out, bz_view(part, (size_t)n));
    return bz_buf_status(out) == BZ_OK;
}

/* What it is is told by its first bytes, never by its name. */
static int update_from(const struct update *u, int fd) {
    uint8_t head[HEAD] = {0};
    struct bz_buf text;
    ssize_t n = pread(fd, head, sizeof head, 0);
    struct bz_view v = bz_view(head, n < 0 ? 0 : (size_t)n);
    while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\n' || v.p[0] == '\r' || v.p[0] == '\t'))
        v = bz_view_sub(v, 1, v.n);
    bool pack = bz_view_starts(v, BZ_V("bartizan-advisory-pack"));
    bool json = v.n > 0 && v.p[0] == '{';
    if (!pack && !json)
        return update_archive(u, fd);
    int rc = BZ_EXIT_FAILURE;
    if (!read_fd(fd, BZ_ADVISORY_PACK_MAX + 4096, &text))
        bz_say("%s: longer than %u MiB", bz_safe(u->source), BZ_ADVISORY_PACK_MAX >> 20);
    else if (pack)
        rc = update_pack(u, bz_buf_view(&text));
    else if (bz_kev_is(bz_buf_view(&text)))
        rc = update_kev(u, bz_buf_view(&text));
    else
        bz_say("%s: it is neither a signed pack, an archive of OSV records, nor the KEV catalogue",
               bz_safe(u->source));
    bz_buf_free(&text);
    return rc;
}

int bz_advisory_update(int argc, char **argv) {
    static const char *const words[] = {"DIR", "FILE|URL"};
    const char *w[2];
    size_t n = 0;
    bool help = false;
    struct update u = {.force = false};
    const struct bz_opt list[] = {{"older", BZ_OPT_FLAG, &u.force, NULL,
                                   "take an archive or catalogue older than what is here"},
                                  {"json", BZ_OPT_FLAG, &u.json, NULL, "print one JSON object"}};
    const struct bz_opts o = {
        "bartizan advisory update DIR FILE|URL [--older] [--json]",
        "Takes advisories into an instance: a signed pack, an archive of OSV records (zip or tar,\n"
        "such as https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip), or CISA's KEV\n"
        "catalogue (JSON). URLs are https: or file:. Older packs than were taken are refused.",
        list,
        sizeof list / sizeof list[0],
        words,
        2,
        2};
    if (bz_opts_parse(&o, argc, argv, w, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (!bz_advisory_open(w[0], &u.o))
        return BZ_EXIT_FAILURE;
    u.source = w[1];
    int fd = bz_advisory_fetch(u.source, FETCH_MAX);
    int rc = fd < 0 ? BZ_EXIT_FAILURE : update_from(&u, fd);
    if (fd >= 0)
        (void)close(fd);
    bz_advisory_close(&u.o);
    return rc;
}

/* ---- status ---- */

static void print_list(const struct bz_json *l) {
    for (const struct bz_json *m = l == NULL ? NULL : l->first; m != NULL; m = m->next) {
        bz_print_safe(stdout, bz_json_str(m));
        (void)printf("%s", m->next != NULL ? "," : "");
    }
}

static void print_text(const struct bz_json *o, struct bz_view key) {
    (void)putchar(' ');
    bz_print_safe(stdout, bz_json_str(bz_json_get(o, key)));
}

static void show_patch(const struct bz_json *p) {
    const struct bz_json *min = bz_json_get(p, BZ_V("min")), *max = bz_json_get(p, BZ_V("max"));
    (void)printf("patch");
    print_text(p, BZ_V("advisory"));
    if (bz_json_get(p, BZ_V("path")) != NULL) {
        (void)printf(": refuses");
        print_text(p, BZ_V("method"));
        print_text(p, BZ_V("path"));
    } else {
        (void)printf(": parameter");
        print_text(p, BZ_V("param"));
        if (min == NULL && max == NULL)
            (void)printf(" refused");
        if (min != NULL)
            (void)printf(" from %.*s", (int)min->val.n, (const char *)min->val.p);
        if (max != NULL)
            (void)printf(" to %.*s", (int)max->val.n, (const char *)max->val.p);
    }
    (void)printf(" at ");
    print_list(bz_json_get(p, BZ_V("backends")));
    (void)putchar('\n');
}

static void show_status(const struct bz_answer_json *a) {
    const struct bz_json *packs = bz_json_get(a->root, BZ_V("packs"));
    const struct bz_json *patches = bz_json_get(a->root, BZ_V("patches"));
    struct bz_view why = bz_json_str(bz_json_get(a->root, BZ_V("why")));
    for (const struct bz_json *p = packs == NULL ? NULL : packs->first; p != NULL; p = p->next) {
        int64_t version = 0;
        bool old = bz_json_is(bz_json_get(p, BZ_V("expired")), BZ_JSON_TRUE);
        bool own = bz_json_is(bz_json_get(p, BZ_V("built_in")), BZ_JSON_TRUE);
        (void)!bz_json_i64(bz_json_get(p, BZ_V("version")), &version);
        (void)printf("pack");
        print_text(p, BZ_V("name"));
        (void)printf(" version %" PRId64 "%s, %s", version, own ? " (built in)" : "",
                     old ? "its time was over at" : "good until");
        print_text(p, BZ_V("expires"));
        (void)putchar('\n');
    }
    for (const struct bz_json *p = patches == NULL ? NULL : patches->first; p != NULL; p = p->next)
        show_patch(p);
    if (patches == NULL || patches->first == NULL)
        (void)printf("no virtual patch is needed\n");
    if (bz_json_is(bz_json_get(a->root, BZ_V("patches_on")), BZ_JSON_FALSE))
        (void)printf("virtual patches are switched off (advisories: patches: false)\n");
    if (why.n > 0) {
        (void)printf("not in force: ");
        bz_print_safe(stdout, why);
        (void)putchar('\n');
    }
}

int bz_advisory_status(int argc, char **argv) {
    static const char *const words[] = {"DIR"};
    const char *w[1];
    size_t n = 0;
    bool help = false, json = false;
    const struct bz_opt list[] = {{"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"}};
    const struct bz_opts o = {"bartizan advisory status DIR [--json]",
                              "What a running instance trusts, and the virtual patches in force.",
                              list,
                              1,
                              words,
                              1,
                              1};
    if (bz_opts_parse(&o, argc, argv, w, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    return bz_admin_run(w[0], "GET", "/v1/advisories", (struct bz_view){NULL, 0}, CALL_MS, json,
                        show_status);
}

/* ---- compare ---- */

static int compare_one(enum bz_version_scheme s, struct bz_view a, struct bz_view b) {
    int c = 0;
    enum bz_status st = bz_version_cmp(s, a, b, &c);
    if (st == BZ_OK)
        (void)printf("%s\n", c < 0 ? "<" : c > 0 ? ">" : "=");
    else
        (void)printf("%s\n", st == BZ_EUNAVAIL ? "not assessable" : "no version");
    return st == BZ_OK ? BZ_EXIT_OK : BZ_EXIT_UNCHECKED;
}

static int contains_one(struct bz_view range, struct bz_view version) {
    bool has = false;
    enum bz_status st = bz_npm_range_has(range, version, &has);
    (void)printf("%s\n", st != BZ_OK ? "no range or version" : has ? "in" : "out");
    return st == BZ_OK ? BZ_EXIT_OK : BZ_EXIT_UNCHECKED;
}

/* "A<TAB>B" a line. */
static int compare_lines(enum bz_version_scheme s, bool range) {
    char line[BZ_NPM_RANGE_MAX + BZ_VERSION_MAX + 8];
    int rc = BZ_EXIT_OK;
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *tab = strchr(line, '\t');
        if (tab == NULL) {
            bz_say("a line has no tab: version, tab, version");
            return BZ_EXIT_FAILURE;
        }
        struct bz_view a = bz_view(line, (size_t)(tab - line)), b = bz_view_str(tab + 1);
        int now = range ? contains_one(a, b) : compare_one(s, a, b);
        rc = now > rc ? now : rc;
    }
    return rc;
}

int bz_advisory_compare(int argc, char **argv) {
    static const char *const words[] = {"SCHEME", "A", "B"};
    const char *w[3] = {NULL, NULL, NULL};
    size_t n = 0;
    bool help = false;
    enum bz_version_scheme s = BZ_VERSION_PEP440;
    const struct bz_opts o = {"bartizan advisory compare SCHEME [A B]",
                              "Compares two versions: prints <, = or >. Without A and B: lines of "
                              "standard input, \"A<TAB>B\".\n"
                              "SCHEME: pep440, semver, dpkg, npm, llamacpp, numbers; npm-range: A "
                              "is a range, prints in or "
                              "out.\nExit codes: 0, 3 one of them is no version of the scheme.",
                              NULL,
                              0,
                              words,
                              1,
                              3};
    if (bz_opts_parse(&o, argc, argv, w, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    bool range = strcmp(w[0], "npm-range") == 0;
    if ((!range && bz_version_scheme_find(bz_view_str(w[0]), &s) != BZ_OK) || n == 2) {
        bz_say(n == 2 ? "two versions are needed" : "unknown scheme '%s'; see --help",
               bz_safe(w[0]));
        return BZ_EXIT_FAILURE;
    }
    if (n == 1)
        return compare_lines(s, range);
    return range ? contains_one(bz_view_str(w[1]), bz_view_str(w[2]))
                 : compare_one(s, bz_view_str(w[1]), bz_view_str(w[2]));
}

/* ---- all of them ---- */

int bz_cli_advisory(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"update", "take advisories: a signed pack, an OSV archive, the KEV catalogue",
         bz_advisory_update},
        {"match", "hold what is installed against the advisories", bz_advisory_match},
        {"status", "packs that are trusted, virtual patches in force", bz_advisory_status},
        {"trust", "whose packs are taken: list, add, remove keys", bz_advisory_trust},
        {"compare", "compare two versions", bz_advisory_compare},
    };
    return bz_cli_dispatch("bartizan advisory", list, sizeof list / sizeof list[0], argc, argv);
}
