/* Names of types, classes, levels and proofs. */
#include <bartizan/detect.h>

#include "groups.h"

#define PII_ROW(id, region, what, proof, level, ...)                                               \
    {#id, region, what, BZ_CLASS_PII, proof, level},
#define SECRETS_ROW(id, region, what, proof, level, ...)                                           \
    {id, region, what, BZ_CLASS_SECRET, proof, level},
#define LABELS_ROW(id, region, what, proof, level, ...)                                            \
    {#id, region, what, BZ_CLASS_LABEL, proof, level},

static const struct bz_type types[] = {{"PLACEHOLDER", "", "text of the form of a placeholder",
                                        BZ_CLASS_PLACEHOLDER, BZ_PROOF_FORM, BZ_LEVEL_PUBLIC},
                                       PII_TYPES(PII_ROW) SECRETS_TYPES(SECRETS_ROW)
                                           LABELS_TYPES(LABELS_ROW)};

size_t bz_type_list(const struct bz_type **ret) {
    *ret = types;
    return sizeof types / sizeof types[0];
}

static const char *const class_names[BZ_CLASS_COUNT] = {
    [BZ_CLASS_PII] = "pii",
    [BZ_CLASS_SECRET] = "secret",
    [BZ_CLASS_CUSTOM] = "custom",
    [BZ_CLASS_LABEL] = "label",
    [BZ_CLASS_PLACEHOLDER] = "placeholder",
};
static const char *const proof_names[BZ_PROOF_COUNT] = {
    [BZ_PROOF_FORM] = "form",
    [BZ_PROOF_CONTEXT] = "context",
    [BZ_PROOF_CHECKSUM] = "checksum",
};
static const char *const level_names[BZ_LEVEL_COUNT] = {
    [BZ_LEVEL_PUBLIC] = "PUBLIC",
    [BZ_LEVEL_INTERNAL] = "INTERNAL",
    [BZ_LEVEL_CONFIDENTIAL] = "CONFIDENTIAL",
    [BZ_LEVEL_RESTRICTED] = "RESTRICTED",
};
static const struct {
    const char *name;
    enum bz_level level;
} tlp_names[] = {
    {"TLP:CLEAR", BZ_LEVEL_PUBLIC},   {"TLP:WHITE", BZ_LEVEL_PUBLIC},
    {"TLP:GREEN", BZ_LEVEL_INTERNAL}, {"TLP:AMBER", BZ_LEVEL_CONFIDENTIAL},
    {"TLP:RED", BZ_LEVEL_RESTRICTED}, {"TLP:AMBER+STRICT", BZ_LEVEL_RESTRICTED},
};

const char *bz_level_name(enum bz_level l) {
    return (unsigned)l < BZ_LEVEL_COUNT ? level_names[l] : "?";
}

const char *bz_class_name(enum bz_class c) {
    return (unsigned)c < BZ_CLASS_COUNT ? class_names[c] : "?";
}

const char *bz_proof_name(enum bz_proof p) {
    return (unsigned)p < BZ_PROOF_COUNT ? proof_names[p] : "?";
}

bool bz_level_from_name(struct bz_view name, enum bz_level *ret) {
    for (unsigned l = 0; l < BZ_LEVEL_COUNT; l++) {
        if (bz_view_eq_nocase(name, bz_view_str(level_names[l]))) {
            *ret = (enum bz_level)l;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof tlp_names / sizeof tlp_names[0]; i++) {
        if (bz_view_eq_nocase(name, bz_view_str(tlp_names[i].name))) {
            *ret = tlp_names[i].level;
            return true;
        }
    }
    return false;
}

static void add_range(struct bz_type_set *s, size_t from, size_t to) {
    for (size_t t = from; t < to; t++)
        bz_type_set_add(s, t);
}

static bool add_group(struct bz_type_set *s, struct bz_view name) {
    static const struct {
        const char *name;
        enum detect_group from, to; /* up to and without `to` */
    } words[] = {
        {"*", DETECT_GROUP_PLACEHOLDER, DETECT_GROUP_COUNT},
        {"placeholder", DETECT_GROUP_PLACEHOLDER, DETECT_GROUP_PII},
        {"pii", DETECT_GROUP_PII, DETECT_GROUP_SECRETS},
        {"secrets", DETECT_GROUP_SECRETS, DETECT_GROUP_LABELS},
        {"labels", DETECT_GROUP_LABELS, DETECT_GROUP_CUSTOM},
        {"custom", DETECT_GROUP_CUSTOM, DETECT_GROUP_COUNT},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (bz_view_eq(name, bz_view_str(words[i].name))) {
            add_range(s, group_first(words[i].from), group_first(words[i].to));
            return true;
        }
    }
    return false;
}

bool bz_type_set_add_name(struct bz_type_set *s, struct bz_view name) {
    if (add_group(s, name))
        return true;
    bool found = false;
    bool checksums = bz_view_eq(name, BZ_V("checksum"));
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        bool one = checksums ? types[t].cls == BZ_CLASS_PII && types[t].proof == BZ_PROOF_CHECKSUM
                             : bz_view_eq(name, bz_view_str(types[t].name));
        if (one) {
            bz_type_set_add(s, t);
            found = true;
        }
    }
    return found || checksums;
}
