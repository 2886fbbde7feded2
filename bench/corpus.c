/* How much is found and how much is wrong, over a generated corpus: values of every type in texts that
 * stand nowhere else, texts that only look like such values, and every text cut in two at every place.
 *
 *   bench_corpus              figures; ends with 1 where a target is missed
 *   bench_corpus --markdown   the tables of docs/DATA-PROTECTION.md
 *   bench_corpus --texts      the texts with personal data, as JSON lines, to ask other programs: type,
 *                             text, start and end of the value in bytes
 *
 * The values come from the generators of the unit tests (tests/unit/samples_*.h), with other seeds than
 * those tests use; the texts around them are this file's own. Fixed seeds: the same build prints the
 * same figures. */
#include "../tests/unit/samples_pii.h"
/* Both have helpers of these names. */
#define sample_random secret_random
#define sample_value secret_value
#include "../tests/unit/samples_secrets.h"
#include "../tests/unit/secret_ids.h"
#include "../tests/unit/secret_negatives.h"
#undef sample_random
#undef sample_value
#include <bartizan/json.h>

#include "corpus_peers.h"

enum {
    EACH = 40,         /* values of a type */
    SEED = 5000,       /* the unit tests stay far below */
    NEGATIVE_EACH = 40 /* texts of a family */
};

struct tally {
    size_t texts;            /* with one value of the type */
    size_t found;            /* as this type, whole, as sure as the type can be */
    size_t covered;          /* under any name: masking would hide it */
    size_t bare, bare_found; /* the value alone, without a word that names it */
    size_t wrong;            /* findings of the type that are none */
};

struct corpus {
    struct bz_detect *d;
    struct bz_arena ar;
    struct tally of[BZ_TYPES_MAX];
    size_t negatives, negatives_hit[BZ_CLASS_COUNT];
    size_t cuts, cuts_other;
    bool texts; /* only print them */
};

static void must(bool ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "corpus: %s\n", what);
        exit(2);
    }
}

/* ---- scanning ---- */

static struct bz_findings scan(struct corpus *c, struct bz_view text) {
    struct bz_findings f = {.ar = &c->ar};
    must(bz_detect_scan(c->d, text, BZ_TEXT_PLAIN, NULL, NULL, &c->ar, &f) == BZ_OK, "scan");
    return f;
}

/* Findings that count: what policies act on by default, see docs/DATA-PROTECTION.md. */
static bool counts(const struct corpus *c, const struct bz_finding *f) {
    const struct bz_type *t = bz_detect_type(c->d, f->type);
    if (t->cls == BZ_CLASS_SECRET)
        return f->proof >= BZ_PROOF_CONTEXT;
    return t->cls == BZ_CLASS_PII && (t->proof == BZ_PROOF_CHECKSUM ? f->proof == BZ_PROOF_CHECKSUM
                                                                    : f->proof >= BZ_PROOF_CONTEXT);
}

/* A type that never gets a word to prove it is judged by its form. */
static bool sure_enough(const struct corpus *c, const struct bz_finding *f) {
    return f->proof >= bz_detect_type(c->d, f->type)->proof || counts(c, f);
}

static bool same(const struct bz_findings *a, const struct bz_findings *b) {
    for (size_t i = 0; a->n == b->n && i < a->n; i++) {
        const struct bz_finding *x = &a->v[i], *y = &b->v[i];
        if (x->start != y->start || x->end != y->end || x->type != y->type || x->proof != y->proof)
            return false;
    }
    return a->n == b->n;
}

static struct bz_findings in_two(struct corpus *c, struct bz_view text, size_t at) {
    struct bz_findings f = {.ar = &c->ar};
    struct bz_watch w;
    uint64_t settled = 0;
    bz_watch_init(&w, BZ_TEXT_PLAIN, NULL);
    enum bz_status st =
        bz_watch_feed(c->d, &w, bz_view_sub(text, 0, at), false, NULL, &c->ar, &f, &settled);
    if (st == BZ_OK)
        st = bz_watch_feed(c->d, &w, bz_view_sub(text, at, text.n), true, NULL, &c->ar, &f,
                           &settled);
    must(st == BZ_OK && settled == text.n, "watch");
    bz_watch_done(&w);
    return f;
}

