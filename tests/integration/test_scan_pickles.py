"""bartizan scan on pickles that tests/tools/make_pickles.py writes: every way to call a function is found, everything that Python's
own types look like is clean, and no name of a file matters."""
import json
import pathlib
import pickle
import shutil
import subprocess
import sys
import tempfile
import unittest

from harness import BARTIZAN, HANG_S, ROOT

MAKE = pathlib.Path(ROOT) / "tests/tools/make_pickles.py"


class Pickles(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bz-pickles-"))
        self.addCleanup(shutil.rmtree, self.dir)

    def scanned(self, kind):
        subprocess.run([sys.executable, MAKE, kind, self.dir], check=True, timeout=HANG_S)
        r = subprocess.run([BARTIZAN, "scan", "--json", "--verbose", self.dir], capture_output=True, timeout=HANG_S)
        return r.returncode, {pathlib.Path(f["path"]).name: f for f in json.loads(r.stdout)["files"]}

    def test_every_way_to_call_is_found(self):
        code, files = self.scanned("bad")
        self.assertEqual(code, 1)
        self.assertGreater(len(files), 500)
        missed = [n for n, f in files.items() if f["verdict"] != "findings"]
        self.assertEqual(missed, [])
        calls = {n: f for n, f in files.items() if n.startswith("os.system-")}
        self.assertGreater(len(calls), 10)
        for name, f in calls.items():
            self.assertIn("PKL-CALL-CODE", [x["rule"] for x in f["findings"]], name)

    def test_what_python_writes_is_clean(self):
        code, files = self.scanned("good")
        wrong = {n: f["findings"] for n, f in files.items() if f["verdict"] != "clean"}
        self.assertEqual(wrong, {})
        self.assertEqual(code, 0)

    def test_a_big_pickle_with_its_payload_at_the_end(self):
        big = pickle.dumps([{"id": i, "name": "item_%d" % i, "xy": (i % 7, i)} for i in range(200000)])
        path = self.dir / "big.safetensors"
        path.write_bytes(big)
        r = subprocess.run([BARTIZAN, "scan", path], capture_output=True, timeout=HANG_S)
        self.assertEqual(r.returncode, 0, r.stdout)
        path.write_bytes(big[:-1] + b"cos\ngetpid\n)R.")
        r = subprocess.run([BARTIZAN, "scan", path], capture_output=True, timeout=HANG_S)
        self.assertEqual(r.returncode, 1)
        self.assertIn(b"PKL-CALL-CODE", r.stdout)


if __name__ == "__main__":
    unittest.main()
