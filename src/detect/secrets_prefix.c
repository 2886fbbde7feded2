/* Secrets that begin with a literal of their own. */
#include "secrets.h"

#include "secrets_prefix.h"

#define PREFIX_ROW(lead, type, form, entropy, check, flags)                                        \
    {type, 0, lead, form, entropy, check, flags},
const struct secret_row secrets_prefix[] = {SECRETS_PREFIXES(PREFIX_ROW)};
const size_t secrets_prefix_n = sizeof secrets_prefix / sizeof secrets_prefix[0];

static bool mixed(struct bz_view v) {
    unsigned seen = 0;
    for (size_t i = 0; i < v.n; i++)
        seen |= scan_class[v.p[i]];
    return (~seen & (SC_DIGIT | SC_UPPER | SC_LOWER)) == 0;
}

/* BIP 173: the checksum over the prefix and all characters behind the last '1'. */
static bool bech32_sum(struct bz_view prefix, struct bz_view data) {
    static const char charset[] = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
    static const uint32_t gen[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t sum = 1;
    for (size_t i = 0; i < prefix.n * 2 + 1 + data.n; i++) {
        uint32_t v = 0;
        if (i < prefix.n) {
            v = (uint32_t)(prefix.p[i] | 0x20) >> 5;
        } else if (i > prefix.n && i <= prefix.n * 2) {
            uint8_t c = prefix.p[i - prefix.n - 1];
            v = (scan_is(c, SC_ALPHA) ? c | 0x20u : c) & 31;
        } else if (i > prefix.n) {
            const char *at = strchr(charset, data.p[i - prefix.n * 2 - 1]);
            v = at == NULL ? 0 : (uint32_t)(at - charset);
        }
        uint32_t top = sum >> 25;
        sum = (sum & 0x1ffffff) << 5 ^ v;
        for (unsigned k = 0; k < 5; k++)
            sum ^= top >> k & 1 ? gen[k] : 0;
    }
    return sum == 1;
}

/* Does the row's check allow it, and what does that prove? */
static bool checked(const struct secret_row *row, struct bz_view all, struct bz_view rest,
                    enum bz_proof *proof) {
    char sum[6];
    switch (row->check) {
    case CHECK_GITHUB:
        form_crc62(bz_view_sub(rest, 0, 30), sum);
        if (memcmp(sum, rest.p + 30, sizeof sum) != 0)
            *proof = BZ_PROOF_FORM;
        return true;
    case CHECK_BARTIZAN:
        form_crc62(bz_view_sub(all, 0, all.n - sizeof sum), sum);
        return memcmp(sum, all.p + all.n - sizeof sum, sizeof sum) == 0;
    case CHECK_BECH32:
        if (!bech32_sum(BZ_V("age-secret-key-"), rest))
            *proof = BZ_PROOF_FORM;
        return true;
    case CHECK_MIXED:
        return mixed(rest);
    default:
        return true;
    }
}

enum answer secrets_try_prefix(const struct scan *s, const struct secret_row *row, size_t at,
                               struct match *ret) {
    size_t lead = strlen(row->lead);
    struct form_end e;
    ret->start = at;
    if (scan_is(scan_before(s, at), SC_ALNUM))
        return ANSWER_NO;
    enum answer a = form_match(s, at + lead, row->form, &e);
    if (a != ANSWER_YES)
        return a;
    bool tail = e.cut || (e.end < s->n && (scan_is(s->p[e.end], SC_ALNUM) || s->p[e.end] == '_'));
    if (tail && (row->flags & ROW_LONG) == 0)
        return ANSWER_NO;
    struct bz_view all = bz_view(s->p + at, e.end - at), rest = bz_view_sub(all, lead, all.n);
    enum bz_proof proof = row->flags & ROW_FORM ? BZ_PROOF_FORM : BZ_PROOF_CHECKSUM;
    if (form_entropy(rest) < row->entropy || judge_placeholder(rest) ||
        !checked(row, all, rest, &proof))
        return ANSWER_NO;
    *ret = (struct match){at, e.end, row->type, proof};
    return ANSWER_YES;
}
