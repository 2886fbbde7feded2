/* TorchScript's code/...: its own small language, which looks like Python. torch's compiler runs it, not
 * Python: no imports but of the archive's own modules, and operators from tables. */
#include "scan_int.h"

static const struct bz_rule rules[] = {
    {"TS-IMPORT", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS,
     "TorchScript code that imports what is not in the archive",
     "no exporter writes this; programs that run the file as Python run commands",
     "do not load it; take the file from its origin again", "CWE-94"},
    {"TS-FILE", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS,
     "TorchScript code with an operator that opens files",
     "reads or writes files of the user when the model runs", "do not load it", "CWE-73"},
    {"TS-CUSTOM-OP", BZ_SEVERITY_LOW, BZ_RULE_NOTE, "an operator of somebody's own library",
     "needs that library to be loaded, whose code was not looked at",
     "see that the library is one you trust", ""},
    {.id = NULL},
};
enum { R_IMPORT, R_FILE, R_CUSTOM };

enum { CODE_MAX = 16 << 20 };

static bool word(uint8_t c) {
    return (uint8_t)((c | 0x20) - 'a') < 26 || (uint8_t)(c - '0') < 10 || c == '_';
}

static struct bz_view ltrim(struct bz_view v) {
    size_t i = 0;
    while (i < v.n && (v.p[i] == ' ' || v.p[i] == '\t'))
        i++;
    return bz_view_sub(v, i, v.n);
}

/* Does a name of the list stand in v as a whole last part: "torch.from_file(", "ops.aten.save("? */
static bool calls(struct bz_view v, struct bz_view name) {
    for (size_t i = 0; i + name.n < v.n; i++) {
        bool starts = i > 0 && v.p[i - 1] == '.';
        if (starts && memcmp(v.p + i, name.p, name.n) == 0 && !word(v.p[i + name.n]))
            return true;
    }
    return false;
}

static bool names_builtin(struct bz_view v) { /* "ops.NAMESPACE." of torch itself */
    static const char *const own[] = {"aten",
                                      "prim",
                                      "prims",
                                      "quantized",
                                      "torchvision",
                                      "_caffe2",
                                      "mkldnn",
                                      "profiler",
                                      "sparse",
                                      "cuda",
                                      "xnnpack",
                                      "prepacked",
                                      "torchaudio",
                                      "torchtext",
                                      "inductor",
                                      "static_runtime",
                                      "mkldnn_prepacked",
                                      "quantized_decomposed",
                                      "vulkan_prepack"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        struct bz_view n = bz_view_str(own[i]);
        if (bz_view_starts(v, n) && v.n > n.n && v.p[n.n] == '.')
            return true;
    }
    return false;
}

static enum bz_status statement(struct bz_scan *s, const struct bz_object *o, struct bz_view v,
                                uint64_t off) {
    bool import = bz_view_starts(v, BZ_V("import ")) || bz_view_starts(v, BZ_V("from "));
    struct bz_view what = bz_view_sub(v, bz_view_starts(v, BZ_V("from ")) ? 5 : 7, v.n);
    if (import && !bz_view_starts(ltrim(what), BZ_V("__torch__")))
        BZ_TRY(bz_scan_found(s, o, &rules[R_IMPORT], off, v));
    if (calls(v, BZ_V("from_file")) || calls(v, BZ_V("save")) || calls(v, BZ_V("load")))
        BZ_TRY(bz_scan_found(s, o, &rules[R_FILE], off, v));
    for (size_t i = 0; i + 4 < v.n; i++) {
        bool starts = i == 0 || !word(v.p[i - 1]);
        if (!starts || memcmp(v.p + i, "ops.", 4) != 0)
            continue;
        if (!names_builtin(bz_view_sub(v, i + 4, v.n)))
            return bz_scan_found(s, o, &rules[R_CUSTOM], off + i, bz_view_sub(v, i, 60));
    }
    return BZ_OK;
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    (void)o;
    return BZ_PROBE_NO; /* only the archive knows */
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    if (o->src.size > CODE_MAX)
        return bz_scan_left_out(s, o, 0, "code of more than 16 MiB");
    size_t n = (size_t)o->src.size;
    uint8_t *p = bz_arena_alloc(bz_scan_arena(s), n + 1);
    if (p == NULL)
        return BZ_ENOMEM;
    BZ_TRY(bz_source_exact(&o->src, 0, p, n));
    if (!bz_scan_steps(s, o, n / 64 + 1))
        return BZ_OK;
    for (size_t at = 0; at < n;) {
        size_t end = at;
        while (end < n && p[end] != '\n' && p[end] != ';')
            end++;
        struct bz_view v = ltrim(bz_view(p + at, end - at));
        BZ_TRY(statement(s, o, v, (uint64_t)(v.p - p)));
        at = end + 1;
    }
    return BZ_OK;
}

const struct bz_format bz_format_torchscript = {.name = "torchscript code",
                                                .what = "code of a TorchScript archive",
                                                .probe = probe,
                                                .scan = scan,
                                                .rules = rules};
