/* A chunk of text becomes rows: all symbols, and of each word what the other rows take of it. A word
 * is looked at when the next one begins: what stands behind it tells whether it is a number of a
 * piece ("1:", "part2 =") or the piece. */
#include "leak_int.h"

#include <bartizan/text.h>

static void flush(struct leak_pass *p, enum row_name row) {
    struct leak_batch *b = &p->batch[row];
    struct leak_found found;
    if (leak_row_scan(leak_row_of(p->w, row), &p->w->r->look, b->mem, b->n, &found))
        leak_found(p->w, row, &found);
    p->used &= ~(UINT32_C(1) << row);
}

void leak_batches_flush(struct leak_pass *p) {
    while (p->used != 0)
        flush(p, (enum row_name)__builtin_ctz(p->used));
}

static void put(struct leak_pass *p, enum row_name row, uint8_t c) {
    struct leak_batch *b = &p->batch[row];
    if ((p->used >> row & 1) == 0)
        b->n = 0;
    p->used |= UINT32_C(1) << row;
    b->mem[HIST + b->n++] = c;
    if (b->n == BATCH)
        flush(p, row);
}

/* ---- Morse, binary ---- */

static void morse_end(struct leak_pass *p) {
    struct bz_leak_watch *w = p->w;
    uint8_t c = w->morse_n != 0 ? leak_morse(w->morse, w->morse_n) : SYM_END;
    if (c != SYM_END)
        put(p, ROW_MORSE, c);
    w->morse = 0;
    w->morse_n = 0;
}

static void morse(struct leak_pass *p, uint32_t cp) {
    struct bz_leak_watch *w = p->w;
    bool dot = cp == '.' || cp == '*' || cp == 0xb7 || cp == 0x2022 || cp == 0x2219 || cp == 0x22c5;
    bool dash = cp == '-' || cp == '_' || cp == 0x2212 || (cp >= 0x2010 && cp <= 0x2015);
    if (dot || dash) {
        if (w->blank || w->morse_n != 0) {
            w->morse = w->morse << 1 | dash;
            w->morse_n += w->morse_n < 8;
        }
        w->blank = false;
        return;
    }
    morse_end(p);
    w->blank = cp == ' ' || cp == '\n' || cp == '\t' || cp == '/' || cp == '|' || cp == ',' ||
               cp == '"' || cp == '`';
}

static void bits(struct leak_pass *p, const uint8_t *sym, size_t n, bool rest) {
    struct bz_leak_watch *w = p->w;
    if (n >= 7 && !rest)
        w->bits_n = 0;
    for (size_t i = 0; i < n; i++) {
        w->bits = w->bits << 1 | (uint32_t)(sym[i] - SYM_DIGIT);
        if (++w->bits_n < 8 && !(n == 7 && i == 6 && w->bits_n == 7))
            continue;
        uint8_t c = leak_fold[w->bits & (w->bits_n == 8 ? 0xff : 0x7f)];
        if (c < SYM_END)
            put(p, ROW_BITS, c);
        w->bits_n = 0;
    }
}

/* ---- decoding ---- */

static uint32_t six_bits(uint8_t c) {
    return c >= 'A' && c <= 'Z'   ? (uint32_t)(c - 'A')
           : c >= 'a' && c <= 'z' ? (uint32_t)(c - 'a') + 26
                                  : (uint32_t)(c - '0') + 52;
}

static uint32_t four_bits(uint8_t c) {
    return c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 32) - 'a') + 10;
}

/* Text, most likely: then its symbols are a row's. */
static void put_decoded(struct leak_pass *p, enum row_name row, const uint8_t *v, size_t n) {
    size_t good = 0;
    for (size_t i = 0; i < n; i++)
        good += leak_fold[v[i]] != FOLD_HIDDEN && leak_fold[v[i]] != FOLD_WIDE;
    if (4 * good < 3 * n)
        return;
    for (size_t i = 0; i < n; i++)
        if (leak_fold[v[i]] < SYM_END)
            put(p, row, leak_fold[v[i]]);
}

/* A long word in letters and digits alone, from a place on where a group of the encoding begins. */
static void decode(struct leak_pass *p, const struct leak_word_state *s) {
    uint8_t out[WORD_MAX] = {0};
    uint32_t acc = 0, bits = 0;
    size_t n = 0;
    bool hex = true;
    for (uint32_t i = 0; i < s->n; i++) {
        hex = hex && leak_fold[s->raw[i]] != FOLD_WIDE &&
              (leak_fold[s->raw[i]] < 6 || leak_fold[s->raw[i]] >= SYM_DIGIT);
        acc = acc << 6 | six_bits(s->raw[i]);
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        out[n++] = (uint8_t)(acc >> bits);
    }
    put_decoded(p, ROW_BASE64, out, n);
    if (!hex)
        return;
    for (n = 0; 2 * n + 1 < s->n; n++)
        out[n] = (uint8_t)(four_bits(s->raw[2 * n]) << 4 | four_bits(s->raw[2 * n + 1]));
    put_decoded(p, ROW_HEX, out, n);
}

