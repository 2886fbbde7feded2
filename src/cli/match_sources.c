/* Where records come from, what is known to be exploited, and how long a finding is known here. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "match.h"
#include "opts.h"

#define F_SEEN "advisories/seen"
#define STALE_S                                                                                    \
    (30ull * 86400) /* an archive that was taken longer ago says nothing of newer flaws */
enum { LINE_ARENA = 512 << 20, SEEN_MAX = 64 << 20, KEV_MAX = 16 << 20, ID_TEXT = 160 };

/* ---- packs ---- */

static bool packs(struct bz_match *m, const struct bz_match_index *x,
                  const struct bz_instance *in) {
    struct bz_advisories all;
    struct bz_buf why;
    bz_buf_init(&why, 4096);
    bool ok = bz_advisories_load(in, m->config, &all, &why) == BZ_OK;
    if (!ok)
        bz_say("%.*s", (int)why.n, (const char *)why.p);
    bz_buf_free(&why);
    for (size_t i = 0; ok && i < all.n; i++) {
        const struct bz_advisory_pack *p = &all.pack[i];
        if (m->now >= p->expires) {
            m->stale++;
            bz_say("pack %.*s: its time is over: take a newer one with 'bartizan advisory update'",
                   (int)p->name.n, (const char *)p->name.p);
        }
        struct bz_view origin = bz_arena_dup(&m->ar, p->name);
        for (const struct bz_json *r = p->advisories->first; r != NULL; r = r->next)
            bz_match_record(m, x, r, origin);
    }
    if (ok)
        bz_advisories_free(&all);
    return ok;
}

/* ---- databases ---- */

static struct bz_view cut(struct bz_view *v, uint8_t at) {
    const uint8_t *p = v->n == 0 ? NULL : memchr(v->p, at, v->n);
    struct bz_view part = bz_view_sub(*v, 0, p == NULL ? v->n : (size_t)(p - v->p));
    *v = bz_view_sub(*v, part.n + 1, v->n);
    return part;
}

static bool db_line(struct bz_match *m, const struct bz_match_index *x, struct bz_view line,
                    struct bz_arena *ar, struct bz_view origin) {
    struct bz_view eco = cut(&line, '\t'), name = cut(&line, '\t');
    struct bz_json *root = NULL;
    bz_match_cover(m, eco);
    if (!bz_match_known(x, eco, name))
        return true;
    bool ok = bz_json_parse(line, NULL, ar, &root, NULL) == BZ_OK;
    if (ok)
        bz_match_record(m, x, root, origin);
    bz_arena_free(ar);
    return ok;
}

static void check_age(struct bz_match *m, struct bz_view head, struct bz_arena *ar,
                      const char *name) {
    struct bz_json *root = NULL;
    uint64_t taken = 0;
    if (bz_json_parse(head, NULL, ar, &root, NULL) != BZ_OK ||
        bz_advisory_time(bz_json_str(bz_json_get(root, BZ_V("taken"))), &taken) != BZ_OK)
        taken = 0;
    bz_arena_free(ar);
    if (taken + STALE_S > m->now)
        return;
    m->stale++;
    bz_say("%s: taken more than 30 days ago: take a newer archive with 'bartizan advisory update'",
           bz_safe(name));
}

static bool database(struct bz_match *m, const struct bz_match_index *x,
                     const struct bz_instance *in, const char *name) {
    char path[512];
    struct bz_map map = {NULL, 0};
    struct bz_arena ar;
    bool ok = true;
    (void)snprintf(path, sizeof path, BZ_F_ADVISORY_OSV "/%s", name);
    if (bz_map_open(in->fd, path, false, &map) != BZ_OK) {
        bz_say("%s: %s", bz_safe(path), strerror(errno));
        return false;
    }
    bz_arena_init(&ar, bz_alloc_heap, LINE_ARENA, NULL, 0);
    struct bz_view rest = bz_view(map.p, map.n), head = cut(&rest, '\n');
    struct bz_view origin = bz_arena_dup(&m->ar, bz_view(name, strlen(name) - 3));
    check_age(m, head, &ar, name);
    while (rest.n > 0 && ok)
        ok = db_line(m, x, cut(&rest, '\n'), &ar, origin);
    if (!ok)
        bz_say("%s: a line of it is damaged; take the archive again", bz_safe(path));
    bz_arena_free(&ar);
    bz_map_close(&map);
    return ok;
}

