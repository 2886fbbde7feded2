"""GGUF files and chat templates: what a real llama-server serves is clean, what it should never see is refused; templates by
digest and difference; whatever jinja2 itself reads, the scanner reads."""
import json
import pathlib
import random
import re
import struct
import subprocess
import tempfile
import unittest

from harness import BARTIZAN, HANG_S, ROOT, Case
from test_model import DEMO, start_server

TEMPLATES = sorted((ROOT / "tests" / "data" / "templates").glob("*.jinja"))
# The system's own python: jinja2 comes from its packages.
PARSES = """
import json, sys, jinja2, jinja2.ext, jinja2.nodes
class Generation(jinja2.ext.Extension):
    tags = {"generation"}
    def parse(self, parser):
        line = next(parser.stream).lineno
        return jinja2.nodes.Scope(parser.parse_statements(["name:endgeneration"], drop_needle=True)).set_lineno(line)
env = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do", Generation])
def parses(path):
    try:
        env.parse(open(path, encoding="utf-8", newline="").read())
        return True
    except jinja2.TemplateSyntaxError:
        return False
print(json.dumps([parses(p) for p in json.load(sys.stdin)]))
"""


def scan(*args):
    return subprocess.run([BARTIZAN, "scan"] + [str(a) for a in args], capture_output=True, timeout=HANG_S)


def report(*paths):
    r = scan("--json", *paths)
    return {f["path"]: f for f in json.loads(r.stdout)["files"]}


def string(b):
    return struct.pack("<Q", len(b)) + b


def gguf(template, name=b"tokenizer.chat_template"):
    record = string(name) + struct.pack("<I", 8) + string(template.encode())
    b = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + record
    return b + bytes(-len(b) % 32)


