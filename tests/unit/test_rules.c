/* Rule files: the language of patterns, the schema with its errors, caps on both sides, the rules that
 * come with Bartizan, and what a pack that is not whole gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <bartizan/crypto.h>
#include <bartizan/injection.h>

enum { PACK_MAX = 32 << 20 };

static struct bz_rule_error err;

static enum bz_status compile(const char *yaml, struct bz_buf *out) {
    struct bz_rule_file f = {BZ_V("test.yaml"), bz_view_str(yaml)};
    bz_buf_init(out, PACK_MAX);
    return bz_rules_compile(&f, 1, out, &err);
}

static struct bz_injection *open_rules(struct bz_view rules) {
    static struct bz_buf pack;
    struct bz_injection *j = NULL;
    bz_buf_free(&pack);
    bz_buf_init(&pack, PACK_MAX);
    assert_int_equal(bz_injection_pack(rules, bz_view(NULL, 0), &pack), BZ_OK);
    assert_int_equal(bz_injection_open(bz_buf_view(&pack), &j), BZ_OK);
    return j;
}

static struct bz_judged judge(struct bz_injection *j, const char *text, enum bz_channel c) {
    struct bz_arena ar;
    struct bz_judged out = {.score = -1};
    bz_arena_init(&ar, bz_alloc_heap, 64 << 20, NULL, 0);
    assert_int_equal(bz_injection_judge(j, bz_view_str(text), c, BZ_DETECT_RULES, &ar, &out),
                     BZ_OK);
    bz_arena_free(&ar);
    return out;
}

/* ---- the language ---- */

#define HEAD "version: 1\nfamily: f\n"
#define WORDS                                                                                      \
    "words:\n  verb:\n    en: [drop, \"let go\"]\n    de: ['wirf*']\n    ja: [捨て]\n"           \
    "  noun: ['stone*', '*berg', '\"<|x|>\"']\n  not: [never, 'do not']\n  soft: [museum]\n"
/* A rule with one pattern and the example that shows it. */
#define RULE(langs, pattern, match)                                                                \
    HEAD WORDS "rules:\n- id: r\n  what: w\n  score: 0.9\n  languages: [" langs "]\n"              \
               "  patterns: ['" pattern "']\n  match: ['" match "']\n"

static const struct {
    const char *langs, *pattern, *match; /* match: an example that compiles */
    const char *yes[6], *no[6];
} language[] = {
    {"en",
     "{verb} ~2 {noun}",
     "drop the stone",
     {"drop stones", "Drop. A big stone!", "let  go\nof the stone", "drop that Zugberg",
      "drop it: <|x|>"},
     {"drop a very big stone", "dropped the stone", "stone drop", "let the stone go",
      "drop unbergy"}},
    {"en", "{verb} {noun}", "drop stones", {"drop, stones"}, {"drop the stones", "dropstones"}},
    {"de", "{verb} ~1 {noun}", "wirf steine stone", {"WIRFST stones"}, {"werf stone"}},
    {"ja", "{noun} ~3 {verb}", "stoneを捨て", {"この stone を 捨てて"}, {"stoneとそれらを捨て"}},
    {"en",
     "!{not} {verb} ~2 {noun}",
     "drop stones",
     {"never, drop stones", "why not drop stones"},
     {"never drop stones", "Do not drop stones"}},
    {"en",
     "^ {verb} {noun}",
     "drop stones",
     {"hi\n- drop stones", "  > drop stones"},
     {"please drop stones"}},
    {"en",
     "{verb} {noun} $",
     "drop stones",
     {"drop stones.\nhi", "drop stones!"},
     {"drop stones now"}},
    {"en",
     "{verb} (the|these|\"{\")? {noun}",
     "drop the stone",
     {"drop stones", "drop these stones", "drop {stones"},
     {"drop those stones"}},
    {"en",
     "\"[x](\" ..9 \")\"",
     "[x](abc)",
     {"a[X](123456789)b"},
     {"[x](1234567890)", "[x](1\n2)"}},
    {"en", "stone@ ~1 drop", "stone drop", {"stone and drop"}, {"stone and a drop"}},
};

