/* YAML of rule files: every event is looked at before a tree is made of them. */
#include <bartizan/text.h>

#include "rules_yaml.h"

enum { DEPTH_MAX = 6 };

enum bz_status packer_fail(struct packer *m, struct mark at, const char *text, struct bz_view arg) {
    struct bz_buf out;
    const char *hole = strstr(text, "%s");
    *m->err = (struct bz_rule_error){
        .file = m->files[at.file].name, .line = at.line, .column = at.column};
    bz_buf_init_fixed(&out, m->err->text, sizeof m->err->text - 1);
    if (hole == NULL) {
        bz_buf_puts(&out, text);
        return BZ_ESYNTAX;
    }
    bz_buf_put(&out, bz_view(text, (size_t)(hole - text)));
    size_t n = arg.n < 64 ? arg.n : 64;
    while (n < arg.n && n > 0 && (arg.p[n] & 0xc0) == 0x80)
        n--;
    bz_put_safe(&out, bz_view_sub(arg, 0, n));
    bz_buf_puts(&out, n < arg.n ? "..." : "");
    bz_buf_puts(&out, hole + 2);
    return BZ_ESYNTAX;
}

static struct mark mark_of(const struct source *s, yaml_mark_t at) {
    return (struct mark){(uint32_t)at.line + 1, (uint32_t)at.column + 1, s->m->file};
}

struct mark yaml_at(const struct source *s, const yaml_node_t *n) {
    return n == NULL ? (struct mark){1, 1, s->m->file} : mark_of(s, n->start_mark);
}

enum bz_status yaml_fail(struct source *s, const yaml_node_t *n, const char *text,
                         struct bz_view arg) {
    return packer_fail(s->m, yaml_at(s, n), text, arg);
}

/* ---- loading ---- */

static enum bz_status unreadable(struct source *s, const yaml_parser_t *p) {
    if (p->error == YAML_MEMORY_ERROR)
        return BZ_ENOMEM;
    return packer_fail(s->m, mark_of(s, p->problem_mark), "not valid YAML: %s",
                       bz_view_str(p->problem == NULL ? "unreadable" : p->problem));
}

static bool has_anchor(const yaml_event_t *e) {
    switch (e->type) {
    case YAML_ALIAS_EVENT:
        return true;
    case YAML_SCALAR_EVENT:
        return e->data.scalar.anchor != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return e->data.sequence_start.anchor != NULL;
    case YAML_MAPPING_START_EVENT:
        return e->data.mapping_start.anchor != NULL;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
    default:
        return false;
    }
}

static bool has_tag(const yaml_event_t *e) {
    if (e->type == YAML_SCALAR_EVENT)
        return e->data.scalar.tag != NULL;
    if (e->type == YAML_SEQUENCE_START_EVENT)
        return e->data.sequence_start.tag != NULL;
    return e->type == YAML_MAPPING_START_EVENT && e->data.mapping_start.tag != NULL;
}

struct shape { /* of what was seen so far */
    size_t depth, documents, nodes;
};

static const char *unwanted(const yaml_event_t *e, struct shape *sh) {
    bool opens = e->type == YAML_SEQUENCE_START_EVENT || e->type == YAML_MAPPING_START_EVENT;
    sh->nodes += opens || e->type == YAML_SCALAR_EVENT;
    sh->depth += opens;
    sh->depth -= e->type == YAML_SEQUENCE_END_EVENT || e->type == YAML_MAPPING_END_EVENT;
    sh->documents += e->type == YAML_DOCUMENT_START_EVENT;
    if (has_anchor(e))
        return "anchors and aliases are not supported; write the value out";
    if (has_tag(e))
        return "tags (!...) are not supported; leave it out";
    if (sh->depth > DEPTH_MAX)
        return "nested too deeply";
    if (sh->nodes > BZ_RULE_NODES_MAX)
        return "too many values in one file; split it";
    return sh->documents > 1 ? "only one document is allowed in the file" : NULL;
}

static enum bz_status check_events(struct source *s, yaml_parser_t *p) {
    struct shape sh = {0};
    for (bool end = false; !end;) {
        yaml_event_t e;
        if (yaml_parser_parse(p, &e) == 0)
            return unreadable(s, p);
        const char *why = unwanted(&e, &sh);
        struct mark at = mark_of(s, e.start_mark);
        end = e.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
        if (why != NULL)
            return packer_fail(s->m, at, why, (struct bz_view){0});
    }
    return BZ_OK;
}

