"""bartizan posture: every check on a good tree and on what spoils it, fixes and their undoing, forms of output, what it may touch."""
import contextlib
import http.server
import json
import os
import pathlib
import random
import re
import resource
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

import posture_trees as trees
from harness import BARTIZAN, BUILD, HANG_S, Case, backend, free_port, wait_for

CLI = str(BUILD / "bartizan-cli") if (BUILD / "bartizan-cli").exists() else BARTIZAN
NOBODY = 65534


def run(*args, program=BARTIZAN, **kw):
    kw.setdefault("timeout", HANG_S)
    return subprocess.run([program, "posture"] + [str(a) for a in args], capture_output=True, text=True, stdin=subprocess.DEVNULL, **kw)


def force_remove(path):
    for folder, _, _ in os.walk(path):
        os.chmod(folder, 0o700)
    shutil.rmtree(path)


class Tree(unittest.TestCase):
    """A tree on disk that tests spoil and put right again."""

    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-test-"))
        self.root = self.tmp / "root"
        self.addCleanup(force_remove, self.tmp)
        os.chmod(self.tmp, 0o755)

    def build(self, tree=None):
        self.tree = trees.good() if tree is None else tree
        return trees.build(self.root, self.tree)

    def rebuild(self, new):
        """Only what differs is written anew."""
        old, self.tree = self.tree, new
        for path in sorted(old.keys() - new.keys() | {p for p in old.keys() & new.keys() if old[p] != new[p]}, reverse=True):
            at = self.root / path
            if at.is_dir() and not at.is_symlink():
                os.chmod(at, 0o755)
            else:
                at.unlink()
            parent = at.parent
            while parent != self.root and parent.exists() and not any(parent.iterdir()) and str(parent.relative_to(self.root)) not in new:
                parent.rmdir()
                parent = parent.parent
        trees.build(self.root, {p: e for p, e in new.items() if p not in old or old[p] != e or not os.path.lexists(self.root / p)})

    def audit(self, *args, code=None, **kw):
        r = run("--root", self.root, "--json", *args, **kw)
        if code is not None:
            self.assertEqual(r.returncode, code, r.stderr)
        report = json.loads(r.stdout)
        report["by_id"] = {c["id"]: c for c in report["checks"]}
        return report