static bool databases(struct bz_match *m, const struct bz_match_index *x,
                      const struct bz_instance *in) {
    int fd = openat(in->fd, BZ_F_ADVISORY_OSV, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    bool ok = true;
    if (d == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return errno == ENOENT;
    }
    for (const struct dirent *e; ok && (e = readdir(d)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n > 3 && n < 200 && strcmp(e->d_name + n - 3, ".db") == 0)
            ok = database(m, x, in, e->d_name);
    }
    (void)closedir(d);
    return ok;
}

bool bz_match_sources(struct bz_match *m, const struct bz_match_index *x,
                      const struct bz_instance *in) {
    return packs(m, x, in) && (in == NULL || databases(m, x, in));
}

/* ---- known to be exploited ---- */

void bz_match_kev(struct bz_match *m, const struct bz_instance *in) {
    struct bz_buf b;
    bz_buf_init(&b, KEV_MAX);
    if (in != NULL && bz_file_read(in->fd, BZ_F_ADVISORY_KEV, &b) == BZ_OK) {
        struct bz_view rest = bz_buf_view(&b);
        (void)cut(&rest, '\n'); /* when it was released */
        while (rest.n > 0) {
            struct bz_view line = cut(&rest, '\n'), id = cut(&line, ' ');
            for (struct bz_match_finding *f = m->first; f != NULL; f = f->next) {
                for (size_t i = 0; i < f->names_n; i++)
                    f->kev = f->kev || bz_view_eq(f->names[i], id);
            }
        }
    }
    bz_buf_free(&b);
}

/* ---- when it is due ---- */

/* The name a flaw is best known by. */
static struct bz_view flaw_of(const struct bz_match_finding *f) {
    for (size_t i = 0; i < f->names_n; i++) {
        if (bz_view_starts(f->names[i], BZ_V("CVE-")))
            return f->names[i];
    }
    return f->names_n > 0 ? f->names[0] : (struct bz_view){0};
}

/* "KIND NAME FLAW", without what could break a line. */
static void put_key(struct bz_buf *out, const struct bz_match_finding *f) {
    bz_buf_puts(out, bz_component_kind_name(f->c->kind));
    bz_buf_putc(out, '\t');
    bz_put_safe(out, bz_view_sub(f->c->name, 0, ID_TEXT));
    bz_buf_putc(out, '\t');
    bz_put_safe(out, bz_view_sub(flaw_of(f), 0, ID_TEXT));
    bz_buf_putc(out, '\t');
}

/* Time that stands behind the key in the lines; 0: none. */
static uint64_t seen_at(struct bz_view lines, struct bz_view key) {
    uint64_t t = 0;
    while (lines.n > 0) {
        struct bz_view line = cut(&lines, '\n');
        if (bz_view_starts(line, key) && bz_view_u64(bz_view_sub(line, key.n, line.n), &t) == BZ_OK)
            return t;
    }
    return 0;
}

static uint64_t hours_of(const struct bz_match *m, const struct bz_match_finding *f) {
    static const uint32_t usual[BZ_DUE_COUNT] = {72, 168, 720, 2160, 4320};
    const uint32_t *hours = m->config != NULL ? m->config->advisories.due_hours : usual;
    if (f->kev)
        return hours[BZ_DUE_KEV];
    switch (f->severity) {
    case BZ_RATING_CRITICAL:
        return hours[BZ_DUE_CRITICAL];
    case BZ_RATING_HIGH:
        return hours[BZ_DUE_HIGH];
    case BZ_RATING_LOW:
        return hours[BZ_DUE_LOW];
    case BZ_RATING_UNKNOWN: /* nobody has rated it yet */
    case BZ_RATING_MEDIUM:
    case BZ_RATING_COUNT:
        return hours[BZ_DUE_MEDIUM];
    }
    return hours[BZ_DUE_MEDIUM];
}

void bz_match_due(struct bz_match *m, const struct bz_instance *in, bool keep) {
    struct bz_buf had, now, key;
    bz_buf_init(&had, SEEN_MAX);
    bz_buf_init(&now, SEEN_MAX);
    bz_buf_init(&key, 8192);
    if (in != NULL && bz_file_read(in->fd, F_SEEN, &had) != BZ_OK)
        bz_buf_reset(&had);
    for (struct bz_match_finding *f = m->first; f != NULL; f = f->next) {
        bz_buf_reset(&key);
        put_key(&key, f);
        uint64_t t = seen_at(bz_buf_view(&had), bz_buf_view(&key));
        f->first_seen = t != 0 && t <= m->now ? t : m->now;
        f->due = f->first_seen + hours_of(m, f) * 3600;
        bz_buf_put(&now, bz_buf_view(&key));
        bz_buf_put_u64(&now, f->first_seen);
        bz_buf_putc(&now, '\n');
    }
    /* Only what still stands is kept: what comes back after a fix has a new clock. */
    if (in != NULL && keep && bz_buf_status(&now) == BZ_OK &&
        bz_file_write(in->fd, F_SEEN, bz_buf_view(&now), 0600, BZ_FILE_SYNC) != BZ_OK &&
        errno != ENOENT)
        bz_say("%s cannot be written: due dates begin anew the next time", F_SEEN);
    bz_buf_free(&had);
    bz_buf_free(&now);
    bz_buf_free(&key);
}
