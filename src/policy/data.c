/* Types by their numbers, the defaults, and who decides over a type. */
#include "data_int.h"

_Static_assert(BZ_DATA_STEPS_MAX >= BZ_DATA_RULES_MAX + 2, "at most two defaults for one class");

const char *bz_action_name(enum bz_action a) {
    static const char *const name[BZ_ACTION_COUNT] = {
        [BZ_ACTION_ALLOW] = "allow",     [BZ_ACTION_RECORD] = "record",
        [BZ_ACTION_COACH] = "coach",     [BZ_ACTION_MASK] = "mask",
        [BZ_ACTION_RESTORE] = "restore", [BZ_ACTION_APPROVE] = "approve",
        [BZ_ACTION_BLOCK] = "block",
    };
    return (unsigned)a < BZ_ACTION_COUNT ? name[a] : "block";
}

const struct data_default *data_defaults(size_t *ret_n) {
    static const struct data_default list[] = {
        {BZ_CLASS_SECRET, BZ_PROOF_CONTEXT, {BZ_ACTION_MASK, BZ_ACTION_MASK}, "secrets are masked"},
        {BZ_CLASS_SECRET,
         BZ_PROOF_FORM,
         {BZ_ACTION_RECORD, BZ_ACTION_RECORD},
         "what only has the form of a secret is recorded"},
        {BZ_CLASS_PII,
         BZ_PROOF_CHECKSUM,
         {BZ_ACTION_RESTORE, BZ_ACTION_MASK},
         "personal data whose checksum holds is masked and given back to its sender"},
        {BZ_CLASS_PII,
         BZ_PROOF_FORM,
         {BZ_ACTION_RECORD, BZ_ACTION_RECORD},
         "other personal data is recorded"},
        {BZ_CLASS_CUSTOM,
         BZ_PROOF_FORM,
         {BZ_ACTION_RECORD, BZ_ACTION_RECORD},
         "words and patterns of your own are recorded"},
        {BZ_CLASS_LABEL,
         BZ_PROOF_FORM,
         {BZ_ACTION_RECORD, BZ_ACTION_RECORD},
         "classification marks are recorded and raise the level of the text"},
        {BZ_CLASS_PLACEHOLDER,
         BZ_PROOF_FORM,
         {BZ_ACTION_ALLOW, BZ_ACTION_ALLOW},
         "the gateway itself resolves placeholders"},
    };
    *ret_n = sizeof list / sizeof *list;
    return list;
}

enum bz_action data_action(enum bz_action a, enum bz_direction d) {
    return a == BZ_ACTION_RESTORE && d == BZ_DIRECTION_REPLY ? BZ_ACTION_MASK : a;
}

bool data_rule_has(const struct bz_data_rule *r, enum bz_direction d) {
    return (r->directions >> d & 1) != 0;
}

/* ---- types ---- */

size_t bz_config_types_n(const struct bz_config *c) {
    const struct bz_type *built_in = NULL;
    size_t n = bz_type_list(&built_in) + c->data.custom_n;
    return n < BZ_TYPES_MAX ? n : BZ_TYPES_MAX;
}

bool bz_config_type(const struct bz_config *c, size_t type, struct bz_type *ret) {
    const struct bz_type *built_in = NULL;
    size_t n = bz_type_list(&built_in);
    if (type >= bz_config_types_n(c))
        return false;
    if (type < n) {
        *ret = built_in[type];
        return true;
    }
    const struct bz_custom_config *own = &c->data.custom[type - n];
    *ret = (struct bz_type){
        .name = own->name,
        .region = "",
        .what = own->words != NULL ? "words of your own" : "a pattern of your own",
        .cls = own->label ? BZ_CLASS_LABEL : BZ_CLASS_CUSTOM,
        .proof = BZ_PROOF_CHECKSUM, /* whatever it is found by, it was meant */
        .level = (uint8_t)own->level,
    };
    return true;
}

/* ---- who decides ---- */

static bool always_fits(const struct bz_data_rule *r) {
    return r->roles == NULL && r->models == NULL && r->level == BZ_LEVEL_PUBLIC &&
           r->proof == BZ_PROOF_FORM;
}

static size_t add_defaults(const struct bz_type *t, enum bz_direction d, struct bz_data_step *out,
                           size_t n) {
    size_t defaults_n = 0;
    const struct data_default *list = data_defaults(&defaults_n);
    for (size_t i = 0; i < defaults_n; i++) {
        if (list[i].cls != t->cls || list[i].proof > t->proof)
            continue;
        out[n++] = (struct bz_data_step){
            .action = list[i].action[d], .proof = list[i].proof, .why = list[i].why};
        if (list[i].proof == BZ_PROOF_FORM)
            break;
    }
    return n;
}

size_t bz_config_steps(const struct bz_config *c, size_t type, enum bz_direction d,
                       struct bz_data_step out[BZ_DATA_STEPS_MAX]) {
    struct bz_type t;
    size_t n = 0;
    if (!bz_config_type(c, type, &t))
        return 0;
    for (uint32_t i = 0; i < c->data.rules_n && i < BZ_DATA_RULES_MAX; i++) {
        const struct bz_data_rule *r = &c->data.rules[i];
        if (!data_rule_has(r, d) || !bz_type_set_has(&r->types, type) || r->proof > t.proof)
            continue;
        out[n++] = (struct bz_data_step){
            .rule = r, .action = data_action(r->action, d), .proof = r->proof};
        if (always_fits(r))
            return n;
    }
    return add_defaults(&t, d, out, n);
}
