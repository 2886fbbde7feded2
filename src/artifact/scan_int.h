/* Inside of a scan, shared by the files of this room only.
 *
 *   scan.c     life of a scan, findings, caps, dispatch
 *   source.c   sources over memory, parts of sources, windows
 *   codec.c    gzip, zlib, bzip2, xz, lzma, zstd, lz4, deflate64 (inflate64.c) as sources
 *   formats.h  the list of formats (a row each); formats.c makes the table
 *   one file (or a few) and one const struct bz_format per format, with its rules beside it */
#ifndef BZ_ARTIFACT_SCAN_INT_H
#define BZ_ARTIFACT_SCAN_INT_H

#include <bartizan/artifact.h>

struct bz_scan;
extern const struct bz_rule bz_scan_rules[]; /* the engine's own */

struct bz_object { /* what is being looked at: a file, a member, a decoded stream */
    struct bz_source src;
    struct bz_view name;  /* the file's or the member's, for hints only */
    struct bz_view place; /* for findings; "" for the file itself */
    struct bz_view head;  /* the first bytes, at most BZ_PROBE_HEAD; all of it if shorter */
    uint8_t depth;        /* 0: the file */
    bool sure;            /* the probe said YES, or the parent knows: not MAYBE */
};
#define BZ_PROBE_HEAD 4096

enum bz_probe { /* how sure; rises */
                BZ_PROBE_NO,
                BZ_PROBE_MAYBE, /* parses so far, but so does a lot: scan() will tell */
                BZ_PROBE_YES,   /* a magic number or a structure that random bytes do not have */
                BZ_PROBE_COUNT
};

struct bz_format {
    const char *name; /* "gguf" */
    const char *what; /* a few words for people */
    /* Looks at o->head, and reads more where the mark stands elsewhere (zip: the end). Several
     * formats may say YES: each is scanned and the ambiguity is a finding (polyglot). */
    enum bz_probe (*probe)(struct bz_scan *s, const struct bz_object *o);
    /* Finds. OK also for malformed input (which is a finding); ENOTFOUND where the probe said MAYBE
     * (!o->sure) and it is not this format after all: nothing was recorded; else ENOMEM, EIO, ELIMIT
     * (hand on what bz_scan_member and bz_scan_found return). */
    enum bz_status (*scan)(struct bz_scan *s, const struct bz_object *o);
    const struct bz_rule *rules; /* ends with .id == NULL; may be NULL */
    /* Tried only where no other format took the object: plain text, images. Never a polyglot. */
    bool inert;
    /* Its specification lets a ZIP archive follow, with offsets of the whole file: both are scanned,
     * and it is no polyglot. */
    bool before_zip;
};

/* The table, in the order of formats.h. */
extern const struct bz_format *const bz_formats[];
extern const size_t bz_formats_n;
/* By its name ("pickle"), for members whose format the parent knows; NULL: not in this build. */
const struct bz_format *bz_format_named(const char *name);

/* Records a finding. place: of o. evidence: copied, cut at BZ_EVIDENCE_MAX bytes. OK, ENOMEM. */
enum bz_status bz_scan_found(struct bz_scan *s, const struct bz_object *o,
                             const struct bz_rule *rule, uint64_t offset,
                             struct bz_view evidence) BZ_MUST_USE;
#define BZ_EVIDENCE_MAX 200

/* Scans a member as an object of its own: place becomes "PLACE!name", depth one more. Counts the
 * member, watches caps (above one: a BZ_RULE_UNCHECKED finding, and OK). `src` may be of unknown
 * size (a decoder): short ones are then held in memory, long ones are measured by decoding them. */
enum bz_status bz_scan_member(struct bz_scan *s, const struct bz_object *parent,
                              struct bz_view name, const struct bz_source *src) BZ_MUST_USE;
/* The same when the parent knows what it must be (torch zip: data.pkl is a pickle): `format` is
 * tried whatever the probes say, and what the probes say is tried too. */
enum bz_status bz_scan_member_as(struct bz_scan *s, const struct bz_object *parent,
                                 struct bz_view name, const struct bz_source *src,
                                 const struct bz_format *format) BZ_MUST_USE;

/* A member whose bytes mean nothing to anybody but as numbers (a tensor): counted, not looked at. */
void bz_scan_opaque(struct bz_scan *s);

/* Budgets. false: spent (a BZ_RULE_UNCHECKED finding is recorded once); the caller stops with OK. */
bool bz_scan_steps(struct bz_scan *s, const struct bz_object *o, uint64_t n);
bool bz_scan_bytes(struct bz_scan *s, const struct bz_object *o, uint64_t decoded);
/* Something of `o` was left out: recorded with BZ_RULE_UNCHECKED. `why` is ours. */
enum bz_status bz_scan_left_out(struct bz_scan *s, const struct bz_object *o, uint64_t offset,
                                const char *why) BZ_MUST_USE;

/* Called once when the scan() of the current object returns, unless taken back before. */
struct bz_cleanup {
    void (*call)(void *ctx);
    void *ctx;
    struct bz_cleanup *next, **link;
};
void bz_scan_defer(struct bz_scan *s, struct bz_cleanup *c);
void bz_scan_undefer(struct bz_cleanup *c);
struct bz_alloc bz_scan_heap(struct bz_scan *s);

