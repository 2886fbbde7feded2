/* Texts of the status codes. */
#include <bartizan/status.h>

const char *bz_status_text(enum bz_status st) {
    static const char *const texts[BZ_STATUS_COUNT] = {
#define X(name, text) [BZ_##name] = text,
        BZ_STATUS_TABLE(X)
#undef X
    };
    if ((unsigned)st >= BZ_STATUS_COUNT)
        return "unknown status";
    return texts[st];
}
