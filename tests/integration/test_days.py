"""Bad days: processes killed at random moments under load, a full disk, a clock that jumps. In every case clear errors,
recovery without help, and no forwarded request without its durable record; both sides are counted."""
import contextlib
import os
import pathlib
import random
import subprocess
import sys
import threading
import time
import unittest

from harness import ROOT, Case, Load, alive, backend, descendants, free_port, records_by_id, stop_process, wait_for

CLEAR = {200, 429, 502, 503, 504}
BROKEN = {"RemoteDisconnected", "ConnectionResetError", "ConnectionRefusedError", "BrokenPipeError", "SSLEOFError", "SSLError",
          "IncompleteRead", "SSLZeroReturnError"} # what a client sees when the worker that held its connection is killed


class Killed(Case):
    def setUp(self):
        self.up = self.upstream()
        self.i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % self.up.port, ["ok", "slow=3x5"])])
        self.random = random.Random(7)
        self.done = set()

    def call(self):
        n = self.random.random()
        if n < 0.3:
            s = self.i.stream("slow=3x5")
            data = b"".join(s.events())
            s.close()
            if s.status == 200 and b"[DONE]" not in data:
                return "cut" if b'"error"' in data else "CUT SHORT"
            return s.status
        r = self.i.chat("ok")
        if r.status == 200:
            self.done.add(r.id)
        return r.status

    def storm(self, part, times=6, threads=6):
        """Kills `part` that often under load; then everything must come back and both sides must agree."""
        with Load(self.call, threads) as load:
            for _ in range(times):
                time.sleep(0.15 + self.random.random() * 0.5)
                self.assertTrue(wait_for(lambda: self.i.kill(part)), "there was a %s to kill" % part)
            time.sleep(0.3)
            wait_for(lambda: self.i.answers() and self.i.chat("ok").status == 200)
            mark = load.count(200)
            wait_for(lambda: load.count(200) > mark + 20)
        strange = {k: v for k, v in load.outcomes.items() if k not in CLEAR and k not in BROKEN and k != "cut"}
        if part not in ("worker", "nginx"):
            strange |= {k: v for k, v in load.outcomes.items() if k in BROKEN}
        self.assertEqual(strange, {}, load.outcomes)
        wait_for(lambda: self.i.chat("ok").status == 200)
        self.check_both_sides(self.i, self.up)
        kinds = records_by_id(self.i.export())
        self.assertFalse(self.done - set(kinds), "every answered request is in the log")
        self.assertEqual(self.i.verify().returncode, 0)
        return load

    def test_worker(self):
        self.storm("worker")

    def test_nginx_master(self):
        self.storm("nginx", times=3)

    def test_bartizand(self):
        load = self.storm("bartizand")
        self.assertEqual(set(load.outcomes), {200}, "the data plane does not need it from request to request")

    def test_auditd(self):
        self.storm("bartizan-auditd")

    def test_everything_at_once(self):
        with Load(self.call, 6):
            for _ in range(3):
                time.sleep(0.6)
                for part in ("bartizan-auditd", "bartizand", "worker"):
                    self.i.kill(part)
            time.sleep(0.3)
        wait_for(lambda: self.i.answers() and self.i.chat("ok").status == 200)
        self.check_both_sides(self.i, self.up)
        self.assertEqual(self.i.verify().returncode, 0)

    def test_supervisor_takes_everything_with_it_and_starts_again(self):
        family = descendants(self.i.proc.pid)
        with Load(self.call, 4):
            time.sleep(0.5)
            self.i.proc.kill()
            self.i.proc.wait()
            time.sleep(0.3)
        wait_for(lambda: not any(alive(p) for p in family))
        self.i.start()
        self.assertEqual(self.i.chat("ok").status, 200)
        self.check_both_sides(self.i, self.up)
        self.assertEqual(self.i.verify().returncode, 0)


