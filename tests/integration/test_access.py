"""Who may reach what: every documented route of every server for nobody, a user and an administrator; credential slots;
hosts and origins; the shape of refusals."""
import pathlib
import unittest

from harness import HELLO, Case, backend, records_by_id

DATA = pathlib.Path(__file__).resolve().parents[1] / "data" / "routes-documented.txt"

BODIES = {
    "/v1/chat/completions": {"messages": HELLO}, "/chat/completions": {"messages": HELLO}, "/api/chat": {"messages": HELLO},
    "/v1/completions": {"prompt": "x"}, "/completions": {"prompt": "x"}, "/completion": {"prompt": "x"}, "/api/generate": {"prompt": "x"},
    "/v1/messages": {"messages": HELLO, "max_tokens": 5}, "/v1/messages/count_tokens": {"messages": HELLO},
    "/v1/responses": {"input": "x"}, "/responses": {"input": "x"}, "/v1/embeddings": {"input": "x"}, "/embeddings": {"input": "x"},
    "/embedding": {"content": "x"}, "/api/embed": {"input": "x"}, "/api/embeddings": {"prompt": "x"}, "/tokenize": {"content": "x"},
    "/detokenize": {"tokens": [1]}, "/infill": {"input_prefix": "a", "input_suffix": "b"},
    "/rerank": {"query": "q", "documents": ["d"]}, "/v1/rerank": {"query": "q", "documents": ["d"]},
    "/v2/rerank": {"query": "q", "documents": ["d"]}, "/reranking": {"query": "q", "documents": ["d"]},
    "/v1/reranking": {"query": "q", "documents": ["d"]}, "/v1/score": {"text_1": "a", "text_2": "b"}, "/score": {"text_1": "a", "text_2": "b"},
}


def documented():
    """{server: [(method, path, access)]}"""
    out = {}
    for line in DATA.read_text().splitlines():
        if line and not line.startswith("#"):
            server, method, path, access = line.split("\t")[:4]
            out.setdefault(server, []).append((method, path, access.strip().lower()))
    return out


def concrete(method, path):
    """One model is served, "ok": a path that names a model names that one."""
    if method == "GET" and path.startswith("/v1/models/"):
        return "/v1/models/ok"
    while "{" in path:
        path = path[:path.index("{")] + "abc" + path[path.index("}") + 1:]
    return path


class Matrix(Case):
    """Generated from tests/data/routes-documented.txt."""

    def walk(self, server, routes):
        up = self.upstream(models=["ok"])
        i = self.instance([backend("b", server, "http://127.0.0.1:%d" % up.port, ["ok"])])
        expected_total = 0
        for method, path, access in routes:
            path = concrete(method, path)
            body = {"model": "ok"} | BODIES.get(path, {}) if method in ("POST", "PUT", "PATCH") else None
            for who in (None, "user", "admin"):
                before = len(up.log)
                r = i.request(method, path, body, key=who)
                seen = len(up.log) - before
                with self.subTest(server=server, route="%s %s" % (method, path), who=who or "nobody", access=access):
                    self.judge(r, seen, who, access)
                    expected_total += seen
                    if seen:
                        self.assertEqual(up.log[-1]["id"], r.id, "what the client is told is what the server saw")
        self.assertEqual(len(up.log), expected_total)
        kinds = records_by_id(i.export())
        decided = {k for k, v in kinds.items() if "DECISION" in v}
        self.assertEqual(set(up.ids()), decided, "the log and the model server tell of the same requests")

    def judge(self, r, seen, who, access):
        if access == "public":
            self.assertEqual((r.status, seen), (200, 0))
        elif who is None:
            self.assertEqual((r.status, seen), (401, 0), r)
            self.assertTrue(r.header("www-authenticate"))
        elif access == "never":
            self.assertEqual((r.status, seen), (403, 0), r)
        elif access == "admin" and who == "user":
            self.assertEqual((r.status, seen), (403, 0), r)
        else:
            self.assertNotIn(r.status, (401, 403, 404, 405, 421, 500, 503), r)
            self.assertLessEqual(seen, 1)


