/* Package managers' own records. */
#include <bartizan/text.h>
#include "inventory_int.h"

/* ---- dpkg: stanzas of "Field: value", continued by blanks, parted by empty lines ---- */

struct stanza {
    struct bz_view name, version, arch, source, status, maintainer, homepage;
};

static void take_field(struct stanza *s, struct bz_view line) {
    const struct {
        struct bz_view name;
        struct bz_view *to;
    } fields[] = {
        {BZ_V("Package"), &s->name},      {BZ_V("Version"), &s->version},
        {BZ_V("Architecture"), &s->arch}, {BZ_V("Source"), &s->source},
        {BZ_V("Status"), &s->status},     {BZ_V("Maintainer"), &s->maintainer},
        {BZ_V("Homepage"), &s->homepage},
    };
    struct bz_view name, value;
    if (line.p[0] == ' ' || line.p[0] == '\t' || !bz_inv_header(line, &name, &value))
        return;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].to->n == 0 && bz_view_eq_nocase(name, fields[i].name))
            *fields[i].to = value;
    }
}

/* The third word of Status: files are there unless it says not-installed or config-files. Images
 * without a package manager have no such line. */
static bool installed(struct bz_view status) {
    struct bz_view not = BZ_V(" not-installed"), left = BZ_V(" config-files");
    bool ends_not =
        status.n >= not .n && bz_view_eq(bz_view_sub(status, status.n - not .n, not .n), not );
    bool ends_left =
        status.n >= left.n && bz_view_eq(bz_view_sub(status, status.n - left.n, left.n), left);
    return !ends_not && !ends_left;
}

static void put_stanza(struct bz_inventory *inv, const struct stanza *s, struct bz_view path,
                       struct bz_view distro) {
    if (s->name.n == 0 || !installed(s->status))
        return;
    struct bz_component *c = bz_inv_named(inv, BZ_COMPONENT_DEB, s->name, s->version, path);
    if (c == NULL)
        return;
    c->arch = bz_inventory_text(inv, s->arch);
    c->supplier = bz_inventory_text(inv, s->maintainer);
    c->homepage = bz_inventory_text(inv, s->homepage);
    c->distro = bz_inventory_text(inv, distro);
    if (s->source.n == 0)
        return;
    /* "Source: name (version)" */
    const uint8_t *open = memchr(s->source.p, '(', s->source.n);
    size_t n = open == NULL ? s->source.n : (size_t)(open - s->source.p);
    c->source = bz_inventory_text(inv, bz_view_sub(s->source, 0, n));
    struct bz_view version = bz_view_sub(s->source, n + 1, s->source.n);
    if (version.n > 1 && version.p[version.n - 1] == ')')
        c->source_version = bz_inventory_text(inv, bz_view_sub(version, 0, version.n - 1));
}

void bz_inventory_dpkg(struct bz_inventory *inv, struct bz_view text, struct bz_view path,
                       struct bz_view distro) {
    struct stanza s = {0};
    struct bz_view line;
    while (bz_inv_line(&text, &line)) {
        if (bz_inv_trim(line).n == 0) {
            put_stanza(inv, &s, path, distro);
            s = (struct stanza){0};
        } else {
            take_field(&s, line);
        }
    }
    put_stanza(inv, &s, path, distro);
}

/* ---- Python: a mail's headers. Source: packaging.python.org, "Core metadata specifications" ---- */

struct metadata {
    struct bz_view name, version, licence, expression, author, author_email, home, summary,
        classifier;
};

static void take_header(struct metadata *m, struct bz_view line) {
    const struct {
        struct bz_view name;
        struct bz_view *to;
    } fields[] = {
        {BZ_V("Name"), &m->name},       {BZ_V("Version"), &m->version},
        {BZ_V("License"), &m->licence}, {BZ_V("License-Expression"), &m->expression},
        {BZ_V("Author"), &m->author},   {BZ_V("Author-email"), &m->author_email},
        {BZ_V("Home-page"), &m->home},  {BZ_V("Summary"), &m->summary},
    };
    struct bz_view name, value;
    if (line.p[0] == ' ' || line.p[0] == '\t' || !bz_inv_header(line, &name, &value))
        return;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].to->n == 0 && bz_view_eq_nocase(name, fields[i].name))
            *fields[i].to = value;
    }
    if (bz_view_eq_nocase(name, BZ_V("Classifier")) && bz_view_starts(value, BZ_V("License :: ")) &&
        bz_licence_spdx(value).n > 0)
        m->classifier = value;
}

