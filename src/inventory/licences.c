/* Licences: the words that packages use for them, SPDX expressions, and lists of allowed ones.
 * Source: spdx.github.io/spdx-spec/v3.0.1, annex "SPDX license expressions". */
#include "inventory_int.h"

static const struct {
    struct bz_view words; /* as a whole, case does not count */
    struct bz_view id;
} known[] = {
    {BZ_V("apache 2.0"), BZ_V("Apache-2.0")},
    {BZ_V("apache-2.0"), BZ_V("Apache-2.0")},
    {BZ_V("apache2"), BZ_V("Apache-2.0")},
    {BZ_V("apache license 2.0"), BZ_V("Apache-2.0")},
    {BZ_V("apache license, version 2.0"), BZ_V("Apache-2.0")},
    {BZ_V("apache license version 2.0"), BZ_V("Apache-2.0")},
    {BZ_V("apache software license"), BZ_V("Apache-2.0")},
    {BZ_V("license :: osi approved :: apache software license"), BZ_V("Apache-2.0")},
    {BZ_V("mit"), BZ_V("MIT")},
    {BZ_V("mit license"), BZ_V("MIT")},
    {BZ_V("the mit license"), BZ_V("MIT")},
    {BZ_V("expat"), BZ_V("MIT")},
    {BZ_V("license :: osi approved :: mit license"), BZ_V("MIT")},
    {BZ_V("bsd-3-clause"), BZ_V("BSD-3-Clause")},
    {BZ_V("bsd 3-clause"), BZ_V("BSD-3-Clause")},
    {BZ_V("bsd 3-clause license"), BZ_V("BSD-3-Clause")},
    {BZ_V("new bsd license"), BZ_V("BSD-3-Clause")},
    {BZ_V("3-clause bsd"), BZ_V("BSD-3-Clause")},
    {BZ_V("bsd-2-clause"), BZ_V("BSD-2-Clause")},
    {BZ_V("bsd 2-clause license"), BZ_V("BSD-2-Clause")},
    {BZ_V("isc"), BZ_V("ISC")},
    {BZ_V("isc license"), BZ_V("ISC")},
    {BZ_V("license :: osi approved :: isc license (iscl)"), BZ_V("ISC")},
    {BZ_V("mpl-2.0"), BZ_V("MPL-2.0")},
    {BZ_V("mpl 2.0"), BZ_V("MPL-2.0")},
    {BZ_V("mozilla public license 2.0 (mpl 2.0)"), BZ_V("MPL-2.0")},
    {BZ_V("license :: osi approved :: mozilla public license 2.0 (mpl 2.0)"), BZ_V("MPL-2.0")},
    {BZ_V("psf"), BZ_V("PSF-2.0")},
    {BZ_V("psf-2.0"), BZ_V("PSF-2.0")},
    {BZ_V("license :: osi approved :: python software foundation license"), BZ_V("PSF-2.0")},
    {BZ_V("zlib"), BZ_V("Zlib")},
    {BZ_V("unlicense"), BZ_V("Unlicense")},
    {BZ_V("the unlicense"), BZ_V("Unlicense")},
    {BZ_V("cc0-1.0"), BZ_V("CC0-1.0")},
    {BZ_V("cc-by-4.0"), BZ_V("CC-BY-4.0")},
    {BZ_V("cc-by-sa-4.0"), BZ_V("CC-BY-SA-4.0")},
    {BZ_V("cc-by-nc-4.0"), BZ_V("CC-BY-NC-4.0")},
    {BZ_V("cc-by-nc-sa-4.0"), BZ_V("CC-BY-NC-SA-4.0")},
    {BZ_V("gpl-3.0"), BZ_V("GPL-3.0-only")},
    {BZ_V("gplv3"), BZ_V("GPL-3.0-only")},
    {BZ_V("gpl-2.0"), BZ_V("GPL-2.0-only")},
    {BZ_V("gplv2"), BZ_V("GPL-2.0-only")},
    {BZ_V("agpl-3.0"), BZ_V("AGPL-3.0-only")},
    {BZ_V("lgpl-3.0"), BZ_V("LGPL-3.0-only")},
    {BZ_V("lgpl-2.1"), BZ_V("LGPL-2.1-only")},
    {BZ_V("0bsd"), BZ_V("0BSD")},
    /* licences of models, which SPDX does not list */
    {BZ_V("llama2"), BZ_V("LicenseRef-llama2")},
    {BZ_V("llama3"), BZ_V("LicenseRef-llama3")},
    {BZ_V("llama3.1"), BZ_V("LicenseRef-llama3.1")},
    {BZ_V("llama3.2"), BZ_V("LicenseRef-llama3.2")},
    {BZ_V("llama3.3"), BZ_V("LicenseRef-llama3.3")},
    {BZ_V("gemma"), BZ_V("LicenseRef-gemma")},
    {BZ_V("openrail"), BZ_V("LicenseRef-openrail")},
    {BZ_V("creativeml-openrail-m"), BZ_V("LicenseRef-creativeml-openrail-m")},
    {BZ_V("bigscience-bloom-rail-1.0"), BZ_V("LicenseRef-bigscience-bloom-rail-1.0")},
};

