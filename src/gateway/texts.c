/* The request's texts. All are listed first; then control tokens, judgement and marks, in this order,
 * so that what is judged is what the client wrote.
 *
 *   group   one message, tool or document: its texts are judged together, because a model reads them
 *           together
 *   seam    where two texts of one channel meet: what was split over them is judged, too */
#include <bartizan/agent.h>
#include <bartizan/crypto.h>
#include <bartizan/leak.h>
#include "judge.h"
#include "leaks.h"
#include "screen.h"

enum { OWN_TOKENS_MAX = 128, SEAM_SIDE = 96, SEAMS_MAX = 64 };

struct text {
    struct text *next;
    struct bz_span span;
    const struct bz_json *member, *group; /* of the body; the element of a list, or the member */
    struct bz_view now;                   /* as it stands in the tree */
    uint8_t channel;                      /* enum bz_channel; BZ_CHANNEL_COUNT: not judged */
    bool prose;                           /* written out by a template, one after the other */
    bool untrusted, done;
};
struct request {
    struct bz_tx *tx;
    struct bz_json *root;
    struct bz_arena *ar, *own;
    size_t *grown;
    struct bz_judging rules; /* mode OFF: nothing is judged */
    struct bz_prompt_rule rule;
    bool refused_system; /* an instruction of the client's that policy refuses: at */
    struct bz_span at;
    struct bz_view tokens[OWN_TOKENS_MAX];
    size_t tokens_n;
    bool treats; /* control tokens, judgement, prompts; otherwise only the taint is wanted */
    struct text *first, **last;
    const struct bz_json *member, *element; /* where the walk is */
    uint8_t seen;                           /* bit per enum bz_channel */
    uint64_t salt;                          /* of the user, for what was judged before */
};

/* ---- list ---- */

static bool is_one_of(struct bz_view name, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (bz_view_eq(name, bz_view_str(list[i])))
            return true;
    return false;
}
#define ONE_OF(name, list) is_one_of(name, list, sizeof(list) / sizeof(list)[0])

/* Members of the body that no template writes out. */
static bool is_setting(struct bz_view key) {
    static const char *const of[] = {
        "stop",           "stop_sequences", "stop_options",         "dry_sequence_breakers",
        "bad_words",      "logit_bias",     "stream_options",       "user",
        "metadata",       "options",        "safety_identifier",    "prompt_cache_key",
        "cache_salt",     "reasoning",      "prompt_cache_options", "thinking",
        "cache_control",  "keep_alive",     "context_management",   "chat_template_kwargs",
        "output_config",  "output_format",  "personality",          "grammar",
        "guided_grammar", "guided_regex",
    };
    return ONE_OF(key, of);
}

static bool is_tools(struct bz_view key) {
    static const char *const of[] = {"tools", "functions"};
    return ONE_OF(key, of);
}

/* Members are in the order of the text, and so is the walk; what we added ourselves has no place. */
static const struct bz_json *advance(const struct bz_json *at, uint64_t off) {
    while (at != NULL && at->next != NULL && at->next->off != 0 && at->next->off <= off)
        at = at->next;
    return at;
}

static const struct bz_json *group_of(struct request *q, const struct bz_span *span) {
    const struct bz_json *m =
        advance(q->member != NULL ? q->member : q->root->first, span->node->off);
    if (m != q->member)
        q->element = bz_json_is(m, BZ_JSON_ARRAY) ? m->first : NULL;
    q->member = m;
    q->element = advance(q->element, span->node->off);
    return q->element != NULL ? q->element : m;
}

