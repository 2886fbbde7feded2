/* YAML: tags that make a loader build Python, Java or Ruby objects, aliases that explode, and then
 * what JSON is asked for too (templates, call targets, Keras graphs, trust in remote code).
 *
 * libyaml reads it as PyYAML does; the events become a tree of JSON nodes, aliases empty ones.
 * Sources: PyYAML constructor.py (the python/ tags), SnakeYAML, Psych. */
#include <bartizan/limits.h>
#include <yaml.h>

#include "json_int.h"

static const struct bz_rule rules[] = {
    {"YAML-PYTHON", BZ_SEVERITY_CRITICAL, BZ_RULE_MALICIOUS, "a tag that calls Python",
     "yaml.load() with an unsafe loader imports and calls it", "load it with yaml.safe_load only",
     "CVE-2020-1747"},
    {"YAML-OBJECT", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS, "a tag that builds an object by its name",
     "an unsafe loader imports that class and builds one", "load it with yaml.safe_load only",
     "CWE-502"},
    {"YAML-VALUE", BZ_SEVERITY_LOW, BZ_RULE_SUSPICIOUS, "a tag that builds a harmless Python value",
     "needs an unsafe loader, which would run anything else too", "write it without the tag", ""},
    {"YAML-BOMB", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "aliases that multiply",
     "a small file becomes gigabytes in memory", "do not load it", "CWE-776"},
    {"YAML-DEEP", BZ_SEVERITY_MEDIUM, BZ_RULE_MALFORMED, "nested too deeply",
     "exhausts the stack of what reads it", "do not load it", "CWE-674"},
    {.id = NULL},
};
enum { PYTHON, OBJECT, VALUE, BOMB, DEEP };
enum { DEPTH_MAX = 256, ANCHORS_MAX = 4096, BOMB_NODES = 5000000, BOMB_RATIO = 100, KEY_MAX = 256 };

struct anchor {
    struct bz_view name;
    uint64_t weight;
};

struct open_node {
    struct bz_json *node, *last; /* its last child */
    struct bz_view key;          /* the key whose value comes next */
    bool has_key;
    uint64_t weight; /* nodes below, aliases counted as what they stand for */
    struct bz_view anchor;
};

struct yaml {
    struct bz_scan *s;
    const struct bz_object *o;
    struct bz_arena *ar;
    struct open_node stack[DEPTH_MAX];
    unsigned depth;
    struct anchor *anchors;
    size_t anchors_n;
    uint64_t events, weight;
    struct bz_json *root;
    bool structure, tagged, bomb; /* a mapping or a list was seen; a tag was reported */
    bool quiet;                   /* only asked whether it is YAML: nothing is reported */
    unsigned documents;           /* whole ones that were looked at */
};

static struct bz_view str(const yaml_char_t *s) {
    return bz_view_str((const char *)s);
}

/* ---- tags --------------------------------------------------------------------------------------------- */

static int python_tag(struct bz_view t) {
    static const char *const plain[] = {"none",  "bool", "str",   "unicode", "bytes",
                                        "int",   "long", "float", "complex", "list",
                                        "tuple", "dict", "set",   NULL};
    static const char *const values[] = {"argparse.Namespace",
                                         "pathlib.Path",
                                         "pathlib.PosixPath",
                                         "pathlib.PurePosixPath",
                                         "pathlib.WindowsPath",
                                         "pathlib._local.PosixPath",
                                         "collections.OrderedDict",
                                         "collections.defaultdict",
                                         "builtins.set",
                                         "builtins.dict",
                                         "builtins.list",
                                         "builtins.tuple",
                                         "datetime.datetime",
                                         "datetime.timedelta",
                                         "decimal.Decimal",
                                         "fractions.Fraction",
                                         "uuid.UUID",
                                         "numpy.core.multiarray.scalar",
                                         "numpy._core.multiarray.scalar",
                                         "numpy.dtype",
                                         "torch.device",
                                         "torch.dtype",
                                         NULL};
    if (bz_view_in(t, plain))
        return -1;
    const uint8_t *colon = t.n == 0 ? NULL : memchr(t.p, ':', t.n);
    struct bz_view name = colon == NULL ? BZ_V("") : bz_view_sub(t, (size_t)(colon - t.p) + 1, t.n);
    if (bz_view_in(name, values))
        return VALUE;
    if (bz_view_starts(t, BZ_V("object/apply")) || bz_view_starts(t, BZ_V("object/new")))
        return PYTHON;
    return bz_python_danger(name) ? PYTHON : OBJECT;
}

