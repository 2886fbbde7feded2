/* What is installed on a machine that matters to its language models: packages, model servers, GPU
 * driver and CUDA, models. Parsers take the texts of package managers and the heads of model files,
 * which are as hostile as anything else; writers make bills of materials.
 *
 * The room is pure: who reads files calls it. */
#ifndef BARTIZAN_INVENTORY_H
#define BARTIZAN_INVENTORY_H

#include <bartizan/crypto.h>
#include <bartizan/json.h>
#include <bartizan/limits.h>

enum bz_component_kind {
    BZ_COMPONENT_DEB,
    BZ_COMPONENT_PYPI,
    BZ_COMPONENT_NPM,
    BZ_COMPONENT_CONDA,
    BZ_COMPONENT_SERVER,  /* a model server or tool beside it, whatever installed it */
    BZ_COMPONENT_DRIVER,  /* of a GPU */
    BZ_COMPONENT_LIBRARY, /* CUDA, cuDNN, ROCm */
    BZ_COMPONENT_MODEL,
    BZ_COMPONENT_KIND_COUNT
};
const char *bz_component_kind_name(enum bz_component_kind k); /* "deb", "pypi", ... */

struct bz_component_file { /* a part of a model */
    struct bz_view path;
    uint64_t size;
    uint8_t sha256[BZ_HASH_LEN];
    bool has_sha256;
    struct bz_component_file *next;
};

/* Views live as long as the inventory. Empty: not known. */
struct bz_component {
    enum bz_component_kind kind;
    struct bz_view name, version;
    struct bz_view source, source_version; /* deb: the source package, where it differs */
    struct bz_view distro;                 /* deb: "debian-12" */
    struct bz_view arch, supplier, homepage, origin, summary;
    struct bz_view licence; /* SPDX expression, or the package's own words */
    struct bz_view path;    /* where it was found */
    uint8_t sha256[BZ_HASH_LEN];
    bool has_sha256;
    /* models */
    struct bz_view format;       /* "gguf", "safetensors" ... */
    struct bz_view architecture; /* "llama" */
    struct bz_view parameters;   /* "8B" */
    struct bz_view quantisation; /* "Q4_K_M" */
    struct bz_view base_model;
    struct bz_view released;              /* RFC 3339 */
    uint8_t template_sha256[BZ_HASH_LEN]; /* of the chat template's bytes */
    bool has_template;
    struct bz_component_file *files;
    /* conda: where its Python metadata lie ("lib/.../numpy-1.0.dist-info" below the environment) */
    struct bz_component_file *python;
    size_t index; /* place in the list after bz_inventory_sort */
    struct bz_component *next;
};

struct bz_inventory_note { /* what could not be looked at */
    struct bz_view path;
    const char *why; /* static */
    struct bz_inventory_note *next;
};

struct bz_inventory {
    struct bz_arena ar;
    struct bz_component *first, *last;
    struct bz_inventory_note *notes, *last_note;
    size_t n, notes_n;
    bool full; /* BZ_COMPONENTS_MAX or memory was reached: the rest is missing */
};
void bz_inventory_init(struct bz_inventory *inv);
void bz_inventory_free(struct bz_inventory *inv);
/* A new component at the end; NULL: full. Texts are copied with bz_inventory_text. */
struct bz_component *bz_inventory_add(struct bz_inventory *inv, enum bz_component_kind kind);
/* Copy of one line of text: cut at its first control character, invalid UTF-8 replaced, at most
 * BZ_INVENTORY_TEXT_MAX bytes. Empty when there is no memory. */
struct bz_view bz_inventory_text(struct bz_inventory *inv, struct bz_view v);
void bz_inventory_note(struct bz_inventory *inv, struct bz_view path, const char *why);
/* Sorted by kind, name, version, path; equal ones (all four) once. */
void bz_inventory_sort(struct bz_inventory *inv);

/* ---- parsers ----
 *
 * `path`: of the file, for the components. Errors are notes; what was read before stays. */

/* dpkg's status file, or one of a distroless image's status.d. distro: "debian-12", or empty. */
void bz_inventory_dpkg(struct bz_inventory *inv, struct bz_view text, struct bz_view path,
                       struct bz_view distro);
/* METADATA of a *.dist-info, PKG-INFO of an *.egg-info. NULL: it names no package (noted). */
struct bz_component *bz_inventory_python(struct bz_inventory *inv, struct bz_view text,
                                         struct bz_view path);
/* direct_url.json beside a METADATA: where the package came from, if not from an index. */
void bz_inventory_direct_url(struct bz_inventory *inv, struct bz_component *c, struct bz_view json);
/* Line number i of a RECORD (CSV of path, "sha256=" digest, size). ret_has: it has a digest; else
 * nothing is said about that file. OK; ENOTFOUND: no more; ESYNTAX. *at is moved on. */
struct bz_record_line {
    struct bz_view path; /* lent, quotes kept out; such with a quote inside are ESYNTAX */
    uint8_t sha256[BZ_HASH_LEN];
    bool has;
};
enum bz_status bz_inventory_record(struct bz_view text, size_t *at,
                                   struct bz_record_line *ret) BZ_MUST_USE;
