/* Control tokens of the models that are served: from the templates that their servers show, and from the model files
 * themselves. What stands in a template of its own, or in a vocabulary as a control token, is one for that model,
 * whatever the lists of families say. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry.h"
#include "templates.h"

enum { CONFIG_MAX = 4 << 20 }; /* bytes of a tokenizer_config.json; Llama 3's has 55,000 */
static const char config_name[] = "tokenizer_config.json";

void bz_templates_free(struct bz_backend_run *r) {
    for (int i = 0; i < BZ_TOKENS_FROM_COUNT; i++)
        bz_token_set_free(&r->tokens[i]);
}

/* Takes `now`; true: they are others than before. */
static bool replace(struct bz_token_set *s, struct bz_token_set *now) {
    bool same = bz_token_set_equal(s, now);
    bz_token_set_free(s);
    *s = *now;
    return !same;
}

bool bz_templates_take(struct bz_backend_run *r, struct bz_view props) {
    struct bz_token_set now = {.text = NULL};
    if (bz_tokens_of_props(props, &now) == BZ_OK)
        return replace(&r->tokens[BZ_TOKENS_FROM_SERVER], &now);
    bz_token_set_free(&now);
    return false; /* what was known stays */
}

/* ---- shown model by model ---- */

void bz_templates_show_begin(struct bz_backend_run *r) {
    bz_token_set_free(&r->show.found);
    r->show.at = 0;
    r->show.asks = r->models.n > 0;
}

bool bz_templates_show_take(struct bz_backend_run *r, struct bz_view answer) {
    if (bz_tokens_of_show(answer, &r->show.found) != BZ_OK)
        return bz_templates_show_end(r, false);
    r->show.at++;
    return r->show.at >= r->models.n || r->show.at >= BZ_SHOW_MODELS_MAX
               ? bz_templates_show_end(r, true)
               : false;
}

bool bz_templates_show_end(struct bz_backend_run *r, bool whole) {
    struct bz_token_set found = r->show.found;
    r->show.asks = false;
    r->show.found = (struct bz_token_set){.text = NULL};
    if (whole)
        return replace(&r->tokens[BZ_TOKENS_FROM_SERVER], &found);
    bz_token_set_free(&found);
    return false;
}

/* ---- files ---- */

struct file {
    int fd;
};

static enum bz_status file_pread(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n) {
    const struct file *f = ctx;
    size_t done = 0;
    while (done < n) {
        ssize_t k = pread(f->fd, (uint8_t *)buf + done, n - done, (off_t)(off + done));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return BZ_EIO;
        if (k == 0)
            break;
        done += (size_t)k;
    }
    *ret_n = done;
    return BZ_OK;
}

static bool is_file(int fd, uint64_t *ret_size) {
    struct stat s;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode) || s.st_size < 0)
        return false;
    *ret_size = (uint64_t)s.st_size;
    return true;
}

static void take_gguf(int fd, struct bz_token_set *s) {
    struct file f = {fd};
    struct bz_source src = {.pread = file_pread, .ctx = &f};
    if (is_file(fd, &src.size))
        (void)!bz_tokens_of_gguf(&src, s); /* without them the families' tokens hold */
}

