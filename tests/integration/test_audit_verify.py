"""bartizan audit verify, prove, tail, export: every kind of tampering is found and named, and what cannot be seen is said."""
import base64
import hashlib
import unittest

from audit_harness import BUILD, Case, json, shutil, subprocess


def flip(path, at, bit=1):
    b = bytearray(path.read_bytes())
    b[at] ^= bit
    path.write_bytes(b)


def widest(folder):
    return max(folder.iterdir(), key=lambda p: int(p.name))


class Tampering(Case):
    def setUp(self):
        self.l = self.log()
        self.l.start()
        self.l.put(0, 0, 640, "window=64")
        self.assertEqual(self.l.stop(), 0)
        self.audit = self.l.path / "audit"
        rc, v = self.l.verify()
        self.assertEqual((rc, v["size"], v["findings"]), (0, 642, []))

    def finds(self, part, record=None, *args):
        """verify must fail, name `part`, and be content again when the original is back."""
        rc, v = self.l.verify(*args)
        self.assertEqual(rc, 1, v)
        self.assertFalse(v["ok"])
        self.assertTrue(v["findings"])
        self.assertIn(part, v["findings"][0]["text"])
        if record is not None:
            self.assertEqual(v["findings"][0]["record"], record)
        p = self.l.cli("verify", *args)
        self.assertEqual(p.returncode, 1)
        self.assertIn(b"TAMPERED: ", p.stdout)

    def with_bytes(self, path, change, part, record=None):
        before = path.read_bytes()
        change(path)
        self.finds(part, record)
        path.write_bytes(before)
        self.assertEqual(self.l.verify()[0], 0)

    def test_one_bit_of_an_entry(self):
        bundle = self.audit / "tile" / "entries" / "001"
        at = bundle.read_bytes().index(b'"detail":"n300"')
        self.with_bytes(bundle, lambda p: flip(p, at + 11), "record 301 and its hash in tile/0/001 differ", 301)

    def test_every_byte_class_of_a_small_bundle(self):
        bundle = widest(self.audit / "tile" / "entries" / "002.p")
        size = len(bundle.read_bytes())
        for at in [0, 1, 2, 3, 10, 40, size // 2, size - 2, size - 1]:
            for bit in (1, 0x80):
                self.with_bytes(bundle, lambda p, at=at, bit=bit: flip(p, at, bit), "tile/")

    def test_entry_replaced_by_one_of_the_same_length(self):
        bundle = self.audit / "tile" / "entries" / "000"
        self.with_bytes(bundle, lambda p: p.write_bytes(p.read_bytes().replace(b'"principal":"alice"', b'"principal":"mabel"', 1)),
                        "record 1 ", 1)

    def test_entry_and_its_leaf_hash(self):
        """The forger recomputes level 0: level 1 shows it."""
        bundle = self.audit / "tile" / "entries" / "000"
        tile = self.audit / "tile" / "0" / "000"
        keep = bundle.read_bytes(), tile.read_bytes()
        b = bytearray(keep[0])
        at = b.index(b'"n9"') + 2
        b[at] ^= 1
        bundle.write_bytes(b)
        pos, i = 0, 0
        hashes = bytearray(keep[1])
        while pos < len(b):
            n = int.from_bytes(b[pos:pos + 2], "big")
            hashes[32 * i:32 * i + 32] = hashlib.sha256(b"\0" + b[pos + 2:pos + 2 + n]).digest()
            pos, i = pos + 2 + n, i + 1
        tile.write_bytes(hashes)
        self.finds("tile/1/000.p/2: hash 0", 0)
        bundle.write_bytes(keep[0])
        tile.write_bytes(keep[1])

    def test_tiles(self):
        for path, at in [(self.audit / "tile" / "0" / "001", 77), (widest(self.audit / "tile" / "0" / "002.p"), 3),
                         (widest(self.audit / "tile" / "1" / "000.p"), 40)]:
            name = str(path.relative_to(self.audit))
            self.with_bytes(path, lambda p, at=at: flip(p, at), name)
            self.with_bytes(path, lambda p: p.write_bytes(p.read_bytes()[:-1]), name)
            self.with_bytes(path, lambda p: p.write_bytes(p.read_bytes() + b"\0"), name)
            self.with_bytes(path, lambda p: p.unlink(), name)

    def test_bundles_missing_cut_swapped(self):
        a = self.audit / "tile" / "entries" / "000"
        b = self.audit / "tile" / "entries" / "001"
        self.with_bytes(a, lambda p: p.unlink(), "tile/entries/000: missing", 0)
        self.with_bytes(a, lambda p: p.write_bytes(p.read_bytes()[:-1]), "tile/entries/000: malformed at record 255", 255)
        self.with_bytes(a, lambda p: p.write_bytes(p.read_bytes() + b"\0\0"), "tile/entries/000: malformed", 256)
        self.with_bytes(a, lambda p: p.write_bytes(b.read_bytes()), "record 0 ", 0)

    def test_bytes_of_the_checkpoint(self):
        """Every fifth one; test_checkpoint.c does every bit."""
        note = self.audit / "checkpoint"
        for at in range(0, len(note.read_bytes()), 5):
            self.with_bytes(note, lambda p, at=at: flip(p, at), "checkpoint:", 0)

    def test_checkpoint_missing(self):
        (self.audit / "checkpoint").rename(self.audit / "away")
        shutil.rmtree(self.audit / "journal")
        self.finds("checkpoint: missing")

    def test_links_are_not_followed(self):
        bundle = self.audit / "tile" / "entries" / "000"
        bundle.rename(self.l.path / "elsewhere")
        bundle.symlink_to(self.l.path / "elsewhere")
        self.assertNotEqual(self.l.verify()[0], 0)

    def test_other_key(self):
        other = self.log()
        other.start()
        other.stop()
        line = (other.path / "audit" / "verifier").read_text()
        self.finds("checkpoint: not signed by the verifier key", None, "--key", line.strip())
        rc, _ = self.l.verify("--key", str(self.audit / "verifier"))
        self.assertEqual(rc, 0)
        self.assertEqual(self.l.cli("verify", "--key", "no+such+key").returncode, 2)
        self.assertEqual(self.l.cli("verify", "--key", "/nonexistent").returncode, 2)


class CutBack(Case):
    def test_older_state_of_itself(self):
        """Whole in itself; only what was kept elsewhere shows it."""
        log = self.log()
        log.start()
        log.put(0, 0, 100, "window=20")
        log.stop()
        shutil.copytree(log.path / "audit", log.path / "backup")
        log.start()
        log.put(0, 100, 100, "window=20")
        log.stop()
        size = log.verify()[1]["size"]
        newest = log.path / "newest"
        shutil.copy(log.path / "audit" / "checkpoint", newest)
        old = log.path / "backup" / "checkpoint"
        self.assertEqual(log.verify("--old-checkpoint", str(old))[0], 0)
        self.assertEqual(log.verify("--old-checkpoint", str(newest), "--expect-size", str(size))[0], 0)
        shutil.rmtree(log.path / "audit")
        shutil.copytree(log.path / "backup", log.path / "audit")
        self.assertEqual(log.verify()[0], 0)
        for args in (["--expect-size", str(size)], ["--old-checkpoint", str(newest)]):
            rc, v = log.verify(*args)
            self.assertEqual(rc, 1)
            self.assertIn("cut back", v["findings"][0]["text"])

    def test_history_rewritten_with_the_right_key(self):
        """Even who has the signing key cannot change what a kept checkpoint covers."""
        log = self.log()
        log.start()
        log.put(0, 0, 300, "window=20")
        log.stop()
        kept = log.path / "kept"
        shutil.copy(log.path / "audit" / "checkpoint", kept)
        shutil.rmtree(log.path / "audit")
        log.start()
        log.put(0, 1000, 400, "window=20")
        log.stop()
        self.assertEqual(log.verify()[0], 0)
        rc, v = log.verify("--old-checkpoint", str(kept))
        self.assertEqual(rc, 1)
        self.assertIn("not those of the old checkpoint", v["findings"][0]["text"])

    def test_bad_old_checkpoint(self):
        log = self.log()
        log.start()
        log.stop()
        self.assertEqual(log.cli("verify", "--old-checkpoint", "/nonexistent").returncode, 2)
        self.assertEqual(log.cli("verify", "--old-checkpoint", log.dir + "/audit/verifier").returncode, 2)


class Journal(Case):
    def test_unsealed_records_are_counted_and_checked(self):
        log = self.log()
        log.start()
        log.sealed()
        log.put(0, 0, 40, "window=1")
        log.kill()
        rc, v = log.verify()
        if v["unsealed"]: # the checkpoint of that second may have come first
            self.assertEqual(rc, 0)
            self.assertIn(b"durable, not yet in a checkpoint", log.cli("verify").stdout)
            segment = max(p for p in (log.path / "audit" / "journal").iterdir() if p.name.isdigit())
            flip(segment, segment.read_bytes().index(b'"n35"') + 2)
            rc, v = log.verify()
            self.assertEqual(rc, 1, v)
            self.assertIn("journal at record", v["findings"][0]["text"])
            self.assertIn("damaged", log.refuses())

    def test_live_log(self):
        """verify, tail and export while records come in: never a false alarm."""
        log = self.log()
        log.start()
        log.sealed()
        total, p = 0, None
        for _ in range(8):
            if p is None or p.poll() is not None:
                p = log.putting(0, total, 20000, "window=500", quiet=True)
                total += 20000
            rc, v = log.verify()
            self.assertEqual(rc, 0, v)
            self.assertEqual(log.cli("tail", "-n", "5").returncode, 0)
        self.assertEqual(p.wait(60), 0)
        self.assertEqual(log.stop(), 0)
        self.each_once(log, total)


class Proofs(Case):
    def setUp(self):
        self.l = self.log()
        self.l.start()
        self.l.put(0, 0, 700, "window=64")
        self.l.stop()

    def root_from(self, index, size, leaf, proof):
        """RFC 9162, 2.1.3.2, on its own."""
        fn, sn, r = index, size - 1, leaf
        for p in proof:
            self.assertNotEqual(sn, 0)
            if fn & 1 or fn == sn:
                r = hashlib.sha256(b"\1" + p + r).digest()
                while not fn & 1 and fn:
                    fn, sn = fn >> 1, sn >> 1
            else:
                r = hashlib.sha256(b"\1" + r + p).digest()
            fn, sn = fn >> 1, sn >> 1
        self.assertEqual(sn, 0)
        return r

    def test_tlog_proof_text(self):
        for number in (0, 255, 256, 511, 699):
            rec = next(r for r in self.l.records() if r.get("detail") == "n%d" % number)
            p = self.l.cli("prove", rec["id"])
            self.assertEqual(p.returncode, 0, p)
            self.assertIn(b"stands in the log", p.stderr)
            head, _, note = p.stdout.decode().partition("\n\n")
            lines = head.split("\n")
            self.assertEqual(lines[0], "c2sp.org/tlog-proof@v1")
            self.assertTrue(lines[1].startswith("extra "))
            entry = base64.b64decode(lines[1][6:])
            self.assertEqual(json.loads(entry)["id"], rec["id"])
            index = int(lines[2].split(" ")[1])
            origin, size, root = note.split("\n")[:3]
            self.assertEqual(note, (self.l.path / "audit" / "checkpoint").read_text())
            leaf = hashlib.sha256(b"\0" + entry).digest()
            got = self.root_from(index, int(size), leaf, [base64.b64decode(x) for x in lines[3:]])
            self.assertEqual(got, base64.b64decode(root))

    def test_json_and_every_record_of_a_request(self):
        rec = self.l.records()[300]
        p = self.l.cli("prove", rec["id"].upper().replace("REQ_", ""), "--json")
        v = json.loads(p.stdout)
        self.assertEqual((p.returncode, v["ok"], len(v["records"])), (0, True, 1))
        r = v["records"][0]
        self.assertEqual(r["index"], 300)
        leaf = hashlib.sha256(b"\0" + r["entry"].encode()).digest()
        self.assertEqual(base64.b64decode(r["leaf_hash"]), leaf)
        root = self.root_from(300, 702, leaf, [base64.b64decode(x) for x in r["proof"]])
        self.assertEqual(root, base64.b64decode(v["checkpoint"].split("\n")[2]))

    def test_changed_record_has_no_proof(self):
        rec = self.l.records()[300]
        bundle = self.l.path / "audit" / "tile" / "entries" / "001"
        bundle.write_bytes(bundle.read_bytes().replace(rec["id"].encode() + b'","time":"2', rec["id"].encode() + b'","time":"3'))
        p = self.l.cli("prove", rec["id"])
        self.assertEqual(p.returncode, 1)
        self.assertIn(b"DOES NOT MATCH", p.stderr)

    def test_unknown_and_malformed_ids(self):
        self.assertEqual(self.l.cli("prove", "req_00000000000000000000000000").returncode, 1)
        for bad in ("", "req_", "x" * 30, "../../etc/passwd"):
            self.assertEqual(self.l.cli("prove", bad).returncode, 2)

    def test_not_yet_sealed(self):
        self.l.start()
        self.l.sealed()
        self.l.put(0, 700, 1)
        self.l.kill()
        rec = next(r for r in self.l.records() if r.get("detail") == "n700")
        p = self.l.cli("prove", rec["id"])
        self.assertIn(p.returncode, (0, 3))
        if p.returncode == 3:
            self.assertIn(b"not yet in a checkpoint", p.stderr)


class Reading(Case):
    def test_tail_fits_and_is_escaped(self):
        log = self.log()
        log.start()
        log.put(0, 0, 30)
        evil = "\x1b[31mred\x07 \u202eabc caf\u00e9 \\"
        log.put(0, 30, 1, "detail=" + evil)
        p = log.cli("tail", "-n", "3")
        self.assertEqual(p.returncode, 0)
        text = p.stdout.decode()
        self.assertEqual(len(text.splitlines()), 4) # a line with the date, three records
        self.assertFalse(set(text) - {"\n"} & set(map(chr, range(32))))
        self.assertNotIn("\u202e", text)
        self.assertIn("caf\u00e9", text)
        for width in (40, 80, 100):
            p = log.cli("tail", "-n", "5", env={"COLUMNS": str(width)})
            self.assertLessEqual(max(len(x) for x in p.stdout.decode().splitlines()), width)
        p = log.cli("tail", "--json", "-n", "1")
        self.assertEqual(json.loads(p.stdout)["detail"], evil)
        self.assertEqual(len(log.cli("tail").stdout.splitlines()), 21)
        self.assertEqual(log.cli("tail", "-n", "0").stdout, b"")
        log.stop()

    def test_follow(self):
        log = self.log()
        log.start()
        log.put(0, 0, 3)
        p = subprocess.Popen([str(BUILD / "bartizan"), "audit", "tail", log.dir, "-f", "-n", "1", "--json"],
                             stdout=subprocess.PIPE)
        self.addCleanup(p.stdout.close)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        self.assertEqual(json.loads(p.stdout.readline())["detail"], "n2")
        for n in range(3, 600):
            if n in (3, 300):
                log.put(0, n, 297 if n == 3 else 300, "window=30")
            self.assertEqual(json.loads(p.stdout.readline())["detail"], "n%d" % n)
        log.stop()

    def test_export_since_and_from(self):
        log = self.log()
        log.start()
        log.put(0, 0, 20)
        records = log.records()
        first = json.loads(log.cli("export", "--from", records[10]["id"]).stdout.splitlines()[0])
        self.assertEqual(first["id"], records[10]["id"])
        self.assertEqual(len(log.cli("export", "--since", "1h").stdout.splitlines()), len(records))
        self.assertEqual(len(log.cli("export", "--since", records[10]["time"]).stdout.splitlines()),
                         len([r for r in records if r["time"] >= records[10]["time"]]))
        self.assertEqual(log.cli("export", "--since", "2999-01-01").stdout, b"")
        self.assertEqual(log.cli("export", "--since", "2020-01-01T00:00:00Z").returncode, 0)
        for bad in (["--since", "yesterday"], ["--from", "x"], ["--format", "csv"], ["--since", "2020-1-1"]):
            self.assertEqual(log.cli("export", *bad).returncode, 2, bad)
        self.assertEqual(log.cli("export", "--from", "req_00000000000000000000000000").returncode, 1)
        log.stop()

    def test_exit_codes(self):
        log = self.log()
        self.assertEqual(log.cli("verify").returncode, 3) # nothing there to trust: no verifier key
        log.start()
        log.stop()
        self.assertEqual(log.cli("verify").returncode, 0)
        for args in (["--nonsense"], ["--expect-size", "many"], ["extra"]):
            self.assertEqual(log.cli("verify", *args).returncode, 2, args)
        self.assertEqual(log.cli("verify", "--help").returncode, 0)
        (log.path / "audit" / "verifier").write_text("nonsense\n")
        self.assertEqual(log.cli("verify").returncode, 3)
        shutil.rmtree(log.path / "audit")
        self.assertEqual(log.cli("verify").returncode, 2)

    def test_a_copy_of_the_log_alone(self):
        log = self.log()
        log.start()
        log.put(0, 0, 10)
        log.stop()
        copy = log.path / "copy"
        shutil.copytree(log.path / "audit", copy)
        p = subprocess.run([str(BUILD / "bartizan"), "audit", "verify", str(copy)], stdout=subprocess.PIPE)
        self.assertEqual(p.returncode, 0)


if __name__ == "__main__":
    unittest.main()
