/* Text of the form of our own placeholders: "<" capital letters, digits and "_", then "_" and eight
 * of a to z and 2 to 9, ">". */
#include "detector.h"

enum { NAME_MAX_ = 48, CODE = 8 };

static bool code_byte(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '9');
}

static bool name_byte(uint8_t c) {
    return scan_is(c, SC_UPPER | SC_DIGIT) || c == '_';
}

static void hit(struct scan *s, const struct trigger *t, size_t end) {
    (void)t;
    size_t at = end - 1; /* of '>' */
    if (at < CODE + 3 || s->p[at - CODE - 1] != '_')
        return;
    for (size_t i = at - CODE; i < at; i++) {
        if (!code_byte(s->p[i]))
            return;
    }
    size_t name = at - CODE - 1;
    size_t from = name;
    while (from > 0 && name - from < NAME_MAX_ && name_byte(s->p[from - 1]))
        from--;
    if (from == name || from == 0 || s->p[from - 1] != '<' || !scan_is(s->p[from], SC_UPPER))
        return;
    scan_emit(s, 0, BZ_PROOF_FORM, from - 1, end);
}

/* From the last '<' that only bytes of a placeholder follow. */
static size_t live(const struct scan *s, size_t from) {
    size_t least = s->n > NAME_MAX_ + CODE + 3 ? s->n - (NAME_MAX_ + CODE + 3) : 0;
    size_t i = s->n;
    while (i > least && i > from) {
        uint8_t c = s->p[--i];
        if (c == '<')
            return i;
        if (!name_byte(c) && !code_byte(c) && !(c == '>' && i + 1 == s->n))
            return s->n;
    }
    return s->n;
}

static const struct trigger triggers[] = {
    {"_[a-z2-9]{8}>", 0, 0},
};

const struct detector detect_placeholder = {
    .name = "placeholder",
    .group = DETECT_GROUP_PLACEHOLDER,
    .triggers = triggers,
    .triggers_n = sizeof triggers / sizeof triggers[0],
    .hit = hit,
    .live = live,
};
