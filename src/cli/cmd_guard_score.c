/* bartizan guard score: JSONL {"text", "channel"} in, one judgement a line out. */
#include <bartizan/json.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd_guard.h"

enum {
    LINE_MAX_BYTES = 64 << 20, /* as a request's body */
    READ_SIZE = 64 << 10,
    FIRST_BLOCK = 64 << 10, /* of an arena: short texts need no other */
    OUT_LINE_MAX = 1 << 16,
};

struct score {
    struct bz_injection *j;
    unsigned detectors;
    enum bz_channel channel; /* of lines that name none */
    struct bz_arena tree, scratch;
    struct bz_buf out;
    uint64_t line;
    bool flagged, failed;
};

/* ---- writing ---- */

static bool write_out(struct score *s) {
    bz_buf_putc(&s->out, '\n');
    if (bz_buf_status(&s->out) == BZ_OK && fwrite(s->out.p, 1, s->out.n, stdout) == s->out.n)
        return true;
    bz_say("standard output: %s", strerror(errno));
    return false;
}

/* Four decimals, never rounded over a threshold. */
static void put_score(struct bz_jw *w, float score) {
    char text[16];
    unsigned n = (unsigned)(score * 10000 + 0.5f);
    if ((score < BZ_SCORE_FLAG && n >= 5000) || (score < BZ_SCORE_BLOCK && n >= 7500 && n < 7501))
        n--;
    int len = snprintf(text, sizeof text, "%u.%04u", n / 10000, n % 10000);
    bz_jw_key(w, "score");
    bz_jw_raw(w, bz_view(text, (size_t)len));
}

static void put_reason(struct bz_jw *w, const struct bz_reason *r) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "source", r->source);
    bz_jw_kstr(w, "id", r->id);
    bz_jw_kstr(w, "family", r->family);
    bz_jw_ku64(w, "start", r->start);
    bz_jw_ku64(w, "end", r->end);
    bz_jw_key(w, "how");
    bz_jw_arr(w);
    for (size_t i = 0; i < r->how_n; i++)
        bz_jw_str(w, bz_view_str(bz_decoding_name((enum bz_decoding)r->how[i])));
    bz_jw_end(w);
    put_score(w, r->score);
    bz_jw_kstr(w, "what", r->what);
    bz_jw_kstr(w, "refs", r->refs);
    bz_jw_end(w);
}

static bool put_judged(struct score *s, const struct bz_judged *j) {
    struct bz_jw w;
    bz_buf_reset(&s->out);
    bz_jw_init(&w, &s->out);
    bz_jw_obj(&w);
    put_score(&w, j->score);
    bz_jw_kstr(&w, "verdict", bz_view_str(bz_judgement_name(j->verdict)));
    bz_jw_key(&w, "reasons");
    bz_jw_arr(&w);
    for (size_t i = 0; i < j->reasons_n; i++)
        put_reason(&w, &j->reasons[i]);
    bz_jw_end(&w);
    bz_jw_end(&w);
    return write_out(s);
}

/* On standard error for people, and in the place of the answer, so that lines stay in step. */
static bool put_error(struct score *s, const char *why) {
    struct bz_jw w;
    s->failed = true;
    bz_say("line %" PRIu64 ": %s", s->line, why);
    bz_buf_reset(&s->out);
    bz_jw_init(&w, &s->out);
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "line", s->line);
    bz_jw_kstr(&w, "error", bz_view_str(why));
    bz_jw_end(&w);
    return write_out(s);
}

/* ---- one line ---- */

/* Members of other names are the caller's own business, but not slips of these two. */
static const char *slip(const struct bz_json *root) {
    static const char *const names[] = {"text", "channel"};
    for (const struct bz_json *m = root->first; m != NULL; m = m->next) {
        char key[16];
        if (m->key.n >= sizeof key || bz_view_eq(m->key, BZ_V("text")) ||
            bz_view_eq(m->key, BZ_V("channel")) || memchr(m->key.p, '\0', m->key.n) != NULL)
            continue;
        memcpy(key, m->key.p, m->key.n);
        key[m->key.n] = '\0';
        const char *near = m->key.n > 3 ? bz_nearest(key, names, 2) : NULL;
        if (near == names[0])
            return "an unknown key that nearly reads 'text'";
        if (near == names[1])
            return "an unknown key that nearly reads 'channel'";
    }
    return NULL;
}

