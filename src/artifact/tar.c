/* tar: v7, ustar, pax, GNU. POSIX.1-2017 pax, GNU tar manual "Basic Tar Format". */
#include "archive.h"
#include "tar_sparse.h"

#include <bartizan/limits.h>
#include <stdlib.h>

enum { BLOCK = TAR_BLOCK, META_MAX = 1 << 20, NAMES_STEP = 256, TWINS_MAX = 65536 };

static const struct bz_rule rules[] = {
    {"TAR-BROKEN", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "no sound tar archive",
     "programs stop in the middle, after unpacking what comes before",
     "take the file from its origin again", ""},
    {"TAR-TWO-SIZES", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS, "a member with two sizes",
     "programs that believe the other one read members out of the data of this one",
     "take the file from its origin again", "CVE-2025-62518"},
    {"TAR-TRAILING", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "bytes after the end of the archive",
     "some programs go on reading there, others do not see it", "pack the archive again",
     "CWE-436"},
    {.id = NULL},
};
enum { R_BROKEN, R_TWO_SIZES, R_TRAILING };

struct tar {
    struct bz_scan *s;
    const struct bz_object *o;
    uint64_t at;
    uint8_t h[BLOCK];
    struct bz_view long_name, long_link, pax_path, pax_link; /* for the next member */
    uint64_t pax_size;
    bool has_pax_size;
    struct tar_sparse sparse; /* of the next member */
    struct bz_archive_name *names;
    size_t names_n, names_cap;
};

/* ---- numbers and text in a header ---------------------------------------------------------------- */

bool tar_number(const uint8_t *p, size_t n, uint64_t *ret) {
    uint64_t v = 0;
    if ((p[0] & 0x80) != 0) {
        v = p[0] & 0x3f;
        for (size_t i = 1; i < n; i++) {
            if (v >> 55 != 0)
                return false;
            v = v << 8 | p[i];
        }
        *ret = v;
        return (p[0] & 0x40) == 0;
    }
    size_t i = 0;
    while (i < n && p[i] == ' ')
        i++;
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
        v = v << 3 | (uint64_t)(p[i] - '0');
    *ret = v;
    return i == n || p[i] == ' ' || p[i] == 0;
}

static struct bz_view text(const uint8_t *p, size_t n) {
    const uint8_t *end = memchr(p, 0, n);
    return bz_view(p, end == NULL ? n : (size_t)(end - p));
}

/* The sum of all bytes with the checksum's own as blanks; old programs took bytes as signed. */
static bool sound(const uint8_t h[BLOCK]) {
    uint64_t want = 0;
    uint32_t plain = 0;
    int32_t sign = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        uint8_t c = i >= 148 && i < 156 ? ' ' : h[i];
        plain += c;
        sign += (int8_t)c;
    }
    return tar_number(h + 148, 8, &want) && (want == plain || (int64_t)want == sign) &&
           plain != 8 * ' ';
}

static bool is_zero(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0)
            return false;
    }
    return true;
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    return o->head.n >= BLOCK && sound(o->head.p) ? BZ_PROBE_YES : BZ_PROBE_NO;
}

static uint64_t padded(uint64_t n) {
    return (n + BLOCK - 1) / BLOCK * BLOCK;
}

/* Data behind a header; folders and links have none, whatever they say. */
static uint64_t data_size(const uint8_t h[BLOCK], uint64_t said, uint64_t left) {
    if (h[156] == '2' || h[156] == '5')
        return 0;
    return h[156] == '1' && said > left ? 0 : said;
}

bool bz_tar_holds(const struct bz_source *src, uint64_t at, uint64_t end) {
    uint8_t h[BLOCK];
    uint64_t data = 0, size = 0;
    for (size_t i = 0; i < BZ_SCAN_MEMBERS_MAX && data < at; i++) {
        if (bz_source_exact(src, data, h, BLOCK) != BZ_OK || !sound(h) ||
            !tar_number(h + 124, 12, &size) || h[156] == 'S')
            return false;
        data += BLOCK;
        size = data_size(h, size, src->size - data);
        if (size > src->size - data)
            return false;
        if (data == at)
            return (h[156] == '0' || h[156] == 0) && size == end - at;
        data += padded(size);
    }
    return false;
}

static enum bz_status found(struct tar *t, size_t rule, struct bz_view evidence) {
    return bz_scan_found(t->s, t->o, &rules[rule], t->at, evidence);
}

/* ---- what describes the next member ------------------------------------------------------------------ */

static enum bz_status read_meta(struct tar *t, uint64_t off, uint64_t size, struct bz_view *ret) {
    *ret = BZ_V("");
    if (size > META_MAX)
        return bz_scan_left_out(t->s, t->o, t->at, "a tar header of more than 1 MiB");
    uint8_t *p = bz_arena_alloc(bz_scan_arena(t->s), (size_t)size + 1);
    if (p == NULL)
        return BZ_ENOMEM;
    BZ_TRY(bz_source_exact(&t->o->src, off, p, (size_t)size));
    *ret = bz_view(p, (size_t)size);
    return BZ_OK;
}

