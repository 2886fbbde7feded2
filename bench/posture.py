#!/usr/bin/env python3
"""What an audit costs: posture.py [BUILD]. Prints the median wall time and CPU time of 9 runs and the largest memory, for the running
system, the good tree of the tests, the tree in which everything is wrong, and a home with 100,000 files."""
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "integration"))
import posture_trees as trees # noqa: E402

BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BARTIZAN_BUILD") or HERE.parent / "build").resolve()


def once(args):
    begin = time.monotonic()
    pid = os.posix_spawn(str(BUILD / "bartizan"), ["bartizan", "posture", "--json", *args], os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit("bartizan posture failed: %s" % args)
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def measure(name, args):
    runs = [once(args) for _ in range(9)]
    print("%-24s %6.0f ms wall  %6.0f ms cpu  %5.1f MB" % (name, 1000 * statistics.median(r[0] for r in runs),
                                                          1000 * statistics.median(r[1] for r in runs), max(r[2] for r in runs) / 1024))


def main():
    tmp = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-bench-"))
    try:
        measure("the running system", [])
        measure("good tree", ["--root", str(trees.build(tmp / "good", trees.good()))])
        measure("everything wrong", ["--root", str(trees.build(tmp / "bad", trees.all_bad()))])
        big = trees.build(tmp / "big", trees.good())
        for i in range(1000):
            d = big / ("home/alice/data/%d" % i)
            d.mkdir(parents=True)
            for j in range(100):
                (d / str(j)).touch()
        measure("100,000 files more", ["--root", str(big)])
    finally:
        shutil.rmtree(tmp)


if __name__ == "__main__":
    main()