/* NULL: good. */
static const char *read_line(struct score *s, struct bz_view line, struct bz_view *ret_text,
                             enum bz_channel *ret_channel) {
    static char why[160];
    struct bz_json *root = NULL;
    struct bz_diag diag = {0};
    enum bz_status st = bz_json_parse(line, NULL, &s->tree, &root, &diag);
    if (st != BZ_OK) {
        (void)snprintf(why, sizeof why, "no JSON: %s at byte %" PRIu64,
                       diag.why == NULL ? bz_status_text(st) : diag.why, diag.offset);
        return why;
    }
    if (!bz_json_is(root, BZ_JSON_OBJECT))
        return "an object such as {\"text\": \"...\", \"channel\": \"user\"} is expected";
    const struct bz_json *text = bz_json_get(root, BZ_V("text"));
    const struct bz_json *channel = bz_json_get(root, BZ_V("channel"));
    const char *near = slip(root);
    if (near != NULL)
        return near;
    if (!bz_json_is(text, BZ_JSON_STRING))
        return text == NULL ? "'text' is missing" : "'text' is no string";
    if (channel != NULL && (!bz_json_is(channel, BZ_JSON_STRING) ||
                            !bz_channel_from_name(bz_json_str(channel), ret_channel)))
        return "'channel' is not one of user, tool, document";
    *ret_text = bz_json_str(text);
    return NULL;
}

static bool on_line(struct score *s, struct bz_view line) {
    struct bz_view text = {0};
    struct bz_judged judged;
    enum bz_channel channel = s->channel;
    bz_arena_free(&s->tree);
    bz_arena_free(&s->scratch);
    const char *why = read_line(s, line, &text, &channel);
    if (why != NULL)
        return put_error(s, why);
    enum bz_status st = bz_injection_judge(s->j, text, channel, s->detectors, &s->scratch, &judged);
    if (st != BZ_OK)
        return put_error(s, st == BZ_EUNAVAIL
                                ? "this build has no classifier; use --detectors rules"
                                : bz_status_text(st));
    s->flagged |= judged.verdict != BZ_JUDGE_ALLOW;
    return put_judged(s, &judged);
}

/* ---- reading ---- */

static bool blank(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] != ' ' && v.p[i] != '\t' && v.p[i] != '\r')
            return false;
    }
    return true;
}

struct lines {
    struct bz_buf b;
    size_t from; /* of the first line that is not done */
    size_t seen; /* no line ends between */
    bool end,
        skip; /* skip: what comes up to the next line end belongs to a line that was refused */
};

static bool flush(struct score *s) {
    if (fflush(stdout) == 0)
        return true;
    s->failed = true;
    bz_say("standard output: %s", strerror(errno));
    return false;
}

/* false: no more can be read or written, and that was told. */
static bool more(struct score *s, struct lines *l) {
    if (l->from > 0) {
        memmove(l->b.p, l->b.p + l->from, l->b.n - l->from);
        l->b.n -= l->from;
        l->seen -= l->from;
        l->from = 0;
    }
    if (!flush(s)) /* whoever waits for answers before it writes on gets them */
        return false;
    if (!bz_buf_reserve(&l->b, READ_SIZE)) {
        s->failed = true;
        bz_say("line %" PRIu64 ": out of memory", s->line + 1);
        return false;
    }
    ssize_t n;
    do
        n = read(STDIN_FILENO, l->b.p + l->b.n, READ_SIZE);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        s->failed = true;
        bz_say("standard input: %s", strerror(errno));
        return false;
    }
    l->b.n += (size_t)n;
    l->end = n == 0;
    return true;
}

/* One line that is whole, or the beginning of one that is too long already. */
static bool take(struct score *s, struct lines *l, struct bz_view line, bool whole) {
    bool told = l->skip;
    l->skip = !whole;
    if (told)
        return true;
    s->line++;
    if (line.n > LINE_MAX_BYTES)
        return put_error(s, "above 64 MiB");
    return blank(line) || on_line(s, line);
}

