/* The schema of a rule file (docs/INJECTION-RULES.md): word lists, rules, their tests. */
#include "rules_yaml.h"

#define NONE ((struct bz_view){0})

/* ---- small values ---- */

static bool name_ok(struct bz_view v, size_t max) {
    if (v.n == 0 || v.n > max || v.p[0] < 'a' || v.p[0] > 'z')
        return false;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!ok)
            return false;
    }
    return true;
}

static enum bz_status read_name(struct source *s, const yaml_node_t *n, const char *what,
                                size_t max, struct bz_view *ret) {
    BZ_TRY(yaml_text(s, n, what, max, ret));
    if (name_ok(*ret, max))
        return BZ_OK;
    return yaml_fail(s, n, "'%s': small letters, digits, - and _ alone, a letter first", *ret);
}

/* "0", "1", "0.75": at most three digits behind the point. */
static bool score_of(struct bz_view v, float *ret) {
    unsigned n = 0, scale = 1;
    if (v.n == 0 || v.n > 5 || (v.p[0] != '0' && v.p[0] != '1') || v.n == 2)
        return false;
    n = (unsigned)(v.p[0] - '0');
    for (size_t i = 1; i < v.n; i++) {
        if (i == 1 ? v.p[i] != '.' : v.p[i] < '0' || v.p[i] > '9')
            return false;
        if (i > 1) {
            n = n * 10 + (unsigned)(v.p[i] - '0');
            scale *= 10;
        }
    }
    *ret = (float)n / (float)scale;
    return n <= scale;
}

static enum bz_status read_score_value(struct source *s, const yaml_node_t *n, float *ret) {
    struct bz_view v;
    BZ_TRY(yaml_text(s, n, "score", 16, &v));
    if (score_of(v, ret))
        return BZ_OK;
    return yaml_fail(s, n, "score '%s' is not a number from 0 to 1 with up to three decimals", v);
}

static enum bz_status read_score(struct source *s, const yaml_node_t *n, struct pk_rule *r) {
    static const char *const keys[] = {"user", "tool", "document"};
    if (!yaml_is_map(n)) {
        float v = 0;
        BZ_TRY(read_score_value(s, n, &v));
        for (size_t c = 0; c < BZ_CHANNEL_COUNT; c++)
            r->score[c] = v;
        return BZ_OK;
    }
    BZ_TRY(yaml_keys(s, n, keys, BZ_CHANNEL_COUNT));
    for (size_t c = 0; c < BZ_CHANNEL_COUNT; c++) {
        const yaml_node_t *v = yaml_get(s, n, keys[c]);
        if (v != NULL)
            BZ_TRY(read_score_value(s, v, &r->score[c]));
        else if ((r->channels >> c & 1) != 0)
            return yaml_fail(s, n, "score has no value for channel '%s', which the rule has",
                             bz_view_str(keys[c]));
    }
    return BZ_OK;
}

static enum bz_status read_channels(struct source *s, const yaml_node_t *n, struct pk_rule *r) {
    r->channels = (1u << BZ_CHANNEL_COUNT) - 1;
    if (n == NULL)
        return BZ_OK;
    if (!yaml_is_list(n) || yaml_entry(s, n, 0) == NULL)
        return yaml_fail(s, n, "channels: a list of user, tool, document is expected here", NONE);
    r->channels = 0;
    for (size_t i = 0; yaml_entry(s, n, i) != NULL; i++) {
        enum bz_channel c;
        const yaml_node_t *e = yaml_entry(s, n, i);
        if (!bz_channel_from_name(yaml_scalar(e), &c))
            return yaml_fail(s, e, "'%s' is not one of user, tool, document", yaml_scalar(e));
        r->channels |= 1u << c;
    }
    return BZ_OK;
}

/* ---- word lists ---- */

static enum bz_status read_phrases(struct source *s, const yaml_node_t *n, struct word_list *w) {
    size_t count = 0;
    if (!yaml_is_list(n) || yaml_entry(s, n, 0) == NULL)
        return yaml_fail(s, n, "words of '%s': a list of words is expected here", w->name);
    while (yaml_entry(s, n, count) != NULL)
        count++;
    struct phrase *v = bz_arena_zalloc(&s->m->ar, count * sizeof *v);
    if (v == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *e = yaml_entry(s, n, i);
        v[i].at = yaml_at(s, e);
        BZ_TRY(yaml_text(s, e, "a word", 256, &v[i].text));
    }
    return pattern_list(s->m, v, count, &w->list);
}