static uint8_t channel_of(const struct request *q, const struct bz_span *span) {
    if (span->is_number)
        return BZ_CHANNEL_COUNT;
    switch ((enum bz_speaker)span->speaker) {
    case BZ_SPEAKER_USER:
    case BZ_SPEAKER_ASSISTANT: /* an earlier answer, says the client */
    case BZ_SPEAKER_REASONING:
        return BZ_CHANNEL_USER;
    case BZ_SPEAKER_SYSTEM:
        return q->rule.client == BZ_CLIENT_SYSTEM_DEMOTE ? BZ_CHANNEL_USER : BZ_CHANNEL_COUNT;
    case BZ_SPEAKER_TOOL:
        return BZ_CHANNEL_TOOL;
    case BZ_SPEAKER_DOCUMENT:
        return BZ_CHANNEL_DOCUMENT;
    case BZ_SPEAKER_SCHEMA:
        return is_tools(q->member->key) ? BZ_CHANNEL_DOCUMENT : BZ_CHANNEL_COUNT;
    case BZ_SPEAKER_META:
    case BZ_SPEAKER_COUNT:
        break;
    }
    return BZ_CHANNEL_COUNT;
}

static bool goes_away(const struct request *q, const struct bz_span *span) {
    return span->speaker == BZ_SPEAKER_SYSTEM &&
           (q->rule.client == BZ_CLIENT_SYSTEM_DROP || q->rule.client == BZ_CLIENT_SYSTEM_REFUSE);
}

static enum bz_status take(void *ctx, const struct bz_walk *w, const struct bz_span *span) {
    struct request *q = ctx;
    (void)w;
    if (span->field == NULL || span->field->kind == BZ_FIELD_DATA ||
        span->field->kind == BZ_FIELD_MEDIA)
        return BZ_OK;
    const struct bz_json *group = group_of(q, span);
    if (goes_away(q, span)) {
        if (!q->refused_system)
            q->at = *span;
        q->refused_system |= q->rule.client == BZ_CLIENT_SYSTEM_REFUSE;
        return BZ_OK;
    }
    bool setting = span->speaker != BZ_SPEAKER_USER && is_setting(q->member->key);
    if (setting)
        return BZ_OK;
    struct text *t = bz_arena_alloc(q->ar, sizeof *t);
    if (t == NULL)
        return BZ_ENOMEM;
    *t = (struct text){.span = *span,
                       .member = q->member,
                       .group = group,
                       .now = span->text,
                       .channel = channel_of(q, span),
                       .prose = span->field->kind == BZ_FIELD_TEXT && !span->is_key,
                       .untrusted = span->speaker == BZ_SPEAKER_TOOL ||
                                    span->speaker == BZ_SPEAKER_DOCUMENT};
    if (t->channel < BZ_CHANNEL_COUNT)
        q->seen |= (uint8_t)(1u << t->channel);
    if (t->untrusted)
        q->tx->taint |= BZ_TAINT_UNTRUSTED;
    *q->last = t;
    q->last = &t->next;
    return BZ_OK;
}

static enum bz_status walk(const struct request *q, struct bz_walk *w) {
    return bz_fields_walk(q->tx->route, (enum bz_server)q->tx->server, BZ_WHERE_REQUEST, q->root,
                          w);
}

/* ---- refusals ---- */

struct search {
    const struct bz_span *of;
    char path[96];
};

static enum bz_status found_it(void *ctx, const struct bz_walk *w, const struct bz_span *span) {
    struct search *s = ctx;
    if (span->node != s->of->node || span->is_key != s->of->is_key)
        return BZ_OK;
    bz_span_path(w, s->path);
    return BZ_EDENIED; /* no need to go on */
}

/* Where a span stands is known while the walk is there, and wanted only of what is refused. */
static const char *path_of(const struct request *q, const struct bz_span *span, struct search *s) {
    struct bz_walk w = {.unknown = BZ_UNKNOWN_TEXT, .span = found_it, .ctx = s};
    *s = (struct search){.of = span};
    if (walk(q, &w) != BZ_EDENIED)
        s->path[0] = '\0';
    return s->path;
}

static bool no_text(struct request *q, enum bz_refusal r, const struct bz_span *span,
                    const struct judge_found *f, struct bz_view text, const char *advice) {
    char mem[768];
    struct bz_buf b;
    struct bz_error e;
    struct search s;
    const char *path = path_of(q, span, &s);
    bz_tx_error_of(q->tx, r, &e);
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put(&b, e.message);
    bz_judge_say(f, text, path, &b);
    bz_buf_puts(&b, advice);
    struct bz_view say = bz_buf_status(&b) == BZ_OK ? bz_buf_view(&b) : e.message;
    return bz_tx_no_because(q->tx, r, say, bz_view_str(path), (const char *)e.message.p);
}

