/* Where text enters and leaves, per API: one table, one walker for requests, replies and streams.
 *
 * A field is a path such as "messages[].content[].text"; docs/FIELDS.md (generated) lists all of
 * them. What no row covers is refused (or, where policy says so, screened: see bz_walk.unknown). */
#ifndef BARTIZAN_FIELDS_H
#define BARTIZAN_FIELDS_H

#include <bartizan/dialect.h>

enum bz_where {
    BZ_WHERE_REQUEST,
    BZ_WHERE_REPLY, /* a whole reply */
    BZ_WHERE_EVENT, /* one event of a stream */
    BZ_WHERE_COUNT
};
enum bz_speaker {                    /* who says it: role and trust of a text */
                  BZ_SPEAKER_SYSTEM, /* system, developer, instructions, templates */
                  BZ_SPEAKER_USER,
                  BZ_SPEAKER_ASSISTANT, /* earlier answers in requests; answers */
                  BZ_SPEAKER_REASONING,
                  BZ_SPEAKER_TOOL,     /* results of tools: untrusted */
                  BZ_SPEAKER_DOCUMENT, /* documents, files, search results: untrusted */
                  BZ_SPEAKER_SCHEMA,   /* tool names, descriptions, schemas, formats */
                  BZ_SPEAKER_META,     /* user ids, metadata, names, stop words */
                  BZ_SPEAKER_COUNT
};
const char *bz_speaker_name(enum bz_speaker s);

enum bz_field_kind {
    BZ_FIELD_TEXT,      /* a string, or an array of strings */
    BZ_FIELD_JSON_TEXT, /* a string that holds JSON: tool arguments */
    BZ_FIELD_JSON,      /* any JSON: every key, string and number below is text */
    BZ_FIELD_REPEAT,    /* repeats other text in pieces (logprobs, token ids): no span; cleared when
                           the text that it repeats is not passed as it is */
    BZ_FIELD_MEDIA,     /* base64 data; size and type are checked by bz_dialect_check; no span */
    BZ_FIELD_DATA,      /* ids, enums, numbers, flags, vectors of a server: no text of anybody; no
                           span. Objects do not pass as data. */
    BZ_FIELD_KIND_COUNT
};
const char *bz_field_kind_name(enum bz_field_kind k);

struct bz_field {
    const char *name; /* of the member; its path depends on where the walk is: bz_span_path */
    uint8_t kind;     /* enum bz_field_kind */
    uint8_t speaker;  /* enum bz_speaker */
    bool by_role;     /* messages[].role may name another speaker */
    bool facts;       /* JSON: only strings are text; keys and numbers are the server's own */
    bool tool_name;   /* of a tool: offered where the speaker is SCHEMA, called where ASSISTANT */
    uint8_t channel;  /* EVENT: 0 whole text; otherwise a delta of this kind of channel */
    const char *when; /* row counts only where the sibling "type" is one of these words, separated
                           by '|'; NULL: always */
};
/* Every row of a table, in the order of the tables, with its path: "a.b[].c"; a last "*" covers
 * everything below, a last "[]" stands for one or many. A structure within itself (documents in
 * documents) is listed once. */
void bz_fields_each(const struct bz_route *route, enum bz_server server, enum bz_where where,
                    void (*row)(void *ctx, const char *path, const struct bz_field *f), void *ctx);

/* One text, as the walker meets it. */
struct bz_span {
    struct bz_view text;  /* decoded */
    struct bz_json *node; /* to be given to bz_span_set */
    const struct bz_field *field;
    uint8_t speaker; /* after messages[].role was looked at */
    bool is_key;     /* BZ_FIELD_JSON: the text is node's key */
    bool is_number;  /* BZ_FIELD_JSON: text is the number as written; replaced by a string */
    uint64_t
        channel; /* EVENT deltas: names the channel within the stream, never 0; 0: whole text */
};
/* Replaces the text in the tree; `text` must live as long as the tree. */
void bz_span_set(const struct bz_span *s, struct bz_view text);
/* Path of the span as text ("messages[2].content"), for reasons and tests; escaped, cut to fit.
 * Only within bz_walk.span. */
struct bz_walk;
void bz_span_path(const struct bz_walk *w, char out[96]);

enum bz_unknown { BZ_UNKNOWN_REFUSE, BZ_UNKNOWN_TEXT /* screened as text, whole */ };
struct bz_walk {
    enum bz_unknown unknown; /* for members without a row */
    /* OK goes on; anything else ends the walk with it. */
    enum bz_status (*span)(void *ctx, const struct bz_walk *w, const struct bz_span *s);
    /* EVENT: every channel c with (c & mask) == channel ends with this event. Called after all
     * spans of the event; 0, 0: all channels of the stream. May be NULL. */
    void (*channel_end)(void *ctx, uint64_t channel, uint64_t mask);
    void *ctx;
    struct bz_param_error *err; /* filled when a member is refused; may be NULL */
    const void *at;             /* of the walker, for bz_span_path */
};
/* Spans in the order of the text; empty texts are none. OK; EDENIED (unknown member, or an index that is none: err
 * filled); what span() said. No allocation. Cost O(nodes). */
enum bz_status bz_fields_walk(const struct bz_route *route, enum bz_server server,
                              enum bz_where where, struct bz_json *root,
                              struct bz_walk *w) BZ_MUST_USE;
/* Clears every BZ_FIELD_REPEAT below root that repeats the channel (0: all): logprobs become null,
 * token lists empty. */
void bz_fields_clear_repeats(const struct bz_route *route, enum bz_server server,
                             enum bz_where where, struct bz_json *root, uint64_t channel);
/* docs/FIELDS.md. Failures are latched in `out`. */
void bz_fields_write_docs(struct bz_buf *out);

#endif
