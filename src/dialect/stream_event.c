/* What an event means. Most are deltas and need no tree: a gate looks for the few keys and values that matter and only
 * then the event is parsed.
 *
 * The gate may be wrong in one direction only. A member "error" is spelled in the text as the bytes "error" between quotes,
 * or with \u escapes; so an event with any \u in it counts as a hit. In a string value the quotes would be escaped, so model
 * text cannot fake a miss, and if it fakes a hit that costs a parse. */
#include "stream.h"
#include "usage.h"

struct gate {
    const char *words[5]; /* with both quotes */
    uint32_t firsts;      /* bit per first letter */
};

#define BIT(c) (1u << ((c) - 'a'))

static const struct gate gates[BZ_DIALECT_COUNT] = {
    [BZ_DIALECT_OPENAI] = {{"\"error\"", "\"usage\"", "\"timings\""}, BIT('e') | BIT('u') | BIT('t')},
    [BZ_DIALECT_RESPONSES] = {{"\"error\"", "\"response.completed\"", "\"response.incomplete\"",
                               "\"response.failed\"", "\"response.cancelled\""},
                              BIT('e') | BIT('r')},
    [BZ_DIALECT_ANTHROPIC] = {{"\"error\"", "\"usage\"", "\"message_stop\""},
                              BIT('e') | BIT('u') | BIT('m')},
    [BZ_DIALECT_OLLAMA] = {{"\"error\"", "\"done\""}, BIT('e') | BIT('d')},
    [BZ_DIALECT_LLAMACPP] = {{"\"error\"", "\"stop\""}, BIT('e') | BIT('s')},
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

static bool gate_hit(enum bz_dialect dialect, struct bz_view d) {
    const struct gate *g = &gates[dialect];
    for (size_t i = 0; i + 2 < d.n; i++) {
        if (d.p[i] == '\\' && d.p[i + 1] == 'u')
            return true;
        uint8_t c = (uint8_t)(d.p[i + 1] - 'a');
        if (d.p[i] != '"' || c >= 26 || (g->firsts >> c & 1) == 0)
            continue;
        for (size_t k = 0; k < 5 && g->words[k] != NULL; k++) {
            size_t n = strlen(g->words[k]);
            if (n <= d.n - i && memcmp(d.p + i, g->words[k], n) == 0 && !says_no(d, i + n))
                return true;
        }
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

/* OpenAI ends with it. Some servers send it in the other dialects too, where clients do not expect it. */
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

static enum bz_status read_event(struct bz_stream *s, struct bz_view data, struct bz_arena *scratch,
                                 enum event_fate *ret) {
    struct bz_diag diag = {0, NULL};
    struct bz_json *root = NULL;
    enum bz_status st = BZ_OK;
    bool hit = gate_hit(s->dialect, data);
    if (hit)
        st = bz_json_parse(data, NULL, scratch, &root, &diag);
    else
        st = bz_json_check(data, NULL, scratch, &diag);
    if (st != BZ_OK) {
        s->why = diag.why != NULL ? diag.why : "event is no strict JSON";
        return st;
    }
    return hit ? meaning(s, root, ret) : BZ_OK;
}

enum bz_status bz_stream_event(struct bz_stream *s, struct bz_view name, struct bz_view data,
                               struct bz_arena *scratch, enum event_fate *ret) {
    *ret = EVENT_PASS;
    if (bz_view_eq(name, BZ_V("error"))) {
        s->why = "the model server sent an error in mid-stream";
        return BZ_EUNAVAIL;
    }
    if (!s->ndjson && bz_view_eq(data, BZ_V("[DONE]")))
        return done_mark(s, ret);
    size_t first = skip_blanks(data, 0);
    if (first == data.n || data.p[first] != '{') {
        s->why = "event is no JSON object";
        return BZ_ESYNTAX;
    }
    /* llama.cpp ends each of several prompts by itself, and does not say how many there are. */
    if (s->done && s->dialect != BZ_DIALECT_LLAMACPP) {
        s->why = "event after the end of the stream";
        return BZ_ESYNTAX;
    }
    bool done = s->done;
    BZ_TRY(read_event(s, data, scratch, ret));
    s->done = s->done || done;
    s->events++;
    if (!s->usage.known)
        s->usage.completion = s->events;
    return BZ_OK;
}