static bool no_memory(struct request *q, enum bz_status st) {
    return bz_tx_no(q->tx, st == BZ_ENOMEM ? BZ_REFUSE_NO_MEMORY : BZ_REFUSE_INTERNAL);
}

/* ---- edits ---- */

static void set(struct request *q, struct text *t, struct bz_view text) {
    *q->grown += bz_json_len(text) + 2;
    t->now = text;
    bz_span_set(&t->span, text);
}

/* ---- control tokens ---- */

static bool no_token(struct request *q, const struct text *t, struct bz_view text,
                     const struct bz_token_hit *hit) {
    struct judge_found f = {.family = hit->family,
                            .what = BZ_V("chat templates write it to begin or end a turn"),
                            .start = (uint32_t)hit->start,
                            .end = (uint32_t)hit->end};
    if (!bz_tx_judged_count(q->tx, BZ_V("control-token"), bz_action_name(BZ_ACTION_BLOCK)))
        return false;
    return no_text(q, BZ_REFUSE_CONTROL_TOKEN, &t->span, &f, text,
                   " Take it out, or write it with a blank in it.");
}

static bool find(const struct request *q, struct bz_view text, struct bz_token_hit *ret) {
    return bz_token_find(text, 0, q->tokens, q->tokens_n, ret);
}

/* Is there one that policy refuses? Words that mean something elsewhere (<s> in HTML) are made literal
 * whatever policy says. */
static bool refuses(const struct request *q, struct bz_view text, struct bz_token_hit *hit) {
    size_t from = 0;
    if (q->rule.tokens == BZ_TOKENS_LITERAL)
        return false;
    while (bz_token_find(text, from, q->tokens, q->tokens_n, hit)) {
        if (!hit->ordinary)
            return true;
        from = hit->end;
    }
    return false;
}

/* In JSON text a template may write out what the escapes say. */
static enum bz_status in_json(struct request *q, struct bz_json *v, struct bz_token_hit *hit,
                              bool *ret_found, bool *ret_no) {
    for (struct bz_json *k = v->first; k != NULL; k = k->next)
        BZ_TRY(in_json(q, k, hit, ret_found, ret_no));
    struct bz_view *of[] = {&v->key, &v->val};
    for (size_t i = 0; i < 2 && !*ret_no; i++) {
        if (of[i]->n == 0 || (i == 1 && v->type != BZ_JSON_STRING) || !find(q, *of[i], hit))
            continue;
        *ret_found = true;
        *ret_no = refuses(q, *of[i], hit);
        BZ_TRY(bz_tokens_literal(*of[i], q->tokens, q->tokens_n, q->own, of[i]));
        v->flags = 0;
    }
    return BZ_OK;
}

static enum bz_status json_tokens(struct request *q, struct text *t, struct bz_token_hit *hit,
                                  bool *ret_found, bool *ret_no) {
    struct bz_json *root = NULL;
    struct bz_buf b;
    bool found = false;
    if (memchr(t->now.p, '\\', t->now.n) == NULL ||
        bz_json_parse(t->now, NULL, q->own, &root, NULL) != BZ_OK)
        return BZ_OK;
    BZ_TRY(in_json(q, root, hit, &found, ret_no));
    *ret_found |= found;
    if (!found || *ret_no)
        return BZ_OK;
    size_t cap = 8 * t->now.n + 64;
    uint8_t *mem = bz_arena_alloc(q->own, cap);
    if (mem == NULL)
        return BZ_ENOMEM;
    bz_buf_init_fixed(&b, mem, cap);
    bz_json_write(&b, root);
    if (bz_buf_status(&b) == BZ_OK)
        set(q, t, bz_buf_view(&b));
    return bz_buf_status(&b);
}

