/* bartizan prompt add|list|show|sign|verify|retire: versions of system prompts, as files of an instance.
 * A version is one text for ever; what is in force says bartizan.yaml. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd_backup.h"
#include "cmd_model.h"
#include "commands.h"
#include "opts.h"
#include "steering.h"

enum { PATH_ROOM = BZ_PROMPT_NAME_MAX + 64, VERSIONS = 4096, JSON_ROOM = 4 << 20 };
#define FOLDER "prompts"

struct version { /* a file NAME.vN.txt */
    char name[BZ_PROMPT_NAME_MAX + 1];
    uint32_t number;
};
struct shelf { /* all of them, by name and number */
    struct version *v;
    size_t n;
};

static void file_of(const struct version *v, const char *end, char out[PATH_ROOM]) {
    char base[PATH_ROOM];
    (void)snprintf(base, sizeof base, BZ_PROMPT_FILE, v->name, v->number);
    (void)snprintf(out, PATH_ROOM, "%.*s%s", PATH_ROOM - 16, base, end);
}

/* "support.v3.txt" -> support, 3 */
static bool parse_file(const char *file, struct version *ret) {
    const char *v = strstr(file, ".v"), *end = v == NULL ? NULL : strchr(v + 2, '.');
    uint64_t number = 0;
    if (end == NULL || strcmp(end, ".txt") != 0 || (size_t)(v - file) > BZ_PROMPT_NAME_MAX ||
        !bz_prompt_name_ok(bz_view(file, (size_t)(v - file))) ||
        bz_view_u64(bz_view(v + 2, (size_t)(end - v - 2)), &number) != BZ_OK || number == 0 ||
        number > UINT32_MAX)
        return false;
    memcpy(ret->name, file, (size_t)(v - file));
    ret->name[v - file] = '\0';
    ret->number = (uint32_t)number;
    return true;
}

static int by_name(const void *a, const void *b) {
    const struct version *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    return c != 0 ? c : (x->number > y->number) - (x->number < y->number);
}

static bool read_shelf(const struct bz_instance *in, struct shelf *ret) {
    int fd = openat(in->fd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    *ret = (struct shelf){NULL, 0};
    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return errno == ENOENT;
    }
    ret->v = calloc(VERSIONS, sizeof *ret->v);
    for (struct dirent *e; ret->v != NULL && ret->n < VERSIONS && (e = readdir(d)) != NULL;)
        ret->n += parse_file(e->d_name, &ret->v[ret->n]);
    (void)closedir(d);
    if (ret->v != NULL)
        qsort(ret->v, ret->n, sizeof *ret->v, by_name);
    return ret->v != NULL;
}

/* NAME, or NAME@VERSION; without one the newest. */
static bool find(const struct bz_instance *in, const char *word, struct version *ret) {
    const char *at = strchr(word, '@');
    struct bz_view name = bz_view(word, at == NULL ? strlen(word) : (size_t)(at - word));
    uint64_t number = 0;
    struct shelf s;
    bool found = false;
    if (!bz_prompt_name_ok(name) || (at != NULL && bz_view_u64(bz_view_str(at + 1), &number))) {
        bz_say("'%s' is no prompt: write NAME or NAME@VERSION", bz_safe(word));
        return false;
    }
    if (!read_shelf(in, &s)) {
        bz_say("%s: %s", FOLDER, strerror(errno));
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (!bz_view_eq(bz_view_str(s.v[i].name), name) || (number != 0 && s.v[i].number != number))
            continue;
        *ret = s.v[i];
        found = true;
    }
    free(s.v);
    if (!found)
        bz_say("there is no prompt '%s'; 'bartizan prompt list' shows them", bz_safe(word));
    return found;
}

static bool is_there(const struct bz_instance *in, const struct version *v, const char *end) {
    char path[PATH_ROOM];
    file_of(v, end, path);
    return faccessat(in->fd, path, F_OK, 0) == 0;
}

/* Text, sum and, with keys, signature. What is wrong goes to `why`. */
static bool load(const struct bz_instance *in, const struct version *v, char *const *keys, size_t n,
                 struct bz_prompt_file *p, struct bz_buf *why) {
    char path[PATH_ROOM];
    file_of(v, "", path);
    return bz_prompt_file_load(in->fd, v->name, v->number, path, NULL, keys, n, p, why) == BZ_OK;
}

