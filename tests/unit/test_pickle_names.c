/* What names stand for: exact names, families, paths, and names that are not what they seem. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/artifact/pickle_names.h"

static const struct {
    const char *module, *name;
    enum bz_pk_status status;
    int harm, roles; /* -1: any; roles: exactly these of CALL and NEW */
} rows[] = {
    {"os", "system", BZ_PK_DENIED, BZ_PK_RUNS, -1},
    {"posix", "anything", BZ_PK_DENIED, BZ_PK_RUNS, -1},
    {"os.path", "abspath", BZ_PK_DENIED, BZ_PK_RUNS, -1},
    {"os", "stat_result", BZ_PK_ALLOWED, -1, BZ_PK_CALL | BZ_PK_NEW},
    {"builtins", "eval", BZ_PK_DENIED, BZ_PK_RUNS, -1},
    {"__builtin__", "eval", BZ_PK_DENIED, BZ_PK_RUNS, -1},
    {"__builtin__", "file", BZ_PK_DENIED, BZ_PK_FILES, -1},
    {"__builtin__", "apply", BZ_PK_DENIED, BZ_PK_REACHES, -1},
    {"__builtin__", "xrange", BZ_PK_ALLOWED, -1, BZ_PK_CALL | BZ_PK_NEW},
    {"builtins", "getattr", BZ_PK_ALLOWED, -1, BZ_PK_CALL},
    {"builtins", "ValueError", BZ_PK_ALLOWED, -1, BZ_PK_CALL | BZ_PK_NEW},
    {"exceptions", "StandardError", BZ_PK_ALLOWED, -1, BZ_PK_CALL | BZ_PK_NEW},
    {"itertools", "imap", BZ_PK_ALLOWED, -1, BZ_PK_CALL},
    {"cPickle", "loads", BZ_PK_DENIED, BZ_PK_LOADS, -1},
    {"socket", "socket", BZ_PK_DENIED, BZ_PK_NETWORK, -1},
    {"ctypes", "CDLL", BZ_PK_DENIED, BZ_PK_NATIVE, -1},
    {"shutil", "rmtree", BZ_PK_DENIED, BZ_PK_FILES, -1},
    {"heapq", "merge", BZ_PK_STANDARD, -1, -1},
    {"logging", "FileHandler", BZ_PK_DENIED, BZ_PK_FILES, -1},
    {"logging", "getLogger", BZ_PK_ALLOWED, -1, BZ_PK_CALL},
    /* libraries: classes are rebuilt, functions are named */
    {"sklearn.svm._classes", "SVC", BZ_PK_ALLOWED, -1, BZ_PK_CALL | BZ_PK_NEW},
    {"sklearn.metrics", "accuracy_score", BZ_PK_ALLOWED, -1, BZ_PK_NEW},
    {"torch.nn.modules.linear", "Linear", BZ_PK_ALLOWED, -1, BZ_PK_NEW},
    {"torch", "load", BZ_PK_DENIED, BZ_PK_LOADS, -1},
    {"torch.hub", "load", BZ_PK_DENIED, BZ_PK_RUNS, -1},
    {"torch._utils", "_rebuild_tensor_v2", BZ_PK_ALLOWED, -1, BZ_PK_CALL},
    /* settings of a training run: kept as values, and members of enumerations rebuilt */
    {"torch.profiler", "profile", BZ_PK_ALLOWED, -1, BZ_PK_NEW},
    {"torch.profiler.profiler", "schedule", BZ_PK_ALLOWED, -1, BZ_PK_NEW},
    {"torch.profiler.profiler", "ProfilerAction", BZ_PK_ALLOWED, -1, BZ_PK_CALL | BZ_PK_NEW},
    {"torch._C._profiler", "ProfilerActivity", BZ_PK_ALLOWED, -1, BZ_PK_CALL | BZ_PK_NEW},
    {"torch.library", "Library", BZ_PK_ALLOWED, -1, BZ_PK_NEW},
    {"torch.library", "custom_op", BZ_PK_ALLOWED, -1, BZ_PK_NEW},
    {"torch.ops", "load_library", BZ_PK_DENIED, BZ_PK_NATIVE, -1},
    {"numpy._core.multiarray", "_reconstruct", BZ_PK_ALLOWED, -1, BZ_PK_CALL},
    {"numpy", "memmap", BZ_PK_ALLOWED, -1, 0},
    {"numpy", "load", BZ_PK_DENIED, BZ_PK_LOADS, -1},
    {"numpy.f2py.crackfortran", "myeval", BZ_PK_DENIED, BZ_PK_RUNS, -1},
    {"pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked", BZ_PK_ALLOWED, -1, BZ_PK_CALL},
    {"torch.nn", "__pyx_unpickle_X", BZ_PK_PRIVATE, -1, -1},
    {"__torch__.torch.nn.modules.linear", "Linear", BZ_PK_ALLOWED, -1, BZ_PK_NEW},
    {"transformers.trainer_utils", "IntervalStrategy", BZ_PK_ALLOWED, -1, BZ_PK_CALL | BZ_PK_NEW},
    /* a library's name alone is not the library */
    {"sklearnx.svm", "SVC", BZ_PK_UNKNOWN, -1, -1},
    {"xsklearn", "SVC", BZ_PK_UNKNOWN, -1, -1},
    {"osx", "path", BZ_PK_UNKNOWN, -1, -1},
    {"mylib", "Model", BZ_PK_UNKNOWN, -1, -1},
    {"mylib", "_helper", BZ_PK_PRIVATE, -1, -1},
    {"mylib", "Popen", BZ_PK_DENIED, BZ_PK_RUNS, -1},
    {"mylib.__main__", "run", BZ_PK_PRIVATE, -1, -1},
    {"__main__", "Model", BZ_PK_UNKNOWN, -1, -1},
    /* paths */
    {"mylib", "Outer.Inner", BZ_PK_UNKNOWN, -1, -1},
    {"mylib", "helper.run", BZ_PK_PATH, -1, -1},
    {"sklearn", "os.system", BZ_PK_DENIED, -1, -1},
    {"sklearn", "utils.helper", BZ_PK_PATH, -1, -1},
    {"sklearn.base", "_os.getcwd", BZ_PK_DENIED, -1, -1},
    {"http", "HTTPStatus.OK", BZ_PK_ALLOWED, -1, BZ_PK_NEW},
    {"builtins", "str.lower", BZ_PK_ALLOWED, -1, 0},
    {"builtins", "str.join", BZ_PK_PATH, -1, -1},
    {"numpy", "__builtins__", BZ_PK_PRIVATE, -1, -1},
};

