/* Rule files and system prompts of an instance. */
#include "steering.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bartizan/text.h>
#include "files.h"

enum { RULES_MAX = BZ_RULE_FILES_MAX, ID_DIGITS = 8, NAMES_MAX = 320 };
#define MAGIC "BZINJ001"
enum { HEAD = sizeof MAGIC - 1 + 2 * BZ_HASH_LEN };

/* ---- one prompt ---- */

static enum bz_status bad(struct bz_buf *why, const char *what, const char *text) {
    bz_put_safe(why, bz_view_str(what));
    bz_buf_puts(why, ": ");
    bz_buf_puts(why, text);
    return BZ_ESYNTAX;
}

static bool plain(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++)
        if ((v.p[i] < 0x20 && v.p[i] != '\n' && v.p[i] != '\t') || v.p[i] == 0x7f)
            return false;
    return true;
}

static enum bz_status check_form(struct bz_view v, const char *what, struct bz_buf *why) {
    struct bz_token_hit hit;
    if (v.n == 0)
        return bad(why, what, "the prompt is empty");
    if (v.n > BZ_PROMPT_TEXT_MAX)
        return bad(why, what, "the prompt is longer than 64 KiB");
    if (bz_utf8_valid(v) != v.n || !plain(v))
        return bad(why, what, "the prompt must be UTF-8 text without control characters");
    if (bz_token_find(v, 0, NULL, 0, &hit))
        return bad(why, what,
                   "the prompt holds a control token of a chat template; servers would take it for "
                   "the end of the prompt");
    return BZ_OK;
}

static bool there(int dir, const char *file, const char *end) {
    char name[NAMES_MAX];
    int n = snprintf(name, sizeof name, "%s%s", file, end);
    return n > 0 && (size_t)n < sizeof name && faccessat(dir, name, F_OK, 0) == 0;
}

/* A text file beside another; false: there is none, or it is too long. */
static bool beside(int dir, const char *file, const char *end, struct bz_buf *out) {
    char name[NAMES_MAX];
    int n = snprintf(name, sizeof name, "%s%s", file, end);
    return n > 0 && (size_t)n < sizeof name && bz_file_read(dir, name, out) == BZ_OK;
}

/* A version is one text for ever: `bartizan prompt add` wrote down which. */
static enum bz_status check_sum(int dir, const char *file, const struct bz_prompt_file *p,
                                struct bz_buf *why) {
    struct bz_buf sum;
    uint8_t want[BZ_HASH_LEN];
    size_t n = 0;
    enum bz_status st = BZ_OK;
    bz_buf_init(&sum, 256);
    if (there(dir, file, BZ_PROMPT_SUM) &&
        (!beside(dir, file, BZ_PROMPT_SUM, &sum) ||
         bz_hex_decode(bz_view_sub(bz_buf_view(&sum), 0, 2 * sizeof want), want, sizeof want, &n) !=
             BZ_OK ||
         n != sizeof want ||
         !bz_ct_equal(bz_view(want, sizeof want), bz_view(p->sha256, sizeof p->sha256))))
        st = bad(why, file,
                 "this is not what the version was when it was added; add the new text as a new "
                 "version (bartizan prompt add)");
    bz_buf_free(&sum);
    return st;
}

static bool is_of(const struct bz_minisign *m, const char *name, uint32_t version) {
    char want[BZ_PROMPT_ID_MAX + 16];
    (void)snprintf(want, sizeof want, BZ_PROMPT_COMMENT "%s@%u", name, version);
    return bz_view_eq(m->comment, bz_view_str(want));
}

