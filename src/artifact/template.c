/* A chat template's check from end to end, and template files as a format. */
#include "template_int.h"
#include "text_int.h"

#include <bartizan/text.h>

const struct bz_rule bz_template_rules[TPL_R_COUNT + 1] = {
    [TPL_R_BLOB] = {"TPL-BLOB", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS,
                    "a long run of encoded text in a template",
                    "carries something past reviewers; the model or a filter decodes it",
                    "decode it and look; compare with the publisher's template", ""},
    [TPL_R_COMPUTED] = {"TPL-COMPUTED", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS,
                        "an attribute whose name is put together at run time",
                        "reaches any attribute, Python's internals too, past checks of names",
                        "use the publisher's template; render it in a sandboxed environment only",
                        "CWE-1336"},
    [TPL_R_COSTLY] = {"TPL-COSTLY", BZ_SEVERITY_MEDIUM, BZ_RULE_UNCHECKED,
                      "a template that takes too many steps to follow",
                      "unknown: it was looked at only in part", "use the publisher's template", ""},
    [TPL_R_DOS] = {"TPL-DOS", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "work or memory without a bound",
                   "every request makes the server compute for minutes or run out of memory",
                   "use the publisher's template", "CWE-834"},
    [TPL_R_DUNDER] = {"TPL-CODE", BZ_SEVERITY_CRITICAL, BZ_RULE_MALICIOUS,
                      "reaches Python's internals",
                      "runs any code in the server that renders it without a sandbox",
                      "do not load the model; tell its publisher", "CVE-2024-34359"},
    [TPL_R_ESCAPED] = {"TPL-ESCAPED", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS,
                       "letters written as escapes",
                       "hides a word from whoever searches the template",
                       "read it decoded; compare with the publisher's template", "CWE-506"},
    [TPL_R_GATED] = {"TPL-GATED", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS,
                     "text that is added only when a message says a certain thing",
                     "a backdoor: on its trigger the model is told what to do, unseen by the user",
                     "use the publisher's template", "CWE-506"},
    [TPL_R_GLOBALS] = {"TPL-GLOBALS", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS,
                       "goes into a function of the template engine",
                       "from there every module of the server can be reached",
                       "do not load the model; tell its publisher", "CWE-1336"},
    [TPL_R_HOMOGLYPH] = {"TPL-HOMOGLYPH", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS,
                         "a word of letters from two alphabets that look alike",
                         "reads as another word than it is",
                         "compare with the publisher's template", "CWE-1007"},
    [TPL_R_INCLUDE] = {"TPL-INCLUDE", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "takes in another file",
                       "reads files of the server into the prompt", "use the publisher's template",
                       "CWE-98"},
    [TPL_R_INSTRUCTION] = {"TPL-INSTRUCTION", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS,
                           "an instruction against the user or the model's other instructions",
                           "stands in every prompt, unseen by the user and by filters in front",
                           "use the publisher's template", "CWE-506"},
    [TPL_R_INVISIBLE] = {"TPL-INVISIBLE", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS,
                         "characters that are not shown or turn the text around",
                         "the model reads something else than a reviewer",
                         "look at it escaped; compare with the publisher's template",
                         "CVE-2021-42574"},
    [TPL_R_KNOWN] = {"TPL-KNOWN", BZ_SEVERITY_INFO, BZ_RULE_NOTE, "a template that is known",
                     "nothing: it is its publisher's, byte for byte", "nothing", ""},
    [TPL_R_LARGE] = {"TPL-LARGE", BZ_SEVERITY_LOW, BZ_RULE_NOTE, "an unusually long template",
                     "nothing by itself", "compare with the publisher's template", ""},
    [TPL_R_PRIVATE] = {"TPL-PRIVATE", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS,
                       "an attribute that begins with an underscore",
                       "sandboxes refuse it, others hand out what is not meant for templates",
                       "use the publisher's template", "CWE-1336"},
    [TPL_R_PYTHON] = {"TPL-PYTHON", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS,
                      "a module, a function or an attribute that no template needs",
                      "runs commands, opens files or reads settings where the engine has it",
                      "do not load the model; tell its publisher", "CWE-1336"},
    [TPL_R_REWRITE] = {"TPL-REWRITE", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS,
                       "replaces what a message says by other words",
                       "the model answers another question than the one that was asked",
                       "use the publisher's template", "CWE-506"},
    [TPL_R_SPELLED] = {"TPL-SPELLED", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS,
                       "the name of a Python internal as a string",
                       "is what an attack needs that passes names as values",
                       "use the publisher's template", "CWE-1336"},
    [TPL_R_SYNTAX] = {"TPL-SYNTAX", BZ_SEVERITY_MEDIUM, BZ_RULE_UNCHECKED,
                      "not a template that Jinja reads", "unknown: another engine may read it",
                      "use the publisher's template", ""},
    [TPL_R_TAGS] = {"TPL-TAGS", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS,
                    "text in characters that have no shape (tags, variation selectors)",
                    "the model reads it, nobody sees it", "do not load the model", "CWE-506"},
    [TPL_R_URL] = {"TPL-URL", BZ_SEVERITY_INFO, BZ_RULE_NOTE, "an address in a template",
                   "nothing by itself: the model may hand it on",
                   "check that it is the publisher's", ""},
    [TPL_R_COUNT] = {.id = NULL},
};

