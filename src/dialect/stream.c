/* Framing: server-sent events (WHATWG HTML, 9.2.6) and lines of JSON, from bytes in any cut.
 *
 *   in:   ...data: {"a":1}\r\n\r\n: ping\n\ndata: {"a"     whole events are handled where they lie
 *                                           '---------'
 *   part:                                   the rest waits here until its blank line has come
 *
 * scan() finds the end of an event and carries its two bits of state (at the start of a line; after
 * a CR, whose LF may still come) from call to call, so no byte is looked at twice for that, and
 * every cut gives the same events. */
#include "stream.h"

#include <bartizan/limits.h>

enum { LINE_START = 1, AFTER_CR = 2, BEGUN = 4 };
enum { EVENT_NAME_MAX = 64 };

void bz_stream_init(struct bz_stream *s, const struct bz_route *route, bool strip_usage) {
    *s = (struct bz_stream){.dialect = (uint8_t)route->dialect,
                            .route = route,
                            .strip_usage = strip_usage,
                            .line_state = LINE_START};
    s->ndjson = route->dialect == BZ_DIALECT_OLLAMA;
    bz_buf_init(&s->part, BZ_EVENT_MAX);
}

void bz_stream_done(struct bz_stream *s) {
    bz_buf_free(&s->part);
}

/* In steps, so that a stream of bare CRs does not search for its LF to the end of the input at
 * every line. */
enum { STEP = 256 };

static size_t line_end(struct bz_view v, size_t from) {
    while (from < v.n) {
        size_t n = v.n - from < STEP ? v.n - from : STEP;
        const uint8_t *lf = memchr(v.p + from, '\n', n);
        if (lf != NULL)
            n = (size_t)(lf - (v.p + from));
        const uint8_t *cr = memchr(v.p + from, '\r', n);
        if (cr != NULL)
            return (size_t)(cr - v.p);
        from += n;
        if (lf != NULL)
            return from;
    }
    return v.n;
}

/* Bytes up to and with the end of the event, or v.n and *ret_whole false. */
static size_t scan(struct bz_stream *s, struct bz_view v, bool *ret_whole) {
    size_t i = 0;
    unsigned state = s->line_state;
    *ret_whole = false;
    while (i < v.n && !*ret_whole) {
        uint8_t c = v.p[i];
        if ((state & AFTER_CR) != 0 && c == '\n') { /* the second half of a line end */
            state &= ~(unsigned)AFTER_CR;
            i++;
            continue;
        }
        state &= ~(unsigned)AFTER_CR;
        bool blank = (state & LINE_START) != 0 && (c == '\n' || c == '\r');
        if (!blank) {
            state &= ~(unsigned)LINE_START;
            i = line_end(v, i);
            if (i == v.n)
                break;
            c = v.p[i];
            state |= LINE_START;
        }
        if (c == '\r')
            state |= AFTER_CR;
        i++;
        *ret_whole = blank;
    }
    s->line_state = (uint8_t)state;
    return i;
}

static size_t scan_line(struct bz_view v, bool *ret_whole) {
    const uint8_t *lf = v.n == 0 ? NULL : memchr(v.p, '\n', v.n);
    *ret_whole = lf != NULL;
    return lf == NULL ? v.n : (size_t)(lf - v.p) + 1;
}

/* The fields of one event. */
struct fields {
    struct bz_view name;
    struct bz_view data; /* one line; or the lines joined by LF in the arena */
    unsigned data_lines, name_lines;
    bool error, comment;
};

static enum bz_status join(struct fields *f, struct bz_view line, struct bz_arena *scratch) {
    if (f->data_lines++ == 0) {
        f->data = line;
        return BZ_OK;
    }
    uint8_t *p = bz_arena_alloc(scratch, f->data.n + 1 + line.n);
    if (p == NULL)
        return BZ_ENOMEM;
    if (f->data.n != 0)
        memcpy(p, f->data.p, f->data.n);
    p[f->data.n] = '\n';
    if (line.n != 0)
        memcpy(p + f->data.n + 1, line.p, line.n);
    f->data = bz_view(p, f->data.n + 1 + line.n);
    return BZ_OK;
}

