/* Secrets: every class is found, what only looks like one is not, streams see what whole texts do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "samples_secrets.h"
#include "secret_ids.h"
#include "secret_negatives.h"

static struct bz_detect *det;
static struct bz_type_set secrets;
static size_t first_type;

static int setup(void **state) {
    (void)state;
    struct bz_buf pack;
    bz_buf_init(&pack, SIZE_MAX / 2);
    if (bz_detect_compile(NULL, 0, &pack, NULL) != BZ_OK ||
        bz_detect_open(bz_view(pack.p, pack.n), &det) != BZ_OK)
        return -1;
    bz_buf_free(&pack);
    const struct bz_type *types;
    size_t n = bz_type_list(&types);
    while (first_type < n && types[first_type].cls != BZ_CLASS_SECRET)
        first_type++;
    return bz_type_set_add_name(&secrets, BZ_V("secrets")) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    bz_detect_close(det);
    return 0;
}

static struct bz_arena arena;

static struct bz_findings scan(struct bz_view text, enum bz_text_mode mode) {
    bz_arena_free(&arena);
    bz_arena_init(&arena, bz_alloc_heap, 1 << 24, NULL, 0);
    struct bz_findings f = {.ar = &arena};
    assert_int_equal(bz_detect_scan(det, text, mode, &secrets, NULL, &arena, &f), BZ_OK);
    return f;
}

static const char *name_of(size_t type) {
    return bz_detect_type(det, type)->name;
}

static size_t classes(void) {
    const struct bz_type *types;
    size_t n = bz_type_list(&types), k = 0;
    while (first_type + k < n && types[first_type + k].cls == BZ_CLASS_SECRET)
        k++;
    return k;
}

/* ---- recall ---- */

static void every_class_is_found(void **state) {
    (void)state;
    char text[2048];
    size_t all = 0, found = 0, as_type = 0;
    for (size_t type = 0; type < classes(); type++) {
        size_t missed = 0, other = 0;
        for (uint64_t seed = 0; seed < 40; seed++) {
            size_t start, end, n = secret_sample(type, seed, text, sizeof text, &start, &end);
            if (n == 0)
                fail_msg("no sample of %s", name_of(first_type + type));
            struct bz_findings f = scan(bz_view(text, n), BZ_TEXT_PLAIN);
            bool covered = false, typed = false;
            for (size_t i = 0; i < f.n; i++) {
                covered |= f.v[i].start <= start + 4 && f.v[i].end >= end;
                typed |=
                    f.v[i].start == start && f.v[i].end == end && f.v[i].type == first_type + type;
            }
            all++;
            found += covered;
            as_type += typed;
            missed += !covered;
            other += !typed;
            if (!typed && missed + other < 3)
                print_message("# %s: sample %u: %s\n", name_of(first_type + type), (unsigned)seed,
                              covered ? "other" : "missed");
        }
        if (missed > 4 || other > 8)
            fail_msg("%s: %zu of 40 missed, %zu not as that type", name_of(first_type + type),
                     missed, other);
    }
    print_message("# secrets: %zu of %zu found, %zu as their type\n", found, all, as_type);
    assert_true(found * 1000 >= all * 990);
    assert_true(as_type * 100 >= all * 97);
}

/* `text` as a string of JSON; `=` and letters here and there as \\u escapes. Places of start, end. */
static size_t put_json(struct sample_out *o, const char *text, size_t n, size_t *start,
                       size_t *end) {
    size_t s = *start, e = *end;
    sample_text(o, "{\"text\":\"");
    for (size_t i = 0; i < n; i++) {
        char c = text[i], hex[8];
        if (i == s)
            *start = o->n;
        if (c == '"' || c == '\\') {
            sample_put(o, '\\');
            sample_put(o, c);
        } else if (c == '\n') {
            sample_text(o, "\\n");
        } else if (c == '=' || i % 17 == 5) {
            snprintf(hex, sizeof hex, "\\u%04x", (unsigned)(unsigned char)c);
            sample_text(o, hex);
        } else {
            sample_put(o, c);
        }
        if (i + 1 == e)
            *end = o->n;
    }
    sample_text(o, "\"}");
    return o->n;
}

