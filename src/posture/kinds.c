/* The AI programs that we know: how to recognise them, which ports they use, where they listen when
 * nothing is said. Ports and defaults: facts page of docs/POSTURE.md (vendors' documentation). */
#include "posture_int.h"

#define LO PT_BIND_LOOPBACK
#define ALL PT_BIND_ALL

const struct pt_kind pt_kinds[] = {
    {"bartizan",
     "Bartizan",
     PT_ROLE_OURS,
     LO,
     "bartizand bartizan-auditd bartizan bartizan-cli",
     "",
     "bartizan",
     {8443},
     false,
     "",
     "",
     ""},
    {"ollama",
     "Ollama",
     PT_ROLE_SERVER,
     LO,
     "ollama ollama_llama_server",
     "",
     "ollama/ollama",
     {11434},
     true,
     "",
     "OLLAMA_HOST",
     ""},
    {"llama-rpc",
     "llama.cpp rpc-server",
     PT_ROLE_SERVER,
     LO,
     "rpc-server llama-rpc-server ggml-rpc-server",
     "",
     "",
     {50052},
     true,
     "--host|-H",
     "",
     "--port|-p"},
    {"llama-server",
     "llama-server",
     PT_ROLE_SERVER,
     LO,
     "llama-server llamafile* llama.cpp-server",
     "llama_cpp.server",
     "llama.cpp:server llama.cpp/llama-server ggml-org/llama.cpp ggerganov/llama.cpp",
     {8080},
     false,
     "--host",
     "LLAMA_ARG_HOST",
     "--port"},
    {"vllm",
     "vLLM",
     PT_ROLE_SERVER,
     ALL,
     "vllm VLLM::*",
     "vllm.entrypoints vllm",
     "vllm/vllm-openai vllm-openai",
     {8000},
     false,
     "--host",
     "",
     "--port"},
    {"sglang",
     "SGLang",
     PT_ROLE_SERVER,
     LO,
     "sglang sglang::* sgl-router",
     "sglang.launch_server sglang",
     "lmsysorg/sglang",
     {30000},
     true,
     "--host",
     "",
     "--port"},
    {"tgi",
     "Text Generation Inference",
     PT_ROLE_SERVER,
     ALL,
     "text-generation-launcher text-generation-router text-generation-server",
     "text_generation_server",
     "text-generation-inference",
     {3000},
     false,
     "--hostname",
     "HOSTNAME",
     "--port|-p"},
    {"tei",
     "Text Embeddings Inference",
     PT_ROLE_SERVER,
     ALL,
     "text-embeddings-router",
     "",
     "text-embeddings-inference",
     {3000},
     false,
     "--hostname",
     "HOSTNAME",
     "--port|-p"},
    {"localai",
     "LocalAI",
     PT_ROLE_SERVER,
     ALL,
     "local-ai localai",
     "",
     "localai/localai",
     {8080},
     false,
     "--address|--host",
     "LOCALAI_ADDRESS|ADDRESS",
     ""},
    {"lmstudio",
     "LM Studio",
     PT_ROLE_SERVER,
     LO,
     "lm-studio lms LM-Studio* lmstudio*",
     "",
     "",
     {1234},
     true,
     "--host|--bind",
     "",
     "--port"},
    {"jan",
     "Jan",
     PT_ROLE_SERVER,
     LO,
     "jan Jan cortex cortex-server",
     "",
     "",
     {1337},
     false,
     "--host",
     "",
     "--port"},
    {"koboldcpp",
     "KoboldCpp",
     PT_ROLE_SERVER,
     ALL,
     "koboldcpp* koboldcpp.py",
     "",
     "koboldcpp",
     {5001},
     true,
     "--host",
     "",
     "--port"},
    {"textgen",
     "text-generation-webui",
     PT_ROLE_SERVER,
     LO,
     "text-generation-webui oobabooga",
     "",
     "text-generation-webui",
     {7860, 5000},
     false,
     "--listen-host",
     "",
     "--listen-port"},
    {"gpt4all",
     "GPT4All",
     PT_ROLE_SERVER,
     LO,
     "gpt4all gpt4all-chat chat-gpt4all",
     "gpt4all",
     "gpt4all",
     {4891},
     true,
     "--host",
     "",
     "--port"},
    {"tabbyapi",
     "TabbyAPI",
     PT_ROLE_SERVER,
     LO,
     "tabbyAPI tabbyapi tabby",
     "",
     "tabbyapi",
     {5000},
     false,
     "--host",
     "",
     "--port"},
    {"lmdeploy",
     "LMDeploy",
     PT_ROLE_SERVER,
     ALL,
     "lmdeploy",
     "lmdeploy",
     "openmmlab/lmdeploy",
     {23333},
     true,
     "--server-name",
     "",
     "--server-port"},
    {"xinference",
     "Xinference",
     PT_ROLE_SERVER,
     LO,
     "xinference xinference-local xinference-worker",
     "xinference",
     "xprobe/xinference",
     {9997},
     true,
     "--host|-H",
     "",
     "--port|-p"},
    {"aphrodite",
     "Aphrodite",
     PT_ROLE_SERVER,
     LO,
     "aphrodite",
     "aphrodite",
     "aphrodite-engine",
     {2242},
     true,
     "--host",
     "",
     "--port"},
    {"mlc",
     "MLC LLM",
     PT_ROLE_SERVER,
     LO,
     "mlc_llm",
     "mlc_llm",
     "",
     {8000},
     false,
     "--host",
     "",
     "--port"},
    {"triton",
     "Triton",
     PT_ROLE_SERVER,
     ALL,
     "tritonserver",
     "",
     "tritonserver",
     {8000, 8001, 8002},
     false,
     "--http-address",
     "",
     "--http-port"},
    {"torch",
     "torch.distributed",
     PT_ROLE_TRAIN,
     ALL,
     "torchrun",
     "torch.distributed",
     "",
     {29500, 14579},
     true,
     "--master_addr|--master-addr",
     "MASTER_ADDR",
     "--master_port|--master-port"},
    {"ray",
     "Ray",
     PT_ROLE_TRAIN,
     LO,
     "ray ray::* raylet gcs_server dashboard",
     "ray",
     "rayproject/ray",
     {8265, 10001, 6379},
     true,
     "--dashboard-host",
     "",
     "--dashboard-port"},
    {"jupyter",
     "Jupyter",
     PT_ROLE_NOTEBOOK,
     LO,
     "jupyter jupyter-lab jupyter-notebook jupyter-server jupyterhub jupyterhub-singleuser",
     "jupyter notebook jupyterlab jupyter_server ipykernel jupyterhub",
     "jupyter/",
     {8888},
     true,
     "--ip|--ServerApp.ip|--NotebookApp.ip",
     "",
     "--port|--ServerApp.port"},
    {"mlflow",
     "MLflow",
     PT_ROLE_TRAIN,
     LO,
     "mlflow",
     "mlflow",
     "mlflow",
     {5000},
     false,
     "--host|-h",
     "MLFLOW_HOST",
     "--port|-p"},
    {"qdrant",
     "Qdrant",
     PT_ROLE_VECTOR,
     ALL,
     "qdrant",
     "",
     "qdrant/qdrant",
     {6333, 6334},
     true,
     "",
     "QDRANT__SERVICE__HOST",
     ""},
    {"chroma",
     "Chroma",
     PT_ROLE_VECTOR,
     LO,
     "chroma chromadb",
     "chromadb",
     "chromadb/chroma",
     {8000},
     false,
     "--host",
     "CHROMA_SERVER_HOST|CHROMA_HOST",
     "--port"},
    {"milvus",
     "Milvus",
     PT_ROLE_VECTOR,
     ALL,
     "milvus",
     "",
     "milvusdb/milvus",
     {19530, 9091},
     true,
     "",
     "",
     ""},
    {"weaviate",
     "Weaviate",
     PT_ROLE_VECTOR,
     ALL,
     "weaviate weaviate-server",
     "",
     "semitechnologies/weaviate",
     {8080},
     false,
     "--host",
     "",
     "--port"},
    {"open-webui",
     "Open WebUI",
     PT_ROLE_UI,
     ALL,
     "open-webui",
     "open_webui",
     "open-webui",
     {8080, 3000},
     false,
     "--host",
     "",
     "--port"},
    {"litellm",
     "LiteLLM",
     PT_ROLE_PROXY,
     ALL,
     "litellm",
     "litellm",
     "litellm",
     {4000},
     true,
     "--host",
     "HOST",
     "--port"},
    {"langflow",
     "Langflow",
     PT_ROLE_UI,
     LO,
     "langflow",
     "langflow",
     "langflowai/langflow",
     {7860},
     false,
     "--host",
     "LANGFLOW_HOST",
     "--port"},
    {"flowise",
     "Flowise",
     PT_ROLE_UI,
     ALL,
     "flowise",
     "",
     "flowiseai/flowise",
     {3000},
     false,
     "",
     "",
     ""},
    {"n8n",
     "n8n",
     PT_ROLE_UI,
     ALL,
     "n8n",
     "",
     "n8nio/n8n",
     {5678},
     true,
     "",
     "N8N_LISTEN_ADDRESS",
     ""},
    {"comfyui",
     "ComfyUI",
     PT_ROLE_UI,
     LO,
     "comfyui ComfyUI comfy",
     "comfyui",
     "comfyui",
     {8188},
     true,
     "--listen",
     "",
     "--port"},
    {"gradio",
     "Gradio",
     PT_ROLE_UI,
     LO,
     "gradio",
     "gradio",
     "",
     {7860},
     false,
     "--server-name",
     "GRADIO_SERVER_NAME",
     "--server-port"},
    {"streamlit",
     "Streamlit",
     PT_ROLE_UI,
     ALL,
     "streamlit",
     "streamlit",
     "",
     {8501},
     true,
     "--server.address|--browser.serverAddress",
     "STREAMLIT_SERVER_ADDRESS",
     "--server.port"},
    {"dify", "Dify", PT_ROLE_UI, ALL, "dify", "", "langgenius/dify", {5001}, false, "", "", ""},
    {"anythingllm",
     "AnythingLLM",
     PT_ROLE_UI,
     ALL,
     "anythingllm",
     "",
     "anythingllm",
     {3001},
     false,
     "",
     "",
     ""},
    {"librechat",
     "LibreChat",
     PT_ROLE_UI,
     ALL,
     "librechat",
     "",
     "librechat",
     {3080},
     false,
     "",
     "HOST",
     ""},
    {"openclaw",
     "OpenClaw",
     PT_ROLE_AGENT,
     LO,
     "openclaw openclaw-gateway clawdbot moltbot",
     "",
     "openclaw",
     {18789},
     true,
     "--bind|--host",
     "",
     "--port"},
    {"mcp",
     "MCP server",
     PT_ROLE_AGENT,
     LO,
     "mcp-server* mcp-proxy mcpo supergateway fastmcp mcp-gateway server-filesystem mcp-*",
     "mcp fastmcp",
     "mcp/ mcp-server",
     {6274, 6277},
     true,
     "--host|--listen",
     "FASTMCP_HOST|MCP_HOST",
     "--port"},
    {"agent",
     "coding agent",
     PT_ROLE_AGENT,
     LO,
     "claude codex aider goose gemini cursor-agent opencode qwen-code",
     "aider",
     "",
     {0},
     false,
     "",
     "",
     ""},
};
const size_t pt_kinds_n = sizeof pt_kinds / sizeof pt_kinds[0];