/* One conda-meta/NAME.json. */
void bz_inventory_conda(struct bz_inventory *inv, struct bz_view json, struct bz_view path);
/* package-lock.json or npm-shrinkwrap.json, lockfileVersion 1 to 3; node_modules/.package-lock.json. */
void bz_inventory_npm_lock(struct bz_inventory *inv, struct bz_view json, struct bz_view path);
/* package.json of an installed package. */
void bz_inventory_npm_package(struct bz_inventory *inv, struct bz_view json, struct bz_view path);
/* /proc/driver/nvidia/version; the first line's release. */
void bz_inventory_nvidia(struct bz_inventory *inv, struct bz_view text, struct bz_view path);
/* version.json of a CUDA toolkit. */
void bz_inventory_cuda(struct bz_inventory *inv, struct bz_view json, struct bz_view path);
/* What a library's file name says: "libcudart.so.12.4.127". false: none that we know. */
bool bz_inventory_library(struct bz_inventory *inv, struct bz_view file_name, struct bz_view path);
/* What a server's --version printed; name: "ollama", "llama.cpp", "vllm". An empty text or one
 * without a version gives a component without. */
void bz_inventory_server(struct bz_inventory *inv, struct bz_view name, struct bz_view text,
                         struct bz_view path);

/* The head of a GGUF file: what it says about itself. Reads through `read` (OK, EIO), and no further
 * than BZ_GGUF_HEAD_MAX. OK; ESYNTAX: no GGUF or damaged; ETOOBIG. */
struct bz_gguf_source {
    enum bz_status (*read)(void *ctx, uint64_t off, void *p, size_t n);
    void *ctx;
    uint64_t size;
};
enum bz_status bz_inventory_gguf(struct bz_inventory *inv, const struct bz_gguf_source *src,
                                 struct bz_component *c) BZ_MUST_USE;
/* A manifest of Ollama: layers and their digests. name: "llama3:8b". NULL: it is none (noted).
 * ret_model: hex digest of the layer with the weights, ret_licence: of the first licence text; lent
 * from the inventory, empty where there is none. */
struct bz_component *bz_inventory_ollama(struct bz_inventory *inv, struct bz_view json,
                                         struct bz_view path, struct bz_view name,
                                         struct bz_view *ret_model, struct bz_view *ret_licence);
/* README.md of a Hugging Face model (its front matter) and its config.json. */
void bz_inventory_model_card(struct bz_inventory *inv, struct bz_component *c, struct bz_view text);
void bz_inventory_model_config(struct bz_inventory *inv, struct bz_component *c,
                               struct bz_view json);

/* ---- licences ---- */

/* The SPDX identifier that a package's own words stand for ("Apache 2.0", "MIT License", "License ::
 * OSI Approved :: BSD License"), or empty. Texts of licences are known by their titles. */
struct bz_view bz_licence_spdx(struct bz_view words);
/* Is this an SPDX expression by its form: identifiers, LicenseRef-..., AND, OR, WITH, parentheses? */
bool bz_licence_is_expression(struct bz_view v);
/* Is an expression allowed by a list of identifiers? OR: one side is enough; AND: both; WITH: the
 * whole pair or the licence alone is listed. OK; EDENIED; ESYNTAX: no expression. */
enum bz_status bz_licence_allowed(struct bz_view expression, const struct bz_view *allowed,
                                  size_t n) BZ_MUST_USE;

/* ---- package URLs ---- */

/* "pkg:pypi/torch@2.1.0" (github.com/package-url/purl-spec). false: this kind has none. */
bool bz_component_purl(const struct bz_component *c, struct bz_buf *out);

/* ---- bills of materials ---- */

enum bz_sbom_format {
    BZ_SBOM_CYCLONEDX_1_6,
    BZ_SBOM_CYCLONEDX_1_7,
    BZ_SBOM_SPDX_3, /* 3.0.1, with the AI profile for models */
    BZ_SBOM_FORMAT_COUNT
};
bool bz_sbom_format_find(struct bz_view name, enum bz_sbom_format *ret); /* "cyclonedx-1.6" ... */
struct bz_sbom_head {
    struct bz_view subject; /* what is described: a host or a model */
    uint64_t now;           /* unix seconds */
    uint8_t random[16];     /* serial number */
};
/* Failures are latched in `out`. */
void bz_sbom_write(const struct bz_inventory *inv, enum bz_sbom_format f,
                   const struct bz_sbom_head *head, struct bz_buf *out);
/* What a model must say about itself before it may be promoted, where policy asks for it. */
enum bz_sbom_field {
    BZ_SBOM_NAME,
    BZ_SBOM_VERSION,
    BZ_SBOM_SUPPLIER,
    BZ_SBOM_LICENCE,  /* an SPDX expression */
    BZ_SBOM_SOURCE,   /* an URL */
    BZ_SBOM_RELEASED, /* a time as bz_sbom_is_time has it */
    BZ_SBOM_HASH,
    BZ_SBOM_FIELD_COUNT
};
const char *bz_sbom_field_name(enum bz_sbom_field f); /* "licence" ... */
bool bz_sbom_field_find(struct bz_view name, enum bz_sbom_field *ret);
/* The option by which people say it: "--licence SPDX"; NULL: it is made, not said. */
const char *bz_sbom_field_option(enum bz_sbom_field f);
/* One bit (1 << field) for each field that is missing or not of its form. */
uint32_t bz_sbom_missing(const struct bz_component *model);
/* An http, https or git+https URL by RFC 3986, without a user's name. */
bool bz_sbom_is_url(struct bz_view v);
/* "2026-01-31T00:00:00Z" */
bool bz_sbom_is_time(struct bz_view v);

#endif
