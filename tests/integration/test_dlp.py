"""bartizan dlp: what scan finds and how it tells, that no form of output shows a value, masks in a pipeline, approvals."""
import base64
import fcntl
import json
import os
import pathlib
import pty
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from harness import BARTIZAN, HANG_S, ROOT, Case, backend, wait_for

# Nothing here has the form of a secret before it is put together.
CARD = "4111 1111" + " 1111 1111"
IBAN = "DE89 3704 0044" + " 0532 0130 00"
KEY = "AK" + "IA" + "Z7QXM2LKPW4RTN6V"
PASSWORD = "correct-Horse7-" + "battery"
ADMIN_CONFIG = """version: 1
listen: 127.0.0.1:8443
backends:
  - {name: a, type: vllm, url: "http://127.0.0.1:1"}
data:
  custom:
    - {name: CASE_NUMBER, pattern: "CASE-[0-9]{6}", level: INTERNAL}
"""


def run(*args, **kw):
    """stdin: bytes; the output as bytes"""
    return subprocess.run([BARTIZAN, "dlp"] + [str(a) for a in args], capture_output=True, timeout=HANG_S, **kw)


class Files(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-test-"))

    def tearDown(self):
        shutil.rmtree(self.tmp)

    def write(self, name, data):
        f = self.tmp / name
        f.parent.mkdir(parents=True, exist_ok=True)
        f.write_bytes(data if isinstance(data, bytes) else data.encode())
        return f

    def scan(self, *args, code=None, **kw):
        r = run("scan", *args, "--json", **kw)
        if code is not None:
            self.assertEqual(r.returncode, code, r.stderr)
        return json.loads(r.stdout)


class Scan(Files):
    def test_nothing_is_silent(self):
        f = self.write("a.txt", "a quiet morning\n")
        r = run("scan", f)
        self.assertEqual((r.returncode, r.stdout), (0, b""))
        self.assertEqual(self.scan(f, code=0)["findings"], [])
        r = run("scan", self.write("empty", b""))
        self.assertEqual((r.returncode, r.stdout), (0, b""))

    def test_lines(self):
        f = self.write("a.txt", "first\nüber card %s, and\nIBAN %s\naws %s\n" % (CARD, IBAN, KEY))
        r = run("scan", f)
        self.assertEqual(r.returncode, 1)
        self.assertEqual(r.stdout.decode().splitlines(), [
            "%s:2:11: CREDIT_CARD (pii, checksum) 41*** (19)" % f, "%s:3:6: IBAN_CODE (pii, checksum) DE*** (27)" % f,
            "%s:4:5: aws-access-token (secret, checksum) AK*** (20)" % f])
        self.assertIn(b"3 findings in 1 of 1 files", r.stderr)

    def test_no_value_in_any_output(self):
        values = [CARD, IBAN, KEY, PASSWORD, "anna.schmidt@example-mail.org", "10.23.45.67"]
        f = self.write("a.txt", 'card %s\nIBAN %s\n%s\npassword = "%s"\nmail to %s\nclient IP %s\npin: 4711\n' % tuple(values))
        for more in ([], ["--json"], ["--sarif"], ["--min-proof", "form", "--types", "*"]):
            r = run("scan", *more, f)
            self.assertEqual(r.returncode, 1)
            self.assertGreaterEqual(r.stdout.count(b"***"), 6)
            for v in values:
                for at in range(len(v) - 2): # no three characters of any of them, wherever they stand
                    part = v[at:at + 3]
                    if re.search(r"\d.*\d|[A-Z].*[A-Z]", part):
                        self.assertNotIn(" " + part, r.stdout.decode(), (more, v))
                self.assertNotIn(v[2:].encode(), r.stdout + r.stderr)
                self.assertNotIn(v[:-2].encode(), r.stdout + r.stderr)
            self.assertNotIn(b"4711", r.stdout + r.stderr)

    def test_usage(self):
        f = self.write("a.txt", "x")
        bad = self.write("bad.yaml", "version: 1\nsurprise: 2\n")
        for args, words in [([], "PATH is missing"), ([f, "--jsn"], "did you mean '--json'"), ([f, "--json", "--sarif"], "exclude"),
                            ([f, "--types", "CREDIT_CRAD"], "did you mean 'CREDIT_CARD'"), ([f, "--types", "secret"], "did you mean 'secrets'"),
                            ([f, "--types", "pii,"], "unknown type ''"), ([f, "--min-proof", "sure"], "form, context, checksum"),
                            ([f, "--text", "xml"], "plain, json"), ([f, "--config", bad], "bad.yaml:2:1: unknown key"),
                            ([f, "--config", self.tmp / "none"], "No such file"), ([f, "--config", bad, "--dir", self.tmp], "exclude"),
                            ([f, "--types", "US_PASSPORT", "--min-proof", "checksum"], "nothing is left"),
                            ([f, "--types", "pii", "--except", "pii"], "nothing is left")]:
            r = run("scan", *args)
            self.assertEqual((r.returncode, r.stdout), (2, b""), args)
            self.assertIn(words, r.stderr.decode(), args)

    def test_what_cannot_be_read(self):
        gone, clean, hit = self.tmp / "gone", self.write("c", "quiet"), self.write("h", CARD)
        r = run("scan", gone, clean)
        self.assertEqual((r.returncode, r.stdout), (3, b""))
        self.assertIn(b"gone: No such file", r.stderr)
        j = self.scan(gone, clean, code=3)
        self.assertEqual(j["unchecked"], [{"path": str(gone), "why": "No such file or directory"}])
        self.assertEqual((j["totals"]["files"], j["totals"]["unchecked"]), (1, 1))
        self.assertEqual(self.scan(gone, hit, code=1)["totals"]["unchecked"], 1)
        self.assertEqual(run("scan", "/proc/self/mem").returncode, 3) # opens, and cannot be read
        s = json.loads(run("scan", gone, "--sarif").stdout)["runs"][0]["invocations"][0]
        self.assertFalse(s["executionSuccessful"])
        self.assertEqual(s["toolExecutionNotifications"][0]["message"]["text"], "No such file or directory")

    def test_a_file_without_rights(self):
        self.write("d/a", CARD).chmod(0)
        os.mkdir(self.tmp / "d" / "sub", 0)
        # Root reads everything, unless it cannot.
        less = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
        r = subprocess.run([*less, BARTIZAN, "dlp", "scan", "--json", str(self.tmp)], capture_output=True, timeout=HANG_S)
        (self.tmp / "d" / "sub").chmod(0o700)
        self.assertEqual(r.returncode, 3, r.stderr)
        self.assertEqual([(os.path.basename(x["path"]), x["why"]) for x in json.loads(r.stdout)["unchecked"]],
                         [("a", "Permission denied"), ("sub", "Permission denied")])

    def test_too_much_that_nobody_sees_is_not_called_clean(self):
        f = self.write("a", b"card 4111" + "\u200b".encode() * 2_000_000 + b" 1111 1111 1111")
        self.assertIn("not whole", self.scan(f, code=3)["unchecked"][0]["why"])
        f = self.write("b", b"card 4111" + "\u200b".encode() * 12 + b" 1111 1111 1111")
        self.assertEqual(self.scan(f, code=1)["findings"][0]["type"], "CREDIT_CARD")

    def test_output_that_cannot_be_written(self):
        f = self.write("a", CARD)
        for more in ([], ["--json"]):
            with open("/dev/full", "wb") as full:
                r = subprocess.run([BARTIZAN, "dlp", "scan", str(f), *more], stdout=full, stderr=subprocess.PIPE, timeout=HANG_S)
            self.assertEqual(r.returncode, 2)

    def test_directories(self):
        d = self.tmp / "d"
        for i, name in enumerate(["b/c/deep.txt", "a.txt", "z.md", ".hidden/x", "skip.lock"]):
            self.write("d/" + name, "%s card %s" % ("\n" * i, CARD))
        self.write("d/bin", b"\0\1" + CARD.encode())
        self.write("outside/secret", CARD)
        (d / "link").symlink_to(self.tmp / "outside")
        (d / "loop").symlink_to(d)
        os.mkfifo(d / "fifo")
        j = self.scan(d, code=1)
        self.assertEqual([os.path.relpath(f["path"], d) for f in j["findings"]],
                         [".hidden/x", "a.txt", "b/c/deep.txt", "skip.lock", "z.md"])
        t = j["totals"]
        self.assertEqual((t["files"], t["files_with_findings"], t["binary"], t["special"], t["types"]), (5, 5, 1, 3, {"CREDIT_CARD": 5}))
        j = self.scan(d, "--exclude", "*.lock", "--exclude", ".hidden", "--exclude=*/b/c/*", code=1)
        self.assertEqual([os.path.basename(f["path"]) for f in j["findings"]], ["a.txt", "z.md"])
        self.assertEqual(self.scan(d, "--binary", code=1)["totals"]["files"], 6)
        self.assertEqual(self.scan(d / "link", code=1)["totals"]["files"], 1) # named: followed
        self.assertEqual(self.scan(str(d) + "/", code=1)["findings"][0]["path"], str(d) + "/.hidden/x")

    def test_too_deep(self):
        deep = self.tmp / "/".join(["d"] * 140)
        os.makedirs(deep)
        self.assertEqual(self.scan(self.tmp, code=3)["unchecked"][0]["why"], "nested too deeply")

    def test_standard_input(self):
        j = self.scan("-", input=b"x\n  " + CARD.encode(), code=1)
        self.assertEqual([(f["path"], f["line"], f["column"], f["offset"]) for f in j["findings"]], [("stdin", 2, 3, 4)])
        self.assertEqual(run("scan", "-", input=b"").returncode, 0)

    def test_a_match_over_the_border_of_two_pieces(self):
        paths = []
        for shift in range(-24, 4):
            head = (b"quiet words\n" * 5470)[:65536 + shift - 6] + b" card "
            paths.append(self.write("s%03d" % (shift + 24), head + CARD.encode() + b" end\n" + b"and so on\n" * 9000))
        found = self.scan(*paths, code=1)["findings"]
        self.assertEqual(len(found), len(paths))
        for shift, f in zip(range(-24, 4), found):
            at = 65536 + shift
            before = paths[shift + 24].read_bytes()[:at]
            self.assertEqual((f["type"], f["offset"], f["bytes"], f["line"], f["column"]),
                             ("CREDIT_CARD", at, 19, before.count(b"\n") + 1, at - before.rfind(b"\n")))

    def test_characters_over_the_border(self):
        for back in range(1, 5):
            text = b"a" * (65536 - back) + "\U0001f511ü ".encode() + b"card " + CARD.encode()
            f = self.scan(self.write("c", text), code=1)["findings"][0]
            self.assertEqual((f["line"], f["column"]), (1, 65536 - back + 3 + 5 + 1))
        wide = "".join(chr(ord(c) + 0xfee0) if c.isdigit() else c for c in CARD) # three bytes a digit
        for shift in range(-20, -14):
            text = b"a" * (65536 + shift - 6) + b" card " + wide.encode() + b" end"
            f = self.scan(self.write("c", text), code=1)["findings"][0]
            self.assertEqual((f["type"], f["offset"], f["bytes"], f["end_column"] - f["column"]), ("CREDIT_CARD", 65536 + shift, 51, 19))
        text = b"a" * 65534 + b"\xe2\x82" + b" card " + CARD.encode() # the rest of it never comes
        self.assertEqual(self.scan(self.write("c", text), code=1)["findings"][0]["offset"], 65542)

    def test_memory_is_bounded(self):
        piece = b"the model answers questions with care, line after line of them\n" * 16384
        p = subprocess.Popen([BARTIZAN, "dlp", "scan", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(200):
            p.stdin.write(piece)
        p.stdin.write(CARD.encode())
        p.stdin.flush()
        # of the program itself: ru_maxrss of a child begins with what its parent held at the fork
        with open("/proc/%d/status" % p.pid) as f:
            peak = next(int(line.split()[1]) for line in f if line.startswith("VmHWM:"))
        p.stdin.close()
        out = p.stdout.read()
        p.stdout.close()
        p.wait()
        self.assertIn(b"stdin:3276801:1: CREDIT_CARD", out)
        self.assertEqual(p.returncode, 1)
        self.assertLess(peak, 160 * 1024) # KiB; 200 MiB went through

    def test_types(self):
        f = self.write("a", "card %s\nkey %s\nphone 415 555 2671\nabout CASE-123456\nTLP:RED\n" % (CARD, KEY))
        config = self.write("c.yaml", ADMIN_CONFIG)
        (self.tmp / "i").mkdir()
        shutil.copy(config, self.tmp / "i" / "bartizan.yaml")

        def types(*more):
            return [x["type"] for x in self.scan(f, *more)["findings"]]
        self.assertEqual(types(), ["CREDIT_CARD", "aws-access-token", "PHONE_NUMBER"])
        self.assertEqual(types("--types", "secrets"), ["aws-access-token"])
        self.assertEqual(types("--types", "CREDIT_CARD,PHONE_NUMBER"), ["CREDIT_CARD", "PHONE_NUMBER"])
        self.assertEqual(types("--types", "CREDIT_CARD", "--types", "secrets"), ["CREDIT_CARD", "aws-access-token"])
        self.assertEqual(types("--except", "secrets,PHONE_NUMBER"), ["CREDIT_CARD"])
        self.assertEqual(types("--min-proof", "checksum"), ["CREDIT_CARD", "aws-access-token"])
        self.assertEqual(types("--types", "labels"), ["TLP"])
        for where in (["--config", config], ["--dir", self.tmp / "i"]):
            self.assertEqual(types(*where), ["CREDIT_CARD", "aws-access-token", "PHONE_NUMBER", "CASE_NUMBER"])
            self.assertEqual(types(*where, "--types", "CASE_NUMBER"), ["CASE_NUMBER"])
        g = self.write("b", "we met at 415 555 2671 last year\n")
        self.assertEqual(self.scan(g, code=0)["findings"], [])
        self.assertEqual([x["proof"] for x in self.scan(g, "--min-proof", "form", code=1)["findings"]], ["form"])

    def test_the_form_of_the_text(self):
        f = self.write("a.json", r'{"a": "card \u0034111 1111\u00201111 1111", "b": 1}')
        self.assertEqual(self.scan(f, code=0)["findings"], [])
        found = self.scan(f, "--text", "json", code=1)["findings"][0]
        self.assertEqual((found["type"], found["offset"], found["bytes"]), ("CREDIT_CARD", 12, 29))
        for encoding in ("utf-16", "utf-16-be"):
            wide = ("\ufeff" if encoding == "utf-16-be" else "") + "first\nmy card %s\n" % CARD
            found = self.scan(self.write("w", wide.encode(encoding)), code=1)["findings"][0]
            self.assertEqual((found["type"], found["line"], found["column"], found["preview"]), ("CREDIT_CARD", 2, 9, "41*** (19)"))

    def test_json(self):
        j = self.scan(self.write("a", "card " + CARD), code=1)
        self.assertEqual(set(j), {"findings", "unchecked", "totals"})
        self.assertEqual(j["findings"], [{"path": str(self.tmp / "a"), "line": 1, "column": 6, "end_line": 1, "end_column": 25, "offset": 5,
                                          "bytes": 19, "type": "CREDIT_CARD", "class": "pii", "proof": "checksum", "level": "CONFIDENTIAL",
                                          "preview": "41*** (19)"}])
        self.assertEqual(set(j["totals"]), {"findings", "files", "files_with_findings", "bytes", "binary", "special", "unchecked", "types"})

    def test_sarif(self):
        f = self.write("ä b%.txt", "card %s\n\nkey %s" % (CARD, KEY))
        r = run("scan", "--sarif", f)
        self.assertEqual(r.returncode, 1)
        j = json.loads(r.stdout)
        # What the schema of SARIF 2.1.0 requires of each object that stands in it.
        self.assertEqual((j["version"], len(j["runs"])), ("2.1.0", 1))
        one = j["runs"][0]
        driver = one["tool"]["driver"]
        self.assertTrue(driver["name"])
        ids = [x["id"] for x in driver["rules"]]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertGreater(len(ids), 300)
        for rule in driver["rules"]:
            self.assertTrue(rule["shortDescription"]["text"])
            self.assertIn(rule["defaultConfiguration"]["level"], ("none", "note", "warning", "error"))
        self.assertIn(one["columnKind"], ("utf16CodeUnits", "unicodeCodePoints"))
        self.assertEqual([x["ruleId"] for x in one["results"]], ["CREDIT_CARD", "aws-access-token"])
        for x in one["results"]:
            self.assertTrue(x["message"]["text"])
            self.assertEqual(ids[x["ruleIndex"]], x["ruleId"])
            self.assertIn(x["level"], ("none", "note", "warning", "error"))
            place = x["locations"][0]["physicalLocation"]
            self.assertRegex(place["artifactLocation"]["uri"], r"^file:///[A-Za-z0-9._~/%-]+/%C3%A4%20b%25\.txt$")
            for k, v in place["region"].items():
                self.assertIn(k, ("startLine", "startColumn", "endLine", "endColumn"))
                self.assertGreaterEqual(v, 1)
        self.assertEqual(one["results"][1]["locations"][0]["physicalLocation"]["region"],
                         {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 25})
        self.assertIs(one["invocations"][0]["executionSuccessful"], True)
        r = run("scan", "--sarif", os.path.basename(f), cwd=self.tmp)
        self.assertEqual(json.loads(r.stdout)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
                         "%C3%A4%20b%25.txt")

    def test_names_are_escaped(self):
        self.write("\x1b[31mred\n\u202e.txt", CARD)
        r = run("scan", self.tmp)
        self.assertEqual(len(r.stdout.splitlines()), 1)
        self.assertNotIn(b"\x1b", r.stdout)
        self.assertNotIn("\u202e".encode(), r.stdout)
        self.assertTrue(self.scan(self.tmp)["findings"][0]["path"].endswith("\x1b[31mred\n\u202e.txt"))

    def test_it_leaves_no_core(self):
        p = subprocess.Popen([BARTIZAN, "dlp", "scan", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             cwd=self.tmp, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2))
        p.stdin.write(b"x" * 200000) # more than a pipe holds: it runs and has read some
        p.stdin.flush()
        os.kill(p.pid, signal.SIGSEGV)
        _, status = os.waitpid(p.pid, 0)
        p.returncode = status
        p.stdin.close()
        self.assertTrue(os.WIFSIGNALED(status))
        self.assertFalse(os.WCOREDUMP(status))

    def test_progress_fits_the_terminal(self):
        for columns, more in ((20, []), (200, []), (20, ["--no-progress"])):
            master, slave = pty.openpty()
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            p = subprocess.Popen([BARTIZAN, "dlp", "scan", "-", *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=slave)
            os.close(slave)
            for _ in range(4):
                p.stdin.write(b"quiet words\n" * 11000)
                p.stdin.flush()
                time.sleep(0.15)
            p.stdin.close()
            self.assertEqual(p.wait(HANG_S), 0)
            p.stdout.close()
            told = b""
            while True:
                try:
                    k = os.read(master, 65536)
                except OSError:
                    break
                told += k
                if not k:
                    break
            os.close(master)
            steps = [x for x in told.split(b"\r\x1b[K")[1:] if x]
            lines = [x for x in steps if not x.startswith(b"bartizan:")]
            if more:
                self.assertEqual(lines, [])
                continue
            self.assertTrue(lines)
            for x in lines:
                self.assertRegex(x, rb"^1 files, ")
                self.assertLess(len(x), columns)


class Git(Files):
    def git(self, *args):
        env = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null")
        return subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e@x", *args], cwd=self.tmp, check=True, capture_output=True,
                              env=env).stdout

    def setUp(self):
        super().setUp()
        self.git("init", "-q", ".")

    def test_what_is_staged(self):
        self.write("old", CARD)
        self.git("add", ".")
        self.git("commit", "-q", "-m", "x")
        r = run("scan", "--staged", cwd=self.tmp)
        self.assertEqual((r.returncode, r.stdout), (0, b""))
        self.write("sub/new name", "one\nkey %s\n" % KEY)
        self.write("sub/ok", "quiet")
        self.git("add", ".")
        self.write("sub/new name", "it stands in the index all the same")
        self.write("loose", CARD) # not staged
        r = run("scan", "--staged", cwd=self.tmp / "sub")
        self.assertEqual((r.returncode, r.stdout), (1, b"sub/new name:2:5: aws-access-token (secret, checksum) AK*** (20)\n"))
        self.assertIn(b"1 of 2 files", r.stderr)
        self.assertEqual(run("scan", "--staged", "--exclude", "sub/*", cwd=self.tmp).returncode, 0)

    def test_a_first_commit(self):
        self.write("a", KEY)
        self.git("add", ".")
        self.assertEqual(run("scan", "--staged", cwd=self.tmp).returncode, 1)

    def test_no_repository(self):
        r = run("scan", "--staged", cwd="/")
        self.assertEqual((r.returncode, r.stdout), (2, b""))

    def test_a_hook_refuses_the_commit(self):
        hook = self.tmp / ".git" / "hooks" / "pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text('#!/bin/sh\nexec "%s" dlp scan --staged --types secrets\n' % BARTIZAN)
        hook.chmod(0o755)
        self.write("a", "quiet")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "x")
        self.write("a", "key %s" % KEY)
        self.git("add", ".")
        with self.assertRaises(subprocess.CalledProcessError) as e:
            self.git("commit", "-q", "-m", "y")
        self.assertIn(b"aws-access-token", e.exception.stdout + e.exception.stderr)
        self.assertNotIn(KEY.encode(), e.exception.stdout + e.exception.stderr)
        self.git("commit", "-q", "-m", "y", "--no-verify")
        diff = self.git("show", "-U0")
        self.assertEqual(run("scan", "-", input=diff).returncode, 1)


class Mask(Files):
    def mask(self, data, *more, code=0):
        r = run("mask", *more, input=data if isinstance(data, bytes) else data.encode())
        self.assertEqual(r.returncode, code, r.stderr)
        return r.stdout

    def key(self, name="key", data=b"0123456789abcdef"):
        return ["--key-file", self.write(name, data)]

    def test_placeholders(self):
        out = self.mask("pay with %s.\nkey=%s;\nagain %s\n" % (CARD, KEY, CARD)).decode()
        self.assertRegex(out, r"^pay with <CREDIT_CARD_[a-z2-9]{8}>\.\nkey=<AWS_ACCESS_TOKEN_[a-z2-9]{8}>;\nagain <CREDIT_CARD_[a-z2-9]{8}>\n$")
        cards = re.findall(r"<CREDIT_CARD_\w+>", out)
        self.assertEqual(cards[0], cards[1])
        self.assertEqual(self.mask(out), out.encode())
        f = self.write("f", CARD)
        self.assertRegex(run("mask", f).stdout, rb"^<CREDIT_CARD_\w{8}>$")
        self.assertEqual(run("mask", f).stderr, b"")

    def test_keys(self):
        text = "card " + CARD
        one, same, other = self.mask(text, *self.key()), self.mask(text, *self.key()), self.mask(text, *self.key("k2", b"f" * 16))
        self.assertEqual(one, same)
        self.assertEqual(len({one, other, self.mask(text), self.mask(text)}), 4)

    def test_everything_else_stays(self):
        rnd = random.Random(5)
        for data in [b"", b"a", b"no newline", "ü\r\n\u200bz\ufeff".encode(), "M\xfcller\n".encode("latin-1"), b"\xe2\x82",
                     bytes(rnd.randrange(1, 256) for _ in range(300_000)), b"\xc3" * 70000, b"x" * 65536, b"quiet words\n" * 20000]:
            self.assertEqual(self.mask(data, "--types", "CREDIT_CARD,IBAN_CODE"), data, data[:30])

    def test_over_borders(self):
        for shift in range(-21, 2):
            head = (b"quiet words\n" * 6000)[:65536 + shift - 6] + b" card "
            out = self.mask(head + CARD.encode() + b" end", *self.key())
            self.assertRegex(out[len(head):], rb"^<CREDIT_CARD_\w{8}> end$")
            self.assertEqual(out[:len(head)], head)

    def test_a_long_key_has_one_placeholder(self):
        rnd = random.Random(7)
        body = base64.b64encode(bytes(rnd.randrange(256) for _ in range(2300))).decode()
        name = "RSA PRIV" + "ATE KEY"
        key = "\n".join(["-----BEGIN %s-----" % name, *[body[i:i + 64] for i in range(0, len(body), 64)], "-----END %s-----" % name])
        for before in ("", "x" * 63000 + "\n", "y" * 65400 + "\n"):
            text = before + "key:\n" + key + "\nthat is all\n"
            self.assertRegex(self.mask(text)[len(before):], rb"^key:\n<PRIVATE_KEY_\w{8}>\nthat is all\n$")
            found = self.scan("-", input=text.encode(), code=1)["findings"]
            self.assertEqual([(f["type"], f["column"]) for f in found], [("private-key", 1)])

    def test_byte_by_byte(self):
        text = ("ü card %s; key %s\nend" % (CARD, KEY)).encode()
        p = subprocess.Popen([BARTIZAN, "dlp", "mask", *map(str, self.key())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        for i in range(len(text)):
            p.stdin.write(text[i:i + 1])
        p.stdin.close()
        out = p.stdout.read()
        p.stdout.close()
        self.assertEqual(p.wait(HANG_S), 0)
        self.assertEqual(out, self.mask(text, *self.key()))

    def test_it_does_not_wait_for_the_end(self):
        p = subprocess.Popen([BARTIZAN, "dlp", "mask"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        p.stdin.write(b"the first line of a log\n")
        self.assertEqual(p.stdout.read(5), b"the f")
        p.stdin.close()
        p.stdout.read()
        p.stdout.close()
        self.assertEqual(p.wait(HANG_S), 0)

    def test_form(self):
        out = self.mask("card %s, key %s\n" % (CARD, KEY), "--form", *self.key()).decode()
        self.assertRegex(out, r"^card (\d{4} ){3}\d{4}, key [A-Z]{4}\w{16}\n$")
        self.assertNotIn(CARD, out)
        digits = [int(c) for c in out if c.isdigit()][:16]
        self.assertEqual(sum(sum(divmod(d * (2 - i % 2), 10)) for i, d in enumerate(digits)) % 10, 0)
        self.assertRegex(self.mask("mail me at a@b.de\n", "--form").decode(), r"<EMAIL_ADDRESS_\w{8}>") # too short for a form

    def test_json_stays_json(self):
        text = r'{"card": %s, "text": "card \u0034%s and \"so\" on", "n": 7}' % (CARD.replace(" ", ""), CARD[1:])
        j = json.loads(self.mask(text, "--text", "json", "--form"))
        self.assertRegex(j["card"], r"^<CREDIT_CARD_\w{8}>$")
        self.assertRegex(j["text"], r'^card <CREDIT_CARD_\w{8}> and "so" on$')
        self.assertEqual(j["n"], 7)

    def test_what_only_its_form_tells_is_hidden_too(self):
        text = "seen 10.23.45.67 and anna@example-mail.org"
        self.assertRegex(self.mask(text), rb"^seen <IP_ADDRESS_\w{8}> and <EMAIL_ADDRESS_\w{8}>$")
        self.assertEqual(self.mask(text, "--min-proof", "checksum"), text.encode())

    def test_types(self):
        text = "card %s about CASE-123456\n" % CARD
        self.assertEqual(self.mask(text, "--types", "secrets"), text.encode())
        out = self.mask(text, "--config", self.write("c.yaml", ADMIN_CONFIG), "--except", "CREDIT_CARD").decode()
        self.assertRegex(out, r"^card 4111.* about <CASE_NUMBER_\w{8}>\n$")

    def test_failures_write_no_value(self):
        for data, args in [(b"\0\1" + CARD.encode(), []), (CARD.encode("utf-16"), []), (CARD.encode(), ["--key-file", self.tmp / "none"]),
                           (CARD.encode(), self.key("k", b"short")), (CARD.encode(), ["--types", "nothing"]),
                           (CARD.encode(), [self.tmp]), (CARD.encode(), [self.tmp / "gone"])]:
            r = run("mask", *args, input=data)
            self.assertEqual((r.returncode, r.stdout), (2, b""), args)
            self.assertNotIn(b"4111", r.stderr)
        r = run("mask", input=b"card 4111" + "\u200b".encode() * 2_000_000 + b" 1111 1111 1111")
        self.assertEqual(r.returncode, 2)
        self.assertNotIn(b"4111", r.stdout)
        with open("/dev/full", "wb") as full:
            r = subprocess.run([BARTIZAN, "dlp", "mask", str(self.write("a", CARD))], stdout=full, stderr=subprocess.PIPE, timeout=HANG_S)
        self.assertEqual(r.returncode, 2)


class Documentation(Files):
    text = (ROOT / "docs/DATA-PROTECTION.md").read_text()

    def test_configurations(self):
        examples = [x.split("```")[0] for x in self.text.split("```yaml\n")[1:]]
        self.assertGreaterEqual(len(examples), 4)
        for example in examples:
            f = self.write("c.yaml", ADMIN_CONFIG.split("data:")[0] + example)
            r = subprocess.run([BARTIZAN, "policy", "explain", "--config", str(f), "--json"], capture_output=True, timeout=HANG_S)
            self.assertEqual(r.returncode, 0, r.stderr)
            self.assertTrue(all(x["decides"] for x in json.loads(r.stdout)["data"]["rules"]), example)

    def test_every_type_of_personal_data_stands_there(self):
        rules = json.loads(run("scan", "--sarif", "-", input=b"").stdout)["runs"][0]["tool"]["driver"]["rules"]
        names = [x["id"] for x in rules if x["properties"]["class"] == "pii"]
        self.assertEqual(re.findall(r"^\| `([A-Z_]+)` \|", self.text, re.M), names)

    def test_options_are_those_of_the_manual(self):
        page = (ROOT / "man/bartizan-dlp.1").read_text()
        for command in ("scan", "mask", "approve", "approvals", "revoke"):
            self.assertIn(".Nm bartizan dlp " + command, page)
            words = re.findall(r"^  --([a-z-]+)", run(command, "--help").stdout.decode(), re.M)
            for word in set(words) - {"help"}:
                self.assertIn("Fl -" + word, page, command)


class Approvals(Case):
    data = """data:
  custom:
    - {name: CASE_NUMBER, pattern: "CASE-[0-9]{6}", level: INTERNAL}
  rules:
    - {types: [CASE_NUMBER], action: approve}
"""

    def test_from_refusal_to_revocation(self):
        up = self.upstream()
        i = self.instance([backend("one", "openai", "http://127.0.0.1:%d" % up.port, ["ok"])], extra=self.data)

        def ask():
            return i.post("/v1/chat/completions", {"model": "ok", "messages": [{"role": "user", "content": "about CASE-123456"}]})
        r = ask()
        self.assertEqual((r.status, r.code), (403, "approval_required"))
        body = re.search(r"\b[0-9a-f]{32}\b", r.json["error"]["message"]).group(0)
        made = json.loads(i.cli("dlp", "approve", i.dir, body, "--expires", "2h", "--note", "the May\x1b offer", "--json"))
        self.assertEqual((made["id"], made["recorded"]), (body, True))
        self.assertTrue(0 < made["expires"] - time.time() <= 7200)
        wait_for(lambda: ask().status == 200)
        listed = json.loads(i.cli("dlp", "approvals", i.dir, "--json"))["approvals"]
        self.assertEqual([(a["id"], a["by"]) for a in listed], [(body, "uid %d" % os.getuid())])
        text = i.cli("dlp", "approvals", i.dir)
        self.assertIn(body, text)
        self.assertIn("the May", text)
        self.assertNotIn("\x1b", text)
        self.assertEqual(i.cli("dlp", "revoke", i.dir, body), "revoked: %s\n" % body)
        wait_for(lambda: ask().status == 403)
        self.assertEqual(i.cli("dlp", "revoke", i.dir, body, ok=False).returncode, 2)
        for args in [["approve", i.dir, "xyz"], ["approve", i.dir, body, "--expires", "soon"], ["approve", i.dir, body, "--expires", "60d"],
                     ["approve", i.dir, body, "--note", "n" * 300], ["revoke", i.dir, "../keys"], ["approve", i.dir]]:
            self.assertEqual(i.cli("dlp", *args, ok=False).returncode, 2, args)
        self.assertRegex(i.cli("dlp", "approve", i.dir, body.upper()), r"^approved: %s, until \d{4}-" % body)

        def recorded():
            text = i.cli("audit", "tail", i.dir, "--json")
            return all(w in text for w in ("approval.add", "approval.revoke", body))
        wait_for(recorded)
        i.stop()
        r = i.cli("dlp", "approvals", i.dir, ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("is not up", r.stderr)


if __name__ == "__main__":
    unittest.main()
