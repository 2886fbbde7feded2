/* XML: PMML, OpenVINO and whatever else comes with a model. Entities are never expanded; that they
 * are there is the finding. A lexer is enough: names of elements, their attributes, text.
 * Sources: XML 1.0; XInclude 1.0; dmg.org PMML 4.4; OpenVINO IR documentation (opset versions). */
#include "pages.h"
#include "text_int.h"

#include <bartizan/limits.h>

static const struct bz_rule rules[] = {
    {"XML-EXTERNAL", BZ_SEVERITY_CRITICAL, BZ_RULE_MALICIOUS, "an entity taken from elsewhere",
     "a parser reads that file or address of the machine into the document", "do not load it",
     "CWE-611"},
    {"XML-DTD", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "a document type taken from elsewhere",
     "a parser fetches it and what it names", "remove the DOCTYPE", "CWE-611"},
    {"XML-BOMB", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "entities made of entities",
     "a small file becomes gigabytes in memory", "do not load it", "CWE-776"},
    {"XML-ENTITY", BZ_SEVERITY_LOW, BZ_RULE_SUSPICIOUS, "entities of its own",
     "each is replaced where it is named; model files need none", "write the text itself", ""},
    {"XML-INCLUDE", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "an inclusion of another file",
     "a parser reads that file or address of the machine into the document", "do not load it",
     "CWE-611"},
    {"XML-SCRIPT", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "code or commands in a model description",
     "runs in an evaluator that supports it", "do not load it", "CWE-94"},
    {"XML-STYLESHEET", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "a style sheet from elsewhere",
     "a viewer fetches and runs it", "remove it", ""},
    {"XML-MALFORMED", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "not well-formed XML",
     "each reader takes something else from it", "take the file from its origin again", ""},
    {"XML-DEEP", BZ_SEVERITY_MEDIUM, BZ_RULE_MALFORMED, "nested too deeply",
     "exhausts the stack of what reads it", "do not load it", "CWE-674"},
    {"OV-CUSTOM-OP", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "an operation of an extension",
     "needs a native library that is not part of the model", "use it only with code that you know",
     ""},
    {"OV-LIBRARY", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "a native library named in a model",
     "loads it into the process", "do not load it", "CWE-114"},
    {"OV-RANGE", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "weights beyond the end of their file",
     "reads memory that is not part of the model", "take both files from their origin again",
     "CWE-125"},
    {.id = NULL},
};
enum {
    EXTERNAL,
    DTD,
    ENTITY_BOMB,
    ENTITY,
    INCLUDE,
    SCRIPT,
    STYLESHEET,
    MALFORMED,
    DEEP,
    CUSTOM_OP,
    LIBRARY,
    RANGE
};
enum { DEPTH_MAX = 1000 };

struct xml {
    struct bz_scan *s;
    const struct bz_object *o;
    struct bz_view in;
    size_t at;
    unsigned depth;
    struct bz_view root;
    uint64_t weights; /* size of the .bin beside an OpenVINO model; UINT64_MAX: not known */
    bool pmml, openvino, said_script, said_custom, done;
};

static enum bz_status found(struct xml *x, int rule, size_t at, struct bz_view v) {
    return bz_scan_found(x->s, x->o, &rules[rule], at, v);
}

static bool space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static enum bz_status broken(struct xml *x, const char *why) {
    x->done = true;
    return found(x, MALFORMED, x->at, bz_view_str(why));
}

/* Behind the next `mark`; false: there is none. */
static bool skip_past(struct xml *x, struct bz_view mark) {
    const uint8_t *p = memmem(x->in.p + x->at, x->in.n - x->at, mark.p, mark.n);
    if (p == NULL)
        return false;
    x->at = (size_t)(p - x->in.p) + mark.n;
    return true;
}

/* ---- document type ------------------------------------------------------------------------------------ */

/* From `<!X` to its `>`, over quoted text; the view of what is between. */
static bool declaration(struct bz_view v, size_t from, size_t *ret_end) {
    uint8_t quote = 0;
    for (size_t i = from; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (quote != 0)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>') {
            *ret_end = i;
            return true;
        }
    }
    return false;
}

