/* GGUF: the header and the key-value records, and the order in which a file is looked at. */
#include "gguf_int.h"

#include <bartizan/limits.h>
#include <bartizan/text.h>
#include "tensors.h"
#include "template.h"

const struct bz_rule bz_gguf_rules[GGUF_R_COUNT_ + 1] = {
    [GGUF_R_ALIGN] = {"GGUF-ALIGN", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                      "general.alignment is no power of two, or no u32",
                      "loaders compute wrong addresses from it or divide by zero",
                      "take the file from its origin again", "CWE-682"},
    [GGUF_R_ARRAY] = {"GGUF-ARRAY", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                      "an array of an unknown type, of arrays, or longer than the file",
                      "loaders allocate by its count: memory is used up or overrun",
                      "take the file from its origin again", "CVE-2024-21836"},
    [GGUF_R_BOUNDS] = {"GGUF-BOUNDS", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                       "tensor data reaches beyond the end of the file",
                       "a loader that trusts it reads and serves memory that is not the model's",
                       "the download is cut short, or the file was made for this: take it again",
                       "CVE-2026-7482"},
    [GGUF_R_CONTROL] = {"GGUF-CONTROL", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS,
                        "metadata with control bytes",
                        "moves the cursor or hides lines in terminals and logs that show it",
                        "look at the value; take the file from its origin again", "CWE-150"},
    [GGUF_R_COUNT] = {"GGUF-COUNT", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                      "more tensors or records than the file has room for",
                      "loaders allocate by the count: the sum overflows, memory is overrun",
                      "take the file from its origin again", "CVE-2025-53630"},
    [GGUF_R_DIMS] = {"GGUF-DIMS", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                     "a tensor of more than four dimensions",
                     "overruns the loader's array of dimensions",
                     "take the file from its origin again", "CVE-2024-21825"},
    [GGUF_R_DUPKEY] = {"GGUF-DUPKEY", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                       "a metadata key is there twice",
                       "one loader takes the first value, another the last",
                       "take the file from its origin again", "CWE-436"},
    [GGUF_R_DUPTENSOR] = {"GGUF-DUPTENSOR", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                          "a tensor name is there twice",
                          "one loader takes the first tensor, another the last",
                          "take the file from its origin again", "CWE-436"},
    [GGUF_R_KEY] = {"GGUF-KEY", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                    "a metadata key is empty, too long or has bytes no key may have",
                    "is read as another key by programs in C",
                    "take the file from its origin again", "CWE-158"},
    [GGUF_R_LEGACY] = {"GGUF-LEGACY", BZ_SEVERITY_MEDIUM, BZ_RULE_UNCHECKED,
                       "a predecessor of GGUF (ggml, ggmf, ggjt, ggla)",
                       "unknown: only unmaintained loaders read it", "convert the model to GGUF",
                       ""},
    [GGUF_R_MAGIC] = {"GGUF-MAGIC", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                      "written in the other byte order",
                      "every size in it is read wrongly on this machine",
                      "convert the model for little-endian machines", ""},
    [GGUF_R_NAME] = {"GGUF-NAME", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                     "a tensor name is empty, above 63 bytes or has bytes no name may have",
                     "overruns the loader's buffer for names",
                     "take the file from its origin again", "CWE-787"},
    [GGUF_R_OFFSET] = {"GGUF-OFFSET", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                       "a tensor does not start where the one before it ends",
                       "tensors overlap or leave room for hidden bytes; loaders read elsewhere",
                       "take the file from its origin again", "CWE-125"},
    [GGUF_R_PADDING] = {"GGUF-PADDING", BZ_SEVERITY_LOW, BZ_RULE_SUSPICIOUS,
                        "bytes in gaps that should be zero", "nothing: no loader reads them",
                        "compare with the file at its origin", ""},
    [GGUF_R_SHAPE] = {"GGUF-SHAPE", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                      "a shape that is negative, overflows or does not fit its type's blocks",
                      "the loader's size is too small for what is read: memory is overrun",
                      "take the file from its origin again", "CVE-2026-27940"},
    [GGUF_R_SPLIT] = {"GGUF-SPLIT", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                      "the numbers of a split model contradict each other",
                      "a loader opens files that do not belong to the model",
                      "take all parts from their origin again", ""},
    [GGUF_R_STRING] = {"GGUF-STRING", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                       "a string longer than the file, or above 1 GiB",
                       "loaders add one to the length and allocate nothing: memory is overrun",
                       "take the file from its origin again", "CVE-2024-23496"},
    [GGUF_R_TENSORTYPE] = {"GGUF-TENSORTYPE", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                           "a tensor of an unknown or retired type",
                           "a loader indexes its table of types beyond the end",
                           "take the file from its origin again", "CWE-129"},
    [GGUF_R_TOKENID] = {"GGUF-TOKENID", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                        "a special token that is not in the vocabulary",
                        "reads beyond the vocabulary when the token is used",
                        "take the file from its origin again", "CWE-125"},
    [GGUF_R_TOKENODD] = {"GGUF-TOKENODD", BZ_SEVERITY_LOW, BZ_RULE_NOTE,
                         "a special token with the id -1", "nothing: loaders take it for absent",
                         "nothing", ""},
    [GGUF_R_TRAILING] = {"GGUF-TRAILING", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                         "bytes behind the last tensor",
                         "another program may see another file in them (an archive, a program)",
                         "take the file from its origin again", "CWE-436"},
    [GGUF_R_TRUNCATED] = {"GGUF-TRUNCATED", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                          "the file ends in its header", "cannot be loaded",
                          "the download is cut short: take it again", ""},
    [GGUF_R_TYPE] = {"GGUF-TYPE", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                     "a metadata value of an unknown type",
                     "a loader indexes its table of types beyond the end",
                     "take the file from its origin again", "CWE-129"},
    [GGUF_R_UTF8] = {"GGUF-UTF8", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "a string that is not UTF-8",
                     "programs that read it disagree or fail",
                     "take the file from its origin again", ""},
    [GGUF_R_VALUE] = {"GGUF-VALUE", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                      "a known key with a value of the wrong type or out of range",
                      "loaders stop, or compute sizes from it",
                      "take the file from its origin again", "CWE-1284"},
    [GGUF_R_VERSION] = {"GGUF-VERSION", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                        "a version other than 2 and 3",
                        "loaders refuse it or read other widths from it",
                        "convert the model with a current tool", ""},
    [GGUF_R_VOCAB] = {"GGUF-VOCAB", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED,
                      "scores or token types that do not match the vocabulary",
                      "loaders read beyond the shorter array",
                      "take the file from its origin again", "CVE-2025-49847"},
    [GGUF_R_COUNT_] = {.id = NULL},
};

