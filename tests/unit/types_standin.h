/* Seven types in the place of the detectors' own, so that tests of the policy say exactly which
 * numbers there are. Defines what src/detect/names.c defines; include it in one file of a test. */
#ifndef BARTIZAN_TESTS_TYPES_STANDIN_H
#define BARTIZAN_TESTS_TYPES_STANDIN_H

#include <stdio.h>
#include <bartizan/detect.h>

enum { PLACEHOLDER, EMAIL, PHONE, CARD, PAT, GENERIC, TLP, OWN }; /* OWN: the first custom one */

static const struct bz_type standin_types[] = {
    {"PLACEHOLDER", "", "", BZ_CLASS_PLACEHOLDER, BZ_PROOF_FORM, BZ_LEVEL_PUBLIC},
    {"EMAIL_ADDRESS", "", "e-mail address", BZ_CLASS_PII, BZ_PROOF_FORM, BZ_LEVEL_INTERNAL},
    {"PHONE_NUMBER", "", "phone number", BZ_CLASS_PII, BZ_PROOF_CONTEXT, BZ_LEVEL_INTERNAL},
    {"CREDIT_CARD", "", "card number", BZ_CLASS_PII, BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL},
    {"github-pat", "", "token", BZ_CLASS_SECRET, BZ_PROOF_CHECKSUM, BZ_LEVEL_RESTRICTED},
    {"generic-api-key", "", "key", BZ_CLASS_SECRET, BZ_PROOF_CONTEXT, BZ_LEVEL_RESTRICTED},
    {"TLP", "", "mark", BZ_CLASS_LABEL, BZ_PROOF_CHECKSUM, BZ_LEVEL_PUBLIC},
};

size_t bz_type_list(const struct bz_type **ret) {
    *ret = standin_types;
    return OWN;
}

bool bz_type_set_add_name(struct bz_type_set *s, struct bz_view name) {
    bool found = false, all = bz_view_eq(name, BZ_V("*"));
    if (all || bz_view_eq(name, BZ_V("custom"))) /* numbers that nobody has, as the real one does */
        for (size_t i = OWN; i < BZ_TYPES_MAX; i++)
            bz_type_set_add(s, i);
    for (size_t i = 0; i < OWN; i++) {
        const struct bz_type *t = &standin_types[i];
        bool one = all || bz_view_eq(name, bz_view_str(t->name)) ||
                   (t->cls == BZ_CLASS_PII && bz_view_eq(name, BZ_V("pii"))) ||
                   (t->cls == BZ_CLASS_SECRET && bz_view_eq(name, BZ_V("secrets"))) ||
                   (t->cls == BZ_CLASS_LABEL && bz_view_eq(name, BZ_V("labels"))) ||
                   (t->cls == BZ_CLASS_PII && t->proof == BZ_PROOF_CHECKSUM &&
                    bz_view_eq(name, BZ_V("checksum")));
        if (one)
            bz_type_set_add(s, i);
        found |= one;
    }
    return found || bz_view_eq(name, BZ_V("custom"));
}

static const char *const standin_levels[] = {"PUBLIC", "INTERNAL", "CONFIDENTIAL", "RESTRICTED"};
static const char *const standin_classes[] = {"pii", "secret", "custom", "label", "placeholder"};
static const char *const standin_proofs[] = {"form", "context", "checksum"};

const char *bz_level_name(enum bz_level l) {
    return standin_levels[l];
}
const char *bz_class_name(enum bz_class c) {
    return standin_classes[c];
}
const char *bz_proof_name(enum bz_proof p) {
    return standin_proofs[p];
}
bool bz_level_from_name(struct bz_view name, enum bz_level *ret) {
    for (int i = 0; i < BZ_LEVEL_COUNT; i++)
        if (bz_view_eq(name, bz_view_str(standin_levels[i]))) {
            *ret = (enum bz_level)i;
            return true;
        }
    return false;
}

/* Refuses patterns that hold a '['. A pack is the number of types. */
enum bz_status bz_detect_compile(const struct bz_custom *custom, size_t n, struct bz_buf *out,
                                 struct bz_custom_error *err) {
    for (size_t i = 0; i < n; i++) {
        if (custom[i].pattern.n == 0 ||
            memchr(custom[i].pattern.p, '[', custom[i].pattern.n) == NULL)
            continue;
        err->index = i;
        snprintf(err->text, sizeof err->text, "the pattern of %.*s is not closed",
                 (int)custom[i].name.n, (const char *)custom[i].name.p);
        return BZ_ESYNTAX;
    }
    bz_buf_put_u64(out, OWN + n);
    return BZ_OK;
}

#endif
