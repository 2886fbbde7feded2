/* A14 to A18: notebooks, experiment trackers, stores, interfaces. Rows in checks_a.c. */
#include "posture_int.h"

static bool empty_value(struct bz_view v) {
    return v.n == 0 || pt_is(v, "''") || pt_is(v, "\"\"") || pt_is(v, "u''");
}

static void jupyter_config(struct pt_ctx *c, const struct pt_file *file) {
    struct bz_view text = file->text, line, key, v;
    while (pt_line(&text, &line)) {
        line = pt_trim(line);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        bool json = pt_ends(file->path, ".json");
        if (!pt_split(line, json ? ':' : '=', &key, &v))
            continue;
        v = pt_trim(v);
        while (v.n > 0 && v.p[v.n - 1] == ',')
            v.n--;
        bool secret = pt_has(key, ".token") || pt_has(key, ".password") ||
                      pt_has(key, "\"token\"") || pt_has(key, "\"password\"") ||
                      pt_has(key, "hashed_password");
        if (secret && empty_value(v) && !pt_has(key, "required"))
            pt_bad(c, "%.*s: %.*s", PT_V(file->path), PT_V(line));
        if (pt_has(key, "allow_origin") && !pt_has(key, "_pat") && pt_find(v, "*") != SIZE_MAX)
            pt_bad(c, "%.*s: %.*s", PT_V(file->path), PT_V(line));
        if (pt_has(key, "allow_root") && pt_has(v, "true"))
            pt_bad(c, "%.*s: %.*s", PT_V(file->path), PT_V(line));
    }
}

void pt_a14(struct pt_ctx *c) {
    static const char *const secrets =
        "--NotebookApp.token|--ServerApp.token|--IdentityProvider.token|"
        "--NotebookApp.password|--ServerApp.password|"
        "--PasswordIdentityProvider.hashed_password|--LabApp.token";
    struct bz_view v;
    pt_exposure(c, "jupyter");
    PT_EACH_WORK(c, w) {
        if (!pt_kind_is(w->kind, "jupyter"))
            continue;
        if (pt_opt(w, secrets, &v) && empty_value(v))
            pt_bad(c, "%.*s: token or password is empty", PT_V(w->label));
        if (pt_env(w, "JUPYTER_TOKEN", &v) && v.n == 0)
            pt_bad(c, "%.*s: JUPYTER_TOKEN is empty", PT_V(w->label));
        if (pt_flag(w, "--allow-root|--ServerApp.allow_root|--NotebookApp.allow_root"))
            pt_bad(c, "%.*s: --allow-root", PT_V(w->label));
        if (pt_opt(w, "--NotebookApp.allow_origin|--ServerApp.allow_origin", &v) &&
            pt_find(v, "*") != SIZE_MAX)
            pt_bad(c, "%.*s: any origin may call", PT_V(w->label));
    }
    for (size_t i = 0; i < c->f->files.n; i++) {
        if (c->f->files.v[i].tag != PT_F_JUPYTER)
            continue;
        if (c->f->files.v[i].unreadable)
            pt_unknown(c, "%.*s cannot be read", PT_V(c->f->files.v[i].path));
        else
            pt_good(c);
        jupyter_config(c, &c->f->files.v[i]);
    }
    for (size_t i = 0; i < c->f->gets.n; i++) {
        const struct pt_get *g = &c->f->gets.v[i];
        if (pt_kind_is(g->sock->kind, "jupyter") && g->status == 200 &&
            pt_is(g->path, "/api/contents"))
            pt_bad(c, "GET /api/contents is answered without a token by %.*s",
                   PT_V(pt_sock_text(c->f, g->sock)));
    }
}