static void cut_everywhere(struct corpus *c, struct bz_view text, const struct bz_findings *whole) {
    for (size_t at = 1; at < text.n; at++) {
        if ((text.p[at] & 0xc0) == 0x80) /* pieces are whole characters */
            continue;
        struct bz_findings f = in_two(c, text, at);
        c->cuts++;
        c->cuts_other += !same(whole, &f);
    }
}

/* ---- texts with a value ---- */

/* %L the words that name it, %V the value. */
static const char *const frames[] = {
    "Could you fill in the form for me? %L %V, and the rest as last year.",
    "> On Tuesday she wrote:\n> the %L (%V) has to go on the first page\n\nIs that right?",
    "| field | value |\n|---|---|\n| %L | %V |\n",
    "id;%L;city\n17;%V;Utrecht\n",
    "2026-03-02T09:14:55Z INFO form saved %L=\"%V\" user=17\n",
    "{\"role\": \"user\", \"content\": \"%L: %V\"}",
    "<p><b>%L</b>: %V</p>\n",
    "- %L: %V\n- remarks: none\n",
    "Summarise this letter. We confirm that your new %L is %V. Kind regards",
    "%L\t%V\n",
};
static const char *const bare_frames[] = {
    "Please check %V for me.",
    "%V\n",
    "first, then %V, then the rest",
    "a=%V;b=2",
};
enum {
    FRAMES = sizeof frames / sizeof frames[0],
    BARE_FRAMES = sizeof bare_frames / sizeof bare_frames[0],
};

struct text {
    char p[4096];
    size_t n, start, end;
};

static void add(struct text *t, const char *s, size_t n) {
    must(n < sizeof t->p - t->n, "a text is too long");
    memcpy(t->p + t->n, s, n);
    t->n += n;
}

static void put_frame(struct text *t, const char *frame, const char *label, const char *value,
                      size_t value_n) {
    for (; *frame != '\0'; frame++) {
        if (*frame == '%' && frame[1] == 'L') {
            add(t, label, strlen(label));
            frame++;
        } else if (*frame == '%' && frame[1] == 'V') {
            t->start = t->n;
            add(t, value, value_n);
            t->end = t->n;
            frame++;
        } else {
            add(t, frame, 1);
        }
    }
}

static bool hit(const struct corpus *c, const struct bz_findings *f, size_t type,
                const struct text *t) {
    for (size_t i = 0; i < f->n; i++) {
        if (f->v[i].type == type && f->v[i].start == t->start && f->v[i].end == t->end)
            return sure_enough(c, &f->v[i]);
    }
    return false;
}

/* However sure. */
static bool named(const struct bz_findings *f, size_t type, const struct text *t) {
    for (size_t i = 0; i < f->n; i++) {
        if (f->v[i].type == type && f->v[i].start == t->start && f->v[i].end == t->end)
            return true;
    }
    return false;
}

static bool hidden(const struct corpus *c, const struct bz_findings *f, const struct text *t) {
    uint64_t at = t->start;
    for (size_t i = 0; i < f->n && at < t->end; i++) {
        if (f->v[i].start <= at && f->v[i].end > at && sure_enough(c, &f->v[i]))
            at = f->v[i].end;
    }
    return at >= t->end;
}

/* What is found beside the value, or in its place under another name. */
static void note_wrong(struct corpus *c, const struct bz_findings *f, size_t type,
                       const struct text *t) {
    for (size_t i = 0; i < f->n; i++) {
        bool over = t != NULL && f->v[i].start < t->end && f->v[i].end > t->start;
        if (counts(c, &f->v[i]) && !(over && f->v[i].type == type))
            c->of[f->v[i].type].wrong++;
    }
}

static void print_text(const struct corpus *c, size_t type, const struct text *t, bool bare) {
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, 1 << 16);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_kstr(&w, "type", bz_view_str(bz_detect_type(c->d, type)->name));
    bz_jw_kstr(&w, "text", bz_view(t->p, t->n));
    bz_jw_ku64(&w, "start", t->start);
    bz_jw_ku64(&w, "end", t->end);
    bz_jw_kbool(&w, "bare", bare);
    bz_jw_end(&w);
    printf("%.*s\n", (int)b.n, (const char *)b.p);
    bz_buf_free(&b);
}

static void judge(struct corpus *c, size_t type, const struct text *t) {
    struct bz_view v = bz_view(t->p, t->n);
    if (c->texts) {
        print_text(c, type, t, false);
        return;
    }
    struct bz_findings f = scan(c, v);
    c->of[type].texts++;
    c->of[type].found += hit(c, &f, type, t);
    c->of[type].covered += hidden(c, &f, t);
    note_wrong(c, &f, type, t);
    cut_everywhere(c, v, &f);
    bz_arena_free(&c->ar);
}

