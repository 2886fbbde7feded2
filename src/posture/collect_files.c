/* The sweep: one bounded walk over the places where AI software keeps models, secrets, prompts and
 * packages. Links are not followed; what is of interest is kept with its mode. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "posture_int.h"

struct sweep {
    struct pt_facts *f;
    uint64_t seen;
};

/* ---- what a name says ---- */

static bool any_end(struct bz_view v, const char *const *list) {
    for (; *list != NULL; list++) {
        if (pt_ends(v, *list))
            return true;
    }
    return false;
}

static bool in_model_dir(struct bz_view path) {
    static const char *const dirs[] = {
        "/models/", "/model/", "/hub/models--", "/checkpoints/", "/weights/",          "/blobs/",
        "/gguf/",   "/llm/",   "/loras/",       "/adapters/",    "/model_repository/", NULL};
    for (size_t i = 0; dirs[i] != NULL; i++) {
        if (pt_find(path, dirs[i]) != SIZE_MAX)
            return true;
    }
    return false;
}

static bool model_file(struct bz_view path, struct bz_view name) {
    static const char *const sure[] = {".gguf",      ".ggml", ".safetensors",
                                       ".llamafile", ".nemo", NULL};
    static const char *const maybe[] = {".bin",    ".pt",     ".pth",    ".ckpt",  ".pkl",
                                        ".pickle", ".joblib", ".onnx",   ".keras", ".h5",
                                        ".npy",    ".model",  ".tflite", NULL};
    if (any_end(name, sure) || pt_ends(name, ".ckpt") ||
        (pt_starts(name, "pytorch_model") && pt_ends(name, ".bin")) ||
        (pt_starts(name, "consolidated") && pt_ends(name, ".pth")))
        return true;
    if (!in_model_dir(path))
        return false;
    return any_end(name, maybe) || pt_starts(name, "sha256-") || pt_starts(name, "sha256:") ||
           memchr(name.p, '.', name.n) == NULL;
}

static bool in_any(struct bz_view path, const char *const *folders) {
    for (; *folders != NULL; folders++)
        if (pt_find(path, *folders) != SIZE_MAX)
            return true;
    return false;
}

static bool key_config(struct bz_view path, struct bz_view name) {
    static const char *const whole[] = {".env",
                                        "mcp.json",
                                        ".mcp.json",
                                        "mcp_config.json",
                                        "mcp-config.json",
                                        "claude_desktop_config.json",
                                        "Modelfile",
                                        "openclaw.json",
                                        "litellm.yaml",
                                        "litellm.yml",
                                        "litellm_config.yaml",
                                        "litellm-config.yaml",
                                        ".netrc",
                                        "auth.json",
                                        "secrets.toml",
                                        "secrets.yaml",
                                        "credentials.json",
                                        NULL};
    static const char *const settings[] = {"config.json", "config.yaml", "settings.json",
                                           "config.yml",  "config.toml", "config.ts",
                                           NULL};
    static const char *const folders[] = {"/.continue/", "/.cursor/", "/Cursor/User/", "/.codex/",
                                          "/.claude/",   "/.gemini/", "/litellm/",     "/qdrant/",
                                          "/.openclaw/", NULL};
    if (pt_is_any(name, whole) || pt_starts(name, ".env.") || pt_ends(name, ".env") ||
        pt_starts(name, "Modelfile."))
        return !pt_ends(name, ".example") && !pt_ends(name, ".sample") &&
               !pt_ends(name, ".template");
    bool yaml = pt_ends(name, ".yml") || pt_ends(name, ".yaml");
    if (yaml && (pt_starts(name, "docker-compose") || pt_starts(name, "compose")))
        return true;
    return pt_is_any(name, settings) && in_any(path, folders);
}

static bool prompts(struct bz_view path, struct bz_view name) {
    static const char *const whole[] = {"webui.db",
                                        ".aider.chat.history.md",
                                        ".aider.input.history",
                                        "history.jsonl",
                                        "flowise.sqlite",
                                        "langflow.db",
                                        NULL};
    if (pt_ends(path, "/.ollama/history") || pt_is_any(name, whole))
        return true;
    if (pt_ends(path, "/io.datasette.llm/logs.db") || pt_ends(name, ".chat"))
        return true;
    bool talk = pt_ends(name, ".json") || pt_ends(name, ".jsonl");
    return talk && (pt_find(path, "/.lmstudio/conversations/") != SIZE_MAX ||
                    pt_find(path, "/lm-studio/conversations/") != SIZE_MAX ||
                    pt_find(path, "/.claude/projects/") != SIZE_MAX ||
                    pt_find(path, "/.codex/sessions/") != SIZE_MAX ||
                    pt_find(path, "/.continue/sessions/") != SIZE_MAX);
}

