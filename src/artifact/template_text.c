/* What the text of a template says, and what it hides. */
#include "template_int.h"

#include <bartizan/text.h>

/* ---- words ----------------------------------------------------------------------------------- */

struct word {
    uint32_t off; /* in the text */
    uint32_t at;  /* of its letters in `fold` */
    uint32_t n;
    bool joined; /* only blanks and marks of a sentence stand before it */
};

struct words {
    struct word *list;
    size_t n;
    uint8_t *fold; /* lower-case ASCII of the whole text, one after the other */
    size_t fold_n;
    size_t foreign; /* letters of other alphabets */
};

static bool is_letter(uint8_t c) {
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* The ASCII letter that a code point looks like, or 0. */
static uint8_t looks_like(uint32_t cp) {
    static const struct {
        uint16_t cp;
        char as;
    } table[] = {
        {0x0391, 'a'}, {0x0392, 'b'}, {0x0395, 'e'}, {0x0396, 'z'}, {0x0397, 'h'}, {0x0399, 'i'},
        {0x039a, 'k'}, {0x039c, 'm'}, {0x039d, 'n'}, {0x039f, 'o'}, {0x03a1, 'p'}, {0x03a4, 't'},
        {0x03a5, 'y'}, {0x03a7, 'x'}, {0x03bd, 'v'}, {0x03bf, 'o'}, {0x0405, 's'}, {0x0406, 'i'},
        {0x0408, 'j'}, {0x0410, 'a'}, {0x0412, 'b'}, {0x0415, 'e'}, {0x041a, 'k'}, {0x041c, 'm'},
        {0x041d, 'h'}, {0x041e, 'o'}, {0x0420, 'p'}, {0x0421, 'c'}, {0x0422, 't'}, {0x0425, 'x'},
        {0x0430, 'a'}, {0x0435, 'e'}, {0x043e, 'o'}, {0x0440, 'p'}, {0x0441, 'c'}, {0x0443, 'y'},
        {0x0445, 'x'}, {0x0455, 's'}, {0x0456, 'i'}, {0x0458, 'j'}, {0x04bb, 'h'}, {0x0501, 'd'},
    };
    if (cp >= 0xff21 && cp <= 0xff3a)
        return (uint8_t)(cp - 0xff21 + 'a');
    if (cp >= 0xff41 && cp <= 0xff5a)
        return (uint8_t)(cp - 0xff41 + 'a');
    if (cp >= 0x1d400 && cp <= 0x1d6a3) /* mathematical letters, 26 + 26 to an alphabet */
        return (uint8_t)((cp - 0x1d400) % 26 + 'a');
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].cp == cp)
            return (uint8_t)table[i].as;
    }
    return 0;
}

static bool is_zero_width(uint32_t cp) {
    return (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2060 && cp <= 0x2064) || cp == 0xfeff ||
           cp == 0x00ad || cp == 0x034f || cp == 0x180e;
}

/* Blanks, quotes and marks of a sentence; a hole stands for somebody's words. */
static bool joins(uint8_t c) {
    return c == TPL_HOLE || (c > 0 && strchr(" \t\r\n,.;'\"!?()-*", c) != NULL);
}

static bool words_of(struct tpl *t, struct bz_view text, struct words *w) {
    bool in = false, joined = true;
    *w = (struct words){.n = 0};
    w->list = bz_arena_alloc(t->ar, (text.n / 2 + 2) * sizeof *w->list);
    w->fold = bz_arena_alloc(t->ar, text.n + 1);
    if (w->list == NULL || w->fold == NULL) {
        t->st = BZ_ENOMEM;
        return false;
    }
    for (size_t i = 0; i < text.n;) {
        uint32_t cp = 0;
        size_t n = bz_utf8_next(bz_view_sub(text, i, 4), &cp);
        uint8_t c = n <= 1 ? text.p[i] : looks_like(cp);
        if (n > 1 && is_zero_width(cp)) {
            i += n;
            continue;
        }
        if (is_letter(c)) {
            if (!in)
                w->list[w->n++] =
                    (struct word){.off = (uint32_t)i, .at = (uint32_t)w->fold_n, .joined = joined};
            w->fold[w->fold_n++] = c | 0x20;
            w->list[w->n - 1].n++;
            joined = true;
        } else {
            joined = joined && n <= 1 && joins(c);
            w->foreign += n > 1;
        }
        in = is_letter(c);
        i += n == 0 ? 1 : n;
    }
    t->steps += text.n / 16;
    return true;
}

