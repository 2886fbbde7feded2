#!/usr/bin/env python3
"""The gateway against a plain nginx proxy_pass: the same nginx binary, the same TLS, the same upstream, one worker each,
pinned to CPU 0; load and upstream on CPU 1. Rounds alternate; medians are printed. Called by run.sh."""
import argparse
import contextlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "integration"))
from harness import BUILD, Instance, backend, free_port, stop_process, wait_for # noqa: E402

NGINX = BUILD / "deps" / "root" / "usr" / "sbin" / "nginx"
LOAD = "1"

PLAIN = """
daemon off; worker_processes 1; error_log %(dir)s/error.log crit; pid %(dir)s/nginx.pid; worker_rlimit_nofile 16384; %(user)s
events { worker_connections 12288; multi_accept on; }
http {
    access_log off; client_body_temp_path %(dir)s/b; proxy_temp_path %(dir)s/p; fastcgi_temp_path %(dir)s/f;
    uwsgi_temp_path %(dir)s/u; scgi_temp_path %(dir)s/s; tcp_nodelay on; keepalive_requests 1000;
    client_body_buffer_size 8m; client_max_body_size 8m;
    upstream model { server %(upstream)s; keepalive 64; keepalive_requests 90; keepalive_timeout 3s; }
    server {
        listen 127.0.0.1:%(port)d ssl http2 backlog=4096;
        ssl_certificate %(tls)s/server.pem; ssl_certificate_key %(tls)s/server.key; ssl_protocols TLSv1.3;
        ssl_session_tickets off; ssl_session_cache none; ssl_buffer_size 8k;
        location / {
            proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_buffering off; proxy_buffer_size 8k; proxy_buffers 2 8k; proxy_busy_buffers_size 8k;
        }
    }
}
"""


def cpu_ns(pid):
    """Time on a CPU of all threads of a process."""
    total = 0
    for t in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, t)) as f:
            total += int(f.read().split()[0])
    return total


def own_kib(pid):
    """Resident memory of the process's own: what it shares with the daemons (audit ring, limits) is one per worker, not per stream."""
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"RssAnon:\s+(\d+)", f.read())[1])


def pin(pid, cpu):
    for t in os.listdir("/proc/%d/task" % pid):
        os.sched_setaffinity(int(t), {cpu})


def median(xs):
    return statistics.median(xs)


class Side:
    """One proxy: where it listens and the pid of its one worker."""

    def __init__(self, name, port, pid, key, ca):
        self.name, self.port, self.pid, self.key, self.ca = name, port, pid, key, ca
        pin(pid, 0)


