/* The section `data` of bartizan.yaml, and clearances: what would be nonsense, and the way into
 * struct bz_data_config. */
#include <stdio.h>
#include "config_int.h"
#include "data_int.h"

enum { path_max = 128 };

static const char *const class_words[] = {"pii", "secrets", "custom", "labels", "checksum", "*"};
enum { class_words_n = sizeof class_words / sizeof *class_words };

static const char *const directions[] = {
    [BZ_DIRECTION_REQUEST] = "request", [BZ_DIRECTION_REPLY] = "reply", "both"};
enum { directions_n = sizeof directions / sizeof *directions };

static void rule_path(char out[path_max], size_t i, const char *member) {
    int n = snprintf(out, path_max, "data.rules[%zu].%s", i, member);
    if (n < 0)
        out[0] = '\0';
}

static void entry_path(char out[path_max], size_t i, const char *list, size_t k) {
    int n = snprintf(out, path_max, "data.rules[%zu].%s[%zu]", i, list, k);
    if (n < 0)
        out[0] = '\0';
}

static void custom_path(char out[path_max], size_t i, const char *member) {
    int n = snprintf(out, path_max, "data.custom[%zu].%s", i, member);
    if (n < 0)
        out[0] = '\0';
}

/* ---- words ---- */

static int index_of(const char *s, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(s, list[i]) == 0)
            return (int)i;
    return -1;
}

/* Nearest, also when only the case differs. */
static const char *near_of(const char *s, const char *const *list, size_t n) {
    char upper[64];
    size_t len = strlen(s);
    for (size_t i = 0; i < n; i++)
        if (bz_view_eq_nocase(bz_view_str(s), bz_view_str(list[i])))
            return list[i];
    const char *near = cfg_nearest(bz_view(s, len), list, n);
    if (near != NULL || len > sizeof upper)
        return near;
    for (size_t i = 0; i < len; i++)
        upper[i] = (char)(s[i] >= 'a' && s[i] <= 'z' ? s[i] - 'a' + 'A' : s[i]);
    return cfg_nearest(bz_view(upper, len), list, n);
}

/* "x" is no KIND; did you mean y? -- `list` names what may stand here. */
static void fail_word(struct cfg *c, const char *path, const char *kind, const char *s,
                      const char *near, const char *list) {
    char text[224];
    if (snprintf(text, sizeof text, "\"%%s\" is no %s%s%s%s%s", kind,
                 near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
                 list == NULL ? "" : "; ", list == NULL ? "" : list) > 0)
        cfg_fail(c, path, text, s);
}

static void check_word(struct cfg *c, const char *path, const char *kind, const char *s,
                       const char *const *list, size_t n, const char *said) {
    if (s != NULL && index_of(s, list, n) < 0)
        fail_word(c, path, kind, s, near_of(s, list, n), said);
}

void cfg_check_level(struct cfg *c, const char *path, const char *s) {
    const char *names[BZ_LEVEL_COUNT];
    enum bz_level l;
    for (int i = 0; i < BZ_LEVEL_COUNT; i++)
        names[i] = bz_level_name((enum bz_level)i);
    if (s != NULL && !bz_level_from_name(bz_view_str(s), &l))
        fail_word(c, path, "level", s, near_of(s, names, BZ_LEVEL_COUNT),
                  "there are PUBLIC, INTERNAL, CONFIDENTIAL, RESTRICTED and the names of TLP");
}

static size_t action_names(const char *out[BZ_ACTION_COUNT]) {
    for (int i = 0; i < BZ_ACTION_COUNT; i++)
        out[i] = bz_action_name((enum bz_action)i);
    return BZ_ACTION_COUNT;
}

static size_t proof_names(const char *out[BZ_PROOF_COUNT]) {
    for (int i = 0; i < BZ_PROOF_COUNT; i++)
        out[i] = bz_proof_name((enum bz_proof)i);
    return BZ_PROOF_COUNT;
}

/* ---- types ---- */

static bool own_type(const struct y_data *d, const char *name, struct bz_type_set *set) {
    const struct bz_type *list = NULL;
    size_t n = bz_type_list(&list);
    for (uint32_t i = 0; i < d->custom_count && n + i < BZ_TYPES_MAX; i++) {
        if (d->custom[i].name == NULL || strcmp(d->custom[i].name, name) != 0)
            continue;
        bz_type_set_add(set, n + i);
        return true;
    }
    return false;
}

static bool is_label(const struct y_custom *own) {
    return own->label != NULL && *own->label;
}

