/* A: exposure. Who can reach what. */
#include "posture_int.h"

static void a01(struct pt_ctx *c) {
    pt_exposure(c, "ollama");
}

/* ---- A02 ---- */

static bool foreign_origin(struct bz_view o) {
    if (memchr(o.p, '*', o.n) != NULL) {
        static const char *const local[] = {"app://*",
                                            "file://*",
                                            "tauri://*",
                                            "vscode-webview://*",
                                            "vscode-file://*",
                                            "http://localhost:*",
                                            "https://localhost:*",
                                            "http://127.0.0.1:*",
                                            "https://127.0.0.1:*",
                                            NULL};
        return !pt_is_any(o, local);
    }
    struct bz_view host = o;
    size_t at = pt_find(o, "://");
    if (at != SIZE_MAX)
        host = bz_view_sub(o, at + 3, o.n);
    return pt_starts(o, "http://") && !pt_loopback_name(host);
}

static void a02(struct pt_ctx *c) {
    struct bz_view v;
    PT_EACH_WORK(c, w) {
        if (!pt_kind_is(w->kind, "ollama"))
            continue;
        if (!pt_env(w, "OLLAMA_ORIGINS", &v)) {
            if (w->env_known)
                pt_good(c);
            else
                pt_unknown(c, "%.*s: its environment cannot be read", PT_V(w->label));
            continue;
        }
        bool bad = false;
        struct bz_view rest = v, one, next;
        while (rest.n > 0) {
            one = rest;
            next = bz_view(NULL, 0);
            (void)pt_split(rest, ',', &one, &next);
            rest = next;
            bad = bad || foreign_origin(pt_trim(one));
        }
        if (bad)
            pt_bad(c, "%.*s: OLLAMA_ORIGINS=%.*s", PT_V(w->label), PT_V(v));
        else
            pt_good(c);
    }
}

/* ---- A03 ---- */

static const char *const inference_paths[] = {
    "/api/chat",       "/api/generate", "/api/embed", "/api/tags", "/v1",
    "/api/embeddings", "/api/version",  "/api/show",  "/api/ps",   NULL};

/* Does the location's path let a management route through? */
static bool opens_management(struct bz_view path) {
    static const char *const routes[] = {"/api/create", "/api/pull",   "/api/push", "/api/delete",
                                         "/api/copy",   "/api/blobs/", NULL};
    for (size_t i = 0; inference_paths[i] != NULL; i++) {
        if (bz_view_starts(path, bz_view_str(inference_paths[i])))
            return false;
    }
    for (size_t i = 0; routes[i] != NULL; i++) {
        if (bz_view_starts(bz_view_str(routes[i]), path))
            return true;
    }
    return path.n == 0 || path.p[0] != '/';
}

static void front_nginx(struct pt_ctx *c, struct bz_view file, struct bz_view text) {
    struct bz_view line, w, path = BZ_V("/");
    bool exact = false;
    while (pt_line(&text, &line)) {
        line = pt_trim(line);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        if (pt_starts(line, "location ")) {
            struct bz_view rest = bz_view_sub(line, 9, line.n);
            exact = false;
            while (pt_word(&rest, &w) && !pt_starts(w, "{")) {
                exact = exact || pt_is(w, "=");
                if (!pt_is(w, "=") && !pt_is(w, "^~") && !pt_is(w, "~") && !pt_is(w, "~*"))
                    path = w;
            }
        }
        bool to = pt_has(line, "proxy_pass") || pt_has(line, "reverse_proxy") ||
                  pt_has(line, "ProxyPass ") || pt_has(line, "server ollama") ||
                  pt_starts(line, "url:") || pt_has(line, "- url");
        if (!to || (!pt_has(line, ":11434") && !pt_has(line, "ollama")))
            continue;
        if (pt_starts(line, "ProxyPass ")) {
            struct bz_view rest = bz_view_sub(line, 10, line.n);
            (void)pt_word(&rest, &path);
        }
        if (!exact && opens_management(path))
            pt_bad(c, "%.*s forwards '%.*s' to Ollama, with its management routes: %.*s",
                   PT_V(file), PT_V(path), PT_V(line));
        else
            pt_good(c);
    }
}

