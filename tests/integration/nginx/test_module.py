"""The nginx module alone: what it does with clients, backends and the audit writer when they behave badly."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import ssl
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from module_harness import HANG_S, Instance, chat, ended, free_port, make_cert, read_until, wait_for  # noqa: E402
from module_upstream import Upstream  # noqa: E402


class Base(unittest.TestCase):
    options = ()
    drain = ()
    tls = False

    @classmethod
    def setUpClass(cls):
        cls.up = Upstream()
        cls.gw = Instance([f"http://127.0.0.1:{cls.up.port}"], *cls.options, drain=cls.drain, tls=cls.tls)

    @classmethod
    def tearDownClass(cls):
        errors = cls.gw.stop()
        cls.up.stop()
        for line in errors.splitlines():
            if "signal 9" not in line:
                raise AssertionError("nginx error log: " + line)


class Replies(Base):
    def test_unary(self):
        status, h, body = self.gw.request(chat())
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(body)["choices"][0]["message"]["content"], "hello")
        self.assertEqual(h["content-type"], "application/json")
        self.assertTrue(h["x-request-id"].startswith("req_"))
        for name in ("server", "x-internal", "set-cookie", "keep-alive"):
            self.assertNotIn(name, h)

    def test_only_our_headers_reach_the_backend(self):
        self.gw.request(chat("headers", stream=True), headers={"X-Foo": "1", "Accept-Encoding": "gzip", "TE": "trailers"})
        raw = [r for r in self.up.requests if b"do:headers" in r][0]
        head = raw.split(b"\r\n\r\n")[0].split(b"\r\n")
        self.assertEqual(head[0], b"POST /v1/chat/completions HTTP/1.1")
        names = sorted(line.split(b":")[0].lower() for line in head[1:])
        self.assertEqual(names, [b"accept", b"connection", b"content-length", b"content-type", b"host", b"x-request-id"])
        self.gw.request(chat("headers2"))
        raw = [r for r in self.up.requests if b"do:headers2" in r][0]
        self.assertNotIn(b"\r\nconnection:", raw.lower())

    def test_stream(self):
        status, h, body = self.gw.request(chat(stream=True))
        self.assertEqual((status, h["content-type"]), (200, "text/event-stream"))
        self.assertIn(b"tok4", body)
        self.assertTrue(body.endswith(b"data: [DONE]\n\n"))

    def test_stream_in_single_bytes(self):
        _, _, body = self.gw.request(chat("bytewise", stream=True))
        self.assertTrue(body.endswith(b"data: [DONE]\n\n"), body)
        self.assertEqual(body.count(b"data: "), 5 if b"usage" in body else 4)

    def test_large_reply(self):
        status, h, body = self.gw.request(chat("big"))
        self.assertEqual(status, 200)
        self.assertEqual(int(h["content-length"]), len(body))
        self.assertGreater(len(body), 3000000)

    def test_keepalive_is_used_and_streams_close(self):
        self.gw.request(chat())
        before = self.up.connections
        for _ in range(5):
            self.gw.request(chat())
        self.assertEqual(self.up.connections, before)

    def test_refusals(self):
        self.assertEqual(self.gw.request(chat(), headers={"Authorization": ""})[0], 401)
        self.assertEqual(self.gw.request(chat(), path="/v1/nothing")[0], 404)
        self.assertEqual(self.gw.request("not json")[0], 400)
        self.assertEqual(self.gw.request(path="/v1/models")[0], 200)
        self.assertEqual(self.gw.request(path="/.bartizan-error")[0], 404)

    def test_many_on_one_connection(self):
        c = http.client.HTTPConnection("127.0.0.1", self.gw.port, timeout=HANG_S)
        for i in range(20):
            what = ("", "big", "gzip")[i % 3]
            self.assertEqual(self.gw.request(chat(what), conn=c)[0], 502 if what == "gzip" else 200)
            self.assertEqual(self.gw.request("[", conn=c)[0], 400)
            self.assertEqual(self.gw.request(chat(stream=True), conn=c)[0], 200)
        c.close()

    def test_chunked_request(self):
        body = chat("chunked-request")
        parts = (body[i:i + 3] for i in range(0, len(body), 3))
        status, _, reply = self.gw.request((p.encode() for p in parts), method="POST")
        self.assertEqual(status, 200, reply)
        raw = [r for r in self.up.requests if b"do:chunked-request" in r][0].lower()
        self.assertIn(b"content-length:", raw)
        self.assertNotIn(b"transfer-encoding", raw)

    def test_request_in_single_bytes(self):
        body = chat("slow-bytes")
        with socket.create_connection(("127.0.0.1", self.gw.port), HANG_S) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for b in self.gw.head(len(body), "Connection: close\r\n") + body.encode():
                s.sendall(bytes([b]))
            out = b""
            while d := s.recv(65536):
                out += d
        self.assertTrue(out.startswith(b"HTTP/1.1 200"), out)

    def test_large_request_around_the_buffers(self):
        for n in (500, 1500, 2000, 2100, 4000, 65536, 1 << 20, 5 << 20):
            status, _, _ = self.gw.request(chat("p" * n + ":"))
            self.assertEqual(status, 200, n)
            raw = self.up.requests[-1]
            self.assertIn(b"p" * n, raw)
            self.up.requests.clear()

    def test_expect_continue(self):
        body = chat()
        with socket.create_connection(("127.0.0.1", self.gw.port), HANG_S) as s:
            s.sendall(self.gw.head(len(body), "Expect: 100-continue\r\nConnection: close\r\n"))
            self.assertTrue(s.recv(1000).startswith(b"HTTP/1.1 100"))
            s.sendall(body.encode())
            out = b""
            while d := s.recv(65536):
                out += d
        self.assertTrue(out.startswith(b"HTTP/1.1 200"), out)
        bad = self.gw.head(len(body), "Expect: 100-continue\r\nConnection: close\r\n").replace(self.gw.key.encode(), b"x")
        self.assertTrue(self.gw.raw(bad).startswith(b"HTTP/1.1 401"))


class BadClients(Base):
    options = ("body_max=100000",)

    def test_parse_errors_have_our_shape(self):
        for data, status in (
                (b"GARBAGE\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\n\r\n", 400),                                        # no Host
                (b"GET /v1/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
                (b"GET /v1/x HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 40000 + b"\r\n\r\n", 431),
                (b"GET /v1/" + b"y" * 40000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
                (b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                (b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
                (b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
                (b"POST /v1/x HTTP/1.1\r\nHost : a\r\n\r\n", 400),
                (b"GET /v1/x HTTP/3.7\r\nHost: a\r\n\r\n", 400),
                (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
                (self.gw.head(200000), 413)):
            out = self.gw.raw(data, half_close=True)
            self.assertTrue(out.startswith(b"HTTP/1.1 %d" % status), (data[:60], out[:200]))
            head, _, body = out.partition(b"\r\n\r\n")
            self.assertTrue(body, (data[:60], out[:2000]))
            self.assertIn("error", json.loads(body), data[:60])
            self.assertIn(b"x-request-id", head.lower())

    def test_every_one_is_recorded(self):
        out = self.gw.raw(b"GARBAGE\r\n\r\n")
        rid = [line.split()[1] for line in out.splitlines() if line.lower().startswith(b"x-request-id:")][0].decode()
        self.assertTrue(wait_for(lambda: [r["status"] for r in self.gw.records() if r["id"] == rid] == [400]))
        self.assertEqual([r["kind"] for r in self.gw.records() if r["id"] == rid], ["refused"])

    def test_chunked_body_above_the_limit(self):
        out = self.gw.raw(self.gw.head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
                          + b"".join(b"1000\r\n" + b"x" * 4096 + b"\r\n" for _ in range(40)), half_close=True)
        self.assertTrue(out.startswith(b"HTTP/1.1 413"), out[:100])

    def test_many_tiny_chunks(self):
        # raw bytes beyond the buffer although the body itself is not
        body = chat("q" * 60000 + ":").encode()
        out = self.gw.raw(self.gw.head(0, "Connection: close\r\n").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
                          + b"".join(b"1\r\n%c\r\n" % c for c in body) + b"0\r\n\r\n")
        self.assertTrue(out[:12] in (b"HTTP/1.1 200", b"HTTP/1.1 413"), out[:100])
        left = [f for _, _, fs in os.walk(self.gw.dir + "/nginx/tmp") for f in fs]
        self.assertEqual(left, [])

    def test_client_leaves_in_the_middle(self):
        body = chat()
        for cut in (10, 100, 200):
            with socket.create_connection(("127.0.0.1", self.gw.port)) as s:
                s.sendall((self.gw.head(len(body)) + body.encode())[:cut])
        self.assertEqual(self.gw.request(chat())[0], 200)

    def test_abort_cancels_upstream(self):
        for what, first in (("endless", b"tok3"), ("hang", b"")):
            before = self.up.aborted
            s = self.gw.open(chat(what, stream=True))
            got = b""
            while first not in got:
                got += s.recv(4096)
            self.assertTrue(wait_for(lambda: any(b"do:" + what.encode() in r for r in self.up.requests)), what)
            s.close()
            self.assertTrue(wait_for(lambda: self.up.aborted == before + 1), what)

    def test_slow_reader_holds_the_backend_back(self):
        s = self.gw.open(chat("flood", stream=True))
        seen = []  # of 20000 events, 40 MB in all; kernel buffers take some, and then it stands still

        def stands_still():
            time.sleep(0.05)
            seen.append(self.up.flooded)
            return seen[-1] > 0 and seen[-10:] == seen[-1:] * 10
        self.assertTrue(wait_for(stands_still))
        self.assertLess(self.up.flooded, 20000, "all of it went somewhere although nobody reads")
        n = 0
        while d := s.recv(1 << 20):
            n += len(d)
            if d.endswith(b"0\r\n\r\n"):
                break
        self.assertGreater(n, 40000000)


class BadBackends(Base):
    options = ("read_s=1",)

    def test_before_the_reply(self):
        for what, status in (("reset", 502), ("no-reply", 502), ("garbage", 502), ("hang", 504), ("gzip", 502),
                             ("short", 502), ("long", 502), ("err500", 502), ("half-plain", 504)):
            for stream in (False, True):
                self.assertEqual(self.gw.request(chat())[0], 200)  # three failures in a row would rest the backend
                st, h, body = self.gw.request(chat(what, stream=stream))
                self.assertIn(st, (status, 502), what)
                self.assertIn("error", json.loads(body), what)
                self.assertNotIn(b"secret", body)
                self.assertIn("x-request-id", h)

    def test_redirect_by_the_backend(self):
        self.assertEqual(self.gw.request(chat("accel"))[0], 200)

    def test_in_the_middle_of_a_stream(self):
        for what in ("reset-mid-event", "bad-chunk", "silent-stream"):
            self.assertEqual(self.gw.request(chat())[0], 200)
            out = self.gw.raw(self.gw.head(len(chat(what, stream=True)), "Connection: close\r\n") + chat(what, stream=True).encode())
            self.assertIn(b"one ", out)
            self.assertNotIn(b"two", out)
            self.assertIn(b"error", out, what)
            self.assertTrue(out.endswith(b"0\r\n\r\n"), (what, out[-80:]))
            self.assertNotIn(b"[DONE]", out)


class Replicas(unittest.TestCase):
    def test_a_dead_one_is_passed_over(self):
        up = Upstream()
        gw = Instance([f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{up.port}"])
        try:
            for _ in range(6):
                self.assertEqual(gw.request(chat())[0], 200)
            # what reached the second was written for the second (its name, and so its credential)
            for raw in up.requests:
                self.assertIn(f"\r\nHost: 127.0.0.1:{up.port}\r\n".encode(), raw)
        finally:
            gw.stop()
            up.stop()

    def test_none_alive(self):
        gw = Instance([f"http://127.0.0.1:{free_port()}"])
        st, h, body = gw.request(chat())
        gw.stop()
        self.assertIn(st, (502, 503))
        self.assertIn("error", json.loads(body))

    def test_a_kept_connection_that_died(self):
        up = Upstream()
        port = up.port
        gw = Instance([f"http://127.0.0.1:{port}"])
        try:
            self.assertEqual(gw.request(chat())[0], 200)
            up.stop()
            up = Upstream(port)
            self.assertEqual(gw.request(chat())[0], 200)
        finally:
            gw.stop()
            up.stop()

    def test_unix_socket_that_is_not_there(self):
        gw = Instance(["unix:/tmp/bz-no-such-socket"])
        st, _, _ = gw.request(chat())
        gw.stop()
        self.assertIn(st, (502, 503))


class TlsBackend(unittest.TestCase):
    def test_certificate_is_checked(self):
        with tempfile.TemporaryDirectory() as good, tempfile.TemporaryDirectory() as other:
            make_cert(good)
            make_cert(other)
            ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ctx.load_cert_chain(good + "/server.pem", good + "/server.key")
            up = Upstream(tls=ctx)
            for name, ca, want in (("localhost", good, 200), ("127.0.0.1", good, 502), ("localhost", other, 502)):
                gw = Instance([f"https://{name}:{up.port}"], f"ca={ca}/server.pem")
                st = gw.request(chat())[0]
                st2 = gw.request(chat(stream=True))[0]
                gw.stop()
                # an address has no name that nginx could compare with the certificate
                self.assertIn((st, st2), ((want, want), (503, 503)) if want != 200 else ((200, 200),), (name, ca))
            up.stop()


class Audit(unittest.TestCase):
    def setUp(self):
        self.up = Upstream()

    def tearDown(self):
        self.up.stop()

    def instance(self, *options, drain=()):
        gw = Instance([f"http://127.0.0.1:{self.up.port}"], *options, drain=drain)
        self.addCleanup(gw.stop)
        return gw

    def test_nothing_goes_on_before_the_record_is_durable(self):
        gw = self.instance(drain=("delay_ms=300",))
        recorded = []

        def look(raw):
            rid = raw.split(b"X-Request-Id: ")[1].split(b"\r\n")[0]
            with open(gw.dir + "/audit.jsonl", "rb") as f:
                recorded.append(rid in f.read())
        self.up.on_request = look
        self.assertEqual(gw.request(chat())[0], 200)
        self.assertEqual(recorded, [True], "the record was on disk when the model server got the request")

    def test_writer_never_gets_durable(self):
        gw = self.instance("wait_ms=400", drain=("hold",))
        st, h, body = gw.request(chat())
        self.assertEqual(st, 503)
        self.assertIn(b"audit_unavailable", body)
        self.assertEqual(self.up.requests, [])
        # a client that leaves while parked
        put = gw.ring()[0]
        s = gw.open(chat())
        self.assertTrue(wait_for(lambda: gw.ring()[0] > put))
        s.close()
        self.assertEqual(gw.request(chat())[0], 503)
        self.assertEqual(self.up.requests, [])

    def test_writer_gone(self):
        """A writer whose heart does not beat is not waited for: as long as wait_ms says, no test would wait."""
        gw = self.instance("wait_ms=3600000")
        self.assertEqual(gw.request(chat())[0], 200)
        gw.stop_drain()
        for _ in range(2):
            status, _, body = gw.request(chat())
            self.assertEqual(status, 503)
            self.assertIn(b"audit_unavailable", body)
        self.assertEqual(len(self.up.requests), 1)
        gw.drain()
        self.assertTrue(wait_for(lambda: gw.request(chat())[0] == 200))

    def test_parked_requests_resume_when_the_writer_comes_back(self):
        gw = self.instance("wait_ms=3600000", drain=("hold",))
        got = []
        threads = [threading.Thread(target=lambda: got.append(gw.request(chat())[0])) for _ in range(20)]
        for t in threads:
            t.start()
        self.assertTrue(wait_for(lambda: gw.ring()[0] == 20), gw.ring())
        self.assertEqual((got, self.up.requests), ([], []))
        gw.drain()
        for t in threads:
            t.join()
        self.assertEqual(got, [200] * 20)

    def test_relaxed_does_not_wait_but_a_full_ring_refuses(self):
        gw = self.instance("relaxed", drain=None)
        seen = set()
        for _ in range(6000):
            seen.add(gw.request(chat())[0])
            if 503 in seen:
                break
        self.assertEqual(seen, {200, 503})

    def test_counts_agree(self):
        gw = self.instance()
        for i in range(30):
            gw.request(chat(stream=i % 2 == 0))
        gw.request("nope")
        gw.request(path="/v1/models")
        want = {"decision": 30, "close": 31, "refused": 1}
        self.assertTrue(wait_for(lambda: len(gw.records()) == 62), len(gw.records()))
        have = {}
        for r in gw.records():
            have[r["kind"]] = have.get(r["kind"], 0) + 1
        self.assertEqual(have, want)
        self.assertEqual(len({r["id"] for r in gw.records() if r["kind"] != "close"}), 31)


class Times(Base):
    """Backends that are never silent for long, and never done: without the gateway's times nothing here would end."""
    options = ("reply_s=2", "stream_s=10")

    def times_out(self, what):
        status, _, body = self.gw.request(chat(what))
        self.assertEqual((status, json.loads(body)["error"]["code"]), (504, "upstream_timeout"))

    def test_a_collected_reply_that_drips(self):
        self.times_out("drip-plain")
        self.assertTrue(wait_for(lambda: self.up.aborted >= 1))
        self.assertEqual(self.gw.request(chat())[0], 200)

    def test_a_head_that_never_comes(self):
        self.times_out("hang")

    def test_a_stream_without_a_first_event(self):
        status, _, body = self.gw.request(chat("drip-stream", stream=True))
        self.assertEqual(status, 200)
        self.assertIn(b"upstream_timeout", body)

    def test_a_stream_may_last_longer_than_a_reply(self):
        """A reply that begins after the stream has to end before it."""
        s = self.gw.open(chat("endless", stream=True))
        out = read_until(s, lambda x: b"tok" in x)
        self.times_out("drip-plain")
        out += read_until(s, ended)
        s.close()
        self.assertIn(b"upstream_timeout", out)
        stream = out.split(b"x-request-id: ")[1].split(b"\r\n")[0].decode()

        def closed():
            return [r["id"] for r in self.gw.records() if r["kind"] == "close"]
        self.assertTrue(wait_for(lambda: stream in closed()))
        self.assertEqual([i == stream for i in closed()][-2:], [False, True], "the reply that began later was closed first")


