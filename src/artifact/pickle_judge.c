/* What an import and a call mean, and the findings about them. */
#include "pickle_int.h"

#define ADVICE_DROP                                                                                \
    "do not load it; take the model from its origin, as safetensors where there is one"
#define ADVICE_ASK "ask who made it why it is there; load it only in a sandbox"
#define ADVICE_KNOW "look at the named class; load it only if you trust who made the file"

#define RULE(index, id, sev, kind, title, would, todo, ref)                                        \
    [index] = {id, BZ_SEVERITY_##sev, BZ_RULE_##kind, title, would, todo, ref}

const struct bz_rule bz_pk_rules[PKL_RULE_COUNT + 1] = {
    RULE(PKL_CALL_CODE, "PKL-CALL-CODE", CRITICAL, MALICIOUS, "calls what runs code or commands",
         "runs code or commands of the file's choice as soon as it is loaded", ADVICE_DROP,
         "CWE-502"),
    RULE(PKL_CALL_NATIVE, "PKL-CALL-NATIVE", CRITICAL, MALICIOUS, "calls into native code",
         "loads native libraries or touches memory as soon as it is loaded", ADVICE_DROP,
         "CWE-502"),
    RULE(PKL_CALL_FILE, "PKL-CALL-FILE", CRITICAL, MALICIOUS, "calls what reads or writes files",
         "reads, writes or deletes files as soon as it is loaded", ADVICE_DROP, "CWE-502"),
    RULE(PKL_CALL_NET, "PKL-CALL-NET", CRITICAL, MALICIOUS, "calls what talks to a network",
         "connects to others as soon as it is loaded", ADVICE_DROP, "CWE-502"),
    RULE(PKL_CALL_LOAD, "PKL-CALL-LOAD", CRITICAL, MALICIOUS, "calls another loader",
         "loads a second artifact that may run code", ADVICE_DROP, "CWE-502"),
    RULE(PKL_CALL_REACH, "PKL-CALL-REACH", CRITICAL, MALICIOUS,
         "calls what gets at anything by its name",
         "reaches functions that the file does not name, or changes how things are loaded",
         ADVICE_DROP, "CWE-502"),
    RULE(PKL_CALL_COMPUTED, "PKL-CALL-COMPUTED", HIGH, MALICIOUS,
         "calls something that was made while loading",
         "calls a function that cannot be told from the file", ADVICE_DROP, "CWE-502"),
    RULE(PKL_CALL_UNKNOWN, "PKL-CALL-UNKNOWN", MEDIUM, SUSPICIOUS,
         "calls a function that is not known to be harmless",
         "runs that function with arguments of the file's choice", ADVICE_ASK, "CWE-502"),
    RULE(PKL_CALL_ARGS, "PKL-CALL-ARGS", MEDIUM, SUSPICIOUS,
         "calls a known function in a way that picklers never do",
         "may get that function to do something else", ADVICE_ASK, "CWE-502"),
    RULE(PKL_CALL_STDLIB, "PKL-CALL-STDLIB", HIGH, SUSPICIOUS,
         "calls a part of Python that has no place in a model",
         "runs that function with arguments of the file's choice", ADVICE_ASK, "CWE-502"),
    RULE(PKL_CLASS_UNKNOWN, "PKL-CLASS-UNKNOWN", LOW, UNCHECKED,
         "makes an instance of a class that is not known here",
         "imports that class's module and runs its __setstate__, if it has one", ADVICE_KNOW, ""),
    RULE(PKL_EXPAND, "PKL-EXPAND", MEDIUM, SUSPICIOUS, "containers that multiply each other",
         "few bytes stand for millions of elements: whatever walks them never ends",
         "do not load it", "CWE-776"),
    RULE(PKL_EXT, "PKL-EXT", MEDIUM, SUSPICIOUS,
         "an extension code that the file does not register",
         "means whatever the loading program has registered under that number", ADVICE_ASK, ""),
    RULE(PKL_EXT_ADD, "PKL-EXT-ADD", HIGH, MALICIOUS, "registers an extension code",
         "gives a number to a name, so that later pickles import it unseen", ADVICE_DROP,
         "CWE-502"),
    RULE(PKL_EXTERNAL, "PKL-EXTERNAL", LOW, NOTE, "arrays in other files, as old joblib wrote",
         "loads the files beside it that it names", "scan those files too", ""),
    RULE(PKL_FRAME, "PKL-FRAME", MEDIUM, SUSPICIOUS, "frames that readers disagree about",
         "one reader stops where another goes on: what was checked may not be what runs",
         "take the file from its origin again", "CWE-436"),
    RULE(PKL_HOOK, "PKL-HOOK", HIGH, MALICIOUS,
         "puts a function where a loader's hook is looked up",
         "the function runs when the next opcode asks for the hook", ADVICE_DROP, "CWE-502"),
    RULE(PKL_IMPORT, "PKL-IMPORT", HIGH, MALICIOUS, "names a harmful function, without calling it",
         "hands it to whoever loads the file; one step from running it", ADVICE_DROP, "CWE-502"),
    RULE(PKL_IMPORT_STDLIB, "PKL-IMPORT-STDLIB", MEDIUM, SUSPICIOUS,
         "names a part of Python that has no place in a model",
         "nothing yet: it is imported, not called", ADVICE_ASK, ""),
    RULE(PKL_IMPORT_UNKNOWN, "PKL-IMPORT-UNKNOWN", LOW, UNCHECKED,
         "names something of a library that is not known here",
         "imports that library, which runs what stands in it", ADVICE_KNOW, ""),
    RULE(PKL_LIMIT, "PKL-LIMIT", MEDIUM, UNCHECKED, "too much to follow to its end",
         "unknown: the rest was not looked at", "do not load it", ""),
    RULE(PKL_MALFORMED, "PKL-MALFORMED", HIGH, MALFORMED, "a broken pickle",
         "loaders stop here, after running what comes before",
         "take the file from its origin again", ""),
    RULE(PKL_NAME_COMPUTED, "PKL-NAME-COMPUTED", HIGH, MALICIOUS,
         "imports a name that is made while loading",
         "hides which function is imported; picklers never do that", ADVICE_DROP, "CWE-502"),
    RULE(PKL_NAME_LOST, "PKL-NAME-LOST", MEDIUM, UNCHECKED, "imports a name out of very many texts",
         "unknown: the text was not kept", ADVICE_ASK, ""),
    RULE(PKL_NAME_ODD, "PKL-NAME-ODD", MEDIUM, SUSPICIOUS, "a name that no identifier can have",
         "fails in most loaders, and hides the name from scanners", ADVICE_ASK, ""),
    RULE(PKL_NAME_PATH, "PKL-NAME-PATH", HIGH, MALICIOUS,
         "a name that leads through a module or to a method",
         "reaches functions of modules that the file does not name", ADVICE_DROP, "CWE-502"),
    RULE(PKL_NAME_TYPE, "PKL-NAME-TYPE", HIGH, SUSPICIOUS, "imports a name that is no text",
         "loaders stop here, scanners that mistake it do not", ADVICE_ASK, ""),
    RULE(PKL_PATCH, "PKL-PATCH", HIGH, MALICIOUS, "changes a module, a class or a function",
         "replaces code of the loading program", ADVICE_DROP, "CWE-502"),
    RULE(PKL_PRIVATE, "PKL-PRIVATE", MEDIUM, SUSPICIOUS, "names a private function or attribute",
         "private functions trust their arguments; picklers rarely name them", ADVICE_ASK, ""),
    RULE(PKL_TRAILING, "PKL-TRAILING", LOW, NOTE, "bytes after the last pickle",
         "nothing: loaders do not read them", "find out what they are", ""),
    RULE(PKL_TRAILING_CODE, "PKL-TRAILING-CODE", HIGH, SUSPICIOUS,
         "a program or an archive after the last pickle",
         "another program may take the file for that", ADVICE_ASK, "CWE-436"),
    RULE(PKL_ARRAY, "PKL-ARRAY", MEDIUM, MALFORMED, "an array of joblib that cannot be followed",
         "loaders read its bytes in another way than was checked",
         "take the file from its origin again", "CWE-436"),
    RULE(PKL_TORCH, "PKL-TORCH", MEDIUM, MALFORMED, "storages that do not fit the file",
         "loading it fails, or reads other bytes than were meant",
         "take the file from its origin again", ""),
    [PKL_RULE_COUNT] = {.id = NULL},
};

/* ---- recording ------------------------------------------------------------------------------ */

bool bz_pk_found(struct bz_pk *m, enum bz_pk_rule r, uint64_t off, struct bz_view evidence) {
    const struct bz_rule *rule = &bz_pk_rules[r];
    const bool harm = rule->kind == BZ_RULE_MALICIOUS;
    if (m->strict && !harm)
        return true;
    m->recorded += harm;
    m->called += harm && r <= PKL_CALL_REACH;
    if (m->quiet)
        return true;
    m->st = bz_scan_found(m->s, m->o, rule, off, evidence);
    if (m->st != BZ_OK)
        m->how = BZ_PK_FAILED;
    return m->st == BZ_OK;
}

bool bz_pk_found_global(struct bz_pk *m, enum bz_pk_rule r, uint32_t g, const char *how) {
    uint8_t mem[BZ_EVIDENCE_MAX];
    struct bz_buf b;
    const struct bz_pk_global *x = bz_pk_global_at(m, g);
    bz_buf_init_fixed(&b, mem, sizeof mem);
    bz_buf_put(&b, bz_view_sub(bz_pk_text(m, x->module), 0, 90));
    bz_buf_putc(&b, ' ');
    bz_buf_put(&b, bz_view_sub(bz_pk_text(m, x->name), 0, 70));
    bz_buf_puts(&b, how);
    return bz_pk_found(m, r, how[0] == 0 ? x->at : bz_pk_off(m), bz_buf_view(&b));
}

static bool once(struct bz_pk *m, uint32_t g, uint8_t bit, enum bz_pk_rule r, const char *how) {
    if (m->quiet)
        return bz_pk_found_global(m, r, g, how); /* counted, and not remembered */
    if ((bz_pk_global_at(m, g)->told & bit) != 0)
        return true;
    bz_pk_global_at(m, g)->told |= bit;
    return bz_pk_found_global(m, r, g, how);
}

/* ---- imports -------------------------------------------------------------------------------- */

bool bz_pk_judge_import(struct bz_pk *m, uint32_t g) {
    const struct bz_pk_verdict v = bz_pk_global_at(m, g)->v;
    if (!m->quiet && !m->strict)
        bz_pk_global_at(m, g)->used = true;
    m->exact += v.status == BZ_PK_DENIED && v.exact;
    if (m->strict && v.weak) /* text may look like that */
        return true;
    if (m->strict && v.status == BZ_PK_ALLOWED && (v.roles & BZ_PK_REF) == 0)
        m->recorded++;
    if (v.odd && v.status != BZ_PK_DENIED)
        return once(m, g, PK_TOLD_IMPORT, PKL_NAME_ODD, ": imported");
    switch ((enum bz_pk_status)v.status) {
    case BZ_PK_DENIED:
        return once(m, g, PK_TOLD_IMPORT, PKL_IMPORT, ": imported");
    case BZ_PK_PATH:
        return once(m, g, PK_TOLD_IMPORT, PKL_NAME_PATH, ": imported");
    case BZ_PK_PRIVATE:
        return once(m, g, PK_TOLD_IMPORT, v.dunder ? PKL_NAME_PATH : PKL_PRIVATE, ": imported");
    case BZ_PK_STANDARD:
        return once(m, g, PK_TOLD_IMPORT, PKL_IMPORT_STDLIB, ": imported");
    case BZ_PK_ALLOWED:
    case BZ_PK_UNKNOWN:
    case BZ_PK_STATUS_COUNT:
        break;
    }
    return true; /* what nobody knows: see bz_pk_judge_end */
}

bool bz_pk_judge_end(struct bz_pk *m) {
    size_t n = m->globals.n / sizeof(struct bz_pk_global);
    for (uint32_t g = 0; g < n; g++) {
        const struct bz_pk_global *x = bz_pk_global_at(m, g);
        if (!x->used)
            continue;
        if (x->v.status == BZ_PK_ALLOWED && (x->v.roles & BZ_PK_REF) == 0 && !x->good &&
            !once(m, g, PK_TOLD_IMPORT, PKL_IMPORT, ""))
            return false;
        if (x->v.status == BZ_PK_UNKNOWN && x->told == 0 &&
            !once(m, g, PK_TOLD_IMPORT, PKL_IMPORT_UNKNOWN, ""))
            return false;
    }
    return true;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static enum bz_pk_rule harm_rule(uint8_t harm) {
    static const uint8_t rules[BZ_PK_HARM_COUNT] = {
        [BZ_PK_RUNS] = PKL_CALL_CODE,  [BZ_PK_NATIVE] = PKL_CALL_NATIVE,
        [BZ_PK_FILES] = PKL_CALL_FILE, [BZ_PK_NETWORK] = PKL_CALL_NET,
        [BZ_PK_LOADS] = PKL_CALL_LOAD, [BZ_PK_REACHES] = PKL_CALL_REACH,
    };
    return (enum bz_pk_rule)rules[harm];
}

/* copyreg.add_extension(module, name, code): from here on the code stands for the name. */
static bool registers(struct bz_pk *m, uint32_t g, uint32_t args) {
    size_t n;
    bool is;
    uint8_t mem[2][PK_NAME_LEN + 1];
    struct bz_view text[2];
    if (!bz_view_eq(bz_pk_text(m, bz_pk_global_at(m, g)->name), BZ_V("add_extension")))
        return true;
    if (!bz_pk_found_global(m, PKL_EXT_ADD, g, ": called"))
        return false;
    if (BZ_PK_TAG(args) != BZ_PK_ROW || m->exts_n >= PK_EXTS)
        return true;
    const uint32_t *e = bz_pk_row(m, args, &n);
    uint64_t code = 0;
    if (n < 3 || !bz_pk_number(m, e[2], &code))
        return true;
    const uint32_t names[2] = {e[0], e[1]};
    for (size_t i = 0; i < 2; i++) {
        struct bz_view v = bz_pk_text_of(m, names[i], &is);
        if (v.p == NULL)
            return true;
        memcpy(mem[i], v.p, v.n);
        text[i] = bz_view(mem[i], v.n);
    }
    uint32_t target = bz_pk_global(m, text[0], text[1]);
    if (target == BZ_PK_NONE)
        return true;
    m->exts[m->exts_n].code = (uint32_t)code;
    m->exts[m->exts_n++].global = target;
    return true;
}

/* Plain numbers and nothing else: what members of enumerations are made of. */
static bool harmless_args(const struct bz_pk *m, uint32_t args) {
    size_t n;
    if (BZ_PK_TAG(args) == BZ_PK_EMPTY)
        return true;
    if (BZ_PK_TAG(args) != BZ_PK_ROW)
        return false;
    const uint32_t *e = bz_pk_row(m, args, &n);
    return n == 0 || (n == 1 && BZ_PK_TAG(e[0]) >= BZ_PK_PLAIN && BZ_PK_TAG(e[0]) <= BZ_PK_BIG);
}

static bool call_unknown(struct bz_pk *m, uint32_t g, uint32_t args, enum bz_pk_site site) {
    const struct bz_pk_verdict v = bz_pk_global_at(m, g)->v;
    if (site == PK_SITE_NEW || (v.camel && !v.known && harmless_args(m, args)))
        return once(m, g, PK_TOLD_CLASS, PKL_CLASS_UNKNOWN, ": instance made");
    return once(m, g, PK_TOLD_CALL, PKL_CALL_UNKNOWN, ": called");
}

static bool call_allowed(struct bz_pk *m, uint32_t g, uint32_t args, enum bz_pk_site site,
                         uint32_t *ret) {
    const struct bz_pk_verdict v = bz_pk_global_at(m, g)->v;
    *ret = BZ_PK_OBJECT;
    if (site == PK_SITE_NEW) {
        if ((v.roles & BZ_PK_NEW) == 0)
            return once(m, g, PK_TOLD_ARGS, PKL_CALL_ARGS, ": used as a class");
        if (bz_view_eq(bz_pk_text(m, bz_pk_global_at(m, g)->name), BZ_V("NumpyArrayWrapper")))
            *ret = BZ_PK_WRAPPER;
        if (bz_pk_word("NDArrayWrapper ZNDArrayWrapper",
                       bz_pk_text(m, bz_pk_global_at(m, g)->name)))
            return once(m, g, PK_TOLD_CLASS, PKL_EXTERNAL, ": instance made");
        return true;
    }
    if ((v.roles & BZ_PK_CALL) == 0)
        return call_unknown(m, g, args, site);
    if (bz_pk_shape_ok(m, g, args, ret)) {
        bz_pk_global_at(m, g)->good = bz_pk_global_at(m, g)->good || !m->quiet;
        return true;
    }
    if (m->how == BZ_PK_FAILED)
        return false;
    bool reach = v.shape == BZ_PK_GETATTR || v.shape == BZ_PK_GETITEM || v.shape == BZ_PK_ATTRS ||
                 v.shape == BZ_PK_UFUNC;
    bool loads = v.shape == BZ_PK_BYTES;
    *ret = BZ_PK_COMPUTED;
    return once(m, g, PK_TOLD_ARGS,
                reach   ? PKL_CALL_REACH
                : loads ? PKL_CALL_LOAD
                        : PKL_CALL_ARGS,
                ": called");
}

bool bz_pk_judge_call(struct bz_pk *m, uint32_t callee, uint32_t args, enum bz_pk_site site,
                      uint32_t *ret) {
    *ret = BZ_PK_COMPUTED;
    if (BZ_PK_TAG(callee) == BZ_PK_UNDEF) /* said before */
        return true;
    if (BZ_PK_TAG(callee) < BZ_PK_GLOBAL || BZ_PK_TAG(callee) == BZ_PK_DTYPE)
        return bz_pk_fail(m, "calls what cannot be called");
    if (BZ_PK_TAG(callee) != BZ_PK_GLOBAL)
        return bz_pk_found(m, PKL_CALL_COMPUTED, bz_pk_off(m), BZ_V(""));
    const uint32_t g = BZ_PK_LOAD(callee);
    const struct bz_pk_verdict v = bz_pk_global_at(m, g)->v;
    switch ((enum bz_pk_status)v.status) {
    case BZ_PK_DENIED:
        return once(m, g, PK_TOLD_CALL, harm_rule(v.harm), ": called") && registers(m, g, args);
    case BZ_PK_STANDARD:
        return once(m, g, PK_TOLD_CALL, PKL_CALL_STDLIB, ": called");
    case BZ_PK_PATH:
    case BZ_PK_PRIVATE:
        return once(m, g, PK_TOLD_CALL, PKL_CALL_UNKNOWN, ": called");
    case BZ_PK_UNKNOWN:
        *ret = v.odd || site == PK_SITE_CALL ? BZ_PK_COMPUTED : BZ_PK_OBJECT;
        if (v.camel)
            *ret = BZ_PK_OBJECT;
        return call_unknown(m, g, args, site);
    case BZ_PK_ALLOWED:
        return call_allowed(m, g, args, site, ret);
    case BZ_PK_STATUS_COUNT:
        break;
    }
    return true;
}

/* ---- state ---------------------------------------------------------------------------------- */

static const char hooks[] =
    "__setstate__ __reduce__ __reduce_ex__ __class__ __getattr__ __getattribute__ __call__ __del__ "
    "__init__ __new__ __dict__ __setitem__ __getitem__ __builtins__ __import__ __loader__ "
    "append extend add update __iter__ __len__ __hash__ __eq__ __missing__ __getstate__";

bool bz_pk_judge_item(struct bz_pk *m, uint32_t key, uint32_t value) {
    if (BZ_PK_TAG(key) != BZ_PK_STR && BZ_PK_TAG(key) != BZ_PK_LATE)
        return true;
    if (BZ_PK_TAG(value) != BZ_PK_GLOBAL && BZ_PK_TAG(value) != BZ_PK_COMPUTED &&
        BZ_PK_TAG(value) != BZ_PK_EXT)
        return true;
    bool is;
    struct bz_view k = bz_pk_text_of(m, key, &is);
    if (k.p == NULL || !bz_pk_word(hooks, k))
        return true;
    return bz_pk_found(m, PKL_HOOK, bz_pk_off(m), k);
}

bool bz_pk_judge_target(struct bz_pk *m, uint32_t target, const char *how) {
    switch ((int)BZ_PK_TAG(target)) {
    case BZ_PK_GLOBAL:
        return once(m, BZ_PK_LOAD(target), PK_TOLD_SET, PKL_PATCH, ": changed");
    case BZ_PK_COMPUTED:
    case BZ_PK_EXT:
        return bz_pk_found(m, PKL_PATCH, bz_pk_off(m), bz_view_str(how));
    case BZ_PK_OBJECT:
    case BZ_PK_PERSID:
    case BZ_PK_UNDEF:
    case BZ_PK_WRAPPER:
    case BZ_PK_LIST: /* BUILD of a list: readers fail, or set nothing */
    case BZ_PK_DICT:
    case BZ_PK_SET:
        return true;
    default:
        return bz_pk_fail(m, "changes a value that cannot be changed");
    }
}
