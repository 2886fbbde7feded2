/* Jinja's grammar: what is read, how it binds, what is refused, and limits. Trees are compared as
 * text; the expected ones follow jinja2's own parser. */
#include "../../src/artifact/jinja.h"

#include <bartizan/buf.h>
#include <bartizan/limits.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void show(struct bz_buf *b, const struct jinja_node *n);

static void show_list(struct bz_buf *b, const struct jinja_node *n) {
    for (; n != NULL; n = n->next) {
        bz_buf_putc(b, ' ');
        show(b, n);
    }
}

static const char *const names[JN_KIND_COUNT] = {
    [JN_DATA] = "data",
    [JN_PRINT] = "print",
    [JN_FOR] = "for",
    [JN_IF] = "if",
    [JN_BRANCH] = "branch",
    [JN_SET] = "set",
    [JN_WITH] = "with",
    [JN_BLOCK] = "block",
    [JN_MACRO] = "macro",
    [JN_CALLBLOCK] = "callblock",
    [JN_FILTER] = "filterblock",
    [JN_INCLUDE] = "include",
    [JN_IMPORT] = "import",
    [JN_FROM] = "from",
    [JN_EXTENDS] = "extends",
    [JN_SCOPE] = "scope",
    [JN_BREAK] = "break",
    [JN_CONTINUE] = "continue",
    [JN_DO] = "do",
    [JN_DEBUG] = "debug",
    [JN_PARAM] = "param",
    [JE_NAME] = "",
    [JE_NSREF] = "nsref",
    [JE_STR] = "str",
    [JE_INT] = "int",
    [JE_FLOAT] = "float",
    [JE_BOOL] = "bool",
    [JE_NONE] = "none",
    [JE_TUPLE] = "tuple",
    [JE_LIST] = "list",
    [JE_DICT] = "dict",
    [JE_PAIR] = "pair",
    [JE_NOT] = "not",
    [JE_NEG] = "neg",
    [JE_POS] = "pos",
    [JE_BIN] = "bin",
    [JE_AND] = "and",
    [JE_OR] = "or",
    [JE_CONCAT] = "~",
    [JE_CMP] = "cmp",
    [JE_CMPOP] = "op",
    [JE_COND] = "cond",
    [JE_ATTR] = "attr",
    [JE_ITEM] = "item",
    [JE_SLICE] = "slice",
    [JE_CALL] = "call",
    [JE_ARG] = "arg",
    [JE_FILTER] = "filter",
    [JE_TEST] = "test",
};

static void show(struct bz_buf *b, const struct jinja_node *n) {
    const struct jinja_node *parts[] = {n->a, n->b, n->c};
    bz_buf_puts(b, "(");
    bz_buf_puts(b, names[n->kind]);
    if (n->kind == JE_BIN || n->kind == JE_CMPOP || (n->op != 0 && n->kind != JE_STR))
        bz_buf_printf(b, "#%u", n->op);
    if (n->kind == JE_INT)
        bz_buf_printf(b, " %lld", (long long)n->num);
    else if (n->text.n > 0) {
        bz_buf_puts(b, n->kind == JE_NAME ? "" : " ");
        bz_buf_put(b, n->text);
    }
    for (size_t i = 0; i < 3; i++) {
        if (parts[i] != NULL) {
            bz_buf_putc(b, ' ');
            show(b, parts[i]);
        }
    }
    if (n->list != NULL) {
        bz_buf_puts(b, " [");
        show_list(b, n->list);
        bz_buf_puts(b, "]");
    }
    if (n->other != NULL) {
        bz_buf_puts(b, " {");
        show_list(b, n->other);
        bz_buf_puts(b, "}");
    }
    bz_buf_puts(b, ")");
}

static enum bz_status parse(struct bz_arena *ar, struct bz_view text, struct bz_buf *b) {
    struct jinja_tree tree;
    struct bz_diag diag = {0, NULL};
    bz_arena_init(ar, bz_alloc_heap, 256u << 20, NULL, 0);
    enum bz_status st = jinja_parse(ar, text, &tree, &diag);
    if (st != BZ_OK) {
        assert_non_null(diag.why);
        assert_true(diag.offset <= text.n);
    }
    if (b != NULL) {
        show_list(b, tree.body);
        bz_buf_putc(b, 0);
    }
    return st;
}