static struct bz_view licence_of(const struct metadata *m) {
    if (m->expression.n > 0)
        return m->expression;
    struct bz_view known = bz_licence_spdx(m->licence);
    if (known.n == 0)
        known = bz_licence_spdx(m->classifier);
    if (known.n > 0)
        return known;
    return bz_view_eq_nocase(m->licence, BZ_V("UNKNOWN")) ? (struct bz_view){0} : m->licence;
}

struct bz_component *bz_inventory_python(struct bz_inventory *inv, struct bz_view text,
                                         struct bz_view path) {
    struct metadata m = {0};
    struct bz_view line;
    while (bz_inv_line(&text, &line) && bz_inv_trim(line).n > 0)
        take_header(&m, line);
    struct bz_component *c = bz_inv_named(inv, BZ_COMPONENT_PYPI, m.name, m.version, path);
    if (c == NULL)
        return NULL;
    c->licence = bz_inventory_text(inv, licence_of(&m));
    c->supplier = bz_inventory_text(inv, m.author.n > 0 ? m.author : m.author_email);
    c->homepage = bz_inventory_text(inv, m.home);
    c->summary = bz_inventory_text(inv, m.summary);
    return c;
}

void bz_inventory_direct_url(struct bz_inventory *inv, struct bz_component *c,
                             struct bz_view json) {
    struct bz_arena ar;
    const struct bz_json *root = bz_inv_json(inv, json, c->path, &ar);
    if (root != NULL)
        c->origin = bz_inventory_text(inv, bz_inv_member(root, BZ_V("url")));
    bz_arena_free(&ar);
}

/* ---- RECORD. Source: packaging.python.org, "Recording installed projects" ---- */

static bool csv_field(struct bz_view *line, struct bz_view *ret) {
    if (line->n > 0 && line->p[0] == '"') {
        const uint8_t *end = memchr(line->p + 1, '"', line->n - 1);
        if (end == NULL)
            return false;
        *ret = bz_view(line->p + 1, (size_t)(end - line->p) - 1);
        *line = bz_view_sub(*line, ret->n + 2, line->n);
        if (line->n > 0 && line->p[0] != ',')
            return false;
        *line = bz_view_sub(*line, 1, line->n);
        return true;
    }
    const uint8_t *comma = line->n == 0 ? NULL : memchr(line->p, ',', line->n);
    *ret = bz_view_sub(*line, 0, comma == NULL ? line->n : (size_t)(comma - line->p));
    *line = bz_view_sub(*line, ret->n + 1, line->n);
    return true;
}

enum bz_status bz_inventory_record(struct bz_view text, size_t *at, struct bz_record_line *ret) {
    struct bz_view rest = bz_view_sub(text, *at, text.n), line, digest;
    struct bz_record_line r = {0};
    do {
        if (!bz_inv_line(&rest, &line))
            return BZ_ENOTFOUND;
        *at = text.n - rest.n;
        line = bz_inv_trim(line);
    } while (line.n == 0);
    if (!csv_field(&line, &r.path) || !csv_field(&line, &digest) || r.path.n == 0)
        return BZ_ESYNTAX;
    struct bz_view prefix = BZ_V("sha256=");
    if (bz_view_starts(digest, prefix)) {
        size_t n = 0;
        BZ_TRY(
            bz_b64_decode(bz_view_sub(digest, prefix.n, digest.n), r.sha256, sizeof r.sha256, &n));
        r.has = n == sizeof r.sha256;
        if (!r.has)
            return BZ_ESYNTAX;
    }
    *ret = r;
    return BZ_OK;
}