const struct pt_kind *pt_kind_find(const char *id) {
    for (size_t i = 0; i < pt_kinds_n; i++) {
        if (strcmp(pt_kinds[i].id, id) == 0)
            return &pt_kinds[i];
    }
    return NULL;
}

bool pt_kind_in(const struct pt_kind *k, const char *ids) {
    struct bz_view rest = bz_view_str(ids), w;
    while (k != NULL && pt_word(&rest, &w)) {
        if (pt_is(w, k->id))
            return true;
    }
    return false;
}

const struct pt_kind *pt_kind_of_port(uint16_t port, bool own_only) {
    for (size_t i = 0; i < pt_kinds_n; i++) {
        const struct pt_kind *k = &pt_kinds[i];
        for (size_t j = 0; j < 4 && k->ports[j] != 0; j++) {
            /* 6379 is Redis' own, whatever else Ray listens on */
            bool own = k->own_port && k->ports[j] != 6379;
            if (k->ports[j] == port && (own || !own_only))
                return k;
        }
    }
    return NULL;
}

/* Is `name` in the blank-separated list? "*" at the end of a word: prefix. */
static bool listed(struct bz_view name, const char *list) {
    struct bz_view rest = bz_view_str(list), w;
    while (name.n > 0 && pt_word(&rest, &w)) {
        if (w.p[w.n - 1] == '*' ? bz_view_starts(name, bz_view_sub(w, 0, w.n - 1))
                                : bz_view_eq(name, w))
            return true;
    }
    return false;
}

