#!/usr/bin/env python3
"""What a cage costs and whether it holds: bench/sandbox.sh prints it. The real llama-server, caged and unconfined side by
side, on unix sockets; rounds alternate, medians of paired ratios."""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "integration"))
import test_sandbox # noqa: E402
from harness import stop_process, wait_for # noqa: E402


class Bench:
    def __init__(self, rounds):
        self.case = unittest.TestCase()
        self.p = test_sandbox.place(self.case)
        self.rounds = rounds
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-bench-", dir="/var/tmp"))
        self.dir.chmod(0o755)
        self.flags = ["-m", str(self.p.model), "--alias", "tiny", "--offline", "--no-ui", "-c", "8192", "-np", "2", "--log-verbosity", "1",
                      "-t", "1", "-tb", "1"] # threads that wait for each other spin, and would be counted

    def caged(self, name):
        (self.dir / name).mkdir(mode=0o700, exist_ok=True)
        socket = self.dir / name / "llm.sock"
        reads = [x for r in self.p.reads for x in ("--read", r)]
        return socket, [self.p.bartizan, "sandbox", "run", "--quiet", "--profile", "llama-server", "--socket", str(socket), "--report",
                        str(self.dir / "report"), *reads, "--", *self.p.command, *self.flags]

    def plain(self, name):
        (self.dir / name).mkdir(mode=0o700, exist_ok=True)
        socket = self.dir / name / "llm.sock"
        socket.unlink(missing_ok=True)
        return socket, [*self.p.command, *self.flags, "--host", str(socket)]

    def start(self, command, socket):
        begin = time.monotonic()
        p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
                             env=dict(os.environ, GGML_NO_BACKTRACE="1"))

        def up():
            try:
                return b" 200 " in test_sandbox.get(socket)
            except OSError:
                return False
        wait_for(up, step=0.0005)
        return p, time.monotonic() - begin

    def time_of(self, command):
        begin = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        return time.monotonic() - begin

    def startup(self):
        run = [self.p.bartizan, "sandbox", "run", "--quiet", "--profile", "llama-server", "--", "/usr/bin/true"]
        alone = [self.time_of(run) - self.time_of(["/usr/bin/true"]) for _ in range(3 * self.rounds)]
        served = []
        for _ in range(self.rounds):
            s1, c1 = self.caged("a")
            p, caged = self.start(c1, s1)
            stop_process(p)
            s2, c2 = self.plain("b")
            p, plain = self.start(c2, s2)
            stop_process(p)
            served.append(caged - plain)
        print("start-up     %5.1f ms more for a program that ends at once, %5.1f ms more until the server answers (target: 60)"
              % (1000 * statistics.median(alone), 1000 * statistics.median(served)))

    def server_of(self, p):
        """The process that computes: the one with the model on its command line that has no such child."""
        all_of = [p.pid, *test_sandbox.descendants(p.pid)]
        mine = [k for k in all_of if b"--alias\0tiny" in pathlib.Path("/proc/%d/cmdline" % k).read_bytes()]
        return mine[-1]

    def cpu(self, pid):
        """Nanoseconds that all threads of a process were on a CPU: other load does not count."""
        return sum(int(pathlib.Path("/proc/%d/task/%s/schedstat" % (pid, t)).read_text().split()[0])
                   for t in os.listdir("/proc/%d/task" % pid))

    def tokens(self, socket, pid, stream):
        """Tokens for each second of its time."""
        body = json.dumps({"messages": [{"role": "user", "content": "hello"}], "max_tokens": 400, "temperature": 0, "stream": stream,
                           "ignore_eos": True, "cache_prompt": False}).encode()
        before = self.cpu(pid)
        for _ in range(4):
            reply = test_sandbox.over_socket(socket, b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                             b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            if b" 200 " not in reply[:20]:
                raise SystemExit("no answer: %r" % reply[:200])
        return 1600 / ((self.cpu(pid) - before) / 1e9)

    def throughput(self):
        s1, c1 = self.caged("a")
        s2, c2 = self.plain("b")
        a, b = self.start(c1, s1)[0], self.start(c2, s2)[0]
        pid = {s1: self.server_of(a), s2: self.server_of(b)}
        try:
            for stream in (False, True):
                ratios, speed = [], []
                for k in range(2 * self.rounds):
                    order = (s1, s2) if k % 2 == 0 else (s2, s1)
                    t = {s: self.tokens(s, pid[s], stream) for s in order}
                    ratios.append(t[s1] / t[s2])
                    speed.append(t[s1])
                print("throughput   %5.1f %% of the unconfined server, %s (%.0f tokens for a second of CPU; target: 98)"
                      % (100 * statistics.median(ratios), "streamed" if stream else "whole replies", statistics.median(speed)))
            report = json.loads((self.dir / "report").read_text())
            found = {x.split(" ")[1]: x.split(" ", 2)[2] for x in report["checks"]}
            env = [x for x in found if x == "environment"]
            print("leaked       %s; mounts: %s; missing: %d%s" % (found["descriptors"], found["mounts"].strip(), report["missing"],
                                                                  "; variables: %s" % found["environment"] if env else ""))
            r = json.loads(subprocess.run([self.p.bartizan, "sandbox", "probe", "--profile", "llama-server", "--json"],
                                          capture_output=True, text=True, cwd="/").stdout)
            serving = b" 200 " in test_sandbox.get(s1)
            print("battery      %d attempts: %d denied, %d allowed, %d vacuous on this host, %d unchecked; the server %s"
                  % (r["probes"], r["denied"], r["allowed"], r["vacuous"], r["unchecked"], "serves" if serving else "IS GONE"))
        finally:
            stop_process(a)
            stop_process(b)

    def close(self):
        self.case.doCleanups()
        shutil.rmtree(self.dir, ignore_errors=True)
        unittest.case.doModuleCleanups()


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--rounds", type=int, default=7)
    b = Bench(a.parse_args().rounds)
    try:
        b.startup()
        b.throughput()
    finally:
        b.close()


if __name__ == "__main__":
    main()