static bool ai_log(struct bz_view path) {
    static const char *const words[] = {
        "ollama",       "llama",    "vllm",    "sglang",   "litellm",  "open-webui",
        "openwebui",    "bartizan", "qdrant",  "comfyui",  "langflow", "text-generation",
        "tritonserver", "mlflow",   "jupyter", "openclaw", NULL};
    if (!pt_starts(path, "/var/log/") || pt_starts(path, "/var/log/journal"))
        return false;
    for (size_t i = 0; words[i] != NULL; i++) {
        if (pt_has(path, words[i]))
            return true;
    }
    return false;
}

static int tag_of(struct bz_view path, struct bz_view name) {
    if (pt_ends(path, "/huggingface/token") || pt_ends(path, "/.huggingface/token") ||
        pt_ends(path, "/huggingface/stored_tokens"))
        return PT_F_TOKEN;
    if (pt_ends(path, "/.ollama/id_ed25519"))
        return PT_F_SSHKEY;
    if (pt_find(path, "/.jupyter/") != SIZE_MAX || pt_find(path, "/etc/jupyter/") != SIZE_MAX)
        return pt_ends(name, "_config.py") || pt_ends(name, "_config.json") ? PT_F_JUPYTER : -1;
    if (prompts(path, name))
        return PT_F_PROMPTS;
    if (key_config(path, name))
        return PT_F_CONFIG_KEYS;
    if (pt_has(name, "system_prompt") || pt_has(name, "system-prompt") ||
        pt_ends(name, ".prompt") || pt_is(name, "chat_template.jinja") ||
        pt_has(name, "systemprompt"))
        return PT_F_PROMPT_TEMPLATE;
    if (ai_log(path))
        return PT_F_LOG;
    return model_file(path, name) ? PT_F_MODEL : -1;
}

/* ---- keeping ---- */

static void keep(struct pt_facts *f, struct bz_view path, int tag) {
    struct stat s;
    if (f->files.n >= BZ_POSTURE_FILES_MAX) {
        f->sweep_cut = true;
        return;
    }
    bool sure = pt_stat(f->t, (const char *)path.p, true, &s);
    if (!sure || (!S_ISREG(s.st_mode)))
        return;
    struct pt_file *file = PT_ADD(f->ar, &f->files);
    if (file == NULL)
        return;
    *file = (struct pt_file){.path = path,
                             .tag = (uint8_t)tag,
                             .mode = s.st_mode & 07777,
                             .uid = s.st_uid,
                             .gid = s.st_gid,
                             .size = (uint64_t)s.st_size,
                             .mtime = s.st_mtim.tv_sec};
    enum bz_status st = BZ_OK;
    if (tag == PT_F_MODEL)
        st = pt_read(f->t, (const char *)path.p, 512, &file->head);
    else if (tag == PT_F_CONFIG_KEYS || tag == PT_F_PTH || tag == PT_F_PROMPT_TEMPLATE ||
             tag == PT_F_JUPYTER)
        st = pt_read(f->t, (const char *)path.p, 256 << 10, &file->text);
    file->unreadable = st == BZ_EDENIED;
}

/* NAME-VERSION.dist-info */
static void dist(struct pt_facts *f, struct bz_view dir, struct bz_view name) {
    struct pt_dist d = {0};
    struct bz_view text;
    struct stat s;
    bool egg = pt_ends(name, ".egg-info");
    const char *folder = pt_path(f->t, "%.*s/%.*s", PT_V(dir), PT_V(name));
    const char *meta = pt_path(f->t, "%s/%s", folder, egg ? "PKG-INFO" : "METADATA");
    if (pt_read(f->t, meta, 64 << 10, &text) == BZ_OK ||
        (pt_peek(f->t, meta, 64 << 10, &text) == BZ_ETOOBIG))
        (void)pt_parse_metadata(text, &d);
    struct bz_view stem = bz_view_sub(name, 0, name.n - (egg ? 9 : 10)), left, right;
    if (d.version.n == 0 && pt_split(stem, '-', &left, &right)) {
        d.name = left;
        d.version = right;
    }
    if (d.version.n == 0)
        return;
    d.name = bz_arena_dup(f->ar, d.name);
    d.version = bz_arena_dup(f->ar, d.version);
    d.dir = bz_view_str(folder);
    d.mtime = pt_stat(f->t, pt_path(f->t, "%s/RECORD", folder), false, &s) ||
                      pt_stat(f->t, folder, false, &s)
                  ? s.st_mtim.tv_sec
                  : 0;
    struct pt_dist *one = d.name.p != NULL && f->dists.n < 8192 ? PT_ADD(f->ar, &f->dists) : NULL;
    if (one != NULL)
        *one = d;
}

