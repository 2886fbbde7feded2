/* bartizan.yaml from anybody. What is accepted can be built into an image that opens. */
#include <stdlib.h>
#include <bartizan/policy.h>

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

static void check_image(const struct bz_config *c) {
    const char *addresses[BZ_BACKENDS_MAX];
    struct bz_image_input in = {
        .config = c, .backend_addresses = addresses, .detect_pack = BZ_V("as if it were one")};
    struct bz_image img;
    struct bz_buf b;
    MUST(c->backends_n >= 1 && c->backends_n <= BZ_BACKENDS_MAX && c->roles_n >= 2);
    for (uint32_t i = 0; i < c->backends_n; i++)
        addresses[i] = ""; /* nobody resolves names here */
    bz_buf_init(&b, 256 << 20);
    MUST(bz_image_build(&in, &b) == BZ_OK);
    MUST(bz_image_open(bz_buf_view(&b), &img) == BZ_OK);
    bz_buf_free(&b);
}

/* Somebody decides over every type, and at last without conditions. */
static void check_steps(const struct bz_config *c) {
    struct bz_data_step s[BZ_DATA_STEPS_MAX];
    struct bz_type t;
    MUST(bz_config_types_n(c) <= BZ_TYPES_MAX);
    for (size_t i = 0; i < bz_config_types_n(c); i++) {
        MUST(bz_config_type(c, i, &t) && t.name != NULL && t.proof < BZ_PROOF_COUNT);
        for (int d = 0; d < BZ_DIRECTION_COUNT; d++) {
            size_t n = bz_config_steps(c, i, (enum bz_direction)d, s);
            MUST(n > 0 && n <= BZ_DATA_STEPS_MAX && s[n - 1].proof == BZ_PROOF_FORM);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_config_error errs[4];
    struct bz_config *c = NULL;
    size_t n = 99;
    if (bz_config_parse(bz_view(data, size), &c, errs, 4, &n) == BZ_OK) {
        MUST(n == 0);
        check_image(c);
        check_steps(c);
        bz_config_free(c);
        return 0;
    }
    MUST(n >= 1 && n <= 4 && c == NULL);
    for (size_t i = 0; i < n; i++) {
        MUST(memchr(errs[i].text, 0, sizeof errs[i].text) != NULL && errs[i].text[0] != '\0');
        MUST(memchr(errs[i].path, 0, sizeof errs[i].path) != NULL);
        MUST(errs[i].line > 0 && errs[i].column > 0);
        for (const char *p = errs[i].text; *p != '\0'; p++)
            MUST((uint8_t)*p >= 0x20 && *p != 0x7f); /* nothing for a terminal to obey */
    }
    return 0;
}
