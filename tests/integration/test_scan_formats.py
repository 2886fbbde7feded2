"""bartizan scan on model formats beyond pickles: HDF5 through its own process, external data beside ONNX models, folders of
Hugging Face, members of .keras, .skops, .mar and .nemo."""
import base64
import io
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tarfile
import tempfile
import unittest
import zipfile
import zlib

from harness import BARTIZAN, BUILD, HANG_S, ROOT

CHILD = BUILD / "bartizan-hdf5"
UNPACKER = BUILD / "bartizan-7z"
CAP = 1 << 30 # BZ_UNPACK_BYTES_MAX
# Made by 7-Zip: evil.pkl (calls os.system("true # ...")) and good.pkl; by BCJ2 code.bin between them; in AES evil.pkl alone,
# and once more with the list of members encrypted.
PPMD = (
    "N3q8ryccAASbun/QuQAAAAAAAAAhAAAAAAAAAKQgfg0Af4T8bqTsJomUg6HFskOMtbBpY9K6kOexzrSL6frAxhCGVPBCoh7VMzX1voYxKAnWOU"
    "SvGiQFQ0RGrf/yAcarfu5Rb91kF9Ru1UwAAACBMweuD9KN0v1AwJDTQ8UqLG6gn3tq7SjwYjZn3RyXFQngw1GSrZ4Ft8NFPAP/M/4hR9pESNoL"
    "UuNIde2EkNLp+3cibw8HBn7BVpKGAc3nm7U4i7EimMIC5HW+5UtFyRHtIrvXUBJ6gAAAABcGTAEJbQAHCwEAASMDAQEFXQAQAAAMgIYKAV1ZZx"
    "4AAA==")
BCJ2 = (
    "N3q8ryccAARmSl6rcAEAAAAAAAAjAAAAAAAAAFNQRcUAdG5CNQBoOZh3UfxBCg2ebZ1EiIliUuuusisqtcqMGbjPohWtHfdKCrat7KrkQ1kR2S"
    "tg4n0jSuvs9SKM2UKWly75dF7VCO8Y870j7FU//tJl9yYI7HMLXdJeplugnmVBe6c667VO+35r28PmAAD///3O0JYAAAAAAGf/wQaW1Xb/qWoS"
    "3VSR4VxZ4FqAToEKfKWD71ZhCQ2z5otNVShsMk0nR7Nsf1VOpX6VU0aMnIrDz5w5nn6kuAp60I/u3uKoeD91atuBD/DmdPPgAAAAAAAAAIEzB6"
    "5txI8juY2PKc3vU2AWSvQGv2n1QrSxWI/Q5p4qTXffu6g15VTAq/FHvciHqenB9PoiHAyIruSwbz6rfzh0gOmryDiuVZ9i70+5+YSY+jvlnWQ4"
    "FBnwu8w+0sEf86hzQctk6lMALUfyT8uBUhXa9dzWAgz+V9moqOGf8ucSdCVBY2949kabZNwjklBXW2iq07hE3cMcNAAAABcGgNIBCYCeAAcLAQ"
    "ABIwMBAQVdABAAAAyA2goBKpO3NQAA")
AES = (
    "N3q8ryccAASJc1JJQAAAAAAAAABqAAAAAAAAAArtlBGtCnhPeeiP6x2Qyr4KeacgKqwNUoj7J+AB4czOWPqWha4ZLcyEbfli62xLvU0zdEjWyV"
    "mO+OlZp/0dQnIbgutkAQQGAAEJQAAHCwEAAiQG8QcBElMPZ5SmzIHxYNY58lbnay1W0SEhAQABAAw5VQAICgHIDC3LAAAFARkBABETAGUAdgBp"
    "AGwALgBwAGsAbAAAABkAFAoBAGObD6pYe90BFQYBACCApIEAAA==")
AES_NAMES = (
    "N3q8ryccAATSw5wTsAAAAAAAAAAuAAAAAAAAAMjp4sc4aZyUybSUxoe7Ub3VoZDRBXmTwGNUm66veIzW4T2gGhQfq5GNQ/iohL/P3IpQPXNm6Y"
    "z0Iq/cdvKKW5MWmeefUo+iBB3HZWLOqf4KIt3GB/yflODCSBoPdmtGeo2YVlsAyZtRnMT68k3jXpCDrjbDFKUQEmtIFARKTIUFQRd8+Zd4n7mV"
    "oPjA40TIyQy7RW63+0DxX+r+KV1aWMuSlDot6JpLP0WdFJnSj5v47SiXLBcGQAEJcAAHCwEAASQG8QcBElMPufCKcmQjJdNyAjil47fgNQxqCg"
    "FIHj4NAAA=")