/* Titles that whole texts of licences begin with, within the first lines. */
static const struct {
    const char *title, *also; /* both must be there */
    struct bz_view id;
} texts[] = {
    {"Apache License", "Version 2.0", BZ_V("Apache-2.0")},
    {"MIT License", "Permission is hereby granted", BZ_V("MIT")},
    {"Mozilla Public License", "2.0", BZ_V("MPL-2.0")},
    {"LLAMA 2 COMMUNITY LICENSE", "Llama 2", BZ_V("LicenseRef-llama2")},
    {"META LLAMA 3 COMMUNITY LICENSE", "Llama 3", BZ_V("LicenseRef-llama3")},
    {"LLAMA 3.1 COMMUNITY LICENSE", "Llama 3.1", BZ_V("LicenseRef-llama3.1")},
    {"LLAMA 3.2 COMMUNITY LICENSE", "Llama 3.2", BZ_V("LicenseRef-llama3.2")},
    {"LLAMA 3.3 COMMUNITY LICENSE", "Llama 3.3", BZ_V("LicenseRef-llama3.3")},
    {"Gemma Terms of Use", "Gemma", BZ_V("LicenseRef-gemma")},
};

static bool has(struct bz_view v, const char *word) {
    return v.n > 0 && memmem(v.p, v.n, word, strlen(word)) != NULL;
}

struct bz_view bz_licence_spdx(struct bz_view words) {
    struct bz_view v = bz_inv_trim(words);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (bz_view_eq_nocase(v, known[i].words))
            return known[i].id;
    }
    for (size_t i = 0; v.n > 80 && i < sizeof texts / sizeof texts[0]; i++) {
        struct bz_view head = bz_view_sub(v, 0, 400);
        if (has(head, texts[i].title) && has(bz_view_sub(v, 0, 2000), texts[i].also))
            return texts[i].id;
    }
    return (struct bz_view){0};
}

/* ---- expressions ---- */

/* Longer texts may have been cut when they were copied (BZ_INVENTORY_TEXT_MAX). */
enum { DEPTH_MAX = 16, EXPRESSION_MAX = 512 };

struct reader {
    struct bz_view rest, word; /* word: the token at hand; empty at the end */
    const struct bz_view *allowed;
    size_t n;
    int depth;
    bool bad;
};

