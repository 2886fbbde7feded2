"""Canaries: what clients and model servers say is on no file of the instance, whatever way a request takes."""
import os
import unittest

from harness import HELLO, Case, backend, wait_for


class Canary(Case):
    def test_no_prompt_key_or_answer_on_disk(self):
        up = self.upstream()
        names = ["ok", "error-event", "status=500", "not-json", "reset-mid", "gzip-said"]
        i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % up.port, names)])
        canary = "CANARY-pelican-7731"
        extra = {"X-Canary": canary + "-header", "User-Agent": canary + "-agent"}
        for model in names:
            i.chat(model, messages=[{"role": "user", "content": canary + "-prompt"}], headers=extra)
            i.stream(model, messages=[{"role": "user", "content": canary + "-stream"}]).close()
        i.post("/v1/chat/completions", '{"model":"ok","messages":[{"role":"user","content":"%s-dup"}],"model":"x"}' % canary)
        i.post("/v1/chat/completions", '{"model":"%s-model","messages":[]}' % canary)
        i.post("/v1/chat/completions", {"model": "ok", "messages": HELLO, canary + "-field": 1})
        i.get("/v1/models?key=%s-query" % canary)
        i.get("/%s-path" % canary)
        i.get("/v1/models", key=canary + "-key")
        i.get("/v1/models", headers={"Host": canary + "-host"})
        i.get("/v1/models", headers={"Cookie": canary + "-cookie"})
        i.get("/v1/models", headers={"Origin": "https://%s-origin" % canary})
        i.raw(b"GET /%s-raw HTTP/1.1\r\nbroken %s\r\n\r\n" % (canary.encode(), canary.encode()))
        i.raw(("GET / HTTP/1.1\r\nHost: x\r\nX: %s%s\r\n\r\n" % (canary, "x" * 70000)).encode())
        for part in ("worker", "bartizand", "bartizan-auditd"):
            i.kill(part)

        def told():
            """bartizand to make a key again"""
            return i.cli("user", "list", i.dir, ok=False).returncode == 0
        wait_for(told)
        made = i.new_key("owner")
        i.stop()
        needles = [canary.encode(), i.key.encode(), i.admin.encode(), made["key"].encode(), b"hunter2", i.key[16:].encode(), b"Once na\xc3\xafve"]
        bad = []
        for base, _, files in os.walk(i.holder):
            for f in files:
                path = os.path.join(base, f)
                if not os.path.isfile(path) or os.path.islink(path):
                    continue
                with open(path, "rb") as h:
                    data = h.read()
                bad += [(os.path.relpath(path, i.holder), n) for n in needles if n in data]
        self.assertEqual(bad, [])

    def test_nothing_is_open_to_others(self):
        up = self.upstream()
        i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % up.port, ["ok"])])
        i.chat("ok")
        loose = []
        for base, dirs, files in os.walk(i.dir):
            for n in dirs + files:
                st = os.lstat(os.path.join(base, n))
                if st.st_mode & 0o077 and not os.path.islink(os.path.join(base, n)):
                    loose.append((os.path.relpath(os.path.join(base, n), i.dir), oct(st.st_mode)))
        self.assertEqual(loose, [])


if __name__ == "__main__":
    unittest.main()
