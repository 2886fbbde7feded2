/* What a cage's proxy tells before it connects to the outside, and at the end: a record in the audit log
 * like that of any request. Texts come from the model server through the proxy: hostile. */
#include <bartizan/text.h>

#include "admin.h"

enum { DETAIL_MAX = 700, TEXT_MAX = 300 };

static const char *const known[] = {"time",    "event",     "cage",    "phase", "decision",
                                    "reason",  "method",    "host",    "port",  "server_name",
                                    "address", "bytes_out", "bytes_in"};

static struct bz_view text_of(const struct bz_admin_call *c, const char *name) {
    struct bz_view v = bz_json_str(bz_json_get(c->body, bz_view_str(name)));
    return bz_view_sub(v, 0, TEXT_MAX);
}

static uint64_t number_of(const struct bz_admin_call *c, const char *name) {
    uint64_t n = 0;
    const struct bz_json *v = bz_json_get(c->body, bz_view_str(name));
    return bz_json_is(v, BZ_JSON_NUMBER) && bz_view_u64(v->val, &n) == BZ_OK ? n : 0;
}

/* "example.org:443 (TLS for example.org): no rule names this host" */
static struct bz_view detail(const struct bz_admin_call *c, char mem[DETAIL_MAX]) {
    struct bz_buf b;
    struct bz_view host = text_of(c, "host"), sni = text_of(c, "server_name"),
                   reason = text_of(c, "reason");
    bz_buf_init_fixed(&b, mem, DETAIL_MAX);
    if (host.n > 0) {
        bz_put_safe(&b, host);
        bz_buf_printf(&b, ":%llu", (unsigned long long)number_of(c, "port"));
    }
    if (sni.n > 0) {
        bz_buf_puts(&b, " (TLS for ");
        bz_put_safe(&b, sni);
        bz_buf_puts(&b, ")");
    }
    if (reason.n > 0) {
        bz_buf_puts(&b, b.n > 0 ? ": " : "");
        bz_put_safe(&b, reason);
    }
    return bz_view(mem, b.n);
}

unsigned bz_admin_egress(struct bz_admin_call *c) {
    char mem[DETAIL_MAX];
    struct bz_jw w;
    unsigned bad = bz_admin_only(c, known, sizeof known / sizeof known[0]);
    if (bad != 0)
        return bad;
    struct bz_view cage = text_of(c, "cage"), decision = text_of(c, "decision");
    bool allowed = bz_view_eq(decision, BZ_V("allow"));
    if (c->body == NULL || cage.n == 0 || (!allowed && !bz_view_eq(decision, BZ_V("deny"))))
        return bz_admin_refuse(c, 400, "invalid",
                               "'cage' and 'decision' (allow or deny) are needed");
    bool ended = bz_view_eq(text_of(c, "phase"), BZ_V("end"));
    struct bz_record r = {.kind = BZ_RECORD_EGRESS,
                          .principal = cage,
                          .method = text_of(c, "method"),
                          .peer = text_of(c, "address"),
                          .decision = allowed ? BZ_V("allow") : BZ_V("refuse"),
                          .reason = !allowed ? BZ_V("egress_denied")
                                    : ended  ? BZ_V("egress_end")
                                             : BZ_V("egress_begin"),
                          .detail = detail(c, mem),
                          .request_bytes = number_of(c, "bytes_out"),
                          .reply_bytes = number_of(c, "bytes_in")};
    if (bz_journal_put(c->d, &r) != BZ_OK)
        return bz_admin_refuse(c, 503, "audit_unavailable", "the audit log cannot be written now");
    bz_jw_init(&w, c->out);
    bz_jw_obj(&w);
    bz_jw_kbool(&w, "recorded", true);
    bz_jw_end(&w);
    return 200;
}