static enum bz_status pax_record(struct tar *t, struct bz_view key, struct bz_view value) {
    if (bz_view_eq(key, BZ_V("path")))
        t->pax_path = value;
    else if (bz_view_eq(key, BZ_V("linkpath")))
        t->pax_link = value;
    else if (bz_view_starts(key, BZ_V("GNU.sparse.")))
        return tar_sparse_pax(&t->sparse, t->s, key, value);
    else if (bz_view_eq(key, BZ_V("size"))) {
        t->has_pax_size = true;
        if (bz_view_u64(value, &t->pax_size) != BZ_OK)
            return found(t, R_BROKEN, value);
    }
    return BZ_OK;
}

/* "LENGTH KEY=VALUE\n" each. */
static enum bz_status pax_records(struct tar *t, struct bz_view v) {
    while (v.n > 0 && v.p[0] != 0) {
        uint64_t len = 0;
        const uint8_t *blank = memchr(v.p, ' ', v.n < 20 ? v.n : 20);
        size_t digits = blank == NULL ? 0 : (size_t)(blank - v.p);
        if (digits == 0 || bz_view_u64(bz_view(v.p, digits), &len) != BZ_OK || len > v.n ||
            len < digits + 3 || v.p[len - 1] != '\n')
            return found(t, R_BROKEN, BZ_V("a pax record's length is wrong"));
        struct bz_view kv = bz_view_sub(v, digits + 1, (size_t)len - digits - 2);
        const uint8_t *eq = memchr(kv.p, '=', kv.n);
        if (eq == NULL)
            return found(t, R_BROKEN, BZ_V("a pax record without ="));
        size_t key = (size_t)(eq - kv.p);
        BZ_TRY(pax_record(t, bz_view_sub(kv, 0, key), bz_view_sub(kv, key + 1, kv.n)));
        v = bz_view_sub(v, (size_t)len, v.n);
    }
    return BZ_OK;
}

/* ---- members -------------------------------------------------------------------------------------------- */

static enum bz_status name_of(struct tar *t, struct bz_view *ret) {
    if (t->sparse.name.n > 0) {
        *ret = t->sparse.name;
        return BZ_OK;
    }
    if (t->pax_path.n > 0 || t->long_name.n > 0) {
        *ret = t->pax_path.n > 0 ? t->pax_path : t->long_name;
        return BZ_OK;
    }
    struct bz_view name = text(t->h, 100), prefix = text(t->h + 345, 155);
    bool ustar = memcmp(t->h + 257, "ustar\0", 6) == 0; /* GNU's own ends with a blank */
    if (!ustar)
        prefix.n = 0;
    uint8_t *p = bz_arena_alloc(bz_scan_arena(t->s), prefix.n + 1 + name.n);
    if (p == NULL)
        return BZ_ENOMEM;
    size_t n = 0;
    if (prefix.n > 0) {
        memcpy(p, prefix.p, prefix.n);
        p[prefix.n] = '/';
        n = prefix.n + 1;
    }
    memcpy(p + n, name.p, name.n);
    *ret = bz_view(p, n + name.n);
    return BZ_OK;
}

static enum bz_status remember(struct tar *t, struct bz_view name) {
    if (t->names_n == t->names_cap) {
        if (t->names_cap >= TWINS_MAX)
            return BZ_OK;
        size_t cap = t->names_cap == 0 ? NAMES_STEP : t->names_cap * 4;
        struct bz_archive_name *p = bz_arena_alloc(bz_scan_arena(t->s), cap * sizeof *p);
        if (p == NULL)
            return BZ_ENOMEM;
        if (t->names_n > 0)
            memcpy(p, t->names, t->names_n * sizeof *p);
        t->names = p;
        t->names_cap = cap;
    }
    t->names[t->names_n++] = (struct bz_archive_name){name, t->at};
    return BZ_OK;
}

/* A hard link's target is a name in the archive, a symbolic one's is seen from its folder. */
static enum bz_status link_member(struct tar *t, struct bz_view name) {
    struct bz_view target = t->pax_link.n > 0    ? t->pax_link
                            : t->long_link.n > 0 ? t->long_link
                                                 : text(t->h + 157, 100);
    return bz_archive_link(t->s, t->o, t->at, t->h[156] == '1' ? BZ_V("") : name, target);
}

/* As it was, and as it is packed where that would begin otherwise: not every program knows of maps. */
static enum bz_status sparse_member(struct tar *t, struct bz_view name,
                                    const struct bz_source *packed) {
    const struct bz_source *src = NULL;
    if (t->pax_path.n > 0)
        BZ_TRY(bz_archive_name(t->s, t->o, t->at, t->pax_path));
    BZ_TRY(tar_sparse_source(&t->sparse, t->s, packed, &src));
    if (src == NULL)
        BZ_TRY(found(t, R_BROKEN, bz_view_str(t->sparse.bad)));
    else if (bz_scan_bytes(t->s, t->o, src->size))
        BZ_TRY(bz_scan_member(t->s, t->o, name, src));
    if (src != NULL && !tar_sparse_moved(&t->sparse))
        return BZ_OK;
    return bz_scan_member(t->s, t->o, name, packed);
}

