/* Posture: its parsers, suppressions, comparison, summary and catalogue over memory. Whole trees:
 * tests/integration/test_posture.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../src/posture/posture_int.h"

struct room {
    struct bz_arena ar;
    struct pt_facts f;
    struct bz_posture_options o;
};

static enum bz_status cmp_bytes(const char *scheme, struct bz_view a, struct bz_view b, int *ret) {
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n == 0 ? 0 : memcmp(a.p, b.p, n);
    *ret = d != 0 ? d : (int)a.n - (int)b.n;
    return strcmp(scheme, "dpkg") == 0 ? BZ_OK : BZ_EUNAVAIL;
}

static struct room *room_new(void) {
    struct room *r = calloc(1, sizeof *r);
    assert_non_null(r);
    bz_arena_init(&r->ar, bz_alloc_heap, 8u << 20, NULL, 0);
    r->o.hooks.version_cmp = cmp_bytes;
    r->f.ar = &r->ar;
    r->f.o = &r->o;
    return r;
}

static void room_free(struct room *r) {
    bz_arena_free(&r->ar);
    free(r);
}

static void eq(struct bz_view v, const char *want) {
    if (!pt_is(v, want))
        fail_msg("'%.*s' is not '%s'", (int)v.n, (const char *)v.p, want);
}

/* ---- text ---- */