def add_matrix():
    if not DATA.exists():
        def missing(self):
            self.fail("%s is missing" % DATA)
        Matrix.test_fixture = missing
        return
    for server, routes in documented().items():
        name = "test_" + "".join(c if c.isalnum() else "_" for c in server)
        setattr(Matrix, name, lambda self, s=server, r=routes: self.walk(s, r))


add_matrix()


class Shared(Case):
    @classmethod
    def setUpClass(cls):
        from harness import Instance, Upstream
        cls.up = Upstream(models=["ok"]).start()
        cls.i = Instance([backend("b", "openai", "http://127.0.0.1:%d" % cls.up.port, ["ok"])], workers=1)
        cls.addClassCleanup(cls.up.stop)
        cls.addClassCleanup(cls.i.close)
        cls.i.start()

    def setUp(self):
        self.before = len(self.up.log)

    def forwarded(self):
        return len(self.up.log) - self.before

    def refused(self, r, status, code=None):
        self.assertEqual((r.status, self.forwarded()), (status, 0), r)
        if code:
            self.assertEqual(r.code, code, r)


class Credentials(Shared):
    def ask(self, headers, path="/v1/chat/completions"):
        return self.i.post(path, {"model": "ok", "messages": HELLO}, key=None, headers=headers)

    def test_each_slot_is_worth_the_same(self):
        k = self.i.key
        for h in ({"Authorization": "Bearer " + k}, {"authorization": "bearer " + k}, {"x-api-key": k}, {"api-key": k},
                  {"Authorization": "Bearer " + k, "x-api-key": k, "api-key": k}):
            with self.subTest(slots=list(h)):
                self.assertEqual(self.ask(h).status, 200)

    def test_each_slot_refuses_the_same(self):
        bad = self.i.key[:-1] + ("A" if self.i.key[-1] != "A" else "B")
        for k in (bad, "", "bz_", "sk-123", "bz_" + "A" * 62, self.i.key + "A", "x" * 5000, self.i.key.lower()):
            for h in ({"Authorization": "Bearer " + k}, {"x-api-key": k}, {"api-key": k}):
                with self.subTest(key=k[:12], slots=list(h)):
                    self.refused(self.ask(h), 401)

    def test_two_different_credentials(self):
        k, other = self.i.key, self.i.admin
        for h in ({"Authorization": "Bearer " + k, "x-api-key": other}, {"x-api-key": k, "api-key": other},
                  {"Authorization": "Bearer " + k, "api-key": "wrong"}):
            with self.subTest(slots=list(h)):
                self.refused(self.ask(h), 400, "credential_conflict")

    def test_basic_is_no_slot(self):
        self.refused(self.ask({"Authorization": "Basic " + self.i.key}), 401)

    def test_query(self):
        for name in ("key", "api_key", "api-key", "token", "access_token", "API_KEY"):
            with self.subTest(name=name):
                r = self.i.get("/v1/models?%s=%s" % (name, self.i.key), key=None)
                self.assertIn(r.status, (400, 401), r)
                r = self.i.get("/v1/models?%s=%s" % (name, self.i.key))
                self.refused(r, 400, "credential_in_query")

    def test_cookie(self):
        self.refused(self.ask({"Authorization": "Bearer " + self.i.key, "Cookie": "key=" + self.i.key}), 400, "credential_in_cookie")

    def test_repeated_header(self):
        k = self.i.key.encode()
        for name in (b"Authorization: Bearer ", b"x-api-key: "):
            req = (b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + (name + k + b"\r\n") * 2 + b"\r\n")
            out, _ = self.i.raw(req)
            self.assertIn(out.split(b"\r\n")[0].split(b" ")[1], (b"400",), out[:300])

    def test_no_route_oracle_without_a_key(self):
        # the shape of an error follows the path's look, not what is served
        for paths in (("/v1/models", "/nowhere", "/v1/chat/completions"), ("/slots", "/tools", "/props"), ("/api/pull", "/api/nowhere")):
            answers = set()
            for path in paths:
                r = self.i.get(path, key=None)
                answers.add((r.status, r.body.replace(r.id.encode(), b"")))
            self.assertEqual(len(answers), 1, answers)
            self.assertEqual(answers.pop()[0], 401)

    def test_nothing_of_a_client_reaches_the_server(self):
        r = self.ask({"Authorization": "Bearer " + self.i.key, "X-Forwarded-For": "6.6.6.6", "X-Secret": "s", "Accept-Encoding": "gzip",
                      "X-Request-Id": "forged", "User-Agent": "agent", "Forwarded": "for=6.6.6.6", "Connection": "keep-alive, X-Secret"})
        self.assertEqual(r.status, 200)
        sent = {k.lower(): v for k, v in self.up.log[-1]["headers"]}
        for h in ("x-forwarded-for", "x-secret", "accept-encoding", "authorization", "user-agent", "forwarded", "x-api-key", "cookie"):
            self.assertNotIn(h, sent)
        self.assertNotIn(self.i.key, str(self.up.log[-1]))
        self.assertEqual(sent["x-request-id"], r.id)
        self.assertNotEqual(r.id, "forged")


