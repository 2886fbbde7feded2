"""Model servers in cages: the real llama-server serving, attempts to get out, the instance that starts it, and what is refused.

Runs as root (cages then run as a user of their own) and as anybody else. The battery's own negative controls are part of
its result: "denied" means that the same attempt succeeded outside."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from harness import BUILD, HANG_S, Case, Instance, alive, descendants, free_port, stop_process, wait_for
from test_model import DEMO, start_server

ROOT_USER = os.geteuid() == 0
NOBODY = 65534
LEAST = 45 # attempts that prove something


class Place:
    """A directory whose way other users can go, with the programs, the real server and its model."""
    one = None

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-cage-", dir="/var/tmp"))
        self.dir.chmod(0o755)
        self.build = self.dir / "build"
        self.build.mkdir()
        for name in ("bartizan", "bartizan-cli", "bartizan-cage", "bartizand", "bartizan-auditd", "ngx_http_bartizan_module.so"):
            shutil.copy2(BUILD / name, self.build / name)
        own = BUILD / "deps" / "root"
        if own.exists():
            (self.build / "deps").mkdir()
            shutil.copytree(own, self.build / "deps" / "root", symlinks=True)
        self.bartizan = str(self.build / "bartizan")
        self.model = self.dir / "models" / "model.gguf"
        self.model.parent.mkdir()
        self.command, self.reads = self.server()
        shutil.copy2(DEMO / "model.gguf", self.model)
        subprocess.run(["chmod", "-R", "go+rX", str(self.dir)], check=True)

    def server(self):
        """The command line of llama-server, and what it reads: the system's own, or the unpacked one."""
        root = DEMO / "root"
        if not root.exists():
            return [os.path.realpath(DEMO / "llama-server")], []
        to = self.dir / "llama"
        shutil.copytree(root, to, symlinks=True)
        lib = next(to.glob("usr/lib/*/libc.so.6")).parent
        for f in lib.glob("libggml-cpu-*.so"): # links into the place it was unpacked to
            f.unlink()
        for f in lib.glob("ggml/**/libggml-*.so"):
            if not (lib / f.name).exists():
                (lib / f.name).symlink_to(f)
        loader = next(lib.glob("ld-linux*.so.*"))
        return [str(loader), "--library-path", "%s:%s/llama:%s/ggml" % (lib, lib, lib), "--argv0", "llama-server",
                str(to / "usr" / "bin" / "llama-server")], [str(to)]


def place(case):
    if Place.one is None:
        start_server(case) # makes the demo
        Place.one = Place()
        unittest.addModuleCleanup(forget) # of the module that runs: test_registry comes here, too
    return Place.one


def forget():
    shutil.rmtree(Place.one.dir, ignore_errors=True)
    Place.one = None


def over_socket(path, request, timeout=HANG_S):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    try:
        s.connect(str(path))
        s.sendall(request)
        out = b""
        while block := s.recv(65536):
            out += block
        return out
    finally:
        s.close()


def get(path, what="/health"):
    return over_socket(path, b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % what.encode(), 5)


