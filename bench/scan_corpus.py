"""How much `bartizan scan` finds and how much is wrong, over a labelled corpus: bench/scan_corpus.py MANIFEST.jsonl [-v]

The manifest has one JSON object a line: path (from its own folder), label (malicious, suspicious, malformed, benign, edge), technique.
The whole program is run once over the folder; -v names the files that went wrong. (bench_scan_corpus does the same in one process, for
work on a single format; it has no reader of HDF5.)"""
import collections
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BARTIZAN = pathlib.Path(os.environ.get("BARTIZAN_BUILD") or ROOT / "build").resolve() / "bartizan"
GOOD = {"malicious": {"findings"}, "suspicious": {"findings"}, "malformed": {"findings", "unchecked", "failed"},
        "benign": {"clean", "unchecked"}}


def main():
    manifest = pathlib.Path(next(a for a in sys.argv[1:] if not a.startswith("-")))
    r = subprocess.run([str(BARTIZAN), "scan", "--json", str(manifest.parent)], stdout=subprocess.PIPE)
    out = json.loads(r.stdout)
    seen = {os.path.relpath(f["path"], manifest.parent): f for f in out["files"]}
    rows = collections.defaultdict(collections.Counter)
    for line in manifest.read_text().splitlines():
        entry = json.loads(line)
        found = seen.get(entry["path"])
        verdict = found["verdict"] if found else "failed"
        for technique in (entry["technique"].split(":")[0], ""):
            rows[entry["label"], technique][verdict] += 1
        if "-v" in sys.argv and verdict not in GOOD.get(entry["label"], {verdict}):
            print("%s %s: %s, %s" % (entry["label"], entry["path"], verdict, [f["rule"] for f in found["findings"]] if found else ""))
    print("%-11s %-44s %6s %9s %10s %6s %7s" % ("label", "technique", "files", "findings", "unchecked", "clean", "failed"))
    for (label, technique), c in sorted(rows.items(), key=lambda x: (x[0][1] == "", x[0])):
        print("%-11s %-44s %6d %9d %10d %6d %7d" % (label, technique, sum(c.values()), c["findings"], c["unchecked"], c["clean"], c["failed"]))


if __name__ == "__main__":
    main()