static enum bz_status add_list(struct source *s, struct bz_view name, struct bz_view lang,
                               const yaml_node_t *n, struct word_list **all) {
    struct word_list *w = bz_arena_zalloc(&s->m->ar, sizeof *w);
    if (w == NULL)
        return BZ_ENOMEM;
    *w = (struct word_list){name, lang, 0, *all};
    BZ_TRY(read_phrases(s, n, w));
    *all = w;
    return BZ_OK;
}

static enum bz_status read_languages_of(struct source *s, struct bz_view name, const yaml_node_t *n,
                                        struct word_list **all) {
    for (size_t i = 0; yaml_key(s, n, i) != NULL; i++) {
        const yaml_node_t *key = yaml_key(s, n, i);
        struct bz_view lang;
        BZ_TRY(read_name(s, key, "a language", LANG_MAX, &lang));
        for (size_t k = 0; k < i; k++) {
            if (bz_view_eq(yaml_scalar(yaml_key(s, n, k)), lang))
                return yaml_fail(s, key, "language '%s' stands here twice", lang);
        }
        BZ_TRY(add_list(s, name, lang, yaml_value(s, n, i), all));
    }
    return BZ_OK;
}

static enum bz_status read_words(struct source *s, const yaml_node_t *n, struct word_list **all) {
    if (n == NULL)
        return BZ_OK;
    if (!yaml_is_map(n))
        return yaml_fail(s, n, "words: names with lists of words are expected here", NONE);
    for (size_t i = 0; yaml_key(s, n, i) != NULL; i++) {
        const yaml_node_t *key = yaml_key(s, n, i);
        const yaml_node_t *value = yaml_value(s, n, i);
        struct bz_view name;
        BZ_TRY(read_name(s, key, "the name of a word list", 40, &name));
        for (size_t k = 0; k < i; k++) {
            if (bz_view_eq(yaml_scalar(yaml_key(s, n, k)), name))
                return yaml_fail(s, key, "the word list '%s' stands here twice", name);
        }
        if (yaml_is_map(value))
            BZ_TRY(read_languages_of(s, name, value, all));
        else
            BZ_TRY(add_list(s, name, BZ_V("any"), value, all));
    }
    return BZ_OK;
}

/* ---- rules ---- */

static enum bz_status add_pattern(struct source *s, const struct word_list *lists,
                                  const yaml_node_t *n, const yaml_node_t *languages,
                                  struct pattern_source src) {
    src.at = yaml_at(s, n);
    src.lang = BZ_V("any");
    BZ_TRY(yaml_text(s, n, "a pattern", 500, &src.text));
    if (languages == NULL)
        return pattern_add(s->m, lists, &src);
    if (!yaml_is_list(languages) || yaml_entry(s, languages, 0) == NULL)
        return yaml_fail(s, languages, "languages: a list such as [en, de] is expected here", NONE);
    for (size_t i = 0; yaml_entry(s, languages, i) != NULL; i++) {
        const yaml_node_t *e = yaml_entry(s, languages, i);
        BZ_TRY(read_name(s, e, "a language", LANG_MAX, &src.lang));
        BZ_TRY(pattern_add(s->m, lists, &src));
    }
    return BZ_OK;
}

static enum bz_status read_patterns(struct source *s, const struct word_list *lists,
                                    const yaml_node_t *rule, const char *key, uint32_t number) {
    static const char *const keys[] = {"languages", "pattern"};
    const yaml_node_t *n = yaml_get(s, rule, key);
    const yaml_node_t *languages = yaml_get(s, rule, "languages");
    bool unless = strcmp(key, "unless") == 0;
    struct pattern_source src = {.rule = number, .unless = unless};
    if (n == NULL && unless)
        return BZ_OK;
    if (!yaml_is_list(n) || yaml_entry(s, n, 0) == NULL)
        return yaml_fail(s, n == NULL ? rule : n, "%s: a list of patterns is expected here",
                         bz_view_str(key));
    for (size_t i = 0; yaml_entry(s, n, i) != NULL; i++) {
        const yaml_node_t *e = yaml_entry(s, n, i);
        if (!yaml_is_map(e)) {
            BZ_TRY(add_pattern(s, lists, e, unless ? NULL : languages, src));
            continue;
        }
        BZ_TRY(yaml_keys(s, e, keys, 2));
        if (yaml_get(s, e, "pattern") == NULL)
            return yaml_fail(s, e, "key 'pattern' is missing", NONE);
        BZ_TRY(add_pattern(s, lists, yaml_get(s, e, "pattern"), yaml_get(s, e, "languages"), src));
    }
    return BZ_OK;
}

