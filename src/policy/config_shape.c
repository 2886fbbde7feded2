/* Positions and shape. libcyaml stops at the first error, names the place of the value before it,
 * and reads "maybe" as true; so the same schema is first compared with libyaml's document, strictly
 * and completely. */
#include <bartizan/text.h>
#include "config_int.h"

enum { depth_max = 8, path_max = sizeof(((struct bz_config_error *)0)->path) };

/* ---- errors ---- */

static void put_text(struct bz_buf *out, const char *text, struct bz_view arg) {
    const char *hole = strstr(text, "%s");
    if (hole == NULL) {
        bz_buf_puts(out, text);
        return;
    }
    bz_buf_put(out, bz_view(text, (size_t)(hole - text)));
    bz_put_safe(out, bz_view_sub(arg, 0, 48));
    bz_buf_puts(out, arg.n > 48 ? "..." : "");
    bz_buf_puts(out, hole + 2);
}

void cfg_fail_at(struct cfg *c, yaml_mark_t at, const char *path, const char *text,
                 struct bz_view arg) {
    if (c->n == c->cap)
        return;
    struct bz_config_error *e = &c->errs[c->n++];
    struct bz_buf out;
    *e = (struct bz_config_error){.line = (uint32_t)at.line + 1, .column = (uint32_t)at.column + 1};
    size_t n = strlen(path);
    memcpy(e->path, path, n < sizeof e->path ? n : sizeof e->path - 1);
    bz_buf_init_fixed(&out, e->text, sizeof e->text - 1);
    put_text(&out, text, arg);
}

/* ---- finding a path in the document ---- */

static struct bz_view scalar_of(const yaml_node_t *n) {
    if (n == NULL || n->type != YAML_SCALAR_NODE)
        return (struct bz_view){0};
    return bz_view(n->data.scalar.value, n->data.scalar.length);
}

static yaml_node_t *member_of(yaml_document_t *doc, const yaml_node_t *n, struct bz_view key) {
    if (n->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++)
        if (bz_view_eq(scalar_of(yaml_document_get_node(doc, p->key)), key))
            return yaml_document_get_node(doc, p->value);
    return NULL;
}

static yaml_node_t *entry_of(yaml_document_t *doc, const yaml_node_t *n, uint64_t i) {
    if (n->type != YAML_SEQUENCE_NODE)
        return NULL;
    yaml_node_item_t *start = n->data.sequence.items.start, *top = n->data.sequence.items.top;
    return i < (uint64_t)(top - start) ? yaml_document_get_node(doc, start[i]) : NULL;
}

/* The node of a path, or the last one on the way that exists. */
static const yaml_node_t *node_at(yaml_document_t *doc, const char *path) {
    yaml_node_t *n = yaml_document_get_root_node(doc), *next = n;
    while (next != NULL && *path != '\0') {
        n = next;
        size_t len = 0;
        if (*path == '[') {
            uint64_t i = 0;
            len = strcspn(path, "]");
            if (bz_view_u64(bz_view(path + 1, len - 1), &i) != BZ_OK)
                return n;
            next = entry_of(doc, n, i);
            len++;
        } else {
            path += *path == '.';
            len = strcspn(path, ".[");
            next = member_of(doc, n, bz_view(path, len));
        }
        path += len;
    }
    return next == NULL ? n : next;
}

yaml_mark_t cfg_mark(const struct cfg *c, const char *path) {
    const yaml_node_t *n = node_at(c->doc, path);
    yaml_mark_t at = {0};
    return n == NULL ? at : n->start_mark;
}

void cfg_fail(struct cfg *c, const char *path, const char *text, const char *arg) {
    cfg_fail_at(c, cfg_mark(c, path), path, text, bz_view_str(arg));
}

/* ---- loading ---- */

static enum bz_status fail_syntax(struct cfg *c, const yaml_parser_t *p) {
    if (p->error == YAML_MEMORY_ERROR)
        return BZ_ENOMEM;
    cfg_fail_at(c, p->problem_mark, "", "not valid YAML: %s",
                bz_view_str(p->problem == NULL ? "unreadable" : p->problem));
    return BZ_ESYNTAX;
}

