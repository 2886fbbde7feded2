/* JSON: read strictly, walked once. What can be said of one object alone is said by the readers of
 * json_int.h; here stand reading, templates, commands and call targets.
 *
 * Python writes NaN, Infinity and lone surrogates, which strict JSON has not. Such a file is read a
 * second time from a copy in which they are replaced by something of the same length, so that
 * offsets stay. Files of one value a line (JSON lines) are read line by line. */
#include "json_int.h"

#include <bartizan/limits.h>
#include <bartizan/text.h>

static const struct bz_json_opts opts = {
    .max_nodes = 8u << 20,
    .max_keys = 4u << 20,
    .max_number = 400, /* Python writes a float64 of up to 309 digits without an exponent */
};

static bool blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct bz_view skip_blank(struct bz_view v) {
    while (v.n != 0 && blank(v.p[0]))
        v = bz_view_sub(v, 1, v.n);
    return v;
}

static bool has_bom(struct bz_view v) {
    return bz_view_starts(v, BZ_V("\xef\xbb\xbf"));
}

/* Could be: NO. `{"key":` and `[{"`: nothing else begins so, YES. */
static enum bz_probe looks(struct bz_view head) {
    struct bz_view v = skip_blank(bz_view_sub(head, has_bom(head) ? 3 : 0, head.n));
    if (v.n < 2 || (v.p[0] != '{' && v.p[0] != '['))
        return BZ_PROBE_NO;
    bool object = v.p[0] == '{';
    v = skip_blank(bz_view_sub(v, 1, v.n));
    if (!object)
        return v.n != 0 && memchr("]{[\"-0123456789tfn", v.p[0], 18) != NULL ? BZ_PROBE_MAYBE
                                                                             : BZ_PROBE_NO;
    if (v.n == 0 || (v.p[0] != '"' && v.p[0] != '}'))
        return BZ_PROBE_NO;
    if (v.p[0] == '}')
        return BZ_PROBE_MAYBE;
    for (size_t i = 1; i < v.n; i++) {
        if (v.p[i] == '\\')
            i++;
        else if (v.p[i] == '"') {
            v = skip_blank(bz_view_sub(v, i + 1, v.n));
            return v.n != 0 && v.p[0] == ':' ? BZ_PROBE_YES : BZ_PROBE_MAYBE;
        }
    }
    return BZ_PROBE_MAYBE;
}

/* ---- what only some readers take -------------------------------------------------------------------- */

static int hex(uint8_t c) {
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

static int escape_at(const uint8_t *p, const uint8_t *end) {
    int cp = 0;
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int h = hex(p[i]);
        if (h < 0)
            return -1;
        cp = cp * 16 + h;
    }
    return cp;
}

/* A surrogate without its other half becomes one of the private use area; so does U+0000. Returns the
 * bytes it stands in. */
static size_t mend_escape(uint8_t *p, const uint8_t *end) {
    int cp = escape_at(p, end);
    if (cp >= 0xd800 && cp <= 0xdbff) {
        int low = escape_at(p + 6, end);
        if (low >= 0xdc00 && low <= 0xdfff)
            return 12;
    }
    if (cp >= 0xd800 && cp <= 0xdfff) {
        p[2] = 'e';
        p[3] = (uint8_t) "01234567"[(cp >> 8) - 0xd8];
    }
    if (cp == 0)
        memcpy(p + 2, "f8ff", 4);
    return cp < 0 ? 2 : 6;
}

static size_t mend_word(uint8_t *p, const uint8_t *end) {
    static const struct {
        struct bz_view word, by;
    } words[] = {{{(const uint8_t *)"NaN", 3}, {(const uint8_t *)"0  ", 3}},
                 {{(const uint8_t *)"Infinity", 8}, {(const uint8_t *)"0       ", 8}},
                 {{(const uint8_t *)"-Infinity", 9}, {(const uint8_t *)"-0       ", 9}}};
    for (size_t i = 0; i < 3; i++) {
        if (bz_view_starts(bz_view(p, (size_t)(end - p)), words[i].word)) {
            memcpy(p, words[i].by.p, words[i].by.n);
            return words[i].by.n;
        }
    }
    return 1;
}

