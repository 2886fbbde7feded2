/* What `bartizan inventory` prints, and the licence review. */
#include "inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "opts.h"

/* ---- servers ---- */

bool bz_component_serves(const struct bz_component *c) {
    static const char *const names[] = {
        "vllm",
        "sglang",
        "litellm",
        "ray",
        "mlflow",
        "open-webui",
        "llama-cpp-python",
        "text-generation-server",
        "langflow",
        "tritonclient",
        "bentoml",
        "transformers",
        "gradio",
        "streamlit",
        "chromadb",
        "qdrant",
        "jupyterlab",
        "notebook",
        "ollama",
        "llama.cpp",
        "nvidia-container-toolkit",
        "libnvidia-container1",
    };
    if (c->kind == BZ_COMPONENT_SERVER)
        return true;
    if (c->kind != BZ_COMPONENT_PYPI && c->kind != BZ_COMPONENT_DEB)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (bz_view_eq_nocase(c->name, bz_view_str(names[i])))
            return true;
    }
    return false;
}

/* ---- JSON ---- */

static void opt(struct bz_jw *w, const char *key, struct bz_view v) {
    if (v.n > 0)
        bz_jw_kstr(w, key, v);
}

static void hash(struct bz_jw *w, const char *key, bool has, const uint8_t sha256[BZ_HASH_LEN]) {
    char mem[2 * BZ_HASH_LEN + 1];
    struct bz_buf b;
    if (!has)
        return;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put_hex(&b, bz_view(sha256, BZ_HASH_LEN));
    bz_jw_kstr(w, key, bz_buf_view(&b));
}

static void put_purl(struct bz_jw *w, const struct bz_component *c) {
    struct bz_buf b;
    bz_buf_init(&b, 8192);
    if (bz_component_purl(c, &b) && bz_buf_status(&b) == BZ_OK)
        bz_jw_kstr(w, "purl", bz_buf_view(&b));
    bz_buf_free(&b);
}

static void put_component(struct bz_jw *w, const struct bz_component *c) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "kind", bz_view_str(bz_component_kind_name(c->kind)));
    bz_jw_kstr(w, "name", c->name);
    bz_jw_kstr(w, "version", c->version);
    if (bz_component_serves(c))
        bz_jw_kbool(w, "serves_models", true);
    put_purl(w, c);
    opt(w, "source", c->source);
    opt(w, "source_version", c->source_version);
    opt(w, "arch", c->arch);
    opt(w, "supplier", c->supplier);
    opt(w, "licence", c->licence);
    opt(w, "origin", c->origin);
    opt(w, "format", c->format);
    opt(w, "architecture", c->architecture);
    opt(w, "parameters", c->parameters);
    opt(w, "quantisation", c->quantisation);
    opt(w, "base_model", c->base_model);
    hash(w, "sha256", c->has_sha256, c->sha256);
    hash(w, "chat_template_sha256", c->has_template, c->template_sha256);
    opt(w, "path", c->path);
    if (c->files != NULL) {
        bz_jw_key(w, "files");
        bz_jw_arr(w);
        for (const struct bz_component_file *f = c->files; f != NULL; f = f->next) {
            bz_jw_obj(w);
            bz_jw_kstr(w, "path", f->path);
            bz_jw_ku64(w, "size", f->size);
            hash(w, "sha256", f->has_sha256, f->sha256);
            bz_jw_end(w);
        }
        bz_jw_end(w);
    }
    bz_jw_end(w);
}

void bz_inventory_json(const struct bz_inventory *inv, struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    bz_jw_key(&w, "components");
    bz_jw_arr(&w);
    for (const struct bz_component *c = inv->first; c != NULL; c = c->next)
        put_component(&w, c);
    bz_jw_end(&w);
    bz_jw_key(&w, "notes");
    bz_jw_arr(&w);
    for (const struct bz_inventory_note *n = inv->notes; n != NULL; n = n->next) {
        bz_jw_obj(&w);
        bz_jw_kstr(&w, "path", n->path);
        bz_jw_kstr(&w, "why", bz_view_str(n->why));
        bz_jw_end(&w);
    }
    bz_jw_end(&w);
    bz_jw_kbool(&w, "complete", !inv->full && inv->notes_n == 0);
    bz_jw_end(&w);
    bz_buf_putc(out, '\n');
}

/* ---- text ---- */

static void print_padded(struct bz_view v, int width) {
    bz_print_safe(stdout, v.n > 0 ? v : BZ_V("-"));
    for (int i = v.n > 0 ? (int)v.n : 1; i < width; i++)
        (void)putchar(' ');
    (void)putchar(' ');
}

static void print_line(const struct bz_component *c) {
    (void)printf("%-8s", bz_component_kind_name(c->kind));
    print_padded(c->name, 36);
    print_padded(c->version, 24);
    print_padded(c->kind == BZ_COMPONENT_MODEL ? c->quantisation : c->licence, 20);
    bz_print_safe(stdout, c->path);
    (void)putchar('\n');
}