static bool module_listed(struct bz_view m, const char *list) {
    struct bz_view rest = bz_view_str(list), w;
    while (m.n > 0 && pt_word(&rest, &w)) {
        if (bz_view_starts(m, w) && (m.n == w.n || m.p[w.n] == '.'))
            return true;
    }
    return false;
}

static const struct pt_kind *by_name(struct bz_view name) {
    for (size_t i = 0; i < pt_kinds_n; i++) {
        if (listed(name, pt_kinds[i].names))
            return &pt_kinds[i];
    }
    return NULL;
}

static const struct pt_kind *by_module(struct bz_view m) {
    for (size_t i = 0; i < pt_kinds_n; i++) {
        if (module_listed(m, pt_kinds[i].modules))
            return &pt_kinds[i];
    }
    return NULL;
}

static const struct pt_kind *by_image(struct bz_view image) {
    for (size_t i = 0; i < pt_kinds_n; i++) {
        struct bz_view rest = bz_view_str(pt_kinds[i].images), w;
        while (pt_word(&rest, &w)) {
            char word[64];
            if (w.n >= sizeof word)
                continue;
            memcpy(word, w.p, w.n);
            word[w.n] = '\0';
            if (pt_has(image, word))
                return &pt_kinds[i];
        }
    }
    return NULL;
}

