/* Limits: what is taken from the shared limiter, given back, and told to the client.
 *
 * Requests and concurrency are charged when the head is accepted, so that half-sent bodies count
 * (the model's once it is known); prompt tokens by estimate (text bytes / 4, rounded up) before
 * forwarding and corrected by the server's own count afterwards; of completion tokens one for each
 * answer is taken before forwarding and the rest after the fact. A bucket may so be overdrawn
 * by what is in flight; the debt delays later requests, so the average holds. Reserving max_tokens
 * instead would turn away callers that ask for much and use little. */
#include "tx_int.h"

#define TEXT_MAX 28

struct bz_tx_rates {
    struct bz_rate_result r[2]; /* requests, tokens */
    bool has[2];
    char limit[2][TEXT_MAX], remaining[2][TEXT_MAX], reset[2][TEXT_MAX];
};

static const char *const why[BZ_SUBJECT_COUNT][BZ_METER_COUNT + 1] = {
    {"The API key is over its limit of requests.",
     "The API key is over its limit of prompt tokens.",
     "The API key is over its limit of completion tokens.",
     "The API key is over its limit of concurrent requests."},
    {"The user is over the limit of requests.", "The user is over the limit of prompt tokens.",
     "The user is over the limit of completion tokens.",
     "The user is over the limit of concurrent requests."},
    {"The model is over its limit of requests.", "The model is over its limit of prompt tokens.",
     "The model is over its limit of completion tokens.",
     "The model is over its limit of concurrent requests."},
};

struct sets {
    struct bz_limit_set of[BZ_SUBJECT_COUNT];
};

static void sets_of(const struct bz_tx *tx, struct sets *ret) {
    struct bz_model m;
    memset(ret, 0, sizeof *ret);
    bz_image_limits(tx->image, &tx->who, &ret->of[BZ_SUBJECT_KEY], &ret->of[BZ_SUBJECT_USER]);
    if (tx->has_model && bz_image_model(tx->image, tx->model, &m))
        ret->of[BZ_SUBJECT_MODEL] = m.limits;
}

/* A 64-bit name under the instance's seed, the same in every worker and image. */
static uint64_t subject(struct bz_tx *tx, enum bz_subject s) {
    static const uint64_t kinds[BZ_SUBJECT_COUNT] = {0x243f6a8885a308d3, 0x13198a2e03707344,
                                                     0xa4093822299f31d0}; /* digits of pi */
    struct bz_settings set;
    struct bz_model m;
    struct bz_view name = s == BZ_SUBJECT_KEY ? tx->who.key_id : tx->who.owner;
    if (tx->ledger.subject[s] != 0)
        return tx->ledger.subject[s];
    if (s == BZ_SUBJECT_MODEL)
        name = bz_image_model(tx->image, tx->model, &m) ? m.name : (struct bz_view){NULL, 0};
    bz_image_settings(tx->image, &set);
    uint64_t v = bz_name_hash(set.limit_seed, name) ^ kinds[s];
    tx->ledger.subject[s] = v != 0 ? v : 1;
    return tx->ledger.subject[s];
}

static uint16_t bit(unsigned s, unsigned m) {
    return (uint16_t)(1u << (s * BZ_METER_COUNT + m));
}

/* The tightest of all meters of a kind is what the client hears about. */
static bool note(struct bz_tx *tx, enum bz_meter m, const struct bz_rate_result *r) {
    unsigned kind = m == BZ_METER_REQUESTS ? 0 : 1;
    if (tx->rates == NULL) {
        tx->rates = bz_tx_alloc(tx, sizeof *tx->rates);
        if (tx->rates == NULL)
            return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
        memset(tx->rates, 0, sizeof *tx->rates);
    }
    if (!tx->rates->has[kind] || r->remaining < tx->rates->r[kind].remaining)
        tx->rates->r[kind] = *r;
    tx->rates->has[kind] = true;
    return true;
}

