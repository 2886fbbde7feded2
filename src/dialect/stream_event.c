/* What an event means. Most are deltas and need no tree: a gate looks for the few keys and values
 * that matter and only then the event is parsed.
 *
 * The gate may be wrong in one direction only. A member "error" is spelled in the text as the bytes
 * "error" between quotes, or with \u escapes; so an event with any \u in it counts as a hit. In a
 * string value the quotes would be escaped, so model text cannot fake a miss, and if it fakes a hit
 * that costs a parse. */
#include "stream.h"
#include "usage.h"

struct word {
    const char *text; /* with both quotes */
    size_t n;
};
struct gate {
    struct word words[5];
    char firsts[3]; /* their first letters; unused ones repeat another */
};

#define W(s)                                                                                       \
    { "\"" s "\"", sizeof(s) + 1 }

static const struct gate gates[BZ_DIALECT_COUNT] = {
    [BZ_DIALECT_OPENAI] = {{W("error"), W("usage"), W("timings")}, {'e', 'u', 't'}},
    [BZ_DIALECT_RESPONSES] = {{W("error"), W("response.completed"), W("response.incomplete"),
                               W("response.failed"), W("response.cancelled")},
                              {'e', 'r', 'r'}},
    [BZ_DIALECT_ANTHROPIC] = {{W("error"), W("usage"), W("message_stop")}, {'e', 'u', 'm'}},
    [BZ_DIALECT_OLLAMA] = {{W("error"), W("done")}, {'e', 'd', 'd'}},
    [BZ_DIALECT_LLAMACPP] = {{W("error"), W("stop")}, {'e', 's', 's'}},
};

static size_t skip_blanks(struct bz_view d, size_t i) {
    while (i < d.n && (d.p[i] == ' ' || d.p[i] == '\t' || d.p[i] == '\n' || d.p[i] == '\r'))
        i++;
    return i;
}

/* "usage":null, "done":false and the like stand in every event of some servers: no hit. */
static bool says_no(struct bz_view d, size_t i) {
    i = skip_blanks(d, i);
    if (i == d.n || d.p[i] != ':')
        return false;
    i = skip_blanks(d, i + 1);
    return i < d.n && (d.p[i] == 'n' || d.p[i] == 'f');
}

static bool word_at(const struct gate *g, struct bz_view d, size_t i) {
    if (d.p[i] == '\\')
        return d.n - i > 1 && d.p[i + 1] == 'u';
    if (d.p[i] != '"')
        return false;
    for (size_t k = 0; k < 5 && g->words[k].n != 0; k++) {
        size_t n = g->words[k].n;
        if (n <= d.n - i && memcmp(d.p + i, g->words[k].text, n) == 0 && !says_no(d, i + n))
            return true;
    }
    return false;
}

enum { LANES = 16 };
typedef uint8_t lanes __attribute__((vector_size(LANES)));

static inline lanes each(char c) {
    lanes v;
    memset(&v, c, sizeof v);
    return v;
}

/* Sixteen places at a time: may a word, or a \u, begin at one of them? Quotes are every fifth byte,
 * so a branch for each would cost more than the comparisons do. */
static bool gate_hit(enum bz_dialect dialect, struct bz_view d) {
    const struct gate *g = &gates[dialect];
    const lanes quote = each('"'), slash = each('\\'), u = each('u');
    const lanes a = each(g->firsts[0]), b = each(g->firsts[1]), c = each(g->firsts[2]);
    size_t i = 0;
    for (; i + LANES + 1 <= d.n; i += LANES) {
        lanes here, next;
        uint64_t any[2];
        memcpy(&here, d.p + i, LANES);
        memcpy(&next, d.p + i + 1, LANES);
        lanes maybe = (lanes)((here == quote) & ((next == a) | (next == b) | (next == c))) |
                      (lanes)((here == slash) & (next == u));
        memcpy(any, &maybe, sizeof any);
        for (size_t k = 0; (any[0] | any[1]) != 0 && k < LANES; k++) {
            if (maybe[k] != 0 && word_at(g, d, i + k))
                return true;
        }
    }
    for (; i < d.n; i++) {
        if (word_at(g, d, i))
            return true;
    }
    return false;
}

static bool present(const struct bz_json *v) {
    return v != NULL && v->type != BZ_JSON_NULL;
}

static bool is_error(const struct bz_json *root) {
    struct bz_view type = bz_json_str(bz_json_get(root, BZ_V("type")));
    const struct bz_json *response = bz_json_get(root, BZ_V("response"));
    return present(bz_json_get(root, BZ_V("error"))) || bz_view_eq(type, BZ_V("error")) ||
           bz_view_eq(type, BZ_V("response.failed")) ||
           bz_view_eq(bz_json_str(bz_json_get(root, BZ_V("object"))), BZ_V("error")) ||
           (bz_json_is(response, BZ_JSON_OBJECT) && present(bz_json_get(response, BZ_V("error"))));
}

static void openai(struct bz_stream *s, const struct bz_json *root, enum event_fate *ret) {
    const struct bz_json *choices = bz_json_get(root, BZ_V("choices"));
    bool usage = bz_json_is(bz_json_get(root, BZ_V("usage")), BZ_JSON_OBJECT);
    bz_usage_openai(root, &s->usage);
    if (s->strip_usage && usage && bz_json_is(choices, BZ_JSON_ARRAY) && choices->count == 0)
        *ret = EVENT_DROP;
}

