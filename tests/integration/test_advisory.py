"""Versions compared as their own tools compare them; packs, archives, matches; virtual patches on a live gateway."""
import io
import json
import pathlib
import random
import shutil
import subprocess
import tarfile
import tempfile
import unittest
import zipfile

import ollama_standin
from harness import BARTIZAN, BUILD, ROOT, HELLO, Instance, backend, wait_for
from validators import node

PACKER = BUILD / "src" / "instance" / "advisory-pack"
DATABASE = ROOT.parent / "shared" / "data" / "advisories" / "pypa.tar.xz"


def packer(*args):
    if not PACKER.exists():
        subprocess.run(["ninja", "-C", str(BUILD), "src/instance/advisory-pack"], check=True, stdout=subprocess.DEVNULL)
    return subprocess.run([str(PACKER), *map(str, args)], capture_output=True, text=True, timeout=60)


# ---- versions --------------------------------------------------------------------------------------------------------


class Versions(unittest.TestCase):
    """Random versions against dpkg, Python's packaging and npm's semver."""

    def setUp(self):
        self.r = random.Random(20261123)

    def ours(self, scheme, pairs):
        text = "".join("%s\t%s\n" % p for p in pairs)
        r = subprocess.run([BARTIZAN, "advisory", "compare", scheme], input=text, capture_output=True, text=True, timeout=60)
        self.assertIn(r.returncode, (0, 3), r.stderr)
        return r.stdout.splitlines()

    def one_of(self, make, n):
        return [(make(), make()) for _ in range(n)]

    def number(self):
        return str(self.r.choice((0, 1, 2, 9, 10, 11, 20260101)))

    def same(self, scheme, pairs, theirs, unknown="-"):
        ours = self.ours(scheme, pairs)
        self.assertEqual(len(ours), len(pairs))
        wrong = [(p, o, t) for p, o, t in zip(pairs, ours, theirs) if (unknown if o.startswith("no ") else o) != t]
        self.assertEqual(wrong[:10], [])
        self.assertGreaterEqual(len({t for t in theirs}), 2)

    def test_dpkg(self):
        def make():
            parts = [self.r.choice(("", "", "0:", "1:", "12:")), self.number()]
            for _ in range(self.r.randrange(4)):
                parts.append(self.r.choice((".", "~", "+", "a", "rc", "~~", "dfsg", ".0")))
                parts.append(self.r.choice(("", self.number())))
            parts.append(self.r.choice(("", "-1", "-0", "-1~bpo12+1", "-1+b2", "-1.1", "-10ubuntu3")))
            return "".join(parts)
        pairs = self.one_of(make, 400)
        theirs = []
        for a, b in pairs:
            less = subprocess.run(["dpkg", "--compare-versions", a, "lt", b], capture_output=True).returncode == 0
            equal = subprocess.run(["dpkg", "--compare-versions", a, "eq", b], capture_output=True).returncode == 0
            theirs.append("=" if equal else "<" if less else ">")
        self.same("dpkg", pairs, theirs)

    def test_pep440(self):
        def make():
            parts = [self.r.choice(("", "", "v", "1!", "0!")), ".".join(self.number() for _ in range(self.r.randrange(1, 4)))]
            sep = lambda: self.r.choice(("", ".", "-", "_"))
            if self.r.random() < .5:
                parts.append(sep() + self.r.choice(("a", "b", "rc", "c", "alpha", "BETA", "pre", "preview")) + sep() + self.r.choice(("", self.number())))
            if self.r.random() < .4:
                parts.append(self.r.choice((sep() + self.r.choice(("post", "rev", "r")) + sep() + self.number(), "-" + self.number(), "x")))
            if self.r.random() < .4:
                parts.append(sep() + "dev" + self.r.choice(("", self.number())))
            if self.r.random() < .3:
                parts.append("+" + self.r.choice(("1", "abc", "ubuntu.1", "cu121", "1.2", "", "a..b")))
            return "".join(parts)
        pairs = self.one_of(make, 1500)
        script = ("import sys\nfrom packaging.version import Version as V\nfor l in sys.stdin:\n"
                  "    a, b = l.rstrip('\\n').split('\\t')\n    try: x, y = V(a), V(b)\n    except Exception: print('-')\n"
                  "    else: print('<' if x < y else '>' if x > y else '=')\n")
        r = subprocess.run(["/usr/bin/python3", "-c", script], input="".join("%s\t%s\n" % p for p in pairs), capture_output=True, text=True,
                           check=True, timeout=60)
        self.same("pep440", pairs, r.stdout.splitlines())

    def semver(self):
        core = ".".join(self.number() for _ in range(3))
        pre = self.r.choice(("", "", "-alpha", "-alpha.1", "-rc.1", "-0", "-1.2", "-a-b", "-01", "-"))
        return self.r.choice(("", "", "v")) + core + pre + self.r.choice(("", "", "+build.1"))

    def test_npm(self):
        pairs = self.one_of(self.semver, 1500)
        r = node("semver.cjs", "compare", input="".join("%s\t%s\n" % p for p in pairs))
        self.same("npm", pairs, r.stdout.splitlines())

    def test_npm_ranges(self):
        def partial():
            parts = [self.r.choice((self.number(), self.number(), "x", "*")) for _ in range(self.r.randrange(1, 4))]
            tail = self.r.choice(("", "", "-alpha", "-0")) if len(parts) == 3 else ""
            return ".".join(parts) + tail

        def make():
            sets = []
            for _ in range(self.r.randrange(1, 3)):
                if self.r.random() < .2:
                    sets.append("%s - %s" % (partial(), partial()))
                else:
                    sets.append(" ".join(self.r.choice(("", "", "^", "~", "~>", ">", ">=", "<", "<=", "=", "> ", "^ ", ">=v")) + partial()
                                         for _ in range(self.r.randrange(1, 3))))
            return self.r.choice((" || ", "||")).join(sets)
        pairs = [(make(), self.semver()) for _ in range(3000)]
        r = node("semver.cjs", "range", input="".join("%s\t%s\n" % p for p in pairs))
        self.same("npm-range", pairs, r.stdout.splitlines())

    def test_llamacpp(self):
        self.assertEqual(self.ours("llamacpp", [("b8145", "b8146"), ("b8146", "8146 (1a2b3c4)"), ("b9-1a2b3c4d", "b10"), ("1a2b3c4", "b8146"),
                                                ("b8146", "b1-1a2b3c4"), ("b8146", "8146")]), ["<", "=", "<", "not assessable", "not assessable", "no version"])


