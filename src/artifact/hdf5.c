/* HDF5 (.h5, .hdf5, .keras weights, .mat 7.3): the file is read by libhdf5 in a process of its own,
 * which the caller starts; here its answer is judged, line by line, as hostile as the file itself.
 *
 * {"kind": "attribute", "of": "/", "name": "model_config", "text": "..."}  (or "b64")
 * {"kind": "dataset", "of": "/x", "text": ... or "b64": ...}               small ones of text or bytes
 * {"kind": "elink", "of": "/y", "file": "...", "path": "..."}              "soft", "ulink" likewise
 * {"kind": "external" | "virtual", "of": "/x", "file": "..."}              data of other files
 * {"kind": "filter", "of": "/x", "id": 32000, "name": "lzf"}
 * {"kind": "trailing" | "unread" | "refused" | "cap" | "done", ...} */
#include <bartizan/limits.h>
#include <bartizan/text.h>

#include "json_int.h"

static const struct bz_rule rules[] = {
    {"H5-MALFORMED", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "not a well-formed HDF5 file",
     "libhdf5 refuses it or a part of it", "take the file from its origin again", "CWE-20"},
    {"H5-CRASH", BZ_SEVERITY_CRITICAL, BZ_RULE_MALFORMED, "kills the library that reads it",
     "libhdf5 runs into a fault, or asks for what it must not have: as in an attack on it",
     "do not load it", "CWE-119"},
    {"H5-LINK", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "a link to another file",
     "reads that file of the machine in place of the model's data", "do not load it", "CWE-59"},
    {"H5-EXTERNAL", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "a dataset that is kept in other files",
     "reads those files of the machine into the model", "do not load it", "CVE-2026-1669"},
    {"H5-FILTER", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "a dataset behind a plug-in",
     "loads a shared library by its number from a folder of the machine",
     "ask for a file without it", "CWE-114"},
    {"H5-PICKLE", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "data that is meant to be unpickled",
     "PyTables and pandas unpickle it when it is read", "read it with h5py only", "CWE-502"},
    {"H5-TRAILING", BZ_SEVERITY_LOW, BZ_RULE_SUSPICIOUS, "bytes behind the end of the structure",
     "another file may be appended", "take the file from its origin again", ""},
    {"H5-EMPTY", BZ_SEVERITY_LOW, BZ_RULE_SUSPICIOUS, "the mark of HDF5 and nothing else",
     "nothing; loading fails", "take the file from its origin again", ""},
    {"H5-UNCHECKED", BZ_SEVERITY_LOW, BZ_RULE_UNCHECKED, "no reader of HDF5 at hand", "unknown",
     "install bartizan-hdf5 beside bartizan", ""},
    {.id = NULL},
};
enum { MALFORMED, CRASH, LINK, EXTERNAL, FILTER, PICKLE, TRAILING, EMPTY, UNCHECKED };

#define SIGNATURE BZ_V("\x89HDF\r\n\x1a\n")
enum { SUPERBLOCK_MIN = 48, LINE_DEPTH = 8, BLOCK = 512, BLOCKS = 24, MEMBER_MAX = 16 << 20 };

/* At 0, or behind a block of the user's of 512 bytes, 1024, 2048 ... */
static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    uint8_t mark[8];
    (void)s;
    if (bz_view_starts(o->head, SIGNATURE))
        return BZ_PROBE_YES;
    uint64_t at = BLOCK;
    for (int i = 0; i < BLOCKS && at + SUPERBLOCK_MIN <= o->src.size; i++, at *= 2) {
        if (at + 8 <= o->head.n) {
            if (bz_view_starts(bz_view_sub(o->head, (size_t)at, 8), SIGNATURE))
                return BZ_PROBE_YES;
        } else if (bz_source_exact(&o->src, at, mark, sizeof mark) != BZ_OK)
            return BZ_PROBE_NO;
        else if (bz_view_eq(bz_view(mark, 8), SIGNATURE))
            return BZ_PROBE_YES;
    }
    return BZ_PROBE_NO;
}

