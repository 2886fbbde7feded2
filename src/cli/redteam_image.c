/* Compiles a configuration as bartizand does, without an instance that runs: nothing is asked from a
 * backend, no key of the store is used. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "leaks.h"
#include "redteam_image.h"
#include "steering.h"

enum { IMAGE_MAX = 256 << 20, PATH_ROOM = 2 * BZ_DIR_PATH_MAX };
#define NAME "redteam"
#define NOW_S UINT64_C(1800000000)

/* ---- configuration ---- */

struct loaded {
    struct bz_config *own, *suite;
    int dir; /* where its files lie */
};

static bool config_path(const char *what, char path[PATH_ROOM], int *ret_dir) {
    struct stat sb;
    bool dir = stat(what, &sb) == 0 && S_ISDIR(sb.st_mode);
    char folder[PATH_ROOM];
    int n = snprintf(path, PATH_ROOM, dir ? "%s/" BZ_F_CONFIG : "%s", what);
    if (n <= 0 || n >= PATH_ROOM)
        return false;
    (void)snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder] = '\0';
    *ret_dir = open(slash == NULL ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret_dir >= 0;
}

static bool parse(const char *name, struct bz_view text, struct bz_config **ret) {
    struct bz_config_errors errs = {.n = 0};
    enum bz_status st =
        bz_config_parse(text, ret, errs.list, sizeof errs.list / sizeof errs.list[0], &errs.n);
    if (st != BZ_OK)
        bz_cli_config_errors(stderr, name, st, text, &errs);
    return st == BZ_OK;
}

static bool load(const struct red_offline *o, struct loaded *l) {
    char path[PATH_ROOM];
    struct bz_buf text;
    l->dir = -1;
    if (!config_path(o->what, path, &l->dir)) {
        bz_say("%s: %s", bz_safe(o->what), strerror(errno));
        return false;
    }
    bz_buf_init(&text, BZ_CONFIG_MAX);
    bool ok = bz_file_read(AT_FDCWD, path, &text) == BZ_OK;
    if (!ok)
        bz_say("%s: %s", bz_safe(path), strerror(errno));
    ok = ok && parse(path, bz_buf_view(&text), &l->own);
    bz_buf_free(&text);
    return ok && (o->own_policy || parse("policy of the scenarios", o->policy, &l->suite));
}

/* Scenarios bring tools, prompts and secrets of their own, since no policy knows those of a test. What
 * is detected, judged, masked and allowed otherwise stays the configuration's. */
static void with_scenarios(const struct loaded *l, struct bz_config *ret) {
    *ret = *l->own;
    ret->audit = BZ_AUDIT_RELAXED;
    ret->data.store_requests = ret->data.store_replies = false;
    if (l->suite == NULL)
        return;
    ret->tools = l->suite->tools;
    ret->tools_n = l->suite->tools_n;
    ret->agent = l->suite->agent;
    ret->prompts = l->suite->prompts;
}

/* ---- image ---- */

static const struct bz_role_config *role_of(const struct bz_config *c, const char *name) {
    for (uint32_t i = 0; i < c->roles_n; i++)
        if (strcmp(c->roles[i].name, name) == 0)
            return &c->roles[i];
    bz_say("there is no role '%s' in this configuration; --role names one", bz_safe(name));
    return NULL;
}

/* Backends that a chat can go to; tool servers are none. */
static uint64_t chat_backends(const struct bz_config *c) {
    uint64_t mask = 0;
    for (uint32_t i = 0; i < c->backends_n && i < 64; i++)
        if (strncmp(c->backends[i].name, BZ_MCP_BACKEND, sizeof BZ_MCP_BACKEND - 1) != 0)
            mask |= UINT64_C(1) << i;
    return mask;
}

enum { LEAKS_MAX = 4096 };

struct parts { /* what the rooms compile, as bartizand has it done */
    struct bz_buf blob[BZ_BLOB_COUNT], why;
    struct bz_steering *steering;
};

static void parts_init(struct parts *p) {
    *p = (struct parts){.steering = NULL};
    bz_buf_init(&p->why, 4096);
    for (int i = 0; i < BZ_BLOB_COUNT; i++)
        bz_buf_init(&p->blob[i], BZ_BLOB_MAX);
}

static void parts_free(struct parts *p) {
    for (int i = 0; i < BZ_BLOB_COUNT; i++)
        bz_buf_free(&p->blob[i]);
    bz_steering_free(p->steering);
    bz_buf_free(&p->why);
}

static void add_item(struct bz_leak_item *v, size_t *n, enum bz_leak_kind kind, struct bz_view name,
                     struct bz_view value) {
    if (*n < LEAKS_MAX && value.n > 0)
        v[(*n)++] = (struct bz_leak_item){kind, name, value};
}

/* Our prompts; and secrets that scenarios hold, as if the section `leaks` named them. */
static enum bz_status leaks(const struct loaded *l, const struct bz_config *c,
                            const struct bz_red_suite *suite, struct parts *p) {
    static const uint8_t key[BZ_KEY_LEN] = NAME;
    size_t n = 0;
    struct bz_leak_item *v = calloc(LEAKS_MAX, sizeof *v);
    if (v == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < p->steering->prompt_n; i++)
        add_item(v, &n, BZ_LEAK_PROMPT, bz_view_str(p->steering->prompt[i].id),
                 bz_buf_view(&p->steering->prompt[i].text));
    for (size_t i = 0; i < suite->n && l->suite != NULL; i++)
        add_item(v, &n, BZ_LEAK_SECRET, suite->v[i].id, suite->v[i].secret);
    enum bz_status st =
        bz_leaks_make(l->dir, &c->leaks, v, n, key, &p->blob[BZ_BLOB_LEAK], &p->why);
    free(v);
    return st;
}