/* Tags of the core schema and of applications are nobody's classes. */
static int tag_rule(struct bz_view tag) {
    static const char *const core[] = {"null",  "bool",   "int",       "float", "str",   "seq",
                                       "map",   "binary", "timestamp", "omap",  "pairs", "set",
                                       "merge", "value",  "yaml",      NULL};
    struct bz_view std = BZ_V("tag:yaml.org,2002:");
    static const char *const foreign[] = {
        "!ruby/", "tag:ruby.yaml.org,2002:", "!php/object", "!!php/object", "!php/const", "!perl/",
        NULL};
    for (const char *const *f = foreign; *f != NULL; f++) {
        if (bz_view_starts(tag, bz_view_str(*f)))
            return OBJECT;
    }
    if (bz_view_starts(tag, BZ_V("!python/")))
        return python_tag(bz_view_sub(tag, 8, tag.n));
    if (!bz_view_starts(tag, std))
        return -1;
    tag = bz_view_sub(tag, std.n, tag.n);
    if (bz_view_starts(tag, BZ_V("python/")))
        return python_tag(bz_view_sub(tag, 7, tag.n));
    return bz_view_in(tag, core) || tag.n == 0 || memchr(tag.p, '.', tag.n) == NULL ? -1 : OBJECT;
}

static enum bz_status tag(struct yaml *y, const yaml_char_t *text, const yaml_mark_t *at) {
    int rule = text == NULL ? -1 : tag_rule(str(text));
    if (rule < 0)
        return BZ_OK;
    y->tagged = true;
    if (y->quiet)
        return BZ_OK;
    return bz_scan_found(y->s, y->o, &rules[rule], at->index, str(text));
}

/* ---- aliases ------------------------------------------------------------------------------------------- */

static enum bz_status weigh(struct yaml *y, uint64_t n) {
    if (__builtin_add_overflow(y->weight, n, &y->weight))
        y->weight = UINT64_MAX;
    for (unsigned i = 0; i < y->depth; i++) {
        if (__builtin_add_overflow(y->stack[i].weight, n, &y->stack[i].weight))
            y->stack[i].weight = UINT64_MAX;
    }
    if (y->bomb || y->weight < BOMB_NODES || y->weight / BOMB_RATIO < y->events)
        return BZ_OK;
    y->bomb = true;
    if (y->quiet)
        return BZ_OK;
    return bz_scan_found(y->s, y->o, &rules[BOMB], 0, BZ_V(""));
}

static enum bz_status anchored(struct yaml *y, struct bz_view name, uint64_t weight) {
    if (name.n == 0 || y->anchors_n == ANCHORS_MAX)
        return BZ_OK;
    if (y->anchors == NULL)
        y->anchors = bz_arena_alloc(y->ar, ANCHORS_MAX * sizeof *y->anchors);
    if (y->anchors == NULL)
        return BZ_ENOMEM;
    y->anchors[y->anchors_n++] = (struct anchor){name, weight};
    return BZ_OK;
}

static uint64_t weight_of(const struct yaml *y, struct bz_view name) {
    for (size_t i = y->anchors_n; i-- > 0;) { /* the last one of a name counts */
        if (bz_view_eq(y->anchors[i].name, name))
            return y->anchors[i].weight;
    }
    return 1;
}

/* ---- the tree ------------------------------------------------------------------------------------------- */

static struct bz_json *add(struct yaml *y, enum bz_json_type type, const yaml_mark_t *at) {
    struct bz_json *n = bz_arena_zalloc(y->ar, sizeof *n);
    struct open_node *up = y->depth == 0 ? NULL : &y->stack[y->depth - 1];
    if (n == NULL)
        return NULL;
    n->type = (uint8_t)type;
    n->off = at->index;
    if (up == NULL) {
        y->root = n;
        return n;
    }
    n->key = up->node->type == BZ_JSON_OBJECT ? up->key : BZ_V("");
    up->has_key = false;
    if (up->last == NULL)
        up->node->first = n;
    else
        up->last->next = n;
    up->last = n;
    up->node->count++;
    return n;
}

static bool is_key(const struct yaml *y) {
    return y->depth != 0 && y->stack[y->depth - 1].node->type == BZ_JSON_OBJECT &&
           !y->stack[y->depth - 1].has_key;
}

