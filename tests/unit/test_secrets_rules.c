/* The tables of secrets, what judges a value, and what goes on behind the longest match. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../src/detect/secrets.h"
#include "samples_secrets.h"

/* ---- tables ---- */

/* The longest text of a form; 0: not understood. */
static size_t longest(const char *f) {
    size_t n = 0;
    while (*f != '\0') {
        if (*f == '\'') {
            const char *close = strchr(f + 1, '\'');
            if (close == NULL)
                return 0;
            n += (size_t)(close - f - 1);
            f = close + 1;
            continue;
        }
        char cls = *f++;
        if (cls == 'U') {
            n += 36;
            continue;
        }
        if (!form_class(cls, 'A') && !form_class(cls, 'a') && !form_class(cls, '7'))
            return 0;
        char *end = NULL;
        unsigned long min = strtoul(f, &end, 10), max = min;
        if (end == f)
            return 0;
        if (*end == '-')
            max = strtoul(end + 1, &end, 10);
        if (max < min || min == 0)
            return 0;
        n += max;
        f = end;
    }
    return n;
}

static void tables_are_sound(void **state) {
    (void)state;
    for (size_t i = 0; i < secrets_prefix_n; i++) {
        const struct secret_row *r = &secrets_prefix[i];
        size_t n = strlen(r->lead) + longest(r->form);
        if (i > 0 && strcmp(secrets_prefix[i - 1].lead, r->lead) > 0)
            fail_msg("%s is not in order", r->lead);
        if (longest(r->form) == 0 || n > BZ_DETECT_MATCH_MAX || r->type >= SECRET_COUNT)
            fail_msg("%s: form %s", r->lead, r->form);
    }
    for (size_t i = 0; i < secrets_keyed_n; i++) {
        const struct secret_row *r = &secrets_keyed[i];
        bool free_form = (r->flags & (ROW_PASSWORD | ROW_GENERIC | ROW_HEADER)) != 0;
        if (free_form != (r->form[0] == '\0') || longest(r->form) > BZ_DETECT_MATCH_MAX ||
            (!free_form && longest(r->form) == 0) || r->type >= SECRET_COUNT)
            fail_msg("row %zu of group %u: form %s", i, r->group, r->form);
    }
    for (size_t i = 0; i < secrets_words_n; i++) {
        const struct secret_word *w = &secrets_words[i];
        size_t first = 0;
        if (i > 0 && strcmp(secrets_words[i - 1].text, w->text) >= 0)
            fail_msg("%s is not in order", w->text);
        if (secrets_group(w->group, &first) == 0)
            fail_msg("%s: no row", w->text);
        for (const char *c = w->text; *c != '\0'; c++)
            assert_false(*c >= 'A' && *c <= 'Z');
    }
}

static void every_class_is_documented(void **state) {
    (void)state;
    static char doc[1 << 16];
    const char *root = getenv("BZ_SOURCE_ROOT");
    char path[1024];
    snprintf(path, sizeof path, "%s/docs/SECRETS.md", root == NULL ? "." : root);
    FILE *in = fopen(path, "r");
    if (in == NULL)
        fail_msg("%s: cannot be read", path);
    doc[fread(doc, 1, sizeof doc - 1, in)] = '\0';
    (void)fclose(in);
    static const char *const names[] = {
#define NAME(id, ...) id,
        SECRETS_TYPES(NAME)};
    for (size_t i = 0; i < SECRET_COUNT; i++) {
        char row[128];
        snprintf(row, sizeof row, "\n| `%s` |", names[i]);
        if (strstr(doc, row) == NULL)
            fail_msg("docs/SECRETS.md has no row for %s", names[i]);
    }
}

/* ---- forms and judgements ---- */

static void numbers_of_forms(void **state) {
    (void)state;
    char sum[6];
    uint8_t out[16];
    assert_int_equal(form_entropy(BZ_V("aaaaaaaa")), 0);
    assert_int_equal(form_entropy(BZ_V("abababab")), 10);
    assert_int_equal(form_entropy(BZ_V("0123456789abcdef")), 40);
    assert_int_equal(form_entropy(bz_view(NULL, 0)), 0);
    form_crc62(BZ_V("123456789"), sum); /* CRC-32's check value, 0xcbf43926 */
    uint32_t v = 0;
    for (size_t i = 0; i < 6; i++) {
        uint32_t d = sum[i] <= '9'   ? (uint32_t)sum[i] - '0'
                     : sum[i] <= 'Z' ? (uint32_t)sum[i] - 'A' + 10
                                     : (uint32_t)sum[i] - 'a' + 36;
        v = v * 62 + d;
    }
    assert_true(v == 0xcbf43926);
    assert_int_equal(form_base64(BZ_V("aGVsbG8="), out, sizeof out), 5);
    assert_memory_equal(out, "hello", 5);
    assert_int_equal(form_base64(BZ_V("_-_-"), out, 2), 2);
}

static void judges(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool random, placeholder, password;
    } rows[] = {
        {"q7F2mZx9Lw4T", true, false, true},       {"9f86d081884c7d65", true, false, true},
        {"OAuth2Credentials", false, false, true}, {"get_user_by_id_v2", false, false, true},
        {"your_api_key_1", false, true, false},    {"xxxxxxxxxxxxxxxxxxxx", false, true, false},
        {"<token1>", false, true, false},          {"${TOKEN_1}", false, true, false},
        {"passphrase", false, false, false},       {"12345678", false, false, false},
        {"hunter2!", false, false, true},          {"a1!", false, false, false},
        {"/run/secrets/db1", false, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_view v = bz_view_str(rows[i].text);
        if (judge_random(v) != rows[i].random || judge_placeholder(v) != rows[i].placeholder ||
            judge_password(v, true) != rows[i].password)
            fail_msg("%s: random %d, placeholder %d, password %d", rows[i].text, judge_random(v),
                     judge_placeholder(v), judge_password(v, true));
    }
    assert_true(judge_uuid(BZ_V("01234567-89ab-cdef-0123-456789abcdef")));
    assert_false(judge_uuid(BZ_V("01234567-89ab-cdef-0123_456789abcdef")));
    assert_true(judge_symbols(BZ_V("h2k$9x@q!z7v#m(p)4w_e")));
    assert_false(judge_symbols(BZ_V("f(x) + g(y) * 2 - h_1")));
}