static void patterns(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof language / sizeof language[0]; i++) {
        char yaml[2048];
        struct bz_buf out;
        (void)snprintf(yaml, sizeof yaml, RULE("%s", "%s", "%s"), language[i].langs,
                       language[i].pattern, language[i].match);
        enum bz_status st = compile(yaml, &out);
        if (st != BZ_OK)
            fail_msg("%s: %u:%u: %s", language[i].pattern, err.line, err.column, err.text);
        struct bz_injection *j = open_rules(bz_buf_view(&out));
        for (size_t k = 0; k < 6; k++) {
            const char *yes = language[i].yes[k], *no = language[i].no[k];
            if (yes != NULL && judge(j, yes, BZ_CHANNEL_TOOL).score < 0.9f)
                fail_msg("%s does not match: %s", language[i].pattern, yes);
            if (no != NULL && judge(j, no, BZ_CHANNEL_TOOL).score != 0)
                fail_msg("%s matches: %s", language[i].pattern, no);
        }
        bz_injection_close(j);
        bz_buf_free(&out);
    }
}

/* ---- the schema: each error with its line and column ---- */

#define TOP "version: 1\nfamily: f\nwords: {verb: [drop], noun: {en: [stone]}}\n"
#define GOOD                                                                                       \
    "rules:\n- id: r\n  what: w\n  score: 0.5\n  patterns: [drop stone]\n  match: [drop stone]\n"

