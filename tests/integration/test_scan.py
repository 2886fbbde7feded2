"""bartizan scan: exit codes and their order, folders and links, the three forms of output, hashes, a terminal's width, and that
a scan of a big or hostile folder ends."""
import fcntl
import gzip
import hashlib
import io
import json
import os
import pathlib
import pty
import shutil
import signal
import socket
import struct
import subprocess
import tarfile
import tempfile
import termios
import unittest
import zipfile

from harness import BARTIZAN, HANG_S, ROOT

# Never loaded: it would only run `true`.
EVIL = b"cposix\nsystem\n(S'true'\ntR."
GOOD = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01u."
UNKNOWN = bytes(range(1, 9)) * 64
HEADER = json.dumps({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
SAFETENSORS = struct.pack("<Q", len(HEADER)) + HEADER + bytes(16)


def scan(*args, **kw):
    return subprocess.run([BARTIZAN, "scan"] + [str(a) for a in args], capture_output=True, timeout=HANG_S, **kw)


def findings(path, *args):
    r = scan("--json", *args, path)
    return json.loads(r.stdout), r.returncode


class Scan(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bz-scan-"))
        self.addCleanup(shutil.rmtree, self.dir)

    def put(self, name, data):
        p = self.dir / name
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_bytes(data)
        return p


class ExitCodes(Scan):
    def test_each(self):
        self.assertEqual(scan(self.put("good.pkl", GOOD)).returncode, 0)
        self.assertEqual(scan(self.put("evil.txt", EVIL)).returncode, 1)
        self.assertEqual(scan(self.put("what.gguf", UNKNOWN)).returncode, 3)
        self.assertEqual(scan(self.dir / "not-there").returncode, 2)
        self.assertEqual(scan().returncode, 2)
        self.assertEqual(scan("--no-such-option", ".").returncode, 2)
        self.assertEqual(scan("--fail-on", "terrible", ".").returncode, 2)
        self.assertEqual(scan("--jobs", "0", ".").returncode, 2)
        self.assertEqual(scan("--json", "--sarif", ".").returncode, 2)
        self.assertEqual(scan("--help").returncode, 0)

    def test_findings_go_before_failures_and_failures_before_what_was_not_checked(self):
        good, evil, odd = self.put("good", GOOD), self.put("evil", EVIL), self.put("odd", UNKNOWN)
        gone = self.dir / "gone"
        self.assertEqual(scan(good, odd).returncode, 3)
        self.assertEqual(scan(good, odd, gone).returncode, 2)
        self.assertEqual(scan(good, odd, gone, evil).returncode, 1)

    def test_a_payload_before_damage_is_a_payload(self):
        for name, data in (("cut.pkl", EVIL[:-1] + b"\xff\xff\xff"), ("cut.pkl.gz", gzip.compress(EVIL * 50)[:-6])):
            out, rc = findings(self.put(name, data))
            self.assertEqual(rc, 1, name)
            self.assertIn("critical", [f["severity"] for f in out["files"][0]["findings"]], name)

    def test_fail_on(self):
        b = io.BytesIO()
        with zipfile.ZipFile(b, "w") as z:
            z.writestr("a\\b.txt", "x")  # low
        p = self.put("low.zip", b.getvalue())
        self.assertEqual(scan(p).returncode, 0)
        self.assertEqual(scan("--fail-on", "low", p).returncode, 1)
        self.assertEqual(scan("--fail-on", "critical", self.put("evil", EVIL)).returncode, 1)


class Folders(Scan):
    def test_names_do_not_count(self):
        for name in ("model.safetensors", "README.md", "x.gguf", "tokenizer.json", "noext"):
            self.put(name, EVIL)
        out, rc = findings(self.dir)
        self.assertEqual((rc, out["totals"]["findings"]), (1, 5))

    def test_links(self):
        self.put("blobs/one", SAFETENSORS)
        (self.dir / "snapshot").mkdir()
        (self.dir / "snapshot/model.safetensors").symlink_to("../blobs/one")
        (self.dir / "dangling").symlink_to("nowhere")
        out, rc = findings(self.dir)
        self.assertEqual((rc, out["totals"]["files"], out["totals"]["links"]), (0, 1, 2))
        with tempfile.TemporaryDirectory() as other:
            pathlib.Path(other, "evil").write_bytes(EVIL)
            (self.dir / "out").symlink_to(pathlib.Path(other, "evil"))
            out, rc = findings(self.dir)
            self.assertEqual((rc, len(out["links_outside"])), (3, 1))
            self.assertEqual(scan(self.dir / "out").returncode, 1)  # named by the user: followed
            (self.dir / "folder").symlink_to(other)
            self.assertEqual(findings(self.dir)[0]["totals"]["files"], 1)

    def test_pipes_and_sockets_are_left_out(self):
        self.put("good", GOOD)
        os.mkfifo(self.dir / "pipe")
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(self.dir / "sock"))
            out, rc = findings(self.dir)
        self.assertEqual((rc, out["totals"]["special"], out["totals"]["files"]), (0, 2, 1))
        self.assertEqual(scan(self.dir / "pipe").returncode, 2)

    def test_order_is_that_of_the_names_whatever_the_number_of_processes(self):
        for i in range(300):
            self.put("d%d/f%03d" % (i % 7, i), EVIL if i % 9 == 0 else GOOD)
        one = scan("--jobs", 1, "--json", self.dir).stdout
        self.assertEqual(one, scan("--jobs", 8, "--json", self.dir).stdout)
        names = [f["path"] for f in json.loads(one)["files"]]
        self.assertEqual(len(names), 300)
        self.assertEqual(names, sorted(names))

    def test_deep_folders_end(self):
        p = self.dir
        for _ in range(140):
            p = p / "d"
        p.mkdir(parents=True)
        (p / "evil").write_bytes(EVIL)
        r = scan(self.dir)
        self.assertEqual(r.returncode, 2)
        self.assertIn(b"nested too deeply", r.stderr)

    def test_odd_names(self):
        name = "we\x1b[31mird\n\u202e.pkl"
        self.put(name, EVIL)
        r = scan(self.dir)
        self.assertEqual(r.returncode, 1)
        self.assertNotIn(b"\x1b", r.stdout)
        self.assertNotIn("\u202e".encode(), r.stdout)
        out, _ = findings(self.dir)
        self.assertIn("\\x1b", out["files"][0]["path"])
        json.loads(scan("--sarif", self.dir).stdout)


    def test_installed_programs_are_no_model_files(self):
        """Where packages put software they are counted, not called a finding; anywhere else they are one."""
        elf = b"\x7fELF\x02\x01\x01" + bytes(57)
        installed = ("root/usr/lib/x86_64-linux-gnu/libm.so.6", "root/usr/bin/tool", "root/usr/local/libexec/x",
                     "venv/lib/python3.11/site-packages/numpy/core.so")
        for name in installed:
            self.put("soft/" + name, elf)
        out, code = findings(self.dir / "soft")
        self.assertEqual(code, 3)
        self.assertEqual(out["totals"]["programs"], len(installed))
        self.assertEqual({f["rule"] for x in out["files"] for f in x["findings"]}, {"EXE-INSTALLED"})
        r = scan(self.dir / "soft")
        self.assertIn(b"4 of those not checked are installed programs", r.stdout)
        self.assertNotIn(b"libm", r.stdout)
        self.assertIn(b"libm", scan("--verbose", self.dir / "soft").stdout)
        for name in ("lib/op.so", "bin/op", "usr/op.so", "usr/share/op.so", "site-packages/op.so", "weights.bin",
                     "libs/usr", "x/usr/lib"):
            p = self.put("model/" + name, elf)
            out, code = findings(p)
            self.assertEqual((code, out["files"][0]["findings"][0]["rule"]), (1, "EXE-NATIVE"), name)
        p = self.put("soft/root/usr/lib/evil.pkl", EVIL) # whatever is no program is looked at as ever
        self.assertEqual(scan(p).returncode, 1)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as z:
            z.writestr("usr/lib/x.so", elf)
        self.assertEqual(scan(self.put("soft/root/usr/lib/x.zip", packed.getvalue())).returncode, 1)
        self.assertEqual(scan(str(self.dir) + "/soft/root/usr/lib/../../../../model/weights.bin").returncode, 1)


class Output(Scan):
    def test_json(self):
        b = io.BytesIO()
        with zipfile.ZipFile(b, "w") as z:
            z.writestr("inner/data.pkl", EVIL)
        out, rc = findings(self.put("a.zip", b.getvalue()), "--hash")
        self.assertEqual((rc, out["version"]), (1, 1))
        f = out["files"][0]
        self.assertEqual((f["format"], f["verdict"], f["severity"], f["members"]), ("zip", "findings", "critical", 1))
        self.assertEqual(f["sha256"], hashlib.sha256(b.getvalue()).hexdigest())
        worst = f["findings"][0]
        self.assertEqual(worst["place"], "inner/data.pkl")
        for key in ("rule", "kind", "severity", "title", "offset", "evidence", "would", "todo", "ref"):
            self.assertIn(key, worst)
        page = (ROOT / "docs/SCAN-RULES.md").read_text()
        for found in f["findings"]:
            self.assertIn("`%s`" % found["rule"], page)

    def test_json_where_nothing_could_be_opened(self):
        out, rc = findings(self.dir / "gone")
        self.assertEqual((rc, out["totals"]["files"], out["totals"]["failed"]), (2, 0, 1))

    def test_sarif(self):
        self.put("evil model.pkl", EVIL)
        self.put("good", GOOD)
        r = scan("--sarif", self.dir, self.dir / "gone")
        self.assertEqual(r.returncode, 1)
        run = json.loads(r.stdout)["runs"][0]
        rules = {x["id"] for x in run["tool"]["driver"]["rules"]}
        self.assertGreater(len(run["results"]), 0)
        for x in run["results"]:
            self.assertIn(x["ruleId"], rules)
            self.assertTrue(x["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith("evil%20model.pkl"))
        self.assertFalse(run["invocations"][0]["executionSuccessful"])

    def test_hashes_are_as_sha256sum_prints_them(self):
        small, big = self.put("small", GOOD), self.put("big", SAFETENSORS + b"")
        data = os.urandom(1 << 20) * 9 + b"tail"  # more than what one thread reads
        big.write_bytes(data)
        lines = scan("--hash", small, big).stdout.decode().splitlines()
        self.assertIn("%s  %s" % (hashlib.sha256(GOOD).hexdigest(), small), lines)
        self.assertIn("%s  %s" % (hashlib.sha256(data).hexdigest(), big), lines)

    def test_a_narrow_terminal(self):
        self.put("evil.pkl", EVIL)
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 44, 0, 0))
        p = subprocess.Popen([BARTIZAN, "scan", "evil.pkl"], stdout=slave, stderr=slave, cwd=self.dir)
        os.close(slave)
        out = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            out += piece
        self.assertEqual(p.wait(timeout=HANG_S), 1)
        for line in out.decode().splitlines():
            line = line.split("\x1b[K")[-1]
            if " files: " in line or " file: " in line:
                continue
            self.assertLessEqual(len(line), 44, line)

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            r = subprocess.run([BARTIZAN, "scan", str(self.put("good", GOOD))], stdout=full, stderr=subprocess.PIPE, timeout=HANG_S)
        self.assertEqual(r.returncode, 2)


class Hostile(Scan):
    def test_nothing_is_written_beside_the_files(self):
        b = io.BytesIO()
        with tarfile.open(fileobj=b, mode="w:gz") as t:
            i = tarfile.TarInfo("../escaped")
            i.size = 4
            t.addfile(i, io.BytesIO(b"data"))
        self.put("in/slip.tar.gz", b.getvalue())
        before = sorted(p.name for p in self.dir.rglob("*"))
        self.assertEqual(scan(self.dir).returncode, 1)
        self.assertEqual(before, sorted(p.name for p in self.dir.rglob("*")))

    def test_bombs_end(self):
        self.put("bomb.gz", gzip.compress(bytes(100 << 20), 9))
        b = io.BytesIO()
        with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
            for i in range(10):
                z.writestr("%d" % i, bytes(20 << 20))
        self.put("bomb.zip", b.getvalue())
        out, rc = findings(self.dir)
        self.assertEqual((rc, out["totals"]["findings"]), (1, 2))

    def test_a_worker_that_dies_costs_one_file(self):
        """SIGKILL from outside stands for a crash: one file fails, the others are scanned."""
        for i in range(4):
            self.put("a%d" % i, GOOD)
        big = self.put("slow.gz", gzip.compress(os.urandom(1 << 20) * 150, 1))
        p = subprocess.Popen([BARTIZAN, "scan", "--json", "--jobs", "2", str(self.dir)], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        children = pathlib.Path("/proc/%d/task/%d/children" % (p.pid, p.pid))
        killed = False
        while p.poll() is None and not killed:
            for child in children.read_text().split():
                try:
                    opened = [os.readlink(x) for x in pathlib.Path("/proc", child, "fd").iterdir()]
                except OSError:
                    continue
                if str(big) in opened:
                    os.kill(int(child), signal.SIGKILL)
                    killed = True
        out, _ = p.communicate(timeout=HANG_S)
        self.assertTrue(killed)
        out = json.loads(out)
        self.assertEqual(p.returncode, 2)
        self.assertEqual([f["path"] for f in out["failures"]], [str(big)])
        self.assertEqual(out["totals"]["clean"], 4)

    def test_workers_are_confined(self):
        """No new privileges, a seccomp filter, and no descriptor but pipes, the folder and the file."""
        big = self.put("slow.gz", gzip.compress(os.urandom(1 << 20) * 150, 1))
        p = subprocess.Popen([BARTIZAN, "scan", str(big)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        children = pathlib.Path("/proc/%d/task/%d/children" % (p.pid, p.pid))
        seen = None
        while p.poll() is None and seen is None:
            for child in children.read_text().split():
                try:
                    opened = [os.readlink(x) for x in pathlib.Path("/proc", child, "fd").iterdir()]
                    if str(big) in opened:
                        seen = pathlib.Path("/proc", child, "status").read_text()
                except OSError:
                    continue
        p.communicate(timeout=HANG_S)
        self.assertIsNotNone(seen)
        self.assertIn("NoNewPrivs:\t1", seen)
        self.assertIn("Seccomp:\t2", seen)


if __name__ == "__main__":
    unittest.main()