/* ---- checksums ---- */

static const struct secret_row *row_of(const char *lead) {
    for (size_t i = 0; i < secrets_prefix_n; i++) {
        if (strcmp(secrets_prefix[i].lead, lead) == 0)
            return &secrets_prefix[i];
    }
    return NULL;
}

static enum answer try_value(const char *lead, const char *value, bool spoil,
                             enum bz_proof *proof) {
    char text[256];
    struct sample_out o = {.p = text, .cap = sizeof text, .rnd = 11};
    sample_value(&o, value);
    if (spoil)
        text[20] = text[20] == 'Q' ? 'P' : 'Q';
    struct scan s = {.p = (const uint8_t *)text, .n = o.n, .final = true};
    struct match m = {.proof = BZ_PROOF_COUNT};
    enum answer a = secrets_try_prefix(&s, row_of(lead), 0, &m);
    *proof = m.proof;
    return a;
}

static void checksums(void **state) {
    (void)state;
    enum bz_proof p;
    assert_int_equal(try_value("ghp_", "ghp_{g30}", false, &p), ANSWER_YES);
    assert_int_equal(p, BZ_PROOF_CHECKSUM);
    assert_int_equal(try_value("ghp_", "ghp_{g30}", true, &p), ANSWER_YES);
    assert_int_equal(p, BZ_PROOF_FORM);
    assert_int_equal(try_value("AGE-SECRET-KEY-1", "{AGE}", false, &p), ANSWER_YES);
    assert_int_equal(p, BZ_PROOF_CHECKSUM);
    assert_int_equal(try_value("AGE-SECRET-KEY-1", "{AGE}", true, &p), ANSWER_YES);
    assert_int_equal(p, BZ_PROOF_FORM);
    assert_int_equal(try_value("bz_", "bz_{w12}_{z43}", false, &p), ANSWER_YES);
    assert_int_equal(p, BZ_PROOF_CHECKSUM);
    assert_int_equal(try_value("bz_", "bz_{w12}_{z43}", true, &p), ANSWER_NO);
}

/* ---- what goes on ---- */

static size_t put_key(struct sample_out *o, size_t *ret_begin) {
    sample_text(o, "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n");
    *ret_begin = 11;
    for (int i = 0; i < 25; i++) {
        sample_class(o, 'b', 64);
        sample_put(o, '\n');
    }
    sample_class(o, 'b', 30);
    sample_text(o, "==\n-----END RSA PRIVATE KEY-----");
    return o->n;
}

static void keys_go_on(void **state) {
    (void)state;
    char text[4096];
    struct sample_out o = {.p = text, .cap = sizeof text, .rnd = 5};
    size_t begin = 0, end = put_key(&o, &begin);
    sample_text(&o, "\nand then prose, MIIabcdefghijklmnopqrstuvwxyz012345\n");
    struct scan s = {.p = (const uint8_t *)text, .n = o.n, .final = true};
    struct match m;
    assert_int_equal(secrets_pem(&s, begin, &m), ANSWER_YES);
    assert_int_equal(m.start, 0);
    size_t at = m.end, pieces = 1;
    for (size_t next; (next = secrets_more(&s, SECRET_PRIVATE_KEY, at)) != at; at = next, pieces++)
        assert_true(next > at && next - at <= BZ_DETECT_MATCH_MAX);
    assert_int_equal(at, end);
    assert_int_equal(pieces, 4);
    /* with less text it is not known, or the same */
    s.final = false;
    for (s.n = m.end; s.n < o.n; s.n++) {
        size_t next = secrets_more(&s, SECRET_PRIVATE_KEY, m.end);
        assert_true(next == SECRETS_UNKNOWN || (next == m.end + BZ_DETECT_MATCH_MAX && next < s.n));
    }
}

static void only_keys_do(void **state) {
    (void)state;
    static const char *const texts[] = {
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----', '-----END RSA PRIVATE KEY-----'",
        "-----BEGIN RSA PRIVATE KEY----- begins a key, and that is all",
        "-----BEGIN CERTIFICATE-----\nMIIabcdefghijklmnopqrstuvwxyz0123456789\n",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabcdefghijklmnopqrstuvwxyz0123456789\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct scan s = {.p = (const uint8_t *)texts[i], .n = strlen(texts[i]), .final = true};
        struct match m;
        assert_int_equal(secrets_pem(&s, 11, &m), ANSWER_NO);
    }
    struct scan s = {.p = (const uint8_t *)"eyJhbGci.abc. Next", .n = 18, .final = true};
    assert_int_equal(secrets_more(&s, SECRET_JWT, 12), 12);      /* the end of a sentence */
    assert_int_equal(secrets_more(&s, SECRET_JWT, 8), 13);       /* a dot within a token */
    assert_int_equal(secrets_more(&s, SECRET_GITHUB_PAT, 3), 3); /* has one length */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_sound), cmocka_unit_test(every_class_is_documented),
        cmocka_unit_test(numbers_of_forms), cmocka_unit_test(judges),
        cmocka_unit_test(checksums),        cmocka_unit_test(keys_go_on),
        cmocka_unit_test(only_keys_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
