/* Requests to the proxy of a cage, TLS greetings and rules: hostile bytes from inside. */
#include <stdlib.h>
#include <bartizan/egress.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_view in = bz_view(data, size), name;
    struct bz_egress_request r;
    struct bz_diag d = {0, NULL};
    static struct bz_egress e;
    const char *why = NULL;
    size_t used = 0;
    e.n = 0;
    if (bz_egress_add(&e, BZ_V("*.one.example:80:GET"), &d) != BZ_OK)
        abort();
    if (bz_egress_parse(in, &r, &used, &d) == BZ_OK) {
        if (used > size || r.host.n == 0 || r.port == 0 || r.method == 0)
            abort();
        (void)bz_egress_match(&e, &r, &why);
    }
    if (bz_egress_sni(in, &name) == BZ_OK && (name.p < data || name.p + name.n > data + size))
        abort();
    (void)!bz_egress_add(&e, in, &d);
    return 0;
}