enum found { FOUND_NOT, FOUND, FOUND_PLACEHOLDER };

/* What a word under `types` names, built in and of the file's own. No rule decides over
 * placeholders; "*" means all others. */
static enum found add_types(const struct y_data *d, const char *name, struct bz_type_set *set) {
    const struct bz_type *list = NULL;
    struct bz_type_set named = {{0}};
    size_t n = bz_type_list(&list);
    if (own_type(d, name, set))
        return FOUND;
    if (!bz_type_set_add_name(&named, bz_view_str(name)))
        return FOUND_NOT;
    bool all = strcmp(name, "*") == 0, customs = all || strcmp(name, "custom") == 0,
         labels = all || strcmp(name, "labels") == 0;
    for (size_t i = 0; i < n && i < BZ_TYPES_MAX; i++) {
        bool placeholder = list[i].cls == BZ_CLASS_PLACEHOLDER;
        if (!bz_type_set_has(&named, i) || (placeholder && all))
            continue;
        if (placeholder)
            return FOUND_PLACEHOLDER;
        bz_type_set_add(set, i);
    }
    for (uint32_t i = 0; i < d->custom_count && n + i < BZ_TYPES_MAX; i++)
        if (is_label(&d->custom[i]) ? labels : customs)
            bz_type_set_add(set, n + i);
    return FOUND;
}

