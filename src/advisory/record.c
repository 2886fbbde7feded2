/* One record in OSV's form: what it is about, whether a version is affected, which rules it brings.
 * Source: ossf.github.io/osv-schema, "affected[].ranges[]" and "Evaluation". */
#include "advisory_int.h"

static enum bz_status bad(struct bz_diag *diag, const struct bz_json *at, const char *why) {
    bz_diag_set(diag, at == NULL ? 0 : at->off, why);
    return BZ_ESYNTAX;
}

static bool list_or_nothing(const struct bz_json *n) {
    return n == NULL || bz_json_is(n, BZ_JSON_ARRAY) || bz_json_is(n, BZ_JSON_NULL);
}

static const struct bz_json *first_of(const struct bz_json *list) {
    return bz_json_is(list, BZ_JSON_ARRAY) ? list->first : NULL;
}

/* ---- reading ---- */

static enum bz_status check_entry(const struct bz_json *entry, struct bz_diag *diag) {
    const struct bz_json *package = bz_json_get(entry, BZ_V("package"));
    const struct bz_json *ranges = bz_json_get(entry, BZ_V("ranges"));
    if (!bz_json_is(entry, BZ_JSON_OBJECT))
        return bad(diag, entry, "an entry of affected is no object");
    if (package != NULL && (bz_adv_text(package, BZ_V("name")).n == 0 ||
                            bz_adv_text(package, BZ_V("ecosystem")).n == 0))
        return bad(diag, package, "a package has no name or no ecosystem");
    if (!list_or_nothing(ranges) || !list_or_nothing(bz_json_get(entry, BZ_V("versions"))))
        return bad(diag, entry, "ranges and versions must be lists");
    for (const struct bz_json *r = first_of(ranges); r != NULL; r = r->next) {
        if (bz_adv_text(r, BZ_V("type")).n == 0 ||
            !bz_json_is(bz_json_get(r, BZ_V("events")), BZ_JSON_ARRAY))
            return bad(diag, r, "a range has no type or no events");
    }
    return BZ_OK;
}

/* The vector of the newest version that we can read. */
static void take_vectors(const struct bz_json *list, struct bz_advisory *a) {
    for (const struct bz_json *s = first_of(list); s != NULL; s = s->next) {
        struct bz_view text = bz_adv_text(s, BZ_V("score"));
        uint8_t score = 0;
        bool newer = a->vector.n == 0 || bz_view_starts(text, BZ_V("CVSS:4"));
        if (text.n > 0 && newer && bz_cvss_score(text, &score) == BZ_OK) {
            a->vector = text;
            a->score = score;
            a->severity = bz_rating_of_score(score);
        }
    }
}

static void take_severity(struct bz_advisory *a) {
    const struct bz_json *own = bz_json_get(a->json, BZ_V("database_specific"));
    take_vectors(bz_json_get(a->json, BZ_V("severity")), a);
    const struct bz_json *affected = bz_json_get(a->json, BZ_V("affected"));
    for (const struct bz_json *e = first_of(affected); e != NULL && a->vector.n == 0; e = e->next)
        take_vectors(bz_json_get(e, BZ_V("severity")), a);
    if (a->vector.n == 0)
        (void)bz_rating_from_name(bz_adv_text(own, BZ_V("severity")), &a->severity);
}

enum bz_status bz_advisory_read(const struct bz_json *record, struct bz_advisory *ret,
                                struct bz_diag *diag) {
    const struct bz_json *affected = bz_json_get(record, BZ_V("affected"));
    const struct bz_json *own = bz_json_get(record, BZ_V("database_specific"));
    const struct bz_json *withdrawn = bz_json_get(record, BZ_V("withdrawn"));
    struct bz_advisory a = {
        .json = record,
        .id = bz_adv_text(record, BZ_V("id")),
        .summary = bz_adv_text(record, BZ_V("summary")),
        .modified = bz_adv_text(record, BZ_V("modified")),
        .published = bz_adv_text(record, BZ_V("published")),
        .withdrawn = withdrawn != NULL && !bz_json_is(withdrawn, BZ_JSON_NULL),
        .kev = bz_json_is(bz_json_get(own, BZ_V("kev")), BZ_JSON_TRUE),
        .unsure = bz_adv_text(own, BZ_V("unsure")),
    };
    if (!bz_json_is(record, BZ_JSON_OBJECT) || a.id.n == 0)
        return bad(diag, record, "a record has no id");
    if (!list_or_nothing(affected) || !list_or_nothing(bz_json_get(record, BZ_V("aliases"))))
        return bad(diag, record, "affected and aliases must be lists");
    for (const struct bz_json *e = first_of(affected); e != NULL; e = e->next)
        BZ_TRY(check_entry(e, diag));
    if (a.summary.n == 0)
        a.summary = bz_adv_text(record, BZ_V("details"));
    take_severity(&a);
    *ret = a;
    return BZ_OK;
}

