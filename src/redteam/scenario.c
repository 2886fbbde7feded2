/* Scenario files: boxes of tools, and what an injection would have the model do with them. */
#include "red_int.h"

const char *bz_red_forbid_name(enum bz_red_forbid f) {
    static const char *const names[BZ_RED_FORBID_COUNT] = {"call", "canary", "prompt", "secret",
                                                           "link"};
    return (unsigned)f < BZ_RED_FORBID_COUNT ? names[f] : "?";
}

static struct bz_view json_text(struct bz_arena *ar, const struct bz_json *n) {
    struct bz_buf b;
    struct bz_view v = {NULL, 0};
    bz_buf_init(&b, BZ_RED_FILE_MAX);
    bz_json_write(&b, n);
    if (bz_buf_status(&b) == BZ_OK)
        v = bz_arena_dup(ar, bz_buf_view(&b));
    bz_buf_free(&b);
    return v;
}

static bool tools_ok(const struct bz_json *tools) {
    if (!bz_json_is(tools, BZ_JSON_ARRAY) || tools->count == 0)
        return false;
    for (const struct bz_json *t = tools->first; t != NULL; t = t->next) {
        if (bz_json_str(bz_json_get(t, BZ_V("name"))).n == 0 ||
            bz_json_str(bz_json_get(t, BZ_V("description"))).n == 0 ||
            !bz_json_is(bz_json_get(t, BZ_V("parameters")), BZ_JSON_OBJECT) || t->count != 3)
            return false;
    }
    return true;
}

static enum bz_status add_box(struct bz_red_suite *s, const struct bz_json *o,
                              struct bz_red_error *err) {
    struct bz_red_box b = {.name = bz_json_str(bz_json_get(o, BZ_V("tools-of")))};
    static const char *const known[] = {"tools-of", "tools", NULL};
    if (!red_members(o, known, err))
        return BZ_ESYNTAX;
    if (b.name.n == 0 || b.name.n > BZ_RED_NAME_MAX || !tools_ok(bz_json_get(o, BZ_V("tools")))) {
        red_fail(err, "tools are a list of {name, description, parameters}");
        return BZ_ESYNTAX;
    }
    b.tools = json_text(s->ar, bz_json_get(o, BZ_V("tools")));
    s->boxes = red_grow(s->ar, s->boxes, s->boxes_n, &s->boxes_cap, sizeof b, BZ_RED_BOXES_MAX);
    if (s->boxes == NULL || b.tools.p == NULL)
        return s->boxes_n >= BZ_RED_BOXES_MAX ? BZ_ETOOBIG : BZ_ENOMEM;
    s->boxes[s->boxes_n++] = b;
    return BZ_OK;
}

static bool box_of(const struct bz_red_suite *s, struct bz_view name, struct bz_view *ret) {
    for (size_t i = 0; i < s->boxes_n; i++) {
        if (bz_view_eq(s->boxes[i].name, name)) {
            *ret = s->boxes[i].tools;
            return true;
        }
    }
    return false;
}

static struct bz_view member(const struct bz_json *o, const char *key) {
    return bz_json_str(bz_json_get(o, bz_view_str(key)));
}

