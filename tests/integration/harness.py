"""Starts and stops real instances in temporary directories, talks to them, and reads their log. Standard library only.

Processes are found and ended by their ids, never by name patterns. BARTIZAN_BUILD names the build directory.
"""
import contextlib
import http.client
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BARTIZAN_BUILD") or ROOT / "build").resolve()
BARTIZAN = str(BUILD / "bartizan")
sys.path.insert(0, str(ROOT / "tests" / "standins"))
from hostile_upstream import SECRET, TEXT, Upstream # noqa: E402,F401  (the tests import them from here)

HELLO = [{"role": "user", "content": "hello"}]
# No test says how fast something is: what should happen has this long, and then it is a hang.
HANG_S = 60


def raise_limits():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


raise_limits()


def free_port():
    """Below the range that outgoing connections take theirs from: none of them gets it before the server does."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        top = max(int(f.read().split()[0]), 12000)
    while True:
        with socket.socket() as s, contextlib.suppress(OSError):
            port = random.randrange(10000, top)
            s.bind(("127.0.0.1", port))
            return port


def wait_for(what, seconds=HANG_S, step=0.02):
    """Calls `what` until it answers something true; gives that back, or fails."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("a hang: waited %.0f s in vain for %s" % (seconds, getattr(what, "__doc__", None) or what))
        time.sleep(step)


# ---- processes ---------------------------------------------------------------------------------------------------------