/* The lines that are there; false: nobody reads the answers. */
static bool each(struct score *s, struct lines *l) {
    while (l->from < l->b.n) {
        const uint8_t *nl =
            l->seen < l->b.n ? memchr(l->b.p + l->seen, '\n', l->b.n - l->seen) : NULL;
        size_t end = nl == NULL ? l->b.n : (size_t)(nl - l->b.p);
        struct bz_view line = bz_view(l->b.p + l->from, end - l->from);
        l->seen = end;
        if (nl == NULL && !l->end && line.n <= LINE_MAX_BYTES)
            return true;
        l->from = l->seen = nl == NULL ? end : end + 1;
        if (!take(s, l, line, nl != NULL))
            return false;
    }
    return true;
}

static int run(struct score *s) {
    static _Alignas(16) uint8_t tree[FIRST_BLOCK], scratch[FIRST_BLOCK];
    struct lines l = {.from = 0};
    bz_arena_init(&s->tree, bz_alloc_heap, (size_t)LINE_MAX_BYTES * 4, tree, sizeof tree);
    bz_arena_init(&s->scratch, bz_alloc_heap, (size_t)LINE_MAX_BYTES * 16, scratch, sizeof scratch);
    bz_buf_init(&s->out, OUT_LINE_MAX);
    bz_buf_init(&l.b, (size_t)LINE_MAX_BYTES + 2 * READ_SIZE);
    bool ok = true;
    while (ok && !l.end) {
        ok = more(s, &l);
        ok = ok && each(s, &l);
    }
    ok = ok && flush(s);
    bz_buf_free(&l.b);
    bz_buf_free(&s->out);
    bz_arena_free(&s->tree);
    bz_arena_free(&s->scratch);
    return !ok || s->failed ? BZ_EXIT_FAILURE : s->flagged ? BZ_EXIT_FINDINGS : BZ_EXIT_OK;
}

static bool read_detectors(const char *name, unsigned *ret) {
    static const char *const names[] = {"rules", "classifier", "all"};
    *ret = BZ_DETECT_ALL;
    for (size_t i = 0; name != NULL && i < 3; i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret = (unsigned)i + 1;
            return true;
        }
    }
    if (name != NULL)
        bz_say("--detectors '%s' is not one of classifier, rules, all", bz_safe(name));
    return name == NULL;
}

static bool read_channel(const char *name, enum bz_channel *ret) {
    *ret = BZ_CHANNEL_USER;
    if (name == NULL || bz_channel_from_name(bz_view_str(name), ret))
        return true;
    bz_say("--channel '%s' is not one of user, tool, document", bz_safe(name));
    return false;
}

int bz_guard_score(int argc, char **argv) {
    static struct bz_opt_many files;
    static struct bz_guard_rules rules;
    const char *detectors = NULL, *channel = NULL;
    bool only = false, help = false, json = false;
    size_t n = 0;
    const struct bz_opt list[] = {
        {"detectors", BZ_OPT_TEXT, &detectors, "WHICH", "classifier, rules or all (default)"},
        {"channel", BZ_OPT_TEXT, &channel, "NAME",
         "of lines that name none: user (default), tool, document"},
        {"rules", BZ_OPT_MANY, &files, "FILE", "more rules; may be repeated"},
        {"no-builtin", BZ_OPT_FLAG, &only, NULL, "without the rules that come with Bartizan"},
        {"json", BZ_OPT_FLAG, &json, NULL, "the only form there is: one JSON object a line"},
    };
    const struct bz_opts o = {
        "bartizan guard score [--detectors WHICH] [--channel NAME] [--rules FILE]... <JSONL",
        "Reads {\"text\": ..., \"channel\": \"user|tool|document\"} a line and writes one\n"
        "{\"score\": 0..1, \"verdict\": \"allow|flag|block\", \"reasons\": [...]} for each.",
        list,
        5,
        NULL,
        0,
        0};
    struct score s = {.line = 0};
    struct bz_buf pack;
    if (bz_opts_parse(&o, argc, argv, NULL, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (!read_detectors(detectors, &s.detectors) || !read_channel(channel, &s.channel))
        return BZ_EXIT_FAILURE;
    bz_buf_init(&pack, BZ_BLOB_MAX);
    if (bz_guard_rules_load(&rules, !only, files.v, files.n))
        s.j = bz_guard_open(&rules, &pack);
    bz_guard_rules_free(&rules);
    int rc = s.j == NULL ? BZ_EXIT_FAILURE : run(&s);
    bz_injection_close(s.j);
    bz_buf_free(&pack);
    return rc;
}
