/* Look-alikes: letters of other scripts by the Latin letter that readers take them for. Chosen by eye
 * from the letters that fonts draw alike (the notion of Unicode Technical Standard 39), for the scripts
 * that are used for it; LOOK_LOOSE rows serve words that are Latin otherwise. */
#include "look.h"

#include <utf8proc.h>

static const struct row {
    uint16_t cp;
    uint8_t kind, latin;
} rows[] = {
    {0x0185, LOOK_ALWAYS, 'b'}, {0x01a8, LOOK_ALWAYS, 's'}, {0x0251, LOOK_ALWAYS, 'a'},
    {0x0252, LOOK_ALWAYS, 'a'}, {0x025b, LOOK_ALWAYS, 'e'}, {0x0261, LOOK_ALWAYS, 'g'},
    {0x0262, LOOK_ALWAYS, 'g'}, {0x0269, LOOK_ALWAYS, 'i'}, {0x026a, LOOK_ALWAYS, 'i'},
    {0x0274, LOOK_ALWAYS, 'n'}, {0x0280, LOOK_ALWAYS, 'r'}, {0x028b, LOOK_ALWAYS, 'v'},
    {0x028f, LOOK_ALWAYS, 'y'}, {0x0299, LOOK_ALWAYS, 'b'}, {0x029c, LOOK_ALWAYS, 'h'},
    {0x029f, LOOK_ALWAYS, 'l'}, {0x0391, LOOK_ALIKE, 'A'},  {0x0392, LOOK_ALIKE, 'B'},
    {0x0393, LOOK_LOOSE, 'T'},  {0x0394, LOOK_LOOSE, 'A'},  {0x0395, LOOK_ALIKE, 'E'},
    {0x0396, LOOK_ALIKE, 'Z'},  {0x0397, LOOK_ALIKE, 'H'},  {0x0398, LOOK_LOOSE, 'O'},
    {0x0399, LOOK_ALIKE, 'I'},  {0x039a, LOOK_ALIKE, 'K'},  {0x039b, LOOK_LOOSE, 'A'},
    {0x039c, LOOK_ALIKE, 'M'},  {0x039d, LOOK_ALIKE, 'N'},  {0x039e, LOOK_LOOSE, 'E'},
    {0x039f, LOOK_ALIKE, 'O'},  {0x03a0, LOOK_LOOSE, 'N'},  {0x03a1, LOOK_ALIKE, 'P'},
    {0x03a3, LOOK_LOOSE, 'E'},  {0x03a4, LOOK_ALIKE, 'T'},  {0x03a5, LOOK_ALIKE, 'Y'},
    {0x03a7, LOOK_ALIKE, 'X'},  {0x03a9, LOOK_LOOSE, 'O'},  {0x03ac, LOOK_LOOSE, 'a'},
    {0x03ad, LOOK_LOOSE, 'e'},  {0x03ae, LOOK_LOOSE, 'n'},  {0x03af, LOOK_LOOSE, 'i'},
    {0x03b1, LOOK_ALIKE, 'a'},  {0x03b2, LOOK_LOOSE, 'b'},  {0x03b3, LOOK_LOOSE, 'y'},
    {0x03b4, LOOK_LOOSE, 'd'},  {0x03b5, LOOK_LOOSE, 'e'},  {0x03b6, LOOK_LOOSE, 'z'},
    {0x03b7, LOOK_LOOSE, 'n'},  {0x03b8, LOOK_LOOSE, 'o'},  {0x03b9, LOOK_ALIKE, 'i'},
    {0x03ba, LOOK_ALIKE, 'k'},  {0x03bb, LOOK_LOOSE, 'l'},  {0x03bc, LOOK_LOOSE, 'u'},
    {0x03bd, LOOK_ALIKE, 'v'},  {0x03bf, LOOK_ALIKE, 'o'},  {0x03c0, LOOK_LOOSE, 'n'},
    {0x03c1, LOOK_ALIKE, 'p'},  {0x03c2, LOOK_LOOSE, 'c'},  {0x03c3, LOOK_LOOSE, 'o'},
    {0x03c4, LOOK_LOOSE, 't'},  {0x03c5, LOOK_ALIKE, 'u'},  {0x03c7, LOOK_ALIKE, 'x'},
    {0x03c9, LOOK_LOOSE, 'w'},  {0x03ca, LOOK_LOOSE, 'i'},  {0x03cb, LOOK_LOOSE, 'u'},
    {0x03cc, LOOK_LOOSE, 'o'},  {0x03cd, LOOK_LOOSE, 'u'},  {0x03ce, LOOK_LOOSE, 'w'},
    {0x03d5, LOOK_LOOSE, 'o'},  {0x03f1, LOOK_LOOSE, 'p'},  {0x03f2, LOOK_ALIKE, 'c'},
    {0x03f3, LOOK_ALIKE, 'j'},  {0x03f5, LOOK_LOOSE, 'e'},  {0x03f9, LOOK_ALIKE, 'C'},
    {0x03fa, LOOK_ALIKE, 'M'},  {0x0401, LOOK_LOOSE, 'E'},  {0x0405, LOOK_ALIKE, 'S'},
    {0x0406, LOOK_ALIKE, 'I'},  {0x0408, LOOK_ALIKE, 'J'},  {0x0410, LOOK_ALIKE, 'A'},
    {0x0412, LOOK_ALIKE, 'B'},  {0x0413, LOOK_LOOSE, 'L'},  {0x0414, LOOK_LOOSE, 'A'},
    {0x0415, LOOK_ALIKE, 'E'},  {0x0417, LOOK_LOOSE, 'E'},  {0x0418, LOOK_LOOSE, 'N'},
    {0x041a, LOOK_ALIKE, 'K'},  {0x041b, LOOK_LOOSE, 'A'},  {0x041c, LOOK_ALIKE, 'M'},
    {0x041d, LOOK_ALIKE, 'H'},  {0x041e, LOOK_ALIKE, 'O'},  {0x041f, LOOK_LOOSE, 'N'},
    {0x0420, LOOK_ALIKE, 'P'},  {0x0421, LOOK_ALIKE, 'C'},  {0x0422, LOOK_ALIKE, 'T'},
    {0x0423, LOOK_ALIKE, 'Y'},  {0x0424, LOOK_LOOSE, 'O'},  {0x0425, LOOK_ALIKE, 'X'},
    {0x0426, LOOK_LOOSE, 'U'},  {0x0428, LOOK_LOOSE, 'W'},  {0x042c, LOOK_LOOSE, 'B'},
    {0x042f, LOOK_LOOSE, 'R'},  {0x0430, LOOK_ALIKE, 'a'},  {0x0431, LOOK_LOOSE, 'b'},
    {0x0432, LOOK_LOOSE, 'b'},  {0x0433, LOOK_LOOSE, 'r'},  {0x0434, LOOK_LOOSE, 'g'},
    {0x0435, LOOK_ALIKE, 'e'},  {0x0437, LOOK_LOOSE, 'e'},  {0x0438, LOOK_LOOSE, 'u'},
    {0x0439, LOOK_LOOSE, 'u'},  {0x043a, LOOK_LOOSE, 'k'},  {0x043b, LOOK_LOOSE, 'n'},
    {0x043c, LOOK_LOOSE, 'm'},  {0x043d, LOOK_LOOSE, 'h'},  {0x043e, LOOK_ALIKE, 'o'},
    {0x043f, LOOK_LOOSE, 'n'},  {0x0440, LOOK_ALIKE, 'p'},  {0x0441, LOOK_ALIKE, 'c'},
    {0x0442, LOOK_LOOSE, 't'},  {0x0443, LOOK_ALIKE, 'y'},  {0x0445, LOOK_ALIKE, 'x'},
    {0x0446, LOOK_LOOSE, 'u'},  {0x0447, LOOK_LOOSE, 'u'},  {0x0448, LOOK_LOOSE, 'w'},
    {0x0449, LOOK_LOOSE, 'w'},  {0x044c, LOOK_LOOSE, 'b'},  {0x044f, LOOK_LOOSE, 'r'},
    {0x0451, LOOK_LOOSE, 'e'},  {0x0455, LOOK_ALIKE, 's'},  {0x0456, LOOK_ALIKE, 'i'},
    {0x0458, LOOK_ALIKE, 'j'},  {0x045e, LOOK_LOOSE, 'y'},  {0x0461, LOOK_ALIKE, 'w'},
    {0x0474, LOOK_ALIKE, 'V'},  {0x0475, LOOK_ALIKE, 'v'},  {0x0492, LOOK_ALIKE, 'F'},
    {0x0493, LOOK_LOOSE, 'f'},  {0x049b, LOOK_LOOSE, 'k'},  {0x04a3, LOOK_LOOSE, 'h'},
    {0x04ae, LOOK_ALIKE, 'Y'},  {0x04af, LOOK_ALIKE, 'y'},  {0x04b3, LOOK_LOOSE, 'x'},
    {0x04ba, LOOK_ALIKE, 'H'},  {0x04bb, LOOK_ALIKE, 'h'},  {0x04bd, LOOK_LOOSE, 'e'},
    {0x04c0, LOOK_ALIKE, 'I'},  {0x04cf, LOOK_ALIKE, 'l'},  {0x0500, LOOK_ALIKE, 'D'},
    {0x0501, LOOK_ALIKE, 'd'},  {0x050c, LOOK_ALIKE, 'G'},  {0x050d, LOOK_ALIKE, 'g'},
    {0x051a, LOOK_ALIKE, 'Q'},  {0x051b, LOOK_ALIKE, 'q'},  {0x051c, LOOK_ALIKE, 'W'},
    {0x051d, LOOK_ALIKE, 'w'},  {0x053c, LOOK_ALIKE, 'L'},  {0x0548, LOOK_ALIKE, 'N'},
    {0x054d, LOOK_ALIKE, 'U'},  {0x054f, LOOK_ALIKE, 'S'},  {0x0555, LOOK_ALIKE, 'O'},
    {0x0561, LOOK_LOOSE, 'w'},  {0x0563, LOOK_LOOSE, 'q'},  {0x0564, LOOK_LOOSE, 'n'},
    {0x0566, LOOK_ALIKE, 'q'},  {0x056f, LOOK_LOOSE, 'l'},  {0x0570, LOOK_ALIKE, 'h'},
    {0x0572, LOOK_LOOSE, 'n'},  {0x0575, LOOK_ALIKE, 'j'},  {0x0578, LOOK_ALIKE, 'n'},
    {0x057c, LOOK_LOOSE, 'n'},  {0x057d, LOOK_ALIKE, 'u'},  {0x057e, LOOK_LOOSE, 'l'},
    {0x057f, LOOK_LOOSE, 'm'},  {0x0581, LOOK_ALIKE, 'g'},  {0x0584, LOOK_LOOSE, 'p'},
    {0x0585, LOOK_ALIKE, 'o'},  {0x13a0, LOOK_ALIKE, 'D'},  {0x13a1, LOOK_ALIKE, 'R'},
    {0x13a2, LOOK_ALIKE, 'T'},  {0x13a5, LOOK_ALIKE, 'i'},  {0x13a9, LOOK_ALIKE, 'Y'},
    {0x13aa, LOOK_ALIKE, 'A'},  {0x13ab, LOOK_ALIKE, 'J'},  {0x13ac, LOOK_ALIKE, 'E'},
    {0x13b3, LOOK_ALIKE, 'W'},  {0x13b6, LOOK_ALIKE, 'G'},  {0x13b7, LOOK_ALIKE, 'M'},
    {0x13bb, LOOK_ALIKE, 'H'},  {0x13bd, LOOK_ALIKE, 'Y'},  {0x13be, LOOK_ALIKE, 'o'},
    {0x13c0, LOOK_ALIKE, 'G'},  {0x13c2, LOOK_ALIKE, 'h'},  {0x13c3, LOOK_ALIKE, 'Z'},
    {0x13cc, LOOK_ALIKE, 'u'},  {0x13cf, LOOK_ALIKE, 'b'},  {0x13d2, LOOK_ALIKE, 'R'},
    {0x13d4, LOOK_ALIKE, 'W'},  {0x13d5, LOOK_ALIKE, 'S'},  {0x13d9, LOOK_ALIKE, 'V'},
    {0x13da, LOOK_ALIKE, 'S'},  {0x13de, LOOK_ALIKE, 'L'},  {0x13df, LOOK_ALIKE, 'C'},
    {0x13e2, LOOK_ALIKE, 'P'},  {0x13e6, LOOK_ALIKE, 'K'},  {0x13e7, LOOK_ALIKE, 'd'},
    {0x13f3, LOOK_ALIKE, 'G'},  {0x13f4, LOOK_ALIKE, 'B'},  {0x1d00, LOOK_ALWAYS, 'a'},
    {0x1d04, LOOK_ALWAYS, 'c'}, {0x1d05, LOOK_ALWAYS, 'd'}, {0x1d07, LOOK_ALWAYS, 'e'},
    {0x1d0a, LOOK_ALWAYS, 'j'}, {0x1d0b, LOOK_ALWAYS, 'k'}, {0x1d0d, LOOK_ALWAYS, 'm'},
    {0x1d0f, LOOK_ALWAYS, 'o'}, {0x1d18, LOOK_ALWAYS, 'p'}, {0x1d1b, LOOK_ALWAYS, 't'},
    {0x1d1c, LOOK_ALWAYS, 'u'}, {0x1d20, LOOK_ALWAYS, 'v'}, {0x1d21, LOOK_ALWAYS, 'w'},
    {0x1d22, LOOK_ALWAYS, 'z'}, {0x1d26, LOOK_ALWAYS, 'r'}, {0x212e, LOOK_ALWAYS, 'e'},
    {0x2c80, LOOK_ALIKE, 'A'},  {0x2c81, LOOK_ALIKE, 'a'},  {0x2c82, LOOK_ALIKE, 'B'},
    {0x2c88, LOOK_ALIKE, 'E'},  {0x2c8e, LOOK_ALIKE, 'H'},  {0x2c92, LOOK_ALIKE, 'I'},
    {0x2c93, LOOK_ALIKE, 'i'},  {0x2c94, LOOK_ALIKE, 'K'},  {0x2c95, LOOK_ALIKE, 'k'},
    {0x2c98, LOOK_ALIKE, 'M'},  {0x2c99, LOOK_ALIKE, 'm'},  {0x2c9a, LOOK_ALIKE, 'N'},
    {0x2c9b, LOOK_ALIKE, 'n'},  {0x2c9e, LOOK_ALIKE, 'O'},  {0x2c9f, LOOK_ALIKE, 'o'},
    {0x2ca2, LOOK_ALIKE, 'P'},  {0x2ca3, LOOK_ALIKE, 'p'},  {0x2ca4, LOOK_ALIKE, 'C'},
    {0x2ca5, LOOK_ALIKE, 'c'},  {0x2ca6, LOOK_ALIKE, 'T'},  {0x2ca7, LOOK_ALIKE, 't'},
    {0x2ca8, LOOK_ALIKE, 'Y'},  {0x2ca9, LOOK_ALIKE, 'y'},  {0x2cac, LOOK_ALIKE, 'X'},
    {0x2cad, LOOK_ALIKE, 'x'},  {0x2cd0, LOOK_ALIKE, 'L'},  {0xa4d0, LOOK_ALIKE, 'B'},
    {0xa4d1, LOOK_ALIKE, 'P'},  {0xa4d2, LOOK_ALIKE, 'd'},  {0xa4d3, LOOK_ALIKE, 'D'},
    {0xa4d4, LOOK_ALIKE, 'T'},  {0xa4d6, LOOK_ALIKE, 'G'},  {0xa4d7, LOOK_ALIKE, 'K'},
    {0xa4d9, LOOK_ALIKE, 'J'},  {0xa4da, LOOK_ALIKE, 'C'},  {0xa4dc, LOOK_ALIKE, 'Z'},
    {0xa4dd, LOOK_ALIKE, 'F'},  {0xa4df, LOOK_ALIKE, 'M'},  {0xa4e0, LOOK_ALIKE, 'N'},
    {0xa4e1, LOOK_ALIKE, 'L'},  {0xa4e2, LOOK_ALIKE, 'S'},  {0xa4e3, LOOK_ALIKE, 'R'},
    {0xa4e6, LOOK_ALIKE, 'V'},  {0xa4e7, LOOK_ALIKE, 'H'},  {0xa4ea, LOOK_ALIKE, 'W'},
    {0xa4eb, LOOK_ALIKE, 'X'},  {0xa4ec, LOOK_ALIKE, 'Y'},  {0xa4ee, LOOK_ALIKE, 'A'},
    {0xa4f0, LOOK_ALIKE, 'E'},  {0xa4f2, LOOK_ALIKE, 'I'},  {0xa4f3, LOOK_ALIKE, 'O'},
    {0xa4f4, LOOK_ALIKE, 'U'},  {0xa730, LOOK_ALWAYS, 'f'}, {0xa731, LOOK_ALWAYS, 's'},
    {0xa7ae, LOOK_ALWAYS, 'I'}, {0xa7af, LOOK_ALWAYS, 'q'},
};