static void every_class_is_found_in_JSON(void **state) {
    (void)state;
    char text[2048], json[8192];
    size_t all = 0, found = 0;
    for (size_t type = 0; type < classes(); type++) {
        for (uint64_t seed = 0; seed < 10; seed++) {
            size_t start, end, n = secret_sample(type, seed, text, sizeof text, &start, &end);
            struct sample_out o = {.p = json, .cap = sizeof json};
            n = put_json(&o, text, n, &start, &end);
            struct bz_findings f = scan(bz_view(json, n), BZ_TEXT_JSON);
            bool whole = false;
            for (size_t i = 0; i < f.n; i++)
                whole |= f.v[i].start == start && f.v[i].end == end && f.v[i].quoted == 1;
            all++;
            found += whole;
        }
    }
    print_message("# in JSON: %zu of %zu found\n", found, all);
    assert_true(found * 1000 >= all * 990);
}

/* ---- precision ---- */

static void look_alikes_are_left_alone(void **state) {
    (void)state;
    char text[8192];
    size_t all = 0, wrong = 0;
    for (size_t family = 0; family < SECRET_NEGATIVES; family++) {
        size_t here = 0;
        for (uint64_t seed = 0; seed < 80; seed++) {
            size_t n = secret_negative(family, seed, text, sizeof text);
            struct bz_findings f = scan(bz_view(text, n), BZ_TEXT_PLAIN);
            all++;
            wrong += f.n > 0;
            if (f.n > 0 && here++ < 2)
                print_message("# family %zu: %s in: %.*s\n", family, name_of(f.v[0].type),
                              (int)(f.v[0].end - f.v[0].start), text + f.v[0].start);
        }
        assert_true(here <= 8);
    }
    print_message("# look-alikes: %zu of %zu flagged\n", wrong, all);
    assert_true(all >= 2000);
    assert_true(SECRET_NEGATIVES >= 20);
    assert_true(wrong * 100 <= all);
}

/* ---- streams ---- */

/* In pieces of `cut` bytes, or (once) in two. */
static void feed(struct bz_view text, size_t cut, bool once, struct bz_findings *out) {
    struct bz_watch w;
    uint64_t settled;
    bz_watch_init(&w, BZ_TEXT_PLAIN, &secrets);
    size_t at = 0;
    while (at < text.n) {
        size_t n = cut < text.n - at ? cut : text.n - at;
        assert_int_equal(bz_watch_feed(det, &w, bz_view_sub(text, at, n), at + n == text.n,
                                       &secrets, &arena, out, &settled),
                         BZ_OK);
        at += n;
        if (once)
            cut = SIZE_MAX;
    }
    assert_int_equal(settled, text.n);
    bz_watch_done(&w);
}

static void expect_same(struct bz_view text, size_t cut, bool once, const char *what) {
    struct bz_findings whole = scan(text, BZ_TEXT_PLAIN);
    struct bz_findings f = {.ar = &arena};
    feed(text, cut, once, &f);
    if (f.n != whole.n)
        fail_msg("%s cut at %zu: %zu and not %zu found in %.*s", what, cut, f.n, whole.n,
                 (int)text.n, (const char *)text.p);
    for (size_t i = 0; i < f.n; i++) {
        if (f.v[i].start != whole.v[i].start || f.v[i].end != whole.v[i].end ||
            f.v[i].type != whole.v[i].type || f.v[i].proof != whole.v[i].proof)
            fail_msg("%s cut at %zu: another place or type", what, cut);
    }
}

static void every_cut_finds_the_same(void **state) {
    (void)state;
    char text[2048];
    for (size_t type = 0; type < classes(); type++) {
        for (uint64_t seed = type; seed < type + 3; seed++) {
            size_t start, end, n = secret_sample(type, seed, text, sizeof text, &start, &end);
            for (size_t cut = 1; cut < n; cut++)
                expect_same(bz_view(text, n), cut, true, name_of(first_type + type));
            for (size_t cut = 1; cut < 9; cut++)
                expect_same(bz_view(text, n), cut, false, name_of(first_type + type));
        }
    }
}

static void every_cut_of_look_alikes_too(void **state) {
    (void)state;
    char text[8192];
    for (size_t family = 0; family < SECRET_NEGATIVES; family++) {
        size_t n = secret_negative(family, family, text, sizeof text);
        for (size_t cut = 1; cut < n; cut += 1 + n / 200)
            expect_same(bz_view(text, n), cut, true, "look-alike");
        for (size_t cut = 1; cut < 12; cut += 2)
            expect_same(bz_view(text, n), cut, false, "look-alike");
    }
}

