"""bartizan scan on variants that were made for no rule in particular: what is harmful is found, what is not is left alone."""
import collections
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import variants
from harness import BARTIZAN, HANG_S


class Variants(unittest.TestCase):
    def scan(self, files):
        """{variant: (its worst verdict, {rule, ...})}"""
        d = pathlib.Path(tempfile.mkdtemp(prefix="bz-variants-"))
        self.addCleanup(shutil.rmtree, d)
        variants.write(d, files)
        r = subprocess.run([BARTIZAN, "scan", "--json", str(d)], capture_output=True, timeout=HANG_S)
        out = json.loads(r.stdout)
        self.assertEqual(out["failures"], [])
        verdicts, rules = collections.defaultdict(set), collections.defaultdict(set)
        for f in out["files"]:
            name = pathlib.Path(f["path"]).relative_to(d).parts[0]
            verdicts[name].add(f["verdict"])
            rules[name] |= {x["rule"] for x in f["findings"]}
        worst = ("findings", "unchecked", "clean")
        return {name: (next(v for v in worst if v in seen), rules[name]) for name, seen in verdicts.items()}

    def test_what_is_harmful_is_found(self):
        files = variants.harmful()
        seen = self.scan(files)
        self.assertEqual(len(seen), len(files))
        self.assertGreater(len(seen), 200)
        self.assertEqual({n: v for n, v in seen.items() if v[0] != "findings"}, {})

    def test_what_is_harmless_is_left_alone(self):
        files = variants.harmless()
        seen = self.scan(files)
        self.assertEqual(len(seen), len(files))
        self.assertGreater(len(seen), 90)
        self.assertEqual({n: v for n, v in seen.items() if v[0] != "clean"}, {})

    def test_what_nobody_knows_is_not_clean(self):
        seen = self.scan(variants.doubtful())
        self.assertEqual({n: v for n, v in seen.items() if v[0] != "unchecked"}, {})


if __name__ == "__main__":
    unittest.main()
