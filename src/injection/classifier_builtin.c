/* The weights that come with Bartizan, put into the read-only data by the assembler: nothing is
 * generated, compiled or relocated, and processes share the pages. */
#include <bartizan/injection.h>

#include "classifier_bin.h" /* made by meson: CLASSIFIER_BIN, and a line that changes with the file */

__asm__(".pushsection .rodata\n"
        ".balign 64\n"
        ".globl bz_classifier_weights\n"
        ".hidden bz_classifier_weights\n"
        "bz_classifier_weights:\n"
        ".incbin \"" CLASSIFIER_BIN "\"\n"
        ".globl bz_classifier_weights_end\n"
        ".hidden bz_classifier_weights_end\n"
        "bz_classifier_weights_end:\n"
        ".byte 0\n"
        ".popsection\n");

extern const uint8_t bz_classifier_weights[] __attribute__((visibility("hidden")));
extern const uint8_t bz_classifier_weights_end[] __attribute__((visibility("hidden")));

struct bz_view bz_classifier_builtin(void) {
    return bz_view(bz_classifier_weights, (size_t)((uintptr_t)bz_classifier_weights_end -
                                                   (uintptr_t)bz_classifier_weights));
}