/* ---- one template ---------------------------------------------------------------------------- */

/* What stands in front of an error or could not be followed: names at least. */
static void names_only(struct tpl *t, struct bz_view text) {
    for (size_t i = 0; i + 5 < text.n; i++) {
        const uint8_t *p = memchr(text.p + i, '_', text.n - i);
        if (p == NULL)
            break;
        i = (size_t)(p - text.p);
        if (tpl_has_dunder(bz_view_sub(text, i, 40))) {
            tpl_found(t, TPL_R_DUNDER, (uint32_t)i, bz_view_sub(text, i, 40));
            break;
        }
    }
}

static void address(struct tpl *t, struct bz_view text) {
    const uint8_t *p = text.n == 0 ? NULL : memmem(text.p, text.n, "http", 4);
    while (p != NULL && p + 7 < text.p + text.n) {
        size_t off = (size_t)(p - text.p), n = 0;
        struct bz_view v = bz_view_sub(text, off, 200);
        if (bz_view_starts(v, BZ_V("http://")) || bz_view_starts(v, BZ_V("https://"))) {
            while (n < v.n && v.p[n] > ' ' && v.p[n] < 0x7f &&
                   strchr("\"'<>{}|\\`", v.p[n]) == NULL)
                n++;
            tpl_found(t, TPL_R_URL, (uint32_t)off, bz_view_sub(v, 0, n));
            return;
        }
        p = memmem(p + 4, text.n - off - 4, "http", 4);
    }
}

static void instruction(struct tpl *t, const struct tpl_text *x) {
    struct bz_view where;
    if (x->n > 0 && t->st == BZ_OK && tpl_says(t, bz_view(x->p, x->n), &where) == TS_ORDER)
        tpl_found(t, TPL_R_INSTRUCTION, 0, where);
}

static void run(struct tpl *t, struct bz_view text, const struct jinja_tree *tree) {
    t->out = &t->root;
    t->body = tree->body;
    t->product = 1;
    tpl_run(t, tree->body);
    tpl_uncalled(t);
    instruction(t, &t->root);
    instruction(t, &t->apart);
    if (t->spent) {
        tpl_found(t, TPL_R_COSTLY, 0, BZ_V("steps"));
        names_only(t, text);
    }
}

static enum bz_status tell(struct bz_scan *s, struct bz_view name, struct bz_view text,
                           const uint8_t digest[BZ_HASH_LEN]) {
    const struct bz_facts *f = bz_scan_options(s)->facts;
    if (f != NULL && f->chat_template != NULL)
        f->chat_template(f->ctx, name, text, digest);
    return BZ_OK;
}

static enum bz_status check(struct bz_scan *s, const struct bz_object *o, struct bz_view text,
                            const struct jinja_tree *tree, enum bz_status parsed,
                            const struct bz_diag *diag, const char *known) {
    struct tpl *t = bz_arena_zalloc(bz_scan_arena(s), sizeof *t);
    if (t == NULL)
        return BZ_ENOMEM;
    t->s = s;
    t->o = o;
    t->ar = bz_scan_arena(s);
    t->known = known != NULL;
    if (known != NULL)
        tpl_found(t, TPL_R_KNOWN, 0, bz_view_str(known));
    tpl_look(t, text);
    address(t, text);
    if (text.n > BZ_TEMPLATE_LARGE)
        tpl_found(t, TPL_R_LARGE, 0, BZ_V(""));
    run(t, text, tree);
    if (parsed != BZ_OK) {
        tpl_found(t, TPL_R_SYNTAX, (uint32_t)diag->offset, bz_view_str(diag->why));
        names_only(t, text);
    }
    (void)bz_scan_steps(s, o, t->steps + tree->nodes);
    return t->st;
}