static const struct {
    const char *yaml;
    uint32_t line, column;
    const char *text; /* a part of it */
} errors[] = {
    {"", 1, 1, "empty"},
    {"- a\n", 1, 1, "keys with values"},
    {"version: 2\n", 1, 10, "'version: 1'"},
    {"family: f\n", 1, 1, "'version: 1'"},
    {TOP, 1, 1, "a list of rules"},
    {TOP "rules: []\n", 4, 8, "a list of rules"},
    {TOP "rulez: []\n", 4, 1, "unknown key 'rulez'"},
    {TOP GOOD "version: 1\n", 10, 1, "twice"},
    {"version: 1\nwords: {a: []}\n" GOOD, 2, 12, "a list of words"},
    {"version: 1\nwords: {Big: [a]}\n" GOOD, 2, 9, "small letters"},
    {"version: 1\nwords: {a: {en: [b], en: [c]}}\n" GOOD, 2, 22, "twice"},
    {"version: 1\nwords: {a: [b], a: [c]}\n" GOOD, 2, 17, "twice"},
    {"version: 1\nwords: {a: ['b*c']}\n" GOOD, 2, 13, "a star"},
    {"version: 1\nwords: {a: ['*']}\n" GOOD, 2, 13, "a star"},
    {"version: 1\nwords: {a: ['\"X\"']}\n" GOOD, 2, 13, "small letters"},
    {"version: 1\nwords: {a: ['\"x']}\n" GOOD, 2, 13, "a quote is open"},
    {"version: 1\nwords: {a: ['a b c d e f g h i']}\n" GOOD, 2, 13, "more than 8 words"},
    {TOP "rules:\n- id: r\n", 5, 3, "key 'what' is missing"},
    {TOP "rules:\n- {id: R, what: w, score: 1, patterns: [drop], match: [a]}\n", 5, 8,
     "small letters"},
    {TOP "rules:\n- {id: r, what: w, score: 1.1, patterns: [drop], match: [drop]}\n", 5, 27,
     "not a number"},
    {TOP "rules:\n- {id: r, what: w, score: .5, patterns: [drop], match: [drop]}\n", 5, 27,
     "not a number"},
    {TOP "rules:\n- {id: r, what: w, score: 0.1234, patterns: [drop], match: [drop]}\n", 5, 27,
     "not a number"},
    {TOP "rules:\n- {id: r, what: w, score: {user: 1}, patterns: [drop], match: [drop]}\n", 5, 27,
     "no value for channel 'tool'"},
    {TOP
     "rules:\n- {id: r, what: w, score: 1, channels: [users], patterns: [drop], match: [drop]}\n",
     5, 41, "'users' is not one of"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: [], match: [drop]}\n", 5, 40,
     "a list of patterns"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: ['{nouns}'], match: [drop]}\n", 5, 41,
     "no word list {nouns} for language any"},
    {TOP "rules:\n- {id: r, what: w, score: 1, languages: [en, de], patterns: ['{noun}'], match: "
         "[stone]}\n",
     5, 62, "no word list {noun} for language de"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: ['a ~0 drop'], match: [drop]}\n", 5, 41,
     "a number from 1 to 24"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: ['a ~25 drop'], match: [drop]}\n", 5, 41,
     "a number from 1 to 24"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: ['a ..241 drop'], match: [drop]}\n", 5, 41,
     "a number from 1 to 240"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: ['~3 drop'], match: [drop]}\n", 5, 41,
     "a gap stands between"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: ['drop ~3'], match: [drop]}\n", 5, 41,
     "a gap stands between"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: ['drop ^ stone'], match: [drop]}\n", 5, 41,
     "at the beginning alone"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: ['drop $ stone'], match: [drop]}\n", 5, 41,
     "at the end alone"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: ['(drop|stone'], match: [drop]}\n", 5, 41,
     "not closed"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: ['{verb'], match: [drop]}\n", 5, 41,
     "not closed"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: ['{verb}x'], match: [drop]}\n", 5, 41,
     "a blank is expected"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: ['(a|{verb})'], match: [drop]}\n", 5, 41,
     "need quotes"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: ['a be'], match: [drop]}\n", 5, 41,
     "3 bytes or more"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: ['drop? stone'], match: [stone]}\n", 5, 41,
     "may be left out"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: [drop], match: []}\n", 5, 55,
     "at least one example"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: [drop], match: [drop, stone]}\n", 5, 62,
     "does not match this example"},
    {TOP
     "rules:\n- {id: r, what: w, score: 1, patterns: [drop], match: [drop], pass: [a, Drop it]}\n",
     5, 73, "matches this example"},
    {TOP "rules:\n- {id: r, what: w, score: 1, patterns: [drop, stone], match: [drop]}\n", 5, 47,
     "found by this pattern"},
    {"version: 1\nfamily: f\nwords: {w: {en: [alpha], de: [bravo]}}\nrules:\n"
     "- {id: r, what: w, score: 1, languages: [en, de], patterns: ['{w}'], match: [alpha]}\n",
     5, 62, "in language 'de'"},
    {TOP GOOD "pass: [drop stones, drop stone]\n", 10, 21, "matches this example"},
    {TOP "rules: &a []\n", 4, 8, "anchors"},
    {TOP "rules: !!seq []\n", 4, 8, "tags"},
    {TOP "rules: [[[[[[[a]]]]]]]\n", 4, 13, "nested too deeply"},
    {TOP GOOD "---\nversion: 1\n", 10, 1, "only one document"},
    {"version: [1\n", 2, 1, "not valid YAML"},
};

static void schema(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct bz_buf out;
        enum bz_status st = compile(errors[i].yaml, &out);
        if (st != BZ_ESYNTAX || err.line != errors[i].line || err.column != errors[i].column ||
            strstr(err.text, errors[i].text) == NULL)
            fail_msg("%s\ngives %s %u:%u: %s\nnot %u:%u: %s", errors[i].yaml, bz_status_text(st),
                     err.line, err.column, err.text, errors[i].line, errors[i].column,
                     errors[i].text);
        assert_true(bz_view_eq(err.file, BZ_V("test.yaml")));
        assert_int_equal(out.n, 0);
        bz_buf_free(&out);
    }
}