/* As jinja2.Environment.parse shows them. */
static const struct {
    const char *text, *tree;
} trees[] = {
    {"", ""},
    {"a{{ b }}c", " (data a) (print (b)) (data c)"},
    {"a {{- b -}} c", " (data a) (print (b)) (data c)"},
    {"a\n  {% if x %}\n  b\n{% endif %}\nc",
     " (data a\n) (if [ (branch (x) [ (data   b\n)])]) (data c)"},
    {"a\n  {%+ if x %}b{% endif +%}\nc",
     " (data a\n  ) (if [ (branch (x) [ (data b)])]) (data \nc)"},
    {"{# {{ no }} #}{#- -#} x", " (data x)"},
    {"{% raw %}{{ a }}{% if %}{% endraw %}", " (data {{ a }}{% if %})"},
    {"{%- raw -%} {{ a }} {%- endraw -%} b", " (data {{ a }}) (data b)"},
    {"{{ a.b['c'](d, e=1)|f(2)|g }}",
     " (print (filter g (filter f (call (item (attr b (a)) (str c)) [ (arg (d)) (arg e (int "
     "1))]) [ (arg (int 2))])))"},
    {"{{ 1 + 2 * 3 ** 2 // -4 % 5 }}", " (print (bin#1 (int 1) (bin#6 (bin#5 (bin#3 (int 2) "
                                       "(bin#7 (int 3) (int 2))) (neg (int 4))) (int 5))))"},
    {"{{ a ~ b ~ c + d }}", " (print (bin#1 (~ [ (a) (b) (c)]) (d)))"},
    {"{{ not a and b or c }}", " (print (or (and (not (a)) (b)) (c)))"},
    {"{{ a < b <= c not in d }}", " (print (cmp (a) [ (op#11 (b)) (op#12 (c)) (op#16 (d))]))"},
    {"{{ a if b else c if d }}", " (print (cond (a) (b) (cond (c) (d))))"},
    {"{{ a is not divisibleby 3 }}", " (print (test#1 divisibleby (a) [ (arg (int 3))]))"},
    {"{{ a is defined and b is in [1] }}",
     " (print (and (test defined (a)) (test in (b) [ (arg (list [ (int 1)]))])))"},
    {"{{ -x|abs }}", " (print (filter abs (neg (x))))"},
    {"{{ (-x)|abs }}", " (print (filter abs (neg (x))))"},
    {"{{ a[1:2] }}{{ a[:] }}{{ a[::-1] }}",
     " (print (slice (a) (int 1) (int 2))) (print (slice (a))) (print (slice (a) { (neg (int "
     "1))}))"},
    {"{{ a[] }}{{ a[1, 2] }}{{ a.0 }}", " (print (item (a) (tuple))) (print (item (a) (tuple [ "
                                        "(int 1) (int 2)]))) (print (item 0 (a) (int 0)))"},
    {"{{ {'a': {'b': c}} }}{% set d = {'%}': [1]} %}",
     " (print (dict [ (pair (str a) (dict [ (pair (str b) (c))]))])) (set (d) (dict [ (pair "
     "(str %}) (list [ (int 1)]))]))"},
    {"{{ () }}{{ (1) }}{{ (1,) }}{{ 1, 2 }}",
     " (print (tuple)) (print (int 1)) (print (tuple [ (int 1)])) (print (tuple [ (int 1) (int "
     "2)]))"},
    {"{{ {'a': 1, 2: [3,]} }}",
     " (print (dict [ (pair (str a) (int 1)) (pair (int 2) (list [ (int 3)]))]))"},
    {"{{ 'a' \"b\" }}{{ 'a\\'\\n\\x41\\u00e9\\101\\q' }}",
     " (print (str ab)) (print (str a'\nA\xc3\xa9"
     "A\\q))"},
    {"{{ 0x1F + 0b11 + 0o17 + 1_000 + 1.5e3 }}",
     " (print (bin#1 (bin#1 (bin#1 (bin#1 (int 31) (int 3)) (int 15)) (int 1000)) (float "
     "1.5e3)))"},
    {"{{ f(*a, **b) }}", " (print (call (f) [ (arg#1 (a)) (arg#2 (b))]))"},
    {"{{ true }}{{ None }}{{ False }}",
     " (print (bool true)) (print (none None)) (print (bool False))"},
    {"{% for a, b in c if d recursive %}x{% else %}y{% endfor %}",
     " (for#1 (tuple [ (a) (b)]) (c) (d) [ (data x)] { (data y)})"},
    {"{% if a %}1{% elif b %}2{% else %}3{% endif %}",
     " (if [ (branch (a) [ (data 1)]) (branch (b) [ (data 2)]) (branch [ (data 3)])])"},
    {"{% set a = 1 %}{% set a.b = 2 %}{% set a, b = c %}",
     " (set (a) (int 1)) (set (nsref a) (int 2)) (set (tuple [ (a) (b)]) (c))"},
    {"{% set a | upper %}x{% endset %}", " (set#1 (a) (filter upper) [ (data x)])"},
    {"{% with a = 1, b = 2 %}x{% endwith %}",
     " (with [ (data x)] { (set (a) (int 1)) (set (b) (int 2))})"},
    {"{% macro m(a, b=1) %}x{% endmacro %}",
     " (macro m [ (data x)] { (param a) (param b (int 1))})"},
    {"{% call(x) m(1) %}y{% endcall %}",
     " (callblock (call (m) [ (arg (int 1))]) [ (data y)] { (param x)})"},
    {"{% filter f|g(1) %}x{% endfilter %}",
     " (filterblock (filter g (filter f) [ (arg (int 1))]) [ (data x)])"},
    {"{% block b scoped %}x{% endblock b %}", " (block b [ (data x)])"},
    {"{% generation %}x{% endgeneration %}{% autoescape true %}y{% endautoescape %}",
     " (scope [ (data x)]) (scope [ (data y)])"},
    {"{% for a in b %}{% break %}{% continue %}{% endfor %}",
     " (for (a) (b) [ (break) (continue)])"},
    {"{% include 'x' ignore missing %}{% from 'y' import a as b %}",
     " (include (str x)) (from (str y))"},
    {"{% do a.b() %}{% print c %}{% debug %}", " (do (call (attr b (a)))) (print (c)) (debug)"},
};

