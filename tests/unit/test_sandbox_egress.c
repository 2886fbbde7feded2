/* The allow-list of the proxy: rules, requests, server names, addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>

#include <bartizan/egress.h>

static void rules(void **state) {
    static const char *const bad[] = {"",
                                      "host",
                                      "host:",
                                      "host:0",
                                      "host:65536",
                                      "host:x",
                                      ":443",
                                      "*:443",
                                      "*.:443",
                                      "*.org:443",
                                      "a b:443",
                                      "host:443:",
                                      "host:443:PATCH",
                                      "-a:443",
                                      "a..b:443",
                                      "host:443:GET+",
                                      "http://h:80"};
    struct bz_egress e = {.n = 0};
    struct bz_diag d = {0, NULL};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum bz_status st = bz_egress_add(&e, bz_view_str(bad[i]), &d);
        if (strcmp(bad[i], "host:443:") == 0)
            continue; /* nothing behind the colon is nothing */
        if (strcmp(bad[i], "host:443:GET+") == 0)
            continue;
        if (st == BZ_OK)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(d.why);
    }
    char longest[300]; /* found by fuzzing: "*." and a whole name are longer than a name */
    memset(longest, 'a', sizeof longest);
    memcpy(longest, "*.a.", 4);
    memcpy(longest + 253, ":443", 5);
    assert_int_equal(bz_egress_add(&e, bz_view_str(longest), &d), BZ_OK);
    memset(longest + 253, 'a', 3);
    for (size_t n = 254; n <= 256; n++) {
        memset(longest + 4, 'a', n - 4);
        memcpy(longest + n, ":443", 5);
        assert_int_equal(bz_egress_add(&e, bz_view_str(longest), &d), BZ_ESYNTAX);
    }
    e.n = 0;
    assert_int_equal(bz_egress_add(&e, BZ_V("Models.Example.org:443"), &d), BZ_OK);
    assert_string_equal(e.rule[0].host, "models.example.org");
    assert_int_equal(e.rule[0].methods, BZ_EGRESS_CONNECT);
    assert_int_equal(bz_egress_add(&e, BZ_V("*.mirror.example:80:GET+HEAD:private"), &d), BZ_OK);
    assert_int_equal(e.rule[1].methods, BZ_EGRESS_GET | BZ_EGRESS_HEAD);
    assert_true(e.rule[1].private_ok);
    while (e.n < BZ_EGRESS_RULES_MAX)
        assert_int_equal(bz_egress_add(&e, BZ_V("a:1"), &d), BZ_OK);
    assert_int_equal(bz_egress_add(&e, BZ_V("a:1"), &d), BZ_ELIMIT);
}

static const char *decide(const char *head) {
    static struct bz_egress e;
    struct bz_egress_request r;
    struct bz_diag d = {0, NULL};
    const char *why = NULL;
    size_t used = 0;
    e.n = 0;
    assert_int_equal(bz_egress_add(&e, BZ_V("one.example:443"), &d), BZ_OK);
    assert_int_equal(bz_egress_add(&e, BZ_V("*.two.example:80:GET"), &d), BZ_OK);
    if (bz_egress_parse(bz_view_str(head), &r, &used, &d) != BZ_OK)
        return "malformed";
    assert_int_equal(used, strlen(head));
    return bz_egress_match(&e, &r, &why) != NULL ? "yes" : why;
}