static enum bz_status field(struct fields *f, struct bz_view line, struct bz_arena *scratch) {
    if (bz_view_starts(line, BZ_V("data: "))) /* nearly always */
        return join(f, bz_view_sub(line, 6, line.n), scratch);
    if (line.p[0] == ':') {
        f->comment = true;
        return BZ_OK;
    }
    const uint8_t *colon = memchr(line.p, ':', line.n);
    size_t n = colon == NULL ? line.n : (size_t)(colon - line.p);
    struct bz_view name = bz_view_sub(line, 0, n);
    struct bz_view value = bz_view_sub(line, n + (colon != NULL), line.n);
    if (value.n != 0 && value.p[0] == ' ')
        value = bz_view_sub(value, 1, value.n);
    if (bz_view_eq(name, BZ_V("data")))
        return join(f, value, scratch);
    if (bz_view_eq(name, BZ_V("event"))) {
        f->name = value;
        f->name_lines++;
    } else if (bz_view_eq(name, BZ_V("error"))) {
        f->error = true; /* llama.cpp's older way to report one */
    }
    return BZ_OK;
}

static bool name_is_plain(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '.' || c == '_' || c == '-';
        if (!good)
            return false;
    }
    return v.n <= EVENT_NAME_MAX;
}

static void put_data(struct bz_buf *out, struct bz_view data, bool one_line) {
    if (one_line) {
        uint8_t *p = bz_buf_room(out, data.n + 8);
        if (p == NULL)
            return;
        memcpy(p, "data: ", 6);
        memcpy(p + 6, data.p, data.n);
        memcpy(p + 6 + data.n, "\n\n", 2);
        return;
    }
    while (true) {
        const uint8_t *lf = data.n == 0 ? NULL : memchr(data.p, '\n', data.n);
        size_t n = lf == NULL ? data.n : (size_t)(lf - data.p);
        bz_buf_put(out, BZ_V("data: "));
        bz_buf_put(out, bz_view_sub(data, 0, n));
        bz_buf_putc(out, '\n');
        if (lf == NULL)
            break;
        data = bz_view_sub(data, n + 1, data.n);
    }
    bz_buf_putc(out, '\n');
}

static void put_sse(const struct bz_stream *s, struct bz_view name, struct bz_view data,
                    bool one_line, struct bz_buf *out) {
    bool named = s->dialect == BZ_DIALECT_RESPONSES || s->dialect == BZ_DIALECT_ANTHROPIC;
    if (name.n != 0 && named) {
        bz_buf_put(out, BZ_V("event: "));
        bz_buf_put(out, name);
        bz_buf_putc(out, '\n');
    }
    put_data(out, data, one_line);
}

static void put_line(struct bz_view data, struct bz_buf *out) {
    bz_buf_put(out, data);
    bz_buf_putc(out, '\n');
}

void bz_stream_put(const struct bz_stream *s, struct bz_view name, struct bz_view data,
                   struct bz_buf *out) {
    if (s->ndjson)
        put_line(data, out);
    else
        put_sse(s, name, data, data.n == 0 || memchr(data.p, '\n', data.n) == NULL, out);
}

/* With many short data lines the joining would be quadratic; no server sends more than a few. */
enum { DATA_LINES_MAX = 64 };

static enum bz_status read_fields(struct bz_stream *s, struct bz_view block, struct fields *f,
                                  struct bz_arena *scratch) {
    size_t i = 0;
    while (i < block.n) {
        size_t end = line_end(block, i);
        struct bz_view line = bz_view_sub(block, i, end - i);
        if (line.n != 0)
            BZ_TRY(field(f, line, scratch));
        if (f->data_lines > DATA_LINES_MAX || f->name_lines > 1) {
            s->why = "too many fields in one event";
            return BZ_ESYNTAX;
        }
        i = end + 1;
    }
    return BZ_OK;
}

/* A form that passed once says no end and no tokens; what may follow an end is looked at. NULL: this
 * event has to be looked at, too. */
