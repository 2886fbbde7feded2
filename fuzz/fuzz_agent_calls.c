/* Calls with their schemas, and links: first byte: which of them. Schema and arguments are separated by a NUL. Links
 * have to be the same for every cut and gone after they were rewritten. */
#include <stdlib.h>
#include <bartizan/agent.h>
#include <bartizan/text.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok) {
    if (!ok)
        abort();
}

static void call(struct bz_view in) {
    const uint8_t *nul = in.n > 0 ? memchr(in.p, 0, in.n) : NULL;
    size_t n = nul == NULL ? in.n : (size_t)(nul - in.p);
    const struct bz_tool_rule rules[] = {
        {.name = BZ_V("t"), .schema = bz_view_sub(in, 0, n), .effect = BZ_EFFECT_READ},
        {.name = BZ_V("*"), .verdict = BZ_TOOL_APPROVE},
    };
    struct bz_agent_settings s;
    struct bz_agent_error err;
    struct bz_agent a;
    struct bz_buf b;
    struct bz_arena ar;
    struct bz_tool_answer answer;
    uint8_t key[32] = {1}, id[BZ_CALL_ID];
    bz_agent_settings_default(&s);
    bz_buf_init(&b, 1 << 20);
    bz_arena_init(&ar, bz_alloc_heap, 8 << 20, NULL, 0);
    if (bz_agent_compile(rules, 2, &s, &b, &err) == BZ_OK) {
        struct bz_tool_call c = {.name = BZ_V("t")};
        struct bz_json *args = NULL;
        struct bz_view text = bz_view_sub(in, n + 1, in.n);
        require(bz_agent_open(bz_buf_view(&b), &a) == BZ_OK);
        if (bz_json_parse(text, NULL, &ar, &args, NULL) == BZ_OK)
            c.arguments = args;
        require(bz_agent_decide(&a, &c, &ar, &answer) != BZ_OK ||
                answer.verdict != BZ_TOOL_APPROVE);
        (void)!bz_agent_digest(key, c.name, c.arguments, text, &ar, id);
    }
    bz_arena_free(&ar);
    bz_buf_free(&b);
}

static void pass(const struct bz_agent *a, struct bz_view in, size_t cut, struct bz_buf *out) {
    size_t from = 0;
    for (size_t to = 0; to < in.n || from < in.n;) {
        to = in.n - to > cut ? to + cut : in.n;
        for (bool again = true; again;) {
            struct bz_link l;
            size_t settled = from;
            again = bz_agent_link(a, bz_view_sub(in, 0, to), from, to == in.n, &l, &settled);
            require(settled >= from && settled <= to);
            bz_buf_put(out, bz_view_sub(in, from, (again ? l.start : settled) - from));
            if (again)
                bz_agent_defang(bz_view_sub(in, l.start, l.end - l.start), out);
            from = settled;
        }
    }
}

static void links(struct bz_view in) {
    static const struct bz_view host = {(const uint8_t *)"good.example", 12};
    struct bz_agent_settings s;
    struct bz_agent_error err;
    struct bz_agent a;
    struct bz_buf b, one, cut;
    bz_agent_settings_default(&s);
    s.hosts = &host;
    s.hosts_n = 1;
    bz_buf_init(&b, 1 << 16);
    bz_buf_init(&one, 16 << 20);
    bz_buf_init(&cut, 16 << 20);
    require(bz_agent_compile(NULL, 0, &s, &b, &err) == BZ_OK &&
            bz_agent_open(bz_buf_view(&b), &a) == BZ_OK);
    if (bz_utf8_valid(in) == in.n) {
        pass(&a, in, in.n + 1, &one);
        pass(&a, in, 1 + in.n % 7, &cut);
        require(bz_view_eq(bz_buf_view(&one), bz_buf_view(&cut)));
    }
    bz_buf_free(&b);
    bz_buf_free(&one);
    bz_buf_free(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bz_agent a;
    if (size == 0 || size > 8192)
        return 0;
    struct bz_view in = bz_view(data + 1, size - 1);
    if (data[0] == 'c')
        call(in);
    else if (data[0] == 'b')
        (void)!bz_agent_open(in, &a);
    else
        links(in);
    return 0;
}