static bool start(yaml_parser_t *p, struct bz_view text) {
    if (yaml_parser_initialize(p) == 0)
        return false;
    yaml_parser_set_encoding(p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(p, text.p == NULL ? (const uint8_t *)"" : text.p, text.n);
    return true;
}

enum bz_status yaml_load(struct source *s, struct bz_view text) {
    yaml_parser_t p;
    if (!start(&p, text))
        return BZ_ENOMEM;
    enum bz_status st = check_events(s, &p);
    yaml_parser_delete(&p);
    BZ_TRY(st);
    if (!start(&p, text))
        return BZ_ENOMEM;
    if (yaml_parser_load(&p, &s->doc) == 0)
        st = unreadable(s, &p);
    yaml_parser_delete(&p);
    return st;
}

/* ---- looking at it ---- */

bool yaml_is_list(const yaml_node_t *n) {
    return n != NULL && n->type == YAML_SEQUENCE_NODE;
}

bool yaml_is_map(const yaml_node_t *n) {
    return n != NULL && n->type == YAML_MAPPING_NODE;
}

struct bz_view yaml_scalar(const yaml_node_t *n) {
    if (n == NULL || n->type != YAML_SCALAR_NODE)
        return (struct bz_view){0};
    return bz_view(n->data.scalar.value, n->data.scalar.length);
}

static const yaml_node_pair_t *pair(const yaml_node_t *map, size_t i) {
    if (!yaml_is_map(map))
        return NULL;
    const yaml_node_pair_t *first = map->data.mapping.pairs.start;
    return i < (size_t)(map->data.mapping.pairs.top - first) ? first + i : NULL;
}

yaml_node_t *yaml_key(struct source *s, const yaml_node_t *map, size_t i) {
    const yaml_node_pair_t *p = pair(map, i);
    return p == NULL ? NULL : yaml_document_get_node(&s->doc, p->key);
}

yaml_node_t *yaml_value(struct source *s, const yaml_node_t *map, size_t i) {
    const yaml_node_pair_t *p = pair(map, i);
    return p == NULL ? NULL : yaml_document_get_node(&s->doc, p->value);
}

yaml_node_t *yaml_entry(struct source *s, const yaml_node_t *list, size_t i) {
    if (!yaml_is_list(list))
        return NULL;
    const yaml_node_item_t *first = list->data.sequence.items.start;
    if (i >= (size_t)(list->data.sequence.items.top - first))
        return NULL;
    return yaml_document_get_node(&s->doc, first[i]);
}

yaml_node_t *yaml_get(struct source *s, const yaml_node_t *map, const char *key) {
    for (size_t i = 0; pair(map, i) != NULL; i++) {
        if (bz_view_eq(yaml_scalar(yaml_key(s, map, i)), bz_view_str(key)))
            return yaml_value(s, map, i);
    }
    return NULL;
}

static enum bz_status unknown_key(struct source *s, const yaml_node_t *key, const char *const *keys,
                                  size_t n) {
    char text[200];
    struct bz_buf b;
    bz_buf_init_fixed(&b, text, sizeof text - 1);
    bz_buf_puts(&b, "unknown key '%s'; here may stand");
    for (size_t i = 0; i < n; i++) {
        bz_buf_puts(&b, i == 0 ? " " : ", ");
        bz_buf_puts(&b, keys[i]);
    }
    text[b.n] = '\0';
    return yaml_fail(s, key, text, yaml_scalar(key));
}

enum bz_status yaml_keys(struct source *s, const yaml_node_t *n, const char *const *keys,
                         size_t keys_n) {
    uint64_t seen = 0;
    if (!yaml_is_map(n))
        return yaml_fail(s, n, "keys with values are expected here (key: value)",
                         (struct bz_view){0});
    for (size_t i = 0; pair(n, i) != NULL; i++) {
        const yaml_node_t *key = yaml_key(s, n, i);
        struct bz_view name = yaml_scalar(key);
        size_t k = 0;
        while (k < keys_n && !bz_view_eq(name, bz_view_str(keys[k])))
            k++;
        if (k == keys_n)
            return unknown_key(s, key, keys, keys_n);
        if ((seen >> k & 1) != 0)
            return yaml_fail(s, key, "'%s' stands here twice", name);
        seen |= UINT64_C(1) << k;
    }
    return BZ_OK;
}

enum bz_status yaml_text(struct source *s, const yaml_node_t *n, const char *what, size_t max,
                         struct bz_view *ret) {
    struct bz_view v = yaml_scalar(n);
    char text[96];
    struct bz_buf b;
    bz_buf_init_fixed(&b, text, sizeof text - 1);
    bz_buf_puts(&b, what);
    if (n == NULL || n->type != YAML_SCALAR_NODE)
        bz_buf_puts(&b, ": a text is expected here");
    else if (v.n == 0)
        bz_buf_puts(&b, " must not be empty");
    else if (v.n > max)
        bz_buf_printf(&b, " is too long: %zu bytes at most", max);
    else if (bz_utf8_valid(v) != v.n)
        bz_buf_puts(&b, " is not valid UTF-8");
    else {
        *ret = v;
        return BZ_OK;
    }
    text[b.n] = '\0';
    return yaml_fail(s, n, text, (struct bz_view){0});
}