static bool tokens_of(struct request *q, struct text *t) {
    struct bz_token_hit hit;
    struct bz_view plain;
    bool found = false, no = false;
    enum bz_status st = BZ_OK;
    if (find(q, t->now, &hit)) {
        if (refuses(q, t->now, &hit))
            return no_token(q, t, t->now, &hit);
        st = bz_tokens_literal(t->now, q->tokens, q->tokens_n, q->own, &plain);
        if (st == BZ_OK)
            set(q, t, plain);
        found = true;
    }
    if (st == BZ_OK && t->span.field->kind == BZ_FIELD_JSON_TEXT)
        st = json_tokens(q, t, &hit, &found, &no);
    if (st != BZ_OK)
        return no_memory(q, st);
    if (no)
        return no_token(q, t, (struct bz_view){NULL, 0}, &hit);
    return !found || bz_tx_judged_count(q->tx, BZ_V("control-token"), "literal");
}

/* ---- seams ---- */

/* Whole code points of the end of a and of the beginning of b. */
static struct bz_view seam(struct bz_view a, struct bz_view b, bool blank,
                           uint8_t mem[2 * SEAM_SIDE + 1], size_t *ret_at) {
    size_t from = a.n > SEAM_SIDE ? a.n - SEAM_SIDE : 0, to = b.n < SEAM_SIDE ? b.n : SEAM_SIDE;
    while (from < a.n && (a.p[from] & 0xc0) == 0x80)
        from++;
    while (to > 0 && to < b.n && (b.p[to] & 0xc0) == 0x80)
        to--;
    size_t n = a.n - from;
    memcpy(mem, a.p + from, n);
    *ret_at = n;
    if (blank)
        mem[n++] = ' ';
    memcpy(mem + n, b.p, to);
    return bz_view(mem, n + to);
}

/* One that is written in two pieces is no accident, and has no spelling that would be harmless. */
static bool token_over(struct request *q, const struct text *a, const struct text *b) {
    uint8_t mem[2 * SEAM_SIDE + 1];
    struct bz_token_hit hit;
    size_t at = 0;
    if (a->group != b->group || !a->prose || !b->prose)
        return true;
    struct bz_view v = seam(a->now, b->now, false, mem, &at);
    for (size_t from = 0; bz_token_find(v, from, q->tokens, q->tokens_n, &hit);
         from = hit.start + 1)
        if (hit.start < at && hit.end > at && !hit.ordinary)
            return no_token(q, b, v, &hit);
    return true;
}

static bool tokens(struct request *q) {
    for (struct text *t = q->first; t != NULL; t = t->next)
        if (!t->span.is_number && !tokens_of(q, t))
            return false;
    for (struct text *t = q->first; t != NULL && t->next != NULL; t = t->next)
        if (!token_over(q, t, t->next))
            return false;
    return true;
}

/* ---- judgement ---- */

static bool decide(struct request *q, const struct judge_found *f, struct bz_view text,
                   const struct text *at) {
    static const char ask[] =
        " If it is meant so, send the request again with the header x-bartizan-justification: and "
        "your reason; otherwise take the passage out.";
    static const char no[] =
        " Take the passage out; if the text is harmless, an administrator can make an exception.";
    enum bz_action a = f->action;
    if (a == BZ_ACTION_ALLOW)
        return true;
    q->tx->taint |= BZ_TAINT_INJECTED;
    struct bz_view family = f->family.n > 0 ? f->family : BZ_V("classifier");
    if (!bz_tx_judged_count(q->tx, family, bz_action_name(a)))
        return false;
    if (a == BZ_ACTION_RECORD || (a == BZ_ACTION_COACH && q->tx->justified))
        return true;
    return a == BZ_ACTION_COACH ? no_text(q, BZ_REFUSE_INJECTION_COACH, &at->span, f, text, ask)
                                : no_text(q, BZ_REFUSE_INJECTION, &at->span, f, text, no);
}

static bool ask(struct request *q, const struct bz_judging *rules, struct bz_view text,
                uint8_t channel, struct judge_found *f) {
    struct judge_ask a = {.env = q->tx->env,
                          .rules = rules,
                          .owner = q->tx->who.owner,
                          .salt = q->salt,
                          .text = text,
                          .channel = (enum bz_channel)channel,
                          .mem = q->tx->a};
    enum bz_status st = bz_judge_text(&a, f);
    return st == BZ_OK || no_memory(q, st);
}