static void trees_are_jinjas(void **state) {
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++) {
        struct bz_arena ar;
        struct bz_buf b;
        bz_buf_init(&b, 1u << 20);
        enum bz_status st = parse(&ar, bz_view_str(trees[i].text), &b);
        if (st != BZ_OK || strcmp((const char *)b.p, trees[i].tree) != 0) {
            print_message("# %s\n#   is%s\n#   not%s\n", trees[i].text, (const char *)b.p,
                          trees[i].tree);
            wrong++;
        }
        bz_buf_free(&b);
        bz_arena_free(&ar);
    }
    assert_int_equal(wrong, 0);
}

static void errors_are_errors(void **state) {
    static const char *const rows[] = {
        "{{",
        "{{ a",
        "{{ a }",
        "{% if a %}",
        "{% if %}{% endif %}",
        "{% endif %}",
        "{% for a %}{% endfor %}",
        "{% for 1 in a %}{% endfor %}",
        "{% unknown %}",
        "{% %}",
        "{{ }}",
        "{{ a b }}",
        "{{ 'a }}",
        "{# a",
        "{% raw %}a",
        "{{ a. }}",
        "{{ a[1 }}",
        "{{ (1, 2 }}",
        "{{ {1: } }}",
        "{{ {1} }}",
        "{{ a | }}",
        "{{ a is }}",
        "{{ f(a }}",
        "{{ f(, ) }}",
        "{{ 1 + }}",
        "{{ + }}",
        "{{ a if }}",
        "{{ not }}",
        "{{ a ] }}",
        "{{ ( ] }}",
        "{% set 1 = 2 %}",
        "{% set a %}x",
        "{% macro %}{% endmacro %}",
        "{% macro m %}{% endmacro %}",
        "{% call 1 %}{% endcall %}",
        "{% filter %}{% endfilter %}",
        "{% if a %}{% else %}{% else %}{% endif %}",
        "{% for a in b %}{% endif %}",
        "{{ ? }}",
        "{{ a ! b }}",
        "{% block %}{% endblock %}",
        "{{ a }}{% end",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_arena ar;
        enum bz_status st = parse(&ar, bz_view_str(rows[i]), NULL);
        if (st != BZ_ESYNTAX)
            print_message("# %s: %s\n", rows[i], bz_status_text(st));
        assert_int_equal(st, BZ_ESYNTAX);
        bz_arena_free(&ar);
    }
}

