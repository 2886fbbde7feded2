"""The command line: help, errors with the nearest word, init as a whole or not at all, policy check and explain."""
import json
import os
import pathlib
import shutil
import ssl
import stat
import subprocess
import tempfile
import unittest

from harness import BARTIZAN, free_port

COMMANDS = ["init", "up", "down", "reload", "status", "user", "key", "policy", "model", "audit",
            "data", "master", "backup", "dlp"]
GROUPS = {"user": ["add", "list", "disable", "enable"], "key": ["create", "list", "revoke", "rotate"],
          "policy": ["check", "explain"], "model": ["list"]}


def run(*args, **kw):
    return subprocess.run([BARTIZAN] + [str(a) for a in args], capture_output=True, text=True, timeout=60, **kw)


class Words(unittest.TestCase):
    def test_help_names_every_command(self):
        r = run("--help")
        self.assertEqual(r.returncode, 0)
        for c in COMMANDS:
            self.assertIn("\n  %s " % c, r.stdout)

    def test_every_command_has_help(self):
        for c in COMMANDS:
            for sub in [[c]] + [[c, s] for s in GROUPS.get(c, [])]:
                r = run(*sub, "--help")
                self.assertEqual(r.returncode, 0, sub)
                self.assertIn("usage: bartizan " + c, r.stdout)

    def test_version(self):
        r = run("--version")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        self.assertRegex(r.stdout, r"^bartizan \d+\.\d+\.\d+\n$")

    def test_slips_are_answered_with_the_nearest_word(self):
        for args, want in [(["stauts"], "bartizan status"), (["key", "crate"], "bartizan key create"),
                           (["init", "x", "--backnd", "y"], "--backend"), (["up", "x", "--detatch"], "--detach"),
                           (["key", "create", "x", "--request-per-minute", "3"], "--requests-per-minute")]:
            r = run(*args)
            self.assertEqual((r.returncode, r.stdout), (2, ""), args)
            self.assertIn("did you mean '%s'" % want, r.stderr)

    def test_bad_usage_is_exit_code_two(self):
        for args in [[], ["up"], ["up", "a", "b"], ["init", "x"], ["key", "list"], ["key", "create", "/tmp"], ["up", "-d", "x"],
                     ["status", "/nonexistent/instance"], ["key", "revoke", "/tmp", "a/b"]]:
            self.assertEqual(run(*args).returncode, 2, args)

    def test_text_from_outside_is_escaped(self):
        r = run("\x1b[31mred\u202e")
        self.assertNotIn("\x1b", r.stderr)
        self.assertNotIn("\u202e", r.stderr)
        self.assertIn("\\x1b", r.stderr)