/* The text of a group that holds this place, and where in it. */
static const struct text *text_at(const struct text *t, struct judge_found *f) {
    uint32_t at = 0;
    const struct text *last = t;
    for (const struct text *k = t; k != NULL; k = k->next) {
        if (k->group != t->group || k->channel != t->channel)
            continue;
        if (f->start < at + k->now.n)
            return k;
        at += (uint32_t)k->now.n + 1;
        last = k;
    }
    return last;
}

/* All texts of the group of one channel, a line each. */
static bool join(struct request *q, struct text *t, struct bz_view *ret) {
    size_t n = 0, count = 0;
    for (struct text *k = t; k != NULL && k->group == t->group; k = k->next) {
        if (k->channel != t->channel)
            continue;
        n += k->now.n + 1;
        count++;
        k->done = true;
    }
    *ret = t->now;
    if (count == 1)
        return true;
    uint8_t *p = bz_arena_alloc(q->own, n);
    if (p == NULL)
        return no_memory(q, BZ_ENOMEM);
    *ret = bz_view(p, n - 1);
    for (const struct text *k = t; k != NULL && k->group == t->group; k = k->next) {
        if (k->channel != t->channel)
            continue;
        if (k->now.n > 0)
            memcpy(p, k->now.p, k->now.n);
        p[k->now.n] = '\n';
        p += k->now.n + 1;
    }
    return true;
}

static bool judge_groups(struct request *q) {
    struct judge_found f;
    struct bz_view text;
    for (struct text *t = q->first; t != NULL; t = t->next) {
        if (t->done || t->channel >= BZ_CHANNEL_COUNT)
            continue;
        if (!join(q, t, &text) || !ask(q, &q->rules, text, t->channel, &f) ||
            !decide(q, &f, text, text_at(t, &f)))
            return false;
    }
    return true;
}

static bool is_letter(uint8_t b) {
    return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || b >= 0x80;
}

/* Within a group lines were judged together already: only a word in two pieces is new. */
static bool is_seam(const struct text *a, const struct text *b) {
    if (a->now.n == 0 || b->now.n == 0 || !a->prose || !b->prose)
        return false;
    return a->group != b->group || (is_letter(a->now.p[a->now.n - 1]) && is_letter(b->now.p[0]));
}

/* By the rules alone: a classifier's windows were made for texts, not for the ends of two. */
static bool judge_seam(struct request *q, const struct text *a, const struct text *b) {
    uint8_t mem[2 * SEAM_SIDE + 1];
    struct bz_judging rules = q->rules;
    struct judge_found f;
    size_t at;
    if ((rules.detectors & BZ_DETECT_RULES) != 0)
        rules.detectors = BZ_DETECT_RULES;
    struct bz_view v = seam(a->now, b->now, a->group != b->group, mem, &at);
    if (!ask(q, &rules, v, b->channel, &f))
        return false;
    bool over = f.end <= f.start || (f.start < at && f.end > at); /* not in one of them alone */
    return !over || decide(q, &f, v, b);
}

/* The newest ones: older ones were new once. */
static bool judge_seams(struct request *q, uint8_t channel) {
    const struct text *a = NULL;
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        size_t left = n;
        a = NULL;
        for (const struct text *b = q->first; b != NULL; b = b->next) {
            if (b->channel != channel)
                continue;
            if (a != NULL && is_seam(a, b)) {
                n += pass == 0;
                if (pass == 1 && left-- <= SEAMS_MAX && !judge_seam(q, a, b))
                    return false;
            }
            a = b;
        }
    }
    return true;
}

static bool judge(struct request *q) {
    struct bz_settings set;
    if (q->rules.mode == BZ_INJECTION_OFF || q->seen == 0)
        return true;
    if (q->tx->env->injection == NULL)
        return bz_tx_no(q->tx, BZ_REFUSE_SCREENING);
    bz_image_settings(q->tx->image, &set);
    q->salt = bz_name_hash(set.limit_seed, q->tx->who.owner);
    if (!judge_groups(q))
        return false;
    for (uint8_t c = 0; c < BZ_CHANNEL_COUNT; c++)
        if ((q->seen >> c & 1) != 0 && !judge_seams(q, c))
            return false;
    return true;
}