static void a03(struct pt_ctx *c) {
    for (size_t i = 0; i + 1 < c->f->fronts.n; i += 2)
        front_nginx(c, c->f->fronts.v[i], c->f->fronts.v[i + 1]);
    for (size_t i = 0; i < c->f->gets.n; i++) {
        const struct pt_get *g = &c->f->gets.v[i];
        if (g->sock->kind == NULL && g->status == 200 &&
            pt_starts(pt_trim(g->body), "{\"version\":"))
            pt_bad(c, "%.*s forwards GET /api/version", PT_V(pt_sock_text(c->f, g->sock)));
    }
    for (size_t i = 0; i < c->f->instances.n; i++) {
        if (c->f->instances.v[i].denied)
            pt_unknown(c, "%.*s cannot be read", PT_V(c->f->instances.v[i].path));
        else
            pt_good(
                c); /* Bartizan's own table of Ollama's routes denies them to all but administrators */
    }
}

/* ---- A04 to A06 ---- */

static bool llama_key(const struct pt_work *w) {
    struct bz_view v;
    return pt_opt(w, "--api-key|--api-key-file|--api_key", &v) ||
           (pt_env(w, "LLAMA_API_KEY|LLAMA_ARG_API_KEY", &v) && v.n > 0);
}

static void a04(struct pt_ctx *c) {
    struct bz_view host;
    pt_exposure(c, "llama-server");
    PT_EACH_WORK(c, w) {
        if (!pt_kind_is(w->kind, "llama-server") || pt_work_listen(w, &host) == PT_LISTEN_SOCKET ||
            (w->src == PT_PROC && pt_work_private_net(w)))
            continue;
        if (llama_key(w))
            pt_good(c);
        else if (w->argv_known && w->env_known)
            pt_bad(c, "%.*s has no --api-key-file", PT_V(w->label));
        else
            pt_unknown(c, "%.*s: its arguments or environment cannot be read", PT_V(w->label));
    }
}

static void a05(struct pt_ctx *c) {
    static const char *const flags[] = {"--slots", "--props", "--metrics", NULL};
    struct bz_view v;
    PT_EACH_WORK(c, w) {
        if (!pt_kind_is(w->kind, "llama-server"))
            continue;
        if (!w->argv_known)
            pt_unknown(c, "%.*s: its arguments cannot be read", PT_V(w->label));
        else
            pt_good(c);
        for (size_t i = 0; flags[i] != NULL; i++) {
            if (pt_flag(w, flags[i]))
                pt_bad(c, "%.*s is started with %s", PT_V(w->label), flags[i]);
        }
        if (pt_env(w,
                   "LLAMA_ARG_ENDPOINT_SLOTS|LLAMA_ARG_ENDPOINT_PROPS|LLAMA_ARG_ENDPOINT_METRICS",
                   &v) &&
            pt_true(v))
            pt_bad(c, "%.*s: LLAMA_ARG_ENDPOINT_... turns them on", PT_V(w->label));
    }
    for (size_t i = 0; i < c->f->gets.n; i++) {
        const struct pt_get *g = &c->f->gets.v[i];
        if (pt_kind_is(g->sock->kind, "llama-server") && g->status == 200 &&
            pt_is(g->path, "/slots"))
            pt_bad(c, "GET /slots is answered by %.*s", PT_V(pt_sock_text(c->f, g->sock)));
    }
}

static void a06(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->socks.n; i++) {
        const struct pt_sock *s = &c->f->socks.v[i];
        if (s->host && pt_kind_is(s->kind, "llama-rpc"))
            pt_bad(c, "rpc-server listens on %.*s", PT_V(pt_sock_text(c->f, s)));
    }
    PT_EACH_WORK(c, w) {
        if (!pt_kind_is(w->kind, "llama-rpc"))
            continue;
        if (pt_work_private_net(w))
            pt_good(c);
        else
            pt_bad(c, "%.*s: rpc-server outside of a private network namespace", PT_V(w->label));
    }
    if (c->f->have_socks || c->f->have_proc)
        pt_good(c);
}