static void twice(void **state) {
    (void)state;
    const char *yaml = TOP GOOD;
    struct bz_rule_file f[] = {{BZ_V("a"), bz_view_str(yaml)}, {BZ_V("b"), bz_view_str(yaml)}};
    struct bz_buf out;
    bz_buf_init(&out, PACK_MAX);
    assert_int_equal(bz_rules_compile(f, 2, &out, &err), BZ_EEXISTS);
    assert_true(bz_view_eq(err.file, BZ_V("b")));
    assert_int_equal(err.line, 5);
    assert_int_equal(bz_rules_compile(f, 1, &out, NULL), BZ_OK);
    bz_buf_free(&out);
}

/* ---- caps, the last value that is good and the first that is not ---- */

static void put_rules(struct bz_buf *b, unsigned rules, unsigned patterns) {
    bz_buf_puts(b, TOP "rules:\n");
    for (unsigned i = 0; i < rules; i++) {
        bz_buf_printf(b, "- {id: r%u, what: w, score: 1, patterns: [", i);
        for (unsigned p = 0; p < patterns; p++)
            bz_buf_printf(b, "%sw%ux%u", p == 0 ? "" : ", ", i, p);
        bz_buf_puts(b, "], match: ['");
        for (unsigned p = 0; p < patterns; p++)
            bz_buf_printf(b, "w%ux%u ", i, p);
        bz_buf_puts(b, "']}\n");
    }
}

static enum bz_status compile_buf(struct bz_buf *text) {
    struct bz_rule_file f = {BZ_V("test.yaml"), bz_buf_view(text)};
    struct bz_buf out;
    bz_buf_init(&out, PACK_MAX);
    enum bz_status st = bz_rules_compile(&f, 1, &out, &err);
    bz_buf_free(&out);
    return st;
}

static void many_rules(void **state) {
    (void)state;
    struct bz_buf b;
    bz_buf_init(&b, 4 << 20);
    put_rules(&b, BZ_RULES_MAX, 1);
    assert_int_equal(compile_buf(&b), BZ_OK);
    bz_buf_reset(&b);
    put_rules(&b, BZ_RULES_MAX + 1, 1);
    assert_int_equal(compile_buf(&b), BZ_ESYNTAX);
    assert_non_null(strstr(err.text, "too many rules"));
    bz_buf_free(&b);
}

/* Each pattern in 32 languages, so that values and bytes of the file stay few. */
static void put_languages(struct bz_buf *b, unsigned rule, unsigned patterns) {
    bz_buf_printf(b, "- {id: r%u, what: w, score: 1, match: [word%u], languages: [a0", rule, rule);
    for (unsigned i = 1; i < 32; i++)
        bz_buf_printf(b, ", a%u", i);
    bz_buf_puts(b, "], patterns: [");
    for (unsigned i = 0; i < patterns; i++)
        bz_buf_printf(b, "%sword%u", i == 0 ? "" : ", ", rule);
    bz_buf_puts(b, "]}\n");
}

static void many_patterns(void **state) {
    (void)state;
    struct bz_buf b;
    bz_buf_init(&b, 4 << 20);
    for (unsigned extra = 0; extra < 2; extra++) {
        bz_buf_reset(&b);
        bz_buf_puts(&b, "version: 1\nfamily: f\nrules:\n");
        for (unsigned rule = 0; rule < BZ_RULE_PATTERNS_MAX / 32 / 32; rule++)
            put_languages(&b, rule, 32);
        if (extra != 0)
            bz_buf_puts(&b, "- {id: x, what: w, score: 1, match: [xxx], patterns: [xxx]}\n");
        assert_int_equal(compile_buf(&b), extra != 0 ? BZ_ESYNTAX : BZ_OK);
        assert_true((strstr(err.text, "too many patterns") != NULL) == (extra != 0));
    }
    bz_buf_free(&b);
}