/* ---- orders ---------------------------------------------------------------------------------- */

/* Groups of words in this order, with at most `gap` words in between. "a*": begins with. */
struct order {
    const char *groups[4];
    uint8_t gap[3];
    bool negated_is_fine; /* "never insert malware" */
};

static const struct order orders[] = {
    {{"ignore|ignoring|disregard|disregarding|forget|override|bypass",
      "previous|prior|above|earlier|preceding|your|safety",
      "instruction*|prompt*|rule*|guideline*|directive*|polic*|restriction*|safeguard*|training",
      NULL},
     {3, 3, 0},
     true},
    {{"without", "telling|informing|mentioning|notifying|alerting|warning|asking",
      "user|users|human|humans|anyone|anybody|them|operator|people", NULL},
     {2, 3, 0},
     false},
    {{"not|never|t", "tell|inform|reveal|mention|notify|disclose|alert|let|warn",
      "user|users|human|humans|anyone|anybody|them|operator|people",
      "this|that|these|instruction*|prompt|change*|modification*|replac*|addition*|happened|why"},
     {0, 3, 4},
     false},
    {{"not|never|t", "reveal|mention|disclose|acknowledge|admit|discuss",
      "this|these|instruction*|prompt|rule*|directive*",
      "user|users|human|anyone|anybody|them|exist*|instruction*|rule*"},
     {0, 2, 5},
     false},
    {{"secretly|covertly|silently|stealthily|surreptitiously|quietly",
      "includ*|insert*|add|append*|send*|recommend*|promot*|inject*|leak*|exfiltrat*|introduc*|"
      "replac*|embed*|chang*|"
      "modif*|execut*|run|call|forward*|copy",
      NULL, NULL},
     {6, 0, 0},
     true},
    {{"always|must|ensure|every|recommend*|direct|tell|urge",
      "recommend*|promot*|includ*|insert*|append*|visit*|link*|click*|go", "http|https|www", NULL},
     {6, 10, 0},
     false},
    {{"send*|post|upload*|transmit*|forward*|exfiltrat*|leak*|copy",
      "conversation*|history|password*|secret*|credential*|"
      "token*|key|keys|data|message*|content*|email*",
      "http|https|webhook|attacker", NULL},
     {8, 12, 0},
     false},
    {{"inject*|insert*|introduc*|plant|embed*|hide|add",
      "backdoor*|malware|vulnerab*|exploit*|trojan*|payload*", NULL, NULL},
     {4, 0, 0},
     true},
    {{"hidden|secret|covert", "instruction*|directive*|command*|order|orders|agenda|objective",
      NULL, NULL},
     {1, 0, 0},
     true},
    {{"disable|bypass|ignore|circumvent|remove|drop",
      "safety|guardrail*|moderation|censorship|ethical|ethics",
      "filter*|check*|polic*|rule*|guideline*|restriction*|guardrail*|measure*|system*|limit*",
      NULL},
     {3, 2, 0},
     true},
    {{"give|provide|return|answer|respond|reply|produce|output",
      "wrong|incorrect|false|misleading|inaccurate",
      "answer*|information|result*|fact*|number*|value*|response*|code", NULL},
     {5, 2, 0},
     true},
};

static bool word_is(const struct words *w, size_t i, const char *list) {
    struct bz_view v = bz_view(w->fold + w->list[i].at, w->list[i].n);
    while (*list != '\0') {
        size_t n = strcspn(list, "|");
        bool open = n > 0 && list[n - 1] == '*';
        size_t len = n - open;
        if ((open ? v.n >= len : v.n == len) && memcmp(v.p, list, len) == 0)
            return true;
        list += n + (list[n] == '|');
    }
    return false;
}

static bool matches(const struct words *w, size_t i, const struct order *o) {
    if (!word_is(w, i, o->groups[0]))
        return false;
    for (size_t k = i < 4 ? 0 : i - 4; o->negated_is_fine && k < i; k++) {
        if (word_is(w, k, "not|never|don|avoid|cannot|refuse|can|shouldn|mustn|won|without|nor"))
            return false;
    }
    for (size_t g = 1; g < 4 && o->groups[g] != NULL; g++) {
        size_t end = i + 1 + o->gap[g - 1], k = i + 1;
        for (; k <= end && k < w->n; k++) {
            if (word_is(w, k, o->groups[g]))
                break;
        }
        if (k > end || k >= w->n)
            return false;
        i = k;
    }
    return true;
}

