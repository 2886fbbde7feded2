/* Loading bartizan.yaml into the running daemon. Backends keep their index for as long as the
 * daemon runs, because workers count outstanding requests and failures by index; one that left the
 * configuration keeps its place as "retired". */
#include <errno.h>
#include <stdlib.h>

#include "daemon.h"
#include "templates.h"
#include "leaks.h"

enum { CREDENTIAL_MAX = 4096 };

struct loaded { /* everything a new configuration brings, before it is taken */
    struct bz_config *config;
    struct bz_places *places;
    struct bz_buf text;
    struct bz_pack pack; /* empty: as before */
    struct bz_steering *steering;
    struct bz_buf leaks;
    char *credential[BZ_BACKENDS_MAX]; /* by new index */
    bool retired[BZ_BACKENDS_MAX];
};

static void places_free(struct bz_places *p) {
    for (size_t i = 0; p != NULL && i < BZ_BACKENDS_MAX; i++) {
        free(p->own[i][0]);
        free(p->own[i][1]);
    }
    free(p);
}

static void loaded_free(struct loaded *l) {
    for (size_t i = 0; i < BZ_BACKENDS_MAX; i++) {
        if (l->credential[i] != NULL)
            bz_wipe(l->credential[i], strlen(l->credential[i]));
        free(l->credential[i]);
    }
    bz_config_free(l->config);
    places_free(l->places);
    bz_buf_free(&l->text);
    bz_pack_free(&l->pack);
    bz_steering_free(l->steering);
    bz_buf_free(&l->leaks);
}

/* ---- credentials ---- */

static bool visible(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] <= 0x20 || v.p[i] >= 0x7f)
            return false;
    }
    return v.n > 0;
}

static enum bz_status read_credential(const struct bz_daemon *d, const struct bz_backend_config *b,
                                      char **ret, struct bz_buf *why) {
    struct bz_buf f;
    char *copy = NULL;
    bz_buf_init(&f, CREDENTIAL_MAX);
    enum bz_status st = bz_file_read(d->in.fd, b->key_file, &f);
    struct bz_view v = bz_buf_view(&f);
    while (v.n > 0 && (v.p[v.n - 1] == '\n' || v.p[v.n - 1] == '\r' || v.p[v.n - 1] == ' '))
        v.n--;
    if (st != BZ_OK)
        bz_buf_printf(why, "backend %s: key_file %s: %s", b->name, b->key_file, strerror(errno));
    else if (!visible(v))
        bz_buf_printf(why, "backend %s: key_file %s must hold one line of visible ASCII", b->name,
                      b->key_file);
    else
        copy = strndup((const char *)v.p, v.n);
    bz_buf_wipe_free(&f);
    *ret = copy;
    return copy != NULL ? BZ_OK : BZ_ESYNTAX;
}

static enum bz_status read_credentials(const struct bz_daemon *d, struct loaded *l,
                                       struct bz_buf *why) {
    for (uint32_t i = 0; i < l->config->backends_n; i++) {
        const struct bz_backend_config *b = &l->config->backends[i];
        if (b->key_file != NULL && !l->retired[i])
            BZ_TRY(read_credential(d, b, &l->credential[i], why));
    }
    return BZ_OK;
}

/* ---- places ---- */

