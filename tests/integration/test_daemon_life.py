"""A whole instance: up, status, keys and users, reload, deaths of its parts, certificates, down."""
import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

from harness import BARTIZAN, BUILD, HANG_S, Instance, alive, backend, descendants, wait_for


class Tiny(http.server.BaseHTTPRequestHandler):
    """A model server that knows its list and one answer."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass # the check gave up on us

    def reply(self, status, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self): # noqa: N802
        self.server.asked.append((self.path, dict(self.headers)))
        self.reply(self.server.status, self.server.listing if self.server.listing is not None else
                   {"object": "list", "data": [{"id": m} for m in self.server.models]})

    def do_POST(self): # noqa: N802
        self.rfile.read(int(self.headers["Content-Length"]))
        self.reply(200, {"id": "c", "object": "chat.completion", "created": 1, "model": "tiny",
                         "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
                         "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})


class Server:
    def __init__(self, *models, port=0):
        self.s = http.server.ThreadingHTTPServer(("127.0.0.1", port), Tiny)
        self.s.models, self.s.status, self.s.listing, self.s.asked = list(models), 200, None, []
        self.s.daemon_threads = True
        self.port = self.s.server_address[1]
        self.url = "http://127.0.0.1:%d" % self.port
        threading.Thread(target=self.s.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.s.shutdown()
        self.s.server_close()


class Case(unittest.TestCase):
    """One instance and one backend for a class; each test leaves both as they were."""
    models = ("tiny",)

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.models)
        cls.i = Instance([backend("one", "openai", cls.server.url)]).start()
        cls.i.served("tiny")

    @classmethod
    def tearDownClass(cls):
        cls.i.close()
        cls.server.close()

    def status(self):
        return json.loads(self.i.cli("status", self.i.dir, "--json", ok=False).stdout)

    def new_key(self, user, **options):
        """A further key of a user who is there."""
        args = [x for k, v in options.items() for x in ("--" + k, v)]
        return json.loads(self.i.cli("key", "create", self.i.dir, "--user", user, *args, "--json"))

    def key_ids(self):
        return {k["id"] for k in json.loads(self.i.cli("key", "list", self.i.dir, "--json"))["keys"]}

    def ids(self, key="user"):
        return [m["id"] for m in self.i.get("/v1/models", key=key).json["data"]]


class Keys(Case):
    def test_life_of_a_key(self):
        self.i.cli("user", "add", self.i.dir, "ann")
        begin = int(time.time())
        made = self.new_key("ann", expires="90d")
        end = time.time()
        self.assertEqual(self.i.chat("tiny", key=made["key"]).status, 200)
        listed = json.loads(self.i.cli("key", "list", self.i.dir, "--json"))["keys"]
        mine = next(k for k in listed if k["id"] == made["id"])
        self.assertEqual((mine["user"], mine["role"], mine["revoked"]), ("ann", "user", False))
        self.assertTrue(begin <= mine["expires"] - 90 * 86400 <= end + 1, mine)
        self.assertNotIn(made["key"][16:], json.dumps(listed))
        self.i.revoke(made["id"])
        wait_for(lambda: self.i.chat("tiny", key=made["key"]).status == 401)
        listed = json.loads(self.i.cli("key", "list", self.i.dir, "--json"))["keys"]
        self.assertTrue(next(k for k in listed if k["id"] == made["id"])["revoked"])

    def test_rotation_overlaps(self):
        self.i.cli("user", "add", self.i.dir, "rob")
        old = self.new_key("rob", routes="models")
        new = json.loads(self.i.cli("key", "rotate", self.i.dir, old["id"], "--overlap", "5s", "--json"))
        self.assertEqual(self.i.get("/v1/models", key=old["key"]).status, 200)
        self.assertEqual(self.i.get("/v1/models", key=new["key"]).status, 200)
        self.assertEqual(self.i.chat("tiny", key=new["key"]).status, 403) # the new key has the old one's limits
        wait_for(lambda: self.i.get("/v1/models", key=old["key"]).status == 401)
        self.assertEqual(self.i.get("/v1/models", key=new["key"]).status, 200)

    def test_disabled_user(self):
        self.i.cli("user", "add", self.i.dir, "eve")
        made = self.new_key("eve")
        self.assertEqual(self.i.get("/v1/models", key=made["key"]).status, 200)
        self.i.cli("user", "disable", self.i.dir, "eve")
        wait_for(lambda: self.i.get("/v1/models", key=made["key"]).status == 401)
        self.assertEqual(self.i.cli("key", "create", self.i.dir, "--user", "eve", ok=False).returncode, 2)
        self.i.cli("user", "enable", self.i.dir, "eve")
        wait_for(lambda: self.i.get("/v1/models", key=made["key"]).status == 200)

    def test_refusals(self):
        self.i.cli("user", "add", self.i.dir, "max")
        for args, want in [(["--user", "nobody"], "no user"), (["--user", "max", "--role", "admin"], "no administrator"),
                           (["--user", "max", "--role", "king"], "no role"), (["--user", "max", "--routes", "chta"], "routes"),
                           (["--user", "max", "--models", "a b"], "models"), (["--user", "max", "--expires", "2001-01-01"], "future"),
                           (["--user", "max", "--expires", "soon"], "duration"), (["--user", "max", "--concurrent", "x"], "number"),
                           (["--user", "max", "--body-max", "1023"], "limits"), (["--user", "max", "--body-max", "67108865"], "limits")]:
            r = self.i.cli("key", "create", self.i.dir, *args, ok=False)
            self.assertEqual(r.returncode, 2, args)
            self.assertIn(want, r.stderr)
        for name in ("a b", "", "../x", "x" * 65, "\x1b[1m"):
            self.assertEqual(self.i.cli("user", "add", self.i.dir, name, ok=False).returncode, 2)
        self.assertEqual(self.i.cli("user", "add", self.i.dir, "max", ok=False).returncode, 2)
        self.assertEqual(self.i.cli("key", "revoke", self.i.dir, "zzzzzzzzzzzz", ok=False).returncode, 2)

    def test_scopes_and_explanation(self):
        self.i.cli("user", "add", self.i.dir, "sam")
        made = self.new_key("sam", routes="models", models="other*")
        self.assertEqual(self.ids(made["key"]), [])
        e = json.loads(self.i.cli("policy", "explain", self.i.dir, "--key", made["id"], "--json"))
        self.assertEqual((e["user"], e["role"], e["models"]), ("sam", "user", []))
        chat = next(r for r in e["routes"] if r["path"] == "/v1/chat/completions")
        self.assertFalse(chat["allowed"])
        self.assertTrue(chat["code"])
        self.assertEqual(self.i.cli("policy", "explain", self.i.dir, "--key", "zzzzzzzzzzzz", ok=False).returncode, 2)

    def test_every_change_is_in_the_log(self):
        self.i.cli("user", "add", self.i.dir, "log")
        made = self.new_key("log")
        self.i.revoke(made["id"])

        def recorded():
            text = self.i.cli("audit", "tail", self.i.dir, "--json")
            return all(w in text for w in ("user.add", "key.create", "key.revoke", made["id"]))
        wait_for(recorded)


class AdminSocket(Case):
    def call(self, method, path, body=b"", headers=""):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(HANG_S)
        s.connect(str(self.i.dir / "run/admin.sock"))
        s.sendall(("%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n" %
                   (method, path, len(body), headers)).encode() + body)
        data = b""
        while True:
            d = s.recv(65536)
            if not d:
                break
            data += d
        s.close()
        head, _, rest = data.partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]), json.loads(rest)

    def test_bad_calls(self):
        for method, path, body, want in [
                ("GET", "/nowhere", b"", 404), ("DELETE", "/v1/keys", b"", 405), ("POST", "/v1/keys", b"{", 400),
                ("POST", "/v1/keys", b"[]", 400), ("POST", "/v1/keys", b"{}", 400), ("POST", "/v1/keys", b'{"user":7}', 400),
                ("POST", "/v1/keys", b'{"user":"user","surprise":1}', 400), ("POST", "/v1/keys", b'{"user":"user","user":"x"}', 400),
                ("POST", "/v1/keys", b'{"user":"user","expires":-1}', 400), ("POST", "/v1/keys", b'{"user":"user","limits":{"x":1}}', 400),
                ("POST", "/v1/keys/a/b/revoke", b"", 404), ("POST", "/v1/keys//revoke", b"", 404),
                ("POST", "/v1/keys/" + "x" * 200 + "/revoke", b"", 404), ("GET", "/v1/status?x=1", b"", 400),
                ("POST", "/v1/keys", b'{"user":"' + b"x" * 300000 + b'"}', 413), ("POST", "/v1/explain", b"{}", 400)]:
            status, answer = self.call(method, path, body)
            self.assertEqual(status, want, (method, path, body[:80]))
            self.assertTrue(answer["error"]["code"] and answer["error"]["message"])
        self.assertEqual(self.call("GET", "/v1/status")[0], 200)

    def test_other_users_are_refused(self):
        if os.geteuid() != 0:
            self.assertEqual(os.stat(self.i.dir / "run").st_mode & 0o077, 0)
            return
        # the directory keeps others out; even with a way in, the daemon asks who it is
        sock = self.i.dir / "run/admin.sock"
        code = ("import os,socket;s=socket.socket(socket.AF_UNIX);f=os.open(%r,os.O_PATH);os.setgid(65534);os.setuid(65534);"
                "s.connect('/proc/self/fd/%%d'%%f)" % str(sock))
        r = subprocess.run(["python3", "-c", code], capture_output=True, text=True)
        self.assertIn("Permission", r.stderr)
        sock.chmod(0o666)
        try:
            code = code.replace("s.connect", "s.settimeout(60);s.connect") + (
                ";s.sendall(b'GET /v1/status HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n');print(s.recv(4096))")
            r = subprocess.run(["python3", "-c", code], capture_output=True, text=True)
            self.assertIn("403", r.stdout, r.stderr)
        finally:
            sock.chmod(0o600)


class Backends(Case):
    def tearDown(self):
        self.server.s.listing, self.server.s.status, self.server.s.models = None, 200, ["tiny"]
        wait_for(lambda: self.status()["well"] and self.ids() == ["tiny"])

    def test_list_follows_the_backend(self):
        self.server.s.models = ["tiny", "new/model:1b"]
        wait_for(lambda: "new/model:1b" in self.ids())
        listed = json.loads(self.i.cli("model", "list", self.i.dir, "--json"))["models"]
        self.assertEqual([m["backends"] for m in listed if m["name"] == "new/model:1b"], [["one"]])
        self.server.s.models = ["tiny"]
        wait_for(lambda: "new/model:1b" not in self.ids())

    def test_hostile_lists_change_nothing(self):
        for listing in (b"", b"<html>", b'{"data":{}}', b'{"data":[]', b'{"data":[{"id":"a\\u0000b"}]}', b"[" * 5000,
                        b'{"data":[{"id":"x"}]}' + b" " * (5 << 20)):
            self.server.s.listing, n = listing, len(self.server.s.asked)
            wait_for(lambda: len(self.server.s.asked) > n + 1)
            self.assertEqual(self.ids(), ["tiny"], listing[:40])
        self.server.s.listing = {"data": [{"id": "tiny"}, {"id": "a b"}, {"id": "\x1b[31m"}, {"id": "x" * 300}]}
        wait_for(lambda: "some of its model names" in self.status()["daemon"]["backends"][0]["why"])
        self.assertEqual(self.ids(), ["tiny"])

    def test_host_names_and_unix_sockets(self):
        """A name is resolved by the check, a socket needs nothing of the kind."""
        path = self.i.holder / "m.sock"
        u = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tiny, bind_and_activate=False)
        u.socket.close()
        u.socket = socket.socket(socket.AF_UNIX)
        u.socket.bind(str(path))
        u.socket.listen()
        u.get_request = lambda: (u.socket.accept()[0], ("unix", 0))
        u.models, u.status, u.listing, u.asked, u.daemon_threads = ["by-socket"], 200, None, [], True
        threading.Thread(target=u.serve_forever, args=(0.02,), daemon=True).start()
        n = Server("by-name")
        try:
            self.i.extra = backend("sock", "openai", "unix:%s" % path)
            self.i.extra += backend("name", "openai", "http://model.localhost:%d" % n.port)
            self.i.write_config()
            self.i.cli("reload", self.i.dir)
            for model in ("by-socket", "by-name"):
                self.i.served(model)
                wait_for(lambda: self.i.chat(model).status == 200)
        finally:
            self.i.extra = ""
            self.i.write_config()
            self.i.cli("reload", self.i.dir)
            n.close()
            u.shutdown()
            u.server_close()

    def test_down_and_up_again(self):
        self.server.s.status = 503
        wait_for(lambda: self.status()["daemon"]["backends"][0]["health"] == "down")
        self.assertFalse(self.status()["well"])
        self.assertEqual(self.i.chat("tiny").status, 503)
        self.server.s.status = 200
        wait_for(lambda: self.status()["well"])
        wait_for(lambda: self.i.chat("tiny").status == 200)


class Reload(Case):
    def tearDown(self):
        self.i.extra = ""
        self.i.write_config()
        self.i.cli("reload", self.i.dir)

    def test_bad_configuration_keeps_the_old_one(self):
        before = self.status()["daemon"]["generation"]
        self.i.write_config("version: 1\nlisten: nonsense\n")
        r = self.i.cli("reload", self.i.dir, ok=False)
        self.assertEqual(r.returncode, 1)
        self.assertRegex(r.stderr, r"bartizan.yaml:2:\d+: listen")
        self.assertEqual(self.i.chat("tiny").status, 200)
        self.assertEqual(self.status()["daemon"]["generation"], before)
        # a signal from elsewhere (a service manager) comes to the same end
        self.i.proc.send_signal(signal.SIGHUP)
        wait_for(lambda: self.status()["supervisor"]["reload"]["ok"] is False)
        self.assertEqual(self.i.chat("tiny").status, 200)

    def test_missing_credential_file_is_refused_whole(self):
        self.i.extra = backend("two", "openai", self.server.url, key_file="secrets/none.key").lstrip("\n")
        self.i.write_config()
        r = self.i.cli("reload", self.i.dir, ok=False)
        self.assertEqual(r.returncode, 1)
        self.assertIn("key_file", r.stderr)
        self.assertEqual(len(self.status()["daemon"]["backends"]), 1)

    def test_backend_with_credential_comes_and_goes(self):
        other = Server("tiny", "second")
        try:
            (self.i.dir / "secrets/two.key").write_text("sk-secret-two\n")
            self.i.extra = backend("two", "openai", other.url, key_file="secrets/two.key")
            self.i.write_config()
            self.i.cli("reload", self.i.dir)
            self.i.served("second")
            self.assertEqual(other.s.asked[-1][1]["Authorization"], "Bearer sk-secret-two")
            self.assertNotIn("sk-secret-two", self.i.output() + json.dumps(self.status()))
            self.i.extra = ""
            self.i.write_config()
            self.i.cli("reload", self.i.dir)
            wait_for(lambda: self.ids() == ["tiny"])
            self.assertEqual(self.i.chat("tiny").status, 200)
        finally:
            other.close()

    def test_aliases_and_roles(self):
        self.i.extra = ("models:\n  - {name: assistant, target: tiny}\n"
                        "roles:\n  - {name: narrow, routes: [chat, models], models: [assistant]}\n")
        self.i.write_config()
        self.i.cli("reload", self.i.dir)
        self.i.served("assistant")
        self.i.cli("user", "add", self.i.dir, "nina", "--role", "narrow")
        key = self.new_key("nina")["key"]
        self.assertEqual(self.ids(key), ["assistant"])
        self.assertEqual(self.i.chat("assistant", key=key).status, 200)
        self.assertEqual(self.i.chat("tiny", key=key).status, 404)


class Deaths(Case):
    def test_each_part_comes_back(self):
        for part in ("bartizan-auditd", "bartizand", "nginx", "worker"):
            with self.subTest(part):
                killed = self.i.kill(part)
                self.assertTrue(killed)
                wait_for(self.works)
                wait_for(lambda: self.status()["well"])
                self.assertFalse(set(killed) & set(self.i.processes(part)))
        kids = {c["name"]: c["restarts"] for c in self.status()["supervisor"]["children"]}
        self.assertTrue(all(n >= 1 for n in kids.values()), kids)

    def test_keys_work_while_bartizand_is_away(self):
        pid = self.i.processes("bartizand")[0]
        os.kill(pid, signal.SIGSTOP)
        try:
            self.assertEqual(self.i.chat("tiny").status, 200)
        finally:
            os.kill(pid, signal.SIGCONT)

    def test_generation_never_goes_back(self):
        before = self.status()["daemon"]["generation"]
        self.i.kill("bartizand")
        wait_for(lambda: self.status().get("daemon", {}).get("generation", 0) > before)

    def test_bartizand_comes_back_while_the_file_is_bad(self):
        self.i.write_config("version: 1\nlisten: half a li")
        try:
            self.i.kill("bartizand")
            wait_for(lambda: self.status()["well"])
            key = self.new_key("user")["key"]
            self.assertEqual(self.i.chat("tiny", key=key).status, 200)
        finally:
            self.i.write_config()

    def test_nothing_is_granted_without_the_log(self):
        made = self.new_key("user")
        before = self.key_ids()
        pid = self.i.processes("bartizan-auditd")[0]
        os.kill(pid, signal.SIGSTOP)
        try:
            r = self.i.cli("key", "create", self.i.dir, "--user", "user", ok=False)
            self.assertEqual(r.returncode, 2)
            self.assertIn("nothing was changed", r.stderr)
            r = self.i.cli("key", "revoke", self.i.dir, made["id"], ok=False) # taking away always works
            self.assertEqual(r.returncode, 0, r.stderr)
            self.assertIn("could not confirm", r.stderr)
        finally:
            os.kill(pid, signal.SIGCONT)
        self.assertEqual(self.i.get("/v1/models", key=made["key"]).status, 401)
        self.assertEqual(self.key_ids(), before)
        wait_for(self.works)
        wait_for(lambda: made["id"] in self.i.cli("audit", "export", self.i.dir).split("key.revoke")[-1])

    def test_each_daemon_comes_back_after_a_good_run(self):
        for part in ("bartizan-auditd", "bartizand"):
            time.sleep(1.1) # a good run: no backing off
            self.i.kill(part)
            wait_for(lambda: self.i.processes(part))

    def test_storm_of_deaths(self):
        for n in range(12):
            self.i.kill(("bartizan-auditd", "bartizand", "nginx")[n % 3])
            time.sleep(0.15)
        wait_for(self.works)
        wait_for(lambda: self.status()["well"])
        self.i.cli("audit", "verify", self.i.dir)

    def works(self):
        """the gateway to forward again"""
        try:
            return self.i.chat("tiny").status == 200
        except (OSError, http.client.HTTPException):
            return False


class Life(unittest.TestCase):
    def setUp(self):
        self.server = Server("tiny")
        self.i = Instance([backend("one", "openai", self.server.url)])

    def tearDown(self):
        self.i.close()
        self.server.close()

    def test_starts_fast_even_with_a_dead_backend(self):
        self.i.backends += backend("dead", "openai", "http://127.0.0.1:9")
        self.i.backends += backend("nowhere", "openai", "http://no-such-host.invalid:80")
        self.i.write_config()
        self.i.cli("up", self.i.dir, "--detach")
        try:
            self.i.proc = None
            self.assertEqual(self.i.chat("tiny").status, 200)
        finally:
            self.i.cli("down", self.i.dir)

    def test_detach_status_down(self):
        out = self.i.cli("up", self.i.dir, "--detach")
        self.assertIn("https://127.0.0.1:%d" % self.i.port, out)
        self.assertIn("--cacert", out)
        s = json.loads(self.i.cli("status", self.i.dir, "--json"))
        self.assertTrue(s["up"])
        pid = s["supervisor"]["pid"]
        family = descendants(pid)
        r = self.i.cli("up", self.i.dir, ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("already up (pid %d)" % pid, r.stderr)
        self.i.cli("down", self.i.dir)
        self.assertFalse([p for p in [pid] + family if alive(p)])
        self.assertEqual(self.i.cli("status", self.i.dir, ok=False).returncode, 1)

    def test_ctrl_c_stops_everything(self):
        self.i.start()
        family = descendants(self.i.proc.pid)
        self.i.proc.send_signal(signal.SIGINT)
        self.assertEqual(self.i.proc.wait(HANG_S), 0)
        wait_for(lambda: not [p for p in family if alive(p)])

    def test_killed_supervisor_takes_all_with_it_and_starts_again(self):
        self.i.start()
        family = descendants(self.i.proc.pid)
        self.i.proc.kill()
        self.i.proc.wait(HANG_S)
        self.i.start() # at once: waits for the old ones
        self.assertFalse([p for p in family if alive(p)])
        self.i.served("tiny")
        self.assertEqual(self.i.chat("tiny").status, 200)

    def test_port_in_use(self):
        s = socket.socket()
        s.bind(("127.0.0.1", self.i.port))
        s.listen()
        r = self.i.cli("up", self.i.dir, ok=False)
        s.close()
        self.assertEqual(r.returncode, 2)
        self.assertIn("in use by another program", r.stderr)

    def test_nginx_says_why(self):
        (self.i.dir / "tls/server.pem").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
        self.i.settings["tls"] = "{certificate: tls/own.pem, key: tls/own.key}"
        self.i.write_config()
        r = self.i.cli("up", self.i.dir, ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("own.pem", r.stderr)
        self.assertFalse(self.i.cli("status", self.i.dir, ok=False).returncode == 0)

    def test_certificates_are_read_again(self):
        self.i.start()
        old = self.peer()
        for f in ("server.key", "server.pem"):
            shutil.copy(self.i.dir / "tls" / f, self.i.holder / f)
        # as an operator's own tool does it: key and certificate one after the other
        text = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90",
                               "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                               "-keyout", self.i.holder / "k.pem", "-out", self.i.holder / "c.pem"], capture_output=True, text=True)
        self.assertEqual(text.returncode, 0, text.stderr)
        os.replace(self.i.holder / "k.pem", self.i.dir / "tls/server.key")
        time.sleep(1.2)
        os.replace(self.i.holder / "c.pem", self.i.dir / "tls/server.pem")
        wait_for(lambda: self.peer() != old)

    def peer(self):
        r = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % self.i.port], input=b"", capture_output=True)
        x = subprocess.run(["openssl", "x509", "-noout", "-fingerprint"], input=r.stdout, capture_output=True)
        return x.stdout

    def test_short_certificate_is_renewed_at_start(self):
        ext = self.i.holder / "e.cnf"
        ext.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        tls = self.i.dir / "tls"
        for cmd in (["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                     "-keyout", tls / "server.key", "-out", self.i.holder / "r.pem"],
                    ["openssl", "x509", "-req", "-in", self.i.holder / "r.pem", "-CA", tls / "ca.pem", "-CAkey", tls / "ca.key",
                     "-CAcreateserial", "-days", "5", "-extfile", ext, "-out", tls / "server.pem"]):
            r = subprocess.run(cmd, capture_output=True, text=True)
            self.assertEqual(r.returncode, 0, r.stderr)
        self.i.start()
        r = subprocess.run(["openssl", "x509", "-in", tls / "server.pem", "-noout", "-checkend", str(300 * 86400)], capture_output=True)
        self.assertEqual(r.returncode, 0)
        self.assertEqual(self.i.get("/health", key=None).status, 200)

    def test_rights_are_gone(self):
        self.i.start()
        for part in ("bartizand", "bartizan-auditd", "nginx"):
            for pid in self.i.processes(part):
                status = pathlib.Path("/proc/%d/status" % pid).read_text()
                self.assertIn("NoNewPrivs:\t1", status)
                self.assertIn("CapEff:\t0000000000000000", status)
                self.assertIn("CapBnd:\t" if os.geteuid() else "CapBnd:\t0000000000000000", status)

    def test_nobody_dumps_core(self):
        self.i.start()
        for part in ("bartizand", "bartizan-auditd", "nginx", "worker"):
            pids = self.i.processes(part)
            self.assertTrue(pids, part)
            for pid in pids:
                limits = pathlib.Path("/proc/%d/limits" % pid).read_text()
                line = next(x for x in limits.splitlines() if x.startswith("Max core file size"))
                self.assertEqual(line.split()[4:6], ["0", "0"], part)


def programs_for_everybody(holder):
    """bartizan where any user may run it: a build in a private directory, /root for one, is copied out of it."""
    if all(p.stat().st_mode & 1 for p in (BUILD, *BUILD.parents)):
        return BARTIZAN
    out = holder / "programs"
    for name in ("bartizan", "bartizan-cli", "bartizand", "bartizan-auditd", "ngx_http_bartizan_module.so", "deps/root/usr/sbin/nginx"):
        if (BUILD / name).exists():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(BUILD / name, out / name)
    subprocess.run(["chmod", "-R", "a+rX", str(out)], check=True)
    return str(out / "bartizan")


class Owner(unittest.TestCase):
    def test_runs_as_the_owner_of_the_directory(self):
        """As root: `up` becomes the owner. As somebody else: it is the owner already."""
        server = Server("tiny")
        i = Instance([backend("one", "openai", server.url)])
        try:
            uid = os.geteuid()
            if uid == 0:
                uid = 65534
                os.chmod(i.holder, 0o755)
                i.program = programs_for_everybody(i.holder)
                for root, dirs, files in os.walk(i.dir):
                    for name in dirs + files + [""]:
                        os.chown(os.path.join(root, name), uid, 65534)
            i.start()
            i.served("tiny")
            self.assertEqual(i.chat("tiny").status, 200)
            for part in ("bartizand", "bartizan-auditd", "nginx", "worker"):
                for pid in i.processes(part):
                    self.assertEqual(self.uid(pid), uid, part)
            for part in ("bartizand", "bartizan-auditd", "worker"): # not dumpable: the kernel gives their /proc entries to root
                for pid in i.processes(part):
                    self.assertEqual(os.stat("/proc/%d/environ" % pid).st_uid, 0, part)
            i.cli("user", "add", i.dir, "ann") # root may speak to the socket of another user
            if os.geteuid() == 0:
                r = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", i.program, "key", "list", str(i.dir)],
                                   capture_output=True, text=True)
                self.assertEqual(r.returncode, 0, r.stderr)
        finally:
            i.close()
            server.close()

    @staticmethod
    def uid(pid):
        text = pathlib.Path("/proc/%d/status" % pid).read_text()
        return int(next(x for x in text.splitlines() if x.startswith("Uid:")).split()[1])

    def test_strangers_are_refused(self):
        if os.geteuid() != 0:
            return
        i = Instance([backend("one", "openai", "http://127.0.0.1:9")])
        try:
            os.chmod(i.holder, 0o755)
            os.chmod(i.dir, 0o755)
            r = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                                programs_for_everybody(i.holder), "up", str(i.dir)], capture_output=True, text=True)
            self.assertEqual(r.returncode, 2)
            self.assertIn("belongs to another user", r.stderr)
        finally:
            i.close()


if __name__ == "__main__":
    unittest.main()