def proc_stat(pid):
    """(name, state, parent) or None when it is gone."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            text = f.read()
    except OSError:
        return None
    name = text[text.index("(") + 1:text.rindex(")")]
    rest = text[text.rindex(")") + 2:].split()
    return name, rest[0], int(rest[1])


def alive(pid):
    s = proc_stat(pid)
    return s is not None and s[1] != "Z"


def descendants(pid):
    kids = {}
    for p in os.listdir("/proc"):
        if p.isdigit():
            s = proc_stat(int(p))
            if s:
                kids.setdefault(s[2], []).append(int(p))
    out, todo = [], [pid]
    while todo:
        for k in kids.get(todo.pop(), []):
            out.append(k)
            todo.append(k)
    return out


def command_line(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            return f.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def stop_process(p, seconds=HANG_S):
    if p.poll() is None:
        p.terminate()
        try:
            p.wait(seconds)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait(5)


# ---- replies -----------------------------------------------------------------------------------------------------------


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def id(self):
        return self.header("x-request-id")

    @property
    def code(self):
        """Our stable error code, where the dialect has a place for one."""
        try:
            e = self.json["error"]
            return e.get("code") or e.get("type") if isinstance(e, dict) else e
        except (ValueError, KeyError, TypeError):
            return None

    def __repr__(self):
        return "<%d %s %r>" % (self.status, self.id, self.body[:300])


def parse_reply(data):
    """One HTTP/1.1 reply from raw bytes; what follows it comes back too."""
    head, sep, rest = data.partition(b"\r\n\r\n")
    if not sep:
        raise ValueError("no whole reply: %r" % data[:200])
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split(" ")[1])
    headers = [tuple(x.split(": ", 1)) if ": " in x else (x.rstrip(":"), "") for x in lines[1:]]
    r = Reply(status, headers, b"")
    if "chunked" in (r.header("transfer-encoding") or ""):
        body = b""
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            n = int(size, 16)
            body, rest = body + rest[:n], rest[n + 2:]
            if n == 0:
                break
        r.body = body
    else:
        n = int(r.header("content-length") or 0)
        r.body, rest = rest[:n], rest[n:]
    return r, rest


def whole_replies(data):
    """The replies that are whole in what one connection gave so far; interim ones are left out."""
    out = []
    while b"\r\n\r\n" in data:
        head, _, rest = data.partition(b"\r\n\r\n")
        low = head.lower()
        if low.split(b" ")[1:2] and low.split(b" ")[1].startswith(b"1"):
            data = rest
            continue
        if b"\r\ntransfer-encoding: chunked" in low:
            if not rest.startswith(b"0\r\n\r\n") and b"\r\n0\r\n\r\n" not in rest:
                break
        elif len(rest) < int(low.partition(b"\r\ncontent-length: ")[2].split(b"\r\n")[0] or 0):
            break
        reply, data = parse_reply(data)
        out.append(reply)
    return out


class Stream:
    """An open streamed reply, read piece by piece."""

    def __init__(self, conn, response):
        self.conn, self.response, self.buffer = conn, response, b""
        self.status, self.headers = response.status, response.getheaders()
        self.id = response.getheader("x-request-id")

    def read_event(self, sep=b"\n\n"):
        """The next event, or None at the end; a broken stream raises."""
        while sep not in self.buffer:
            data = self.response.read1(65536)
            if not data:
                rest, self.buffer = self.buffer, b""
                return rest or None
            self.buffer += data
        event, _, self.buffer = self.buffer.partition(sep)
        return event + sep

    def events(self, sep=b"\n\n"):
        end = time.monotonic() + HANG_S
        while True:
            if time.monotonic() > end:
                raise AssertionError("a hang: the stream does not end")
            e = self.read_event(sep)
            if e is None:
                return
            yield e

    def close(self):
        # http.client keeps the socket open for the response object
        self.response.close()
        self.conn.close()


# ---- an instance ---------------------------------------------------------------------------------------------------------


def yaml_list(items):
    return "[" + ", ".join(json.dumps(i) for i in items) + "]"


def backend(name, kind, url, models=None, **more):
    fields = {"name": name, "type": kind, "url": url} | ({"models": models} if models is not None else {}) | more
    return "  - {" + ", ".join("%s: %s" % (k, yaml_list(v) if isinstance(v, list) else json.dumps(v))
                               for k, v in fields.items()) + "}\n"


class Instance:
    """backends: lines made with backend(); extra: further YAML; settings replace top-level lines by name."""

    def __init__(self, backends, extra="", env=None, directory=None, wrap=(), **settings):
        self.holder = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-test-", dir=directory))
        self.dir = self.holder / "i"
        self.port = free_port()
        self.env = dict(os.environ, **(env or {}))
        self.wrap = list(wrap)
        self.program = BARTIZAN
        self.proc = None
        self.users = set()
        self.settings = {"listen": "127.0.0.1:%d" % self.port, "workers": "2"} | {k: str(v) for k, v in settings.items()}
        self.extra, self.backends = extra, "".join(backends)
        out = self.cli("init", self.dir, "--backend", "x=openai=http://127.0.0.1:9", "--listen", self.settings["listen"], "--json")
        first = json.loads(out)
        self.admin, self.key, self.ca = first["admin"], first["key"], first["ca"]
        self.write_config()

    # -- files and commands

    def config(self):
        lines = ["version: 1"] + ["%s: %s" % kv for kv in self.settings.items()]
        return "\n".join(lines) + "\nbackends:\n" + self.backends + self.extra

    def write_config(self, text=None):
        f = self.dir / "bartizan.yaml"
        f.write_text(text if text is not None else self.config())
        f.chmod(0o600)

    def cli(self, *args, ok=True, timeout=60, input=None):
        r = subprocess.run([self.program] + [str(a) for a in args], capture_output=True, timeout=timeout, env=self.env, text=True,
                           input=input)
        if ok and r.returncode != 0:
            raise AssertionError("bartizan %s: exit %d\n%s%s" % (" ".join(map(str, args)), r.returncode, r.stdout, r.stderr))
        return r.stdout if ok else r

    def new_key(self, user="alice", **options):
        if user not in self.users:
            self.cli("user", "add", self.dir, user)
            self.users.add(user)
        args = [x for k, v in options.items() for x in ("--" + k.replace("_", "-"), str(v))]
        made = json.loads(self.cli("key", "create", self.dir, "--user", user, *args, "--json"))
        return made

    def revoke(self, key_id):
        self.cli("key", "revoke", self.dir, key_id)

    # -- life

    def start(self):
        self.out = open(self.holder / "up.out", "ab")
        self.proc = subprocess.Popen(self.wrap + [self.program, "up", str(self.dir)], stdout=self.out, stderr=subprocess.STDOUT,
                                     stdin=subprocess.DEVNULL, env=self.env, start_new_session=True)
        wait_for(self.answers)
        return self

    def answers(self):
        """the gateway to answer /health"""
        if self.proc.poll() is not None:
            raise AssertionError("bartizan up ended with %d:\n%s" % (self.proc.returncode, self.output()))
        try:
            return self.get("/health", key=None, timeout=2).status == 200
        except OSError:
            return False
        except http.client.HTTPException:
            return False

    def served(self, model):
        """Waits until a model is in the list: a backend's own list is asked for after the start."""
        wait_for(lambda: model in [m["id"] for m in self.get("/v1/models").json.get("data", [])])
        return self

    def output(self):
        text = (self.holder / "up.out").read_text(errors="replace")
        log = self.dir / "nginx" / "error.log"
        return text + (log.read_text(errors="replace")[-3000:] if log.exists() else "")

    def stop(self):
        """Ends it as an operator does and gives back its exit code."""
        if self.proc is None:
            return None
        family = descendants(self.proc.pid)
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
            try:
                self.proc.wait(HANG_S)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait(5)
        left = [p for p in family if alive(p)]
        deadline = time.monotonic() + HANG_S
        while left and time.monotonic() < deadline:
            time.sleep(0.05)
            left = [p for p in left if alive(p)]
        for p in left:
            with contextlib.suppress(OSError):
                os.kill(p, signal.SIGKILL)
        self.out.close()
        code, self.proc = self.proc.returncode, None
        return code if not left else "left %s behind" % left

    def close(self):
        self.stop()
        shutil.rmtree(self.holder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        if exc[0] is not None:
            sys.stderr.write("---- %s\n%s\n" % (self.dir, self.output()[-4000:]))
        self.close()

    # -- its processes

    def processes(self, part):
        """pids below `up` by what they are: nginx, worker, bartizand, bartizan-auditd."""
        out = []
        for p in descendants(self.proc.pid):
            line = command_line(p)
            s = proc_stat(p)
            if not s or s[1] == "Z":
                continue
            if part == "worker":
                hit = line.startswith("nginx: worker") and "shutting down" not in line
            elif part == "nginx":
                hit = line.startswith("nginx: master")
            else:
                hit = os.path.basename(line.split(" ")[0]) == part
            if hit:
                out.append(p)
        return out

    def kill(self, part):
        pids = self.processes(part)
        for p in pids:
            with contextlib.suppress(OSError):
                os.kill(p, signal.SIGKILL)
        return pids

    # -- requests

    def tls(self, **kw):
        c = ssl.create_default_context(cafile=self.ca)
        for k, v in kw.items():
            setattr(c, k, v)
        return c

    def connection(self, timeout=HANG_S):
        if self.settings.get("plain_http") == "true":
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.tls())

    def request(self, method, path, body=None, key="user", headers=None, timeout=HANG_S, conn=None):
        h = dict(headers or {})
        key = {"user": self.key, "admin": self.admin}.get(key, key)
        if key and not any(k.lower() in ("authorization", "x-api-key", "api-key") for k in h):
            h["Authorization"] = "Bearer " + key
        data = body
        if body is not None and not isinstance(body, (bytes, str)):
            data = json.dumps(body)
        if data is not None and not any(k.lower() == "content-type" for k in h):
            h["Content-Type"] = "application/json"
        c = conn or self.connection(timeout)
        try:
            c.request(method, path, data.encode() if isinstance(data, str) else data, h)
            r = c.getresponse()
            return Reply(r.status, r.getheaders(), r.read())
        finally:
            if conn is None:
                c.close()

    def get(self, path, **kw):
        return self.request("GET", path, **kw)

    def post(self, path, body, **kw):
        return self.request("POST", path, body, **kw)

    def chat(self, model="ok", key="user", **more):
        kw = {k: more.pop(k) for k in ("headers", "timeout", "conn") if k in more}
        return self.post("/v1/chat/completions", {"model": model, "messages": HELLO} | more, key=key, **kw)

    def stream(self, model="ok", path="/v1/chat/completions", key="user", timeout=HANG_S, **more):
        c = self.connection(timeout)
        key = {"user": self.key, "admin": self.admin}.get(key, key)
        body = {"model": model, "messages": HELLO, "stream": True} | more
        c.request("POST", path, json.dumps(body), {"Authorization": "Bearer " + key, "Content-Type": "application/json"})
        return Stream(c, c.getresponse())

    def socket(self, timeout=HANG_S, alpn=None):
        s = socket.create_connection(("127.0.0.1", self.port), timeout)
        if self.settings.get("plain_http") == "true":
            return s
        c = self.tls()
        if alpn:
            c.set_alpn_protocols(alpn)
        return c.wrap_socket(s, server_hostname="127.0.0.1")

    def raw(self, data, replies=1, quiet=0.5):
        """Sends bytes as they are, and reads until the connection ends, or so many whole replies are there and nothing more
        has come for `quiet` seconds. (everything that came, closed)"""
        out, closed = b"", False
        s = self.socket()
        try:
            for piece in data if isinstance(data, list) else [data]:
                s.sendall(piece)
            while True:
                s.settimeout(quiet if len(whole_replies(out)) >= replies else HANG_S)
                d = s.recv(65536)
                if not d:
                    closed = True
                    break
                out += d
        except (TimeoutError, socket.timeout):
            if len(whole_replies(out)) < replies:
                raise AssertionError("a hang: neither an answer nor an end of the connection, only %r" % out[:300]) from None
        except OSError:
            closed = True
        finally:
            with contextlib.suppress(OSError):
                s.close()
        return out, closed

    # -- the log

    def export(self):
        """Every record of the tile log, as `audit export` shows it."""
        out = self.cli("audit", "export", self.dir)
        return [json.loads(line) for line in out.splitlines() if line.strip()]

    def verify(self, *what, seconds=HANG_S):
        """`audit verify`, or `audit prove ID`; 3 means that a record is durable but not yet under a checkpoint: asked again."""
        end = time.monotonic() + seconds
        while True:
            r = self.cli("audit", *(what or ("verify",))[:1], self.dir, *what[1:], ok=False)
            if r.returncode != 3 or time.monotonic() > end:
                return r
            time.sleep(0.1)