/* ---- runs of words ---- */

static void run_of_words(struct leak_pass *p, const uint8_t *sym, size_t n) {
    struct bz_leak_watch *w = p->w;
    const struct leak_tables *t = &w->r->look.tables;
    uint64_t gram;
    if (!leak_words_add(&w->words, leak_word(t->head->mul_word, sym, n), &gram))
        return;
    int item = leak_gram_find(t, gram);
    if (item >= 0 && leak_known_has(w->r, gram))
        item = -1;
    w->words.hits = w->words.hits << 1 | (item >= 0);
    if (item < 0)
        return;
    uint64_t lately = w->words.hits & ((UINT64_C(1) << GRAM_WINDOW) - 1);
    if (__builtin_popcountll(lately) >= t->items[item].need) {
        const struct leak_found found = {.item = item, .form = FORM_PLAIN};
        leak_found(w, ROW_TEXT, &found);
    }
}

/* ---- words ---- */

static bool odd(uint8_t flags, size_t n) {
    return n == 1 || (flags & (CH_BIT | CH_DIGIT | CH_WIDE)) != 0 || (flags & CH_VOWEL) == 0 ||
           (flags & (CH_INNER | CH_LOWER)) == (CH_INNER | CH_LOWER);
}

/* "1:", "(2)", "part3 =": tells which piece follows. */
static bool numbers_a_piece(const struct leak_word_state *s, const uint8_t *sym) {
    bool digits = (s->flags & ~(CH_BIT | CH_DIGIT)) == 0;
    if (digits)
        return s->n <= 3 && (s->colon || (s->stop && s->line));
    return s->colon && s->n <= 8 && sym[0] < SYM_DIGIT && sym[s->n - 1] >= SYM_DIGIT &&
           ((s->flags & CH_VOWEL) != 0 || s->n <= 3);
}

enum { DECODED = 12 };

static void odd_word(struct leak_pass *p, const struct leak_word_state *s, const uint8_t *sym) {
    for (size_t i = 0; i < s->n; i++) {
        put(p, ROW_ODD, sym[i]);
        put(p, ROW_LEET, leak_leet[sym[i]]);
    }
    if ((s->n >= DECODED || s->rest) && (s->flags & CH_WIDE) == 0)
        decode(p, s);
    if ((s->flags & ~CH_BIT) == 0)
        bits(p, sym, s->n, s->rest);
    else
        p->w->bits_n = 0;
}

/* "part 1: por, part 2: tal-": the first word behind a number, and what hangs on it. */
static void piece(struct leak_pass *p, const struct leak_word_state *s, const uint8_t *sym,
                  bool number) {
    bool is = !number && (p->w->piece == 1 || (p->w->piece == 2 && !s->apart));
    for (size_t i = 0; is && i < s->n; i++)
        put(p, ROW_PIECES, sym[i]);
    p->w->piece = number ? 1 : is ? 2 : 0;
}

static void look_at(struct leak_pass *p, const struct leak_word_state *s, const uint8_t *sym) {
    if (!s->rest) {
        put(p, ROW_FIRST, s->first);
        if (s->line)
            put(p, ROW_LINES, s->first);
        if (s->sentence)
            put(p, ROW_SENTENCES, s->first);
    }
    put(p, ROW_LAST, sym[s->n - 1]);
    uint8_t spelt = s->n == 1 ? sym[0] : leak_spelt(sym, s->n);
    bool article = s->n == 1 && (sym[0] == 0 || sym[0] == 8); /* a, I */
    if (spelt != SYM_END && !article)
        put(p, ROW_SPELT, spelt);
    bool is_odd = odd(s->flags, s->n), number = is_odd && numbers_a_piece(s, sym);
    if (is_odd && !article)
        p->w->r->codes += s->n;
    if (is_odd && !number)
        odd_word(p, s, sym);
    piece(p, s, sym, number);
}

/* The word that has ended; its symbols are the last of the text row. */
static void resolve(struct leak_pass *p) {
    struct leak_word_state *s = &p->w->word;
    const uint8_t *sym = p->text + HIST + p->n - s->n;
    if (s->n == 0)
        return;
    look_at(p, s, sym);
    if (p->w->r->look.has_tables && p->w->r->look.tables.head->grams != 0)
        run_of_words(p, sym, s->n);
    s->n = 0;
}