static bool quoted_after(struct bz_view v, struct bz_view word) {
    const uint8_t *p = v.n < word.n ? NULL : memmem(v.p, v.n, word.p, word.n);
    for (size_t i = p == NULL ? v.n : (size_t)(p - v.p) + word.n; i < v.n; i++) {
        if (v.p[i] == '"' || v.p[i] == '\'')
            return true;
        if (!space(v.p[i]))
            return false;
    }
    return false;
}

static bool from_elsewhere(struct bz_view v) {
    return quoted_after(v, BZ_V("SYSTEM")) || quoted_after(v, BZ_V("PUBLIC"));
}

static enum bz_status entities(struct xml *x, struct bz_view subset, size_t base) {
    unsigned nested = 0, all = 0;
    for (size_t i = 0; i < subset.n; i++) {
        size_t stop = 0;
        if (!bz_view_starts(bz_view_sub(subset, i, 8), BZ_V("<!ENTITY")))
            continue;
        if (!declaration(subset, i, &stop))
            return broken(x, "a declaration that does not end");
        struct bz_view d = bz_view_sub(subset, i + 8, stop - i - 8);
        const uint8_t *amp = d.n == 0 ? NULL : memchr(d.p, '&', d.n);
        if (from_elsewhere(d))
            BZ_TRY(found(x, EXTERNAL, base + i, d));
        all++;
        if (amp != NULL && memchr(amp, ';', (size_t)(d.p + d.n - amp)) != NULL && amp[1] != '#')
            nested++;
        i = stop;
    }
    if (nested >= 2)
        return found(x, ENTITY_BOMB, base, BZ_V(""));
    return all == 0 ? BZ_OK : found(x, ENTITY, base, BZ_V(""));
}

/* Published types that every parser knows, as drawings and PMML of before 3.0 have them. */
static bool public_type(struct bz_view head) {
    return bz_view_has(head, BZ_V("\"-//W3C//DTD ")) || bz_view_has(head, BZ_V("\"-//DMG//"));
}

static enum bz_status doctype(struct xml *x) {
    size_t from = x->at, open = 0, stop = 0;
    uint8_t quote = 0;
    unsigned inner = 0;
    for (size_t i = from; i < x->in.n && stop == 0; i++) {
        uint8_t c = x->in.p[i];
        if (quote != 0)
            quote = c == quote ? 0 : quote;
        else if (bz_view_starts(bz_view_sub(x->in, i, 4), BZ_V("<!--"))) {
            x->at = i;
            if (!skip_past(x, BZ_V("-->")))
                return broken(x, "a comment that does not end");
            i = x->at - 1;
        } else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '[' && open == 0)
            open = i;
        else if (c == '<')
            inner++;
        else if (c == '>' && inner > 0 && --inner == 0)
            stop = i;
    }
    if (stop == 0)
        return broken(x, "a document type that does not end");
    x->at = stop + 1;
    struct bz_view head = bz_view_sub(x->in, from, (open == 0 ? stop : open) - from);
    if (from_elsewhere(head) && !public_type(head))
        BZ_TRY(found(x, DTD, from, head));
    return open == 0 ? BZ_OK : entities(x, bz_view_sub(x->in, open, stop - open), open);
}

/* ---- elements ------------------------------------------------------------------------------------------- */

static bool code(struct bz_view v) {
    static const char *const marks[] = {"Runtime.getRuntime",
                                        "ProcessBuilder",
                                        "javax.script",
                                        "java.lang.Runtime",
                                        "java.lang.reflect",
                                        "ScriptEngine",
                                        "javascript:",
                                        "<script",
                                        "os.system",
                                        "subprocess",
                                        "__import__",
                                        "eval(",
                                        "exec(",
                                        "/bin/sh",
                                        "/bin/bash",
                                        "cmd.exe",
                                        "powershell",
                                        "file:///",
                                        "jndi:",
                                        "rmi://",
                                        "ldap://",
                                        NULL};
    for (const char *const *m = marks; *m != NULL; m++) {
        if (bz_view_has(v, bz_view_str(*m)))
            return true;
    }
    return bz_text_command(v);
}

