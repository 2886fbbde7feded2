#!/usr/bin/env python3
"""All numbers of docs/CLASSIFIER.md: bench/classifier.sh DATA [OUT] calls this.

    classifier.py TRAINER WEIGHTS DATA OUT

TRAINER: build/tools/train-classifier. WEIGHTS: a file or - (built in). DATA/eval: public sets. OUT: what tools/train-mix.py wrote.
The threshold is the one in the weights, fixed on validation text; nothing is fitted here.
"""
import glob
import json
import lzma
import math
import os
import subprocess
import sys


def load(name):
    opened = lzma.open(name, "rt", encoding="utf-8") if name.endswith(".xz") else open(name, encoding="utf-8")
    with opened as f:
        return [json.loads(line) for line in f]


def score(trainer, weights, rows, channel="user"):
    lines = "".join(json.dumps({"text": r["text"].replace("\0", "")}) + "\n" for r in rows)
    done = subprocess.run([trainer, "score", weights, channel], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    out = [line.split() for line in done.stdout.decode().splitlines()]
    assert len(out) == len(rows)
    return [(int(e), float(s)) for e, s in out]


def interval(hits, n):
    """Wilson, 95 %."""
    if n == 0:
        return 0.0, 1.0
    z, p = 1.96, hits / n
    mid = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, mid - half), min(1.0, mid + half)


def threshold_for(groups, share):
    """Evidence that `share` of the benign texts lie above, every set counting alike."""
    pool = sorted(((e, 1 / len(g)) for g in groups for e in g), reverse=True)
    above, at = 0.0, float("inf")
    for e, w in pool:
        above += w / len(groups)
        if above > share:
            break
        at = e
    return at


class Table:
    def __init__(self, trainer, weights):
        self.trainer, self.weights = trainer, weights
        self.attacks, self.benign = {}, {}

    def add(self, name, rows, channel="user"):
        for label, store in ((1, self.attacks), (0, self.benign)):
            chosen = [r for r in rows if r["label"] == label]
            if chosen:
                store[name] = score(self.trainer, self.weights, chosen, channel)


def line(name, scored, label):
    hits = sum(s >= 0.5 for _, s in scored)
    blocks = sum(s >= 0.75 for _, s in scored)
    low, high = interval(hits, len(scored))
    return f"| {name} | {'attacks' if label else 'benign'} | {len(scored)} | {hits / len(scored):.3f} | {low:.3f} to {high:.3f} | {blocks / len(scored):.3f} |"


def main():
    trainer, weights, data, out = sys.argv[1:5]
    t = Table(trainer, weights)
    public = [] if "--own" in sys.argv else sorted(glob.glob(f"{data}/eval/*.jsonl.xz"))
    for name in public:
        t.add(os.path.basename(name).split(".")[0], load(name))
    held = load(f"{out}/held.jsonl")
    for source in sorted({r["source"] for r in held}):
        t.add("held-out " + source, [r for r in held if r["source"] == source])
    for name in ("obfuscated", "hidden"):
        rows = load(f"{out}/{name}.jsonl")
        for source in sorted({r["source"] for r in rows}):
            t.add(source, [r for r in rows if r["source"] == source], "document" if name == "hidden" else "user")
    rows = [r for r in load(f"{out}/mix.jsonl") if r["split"] == "valid"]
    for prefix in ("syn-", "lang-"):
        for source in sorted({r["source"] for r in rows if r["source"].startswith(prefix)}):
            own = [r for r in rows if r["source"] == source]
            t.add("validation " + source, own, "document" if own[0]["document"] else "user")

    print("| set | texts | n | flagged | 95 % interval | blocked |\n|---|---|---|---|---|---|")
    for name in sorted(set(t.benign) | set(t.attacks)):
        for label, store in ((1, t.attacks), (0, t.benign)):
            if name in store:
                print(line(name, store[name], label))

    unseen = {n: s for n, s in t.benign.items() if n.startswith(("P_", "deepset", "held-out"))}
    groups = [[e for e, _ in s] for s in unseen.values()]
    flagged = sum(s >= 0.5 for g in unseen.values() for _, s in g)
    n = sum(len(g) for g in unseen.values())
    balanced = sum(sum(s >= 0.5 for _, s in g) / len(g) for g in unseen.values()) / len(unseen)
    print(f"\nFalse positives pooled over benign sets that were not trained on: {flagged} of {n}, {flagged / n:.4f}; every set counting alike {balanced:.4f}")
    for channel in ("tool", "document"):
        scored = score(trainer, weights, [r for r in held if r["document"]], channel)
        print(f"documents of packages held out, as a {channel}: flagged {sum(x >= 0.5 for _, x in scored) / len(scored):.4f}, blocked {sum(x >= 0.75 for _, x in scored) / len(scored):.4f} of {len(scored)}")
    if "deepset_test" in t.attacks:
        tp = sum(s >= 0.5 for _, s in t.attacks["deepset_test"])
        fn, fp = len(t.attacks["deepset_test"]) - tp, sum(s >= 0.5 for _, s in t.benign["deepset_test"])
        print(f"deepset test: F1 {2 * tp / (2 * tp + fp + fn):.3f}, recall {tp / (tp + fn):.3f}, false positives {fp}")
        for name in ("P_notinject", "P_wildguard_benign", "P_xstest"):
            print(f"{name}: accuracy {sum(s < 0.5 for _, s in t.benign[name]) / len(t.benign[name]):.3f}")
        print(f"PIGuard valid: attack recall {sum(s >= 0.5 for _, s in t.attacks['P_piguard_valid']) / len(t.attacks['P_piguard_valid']):.3f}")
    print("\nRecall at a share of false positives over all benign sets that were not trained on, every set counting alike:\n\n| set | 0.1 % | 1 % | 5 % |\n|---|---|---|---|")
    cuts = [threshold_for(groups, share) for share in (0.001, 0.01, 0.05)]
    for name, scored in sorted(t.attacks.items()):
        print(f"| {name} | " + " | ".join(f"{sum(e >= c for e, _ in scored) / len(scored):.3f}" for c in cuts) + " |")


if __name__ == "__main__":
    main()