static const struct bz_shape *usual(const struct bz_stream *s, struct bz_view name,
                                    struct bz_view data, struct bz_view *ret_text) {
    if (s->shapes == NULL || s->done || (s->event != NULL && s->delta == NULL))
        return NULL;
    return bz_shapes_match(s->shapes, s->route, name, data, ret_text);
}

/* MORE: it has to be looked at after all. */
static enum bz_status put_usual(struct bz_stream *s, const struct bz_shape *shape,
                                struct bz_view name, struct bz_view data, struct bz_view text,
                                struct bz_arena *scratch, struct bz_buf *out) {
    enum bz_status st = BZ_OK;
    if (s->delta != NULL)
        st = s->delta(s->ctx, name, data, text, shape->channel, scratch, out);
    else if (s->ndjson)
        put_line(data, out);
    else
        put_sse(s, name, data, true, out);
    if (st != BZ_MORE) {
        bz_stream_count(s);
        s->unusual = 0;
    }
    return st;
}

/* One event with data, by its meaning. shape: what `usual` said. */
static enum bz_status put_event(struct bz_stream *s, const struct bz_shape *shape,
                                struct bz_view name, struct bz_view data, struct bz_view text,
                                struct bz_arena *scratch, struct bz_buf *out) {
    enum event_fate fate;
    struct bz_json *root;
    enum bz_status st =
        shape == NULL ? BZ_MORE : put_usual(s, shape, name, data, text, scratch, out);
    if (st != BZ_MORE)
        return st;
    BZ_TRY(bz_stream_event(s, name, data, scratch, &fate, &root));
    if (fate == EVENT_DROP)
        return BZ_OK;
    if (s->event != NULL)
        return s->event(s->ctx, name, data, root, scratch, out);
    bz_stream_put(s, name, data, out);
    return BZ_OK;
}

static enum bz_status sse_event(struct bz_stream *s, struct bz_view block, struct bz_arena *scratch,
                                struct bz_buf *out) {
    struct fields f = {0};
    struct bz_view text = {NULL, 0};
    if ((s->line_state & BEGUN) == 0 && bz_view_starts(block, BZ_V("\xef\xbb\xbf")))
        block = bz_view_sub(block, 3, block.n);
    s->line_state |= BEGUN;
    BZ_TRY(read_fields(s, block, &f, scratch));
    if (f.error)
        f.name = BZ_V("error");
    if (!name_is_plain(f.name)) {
        s->why = "bad event name";
        return BZ_ESYNTAX;
    }
    if (f.data.n == 0 && !f.error) { /* nothing a client would see, but a sign of life */
        if (f.comment)
            bz_buf_put(out, BZ_V(":\n\n"));
        return BZ_OK;
    }
    const struct bz_shape *shape = usual(s, f.name, f.data, &text);
    return put_event(s, shape, f.name, f.data, text, scratch, out);
}

