/* What the gateway answers itself: model lists that show a caller only what that caller may use,
 * and liveness. */
#include "tx_int.h"

#define ENTRY_ROOM 256 /* one entry without its name */
#define FRAME_ROOM 512

typedef void entry_fn(struct bz_jw *w, const struct bz_model *m);

static bool is_visible(const struct bz_tx *tx, uint32_t i, uint64_t backends, struct bz_model *m) {
    struct bz_denial why;
    return bz_image_model(tx->image, i, m) && (m->backends & backends) != 0 &&
           bz_authorise_model(tx->image, &tx->who, m->name, &why) == BZ_OK;
}

/* Worst case: every byte of a name as \u00xx, and the name up to three times. */
static size_t room_of(struct bz_view name) {
    return ENTRY_ROOM + 18 * name.n;
}

static void openai_entry(struct bz_jw *w, const struct bz_model *m) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "id", m->name);
    bz_jw_kstr(w, "object", BZ_V("model"));
    bz_jw_ku64(w, "created", 0); /* the wire wants a number; nobody here knows one */
    bz_jw_kstr(w, "owned_by", BZ_V("bartizan"));
    bz_jw_end(w);
}

static void anthropic_entry(struct bz_jw *w, const struct bz_model *m) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "type", BZ_V("model"));
    bz_jw_kstr(w, "id", m->name);
    bz_jw_kstr(w, "display_name", m->name);
    bz_jw_kstr(w, "created_at", BZ_V("1970-01-01T00:00:00Z"));
    bz_jw_end(w);
}

/* Size, digest and family are not told: they are facts about the host's files. */
static void ollama_entry(struct bz_jw *w, const struct bz_model *m) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "name", m->name);
    bz_jw_kstr(w, "model", m->name);
    bz_jw_kstr(w, "modified_at", BZ_V("1970-01-01T00:00:00Z"));
    bz_jw_ku64(w, "size", 0);
    bz_jw_kstr(w, "digest", BZ_V(""));
    bz_jw_key(w, "details");
    bz_jw_obj(w);
    bz_jw_kstr(w, "format", BZ_V(""));
    bz_jw_kstr(w, "family", BZ_V(""));
    bz_jw_kstr(w, "parameter_size", BZ_V(""));
    bz_jw_kstr(w, "quantization_level", BZ_V(""));
    bz_jw_end(w);
    bz_jw_end(w);
}

static size_t list_room(const struct bz_tx *tx, uint64_t backends) {
    struct bz_model m;
    size_t n = FRAME_ROOM;
    for (uint32_t i = 0; i < tx->models_n; i++)
        if (is_visible(tx, i, backends, &m))
            n += room_of(m.name);
    return n;
}

static void list(const struct bz_tx *tx, struct bz_jw *w, const char *key, uint64_t backends,
                 entry_fn *entry) {
    struct bz_model m;
    bz_jw_key(w, key);
    bz_jw_arr(w);
    for (uint32_t i = 0; i < tx->models_n; i++)
        if (is_visible(tx, i, backends, &m))
            entry(w, &m);
    bz_jw_end(w);
}

static void write_list(const struct bz_tx *tx, struct bz_jw *w, uint64_t backends) {
    bz_jw_obj(w);
    if (tx->route->answer == BZ_ANSWER_OLLAMA_TAGS) {
        list(tx, w, "models", backends, ollama_entry);
    } else if (tx->dialect == BZ_DIALECT_ANTHROPIC) {
        list(tx, w, "data", backends, anthropic_entry);
        bz_jw_kbool(w, "has_more", false);
        bz_jw_key(w, "first_id");
        bz_jw_null(w);
        bz_jw_key(w, "last_id");
        bz_jw_null(w);
    } else {
        bz_jw_kstr(w, "object", BZ_V("list"));
        list(tx, w, "data", backends, openai_entry);
    }
    bz_jw_end(w);
}

/* The body is collected memory of the transaction and lives as long as it. */
static bool room(struct bz_tx *tx, size_t n, struct bz_buf *b) {
    if (!bz_tx_blob_room(tx, &tx->collect, n))
        return bz_tx_no(tx, BZ_REFUSE_NO_MEMORY);
    bz_buf_init_fixed(b, tx->collect.p, tx->collect.cap);
    return true;
}

static bool send(struct bz_tx *tx, const struct bz_buf *b) {
    if (bz_buf_status(b) != BZ_OK)
        return bz_tx_no(tx, BZ_REFUSE_INTERNAL);
    tx->collect.n = b->n;
    return bz_tx_reply_ok(tx, 200, BZ_V("application/json"), bz_buf_view(b));
}

static bool answer_list(struct bz_tx *tx) {
    struct bz_buf b;
    struct bz_jw w;
    uint64_t backends = bz_tx_backends_of(tx, UINT64_MAX, tx->may);
    if (!room(tx, list_room(tx, backends), &b))
        return false;
    bz_jw_init(&w, &b);
    write_list(tx, &w, backends);
    return send(tx, &b);
}

static bool answer_model(struct bz_tx *tx, struct bz_view id) {
    struct bz_buf b;
    struct bz_jw w;
    struct bz_model m;
    if (!bz_tx_model_find(tx, id, &m) || bz_tx_backends_of(tx, m.backends, tx->may) == 0)
        return bz_tx_no(tx, BZ_REFUSE_MODEL_UNKNOWN);
    tx->has_model = true;
    tx->model = m.index;
    if (!room(tx, FRAME_ROOM + room_of(m.name), &b))
        return false;
    bz_jw_init(&w, &b);
    if (tx->dialect == BZ_DIALECT_ANTHROPIC)
        anthropic_entry(&w, &m);
    else
        openai_entry(&w, &m);
    return send(tx, &b);
}

bool bz_tx_answer(struct bz_tx *tx, struct bz_view id) {
    switch (tx->route->answer) {
    case BZ_ANSWER_MODELS:
    case BZ_ANSWER_OLLAMA_TAGS:
        return answer_list(tx);
    case BZ_ANSWER_MODEL:
        return answer_model(tx, id);
    case BZ_ANSWER_OLLAMA_PS: /* what runs now tells what other tenants do */
        return bz_tx_reply_ok(tx, 200, BZ_V("application/json"), BZ_V("{\"models\":[]}"));
    case BZ_ANSWER_OLLAMA_VERSION: /* the gateway's: the server's would name its known holes */
        return bz_tx_reply_ok(tx, 200, BZ_V("application/json"),
                              BZ_V("{\"version\":\"" BZ_VERSION "\"}"));
    case BZ_ANSWER_HEALTH:
        return bz_tx_reply_ok(tx, 200, BZ_V("application/json"), BZ_V("{\"status\":\"ok\"}"));
    case BZ_ANSWER_BACKEND:
    case BZ_ANSWER_COUNT:
    default:
        return bz_tx_no(tx, BZ_REFUSE_INTERNAL);
    }
}
