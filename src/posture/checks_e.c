/* E: secrets. */
#include <stdio.h>
#include <bartizan/crypto.h>

#include "posture_int.h"

static void modes(struct pt_ctx *c, enum pt_tag tag) {
    for (size_t i = 0; i < c->f->files.n; i++) {
        const struct pt_file *file = &c->f->files.v[i];
        if (file->tag != tag)
            continue;
        if ((file->mode & 077) != 0)
            pt_bad(c, "%.*s has mode %04o", PT_V(file->path), file->mode);
        else
            pt_good(c);
    }
    if (c->f->sweep_denied)
        pt_unknown(c, "some folders cannot be read");
}

static void e01(struct pt_ctx *c) {
    struct bz_view v;
    struct stat s;
    modes(c, PT_F_TOKEN);
    PT_EACH_WORK(c, w) {
        if (w->src == PT_CTR || !pt_env(w, "HF_TOKEN_PATH", &v) ||
            !pt_stat(c->f->t, pt_path(c->f->t, "%.*s", PT_V(v)), true, &s))
            continue;
        if ((s.st_mode & 077) != 0)
            pt_bad(c, "%.*s (HF_TOKEN_PATH) has mode %04o", PT_V(v), s.st_mode & 07777);
        else
            pt_good(c);
    }
}

/* The key that a server asks of its callers: whoever has its memory has no more by it. */
static bool own_key(struct bz_view name) {
    static const char *const list[] = {"VLLM_API_KEY",
                                       "LLAMA_API_KEY",
                                       "LLAMA_ARG_API_KEY",
                                       "QDRANT__SERVICE__API_KEY",
                                       "LITELLM_MASTER_KEY",
                                       "PROXY_MASTER_KEY",
                                       "JUPYTER_TOKEN",
                                       "WEBUI_SECRET_KEY",
                                       "CHROMA_SERVER_AUTHN_CREDENTIALS",
                                       "LITELLM_SALT_KEY",
                                       NULL};
    return pt_is_any(name, list);
}

static void e02(struct pt_ctx *c) {
    struct bz_view key, v;
    PT_EACH_WORK(c, w) {
        if (w->kind->role == PT_ROLE_OURS)
            continue;
        if (!w->env_known) {
            pt_unknown(c, "%.*s: its environment cannot be read", PT_V(w->label));
            continue;
        }
        for (size_t i = 0; i < w->env->n; i++) {
            if (pt_split(w->env->v[i], '=', &key, &v) && !own_key(key) && pt_secret_pair(key, v))
                pt_bad(c, "%.*s: %.*s=%.*s", PT_V(w->label), PT_V(bz_view_sub(key, 0, 64)),
                       PT_V(pt_redact(c->f->ar, v)));
        }
        pt_good(c);
    }
}

/* "--api-key VALUE", "--hf-token=VALUE", a value of a known form anywhere. */
static bool secret_argument(const struct pt_views *argv, size_t i, struct bz_view *name,
                            struct bz_view *value) {
    struct bz_view a = argv->v[i];
    *name = BZ_V("argument");
    *value = a;
    if (pt_secret_value(a))
        return true;
    if (a.n < 3 || a.p[0] != '-')
        return pt_split(a, '=', name, value) && pt_secret_pair(*name, *value);
    if (pt_split(a, '=', name, value))
        return pt_secret_pair(*name, *value);
    *name = a;
    if (i + 1 >= argv->n || !pt_secret_name(a) || argv->v[i + 1].n == 0 ||
        argv->v[i + 1].p[0] == '-')
        return false;
    *value = argv->v[i + 1];
    return pt_secret_pair(*name, *value) ||
           (pt_has(a, "api-key") && value->n >= 4 && value->p[0] != '/' && value->p[0] != '$');
}

static void e03(struct pt_ctx *c) {
    struct bz_view name, value;
    PT_EACH_WORK(c, w) {
        if (!w->argv_known) {
            pt_unknown(c, "%.*s: its arguments cannot be read", PT_V(w->label));
            continue;
        }
        for (size_t i = 1; i < w->argv->n; i++) {
            if (secret_argument(w->argv, i, &name, &value))
                pt_bad(c, "%.*s: %.*s %.*s", PT_V(w->label), PT_V(bz_view_sub(name, 0, 64)),
                       PT_V(pt_redact(c->f->ar, value)));
        }
        pt_good(c);
    }
}