/* approved: only if the registry has approved these very bytes. */
static void take_config(const struct bz_daemon *d, int folder, bool approved,
                        struct bz_token_set *s) {
    struct bz_buf text;
    uint64_t size = 0;
    uint8_t sha256[BZ_HASH_LEN];
    int fd = openat(folder, config_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bz_buf_init(&text, CONFIG_MAX);
    size_t n = 0;
    uint8_t *p = fd >= 0 && is_file(fd, &size) && size <= CONFIG_MAX
                     ? bz_buf_room(&text, (size_t)size)
                     : NULL;
    struct file f = {fd};
    if (p != NULL && file_pread(&f, 0, p, (size_t)size, &n) == BZ_OK) {
        bz_sha256(bz_view(p, n), sha256);
        if (!approved || bz_registry_approved(d->registry, sha256))
            (void)!bz_tokens_of_config(bz_view(p, n), s);
    }
    bz_buf_free(&text);
    if (fd >= 0)
        (void)close(fd);
}

static int folder_of(const char *path) {
    char mem[BZ_DIR_PATH_MAX];
    int n = snprintf(mem, sizeof mem, "%s", path);
    char *slash = n > 0 && (size_t)n < sizeof mem ? strrchr(mem, '/') : NULL;
    if (slash == NULL || slash == mem)
        return -1;
    *slash = '\0';
    return open(mem, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
}

void bz_templates_file(struct bz_daemon *d, uint32_t i, int fd, const char *path) {
    struct bz_token_set *s = &d->backend[i].tokens[BZ_TOKENS_FROM_FILES];
    size_t before = s->n;
    take_gguf(fd, s);
    int folder = folder_of(path);
    if (folder >= 0) {
        take_config(d, folder, true, s);
        (void)close(folder);
    }
    d->publish_wanted |= s->n != before;
}

void bz_templates_forget(struct bz_daemon *d, uint32_t i) {
    struct bz_token_set *s = &d->backend[i].tokens[BZ_TOKENS_FROM_FILES];
    d->publish_wanted |= s->n > 0;
    bz_token_set_free(s);
}

/* A word of the command: a model file, or a folder with one in it. */
static void take_word(const struct bz_daemon *d, const char *word, struct bz_token_set *s) {
    struct stat st;
    int fd = word[0] == '-' ? -1 : openat(d->in.fd, word, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        take_config(d, fd, false, s);
    else
        take_gguf(fd, s);
    (void)close(fd);
}

void bz_templates_run(struct bz_daemon *d, uint32_t i) {
    const struct bz_run_config *run = d->config->backends[i].run;
    struct bz_token_set now = {.text = NULL};
    if (run == NULL)
        return;
    for (uint32_t k = 0; k < run->command_n; k++)
        take_word(d, run->command[k], &now);
    d->publish_wanted |= replace(&d->backend[i].tokens[BZ_TOKENS_FROM_COMMAND], &now);
}

/* ---- for the image ---- */

static bool is_there(const struct bz_view *v, size_t n, struct bz_view token) {
    for (size_t i = 0; i < n; i++)
        if (bz_view_eq(v[i], token))
            return true;
    return false;
}

static size_t put(const struct bz_token_set *s, struct bz_view *out, size_t n, size_t cap) {
    for (size_t at = 0; at < s->size && n < cap; at += strlen(s->text + at) + 1)
        if (!is_there(out, n, bz_view_str(s->text + at)))
            out[n++] = bz_view_str(s->text + at);
    return n;
}

static struct bz_view key_of(const struct bz_image_model_input *m) {
    return bz_model_key(bz_view_str(m->target[0] != '\0' ? m->target : m->name));
}

static bool listed(const struct bz_prompt_tokens *v, size_t n, struct bz_view key) {
    for (size_t i = 0; i < n; i++)
        if (bz_view_eq(v[i].model, key))
            return true;
    return false;
}

/* Of all backends that have the model under this name. */
static size_t of_model(const struct bz_daemon *d, const struct bz_image_model_input *m,
                       struct bz_view *out) {
    size_t n = 0;
    for (uint32_t i = 0; i < d->config->backends_n; i++) {
        if ((m->backends >> i & 1) == 0)
            continue;
        for (int from = 0; from < BZ_TOKENS_FROM_COUNT; from++)
            n = put(&d->backend[i].tokens[from], out, n, BZ_TEMPLATE_TOKENS_MAX);
    }
    return n;
}

enum bz_status bz_templates_now(const struct bz_daemon *d,
                                const struct bz_image_model_input *models, size_t models_n,
                                struct bz_arena *ar, struct bz_prompt_tokens **ret, size_t *ret_n) {
    struct bz_prompt_tokens *v = bz_arena_alloc(ar, (models_n + 1) * sizeof *v);
    size_t n = 0;
    if (v == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < models_n; i++) {
        struct bz_view *out = NULL, first[BZ_TEMPLATE_TOKENS_MAX];
        if (listed(v, n, key_of(&models[i])))
            continue;
        size_t k = of_model(d, &models[i], first);
        if (k == 0)
            continue;
        if ((out = bz_arena_alloc(ar, k * sizeof *out)) == NULL)
            return BZ_ENOMEM;
        memcpy(out, first, k * sizeof *out);
        v[n++] = (struct bz_prompt_tokens){.model = key_of(&models[i]), .v = out, .n = k};
    }
    *ret = v;
    *ret_n = n;
    return BZ_OK;
}
