/* Calls about stored bodies: /v1/data/... */
#include <inttypes.h>
#include <stdio.h>
#include <bartizan/detect.h>
#include <bartizan/text.h>

#include "admin.h"
#include "bodies.h"

enum { DETAIL_MAX = 512, PAGE_BYTES = 4 << 20, REASON_MAX = 200, ERASED_MAX = 64 << 20 };

static unsigned bad(struct bz_admin_call *c, const char *member, const char *why) {
    return bz_admin_refuse(c, 400, "invalid", "'%s' %s", member, why);
}

static uint64_t now_ms(void) {
    return bz_clock_unix() / 1000000;
}

/* 0, or the status of a refusal. */
static unsigned in_reach(struct bz_admin_call *c) {
    if (c->d->bodies != NULL)
        return 0;
    return bz_admin_refuse(c, 503, "bodies_unavailable",
                           "stored bodies are out of reach now; bartizand's messages say why");
}

/* ---- whose ---- */

struct who {
    const char *user, *conversation; /* conversation NULL: all */
};

static bool conversation_ok(const char *s) {
    return strlen(s) <= 64 &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               strlen(s);
}

/* 0 or the status of a refusal. A user need not exist any more. */
static unsigned take_who(struct bz_admin_call *c, struct who *w) {
    bool ok = true;
    w->user = bz_admin_text(c, BZ_V("user"), &ok);
    w->conversation = bz_admin_text(c, BZ_V("conversation"), &ok);
    if (!ok || w->user == NULL || !bz_user_name_valid(bz_view_str(w->user)))
        return bad(c, "user", "is missing or no name");
    if (w->conversation != NULL && !conversation_ok(w->conversation))
        return bad(c, "conversation", "is no name of a conversation");
    return 0;
}

static struct bz_view detail(char mem[DETAIL_MAX], const char *before, const struct who *w) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, DETAIL_MAX);
    bz_buf_puts(&b, before);
    bz_buf_puts(&b, "user ");
    bz_put_safe(&b, bz_view_str(w->user));
    if (w->conversation != NULL) {
        bz_buf_puts(&b, ", conversation ");
        bz_put_safe(&b, bz_view_str(w->conversation));
    }
    return bz_buf_view(&b);
}

/* ---- status and lists ---- */

static void put_sum(struct bz_jw *w, const struct bz_body_sum *s) {
    bz_jw_ku64(w, "bodies", s->n);
    bz_jw_ku64(w, "bytes", s->bytes);
    bz_jw_ku64(w, "oldest", s->oldest_ms / 1000);
}

static enum bz_status put_levels(struct bz_admin_call *c, struct bz_jw *w) {
    uint32_t seconds[BZ_BODY_LEVELS];
    bz_bodies_retention(c->d, seconds);
    bz_jw_key(w, "levels");
    bz_jw_arr(w);
    for (int level = 0; level < BZ_BODY_LEVELS; level++) {
        struct bz_body_sum s;
        BZ_TRY(bz_bodystore_sum(bz_keep_store(c->d->bodies), NULL, level, &s));
        bz_jw_obj(w);
        bz_jw_kstr(w, "level", bz_view_str(bz_level_name((enum bz_level)level)));
        bz_jw_ku64(w, "retention_s", seconds[level]);
        put_sum(w, &s);
        bz_jw_end(w);
    }
    bz_jw_end(w);
    return BZ_OK;
}

unsigned bz_admin_data(struct bz_admin_call *c) {
    if (in_reach(c) != 0)
        return 503;
    const struct bz_keep_counts n = bz_keep_counts(c->d->bodies);
    struct bz_keep_spool spool = {0, 0, 0};
    struct bz_jw w;
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    enum bz_status st = put_levels(c, &w);
    if (st == BZ_OK)
        st = bz_keep_spool(c->d->bodies, &spool);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the stored bodies");
    bz_jw_ku64(&w, "waiting", spool.files);
    bz_jw_ku64(&w, "waiting_bytes", spool.bytes);
    bz_jw_ku64(&w, "refused", spool.refused);
    bz_jw_ku64(&w, "taken", n.taken);
    bz_jw_ku64(&w, "dropped", n.dropped);
    bz_jw_ku64(&w, "erasures", bz_keep_erased_count(c->d->bodies));
    bz_jw_end(&w);
    return 200;
}

struct listing {
    struct bz_admin_call *c;
    struct bz_jw w;
};