class Checks(Tree):
    def test_the_good_tree_has_no_finding(self):
        self.build()
        report = self.audit(code=0)
        self.assertEqual(report["findings"], [])
        self.assertEqual(report["summary"]["score"], 100)
        # Keys of the gateway are known to a running instance alone.
        self.assertEqual({c["id"]: c["status"] for c in report["checks"] if c["status"] != "pass"}, {"E07": "not-assessable"})

    def test_every_check_has_a_way_to_spoil_it(self):
        self.build()
        ids = [c["id"] for c in self.audit()["checks"]]
        self.assertEqual(sorted(ids), sorted(trees.BAD))
        self.assertEqual(len(ids), len(set(ids)))
        facts = [i for i in ids if i[0] != "H"]
        self.assertEqual(len(facts), 79)

    def test_every_way_is_found(self):
        self.build()
        good = self.tree
        missed = []
        for name, ways in trees.BAD.items():
            for n, way in enumerate(ways):
                bad = dict(good)
                way(bad)
                self.rebuild(bad)
                check = self.audit()["by_id"][name]
                if check["status"] != "fail" or not check["evidence"]:
                    missed.append((name, n, check["status"], check["evidence"]))
        self.rebuild(good)
        self.assertEqual(missed, [])
        self.audit(code=0) # and the tree is the good one again

    def test_all_at_once(self):
        tree = trees.all_bad()
        self.build(tree)
        report = self.audit(code=1)
        self.assertEqual([c["id"] for c in report["checks"] if c["status"] != "fail"], [])
        self.assertEqual(report["summary"]["score"], 0)

    def test_without_descriptors_the_owner_is_inferred(self):
        tree = trees.good()
        for path in [p for p in tree if re.match(r"proc/\d+/fd/", p)]:
            del tree[path]
        self.build(tree)
        self.assertEqual(self.audit()["findings"], [])
        for port, check in ((11434, "A01"), (8080, "A04"), (30000, "A12"), (8265, "A13"), (5000, "A15"), (3000, "A18")):
            bad = dict(tree)
            trees.tcp(("127.0.0.1", port), ("0.0.0.0", port))(bad)
            self.rebuild(bad)
            c = self.audit()["by_id"][check]
            self.assertEqual(c["status"], "fail", check)
            self.assertRegex(" ".join(c["evidence"]), "inferred|port")

    def test_descriptors_as_a_listing(self):
        tree = trees.good()
        listing = {}
        for path in [p for p in tree if re.match(r"proc/\d+/fd/", p)]:
            pid, n = path.split("/")[1], path.split("/")[3]
            listing.setdefault(pid, []).append("lrwx------ 1 root root 64 Nov 23 08:00 %s %s" % (n, tree.pop(path)))
        for pid, lines in listing.items():
            tree["proc/%s/fd" % pid] = ("\n".join(lines) + "\n", 0o400)
        trees.tcp(("127.0.0.1", 11434), ("0.0.0.0", 11434))(tree)
        self.build(tree)
        c = self.audit()["by_id"]["A01"]
        self.assertIn("pid 200 ollama", c["evidence"][0])
        self.assertNotIn("inferred", c["evidence"][0])

    def test_versions_below_at_and_above_the_fix(self):
        self.build()
        good = self.tree
        dpkg, site = "var/lib/dpkg/status", trees.SP
        rows = [("D06", "usr/local/bin/ollama", b"0.17.1", v, bad) for v, bad in
                ((b"0.17.0", 1), (b"0.17.1-rc1", 1), (b"0.17.1", 0), (b"0.17.2-rc0", 0), (b"0.18.0", 0), (b"0.9.9", 1))]
        rows += [("C04", dpkg, "1.17.8-1", v, bad) for v, bad in
                 (("1.17.7-1", 1), ("1.17.8~rc.2-1", 1), ("1.17.8-1", 0), ("1.17.8-1+b1", 0), ("1.18.0-1", 0), ("1:1.0.0-1", 0))]
        rows += [("D07", "opt/llama.cpp/VERSION", "b8146", v, bad) for v, bad in
                 (("b8145", 1), ("b8146", 0), ("b8147", 0), ("b10000", 0), ("b999", 1))]
        rows += [("D04", site + "vllm-0.18.0.dist-info/METADATA", "Version: 0.18.0", "Version: " + v, bad) for v, bad in
                 (("0.17.9", 1), ("0.18.0rc1", 1), ("0.18.0", 0), ("0.18.0.post1", 0), ("1.0", 0))]
        for check, path, old, new, bad in rows:
            tree = dict(good)
            trees.swap(path, old, new)(tree)
            self.rebuild(tree)
            self.assertEqual(self.audit()["by_id"][check]["status"], "fail" if bad else "pass", (check, new))
        tree = dict(good)
        trees.swap("usr/local/bin/ollama", b"0.17.1", b"0f3a9c1")(tree)
        self.rebuild(tree)
        self.assertEqual(self.audit()["by_id"]["D06"]["status"], "not-assessable")

    def test_another_account_never_says_pass_where_root_finds(self):
        tree = trees.all_bad()
        self.build(tree)
        for path in ("etc/shadow", "var/lib/bartizan", "var/lib/docker/containers", "root", "etc/nftables.conf"):
            if (self.root / path).exists():
                os.chmod(self.root / path, 0)
        # Who runs the tests as an ordinary account is one already.
        other = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        # A clone below /root is nothing that another account reaches.
        for name in ("bartizan", "bartizan-cli"):
            if (BUILD / name).exists():
                shutil.copy(BUILD / name, self.tmp / name)
                os.chmod(self.tmp / name, 0o755)
        report = self.audit(program=str(self.tmp / "bartizan"), **other)
        self.assertFalse(report["privileged"])
        self.assertEqual([c["id"] for c in report["checks"] if c["status"] in ("pass", "not-applicable")], [])
        for name in ("A02", "A21", "B05", "H08", "H14"):
            self.assertEqual(report["by_id"][name]["status"], "not-assessable")


