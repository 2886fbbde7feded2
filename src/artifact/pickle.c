/* Pickles as a format: how they are told from other bytes, several in a row, and what follows. */
#include "pickle_int.h"

enum {
    TRY_OPS = 256, /* read to see whether bytes are a pickle */
    HUNT_MAX = BZ_PICKLE_HUNT_MAX,
    HUNT_OPS = 1 << 16, /* of one candidate */
    SURE_OPS = 3,       /* that a broken pickle with a PROTO must have to be one */
    NAME_LINE = 64,
    TASTE_STEPS = 20000, /* what it costs to read at another place */
    JUDGE_STEPS = 4000,  /* what it costs to look up a name */
};

static bool has_proto(struct bz_view v) {
    return v.n > 2 && v.p[0] == 0x80 && v.p[1] <= 5;
}

/* First opcodes of pickles without PROTO: anything that pushes. */
static bool may_begin(uint8_t c) {
    return c != 0 && strchr("(]})cIJKLMNSTUVXFGBCi", c) != NULL;
}

/* Reads without recording; at most `ops` opcodes. */
static void taste(struct bz_pk *m, uint64_t off, uint64_t ops, bool strict) {
    m->strict = strict;
    m->quiet = true;
    m->recorded = m->called = m->exact = 0;
    m->ops_max = m->ops + ops;
    bz_pk_run(m, off);
    m->strict = m->quiet = false;
    m->ops_max = UINT64_MAX;
}

/* Broken for every reader, and harmful if one reads on all the same. */
static bool harms(struct bz_pk *m) {
    taste(m, 0, TRY_OPS, false);
    return m->recorded > 0;
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    struct bz_pk m;
    struct bz_object head = *o;
    struct bz_view mem = o->head;
    const bool proto = has_proto(mem);
    if (mem.n < 2 || !bz_pk_opcode(mem.p[0]) || (!proto && !may_begin(mem.p[0])) ||
        (proto && !bz_pk_opcode(mem.p[2])))
        return BZ_PROBE_NO;
    bz_source_mem(&head.src, &mem);
    enum bz_probe p = BZ_PROBE_NO;
    if (bz_pk_init(&m, s, &head) == BZ_OK) {
        taste(&m, 0, TRY_OPS, true);
        const bool cut = m.how == BZ_PK_ENDED && mem.n == BZ_PROBE_HEAD;
        const bool good = m.how == BZ_PK_STOPPED || m.how == BZ_PK_PAUSED || cut || m.recorded > 0;
        if (good)
            p = proto ? BZ_PROBE_YES : BZ_PROBE_MAYBE;
        else if (proto && m.ops >= (m.how == BZ_PK_ENDED ? 2 : SURE_OPS + 1))
            p = BZ_PROBE_MAYBE;
        else if (proto && harms(&m))
            p = BZ_PROBE_YES;
    }
    bz_pk_done(&m);
    return p;
}

/* ---- what follows --------------------------------------------------------------------------- */