/* Without what interpreters and packagers hang on. */
static struct bz_view script_name(struct bz_view v) {
    static const char *const ends[] = {".py",       ".js",        ".mjs", ".sh",
                                       ".AppImage", " (deleted)", NULL};
    v = pt_base(v);
    for (size_t i = 0; ends[i] != NULL; i++) {
        if (pt_ends(v, ends[i]))
            v.n -= strlen(ends[i]);
    }
    return v;
}

static bool interpreter(struct bz_view name) {
    static const char *const list[] = {"node",  "nodejs", "bash", "sh",      "dash", "uv",
                                       "uvx",   "npx",    "npm",  "bun",     "deno", "env",
                                       "bwrap", "sudo",   "nice", "numactl", "tini", "dumb-init",
                                       "exec",  "pipx",   NULL};
    return pt_starts(name, "python") || pt_is_any(name, list);
}

/* ComfyUI, text-generation-webui and koboldcpp are started as "python main.py" in their own folder. */
static const struct pt_kind *by_place(struct bz_view path) {
    if (pt_has(path, "/comfyui/"))
        return pt_kind_find("comfyui");
    if (pt_has(path, "/text-generation-webui/"))
        return pt_kind_find("textgen");
    return NULL;
}

static const struct pt_kind *by_arguments(const struct pt_views *argv) {
    for (size_t i = 1; i < argv->n && i < 12; i++) {
        struct bz_view a = argv->v[i];
        if (pt_is(a, "-m") && i + 1 < argv->n)
            return by_module(argv->v[i + 1]);
        if (a.n == 0 || a.p[0] == '-' || pt_is(a, "run") || pt_is(a, "tool"))
            continue;
        const struct pt_kind *k = by_name(script_name(a));
        if (k == NULL)
            k = by_place(a);
        if (k != NULL || !interpreter(script_name(a)))
            return k;
    }
    return NULL;
}

const struct pt_kind *pt_kind_of(struct bz_view exe, struct bz_view comm,
                                 const struct pt_views *argv, struct bz_view image) {
    const struct pt_kind *k = image.n > 0 ? by_image(image) : NULL;
    if (k == NULL)
        k = by_name(script_name(exe));
    if (k == NULL && argv->n > 0)
        k = by_name(script_name(argv->v[0]));
    if (k == NULL && argv->n > 0 && interpreter(script_name(argv->v[0])))
        k = by_arguments(argv);
    if (k == NULL && (argv->n == 0 || interpreter(script_name(argv->v[0]))))
        k = by_name(comm);
    /* "bartizan" is the command line too, "docker run image" its own kind of work */
    return k;
}
