/* bartizan init: makes a whole instance, or nothing. Everything is built in a directory beside the
 * target and renamed. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bartizan/identity.h>
#include "ca.h"
#include "commands.h"
#include "opts.h"
#include "secret_input.h"

enum { NAMES_MAX = 32, NAME_MAX_LEN = 256, YAML_MAX = 256 * 1024, PEM_MAX = 256 * 1024 };

struct init {
    /* asked for */
    const char *dir, *listen;
    struct bz_opt_many backends, names;
    bool plain_http, json;
    enum bz_master_source source; /* of the master key */
    struct bz_secret_input secret;
    /* made */
    char tmp[BZ_DIR_PATH_MAX]; /* path of the directory being built; empty: nothing to clean up */
    int fd;
    char name[NAMES_MAX][NAME_MAX_LEN];
    size_t names_n;
    char admin_key[BZ_KEY_TEXT + 1], user_key[BZ_KEY_TEXT + 1];
    struct bz_buf yaml;
    struct bz_config_errors errs;
    char ca[BZ_DIR_PATH_MAX], url[512]; /* for what is shown */
};

/* ---- names the server answers to ---- */

static bool add_name(struct init *in, const char *name) {
    for (size_t i = 0; i < in->names_n; i++) {
        if (strcmp(in->name[i], name) == 0)
            return true;
    }
    if (in->names_n >= NAMES_MAX || strlen(name) >= NAME_MAX_LEN)
        return false;
    (void)snprintf(in->name[in->names_n++], NAME_MAX_LEN, "%s", name);
    return true;
}

static void add_interface_addresses(struct init *in) {
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) != 0)
        return;
    for (const struct ifaddrs *a = list; a != NULL; a = a->ifa_next) {
        char text[INET_ADDRSTRLEN];
        if (a->ifa_addr == NULL || (a->ifa_flags & IFF_UP) == 0 ||
            a->ifa_addr->sa_family != AF_INET)
            continue;
        if (getnameinfo(a->ifa_addr, sizeof(struct sockaddr_in), text, sizeof text, NULL, 0,
                        NI_NUMERICHOST) == 0)
            (void)add_name(in, text);
    }
    freeifaddrs(list);
}

static void add_names(struct init *in) {
    char host[NAME_MAX_LEN];
    const char *colon = strrchr(in->listen, ':');
    size_t n = colon == NULL ? 0 : (size_t)(colon - in->listen);
    (void)add_name(in, "localhost");
    (void)add_name(in, "127.0.0.1");
    (void)add_name(in, "::1");
    if (n > 2 && in->listen[0] == '[')
        (void)snprintf(host, sizeof host, "%.*s", (int)(n - 2), in->listen + 1);
    else
        (void)snprintf(host, sizeof host, "%.*s", (int)n, in->listen);
    bool any = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    if (!any && host[0] != '\0')
        (void)add_name(in, host);
    if (any) {
        add_interface_addresses(in);
        if (gethostname(host, sizeof host) == 0)
            (void)add_name(in, host);
    }
    for (size_t i = 0; i < in->names.n; i++)
        (void)add_name(in, in->names.v[i]);
}

/* ---- bartizan.yaml ---- */

/* Double-quoted YAML scalar; what came from the command line may hold anything. */
static void put_quoted(struct bz_buf *b, struct bz_view v) {
    bz_json_write_str(b, v); /* JSON strings are YAML double-quoted scalars (YAML 1.2, 7.3.1) */
}

/* [NAME=]TYPE=URL; TYPE=unix:/path too. A url may hold '='. */
static bool split_backend(const char *text, struct bz_view *name, struct bz_view *type,
                          struct bz_view *url) {
    struct bz_view part[3];
    size_t n = 0;
    const char *p = text;
    while (n < 2) {
        const char *eq = strchr(p, '=');
        enum bz_server s;
        if (eq == NULL)
            return false;
        part[n++] = bz_view(p, (size_t)(eq - p));
        p = eq + 1;
        if (bz_server_from_name(part[n - 1], &s))
            break;
    }
    enum bz_server s;
    if (n == 0 || !bz_server_from_name(part[n - 1], &s))
        return false;
    *name = n == 2 ? part[0] : bz_view(NULL, 0);
    *type = part[n - 1];
    *url = bz_view_str(p);
    return true;
}