static void mend(uint8_t *p, size_t n) {
    const uint8_t *end = p + n;
    bool text = false;
    if (has_bom(bz_view(p, n)))
        memcpy(p, "   ", 3);
    while (p < end) {
        if (text && *p == '\\') {
            size_t step = mend_escape(p, end);
            p += step < (size_t)(end - p) ? step : (size_t)(end - p);
            continue;
        }
        if (*p == '"')
            text = !text;
        p += text || *p == '"' ? 1 : mend_word(p, end);
    }
}

/* ---- UTF-16 and UTF-32, which json.loads() of Python takes too ---------------------------------- */

struct wide {
    unsigned unit; /* 1, 2 or 4 bytes */
    bool big;
    size_t from; /* behind the byte order mark */
};

/* By the mark, or by where the zeros of the first character stand. */
static struct wide wide_of(struct bz_view v) {
    struct wide w = {.unit = 1};
    if (v.n < 4)
        return w;
    bool le_mark = v.p[0] == 0xff && v.p[1] == 0xfe, be_mark = v.p[0] == 0xfe && v.p[1] == 0xff;
    if (le_mark || be_mark) {
        w.unit = le_mark && v.p[2] == 0 && v.p[3] == 0 ? 4 : 2;
        w.big = be_mark;
        w.from = w.unit;
    } else if (v.p[0] == 0) {
        w.unit = v.p[1] == 0 ? 4 : 2;
        w.big = true;
        w.from = v.p[1] == 0 && v.p[2] == 0xfe && v.p[3] == 0xff ? 4 : 0;
    } else if (v.p[1] == 0)
        w.unit = v.p[2] == 0 ? 4 : 2;
    return w;
}

static uint32_t wide_unit(struct bz_view v, size_t at, const struct wide *w) {
    uint32_t x = 0;
    for (unsigned i = 0; i < w->unit; i++)
        x = x << 8 | v.p[at + (w->big ? i : w->unit - 1 - i)];
    return x;
}

/* As UTF-8 in `to`, which has 3 bytes for 2; what is no character becomes a private one. */
static struct bz_view narrow(uint8_t *to, struct bz_view v, const struct wide *w) {
    size_t n = 0;
    for (size_t i = w->from; i + w->unit <= v.n; i += w->unit) {
        uint32_t cp = wide_unit(v, i, w);
        if (w->unit == 2 && cp >= 0xd800 && cp <= 0xdbff && i + 4 <= v.n) {
            uint32_t low = wide_unit(v, i + 2, w);
            if (low >= 0xdc00 && low <= 0xdfff) {
                cp = 0x10000 + ((cp - 0xd800) << 10 | (low - 0xdc00));
                i += 2;
            }
        }
        if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff) || cp == 0)
            cp = 0xe000;
        n += bz_utf8_encode(cp, to + n);
    }
    return bz_view(to, n);
}

/* ---- strings ------------------------------------------------------------------------------------------- */

struct bz_view bz_json_text(const struct bz_json *obj, struct bz_view key) {
    return bz_json_str(bz_json_get(obj, key));
}

bool bz_text_command(struct bz_view v) {
    static const char *const marks[] = {"/dev/tcp/",   "rm -rf /",
                                        "rm -rf ~",    "| sh",
                                        "|sh ",        "| bash",
                                        "|bash",       "bash -i",
                                        "bash -c",     "sh -c ",
                                        "nc -e",       "ncat -e",
                                        "mkfifo /tmp", "powershell -",
                                        "cmd.exe /c",  "curl -s http",
                                        "wget http",   "chmod +x",
                                        "certutil -u", "| base64 -d",
                                        "os.system(",  "subprocess.",
                                        "__import__(", "python -c",
                                        "python3 -c",  NULL};
    if (v.n < 5 || v.n > 65536)
        return false;
    for (const char *const *m = marks; *m != NULL; m++) {
        if (bz_view_has(v, bz_view_str(*m)))
            return true;
    }
    return false;
}

