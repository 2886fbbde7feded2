/* What a worker sends, and how its parent reads it. */
#include <bartizan/rd.h>

#include "scan_worker.h"

enum { FORMAT_MAX = 64 };

static void put_text(struct bz_buf *b, struct bz_view v, size_t max) {
    v = bz_view_sub(v, 0, max);
    bz_buf_put_le16(b, (uint16_t)v.n);
    bz_buf_put(b, v);
}

static uint16_t rule_number(const struct bz_scan_run *r, const struct bz_rule *rule) {
    for (size_t i = 0; i < r->rules_n; i++) {
        if (r->rules[i] == rule)
            return (uint16_t)i;
    }
    return UINT16_MAX;
}

void bz_scan_record_put(struct bz_buf *b, const struct bz_scan_run *r,
                        const struct bz_scan_outcome *o, const struct bz_scan_result *res) {
    static const struct bz_scan_result none = {.format = "unknown"};
    size_t at = b->n;
    res = res == NULL ? &none : res;
    bz_buf_put_le32(b, 0); /* length, below */
    bz_buf_put_le32(b, (uint32_t)o->item);
    bz_buf_put_le32(b, (uint32_t)o->st);
    bz_buf_put_le32(b, (uint32_t)o->error);
    bz_buf_putc(b, (uint8_t)res->verdict);
    bz_buf_putc(b, res->severity);
    bz_buf_putc(b, o->hashed);
    bz_buf_put(b, bz_view(o->hash, sizeof o->hash));
    bz_buf_put_le64(b, o->size);
    bz_buf_put_le64(b, res->members);
    bz_buf_put_le64(b, res->bytes_out);
    bz_buf_put_le64(b, res->findings_more);
    put_text(b, bz_view_str(res->format), FORMAT_MAX);
    bz_buf_put_le32(b, (uint32_t)res->findings_n);
    for (size_t i = 0; i < res->findings_n; i++) {
        const struct bz_scan_finding *f = &res->findings[i];
        bz_buf_put_le16(b, rule_number(r, f->rule));
        bz_buf_put_le64(b, f->offset);
        put_text(b, f->place, BZ_SCAN_PLACE_MAX);
        put_text(b, f->evidence, UINT16_MAX);
    }
    if (bz_buf_status(b) != BZ_OK)
        return;
    uint32_t n = (uint32_t)(b->n - at - 4);
    for (size_t i = 0; i < 4; i++)
        b->p[at + i] = (uint8_t)(n >> (8 * i));
}

static struct bz_view get_text(struct bz_rd *r) {
    return bz_rd_take(r, bz_rd_le16(r));
}

enum bz_status bz_scan_record_get(struct bz_view v, const struct bz_scan_run *r,
                                  struct bz_arena *ar, struct bz_scan_outcome *ret) {
    struct bz_rd rd;
    struct bz_scan_outcome o = {.found_n = 0};
    bz_rd_init(&rd, v);
    o.item = bz_rd_le32(&rd);
    o.st = (enum bz_status)bz_rd_le32(&rd);
    o.error = (int)bz_rd_le32(&rd);
    uint8_t verdict = bz_rd_u8(&rd);
    o.severity = bz_rd_u8(&rd);
    o.hashed = bz_rd_u8(&rd) == 1;
    struct bz_view hash = bz_rd_take(&rd, sizeof o.hash);
    o.size = bz_rd_le64(&rd);
    o.members = bz_rd_le64(&rd);
    o.bytes_out = bz_rd_le64(&rd);
    o.more = bz_rd_le64(&rd);
    o.format = get_text(&rd);
    o.found_n = bz_rd_count(&rd, 14);
    if (!bz_rd_ok(&rd) || verdict >= BZ_SCAN_VERDICT_COUNT || (unsigned)o.st >= BZ_STATUS_COUNT ||
        o.item >= r->list->n || o.severity >= BZ_SEVERITY_COUNT)
        return BZ_ECORRUPT;
    o.verdict = (enum bz_scan_verdict)verdict;
    memcpy(o.hash, hash.p, sizeof o.hash);
    o.found = bz_arena_alloc(ar, (o.found_n + 1) * sizeof *o.found);
    if (o.found == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < o.found_n; i++) {
        struct bz_scan_found_wire *f = &o.found[i];
        uint16_t rule = bz_rd_le16(&rd);
        f->offset = bz_rd_le64(&rd);
        f->place = get_text(&rd);
        f->evidence = get_text(&rd);
        if (rule >= r->rules_n)
            return BZ_ECORRUPT;
        f->rule = r->rules[rule];
    }
    if (bz_rd_end(&rd) != BZ_OK)
        return BZ_ECORRUPT;
    *ret = o;
    return BZ_OK;
}