static bool put_backends(struct init *in) {
    bz_buf_puts(&in->yaml,
                "# Model servers. type: llama.cpp, ollama, vllm, openai or anthropic.\n"
                "# Models are asked from the server unless 'models: [a, b]' names them.\n"
                "# key_file: file in this directory with the server's own credential.\n"
                "backends:\n");
    for (size_t i = 0; i < in->backends.n; i++) {
        struct bz_view name, type, url;
        if (!split_backend(in->backends.v[i], &name, &type, &url)) {
            bz_say("--backend '%s': write [NAME=]TYPE=URL with TYPE one of llama.cpp, ollama, "
                   "vllm, openai, anthropic",
                   bz_safe(in->backends.v[i]));
            return false;
        }
        bz_buf_puts(&in->yaml, "  - name: ");
        if (name.n > 0) {
            put_quoted(&in->yaml, name);
        } else {
            /* type and a number, for two servers of one kind */
            bz_buf_put(&in->yaml, bz_view_eq(type, BZ_V("llama.cpp")) ? BZ_V("llamacpp") : type);
            if (i > 0)
                bz_buf_printf(&in->yaml, "%zu", i + 1);
        }
        bz_buf_puts(&in->yaml, "\n    type: ");
        bz_buf_put(&in->yaml, type);
        bz_buf_puts(&in->yaml, "\n    url: ");
        put_quoted(&in->yaml, url);
        bz_buf_puts(&in->yaml, "\n");
    }
    return true;
}

static void put_head(struct init *in) {
    struct bz_buf *b = &in->yaml;
    bz_buf_puts(b,
                "# Bartizan instance. 'man bartizan.yaml' explains every key; 'bartizan policy "
                "check FILE' checks this file;\n"
                "# 'bartizan reload DIR' puts a change in force without a restart.\n"
                "version: 1\n\n"
                "# Where clients connect. Beyond loopback, clients need one of the names below.\n"
                "listen: ");
    put_quoted(b, bz_view_str(in->listen));
    bz_buf_puts(b, "\n");
    if (in->plain_http)
        bz_buf_puts(b, "plain_http: true # without TLS: keys and prompts can be read by programs "
                       "on this machine\n");
    bz_buf_puts(b, "\n# Values of the Host header that are served.\nnames:\n");
    for (size_t i = 0; i < in->names_n; i++) {
        bz_buf_puts(b, "  - ");
        put_quoted(b, bz_view_str(in->name[i]));
        bz_buf_puts(b, "\n");
    }
    bz_buf_puts(b, "\n# Pages of these origins may call from a browser; none by default.\n"
                   "# origins: [\"https://app.example.org\"]\n\n"
                   "# strict: no prompt is forwarded before its record is on disk. relaxed: the "
                   "record follows.\n"
                   "audit:\n  mode: strict\n\n");
}

static void put_tail(struct init *in) {
    bz_buf_puts(&in->yaml,
                "\n# Other names for models, and limits of a model.\n"
                "# models:\n"
                "#   - {name: assistant, target: the-servers-own-name}\n\n"
                "# What a key may do. The roles 'user' and 'admin' always exist; these are the "
                "user's defaults.\n"
                "roles:\n"
                "  - name: user\n"
                "    routes: [\"*\"]\n"
                "    models: [\"*\"]\n"
                "    limits: {requests_per_minute: 600, requests_burst: 100, concurrent: 64}\n\n"
                "# Personal data, secrets, words of your own. Without rules the defaults hold; "
                "'bartizan policy explain' prints them.\n"
                "# data:\n"
                "#   custom:\n"
                "#     - {name: PROJECT_NAMES, words: [Falcon, \"Blue Harbour\"], level: "
                "CONFIDENTIAL}\n"
                "#   rules:\n"
                "#     - {types: [PROJECT_NAMES], action: restore}\n\n"
                "# Texts that try to steer the model: results of tools and documents are blocked, users "
                "are asked.\n"
                "# injection:\n"
                "#   exceptions: [{roles: [admin], mode: record}]\n\n"
                "# System prompts of the gateway's own ('bartizan prompt add'), and marks around "
                "untrusted text.\n"
                "# prompts:\n"
                "#   marking: delimit\n"
                "#   rules:\n"
                "#     - {name: support, version: 1, models: [assistant]}\n");
}

static bool check_yaml(struct init *in) {
    struct bz_config *c = NULL;
    struct bz_config_errors *e = &in->errs;
    if (bz_buf_status(&in->yaml) != BZ_OK)
        return false;
    enum bz_status st = bz_config_parse(bz_buf_view(&in->yaml), &c, e->list,
                                        sizeof e->list / sizeof e->list[0], &e->n);
    if (st != BZ_OK)
        bz_cli_config_errors(stderr, BZ_F_CONFIG, st, bz_buf_view(&in->yaml), e);
    bz_config_free(c);
    return st == BZ_OK;
}

