"""bartizan-auditd alone, with tests/tools/audit-ring as the worker on the other end of its ring."""
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BARTIZAN_BUILD") or ROOT / "build").resolve()
HANG_S = 60 # no test says how fast something is: what should happen has this long
RING = BUILD / "src" / "auditd" / "audit-ring"


def ring_tool():
    if not RING.exists():
        subprocess.run(["ninja", "-C", str(BUILD), "src/auditd/audit-ring"], check=True, stdout=subprocess.DEVNULL)
    return str(RING)


class Log:
    """One log directory and its writer."""

    def __init__(self, lanes=4):
        self.dir = tempfile.mkdtemp(prefix="bz-audit-")
        self.path = pathlib.Path(self.dir)
        self.proc = None
        self.workers = []
        self.err = open(self.path / "stderr", "ab")
        subprocess.run([ring_tool(), "make", self.dir, str(lanes)], check=True)

    def start(self, *args, before=()):
        r, w = os.pipe()
        cmd = [*before, str(BUILD / "bartizan-auditd"), self.dir, "--ready-fd", str(w), "--origin", "test.example/log", *args]
        self.proc = subprocess.Popen(cmd, pass_fds=[w], stderr=self.err)
        os.close(w)
        ready = os.read(r, 8)
        os.close(r)
        if ready != b"1\n":
            raise AssertionError("auditd did not get ready: %s" % self.stderr())
        return self.proc

    def refuses(self, *args):
        """Starts a writer that must refuse; gives what it says."""
        p = subprocess.run([str(BUILD / "bartizan-auditd"), self.dir, *args], stderr=subprocess.PIPE, timeout=20)
        assert p.returncode == 2, p
        return p.stderr.decode()

    def stderr(self):
        return (self.path / "stderr").read_text()

    def stop(self):
        self.proc.send_signal(signal.SIGTERM)
        rc = self.proc.wait(30)
        self.proc = None
        return rc

    def kill(self):
        self.proc.kill()
        self.proc.wait(30)
        self.proc = None

    def put(self, lane, start, count, *args):
        p = self.putting(lane, start, count, *args)
        out, _ = p.communicate(timeout=90)
        assert p.returncode == 0, p.returncode
        return out.decode()

    def putting(self, lane, start, count, *args, quiet=False):
        p = subprocess.Popen([ring_tool(), "put", self.dir, str(lane), str(start), str(count), *args],
                             stdout=subprocess.DEVNULL if quiet else subprocess.PIPE)
        self.workers.append(p)
        return p

    def state(self):
        out = subprocess.run([ring_tool(), "state", self.dir], check=True, stdout=subprocess.PIPE).stdout
        return dict(zip(("state", "beat_ms", "head", "durable"), map(int, out.split())))

    def beats(self, times=3):
        """Waits for that many further heartbeats: the age of the last one goes back each time."""
        end, last = time.monotonic() + HANG_S, self.state()["beat_ms"]
        while times > 0:
            if time.monotonic() > end:
                raise AssertionError("a hang: the writer's heart stands still")
            time.sleep(0.02)
            now = self.state()["beat_ms"]
            times -= now < last
            last = now

    def cli(self, command, *args, env=None, **kw):
        return subprocess.run([str(BUILD / "bartizan"), "audit", command, self.dir, *args], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60, env={**os.environ, **(env or {})}, **kw)

    def verify(self, *args):
        p = self.cli("verify", "--json", *args)
        return p.returncode, json.loads(p.stdout) if p.stdout else p.stderr.decode()

    def records(self):
        p = self.cli("export")
        assert p.returncode == 0, p
        return [json.loads(line) for line in p.stdout.splitlines()]

    def numbers(self):
        """How often each number is in the log."""
        count = {}
        for r in self.records():
            d = r.get("detail", "")
            if d.startswith("n") and d[1:].isdigit():
                count[int(d[1:])] = count.get(int(d[1:]), 0) + 1
        return count

    def sealed(self, at_least=1):
        """Waits until a checkpoint covers everything that is durable."""
        end = time.monotonic() + HANG_S
        while time.monotonic() < end:
            _, v = self.verify()
            if isinstance(v, dict) and v["size"] >= at_least and v["unsealed"] == 0:
                return v
            time.sleep(0.1)
        raise AssertionError("never sealed: %r" % v)

    def close(self):
        for p in [*self.workers, *([self.proc] if self.proc else [])]:
            p.kill()
            p.wait()
            if p.stdout:
                p.stdout.close()
        self.err.close()
        shutil.rmtree(self.dir)


class Case(unittest.TestCase):
    def log(self, **kw):
        log = Log(**kw)
        self.addCleanup(log.close)
        return log

    def wait_for_failure(self, log):
        """Until storage fails; gives how many records are durable then."""
        end = time.monotonic() + HANG_S
        while log.state()["state"] != 2:
            self.assertLess(time.monotonic(), end, "a hang: storage never failed")
            time.sleep(0.02)
        return log.state()["durable"]

    def each_once(self, log, n):
        count = log.numbers()
        self.assertEqual([i for i in range(n) if count.get(i, 0) != 1], [])
        self.assertEqual(len(count), n)


def process_state(pid):
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rsplit(")", 1)[1].split()[0]


__all__ = ["Case", "Log", "BUILD", "json", "os", "process_state", "random", "resource", "shutil", "signal", "subprocess", "time"]
