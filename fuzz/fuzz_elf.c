/* Programs' headers: names that are found lie within the file. */
#include <stdlib.h>
#include <bartizan/sandbox.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_elf e;
    if (bz_elf_read(bz_view(data, size), &e) != BZ_OK)
        return 0;
    for (size_t i = 0; i < e.needed_n; i++) {
        if (e.needed[i].n == 0 || e.needed[i].p < data ||
            e.needed[i].p + e.needed[i].n > data + size)
            abort();
    }
    return 0;
}