static void long_values(void **state) {
    (void)state;
    struct bz_buf b;
    bz_buf_init(&b, 4 << 20);
    for (unsigned extra = 0; extra < 2; extra++) {
        bz_buf_reset(&b); /* an example */
        bz_buf_puts(&b, TOP "rules:\n- {id: r, what: w, score: 1, patterns: [drop], match: ['drop");
        for (unsigned i = 4; i < BZ_RULE_EXAMPLE_MAX + extra; i++)
            bz_buf_puts(&b, ".");
        bz_buf_puts(&b, "']}\n");
        assert_int_equal(compile_buf(&b), extra != 0 ? BZ_ESYNTAX : BZ_OK);
        bz_buf_reset(&b); /* a file */
        bz_buf_puts(&b, TOP GOOD "#");
        while (b.n < BZ_RULE_FILE_MAX + extra)
            bz_buf_puts(&b, ".");
        assert_int_equal(compile_buf(&b), extra != 0 ? BZ_ETOOBIG : BZ_OK);
        bz_buf_reset(&b); /* a word */
        bz_buf_puts(&b, "version: 1\nfamily: f\nrules:\n- {id: r, what: w, score: 1, patterns: [");
        for (unsigned i = 0; i < 64 + extra; i++)
            bz_buf_puts(&b, "x");
        bz_buf_puts(&b, "], match: [");
        for (unsigned i = 0; i < 64 + extra; i++)
            bz_buf_puts(&b, "x");
        bz_buf_puts(&b, "]}\n");
        assert_int_equal(compile_buf(&b), extra != 0 ? BZ_ESYNTAX : BZ_OK);
    }
    bz_buf_free(&b);
}

/* Values of the file: keys and texts and what holds them. TOP GOOD has some 40. */
static void many_values(void **state) {
    (void)state;
    struct bz_buf b;
    bz_buf_init(&b, 4 << 20);
    for (unsigned extra = 0; extra < 2; extra++) {
        bz_buf_reset(&b);
        bz_buf_puts(&b, TOP GOOD "pass:\n");
        for (unsigned i = 0; i < BZ_RULE_NODES_MAX - (extra != 0 ? 10 : 100); i++)
            bz_buf_puts(&b, "- a\n");
        assert_int_equal(compile_buf(&b), extra != 0 ? BZ_ESYNTAX : BZ_OK);
        assert_true((strstr(err.text, "too many values") != NULL) == (extra != 0));
    }
    bz_buf_free(&b);
}

static void many_files(void **state) {
    (void)state;
    static char yaml[BZ_RULE_FILES_MAX + 1][256];
    struct bz_rule_file f[BZ_RULE_FILES_MAX + 1];
    struct bz_buf out;
    for (unsigned i = 0; i <= BZ_RULE_FILES_MAX; i++) {
        (void)snprintf(yaml[i], sizeof yaml[i],
                       "version: 1\nfamily: f\nrules:\n- {id: r%u, what: w, score: 1, patterns: "
                       "[drop], match: [drop]}\n",
                       i);
        f[i] = (struct bz_rule_file){BZ_V("f"), bz_view_str(yaml[i])};
    }
    bz_buf_init(&out, PACK_MAX);
    assert_int_equal(bz_rules_compile(f, BZ_RULE_FILES_MAX, &out, &err), BZ_OK);
    assert_int_equal(bz_rules_compile(f, BZ_RULE_FILES_MAX + 1, &out, &err), BZ_ETOOBIG);
    bz_buf_free(&out);
}

/* ---- those that come with Bartizan ---- */

static struct bz_buf builtin;

static struct bz_injection *open_builtin(void) {
    struct bz_rule_file f[BZ_RULE_FILES_MAX];
    size_t n = bz_rules_builtin(f);
    assert_true(n >= 10);
    bz_buf_init(&builtin, PACK_MAX);
    enum bz_status st = bz_rules_compile(f, n, &builtin, &err);
    if (st != BZ_OK)
        fail_msg("%.*s:%u:%u: %s", (int)err.file.n, (const char *)err.file.p, err.line, err.column,
                 err.text);
    return open_rules(bz_buf_view(&builtin));
}

/* Their examples run when they are compiled: every pattern, in every language. */
static void ours(void **state) {
    (void)state;
    const struct bz_injection_rule *v = NULL;
    struct bz_injection *j = open_builtin();
    size_t n = bz_injection_rules(j, &v);
    assert_true(n >= 30);
    for (size_t i = 0; i < n; i++) {
        assert_true(v[i].id.n > 0 && v[i].family.n > 0 && v[i].what.n > 0 && v[i].refs.n > 0);
        assert_true((v[i].channels & 1u << BZ_CHANNEL_TOOL) != 0);
        assert_true(v[i].score[BZ_CHANNEL_USER] <= v[i].score[BZ_CHANNEL_TOOL]);
    }
    bz_injection_close(j);
    bz_buf_free(&builtin);
}