static void begin(struct leak_pass *p, uint8_t first, bool rest) {
    struct bz_leak_watch *w = p->w;
    resolve(p);
    struct leak_word_state *s = &w->word; /* raw is what n says */
    s->n = 0;
    s->flags = 0;
    s->first = first;
    s->rest = rest;
    s->apart = w->blank && !rest;
    s->line = w->line;
    s->sentence = w->sentence;
    s->waits = false;
    s->colon = false;
    s->stop = false;
    s->behind = 0;
    w->line = false;
    w->sentence = false;
    w->blank = false;
    w->morse = 0;
    w->morse_n = 0;
}

static void end(struct leak_pass *p) {
    struct leak_word_state *s = &p->w->word;
    if (s->n == 0 || s->waits)
        return;
    s->waits = true;
    s->colon = false;
    s->stop = false;
    s->behind = 0;
}

static void sign(struct leak_pass *p, uint32_t cp, uint8_t what) {
    struct bz_leak_watch *w = p->w;
    struct leak_word_state *s = &w->word;
    if (what == FOLD_HIDDEN)
        return;
    end(p);
    s->colon |= cp == ':' || cp == '=';
    s->stop |= s->behind == 0 && (cp == ')' || cp == ']' || cp == '.');
    s->behind = (uint8_t)(s->behind + (s->behind < 255));
    w->line |= what == FOLD_LINE;
    w->sentence |= what == FOLD_LINE || cp == '.' || cp == '!' || cp == '?';
    morse(p, what == FOLD_LINE ? '\n' : what == FOLD_SPACE ? ' ' : cp);
}

static void capitals(struct leak_pass *p, const uint8_t *v, size_t n) {
    for (size_t i = 0; i < n; i++)
        if ((leak_flags[v[i]] & (CH_UPPER | CH_BIT | CH_DIGIT)) != 0)
            put(p, ROW_CAPITALS, leak_fold[v[i]]);
}

/* Forms other than itself hold digits, or capitals within words: once there were some, the table of
 * the canary gets them. `at`: the place in the text row behind the symbol that is enough; so it is
 * the same place for every cut. */
static void complete(struct leak_pass *p, size_t at) {
    struct bz_leak_watch *w = p->w;
    struct leak_row *text = &w->rows[ROW_TEXT], again = {.n = 0};
    uint8_t mem[2 * HIST];
    leak_batches_flush(p);
    leak_text_scan(w, p->text, at);
    leak_canary_all(w->r->look.canary, w->r->canaries);
    memcpy(mem + HIST, text->hist + HIST - text->n, text->n);
    struct leak_found found;
    if (leak_row_scan(&again, &w->r->look, mem, text->n, &found))
        leak_found(w, ROW_TEXT, &found);
    w->syms += at;
    p->n -= at;
    memmove(p->text + HIST, p->text + HIST + at, p->n);
    memcpy(p->text, text->hist, HIST);
}

/* How many symbols of the word it takes, had of them being older than v; 0: it is not enough. */
static size_t enough(const struct leak_pass *p, size_t had, uint8_t flags, const uint8_t *v,
                     size_t n) {
    enum { CODES = 8 };
    const struct leak_canary *c = p->w->r->look.canary;
    if (c == NULL || c->all || p->w->r->codes + had + n < CODES)
        return 0;
    if (p->w->r->codes >= CODES)
        return 1;
    for (size_t i = 0; i < n; i++) {
        uint8_t f = leak_flags[v[i]];
        bool inner = (f & CH_UPPER) != 0 && had + i > 0;
        flags |= (uint8_t)((f & (CH_BIT | CH_DIGIT)) | (inner ? CH_INNER : 0));
        if ((flags & (CH_BIT | CH_DIGIT | CH_INNER)) != 0 && p->w->r->codes + had + i + 1 >= CODES)
            return i + 1;
    }
    return 0;
}