static enum bz_status read_tests(struct source *s, const yaml_node_t *n, bool match, uint32_t rule,
                                 uint32_t rules) {
    struct rule_test t = {.rule = rule, .rules = rules, .match = match};
    if (n != NULL && !yaml_is_list(n))
        return yaml_fail(s, n, "a list of example texts is expected here", NONE);
    for (size_t i = 0; yaml_entry(s, n, i) != NULL; i++) {
        const yaml_node_t *e = yaml_entry(s, n, i);
        t.at = yaml_at(s, e);
        BZ_TRY(yaml_text(s, e, "an example", BZ_RULE_EXAMPLE_MAX, &t.text));
        t.text = bz_arena_dup(&s->m->ar, t.text); /* the document goes first */
        if (t.text.p == NULL)
            return BZ_ENOMEM;
        bz_buf_put(&s->m->tests, bz_view(&t, sizeof t));
    }
    return bz_buf_status(&s->m->tests);
}

static enum bz_status read_refs(struct source *s, const yaml_node_t *n, struct pk_rule *r) {
    struct bz_buf b;
    char text[200];
    bz_buf_init_fixed(&b, text, sizeof text);
    if (n == NULL)
        return BZ_OK;
    if (!yaml_is_list(n))
        return yaml_fail(s, n, "refs: a list such as [AML.T0051.000, LLM01:2025] is expected here",
                         NONE);
    for (size_t i = 0; yaml_entry(s, n, i) != NULL; i++) {
        struct bz_view v;
        BZ_TRY(yaml_text(s, yaml_entry(s, n, i), "a reference", 40, &v));
        bz_buf_puts(&b, i == 0 ? "" : " ");
        bz_buf_put(&b, v);
    }
    if (bz_buf_status(&b) != BZ_OK)
        return yaml_fail(s, n, "refs: 200 bytes in all at most", NONE);
    r->text[3] = packer_text(s->m, bz_buf_view(&b));
    r->n[3] = (uint32_t)b.n;
    return BZ_OK;
}

static bool id_known(const struct packer *m, struct bz_view id) {
    const struct pk_rule *all = (const void *)m->part[PK_RULES].p;
    for (uint32_t i = 0; i < pk_n(m, PK_RULES); i++) {
        if (bz_view_eq(bz_view(m->part[PK_TEXT].p + all[i].text[0], all[i].n[0]), id))
            return true;
    }
    return false;
}

static void set_text(struct packer *m, struct pk_rule *r, size_t which, struct bz_view v) {
    r->text[which] = packer_text(m, v);
    r->n[which] = (uint32_t)v.n;
}

static enum bz_status read_head(struct source *s, const yaml_node_t *n, const yaml_node_t *root,
                                struct pk_rule *r) {
    struct bz_view id, family, what;
    const yaml_node_t *f = yaml_get(s, n, "family");
    static const char *const needed[] = {"id", "what", "score", "match"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (yaml_get(s, n, needed[i]) == NULL)
            return yaml_fail(s, n, "key '%s' is missing", bz_view_str(needed[i]));
    }
    BZ_TRY(read_name(s, yaml_get(s, n, "id"), "id", 64, &id));
    if (id_known(s->m, id)) {
        enum bz_status st = yaml_fail(s, yaml_get(s, n, "id"),
                                      "a rule '%s' is there already; choose another id", id);
        return st == BZ_ESYNTAX ? BZ_EEXISTS : st;
    }
    f = f == NULL ? yaml_get(s, root, "family") : f;
    if (f == NULL)
        return yaml_fail(s, n, "key 'family' is missing, here and at the top of the file", NONE);
    BZ_TRY(read_name(s, f, "family", 40, &family));
    BZ_TRY(yaml_text(s, yaml_get(s, n, "what"), "what", 240, &what));
    set_text(s->m, r, 0, id);
    set_text(s->m, r, 1, family);
    set_text(s->m, r, 2, what);
    BZ_TRY(read_channels(s, yaml_get(s, n, "channels"), r));
    BZ_TRY(read_score(s, yaml_get(s, n, "score"), r));
    return read_refs(s, yaml_get(s, n, "refs"), r);
}