class Folder(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bz-templates-"))
        self.addCleanup(lambda: subprocess.run(["rm", "-r", str(self.dir)], check=True))

    def file(self, name, data):
        path = self.dir / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path


class Templates(Folder):
    GOOD = TEMPLATES[0].read_text()

    def test_difference_across_formats(self):
        a = self.file("a.gguf", gguf(self.GOOD))
        b = self.file("tokenizer_config.json", json.dumps({"chat_template": self.GOOD.replace("\n", "\r\n") + "  \n"}))
        c = self.file("c.jinja", self.GOOD + "{{ messages[0].added }}")
        self.assertEqual(scan("--diff-templates", a, b).returncode, 0)
        r = scan("--diff-templates", b, c)
        self.assertEqual(r.returncode, 1, r)
        self.assertRegex(r.stdout.decode(), r"(?m)^\+ .*messages\[0\]\.added")
        self.assertNotRegex(r.stdout.decode(), r"(?m)^- \S")
        j = json.loads(scan("--diff-templates", "--json", a, c).stdout)["templates"]
        self.assertEqual([t["state"] for t in j], ["different"])
        self.assertTrue(all(line["op"] == "add" for line in j[0]["lines"]), j)

    def test_digests_are_of_the_normal_form(self):
        a, b = self.file("a.gguf", gguf(self.GOOD)), self.file("b.jinja", "\ufeff" + self.GOOD.replace("\n", "\r\n") + "\n\n")
        r = scan("--template-hash", a, b)
        self.assertEqual(r.returncode, 0, r)
        digests = re.findall(rb"(?m)^([0-9a-f]{64})  ", r.stdout)
        self.assertEqual(len(digests), 2)
        self.assertEqual(len(set(digests)), 1)
        self.assertIn(b"a.gguf!tokenizer.chat_template", r.stdout)
        j = json.loads(scan("--template-hash", "--json", a).stdout)["templates"]
        self.assertEqual([(t["name"], t["sha256"].encode()) for t in j], [("tokenizer.chat_template", digests[0])])

    def test_misuse(self):
        good = self.file("a.jinja", self.GOOD)
        none = self.file("none.txt", "no braces here\n")
        for args, code in (([good], 2), ([good, good, good], 2), ([good, none], 3), ([good, self.dir], 2),
                           ([good, self.dir / "absent"], 2), ([good, good, "--template-hash"], 2), ([good, good, "--sarif"], 2)):
            r = scan("--diff-templates", *args)
            self.assertEqual((r.returncode, r.stdout), (code, b""), args)
            self.assertTrue(r.stderr, args)

    def test_escapes_do_not_reach_the_terminal(self):
        a = self.file("a.jinja", "{{ messages }}\nx\x1b[2Jy\n")
        b = self.file("b.jinja", "{{ messages }}\nz\u202ey\n")
        r = scan("--diff-templates", a, b)
        self.assertEqual(r.returncode, 1, r)
        self.assertNotIn(b"\x1b", r.stdout)
        self.assertNotIn("\u202e".encode(), r.stdout)

    def test_whatever_jinja2_reads_is_read(self):
        """Parts of templates, changed at random: the same seed, the same 1,500 texts."""
        rnd = random.Random(20261123)
        token = re.compile(r"\{%-?|-?%\}|\{\{-?|-?\}\}|\{#|#\}|'[^'\n]*'|\"[^\"\n]*\"|\w+|\s+|.", re.S)
        texts = [token.findall(t.read_text()) for t in TEMPLATES]
        pool = [t for text in texts for t in text]
        paths = []
        for i in range(1500):
            text = list(rnd.choice(texts))
            if rnd.random() < 0.6:
                at = rnd.randrange(len(text))
                text = text[max(0, at - rnd.randrange(5, 60)):at + rnd.randrange(1, 60)]
            for _ in range(rnd.randrange(3)):
                at = rnd.randrange(len(text))
                text[at:at + rnd.randrange(2)] = [rnd.choice(pool)] if rnd.random() < 0.7 else []
                text = text or ["x"]
            paths.append(self.file("%04d" % i, "{{ messages }}{{ 1 }}{{ 1 }}{{ 1 }}" + "".join(text)))
        r = subprocess.run(["/usr/bin/python3", "-c", PARSES], input=json.dumps([str(p) for p in paths]).encode(), capture_output=True,
                           check=True, timeout=HANG_S * 4)
        theirs = json.loads(r.stdout)
        found = report(self.dir)
        ours = [not any(f["rule"] == "TPL-SYNTAX" for f in found[str(p)]["findings"]) and found[str(p)]["format"] == "jinja" for p in paths]
        missed = [p.read_text() for p, t, o in zip(paths, theirs, ours) if t and not o]
        self.assertEqual(missed, [])
        self.assertGreater(sum(theirs), 300)
        self.assertGreater(len(paths) - sum(theirs), 300)
        # the other way round a little more is read: letters that Python does not take for such
        self.assertLess(sum(o and not t for t, o in zip(theirs, ours)), 15)


class Served(Case):
    """The model that the other tests serve, and what may be done to it."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bz-gguf-"))
        self.addCleanup(lambda: subprocess.run(["rm", "-r", str(self.dir)], check=True))

    def changed(self, name, data):
        path = self.dir / name
        path.write_bytes(data)
        return path

    def test_what_is_served_is_clean_and_what_is_spoilt_is_not(self):
        start_server(self) # makes the model, and shows that it loads
        model = (DEMO / "model.gguf").read_bytes()
        self.assertEqual(scan("--verbose", DEMO / "model.gguf").returncode, 0)
        self.assertIn(b"tokenizer.chat_template", scan("--template-hash", DEMO / "model.gguf").stdout)
        spoilt = {
            "cut": model[:-4096],
            "longer": model + b"\x7fELF",
            "swapped": b"FUGG" + model[4:],
            "version": model[:4] + struct.pack("<I", 9) + model[8:],
            "tensors": model[:8] + struct.pack("<Q", 1 << 62) + model[16:],
            "records": model[:16] + struct.pack("<Q", 1 << 62) + model[24:],
            "key": model[:24] + struct.pack("<Q", 1 << 62) + model[32:],
        }
        for name, data in spoilt.items():
            r = scan(self.changed(name + ".gguf", data))
            self.assertEqual(r.returncode, 1, (name, r))

    def test_a_record_more_still_loads(self):
        """The real reader and ours agree about a file that was put together here."""
        subprocess.run([str(ROOT / "tools" / "demo-backend.sh"), str(DEMO)], check=True, stdout=subprocess.DEVNULL)
        model = (DEMO / "model.gguf").read_bytes()
        n_tensors, n_kv = struct.unpack("<QQ", model[8:24])
        self.assertNotIn(string(b"general.description"), model)
        # a multiple of the alignment, so that the padding behind it stays right
        more = string(b"general.description") + struct.pack("<I", 8) + string(b"x" * (4096 - (8 + 19 + 4 + 8)))
        self.assertEqual(len(more) % 32, 0)
        path = self.changed("more.gguf", model[:8] + struct.pack("<QQ", n_tensors, n_kv + 1) + more + model[24:])
        self.assertEqual(scan(path).returncode, 0)
        url = start_server(self, "-m", str(path)) # the last -m holds
        props = subprocess.run(["curl", "-sf", "-m", "5", url + "/props"], capture_output=True, check=True).stdout
        self.assertIn("more.gguf", json.loads(props)["model_path"])
        twice = self.changed("twice.gguf", model[:8] + struct.pack("<QQ", n_tensors, n_kv + 2) + more + more + model[24:])
        self.assertEqual(scan(twice).returncode, 1)