static enum bz_status put_conversation(void *ctx, const struct bz_body_user *u,
                                       const struct bz_body_conversation *k) {
    struct listing *l = ctx;
    struct bz_bodystore *s = bz_keep_store(l->c->d->bodies);
    struct bz_body_sum sum;
    bool held = false;
    BZ_TRY(bz_bodystore_sum(s, k->id, -1, &sum));
    BZ_TRY(bz_bodystore_held(s, u->name, k->name, &held));
    bz_jw_obj(&l->w);
    bz_jw_kstr(&l->w, "user", bz_view_str(u->name));
    bz_jw_kstr(&l->w, "conversation", bz_view_str(k->name));
    put_sum(&l->w, &sum);
    bz_jw_kbool(&l->w, "held", held);
    bz_jw_end(&l->w);
    return BZ_OK;
}

unsigned bz_admin_data_list(struct bz_admin_call *c) {
    if (in_reach(c) != 0)
        return 503;
    struct listing l = {.c = c};
    bz_jw_init(&l.w, c->out);
    bz_jw_obj(&l.w);
    bz_jw_key(&l.w, "conversations");
    bz_jw_arr(&l.w);
    enum bz_status st = bz_bodystore_keys(bz_keep_store(c->d->bodies), NULL, put_conversation, &l);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the conversations");
    bz_jw_end(&l.w);
    bz_jw_end(&l.w);
    return 200;
}

/* ---- export ---- */

static void put_body(struct bz_jw *w, const struct bz_body *b) {
    char id[BZ_REQUEST_ID_TEXT + 1];
    bz_request_id_text(b->id, id);
    bz_jw_obj(w);
    bz_jw_kstr(w, "request", bz_view_str(id));
    bz_jw_kstr(w, "part", bz_view_str(bz_body_part_name(b->part)));
    bz_jw_key(w, "time");
    bz_jw_time(w, b->time_ms * 1000000u);
    bz_jw_kstr(w, "level", bz_view_str(bz_level_name((enum bz_level)b->level)));
    bz_jw_kstr(w, "user", b->user);
    bz_jw_kstr(w, "conversation", b->conversation);
    bz_jw_kstr(w, "key", b->key_id);
    bz_jw_kstr(w, "model", b->model);
    bz_jw_kstr(w, "type", b->type);
    bz_jw_kbool(w, "cut", b->cut);
    if (bz_utf8_valid(b->body) == b->body.n) {
        bz_jw_kstr(w, "body", b->body);
    } else {
        struct bz_buf text;
        bz_buf_init(&text, 2 * BZ_STORED_BODY_MAX);
        bz_buf_put_b64(&text, b->body);
        bz_jw_kstr(w, "body_base64", bz_buf_view(&text));
        bz_buf_wipe_free(&text);
    }
    bz_jw_end(w);
}

struct page {
    struct bz_jw w;
    struct bz_buf *out;
    struct bz_keep_cursor at;
};

static enum bz_status put_page(void *ctx, const struct bz_body *b,
                               const struct bz_keep_cursor *at) {
    struct page *p = ctx;
    if (p->out->n > PAGE_BYTES)
        return BZ_MORE;
    put_body(&p->w, b);
    p->at = *at;
    return bz_buf_status(p->out);
}

/* "12.345" as it was given out; absent: from the beginning. */
static bool take_cursor(struct bz_admin_call *c, struct bz_keep_cursor *ret) {
    bool ok = true;
    const char *text = bz_admin_text(c, BZ_V("after"), &ok);
    uint64_t a = 0, b = 0;
    *ret = (struct bz_keep_cursor){0, 0};
    if (!ok || text == NULL)
        return ok;
    size_t dot = strcspn(text, ".");
    if (text[dot] == '\0' || bz_view_u64(bz_view(text, dot), &a) != BZ_OK ||
        bz_view_u64(bz_view_str(text + dot + 1), &b) != BZ_OK || a > INT64_MAX || b > INT64_MAX)
        return false;
    *ret = (struct bz_keep_cursor){(int64_t)a, (int64_t)b};
    return true;
}

static unsigned export_page(struct bz_admin_call *c, const struct who *who,
                            struct bz_keep_cursor from) {
    struct page p = {.out = c->out};
    uint64_t damaged = 0;
    char next[48];
    bz_jw_init(&p.w, c->out);
    bz_jw_obj(&p.w);
    bz_jw_key(&p.w, "bodies");
    bz_jw_arr(&p.w);
    enum bz_status st =
        bz_keep_export(c->d->bodies, who->user, who->conversation, from, put_page, &p, &damaged);
    if (st != BZ_OK && st != BZ_MORE)
        return bz_admin_failed(c, st, "the bodies");
    bz_jw_end(&p.w);
    (void)snprintf(next, sizeof next, "%" PRId64 ".%" PRId64, p.at.conversation, p.at.row);
    if (st == BZ_MORE)
        bz_jw_kstr(&p.w, "next", bz_view_str(next));
    bz_jw_ku64(&p.w, "damaged", damaged);
    bz_jw_end(&p.w);
    return 200;
}