/* Symbols of one word at the beginning of v: bytes used. */
static size_t run(struct leak_pass *p, struct bz_view v) {
    struct leak_word_state *s = &p->w->word;
    if (s->n == 0 || s->waits)
        begin(p, leak_fold[v.p[0]], false);
    else if (s->n == WORD_MAX)
        begin(p, leak_fold[v.p[0]], true);
    uint8_t *to = p->text + HIST + p->n, had = s->flags;
    unsigned flags = had, fresh = s->n == 0 && !s->rest ? CH_UPPER : 0;
    size_t most = v.n < (size_t)(WORD_MAX - s->n) ? v.n : (size_t)(WORD_MAX - s->n), i = 0;
    do {
        unsigned f = leak_flags[v.p[i]];
        uint8_t c = leak_fold[v.p[i]];
        if (c >= SYM_END)
            break;
        to[i++] = c;
        flags |= f | (f & CH_UPPER & ~fresh) << 5;
        fresh = 0;
    } while (i < most);
    memcpy(s->raw + s->n, v.p, i);
    s->flags = (uint8_t)flags;
    p->n += i;
    size_t mark = 0;
    if ((flags & (CH_UPPER | CH_BIT | CH_DIGIT)) != 0) {
        mark = enough(p, s->n, had, v.p, i);
        capitals(p, v.p, mark);
        if (mark != 0)
            complete(p, p->n - i + mark);
        capitals(p, v.p + mark, i - mark);
    }
    s->n += (uint32_t)i;
    return i;
}

/* A word as most are at v.p[at]: small letters, a vowel among them, perhaps a capital in front, and
 * its end. It is in no row but those of all symbols, of first and of last letters (and capitals), and
 * nobody reads its bytes again. Bytes used, with the blank behind it; 0: it is another one. */
static size_t ordinary(struct leak_pass *p, struct bz_view v, size_t at) {
    const struct leak_canary *c = p->w->r->look.canary;
    struct leak_word_state *s = &p->w->word;
    uint8_t *to = p->text + HIST + p->n;
    unsigned flags = leak_flags[v.p[at]], capital = flags & CH_UPPER;
    size_t stop = v.n - at < WORD_MAX ? v.n : at + WORD_MAX, i = at + 1;
    if (capital != 0 && c != NULL && !c->all) /* see enough() */
        return 0;
    to[0] = leak_fold[v.p[at]];
    for (; i < stop && (leak_flags[v.p[i]] & CH_LOWER) != 0; i++) {
        flags |= leak_flags[v.p[i]];
        to[i - at] = (uint8_t)(v.p[i] - 'a');
    }
    size_t n = i - at;
    uint8_t behind = i < v.n ? leak_fold[v.p[i]] : FOLD_HIDDEN;
    if (n < 2 || (flags & CH_VOWEL) == 0 || behind < FOLD_SPACE || behind > FOLD_SIGN)
        return 0;
    begin(p, to[0], false);
    s->n = (uint32_t)n;
    s->flags = (uint8_t)flags;
    p->n += n;
    if (capital != 0)
        put(p, ROW_CAPITALS, to[0]);
    if (behind != FOLD_SPACE)
        return n;
    s->waits = true;
    s->behind = 1;
    p->w->blank = true;
    return n + 1;
}

static size_t wide(struct leak_pass *p, struct bz_view v) {
    struct leak_word_state *s = &p->w->word;
    uint8_t sym[4], what = FOLD_SIGN;
    uint32_t cp = 0;
    bool alone = false;
    size_t used = bz_utf8_next(v, &cp);
    size_t n = used != 0 ? leak_fold_wide(cp, sym, &what, &alone) : 0;
    if (n == 0) {
        sign(p, used != 0 ? cp : '?', what);
        return used != 0 ? used : 1;
    }
    for (size_t i = 0; i < n; i++) {
        if (s->n == 0 || s->waits || alone)
            begin(p, sym[i], false);
        else if (s->n == WORD_MAX)
            begin(p, sym[i], true);
        p->text[HIST + p->n++] = sym[i];
        s->raw[s->n++] = '0';
        s->flags |= (uint8_t)(sym[i] < SYM_FOREIGN ? CH_WIDE : CH_VOWEL);
    }
    if (alone)
        end(p);
    return used;
}

void leak_tokens(struct leak_pass *p, struct bz_view v) {
    const struct leak_word_state *s = &p->w->word;
    for (size_t i = 0; i < v.n;) {
        uint8_t c = leak_fold[v.p[i]];
        size_t used = c < SYM_DIGIT && (s->n == 0 || s->waits) ? ordinary(p, v, i) : 0;
        if (used != 0) {
            i += used;
        } else if (c < SYM_END) {
            i += run(p, bz_view_sub(v, i, v.n));
        } else if (c == FOLD_WIDE) {
            i += wide(p, bz_view_sub(v, i, v.n));
        } else if (c == FOLD_SPACE && p->w->morse_n == 0) { /* most of what is no letter */
            end(p);
            p->w->word.behind = 1;
            p->w->blank = true;
            i++;
        } else {
            sign(p, v.p[i], c);
            i++;
        }
    }
}

void leak_tokens_end(struct leak_pass *p) {
    end(p);
    resolve(p);
    morse_end(p);
}
