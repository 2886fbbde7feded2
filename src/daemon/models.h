/* Names of models: read from a backend's own list (hostile bytes), merged into what the gateway
 * serves. Pure. */
#ifndef BZ_MODELS_H
#define BZ_MODELS_H

#include <bartizan/limits.h>
#include <bartizan/policy.h>


struct bz_names {
    char **v;
    uint32_t n;
    uint32_t dropped; /* not usable: too long, odd characters, too many */
};
void bz_names_free(struct bz_names *l);
bool bz_names_equal(const struct bz_names *a, const struct bz_names *b);
/* Copies; ENOMEM. */
enum bz_status bz_names_copy(char *const *v, uint32_t n, struct bz_names *ret) BZ_MUST_USE;

/* 1..BZ_MODEL_NAME_MAX bytes of printable ASCII without blank, quote, backslash, angle bracket or
 * '*'. */
bool bz_model_name_ok(struct bz_view name);
/* Path that lists a server's models. */
const char *bz_model_list_path(enum bz_server s);
/* OK; ESYNTAX and other errors of the JSON parser; duplicates are taken once. */
enum bz_status bz_model_list_parse(enum bz_server s, struct bz_view body,
                                   struct bz_names *ret) BZ_MUST_USE;

/* The same; what an Ollama server lists goes through `vet`, with the digest of its manifest in hex: false leaves it out. */
enum bz_status bz_model_list_vetted(enum bz_server s, struct bz_view body,
                                    bool (*vet)(void *ctx, struct bz_view digest), void *ctx,
                                    struct bz_names *ret) BZ_MUST_USE;

/* Path where a server says its version, or NULL: this type does not. */
const char *bz_server_version_path(enum bz_server s);
/* The version out of the answer, printable and not empty. ESYNTAX and other errors of the JSON
 * parser; ETOOBIG. */
enum bz_status bz_server_version_parse(enum bz_server s, struct bz_view body,
                                       char out[BZ_VERSION_MAX + 1]) BZ_MUST_USE;

/* What is served: every backend's names, replicas under one name joined; then the aliases of the
 * configuration, which go before a backend's model of the same name. lists[i] belongs to backend i.
 * Strings are lent from the inputs. */
struct bz_served {
    struct bz_image_model_input *v;
    uint32_t n;
    uint32_t dropped; /* above BZ_MODELS_MAX */
};
enum bz_status bz_models_merge(const struct bz_config *c, const struct bz_names *lists,
                               uint32_t lists_n, struct bz_served *ret) BZ_MUST_USE;
void bz_served_free(struct bz_served *s);

#endif
