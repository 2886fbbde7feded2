/* A few dozen beginnings of words that steering texts cannot do without, and of the commonest words.
 * They are looked for in disguise only: a text that has one reversed, in ROT13 or with digits for
 * letters is read that way, whatever else it says. */
#include "readings.h"

static const char list[][8] = {
    /* English */
    "ignore",
    "disreg",
    "forget",
    "overri",
    "bypass",
    "previo",
    "prior",
    "above",
    "instru",
    "system",
    "prompt",
    "secret",
    "passwo",
    "reveal",
    "hidden",
    "admini",
    "develo",
    "rules",
    "jailbr",
    "unrest",
    "restri",
    "filter",
    "safety",
    "guidel",
    "direct",
    "comman",
    "execut",
    "delete",
    "transf",
    "output",
    "repeat",
    "print",
    "follow",
    "preten",
    "respon",
    "assist",
    "confid",
    "creden",
    "token",
    "tokens",
    "everyt",
    "anythi",
    "withou",
    "answer",
    "please",
    "messag",
    "initia",
    "config",
    "access",
    "email",
    "write",
    "words",
    "model",
    "chatgp",
    "always",
    "never",
    "should",
    "there",
    "which",
    "their",
    "would",
    "about",
    "other",
    "these",
    "could",
    "after",
    "first",
    "where",
    "becaus",
    "before",
    "throug",
    "betwee",
    "exactl",
    "inform",
    "unlimi",
    "policy",
    "polici",
    "malwar",
    "weapon",
    "explos",
    /* Spanish, Portuguese, Italian */
    "ignora",
    "olvida",
    "anteri",
    "sistem",
    "contra",
    "revela",
    "siguie",
    "senha",
    "istruz",
    "preced",
    "segret",
    "diment",
    "segred",
    "esquec",
    "todas",
    /* French, German, Dutch */
    "oublie",
    "consig",
    "ignori",
    "vergis",
    "anweis",
    "vorher",
    "geheim",
    "regeln",
    "negeer",
    "vergee",
    "vorige",
    "wachtw",
};

/* Entry i as a number: its letters lowest first, as keys_of makes them. */
static inline uint64_t entry(size_t i) {
    const uint8_t *p = (const uint8_t *)list[i];
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

uint64_t keys_of(const uint8_t *p, size_t n) {
    uint64_t six = 0;
    for (size_t i = 0; i < n && i < 6; i++)
        six |= (uint64_t)(uint8_t)(p[i] | 0x20) << (8 * i);
    return six;
}

uint64_t keys_rot13(uint64_t six) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t late = ((six + ones * (0x80 - 'n')) & ones * 0x80) >> 7;
    uint64_t there = ((((six & ones * 0x7f) + ones * 0x7f) | six) & ones * 0x80) >> 7;
    return (six + ones * 13 - late * 26) & there * 0xff;
}

static void put(struct keys *k, uint64_t six, enum keys_as as) {
    uint64_t h = keys_hash(six, as);
    k->bits[h >> 55] |= keys_mask(h);
}

void keys_init(struct keys *k) {
    memset(k, 0, sizeof *k);
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        uint64_t six = entry(i);
        put(k, keys_rot13(six), KEYS_ROT13);
        put(k, __builtin_bswap64(six), KEYS_BACK);
        put(k, __builtin_bswap64(keys_rot13(six)), KEYS_BACK);
    }
}

bool keys_list(uint64_t six) {
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (entry(i) == six)
            return true;
    }
    return false;
}
