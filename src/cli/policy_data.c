/* Explains data protection: settings, clearances, rules, and what happens to each type and why. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "policy_data.h"
#include "term.h"

enum { TEXT_MAX = 64 << 10 };

static const char *const direction_name[BZ_DIRECTION_COUNT] = {"request", "reply"};

bool bz_data_type_find(const struct bz_config *c, const char *name, size_t *ret) {
    struct bz_type t;
    for (size_t i = 0; bz_config_type(c, i, &t); i++) {
        if (strcasecmp(t.name, name) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

struct told { /* one explanation */
    const struct bz_config *c;
    struct bz_jw *w; /* JSON */
    struct bz_buf b; /* people: one paragraph */
    struct bz_data_step x[BZ_DATA_STEPS_MAX], y[BZ_DATA_STEPS_MAX];
};

static struct told *told_new(const struct bz_config *c, struct bz_jw *w) {
    struct told *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->c = c;
    t->w = w;
    bz_buf_init(&t->b, TEXT_MAX);
    return t;
}

static void told_free(struct told *t) {
    bz_buf_free(&t->b);
    free(t);
}

static size_t rule_number(const struct bz_config *c, const struct bz_data_rule *r) {
    return (size_t)(r - c->data.rules) + 1;
}

static bool in_direction(const struct bz_data_rule *r, int d) {
    return (r->directions >> d & 1) != 0;
}

/* Does this rule ever get to decide? Rules before it may have taken everything. */
static bool decides(struct told *t, const struct bz_data_rule *r) {
    for (size_t type = 0; type < bz_config_types_n(t->c); type++) {
        for (int d = 0; d < BZ_DIRECTION_COUNT; d++) {
            size_t n = bz_config_steps(t->c, type, (enum bz_direction)d, t->x);
            for (size_t i = 0; i < n; i++) {
                if (t->x[i].rule == r)
                    return true;
            }
        }
    }
    return false;
}

/* A name that the file itself does not know: a backend may serve it, or it is a slip. */
static bool is_unlisted(const struct bz_config *c, const char *model) {
    bool there = strchr(model, '*') != NULL;
    for (uint32_t i = 0; i < c->models_n; i++)
        there = there || strcmp(c->models[i].name, model) == 0 ||
                (c->models[i].target != NULL && strcmp(c->models[i].target, model) == 0);
    for (uint32_t i = 0; i < c->backends_n; i++) {
        for (uint32_t k = 0; k < c->backends[i].models_n; k++)
            there = there || strcmp(c->backends[i].models[k], model) == 0;
    }
    return !there;
}

/* ---- JSON ---- */

static void put_list(struct bz_jw *w, const char *key, char *const *v, uint32_t n) {
    if (v == NULL)
        return;
    bz_jw_key(w, key);
    bz_jw_arr(w);
    for (uint32_t i = 0; i < n; i++)
        bz_jw_str(w, bz_view_str(v[i]));
    bz_jw_end(w);
}

/* Where a rule holds; what is absent holds everywhere. */
static void put_conditions(struct bz_jw *w, const struct bz_data_rule *r) {
    put_list(w, "roles", r->roles, r->roles_n);
    put_list(w, "models", r->models, r->models_n);
    bz_jw_kstr(w, "level", bz_view_str(bz_level_name(r->level)));
}

static void put_rule(struct told *t, const struct bz_data_rule *r) {
    struct bz_jw *w = t->w;
    bz_jw_obj(w);
    bz_jw_ku64(w, "rule", rule_number(t->c, r));
    bz_jw_ku64(w, "line", r->line);
    put_list(w, "types", r->names, r->names_n);
    bz_jw_key(w, "directions");
    bz_jw_arr(w);
    for (int d = 0; d < BZ_DIRECTION_COUNT; d++) {
        if (in_direction(r, d))
            bz_jw_str(w, bz_view_str(direction_name[d]));
    }
    bz_jw_end(w);
    bz_jw_kstr(w, "action", bz_view_str(bz_action_name(r->action)));
    bz_jw_kstr(w, "proof", bz_view_str(bz_proof_name(r->proof)));
    put_conditions(w, r);
    bz_jw_key(w, "unlisted_models");
    bz_jw_arr(w);
    for (uint32_t i = 0; i < r->models_n; i++) {
        if (is_unlisted(t->c, r->models[i]))
            bz_jw_str(w, bz_view_str(r->models[i]));
    }
    bz_jw_end(w);
    bz_jw_kbool(w, "form", r->form);
    bz_jw_kbool(w, "decides", decides(t, r));
    bz_jw_end(w);
}