/* ---- what is longer than a match ---- */

static size_t put_lines(struct sample_out *o, size_t n) {
    for (; n > 0; n -= n < 64 ? n : 64) {
        sample_class(o, 'b', n < 64 ? n : 64);
        sample_put(o, '\n');
    }
    return o->n;
}

/* All of [start, end) is found, in pieces that touch. */
static bool covered(const struct bz_findings *f, size_t start, size_t end) {
    for (size_t i = 0; i < f->n; i++) {
        if (f->v[i].start > start)
            return false;
        if (f->v[i].end > start)
            start = f->v[i].end;
    }
    return start >= end;
}

static void long_keys_are_found_whole(void **state) {
    (void)state;
    char text[4096];
    struct sample_out o = {.p = text, .cap = sizeof text, .rnd = 5};
    sample_text(&o, "here it is:\n");
    size_t start = o.n;
    sample_text(&o, "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n");
    put_lines(&o, 1603);
    sample_text(&o, "-----END RSA PRIVATE KEY-----");
    size_t end = o.n;
    sample_text(&o, "\nand the certificate, public:\n-----BEGIN CERTIFICATE-----\n");
    put_lines(&o, 1100);
    sample_text(&o, "-----END CERTIFICATE-----\n");
    struct bz_view v = bz_view(text, o.n);
    struct bz_findings f = scan(v, BZ_TEXT_PLAIN);
    assert_true(covered(&f, start, end));
    assert_int_equal(f.v[0].start, start);
    assert_int_equal(f.v[f.n - 1].end, end);
    for (size_t cut = 1; cut < v.n; cut++)
        expect_same(v, cut, true, "long key");
    for (size_t cut = 1; cut < 40; cut++)
        expect_same(v, cut, false, "long key");
}

static void long_tokens_are_found_whole(void **state) {
    (void)state;
    char text[4096];
    struct sample_out o = {.p = text, .cap = sizeof text, .rnd = 6};
    sample_text(&o, "Cookie: session=");
    size_t start = o.n;
    sample_base64(&o, "{\"alg\":\"RS256\",\"typ\":\"JWT\"}", 27);
    sample_put(&o, '.');
    sample_class(&o, 'k', 1200);
    sample_put(&o, '.');
    sample_class(&o, 'k', 342);
    size_t end = o.n;
    sample_text(&o, "; path=/ and a sentence.");
    struct bz_view v = bz_view(text, o.n);
    struct bz_findings f = scan(v, BZ_TEXT_PLAIN);
    assert_true(covered(&f, start, end));
    assert_int_equal(f.v[f.n - 1].end, end);
    for (size_t cut = 1; cut < v.n; cut++)
        expect_same(v, cut, true, "long token");
    for (size_t cut = 1; cut < 40; cut++)
        expect_same(v, cut, false, "long token");
}

/* ---- gitleaks' classes ---- */

static void the_classes_of_gitleaks_are_there(void **state) {
    (void)state;
    size_t n = SECRET_IDS, covered = 0;
    assert_int_equal(n, 222);
    for (size_t i = 0; i < n; i++) {
        char text[2048];
        size_t type, start, end;
        if (!bz_detect_type_find(det, bz_view_str(secret_ids[i]), &type)) {
            print_message("# not covered: %s\n", secret_ids[i]);
            continue;
        }
        size_t len = secret_sample(type - first_type, 3, text, sizeof text, &start, &end);
        covered += len > 0 && scan(bz_view(text, len), BZ_TEXT_PLAIN).n > 0;
    }
    print_message("# classes of gitleaks: %zu of %zu\n", covered, n);
    assert_true(covered >= 211);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_is_found),
        cmocka_unit_test(every_class_is_found_in_JSON),
        cmocka_unit_test(look_alikes_are_left_alone),
        cmocka_unit_test(every_cut_finds_the_same),
        cmocka_unit_test(every_cut_of_look_alikes_too),
        cmocka_unit_test(long_keys_are_found_whole),
        cmocka_unit_test(long_tokens_are_found_whole),
        cmocka_unit_test(the_classes_of_gitleaks_are_there),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
