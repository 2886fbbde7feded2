/* Letters that look like Latin ones. */
#ifndef INJECTION_LOOK_H
#define INJECTION_LOOK_H

#include <bartizan/view.h>

enum script {
    SCRIPT_NONE, /* digits, marks, signs */
    SCRIPT_LATIN,
    SCRIPT_CYRILLIC,
    SCRIPT_GREEK,
    SCRIPT_ARMENIAN,
    SCRIPT_CHEROKEE,
    SCRIPT_COPTIC,
    SCRIPT_LISU,
    SCRIPT_OTHER,
    SCRIPT_COUNT
};
enum script look_script(uint32_t cp);

enum look_kind {
    LOOK_NONE,
    LOOK_ALWAYS, /* Latin already: small capitals, letters of phonetics */
    LOOK_ALIKE,  /* hard to tell from the Latin letter */
    LOOK_LOOSE,  /* read as it within a Latin word only */
};
/* The Latin letter that cp looks like, in cp's case. */
enum look_kind look_latin(uint32_t cp, uint8_t *ret);
/* The letter of `s` (Cyrillic or Greek) that a Latin letter looks like; 0: none. */
uint32_t look_from_latin(uint8_t c, enum script s);

#endif