static bool plain_line(struct bz_view v, size_t *at) {
    size_t from = *at;
    for (; *at < v.n && *at - from < NAME_LINE; (*at)++) {
        uint8_t c = v.p[*at];
        if (c == '\n')
            return (*at)++ > from;
        if (c != '.' && c != '_' && !(c >= '0' && c <= '9') &&
            !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
            return false;
    }
    return false;
}

/* "c" or "i", two lines of names, and the name is a harmful one. */
static bool names_harm(struct bz_view v, uint64_t *cost) {
    size_t mid = 1, end;
    if (!plain_line(v, &mid))
        return false;
    end = mid;
    if (!plain_line(v, &end))
        return false;
    *cost += JUDGE_STEPS;
    return bz_pk_judge(bz_view_sub(v, 1, mid - 2), bz_view_sub(v, mid, end - mid - 1)).status ==
           BZ_PK_DENIED;
}

static bool candidate(struct bz_view v, uint64_t *cost) {
    if (v.n < 4)
        return false;
    if (v.p[0] == 'c' || v.p[0] == 'i')
        return names_harm(v, cost);
    return v.p[0] == 0x80 && v.p[1] >= 2 && v.p[1] <= 5 && bz_pk_opcode(v.p[2]);
}

/* Where the next candidate begins, from v.p[i] on. */
static size_t next_candidate(struct bz_view v, size_t i, uint64_t *cost) {
    for (; i < v.n; i++) {
        uint8_t c = v.p[i];
        if ((c == 0x80 || c == 'c' || c == 'i') && candidate(bz_view_sub(v, i, v.n), cost))
            return i;
    }
    return v.n;
}

/* Harmful pickles in bytes that are none at their beginning: no loader gets there by itself, but a
 * program may seek. */
static enum bz_status hunt(struct bz_pk *m, uint64_t from) {
    struct bz_window w;
    const uint64_t end = m->o->src.size - from > HUNT_MAX ? from + HUNT_MAX : m->o->src.size;
    BZ_TRY(bz_window_init(&w, m->s, &m->o->src, from));
    while (bz_window_off(&w) < end) {
        struct bz_view v = bz_window_peek(&w, 4 * NAME_LINE);
        if (v.n == 0)
            break;
        size_t keep = v.n > 2 * NAME_LINE && w.st == BZ_OK ? 2 * NAME_LINE + 2 : 0;
        uint64_t cost = 1;
        size_t i = next_candidate(v, 0, &cost);
        if (!bz_scan_steps(m->s, m->o, cost))
            return BZ_OK;
        if (i >= v.n - keep) {
            bz_window_skip(&w, v.n - keep > 0 ? v.n - keep : v.n);
            continue;
        }
        uint64_t at = bz_window_off(&w) + i;
        if (!bz_scan_steps(m->s, m->o, TASTE_STEPS))
            return BZ_OK;
        taste(m, at, HUNT_OPS, true);
        if (m->how == BZ_PK_FAILED)
            return m->st;
        if (m->how == BZ_PK_LIMITED)
            return BZ_OK;
        if (m->called > 0) {
            m->strict = true;
            bz_pk_run(m, at);
            m->strict = false;
            if (m->how == BZ_PK_FAILED)
                return m->st;
        }
        bz_window_skip(&w, i + 1);
    }
    return w.st == BZ_OK || w.st == BZ_ETRAILING ? BZ_OK : w.st;
}

static enum bz_status trailing(struct bz_pk *m, uint64_t off) {
    uint8_t sig[8] = {0};
    struct bz_view v = bz_view(sig, sizeof sig);
    size_t n = 0;
    BZ_TRY(m->o->src.pread(m->o->src.ctx, off, sig, sizeof sig, &n));
    v = bz_view_sub(v, 0, n);
    const bool code = bz_view_starts(v, BZ_V("\177ELF")) || bz_view_starts(v, BZ_V("MZ")) ||
                      bz_view_starts(v, BZ_V("PK\3\4")) || bz_view_starts(v, BZ_V("#!")) ||
                      bz_view_starts(v, BZ_V("7z\xbc\xaf")) || bz_view_starts(v, BZ_V("GGUF"));
    if (!bz_pk_found(m, code ? PKL_TRAILING_CODE : PKL_TRAILING, off, v))
        return m->st;
    return hunt(m, off);
}

/* Whether the bytes at `off` are one more pickle. */
static bool one_more(struct bz_pk *m, uint64_t off, bool doubtful) {
    bz_pk_seek(m, off);
    if (!bz_pk_see(m, 3) && m->end - m->p < 2)
        return false;
    const struct bz_view v = bz_view(m->p, (size_t)(m->end - m->p));
    const bool proto = has_proto(v) && bz_pk_opcode(v.p[2]);
    if (!proto && (doubtful || !may_begin(v.p[0])))
        return false;
    taste(m, off, proto ? TRY_OPS : HUNT_OPS, true);
    if (proto)
        return m->how == BZ_PK_STOPPED || m->how == BZ_PK_PAUSED || m->recorded > 0;
    return m->how == BZ_PK_STOPPED || m->recorded > 0;
}

/* ---- the pickles of a file ------------------------------------------------------------------ */

static enum bz_status all_pickles(struct bz_pk *m) {
    uint64_t off = 0;
    const uint64_t size = m->o->src.size;
    m->torch = m->digits = bz_pk_torch_begins(m->o->head);
    for (unsigned n = 1;; n++) {
        m->collect = m->torch && n == 5;
        bz_pk_run(m, off);
        m->collect = false;
        off = bz_pk_at(m);
        switch (m->how) {
        case BZ_PK_STOPPED:
            break;
        case BZ_PK_ENDED:
            return bz_pk_found(m, PKL_MALFORMED, size, BZ_V("ends without STOP")) ? BZ_OK : m->st;
        case BZ_PK_BROKEN:
            if (!m->broken && !bz_pk_found(m, PKL_MALFORMED, off - 1, BZ_V("no such opcode")))
                return m->st;
            return hunt(m, off);
        case BZ_PK_LOST:
            return hunt(m, off);
        case BZ_PK_FAILED:
            return m->st;
        case BZ_PK_RUNNING:
        case BZ_PK_LIMITED:
        case BZ_PK_PAUSED:
            return BZ_OK;
        }
        if (m->torch && n == 5)
            BZ_TRY(bz_pk_torch_storages(m, off, &off));
        if (off >= size)
            return BZ_OK;
        if (!one_more(m, off, false))
            return m->how == BZ_PK_FAILED ? m->st : trailing(m, off);
        m->recorded = 0;
    }
}

/* The probe was not sure: what is read to its end, or does harm before, is a pickle. */
static bool is_pickle(struct bz_pk *m) {
    const bool proto = has_proto(m->o->head);
    taste(m, 0, UINT64_MAX - m->ops, true);
    if (m->called > 0 || m->exact > 0 || (m->recorded > 0 && (proto || m->how != BZ_PK_BROKEN)))
        return true; /* "csh", "bash": a list of words is no import */
    if (proto)
        return m->how == BZ_PK_STOPPED || m->ops >= (m->how == BZ_PK_ENDED ? 2 : SURE_OPS + 1);
    return m->how == BZ_PK_STOPPED &&
           (bz_pk_at(m) == m->o->src.size || one_more(m, bz_pk_at(m), true));
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct bz_pk m;
    enum bz_status st = bz_pk_init(&m, s, o);
    if (st == BZ_OK && !o->sure && !is_pickle(&m))
        st = m.how == BZ_PK_FAILED ? m.st : BZ_ENOTFOUND;
    if (st == BZ_OK) {
        if (bz_pk_torch_begins(o->head))
            bz_scan_name(s, o, "torch (before 1.6)");
        st = all_pickles(&m);
    }
    if (st == BZ_OK && (!bz_pk_judge_end(&m) || (m.inner != NULL && !bz_pk_judge_end(m.inner))))
        st = m.st;
    bz_pk_done(&m);
    return st;
}

const struct bz_format bz_format_pickle = {
    .name = "pickle", .what = "Python objects", .probe = probe, .scan = scan, .rules = bz_pk_rules};
