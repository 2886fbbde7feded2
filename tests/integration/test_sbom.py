"""Inventories of made-up roots, bills of materials against the official schemas, licence reviews."""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tarfile
import tempfile
import unittest

import validators
from harness import BARTIZAN, ROOT

SCHEMAS = ROOT.parent / "shared" / "data" / "vectors" / "schemas.tar.xz"


def run(*args, **more):
    return subprocess.run([BARTIZAN, *map(str, args)], capture_output=True, text=True, timeout=60, **more)


def text(s):
    return struct.pack("<Q", len(s.encode())) + s.encode()


def pair(key, kind, value):
    return text(key) + struct.pack("<I", kind) + value


def gguf(extra=b"", pairs=0, version=3):
    kv = [pair("general.architecture", 8, text("llama")), pair("general.name", 8, text("Tiny Demo")), pair("general.license", 8, text("mit")),
          pair("general.size_label", 8, text("15M")), pair("general.file_type", 4, struct.pack("<I", 15)),
          pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 3) + text("a") + text("b") + text("c")),
          pair("tokenizer.ggml.scores", 9, struct.pack("<IQ", 6, 2) + b"\0" * 8), pair("tokenizer.chat_template", 8, text("{{ messages }}"))]
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(kv) + pairs) + b"".join(kv) + extra