/* ---- vLLM ---- */

static void a07(struct pt_ctx *c) {
    pt_exposure(c, "vllm");
}

static bool
vllm_worker(const struct pt_work *w) { /* VLLM::EngineCore and the like: not the API server */
    return w->src == PT_PROC && w->argv->n > 0 && pt_starts(w->argv->v[0], "VLLM::");
}

static void a08(struct pt_ctx *c) {
    struct bz_view v, host;
    PT_EACH_WORK(c, w) {
        if (!pt_kind_is(w->kind, "vllm") || vllm_worker(w))
            continue;
        enum pt_listen where = pt_work_listen(w, &host);
        bool key = pt_opt(w, "--api-key", &v) || (pt_env(w, "VLLM_API_KEY", &v) && v.n > 0);
        bool open = where == PT_LISTEN_OPEN || where == PT_LISTEN_UNSAID;
        if (where == PT_LISTEN_SOCKET || (w->src == PT_PROC && pt_work_private_net(w)))
            pt_good(c);
        else if (!w->argv_known || (!key && !w->env_known))
            pt_unknown(c, "%.*s: its arguments or environment cannot be read", PT_V(w->label));
        else if (!key)
            pt_bad(c, "%.*s has no API key", PT_V(w->label));
        else if (open && w->src != PT_CTR)
            pt_bad(c,
                   "%.*s: the key covers /v1 alone; /invocations, /load, /version ... answer to "
                   "everybody who "
                   "reaches it",
                   PT_V(w->label));
        else
            pt_good(c);
    }
    for (size_t i = 0; i < c->f->gets.n; i++) {
        const struct pt_get *g = &c->f->gets.v[i];
        if (pt_kind_is(g->sock->kind, "vllm") && g->status == 200 && !g->sock->loopback)
            pt_bad(c, "GET %.*s is answered without a key by %.*s", PT_V(g->path),
                   PT_V(pt_sock_text(c->f, g->sock)));
    }
}

static void a09(struct pt_ctx *c) {
    struct bz_view v;
    PT_EACH_WORK(c, w) {
        if (!pt_kind_is(w->kind, "vllm"))
            continue;
        if (pt_env(w, "VLLM_SERVER_DEV_MODE", &v) && pt_true(v))
            pt_bad(c, "%.*s: VLLM_SERVER_DEV_MODE=%.*s", PT_V(w->label), PT_V(v));
        if (pt_env(w, "VLLM_TORCH_PROFILER_DIR", &v) && v.n > 0)
            pt_bad(c, "%.*s: VLLM_TORCH_PROFILER_DIR=%.*s", PT_V(w->label), PT_V(v));
        if (pt_flag(w, "--enable-tokenizer-info-endpoint"))
            pt_bad(c, "%.*s: --enable-tokenizer-info-endpoint", PT_V(w->label));
        if (pt_flag(w, "--profiler-config|--profile|--enable-profiler") ||
            pt_opt(w, "--profiler-config.profiler", &v))
            pt_bad(c, "%.*s: the profiler is on", PT_V(w->label));
        if (w->env_known && w->argv_known)
            pt_good(c);
        else
            pt_unknown(c, "%.*s: its arguments or environment cannot be read", PT_V(w->label));
    }
}