static void e04(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->files.n; i++) {
        const struct pt_file *file = &c->f->files.v[i];
        struct bz_view what;
        uint64_t line = 0;
        if (file->tag != PT_F_CONFIG_KEYS)
            continue;
        if (file->unreadable) {
            pt_unknown(c, "%.*s cannot be read", PT_V(file->path));
            continue;
        }
        if ((file->mode & 077) != 0 && pt_secret_in(c->f->ar, file->text, &what, &line))
            pt_bad(c, "%.*s:%llu (mode %04o): %.*s", PT_V(file->path), (unsigned long long)line,
                   file->mode, PT_V(what));
        else
            pt_good(c);
    }
    PT_EACH_WORK(c, w) { /* a unit is read by everybody */
        struct stat s;
        struct bz_view key, v;
        if (w->src != PT_UNIT || !pt_stat(c->f->t, (const char *)w->unit->path.p, true, &s) ||
            (s.st_mode & 044) == 0)
            continue;
        for (size_t i = 0; i < w->unit->pairs.n; i++) {
            const struct pt_pair *p = &w->unit->pairs.v[i];
            struct pt_views list = {0};
            if (!pt_is(p->key, "Environment"))
                continue;
            pt_shell_words(c->f->ar, p->value, &list);
            for (size_t j = 0; j < list.n; j++) {
                if (pt_split(list.v[j], '=', &key, &v) && pt_secret_pair(key, v))
                    pt_bad(c, "%.*s (mode %04o): %.*s=%.*s", PT_V(w->unit->path), s.st_mode & 07777,
                           PT_V(key), PT_V(pt_redact(c->f->ar, v)));
            }
        }
    }
    if (c->f->sweep_denied)
        pt_unknown(c, "some folders cannot be read");
}

static void e05(struct pt_ctx *c) {
    modes(c, PT_F_SSHKEY);
}

/* ---- E06: secrets in prompts ---- */

static void prompt_text(struct pt_ctx *c, struct bz_view where, struct bz_view text) {
    struct bz_view what, line, key, v;
    uint64_t no = 0;
    if (pt_secret_in(c->f->ar, text, &what, &no)) {
        pt_bad(c, "%.*s:%llu: %.*s", PT_V(where), (unsigned long long)no, PT_V(what));
        return;
    }
    pt_good(c);
    /* prose: "The password is hunter2hunter2" */
    while (pt_line(&text, &line)) {
        size_t at = pt_find(line, "password is ");
        if (at == SIZE_MAX)
            continue;
        key = bz_view_sub(line, at + 12, line.n);
        if (pt_word(&key, &v) && v.n >= 6)
            pt_bad(c, "%.*s: a password stands in the text: %.*s", PT_V(where),
                   PT_V(pt_redact(c->f->ar, v)));
    }
}

static void prompts_of(struct pt_ctx *c, struct bz_view where, const struct bz_json *n,
                       unsigned depth) {
    for (const struct bz_json *k = n == NULL ? NULL : n->first; k != NULL; k = k->next) {
        if (k->type == BZ_JSON_STRING &&
            (pt_has(k->key, "prompt") || pt_is(k->key, "system") || pt_is(k->key, "template")))
            prompt_text(c, where, k->val);
        else if (depth > 0)
            prompts_of(c, where, k, depth - 1);
    }
}

static void e06(struct pt_ctx *c) {
    for (size_t i = 0; i < c->f->files.n; i++) {
        const struct pt_file *file = &c->f->files.v[i];
        if (file->tag == PT_F_PROMPT_TEMPLATE && !file->unreadable)
            prompt_text(c, file->path, file->text);
        if (!pt_starts(pt_base(file->path), "Modelfile") || file->tag != PT_F_CONFIG_KEYS)
            continue;
        size_t at = pt_find(file->text, "SYSTEM");
        if (at == SIZE_MAX)
            at = pt_find(file->text, "system ");
        if (at != SIZE_MAX)
            prompt_text(c, file->path, bz_view_sub(file->text, at, file->text.n));
    }
    for (size_t i = 0; i < c->f->instances.n; i++) {
        const struct pt_instance *in = &c->f->instances.v[i];
        if (in->denied)
            pt_unknown(c, "%.*s/bartizan.yaml cannot be read", PT_V(in->path));
        else
            prompts_of(c, in->path, in->config, 8);
        pt_good(c);
    }
    PT_EACH_WORK(c, w) {
        struct bz_view v, text;
        if (pt_opt(w, "--system-prompt|--system", &v))
            prompt_text(c, w->label, v);
        if (pt_opt(w, "--chat-template-file|--chat-template|--system-prompt-file", &v) && v.n > 0 &&
            v.p[0] == '/' &&
            pt_read(c->f->t, pt_path(c->f->t, "%.*s", PT_V(v)), BZ_POSTURE_CONFIG_MAX, &text) ==
                BZ_OK)
            prompt_text(c, v, text);
    }
}