static void say_why(const struct bz_buf *why) {
    bz_say("%.*s", (int)why->n, (const char *)why->p);
}

/* ---- options that all have ---- */

struct order {
    const char *dir, *what, *file, *key, *passphrase_file, *reason;
    bool json;
};

static bool begin(const struct bz_opts *o, int argc, char **argv, struct order *x,
                  struct bz_instance *in, int *ret_rc) {
    const char *words[3] = {NULL, NULL, NULL};
    size_t n = 0;
    bool help = false;
    *ret_rc = BZ_EXIT_FAILURE;
    if (bz_opts_parse(o, argc, argv, words, &n, &help) != BZ_OK)
        return false;
    if (help)
        *ret_rc = BZ_EXIT_OK;
    x->dir = words[0];
    x->what = words[1];
    x->file = words[2];
    return !help && bz_cli_open(x->dir, in);
}

static const char *const dir_words[] = {"DIR", "NAME", "FILE"};

/* ---- add ---- */

static bool read_text(const char *file, struct bz_buf *out) {
    int fd = strcmp(file, "-") == 0 ? STDIN_FILENO : -1;
    enum bz_status st =
        fd < 0 ? bz_file_read(AT_FDCWD, file, out) : bz_file_read(AT_FDCWD, "/dev/stdin", out);
    if (st != BZ_OK)
        bz_say("%s: %s", bz_safe(file),
               bz_buf_status(out) == BZ_ETOOBIG ? "a prompt has at most 64 KiB" : strerror(errno));
    return st == BZ_OK;
}

static uint32_t next_number(const struct bz_instance *in, const char *name) {
    struct shelf s;
    uint32_t n = 1;
    if (!read_shelf(in, &s))
        return 0;
    for (size_t i = 0; i < s.n; i++)
        if (strcmp(s.v[i].name, name) == 0 && s.v[i].number >= n)
            n = s.v[i].number + 1;
    free(s.v);
    return n;
}

static bool write_version(const struct bz_instance *in, const struct version *v,
                          const struct bz_prompt_file *p) {
    char path[PATH_ROOM], sum[PATH_ROOM], hex[2 * BZ_HASH_LEN + 2];
    struct bz_buf b;
    file_of(v, "", path);
    file_of(v, BZ_PROMPT_SUM, sum);
    bz_buf_init_fixed(&b, hex, sizeof hex);
    bz_buf_put_hex(&b, bz_view(p->sha256, sizeof p->sha256));
    bz_buf_putc(&b, '\n');
    if (mkdirat(in->fd, FOLDER, 0750) != 0 && errno != EEXIST) {
        bz_say("%s: %s", FOLDER, strerror(errno));
        return false;
    }
    /* the sum first: a text without one is whatever stands there */
    if (bz_file_create(in->fd, sum, bz_buf_view(&b), 0440) == BZ_OK &&
        bz_file_create(in->fd, path, bz_buf_view(&p->text), 0440) == BZ_OK)
        return true;
    bz_say("%s: %s", path, strerror(errno));
    return false;
}

static int tell(const struct order *x, const struct version *v, const struct bz_prompt_file *p,
                const char *done) {
    char path[PATH_ROOM];
    file_of(v, "", path);
    if (!x->json) {
        (void)printf("%s %s@%u  %s  %s\n", done, v->name, v->number, strchr(p->id, ':') + 1, path);
        return BZ_EXIT_OK;
    }
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, JSON_ROOM);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "name", bz_view_str(v->name));
    bz_jw_ku64(&w, "version", v->number);
    bz_jw_kstr(&w, "id", bz_view_str(p->id));
    bz_jw_kstr(&w, "file", bz_view_str(path));
    return bz_report_end(&w, &b, BZ_EXIT_OK);
}