static void test_shell_words(void **state) {
    static const struct {
        const char *in;
        size_t n;
        const char *last;
    } rows[] = {{"", 0, ""},
                {"   ", 0, ""},
                {"a b", 2, "b"},
                {"a 'b c' \"d e\"", 3, "d e"},
                {"a \"b \\\" c\"", 2, "b \" c"},
                {"K='x y'", 1, "K=x y"},
                {"a ''", 2, ""},
                {"a \"open", 2, "open"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct room *r = room_new();
        struct pt_views out = {0};
        pt_shell_words(&r->ar, bz_view_str(rows[i].in), &out);
        assert_int_equal(out.n, rows[i].n);
        if (out.n > 0)
            eq(out.v[out.n - 1], rows[i].last);
        room_free(r);
    }
}

static void test_secrets(void **state) {
    static const struct {
        const char *name, *value;
        bool secret;
    } rows[] = {
        {"OPENAI_API_KEY",
         "sk"
         "-abcdefgh12345678",
         true},
        {"ANY",
         "hf"
         "_abcdefghijklmnopqrstuvwxyz",
         true},
        {"DB_PASSWORD", "tr0ub4dor", true},
        {"DB_PASSWORD", "changeme", false},
        {"API_KEY", "${API_KEY}", false},
        {"API_KEY", "/run/secrets/key", false},
        {"API_KEY_FILE", "abcdefgh12345678", false},
        {"MAX_TOKENS", "4096", false},
        {"TOKENIZER", "abcdefgh12345678", false},
        {"TOKEN", "aaaaaaaaaaaa", false},
        {"TOKEN", "", false},
        {"PATH", "/usr/bin:/bin", false},
        {"API_KEY", "os.environ/KEY", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (pt_secret_pair(bz_view_str(rows[i].name), bz_view_str(rows[i].value)) != rows[i].secret)
            fail_msg("%s=%s", rows[i].name, rows[i].value);
    }
    struct room *r = room_new();
    struct bz_view what;
    uint64_t line = 0;
    assert_true(
        pt_secret_in(&r->ar, BZ_V("a: 1\n  \"api_key\": \"9f8e7d6c5b4a3210\",\n"), &what, &line));
    assert_int_equal(line, 2);
    assert_false(pt_has(what, "9f8e7d6c5b4a3210"));
    assert_true(pt_has(pt_redact(&r->ar, BZ_V("9f8e7d6c5b4a3210")), "9f***"));
    assert_false(pt_has(pt_redact(&r->ar, BZ_V("hunter2")), "hu")); /* short ones show nothing */
    room_free(r);
}

/* ---- /proc ---- */

static void test_tcp(void **state) {
    struct room *r = room_new();
    const char *four =
        "  sl local\n"
        "   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   990 0 12 1\n"
        "   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0 0 13 1\n"
        "   2: 0100007F:9C40 0100007F:2CAA 01 00000000:00000000 00:00000000 00000000     0 0 14 1\n"
        "   3: short\n";
    pt_parse_tcp(bz_view_str(four), false, &r->f, NULL);
    assert_int_equal(r->f.socks.n, 2); /* an established one listens to nobody */
    assert_int_equal(r->f.socks.v[0].port, 11434);
    assert_true(r->f.socks.v[0].loopback);
    assert_int_equal(r->f.socks.v[0].uid, 990);
    assert_int_equal(r->f.socks.v[0].inode, 12);
    assert_true(r->f.socks.v[1].any);
    const char *six = "   0: 00000000000000000000000001000000:2CAA 0:0 0A 0:0 0:0 0 5 0 1 1\n"
                      "   1: 0000000000000000FFFF00000100007F:2CAA 0:0 0A 0:0 0:0 0 5 0 2 1\n"
                      "   2: 00000000000000000000000000000000:2CAA 0:0 0A 0:0 0:0 0 5 0 3 1\n"
                      "   3: 0000000000000000000000000000000:2CAA 0:0 0A 0:0 0:0 0 5 0 3 1\n";
    pt_parse_tcp(bz_view_str(six), true, &r->f, NULL);
    assert_int_equal(r->f.socks.n, 5);
    assert_true(r->f.socks.v[2].loopback && r->f.socks.v[3].loopback);
    assert_true(r->f.socks.v[4].any && !r->f.socks.v[4].loopback);
    room_free(r);
}

static void test_process(void **state) {
    struct room *r = room_new();
    struct pt_proc p = {0};
    pt_parse_status(
        BZ_V("Name:\tx y\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \nNoNewPrivs:\t1\n"
             "Seccomp:\t2\nCapEff:\t00000000a80425fb\n"),
        &p, &r->ar);
    eq(p.comm, "x y");
    assert_int_equal(p.euid, 2);
    assert_int_equal(p.egid, 6);
    assert_int_equal(p.groups.n, 2);
    assert_true(p.cap_eff == 0xa80425fb && p.have_caps);
    pt_parse_limits(
        BZ_V("Max core file size        unlimited            unlimited            bytes\n"), &p);
    assert_true(p.core_soft == UINT64_MAX);
    pt_parse_nul_list(BZ_V("a\0--b\0\0c d\0"), &p.argv, &r->ar);
    assert_int_equal(p.argv.n, 4); /* an empty argument is one */
    struct pt_views saved = {0};
    pt_parse_nul_list(BZ_V("llama-server --host 0.0.0.0\n"), &saved, &r->ar); /* written by hand */
    assert_int_equal(saved.n, 3);
    pt_parse_fd_listing(BZ_V("lrwx 1 r r 64 d 3 -> socket:[77]\n4 socket:[78]\n/dev/nvidia0\n"), &p,
                        &r->ar);
    assert_int_equal(p.sockets.n, 2);
    assert_true(p.gpu);
    assert_true(pt_parse_route_default(BZ_V("Iface Destination\neth0 00000000 0102\n")));
    assert_false(pt_parse_route_default(BZ_V("Iface Destination\neth0 0000FEA9 0102\n")));
    room_free(r);
}

/* ---- kinds ---- */

static const char *kind(const char *line, const char *image) {
    struct room *r = room_new();
    struct pt_views argv = {0};
    pt_shell_words(&r->ar, bz_view_str(line), &argv);
    const struct pt_kind *k =
        pt_kind_of(bz_view(NULL, 0), bz_view(NULL, 0), &argv, bz_view_str(image));
    room_free(r);
    return k == NULL ? "" : k->id;
}

static void test_kinds(void **state) {
    static const char *const rows[][3] = {
        {"/usr/local/bin/ollama serve", "", "ollama"},
        {"python3 -m vllm.entrypoints.openai.api_server", "", "vllm"},
        {"/opt/x/bin/python3.11 /opt/x/bin/vllm serve m", "", "vllm"},
        {"python3 -m vllmother", "", ""},
        {"VLLM::EngineCore", "", "vllm"},
        {"/app/server", "ghcr.io/huggingface/text-generation-inference:3", "tgi"},
        {"node /usr/lib/node_modules/flowise/bin/flowise start", "", "flowise"},
        {"python main.py", "", ""},
        {"python /opt/ComfyUI/main.py --listen", "", "comfyui"},
        {"/usr/bin/vim ollama", "", ""},
        {"bash -c true", "", ""},
        {"uvx mcp-server-git", "", "mcp"},
        {"/usr/bin/rpc-server -p 50052", "", "llama-rpc"},
        {"", "", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(kind(rows[i][0], rows[i][1]), rows[i][2]) != 0)
            fail_msg("'%s' is '%s'", rows[i][0], kind(rows[i][0], rows[i][1]));
    }
}

/* ---- configurations ---- */

static void test_units(void **state) {
    struct room *r = room_new();
    struct pt_unit u = {.name = BZ_V("x.service")};
    struct bz_view v;
    pt_parse_ini(
        BZ_V("[Service]\nExecStart=/bin/false\nExecStart=\nExecStart=-/usr/bin/ollama \\\n serve\n"
             "Environment=A=1 \"B=2 3\"\n# Environment=C=4\nUser=\nUser=o\n"),
        &u, &r->ar);
    pt_parse_ini(BZ_V("[Service]\nEnvironment=A=9\nNoNewPrivileges=yes\n"), &u,
                 &r->ar); /* a drop-in */
    pt_unit_finish(&u, &r->f);
    assert_int_equal(u.exec.n, 2);
    assert_true(pt_kind_is(u.kind, "ollama"));
    assert_int_equal(u.env.n, 3);
    assert_true(pt_unit_get(&u, "Service", "User", &v));
    eq(v, "o");
    struct pt_work w = {.src = PT_UNIT, .kind = u.kind, .argv = &u.exec, .env = &u.env, .unit = &u};
    assert_true(pt_env(&w, "A", &v));
    eq(v, "9"); /* the last one counts */
    room_free(r);
}

static void test_firewalls(void **state) {
    static const struct {
        const char *text;
        bool nft, in, out;
        size_t rules;
    } rows[] = {
        {"table inet f {\n chain i {\n  type filter hook input priority 0; policy drop;\n }\n}\n",
         true, true, false, 0},
        {"table inet f {\n chain i { type filter hook input priority 0; policy accept; }\n}\n",
         true, false, false, 0},
        {"table inet f {\n chain i {\n  type filter hook input priority 0;\n  ct state established "
         "accept\n  drop\n }\n}\n",
         true, true, false, 0},
        {"table inet f {\n chain o {\n  type filter hook output priority 0; policy drop;\n }\n}\n",
         true, false, true, 0},
        {"table inet f {\n chain o {\n  type filter hook output priority 0;\n  meta skuid 9 drop\n "
         "}\n}\n",
         true, false, false, 1},
        {"# policy drop hook input\n", true, false, false, 0},
        {"table inet f {\n chain other {\n  drop\n }\n}\n", true, false, false, 0},
        {"*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT\n-A OUTPUT -m owner --uid-owner 9 -j REJECT\n",
         false, true, false, 1},
        {"*filter\n:INPUT ACCEPT [0:0]\n", false, false, false, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct room *r = room_new();
        if (rows[i].nft)
            pt_parse_nft(bz_view_str(rows[i].text), &r->f.fw, &r->ar);
        else
            pt_parse_iptables(bz_view_str(rows[i].text), &r->f.fw, &r->ar);
        if (r->f.fw.input_drop != rows[i].in || r->f.fw.output_drop != rows[i].out ||
            r->f.fw.rules.n != rows[i].rules)
            fail_msg("row %zu", i);
        room_free(r);
    }
}

static void test_sshd(void **state) {
    struct pt_ssh s = {0};
    pt_parse_sshd(
        BZ_V("permitrootlogin no\nPermitRootLogin yes\nMatch User x\nPasswordAuthentication yes\n"),
        &s);
    eq(s.root_login, "no"); /* the first one counts */
    assert_int_equal(s.password.n, 0);
}

static void test_containers(void **state) {
    struct room *r = room_new();
    pt_parse_ctr_json(BZ_V("[{\"Name\":\"/a\",\"Config\":{\"Image\":\"ollama/"
                           "ollama\",\"User\":\"\",\"Env\":[\"A=1\"]},"
                           "\"HostConfig\":{\"Privileged\":true,\"PortBindings\":{\"11434/"
                           "tcp\":[{\"HostIp\":\"\",\"HostPort\":\"1\"}]}}}]"),
                      bz_view(NULL, 0), &r->f, "x");
    assert_int_equal(r->f.ctrs.n, 1);
    assert_true(r->f.ctrs.v[0].privileged && r->f.ctrs.v[0].have_user);
    assert_int_equal(r->f.ctrs.v[0].ports.v[0].port, 11434);
    assert_true(pt_kind_is(r->f.ctrs.v[0].kind, "ollama"));
    pt_parse_ctr_json(BZ_V("{\"process\":{\"args\":[\"ollama\"],\"user\":{\"uid\":7}},\"linux\":{"
                           "\"namespaces\":[{\"type\":\"pid\"}]}}"),
                      bz_view(NULL, 0), &r->f, "home/x/config.json");
    assert_true(r->f.ctrs.v[1].host_net && !r->f.ctrs.v[1].host_pid && r->f.ctrs.v[1].unconfined &&
                r->f.ctrs.v[1].rootless);
    pt_parse_ctr_json(BZ_V("{\"auths\":{}}"), bz_view(NULL, 0), &r->f, "x"); /* some other JSON */
    assert_int_equal(r->f.ctrs.n, 2);
    pt_parse_compose(BZ_V("services:\n  web:\n    image: qdrant/qdrant\n    ports:\n      - "
                          "\"127.0.0.1:6333:6333\"\n      - 6334:6334\n"
                          "      - target: 80\n        published: 81\n"),
                     &r->f, "y");
    assert_int_equal(r->f.ctrs.n, 3);
    assert_int_equal(r->f.ctrs.v[2].ports.n, 3);
    eq(r->f.ctrs.v[2].ports.v[0].host_ip, "127.0.0.1");
    assert_int_equal(r->f.ctrs.v[2].ports.v[1].host_port, 6334);
    assert_int_equal(r->f.ctrs.v[2].ports.v[2].port, 80);
    struct bz_diag d;
    assert_null(pt_yaml(&r->ar, BZ_V("a: &x 1\nb: *x\n"), &d)); /* aliases */
    assert_null(pt_yaml(&r->ar, BZ_V("[[[[[["), &d));
    assert_null(pt_yaml(&r->ar, BZ_V("--- 1\n--- 2\n"), &d)); /* one document */
    room_free(r);
}

static void test_packages(void **state) {
    struct room *r = room_new();
    pt_parse_dpkg(
        BZ_V("Package: b\nStatus: install ok installed\nVersion: 2\n\nPackage: a\nStatus: install "
             "ok installed\nVersion: 1\n"
             " continued: x\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n"),
        &r->f);
    assert_int_equal(r->f.pkgs.n, 2);
    eq(r->f.pkgs.v[0].name, "a"); /* sorted */
    pt_parse_apt_list(
        BZ_V("Package: a\nVersion: 2\n\nPackage: b\nVersion: 2\n\nPackage: c\nVersion: 9\n"),
        &r->f);
    assert_int_equal(r->f.updates.n, 1);
    eq(r->f.updates.v[0].name, "a");
    struct pt_dist d = {0};
    assert_true(pt_parse_metadata(BZ_V("Name: X\nVersion: 1.0\n\nName: no\n"), &d));
    eq(d.name, "X");
    assert_false(pt_parse_metadata(BZ_V("Name: X\n"), &d) && d.version.n == 0);
    struct pt_get g = {0};
    assert_true(pt_parse_http(BZ_V("HTTP/1.1 403 No\r\nA: b\r\n\r\nbody"), &g));
    assert_int_equal(g.status, 403);
    eq(g.body, "body");
    assert_false(pt_parse_http(BZ_V("HTTP/1.1 99 x\r\n\r\n"), &g));
    assert_false(pt_parse_http(BZ_V("SSH-2.0-x\r\n"), &g));
    room_free(r);
}

/* ---- around a run ---- */

static struct bz_posture *made_up(void) {
    struct bz_posture *p = calloc(1, sizeof *p);
    assert_non_null(p);
    bz_arena_init(&p->arena, bz_alloc_heap, 8u << 20, NULL, 0);
    p->results_n = bz_posture_check_count();
    p->results = bz_arena_zalloc(&p->arena, p->results_n * sizeof *p->results);
    assert_non_null(p->results);
    p->root = "/";
    p->now = 1000 * 86400 + 5;
    for (size_t i = 0; i < p->results_n; i++) {
        p->results[i].check = bz_posture_check_at(i);
        p->results[i].status = BZ_POSTURE_PASS;
    }
    return p;
}

static void test_catalogue(void **state) {
    for (size_t i = 0; i < bz_posture_check_count(); i++) {
        const struct bz_posture_check *k = bz_posture_check_at(i);
        assert_true(strlen(k->id) == 3 && *k->title && *k->why && *k->fix && *k->refs);
        assert_ptr_equal(bz_posture_check_find(bz_view_str(k->id)), k);
        if (i > 0)
            assert_true(strcmp(bz_posture_check_at(i - 1)->id, k->id) < 0);
    }
    assert_null(bz_posture_check_at(bz_posture_check_count()));
    assert_null(bz_posture_check_find(BZ_V("Z99")));
}

static void test_score_and_summary(void **state) {
    struct bz_posture *p = made_up();
    struct bz_posture_counts n;
    struct bz_posture_summary s;
    struct bz_buf b;
    bz_buf_init(&b, 4u << 20);
    bz_posture_count(p, &n);
    assert_int_equal(n.score, 100);
    p->results[0].status = BZ_POSTURE_FAIL; /* A01, critical */
    p->results[1].status = BZ_POSTURE_UNKNOWN;
    bz_posture_count(p, &n);
    assert_int_equal(n.score, 49);
    bz_posture_write_json(p, &b);
    assert_int_equal(bz_buf_status(&b), BZ_OK);
    assert_int_equal(bz_posture_summary_read(bz_buf_view(&b), &s), BZ_OK);
    assert_int_equal(s.score, 49);
    assert_int_equal(s.critical, 1);
    assert_int_equal(s.open_n, 1);
    assert_string_equal(s.open[0], "A01");
    assert_int_equal(s.time, (uint64_t)p->now);
    assert_int_equal(bz_posture_summary_read(BZ_V("{\"schema\":\"bartizan-posture/2\"}"), &s),
                     BZ_EVERSION);
    assert_int_equal(bz_posture_summary_read(BZ_V("{\"schema\":\"bartizan-posture/1\"}"), &s),
                     BZ_ESYNTAX);
    for (size_t cut = 0; cut < b.n; cut += 97)
        assert_int_not_equal(bz_posture_summary_read(bz_view(b.p, cut), &s), BZ_OK);
    /* compared with itself later: one fixed, one new */
    p->results[0].status = BZ_POSTURE_PASS;
    p->results[2].status = BZ_POSTURE_FAIL;
    assert_int_equal(bz_posture_compare(p, bz_buf_view(&b)), BZ_OK);
    assert_int_equal(p->results[0].change, BZ_POSTURE_FIXED);
    assert_int_equal(p->results[2].change, BZ_POSTURE_NEW);
    assert_int_equal(p->last_score, 49);
    for (size_t i = 0; i < p->results_n; i++)
        p->results[i].status = BZ_POSTURE_UNKNOWN;
    bz_posture_count(p, &n);
    assert_int_equal(n.score, 0); /* nothing seen is nothing proven */
    bz_buf_free(&b);
    bz_posture_free(p);
}

static void test_suppression_dates(void **state) {
    static const struct {
        const char *day;
        bool ok, held;
    } rows[] = {{"1972-09-27", true, false}, /* day 1000 */
                {"1972-09-28", true, true},   {"1972-09-26", true, false},
                {"1972-02-29", true, false},  {"1973-02-29", false, false},
                {"2000-13-01", false, false}, {"2000-1-01", false, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bz_posture *p = made_up();
        struct bz_diag d;
        char text[200];
        (void)snprintf(text, sizeof text,
                       "suppressions:\n  - {id: A02, owner: o, reason: r, expires: %s}\n",
                       rows[i].day);
        enum bz_status st = bz_posture_suppress(p, bz_view_str(text), &d);
        if ((st == BZ_OK) != rows[i].ok || p->results[1].suppressed != rows[i].held)
            fail_msg("%s", rows[i].day);
        bz_posture_free(p);
    }
}

static void test_diff(void **state) {
    struct bz_posture_change_plan c = {.check = "A21",
                                       .path = BZ_V("/etc/x"),
                                       .before = BZ_V("a\nb\nc\n"),
                                       .after = BZ_V("a\nx\nc\n")};
    struct bz_buf b;
    bz_buf_init(&b, 65536);
    bz_posture_write_diff(&c, &b);
    assert_true(pt_has(bz_buf_view(&b), "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"));
    bz_buf_free(&b);
}

/* docs/POSTURE.md ends with the catalogue as the tables have it. */
static void test_docs(void **state) {
    const char *root = getenv("BZ_SOURCE_ROOT");
    char path[512];
    struct bz_buf want, have;
    (void)snprintf(path, sizeof path, "%s/docs/POSTURE.md", root != NULL ? root : ".");
    bz_buf_init(&want, 4u << 20);
    bz_buf_init(&have, 4u << 20);
    bz_posture_write_docs(&want);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    int ch;
    while ((ch = fgetc(f)) != EOF)
        bz_buf_putc(&have, (uint8_t)ch);
    (void)fclose(f);
    static const char mark[] = "<!-- what follows: tools/gen-posture -->\n";
    size_t at = pt_find(bz_buf_view(&have), mark);
    assert_true(at != SIZE_MAX);
    if (!bz_view_eq(bz_view_sub(bz_buf_view(&have), at + sizeof mark - 1, have.n),
                    bz_buf_view(&want)))
        fail_msg("docs/POSTURE.md is old: put the output of tools/gen-posture behind its mark");
    bz_buf_free(&want);
    bz_buf_free(&have);
}

/* A full arena may never turn into a good result. */
static void test_out_of_memory(void **state) {
    for (size_t max = 4096; max < (1u << 17); max += 4096) {
        struct room *r = room_new();
        bz_arena_free(&r->ar);
        bz_arena_init(&r->ar, bz_alloc_heap, max, NULL, 0);
        struct bz_diag d;
        (void)pt_yaml(
            &r->ar, BZ_V("services:\n  a: {image: x, ports: ['1:2'], environment: {A: b}}\n"), &d);
        pt_parse_compose(BZ_V("services:\n  a: {image: x, ports: ['1:2'], environment: {A: b}}\n"),
                         &r->f, "z");
        pt_parse_passwd(BZ_V("a:x:1:1::/:/bin/sh\nb:x:2:2::/:/bin/sh\n"), &r->f);
        pt_parse_nft(BZ_V("chain o { hook output\n meta skuid 1 drop\n}\n"), &r->f.fw, &r->ar);
        room_free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shell_words),
                                       cmocka_unit_test(test_secrets),
                                       cmocka_unit_test(test_tcp),
                                       cmocka_unit_test(test_process),
                                       cmocka_unit_test(test_kinds),
                                       cmocka_unit_test(test_units),
                                       cmocka_unit_test(test_firewalls),
                                       cmocka_unit_test(test_sshd),
                                       cmocka_unit_test(test_containers),
                                       cmocka_unit_test(test_packages),
                                       cmocka_unit_test(test_catalogue),
                                       cmocka_unit_test(test_score_and_summary),
                                       cmocka_unit_test(test_suppression_dates),
                                       cmocka_unit_test(test_diff),
                                       cmocka_unit_test(test_docs),
                                       cmocka_unit_test(test_out_of_memory)};
    return cmocka_run_group_tests_name("posture", tests, NULL, NULL);
}