/* ---- marks ---- */

/* Names and addresses are judged, not marked: a server may look at them. */
static bool is_marked(const struct text *t) {
    static const char *const names[] = {"filename",     "url",     "source", "page_age",
                                        "retrieved_at", "file_id", "type",   "encrypted_content"};
    if (!t->untrusted || t->span.is_key || t->span.is_number)
        return false;
    if (t->span.field->kind == BZ_FIELD_JSON)
        return bz_view_eq(t->member->key, BZ_V("documents")) && !ONE_OF(t->span.node->key, names);
    return t->prose && !ONE_OF(bz_view_str(t->span.field->name), names);
}

/* From the request's own id under a secret of the instance: nobody who wrote a text beforehand knows
 * it. */
static void make_mark(const struct bz_tx *tx, enum bz_marking how, struct bz_mark *ret) {
    static const char label[] = "mark of untrusted text";
    struct bz_settings s;
    uint8_t key[BZ_KEY_LEN], rnd[BZ_HASH_LEN];
    bz_image_settings(tx->image, &s);
    bz_keyed_hash(s.digest_key, bz_view(label, sizeof label), key);
    bz_keyed_hash(key, bz_view(tx->id, sizeof tx->id), rnd);
    bz_mark_make(how, rnd, ret);
    bz_wipe(key, sizeof key);
}

static bool mark(struct request *q, struct bz_mark *m, bool *ret_any) {
    struct bz_view marked;
    *ret_any = false;
    if (q->rule.marking == BZ_MARKING_NONE || !bz_instruct_has_place(q->tx->route->api))
        return true;
    for (struct text *t = q->first; t != NULL; t = t->next) {
        if (!is_marked(t))
            continue;
        if (!*ret_any)
            make_mark(q->tx, q->rule.marking, m);
        *ret_any = true;
        enum bz_status st = bz_mark_text(m, t->now, q->own, &marked);
        if (st != BZ_OK)
            return no_memory(q, st);
        set(q, t, marked);
    }
    return true;
}

/* ---- our own text ---- */

static void put_part(struct bz_buf *b, struct bz_view part) {
    if (part.n == 0)
        return;
    bz_buf_puts(b, b->n > 0 ? "\n\n" : "");
    bz_buf_put(b, part);
}

static bool our_text(struct request *q, const struct bz_mark *m, bool marked, struct bz_view *ret) {
    enum { NOTES_MAX = 4096 };
    uint8_t *notes;
    struct bz_buf line, b;
    char canary[BZ_CANARY_TEXT + 1];
    size_t canary_n = 0;
    *ret = q->rule.text;
    if (!q->rule.canary && !marked)
        return true;
    notes = bz_arena_alloc(q->own, NOTES_MAX);
    if (notes == NULL)
        return no_memory(q, BZ_ENOMEM);
    bz_buf_init_fixed(&line, notes, NOTES_MAX);
    if (q->rule.canary) {
        bz_tx_canary(q->tx, canary);
        bz_canary_line(canary, &line);
        canary_n = line.n;
    }
    if (marked)
        bz_mark_notice(m, &line);
    if (bz_buf_status(&line) != BZ_OK)
        return no_memory(q, BZ_EINTERNAL);
    size_t cap = q->rule.text.n + line.n + 8;
    uint8_t *mem = bz_arena_alloc(q->own, cap);
    if (mem == NULL)
        return no_memory(q, BZ_ENOMEM);
    bz_buf_init_fixed(&b, mem, cap);
    put_part(&b, q->rule.text);
    put_part(&b, bz_view(notes, canary_n));
    put_part(&b, bz_view(notes + canary_n, line.n - canary_n));
    *ret = bz_buf_view(&b);
    return true;
}