static int add(struct bz_instance *in, const struct order *x) {
    struct version v;
    struct bz_prompt_file p;
    struct bz_buf text, why;
    int rc = BZ_EXIT_FAILURE;
    if (!bz_prompt_name_ok(bz_view_str(x->what))) {
        bz_say("'%s' is no name of a prompt: a-z and 0-9 first, then also - and _, at most 64",
               bz_safe(x->what));
        return rc;
    }
    (void)snprintf(v.name, sizeof v.name, "%s", x->what);
    v.number = next_number(in, v.name);
    bz_buf_init(&text, BZ_PROMPT_TEXT_MAX + 2); /* one more byte tells that it is too long */
    bz_buf_init(&why, 4096);
    bool read = read_text(x->file, &text);
    bz_buf_putc(&text, 0);
    if (read && v.number != 0) {
        bool good = strlen((const char *)text.p) + 1 == text.n &&
                    bz_prompt_file_load(in->fd, v.name, v.number, NULL, (const char *)text.p, NULL,
                                        0, &p, &why) == BZ_OK;
        if (!good && why.n == 0)
            bz_say("%s: the prompt must be UTF-8 text without control characters",
                   bz_safe(x->file));
        else if (!good)
            say_why(&why);
        if (good && write_version(in, &v, &p))
            rc = tell(x, &v, &p, "added");
        if (good || why.n > 0)
            bz_prompt_file_free(&p);
    }
    bz_buf_free(&text);
    bz_buf_free(&why);
    return rc;
}

static int prompt_add(int argc, char **argv) {
    struct order x = {.dir = NULL};
    struct bz_instance in;
    int rc;
    const struct bz_opt list[] = {
        {"json", BZ_OPT_FLAG, &x.json, NULL, "print one JSON object"},
    };
    const struct bz_opts o = {
        "bartizan prompt add DIR NAME FILE",
        "Adds the text of FILE (- is standard input) as the next version of a "
        "prompt. It is used once bartizan.yaml names it.",
        list,
        1,
        dir_words,
        3,
        3};
    if (!begin(&o, argc, argv, &x, &in, &rc))
        return rc;
    rc = add(&in, &x);
    bz_instance_close(&in);
    return rc;
}

/* ---- list ---- */

static bool in_use(const struct bz_config *c, const struct version *v) {
    for (uint32_t i = 0; c != NULL && i < c->prompts.rules_n; i++) {
        const struct bz_prompt_config *r = &c->prompts.rules[i];
        if (r->name != NULL && r->version == v->number && strcmp(r->name, v->name) == 0)
            return true;
    }
    return false;
}

struct row {
    const char *state;
    bool used, has_signature;
    struct bz_prompt_file p;
    struct bz_buf why;
};

static void look(const struct bz_instance *in, const struct bz_config *c, const struct version *v,
                 struct row *r) {
    char *const *keys = c == NULL ? NULL : c->prompts.keys;
    size_t n = c == NULL ? 0 : c->prompts.keys_n;
    bz_buf_init(&r->why, 4096);
    r->used = in_use(c, v);
    r->has_signature = is_there(in, v, BZ_PROMPT_SIGNATURE);
    bool good = load(in, v, keys, n, &r->p, &r->why);
    r->state = is_there(in, v, BZ_PROMPT_RETIRED) ? "retired"
               : good                             ? r->used ? "in use" : "ready"
                                                  : "bad";
}

static void put_row(struct bz_jw *w, const struct version *v, const struct row *r) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "name", bz_view_str(v->name));
    bz_jw_ku64(w, "version", v->number);
    bz_jw_kstr(w, "id", bz_view_str(r->p.id));
    bz_jw_kstr(w, "state", bz_view_str(r->state));
    bz_jw_kbool(w, "signature", r->has_signature);
    bz_jw_kbool(w, "verified", r->p.is_signed);
    if (strcmp(r->state, "bad") == 0)
        bz_jw_kstr(w, "why", bz_buf_view(&r->why));
    bz_jw_end(w);
}

static void print_row(const struct version *v, const struct row *r) {
    const char *digest = strchr(r->p.id, ':');
    (void)printf("%-24s %6u  %-16s  %-8s %s\n", v->name, v->number,
                 digest == NULL ? "-" : digest + 1, r->state,
                 r->p.is_signed     ? "signature verified"
                 : r->has_signature ? "signed"
                                    : "");
    if (strcmp(r->state, "bad") == 0)
        (void)printf("    %.*s\n", (int)r->why.n, (const char *)r->why.p);
}

