/* Section `leaks`: what replies are watched for, and what happens then. Secrets stand in files of the
 * instance, never in the configuration itself, which is printed, compared and kept. */
#include <stdio.h>
#include "config_int.h"

static void check_entries(struct cfg *c, const char *list, const struct y_leak *v, uint32_t n) {
    char at[128];
    for (uint32_t i = 0; i < n; i++) {
        (void)snprintf(at, sizeof at, "leaks.%s[%u].name", list, i);
        cfg_check_name(c, at, v[i].name);
        for (uint32_t k = 0; v[i].name != NULL && k < i; k++)
            if (v[k].name != NULL && strcmp(v[k].name, v[i].name) == 0)
                cfg_fail(c, at, "another entry of this list is named \"%s\" already", v[i].name);
        (void)snprintf(at, sizeof at, "leaks.%s[%u].file", list, i);
        if (v[i].file == NULL)
            cfg_fail(c, at, "file is missing: a path in the instance directory, such as secrets/db",
                     "");
        else
            (void)cfg_check_own_file(c, at, v[i].file);
    }
}

void cfg_check_leaks(struct cfg *c, const struct y_config *y) {
    const struct y_leaks *l = y->leaks;
    if (l == NULL)
        return;
    if (l->action != NULL && strcmp(l->action, "block") != 0 && strcmp(l->action, "record") != 0)
        cfg_fail(c, "leaks.action", "\"%s\" is no action here; write block or record", l->action);
    cfg_check_range(c, "leaks.prompt_overlap", l->prompt_overlap, 10, 100);
    check_entries(c, "secrets", l->secrets, l->secrets_count);
    check_entries(c, "texts", l->texts, l->texts_count);
    if (l->secrets_count + l->texts_count > BZ_LEAK_ITEMS_MAX)
        cfg_fail(c, "leaks", "secrets and texts are more than 256 together", "");
}

static bool take_entries(struct bz_arena *ar, const struct y_leak *v, uint32_t n,
                         struct bz_leak_entry **ret, uint32_t *ret_n) {
    *ret_n = n;
    if (n == 0)
        return true;
    *ret = bz_arena_zalloc(ar, n * sizeof **ret);
    if (*ret == NULL)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        (*ret)[i].name = cfg_dup(ar, v[i].name);
        (*ret)[i].file = cfg_dup(ar, v[i].file);
        if ((*ret)[i].name == NULL || (*ret)[i].file == NULL)
            return false;
    }
    return true;
}

bool cfg_convert_leaks(struct bz_config *out, struct bz_arena *ar, const struct y_config *y) {
    static const struct y_leaks none;
    const struct y_leaks *l = y->leaks == NULL ? &none : y->leaks;
    struct bz_leak_config *to = &out->leaks;
    to->record = l->action != NULL && strcmp(l->action, "record") == 0;
    to->prompt_overlap = l->prompt_overlap == NULL ? 40 : (uint8_t)*l->prompt_overlap;
    to->prompts = l->prompts == NULL || *l->prompts;
    return take_entries(ar, l->secrets, l->secrets_count, &to->secrets, &to->secrets_n) &&
           take_entries(ar, l->texts, l->texts_count, &to->texts, &to->texts_n);
}