static const struct bz_type *built_in(const char *name) {
    const struct bz_type *list = NULL;
    size_t n = bz_type_list(&list);
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

static void fail_type(struct cfg *c, const char *path, const struct y_data *d, const char *name) {
    enum { most = BZ_TYPES_MAX - 64 }; /* a suggestion may miss one; the frame is small */
    const char *names[most];
    const struct bz_type *list = NULL;
    size_t built_n = bz_type_list(&list), n = 0;
    for (size_t i = 0; i < class_words_n; i++)
        names[n++] = class_words[i];
    for (uint32_t i = 0; i < d->custom_count && n < most; i++)
        if (d->custom[i].name != NULL)
            names[n++] = d->custom[i].name;
    for (size_t i = 0; i < built_n && n < most; i++)
        if (list[i].cls != BZ_CLASS_PLACEHOLDER)
            names[n++] = list[i].name;
    fail_word(c, path, "known type", name, near_of(name, names, n),
              "'bartizan policy explain' lists them");
}

/* ---- custom types ---- */

static bool type_name_ok(const char *s) {
    size_t n = strlen(s);
    return n >= 2 && n <= 40 && s[0] >= 'A' && s[0] <= 'Z' &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n;
}

static void check_custom_name(struct cfg *c, const struct y_data *d, uint32_t i) {
    const char *s = d->custom[i].name;
    char at[path_max];
    custom_path(at, i, "name");
    if (s == NULL)
        cfg_fail(c, at, "a name is missing; write for instance name: PROJECT_NAMES", "");
    else if (!type_name_ok(s))
        cfg_fail(c, at, "\"%s\" is no name of a type: A-Z first, then A-Z, 0-9 and _, 2 to 40", s);
    else if (built_in(s) != NULL)
        cfg_fail(c, at, "\"%s\" is built in already; take another name", s);
    for (uint32_t j = 0; s != NULL && j < i; j++) {
        if (d->custom[j].name != NULL && strcmp(d->custom[j].name, s) == 0) {
            cfg_fail(c, at, "another custom type is named \"%s\" already", s);
            break;
        }
    }
}

static void check_custom(struct cfg *c, const struct y_data *d, uint32_t i) {
    const struct y_custom *own = &d->custom[i];
    char at[path_max];
    const struct bz_type *list = NULL;
    check_custom_name(c, d, i);
    custom_path(at, i, "name");
    if (bz_type_list(&list) + i >= BZ_TYPES_MAX)
        cfg_fail(c, at, "too many types; make one type of several lists of words", "");
    custom_path(at, i, "words");
    if (own->words == NULL && own->pattern == NULL)
        cfg_fail(c, at, "words or a pattern is missing", "");
    custom_path(at, i, "pattern");
    if (own->words != NULL && own->pattern != NULL)
        cfg_fail(c, at, "words and a pattern exclude each other; make two types of them", "");
    custom_path(at, i, "level");
    cfg_check_level(c, at, own->level);
    if (is_label(own) && own->level == NULL)
        cfg_fail(c, at, "a mark needs the level that it stands for, for instance level: RESTRICTED",
                 "");
}

/* ---- rules ---- */

static void check_types(struct cfg *c, const struct y_data *d, uint32_t i,
                        struct bz_type_set *ret_set) {
    const struct y_rule *r = &d->rules[i];
    char at[path_max];
    rule_path(at, i, "types");
    if (r->types == NULL)
        cfg_fail(c, at, "types is missing; name types, or pii, secrets, custom, labels or \"*\"",
                 "");
    for (uint32_t k = 0; k < r->types_count && c->n < c->cap; k++) {
        entry_path(at, i, "types", k);
        enum found found = add_types(d, r->types[k], ret_set);
        if (found == FOUND_PLACEHOLDER)
            cfg_fail(c, at, "the gateway itself resolves placeholders; no rule decides over them",
                     "");
        else if (found == FOUND_NOT)
            fail_type(c, at, d, r->types[k]);
        for (uint32_t j = 0; j < k; j++) {
            if (strcmp(r->types[j], r->types[k]) == 0) {
                cfg_fail(c, at, "\"%s\" stands in the list twice", r->types[k]);
                break;
            }
        }
    }
}

static bool is_action(const struct y_rule *r, enum bz_action a) {
    return r->action != NULL && strcmp(r->action, bz_action_name(a)) == 0;
}

static bool is_direction(const struct y_rule *r, const char *name) {
    return r->direction != NULL && strcmp(r->direction, name) == 0;
}

static void check_action(struct cfg *c, uint32_t i, const struct y_rule *r) {
    const char *names[BZ_ACTION_COUNT];
    char at[path_max];
    bool asks = is_action(r, BZ_ACTION_COACH) || is_action(r, BZ_ACTION_APPROVE);
    bool masks = is_action(r, BZ_ACTION_MASK) || is_action(r, BZ_ACTION_RESTORE);
    rule_path(at, i, "action");
    if (r->action == NULL)
        cfg_fail(c, at,
                 "action is missing; write allow, record, coach, mask, restore, approve or"
                 " block",
                 "");
    check_word(c, at, "action", r->action, names, action_names(names),
               "there are allow, record, coach, mask, restore, approve, block");
    rule_path(at, i, "direction");
    check_word(c, at, "direction", r->direction, directions, directions_n,
               "there are request, reply, both");
    if (asks && (is_direction(r, "reply") || is_direction(r, "both")))
        cfg_fail(c, at,
                 "%s asks people before something is sent; for replies write another rule with"
                 " mask or block",
                 r->action);
    if (is_action(r, BZ_ACTION_RESTORE) && is_direction(r, "reply"))
        cfg_fail(c, at,
                 "only what a request brought can be restored; write direction: request, or"
                 " action: mask",
                 "");
    rule_path(at, i, "form");
    if (r->form != NULL && *r->form && r->action != NULL && !masks)
        cfg_fail(c, at, "form is about placeholders, and the action %s makes none; leave it out",
                 r->action);
}

/* A rule that asks for more proof than any of its types can give would never decide. */
static void check_proof(struct cfg *c, const struct y_data *d, uint32_t i,
                        const struct bz_type_set *set) {
    const struct y_rule *r = &d->rules[i];
    const struct bz_type *list = NULL;
    const char *names[BZ_PROOF_COUNT];
    char at[path_max];
    size_t n = bz_type_list(&list);
    rule_path(at, i, "proof");
    check_word(c, at, "proof", r->proof, names, proof_names(names),
               "there are form, context, checksum");
    int wanted = r->proof == NULL ? -1 : index_of(r->proof, names, BZ_PROOF_COUNT);
    bool any = wanted < 0, some = false;
    for (size_t t = 0; t < BZ_TYPES_MAX; t++) {
        some |= bz_type_set_has(set, t);
        any |= bz_type_set_has(set, t) && (t >= n || list[t].proof >= wanted);
    }
    if (some && !any)
        cfg_fail(c, at, "none of these types can have the proof \"%s\"; leave it out", r->proof);
}

static void check_roles_of(struct cfg *c, const struct y_config *y, uint32_t i) {
    const struct y_rule *r = &y->data->rules[i];
    const char *names[BZ_ROLES_MAX + 3] = {"user", "admin", "*"};
    size_t n = 3;
    char at[path_max];
    for (uint32_t k = 0; k < y->roles_count && n < BZ_ROLES_MAX + 3; k++)
        if (y->roles[k].name != NULL)
            names[n++] = y->roles[k].name;
    for (uint32_t k = 0; k < r->roles_count && c->n < c->cap; k++) {
        entry_path(at, i, "roles", k);
        check_word(c, at, "role of this file", r->roles[k], names, n, NULL);
    }
}

static bool listed(char *const *list, uint32_t n, const char *s) {
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(list[i], s) == 0)
            return true;
    return false;
}