static int list_all(struct bz_instance *in, const struct order *x) {
    struct bz_config_errors errs;
    struct bz_config *c = NULL;
    struct bz_buf text, b;
    struct bz_jw w;
    struct shelf s;
    int rc = BZ_EXIT_OK;
    if (!read_shelf(in, &s)) {
        bz_say("%s: %s", FOLDER, strerror(errno));
        return BZ_EXIT_FAILURE;
    }
    bz_buf_init(&text, BZ_CONFIG_MAX);
    bz_buf_init(&b, JSON_ROOM);
    if (bz_instance_config(in, BZ_F_CONFIG, &text, &c, &errs) != BZ_OK)
        bz_say("%s is refused: which prompts are in use is not known", BZ_F_CONFIG);
    if (s.n == 0 && !x->json)
        (void)puts("no prompts; 'bartizan prompt add' makes the first");
    bz_jw_init(&w, &b);
    bz_jw_arr(&w);
    for (size_t i = 0; i < s.n; i++) {
        struct row r;
        look(in, c, &s.v[i], &r);
        if (strcmp(r.state, "bad") == 0)
            rc = BZ_EXIT_FINDINGS;
        if (x->json)
            put_row(&w, &s.v[i], &r);
        else
            print_row(&s.v[i], &r);
        bz_prompt_file_free(&r.p);
        bz_buf_free(&r.why);
    }
    bz_jw_end(&w);
    if (x->json)
        (void)printf("%.*s\n", (int)b.n, (const char *)b.p);
    bz_config_free(c);
    bz_buf_free(&text);
    bz_buf_free(&b);
    free(s.v);
    return rc;
}

static int prompt_list(int argc, char **argv) {
    struct order x = {.dir = NULL};
    struct bz_instance in;
    int rc;
    const struct bz_opt list[] = {
        {"json", BZ_OPT_FLAG, &x.json, NULL, "print one JSON array"},
    };
    const struct bz_opts o = {"bartizan prompt list DIR",
                              "Lists all versions of all prompts: digest, whether bartizan.yaml "
                              "names it, signature. Exit code 1: one is not what it was.",
                              list,
                              1,
                              dir_words,
                              1,
                              1};
    if (!begin(&o, argc, argv, &x, &in, &rc))
        return rc;
    rc = list_all(&in, &x);
    bz_instance_close(&in);
    return rc;
}

/* ---- show, verify ---- */

static void print_lines(struct bz_view text) {
    while (text.n > 0) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        size_t n = end == NULL ? text.n : (size_t)(end - text.p);
        bz_print_safe(stdout, bz_view_sub(text, 0, n));
        (void)printf("\n");
        text = bz_view_sub(text, n + (end != NULL), text.n);
    }
}

static int show(struct bz_instance *in, const struct order *x) {
    struct version v;
    struct bz_prompt_file p;
    struct bz_buf why;
    int rc = BZ_EXIT_FAILURE;
    if (!find(in, x->what, &v))
        return rc;
    bz_buf_init(&why, 4096);
    bool good = load(in, &v, NULL, 0, &p, &why);
    print_lines(bz_buf_view(&p.text)); /* a retired one, too: the audit log names it */
    if (!good)
        say_why(&why);
    rc = good ? BZ_EXIT_OK : BZ_EXIT_FINDINGS;
    bz_prompt_file_free(&p);
    bz_buf_free(&why);
    return rc;
}

static int verify(struct bz_instance *in, const struct order *x) {
    struct bz_config_errors errs;
    struct bz_config *c = NULL;
    struct bz_buf text, why;
    struct version v;
    struct bz_prompt_file p;
    char own[128] = "", *key_list[] = {own}, *const *keys = key_list;
    size_t n = 1;
    int rc = BZ_EXIT_FAILURE;
    bz_buf_init(&text, BZ_CONFIG_MAX);
    bz_buf_init(&why, 4096);
    if (x->key != NULL) {
        (void)snprintf(own, sizeof own, "%s", x->key);
    } else if (bz_instance_config(in, BZ_F_CONFIG, &text, &c, &errs) == BZ_OK) {
        keys = c->prompts.keys;
        n = c->prompts.keys_n;
    }
    if (n == 0 || (x->key == NULL && c == NULL)) {
        bz_say("%s names no prompts.keys: give --key", BZ_F_CONFIG);
    } else if (find(in, x->what, &v)) {
        bool good = load(in, &v, keys, n, &p, &why);
        if (!good)
            say_why(&why);
        rc = good ? tell(x, &v, &p, "verified") : BZ_EXIT_FINDINGS;
        bz_prompt_file_free(&p);
    }
    bz_config_free(c);
    bz_buf_free(&text);
    bz_buf_free(&why);
    return rc;
}