/* ---- cursor ---------------------------------------------------------------------------------- */

uint64_t gguf_left(const struct gguf *g) {
    uint64_t off = bz_window_off(&g->w);
    return off < g->o->src.size ? g->o->src.size - off : 0;
}

bool gguf_found(struct gguf *g, enum gguf_rule rule, uint64_t off, struct bz_view evidence) {
    if (g->st == BZ_OK)
        g->st = bz_scan_found(g->s, g->o, &bz_gguf_rules[rule], off, evidence);
    return false;
}

bool gguf_stop(struct gguf *g, enum gguf_rule rule, uint64_t off, struct bz_view evidence) {
    g->stop = true;
    return gguf_found(g, rule, off, evidence);
}

/* n bytes in sight, or the reason why not. */
static bool sight(struct gguf *g, size_t n, const uint8_t **ret) {
    struct bz_view v = bz_window_peek(&g->w, n);
    *ret = v.p;
    if (v.n >= n)
        return true;
    if (g->w.st != BZ_OK && g->w.st != BZ_ETRAILING) {
        g->stop = true;
        g->st = g->w.st;
        return false;
    }
    return gguf_stop(g, GGUF_R_TRUNCATED, bz_window_off(&g->w), BZ_V(""));
}

static uint64_t le(const uint8_t *p, size_t n) {
    uint64_t v = 0;
    for (size_t i = n; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

bool gguf_u32(struct gguf *g, uint32_t *ret) {
    const uint8_t *p = NULL;
    if (!sight(g, 4, &p))
        return false;
    *ret = (uint32_t)le(p, 4);
    bz_window_skip(&g->w, 4);
    return true;
}

bool gguf_u64(struct gguf *g, uint64_t *ret) {
    const uint8_t *p = NULL;
    if (!sight(g, 8, &p))
        return false;
    *ret = le(p, 8);
    bz_window_skip(&g->w, 8);
    return true;
}

bool gguf_has_control(struct bz_view v, bool text) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (c == 0x7f || (c < 0x20 && !(text && (c == '\t' || c == '\n' || c == '\r'))))
            return true;
    }
    return false;
}

static bool length(struct gguf *g, uint64_t *ret) {
    uint64_t at = bz_window_off(&g->w);
    if (!gguf_u64(g, ret))
        return false;
    if (*ret > GGUF_STRING_MAX || *ret > gguf_left(g))
        return gguf_stop(g, GGUF_R_STRING, at, BZ_V("length"));
    return true;
}

