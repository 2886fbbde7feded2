/* Model files and what they carry: bytes in, findings and facts out. Nothing is ever loaded or run.
 *
 *   source -> recognised by content -> the format's parser -> findings (rule, place, offset, evidence)
 *               ^                            |               facts (tensors, templates, licence)
 *               +---- members, streams ------+
 *
 * A parser sees what every loader of that format would see; where two loaders disagree about the
 * bytes, the disagreement is a finding. Whatever could not be looked at (an unknown format, a cap, a
 * read error) is counted: a scan with BZ_SCAN_UNCHECKED parts is never clean. */
#ifndef BARTIZAN_ARTIFACT_H
#define BARTIZAN_ARTIFACT_H

#include <bartizan/arena.h>
#include <bartizan/buf.h>

/* ---- where bytes come from -------------------------------------------------------------------- */

struct bz_source {
    /* Up to n bytes at `off`; fewer only at the end. OK, EIO, ELIMIT (a decoder's cap), ECORRUPT (a
     * decoder's input is damaged there). Never called beyond `size`. */
    enum bz_status (*pread)(void *ctx, uint64_t off, void *buf, size_t n, size_t *ret_n);
    void *ctx;
    uint64_t size; /* BZ_SOURCE_UNKNOWN: a stream, read it until a short read */
};
#define BZ_SOURCE_UNKNOWN UINT64_MAX

/* Over memory. `mem` (which is the context) and what it shows outlive the source. */
void bz_source_mem(struct bz_source *s, struct bz_view *mem);
/* Exactly n bytes at `off`, or why not: EIO, ETRAILING (the source ends before), ELIMIT, ECORRUPT. */
enum bz_status bz_source_exact(const struct bz_source *s, uint64_t off, void *buf,
                               size_t n) BZ_MUST_USE;

/* ---- what is found ----------------------------------------------------------------------------- */

/* name, text. What a finding of this severity means for somebody about to load the file. */
#define BZ_SEVERITY_TABLE(X)                                                                       \
    X(INFO, "info")         /* worth knowing; nothing to do */                                     \
    X(LOW, "low")           /* unusual */                                                          \
    X(MEDIUM, "medium")     /* could be abused or could not be told apart from an abuse */         \
    X(HIGH, "high")         /* malformed, or reaches outside itself */                             \
    X(CRITICAL, "critical") /* runs code or commands when loaded */

enum bz_severity {
#define X(name, text) BZ_SEVERITY_##name,
    BZ_SEVERITY_TABLE(X)
#undef X
        BZ_SEVERITY_COUNT
};
const char *bz_severity_name(enum bz_severity s);

enum bz_rule_kind {
    BZ_RULE_MALICIOUS, /* does harm when loaded or served */
    BZ_RULE_SUSPICIOUS,
    BZ_RULE_MALFORMED, /* not what its format allows: no loader should see it */
    BZ_RULE_UNCHECKED, /* could not be looked at: unknown, encrypted, above a cap */
    BZ_RULE_NOTE,
    BZ_RULE_KIND_COUNT
};

struct bz_rule {       /* static; ids are stable and documented in docs/SCANNER.md */
    const char *id;    /* "PKL-CALL": area and name */
    uint8_t severity;  /* enum bz_severity */
    uint8_t kind;      /* enum bz_rule_kind */
    const char *title; /* what it is */
    const char *would; /* what it would do */
    const char *todo;  /* what to do */
    const char *ref;   /* CVE, CWE or page; "" */
};
/* All rules of this build, format by format: how many there are; at most `max` are written to `ret`.
 * Static. */
size_t bz_rule_all(const struct bz_rule **ret, size_t max);
const char *bz_rule_kind_name(enum bz_rule_kind k);
/* docs/SCAN-RULES.md: every rule, sorted by id. */
void bz_rules_write_docs(struct bz_buf *out);

struct bz_scan_finding {
    const struct bz_rule *rule;
    struct bz_view place;    /* "" or members: "archive/data.pkl", "outer.zip!inner.pkl" */
    uint64_t offset;         /* in the bytes of `place`, decoded */
    struct bz_view evidence; /* bytes of the input; escape before showing (bz_put_safe) */
};

/* ---- facts, for the registry and the inventory -------------------------------------------------- */

