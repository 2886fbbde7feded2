/* Calls about approvals: bodies that an administrator lets through although a rule says approve. */
#include <bartizan/text.h>

#include "admin.h"

enum { DETAIL_MAX = 512, NOTE_MAX = 200, LIFE_S = 86400, LIFE_MAX_S = 30 * 86400 };

static unsigned bad(struct bz_admin_call *c, const char *member, const char *why) {
    return bz_admin_refuse(c, 400, "invalid", "'%s' %s", member, why);
}

static void put_id(struct bz_jw *w, const uint8_t id[BZ_APPROVAL_LEN]) {
    char mem[2 * BZ_APPROVAL_LEN];
    struct bz_buf b;
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put_hex(&b, bz_view(id, BZ_APPROVAL_LEN));
    bz_jw_kstr(w, "id", bz_buf_view(&b));
}

static bool id_of(struct bz_view text, uint8_t ret[BZ_APPROVAL_LEN]) {
    size_t n = 0;
    return bz_hex_decode(text, ret, BZ_APPROVAL_LEN, &n) == BZ_OK && n == BZ_APPROVAL_LEN;
}

unsigned bz_admin_approvals(struct bz_admin_call *c) {
    const struct bz_approval_record *v = NULL;
    size_t n = 0;
    struct bz_jw w;
    enum bz_status st = bz_identity_approvals(c->d->book, c->now, &v, &n);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the approvals");
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_key(&w, "approvals");
    bz_jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        bz_jw_obj(&w);
        put_id(&w, v[i].what.id);
        bz_jw_kstr(&w, "by", bz_view_str(v[i].by));
        bz_jw_kstr(&w, "note", bz_view_str(v[i].note));
        bz_jw_ku64(&w, "created", v[i].created);
        bz_jw_ku64(&w, "expires", v[i].what.expires);
        bz_jw_end(&w);
    }
    bz_jw_end(&w);
    bz_jw_end(&w);
    return 200;
}

static unsigned answer(struct bz_admin_call *c, unsigned status, const uint8_t id[BZ_APPROVAL_LEN],
                       uint64_t expires, bool recorded) {
    struct bz_jw w;
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    put_id(&w, id);
    if (expires > 0)
        bz_jw_ku64(&w, "expires", expires);
    bz_jw_ku64(&w, "generation", c->d->generation);
    bz_jw_kbool(&w, "recorded", recorded);
    bz_jw_end(&w);
    return status;
}

/* "approval 0011...: the note" */
static struct bz_view detail(char mem[DETAIL_MAX], const uint8_t id[BZ_APPROVAL_LEN],
                             const char *note) {
    struct bz_buf out;
    bz_buf_init_fixed(&out, mem, DETAIL_MAX);
    bz_buf_puts(&out, "approval ");
    bz_buf_put_hex(&out, bz_view(id, BZ_APPROVAL_LEN));
    if (note != NULL && note[0] != '\0') {
        bz_buf_puts(&out, ": ");
        bz_put_safe(&out, bz_view_str(note));
    }
    return bz_buf_view(&out);
}

/* 0, or the status of a refusal. */
static unsigned take(struct bz_admin_call *c, struct bz_approval_record *a) {
    static const char *const known[] = {"id", "expires", "note"};
    bool ok = true;
    int64_t expires = (int64_t)c->now + LIFE_S;
    const struct bz_json *e = bz_json_get(c->body, BZ_V("expires"));
    unsigned status = bz_admin_only(c, known, 3);
    if (status != 0)
        return status;
    const char *id = bz_admin_text(c, BZ_V("id"), &ok), *note = bz_admin_text(c, BZ_V("note"), &ok);
    if (!ok || id == NULL || !id_of(bz_view_str(id), a->what.id))
        return bad(c, "id", "must be the 32 hex digits that the refusal named");
    if (note != NULL && strlen(note) > NOTE_MAX)
        return bad(c, "note", "is longer than 200 bytes");
    if (e != NULL && (bz_json_i64(e, &expires) != BZ_OK || expires <= (int64_t)c->now ||
                      expires - (int64_t)c->now > LIFE_MAX_S))
        return bad(c, "expires", "must be unix seconds in the future, at most 30 days ahead");
    struct bz_view by = bz_arena_dup(c->arena, c->r->actor);
    if (by.p == NULL)
        return bz_admin_failed(c, BZ_ENOMEM, "the approval");
    a->by = (const char *)by.p;
    a->note = note == NULL ? "" : note;
    a->what.expires = (uint64_t)expires;
    return 0;
}

unsigned bz_admin_approval_add(struct bz_admin_call *c) {
    struct bz_approval_record a = {.created = c->now};
    char mem[DETAIL_MAX];
    bool recorded = false;
    unsigned status = take(c, &a);
    if (status != 0)
        return status;
    struct bz_view what = detail(mem, a.what.id, a.note);
    if (!bz_admin_record(c, "approval.add", what, BZ_ADMIN_RECORD_FIRST, &recorded, &status))
        return status;
    enum bz_status st = bz_identity_approve(c->d->book, &a, c->now);
    if (st != BZ_OK) {
        (void)!bz_journal_admin(c->d, c->r->actor, "approval.add",
                                detail(mem, a.what.id, "failed, not approved"), "refuse");
        return bz_admin_failed(c, st, "the approval");
    }
    status = bz_admin_publish(c);
    return status != 0 ? status : answer(c, 201, a.what.id, a.what.expires, recorded);
}

unsigned bz_admin_approval_revoke(struct bz_admin_call *c) {
    uint8_t id[BZ_APPROVAL_LEN];
    char mem[DETAIL_MAX];
    bool recorded = false;
    unsigned ignored = 0;
    if (!id_of(bz_view_str(c->id), id))
        return bad(c, "id", "must be 32 hex digits");
    enum bz_status st = bz_identity_approval_revoke(c->d->book, id);
    if (st != BZ_OK)
        return bz_admin_failed(c, st, "the approval");
    unsigned status = bz_admin_publish(c);
    (void)bz_admin_record(c, "approval.revoke", detail(mem, id, NULL), BZ_ADMIN_ACT_ANYWAY,
                          &recorded, &ignored);
    return status != 0 ? status : answer(c, 200, id, 0, recorded);
}