class Hostile(Tree):
    def test_nothing_leads_out_of_the_tree(self):
        outside = self.tmp / "elsewhere7"
        outside.mkdir()
        (outside / "secret").write_text("OPENAI_API_KEY=%s\n" % trees.SK)
        (outside / "models").mkdir(mode=0o777)
        os.chmod(outside / "models", 0o777)
        (outside / "models" / "m.ckpt").write_bytes(b"\x80\x04x")
        self.build({"home/alice/x": ("", 0o644)})
        os.symlink(outside / "secret", self.root / "home/alice/.env")
        os.symlink("../../../../../../../../" + str(outside / "secret"), self.root / "home/alice/prod.env")
        os.symlink(outside, self.root / "srv")
        os.symlink("/etc/passwd", self.root / "home/alice/mcp.json")
        os.symlink("loop", self.root / "home/alice/loop")
        os.symlink(".", self.root / "home/alice/again")
        text = run("--root", self.root, "--json").stdout
        self.assertNotIn("elsewhere7", text)
        self.assertNotIn("proj-", text)
        self.assertNotIn("m.ckpt", text)

    def test_fifos_devices_and_sockets_are_not_opened(self):
        self.build()
        special = ["etc/passwd", "etc/nftables.conf", "proc/net/tcp", "proc/200/cmdline", "proc/200/environ", "var/lib/dpkg/status",
                   "home/alice/app/.env", "srv/models/m.gguf", "etc/systemd/system/ollama.service"]
        for path in special:
            (self.root / path).unlink()
            os.mkfifo(self.root / path)
        report = self.audit()
        self.assertTrue(any("FIFO" in n for n in report["notes"]), report["notes"])

    def test_garbage_in_place_of_every_file(self):
        rng = random.Random(7)
        good = trees.good()
        for kind in range(6):
            with self.subTest(kind=kind):
                tree = {}
                for path, entry in good.items():
                    if isinstance(entry, str) or entry[0] == "DIR":
                        tree[path] = entry
                        continue
                    data = entry[0] if isinstance(entry[0], bytes) else entry[0].encode()
                    if kind == 0:
                        data = rng.randbytes(300)
                    elif kind == 1:
                        data = data[:rng.randrange(len(data) + 1)]
                    elif kind == 2:
                        data = b"\0" * 5000
                    elif kind == 3:
                        data = data.replace(b"\n", b"\r\n").replace(b" ", b"\t")
                    elif kind == 4:
                        data = b"[" * 3000 + b"{" * 3000
                    else:
                        data = bytes(b ^ (1 << rng.randrange(8)) if rng.random() < 0.02 else b for b in data)
                    tree[path] = (data, entry[1])
                if self.root.exists():
                    force_remove(self.root)
                self.build(tree)
                r = run("--root", self.root, "--json")
                self.assertIn(r.returncode, (0, 1, 3), r.stderr)
                json.loads(r.stdout)

    def test_huge_files_and_memory(self):
        self.build()
        for path in ("etc/passwd", "proc/net/tcp", "var/lib/dpkg/status", "home/alice/app/.env", "proc/200/environ", "etc/nftables.conf",
                     "srv/models/m.gguf"):
            with open(self.root / path, "r+b") as f:
                f.truncate(4 << 30)
        with open(self.root / "proc/201/cmdline", "wb") as f:
            f.write(b"a\0" * 2000000)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss

        def limit():
            resource.setrlimit(resource.RLIMIT_DATA, (64 << 20, 64 << 20))
        r = run("--root", self.root, "--json", preexec_fn=limit)
        self.assertIn(r.returncode, (0, 1), r.stderr)
        json.loads(r.stdout)
        self.assertLessEqual(max(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, before), max(before, 64 << 10))

    def test_names_from_outside_are_escaped(self):
        evil = "\x1b]0;owned\x07\u202e<script>alert(1)</script>"
        tree = trees.good()
        trees.proc(tree, 900, "alice", ["/tmp/" + evil + "/llama-server", "--api-key", "s3cr3t" + "-of-the-house"], [], [9191], addr="0.0.0.0",
                   comm="evil\x1b[2J")
        tree["home/alice/app/<b>x\x1b[31m.env"] = ("API_KEY=%s\n" % trees.SK, 0o644)
        self.build(tree)
        for form in ((), ("--all",), ("--sarif",), ("--json",), ("--html",)):
            r = run("--root", self.root, *form)
            self.assertEqual(r.returncode, 1, r.stderr)
            machine = form in (("--sarif",), ("--json",)) # what JSON need not escape is for its reader
            self.assertNotRegex(r.stdout, "[\x00-\x08\x0b-\x1f]" if machine else "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
            self.assertNotIn("s3cr3t", r.stdout)
            self.assertNotIn(trees.SK, r.stdout)
            self.assertNotIn(trees.HF, r.stdout)
        html = run("--root", self.root, "--html").stdout
        self.assertNotIn("<script>", html)
        self.assertNotIn("<b>x", html)

    def test_processes_that_vanish(self):
        stop = threading.Event()

        def churn():
            while not stop.is_set():
                subprocess.run(["true"], check=True)
        t = threading.Thread(target=churn)
        t.start()
        try:
            for _ in range(3):
                self.assertIn(run("--json", "--no-get").returncode, (0, 1))
        finally:
            stop.set()
            t.join()


class Touching(Tree):
    """What the auditor does to the system, as strace sees it."""
    WRITES = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND")
    CHANGES = re.compile(r"^\d*\s*(rename|unlink|mkdir|rmdir|chmod|fchmod|chown|fchown|lchown|link|symlink|mknod|truncate|ftruncate|"
                         r"setxattr|fsetxattr|utime|mount|umount|ptrace|kill|tkill|bind|listen|execve|sethostname|init_module)\w*\(")

    def trace(self, *args):
        out = self.tmp / "trace"
        r = subprocess.run(["strace", "-f", "-qq", "-s", "256", "-o", str(out), CLI, "posture", "--json", *map(str, args)], capture_output=True,
                           text=True, timeout=HANG_S, stdin=subprocess.DEVNULL)
        self.assertIn(r.returncode, (0, 1), r.stderr)
        lines = out.read_text(errors="replace").splitlines()
        self.assertGreater(len(lines), 100)
        changed = []
        for line in lines:
            call = re.sub(r"^\d+\s+", "", line)
            if re.match(r"open(at2?)?\(", call) and any(w in call for w in self.WRITES) and '"/dev/null"' not in call:
                changed.append(line)
            if self.CHANGES.match(call) and "execve(" not in call[:7]:
                changed.append(line)
        self.assertEqual(changed, [])
        self.assertEqual(sum("execve(" in line for line in lines), 1, "starts another program")
        return lines

    def test_a_tree_is_only_read_and_no_packet_leaves(self):
        self.build()
        before = self.snapshot()
        lines = self.trace("--root", self.root)
        self.assertEqual([line for line in lines if re.search(r"\b(socket|connect|sendto|sendmsg)\(", line)], [])
        self.assertEqual(self.snapshot(), before)

    def snapshot(self):
        out = {}
        for folder, _, files in os.walk(self.root):
            for f in files:
                s = os.lstat(os.path.join(folder, f))
                out[os.path.join(folder, f)] = (s.st_mode, s.st_mtime_ns, s.st_size)
        return out

    def test_the_running_system_is_only_read_and_asked_with_get_on_loopback(self):
        seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                seen.append((self.command, self.path, self.headers.get("Host")))
                body = b'[{"id":0,"prompt":"x"}]'
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_HEAD = answer # noqa: N815

            def log_message(self, *a):
                pass
        port = free_port()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # A process that looks like llama-server and whose port that is; the descriptor is passed on.
        os.set_inheritable(server.socket.fileno(), True)
        fake = self.tmp / "llama-server"
        shutil.copy("/bin/sleep", fake)
        p = subprocess.Popen([str(fake), "300"], close_fds=False)
        try:
            lines = self.trace()
        finally:
            p.kill()
            p.wait()
            server.shutdown()
            server.server_close()
        self.assertTrue(any(s[1] == "/slots" for s in seen), seen)
        self.assertEqual({s[0] for s in seen}, {"GET"})
        for line in lines:
            if "connect(" in line:
                self.assertRegex(line, r'inet_addr\("127\.|inet_pton\(AF_INET6, "::1"|AF_UNIX' if "AF_INET" in line else ".", line)
            if re.search(r"\bsocket\(", line):
                self.assertRegex(line, r"AF_INET6?, SOCK_STREAM", line)
        sent = [line for line in lines if "sendto(" in line]
        self.assertTrue(sent)
        for line in sent:
            self.assertIn('"GET /', line)

    def test_no_get_sends_nothing(self):
        lines = self.trace("--no-get")
        self.assertEqual([line for line in lines if re.search(r"\b(connect|sendto)\(", line)], [])


class Fixes(Tree):
    def spoiled(self):
        tree = trees.good()
        bad = ["E01", "E05", "F01", "G02", "H14"]
        for name in bad:
            trees.BAD[name][0](tree)
        trees.unit(tree, "llama", "llama", tree_exec(tree, "llama"), more="")
        trees.unit(tree, "ollama", "ollama", "/usr/local/bin/ollama serve", ["OLLAMA_HOST=0.0.0.0", "OLLAMA_ORIGINS=*"], more="")
        tree["proc/200/environ"] = (b"HOME=/var/lib/ollama\0", 0o400)
        del tree["etc/nftables.conf"]
        trees.mode("srv/models/m.gguf", 0o666)(tree)
        trees.mode("home/alice/app/.env", 0o644)(tree)
        return tree

    FIXED = ("A01", "A02", "A21", "A22", "B04", "B09", "D01", "E01", "E04", "E05", "F01", "G02", "H14")

    def contents(self):
        out = {}
        for folder, _, files in os.walk(self.root):
            for f in files:
                at = os.path.join(folder, f)
                if not os.path.islink(at) and "var/lib/bartizan/posture" not in at:
                    with open(at, "rb") as h:
                        out[at] = (os.stat(at).st_mode, h.read())
        return out

    def test_shown_written_once_and_taken_back(self):
        self.build(self.spoiled())
        before = self.contents()
        found = self.audit(code=1)["by_id"]
        for name in self.FIXED:
            self.assertEqual(found[name]["status"], "fail", name)
        shown = run("--root", self.root, "--fix", "--dry-run")
        self.assertEqual(shown.returncode, 1, shown.stderr)
        for text in ("+MemoryMax=", "+IPAddressDeny=any", "policy drop", "chmod 0666 -> 0664 /srv/models/m.gguf", "+++ /etc/nftables.conf"):
            self.assertIn(text, shown.stdout)
        self.assertEqual(self.contents(), before)

        written = run("--root", self.root, "--fix", "--yes")
        self.assertEqual(written.returncode, 0, written.stderr)
        self.assertEqual(written.stdout, shown.stdout)
        after = self.audit()["by_id"]
        for name in self.FIXED:
            self.assertEqual(after[name]["status"], "pass", (name, after[name]["evidence"]))
        fixed = self.contents()

        again = run("--root", self.root, "--fix", "--yes", "--only", "A21", "--only", "B04", "--only", "B09", "--only", "E01", "--only", "G02")
        self.assertEqual((again.returncode, again.stdout), (0, ""), again.stderr)
        self.assertEqual(self.contents(), fixed)
        while True: # what is left open may have been written in the second round only
            more = run("--root", self.root, "--fix", "--yes")
            self.assertEqual(more.returncode, 0, more.stderr)
            if more.stdout == "":
                break
        dry = run("--root", self.root, "--undo", "--dry-run")
        self.assertEqual(dry.returncode, 0, dry.stderr)
        self.assertIn("would remove /etc/nftables.conf", dry.stdout)
        undone = run("--root", self.root, "--undo")
        self.assertEqual(undone.returncode, 0, undone.stderr)
        self.assertEqual(self.contents(), before)
        self.assertFalse((self.root / "etc/systemd/system/ollama.service.d").exists())
        nothing = run("--root", self.root, "--undo")
        self.assertEqual(nothing.returncode, 2)
        self.assertIn("nothing to undo", nothing.stderr)

    def test_what_was_changed_since_stays(self):
        self.build(self.spoiled())
        self.assertEqual(run("--root", self.root, "--fix", "--yes").returncode, 0)
        mine = self.root / "etc/systemd/system/ollama.service.d/50-bartizan.conf"
        mine.write_text(mine.read_text() + "Nice=5\n")
        r = run("--root", self.root, "--undo")
        self.assertIn("was changed since, left as it is: /etc/systemd/system/ollama.service.d/50-bartizan.conf", r.stdout)
        self.assertTrue(mine.read_text().endswith("Nice=5\n"))

    def test_only_and_existing_rulesets(self):
        tree = trees.good()
        tree["etc/nftables.conf"] = ("#!/usr/sbin/nft -f\nflush ruleset\ntable inet mine {\n}", 0o755)
        self.build(tree)
        r = run("--root", self.root, "--fix", "--yes", "--only", "A21")
        self.assertEqual(r.returncode, 0, r.stderr)
        text = (self.root / "etc/nftables.conf").read_text()
        self.assertTrue(text.startswith("#!/usr/sbin/nft -f\nflush ruleset\ntable inet mine {\n}\ninclude"), text)
        self.assertEqual((self.root / "etc/nftables.conf").stat().st_mode & 0o777, 0o755)
        self.assertEqual(self.audit()["by_id"]["A21"]["status"], "pass")
        rules = (self.root / "etc/nftables.d/bartizan.nft").read_text()
        self.assertIn("8443", rules) # what is open and no AI program stays open
        self.assertNotIn("11434", rules)

    def test_a_link_in_the_way_leads_nowhere(self):
        outside = self.tmp / "victim"
        outside.write_text("mine")
        self.build(self.spoiled())
        (self.root / "etc/apt/apt.conf.d").mkdir(parents=True, exist_ok=True)
        os.symlink(outside, self.root / "etc/apt/apt.conf.d/99bartizan-periodic")
        r = run("--root", self.root, "--fix", "--yes", "--only", "G02")
        self.assertEqual(r.returncode, 2, r.stdout + r.stderr)
        self.assertEqual(outside.read_text(), "mine")


def tree_exec(tree, name):
    return re.search(r"^ExecStart=(.*)$", tree["etc/systemd/system/%s.service" % name][0], re.M).group(1)


class Forms(Tree):
    def bad(self):
        tree = trees.good()
        for name in ("A01", "E02", "D03", "G08", "H04"):
            trees.BAD[name][0](tree)
        self.build(tree)

    def test_json_says_what_the_page_says(self):
        self.bad()
        report = self.audit(code=1)
        self.assertEqual(report["schema"], "bartizan-posture/1")
        open_ = {f["id"] for f in report["findings"]}
        self.assertEqual(open_, {c["id"] for c in report["checks"] if c["status"] == "fail"})
        self.assertLessEqual({"A01", "E02", "D03", "G08", "H04"}, open_)
        for c in report["checks"]:
            self.assertIn(c["status"], ("pass", "fail", "not-assessable", "not-applicable"))
            self.assertIn(c["severity"], ("low", "medium", "high", "critical"))
            for key in ("title", "why", "fix"):
                self.assertTrue(c[key])
            self.assertTrue(c["references"])
            if c["status"] in ("fail", "not-assessable"):
                self.assertTrue(c["evidence"], c["id"])
        s = report["summary"]
        self.assertEqual(s["fail"], len(open_))
        self.assertLessEqual(s["score"], 49) # a critical one is open

    def test_sarif(self):
        self.bad()
        r = run("--root", self.root, "--sarif")
        self.assertEqual(r.returncode, 1, r.stderr)
        sarif = json.loads(r.stdout)
        self.assertEqual(sarif["version"], "2.1.0")
        one = sarif["runs"][0]
        rules = one["tool"]["driver"]["rules"]
        for result in one["results"]:
            self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])
            self.assertIn(result["kind"], ("fail", "open"))
            self.assertEqual(result["level"] == "none", result["kind"] != "fail")
            self.assertTrue(result["message"]["text"])
            self.assertTrue(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("file:///"))
        self.assertIn("A01", {x["ruleId"] for x in one["results"]})

    def test_html_needs_nothing_else(self):
        self.bad()
        page = run("--root", self.root, "--html").stdout
        self.assertIn("default-src 'none'", page)
        self.assertNotRegex(page, r"<script|<link|<img|<iframe|src=|url\(|@import|\son\w+=\"")
        self.assertIn("Ollama listens beyond loopback", page)
        self.assertEqual(page.count("<details"), page.count("</details>"))

    def test_text_fits_narrow_windows(self):
        self.bad()
        text = run("--root", self.root, "--all").stdout
        self.assertIn("A01 critical", text)
        for line in text.splitlines():
            self.assertTrue(len(line) <= 80 or " " not in line.strip(), line) # only a word without blanks may be longer

    def test_suppressions(self):
        self.bad()
        file = self.tmp / "suppress.yaml"

        def entry(check, date, owner="ops@example.org", reason="behind a lab firewall"):
            return "  - {id: %s, owner: %s, reason: %s, expires: %s}\n" % (check, owner, reason, date)
        file.write_text("suppressions:\n" + entry("A01", "2199-01-01") + entry("G08", "2020-01-01"))
        report = self.audit("--suppress", file, code=1)
        open_ = {f["id"] for f in report["findings"]}
        self.assertNotIn("A01", open_)
        self.assertIn("G08", open_) # expired: it counts again, and says so
        self.assertEqual(report["by_id"]["A01"]["suppression"]["owner"], "ops@example.org")
        self.assertFalse(report["by_id"]["G08"]["suppression"]["in_force"])
        self.assertEqual((report["summary"]["suppressed"], report["summary"]["expired_suppressions"]), (1, 1))
        self.assertTrue(any("G08" in n and "expired" in n for n in report["notes"]))
        self.assertIn("suppressed:", run("--root", self.root, "--suppress", file).stdout)
        today, day = int(time.time()) // 86400, 86400
        for delta, held in ((0, False), (1, True)):
            date = time.strftime("%Y-%m-%d", time.gmtime((today + delta) * day))
            file.write_text("suppressions:\n" + entry("A01", date))
            self.assertEqual("A01" not in {f["id"] for f in self.audit("--suppress", file)["findings"]}, held, date)
        for text in ("suppressions:\n  - {id: A01, owner: x, reason: y}\n", "suppressions:\n" + entry("Z99", "2199-01-01"),
                     "suppressions:\n  - {id: A01, reason: y, expires: 2199-01-01}\n", "suppressions: 3\n", "- x\n", "{{{{", "a: &x [*x]\n",
                     "suppressions:\n" + entry("A01", "2199-02-30"), "suppressions:\n" + entry("A01", "2199-01-01") * 2,
                     "suppressions:\n  - {id: A01, owner: x, reason: y, expires: 2199-01-01, forever: yes}\n"):
            file.write_text(text)
            r = run("--root", self.root, "--suppress", file)
            self.assertEqual((r.returncode, r.stdout), (2, ""), text)
            self.assertIn("suppress.yaml", r.stderr)

    def test_difference_to_the_last_run(self):
        self.bad()
        state = self.tmp / "state.json"
        first = self.audit("--state", state)
        self.assertNotIn("last_score", first["summary"])
        self.assertEqual(state.stat().st_mode & 0o777, 0o600)
        tree = dict(self.tree)
        good = trees.good()
        tree["etc/ssh/sshd_config"] = good["etc/ssh/sshd_config"]
        trees.BAD["H05"][0](tree)
        self.rebuild(tree)
        second = self.audit("--state", state)
        self.assertEqual(second["by_id"]["G08"]["change"], "fixed")
        self.assertEqual(second["by_id"]["H05"]["change"], "new")
        self.assertEqual(second["by_id"]["A01"]["change"], "same")
        self.assertEqual(second["summary"]["last_score"], first["summary"]["score"])
        sarif = json.loads(run("--root", self.root, "--sarif", "--state", state).stdout)
        self.assertTrue(all(x["baselineState"] == "unchanged" for x in sarif["runs"][0]["results"] if x["kind"] == "fail"))
        state.write_text("{}")
        r = run("--root", self.root, "--state", state)
        self.assertEqual(r.returncode, 2)

    def test_exit_codes(self):
        (self.tmp / "empty").mkdir()
        r = run("--root", self.tmp / "empty", "--only", "A01")
        self.assertEqual(r.returncode, 2)
        self.build()
        self.assertEqual(run("--root", self.root).returncode, 0)
        self.assertEqual(run("--root", self.tmp / "none").returncode, 2)
        self.assertEqual(run("--root", self.root, "--json", "--sarif").returncode, 2)
        self.assertEqual(run("--bogus").returncode, 2)
        self.assertEqual(run("--fix", "--only", "Q77", "--root", self.root).returncode, 2)
        self.assertEqual(run("--help").returncode, 0)
        with open("/dev/full", "w") as full:
            r = subprocess.run([BARTIZAN, "posture", "--root", str(self.root)], stdout=full, stderr=subprocess.PIPE, timeout=HANG_S)
        self.assertEqual(r.returncode, 2)

    def test_nothing_to_see_is_not_clean(self):
        # An image with nothing in it: A21 fails for want of a ruleset; with one, nothing is left to say.
        self.build({"etc/nftables.conf": (trees.NFT, 0o644)})
        r = run("--root", self.root, "--json")
        report = json.loads(r.stdout)
        self.assertEqual(report["summary"]["fail"], 0, report["findings"])
        self.assertGreater(report["summary"]["not_assessable"], 5)