class WriterGone(Case):
    def test_nothing_is_forwarded_while_the_log_cannot_be_written(self):
        up = self.upstream()
        i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % up.port, ["ok"])], audit="{mode: strict, wait_ms: 500}")
        self.assertEqual(i.chat("ok").status, 200)
        pid = i.processes("bartizan-auditd")[0]
        os.kill(pid, 19) # SIGSTOP: there, but not working
        self.addCleanup(lambda: alive(pid) and os.kill(pid, 18))
        before = len(up.log)
        r = i.chat("ok")
        self.assertEqual((r.status, r.code), (503, "audit_unavailable"), r)
        self.assertTrue(r.header("retry-after"))
        self.assertEqual(len(up.log), before)
        os.kill(pid, 18)
        wait_for(lambda: i.chat("ok").status == 200)
        self.check_both_sides(i, up)


class ModelServerDies(Case):
    def test_killed_under_load(self):
        port = free_port()
        log = pathlib.Path(self.id() + ".log")
        i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % port, ["ok", "slow=20x20"])])
        log = i.holder / "upstream.log"

        def start():
            p = subprocess.Popen([sys.executable, str(ROOT / "tests" / "standins" / "hostile_upstream.py"), "--port", str(port),
                                  "--log", str(log)], stdout=subprocess.PIPE)
            p.stdout.readline()
            self.addCleanup(lambda: (stop_process(p), p.stdout.close()))
            return p

        def call():
            s = i.stream("slow=20x20")
            data = b"".join(s.events())
            s.close()
            if s.status != 200:
                return s.status
            return 200 if b"[DONE]" in data else "cut" if b'"error"' in data else "CUT SHORT"
        p = start()
        wait_for(lambda: i.chat("ok").status == 200)
        with Load(call, 6) as load:
            for _ in range(3):
                time.sleep(0.7)
                p.kill()
                p.wait()
                time.sleep(0.3)
                p = start()
                wait_for(lambda: i.chat("ok").status == 200)
        self.assertEqual({k: v for k, v in load.outcomes.items() if k not in CLEAR and k != "cut"}, {}, load.outcomes)
        self.assertGreater(load.count("cut") + load.count(502) + load.count(503), 0)
        kinds = records_by_id(i.export())
        seen = [line.split('"id": "')[1].split('"')[0] for line in log.read_text().splitlines() if '"id": "' in line]
        self.assertTrue(seen)
        self.assertEqual([s for s in seen if "DECISION" not in kinds.get(s, ())], [])