/* Names of models are all known only where no backend is asked for its list. */
static bool model_may_be(const struct y_config *y, const char *s) {
    for (uint32_t i = 0; i < y->models_count; i++)
        if ((y->models[i].name != NULL && strcmp(y->models[i].name, s) == 0) ||
            (y->models[i].target != NULL && strcmp(y->models[i].target, s) == 0))
            return true;
    for (uint32_t i = 0; i < y->backends_count; i++)
        if (y->backends[i].models == NULL ||
            listed(y->backends[i].models, y->backends[i].models_count, s))
            return true;
    return false;
}

static void check_models_of(struct cfg *c, const struct y_config *y, uint32_t i) {
    const struct y_rule *r = &y->data->rules[i];
    char at[path_max];
    for (uint32_t k = 0; k < r->models_count && c->n < c->cap; k++) {
        size_t before = c->n;
        entry_path(at, i, "models", k);
        cfg_check_pattern(c, at, r->models[k]);
        if (c->n == before && strchr(r->models[k], '*') == NULL && !model_may_be(y, r->models[k]))
            cfg_fail(c, at, "no backend or alias of this file has a model named \"%s\"",
                     r->models[k]);
    }
}

static void check_bodies(struct cfg *c, const struct y_bodies *b) {
    static const char *const stores[] = {"none", "requests", "replies", "both"};
    char at[path_max];
    if (b == NULL)
        return;
    check_word(c, "data.bodies.store", "choice of bodies", b->store, stores, 4,
               "write none, requests, replies or both");
    for (int l = 0; b->retention_days != NULL && l < BZ_LEVEL_COUNT; l++) {
        snprintf(at, sizeof at, "data.bodies.retention_days.%s", bz_level_name((enum bz_level)l));
        cfg_check_range(c, at, b->retention_days->days[l], 0, BZ_KEEP_DAYS_MAX);
    }
}

void cfg_check_data(struct cfg *c, const struct y_config *y) {
    static const char *const unknown[] = {"refuse", "text"};
    const struct y_data *d = y->data;
    char at[path_max];
    if (d == NULL)
        return;
    check_word(c, "data.unknown_fields", "way to treat unknown fields", d->unknown_fields, unknown,
               2, "write refuse or text");
    cfg_check_range(c, "data.restore_s", d->restore_s, 1, 30 * 86400);
    cfg_check_range(c, "data.hold_ms", d->hold_ms, 10, 60000);
    check_bodies(c, d->bodies);
    for (uint32_t i = 0; i < d->custom_count && c->n < c->cap; i++)
        check_custom(c, d, i);
    for (uint32_t i = 0; i < d->rules_count && c->n < c->cap; i++) {
        struct bz_type_set set = {{0}};
        check_types(c, d, i, &set);
        check_action(c, i, &d->rules[i]);
        rule_path(at, i, "level");
        cfg_check_level(c, at, d->rules[i].level);
        check_proof(c, d, i, &set);
        check_roles_of(c, y, i);
        check_models_of(c, y, i);
    }
}

/* ---- conversion ---- */

static enum bz_level level_or(const char *name, enum bz_level otherwise) {
    enum bz_level l;
    return name != NULL && bz_level_from_name(bz_view_str(name), &l) ? l : otherwise;
}

/* "*" among the names is all of them. */
static bool take_list(struct bz_arena *ar, char *const *list, uint32_t n, char ***ret,
                      uint32_t *ret_n) {
    *ret = NULL;
    *ret_n = 0;
    if (list == NULL || listed(list, n, "*"))
        return true;
    *ret = cfg_dup_list(ar, list, n);
    *ret_n = n;
    return *ret != NULL;
}

static bool convert_custom(const struct cfg *c, uint32_t i, struct bz_arena *ar,
                           const struct y_custom *in, struct bz_custom_config *out) {
    char at[path_max];
    custom_path(at, i, in->words != NULL ? "words" : "pattern");
    yaml_mark_t mark = cfg_mark(c, at);
    bool words = in->words != NULL;
    *out = (struct bz_custom_config){
        .name = cfg_dup(ar, in->name),
        .pattern = cfg_dup(ar, in->pattern),
        .words = words ? cfg_dup_list(ar, in->words, in->words_count) : NULL,
        .words_n = in->words_count,
        .ignore_case = in->ignore_case == NULL ? words : *in->ignore_case,
        .whole_word = in->whole_word == NULL ? words : *in->whole_word,
        .label = is_label(in),
        .level = level_or(in->level, BZ_LEVEL_CONFIDENTIAL),
        .line = (uint32_t)mark.line + 1,
        .column = (uint32_t)mark.column + 1,
    };
    return out->name != NULL && (words ? out->words != NULL : out->pattern != NULL);
}

