/* Explains what happens to texts that steer: judgement by channel, exceptions, prompts. */
#include <stdio.h>

#include "policy_steer.h"

static const char *detectors(const struct bz_config *c) {
    switch (c->injection.detectors) {
    case BZ_DETECT_RULES:
        return "rules";
    case BZ_DETECT_CLASSIFIER:
        return "classifier";
    default:
        return "rules and classifier";
    }
}

static const char *or_all(const struct bz_prompt_config *r) {
    return r->name == NULL ? "no prompt of ours" : r->name;
}

/* ---- JSON ---- */

static void put_names(struct bz_jw *w, const char *key, char *const *list, uint32_t n) {
    if (list == NULL)
        return;
    bz_jw_key(w, key);
    bz_jw_arr(w);
    for (uint32_t i = 0; i < n; i++)
        bz_jw_str(w, bz_view_str(list[i]));
    bz_jw_end(w);
}

static void put_injection(struct bz_jw *w, const struct bz_config *c) {
    const struct bz_injection_config *in = &c->injection;
    bz_jw_key(w, "injection");
    bz_jw_obj(w);
    bz_jw_kstr(w, "mode", bz_view_str(bz_injection_mode_name(in->mode)));
    bz_jw_kstr(w, "detectors", bz_view_str(detectors(c)));
    bz_jw_kbool(w, "builtin", in->builtin);
    put_names(w, "rules", in->rules, in->rules_n);
    for (int ch = 0; ch < BZ_CHANNEL_COUNT; ch++) {
        const struct bz_injection_channel *x = &in->channel[ch];
        bz_jw_key(w, bz_channel_name((enum bz_channel)ch));
        bz_jw_obj(w);
        bz_jw_kstr(w, "flag", bz_view_str(bz_action_name((enum bz_action)x->flag)));
        bz_jw_kstr(w, "block", bz_view_str(bz_action_name((enum bz_action)x->block)));
        bz_jw_ku64(w, "flag_at", x->flag_at);
        bz_jw_ku64(w, "block_at", x->block_at);
        bz_jw_end(w);
    }
    bz_jw_key(w, "exceptions");
    bz_jw_arr(w);
    for (uint32_t i = 0; i < in->exceptions_n; i++) {
        const struct bz_injection_exception *e = &in->exceptions[i];
        bz_jw_obj(w);
        put_names(w, "roles", e->roles, e->roles_n);
        put_names(w, "models", e->models, e->models_n);
        bz_jw_kstr(w, "mode", bz_view_str(bz_injection_mode_name(e->mode)));
        bz_jw_end(w);
    }
    bz_jw_end(w);
    bz_jw_end(w);
}

static void put_treatment(struct bz_jw *w, uint8_t client, uint8_t marking, uint8_t tokens) {
    bz_jw_kstr(w, "client", bz_view_str(bz_client_system_name((enum bz_client_system)client)));
    bz_jw_kstr(w, "marking", bz_view_str(bz_marking_name((enum bz_marking)marking)));
    bz_jw_kstr(w, "tokens", bz_view_str(bz_token_action_name((enum bz_token_action)tokens)));
}

void bz_steer_json(struct bz_jw *w, const struct bz_config *c) {
    const struct bz_prompts_config *p = &c->prompts;
    put_injection(w, c);
    bz_jw_key(w, "prompts");
    bz_jw_obj(w);
    bz_jw_kbool(w, "signed", p->keys_n > 0);
    put_treatment(w, p->client, p->marking, p->tokens);
    bz_jw_key(w, "rules");
    bz_jw_arr(w);
    for (uint32_t i = 0; i < p->rules_n; i++) {
        const struct bz_prompt_config *r = &p->rules[i];
        bz_jw_obj(w);
        if (r->name != NULL) {
            bz_jw_kstr(w, "name", bz_view_str(r->name));
            bz_jw_ku64(w, "version", r->version);
            bz_jw_kbool(w, "canary", r->canary);
        }
        put_names(w, "roles", r->roles, r->roles_n);
        put_names(w, "models", r->models, r->models_n);
        put_names(w, "routes", r->routes, r->routes_n);
        put_treatment(w, r->client, r->marking, r->tokens);
        bz_jw_end(w);
    }
    bz_jw_end(w);
    bz_jw_end(w);
}

/* ---- for people ---- */

static void print_names(const char *what, char *const *list, uint32_t n) {
    if (list == NULL)
        return;
    (void)printf(", %s", what);
    for (uint32_t i = 0; i < n; i++)
        (void)printf("%s %s", i > 0 ? "," : "", list[i]);
}

static void print_injection(const struct bz_config *c) {
    static const char *const whose[BZ_CHANNEL_COUNT] = {
        [BZ_CHANNEL_USER] = "texts of users, earlier answers",
        [BZ_CHANNEL_TOOL] = "results of tools",
        [BZ_CHANNEL_DOCUMENT] = "documents, descriptions of tools",
    };
    const struct bz_injection_config *in = &c->injection;
    (void)printf("texts that steer the model (injection): %s, by %s\n",
                 bz_injection_mode_name(in->mode), detectors(c));
    for (int ch = 0; ch < BZ_CHANNEL_COUNT && in->mode != BZ_INJECTION_OFF; ch++) {
        const struct bz_injection_channel *x = &in->channel[ch];
        (void)printf("  %-34s %s from %u, %s from %u\n", whose[ch],
                     bz_action_name((enum bz_action)x->flag), x->flag_at,
                     bz_action_name((enum bz_action)x->block), x->block_at);
    }
    for (uint32_t i = 0; i < in->exceptions_n; i++) {
        const struct bz_injection_exception *e = &in->exceptions[i];
        (void)printf("  exception %u: %s", i + 1, bz_injection_mode_name(e->mode));
        print_names("roles", e->roles, e->roles_n);
        print_names("models", e->models, e->models_n);
        (void)printf("\n");
    }
}

static void print_treatment(uint8_t client, uint8_t marking, uint8_t tokens) {
    (void)printf("client's own: %s, untrusted text: %s, control tokens: %s",
                 bz_client_system_name((enum bz_client_system)client),
                 bz_marking_name((enum bz_marking)marking),
                 bz_token_action_name((enum bz_token_action)tokens));
}

void bz_steer_print(const struct bz_config *c) {
    const struct bz_prompts_config *p = &c->prompts;
    print_injection(c);
    (void)printf("\nsystem prompts: the first rule that fits decides%s\n",
                 p->keys_n > 0 ? "; every prompt is signed" : "");
    for (uint32_t i = 0; i < p->rules_n; i++) {
        const struct bz_prompt_config *r = &p->rules[i];
        (void)printf("  rule %u: %s", i + 1, or_all(r));
        if (r->name != NULL)
            (void)printf("@%u%s", r->version, r->canary ? " with a canary" : "");
        print_names("roles", r->roles, r->roles_n);
        print_names("models", r->models, r->models_n);
        print_names("routes", r->routes, r->routes_n);
        (void)printf("; ");
        print_treatment(r->client, r->marking, r->tokens);
        (void)printf("\n");
    }
    (void)printf("  otherwise: ");
    print_treatment(p->client, p->marking, p->tokens);
    (void)printf("\n");
}
