/* The walker: a tree against its table, level by level. No path is built and nothing is allocated;
 * a chain of places on the stack says where the walk is, and is written out only when asked.
 *
 * The recursion follows the tree, whose depth the parser bounds (BZ_JSON_DEPTH_MAX). */
#include "fields_rows.h"

#include <bartizan/limits.h>
#include <bartizan/text.h>

struct place {
    const struct place *up;
    const struct bz_json *node;
    size_t index; /* of an element, when `item` */
    bool item;
};

/* ---- paths ---- */

static void put_place(struct bz_buf *b, const struct place *at) {
    if (at == NULL)
        return;
    put_place(b, at->up);
    if (at->item) {
        bz_buf_putc(b, '[');
        bz_buf_put_u64(b, at->index);
        bz_buf_putc(b, ']');
        return;
    }
    if (b->n > 0)
        bz_buf_putc(b, '.');
    bz_put_safe(b,
                bz_view_sub(at->node->key, 0, 40)); /* a stranger's key: the rest stays legible */
}

static void put_path(const struct place *at, char out[96]) {
    uint8_t room[1024];
    struct bz_buf b;
    bz_buf_init_fixed(&b, room, sizeof room);
    put_place(&b, at);
    size_t n = b.n < 95 ? b.n : 95;
    memcpy(out, room, n);
    out[n] = '\0';
}

void bz_span_path(const struct bz_walk *w, char out[96]) {
    put_path(w->at, out);
}

void bz_span_set(const struct bz_span *s, struct bz_view text) {
    if (!s->is_key) {
        bz_json_set_str(s->node, text);
        return;
    }
    s->node->key = text;
    s->node->flags &= (uint8_t)~BZ_JSON_KEY_CLEAN;
}

static enum bz_status __attribute__((cold, noinline))
refuse(struct field_walk *k, const struct place *at, const struct bz_json *v, const char *why) {
    struct bz_param_error *err = k->w->err;
    if (err == NULL)
        return BZ_EDENIED;
    put_path(at, err->param);
    err->why = why;
    err->fix = "docs/FIELDS.md lists the known members";
    err->offset = v->off;
    err->status = 400;
    return BZ_EDENIED;
}

/* ---- spans ---- */

static enum bz_status give(struct field_walk *k, const struct place *at, const struct field_row *r,
                           struct bz_json *v, bool is_key) {
    if ((is_key ? v->key.n : v->val.n) == 0)
        return BZ_OK;
    int speaker = r->f.by_role && k->speaker >= 0 ? k->speaker : r->f.speaker;
    struct bz_span s = {
        .text = is_key ? v->key : v->val,
        .node = v,
        .field = &r->f,
        .speaker = (uint8_t)speaker,
        .is_key = is_key,
        .is_number = !is_key && v->type == BZ_JSON_NUMBER,
    };
    if (k->where == BZ_WHERE_EVENT && r->f.channel != CH_NONE)
        s.channel = (uint64_t)r->f.channel << 56 | k->choice << CHANNEL_BITS | k->part;
    k->w->at = at;
    return k->w->span(k->w->ctx, k->w, &s);
}

/* Any JSON: keys, strings and numbers; of `facts` strings alone. */
static enum bz_status any(struct field_walk *k, const struct place *at, const struct field_row *r,
                          struct bz_json *v) {
    if (v->type == BZ_JSON_STRING || (v->type == BZ_JSON_NUMBER && !r->f.facts))
        return give(k, at, r, v, false);
    size_t i = 0;
    for (struct bz_json *m = v->first; m != NULL; m = m->next, i++) {
        struct place here = {at, m, i, v->type == BZ_JSON_ARRAY};
        if (!here.item && !r->f.facts)
            BZ_TRY(give(k, &here, r, m, true));
        BZ_TRY(any(k, &here, r, m));
    }
    return BZ_OK;
}

/* No row covers it. An element of an array has no key. null says nothing and newer servers send it:
 * the member passes, its name is looked at. */
static enum bz_status __attribute__((cold, noinline))
unknown(struct field_walk *k, const struct place *at, struct bz_json *v, bool has_key) {
    static const struct field_row row = JSON("", META);
    bool null = v->type == BZ_JSON_NULL;
    if (!null && k->w->unknown != BZ_UNKNOWN_TEXT)
        return refuse(k, at, v, "unknown member: its text could not be screened");
    if (has_key)
        BZ_TRY(give(k, at, &row, v, true));
    return any(k, at, &row, v);
}