/* What must not happen: one of "tool", "leak", "secret", "host". */
static enum bz_status forbidden(struct bz_red_suite *s, const struct bz_json *o,
                                struct bz_red_scenario *ret, struct bz_red_error *err) {
    const struct bz_json *arguments = bz_json_get(o, BZ_V("arguments"));
    struct bz_view leak = member(o, "leak");
    ret->tool = member(o, "tool");
    ret->where = member(o, "where");
    ret->value = member(o, "value");
    ret->secret = member(o, "secret");
    ret->host = member(o, "host");
    int said = (ret->tool.n > 0) + (leak.n > 0) + (ret->secret.n > 0) + (ret->host.n > 0);
    bool leak_ok =
        leak.n == 0 || bz_view_eq(leak, BZ_V("canary")) || bz_view_eq(leak, BZ_V("prompt"));
    if (said != 1 || !leak_ok || (ret->tool.n > 0) != bz_json_is(arguments, BZ_JSON_OBJECT) ||
        (ret->where.n > 0) != (ret->value.n > 0) || (ret->where.n > 0 && ret->tool.n == 0)) {
        red_fail(err,
                 "what is forbidden is one of \"tool\" with \"arguments\" (and, if only some of "
                 "its calls are, \"where\" and \"value\"), \"leak\" (canary, prompt), "
                 "\"secret\", \"host\"");
        return BZ_ESYNTAX;
    }
    ret->forbid = ret->tool.n > 0                    ? BZ_RED_FORBID_CALL
                  : ret->secret.n > 0                ? BZ_RED_FORBID_SECRET
                  : ret->host.n > 0                  ? BZ_RED_FORBID_LINK
                  : bz_view_eq(leak, BZ_V("canary")) ? BZ_RED_FORBID_CANARY
                                                     : BZ_RED_FORBID_PROMPT;
    if (ret->tool.n > 0)
        ret->arguments = json_text(s->ar, arguments);
    return ret->tool.n > 0 && ret->arguments.p == NULL ? BZ_ENOMEM : BZ_OK;
}

static enum bz_status add_scenario(struct bz_red_suite *s, const struct bz_json *o,
                                   struct bz_red_error *err) {
    static const char *const known[] = {"id",        "box",    "user",  "reads", "content",
                                        "injection", "tool",   "where", "value", "arguments",
                                        "leak",      "secret", "host",  NULL};
    struct bz_red_scenario v = {.id = member(o, "id"),
                                .domain = member(o, "box"),
                                .user = member(o, "user"),
                                .reads = member(o, "reads"),
                                .content = member(o, "content"),
                                .injection = member(o, "injection")};
    if (!red_members(o, known, err))
        return BZ_ESYNTAX;
    if (v.id.n == 0 || v.id.n > BZ_RED_NAME_MAX || v.user.n == 0 || v.reads.n == 0 ||
        v.content.n == 0 || v.injection.n == 0 || v.content.n > BZ_RED_SEED_MAX) {
        red_fail(err, "a scenario has \"id\", \"box\", \"user\", \"reads\", \"content\" and "
                      "\"injection\"");
        return BZ_ESYNTAX;
    }
    if (!box_of(s, v.domain, &v.tools)) {
        red_fail(err, "\"box\" names no tools that stand before");
        return BZ_ESYNTAX;
    }
    BZ_TRY(forbidden(s, o, &v, err));
    for (size_t i = 0; i < s->n; i++) {
        if (bz_view_eq(s->v[i].id, v.id)) {
            red_fail(err, "this id stands in another place already");
            return BZ_EEXISTS;
        }
    }
    s->v = red_grow(s->ar, s->v, s->n, &s->cap, sizeof v, BZ_RED_SCENARIOS_MAX);
    if (s->v == NULL)
        return s->n >= BZ_RED_SCENARIOS_MAX ? BZ_ETOOBIG : BZ_ENOMEM;
    s->v[s->n++] = v;
    return BZ_OK;
}

static enum bz_status add_line(void *ctx, const struct bz_json *o, struct bz_red_error *err) {
    return bz_json_get(o, BZ_V("tools-of")) != NULL ? add_box(ctx, o, err)
                                                    : add_scenario(ctx, o, err);
}

enum bz_status bz_red_suite_add(struct bz_red_suite *s, struct bz_view text,
                                struct bz_red_error *err) {
    struct bz_sha256 h;
    BZ_TRY(red_lines(text, s->ar, add_line, s, err));
    bz_sha256_init(&h);
    bz_sha256_add(&h, bz_view(s->digest, sizeof s->digest));
    bz_sha256_add(&h, text);
    bz_sha256_end(&h, s->digest);
    return BZ_OK;
}
