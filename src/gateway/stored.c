/* Bodies that policy wants kept: what the model got, what the client got. Sealed to a public key; this
 * process cannot open them again. */
#include "screen.h"

enum { SPOOL_EXTRA = 4096 }; /* names and seals around a body */

void bz_tx_store_begin(struct bz_tx *tx) {
    struct bz_data_settings set;
    bz_image_data(tx->image, &set);
    tx->store_request = set.store_requests;
    tx->store_reply = set.store_replies;
}

void bz_tx_store_stream(struct bz_tx *tx, struct bz_view sent) {
    struct bz_tx_blob *k = &tx->kept;
    size_t most = BZ_STORED_BODY_MAX + 1; /* one more byte tells that it was cut */
    if (!tx->store_reply || k->n >= most)
        return;
    if (sent.n > most - k->n)
        sent.n = most - k->n;
    size_t want = k->n + sent.n < 2 * k->cap ? 2 * k->cap : 2 * (k->n + sent.n);
    if (k->n + sent.n > k->cap && !bz_tx_blob_room(tx, k, want < most ? want : most)) {
        tx->store_reply = false; /* no memory: the record says that it was not kept */
        return;
    }
    if (sent.n > 0)
        memcpy(k->p + k->n, sent.p, sent.n);
    k->n += sent.n;
}

static struct bz_view body_of(const struct bz_tx *tx, enum bz_body_part part) {
    struct bz_view none = {NULL, 0};
    if (part == BZ_BODY_REQUEST)
        return tx->store_request && tx->forwarded ? tx->forward.body : none;
    if (!tx->store_reply || !tx->forwarded)
        return none;
    if (tx->streaming)
        return bz_view(tx->kept.p, tx->kept.n);
    bool answered = tx->phase == BZ_PHASE_ENDED && tx->verdict != BZ_VERDICT_REFUSE;
    return answered && tx->reply != NULL ? tx->reply->body : none;
}

enum bz_status bz_tx_spool(struct bz_tx *tx, enum bz_body_part part, char name[BZ_BODY_NAME],
                           struct bz_buf *out) {
    struct bz_data_settings set;
    struct bz_model m;
    struct bz_view text = body_of(tx, part);
    if (text.n == 0)
        return BZ_ENOTFOUND;
    bz_image_data(tx->image, &set);
    struct bz_body b = {
        .part = part,
        .level = tx->screen != NULL ? tx->screen->level : tx->label,
        .time_ms = tx->start.unix_ns / 1000000,
        .user = tx->who.owner,
        .conversation = tx->conversation,
        .key_id = tx->who.key_id,
        .type = part == BZ_BODY_REQUEST || !tx->streaming ? BZ_V("application/json")
                                                          : bz_tx_stream_type(tx),
        .body = text,
    };
    if (tx->has_model && bz_image_model(tx->image, tx->model, &m))
        b.model = m.name;
    memcpy(b.id, tx->id, sizeof b.id);
    bz_body_name(tx->id, part, name);
    return bz_body_seal(set.body_public, &b, out);
}

size_t bz_tx_spool_room(const struct bz_tx *tx, enum bz_body_part part) {
    size_t n = body_of(tx, part).n;
    return n == 0 ? 0 : (n < BZ_STORED_BODY_MAX ? n : BZ_STORED_BODY_MAX) + SPOOL_EXTRA;
}
