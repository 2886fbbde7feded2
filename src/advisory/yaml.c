/* YAML documents as JSON trees, over libyaml's events. */
#include <yaml.h>

#include "advisory_int.h"

enum { DEPTH_MAX = 32, NODES_MAX = 1 << 20 };

struct reader {
    yaml_parser_t parser;
    struct bz_arena *ar;
    struct bz_diag *diag;
    size_t nodes;
    struct bz_json *open[DEPTH_MAX]; /* maps and lists that are not closed yet */
    struct bz_json *last[DEPTH_MAX]; /* newest child of each */
    size_t depth;
    struct bz_view key; /* of the map's member whose value comes next */
    bool has_key, done;
    struct bz_json *root;
};

static enum bz_status fail(struct reader *r, enum bz_status st, const char *why) {
    bz_diag_set(r->diag, r->parser.mark.index, why);
    return st;
}

/* Puts a value where it belongs: under the key that was read, at the end of the list, or on top. */
static enum bz_status attach(struct reader *r, struct bz_json *n) {
    if (r->depth == 0) {
        r->root = n;
        return BZ_OK;
    }
    struct bz_json *up = r->open[r->depth - 1];
    if (up->type == BZ_JSON_OBJECT) {
        n->key = r->key;
        r->has_key = false;
    }
    if (r->last[r->depth - 1] == NULL)
        up->first = n;
    else
        r->last[r->depth - 1]->next = n;
    r->last[r->depth - 1] = n;
    up->count++;
    return BZ_OK;
}

static struct bz_json *node(struct reader *r, enum bz_json_type type, uint64_t off) {
    struct bz_json *n = ++r->nodes > NODES_MAX ? NULL : bz_arena_zalloc(r->ar, sizeof *n);
    if (n == NULL)
        return NULL;
    n->type = (uint8_t)type;
    n->depth = (uint16_t)r->depth;
    n->off = off;
    return n;
}

static enum bz_json_type type_of(const yaml_event_t *e, struct bz_view v) {
    if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return BZ_JSON_STRING;
    if (bz_view_eq(v, BZ_V("true")))
        return BZ_JSON_TRUE;
    if (bz_view_eq(v, BZ_V("false")))
        return BZ_JSON_FALSE;
    bool none = v.n == 0 || bz_view_eq(v, BZ_V("null")) || bz_view_eq(v, BZ_V("~"));
    return none ? BZ_JSON_NULL : BZ_JSON_STRING;
}

static enum bz_status take_key(struct reader *r, struct bz_view text) {
    const struct bz_json *map = r->open[r->depth - 1];
    if (map->count >= BZ_JSON_KEYS_MAX)
        return fail(r, BZ_ETOOBIG, "too many keys in one map");
    if (bz_json_get(map, text) != NULL)
        return fail(r, BZ_EDUPKEY, "a key stands twice in one map");
    r->key = text;
    r->has_key = true;
    return BZ_OK;
}

static enum bz_status scalar(struct reader *r, const yaml_event_t *e) {
    struct bz_view raw = bz_view(e->data.scalar.value, e->data.scalar.length);
    struct bz_view text = bz_arena_dup(r->ar, raw);
    if (e->data.scalar.anchor != NULL || e->data.scalar.tag != NULL)
        return fail(r, BZ_ESYNTAX, "anchors and tags are not taken");
    if (text.p == NULL)
        return fail(r, BZ_ENOMEM, "out of memory");
    if (memchr(text.p, 0, text.n) != NULL)
        return fail(r, BZ_ESYNTAX, "a NUL character");
    if (r->depth > 0 && r->open[r->depth - 1]->type == BZ_JSON_OBJECT && !r->has_key)
        return take_key(r, text);
    struct bz_json *n = node(r, type_of(e, raw), e->start_mark.index);
    if (n == NULL)
        return fail(r, BZ_ETOOBIG, "too many values");
    if (n->type == BZ_JSON_STRING)
        n->val = text;
    return attach(r, n);
}

static enum bz_status open_node(struct reader *r, enum bz_json_type type, const yaml_event_t *e,
                                const void *anchor, const void *tag) {
    if (anchor != NULL || tag != NULL)
        return fail(r, BZ_ESYNTAX, "anchors and tags are not taken");
    if (r->depth == DEPTH_MAX)
        return fail(r, BZ_EDEPTH, "nested too deeply");
    if (r->depth > 0 && r->open[r->depth - 1]->type == BZ_JSON_OBJECT && !r->has_key)
        return fail(r, BZ_ESYNTAX, "a key must be a text");
    struct bz_json *n = node(r, type, e->start_mark.index);
    if (n == NULL)
        return fail(r, BZ_ETOOBIG, "too many values");
    BZ_TRY(attach(r, n));
    r->open[r->depth] = n;
    r->last[r->depth++] = NULL;
    return BZ_OK;
}

static enum bz_status take(struct reader *r, const yaml_event_t *e) {
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return scalar(r, e);
    case YAML_MAPPING_START_EVENT:
        return open_node(r, BZ_JSON_OBJECT, e, e->data.mapping_start.anchor,
                         e->data.mapping_start.tag);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(r, BZ_JSON_ARRAY, e, e->data.sequence_start.anchor,
                         e->data.sequence_start.tag);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        r->depth--;
        return BZ_OK;
    case YAML_ALIAS_EVENT:
        return fail(r, BZ_ESYNTAX, "anchors and tags are not taken");
    case YAML_DOCUMENT_START_EVENT:
        return r->root == NULL ? BZ_OK : fail(r, BZ_ETRAILING, "more than one document");
    case YAML_STREAM_END_EVENT:
        r->done = true;
        return BZ_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return BZ_OK;
    }
    return fail(r, BZ_EINTERNAL, "unknown event");
}

static enum bz_status read_all(struct reader *r) {
    while (!r->done) {
        yaml_event_t e;
        if (yaml_parser_parse(&r->parser, &e) == 0) {
            bz_diag_set(r->diag,
                        r->parser.problem_offset != 0 ? r->parser.problem_offset
                                                      : r->parser.problem_mark.index,
                        "it is not YAML");
            return r->parser.error == YAML_MEMORY_ERROR ? BZ_ENOMEM : BZ_ESYNTAX;
        }
        enum bz_status st = take(r, &e);
        yaml_event_delete(&e);
        BZ_TRY(st);
    }
    return r->root == NULL ? fail(r, BZ_ESYNTAX, "it is empty") : BZ_OK;
}

enum bz_status bz_yaml_parse(struct bz_view in, struct bz_arena *ar, struct bz_json **ret,
                             struct bz_diag *diag) {
    struct reader r = {.ar = ar, .diag = diag};
    if (in.n > BZ_ADVISORY_PACK_MAX) {
        bz_diag_set(diag, 0, "too large");
        return BZ_ETOOBIG;
    }
    if (yaml_parser_initialize(&r.parser) == 0)
        return BZ_ENOMEM;
    yaml_parser_set_input_string(&r.parser, in.n == 0 ? (const uint8_t *)"" : in.p, in.n);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    enum bz_status st = read_all(&r);
    yaml_parser_delete(&r.parser);
    if (st == BZ_OK)
        *ret = r.root;
    return st;
}