static void names_are_judged(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_pk_verdict v =
            bz_pk_judge(bz_view_str(rows[i].module), bz_view_str(rows[i].name));
        int roles = v.roles & (BZ_PK_CALL | BZ_PK_NEW);
        if (v.status != rows[i].status || (rows[i].harm >= 0 && v.harm != rows[i].harm) ||
            (rows[i].roles >= 0 && roles != rows[i].roles) || v.odd)
            fail_msg("%s %s: status %d, harm %d, roles %d", rows[i].module, rows[i].name, v.status,
                     v.harm, roles);
    }
}

static void odd_bytes_hide_nothing(void **state) {
    (void)state;
    static const char *const modules[] = {" os", "os ", "os\r", "o\0s", "\tos", "os."};
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        struct bz_pk_verdict v =
            bz_pk_judge(bz_view(modules[i], i == 3 ? 3 : strlen(modules[i])), BZ_V("system"));
        assert_int_equal(v.status, BZ_PK_DENIED);
        assert_true(v.odd);
    }
    struct bz_pk_verdict v = bz_pk_judge(BZ_V("collections"), BZ_V("OrderedDict "));
    assert_true(v.odd);
    assert_int_equal(v.status, BZ_PK_UNKNOWN); /* it is not the name that it looks like */
    assert_true(bz_pk_judge(BZ_V(""), BZ_V("")).odd);
}

static void every_row_is_what_it_says(void **state) {
    (void)state;
    for (size_t i = 0; i < bz_pk_rows_n; i++) {
        const struct bz_pk_row *r = &bz_pk_rows[i];
        struct bz_view m = bz_view_str(r->modules), n = bz_view_str(r->names);
        const uint8_t *mb = memchr(m.p, ' ', m.n), *nb = memchr(n.p, ' ', n.n);
        m.n = mb == NULL ? m.n : (size_t)(mb - m.p);
        n.n = nb == NULL ? n.n : (size_t)(nb - n.p);
        if (n.p[0] == '*')
            continue;
        struct bz_pk_verdict v = bz_pk_judge(m, n);
        if (v.status != BZ_PK_ALLOWED)
            fail_msg("%.*s %.*s is not allowed", (int)m.n, (const char *)m.p, (int)n.n,
                     (const char *)n.p);
    }
}

static void words(void **state) {
    (void)state;
    assert_true(bz_pk_word("a bc d", BZ_V("bc")));
    assert_true(bz_pk_word("a bc d", BZ_V("a")));
    assert_true(bz_pk_word("a bc d", BZ_V("d")));
    assert_false(bz_pk_word("a bc d", BZ_V("b")));
    assert_false(bz_pk_word("a bc d", BZ_V("c")));
    assert_false(bz_pk_word("a bc d", BZ_V("a bc")));
    assert_false(bz_pk_word("a bc d", BZ_V("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_judged),
        cmocka_unit_test(odd_bytes_hide_nothing),
        cmocka_unit_test(every_row_is_what_it_says),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