static void put_steps(struct told *t, size_t type, int d) {
    const struct bz_data_step *s = t->x;
    struct bz_jw *w = t->w;
    size_t n = bz_config_steps(t->c, type, (enum bz_direction)d, t->x);
    bz_jw_key(w, direction_name[d]);
    bz_jw_arr(w);
    for (size_t i = 0; i < n; i++) {
        bz_jw_obj(w);
        bz_jw_kstr(w, "action", bz_view_str(bz_action_name(s[i].action)));
        bz_jw_kstr(w, "proof", bz_view_str(bz_proof_name(s[i].proof)));
        if (s[i].rule == NULL) {
            bz_jw_kstr(w, "default", bz_view_str(s[i].why));
        } else {
            bz_jw_ku64(w, "rule", rule_number(t->c, s[i].rule));
            bz_jw_ku64(w, "line", s[i].rule->line);
            put_conditions(w, s[i].rule);
        }
        bz_jw_end(w);
    }
    bz_jw_end(w);
}

static void put_type(struct told *all, size_t type) {
    struct bz_jw *w = all->w;
    struct bz_type t;
    if (!bz_config_type(all->c, type, &t))
        return;
    bz_jw_obj(w);
    bz_jw_kstr(w, "name", bz_view_str(t.name));
    bz_jw_kstr(w, "class", bz_view_str(bz_class_name((enum bz_class)t.cls)));
    bz_jw_kstr(w, "region", bz_view_str(t.region));
    bz_jw_kstr(w, "what", bz_view_str(t.what));
    bz_jw_kstr(w, "proof", bz_view_str(bz_proof_name((enum bz_proof)t.proof)));
    bz_jw_kstr(w, "level", bz_view_str(bz_level_name((enum bz_level)t.level)));
    for (int d = 0; d < BZ_DIRECTION_COUNT; d++)
        put_steps(all, type, d);
    bz_jw_end(w);
}

static enum bz_level clearance_of(uint8_t said) {
    return said == 0 ? BZ_LEVEL_RESTRICTED : (enum bz_level)(said - 1);
}

static void put_clearance(struct bz_jw *w, const char *name, uint8_t said) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "name", bz_view_str(name));
    bz_jw_kstr(w, "clearance", bz_view_str(bz_level_name(clearance_of(said))));
    bz_jw_kbool(w, "default", said == 0);
    bz_jw_end(w);
}

static const char *stored_name(const struct bz_data_config *d) {
    if (d->store_requests)
        return d->store_replies ? "both" : "requests";
    return d->store_replies ? "replies" : "none";
}

static void put_tool(struct bz_jw *w, const struct bz_tool_config *t) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "name", bz_view_str(t->name));
    bz_jw_kstr(w, "clearance", bz_view_str(bz_level_name((enum bz_level)t->clearance)));
    bz_jw_kstr(w, "call", bz_view_str(bz_tool_verdict_name((enum bz_tool_verdict)t->call)));
    bz_jw_kstr(w, "effect", bz_view_str(bz_effect_name((enum bz_effect)t->effect)));
    bz_jw_kbool(w, "egress", !t->inside);
    bz_jw_kbool(w, "schema", t->schema != NULL);
    bz_jw_key(w, "roles");
    bz_jw_arr(w);
    for (uint32_t i = 0; i < t->roles_n; i++)
        bz_jw_str(w, bz_view_str(t->roles[i]));
    bz_jw_end(w);
    bz_jw_end(w);
}

static void put_data(struct told *t, size_t type) {
    const struct bz_config *c = t->c;
    struct bz_jw *w = t->w;
    bz_jw_obj(w);
    bz_jw_kstr(w, "unknown_fields", bz_view_str(c->data.unknown_as_text ? "text" : "refuse"));
    bz_jw_ku64(w, "restore_s", c->data.restore_s);
    bz_jw_ku64(w, "hold_ms", c->data.hold_ms);
    bz_jw_kstr(w, "store", bz_view_str(stored_name(&c->data)));
    bz_jw_key(w, "models");
    bz_jw_arr(w);
    for (uint32_t i = 0; i < c->models_n; i++)
        put_clearance(w, c->models[i].name, c->models[i].clearance);
    bz_jw_end(w);
    bz_jw_key(w, "roles");
    bz_jw_arr(w);
    for (uint32_t i = 0; i < c->roles_n; i++)
        put_clearance(w, c->roles[i].name, c->roles[i].clearance);
    bz_jw_end(w);
    bz_jw_key(w, "tools");
    bz_jw_arr(w);
    for (uint32_t i = 0; i < c->tools_n; i++)
        put_tool(w, &c->tools[i]);
    bz_jw_end(w);
    bz_jw_kstr(w, "other_tools", bz_view_str(c->agent.set.default_deny ? "deny" : "allow"));
    bz_jw_key(w, "rules");
    bz_jw_arr(w);
    for (uint32_t i = 0; i < c->data.rules_n; i++)
        put_rule(t, &c->data.rules[i]);
    bz_jw_end(w);
    bz_jw_key(w, "types");
    bz_jw_arr(w);
    for (size_t i = 0; i < bz_config_types_n(c); i++) {
        if (type == SIZE_MAX || type == i)
            put_type(t, i);
    }
    bz_jw_end(w);
    bz_jw_end(w);
}

