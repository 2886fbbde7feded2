/* Core ML, Paddle, Caffe, SentencePiece. */
#include "scan_once.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    scan_once(data, size);
    return 0;
}