/* Everyday sentences that hold the words of attacks. */
static void benign(void **state) {
    (void)state;
    static const char *const text[] = {
        "Can I ignore this warning when I compile the previous version?",
        "Please summarise the instructions that came with the washing machine.",
        "How do I prevent prompt injection such as 'ignore all previous instructions'?",
        "Forget about the earlier meeting, let us start with the new rules of the game.",
        "Act as a travel guide and write a short text about Porto.",
        "I forgot the password of my router. How do I reset it?",
        "How can I enable developer mode on my Android phone?",
        "Write an email to all users and tell them about the system update.",
        "In Python, how do I override a method of the base class?",
        "Show me the system requirements of Debian 12.",
        "What does the system prompt of a shell look like?",
        "Translate: 'The previous guidelines were ignored by the company.'",
        "Decode this base64 string in Python and print it.",
        "Explain how a jailbreak of a phone works in general.",
        "Ignorieren Sie die Fehlermeldung und starten Sie den Rechner neu.",
        "Oublie les clés, nous prenons le bus.",
        "Olvidé mi contraseña, ¿cómo la recupero?",
        "忽略大小写比较两个字符串",
        "前のページに戻る方法を教えてください。",
        "이전 버전의 규칙을 설명해 주세요.",
    };
    struct bz_injection *j = open_builtin();
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        struct bz_judged r = judge(j, text[i], BZ_CHANNEL_USER);
        if (r.score >= BZ_SCORE_FLAG)
            fail_msg("%s: %.2f by %.*s", text[i], (double)r.score, (int)r.reasons[0].id.n,
                     (const char *)r.reasons[0].id.p);
    }
    bz_injection_close(j);
    bz_buf_free(&builtin);
}

/* ---- packs that are not whole ---- */

static void broken(void **state) {
    (void)state;
    struct bz_buf out, pack;
    struct bz_injection *j = NULL;
    assert_int_equal(compile(TOP GOOD, &out), BZ_OK);
    bz_buf_init(&pack, PACK_MAX);
    for (size_t i = 0; i < out.n; i++) { /* a rules' pack that is cut */
        struct bz_view cut = bz_view(out.p, i);
        if (i > 0 && (i < 200 || i % 97 == 0))
            assert_int_not_equal(bz_injection_pack(cut, bz_view(NULL, 0), &pack), BZ_OK);
    }
    bz_buf_reset(&pack);
    assert_int_equal(bz_injection_pack(bz_buf_view(&out), bz_view(NULL, 0), &pack), BZ_OK);
    for (size_t i = 0; i < pack.n; i += i < 400 ? 1 : 61) { /* one bit of it, one byte less of it */
        pack.p[i] ^= 1;
        assert_int_not_equal(bz_injection_open(bz_buf_view(&pack), &j), BZ_OK);
        pack.p[i] ^= 1;
        assert_int_not_equal(bz_injection_open(bz_view(pack.p, i), &j), BZ_OK);
    }
    out.p[12] ^= 1; /* the stamp of a build */
    assert_int_equal(bz_injection_pack(bz_buf_view(&out), bz_view(NULL, 0), &pack), BZ_EVERSION);
    bz_buf_free(&out);
    bz_buf_free(&pack);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),      cmocka_unit_test(schema),
        cmocka_unit_test(twice),         cmocka_unit_test(many_rules),
        cmocka_unit_test(many_patterns), cmocka_unit_test(long_values),
        cmocka_unit_test(many_values),   cmocka_unit_test(many_files),
        cmocka_unit_test(ours),          cmocka_unit_test(benign),
        cmocka_unit_test(broken),
    };
    if (bz_crypto_init() != BZ_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