bool bz_data_json(struct bz_jw *w, const struct bz_config *c, size_t type) {
    struct told *t = told_new(c, w);
    if (t == NULL)
        return false;
    put_data(t, type);
    told_free(t);
    return true;
}

/* ---- paragraphs ---- */

/* Prints the text with line breaks between words; the first line is indented by `first`, the others
 * by `rest`. Empties it. */
static void flow(struct bz_buf *b, size_t first, size_t rest) {
    struct bz_buf out;
    bz_buf_init(&out, 2 * TEXT_MAX);
    bz_buf_put_wrapped(&out, first, rest, bz_term_text_columns(stdout), bz_buf_view(b));
    (void)printf("%*s%.*s\n", (int)first, "", (int)out.n, (const char *)out.p);
    bz_buf_free(&out);
    bz_buf_reset(b);
}

/* Names come from the file. */
static void add_names(struct bz_buf *b, const char *before, char *const *v, uint32_t n) {
    if (v == NULL)
        return;
    bz_buf_puts(b, before);
    for (uint32_t i = 0; i < n; i++) {
        bz_buf_puts(b, i == 0 ? " " : ", ");
        bz_put_safe(b, bz_view_str(v[i]));
    }
}

static const char *proof_text(enum bz_proof p) {
    return p == BZ_PROOF_CHECKSUM  ? ", if the checksum holds"
           : p == BZ_PROOF_CONTEXT ? ", if its context or a checksum says so"
                                   : "";
}

static void add_conditions(struct bz_buf *b, const struct bz_data_rule *r) {
    add_names(b, ", for role", r->roles, r->roles_n);
    add_names(b, ", for model", r->models, r->models_n);
    if (r->level != BZ_LEVEL_PUBLIC)
        bz_buf_printf(b, ", in texts of %s or above", bz_level_name(r->level));
}

/* "restore, if the checksum holds (default: ...); otherwise record (rule 2, line 14)" */
static void add_steps(struct told *t, size_t type, int d) {
    const struct bz_data_step *s = t->x;
    struct bz_buf *b = &t->b;
    size_t n = bz_config_steps(t->c, type, (enum bz_direction)d, t->x);
    for (size_t i = 0; i < n; i++) {
        bz_buf_puts(b, i == 0 ? "" : "; otherwise ");
        bz_buf_puts(b, bz_action_name(s[i].action));
        if (s[i].rule != NULL && s[i].rule->form)
            bz_buf_puts(b, " in its form");
        bz_buf_puts(b, proof_text(s[i].proof));
        if (s[i].rule != NULL)
            add_conditions(b, s[i].rule);
        if (s[i].rule == NULL)
            bz_buf_printf(b, " (default: %s)", s[i].why);
        else
            bz_buf_printf(b, " (rule %zu, line %u)", rule_number(t->c, s[i].rule), s[i].rule->line);
    }
}

/* ---- settings ---- */

static void print_stored(struct told *t) {
    const struct bz_data_config *d = &t->c->data;
    struct bz_buf *b = &t->b;
    bool any = d->store_requests || d->store_replies;
    bz_buf_puts(b, any ? "Stored, sealed: " : "Prompts and replies are not stored.");
    bz_buf_puts(b, any ? stored_name(d) : " To store them: data.bodies.store: both");
    for (int l = 0; any && l < BZ_LEVEL_COUNT; l++) {
        bz_buf_puts(b, l == 0 ? "; days kept (data.bodies.retention_days): " : ", ");
        bz_buf_printf(b, "%s %u", bz_level_name((enum bz_level)l), d->keep_days[l]);
    }
    bz_buf_puts(b, ".");
    flow(b, 2, 4);
}

