static const struct {
    uint8_t sum[BZ_HASH_LEN];
    const char *name;
} template_hashes[] = {
    {{0}, ""},
};