static bool alnum(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void next(struct reader *r) {
    size_t n = 0;
    r->rest = bz_inv_trim(r->rest);
    if (r->rest.n > 0 && (r->rest.p[0] == '(' || r->rest.p[0] == ')'))
        n = 1;
    else
        while (n < r->rest.n && (alnum(r->rest.p[n]) || strchr("-.+:", r->rest.p[n]) != NULL))
            n++;
    r->bad = r->bad || (n == 0 && r->rest.n > 0);
    r->word = bz_view_sub(r->rest, 0, n);
    r->rest = bz_view_sub(r->rest, n, r->rest.n);
}

/* idstring: letters, digits, "-" and "."; one letter or digit at least. */
static bool id_string(struct bz_view v) {
    bool any = false;
    for (size_t i = 0; i < v.n; i++) {
        if (!alnum(v.p[i]) && v.p[i] != '-' && v.p[i] != '.')
            return false;
        any = any || alnum(v.p[i]);
    }
    return any;
}

/* ["DocumentRef-" idstring ":"] "LicenseRef-" idstring. */
static bool reference(struct bz_view v) {
    struct bz_view document = BZ_V("DocumentRef-"), licence = BZ_V("LicenseRef-");
    const uint8_t *colon = v.n == 0 ? NULL : memchr(v.p, ':', v.n);
    if (colon != NULL) {
        struct bz_view d = bz_view(v.p, (size_t)(colon - v.p));
        if (!bz_view_starts(d, document) || !id_string(bz_view_sub(d, document.n, d.n)))
            return false;
        v = bz_view_sub(v, d.n + 1, v.n);
    }
    return bz_view_starts(v, licence) && id_string(bz_view_sub(v, licence.n, v.n));
}

/* Words that say that there is no licence, or that nobody knows. */
static bool no_licence(struct bz_view v) {
    static const char *const words[] = {"NONE", "NOASSERTION", "UNLICENSED", "UNKNOWN"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (bz_view_eq_nocase(v, bz_view_str(words[i])))
            return true;
    }
    return false;
}

static bool simple(struct bz_view v) {
    if (reference(v))
        return true;
    if (v.n > 1 && v.p[v.n - 1] == '+') /* "or later" */
        v.n--;
    return id_string(v) && !bz_view_starts(v, BZ_V("LicenseRef-")) &&
           !bz_view_starts(v, BZ_V("DocumentRef-")) && !no_licence(v);
}

static bool is(const struct reader *r, struct bz_view word) {
    return bz_view_eq(r->word, word);
}

static bool keyword(const struct reader *r) {
    return is(r, BZ_V("AND")) || is(r, BZ_V("OR")) || is(r, BZ_V("WITH"));
}

static bool listed(const struct reader *r, struct bz_view id) {
    for (size_t i = 0; i < r->n; i++) {
        if (bz_view_eq_nocase(r->allowed[i], id))
            return true;
    }
    return false;
}

static bool any_of(struct reader *r);

static bool one(struct reader *r) {
    bool ok = false;
    if (is(r, BZ_V("("))) {
        next(r);
        r->bad = r->bad || ++r->depth > DEPTH_MAX;
        ok = !r->bad && any_of(r);
        r->depth--;
        r->bad = r->bad || !is(r, BZ_V(")"));
        next(r);
        return ok;
    }
    if (keyword(r) || !simple(r->word)) {
        r->bad = true;
        return false;
    }
    const struct bz_view id = r->word;
    next(r);
    if (!is(r, BZ_V("WITH")))
        return listed(r, id);
    next(r);
    r->bad = r->bad || keyword(r) || !id_string(r->word);
    const struct bz_view pair = bz_view(id.p, (size_t)(r->word.p - id.p) + r->word.n);
    ok = listed(r, pair) || listed(r, id);
    next(r);
    return ok;
}

static bool all_of(struct reader *r) {
    bool ok = one(r);
    while (!r->bad && is(r, BZ_V("AND"))) {
        next(r);
        ok = one(r) && ok;
    }
    return ok;
}

static bool any_of(struct reader *r) {
    bool ok = all_of(r);
    while (!r->bad && is(r, BZ_V("OR"))) {
        next(r);
        ok = all_of(r) || ok;
    }
    return ok;
}

static bool read_all(struct bz_view v, struct reader *r) {
    r->rest = v;
    r->bad = v.n == 0 || v.n > EXPRESSION_MAX;
    if (r->bad)
        return false;
    next(r);
    bool ok = any_of(r);
    r->bad = r->bad || r->word.n > 0 || r->rest.n > 0;
    return ok;
}

bool bz_licence_is_expression(struct bz_view v) {
    struct reader r = {0};
    (void)read_all(v, &r);
    return !r.bad;
}

enum bz_status bz_licence_allowed(struct bz_view expression, const struct bz_view *allowed,
                                  size_t n) {
    struct reader r = {.allowed = allowed, .n = n};
    bool ok = read_all(expression, &r);
    if (r.bad)
        return BZ_ESYNTAX;
    return ok ? BZ_OK : BZ_EDENIED;
}
