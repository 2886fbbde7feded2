/* What the files of the posture room share: the tree, the facts, the context of a check.
 *
 * All memory is one arena per run. Texts of the tree are views of it: any bytes, never escaped until
 * they are shown. Every parser is a pure function over a view (fuzz/fuzz_posture_facts.c). */
#ifndef POSTURE_INT_H
#define POSTURE_INT_H

#include <sys/stat.h>
#include <bartizan/json.h>
#include <bartizan/limits.h>
#include <bartizan/posture.h>

#define PT_V(v) (int)((v).n > 4096 ? 4096 : (v).n), (const char *)(v).p /* for "%.*s" */

/* A growing array in an arena is a struct of v, n, cap. PT_ADD gives the address of a new zeroed item,
 * or NULL. */
/* Memory for at least n + 1 items: v itself or a larger copy; NULL: none. */
void *pt_grow(struct bz_arena *ar, void *v, size_t n, size_t *cap, size_t size);
#define PT_ADD(ar, list)                                                                           \
    ({                                                                                             \
        __typeof__((list)->v) pt_item_ = NULL;                                                     \
        void *pt_mem_ = pt_grow((ar), (list)->v, (list)->n, &(list)->cap, sizeof *(list)->v);      \
        if (pt_mem_ != NULL) {                                                                     \
            (list)->v = pt_mem_;                                                                   \
            pt_item_ = &(list)->v[(list)->n++];                                                    \
            memset(pt_item_, 0, sizeof *pt_item_);                                                 \
        }                                                                                          \
        pt_item_;                                                                                  \
    })

struct pt_views {
    struct bz_view *v;
    size_t n, cap;
};
struct pt_ids {
    uint32_t *v;
    size_t n, cap;
};
bool pt_views_add(struct bz_arena *ar, struct pt_views *l, struct bz_view v);