static enum bz_status check_signature(int dir, const char *file, const char *name, uint32_t version,
                                      char *const *keys, size_t keys_n, struct bz_prompt_file *p,
                                      struct bz_buf *why) {
    struct bz_buf text;
    struct bz_minisign m;
    struct bz_minisign_public k;
    struct bz_blake2b b;
    uint8_t hash[64];
    const char *wrong = "prompts.keys wants it signed, and there is no signature beside it "
                        "(bartizan prompt sign)";
    bz_buf_init(&text, BZ_MINISIGN_TEXT_MAX);
    bz_blake2b512_init(&b);
    bz_blake2b512_add(&b, bz_buf_view(&p->text));
    bz_blake2b512_end(&b, hash);
    if (beside(dir, file, BZ_PROMPT_SIGNATURE, &text)) {
        wrong = "its signature is none of the keys in prompts.keys";
        if (bz_minisign_parse(bz_buf_view(&text), &m, NULL) != BZ_OK || !m.hashed)
            wrong = "its signature file is none of minisign, or of the old kind";
        else if (!is_of(&m, name, version))
            wrong = "its signature is for another prompt or version";
        else
            for (size_t i = 0; i < keys_n && !p->is_signed; i++)
                if (bz_minisign_public(bz_view_str(keys[i]), &k) == BZ_OK &&
                    bz_minisign_check(&m, &k, bz_view(hash, sizeof hash), NULL) == BZ_OK) {
                    p->is_signed = true;
                    memcpy(p->key_id, k.id, sizeof p->key_id);
                }
    }
    bz_buf_free(&text);
    return p->is_signed ? BZ_OK : bad(why, file, wrong);
}

static void make_id(struct bz_prompt_file *p, const char *name, uint32_t version) {
    struct bz_buf b;
    bz_sha256(bz_buf_view(&p->text), p->sha256);
    bz_buf_init_fixed(&b, p->id, sizeof p->id - 1);
    bz_buf_puts(&b, name);
    bz_buf_putc(&b, '@');
    bz_buf_put_u64(&b, version);
    bz_buf_putc(&b, ':');
    bz_buf_put_hex(&b, bz_view(p->sha256, ID_DIGITS));
    p->id[b.n] = '\0';
}

enum bz_status bz_prompt_file_load(int dir, const char *name, uint32_t version, const char *file,
                                   const char *text, char *const *keys, size_t keys_n,
                                   struct bz_prompt_file *ret, struct bz_buf *why) {
    const char *what = file != NULL ? file : name;
    *ret = (struct bz_prompt_file){.is_signed = false};
    bz_buf_init(&ret->text, BZ_PROMPT_TEXT_MAX + 1);
    if (file == NULL) {
        bz_buf_puts(&ret->text, text);
    } else if (bz_file_read(dir, file, &ret->text) != BZ_OK) {
        return bad(why, file,
                   bz_buf_status(&ret->text) == BZ_ETOOBIG ? "the prompt is longer than 64 KiB"
                                                           : strerror(errno));
    }
    BZ_TRY(check_form(bz_buf_view(&ret->text), what, why));
    make_id(ret, name, version);
    if (file == NULL)
        return BZ_OK;
    if (there(dir, file, BZ_PROMPT_RETIRED))
        return bad(why, file, "this version was retired (bartizan prompt list)");
    BZ_TRY(check_sum(dir, file, ret, why));
    return keys_n == 0 ? BZ_OK : check_signature(dir, file, name, version, keys, keys_n, ret, why);
}

void bz_prompt_file_free(struct bz_prompt_file *p) {
    bz_buf_free(&p->text);
}

/* ---- rules ---- */

struct sources {
    struct bz_rule_file v[RULES_MAX];
    struct bz_buf own[BZ_INJECTION_FILES_MAX];
    size_t n, own_n;
};

static void sources_free(struct sources *s) {
    for (size_t i = 0; s != NULL && i < s->own_n; i++)
        bz_buf_free(&s->own[i]);
    free(s);
}

