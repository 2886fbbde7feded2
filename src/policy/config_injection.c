/* The section `injection`: which texts are judged, and what becomes of those that try to steer the
 * model. */
#include <stdio.h>
#include "config_int.h"

enum { path_max = 128, file_max = 256 };

/* What happens where the file says nothing: results of tools and documents have no business giving
 * orders; a person is asked first. */
static const struct bz_injection_channel defaults[BZ_CHANNEL_COUNT] = {
    [BZ_CHANNEL_USER] = {BZ_ACTION_RECORD, BZ_ACTION_COACH, 50, 75},
    [BZ_CHANNEL_TOOL] = {BZ_ACTION_RECORD, BZ_ACTION_BLOCK, 50, 75},
    [BZ_CHANNEL_DOCUMENT] = {BZ_ACTION_RECORD, BZ_ACTION_BLOCK, 50, 75},
};

static const char *const modes[] = {
    [BZ_INJECTION_OFF] = "off", [BZ_INJECTION_RECORD] = "record", [BZ_INJECTION_ON] = "on"};
enum { modes_n = sizeof modes / sizeof *modes };
static const char *const detector_names[] = {"rules", "classifier", "all"};
static const uint8_t detector_bits[] = {BZ_DETECT_RULES, BZ_DETECT_CLASSIFIER, BZ_DETECT_ALL};
static const enum bz_action may[] = {BZ_ACTION_ALLOW, BZ_ACTION_RECORD, BZ_ACTION_COACH,
                                     BZ_ACTION_BLOCK};
enum { may_n = sizeof may / sizeof *may };

const char *bz_injection_mode_name(enum bz_injection_mode m) {
    return (unsigned)m < modes_n ? modes[m] : "?";
}

/* ---- checks that `prompts` needs, too ---- */

static int index_of(const char *s, const char *const *list, size_t n) {
    for (size_t i = 0; s != NULL && i < n; i++)
        if (strcmp(s, list[i]) == 0)
            return (int)i;
    return -1;
}

bool cfg_check_choice(struct cfg *c, const char *at, const char *s, const char *const *list,
                      size_t n) {
    char text[224];
    struct bz_buf b;
    if (s == NULL || index_of(s, list, n) >= 0)
        return true;
    bz_buf_init_fixed(&b, text, sizeof text);
    bz_buf_puts(&b, "\"%s\" is not known here; there are ");
    for (size_t i = 0; i < n; i++) {
        bz_buf_puts(&b, i == 0 ? "" : i + 1 == n ? " and " : ", ");
        bz_buf_puts(&b, list[i]);
    }
    bz_buf_putc(&b, 0);
    cfg_fail(c, at, bz_buf_status(&b) == BZ_OK ? text : "\"%s\" is not known here", s);
    return false;
}

static bool is_role(const struct y_config *y, const char *s) {
    bool known = strcmp(s, "user") == 0 || strcmp(s, "admin") == 0 || strcmp(s, "*") == 0;
    for (uint32_t i = 0; i < y->roles_count && !known; i++)
        known = y->roles[i].name != NULL && strcmp(y->roles[i].name, s) == 0;
    return known;
}

void cfg_check_whom(struct cfg *c, const struct y_config *y, const char *base, char *const *roles,
                    uint32_t roles_n, char *const *models, uint32_t models_n) {
    char at[path_max];
    for (uint32_t i = 0; i < roles_n && c->n < c->cap; i++) {
        (void)snprintf(at, sizeof at, "%s.roles[%u]", base, i);
        if (!is_role(y, roles[i]))
            cfg_fail(c, at, "\"%s\" is no role of this file", roles[i]);
    }
    for (uint32_t i = 0; i < models_n && c->n < c->cap; i++) {
        (void)snprintf(at, sizeof at, "%s.models[%u]", base, i);
        cfg_check_pattern(c, at, models[i]);
    }
}

bool cfg_take_whom(struct bz_arena *ar, char *const *list, uint32_t n, char ***ret,
                   uint32_t *ret_n) {
    *ret = NULL;
    *ret_n = 0;
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(list[i], "*") == 0)
            return true; /* all of them: as if nothing was said */
    if (list == NULL)
        return true;
    *ret = cfg_dup_list(ar, list, n);
    *ret_n = n;
    return *ret != NULL;
}

/* Files of the instance that other sections name. */
bool cfg_check_own_file(struct cfg *c, const char *at, const char *s) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "/._+@-";
    size_t n = strlen(s);
    if (n == 0 || n > file_max || strspn(s, letters) != n || s[0] == '/' ||
        strstr(s, "..") != NULL) {
        cfg_fail(c, at,
                 "\"%s\" is no file of the instance: a path below its directory, a-z A-Z 0-9 / . _ "
                 "+ @ -",
                 s);
        return false;
    }
    return true;
}

/* ---- check ---- */

static void check_action(struct cfg *c, const char *at, const char *s) {
    const char *names[may_n];
    for (size_t i = 0; i < may_n; i++)
        names[i] = bz_action_name(may[i]);
    (void)cfg_check_choice(c, at, s, names, may_n);
}

static enum bz_action action_or(const char *s, enum bz_action otherwise) {
    for (int a = 0; s != NULL && a < BZ_ACTION_COUNT; a++)
        if (strcmp(s, bz_action_name((enum bz_action)a)) == 0)
            return (enum bz_action)a;
    return otherwise;
}