# ---- the two-sided count -----------------------------------------------------------------------------------------------


def records_by_id(records):
    """{request id: set of record kinds}"""
    out = {}
    for r in records:
        ident = r.get("id") or r.get("request_id")
        if ident:
            out.setdefault(ident, set()).add(str(r.get("kind", "")).upper())
    return out


class Case(unittest.TestCase):
    maxDiff = 2000

    def instance(self, *a, **k):
        i = Instance(*a, **k)
        self.addCleanup(self.finish, i)
        return i.start()

    def finish(self, i):
        failed = self._outcome is not None and any(e for _, e in getattr(self._outcome, "errors", []) if e) or (
            hasattr(self._outcome, "result") and any(t is self for t, _ in self._outcome.result.failures + self._outcome.result.errors))
        if failed:
            sys.stderr.write("---- output of the instance of %s\n%s\n" % (self.id(), i.output()[-3000:]))
        i.close()

    def upstream(self, **kw):
        u = Upstream(**kw).start()
        self.addCleanup(u.stop)
        return u

    def check_both_sides(self, instance, *upstreams, seconds=HANG_S):
        """No model server saw a request that the log does not hold a decision for."""
        def missing():
            kinds = records_by_id(instance.export())
            bad = []
            for u in upstreams:
                for e in list(u.log):
                    if not e["id"] or "DECISION" not in kinds.get(e["id"], ()):
                        bad.append((e["id"], e["method"], e["target"]))
            return bad
        end = time.monotonic() + seconds
        bad = missing()
        while bad and time.monotonic() < end:
            time.sleep(0.2)
            bad = missing()
        self.assertEqual(bad, [], "forwarded without a durable decision")


class Load:
    """Threads that call something again and again and count how it ended."""

    def __init__(self, call, threads=8):
        self.call, self.stop_flag = call, threading.Event()
        self.lock = threading.Lock()
        self.outcomes, self.samples = {}, {}
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(threads)]

    def work(self):
        while not self.stop_flag.is_set():
            try:
                outcome = self.call()
            except Exception as e: # noqa: BLE001 - a client sees broken connections as many kinds of errors
                outcome = type(e).__name__
            with self.lock:
                self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *exc):
        self.stop_flag.set()
        for t in self.threads:
            t.join(HANG_S)

    def count(self, outcome):
        return self.outcomes.get(outcome, 0)