static bool has_order(const struct words *w, size_t *ret_word) {
    for (size_t i = 0; i < w->n; i++) {
        for (size_t k = 0; k < sizeof orders / sizeof orders[0]; k++) {
            if (matches(w, i, &orders[k])) {
                *ret_word = i;
                return true;
            }
        }
    }
    return false;
}

/* ---- what text says -------------------------------------------------------------------------- */

static const uint8_t *find(struct bz_view v, const char *what) {
    return v.n == 0 ? NULL : memmem(v.p, v.n, what, strlen(what));
}

static const uint8_t *link_in(struct bz_view v) {
    static const char *const marks[] = {
        "http://", "https://",  "www.",      "curl ",    "wget ",     "rm -rf",     "powershell",
        "/bin/sh", "/bin/bash", "base64 -d", "chmod +x", "os.system", "subprocess", "nc -e"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const uint8_t *p = find(v, marks[i]);
        if (p != NULL)
            return p;
    }
    return NULL;
}

enum { SENTENCE = 4, FOREIGN = 8 };

static bool is_sentence(const struct words *w, size_t *ret_word) {
    size_t run = 0;
    for (size_t i = 0; i < w->n; i++) {
        run = w->list[i].joined && i > 0 ? run + 1 : 1;
        if (run >= SENTENCE) {
            *ret_word = i + 1 - run;
            return true;
        }
    }
    *ret_word = 0;
    return w->foreign >= FOREIGN;
}

enum tpl_says tpl_says(struct tpl *t, struct bz_view text, struct bz_view *ret_where) {
    struct words w;
    size_t word = 0;
    *ret_where = text;
    if (!words_of(t, text, &w))
        return TS_NOTHING;
    const uint8_t *p = link_in(text);
    enum tpl_says says = has_order(&w, &word) ? TS_ORDER : TS_NOTHING;
    if (says == TS_NOTHING && p != NULL) {
        *ret_where = bz_view(p, (size_t)(text.p + text.n - p));
        return TS_LINK;
    }
    if (says == TS_NOTHING)
        says = is_sentence(&w, &word) ? TS_WORDS : TS_NOTHING;
    if (word < w.n)
        *ret_where = bz_view_sub(text, w.list[word].off, text.n);
    return says;
}

bool tpl_is_words(struct bz_view text) {
    size_t run = 0, best = 0;
    bool foreign = false;
    if (text.n == 0 || (text.p[0] < 0x80 && !is_letter(text.p[0]) && text.p[0] != ' '))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (strchr("<>[]{}|`#@\\=*_", text.p[i]) != NULL)
            return false;
        run = is_letter(text.p[i]) ? run + 1 : 0;
        best = run > best ? run : best;
        foreign = foreign || text.p[i] >= 0x80;
    }
    return (best >= 3 || foreign) && text.p[text.n - 1] != ':';
}

bool tpl_has_dunder(struct bz_view v) {
    for (size_t i = 0; i + 5 < v.n; i++) {
        size_t k = i + 2;
        if (v.p[i] != '_' || v.p[i + 1] != '_' || !is_letter(v.p[k]))
            continue;
        while (k < v.n && is_letter(v.p[k]))
            k++;
        while (k < v.n &&
               (is_letter(v.p[k]) || (v.p[k] == '_' && k + 1 < v.n && is_letter(v.p[k + 1]))))
            k++;
        if (k + 1 < v.n && v.p[k] == '_' && v.p[k + 1] == '_')
            return true;
    }
    return false;
}

/* ---- what it hides --------------------------------------------------------------------------- */

struct look {
    struct tpl *t;
    struct bz_view text;
    uint32_t before;   /* the code point before */
    size_t selectors;  /* in a row */
    bool latin, other; /* in this word */
    size_t word;
    size_t blob; /* where the run of base64 letters began */
    bool upper, lower, digit;
};

static bool is_tag(uint32_t cp) {
    return (cp >= 0xe0000 && cp <= 0xe007f) || (cp >= 0xe0100 && cp <= 0xe01ef);
}