static const char *unwanted(const yaml_event_t *e, int depth, int documents) {
    static const char no_anchor[] = "anchors and aliases are not supported; write the value out";
    static const char no_tag[] = "tags (!...) are not supported; leave it out";
    switch (e->type) {
    case YAML_ALIAS_EVENT:
        return no_anchor;
    case YAML_SCALAR_EVENT:
        if (e->data.scalar.anchor != NULL)
            return no_anchor;
        return e->data.scalar.tag != NULL ? no_tag : NULL;
    case YAML_SEQUENCE_START_EVENT:
        if (e->data.sequence_start.anchor != NULL)
            return no_anchor;
        return e->data.sequence_start.tag != NULL ? no_tag
               : depth > depth_max                ? "nested too deeply"
                                                  : NULL;
    case YAML_MAPPING_START_EVENT:
        if (e->data.mapping_start.anchor != NULL)
            return no_anchor;
        return e->data.mapping_start.tag != NULL ? no_tag
               : depth > depth_max               ? "nested too deeply"
                                                 : NULL;
    case YAML_DOCUMENT_START_EVENT:
        return documents > 0 ? "only one document is allowed in the file" : NULL;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
    default:
        return NULL;
    }
}

/* One look at every event before anything is built from them: this is where alias bombs and deep
 * nests end. */
static enum bz_status check_events(struct cfg *c, yaml_parser_t *p) {
    int depth = 0, documents = 0;
    for (bool more = true; more;) {
        yaml_event_t e;
        if (yaml_parser_parse(p, &e) == 0)
            return fail_syntax(c, p);
        depth += e.type == YAML_SEQUENCE_START_EVENT || e.type == YAML_MAPPING_START_EVENT;
        const char *why = unwanted(&e, depth, documents);
        depth -= e.type == YAML_SEQUENCE_END_EVENT || e.type == YAML_MAPPING_END_EVENT;
        documents += e.type == YAML_DOCUMENT_START_EVENT;
        more = e.type != YAML_STREAM_END_EVENT;
        yaml_mark_t at = e.start_mark;
        yaml_event_delete(&e);
        if (why != NULL) {
            cfg_fail_at(c, at, "", why, (struct bz_view){0});
            return BZ_ESYNTAX;
        }
    }
    return BZ_OK;
}

static enum bz_status run_parser(struct cfg *c, struct bz_view yaml, yaml_document_t *doc) {
    yaml_parser_t p;
    if (yaml_parser_initialize(&p) == 0)
        return BZ_ENOMEM;
    yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p, yaml.p, yaml.n);
    enum bz_status st = BZ_OK;
    if (doc == NULL)
        st = check_events(c, &p);
    else if (yaml_parser_load(&p, doc) == 0)
        st = fail_syntax(c, &p);
    yaml_parser_delete(&p);
    return st;
}

static enum bz_status fail_text(struct cfg *c, struct bz_view yaml, size_t at, const char *why) {
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < at; i++) {
        mark.column = yaml.p[i] == '\n' ? 0 : mark.column + 1;
        mark.line += yaml.p[i] == '\n';
    }
    cfg_fail_at(c, mark, "", why, (struct bz_view){0});
    return BZ_ESYNTAX;
}

enum bz_status cfg_load_document(struct cfg *c, struct bz_view yaml, yaml_document_t *doc) {
    if (yaml.n > BZ_CONFIG_MAX)
        return fail_text(c, yaml, 0, "the file is larger than 1 MiB");
    size_t valid = bz_utf8_valid(yaml);
    if (valid < yaml.n)
        return fail_text(c, yaml, valid, "not valid UTF-8");
    const uint8_t *nul = yaml.n == 0 ? NULL : memchr(yaml.p, 0, yaml.n);
    if (nul != NULL)
        return fail_text(c, yaml, (size_t)(nul - yaml.p), "a NUL byte");
    BZ_TRY(run_parser(c, yaml, NULL));
    return run_parser(c, yaml, doc);
}