int bz_json_target(struct bz_view dotted) {
    static const char *const known[] = {"torch",
                                        "torchvision",
                                        "torchaudio",
                                        "torchmetrics",
                                        "pytorch_lightning",
                                        "lightning",
                                        "nemo",
                                        "megatron",
                                        "transformers",
                                        "diffusers",
                                        "datasets",
                                        "tokenizers",
                                        "peft",
                                        "accelerate",
                                        "timm",
                                        "omegaconf",
                                        "hydra",
                                        "sklearn",
                                        "numpy",
                                        "scipy",
                                        "keras",
                                        "tensorflow",
                                        "jax",
                                        "flax",
                                        "optax",
                                        "ldm",
                                        "sgm",
                                        "lightgbm",
                                        "xgboost",
                                        "catboost",
                                        "sentence_transformers",
                                        "mlflow",
                                        "monai",
                                        "mmengine",
                                        NULL};
    bool dot = false;
    for (size_t i = 0; i < dotted.n; i++) {
        uint8_t c = dotted.p[i];
        bool word =
            c == '_' || c == '.' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
        dot = dot || c == '.';
        if (!word)
            return -1;
    }
    if (!dot)
        return -1;
    if (bz_python_danger(dotted))
        return BZ_J_TARGET;
    return bz_view_in(bz_dotted_root(dotted), known) ? -1 : BZ_J_TARGET_UNKNOWN;
}

static bool ends_with(struct bz_view v, struct bz_view tail) {
    return v.n >= tail.n && bz_view_eq(bz_view_sub(v, v.n - tail.n, tail.n), tail);
}

static bool template_key(struct bz_view key) {
    return ends_with(key, BZ_V("template")) || ends_with(key, BZ_V("templates")) ||
           ends_with(key, BZ_V("jinja")) || ends_with(key, BZ_V("jinja2"));
}

static bool jinja(struct bz_view v) {
    return bz_view_has(v, BZ_V("{{")) || bz_view_has(v, BZ_V("{%"));
}

static enum bz_status string(struct bz_json_scan *x, const struct bz_json *n, struct bz_view key) {
    struct bz_view v = n->val;
    if ((template_key(key) && jinja(v)) || (!x->data && jinja(v) && bz_view_has(v, BZ_V("__"))))
        BZ_TRY(bz_json_template(x->s, x->o, key, v));
    else if (!x->data && bz_text_command(v))
        BZ_TRY(BZ_J_FOUND(x, BZ_J_COMMAND, n, v));
    if (bz_view_eq(key, BZ_V("_target_")) || bz_view_eq(key, BZ_V("target")) ||
        bz_view_eq(key, BZ_V("_partial_"))) {
        int rule = bz_json_target(v);
        if (rule >= 0 && (rule == BZ_J_TARGET || bz_view_eq(key, BZ_V("_target_"))))
            return BZ_J_FOUND(x, rule, n, v);
    }
    return BZ_OK;
}

/* jsonpickle: py/reduce, py/repr and py/function call; py/object, py/type and py/class import. */
static enum bz_status jsonpickle(struct bz_json_scan *x, const struct bz_json *obj) {
    static const char *const calls[] = {"py/reduce",  "py/repr",     "py/function", "py/newobj",
                                        "py/newargs", "py/initargs", "py/state",    NULL};
    static const char *const imports[] = {"py/object", "py/type", "py/class", "py/ref", NULL};
    for (const struct bz_json *m = obj->first; m != NULL; m = m->next) {
        if (m->key.n < 6 || m->key.p[0] != 'p' || m->key.p[2] != '/')
            continue;
        if (bz_view_in(m->key, calls) || (bz_view_in(m->key, imports) && m->type == BZ_JSON_STRING))
            return BZ_J_FOUND(x, BZ_J_PICKLE, m, m->type == BZ_JSON_STRING ? m->val : m->key);
    }
    return BZ_OK;
}

/* ---- the walk ---------------------------------------------------------------------------------------- */

static enum bz_status walk(struct bz_json_scan *x, const struct bz_json *n, struct bz_view key);