static int prompt_show(int argc, char **argv) {
    struct order x = {.dir = NULL};
    struct bz_instance in;
    int rc;
    const struct bz_opts o = {"bartizan prompt show DIR NAME[@VERSION]",
                              "Prints the text of a version, the newest unless one is named.",
                              NULL,
                              0,
                              dir_words,
                              2,
                              2};
    if (!begin(&o, argc, argv, &x, &in, &rc))
        return rc;
    rc = show(&in, &x);
    bz_instance_close(&in);
    return rc;
}

static int prompt_verify(int argc, char **argv) {
    struct order x = {.dir = NULL};
    struct bz_instance in;
    int rc;
    const struct bz_opt list[] = {
        {"key", BZ_OPT_TEXT, &x.key, "TEXT", "public key (default: prompts.keys of bartizan.yaml)"},
        {"json", BZ_OPT_FLAG, &x.json, NULL, "print one JSON object"},
    };
    const struct bz_opts o = {
        "bartizan prompt verify DIR NAME[@VERSION] [--key TEXT]",
        "Checks the text of a version against its sum and its signature. Exit "
        "code 1: it is not good.",
        list,
        2,
        dir_words,
        2,
        2};
    if (!begin(&o, argc, argv, &x, &in, &rc))
        return rc;
    rc = verify(&in, &x);
    bz_instance_close(&in);
    return rc;
}

/* ---- sign ---- */

static bool secret_of(const struct order *x, struct bz_minisign_secret *ret) {
    struct bz_buf text, pass;
    bz_buf_init(&text, BZ_MINISIGN_TEXT_MAX);
    bz_buf_init(&pass, 1024);
    enum bz_status st = BZ_EINTERNAL;
    if (bz_model_text(x->key, &text) && bz_model_passphrase(x->passphrase_file, &pass))
        st = bz_minisign_secret(bz_buf_view(&text), bz_buf_view(&pass), ret);
    bz_buf_wipe_free(&text);
    bz_buf_wipe_free(&pass);
    if (st == BZ_EDENIED)
        bz_say("%s: %s", bz_safe(x->key),
               x->passphrase_file == NULL ? "the key is encrypted: give --passphrase-file"
                                          : "the passphrase does not open it");
    else if (st != BZ_OK && st != BZ_EINTERNAL)
        bz_say("%s: no minisign secret key", bz_safe(x->key));
    return st == BZ_OK;
}

static bool write_signature(const struct bz_instance *in, const struct version *v,
                            const struct bz_prompt_file *p, const struct bz_minisign_secret *k) {
    char path[PATH_ROOM], comment[PATH_ROOM];
    struct bz_blake2b h;
    struct bz_buf out;
    uint8_t hash[64];
    bz_blake2b512_init(&h);
    bz_blake2b512_add(&h, bz_buf_view(&p->text));
    bz_blake2b512_end(&h, hash);
    file_of(v, BZ_PROMPT_SIGNATURE, path);
    (void)snprintf(comment, sizeof comment, BZ_PROMPT_COMMENT "%s@%u", v->name, v->number);
    bz_buf_init(&out, BZ_MINISIGN_TEXT_MAX);
    bool ok = bz_minisign_sign(k, hash, bz_view_str(comment), &out) == BZ_OK &&
              bz_file_write(in->fd, path, bz_buf_view(&out), 0440, BZ_FILE_SYNC) == BZ_OK;
    if (!ok)
        bz_say("%s: %s", path, strerror(errno));
    bz_buf_free(&out);
    return ok;
}