bool gguf_name(struct gguf *g, uint64_t max, enum gguf_rule rule, struct bz_view *ret) {
    const uint8_t *p = NULL;
    uint64_t at = bz_window_off(&g->w), n = 0;
    if (!length(g, &n))
        return false;
    if (n > max)
        return gguf_stop(g, rule, at, bz_view_sub(bz_window_peek(&g->w, 64), 0, 64));
    if (!sight(g, (size_t)n, &p))
        return false;
    *ret = bz_view(p, (size_t)n);
    if (bz_utf8_valid(*ret) != n)
        return gguf_stop(g, GGUF_R_UTF8, at, *ret);
    bz_window_skip(&g->w, n);
    return true;
}

/* ---- strings and arrays ---------------------------------------------------------------------- */

/* A string of any length, checked piece by piece; `first`: its beginning, copied (may be NULL). */
static bool string(struct gguf *g, uint64_t *ret_n, uint64_t *ret_off) {
    uint64_t n = 0;
    if (!length(g, &n))
        return false;
    *ret_n = n;
    *ret_off = bz_window_off(&g->w);
    while (n > 0) {
        const uint8_t *p = NULL;
        size_t step = n < BZ_WINDOW ? (size_t)n : BZ_WINDOW;
        if (!sight(g, step, &p))
            return false;
        size_t good = bz_utf8_valid(bz_view(p, step));
        if (good < step && (good == 0 || step - good > 3 || step == n))
            return gguf_stop(g, GGUF_R_UTF8, bz_window_off(&g->w) + good,
                             bz_view_sub(bz_view(p, step), good, 8));
        bz_window_skip(&g->w, good);
        n -= good;
    }
    return true;
}

static inline bool is_ascii(const uint8_t *p, size_t n) {
    uint8_t all = 0;
    for (size_t i = 0; i < n; i++)
        all |= p[i];
    return all < 0x80;
}

/* Short strings that lie in sight: half a million of them are a vocabulary. Returns how many. */
static uint64_t strings_in_sight(struct gguf *g, uint64_t count) {
    struct bz_view v = bz_window_peek(&g->w, 8);
    size_t at = 0;
    uint64_t done = 0;
    for (; done < count && v.n - at >= 8; done++) {
        uint64_t n = le(v.p + at, 8);
        if (n > v.n - at - 8 || n > GGUF_TEXT_MAX)
            break;
        const uint8_t *p = v.p + at + 8;
        if (!is_ascii(p, (size_t)n) && bz_utf8_valid(bz_view(p, (size_t)n)) != n)
            break;
        at += 8 + (size_t)n;
    }
    bz_window_skip(&g->w, at);
    return done;
}

static bool strings(struct gguf *g, uint64_t count) {
    uint64_t n = 0, off = 0;
    while (count > 0) {
        uint64_t done = strings_in_sight(g, count);
        count -= done;
        if (done > 0 || count == 0)
            continue;
        if (!string(g, &n, &off)) /* a long one, one at the edge of the window, or a bad one */
            return false;
        count--;
    }
    return true;
}

static bool array(struct gguf *g, struct gguf_value *v) {
    uint64_t at = bz_window_off(&g->w);
    uint32_t elem = 0;
    if (!gguf_u32(g, &elem) || !gguf_u64(g, &v->count))
        return false;
    if (elem >= GGUF_TYPE_COUNT || elem == GGUF_ARRAY)
        return gguf_stop(g, GGUF_R_ARRAY, at, BZ_V("element type"));
    v->elem = (uint8_t)elem;
    v->off = bz_window_off(&g->w);
    uint64_t width = elem == GGUF_STRING ? 8 : bz_gguf_width[elem];
    if (v->count > GGUF_ELEMENTS_MAX || v->count > gguf_left(g) / width)
        return gguf_stop(g, GGUF_R_ARRAY, at, BZ_V("count"));
    if (!bz_scan_steps(g->s, g->o, v->count)) {
        g->stop = true;
        return false;
    }
    if (elem == GGUF_STRING)
        return strings(g, v->count);
    bz_window_skip(&g->w, v->count * width);
    return true;
}

/* ---- records --------------------------------------------------------------------------------- */

