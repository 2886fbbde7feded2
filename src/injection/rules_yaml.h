/* A rule file as a tree with positions: one document of plain YAML. */
#ifndef INJECTION_RULES_YAML_H
#define INJECTION_RULES_YAML_H

#include <yaml.h>

#include "rules_int.h"

struct source { /* one file while it is read */
    struct packer *m;
    yaml_document_t doc;
};
/* ENOMEM, ESYNTAX (told). On OK: yaml_document_delete(&s->doc) afterwards. */
enum bz_status yaml_load(struct source *s, struct bz_view text) BZ_MUST_USE;

struct mark yaml_at(const struct source *s, const yaml_node_t *n);
enum bz_status yaml_fail(struct source *s, const yaml_node_t *n, const char *text,
                         struct bz_view arg);
/* Value of a key; NULL: not there. */
yaml_node_t *yaml_get(struct source *s, const yaml_node_t *map, const char *key);
/* A mapping with none but these keys, none twice. */
enum bz_status yaml_keys(struct source *s, const yaml_node_t *n, const char *const *keys,
                         size_t keys_n) BZ_MUST_USE;
/* Members of a mapping, entries of a list: node i, or NULL behind the last. */
yaml_node_t *yaml_key(struct source *s, const yaml_node_t *map, size_t i);
yaml_node_t *yaml_value(struct source *s, const yaml_node_t *map, size_t i);
yaml_node_t *yaml_entry(struct source *s, const yaml_node_t *list, size_t i);
/* Text of a scalar of 1 to max bytes, valid UTF-8; `what` names it in the error. */
enum bz_status yaml_text(struct source *s, const yaml_node_t *n, const char *what, size_t max,
                         struct bz_view *ret) BZ_MUST_USE;
bool yaml_is_list(const yaml_node_t *n);
bool yaml_is_map(const yaml_node_t *n);
struct bz_view yaml_scalar(const yaml_node_t *n); /* empty: none */

#endif