void bz_inventory_print(const struct bz_inventory *inv, bool all) {
    size_t count[BZ_COMPONENT_KIND_COUNT] = {0};
    for (const struct bz_component *c = inv->first; c != NULL; c = c->next) {
        count[c->kind]++;
        if (all || c->kind >= BZ_COMPONENT_SERVER || bz_component_serves(c))
            print_line(c);
    }
    for (unsigned k = 0; k < BZ_COMPONENT_KIND_COUNT; k++) {
        if (count[k] > 0)
            (void)printf("%zu %s%s", count[k], bz_component_kind_name((enum bz_component_kind)k),
                         ", ");
    }
    (void)printf("%zu in all%s\n", inv->n, all ? "" : " (--all lists them)");
    size_t shown = 0;
    for (const struct bz_inventory_note *n = inv->notes; n != NULL && shown < 20; n = n->next) {
        (void)fprintf(stderr, "not read: ");
        bz_print_safe(stderr, n->path);
        (void)fprintf(stderr, ": %s\n", n->why);
        shown++;
    }
    if (inv->notes_n > shown)
        (void)fprintf(stderr, "not read: %zu more (--json names them)\n", inv->notes_n - shown);
    if (inv->full)
        (void)fprintf(stderr, "not everything was looked at: a limit was reached\n");
}

/* ---- licences ---- */

bool bz_licence_list_read(const char *path, struct bz_licence_list *ret) {
    bz_buf_init(&ret->text, 1 << 20);
    ret->n = 0;
    if (bz_file_read(AT_FDCWD, path, &ret->text) != BZ_OK) {
        bz_say("%s: %s", bz_safe(path), strerror(errno));
        bz_buf_free(&ret->text);
        return false;
    }
    struct bz_view rest = bz_buf_view(&ret->text);
    while (rest.n > 0) {
        const uint8_t *nl = memchr(rest.p, '\n', rest.n);
        struct bz_view line = bz_view_sub(rest, 0, nl == NULL ? rest.n : (size_t)(nl - rest.p));
        rest = bz_view_sub(rest, line.n + 1, rest.n);
        const uint8_t *hash_sign = line.n == 0 ? NULL : memchr(line.p, '#', line.n);
        if (hash_sign != NULL)
            line.n = (size_t)(hash_sign - line.p);
        while (line.n > 0 && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\r'))
            line.n--;
        if (line.n == 0)
            continue;
        if (ret->n == sizeof ret->ids / sizeof ret->ids[0] || !bz_licence_is_expression(line)) {
            bz_say("%s: line \"%.*s\" is no SPDX identifier, or there are more than 512",
                   bz_safe(path), (int)(line.n < 60 ? line.n : 60), (const char *)line.p);
            bz_buf_free(&ret->text);
            return false;
        }
        ret->ids[ret->n++] = line;
    }
    return true;
}

static const char *judge(const struct bz_component *c, const struct bz_licence_list *l) {
    if (c->licence.n == 0)
        return "no licence is stated";
    switch ((int)bz_licence_allowed(c->licence, l->ids, l->n)) {
    case BZ_OK:
        return NULL;
    case BZ_EDENIED:
        return "the licence is not in the list";
    default:
        return "the licence is stated in words of its own";
    }
}

/* Debian's packages have their licences in /usr/share/doc, in words: they are not judged. */
static bool judged(const struct bz_component *c) {
    return c->kind == BZ_COMPONENT_PYPI || c->kind == BZ_COMPONENT_NPM ||
           c->kind == BZ_COMPONENT_CONDA || c->kind == BZ_COMPONENT_MODEL;
}

size_t bz_licence_review(const struct bz_inventory *inv, const struct bz_licence_list *l,
                         struct bz_jw *out) {
    size_t found = 0;
    for (const struct bz_component *c = inv->first; c != NULL; c = c->next) {
        const char *why = judged(c) ? judge(c, l) : NULL;
        if (why == NULL)
            continue;
        found++;
        if (out != NULL) {
            bz_jw_obj(out);
            bz_jw_kstr(out, "kind", bz_view_str(bz_component_kind_name(c->kind)));
            bz_jw_kstr(out, "name", c->name);
            bz_jw_kstr(out, "version", c->version);
            bz_jw_kstr(out, "licence", c->licence);
            bz_jw_kstr(out, "why", bz_view_str(why));
            bz_jw_kstr(out, "path", c->path);
            bz_jw_end(out);
            continue;
        }
        (void)printf("%s ", bz_component_kind_name(c->kind));
        bz_print_safe(stdout, c->name);
        (void)putchar(' ');
        bz_print_safe(stdout, c->version);
        (void)printf(": %s", why);
        if (c->licence.n > 0) {
            (void)printf(": ");
            bz_print_safe(stdout, bz_view_sub(c->licence, 0, 80));
        }
        (void)putchar('\n');
    }
    return found;
}
