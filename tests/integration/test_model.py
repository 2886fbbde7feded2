"""A real llama-server behind the gateway, under load."""
import json
import os
import pathlib
import subprocess
import unittest

from harness import BUILD, HANG_S, HELLO, ROOT, Case, Load, backend, free_port, stop_process, wait_for

DEMO = pathlib.Path(os.environ.get("BARTIZAN_DEMO") or BUILD / "demo")


def start_server(case, *flags, alias="tiny"):
    subprocess.run([str(ROOT / "tools" / "demo-backend.sh"), str(DEMO)], check=True, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, BARTIZAN_BUILD=str(BUILD)))
    port = free_port()
    p = subprocess.Popen([str(DEMO / "llama-server"), "-m", str(DEMO / "model.gguf"), "--alias", alias, "--host", "127.0.0.1", "--port",
                          str(port), "--offline", "--no-ui", "-c", "16384", "-np", "4", *flags], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, env=dict(os.environ, GGML_NO_BACKTRACE="1"))
    case.addCleanup(stop_process, p)

    def ready():
        """llama-server to answer /health"""
        return subprocess.run(["curl", "-sf", "-m", "1", "http://127.0.0.1:%d/health" % port], capture_output=True).returncode == 0
    wait_for(ready)
    return "http://127.0.0.1:%d" % port


class RealServer(Case):
    def setUp(self):
        self.i = self.instance([backend("demo", "llama.cpp", start_server(self))])
        self.i.served("tiny")

    def test_no_502_under_load_with_streams(self):
        """llama-server closes its connection after each streamed reply although it promised to keep it."""
        conns = {}

        def call():
            import threading
            me = threading.get_ident()
            n = conns[me] = conns.get(me, 0) + 1
            if n % 4 == 0:
                return self.i.chat("tiny", max_tokens=2).status
            s = self.i.stream("tiny", max_tokens=2)
            data = b"".join(s.events())
            s.close()
            return s.status if b"[DONE]" in data or s.status != 200 else "cut"
        with Load(call, 8) as load:
            wait_for(lambda: sum(load.outcomes.values()) > 1000, 5 * HANG_S)
        self.assertEqual(set(load.outcomes), {200}, load.outcomes)

    def test_exact_text_over_token_splits(self):
        text = 'card 4111 1111 1111 1111 é 東京 🙂 "q" \\'
        s = self.i.stream("tiny", key="admin", max_tokens=200, grammar="root ::= " + json.dumps(text, ensure_ascii=False))
        got = ""
        for e in s.events():
            if e.startswith(b"data: {"):
                got += "".join(c["delta"].get("content") or "" for c in json.loads(e[6:])["choices"])
        s.close()
        self.assertEqual(got, text)

    def test_token_counts_are_recorded(self):
        r = self.i.chat("tiny", max_tokens=5)
        self.assertEqual(r.status, 200, r)
        usage = r.json["usage"]

        def closed():
            """the closing record"""
            return [x for x in self.i.export() if r.id in json.dumps(x) and "CLOSE" in json.dumps(x).upper()]
        record = json.dumps(wait_for(closed, 5)[0])
        self.assertRegex(record, r"\b%d\b" % usage["prompt_tokens"])
        self.assertRegex(record, r"\b%d\b" % usage["completion_tokens"])

    def test_a_prompt_that_is_too_long(self):
        r = self.i.chat("tiny", messages=[{"role": "user", "content": "The river runs past the old mill and on to the sea. " * 3000}])
        self.assertEqual((r.status, r.json["error"]["type"]), (400, "exceed_context_size_error"), r)
        self.assertEqual(self.i.chat("tiny", messages=HELLO, max_tokens=2).status, 200)

    def test_logs_prove_themselves(self):
        ids = [self.i.chat("tiny", max_tokens=2).id for _ in range(5)]
        r = self.i.verify()
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        for ident in ids:
            r = self.i.verify("prove", ident)
            self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        self.assertIn(ids[0].removeprefix("req_"), self.i.cli("audit", "tail", self.i.dir))


if __name__ == "__main__":
    unittest.main()
