/* Inside of `bartizan inventory` and `bartizan model sbom`: files in, a struct bz_inventory out. */
#ifndef BZ_CLI_INVENTORY_H
#define BZ_CLI_INVENTORY_H

#include <bartizan/inventory.h>
#include "instance.h"

struct bz_collect {
    struct bz_inventory *inv;
    int root;         /* all paths are below it, links too */
    bool run;         /* ask servers that are found for their version */
    bool hash;        /* of model files that have none in their name */
    bool verify;      /* files of Python packages against their RECORD */
    bool progress;    /* on a terminal */
    uint64_t entries; /* seen so far */
    uint64_t changed; /* files that are not as their RECORD says */
    struct bz_view distro;
};

/* ---- inventory_walk.c ---- */
/* Everything below the root, pseudo file systems left out. false: the root cannot be read (said). */
bool bz_collect_all(struct bz_collect *c, const char *root);
/* Opens a path below the root, no way out of it; -1 with errno. */
int bz_collect_open(const struct bz_collect *c, const char *path, int flags);
/* A whole file, noted when it cannot be read. `out` is initialised here and always freed by the
 * caller. */
bool bz_collect_read(struct bz_collect *c, const char *path, struct bz_buf *out);

/* ---- inventory_models.c ---- */
/* A folder "manifests" of Ollama's store, whose blobs lie beside it. */
void bz_collect_ollama(struct bz_collect *c, const char *path);
/* "models--org--name" of Hugging Face's cache. */
void bz_collect_hub(struct bz_collect *c, const char *path);
/* One GGUF file, or a folder with safetensors. NULL: it is none. */
struct bz_component *bz_collect_gguf(struct bz_collect *c, const char *path);
struct bz_component *bz_collect_folder(struct bz_collect *c, const char *path);

/* ---- inventory_run.c ---- */
/* What `path --version` prints (both streams), at most 64 KiB within 5 seconds, with an empty
 * environment. The program is one that the walk found under its well-known name. */
bool bz_collect_ask(const struct bz_collect *c, const char *path, struct bz_buf *out);

/* ---- inventory_report.c ---- */
struct bz_licence_list {
    struct bz_buf text;
    struct bz_view ids[512];
    size_t n;
};
bool bz_licence_list_read(const char *path, struct bz_licence_list *ret); /* said why not */
void bz_inventory_print(const struct bz_inventory *inv, bool all);
void bz_inventory_json(const struct bz_inventory *inv, struct bz_buf *out);
/* Findings of the licence review; prints them unless `out` takes them as JSON. */
size_t bz_licence_review(const struct bz_inventory *inv, const struct bz_licence_list *l,
                         struct bz_jw *out);
/* A program that serves models or stands beside one that does, by the name of its package. */
bool bz_component_serves(const struct bz_component *c);

#endif