/* ---- shape ---- */

/* Levenshtein distance of two short words. */
static size_t distance(struct bz_view a, struct bz_view b) {
    uint8_t row[65];
    if (a.n > 64 || b.n > 64)
        return 64;
    for (size_t j = 0; j <= b.n; j++)
        row[j] = (uint8_t)j;
    for (size_t i = 0; i < a.n; i++) {
        uint8_t diagonal = row[0];
        row[0] = (uint8_t)(i + 1);
        for (size_t j = 0; j < b.n; j++) {
            uint8_t best = (uint8_t)(diagonal + (a.p[i] != b.p[j]));
            diagonal = row[j + 1];
            if (row[j] + 1 < best)
                best = (uint8_t)(row[j] + 1);
            if (diagonal + 1 < best)
                best = (uint8_t)(diagonal + 1);
            row[j + 1] = best;
        }
    }
    return row[b.n];
}

const char *cfg_nearest(struct bz_view name, const char *const *names, size_t n) {
    const char *best = NULL;
    size_t least = name.n / 3 + 2;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(name, bz_view_str(names[i]));
        if (d < least) {
            least = d;
            best = names[i];
        }
    }
    return best;
}

static void walk(struct cfg *c, const yaml_node_t *n, const cyaml_schema_value_t *want,
                 const char *path);

static void child_path(char out[path_max], const char *path, const char *key) {
    struct bz_buf b;
    memset(out, 0, path_max);
    bz_buf_init_fixed(&b, out, path_max - 1);
    bz_buf_puts(&b, path);
    bz_buf_puts(&b, *path == '\0' ? "" : ".");
    bz_buf_puts(&b, key);
}

static void entry_path(char out[path_max], const char *path, size_t i) {
    struct bz_buf b;
    memset(out, 0, path_max);
    bz_buf_init_fixed(&b, out, path_max - 1);
    bz_buf_puts(&b, path);
    bz_buf_putc(&b, '[');
    bz_buf_put_u64(&b, i);
    bz_buf_putc(&b, ']');
}

static const cyaml_schema_field_t *field_of(const cyaml_schema_value_t *want, struct bz_view key) {
    for (const cyaml_schema_field_t *f = want->mapping.fields; f->key != NULL; f++)
        if (bz_view_eq(bz_view_str(f->key), key))
            return f;
    return NULL;
}

static void unknown_key(struct cfg *c, const yaml_node_t *key, const cyaml_schema_value_t *want,
                        const char *path) {
    const char *names[32], *near;
    size_t n = 0;
    for (const cyaml_schema_field_t *f = want->mapping.fields; f->key != NULL && n < 32; f++)
        names[n++] = f->key;
    near = cfg_nearest(scalar_of(key), names, n);
    char mem[128];
    struct bz_buf text;
    bz_buf_init_fixed(&text, mem, sizeof mem);
    bz_buf_puts(&text, "unknown key \"%s\"");
    if (near != NULL) {
        bz_buf_puts(&text, "; did you mean \"");
        bz_buf_puts(&text, near);
        bz_buf_putc(&text, '"');
    }
    bz_buf_putc(&text, '\0');
    cfg_fail_at(c, key->start_mark, path, mem, scalar_of(key));
}

static void walk_mapping(struct cfg *c, const yaml_node_t *n, const cyaml_schema_value_t *want,
                         const char *path) {
    yaml_node_pair_t *top = n->data.mapping.pairs.top;
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < top && c->n < c->cap; p++) {
        const yaml_node_t *key = yaml_document_get_node(c->doc, p->key);
        const yaml_node_t *value = yaml_document_get_node(c->doc, p->value);
        struct bz_view name = scalar_of(key);
        const cyaml_schema_field_t *f = field_of(want, name);
        if (key->type != YAML_SCALAR_NODE) {
            cfg_fail_at(c, key->start_mark, path, "a key must be a word", name);
        } else if (f == NULL) {
            unknown_key(c, key, want, path);
        } else if (member_of(c->doc, n, name) != value) {
            cfg_fail_at(c, key->start_mark, path, "the key \"%s\" stands here twice", name);
        } else {
            char below[path_max];
            child_path(below, path, f->key);
            walk(c, value, &f->value, below);
        }
    }
}