static void print_settings(struct told *t) {
    const struct bz_config *c = t->c;
    struct bz_buf *b = &t->b;
    const struct bz_data_config *d = &c->data;
    (void)printf("data protection\n");
    bz_buf_puts(b, d->unknown_as_text
                       ? "Fields that no table of an API knows are screened as text."
                       : "Fields that no table of an API knows are refused. To screen them as "
                         "text: data.unknown_fields: text");
    flow(b, 2, 4);
    bz_buf_printf(b, "Masked values can be restored for %u s (data.restore_s).", d->restore_s);
    flow(b, 2, 4);
    bz_buf_printf(b,
                  "A stream's undecided text waits at most %u ms for its next piece "
                  "(data.hold_ms).",
                  d->hold_ms);
    flow(b, 2, 4);
    print_stored(t);
}

static void print_tools(struct told *t) {
    const struct bz_config *c = t->c;
    struct bz_buf *b = &t->b;
    for (uint32_t i = 0; i < c->tools_n; i++) {
        bz_buf_puts(b, "tool ");
        bz_put_safe(b, bz_view_str(c->tools[i].name));
        bz_buf_printf(b, ": %s; call: %s; effect: %s; egress: %s%s",
                      bz_level_name((enum bz_level)c->tools[i].clearance),
                      bz_tool_verdict_name((enum bz_tool_verdict)c->tools[i].call),
                      bz_effect_name((enum bz_effect)c->tools[i].effect),
                      c->tools[i].inside ? "false" : "true",
                      c->tools[i].schema != NULL ? "; with a schema" : "");
        flow(b, 2, 4);
    }
    bz_buf_printf(b,
                  "other tools: RESTRICTED; call: %s. To change it: tools: - {name: \"NAME*\", "
                  "clearance: PUBLIC}; the first line that fits decides (docs/TOOLS.md)",
                  c->agent.set.default_deny ? "deny" : "allow");
    flow(b, 2, 4);
}

static void print_clearances(struct told *t) {
    const struct bz_config *c = t->c;
    struct bz_buf *b = &t->b;
    (void)printf("\nclearances: text above this level does not get there\n");
    for (uint32_t i = 0; i < c->roles_n; i++) {
        bz_buf_puts(b, "role ");
        bz_put_safe(b, bz_view_str(c->roles[i].name));
        bz_buf_printf(b, ": %s%s", bz_level_name(clearance_of(c->roles[i].clearance)),
                      c->roles[i].clearance == 0 ? " (default)" : "");
        flow(b, 2, 4);
    }
    for (uint32_t i = 0; i < c->models_n; i++) {
        if (c->models[i].clearance == 0)
            continue;
        bz_buf_puts(b, "model ");
        bz_put_safe(b, bz_view_str(c->models[i].name));
        bz_buf_printf(b, ", under all its names: %s",
                      bz_level_name(clearance_of(c->models[i].clearance)));
        flow(b, 2, 4);
    }
    bz_buf_puts(b, "other models: RESTRICTED (default). To change it: models: - {name: NAME, "
                   "clearance: INTERNAL}; likewise for roles");
    flow(b, 2, 4);
    print_tools(t);
}

static void print_rule(struct told *t, const struct bz_data_rule *r) {
    struct bz_buf *b = &t->b;
    bz_buf_printf(b, "%zu (line %u): ", rule_number(t->c, r), r->line);
    bz_buf_puts(b, bz_action_name(r->action));
    add_names(b, "", r->names, r->names_n);
    bz_buf_puts(b, in_direction(r, BZ_DIRECTION_REQUEST) && in_direction(r, BZ_DIRECTION_REPLY) ? ""
                   : in_direction(r, BZ_DIRECTION_REPLY) ? ", in replies"
                                                         : ", in requests");
    bz_buf_puts(b, proof_text(r->proof));
    add_conditions(b, r);
    if (r->form)
        bz_buf_puts(b, ", keeping the value's form");
    if (!decides(t, r))
        bz_buf_puts(b, ". It never decides: the rules before it leave nothing to it.");
    for (uint32_t i = 0; i < r->models_n; i++) {
        if (!is_unlisted(t->c, r->models[i]))
            continue;
        bz_buf_puts(b, ". This file names no model ");
        bz_put_safe(b, bz_view_str(r->models[i]));
        bz_buf_puts(b, ": it counts only if a backend serves one of that name.");
    }
    flow(b, 2, 4);
}

static void print_rules(struct told *t) {
    const struct bz_config *c = t->c;
    (void)printf("\nrules: the first that fits decides\n");
    if (c->data.rules_n == 0)
        (void)printf("  none; the defaults below hold\n");
    for (uint32_t i = 0; i < c->data.rules_n; i++)
        print_rule(t, &c->data.rules[i]);
}

