/* The rules of prompts, packed for workers: a header, tables of fixed size, then the strings. All
 * numbers are little endian; a string is an offset and a length into the strings.
 *
 *   "BZPROMPT" version rules exact models tokens strings   (six numbers)
 *   rule:   id text role model route (strings)  client marking tokens canary (bytes)
 *   exact:  numbers of the rules that name one model, by model and number
 *   wild:   numbers of the others, in order
 *   model:  name (string)  first token, tokens
 *   token:  string
 *   strings
 *
 * The first rule that fits is the lowest of the first of either list that fits: a worker looks at the
 * rules of its model and at those for all models, however many models there are. */
#include <bartizan/limits.h>
#include <bartizan/prompts.h>
#include <bartizan/rd.h>

#include <stdlib.h>

enum { HEAD = 32, RULE = 44, MODEL = 16, TOKEN = 8, VERSION = 1 };

/* ---- making ------------------------------------------------------------------------------------ */

struct making {
    const struct bz_prompt_rule *rules;
    size_t n;
    struct bz_buf strings;
    struct bz_buf texts; /* struct place of the long ones, each of which may stand in many rules */
};
struct place {
    struct bz_view v;
    uint32_t at;
};

static void put_string(struct making *m, struct bz_buf *out, struct bz_view v) {
    enum { LONG = 64 };
    const struct place *p = (const struct place *)(const void *)m->texts.p;
    size_t n = m->texts.n / sizeof *p;
    for (size_t i = 0; v.n >= LONG && i < n; i++) {
        if (bz_view_eq(p[i].v, v)) {
            bz_buf_put_le32(out, p[i].at);
            bz_buf_put_le32(out, (uint32_t)v.n);
            return;
        }
    }
    struct place one = {v, (uint32_t)m->strings.n};
    if (v.n >= LONG)
        bz_buf_put(&m->texts, bz_view(&one, sizeof one));
    bz_buf_put_le32(out, one.at);
    bz_buf_put_le32(out, (uint32_t)v.n);
    bz_buf_put(&m->strings, v);
}

static bool is_wild(struct bz_view model) {
    return model.n == 0 || model.p[model.n - 1] == '*';
}

static int order(struct bz_view a, struct bz_view b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (c != 0)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

static int by_model(const void *a, const void *b, void *rules) {
    const struct bz_prompt_rule *r = rules;
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    int c = order(r[x].model, r[y].model);
    return c != 0 ? c : x < y ? -1 : 1;
}

static void put_rules(struct making *m, struct bz_buf *out) {
    for (size_t i = 0; i < m->n; i++) {
        const struct bz_prompt_rule *r = &m->rules[i];
        put_string(m, out, r->id);
        put_string(m, out, r->text);
        put_string(m, out, r->role);
        put_string(m, out, r->model);
        put_string(m, out, r->route);
        bz_buf_putc(out, (uint8_t)r->client);
        bz_buf_putc(out, (uint8_t)r->marking);
        bz_buf_putc(out, (uint8_t)r->tokens);
        bz_buf_putc(out, r->canary);
    }
}

/* Numbers of rules, those of one model first. */
static void put_order(struct making *m, struct bz_buf *out) {
    struct bz_buf exact;
    bz_buf_init(&exact, BZ_BLOB_MAX);
    for (uint32_t i = 0; i < m->n; i++) {
        if (!is_wild(m->rules[i].model))
            bz_buf_put(&exact, bz_view(&i, sizeof i));
    }
    union {
        const struct bz_prompt_rule *c;
        void *p;
    } rules = {.c = m->rules}; /* qsort_r's argument lacks the const */
    uint32_t *v = (uint32_t *)(void *)exact.p;
    size_t n = exact.n / sizeof *v;
    if (n != 0)
        qsort_r(v, n, sizeof *v, by_model, rules.p);
    for (size_t i = 0; i < n; i++)
        bz_buf_put_le32(out, v[i]);
    for (uint32_t i = 0; i < m->n; i++) {
        if (is_wild(m->rules[i].model))
            bz_buf_put_le32(out, i);
    }
    if (bz_buf_status(&exact) != BZ_OK)
        out->st = bz_buf_status(&exact);
    bz_buf_free(&exact);
}

static bool usable(const struct bz_prompt_rule *rules, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if ((unsigned)rules[i].client >= BZ_CLIENT_SYSTEM_COUNT ||
            (unsigned)rules[i].marking >= BZ_MARKING_COUNT ||
            (unsigned)rules[i].tokens >= BZ_TOKENS_COUNT)
            return false;
    }
    return true;
}

