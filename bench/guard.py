"""CPU of `bartizan guard score` per line, start-up apart: user and system time with many lines less that with none."""
import json
import os
import random
import subprocess
import sys

WORDS = ("the harbour lay still when boats came in with morning tide could you help me write a short letter about heating "
         "revenue rose by percent because of exports list steps to install package explain what each does system ready week "
         "our visitors changed in may see notice at entrance difference between process thread recipe needs eggs flour salt").split()


def text(n, rng):
    out = []
    size = 0
    while size < n:
        w = rng.choice(WORDS) + (". " if rng.random() < 0.08 else " ")
        out.append(w)
        size += len(w)
    return "".join(out)[:n]


def cpu(program, lines, *args):
    before = os.times()
    subprocess.run([program, "guard", "score", *args], input=lines, stdout=subprocess.DEVNULL, check=False)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main():
    program = sys.argv[1]
    rng = random.Random(1)
    print("\nbartizan guard score, CPU a line in microseconds, best of 3:")
    for detectors in ("rules", "classifier", "all"):
        args = ["--detectors", detectors]
        idle = min(cpu(program, b"", *args) for _ in range(3))
        row = []
        for size, count in ((512, 20000), (65536, 400)):
            for channel in ("user", "tool", "document"):
                lines = "".join(json.dumps({"text": text(size, rng), "channel": channel}) + "\n" for _ in range(count)).encode()
                took = min(cpu(program, lines, *args) for _ in range(3)) - idle
                row.append("%s %d: %.1f" % (channel, size, took / count * 1e6))
        print("  %-11s %s   (start-up %.0f ms)" % (detectors, "  ".join(row), idle * 1e3))


main()