class Instance(unittest.TestCase):
    def test_a_real_instance(self):
        with contextlib.ExitStack() as stack:
            tmp = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-test-"))
            stack.callback(shutil.rmtree, tmp)
            d = tmp / "gw"
            made = subprocess.run([BARTIZAN, "init", str(d), "--backend", "llama.cpp=http://127.0.0.1:%d" % free_port(), "--json"],
                                  capture_output=True, text=True, timeout=HANG_S)
            self.assertEqual(made.returncode, 0, made.stderr)
            r = run("--instance", d, "--json", "--no-get")
            self.assertIn(r.returncode, (0, 1), r.stderr)
            kept = json.loads((d / "posture/last.json").read_text())
            self.assertEqual(kept["schema"], "bartizan-posture/1")
            self.assertEqual(kept["checks"], json.loads(r.stdout)["checks"])
            by_id = {c["id"]: c for c in kept["checks"]}
            self.assertEqual(by_id["H14"]["status"], "pass", by_id["H14"]["evidence"])
            self.assertEqual(run("--instance", d, "--seal").returncode, 0)

            def g05():
                out = run("--instance", d, "--json", "--no-get", "--no-record")
                return {c["id"]: c for c in json.loads(out.stdout)["checks"]}["G05"]
            self.assertEqual(g05()["status"], "pass", g05())
            manifest = (d / "posture/manifest").read_bytes()
            with open(d / "bartizan.yaml", "a") as f:
                f.write("# changed\n")
            self.assertEqual(g05()["status"], "fail")
            self.assertEqual(run("--instance", d, "--seal").returncode, 0)
            self.assertEqual(g05()["status"], "pass")
            (d / "posture/manifest").write_bytes(manifest) # an old manifest under the new signature
            self.assertIn("signature", " ".join(g05()["evidence"]))
            (d / "posture/suppress.yaml").write_text("suppressions:\n  - {id: G05, owner: me, reason: test, expires: 2199-01-01}\n")
            out = json.loads(run("--instance", d, "--json", "--no-get").stdout)
            self.assertNotIn("G05", [f["id"] for f in out["findings"]])
            self.assertEqual(run("--instance", tmp).returncode, 2)