class Anthropic(unittest.TestCase):
    def test_credential_and_version(self):
        up = Upstream()
        gw = Instance([], f"backend=anthropic,http://127.0.0.1:{up.port},tiny", "credential=sk-secret")
        gw.request(json.dumps({"model": "tiny", "max_tokens": 9, "messages": [{"role": "user", "content": "do:x"}]}),
                   path="/v1/messages")
        head = up.requests[0].split(b"\r\n\r\n")[0].lower()
        gw.stop()
        up.stop()
        self.assertIn(b"\r\nx-api-key: sk-secret\r\n", head + b"\r\n")
        self.assertIn(b"\r\nanthropic-version: 2023-06-01\r\n", head + b"\r\n")
        self.assertNotIn(b"authorization", head)


class TinyChunks(Base):
    options = ("body_max=65536",)

    def test_nothing_of_a_prompt_touches_the_disk(self):
        """With the directory gone, a file of nginx's would be a 500 and a line in its log."""
        shutil.rmtree(self.gw.dir + "/nginx/tmp/client_body")
        head = self.gw.head(0, "Connection: close\r\n").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        for size, want in ((1, b"413"), (7, b"413"), (4096, b"200")):
            body = chat("x" * 60000 + ":").encode()
            out = head
            for i in range(0, len(body), size):
                out += b"%x\r\n%s\r\n" % (len(body[i:i + size]), body[i:i + size])
            got = self.gw.raw(out + b"0\r\n\r\n")
            self.assertTrue(got.startswith(b"HTTP/1.1 " + want), (size, got[:200]))