/* ---- text.c: small text helpers ---- */
struct bz_view pt_trim(struct bz_view v);
/* The next line (without its end); false at the end. */
bool pt_line(struct bz_view *rest, struct bz_view *ret);
/* The next word of blanks or tabs; false at the end. */
bool pt_word(struct bz_view *rest, struct bz_view *ret);
/* Splits at the first `sep`; false if there is none. */
bool pt_split(struct bz_view v, uint8_t sep, struct bz_view *left, struct bz_view *right);
bool pt_has(struct bz_view v, const char *needle);         /* substring, any case of ASCII */
bool pt_is(struct bz_view v, const char *text);            /* equal */
bool pt_is_any(struct bz_view v, const char *const *list); /* NULL-terminated */
bool pt_starts(struct bz_view v, const char *text);
bool pt_ends(struct bz_view v, const char *text);
size_t pt_find(struct bz_view v, const char *needle); /* exact case; SIZE_MAX: none */
struct bz_view pt_base(struct bz_view path);          /* after the last slash */
struct bz_view pt_dir(struct bz_view path);           /* before the last slash; "/" */
struct bz_view pt_fmt(struct bz_arena *ar, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
uint64_t pt_num(struct bz_view v, uint64_t otherwise); /* decimal digits alone */
bool pt_true(struct bz_view v);                        /* 1, true, yes, on */
bool pt_loopback_name(struct bz_view host);            /* 127.x, ::1, localhost */
/* Splits a command line as systemd and shells do: quotes and backslashes. */
void pt_shell_words(struct bz_arena *ar, struct bz_view line, struct pt_views *out);

/* ---- secrets.c ---- */
/* Does the value look like a secret of a provider, or the name like one that holds a secret? */
bool pt_secret_value(struct bz_view value);
bool pt_secret_name(struct bz_view name);
bool pt_secret_pair(struct bz_view name, struct bz_view value);
/* The first secret in a text (KEY=VALUE, "key": "value", or a known prefix); redacted for showing. */
bool pt_secret_in(struct bz_arena *ar, struct bz_view text, struct bz_view *ret_what,
                  uint64_t *ret_line);
struct bz_view pt_redact(struct bz_arena *ar, struct bz_view value);

/* ---- tree.c: the only way to the disk ---- */
struct pt_tree {
    int fd;    /* the root */
    bool live;  /* the running system */
    bool plain; /* without openat2 */
    struct bz_arena *ar;
    struct bz_buf scratch;
    uint64_t denied;  /* opens and reads that were not permitted */
    uint64_t special; /* FIFOs, devices, sockets where a file was expected */
};
enum bz_status pt_tree_open(struct pt_tree *t, const char *root, struct bz_arena *ar) BZ_MUST_USE;
void pt_tree_close(struct pt_tree *t);
/* Content of a regular file, at most max bytes, in the arena; ETOOBIG: *ret holds the first max.
 * ENOTFOUND, EDENIED, EINVAL (not a regular file), EIO, ENOMEM. *ret is empty unless OK or ETOOBIG. */
enum bz_status pt_read(struct pt_tree *t, const char *path, size_t max, struct bz_view *ret);
/* The same in memory that lives until the next pt_peek. */
enum bz_status pt_peek(struct pt_tree *t, const char *path, size_t max, struct bz_view *ret);
/* Read-only descriptor of a regular file, or -1. */
int pt_open_file(struct pt_tree *t, const char *path);
bool pt_stat(struct pt_tree *t, const char *path, bool follow, struct stat *ret);
enum bz_status pt_link(struct pt_tree *t, const char *path, struct bz_view *ret);
/* Names in a directory, sorted, without "." and ".."; at most max. */
enum bz_status pt_list(struct pt_tree *t, const char *path, size_t max, struct pt_views *ret);
struct pt_entry {
    struct bz_view name;
    uint8_t type; /* DT_... of dirent.h */
};
struct pt_entries {
    struct pt_entry *v;
    size_t n, cap;
};
enum bz_status pt_scan(struct pt_tree *t, const char *path, size_t max, struct pt_entries *ret);
/* NUL-terminated path in the arena, "" when out of memory. */
const char *pt_path(struct pt_tree *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool pt_exists(struct pt_tree *t, const char *path);
/* Who beside the owner may write by ACL? named entries of system.posix_acl_access. */
bool pt_acl_write(struct pt_tree *t, const char *path, uint32_t uid, bool *ret_any);

/* ---- kinds.c: the AI programs that we know ---- */
enum pt_role {
    PT_ROLE_SERVER = 1, /* serves a model */
    PT_ROLE_VECTOR = 2,
    PT_ROLE_UI = 4,
    PT_ROLE_NOTEBOOK = 8,
    PT_ROLE_AGENT = 16,
    PT_ROLE_TRAIN = 32, /* training, clusters, experiments */
    PT_ROLE_PROXY = 64,
    PT_ROLE_OURS = 128,
};
enum pt_bind { PT_BIND_LOOPBACK, PT_BIND_ALL };
struct pt_kind {
    const char *id, *title;
    uint8_t role;
    uint8_t bind;        /* enum pt_bind: when nothing is said */
    const char *names;   /* program names, blank separated; '*' at the end: prefix */
    const char *modules; /* python -m */
    const char *images;  /* parts of container image names */
    uint16_t ports[4];
    bool own_port; /* the first port is hardly ever anybody else's */
    const char *host_opts, *host_env, *port_opts;
};
extern const struct pt_kind pt_kinds[];
extern const size_t pt_kinds_n;
const struct pt_kind *pt_kind_find(const char *id);
/* By program, arguments and container image; NULL: none of them. */
const struct pt_kind *pt_kind_of(struct bz_view exe, struct bz_view comm,
                                 const struct pt_views *argv, struct bz_view image);
const struct pt_kind *pt_kind_of_port(uint16_t port, bool own_only);
static inline bool pt_kind_is(const struct pt_kind *k, const char *id) {
    return k != NULL && strcmp(k->id, id) == 0;
}
bool pt_kind_in(const struct pt_kind *k, const char *ids); /* blank separated */

/* ---- facts ---- */
struct pt_proc {
    uint32_t pid;
    struct bz_view comm, exe, cwd;
    struct pt_views argv, env, sockets, files; /* files: open or mapped, of interest */
    bool have_status, have_env, have_cmdline, have_fd, have_maps, have_limits;
    bool env_denied, fd_denied, maps_denied;
    uint32_t uid, euid, egid;
    struct pt_ids groups;
    int no_new_privs, seccomp; /* -1: unknown */
    uint64_t cap_eff;
    bool have_caps;
    uint64_t core_soft, core_hard, nofile_soft; /* UINT64_MAX: unlimited */
    struct bz_view cgroup, netns;
    bool own_netns;     /* not the host's */
    bool default_route; /* in its own network namespace */
    bool gpu, kernel;   /* holds a GPU node; a kernel thread */
    const struct pt_kind *kind;
    struct pt_unit *unit;
};
struct pt_proc_list {
    struct pt_proc *v;
    size_t n, cap;
};
struct pt_sock {
    bool v6, loopback, any, host; /* host: in the host's network namespace */
    uint8_t addr[16];
    uint16_t port;
    uint64_t inode;
    uint32_t uid;
    struct pt_proc *proc; /* owner, or NULL */
    const struct pt_kind *kind;
    const char *how; /* how the owner is known */
    bool published;  /* docker-proxy and the like */
};
struct pt_sock_list {
    struct pt_sock *v;
    size_t n, cap;
};
struct pt_pair {
    struct bz_view section, key, value;
};
struct pt_pair_list {
    struct pt_pair *v;
    size_t n, cap;
};
struct pt_unit {
    struct bz_view name, path;
    struct pt_pair_list pairs;
    struct pt_views env, exec;
    bool env_file_denied, quadlet, enabled;
    const struct pt_kind *kind;
};
struct pt_unit_list {
    struct pt_unit *v;
    size_t n, cap;
};
struct pt_port { /* a published port of a container */
    struct bz_view host_ip;
    uint16_t host_port, port;
};
struct pt_port_list {
    struct pt_port *v;
    size_t n, cap;
};
struct pt_mount {
    struct bz_view source, target;
    bool writable;
};
struct pt_mount_list {
    struct pt_mount *v;
    size_t n, cap;
};
struct pt_ctr {
    struct bz_view name, image, user, origin; /* origin: the file */
    bool have_user, running, privileged, host_net, host_pid, host_ipc, unconfined, userns;
    bool rootless, gpu_all, have_limits;
    struct pt_views env, argv, caps, devices, gpus;
    struct pt_port_list ports;
    struct pt_mount_list mounts;
    uint64_t memory, pids;
    bool compose, net_none;
    const struct pt_kind *kind;
};
struct pt_ctr_list {
    struct pt_ctr *v;
    size_t n, cap;
};
enum pt_src { PT_PROC, PT_UNIT, PT_CTR };
struct pt_work { /* one AI program, wherever it is declared or runs */
    enum pt_src src;
    struct bz_view label;
    const struct pt_kind *kind;
    const struct pt_views *argv, *env;
    bool env_known, argv_known;
    struct pt_proc *proc;
    struct pt_unit *unit;
    struct pt_ctr *ctr;
};
struct pt_work_list {
    struct pt_work *v;
    size_t n, cap;
};
enum pt_tag {                   /* what a file of the sweep is */
              PT_F_MODEL,       /* looks like a model file */
              PT_F_CONFIG_KEYS, /* a configuration that may hold keys */
              PT_F_TOKEN,       /* a token or private key by its place */
              PT_F_SSHKEY,      /* Ollama's identity */
              PT_F_PROMPTS,     /* prompts in the clear */
              PT_F_PTH,
              PT_F_PROMPT_TEMPLATE,
              PT_F_LOG,
              PT_F_JUPYTER,
              PT_F_COUNT
};
struct pt_file {
    struct bz_view path;
    uint8_t tag;
    uint32_t mode, uid, gid;
    uint64_t size;
    int64_t mtime;
    struct bz_view head; /* first bytes: models */
    struct bz_view text; /* content: configurations */
    bool unreadable;
    bool looked; /* by pt_look; what it said: */
    enum bz_status look;
    struct bz_view why, licence;
};
struct pt_file_list {
    struct pt_file *v;
    size_t n, cap;
};
struct pt_pkg {
    struct bz_view name, version;
};
struct pt_pkg_list {
    struct pt_pkg *v;
    size_t n, cap;
};
struct pt_dist { /* a Python distribution */
    struct bz_view name, version, dir;
    int64_t mtime;
};
struct pt_dist_list {
    struct pt_dist *v;
    size_t n, cap;
};
struct pt_user {
    struct bz_view name, home, shell;
    uint32_t uid, gid;
    bool human; /* 1000..59999 with a login shell */
    struct pt_views groups;
};
struct pt_user_list {
    struct pt_user *v;
    size_t n, cap;
};
struct pt_group {
    struct bz_view name;
    uint32_t gid;
    struct pt_views members;
};
struct pt_group_list {
    struct pt_group *v;
    size_t n, cap;
};
struct pt_rule { /* one line of a firewall's ruleset */
    struct bz_view text;
};
struct pt_rule_list {
    struct pt_rule *v;
    size_t n, cap;
};
struct pt_firewall {
    bool seen, denied; /* a ruleset file was found; one was not readable */
    bool input_drop, output_drop, forward_drop;
    struct bz_view source;
    struct pt_rule_list rules; /* of output, and of destination NAT */
    struct pt_rule_list dnat;
};
struct pt_volume {
    struct bz_view source, target, type, options;
};
struct pt_volume_list {
    struct pt_volume *v;
    size_t n, cap;
};
struct pt_update {
    struct bz_view name, have, want;
};
struct pt_update_list {
    struct pt_update *v;
    size_t n, cap;
};
struct pt_ssh {
    bool seen, denied;
    struct bz_view root_login, password, empty, x11, path;
};
struct pt_get { /* answer of a loopback GET */
    struct pt_sock *sock;
    struct bz_view path, host, body;
    unsigned status; /* 0: no answer */
};
struct pt_get_list {
    struct pt_get *v;
    size_t n, cap;
};
struct pt_instance {
    struct bz_view path;
    struct bz_json *config; /* bartizan.yaml as a tree */
    struct bz_view config_text, good_text;
    bool have_good, denied;
    struct pt_views backends; /* urls */
};
struct pt_instance_list {
    struct pt_instance *v;
    size_t n, cap;
};
struct pt_manifest_dir {
    struct bz_view dir; /* of ollama manifests: the registry's host */
};
struct pt_manifest_dir_list {
    struct pt_manifest_dir *v;
    size_t n, cap;
};

struct pt_facts {
    struct pt_tree *t;
    struct bz_arena *ar;
    const struct bz_posture_options *o;
    bool live, root_view, have_proc, sweep_cut, sweep_denied;
    struct pt_proc_list procs;
    struct pt_sock_list socks;
    bool have_socks;
    struct pt_unit_list units;
    struct pt_views enabled; /* names in *.wants and *.requires */
    struct pt_ctr_list ctrs;
    bool ctr_denied;
    struct pt_work_list works;
    struct pt_file_list files;
    struct pt_pkg_list pkgs;
    bool have_dpkg;
    struct pt_dist_list dists;
    struct pt_user_list users;
    struct pt_group_list groups;
    bool have_passwd;
    struct pt_views sudoers; /* lines */
    bool sudoers_denied;
    struct pt_firewall fw;
    struct pt_volume_list volumes;
    struct pt_volume_list swaps; /* source alone */
    bool have_swaps, have_volumes;
    struct pt_update_list updates;
    bool have_lists;
    struct pt_views fronts; /* configurations of web servers */
    struct pt_ssh ssh;
    struct pt_get_list gets;
    struct pt_instance_list instances;
    struct pt_manifest_dir_list registries;
    struct pt_pair_list sysctl_conf; /* key, value of sysctl.d */
    struct bz_view os_id, os_version, os_name, host;
    struct pt_views model_roots; /* directories that hold models, and files named by arguments */
    struct pt_views crypttab;
};

/* Collectors: each fills its part of the facts; what cannot be read is recorded there. */
void pt_collect_procs(struct pt_facts *f);
void pt_collect_socks(struct pt_facts *f);
void pt_collect_units(struct pt_facts *f);
void pt_collect_ctrs(struct pt_facts *f);
void pt_collect_users(struct pt_facts *f);
void pt_collect_packages(struct pt_facts *f);
void pt_collect_host(struct pt_facts *f);
void pt_collect_firewall(struct pt_facts *f);
void pt_collect_instances(struct pt_facts *f);
/* What no other account may read in an instance; NULL ends it. */
extern const char *const pt_instance_secrets[];
void pt_collect_files(struct pt_facts *f); /* needs works */
void pt_collect_gets(struct pt_facts *f);
void pt_build_works(struct pt_facts *f);
void pt_own_socks(struct pt_facts *f); /* joins sockets with programs */

/* Pure parsers. */
void pt_parse_status(struct bz_view text, struct pt_proc *p, struct bz_arena *ar);
void pt_parse_limits(struct bz_view text, struct pt_proc *p);
void pt_parse_nul_list(struct bz_view text, struct pt_views *out, struct bz_arena *ar);
void pt_parse_maps(struct bz_view text, struct pt_proc *p, struct bz_arena *ar);
void pt_parse_fd_listing(struct bz_view text, struct pt_proc *p, struct bz_arena *ar);
void pt_note_open_file(struct pt_proc *p, struct bz_view target, struct bz_arena *ar);
void pt_parse_tcp(struct bz_view text, bool v6, struct pt_facts *f, struct pt_proc *ns);
bool pt_parse_route_default(struct bz_view text);
void pt_parse_passwd(struct bz_view text, struct pt_facts *f);
void pt_parse_group(struct bz_view text, struct pt_facts *f);
void pt_parse_os_release(struct bz_view text, struct pt_facts *f);
void pt_parse_dpkg(struct bz_view text, struct pt_facts *f);
void pt_parse_apt_list(struct bz_view text, struct pt_facts *f);
bool pt_parse_metadata(struct bz_view text, struct pt_dist *ret);
void pt_parse_ini(struct bz_view text, struct pt_unit *u, struct bz_arena *ar);
void pt_unit_finish(struct pt_unit *u, struct pt_facts *f);
void pt_parse_sshd(struct bz_view text, struct pt_ssh *s);
void pt_parse_nft(struct bz_view text, struct pt_firewall *fw, struct bz_arena *ar);
void pt_parse_iptables(struct bz_view text, struct pt_firewall *fw, struct bz_arena *ar);
void pt_parse_mounts(struct bz_view text, struct pt_facts *f);
void pt_parse_swaps(struct bz_view text, struct pt_facts *f);
void pt_parse_sysctl_conf(struct bz_view text, struct pt_facts *f);
void pt_parse_ctr_json(struct bz_view text, struct bz_view host_json, struct pt_facts *f,
                       const char *origin);
void pt_parse_compose(struct bz_view text, struct pt_facts *f, const char *origin);
/* YAML as a JSON tree (strings only at the leaves); NULL: not YAML, or above the caps. Anchors are
 * refused. */
struct bz_json *pt_yaml(struct bz_arena *ar, struct bz_view text, struct bz_diag *diag);
bool pt_parse_http(struct bz_view text, struct pt_get *g);

/* ---- facts.c: questions that checks ask ---- */
bool pt_flag(const struct pt_work *w, const char *names); /* "--a|--b" among the arguments */
bool pt_opt(const struct pt_work *w, const char *names, struct bz_view *ret); /* "--a X", "--a=X" */
bool pt_env(const struct pt_work *w, const char *names, struct bz_view *ret); /* "A|B" */
bool pt_unit_get(const struct pt_unit *u, const char *section, const char *key,
                 struct bz_view *ret); /* the last one */
struct bz_view pt_sysctl(struct pt_facts *f,
                         const char *name); /* "kernel/kptr_restrict"; empty: unknown */
struct bz_view pt_sock_text(struct pt_facts *f,
                            const struct pt_sock *s); /* "0.0.0.0:11434 (pid 7, ...)" */
const struct pt_user *pt_user_of(const struct pt_facts *f, uint32_t uid);
const struct pt_user *pt_user_named(const struct pt_facts *f, struct bz_view name);
/* uid that the work runs as; false: unknown */
bool pt_work_uid(const struct pt_facts *f, const struct pt_work *w, uint32_t *ret);
const struct pt_pkg *pt_package(const struct pt_facts *f, const char *name);
const struct pt_dist *pt_python(const struct pt_facts *f, const char *name);
bool pt_enabled(const struct pt_facts *f, const char *name); /* a unit that starts at boot */
bool pt_running(const struct pt_facts *f, const char *comm);
/* -1: version unknown or no comparator; else 1 if v < fixed */
int pt_older(const struct pt_facts *f, const char *scheme, struct bz_view v, const char *fixed);
bool pt_host_is_loopback(struct bz_view host, bool *ret_socket);
/* Where a work was told to listen. */
enum pt_listen { PT_LISTEN_UNSAID, PT_LISTEN_LOOPBACK, PT_LISTEN_SOCKET, PT_LISTEN_OPEN };
enum pt_listen pt_work_listen(const struct pt_work *w, struct bz_view *ret_host);
uint16_t pt_work_port(const struct pt_work *w);
bool pt_work_private_net(const struct pt_work *w);
/* Encrypted volume below a path? 1 yes, 0 no, -1 unknown; *ret_dev says which. */
int pt_encrypted(struct pt_facts *f, struct bz_view path, struct bz_view *ret_dev);
int pt_device_encrypted(struct pt_facts *f, struct bz_view device);

/* ---- a check ---- */
struct pt_ctx {
    struct pt_facts *f;
    struct bz_posture_result *r;
    bool good, bad, unknown;
};
void pt_bad(struct pt_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void pt_unknown(struct pt_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline void pt_good(struct pt_ctx *c) {
    c->good = true;
}
struct pt_check {
    struct bz_posture_check info;
    void (*run)(struct pt_ctx *c);
};
#define PT_ROW(id, title, sev, why, fix, refs, fn)                                                 \
    { {id, title, why, fix, refs, BZ_POSTURE_##sev}, fn }
/* One table per letter: checks_a.c ... */
#define PT_TABLES(X) X(a) X(b) X(c) X(d) X(e) X(f) X(g) X(h)
#define X(letter)                                                                                  \
    extern const struct pt_check pt_checks_##letter[];                                             \
    extern const size_t pt_checks_##letter##_n;
PT_TABLES(X)
#undef X
const struct pt_check *pt_check_at(size_t i);

/* Every open listener of these kinds, and every work that would be one. */
void pt_exposure(struct pt_ctx *c, const char *kinds);
#define PT_EACH_WORK(c, w)                                                                         \
    for (const struct pt_work *w = (c)->f->works.v; w < (c)->f->works.v + (c)->f->works.n; w++)
#define PT_EACH(list, p) for (p = (list)->v; p < (list)->v + (list)->n; p++)
bool pt_sha_file(struct pt_facts *f, const char *path, uint8_t out[32]); /* false: unreadable */
bool pt_sha_is(struct bz_view hex, const uint8_t sha[32]);
void pt_a14(struct pt_ctx *c); /* checks_a_web.c */
void pt_a15(struct pt_ctx *c);
void pt_a16(struct pt_ctx *c);
void pt_a17(struct pt_ctx *c);
void pt_a18(struct pt_ctx *c);
void pt_look(struct pt_facts *f, struct pt_file *file); /* asks the hook for models, once */
void pt_certificates(struct pt_ctx *c);                 /* certs.c: those that expire */
bool pt_egress_closed(const struct pt_facts *f, const struct pt_work *w, bool metadata_only);
void pt_note(struct bz_posture *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
