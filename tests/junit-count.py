#!/usr/bin/env python3
"""junit-count.py TESTLOG.junit.xml STATUS: sums up what meson's tests reported, case by case."""
import re
import sys
import xml.etree.ElementTree as ET


def main():
    try:
        with open(sys.argv[1], "rb") as f: # meson takes over what tests print, bytes that XML does not know among it
            root = ET.fromstring(re.sub(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", b"?", f.read()).decode("utf-8", "replace"))
    except (OSError, ET.ParseError) as e:
        print("no test report: %s" % e)
        print("0 passed, 1 failed")
        return 1
    good = bad = 0
    for case in root.iter("testcase"):
        if any(case.find(k) is not None for k in ("failure", "error", "skipped")):
            print("failed: %s %s" % (case.get("classname"), case.get("name")))
            bad += 1
        else:
            good += 1
    if sys.argv[2] != "0" and bad == 0:
        bad = 1
    print("%d passed, %d failed" % (good, bad))
    return 1 if bad or not good else 0


if __name__ == "__main__":
    sys.exit(main())
