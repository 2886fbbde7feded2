/* The attacks, scenarios and the policy that come with Bartizan: the files themselves, put into the
 * read-only data by the assembler. */
#include <bartizan/redteam.h>

#include "builtin_corpus.h" /* made by meson: RED_FILES, and a line that changes with the files */

#define X(n, name, path)                                                                           \
    __asm__(".pushsection .rodata\n"                                                               \
            ".globl bz_red_file_" #n "\n"                                                          \
            ".hidden bz_red_file_" #n "\n"                                                         \
            "bz_red_file_" #n ":\n"                                                                \
            ".incbin \"" path "\"\n"                                                               \
            ".globl bz_red_file_end_" #n "\n"                                                      \
            ".hidden bz_red_file_end_" #n "\n"                                                     \
            "bz_red_file_end_" #n ":\n"                                                            \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const uint8_t bz_red_file_##n[] __attribute__((visibility("hidden")));                  \
    extern const uint8_t bz_red_file_end_##n[] __attribute__((visibility("hidden")));
RED_FILES(X)
#undef X

static struct bz_red_file file(unsigned which) {
    unsigned at = 0;
#define X(n, name, path)                                                                           \
    if (at++ == which)                                                                             \
        return (struct bz_red_file){                                                               \
            BZ_V(name), bz_view(bz_red_file_##n, (size_t)((uintptr_t)bz_red_file_end_##n -         \
                                                          (uintptr_t)bz_red_file_##n))};
    RED_FILES(X)
#undef X
    return (struct bz_red_file){{NULL, 0}, {NULL, 0}};
}

static bool is_attack(struct bz_view name) {
    return !bz_view_eq(name, BZ_V("scenarios.jsonl")) && !bz_view_eq(name, BZ_V("policy.yaml"));
}

bool bz_red_builtin(size_t i, struct bz_red_file *ret) {
    for (unsigned k = 0; k < RED_FILES_N; k++) {
        struct bz_red_file f = file(k);
        if (is_attack(f.name) && i-- == 0) {
            *ret = f;
            return true;
        }
    }
    return false;
}

static struct bz_view named(struct bz_view name) {
    for (unsigned k = 0; k < RED_FILES_N; k++) {
        struct bz_red_file f = file(k);
        if (bz_view_eq(f.name, name))
            return f.text;
    }
    return bz_view(NULL, 0);
}

struct bz_view bz_red_builtin_scenarios(void) {
    return named(BZ_V("scenarios.jsonl"));
}

struct bz_view bz_red_builtin_policy(void) {
    return named(BZ_V("policy.yaml"));
}