class NotReady(unittest.TestCase):
    def test_one_record_for_a_request_without_a_policy(self):
        up = Upstream()
        gw = Instance([f"http://127.0.0.1:{up.port}"])
        try:
            os.rename(gw.dir + "/run/policy.img", gw.dir + "/run/policy.off")
            old = gw.workers()
            os.kill(old[0], signal.SIGKILL)  # the new worker has a ring and no policy
            self.assertTrue(wait_for(lambda: gw.workers() not in ([], old)))
            time.sleep(0.3)
            self.assertEqual(gw.request(chat())[0], 503)
            self.assertIn(b"503", gw.raw(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", half_close=True)[:20])
            gw.raw(b"GET / HT", half_close=True)  # never reaches a phase of ours
            self.assertTrue(wait_for(lambda: len(gw.records()) == 3), gw.records())
            time.sleep(0.3)
            self.assertEqual([r["kind"] for r in gw.records()], ["refused"] * 3)
        finally:
            gw.stop()
            up.stop()


class Workers(unittest.TestCase):
    def setUp(self):
        self.up = Upstream()
        self.gw = Instance([f"http://127.0.0.1:{self.up.port}"])

    def tearDown(self):
        self.gw.stop()
        self.up.stop()

    def test_revoked_key_ends_streams(self):
        """No backend here ever comes to an end: the gateway ends what a revoked key began."""
        for n, what in ((2, "endless"), (4, "hang"), (6, "half-plain")):
            with self.subTest(what):
                s = self.gw.open(chat(what, stream=what == "endless"))
                self.assertTrue(wait_for(lambda: any(b"do:" + what.encode() in r for r in self.up.requests)))
                self.gw.publish(n, "revoked")
                out = read_until(s, lambda x: ended(x) or x.endswith(b"}"))
                s.close()
                self.assertIn(b"error", out)
                if what == "endless":
                    self.assertTrue(wait_for(lambda: self.up.aborted >= 1))
                self.assertEqual(self.gw.request(chat())[0], 401)
                self.gw.publish(n + 1)
                self.assertTrue(wait_for(lambda: self.gw.request(chat())[0] == 200))

    def test_revoked_key_of_a_client_that_does_not_read(self):
        s = self.gw.open(chat("steady", stream=True), receive_buffer=4096)
        before = -1
        while before != self.up.sent:
            before = self.up.sent
            time.sleep(0.3)
        self.gw.publish(2, "revoked")
        self.assertTrue(wait_for(lambda: self.up.aborted == 1)) # not when the client has read
        out = read_until(s, ended)
        s.close()
        self.assertIn(b"no longer valid", out[-1000:])

    def test_image_that_is_no_image(self):
        with open(self.gw.dir + "/run/policy.img.new", "wb") as f:
            f.write(b"nonsense" * 1000)
        os.rename(self.gw.dir + "/run/policy.img.new", self.gw.dir + "/run/policy.img")
        os.kill(self.gw.workers()[0], signal.SIGKILL)  # a new worker has nothing but the bad image
        self.assertTrue(wait_for(lambda: self.status() == 503))
        self.gw.publish(5)
        self.assertTrue(wait_for(lambda: self.status() == 200))

    def status(self):
        try:
            return self.gw.request(chat())[0]
        except (OSError, http.client.HTTPException):
            return 0

    def test_kill_9_of_a_worker(self):
        s = self.gw.open(chat("endless", stream=True))
        s.recv(100)
        for _ in range(5):
            os.kill(self.gw.workers()[0], signal.SIGKILL)
            self.assertTrue(wait_for(lambda: self.status() == 200))
        s.close()

    def test_reload_lets_streams_finish(self):
        s = self.gw.open(chat("endless", stream=True))
        s.recv(100)
        old = self.gw.workers()
        self.gw.nginx.send_signal(signal.SIGHUP)
        self.assertTrue(wait_for(lambda: len(self.gw.workers()) == 2))
        self.assertEqual(self.gw.request(chat())[0], 200)
        later = b"tok%d " % (self.up.sent + 2)
        self.assertIn(later, read_until(s, lambda x: later in x), "the stream goes on")
        # the old worker still watches the policy
        self.gw.publish(2, "revoked")
        self.assertIn(b"error", read_until(s, ended))
        s.close()
        self.assertTrue(wait_for(lambda: old[0] not in self.gw.workers()))
        self.gw.publish(3)
        self.assertTrue(wait_for(lambda: self.status() == 200))

    def test_stop_leaves_complete_records(self):
        s = self.gw.open(chat("endless", stream=True))
        s.recv(100)
        self.gw.nginx.send_signal(signal.SIGTERM)
        self.gw.nginx.wait(HANG_S)
        s.close()
        self.assertTrue(wait_for(lambda: [r["kind"] for r in self.gw.records()] == ["decision", "close"]))


class Http2(Base):
    tls = True

    def curl(self, *args, body=None):
        cmd = ["curl", "-sk", "--http2", "-o", "-", "-w", "\n%{http_version} %{http_code}",
               "-H", "Authorization: Bearer " + self.gw.key, "-H", "Content-Type: application/json", *args]
        if body is not None:
            cmd += ["--data-binary", "@-"]
        out = subprocess.run(cmd + [f"https://localhost:{self.gw.port}/v1/chat/completions"], input=body, text=True,
                             capture_output=True, timeout=HANG_S).stdout
        data, _, tail = out.rpartition("\n")
        version, code = tail.split()
        self.assertEqual(version, "2")
        return int(code), data

    def test_unary_and_stream(self):
        self.assertEqual(self.curl(body=chat())[0], 200)
        code, out = self.curl(body=chat(stream=True))
        self.assertEqual(code, 200)
        self.assertTrue(out.endswith("data: [DONE]\n\n"))
        for n in (1000, 70000, 1000000):
            self.assertEqual(self.curl(body=chat("p" * n + ":"))[0], 200)
        self.assertEqual(self.curl("-X", "POST", "-H", "Content-Length:", body=chat())[0], 200)

    def test_errors(self):
        self.assertEqual(self.curl(body="[")[0], 400)
        self.assertEqual(self.curl(body=chat("reset"))[0], 502)
        self.assertEqual(self.curl("-H", "Authorization: x", body=chat())[0], 400)  # two of them
        code, out = self.curl(body=chat("reset-mid-event", stream=True))
        self.assertEqual(code, 200)
        self.assertIn("error", out)
        code, out = self.curl(body=chat("bad-chunk", stream=True))
        self.assertIn("error", out)
        self.assertEqual(self.curl(body=chat("big"))[0], 200)

    def test_abort(self):
        p = subprocess.Popen(["curl", "-skN", "--http2", "-H", "Authorization: Bearer " + self.gw.key, "-H",
                              "Content-Type: application/json", "-d", chat("endless", stream=True),
                              f"https://localhost:{self.gw.port}/v1/chat/completions"], stdout=subprocess.PIPE)
        p.stdout.read(300)
        p.kill()
        p.wait()
        self.assertTrue(wait_for(lambda: self.up.aborted == 1))

    def test_plain_http_on_the_tls_port(self):
        out = self.gw.raw(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(out.startswith(b"HTTP/1.1 400"), out[:100])
        self.assertIn(b"plain_http", out)


if __name__ == "__main__":
    unittest.main(verbosity=1)
