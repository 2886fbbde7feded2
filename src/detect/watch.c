/* A channel of a stream: the same findings as in the whole text, however it is cut.
 *
 *   |-- KEEP bytes or more of context --|-- undecided --|
 *   win[0]                              win[from]       win[n]
 *
 * Each piece is folded into the window, the window is scanned, and what begins before the place that
 * the detectors call live is told and settled. Most pieces of prose take a short cut: nothing waits,
 * and nothing in the piece can begin a match or end one (detector.h, the rule of quiet). */
#include "engine.h"

#include "normalise.h"

enum {
    KEEP = 576,        /* >= BZ_DETECT_CONTEXT and PATTERN_WIDTH_MAX and a word's edge */
    TRIM = KEEP + 296, /* window above this is cut down to KEEP: 1 KiB for a channel of prose */
    SLICE = 2048,      /* bytes of normal form that are decided at once */
    OPENING = 64,      /* how far back a match of capitals and marks may have begun */
    BACK = BZ_DETECT_CONTEXT + 32, /* bytes that are read before what is not decided */
    WIDE = PATTERN_WIDTH_MAX + BZ_DETECT_CONTEXT + 8, /* the same where customers have patterns */
    LATE = 64,   /* bytes of a finding that is not held for, if its end comes in a later piece */
    BATCH = 384, /* bytes that wait until they are looked at for what is not held for */
    NUMBER = 32, /* digits that wait for more digits before anything is looked for in them */
};
#define IN_STRING (UINT64_C(1) << 63) /* in `at`: the byte lies in a string of JSON */
_Static_assert(TRIM + SLICE + NORM_MAX + KEEP < BZ_WATCH_MAX, "the window is bounded");
_Static_assert(KEEP > BATCH + LATE + BZ_DETECT_CONTEXT, "what waits is there with its context");
_Static_assert(BZ_WATCH_MAX + NUMBER <= UINT16_MAX, "a window's length fits bz_watch.plain");
_Static_assert(KEEP > PATTERN_WIDTH_MAX + 8 && KEEP > 2 * BZ_DETECT_CONTEXT, "context is whole");
_Static_assert(sizeof(struct norm) <= sizeof((struct bz_watch *)NULL)->reader, "it is kept there");

void bz_watch_init(struct bz_watch *w, enum bz_text_mode mode, const struct bz_type_set *want) {
    *w = (struct bz_watch){.want = want, .mode = (uint8_t)mode};
    w->folded = mode == BZ_TEXT_JSON; /* whether a byte lies in a string is kept with its place */
    struct norm s = {.json = mode == BZ_TEXT_JSON};
    memcpy(w->reader, &s, sizeof s);
    bz_buf_init(&w->win, BZ_WATCH_MAX);
    bz_buf_init(&w->at, BZ_WATCH_MAX * sizeof(uint64_t));
}

void bz_watch_done(struct bz_watch *w) {
    bz_buf_wipe_free(&w->win);
    bz_buf_wipe_free(&w->at);
}

/* ---- the window -------------------------------------------------------------------------------- */

static uint64_t at(const struct bz_watch *w, size_t i) {
    uint64_t v = 0;
    memcpy(&v, w->at.p + i * sizeof v, sizeof v);
    return v;
}

/* Place in the channel of win[i]; behind the last byte: of what comes next. */
static uint64_t place(const struct bz_watch *w, size_t i) {
    if (i >= w->win.n)
        return w->total - w->pending_n;
    return w->at.n == 0 ? w->base + i : at(w, i) & ~IN_STRING;
}

static uint64_t place_of_end(const struct bz_watch *w, size_t i) {
    while (i < w->win.n && i > 0 && place(w, i) == place(w, i - 1))
        i++;
    return place(w, i);
}

/* n places; where `step` is 1 they follow each other, where it is 0 all are one. */
static void put_places(struct bz_watch *w, size_t n, uint64_t where, unsigned step) {
    if (!bz_buf_reserve(&w->at, n * sizeof where))
        return;
    uint8_t *to = w->at.p + w->at.n;
    for (size_t i = 0; i < n; i++, where += step)
        memcpy(to + i * sizeof where, &where, sizeof where);
    w->at.n += n * sizeof where;
}

/* From here on the window is not the text itself: each byte gets its place. */
static void unfold(struct bz_watch *w) {
    if (w->at.n == 0 && w->win.n != 0)
        put_places(w, w->win.n, w->base, 1);
    w->folded = true;
}

/* Appends n bytes of the text itself at its place `where`. */
static void append_same(struct bz_watch *w, const uint8_t *p, size_t n, uint64_t where,
                        uint64_t flag) {
    if (w->win.n == 0 && !w->folded)
        w->base = where;
    if (w->folded)
        put_places(w, n, where | flag, 1);
    bz_buf_put(&w->win, bz_view(p, n));
}