enum bz_status bz_template_check(struct bz_scan *s, const struct bz_object *o, struct bz_view name,
                                 struct bz_view text) {
    struct bz_object at = *o;
    struct jinja_tree tree;
    struct bz_diag diag = {0, ""};
    uint8_t digest[BZ_HASH_LEN];
    if (text.n > BZ_TEMPLATE_MAX)
        return bz_scan_left_out(s, o, 0, "cap: bytes of a chat template");
    if (name.n > 0) {
        size_t n = o->place.n + (o->place.n > 0) + name.n;
        uint8_t *p = bz_arena_alloc(bz_scan_arena(s), n);
        if (p == NULL)
            return BZ_ENOMEM;
        if (o->place.n > 0) {
            memcpy(p, o->place.p, o->place.n);
            p[o->place.n] = '!';
        }
        memcpy(p + n - name.n, name.p, name.n);
        at.place = bz_view(p, n);
    }
    bz_template_digest(text, digest);
    BZ_TRY(tell(s, name, text, digest));
    enum bz_status st = jinja_parse(bz_scan_arena(s), text, &tree, &diag);
    if (st == BZ_ENOMEM)
        return st;
    return check(s, &at, text, &tree, st, &diag, bz_template_known(digest));
}

/* ---- files ----------------------------------------------------------------------------------- */

static size_t first_tag(struct bz_view head) {
    for (size_t i = 0; i + 1 < head.n; i++) {
        if (head.p[i] == '{' &&
            (head.p[i + 1] == '%' || head.p[i + 1] == '{' || head.p[i + 1] == '#'))
            return i;
    }
    return SIZE_MAX;
}

static size_t first_char(struct bz_view head) {
    size_t i = bz_view_starts(head, BZ_V("\xef\xbb\xbf")) ? 3 : 0;
    while (i < head.n && (head.p[i] == ' ' || (head.p[i] >= '\t' && head.p[i] <= '\r')))
        i++;
    return i;
}

/* Text that begins with a tag, or has one soon that loops over messages. */
static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    struct bz_view head = o->head;
    (void)s;
    size_t start = first_char(head), tag = first_tag(head);
    if (tag == SIZE_MAX || memchr(head.p, 0, head.n) != NULL)
        return BZ_PROBE_NO;
    if (tag == start)
        return BZ_PROBE_MAYBE;
    bool source = head.p[start] == '#' || head.p[start] == '"' || head.p[start] == '{' ||
                  bz_view_starts(bz_view_sub(head, start, 8), BZ_V("import ")) ||
                  bz_view_starts(bz_view_sub(head, start, 8), BZ_V("from ")) ||
                  bz_view_starts(bz_view_sub(head, start, 8), BZ_V("def "));
    bool loops = memmem(head.p, head.n, "in messages", 11) != NULL ||
                 memmem(head.p, head.n, "messages[", 9) != NULL;
    bool dunder = memmem(head.p, head.n, "__", 2) != NULL;
    return !source && (loops || dunder) && tag < 1024 ? BZ_PROBE_MAYBE : BZ_PROBE_NO;
}

/* A file that says it is one or only looks like one: other text with braces is none. */
static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct jinja_tree tree;
    struct bz_diag diag = {0, ""};
    if (o->src.size > BZ_TEMPLATE_MAX)
        return o->sure ? bz_scan_left_out(s, o, 0, "cap: bytes of a chat template") : BZ_ENOTFOUND;
    size_t n = (size_t)o->src.size;
    uint8_t *p = bz_arena_alloc(bz_scan_arena(s), n + 1);
    if (p == NULL)
        return BZ_ENOMEM;
    BZ_TRY(bz_source_exact(&o->src, 0, p, n));
    struct bz_view text = bz_view(p, n);
    if (bz_utf8_valid(text) != n)
        return BZ_ENOTFOUND;
    /* a configuration with a template in it: the reader of YAML hands that one on */
    if (!o->sure && first_tag(text) != first_char(text) && bz_yaml_mapping(bz_scan_arena(s), text))
        return BZ_ENOTFOUND;
    enum bz_status st = jinja_parse(bz_scan_arena(s), text, &tree, &diag);
    if (st == BZ_ENOMEM)
        return st;
    /* "{{" also begins templates of Go and others, "{%" only those of Jinja's kind */
    bool is_block = bz_view_starts(bz_view_sub(text, first_char(text), 2), BZ_V("{%"));
    if (st != BZ_OK && !o->sure && !tpl_has_dunder(text) && tree.nodes < 8 && !is_block)
        return BZ_ENOTFOUND;
    return bz_template_check(s, o, BZ_V(""), text);
}

const struct bz_format bz_format_jinja = {
    .name = "jinja",
    .what = "chat template",
    .probe = probe,
    .scan = scan,
    .rules = bz_template_rules,
};