static bool multimodal(const struct pt_facts *f, const struct pt_work *w) {
    static const char *const words[] = {
        "llava",           "-vl",         "vl-",       "vision",
        "pixtral",         "internvl",    "gemma-3",   "gemma3",
        "paligemma",       "molmo",       "minicpm-v", "minicpm-o",
        "smolvlm",         "idefics",     "mllama",    "omni",
        "ultravox",        "qwen2-audio", "phi-3.5-v", "phi-4-multimodal",
        "deepseek-ocr",    "kimi-vl",     "glm-4v",    "llama-4",
        "mistral-small-3", NULL};
    struct bz_view v;
    if (pt_opt(w, "--limit-mm-per-prompt|--mm-processor-kwargs|--media-io-kwargs", &v))
        return true;
    for (size_t i = 0; i < w->argv->n; i++) {
        for (size_t j = 0; words[j] != NULL; j++) {
            if (w->argv->v[i].n > 0 && w->argv->v[i].p[0] != '-' && pt_has(w->argv->v[i], words[j]))
                return true;
        }
    }
    bool serve = pt_opt(w, "serve|--model", &v);
    struct bz_view text;
    if (serve && v.n > 0 && v.p[0] == '/' &&
        pt_read(f->t, pt_path(f->t, "%.*s/config.json", PT_V(v)), BZ_POSTURE_CONFIG_MAX, &text) ==
            BZ_OK)
        return pt_has(text, "\"vision_config\"") || pt_has(text, "\"audio_config\"");
    return false;
}

static void a10(struct pt_ctx *c) {
    struct bz_view v;
    PT_EACH_WORK(c, w) {
        if (!pt_kind_is(w->kind, "vllm") || vllm_worker(w))
            continue;
        if (!w->argv_known) {
            pt_unknown(c, "%.*s: its arguments cannot be read", PT_V(w->label));
            continue;
        }
        if (!multimodal(c->f, w))
            continue;
        if (!pt_opt(w, "--allowed-media-domains", &v))
            pt_bad(c,
                   "%.*s serves images or audio and fetches them from anywhere: no "
                   "--allowed-media-domains",
                   PT_V(w->label));
        else if (!w->env_known)
            pt_unknown(c, "%.*s: its environment cannot be read", PT_V(w->label));
        else if (!pt_env(w, "VLLM_MEDIA_URL_ALLOW_REDIRECTS", &v) || !pt_is(v, "0"))
            pt_bad(c,
                   "%.*s: redirects lead out of the allowed domains; "
                   "VLLM_MEDIA_URL_ALLOW_REDIRECTS is not 0",
                   PT_V(w->label));
        else
            pt_good(c);
    }
}

static void a11(struct pt_ctx *c) {
    pt_exposure(c, "torch");
    for (size_t i = 0; i < c->f->socks.n;
         i++) { /* what an engine opens beside its API: ZMQ, KV transfer */
        const struct pt_sock *s = &c->f->socks.v[i];
        if (!s->host || s->loopback || s->proc == NULL || !pt_kind_in(s->kind, "vllm sglang"))
            continue;
        struct pt_work w = {
            .src = PT_PROC, .kind = s->kind, .argv = &s->proc->argv, .env = &s->proc->env};
        if (s->port != pt_work_port(&w) && s->port != s->kind->ports[0])
            pt_bad(c, "%s opens %.*s beside its API", s->kind->title, PT_V(pt_sock_text(c->f, s)));
    }
}

static void a12(struct pt_ctx *c) {
    pt_exposure(c, "sglang tgi tei localai lmstudio jan koboldcpp textgen gpt4all tabbyapi "
                   "lmdeploy xinference "
                   "aphrodite mlc");
}

static void a13(struct pt_ctx *c) {
    struct bz_view v;
    pt_exposure(c, "ray");
    PT_EACH_WORK(c, w) {
        if (pt_kind_is(w->kind, "ray") && pt_opt(w, "--dashboard-host", &v) && !pt_loopback_name(v))
            pt_bad(c, "%.*s: --dashboard-host %.*s", PT_V(w->label), PT_V(v));
    }
}

/* ---- A19, A20 ---- */