static void number(struct gguf_value *v, const uint8_t *p) {
    size_t n = bz_gguf_width[v->type];
    float f = 0;
    v->u = le(p, n);
    v->i = (int64_t)v->u;
    if (n < 8 && (v->u >> (8 * n - 1)) != 0)
        v->i = (int64_t)(v->u | UINT64_MAX << (8 * n));
    if (v->type == GGUF_F32) {
        memcpy(&f, p, sizeof f);
        v->f = (double)f;
    } else if (v->type == GGUF_F64) {
        memcpy(&v->f, p, sizeof v->f);
    }
}

static bool value(struct gguf *g, struct gguf_value *v, struct bz_view key) {
    const uint8_t *p = NULL;
    uint64_t at = bz_window_off(&g->w);
    if (v->type == GGUF_STRING)
        return string(g, &v->count, &v->off);
    if (v->type == GGUF_ARRAY)
        return array(g, v);
    v->off = at;
    if (!sight(g, bz_gguf_width[v->type], &p))
        return false;
    number(v, p);
    bz_window_skip(&g->w, bz_gguf_width[v->type]);
    if (v->type == GGUF_BOOL && v->u > 1)
        (void)gguf_found(g, GGUF_R_VALUE, at, key);
    return true;
}

/* A string's bytes, read again, in memory of the scan. */
static struct bz_view text(struct gguf *g, const struct gguf_value *v, uint64_t max) {
    size_t n = v->count < max ? (size_t)v->count : (size_t)max;
    uint8_t *p = bz_arena_alloc(bz_scan_arena(g->s), n + 1);
    g->st = p == NULL ? BZ_ENOMEM : bz_source_exact(&g->o->src, v->off, p, n);
    return g->st == BZ_OK ? bz_view(p, n) : BZ_V("");
}

/* The model speaks through its templates. */
static void chat_template(struct gguf *g, struct bz_view key, const struct gguf_value *v) {
    if (v->count > BZ_TEMPLATE_MAX) {
        g->st = bz_scan_left_out(g->s, g->o, v->off, "cap: bytes of a chat template");
        return;
    }
    struct bz_view t = text(g, v, v->count);
    if (g->st == BZ_OK)
        g->st = bz_template_check(g->s, g->o, key, t);
}

static void facts(struct gguf *g, struct bz_view key, const struct gguf_value *v) {
    const struct bz_facts *f = bz_scan_options(g->s)->facts;
    uint8_t mem[64];
    struct bz_buf b;
    if (f == NULL || f->metadata == NULL || v->type == GGUF_ARRAY)
        return;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    if (v->type == GGUF_STRING) {
        f->metadata(f->ctx, key, v->text);
        return;
    }
    if (v->type == GGUF_BOOL)
        bz_buf_puts(&b, v->u != 0 ? "true" : "false");
    else if (v->type == GGUF_F32 || v->type == GGUF_F64)
        bz_buf_printf(&b, "%.9g", v->f);
    else if (v->type == GGUF_I8 || v->type == GGUF_I16 || v->type == GGUF_I32 ||
             v->type == GGUF_I64)
        bz_buf_put_i64(&b, v->i);
    else
        bz_buf_put_u64(&b, v->u);
    f->metadata(f->ctx, key, bz_buf_view(&b));
}

/* What a string is besides a string. */
static void meaning(struct gguf *g, struct bz_view key, struct gguf_value *v) {
    struct bz_view tpl = BZ_V("tokenizer.chat_template");
    if (bz_view_eq(key, tpl) || bz_view_starts(key, BZ_V("tokenizer.chat_template."))) {
        chat_template(g, key, v);
        return;
    }
    if (bz_view_eq(key, BZ_V("tokenizer.huggingface.json"))) {
        const struct bz_source *part = bz_source_part(g->s, &g->o->src, v->off, v->count);
        g->st = part == NULL ? BZ_ENOMEM : bz_scan_member(g->s, g->o, key, part);
        return;
    }
    v->text = text(g, v, GGUF_TEXT_MAX);
    if (g->st == BZ_OK && gguf_has_control(v->text, true))
        (void)gguf_found(g, GGUF_R_CONTROL, v->off, v->text);
}

