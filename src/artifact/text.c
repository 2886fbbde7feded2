/* Plain text: what is left when no other format took it. Nothing of it runs by being there. */
#include "scan_int.h"

#include <bartizan/text.h>

static const struct bz_rule rules[] = {
    {"TXT-SCRIPT", BZ_SEVERITY_INFO, BZ_RULE_NOTE, "a script",
     "nothing by itself; it does what it says when somebody runs it",
     "read it before you run it, or leave it out", ""},
    {.id = NULL},
};

/* Bytes that stand in no text: C0 controls but tab, newline, form feed, return and escape; DEL. */
static bool has_control(struct bz_view v) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b) ||
            c == 0x7f)
            return true;
    }
    return false;
}

static enum bz_probe probe(struct bz_scan *s, const struct bz_object *o) {
    (void)s;
    return has_control(o->head) ? BZ_PROBE_NO : BZ_PROBE_MAYBE;
}

static enum bz_status scan(struct bz_scan *s, const struct bz_object *o) {
    struct bz_window w;
    BZ_TRY(bz_window_init(&w, s, &o->src, 0));
    for (;;) {
        struct bz_view v = bz_window_peek(&w, 4); /* a code point is not cut but at the end */
        if (v.n == 0)
            break;
        size_t good = bz_utf8_valid(v);
        if (has_control(v) || (v.n - good > 3) || (good == 0 && v.n > 0))
            return BZ_ENOTFOUND;
        bz_window_skip(&w, good);
    }
    if (w.st != BZ_ETRAILING)
        return w.st == BZ_OK ? BZ_EINTERNAL : w.st;
    if (bz_view_starts(o->head, BZ_V("#!")))
        return bz_scan_found(s, o, &rules[0], 0, bz_view_sub(o->head, 0, 80));
    return BZ_OK;
}

const struct bz_format bz_format_text = {.name = "text",
                                         .what = "plain text",
                                         .probe = probe,
                                         .scan = scan,
                                         .rules = rules,
                                         .inert = true};