bool bz_advisory_name(const struct bz_advisory *a, size_t i, struct bz_view *ret) {
    const struct bz_json *n = first_of(bz_json_get(a->json, BZ_V("aliases")));
    *ret = a->id;
    for (; i > 0 && n != NULL; i--) {
        *ret = bz_json_str(n);
        n = n->next;
    }
    return i == 0;
}

bool bz_advisory_named(const struct bz_advisory *a, struct bz_view id) {
    struct bz_view name;
    for (size_t i = 0; bz_advisory_name(a, i, &name); i++) {
        if (bz_view_eq(name, id))
            return true;
    }
    return false;
}

/* ---- packages ---- */

/* Name without the release behind its colon. */
static struct bz_view base_of(struct bz_view ecosystem) {
    const uint8_t *colon = ecosystem.n == 0 ? NULL : memchr(ecosystem.p, ':', ecosystem.n);
    return bz_view_sub(ecosystem, 0, colon == NULL ? ecosystem.n : (size_t)(colon - ecosystem.p));
}

static bool same_ecosystem(struct bz_view a, struct bz_view b) {
    if (bz_view_eq(a, b))
        return true;
    struct bz_view x = base_of(a), y = base_of(b);
    return bz_view_eq(x, y) && (x.n == a.n || y.n == b.n);
}

static bool same_pypi(struct bz_view a, struct bz_view b) {
    uint8_t x[BZ_PACKAGE_NAME_MAX], y[BZ_PACKAGE_NAME_MAX];
    if (a.n > sizeof x || b.n > sizeof y)
        return bz_view_eq(a, b);
    return bz_view_eq(bz_view(x, bz_pypi_name(a, x)), bz_view(y, bz_pypi_name(b, y)));
}

static bool entry_is(const struct bz_json *entry, struct bz_view ecosystem, struct bz_view name) {
    const struct bz_json *package = bz_json_get(entry, BZ_V("package"));
    struct bz_view own = bz_adv_text(package, BZ_V("name"));
    if (package == NULL || !same_ecosystem(bz_adv_text(package, BZ_V("ecosystem")), ecosystem))
        return false;
    return bz_view_eq(own, name) || (bz_view_eq(ecosystem, BZ_V("PyPI")) && same_pypi(own, name));
}

bool bz_advisory_about(const struct bz_advisory *a, struct bz_view ecosystem, struct bz_view name) {
    const struct bz_json *affected = bz_json_get(a->json, BZ_V("affected"));
    for (const struct bz_json *e = first_of(affected); e != NULL; e = e->next) {
        if (entry_is(e, ecosystem, name))
            return true;
    }
    return false;
}