class Init(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-test-"))
        self.dir = self.tmp / "i"

    def tearDown(self):
        shutil.rmtree(self.tmp)

    def init(self, *more, dir=None, ok=True):
        r = run("init", dir or self.dir, *more)
        if ok:
            self.assertEqual(r.returncode, 0, r.stderr)
        return r

    def test_json(self):
        r = self.init("--backend", "ollama=http://127.0.0.1:11434", "--json")
        first = json.loads(r.stdout)
        self.assertEqual(set(first), {"url", "ca", "admin", "key"})
        self.assertEqual(first["url"], "https://127.0.0.1:8443")
        self.assertEqual(first["ca"], str(self.dir.resolve() / "tls/ca.pem"))
        for k in ("admin", "key"):
            self.assertRegex(first[k], r"^bz_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$")
        self.assertNotEqual(first["admin"], first["key"])

    def test_everything_is_private(self):
        self.init("--backend", "ollama=http://127.0.0.1:11434")
        for root, dirs, files in os.walk(self.dir):
            for name in dirs + files + [""]:
                mode = stat.S_IMODE(os.stat(os.path.join(root, name)).st_mode)
                self.assertEqual(mode & 0o077, 0, os.path.join(root, name))
        self.assertEqual((self.dir / "secrets/master.key").stat().st_size, 32)
        self.assertEqual((self.dir / "secrets/audit.key").stat().st_size, 64)

    def test_keys_are_nowhere_on_disk(self):
        first = json.loads(self.init("--backend", "ollama=http://127.0.0.1:11434", "--json").stdout)
        secrets = [first[k][16:].encode() for k in ("admin", "key")]
        for f in self.dir.rglob("*"):
            if f.is_file():
                data = f.read_bytes()
                for s in secrets:
                    self.assertNotIn(s, data, f)

    def test_certificate_is_good_for_its_names_only(self):
        self.init("--backend", "ollama=http://127.0.0.1:11434", "--name", "gateway.example.org")
        ca, cert = self.dir / "tls/ca.pem", self.dir / "tls/server.pem"
        for check in (["-verify_hostname", "localhost"], ["-verify_ip", "127.0.0.1"], ["-verify_ip", "::1"],
                      ["-verify_hostname", "gateway.example.org"]):
            r = subprocess.run(["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", ca] + check + [cert],
                               capture_output=True, text=True)
            self.assertEqual(r.returncode, 0, r.stderr)
        r = subprocess.run(["openssl", "verify", "-CAfile", ca, "-verify_hostname", "other.example.org", cert], capture_output=True)
        self.assertNotEqual(r.returncode, 0)
        text = subprocess.run(["openssl", "x509", "-in", ca, "-noout", "-text"], capture_output=True, text=True).stdout
        self.assertIn("Name Constraints", text)
        ssl.create_default_context(cafile=str(ca))

    def test_refuses_what_is_there(self):
        (self.dir / "sub").mkdir(parents=True)
        r = self.init("--backend", "ollama=http://127.0.0.1:11434", ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("not empty", r.stderr)
        shutil.rmtree(self.dir)
        self.dir.mkdir() # an empty directory may be there
        self.init("--backend", "ollama=http://127.0.0.1:11434")
        before = (self.dir / "secrets/master.key").read_bytes()
        r = self.init("--backend", "ollama=http://127.0.0.1:11434", ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("already", r.stderr)
        self.assertEqual((self.dir / "secrets/master.key").read_bytes(), before)

    def test_failure_leaves_nothing(self):
        for bad in (["--backend", "nothing=http://x"], ["--backend", "ollama=ftp://x"], ["--backend", "ollama=http://a:b@c"],
                    ["--backend", "ollama=http://127.0.0.1:1", "--listen", "nowhere"],
                    ["--backend", "ollama=http://127.0.0.1:1", "--name", "a b"],
                    ["--backend", "ollama=http://127.0.0.1:1", "--listen", "0.0.0.0:1", "--plain-http"],
                    ["--backend", "a=ollama=http://127.0.0.1:1", "--backend", "a=ollama=http://127.0.0.1:2"]):
            r = self.init(*bad, ok=False)
            self.assertEqual(r.returncode, 2, bad)
            self.assertTrue(r.stderr.strip(), bad)
            self.assertEqual(os.listdir(self.tmp), [], bad)

    def test_trailing_slash_and_relative_path(self):
        r = run("init", "rel/", "--backend", "vllm=unix:/tmp/vllm.sock", cwd=self.tmp)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertTrue((self.tmp / "rel/bartizan.yaml").exists())
        self.assertEqual(os.listdir(self.tmp), ["rel"])
        self.assertEqual(run("policy", "check", self.tmp / "rel").returncode, 0)

    def test_names_and_many_backends(self):
        self.init("--backend", "ollama=http://127.0.0.1:1", "--backend", "gpu=vllm=https://gpu.example.org",
                  "--backend", "llama.cpp=unix:/run/l.sock")
        text = (self.dir / "bartizan.yaml").read_text()
        for name in ('name: ollama\n', 'name: "gpu"', "name: llamacpp3"):
            self.assertIn(name, text)


class Policy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-test-"))
        cls.dir = cls.tmp / "i"
        r = run("init", cls.dir, "--backend", "ollama=http://127.0.0.1:1", "--listen", "127.0.0.1:%d" % free_port())
        assert r.returncode == 0, r.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.tmp)

    def check(self, text, *more):
        f = self.tmp / "c.yaml"
        f.write_text(text)
        return run("policy", "check", f, *more)

    def test_good(self):
        self.assertEqual(run("policy", "check", self.dir).returncode, 0)
        self.assertEqual(run("policy", "check", self.dir / "bartizan.yaml").returncode, 0)

    def test_bad_is_explained_by_line_column_and_caret(self):
        r = self.check('version: 1\nlisten: "127.0.0.1:8443"\nbackends:\n  - {name: a, type: olama, url: "http://127.0.0.1:1"}\n')
        self.assertEqual(r.returncode, 1)
        self.assertRegex(r.stderr, r"c\.yaml:4:\d+: backends\[0\]\.type: ")
        lines = r.stderr.splitlines()
        source = next(i for i, x in enumerate(lines) if "type: olama" in x)
        self.assertEqual(lines[source + 1].index("^"), lines[source].index("olama"))

    def test_syntax_error(self):
        r = self.check("version: 1\nlisten: [\n")
        self.assertEqual(r.returncode, 1)
        self.assertRegex(r.stderr, r"c\.yaml:\d+:\d+: ")

    def test_json_of_errors(self):
        r = self.check('version: 1\nlisten: "127.0.0.1:8443"\nsurprise: 1\nbackends:\n  - {name: a, type: ollama, url: "http://127.0.0.1:1"}\n', "--json")
        self.assertEqual(r.returncode, 1)
        j = json.loads(r.stdout)
        self.assertFalse(j["ok"])
        self.assertEqual(j["errors"][0]["line"], 3)
        good = json.loads(run("policy", "check", self.dir, "--json").stdout)
        self.assertEqual((good["ok"], good["errors"]), (True, []))

    def test_missing_file_could_not_be_checked(self):
        self.assertEqual(run("policy", "check", self.tmp / "none.yaml").returncode, 3)

    def test_hostile_file_is_escaped(self):
        r = self.check("version: 1\nlisten: \"a\x1b[2Jb\"\n")
        self.assertEqual(r.returncode, 1)
        self.assertNotIn("\x1b", r.stderr)

    def test_explain_names_reasons(self):
        r = run("policy", "explain", self.dir)
        self.assertEqual(r.returncode, 0)
        self.assertIn("/api/chat", r.stdout)
        one = json.loads(run("policy", "explain", self.dir, "--route", "POST /api/pull", "--json").stdout)["routes"]
        self.assertEqual(len(one), 1)
        self.assertIn(one[0]["access"], ("never", "admin"))
        self.assertTrue(one[0]["reason"])
        none = run("policy", "explain", self.dir, "--route", "POST /nowhere")
        self.assertIn("route_unknown", none.stdout)
        self.assertEqual(run("policy", "explain", self.dir, "--route", "nonsense").returncode, 2)

    def test_calls_without_a_running_instance(self):
        for args in (["key", "list"], ["user", "list"], ["model", "list"], ["reload"]):
            r = run(*args, self.dir)
            self.assertEqual(r.returncode, 2, args)
            self.assertIn("is not up", r.stderr)
        self.assertEqual(run("status", self.dir).returncode, 1)
        self.assertFalse(json.loads(run("status", self.dir, "--json").stdout)["up"])
        self.assertEqual(run("down", self.dir).returncode, 0)


if __name__ == "__main__":
    unittest.main()