class Policy(Case):
    """The last audit as an input of policy."""

    def audit(self, i, **changed):
        """What an audit leaves: a real one's report with another summary."""
        last = i.dir / "posture" / "last.json"
        if not last.exists():
            run("--instance", i.dir, "--json", "--no-get")
        report = json.loads(last.read_text())
        report["time"] = int(changed.pop("time", time.time()))
        report["summary"] |= {"critical": 0, "high": 0, "score": 100} | changed
        last.write_text(json.dumps(report))

    def test_requests_wait_for_a_good_audit(self):
        up = self.upstream(models=["m"])
        i = self.instance([backend("local", "openai", "http://127.0.0.1:%d" % up.port, models=["m"])], extra="posture: {mode: enforce, max_high: 3, min_score: 50, max_age_hours: 2}\n")
        code = lambda: i.chat("m").code
        says = lambda: json.loads(i.cli("status", i.dir, "--json", ok=False).stdout)
        wait_for(lambda: "has not been audited" in json.dumps(says()))
        self.assertEqual(code(), "backend_unsafe")
        for bad, words in (({"critical": 1}, "1 critical findings"), ({"high": 4}, "4 high findings"), ({"score": 49}, "score of 49"),
                           ({"time": time.time() - 3 * 3600}, "older than 2 hours"), ({"time": time.time() + 3600}, "in the future")):
            self.audit(i, high=3, score=50)
            wait_for(lambda: i.chat("m").status == 200)
            self.audit(i, **bad)
            wait_for(lambda: code() == "backend_unsafe")
            self.assertIn(words, json.dumps(says()))
        (i.dir / "posture" / "last.json").write_text("{")
        wait_for(lambda: "cannot be read" in json.dumps(says()))
        self.assertEqual(code(), "backend_unsafe")
        i.write_config(i.config().replace("mode: enforce", "mode: watch"))
        i.cli("reload", i.dir)
        wait_for(lambda: i.chat("m").status == 200)
        self.assertIn("cannot be read", json.dumps(says()["daemon"]["posture"]))
        checks = [r["detail"] for r in i.export() if r.get("reason") == "posture.check"]
        self.assertIn("as asked for", checks)
        self.assertTrue(any("4 high findings" in c for c in checks))


if __name__ == "__main__":
    unittest.main()