static void give_back(struct bz_tx *tx, const struct sets *set, unsigned s, unsigned m,
                      int64_t units, uint64_t mono_ns) {
    if (units != 0)
        bz_state_adjust(tx->state, tx->ledger.subject[s], (enum bz_meter)m, &set->of[s].rate[m],
                        units, mono_ns);
}

static void leave_all(struct bz_tx *tx) {
    for (unsigned s = 0; s < BZ_SUBJECT_COUNT; s++)
        if ((tx->ledger.entered >> s & 1) != 0)
            bz_state_exit(tx->state, tx->lane, tx->ledger.subject[s]);
    tx->ledger.entered = 0;
}

/* A model server may say any number; beyond this the sums below would overflow, and debt ends long
 * before. */
static int64_t counted(uint64_t tokens) {
    return tokens < INT64_MAX / 2 ? (int64_t)tokens : INT64_MAX / 2;
}

/* Ends the ledger: `requests`, `prompt` and `completion` units are what this transaction really
 * used. */
static void settle(struct bz_tx *tx, int64_t requests, uint64_t prompt, uint64_t completion,
                   uint64_t mono_ns) {
    struct sets set;
    int64_t units[BZ_METER_COUNT] = {
        (int64_t)tx->ledger.requests - requests,
        counted(tx->ledger.prompt) - counted(prompt),
        (int64_t)tx->ledger.reserve - counted(completion),
    };
    leave_all(tx);
    if (tx->ledger.taken == 0)
        return;
    sets_of(tx, &set);
    for (unsigned s = 0; s < BZ_SUBJECT_COUNT; s++)
        for (unsigned m = 0; m < BZ_METER_COUNT; m++)
            if ((tx->ledger.taken & bit(s, m)) != 0)
                give_back(tx, &set, s, m, units[m], mono_ns);
    tx->ledger.taken = 0;
}

/* The first refusal gives everything back: a request that was not served costs nothing. */
static bool over(struct bz_tx *tx, unsigned s, unsigned what, uint64_t retry_ns, uint64_t mono_ns) {
    settle(tx, 0, 0, 0, mono_ns);
    tx->retry_ns = retry_ns;
    return bz_tx_no_because(tx, BZ_REFUSE_RATE, bz_view_str(why[s][what]),
                            (struct bz_view){NULL, 0}, why[s][what]);
}

static bool take(struct bz_tx *tx, const struct sets *set, enum bz_subject s, enum bz_meter m,
                 uint64_t cost, uint64_t mono_ns) {
    const struct bz_rate *rate = &set->of[s].rate[m];
    struct bz_rate_result r = {0};
    uint64_t burst = rate->burst != 0 ? rate->burst : rate->per_minute;
    uint64_t now_cost =
        cost < burst ? cost : burst; /* a prompt above it: a full bucket, and debt */
    if (rate->per_minute == 0)
        return true;
    enum bz_status st = bz_state_take(tx->state, subject(tx, s), m, rate, now_cost, mono_ns, &r);
    if (st == BZ_OK)
        tx->ledger.taken |= bit(s, m);
    if (!note(tx, m, &r))
        return false;
    if (st != BZ_OK)
        return over(tx, s, m, r.retry_ns, mono_ns);
    if (cost > now_cost)
        give_back(tx, set, s, m, -(int64_t)(cost - now_cost), mono_ns);
    return true;
}

static bool enter(struct bz_tx *tx, const struct sets *set, enum bz_subject s, uint64_t mono_ns) {
    uint32_t most = set->of[s].concurrent;
    if (most == 0)
        return true;
    if (bz_state_enter(tx->state, tx->lane, subject(tx, s), most, mono_ns) != BZ_OK)
        return over(tx, s, BZ_METER_COUNT, 0, mono_ns);
    tx->ledger.entered |= (uint8_t)(1u << s);
    return true;
}

static bool any(const struct bz_limit_set *set) {
    uint64_t sum = set->concurrent;
    for (unsigned m = 0; m < BZ_METER_COUNT; m++)
        sum |= set->rate[m].per_minute;
    return sum != 0;
}

