#!/usr/bin/env python3
"""Advisories and inventories in figures, on data made here: bench/advisory.py [BUILD]

Prints how fast an archive is taken, a root is listed, components are matched, and versions are compared.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile

BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
BARTIZAN = str(BUILD / "bartizan")
RECORDS, PACKAGES, PAIRS = 20000, 2000, 400000


def run(*args, ok=(0,), **more):
    began = time.monotonic()
    r = subprocess.run([BARTIZAN, *map(str, args)], capture_output=True, text=True, **more)
    if r.returncode not in ok:
        sys.exit("bartizan %s: exit %d\n%s" % (" ".join(map(str, args)), r.returncode, r.stderr))
    return time.monotonic() - began, r.stdout


def record(n):
    return {"id": "BENCH-%d" % n, "modified": "2026-01-01T00:00:00Z", "summary": "x", "details": "d" * 2000, "affected": [
        {"package": {"ecosystem": "PyPI", "name": "package-%d" % (n % 10000)}, "versions": ["1.%d" % v for v in range(50)],
         "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.50"}]}]}]}


def main():
    tmp = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-bench-"))
    try:
        run("init", tmp / "i", "--backend", "x=openai=http://127.0.0.1:9")
        with zipfile.ZipFile(tmp / "all.zip", "w", zipfile.ZIP_DEFLATED) as z:
            for n in range(RECORDS):
                z.writestr("BENCH-%d.json" % n, json.dumps(record(n)))
        for n in range(PACKAGES):
            d = tmp / "root" / "site-packages" / ("package_%d-1.7.dist-info" % n)
            d.mkdir(parents=True)
            (d / "METADATA").write_text("Metadata-Version: 2.1\nName: package_%d\nVersion: 1.7\n\n" % n)
        s, _ = run("advisory", "update", tmp / "i", tmp / "all.zip")
        print("advisory update   %7.0f records/s  (%d records, %.1f s)" % (RECORDS / s, RECORDS, s))
        s, _ = run("inventory", "--root", tmp / "root", "--json")
        print("inventory         %7.0f packages/s (%d, %.2f s)" % (PACKAGES / s, PACKAGES, s))
        s, out = run("advisory", "match", tmp / "i", "--root", tmp / "root", "--json", ok=(1,))
        print("advisory match    %7.2f s          (%d packages, %d records, %d findings)" % (s, PACKAGES, RECORDS, len(json.loads(out)["findings"])))
        for scheme, a, b in (("pep440", "1!2.3.4rc1.post2.dev3+cu121", "1!2.3.4rc1.post2.dev4"), ("dpkg", "1:2.3.4~rc1+dfsg-1", "1:2.3.4-1"),
                             ("npm", "1.2.3-beta.11", "1.2.3-beta.2")):
            s, _ = run("advisory", "compare", scheme, input=("%s\t%s\n" % (a, b)) * PAIRS)
            print("compare %-9s %7.2f million/s" % (scheme, PAIRS / s / 1e6))
    finally:
        shutil.rmtree(tmp)


if __name__ == "__main__":
    main()
