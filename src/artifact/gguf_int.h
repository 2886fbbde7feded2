/* GGUF, inside: cursor, rules, what the files of the format share.
 *
 *   gguf.c         header, key-value records, the order of everything
 *   gguf_known.c   what known keys must hold
 *   gguf_tensors.c tensor records and the layout of the data
 *   gguf_types.c   the table of tensor types
 *   gguf_vocab.c   the words of the vocabulary that are no text
 *
 *     "GGUF" version n_tensors n_kv | records | tensor infos | padding | data ... | end of file
 *
 * Sources: ggml docs/gguf.md, src/gguf.cpp, include/ggml.h (August 2026). */
#ifndef BZ_ARTIFACT_GGUF_INT_H
#define BZ_ARTIFACT_GGUF_INT_H

#include "scan_int.h"

enum gguf_rule {
    GGUF_R_ALIGN,
    GGUF_R_ARRAY,
    GGUF_R_BOUNDS,
    GGUF_R_CONTROL,
    GGUF_R_COUNT,
    GGUF_R_DIMS,
    GGUF_R_DUPKEY,
    GGUF_R_DUPTENSOR,
    GGUF_R_KEY,
    GGUF_R_LEGACY,
    GGUF_R_MAGIC,
    GGUF_R_NAME,
    GGUF_R_OFFSET,
    GGUF_R_PADDING,
    GGUF_R_SHAPE,
    GGUF_R_SPLIT,
    GGUF_R_STRING,
    GGUF_R_TENSORTYPE,
    GGUF_R_TOKENID,
    GGUF_R_TOKENODD,
    GGUF_R_TRAILING,
    GGUF_R_TRUNCATED,
    GGUF_R_TYPE,
    GGUF_R_UTF8,
    GGUF_R_VALUE,
    GGUF_R_VERSION,
    GGUF_R_VOCAB,
    GGUF_R_COUNT_
};
extern const struct bz_rule bz_gguf_rules[GGUF_R_COUNT_ + 1];

enum gguf_type {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_TYPE_COUNT
};
extern const uint8_t bz_gguf_width[GGUF_TYPE_COUNT]; /* bytes; 0: string, array */

enum {
    GGUF_DIMS_MAX = 4,  /* GGML_MAX_DIMS */
    GGUF_NAME_MAX = 63, /* GGML_MAX_NAME less its NUL */
    GGUF_IDS_MAX = 64,  /* of special tokens */
    GGUF_KEY_MAX = 65535,
    GGUF_ALIGN_DEFAULT = 32,
    GGUF_ALIGN_USUAL = 64 * 1024, /* beyond, the gaps are a place to hide something */
};
#define GGUF_STRING_MAX (1ull << 30)   /* GGUF_MAX_STRING_LENGTH */
#define GGUF_ELEMENTS_MAX (1ull << 30) /* GGUF_MAX_ARRAY_ELEMENTS */

struct gguf_value { /* of one record */
    uint8_t type;   /* enum gguf_type */
    uint8_t elem;   /* of an array */
    uint64_t count; /* of an array; bytes of a string */
    uint64_t off;   /* where it starts: a string's text, an array's first element */
    uint64_t u;     /* unsigned and bool */
    int64_t i;      /* signed */
    double f;
    struct bz_view text; /* of a string up to GGUF_TEXT_MAX bytes; lives for the record */
};
enum { GGUF_TEXT_MAX = 4096 };

struct gguf_id { /* tokenizer.ggml.*_token_id */
    uint64_t id, off;
};

struct gguf {
    struct bz_scan *s;
    const struct bz_object *o;
    struct bz_window w;
    enum bz_status st; /* why it ended: OK also for a finding */
    bool stop;         /* the rest cannot be read */
    uint32_t version;
    uint64_t n_tensors, n_kv;
    uint32_t align;
    /* what the records said */
    bool has_tokens, has_scores, has_types, has_split_no, has_split_count, has_split_tensors;
    uint64_t tokens, scores, types; /* lengths */
    uint64_t tokens_off, types_off; /* of their first elements */
    uint8_t types_elem;             /* enum gguf_type */
    uint64_t split_no, split_count, split_tensors;
    struct gguf_id ids[GGUF_IDS_MAX];
    size_t ids_n;
};

uint64_t gguf_left(const struct gguf *g); /* bytes behind the cursor */
/* Records a finding; `gguf_stop` also ends the walk. Return false, for `return gguf_stop(...)`. */
bool gguf_found(struct gguf *g, enum gguf_rule rule, uint64_t off, struct bz_view evidence);
bool gguf_stop(struct gguf *g, enum gguf_rule rule, uint64_t off, struct bz_view evidence);
/* The next number; false: the file ends before. */
bool gguf_u32(struct gguf *g, uint32_t *ret);
bool gguf_u64(struct gguf *g, uint64_t *ret);
/* A string of at most `max` bytes (<= BZ_WINDOW), in sight until the next read. `rule`: for longer
 * ones. */
bool gguf_name(struct gguf *g, uint64_t max, enum gguf_rule rule, struct bz_view *ret);
/* C0 controls and DEL; `text`: but tab, newline and return. */
bool gguf_has_control(struct bz_view v, bool text);

/* gguf_known.c: a record whose key is `key` (in memory of its own). */
void gguf_known(struct gguf *g, struct bz_view key, const struct gguf_value *v);
void gguf_known_end(struct gguf *g); /* what the records say together */
/* gguf_vocab.c: to bz_facts.special_token, once all records are read. */
void gguf_vocab(struct gguf *g);
/* gguf_tensors.c: from the first tensor info to the end of the file. */
void gguf_tensors(struct gguf *g);

struct gguf_tensor_type { /* block 0: retired or never used */
    const char *name;
    uint16_t block, bytes;
};
const struct gguf_tensor_type *gguf_tensor_type(uint32_t id); /* NULL: no such type */

#endif