static enum bz_json_type scalar_type(const yaml_event_t *e, struct bz_view v) {
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes",
                                      "YES",  "on",   "On",   "ON",  NULL};
    if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return BZ_JSON_STRING;
    return bz_view_in(v, yes) ? BZ_JSON_TRUE : BZ_JSON_STRING;
}

static enum bz_status scalar(struct yaml *y, const yaml_event_t *e) {
    struct bz_view v = bz_view(e->data.scalar.value, e->data.scalar.length);
    BZ_TRY(tag(y, e->data.scalar.tag, &e->start_mark));
    BZ_TRY(weigh(y, 1));
    bool key = is_key(y);
    struct bz_view copy = bz_arena_dup(y->ar, key ? bz_view_sub(v, 0, KEY_MAX) : v);
    if (copy.p == NULL)
        return BZ_ENOMEM;
    if (key) {
        y->stack[y->depth - 1].key = copy;
        y->stack[y->depth - 1].has_key = true;
        return BZ_OK;
    }
    if (e->data.scalar.anchor != NULL)
        BZ_TRY(anchored(y, bz_arena_dup(y->ar, str(e->data.scalar.anchor)), 1));
    struct bz_json *n = add(y, scalar_type(e, v), &e->start_mark);
    if (n == NULL)
        return BZ_ENOMEM;
    n->val = copy;
    return BZ_OK;
}

static enum bz_status begin(struct yaml *y, enum bz_json_type type, const yaml_char_t *t,
                            const yaml_char_t *anchor, const yaml_mark_t *at) {
    BZ_TRY(tag(y, t, at));
    BZ_TRY(weigh(y, 1));
    y->structure = true;
    if (y->depth == DEPTH_MAX)
        return BZ_EDEPTH;
    if (is_key(y)) { /* a mapping as a key: its value has no name */
        y->stack[y->depth - 1].key = BZ_V("");
        y->stack[y->depth - 1].has_key = true;
    }
    struct open_node o = {.node = add(y, type, at)};
    if (anchor != NULL)
        o.anchor = bz_arena_dup(y->ar, str(anchor));
    if (o.node == NULL)
        return BZ_ENOMEM;
    y->stack[y->depth++] = o;
    return BZ_OK;
}

static enum bz_status end(struct yaml *y) {
    struct open_node *o = &y->stack[--y->depth];
    return anchored(y, o->anchor, o->weight + 1);
}

static enum bz_status alias(struct yaml *y, const yaml_event_t *e) {
    BZ_TRY(weigh(y, weight_of(y, str(e->data.alias.anchor))));
    if (is_key(y)) {
        y->stack[y->depth - 1].key = BZ_V("");
        y->stack[y->depth - 1].has_key = true;
        return BZ_OK;
    }
    return add(y, BZ_JSON_NULL, &e->start_mark) == NULL ? BZ_ENOMEM : BZ_OK;
}

static enum bz_status document(struct yaml *y) {
    struct bz_json_scan x = {.s = y->s, .o = y->o, .ar = y->ar};
    if (y->root == NULL || y->root->type < BZ_JSON_ARRAY)
        return BZ_OK;
    y->documents++;
    return y->quiet ? BZ_OK : bz_json_document(&x, y->root);
}

static enum bz_status event(struct yaml *y, const yaml_event_t *e) {
    y->events++;
    switch ((int)e->type) {
    case YAML_DOCUMENT_START_EVENT:
        y->root = NULL;
        y->depth = 0;
        y->anchors_n = 0;
        return BZ_OK;
    case YAML_DOCUMENT_END_EVENT:
        return document(y);
    case YAML_ALIAS_EVENT:
        return alias(y, e);
    case YAML_SCALAR_EVENT:
        return scalar(y, e);
    case YAML_SEQUENCE_START_EVENT:
        return begin(y, BZ_JSON_ARRAY, e->data.sequence_start.tag, e->data.sequence_start.anchor,
                     &e->start_mark);
    case YAML_MAPPING_START_EVENT:
        return begin(y, BZ_JSON_OBJECT, e->data.mapping_start.tag, e->data.mapping_start.anchor,
                     &e->start_mark);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return end(y);
    default:
        return BZ_OK;
    }
}