def start_caged(case, *flags):
    """The real server in its cage: the backend's url, and an http url for whoever wants to compare (a relay)."""
    p = place(case)
    d = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-caged-", dir="/var/tmp"))
    case.addCleanup(shutil.rmtree, d, True)
    d.chmod(0o755)
    path = d / "s" / "llm.sock"
    reads = [x for r in p.reads for x in ("--read", r)]
    run = subprocess.Popen([p.bartizan, "sandbox", "run", "--quiet", "--profile", "llama-server", "--socket", str(path), *reads, "--",
                            *p.command, "-m", str(p.model), "--alias", "tiny", "--offline", "--no-ui", "-np", "4", *flags],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    case.addCleanup(stop_process, run)

    def answers():
        """the server in its cage to answer"""
        try:
            return b" 200 " in get(path)
        except OSError:
            return False
    wait_for(answers)
    if ROOT_USER: # the instance of this test is root's, but has no rights over other users' files
        (d / "s").chmod(0o711)
        path.chmod(0o666)
    return "unix:%s" % path, "http://127.0.0.1:%d" % relay(case, path)


def relay(case, path):
    """TCP to a unix socket, for clients that only speak TCP."""
    listener = socket.create_server(("127.0.0.1", 0))
    case.addCleanup(listener.close)

    def copy(a, b):
        with contextlib.suppress(OSError):
            while block := a.recv(65536):
                b.sendall(block)
        with contextlib.suppress(OSError):
            b.shutdown(socket.SHUT_WR)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                a = listener.accept()[0]
                b = socket.socket(socket.AF_UNIX)
                b.connect(str(path))
                for x, y in ((a, b), (b, a)):
                    threading.Thread(target=copy, args=(x, y), daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


class Cages(Case):
    def setUp(self):
        self.p = place(self)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-run-", dir="/var/tmp"))
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.dir.chmod(0o755)
        self.socket = self.dir / "s" / "llm.sock"

    def server_words(self):
        return [*self.p.command, "-m", str(self.p.model), "--alias", "tiny", "--offline", "--no-ui", "-c", "8192", "-np", "4",
                "--log-verbosity", "1"]

    def start(self, *options, words=None, profile="llama-server", ready=True):
        reads = [x for r in (self.p.reads if words is None else []) for x in ("--read", r)]
        out = open(self.dir / "out", "wb")
        p = subprocess.Popen([self.p.bartizan, "sandbox", "run", "--profile", profile, "--socket", str(self.socket), "--report",
                              str(self.dir / "report"), *reads, *options, "--", *(words or self.server_words())],
                             stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd="/")
        out.close()

        def stop():
            if p.poll() is None:
                p.terminate()
                p.wait(HANG_S)
        self.addCleanup(stop)

        def answers():
            """the server in its cage to answer"""
            if p.poll() is not None:
                raise AssertionError("ended with %d: %s" % (p.returncode, self.said()))
            try:
                return b" 200 " in get(self.socket)
            except OSError:
                return False
        if ready:
            wait_for(answers)
        return p

    def said(self):
        return (self.dir / "out").read_text(errors="replace")

    def refused(self, *args, part, code=2):
        r = subprocess.run([self.p.bartizan, "sandbox", *args], capture_output=True, text=True, timeout=HANG_S, cwd="/")
        self.assertEqual(r.returncode, code, r.stdout + r.stderr)
        self.assertIn(part, r.stdout + r.stderr)


class RealServer(Cages):
    def test_serves_whole_and_is_gone_with_its_starter(self):
        p = self.start()
        report = json.loads((self.dir / "report").read_text())
        self.assertEqual(report["missing"], 0, report)
        found = {line.split(" ")[1]: line for line in report["checks"]}
        for name in ("user", "namespace_user", "namespace_pid", "namespace_ipc", "namespace_uts", "namespace_mnt", "namespace_net",
                     "namespace_cgroup", "capabilities", "no_new_privs", "seccomp", "mounts", "descriptors", "limits", "w_xor_x",
                     "landlock", "landlock_network", "landlock_scopes", "memory", "pids"):
            self.assertTrue(found[name].startswith("ok "), found.get(name))
        self.assertIn(" 0 leaked", found["descriptors"])
        self.assertIn(" 0 foreign", found["mounts"])
        body = json.dumps({"messages": [{"role": "user", "content": "hello"}], "max_tokens": 4, "ignore_eos": True}).encode()
        reply = over_socket(self.socket, b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        self.assertIn(b'"completion_tokens":4', reply)
        family = descendants(p.pid)
        server = [k for k in family if b"model.gguf" in pathlib.Path("/proc/%d/cmdline" % k).read_bytes()]
        self.assertEqual(len(server), 1)
        # from outside: its environment is the plan's, its descriptors its own, its user not ours when we are root
        if ROOT_USER:
            env = pathlib.Path("/proc/%d/environ" % server[0]).read_bytes().rstrip(b"\0").split(b"\0")
            self.assertEqual(sorted(e.split(b"=")[0] for e in env), [b"GGML_NO_BACKTRACE", b"HOME", b"LANG", b"PATH"])
            self.assertNotEqual(os.stat("/proc/%d" % server[0]).st_uid, 0)
            with self.assertRaises(subprocess.CalledProcessError): # T2.3: no other user reaches it
                subprocess.run(["setpriv", "--reuid=61000", "--regid=61000", "--clear-groups", "python3", "-c",
                                "import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])", str(self.socket)],
                               check=True, stderr=subprocess.DEVNULL)
        p.kill() # T2.5
        p.wait()
        wait_for(lambda: not any(alive(k) for k in family))

    def test_ends_gently(self):
        p = self.start()
        family = descendants(p.pid)
        p.terminate()
        p.wait(HANG_S)
        wait_for(lambda: not any(alive(k) for k in family))

    def test_secret_through_a_descriptor(self):
        key = self.dir / "key"
        key.write_text("s3cr3t-of-the-test\n")
        words = [*self.server_words(), "--api-key-file", "{secret:KEY}"]
        p = self.start("--secret", "KEY=%s" % key, *[x for r in self.p.reads for x in ("--read", r)], words=words)
        self.assertIn(b" 401 ", get(self.socket, "/v1/completions") + get(self.socket, "/props"))
        reply = over_socket(self.socket, b"GET /props HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
                            b"s3cr3t-of-the-test\r\n\r\n")
        self.assertIn(b" 200 ", reply)
        for k in [p.pid, *descendants(p.pid)]:
            self.assertNotIn(b"s3cr3t", pathlib.Path("/proc/%d/cmdline" % k).read_bytes())


class Battery(Cages):
    def probe(self, *options, code):
        r = subprocess.run([self.p.bartizan, "sandbox", "probe", "--json", *options], capture_output=True, text=True,
                           timeout=HANG_S, cwd="/", env=dict(os.environ, BARTIZAN_CANARY_OF_THE_TEST="x"))
        self.assertEqual(r.returncode, code, r.stdout + r.stderr)
        return json.loads(r.stdout)

    def test_nothing_gets_out_while_it_serves(self):
        self.start()
        stop = threading.Event()
        failed = []

        def ask():
            while not stop.is_set():
                try:
                    if b" 200 " not in get(self.socket):
                        failed.append("no answer")
                except OSError as e:
                    failed.append(e)
        t = threading.Thread(target=ask)
        t.start()
        try:
            r = self.probe("--profile", "llama-server", code=0)
        finally:
            stop.set()
            t.join()
        self.assertEqual((r["allowed"], r["granted"], r["unchecked"], r["missing"]), (0, 0, 0, 0))
        self.assertGreaterEqual(r["denied"], LEAST)
        self.assertEqual(r["denied"] + r["vacuous"], r["probes"])
        for one in r["results"]: # what proves nothing says why
            self.assertEqual(one["result"] == "denied", one["outside"] == "succeeded", one)
        self.assertEqual(failed, [])

    def test_other_profiles(self):
        for profile in ("ollama", "vllm", "generic", "container"):
            with self.subTest(profile):
                r = self.probe("--profile", profile, code=0)
                self.assertGreaterEqual(r["denied"], LEAST)
                self.assertEqual((r["allowed"], r["unchecked"]), (0, 0))

    def test_a_hole_is_seen(self):
        r = self.probe("--profile", "llama-server", "--read", "/var/lib", code=1)
        self.assertEqual([x["name"] for x in r["results"] if x["result"] == "allowed"], ["list_var"])


class Refusals(Cages):
    def run_refused(self, *options, words=("/usr/bin/true",), part):
        self.refused("run", "--profile", "llama-server", *options, "--", *words, part=part)

    def test_said_clearly(self):
        script = self.dir / "x.sh"
        script.write_text("#!/bin/sh\nexit 0\n")
        script.chmod(0o755)
        self.run_refused(words=[str(script)], part="this is a script")
        self.run_refused(words=["/usr/bin/true", "--api-key", "x"], part="--secret NAME=FILE")
        self.run_refused("--env", "API_KEY=x", part="looks like a secret")
        self.run_refused("--env", "LD_PRELOAD=/x", part="loader")
        self.run_refused("--write", "/", part="belongs to the whole machine")
        self.run_refused("--write", str(self.p.model.parent), "--model", str(self.p.model), part="a model lies in this directory")
        self.run_refused("--model", "/nonexistent/x.gguf", part="no such file")
        self.run_refused("--memory", "5X", part="write a number of bytes")
        self.run_refused("--gpu", "voodoo", part="nvidia, amd or intel")
        self.run_refused(words=["no-such-program-anywhere"], part="no such program")
        self.run_refused("--socket", str(self.p.model.parent / "llm.sock"), part="there are other files")
        self.refused("run", "--profile", "lama-server", "--", "/usr/bin/true", part="did you mean llama-server")
        self.refused("run", "--profile", "llama-server", part="say what to start")
        if ROOT_USER:
            self.run_refused("--user", "root", part="does not run as root")
        else:
            self.run_refused("--user", "nobody", part="--user needs root")

    def test_no_user_namespaces_no_start(self):
        """A host without them, made of a namespace in which their limit is zero."""
        ran = self.dir / "ran"
        self.dir.chmod(0o777)
        script = ("import ctypes, os, sys\nctypes.CDLL(None).unshare(0x10000000)\nsys.stdin.readline()\n"
                  "open('/proc/sys/user/max_user_namespaces', 'w').write('0')\n")
        if ROOT_USER:
            script += "os.setgroups([]); os.setresgid(%d, %d, %d); os.setresuid(%d, %d, %d)\n" % ((NOBODY,) * 6)
        p = subprocess.Popen(["/usr/bin/python3", "-c", script + "os.execv(sys.argv[1], sys.argv[1:])\n", self.p.bartizan, "sandbox",
                              "run", "--profile", "generic", "--write", str(self.dir), "--", "/usr/bin/touch", str(ran)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/")
        wait_for(lambda: os.readlink("/proc/%d/ns/user" % p.pid) != os.readlink("/proc/self/ns/user"))
        ids = "0 %d 1\n" % os.geteuid() + ("%d %d 1\n" % (NOBODY, NOBODY) if ROOT_USER else "")
        pathlib.Path("/proc/%d/setgroups" % p.pid).write_text("allow" if ROOT_USER else "deny")
        for name in ("uid_map", "gid_map"):
            pathlib.Path("/proc/%d/%s" % (p.pid, name)).write_text(ids)
        out = p.communicate(b"\n", HANG_S)[0].decode()
        self.assertEqual(p.returncode, 2, out)
        self.assertIn("refused to start", out)
        self.assertFalse(ran.exists())


class Relay(Cages):
    SERVER = """
import http.server
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = b"x" * int(self.path[1:] or 0) if self.path[1:].isdigit() else b"ok"
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8080), H).serve_forever()
"""

    def test_a_server_that_speaks_tcp(self):
        self.start(profile="generic", words=["/usr/bin/python3", "-c", self.SERVER])
        self.assertTrue(get(self.socket, "/3000000").endswith(b"x" * 3000000))
        body = bytes(range(256)) * 4000
        reply = over_socket(self.socket, b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                            % (len(body), body))
        self.assertTrue(reply.endswith(body))
        with self.assertRaises(OSError): # nobody listens outside
            socket.create_connection(("127.0.0.1", 8080), 1).close()


CLIENT = """
import os, socket, sys, urllib.request
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "" # its own loopback is not the host's
kind, where = sys.argv[1:3]
try:
    if kind == "get":
        print("got", urllib.request.urlopen(where, timeout=5).read(100))
    else:
        host, port = where.rsplit(":", 1)
        socket.create_connection((host, int(port)), 3)
        print("connected")
except Exception as e:
    print("no:", getattr(e, "code", ""), e, getattr(e, "read", lambda: b"")())
"""


class Egress(Cages):
    def ask(self, rules, kind, where):
        log = self.dir / "egress.log"
        r = subprocess.run([self.p.bartizan, "sandbox", "run", "--quiet", "--profile", "generic", "--egress-log", str(log),
                            *[x for rule in rules for x in ("--egress", rule)], "--", "/usr/bin/python3", "-c", CLIENT, kind, where],
                           capture_output=True, text=True, timeout=HANG_S, cwd="/")
        lines = [json.loads(x) for x in log.read_text().splitlines()] if log.exists() else []
        log.unlink(missing_ok=True)
        return r.stdout + r.stderr, lines

    def test_only_what_a_rule_names(self):
        up = self.upstream(models=["m"])
        url = "http://127.0.0.1:%d/v1/models" % up.port
        out, log = self.ask(["127.0.0.1:%d:GET:private" % up.port], "get", url)
        self.assertIn("got b", out)
        self.assertEqual([(x["decision"], x["method"], x["port"], x["address"]) for x in log],
                         [("allow", "GET", up.port, "127.0.0.1")])
        out, log = self.ask(["127.0.0.1:%d:GET" % up.port], "get", url) # the same without "private"
        self.assertIn("no: 403", out)
        self.assertIn("loopback", log[0]["reason"])
        out, log = self.ask(["127.0.0.1:1:GET:private"], "get", url)
        self.assertEqual((log[0]["decision"], log[0]["reason"]), ("deny", "no rule allows this port of the host"))
        out, log = self.ask(["127.0.0.1:%d:POST:private" % up.port], "get", url)
        self.assertEqual(log[0]["reason"], "no rule allows this method there")
        out, log = self.ask(["example.org:80:GET"], "get", "http://169.254.169.254/latest/meta-data")
        self.assertEqual(log[0]["reason"], "no rule names this host")
        out, log = self.ask(["169.254.169.254:80:GET:private"], "get", "http://169.254.169.254/latest/meta-data")
        self.assertIn("metadata", log[0]["reason"])

    def test_a_tunnel_is_tls_for_that_host(self):
        up = self.upstream(models=["m"])
        script = ("import socket,sys\ns=socket.create_connection(('127.0.0.1',3128),5)\n"
                  "s.sendall(b'CONNECT localhost:%d HTTP/1.1\\r\\n\\r\\n')\nprint(s.recv(100))\n"
                  "s.sendall(%r)\nprint('rest', s.recv(100))\n")
        log = self.dir / "log"
        for hello, why in ((b"GET / HTTP/1.1\r\n\r\n", "a tunnel is for TLS only"),
                           (client_hello("other.example"), "the TLS server name is another than the host of the request")):
            r = subprocess.run([self.p.bartizan, "sandbox", "run", "--quiet", "--profile", "generic", "--egress-log", str(log),
                                "--egress", "localhost:%d:CONNECT:private" % up.port, "--", "/usr/bin/python3", "-c",
                                script % (up.port, hello)], capture_output=True, text=True, timeout=HANG_S, cwd="/")
            self.assertIn("200 Connection established", r.stdout + r.stderr)
            self.assertIn("rest b''", r.stdout, r.stderr)
            self.assertEqual([json.loads(x)["reason"] for x in log.read_text().splitlines()], [why])
            log.unlink()
        self.assertEqual(up.log, [])

    def test_no_other_way_out(self):
        up = self.upstream(models=["m"])
        out, _ = self.ask(["example.org:443"], "connect", "127.0.0.1:%d" % up.port)
        self.assertIn("no:", out)
        self.assertEqual(up.log, [])


def client_hello(name):
    n = name.encode()
    ext = b"\0\0" + (len(n) + 5).to_bytes(2, "big") + (len(n) + 3).to_bytes(2, "big") + b"\0" + len(n).to_bytes(2, "big") + n
    body = b"\3\3" + b"r" * 32 + b"\0" + b"\0\2\x13\1" + b"\1\0" + len(ext).to_bytes(2, "big") + ext
    return b"\x16\3\1" + (len(body) + 4).to_bytes(2, "big") + b"\1\0" + len(body).to_bytes(2, "big") + body


class OfAnInstance(Cages):
    """backends[].run"""

    def make(self, run, extra="", name="local", kind="llama.cpp"):
        holder = pathlib.Path(tempfile.mkdtemp(prefix="bz-", dir="/var/tmp"))
        wrap = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups"] if ROOT_USER else []
        if ROOT_USER:
            os.chown(holder, NOBODY, NOBODY)
        i = Caged(self.p.bartizan, holder, wrap, "  - {name: %s, type: %s, run: %s}\n" % (name, kind, json.dumps(run)), extra)
        self.addCleanup(i.close)
        self.addCleanup(shutil.rmtree, holder, True)
        return i

    def run_of(self, **more):
        return {"profile": "llama-server", "command": self.server_words(), "read": self.p.reads} | more

    def test_control_tokens_of_the_model_it_runs(self):
        """A server that shows no template: what the file that its command names says are the tokens of the model."""
        i = self.make(self.run_of(), kind="openai").start()
        i.served("tiny")

        def found():
            r = i.post("/v1/chat/completions", {"model": "tiny", "messages": [{"role": "user", "content": "a <|call|> b"}]})
            return r.code == "control_token_blocked" and "Found: model" in r.json["error"]["message"]
        wait_for(found)

    def test_started_served_probed_and_gone(self):
        i = self.make(self.run_of()).start()
        i.served("tiny")
        wait_for(lambda: i.chat("tiny", max_tokens=4).status == 200)
        result = json.loads((i.dir / "run" / "cage" / "local.probe.json").read_text())
        self.assertEqual((result["allowed"], result["unchecked"]), (0, 0))
        self.assertGreaterEqual(result["denied"], LEAST)
        status = json.loads(i.cli("status", i.dir, "--json"))
        self.assertIn('"backend local"', json.dumps(status))
        family = descendants(i.proc.pid)
        cage = [k for k in family if b"--backend" in pathlib.Path("/proc/%d/cmdline" % k).read_bytes()]
        os.kill(cage[0], signal.SIGKILL) # comes again
        wait_for(lambda: not alive(cage[0]))
        wait_for(lambda: i.chat("tiny", max_tokens=4).status == 200)
        family = descendants(i.proc.pid)
        i.proc.kill() # T2.5: kill -9 of the supervisor
        i.proc.wait()
        wait_for(lambda: not any(alive(k) for k in family))

    def test_a_leaking_cage_gets_no_requests(self):
        i = self.make(self.run_of(read=[*self.p.reads, "/var/lib"])).start()
        wait_for(lambda: (i.dir / "run" / "cage" / "local.probe.json").exists())
        wait_for(lambda: "leaks" in i.output())
        i.request("GET", "/v1/models")
        status = json.loads(i.cli("status", i.dir, "--json", ok=False).stdout)
        self.assertIn("unsafe", json.dumps(status))
        self.assertIn("an attempt to get out of its cage succeeded", json.dumps(status))
        i.write_config(i.config().replace('"llama-server", "command"', '"llama-server", "posture": "warn", "command"'))
        i.cli("reload", i.dir)
        wait_for(lambda: i.chat("tiny", max_tokens=4).status == 200)
        i.write_config(i.config())
        i.cli("reload", i.dir)
        r = wait_for(lambda: next((r for r in [i.chat("tiny", max_tokens=4)] if r.status == 503), None))
        self.assertEqual(r.code, "backend_unsafe")

    def test_development_and_production_share_nothing(self):
        cache = self.dir / "cache"
        cache.mkdir()
        if ROOT_USER:
            os.chown(cache, NOBODY, NOBODY)
        prod = self.make(self.run_of(write=[str(cache)]), "stage: production\n").start()
        wait_for(lambda: (cache / ".bartizan-owner").exists())
        dev = self.make(self.run_of(write=[str(cache)]), "stage: development\n")
        r = dev.once("sandbox", "run", "--instance", str(dev.dir), "--backend", "local")
        self.assertEqual(r.returncode, 2)
        self.assertIn("belongs to the instance %s (production)" % prod.dir, r.stderr)
        # a model where the other one's server may write
        model = cache / "x.gguf"
        shutil.copy2(self.p.model, model)
        dev = self.make({"profile": "llama-server", "command": [*self.p.command, "-m", str(model)], "read": self.p.reads})
        r = dev.once("sandbox", "run", "--instance", str(dev.dir), "--backend", "local")
        self.assertIn("the write path around a model", r.stderr)
        # its keys
        secret = prod.dir / "secrets" / "master.key"
        dev = self.make(self.run_of(secrets=["K=%s" % secret]))
        r = dev.once("sandbox", "run", "--instance", str(dev.dir), "--backend", "local")
        self.assertIn("keys are not shared between instances", r.stderr)
        # its socket
        dev = self.make(self.run_of())
        (dev.dir / "run" / "cage").mkdir(parents=True, exist_ok=True)
        (dev.dir / "run" / "cage" / "local").symlink_to(prod.dir / "run" / "cage" / "local")
        r = dev.once("sandbox", "run", "--instance", str(dev.dir), "--backend", "local")
        self.assertIn("sockets are not shared between instances", r.stderr)

    CALLER = """
import os, sys, time, urllib.request
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "" # its own loopback is not the host's
while True:
    for url in sys.argv[1:]:
        try:
            urllib.request.urlopen(url, timeout=5).read()
        except OSError:
            pass
    time.sleep(0.2)
"""

    def test_what_goes_out_stands_in_the_audit_log(self):
        up = self.upstream(models=["m"])
        good, bad = "http://127.0.0.1:%d/v1/models" % up.port, "http://127.0.0.1:1/"
        i = self.make({"profile": "generic", "command": ["/usr/bin/python3", "-c", "exec(%r)" % self.CALLER, bad, good],
                       "egress": ["127.0.0.1:%d:GET:private" % up.port]}).start()
        passed = lambda: (i.dir / "run" / "cage" / "egress.log").read_text().count('"allow"')
        egress = lambda: [r for r in i.export() if r["kind"] == "egress"]
        of = lambda reason: wait_for(lambda: next((r for r in egress() if r["reason"] == reason), None))
        begin, end, denied = of("egress_begin"), of("egress_end"), of("egress_denied")
        self.assertEqual((begin["decision"], begin["method"], begin["detail"]), ("allow", "GET", "127.0.0.1:%d" % up.port))
        self.assertEqual((end["peer"], end["request_bytes"] > 0, end["reply_bytes"] > 0), ("127.0.0.1", True, True))
        self.assertEqual((denied["decision"], denied["detail"]), ("refuse", "127.0.0.1:1: no rule allows this port of the host"))
        self.assertTrue(begin["principal"].startswith("bartizan-local-"))
        daemon = [k for k in descendants(i.proc.pid) if b"bartizand" in pathlib.Path("/proc/%d/cmdline" % k).read_bytes()]
        os.kill(daemon[0], signal.SIGSTOP) # nobody can record: nothing goes out
        try:
            time.sleep(6) # what was recorded before is over, and the first that was not
            seen = passed()
            time.sleep(1.5)
            self.assertEqual(passed(), seen)
        finally:
            os.kill(daemon[0], signal.SIGCONT)
        wait_for(lambda: passed() > seen)

    def test_not_as_root(self):
        if not ROOT_USER: # who cannot have an instance of root cannot become somebody else either
            self.refused("run", "--profile", "generic", "--user", "root", "--", "/usr/bin/true", part="--user needs root")
            return
        i = self.make(self.run_of())
        subprocess.run(["chown", "-R", "0:0", str(i.dir)], check=True)
        r = subprocess.run([self.p.bartizan, "up", str(i.dir)], capture_output=True, text=True, timeout=HANG_S)
        self.assertEqual(r.returncode, 2)
        self.assertIn("the instance belongs to root", r.stderr)


class Caged(Instance):
    def __init__(self, program, holder, wrap, backends, extra):
        self.wrap0 = wrap
        self.holder = holder
        self.dir = holder / "i"
        self.port = free_port()
        self.env = dict(os.environ)
        self.wrap = wrap
        self.program = program
        self.proc = None
        self.users = set()
        self.settings = {"listen": "127.0.0.1:%d" % self.port, "workers": "1"}
        self.extra, self.backends = extra, backends
        first = json.loads(self.once("init", str(self.dir), "--backend", "x=openai=http://127.0.0.1:9", "--listen",
                                     self.settings["listen"], "--json", ok=True).stdout)
        self.admin, self.key, self.ca = first["admin"], first["key"], first["ca"]
        self.write_config()

    def once(self, *args, ok=False):
        r = subprocess.run([*self.wrap0, self.program, *args], capture_output=True, text=True, timeout=HANG_S, cwd="/")
        if ok and r.returncode != 0:
            raise AssertionError(r.stdout + r.stderr)
        return r

    def write_config(self, text=None):
        super().write_config(text)
        if ROOT_USER:
            os.chown(self.dir / "bartizan.yaml", NOBODY, NOBODY)