/* ---- media ---- */

/* Answers have not been through bz_dialect_check: what calls itself media and is no base64 is read
 * as text. */
static bool is_base64(struct bz_view v) {
    if (bz_view_starts(v, BZ_V("data:"))) {
        const uint8_t *comma = memchr(v.p, ',', v.n < 128 ? v.n : 128);
        if (comma == NULL)
            return false;
        v = bz_view_sub(v, (size_t)(comma - v.p) + 1, v.n);
    }
    for (size_t i = 0; i < v.n; i++) {
        uint8_t b = v.p[i];
        bool good = (uint8_t)(b - 'A') < 26 || (uint8_t)(b - 'a') < 26 || (uint8_t)(b - '0') < 10 ||
                    b == '+' || b == '/' || b == '=';
        if (!good)
            return false;
    }
    return true;
}

static enum bz_status media(struct field_walk *k, const struct place *at, struct bz_json *v) {
    static const struct field_row row = TEXT("", META);
    if (k->where == BZ_WHERE_REQUEST || is_base64(v->val))
        return BZ_OK;
    return give(k, at, &row, v, false);
}

/* ---- values against rows ---- */

static enum bz_status object(struct field_walk *k, const struct place *at,
                             const struct field_set *set, struct bz_json *v);
static enum bz_status value(struct field_walk *k, const struct place *at, const struct field_row *r,
                            struct bz_json *v);

static enum bz_status string(struct field_walk *k, const struct place *at,
                             const struct field_row *r, struct bz_json *v) {
    switch (r->f.kind) {
    case BZ_FIELD_TEXT:
    case BZ_FIELD_JSON_TEXT:
    case BZ_FIELD_JSON:
        return give(k, at, r, v, false);
    case BZ_FIELD_MEDIA:
        return media(k, at, v);
    case BZ_FIELD_DATA:
    case BZ_FIELD_REPEAT:
        return BZ_OK;
    default:
        return unknown(k, at, v, false);
    }
}

static enum bz_status scalar(struct field_walk *k, const struct place *at,
                             const struct field_row *r, struct bz_json *v) {
    switch (r->f.kind) {
    case BZ_FIELD_DATA:
    case BZ_FIELD_REPEAT:
        return BZ_OK;
    case BZ_FIELD_JSON:
        return any(k, at, r, v);
    default:
        return r->numbers && v->type == BZ_JSON_NUMBER ? BZ_OK : unknown(k, at, v, false);
    }
}

static enum bz_status array(struct field_walk *k, const struct place *at, const struct field_row *r,
                            struct bz_json *v) {
    size_t i = 0;
    if (r->f.kind == BZ_FIELD_REPEAT)
        return BZ_OK;
    for (struct bz_json *m = v->first; m != NULL; m = m->next, i++) {
        struct place here = {at, m, i, true};
        if (r->f.kind == BZ_FIELD_DATA && m->type == BZ_JSON_NUMBER)
            continue; /* vectors */
        BZ_TRY(value(k, &here, r, m));
    }
    return BZ_OK;
}

static enum bz_status value(struct field_walk *k, const struct place *at, const struct field_row *r,
                            struct bz_json *v) {
    static const struct field_row arguments = JSON("", ASSISTANT);
    switch ((enum bz_json_type)v->type) {
    case BZ_JSON_NULL:
        return BZ_OK;
    case BZ_JSON_STRING:
        return string(k, at, r, v);
    case BZ_JSON_ARRAY:
        return array(k, at, r, v);
    case BZ_JSON_OBJECT:
        break;
    case BZ_JSON_FALSE:
    case BZ_JSON_TRUE:
    case BZ_JSON_NUMBER:
    case BZ_JSON_TYPE_COUNT:
        return scalar(k, at, r, v);
    }
    if (r->f.kind == BZ_FIELD_REPEAT)
        return BZ_OK;
    if (r->f.kind == BZ_FIELD_JSON)
        return any(k, at, r, v);
    if (r->json) /* some clients send arguments so: whole, and no piece of a channel */
        return any(k, at, &arguments, v);
    if (r->below == NULL)
        return unknown(k, at, v, false);
    int speaker = k->speaker;
    if (r->f.kind == BZ_FIELD_TEXT && !(r->f.by_role && speaker >= 0))
        k->speaker = r->f.speaker;
    enum bz_status st = object(k, at, r->below, v);
    k->speaker = speaker;
    return st;
}

