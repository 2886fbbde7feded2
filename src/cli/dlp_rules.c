/* What `bartizan dlp` looks for: built-in types, those of a configuration, and how sure they must be. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "commands.h"
#include "dlp.h"

void bz_dlp_option_rows(struct bz_dlp_options *o, struct bz_opt out[BZ_DLP_OPTIONS]) {
    const struct bz_opt rows[BZ_DLP_OPTIONS] = {
        {"types", BZ_OPT_MANY, &o->types, "A,B", "types or classes to look for"},
        {"except", BZ_OPT_MANY, &o->except, "A,B", "types or classes not to look for"},
        {"min-proof", BZ_OPT_TEXT, &o->min_proof, "PROOF", "how sure: form, context, checksum"},
        {"text", BZ_OPT_TEXT, &o->text, "FORM", "plain (default), json: escapes are decoded"},
        {"config", BZ_OPT_TEXT, &o->config, "FILE", "a bartizan.yaml with types of its own"},
        {"dir", BZ_OPT_TEXT, &o->dir, "DIR", "the same, of an instance"},
    };
    memcpy(out, rows, sizeof rows);
}

/* ---- compiling ---- */

static bool compile_plain(struct bz_buf *pack) {
    enum bz_status st = bz_detect_compile(NULL, 0, pack, NULL);
    if (st != BZ_OK)
        bz_say("the detectors could not be compiled: %s", bz_status_text(st));
    return st == BZ_OK;
}

static bool compile_config(const char *file, struct bz_buf *pack) {
    struct bz_buf text;
    struct bz_config *c = NULL;
    struct bz_config_errors errs = {.n = 0};
    bz_buf_init(&text, BZ_CONFIG_MAX);
    enum bz_status st = bz_file_read(AT_FDCWD, file, &text);
    if (st == BZ_OK)
        st = bz_config_parse(bz_buf_view(&text), &c, errs.list,
                             sizeof errs.list / sizeof errs.list[0], &errs.n);
    if (st == BZ_OK) {
        st = bz_config_compile(c, pack, &errs.list[0]);
        errs.n = st == BZ_ESYNTAX;
    }
    if (st != BZ_OK)
        bz_cli_config_errors(stderr, file, st, bz_buf_view(&text), &errs);
    bz_config_free(c);
    bz_buf_free(&text);
    return st == BZ_OK;
}

static bool compile(const struct bz_dlp_options *o, struct bz_buf *pack) {
    char path[BZ_DIR_PATH_MAX];
    if (o->config != NULL && o->dir != NULL) {
        bz_say("--config and --dir exclude each other");
        return false;
    }
    if (o->config != NULL)
        return compile_config(o->config, pack);
    if (o->dir == NULL)
        return compile_plain(pack);
    int n = snprintf(path, sizeof path, "%s/" BZ_F_CONFIG, o->dir);
    if (n <= 0 || (size_t)n >= sizeof path) {
        bz_say("--dir: the path is too long");
        return false;
    }
    return compile_config(path, pack);
}

/* ---- words ---- */

static const char *nearest_type(const struct bz_detect *d, const char *word) {
    static const char *const classes[] = {"pii", "secrets", "custom", "labels", "checksum"};
    const char *near = bz_nearest(word, classes, sizeof classes / sizeof classes[0]);
    size_t n = bz_detect_types_n(d);
    const char **names = near == NULL ? calloc(n, sizeof *names) : NULL;
    for (size_t i = 0; names != NULL && i < n; i++)
        names[i] = bz_detect_type(d, i)->name;
    if (names != NULL)
        near = bz_nearest(word, names, n);
    free(names);
    return near;
}

static void say_unknown(const struct bz_detect *d, const char *word) {
    const char *near = nearest_type(d, word);
    if (near != NULL)
        bz_say("unknown type '%s'; did you mean '%s'?", bz_safe(word), near);
    else
        bz_say("unknown type '%s'; 'bartizan policy explain --data' lists them", bz_safe(word));
}