static void measure_pii(struct corpus *c, size_t type, size_t place) {
    const struct sample_kind *k = sample_kind_of(place);
    must(k != NULL, "a type has no sample");
    for (unsigned i = 0; i < EACH; i++) {
        uint64_t x = (SEED + i) * UINT64_C(0xd1342543de82ef95) + place;
        char value[128];
        size_t n = sample_value(k, &x, value);
        must(n != 0, "no value");
        static struct text t, alone;
        t.n = alone.n = 0;
        put_frame(&t, frames[i % FRAMES], k->label, value, n);
        judge(c, type, &t);
        put_frame(&alone, bare_frames[i % BARE_FRAMES], "", value, n);
        if (c->texts) {
            print_text(c, type, &alone, true);
            continue;
        }
        struct bz_findings f = scan(c, bz_view(alone.p, alone.n));
        c->of[type].bare++;
        c->of[type].bare_found += named(&f, type, &alone);
        bz_arena_free(&c->ar);
    }
}

static const char *const around[][2] = {
    {"why does this fail?\n\n", "\nIt worked last week."},
    {"```\n", "```\n"},
    {"# notes of today\n", "\nthanks in advance, and see you at lunch\n"},
    {"[worker-3] retry 2 of 5\n", "[worker-3] done in 31 ms\n"},
};

static void measure_secret(struct corpus *c, size_t type, size_t place) {
    for (unsigned i = 0; i < EACH; i++) {
        static struct text t;
        static char own[2048];
        t.n = 0;
        size_t start = 0, end = 0;
        size_t n = secret_sample(place, SEED + i, own, sizeof own, &start, &end);
        must(n != 0, "a class has no sample");
        const char *const *frame = around[i % (sizeof around / sizeof around[0])];
        add(&t, frame[0], strlen(frame[0]));
        t.start = t.n + start;
        t.end = t.n + end;
        add(&t, own, n);
        add(&t, frame[1], strlen(frame[1]));
        judge(c, type, &t);
    }
}

/* ---- texts without one ---- */

/* In sample_fill's language, beside the families of the unit tests. */
static const char *const look_alikes[] = {
    "invoice ##########, due in ## days, customer number ########",
    "Bestellung ###-#######-####### wurde versandt",
    "PO 45######## line item ####",
    "SKU ####-####-#### in stock: ###",
    "the run took ###.######### seconds, seed ##########",
    "epoch 17######## to 17########",
    "request-id: &&&&&&&&-&&&&-4&&&-9&&&-&&&&&&&&&&&&",
    "sha256 &&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&",
    "etag \"&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&\"",
    "libfoo.so.^.#.#, libbar ^.##.#-#ubuntu#.##",
    "version ^.##.#+build.#### of the firmware ##.##.####",
    "gpu memory ##### MiB of 81559 MiB, ##.#% used",
    "tokens: ##### prompt, #### completion, ###### in all",
    "the number ################ has sixteen digits and means nothing",
    "counter 0x&&&&&&&&&&&&&&&& overflowed at 18446744073709551615",
    "matrix: ##.# ##.# ##.# / ##.# ##.# ##.#",
    "chapter ##.#.#, figure ##-#, table ###",
    "score ###:##, set ^-#, game ##-##",
    "rows ########-######## were skipped",
    "shipment 00###################",
    "lot number L#######X, best before %m/%Y",
    "isbn 97#-#-####-####-#, pages ###",
    "arXiv:2#%m.##### v^",
    "issue #####, pull request #####, run ##########",
    "frequency ###.#### MHz, gain -##.# dB",
    "altitude #### m, distance ###.## km, pace #:## per km",
    "budget 20##: ###,###,### and ##,###,### left",
    "the ticket number is ##-######-##",
    "seat ##@, gate @##, boarding group ^",
    "page id ########################",
    "ABC-####-@@ and @@-##-#### are part codes",
    "checksum mismatch: ######## != ########",
};
enum { LOOK_ALIKES = sizeof look_alikes / sizeof look_alikes[0] };