void pt_a15(struct pt_ctx *c) {
    struct bz_view v;
    pt_exposure(c, "mlflow");
    PT_EACH_WORK(c, w) {
        if (!pt_kind_is(w->kind, "mlflow"))
            continue;
        if (!(pt_opt(w, "--app-name", &v) && pt_has(v, "auth")))
            pt_bad(c, "%.*s runs without --app-name basic-auth", PT_V(w->label));
        if (pt_env(w, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION", &v) && pt_true(v))
            pt_bad(c, "%.*s: MLFLOW_SERVER_ENABLE_JOB_EXECUTION=%.*s", PT_V(w->label), PT_V(v));
        if (!w->env_known)
            pt_unknown(c, "%.*s: its environment cannot be read", PT_V(w->label));
    }
    const struct pt_dist *d = pt_python(c->f, "mlflow");
    if (d == NULL)
        return;
    int old = pt_older(c->f, "pep440", d->version, "3.10.0");
    if (old > 0)
        pt_bad(c, "%.*s: MLflow %.*s is older than 3.10.0 (CVE-2026-2652)", PT_V(d->dir),
               PT_V(d->version));
    else if (old < 0)
        pt_unknown(c, "MLflow %.*s: the version cannot be compared", PT_V(d->version));
    else
        pt_good(c);
}

void pt_a16(struct pt_ctx *c) {
    struct bz_view v;
    pt_exposure(c, "triton");
    PT_EACH_WORK(c, w) {
        if (!pt_kind_is(w->kind, "triton"))
            continue;
        if (pt_opt(w, "--model-control-mode", &v) && !pt_is(v, "none"))
            pt_bad(c, "%.*s: --model-control-mode=%.*s lets callers load models", PT_V(w->label),
                   PT_V(v));
        if (!w->argv_known)
            pt_unknown(c, "%.*s: its arguments cannot be read", PT_V(w->label));
    }
}

/* A value in one of the places where a vector store keeps its configuration. */
static bool file_has(struct pt_facts *f, const char *const *paths, const char *key,
                     bool (*good)(struct bz_view)) {
    struct bz_view text, line, k, v;
    for (; *paths != NULL; paths++) {
        if (pt_read(f->t, *paths, BZ_POSTURE_CONFIG_MAX, &text) != BZ_OK)
            continue;
        while (pt_line(&text, &line)) {
            line = pt_trim(line);
            if (line.n > 0 && line.p[0] != '#' && pt_split(line, ':', &k, &v) &&
                pt_is(pt_trim(k), key) && good(pt_trim(v)))
                return true;
        }
    }
    return false;
}

static bool said(struct bz_view v) {
    return v.n > 0 && !empty_value(v) && !pt_is(v, "null");
}

static bool store_has_key(struct pt_facts *f, const struct pt_work *w) {
    static const char *const qdrant[] = {"etc/qdrant/config.yaml",
                                         "qdrant/config/production.yaml",
                                         "qdrant/config/config.yaml",
                                         "opt/qdrant/config/config.yaml",
                                         "opt/qdrant/config/production.yaml",
                                         "var/lib/qdrant/config/config.yaml",
                                         NULL};
    static const char *const milvus[] = {"etc/milvus/milvus.yaml", "milvus/configs/milvus.yaml",
                                         "opt/milvus/configs/milvus.yaml", NULL};
    struct bz_view v;
    if (pt_kind_is(w->kind, "qdrant"))
        return (pt_env(w, "QDRANT__SERVICE__API_KEY", &v) && v.n > 0) ||
               file_has(f, qdrant, "api_key", said);
    if (pt_kind_is(w->kind, "chroma"))
        return pt_env(w,
                      "CHROMA_SERVER_AUTHN_PROVIDER|CHROMA_SERVER_AUTHN_CREDENTIALS|"
                      "CHROMA_SERVER_AUTHN_CREDENTIALS_FILE|CHROMA_SERVER_AUTH_PROVIDER",
                      &v) &&
               v.n > 0;
    if (pt_kind_is(w->kind, "milvus"))
        return (pt_env(w, "COMMON_SECURITY_AUTHORIZATIONENABLED", &v) && pt_true(v)) ||
               file_has(f, milvus, "authorizationEnabled", pt_true);
    bool anonymous = !pt_env(w, "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED", &v) || pt_true(v);
    return !anonymous;
}

void pt_a17(struct pt_ctx *c) {
    static const char *const kinds = "qdrant chroma milvus weaviate";
    bool works = false;
    pt_exposure(c, kinds);
    PT_EACH_WORK(c, w) {
        if (!pt_kind_in(w->kind, kinds))
            continue;
        works = true;
        struct bz_view host;
        /* Chroma has no login of its own any more, Milvus' is off: an address of one's own must do. */
        bool local =
            pt_kind_in(w->kind, "chroma milvus") && pt_work_listen(w, &host) != PT_LISTEN_OPEN;
        if (store_has_key(c->f, w) || local)
            pt_good(c);
        else if (!w->env_known)
            pt_unknown(c, "%.*s: its environment cannot be read", PT_V(w->label));
        else
            pt_bad(c, "%.*s: anybody who reaches it may read and write: no key is set",
                   PT_V(w->label));
    }
    if (c->good && !works)
        pt_unknown(c, "a vector store listens, but which program it is and whether it wants a key "
                      "is not recorded");
}

static void litellm(struct pt_ctx *c, const struct pt_work *w) {
    struct bz_view v, path;
    bool set = pt_env(w, "LITELLM_MASTER_KEY|PROXY_MASTER_KEY", &v);
    if (!set && pt_opt(w, "--config|-c", &path)) {
        struct bz_view text, line, key;
        enum bz_status st =
            pt_read(c->f->t, pt_path(c->f->t, "%.*s", PT_V(path)), BZ_POSTURE_CONFIG_MAX, &text);
        if (st != BZ_OK) {
            pt_unknown(c, "%.*s: its configuration %.*s cannot be read", PT_V(w->label),
                       PT_V(path));
            return;
        }
        while (pt_line(&text, &line) && !set)
            set = pt_split(pt_trim(line), ':', &key, &v) && pt_is(pt_trim(key), "master_key");
        v = pt_trim(v);
    }
    if (!set && !w->env_known)
        pt_unknown(c, "%.*s: its environment cannot be read", PT_V(w->label));
    else if (!set || v.n == 0)
        pt_bad(c, "%.*s: no master key is set", PT_V(w->label));
    else if (pt_has(v, "sk-1234"))
        pt_bad(c, "%.*s: the master key is the one of the manual", PT_V(w->label));
    else
        pt_good(c);
}

void pt_a18(struct pt_ctx *c) {
    static const char *const kinds =
        "open-webui litellm langflow flowise n8n comfyui gradio streamlit dify "
        "anythingllm librechat";
    struct bz_view v;
    pt_exposure(c, kinds);
    PT_EACH_WORK(c, w) {
        if (!pt_kind_in(w->kind, kinds))
            continue;
        if (pt_kind_is(w->kind, "litellm"))
            litellm(c, w);
        if (pt_env(w, "WEBUI_AUTH", &v) && !pt_true(v))
            pt_bad(c, "%.*s: WEBUI_AUTH=%.*s", PT_V(w->label), PT_V(v));
        if (pt_env(w, "LANGFLOW_AUTO_LOGIN", &v) && pt_true(v))
            pt_bad(c, "%.*s: LANGFLOW_AUTO_LOGIN=%.*s", PT_V(w->label), PT_V(v));
        if (pt_env(w, "N8N_USER_MANAGEMENT_DISABLED", &v) && pt_true(v))
            pt_bad(c, "%.*s: N8N_USER_MANAGEMENT_DISABLED=%.*s", PT_V(w->label), PT_V(v));
        if (pt_flag(w, "--share") || (pt_env(w, "GRADIO_SHARE", &v) && pt_true(v)))
            pt_bad(c, "%.*s opens a public tunnel (share)", PT_V(w->label));
    }
}