/* ---- conda ---- */

static void take_sha256(struct bz_component *c, struct bz_view hex) {
    size_t n = 0;
    c->has_sha256 =
        bz_hex_decode(hex, c->sha256, sizeof c->sha256, &n) == BZ_OK && n == sizeof c->sha256;
}

static struct bz_view own_words(struct bz_view licence) {
    struct bz_view known = bz_licence_spdx(licence);
    return known.n > 0 ? known : licence;
}

/* "usr/conda" of "usr/conda/conda-meta/numpy-1.0.json" */
static struct bz_view environment_of(struct bz_view path) {
    for (int cut = 0; cut < 2; cut++) {
        const uint8_t *slash = path.n == 0 ? NULL : memrchr(path.p, '/', path.n);
        path = bz_view_sub(path, 0, slash == NULL ? 0 : (size_t)(slash - path.p));
    }
    return path;
}

/* The place of Python metadata that a file of a package belongs to; empty: to none. */
static struct bz_view python_place(struct bz_view file) {
    static const struct {
        struct bz_view end, kept; /* kept: what of the end belongs to the place */
    } ends[] = {{BZ_V(".dist-info/METADATA"), BZ_V(".dist-info")},
                {BZ_V(".egg-info/PKG-INFO"), BZ_V(".egg-info")},
                {BZ_V(".egg-info"), BZ_V(".egg-info")}};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t name = file.n - ends[i].end.n;
        if (file.n > ends[i].end.n && bz_view_eq(bz_view_sub(file, name, file.n), ends[i].end))
            return bz_view_sub(file, 0, name + ends[i].kept.n);
    }
    return (struct bz_view){0};
}

static void take_python(struct bz_inventory *inv, struct bz_component *c,
                        const struct bz_json *files) {
    struct bz_view env = environment_of(c->path);
    struct bz_component_file **end = &c->python;
    if (!bz_json_is(files, BZ_JSON_ARRAY))
        return;
    for (const struct bz_json *f = files->first; f != NULL; f = f->next) {
        char mem[BZ_INVENTORY_TEXT_MAX];
        struct bz_buf b;
        struct bz_view place = python_place(bz_json_str(f));
        if (place.n == 0)
            continue;
        bz_buf_init_fixed(&b, mem, sizeof mem);
        bz_buf_put(&b, env);
        bz_buf_puts(&b, env.n > 0 ? "/" : "");
        bz_buf_put(&b, place);
        *end = bz_arena_zalloc(&inv->ar, sizeof **end);
        if (*end == NULL) {
            inv->full = true;
            return;
        }
        if (bz_buf_status(&b) == BZ_OK) /* else a place that is never found */
            (*end)->path = bz_inventory_text(inv, bz_buf_view(&b));
        end = &(*end)->next;
    }
}

void bz_inventory_conda(struct bz_inventory *inv, struct bz_view json, struct bz_view path) {
    struct bz_arena ar;
    const struct bz_json *root = bz_inv_json(inv, json, path, &ar);
    struct bz_component *c =
        root == NULL ? NULL
                     : bz_inv_named(inv, BZ_COMPONENT_CONDA, bz_inv_member(root, BZ_V("name")),
                                    bz_inv_member(root, BZ_V("version")), path);
    if (c != NULL) {
        c->licence = bz_inventory_text(inv, own_words(bz_inv_member(root, BZ_V("license"))));
        c->origin = bz_inventory_text(inv, bz_inv_member(root, BZ_V("url")));
        c->supplier = bz_inventory_text(inv, bz_inv_member(root, BZ_V("channel")));
        c->arch = bz_inventory_text(inv, bz_inv_member(root, BZ_V("subdir")));
        take_sha256(c, bz_inv_member(root, BZ_V("sha256")));
        take_python(inv, c, bz_json_get(root, BZ_V("files")));
    }
    bz_arena_free(&ar);
}

/* ---- npm ---- */