# ---- packs, archives, matches --------------------------------------------------------------------------------------------


def record(id_, eco="PyPI", name="demo", events=({"introduced": "0"}, {"fixed": "2.0"}), **more):
    entry = {"package": {"ecosystem": eco, "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": list(events)}]}
    for key in ("versions", "ecosystem_specific"):
        if key in more:
            entry[key] = more.pop(key)
    return {"id": id_, "modified": "2026-01-01T00:00:00Z", "summary": "about " + id_, "affected": [entry]} | more


def document(advisories, version=1, name="test", issued="2026-01-01", expires="2099-01-01"):
    """JSON is YAML too, but for its numbers: the packer reads the version."""
    return json.dumps({"name": name, "version": str(version), "issued": issued, "expires": expires, "advisories": advisories})


class Instances(unittest.TestCase):
    """Each test has an instance that does not run, and a root to look below."""

    @classmethod
    def setUpClass(cls):
        cls.tmp = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-advisory-"))
        cls.public = packer("keygen", cls.tmp / "secret").stdout.strip()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.tmp)

    def setUp(self):
        self.i = Instance([backend("x", "openai", "http://127.0.0.1:9")], extra='advisories: {keys: ["%s"]}\n' % self.public)
        self.addCleanup(shutil.rmtree, self.i.holder)
        self.root = self.i.holder / "root"
        (self.root / "var/lib/dpkg").mkdir(parents=True)
        (self.root / "etc").mkdir()
        (self.root / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\n')

    def python_package(self, name, version, **files):
        d = self.root / "usr/lib/python3/dist-packages" / ("%s-%s.dist-info" % (name, version))
        d.mkdir(parents=True)
        (d / "METADATA").write_text("Metadata-Version: 2.1\nName: %s\nVersion: %s\nLicense: MIT\n\nText\n" % (name, version))
        for k, v in files.items():
            (d / k).write_text(v)
        return d

    def pack(self, advisories, secret=None, **more):
        source, out = self.i.holder / "source.yaml", self.i.holder / "made.pack"
        source.write_text(document(advisories, **more))
        r = packer("sign", secret or self.tmp / "secret", source, out)
        self.assertEqual(r.returncode, 0, r.stderr)
        return out

    def update(self, what, *more):
        return self.i.cli("advisory", "update", self.i.dir, what, *more, ok=False)

    def match(self, *more):
        r = self.i.cli("advisory", "match", self.i.dir, "--root", self.root, *more, ok=False)
        return r.returncode, r

    def findings(self):
        code, r = self.match("--json")
        return code, json.loads(r.stdout)["findings"]

    def zip(self, records, name="all.zip"):
        path = self.i.holder / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
            for n, x in enumerate(records):
                z.writestr("%d.json" % n, x if isinstance(x, str) else json.dumps(x))
        return path



class Cold(Instances):
    # -- packs

    def test_pack_is_taken_once_and_only_forward(self):
        one = self.pack([record("T-1")])
        self.assertIn("version 1", self.update(one).stdout)
        self.assertIn("nothing new", self.update(one).stdout)
        two = self.pack([record("T-1")], version=2)
        self.assertEqual(self.update(two, "--json").returncode, 0)
        old = self.update(self.pack([record("T-1")], version=1))
        self.assertEqual((old.returncode, "older" in old.stderr), (2, True))
        other = self.update(self.pack([record("T-2")], version=2))
        self.assertEqual((other.returncode, "other contents" in other.stderr), (2, True))

    def test_removing_a_pack_does_not_open_the_way_back(self):
        self.update(self.pack([record("T-1")], version=5))
        (self.i.dir / "advisories/test.pack").unlink()
        r = self.update(self.pack([record("T-1")], version=4))
        self.assertEqual((r.returncode, "older" in r.stderr), (2, True))
        self.assertEqual(self.update(self.pack([record("T-1")], version=5)).returncode, 0)

    def test_forged_damaged_expired(self):
        good = self.pack([record("T-1")])
        text = good.read_bytes()
        for at in (30, 60, 120, len(text) - 3):
            bad = self.i.holder / "bad.pack"
            bad.write_bytes(text[:at] + bytes([text[at] ^ 1]) + text[at + 1:])
            r = self.update(bad)
            self.assertEqual(r.returncode, 2, "a changed byte at %d was taken" % at)
        packer("keygen", self.i.holder / "mallory")
        r = self.update(self.pack([record("T-1")], secret=self.i.holder / "mallory"))
        self.assertEqual((r.returncode, "not trusted" in r.stderr), (2, True))
        r = self.update(self.pack([record("T-1")], expires="2020-01-01"))
        self.assertEqual((r.returncode, "time is over" in r.stderr), (2, True))
        self.assertFalse((self.i.dir / "advisories").exists())

    def trust(self, verb, *more, ok=True):
        r = self.i.cli("advisory", "trust", verb, self.i.dir, *more, ok=False)
        if ok:
            self.assertEqual(r.returncode, 0, r.stderr)
        return r

    def test_whose_packs_are_taken(self):
        """A key that its owner added; never one that a pack brings along."""
        self.python_package("demo", "1.0")
        secret = self.i.holder / "publisher"
        key = packer("keygen", secret).stdout.strip()
        one = self.pack([record("T-1")], secret=secret, name="theirs")
        self.assertEqual([k["from"] for k in json.loads(self.trust("list", "--json").stdout)["keys"]], ["bartizan.yaml"])
        r = self.update(one)
        self.assertEqual((r.returncode, "not trusted" in r.stderr, "advisory trust" in r.stderr), (2, True, True))
        self.trust("add", key, "--note", "the publisher, by telephone")
        self.assertIn("already", self.trust("add", key).stdout)
        keys = json.loads(self.trust("list", "--json").stdout)["keys"]
        self.assertEqual([(k["key"], k["from"], k["note"]) for k in keys],
                         [(self.public, "bartizan.yaml", ""), (key, "added", "the publisher, by telephone")])
        self.assertEqual((self.i.dir / "advisories/keys").stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.update(one).returncode, 0)
        self.assertEqual(self.findings()[0], 1)
        # no longer: its packs go, those of others stay, and an old version does not come back
        self.update(self.pack([record("T-2", events=[{"introduced": "9"}])]))
        self.assertIn("theirs", self.trust("remove", key).stdout)
        self.assertEqual(sorted(p.name for p in (self.i.dir / "advisories").glob("*.pack")), ["test.pack"])
        self.assertEqual(self.findings()[1], [])
        self.trust("add", key)
        self.assertEqual(self.update(self.pack([record("T-1")], secret=secret, name="theirs", version=2)).returncode, 0)
        self.assertIn("older", self.update(self.pack([record("T-1")], secret=secret, name="theirs")).stderr)

    def test_keys_that_are_none(self):
        for text in ("", "ed25519:", "ed25519:" + "0" * 63, "ed25519:" + "0" * 65, "rsa:" + "0" * 64, "ed25519:" + "g" * 64):
            self.assertEqual(self.trust("add", text, ok=False).returncode, 2, text)
        key = "ed25519:" + "1" * 64
        self.assertEqual(self.trust("add", key, "--note", "two\nlines", ok=False).returncode, 2)
        self.assertEqual(self.trust("add", key, "--note", "x" * 64, ok=False).returncode, 2)
        self.assertIn("bartizan.yaml", self.trust("remove", self.public, ok=False).stderr)
        self.assertIn("not trusted", self.trust("remove", key, ok=False).stderr)
        self.assertFalse((self.i.dir / "advisories/keys").exists())
        for n in range(23): # one is the configuration's
            self.trust("add", "ed25519:%064x" % (n + 1), "--note", "x" * 63)
        self.assertIn("24 keys", self.trust("add", key, ok=False).stderr)
        # a file that was damaged trusts nobody
        f = self.i.dir / "advisories/keys"
        f.write_text(f.read_text() + "ed25519:zz\n")
        self.assertIn("no key", self.trust("list", ok=False).stderr)
        self.assertEqual(self.match()[0], 2)
        self.assertIn("no key", self.update(self.pack([record("T-1")])).stderr)

    def test_an_installed_pack_is_verified_again(self):
        self.python_package("demo", "1.0")
        self.update(self.pack([record("T-1")]))
        self.assertEqual(self.findings()[0], 1)
        f = self.i.dir / "advisories/test.pack"
        f.write_bytes(f.read_bytes().replace(b"about T-1", b"about T-2"))
        code, r = self.match()
        self.assertEqual((code, "signature" in r.stderr), (2, True))

    def test_a_pack_with_a_bad_rule_is_no_pack(self):
        source = self.i.holder / "source.yaml"
        for rule in ({"server": "ollama"}, {"server": "ollama", "path": "x"}, {"server": "ollama", "param": "a"}, {"path": "/x"},
                     {"server": "ollama", "path": "/x", "param": "y", "deny": True}, {"server": "ollama", "param": "y", "min": "a"}):
            source.write_text(document([record("T-1", database_specific={"patch": [rule]})]))
            self.assertNotEqual(packer("document", source, self.i.holder / "out").returncode, 0, rule)

    # -- archives

    def test_archive_and_states(self):
        self.python_package("demo", "1.5+cu121")
        self.python_package("Other.Thing", "1.0")
        rows = [record("T-1", aliases=["CVE-2099-1"], severity=[{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]),
                record("T-2", aliases=["CVE-2099-1"], database_specific={"severity": "LOW"}),
                record("T-3", withdrawn="2026-01-02T00:00:00Z"),
                record("T-4", events=[{"introduced": "0"}, {"last_affected": "1.5"}], database_specific={"severity": "MODERATE"}),
                record("T-5", events=[{"introduced": "0"}, {"limit": "1.2"}]),
                record("T-6", events=[{"introduced": "1.6"}]),
                record("T-7", name="other_thing", events=[{"introduced": "x"}]),
                record("T-8", versions=["1.5"], events=[{"introduced": "9"}])]
        r = self.update(self.zip(rows))
        self.assertEqual(r.returncode, 0, r.stderr)
        code, found = self.findings()
        self.assertEqual(code, 1)
        self.assertEqual({f["id"]: f["state"] for f in found},
                         {"T-1": "affected", "T-4": "affected", "T-7": "cannot be decided", "T-8": "affected"})
        first = found[0]
        self.assertEqual((first["id"], first["score"], first["severity"], first["fixed"]), ("T-1", 9.8, "critical", "2.0"))
        self.assertEqual(sorted(first["names"]), ["CVE-2099-1", "T-1", "T-2"])
        self.assertEqual(found[1]["severity"], "medium")

    def test_exit_codes(self):
        self.python_package("demo", "3.0")
        self.update(self.zip([record("T-1")]))
        self.assertEqual(self.findings(), (0, []))
        self.update(self.zip([record("T-1", events=[{"introduced": "?"}], modified="2026-02-01T00:00:00Z")]))
        self.assertEqual(self.findings()[0], 3)
        self.assertEqual(self.match("--json", "--sarif")[0], 2)

    def test_older_and_damaged_archives(self):
        new = self.zip([record("T-1", modified="2026-05-01T00:00:00Z")], "new.zip")
        old = self.zip([record("T-1", modified="2025-05-01T00:00:00Z")], "old.zip")
        self.assertEqual(self.update(new).returncode, 0)
        r = self.update(old)
        self.assertEqual((r.returncode, "--older" in r.stderr), (2, True))
        self.assertEqual(self.update(old, "--older").returncode, 0)
        cut = self.i.holder / "cut.zip"
        cut.write_bytes(new.read_bytes()[:60])
        self.assertEqual(self.update(cut).returncode, 2)
        self.assertEqual(self.update(self.zip(["{}"] * 5, "bad.zip")).returncode, 2)
        r = self.update(self.zip([record("T-%d" % n) for n in range(200)] + ["{"], "almost.zip"), "--older")
        self.assertEqual((r.returncode, "could not be read" in r.stderr), (0, True))
        self.assertEqual(self.update(self.i.holder).returncode, 2)
        self.assertEqual(self.update("http://127.0.0.1:9/x.zip").returncode, 2)
        self.assertEqual(self.update("file://" + str(new)).returncode, 0)

    def test_yaml_in_a_tar(self):
        self.python_package("demo", "1.0")
        text = ("id: PYSEC-1\ndetails: |\n  First line.\n  More.\naffected:\n- package: {name: demo, ecosystem: PyPI}\n  ranges:\n"
                "  - type: GIT\n    repo: https://example.org/x\n    events: [{introduced: \"0\"}]\n  versions: [\"1.0\"]\n"
                "modified: \"2022-03-02T06:39:30.836439Z\"\n").encode()
        path = self.i.holder / "db.tar.xz"
        with tarfile.open(path, "w:xz") as t:
            info = tarfile.TarInfo("vulns/demo/PYSEC-1.yaml")
            info.size = len(text)
            t.addfile(info, io.BytesIO(text))
        self.assertEqual(self.update(path).returncode, 0)
        code, found = self.findings()
        self.assertEqual((code, found[0]["summary"]), (1, "First line."))

    def test_debian_by_source_package(self):
        (self.root / "var/lib/dpkg/status").write_text(
            "Package: libfoo1\nStatus: install ok installed\nVersion: 2:1.0-1+b1\nSource: foo (1.0-1)\nArchitecture: amd64\n\n"
            "Package: gone\nStatus: deinstall ok config-files\nVersion: 1.0\n\n")
        self.update(self.zip([record("T-1", eco="Debian:12", name="foo", events=[{"introduced": "0"}, {"fixed": "1.0-1+deb12u1"}]),
                              record("T-2", eco="Debian:11", name="foo", events=[{"introduced": "0"}, {"fixed": "9"}]),
                              record("T-3", eco="Debian:12", name="gone", events=[{"introduced": "0"}])]))
        self.assertEqual([f["id"] for f in self.findings()[1]], ["T-1"])

    # -- known exploited, due dates, SARIF

    def test_kev_and_due(self):
        self.python_package("demo", "1.0")
        self.update(self.zip([record("T-1", aliases=["CVE-2099-1"], database_specific={"severity": "LOW"})]))
        kev = self.i.holder / "kev.json"
        kev.write_text(json.dumps({"catalogVersion": "2026.11.23", "dateReleased": "2026-11-23T10:00:00.000Z", "count": 1,
                                   "vulnerabilities": [{"cveID": "CVE-2099-1", "dueDate": "2026-12-14"}]}))
        def hours(f):
            import datetime
            at = lambda k: datetime.datetime.fromisoformat(f[k].replace("Z", "+00:00"))
            return (at("due") - at("first_seen")).total_seconds() / 3600
        f = self.findings()[1][0]
        self.assertEqual((f["known_exploited"], hours(f)), (False, 4320))
        self.assertEqual(self.update(kev).returncode, 0)
        f = self.findings()[1][0]
        self.assertEqual((f["known_exploited"], hours(f)), (True, 72))
        kev.write_text(kev.read_text().replace("2026-11-23T", "2026-11-22T"))
        self.assertEqual(self.update(kev).returncode, 2)
        self.i.extra += "  \n"
        self.i.write_config(self.i.config().replace("advisories: {", "advisories: {due_hours: {kev: 24}, "))
        self.assertEqual(hours(self.findings()[1][0]), 24)

    def test_ratings_are_shown_and_sorted_by(self):
        self.python_package("demo", "1.0")
        high = {"severity": "HIGH"}
        rows = [record("T-low", database_specific=high | {"epss": {"probability": "0.00100", "percentile": 0.2}}),
                record("T-high", database_specific=high | {"epss": {"probability": 0.94321, "percentile": "0.998"}}),
                record("T-act", database_specific={"severity": "LOW", "ssvc": {"decision": "act", "automatable": "yes", "technical_impact": "total"}}),
                record("T-attend", database_specific={"severity": "CRITICAL", "ssvc": {"decision": "attend", "exploitation": "poc"}}),
                record("T-active", database_specific={"severity": "LOW", "ssvc": {"exploitation": "active"}}),
                record("T-alien", database_specific=high | {"epss": "0.99", "ssvc": ["act"]})] # somebody else's members
        self.update(self.zip(rows))
        code, found = self.findings()
        self.assertEqual([f["id"] for f in found], ["T-active", "T-act", "T-attend", "T-high", "T-low", "T-alien"])
        by = {f["id"]: f for f in found}
        self.assertEqual(by["T-high"]["epss"], {"probability": 0.94321, "percentile": 0.998})
        self.assertEqual(by["T-act"]["ssvc"], {"decision": "act", "automatable": "yes", "technical_impact": "total"})
        self.assertEqual([f["id"] for f in found if f["known_exploited"]], ["T-active"])
        self.assertFalse("epss" in by["T-alien"] or "ssvc" in by["T-alien"])
        text = self.match()[1].stdout
        self.assertIn("EPSS 94.3 %", text)
        self.assertIn("SSVC act (automatable yes, technical impact total)", text)
        # in a pack, whose members are ours, they must be of their form
        for own in ({"epss": "0.99"}, {"epss": {"probability": "1.1"}}, {"epss": {"probability": "9e-1"}}, {"ssvc": {"decision": "panic"}}):
            source = self.i.holder / "source.yaml"
            source.write_text(document([record("T-1", database_specific=own)]))
            self.assertNotEqual(packer("document", source, self.i.holder / "out").returncode, 0, own)

    def conda(self, name, version, *files):
        d = self.root / "opt/conda/conda-meta"
        d.mkdir(parents=True, exist_ok=True)
        (d / ("%s-%s-0.json" % (name, version))).write_text(json.dumps({"name": name, "version": version, "files": list(files)}))

    def test_conda_is_assessed_as_python_or_not_at_all(self):
        site = "lib/python3.11/site-packages"
        self.conda("demo-conda", "1.0", "bin/demo", site + "/demo-1.0.dist-info/METADATA", site + "/demo-1.0.dist-info/RECORD")
        d = self.root / "opt/conda" / site / "demo-1.0.dist-info"
        d.mkdir(parents=True)
        (d / "METADATA").write_text("Name: demo\nVersion: 1.0\n\n")
        self.update(self.zip([record("T-1"), record("T-2", name="libfoo", events=[{"introduced": "0"}])]))
        r = self.match("--json")[1]
        found = json.loads(r.stdout)
        self.assertEqual([(f["id"], f["component"]["kind"], f["component"]["name"]) for f in found["findings"]], [("T-1", "pypi", "demo")])
        self.assertEqual((found["not_assessed"], found["complete"]), ([], True))
        # a library has nothing that an advisory could name; one whose Python package is gone, neither
        self.update(self.zip([record("T-1", events=[{"introduced": "9"}], modified="2026-02-01T00:00:00Z")]))
        self.assertEqual(self.findings(), (0, []))
        self.conda("libfoo", "1.0", "lib/libfoo.so.1")
        self.conda("gone", "1.0", site + "/gone-1.0.dist-info/METADATA")
        code, r = self.match("--json")
        d = json.loads(r.stdout)
        self.assertEqual((code, d["findings"], d["complete"]), (3, [], False))
        self.assertEqual([(o["kind"], o["components"]) for o in d["not_assessed"]], [("conda", 2)])
        self.assertIn("not assessed: 2 conda components", self.match()[1].stdout)
        self.assertIn("conda", json.loads(self.match("--sarif")[1].stdout)["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"])

    def test_what_no_archive_is_about_is_not_clean(self):
        self.python_package("demo", "1.0")
        code, r = self.match("--json")
        self.assertEqual((code, [(o["kind"], o["ecosystem"]) for o in json.loads(r.stdout)["not_assessed"]]), (3, [("pypi", "PyPI")]))
        self.update(self.zip([record("T-1", name="other")]))
        self.assertEqual(self.match()[0], 0)
        (self.root / "var/lib/dpkg/status").write_text("Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n")
        code, r = self.match()
        self.assertEqual((code, "Debian; 'bartizan advisory update'" in r.stdout), (3, True))
        self.update(self.zip([record("T-2", eco="Debian:12", name="b", events=[{"introduced": "0"}])], "debian.zip"))
        self.assertEqual(self.match()[0], 0)
        (self.root / "etc/os-release").write_text("ID=something\n")
        self.assertEqual(self.match()[0], 3)

    def test_sarif(self):
        self.python_package("demo", "1.0")
        self.update(self.zip([record("T-1"), record("T-2")]))
        code, r = self.match("--sarif")
        d = json.loads(r.stdout)
        self.assertEqual((code, d["version"], len(d["runs"][0]["results"])), (1, "2.1.0", 2))
        rules = {x["id"] for x in d["runs"][0]["tool"]["driver"]["rules"]}
        self.assertEqual({x["ruleId"] for x in d["runs"][0]["results"]}, rules)
        self.assertIn("demo-1.0.dist-info", d["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])

    def test_built_in_pack(self):
        d = self.root / "usr/local/bin"
        d.mkdir(parents=True)
        (d / "ollama").write_text("#!/bin/sh\necho ollama version is 0.17.0\n")
        (d / "ollama").chmod(0o755)
        self.assertEqual(self.match()[0], 3) # nobody asked it for its version
        code, r = self.match("--run", "--json")
        ids = {f["id"] for f in json.loads(r.stdout)["findings"] if f["state"] == "affected"}
        self.assertEqual(code, 1)
        self.assertIn("CVE-2026-7482", ids)
        (d / "ollama").write_text("#!/bin/sh\necho ollama version is 99.0.0\n")
        self.assertEqual(self.match("--run")[0], 0)


class BuiltIn(Instances):
    """Every row of the built-in pack, with a version that has the flaw and one that has not, as a person reads the sources."""

    ROWS = {
        "ollama": {"CVE-2026-7482": ("0.17.0", "0.17.1"), "CVE-2024-28224": ("0.1.28", "0.1.29"), "CVE-2024-45436": ("0.1.46", "0.1.47"),
                   "CVE-2026-7020": ("0.20.2", "0.20.3"), "CVE-2025-1975": ("0.7.1", "0.8.0"), "GHSA-f6mr-38g8-39rg": ("0.12.3", "0.12.4"),
                   "CVE-2024-37032": ("0.1.33", "0.1.34"), "CVE-2025-0317": ("0.3.14", "0.3.15"), "CVE-2025-0315": ("0.3.14", "0.3.15")},
        "llama.cpp": {"CVE-2026-27940": ("8145 (1a2b3c4)", "8146 (1a2b3c4)"), "CVE-2026-33298": ("7823 (1a2b3c4)", "7824 (1a2b3c4)"),
                      "CVE-2026-21869": ("99999 (1a2b3c4)", None), "BTZ-2026-0002": ("10252 (1a2b3c4)", "10253 (1a2b3c4)")},
        "llama-cpp-python": {"CVE-2024-34359": ("0.2.71", "0.2.72")},
        "vllm": {"CVE-2025-24357": ("0.6.6.post1", "0.7.0"), "CVE-2025-47277": ("0.8.5.post1", "0.9.0"), "CVE-2025-32444": ("0.8.5", "0.9.0"),
                 "CVE-2025-30202": ("0.8.5", "0.9.0"), "CVE-2026-22778": ("0.14.0", "0.14.1"), "GHSA-mrw7-hf4f-83pf": ("0.11.1rc1", "0.11.1"),
                 "GHSA-pmqf-x6x8-p7qw": ("0.11.0", "0.11.1"), "GHSA-69j4-grxj-j64p": ("0.11.0", "0.11.1"), "CVE-2026-27893": ("0.17.0", "0.17.1"),
                 "CVE-2026-22807": ("0.13.0", "0.14.0"), "CVE-2026-48746": ("0.21.9", "0.22.0"), "GHSA-3f6c-7fw2-ppm4": ("0.10.2", "0.11.0"),
                 "GHSA-wr9h-g72x-mwhm": ("0.10.2", "0.11.0"), "GHSA-hj4w-hm2g-p6w5": ("0.8.4", "0.8.5"), "GHSA-9f8f-2vmf-885j": ("0.8.4", "0.8.5")},
        "sglang": {"CVE-2026-5760": ("0.5.10", None)},
        "text-generation-inference": {"CVE-2026-0599": ("3.3.6", "3.3.7")},
        "text-generation": {"CVE-2026-0599": ("3.3.6", "3.3.7")},
        "triton-inference-server": {"CVE-2026-24207": None},
        "lm-studio": {"BTZ-2026-0003": None},
        "litellm": {"CVE-2026-42208": ("1.83.6", "1.83.7"), "BTZ-2026-0001": ("1.82.8", "1.82.6"), "CVE-2026-42271": ("1.83.6", "1.83.7"),
                    "CVE-2026-35030": ("1.83.13", "1.83.14"), "CVE-2026-35029": ("1.83.13", "1.83.14")},
        "starlette": {"CVE-2026-48710": ("1.0.0", "1.0.1")},
        "langflow": {"CVE-2025-3248": ("1.2.0", "1.3.0"), "CVE-2026-33017": ("1.8.3", "1.9.0")},
        "ray": {"CVE-2023-48022": ("2.55.0", None)},
        "mlflow": {"CVE-2026-2652": ("3.9.9", "3.10.0")},
        "open-webui": {"CVE-2026-44553": ("0.8.12", "0.9.0"), "CVE-2026-45339": ("0.8.12", "0.9.0"), "CVE-2026-44562": ("0.8.12", "0.9.0"),
                       "CVE-2026-44555": ("0.8.12", "0.9.0"), "CVE-2026-45350": ("0.8.5", "0.8.6")},
        "mcp-remote": {"CVE-2025-6514": ("0.1.15", "0.1.16")},
        "keras": {"CVE-2025-1550": ("3.8.0", "3.9.0"), "CVE-2025-8747": ("3.10.0", "3.11.0"), "CVE-2025-9905": ("3.11.2", "3.11.3"),
                  "CVE-2025-12058": ("3.11.3", "3.12.0"), "CVE-2025-12060": ("3.11.3", "3.12.0"), "CVE-2026-0897": ("3.13.1", "3.13.2"),
                  "CVE-2026-1462": ("3.13.2", "3.14.0")},
        "onnx": {"CVE-2022-25882": ("1.12.0", "1.13.0")},
        "nvidia-container-toolkit": {"CVE-2024-0132": ("1.16.1-1", "1.16.2-1"), "CVE-2024-0133": ("1.16.1-1", "1.16.2-1"),
                                     "CVE-2025-23359": ("1.17.3", "1.17.4-1"), "CVE-2025-23266": ("1.17.7-1", "1.17.8-1"),
                                     "CVE-2025-23267": ("1.17.7-1", "1.17.8-1")},
        "nvidia-driver": {"CVE-2026-24190": ("570.133.20", "580.127"), "CVE-2026-24196": ("570.133.20", "580.127")},
    }
    BEFORE = {"CVE-2026-42208": "1.81.15", "CVE-2026-22807": "0.10.0", "CVE-2026-48746": "0.2.7", "CVE-2026-42271": "1.74.1", "CVE-2026-48710": "0.8.2",
              "CVE-2025-6514": "0.0.4"} # older than the flaw
    PROGRAMS = {"ollama": ("ollama", "ollama version is %s"), "llama.cpp": ("llama-server", "version: %s"), "lm-studio": (".lmstudio/bin/lms", "%s"),
                "text-generation-inference": ("text-generation-router", "text-generation-router %s"), "triton-inference-server": ("tritonserver", "%s")}

    def put(self, name, version):
        top = self.root / ("%x" % len(list(self.root.iterdir())))
        if name in self.PROGRAMS:
            file, says = self.PROGRAMS[name]
            f = top / file
            f.parent.mkdir(parents=True)
            f.write_text("#!/bin/sh\necho '%s'\n" % (says % version))
            f.chmod(0o755)
        elif name == "nvidia-driver":
            f = self.root / "proc/driver/nvidia/version"
            f.parent.mkdir(parents=True, exist_ok=True)
            f.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  %s  Thu Feb 22\n" % version)
        elif name == "nvidia-container-toolkit":
            f = self.root / "var/lib/dpkg/status"
            f.write_text((f.read_text() if f.exists() else "") + "Package: %s\nStatus: install ok installed\nVersion: %s\nArchitecture: amd64\n\n" % (name, version))
        elif name == "mcp-remote":
            d = top / "node_modules" / name
            d.mkdir(parents=True)
            (d / "package.json").write_text(json.dumps({"name": name, "version": version}))
        else:
            d = top / ("%s-%s.dist-info" % (name, version))
            d.mkdir(parents=True)
            (d / "METADATA").write_text("Name: %s\nVersion: %s\n\n" % (name, version))

    def found(self, versions):
        """Which rows hold of these components: (name, version) -> {id: state}."""
        shutil.rmtree(self.root)
        for sub in ("etc", "var/lib/dpkg"):
            (self.root / sub).mkdir(parents=True)
        for name, version in sorted(set(versions)):
            self.put(name, version)
        r = self.i.cli("advisory", "match", "--root", self.root, "--run", "--json", ok=False)
        out = {}
        for f in json.loads(r.stdout)["findings"]:
            rows = out.setdefault((f["component"]["name"], f["component"]["version"]), {})
            rows.update({n: f["state"] for n in f["names"]})
        return out

    def pairs(self, at):
        return [(name, id_, pair[at]) for name, rows in self.ROWS.items() for id_, pair in rows.items() if pair is not None and pair[at] is not None]

    def test_every_row_is_here(self):
        document = self.i.holder / "document.json"
        self.assertEqual(packer("document", ROOT / "packaging/advisories/local-stack.yaml", document).returncode, 0)
        rows = json.loads(document.read_text())["advisories"]
        self.assertEqual(len({r["id"] for r in rows}), len(rows))
        self.assertEqual({(a["package"]["name"], r["id"]) for r in rows for a in r["affected"]},
                         {(name, id_) for name, ids in self.ROWS.items() for id_ in ids})
        for r in rows:
            self.assertTrue(all(x["url"].startswith("https://") for x in r["references"]) and r["references"], r["id"])
            own = r.get("database_specific", {})
            self.assertTrue(r.get("severity") or own.get("severity"), r["id"])
            for a in r["affected"]:
                events = [e for x in a.get("ranges", []) for e in x["events"]]
                bounded = a.get("versions") or any(set(e) & {"fixed", "last_affected", "limit"} for e in events)
                self.assertTrue(bounded or own.get("unsure"), "%s has no end, and does not say so" % r["id"])

    def test_versions_with_the_flaw(self):
        wanted = self.pairs(0)
        got = self.found([(n, v) for n, _, v in wanted])
        self.assertEqual([w for w in wanted if got.get((w[0], w[2]), {}).get(w[1]) != "affected"], [])

    def test_versions_without_it(self):
        wanted = self.pairs(1) + [(name, i, self.BEFORE[i]) for name, rows in self.ROWS.items() for i in rows if i in self.BEFORE]
        got = self.found([(n, v) for n, _, v in wanted])
        self.assertEqual([w for w in wanted if w[1] in got.get((w[0], w[2]), {})], [])
        self.assertGreater(len(wanted), len(self.BEFORE) + 50)

    def test_what_no_version_tells(self):
        names = [(n, "2.60.0") for n, rows in self.ROWS.items() if None in rows.values()]
        got = self.found(names)
        for (name, version) in names:
            for id_ in self.ROWS[name]:
                self.assertEqual(got[name, version][id_], "cannot be decided")


if DATABASE.exists(): # other people's data: read where it lies

    class RealDatabase(Instances):
        def test_pypa(self):
            self.python_package("mlflow", "1.22.0")
            self.python_package("jinja2", "2.10")
            self.python_package("requests", "99.0")
            r = self.update(DATABASE, "--json")
            self.assertEqual(r.returncode, 0, r.stderr)
            self.assertGreater(json.loads(r.stdout)["advisories"], 2500)
            code, found = self.findings()
            names = {n for f in found for n in f["names"]}
            self.assertEqual(code, 1)
            self.assertIn("PYSEC-2022-28", names)
            self.assertEqual({f["component"]["name"] for f in found}, {"mlflow", "jinja2"})


# ---- virtual patches -------------------------------------------------------------------------------------------------------


class VirtualPatch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-advisory-"))
        cls.addClassCleanup(shutil.rmtree, cls.tmp)
        cls.public = packer("keygen", cls.tmp / "secret").stdout.strip()
        cls.upstream = ollama_standin.start(delay=0)
        cls.addClassCleanup(cls.upstream.server_close)
        cls.addClassCleanup(cls.upstream.shutdown)
        cls.i = Instance([backend("oll", "ollama", "http://127.0.0.1:%d" % cls.upstream.server_address[1])],
                         extra='advisories: {keys: ["%s"]}\n' % cls.public)
        cls.addClassCleanup(cls.i.close)
        cls.i.start()
        cls.i.served("tiny:latest")

    def take(self, version, *records):
        source, out = self.tmp / "source.yaml", self.tmp / "made.pack"
        source.write_text(document(list(records), version=version))
        self.assertEqual(packer("sign", self.tmp / "secret", source, out).returncode, 0)
        self.i.cli("advisory", "update", self.i.dir, out)

    def show(self):
        return self.i.post("/api/show", {"model": "tiny"}, key=self.i.admin)

    def chat(self, **options):
        return self.i.post("/api/chat", {"model": "tiny", "messages": HELLO, "stream": False, "options": options})

    def test_from_load_to_fix(self):
        own = {"scheme": "semver"}
        rules = [{"server": "ollama", "method": "POST", "path": "/api/show"}, {"server": "ollama", "param": "options.top_k", "max": "40"}]
        events = [{"introduced": "0"}, {"fixed": "99.0.0"}]
        flaw = record("CVE-2099-7", eco="Bartizan", name="ollama", events=events, ecosystem_specific=own, database_specific={"patch": rules})
        self.assertEqual(self.show().status, 200)
        self.assertEqual(self.chat(top_k=41).status, 200)
        self.take(1, flaw)
        # in force with the next request
        r = self.show()
        self.assertEqual((r.status, "CVE-2099-7" in r.body.decode()), (403, True))
        self.assertEqual((self.chat(top_k=41).status, self.chat(top_k=40).status), (403, 200))
        status = json.loads(self.i.cli("advisory", "status", self.i.dir, "--json"))
        self.assertEqual([p["advisory"] for p in status["patches"] if p["backends"] == ["oll"]], ["CVE-2099-7"] * 2)
        # gone when the server shows a version with the fix, back with one that has not
        before = ollama_standin.VERSION
        try:
            ollama_standin.VERSION = "99.0.0"
            wait_for(lambda: self.show().status == 200)
            self.assertEqual(self.chat(top_k=41).status, 200)
            ollama_standin.VERSION = "98.9.0"
            wait_for(lambda: self.show().status == 403)
        finally:
            ollama_standin.VERSION = before
        # a version that is none: nobody can say that it is fixed
        ollama_standin.VERSION = "who knows"
        try:
            wait_for(lambda: "who knows" in self.i.cli("status", self.i.dir, "--json"))
            self.assertEqual(self.show().status, 403)
        finally:
            ollama_standin.VERSION = before
        # with the key go its packs, and with these their rules
        self.i.cli("advisory", "trust", "add", self.i.dir, packer("keygen", self.tmp / "other").stdout.strip())
        key = packer("keygen", self.tmp / "third").stdout.strip()
        self.i.cli("advisory", "trust", "add", self.i.dir, key)
        source, out = self.tmp / "source.yaml", self.tmp / "third.pack"
        source.write_text(document([flaw | {"id": "CVE-2099-8"}], name="third"))
        self.assertEqual(packer("sign", self.tmp / "third", source, out).returncode, 0)
        self.i.cli("advisory", "update", self.i.dir, out)
        ids = lambda: {p["advisory"] for p in json.loads(self.i.cli("advisory", "status", self.i.dir, "--json"))["patches"]}
        self.assertIn("CVE-2099-8", ids())
        self.i.cli("advisory", "trust", "remove", self.i.dir, key)
        self.assertNotIn("CVE-2099-8", ids())
        # withdrawn: gone at once
        self.take(2, flaw | {"withdrawn": "2026-11-01T00:00:00Z"})
        self.assertEqual(self.show().status, 200)