static int find_backend(const struct bz_config *c, const char *name) {
    for (uint32_t i = 0; i < c->backends_n; i++) {
        if (strcmp(c->backends[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

/* The entry of a backend that is gone: no address, no models, and the type of one that is there,
 * so that it adds no routes. */
static bool make_retired(struct bz_places *p, uint32_t i, const struct bz_backend_config *old,
                         enum bz_server type) {
    p->own[i][0] = strdup(old->name);
    p->own[i][1] = strdup(old->url);
    p->v[i] = (struct bz_backend_config){.name = p->own[i][0], .type = type, .url = p->own[i][1]};
    return p->own[i][0] != NULL && p->own[i][1] != NULL;
}

/* Known names take their old places, new ones those of names that are gone, then the end. Returns
 * how many places there are. */
static uint32_t give_places(const struct bz_config *old, const struct bz_config *c,
                            struct bz_places *p, bool used[BZ_BACKENDS_MAX]) {
    uint32_t n = old == NULL ? 0 : old->backends_n;
    for (uint32_t i = 0; i < n; i++) {
        int j = find_backend(c, old->backends[i].name);
        used[i] = j >= 0;
        if (j >= 0)
            p->v[i] = c->backends[j];
    }
    for (uint32_t j = 0, i = 0; j < c->backends_n; j++) {
        if (old != NULL && find_backend(old, c->backends[j].name) >= 0)
            continue;
        while (i < BZ_BACKENDS_MAX && used[i])
            i++;
        if (i >= BZ_BACKENDS_MAX)
            break; /* cannot be: the parser has the cap, and places of gone names are given away */
        p->v[i] = c->backends[j];
        used[i] = true;
        n = i >= n ? i + 1 : n;
    }
    return n;
}

static enum bz_status keep_places(const struct bz_daemon *d, struct loaded *l) {
    struct bz_config *c = l->config;
    bool used[BZ_BACKENDS_MAX] = {false}, ok = true;
    l->places = calloc(1, sizeof *l->places);
    if (l->places == NULL)
        return BZ_ENOMEM;
    const enum bz_server type = c->backends[0].type;
    uint32_t n = give_places(d->config, c, l->places, used);
    for (uint32_t i = 0; i < n; i++) {
        l->retired[i] = !used[i];
        if (!used[i])
            ok = make_retired(l->places, i, &d->config->backends[i], type) && ok;
    }
    c->backends = l->places->v; /* the parser's own array goes with its arena */
    c->backends_n = n;
    return ok ? BZ_OK : BZ_ENOMEM;
}

/* ---- taking it ---- */

static bool same_text(const char *a, const char *b) {
    return (a == NULL || b == NULL) ? a == b : strcmp(a, b) == 0;
}

static bool same_place(const struct bz_daemon *d, const struct loaded *l, uint32_t i) {
    if (d->config == NULL || i >= d->config->backends_n)
        return false;
    const struct bz_backend_config *a = &d->config->backends[i], *b = &l->config->backends[i];
    return strcmp(a->name, b->name) == 0 && strcmp(a->url, b->url) == 0 && a->type == b->type &&
           d->backend[i].retired == l->retired[i] &&
           same_text(d->backend[i].credential, l->credential[i]) &&
           d->backend[i].models_fixed == (b->models != NULL);
}

static void take_backend(struct bz_daemon *d, struct loaded *l, uint32_t i) {
    struct bz_backend_run *r = &d->backend[i];
    const struct bz_backend_config *c = &l->config->backends[i];
    struct bz_url u = {.numeric = false};
    bool same = same_place(d, l, i);
    if (!same)
        bz_health_reset(d, i);
    r->name = c->name;
    r->type = c->type;
    r->retired = l->retired[i];
    r->cage.caged = c->run != NULL && !r->retired;
    r->cage.warn = c->run != NULL && c->run->posture_warn;
    r->cage.next_ns = 0; /* its plan may be another now */
    r->numeric = bz_url_parse(bz_view_str(c->url), &u, NULL) == BZ_OK && u.numeric;
    if (r->credential != NULL)
        bz_wipe(r->credential, strlen(r->credential));
    free(r->credential);
    r->credential = l->credential[i];
    l->credential[i] = NULL;
    r->models_fixed = c->models != NULL;
    if (r->models_fixed || r->retired) {
        bz_names_free(&r->models);
        if (r->models_fixed && bz_names_copy(c->models, c->models_n, &r->models) != BZ_OK)
            bz_log("out of memory: backend %s has no models now", c->name);
    }
}

static void take(struct bz_daemon *d, struct loaded *l) {
    for (uint32_t i = 0; i < l->config->backends_n; i++)
        take_backend(d, l, i);
    bz_config_free(d->config);
    places_free(d->places);
    bz_buf_free(&d->config_text);
    d->config = l->config;
    d->places = l->places;
    d->config_text = l->text;
    l->config = NULL;
    l->places = NULL;
    bz_buf_init(&l->text, 1);
    bz_steering_free(d->steering);
    d->steering = l->steering;
    l->steering = NULL;
    if (l->pack.bytes.n > 0) {
        bz_pack_free(&d->pack);
        d->pack = l->pack;
        bz_buf_init(&l->pack.bytes, 1);
    }
    bz_buf_free(&d->leaks);
    d->leaks = l->leaks;
    bz_buf_init(&l->leaks, 1);
    d->publish_wanted = true;
}

static void put_errors(const struct bz_config_errors *e, struct bz_buf *why) {
    for (size_t i = 0; i < e->n && i < sizeof e->list / sizeof e->list[0]; i++)
        bz_buf_printf(why, "%sline %u, column %u: %s: %s", i > 0 ? "\n" : "", e->list[i].line,
                      e->list[i].column, e->list[i].path, e->list[i].text);
}

/* The texts of our prompts, each once. */
static size_t prompts_of(const struct bz_steering *s,
                         struct bz_leak_item out[BZ_PROMPT_RULES_MAX]) {
    size_t n = 0;
    for (size_t i = 0; i < s->prompt_n && n < BZ_PROMPT_RULES_MAX; i++) {
        struct bz_view name = bz_view_sub(bz_view_str(s->prompt[i].id), 0, BZ_LEAK_NAME_MAX);
        bool had = name.n == 0;
        for (size_t k = 0; k < n; k++)
            had |= bz_view_eq(out[k].name, name);
        if (!had)
            out[n++] = (struct bz_leak_item){BZ_LEAK_PROMPT, name, bz_buf_view(&s->prompt[i].text)};
    }
    return n;
}

static enum bz_status load_leaks(const struct bz_daemon *d, struct loaded *l, struct bz_buf *why) {
    uint8_t key[BZ_KEY_LEN];
    struct bz_leak_item prompts[BZ_PROMPT_RULES_MAX];
    size_t n = prompts_of(l->steering, prompts);
    bz_keyed_hash(d->keys.digest_key, BZ_V("leaks"), key);
    enum bz_status st = bz_leaks_make(d->in.fd, &l->config->leaks, prompts, n, key, &l->leaks, why);
    bz_wipe(key, sizeof key);
    return st;
}

static enum bz_status load(struct bz_daemon *d, const char *file, struct loaded *l,
                           struct bz_buf *why) {
    struct bz_config_errors errs;
    enum bz_status st = bz_instance_config(&d->in, file, &l->text, &l->config, &errs);
    if (st != BZ_OK) {
        put_errors(&errs, why);
        if (errs.n == 0)
            bz_buf_printf(why, "%s cannot be read: %s", file, bz_status_text(st));
        return st;
    }
    st = bz_pack_make(d, l->config, &d->pack, &l->pack, why);
    if (st != BZ_OK && st != BZ_EEXISTS)
        return st;
    BZ_TRY(bz_steering_load(d->in.fd, l->config, d->steering, true, &l->steering, why));
    BZ_TRY(load_leaks(d, l, why));
    BZ_TRY(keep_places(d, l));
    BZ_TRY(read_credentials(d, l, why));
    take(d, l);
    return BZ_OK;
}

static enum bz_status load_file(struct bz_daemon *d, const char *file, struct bz_buf *why) {
    struct loaded *l = calloc(1, sizeof *l);
    if (l == NULL)
        return BZ_ENOMEM;
    bz_buf_init(&l->text, BZ_CONFIG_MAX);
    bz_buf_init(&l->pack.bytes, BZ_DETECT_PACK_MAX);
    bz_buf_init(&l->leaks, BZ_BLOB_MAX);
    enum bz_status st = load(d, file, l, why);
    loaded_free(l);
    free(l);
    return st;
}

enum bz_status bz_daemon_load(struct bz_daemon *d, struct bz_buf *why) {
    BZ_TRY(load_file(d, BZ_F_CONFIG, why));
    if (bz_file_write(d->in.fd, BZ_F_CONFIG_GOOD, bz_buf_view(&d->config_text), 0600,
                      BZ_FILE_NO_SYNC) != BZ_OK)
        bz_log("%s cannot be written", BZ_F_CONFIG_GOOD); /* only a later start would need it */
    (void)!bz_patches_load(d);                            /* the keys may be others now */
    bz_posture_look(d);
    return BZ_OK;
}

enum bz_status bz_daemon_load_first(struct bz_daemon *d, struct bz_buf *why) {
    struct bz_buf ignored;
    enum bz_status st = bz_daemon_load(d, why);
    if (st == BZ_OK)
        return st;
    bz_buf_init(&ignored, BZ_CONFIG_MAX);
    if (load_file(d, BZ_F_CONFIG_GOOD, &ignored) == BZ_OK) {
        (void)!bz_patches_load(d);
        bz_log("%s is refused, the configuration that was in force stays: %s", BZ_F_CONFIG,
               bz_log_safe(bz_buf_view(why)));
        st = BZ_OK;
    }
    bz_buf_free(&ignored);
    return st;
}

void bz_daemon_unload(struct bz_daemon *d) {
    for (uint32_t i = 0; i < BZ_BACKENDS_MAX; i++) {
        struct bz_backend_run *r = &d->backend[i];
        bz_names_free(&r->models);
        if (r->credential != NULL)
            bz_wipe(r->credential, strlen(r->credential));
        free(r->credential);
        r->credential = NULL;
        bz_templates_free(r);
        (void)bz_templates_show_end(r, false);
    }
    bz_steering_free(d->steering);
    d->steering = NULL;
    bz_config_free(d->config);
    places_free(d->places);
    d->config = NULL;
    d->places = NULL;
    bz_buf_free(&d->config_text);
    bz_pack_free(&d->pack);
    bz_buf_free(&d->leaks);
}