static bool make_yaml(struct init *in) {
    put_head(in);
    if (!put_backends(in))
        return false;
    put_tail(in);
    return check_yaml(in);
}

/* ---- files ---- */

static bool put_file(const struct init *in, const char *rel, struct bz_view v) {
    if (bz_file_create(in->fd, rel, v, 0600) == BZ_OK)
        return true;
    bz_say("%s/%s: %s", bz_safe(in->tmp), rel, strerror(errno));
    return false;
}

static bool make_tls(struct init *in, const char *id) {
    const char *list[NAMES_MAX];
    for (size_t i = 0; i < in->names_n; i++)
        list[i] = in->name[i];
    const struct bz_ca_names names = {list, in->names_n};
    struct bz_buf ca, ca_key, cert, key;
    bz_buf_init(&ca, PEM_MAX);
    bz_buf_init(&ca_key, PEM_MAX);
    bz_buf_init(&cert, PEM_MAX);
    bz_buf_init(&key, PEM_MAX);
    enum bz_status st = bz_ca_make(id, &names, time(NULL), &ca, &ca_key);
    if (st == BZ_OK)
        st = bz_ca_issue(bz_buf_view(&ca), bz_buf_view(&ca_key), &names, time(NULL), &cert, &key);
    bool ok = st == BZ_OK && put_file(in, BZ_F_CA_CERT, bz_buf_view(&ca)) &&
              put_file(in, BZ_F_CA_KEY, bz_buf_view(&ca_key)) &&
              put_file(in, BZ_F_SERVER_CERT, bz_buf_view(&cert)) &&
              put_file(in, BZ_F_SERVER_KEY, bz_buf_view(&key));
    bz_buf_wipe_free(&ca_key);
    bz_buf_wipe_free(&key);
    bz_buf_free(&ca);
    bz_buf_free(&cert);
    if (st == BZ_EINVAL)
        bz_say("one of the names is neither an IP address nor a host name");
    else if (st != BZ_OK)
        bz_say("the certificates cannot be made: %s", bz_status_text(st));
    return ok;
}

static bool make_audit(struct init *in, const uint8_t id[8]) {
    uint8_t pub[BZ_SIGN_PUBLIC_LEN], sec[BZ_SIGN_SECRET_LEN];
    char origin[BZ_ORIGIN_MAX];
    struct bz_buf line;
    bz_instance_origin(id, origin);
    bz_sign_keypair(pub, sec);
    bz_buf_init(&line, 1024);
    bz_verifier_key(bz_view_str(origin), pub, &line);
    if (line.n == 0 || line.p[line.n - 1] != '\n')
        bz_buf_putc(&line, '\n');
    bool ok = bz_buf_status(&line) == BZ_OK &&
              put_file(in, BZ_F_AUDIT_KEY, bz_view(sec, sizeof sec)) &&
              put_file(in, BZ_F_VERIFIER, bz_buf_view(&line));
    bz_wipe(sec, sizeof sec);
    bz_buf_free(&line);
    return ok;
}