/* Serialized configurations as text, as SavedModel metadata and some exporters have them. */
static enum bz_status text_in_text(struct bz_json_scan *x, const struct bz_json *n) {
    struct bz_json *root = NULL;
    if (x->texts >= 3 || x->data || looks(n->val) == BZ_PROBE_NO || n->val.n < 12 ||
        !(bz_view_has(n->val, BZ_V("class_name")) || bz_view_has(n->val, BZ_V("py/"))))
        return BZ_OK;
    enum bz_status st = bz_json_parse(n->val, &opts, x->ar, &root, NULL);
    if (st == BZ_ENOMEM)
        return st;
    if (st != BZ_OK)
        return BZ_OK; /* a text like any other */
    x->texts++;
    st = walk(x, root, n->key);
    x->texts--;
    return st;
}

static enum bz_status walk(struct bz_json_scan *x, const struct bz_json *n, struct bz_view key) {
    if (n->type == BZ_JSON_STRING) {
        BZ_TRY(string(x, n, key));
        return text_in_text(x, n);
    }
    if (n->type == BZ_JSON_OBJECT) {
        BZ_TRY(bz_json_keras(x, n));
        BZ_TRY(bz_json_skops(x, n));
        BZ_TRY(bz_json_hf(x, n));
        BZ_TRY(jsonpickle(x, n));
    }
    for (const struct bz_json *c = n->first; c != NULL; c = c->next) {
        if (c->type >= BZ_JSON_STRING)
            BZ_TRY(walk(x, c, n->type == BZ_JSON_OBJECT ? c->key : key));
    }
    return BZ_OK;
}

static uint64_t nodes_of(struct bz_view v) {
    return v.n / 8 + 1; /* some eight bytes a node */
}

enum bz_status bz_json_document(struct bz_json_scan *x, const struct bz_json *root) {
    x->data = bz_json_is(bz_json_get(root, BZ_V("model")), BZ_JSON_OBJECT) &&
              bz_json_get(bz_json_get(root, BZ_V("model")), BZ_V("vocab")) != NULL;
    BZ_TRY(bz_json_hf_root(x, root));
    BZ_TRY(walk(x, root, BZ_V("")));
    if (x->named != NULL)
        bz_scan_name(x->s, x->o, x->named);
    return BZ_OK;
}

static enum bz_status one_line(struct bz_json_scan *x, struct bz_view line, uint64_t at,
                               bool first) {
    struct bz_diag diag = {0};
    struct bz_json *root = NULL;
    struct bz_arena *all = x->ar, ar;
    bz_arena_init(&ar, all->a, all->max - all->used, NULL, 0);
    enum bz_status st = bz_json_parse(line, &opts, &ar, &root, &diag);
    x->ar = &ar;
    if (st == BZ_OK)
        st = walk(x, root, BZ_V(""));
    else if (st != BZ_ENOMEM)
        st = first ? BZ_ENOTFOUND
                   : bz_scan_found(x->s, x->o, &bz_json_rules[BZ_J_MALFORMED], at + diag.offset,
                                   bz_view_str(diag.why));
    x->ar = all;
    bz_arena_free(&ar);
    return st;
}

/* One value a line. ENOTFOUND: the first line is none. */
static enum bz_status lines(struct bz_json_scan *x, struct bz_view text) {
    size_t at = 0;
    bool first = true;
    while (at < text.n) {
        const uint8_t *nl = memchr(text.p + at, '\n', text.n - at);
        size_t n = nl == NULL ? text.n - at : (size_t)(nl - text.p) - at;
        struct bz_view line = skip_blank(bz_view_sub(text, at, n));
        if (line.n != 0) {
            enum bz_status st = one_line(x, line, at, first);
            if (st != BZ_OK)
                return st;
            first = false;
        }
        at += n + 1;
    }
    bz_scan_name(x->s, x->o, "json lines");
    return BZ_OK;
}