bool bz_fields_word(const char *words, struct bz_view v) {
    for (const char *w = words; w != NULL; w = strchr(w, '|')) {
        w += *w == '|';
        if (v.n > 0 && strncmp(w, (const char *)v.p, v.n) == 0 && (w[v.n] == '|' || w[v.n] == '\0'))
            return true;
    }
    return false;
}

/* Servers write members in the order of the rows, more or less: the search goes on where it ended.
 * Rows of one name stand together, so that it meets the first of them first. */
static inline const struct field_row *row_of(const struct field_set *set, size_t *from,
                                             const struct bz_json *m, const struct bz_json *obj) {
    size_t at = *from;
    for (size_t i = 0; i < set->n; i++) {
        const struct field_row *r = &set->rows[at];
        at = at + 1 == set->n ? 0 : at + 1;
        if (r->name_n != m->key.n || (uint8_t)r->f.name[0] != m->key.p[0] ||
            memcmp(r->f.name, m->key.p, m->key.n) != 0)
            continue; /* no row has an empty name */
        if (r->f.when == NULL ||
            bz_fields_word(r->f.when, bz_json_str(bz_json_get(obj, BZ_V("type"))))) {
            *from = at;
            return r;
        }
    }
    return NULL;
}

static int speaker_of(const struct bz_json *obj, int otherwise) {
    static const struct {
        const char *role;
        enum bz_speaker speaker;
    } roles[] = {
        {"user", BZ_SPEAKER_USER},        {"assistant", BZ_SPEAKER_ASSISTANT},
        {"tool", BZ_SPEAKER_TOOL},        {"system", BZ_SPEAKER_SYSTEM},
        {"developer", BZ_SPEAKER_SYSTEM}, {"function", BZ_SPEAKER_TOOL},
    };
    struct bz_view role = bz_json_str(bz_json_get(obj, BZ_V("role")));
    for (size_t i = 0; role.n > 0 && i < sizeof roles / sizeof roles[0]; i++) {
        if (bz_view_eq_nocase(role, bz_view_str(roles[i].role))) /* Ollama folds them */
            return (int)roles[i].speaker;
    }
    return otherwise;
}

/* Most members of most events. */
static inline bool is_data(const struct field_row *r, const struct bz_json *v) {
    return v->type == BZ_JSON_NULL || (r->f.kind == BZ_FIELD_DATA && v->type < BZ_JSON_ARRAY);
}

static enum bz_status members(struct field_walk *k, const struct place *at,
                              const struct field_set *set, struct bz_json *v) {
    bool settings = k->where == BZ_WHERE_REQUEST && at == NULL;
    size_t from = 0;
    for (struct bz_json *m = v->first; m != NULL; m = m->next) {
        struct place here = {at, m, 0, false};
        const struct field_row *r = row_of(set, &from, m, v);
        if (r != NULL && is_data(r, m))
            continue;
        if (r == NULL && settings)
            r = bz_fields_setting(k->api, m->key);
        BZ_TRY(r == NULL ? unknown(k, &here, m, true) : value(k, &here, r, m));
    }
    return BZ_OK;
}

static enum bz_status object(struct field_walk *k, const struct place *at,
                             const struct field_set *set, struct bz_json *v) {
    if (set->index == INDEX_NONE && !set->role)
        return members(k, at, set, v);
    uint64_t choice = k->choice, part = k->part;
    int speaker = k->speaker;
    if (k->where == BZ_WHERE_EVENT && set->index != INDEX_NONE &&
        !bz_fields_index(set->index, v, at == NULL ? 0 : at->index, &k->choice, &k->part))
        return refuse(k, at, v, "index is no small number");
    if (set->role)
        k->speaker = speaker_of(v, speaker);
    enum bz_status st = members(k, at, set, v);
    k->choice = choice;
    k->part = part;
    k->speaker = speaker;
    return st;
}

/* ---- channels ---- */

void bz_fields_end(struct field_walk *k, uint64_t channel, uint64_t mask) {
    k->w->channel_end(k->w->ctx, channel, mask);
}

/* A member that numbers; absent: *ret stays. */
static bool small(const struct bz_json *v, uint64_t *ret) {
    int64_t n;
    if (v == NULL || v->type == BZ_JSON_NULL)
        return true;
    if (bz_json_i64(v, &n) != BZ_OK || n < 0 || n >= INT64_C(1) << CHANNEL_BITS)
        return false;
    *ret = (uint64_t)n;
    return true;
}

