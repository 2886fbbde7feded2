/* bartizan guard rules list|test: the rules there are, and whether files of them hold what their
 * examples promise. */
#include <bartizan/json.h>

#include <stdio.h>
#include <string.h>

#include "cmd_guard.h"
#include "commands.h"

enum { LIST_MAX = 8 << 20 };

static void put_rule(struct bz_jw *w, const struct bz_injection_rule *r) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "id", r->id);
    bz_jw_kstr(w, "family", r->family);
    bz_jw_kstr(w, "what", r->what);
    bz_jw_kstr(w, "refs", r->refs);
    bz_jw_key(w, "score");
    bz_jw_obj(w);
    for (unsigned c = 0; c < BZ_CHANNEL_COUNT; c++) {
        char text[16];
        if ((r->channels >> c & 1) == 0)
            continue;
        int n = snprintf(text, sizeof text, "%.3f", (double)r->score[c]);
        bz_jw_key(w, bz_channel_name((enum bz_channel)c));
        bz_jw_raw(w, bz_view(text, (size_t)n));
    }
    bz_jw_end(w);
    bz_jw_end(w);
}

static bool print_json(const struct bz_injection_rule *v, size_t n) {
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, LIST_MAX);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_key(&w, "rules");
    bz_jw_arr(&w);
    for (size_t i = 0; i < n; i++)
        put_rule(&w, &v[i]);
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_buf_putc(&b, '\n');
    bool ok = bz_buf_status(&b) == BZ_OK && fwrite(b.p, 1, b.n, stdout) == b.n;
    bz_buf_free(&b);
    return ok;
}

static void print_line(const struct bz_injection_rule *r) {
    (void)printf("%-26.*s %-14.*s", (int)r->id.n, (const char *)r->id.p, (int)r->family.n,
                 (const char *)r->family.p);
    for (unsigned c = 0; c < BZ_CHANNEL_COUNT; c++) {
        if ((r->channels >> c & 1) != 0)
            (void)printf(" %4.2f", (double)r->score[c]);
        else
            (void)printf("    -");
    }
    (void)printf("  ");
    bz_print_safe(stdout, r->what);
    (void)printf("\n");
}

static bool print_text(const struct bz_injection_rule *v, size_t n) {
    (void)printf("%-26s %-14s %4s %4s %4s  %s\n", "RULE", "FAMILY", "USER", "TOOL", "DOC", "WHAT");
    for (size_t i = 0; i < n; i++)
        print_line(&v[i]);
    return true;
}

static int with_rules(bool builtin, const char *const *files, size_t n,
                      bool (*show)(const struct bz_injection_rule *, size_t)) {
    static struct bz_guard_rules rules;
    struct bz_injection *j = NULL;
    struct bz_buf pack;
    bz_buf_init(&pack, BZ_BLOB_MAX);
    bool loaded = bz_guard_rules_load(&rules, builtin, files, n);
    if (loaded)
        j = bz_guard_open(&rules, &pack);
    int rc = !loaded ? BZ_EXIT_FAILURE : BZ_EXIT_OK;
    if (loaded && j == NULL) /* a file says something wrong; or we cannot tell */
        rc = rules.err.line != 0 ? BZ_EXIT_FINDINGS : BZ_EXIT_UNCHECKED;
    const struct bz_injection_rule *v = NULL;
    size_t rules_n = j == NULL ? 0 : bz_injection_rules(j, &v);
    if (j != NULL && (!show(v, rules_n) || fflush(stdout) != 0))
        rc = BZ_EXIT_FAILURE;
    bz_guard_rules_free(&rules);
    bz_injection_close(j);
    bz_buf_free(&pack);
    return rc;
}

static int rules_list(int argc, char **argv) {
    static struct bz_opt_many files;
    bool json = false, only = false, help = false;
    size_t n = 0;
    const struct bz_opt list[] = {
        {"rules", BZ_OPT_MANY, &files, "FILE", "more rules; may be repeated"},
        {"no-builtin", BZ_OPT_FLAG, &only, NULL, "without the rules that come with Bartizan"},
        {"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"},
    };
    const struct bz_opts o = {"bartizan guard rules list [--rules FILE]... [--no-builtin] [--json]",
                              "The rules with their scores by channel: 0.5 flags, 0.75 blocks.",
                              list,
                              3,
                              NULL,
                              0,
                              0};
    if (bz_opts_parse(&o, argc, argv, NULL, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    return with_rules(!only, files.v, files.n, json ? print_json : print_text);
}

static bool print_count(const struct bz_injection_rule *v, size_t n) {
    (void)v;
    (void)printf("good: %zu rules with those that come with Bartizan\n", n);
    return true;
}

static int rules_test(int argc, char **argv) {
    const char *files[BZ_RULE_FILES_MAX];
    bool json = false, help = false;
    size_t n = 0;
    static const char *const names[] = {"FILE"};
    const struct bz_opt list[] = {
        {"json", BZ_OPT_FLAG, &json, NULL, "print the rules as one JSON object when all is good"}};
    const struct bz_opts o = {
        "bartizan guard rules test FILE... [--json]",
        "Compiles rule files together with those that come with Bartizan, and runs the examples "
        "in\n"
        "them. Exit code 1 and FILE:LINE:COLUMN: what is wrong and what to do.",
        list,
        1,
        names,
        1,
        BZ_RULE_FILES_MAX};
    if (bz_opts_parse(&o, argc, argv, files, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    return with_rules(true, files, n, json ? print_json : print_count);
}

int bz_guard_rules(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"list", "the rules in force here, with their scores", rules_list},
        {"test", "check rule files and run the examples in them", rules_test},
    };
    return bz_cli_dispatch("bartizan guard rules", list, sizeof list / sizeof list[0], argc, argv);
}
