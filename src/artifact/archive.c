#include "archive.h"

#include <stdlib.h>

const struct bz_rule bz_archive_rules[] = {
    {"ARC-SLIP", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "a member whose name leads out with ..",
     "unpacking writes outside the folder, over files of the user", "do not unpack it", "CWE-22"},
    {"ARC-ABSOLUTE", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "a member with an absolute name",
     "unpacking writes where the name says, over files of the user", "do not unpack it", "CWE-36"},
    {"ARC-BACKSLASH", BZ_SEVERITY_LOW, BZ_RULE_SUSPICIOUS, "a backslash in a member's name",
     "one program sees a folder there, another a letter", "pack it again with / between folders",
     "CWE-436"},
    {"ARC-CONTROL", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "control bytes in a member's name",
     "programs cut the name there or show another one", "take the file from its origin again",
     "CWE-158"},
    {"ARC-LINK-OUT", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "a link that leads out of the archive",
     "what is unpacked or read through it lies elsewhere: a way to any file of the user",
     "do not unpack it", "CWE-59"},
    {"ARC-LINK", BZ_SEVERITY_LOW, BZ_RULE_SUSPICIOUS, "a link inside the archive",
     "one name stands for another file", "see that the target is meant", "CWE-59"},
    {"ARC-DEVICE", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS, "a device or pipe as a member",
     "unpacking as root makes a device; reading it may hang", "do not unpack it", ""},
    {"ARC-TWICE", BZ_SEVERITY_HIGH, BZ_RULE_SUSPICIOUS, "one name, two members",
     "one program takes the first, another the last: what was checked is not what is loaded",
     "take the file from its origin again", "CWE-694"},
    {"ARC-CASE", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "names that differ in case alone",
     "torch and some file systems take one for the other", "take the file from its origin again",
     "CWE-178"},
    {"ARC-ENCRYPTED", BZ_SEVERITY_LOW, BZ_RULE_UNCHECKED, "an encrypted member",
     "unknown: it was not looked at",
     "unpack it with its password and scan what comes out, or do not use it", ""},
    {"ARC-METHOD", BZ_SEVERITY_LOW, BZ_RULE_UNCHECKED, "a way of packing that is not known here",
     "unknown: it was not looked at", "pack it again with a usual method, or do not use it", ""},
    {.id = NULL},
};

enum bz_status bz_archive_found(struct bz_scan *s, const struct bz_object *o,
                                enum bz_archive_rule rule, uint64_t offset,
                                struct bz_view evidence) {
    return bz_scan_found(s, o, &bz_archive_rules[rule], offset, evidence);
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool slash(uint8_t c) {
    return c == '/' || c == '\\';
}

/* A part of the path that is "..", between separators of either kind. */
static bool leads_up(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        bool starts = i == 0 || slash(v.p[i - 1]);
        if (starts && v.n - i >= 2 && v.p[i] == '.' && v.p[i + 1] == '.' &&
            (v.n - i == 2 || slash(v.p[i + 2])))
            return true;
    }
    return false;
}

static bool letter(uint8_t c) {
    return (uint8_t)((c | 0x20) - 'a') < 26;
}

static bool absolute(struct bz_view v) {
    return v.n > 0 && (slash(v.p[0]) || (v.n > 1 && letter(v.p[0]) && v.p[1] == ':'));
}

enum bz_status bz_archive_name(struct bz_scan *s, const struct bz_object *o, uint64_t offset,
                               struct bz_view name) {
    bool control = false;
    for (size_t i = 0; i < name.n; i++)
        control = control || name.p[i] < 0x20 || name.p[i] == 0x7f;
    if (control)
        BZ_TRY(bz_archive_found(s, o, BZ_ARC_CONTROL, offset, name));
    if (leads_up(name))
        BZ_TRY(bz_archive_found(s, o, BZ_ARC_SLIP, offset, name));
    else if (absolute(name))
        BZ_TRY(bz_archive_found(s, o, BZ_ARC_ABSOLUTE, offset, name));
    else if (name.n > 0 && memchr(name.p, '\\', name.n) != NULL)
        BZ_TRY(bz_archive_found(s, o, BZ_ARC_BACKSLASH, offset, name));
    return BZ_OK;
}

/* Folders that `v` goes down, less those it goes up; -1 once it is above where it began. */
static int64_t depth_of(struct bz_view v, int64_t depth) {
    for (size_t i = 0; i < v.n && depth >= 0;) {
        size_t n = 0;
        while (i + n < v.n && !slash(v.p[i + n]))
            n++;
        if (n == 2 && v.p[i] == '.' && v.p[i + 1] == '.')
            depth--;
        else if (n > 0 && !(n == 1 && v.p[i] == '.'))
            depth++;
        i += n + 1;
    }
    return depth;
}

enum bz_status bz_archive_link(struct bz_scan *s, const struct bz_object *o, uint64_t offset,
                               struct bz_view name, struct bz_view target) {
    size_t folder = name.n;
    while (folder > 0 && !slash(name.p[folder - 1]))
        folder--;
    int64_t depth = depth_of(bz_view_sub(name, 0, folder), 0);
    bool out = absolute(target) || depth < 0 || depth_of(target, depth) < 0;
    return bz_archive_found(s, o, out ? BZ_ARC_LINK_OUT : BZ_ARC_LINK, offset, target);
}

/* ---- twins ------------------------------------------------------------------------------------ */

static uint8_t fold(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static int folded_cmp(struct bz_view a, struct bz_view b) {
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        int c = fold(a.p[i]) - fold(b.p[i]);
        if (c != 0)
            return c;
    }
    return (a.n > b.n) - (a.n < b.n);
}

static int by_name(const void *va, const void *vb) {
    const struct bz_archive_name *a = va, *b = vb;
    int c = folded_cmp(a->name, b->name);
    return c != 0 ? c : (a->offset > b->offset) - (a->offset < b->offset);
}

enum bz_status bz_archive_twins(struct bz_scan *s, const struct bz_object *o,
                                struct bz_archive_name *names, size_t n, bool twice) {
    if (n > 1)
        qsort(names, n, sizeof *names, by_name);
    for (size_t i = 1; i < n; i++) {
        if (folded_cmp(names[i - 1].name, names[i].name) != 0)
            continue;
        bool same = bz_view_eq(names[i - 1].name, names[i].name);
        if (!same || twice)
            BZ_TRY(bz_archive_found(s, o, same ? BZ_ARC_TWICE : BZ_ARC_CASE, names[i].offset,
                                    names[i].name));
    }
    return BZ_OK;
}