static void packages_dir(struct sweep *w, struct bz_view dir) {
    struct pt_entries all;
    if (pt_scan(w->f->t, (const char *)dir.p, 16384, &all) == BZ_EDENIED)
        w->f->sweep_denied = true;
    for (size_t i = 0; i < all.n && w->seen < BZ_POSTURE_SWEEP_MAX; i++) {
        struct bz_view name = all.v[i].name;
        w->seen++;
        if (pt_ends(name, ".dist-info") || pt_ends(name, ".egg-info"))
            dist(w->f, dir, name);
        else if (pt_ends(name, ".pth"))
            keep(w->f, bz_view_str(pt_path(w->f->t, "%.*s/%.*s", PT_V(dir), PT_V(name))), PT_F_PTH);
    }
}

static void manifests(struct pt_facts *f, struct bz_view dir) {
    struct pt_entries all;
    (void)pt_scan(f->t, (const char *)dir.p, 64, &all);
    for (size_t i = 0; i < all.n; i++) {
        struct pt_manifest_dir *m = PT_ADD(f->ar, &f->registries);
        if (m != NULL)
            m->dir = all.v[i].name;
    }
}

/* ---- walking ---- */

static bool skipped(struct bz_view path, struct bz_view name) {
    static const char *const names[] = {
        "node_modules", ".git",       "__pycache__", "overlay2", "overlay", ".npm",
        ".cargo",       ".rustup",    "locale",      "doc",      "man",     "icons",
        "fonts",        "btrfs",      "zfs",         "image",    "proc",    "sys",
        ".Trash",       "thumbnails", "dpkg",        "apt",      "mime",    NULL};
    return pt_is_any(name, names) || pt_ends(path, "/var/lib/docker/containers") ||
           pt_ends(path, "/go/pkg");
}

static void model_root(struct pt_facts *f, struct bz_view dir) {
    for (size_t i = 0; i < f->model_roots.n; i++) {
        if (bz_view_eq(f->model_roots.v[i], dir))
            return;
    }
    if (f->model_roots.n < 512)
        (void)pt_views_add(f->ar, &f->model_roots, dir);
}

static void walk(struct sweep *w, struct bz_view dir, unsigned depth);

static void entry(struct sweep *w, struct bz_view dir, const struct pt_entry *e, unsigned depth) {
    struct stat s;
    const char *path = pt_path(w->f->t, "%.*s/%.*s", PT_V(dir), PT_V(e->name));
    struct bz_view v = bz_view_str(path);
    uint8_t type = e->type;
    if (type == DT_UNKNOWN && pt_stat(w->f->t, path, false, &s))
        type = S_ISDIR(s.st_mode) ? DT_DIR : S_ISREG(s.st_mode) ? DT_REG : DT_LNK;
    if (type == DT_DIR) {
        if (pt_is(e->name, "site-packages") || pt_is(e->name, "dist-packages"))
            packages_dir(w, v);
        else if (pt_ends(v, "/models/manifests"))
            manifests(w->f, v);
        else if (!skipped(v, e->name) && depth > 0)
            walk(w, v, depth - 1);
        if (pt_ends(v, "/.ollama/models") || pt_ends(v, "/huggingface/hub") ||
            pt_ends(v, "/lm-studio/models") || pt_ends(v, "/.lmstudio/models") ||
            pt_ends(v, "/var/lib/models") || pt_ends(v, "/srv/models") ||
            pt_ends(v, "/opt/models") || pt_ends(v, "/data/models"))
            model_root(w->f, v);
        return;
    }
    if (type != DT_REG && type != DT_LNK)
        return;
    int tag = tag_of(v, e->name);
    if (tag >= 0)
        keep(w->f, v, tag);
    bool config = pt_is(e->name, "config.json") && in_model_dir(v);
    if (tag == PT_F_MODEL || config)
        model_root(w->f, pt_dir(v));
}

static void walk(struct sweep *w, struct bz_view dir, unsigned depth) {
    struct pt_entries all;
    enum bz_status st = pt_scan(w->f->t, (const char *)dir.p, BZ_POSTURE_SWEEP_MAX, &all);
    if (st == BZ_EDENIED)
        w->f->sweep_denied = true;
    for (size_t i = 0; i < all.n; i++) {
        if (w->seen >= BZ_POSTURE_SWEEP_MAX) {
            w->f->sweep_cut = true;
            return;
        }
        w->seen++;
        entry(w, dir, &all.v[i], depth);
    }
}