static int sign(struct bz_instance *in, const struct order *x) {
    struct version v;
    struct bz_prompt_file p;
    struct bz_minisign_secret k;
    struct bz_buf why;
    int rc = BZ_EXIT_FAILURE;
    if (x->key == NULL) {
        bz_say("--key is missing: minisign's secret key");
        return rc;
    }
    if (!find(in, x->what, &v) || !secret_of(x, &k))
        return rc;
    bz_buf_init(&why, 4096);
    if (!load(in, &v, NULL, 0, &p, &why))
        say_why(&why);
    else if (write_signature(in, &v, &p, &k))
        rc = tell(x, &v, &p, "signed");
    bz_wipe(&k, sizeof k);
    bz_prompt_file_free(&p);
    bz_buf_free(&why);
    return rc;
}

static int prompt_sign(int argc, char **argv) {
    struct order x = {.dir = NULL};
    struct bz_instance in;
    int rc;
    const struct bz_opt list[] = {
        {"key", BZ_OPT_TEXT, &x.key, "FILE", "minisign's secret key"},
        {"passphrase-file", BZ_OPT_TEXT, &x.passphrase_file, "FILE", "what opens the key"},
        {"json", BZ_OPT_FLAG, &x.json, NULL, "print one JSON object"},
    };
    const struct bz_opts o = {"bartizan prompt sign DIR NAME[@VERSION] --key FILE",
                              "Signs a version (Ed25519, minisign). The signature names prompt and "
                              "version, so that it fits no other.",
                              list,
                              3,
                              dir_words,
                              2,
                              2};
    if (!begin(&o, argc, argv, &x, &in, &rc))
        return rc;
    rc = sign(&in, &x);
    bz_instance_close(&in);
    return rc;
}

/* ---- retire ---- */

static int retire(struct bz_instance *in, const struct order *x) {
    struct version v;
    char path[PATH_ROOM];
    struct bz_config_errors errs;
    struct bz_config *c = NULL;
    struct bz_buf text, note;
    int rc = BZ_EXIT_FAILURE;
    if (strchr(x->what, '@') == NULL) {
        bz_say("name the version, too: NAME@VERSION");
        return rc;
    }
    if (!find(in, x->what, &v))
        return rc;
    bz_buf_init(&text, BZ_CONFIG_MAX);
    bz_buf_init(&note, 4096);
    bool used = bz_instance_config(in, BZ_F_CONFIG, &text, &c, &errs) != BZ_OK || in_use(c, &v);
    file_of(&v, BZ_PROMPT_RETIRED, path);
    bz_put_safe(&note, bz_view_str(x->reason != NULL ? x->reason : "retired"));
    bz_buf_putc(&note, '\n');
    if (used)
        bz_say("%s names %s@%u (or is refused); change it first", BZ_F_CONFIG, v.name, v.number);
    else if (bz_file_write(in->fd, path, bz_buf_view(&note), 0440, BZ_FILE_SYNC) != BZ_OK)
        bz_say("%s: %s", path, strerror(errno));
    else
        rc = BZ_EXIT_OK;
    if (rc == BZ_EXIT_OK)
        (void)printf("retired %s@%u\n", v.name, v.number);
    bz_config_free(c);
    bz_buf_free(&text);
    bz_buf_free(&note);
    return rc;
}

static int prompt_retire(int argc, char **argv) {
    struct order x = {.dir = NULL};
    struct bz_instance in;
    int rc;
    const struct bz_opt list[] = {
        {"reason", BZ_OPT_TEXT, &x.reason, "TEXT", "why; kept beside it"},
    };
    const struct bz_opts o = {
        "bartizan prompt retire DIR NAME@VERSION [--reason TEXT]",
        "Takes a version out of use for good: a configuration that names it is "
        "refused. The text stays, because the audit log names it.",
        list,
        1,
        dir_words,
        2,
        2};
    if (!begin(&o, argc, argv, &x, &in, &rc))
        return rc;
    rc = retire(&in, &x);
    bz_instance_close(&in);
    return rc;
}

int bz_cli_prompt(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"add", "add a text as the next version of a prompt", prompt_add},
        {"list", "list versions, which are in use, whose signature holds", prompt_list},
        {"show", "print the text of a version", prompt_show},
        {"sign", "sign a version", prompt_sign},
        {"verify", "check a version against its sum and signature", prompt_verify},
        {"retire", "take a version out of use for good", prompt_retire},
    };
    return bz_cli_dispatch("bartizan prompt", list, sizeof list / sizeof list[0], argc, argv);
}