static enum bz_status member(struct tar *t, uint64_t data, uint64_t size) {
    struct bz_view name;
    BZ_TRY(name_of(t, &name));
    BZ_TRY(bz_archive_name(t->s, t->o, t->at, name));
    BZ_TRY(remember(t, name));
    switch (t->h[156]) {
    case '1':
    case '2':
        return link_member(t, name);
    case '3':
    case '4':
    case '6':
        return bz_archive_found(t->s, t->o, BZ_ARC_DEVICE, t->at, name);
    case '5':
        return BZ_OK;
    default:
        break;
    }
    const struct bz_source *part = bz_source_part(t->s, &t->o->src, data, size);
    if (part == NULL)
        return BZ_ENOMEM;
    return t->sparse.is ? sparse_member(t, name, part) : bz_scan_member(t->s, t->o, name, part);
}

/* The size that counts; two that differ are a finding, but where the header's field is too narrow. */
static enum bz_status size_of(struct tar *t, uint64_t *ret) {
    const uint64_t widest = 077777777777;
    uint64_t plain = 0;
    if (!tar_number(t->h + 124, 12, &plain))
        return found(t, R_BROKEN, BZ_V("a size that is no number"));
    *ret = t->has_pax_size ? t->pax_size : plain;
    if (t->has_pax_size && plain != t->pax_size && t->pax_size <= widest)
        return found(t, R_TWO_SIZES, BZ_V("pax size"));
    return BZ_OK;
}

/* One header and its data. */
static enum bz_status entry(struct tar *t, bool *ret_stop) {
    uint64_t size = 0, data = t->at + BLOCK;
    bool meta = t->h[156] == 'x' || t->h[156] == 'g' || t->h[156] == 'L' || t->h[156] == 'K';
    struct bz_view v;
    BZ_TRY(size_of(t, &size));
    *ret_stop = true;
    if (t->h[156] == 'S')
        BZ_TRY(tar_sparse_old(&t->sparse, t->s, &t->o->src, t->h, &data));
    size = data_size(t->h, size, t->o->src.size - data);
    if (size > t->o->src.size - data) {
        BZ_TRY(found(t, R_BROKEN, BZ_V("a member reaches beyond the file")));
        return meta ? BZ_OK : member(t, data, t->o->src.size - data);
    }
    *ret_stop = false;
    if (meta) {
        BZ_TRY(read_meta(t, data, size, &v));
        if (t->h[156] == 'L')
            t->long_name = text(v.p, v.n);
        else if (t->h[156] == 'K')
            t->long_link = text(v.p, v.n);
        else
            BZ_TRY(pax_records(t, v));
    } else {
        BZ_TRY(member(t, data, size));
        t->long_name = t->long_link = t->pax_path = t->pax_link = BZ_V("");
        t->has_pax_size = false;
        t->sparse = (struct tar_sparse){.is = false};
    }
    t->at = data + padded(size);
    return BZ_OK;
}

/* Zeros to the end; anything else there is an object of its own. */
static enum bz_status after_end(struct tar *t) {
    struct bz_window w;
    BZ_TRY(bz_window_init(&w, t->s, &t->o->src, t->at));
    for (;;) {
        struct bz_view v = bz_window_peek(&w, BLOCK);
        if (v.n == 0)
            return w.st == BZ_ETRAILING ? BZ_OK : w.st;
        size_t zeros = 0;
        while (zeros < v.n && v.p[zeros] == 0)
            zeros++;
        bz_window_skip(&w, zeros);
        if (zeros < v.n)
            break;
    }
    t->at = bz_window_off(&w);
    BZ_TRY(found(t, R_TRAILING, bz_view_sub(bz_window_peek(&w, 16), 0, 16)));
    const struct bz_source *rest = bz_source_part(t->s, &t->o->src, t->at, t->o->src.size - t->at);
    return rest == NULL ? BZ_ENOMEM : bz_scan_member(t->s, t->o, BZ_V("bytes after"), rest);
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct tar t = {.s = s, .o = o};
    bool stop = false;
    while (!stop && t.at < o->src.size) {
        if (o->src.size - t.at < BLOCK) {
            BZ_TRY(found(&t, R_BROKEN, BZ_V("it ends in the middle of a header")));
            break;
        }
        BZ_TRY(bz_source_exact(&o->src, t.at, t.h, BLOCK));
        if (is_zero(t.h, BLOCK)) {
            BZ_TRY(after_end(&t));
            break;
        }
        if (!sound(t.h)) {
            BZ_TRY(found(&t, R_BROKEN, BZ_V("a header's checksum is wrong")));
            break;
        }
        if (!bz_scan_steps(s, o, 1))
            break;
        BZ_TRY(entry(&t, &stop));
    }
    return bz_archive_twins(s, o, t.names, t.names_n, false);
}

const struct bz_format bz_format_tar = {
    .name = "tar", .what = "tar archive", .probe = probe, .scan = scan, .rules = rules};