static enum bz_status make_parts(const struct loaded *l, const struct bz_config *c,
                                 const struct red_offline *o,
                                 const struct bz_image_model_input *model, struct parts *p) {
    struct bz_agent_error bad = {.rule = 0};
    BZ_TRY(bz_steering_load(l->dir, c, NULL, false, &p->steering, &p->why));
    bz_buf_put(&p->blob[BZ_BLOB_INJECTION], bz_buf_view(&p->steering->injection));
    BZ_TRY(bz_judging_compile(c, model, 1, &p->blob[BZ_BLOB_JUDGING]));
    BZ_TRY(bz_steering_prompts(p->steering, c, model, 1, NULL, 0, &p->blob[BZ_BLOB_PROMPTS]));
    enum bz_status st = bz_config_agent(c, &p->blob[BZ_BLOB_AGENT], &bad);
    if (st == BZ_ESYNTAX)
        bz_buf_puts(&p->why, bad.text);
    return st == BZ_OK ? leaks(l, c, o->suite, p) : st;
}

static void make_key(const char *role, struct bz_key_record *key, struct red_image *ret) {
    static char owner[] = NAME, star[] = "*";
    static char *every[] = {star};
    static const uint8_t no_pepper[BZ_KEY_LEN];
    uint8_t rnd[48];
    memset(rnd, 7, sizeof rnd);
    bz_key_make(rnd, ret->key);
    *key = (struct bz_key_record){.owner = owner,
                                  .created = 1,
                                  .models = every,
                                  .models_n = 1,
                                  .routes = every,
                                  .routes_n = 1};
    key->role = (char *)(uintptr_t)role;
    memcpy(key->id, ret->key + 3, BZ_KEY_ID_TEXT);
    bz_key_hash(no_pepper, bz_view(ret->key, BZ_KEY_TEXT), key->hash);
}

static enum bz_status open_all(struct red_image *ret) {
    BZ_TRY(bz_image_open(bz_buf_view(&ret->bytes), &ret->image));
    struct bz_view injection = bz_image_blob(&ret->image, BZ_BLOB_INJECTION);
    if (injection.n > 0)
        BZ_TRY(bz_injection_open(injection, &ret->injection));
    return bz_detect_open(bz_buf_view(&ret->pack), &ret->detect);
}

static bool build(const struct loaded *l, const struct red_offline *o, struct red_image *ret) {
    struct bz_config c;
    struct bz_key_record key;
    struct bz_config_error err = {.line = 0};
    struct parts p;
    const char *addresses[BZ_BACKENDS_MAX];
    with_scenarios(l, &c);
    const struct bz_image_model_input model = {NAME, NAME, chat_backends(&c)};
    const struct bz_role_config *role = role_of(&c, o->role);
    if (role == NULL)
        return false;
    for (uint32_t i = 0; i < BZ_BACKENDS_MAX; i++)
        addresses[i] = "127.0.0.1:9"; /* nobody goes there */
    make_key(role->name, &key, ret);
    parts_init(&p);
    struct bz_image_input in = {.config = &c,
                                .keys = &key,
                                .keys_n = 1,
                                .models = &model,
                                .models_n = 1,
                                .backend_addresses = addresses,
                                .generation = 1,
                                .built_unix = NOW_S};
    enum bz_status st = bz_config_compile(&c, &ret->pack, &err);
    in.detect_pack = bz_buf_view(&ret->pack);
    if (st == BZ_OK)
        st = make_parts(l, &c, o, &model, &p);
    for (int i = 0; i < BZ_BLOB_COUNT; i++)
        in.blob[i] = bz_buf_view(&p.blob[i]);
    if (st == BZ_OK)
        st = bz_image_build(&in, &ret->bytes);
    if (st == BZ_OK)
        st = open_all(ret);
    if (st != BZ_OK) {
        bz_buf_putc(&p.why, 0);
        bz_say("the policy cannot be compiled: %s", err.text[0] != '\0' ? err.text
                                                    : p.why.n > 1       ? (const char *)p.why.p
                                                                        : bz_status_text(st));
    }
    parts_free(&p);
    return st == BZ_OK;
}

bool red_image_make(const struct red_offline *o, struct red_image *ret, int *ret_exit) {
    struct loaded l = {NULL, NULL, -1};
    *ret = (struct red_image){.detect = NULL};
    bz_buf_init(&ret->bytes, IMAGE_MAX);
    bz_buf_init(&ret->pack, BZ_DETECT_PACK_MAX);
    *ret_exit = BZ_EXIT_FAILURE;
    bool ok = load(o, &l) && build(&l, o, ret);
    if (ok)
        (void)snprintf(ret->host, sizeof ret->host, "%s",
                       l.own->names_n > 0 ? l.own->names[0] : "localhost");
    bz_config_free(l.own);
    bz_config_free(l.suite);
    if (l.dir >= 0)
        (void)close(l.dir);
    return ok;
}

void red_image_free(struct red_image *i) {
    bz_detect_close(i->detect);
    bz_injection_close(i->injection);
    bz_buf_wipe_free(&i->bytes);
    bz_buf_free(&i->pack);
}