/* llama.cpp numbers no items, it names them. FNV-1a: two items of one stream that fall together
 * would be read as one text, nothing worse. */
static uint64_t name_number(struct bz_view v) {
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < v.n; i++)
        h = (h ^ v.p[i]) * UINT64_C(0x100000001b3);
    return (h ^ h >> CHANNEL_BITS) & ((UINT64_C(1) << CHANNEL_BITS) - 1);
}

static bool item_index(const struct bz_json *obj, uint64_t *ret_choice, uint64_t *ret_part) {
    const struct bz_json *number = bz_json_get(obj, BZ_V("output_index"));
    const struct bz_json *part = bz_json_get(obj, BZ_V("content_index"));
    *ret_choice = *ret_part = 0;
    if (part == NULL)
        part = bz_json_get(obj, BZ_V("summary_index"));
    if (number == NULL) {
        struct bz_view name = bz_json_str(bz_json_get(obj, BZ_V("item_id")));
        if (name.n == 0)
            name = bz_json_str(bz_json_get(bz_json_get(obj, BZ_V("item")), BZ_V("id")));
        *ret_choice = name.n > 0 ? name_number(name) : 0;
    }
    return small(number, ret_choice) && small(part, ret_part);
}

bool bz_fields_index(enum index_of how, const struct bz_json *obj, uint64_t position,
                     uint64_t *ret_choice, uint64_t *ret_part) {
    uint64_t n = position;
    if (how == INDEX_ITEM)
        return item_index(obj, ret_choice, ret_part);
    if (!small(bz_json_get(obj, BZ_V("index")), &n))
        return false;
    *(how == INDEX_CHOICE ? ret_choice : ret_part) = n;
    return true;
}

/* ---- the whole ---- */

enum bz_status bz_fields_walk(const struct bz_route *route, enum bz_server server,
                              enum bz_where where, struct bz_json *root, struct bz_walk *w) {
    (void)server; /* every server's additions stand in the one table of the API */
    struct field_table table = bz_fields_table(route, where);
    struct field_walk k = {.table = &table,
                           .api = route->api,
                           .where = where,
                           .w = w,
                           .speaker = where == BZ_WHERE_REQUEST ? -1 : (int)BZ_SPEAKER_ASSISTANT};
    if (root == NULL || table.root == NULL)
        return root == NULL ? BZ_OK : unknown(&k, NULL, root, false);
    BZ_TRY(value(&k, NULL, table.root, root));
    if (table.ends != NULL && w->channel_end != NULL)
        table.ends(&k, root);
    w->at = NULL;
    return BZ_OK;
}

/* ---- repeats ---- */

static void clear_value(const struct field_row *r, struct bz_json *v) {
    if (v->type == BZ_JSON_NULL)
        return;
    if (v->type != BZ_JSON_ARRAY || !r->list)
        v->type = BZ_JSON_NULL;
    v->val = (struct bz_view){NULL, 0};
    v->first = NULL;
    v->count = 0;
}

static void clear(struct field_walk *k, const struct field_row *r, struct bz_json *v,
                  uint64_t position, uint64_t channel) {
    if (r->f.kind == BZ_FIELD_REPEAT &&
        (channel == 0 || (channel & CHANNEL_CHOICE) == k->choice << CHANNEL_BITS))
        clear_value(r, v);
    if (r->below == NULL)
        return;
    uint64_t choice = k->choice, part = k->part, i = 0;
    size_t from = 0;
    if (v->type == BZ_JSON_OBJECT && r->below->index != INDEX_NONE)
        (void)bz_fields_index(r->below->index, v, position, &k->choice, &k->part);
    for (struct bz_json *m = v->first; m != NULL; m = m->next, i++) {
        const struct field_row *below = r;
        if (v->type == BZ_JSON_OBJECT)
            below = row_of(r->below, &from, m, v);
        if (below != NULL)
            clear(k, below, m, i, channel);
    }
    k->choice = choice;
    k->part = part;
}

void bz_fields_clear_repeats(const struct bz_route *route, enum bz_server server,
                             enum bz_where where, struct bz_json *root, uint64_t channel) {
    (void)server;
    struct field_table table = bz_fields_table(route, where);
    struct field_walk k = {.table = &table, .api = route->api, .where = where};
    if (root != NULL && table.root != NULL)
        clear(&k, table.root, root, 0, channel);
}