/* Scratch memory of the object that is being scanned: gone when its scan() returns. */
struct bz_arena *bz_scan_arena(struct bz_scan *s);
const struct bz_scan_options *bz_scan_options(const struct bz_scan *s);
/* The first format's name is the result's; a format may refine it ("torch zip"). Static. */
void bz_scan_name(struct bz_scan *s, const struct bz_object *o, const char *format);

/* ---- reading forward ------------------------------------------------------------------------- */

/* A window over a source: forward reading in big steps, views that live until the next call. */
struct bz_window {
    const struct bz_source *src;
    uint8_t *buf;      /* arena */
    size_t cap;        /* BZ_WINDOW, or all that there is if that is less */
    uint64_t base;     /* offset of buf[0] */
    size_t at, n;      /* next byte, bytes there */
    enum bz_status st; /* latched: OK, or why reading ended (ETRAILING at the end) */
};
#define BZ_WINDOW ((size_t)256 * 1024)
enum bz_status bz_window_init(struct bz_window *w, struct bz_scan *s, const struct bz_source *src,
                              uint64_t off) BZ_MUST_USE;
/* What is in sight: at least n bytes (n <= BZ_WINDOW), or fewer at the end; eats nothing. Where it is
 * less than n, `st` says why: ETRAILING, the end; EIO; of a decoder ECORRUPT, ELIMIT. */
struct bz_view bz_window_peek(struct bz_window *w, size_t n);
void bz_window_skip(struct bz_window *w, uint64_t n); /* any n */
static inline uint64_t bz_window_off(const struct bz_window *w) {
    return w->base + w->at;
}

/* A part of a source as a source; `mem` is where the context is kept (arena). NULL: no memory. */
const struct bz_source *bz_source_part(struct bz_scan *s, const struct bz_source *src, uint64_t off,
                                       uint64_t n);

/* All of a source, held in memory if it is not longer than `max`; else read to its end once, so that
 * size and CRC are known, and to be read again. */
struct bz_spool {
    struct bz_source src; /* of known size; lives until done */
    uint64_t size;
    uint32_t crc;      /* CRC-32, as in ZIP */
    enum bz_status st; /* OK, or why it ended early: ECORRUPT, ELIMIT */
    struct bz_view mem;
    struct bz_buf buf;
};
/* OK (see ->st), ENOMEM, EIO, ELIMIT (the scan was stopped). bz_spool_done in each case. */
enum bz_status bz_spool_fill(struct bz_spool *p, struct bz_scan *s, const struct bz_source *src,
                             size_t max) BZ_MUST_USE;
void bz_spool_done(struct bz_spool *p);
uint32_t bz_scan_ratio(const struct bz_scan *s);

/* ---- codecs (codec.c) -------------------------------------------------------------------------- */

enum bz_codec {
    BZ_CODEC_DEFLATE, /* raw, as in ZIP */
    BZ_CODEC_ZLIB,
    BZ_CODEC_GZIP, /* all members */
    BZ_CODEC_BZIP2,
    BZ_CODEC_XZ,
    BZ_CODEC_LZMA, /* .lzma, alone */
    BZ_CODEC_ZSTD,
    BZ_CODEC_LZ4,   /* frames */
    BZ_CODEC_LZMA1, /* raw; these need properties */
    BZ_CODEC_LZMA2,
    BZ_CODEC_DEFLATE64,
    BZ_CODEC_COUNT
};
const char *bz_codec_name(enum bz_codec c);
extern const struct bz_rule bz_codec_rules[]; /* what decoders record */
enum bz_codec_rule { BZ_CODEC_DAMAGED, BZ_CODEC_BOMB };
/* What a decoder gives, as a source of unknown size; reading backwards starts anew (and counts
 * again). Caps and damage come back from pread as ELIMIT and ECORRUPT, and are recorded as findings
 * of `o` by the decoder itself: the caller takes them as the end. It lives until bz_codec_done or the
 * end of the object's scan(). NULL: no memory. */
const struct bz_source *bz_codec_source(struct bz_scan *s, const struct bz_object *o,
                                        enum bz_codec codec, const struct bz_source *packed);
/* The same for codecs whose properties stand elsewhere (7z, LZMA in ZIP). */
struct bz_codec_raw {
    struct bz_view props;
    uint64_t size;   /* of what comes out; BZ_SOURCE_UNKNOWN */
    uint64_t filter; /* of liblzma, over what LZMA1 or LZMA2 gives; 0: none */
    uint32_t distance;
};
const struct bz_source *bz_codec_source_raw(struct bz_scan *s, const struct bz_object *o,
                                            enum bz_codec codec, const struct bz_source *packed,
                                            const struct bz_codec_raw *raw);
void bz_codec_done(const struct bz_source *src); /* NULL is fine */
/* Bytes of `packed` that were used, once the end was read; UINT64_MAX before, and after damage. */
uint64_t bz_codec_used(const struct bz_source *src);
/* Does this look like the beginning of such a stream? Decodes it. MAYBE: something came out, then it
 * was damaged or cut short. */
enum bz_probe bz_codec_probe(enum bz_codec codec, struct bz_view head);

#endif