static void walk_sequence(struct cfg *c, const yaml_node_t *n, const cyaml_schema_value_t *want,
                          const char *path) {
    size_t count = (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
    /* libcyaml cannot tell [] from a missing key, and for routes: or models: that would be all
     * instead of nothing. */
    if (count == 0 && want->sequence.entry->type == CYAML_STRING && strcmp(path, "origins") != 0)
        cfg_fail_at(c, n->start_mark, path,
                    "the list is empty; name something or leave the key out", (struct bz_view){0});
    if (count > want->sequence.max)
        cfg_fail_at(c, n->start_mark, path, "too many entries", (struct bz_view){0});
    for (size_t i = 0; i < count && i <= want->sequence.max && c->n < c->cap; i++) {
        char below[path_max];
        entry_path(below, path, i);
        walk(c, yaml_document_get_node(c->doc, n->data.sequence.items.start[i]),
             want->sequence.entry, below);
    }
}

static void walk_scalar(struct cfg *c, const yaml_node_t *n, const cyaml_schema_value_t *want,
                        const char *path) {
    struct bz_view v = scalar_of(n);
    uint64_t number = 0;
    if (want->type == CYAML_STRING) {
        if (memchr(n->data.scalar.value, 0, n->data.scalar.length) != NULL) /* "\0" */
            cfg_fail_at(c, n->start_mark, path, "the text contains a NUL character", v);
        else if (v.n > want->string.max)
            cfg_fail_at(c, n->start_mark, path, "the text is too long", v);
        else if (v.n == 0)
            cfg_fail_at(c, n->start_mark, path,
                        "the value is empty; write one or leave the key out", v);
    } else if (want->type == CYAML_UINT) {
        if ((v.n > 1 && v.p[0] == '0') || bz_view_u64(v, &number) != BZ_OK) /* 010 would be octal */
            cfg_fail_at(c, n->start_mark, path, "\"%s\" is not a whole number from 0 up", v);
    } else if (!bz_view_eq(v, BZ_V("true")) && !bz_view_eq(v, BZ_V("false"))) {
        cfg_fail_at(c, n->start_mark, path, "\"%s\" is neither true nor false", v);
    }
}

/* Recursion is bounded by the schema, which is five levels deep. */
static void walk(struct cfg *c, const yaml_node_t *n, const cyaml_schema_value_t *want,
                 const char *path) {
    struct bz_view none = {0};
    if (want->type == CYAML_MAPPING) {
        if (n->type == YAML_MAPPING_NODE)
            walk_mapping(c, n, want, path);
        else
            cfg_fail_at(c, n->start_mark, path, "here belong keys with values (key: value)", none);
    } else if (want->type == CYAML_SEQUENCE) {
        if (n->type == YAML_SEQUENCE_NODE)
            walk_sequence(c, n, want, path);
        else
            cfg_fail_at(c, n->start_mark, path, "here belongs a list: [a, b] or lines with \"- \"",
                        none);
    } else if (n->type != YAML_SCALAR_NODE) {
        cfg_fail_at(c, n->start_mark, path, "here belongs a single value", none);
    } else {
        walk_scalar(c, n, want, path);
    }
}

void cfg_check_shape(struct cfg *c, const cyaml_schema_value_t *schema) {
    const yaml_node_t *root = yaml_document_get_root_node(c->doc);
    if (root == NULL) {
        yaml_mark_t top = {0};
        cfg_fail_at(c, top, "", "the file is empty; it needs version, listen and backends",
                    (struct bz_view){0});
        return;
    }
    walk(c, root, schema, "");
}