enum bz_status bz_prompts_compile(const struct bz_prompt_rule *rules, size_t n,
                                  const struct bz_prompt_tokens *tokens, size_t tokens_n,
                                  struct bz_buf *out) {
    struct making m = {.rules = rules, .n = n};
    size_t exact = 0;
    size_t all = 0;
    if (!usable(rules, n))
        return BZ_EINVAL;
    for (size_t i = 0; i < n; i++)
        exact += !is_wild(rules[i].model);
    for (size_t i = 0; i < tokens_n; i++)
        all += tokens[i].n;
    if (n > BZ_BLOB_MAX / RULE || tokens_n > BZ_BLOB_MAX / MODEL || all > BZ_BLOB_MAX / TOKEN)
        return BZ_ETOOBIG;
    bz_buf_init(&m.strings, BZ_BLOB_MAX);
    bz_buf_init(&m.texts, BZ_BLOB_MAX);
    size_t start = out->n;
    bz_buf_puts(out, "BZPROMPT");
    bz_buf_put_le32(out, VERSION);
    bz_buf_put_le32(out, (uint32_t)n);
    bz_buf_put_le32(out, (uint32_t)exact);
    bz_buf_put_le32(out, (uint32_t)tokens_n);
    bz_buf_put_le32(out, (uint32_t)all);
    bz_buf_put_le32(out, 0);
    put_rules(&m, out);
    put_order(&m, out);
    uint32_t first = 0;
    for (size_t i = 0; i < tokens_n; i++) {
        put_string(&m, out, tokens[i].model);
        bz_buf_put_le32(out, first);
        bz_buf_put_le32(out, (uint32_t)tokens[i].n);
        first += (uint32_t)tokens[i].n;
    }
    for (size_t i = 0; i < tokens_n; i++) {
        for (size_t k = 0; k < tokens[i].n; k++)
            put_string(&m, out, tokens[i].v[k]);
    }
    bz_buf_put(out, bz_buf_view(&m.strings));
    if (bz_buf_status(out) == BZ_OK) {
        uint32_t size = (uint32_t)m.strings.n;
        for (unsigned i = 0; i < 4; i++)
            out->p[start + HEAD - 4 + i] = (uint8_t)(size >> (8 * i));
    }
    enum bz_status st = bz_buf_status(out);
    st = st == BZ_OK ? bz_buf_status(&m.strings) : st;
    st = st == BZ_OK ? bz_buf_status(&m.texts) : st;
    bz_buf_free(&m.strings);
    bz_buf_free(&m.texts);
    return st;
}

/* ---- reading ----------------------------------------------------------------------------------- */

struct parts {
    size_t rules_n, exact_n, models_n, tokens_n;
    const uint8_t *rules, *order, *models, *tokens;
    struct bz_view strings;
};

static uint32_t le32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

bool bz_prompts_canaries(struct bz_view blob) {
    if (blob.n == 0)
        return false;
    if (blob.n < HEAD || le32(blob.p + 12) > (blob.n - HEAD) / RULE)
        return true;
    const uint8_t *canary = blob.p + HEAD + RULE - 1; /* a rule's last byte */
    for (uint32_t n = le32(blob.p + 12); n > 0; n--, canary += RULE)
        if (*canary != 0)
            return true;
    return false;
}

static enum bz_status parts_of(struct bz_view blob, struct parts *ret) {
    struct bz_rd r;
    bz_rd_init(&r, blob);
    struct bz_view magic = bz_rd_take(&r, 8);
    if (!bz_rd_ok(&r) || !bz_view_eq(magic, BZ_V("BZPROMPT")))
        return BZ_ECORRUPT;
    if (bz_rd_le32(&r) != VERSION)
        return BZ_EVERSION;
    ret->rules_n = bz_rd_le32(&r);
    ret->exact_n = bz_rd_le32(&r);
    ret->models_n = bz_rd_le32(&r);
    ret->tokens_n = bz_rd_le32(&r);
    size_t strings_n = bz_rd_le32(&r);
    /* Counts of 32 bits times small numbers: no overflow in 64 bits. */
    ret->rules = bz_rd_take(&r, ret->rules_n * RULE).p;
    ret->order = bz_rd_take(&r, ret->rules_n * 4).p;
    ret->models = bz_rd_take(&r, ret->models_n * MODEL).p;
    ret->tokens = bz_rd_take(&r, ret->tokens_n * TOKEN).p;
    ret->strings = bz_rd_take(&r, strings_n);
    if (bz_rd_end(&r) != BZ_OK || ret->exact_n > ret->rules_n)
        return BZ_ECORRUPT;
    return BZ_OK;
}

static bool string_fits(const struct parts *p, const uint8_t *at) {
    uint32_t from = le32(at);
    uint32_t n = le32(at + 4);
    return from <= p->strings.n && n <= p->strings.n - from;
}

static struct bz_view string_at(const struct parts *p, const uint8_t *at) {
    return bz_view_sub(p->strings, le32(at), le32(at + 4));
}

static struct bz_view model_of(const struct parts *p, size_t rule) {
    return string_at(p, p->rules + rule * RULE + 24);
}

static bool rules_fit(const struct parts *p) {
    for (size_t i = 0; i < p->rules_n; i++) {
        const uint8_t *r = p->rules + i * RULE;
        for (size_t k = 0; k < 5; k++) {
            if (!string_fits(p, r + 8 * k))
                return false;
        }
        if (r[40] >= BZ_CLIENT_SYSTEM_COUNT || r[41] >= BZ_MARKING_COUNT ||
            r[42] >= BZ_TOKENS_COUNT || r[43] > 1)
            return false;
    }
    return true;
}

