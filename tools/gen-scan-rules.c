/* Prints docs/SCAN-RULES.md from the rules: gen-scan-rules > docs/SCAN-RULES.md */
#include <stdio.h>

#include <bartizan/artifact.h>

int main(void) {
    struct bz_buf out;
    bz_buf_init(&out, 4u << 20);
    bz_rules_write_docs(&out);
    if (bz_buf_status(&out) != BZ_OK) {
        fputs("gen-scan-rules: out of memory\n", stderr);
        return 2;
    }
    size_t n = fwrite(out.p, 1, out.n, stdout);
    bool good = n == out.n && fflush(stdout) == 0;
    bz_buf_free(&out);
    return good ? 0 : 2;
}
