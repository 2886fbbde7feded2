/* What replies are watched for: files of secrets and texts, and our own system prompts, compiled for
 * the image. Done when the configuration is loaded, so that what is wrong with a file is said then. */
#include <errno.h>
#include <stdlib.h>

#include "leaks.h"

struct collected {
    struct bz_leak_item *v;
    struct bz_buf *text; /* of the files, in the same order */
    size_t n, files;
};

static void free_all(struct collected *all) {
    for (size_t i = 0; i < all->files; i++)
        bz_buf_wipe_free(&all->text[i]);
    free(all->text);
    free(all->v);
}

static struct bz_view without_line_end(struct bz_view v) {
    while (v.n > 0 && (v.p[v.n - 1] == '\n' || v.p[v.n - 1] == '\r'))
        v.n--;
    return v;
}

static enum bz_status take_file(int dir, const struct bz_leak_entry *e, enum bz_leak_kind kind,
                                struct collected *all, struct bz_buf *why) {
    struct bz_buf *f = &all->text[all->files++];
    bz_buf_init(f, BZ_LEAK_TEXT_MAX);
    enum bz_status st = bz_file_read(dir, e->file, f);
    if (st == BZ_ETOOBIG)
        bz_buf_printf(why, "leaks: %s: %s has more than %u bytes", e->name, e->file,
                      BZ_LEAK_TEXT_MAX);
    else if (st != BZ_OK)
        bz_buf_printf(why, "leaks: %s: %s: %s", e->name, e->file, strerror(errno));
    if (st != BZ_OK)
        return st == BZ_ENOMEM ? st : BZ_ESYNTAX;
    struct bz_view v = bz_buf_view(f);
    if (bz_utf8_valid(v) != v.n) {
        bz_buf_printf(why, "leaks: %s: %s is not UTF-8", e->name, e->file);
        return BZ_ESYNTAX;
    }
    all->v[all->n++] = (struct bz_leak_item){
        .kind = kind,
        .name = bz_view_str(e->name),
        .value = kind == BZ_LEAK_SECRET ? without_line_end(v) : v,
    };
    return BZ_OK;
}

static enum bz_status take_files(int dir, const struct bz_leak_config *c, struct collected *all,
                                 struct bz_buf *why) {
    for (uint32_t i = 0; i < c->secrets_n; i++)
        BZ_TRY(take_file(dir, &c->secrets[i], BZ_LEAK_SECRET, all, why));
    for (uint32_t i = 0; i < c->texts_n; i++)
        BZ_TRY(take_file(dir, &c->texts[i], BZ_LEAK_PROMPT, all, why));
    return BZ_OK;
}

static enum bz_status compile(const struct collected *all, const struct bz_leak_config *c,
                              const uint8_t key[BZ_KEY_LEN], struct bz_buf *out,
                              struct bz_buf *why) {
    const struct bz_leak_options o = {.prompt_overlap = c->prompt_overlap, .record = c->record};
    size_t bad = 0;
    enum bz_status st = bz_leak_compile(all->v, all->n, &o, key, out, &bad);
    if (st == BZ_EINVAL && bad < c->secrets_n) {
        bz_buf_printf(why,
                      "leaks: %s: the secret in %s must have %u to %u bytes, with at least %u "
                      "letters and digits; of a longer one write a part",
                      c->secrets[bad].name, c->secrets[bad].file, BZ_LEAK_SECRET_MIN,
                      BZ_LEAK_SECRET_MAX, BZ_LEAK_SECRET_MIN);
        return BZ_ESYNTAX;
    }
    if (st == BZ_ETOOBIG) {
        bz_buf_puts(why, "leaks: secrets and texts are too much together; take some out");
        return BZ_ESYNTAX;
    }
    if (st != BZ_OK)
        bz_buf_printf(why, "leaks: %s", bz_status_text(st));
    return st;
}

enum bz_status bz_leaks_make(int dir, const struct bz_leak_config *c,
                             const struct bz_leak_item *prompts, size_t prompts_n,
                             const uint8_t key[BZ_KEY_LEN], struct bz_buf *out,
                             struct bz_buf *why) {
    size_t most = (size_t)c->secrets_n + c->texts_n + prompts_n;
    struct collected all = {.v = calloc(most + 1, sizeof *all.v),
                            .text = calloc(most + 1, sizeof *all.text)};
    if (all.v == NULL || all.text == NULL) {
        free_all(&all);
        return BZ_ENOMEM;
    }
    enum bz_status st = take_files(dir, c, &all, why);
    for (size_t i = 0; i < prompts_n && c->prompts; i++)
        if (prompts[i].value.n > 0)
            all.v[all.n++] = prompts[i];
    if (st == BZ_OK && (all.n > 0 || c->record))
        st = compile(&all, c, key, out, why);
    free_all(&all);
    return st;
}