static void judge_none(struct corpus *c, struct bz_view v) {
    bool any[BZ_CLASS_COUNT] = {false};
    struct bz_findings f = scan(c, v);
    note_wrong(c, &f, SIZE_MAX, NULL);
    for (size_t i = 0; i < f.n; i++) {
        const struct bz_type *t = bz_detect_type(c->d, f.v[i].type);
        if (counts(c, &f.v[i]) && (t->cls == BZ_CLASS_SECRET || f.v[i].proof == BZ_PROOF_CHECKSUM))
            any[f.v[i].cls] = true;
    }
    c->negatives++;
    for (size_t k = 0; k < BZ_CLASS_COUNT; k++)
        c->negatives_hit[k] += any[k];
    bz_arena_free(&c->ar);
}

static void measure_negatives(struct corpus *c) {
    static char text[8192];
    for (uint64_t seed = 0; seed < (uint64_t)NEGATIVE_KINDS * NEGATIVE_EACH; seed++) {
        size_t n = pii_negative(seed + SEED * (uint64_t)NEGATIVE_KINDS, text, sizeof text);
        judge_none(c, bz_view(text, n));
    }
    for (size_t k = 0; k < LOOK_ALIKES; k++) {
        for (uint64_t i = 0; i < NEGATIVE_EACH; i++) {
            uint64_t x = (SEED + i) * UINT64_C(0xd1342543de82ef95) + k;
            judge_none(c, bz_view(text, sample_fill(look_alikes[k], &x, text)));
        }
    }
    for (size_t k = 0; k < SECRET_NEGATIVES; k++) {
        for (uint64_t i = 0; i < NEGATIVE_EACH; i++)
            judge_none(c, bz_view(text, secret_negative(k, SEED + i, text, sizeof text)));
    }
}

/* ---- sums ---- */

enum group { SURE, WORDS, SECRETS, GROUPS };
static const char *const group_name[GROUPS] = {"personal data with a checksum",
                                               "personal data by its words", "secrets"};

static bool in_group(const struct bz_type *t, enum group g) {
    if (t->cls == BZ_CLASS_SECRET)
        return g == SECRETS;
    return t->cls == BZ_CLASS_PII && g == (t->proof == BZ_PROOF_CHECKSUM ? SURE : WORDS);
}

static struct tally sum_of(const struct corpus *c, enum group g, size_t *ret_types) {
    struct tally s = {0};
    *ret_types = 0;
    for (size_t i = 0; i < bz_detect_types_n(c->d); i++) {
        const struct tally *t = &c->of[i];
        if (!in_group(bz_detect_type(c->d, i), g))
            continue;
        s.texts += t->texts;
        s.found += t->found;
        s.covered += t->covered;
        s.wrong += t->wrong;
        (*ret_types)++;
    }
    return s;
}

static double ratio(size_t a, size_t b) {
    return b == 0 ? 1 : (double)a / (double)b;
}

/* Classes of which nearly every value is found, under whatever name. */
static size_t classes_of_gitleaks(const struct corpus *c) {
    size_t n = 0;
    for (size_t i = 0; i < SECRET_IDS; i++) {
        size_t type = 0;
        if (bz_detect_type_find(c->d, bz_view_str(secret_ids[i]), &type))
            n += c->of[type].covered * 10 >= c->of[type].texts * 9 && c->of[type].texts > 0;
    }
    return n;
}

static bool print_sums(const struct corpus *c) {
    bool good = true;
    printf("| | types | values | found | precision | recall | hidden under any name |\n");
    printf("|---|---|---|---|---|---|---|\n");
    for (unsigned g = 0; g < GROUPS; g++) {
        size_t types = 0;
        struct tally s = sum_of(c, (enum group)g, &types);
        double precision = ratio(s.found, s.found + s.wrong);
        double recall = ratio(s.found, s.texts);
        printf("| %s | %zu | %zu | %zu | %.4f | %.4f | %.4f |\n", group_name[g], types, s.texts,
               s.found, precision, recall, ratio(s.covered, s.texts));
        if (g == SURE)
            good = types >= 40 && s.texts >= 2000 && precision >= 0.99 && recall >= 0.99;
    }
    size_t classes = classes_of_gitleaks(c);
    printf("\n- %zu hard negatives: %zu with a checksum that holds by chance, %zu with a secret\n",
           c->negatives, c->negatives_hit[BZ_CLASS_PII], c->negatives_hit[BZ_CLASS_SECRET]);
    printf("- classes of gitleaks: %zu of %u\n", classes, (unsigned)SECRET_IDS);
    printf("- cuts in two: %zu, with other findings than the whole text: %zu\n", c->cuts,
           c->cuts_other);
    return good && c->negatives >= 2000 && classes * 100 >= SECRET_IDS * 95 && c->cuts_other == 0;
}

