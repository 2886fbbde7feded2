"""Stored requests and replies: taken in, exported, held, expired, erased for good, on a running instance.

The spool is written here as a worker writes it: sealed to the instance's public key (libsodium's sealed box)."""
import ctypes
import ctypes.util
import hashlib
import json
import os
import shutil
import sqlite3
import struct
import time
import unittest
import zlib

from harness import Case, backend, wait_for

SODIUM = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
LEVELS = ["PUBLIC", "INTERNAL", "CONFIDENTIAL", "RESTRICTED"]


def seal(pub, plain):
    out = ctypes.create_string_buffer(len(plain) + 48)
    if SODIUM.crypto_box_seal(out, plain, ctypes.c_ulonglong(len(plain)), pub) != 0:
        raise ValueError("not sealed")
    return out.raw


def names(*values):
    return b"".join(struct.pack("<H", len(v)) + v for v in (x.encode() for x in values))


def spool_file(pub, ident, user, text, part=0, level=1, conversation="", when=None, model="m", key="abcdefghijkl"):
    plain = (b"\x01" + ident + bytes([part, level, 0]) + struct.pack("<Q", when or int(time.time() * 1000)) +
             names(user, conversation, key, model, "application/json") + text)
    return ident.hex() + (".q", ".a")[part], b"BZB1" + pub[:8] + seal(pub, plain)


