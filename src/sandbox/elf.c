/* Which loader and libraries an ELF file asks for. Only what is needed for that, from hostile bytes. */
#include <elf.h>

#include <bartizan/rd.h>
#include <bartizan/sandbox.h>

enum { HEADERS_MAX = 64, ENTRIES_MAX = 4096 };

struct segment {
    uint32_t type;
    uint64_t offset, address, size;
};
struct dynamic {
    uint64_t table, table_size, runpath;
    bool has_runpath;
    uint64_t needed[sizeof((struct bz_elf *)0)->needed / sizeof(struct bz_view)];
    size_t needed_n;
};

static struct bz_rd at(struct bz_view elf, uint64_t offset) {
    struct bz_rd r;
    bz_rd_init(&r, offset <= elf.n ? bz_view_sub(elf, (size_t)offset, elf.n) : bz_view(NULL, 0));
    if (offset > elf.n)
        bz_rd_fail(&r, BZ_ERANGE);
    return r;
}

static enum bz_status read_header(struct bz_view elf, uint64_t *ret_table, uint16_t *ret_n) {
    static const uint8_t magic[] = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3};
    struct bz_rd r = at(elf, 0);
    if (!bz_view_eq(bz_rd_take(&r, sizeof magic), bz_view(magic, sizeof magic)))
        return BZ_ENOTFOUND;
    if (bz_rd_u8(&r) != ELFCLASS64 || bz_rd_u8(&r) != ELFDATA2LSB)
        return BZ_ESYNTAX;
    (void)bz_rd_take(&r, 10); /* rest of e_ident */
    uint16_t type = bz_rd_le16(&r);
    (void)bz_rd_take(&r, 2 + 4 + 8); /* machine, version, entry */
    *ret_table = bz_rd_le64(&r);
    (void)bz_rd_take(&r, 8 + 4 + 2); /* section headers, flags, size of this header */
    uint16_t size = bz_rd_le16(&r);
    *ret_n = bz_rd_le16(&r);
    if (!bz_rd_ok(&r) || (type != ET_EXEC && type != ET_DYN) || size != sizeof(Elf64_Phdr) ||
        *ret_n > HEADERS_MAX)
        return BZ_ESYNTAX;
    return BZ_OK;
}

static enum bz_status read_segments(struct bz_view elf, struct segment *s, size_t *ret_n) {
    uint64_t table = 0;
    uint16_t n = 0;
    BZ_TRY(read_header(elf, &table, &n));
    struct bz_rd r = at(elf, table);
    for (uint16_t i = 0; i < n; i++) {
        s[i].type = bz_rd_le32(&r);
        (void)bz_rd_le32(&r);
        s[i].offset = bz_rd_le64(&r);
        s[i].address = bz_rd_le64(&r);
        (void)bz_rd_le64(&r);
        s[i].size = bz_rd_le64(&r);
        (void)bz_rd_take(&r, 16);
    }
    *ret_n = n;
    return bz_rd_ok(&r) ? BZ_OK : BZ_ESYNTAX;
}

/* The text at an offset, without its NUL; empty when it has no end. */
static struct bz_view text_at(struct bz_view elf, uint64_t offset) {
    if (offset >= elf.n)
        return bz_view(NULL, 0);
    struct bz_view v = bz_view_sub(elf, (size_t)offset, 4096);
    const uint8_t *end = memchr(v.p, 0, v.n);
    return end == NULL ? bz_view(NULL, 0) : bz_view(v.p, (size_t)(end - v.p));
}

static bool offset_of(const struct segment *s, size_t n, uint64_t address, uint64_t *ret) {
    for (size_t i = 0; i < n; i++) {
        if (s[i].type == PT_LOAD && address >= s[i].address && address - s[i].address < s[i].size)
            return !__builtin_add_overflow(s[i].offset, address - s[i].address, ret);
    }
    return false;
}

static enum bz_status read_dynamic(struct bz_view elf, const struct segment *s, struct dynamic *d) {
    struct bz_rd r = at(elf, s->offset);
    for (uint32_t i = 0; i < ENTRIES_MAX && (i + 1) * sizeof(Elf64_Dyn) <= s->size; i++) {
        uint64_t tag = bz_rd_le64(&r), value = bz_rd_le64(&r);
        if (!bz_rd_ok(&r))
            return BZ_ESYNTAX;
        if (tag == DT_NULL)
            break;
        if (tag == DT_NEEDED) {
            if (d->needed_n == sizeof d->needed / sizeof d->needed[0])
                return BZ_ETOOBIG;
            d->needed[d->needed_n++] = value;
        }
        if (tag == DT_STRTAB)
            d->table = value;
        if (tag == DT_STRSZ)
            d->table_size = value;
        if (tag == DT_RUNPATH || (tag == DT_RPATH && !d->has_runpath)) {
            d->runpath = value;
            d->has_runpath = true;
        }
    }
    return BZ_OK;
}

static enum bz_status take_names(struct bz_view elf, const struct segment *s, size_t n,
                                 const struct dynamic *d, struct bz_elf *ret) {
    uint64_t table = 0;
    if (d->needed_n == 0 && !d->has_runpath)
        return BZ_OK;
    if (!offset_of(s, n, d->table, &table) || table > elf.n || d->table_size > elf.n - table)
        return BZ_ESYNTAX;
    for (size_t i = 0; i < d->needed_n; i++) {
        if (d->needed[i] >= d->table_size)
            return BZ_ESYNTAX;
        struct bz_view v = text_at(elf, table + d->needed[i]);
        if (v.n == 0 || v.n > 255)
            return BZ_ESYNTAX;
        ret->needed[ret->needed_n++] = v;
    }
    if (d->has_runpath && d->runpath < d->table_size)
        ret->runpath = text_at(elf, table + d->runpath);
    return BZ_OK;
}

enum bz_status bz_elf_read(struct bz_view elf, struct bz_elf *ret) {
    struct segment s[HEADERS_MAX];
    struct dynamic d = {.needed_n = 0};
    size_t n = 0;
    memset(ret, 0, sizeof *ret);
    memset(s, 0, sizeof s);
    BZ_TRY(read_segments(elf, s, &n));
    for (size_t i = 0; i < n; i++) {
        if (s[i].type == PT_INTERP)
            ret->loader = text_at(elf, s[i].offset);
        if (s[i].type == PT_DYNAMIC)
            BZ_TRY(read_dynamic(elf, &s[i], &d));
    }
    return take_names(elf, s, n, &d, ret);
}