static uint8_t directions_of(const struct y_rule *in, enum bz_action a) {
    const uint8_t request = 1u << BZ_DIRECTION_REQUEST, reply = 1u << BZ_DIRECTION_REPLY;
    if (in->direction == NULL && (a == BZ_ACTION_COACH || a == BZ_ACTION_APPROVE))
        return request;
    return is_direction(in, "request") ? request
           : is_direction(in, "reply") ? reply
                                       : (uint8_t)(request | reply);
}

static bool convert_rule(const struct cfg *c, uint32_t i, struct bz_arena *ar,
                         const struct y_data *d, struct bz_data_rule *out) {
    const struct y_rule *in = &d->rules[i];
    const char *actions[BZ_ACTION_COUNT], *proofs[BZ_PROOF_COUNT];
    char at[path_max];
    rule_path(at, i, "");
    at[strlen(at) - 1] = '\0'; /* the rule itself */
    enum bz_action a = (enum bz_action)index_of(in->action, actions, action_names(actions));
    int proof = in->proof == NULL ? 0 : index_of(in->proof, proofs, proof_names(proofs));
    *out = (struct bz_data_rule){
        .names = cfg_dup_list(ar, in->types, in->types_count),
        .names_n = in->types_count,
        .directions = directions_of(in, a),
        .action = a,
        .proof = (enum bz_proof)proof,
        .level = level_or(in->level, BZ_LEVEL_PUBLIC),
        .form = in->form != NULL && *in->form,
        .line = (uint32_t)cfg_mark(c, at).line + 1,
    };
    for (uint32_t k = 0; k < in->types_count; k++)
        (void)add_types(d, in->types[k], &out->types);
    return out->names != NULL &&
           take_list(ar, in->roles, in->roles_count, &out->roles, &out->roles_n) &&
           take_list(ar, in->models, in->models_count, &out->models, &out->models_n);
}

static void convert_bodies(const struct y_bodies *in, struct bz_data_config *d) {
    static const uint32_t days[BZ_LEVEL_COUNT] = {90, 30, 7, 1};
    const char *store = in == NULL || in->store == NULL ? "none" : in->store;
    d->store_requests = strcmp(store, "requests") == 0 || strcmp(store, "both") == 0;
    d->store_replies = strcmp(store, "replies") == 0 || strcmp(store, "both") == 0;
    for (int l = 0; l < BZ_LEVEL_COUNT; l++) {
        const uint64_t *given =
            in == NULL || in->retention_days == NULL ? NULL : in->retention_days->days[l];
        d->keep_days[l] = given == NULL ? days[l] : (uint32_t)*given;
    }
}

bool cfg_convert_data(const struct cfg *c, struct bz_config *out, struct bz_arena *ar,
                      const struct y_config *y) {
    static const struct y_data nothing;
    const struct y_data *in = y->data == NULL ? &nothing : y->data;
    struct bz_data_config *d = &out->data;
    d->unknown_as_text = in->unknown_fields != NULL && strcmp(in->unknown_fields, "text") == 0;
    d->restore_s = in->restore_s == NULL ? data_restore_s : (uint32_t)*in->restore_s;
    d->hold_ms = in->hold_ms == NULL ? data_hold_ms : (uint32_t)*in->hold_ms;
    convert_bodies(in->bodies, d);
    d->custom_n = in->custom_count;
    d->rules_n = in->rules_count;
    d->custom = bz_arena_zalloc(ar, (d->custom_n + 1u) * sizeof *d->custom);
    d->rules = bz_arena_zalloc(ar, (d->rules_n + 1u) * sizeof *d->rules);
    if (d->custom == NULL || d->rules == NULL)
        return false;
    for (uint32_t i = 0; i < d->custom_n; i++)
        if (!convert_custom(c, i, ar, &in->custom[i], &d->custom[i]))
            return false;
    for (uint32_t i = 0; i < d->rules_n; i++)
        if (!convert_rule(c, i, ar, in, &d->rules[i]))
            return false;
    return true;
}
