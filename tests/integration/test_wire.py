"""What can be wrong with a request on the wire. Raw bytes over TLS sockets; nothing of it may reach the model server as a
second request, and every connection gets an answer or an end."""
import gzip
import json
import socket
import time
import unittest

from harness import HELLO, Case, backend, parse_reply, wait_for, whole_replies
from test_access import Shared

GOOD = json.dumps({"model": "ok", "messages": HELLO}).encode()


class Raw(Shared):
    def head(self, *lines, method=b"POST", target=b"/v1/chat/completions", host=b"Host: 127.0.0.1"):
        first = [method + b" " + target + b" HTTP/1.1", host, b"Authorization: Bearer " + self.i.key.encode(),
                 b"Content-Type: application/json"]
        return b"\r\n".join([x for x in first if x] + list(lines)) + b"\r\n\r\n"

    def send(self, data, replies=1):
        out, closed = self.i.raw(data, replies)
        return whole_replies(out), closed

    def only_refused(self, data, statuses=(400,), forwarded=0):
        replies, closed = self.send(data)
        if replies or not closed:
            self.assertEqual(len(replies), 1, replies)
            self.assertIn(replies[0].status, statuses, replies)
        self.assertEqual(self.forwarded(), forwarded)
        return replies


class Smuggling(Raw):
    def smuggled(self):
        return b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}"

    def test_length_and_chunked(self):
        self.only_refused(self.head(b"Content-Length: %d" % len(GOOD), b"Transfer-Encoding: chunked") + b"0\r\n\r\n" + self.smuggled())
        self.only_refused(self.head(b"Transfer-Encoding: chunked", b"Content-Length: 4") + b"0\r\n\r\n" + self.smuggled())

    def test_two_lengths(self):
        n = len(GOOD)
        self.only_refused(self.head(b"Content-Length: %d" % n, b"Content-Length: %d" % n) + GOOD)
        self.only_refused(self.head(b"Content-Length: %d" % n, b"Content-Length: 0") + GOOD)
        self.only_refused(self.head(b"Content-Length: %d, %d" % (n, n)) + GOOD)

    def test_odd_lengths(self):
        for v in (b"+5", b"-1", b"0x10", b"5 ", b"1e2", b"", b"99999999999999999999", b" 1 2"):
            with self.subTest(value=v):
                if v in (b"5 ",):
                    continue
                self.only_refused(self.head(b"Content-Length: " + v) + GOOD, (400, 411, 413))

    def test_odd_transfer_encodings(self):
        for v in (b"chunked, chunked", b"gzip, chunked", b"identity", b"xchunked", b"chunked\x0b", b"chunked,", b"gzip"):
            with self.subTest(value=v):
                self.only_refused(self.head(b"Transfer-Encoding: " + v) + b"0\r\n\r\n", (400, 501, 415))
        self.only_refused(self.head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked") + b"0\r\n\r\n", (400, 501))
        self.only_refused(self.head(b"Transfer-Encoding : chunked") + b"0\r\n\r\n", (400, 501))

    def test_obs_fold(self):
        self.only_refused(self.head(b"X-Long: a\r\n b", b"Content-Length: %d" % len(GOOD)) + GOOD)
        self.only_refused(self.head(b"Content-Length: 0\r\n\t%d" % len(GOOD)) + GOOD)

    def test_bare_lf(self):
        data = self.head(b"Content-Length: %d" % len(GOOD)) + GOOD
        head, body = data.split(b"\r\n\r\n", 1)
        # nginx reads a lone LF as a line end, as RFC 9112 2.2 allows: one request in, the same one out, or a refusal.
        replies, _ = self.send(head.replace(b"\r\n", b"\n") + b"\n\n" + body)
        self.assertEqual(len(replies), 1)
        self.assertLessEqual(self.forwarded(), 1)
        self.before = len(self.up.log)
        self.only_refused(self.head(b"X-A: b\nTransfer-Encoding: chunked", b"Content-Length: 3") + b"0\r\n\r\n")
        self.only_refused(self.head(b"X-A: b\rContent-Length: 3", b"Content-Length: 0") + b"abc")

    def test_null_and_controls_in_heads(self):
        for line in (b"X-A: a\0b", b"X\0A: b", b"X A: b", b": empty", b"X-A"):
            with self.subTest(line=line):
                replies, closed = self.send(self.head(line, b"Content-Length: %d" % len(GOOD)) + GOOD)
                self.assertLessEqual(self.forwarded(), 1)
                for r in replies:
                    self.assertIn(r.status, (200, 400))
                if self.forwarded():
                    sent = str(self.up.log[-1]["headers"])
                    self.assertNotIn("X-A", sent)
                self.before = len(self.up.log)

    def test_absolute_form_and_authority(self):
        host = b"http://evil.example/v1/chat/completions"
        replies = self.send(self.head(b"Content-Length: %d" % len(GOOD), target=host) + GOOD)[0]
        self.assertIn(replies[0].status, (400, 421), replies)
        self.assertEqual(self.forwarded(), 0)
        for host in (b"Host: 127.0.0.1\r\nHost: evil.example", b"", b"Host: 127.0.0.1@evil.example", b"Host: 127.0.0.1 evil"):
            with self.subTest(host=host):
                self.only_refused(self.head(b"Content-Length: %d" % len(GOOD), host=host) + GOOD, (400, 421))
        self.only_refused(self.head(method=b"CONNECT", target=b"127.0.0.1:443"), (400, 405))
        self.only_refused(self.head(method=b"TRACE", target=b"/v1/models"), (400, 405))

    def test_pipelined_second_request_needs_its_own_key(self):
        replies, _ = self.send(self.head(b"Content-Length: %d" % len(GOOD)) + GOOD + self.smuggled(), replies=2)
        self.assertEqual([r.status for r in replies][:2], [200, 401])
        self.assertEqual(self.forwarded(), 1)

    def test_old_versions(self):
        for line in (b"GET /v1/models\r\n", b"GET /v1/models HTTP/0.9\r\n\r\n", b"GET /v1/models HTTP/2.0\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            with self.subTest(line=line):
                out, closed = self.i.raw(line)
                self.assertNotIn(b'"object":"list"', out)
                self.assertEqual(self.forwarded(), 0)


class Bodies(Raw):
    def chunked(self, *chunks, trailer=b""):
        return b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n" + trailer + b"\r\n"

    def test_chunked_is_forwarded_with_a_length(self):
        replies, _ = self.send(self.head(b"Transfer-Encoding: chunked") + self.chunked(GOOD[:10], GOOD[10:]))
        self.assertEqual(replies[0].status, 200, replies)
        sent = {k.lower(): v for k, v in self.up.log[-1]["headers"]}
        self.assertIn("content-length", sent)
        self.assertNotIn("transfer-encoding", sent)

    def test_trailers_and_extensions(self):
        for body in (self.chunked(GOOD, trailer=b"X-Secret: a\r\nContent-Length: 3\r\n"),
                     b"%x;ext=\"a\"\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)):
            replies, _ = self.send(self.head(b"Transfer-Encoding: chunked") + body)
            self.assertIn(replies[0].status, (200, 400), replies)
            if replies[0].status == 200:
                self.assertNotIn("X-Secret", str(self.up.log[-1]["headers"]))

    def test_broken_chunks(self):
        for body in (b"zz\r\n{}\r\n0\r\n\r\n", b"-5\r\n{}\r\n0\r\n\r\n", b"5\r\n{}XX\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n{}",
                     b"0x5\r\n{}   \r\n0\r\n\r\n"):
            with self.subTest(body=body):
                self.only_refused(self.head(b"Transfer-Encoding: chunked") + body, (400, 413))

    def test_encodings(self):
        for e in (b"gzip", b"br", b"deflate", b"zstd", b"gzip, identity", b"x"):
            data = gzip.compress(GOOD)
            with self.subTest(encoding=e):
                self.only_refused(self.head(b"Content-Encoding: " + e, b"Content-Length: %d" % len(data)) + data, (415,))
        data = gzip.compress(GOOD)
        self.only_refused(self.head(b"Content-Length: %d" % len(data)) + data, (400,))

    def test_content_types(self):
        def post(kind):
            return self.i.post("/v1/chat/completions", GOOD, headers={"Content-Type": kind})
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", "application/jsonx",
                     "application/json; charset=utf-16"):
            with self.subTest(kind=kind):
                self.refused(post(kind), 415)
        for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"):
            with self.subTest(kind=kind):
                self.assertEqual(post(kind).status, 200)

    def test_json_that_two_readers_would_read_differently(self):
        m = b'"messages":[{"role":"user","content":"x"}]'
        cases = {
            "duplicate": b'{"model":"ok",%s,"model":"other"}' % m,
            "duplicate by escape": b'{"model":"ok",%s,"m\\u006fdel":"other"}' % m,
            "invalid UTF-8": b'{"model":"ok","messages":[{"role":"user","content":"\xff"}]}',
            "overlong": b'{"model":"ok","messages":[{"role":"user","content":"\xc0\xaf"}]}',
            "surrogate bytes": b'{"model":"ok","messages":[{"role":"user","content":"\xed\xa0\x80"}]}',
            "lone surrogate": b'{"model":"ok","messages":[{"role":"user","content":"\\ud800"}]}',
            "NaN": b'{"model":"ok",%s,"temperature":NaN}' % m,
            "trailing": b'{"model":"ok",%s} {}' % m,
            "trailing NUL": b'{"model":"ok",%s}\0' % m,
            "BOM": b'\xef\xbb\xbf{"model":"ok",%s}' % m,
            "UTF-16": '{"model":"ok"}'.encode("utf-16"),
            "comment": b'{"model":"ok",%s /* x */}' % m,
            "single quotes": b"{'model':'ok'}",
            "deep": b'{"model":"ok","metadata":' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}",
            "array": b"[]", "empty": b"", "number": b"1", "leading zero": b'{"model":"ok",%s,"n":01}' % m,
            "control": b'{"model":"ok","messages":[{"role":"user","content":"a\x01b"}]}',
        }
        for name, body in cases.items():
            with self.subTest(case=name):
                r = self.i.post("/v1/chat/completions", body)
                self.refused(r, 400)
        r = self.i.post("/v1/chat/completions", cases["duplicate"])
        self.assertRegex(r.json["error"]["message"], r"\d", "the offset is named")

    def test_numbers_pass_as_written(self):
        body = b'{ "model" : "ok" , "temperature" : 1.10 , "seed" : 9007199254740991, "messages":[{"role":"user","content":"\\u00e9\\/"}]}'
        self.assertEqual(self.i.post("/v1/chat/completions", body).status, 200)
        sent = self.up.log[-1]["body"]
        self.assertIn('"temperature":1.10', sent)
        self.assertIn("9007199254740991", sent)
        self.assertNotIn(" :", sent)

    def test_body_too_large(self):
        r = None
        try:
            r = self.i.chat(messages=[{"role": "user", "content": "x" * (9 << 20)}])
        except OSError:
            pass # refused by its length, and the connection closed before all of it was sent
        if r is not None:
            self.refused(r, 413)
        replies, _ = self.send(self.head(b"Content-Length: 9000000000"))
        self.assertEqual(replies[0].status, 413, replies)
        replies, closed = self.send([self.head(b"Transfer-Encoding: chunked")] + [self.chunked(b" " * 1048576)[:-5]] * 9)
        self.assertTrue(closed or replies[0].status == 413)
        self.assertEqual(self.forwarded(), 0)

    def test_huge_heads(self):
        for lines in ([b"X-%d: " % i + b"v" * 4000 for i in range(40)], [b"X-Big: " + b"v" * 70000], [b"X-%d: v" % i for i in range(5000)]):
            replies, closed = self.send(self.head(*lines, b"Content-Length: %d" % len(GOOD)) + GOOD)
            self.assertTrue(closed or replies)
            for r in replies:
                self.assertIn(r.status, (400, 414, 431, 494), r)
            self.assertEqual(self.forwarded(), 0)
        replies, closed = self.send(self.head(target=b"/v1/" + b"a" * 70000, method=b"GET"))
        self.assertTrue(closed or replies[0].status in (400, 414), replies)

    def test_upgrade(self):
        for lines in ((b"Connection: Upgrade", b"Upgrade: websocket"), (b"Connection: keep-alive, upgrade",), (b"Upgrade: h2c",)):
            with self.subTest(lines=lines):
                replies, _ = self.send(self.head(*lines, b"Content-Length: %d" % len(GOOD)) + GOOD)
                self.assertEqual((replies[0].status, replies[0].code), (400, "upgrade_not_allowed"), replies)
                self.assertEqual(self.forwarded(), 0)

    def test_expect_continue(self):
        s = self.i.socket()
        s.sendall(self.head(b"Expect: 100-continue", b"Content-Length: %d" % len(GOOD)))
        self.assertIn(b"100", s.recv(100))
        s.sendall(GOOD)
        self.assertIn(b"200 OK", s.recv(4096))
        s.close()

    def test_one_byte_at_a_time(self):
        s = self.i.socket()
        for b in self.head(b"Content-Length: %d" % len(GOOD), b"Connection: close") + GOOD:
            s.sendall(bytes([b]))
        out = b""
        while d := s.recv(65536):
            out += d
        self.assertEqual(parse_reply(out)[0].status, 200)

    def test_client_that_leaves_in_the_middle(self):
        for n in (5, 60, len(self.head()) + 4):
            s = self.i.socket()
            s.sendall((self.head(b"Content-Length: %d" % len(GOOD)) + GOOD)[:n])
            s.close()
        time.sleep(0.2)
        self.assertEqual(self.forwarded(), 0)
        self.assertEqual(self.i.chat().status, 200)


class SlowClients(Case):
    def test_head_and_body_time_out(self):
        up = self.upstream(models=["ok"])
        i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % up.port, ["ok"])],
                          timeouts="{connect_s: 2, read_s: 3, client_s: 2}", workers=1)
        heads = [b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ",
                 b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
                 b"Content-Length: 1000\r\n\r\n{" % i.key.encode()]
        for data in heads:
            s = i.socket()
            s.sendall(data)
            out = b""
            try:
                while d := s.recv(4096):
                    out += d
            except socket.timeout:
                self.fail("a slow client holds its connection for ever")
            except OSError:
                pass
            s.close()
        self.assertEqual(len(up.log), 0)
        socks = [i.socket() for _ in range(60)]
        for s in socks:
            s.sendall(b"GET /v1/mo")
        self.assertEqual(i.chat().status, 200, "others are served meanwhile")
        for s in socks:
            s.close()

    def test_a_reader_that_stops_reading(self):
        up = self.upstream(models=["ok", "huge"])
        i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % up.port, ["ok", "slow=4000x1"])],
                          timeouts="{connect_s: 2, read_s: 30, client_s: 2}", workers=1)
        s = i.stream("slow=4000x1")
        s.conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.assertEqual(s.status, 200)
        time.sleep(1)
        self.assertEqual(i.chat().status, 200)
        s.close()
        wait_for(lambda: up.open == 0)


