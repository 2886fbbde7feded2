/* Marks of a classification. One type for each way to write one: what they say is the level of the
 * finding. */
#ifndef DETECT_LABELS_TYPES_H
#define DETECT_LABELS_TYPES_H

#define LABELS_TYPES(X)                                                                            \
    X(TLP, "", "Traffic Light Protocol mark", BZ_PROOF_CHECKSUM, BZ_LEVEL_PUBLIC)                  \
    X(CLASSIFICATION, "", "line that states a classification", BZ_PROOF_CONTEXT, BZ_LEVEL_PUBLIC)  \
    X(MARKING, "", "banner or footer of a classified document", BZ_PROOF_FORM, BZ_LEVEL_PUBLIC)

#define LABELS_ENUM(name, ...) LABEL_##name,
enum { LABELS_TYPES(LABELS_ENUM) };

#endif