static enum bz_status gather(int dir, const struct bz_config *c, struct sources *s,
                             struct bz_buf *why) {
    if (c->injection.builtin)
        s->n = bz_rules_builtin(s->v);
    for (uint32_t i = 0; i < c->injection.rules_n; i++) {
        const char *name = c->injection.rules[i];
        if (s->n == RULES_MAX)
            return bad(why, name, "too many files of rules");
        struct bz_buf *b = &s->own[s->own_n++];
        bz_buf_init(b, BZ_CONFIG_MAX);
        if (bz_file_read(dir, name, b) != BZ_OK)
            return bad(why, name, strerror(errno));
        s->v[s->n++] = (struct bz_rule_file){bz_view_str(name), bz_buf_view(b)};
    }
    return BZ_OK;
}

static void put_part(struct bz_buf *b, struct bz_view v) {
    bz_buf_put_le32(b, (uint32_t)v.n);
    bz_buf_put(b, v);
}

static enum bz_status key_of(const struct sources *s, uint8_t out[BZ_HASH_LEN]) {
    struct bz_buf b;
    struct bz_view weights = bz_classifier_builtin();
    bz_buf_init(&b, (size_t)RULES_MAX * BZ_CONFIG_MAX);
    put_part(&b, BZ_V(MAGIC BZ_VERSION));
    put_part(&b, weights);
    for (size_t i = 0; i < s->n; i++) {
        put_part(&b, s->v[i].name);
        put_part(&b, s->v[i].yaml);
    }
    enum bz_status st = bz_buf_status(&b);
    bz_sha256(bz_buf_view(&b), out);
    bz_buf_free(&b);
    return st;
}

static bool opens(struct bz_view pack) {
    struct bz_injection *probe = NULL;
    enum bz_status st = bz_injection_open(pack, &probe);
    bz_injection_close(probe);
    return st == BZ_OK;
}

static bool read_cache(int dir, struct bz_steering *s) {
    struct bz_buf f;
    uint8_t sum[BZ_HASH_LEN];
    const size_t magic = sizeof MAGIC - 1;
    bz_buf_init(&f, HEAD + BZ_BLOB_MAX);
    bool ok = bz_file_read(dir, BZ_F_INJECTION, &f) == BZ_OK && f.n > HEAD &&
              bz_view_starts(bz_buf_view(&f), BZ_V(MAGIC)) &&
              bz_ct_equal(bz_view(f.p + magic, BZ_HASH_LEN), bz_view(s->key, sizeof s->key));
    struct bz_view pack = ok ? bz_view_sub(bz_buf_view(&f), HEAD, f.n) : (struct bz_view){NULL, 0};
    if (ok) {
        bz_sha256(pack, sum);
        ok = bz_ct_equal(bz_view(f.p + magic + BZ_HASH_LEN, BZ_HASH_LEN),
                         bz_view(sum, sizeof sum)) &&
             opens(pack);
    }
    if (ok)
        bz_buf_put(&s->injection, pack);
    bz_buf_free(&f);
    return ok && bz_buf_status(&s->injection) == BZ_OK;
}

/* Only the next start would be slower without it. */
static void write_cache(int dir, const struct bz_steering *s) {
    struct bz_buf f;
    uint8_t sum[BZ_HASH_LEN];
    bz_sha256(bz_buf_view(&s->injection), sum);
    bz_buf_init(&f, HEAD + BZ_BLOB_MAX);
    bz_buf_puts(&f, MAGIC);
    bz_buf_put(&f, bz_view(s->key, sizeof s->key));
    bz_buf_put(&f, bz_view(sum, sizeof sum));
    bz_buf_put(&f, bz_buf_view(&s->injection));
    if (bz_buf_status(&f) == BZ_OK)
        (void)!bz_file_write(dir, BZ_F_INJECTION, bz_buf_view(&f), 0600, BZ_FILE_NO_SYNC);
    bz_buf_free(&f);
}