/* ENOTFOUND: not YAML, and nothing was said. */
static enum bz_status events(struct yaml *y, yaml_parser_t *p) {
    for (;;) {
        yaml_event_t e;
        if (!yaml_parser_parse(p, &e)) {
            if (p->error == YAML_MEMORY_ERROR)
                return BZ_ENOMEM;
            return y->tagged || y->bomb || y->documents != 0 ? BZ_OK : BZ_ENOTFOUND;
        }
        bool last = e.type == YAML_STREAM_END_EVENT;
        enum bz_status st = last ? BZ_OK : event(y, &e);
        bool deep = st == BZ_EDEPTH;
        if (deep && !y->quiet)
            st = bz_scan_found(y->s, y->o, &rules[DEEP], e.start_mark.index, BZ_V(""));
        yaml_event_delete(&e);
        if (st != BZ_OK || deep)
            return st;
        if (last)
            return y->documents != 0 || y->tagged ? BZ_OK : BZ_ENOTFOUND;
    }
}

static bool name_char(uint8_t c) {
    return c == '_' || c == '-' || c == '.' || c == '"' || c == '\'' || (c >= '0' && c <= '9') ||
           (c | 32) >= 'a';
}

/* "key:", "- item", "---", a directive or a tag at the start of a line. */
static bool line_like(struct bz_view line) {
    size_t i = 0;
    while (i < line.n && line.p[i] == ' ')
        i++;
    line = bz_view_sub(line, i, line.n);
    if (bz_view_starts(line, BZ_V("---")) || bz_view_starts(line, BZ_V("%YAML")) ||
        bz_view_starts(line, BZ_V("%TAG")) || bz_view_starts(line, BZ_V("- ")) ||
        bz_view_starts(line, BZ_V("!")) || bz_view_has(line, BZ_V("!!")) ||
        bz_view_has(line, BZ_V("!<")))
        return true;
    for (i = 0; i < line.n && name_char(line.p[i]); i++)
        ;
    return i > 0 && i < line.n && line.p[i] == ':' &&
           (i + 1 == line.n || line.p[i + 1] == ' ' || line.p[i + 1] == '\r');
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    if (bz_view_starts(o->head, BZ_V("\xff\xfe")) || bz_view_starts(o->head, BZ_V("\xfe\xff")))
        return BZ_PROBE_MAYBE; /* UTF-16, which YAML may be in */
    if (o->head.n == 0 || memchr(o->head.p, 0, o->head.n) != NULL || o->head.p[0] == '<')
        return BZ_PROBE_NO;
    for (size_t at = 0; at < o->head.n;) {
        const uint8_t *nl = memchr(o->head.p + at, '\n', o->head.n - at);
        size_t n = nl == NULL ? o->head.n - at : (size_t)(nl - o->head.p) - at;
        if (line_like(bz_view_sub(o->head, at, n)))
            return BZ_PROBE_MAYBE;
        at += n + 1;
    }
    return BZ_PROBE_NO;
}

static enum bz_status read_all(struct yaml *y, struct bz_view text) {
    yaml_parser_t p;
    if (!yaml_parser_initialize(&p))
        return BZ_ENOMEM;
    yaml_parser_set_input_string(&p, text.p, text.n);
    enum bz_status st = events(y, &p);
    yaml_parser_delete(&p);
    return st;
}

bool bz_yaml_mapping(struct bz_arena *ar, struct bz_view text) {
    struct yaml *y = bz_arena_zalloc(ar, sizeof *y);
    if (y == NULL || text.n > BZ_SCAN_TEXT_MAX)
        return false;
    *y = (struct yaml){.ar = ar, .quiet = true};
    enum bz_status st = read_all(y, text);
    return st == BZ_EDEPTH ||
           (st == BZ_OK &&
            (y->tagged || y->bomb || (y->root != NULL && y->root->type == BZ_JSON_OBJECT)));
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct yaml *y = bz_arena_zalloc(bz_scan_arena(s), sizeof *y);
    struct bz_view text;
    if (y == NULL)
        return BZ_ENOMEM;
    if (o->src.size > BZ_SCAN_TEXT_MAX)
        return BZ_ENOTFOUND; /* configurations are small; as text it is looked at in full */
    BZ_TRY(bz_object_whole(s, o, BZ_SCAN_TEXT_MAX, &text));
    if (!bz_scan_steps(s, o, text.n / 4))
        return BZ_OK;
    *y = (struct yaml){.s = s, .o = o, .ar = bz_scan_arena(s)};
    return read_all(y, text);
}

const struct bz_format bz_format_yaml = {
    .name = "yaml",
    .what = "YAML configuration",
    .probe = probe,
    .scan = scan,
    .rules = rules,
    .inert = true,
};
