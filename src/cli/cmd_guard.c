/* bartizan guard ...: whether texts try to steer a model, and the rules that say so. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cmd_guard.h"
#include "commands.h"
#include "files.h"

static bool load(struct bz_guard_rules *r, const char *path) {
    if (r->n == BZ_RULE_FILES_MAX) {
        bz_say("too many rule files: %d in all, ours included", BZ_RULE_FILES_MAX);
        return false;
    }
    struct bz_buf *b = &r->text[r->n];
    bz_buf_init(b, BZ_RULE_FILE_MAX);
    enum bz_status st = bz_file_read(AT_FDCWD, path, b);
    r->file[r->n++] = (struct bz_rule_file){bz_view_str(path), bz_buf_view(b)};
    if (st == BZ_OK)
        return true;
    bz_say("%s: %s", bz_safe(path),
           st == BZ_ETOOBIG  ? "above 1 MiB; split the file"
           : st == BZ_EINVAL ? "is no regular file"
           : st == BZ_ENOMEM ? "out of memory"
                             : strerror(errno));
    return false;
}

bool bz_guard_rules_load(struct bz_guard_rules *r, bool builtin, const char *const *files,
                         size_t n) {
    r->n = r->builtin_n = builtin ? bz_rules_builtin(r->file) : 0;
    for (size_t i = 0; i < n; i++) {
        if (!load(r, files[i]))
            return false;
    }
    return true;
}

void bz_guard_rules_free(struct bz_guard_rules *r) {
    for (size_t i = r->builtin_n; i < r->n; i++)
        bz_buf_free(&r->text[i]);
    r->n = r->builtin_n = 0;
}

/* "FILE:LINE:COLUMN: text" */
static void say_error(const struct bz_rule_error *e, enum bz_status st) {
    if (e->line == 0) {
        bz_say("the rules could not be compiled: %s", bz_status_text(st));
        return;
    }
    bz_print_safe(stderr, e->file);
    (void)fprintf(stderr, ":%u:%u: %s\n", e->line, e->column, e->text);
}

struct bz_injection *bz_guard_open(struct bz_guard_rules *r, struct bz_buf *pack) {
    struct bz_injection *j = NULL;
    struct bz_buf rules;
    bz_buf_init(&rules, BZ_RULE_PACK_MAX);
    enum bz_status st = bz_rules_compile(r->file, r->n, &rules, &r->err);
    if (st != BZ_OK) {
        say_error(&r->err, st);
        bz_buf_free(&rules);
        return NULL;
    }
    st = bz_injection_pack(bz_buf_view(&rules), (struct bz_view){0}, pack);
    if (st == BZ_OK)
        st = bz_injection_open(bz_buf_view(pack), &j);
    bz_buf_free(&rules);
    if (st != BZ_OK)
        bz_say("the detectors could not be started: %s", bz_status_text(st));
    return st == BZ_OK ? j : NULL;
}

int bz_cli_guard(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"score", "judge texts from standard input, one JSON object a line", bz_guard_score},
        {"rules", "list the rules, test rule files", bz_guard_rules},
    };
    return bz_cli_dispatch("bartizan guard", list, sizeof list / sizeof list[0], argc, argv);
}