static void requests(void **state) {
    static const struct {
        const char *head, *want;
    } t[] = {
        {"CONNECT one.example:443 HTTP/1.1\r\n\r\n", "yes"},
        {"CONNECT ONE.example.:443 HTTP/1.1\r\nHost: x\r\n\r\n", "yes"},
        {"CONNECT one.example:80 HTTP/1.1\r\n\r\n", "no rule allows this port of the host"},
        {"CONNECT one.example.evil:443 HTTP/1.1\r\n\r\n", "no rule names this host"},
        {"CONNECT xone.example:443 HTTP/1.1\r\n\r\n", "no rule names this host"},
        {"CONNECT one.example HTTP/1.1\r\n\r\n", "malformed"},
        {"CONNECT user@one.example:443 HTTP/1.1\r\n\r\n", "malformed"},
        {"CONNECT [::1]:443 HTTP/1.1\r\n\r\n", "malformed"},
        {"GET http://a.two.example/x HTTP/1.1\r\n\r\n", "yes"},
        {"GET http://two.example/x HTTP/1.1\r\n\r\n", "no rule names this host"},
        {"GET http://atwo.example/x HTTP/1.1\r\n\r\n", "no rule names this host"},
        {"POST http://a.two.example/x HTTP/1.1\r\n\r\n", "no rule allows this method there"},
        {"GET https://a.two.example/x HTTP/1.1\r\n\r\n", "malformed"},
        {"GET /x HTTP/1.1\r\nHost: a.two.example\r\n\r\n", "malformed"},
        {"GET http://a.two.example/x HTTP/2\r\n\r\n", "malformed"},
        {"GET http://a.two.example/x HTTP/1.1\r\nA b: c\r\n\r\n", "malformed"},
        {"GET http://a.two.example/x HTTP/1.1\r\nA: b\x01\r\n\r\n", "malformed"},
        {"GET http://a.two.example/x HTTP/1.1\r\n folded: x\r\n\r\n", "malformed"},
        {"BREW http://a.two.example/x HTTP/1.1\r\n\r\n", "malformed"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        const char *got = decide(t[i].head);
        if (strcmp(got, t[i].want) != 0)
            fail_msg("%s: %s, not %s", t[i].head, got, t[i].want);
    }
}

static void every_cut_waits(void **state) {
    static const char head[] = "CONNECT one.example:443 HTTP/1.1\r\nHost: one\r\n\r\n";
    static uint8_t large[BZ_EGRESS_HEAD_MAX + 1];
    struct bz_egress_request r;
    size_t used = 0;
    for (size_t n = 0; n < sizeof head - 1; n++)
        assert_int_equal(bz_egress_parse(bz_view(head, n), &r, &used, NULL), BZ_MORE);
    memset(large, 'a', sizeof large);
    assert_int_equal(bz_egress_parse(bz_view(large, BZ_EGRESS_HEAD_MAX - 1), &r, &used, NULL),
                     BZ_MORE);
    assert_int_equal(bz_egress_parse(bz_view(large, BZ_EGRESS_HEAD_MAX), &r, &used, NULL),
                     BZ_ETOOBIG);
}

static size_t hello(uint8_t *out, const char *name, bool named) {
    size_t n = strlen(name), at = 0, ext = named ? n + 9 : 0;
    uint8_t body[512] = {3, 3};
    at = 2 + 32;
    body[at++] = 0;                 /* session */
    body[at++] = 0, body[at++] = 2; /* one cipher */
    body[at++] = 0x13, body[at++] = 1;
    body[at++] = 1, body[at++] = 0; /* no compression */
    body[at++] = (uint8_t)(ext >> 8), body[at++] = (uint8_t)ext;
    if (named) {
        body[at++] = 0, body[at++] = 0;
        body[at++] = 0, body[at++] = (uint8_t)(n + 5);
        body[at++] = 0, body[at++] = (uint8_t)(n + 3);
        body[at++] = 0;
        body[at++] = 0, body[at++] = (uint8_t)n;
        memcpy(body + at, name, n);
        at += n;
    }
    const uint8_t head[9] = {
        22,         3, 1, (uint8_t)((at + 4) >> 8), (uint8_t)(at + 4), 1, 0, (uint8_t)(at >> 8),
        (uint8_t)at};
    memcpy(out, head, 9);
    memcpy(out + 9, body, at);
    return at + 9;
}

static void server_names(void **state) {
    uint8_t b[600];
    struct bz_view name;
    size_t n = hello(b, "one.example", true);
    assert_int_equal(bz_egress_sni(bz_view(b, n), &name), BZ_OK);
    assert_true(bz_view_eq(name, BZ_V("one.example")));
    for (size_t k = 0; k < n; k++)
        assert_int_equal(bz_egress_sni(bz_view(b, k), &name), BZ_MORE);
    n = hello(b, "", false);
    assert_int_equal(bz_egress_sni(bz_view(b, n), &name), BZ_ENOTFOUND);
    n = hello(b, "a b", true);
    assert_int_equal(bz_egress_sni(bz_view(b, n), &name), BZ_ESYNTAX);
    assert_int_equal(bz_egress_sni(BZ_V("GET / HTTP/1.1\r\n\r\n"), &name), BZ_ESYNTAX);
    assert_int_equal(bz_egress_sni(BZ_V("SSH-2.0-x"), &name), BZ_ESYNTAX);
    n = hello(b, "one.example", true);
    for (size_t i = 0; i < n; i++) { /* damage: refused, or another name, but never outside */
        b[i] ^= 0xff;
        if (bz_egress_sni(bz_view(b, n), &name) == BZ_OK)
            assert_true(name.p >= b && name.p + name.n <= b + n);
        b[i] ^= 0xff;
    }
}

static const char *look(const char *text, bool private_ok) {
    uint8_t a[16];
    if (inet_pton(AF_INET, text, a) == 1)
        return bz_egress_address(a, 4, private_ok);
    assert_int_equal(inet_pton(AF_INET6, text, a), 1);
    return bz_egress_address(a, 16, private_ok);
}

static void addresses(void **state) {
    static const char *const public[] = {"1.1.1.1",        "93.184.216.34",  "172.15.255.255",
                                         "172.32.0.0",     "100.63.255.255", "100.128.0.0",
                                         "2606:4700::1111"};
    static const char *const private[] = {"127.0.0.1",      "10.0.0.1",    "172.16.0.1",
                                          "172.31.255.255", "192.168.1.1", "100.64.0.1",
                                          "fd00::1",        "::1",         "::ffff:10.0.0.1"};
    static const char *const never[] = {"0.0.0.0",
                                        "169.254.169.254",
                                        "169.254.0.1",
                                        "100.100.100.200",
                                        "168.63.129.16",
                                        "224.0.0.1",
                                        "255.255.255.255",
                                        "::",
                                        "fe80::1",
                                        "ff02::1",
                                        "fd00:ec2::254",
                                        "::ffff:169.254.169.254",
                                        "64:ff9b::a9fe:a9fe",
                                        "2002:a9fe:a9fe::1",
                                        "192.0.0.192"};
    for (size_t i = 0; i < sizeof public / sizeof public[0]; i++)
        assert_null(look(public[i], false));
    for (size_t i = 0; i < sizeof private / sizeof private[0]; i++) {
        assert_non_null(look(private[i], false));
        assert_null(look(private[i], true));
    }
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        assert_non_null(look(never[i], false));
        assert_non_null(look(never[i], true));
    }
    assert_non_null(bz_egress_address((const uint8_t *)"x", 1, true));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),           cmocka_unit_test(requests),
        cmocka_unit_test(every_cut_waits), cmocka_unit_test(server_names),
        cmocka_unit_test(addresses),
    };
    return cmocka_run_group_tests_name("sandbox_egress", tests, NULL, NULL);
}