/* Users "admin" and "user", one key each. */
static bool make_book(struct init *in, const struct bz_instance_keys *keys) {
    const struct bz_key_wish admin = {.owner = "admin", .role = "admin"},
                             user = {.owner = "user", .role = "user"};
    const uint64_t now = bz_clock_unix() / 1000000000u;
    struct bz_identity *b = NULL;
    char path[BZ_DIR_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/" BZ_F_STORE, in->tmp);
    enum bz_status st =
        n > 0 && (size_t)n < sizeof path ? bz_identity_create(path, &b) : BZ_ETOOBIG;
    bz_instance_new_key(in->admin_key);
    bz_instance_new_key(in->user_key);
    if (st == BZ_OK)
        st = bz_identity_user_add(b, "admin", "admin", now);
    if (st == BZ_OK)
        st = bz_identity_user_add(b, "user", "user", now);
    if (st == BZ_OK)
        st = bz_identity_key_add(b, keys->key_pepper, &admin, now, bz_view_str(in->admin_key));
    if (st == BZ_OK)
        st = bz_identity_key_add(b, keys->key_pepper, &user, now, bz_view_str(in->user_key));
    bz_identity_close(b);
    if (st != BZ_OK)
        bz_say("the store cannot be made: %s", bz_status_text(st));
    return st == BZ_OK;
}

static bool put_master(const struct init *in, const uint8_t master[BZ_KEY_LEN]) {
    struct bz_buf secret, why;
    bz_buf_init(&secret, BZ_MASTER_SECRET_MAX);
    bz_buf_init(&why, 4096);
    bool ok = bz_secret_input(in->source, &in->secret, &secret);
    if (ok) {
        enum bz_status st = bz_master_write(in->fd, in->source, master, bz_buf_view(&secret), &why);
        ok = st == BZ_OK;
        if (!ok)
            bz_master_say(st, &why);
    }
    bz_buf_wipe_free(&secret);
    bz_buf_free(&why);
    return ok;
}

static bool make_secrets(struct init *in) {
    struct bz_instance_keys keys;
    uint8_t master[BZ_KEY_LEN];
    char id[17];
    struct bz_buf hex;
    bz_random(master, sizeof master);
    bz_instance_derive(master, &keys);
    bz_buf_init_fixed(&hex, id, sizeof id);
    bz_buf_put_hex(&hex, bz_view(keys.instance_id, sizeof keys.instance_id));
    bz_buf_putc(&hex, 0);
    bool ok = put_master(in, master) && make_tls(in, id) && make_audit(in, keys.instance_id) &&
              make_book(in, &keys);
    bz_wipe(master, sizeof master);
    bz_wipe(&keys, sizeof keys);
    return ok;
}

/* ---- target ---- */

/* An empty directory may be there already: rename(2) takes its place. */
static bool target_free(const struct init *in) {
    struct stat sb;
    if (lstat(in->dir, &sb) != 0)
        return errno == ENOENT;
    struct bz_instance there;
    if (bz_instance_open(in->dir, &there) == BZ_OK) {
        bz_instance_close(&there);
        bz_say("%s is an instance already; 'bartizan up %s' starts it", bz_safe(in->dir),
               bz_safe(in->dir));
        return false;
    }
    if (S_ISDIR(sb.st_mode) && rmdir(in->dir) == 0) {
        (void)mkdir(in->dir, sb.st_mode & 07777);
        return true;
    }
    bz_say("%s exists and is not empty", bz_safe(in->dir));
    return false;
}

static bool make_tmp(struct init *in) {
    size_t len = strlen(in->dir);
    while (len > 1 && in->dir[len - 1] == '/')
        len--;
    int n = snprintf(in->tmp, sizeof in->tmp, "%.*s.tmp-XXXXXX", (int)len, in->dir);
    if (n < 0 || (size_t)n >= sizeof in->tmp || mkdtemp(in->tmp) == NULL) {
        bz_say("%s cannot be made: %s", bz_safe(in->dir), strerror(errno));
        in->tmp[0] = '\0';
        return false;
    }
    in->fd = open(in->tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return in->fd >= 0 && bz_instance_dirs(in->fd) == BZ_OK;
}

static bool make_all(struct init *in) {
    add_names(in);
    if (!make_yaml(in) || !target_free(in) || !make_tmp(in) || !make_secrets(in) ||
        !put_file(in, BZ_F_CONFIG, bz_buf_view(&in->yaml)))
        return false;
    (void)fsync(in->fd);
    if (rename(in->tmp, in->dir) != 0) {
        bz_say("%s cannot be put in its place: %s", bz_safe(in->dir), strerror(errno));
        return false;
    }
    in->tmp[0] = '\0';
    return true;
}

/* ---- what is shown ---- */

static void put_json(const struct init *in, struct bz_buf *out) {
    struct bz_jw w;
    bz_jw_init(&w, out);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "url", bz_view_str(in->url));
    bz_jw_kstr(&w, "ca", bz_view_str(in->ca));
    bz_jw_kstr(&w, "admin", bz_view_str(in->admin_key));
    bz_jw_kstr(&w, "key", bz_view_str(in->user_key));
    bz_jw_end(&w);
}

static void put_text(const struct init *in, struct bz_buf *out) {
    bz_buf_puts(out, "made ");
    bz_put_safe(out, bz_view_str(in->dir));
    bz_buf_puts(out, "\n  bartizan.yaml  the configuration\n"
                     "  tls/           a private CA and the server's certificate\n"
                     "  secrets/       master key and audit key: keep a copy in a safe place\n"
                     "\n  url        ");
    bz_buf_puts(out, in->url);
    bz_buf_puts(out, "\n  ca         ");
    bz_put_safe(out, bz_view_str(in->ca));
    bz_buf_printf(out, "\n  admin key  %s\n", in->admin_key);
    bz_buf_printf(out, "  user key   %s\n\n", in->user_key);
    bz_buf_puts(out, "The keys are shown this once only. Start it with: bartizan up ");
    bz_put_safe(out, bz_view_str(in->dir));
}

/* Where clients connect and which CA they trust. */
static bool find_out(struct init *in) {
    struct bz_instance at;
    struct bz_config *c = NULL;
    struct bz_buf u;
    size_t n = 0;
    bz_buf_init_fixed(&u, in->url, sizeof in->url - 1);
    if (bz_config_parse(bz_buf_view(&in->yaml), &c, NULL, 0, &n) == BZ_OK)
        bz_instance_url(c, &u);
    bz_config_free(c);
    if (bz_instance_open(in->dir, &at) != BZ_OK)
        return false;
    bool ok = bz_instance_path(&at, BZ_F_CA_CERT, in->ca);
    bz_instance_close(&at);
    return ok;
}

static void show(struct init *in) {
    struct bz_buf out;
    if (!find_out(in))
        return;
    bz_buf_init(&out, 16384);
    if (in->json)
        put_json(in, &out);
    else
        put_text(in, &out);
    bz_buf_putc(&out, '\n');
    (void)fwrite(out.p, 1, out.n, stdout);
    bz_buf_wipe_free(&out);
}

int bz_cli_init(int argc, char **argv) {
    struct init *in = calloc(1, sizeof *in);
    if (in == NULL)
        return BZ_EXIT_FAILURE;
    in->fd = -1;
    const char *source = NULL, *passphrase = NULL, *credential = NULL;
    const struct bz_opt list[] = {
        {"backend", BZ_OPT_MANY, &in->backends, "[NAME=]TYPE=URL",
         "a model server, e.g. ollama=http://127.0.0.1:11434"},
        {"listen", BZ_OPT_TEXT, &in->listen, "ADDR:PORT", "where clients connect (127.0.0.1:8443)"},
        {"name", BZ_OPT_MANY, &in->names, "HOST",
         "a further host name or address that clients use"},
        {"plain-http", BZ_OPT_FLAG, &in->plain_http, NULL, "no TLS; loopback only"},
        {"master-key", BZ_OPT_TEXT, &source, "SOURCE",
         "what opens the master key: file, passphrase, credential or tpm (file)"},
        {"passphrase-file", BZ_OPT_TEXT, &passphrase, "FILE",
         "file with the passphrase, instead of asking"},
        {"credential-file", BZ_OPT_TEXT, &credential, "FILE",
         "content of the credential; made when it is not there"},
        {"json", BZ_OPT_FLAG, &in->json, NULL, "print one JSON object: url, ca, admin, key"},
    };
    static const char *const names[] = {"DIR"};
    const struct bz_opts o = {
        "bartizan init DIR --backend [NAME=]TYPE=URL ... [--listen ADDR:PORT] [--json]",
        "Makes a new instance directory. Asks nothing but a passphrase; a failure leaves nothing "
        "behind.",
        list,
        sizeof list / sizeof list[0],
        names,
        1,
        1};
    size_t n = 0;
    bool help = false;
    int rc = BZ_EXIT_FAILURE;
    (void)umask(077);
    if (bz_opts_parse(&o, argc, argv, &in->dir, &n, &help) == BZ_OK)
        rc = help ? BZ_EXIT_OK : -1;
    if (rc < 0 && source != NULL && !bz_master_source_parse(source, &in->source)) {
        bz_say("--master-key '%s': file, passphrase, credential or tpm", bz_safe(source));
        rc = BZ_EXIT_FAILURE;
    }
    in->secret = (struct bz_secret_input){
        in->source == BZ_MASTER_BY_CREDENTIAL ? credential : passphrase, true};
    if (rc < 0 && in->backends.n == 0)
        bz_say("--backend is missing: name at least one model server, e.g. --backend "
               "ollama=http://127.0.0.1:11434");
    if (rc < 0) {
        in->listen = in->listen != NULL ? in->listen : "127.0.0.1:8443";
        bz_buf_init(&in->yaml, YAML_MAX);
        bool ok = in->backends.n > 0 && make_all(in);
        if (ok)
            show(in);
        rc = ok ? BZ_EXIT_OK : BZ_EXIT_FAILURE;
        bz_buf_free(&in->yaml);
    }
    if (in->tmp[0] != '\0')
        bz_tree_remove(AT_FDCWD, in->tmp);
    bz_fd_done(&in->fd);
    bz_wipe(in, sizeof *in);
    free(in);
    return rc;
}