static enum bz_status words(struct xml *x, size_t at, struct bz_view v) {
    if (x->said_script || v.n < 5 || !(x->pmml || x->openvino) || !code(v))
        return BZ_OK;
    x->said_script = true;
    return found(x, SCRIPT, at, v);
}

struct element {
    struct bz_view name;
    struct bz_view type, version, offset, size, href;
};

static bool attr_name(uint8_t c) {
    return !space(c) && c != '=' && c != '>' && c != '/' && c != '<';
}

/* One attribute. false: the tag ends here, or `why` is set. */
static bool attribute(struct xml *x, struct bz_view *name, struct bz_view *value,
                      const char **why) {
    while (x->at < x->in.n && space(x->in.p[x->at]))
        x->at++;
    size_t from = x->at;
    while (x->at < x->in.n && attr_name(x->in.p[x->at]))
        x->at++;
    *name = bz_view_sub(x->in, from, x->at - from);
    if (name->n == 0)
        return false;
    while (x->at < x->in.n && space(x->in.p[x->at]))
        x->at++;
    if (x->at >= x->in.n || x->in.p[x->at] != '=') {
        *why = "an attribute without a value";
        return false;
    }
    for (x->at++; x->at < x->in.n && space(x->in.p[x->at]); x->at++)
        ;
    uint8_t quote = x->at < x->in.n ? x->in.p[x->at] : 0;
    const uint8_t *end = quote != '"' && quote != '\''
                             ? NULL
                             : memchr(x->in.p + x->at + 1, quote, x->in.n - x->at - 1);
    if (end == NULL) {
        *why = "an attribute that does not end";
        return false;
    }
    from = x->at + 1;
    x->at = (size_t)(end - x->in.p) + 1;
    *value = bz_view_sub(x->in, from, x->at - 1 - from);
    return true;
}

static bool library(struct bz_view v) {
    static const char *const ends[] = {".so", ".dll", ".dylib", NULL};
    for (const char *const *e = ends; *e != NULL; e++) {
        struct bz_view end = bz_view_str(*e);
        if (v.n > end.n && bz_view_eq(bz_view_sub(v, v.n - end.n, end.n), end))
            return true;
    }
    return bz_view_has(v, BZ_V(".so."));
}

static struct bz_view local_name(struct bz_view v) {
    const uint8_t *colon = v.n == 0 ? NULL : memchr(v.p, ':', v.n);
    return colon == NULL ? v : bz_view_sub(v, (size_t)(colon - v.p) + 1, v.n);
}

/* The .bin beside an OpenVINO .xml. */
static void beside(struct xml *x) {
    const struct bz_scan_options *opt = bz_scan_options(x->s);
    struct bz_view name = x->o->name;
    struct bz_source src;
    uint8_t text[512];
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '/')
            name = bz_view_sub(name, i + 1, name.n), i = (size_t)-1;
    }
    if (opt->sibling == NULL || x->o->depth != 0 || name.n < 5 || name.n > sizeof text ||
        !bz_view_eq(bz_view_sub(name, name.n - 4, 4), BZ_V(".xml")))
        return;
    memcpy(text, name.p, name.n);
    memcpy(text + name.n - 3, "bin", 3);
    if (opt->sibling(opt->sibling_ctx, bz_view(text, name.n), &src) == BZ_OK)
        x->weights = src.size;
}

static bool standard_set(struct bz_view version) {
    static const char *const others[] = {"experimental", "ie_internal_opset", "type_relaxed_opset",
                                         NULL};
    return bz_view_starts(version, BZ_V("opset")) || bz_view_in(version, others);
}

static enum bz_status openvino(struct xml *x, size_t at, const struct element *e) {
    uint64_t off = 0, n = 0;
    if (bz_view_eq(e->name, BZ_V("layer")) && e->version.n != 0 && !x->said_custom &&
        !standard_set(e->version)) {
        x->said_custom = true;
        return found(x, CUSTOM_OP, at, e->type);
    }
    if (bz_view_eq(e->name, BZ_V("data")) && e->offset.n != 0 && e->size.n != 0 &&
        (bz_view_u64(e->offset, &off) != BZ_OK || bz_view_u64(e->size, &n) != BZ_OK ||
         off > x->weights || n > x->weights - off))
        return found(x, RANGE, at, e->offset);
    return BZ_OK;
}

