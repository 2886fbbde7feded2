/* What the last audit of the host said (DIR/posture/last.json, written by 'bartizan posture --instance'), against what the
 * configuration asks for. An audit that is missing, too old or not understood is a bad one. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bartizan/posture.h>

#include "daemon.h"

#define PERIOD_NS 2000000000ull
enum { FILE_MAX = 8 << 20, AHEAD_S = 300 /* clocks differ */ };

static enum bz_status read_last(const struct bz_daemon *d, struct bz_posture_summary *ret) {
    struct bz_buf text;
    bz_buf_init(&text, FILE_MAX);
    enum bz_status st = bz_file_read(d->in.fd, BZ_POSTURE_FILE, &text);
    if (st == BZ_OK)
        st = bz_posture_summary_read(bz_buf_view(&text), ret);
    bz_buf_free(&text);
    return st;
}

static void put(struct bz_posture_state *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void put(struct bz_posture_state *s, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(s->why, sizeof s->why, fmt, ap);
    va_end(ap);
    s->bad = true;
}

static void judge(struct bz_posture_state *s, const struct bz_posture_config *c, enum bz_status st,
                  uint64_t now) {
    static const char again[] = "run 'bartizan posture --instance DIR'";
    const struct bz_posture_summary *p = &s->last;
    s->bad = false;
    s->why[0] = '\0';
    if (st == BZ_ENOTFOUND)
        put(s, "the host has not been audited: %s", again);
    else if (st != BZ_OK)
        put(s, "the host's last audit cannot be read (%s): %s", bz_status_text(st), again);
    else if (p->time > now + AHEAD_S)
        put(s, "the host's last audit lies in the future: check the clock, then %s", again);
    else if (now > p->time && now - p->time > 3600ull * c->max_age_hours)
        put(s, "the host's last audit is older than %u hours: %s", c->max_age_hours, again);
    else if (p->critical > c->max_critical)
        put(s, "the host's last audit has %u critical findings open (%s%s): mend them, then %s",
            p->critical, p->open[0], p->open_n > 1 ? " and others" : "", again);
    else if (p->high > c->max_high)
        put(s, "the host's last audit has %u high findings open: mend them, then %s", p->high,
            again);
    else if (p->score < c->min_score)
        put(s,
            "the host's last audit has a score of %u, %u is asked for: mend what it names, then %s",
            p->score, c->min_score, again);
}

/* All backends at once, in either direction. */
static void tell(struct bz_daemon *d) {
    const struct bz_posture_state *s = &d->posture;
    bz_log("posture: %s", s->bad ? s->why : "the host's last audit is as asked for");
    (void)!bz_journal_admin(d, BZ_V("bartizand"), "posture.check",
                            s->bad ? bz_view_str(s->why) : BZ_V("as asked for"),
                            s->bad ? "refuse" : "allow");
    for (uint32_t i = 0; i < d->config->backends_n; i++)
        if (!d->backend[i].retired)
            bz_health_recheck(d, i);
}

void bz_posture_turn(struct bz_daemon *d, uint64_t now) {
    struct bz_posture_state *s = &d->posture;
    const struct bz_posture_config *c = &d->config->posture;
    if (c->mode == BZ_POSTURE_OFF) {
        *s = (struct bz_posture_state){0};
        return;
    }
    if (now < s->next_ns)
        return;
    char before[sizeof s->why];
    bool known = s->looked;
    memcpy(before, s->why, sizeof before);
    judge(s, c, read_last(d, &s->last), bz_clock_unix() / 1000000000u);
    s->looked = true;
    s->next_ns = now + PERIOD_NS;
    if (!known || strcmp(before, s->why) != 0)
        tell(d);
}

void bz_posture_look(struct bz_daemon *d) {
    d->posture.next_ns = 0;
}

const char *bz_posture_barred(const struct bz_daemon *d) {
    if (d->config == NULL || d->config->posture.mode != BZ_POSTURE_ENFORCE)
        return NULL;
    if (!d->posture.looked)
        return "the host's last audit has not been looked at yet";
    return d->posture.bad ? d->posture.why : NULL;
}

void bz_posture_put(struct bz_jw *w, const struct bz_daemon *d) {
    static const char *const modes[] = {"off", "watch", "enforce"};
    const struct bz_posture_state *s = &d->posture;
    bz_jw_key(w, "posture");
    bz_jw_obj(w);
    bz_jw_kstr(w, "mode", bz_view_str(modes[d->config->posture.mode]));
    if (s->looked) {
        bz_jw_kstr(w, "verdict", s->bad ? BZ_V("not as asked for") : BZ_V("as asked for"));
        bz_jw_kstr(w, "why", bz_view_str(s->why));
        bz_jw_ku64(w, "time", s->last.time);
        bz_jw_ku64(w, "score", s->last.score);
        bz_jw_ku64(w, "critical", s->last.critical);
        bz_jw_ku64(w, "high", s->last.high);
    }
    bz_jw_end(w);
}