class Trees(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-sbom-"))
        self.addCleanup(shutil.rmtree, self.tmp)
        self.root = self.tmp / "root"

    def file(self, path, data):
        f = self.root / path
        f.parent.mkdir(parents=True, exist_ok=True)
        f.write_bytes(data if isinstance(data, bytes) else data.encode())
        return f

    def everything(self):
        self.file("etc/os-release", 'ID=debian\nVERSION_ID="12"\n')
        self.file("var/lib/dpkg/status", "Package: nvidia-container-toolkit\nStatus: install ok installed\nVersion: 1.17.7-1\nArchitecture: amd64\n"
                  "Maintainer: N <n@example.org>\nHomepage: https://example.org/n\nDescription: x\n y\n\n")
        self.file("var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n")
        site = "usr/lib/python3/dist-packages/"
        self.file(site + "vllm-0.14.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: vLLM\nVersion: 0.14.0\nLicense-Expression: Apache-2.0\n"
                  "Summary: engine\n\nName: wrong\n")
        self.file(site + "vllm-0.14.0.dist-info/direct_url.json", '{"url": "https://example.org/vllm.whl", "archive_info": {}}')
        good = hashlib.sha256(b"print(1)\n").digest()
        self.file(site + "vllm/a.py", b"print(1)\n")
        self.file(site + "vllm/b.py", b"print(2)\n")
        line = "vllm/%s.py,sha256=" + base64.urlsafe_b64encode(good).rstrip(b"=").decode() + ",9\n"
        self.file(site + "vllm-0.14.0.dist-info/RECORD", line % "a" + line % "b" + "vllm-0.14.0.dist-info/RECORD,,\n")
        self.file(site + "old.egg-info", "Name: old-thing\nVersion: 1\nClassifier: License :: OSI Approved :: MIT License\n\n")
        self.file(site + "dir.egg-info/PKG-INFO", "Name: other\nVersion: 2\nLicense: Special words of our own\n\n")
        self.file("opt/conda/conda-meta/numpy-1.0-py_0.json", '{"name": "numpy", "version": "1.0", "license": "BSD-3-Clause", "sha256": "%s"}' % ("ab" * 32))
        self.file("srv/app/package-lock.json", json.dumps({"lockfileVersion": 3, "packages": {
            "": {"name": "app", "version": "1"}, "node_modules/a": {"version": "1.0.0", "license": "MIT", "resolved": "https://example.org/a.tgz"},
            "node_modules/a/node_modules/@s/b": {"version": "2.0.0"}, "packages/local": {"version": "3"}, "node_modules/l": {"link": True}}}))
        self.file("srv/old/package-lock.json", json.dumps({"lockfileVersion": 1, "dependencies": {
            "c": {"version": "1.1.0", "dependencies": {"d": {"version": "1.2.0"}}}}}))
        self.file("srv/live/node_modules/e/package.json", '{"name": "e", "version": "5.0.0", "license": {"type": "ISC"}}')
        self.file("srv/live/node_modules/@x/f/package.json", '{"name": "@x/f", "version": "6.0.0"}')
        self.file("srv/live/node_modules/e/lib/package.json", '{"type": "module"}')
        self.file("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22\nGCC version: 12\n")
        self.file("usr/local/cuda-12.4/version.json", '{"cuda": {"name": "CUDA SDK", "version": "12.4.1"}, "nvcc": {"version": "12.4.131"}}')
        self.file("usr/local/cuda-12.4/lib64/libcudart.so.12.4.127", b"x")
        self.file("usr/local/cuda-12.4/lib64/libcudart.so.12", b"x")
        f = self.file("usr/local/bin/llama-server", "#!/bin/sh\necho 'version: 8145 (1a2b3c4)' >&2\n")
        f.chmod(0o755)
        weights = gguf()
        digest = hashlib.sha256(weights).hexdigest()
        words = "Apache License\nVersion 2.0, January 2004\n" + "words " * 40
        licence = hashlib.sha256(words.encode()).hexdigest()
        store = "root/.ollama/models/"
        self.file(store + "blobs/sha256-" + digest, weights)
        self.file(store + "blobs/sha256-" + licence, words)
        self.file(store + "manifests/registry.ollama.ai/library/tiny/latest", json.dumps({"schemaVersion": 2, "layers": [
            {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:" + digest, "size": len(weights)},
            {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:" + licence, "size": len(words)}]}))
        hub = "root/.cache/huggingface/hub/models--acme--demo/"
        self.file(hub + "blobs/" + "cd" * 32, b"weights")
        self.file(hub + "snapshots/abc/README.md", "---\nlicense: apache-2.0\nbase_model:\n- acme/base\n---\n# Demo\n")
        self.file(hub + "snapshots/abc/config.json", '{"model_type": "llama"}')
        os.symlink("../../blobs/" + "cd" * 32, self.root / hub / "snapshots/abc/model.safetensors")
        return digest

    def listed(self, *more):
        r = run("inventory", "--root", self.root, "--json", *more)
        return r.returncode, json.loads(r.stdout)


class Inventory(Trees):
    def test_every_kind(self):
        digest = self.everything()
        code, d = self.listed("--run")
        self.assertEqual((code, d["notes"], d["complete"]), (0, [], True))
        by = {(c["kind"], c["name"]): c for c in d["components"]}
        self.assertEqual({k: v["version"] for k, v in by.items()}, {
            ("deb", "nvidia-container-toolkit"): "1.17.7-1", ("deb", "base-files"): "12.4", ("pypi", "vLLM"): "0.14.0", ("pypi", "old-thing"): "1",
            ("pypi", "other"): "2", ("conda", "numpy"): "1.0", ("npm", "a"): "1.0.0", ("npm", "@s/b"): "2.0.0", ("npm", "c"): "1.1.0",
            ("npm", "d"): "1.2.0", ("npm", "e"): "5.0.0", ("npm", "@x/f"): "6.0.0", ("driver", "nvidia-driver"): "550.54.14",
            ("library", "cuda"): "12.4.1", ("library", "cuda-nvcc"): "12.4.131", ("library", "libcudart"): "12.4.127",
            ("server", "llama.cpp"): "8145 (1a2b3c4)", ("model", "tiny:latest"): "", ("model", "acme/demo"): "abc"})
        self.assertEqual(by[("pypi", "vLLM")]["origin"], "https://example.org/vllm.whl")
        self.assertEqual(by[("pypi", "vLLM")]["purl"], "pkg:pypi/vllm@0.14.0")
        self.assertEqual(by[("npm", "@s/b")]["purl"], "pkg:npm/%40s/b@2.0.0")
        self.assertEqual(by[("deb", "nvidia-container-toolkit")]["purl"], "pkg:deb/debian/nvidia-container-toolkit@1.17.7-1?arch=amd64&distro=debian-12")
        self.assertEqual((by[("pypi", "old-thing")]["licence"], by[("npm", "e")]["licence"]), ("MIT", "ISC"))
        self.assertTrue(by[("pypi", "vLLM")]["serves_models"])
        tiny, demo = by[("model", "tiny:latest")], by[("model", "acme/demo")]
        self.assertEqual((tiny["sha256"], tiny["licence"], tiny["quantisation"], tiny["architecture"]), (digest, "Apache-2.0", "Q4_K_M", "llama"))
        self.assertEqual(tiny["chat_template_sha256"], hashlib.sha256(b"{{ messages }}").hexdigest())
        self.assertEqual((demo["licence"], demo["architecture"], demo["base_model"], demo["format"]), ("Apache-2.0", "llama", "acme/base", "safetensors"))
        self.assertIn("cd" * 32, [f.get("sha256") for f in demo["files"]])

    def test_names_that_begin_like_libraries(self):
        self.file("opt/conda/conda-meta/libblas-3.9-0.json", '{"name": "libblas", "version": "3.9"}')
        self.file("m/libri.gguf", gguf())
        self.assertEqual({(c["kind"], c["name"]) for c in self.listed()[1]["components"]}, {("conda", "libblas"), ("model", "Tiny Demo")})

    def test_programs_are_run_only_when_asked(self):
        self.file("usr/bin/ollama", "#!/bin/sh\ntouch %s\necho 1.2.3\n" % (self.tmp / "ran")).chmod(0o755)
        self.assertEqual(self.listed()[1]["components"][0]["version"], "")
        self.assertFalse((self.tmp / "ran").exists())
        self.assertEqual(self.listed("--run")[1]["components"][0]["version"], "1.2.3")

    def test_links_do_not_lead_out(self):
        outside = self.tmp / "outside"
        outside.write_text("Name: evil\nVersion: 1\n\n")
        d = self.root / "usr/lib/evil-1.dist-info"
        d.mkdir(parents=True)
        os.symlink(outside, d / "METADATA")
        os.symlink("/etc", self.root / "usr/lib/etc-link")
        code, got = self.listed()
        self.assertEqual((code, got["components"]), (3, []))

    def test_changed_files_of_packages(self):
        self.everything()
        code, d = self.listed("--verify")
        self.assertEqual((code, [n["path"] for n in d["notes"]]), (1, ["usr/lib/python3/dist-packages/vllm/b.py"]))

    def test_damaged_things_are_named(self):
        self.file("a/package-lock.json", "{")
        self.file("b/x.dist-info/METADATA", "Version: 1\n\n")
        self.file("m/bad.gguf", gguf()[:90])
        self.file("m/huge.gguf", b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 62))
        self.file("m/old.gguf", gguf(version=1))
        code, d = self.listed()
        self.assertEqual(code, 3)
        self.assertEqual(sorted(n["path"] for n in d["notes"]), ["a/package-lock.json", "b/x.dist-info", "m/bad.gguf", "m/huge.gguf", "m/old.gguf"])

    def test_licence_review(self):
        self.everything()
        allowed = self.tmp / "allowed"
        allowed.write_text("# ours\nApache-2.0\nMIT # permissive\nISC\n")
        r = run("inventory", "--root", self.root, "--licences", allowed, "--json")
        why = {f["name"]: f["why"] for f in json.loads(r.stdout)["findings"]}
        self.assertEqual(r.returncode, 1)
        self.assertEqual(why, {"other": "the licence is stated in words of its own", "numpy": "the licence is not in the list",
                               "@s/b": "no licence is stated", "c": "no licence is stated", "d": "no licence is stated", "@x/f": "no licence is stated"})
        allowed.write_text("Not A Licence\n")
        self.assertEqual(run("inventory", "--root", self.root, "--licences", allowed).returncode, 2)


class Sbom(Trees):
    def sbom(self, fmt):
        r = run("inventory", "--root", self.root, "--sbom", fmt)
        self.assertEqual(r.returncode, 0, r.stderr)
        return r.stdout

    def test_spdx(self):
        """What a schema cannot say: references lead to elements of the document, and each id is there once."""
        self.everything()
        d = json.loads(self.sbom("spdx-3"))
        self.assertEqual(d["@context"], "https://spdx.org/rdf/3.0.1/spdx-context.jsonld")
        graph = d["@graph"]
        ids = [e["spdxId"] for e in graph if "spdxId" in e]
        self.assertEqual(len(ids), len(set(ids)))
        known = {"CreationInfo": ("@id", "specVersion", "created", "createdBy"), "SoftwareAgent": ("name",), "Organization": ("name",),
                 "SpdxDocument": ("rootElement", "profileConformance"), "software_Sbom": ("rootElement", "software_sbomType"),
                 "software_Package": ("name", "software_primaryPurpose"), "ai_AIPackage": ("name", "software_primaryPurpose"),
                 "software_File": ("name",), "simplelicensing_LicenseExpression": ("simplelicensing_licenseExpression",),
                 "Relationship": ("from", "to", "relationshipType")}
        for e in graph:
            self.assertIn(e["type"], known)
            for key in known[e["type"]]:
                self.assertTrue(e.get(key), (e["type"], key))
            if e["type"] != "CreationInfo":
                self.assertEqual(e["creationInfo"], "_:creation")
            refs = [e[k] for k in ("suppliedBy", "from") if k in e] + [x for k in ("to", "rootElement", "element", "createdBy") for x in e.get(k, [])]
            self.assertEqual([x for x in refs if x not in ids], [])
        models = {e["name"]: e for e in graph if e["type"] == "ai_AIPackage"}
        self.assertEqual(set(models), {"tiny:latest", "acme/demo"})
        self.assertEqual(models["acme/demo"]["software_downloadLocation"], "https://huggingface.co/acme/demo")
        self.assertEqual(models["tiny:latest"]["ai_typeOfModel"], ["llama"])
        self.assertEqual(sum(e["type"] == "CreationInfo" for e in graph), 1)

    def test_cyclonedx_contents(self):
        digest = self.everything()
        for fmt in ("1.6", "1.7"):
            d = json.loads(self.sbom("cyclonedx-" + fmt))
            self.assertEqual((d["bomFormat"], d["specVersion"]), ("CycloneDX", fmt))
            by = {c["name"]: c for c in d["components"]}
            tiny = by["tiny:latest"]
            self.assertEqual(tiny["type"], "machine-learning-model")
            self.assertEqual(tiny["hashes"], [{"alg": "SHA-256", "content": digest}])
            self.assertEqual(tiny["modelCard"]["modelParameters"]["architectureFamily"], "llama")
            self.assertIn("tokenizer.chat_template", [c["name"] for c in tiny["components"]])
            self.assertEqual(by["acme/demo"]["pedigree"]["ancestors"][0]["name"], "acme/base")
            self.assertEqual(by["nvidia-driver"]["type"], "device-driver")
            self.assertEqual(by["vLLM"]["licenses"], [{"expression": "Apache-2.0"}])
            self.assertEqual(by["other"]["licenses"], [{"license": {"name": "Special words of our own"}}])

    def test_odd_texts_stay_text(self):
        self.file("x/a.dist-info/METADATA", b"Name: we\x1bird \"<>\\ \xff\nVersion: 1 0\nHome-page: javascript:alert(1)\nLicense: (MIT\n\n")
        for fmt in ("cyclonedx-1.6", "cyclonedx-1.7", "spdx-3"):
            self.assertNotIn("javascript", self.sbom(fmt))
            json.loads(self.sbom(fmt))

    def test_a_model_and_what_promotion_needs(self):
        f = self.file("m/tiny.gguf", gguf())
        r = run("model", "sbom", f, "--check")
        self.assertEqual((r.returncode, "missing: version (--version TEXT), supplier (--supplier TEXT)" in r.stderr, r.stdout), (1, True, ""))
        said = ["--version", "1.0", "--supplier", "Acme", "--source", "https://example.org/m", "--released", "2026-01-31T00:00:00Z"]
        for skip in range(0, len(said), 2):
            r = run("model", "sbom", f, "--check", *said[:skip], *said[skip + 2:])
            self.assertEqual((r.returncode, said[skip] in r.stderr), (1, True))
        self.assertEqual(run("model", "sbom", f, "--check", *said, "--licence", "Some words").returncode, 1)
        r = run("model", "sbom", f, "--check", "--format", "spdx-3", *said)
        self.assertEqual(r.returncode, 0, r.stderr)
        model = next(e for e in json.loads(r.stdout)["@graph"] if e["type"] == "ai_AIPackage")
        self.assertEqual((model["releaseTime"], model["software_packageVersion"]), ("2026-01-31T00:00:00Z", "1.0"))
        self.assertEqual(model["verifiedUsing"][0]["hashValue"], hashlib.sha256(gguf()).hexdigest())
        self.assertEqual(run("model", "sbom", self.root / "no").returncode, 2)
        self.assertEqual(run("model", "sbom", self.file("m/bad.gguf", b"GGUF")).returncode, 3)


# What people and tools write into metadata. Where it is no URL or no SPDX expression, it is left out or stands as the plain text it is.
URLS = ["https://[::1/%zz", "https://a/%4", "https://a/b c", "https://", "http://:80/", "https://exa[mple].org/", "https://user:secret@h/", "https://@/",
        "https://h:port/", "https://h:99999999/", "https://a/#x#y", "https://a/?q=[1]", "https://[::g]/", "https:///x", "https://a/\u00e9", "https://a/%00",
        "file:///etc/passwd", "javascript:alert(1)", "git+ssh://git@a/b", "https://[::1]:443/x?y=%41#z", "git+https://a/b.git", "http://a.example:8080"]
LICENCES = ["(MIT", "MIT OR", "MIT AND Apache-2.0", "mit", "LicenseRef-x", "DocumentRef-a:LicenseRef-b", "GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0+",
            "+", "A" * 3000, "MIT/Apache-2.0", "\u00e9", "NONE", "NOASSERTION", "SEE LICENSE IN x", "UNLICENSED", "a:b", "DocumentRef-a", "MIT WITH MIT",
            "(((MIT)))", "AND", "..", "LicenseRef-", "<script>", "\U0001f600 \u202e"]
STANDARDS = ("cyclonedx-1.6", "cyclonedx-1.7", "spdx-3")


class Schemas(Trees):
    """Documents of whole trees against the official schemas. See validators.py for where these come from."""

    def write(self, name, *args):
        r = run(*args)
        self.assertIn(r.returncode, (0, 3), r.stderr)
        f = self.tmp / name
        f.write_text(r.stdout)
        return f

    def documents(self, standard):
        """A host with everything and with odd things, an empty machine, a model that says little and one that says all."""
        model = self.file("m/t.gguf", gguf())
        said = ("--version", "1.0", "--supplier", "Acme", "--source", "https://example.org/m", "--released", "2026-01-31T00:00:00Z", "--base-model", "b")
        empty = self.tmp / "nothing"
        empty.mkdir(exist_ok=True)
        return [self.write("host", "inventory", "--root", self.root, "--sbom", standard), self.write("empty", "inventory", "--root", empty, "--sbom", standard),
                self.write("bare", "model", "sbom", model, "--format", standard), self.write("full", "model", "sbom", model, *said, "--format", standard)]

    def odd(self):
        self.file("x/a.dist-info/METADATA", b"Name: we\x1bird \"<>\\ \xff\nVersion: 1 0 \xc3\xa9%\nAuthor: \xef\xbf\xbe \xe2\x80\xae\n\n")
        for n, url in enumerate(URLS):
            self.file("x/u%d.dist-info/METADATA" % n, "Name: url%d\nVersion: 1\nHome-page: %s\n\n" % (n, url))
            self.file("x/u%d.dist-info/direct_url.json" % n, json.dumps({"url": url}))
        for n, words in enumerate(LICENCES):
            self.file("x/l%d.dist-info/METADATA" % n, "Name: lic%d\nVersion: 1\nLicense-Expression: %s\n\n" % (n, words))

    def damaged(self, standard, good):
        parts = (lambda d: d["components"]) if standard != "spdx-3" else (lambda d: [e for e in d["@graph"] if e["type"] == "ai_AIPackage"])
        damage = [lambda p: p[0].update(nonsense=1), lambda p: p[0].update(name=7),
                  lambda p: p[0].pop("type" if standard != "spdx-3" else "creationInfo")]
        if standard == "cyclonedx-1.7": # the enumerations of a file of its own are in force
            damage.append(lambda p: p.append({"type": "cryptographic-asset", "name": "x", "cryptoProperties": {
                "assetType": "algorithm", "algorithmProperties": {"algorithmFamily": "no such family"}}}))
        for n, hurt in enumerate(damage):
            d = json.loads(good)
            hurt(parts(d))
            f = self.tmp / ("bad-%d" % n)
            f.write_text(json.dumps(d))
            yield f

    def hold(self, standards, folder=None):
        """What is written is valid; what is damaged is not, or else the first says nothing."""
        self.everything()
        self.odd()
        for standard in standards:
            good = self.documents(standard)
            bad = list(self.damaged(standard, good[0].read_text()))
            said = validators.valid(standard, *good, *bad, folder=folder)
            self.assertEqual([f.name for f in good if str(f) + ":" in said], [], said)
            self.assertEqual([f.name for f in bad if str(f) + ":" not in said], [], standard)

    def test_official_schemas(self):
        self.hold(STANDARDS)

    def test_odd_words(self):
        self.odd()
        d = json.loads(self.write("host", "inventory", "--root", self.root, "--sbom", "cyclonedx-1.6").read_text())
        by = {c["name"]: c for c in d["components"]}
        self.assertEqual([URLS[n] for n in range(len(URLS)) if "externalReferences" in by["url%d" % n]], [
            "https://a/%00", "https://[::1]:443/x?y=%41#z", "git+https://a/b.git", "http://a.example:8080"])
        self.assertNotIn("secret", json.dumps(d))
        self.assertEqual([LICENCES[n] for n in range(len(LICENCES)) if "expression" in by["lic%d" % n].get("licenses", [{}])[0]], [
            "MIT AND Apache-2.0", "mit", "LicenseRef-x", "DocumentRef-a:LicenseRef-b", "GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0+",
            "MIT WITH MIT", "(((MIT)))"])

    def test_the_ai_profile_is_claimed_only_where_it_holds(self):
        documents = [json.loads(f.read_text()) for f in self.documents("spdx-3")]
        claims = [next(e for e in d["@graph"] if e["type"] == "SpdxDocument")["profileConformance"] for d in documents]
        self.assertEqual(["ai" in c for c in claims], [False, False, False, True])


if SCHEMAS.exists(): # other people's data: read where it lies

    class SchemasAtHand(Schemas):
        """The same with CycloneDX's schemas as they were handed out beside this project."""

        def test_official_schemas(self):
            with tarfile.open(SCHEMAS) as t:
                t.extractall(self.tmp, filter="data")
            folder = self.tmp / "schemas"
            shutil.copy(validators.schemas() / "cryptography-defs.schema.json", folder)
            self.hold(STANDARDS[:2], folder)

        test_odd_words = test_the_ai_profile_is_claimed_only_where_it_holds = None
