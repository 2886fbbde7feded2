"""Several model servers: requests go by model name, replicas share the load, dead ones are left alone and come back."""
import threading
import unittest

from harness import Case, Load, Upstream, backend, free_port, wait_for


class Backends(Case):
    def test_by_model_and_merged_list(self):
        a, b = self.upstream(models=["red", "both"]), self.upstream(models=["blue", "both"])
        i = self.instance([backend("a", "openai", "http://127.0.0.1:%d" % a.port), backend("b", "openai", "http://127.0.0.1:%d" % b.port)])
        i.served("red").served("blue")
        self.assertEqual(sorted(m["id"] for m in i.get("/v1/models").json["data"]), ["blue", "both", "red"])
        self.assertEqual((i.chat("red").status, len(a.log), len(b.log)), (200, 1, 0))
        self.assertEqual((i.chat("blue").status, len(a.log), len(b.log)), (200, 1, 1))
        for _ in range(30):
            self.assertEqual(i.chat("both").status, 200)
        self.assertGreater(len(a.log), 3)
        self.assertGreater(len(b.log), 3)
        r = i.chat("green")
        self.assertEqual((r.status, r.code), (404, "model_not_found"))

    def test_least_outstanding(self):
        a, b = self.upstream(), self.upstream()
        names = ["slow=100x100", "ok"]
        i = self.instance([backend("a", "openai", "http://127.0.0.1:%d" % a.port, names),
                           backend("b", "openai", "http://127.0.0.1:%d" % b.port, names)])
        streams = [i.stream("slow=100x100") for _ in range(6)]
        for s in streams:
            s.read_event()
        self.assertEqual((len(a.log), len(b.log)), (3, 3))
        for s in streams:
            s.close()

    def test_a_replica_dies_and_comes_back(self):
        a, port = self.upstream(), free_port()
        b = Upstream().start(port=port)
        i = self.instance([backend("a", "openai", "http://127.0.0.1:%d" % a.port, ["ok"]),
                           backend("b", "openai", "http://127.0.0.1:%d" % port, ["ok"])])

        def call():
            return i.chat("ok").status
        with Load(call, 4) as load:
            wait_for(lambda: load.count(200) > 50 and b.log)
            b.stop()
            before = load.count(200)
            wait_for(lambda: load.count(200) > before + 50)
            b2 = Upstream().start(port=port)
            self.addCleanup(b2.stop)
            wait_for(lambda: len(b2.log) > 0)
        bad = {k: v for k, v in load.outcomes.items() if k != 200}
        total = sum(load.outcomes.values())
        # a request that was being answered when its server died cannot be saved: at most one for each thread
        self.assertLessEqual(sum(bad.values()), 4, "%s of %d" % (bad, total))

    def test_none_is_up(self):
        port = free_port()
        i = self.instance([backend("a", "openai", "http://127.0.0.1:%d" % port, ["ok"])])
        r = i.chat("ok")
        self.assertIn(r.status, (502, 503), r)
        r = wait_for(lambda: (lambda x: x if x.status == 503 else None)(i.chat("ok")))
        self.assertEqual(r.code, "no_backend")
        self.assertTrue(int(r.header("retry-after")) >= 1)
        up = Upstream().start(port=port)
        self.addCleanup(up.stop)
        wait_for(lambda: i.chat("ok").status == 200)

    def test_credential_of_the_backend(self):
        up = self.upstream()
        i = __import__("harness").Instance([backend("a", "openai", "http://127.0.0.1:%d" % up.port, ["ok"], key_file="secrets/a.key")])
        self.addCleanup(i.close)
        f = i.dir / "secrets" / "a.key"
        f.write_text("sk-upstream-credential\n")
        f.chmod(0o600)
        i.start()
        self.assertEqual(i.chat("ok").status, 200)
        self.assertEqual({k.lower(): v for k, v in up.log[-1]["headers"]}["authorization"], "Bearer sk-upstream-credential")
        conf = (i.dir / "nginx" / "nginx.conf").read_text()
        self.assertNotIn("sk-upstream", conf)

    def test_aliases(self):
        up = self.upstream()
        i = self.instance([backend("a", "openai", "http://127.0.0.1:%d" % up.port, ["ok"])],
                          extra="models:\n  - {name: assistant, target: ok}\n")
        r = i.chat("assistant")
        self.assertEqual(r.status, 200, r)
        self.assertIn('"model":"ok"', up.log[-1]["body"])

    def test_parallel_streams_do_not_mix(self):
        up = self.upstream()
        i = self.instance([backend("a", "openai", "http://127.0.0.1:%d" % up.port, ["slow=10x20", "split=3"])])
        texts, lock = [], threading.Lock()

        def one(model):
            s = i.stream(model)
            data = b"".join(s.events())
            s.close()
            with lock:
                texts.append((model, data.count(b"data: "), b"[DONE]" in data))
        threads = [threading.Thread(target=one, args=(m,)) for m in ["slow=10x20", "split=3"] * 20]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(set(texts)), [("slow=10x20", 12, True), ("split=3", 10, True)])


if __name__ == "__main__":
    unittest.main()