class Edge(Shared):
    def test_health_tells_nothing(self):
        r = self.i.get("/health", key=None)
        self.assertEqual((r.status, r.json), (200, {"status": "ok"}))

    def test_host(self):
        for host, good in (("127.0.0.1", True), ("localhost:%d" % self.i.port, True), ("LOCALHOST", True), ("evil.example", False),
                           ("127.0.0.1.evil.example", False)):
            with self.subTest(host=host):
                r = self.i.get("/v1/models", headers={"Host": host})
                self.assertEqual(r.status, 200 if good else 421, r)

    def test_origin(self):
        self.refused(self.i.get("/v1/models", headers={"Origin": "https://evil.example"}), 403, "origin_not_allowed")
        self.refused(self.i.get("/v1/models", headers={"Origin": "null"}), 403)

    def test_unknown_and_wrong_method(self):
        self.refused(self.i.get("/nowhere"), 404, "route_unknown")
        r = self.i.request("PUT", "/v1/chat/completions")
        self.refused(r, 405)
        self.assertIn("POST", r.header("allow"))

    def test_paths_that_are_not_canonical(self):
        for p in ("/v1//models", "/v1/./models", "/v1/x/../models", "/v1/%6dodels", "/v1/models/", "/v1/models%00", "/%2e%2e/v1/models",
                  "/v1/models/..%2f..%2fslots", "//v1/models", "/v1/models;x=1", "/V1/models"):
            with self.subTest(path=p):
                r = self.i.get(p)
                self.assertIn(r.status, (400, 404), r)
                self.assertEqual(self.forwarded(), 0)

    def test_query_strings(self):
        self.refused(self.i.post("/v1/chat/completions?x=1", {"model": "ok", "messages": HELLO}), 400, "query_not_allowed")

    def test_models_are_no_oracle(self):
        a, b = self.i.chat("no-such-model"), self.i.chat("another")
        self.refused(a, 404, "model_not_found")
        self.assertEqual(a.json["error"]["message"].replace("no-such-model", ""), b.json["error"]["message"].replace("another", ""))

    def test_reply_headers(self):
        for r in (self.i.get("/v1/models"), self.i.get("/nowhere"), self.i.chat(), self.i.get("/v1/models", key=None)):
            with self.subTest(status=r.status):
                self.assertTrue(r.id.startswith("req_"), r.headers)
                self.assertEqual(r.header("x-content-type-options"), "nosniff")
                self.assertEqual(r.header("cache-control"), "no-store")
                self.assertIn("max-age=", r.header("strict-transport-security"))
                self.assertIsNone(r.header("x-powered-by"))
                self.assertNotRegex(r.header("server") or "", r"\d")

    def test_model_is_filled_in_and_rewritten(self):
        r = self.i.post("/v1/chat/completions", {"messages": HELLO})
        self.assertEqual(r.status, 200, r)
        self.assertIn('"model":"ok"', self.up.log[-1]["body"])


if __name__ == "__main__":
    unittest.main()
