/* Components by what advisories call them, and records held against them. */
#include <stdlib.h>
#include <string.h>

#include "match.h"

struct entry {                      /* one name of one component */
    struct bz_view ecosystem, name; /* name as its ecosystem compares it */
    struct bz_view version;
    const struct bz_component *c;
    uint32_t next; /* entry + 1 with the same slot */
};
struct bz_match_index {
    struct entry *v;
    uint32_t n, cap;
    uint32_t *slot; /* entry + 1 */
    uint32_t slots;
    uint8_t seed[16];
    struct bz_arena ar; /* names that had to be made */
    bool failed;
};

/* ---- names ---- */

struct bz_view bz_match_ecosystem_base(struct bz_view ecosystem) {
    const uint8_t *colon = ecosystem.n == 0 ? NULL : memchr(ecosystem.p, ':', ecosystem.n);
    return bz_view_sub(ecosystem, 0, colon == NULL ? ecosystem.n : (size_t)(colon - ecosystem.p));
}

static uint32_t slot_of(const struct bz_match_index *x, struct bz_view ecosystem,
                        struct bz_view name) {
    uint64_t h = bz_name_hash(x->seed, bz_match_ecosystem_base(ecosystem)) ^
                 (bz_name_hash(x->seed, name) << 1);
    return (uint32_t)(h ^ h >> 32) & (x->slots - 1);
}

static struct bz_view copy(struct bz_match_index *x, struct bz_view v) {
    struct bz_view c = bz_arena_dup(&x->ar, v);
    x->failed = x->failed || c.p == NULL;
    return c;
}

static void add(struct bz_match_index *x, const struct bz_component *c, struct bz_view ecosystem,
                struct bz_view name, struct bz_view version) {
    uint8_t mem[BZ_INVENTORY_TEXT_MAX];
    if (x->n == x->cap || name.n == 0)
        return;
    if (bz_view_eq(ecosystem, BZ_V("PyPI")))
        name = copy(x, bz_view(mem, bz_pypi_name(name, mem)));
    uint32_t s = slot_of(x, ecosystem, name);
    x->v[x->n] = (struct entry){ecosystem, name, version, c, x->slot[s]};
    x->slot[s] = ++x->n;
}

/* "debian-12" is "Debian:12"; "ubuntu-24.04" is "Ubuntu:24.04:LTS". */
static struct bz_view distro_ecosystem(struct bz_match_index *x, struct bz_view distro) {
    char text[96];
    struct bz_buf b;
    struct bz_view debian = BZ_V("debian-"), ubuntu = BZ_V("ubuntu-");
    bz_buf_init_fixed(&b, text, sizeof text);
    if (bz_view_starts(distro, debian)) {
        bz_buf_puts(&b, "Debian:");
        bz_buf_put(&b, bz_view_sub(distro, debian.n, distro.n));
    } else if (bz_view_starts(distro, ubuntu)) {
        struct bz_view v = bz_view_sub(distro, ubuntu.n, distro.n);
        bz_buf_puts(&b, "Ubuntu:");
        bz_buf_put(&b, v);
        bool even = v.n == 5 && (v.p[1] - '0') % 2 == 0;
        bz_buf_puts(&b, even && bz_view_eq(bz_view_sub(v, 2, 3), BZ_V(".04")) ? ":LTS" : "");
    }
    return bz_buf_status(&b) == BZ_OK && b.n > 0 ? copy(x, bz_buf_view(&b)) : (struct bz_view){0};
}

/* No ecosystem: the place of a Python package's metadata, for conda's packages. */
#define PLACE BZ_V("\n")

/* The names under which advisories may speak of a component. */
static void add_component(struct bz_match_index *x, const struct bz_component *c) {
    struct bz_view own = BZ_V(BZ_ECOSYSTEM_OWN);
    struct bz_view distro;
    switch (c->kind) {
    case BZ_COMPONENT_PYPI:
        add(x, c, BZ_V("PyPI"), c->name, c->version);
        add(x, c, PLACE, c->path, c->version);
        return;
    case BZ_COMPONENT_NPM:
        add(x, c, BZ_V("npm"), c->name, c->version);
        return;
    case BZ_COMPONENT_DEB:
        distro = distro_ecosystem(x, c->distro);
        if (distro.n > 0) /* distributions name source packages */
            add(x, c, distro, c->source.n > 0 ? c->source : c->name,
                c->source_version.n > 0 ? c->source_version : c->version);
        add(x, c, own, c->name, c->version);
        return;
    case BZ_COMPONENT_SERVER:
    case BZ_COMPONENT_DRIVER:
    case BZ_COMPONENT_LIBRARY:
        add(x, c, own, c->name, c->version);
        return;
    case BZ_COMPONENT_CONDA: /* its Python packages are found by themselves: see match_cover.c */
    case BZ_COMPONENT_MODEL:
    case BZ_COMPONENT_KIND_COUNT:
        return;
    }
}