static bool kept(const struct pt_facts *f, struct bz_view path) {
    for (size_t i = 0; i < f->files.n; i++) {
        if (bz_view_eq(f->files.v[i].path, path))
            return true;
    }
    return false;
}

/* What lies in a folder that a program serves, by ends of names alone. */
static void files_of_model(struct sweep *w, struct bz_view dir) {
    struct pt_entries all;
    (void)pt_scan(w->f->t, (const char *)dir.p, 4096, &all);
    for (size_t i = 0; i < all.n; i++) {
        struct bz_view path = pt_fmt(w->f->ar, "/models/%.*s", PT_V(all.v[i].name));
        bool model = memchr(path.p + 1, '.', path.n - 1) != NULL && model_file(path, all.v[i].name);
        path = pt_fmt(w->f->ar, "%.*s/%.*s", PT_V(dir), PT_V(all.v[i].name));
        if (model && !kept(w->f, path))
            keep(w->f, path, PT_F_MODEL);
    }
}

/* Model files and folders that programs were told to use, wherever they lie. */
static void named_models(struct sweep *w) {
    static const char *const opts =
        "-m|--model|--model-path|--models-dir|--lora|--mmproj|--download-dir|"
        "--model-repository|--model-id|--models-path";
    for (size_t i = 0; i < w->f->works.n; i++) {
        struct pt_work *k = &w->f->works.v[i];
        struct bz_view v;
        bool any = pt_opt(k, opts, &v) ||
                   pt_env(k, "OLLAMA_MODELS|LLAMA_ARG_MODEL|HF_HOME|MODELS_PATH", &v);
        if (k->kind != NULL && pt_kind_is(k->kind, "vllm") && !any && k->argv->n > 2) {
            for (size_t j = 1; j + 1 < k->argv->n; j++) {
                if (pt_is(k->argv->v[j], "serve")) {
                    v = k->argv->v[j + 1];
                    any = true;
                }
            }
        }
        if (!any || v.n == 0 || v.p[0] != '/')
            continue;
        struct stat s;
        const char *path = pt_path(w->f->t, "%.*s", PT_V(v));
        if (!pt_stat(w->f->t, path, true, &s))
            continue;
        struct bz_view p = bz_view_str(path);
        if (S_ISDIR(s.st_mode)) {
            model_root(w->f, p);
            files_of_model(w, p);
        } else {
            if (!kept(w->f, p))
                keep(w->f, p, PT_F_MODEL);
            model_root(w->f, pt_dir(p));
        }
    }
}

void pt_collect_files(struct pt_facts *f) {
    static const struct {
        const char *path;
        unsigned depth;
    } roots[] = {{"/home", BZ_POSTURE_SWEEP_DEPTH},
                 {"/root", BZ_POSTURE_SWEEP_DEPTH},
                 {"/opt", 8},
                 {"/srv", 8},
                 {"/data", 8},
                 {"/models", 8},
                 {"/model", 4},
                 {"/app", 6},
                 {"/workspace", 6},
                 {"/mnt", 6},
                 {"/usr/share/ollama", 8},
                 {"/etc", 3},
                 {"/var/log", 3},
                 {"/var/lib", 8},
                 {"/usr/local", 7},
                 {"/usr/lib/python3", 2},
                 {"/usr/lib/python3.11", 2},
                 {"/usr/lib/python3.12", 2},
                 {"/usr/lib/python3.13", 2},
                 {"/var/backups", 2},
                 {"/var/www", 4}};
    struct sweep w = {f, 0};
    struct stat s;
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        if (pt_stat(f->t, roots[i].path, true, &s) && S_ISDIR(s.st_mode))
            walk(&w, bz_view_str(roots[i].path), roots[i].depth);
    }
    if (pt_stat(f->t, "/models", true, &s))
        model_root(f, BZ_V("/models"));
    named_models(&w);
    for (size_t i = 0; i < f->files.n; i++) {
        struct pt_file *file = &f->files.v[i];
        struct bz_view base = pt_base(file->path);
        if (file->tag == PT_F_CONFIG_KEYS && (pt_ends(base, ".yml") || pt_ends(base, ".yaml")) &&
            pt_has(base, "compose"))
            pt_parse_compose(file->text, f, (const char *)file->path.p);
    }
}