struct bz_tensor_fact { /* views live for the call */
    struct bz_view name, type;
    uint64_t offset, size; /* bytes, in the file */
};
struct bz_facts { /* every member may be NULL; ctx goes to each */
    void *ctx;
    void (*tensor)(void *ctx, const struct bz_tensor_fact *t);
    /* name: "tokenizer.chat_template", ...; digest: SHA-256 of the normalised text */
    void (*chat_template)(void *ctx, struct bz_view name, struct bz_view text,
                          const uint8_t digest[32]);
    /* "general.license", "general.architecture", "format", ...: one line of text each */
    void (*metadata)(void *ctx, struct bz_view key, struct bz_view value);
    /* A word of a GGUF's vocabulary that is no text: named by an id (end of turn) or a control token first (control),
     * then those that whoever made the model defined. Any bytes, at most 4 KiB. */
    void (*special_token)(void *ctx, struct bz_view text, bool control);
};

/* ---- a scan -------------------------------------------------------------------------------------- */

struct bz_scan_caps {   /* 0: the default of limits.h */
    uint64_t bytes_out; /* decoded from archives and streams, in all */
    uint32_t ratio;     /* decoded / stored, per stream above 1 MiB decoded */
    uint32_t members;   /* in all archives */
    uint32_t depth;     /* archives in archives */
    uint32_t findings;  /* kept; further ones are only counted */
    uint64_t steps;     /* opcodes, tokens, nodes */
    size_t memory;      /* of the arena */
};

enum bz_scan_verdict { /* rises */
                       BZ_SCAN_CLEAN,
                       BZ_SCAN_UNCHECKED, /* something could not be looked at */
                       BZ_SCAN_FINDINGS,  /* at or above `fail_on`, or malformed */
                       BZ_SCAN_VERDICT_COUNT
};

struct bz_scan_result {
    const char *format; /* static: "pickle", "gguf", "torch zip", ...; "unknown" */
    enum bz_scan_verdict verdict;
    uint8_t severity;                       /* the highest */
    const struct bz_scan_finding *findings; /* worst first, then by place and offset */
    size_t findings_n;
    uint64_t findings_more;             /* beyond the cap, not kept */
    uint64_t members, bytes_out, steps; /* what was looked at */
};

struct bz_hdf5 { /* .h5 is read by libhdf5, in a process of its own: the caller's business */
    /* What it is made of, as JSON lines (docs/SCANNER.md). src: NULL, the scanned file itself, which
     * the caller has at hand; else a member of it. EUNAVAIL: no such reader here; ELIMIT: a cap;
     * ECORRUPT: the reader did not survive it. */
    enum bz_status (*list)(void *ctx, const struct bz_source *src, struct bz_buf *out);
    void *ctx;
};

struct bz_unpacker { /* coders of 7z that libarchive reads, in a process of its own: the caller's */
    /* All of the archive `src` (NULL: the scanned file itself). list: its members as JSON lines
     * (docs/SCANNER.md). ret: their bytes, one behind the other, until `done`. EUNAVAIL: no such reader
     * here; ELIMIT: a cap; ECORRUPT: the reader did not survive it. */
    enum bz_status (*unpack)(void *ctx, const struct bz_source *src, struct bz_buf *list,
                             struct bz_source *ret);
    void (*done)(void *ctx, struct bz_source *bytes);
    void *ctx;
};

struct bz_scan_options {
    struct bz_scan_caps caps;
    enum bz_severity fail_on; /* BZ_SEVERITY_MEDIUM is the command line's default */
    bool installed; /* it lies where packages put software: a program is none of a model's there */
    const struct bz_facts *facts;       /* NULL: none wanted */
    const struct bz_hdf5 *hdf5;         /* NULL: .h5 files are BZ_RULE_UNCHECKED */
    const struct bz_unpacker *unpacker; /* NULL: such members are BZ_RULE_UNCHECKED */
    /* A file beside the scanned one, by a relative name that was checked (external data of ONNX,
     * shards); ENOTFOUND, EDENIED (leads out, a link). NULL: such references are BZ_RULE_UNCHECKED.
     * The source lives until the scan ends. */
    enum bz_status (*sibling)(void *ctx, struct bz_view name, struct bz_source *ret);
    void *sibling_ctx;
    /* Called now and then with the bytes looked at so far; false: stop (ELIMIT). NULL: never. */
    bool (*progress)(void *ctx, uint64_t done);
    void *progress_ctx;
};

/* Scans one file. `name` is for hints in findings only ("a pickle named .safetensors"), never for
 * recognising the format. Everything in `ret` lies in `ar`.
 * OK (also with findings); EIO (the source failed: the caller's exit 2), ENOMEM, ELIMIT (stopped),
 * EINVAL (a source of unknown size).
 * Cost: header and structure only, except that pickles, templates and compressed members are read
 * whole; tensor data is not read. */
enum bz_status bz_scan(struct bz_arena *ar, const struct bz_source *src, struct bz_view name,
                       const struct bz_scan_options *opt, struct bz_scan_result *ret) BZ_MUST_USE;

#endif