struct bz_match_index *bz_match_index_new(struct bz_inventory *inv) {
    struct bz_match_index *x = calloc(1, sizeof *x);
    if (x == NULL)
        return NULL;
    x->cap = (uint32_t)(2 * inv->n + 1);
    for (x->slots = 16; x->slots < 2 * x->cap;)
        x->slots *= 2;
    x->v = calloc(x->cap, sizeof *x->v);
    x->slot = calloc(x->slots, sizeof *x->slot);
    bz_arena_init(&x->ar, bz_alloc_heap, BZ_INVENTORY_MEMORY, NULL, 0);
    bz_random(x->seed, sizeof x->seed);
    for (const struct bz_component *c = inv->first; c != NULL && x->v != NULL && x->slot != NULL;
         c = c->next)
        add_component(x, c);
    if (x->v == NULL || x->slot == NULL || x->failed) {
        bz_match_index_free(x);
        return NULL;
    }
    return x;
}

void bz_match_index_free(struct bz_match_index *x) {
    if (x == NULL)
        return;
    bz_arena_free(&x->ar);
    free(x->v);
    free(x->slot);
    free(x);
}

bool bz_match_known(const struct bz_match_index *x, struct bz_view ecosystem, struct bz_view name) {
    struct bz_view base = bz_match_ecosystem_base(ecosystem);
    for (uint32_t i = x->slot[slot_of(x, ecosystem, name)]; i != 0; i = x->v[i - 1].next) {
        const struct entry *e = &x->v[i - 1];
        if (bz_view_eq(e->name, name) && bz_view_eq(bz_match_ecosystem_base(e->ecosystem), base))
            return true;
    }
    return false;
}

bool bz_match_python_at(const struct bz_match_index *x, struct bz_view path) {
    return path.n > 0 && bz_match_known(x, PLACE, path);
}

/* ---- records ---- */

static struct bz_view keep(struct bz_match *m, struct bz_view v) {
    if (v.n == 0)
        return (struct bz_view){0};
    struct bz_view c = bz_arena_dup(&m->ar, v);
    m->failed = m->failed || c.p == NULL;
    return c;
}

static bool shares_name(const struct bz_match_finding *f, const struct bz_advisory *a) {
    for (size_t i = 0; i < f->names_n; i++) {
        if (bz_advisory_named(a, f->names[i]))
            return true;
    }
    return false;
}

static void join_names(struct bz_match *m, struct bz_match_finding *f,
                       const struct bz_advisory *a) {
    struct bz_view name;
    size_t more = 0;
    for (size_t i = 0; bz_advisory_name(a, i, &name); i++)
        more++;
    struct bz_view *all = bz_arena_alloc(&m->ar, (f->names_n + more) * sizeof *all);
    if (all == NULL) {
        m->failed = true;
        return;
    }
    if (f->names_n > 0)
        memcpy(all, f->names, f->names_n * sizeof *all);
    f->names = all;
    for (size_t i = 0; bz_advisory_name(a, i, &name); i++) {
        bool there = name.n == 0;
        for (size_t k = 0; k < f->names_n && !there; k++)
            there = bz_view_eq(f->names[k], name);
        if (!there)
            f->names[f->names_n++] = keep(m, name);
    }
}

/* Ratings of another form than ours are somebody else's members of the same name: not ours to judge. */
static void join_priority(struct bz_match *m, struct bz_match_finding *f,
                          const struct bz_advisory *a) {
    struct bz_priority p, *had = &f->priority;
    if (bz_advisory_priority(a, &p, NULL) != BZ_OK)
        return;
    if (p.has_epss && (!had->has_epss || p.epss > had->epss)) {
        had->has_epss = true;
        had->epss = p.epss;
        had->percentile = p.percentile;
    }
    f->kev = f->kev || p.exploited;
    if (p.urgency > had->urgency || (had->decision.n == 0 && had->exploitation.n == 0)) {
        had->urgency = p.urgency;
        had->exploitation = keep(m, p.exploitation);
        had->automatable = keep(m, p.automatable);
        had->impact = keep(m, p.impact);
        had->decision = keep(m, p.decision);
    }
}

