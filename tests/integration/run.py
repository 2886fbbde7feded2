#!/usr/bin/env python3
"""Runs the integration tests and ends with "N passed, N failed".

    run.py [-v] [NAME...]      NAME: a part of a test's name (test_wire, or test_wire.Smuggling)
"""
import os
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


class Result(unittest.TextTestResult):
    def startTest(self, test): # noqa: N802
        self.began = time.monotonic()
        super().startTest(test)

    began = time.monotonic()

    def note(self, word, test):
        self.stream.writeln("%-6s %s  %.1f s" % (word, test.id(), time.monotonic() - self.began))

    def addSuccess(self, test): # noqa: N802
        unittest.TestResult.addSuccess(self, test)
        self.note("ok", test)

    def addFailure(self, test, err): # noqa: N802
        unittest.TestResult.addFailure(self, test, err)
        self.note("FAILED", test)

    def addError(self, test, err): # noqa: N802
        unittest.TestResult.addError(self, test, err)
        self.note("FAILED", test)


def flat(suite):
    for t in suite:
        if isinstance(t, unittest.TestSuite):
            yield from flat(t)
        else:
            yield t


def tests_of_the_module():
    """They run on the module alone; their own harness is told where this build lies."""
    from harness import BUILD
    own = BUILD / "deps" / "root" / "usr" / "sbin" / "nginx"
    for name, path in (("MKINSTANCE", BUILD / "src" / "nginx" / "mkinstance"), ("AUDITD", BUILD / "bartizan-auditd"),
                       ("MODULE", BUILD / "ngx_http_bartizan_module.so"), ("NGINX", own if own.exists() else "/usr/sbin/nginx")):
        os.environ.setdefault("BZ_" + name, str(path))
    return unittest.TestLoader().discover(str(HERE / "nginx"), "test_*.py", str(HERE / "nginx"))


def main():
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    tests = list(flat([*unittest.defaultTestLoader.discover(str(HERE), "test_*.py"), *tests_of_the_module()]))
    chosen = [t for t in tests if not names or any(n in t.id() for n in names)]
    runner = unittest.TextTestRunner(stream=sys.stdout, resultclass=Result, verbosity=0)
    r = runner.run(unittest.TestSuite(chosen))
    bad = len(r.failures) + len(r.errors) + len(r.unexpectedSuccesses) + len(r.skipped)
    print("%d passed, %d failed" % (max(0, r.testsRun - bad), bad))
    return 1 if bad or not r.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