static enum bz_status json_line(struct bz_stream *s, struct bz_view line, struct bz_arena *scratch,
                                struct bz_buf *out) {
    struct bz_view none = {NULL, 0}, text = none;
    while (line.n != 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
        line.n--;
    if (line.n == 0)
        return BZ_OK;
    const struct bz_shape *shape = usual(s, none, line, &text);
    return put_event(s, shape, none, line, text, scratch, out);
}

/* Memory of the caller is used again for the next event. */
static void empty(struct bz_arena *scratch, uint8_t *mark) {
    if (scratch->head != NULL)
        bz_arena_free(scratch);
    else
        scratch->cur = mark;
}

static enum bz_status one_event(struct bz_stream *s, struct bz_view block, struct bz_arena *scratch,
                                struct bz_buf *out) {
    uint8_t *mark = scratch->cur;
    enum bz_status st =
        s->ndjson ? json_line(s, block, scratch, out) : sse_event(s, block, scratch, out);
    empty(scratch, mark);
    return st;
}

/* One event of a known form, "data: " and all, and not a byte more: nearly always. The form holds
 * neither LF nor CR (bz_shapes_learn), so what has it is one line. False: it is something else, and
 * nothing was taken. */
static bool one_usual(struct bz_stream *s, struct bz_view in, struct bz_arena *scratch,
                      struct bz_buf *out, enum bz_status *ret) {
    struct bz_view none = {NULL, 0}, data, text;
    if (s->part.n != 0 || in.n > BZ_EVENT_MAX || in.n < 8 || in.p[in.n - 1] != '\n')
        return false;
    if (s->ndjson)
        data = bz_view(in.p, in.n - 1);
    else if (s->line_state == (LINE_START | BEGUN) && memcmp(in.p, "data: ", 6) == 0 &&
             in.p[in.n - 2] == '\n')
        data = bz_view(in.p + 6, in.n - 8);
    else
        return false;
    const struct bz_shape *shape = usual(s, none, data, &text);
    if (shape == NULL)
        return false;
    uint8_t *mark = scratch->cur;
    *ret = put_event(s, shape, none, data, text, scratch, out);
    empty(scratch, mark);
    return true;
}

static enum bz_status fail(struct bz_stream *s, enum bz_status st, const char *why) {
    s->failed = true;
    if (s->why == NULL)
        s->why = why;
    bz_buf_free(&s->part);
    return st;
}

static enum bz_status settle(struct bz_stream *s, enum bz_status st, const struct bz_buf *out) {
    if (st != BZ_OK)
        return fail(s, st, "out of memory");
    return bz_buf_status(out) == BZ_OK ? BZ_OK : fail(s, bz_buf_status(out), "no room for output");
}

enum bz_status bz_stream_feed(struct bz_stream *s, struct bz_view in, struct bz_arena *scratch,
                              struct bz_buf *out) {
    if (s->failed)
        return BZ_ESYNTAX;
    enum bz_status st;
    if (one_usual(s, in, scratch, out, &st))
        return settle(s, st, out);
    while (in.n != 0) {
        bool whole;
        size_t n = s->ndjson ? scan_line(in, &whole) : scan(s, in, &whole);
        struct bz_view block = bz_view_sub(in, 0, n);
        if (n > BZ_EVENT_MAX - s->part.n)
            return fail(s, BZ_ETOOBIG, "event above the size limit");
        if (!whole || s->part.n != 0) {
            bz_buf_put(&s->part, block);
            block = bz_buf_view(&s->part);
        }
        if (bz_buf_status(&s->part) != BZ_OK)
            return fail(s, bz_buf_status(&s->part), "no memory for an event");
        if (!whole)
            break;
        st = one_event(s, block, scratch, out);
        if (s->part.n != 0)
            bz_buf_free(&s->part);
        if (st != BZ_OK)
            return settle(s, st, out);
        in = bz_view_sub(in, n, in.n);
    }
    return settle(s, BZ_OK, out);
}

/* A last "[DONE]" may lack its blank line: nothing is lost by that. Any other half event is. */
static bool done_without_blank(const struct bz_stream *s) {
    struct bz_view v = bz_buf_view(&s->part);
    while (v.n != 0 && (v.p[v.n - 1] == '\n' || v.p[v.n - 1] == '\r'))
        v.n--;
    return bz_view_eq(v, BZ_V("data: [DONE]")) || bz_view_eq(v, BZ_V("data:[DONE]"));
}

enum bz_status bz_stream_end(struct bz_stream *s, struct bz_buf *out) {
    if (s->failed)
        return BZ_ESYNTAX;
    bool openai = s->dialect == BZ_DIALECT_OPENAI;
    if (s->part.n != 0 && !s->ndjson && done_without_blank(s) && openai != s->done) {
        bz_buf_free(&s->part);
        s->done = true;
        if (openai)
            bz_buf_put(out, BZ_V("data: [DONE]\n\n"));
    }
    for (size_t i = 0; i < s->part.n; i++) {
        if (s->part.p[i] != '\n' && s->part.p[i] != '\r')
            return fail(s, BZ_ESYNTAX, "stream ended in the middle of an event");
    }
    if (!s->done && s->dialect != BZ_DIALECT_MCP) /* that one knows no last event */
        return fail(s, BZ_ESYNTAX, "stream ended before its last event");
    bz_buf_free(&s->part);
    return bz_buf_status(out);
}