static enum bz_status compile(const struct sources *src, struct bz_buf *out, struct bz_buf *why) {
    struct bz_rule_error e = {.line = 0};
    struct bz_buf rules;
    bz_buf_init(&rules, BZ_BLOB_MAX);
    enum bz_status st = bz_rules_compile(src->v, src->n, &rules, &e);
    if (st != BZ_OK && e.text[0] != '\0') {
        bz_put_safe(why, e.file);
        bz_buf_printf(why, ", line %u, column %u: %s", e.line, e.column, e.text);
        st = BZ_ESYNTAX;
    } else if (st != BZ_OK) {
        bz_buf_printf(why, "the rules cannot be compiled: %s", bz_status_text(st));
    }
    if (st == BZ_OK)
        st = bz_injection_pack(bz_buf_view(&rules), (struct bz_view){NULL, 0}, out);
    if (st == BZ_OK && !opens(bz_buf_view(out)))
        st = BZ_EINTERNAL;
    bz_buf_free(&rules);
    return st;
}

/* Nobody asks for a judgement when every mode is off. */
static bool wants_judging(const struct bz_config *c) {
    bool any = c->injection.mode != BZ_INJECTION_OFF;
    for (uint32_t i = 0; i < c->injection.exceptions_n; i++)
        any |= c->injection.exceptions[i].mode != BZ_INJECTION_OFF;
    return any;
}

static enum bz_status load_rules(int dir, const struct bz_config *c, const struct bz_steering *old,
                                 bool cache, struct bz_steering *s, struct bz_buf *why) {
    struct sources *src = calloc(1, sizeof *src);
    if (src == NULL)
        return BZ_ENOMEM;
    enum bz_status st = gather(dir, c, src, why);
    if (st == BZ_OK)
        st = key_of(src, s->key);
    if (st == BZ_OK && old != NULL && old->injection.n > 0 &&
        bz_ct_equal(bz_view(old->key, sizeof old->key), bz_view(s->key, sizeof s->key))) {
        bz_buf_put(&s->injection, bz_buf_view(&old->injection));
        st = bz_buf_status(&s->injection);
    } else if (st == BZ_OK && !(cache && read_cache(dir, s))) {
        bz_buf_reset(&s->injection);
        st = compile(src, &s->injection, why);
        if (st == BZ_OK && cache)
            write_cache(dir, s);
    }
    sources_free(src);
    return st;
}

/* ---- the whole ---- */

static enum bz_status load_prompts(int dir, const struct bz_config *c, struct bz_steering *s,
                                   struct bz_buf *why) {
    const struct bz_prompts_config *p = &c->prompts;
    s->prompt = calloc(p->rules_n + 1u, sizeof *s->prompt);
    if (s->prompt == NULL)
        return BZ_ENOMEM;
    for (uint32_t i = 0; i < p->rules_n; i++) {
        const struct bz_prompt_config *r = &p->rules[i];
        bz_buf_init(&s->prompt[i].text, 1);
        s->prompt_n = i + 1;
        if (r->name != NULL)
            BZ_TRY(bz_prompt_file_load(dir, r->name, r->version, r->file, r->text, p->keys,
                                       p->keys_n, &s->prompt[i], why));
    }
    return BZ_OK;
}

enum bz_status bz_steering_load(int dir, const struct bz_config *c, const struct bz_steering *old,
                                bool cache, struct bz_steering **ret, struct bz_buf *why) {
    struct bz_steering *s = calloc(1, sizeof *s);
    if (s == NULL)
        return BZ_ENOMEM;
    bz_buf_init(&s->injection, BZ_BLOB_MAX);
    enum bz_status st = load_prompts(dir, c, s, why);
    if (st == BZ_OK && wants_judging(c))
        st = load_rules(dir, c, old, cache, s, why);
    if (st != BZ_OK) {
        bz_steering_free(s);
        return st;
    }
    *ret = s;
    return BZ_OK;
}

void bz_steering_free(struct bz_steering *s) {
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->prompt_n; i++)
        bz_prompt_file_free(&s->prompt[i]);
    free(s->prompt);
    bz_buf_free(&s->injection);
    free(s);
}

