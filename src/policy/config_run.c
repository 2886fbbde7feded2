/* `run` of a backend: what is said is checked here as far as text can be; whether the files and the profile are there is
 * found out when the cage is made. */
#include <stdio.h>
#include "config_int.h"

enum { count_max = 1000000, cpu_max = 100000 };

static void at_of(char out[192], uint32_t i, const char *member) {
    if (snprintf(out, 192, "backends[%u].run%s%s", i, member[0] != '\0' ? "." : "", member) < 0)
        out[0] = '\0';
}

static void check_word(struct cfg *c, const char *at, const char *s, const char *const *words,
                       size_t n) {
    char text[200] = "";
    size_t used = 0;
    for (size_t i = 0; s != NULL && i < n; i++) {
        if (strcmp(s, words[i]) == 0)
            return;
        int k = snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? ", " : "", words[i]);
        used += k > 0 && (size_t)k < sizeof text - used ? (size_t)k : 0;
    }
    char why[256];
    if (s != NULL && snprintf(why, sizeof why, "\"%%s\" is not known; there are %s", text) > 0)
        cfg_fail(c, at, why, s);
}

static bool plain_text(const char *s) {
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return false;
    }
    return true;
}

static void check_texts(struct cfg *c, uint32_t i, const char *member, char *const *v, uint32_t n,
                        bool absolute) {
    char list[192], at[220];
    at_of(list, i, member);
    for (uint32_t k = 0; k < n; k++) {
        if (snprintf(at, sizeof at, "%s[%u]", list, k) < 0)
            return;
        if (v[k][0] == '\0' || !plain_text(v[k]))
            cfg_fail(c, at, "an empty text, or one with control characters, stands here", "");
        else if (absolute && v[k][0] != '/')
            cfg_fail(c, at, "\"%s\": write an absolute path", v[k]);
    }
}

static void check_size(struct cfg *c, uint32_t i, const char *member, const char *s) {
    char at[192];
    size_t n = s == NULL ? 0 : strspn(s, "0123456789");
    at_of(at, i, member);
    if (s != NULL && (n == 0 || n > 12 || s[0] == '0' ||
                      (s[n] != '\0' && (strchr("KMGT", s[n]) == NULL || s[n + 1] != '\0'))))
        cfg_fail(c, at, "\"%s\" is no size; write bytes, or a number with K, M, G or T: 16G", s);
}

static void check_counts(struct cfg *c, uint32_t i, const struct y_run *r) {
    char at[192];
    at_of(at, i, "pids");
    cfg_check_range(c, at, r->pids, 1, count_max);
    at_of(at, i, "files");
    cfg_check_range(c, at, r->files, 16, count_max);
    at_of(at, i, "cpu");
    cfg_check_range(c, at, r->cpu, 1, cpu_max);
}

void cfg_check_run(struct cfg *c, uint32_t i, const struct y_backend *b) {
    /* as src/sandbox/profiles.c has them, which this room does not know; a unit test compares */
    static const char *const profiles[] = {"llama-server", "ollama", "vllm", "generic"};
    static const char *const weakened[] = {"refuse", "allow"}, *const posture[] = {"refuse",
                                                                                   "warn"};
    const struct y_run *r = b->run;
    char at[192];
    if (b->url != NULL && snprintf(at, sizeof at, "backends[%u].url", i) > 0)
        cfg_fail(
            c, at,
            "a server that is started here is reached on a socket of the instance; leave url out",
            "");
    at_of(at, i, "profile");
    if (r->profile == NULL)
        cfg_fail(c, at, "profile is missing; write llama-server, ollama, vllm or generic", "");
    check_word(c, at, r->profile, profiles, 4);
    at_of(at, i, "weakened");
    check_word(c, at, r->weakened, weakened, 2);
    at_of(at, i, "posture");
    check_word(c, at, r->posture, posture, 2);
    at_of(at, i, "command");
    if (r->command_count == 0)
        cfg_fail(c, at, "command is missing; write for instance [llama-server, -m, /models/x.gguf]",
                 "");
    check_texts(c, i, "command", r->command, r->command_count, false);
    check_texts(c, i, "models", r->models, r->models_count, true);
    check_texts(c, i, "read", r->read, r->read_count, true);
    check_texts(c, i, "write", r->write, r->write_count, true);
    check_texts(c, i, "env", r->env, r->env_count, false);
    check_texts(c, i, "secrets", r->secrets, r->secrets_count, false);
    check_texts(c, i, "egress", r->egress, r->egress_count, false);
    check_size(c, i, "memory", r->memory);
    check_size(c, i, "tmp", r->tmp);
    check_counts(c, i, r);
}

void cfg_check_stage(struct cfg *c, const char *stage) {
    static const char *const words[] = {"development", "production"};
    check_word(c, "stage", stage, words, 2);
}

enum bz_stage cfg_stage(const char *stage) {
    if (stage == NULL)
        return BZ_STAGE_NONE;
    return strcmp(stage, "production") == 0 ? BZ_STAGE_PRODUCTION : BZ_STAGE_DEVELOPMENT;
}

static bool is(const char *s, const char *word) {
    return s != NULL && strcmp(s, word) == 0;
}

static bool take_list(struct bz_arena *ar, char *const *from, uint32_t n, char ***to,
                      uint32_t *to_n) {
    *to = cfg_dup_list(ar, from, n);
    *to_n = n;
    return *to != NULL;
}

static bool take_text(struct bz_arena *ar, const char *from, char **to) {
    *to = cfg_dup(ar, from);
    return from == NULL || *to != NULL;
}

bool cfg_convert_run(struct bz_backend_config *out, struct bz_arena *ar,
                     const struct y_backend *b) {
    const struct y_run *r = b->run;
    struct bz_run_config *x = bz_arena_zalloc(ar, sizeof *x);
    char url[128];
    if (x == NULL || snprintf(url, sizeof url, "unix:/run/cage/%s/llm.sock", b->name) < 0)
        return false;
    out->run = x;
    x->pids = r->pids == NULL ? 0 : (uint32_t)*r->pids;
    x->files = r->files == NULL ? 0 : (uint32_t)*r->files;
    x->cpu = r->cpu == NULL ? 0 : (uint32_t)*r->cpu;
    x->weakened = is(r->weakened, "allow");
    x->posture_warn = is(r->posture, "warn");
    return take_text(ar, url, &out->url) && take_text(ar, r->profile, &x->profile) &&
           take_text(ar, r->memory, &x->memory) && take_text(ar, r->tmp, &x->tmp) &&
           take_text(ar, r->gpu, &x->gpu) &&
           take_list(ar, r->command, r->command_count, &x->command, &x->command_n) &&
           take_list(ar, r->models, r->models_count, &x->models, &x->models_n) &&
           take_list(ar, r->read, r->read_count, &x->reads, &x->reads_n) &&
           take_list(ar, r->write, r->write_count, &x->writes, &x->writes_n) &&
           take_list(ar, r->env, r->env_count, &x->env, &x->env_n) &&
           take_list(ar, r->secrets, r->secrets_count, &x->secrets, &x->secrets_n) &&
           take_list(ar, r->egress, r->egress_count, &x->egress, &x->egress_n);
}