static void responses(struct bz_stream *s, const struct bz_json *root) {
    struct bz_view type = bz_json_str(bz_json_get(root, BZ_V("type")));
    s->done = bz_view_eq(type, BZ_V("response.completed")) ||
              bz_view_eq(type, BZ_V("response.incomplete")) ||
              bz_view_eq(type, BZ_V("response.cancelled"));
    if (s->done)
        bz_usage_responses(bz_json_get(root, BZ_V("response")), &s->usage);
}

static void anthropic(struct bz_stream *s, const struct bz_json *root) {
    struct bz_view type = bz_json_str(bz_json_get(root, BZ_V("type")));
    if (bz_view_eq(type, BZ_V("message_start"))) {
        const struct bz_json *m = bz_json_get(root, BZ_V("message"));
        bz_usage_anthropic(bz_json_get(m, BZ_V("usage")), true, &s->usage);
    } else if (bz_view_eq(type, BZ_V("message_delta"))) {
        bz_usage_anthropic(bz_json_get(root, BZ_V("usage")), false, &s->usage);
    } else if (bz_view_eq(type, BZ_V("message_stop"))) {
        s->done = true;
    }
}

static enum bz_status meaning(struct bz_stream *s, const struct bz_json *root,
                              enum event_fate *ret) {
    if (s->dialect == BZ_DIALECT_MCP)
        return BZ_OK; /* a message; what it may say is the gateway's to check */
    if (is_error(root)) {
        s->why = "the model server sent an error in mid-stream";
        return BZ_EUNAVAIL;
    }
    switch ((unsigned)s->dialect) {
    case BZ_DIALECT_OPENAI:
        openai(s, root, ret);
        break;
    case BZ_DIALECT_RESPONSES:
        responses(s, root);
        break;
    case BZ_DIALECT_ANTHROPIC:
        anthropic(s, root);
        break;
    case BZ_DIALECT_OLLAMA:
        bz_usage_ollama(root, &s->usage);
        s->done = bz_json_is(bz_json_get(root, BZ_V("done")), BZ_JSON_TRUE);
        break;
    case BZ_DIALECT_LLAMACPP:
        if (bz_json_is(bz_json_get(root, BZ_V("stop")), BZ_JSON_TRUE)) {
            bz_usage_llamacpp(root, &s->usage);
            s->done = true;
        }
        break;
    default:
        return BZ_EINTERNAL;
    }
    return BZ_OK;
}

/* OpenAI ends with it. Some servers send it in the other dialects too, where clients do not expect
 * it. */
static enum bz_status done_mark(struct bz_stream *s, enum event_fate *ret) {
    bool openai = s->dialect == BZ_DIALECT_OPENAI;
    if (openai == s->done) { /* a second one, or one before the true end */
        s->why = openai ? "event after the end of the stream" : "end mark before the last event";
        return BZ_ESYNTAX;
    }
    s->done = true;
    *ret = openai ? EVENT_PASS : EVENT_DROP;
    return BZ_OK;
}

/* llama-server begins the stream of several prompts with it; clients stumble over it. */
static bool says_nothing(const struct bz_stream *s, struct bz_view data) {
    bool may = s->dialect == BZ_DIALECT_OPENAI || s->dialect == BZ_DIALECT_LLAMACPP;
    return may && bz_view_eq(data, BZ_V("null"));
}

/* A stream whose events are all different (token probabilities in each) is not learned from for ever. */
enum { UNUSUAL_MAX = 8 };

static enum bz_status read_event(struct bz_stream *s, struct bz_view name, struct bz_view data,
                                 struct bz_arena *scratch, enum event_fate *ret,
                                 struct bz_json **ret_root) {
    struct bz_diag diag = {0, NULL};
    enum bz_status st = BZ_OK;
    bool learn = s->shapes != NULL && !s->done && s->unusual < UNUSUAL_MAX;
    bool says = gate_hit((enum bz_dialect)s->dialect, data), hit = s->event != NULL || says;
    if (hit || learn)
        st = bz_json_parse(data, NULL, scratch, ret_root, &diag);
    else
        st = bz_json_check(data, NULL, scratch, &diag);
    if (st != BZ_OK) {
        s->why = diag.why != NULL ? diag.why : "event is no strict JSON";
        return st;
    }
    if (hit)
        BZ_TRY(meaning(s, *ret_root, ret));
    if (learn && !s->done && *ret == EVENT_PASS) {
        s->unusual++;
        if (!says) /* what such an event says has to be read in each of its kind */
            bz_shapes_learn(s->shapes, s->route, name, data, *ret_root);
    }
    return BZ_OK;
}

enum bz_status bz_stream_event(struct bz_stream *s, struct bz_view name, struct bz_view data,
                               struct bz_arena *scratch, enum event_fate *ret,
                               struct bz_json **ret_root) {
    *ret = EVENT_PASS;
    *ret_root = NULL;
    if (bz_view_eq(name, BZ_V("error"))) {
        s->why = "the model server sent an error in mid-stream";
        return BZ_EUNAVAIL;
    }
    if (!s->ndjson && bz_view_eq(data, BZ_V("[DONE]")))
        return done_mark(s, ret);
    /* llama.cpp ends each of several prompts by itself, and does not say how many there are. */
    if (s->done && s->dialect != BZ_DIALECT_LLAMACPP) {
        s->why = "event after the end of the stream";
        return BZ_ESYNTAX;
    }
    if (says_nothing(s, data)) {
        *ret = EVENT_DROP;
        return BZ_OK;
    }
    size_t first = skip_blanks(data, 0);
    if (first == data.n || data.p[first] != '{') {
        s->why = "event is no JSON object";
        return BZ_ESYNTAX;
    }
    bool done = s->done;
    BZ_TRY(read_event(s, name, data, scratch, ret, ret_root));
    s->done = s->done || done;
    bz_stream_count(s);
    return BZ_OK;
}