static void openclaw_config(struct pt_ctx *c, const struct pt_file *file) {
    struct bz_json *o = NULL;
    struct bz_diag diag;
    if (!pt_is(pt_base(file->path), "openclaw.json") ||
        bz_json_parse(pt_trim(file->text), NULL, c->f->ar, &o, &diag) != BZ_OK)
        return;
    const struct bz_json *gw = bz_json_get(o, BZ_V("gateway"));
    struct bz_view bind = bz_json_str(bz_json_get(gw, BZ_V("bind")));
    const struct bz_json *auth = bz_json_get(gw, BZ_V("auth"));
    if (bind.n > 0 && !pt_is(bind, "loopback") && !pt_loopback_name(bind))
        pt_bad(c, "%.*s: gateway.bind is '%.*s'", PT_V(file->path), PT_V(bind));
    if (pt_is(bz_json_str(bz_json_get(auth, BZ_V("mode"))), "none"))
        pt_bad(c, "%.*s: gateway.auth.mode is 'none'", PT_V(file->path));
    pt_good(c);
}

static void a19(struct pt_ctx *c) {
    pt_exposure(c, "openclaw mcp");
    for (size_t i = 0; i < c->f->files.n; i++) {
        if (c->f->files.v[i].tag == PT_F_CONFIG_KEYS)
            openclaw_config(c, &c->f->files.v[i]);
    }
    for (size_t i = 0; i < c->f->gets.n; i++) {
        const struct pt_get *g = &c->f->gets.v[i];
        bool agent = g->sock->kind != NULL && (g->sock->kind->role & PT_ROLE_AGENT) != 0;
        if (agent && g->status >= 200 && g->status < 300)
            pt_bad(c, "%.*s answers a request for a foreign Host with %u",
                   PT_V(pt_sock_text(c->f, g->sock)), g->status);
    }
}

static void a20(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->ctrs.n; i++) {
        const struct pt_ctr *k = &c->f->ctrs.v[i];
        for (size_t j = 0; j < k->ports.n; j++) {
            const struct pt_port *p = &k->ports.v[j];
            if (k->kind == NULL && pt_kind_of_port(p->port, true) == NULL)
                continue;
            if (pt_loopback_name(p->host_ip))
                pt_good(c);
            else
                pt_bad(c, "%s %.*s publishes port %u on %s%.*s",
                       k->compose ? "compose service" : "container", PT_V(k->name), p->port,
                       p->host_ip.n == 0 ? "all addresses" : "", PT_V(p->host_ip));
        }
        if (k->kind != NULL && k->ports.n == 0)
            pt_good(c);
    }
    for (size_t i = 0; i < c->f->fw.dnat.n; i++) {
        struct bz_view rule = c->f->fw.dnat.v[i].text;
        for (size_t k = 0; k < pt_kinds_n; k++) {
            char port[24];
            struct bz_buf b;
            bz_buf_init_fixed(&b, port, sizeof port - 1);
            bz_buf_printf(&b, "dport %u ", pt_kinds[k].ports[0]);
            port[b.n] = '\0';
            if (pt_kinds[k].own_port && pt_has(rule, port) && !pt_has(rule, "127.0.0.1") &&
                !pt_has(rule, "daddr 127."))
                pt_bad(c, "the ruleset forwards an AI port: %.*s", PT_V(rule));
        }
    }
    if (c->f->ctr_denied)
        pt_unknown(c, "the configuration of containers cannot be read");
}

/* ---- A21 to A24 ---- */

static void a21(struct pt_ctx *c) {
    const struct pt_firewall *fw = &c->f->fw;
    if (fw->input_drop)
        pt_good(c);
    else if (fw->denied)
        pt_unknown(c, "a ruleset cannot be read");
    else if (fw->seen)
        pt_bad(c, "%.*s does not drop by default what comes in", PT_V(fw->source));
    else if (c->f->live && pt_exists(c->f->t, "proc/net/ip_tables_names") && !c->f->root_view)
        pt_unknown(c, "no ruleset in the usual files, and the kernel's is for root alone");
    else
        pt_bad(c, "no ruleset of nftables, iptables, ufw or firewalld in the usual files");
}

