/* bartizan-hdf5: reads the HDF5 file on descriptor 0 with libhdf5 and writes what it is made of to
 * descriptor 1, as JSON lines. Started by `bartizan scan`, of no use to anybody else.
 *
 * libhdf5 has a history of memory errors on hostile files: it sees the first byte from prison.h. */
#include "hdf5_child.h"

#include <bartizan/limits.h>
#include <unistd.h>

#include "prison.h"

enum { FAILED = 2 };

/* Everything that libhdf5 sets up once, before the doors close; plug-ins are not looked for. */
static hid_t library(void) {
    if (H5dont_atexit() < 0 || H5open() < 0 || H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0 ||
        H5PLset_loading_state(0) < 0)
        return -1;
    return bz_h5_access(0);
}

int main(int argc, char **argv) {
    static const struct bz_prison prison = {.memory = BZ_HDF5_MEMORY_MAX,
                                            .seconds = BZ_HDF5_SECONDS_MAX};
    static const char usage[] = "bartizan-hdf5 is a part of `bartizan scan`\n";
    uint64_t size = 0;
    struct bz_buf out;
    (void)argv;
    if (argc != 1 || !bz_prison_file(&size)) {
        (void)bz_prison_write(2, usage, sizeof usage - 1);
        return FAILED;
    }
    hid_t access = library();
    if (access < 0 || !bz_prison_enter(&prison))
        return FAILED;
    bz_buf_init(&out, BZ_HDF5_LIST_MAX);
    bz_h5_walk(access, size, &out);
    if (!bz_prison_write(1, out.p, out.n))
        return FAILED;
    _exit(out.st == BZ_OK ? 0 : FAILED);
}