static enum bz_status window_status(const struct bz_watch *w) {
    return w->win.st != BZ_OK ? w->win.st : w->at.st;
}

/* Does the text lie in the window as it is again? */
static bool linear(const struct bz_watch *w) {
    for (size_t i = 0; i < w->win.n; i++) {
        if (at(w, i) != at(w, 0) + i)
            return false;
    }
    return w->win.n != 0 && w->pending_n == 0 && at(w, 0) + w->win.n == w->total;
}

static void trim(struct bz_watch *w) {
    if (w->win.n < TRIM || w->from <= KEEP)
        return;
    size_t drop = w->from - KEEP;
    while (drop > 0 && (w->win.p[drop] & 0xc0) == 0x80) /* whole code points */
        drop--;
    w->win.n -= drop;
    memmove(w->win.p, w->win.p + drop, w->win.n);
    w->from -= drop;
    w->base += drop;
    w->cut = true;
    if (!w->folded)
        return;
    w->at.n -= drop * sizeof(uint64_t);
    memmove(w->at.p, w->at.p + drop * sizeof(uint64_t), w->at.n);
    if (w->mode == BZ_TEXT_PLAIN && linear(w)) {
        w->base = at(w, 0);
        w->folded = false;
        bz_buf_free(&w->at);
        bz_buf_init(&w->at, BZ_WATCH_MAX * sizeof(uint64_t));
    }
}

/* ---- folding a piece into it ------------------------------------------------------------------- */

/* One step at v, whose place is `where`; 0: an escape is cut. */
static size_t step(struct bz_watch *w, struct norm *s, struct bz_view v, bool last,
                   uint64_t where) {
    uint8_t out[NORM_MAX];
    size_t n = 0;
    uint64_t flag = s->json != 0 && s->in_string != 0 ? IN_STRING : 0;
    size_t used = norm_step(s, v, last, out, &n);
    if (used != 0 && n == used && memcmp(out, v.p, n) == 0) {
        append_same(w, out, n, where, flag);
        return used;
    }
    unfold(w);
    if (n != 0) {
        put_places(w, n, where | flag, 0);
        bz_buf_put(&w->win, bz_view(out, n));
    }
    return used;
}

/* What is left of an escape, together with the piece's beginning. Returns the bytes of the piece
 * that it took. */
static size_t take_pending(struct bz_watch *w, struct norm *s, struct bz_view v, bool last) {
    uint8_t both[2 * NORM_ESC];
    size_t had = w->pending_n;
    size_t more = v.n < NORM_ESC ? v.n : NORM_ESC;
    memcpy(both, w->pending, had);
    if (more != 0)
        memcpy(both + had, v.p, more);
    uint64_t where = w->total - had;
    bool end = last && more == v.n;
    size_t done = 0;
    while (done < had) {
        size_t used = step(w, s, bz_view(both + done, had + more - done), end, where + done);
        if (used == 0)
            break;
        done += used;
    }
    if (done >= had) {
        w->pending_n = 0;
        w->total += done - had;
        return done - had;
    }
    w->pending_n = (uint8_t)(had + more - done); /* still cut: the piece is used up */
    memcpy(w->pending, both + done, w->pending_n);
    w->total += more;
    return more;
}

/* Folds some of v into the window, SLICE bytes of normal form about; returns how much of v. */
static size_t take(struct bz_watch *w, struct bz_view v, bool last) {
    struct norm s;
    memcpy(&s, w->reader, sizeof s);
    size_t limit = w->win.n + SLICE;
    size_t done = w->pending_n != 0 ? take_pending(w, &s, v, last) : 0;
    while (done < v.n && w->win.n < limit) {
        size_t run = norm_plain(&s, bz_view_sub(v, done, limit - w->win.n));
        if (run != 0) {
            uint64_t flag = s.json != 0 && s.in_string != 0 ? IN_STRING : 0;
            append_same(w, v.p + done, run, w->total, flag);
            s.gap = 0;
            done += run;
            w->total += run;
            continue;
        }
        size_t used = step(w, &s, bz_view_sub(v, done, v.n), last, w->total);
        if (used == 0) { /* cut: at most NORM_ESC - 1 bytes are left */
            w->pending_n = (uint8_t)(v.n - done);
            memcpy(w->pending, v.p + done, w->pending_n);
            used = w->pending_n;
        }
        done += used;
        w->total += used;
    }
    memcpy(w->reader, &s, sizeof s);
    return done;
}

/* ---- the short cut ----------------------------------------------------------------------------- */