static enum bz_status element(struct xml *x, size_t at, const struct element *e) {
    if (x->root.n == 0) {
        x->root = e->name;
        x->pmml = bz_view_eq(e->name, BZ_V("PMML"));
        x->openvino = bz_view_eq(e->name, BZ_V("net"));
        bz_scan_name(x->s, x->o, x->pmml ? "pmml" : x->openvino ? "openvino" : "xml");
        if (x->openvino)
            beside(x);
    }
    if (bz_view_eq(e->name, BZ_V("include")) && e->href.n != 0)
        return found(x, INCLUDE, at, e->href);
    if (x->pmml && bz_view_eq_nocase(e->name, BZ_V("script")))
        return found(x, SCRIPT, at, e->name);
    return x->openvino ? openvino(x, at, e) : BZ_OK;
}

static enum bz_status start_tag(struct xml *x) {
    size_t at = x->at++;
    struct element e = {.name = BZ_V("")};
    struct bz_view name = BZ_V(""), value = BZ_V("");
    const char *why = NULL;
    size_t from = x->at;
    while (x->at < x->in.n && attr_name(x->in.p[x->at]))
        x->at++;
    e.name = local_name(bz_view_sub(x->in, from, x->at - from));
    if (e.name.n == 0)
        return broken(x, "an element without a name");
    while (attribute(x, &name, &value, &why)) {
        struct bz_view key = local_name(name);
        if (bz_view_eq(key, BZ_V("type")))
            e.type = value;
        if (bz_view_eq(key, BZ_V("version")))
            e.version = value;
        if (bz_view_eq(key, BZ_V("offset")))
            e.offset = value;
        if (bz_view_eq(key, BZ_V("size")))
            e.size = value;
        if (bz_view_eq(key, BZ_V("href")))
            e.href = value;
        BZ_TRY(words(x, at, value));
        if (x->openvino && library(value))
            BZ_TRY(found(x, LIBRARY, at, value));
    }
    if (why != NULL)
        return broken(x, why);
    bool empty = x->at < x->in.n && x->in.p[x->at] == '/';
    x->at += empty;
    if (x->at >= x->in.n || x->in.p[x->at] != '>')
        return broken(x, "a tag that does not end");
    x->at++;
    if (!empty && ++x->depth > DEPTH_MAX) {
        x->done = true;
        return found(x, DEEP, at, BZ_V(""));
    }
    return element(x, at, &e);
}

static enum bz_status end_tag(struct xml *x) {
    if (x->depth == 0)
        return broken(x, "closes what was not opened");
    x->depth--;
    return skip_past(x, BZ_V(">")) ? BZ_OK : broken(x, "a tag that does not end");
}

static enum bz_status instruction(struct xml *x) {
    size_t from = x->at;
    if (!skip_past(x, BZ_V("?>")))
        return broken(x, "an instruction that does not end");
    struct bz_view v = bz_view_sub(x->in, from, x->at - from);
    return bz_view_starts(v, BZ_V("<?xml-stylesheet")) ? found(x, STYLESHEET, from, v) : BZ_OK;
}

static enum bz_status markup(struct xml *x) {
    struct bz_view v = bz_view_sub(x->in, x->at, 9);
    if (bz_view_starts(v, BZ_V("<!--")))
        return skip_past(x, BZ_V("-->")) ? BZ_OK : broken(x, "a comment that does not end");
    if (bz_view_starts(v, BZ_V("<![CDATA["))) {
        size_t from = x->at + 9;
        if (!skip_past(x, BZ_V("]]>")))
            return broken(x, "a section that does not end");
        return words(x, from, bz_view_sub(x->in, from, x->at - 3 - from));
    }
    if (bz_view_starts(v, BZ_V("<?")))
        return instruction(x);
    if (bz_view_starts(v, BZ_V("<!DOCTYPE")))
        return doctype(x);
    if (bz_view_starts(v, BZ_V("</")))
        return end_tag(x);
    return start_tag(x);
}