static enum bz_status read_rule(struct source *s, const yaml_node_t *root, const yaml_node_t *n,
                                const struct word_list *lists) {
    static const char *const keys[] = {"id",    "family", "languages", "patterns",
                                       "score", "unless", "channels",  "refs",
                                       "what",  "match",  "pass"};
    struct pk_rule r = {0};
    uint32_t number = pk_n(s->m, PK_RULES);
    BZ_TRY(yaml_keys(s, n, keys, sizeof keys / sizeof keys[0]));
    if (number == BZ_RULES_MAX)
        return yaml_fail(s, n, "too many rules in all; see docs/LIMITS.md", NONE);
    BZ_TRY(read_head(s, n, root, &r));
    BZ_TRY(read_patterns(s, lists, n, "patterns", number));
    r.unless = pk_n(s->m, PK_PATTERNS);
    BZ_TRY(read_patterns(s, lists, n, "unless", number));
    r.unless_n = pk_n(s->m, PK_PATTERNS) - r.unless;
    bz_buf_put(&s->m->part[PK_RULES], bz_view(&r, sizeof r));
    BZ_TRY(bz_buf_status(&s->m->part[PK_RULES]));
    if (yaml_entry(s, yaml_get(s, n, "match"), 0) == NULL)
        return yaml_fail(s, yaml_get(s, n, "match"), "match: at least one example is needed", NONE);
    BZ_TRY(read_tests(s, yaml_get(s, n, "match"), true, number, 1));
    return read_tests(s, yaml_get(s, n, "pass"), false, number, 1);
}

static enum bz_status read_file(struct source *s) {
    static const char *const keys[] = {"version", "about", "family", "words", "rules", "pass"};
    struct word_list *lists = NULL;
    struct bz_view about;
    uint32_t first = pk_n(s->m, PK_RULES);
    const yaml_node_t *root = yaml_document_get_root_node(&s->doc);
    if (root == NULL)
        return yaml_fail(s, root, "the file is empty", NONE);
    BZ_TRY(yaml_keys(s, root, keys, sizeof keys / sizeof keys[0]));
    const yaml_node_t *version = yaml_get(s, root, "version");
    if (!bz_view_eq(yaml_scalar(version), BZ_V("1")))
        return yaml_fail(s, version == NULL ? root : version, "'version: 1' is expected", NONE);
    if (yaml_get(s, root, "about") != NULL)
        BZ_TRY(yaml_text(s, yaml_get(s, root, "about"), "about", 2000, &about));
    BZ_TRY(read_words(s, yaml_get(s, root, "words"), &lists));
    const yaml_node_t *rules = yaml_get(s, root, "rules");
    if (!yaml_is_list(rules) || yaml_entry(s, rules, 0) == NULL)
        return yaml_fail(s, rules == NULL ? root : rules, "rules: a list of rules is expected",
                         NONE);
    for (size_t i = 0; yaml_entry(s, rules, i) != NULL; i++)
        BZ_TRY(read_rule(s, root, yaml_entry(s, rules, i), lists));
    return read_tests(s, yaml_get(s, root, "pass"), false, first, pk_n(s->m, PK_RULES) - first);
}

enum bz_status rules_read(struct packer *m, struct bz_view text) {
    struct source s = {.m = m};
    if (text.n > BZ_RULE_FILE_MAX) {
        (void)packer_fail(m, (struct mark){1, 1, m->file}, "the file is too big: 1 MiB at most",
                          NONE);
        return BZ_ETOOBIG;
    }
    BZ_TRY(yaml_load(&s, text));
    enum bz_status st = read_file(&s);
    yaml_document_delete(&s.doc);
    return st;
}