enum { LOUD, LOWER, OPENS, NEUTRAL };
#define O OPENS
#define N NEUTRAL
#define W LOWER
static const uint8_t quiet_class[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, N, 0, 0, 0, 0, 0, 0, /* 00: tab */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 10 */
    N, N, O, 0, 0, 0, 0, O, O, O, O, 0, N, O, N, 0, /* 20: space ! " ' ( ) * , - . */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, N, 0, 0, 0, N, /* 30: ; ? */
    0, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* 40 */
    O, O, O, O, O, O, O, O, O, O, O, 0, 0, 0, 0, 0, /* 50 */
    0, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, /* 60 */
    W, W, W, W, W, W, W, W, W, W, W, 0, 0, 0, 0, 0, /* 70 */
};
#undef O
#undef N
#undef W

static bool needs_care(const struct bz_detect *d, const struct bz_type_set *hold) {
    for (size_t i = 0; i < BZ_TYPES_MAX / 64; i++) {
        if (((hold == NULL ? UINT64_MAX : hold->w[i]) & d->slow.w[i]) != 0)
            return true;
    }
    return false;
}

/* May a match begin in what waits, from the place `from` on? Where it can only be said that the last
 * letters may become a literal, *tail is where they begin. */
static bool nothing_begins(const struct bz_detect *d, const struct bz_watch *w, size_t *tail) {
    struct bz_view v = bz_buf_view(&w->win);
    bool inside = w->from > 0 && scan_is(v.p[w->from - 1], SC_ALNUM);
    *tail = v.n;
    for (size_t i = w->from; i < v.n; i++) {
        uint8_t c = v.p[i];
        unsigned class = quiet_class[c];
        if (class == LOUD)
            return false;
        if (!inside && class != NEUTRAL && starts_maybe(&d->starts, v.p + i, v.n - i)) {
            if (v.n - i >= STARTS_KNOWN)
                return false;
            if (*tail == v.n && starts_prefix(&d->starts, bz_view_sub(v, i, v.n)))
                *tail = i;
        }
        inside = scan_is(c, SC_ALNUM);
    }
    return true;
}

/* Capitals and marks at the end of the text so far: a match may have begun there. */
static bool opening(const struct bz_watch *w) {
    for (size_t i = 0; i < OPENING; i++) {
        if (i == w->win.n)
            return false;
        unsigned class = quiet_class[w->win.p[w->win.n - 1 - i]];
        if (class == OPENS)
            return true;
        if (class != NEUTRAL)
            return false;
    }
    return true;
}

/* What nobody holds for is looked for in larger parts: it is told late anyway. */
static bool others_due(const struct bz_watch *w) {
    return place(w, w->win.n) - w->looked >= BATCH;
}

/* Settles what waits if it is calm prose. */
static bool quick(const struct bz_detect *d, struct bz_watch *w, const struct bz_type_set *hold) {
    size_t tail = 0;
    if ((w->late && others_due(w)) || w->chain != 0 || w->calm < DETECT_QUIET_REACH ||
        w->mode != BZ_TEXT_PLAIN || needs_care(d, hold) || !nothing_begins(d, w, &tail) ||
        opening(w))
        return false;
    w->from = tail;
    w->plain = 0; /* words were not looked for */
    return true;
}

/* Digits behind a digit: a number goes on, and until its end nothing can be said of it. Models write
 * numbers in pieces of one to three digits, and looking at each of them is what costs most. */
static bool number_goes_on(const struct bz_watch *w, size_t before) {
    if (before == 0 || before == w->win.n || w->win.n - before > (size_t)(NUMBER - w->digits))
        return false;
    for (size_t i = before - 1; i < w->win.n; i++)
        if ((uint8_t)(w->win.p[i] - '0') >= 10)
            return false;
    return true;
}

/* Digits are plain, and no words. */
static uint16_t more_plain(const struct bz_watch *w, size_t before) {
    return w->plain == 0 ? 0 : (uint16_t)(w->plain + w->win.n - before);
}

/* ---- deciding ---------------------------------------------------------------------------------- */

static void take_calm(struct bz_watch *w) {
    size_t i = 0;
    while (i < DETECT_QUIET_REACH && i < w->from && quiet_class[w->win.p[w->from - 1 - i]] != LOUD)
        i++;
    w->calm = (uint8_t)i;
}

static enum bz_status tell(const struct bz_detect *d, struct bz_watch *w, const struct raw *r,
                           struct bz_findings *out) {
    struct bz_finding f = {.start = place(w, r->start),
                           .end = place_of_end(w, r->end),
                           .type = r->type,
                           .cls = bz_detect_type(d, r->type)->cls,
                           .proof = r->proof,
                           .level = r->level};
    f.quoted = w->mode == BZ_TEXT_JSON && (at(w, r->start) & IN_STRING) != 0;
    if (r->other)
        w->noted = f.end;
    return findings_add(out, &f);
}

/* Where findings that are not held for may begin: behind the last one told and what was looked at,
 * with whole context. */
