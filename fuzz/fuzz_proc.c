/* maps, net/tcp and stat of /proc: names in them are chosen by strangers. */
#include <stdlib.h>
#include <bartizan/registry.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_view in = bz_view(data, size), rest = in;
    struct bz_proc_map m;
    struct bz_proc_listener l;
    uint32_t parent = 0;
    uint64_t begun = 0;
    while (bz_proc_map_next(&rest, &m) == BZ_OK) {
        if (m.path.n == 0 || m.path.p[0] != '/' || m.path.p < data ||
            m.path.p + m.path.n > data + size)
            abort();
        (void)bz_model_file_like(in, m.path, m.end - m.start);
    }
    for (int v6 = 0; v6 < 2; v6++) {
        rest = in;
        while (bz_proc_listener_next(&rest, v6 == 1, &l) == BZ_OK)
            (void)bz_proc_listens(&l, l.address, l.v6, l.port);
    }
    (void)!bz_proc_stat(in, &parent, &begun);
    return 0;
}
