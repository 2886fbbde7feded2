/* Definitions that want to be read by a model rather than by whoever approves them. None of this
 * decides: nothing passes before a person approved it. It says where to look. */
#include <bartizan/mcp.h>
#include <bartizan/text.h>

enum { WORD_MIN = 4 }; /* names below are in every text */

static const char *const odd_names[BZ_MCP_ODDS] = {"name",      "invisible", "control",  "orders",
                                                   "same_name", "mentions",  "undecided"};

const char *bz_mcp_odd_name(unsigned bit) {
    return bit < BZ_MCP_ODDS ? odd_names[bit] : "unknown";
}

static bool unseen(uint32_t cp) {
    static const struct {
        uint32_t from, to;
    } ranges[] = {
        {0x00ad, 0x00ad}, {0x034f, 0x034f},   {0x061c, 0x061c},    {0x115f, 0x1160},
        {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x200b, 0x200f},    {0x2028, 0x202e},
        {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfeff, 0xfeff},    {0xffa0, 0xffa0},
        {0xfff0, 0xfffb}, {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
    };
    if (cp < 0x20)
        return cp != '\n' && cp != '\t' && cp != '\r';
    if (cp >= 0x7f && cp < 0xa0)
        return true;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (cp >= ranges[i].from && cp <= ranges[i].to)
            return true;
    return false;
}

static bool has_unseen(struct bz_view v) {
    uint32_t cp = 0;
    for (size_t i = 0; i < v.n;) {
        size_t n = bz_utf8_next(bz_view_sub(v, i, v.n), &cp);
        if (n == 0 || unseen(cp))
            return true;
        i += n;
    }
    return false;
}

static uint8_t lower(uint8_t c) {
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool letter(uint8_t c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* The word in the text, without case; runs of blanks are one. whole: as a word of its own. */
static bool contains(struct bz_view text, struct bz_view word, bool whole) {
    for (size_t i = 0; i + word.n <= text.n; i++) {
        size_t k = i, w = 0;
        if (whole && i > 0 && letter(text.p[i - 1]))
            continue;
        while (w < word.n && k < text.n) {
            bool blank = text.p[k] == ' ' || text.p[k] == '\n' || text.p[k] == '\t';
            if (word.p[w] == ' ' ? !blank : lower(text.p[k]) != lower(word.p[w]))
                break;
            k++;
            while (word.p[w] == ' ' && k < text.n && (text.p[k] == ' ' || text.p[k] == '\n'))
                k++;
            w++;
        }
        if (w == word.n && !(whole && k < text.n && letter(text.p[k])))
            return true;
    }
    return false;
}

static bool any_of(struct bz_view text, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (contains(text, bz_view_str(words[i]), false))
            return true;
    return false;
}

static const char *const tokens[] = {
    "<|",
    "|>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<start_of_turn>",
    "</s>",
    "[/SYS]",
    "<\xef\xbd\x9c",
    "<end_of_turn>",
    "<bos>",
    "[AVAILABLE_TOOLS]",
    "### Human:",
    "### Assistant:",
    "<tool_call>",
    "</tool_call>",
    "[TOOL_CALLS]",
    "<think>",
};
static const char *const orders[] = {
    "<important>",
    "<system",
    "ignore previous",
    "ignore all",
    "ignore any",
    "ignore the",
    "disregard",
    "do not tell",
    "don't tell",
    "do not mention",
    "don't mention",
    "do not inform",
    "without telling",
    "without informing",
    "without asking",
    "not notify",
    "never mention",
    "keep this secret",
    "before using this",
    "before calling this",
    "before you use",
    "instead of calling",
    "instead of using",
    "always call this",
    "must first call",
    "must call this",
    "must also call",
    "system prompt",
    "your instructions",
    "your previous",
    "you are now",
    "as an ai",
    "pass its content",
    "conversation history",
    "~/.ssh",
    "id_rsa",
    "mcp.json",
    "api key",
    "side channel",
    "bcc",
};

static uint32_t odd_text(struct bz_view v, const struct bz_mcp_other *others, size_t n) {
    uint32_t odd = 0;
    if (has_unseen(v))
        odd |= BZ_MCP_ODD_INVISIBLE;
    if (any_of(v, tokens, sizeof tokens / sizeof tokens[0]))
        odd |= BZ_MCP_ODD_CONTROL;
    if (any_of(v, orders, sizeof orders / sizeof orders[0]))
        odd |= BZ_MCP_ODD_ORDERS;
    for (size_t i = 0; i < n && (odd & BZ_MCP_ODD_MENTIONS) == 0; i++) {
        bool name = others[i].name.n >= WORD_MIN && contains(v, others[i].name, true);
        bool server = others[i].server.n >= WORD_MIN && contains(v, others[i].server, true);
        if (name || server)
            odd |= BZ_MCP_ODD_MENTIONS;
    }
    return odd;
}

/* Every key and string: names of parameters are read by models as descriptions are. */
static uint32_t odd_value(const struct bz_json *v, const struct bz_mcp_other *others, size_t n) {
    uint32_t odd = 0;
    if (v->type == BZ_JSON_STRING)
        odd |= odd_text(v->val, others, n);
    for (const struct bz_json *m = v->first; m != NULL; m = m->next) {
        if (v->type == BZ_JSON_OBJECT)
            odd |= odd_text(m->key, others, 0);
        odd |= odd_value(m, others, n);
    }
    return odd;
}

uint32_t bz_mcp_odd(enum bz_mcp_what w, const struct bz_json *definition,
                    const struct bz_mcp_other *others, size_t n) {
    const struct bz_mcp_what_info *info = bz_mcp_what(w);
    struct bz_view name = bz_mcp_definition_name(w, definition);
    uint32_t odd = bz_mcp_name_ok(w, name) ? 0 : BZ_MCP_ODD_NAME;
    if (info == NULL || definition == NULL)
        return odd;
    for (size_t i = 0; i < n; i++)
        if (others[i].what == w && bz_mcp_same_look(name, others[i].name))
            odd |= BZ_MCP_ODD_SAME_NAME;
    for (const struct bz_json *m = definition->first; m != NULL; m = m->next) {
        if (bz_view_eq(m->key, bz_view_str(info->id)))
            odd |= odd_value(m, others, 0);
        else
            odd |= odd_text(m->key, others, 0) | odd_value(m, others, n);
    }
    return odd;
}