/* Every page has its record: an export cannot begin in the middle without one. */
unsigned bz_admin_data_export(struct bz_admin_call *c) {
    static const char *const known[] = {"user", "conversation", "after"};
    struct who who;
    struct bz_keep_cursor from;
    char mem[DETAIL_MAX];
    bool recorded = false, more = true;
    unsigned status = in_reach(c) != 0 ? 503 : bz_admin_only(c, known, 3);
    if (status == 0)
        status = take_who(c, &who);
    if (status != 0)
        return status;
    if (!take_cursor(c, &from))
        return bad(c, "after", "is not what a page gave as 'next'");
    enum bz_status st = BZ_OK;
    while (st == BZ_OK && more) /* what waits belongs to it */
        st = bz_keep_take(c->d->bodies, now_ms(), &more);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the spool");
    if (!bz_admin_record(c, "data.export", detail(mem, "", &who), BZ_ADMIN_RECORD_FIRST, &recorded,
                         &status))
        return status;
    return export_page(c, &who, from);
}

/* ---- erase ---- */

static unsigned answer_erased(struct bz_admin_call *c, const struct who *who, bool dry,
                              const struct bz_keep_erased *e, bool recorded) {
    struct bz_jw w;
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "user", bz_view_str(who->user));
    if (who->conversation != NULL)
        bz_jw_kstr(&w, "conversation", bz_view_str(who->conversation));
    bz_jw_ku64(&w, "keys", e->keys);
    bz_jw_ku64(&w, "bodies", e->bodies);
    bz_jw_kbool(&w, "erased", !dry);
    if (!dry)
        bz_jw_kbool(&w, "recorded", recorded);
    bz_jw_end(&w);
    return 200;
}

static unsigned held(struct bz_admin_call *c) {
    return bz_admin_refuse(c, 409, "held",
                           "a legal hold covers some of it; 'bartizan data hold list' shows which");
}

/* Erasing takes evidence away: it happens only when its record is durable. */
unsigned bz_admin_data_erase(struct bz_admin_call *c) {
    static const char *const known[] = {"user", "conversation", "dry_run"};
    struct bz_keep_erased e = {0, 0};
    struct who who;
    char mem[DETAIL_MAX];
    bool recorded = false;
    unsigned status = in_reach(c) != 0 ? 503 : bz_admin_only(c, known, 3);
    if (status == 0)
        status = take_who(c, &who);
    if (status != 0)
        return status;
    const struct bz_json *m = bz_json_get(c->body, BZ_V("dry_run"));
    if (m != NULL && !bz_json_is(m, BZ_JSON_TRUE) && !bz_json_is(m, BZ_JSON_FALSE))
        return bad(c, "dry_run", "must be true or false");
    bool dry = bz_json_is(m, BZ_JSON_TRUE);
    enum bz_status st = bz_keep_erase(c->d->bodies, who.user, who.conversation, true, now_ms(), &e);
    if (st == BZ_EDENIED)
        return held(c);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the erasure");
    if (dry)
        return answer_erased(c, &who, true, &e, false);
    if (!bz_admin_record(c, "data.erase", detail(mem, "", &who), BZ_ADMIN_RECORD_FIRST, &recorded,
                         &status))
        return status;
    st = bz_keep_erase(c->d->bodies, who.user, who.conversation, false, now_ms(), &e);
    if (st == BZ_OK)
        return answer_erased(c, &who, false, &e, recorded);
    (void)!bz_journal_admin(c->d, c->r->actor, "data.erase", detail(mem, "not finished: ", &who),
                            "refuse");
    return bz_admin_failed(c, st, "the erasure is not finished and goes on by itself");
}

/* ---- erasures of other copies ---- */

unsigned bz_admin_erased(struct bz_admin_call *c) {
    if (in_reach(c) != 0)
        return 503;
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, ERASED_MAX);
    enum bz_status st = bz_keep_erased_lines(c->d->bodies, &b);
    if (st == BZ_OK) {
        bz_jw_init(&w, c->out);
        bz_jw_obj(&w);
        bz_jw_kstr(&w, "lines", bz_buf_view(&b));
        bz_jw_end(&w);
    }
    bz_buf_free(&b);
    return st == BZ_OK ? 200 : bz_admin_failed(c, st, "the list of erasures");
}

