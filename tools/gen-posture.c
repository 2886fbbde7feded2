/* Prints the catalogue of docs/POSTURE.md from the tables; everything behind its mark is this:
 * gen-posture > catalogue */
#include <stdio.h>

#include <bartizan/posture.h>

int main(void) {
    struct bz_buf out;
    bz_buf_init(&out, 4u << 20);
    bz_posture_write_docs(&out);
    if (bz_buf_status(&out) != BZ_OK) {
        fputs("gen-posture: out of memory\n", stderr);
        return 2;
    }
    size_t n = fwrite(out.p, 1, out.n, stdout);
    bool good = n == out.n && fflush(stdout) == 0;
    bz_buf_free(&out);
    return good ? 0 : 2;
}