static bool turns(uint32_t cp) {
    return (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

static bool hides(const struct look *l, uint32_t cp, size_t at, size_t next) {
    bool ascii = l->before < 0x80 || (next < l->text.n && l->text.p[next] < 0x80);
    if (cp == 0x200c || cp == 0x200d || cp == 0x200e || cp == 0x200f || cp == 0x00ad)
        return ascii && cp != 0x200f; /* scripts that need them, joined emoji */
    if (cp == 0xfeff)
        return at > 0;
    return is_zero_width(cp) || turns(cp) || cp == 0x115f || cp == 0x1160 || cp == 0x3164 ||
           cp == 0xffa0 || (cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r') ||
           (cp >= 0x7f && cp <= 0x9f);
}

static void end_word(struct look *l, size_t at) {
    if (l->latin && l->other)
        tpl_found(l->t, TPL_R_HOMOGLYPH, (uint32_t)l->word,
                  bz_view_sub(l->text, l->word, at - l->word));
    l->latin = l->other = false;
    l->word = SIZE_MAX;
}

static void look_word(struct look *l, uint32_t cp, size_t at) {
    bool latin = cp < 0x80 && is_letter((uint8_t)cp), other = cp >= 0x80 && looks_like(cp) != 0;
    bool letter = latin || other || (cp >= 0xc0 && cp < 0x2000 && cp != 0xd7 && cp != 0xf7);
    if (!letter) {
        end_word(l, at);
        return;
    }
    if (l->word == SIZE_MAX)
        l->word = at;
    l->latin = l->latin || latin;
    l->other = l->other || other;
}

enum { BLOB = 160 };

static void look_blob(struct look *l, uint32_t cp, size_t at) {
    bool upper = cp >= 'A' && cp <= 'Z', lower = cp >= 'a' && cp <= 'z',
         digit = cp >= '0' && cp <= '9';
    if (upper || lower || digit || cp == '+' || cp == '/' || cp == '=') {
        if (l->blob == SIZE_MAX)
            l->blob = at;
        l->upper = l->upper || upper;
        l->lower = l->lower || lower;
        l->digit = l->digit || digit;
        return;
    }
    if (l->blob != SIZE_MAX && at - l->blob >= BLOB && l->upper && l->lower && l->digit)
        tpl_found(l->t, TPL_R_BLOB, (uint32_t)l->blob, bz_view_sub(l->text, l->blob, at - l->blob));
    l->blob = SIZE_MAX;
    l->upper = l->lower = l->digit = false;
}

static void look_hidden(struct look *l, uint32_t cp, size_t at, size_t next) {
    l->selectors = cp >= 0xfe00 && cp <= 0xfe0f ? l->selectors + 1 : 0;
    if (is_tag(cp) || l->selectors > 1)
        tpl_found(l->t, TPL_R_TAGS, (uint32_t)at, bz_view_sub(l->text, at, 64));
    else if (hides(l, cp, at, next))
        tpl_found(l->t, TPL_R_INVISIBLE, (uint32_t)at, bz_view_sub(l->text, at, 64));
    l->before = cp;
}

void tpl_look(struct tpl *t, struct bz_view text) {
    struct look l = {.t = t, .text = text, .word = SIZE_MAX, .blob = SIZE_MAX};
    for (size_t i = 0; i < text.n && t->st == BZ_OK;) {
        uint32_t cp = 0xfffd;
        size_t n = bz_utf8_next(bz_view_sub(text, i, 4), &cp);
        n = n == 0 ? 1 : n;
        look_hidden(&l, cp, i, i + n);
        look_word(&l, cp, i);
        look_blob(&l, cp, i);
        i += n;
    }
    end_word(&l, text.n);
    look_blob(&l, ' ', text.n);
}

void tpl_look_string(struct tpl *t, uint32_t off, struct bz_view text) {
    struct look l = {.t = t, .text = text};
    for (size_t i = 0; i < text.n && t->st == BZ_OK;) {
        uint32_t cp = 0xfffd;
        size_t n = bz_utf8_next(bz_view_sub(text, i, 4), &cp);
        n = n == 0 ? 1 : n;
        if (is_tag(cp) || turns(cp))
            tpl_found(t, TPL_R_TAGS, off, text);
        else if (cp > 0x9f && hides(&l, cp, i, i + n))
            tpl_found(t, TPL_R_INVISIBLE, off, text);
        l.before = cp;
        i += n;
    }
}