static size_t other_from(const struct bz_watch *w) {
    size_t i = w->cut ? BZ_DETECT_CONTEXT : 0;
    size_t n = w->win.n;
    while (i < n && place(w, i) < w->noted) {
        size_t half = (n - i) / 2; /* places rise: halve the rest */
        if (half != 0 && place(w, i + half) < w->noted)
            i += half;
        else if (half == 0)
            i++;
        else
            n = i + half;
    }
    return i;
}

/* Others that begin before this place were told, or looked at up to LATE bytes behind: they are not
 * looked at again. What was found and not told stays in front of it. */
static void note(struct bz_detect *d, struct bz_watch *w) {
    w->looked = place(w, w->win.n);
    if (w->win.n <= LATE)
        return;
    uint64_t noted = place(w, w->win.n - LATE);
    for (size_t i = 0; i < d->raws.n; i++) {
        const struct raw *r = &d->raws.v[i];
        if (r->other && r->end > w->from && place(w, r->start) < noted)
            noted = place(w, r->start);
    }
    w->noted = noted > w->noted ? noted : w->noted;
}

/* Finds what begins in the window where it is not decided. Returns the place from which on it is not
 * decided still. */
static enum bz_status find(struct bz_detect *d, struct bz_watch *w, bool final, bool others,
                           const struct bz_type_set *hold, size_t *ret_live) {
    size_t other = others ? other_from(w) : w->win.n;
    size_t least = other < w->from ? other : w->from;
    size_t back = d->custom.width == 0 ? BACK : WIDE;
    size_t skip = least > back ? least - back : 0;
    while (skip > 0 && (w->win.p[skip] & 0xc0) == 0x80) /* whole code points */
        skip--;
    struct scan_job job = {.text = bz_view_sub(bz_buf_view(&w->win), skip, w->win.n),
                           .final = final,
                           .from = w->from - skip,
                           .other_from = other > skip ? other - skip : 0,
                           .want = w->want,
                           .hold = hold,
                           .chain = w->chain,
                           .wordless = w->plain >= w->win.n - skip};
    BZ_TRY(engine_scan(d, &job));
    for (size_t i = 0; i < d->raws.n; i++) {
        d->raws.v[i].start += skip;
        d->raws.v[i].end += skip;
    }
    size_t live = final ? job.text.n : engine_live(d, &job);
    *ret_live = skip + (d->chain_live < live ? d->chain_live : live);
    return BZ_OK;
}

/* Decides what can be decided in the window. */
static enum bz_status decide(struct bz_detect *d, struct bz_watch *w, bool final,
                             const struct bz_type_set *hold, struct bz_findings *out) {
    size_t live = 0;
    bool others = hold != NULL && (final || others_due(w));
    BZ_TRY(find(d, w, final, others, hold, &live));
    size_t settled = live;
    uint16_t chain = w->from == live ? w->chain : 0;
    for (size_t i = 0; i < d->raws.n; i++) {
        const struct raw *r = &d->raws.v[i];
        if (!r->other && r->start < live && r->end > settled)
            settled = r->end;
    }
    for (size_t i = 0; i < d->raws.n; i++) {
        const struct raw *r = &d->raws.v[i];
        if (r->other ? r->end > settled : r->start >= live)
            continue;
        BZ_TRY(tell(d, w, r, out));
        if (!r->other && r->end == settled && engine_chained(r->type))
            chain = (uint16_t)(r->type + 1);
    }
    w->chain = chain;
    out->more += d->raws.more;
    w->from = settled;
    w->late = !others && hold != NULL;
    if (others)
        note(d, w);
    return BZ_OK;
}

enum bz_status bz_watch_feed(struct bz_detect *d, struct bz_watch *w, struct bz_view text,
                             bool last, const struct bz_type_set *hold, struct bz_arena *scratch,
                             struct bz_findings *out, uint64_t *ret_settled) {
    (void)scratch;
    size_t done = 0;
    do {
        size_t before = w->win.n;
        done += take(w, bz_view_sub(text, done, text.n), last);
        BZ_TRY(window_status(w));
        bool final = last && done == text.n;
        if (!final && number_goes_on(w, before)) {
            w->digits = (uint8_t)(w->digits + w->win.n - before);
            w->plain = more_plain(w, before);
            w->calm = 0;
            w->late = hold != NULL;
        } else if (final || !quick(d, w, hold)) {
            if (final)
                w->plain = 0;
            if (final || !watch_counting(d, w, before, w->late && others_due(w), hold))
                BZ_TRY(decide(d, w, final, hold, out));
            take_calm(w);
            w->digits = 0;
        }
        trim(w);
    } while (done < text.n);
    w->settled = place(w, w->from);
    *ret_settled = w->settled;
    return BZ_OK;
}