static bool instruct(struct request *q) {
    struct bz_mark m;
    bool marked;
    struct bz_view text;
    if (!mark(q, &m, &marked) || !our_text(q, &m, marked, &text))
        return false;
    if (text.n == 0 && q->rule.client == BZ_CLIENT_SYSTEM_KEEP)
        return true;
    struct instruct in = {.root = q->root,
                          .api = q->tx->route->api,
                          .client = q->rule.client,
                          .text = text,
                          .ar = q->own,
                          .grown = q->grown};
    enum bz_status st = bz_instruct(&in);
    if (st == BZ_EINVAL)
        return bz_tx_no(q->tx, BZ_REFUSE_PROMPT_PLACE);
    if (st != BZ_OK)
        return no_memory(q, st);
    if (text.n == 0)
        return true;
    struct bz_tx_judged *j = bz_tx_judged_get(q->tx);
    if (j == NULL)
        return no_memory(q, BZ_ENOMEM);
    j->prompt = q->rule.id;
    j->instructed = true;
    q->tx->canary = q->rule.canary;
    return true;
}

/* ---- the whole ---- */

static const struct bz_prompt_rule no_rule = {
    .client = BZ_CLIENT_SYSTEM_KEEP, .marking = BZ_MARKING_NONE, .tokens = BZ_TOKENS_BLOCK};

/* What policy says about this request. *ret_any: something is to be done. */
static bool rules_for(struct request *q, bool *ret_any) {
    struct bz_tx *tx = q->tx;
    struct bz_prompts p;
    struct bz_model m = {0};
    struct bz_view judging = bz_image_blob(tx->image, BZ_BLOB_JUDGING),
                   prompts = bz_image_blob(tx->image, BZ_BLOB_PROMPTS);
    q->treats = judging.n > 0 || prompts.n > 0;
    *ret_any = bz_instruct_api(tx->route->api) &&
               (q->treats || bz_image_blob(tx->image, BZ_BLOB_AGENT).n > 0);
    q->rules.mode = BZ_INJECTION_OFF;
    q->rule = no_rule;
    if (!*ret_any || !q->treats)
        return true;
    if (tx->has_model && bz_image_model(tx->image, tx->model, &m))
        m.target = bz_model_key(m.target);
    enum bz_status st = bz_judging_find(judging, tx->who.role, m.target, &q->rules);
    if (st != BZ_OK && st != BZ_ENOTFOUND)
        return bz_tx_no(tx, BZ_REFUSE_SCREENING);
    if (bz_prompts_open(prompts, &p) != BZ_OK)
        return bz_tx_no(tx, BZ_REFUSE_SCREENING);
    if (!bz_prompts_find(&p, tx->who.role, m.target, bz_view_str(tx->route->scope), &q->rule))
        q->rule = no_rule;
    q->tokens_n = bz_prompts_tokens(&p, m.target, q->tokens, OWN_TOKENS_MAX);
    return true;
}

bool bz_tx_judge_request(struct bz_tx *tx, struct bz_json *root, struct bz_arena *ar,
                         struct bz_arena *own, size_t *grown) {
    struct request q = {.tx = tx, .root = root, .ar = ar, .own = own, .grown = grown};
    struct bz_walk w = {.unknown = BZ_UNKNOWN_TEXT, .span = take, .ctx = &q};
    struct search s;
    bool any;
    uint8_t level = tx->screen != NULL ? tx->screen->level : tx->label;
    if (level > BZ_LEVEL_INTERNAL)
        tx->taint |= BZ_TAINT_CONFIDENTIAL;
    if (!rules_for(&q, &any))
        return false;
    if (!any)
        return true;
    q.last = &q.first;
    enum bz_status st = walk(&q, &w);
    if (st != BZ_OK)
        return no_memory(&q, st);
    if (q.refused_system) {
        const char *path = path_of(&q, &q.at, &s);
        return bz_tx_no_because(tx, BZ_REFUSE_SYSTEM, (struct bz_view){NULL, 0}, bz_view_str(path),
                                NULL);
    }
    return !q.treats || (tokens(&q) && judge(&q) && instruct(&q));
}