static void mark(struct bz_tx *tx, enum bz_subject s, const struct bz_limit_set *set) {
    if (set != NULL && any(set))
        tx->limited |= (uint8_t)(1u << s);
}

void bz_tx_limits_model(struct bz_tx *tx, const struct bz_limit_set *set) {
    mark(tx, BZ_SUBJECT_MODEL, set);
}

void bz_tx_limits_size(struct bz_tx *tx) {
    struct bz_limit_set set[2];
    if (!tx->authed)
        return;
    bz_image_limits(tx->image, &tx->who, &set[0], &set[1]);
    for (size_t i = 0; i < 2; i++)
        if (set[i].body_max != 0 && set[i].body_max < tx->body_max)
            tx->body_max = set[i].body_max;
}

bool bz_tx_limits_head(struct bz_tx *tx) {
    struct sets set;
    if (!tx->authed)
        return true;
    sets_of(tx, &set);
    mark(tx, BZ_SUBJECT_KEY, &set.of[BZ_SUBJECT_KEY]);
    mark(tx, BZ_SUBJECT_USER, &set.of[BZ_SUBJECT_USER]);
    tx->ledger.requests = 1;
    if (!take(tx, &set, BZ_SUBJECT_KEY, BZ_METER_REQUESTS, 1, tx->start.mono_ns) ||
        !take(tx, &set, BZ_SUBJECT_USER, BZ_METER_REQUESTS, 1, tx->start.mono_ns))
        return false;
    if (tx->route->answer != BZ_ANSWER_BACKEND)
        return true; /* answered at once */
    return enter(tx, &set, BZ_SUBJECT_KEY, tx->start.mono_ns) &&
           enter(tx, &set, BZ_SUBJECT_USER, tx->start.mono_ns);
}

/* A list of prompts, or several answers, is as many requests: beyond the first they are a debt, not
 * a refusal, because a small burst could never hold them. */
static void charge_answers(struct bz_tx *tx, const struct sets *set, uint32_t answers,
                           uint64_t mono_ns) {
    for (unsigned s = 0; s < BZ_SUBJECT_COUNT && answers > 1; s++)
        if ((tx->ledger.taken & bit(s, BZ_METER_REQUESTS)) != 0)
            give_back(tx, set, s, BZ_METER_REQUESTS, -(int64_t)(answers - 1), mono_ns);
    tx->ledger.requests = answers;
}

bool bz_tx_limits_body(struct bz_tx *tx, const struct bz_req_facts *facts, uint64_t mono_ns) {
    struct sets set;
    uint32_t answers = facts->choices > 0 ? facts->choices : 1;
    tx->ledger.prompt = facts->text_bytes / 4 + (facts->text_bytes % 4 != 0);
    tx->ledger.reserve = answers;
    tx->ledger.generates = facts->max_tokens > 0;
    if (tx->limited == 0)
        return true;
    sets_of(tx, &set);
    if (!take(tx, &set, BZ_SUBJECT_MODEL, BZ_METER_REQUESTS, 1, mono_ns) ||
        !enter(tx, &set, BZ_SUBJECT_MODEL, mono_ns))
        return false;
    for (unsigned s = 0; s < BZ_SUBJECT_COUNT; s++) {
        enum bz_subject who = (enum bz_subject)s;
        if (!take(tx, &set, who, BZ_METER_PROMPT_TOKENS, tx->ledger.prompt, mono_ns) ||
            !take(tx, &set, who, BZ_METER_COMPLETION_TOKENS, answers, mono_ns))
            return false;
    }
    charge_answers(tx, &set, answers, mono_ns);
    return true;
}

/* What the client left before its end, or what nobody counted, is not free: the events of a stream,
 * or a quarter of the bytes that came, and one at least. */
uint64_t bz_tx_completion(const struct bz_tx *tx) {
    const struct bz_usage *u = bz_tx_usage(tx);
    uint64_t guess = tx->streaming ? u->completion : tx->collected / 4;
    if (u->known || !tx->ledger.generates)
        return u->completion;
    return guess > 0 ? guess : 1;
}

