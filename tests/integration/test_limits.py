"""Limits: 429 with the headers that SDKs read, per key, owner and model; tokens; concurrent streams."""
import json
import time
import unittest

from harness import HELLO, Case, backend, wait_for

ROLES = """
models:
  - {name: scarce, target: ok, limits: {requests_per_minute: 1, requests_burst: 2}}
  - {name: short, target: ok, limits: {body_max: 1500}}
roles:
  - {name: little, routes: ["*"], models: ["*"], limits: {body_max: 3000}, user_limits: {body_max: 2000}}
  - {name: few, routes: ["*"], models: ["*"], limits: {requests_per_minute: 6, requests_burst: 3}}
  - {name: shared, routes: ["*"], models: ["*"], user_limits: {requests_per_minute: 1, requests_burst: 4}}
  - {name: two, routes: ["*"], models: ["*"], limits: {concurrent: 2}}
  - {name: tokens, routes: ["*"], models: ["*"], limits: {completion_tokens_per_minute: 600}, params: {max_tokens: 300}}
  - {name: words, routes: ["*"], models: ["*"], limits: {prompt_tokens_per_minute: 100}}
"""


class Limits(Case):
    @classmethod
    def setUpClass(cls):
        from harness import Instance, Upstream
        cls.up = Upstream().start()
        cls.addClassCleanup(cls.up.stop)
        cls.i = Instance([backend("b", "openai", "http://127.0.0.1:%d" % cls.up.port, ["ok", "usage=400", "stepwise=a", "stepwise=b"])], extra=ROLES)
        cls.addClassCleanup(cls.i.close)
        cls.i.start()

    def key(self, role, user=None):
        return self.i.new_key(user or role, role=role)["key"]

    def until_limited(self, call, most):
        good = 0
        for _ in range(most):
            r = call()
            if r.status == 429:
                return good, r
            self.assertEqual(r.status, 200, r)
            good += 1
        self.fail("%d requests passed" % good)

    def fresh(self, key):
        """A key is in force within a second of its creation."""
        wait_for(lambda: self.i.get("/v1/models", key=key).status != 401)

    def test_per_key_with_headers(self):
        k, other = self.key("few"), self.key("few", "somebody")
        r = self.i.chat(key=k)
        self.assertEqual(r.status, 200, r)
        for h in ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"):
            self.assertTrue(r.header(h), h)
        before = len(self.up.log)
        good, r = self.until_limited(lambda: self.i.chat(key=k), 6)
        self.assertLessEqual(good, 3)
        self.assertEqual(len(self.up.log) - before, good, "a limited request is not forwarded")
        self.assertEqual(r.json["error"]["type"], "rate_limit_error")
        wait = int(r.header("retry-after"))
        self.assertTrue(1 <= wait <= 10, wait)
        self.assertEqual(r.header("x-ratelimit-remaining-requests"), "0")
        self.assertEqual(self.i.chat(key=other).status, 200, "another owner's key is not concerned")
        time.sleep(wait + 0.1)
        self.assertEqual(self.i.chat(key=k).status, 200, "after the time that Retry-After tells")

    def test_over_all_keys_of_an_owner(self):
        a, b = self.key("shared", "carol"), self.key("shared", "carol")
        good = 0
        for n in range(12):
            good += self.i.chat(key=(a, b)[n % 2]).status == 200
        self.assertIn(good, (4, 5), "a fifth only where a minute has passed")

    def test_per_model(self):
        good, r = self.until_limited(lambda: self.i.chat("scarce", key="user"), 6)
        self.assertLessEqual(good, 3)
        self.assertEqual(self.i.chat("ok").status, 200)

    def test_concurrent(self):
        k = self.key("two")
        open_ones = []
        for name in "ab":
            self.up.step(name)
            open_ones.append(self.i.stream("stepwise=" + name, key=k))
            self.assertEqual(open_ones[-1].status, 200)
            self.assertTrue(open_ones[-1].read_event())
        r = self.i.chat(key=k)
        self.assertEqual(r.status, 429, r)
        open_ones.pop().close()
        wait_for(lambda: self.i.chat(key=k).status == 200)
        open_ones.pop().close()

    def test_half_sent_bodies_are_concurrent(self):
        k = self.key("two", "frank")
        self.fresh(k)
        head = ("POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
                "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{" % k).encode()
        half = [self.i.socket() for _ in range(2)]
        for s in half:
            s.sendall(head)
        wait_for(lambda: self.i.chat(key=k).status == 429)
        half.pop().close()
        wait_for(lambda: self.i.chat(key=k).status == 200)
        half.pop().close()

    def sized(self, n, key, model="ok", chunked=False):
        body = json.dumps({"model": model, "messages": HELLO}).encode()
        body += b" " * (n - len(body))
        before = len(self.up.log)
        if chunked:
            body = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in (body[:700], body[700:], b""))
        r = self.i.post("/v1/chat/completions", body, key=key, headers={"Transfer-Encoding": "chunked"} if chunked else None)
        if r.status != 200:
            self.assertEqual((r.status, r.json["error"]["code"], len(self.up.log)), (413, "body_too_large", before), r)
        return r.status

    def test_body_size(self):
        tight = self.i.new_key("grace", role="little", body_max=1024)["key"]
        role = self.key("little")
        wide = self.i.new_key("heidi", role="little", body_max=60000000)["key"]
        self.fresh(wide)
        for key, model, most in [(tight, "ok", 1024), (role, "ok", 2000), (wide, "ok", 2000), ("user", "short", 1500)]:
            for chunked in (False, True):
                self.assertEqual(self.sized(most, key, model, chunked), 200, (model, most, chunked))
                self.assertEqual(self.sized(most + 1, key, model, chunked), 413, (model, most, chunked))
        self.assertEqual(self.sized(100000, "user"), 200)

    def test_an_announced_body_is_refused_unread(self):
        k = self.key("little", "ivan")
        self.fresh(k)
        s = self.i.socket()
        s.sendall(("POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
                   "Content-Type: application/json\r\nContent-Length: 2001\r\n\r\n" % k).encode())
        self.assertTrue(s.recv(100).startswith(b"HTTP/1.1 413 "))
        s.close()

    def test_completion_tokens(self):
        k = self.key("tokens")
        good, r = self.until_limited(lambda: self.i.chat(key=k, max_tokens=200), 100)
        self.assertGreaterEqual(good, 2, "8 tokens were used of 200 reserved: the rest is given back")

    def test_prompt_tokens(self):
        k = self.key("words")
        for _ in range(3):
            self.assertEqual(self.i.chat(key=k, messages=[{"role": "user", "content": "word " * 40}]).status, 200)
        # what the server counted is what is charged, also beyond the burst
        self.assertEqual(self.i.chat("usage=400", key=k).status, 200)
        r = self.i.chat(key=k)
        self.assertEqual(r.status, 429, r)
        self.assertGreater(int(r.header("retry-after")), 60)

    def test_max_tokens_is_capped_and_written(self):
        k = self.key("tokens", "dave")
        r = self.i.chat(key=k, max_tokens=5000)
        self.assertIn(r.status, (200, 400, 403), r)
        if r.status == 200:
            self.assertIn('"max_tokens":300', self.up.log[-1]["body"])
        k2 = self.key("tokens", "erin")
        self.assertEqual(self.i.post("/v1/chat/completions", {"model": "ok", "messages": HELLO}, key=k2).status, 200)
        self.assertRegex(self.up.log[-1]["body"], r'"max(_completion)?_tokens":300')


if __name__ == "__main__":
    unittest.main()
