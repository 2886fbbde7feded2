/* YAML: tags, aliases, the tree made of its events. */
#include "scan_once.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    scan_once(data, size);
    return 0;
}
