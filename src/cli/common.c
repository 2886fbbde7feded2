/* What several commands need. */
#include <errno.h>
#include <string.h>

#include "commands.h"
#include "opts.h"

/* What to do about a path that cannot be used. */
static const char *advice(int error) {
    switch (error) {
    case ENOENT:
        return "is the path right?";
    case ENOTDIR:
        return "an instance is a directory";
    case EACCES:
    case EPERM:
        return "run this as the owner of the instance, or as root";
    default:
        return "";
    }
}

static void say_errno(const char *path) {
    const char *todo = advice(errno);
    bz_say("%s: %s%s%s", bz_safe(path), strerror(errno), *todo == '\0' ? "" : "; ", todo);
}

bool bz_cli_open(const char *dir, struct bz_instance *ret) {
    enum bz_status st = bz_instance_open(dir, ret);
    if (st == BZ_OK)
        return true;
    if (st == BZ_EINVAL)
        bz_say("%s is not an instance (it has no %s); 'bartizan init %s ...' makes one",
               bz_safe(dir), BZ_F_CONFIG, bz_safe(dir));
    else if (st == BZ_ENOTFOUND && errno == ENOENT)
        bz_say("%s: no such directory; 'bartizan init %s ...' makes an instance", bz_safe(dir),
               bz_safe(dir));
    else
        say_errno(dir);
    return false;
}

static struct bz_view line_of(struct bz_view text, uint32_t line) {
    const uint8_t *p = text.p, *end = text.p + text.n;
    for (uint32_t i = 1; i < line && p < end; i++) {
        const uint8_t *nl = memchr(p, '\n', (size_t)(end - p));
        p = nl == NULL ? end : nl + 1;
    }
    const uint8_t *nl = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
    return bz_view(p, (size_t)((nl == NULL ? end : nl) - p));
}

static void print_error(FILE *f, const char *file, struct bz_view text,
                        const struct bz_config_error *e) {
    bz_print_safe(f, bz_view_str(file));
    if (e->line > 0)
        (void)fprintf(f, ":%u:%u", e->line, e->column);
    (void)fprintf(f, ": ");
    if (e->path[0] != '\0') {
        bz_print_safe(f, bz_view_str(e->path));
        (void)fprintf(f, ": ");
    }
    bz_print_safe(f, bz_view_str(e->text));
    (void)fprintf(f, "\n");
    if (e->line == 0)
        return;
    struct bz_view src = line_of(text, e->line);
    int w = fprintf(f, "%5u | ", e->line);
    bz_print_safe(f, src);
    (void)fprintf(f, "\n");
    if (w > 0 && e->column > 0 && e->column <= src.n + 1)
        (void)fprintf(f, "%*s^\n", w + (int)e->column - 1, "");
}

void bz_cli_config_errors(FILE *f, const char *file, enum bz_status st, struct bz_view text,
                          const struct bz_config_errors *errs) {
    const size_t cap = sizeof errs->list / sizeof errs->list[0];
    for (size_t i = 0; i < errs->n && i < cap; i++)
        print_error(f, file, text, &errs->list[i]);
    if (errs->n > cap)
        (void)fprintf(f, "... and %zu more\n", errs->n - cap);
    if (errs->n == 0) {
        bz_print_safe(f, bz_view_str(file));
        (void)fprintf(f, ": %s\n",
                      st == BZ_EIO || st == BZ_ENOTFOUND ? strerror(errno) : bz_status_text(st));
    }
}