/* ---- types ---- */

static bool same_steps(struct told *t, size_t x, size_t y) {
    const struct bz_data_step *a = t->x, *b = t->y;
    for (int d = 0; d < BZ_DIRECTION_COUNT; d++) {
        size_t n = bz_config_steps(t->c, x, (enum bz_direction)d, t->x);
        if (bz_config_steps(t->c, y, (enum bz_direction)d, t->y) != n)
            return false;
        for (size_t i = 0; i < n; i++) {
            if (a[i].rule != b[i].rule || a[i].action != b[i].action || a[i].proof != b[i].proof)
                return false;
        }
    }
    return true;
}

/* The same happens in requests and in replies, for the same reasons. */
static bool same_both_ways(struct told *t, size_t type) {
    size_t n = bz_config_steps(t->c, type, BZ_DIRECTION_REQUEST, t->x);
    if (bz_config_steps(t->c, type, BZ_DIRECTION_REPLY, t->y) != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (t->x[i].rule != t->y[i].rule || t->x[i].action != t->y[i].action ||
            t->x[i].proof != t->y[i].proof)
            return false;
    }
    return true;
}

static bool same_group(struct told *t, size_t x, size_t y) {
    struct bz_type a, b;
    return bz_config_type(t->c, x, &a) && bz_config_type(t->c, y, &b) && a.cls == b.cls &&
           same_steps(t, x, y);
}

static void print_group(struct told *all, size_t type, bool alone) {
    const struct bz_config *c = all->c;
    struct bz_buf *b = &all->b;
    static const char *const class_text[BZ_CLASS_COUNT] = {[BZ_CLASS_PII] = "personal data",
                                                           [BZ_CLASS_SECRET] = "secrets",
                                                           [BZ_CLASS_CUSTOM] = "your own types",
                                                           [BZ_CLASS_LABEL] =
                                                               "classification marks",
                                                           [BZ_CLASS_PLACEHOLDER] = "placeholders"};
    struct bz_type t, first;
    size_t n = 0;
    if (!bz_config_type(c, type, &first) || first.cls >= BZ_CLASS_COUNT)
        return;
    bz_buf_printf(b, "%s:", class_text[first.cls]);
    for (size_t i = type; bz_config_type(c, i, &t); i++) {
        if ((alone && i != type) || !same_group(all, type, i))
            continue;
        bz_buf_printf(b, "%s %s", n++ == 0 ? "" : ",", t.name);
    }
    flow(b, 2, 4);
    if (alone) {
        bz_buf_printf(b, "%s%s%s; a text with one is at least %s", first.what,
                      first.region[0] == '\0' ? "" : ", ", first.region,
                      bz_level_name((enum bz_level)first.level));
        flow(b, 4, 6);
    }
    const bool both = same_both_ways(all, type);
    bz_buf_puts(b, both ? "in requests and replies: " : "in requests: ");
    add_steps(all, type, BZ_DIRECTION_REQUEST);
    flow(b, 4, 6);
    if (!both) {
        bz_buf_puts(b, "in replies: ");
        add_steps(all, type, BZ_DIRECTION_REPLY);
        flow(b, 4, 6);
    }
    if (first.cls == BZ_CLASS_PLACEHOLDER)
        bz_buf_puts(b, "the gateway resolves them for whoever they belong to");
    else
        bz_buf_printf(b, "to change it: data: rules: - {types: [%s], action: block}", first.name);
    flow(b, 4, 6);
}

static void print_types(struct told *t) {
    const struct bz_config *c = t->c;
    struct bz_buf *b = &t->b;
    (void)printf("\ntypes and what happens to them\n");
    for (size_t i = 0; i < bz_config_types_n(c); i++) {
        bool told = false;
        for (size_t k = 0; k < i && !told; k++)
            told = same_group(t, k, i);
        if (!told)
            print_group(t, i, false);
    }
    bz_buf_puts(b,
                "Actions: allow, record, coach, mask, restore, approve, block. A rule names types "
                "or pii, secrets, custom, labels, checksum, \"*\"; put it before others that fit "
                "too. bartizan.yaml(5) tells the rest.");
    (void)putchar('\n');
    flow(b, 0, 0);
}

bool bz_data_print(const struct bz_config *c, size_t type) {
    struct told *t = told_new(c, NULL);
    if (t == NULL)
        return false;
    if (type != SIZE_MAX) {
        print_group(t, type, true);
    } else {
        print_settings(t);
        print_clearances(t);
        print_rules(t);
        print_types(t);
    }
    told_free(t);
    return true;
}