class DiskFull(Case):
    """The audit log's file system is full: 503 and nothing forwarded; room again: it goes on by itself."""

    def test_full_and_free_again(self):
        from harness import Instance
        up = self.upstream()
        i = Instance([backend("b", "openai", "http://127.0.0.1:%d" % up.port, ["ok"])], audit="{mode: strict, wait_ms: 1000}")
        self.addCleanup(i.close)
        room = self.small_disk(i)
        i.start()
        self.assertEqual(i.chat("ok").status, 200)
        filler = self.audit_dir(i) / "filler"
        if not room:
            # no mount namespace here: a file-size limit makes the log's writes fail with EFBIG instead of ENOSPC
            self.limit(i, 1 << 20)
        else:
            with open(filler, "wb", buffering=0) as f:
                try:
                    while True:
                        f.write(b"\0" * 65536)
                except OSError:
                    pass
                try:
                    while True:
                        f.write(b"\0" * 512)
                except OSError:
                    pass
        refused = self.fill(i)
        self.assertIsNotNone(refused, "the disk never became full")
        self.assertEqual((refused.status, refused.code), (503, "audit_unavailable"), refused)
        before = len(up.log)
        self.assertEqual(i.chat("ok").status, 503)
        self.assertEqual(len(up.log), before)
        self.assertEqual(i.get("/health", key=None).status, 200)
        if room:
            filler.unlink()
            wait_for(lambda: i.chat("ok").status == 200)
        else:
            self.limit(i, "unlimited")
            wait_for(lambda: i.chat("ok").status == 200)
        kinds = self.records_inside(i, room)
        self.assertEqual([e["id"] for e in up.log if "DECISION" not in kinds.get(e["id"], ())], [])

    @staticmethod
    def fill(i):
        """Requests on kept connections until one is refused: the log's reserved blocks must be used up first."""
        local, refused = threading.local(), []

        def call():
            if refused:
                time.sleep(0.05)
                return "rest"
            local.conn = getattr(local, "conn", None) or i.connection()
            r = i.chat("ok", conn=local.conn)
            if r.status != 200:
                refused.append(r)
            return r.status
        with Load(call, 6):
            with contextlib.suppress(AssertionError):
                wait_for(lambda: refused, 120)
        return refused[0] if refused else None

    def small_disk(self, i):
        """Gives the audit directory a file system of its own, seen by the instance only."""
        script = ('mount -t tmpfs -o size=24m,mode=0700 tmpfs "$0" && cp -a "$1"/. "$0"/ && shift && exec "$@"')
        copy = i.holder / "audit-start"
        subprocess.run(["cp", "-a", str(i.dir / "audit"), str(copy)], check=True)
        wrap = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, str(i.dir / "audit"), str(copy)]
        if subprocess.run(wrap + ["true"], capture_output=True).returncode != 0:
            wrap[1:1] = ["-r"]
            if subprocess.run(wrap + ["true"], capture_output=True).returncode != 0:
                return False
        i.wrap = wrap
        return True

    @staticmethod
    def limit(i, size):
        subprocess.run(["prlimit", "--fsize=%s:" % size, "--pid", str(i.processes("bartizan-auditd")[0])], check=True)

    @staticmethod
    def audit_dir(i):
        pid = i.processes("bartizan-auditd")[0]
        return pathlib.Path("/proc/%d/root%s" % (pid, i.dir / "audit"))

    def records_inside(self, i, namespace):
        """The export of the log as it stands in the instance's mount namespace, if it has one, after an orderly stop."""
        if namespace:
            pid = i.processes("bartizan-auditd")[0]
            user = ["-U", "--preserve-credentials"] if "-r" in i.wrap else []
            keeper = subprocess.Popen(["nsenter", "-t", str(pid), *user, "-m", "sleep", "60"])
            self.addCleanup(stop_process, keeper)
            wait_for(lambda: os.readlink("/proc/%d/ns/mnt" % keeper.pid) == os.readlink("/proc/%d/ns/mnt" % pid))
            inside = "/proc/%d/root%s" % (keeper.pid, i.dir / "audit")
        i.stop()
        if namespace:
            subprocess.run(["cp", "-a", inside + "/.", str(i.dir / "audit")], check=True)
        r = i.verify()
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
        return records_by_id(i.export())


class Clock(Case):
    def test_steps(self):
        """Requests, limits and the log survive a wall clock that jumps by hours in both directions."""
        lib = next((p for p in ("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1")
                    if os.path.exists(p)), None)
        self.assertIsNotNone(lib, "the package faketime is needed")
        up = self.upstream()
        stamp = pathlib.Path("/tmp") / ("bartizan-faketime-%d" % os.getpid())
        stamp.write_text("+0\n")
        self.addCleanup(stamp.unlink)
        env = {"LD_PRELOAD": lib, "FAKETIME_TIMESTAMP_FILE": str(stamp), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % up.port, ["ok", "slow=30x100"])])
        key = i.new_key("clock", expires="90d")["key"]
        i.stop()
        i.env.update(env)
        i.start()
        for step in ("+0", "+3h", "-3h", "+40s", "+0"):
            s = i.stream("slow=30x100")
            s.read_event()
            stamp.write_text(step + "\n")
            time.sleep(0.5)
            r = i.chat("ok", key=key)
            self.assertEqual(r.status, 200, (step, r))
            self.assertIn(b"[DONE]", b"".join(s.events()), step)
            s.close()
        self.check_both_sides(i, up)
        for k in ("LD_PRELOAD",):
            i.env.pop(k)
        self.assertEqual(i.verify().returncode, 0)


if __name__ == "__main__":
    unittest.main()