/* ---- E07: one key, several hands ---- */

struct holder {
    struct bz_view label, key, value;
};
struct holders {
    struct holder *v;
    size_t n, cap;
};

static void e07_pairs(struct pt_ctx *c) {
    struct holders all = {0};
    struct bz_view key, v;
    PT_EACH_WORK(c, w) {
        if (w->src == PT_PROC && w->unit != NULL)
            continue; /* the unit says the same */
        for (size_t i = 0; i < w->env->n && all.n < 512; i++) {
            if (!pt_split(w->env->v[i], '=', &key, &v) || !pt_secret_pair(key, v))
                continue;
            struct holder *h = PT_ADD(c->f->ar, &all);
            if (h != NULL)
                *h = (struct holder){w->label, key, v};
        }
    }
    for (size_t i = 0; i < all.n; i++) {
        for (size_t j = i + 1; j < all.n; j++) {
            struct holder *a = &all.v[i], *b = &all.v[j];
            if (bz_ct_equal(a->value, b->value) && !bz_view_eq(a->label, b->label))
                pt_bad(c, "%.*s and %.*s hold the same %.*s", PT_V(a->label), PT_V(b->label),
                       PT_V(a->key));
        }
    }
    if (all.n > 0)
        pt_good(c);
}

static void e07(struct pt_ctx *c) {
    enum { OLD_DAYS = 365 };
    uint64_t n = 0, forever = 0, oldest = 0;
    e07_pairs(c);
    bool (*keys)(void *, uint64_t *, uint64_t *, uint64_t *) = c->f->o->hooks.keys;
    if (keys != NULL && keys(c->f->o->hooks.ctx, &n, &forever, &oldest)) {
        if (forever > 0)
            pt_bad(c, "%llu of %llu keys of the gateway never expire", (unsigned long long)forever,
                   (unsigned long long)n);
        if (oldest > (uint64_t)OLD_DAYS * 86400)
            pt_bad(c, "the oldest key of the gateway is %llu days old",
                   (unsigned long long)(oldest / 86400));
        pt_good(c);
    } else if (c->f->instances.n > 0) {
        pt_unknown(c, "the gateway's keys are known to a running instance alone: give --instance");
    }
}

const struct pt_check pt_checks_e[] = {
    PT_ROW("E01", "A Hugging Face token can be read by others", HIGH,
           "Every account of the machine may act as its owner.",
           "chmod 600, or a broker that hands it out.", "IA-5(7)", e01),
    PT_ROW("E02", "Secrets in the environment of AI programs", HIGH,
           "A flaw that reads memory (CVE-2026-7482), a crash report or a child process has them.",
           "Hand them over by LoadCredential= or a file that only the account reads.",
           "IA-5, LLM02", e02),
    PT_ROW("E03", "Secrets in arguments", HIGH,
           "Every account sees the arguments of every process.",
           "Use --api-key-file, an EnvironmentFile= of mode 0600 or LoadCredential=.", "IA-5", e03),
    PT_ROW("E04", "Configurations with keys that others can read", HIGH,
           ".env, compose and MCP files are where keys leak from.", "chmod 600; better a vault.",
           "IA-5", e04),
    PT_ROW("E05", "Ollama's private key can be read by others", MEDIUM,
           "It signs pulls and pushes in its owner's name.", "chmod 600 ~/.ollama/id_ed25519.",
           "SC-12", e05),
    PT_ROW("E06", "Secrets in system prompts or templates", HIGH,
           "Whatever a model can read it can be made to say.",
           "Move them out; tools get credentials, models do not.", "LLM07, AISVS 9.5.4", e06),
    PT_ROW("E07", "One key in several hands, or keys without an end", MEDIUM,
           "A shared key names nobody and cannot be taken back from one.",
           "One key for each program and person, with an expiry; rotate ('bartizan key rotate').",
           "IA-5", e07),
};
const size_t pt_checks_e_n = sizeof pt_checks_e / sizeof pt_checks_e[0];