struct h5 {
    struct bz_scan *s;
    const struct bz_object *o;
    struct bz_arena ar; /* of one line */
    bool done;
};

static enum bz_status found(struct h5 *h, int rule, struct bz_view v) {
    return bz_scan_found(h->s, h->o, &rules[rule], 0, v);
}

/* ---- values -------------------------------------------------------------------------------------------- */

/* Where it lies inside of the file: "/layers/dense@config". */
static struct bz_view name_of(struct h5 *h, const struct bz_json *line) {
    struct bz_view of = bz_json_text(line, BZ_V("of")), name = bz_json_text(line, BZ_V("name"));
    struct bz_buf b;
    uint8_t *mem = bz_arena_alloc(&h->ar, 512);
    if (mem == NULL)
        return BZ_V("");
    bz_buf_init_fixed(&b, mem, 512);
    bz_buf_put(&b, bz_view_sub(of, 0, 300));
    bz_buf_puts(&b, name.n == 0 ? "" : "@");
    bz_buf_put(&b, bz_view_sub(name, 0, 200));
    return bz_buf_view(&b);
}

/* Protocol 2 and above begin so; before that, nothing but the opcodes tells. PyTables writes protocol 0
 * for attributes. */
static bool pickle_like(struct bz_view v) {
    if (v.n < 3 || v.p[v.n - 1] != '.')
        return false;
    if (v.p[0] == 0x80 && v.p[1] <= 5)
        return true;
    return memchr("(cidlNIFSVgpt]})", v.p[0], 16) != NULL &&
           (bz_view_has(v, BZ_V("\n")) || v.p[1] == 'l' || v.p[1] == 'd');
}

static enum bz_status member(struct h5 *h, const struct bz_json *line, struct bz_view v,
                             const char *format) {
    struct bz_source src;
    const struct bz_format *f = bz_format_named(format);
    bz_source_mem(&src, &v);
    if (f == NULL)
        return bz_scan_left_out(h->s, h->o, 0, "a pickle: no reader in this build");
    return bz_scan_member_as(h->s, h->o, name_of(h, line), &src, f);
}

static enum bz_status value(struct h5 *h, const struct bz_json *line) {
    struct bz_view v = bz_json_text(line, BZ_V("text")), b64 = bz_json_text(line, BZ_V("b64"));
    struct bz_view name = bz_json_text(line, BZ_V("name"));
    if (b64.n != 0) {
        size_t n = 0;
        uint8_t *mem = bz_arena_alloc(&h->ar, b64.n);
        if (mem == NULL)
            return BZ_ENOMEM;
        if (bz_b64_decode(b64, mem, b64.n, &n) != BZ_OK)
            return found(h, CRASH, BZ_V("answer")); /* no reader of ours writes that */
        v = bz_view(mem, n);
    }
    if (bz_view_eq(name, BZ_V("PSEUDOATOM")) && bz_view_starts(v, BZ_V("object")))
        return found(h, PICKLE, bz_json_text(line, BZ_V("of")));
    if (v.n > 1 && (v.p[0] == '{' || v.p[0] == '[') && bz_view_has(v, BZ_V("\"")))
        return member(h, line, v, "json");
    return pickle_like(v) ? member(h, line, v, "pickle") : BZ_OK;
}

/* ---- what reaches out ------------------------------------------------------------------------------------- */

static enum bz_status filter(struct h5 *h, const struct bz_json *line) {
    int64_t id = 0;
    if (bz_json_i64(bz_json_get(line, BZ_V("id")), &id) == BZ_OK && id == 32000)
        return BZ_OK; /* LZF: h5py brings it along */
    return found(h, FILTER, bz_json_text(line, BZ_V("name")));
}

/* The file itself by "." is how virtual datasets name their own file. */
static enum bz_status outside(struct h5 *h, const struct bz_json *line, int rule) {
    struct bz_view file = bz_json_text(line, BZ_V("file"));
    if (bz_view_eq(file, BZ_V(".")) && rule == EXTERNAL)
        return BZ_OK;
    return found(h, rule, file);
}