/* What the records of one flaw say, joined: the worst severity, a certain answer before an unsure
 * one, and every name. */
static void join(struct bz_match *m, struct bz_match_finding *f, const struct bz_advisory *a,
                 bool certain, struct bz_view fixed) {
    join_names(m, f, a);
    f->kev = f->kev || a->kev;
    join_priority(m, f, a);
    if (a->severity > f->severity || (a->severity == f->severity && a->score > f->score)) {
        f->severity = a->severity;
        f->score = a->score;
        f->vector = keep(m, a->vector);
    }
    if (certain && !f->certain) {
        f->certain = true;
        f->unsure = keep(m, a->unsure);
    } else if (certain && a->unsure.n == 0) {
        f->unsure = (struct bz_view){0};
    }
    if (f->fixed.n == 0)
        f->fixed = keep(m, fixed);
    if (f->summary.n == 0)
        f->summary = keep(m, bz_view_sub(a->summary, 0, 300));
}

static void found(struct bz_match *m, const struct bz_component *c, const struct bz_advisory *a,
                  bool certain, struct bz_view fixed, struct bz_view origin) {
    for (struct bz_match_finding *f = m->of[c->index]; f != NULL; f = f->same) {
        if (shares_name(f, a)) {
            join(m, f, a, certain, fixed);
            return;
        }
    }
    struct bz_match_finding *f = bz_arena_zalloc(&m->ar, sizeof *f);
    if (f == NULL) {
        m->failed = true;
        return;
    }
    f->c = c;
    f->certain = certain;
    f->origin = origin;
    f->unsure = keep(m, a->unsure);
    join(m, f, a, certain, fixed);
    f->same = m->of[c->index];
    m->of[c->index] = f;
    f->next = m->first;
    m->first = f;
    m->n++;
}

static void against(struct bz_match *m, const struct entry *e, const struct bz_advisory *a,
                    struct bz_view origin) {
    struct bz_view fixed;
    enum bz_affected st = bz_advisory_affects(a, e->ecosystem, e->name, e->version, &fixed);
    if (st != BZ_AFFECTED_NO)
        found(m, e->c, a, st == BZ_AFFECTED_YES, fixed, origin);
}

/* Was the package of an entry of `affected` dealt with by an earlier one? */
static bool seen_before(const struct bz_json *affected, const struct bz_json *entry) {
    const struct bz_json *p = bz_json_get(entry, BZ_V("package"));
    for (const struct bz_json *e = affected->first; e != entry; e = e->next) {
        const struct bz_json *q = bz_json_get(e, BZ_V("package"));
        if (bz_view_eq(bz_json_str(bz_json_get(p, BZ_V("name"))),
                       bz_json_str(bz_json_get(q, BZ_V("name")))) &&
            bz_view_eq(bz_match_ecosystem_base(bz_json_str(bz_json_get(p, BZ_V("ecosystem")))),
                       bz_match_ecosystem_base(bz_json_str(bz_json_get(q, BZ_V("ecosystem"))))))
            return true;
    }
    return false;
}

void bz_match_record(struct bz_match *m, const struct bz_match_index *x,
                     const struct bz_json *record, struct bz_view origin) {
    struct bz_advisory a;
    uint8_t mem[BZ_PACKAGE_NAME_MAX];
    if (bz_advisory_read(record, &a, NULL) != BZ_OK || a.withdrawn)
        return;
    m->records++;
    const struct bz_json *affected = bz_json_get(record, BZ_V("affected"));
    if (!bz_json_is(affected, BZ_JSON_ARRAY))
        return;
    for (const struct bz_json *n = affected->first; n != NULL; n = n->next) {
        const struct bz_json *p = bz_json_get(n, BZ_V("package"));
        struct bz_view eco = bz_json_str(bz_json_get(p, BZ_V("ecosystem")));
        struct bz_view name = bz_json_str(bz_json_get(p, BZ_V("name")));
        if (name.n == 0 || name.n > sizeof mem || seen_before(affected, n))
            continue;
        if (bz_view_eq(eco, BZ_V("PyPI")))
            name = bz_view(mem, bz_pypi_name(name, mem));
        for (uint32_t i = x->slot[slot_of(x, eco, name)]; i != 0; i = x->v[i - 1].next) {
            const struct entry *e = &x->v[i - 1];
            if (bz_view_eq(e->name, name) &&
                bz_view_eq(bz_match_ecosystem_base(e->ecosystem), bz_match_ecosystem_base(eco)))
                against(m, e, &a, origin);
        }
    }
}
