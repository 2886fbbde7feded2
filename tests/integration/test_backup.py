"""Backups: taken while the instance works, worth nothing without the key, whole again on a machine that has only the key."""
import json
import os
import pathlib
import re
import resource
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from harness import BARTIZAN, Case, Instance, Load, backend, descendants, wait_for
from test_bodies import spool_file


def cli(*args, code=0, **kw):
    """Runs `bartizan backup ...`; its output, parsed when --json was asked for."""
    r = subprocess.run([BARTIZAN, "backup", *map(str, args)], capture_output=True, text=True, timeout=120, **kw)
    if r.returncode != code:
        raise AssertionError("backup %s: exit %d, not %d\n%s%s" % (" ".join(map(str, args)), r.returncode, code, r.stdout, r.stderr))
    return json.loads(r.stdout) if "--json" in args and r.stdout else r.stdout + r.stderr


def froms(*archives):
    return [x for a in archives for x in ("--from", a)]


def tree(top):
    """{path: contents} of everything below, without what belongs to a run."""
    out = {}
    for p in sorted(pathlib.Path(top).rglob("*")):
        rel = p.relative_to(top)
        if rel.parts[0] in ("run", "nginx") or p.name.endswith(("-wal", "-shm")):
            continue
        out[str(rel)] = p.read_bytes() if p.is_file() else None
    return out