class Bench:
    def __init__(self, options):
        self.o = options
        self.stack = contextlib.ExitStack()
        self.seconds = 0.5 if options.quick else 1.5

    def upstream(self, events=100, interval=20, text="prose"):
        port = free_port()
        p = subprocess.Popen(["taskset", "-c", LOAD, str(BUILD / "bench" / "upstream"), str(port), "400", str(events), str(interval), text],
                             stdout=subprocess.PIPE)
        p.stdout.readline()
        self.stack.callback(stop_process, p)
        return port

    def gateway(self, port, mode, data="allow"):
        """data: allow (nothing is searched for) or default (the policy that holds when none is written)."""
        extra = "roles:\n  - {name: free, routes: [\"*\"], models: [\"*\"]}\n"
        if data == "allow":
            extra += "data: {rules: [{types: [\"*\"], action: allow}]}\n"
        if data != "inject": # what is measured is one thing at a time
            extra += "injection: {mode: \"off\"}\n"
        else:
            extra += ("prompts:\n  marking: delimit\n  rules:\n    - {name: bank, version: 1, text: \"You help the customers of a bank. "
                      "Answer politely, and never promise anything.\"}\n")
        i = Instance([backend("bench", "openai", "http://127.0.0.1:%d" % port, ["bench"])], workers=1,
                     audit="{mode: %s, wait_ms: 5000}" % mode, extra=extra)
        self.stack.callback(i.close)
        i.start()
        key = i.new_key("bench", role="free")["key"]
        wait_for(lambda: i.get("/v1/models", key=key).status == 200, 5)
        for part in ("bartizand", "bartizan-auditd"):
            for pid in i.processes(part):
                pin(pid, int(LOAD))
        return i, Side("gateway " + mode, i.port, i.processes("worker")[0], key, i.ca)

    def plain(self, upstream_port, instance):
        d = instance.holder / ("plain-%d" % upstream_port)
        d.mkdir()
        port = free_port()
        user = "user root;" if os.getuid() == 0 else ""
        (d / "nginx.conf").write_text(PLAIN % {"dir": d, "port": port, "tls": instance.dir / "tls", "user": user,
                                               "upstream": "127.0.0.1:%d" % upstream_port})
        p = subprocess.Popen([str(NGINX), "-c", str(d / "nginx.conf"), "-e", str(d / "error.log")])
        self.stack.callback(stop_process, p)
        from harness import descendants
        worker = wait_for(lambda: descendants(p.pid), 5)[0]
        time.sleep(0.3)
        return Side("plain nginx", port, worker, None, instance.ca)

    def load(self, side, body_file, seconds, connections, rate=0):
        """(CPU us of the worker per request, requests per second) of a steady state without handshakes."""
        cmd = ["taskset", "-c", LOAD, str(BUILD / "bench" / "load"), "https://127.0.0.1:%d" % side.port, str(connections), str(seconds),
               str(body_file), str(side.pid), side.key or "", side.ca, str(rate)]
        r = subprocess.run(cmd, capture_output=True, text=True, timeout=300)
        got = {k: float(v) for k, v in re.findall(r"(\w+)=([\d.]+)", r.stdout)}
        if r.returncode or got["errors"]:
            sys.exit("bench: %s: %s\n%s" % (side.name, r.stdout, r.stderr))
        return got["cpu_us"], got["rps"]

    def conversation(self, i, size):
        said = ["What does it cost to keep an account in euros, and what if I move abroad?",
                "An account in euros costs nothing as long as your salary arrives on it. If you move abroad, tell us the new address."]
        turns, n = [], 0
        while len(json.dumps(turns)) < size - 300:
            n += 1
            turns.append({"role": ("user", "assistant")[(n + 1) % 2], "content": "%d. %s" % (n, said[(n + 1) % 2])})
        turns.append({"role": "user", "content": "And what about my order number @@@@@@@@ of last week, has it been sent?"})
        f = i.holder / ("talk-%d" % size)
        f.write_text(json.dumps({"model": "bench", "messages": turns, "temperature": 0.7}, separators=(",", ":")))
        return f

    def body(self, i, size, new=False):
        text = "The quick brown fox jumps over the lazy dog. "
        b = {"model": "bench", "messages": [{"role": "user", "content": ""}], "temperature": 0.7}
        room = size - len(json.dumps(b, separators=(",", ":")))
        b["messages"][0]["content"] = (("Order @@@@@@@@. " if new else "") + text * (room // len(text) + 1))[:room]
        f = i.holder / ("body-%d" % size)
        f.write_text(json.dumps(b, separators=(",", ":")))
        return f

    # ---- parts

    def cpu(self):
        self.cpu_of("cpu", "allow", ((512, 1.10), (4096, 1.15), (65536, 1.25)))

    def data(self):
        """No text comes twice: those that held nothing are not searched again."""
        self.cpu_of("data", "default", ((4096, 1.5), (65536, 2.2)))

    def inject(self):
        """Everything: data protection, texts judged, a prompt of ours with a canary, replies watched. No text comes twice."""
        self.cpu_of("inject", "inject", ((4096, 1.7),))

    def inject_chat(self):
        """The same with a conversation whose last turn alone is new, as chat clients send it."""
        self.cpu_of("inject_chat", "inject", ((4096, 1.7),))

    def cpu_of(self, part, data, targets):
        up = self.upstream()
        i, gate = self.gateway(up, "relaxed", data)
        plain = self.plain(up, i)
        print("CPU of the worker per request, TLS 1.3, HTTP/1.1, 32 connections, audit relaxed, same rate for both, data protection: %s (%d rounds)"
              % (data, self.o.rounds))
        for size, target in targets:
            f = self.conversation(i, size) if part == "inject_chat" else self.body(i, size, part in ("data", "inject"))
            sides = {"plain": [], "gate": []}
            top = [self.load(s, f, self.seconds, 32)[1] for s in (plain, gate)]
            rate = int(min(top) * 0.6) # what both can do with room to spare
            for r in range(self.o.rounds):
                for name, s in (("plain", plain), ("gate", gate))[::1 if r % 2 else -1]:
                    sides[name].append(self.load(s, f, self.seconds, 32, rate))
            p, g = (median([x[0] for x in sides[k]]) for k in ("plain", "gate"))
            paired = median([g_[0] / p_[0] for g_, p_ in zip(sides["gate"], sides["plain"])])
            self.say("%s_%d" % (part, size), paired, target, "%5.1f KB: plain %6.1f us, gateway %6.1f us at %d/s; at full load %d/s and %d/s"
                     % (size / 1024, p, g, rate, *top))

    def durable(self):
        up = self.upstream()
        i, relaxed = self.gateway(up, "relaxed")
        _, strict = self.gateway(up, "strict")
        print("Durable audit: requests per second with 256 in flight, strict to relaxed (%d rounds)" % self.o.rounds)
        for size in (512, 4096):
            f = self.body(i, size)
            out = []
            for r in range(self.o.rounds):
                got = {}
                for s in (relaxed, strict)[::1 if r % 2 else -1]:
                    got[s.name] = self.load(s, f, self.seconds, 256)
                out.append((got[strict.name][1] / got[relaxed.name][1], got[strict.name], got[relaxed.name]))
            self.say("durable_%d" % size, median([x[0] for x in out]), 0.85, "%5.1f KB: relaxed %6.0f/s, strict %6.0f/s; CPU %.1f -> %.1f us"
                     % (size / 1024, median([x[2][1] for x in out]), median([x[1][1] for x in out]), median([x[2][0] for x in out]),
                        median([x[1][0] for x in out])), at_least=True)

    def hold(self, side, n, seconds, while_open=None):
        cmd = ["taskset", "-c", LOAD, str(BUILD / "bench" / "streams"), "https://127.0.0.1:%d" % side.port, str(n), str(seconds),
               side.key or "", side.ca]
        p = subprocess.Popen(cmd, stdout=subprocess.PIPE, text=True)
        first = p.stdout.readline()
        if not first.startswith("open"):
            sys.exit("bench: streams: %s" % first)
        before = cpu_ns(side.pid)
        if while_open:
            while_open()
        time.sleep(max(0.1, seconds - 0.3))
        used = cpu_ns(side.pid) - before
        line = p.stdout.readline()
        p.wait(60)
        got = {k: float(v) for k, v in re.findall(r"(\w+)=([\d.]+)", line)}
        got["ns"] = used / max(1, got["events"] * (seconds - 0.3) / seconds)
        return got

    def sse(self):
        up = self.upstream(events=100000, interval=20)
        i, gate = self.gateway(up, "relaxed")
        plain = self.plain(up, i)
        n, seconds = 300, 2 if self.o.quick else 4
        print("Streams: %d of them, 50 events a second each, TLS (%d rounds)" % (n, self.o.rounds))
        rows = {"plain": [], "gate": []}
        for r in range(self.o.rounds):
            for name, s in (("plain", plain), ("gate", gate))[::1 if r % 2 else -1]:
                rows[name].append(self.hold(s, n, seconds))
        ratio = median([g["ns"] / p["ns"] for g, p in zip(rows["gate"], rows["plain"])])

        def m(k, f):
            return median([x[f] for x in rows[k]])
        self.say("sse_chunk", ratio, 1.05, "CPU a chunk: plain %5.0f ns, gateway %5.0f ns; latency p50/p99 plain %d/%d us, gateway %d/%d us"
                 % (m("plain", "ns"), m("gate", "ns"), m("plain", "p50_us"), m("plain", "p99_us"), m("gate", "p50_us"), m("gate", "p99_us")))

    def data_sse(self):
        for text in ("prose", "numbers"):
            self.data_sse_of(text)

    def data_sse_of(self, text):
        up = self.upstream(events=100000, interval=20, text=text)
        sides = {data: self.gateway(up, "relaxed", data)[1] for data in ("allow", "default")}
        n, seconds = 300, 2 if self.o.quick else 4
        print("Streams with the stream guard: %d of them, 50 events a second each, TLS, %s (%d rounds)" % (n, text, self.o.rounds))
        rows = {data: [] for data in sides}
        for r in range(self.o.rounds):
            for data in list(sides)[::1 if r % 2 else -1]:
                rows[data].append(self.hold(sides[data], n, seconds))
        more = median([d["ns"] - a["ns"] for d, a in zip(rows["default"], rows["allow"])])
        self.say("chunk_" + text, more / 1000, 1.0, "us of CPU a chunk over no screening (%.0f ns); latency p50 %d us to %d us"
                 % (median([a["ns"] for a in rows["allow"]]), *(median([x["p50_us"] for x in rows[k]]) for k in sides)))

    def memory(self):
        n = 500 if self.o.quick else 5000
        up = self.upstream(events=100000, interval=1000)
        print("Memory of the worker with %d open streams over TLS" % n)
        per = {}
        for name in ("plain", "gate"):
            i, gate = self.gateway(up, "relaxed")
            s = self.plain(up, i) if name == "plain" else gate
            self.hold(s, 50, 1) # what the first requests cost once is no cost of a stream
            before, peak = own_kib(s.pid), []
            got = self.hold(s, n, 5, lambda s=s, peak=peak: peak.append(own_kib(s.pid)))
            per[name] = (peak[0] - before) / n
            if name == "gate":
                self.say("open_streams", got["opened"] - got["closed"], n, "streams held at once; p99 %d us" % got["p99_us"], at_least=True)
        self.say("stream_memory", per["gate"] - per["plain"], 2.0, "KiB a stream over plain (plain %.1f, gateway %.1f)"
                 % (per["plain"], per["gate"]))

    def auth(self):
        program = BUILD / "bench" / "bench_auth"
        if not program.exists():
            program = BUILD / "bench_auth"
        if not program.exists():
            tests = BUILD.parent / "build-bench"
            if not (tests / "build.ninja").exists():
                subprocess.run(["meson", "setup", str(tests), "-Dtests=enabled"], cwd=HERE.parent, check=True, stdout=subprocess.DEVNULL)
            subprocess.run(["ninja", "-C", str(tests), "bench/bench_auth"], check=True, stdout=subprocess.DEVNULL)
            program = tests / "bench" / "bench_auth"
        print("Authentication by number of keys")
        print(subprocess.run([str(program)], capture_output=True, text=True, timeout=300).stdout)

    def say(self, name, value, target, text, at_least=False):
        good = value >= target if at_least else value <= target
        print("  %-14s %7.2f  (target %s %.2f)%s  %s" % (name, value, ">=" if at_least else "<=", target, "" if good else " MISSED", text),
              flush=True)


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("part", nargs="*")
    a.add_argument("--quick", action="store_true", help="small numbers: only shows that it runs")
    a.add_argument("--rounds", type=int, default=0)
    o = a.parse_args()
    o.rounds = o.rounds or (3 if o.quick else 9)
    for part in o.part or ["cpu", "durable", "sse", "data", "data_sse", "inject", "inject_chat", "memory", "auth"]:
        b = Bench(o)
        with b.stack:
            getattr(b, "memory" if part == "streams" else part)()


if __name__ == "__main__":
    main()