/* ---- for workers ---- */

struct list { /* rules, one per role, model and route */
    struct bz_prompt_rule *v;
    size_t n, cap;
};

static enum bz_status add(struct list *l, const struct bz_prompt_rule *r) {
    if (l->n == l->cap) {
        size_t cap = l->cap * 2 + 16;
        struct bz_prompt_rule *v = reallocarray(l->v, cap, sizeof *v);
        if (v == NULL)
            return BZ_ENOMEM;
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] = *r;
    return BZ_OK;
}

static struct bz_view nth(char *const *list, uint32_t i) {
    return list == NULL ? (struct bz_view){NULL, 0} : bz_view_str(list[i]);
}

static enum bz_status add_model(struct list *l, const struct bz_prompt_config *r,
                                struct bz_prompt_rule one) {
    uint32_t roles = r->roles == NULL ? 1 : r->roles_n,
             routes = r->routes == NULL ? 1 : r->routes_n;
    for (uint32_t a = 0; a < roles; a++) {
        for (uint32_t b = 0; b < routes; b++) {
            one.role = nth(r->roles, a);
            one.route = nth(r->routes, b);
            BZ_TRY(add(l, &one));
        }
    }
    return BZ_OK;
}

static struct bz_view key_of_model(const struct bz_image_model_input *m) {
    return bz_model_key(bz_view_str(m->target[0] != '\0' ? m->target : m->name));
}

static bool had(const struct bz_prompt_config *r, const struct bz_image_model_input *models,
                size_t i) {
    for (size_t k = 0; k < i; k++)
        if (bz_view_eq(key_of_model(&models[k]), key_of_model(&models[i])) &&
            bz_model_named(r->models, r->models_n, &models[k]))
            return true;
    return false;
}

static enum bz_status add_rule(struct list *l, const struct bz_prompt_config *r,
                               const struct bz_prompt_file *p,
                               const struct bz_image_model_input *models, size_t n) {
    struct bz_prompt_rule one = {
        .id = bz_view_str(r->name != NULL ? p->id : NULL),
        .text = r->name != NULL ? bz_buf_view(&p->text) : (struct bz_view){NULL, 0},
        .client = (enum bz_client_system)r->client,
        .marking = (enum bz_marking)r->marking,
        .tokens = (enum bz_token_action)r->tokens,
        .canary = r->canary,
    };
    while (one.text.n > 0 && one.text.p[one.text.n - 1] == '\n')
        one.text.n--;
    if (r->models == NULL)
        return add_model(l, r, one);
    for (size_t i = 0; i < n; i++) {
        if (!bz_model_named(r->models, r->models_n, &models[i]) || had(r, models, i))
            continue;
        one.model = key_of_model(&models[i]);
        BZ_TRY(add_model(l, r, one));
    }
    return BZ_OK;
}

enum bz_status bz_steering_prompts(const struct bz_steering *s, const struct bz_config *c,
                                   const struct bz_image_model_input *models, size_t models_n,
                                   const struct bz_prompt_tokens *tokens, size_t tokens_n,
                                   struct bz_buf *out) {
    struct list l = {NULL, 0, 0};
    const struct bz_prompt_rule rest = {.client = (enum bz_client_system)c->prompts.client,
                                        .marking = (enum bz_marking)c->prompts.marking,
                                        .tokens = (enum bz_token_action)c->prompts.tokens};
    enum bz_status st = BZ_OK;
    for (uint32_t i = 0; i < c->prompts.rules_n && i < s->prompt_n && st == BZ_OK; i++)
        st = add_rule(&l, &c->prompts.rules[i], &s->prompt[i], models, models_n);
    if (st == BZ_OK)
        st = add(&l, &rest);
    if (st == BZ_OK)
        st = bz_prompts_compile(l.v, l.n, tokens, tokens_n, out);
    free(l.v);
    return st == BZ_OK ? bz_buf_status(out) : st;
}