class Cold(unittest.TestCase):
    """An instance that does not run; every test has its own copy of it."""

    @classmethod
    def setUpClass(cls):
        cls.made = Instance([backend("b", "openai", "http://127.0.0.1:9", ["ok"])])

    @classmethod
    def tearDownClass(cls):
        cls.made.close()

    def setUp(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-backup-"))
        self.addCleanup(shutil.rmtree, self.top)
        self.dir = self.top / "i"
        shutil.copytree(self.made.dir, self.dir)
        self.key = self.top / "key"
        self.recipient = cli("key", "--out", self.key, "--json")["recipient"]
        self.full, self.inc = self.top / "full.bzb", self.top / "inc.bzb"

    def create(self, out=None, *more, code=0, to=None):
        return cli("create", self.dir, "--to", to or self.recipient, "--out", out or self.full, "--json", *more, code=code)

    def restore(self, *archives, target="r", code=0, key=None, more=()):
        return cli("restore", self.top / target, "--key", key or self.key, *froms(*archives), "--json", *more, code=code)

    def left(self):
        return sorted(p.name for p in self.top.iterdir())

    def test_what_went_in_comes_out(self):
        (self.dir / "words").mkdir()
        (self.dir / "words" / "list.txt").write_text("alpha\n" * 100000) # more than two chunks
        (self.dir / "empty").touch()
        (self.dir / "run" / "left-out").write_text("x")
        (self.dir / "secrets" / "local.key").write_text("credential")
        (self.dir / "secrets" / "local.key").chmod(0o400)
        before = tree(self.dir)
        self.create()
        r = self.restore(self.full)
        after = tree(self.top / "r")
        for d in (before, after): # SQLite's copy has another change counter
            d.pop("store/bartizan.db")
        self.assertEqual(before, after)
        dump = [list(sqlite3.connect(self.top / d / "store" / "bartizan.db").iterdump()) for d in ("i", "r")]
        self.assertEqual(*dump)
        self.assertTrue(r["ok"] and r["checks"]["config"] and r["checks"]["store"])
        self.assertEqual((self.top / "r" / "secrets" / "local.key").stat().st_mode & 0o777, 0o400)
        self.assertEqual((self.top / "r" / "secrets" / "master.key").stat().st_mode & 0o777, 0o600)
        self.assertEqual((self.top / "r").stat().st_mode & 0o777, 0o700)
        self.assertFalse((self.top / "r" / "run" / "left-out").exists())
        self.assertEqual((self.top / "r" / "empty").stat().st_mtime_ns, (self.dir / "empty").stat().st_mtime_ns)

    def test_nothing_in_it_can_be_read(self):
        self.create()
        data = self.full.read_bytes()
        for f in ("bartizan.yaml", "tls/ca.pem", "tls/server.key", "secrets/master.key", "secrets/audit.key"):
            text = (self.dir / f).read_bytes()
            for i in range(0, len(text) - 15, 16):
                self.assertNotIn(text[i:i + 16], data, f)
            self.assertNotIn(f.encode(), data)
        self.assertEqual(self.full.stat().st_mode & 0o777, 0o600)

    def test_incremental_equals_full(self):
        blob = self.dir / "blob"
        blob.write_bytes(os.urandom(3 << 20))
        full = self.create()
        with open(blob, "r+b") as f:
            f.seek(1 << 20)
            f.write(b"changed")
        (self.dir / "bartizan.yaml").write_text(self.made.config() + "# changed\n")
        (self.dir / "secrets" / "more").write_text("new")
        (self.dir / "tls" / "gone").touch()
        inc = self.create(self.inc, "--base", self.full)
        self.assertEqual((full["number"], inc["number"]), (0, 1))
        self.assertLess(inc["size"], full["size"] // 5)
        os.remove(self.dir / "tls" / "gone")
        third = self.top / "third.bzb"
        self.create(third, "--base", self.inc)
        again = self.top / "again.bzb"
        self.create(again)
        self.restore(third, self.full, self.inc, target="chain") # in any order
        self.restore(again, target="whole")
        self.assertEqual(tree(self.top / "chain"), tree(self.top / "whole"))
        self.restore(self.full, self.inc, target="earlier")
        self.assertIn("tls/gone", tree(self.top / "earlier"))
        cli("verify", self.full, third, self.inc, "--key", self.key)

    def test_a_chain_with_a_missing_or_wrong_link(self):
        self.create()
        self.create(self.inc, "--base", self.full)
        (self.dir / "more").write_text("x")
        third, other = self.top / "third.bzb", self.top / "other.bzb"
        self.create(third, "--base", self.inc)
        self.create(other)
        for archives in ([self.inc], [third], [self.full, third], [other, self.inc], [self.full, other],
                         [self.full, self.full], [self.inc, third]):
            r = cli("verify", *archives, "--key", self.key, "--json", code=1)
            self.assertFalse(r["ok"])
            self.assertTrue(r["findings"], archives)
            cli("verify", *archives, code=1) # the links can be judged without a key
            self.restore(*archives, code=1)
        self.assertNotIn("r", self.left())

    def test_the_longest_chain(self):
        chain = [self.top / "0.bzb"]
        self.create(chain[0])
        for n in range(1, 64):
            (self.dir / "n").write_text(str(n))
            chain.append(self.top / ("%d.bzb" % n))
            self.assertEqual(self.create(chain[n], "--base", chain[n - 1])["number"], n)
        self.create(self.inc, "--base", chain[-1], code=2)
        self.restore(*reversed(chain))
        self.assertEqual((self.top / "r" / "n").read_text(), "63")

    def test_tampering(self):
        self.create()
        good = self.full.read_bytes()
        size = len(good)
        before = self.left()
        for at in [0, 9, 20, 60, 100, 140, 250, 263, 300, size // 3, size // 2, size - 400, size - 100, size - 64, size - 1]:
            data = bytearray(good)
            data[at] ^= 0x10
            self.full.write_bytes(data)
            for args in (["verify", self.full], ["verify", self.full, "--key", self.key]):
                code = subprocess.run([BARTIZAN, "backup", *map(str, args)], capture_output=True).returncode
                self.assertIn(code, (1, 3), "byte %d" % at)
            r = subprocess.run([BARTIZAN, "backup", "restore", self.top / "r", "--key", self.key, "--from", self.full],
                               capture_output=True)
            self.assertIn(r.returncode, (1, 3), "byte %d" % at)
        for n in (0, 7, 100, size // 2, size - 1):
            self.full.write_bytes(good[:n])
            cli("verify", self.full, "--key", self.key, code=1)
            self.restore(self.full, code=1)
        self.full.write_bytes(good + b"x")
        self.restore(self.full, code=1)
        self.assertEqual(self.left(), before, "something was left behind")

    def test_keys(self):
        other = self.top / "other"
        theirs = cli("key", "--out", other, "--json")["recipient"]
        self.assertEqual(other.stat().st_mode & 0o777, 0o600)
        self.create()
        cli("verify", self.full, "--key", other, code=3)
        self.assertIn("was not made for this key", cli("restore", self.top / "r", "--key", other, "--from", self.full, code=3))
        self.create(self.top / "both.bzb", "--to", other)
        self.restore(self.top / "both.bzb", target="mine")
        self.restore(self.top / "both.bzb", target="theirs", key=other)
        cli("key", "--out", other, code=2) # never replaced
        self.assertIn("mistyped", cli("create", self.dir, "--to", theirs[:-2] + ("aa" if theirs[-2] != "a" else "ba"),
                                      "--out", self.inc, code=2))
        # who was not a recipient of the base could not restore
        self.create(self.inc, "--base", self.full, to=theirs, code=2)
        self.assertFalse(self.inc.exists())

    def test_whose_archive(self):
        signed = self.create()["signer"]
        pinned = self.top / "pinned"
        mine = cli("key", "--out", pinned, "--instance", self.dir, "--json")
        self.assertEqual(mine["signer"], signed)
        stranger = Instance([backend("b", "openai", "http://127.0.0.1:9", ["ok"])])
        self.addCleanup(stranger.close)
        forged = self.top / "forged.bzb"
        cli("create", stranger.dir, "--to", mine["recipient"], "--out", forged)
        cli("verify", forged, "--key", pinned, code=1)
        cli("restore", self.top / "r", "--key", pinned, "--from", forged, code=1)
        cli("verify", self.full, "--signer", signed)
        cli("verify", forged, "--signer", signed, code=1)
        self.assertFalse(cli("verify", self.full, "--json")["pinned"])
        self.create(self.inc, "--base", forged, code=2)
        self.assertFalse((self.top / "r").exists())

    def test_a_damaged_base(self):
        self.create()
        data = bytearray(self.full.read_bytes())
        data[len(data) // 2] ^= 1
        self.full.write_bytes(data)
        self.create(self.inc, "--base", self.full, code=2)
        self.assertEqual(self.left(), ["full.bzb", "i", "key"])

    def test_targets(self):
        self.create()
        data = self.full.read_bytes()
        self.create(code=2) # an archive that is there stays
        self.assertEqual(self.full.read_bytes(), data)
        self.restore(self.full, target="i", code=2)
        (self.top / "file").touch()
        self.restore(self.full, target="file", code=2)
        (self.top / "link").symlink_to(self.top / "elsewhere")
        self.restore(self.full, target="link", code=2)
        (self.top / "empty").mkdir()
        self.restore(self.full, target="empty/")
        self.assertTrue((self.top / "empty" / "bartizan.yaml").exists())
        self.assertFalse((self.top / "elsewhere").exists())
        self.assertIn("usage", cli("restore", self.top / "r", "--key", self.key, code=2))

    def test_links_and_odd_files(self):
        (self.top / "outside.pem").write_text("from elsewhere")
        (self.dir / "tls" / "linked.pem").symlink_to(self.top / "outside.pem")
        self.create()
        self.restore(self.full)
        self.assertEqual((self.top / "r" / "tls" / "linked.pem").read_text(), "from elsewhere")
        self.assertFalse((self.top / "r" / "tls" / "linked.pem").is_symlink())
        (self.dir / "tls" / "dangling").symlink_to("/nowhere")
        os.mkfifo(self.dir / "fifo")
        (self.dir / "line\nfeed").touch()
        r = self.create(self.inc, code=1)
        self.assertEqual(len(r["left_out"]), 3, r)
        self.restore(self.inc, target="r2")
        self.assertIn("bartizan.yaml", tree(self.top / "r2"))

    def test_files_outside_of_the_instance(self):
        text = (self.dir / "bartizan.yaml").read_text()
        (self.top / "my.key").write_text("x")
        (self.dir / "bartizan.yaml").write_text(text + "tls: {certificate: tls/server.pem, key: %s/my.key}\n" % self.top)
        self.assertIn("tls.key", self.create(code=1)["left_out"][0])
        self.restore(self.full) # it is still on this machine
        os.remove(self.top / "my.key")
        r = self.restore(self.full, target="r2", code=1)
        self.assertIn("not on this machine", r["findings"][0])
        self.assertNotIn("r2", self.left())
        self.restore(self.full, target="r2", code=1, more=["--despite-findings"])
        self.assertIn("r2", self.left())

    def test_a_full_disk(self):
        (self.dir / "blob").write_bytes(os.urandom(2 << 20))
        small = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)), "restore_signals": False}
        cli("create", self.dir, "--to", self.recipient, "--out", self.full, code=2, **small)
        self.assertEqual(self.left(), ["i", "key"])
        self.create()
        for verb in ("restore", "drill"):
            cli(verb, self.top / "r", "--key", self.key, "--from", self.full, code=2, **small)
            self.assertEqual(self.left(), ["full.bzb", "i", "key"])

    def stopped(self, done, *args):
        """Ends a command in the middle; whether it was (or had finished already). `done` is what it would have made."""
        before = self.left()
        p = subprocess.Popen([BARTIZAN, "backup", *map(str, args)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.left() != before or p.poll() is not None, step=0.005)
        p.terminate()
        code = p.wait()
        self.assertIn(code, (0, 2))
        self.assertEqual(self.left(), sorted(before + [done.name]) if code == 0 else before)
        return code == 2

    def test_stopped_in_the_middle(self):
        with open(self.dir / "blob", "wb") as f:
            f.truncate(1 << 28) # one chunk, again and again
        self.stopped(self.inc, "create", self.dir, "--to", self.recipient, "--out", self.inc)
        self.assertFalse([p for p in (self.dir / "run").iterdir() if "copy" in p.name])
        self.create()
        self.stopped(self.top / "r", "restore", self.top / "r", "--key", self.key, "--from", self.full)

    def test_erasures_since_then(self):
        erased = self.dir / "bodies" / "erased"
        erased.parent.mkdir()
        erased.write_text("one\ntwo\n")
        self.create()
        newer = self.top / "newer"
        newer.write_text("two\nthree\none\nfour\ntorn")
        r = self.restore(self.full, more=["--tombstones", newer], code=1)
        self.assertIn("torn", r["findings"][0])
        newer.write_text("two\nthree\none\nfour\n")
        self.restore(self.full, more=["--tombstones", newer])
        self.assertEqual((self.top / "r" / "bodies" / "erased").read_text(), "one\ntwo\nthree\nfour\n")

    def test_a_damaged_store_is_found(self):
        db = self.dir / "store" / "bartizan.db"
        with open(db, "r+b") as f:
            f.seek(4096)
            f.write(b"\xff" * 200)
        self.create()
        r = self.restore(self.full, code=1)
        self.assertFalse(r["checks"]["store"])
        self.assertNotIn("r", self.left())
        self.assertEqual(cli("drill", self.dir, "--key", self.key, "--from", self.full, "--json", code=1)["ok"], False)
        self.assertEqual(self.left(), ["full.bzb", "i", "key"])

    def test_only_one_at_a_time(self):
        lock = self.dir / "run" / "backup.lock"
        with open(lock, "w") as f:
            import fcntl
            fcntl.flock(f, fcntl.LOCK_EX)
            self.assertIn("another backup", cli("create", self.dir, "--to", self.recipient, "--out", self.full, code=2))
        self.create()

    def test_master_key_by_passphrase(self):
        plain = (self.dir / "secrets" / "master.key").read_bytes()
        word = self.top / "word"
        word.write_text("correct horse")
        self.made.cli("master", self.dir, "--to", "passphrase", "--new-file", word)
        self.assertFalse((self.dir / "secrets" / "master.key").exists())
        (self.top / "wrong").write_text("incorrect")
        self.create(None, "--passphrase-file", self.top / "wrong", code=2)
        self.create(None, "--passphrase-file", word)
        self.restore(self.full) # the recipient's key alone
        self.assertEqual((self.top / "r" / "secrets" / "master.key").read_bytes(), plain)
        self.assertFalse((self.top / "r" / "secrets" / "master.json").exists())

    def test_owner(self):
        import getpass
        self.create()
        self.restore(self.full, more=["--owner", getpass.getuser()])
        self.assertEqual({p.stat().st_uid for p in (self.top / "r").rglob("*")}, {os.getuid()})
        self.assertIn("no such user", cli("restore", self.top / "r2", "--key", self.key, "--from", self.full,
                                          "--owner", "nobody-of-that-name", code=2))
        if os.getuid() == 0:
            self.restore(self.full, target="r3", more=["--owner", "nobody"])
            other = (self.top / "r3" / "run").stat().st_uid
            self.assertEqual({p.stat().st_uid for p in [self.top / "r3", *(self.top / "r3").rglob("*")]}, {other})
            self.assertNotEqual(other, 0)

    def test_help_and_usage(self):
        for verb in ("key", "create", "verify", "restore", "drill"):
            self.assertIn("usage: bartizan backup " + verb, cli(verb, "--help"))
        cli("create", self.dir, "--out", self.full, code=2)
        cli("verify", code=2)
        cli("key", code=2)
        cli("verify", self.top / "none", code=2)


class Live(Case):
    """A real instance under load, and a machine that has nothing but the archives and the key."""

    def setUp(self):
        self.up = self.upstream()
        self.i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % self.up.port, ["ok"])])
        wait_for(lambda: self.i.chat().status == 200)
        self.cold = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-cold-"))
        self.addCleanup(shutil.rmtree, self.cold)
        self.key = self.cold / "key"
        self.recipient = cli("key", "--out", self.key, "--instance", self.i.dir, "--json")["recipient"]

    def create(self, name, *more):
        out = self.cold / name
        return out, cli("create", self.i.dir, "--to", self.recipient, "--out", out, "--json", *more)

    def test_from_the_key_alone(self):
        before = self.i.new_key("alice")["key"]
        with Load(lambda: self.i.chat().status, threads=4) as load:
            wait_for(lambda: load.outcomes.get(200, 0) > 200) # more than one tile of records
            full, r = self.create("full.bzb")
            self.assertTrue(r["ok"], r)
            between = self.i.new_key("bob")["key"]
            seen = load.outcomes[200]
            wait_for(lambda: load.outcomes[200] > seen + 20)
            inc, r = self.create("inc.bzb", "--base", full)
            self.assertTrue(r["ok"], r)
            self.assertEqual(r["unsealed"], 0)
        self.assertEqual(set(load.outcomes), {200})
        after = self.i.new_key("carol")["key"]
        drill = cli("drill", self.i.dir, "--key", self.key, *froms(full, inc), "--json")
        self.assertEqual((drill["ok"], drill["checks"]["audit"], drill["checks"]["continues"]), (True, True, True))
        self.assertEqual(drill["records"], r["records"])
        self.assertGreater(drill["rto_s"], 0)
        self.assertGreater(drill["rpo_s"], 0)
        log = [json.dumps(x) for x in self.i.export()][:r["records"]]
        self.assertEqual(self.i.stop(), 0)
        shutil.rmtree(self.i.dir) # the machine is gone
        self.assertEqual([p.name for p in self.i.holder.iterdir()], ["up.out"], "the drill left something behind")
        self.i.dir = self.cold / "again"
        self.i.ca = str(self.i.dir / "tls" / "ca.pem")
        out = cli("restore", self.i.dir, "--key", self.key, *froms(full, inc), env={"PATH": "/usr/bin:/bin"})
        self.assertIn("RTO", out)
        self.assertEqual(self.i.verify().returncode, 0)
        self.assertEqual([json.dumps(x) for x in self.i.export()], log)
        self.i.start()
        self.assertEqual(self.i.chat().status, 200)
        self.assertEqual([self.i.chat(key=k).status for k in (before, between, after)], [200, 200, 401])
        self.check_both_sides(self.i)
        self.assertEqual(self.i.verify().returncode, 0)
        self.assertGreater(len(self.i.export()), len(log))

    def test_every_record_of_before_is_in_it(self):
        ids = [self.i.chat().id for _ in range(5)]
        made = self.i.new_key("alice")["key"]
        full, _ = self.create("full.bzb")
        cli("restore", self.cold / "r", "--key", self.key, *froms(full))
        out = self.i.cli("audit", "export", self.cold / "r")
        for ident in ids:
            self.assertIn(ident, out)
        self.assertIn(re.match(r"bz_(\w{12})_", made)[1], out)

    def stored(self, name):
        """Bodies of a user on the running instance."""
        out = self.cold / ("export-" + os.urandom(4).hex())
        self.i.cli("data", "export", self.i.dir, "--user", name, "--out", out)
        return [json.loads(x)["body"] for x in (out / "bodies.jsonl").read_text().splitlines()]

    def test_what_was_erased_stays_erased(self):
        with sqlite3.connect("file:%s/store/bodykeys.db?mode=ro" % self.i.dir, uri=True) as db:
            pub = db.execute("SELECT pub FROM pairs ORDER BY seq DESC LIMIT 1").fetchone()[0]
        for user in ("alice", "bob"):
            name, data = spool_file(pub, os.urandom(16), user, b"pelican of " + user.encode())
            (self.i.dir / "bodies" / "spool" / (name + ".tmp")).write_bytes(data)
            (self.i.dir / "bodies" / "spool" / (name + ".tmp")).rename(self.i.dir / "bodies" / "spool" / name)
        wait_for(lambda: self.stored("alice") and self.stored("bob"))
        full, _ = self.create("full.bzb")
        self.i.cli("data", "erase", self.i.dir, "--user", "alice")
        list_of_erasures = self.cold / "erased"
        list_of_erasures.write_text(self.i.cli("data", "erased", self.i.dir))
        after, _ = self.create("after.bzb", "--base", full)
        self.i.stop()
        # the base has a key that is gone since; with the newer list it goes again, and a newer backup has the list itself
        for archives, more, left in (((full,), [], 1), ((full,), ["--tombstones", list_of_erasures], 0), ((full, after), [], 0)):
            shutil.rmtree(self.i.dir)
            cli("restore", self.i.dir, "--key", self.key, *froms(*archives), *more)
            self.i.start()
            self.assertEqual((self.stored("alice"), self.stored("bob")), (["pelican of alice"] * left, ["pelican of bob"]))
            self.assertEqual(self.i.stop(), 0)

    def test_a_log_that_was_replaced(self):
        self.i.chat()
        full, _ = self.create("full.bzb")
        self.i.stop()
        shutil.rmtree(self.i.dir / "audit" / "tile")
        shutil.rmtree(self.i.dir / "audit" / "journal")
        os.remove(self.i.dir / "audit" / "checkpoint")
        self.i.start()
        self.i.chat()
        r = wait_for(lambda: self.drilled(full))
        self.assertFalse(r["checks"]["continues"], r)
        self.assertTrue(r["checks"]["audit"])

    def drilled(self, full):
        """a drill that could compare the logs (the new one has a checkpoint)"""
        r = subprocess.run([BARTIZAN, "backup", "drill", self.i.dir, "--key", self.key, "--from", full, "--json"],
                           capture_output=True, text=True)
        return json.loads(r.stdout) if r.returncode == 1 else None

    def test_a_damaged_log_is_kept_and_named(self):
        for _ in range(5):
            self.i.chat()
        self.i.stop()
        bundles = [p for p in (self.i.dir / "audit" / "tile" / "entries").rglob("*") if p.is_file()]
        bundle = max(bundles, key=lambda p: p.stat().st_size)  # shorter ones are of earlier checkpoints
        data = bytearray(bundle.read_bytes())
        data[40] ^= 1
        bundle.write_bytes(data)
        out = self.cold / "full.bzb"
        cli("create", self.i.dir, "--to", self.recipient, "--out", out)
        r = cli("restore", self.cold / "r", "--key", self.key, "--from", out, "--json", code=1)
        self.assertFalse(r["checks"]["audit"])
        cli("restore", self.cold / "r", "--key", self.key, "--from", out, "--despite-findings", code=1)
        self.assertEqual(self.i.cli("audit", "verify", self.cold / "r", ok=False).returncode, 1)
        os.remove(self.i.dir / "audit" / "checkpoint") # then its files are taken as they are
        raw = self.cold / "raw.bzb"
        r = cli("create", self.i.dir, "--to", self.recipient, "--out", raw, "--json", code=1)
        self.assertIn("as they are", r["left_out"][0])
        cli("restore", self.cold / "raw", "--key", self.key, "--from", raw, "--despite-findings")
        self.assertEqual((self.cold / "raw" / bundle.relative_to(self.i.dir)).read_bytes(), data)

    def test_after_a_crash(self):
        """Records that only the journal has are not lost."""
        for p in [self.i.proc.pid, *descendants(self.i.proc.pid)]:
            os.kill(p, 9)
        self.i.proc.wait()
        self.i.stop()
        made = self.i.cli("audit", "verify", self.i.dir, "--json", ok=False)
        total = json.loads(made.stdout)["durable"]
        full, r = self.create("full.bzb")
        self.assertTrue(r["ok"], r)
        cli("restore", self.cold / "r", "--key", self.key, *froms(full))
        again = json.loads(self.i.cli("audit", "verify", self.cold / "r", "--json", ok=False).stdout)
        self.assertEqual(again["durable"], total)


if __name__ == "__main__":
    unittest.main()