void bz_tx_limits_settle(struct bz_tx *tx, uint64_t mono_ns) {
    bool served = tx->has_backend && !tx->unserved;
    const struct bz_usage *u = bz_tx_usage(tx);
    uint64_t prompt = u->known ? u->prompt : tx->ledger.prompt;
    settle(tx, tx->ledger.requests, served ? prompt : 0, served ? bz_tx_completion(tx) : 0,
           mono_ns);
}

/* ---- headers ---- */

static struct bz_view number(char out[TEXT_MAX], uint64_t v) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, out, TEXT_MAX);
    bz_buf_put_u64(&b, v);
    return bz_buf_view(&b);
}

/* As OpenAI writes durations: "120ms", "1.5s", "6m0s", "1h2m3s". */
static struct bz_view duration(char out[TEXT_MAX], uint64_t ns) {
    struct bz_buf b;
    uint64_t ms = ns / 1000000 + (ns % 1000000 != 0);
    uint64_t s = ms / 1000;
    bz_buf_init_fixed(&b, out, TEXT_MAX);
    if (ms > 0 && ms < 1000) {
        bz_buf_put_u64(&b, ms);
        bz_buf_puts(&b, "ms");
        return bz_buf_view(&b);
    }
    if (s < 60) {
        bz_buf_put_u64(&b, s);
        if (ms % 1000 >= 100) {
            bz_buf_puts(&b, ".");
            bz_buf_put_u64(&b, ms % 1000 / 100);
        }
        bz_buf_puts(&b, "s");
        return bz_buf_view(&b);
    }
    if (s >= 3600) {
        bz_buf_put_u64(&b, s / 3600);
        bz_buf_puts(&b, "h");
    }
    bz_buf_put_u64(&b, s / 60 % 60);
    bz_buf_puts(&b, "m");
    bz_buf_put_u64(&b, s % 60);
    bz_buf_puts(&b, "s");
    return bz_buf_view(&b);
}

static struct bz_view moment(char out[TEXT_MAX], uint64_t unix_ns) {
    struct bz_buf b;
    bz_buf_init_fixed(&b, out, TEXT_MAX);
    bz_buf_put_time(&b, unix_ns);
    return bz_buf_view(&b);
}

#define V(s)                                                                                       \
    { (const uint8_t *)(s), sizeof(s) - 1 }
static const struct bz_view names[2][2][3] = {
    {
        {V("x-ratelimit-limit-requests"), V("x-ratelimit-remaining-requests"),
         V("x-ratelimit-reset-requests")},
        {V("x-ratelimit-limit-tokens"), V("x-ratelimit-remaining-tokens"),
         V("x-ratelimit-reset-tokens")},
    },
    {
        {V("anthropic-ratelimit-requests-limit"), V("anthropic-ratelimit-requests-remaining"),
         V("anthropic-ratelimit-requests-reset")},
        {V("anthropic-ratelimit-tokens-limit"), V("anthropic-ratelimit-tokens-remaining"),
         V("anthropic-ratelimit-tokens-reset")},
    },
};

size_t bz_tx_limits_headers(const struct bz_tx *tx, struct bz_header *out, size_t cap) {
    struct bz_tx_rates *t = tx->rates;
    size_t n = 0;
    unsigned style = tx->dialect == BZ_DIALECT_ANTHROPIC ? 1 : 0;
    for (unsigned k = 0; t != NULL && k < 2; k++) {
        const struct bz_rate_result *r = &t->r[k];
        if (!t->has[k] || n + 3 > cap)
            continue;
        out[n++] = (struct bz_header){names[style][k][0], number(t->limit[k], r->limit)};
        out[n++] = (struct bz_header){names[style][k][1], number(t->remaining[k], r->remaining)};
        out[n++] = (struct bz_header){
            names[style][k][2], style == 0 ? duration(t->reset[k], r->reset_ns)
                                           : moment(t->reset[k], tx->start.unix_ns + r->reset_ns)};
    }
    return n;
}