/* ---- tables ---- */

static const char *peer_of(const char *type) {
    for (size_t i = 0; i < sizeof presidio / sizeof presidio[0]; i++) {
        if (strcmp(presidio[i].type, type) == 0)
            return presidio[i].how;
    }
    return "-";
}

static void print_percent(size_t a, size_t b) {
    if (b == 0)
        printf(" - |");
    else
        printf(" %.1f |", 100 * ratio(a, b));
}

static void print_types(const struct corpus *c) {
    printf(
        "\n| type | where | what | ours | Presidio | recall %% | without its word %% | precision "
        "%% |\n|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < bz_detect_types_n(c->d); i++) {
        const struct bz_type *t = bz_detect_type(c->d, i);
        const struct tally *a = &c->of[i];
        if (t->cls != BZ_CLASS_PII)
            continue;
        printf("| `%s` | %s | %s | %s | %s |", t->name, t->region, t->what,
               bz_proof_name((enum bz_proof)t->proof), peer_of(t->name));
        print_percent(a->found, a->texts);
        print_percent(a->bare_found, a->bare);
        print_percent(a->found, a->found + a->wrong);
        printf("\n");
    }
}

static bool is_gitleaks(const char *name) {
    for (size_t i = 0; i < SECRET_IDS; i++) {
        if (strcmp(secret_ids[i], name) == 0)
            return true;
    }
    return false;
}

static void print_classes(const struct corpus *c) {
    for (unsigned own = 0; own < 2; own++) {
        printf("\n%s:", own ? "Classes of our own" : "Classes that gitleaks has too");
        const char *sep = " ";
        for (size_t i = 0; i < bz_detect_types_n(c->d); i++) {
            const struct bz_type *t = bz_detect_type(c->d, i);
            if (t->cls != BZ_CLASS_SECRET || is_gitleaks(t->name) == (own != 0))
                continue;
            printf("%s`%s`%s", sep, t->name, t->proof == BZ_PROOF_CHECKSUM ? "" : " (word)");
            sep = ", ";
        }
        printf("\n");
    }
}

/* What is not as it should be, one line each. */
static void print_weak(const struct corpus *c) {
    for (size_t i = 0; i < bz_detect_types_n(c->d); i++) {
        const struct tally *t = &c->of[i];
        if (t->texts > 0 && (t->found * 100 < t->texts * 98 || t->wrong > 0))
            printf("%-36s found %3zu of %3zu, hidden %3zu, wrong %zu\n",
                   bz_detect_type(c->d, i)->name, t->found, t->texts, t->covered, t->wrong);
    }
}

int main(int argc, char **argv) {
    static struct corpus c;
    struct bz_buf pack;
    bool markdown = argc == 2 && strcmp(argv[1], "--markdown") == 0;
    c.texts = argc == 2 && strcmp(argv[1], "--texts") == 0;
    must(argc == 1 || markdown || c.texts, "usage: bench_corpus [--markdown|--texts]");
    must(bz_crypto_init() == BZ_OK, "cryptography");
    bz_buf_init(&pack, 64u << 20);
    must(bz_detect_compile(NULL, 0, &pack, NULL) == BZ_OK, "compile");
    must(bz_detect_open(bz_buf_view(&pack), &c.d) == BZ_OK, "open");
    bz_arena_init(&c.ar, bz_alloc_heap, 256u << 20, NULL, 0);
    size_t place[BZ_CLASS_COUNT] = {0};
    for (size_t i = 0; i < bz_detect_types_n(c.d); i++) {
        uint8_t cls = bz_detect_type(c.d, i)->cls;
        if (cls == BZ_CLASS_PII)
            measure_pii(&c, i, place[cls]++);
        else if (cls == BZ_CLASS_SECRET && !c.texts)
            measure_secret(&c, i, place[cls]++);
    }
    if (c.texts)
        return 0;
    measure_negatives(&c);
    if (!markdown)
        print_weak(&c);
    bool good = print_sums(&c);
    if (markdown) {
        print_types(&c);
        print_classes(&c);
    } else {
        printf("%s\n", good ? "all targets are met" : "A TARGET IS MISSED");
    }
    bz_detect_close(c.d);
    bz_buf_free(&pack);
    return good ? 0 : 1;
}