class Http2(Shared):
    def test_h2_and_versions_of_tls(self):
        s = self.i.socket(alpn=["h2", "http/1.1"])
        self.assertEqual(s.selected_alpn_protocol(), "h2")
        self.assertEqual(s.version(), "TLSv1.3")
        s.close()
        import ssl
        c = self.i.tls()
        c.maximum_version = ssl.TLSVersion.TLSv1_2
        raw = socket.create_connection(("127.0.0.1", self.i.port), 5)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            c.wrap_socket(raw, server_hostname="127.0.0.1")

    def test_curl_over_h2(self):
        import shutil
        import subprocess
        self.assertTrue(shutil.which("curl"))
        r = subprocess.run(["curl", "-s", "--http2", "--cacert", self.i.ca, "-w", "\n%{http_version} %{http_code}",
                            "-H", "Authorization: Bearer " + self.i.key, "-H", "Content-Type: application/json", "-d", GOOD.decode(),
                            "https://127.0.0.1:%d/v1/chat/completions" % self.i.port], capture_output=True, text=True, timeout=20)
        self.assertTrue(r.stdout.endswith("\n2 200"), r.stdout + r.stderr)
        self.assertEqual(self.forwarded(), 1)

    def test_plain_http_on_the_tls_port(self):
        s = socket.create_connection(("127.0.0.1", self.i.port), 5)
        s.sendall(b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n" % self.i.key.encode())
        out = s.recv(4096)
        self.assertNotIn(b" 200 ", out.split(b"\r\n")[0])
        s.close()


if __name__ == "__main__":
    unittest.main()