static void what_came_before_an_error_stays(void **state) {
    struct bz_arena ar;
    struct bz_buf b;
    bz_buf_init(&b, 1u << 16);
    assert_int_equal(parse(&ar, BZ_V("{{ a }}{% for x in y %}{{ b }}{% bad %}"), &b), BZ_ESYNTAX);
    assert_non_null(strstr((const char *)b.p, "(print (a))"));
    bz_buf_free(&b);
    bz_arena_free(&ar);
}

/* Any cut of a text that is read is an answer, too. */
static void every_cut_ends(void **state) {
    static const char text[] =
        "{%- macro m(a, b=[1, 'x']) -%}{{ a.b['c'][::-1]|f(1)|g ~ {'k': (1, 2)} }}{%- endmacro %}"
        "{% for x in y if z is not none recursive %}{% set n.a = 'a\\x41' if x else b %}{% endfor "
        "%}"
        "{% raw %}{{{% endraw %}{# c #}{% call(q) m(*l, **k) %}{% endcall %}";
    for (size_t n = 0; n < sizeof text; n++) {
        struct bz_arena ar;
        enum bz_status st = parse(&ar, bz_view(text, n), NULL);
        assert_true(st == BZ_OK || st == BZ_ESYNTAX);
        bz_arena_free(&ar);
    }
}

static enum bz_status repeated(const char *head, const char *part, size_t n, const char *tail) {
    struct bz_arena ar;
    struct bz_buf b;
    bz_buf_init(&b, 16u << 20);
    bz_buf_puts(&b, head);
    for (size_t i = 0; i < n; i++)
        bz_buf_puts(&b, part);
    bz_buf_puts(&b, tail);
    enum bz_status st = parse(&ar, bz_buf_view(&b), NULL);
    bz_buf_free(&b);
    bz_arena_free(&ar);
    return st;
}

static void depth_is_bounded(void **state) {
    static const char *const heads[] = {"(", "[", "-", "not ", "a[", "f(", "{1:", "a if b else "};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        char head[32] = "{{ ";
        assert_int_equal(repeated(head, heads[i], 500000, ""), BZ_EDEPTH);
    }
    assert_int_equal(repeated("{{ ", "a.", BZ_TEMPLATE_DEPTH_MAX - 3, "a }}"), BZ_OK);
    assert_int_equal(repeated("{{ ", "a.", BZ_TEMPLATE_DEPTH_MAX, "a }}"), BZ_EDEPTH);
    assert_int_equal(repeated("{{ a", "|b", 500000, " }}"), BZ_EDEPTH);
    assert_int_equal(repeated("{{ a", " ~ b", 1000, " }}"), BZ_OK); /* one list */
    assert_int_equal(repeated("", "{% if a %}", 500000, ""), BZ_EDEPTH);
    assert_int_equal(repeated("{% if a %}", "{% elif a %}", 1000, "{% endif %}"), BZ_OK);
    assert_int_equal(repeated("", "{{ a }}", BZ_TEMPLATE_NODES_MAX / 2, ""), BZ_OK);
    assert_int_equal(repeated("", "{{ a }}", BZ_TEMPLATE_NODES_MAX / 2 + 1, ""), BZ_ETOOBIG);
}

static void memory_may_run_out(void **state) {
    static const char text[] = "{% for a in b %}{{ a['x\\n' 'y'] ~ f(1, k=2)|g }}{% endfor %}";
    bool done = false;
    for (size_t max = 0; !done; max += 64) {
        struct bz_arena ar;
        struct jinja_tree tree;
        struct bz_diag diag = {0, NULL};
        bz_arena_init(&ar, bz_alloc_heap, max, NULL, 0);
        enum bz_status st = jinja_parse(&ar, BZ_V("{{ a }}"), &tree, &diag);
        assert_true(st == BZ_OK || st == BZ_ENOMEM);
        bz_arena_free(&ar);
        bz_arena_init(&ar, bz_alloc_heap, max, NULL, 0);
        st = jinja_parse(&ar, bz_view_str(text), &tree, &diag);
        assert_true(st == BZ_OK || st == BZ_ENOMEM);
        done = st == BZ_OK;
        bz_arena_free(&ar);
        assert_true(max < 1u << 20);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_are_jinjas),
        cmocka_unit_test(errors_are_errors),
        cmocka_unit_test(what_came_before_an_error_stays),
        cmocka_unit_test(every_cut_ends),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