/* "license": "MIT", or {"type": "MIT"} as old packages have it. */
static struct bz_view npm_licence(const struct bz_json *pkg) {
    const struct bz_json *l = bz_json_get(pkg, BZ_V("license"));
    struct bz_view v =
        bz_json_is(l, BZ_JSON_OBJECT) ? bz_inv_member(l, BZ_V("type")) : bz_json_str(l);
    return bz_licence_is_expression(v) ? v : own_words(v);
}

/* "node_modules/a/node_modules/@x/b" installs @x/b. */
static struct bz_view npm_name(struct bz_view key) {
    struct bz_view mark = BZ_V("node_modules/"), name = {0};
    while (key.n > 0) {
        const uint8_t *at = memmem(key.p, key.n, mark.p, mark.n);
        if (at == NULL)
            break;
        key = bz_view_sub(key, (size_t)(at - key.p) + mark.n, key.n);
        name = key;
    }
    return name;
}

static void npm_entry(struct bz_inventory *inv, const struct bz_json *e, struct bz_view name,
                      struct bz_view path) {
    struct bz_view version = bz_inv_member(e, BZ_V("version"));
    struct bz_view alias = bz_inv_member(e, BZ_V("name"));
    if (version.n == 0) /* a link to a folder of the project */
        return;
    struct bz_component *c =
        bz_inv_named(inv, BZ_COMPONENT_NPM, alias.n > 0 ? alias : name, version, path);
    if (c == NULL)
        return;
    c->origin = bz_inventory_text(inv, bz_inv_member(e, BZ_V("resolved")));
    c->licence = bz_inventory_text(inv, npm_licence(e));
}

/* lockfileVersion 1: packages within packages. `level` bounds it besides the parser's depth. */
static void npm_tree(struct bz_inventory *inv, const struct bz_json *deps, struct bz_view path,
                     int level) {
    if (!bz_json_is(deps, BZ_JSON_OBJECT) || level > 100)
        return;
    for (const struct bz_json *e = deps->first; e != NULL; e = e->next) {
        npm_entry(inv, e, e->key, path);
        npm_tree(inv, bz_json_get(e, BZ_V("dependencies")), path, level + 1);
    }
}

void bz_inventory_npm_lock(struct bz_inventory *inv, struct bz_view json, struct bz_view path) {
    struct bz_arena ar;
    const struct bz_json *root = bz_inv_json(inv, json, path, &ar);
    const struct bz_json *packages = bz_json_get(root, BZ_V("packages"));
    const struct bz_json *tree = bz_json_get(root, BZ_V("dependencies"));
    if (bz_json_is(packages, BZ_JSON_OBJECT)) {
        for (const struct bz_json *e = packages->first; e != NULL; e = e->next) {
            struct bz_view name = npm_name(e->key);
            if (name.n > 0)
                npm_entry(inv, e, name, path);
        }
    } else if (tree != NULL) {
        npm_tree(inv, tree, path, 0);
    } else if (root != NULL && bz_json_get(root, BZ_V("lockfileVersion")) == NULL) {
        bz_inventory_note(inv, path, "it is no lock file of npm");
    }
    bz_arena_free(&ar);
}

void bz_inventory_npm_package(struct bz_inventory *inv, struct bz_view json, struct bz_view path) {
    struct bz_arena ar;
    const struct bz_json *root = bz_inv_json(inv, json, path, &ar);
    struct bz_view name = bz_inv_member(root, BZ_V("name"));
    struct bz_view version = bz_inv_member(root, BZ_V("version"));
    /* Packages hold further package.json without a name or version: marks of a module type. */
    struct bz_component *c = name.n == 0 || version.n == 0
                                 ? NULL
                                 : bz_inv_named(inv, BZ_COMPONENT_NPM, name, version, path);
    if (c != NULL) {
        c->licence = bz_inventory_text(inv, npm_licence(root));
        c->homepage = bz_inventory_text(inv, bz_inv_member(root, BZ_V("homepage")));
        c->summary = bz_inventory_text(inv, bz_inv_member(root, BZ_V("description")));
    }
    bz_arena_free(&ar);
}