enum bz_status bz_ecosystem_scheme(struct bz_view ecosystem, enum bz_version_scheme *ret) {
    static const struct {
        struct bz_view name;
        enum bz_version_scheme scheme;
    } rows[] = {
        {BZ_V("PyPI"), BZ_VERSION_PEP440},      {BZ_V("npm"), BZ_VERSION_NPM},
        {BZ_V("Debian"), BZ_VERSION_DPKG},      {BZ_V("Ubuntu"), BZ_VERSION_DPKG},
        {BZ_V("crates.io"), BZ_VERSION_SEMVER}, {BZ_V("Go"), BZ_VERSION_SEMVER},
        {BZ_V("Hex"), BZ_VERSION_SEMVER},       {BZ_V("Pub"), BZ_VERSION_SEMVER},
        {BZ_V("SwiftURL"), BZ_VERSION_SEMVER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (bz_view_eq(base_of(ecosystem), rows[i].name)) {
            *ret = rows[i].scheme;
            return BZ_OK;
        }
    }
    return BZ_ENOTFOUND;
}

/* ---- versions ---- */

struct question {
    enum bz_version_scheme scheme;
    bool has_scheme;
    struct bz_view version;
};

/* PEP 440, "Version matching": a local label counts only against one that has a label too. */
static struct bz_view against(const struct question *q, struct bz_view other) {
    const uint8_t *plus = memchr(q->version.p, '+', q->version.n);
    if (q->scheme != BZ_VERSION_PEP440 || plus == NULL || memchr(other.p, '+', other.n) != NULL)
        return q->version;
    return bz_view(q->version.p, (size_t)(plus - q->version.p));
}

static enum bz_status compare(const struct question *q, struct bz_view other, int *ret) {
    if (other.n == 0)
        return BZ_ESYNTAX;
    return bz_version_cmp(q->scheme, against(q, other), other, ret);
}

static bool listed(const struct question *q, const struct bz_json *versions) {
    for (const struct bz_json *v = first_of(versions); v != NULL; v = v->next) {
        struct bz_view text = bz_json_str(v);
        int c = 1;
        if (text.n > 0 && (bz_view_eq(text, q->version) ||
                           (q->has_scheme && compare(q, text, &c) == BZ_OK && c == 0)))
            return true;
    }
    return false;
}

static bool same(const struct question *q, struct bz_view a, struct bz_view b, int *ret) {
    if (bz_view_eq(a, BZ_V("0")) || bz_view_eq(b, BZ_V("0"))) { /* "introduced: 0" is before all */
        *ret = bz_view_eq(b, BZ_V("0")) - bz_view_eq(a, BZ_V("0"));
        return true;
    }
    return bz_version_cmp(q->scheme, a, b, ret) == BZ_OK;
}

struct event {
    struct bz_view at;
    bool applies, vulnerable;
};

/* One event against the version. false: it cannot be compared. */
static bool read_event(const struct question *q, const struct bz_json *e, struct event *ret) {
    struct bz_view introduced = bz_adv_text(e, BZ_V("introduced"));
    struct bz_view fixed = bz_adv_text(e, BZ_V("fixed"));
    struct bz_view last = bz_adv_text(e, BZ_V("last_affected"));
    int c = 0;
    *ret = (struct event){.at = introduced.n > 0 ? introduced : fixed.n > 0 ? fixed : last};
    if (bz_json_get(e, BZ_V("limit")) != NULL)
        return true; /* looked at before */
    if (bz_view_eq(introduced, BZ_V("0"))) {
        ret->applies = ret->vulnerable = true;
        return true;
    }
    if (ret->at.n == 0 || compare(q, ret->at, &c) != BZ_OK)
        return false;
    ret->applies = introduced.n > 0 || fixed.n > 0 ? c >= 0 : c > 0;
    ret->vulnerable = introduced.n > 0;
    return true;
}

/* "limit": the range ends there, whatever the events say. "*" is no limit. */
static enum bz_affected within_limits(const struct question *q, const struct bz_json *events) {
    bool any = false;
    for (const struct bz_json *e = events->first; e != NULL; e = e->next) {
        struct bz_view limit = bz_adv_text(e, BZ_V("limit"));
        int c = 0;
        if (bz_json_get(e, BZ_V("limit")) == NULL)
            continue;
        any = true;
        if (bz_view_eq(limit, BZ_V("*")))
            return BZ_AFFECTED_YES;
        if (compare(q, limit, &c) != BZ_OK)
            return BZ_AFFECTED_UNKNOWN;
        if (c < 0)
            return BZ_AFFECTED_YES;
    }
    return any ? BZ_AFFECTED_NO : BZ_AFFECTED_YES;
}

static void lower_fix(const struct question *q, const struct bz_json *e, struct bz_view *fixed) {
    struct bz_view text = bz_adv_text(e, BZ_V("fixed"));
    int c = 0;
    if (text.n == 0 || compare(q, text, &c) != BZ_OK || c >= 0)
        return;
    if (fixed->n == 0 || (bz_version_cmp(q->scheme, text, *fixed, &c) == BZ_OK && c < 0))
        *fixed = text;
}

/* The last of the events, in the order of versions, that the version has reached decides; of two at
 * one version the one that stands later. So they need not be sorted. */
static enum bz_affected in_range(const struct question *q, const struct bz_json *range,
                                 struct bz_view *fixed) {
    const struct bz_json *events = bz_json_get(range, BZ_V("events"));
    struct event last = {0};
    int c = 0;
    enum bz_affected limits = within_limits(q, events);
    if (limits != BZ_AFFECTED_YES)
        return limits;
    for (const struct bz_json *e = events->first; e != NULL; e = e->next) {
        struct event now;
        if (!read_event(q, e, &now))
            return BZ_AFFECTED_UNKNOWN;
        if (!now.applies)
            continue;
        if (last.applies && !same(q, now.at, last.at, &c))
            return BZ_AFFECTED_UNKNOWN;
        if (!last.applies || c >= 0)
            last = now;
    }
    if (!last.vulnerable)
        return BZ_AFFECTED_NO;
    for (const struct bz_json *e = events->first; e != NULL; e = e->next)
        lower_fix(q, e, fixed);
    return BZ_AFFECTED_YES;
}

/* The scheme of a range, or that it cannot be judged: commits need the history of the source. */
static bool range_scheme(struct question *q, const struct bz_json *entry,
                         const struct bz_json *range) {
    const struct bz_json *package = bz_json_get(entry, BZ_V("package"));
    const struct bz_json *own = bz_json_get(entry, BZ_V("ecosystem_specific"));
    struct bz_view name = bz_adv_text(own, BZ_V("scheme"));
    struct bz_view type = bz_adv_text(range, BZ_V("type"));
    struct bz_view ecosystem = bz_adv_text(package, BZ_V("ecosystem"));
    q->has_scheme = false;
    if (range != NULL && bz_view_eq(type, BZ_V("GIT")))
        return false;
    if (name.n > 0)
        q->has_scheme = bz_version_scheme_find(name, &q->scheme) == BZ_OK;
    else if (bz_ecosystem_scheme(ecosystem, &q->scheme) == BZ_OK)
        q->has_scheme = true;
    else if (bz_view_eq(type, BZ_V("SEMVER"))) {
        q->scheme = BZ_VERSION_SEMVER;
        q->has_scheme = true;
    }
    return q->has_scheme;
}

static enum bz_affected entry_affects(struct question *q, const struct bz_json *entry,
                                      struct bz_view *ret_fixed) {
    enum bz_affected found = BZ_AFFECTED_NO;
    const struct bz_json *versions = bz_json_get(entry, BZ_V("versions"));
    struct bz_view fixed = {0};
    bool commits_only = first_of(versions) == NULL;
    const struct bz_json *ranges = bz_json_get(entry, BZ_V("ranges"));
    for (const struct bz_json *r = first_of(ranges); r != NULL; r = r->next) {
        if (bz_view_eq(bz_adv_text(r, BZ_V("type")), BZ_V("GIT")))
            continue;
        enum bz_affected now =
            range_scheme(q, entry, r) ? in_range(q, r, &fixed) : BZ_AFFECTED_UNKNOWN;
        commits_only = false;
        if (now == BZ_AFFECTED_YES || (now == BZ_AFFECTED_UNKNOWN && found == BZ_AFFECTED_NO))
            found = now;
    }
    if (commits_only)
        return BZ_AFFECTED_UNKNOWN;
    (void)range_scheme(q, entry, NULL);
    if (found != BZ_AFFECTED_YES && listed(q, versions))
        found = BZ_AFFECTED_YES;
    if (found == BZ_AFFECTED_YES && fixed.n > 0)
        *ret_fixed = fixed;
    return found;
}

enum bz_affected bz_advisory_affects(const struct bz_advisory *a, struct bz_view ecosystem,
                                     struct bz_view name, struct bz_view version,
                                     struct bz_view *ret_fixed) {
    struct question q = {.version = version};
    enum bz_affected found = BZ_AFFECTED_NO;
    const struct bz_json *affected = bz_json_get(a->json, BZ_V("affected"));
    *ret_fixed = (struct bz_view){0};
    if (a->withdrawn)
        return BZ_AFFECTED_NO;
    for (const struct bz_json *e = first_of(affected); e != NULL; e = e->next) {
        if (!entry_is(e, ecosystem, name))
            continue;
        if (version.n == 0)
            return BZ_AFFECTED_UNKNOWN;
        enum bz_affected now = entry_affects(&q, e, ret_fixed);
        if (now == BZ_AFFECTED_YES)
            return now;
        if (now == BZ_AFFECTED_UNKNOWN)
            found = now;
    }
    return found;
}