unsigned bz_admin_erased_apply(struct bz_admin_call *c) {
    static const char *const known[] = {"lines"};
    bool ok = true, recorded = false;
    uint64_t n = 0;
    struct bz_jw w;
    unsigned status = in_reach(c) != 0 ? 503 : bz_admin_only(c, known, 1);
    const char *lines = status == 0 ? bz_admin_text(c, BZ_V("lines"), &ok) : NULL;
    if (status != 0)
        return status;
    if (!ok || lines == NULL)
        return bad(c, "lines", "is missing or no text");
    if (!bz_admin_record(c, "data.erase", BZ_V("erasures of another copy are done here too"),
                         BZ_ADMIN_RECORD_FIRST, &recorded, &status))
        return status;
    enum bz_status st = bz_keep_erased_apply(c->d->bodies, bz_view_str(lines), &n);
    if (st == BZ_EDENIED)
        return bad(c, "lines", "hold a line that is not of this instance, or was edited");
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the erasures");
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "new", n);
    bz_jw_kbool(&w, "recorded", recorded);
    bz_jw_end(&w);
    return 200;
}

/* ---- holds ---- */

static enum bz_status put_hold(void *ctx, const struct bz_body_hold *h) {
    struct bz_jw *w = ctx;
    bz_jw_obj(w);
    bz_jw_kstr(w, "name", bz_view_str(h->name));
    bz_jw_kstr(w, "user", bz_view_str(h->user));
    if (h->conversation != NULL)
        bz_jw_kstr(w, "conversation", bz_view_str(h->conversation));
    bz_jw_kstr(w, "reason", bz_view_str(h->reason));
    bz_jw_kstr(w, "by", bz_view_str(h->by));
    bz_jw_ku64(w, "created", h->created);
    bz_jw_end(w);
    return BZ_OK;
}

unsigned bz_admin_holds(struct bz_admin_call *c) {
    if (in_reach(c) != 0)
        return 503;
    struct bz_jw w;
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_key(&w, "holds");
    bz_jw_arr(&w);
    enum bz_status st = bz_bodystore_holds(bz_keep_store(c->d->bodies), put_hold, &w);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the holds");
    bz_jw_end(&w);
    bz_jw_end(&w);
    return 200;
}

static unsigned answer_hold(struct bz_admin_call *c, unsigned status, const char *name,
                            bool recorded) {
    struct bz_jw w;
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "name", bz_view_str(name));
    bz_jw_kbool(&w, "recorded", recorded);
    bz_jw_end(&w);
    return status;
}

/* A hold protects: it stands also when the log cannot be written. Its release needs a record. */
unsigned bz_admin_hold_add(struct bz_admin_call *c) {
    static const char *const known[] = {"name", "user", "conversation", "reason"};
    struct who who;
    char mem[DETAIL_MAX], by[64];
    bool ok = true, recorded = false;
    unsigned ignored = 0, status = in_reach(c) != 0 ? 503 : bz_admin_only(c, known, 4);
    if (status == 0)
        status = take_who(c, &who);
    if (status != 0)
        return status;
    const char *name = bz_admin_text(c, BZ_V("name"), &ok),
               *reason = bz_admin_text(c, BZ_V("reason"), &ok);
    if (!ok || name == NULL || !bz_user_name_valid(bz_view_str(name)))
        return bad(c, "name", "is missing or no name: letters, digits, '.', '_', '@', '-'");
    reason = reason == NULL ? "" : reason;
    if (strlen(reason) > REASON_MAX)
        return bad(c, "reason", "is longer than 200 bytes");
    (void)snprintf(by, sizeof by, "%.*s", (int)c->r->actor.n, (const char *)c->r->actor.p);
    const struct bz_body_hold h = {name, who.user, who.conversation, reason, by, c->now};
    enum bz_status st = bz_bodystore_hold_add(bz_keep_store(c->d->bodies), &h);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the hold");
    (void)bz_admin_record(c, "data.hold", detail(mem, "added, ", &who), BZ_ADMIN_ACT_ANYWAY,
                          &recorded, &ignored);
    return answer_hold(c, 201, name, recorded);
}

unsigned bz_admin_hold_release(struct bz_admin_call *c) {
    if (in_reach(c) != 0)
        return 503;
    char mem[DETAIL_MAX];
    bool recorded = false;
    unsigned status = 0;
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_puts(&b, "released, hold ");
    bz_put_safe(&b, bz_view_str(c->id));
    if (!bz_admin_record(c, "data.hold", bz_buf_view(&b), BZ_ADMIN_RECORD_FIRST, &recorded,
                         &status))
        return status;
    enum bz_status st = bz_bodystore_hold_remove(bz_keep_store(c->d->bodies), c->id);
    return st == BZ_OK ? answer_hold(c, 200, c->id, recorded) : bz_admin_failed(c, st, "the hold");
}

/* ---- retention ---- */

unsigned bz_admin_data_retention(struct bz_admin_call *c) {
    if (in_reach(c) != 0)
        return 503;
    uint64_t total = 0;
    struct bz_jw w;
    enum bz_status st = bz_bodies_expire_all(c->d, &total);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "retention");
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "removed", total);
    st = put_levels(c, &w);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the stored bodies");
    bz_jw_end(&w);
    return 200;
}