static bool add_word(const struct bz_detect *d, struct bz_view word, struct bz_type_set *set) {
    size_t type = 0;
    if (bz_detect_type_find(d, word, &type)) {
        bz_type_set_add(set, type);
        return true;
    }
    if (bz_type_set_add_name(set, word))
        return true;
    char text[64];
    (void)snprintf(text, sizeof text, "%.*s", (int)(word.n < 60 ? word.n : 60),
                   (const char *)word.p);
    say_unknown(d, text);
    return false;
}

/* "a,b,c" */
static bool add_words(const struct bz_detect *d, const char *list, struct bz_type_set *set) {
    for (;;) {
        size_t n = strcspn(list, ",");
        if (!add_word(d, bz_view(list, n), set))
            return false;
        if (list[n] == '\0')
            return true;
        list += n + 1;
    }
}

static bool add_all(const struct bz_detect *d, const struct bz_opt_many *m,
                    struct bz_type_set *set) {
    for (size_t i = 0; i < m->n; i++) {
        if (!add_words(d, m->v[i], set))
            return false;
    }
    return true;
}

/* A type that cannot be as sure as is asked for is not looked for: it must not stand in the way of
 * one that can. Placeholders are our own and no finding. */
static bool choose(const struct bz_dlp_options *o, struct bz_dlp_rules *r) {
    struct bz_type_set yes = {0}, no = {0};
    if (!(o->types.n > 0 ? add_all(r->d, &o->types, &yes)
                         : add_words(r->d, "pii,secrets,custom", &yes)) ||
        !add_all(r->d, &o->except, &no))
        return false;
    size_t left = 0;
    for (size_t i = 0; i < bz_detect_types_n(r->d); i++) {
        const struct bz_type *t = bz_detect_type(r->d, i);
        if (!bz_type_set_has(&yes, i) || bz_type_set_has(&no, i) ||
            t->cls == BZ_CLASS_PLACEHOLDER || t->proof < (uint8_t)r->min)
            continue;
        bz_type_set_add(&r->want, i);
        left++;
    }
    if (left == 0)
        bz_say("nothing is left to look for; see --types, --except and --min-proof");
    return left > 0;
}

static bool parse_proof(const char *s, enum bz_proof *ret) {
    if (s == NULL)
        return true;
    for (unsigned p = 0; p < BZ_PROOF_COUNT; p++) {
        if (strcmp(s, bz_proof_name((enum bz_proof)p)) == 0) {
            *ret = (enum bz_proof)p;
            return true;
        }
    }
    bz_say("--min-proof '%s' is not one of form, context, checksum", bz_safe(s));
    return false;
}

static bool parse_mode(const char *s, enum bz_text_mode *ret) {
    if (s != NULL && strcmp(s, "plain") != 0 && strcmp(s, "json") != 0) {
        bz_say("--text '%s' is not one of plain, json", bz_safe(s));
        return false;
    }
    *ret = s != NULL && strcmp(s, "json") == 0 ? BZ_TEXT_JSON : BZ_TEXT_PLAIN;
    return true;
}

bool bz_dlp_rules_open(const struct bz_dlp_options *o, enum bz_proof usual,
                       struct bz_dlp_rules *ret) {
    *ret = (struct bz_dlp_rules){.min = usual};
    if (!parse_proof(o->min_proof, &ret->min) || !parse_mode(o->text, &ret->mode))
        return false;
    struct bz_buf pack;
    bz_buf_init(&pack, BZ_DETECT_PACK_MAX);
    bool ok = compile(o, &pack);
    if (ok) {
        enum bz_status st = bz_detect_open(bz_buf_view(&pack), &ret->d);
        ok = st == BZ_OK;
        if (!ok)
            bz_say("the detectors could not be started: %s", bz_status_text(st));
    }
    bz_buf_free(&pack);
    return ok && choose(o, ret);
}

void bz_dlp_rules_close(struct bz_dlp_rules *r) {
    bz_detect_close(r->d);
    r->d = NULL;
}