static enum bz_status judge(struct h5 *h, const struct bz_json *line) {
    static const char *const quiet[] = {"soft", "done", NULL};
    struct bz_view kind = bz_json_text(line, BZ_V("kind"));
    h->done = h->done || bz_view_eq(kind, BZ_V("done"));
    if (bz_view_in(kind, quiet))
        return BZ_OK;
    if (bz_view_eq(kind, BZ_V("attribute")) || bz_view_eq(kind, BZ_V("dataset")))
        return value(h, line);
    if (bz_view_eq(kind, BZ_V("elink")) || bz_view_eq(kind, BZ_V("ulink")))
        return outside(h, line, LINK);
    if (bz_view_eq(kind, BZ_V("external")) || bz_view_eq(kind, BZ_V("virtual")))
        return outside(h, line, EXTERNAL);
    if (bz_view_eq(kind, BZ_V("filter")))
        return filter(h, line);
    if (bz_view_eq(kind, BZ_V("trailing")))
        return found(h, TRAILING, BZ_V(""));
    if (bz_view_eq(kind, BZ_V("cap"))) {
        h->done = true; /* recorded here */
        return bz_scan_left_out(h->s, h->o, 0, "cap: objects or bytes of an HDF5 file");
    }
    h->done = h->done || bz_view_eq(kind, BZ_V("refused"));
    return found(h, MALFORMED, bz_json_text(line, BZ_V("of"))); /* unread, refused */
}

static enum bz_status one_line(struct h5 *h, struct bz_view text) {
    static const struct bz_json_opts opts = {.max_depth = LINE_DEPTH};
    struct bz_json *root = NULL;
    bz_arena_init(&h->ar, bz_scan_arena(h->s)->a, 8 * (size_t)MEMBER_MAX, NULL, 0);
    enum bz_status st = bz_json_parse(text, &opts, &h->ar, &root, NULL);
    if (st == BZ_OK)
        st = judge(h, root);
    else if (st != BZ_ENOMEM)
        st = found(h, CRASH, BZ_V("answer"));
    bz_arena_free(&h->ar);
    return st;
}

static enum bz_status lines(struct h5 *h, struct bz_view out) {
    while (out.n != 0) {
        const uint8_t *nl = memchr(out.p, '\n', out.n);
        size_t n = nl == NULL ? out.n : (size_t)(nl - out.p);
        if (!bz_scan_steps(h->s, h->o, 1 + n / 64))
            return BZ_OK;
        BZ_TRY(one_line(h, bz_view_sub(out, 0, n)));
        out = bz_view_sub(out, n + 1, out.n);
    }
    return h->done ? BZ_OK : found(h, CRASH, BZ_V("no end"));
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct h5 h = {.s = s, .o = o};
    const struct bz_hdf5 *reader = bz_scan_options(s)->hdf5;
    struct bz_buf out;
    if (o->src.size < SUPERBLOCK_MIN && bz_view_eq(o->head, SIGNATURE))
        return found(&h, EMPTY, BZ_V(""));
    if (reader == NULL)
        return found(&h, UNCHECKED, BZ_V(""));
    bz_buf_init(&out, BZ_HDF5_LIST_MAX + (1u << 20));
    enum bz_status st = reader->list(reader->ctx, o->depth == 0 ? NULL : &o->src, &out);
    if (st == BZ_OK)
        st = lines(&h, bz_buf_view(&out));
    else if (st == BZ_ECORRUPT)
        st = found(&h, CRASH, BZ_V(""));
    else if (st == BZ_EUNAVAIL)
        st = found(&h, UNCHECKED, BZ_V(""));
    else if (st == BZ_ELIMIT)
        st = bz_scan_left_out(s, o, 0, "cap: time, memory or bytes of the HDF5 reader");
    bz_buf_free(&out);
    return st;
}

const struct bz_format bz_format_hdf5 = {
    .name = "hdf5",
    .what = "HDF5: Keras models, weights, tables",
    .probe = probe,
    .scan = scan,
    .rules = rules,
};
