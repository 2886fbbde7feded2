/* A few dozen beginnings of words that steering texts cannot do without, and of the commonest words.
 * They are looked for in disguise only: a text that has one reversed, in ROT13 or with digits for
 * letters is read that way, whatever else it says. */
#include "readings.h"

static const char list[][7] = {
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

static unsigned slot(uint64_t six) {
    return (unsigned)((six * UINT64_C(0x9e3779b97f4a7c15)) >> 52);
}

uint64_t keys_of(const uint8_t *p, size_t n) {
    uint64_t six = 0;
    for (size_t i = 0; i < n && i < 6; i++)
        six |= (uint64_t)(uint8_t)(p[i] | 0x20) << (8 * i);
    return six;
}

void keys_init(struct keys *k) {
    memset(k, 0, sizeof *k);
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        unsigned s = slot(keys_of((const uint8_t *)list[i], strnlen(list[i], 6)));
        k->bits[s / 64] |= UINT64_C(1) << (s % 64);
    }
}

bool keys_have(const struct keys *k, uint64_t six) {
    unsigned s = slot(six);
    if ((k->bits[s / 64] >> (s % 64) & 1) == 0)
        return false;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (keys_of((const uint8_t *)list[i], strnlen(list[i], 6)) == six)
            return true;
    }
    return false;
}