static enum bz_status refused(struct bz_json_scan *x, struct bz_view text, enum bz_status st,
                              const struct bz_diag *diag) {
    int rule = st == BZ_EDUPKEY                      ? BZ_J_DUPLICATE
               : st == BZ_EDEPTH || st == BZ_ETOOBIG ? BZ_J_DEEP
                                                     : BZ_J_MALFORMED;
    if (rule == BZ_J_MALFORMED) {
        enum bz_status as_lines = st == BZ_ETRAILING ? lines(x, text) : BZ_ENOTFOUND;
        if (as_lines != BZ_ENOTFOUND)
            return as_lines;
        if (!x->o->sure && looks(x->o->head) != BZ_PROBE_YES)
            return BZ_ENOTFOUND;
    }
    return bz_scan_found(x->s, x->o, &bz_json_rules[rule], diag->offset, bz_view_str(diag->why));
}

static enum bz_status lenient(struct bz_json_scan *x, struct bz_view text) {
    struct bz_diag diag = {0};
    struct bz_json *root = NULL;
    uint8_t *copy = bz_arena_alloc(x->ar, text.n);
    if (copy == NULL)
        return BZ_ENOMEM;
    memcpy(copy, text.p, text.n);
    mend(copy, text.n);
    enum bz_status st = bz_json_parse(bz_view(copy, text.n), &opts, x->ar, &root, &diag);
    if (st == BZ_ENOMEM)
        return st;
    if (st != BZ_OK)
        return refused(x, bz_view(copy, text.n), st, &diag);
    BZ_TRY(bz_scan_found(x->s, x->o, &bz_json_rules[BZ_J_LENIENT], 0, BZ_V("")));
    return bz_json_document(x, root);
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    uint8_t text[384];
    struct wide w = wide_of(o->head);
    struct bz_view head = o->head;
    (void)s;
    if (w.unit != 1)
        head = narrow(text, bz_view_sub(head, 0, 128), &w);
    return looks(head) == BZ_PROBE_NO ? BZ_PROBE_NO : BZ_PROBE_MAYBE;
}

static enum bz_status wide(struct bz_json_scan *x, struct bz_view text, const struct wide *w) {
    struct bz_diag diag = {0};
    struct bz_json *root = NULL;
    uint8_t *copy = bz_arena_alloc(x->ar, text.n / 2 * 3 + 4);
    if (copy == NULL)
        return BZ_ENOMEM;
    struct bz_view v = narrow(copy, text, w);
    mend(copy, v.n);
    enum bz_status st = bz_json_parse(v, &opts, x->ar, &root, &diag);
    if (st == BZ_ENOMEM)
        return st;
    if (st != BZ_OK && !x->o->sure)
        return BZ_ENOTFOUND;
    if (st != BZ_OK)
        return refused(x, v, st, &diag);
    BZ_TRY(bz_scan_found(x->s, x->o, &bz_json_rules[BZ_J_LENIENT], 0, BZ_V("UTF-16 or UTF-32")));
    return bz_json_document(x, root);
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct bz_json_scan x = {.s = s, .o = o, .ar = bz_scan_arena(s)};
    struct bz_diag diag = {0};
    struct bz_json *root = NULL;
    struct bz_view text;
    enum bz_status st = bz_object_whole(s, o, BZ_SCAN_JSON_MAX, &text);
    if (st != BZ_OK)
        return st == BZ_ETOOBIG ? BZ_OK : st;
    if (!bz_scan_steps(s, o, nodes_of(text)))
        return BZ_OK;
    struct wide w = wide_of(text);
    if (w.unit != 1)
        return wide(&x, text, &w);
    st = bz_json_parse(text, &opts, x.ar, &root, &diag);
    if (st == BZ_OK)
        return bz_json_document(&x, root);
    if (st == BZ_ESYNTAX || st == BZ_EUTF8)
        return lenient(&x, text);
    return st == BZ_ENOMEM ? st : refused(&x, text, st, &diag);
}

const struct bz_format bz_format_json = {
    .name = "json",
    .what = "JSON: configurations, tokenizers, Keras and skops graphs",
    .probe = probe,
    .scan = scan,
    .rules = bz_json_rules,
};
