/* What could be held against advisories at all. A component that no advisory that is here can speak
 * of is not assessed, whatever else was found: it is never clean. */
#include "match.h"

void bz_match_cover(struct bz_match *m, struct bz_view ecosystem) {
    struct bz_view base = bz_match_ecosystem_base(ecosystem);
    for (size_t i = 0; i < m->sources_n; i++) {
        if (bz_view_eq(m->sources[i], base))
            return;
    }
    if (m->sources_n < BZ_MATCH_SOURCES)
        m->sources[m->sources_n++] = bz_arena_dup(&m->ar, base);
}

static bool covered(const struct bz_match *m, struct bz_view ecosystem) {
    for (size_t i = 0; i < m->sources_n; i++) {
        if (bz_view_eq(m->sources[i], ecosystem))
            return true;
    }
    return false;
}

/* conda's packages are assessed as the Python packages that they install, if all of these were found. */
static bool by_python(const struct bz_match_index *x, const struct bz_component *c) {
    for (const struct bz_component_file *f = c->python; f != NULL; f = f->next) {
        if (!bz_match_python_at(x, f->path))
            return false;
    }
    return c->python != NULL;
}

/* Why it is not assessed; NULL: it is. ret_ecosystem: whose archive is missing, or empty. */
static const char *open_because(const struct bz_match *m, const struct bz_match_index *x,
                                const struct bz_component *c, struct bz_view *ret_ecosystem) {
    struct bz_view need = {0};
    switch (c->kind) {
    case BZ_COMPONENT_PYPI:
        need = BZ_V("PyPI");
        break;
    case BZ_COMPONENT_NPM:
        need = BZ_V("npm");
        break;
    case BZ_COMPONENT_CONDA:
        need = BZ_V("PyPI");
        if (!by_python(x, c))
            return "no advisory names packages of conda, and it installs no Python package that "
                   "was found";
        break;
    case BZ_COMPONENT_DEB:
        need = bz_view_starts(c->distro, BZ_V("debian-"))   ? BZ_V("Debian")
               : bz_view_starts(c->distro, BZ_V("ubuntu-")) ? BZ_V("Ubuntu")
                                                            : need;
        if (need.n == 0)
            return "its distribution is not known";
        break;
    case BZ_COMPONENT_SERVER: /* the built-in pack is about these */
    case BZ_COMPONENT_DRIVER:
    case BZ_COMPONENT_LIBRARY:
    case BZ_COMPONENT_MODEL: /* advisories are about programs */
    case BZ_COMPONENT_KIND_COUNT:
        return NULL;
    }
    *ret_ecosystem = need;
    return covered(m, need) ? NULL : "no archive of its advisories was taken";
}

static struct bz_match_open *open_group(struct bz_match *m, const struct bz_component *c,
                                        const char *why, struct bz_view ecosystem) {
    for (struct bz_match_open *o = m->open; o != NULL; o = o->next) {
        if (o->kind == c->kind && o->why == why && bz_view_eq(o->ecosystem, ecosystem))
            return o;
    }
    struct bz_match_open *o = bz_arena_zalloc(&m->ar, sizeof *o);
    if (o == NULL) {
        m->failed = true;
        return NULL;
    }
    *o = (struct bz_match_open){c->kind, ecosystem, why, c->name, 0, m->open};
    m->open = o;
    return o;
}

void bz_match_open(struct bz_match *m, const struct bz_match_index *x) {
    for (const struct bz_component *c = m->inv->first; c != NULL; c = c->next) {
        struct bz_view ecosystem = {0};
        const char *why = open_because(m, x, c, &ecosystem);
        struct bz_match_open *o = why == NULL ? NULL : open_group(m, c, why, ecosystem);
        if (o != NULL)
            o->n++;
    }
}