LAMBDA = {"class_name": "Lambda", "config": {"function": ["4wE=", None, None], "function_type": "lambda"}}
DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}, "registered_name": None}


def varint(v):
    out = b""
    while v > 0x7F:
        out += bytes([v & 0x7F | 0x80])
        v >>= 7
    return out + bytes([v])


def field(no, value):
    """A field of a protocol buffer: a number, or bytes."""
    if isinstance(value, int):
        return varint(no << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(no << 3 | 2) + varint(len(value)) + value


def onnx(location, length):
    entries = b"".join(field(13, field(1, k) + field(2, v))
                       for k, v in (("location", location), ("offset", "0"), ("length", str(length))))
    tensor = field(1, 4) + field(2, 1) + field(8, "W") + entries + field(14, 1)
    graph = field(1, field(1, "X") + field(2, "Y") + field(4, "Relu")) + field(2, "g") + field(5, tensor)
    return field(1, 8) + field(7, graph) + field(8, field(2, 17))


class Formats(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bz-formats-"))
        self.addCleanup(shutil.rmtree, self.dir)

    def put(self, name, data):
        p = self.dir / name
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_bytes(data if isinstance(data, bytes) else
                      data.encode() if isinstance(data, str) else json.dumps(data).encode())
        return p

    def scan(self, path):
        """exit code, {file name: {rule, ...}}"""
        r = subprocess.run([BARTIZAN, "scan", "--json", str(path)], capture_output=True, timeout=HANG_S)
        out = json.loads(r.stdout)
        return r.returncode, {pathlib.Path(f["path"]).name: {x["rule"] for x in f["findings"]} for f in out["files"]}

    def one(self, path):
        code, files = self.scan(path)
        return code, files[pathlib.Path(path).name]


class Hdf5(Formats):
    def setUp(self):
        super().setUp()
        self.h5 = self.dir / "h5"
        self.h5.mkdir()
        subprocess.run([BUILD / "tools" / "tiny-h5", self.h5], check=True, timeout=HANG_S)

    def test_each_kind(self):
        code, files = self.scan(self.h5)
        self.assertEqual(code, 1)
        expected = {
            "ok-weights.h5": set(), "ok-userblock.h5": set(), "elink.h5": {"H5-LINK"}, "external.h5": {"H5-EXTERNAL"},
            "virtual.h5": {"H5-EXTERNAL"}, "filter.h5": {"H5-FILTER"}, "lambda-fixed.h5": {"KERAS-LAMBDA"},
            "lambda-variable.h5": {"KERAS-LAMBDA"}, "deep.h5": {"SCAN-LEFT-OUT"}}
        for name, rules in expected.items():
            self.assertEqual(files.get(name, set()), rules, name)
        self.assertIn("PKL-CALL-CODE", files["pickle.h5"])

    def test_good_ones_are_clean_and_a_cap_is_not(self):
        self.assertEqual(self.one(self.h5 / "ok-weights.h5"), (0, set()))
        self.assertEqual(self.one(self.h5 / "deep.h5")[0], 3)

    def test_cut_short(self):
        data = (self.h5 / "ok-weights.h5").read_bytes()
        for n in (64, len(data) // 2, len(data) - 100):
            code, rules = self.one(self.put("cut.h5", data[:n]))
            self.assertEqual(code, 1, n)
            self.assertIn("H5-MALFORMED", rules, n)

    def test_flipped_bytes_never_stop_a_scan(self):
        data = bytearray((self.h5 / "lambda-variable.h5").read_bytes())
        folder = self.dir / "flips"
        for i in range(0, min(len(data), 1200), 12):
            was, data[i] = data[i], data[i] ^ 0xFF
            self.put(f"flips/{i}.h5", bytes(data))
            data[i] = was
        r = subprocess.run([BARTIZAN, "scan", "--json", str(folder)], capture_output=True, timeout=HANG_S)
        self.assertIn(r.returncode, (1, 3), r.stderr)
        self.assertEqual(json.loads(r.stdout)["failures"], [])

    def test_members_of_archives(self):
        for name, rule in (("ok-weights", None), ("elink", "H5-LINK")):
            p = self.dir / f"{name}.keras"
            with zipfile.ZipFile(p, "w", zipfile.ZIP_DEFLATED) as z:
                z.writestr("metadata.json", json.dumps({"keras_version": "3.8.0"}))
                z.writestr("config.json", json.dumps(DENSE))
                z.write(self.h5 / f"{name}.h5", "model.weights.h5")
            code, rules = self.one(p)
            self.assertEqual((code, rules), (1, {rule}) if rule else (0, set()), name)

    def test_the_process_takes_nothing_but_a_file_to_read(self):
        good = self.h5 / "ok-weights.h5"
        with open(good, "rb") as f:
            r = subprocess.run([CHILD], stdin=f, capture_output=True, timeout=HANG_S)
            self.assertEqual(r.returncode, 0)
            self.assertIn(b'"kind":"done"', r.stdout)
        with open(good, "r+b") as f: # could be written to
            self.assertEqual(subprocess.run([CHILD], stdin=f, capture_output=True, timeout=HANG_S).returncode, 2)
        self.assertEqual(subprocess.run([CHILD], stdin=subprocess.PIPE, capture_output=True, timeout=HANG_S).returncode, 2)
        with open(good, "rb") as f:
            r = subprocess.run([CHILD, "x"], stdin=f, capture_output=True, timeout=HANG_S)
            self.assertEqual((r.returncode, r.stdout), (2, b""))

    def test_what_it_does_not_read_stays_unread(self):
        """External files are named in the answer, their bytes are not."""
        secret = self.put("secret.txt", "the-content-of-another-file" * 10)
        data = (self.h5 / "external.h5").read_bytes()
        name = b"/etc/hostname"
        link = self.dir / "s"
        link.symlink_to(secret)
        path = str(link).encode()
        if len(path) > len(name):
            path = b"/proc/version"
        p = self.put("ext.h5", data.replace(name, path + bytes(len(name) - len(path))))
        with open(p, "rb") as f:
            r = subprocess.run([CHILD], stdin=f, capture_output=True, timeout=HANG_S)
        self.assertNotIn(b"the-content", r.stdout)
        self.assertNotIn(b"Linux version", r.stdout)
        self.assertNotIn(b'"kind":"dataset"', r.stdout)

    def test_without_the_reader_it_is_not_clean(self):
        alone = self.dir / "alone"
        alone.mkdir()
        shutil.copy(BARTIZAN, alone / "bartizan")
        r = subprocess.run([alone / "bartizan", "scan", "--json", self.h5 / "ok-weights.h5"], capture_output=True,
                           timeout=HANG_S)
        self.assertEqual(r.returncode, 3, r.stderr)
        self.assertIn(b"H5-UNCHECKED", r.stdout)


class SevenZip(Formats):
    """Coders that only libarchive reads."""
    def archive(self, name, text):
        return self.put(name, base64.b64decode(text))

    def test_each_coder(self):
        for name, text in (("ppmd.7z", PPMD), ("bcj2.7z", BCJ2)):
            code, rules = self.one(self.archive(name, text))
            self.assertEqual(code, 1, name)
            self.assertIn("PKL-CALL-CODE", rules, name)
            self.assertEqual(rules & {"ARC-METHOD", "7Z-CRC", "7Z-TWO-VIEWS", "7Z-CRASH"}, set(), name)

    def test_encrypted_is_not_clean(self):
        for name, text, first in (("aes.7z", AES, "evil.pkl"), ("names.7z", AES_NAMES, "the list of members")):
            r = subprocess.run([BARTIZAN, "scan", self.archive(name, text)], capture_output=True, timeout=HANG_S, text=True)
            self.assertEqual(r.returncode, 3, r.stderr)
            self.assertIn("ARC-ENCRYPTED", r.stdout)
            self.assertIn(first, r.stdout)
            self.assertIn("with its password", r.stdout)

    def test_inside_of_an_archive(self):
        p = self.dir / "outer.zip"
        with zipfile.ZipFile(p, "w") as z:
            z.writestr("inner.7z", base64.b64decode(PPMD))
        code, rules = self.one(p)
        self.assertEqual(code, 1)
        self.assertIn("PKL-CALL-CODE", rules)

    def test_flipped_bytes_never_stop_a_scan(self):
        for name, text in (("p", PPMD), ("b", BCJ2)):
            data = bytearray(base64.b64decode(text))
            for i in range(32, len(data), 7): # the header's own checksum is not in the way
                was, data[i] = data[i], data[i] ^ 0x41
                self.put(f"flips/{name}{i}.7z", bytes(data))
                data[i] = was
            for n in range(40, len(data), 19):
                self.put(f"flips/{name}cut{n}.7z", bytes(data[:n]))
        r = subprocess.run([BARTIZAN, "scan", "--json", str(self.dir / "flips")], capture_output=True, timeout=HANG_S)
        self.assertEqual(r.returncode, 1, r.stderr)
        out = json.loads(r.stdout)
        self.assertEqual(out["failures"], [])
        for f in out["files"]:
            self.assertNotEqual(f["verdict"], "clean", f["path"])
            self.assertNotIn("7Z-CRASH", {x["rule"] for x in f["findings"]}, f["path"])

    def unpack(self, fd, out, *more):
        return subprocess.run([UNPACKER, *more], stdin=fd, stdout=subprocess.PIPE, stderr=out, timeout=HANG_S)

    def test_the_process_takes_nothing_but_files(self):
        good = self.archive("good.7z", PPMD)
        with open(good, "rb") as f, open(self.dir / "bytes", "wb") as out:
            r = self.unpack(f, out)
            self.assertEqual(r.returncode, 0)
            self.assertEqual([json.loads(x) for x in r.stdout.splitlines()], [
                {"name": "evil.pkl", "bytes": 85, "whole": True}, {"name": "good.pkl", "bytes": 43, "whole": True},
                {"end": "done"}])
        self.assertEqual((self.dir / "bytes").stat().st_size, 128)
        with open(good, "r+b") as f, open(self.dir / "bytes", "wb") as out: # could be written to
            self.assertEqual(self.unpack(f, out).returncode, 2)
        with open(good, "rb") as f: # nowhere to write to
            self.assertEqual(self.unpack(f, subprocess.PIPE).returncode, 2)
        with open(good, "rb") as f, open(self.dir / "bytes", "wb") as out:
            self.assertEqual(self.unpack(f, out, "x").returncode, 2)

    def stored(self, first, second):
        """An archive of two stored members that are holes in the file."""
        n = lambda v: b"\xff" + struct.pack("<Q", v)
        header = (b"\x01\x04\x06\x00\x01\x09" + n(first + second) + b"\x00\x07\x0b\x01\x00\x01\x01\x00\x0c" + n(first + second)
                  + b"\x00\x08\x0d\x02\x09" + n(first) + b"\x00\x00\x05\x02\x11\x09\x00x\x00\x00\x00y\x00\x00\x00\x00\x00")
        start = struct.pack("<QQL", first + second, len(header), zlib.crc32(header))
        p = self.put("hole.7z", b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<L", zlib.crc32(start)) + start)
        with open(p, "r+b") as f:
            f.seek(32 + first + second)
            f.write(header)
        return p

    def test_what_is_unpacked_has_a_cap(self):
        fd = os.memfd_create("unpacked")
        self.addCleanup(os.close, fd)
        with open(self.stored(CAP, 1), "rb") as f:
            r = self.unpack(f, fd)
        self.assertEqual(r.returncode, 0)
        self.assertEqual([json.loads(x) for x in r.stdout.splitlines()], [
            {"name": "x", "bytes": CAP, "whole": True}, {"name": "y", "bytes": 0, "whole": False}, {"end": "cap"}])
        self.assertEqual(os.fstat(fd).st_size, CAP)

    def test_without_the_reader_it_is_not_clean(self):
        alone = self.dir / "alone"
        alone.mkdir()
        shutil.copy(BARTIZAN, alone / "bartizan")
        r = subprocess.run([alone / "bartizan", "scan", "--json", self.archive("p.7z", PPMD)], capture_output=True, timeout=HANG_S)
        self.assertEqual(r.returncode, 3, r.stderr)
        self.assertIn(b"ARC-METHOD", r.stdout)


class Onnx(Formats):
    def test_external_data(self):
        self.put("weights.bin", bytes(16))
        self.put("sub/w.bin", bytes(16))
        self.put("outside.bin", bytes(16))
        (self.dir / "link.bin").symlink_to("weights.bin")
        (self.dir / "dirlink").symlink_to("sub")
        os.link(self.dir / "outside.bin", self.dir / "hard.bin")
        for location, length, rule in (
                ("weights.bin", 16, None), ("sub/w.bin", 16, None), ("weights.bin", 17, "ONNX-EXTERNAL-RANGE"),
                ("link.bin", 16, "ONNX-EXTERNAL-LINK"), ("dirlink/w.bin", 16, "ONNX-EXTERNAL-LINK"),
                ("hard.bin", 16, "ONNX-EXTERNAL-LINK"), ("../x", 16, "ONNX-EXTERNAL-PATH"),
                ("/etc/passwd", 16, "ONNX-EXTERNAL-PATH"), ("gone.bin", 16, "ONNX-EXTERNAL-MISSING")):
            code, rules = self.one(self.put("m.onnx", onnx(location, length)))
            self.assertEqual(rules, {rule} if rule else set(), location)
            self.assertEqual(code, 0 if rule in (None, "ONNX-EXTERNAL-MISSING") else 1, location)


    def test_the_data_itself(self):
        """Raw numbers are recognised by the model beside them, and by nothing else."""
        raw = bytes(range(1, 9)) * 4
        self.put("m.onnx", onnx("m.onnx_data", 32))
        self.assertEqual(self.one(self.put("m.onnx_data", raw)), (0, set()))
        self.assertEqual(self.one(self.put("n.onnx_data", raw))[0], 3)


class Folders(Formats):
    def test_hugging_face(self):
        self.put("good/config.json", {"architectures": ["LlamaForCausalLM"], "model_type": "llama"})
        self.put("good/generation_config.json", {"temperature": 0.7})
        self.put("good/tokenizer_config.json", {
            "chat_template": "{% for m in messages %}{{ m['content'] }}{% endfor %}", "tokenizer_class": "X"})
        self.put("good/README.md", "---\nlicense: mit\n---\n# Model\n")
        self.put("good/requirements.txt", "torch>=2.0\n")
        self.assertEqual(self.scan(self.dir / "good")[0], 0)
        self.put("bad/config.json", {"auto_map": {"AutoModel": "someone/else--modeling_x.X"}})
        self.put("bad/modeling_x.py", "# model\nimport os\nos.system('true')\n")
        self.put("bad/tokenizer_config.json", {"chat_template": "{{ ''.__class__.__mro__ }}"})
        self.put("bad/requirements.txt", "torch\nx @ https://example.org/x.whl\n")
        code, files = self.scan(self.dir / "bad")
        self.assertEqual(code, 1)
        for name, rule in (("config.json", "HF-CODE-REMOTE"), ("modeling_x.py", "PY-PROCESS"),
                           ("tokenizer_config.json", "TPL-CODE"), ("requirements.txt", "REQ-URL")):
            self.assertIn(rule, files[name], name)

    def test_members(self):
        def archive(name, members):
            with zipfile.ZipFile(self.dir / name, "w") as z:
                for member, data in members.items():
                    z.writestr(member, data if isinstance(data, str) else json.dumps(data))
            return self.one(self.dir / name)

        self.assertIn("KERAS-LAMBDA", archive("a.keras", {"config.json": LAMBDA, "metadata.json": {}})[1])
        self.assertEqual(archive("b.keras", {"config.json": DENSE, "metadata.json": {"keras_version": "3.8.0"}}), (0, set()))
        self.assertIn("SKOPS-CALL", archive("c.skops", {"schema.json": {
            "__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "content": {}}})[1])
        self.assertIn("PY-PROCESS", archive("d.mar", {
            "MAR-INF/MANIFEST.json": {"archiverVersion": "0.9", "model": {"handler": "h.py"}},
            "h.py": "# h\nimport subprocess\nsubprocess.run(['true'])\n"})[1])
        data = b"model:\n  _target_: os.system\n  command: 'true'\n"
        with tarfile.open(self.dir / "e.nemo", "w:gz") as t:
            info = tarfile.TarInfo("model_config.yaml")
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
        self.assertIn("JSON-TARGET", self.one(self.dir / "e.nemo")[1])

    def test_a_saved_model(self):
        node = field(1, field(1, "n") + field(2, "PyFunc"))
        self.put("m/saved_model.pb", field(1, 1) + field(2, field(2, node)))
        self.put("m/assets/vocab.txt", "a\nb\n")
        code, files = self.scan(self.dir / "m")
        self.assertEqual((code, files["saved_model.pb"]), (1, {"TF-PYTHON"}))

    def test_tflite_with_its_metadata(self):
        """Files that go with a model are appended to it as an archive: no polyglot, but looked at."""
        model = (ROOT / "fuzz" / "corpus" / "tflite" / "00").read_bytes()
        for name, data, code in (("labels.txt", b"person\n", 0), ("x.pkl", b"cposix\nsystem\n(S'true'\ntR.", 1)):
            p = self.put("m.tflite", model)
            with zipfile.ZipFile(p, "a") as z:
                z.writestr(name, data)
            self.assertEqual(self.one(p)[0], code, name)

    def test_empty_files_with_the_name_of_a_model(self):
        self.assertEqual(self.one(self.put("m.onnx", b"")), (1, {"MODEL-EMPTY"}))


if __name__ == "__main__":
    unittest.main()