class Bodies(Case):
    def setUp(self):
        up = self.upstream()
        self.i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % up.port, ["ok"])])

    def public(self):
        with sqlite3.connect("file:%s/store/bodykeys.db?mode=ro" % self.i.dir, uri=True) as db:
            return db.execute("SELECT pub FROM pairs ORDER BY seq DESC LIMIT 1").fetchone()[0]

    def spool(self, user, text, ident=None, **more):
        ident = ident or os.urandom(16)
        name, data = spool_file(self.public(), ident, user, text.encode() if isinstance(text, str) else text, **more)
        path = self.i.dir / "bodies" / "spool" / name
        (path.parent / (name + ".tmp")).write_bytes(data)
        (path.parent / (name + ".tmp")).rename(path)
        return ident

    def data(self, *args, ok=True):
        words = list(args)
        at = 2 if words[0] == "hold" else 1
        r = self.i.cli("data", *words[:at], self.i.dir, *words[at:], "--json", ok=False)
        if ok and r.returncode != 0:
            raise AssertionError("%s: %d %s%s" % (args, r.returncode, r.stdout, r.stderr))
        return json.loads(r.stdout) if ok else r

    def emptied(self):
        wait_for(lambda: self.data("status")["waiting"] == 0)

    def export(self, user, *more):
        out = self.i.holder / ("export-%s" % os.urandom(4).hex())
        manifest = self.data("export", "--user", user, "--out", str(out), *more)
        for name in ("bodies.jsonl", "audit.jsonl"):
            data = (out / name).read_bytes()
            self.assertEqual(hashlib.sha256(data).hexdigest(), manifest[name]["sha256"])
            self.assertEqual(data.count(b"\n"), manifest[name]["lines"])
        return ([json.loads(x) for x in (out / "bodies.jsonl").read_text().splitlines()],
                [json.loads(x) for x in (out / "audit.jsonl").read_text().splitlines()])

    def everything(self):
        out = b""
        for base, _, files in os.walk(self.i.dir):
            for f in files:
                p = os.path.join(base, f)
                if os.path.isfile(p) and not os.path.islink(p):
                    with open(p, "rb") as h:
                        out += h.read()
        return out

    def test_taken_in_and_exported(self):
        ident = self.spool("alice", '{"messages":"pelican-7731"}', level=2, conversation="c-1")
        self.spool("alice", b"\xff\xfe", ident=ident, part=1, level=3, conversation="c-1")
        self.spool("bob", "not hers")
        self.emptied()
        self.assertEqual(list((self.i.dir / "bodies" / "spool").iterdir()), [])
        self.assertNotIn(b"pelican-7731", self.everything())
        bodies, _ = self.export("ALICE")
        self.assertEqual(len(bodies), 2)
        q = next(b for b in bodies if b["part"] == "request")
        self.assertEqual((q["body"], q["level"], q["conversation"], q["user"], q["model"], q["key"], q["cut"]),
                         ('{"messages":"pelican-7731"}', "CONFIDENTIAL", "c-1", "alice", "m", "abcdefghijkl", False))
        self.assertRegex(q["request"], "^req_[0-9a-hjkmnp-tv-z]{26}$")
        a = next(b for b in bodies if b["part"] == "reply")
        self.assertEqual((a["body_base64"], a["level"], a["request"]), ("//4=", "RESTRICTED", q["request"]))
        listed = self.data("list")["conversations"]
        self.assertEqual([(c["user"], c["conversation"], c["bodies"]) for c in listed if c["user"] == "alice"], [("alice", "c-1", 2)])

    def test_pages(self):
        for n in range(7):
            self.spool("alice", "%d" % n + "x" * (1 << 20), conversation="c%d" % (n % 2))
        self.emptied()
        bodies, _ = self.export("alice")
        self.assertEqual(sorted(b["body"][0] for b in bodies), list("0123456"))

    def test_export_has_the_records_that_name_him(self):
        made = self.i.new_key("carol")
        wait_for(lambda: self.i.chat("ok", key=made["key"]).status == 200)
        self.i.new_key("caro")
        self.spool("carol", "text")
        self.emptied()
        _, records = self.export("carol")
        self.assertTrue(any(r.get("principal") == "carol" for r in records))
        self.assertTrue(any(r.get("reason") == "key.create" for r in records))
        self.assertTrue(any(r.get("reason") == "data.export" for r in records))
        self.assertNotIn("caro\"", json.dumps(records))
        self.assertNotIn("user caro,", json.dumps(records))
        log = {json.dumps(r) for r in self.i.export()}
        self.assertTrue(all(json.dumps(r) in log for r in records))
        self.assertEqual(self.i.cli("data", "export", self.i.dir, "--user", "carol", "--out", str(self.i.dir), ok=False).returncode, 2)

    def test_erased_for_good(self):
        """Also out of an older copy of the databases, and the log still verifies."""
        self.spool("alice", "one", conversation="c-1")
        self.spool("alice", "two", conversation="c-2")
        self.spool("bob", "three")
        self.emptied()
        self.i.stop()
        copy = self.i.holder / "copy"
        shutil.copytree(self.i.dir, copy, symlinks=True, ignore=shutil.ignore_patterns("*.sock", "*.fifo"))
        self.i.start()
        dry = self.data("erase", "--user", "alice", "--dry-run")
        self.assertEqual((dry["keys"], dry["bodies"], dry["erased"]), (2, 2, False))
        one = self.data("erase", "--user", "alice", "--conversation", "c-1")
        self.assertEqual((one["keys"], one["bodies"], one["erased"], one["recorded"]), (1, 1, True, True))
        self.assertEqual([b["body"] for b in self.export("alice")[0]], ["two"])
        wrapped = sqlite3.connect("file:%s/store/bodykeys.db?mode=ro" % self.i.dir, uri=True).execute(
            "SELECT wrapped FROM users WHERE name = 'alice'").fetchone()[0]
        self.assertIn(wrapped, self.everything())
        self.data("erase", "--user", "alice")
        self.assertNotIn(wrapped, self.everything())
        self.assertEqual(self.export("alice")[0], [])
        self.i.stop()
        for f in ("store/bodykeys.db", "bodies/bodies.db"):
            for end in ("", "-wal", "-shm"):
                (self.i.dir / (f + end)).unlink(missing_ok=True)
                if (copy / (f + end)).exists():
                    shutil.copy2(copy / (f + end), self.i.dir / (f + end))
        self.assertIn(wrapped, self.everything())
        self.i.start()
        self.assertNotIn(wrapped, self.everything())
        self.assertEqual(self.export("alice")[0], [])
        self.assertEqual([b["body"] for b in self.export("bob")[0]], ["three"])
        self.assertEqual(self.i.verify().returncode, 0)
        self.assertEqual(sum(r.get("reason") == "data.erase" for r in self.i.export()), 2)

    def test_erasures_are_done_on_another_copy(self):
        self.spool("alice", "one")
        self.emptied()
        self.i.stop()
        copy = self.i.holder / "copy"
        shutil.copytree(self.i.dir, copy, symlinks=True, ignore=shutil.ignore_patterns("*.sock", "*.fifo"))
        self.i.start()
        self.data("erase", "--user", "alice")
        lines = self.i.cli("data", "erased", self.i.dir)
        self.assertNotIn("alice", lines)
        (self.i.holder / "lines").write_text(lines)
        (self.i.holder / "bad").write_text(lines.replace("user", "conversation", 1))
        self.i.stop()
        shutil.rmtree(self.i.dir)
        copy.rename(self.i.dir)
        self.i.start()
        self.assertEqual([b["body"] for b in self.export("alice")[0]], ["one"])
        self.assertEqual(self.i.cli("data", "erased", self.i.dir, "--apply", self.i.holder / "bad", ok=False).returncode, 2)
        self.assertEqual(len(self.export("alice")[0]), 1)
        self.assertEqual(self.data("erased", "--apply", str(self.i.holder / "lines"))["new"], 2)
        self.assertEqual(self.export("alice")[0], [])

    def test_late_reply_of_an_erased_user(self):
        before = int(time.time() * 1000)
        self.data("erase", "--user", "alice")
        self.spool("alice", "late", when=before)
        self.spool("alice", "new", when=int(time.time() * 1000) + 5)
        self.emptied()
        self.assertEqual([b["body"] for b in self.export("alice")[0]], ["new"])

    def test_holds(self):
        old = int(time.time() * 1000) - 400 * 86400 * 1000
        self.data("hold", "add", "case-1", "--user", "alice", "--conversation", "c-1", "--reason", "a court asks")
        self.spool("alice", "held", conversation="c-1", when=old)
        self.spool("alice", "due", conversation="c-2", when=old)
        self.emptied()
        self.assertEqual(self.data("hold", "list")["holds"][0]["reason"], "a court asks")
        self.data("retention")
        self.assertEqual([b["body"] for b in self.export("alice")[0]], ["held"])
        for more in ([], ["--conversation", "c-1"]):
            r = self.data("erase", "--user", "alice", *more, ok=False)
            self.assertEqual(r.returncode, 2)
            self.assertIn("legal hold", r.stderr)
        self.assertEqual(self.i.cli("data", "hold", "add", self.i.dir, "case-1", "--user", "bob", ok=False).returncode, 2)
        self.data("hold", "release", "case-1")
        self.assertEqual(self.i.cli("data", "hold", "release", self.i.dir, "case-1", ok=False).returncode, 2)
        self.data("retention")
        self.assertEqual(self.export("alice")[0], [])

    def test_retention_per_level(self):
        day = 86400 * 1000
        now = int(time.time() * 1000)
        for level, days in enumerate((90, 30, 7, 1)):
            self.spool("alice", "young %d" % level, level=level, when=now - days * day + 600000)
            self.spool("alice", "old %d" % level, level=level, when=now - days * day - 1000)
        self.emptied()
        self.data("retention")
        self.assertEqual(sorted(b["body"] for b in self.export("alice")[0]), ["young %d" % n for n in range(4)])

    def test_killed_while_it_takes_in(self):
        idents = set()
        for n in range(12):
            for _ in range(40):
                idents.add(self.spool("u%d" % (n % 3), "text", conversation="c"))
            time.sleep(0.01 * n)
            self.i.kill("bartizand")

        def told():
            """bartizand to have taken everything in"""
            r = self.i.cli("data", "status", self.i.dir, "--json", ok=False)
            return r.returncode == 0 and json.loads(r.stdout)["waiting"] == 0
        wait_for(told)
        got = [b["request"] for n in range(3) for b in self.export("u%d" % n)[0]]
        self.assertEqual(len(got), len(idents))
        self.assertEqual(len(set(got)), len(idents))

    def test_a_damaged_database_stops_only_what_needs_it(self):
        self.i.stop()
        db = self.i.dir / "store" / "bodykeys.db"
        good = db.read_bytes()
        db.write_bytes(b"x" * len(good))
        self.i.start()
        self.assertEqual(self.i.chat("ok").status, 200)
        r = self.data("status", ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("out of reach", r.stderr)
        self.assertEqual(self.i.cli("user", "list", self.i.dir, ok=False).returncode, 0)
        self.i.write_config(self.i.config() + "data:\n  bodies: {store: both}\n")
        self.assertNotEqual(self.i.cli("reload", self.i.dir, ok=False).returncode, 0)
        self.assertEqual(self.i.chat("ok").status, 200, "the policy of before")
        db.write_bytes(good)
        self.spool("alice", "text")
        wait_for(lambda: self.i.cli("data", "status", self.i.dir, ok=False).returncode == 0)
        self.emptied()
        self.assertEqual([b["body"] for b in self.export("alice")[0]], ["text"])

    def test_what_is_no_body_is_put_aside(self):
        (self.i.dir / "bodies" / "spool" / ("ab" * 16 + ".q")).write_bytes(b"nothing of ours")
        wait_for(lambda: self.data("status")["refused"] == 1)
        self.assertEqual(self.data("status")["waiting"], 0)

    def test_nothing_is_open_to_others(self):
        self.spool("alice", "one")
        self.emptied()
        for base, dirs, files in os.walk(self.i.dir / "bodies"):
            for n in dirs + files:
                self.assertEqual(os.lstat(os.path.join(base, n)).st_mode & 0o077, 0, n)

    def test_nothing_is_erased_without_a_record(self):
        self.spool("alice", "one")
        self.emptied()
        with open(self.i.dir / "bartizan.yaml", "a") as f:
            f.write("audit: {mode: strict, wait_ms: 200}\n")
        self.i.cli("reload", self.i.dir)
        for p in self.i.processes("bartizan-auditd"):
            os.kill(p, 19)
        try:
            r = self.data("erase", "--user", "alice", ok=False)
            self.assertEqual(r.returncode, 2)
        finally:
            for p in self.i.processes("bartizan-auditd"):
                os.kill(p, 18)
        self.assertEqual(len(self.export("alice")[0]), 1)


class Stored(Case):
    """Through the gateway: what clients send and get, kept as the policy says."""

    def gateway(self, store, **settings):
        up = self.upstream()
        i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % up.port, ["ok"])],
                          extra="data:\n  bodies: {store: %s}\n" % store, **settings)
        return i.served("ok")

    def bodies(self, i, user="user"):
        out = i.holder / ("export-%s" % os.urandom(4).hex())
        i.cli("data", "export", i.dir, "--user", user, "--out", out)
        return [json.loads(x) for x in (out / "bodies.jsonl").read_text().splitlines()]

    def test_what_is_kept(self):
        for store, parts in (("none", []), ("requests", ["request"]), ("replies", ["reply"]), ("both", ["reply", "request"])):
            i = self.gateway(store)
            r = i.chat("ok", messages=[{"role": "user", "content": "pelican"}])
            self.assertEqual(r.status, 200, r)
            if parts:
                wait_for(lambda i=i, n=len(parts): len(self.bodies(i)) == n)
            got = self.bodies(i)
            self.assertEqual(sorted(b["part"] for b in got), parts)
            self.assertTrue(all(b["request"] == r.id and b["model"] == "ok" for b in got))
            for b in got:
                self.assertIn("pelican" if b["part"] == "request" else "choices", b["body"])
            i.stop()

    def test_secrets_are_stored_masked(self):
        i = self.gateway("both")
        text, digits = "Zq8WvT3nYk5LmR7sXb2CdF9hJ4gP6a", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        sum_ = zlib.crc32(text.encode())
        token = "gh" + "p_" + text + "".join(digits[sum_ // 62 ** k % 62] for k in range(5, -1, -1))
        i.chat("ok", messages=[{"role": "user", "content": "my token is %s, keep it" % token}])
        wait_for(lambda: self.bodies(i))
        self.assertNotIn(token, json.dumps(self.bodies(i)))

    def test_erased_between_request_and_reply(self):
        up = self.upstream()
        i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % up.port, ["stepwise=x"])],
                          extra="data:\n  bodies: {store: both}\n").served("stepwise=x")
        up.step("x")
        s = i.stream("stepwise=x")
        self.assertTrue(s.read_event())
        i.cli("data", "erase", i.dir, "--user", "user")
        s.close()
        wait_for(lambda: up.open == 0)

        def dropped():
            """the reply to be dropped"""
            return json.loads(i.cli("data", "status", i.dir, "--json"))["dropped"] >= 1
        wait_for(dropped)
        self.assertEqual(self.bodies(i), [])

    def test_bartizand_away(self):
        """Nothing is lost, and the disk does not fill up."""
        i = self.gateway("requests", workers=1)
        for p in i.processes("bartizand"):
            os.kill(p, 19)
        text, sent, refused = "x" * (7 << 20), 0, None
        while refused is None and sent < 60:
            r = i.chat("ok", messages=[{"role": "user", "content": "%d%s" % (sent, text)}])
            if r.status == 200:
                sent += 1
            else:
                refused = r
        self.assertEqual((refused.status, refused.code), (503, "storage_unavailable"))
        self.assertGreater(sent, 30)
        self.assertLessEqual(sum(f.stat().st_size for f in (i.dir / "bodies" / "spool").iterdir()), 256 << 20)
        for p in i.processes("bartizand"):
            os.kill(p, 18)
        wait_for(lambda: json.loads(i.cli("data", "status", i.dir, "--json"))["waiting"] == 0)
        wait_for(lambda: i.chat("ok").status == 200)
        self.assertGreaterEqual(len(self.bodies(i)), sent)


if __name__ == "__main__":
    unittest.main()