static void check_channel(struct cfg *c, enum bz_channel ch, const struct y_judge *j) {
    const struct bz_injection_channel *d = &defaults[ch];
    char at[path_max];
    if (j == NULL)
        return;
    (void)snprintf(at, sizeof at, "injection.%s.flag", bz_channel_name(ch));
    check_action(c, at, j->flag);
    (void)snprintf(at, sizeof at, "injection.%s.block", bz_channel_name(ch));
    check_action(c, at, j->block);
    if (action_or(j->flag, d->flag) > action_or(j->block, d->block))
        cfg_fail(c, at, "block is what happens to surer cases, so it cannot be milder than flag",
                 "");
    (void)snprintf(at, sizeof at, "injection.%s.flag_at", bz_channel_name(ch));
    cfg_check_range(c, at, j->flag_at, 1, 100);
    (void)snprintf(at, sizeof at, "injection.%s.block_at", bz_channel_name(ch));
    cfg_check_range(c, at, j->block_at, 1, 100);
    uint64_t flag_at = j->flag_at == NULL ? d->flag_at : *j->flag_at;
    uint64_t block_at = j->block_at == NULL ? d->block_at : *j->block_at;
    if (block_at < flag_at)
        cfg_fail(c, at, "must not be below flag_at", "");
}

void cfg_check_injection(struct cfg *c, const struct y_config *y) {
    const struct y_injection *in = y->injection;
    char at[path_max];
    if (in == NULL)
        return;
    (void)cfg_check_choice(c, "injection.mode", in->mode, modes, modes_n);
    (void)cfg_check_choice(c, "injection.detectors", in->detectors, detector_names, 3);
    check_channel(c, BZ_CHANNEL_USER, in->user);
    check_channel(c, BZ_CHANNEL_TOOL, in->tool);
    check_channel(c, BZ_CHANNEL_DOCUMENT, in->document);
    for (uint32_t i = 0; i < in->rules_count && c->n < c->cap; i++) {
        (void)snprintf(at, sizeof at, "injection.rules[%u]", i);
        (void)cfg_check_own_file(c, at, in->rules[i]);
    }
    for (uint32_t i = 0; i < in->exceptions_count && c->n < c->cap; i++) {
        const struct y_exception *e = &in->exceptions[i];
        (void)snprintf(at, sizeof at, "injection.exceptions[%u]", i);
        cfg_check_whom(c, y, at, e->roles, e->roles_count, e->models, e->models_count);
        if (e->roles == NULL && e->models == NULL)
            cfg_fail(c, at, "name roles or models; for all of them write injection.mode", "");
        (void)snprintf(at, sizeof at, "injection.exceptions[%u].mode", i);
        if (e->mode == NULL)
            cfg_fail(c, at, "mode is missing; write off, record or on", "");
        (void)cfg_check_choice(c, at, e->mode, modes, modes_n);
    }
}

/* ---- conversion ---- */

static struct bz_injection_channel channel_of(enum bz_channel ch, const struct y_judge *j) {
    struct bz_injection_channel out = defaults[ch];
    if (j == NULL)
        return out;
    out.flag = (uint8_t)action_or(j->flag, out.flag);
    out.block = (uint8_t)action_or(j->block, out.block);
    out.flag_at = j->flag_at == NULL ? out.flag_at : (uint8_t)*j->flag_at;
    out.block_at = j->block_at == NULL ? out.block_at : (uint8_t)*j->block_at;
    return out;
}

static bool convert_exceptions(struct bz_injection_config *out, struct bz_arena *ar,
                               const struct y_injection *in) {
    out->exceptions_n = in->exceptions_count;
    out->exceptions = bz_arena_zalloc(ar, (out->exceptions_n + 1u) * sizeof *out->exceptions);
    for (uint32_t i = 0; out->exceptions != NULL && i < out->exceptions_n; i++) {
        const struct y_exception *from = &in->exceptions[i];
        struct bz_injection_exception *e = &out->exceptions[i];
        e->mode = (enum bz_injection_mode)index_of(from->mode, modes, modes_n);
        if (!cfg_take_whom(ar, from->roles, from->roles_count, &e->roles, &e->roles_n) ||
            !cfg_take_whom(ar, from->models, from->models_count, &e->models, &e->models_n))
            return false;
    }
    return out->exceptions != NULL;
}

bool cfg_convert_injection(struct bz_config *c, struct bz_arena *ar, const struct y_config *y) {
    static const struct y_injection nothing;
    const struct y_injection *in = y->injection == NULL ? &nothing : y->injection;
    struct bz_injection_config *out = &c->injection;
    int detectors = index_of(in->detectors, detector_names, 3);
    out->mode = in->mode == NULL ? BZ_INJECTION_ON
                                 : (enum bz_injection_mode)index_of(in->mode, modes, modes_n);
    out->detectors = detectors < 0 ? BZ_DETECT_ALL : detector_bits[detectors];
    out->builtin = in->builtin == NULL || *in->builtin;
    out->channel[BZ_CHANNEL_USER] = channel_of(BZ_CHANNEL_USER, in->user);
    out->channel[BZ_CHANNEL_TOOL] = channel_of(BZ_CHANNEL_TOOL, in->tool);
    out->channel[BZ_CHANNEL_DOCUMENT] = channel_of(BZ_CHANNEL_DOCUMENT, in->document);
    out->rules_n = in->rules_count;
    out->rules = cfg_dup_list(ar, in->rules, in->rules_count);
    return out->rules != NULL && convert_exceptions(out, ar, in);
}
