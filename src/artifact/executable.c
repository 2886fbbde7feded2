/* Programs: machine code and byte code have no place among weights. */
#include "scan_int.h"

static const struct bz_rule rules[] = {
    {"EXE-NATIVE", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS, "a program or library",
     "runs with the rights of whoever starts or loads it",
     "delete it, or install it as software from a source you trust", "CWE-506"},
    {"EXE-BYTECODE", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS, "compiled code of a language",
     "runs when an interpreter imports it; what it does cannot be read",
     "delete it, or ask for the source", "CWE-506"},
    {"EXE-INSTALLED", BZ_SEVERITY_LOW, BZ_RULE_UNCHECKED, "a program where software is installed",
     "unknown: it is software and no model file, so it was not looked at",
     "check it as software: by its package, by bartizan inventory", ""},
    {.id = NULL},
};
enum { R_NATIVE, R_BYTECODE, R_INSTALLED };

static bool at(struct bz_view v, size_t off, struct bz_view mark) {
    return bz_view_eq(bz_view_sub(v, off, mark.n), mark);
}

static bool is_elf(struct bz_view h) {
    return h.n >= 52 &&
           bz_view_starts(h, BZ_V("\x7f"
                                  "ELF")) &&
           (h.p[4] == 1 || h.p[4] == 2) && (h.p[5] == 1 || h.p[5] == 2) && h.p[6] == 1;
}

/* MZ, and at the place named at 60 the PE mark. */
static bool is_pe(struct bz_view h) {
    if (h.n < 64 || !bz_view_starts(h, BZ_V("MZ")))
        return false;
    size_t pe = (size_t)h.p[60] | (size_t)h.p[61] << 8 | (size_t)h.p[62] << 16;
    return h.p[63] == 0 && at(h, pe, BZ_V("PE\0\0"));
}

static bool is_mach(struct bz_view h) {
    static const char marks[][5] = {"\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe",
                                    "\xcf\xfa\xed\xfe"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (h.n >= 28 && at(h, 0, bz_view(marks[i], 4)))
            return true;
    }
    /* Of several processors: a small count follows. Java's classes have a version there, above 44. */
    return h.n >= 28 && at(h, 0, BZ_V("\xca\xfe\xba\xbe\0\0\0")) && h.p[7] > 0 && h.p[7] < 30;
}

static bool is_class(struct bz_view h) {
    return h.n >= 10 && at(h, 0, BZ_V("\xca\xfe\xba\xbe")) && h.p[6] == 0 && h.p[7] >= 44;
}

/* .pyc: two bytes of version, CR LF, 4, 8 or 12 bytes, then marshalled code. */
static bool is_pyc(struct bz_view h) {
    if (h.n < 40 || !at(h, 2, BZ_V("\r\n")))
        return false;
    return h.p[16] == 0xe3 || h.p[12] == 0xe3 || h.p[8] == 'c' || h.p[12] == 'c';
}

static const char *native(struct bz_view h) {
    return is_elf(h)                                                         ? "ELF"
           : is_pe(h)                                                        ? "PE"
           : is_mach(h)                                                      ? "Mach-O"
           : at(h, 0, BZ_V("L\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46")) ? "Windows shortcut"
                                                                             : NULL;
}

static const char *bytecode(struct bz_view h) {
    return at(h, 0, BZ_V("\0asm\1\0\0\0"))                                      ? "WebAssembly"
           : is_class(h)                                                        ? "Java class"
           : is_pyc(h)                                                          ? "Python .pyc"
           : at(h, 0, BZ_V("dex\n03")) && at(h, 7, BZ_V("\0"))                  ? "Android DEX"
           : at(h, 0, BZ_V("BC\xc0\xde")) || at(h, 0, BZ_V("\xde\xc0\x17\x0b")) ? "LLVM bitcode"
           : at(h, 0, BZ_V("\x1bLua")) || at(h, 0, BZ_V("\x1bLJ"))              ? "Lua bytecode"
                                                                                : NULL;
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    return native(o->head) != NULL || bytecode(o->head) != NULL ? BZ_PROBE_YES : BZ_PROBE_NO;
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    const char *name = native(o->head);
    if (bz_scan_options(s)->installed && o->depth == 0)
        return bz_scan_found(s, o, &rules[R_INSTALLED], 0,
                             bz_view_str(name != NULL ? name : bytecode(o->head)));
    if (name != NULL)
        return bz_scan_found(s, o, &rules[R_NATIVE], 0, bz_view_str(name));
    return bz_scan_found(s, o, &rules[R_BYTECODE], 0, bz_view_str(bytecode(o->head)));
}

const struct bz_format bz_format_executable = {.name = "executable",
                                               .what = "program, library, byte code",
                                               .probe = probe,
                                               .scan = scan,
                                               .rules = rules};