static void egress(struct pt_ctx *c, bool metadata) {
    PT_EACH_WORK(c, w) {
        if (w->kind->role == PT_ROLE_OURS || (w->src == PT_UNIT && w->unit->quadlet))
            continue;
        if (w->src == PT_CTR && !w->ctr->host_net && !w->ctr->net_none)
            continue; /* its bridge is judged by the forward hook: see H11 */
        if (pt_egress_closed(c->f, w, metadata))
            pt_good(c);
        else if (c->f->fw.denied)
            pt_unknown(c, "%.*s: a ruleset cannot be read", PT_V(w->label));
        else
            pt_bad(c,
                   metadata ? "%.*s: nothing keeps it from the metadata address 169.254.169.254"
                            : "%.*s may connect to anywhere",
                   PT_V(w->label));
    }
}

static void a22(struct pt_ctx *c) {
    egress(c, false);
}

static void a23(struct pt_ctx *c) {
    static const char *const clouds[] = {
        "Amazon", "Google",   "Microsoft", "OpenStack", "DigitalOcean", "Hetzner", "Alibaba",
        "Oracle", "Scaleway", "Vultr",     "Linode",    "OVH",          "Xen",     NULL};
    struct bz_view vendor = {NULL, 0};
    bool known = pt_read(c->f->t, "sys/class/dmi/id/sys_vendor", 256, &vendor) == BZ_OK,
         cloud = false;
    for (size_t i = 0; clouds[i] != NULL; i++)
        cloud = cloud || pt_has(vendor, clouds[i]);
    if (c->f->live && known && !cloud)
        return; /* a machine that has no such service */
    egress(c, true);
}

static bool tls_flags(const struct pt_work *w) {
    struct bz_view v;
    return pt_opt(w,
                  "--ssl-certfile|--ssl-cert-file|--ssl-keyfile|--ssl-key-file|--certfile|--tls-"
                  "cert|--ssl-cert|--ssl_certfile_path",
                  &v) ||
           (pt_env(w,
                   "QDRANT__SERVICE__ENABLE_TLS|GRPC_TLS|N8N_SSL_CERT|LANGFLOW_SSL_CERT_FILE|SSL_"
                   "CERT_FILE_PATH",
                   &v) &&
            v.n > 0);
}

static void weak_tls(struct pt_ctx *c) {
    for (size_t i = 0; i + 1 < c->f->fronts.n; i += 2) {
        struct bz_view text = c->f->fronts.v[i + 1], line, rest, w;
        bool ai = pt_has(text, ":11434") || pt_has(text, ":8000") || pt_has(text, ":8080") ||
                  pt_has(text, "ollama") || pt_has(text, "vllm") || pt_has(text, "llama") ||
                  pt_has(text, "bartizan");
        while (ai && pt_line(&text, &line)) {
            rest = pt_trim(line);
            if (!pt_starts(rest, "ssl_protocols") && !pt_starts(rest, "SSLProtocol"))
                continue;
            while (pt_word(&rest, &w)) {
                while (w.n > 0 && w.p[w.n - 1] == ';')
                    w.n--;
                if (pt_is(w, "SSLv2") || pt_is(w, "SSLv3") || pt_is(w, "TLSv1") ||
                    pt_is(w, "TLSv1.1") || pt_is(w, "+TLSv1") || pt_is(w, "all"))
                    pt_bad(c, "%.*s: %.*s", PT_V(c->f->fronts.v[i]), PT_V(pt_trim(line)));
            }
            pt_good(c);
        }
    }
}

