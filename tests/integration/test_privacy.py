"""Canaries: what clients and model servers say is on no file of the instance, whatever way a request takes; with stored
bodies and without, in deleted files and free blocks too, in no core and not in swap."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import HELLO, Case, backend, wait_for

BOTH = "data:\n  bodies: {store: both}\n"
IMAGE_MB = 384 # the audit ring alone takes 64


class Disk:
    """A file system of its own, whose every block can be searched afterwards; a plain directory where nothing may be mounted."""

    def __init__(self):
        self.holder = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-disk-"))
        self.image, self.at = self.holder / "image", self.holder / "at"
        self.at.mkdir()
        with open(self.image, "wb") as f:
            f.truncate(IMAGE_MB << 20)
        steps = ["mkfs.ext4", "-q", str(self.image)], ["mount", "-o", "loop", str(self.image), str(self.at)]
        self.mounted = all(shutil.which(c[0]) and subprocess.run(c, capture_output=True).returncode == 0 for c in steps)

    def unmount(self):
        if self.mounted:
            subprocess.run(["umount", str(self.at)], check=True)
            self.mounted = False
            return True
        return False

    def found(self, needles):
        """(where, needle) for each that is somewhere on the disk, used or free. Nothing runs on it any more."""
        raw = self.unmount()
        files = [self.image] if raw else [p for p in self.at.rglob("*") if p.is_file() and not p.is_symlink()]
        return [(str(p), n) for p in files for n in needles if n in p.read_bytes()]

    def close(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.unmount()
        shutil.rmtree(self.holder, ignore_errors=True)


class Canary(Case):
    def talk(self, i, names, canary):
        """Every way that text takes through the gateway, well or badly."""
        extra = {"X-Canary": canary + "-header", "User-Agent": canary + "-agent"}
        for model in names:
            i.chat(model, messages=[{"role": "user", "content": canary + "-prompt"}], headers=extra)
            i.stream(model, messages=[{"role": "user", "content": canary + "-stream"}]).close()
        with contextlib.closing(i.stream("ok", messages=[{"role": "user", "content": canary + "-whole-stream"}])) as s:
            for _ in s.events():
                pass
        i.post("/v1/chat/completions", '{"model":"ok","messages":[{"role":"user","content":"%s-dup"}],"model":"x"}' % canary)
        i.post("/v1/chat/completions", '{"model":"%s-model","messages":[]}' % canary)
        i.post("/v1/chat/completions", {"model": "ok", "messages": HELLO, canary + "-field": 1})
        i.post("/v1/chat/completions", {"model": "ok", "messages": [{"role": "user", "content": canary + "x" * (1 << 20)}]})
        i.get("/v1/models?key=%s-query" % canary)
        i.get("/%s-path" % canary)
        i.get("/v1/models", key=canary + "-key")
        i.get("/v1/models", headers={"Host": canary + "-host"})
        i.get("/v1/models", headers={"Cookie": canary + "-cookie"})
        i.get("/v1/models", headers={"Origin": "https://%s-origin" % canary})
        i.chat("ok", messages=[{"role": "user", "content": canary + "-told"}],
               headers={"x-bartizan-conversation": "c-1", "x-bartizan-label": "INTERNAL"})
        i.raw(b"GET /%s-raw HTTP/1.1\r\nbroken %s\r\n\r\n" % (canary.encode(), canary.encode()))
        i.raw(("GET / HTTP/1.1\r\nHost: x\r\nX: %s%s\r\n\r\n" % (canary, "x" * 70000)).encode())

    def sealed_processes(self, i):
        """No core of any of them, and nothing of them in swap."""
        pids = {p: i.processes(p) for p in ("worker", "bartizand", "bartizan-auditd")}
        for part, list_ in pids.items():
            self.assertTrue(list_, part)
            for p in list_:
                limits = pathlib.Path("/proc/%d/limits" % p).read_text()
                core = next(x for x in limits.splitlines() if x.startswith("Max core file size"))
                self.assertEqual(core.split()[4:6], ["0", "0"], part)
                status = pathlib.Path("/proc/%d/status" % p).read_text()
                swap = [x.split()[1] for x in status.splitlines() if x.startswith("VmSwap")]
                self.assertEqual([x for x in swap if x != "0"], [], part)

    def nowhere(self, extra):
        disk = Disk()
        self.addCleanup(disk.close)
        up = self.upstream()
        names = ["ok", "error-event", "status=500", "not-json", "reset-mid", "gzip-said"]
        i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % up.port, names)], extra=extra, directory=str(disk.at))
        canary = "CANARY-pelican-7731"
        self.talk(i, names, canary)
        self.sealed_processes(i)
        stored = []
        if extra:
            def taken():
                """the last request's body to be taken in"""
                out = pathlib.Path(tempfile.gettempdir()) / ("bartizan-export-%s" % os.urandom(6).hex())
                r = i.cli("data", "export", i.dir, "--user", "user", "--out", out, ok=False)
                lines = (out / "bodies.jsonl").read_text().splitlines() if r.returncode == 0 else []
                shutil.rmtree(out, ignore_errors=True)
                stored[:] = [json.loads(x) for x in lines]
                return any(canary + "-told" in x.get("body", "") for x in stored)
            wait_for(taken)
        for p in i.processes("worker")[:1]:
            os.kill(p, signal.SIGABRT) # a crash: no core
        for part in ("worker", "bartizand", "bartizan-auditd"):
            i.kill(part)

        def told():
            """bartizand to make a key again"""
            return i.cli("user", "list", i.dir, ok=False).returncode == 0
        wait_for(told)
        made = i.new_key("owner")
        i.stop()
        needles = [canary.encode(), i.key.encode(), i.admin.encode(), made["key"].encode(), b"hunter2", i.key[16:].encode(),
                   b"Once na\xc3\xafve"]
        self.assertEqual(disk.found(needles), [])
        return stored

    def test_no_prompt_key_or_answer_on_disk(self):
        self.assertEqual(self.nowhere(""), [])

    def test_stored_bodies_are_sealed(self):
        """They are there, for whom they belong to, and in no block of the disk."""
        stored = self.nowhere(BOTH)
        text = json.dumps(stored)
        for what in ("-prompt", "-whole-stream", "-told"):
            self.assertIn("CANARY-pelican-7731" + what, text)
        self.assertTrue(any(b["part"] == "reply" for b in stored))
        told = next(b for b in stored if "-told" in b.get("body", ""))
        self.assertEqual((told["conversation"], told["user"], told["part"]), ("c-1", "user", "request"))
        self.assertIn(told["level"], ("INTERNAL", "CONFIDENTIAL", "RESTRICTED"))

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