static bool record(struct gguf *g, struct bz_pairs *names) {
    struct bz_view key;
    uint64_t at = bz_window_off(&g->w);
    struct gguf_value v = {.text = BZ_V("")};
    uint32_t type = 0;
    if (!bz_scan_steps(g->s, g->o, 1)) {
        g->stop = true;
        return false;
    }
    if (!gguf_name(g, GGUF_KEY_MAX, GGUF_R_KEY, &key))
        return false;
    if (key.n == 0 || gguf_has_control(key, false))
        return gguf_stop(g, GGUF_R_KEY, at, key);
    uint8_t mem[256]; /* longer keys are none that anybody knows */
    struct bz_view name = bz_view(mem, key.n < sizeof mem ? key.n : sizeof mem);
    memcpy(mem, key.p, name.n);
    g->st = bz_pairs_add(names, bz_pairs_name(key), at);
    if (g->st != BZ_OK || !gguf_u32(g, &type))
        return false;
    if (type >= GGUF_TYPE_COUNT)
        return gguf_stop(g, GGUF_R_TYPE, at, name);
    v.type = (uint8_t)type;
    if (!value(g, &v, name))
        return false;
    if (v.type == GGUF_STRING)
        meaning(g, name, &v);
    if (g->st == BZ_OK)
        gguf_known(g, name, &v);
    if (g->st == BZ_OK)
        facts(g, name, &v);
    return g->st == BZ_OK && !g->stop;
}

static void body(struct gguf *g) {
    struct bz_pairs names;
    uint64_t twice = 0;
    bz_pairs_init(&names, BZ_TENSORS_MAX);
    for (uint64_t i = 0; i < g->n_kv; i++) {
        if (!record(g, &names))
            break;
    }
    bz_pairs_sort(&names);
    if (bz_pairs_twice(&names, &twice))
        (void)gguf_found(g, GGUF_R_DUPKEY, twice, BZ_V("key"));
    bz_pairs_done(&names);
    if (g->st != BZ_OK || g->stop)
        return;
    gguf_known_end(g);
    gguf_vocab(g);
    if (!g->stop && g->st == BZ_OK)
        gguf_tensors(g);
}

/* ---- header ---------------------------------------------------------------------------------- */

enum { KV_LEAST = 8 + 1 + 4 + 1, TENSOR_LEAST = 8 + 1 + 4 + 4 + 8 };

static void header(struct gguf *g) {
    uint32_t magic = 0;
    if (!gguf_u32(g, &magic) || !gguf_u32(g, &g->version))
        return;
    if (magic != 0x46554747) {
        (void)gguf_stop(g, GGUF_R_MAGIC, 0, bz_view_sub(g->o->head, 0, 8));
        return;
    }
    if (g->version != 2 && g->version != 3) {
        bool swapped = g->version != 0 && (g->version & 0xffff) == 0;
        (void)gguf_stop(g, swapped ? GGUF_R_MAGIC : GGUF_R_VERSION, 4,
                        bz_view_sub(g->o->head, 4, 4));
        return;
    }
    if (!gguf_u64(g, &g->n_tensors) || !gguf_u64(g, &g->n_kv))
        return;
    uint64_t left = gguf_left(g);
    if (g->n_kv > left / KV_LEAST || g->n_tensors > left / TENSOR_LEAST) {
        (void)gguf_stop(g, GGUF_R_COUNT, 8, bz_view_sub(g->o->head, 8, 16));
        return;
    }
    body(g);
}

static bool legacy(struct bz_view head) {
    static const char *const magics[] = {"lmgg", "fmgg", "tjgg", "algg"};
    for (size_t i = 0; i < 4; i++) {
        if (head.n >= 8 && bz_view_starts(head, bz_view_str(magics[i])))
            return true;
    }
    return false;
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    if (bz_view_starts(o->head, BZ_V("GGUF")) || legacy(o->head))
        return BZ_PROBE_YES;
    /* the other byte order; a version in it, so that it is no word of a text */
    return bz_view_starts(o->head, BZ_V("FUGG")) && o->head.n >= 24 &&
                   (o->head.p[4] == 0 || o->head.p[7] == 0)
               ? BZ_PROBE_YES
               : BZ_PROBE_NO;
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct gguf *g = bz_arena_zalloc(bz_scan_arena(s), sizeof *g);
    if (g == NULL)
        return BZ_ENOMEM;
    g->s = s;
    g->o = o;
    g->align = GGUF_ALIGN_DEFAULT;
    if (legacy(o->head))
        return bz_scan_found(s, o, &bz_gguf_rules[GGUF_R_LEGACY], 0, bz_view_sub(o->head, 0, 8));
    BZ_TRY(bz_window_init(&g->w, s, &o->src, 0));
    header(g);
    if (g->st == BZ_ETOOBIG)
        return bz_scan_left_out(s, o, 0, "cap: tensors or records");
    return g->st;
}

const struct bz_format bz_format_gguf = {
    .name = "gguf",
    .what = "GGUF model",
    .probe = probe,
    .scan = scan,
    .rules = bz_gguf_rules,
};
