"""nginx with the module, on files made by mkinstance, without any daemon of Bartizan: every moment is under control.

BZ_MKINSTANCE, BZ_MODULE, BZ_NGINX, BZ_AUDITD name the binaries."""
import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

MKINSTANCE = os.environ.get("BZ_MKINSTANCE", "build/src/nginx/mkinstance")
MODULE = os.environ.get("BZ_MODULE", "build/ngx_http_bartizan_module.so")
AUDITD = os.environ.get("BZ_AUDITD", "build/bartizan-auditd")
NGINX = os.environ.get("BZ_NGINX", "/usr/sbin/nginx")
# No test says how fast something is: what should happen has this long, and then it is a hang.
HANG_S = 60


def free_port():
    """Below the range that outgoing connections take theirs from: none of them gets it before the server does."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        top = max(int(f.read().split()[0]), 12000)
    while True:
        with socket.socket() as s, contextlib.suppress(OSError):
            port = random.randrange(10000, top)
            s.bind(("127.0.0.1", port))
            return port


def nginx_version():
    text = subprocess.run([NGINX, "-v"], capture_output=True, text=True).stderr
    a, b, c = text.split("nginx/")[1].split()[0].split(".")
    return int(a) * 1000000 + int(b) * 1000 + int(c)


def make_cert(directory):
    """A self-signed certificate for localhost; server.pem and server.key."""
    os.makedirs(directory, exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", directory + "/server.key", "-out", directory + "/server.pem", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)


def wait_for(what):
    """Whether `what` came true; never is a hang."""
    end = time.monotonic() + HANG_S
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.01)
    return False


def read_until(s, whole):
    """What a socket gives until `whole` says that it is all, or the other side ends it."""
    out, end = b"", time.monotonic() + HANG_S
    try:
        while not whole(out):
            if time.monotonic() > end:
                raise TimeoutError
            d = s.recv(65536)
            if not d:
                break
            out += d
    except TimeoutError:
        raise AssertionError("a hang: no end after %r" % out[-200:]) from None
    return out


def ended(out):
    """A chunked reply's end."""
    return out.endswith(b"0\r\n\r\n")


def chat(what="", stream=False, **more):
    return json.dumps({"model": "tiny", "stream": stream, "messages": [{"role": "user", "content": "do:" + what}],
                       **more}, separators=(",", ":"))


class Instance:
    def __init__(self, backends, *options, drain=(), tls=False):
        self.dir = tempfile.mkdtemp(prefix="bz-nginx-")
        self.port = free_port()
        self.options = [f"listen=127.0.0.1:{self.port}", f"module={os.path.abspath(MODULE)}", f"nginx={nginx_version()}",
                        *(f"backend=llama.cpp,{u},tiny" for u in backends), *options, *(["tls"] if tls else [])]
        if tls:
            make_cert(self.dir + "/tls")
        self.key = subprocess.run([MKINSTANCE, "make", self.dir, *self.options], check=True, capture_output=True,
                                  text=True).stdout.strip()
        self.drainer = None
        if drain is not None:
            self.drain(*drain)
        self.start()

    def nginx_args(self):
        return [NGINX, "-p", self.dir + "/nginx/", "-c", self.dir + "/nginx/nginx.conf", "-e",
                self.dir + "/nginx/error.log"]

    def start(self):
        env = dict(os.environ)
        if "BZ_PRELOAD" in env:  # the runtime of a module that was built with sanitizers; nginx itself was not
            env["LD_PRELOAD"] = env["BZ_PRELOAD"]
        self.nginx = subprocess.Popen(self.nginx_args(), env=env)
        if not wait_for(self.up):
            raise RuntimeError("nginx does not start: " + self.errors())

    def up(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def errors(self):
        try:
            with open(self.dir + "/nginx/error.log") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def drain(self, *options):
        """The other side of the audit ring: mkinstance's stand-in, or ("auditd",) for the real one."""
        self.stop_drain()
        if options == ("auditd",):
            rd, wr = os.pipe()
            self.drainer = subprocess.Popen([AUDITD, self.dir, "--ready-fd", str(wr)], pass_fds=[wr])
            os.close(wr)
            os.read(rd, 2)
            os.close(rd)
            return
        self.drainer = subprocess.Popen([MKINSTANCE, "drain", self.dir, *options], stdout=subprocess.PIPE)
        self.drainer.stdout.readline()

    def stop_drain(self):
        if self.drainer:
            self.drainer.kill()
            self.drainer.wait()
            if self.drainer.stdout:
                self.drainer.stdout.close()
            self.drainer = None

    def publish(self, generation, *options):
        subprocess.run([MKINSTANCE, "publish", self.dir, str(generation), *self.options, *options], check=True)

    def records(self):
        with open(self.dir + "/audit.jsonl") as f:
            return [json.loads(line) for line in f]

    def ring(self):
        """(records put, records durable)"""
        out = subprocess.run([MKINSTANCE, "ring", self.dir], check=True, capture_output=True, text=True).stdout
        return tuple(int(x) for x in out.split())

    def workers(self):
        out = subprocess.run(["pgrep", "-P", str(self.nginx.pid)], capture_output=True, text=True).stdout
        return [int(p) for p in out.split()]

    def stop(self, sig=signal.SIGTERM):
        if self.nginx.poll() is None:
            self.nginx.send_signal(sig)
            self.nginx.wait(HANG_S)
        time.sleep(0.05)
        self.stop_drain()
        text = self.errors()
        shutil.rmtree(self.dir)
        return text

    # ---- client side ----

    def request(self, body=None, method=None, path="/v1/chat/completions", headers=None, timeout=HANG_S, conn=None):
        c = conn or http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        h = {"Authorization": "Bearer " + self.key, "Content-Type": "application/json"}
        h.update(headers or {})
        c.request(method or ("POST" if body is not None else "GET"), path, body, {k: v for k, v in h.items() if v})
        r = c.getresponse()
        data = r.read()
        if conn is None:
            c.close()
        return r.status, dict((k.lower(), v) for k, v in r.getheaders()), data

    def raw(self, data, half_close=False):
        """Sends bytes as they are; everything that comes until the gateway ends the connection."""
        out = b""
        with socket.create_connection(("127.0.0.1", self.port), HANG_S) as s:
            try:
                s.sendall(data)
                if half_close:
                    s.shutdown(socket.SHUT_WR)
                while b := s.recv(65536):
                    out += b
            except TimeoutError:
                raise AssertionError("a hang: the connection stays open after %r" % out[:200]) from None
            except ConnectionError:
                pass
        return out

    def open(self, body, receive_buffer=0):
        s = socket.socket()
        s.settimeout(HANG_S)
        if receive_buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        s.connect(("127.0.0.1", self.port))
        s.sendall(self.head(len(body)) + body.encode())
        return s

    def head(self, length, extra=""):
        return (f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {length}\r\n{extra}\r\n").encode()
