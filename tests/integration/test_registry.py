"""The registry of models: quarantine, approval by persons, and what a real llama-server has mapped."""
import base64
import contextlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

import test_sandbox
import validators
from test_scan_formats import PPMD
from harness import BARTIZAN, BUILD, ROOT, Case, Instance, alive, backend, descendants, free_port, stop_process, wait_for

DEMO = pathlib.Path(os.environ.get("BARTIZAN_DEMO") or BUILD / "demo")
ENFORCE = "registry: {mode: enforce, check_s: 1}\n"


def demo():
    subprocess.run([str(ROOT / "tools" / "demo-backend.sh"), str(DEMO)], check=True, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, BARTIZAN_BUILD=str(BUILD)))
    return DEMO / "model.gguf"


def llama(case, model, *flags, port=None):
    """As an operator is told to run it: the instance's own user, no capabilities."""
    port = port or free_port()
    p = subprocess.Popen(["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", str(DEMO / "llama-server"), "-m",
                          str(model), "--alias", "tiny", "--host", "127.0.0.1", "--port", str(port), "--offline", "--no-ui",
                          "-c", "512", "-np", "1", *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         env=dict(os.environ, GGML_NO_BACKTRACE="1"))
    case.addCleanup(stop_process, p)

    def ready():
        """llama-server to answer /health"""
        return subprocess.run(["curl", "-sf", "-m", "1", "http://127.0.0.1:%d/health" % port],
                              capture_output=True).returncode == 0
    wait_for(ready)
    p.port = port
    return p


class Registry(Case):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-models-"))
        self.addCleanup(shutil.rmtree, self.tmp, ignore_errors=True)

    def folder(self, name="m", **files):
        d = self.tmp / name
        d.mkdir()
        for k, v in (files or {"README.md": b"hello\n", "notes.txt": b"a model\n"}).items():
            (d / k).parent.mkdir(parents=True, exist_ok=True)
            (d / k).write_bytes(v)
        return d

    def add(self, i, path, name="tiny", ok=True, licence="MIT", **options):
        more = [x for k, v in options.items() for x in ("--" + k.replace("_", "-"), str(v))]
        r = i.cli("model", "add", i.dir, path, "--name", name, "--source", "https://models.example/x", "--licence", licence,
                  *more, "--json", ok=False)
        if ok:
            self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
            return json.loads(r.stdout)
        return r

    def model(self, i, verb, ident, *more, ok=True):
        r = i.cli("model", verb, i.dir, ident, *more, "--json", ok=False)
        if ok:
            self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
            return json.loads(r.stdout)
        return r

    def listed(self, i):
        return json.loads(i.cli("model", "list", i.dir, "--registered", "--json"))["models"]

    def quarantine(self, i):
        return os.listdir(i.dir / "models" / "quarantine")

    def objects(self, i):
        return sorted(p.name for p in (i.dir / "models" / "objects").glob("*/*"))


class Life(Registry):
    def test_add_show_approve_retire(self):
        i = self.instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])])
        src = self.folder(**{"README.md": b"# A model\n", "sub/notes.txt": b"text\n"})
        made = self.add(i, src)
        self.assertEqual(made["state"], "pending")
        self.assertEqual(self.quarantine(i), [])
        shown = self.model(i, "show", made["id"][:12])
        m = shown["manifest"]
        self.assertEqual([f["name"] for f in m["files"]], ["README.md", "sub/notes.txt"])
        self.assertEqual(m["files"][0]["sha256"], subprocess.run(["sha256sum", src / "README.md"], capture_output=True,
                                                                 text=True).stdout.split()[0])
        self.assertEqual((m["licence"], m["source"], m["scan"]["verdict"]), ("MIT", "https://models.example/x", "clean"))
        self.assertEqual([e["what"] for e in shown["history"]], ["add"])
        done = self.model(i, "approve", made["id"][:12], "--note", "looks fine")
        serve = pathlib.Path(done["serve"])
        self.assertEqual((serve / "sub" / "notes.txt").read_bytes(), b"text\n")
        self.assertEqual(oct((serve / "README.md").stat().st_mode & 0o777), "0o444")
        # what we signed, the key of the instance verifies
        r = i.cli("model", "verify", serve, "--key", i.dir / "models" / "model.pub", "--json")
        self.assertTrue(json.loads(r)["verified"])
        self.assertEqual(self.model(i, "approve", made["id"], ok=False).returncode, 2)
        self.assertEqual(self.model(i, "reject", made["id"], ok=False).returncode, 2)
        self.model(i, "retire", made["id"], "--note", "too old")
        self.assertFalse(serve.exists())
        self.assertEqual(self.objects(i), [])
        history = self.model(i, "show", made["id"])["history"]
        self.assertEqual([(e["what"], e["note"]) for e in history],
                         [("add", "scan: clean"), ("approve", "looks fine"), ("retire", "too old")])
        self.assertEqual(self.model(i, "approve", made["id"], ok=False).returncode, 2)
        reasons = [e.get("reason") for e in i.export()]
        for what in ("model.add", "model.approve", "model.retire"):
            self.assertIn(what, reasons)

    def test_history_only_grows(self):
        i = self.instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])])
        self.add(i, self.folder())
        i.stop()
        db = sqlite3.connect(i.dir / "store" / "models.db")
        for sql in ("DELETE FROM history", "UPDATE history SET by = 'x'", "DELETE FROM models", "UPDATE models SET manifest = x'00'"):
            with self.assertRaises(sqlite3.IntegrityError, msg=sql):
                db.execute(sql)
        db.close()

    def test_forged_row_is_not_approved(self):
        """Somebody who can write the database still cannot make a manifest that the instance's key signed."""
        i = self.instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])])
        made = self.add(i, self.folder())
        self.model(i, "approve", made["id"])
        i.stop()
        db = sqlite3.connect(i.dir / "store" / "models.db")
        db.execute("DROP TRIGGER models_fixed")
        manifest = db.execute("SELECT manifest FROM models").fetchone()[0]
        db.execute("UPDATE models SET manifest = ?", (manifest.replace(b'"MIT"', b'"ISC"'),))
        db.commit()
        db.close()
        i.start()
        wait_for(lambda: "its manifest was changed" in i.output())

    def test_two_persons(self):
        i = self.instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])],
                          extra="registry: {two_persons: true}\n")
        keys = {}
        for user in ("ann", "ben"):
            i.cli("user", "add", i.dir, user, "--role", "admin")
            keys[user] = self.tmp / user
            keys[user].write_text(json.loads(i.cli("key", "create", i.dir, "--user", user, "--json"))["key"] + "\n")
        plain = self.tmp / "plain"
        plain.write_text(i.new_key("carl")["key"] + "\n")
        made = self.add(i, self.folder(), as_key=keys["ann"])
        for key, why in ((keys["ann"], "two persons"), (None, "cannot be told"), (plain, "no administrator")):
            r = self.model(i, "approve", made["id"], *(["--as-key", key] if key else []), ok=False)
            self.assertEqual(r.returncode, 2)
            self.assertIn(why, r.stderr)
        self.assertEqual([m["state"] for m in self.listed(i)], ["pending"])
        self.assertEqual(os.listdir(i.dir / "models" / "serve"), [])
        done = self.model(i, "approve", made["id"], "--as-key", keys["ben"])
        self.assertEqual(done["state"], "approved")
        self.assertEqual([e["by"] for e in self.model(i, "show", made["id"])["history"]], ["user ann", "user ben"])
        # the same account twice is one person too
        other = self.add(i, self.folder("n", a=b"text\n"), name="other")
        r = self.model(i, "approve", other["id"], ok=False)
        self.assertIn("two persons", r.stderr)

    def test_licence_list(self):
        i = self.instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])],
                          extra="registry: {licences: [Apache-2.0, MIT]}\n")
        r = self.add(i, self.folder("a"), licence="GPL-3.0-only", ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("GPL-3.0-only", r.stderr)
        self.assertEqual((self.listed(i), self.objects(i), self.quarantine(i)), ([], [], []))
        self.add(i, self.folder("b"), licence="GPL-3.0-only OR Apache-2.0")
        self.assertIn("SPDX", self.add(i, self.folder("c"), licence="free for all!", ok=False).stderr)

    def test_what_a_bill_of_materials_must_say(self):
        """registry.require: what leaves it out is registered, but never served."""
        i = self.instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])],
                          extra="registry: {require: [version, supplier, released]}\n")
        bare = self.add(i, self.folder("a"), supplier="Acme")
        self.assertEqual((bare["state"], bare["missing"]), ("pending", ["version", "released"]))
        r = self.model(i, "approve", bare["id"], ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("registry.require", r.stderr)
        self.assertIn("version (--version TEXT), released (--released TIME)", r.stderr)
        self.assertNotIn("supplier (", r.stderr)
        self.assertEqual((self.listed(i)[0]["state"], os.listdir(i.dir / "models" / "serve")), ("pending", []))
        self.model(i, "reject", bare["id"])
        said = {"version": "1.0", "supplier": "Acme", "released": "2026-01-31T00:00:00Z"}
        full = self.add(i, self.folder("b"), base_model="other", **said)
        self.assertEqual(full["missing"], [])
        m = self.model(i, "show", full["id"])["manifest"]
        self.assertEqual((m["model_version"], m["supplier"], m["released"], m["base_model"]), ("1.0", "Acme", said["released"], "other"))
        self.assertEqual(self.model(i, "approve", full["id"])["state"], "approved")
        # and the registry gives the bill of materials of what it approved
        for fmt in ("cyclonedx-1.7", "spdx-3"):
            text = i.cli("model", "sbom", full["id"][:12], "--registered", i.dir, "--check", "--format", fmt)
            (self.tmp / "bom").write_text(text)
            self.assertEqual(validators.valid(fmt, self.tmp / "bom"), "")
        model = next(e for e in json.loads(text)["@graph"] if e["type"] == "ai_AIPackage")
        self.assertEqual((model["name"], model["software_packageVersion"], model["releaseTime"]), ("tiny", "1.0", said["released"]))
        files = {e["name"]: e["verifiedUsing"][0]["hashValue"] for e in json.loads(text)["@graph"] if e["type"] == "software_File"}
        self.assertEqual(files, {f["name"]: f["sha256"] for f in m["files"]})
        self.assertEqual(i.cli("model", "sbom", bare["id"][:12], "--registered", i.dir, "--check", ok=False).returncode, 1)
        self.assertEqual(i.cli("model", "sbom", "0000", "--registered", i.dir, ok=False).returncode, 2)
        self.assertIn("no time", self.add(i, self.folder("c"), ok=False, released="yesterday").stderr)
        # an URL is asked for, and a sentence is none
        i.write_config(i.config().replace("[version, supplier, released]", "[source]"))
        i.cli("reload", i.dir)
        r = i.cli("model", "add", i.dir, self.folder("d", a=b"text\n"), "--name", "d", "--source", "from a friend", "--licence", "MIT", "--json")
        self.assertEqual(json.loads(r)["missing"], ["source"])
        self.assertIn("source (--source URL)", self.model(i, "approve", json.loads(r)["id"], ok=False).stderr)

    def test_findings_wait_or_end(self):
        i = self.instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])])
        evil = b"\x80\x04cos\nsystem\n\x8c\x04true\x85R."
        r = self.add(i, self.folder("evil", **{"weights.pkl": evil}), name="evil", ok=False)
        self.assertEqual(r.returncode, 1, r.stdout + r.stderr)
        self.assertEqual(self.listed(i)[0]["state"], "quarantined")
        r = self.model(i, "approve", self.listed(i)[0]["id"], "--accept", "I like it", ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("malicious", r.stderr)
        self.model(i, "reject", self.listed(i)[0]["id"], "--note", "runs commands")
        self.assertEqual(self.objects(i), [])

    def test_what_others_read_is_scanned_like_the_rest(self):
        """HDF5 and 7z go to their own processes, as in `bartizan scan`."""
        i = self.instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])])
        h5 = self.tmp / "h5"
        h5.mkdir()
        subprocess.run([BUILD / "tools" / "tiny-h5", h5], check=True)
        good = self.add(i, self.folder("good", **{"model.weights.h5": (h5 / "ok-weights.h5").read_bytes()}), name="good")
        self.assertEqual(good["state"], "pending", good)
        self.model(i, "approve", good["id"])
        for name, data, rule in (("keras", (h5 / "lambda-fixed.h5").read_bytes(), "KERAS-LAMBDA"),
                                 ("links", (h5 / "elink.h5").read_bytes(), "H5-LINK"),
                                 ("packed", base64.b64decode(PPMD), "PKL-CALL-CODE")):
            r = self.add(i, self.folder(name, **{"model.bin": data}), name=name, ok=False)
            self.assertEqual(r.returncode, 1, r.stdout + r.stderr)
            shown = next(m for m in self.listed(i) if m["name"] == name)
            self.assertEqual(shown["state"], "quarantined")
            self.assertIn(rule, json.dumps(self.model(i, "show", shown["id"])), name)

    def test_bad_sources(self):
        i = self.instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])])
        d = self.folder("links")
        (d / "link").symlink_to("/etc/passwd")
        r = self.add(i, d, ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("symbolic link", r.stderr)
        d = self.folder("fifo")
        os.mkfifo(d / "pipe")
        self.assertIn("FIFO", self.add(i, d, ok=False).stderr)
        self.assertIn("no file", self.add(i, self.mkdir("empty"), ok=False).stderr)
        self.assertEqual((self.listed(i), self.quarantine(i)), ([], []))
        # a hard link is a file like any other: it is copied
        d = self.folder("hard", a=b"text\n")
        os.link(d / "a", d / "b")
        made = self.add(i, d, name="hard")
        files = self.model(i, "show", made["id"])["manifest"]["files"]
        self.assertEqual(files[0]["sha256"], files[1]["sha256"])
        self.assertEqual(len(self.objects(i)), 1)
        (d / "a").write_bytes(b"TEXT\n")
        self.model(i, "approve", made["id"])

    def mkdir(self, name):
        (self.tmp / name).mkdir()
        return self.tmp / name

    def test_store_that_changed_is_not_approved(self):
        i = self.instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])])
        made = self.add(i, self.folder())
        obj = next((i.dir / "models" / "objects").glob("*/*"))
        obj.chmod(0o644)
        obj.write_bytes(b"A" * obj.stat().st_size)
        r = self.model(i, "approve", made["id"], ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("not the file any more", r.stderr)
        self.assertEqual(self.listed(i)[0]["state"], "pending")

    def test_killed_while_it_adds(self):
        """At whatever moment: nothing is registered, and the next one clears what was left."""
        i = self.instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])])
        d = self.folder("big", **{"f%d.txt" % k: os.urandom(1 << 20).hex().encode() for k in range(12)})
        for delay in (0.0, 0.01, 0.02, 0.04, 0.08, 0.15):
            p = subprocess.Popen([BARTIZAN, "model", "add", str(i.dir), str(d), "--name", "big", "--source", "x", "--licence", "MIT"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            for pid in [*descendants(p.pid), p.pid]:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            p.wait()
            for m in self.listed(i): # it may have been done already, also more than once
                self.assertIn(m["state"], ("pending", "rejected"))
                if m["state"] == "pending":
                    self.model(i, "reject", m["id"])
        self.assertEqual(os.listdir(i.dir / "models" / "serve"), [])
        self.add(i, self.folder(), name="small")
        self.assertEqual(self.quarantine(i), [])
        self.assertEqual(len(self.objects(i)), 2)

    def test_full_disk(self):
        """A small file system of its own for the instance's models."""
        i = self.instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])])
        q = i.dir / "models"
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "none", str(q)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(q)])
        for sub in ("quarantine", "objects", "serve"):
            (q / sub).mkdir(mode=0o700)
        r = self.add(i, self.folder("big", a=b"x" * (5 << 20)), ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("MiB left", r.stderr)
        # it looks as if there were room, and then there is none
        d = self.folder("sparse", **{"%d" % k: os.urandom(300 << 10) for k in range(6)})
        filler = q / "filler"
        filler.write_bytes(b"x" * (1 << 20))
        r = self.add(i, d, ok=False)
        self.assertEqual(r.returncode, 2, r.stdout)
        self.assertEqual((self.listed(i), self.quarantine(i), self.objects(i)), ([], [], []))
        filler.unlink()

    def test_ollama_manifest_stands_for_its_blobs(self):
        i = self.instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])])
        top = self.tmp / "models"
        (top / "blobs").mkdir(parents=True)
        layers = []
        for data in (b"{}", b"some text\n", b"more text\n"):
            h = subprocess.run(["sha256sum"], input=data, capture_output=True).stdout.split()[0].decode()
            (top / "blobs" / ("sha256-" + h)).write_bytes(data)
            layers.append({"digest": "sha256:" + h, "size": len(data)})
        m = top / "manifests" / "registry.ollama.ai" / "library" / "tiny" / "latest"
        m.parent.mkdir(parents=True)
        m.write_text(json.dumps({"schemaVersion": 2, "config": layers[0], "layers": layers[1:]}))
        r = self.add(i, m, ok=False)
        self.assertNotEqual(r.returncode, 2, r.stderr)
        files = self.model(i, "show", self.listed(i)[0]["id"])["manifest"]["files"]
        self.assertEqual([f["name"] for f in files],
                         sorted("blobs/" + x["digest"].replace(":", "-") for x in layers) + ["manifest.json"])
        for f in files[:-1]:
            self.assertEqual(f["name"], "blobs/sha256-" + f["sha256"])
        (top / "blobs" / layers[2]["digest"].replace(":", "-")).unlink()
        r = self.add(i, m, name="gone", ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("not there", r.stderr)

    def test_publisher_signature(self):
        i = self.instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])])
        key, pub = self.tmp / "k.pem", self.tmp / "k.pub"
        subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", key], check=True)
        subprocess.run(["openssl", "ec", "-in", key, "-pubout", "-out", pub], check=True, capture_output=True)
        d = self.folder()
        i.cli("model", "sign", d, "--key", key)
        made = self.add(i, d, key=pub)
        self.assertTrue(self.model(i, "show", made["id"])["manifest"]["publisher"].startswith("key "))
        (d / "notes.txt").write_bytes(b"a Model\n")
        r = self.add(i, d, key=pub, name="changed", ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("notes.txt", r.stderr)
        self.assertEqual(len(self.listed(i)), 1)


class Mapped(Registry):
    """What a real llama-server has mapped."""

    def model_status(self):
        r = self.i.cli("model", "status", self.i.dir, ok=False)
        d = json.loads(self.i.cli("model", "status", self.i.dir, "--json", ok=False).stdout)
        return r.returncode, d["backends"][0].get("registry", {}).get("verdict"), r.stdout

    def setUp(self):
        super().setUp()
        demo()
        self.port = free_port()
        self.i = self.instance([backend("demo", "llama.cpp", "http://127.0.0.1:%d" % self.port)], extra=ENFORCE)
        made = self.add(self.i, DEMO / "model.gguf")
        self.ident = made["id"]
        self.serve = pathlib.Path(self.model(self.i, "approve", self.ident)["serve"])
        self.file = self.serve / "model.gguf"

    def state(self):
        d = json.loads(self.i.cli("status", self.i.dir, "--json", ok=False).stdout).get("daemon")
        return (d["backends"][0]["health"], d["backends"][0]["why"]) if d else ("not told", "")

    def chat(self):
        return self.i.chat("tiny", max_tokens=2).status

    def good(self):
        wait_for(lambda: self.state()[0] == "up", 20)
        self.i.served("tiny")
        self.assertEqual(self.chat(), 200)

    def stopped(self, why):
        """the backend to be stopped"""
        def there():
            h, w = self.state()
            return h != "up" and why in w
        try:
            wait_for(there, 20)
        except AssertionError as e:
            raise AssertionError("%s: %s" % (self.state(), self.i.output()[-2000:])) from e
        self.assertEqual(self.chat(), 503)

    def test_control_tokens_of_the_mapped_model(self):
        """A server that shows no template: what its approved file says are the tokens of the model."""
        self.i.backends = self.i.backends.replace("llama.cpp", "openai")
        self.i.write_config()
        self.i.cli("reload", self.i.dir)
        llama(self, self.file, port=self.port)
        self.good()

        def found():
            r = self.i.post("/v1/chat/completions", {"model": "tiny", "messages": [{"role": "user", "content": "a <|call|> b"}]})
            return r.code == "control_token_blocked" and "Found: model" in r.json["error"]["message"]
        wait_for(found)

    def test_approved_is_served_and_tensors_have_digests(self):
        llama(self, self.file, port=self.port)
        self.good()
        m = self.model(self.i, "show", self.ident)["manifest"]
        self.assertGreater(len(m["tensors"]), 5)
        t = m["tensors"][0]
        data = self.file.read_bytes()[t["offset"]:t["offset"] + t["size"]]
        self.assertEqual(t["sha256"], subprocess.run(["sha256sum"], input=data, capture_output=True).stdout.split()[0].decode())
        self.model(self.i, "retire", self.ident)
        self.stopped("removed")

    def test_swapped_under_the_server(self):
        copy = self.tmp / "copy.gguf"
        shutil.copy(DEMO / "model.gguf", copy)
        llama(self, copy, port=self.port)
        self.good() # a copy elsewhere has the approved bytes
        other = self.tmp / "other.gguf"
        shutil.copy(DEMO / "model.gguf", other)
        os.rename(other, copy) # even the same bytes: it is not the file that is mapped
        self.stopped("replaced")
        self.assertIn("ALERT", self.i.output())
        wait_for(lambda: any(e.get("reason") == "model.check" and "replaced" in e.get("detail", "") for e in self.i.export()))

    def test_changed_in_place(self):
        copy = self.tmp / "copy.gguf"
        shutil.copy(DEMO / "model.gguf", copy)
        p = llama(self, copy, port=self.port)
        self.good()
        with open(copy, "r+b") as f:
            f.seek(-1, 2)
            last = f.read(1)
            f.seek(-1, 2)
            f.write(bytes([last[0] ^ 1]))
        self.stopped("was changed")
        with open(copy, "r+b") as f: # back again: what this process took over is in its memory
            f.seek(-1, 2)
            f.write(last)
        time.sleep(2)
        self.stopped("was changed")
        stop_process(p)
        llama(self, copy, port=self.port)
        self.good()

    def test_not_approved(self):
        """And once it is approved, the same process is: nothing was changed under it."""
        other = self.tmp / "other.gguf"
        data = bytearray((DEMO / "model.gguf").read_bytes())
        data[-1] ^= 1
        other.write_bytes(data)
        llama(self, other, port=self.port)
        self.stopped("is not approved")
        self.assertEqual(self.model_status()[:2], (1, "not approved"))
        made = self.add(self.i, other, name="other")
        self.model(self.i, "approve", made["id"])
        self.good()
        self.assertEqual(self.model_status()[:2], (0, "approved"))

    def test_truncated(self):
        other = self.tmp / "short.gguf"
        other.write_bytes((DEMO / "model.gguf").read_bytes())
        llama(self, other, port=self.port)
        self.good()
        os.truncate(other, other.stat().st_size - 1)
        self.stopped("was changed")

    def test_a_link_and_another_name_are_fine(self):
        link = self.tmp / "renamed.bin"
        link.symlink_to(self.file)
        llama(self, link, port=self.port)
        self.good()

    def test_nothing_mapped_is_not_assessable(self):
        llama(self, self.file, "--load-mode", "none", port=self.port)
        self.stopped("no model file mapped")

    def test_other_users_server_is_not_assessable(self):
        p = subprocess.Popen([str(DEMO / "llama-server"), "-m", str(self.file), "--alias", "tiny", "--host", "127.0.0.1", "--port",
                              str(self.port), "--offline", "--no-ui", "-c", "512"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        self.addCleanup(stop_process, p)
        if "0000000000000000" in pathlib.Path("/proc/self/status").read_text().split("CapEff:")[1].split("\n")[0]:
            self.stopped("")
        else:
            self.stopped("without capabilities")
        self.assertTrue(alive(p.pid))

    def test_another_user_is_told_as_such(self):
        """bartizand has no privilege to look into others: that is said, and under enforce it is no reason to go on."""
        shared = self.tmp / "shared"
        shared.mkdir(mode=0o755)
        self.tmp.chmod(0o755)
        # the demo belongs to its owner alone; this is a server that anybody may start
        shutil.copyfile(DEMO / "model.gguf", shared / "m.gguf")
        (shared / "m.gguf").chmod(0o644)
        if (DEMO / "root").is_dir():
            shutil.copytree(DEMO / "root", shared / "root", symlinks=True)
            for link in (shared / "root").rglob("*"): # some name the first place
                if link.is_symlink() and os.readlink(link).startswith(str(DEMO) + "/"):
                    target = os.readlink(link).replace(str(DEMO), str(shared), 1)
                    link.unlink()
                    link.symlink_to(target)
        (shared / "llama-server").write_text((DEMO / "llama-server").read_text().replace(str(DEMO) + "/", str(shared) + "/"))
        (shared / "llama-server").chmod(0o755)
        p = subprocess.Popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all",
                              str(shared / "llama-server"), "-m", str(shared / "m.gguf"), "--alias", "tiny", "--host", "127.0.0.1", "--port",
                              str(self.port), "--offline", "--no-ui", "-c", "512"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(stop_process, p)
        self.stopped("belongs to user 65534")
        code, verdict, text = self.model_status()
        self.assertEqual((code, verdict), (3, "not assessable"))
        self.assertIn("not used", text)
        self.assertIn("belongs to user 65534", text)
        wait_for(lambda: any(e.get("reason") == "model.check" and "not assessable" in e.get("detail", "") for e in self.i.export()))
        # where policy only watches it is used, and still told
        self.i.extra = ENFORCE.replace("enforce", "watch")
        self.i.write_config()
        self.i.cli("reload", self.i.dir)
        wait_for(lambda: self.state()[0] == "up" and self.model_status()[:2] == (3, "not assessable"))
        self.assertNotIn("not used", self.model_status()[2])
        self.i.extra = ENFORCE.replace("enforce", "off")
        self.i.write_config()
        self.i.cli("reload", self.i.dir)
        wait_for(lambda: self.model_status()[:2] == (3, None))
        self.assertIn("registry.mode is off", self.model_status()[2])

    def test_watch_only_tells(self):
        self.i.extra = ENFORCE.replace("enforce", "watch")
        self.i.write_config()
        self.i.cli("reload", self.i.dir)
        other = self.tmp / "other.gguf"
        data = bytearray((DEMO / "model.gguf").read_bytes())
        data[-1] ^= 1
        other.write_bytes(data)
        llama(self, other, port=self.port)
        wait_for(lambda: "ALERT: backend demo: not approved" in self.i.output())
        self.good()


class InACage(Registry):
    def test_an_instance_of_an_ordinary_user_with_a_cage(self):
        """Root adds and approves for the owner; the process in the cage has its own namespaces and is looked into all the same."""
        p = test_sandbox.place(self)
        i = Instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])], extra=ENFORCE, directory="/var/tmp")
        self.addCleanup(self.finish, i)
        i.program = p.bartizan
        owner = test_sandbox.NOBODY if os.geteuid() == 0 else os.geteuid()
        subprocess.run(["chown", "-R", "%d:%d" % (owner, owner), str(i.holder)], check=True)
        i.start()
        made = self.add(i, p.model)
        serve = pathlib.Path(self.model(i, "approve", made["id"])["serve"])
        for f in [*serve.glob("*"), *(i.dir / "models" / "objects").glob("*/*")]:
            self.assertEqual((f.stat().st_uid, f.stat().st_mode & 0o777), (owner, 0o444), f)
        i.stop()
        run = {"profile": "llama-server", "read": p.reads, "command": [
            *p.command, "-m", str(serve / "model.gguf"), "--alias", "tiny", "--offline", "--no-ui", "-c", "512", "-np", "1"]}
        i.backends = "  - {name: demo, type: llama.cpp, run: %s}\n" % json.dumps(run)
        i.write_config()
        subprocess.run(["chown", "%d:%d" % (owner, owner), str(i.dir / "bartizan.yaml")], check=True)
        i.start()
        wait_for(lambda: i.chat("tiny", max_tokens=2).status == 200) # after the probe of the cage
        state = json.loads(i.cli("status", i.dir, "--json"))["daemon"]["backends"][0]["registry"]
        self.assertEqual((state["verdict"], state["files"]), ("approved", 1))
        self.model(i, "retire", made["id"])
        wait_for(lambda: i.chat("tiny", max_tokens=2).code == "backend_unsafe")