static enum look_kind row_of(uint32_t cp, uint8_t *ret) {
    size_t low = 0;
    size_t high = sizeof rows / sizeof rows[0];
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (rows[mid].cp == cp) {
            *ret = rows[mid].latin;
            return (enum look_kind)rows[mid].kind;
        }
        if (rows[mid].cp < cp)
            low = mid + 1;
        else
            high = mid;
    }
    return LOOK_NONE;
}

/* A letter without a row of its own has that of its other case, so that a text means the same in lower
 * case. */
enum look_kind look_latin(uint32_t cp, uint8_t *ret) {
    enum look_kind is = row_of(cp, ret);
    if (is == LOOK_NONE && cp > 0x7f && cp < 0xac00) {
        utf8proc_int32_t low = utf8proc_tolower((utf8proc_int32_t)cp);
        bool lower = (uint32_t)low == cp;
        is = row_of((uint32_t)(lower ? utf8proc_toupper((utf8proc_int32_t)cp) : low), ret);
    }
    return is;
}

enum script look_script(uint32_t cp) {
    static const struct {
        uint16_t from, to;
        uint8_t is;
    } blocks[] = {
        {0x0041, 0x005a, SCRIPT_LATIN},    {0x0061, 0x007a, SCRIPT_LATIN},
        {0x00aa, 0x00aa, SCRIPT_LATIN},    {0x00ba, 0x00ba, SCRIPT_LATIN},
        {0x00c0, 0x00d6, SCRIPT_LATIN},    {0x00d8, 0x00f6, SCRIPT_LATIN},
        {0x00f8, 0x02af, SCRIPT_LATIN},    {0x0370, 0x03ff, SCRIPT_GREEK},
        {0x0400, 0x0481, SCRIPT_CYRILLIC}, {0x048a, 0x052f, SCRIPT_CYRILLIC},
        {0x0531, 0x058f, SCRIPT_ARMENIAN}, {0x13a0, 0x13ff, SCRIPT_CHEROKEE},
        {0x1c80, 0x1c8f, SCRIPT_CYRILLIC}, {0x1d00, 0x1dbf, SCRIPT_LATIN},
        {0x1e00, 0x1eff, SCRIPT_LATIN},    {0x1f00, 0x1fff, SCRIPT_GREEK},
        {0x212e, 0x212e, SCRIPT_LATIN},    {0x2c60, 0x2c7f, SCRIPT_LATIN},
        {0x2c80, 0x2cff, SCRIPT_COPTIC},   {0xa4d0, 0xa4ff, SCRIPT_LISU},
        {0xa640, 0xa69f, SCRIPT_CYRILLIC}, {0xa720, 0xa7ff, SCRIPT_LATIN},
        {0xab30, 0xab6f, SCRIPT_LATIN},    {0xab70, 0xabbf, SCRIPT_CHEROKEE},
    };
    if (cp < 0x80)
        return (cp | 0x20) - 'a' < 26 ? SCRIPT_LATIN : SCRIPT_NONE;
    if (cp > 0xffff)
        return SCRIPT_OTHER;
    if (cp >= 0x400 && cp <= 0x481) /* the most usual ones first */
        return SCRIPT_CYRILLIC;
    if ((cp >= 0x530 && cp < 0x13a0) || (cp >= 0x2d00 && cp < 0xa4d0) || cp >= 0xac00)
        return (cp >= 0x531 && cp <= 0x58f) ? SCRIPT_ARMENIAN : SCRIPT_OTHER;
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        if (cp < blocks[i].from)
            return cp < 0x370 ? SCRIPT_NONE : SCRIPT_OTHER;
        if (cp <= blocks[i].to)
            return (enum script)blocks[i].is;
    }
    return SCRIPT_OTHER;
}

uint32_t look_from_latin(uint8_t c, enum script s) {
    static const char latin[] = "aeocpxyikABEKMHOPCTXYI";
    static const uint16_t cyrillic[] = {0x430, 0x435, 0x43e, 0x441, 0x440, 0x445, 0x443, 0x456,
                                        0x43a, 0x410, 0x412, 0x415, 0x41a, 0x41c, 0x41d, 0x41e,
                                        0x420, 0x421, 0x422, 0x425, 0x423, 0x406};
    static const uint16_t greek[] = {0x3b1, 0x3b5, 0x3bf, 0x0,   0x3c1, 0x3c7, 0x3b3, 0x3b9,
                                     0x3ba, 0x391, 0x392, 0x395, 0x39a, 0x39c, 0x397, 0x39f,
                                     0x3a1, 0x0,   0x3a4, 0x3a7, 0x3a5, 0x399};
    const char *at = c == 0 ? NULL : strchr(latin, c);
    if (at == NULL)
        return 0;
    if (s == SCRIPT_CYRILLIC)
        return cyrillic[at - latin];
    return s == SCRIPT_GREEK ? greek[at - latin] : 0;
}
