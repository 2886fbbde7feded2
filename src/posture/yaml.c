/* YAML as a tree of JSON nodes: what configurations of other programs say. Leaves are strings (null is an
 * empty one); aliases are refused, so size is bounded by the input. */
#include <yaml.h>
#include "posture_int.h"

struct builder {
    struct bz_arena *ar;
    struct bz_json *open[BZ_JSON_DEPTH_MAX]; /* objects and arrays that are open */
    struct bz_json *last[BZ_JSON_DEPTH_MAX]; /* their last child */
    struct bz_view key[BZ_JSON_DEPTH_MAX];
    bool have_key[BZ_JSON_DEPTH_MAX];
    size_t depth, nodes;
    struct bz_json *root;
};

static struct bz_json *node(struct builder *b, enum bz_json_type type) {
    struct bz_json *n = b->nodes++ < BZ_JSON_NODES_MAX ? bz_arena_zalloc(b->ar, sizeof *n) : NULL;
    if (n != NULL)
        n->type = (uint8_t)type;
    return n;
}

static bool attach(struct builder *b, struct bz_json *n) {
    if (b->depth == 0) {
        bool first = b->root == NULL;
        b->root = first ? n : b->root;
        return first;
    }
    size_t d = b->depth - 1;
    struct bz_json *up = b->open[d];
    if (up->type == BZ_JSON_OBJECT) {
        n->key = b->key[d];
        b->have_key[d] = false;
    }
    if (b->last[d] == NULL)
        up->first = n;
    else
        b->last[d]->next = n;
    b->last[d] = n;
    up->count++;
    return true;
}

static bool scalar(struct builder *b, const yaml_event_t *e) {
    struct bz_view v = bz_arena_dup(b->ar, bz_view(e->data.scalar.value, e->data.scalar.length));
    if (v.p == NULL)
        return false;
    if (b->depth > 0 && b->open[b->depth - 1]->type == BZ_JSON_OBJECT &&
        !b->have_key[b->depth - 1]) {
        b->key[b->depth - 1] = v;
        b->have_key[b->depth - 1] = true;
        return true;
    }
    struct bz_json *n = node(b, BZ_JSON_STRING);
    if (n == NULL)
        return false;
    n->val = v;
    return attach(b, n);
}

static bool begin(struct builder *b, enum bz_json_type type) {
    if (b->depth >= BZ_JSON_DEPTH_MAX)
        return false;
    /* a mapping as a key: nobody's configuration */
    if (b->depth > 0 && b->open[b->depth - 1]->type == BZ_JSON_OBJECT && !b->have_key[b->depth - 1])
        return false;
    struct bz_json *n = node(b, type);
    if (n == NULL || !attach(b, n))
        return false;
    b->open[b->depth] = n;
    b->last[b->depth] = NULL;
    b->have_key[b->depth++] = false;
    return true;
}

static bool event(struct builder *b, const yaml_event_t *e) {
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return scalar(b, e);
    case YAML_MAPPING_START_EVENT:
        return begin(b, BZ_JSON_OBJECT);
    case YAML_SEQUENCE_START_EVENT:
        return begin(b, BZ_JSON_ARRAY);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return b->depth > 0 && b->depth-- > 0;
    case YAML_ALIAS_EVENT:
        return false;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return true;
}

struct bz_json *pt_yaml(struct bz_arena *ar, struct bz_view text, struct bz_diag *diag) {
    struct builder b = {.ar = ar};
    yaml_parser_t p;
    yaml_event_t e;
    bool good = true, end = false;
    if (text.n == 0 || text.n > BZ_POSTURE_CONFIG_MAX || yaml_parser_initialize(&p) == 0)
        return NULL;
    yaml_parser_set_input_string(&p, text.p, text.n);
    while (good && !end) {
        if (yaml_parser_parse(&p, &e) == 0) {
            bz_diag_set(diag, p.problem_mark.line + 1, "this is no YAML");
            good = false;
            break;
        }
        end = e.type == YAML_STREAM_END_EVENT;
        good = event(&b, &e);
        if (!good)
            bz_diag_set(diag, e.start_mark.line + 1, "aliases, a second document or too deep");
        yaml_event_delete(&e);
    }
    yaml_parser_delete(&p);
    return good ? b.root : NULL;
}
