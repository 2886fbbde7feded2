/* The image's part about data protection: which rules hold for which roles and models, and from
 * them the tables of actions.
 *
 *   role  -> rules that hold for it -> group    models likewise; a model under all its names
 *   (role group, model group, direction, level) -> cell -> table
 *
 * Few rules name roles, models or levels, so most cells share a table. */
#include <stdlib.h>
#include "data_int.h"
#include "image_format.h"

enum { rule_words = BZ_DATA_RULES_MAX / 64 };

struct img_rules { /* a bit per rule */
    uint64_t w[rule_words];
};

static bool same_rules(const struct img_rules *a, const struct img_rules *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

/* ---- groups ---- */

/* Number of these rules in the list, which grows if they are new. */
static uint32_t group_of(struct img_rules *list, uint32_t *n, const struct img_rules *rules) {
    for (uint32_t i = 0; i < *n; i++)
        if (same_rules(&list[i], rules))
            return i;
    list[*n] = *rules;
    return (*n)++;
}

static bool names_role(const struct bz_data_rule *r, const char *role) {
    for (uint32_t i = 0; i < r->roles_n; i++)
        if (strcmp(r->roles[i], role) == 0)
            return true;
    return r->roles == NULL;
}

static enum bz_status group_roles(const struct bz_image_input *in, struct img_data *d) {
    const struct bz_config *c = in->config;
    struct img_rules *list = bz_arena_zalloc(&d->ar, (c->roles_n + 1u) * sizeof *list);
    if (list == NULL)
        return BZ_ENOMEM;
    for (uint32_t i = 0; i < c->roles_n; i++) {
        struct img_rules rules = {{0}};
        for (uint32_t k = 0; k < c->data.rules_n; k++)
            if (names_role(&c->data.rules[k], c->roles[i].name))
                rules.w[k / 64] |= UINT64_C(1) << k % 64;
        uint8_t said = c->roles[i].clearance;
        d->roles[i].group = group_of(list, &d->role_groups, &rules);
        d->roles[i].clearance = said == 0 ? BZ_LEVEL_RESTRICTED : said - 1u;
    }
    d->role_rules = list;
    return BZ_OK;
}

/* For Ollama NAME and NAME:latest are one model. */
static struct bz_view plain_name(struct bz_view v) {
    const struct bz_view end = BZ_V(":latest");
    if (v.n > end.n && bz_view_eq(bz_view_sub(v, v.n - end.n, end.n), end))
        return bz_view_sub(v, 0, v.n - end.n);
    return v;
}

static bool names_model(const struct bz_data_rule *r, struct bz_view name) {
    for (uint32_t i = 0; i < r->models_n; i++) {
        struct bz_view pattern = bz_view_str(r->models[i]);
        if (img_pattern_match(pattern, name) || bz_view_eq(plain_name(pattern), plain_name(name)))
            return true;
    }
    return r->models == NULL;
}

static struct bz_view name_of(const struct bz_image_model_input *m) {
    return bz_view_str(m->name);
}

static struct bz_view target_of(const struct bz_image_model_input *m) {
    struct bz_view target = bz_view_str(m->target);
    return plain_name(target.n == 0 ? name_of(m) : target);
}

static uint32_t clearance_of(const struct bz_config *c, const char *name) {
    for (uint32_t i = 0; i < c->models_n; i++)
        if (c->models[i].clearance != 0 && strcmp(c->models[i].name, name) == 0)
            return c->models[i].clearance - 1u;
    return BZ_LEVEL_RESTRICTED;
}

struct seen { /* what is known of the model that a target stands for */
    struct img_rules rules;
    uint32_t first, clearance;
};

/* The entry of a target in an open-addressed table of `slots` entries; first is model + 1. */
static struct seen *seen_at(const struct bz_image_input *in, struct seen *table, uint64_t slots,
                            uint32_t i) {
    struct bz_view target = target_of(&in->models[i]);
    uint64_t at = img_hash(img_seed(in->limit_seed), target);
    for (;; at++) {
        struct seen *s = &table[at & (slots - 1)];
        if (s->first == 0) {
            s->first = i + 1;
            s->clearance = BZ_LEVEL_RESTRICTED;
            return s;
        }
        if (bz_view_eq(target_of(&in->models[s->first - 1]), target))
            return s;
    }
}

/* Whatever a rule or a clearance says about one name of a model holds for all of its names, so that
 * nobody gets around it by another name. */
static void note_model(const struct bz_image_input *in, struct seen *s, uint32_t i) {
    const struct bz_image_model_input *m = &in->models[i];
    for (uint32_t k = 0; k < in->config->data.rules_n; k++) {
        const struct bz_data_rule *r = &in->config->data.rules[k];
        if (names_model(r, name_of(m)) || names_model(r, target_of(m)))
            s->rules.w[k / 64] |= UINT64_C(1) << k % 64;
    }
    uint32_t clearance = clearance_of(in->config, m->name);
    s->clearance = clearance < s->clearance ? clearance : s->clearance;
}

static enum bz_status group_models(const struct bz_image_input *in, struct img_data *d) {
    uint64_t slots = 2;
    struct img_rules none = {{0}};
    while (slots < 2 * in->models_n)
        slots *= 2;
    struct seen *table = bz_arena_zalloc(&d->ar, slots * sizeof *table);
    struct img_rules *list = bz_arena_zalloc(&d->ar, (in->models_n + 1) * sizeof *list);
    d->models = bz_arena_zalloc(&d->ar, (in->models_n + 1) * sizeof *d->models);
    if (table == NULL || list == NULL || d->models == NULL)
        return BZ_ENOMEM;
    for (uint32_t k = 0; k < in->config->data.rules_n; k++)
        if (in->config->data.rules[k].models == NULL)
            none.w[k / 64] |= UINT64_C(1) << k % 64;
    (void)group_of(list, &d->model_groups, &none); /* group 0: no model is named */
    for (uint32_t i = 0; i < in->models_n; i++)
        note_model(in, seen_at(in, table, slots, i), i);
    for (uint32_t i = 0; i < in->models_n; i++) {
        const struct seen *s = seen_at(in, table, slots, i);
        d->models[i].group = group_of(list, &d->model_groups, &s->rules);
        d->models[i].clearance = s->clearance;
    }
    d->model_rules = list;
    return BZ_OK;
}

enum bz_status img_data_groups(const struct bz_image_input *in, struct img_data *d) {
    const struct bz_config *c = in->config;
    if (c->data.rules_n > BZ_DATA_RULES_MAX || c->data.custom_n > BZ_CUSTOM_MAX)
        return BZ_EINVAL;
    for (uint32_t i = 0; i < c->roles_n; i++)
        if (c->roles[i].clearance > BZ_LEVEL_COUNT)
            return BZ_EINVAL;
    for (uint32_t i = 0; i < c->models_n; i++)
        if (c->models[i].clearance > BZ_LEVEL_COUNT)
            return BZ_EINVAL;
    BZ_TRY(group_roles(in, d));
    return group_models(in, d);
}

void img_data_done(struct img_data *d) {
    bz_arena_free(&d->ar);
}

/* ---- tables ---- */

struct key { /* what a table depends on, and its number */
    struct img_rules rules;
    uint32_t direction, table;
};
_Static_assert(sizeof(struct key) == sizeof(struct img_rules) + 8, "no padding: hashed as bytes");

struct tables {
    const struct bz_config *config;
    struct bz_type_set reach[BZ_PROOF_COUNT]; /* types that can have this proof */
    struct bz_type_set form;                  /* of all rules that keep a value's form */
    bool restores; /* some request's value may have to come back; known before any reply's table */
    struct bz_type_set cls[BZ_CLASS_COUNT], known; /* of each class; of all */
    struct img_rules level[BZ_LEVEL_COUNT], direction[BZ_DIRECTION_COUNT];
    struct key *keys;
    uint32_t keys_n;
    uint32_t *key_slots, *table_slots; /* number + 1; 0 free; never more than half full */
    uint64_t slots_n;
    struct bz_buf *out;
};

/* Gives what nobody decided yet, and is in `types`, to the action. Returns it. */
static struct bz_type_set give(struct bz_type_set *open, const struct bz_type_set *types,
                               struct bz_type_set *action) {
    struct bz_type_set taken;
    for (size_t i = 0; i < BZ_TYPES_MAX / 64; i++) {
        taken.w[i] = open->w[i] & types->w[i];
        open->w[i] &= ~taken.w[i];
        action->w[i] |= taken.w[i];
    }
    return taken;
}

static void join(struct bz_type_set *to, const struct bz_type_set *more) {
    for (size_t i = 0; i < BZ_TYPES_MAX / 64; i++)
        to->w[i] |= more->w[i];
}

static void keep(struct bz_type_set *of, const struct bz_type_set *these) {
    for (size_t i = 0; i < BZ_TYPES_MAX / 64; i++)
        of->w[i] &= these->w[i];
}

static bool has_rule(const struct img_rules *rules, uint32_t k) {
    return (rules->w[k / 64] >> k % 64 & 1) != 0;
}

/* One row: what happens to findings of one proof. Types that cannot have it keep what the row before
 * says, which is of the best proof that they can have. */
static void decide(const struct tables *t, const struct key *key, enum bz_proof proof,
                   struct bz_actions *a) {
    const enum bz_direction d = (enum bz_direction)key->direction;
    struct bz_type_set open = t->reach[proof], *row = a->of[proof];
    size_t defaults_n = 0;
    const struct data_default *defaults = data_defaults(&defaults_n);
    for (uint32_t k = 0; k < t->config->data.rules_n; k++) {
        const struct bz_data_rule *r = &t->config->data.rules[k];
        if (!has_rule(&key->rules, k) || proof < r->proof)
            continue;
        enum bz_action action = data_action(r->action, d);
        struct bz_type_set taken = give(&open, &r->types, &row[action]);
        if (r->form && (action == BZ_ACTION_MASK || action == BZ_ACTION_RESTORE))
            join(&a->form, &taken);
    }
    for (size_t i = 0; i < defaults_n; i++)
        if (proof >= defaults[i].proof)
            (void)give(&open, &t->cls[defaults[i].cls], &row[defaults[i].action[d]]);
    /* Numbers that no type has: should one turn up, it blocks. */
    struct bz_type_set rest = open;
    (void)give(&open, &rest, &row[BZ_ACTION_BLOCK]);
    for (int k = 0; k < BZ_ACTION_COUNT && proof > 0; k++)
        for (size_t w = 0; w < BZ_TYPES_MAX / 64; w++)
            row[k].w[w] |= a->of[proof - 1][k].w[w] & ~t->reach[proof].w[w];
}

static void fill_table(const struct tables *t, const struct key *key, struct bz_actions *a) {
    memset(a, 0, sizeof *a);
    for (int p = 0; p < BZ_PROOF_COUNT; p++) {
        decide(t, key, (enum bz_proof)p, a);
        for (int k = BZ_ACTION_ALLOW + 1; k < BZ_ACTION_COUNT; k++)
            join(&a->find, &a->of[p][k]);
        for (int k = BZ_ACTION_RECORD + 1; k < BZ_ACTION_COUNT; k++)
            join(&a->hold, &a->of[p][k]);
    }
    keep(&a->find, &t->known);
    keep(&a->hold, &t->known);
    if (key->direction != BZ_DIRECTION_REPLY || !t->restores)
        return;
    /* what may have to become a value again, whoever sent that */
    const struct bz_type_set *back[] = {&t->cls[BZ_CLASS_PLACEHOLDER], &t->form};
    for (size_t i = 0; i < 2; i++) {
        join(&a->find, back[i]);
        join(&a->hold, back[i]);
    }
    join(&a->form, &t->form);
}

/* Open addressing: the slot that holds what is looked for, or the free one where it belongs. */
static uint32_t *slot_of(const struct tables *t, uint32_t *slots, struct bz_view wanted,
                         struct bz_view (*at)(const struct tables *t, uint32_t i)) {
    for (uint64_t h = img_hash(0, wanted);; h++) {
        uint32_t *s = &slots[h & (t->slots_n - 1)];
        if (*s == 0 || bz_view_eq(at(t, *s - 1), wanted))
            return s;
    }
}

static struct bz_view key_text(const struct key *k) {
    return bz_view(k, offsetof(struct key, table));
}

static struct bz_view key_at(const struct tables *t, uint32_t i) {
    return key_text(&t->keys[i]);
}

static struct bz_view table_at(const struct tables *t, uint32_t i) {
    return bz_view(t->out->p + i * sizeof(struct bz_actions), sizeof(struct bz_actions));
}

/* Number of a table with this content: one that is there, or a new one. */
static uint32_t number_of(struct tables *t, const struct bz_actions *a) {
    struct bz_view content = bz_view(a, sizeof *a);
    uint32_t *slot = slot_of(t, t->table_slots, content, table_at);
    if (*slot == 0) {
        bz_buf_put(t->out, content);
        *slot = (uint32_t)(t->out->n / sizeof *a);
    }
    return *slot - 1;
}

static bool restores(const struct bz_actions *a) {
    struct bz_type_set any = {{0}};
    for (int p = 0; p < BZ_PROOF_COUNT; p++)
        join(&any, &a->of[p][BZ_ACTION_RESTORE]);
    return !bz_type_set_empty(&any);
}

/* The table for these rules in this direction. */
static enum bz_status table_of(struct tables *t, const struct key *wanted, uint32_t *ret) {
    struct bz_actions a;
    uint32_t *slot = slot_of(t, t->key_slots, key_text(wanted), key_at);
    if (*slot == 0) {
        if (t->keys_n == BZ_DATA_TABLES_MAX)
            return BZ_ETOOBIG;
        fill_table(t, wanted, &a);
        t->restores |= wanted->direction == BZ_DIRECTION_REQUEST && restores(&a);
        t->keys[t->keys_n] = *wanted;
        t->keys[t->keys_n].table = number_of(t, &a);
        BZ_TRY(bz_buf_status(t->out));
        *slot = ++t->keys_n;
    }
    *ret = t->keys[*slot - 1].table;
    return BZ_OK;
}

static void prepare(const struct bz_config *c, struct tables *t) {
    struct bz_type type;
    for (size_t i = 0; i < BZ_TYPES_MAX; i++) {
        bool known = bz_config_type(c, i, &type) && type.cls < BZ_CLASS_COUNT;
        if (known) {
            bz_type_set_add(&t->cls[type.cls], i);
            bz_type_set_add(&t->known, i);
        }
        for (int p = 0; p < BZ_PROOF_COUNT; p++)
            if (!known || p <= type.proof)
                bz_type_set_add(&t->reach[p], i);
    }
    for (uint32_t k = 0; k < c->data.rules_n; k++) {
        const struct bz_data_rule *r = &c->data.rules[k];
        const uint64_t bit = UINT64_C(1) << k % 64;
        if (r->form)
            join(&t->form, &r->types);
        for (int l = 0; l < BZ_LEVEL_COUNT; l++)
            t->level[l].w[k / 64] |= l >= (int)r->level ? bit : 0;
        for (int d = 0; d < BZ_DIRECTION_COUNT; d++)
            t->direction[d].w[k / 64] |= data_rule_has(r, (enum bz_direction)d) ? bit : 0;
    }
}

/* The table of one cell. */
static enum bz_status cell(struct tables *t, const struct img_rules *role,
                           const struct img_rules *model, uint32_t d, uint32_t level,
                           uint32_t *ret) {
    struct key key = {.direction = d};
    for (size_t w = 0; w < rule_words; w++)
        key.rules.w[w] = role->w[w] & model->w[w] & t->direction[d].w[w] & t->level[level].w[w];
    return table_of(t, &key, ret);
}

/* Every table of requests: what replies have to look for depends on all of them. */
static enum bz_status request_tables(struct tables *t, const struct img_data *d) {
    uint32_t at;
    for (uint32_t r = 0; r < d->role_groups; r++)
        for (uint32_t m = 0; m < d->model_groups; m++)
            for (uint32_t l = 0; l < BZ_LEVEL_COUNT; l++)
                BZ_TRY(
                    cell(t, &d->role_rules[r], &d->model_rules[m], BZ_DIRECTION_REQUEST, l, &at));
    return BZ_OK;
}

/* The four cells per direction of a role group and a model group. */
static enum bz_status put_cells(struct tables *t, const struct img_rules *role,
                                const struct img_rules *model, struct bz_buf *cells) {
    for (uint32_t d = 0; d < BZ_DIRECTION_COUNT; d++) {
        for (uint32_t l = 0; l < BZ_LEVEL_COUNT; l++) {
            uint32_t at = 0;
            BZ_TRY(cell(t, role, model, d, l, &at));
            bz_buf_put(cells, bz_view(&at, sizeof at));
        }
    }
    return bz_buf_status(cells);
}

static enum bz_status tables_new(const struct bz_config *c, struct img_data *d, uint64_t most,
                                 struct bz_buf *out, struct tables **ret) {
    struct tables *t = bz_arena_zalloc(&d->ar, sizeof *t);
    if (t == NULL)
        return BZ_ENOMEM;
    t->config = c;
    t->out = out;
    for (t->slots_n = 2; t->slots_n < 2 * most;)
        t->slots_n *= 2;
    t->keys = bz_arena_zalloc(&d->ar, most * sizeof *t->keys);
    t->key_slots = bz_arena_zalloc(&d->ar, t->slots_n * sizeof *t->key_slots);
    t->table_slots = bz_arena_zalloc(&d->ar, t->slots_n * sizeof *t->table_slots);
    *ret = t;
    return t->keys == NULL || t->key_slots == NULL || t->table_slots == NULL ? BZ_ENOMEM : BZ_OK;
}

enum bz_status img_data_tables(const struct bz_image_input *in, struct img_data *d,
                               struct bz_buf *actions, struct bz_buf *cells) {
    const uint64_t cells_n =
        (uint64_t)d->role_groups * d->model_groups * BZ_DIRECTION_COUNT * BZ_LEVEL_COUNT;
    struct tables *t = NULL;
    if (cells_n > BZ_DATA_CELLS_MAX)
        return BZ_ETOOBIG;
    BZ_TRY(tables_new(in->config, d, cells_n < BZ_DATA_TABLES_MAX ? cells_n : BZ_DATA_TABLES_MAX,
                      actions, &t));
    prepare(in->config, t);
    BZ_TRY(request_tables(t, d));
    for (uint32_t r = 0; r < d->role_groups; r++)
        for (uint32_t m = 0; m < d->model_groups; m++)
            BZ_TRY(put_cells(t, &d->role_rules[r], &d->model_rules[m], cells));
    return BZ_OK;
}

/* ---- approvals ---- */

static int by_id(const void *a, const void *b) {
    const struct img_approval *x = a, *y = b;
    return memcmp(x->id, y->id, sizeof x->id);
}

enum bz_status img_data_approvals(const struct bz_image_input *in, struct img_data *d,
                                  struct bz_buf *out) {
    if (in->approvals_n == 0)
        return BZ_OK;
    if (in->approvals_n > BZ_APPROVALS_MAX)
        return BZ_ETOOBIG;
    struct img_approval *list = bz_arena_zalloc(&d->ar, in->approvals_n * sizeof *list);
    if (list == NULL)
        return BZ_ENOMEM;
    for (size_t i = 0; i < in->approvals_n; i++) {
        memcpy(list[i].id, in->approvals[i].id, sizeof list[i].id);
        list[i].expires = in->approvals[i].expires;
    }
    qsort(list, in->approvals_n, sizeof *list, by_id);
    for (size_t i = 1; i < in->approvals_n; i++)
        if (by_id(&list[i - 1], &list[i]) == 0)
            return BZ_EEXISTS;
    bz_buf_put(out, bz_view(list, in->approvals_n * sizeof *list));
    return bz_buf_status(out);
}