static enum bz_status walk(struct xml *x) {
    while (!x->done && x->at < x->in.n) {
        const uint8_t *lt = memchr(x->in.p + x->at, '<', x->in.n - x->at);
        size_t to = lt == NULL ? x->in.n : (size_t)(lt - x->in.p);
        BZ_TRY(words(x, x->at, bz_view_sub(x->in, x->at, to - x->at)));
        x->at = to;
        if (lt != NULL)
            BZ_TRY(markup(x));
    }
    if (!x->done && (x->depth != 0 || x->root.n == 0))
        return broken(x, "cut off");
    return BZ_OK;
}

/* ---- recognising ------------------------------------------------------------------------------------------ */

/* UTF-16 hides every name from who looks for bytes: what is ASCII of it is kept. Returns the bytes of a
 * unit, 1 or 2, and where the low half of one stands. */
static size_t unit(struct bz_view v, size_t *ret_low, size_t *ret_from) {
    *ret_low = 0;
    *ret_from = bz_view_starts(v, BZ_V("\xef\xbb\xbf")) ? 3 : 0;
    if (v.n < 4)
        return 1;
    bool le = v.p[0] == 0xff && v.p[1] == 0xfe, be = v.p[0] == 0xfe && v.p[1] == 0xff;
    if (le || be)
        *ret_from = 2;
    else if (v.p[0] == '<' && v.p[1] == 0)
        le = true;
    else if (v.p[0] == 0 && v.p[1] == '<')
        be = true;
    *ret_low = be ? 1 : 0;
    return le || be ? 2 : 1;
}

static struct bz_view narrow(uint8_t *to, struct bz_view v) {
    size_t low = 0, from = 0, n = 0, step = unit(v, &low, &from);
    for (size_t i = from; i + step <= v.n; i += step) {
        bool ascii = step == 1 || v.p[i + 1 - low] == 0;
        to[n++] = ascii ? v.p[i + low] : '?';
    }
    return bz_view(to, n);
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    static const char *const starts[] = {"<?xml", "<PMML", "<net ", "<!--", "<!DOCTYPE", NULL};
    uint8_t text[512];
    (void)s;
    struct bz_view v = narrow(text, bz_view_sub(o->head, 0, sizeof text));
    while (v.n != 0 && space(v.p[0]))
        v = bz_view_sub(v, 1, v.n);
    if (bz_view_eq_nocase(bz_view_sub(v, 0, 14), BZ_V("<!DOCTYPE html")))
        return BZ_PROBE_NO;
    for (const char *const *p = starts; *p != NULL; p++) {
        if (bz_view_starts(v, bz_view_str(*p)))
            return **p == '<' && ((*p)[1] == '?' || (*p)[1] == 'P') ? BZ_PROBE_YES : BZ_PROBE_MAYBE;
    }
    return BZ_PROBE_NO;
}

/* Comments and document types begin HTML and Markdown too: only a root element makes it XML. */
static bool is_xml(struct bz_view v) {
    return !bz_view_has(v, BZ_V("<html")) && !bz_view_has(v, BZ_V("<HTML")) &&
           (bz_view_has(v, BZ_V("<PMML")) || bz_view_has(v, BZ_V("<net ")) ||
            bz_view_has(v, BZ_V("<!ENTITY")) || bz_view_has(v, BZ_V("<?xml")) ||
            bz_view_has(v, BZ_V("xmlns")));
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct xml x = {.s = s, .o = o, .root = BZ_V(""), .weights = UINT64_MAX};
    struct bz_view text;
    enum bz_status st = bz_object_whole(s, o, 4u * BZ_SCAN_TEXT_MAX, &text);
    if (st != BZ_OK)
        return st == BZ_ETOOBIG ? BZ_OK : st;
    uint8_t *copy = bz_arena_alloc(bz_scan_arena(s), text.n);
    if (copy == NULL)
        return BZ_ENOMEM;
    x.in = narrow(copy, text);
    if (!o->sure && !is_xml(x.in))
        return BZ_ENOTFOUND;
    return bz_scan_steps(s, o, text.n / 8) ? walk(&x) : BZ_OK;
}

const struct bz_format bz_format_xml = {
    .name = "xml",
    .what = "XML: PMML, OpenVINO and others",
    .probe = probe,
    .scan = scan,
    .rules = rules,
    .inert = true,
};