/* Sorted as the search needs them, each list without a number twice. */
static bool order_fits(const struct parts *p) {
    for (size_t i = 0; i < p->rules_n; i++) {
        uint32_t rule = le32(p->order + 4 * i);
        if (rule >= p->rules_n || is_wild(model_of(p, rule)) != (i >= p->exact_n))
            return false;
        if (i == 0 || i == p->exact_n)
            continue;
        uint32_t before = le32(p->order + 4 * (i - 1));
        int c = i < p->exact_n ? order(model_of(p, before), model_of(p, rule)) : 0;
        if (c > 0 || (c == 0 && before >= rule))
            return false;
    }
    return true;
}

static bool models_fit(const struct parts *p) {
    for (size_t i = 0; i < p->models_n; i++) {
        const uint8_t *m = p->models + i * MODEL;
        uint32_t first = le32(m + 8);
        if (!string_fits(p, m) || first > p->tokens_n || le32(m + 12) > p->tokens_n - first)
            return false;
    }
    for (size_t i = 0; i < p->tokens_n; i++) {
        if (!string_fits(p, p->tokens + i * TOKEN))
            return false;
    }
    return true;
}

enum bz_status bz_prompts_open(struct bz_view blob, struct bz_prompts *ret) {
    struct parts p;
    if (blob.n != 0) {
        BZ_TRY(parts_of(blob, &p));
        if (!rules_fit(&p) || !order_fits(&p) || !models_fit(&p))
            return BZ_ECORRUPT;
    }
    ret->bytes = blob;
    return BZ_OK;
}

static bool named(struct bz_view pattern, struct bz_view model) {
    if (pattern.n == 0)
        return true;
    if (pattern.p[pattern.n - 1] == '*')
        return bz_view_starts(model, bz_view_sub(pattern, 0, pattern.n - 1));
    return bz_view_eq(pattern, model);
}

static bool fits(const struct parts *p, size_t rule, struct bz_view role, struct bz_view model,
                 struct bz_view route) {
    const uint8_t *r = p->rules + rule * RULE;
    struct bz_view of_role = string_at(p, r + 16);
    struct bz_view of_route = string_at(p, r + 32);
    return (of_role.n == 0 || bz_view_eq(of_role, role)) &&
           (of_route.n == 0 || bz_view_eq(of_route, route)) && named(model_of(p, rule), model);
}

/* Where the rules of a model begin in the list of exact ones. */
static size_t first_of(const struct parts *p, struct bz_view model) {
    size_t low = 0;
    size_t high = p->exact_n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (order(model_of(p, le32(p->order + 4 * mid)), model) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool bz_prompts_find(const struct bz_prompts *prompts, struct bz_view role, struct bz_view model,
                     struct bz_view route, struct bz_prompt_rule *ret) {
    struct parts p;
    size_t best = SIZE_MAX;
    if (prompts->bytes.n == 0 || parts_of(prompts->bytes, &p) != BZ_OK)
        return false;
    for (size_t i = first_of(&p, model); i < p.exact_n && best == SIZE_MAX; i++) {
        size_t rule = le32(p.order + 4 * i);
        if (!bz_view_eq(model_of(&p, rule), model))
            break;
        best = fits(&p, rule, role, model, route) ? rule : best;
    }
    for (size_t i = p.exact_n; i < p.rules_n; i++) {
        size_t rule = le32(p.order + 4 * i);
        if (rule >= best)
            break;
        best = fits(&p, rule, role, model, route) ? rule : best;
    }
    if (best == SIZE_MAX)
        return false;
    const uint8_t *r = p.rules + best * RULE;
    *ret = (struct bz_prompt_rule){
        .id = string_at(&p, r),
        .text = string_at(&p, r + 8),
        .role = string_at(&p, r + 16),
        .model = string_at(&p, r + 24),
        .route = string_at(&p, r + 32),
        .client = (enum bz_client_system)r[40],
        .marking = (enum bz_marking)r[41],
        .tokens = (enum bz_token_action)r[42],
        .canary = r[43] != 0,
    };
    return true;
}

size_t bz_prompts_tokens(const struct bz_prompts *prompts, struct bz_view model,
                         struct bz_view *out, size_t cap) {
    struct parts p;
    if (prompts->bytes.n == 0 || parts_of(prompts->bytes, &p) != BZ_OK)
        return 0;
    for (size_t i = 0; i < p.models_n; i++) {
        const uint8_t *m = p.models + i * MODEL;
        if (!bz_view_eq(string_at(&p, m), model))
            continue;
        size_t n = le32(m + 12);
        n = n < cap ? n : cap;
        for (size_t k = 0; k < n; k++)
            out[k] = string_at(&p, p.tokens + (le32(m + 8) + k) * TOKEN);
        return n;
    }
    return 0;
}