static void a24(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->socks.n; i++) {
        const struct pt_sock *s = &c->f->socks.v[i];
        if (!s->host || s->loopback || s->kind == NULL || s->kind->role == PT_ROLE_OURS)
            continue;
        struct pt_work w = {.kind = s->kind};
        static const struct pt_views none;
        w.argv = s->proc != NULL ? &s->proc->argv : &none;
        w.env = s->proc != NULL ? &s->proc->env : &none;
        if (tls_flags(&w))
            pt_good(c);
        else
            pt_bad(c, "%s speaks plain HTTP on %.*s", s->kind->title, PT_V(pt_sock_text(c->f, s)));
    }
    PT_EACH_WORK(c, w) {
        struct bz_view host;
        if (w->src == PT_UNIT && w->kind->role != PT_ROLE_OURS && !pt_work_private_net(w) &&
            pt_work_listen(w, &host) == PT_LISTEN_OPEN && !tls_flags(w))
            pt_bad(c, "%.*s would speak plain HTTP on '%.*s'", PT_V(w->label), PT_V(host));
        else if (w->kind->role != PT_ROLE_OURS)
            pt_good(c);
    }
    weak_tls(c);
    pt_certificates(c);
}

const struct pt_check pt_checks_a[] = {
    PT_ROW("A01", "Ollama listens beyond loopback", CRITICAL,
           "Ollama has no authentication: whoever reaches it uses the models, loads and deletes "
           "them, and reads memory "
           "through older versions.",
           "Set OLLAMA_HOST=127.0.0.1:11434, or run it in its own network namespace behind the "
           "gateway.",
           "SC-7, CM-7, LLM03", a01),
    PT_ROW("A02", "Ollama accepts foreign browser origins", HIGH,
           "Any web page a user opens may call the model server. Origins are no authentication, "
           "but '*' takes away the "
           "little that they give.",
           "Set OLLAMA_ORIGINS to the exact origins that need it, or leave it unset.", "SC-7", a02),
    PT_ROW("A03", "Ollama's management routes are reachable through a front", CRITICAL,
           "create, pull, push, delete, copy and blobs change models, fetch from anywhere and have "
           "leaked memory.",
           "Let the front forward only /api/chat, /api/generate, /api/embed, /api/tags and /v1, or "
           "put Bartizan there.",
           "AC-3, AISVS 5.2.1", a03),
    PT_ROW("A04", "llama-server is open or has no key", HIGH,
           "Everybody who reaches the port uses the model; on loopback that is every account of "
           "the machine.",
           "Listen on a unix socket or 127.0.0.1, with --api-key-file, behind the gateway.", "SC-7",
           a04),
    PT_ROW("A05", "llama-server shows slots, properties or metrics", HIGH,
           "Slots hold the prompts of other users; properties can be changed over HTTP.",
           "Start it with --no-slots and without --props and --metrics; deny the routes at the "
           "gateway.",
           "AC-4, LLM02", a05),
    PT_ROW("A06", "llama.cpp's rpc-server listens", CRITICAL,
           "It executes what it is sent and has no authentication; its authors give no security "
           "guarantee.",
           "Remove it, or run it in a private network namespace.", "CM-7", a06),
    PT_ROW("A07", "vLLM listens on all interfaces", CRITICAL,
           "An empty host means all interfaces; routes outside /v1 ask for no key.",
           "Start it with --host 127.0.0.1 or --uds, behind the gateway.", "SC-7", a07),
    PT_ROW("A08", "vLLM has no key, or a key alone in front of all routes", HIGH,
           "The key covers /v1 only: /invocations, /load, /version and others answer without it.",
           "Put an allow-list of routes in front of it (the gateway), set --api-key, bind it to "
           "loopback.",
           "AC-3", a08),
    PT_ROW("A09", "vLLM runs in development mode", CRITICAL,
           "Development mode, the profiler and the tokenizer endpoint let callers reset, sleep and "
           "inspect the engine.",
           "Unset VLLM_SERVER_DEV_MODE, the profiler and --enable-tokenizer-info-endpoint.", "CM-7",
           a09),
    PT_ROW("A10", "vLLM fetches media from anywhere", HIGH,
           "A multimodal model fetches the URLs it is given: a way into your network from the "
           "inside (SSRF).",
           "Set --allowed-media-domains and VLLM_MEDIA_URL_ALLOW_REDIRECTS=0.", "SC-7, LLM06", a10),
    PT_ROW("A11", "Cluster ports of the engine are open", CRITICAL,
           "torch.distributed, KV transfer and ZMQ ports unpickle what they are sent.",
           "Keep them on loopback or a private network namespace; drop them in the firewall.",
           "SC-7", a11),
    PT_ROW("A12", "A model server listens beyond loopback", HIGH,
           "These servers have no authentication, or one that is off by default.",
           "Bind it to 127.0.0.1, behind the gateway.", "CM-7", a12),
    PT_ROW("A13", "Ray is reachable", CRITICAL,
           "Whoever reaches Ray's dashboard or client port runs code (CVE-2023-48022).",
           "Bind it to 127.0.0.1 and turn token authentication on.", "SC-7, CVE-2023-48022", a13),
    PT_ROW(
        "A14", "Jupyter without a token, as root, or for every origin", CRITICAL,
        "A notebook runs code; an empty token gives it to everybody.",
        "Set a token or password, bind it to 127.0.0.1, remove --allow-root and allow_origin '*'.",
        "IA-2", pt_a14),
    PT_ROW("A15", "MLflow without authentication, with job execution, or old", CRITICAL,
           "The tracking server starts jobs and reads files for whoever asks.",
           "Start it with --app-name basic-auth behind the gateway, without job execution, at "
           "3.10.0 or newer.",
           "IA-2, SI-2, CVE-2026-0545, CVE-2026-2652", pt_a15),
    PT_ROW("A16", "Triton is open or lets callers load models", CRITICAL,
           "Explicit or polling model control loads what is put into the repository; the "
           "authentication was bypassed in "
           "CVE-2026-24207.",
           "Use --model-control-mode=none, bind it to 127.0.0.1, keep it patched.",
           "CM-7, CVE-2026-24207", pt_a16),
    PT_ROW("A17", "A vector store is open", CRITICAL,
           "It holds your documents; without a key everybody reads and poisons them.",
           "Set a key, keep it on loopback or in its own network namespace.", "AC-3, AISVS 8.1",
           pt_a17),
    PT_ROW(
        "A18", "A web interface or proxy is open, or its login is off", CRITICAL,
        "It holds keys of providers, other users' conversations, and often runs tools.",
        "Bind it to 127.0.0.1 behind the gateway, turn its login on, set a master key of your own.",
        "IA-2, IA-5", pt_a18),
    PT_ROW("A19", "An agent gateway or MCP server is open", HIGH,
           "Tools act on this machine; a web page can reach a server that does not check Host and "
           "Origin.",
           "Bind it to loopback, want a token, answer foreign Host and Origin values with 403.",
           "AISVS 10.3", a19),
    PT_ROW("A20", "A container publishes an AI port on all addresses", HIGH,
           "Published ports go around the host's firewall (ufw).",
           "Publish it as 127.0.0.1:PORT:PORT.", "CIS Docker, SC-7", a20),
    PT_ROW("A21", "No firewall that drops by default", HIGH,
           "One service that binds to all interfaces is enough to be reachable.",
           "Load a ruleset whose input policy is drop; 'bartizan posture --fix' writes one.",
           "SC-7(5), CIS host firewall", a21),
    PT_ROW("A22", "AI programs may connect anywhere", HIGH,
           "A stolen prompt, key or model leaves by the same way that nobody needs.",
           "Allow what is needed and drop the rest for their accounts (nft meta skuid), or "
           "IPAddressDeny=any in the unit.",
           "SC-7(5), LLM02", a22),
    PT_ROW("A23", "The cloud's metadata address is reachable", HIGH,
           "169.254.169.254 hands out credentials of the machine to whoever asks from it.",
           "Reject 169.254.169.254 for the accounts of AI programs (nft).", "SC-7", a23),
    PT_ROW("A24", "Plain HTTP, old TLS or an expiring certificate", HIGH,
           "Prompts and keys cross the network readable.",
           "Serve through the gateway with TLS 1.2 or newer; renew the certificate.", "SC-8", a24),
};
const size_t pt_checks_a_n = sizeof pt_checks_a / sizeof pt_checks_a[0];
