/* The rules that come with Bartizan: the files themselves, put into the read-only data by the
 * assembler. They are compiled where they are used. */
#include <bartizan/injection.h>

#include "builtin_rules.h" /* made by meson: RULE_FILES, and a line that changes with the files */

#define X(n, name, path)                                                                           \
    __asm__(".pushsection .rodata\n"                                                               \
            ".globl bz_rule_file_" #n "\n"                                                         \
            ".hidden bz_rule_file_" #n "\n"                                                        \
            "bz_rule_file_" #n ":\n"                                                               \
            ".incbin \"" path "\"\n"                                                               \
            ".globl bz_rule_file_end_" #n "\n"                                                     \
            ".hidden bz_rule_file_end_" #n "\n"                                                    \
            "bz_rule_file_end_" #n ":\n"                                                           \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const uint8_t bz_rule_file_##n[] __attribute__((visibility("hidden")));                 \
    extern const uint8_t bz_rule_file_end_##n[] __attribute__((visibility("hidden")));
RULE_FILES(X)
#undef X

size_t bz_rules_builtin(struct bz_rule_file out[BZ_RULE_FILES_MAX]) {
    size_t count = 0;
#define X(n, file, path)                                                                           \
    out[count++] = (struct bz_rule_file){                                                          \
        BZ_V(file), bz_view(bz_rule_file_##n, (size_t)((uintptr_t)bz_rule_file_end_##n -           \
                                                       (uintptr_t)bz_rule_file_##n))};
    RULE_FILES(X)
#undef X
    return count;
}
